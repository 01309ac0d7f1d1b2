/* diversity.c: entropy split, total variation, disagreement: the forms linear in the agents. */
#include "engine/metrics/diversity.h"

#include "agents/real.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- entropy ------------------------------------------------------------------------------- */

static double entropy_term(double p) {
    return p > 0 ? -p * agon_log(p) : 0;
}

/* (states, actions) sums of the agents' probabilities; returns the agents' mean entropy. One pass
 * in the order of memory. */
static double sum_policies(const agon_behaviour* b, double* sum) {
    const size_t size = (size_t)b->states * b->actions;
    double within = 0;
    memset(sum, 0, size * sizeof *sum);
    for (int i = 0; i < b->agents; i++) {
        double own = 0;
        for (int s = 0; s < b->states; s++) {
            const float* row = agon_behaviour_row(b, i, s);
            double entropy = 0;
            for (int a = 0; a < b->actions; a++) {
                sum[(size_t)s * b->actions + a] += row[a];
                entropy += entropy_term(row[a]);
            }
            own += b->weight[s] * entropy;
        }
        within += own;
    }
    return within / b->agents;
}

int agon_diversity_entropy(const agon_behaviour* b, agon_entropy_split* out) {
    assert(out);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    double* sum = malloc((size_t)b->states * b->actions * sizeof *sum);
    if (!sum)
        return AGON_EMEMORY;
    agon_entropy_split split = {.within = sum_policies(b, sum)};
    for (int s = 0; s < b->states; s++) {
        double entropy = 0;
        for (int a = 0; a < b->actions; a++)
            entropy += entropy_term(sum[(size_t)s * b->actions + a] / b->agents);
        split.mixture += b->weight[s] * entropy;
    }
    free(sum);
    split.between = split.mixture > split.within ? split.mixture - split.within : 0;
    *out = split;
    return 0;
}

/* ---- what counting adds -------------------------------------------------------------------- */

/* Mean over the agents of 1 / answers to a state; -1 when somebody gave none. */
static double mean_inverse(const uint32_t* count, int agents, int states, int actions, int state) {
    double sum = 0;
    for (int i = 0; i < agents; i++) {
        const uint32_t* row = count + ((size_t)i * states + state) * actions;
        double answers = 0;
        for (int a = 0; a < actions; a++)
            answers += row[a];
        if (answers == 0)
            return -1;
        sum += 1 / answers;
    }
    return sum / agents;
}

int agon_diversity_counting(const uint32_t* count, const int* options, const double* weight,
                            int agents, int states, int actions, agon_entropy_split* out) {
    assert(count && options && weight && out && agents >= 1 && states >= 1 && actions >= 1);
    double within = 0, total = 0;
    for (int s = 0; s < states; s++) {
        const double inverse = mean_inverse(count, agents, states, actions, s);
        if (inverse < 0 || options[s] < 1 || options[s] > actions || !(weight[s] >= 0))
            return AGON_EINVALID;
        within -= weight[s] * 0.5 * (options[s] - 1) * inverse;
        total += weight[s];
    }
    if (!(fabs(total - 1) <= 1e-6))
        return AGON_EINVALID;
    *out = (agon_entropy_split){
        .mixture = within / agents, .within = within, .between = -within * (agents - 1.0) / agents};
    return 0;
}

/* ---- total variation ----------------------------------------------------------------------- */

#define DIGIT 11 /* bits; three digits make a float */
#define BINS  (1 << DIGIT)
#define FEW   256 /* below, counting bins costs more than comparing */

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* One pass of a radix sort by `shift`. Floats that are not negative sort like their bits. */
static void sort_digit(const float* from, float* to, int n, int shift) {
    int place[BINS] = {0}, at = 0;
    for (int i = 0; i < n; i++)
        place[bits_of(from[i]) >> shift & (BINS - 1)]++;
    for (int k = 0; k < BINS; k++) {
        const int here = place[k];
        place[k] = at;
        at += here;
    }
    for (int i = 0; i < n; i++)
        to[place[bits_of(from[i]) >> shift & (BINS - 1)]++] = from[i];
}

static int compare_floats(const void* a, const void* b) {
    const float x = *(const float*)a, y = *(const float*)b;
    return (x > y) - (x < y);
}

/* Sum over pairs of |x_i - x_j|. Sorted, the k-th smallest is the larger one of k pairs and the
 * smaller one of n - 1 - k: O(n ln n) instead of O(n^2). x >= 0: destroyed. spare: scratch (n). */
static double pair_distances(float* x, float* spare, int n) {
    double sum = 0;
    const float* sorted = x;
    if (n < FEW) {
        qsort(x, (size_t)n, sizeof *x, compare_floats);
    } else {
        sort_digit(x, spare, n, 0);
        sort_digit(spare, x, n, DIGIT);
        sort_digit(x, spare, n, 2 * DIGIT);
        sorted = spare;
    }
    for (int k = 0; k < n; k++)
        sum += (2.0 * k - n + 1) * sorted[k];
    return sum;
}

/* column (actions, agents): what all agents do in a state. -0 becomes 0, which sorts like it. */
static void take_columns(const agon_behaviour* b, int state, float* column) {
    for (int i = 0; i < b->agents; i++) {
        const float* row = agon_behaviour_row(b, i, state);
        for (int a = 0; a < b->actions; a++)
            column[(size_t)a * b->agents + i] = row[a] > 0 ? row[a] : 0;
    }
}

int agon_diversity_total_variation(const agon_behaviour* b, double* out) {
    assert(out);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    const size_t n = b->agents;
    float* column = malloc(n * (b->actions + 1) * sizeof *column);
    if (!column)
        return AGON_EMEMORY;
    double sum = 0;
    for (int s = 0; s < b->states; s++) {
        take_columns(b, s, column);
        for (int a = 0; a < b->actions; a++)
            sum += b->weight[s] * pair_distances(column + a * n, column + b->actions * n, (int)n);
    }
    free(column);
    const double pairs = 0.5 * n * (n - 1.0);
    *out = pairs > 0 && sum > 0 ? 0.5 * sum / pairs : 0;
    return 0;
}

/* ---- disagreement -------------------------------------------------------------------------- */

/* Ordered pairs of agents that agree at a state; *ties: agents with tied maxima. count: scratch
 * (actions). */
static double agreeing_pairs(const agon_behaviour* b, int state, int* count, int* ties) {
    double pairs = 0;
    for (int a = 0; a < b->actions; a++)
        count[a] = 0;
    *ties = 0;
    for (int i = 0; i < b->agents; i++) {
        int tied;
        int action = agon_behaviour_greedy(agon_behaviour_row(b, i, state), b->actions, &tied);
        pairs += 2.0 * count[action]++; /* the new one with each earlier one, both ways round */
        *ties += tied;
    }
    return pairs;
}

int agon_diversity_greedy(const agon_behaviour* b, double* disagreement, double* tie_rate) {
    assert(disagreement && tie_rate);
    const int code = agon_behaviour_check(b);
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

/* Sums over the agents of |x|^2, and of |x - mean|^2: around the mean, so that nearly equal agents
 * do not cancel. mean: scratch (actions). */
static void squares_of_state(const agon_behaviour* b, int state, double* mean, double* square,
                             double* spread) {
    *square = *spread = 0;
    for (int a = 0; a < b->actions; a++)
        mean[a] = 0;
    for (int i = 0; i < b->agents; i++) {
        for (int a = 0; a < b->actions; a++)
            mean[a] += agon_behaviour_row(b, i, state)[a];
    }
    for (int a = 0; a < b->actions; a++)
        mean[a] /= b->agents;
    for (int i = 0; i < b->agents; i++) {
        const float* row = agon_behaviour_row(b, i, state);
        for (int a = 0; a < b->actions; a++) {
            *square += (double)row[a] * row[a];
            *spread += (row[a] - mean[a]) * (row[a] - mean[a]);
        }
    }
}

int agon_diversity_sampled(const agon_behaviour* b, double* sampled, double* excess) {
    assert(sampled && excess);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    double* mean = malloc((size_t)b->actions * sizeof *mean);
    if (!mean)
        return AGON_EMEMORY;
    const double n = b->agents;
    double between = 0, itself = 0;
    for (int s = 0; s < b->states && n > 1; s++) {
        double square, spread;
        squares_of_state(b, s, mean, &square, &spread);
        between += b->weight[s] * spread / (n - 1);
        itself += b->weight[s] * (1 - square / n);
    }
    free(mean);
    *excess = between;
    *sampled = between + itself > 0 ? between + itself : 0;
    return 0;
}
