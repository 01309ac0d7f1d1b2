/* species.c: Hill numbers with and without similarity, Rao's entropy, distinct answers. */
#include "engine/metrics/species.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- Hill numbers -------------------------------------------------------------------------- */

static double largest_present(const double* share, const double* common, int n) {
    double largest = 0;
    for (int i = 0; i < n; i++)
        largest = share[i] > 0 && common[i] > largest ? common[i] : largest;
    return largest;
}

/* (sum share * common^(q - 1))^(1 / (1 - q)): share adds up to 1, common (n) in (0, 1] where share
 * is above 0. Powers are of common / largest, so that high orders do not underflow. */
static double effective_number(const double* share, const double* common, int n, double q) {
    const double largest = largest_present(share, common, n);
    const bool shannon = fabs(q - 1) < 1e-8;
    double sum = 0;
    if (isinf(q))
        return 1 / largest;
    for (int i = 0; i < n; i++) {
        if (share[i] > 0)
            sum += shannon ? -share[i] * agon_log(common[i])
                           : share[i] * agon_pow(common[i] / largest, q - 1);
    }
    return shannon ? agon_exp(sum) : agon_exp(agon_log(sum) / (1 - q)) / largest;
}

/* Their sum; NaN when one is negative or not finite. */
static double checked_sum(const double* values, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(values[i] >= 0))
            return NAN;
        sum += values[i];
    }
    return isfinite(sum) ? sum : NAN;
}

int agon_species_hill(const double* counts, int n, double order, double* out) {
    assert(counts && out && n >= 1 && order >= 0);
    const double sum = checked_sum(counts, n);
    if (isnan(sum))
        return AGON_EINVALID;
    if (sum == 0) {
        *out = NAN;
        return 0;
    }
    double* share = malloc((size_t)n * sizeof *share);
    if (!share)
        return AGON_EMEMORY;
    for (int i = 0; i < n; i++)
        share[i] = counts[i] / sum;
    *out = effective_number(share, share, n, order);
    free(share);
    return 0;
}

static int check_shares(const double* share, int n) {
    return fabs(checked_sum(share, n) - 1) <= 1e-6 ? 0 : AGON_EINVALID;
}

static int check_similarity(const double* z, int n) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const double x = z[(size_t)i * n + j];
            if (!(x >= -1e-6 && x <= 1 + 1e-6) || (i == j && x < 1 - 1e-6))
                return AGON_EINVALID;
        }
    }
    return 0;
}

/* How common what resembles kind i is: (Zp)_i, which is at least p_i. */
static double ordinariness(const double* row, const double* share, int n, int i) {
    double sum = 0;
    for (int j = 0; j < n; j++)
        sum += row[j] * share[j];
    return sum > share[i] ? sum : share[i];
}

int agon_species_similar(const double* similarity, const double* share, int n, double order,
                         double* out) {
    assert(similarity && share && out && n >= 1 && order >= 0);
    if (check_shares(share, n) || check_similarity(similarity, n))
        return AGON_EINVALID;
    double* p = malloc(2 * (size_t)n * sizeof *p);
    if (!p)
        return AGON_EMEMORY;
    double* common = p + n;
    const double sum = checked_sum(share, n);
    for (int i = 0; i < n; i++)
        p[i] = share[i] / sum;
    for (int i = 0; i < n; i++)
        common[i] = ordinariness(similarity + (size_t)i * n, p, n, i);
    *out = effective_number(p, common, n, order);
    free(p);
    return 0;
}

int agon_species_rao(const double* distance, const double* share, int n, double* out) {
    assert(distance && share && out && n >= 1);
    double sum = 0;
    if (check_shares(share, n))
        return AGON_EINVALID;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const double d = distance[(size_t)i * n + j];
            if (!(d >= 0) || isinf(d))
                return AGON_EINVALID;
            sum += share[i] * share[j] * d;
        }
    }
    *out = sum;
    return 0;
}

/* ---- greedy actions ------------------------------------------------------------------------ */

/* counts: out (actions). */
static void count_choices(const agon_behaviour* b, int state, double* counts) {
    int tied;
    for (int a = 0; a < b->actions; a++)
        counts[a] = 0;
    for (int i = 0; i < b->agents; i++)
        counts[agon_behaviour_greedy(agon_behaviour_row(b, i, state), b->actions, &tied)]++;
}

int agon_species_greedy(const agon_behaviour* b, double order, double* out) {
    assert(out && order >= 0);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    double* counts = malloc((size_t)b->actions * sizeof *counts);
    if (!counts)
        return AGON_EMEMORY;
    double sum = 0, weight = 0;
    int rc = 0;
    for (int s = 0; s < b->states && !rc; s++) {
        double kinds = 0;
        count_choices(b, s, counts);
        rc = agon_species_hill(counts, b->actions, order, &kinds);
        sum += b->weight[s] * kinds;
        weight += b->weight[s];
    }
    free(counts);
    if (!rc)
        *out = sum / weight;
    return rc;
}

/* ---- k answers in a row -------------------------------------------------------------------- */

static bool is_first(const int* class_of, int i) {
    for (int j = 0; j < i; j++) {
        if (class_of[j] == class_of[i])
            return false;
    }
    return true;
}

int agon_species_distinct(const int* class_of, int k) {
    assert(class_of && k >= 1);
    int distinct = 0;
    for (int i = 0; i < k; i++)
        distinct += is_first(class_of, i);
    return distinct;
}

int agon_species_utility(const int* class_of, const double* value, int k, double bar,
                         double patience, double* out) {
    assert(class_of && out && k >= 1 && patience > 0 && patience <= 1);
    double discount = 1, sum = 0, most = 0;
    for (int i = 0; i < k; i++) {
        if (value && !isfinite(value[i]))
            return AGON_EINVALID;
        if ((!value || value[i] > bar) && is_first(class_of, i))
            sum += discount;
        most += discount;
        discount *= patience;
    }
    *out = sum / most;
    return 0;
}

/* Probability that draw j + 1 is the first of its class, given missed (n), each class's probability
 * not to be among the first j draws, which is moved on by one draw. */
static double first_met(const double* counts, int n, double total, int j, double* missed) {
    double fresh = 0;
    for (int x = 0; x < n; x++) {
        const double left = total - j;
        fresh += missed[x] * counts[x] / left;
        const double others = total - counts[x] - j;
        missed[x] *= others > 0 ? others / left : 0;
    }
    return fresh;
}

int agon_species_rarefied(const double* counts, int n, int k, double patience, double* distinct,
                          double* utility) {
    assert(counts && distinct && utility && n >= 1 && k >= 1 && patience > 0 && patience <= 1);
    const double total = checked_sum(counts, n);
    if (isnan(total))
        return AGON_EINVALID;
    double* missed = malloc((size_t)n * sizeof *missed);
    if (!missed)
        return AGON_EMEMORY;
    for (int x = 0; x < n; x++)
        missed[x] = 1;
    double sum = 0, discounted = 0, most = 0, discount = 1;
    for (int j = 0; j < k && k <= total; j++) {
        const double fresh = first_met(counts, n, total, j, missed);
        sum += fresh;
        discounted += discount * fresh;
        most += discount;
        discount *= patience;
    }
    free(missed);
    *distinct = k <= total ? sum : NAN;
    *utility = k <= total ? discounted / most : NAN;
    return 0;
}
