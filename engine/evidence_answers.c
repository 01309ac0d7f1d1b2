/* evidence_answers.c: probabilities and counted samples of answers. */
#include "engine/evidence_matrix.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MANY ((size_t)1 << 20) /* questions that are counted before room is made for them */

/* ---- the grid, whatever the layout -------------------------------------------------------- */

int agon__grid_allocate(agon__grid* g, agon_error* error) {
    const size_t agents = (size_t)g->agents, states = (size_t)g->states,
                 actions = (size_t)g->actions;
    if (agents == 0 || states == 0 || actions == 0)
        return agon_fail(error, AGON_EINVALID,
                         "%s has %d agents, %d states and %d actions; expected one or more of each",
                         g->name, g->agents, g->states, g->actions);
    if (agents > AGON_EVIDENCE_CELLS / states || agents * states > AGON_EVIDENCE_CELLS / actions)
        return agon_fail(error, AGON_ELIMIT,
                         "%s: %d agents x %d states x %d actions; at most %zu numbers are taken",
                         g->name, g->agents, g->states, g->actions, AGON_EVIDENCE_CELLS);
    const int lines = g->source.is_npy ? 0 : g->source.csv.rows - 1;
    if (!g->source.is_npy && agents * states > MANY && agents * states > (size_t)lines)
        return agon_fail(error, AGON_EINVALID,
                         "%s has %d lines for %d agents x %d states: every agent must answer every "
                         "state",
                         g->name, lines, g->agents, g->states);
    g->value = malloc(agents * states * actions * sizeof *g->value);
    if (!g->value)
        return agon_fail(error, AGON_EMEMORY, "no memory for the answers of %s", g->name);
    for (size_t i = 0; i < agents * states * actions; i++)
        g->value[i] = (double)NAN;
    return AGON_OK;
}

const char* agon__grid_expected(const agon__grid* g, double x) {
    if (g->counts)
        return x >= 0 && x <= UINT32_MAX && x == floor(x) ? NULL : "a number of samples";
    return x >= 0 && x <= 1.001 ? NULL : "a probability";
}

const char* agon__grid_place(const agon__grid* g, int agent, int state, char out[192]) {
    const int used = g->label ? snprintf(out, 192, "agent '%s', ", g->label[agent])
                              : snprintf(out, 192, "agent %d, ", agent);
    if (g->state.count)
        snprintf(out + used, 192 - (size_t)used, "state '%.60s'", g->state.name[state].text);
    else
        snprintf(out + used, 192 - (size_t)used, "state %d", state);
    return out;
}

static void clear_grid(agon__grid* g) {
    free(g->value);
    free(g->label);
    free(g->action);
    agon__names_clear(&g->state);
    agon__names_clear(&g->answer);
    agon__source_clear(&g->source);
}

/* ---- .npy (agents, states, actions) ------------------------------------------------------- */

static int read_npy(agon__grid* g, agon_error* error) {
    const agon_npy* npy = &g->source.npy;
    char place[192], shape[128];
    if (npy->rank != 3 || npy->shape[0] > INT32_MAX || npy->shape[1] > INT32_MAX ||
        npy->shape[2] > INT32_MAX)
        return agon_fail(error, AGON_EINVALID,
                         "%s has shape %s, expected (agents, states, actions)", g->name,
                         agon_npy_shape_text(npy, shape));
    g->agents = (int)npy->shape[0];
    g->states = (int)npy->shape[1];
    g->actions = (int)npy->shape[2];
    const int rc = agon__grid_allocate(g, error);
    for (size_t i = 0; !rc && i < npy->count; i++) {
        const double x = agon_npy_at(npy, i);
        const size_t row = i / npy->shape[2];
        const char* expected = isnan(x) ? NULL : agon__grid_expected(g, x);
        if (expected)
            return agon_fail(
                error, AGON_EINVALID, "%s: %s, action %zu: %g, expected %s", g->name,
                agon__grid_place(g, (int)(row / npy->shape[1]), (int)(row % npy->shape[1]), place),
                i % npy->shape[2], x, expected);
        g->value[i] = x;
    }
    return rc;
}

/* ---- wide: agent, state, and a column for each action ------------------------------------- */

typedef struct wide {
    int agent, state;
    agon__names agents;
    uint8_t* seen; /* (agents, states) */
} wide;

static int name_wide(agon__grid* g, wide* w, agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    const int width = agon_csv_width(csv, 0);
    for (int r = 1; r < csv->rows; r++) {
        if (agon_csv_width(csv, r) != width)
            return agon_csv_fail(
                csv, r, agon_csv_width(csv, r), error,
                "the row has %d cells, expected %d as in the header (separator: %s)",
                agon_csv_width(csv, r), width, agon_csv_separator_name(csv));
        if (agon__names_add(&w->agents, 0, agon_csv_cell(csv, r, w->agent)) < 0 ||
            agon__names_add(&g->state, 0, agon_csv_cell(csv, r, w->state)) < 0)
            return agon_fail(error, AGON_EMEMORY, "no memory for the names in %s", csv->name);
    }
    g->agents = w->agents.count;
    g->states = g->state.count;
    g->actions = width - 2;
    return g->agents ? agon__labels_make(&w->agents, csv->name, &g->label, error)
                     : agon_fail(error, AGON_EINVALID, "%s has a header and no lines", csv->name);
}

static int read_wide_row(agon__grid* g, const wide* w, int r, agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    const size_t agent = (size_t)agon__names_find(&w->agents, 0, agon_csv_cell(csv, r, w->agent)),
                 state = (size_t)agon__names_find(&g->state, 0, agon_csv_cell(csv, r, w->state)),
                 row = agent * (size_t)g->states + state;
    char place[192];
    if (w->seen[row]++)
        return agon_csv_fail(csv, r, w->agent, error, "%s for the second time",
                             agon__grid_place(g, (int)agent, (int)state, place));
    double* out = g->value + row * (size_t)g->actions;
    for (int c = 0; c < g->actions + 2; c++) {
        double x = (double)NAN;
        if (c == w->agent || c == w->state)
            continue;
        const int rc = *agon_csv_cell(csv, r, c) ? agon_csv_number(csv, r, c, &x, error) : AGON_OK;
        if (rc)
            return rc;
        const char* expected = isnan(x) ? NULL : agon__grid_expected(g, x);
        if (expected)
            return agon_csv_fail(csv, r, c, error, "%g, expected %s", x, expected);
        *out++ = x;
    }
    return AGON_OK;
}

static int read_wide(agon__grid* g, agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    wide w = {.agent = agon_csv_column(csv, "agent"), .state = agon_csv_column(csv, "state")};
    if (w.agent < 0 || w.state < 0 || agon_csv_width(csv, 0) < 3) {
        agon_fail(error, AGON_EINVALID,
                  "%s: its first line names no columns agent, state and action (or one for each "
                  "action)",
                  csv->name);
        return agon_hint(error, "for example: agent,state,p0,p1,p2");
    }
    int rc = name_wide(g, &w, error);
    if (!rc)
        rc = agon__grid_allocate(g, error);
    if (!rc) {
        w.seen = calloc((size_t)g->agents, (size_t)g->states);
        rc = w.seen ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for %s", g->name);
    }
    for (int r = 1; !rc && r < csv->rows; r++)
        rc = read_wide_row(g, &w, r, error);
    free(w.seen);
    agon__names_clear(&w.agents);
    return rc;
}

/* ---- from the grid to answers ------------------------------------------------------------- */

typedef struct maker {
    const agon_answers_file* from;
    agon_error* error;
    agon__grid grid;
    agon__right right;
    agon_answers answers;
    double least, most; /* samples of one agent in one state */
} maker;

static bool allocate_answers(agon_answers* a, const agon__grid* g) {
    const size_t states = (size_t)g->states, actions = (size_t)g->actions,
                 cells = (size_t)g->agents * states * actions;
    a->states = g->states;
    a->actions = g->actions;
    a->strata = 1;
    a->probability = malloc(cells * sizeof *a->probability);
    a->count = g->counts ? malloc(cells * sizeof *a->count) : NULL;
    a->weight = malloc(states * sizeof *a->weight);
    a->options = calloc(states, sizeof *a->options);
    a->legal = calloc(states, actions);
    a->stratum = calloc(states, sizeof *a->stratum);
    a->stratum_label = calloc(1, sizeof *a->stratum_label);
    if (!a->probability || (g->counts && !a->count) || !a->weight || !a->options || !a->legal ||
        !a->stratum || !a->stratum_label)
        return false;
    strcpy(a->stratum_label[0], "all");
    strcpy(a->set, "file");
    return true;
}

/* Options belong to the state: the first agent says which they are, the others must agree. */
static int check_options(const agon__grid* g, const agon_answers* a, int i, int s,
                         agon_error* error) {
    const size_t actions = (size_t)g->actions;
    const double* row = g->value + ((size_t)i * (size_t)g->states + (size_t)s) * actions;
    const uint8_t* legal = a->legal + (size_t)s * actions;
    char place[192], first[192];
    int given = 0, other = -1;
    for (int k = g->actions - 1; k >= 0; k--) {
        given += !isnan(row[k]);
        if (isnan(row[k]) == legal[k])
            other = k;
    }
    if (given == 0)
        return agon_fail(error, AGON_EINVALID,
                         "%s: %s has no answer: every agent must answer every state", g->name,
                         agon__grid_place(g, i, s, place));
    if (other >= 0)
        return agon_fail(error, AGON_EINVALID,
                         "%.100s: action %d is %s for %s but %s for %s: expected the same for all "
                         "agents",
                         g->name, other, legal[other] ? "absent" : "given",
                         agon__grid_place(g, i, s, place), legal[other] ? "given" : "absent",
                         agon__grid_place(g, 0, s, first));
    return AGON_OK;
}

static int find_options(const agon__grid* g, agon_answers* a, agon_error* error) {
    int rc = AGON_OK;
    for (int s = 0; s < g->states; s++) {
        for (int k = 0; k < g->actions; k++) {
            const size_t at = (size_t)s * (size_t)g->actions + (size_t)k;
            a->legal[at] = !isnan(g->value[at]);
            a->options[s] += a->legal[at];
        }
    }
    for (int i = 0; !rc && i < g->agents; i++)
        for (int s = 0; !rc && s < g->states; s++)
            rc = check_options(g, a, i, s, error);
    return rc;
}

/* One agent in one state. */
static int make_row(maker* m, int i, int s) {
    const agon__grid* g = &m->grid;
    const size_t at = ((size_t)i * (size_t)g->states + (size_t)s) * (size_t)g->actions;
    const double* row = g->value + at;
    char place[192];
    double sum = 0;
    for (int k = 0; k < g->actions; k++)
        sum += isnan(row[k]) ? 0 : row[k];
    if (g->counts ? !(sum >= 1) : !(fabs(sum - 1) <= 1e-3))
        return agon_fail(m->error, AGON_EINVALID,
                         g->counts ? "%s: %s has %g samples, expected one or more"
                                   : "%s: %s: probabilities add up to %.6g, expected 1",
                         g->name, agon__grid_place(g, i, s, place), sum);
    if (g->counts && sum > UINT32_MAX)
        return agon_fail(m->error, AGON_ELIMIT, "%s: %s has %.0f samples, at most %u", g->name,
                         agon__grid_place(g, i, s, place), sum, UINT32_MAX);
    for (int k = 0; k < g->actions; k++) {
        const double x = isnan(row[k]) ? 0 : row[k];
        m->answers.probability[at + (size_t)k] = (float)(x / sum);
        if (g->counts)
            m->answers.count[at + (size_t)k] = (uint32_t)x;
    }
    m->least = i + s == 0 || sum < m->least ? sum : m->least;
    m->most = i + s == 0 || sum > m->most ? sum : m->most;
    return AGON_OK;
}

static int make_rows(maker* m) {
    int rc = allocate_answers(&m->answers, &m->grid) ? AGON_OK : AGON_EMEMORY;
    if (rc)
        return agon_fail(m->error, rc, "no memory for the answers of %s", m->grid.name);
    rc = find_options(&m->grid, &m->answers, m->error);
    for (int i = 0; !rc && i < m->grid.agents; i++)
        for (int s = 0; !rc && s < m->grid.states; s++)
            rc = make_row(m, i, s);
    return rc;
}

static int check_weights(const agon__matrix* w, double* sum, agon_error* error) {
    *sum = 0;
    if (w->columns != 1)
        return agon_fail(error, AGON_EINVALID,
                         "%s has %d columns of numbers, expected one of weights",
                         agon__matrix_file(w), w->columns);
    for (int r = 0; r < w->rows; r++) {
        if (!(w->value[r] >= 0) || isinf(w->value[r]))
            return agon__matrix_fail(w, r, 0, error, "%g, expected a weight of 0 or more",
                                     w->value[r]);
        *sum += w->value[r];
    }
    if (!(*sum > 0) || isinf(*sum))
        return agon_fail(error, AGON_EINVALID, "%s: weights add up to %g, expected more than 0",
                         agon__matrix_file(w), *sum);
    return AGON_OK;
}

static int make_weights(maker* m) {
    agon__matrix w = {0};
    int* state = NULL;
    double sum;
    for (int s = 0; s < m->grid.states; s++)
        m->answers.weight[s] = 1.0 / m->grid.states;
    if (!m->from->weights)
        return AGON_OK;
    int rc = agon__matrix_read(m->from->weights, &w, m->error);
    if (!rc)
        rc = agon__matrix_states(&w, &m->grid, &state, m->error);
    if (!rc)
        rc = check_weights(&w, &sum, m->error);
    for (int r = 0; !rc && r < w.rows; r++)
        m->answers.weight[state[r]] = w.value[r] / sum;
    free(state);
    agon__matrix_clear(&w);
    return rc;
}

static int read_grid(maker* m, agon_evidence_notes* notes) {
    agon__grid* g = &m->grid;
    snprintf(g->name, sizeof g->name, "%s", m->from->answers);
    g->counts = m->from->counts;
    int rc = agon__source_read(m->from->answers, &g->source, m->error);
    if (!rc && m->from->worth)
        rc = agon__right_read(m->from->worth, &m->right, m->error);
    if (rc)
        return rc;
    if (g->source.is_npy)
        return read_npy(g, m->error);
    return agon__classes_are(&g->source.csv) ? agon__classes_read(g, &m->right, notes, m->error)
                                             : read_wide(g, m->error);
}

static int make(maker* m, agon_evidence_notes* notes) {
    int rc = read_grid(m, notes);
    if (!rc && m->from->labels) {
        free(m->grid.label);
        m->grid.label = NULL;
        rc = agon__labels_read(m->from->labels, m->grid.agents, &m->grid.label, m->error);
    }
    if (!rc)
        rc = make_rows(m);
    if (!rc)
        rc = make_weights(m);
    if (!rc && m->from->worth)
        rc = agon__right_worth(&m->right, &m->grid, &m->answers.worth, m->error);
    if (!rc && m->grid.counts && m->least < m->most)
        agon__note(notes, "%s: %g to %g samples of each agent in each state", m->grid.name,
                   m->least, m->most);
    else if (!rc && m->grid.counts)
        agon__note(notes, "%s: %g sample%s of each agent in each state", m->grid.name, m->most,
                   m->most == 1 ? "" : "s");
    return rc;
}

static int join(maker* m, agon_evidence* e) {
    agon_answers* a = &m->answers;
    const size_t cells = (size_t)a->states * (size_t)a->actions;
    agon__join j;
    int rc = agon__join_make(e, m->grid.agents, m->grid.label, false, m->grid.name, &j, m->error);
    if (rc)
        return rc;
    rc = agon__join_move(&j, a->probability, cells * sizeof *a->probability, m->error);
    if (!rc && a->count)
        rc = agon__join_move(&j, a->count, cells * sizeof *a->count, m->error);
    if (!rc) {
        e->answers = *a;
        memset(a, 0, sizeof *a);
        if (!e->answers.worth)
            snprintf(e->why.worth, sizeof e->why.worth, "no right answers were given for %.100s",
                     m->grid.name);
        snprintf(e->why.image, sizeof e->why.image,
                 "symmetries of answers from files are not known");
        agon__join_commit(e, &j, m->grid.name);
    }
    agon__join_clear(&j);
    return rc;
}

int agon_evidence_read_answers(const agon_answers_file* from, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error) {
    agon_evidence_notes found = *notes;
    agon_evidence rest = {0}; /* frees what did not become part of the evidence */
    maker m = {.from = from, .error = error};
    assert(evidence->answers.states == 0);
    int rc = make(&m, &found);
    if (!rc)
        rc = join(&m, evidence);
    if (!rc)
        *notes = found;
    rest.answers = m.answers;
    agon_evidence_clear(&rest);
    clear_grid(&m.grid);
    agon__source_clear(&m.right.source);
    return rc;
}
