/* The pay-off matrix of a run: the matrix, the ratings made of it, its equilibrium over time. */
#include "engine/metrics/payoff.h"
#include "tools/embedded.h"
#include "tools/plot_json.h"
#include "tools/plot_series.h"

#include "tools/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The last matrix; false when there is none, or memory or the file failed (*code). */
static bool read_last(agon_plot_view* view, agon_plot_payoff* out, int* code, agon_error* error) {
    const agon_plot_data* data = &view->run->data;
    *code = AGON_OK;
    if (data->last < 0 || data->row[data->last].rated < 2) {
        snprintf(view->why, sizeof view->why, "%s",
                 *data->why_payoff ? data->why_payoff : "no pay-off matrix in this run");
        return false;
    }
    *code = agon_plot_payoff_read(data, data->last, out, error);
    return *code == AGON_OK;
}

static void note_where(agon_plot_frame* frame, const agon_plot_data* data,
                       const agon_plot_payoff* payoff) {
    char steps[32], games[48] = "";
    agon_plot_count_text(data->row[data->last].steps, steps, sizeof steps);
    if (!isnan(payoff->games))
        snprintf(games, sizeof games, ", %g games a pair", payoff->games);
    agon_plot_note(frame, "After %s agent-steps per agent%s", steps, games);
}

/* "array agent[3] = ['4', '9', '2']" */
static void put_names(FILE* file, const agon_plot_payoff* payoff) {
    fprintf(file, "agents = %d\narray agent[%d]\n", payoff->n, payoff->n);
    for (int i = 0; i < payoff->n; i++)
        fprintf(file, "agent[%d] = '%d'\n", i + 1, payoff->agent[payoff->order[i]]);
}

/* ---- who beats whom ---- */

static void write_payoff(FILE* file, const agon_plot_payoff* payoff) {
    const size_t n = (size_t)payoff->n;
    fprintf(file, "row_rank\tcolumn_rank\trow_agent\tcolumn_agent\tpayoff\n");
    for (int i = 0; i < payoff->n; i++) {
        for (int j = 0; j < payoff->n; j++) {
            const int row = payoff->order[i], column = payoff->order[j];
            fprintf(file, "%d\t%d\t%d\t%d\t", i + 1, j + 1, payoff->agent[row],
                    payoff->agent[column]);
            agon_plot_put(file, payoff->matrix[(size_t)row * n + (size_t)column], "\n");
        }
    }
}

/* What the matrix says in numbers. A cyclic share is given together with what noise alone would
 * give. */
static void note_measures(agon_plot_frame* frame, const agon_plot_row* row) {
    const double *value = row->value, cyclic = value[AGON_PLOT_CYCLIC];
    if (!isnan(value[AGON_PLOT_NASH_SUPPORT]))
        agon_plot_note(frame, "Nash equilibrium: %.1f agents in effect",
                       value[AGON_PLOT_NASH_SUPPORT]);
    if (!isnan(cyclic) && !isnan(row->null_low) && !isnan(row->null_high))
        agon_plot_note(frame, "Cyclic share %.2f (noise alone: %.2f to %.2f)", cyclic,
                       row->null_low, row->null_high);
    else if (!isnan(cyclic))
        agon_plot_note(frame, "Cyclic share %.2f", cyclic);
}

int agon_plot_payoff_map(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    agon_plot_frame frame = {.title = "Who beats whom", .body = 400};
    double most = 0;
    int code;
    if (!read_last(view, &payoff, &code, error))
        return code;
    for (size_t i = 0; i < (size_t)payoff.n * (size_t)payoff.n; i++)
        most = fabs(payoff.matrix[i]) > most ? fabs(payoff.matrix[i]) : most;
    write_payoff(data, &payoff);
    note_where(&frame, &view->run->data, &payoff);
    if (!isnan(payoff.median_se))
        agon_plot_note(&frame, "Standard error of a cell: %.2g", payoff.median_se);
    note_measures(&frame, &view->run->data.row[view->run->data.last]);
    agon_plot_frame_write(script, view, &frame);
    put_names(script, &payoff);
    fprintf(script, "most = %.9g\n%s", most > 0 ? most : 1, agon_embedded("payoff.gp"));
    agon_plot_payoff_close(&payoff);
    return AGON_OK;
}

/* ---- ratings ---- */

static int compare_ratings(const void* a, const void* b, void* elo) {
    const double x = ((double*)elo)[*(const int*)a], y = ((double*)elo)[*(const int*)b];
    return (x < y) - (x > y);
}

int agon_plot_ratings(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    agon_plot_frame frame = {.title = "Ratings"};
    int code;
    if (!read_last(view, &payoff, &code, error))
        return code;
    if (!payoff.elo) {
        snprintf(view->why, sizeof view->why, "%s", view->run->data.why_rating);
        agon_plot_payoff_close(&payoff);
        return AGON_OK;
    }
    qsort_r(payoff.order, (size_t)payoff.n, sizeof *payoff.order, compare_ratings, payoff.elo);
    fprintf(data, "rank\tagent\telo\tse\n");
    for (int i = 0; i < payoff.n; i++) {
        const int row = payoff.order[i];
        fprintf(data, "%d\t%d\t", i + 1, payoff.agent[row]);
        agon_plot_put(data, payoff.elo[row], "\t");
        agon_plot_put(data, payoff.elo_se[row], "\n");
    }
    frame.body = 60 + (payoff.n <= 32 ? (payoff.n < 5 ? 5 : payoff.n) * 17 : 400);
    note_where(&frame, &view->run->data, &payoff);
    agon_plot_note(&frame, "Bradley-Terry; bars: 95 %% interval, games taken as independent");
    agon_plot_frame_write(script, view, &frame);
    put_names(script, &payoff);
    fputs(agon_embedded("ratings.gp"), script);
    agon_plot_payoff_close(&payoff);
    return AGON_OK;
}

/* ---- the Nash equilibrium over time ---- */

enum { NASH_TIMES = 100, NASH_AGENTS = 256, NASH_NAMED = 6 };

typedef struct mixtures {
    int times, agents; /* agents: highest number + 1 */
    int* row;          /* (times) rows of the run */
    double* share;     /* (times, agents) */
    int named;
    int name[NASH_NAMED]; /* agents with the most mass over time, ascending */
} mixtures;

static void mixtures_close(mixtures* m) {
    free(m->row);
    free(m->share);
}

/* Rows with a matrix, thinned evenly; the first and the last stay. */
static bool choose_times(const agon_plot_data* data, mixtures* m) {
    int all = 0, kept = 0;
    m->row = malloc((size_t)data->rows * sizeof *m->row);
    for (int i = 0; m->row && i < data->rows; i++)
        if (data->row[i].rated >= 2 && data->row[i].rated <= NASH_AGENTS)
            m->row[all++] = i;
    m->times = all < NASH_TIMES ? all : NASH_TIMES;
    for (; kept < m->times && all > NASH_TIMES; kept++)
        m->row[kept] = m->row[(size_t)kept * (size_t)(all - 1) / (NASH_TIMES - 1)];
    return m->row != NULL;
}

/* Makes room for agents up to a number. */
static bool widen(mixtures* m, int agents) {
    double* wider = calloc((size_t)m->times * (size_t)agents, sizeof *wider);
    for (int t = 0; wider && m->share && t < m->times; t++)
        memcpy(wider + (size_t)t * (size_t)agents, m->share + (size_t)t * (size_t)m->agents,
               (size_t)m->agents * sizeof *wider);
    if (!wider)
        return false;
    free(m->share);
    m->share = wider;
    m->agents = agents;
    return true;
}

/* Noise makes a matrix that is antisymmetric but for rounding; text may have lost some of it. */
static bool make_antisymmetric(agon_plot_payoff* p) {
    const size_t n = (size_t)p->n;
    for (size_t i = 0; i < n; i++) {
        p->matrix[i * n + i] = 0;
        for (size_t j = 0; j < i; j++) {
            const double x = 0.5 * (p->matrix[i * n + j] - p->matrix[j * n + i]);
            if (isnan(x))
                return false;
            p->matrix[i * n + j] = x;
            p->matrix[j * n + i] = -x;
        }
    }
    return true;
}

static int solve_time(const agon_plot_data* data, mixtures* m, int t, agon_error* error) {
    agon_plot_payoff payoff;
    double share[NASH_AGENTS], residual;
    int code = agon_plot_payoff_read(data, m->row[t], &payoff, error), most = 0;
    if (code)
        return code;
    for (int i = 0; i < payoff.n; i++)
        most = payoff.agent[i] > most ? payoff.agent[i] : most;
    if (most >= 1000000)
        code = agon_fail(error, AGON_ELIMIT, "%s: an agent of number %d", data->path, most);
    else if (most >= m->agents && !widen(m, most + 1))
        code = agon_fail(error, AGON_EMEMORY, "out of memory for the Nash equilibria");
    if (!code && make_antisymmetric(&payoff) &&
        agon_payoff_nash(payoff.matrix, payoff.n, share, &residual) == AGON_OK)
        for (int i = 0; i < payoff.n; i++)
            m->share[(size_t)t * (size_t)m->agents + (size_t)payoff.agent[i]] = share[i];
    agon_plot_payoff_close(&payoff);
    return code;
}

static double total_share(const mixtures* m, int agent) {
    double sum = 0;
    for (int t = 0; t < m->times; t++)
        sum += m->share[(size_t)t * (size_t)m->agents + (size_t)agent];
    return sum;
}

static bool is_named(const mixtures* m, int agent) {
    for (int i = 0; i < m->named; i++)
        if (m->name[i] == agent)
            return true;
    return false;
}

static int compare_ints(const void* a, const void* b) {
    return *(const int*)a - *(const int*)b;
}

/* The agents that hold most of the equilibria; others are drawn as one. */
static void choose_names(mixtures* m) {
    while (m->named < NASH_NAMED) {
        int best = -1;
        for (int a = 0; a < m->agents; a++)
            if (!is_named(m, a) && total_share(m, a) > 1e-6 &&
                (best < 0 || total_share(m, a) > total_share(m, best)))
                best = a;
        if (best < 0)
            break;
        m->name[m->named++] = best;
    }
    qsort(m->name, (size_t)m->named, sizeof *m->name, compare_ints);
}

static void write_nash(FILE* file, const agon_plot_data* data, const mixtures* m) {
    fprintf(file, "generation\tsteps");
    for (int i = 0; i < m->named; i++)
        fprintf(file, "\tagent_%d", m->name[i]);
    fprintf(file, "\tothers\n");
    for (int t = 0; t < m->times; t++) {
        const double* share = m->share + (size_t)t * (size_t)m->agents;
        double others = 0;
        for (int a = 0; a < m->agents; a++)
            others += is_named(m, a) ? 0 : share[a];
        agon_plot_put(file, data->row[m->row[t]].generation, "\t");
        agon_plot_put(file, data->row[m->row[t]].steps, "\t");
        for (int i = 0; i < m->named; i++)
            agon_plot_put(file, share[m->name[i]], "\t");
        agon_plot_put(file, others, "\n");
    }
}

static void script_nash(FILE* script, const agon_plot_view* view, const mixtures* m) {
    const agon_plot_data* data = &view->run->data;
    const double steps = data->row[m->row[m->times - 1]].steps;
    agon_plot_frame frame = {.title = "Nash equilibrium over time", .body = 250};
    agon_plot_note(&frame, "Maximum-entropy equilibrium of the agents of each generation");
    agon_plot_note(&frame, "Pay-offs are sampled: noise alone widens its support");
    agon_plot_frame_write(script, view, &frame);
    int others = 0;
    for (int a = 0; a < m->agents; a++)
        others |= !is_named(m, a) && total_share(m, a) > 1e-6;
    fprintf(script,
            "max_steps = %.17g\nmarks = 0\nothers = %d\nshares = %d\narray share_name[%d]\n",
            steps > 0 ? steps : 1, others, m->named, m->named);
    for (int i = 0; i < m->named; i++)
        fprintf(script, "share_name[%d] = 'agent %d'\n", i + 1, m->name[i]);
    fprintf(script, "%s%s", agon_embedded("series.gp"), agon_embedded("nash.gp"));
}

static int solve_all(const agon_plot_data* data, mixtures* m, agon_error* error) {
    int code = choose_times(data, m)
                   ? AGON_OK
                   : agon_fail(error, AGON_EMEMORY, "out of memory for the Nash equilibria");
    for (int t = 0; t < m->times && !code; t++)
        code = solve_time(data, m, t, error);
    return code;
}

int agon_plot_nash(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    mixtures m = {0};
    const agon_plot_data* run = &view->run->data;
    const int code = solve_all(run, &m, error);
    if (!code)
        choose_names(&m);
    if (!code && m.times >= 2 && m.named > 0) {
        write_nash(data, run, &m);
        script_nash(script, view, &m);
    } else if (!code) {
        snprintf(view->why, sizeof view->why, "%s",
                 *run->why_payoff ? run->why_payoff
                                  : "it takes pay-off matrices of two generations or more");
    }
    mixtures_close(&m);
    return code;
}
