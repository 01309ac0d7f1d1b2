/* intra_inter.c: similarity within agents beside similarity between them. */
#include "engine/metrics/intra_inter.h"

#include "engine/metrics/pairs.h"
#include "engine/metrics/summary.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HIGH 0.8

static double total(const uint32_t* count, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += count[k];
    return sum;
}

/* ---- answers ------------------------------------------------------------------------------- */

typedef struct sums {
    double intra, high, intra_weight, inter, inter_weight;
} sums;

static void add_intra(const uint32_t* count, int actions, double samples, double weight, sums* t) {
    if (samples < 2)
        return;
    double same = 0;
    for (int a = 0; a < actions; a++)
        same += count[a] * (count[a] - 1.0);
    same /= samples * (samples - 1);
    t->intra += weight * same;
    t->high += weight * (same > HIGH);
    t->intra_weight += weight;
}

/* sum, squares: scratch (actions). */
static void add_answers(const uint32_t* count, int agents, int states, int actions, int state,
                        double weight, double* sum, double* squares, sums* t) {
    double asked = 0, same = 0;
    memset(sum, 0, (size_t)actions * sizeof *sum);
    memset(squares, 0, (size_t)actions * sizeof *squares);
    for (int i = 0; i < agents; i++) {
        const uint32_t* row = count + ((size_t)i * states + state) * actions;
        const double samples = total(row, actions);
        add_intra(row, actions, samples, weight, t);
        asked += samples > 0;
        for (int a = 0; a < actions && samples > 0; a++) {
            sum[a] += row[a] / samples;
            squares[a] += (row[a] / samples) * (row[a] / samples);
        }
    }
    if (asked < 2)
        return;
    for (int a = 0; a < actions; a++)
        same += agon_pairs_product(sum[a], squares[a]);
    t->inter += weight * same / (asked * (asked - 1));
    t->inter_weight += weight;
}

static agon_intra_inter mean_of(sums t) {
    agon_intra_inter out;
    out.intra = t.intra_weight > 0 ? t.intra / t.intra_weight : NAN;
    out.high = t.intra_weight > 0 ? t.high / t.intra_weight : NAN;
    out.inter = t.inter_weight > 0 ? t.inter / t.inter_weight : NAN;
    out.ratio = out.intra > 0 ? out.inter / out.intra : NAN;
    return out;
}

int agon_intra_inter_answers(const uint32_t* count, const double* weight, int agents, int states,
                             int actions, agon_intra_inter* out) {
    assert(count && weight && out && agents >= 1 && states >= 1 && actions >= 1);
    double all = 0;
    for (int s = 0; s < states; s++) {
        if (!(weight[s] >= 0))
            return AGON_EINVALID;
        all += weight[s];
    }
    if (!(fabs(all - 1) <= 1e-6))
        return AGON_EINVALID;
    double* sum = malloc(2 * (size_t)actions * sizeof *sum);
    if (!sum)
        return AGON_EMEMORY;
    sums t = {0, 0, 0, 0, 0};
    for (int s = 0; s < states; s++)
        add_answers(count, agents, states, actions, s, weight[s], sum, sum + actions, &t);
    free(sum);
    *out = mean_of(t);
    return 0;
}

/* ---- visits -------------------------------------------------------------------------------- */

/* Sum over pairs of |x_i - x_j|; sorts. */
static double pair_distances(double* values, int n) {
    double sum = 0;
    agon_summary_sort(values, n);
    for (int k = 0; k < n; k++)
        sum += (2.0 * k - n + 1) * values[k];
    return sum;
}

/* Adds one feature: to own[i] the distance of the halves of agent i, to the result that of all
 * halves of different agents. games: (agents, 2), 0 for agents left out. */
static double add_feature(const uint32_t* count, const double* games, int agents, int features,
                          int feature, double* values, double* own) {
    int n = 0;
    double within = 0;
    for (int i = 0; i < agents; i++) {
        if (games[2 * i] == 0)
            continue;
        for (int half = 0; half < 2; half++)
            values[n++] = count[((size_t)2 * i + half) * features + feature] / games[2 * i + half];
        const double apart = fabs(values[n - 1] - values[n - 2]);
        own[i] += apart;
        within += apart;
    }
    return pair_distances(values, n) - within;
}

static agon_intra_inter overlap_of(const uint32_t* count, int agents, int features, int known,
                                   double* games, double* values, double* own) {
    sums t = {0, 0, 0, 0, 0};
    double apart = 0;
    for (int f = 0; f < features && known > 0; f++)
        apart += add_feature(count, games, agents, features, f, values, own);
    for (int i = 0; i < agents; i++) {
        if (games[2 * i] == 0)
            continue;
        const double same = own[i] < 2 ? 1 - 0.5 * own[i] : 0;
        t.intra += same;
        t.high += same > HIGH;
        t.intra_weight += 1;
    }
    const double pairs = 2.0 * known * (known - 1.0); /* of halves of different agents */
    if (pairs > 0) {
        const double same = 1 - 0.5 * apart / pairs;
        t.inter = same < 0 ? 0 : same > 1 ? 1 : same;
        t.inter_weight = 1;
    }
    return mean_of(t);
}

int agon_intra_inter_visits(const uint32_t* count, int agents, int features,
                            agon_intra_inter* out) {
    assert(count && out && agents >= 1 && features >= 1);
    double* games = calloc(5 * (size_t)agents, sizeof *games);
    if (!games)
        return AGON_EMEMORY;
    int known = 0;
    for (int i = 0; i < agents; i++) {
        const double first = total(count + (size_t)2 * i * features, features);
        const double second = total(count + ((size_t)2 * i + 1) * features, features);
        games[2 * i] = first > 0 && second > 0 ? first : 0;
        games[2 * i + 1] = second;
        known += games[2 * i] > 0;
    }
    *out = overlap_of(count, agents, features, known, games, games + 2 * (size_t)agents,
                      games + 4 * (size_t)agents);
    free(games);
    return 0;
}
