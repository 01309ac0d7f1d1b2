/* Who makes the same mistakes, and who answers the same question alike however it is put. */
#include "engine/metrics/errors.h"
#include "engine/metrics/generalization.h"
#include "tools/embedded.h"
#include "tools/plot_evidence.h"
#include "tools/plot_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AGENTS = 200 };

/* The last measured generation; false: left out, or *code is an error. */
static bool ask_last(agon_plot_view* view, unsigned needs, bool other_probes, agon_evidence* out,
                     int* code, agon_error* error) {
    agon_plot_asker* asker = agon_plot_asker_open(view, other_probes);
    *code = AGON_OK;
    *out = (agon_evidence){0};
    if (!asker)
        return false;
    *code = agon_plot_ask(asker, needs, -1, out, error);
    agon_plot_asker_close(asker);
    if (!*code && out->answers.states == 0)
        snprintf(view->why, sizeof view->why, "%s", out->why.answers);
    else if (!*code && out->agents > MOST_AGENTS)
        snprintf(view->why, sizeof view->why, "%d agents; at most %d", out->agents, MOST_AGENTS);
    return !*code && !*view->why;
}

static void note_answers(agon_plot_frame* frame, const agon_evidence* e) {
    agon_plot_note(frame, "%d probe states of set %s, last measured generation", e->answers.states,
                   e->answers.set);
}

static int compare_values(const void* a, const void* b, void* value) {
    const int i = *(const int*)a, j = *(const int*)b;
    const double x = ((const double*)value)[i], y = ((const double*)value)[j];
    if (isnan(x) != isnan(y))
        return isnan(x) - isnan(y);
    return x < y ? -1 : x > y ? 1 : (i > j) - (i < j); /* ties: the same on every machine */
}

/* (agents) indices, ascending in `value`, NaN last; malloc'd, NULL: out of memory. */
static int* order_by(double* value, int n) {
    int* order = malloc((size_t)n * sizeof *order);
    for (int i = 0; order && i < n; i++)
        order[i] = i;
    if (order)
        qsort_r(order, (size_t)n, sizeof *order, compare_values, value);
    return order;
}

static void put_agents(FILE* script, const agon_evidence* e, const int* order) {
    fprintf(script, "agents = %d\narray agent[%d]\n", e->agents, e->agents);
    for (int i = 0; i < e->agents; i++)
        fprintf(script, "agent[%d] = '%s'\n", i + 1, e->label[order[i]]);
}

/* ---- error agreement ---- */

typedef struct mistakes {
    agon_error_agreement* pair; /* (agents, agents) */
    agon_accuracy* accuracy;    /* (agents) */
    double* error;              /* (agents) 1 - accuracy */
    int* order;                 /* fewest errors first */
} mistakes;

static void mistakes_close(mistakes* m) {
    free(m->pair);
    free(m->accuracy);
    free(m->error);
    free(m->order);
}

static int find_mistakes(const agon_evidence* e, mistakes* m) {
    const size_t n = (size_t)e->agents;
    const agon_solved solved = {agon_evidence_behaviour(e), e->answers.worth, e->answers.legal};
    m->pair = malloc(n * n * sizeof *m->pair);
    m->accuracy = malloc(n * sizeof *m->accuracy);
    m->error = malloc(n * sizeof *m->error);
    int code = m->pair && m->accuracy && m->error ? AGON_OK : AGON_EMEMORY;
    if (!code)
        code = agon_errors_accuracy(&solved, m->accuracy);
    if (!code)
        code = agon_errors_agreement_pairs(&solved, AGON_CHOICE_GREEDY, m->pair);
    for (size_t i = 0; i < n && !code; i++)
        m->error[i] = 1 - m->accuracy[i].accuracy;
    if (!code)
        m->order = order_by(m->error, e->agents);
    return code ? code : m->order ? AGON_OK : AGON_EMEMORY;
}

static void write_mistakes(FILE* data, const agon_evidence* e, const mistakes* m) {
    const int n = e->agents;
    fprintf(data, "row_rank\tcolumn_rank\trow_agent\tcolumn_agent\trow_error_rate\tcapa\t"
                  "same_wrong_action\tjoint_errors\n");
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const int row = m->order[i], column = m->order[j];
            const agon_error_agreement* pair = &m->pair[(size_t)row * (size_t)n + (size_t)column];
            fprintf(data, "%d\t%d\t%s\t%s\t", i + 1, j + 1, e->label[row], e->label[column]);
            agon_plot_put(data, m->error[row], "\t");
            agon_plot_put(data, i == j ? NAN : pair->capa.kappa, "\t");
            agon_plot_put(data, i == j ? NAN : pair->agreement, "\t");
            agon_plot_put(data, i == j ? NAN : pair->joint, "\n");
        }
    }
}

int agon_plot_errors(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_evidence e;
    mistakes m = {0};
    agon_plot_frame frame = {.title = "Agreement of mistakes", .body = 400};
    int code;
    const bool asked =
        ask_last(view, AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH, true, &e, &code, error);
    if (asked && !e.answers.worth)
        snprintf(view->why, sizeof view->why, "%.150s; then --probes FILE", e.why.worth);
    else if (asked && e.agents < 2)
        snprintf(view->why, sizeof view->why, "a single agent");
    else if (asked && (code = find_mistakes(&e, &m)) != AGON_OK)
        agon_fail(error, code, "the error agreement could not be computed");
    if (asked && !code && !*view->why) {
        write_mistakes(data, &e, &m);
        note_answers(&frame, &e);
        agon_plot_note(&frame, "CAPA: 1 the same mistakes, 0 as independent agents would");
        agon_plot_note(&frame, "Greedy answers; error rates %.2f to %.2f", m.error[m.order[0]],
                       m.error[m.order[e.agents - 1]]);
        agon_plot_frame_write(script, view, &frame);
        put_agents(script, &e, m.order);
        fputs(agon_embedded("errors.gp"), script);
    }
    mistakes_close(&m);
    agon_evidence_clear(&e);
    return code;
}

/* ---- symmetric questions ---- */

static int write_symmetry(agon_plot_view* view, const agon_evidence* e, FILE* data, FILE* script,
                          agon_error* error) {
    const agon_behaviour b = agon_evidence_behaviour(e);
    const size_t n = (size_t)e->agents;
    agon_symmetry* each = malloc(n * sizeof *each);
    double* greedy = malloc(n * sizeof *greedy);
    int* order = NULL;
    int code = each && greedy
                   ? agon_generalization_symmetry(&b, e->answers.image, e->answers.images, each)
                   : AGON_EMEMORY;
    for (size_t i = 0; i < n && !code; i++)
        greedy[i] = each[i].greedy;
    order = code ? NULL : order_by(greedy, e->agents);
    if (order) {
        agon_plot_frame frame = {
            .title = "Symmetry consistency",
            .body = 92 + (e->agents <= 32 ? 26 * (e->agents < 4 ? 4 : e->agents) : 400)};
        fprintf(data, "rank\tagent\tgreedy\tsoft\tties\n");
        for (int i = 0; i < e->agents; i++) {
            fprintf(data, "%d\t%s\t", i + 1, e->label[order[i]]);
            agon_plot_put(data, each[order[i]].greedy, "\t");
            agon_plot_put(data, each[order[i]].soft, "\t");
            agon_plot_put(data, each[order[i]].ties, "\n");
        }
        note_answers(&frame, e);
        agon_plot_note(&frame, "Each put again mirrored or renamed, in %d way%s: another answer?",
                       e->answers.images, e->answers.images == 1 ? "" : "s");
        agon_plot_frame_write(script, view, &frame);
        put_agents(script, e, order);
        fputs(agon_embedded("symmetry.gp"), script);
    } else if (!code) {
        code = AGON_EMEMORY;
    }
    free(each);
    free(greedy);
    free(order);
    return code ? agon_fail(error, code, "the symmetry consistency could not be computed")
                : AGON_OK;
}

int agon_plot_symmetry(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_evidence e;
    int code;
    const bool asked =
        ask_last(view, AGON_NEEDS_ANSWERS | AGON_NEEDS_IMAGES, false, &e, &code, error);
    if (asked && e.answers.images == 0)
        snprintf(view->why, sizeof view->why, "%s", e.why.image);
    else if (asked)
        code = write_symmetry(view, &e, data, script, error);
    agon_evidence_clear(&e);
    return code;
}
