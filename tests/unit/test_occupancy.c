/* Promise: occupancy divergences equal values worked out by hand, the linear forms equal the pairs,
 * and equal agents come out at their floors. */
#include "engine/metrics/occupancy.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static uint32_t draw_of(int trial, int i, int j, uint32_t n) {
    const agon_key key = agon_key_make((uint64_t)trial, "occupancy", AGON_FOR_TEST);
    return agon_below(agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0).word[0], n);
}

static agon_occupancy measure(const uint32_t* count, int agents, int features) {
    agon_occupancy o;
    assert_int_equal(agon_occupancy_measure(count, agents, features, &o), 0);
    return o;
}

/* Guards: two agents that never meet at a feature: J = ln 2, total variation 1, floors 0; the same
 * agent twice: all 0; one agent: only floors. */
static void extremes(void** unused) {
    const uint32_t apart[] = {3, 1, 0, 6, 2, 0, 0, 0, 5, 0, 0, 1};
    const uint32_t same[] = {3, 1, 6, 2, 3, 1, 6, 2}, halves[] = {4, 0, 0, 4};
    agon_occupancy o = measure(apart, 2, 3);
    assert_int_equal(o.agents, 2);
    assert_near(o.j, log(2), 1e-12);
    assert_near(o.j_floor, 0, 1e-12);
    assert_near(o.j_excess, log(2), 1e-12);
    assert_near(o.tv, 1, 1e-12);
    assert_near(o.tv_floor, 0, 1e-12);
    o = measure(same, 2, 2);
    assert_near(o.j, 0, 1e-12);
    assert_near(o.tv, 0, 1e-12);
    o = measure(halves, 1, 2);
    assert_true(o.j == 0 && o.tv == 0);
    assert_near(o.j_floor, log(2), 1e-12);
    assert_near(o.tv_floor, 1, 1e-12);
}

/* Guards: a case by hand. Visits (1, 1), (1, 1) against (2, 0), (2, 0): J = H(3/4, 1/4) - ln 2 / 2
 * and total variation 1/2. Doubling the games of one agent changes nothing: agents count alike. */
static void example_by_hand(void** unused) {
    const uint32_t count[] = {1, 1, 1, 1, 2, 0, 2, 0}, uneven[] = {1, 1, 1, 1, 9, 0, 9, 0};
    const double expected = -.75 * log(.75) - .25 * log(.25) - .5 * log(2);
    for (int k = 0; k < 2; k++) {
        const agon_occupancy o = measure(k ? uneven : count, 2, 2);
        assert_near(o.j, expected, 1e-12);
        assert_near(o.tv, .5, 1e-12);
        assert_near(o.j_floor, 0, 1e-12);
    }
    double jsd[4], tv[4];
    assert_int_equal(agon_occupancy_pairs(count, 2, 2, jsd, tv), 0);
    assert_near(jsd[1], expected, 1e-12);
    assert_near(tv[2], .5, 1e-12);
    assert_near(jsd[0], 0, 1e-12);
}

/* Guards: on random visits tv is the mean of the pairs, the floors are the means of their diagonal;
 * bounds; permuting agents or features changes nothing. */
static void linear_forms_equal_pairs(void** unused) {
    enum { N = 7, K = 9 };
    for (int trial = 0; trial < 50; trial++) {
        uint32_t count[N * 2 * K], turned[N * 2 * K];
        double jsd[N * N], tv[N * N], off = 0, floor_j = 0, floor_tv = 0;
        for (int i = 0; i < N * 2 * K; i++)
            count[i] = draw_of(trial, i, 0, 3) ? draw_of(trial, i, 1, 20) : 0;
        for (int i = 0; i < N; i++)
            count[i * 2 * K] += 1, count[(i * 2 + 1) * K] += 1;
        for (int i = 0; i < N * 2 * K; i++)
            turned[((N - 1 - i / (2 * K)) * 2 + i / K % 2) * K + (i % K + 3) % K] = count[i];
        assert_int_equal(agon_occupancy_pairs(count, N, K, jsd, tv), 0);
        for (int i = 0; i < N; i++) {
            floor_j += jsd[i * N + i] / N;
            floor_tv += tv[i * N + i] / N;
            for (int j = 0; j < N; j++) {
                off += i == j ? 0 : tv[i * N + j] / (N * (N - 1));
                assert_true(tv[i * N + j] == tv[j * N + i] && jsd[i * N + j] == jsd[j * N + i]);
                assert_true(jsd[i * N + j] >= 0 && jsd[i * N + j] <= log(2) + 1e-12);
                assert_true(jsd[i * N + j] <= tv[i * N + j] * log(2) + 1e-12);
            }
        }
        const agon_occupancy o = measure(count, N, K), t = measure(turned, N, K);
        assert_near(o.tv, off, 1e-12);
        assert_near(o.tv_floor, floor_tv, 1e-12);
        assert_near(o.j_floor, floor_j, 1e-12);
        assert_true(o.j >= 0 && o.j <= log(N));
        assert_near(t.j, o.j, 1e-12);
        assert_near(t.tv, o.tv, 1e-12);
        assert_near(t.j_floor, o.j_floor, 1e-12);
    }
}

/* n agents, m visits in each half, uniform over K features but for `own`, a chance to visit a
 * feature of its own instead. */
static void sample(uint32_t* count, int n, int m, int features, uint32_t own, int trial) {
    memset(count, 0, (size_t)n * 2 * features * sizeof *count);
    for (int half = 0; half < 2 * n; half++) {
        for (int v = 0; v < m; v++) {
            uint32_t x = draw_of(trial, half, v, (uint32_t)features);
            if (draw_of(trial, half, v + m, 100) < own)
                x = (uint32_t)(half / 2);
            count[half * features + x]++;
        }
    }
}

/* Guards: equal agents: J is its stated bias, the excess is 0 and tv its floor, up to noise; agents
 * with places of their own are well above. */
static void floors_hold(void** unused) {
    enum { N = 8, K = 16, M = 200, TRIALS = 40 };
    static uint32_t count[N * 2 * K];
    double j = 0, j_floor = 0, excess = 0, gap = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        sample(count, N, M, K, 0, trial);
        const agon_occupancy o = measure(count, N, K);
        j += o.j / TRIALS;
        j_floor += o.j_floor / TRIALS;
        excess += o.j_excess / TRIALS;
        gap += (o.tv - o.tv_floor) / TRIALS;
        sample(count, N, M, K, 30, trial);
        const agon_occupancy different = measure(count, N, K);
        assert_true(different.j_excess > .05 && different.tv > different.tv_floor + .1);
    }
    assert_near(j, (1 - 1. / N) * (K - 1) / (4. * M), .0015);
    assert_near(j_floor, (K - 1) / (4. * M), .0015);
    assert_near(excess, 0, .001);
    assert_near(gap, 0, .005);
}

/* Guards: agents without visits in a half are left out and NaN in pairs; nobody left: all NaN. */
static void agents_without_visits(void** unused) {
    const uint32_t count[] = {3, 1, 6, 2, 0, 0, 4, 4, 1, 3, 1, 3},
                   others[] = {3, 1, 6, 2, 1, 3, 1, 3};
    double jsd[9], tv[9];
    const agon_occupancy o = measure(count, 3, 2), p = measure(others, 2, 2);
    assert_int_equal(o.agents, 2);
    assert_true(o.j == p.j && o.tv == p.tv && o.j_floor == p.j_floor);
    assert_int_equal(agon_occupancy_pairs(count, 3, 2, jsd, tv), 0);
    assert_true(isnan(jsd[1]) && isnan(tv[4]) && isfinite(jsd[2]) && isfinite(tv[8]));
    const agon_occupancy none = measure(count + 4, 1, 2);
    assert_true(none.agents == 0 && isnan(none.j) && isnan(none.tv) && isnan(none.j_floor));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes),
        cmocka_unit_test(example_by_hand),
        cmocka_unit_test(linear_forms_equal_pairs),
        cmocka_unit_test(floors_hold),
        cmocka_unit_test(agents_without_visits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
