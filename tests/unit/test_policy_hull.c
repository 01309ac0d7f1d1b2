/* Promise: distances to the policy hull equal values of an independent program and a grid search,
 * with a certificate; mixtures are inside. */
#include "engine/metrics/policy_hull.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double ONE[] = {1};

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "hull", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

static agon_hull hull_of(const agon_behaviour* b, int agent, double* mixture) {
    agon_hull out;
    assert_int_equal(agon_policy_hull(b, agent, 1e-10, &out, mixture), 0);
    return out;
}

/* Guards: three hulls of one state: distance and mixture, 1e-6 (rows are float). */
static void examples(void** unused) {
    const float third = 1 / 3.f;
    const float inside[] = {third, third, third, .5f, .5f, 0, 0, .2f, .8f};
    const float corner[] = {.25f, .75f, 1, 0, 0, 1}, edge[] = {.5f, .5f, .9f, .1f, .8f, .2f};
    double mixture[3];
    const agon_behaviour first = {3, 1, 3, inside, ONE}, second = {3, 1, 2, corner, ONE},
                         third_one = {3, 1, 2, edge, ONE};
    agon_hull h = hull_of(&first, 0, mixture);
    assert_near(h.distance, .005018087, 1e-7);
    assert_near(mixture[1], .5954332, 1e-6);
    assert_near(mixture[2], .4045668, 1e-6);
    assert_true(mixture[0] == 0 && h.gap <= 1e-10);
    h = hull_of(&second, 0, mixture);
    assert_near(h.distance, 0, 1e-9);
    assert_near(mixture[1], .25, 1e-6);
    assert_near(mixture[2], .75, 1e-6);
    assert_true(isinf(h.nearest));
    h = hull_of(&third_one, 0, mixture);
    assert_near(h.distance, .2231435513, 1e-6);
    assert_near(h.nearest, .2231435513, 1e-6);
    assert_true(mixture[1] == 0 && mixture[2] == 1); /* the mixture is the one of the distance */
}

static void random_rows(float* p, int rows, int actions, int trial) {
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int a = 0; a < actions; a++)
            sum += p[r * actions + a] = (float)(.01 + pow(uniform(trial, r, a), 4));
        for (int a = 0; a < actions; a++)
            p[r * actions + a] /= (float)sum;
    }
}

/* D at a mixture x, 1 - x of agents 1 and 2. */
static double divergence_at(const agon_behaviour* b, double x) {
    double sum = 0;
    const int size = b->states * b->actions;
    for (int c = 0; c < size; c++) {
        const double p = b->probability[c];
        const double q = x * b->probability[size + c] + (1 - x) * b->probability[2 * size + c];
        sum += b->weight[c / b->actions] * p * log(p / q);
    }
    return sum;
}

/* Guards: two others over several states: no point of a fine grid is better, and none by more than
 * the gap says; the nearest member is an end of the grid. */
static void two_others_against_a_grid(void** unused) {
    for (int trial = 0; trial < 100; trial++) {
        float p[3 * 4 * 3];
        const double weight[] = {.1, .2, .3, .4};
        const agon_behaviour b = {3, 4, 3, p, weight};
        random_rows(p, 12, 3, trial);
        const agon_hull h = hull_of(&b, 0, NULL);
        double best = INFINITY;
        for (int k = 0; k <= 2000; k++)
            best = fmin(best, divergence_at(&b, k / 2000.));
        assert_true(h.distance <= best + 1e-6);
        assert_near(h.distance, best, 1e-5);
        assert_near(h.nearest, fmin(divergence_at(&b, 0), divergence_at(&b, 1)), 1e-6);
    }
}

/* Guards: random populations: 0 <= distance <= nearest; the gap is certified; another copy of a
 * member, and another order, change nothing; a mixture of members is at distance 0. */
static void random_populations(void** unused) {
    enum { N = 8, S = 6, A = 4, SIZE = S * A };
    for (int trial = 0; trial < 60; trial++) {
        float p[(N + 1) * SIZE], turned[N * SIZE];
        double weight[S], mixture[N + 1], sum = 0;
        random_rows(p, N * S, A, trial);
        for (int s = 0; s < S; s++)
            weight[s] = 1. / S;
        memcpy(p + N * SIZE, p + 3 * SIZE, SIZE * sizeof *p);
        for (int i = 0; i < N; i++)
            memcpy(turned + (N - 1 - i) * SIZE, p + i * SIZE, SIZE * sizeof *p);
        const agon_behaviour b = {N, S, A, p, weight}, copied = {N + 1, S, A, p, weight},
                             other = {N, S, A, turned, weight};
        const agon_hull h = hull_of(&b, 0, mixture);
        assert_true(h.distance >= 0 && h.distance <= h.nearest && h.gap <= 1e-7);
        for (int k = 0; k < N; k++)
            sum += mixture[k];
        assert_near(sum, 1, 1e-12);
        assert_near(hull_of(&copied, 0, mixture).distance, h.distance, 2e-7);
        assert_near(hull_of(&other, N - 1, NULL).distance, h.distance, 2e-7);
        for (int c = 0; c < SIZE; c++) /* agent 0 becomes a re-mix */
            p[c] = .2f * p[SIZE + c] + .5f * p[2 * SIZE + c] + .3f * p[5 * SIZE + c];
        assert_near(hull_of(&b, 0, NULL).distance, 0, 1e-6);
        assert_true(hull_of(&copied, 3, NULL).distance == 0); /* its copy is there */
    }
}

/* Guards: what nobody else does is infinitely far, in one state of many too unless its weight is 0;
 * actions that the target never takes cost nothing; one agent: NaN. */
static void zeros(void** unused) {
    const float p[] = {.5f, .5f, 0, 1, 0, 0, .5f, .5f, 0, 0, 1, 0};
    const double half[] = {.5, .5}, first[] = {1, 0};
    double mixture[2];
    agon_behaviour b = {2, 2, 3, p, half};
    agon_hull h = hull_of(&b, 0, mixture);
    assert_true(isinf(h.distance) && isnan(h.gap) && isinf(h.nearest) && isnan(mixture[1]));
    b.weight = first;
    h = hull_of(&b, 0, mixture);
    assert_true(h.distance == 0 && mixture[1] == 1);
    const float wider[] = {1, 0, .25f, .75f};
    const agon_behaviour c = {2, 1, 2, wider, ONE};
    assert_near(hull_of(&c, 0, NULL).distance, log(4), 1e-9);
    const agon_behaviour alone = {1, 1, 2, wider, ONE};
    h = hull_of(&alone, 0, mixture);
    assert_true(isnan(h.distance) && isnan(h.nearest) && isnan(h.gap) && isnan(mixture[0]));
}

/* Guards: rows and weights that are no distributions are refused, output untouched. */
static void bad_input_is_refused(void** unused) {
    const float bad[][4] = {{NAN, 1, .5f, .5f}, {1, 0, -.5f, 1.5f}, {.5f, .4f, 1, 0}};
    const float good[] = {1, 0, 0, 1};
    const double light[] = {.9}, unknown[] = {NAN};
    agon_hull out = {7, 7, 7};
    for (int k = 0; k < 3; k++) {
        const agon_behaviour b = {2, 1, 2, bad[k], ONE};
        assert_int_equal(agon_policy_hull(&b, 0, 0, &out, NULL), AGON_EINVALID);
    }
    const agon_behaviour b = {2, 1, 2, good, light}, c = {2, 1, 2, good, unknown};
    assert_int_equal(agon_policy_hull(&b, 0, 0, &out, NULL), AGON_EINVALID);
    assert_int_equal(agon_policy_hull(&c, 0, 0, &out, NULL), AGON_EINVALID);
    assert_true(out.distance == 7 && out.gap == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(two_others_against_a_grid),
        cmocka_unit_test(random_populations),
        cmocka_unit_test(zeros),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
