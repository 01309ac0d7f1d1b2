/* catalogue_rating_compute.c: what the rows of catalogue_rating.c compute. */
#include "engine/metrics/catalogue_rating.h"

#include "engine/metrics/correlation.h"
#include "engine/metrics/cycle_planes.h"
#include "engine/metrics/glicko.h"
#include "engine/metrics/rating_sparse.h"
#include "engine/metrics/sprt.h"
#include "engine/metrics/trueskill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRIOR_SD         350 /* rating points */
#define NORMAL_95        1.959963984540054
#define GLICKO_TAU       0.5
#define TRUESKILL_ORDERS 8

static void fill_nan(double* out, size_t count) {
    for (size_t i = 0; i < count; i++)
        out[i] = NAN;
}

/* The rows of agents who have pay-offs. part: (payoffs.agents, columns). */
static void scatter(const agon_evidence* e, const double* part, int columns, double* out) {
    fill_nan(out, (size_t)e->agents * columns);
    for (int i = 0; i < e->payoffs.agents; i++)
        memcpy(out + (size_t)e->payoffs.member[i] * columns, part + (size_t)i * columns,
               (size_t)columns * sizeof *out);
}

/* (agents, agents) with 0 for pairs that never met; NULL: no memory, or no such table. */
static double* without_gaps(const double* table, int n) {
    double* out = table ? malloc((size_t)n * n * sizeof *out) : NULL;
    for (size_t i = 0; out && i < (size_t)n * n; i++)
        out[i] = isnan(table[i]) || i % ((size_t)n + 1) == 0 ? 0 : table[i];
    return out;
}

/* ---- Bradley-Terry ------------------------------------------------------------------------- */

/* Games of all pairs that met; *count of them. NULL: no memory. */
static agon_rating_pair* list_pairs(const agon_payoffs* p, int* count) {
    const size_t n = (size_t)p->agents;
    agon_rating_pair* pair = malloc((n * n / 2 + 1) * sizeof *pair);
    *count = 0;
    for (size_t i = 0; pair && i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double won = p->wins[i * n + j], lost = p->wins[j * n + i];
            if (!isnan(won + lost) && (won != 0 || lost != 0))
                pair[(*count)++] = (agon_rating_pair){(int)i, (int)j, won, lost};
        }
    }
    return pair;
}

/* rating, se: out (payoffs.agents). */
static int fit_pool(const agon_payoffs* p, agon_key key, double* rating, double* se,
                    agon_error* error) {
    agon_rating_pool pool = {.agents = p->agents, .prior_sd = PRIOR_SD};
    agon_rating_pair* pair = list_pairs(p, &pool.pairs);
    if (!pair)
        return agon_fail(error, AGON_EMEMORY, "rating: no memory for %d agents", p->agents);
    pool.pair = pair;
    const int rc = agon_rating_sparse(&pool, key, rating, se, NULL);
    free(pair);
    return rc ? agon_fail(error, rc, "rating: the points of the pairs are not numbers >= 0") : 0;
}

/* row: out (4) elo, se, low, high. */
static void rating_row(double rating, double se, double* row) {
    row[0] = rating;
    row[1] = se;
    row[2] = rating - NORMAL_95 * se;
    row[3] = rating + NORMAL_95 * se;
}

int agon__compute_bradley_terry(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error) {
    const size_t n = (size_t)e->payoffs.agents;
    double* rating = malloc(6 * n * sizeof *rating);
    if (!rating)
        return agon_fail(error, AGON_EMEMORY, "rating: no memory for %zu agents", n);
    const int rc = fit_pool(&e->payoffs, options->key, rating, rating + n, error);
    for (size_t i = 0; !rc && i < n; i++)
        rating_row(rating[i], rating[n + i], rating + 2 * n + 4 * i);
    if (!rc)
        scatter(e, rating + 2 * n, 4, out);
    free(rating);
    return rc;
}

int agon__compute_rating_spread(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error) {
    const int n = e->payoffs.agents;
    double* rating = malloc(2 * (size_t)n * sizeof *rating);
    if (!rating)
        return agon_fail(error, AGON_EMEMORY, "rating: no memory for %d agents", n);
    const int rc = fit_pool(&e->payoffs, options->key, rating, rating + n, error);
    double low = INFINITY, high = -INFINITY, square = 0, noise = 0;
    for (int i = 0; !rc && i < n; i++) {
        low = fmin(low, rating[i]);
        high = fmax(high, rating[i]);
        square += rating[i] * rating[i] / (n - 1); /* the mean is 0 */
        noise += rating[n + i] * rating[n + i] / n;
    }
    free(rating);
    if (rc)
        return rc;
    out[0] = high - low;
    out[1] = n > 1 ? sqrt(square) : NAN;
    out[2] = sqrt(noise);
    out[3] = n > 1 ? sqrt(fmax(0, square - noise)) : NAN;
    out[4] = n > 1 && square > 0 ? fmax(0, 1 - noise / square) : NAN;
    return 0;
}

/* Games of agents (0 ..) against anchors (agents ..); a score in [-1, 1] is a share of points. */
static int list_anchor_pairs(const agon_evidence* e, agon_rating_pair* pair) {
    int count = 0;
    for (int i = 0; i < e->agents; i++) {
        for (int a = 0; a < e->anchors.anchors; a++) {
            const size_t at = (size_t)i * e->anchors.anchors + a;
            const double games = e->anchors.games[at], score = e->anchors.mean[at];
            const double points = games * fmin(1, fmax(0, 0.5 * (1 + score)));
            if (games > 0 && !isnan(score))
                pair[count++] = (agon_rating_pair){i, e->agents + a, points, games - points};
        }
    }
    return count;
}

/* rating, se: scratch (agents + anchors). */
static int fit_anchored(const agon_evidence* e, agon_key key, agon_rating_pair* pair,
                        uint8_t* origin, double* rating, double* se, double* out,
                        agon_error* error) {
    const int n = e->agents + e->anchors.anchors;
    for (int i = 0; i < n; i++)
        origin[i] = i >= e->agents;
    agon_rating_pool pool = {.agents = n,
                             .pair = pair,
                             .pairs = list_anchor_pairs(e, pair),
                             .prior_sd = PRIOR_SD,
                             .origin = origin};
    if (pool.pairs == 0)
        return agon_fail(error, AGON_EMISSING, "rating: games against anchors were not counted");
    const int rc = agon_rating_sparse(&pool, key, rating, se, NULL);
    if (rc)
        return agon_fail(error, rc, "rating: the scores against anchors are not numbers");
    fill_nan(out, 4 * (size_t)e->agents);
    for (int k = 0; k < pool.pairs; k++)
        rating_row(rating[pair[k].first], se[pair[k].first], out + 4 * (size_t)pair[k].first);
    return 0;
}

int agon__compute_rating_anchored(const agon_evidence* e, const agon_metric_options* options,
                                  double* out, agon_error* error) {
    const size_t n = (size_t)e->agents + e->anchors.anchors;
    agon_rating_pair* pair = malloc((size_t)e->agents * e->anchors.anchors * sizeof *pair);
    uint8_t* origin = malloc(n);
    double* rating = malloc(2 * n * sizeof *rating);
    int rc;
    if (pair && origin && rating)
        rc = fit_anchored(e, options->key, pair, origin, rating, rating + n, out, error);
    else
        rc = agon_fail(error, AGON_EMEMORY, "rating: no memory for %zu agents", n);
    free(pair);
    free(origin);
    free(rating);
    return rc;
}

/* ---- cycles -------------------------------------------------------------------------------- */

/* Planes of a matrix without its additive part. rest, strength, omega, point: (n, n), (n), (n / 2),
 * (n, 2), in one block to be freed. */
typedef struct plane_set {
    double *rest, *strength, *omega, *point;
} plane_set;

/* logits: of the wins instead of the pay-offs. */
static int find_planes(const agon_payoffs* p, int logits, plane_set* s, agon_error* error) {
    const size_t n = (size_t)p->agents;
    s->rest = calloc(n * n + 4 * n, sizeof *s->rest);
    if (!s->rest)
        return agon_fail(error, AGON_EMEMORY, "planes: no memory for %zu agents", n);
    s->strength = s->rest + n * n;
    s->omega = s->strength + n;
    s->point = s->omega + n;
    int rc = 0;
    if (logits)
        rc = agon_cycle_logits(p->wins, p->agents, s->rest);
    else
        memcpy(s->rest, p->mean, n * n * sizeof *s->rest);
    if (!rc)
        rc = agon_cycle_rest(s->rest, p->agents, s->strength, s->rest);
    if (!rc)
        rc = agon_cycle_planes(s->rest, p->agents, n > 1, s->omega, s->point);
    if (!rc)
        return 0;
    free(s->rest);
    return agon_fail(error, rc, "planes: the %s are not those of a zero-sum game of two",
                     logits ? "wins" : "pay-offs");
}

int agon__compute_cycle_planes(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    const int n = e->payoffs.agents, logits = e->payoffs.wins != NULL;
    plane_set s;
    int rc = find_planes(&e->payoffs, 0, &s, error);
    if (rc)
        return rc;
    double largest = 0, energy = 0, fourth = 0, planes = 0;
    for (int i = 0; i < n * n; i++)
        largest = fmax(largest, fabs(e->payoffs.mean[i]));
    for (int k = 0; k < n / 2; k++) {
        double square = s.omega[k] * s.omega[k];
        planes += s.omega[k] > 1e-12 * n * largest; /* beyond rounding */
        energy += square;
        fourth += square * square;
    }
    out[0] = planes;
    for (int k = 0; k < 3; k++)
        out[1 + k] = k < planes ? s.omega[k] : 0;
    out[4] = planes > 0 ? s.omega[0] * s.omega[0] / energy : NAN;
    out[5] = planes > 0 ? energy * energy / fourth : NAN;
    free(s.rest);
    fill_nan(out + 6, 3);
    rc = logits ? find_planes(&e->payoffs, 1, &s, error) : 0;
    for (int k = 0; logits && !rc && k < 3; k++)
        out[6 + k] = k < n / 2 ? s.omega[k] : 0;
    if (logits && !rc)
        free(s.rest);
    return rc;
}

/* Columns first .. first + 2 of part (payoffs.agents, 6): x, y, strength. */
static int place_agents(const agon_evidence* e, int logits, double* part, int first,
                        agon_error* error) {
    plane_set s;
    const int rc = find_planes(&e->payoffs, logits, &s, error);
    for (int i = 0; !rc && i < e->payoffs.agents; i++) {
        part[6 * i + first] = s.point[2 * i];
        part[6 * i + first + 1] = s.point[2 * i + 1];
        part[6 * i + first + 2] = s.strength[i];
    }
    if (!rc)
        free(s.rest);
    return rc;
}

int agon__compute_disc(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    const size_t n = (size_t)e->payoffs.agents;
    double* part = malloc(6 * n * sizeof *part);
    if (!part)
        return agon_fail(error, AGON_EMEMORY, "planes: no memory for %zu agents", n);
    fill_nan(part, 6 * n);
    int rc = place_agents(e, 0, part, 0, error);
    if (!rc && e->payoffs.wins)
        rc = place_agents(e, 1, part, 3, error);
    if (!rc)
        scatter(e, part, 6, out);
    free(part);
    return rc;
}

/* ---- ratings for live play ----------------------------------------------------------------- */

int agon__compute_glicko2(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error) {
    const int n = e->payoffs.agents;
    const agon_glicko start = AGON_GLICKO_NEW;
    double *wins = without_gaps(e->payoffs.wins, n), *part = malloc(3 * (size_t)n * sizeof *part);
    agon_glicko* after = malloc((size_t)n * sizeof *after);
    int rc = wins && part && after ? agon_glicko_matrix(wins, n, &start, GLICKO_TAU, after)
                                   : AGON_EMEMORY;
    for (int i = 0; !rc && i < n; i++) {
        part[3 * i] = after[i].rating;
        part[3 * i + 1] = after[i].deviation;
        part[3 * i + 2] = after[i].volatility;
    }
    if (!rc)
        scatter(e, part, 3, out);
    free(wins);
    free(part);
    free(after);
    return rc ? agon_fail(error, rc, "glicko2: %s", agon_error_text(rc)) : 0;
}

int agon__compute_trueskill(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error) {
    const int n = e->payoffs.agents;
    const agon_trueskill_rules rules = AGON_TRUESKILL_RULES;
    double *wins = without_gaps(e->payoffs.wins, n), *draws = without_gaps(e->payoffs.draws, n);
    double* part = malloc(5 * (size_t)n * sizeof *part); /* 4 columns, and the wobble */
    agon_trueskill* skill = malloc((size_t)n * sizeof *skill);
    const agon_trueskill_games games = {n, wins, draws};
    int rc = AGON_EMEMORY;
    if (wins && part && skill && (draws || !e->payoffs.draws))
        rc = agon_trueskill_matrix(&games, &rules, TRUESKILL_ORDERS, options->key, skill,
                                   part + 4 * (size_t)n);
    for (int i = 0; !rc && i < n; i++) {
        part[4 * i] = skill[i].mean;
        part[4 * i + 1] = skill[i].deviation;
        part[4 * i + 2] = skill[i].mean - 3 * skill[i].deviation;
        part[4 * i + 3] = part[4 * n + i];
    }
    if (!rc)
        scatter(e, part, 4, out);
    free(wins);
    free(draws);
    free(part);
    free(skill);
    return rc ? agon_fail(error, rc, "trueskill: %s", agon_error_text(rc)) : 0;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* row: out (4) llr, verdict against 5 Elo; the same against 50. NaN for a pair that never met. */
static int sprt_row(const agon_payoffs* p, int i, int j, double* row) {
    const size_t at = (size_t)i * p->agents + j, back = (size_t)j * p->agents + i;
    double won = p->wins[at], lost = p->wins[back], drawn = p->draws ? p->draws[at] : 0;
    if (i == j || isnan(won + lost + drawn) || won + lost == 0)
        return 0;
    const double two[2] = {lost, won};
    const double three[3] = {fmax(0, lost - 0.5 * drawn), drawn, fmax(0, won - 0.5 * drawn)};
    for (int k = 0; k < 2; k++) {
        const agon_sprt test = {0, k ? 50 : 5, .05, .05};
        int rc = p->draws ? agon_sprt_exact(three, 3, &test, row + 2 * k)
                          : agon_sprt_exact(two, 2, &test, row + 2 * k);
        if (rc)
            return rc;
        row[2 * k + 1] = agon_sprt_verdict(&test, row[2 * k]);
    }
    return 0;
}

int agon__compute_sprt(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error) {
    const agon_payoffs* p = &e->payoffs;
    fill_nan(out, 4 * (size_t)e->agents * e->agents);
    for (int i = 0; i < p->agents; i++) {
        for (int j = 0; j < p->agents; j++) {
            const int rc =
                sprt_row(p, i, j, out + 4 * ((size_t)p->member[i] * e->agents + p->member[j]));
            if (rc)
                return agon_fail(error, rc, "sprt: the games of a pair are not counts");
        }
    }
    return 0;
}

int agon__compute_joint_policy(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error) {
    const agon_payoffs* p = &e->payoffs;
    agon_joint_policy jpc;
    bool together = false;
    for (int i = 0; i < p->agents; i++)
        together = together || p->mean[(size_t)i * (size_t)p->agents + (size_t)i] != 0;
    if (p->antisymmetric || !together)
        return agon_fail(error, AGON_EINVALID,
                         "joint_policy_correlation: defined for partners in a general-sum game, "
                         "where the diagonal (trained together) is known");
    const int rc = agon_correlation_joint_policy(e->payoffs.mean, e->payoffs.agents, -1, &jpc);
    if (rc)
        return agon_fail(error, rc, "joint_policy_correlation: a return is below -1");
    out[0] = jpc.loss;
    out[1] = jpc.diagonal;
    out[2] = jpc.other;
    return 0;
}
