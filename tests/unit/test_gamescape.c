/* Promise: expected cardinality, the distance to a hull and its bound equal values of independent
 * programs; distances obey the optimality condition that only the nearest point has. */
#include "engine/metrics/gamescape.h"
#include "engine/metrics/hull.h"
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

static const double RPS[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
static const double TRN[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0};
static const double ADD[9] = {0, 1, 2, -1, 0, 1, -2, -1, 0};
static const double WRPS[9] = {0, -2, 1, 2, 0, -3, -1, 3, 0};
static const double RPSD[16] = {0, 1, -1, 1, -1, 0, 1, 1, 1, -1, 0, 1, -1, -1, -1, 0};
static const double DUP[16] = {0, 0, -1, 1, 0, 0, -1, 1, 1, 1, 0, -1, -1, -1, 1, 0};
static const double GEN4[16] = {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0};

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "gamescape", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return 2 * agon_uniform_double(draw.word[0], draw.word[1]) - 1;
}

static double cardinality(const double* a, int rows, int cols, int per_opponent) {
    double out = NAN;
    assert_int_equal(agon_gamescape_cardinality(a, rows, cols, per_opponent, &out), 0);
    return out;
}

static double distance(const double* points, int count, int width, const double* x,
                       double* weight) {
    double out = NAN;
    assert_int_equal(agon_hull_distance(points, count, width, x, &out, weight), 0);
    return out;
}

static double bound(const double* points, int count, int width, const double* x) {
    double out = NAN;
    assert_int_equal(agon_gamescape_response_bound(points, count, width, x, &out), 0);
    return out;
}

/* Guards: the values of the examples. */
static void cardinality_of_examples(void** unused) {
    assert_near(cardinality(RPS, 3, 3, 0), 1.5, 1e-12);
    assert_near(cardinality(TRN, 3, 3, 0), 1.5, 1e-12);
    assert_near(cardinality(RPSD, 4, 4, 0), 3, 1e-12);
    assert_near(cardinality(DUP, 4, 4, 0), 1.6666667, 1e-7);
    assert_near(cardinality(WRPS, 3, 3, 0), 1.8666667, 1e-7);
    assert_near(cardinality(ADD, 3, 3, 0), 12 / 7., 1e-12);
    assert_near(cardinality(GEN4, 4, 4, 0), 1.1884058, 1e-7);
    assert_near(cardinality(RPS, 3, 3, 1), 1, 1e-12); /* eigenvalues 3, 3, 0 over 3 */
}

/* Guards: at most the smaller side; the same for A and its transpose; not of the order of agents; a
 * copy of all opponents changes nothing per opponent; one agent. */
static void cardinality_of_random_tables(void** unused) {
    for (int trial = 0; trial < 60; trial++) {
        const int rows = 1 + trial % 7, cols = 1 + trial % 5;
        double a[7 * 5], t[7 * 5], turned[7 * 5], twice[7 * 10];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < cols; j++) {
                const double x = uniform(trial, i, j);
                a[i * cols + j] = t[j * rows + i] = turned[(rows - 1 - i) * cols + j] = x;
                twice[i * 2 * cols + j] = twice[i * 2 * cols + cols + j] = x;
            }
        }
        const double c = cardinality(a, rows, cols, 0), per = cardinality(a, rows, cols, 1);
        assert_true(c > 0 && c <= (rows < cols ? rows : cols));
        assert_near(c, cardinality(t, cols, rows, 0), 1e-12);
        assert_near(c, cardinality(turned, rows, cols, 0), 1e-12);
        assert_near(per, cardinality(twice, rows, 2 * cols, 1), 1e-12);
        assert_true(cardinality(twice, rows, 2 * cols, 0) >= c);
    }
    const double zero[1] = {0}, one[1] = {1};
    assert_true(cardinality(zero, 1, 1, 0) == 0);
    assert_near(cardinality(one, 1, 1, 0), .5, 1e-15);
}

/* Guards: scissors are far from rock and paper, and the bound is exact there; an average of the old
 * is at distance 0. */
static void response_diversity_of_examples(void** unused) {
    const double average[3] = {.5, -.5, 0}, point[2] = {3, 4}, corner[4] = {0, 0, 2, 0};
    double weight[2];
    assert_near(distance(RPS, 2, 3, RPS + 6, weight), 4.5, 1e-12);
    assert_near(weight[0], .5, 1e-12);
    assert_near(weight[1], .5, 1e-12);
    assert_near(bound(RPS, 2, 3, RPS + 6), 4.5, 1e-12);
    assert_near(distance(RPS, 2, 3, average, NULL), 0, 1e-12);
    assert_near(bound(RPS, 2, 3, average), 0, 1e-12);
    assert_near(distance(corner, 1, 2, point, weight), 25, 1e-12);
    assert_true(weight[0] == 1);
    assert_near(distance(corner, 2, 2, point, weight), 17, 1e-12); /* the end, not the line */
    assert_near(weight[1], 1, 1e-12);
    assert_true(distance(point, 1, 2, point, weight) == 0 && weight[0] == 1);
}

/* Points of one of five kinds: general; on a plane; few and doubled; nine decades; of +-1. */
static void random_points(double* p, int count, int width, int trial) {
    for (int k = 0; k < count; k++) {
        for (int d = 0; d < width; d++) {
            double x = uniform(trial, k, d);
            if (trial % 5 == 1 && d > 1)
                x = p[k * width] - 2 * p[k * width + 1];
            if (trial % 5 == 2)
                x = uniform(trial, k % 3, d);
            if (trial % 5 == 3)
                x *= exp(-floor(10 + 10 * uniform(trial, d, k)));
            if (trial % 5 == 4)
                x = x < 0 ? -1 : 1;
            p[k * width + d] = x;
        }
    }
}

/* Guards: on random points of all kinds, inside and outside the hull: the weights are a
 * distribution and give the distance; no point is further along (which proves it the nearest); the
 * closed form is not above; copies, and points of the hull, change nothing. */
static void distances_of_random_points(void** unused) {
    int inside = 0, outside = 0;
    for (int trial = 0; trial < 500; trial++) {
        const int count = 1 + trial % 23, width = 1 + trial % 9;
        double p[24 * 9], x[9], y[9] = {0}, weight[24], sum = 0, squared = 0, largest = 0;
        random_points(p, count, width, trial);
        for (int d = 0; d < width; d++)
            x[d] = trial % 2 ? .5 * uniform(trial, 99, d)
                             : .5 * p[d] + .5 * p[(count - 1) * width + d];
        const double got = distance(p, count, width, x, weight);
        for (int k = 0; k < count; k++) {
            double norm = 0;
            assert_true(weight[k] >= 0);
            sum += weight[k];
            for (int d = 0; d < width; d++) {
                y[d] += weight[k] * p[k * width + d];
                norm += (p[k * width + d] - x[d]) * (p[k * width + d] - x[d]);
            }
            largest = fmax(largest, norm);
        }
        assert_near(sum, 1, 1e-12);
        for (int d = 0; d < width; d++)
            squared += (y[d] - x[d]) * (y[d] - x[d]);
        assert_near(squared, got, 1e-12 * largest);
        for (int k = 0; k < count; k++) {
            double along = 0;
            for (int d = 0; d < width; d++)
                along += (p[k * width + d] - x[d]) * (y[d] - x[d]);
            assert_true(along >= squared - 1e-11 * largest);
        }
        assert_true(bound(p, count, width, x) <= got + 1e-9 * largest + 1e-28);
        for (int d = 0; d < width; d++)
            p[count * width + d] = .5 * p[d] + .5 * y[d];
        assert_near(distance(p, count + 1, width, x, NULL), got, 1e-11 * largest);
        inside += got <= 1e-12 * largest;
        outside += got > 1e-12 * largest;
        if (trial % 2 == 0)
            assert_near(got, 0, 1e-12 * largest);
    }
    assert_true(inside > 100 && outside > 100);
}

/* Guards: NaN and infinity are refused and nothing is written. */
static void bad_input_is_refused(void** unused) {
    const double bad[2][2] = {{0, NAN}, {INFINITY, 0}}, good[2] = {0, 1};
    double out = 7, weight[1] = {7};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(agon_gamescape_cardinality(bad[k], 1, 2, 0, &out), AGON_EINVALID);
        assert_int_equal(agon_gamescape_response_bound(bad[k], 1, 2, good, &out), AGON_EINVALID);
        assert_int_equal(agon_gamescape_response_bound(good, 1, 2, bad[k], &out), AGON_EINVALID);
        assert_int_equal(agon_hull_distance(bad[k], 1, 2, good, &out, weight), AGON_EINVALID);
        assert_int_equal(agon_hull_distance(good, 1, 2, bad[k], &out, weight), AGON_EINVALID);
    }
    assert_true(out == 7 && weight[0] == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cardinality_of_examples),
        cmocka_unit_test(cardinality_of_random_tables),
        cmocka_unit_test(response_diversity_of_examples),
        cmocka_unit_test(distances_of_random_points),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
