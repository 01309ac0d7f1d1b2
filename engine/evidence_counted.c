/* evidence_counted.c: tables of pay-offs, and how they come from counted games. */
#include "engine/evidence_payoffs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int agon__payoffs_allocate(agon_payoffs* p, int agents, bool wins, bool draws, agon_error* error) {
    const size_t cells = (size_t)agents * (size_t)agents;
    if (agents > AGON_EVIDENCE_AGENTS)
        return agon_fail(error, AGON_ELIMIT,
                         "%d agents in a pay-off matrix; at most %d are taken: give a sample",
                         agents, AGON_EVIDENCE_AGENTS);
    p->agents = agents;
    p->mean = calloc(cells, sizeof *p->mean);
    p->error = calloc(cells, sizeof *p->error);
    p->games = calloc(cells, sizeof *p->games);
    p->wins = wins ? calloc(cells, sizeof *p->wins) : NULL;
    p->draws = draws ? calloc(cells, sizeof *p->draws) : NULL;
    if (!p->mean || !p->error || !p->games || (wins && !p->wins) || (draws && !p->draws))
        return agon_fail(error, AGON_EMEMORY, "no memory for %d x %d pay-offs", agents, agents);
    return AGON_OK;
}

double agon__score_error(double n, double x, double variance) {
    if (variance < 1e-12) /* all alike: what one game more, ended otherwise, would show */
        variance = (fabs(x) > 0.5 ? 4 : 1) * n / ((n + 1) * (n + 1));
    return sqrt(variance / n);
}

static int count_missing(const agon_payoffs* p) {
    int missing = 0;
    for (int i = 0; i < p->agents; i++)
        for (int j = 0; j < i; j++)
            missing += isnan(p->mean[(size_t)i * (size_t)p->agents + (size_t)j]) ||
                       isnan(p->mean[(size_t)j * (size_t)p->agents + (size_t)i]);
    return missing;
}

void agon__payoffs_describe(agon_payoffs* p, const char* name, double asymmetry,
                            agon_evidence_notes* notes, char why[160]) {
    const int missing = count_missing(p);
    if (asymmetry > 0) {
        snprintf(why, 160, "general-sum: x_ij + x_ji is up to %.3g, expected 0", asymmetry);
        agon__note(notes, "%s: pay-offs are %s", name, why);
    } else if (missing) {
        snprintf(why, 160, "%d of %d pairs never met", missing, p->agents * (p->agents - 1) / 2);
        agon__note(notes, "%s: %s", name, why);
    } else {
        agon__note(notes, "%s: antisymmetric pay-offs of %d agent%s, every pair met", name,
                   p->agents, p->agents == 1 ? "" : "s");
    }
    p->antisymmetric = asymmetry == 0;
}

/* ---- row, col, wins, draws, losses -------------------------------------------------------- */

typedef struct columns {
    int row, col, wins, draws, losses;
} columns;

static columns find_columns(const agon_csv* csv) {
    return (columns){agon_csv_column(csv, "row"), agon_csv_column(csv, "col"),
                     agon_csv_column(csv, "wins"), agon_csv_column(csv, "draws"),
                     agon_csv_column(csv, "losses")};
}

static int read_count(const agon_csv* csv, int row, int column, double* out, agon_error* error) {
    *out = 0;
    if (column < 0)
        return AGON_OK;
    const int rc = agon_csv_number(csv, row, column, out, error);
    if (!rc && (!(*out >= 0 && *out <= 0x1p53) || *out != floor(*out)))
        return agon_csv_fail(csv, row, column, error, "%g is no number of games", *out);
    return rc;
}

static int name_pairs(const agon_csv* csv, const columns* c, agon__names* names,
                      agon_error* error) {
    for (int r = 1; r < csv->rows; r++) {
        const char *row = agon_csv_cell(csv, r, c->row), *col = agon_csv_cell(csv, r, c->col);
        if (strcmp(row, col) == 0)
            return agon_csv_fail(csv, r, c->col, error, "'%.60s' meets itself; expected two agents",
                                 row);
        if (agon__names_add(names, 0, row) < 0 || agon__names_add(names, 0, col) < 0)
            return agon_fail(error, AGON_EMEMORY, "no memory for the agents of %s", csv->name);
    }
    return AGON_OK;
}

static int add_line(const agon_csv* csv, int r, const columns* c, const agon__names* names,
                    agon_payoffs* p, agon_error* error) {
    double wins, draws, losses;
    const size_t i = (size_t)agon__names_find(names, 0, agon_csv_cell(csv, r, c->row)),
                 j = (size_t)agon__names_find(names, 0, agon_csv_cell(csv, r, c->col)),
                 n = (size_t)p->agents;
    int rc = read_count(csv, r, c->wins, &wins, error);
    if (!rc)
        rc = read_count(csv, r, c->draws, &draws, error);
    if (!rc)
        rc = read_count(csv, r, c->losses, &losses, error);
    if (rc)
        return rc;
    p->wins[i * n + j] += wins + draws / 2;
    p->wins[j * n + i] += losses + draws / 2;
    p->draws[i * n + j] += draws;
    p->draws[j * n + i] += draws;
    p->games[i * n + j] += wins + draws + losses;
    p->games[j * n + i] += wins + draws + losses;
    return AGON_OK;
}

static void finish_counts(agon_payoffs* p) {
    const size_t n = (size_t)p->agents;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const size_t k = i * n + j;
            const double games = p->games[k];
            if (i == j)
                continue;
            /* A difference, so that the other half is its negative to the last bit. */
            const double x = (p->wins[k] - p->wins[j * n + i]) / games;
            p->mean[k] = games > 0 ? x + 0.0 : (double)NAN;
            p->error[k] = games > 0
                              ? agon__score_error(games, x, (games - p->draws[k]) / games - x * x)
                              : (double)NAN;
        }
    }
}

int agon__counted_read(const agon_csv* csv, agon_payoffs* payoffs, agon__label** label,
                       agon_error* error) {
    const columns c = find_columns(csv);
    agon__names names = {0};
    int rc = AGON_OK;
    if (c.wins < 0 || c.losses < 0)
        rc = agon_fail(error, AGON_EINVALID,
                       "%s has columns row and col, but none called %s; expected row, col, wins, "
                       "losses and perhaps draws",
                       csv->name, c.wins < 0 ? "wins" : "losses");
    else if (csv->rows < 2)
        rc = agon_fail(error, AGON_EINVALID, "%s has a header and no lines", csv->name);
    if (!rc)
        rc = name_pairs(csv, &c, &names, error);
    if (!rc)
        rc = agon__labels_make(&names, csv->name, label, error);
    if (!rc)
        rc = agon__payoffs_allocate(payoffs, names.count, true, true, error);
    for (int r = 1; !rc && r < csv->rows; r++)
        rc = add_line(csv, r, &c, &names, payoffs, error);
    agon__names_clear(&names);
    if (!rc)
        finish_counts(payoffs);
    return rc;
}
