/* Promise: determinants and nearest neighbours of points equal values of an independent program,
 * duplicates count as they should, and subsets are functions of their key. */
#include "engine/metrics/novelty.h"
#include "engine/metrics/subset.h"
#include "engine/metrics/summary.h"
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

static agon_key key_of(int trial) {
    return agon_key_make((uint64_t)trial, "novelty", AGON_FOR_TEST);
}

static float uniform(int trial, int i, int j) {
    return agon_uniform(agon_random(key_of(trial), (uint32_t)i, (uint32_t)j, 0, 0).word[0]);
}

static agon_dvd dvd(const float* x, int n, int d, double length) {
    double distance[32 * 32];
    const agon_points p = {n, d, x, NULL};
    agon_dvd out;
    assert_int_equal(agon_novelty_distances(&p, distance), 0);
    assert_int_equal(agon_novelty_dvd(distance, n, length, &out), 0);
    return out;
}

static void nearest(const float* x, int n, int d, int k, double* out) {
    const agon_points p = {n, d, x, NULL};
    assert_int_equal(agon_novelty_nearest(&p, k, NULL, n, out, NULL), 0);
}

/* Guards: two and three corners of the unit square, length 1. */
static void determinants_of_examples(void** unused) {
    const float corners[] = {0, 0, 1, 0, 0, 1};
    agon_dvd two = dvd(corners, 2, 2, 1), three = dvd(corners, 3, 2, 1);
    assert_near(two.determinant, .6321205588, 1e-10);
    assert_near(three.determinant, .3995764009, 1e-10);
    assert_near(3 * three.log_determinant, -.9173502908, 1e-10);
    assert_true(two.jitter == 0 && three.jitter == 0 && two.length == 1);
}

/* Guards: one agent; duplicates bring the jitter and a determinant of about 0; all equal: no
 * length; near duplicates do not score below duplicates. */
static void duplicates_are_singular(void** unused) {
    const float x[] = {0, 0, 1, 0, 1, 0}, same[] = {2, 2, 2}, near[] = {0, 0, 1, 0, 1, 1e-5f};
    const agon_dvd one = dvd(x, 1, 2, 1), copy = dvd(x, 3, 2, 1), equal = dvd(same, 3, 1, NAN);
    assert_true(one.determinant == 1 && one.log_determinant == 0 && one.jitter == 0);
    assert_true(copy.jitter == 1e-6 && copy.determinant > 0 && copy.determinant < 3e-6);
    assert_near(copy.log_determinant, log(2e-6 * .6321205588) / 3, 1e-5);
    assert_true(isnan(equal.length) && equal.jitter == 1e-6);
    assert_near(equal.log_determinant, (log(3) + 2 * log(1e-6)) / 3, 1e-6);
    const agon_dvd close = dvd(near, 3, 2, 1);
    assert_true(close.jitter == 1e-6 && close.log_determinant >= copy.log_determinant - 1e-9);
}

/* Guards: on random points the determinant is in [0, 1], ignores the order of agents, shifts and
 * turns, and falls with every agent; the median heuristic makes it free of scale. */
static void determinants_behave(void** unused) {
    for (int trial = 0; trial < 50; trial++) {
        const int n = 2 + trial % 15;
        float x[16 * 3], y[16 * 3], wide[16 * 3];
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < 3; c++)
                x[3 * i + c] = 3 * uniform(trial, i, c);
            const float* p = x + 3 * i;
            float* q = y + 3 * (n - 1 - i); /* turned by a rotation with exact entries .6, .8 */
            q[0] = .6f * p[0] - .8f * p[1] + 5;
            q[1] = .8f * p[0] + .6f * p[1];
            q[2] = -p[2];
            for (int c = 0; c < 3; c++)
                wide[3 * i + c] = 64 * p[c];
        }
        const agon_dvd a = dvd(x, n, 3, .5), b = dvd(y, n, 3, .5);
        assert_true(a.determinant >= 0 && a.determinant <= 1 && a.log_determinant <= 0);
        assert_near(b.log_determinant, a.log_determinant, 1e-4);
        if (n > 2 && a.jitter == 0)
            assert_true(a.determinant <= dvd(x, n - 1, 3, .5).determinant + 1e-12);
        const agon_dvd m = dvd(x, n, 3, NAN), w = dvd(wide, n, 3, NAN);
        assert_near(w.length, 64 * m.length, 1e-9);
        assert_near(w.log_determinant, m.log_determinant, 1e-9);
    }
}

/* Guards: points 0, 1, 3, 7 on a line with k = 1, 2; k too large is n - 1; one point is NaN. */
static void neighbours_of_an_example(void** unused) {
    const float x[] = {0, 1, 3, 7};
    const double first[] = {1, 1, 2, 4}, second[] = {2, 1.5, 2.5, 5};
    double one[4], two[4], three[4], many[4];
    nearest(x, 4, 1, 1, one);
    nearest(x, 4, 1, 2, two);
    nearest(x, 4, 1, 3, three);
    nearest(x, 4, 1, 15, many);
    for (int i = 0; i < 4; i++) {
        assert_near(one[i], first[i], 1e-12);
        assert_near(two[i], second[i], 1e-12);
        assert_true(three[i] == many[i]);
    }
    nearest(x, 1, 1, 15, one);
    assert_true(isnan(one[0]));
}

/* Guards: a duplicate is a neighbour at distance 0, the point itself is none; an archive counts
 * without being asked about; scale weights coordinates; long rows equal a plain sum. */
static void neighbours_count_duplicates(void** unused) {
    const float x[] = {0, 0, 0, 5, 9};
    const int query[] = {3, 0};
    double out[5];
    nearest(x, 5, 1, 1, out);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0 && out[3] == 4 && out[4] == 4);
    nearest(x, 5, 1, 3, out);
    assert_near(out[0], 5 / 3., 1e-12);
    const agon_points p = {5, 1, x, NULL};
    assert_int_equal(agon_novelty_nearest(&p, 2, query, 2, out, out + 2), 0);
    assert_near(out[0], 4.5, 1e-12);
    assert_true(out[1] == 0 && out[2] == 4 && out[3] == 0);
    enum { D = 37 };
    float rows[2 * D];
    double scale[D], distance[4], sum = 0;
    for (int c = 0; c < D; c++) {
        rows[c] = uniform(1, 0, c);
        rows[D + c] = uniform(1, 1, c);
        scale[c] = c % 3;
        sum += scale[c] * ((double)rows[c] - rows[D + c]) * ((double)rows[c] - rows[D + c]);
    }
    const agon_points q = {2, D, rows, scale};
    assert_int_equal(agon_novelty_distances(&q, distance), 0);
    assert_near(distance[1], sqrt(sum), 1e-12);
    assert_true(distance[1] == distance[2] && distance[0] == 0);
}

/* Guards: more queries than one pass answers equal the mean of sorted distances. */
static void many_queries(void** unused) {
    enum { N = 50, K = 7 };
    float x[N * 2];
    double distance[N * N], mean[N], first[N], other[N];
    for (int i = 0; i < N * 2; i++)
        x[i] = uniform(2, i, 0);
    const agon_points p = {N, 2, x, NULL};
    assert_int_equal(agon_novelty_distances(&p, distance), 0);
    assert_int_equal(agon_novelty_nearest(&p, K, NULL, N, mean, first), 0);
    for (int i = 0; i < N; i++) {
        int count = 0;
        for (int j = 0; j < N; j++) {
            if (j != i)
                other[count++] = distance[i * N + j];
        }
        agon_summary_sort(other, count);
        assert_near(mean[i], agon_summary_mean(other, K), 1e-12);
        assert_near(first[i], other[0], 1e-15);
    }
}

/* Guards: the median is of the distances above 0, and NaN without any. */
static void medians(void** unused) {
    const double d[] = {0, 0, 1, 0, 0, 3, 1, 3, 0}, none[] = {0, 0, 0, 0};
    double out;
    assert_int_equal(agon_novelty_median(d, 3, &out), 0);
    assert_near(out, 2, 1e-15);
    assert_int_equal(agon_novelty_median(none, 2, &out), 0);
    assert_true(isnan(out));
}

/* Guards: numbers that are not finite are refused, and distances that no points have; outputs
 * untouched. */
static void bad_input_is_refused(void** unused) {
    const double scales[] = {NAN, -1, INFINITY};
    agon_dvd out = {.length = 7};
    double value = 7;
    for (int k = 0; k < 3; k++) {
        const float x[] = {0, k == 0 ? NAN : INFINITY}, good[] = {0, 1};
        const agon_points p = {2, 1, x, NULL}, q = {2, 1, good, &scales[k]};
        assert_int_equal(agon_novelty_nearest(&p, 1, NULL, 1, &value, NULL), AGON_EINVALID);
        assert_int_equal(agon_novelty_nearest(&q, 1, NULL, 1, &value, NULL), AGON_EINVALID);
        const double d[] = {0, scales[k], scales[k], 0};
        assert_int_equal(agon_novelty_dvd(d, 2, 1, &out), AGON_EINVALID);
        assert_int_equal(agon_novelty_median(d, 2, &value), AGON_EINVALID);
    }
    const double impossible[] = {0, .01, .01, .01, 0, 9, .01, 9, 0};
    assert_int_equal(agon_novelty_dvd(impossible, 3, 1, &out), AGON_EINVALID);
    assert_true(out.length == 7 && value == 7);
}

/* Guards: a subset is ascending, without repetition, the same for the same key, another for
 * another, all of them when there are few; each agent is drawn about as often. */
static void subsets(void** unused) {
    int member[10], again[10], drawn[40] = {0};
    for (int trial = 0; trial < 2000; trial++) {
        assert_int_equal(agon_subset_draw(40, 10, key_of(trial), member), 10);
        assert_int_equal(agon_subset_draw(40, 10, key_of(trial), again), 10);
        assert_memory_equal(member, again, sizeof member);
        for (int i = 0; i < 10; i++) {
            assert_true(member[i] >= 0 && member[i] < 40 && (i == 0 || member[i] > member[i - 1]));
            drawn[member[i]]++;
        }
    }
    for (int i = 0; i < 40; i++)
        assert_true(drawn[i] >= 400 && drawn[i] <= 600);
    assert_int_equal(agon_subset_draw(4, 10, key_of(0), member), 4);
    assert_true(member[0] == 0 && member[3] == 3);
    const float rows[] = {1, 0, .5f, .5f, 0, 1};
    const double weight[] = {1};
    const agon_behaviour b = {3, 1, 2, rows, weight};
    const int some[] = {0, 2};
    float kept[4];
    const agon_behaviour c = agon_subset_behaviour(&b, some, 2, kept);
    assert_true(c.agents == 2 && c.probability[1] == 0 && c.probability[3] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(determinants_of_examples),
        cmocka_unit_test(duplicates_are_singular),
        cmocka_unit_test(determinants_behave),
        cmocka_unit_test(neighbours_of_an_example),
        cmocka_unit_test(neighbours_count_duplicates),
        cmocka_unit_test(many_queries),
        cmocka_unit_test(medians),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(subsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
