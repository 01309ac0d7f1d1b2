/* distance.c: matrices of distances between policies. */
#include "engine/metrics/distance.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static double half_variation(const float* p, const float* q, int actions) {
    double sum = 0;
    for (int a = 0; a < actions; a++)
        sum += fabs((double)p[a] - q[a]);
    return 0.5 * sum;
}

static double sampled(const float* p, const float* q, int actions) {
    double sum = 0;
    for (int a = 0; a < actions; a++)
        sum += (double)p[a] * q[a];
    return sum < 1 ? 1 - sum : 0;
}

static double excess(const float* p, const float* q, int actions) {
    double sum = 0;
    for (int a = 0; a < actions; a++)
        sum += ((double)p[a] - q[a]) * ((double)p[a] - q[a]);
    return 0.5 * sum;
}

static double greedy(const float* p, const float* q, int actions) {
    int tied;
    return agon_behaviour_greedy(p, actions, &tied) != agon_behaviour_greedy(q, actions, &tied);
}

/* By terms that are 0 where p_a = q_a: 1/2 sum_a p ln(2p/(p+q)) + q ln(2q/(p+q)). */
static double divergence(const float* p, const float* q, int actions) {
    double sum = 0;
    for (int a = 0; a < actions; a++) {
        if (p[a] == q[a])
            continue;
        const double x = p[a], y = q[a], mean = 0.5 * (x + y);
        sum += x > 0 ? x * agon_log(x / mean) : 0;
        sum += y > 0 ? y * agon_log(y / mean) : 0;
    }
    return sum > 0 ? 0.5 * sum : 0;
}

static double between(const agon_behaviour* b, agon_distance kind, int i, int j) {
    static double (*const by_kind[])(const float*, const float*, int) = {half_variation, divergence,
                                                                         greedy, sampled, excess};
    double sum = 0;
    for (int s = 0; s < b->states; s++)
        sum += b->weight[s] *
               by_kind[kind](agon_behaviour_row(b, i, s), agon_behaviour_row(b, j, s), b->actions);
    return sum;
}

int agon_distance_matrix(const agon_behaviour* b, agon_distance kind, double* out) {
    assert(out);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    const size_t n = b->agents;
    for (int i = 0; i < b->agents; i++) {
        for (int j = 0; j < i; j++)
            out[i * n + j] = out[j * n + i] = between(b, kind, i, j);
        out[i * n + i] = kind == AGON_DISTANCE_SAMPLED ? between(b, kind, i, i) : 0;
    }
    return 0;
}
