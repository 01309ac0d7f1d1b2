/* The Nash equilibrium of each measured generation. */
#include "engine/metrics/payoff.h"
#include "tools/embedded.h"
#include "tools/plot.h"
#include "tools/plot_series.h"

#include <stdlib.h>
#include <string.h>

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
    if (!code && agon_plot_payoff_antisymmetric(&payoff) &&
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
