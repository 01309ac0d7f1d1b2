/* diversity.c: entropy split, total variation, greedy disagreement, Vendi score. */
#include "engine/metrics/diversity.h"

#include "agents/real.h"
#include "engine/metrics/real_matrix.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const float* row_of(const agon_behaviour* b, int agent, int state) {
    return b->probability + ((size_t)agent * b->states + state) * b->actions;
}

/* ---- checks -------------------------------------------------------------------------------- */

static int check_weights(const agon_behaviour* b) {
    double sum = 0;
    for (int s = 0; s < b->states; s++) {
        if (!(b->weight[s] >= 0))
            return AGON_EINVALID;
        sum += b->weight[s];
    }
    return fabs(sum - 1) <= 1e-6 ? 0 : AGON_EINVALID;
}

/* Comparisons are written so that NaN fails them. */
int agon_behaviour_check(const agon_behaviour* b) {
    assert(b && b->probability && b->weight);
    assert(b->agents >= 1 && b->states >= 1 && b->actions >= 1);
    const size_t rows = (size_t)b->agents * b->states;
    for (size_t r = 0; r < rows; r++) {
        const float* row = b->probability + r * b->actions;
        double sum = 0;
        for (int a = 0; a < b->actions; a++) {
            if (!(row[a] >= 0))
                return AGON_EINVALID;
            sum += row[a];
        }
        if (!(fabs(sum - 1) <= 1e-3))
            return AGON_EINVALID;
    }
    return check_weights(b);
}

/* ---- entropy ------------------------------------------------------------------------------- */

static double entropy_term(double p) {
    return p > 0 ? -p * agon_log(p) : 0;
}

static void entropy_of_state(const agon_behaviour* b, int state, double* mixture, double* within) {
    *mixture = *within = 0;
    for (int a = 0; a < b->actions; a++) {
        double mean = 0;
        for (int i = 0; i < b->agents; i++) {
            double p = row_of(b, i, state)[a];
            mean += p;
            *within += entropy_term(p) / b->agents;
        }
        *mixture += entropy_term(mean / b->agents);
    }
}

int agon_diversity_entropy(const agon_behaviour* b, agon_entropy_split* out) {
    assert(out);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    agon_entropy_split sum = {0, 0, 0};
    for (int s = 0; s < b->states; s++) {
        double mixture, within;
        entropy_of_state(b, s, &mixture, &within);
        sum.mixture += b->weight[s] * mixture;
        sum.within += b->weight[s] * within;
    }
    sum.between = sum.mixture > sum.within ? sum.mixture - sum.within : 0;
    *out = sum;
    return 0;
}

/* ---- total variation ----------------------------------------------------------------------- */

/* Sum over pairs of |x_i - x_j|. Sorted, the k-th smallest is the larger one of k pairs and the
 * smaller one of n - 1 - k: O(n ln n) instead of O(n^2). values: sorted in place. */
static double pair_distances(double* values, int n) {
    double sum = 0;
    agon_summary_sort(values, n);
    for (int k = 0; k < n; k++)
        sum += (2.0 * k - n + 1) * values[k];
    return sum;
}

int agon_diversity_total_variation(const agon_behaviour* b, double* out) {
    assert(out);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    double* values = malloc((size_t)b->agents * sizeof *values);
    if (!values)
        return AGON_EMEMORY;
    double sum = 0;
    for (int s = 0; s < b->states; s++) {
        for (int a = 0; a < b->actions; a++) {
            for (int i = 0; i < b->agents; i++)
                values[i] = row_of(b, i, s)[a];
            sum += b->weight[s] * pair_distances(values, b->agents);
        }
    }
    free(values);
    double pairs = 0.5 * b->agents * (b->agents - 1.0);
    *out = pairs > 0 && sum > 0 ? 0.5 * sum / pairs : 0;
    return 0;
}

/* ---- greedy disagreement ------------------------------------------------------------------- */

static int greedy_action(const float* row, int actions, int* tied) {
    int best = 0;
    *tied = 0;
    for (int a = 1; a < actions; a++) {
        if (row[a] > row[best]) {
            best = a;
            *tied = 0;
        } else if (row[a] == row[best]) {
            *tied = 1;
        }
    }
    return best;
}

/* Ordered pairs of agents that agree at a state; *ties: agents with tied maxima. count: scratch
 * (actions). */
static double agreeing_pairs(const agon_behaviour* b, int state, int* count, int* ties) {
    double pairs = 0;
    for (int a = 0; a < b->actions; a++)
        count[a] = 0;
    *ties = 0;
    for (int i = 0; i < b->agents; i++) {
        int tied;
        int action = greedy_action(row_of(b, i, state), b->actions, &tied);
        pairs += 2.0 * count[action]++; /* the new one with each earlier one, both ways round */
        *ties += tied;
    }
    return pairs;
}

int agon_diversity_greedy(const agon_behaviour* b, double* disagreement, double* tie_rate) {
    assert(disagreement && tie_rate);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    int* count = malloc((size_t)b->actions * sizeof *count);
    if (!count)
        return AGON_EMEMORY;
    const double n = b->agents;
    double differ = 0, tied = 0;
    for (int s = 0; s < b->states; s++) {
        int ties;
        double agree = agreeing_pairs(b, s, count, &ties);
        differ += b->weight[s] * (n > 1 ? 1 - agree / (n * (n - 1)) : 0);
        tied += b->weight[s] * ties / n;
    }
    free(count);
    *disagreement = differ;
    *tie_rate = tied;
    return 0;
}

/* ---- Vendi score --------------------------------------------------------------------------- */

/* kernel += weight * sqrt(p) sqrt(p)'. root: scratch (agents, actions). */
static void add_state(const agon_behaviour* b, int state, double* root, double* kernel) {
    const int n = b->agents, actions = b->actions;
    for (int i = 0; i < n; i++) {
        const float* row = row_of(b, i, state);
        for (int a = 0; a < actions; a++)
            root[(size_t)i * actions + a] = sqrt(row[a]);
    }
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            const double* x = root + (size_t)i * actions;
            const double* y = root + (size_t)j * actions;
            double sum = 0;
            for (int a = 0; a < actions; a++)
                sum += x[a] * y[a];
            kernel[i * n + j] += b->weight[state] * sum;
        }
    }
}

/* Upper triangle to a full matrix with unit diagonal. A congruence, so still semidefinite. */
static void normalise(double* kernel, int n) {
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            kernel[i * n + j] /= sqrt(kernel[i * n + i] * kernel[j * n + j]);
            kernel[j * n + i] = kernel[i * n + j];
        }
    }
    for (int i = 0; i < n; i++)
        kernel[i * n + i] = 1;
}

int agon_diversity_kernel(const agon_behaviour* b, double* kernel) {
    assert(kernel);
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    double* root = malloc((size_t)b->agents * b->actions * sizeof *root);
    if (!root)
        return AGON_EMEMORY;
    for (int i = 0; i < b->agents * b->agents; i++)
        kernel[i] = 0;
    for (int s = 0; s < b->states; s++)
        add_state(b, s, root, kernel);
    free(root);
    normalise(kernel, b->agents);
    return 0;
}

static int check_kernel(const double* kernel, int n) {
    for (int i = 0; i < n; i++) {
        if (!(fabs(kernel[i * n + i] - 1) <= 1e-6))
            return AGON_EINVALID;
        for (int j = i + 1; j < n; j++) {
            if (!(fabs(kernel[i * n + j] - kernel[j * n + i]) <= 1e-6) ||
                !isfinite(kernel[i * n + j]))
                return AGON_EINVALID;
        }
    }
    return 0;
}

/* Hill number of order q of n values scaled to add up to 1. Values that can only be rounding are
 * dropped: at small orders the power makes even 1e-17 count. */
static double hill_number(const double* values, int n, double q) {
    double total = 0, largest = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        total += values[i] > 0 ? values[i] : 0;
        largest = values[i] > largest ? values[i] : largest;
    }
    if (isinf(q))
        return total / largest;
    const int shannon = fabs(q - 1) < 1e-8;
    for (int i = 0; i < n; i++) {
        /* Relative to the largest, so that high orders do not underflow. */
        if (values[i] > 1e-13 * total)
            sum += shannon ? entropy_term(values[i] / total) : agon_pow(values[i] / largest, q);
    }
    if (shannon)
        return agon_exp(sum);
    return agon_exp((q * agon_log(largest / total) + agon_log(sum)) / (1 - q));
}

int agon_diversity_vendi(const double* kernel, int n, double order, double* out) {
    assert(kernel && out && n >= 1 && order > 0);
    int code = check_kernel(kernel, n);
    if (code)
        return code;
    double* work = malloc((size_t)n * (n + 5) * sizeof *work);
    if (!work)
        return AGON_EMEMORY;
    double* values = work + (size_t)n * (n + 4);
    code = agon_matrix_eigen(kernel, n, values, NULL, work) == 0 ? 0 : AGON_EINVALID;
    if (code == 0)
        *out = hill_number(values, n, order);
    free(work);
    return code;
}
