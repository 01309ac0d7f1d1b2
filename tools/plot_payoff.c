/* The pay-off matrix of a run: the matrix, and the ratings made of it. */
#include "tools/embedded.h"
#include "tools/plot.h"
#include "tools/plot_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool agon_plot_last_payoff(agon_plot_view* view, agon_plot_payoff* out, int* code,
                           agon_error* error) {
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

void agon_plot_note_payoff(agon_plot_frame* frame, const agon_plot_data* data,
                           const agon_plot_payoff* payoff) {
    char steps[32], games[48] = "";
    agon_plot_count_text(data->row[data->last].steps, steps, sizeof steps);
    if (!isnan(payoff->games))
        snprintf(games, sizeof games, ", %g games a pair", payoff->games);
    agon_plot_note(frame, "After %s agent-steps per agent%s", steps, games);
}

void agon_plot_put_agents(FILE* file, const agon_plot_payoff* payoff) {
    fprintf(file, "agents = %d\narray agent[%d]\n", payoff->n, payoff->n);
    for (int i = 0; i < payoff->n; i++)
        fprintf(file, "agent[%d] = '%d'\n", i + 1, payoff->agent[payoff->order[i]]);
}

void agon_plot_note_cycles(agon_plot_frame* frame, const agon_plot_row* row) {
    const double cyclic = row->value[AGON_PLOT_CYCLIC];
    char noise[80] = "";
    if (!isnan(row->null_low) && !isnan(row->null_high))
        snprintf(noise, sizeof noise, " (noise alone: %.2f to %.2f)", row->null_low,
                 row->null_high);
    if (!isnan(cyclic))
        agon_plot_note(frame, "Cyclic share of the pay-offs %.2f%s", cyclic, noise);
    else if (*noise)
        agon_plot_note(frame, "Cycles: not above what noise alone would give");
}

static void note_equilibrium(agon_plot_frame* frame, const agon_plot_row* row) {
    const double support = row->value[AGON_PLOT_NASH_SUPPORT];
    if (!isnan(support))
        agon_plot_note(frame, "Nash equilibrium: %.1f agents in effect", support);
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

int agon_plot_payoff_map(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    agon_plot_frame frame = {.title = "Who beats whom", .body = 400};
    double most = 0;
    int code;
    if (!agon_plot_last_payoff(view, &payoff, &code, error))
        return code;
    for (size_t i = 0; i < (size_t)payoff.n * (size_t)payoff.n; i++)
        most = fabs(payoff.matrix[i]) > most ? fabs(payoff.matrix[i]) : most;
    const agon_plot_row* last = &view->run->data.row[view->run->data.last];
    write_payoff(data, &payoff);
    agon_plot_note_payoff(&frame, &view->run->data, &payoff);
    if (!isnan(payoff.median_se))
        agon_plot_note(&frame, "Standard error of a cell: %.2g", payoff.median_se);
    note_equilibrium(&frame, last);
    agon_plot_note_cycles(&frame, last);
    agon_plot_frame_write(script, view, &frame);
    agon_plot_put_agents(script, &payoff);
    fprintf(script, "most = %.9g\n%s", most > 0 ? most : 1, agon_embedded("payoff.gp"));
    agon_plot_payoff_close(&payoff);
    return AGON_OK;
}

/* ---- ratings ---- */

static int compare_ratings(const void* a, const void* b, void* elo) {
    const int i = *(const int*)a, j = *(const int*)b;
    const double x = ((double*)elo)[i], y = ((double*)elo)[j];
    if (isnan(x) != isnan(y))
        return isnan(x) - isnan(y);
    return x > y ? -1 : x < y ? 1 : (i > j) - (i < j); /* ties: the same on every machine */
}

int agon_plot_ratings(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    agon_plot_frame frame = {.title = "Ratings"};
    bool known = true; /* are all errors? */
    int code;
    if (!agon_plot_last_payoff(view, &payoff, &code, error))
        return code;
    if (!payoff.elo) {
        snprintf(view->why, sizeof view->why, "%s", view->run->data.why_rating);
        agon_plot_payoff_close(&payoff);
        return AGON_OK;
    }
    qsort_r(payoff.order, (size_t)payoff.n, sizeof *payoff.order, compare_ratings, payoff.elo);
    fprintf(data, "rank\tagent\telo\tse\n");
    for (int i = 0; i < payoff.n; i++) {
        known = known && !isnan(payoff.elo_se[i]);
        const int row = payoff.order[i];
        fprintf(data, "%d\t%d\t", i + 1, payoff.agent[row]);
        agon_plot_put(data, payoff.elo[row], "\t");
        agon_plot_put(data, payoff.elo_se[row], "\n");
    }
    frame.body = 60 + (payoff.n <= 32 ? (payoff.n < 5 ? 5 : payoff.n) * 17 : 400);
    agon_plot_note_payoff(&frame, &view->run->data, &payoff);
    agon_plot_note(&frame, "Bradley-Terry%s",
                   known ? "; bars: 95 % interval, games taken as independent" : "");
    agon_plot_frame_write(script, view, &frame);
    agon_plot_put_agents(script, &payoff);
    fprintf(script, "errors = %d\n%s", known, agon_embedded("ratings.gp"));
    agon_plot_payoff_close(&payoff);
    return AGON_OK;
}
