/* Promise: planes rebuild their matrix, their strengths are its eigenvalues, and the picture is a
 * function of the matrix: turned in one way, never mirrored. */
#include "engine/metrics/cycle_planes.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double RPS[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
static const double GEN4[16] = {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0};

static double uniform(int trial, int i, int j) {
    agon_draw d = agon_random((agon_key){{8, (uint32_t)trial}}, (uint32_t)i, (uint32_t)j, 0, 0);
    return 2 * agon_uniform_double(d.word[0], d.word[1]) - 1;
}

static double* array(size_t count) {
    double* a = calloc(count, sizeof *a);
    assert_non_null(a);
    return a;
}

/* Random entries between the pairs; of rank 2 * planes when planes > 0. */
static void fill(double* a, int n, int planes, int trial) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            double x = i < j ? uniform(trial, i, j) : -uniform(trial, j, i);
            for (int k = 0; k < planes; k++) {
                double turn = uniform(trial, i, 2 * k) * uniform(trial, j, 2 * k + 1) -
                              uniform(trial, i, 2 * k + 1) * uniform(trial, j, 2 * k);
                x = k ? x + turn : turn;
            }
            a[i * n + j] = i == j ? 0 : x;
        }
    }
}

/* Largest |A - sum of planes|, and departure from orthogonal vectors of length sqrt(omega). */
static double misfit(const double* a, int n, const double* omega, const double* point) {
    double worst = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n / 2; k++) {
                const double *p = point + (k * n + i) * 2, *q = point + (k * n + j) * 2;
                sum += p[0] * q[1] - p[1] * q[0];
            }
            worst = fmax(worst, fabs(sum - a[i * n + j]));
        }
    }
    for (int s = 0; s < n / 2 * 2; s++) {
        for (int t = 0; t <= s; t++) {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += point[(s / 2 * n + i) * 2 + s % 2] * point[(t / 2 * n + i) * 2 + t % 2];
            worst = fmax(worst, fabs(sum - (s == t ? omega[s / 2] : 0)));
        }
    }
    return worst;
}

/* Guards: rock, paper, scissors won with chance 3/4: one plane of strength sqrt(3) ln 3, agents a
 * third of a turn apart; from logits, and from counts of wins by the half-point rule. */
static void rock_paper_scissors(void** unused) {
    double logit[9], omega[1], point[6], radius = log(3) / sin(2 * acos(-1) / 3);
    for (int i = 0; i < 9; i++)
        logit[i] = log(3) * RPS[i];
    assert_int_equal(agon_cycle_planes(logit, 3, 1, omega, point), 0);
    assert_near(omega[0], 1.9028523018, 1e-9);
    assert_near(radius, 1.2685682012, 1e-9);
    for (int i = 0; i < 3; i++)
        assert_near(point[2 * i] * point[2 * i] + point[2 * i + 1] * point[2 * i + 1], radius,
                    1e-12);
    assert_near(point[0], sqrt(radius), 1e-12);
    assert_true(point[1] == 0);
    /* Rock beats scissors: scissors lie counterclockwise, paper clockwise. */
    assert_near(point[5], sqrt(radius) * sin(2 * acos(-1) / 3), 1e-12);
    assert_near(point[3], -point[5], 1e-12);
    const double wins[9] = {NAN, 1, 4, 4, NAN, 1, 1, 4, NAN};
    assert_int_equal(agon_cycle_logits(wins, 3, logit), 0);
    for (int i = 0; i < 9; i++)
        assert_near(logit[i], log(3) * RPS[i], 1e-12);
}

/* Guards: GEN4 as logits, additive part left in. */
static void four_of_no_pattern(void** unused) {
    double omega[2], point[16];
    assert_int_equal(agon_cycle_planes(GEN4, 4, 2, omega, point), 0);
    assert_near(omega[0], .819666081, 1e-9);
    assert_near(omega[1], .488003602, 1e-9);
    assert_near(misfit(GEN4, 4, omega, point), 0, 1e-14);
}

/* Guards: random matrices of full and of low rank, odd and even, tiny and large entries: planes
 * rebuild the matrix with orthogonal vectors, strengths fall, energies add up. */
static void rebuild(void** unused) {
    const int sizes[] = {2, 3, 4, 5, 8, 13, 24, 41};
    for (int trial = 0; trial < 160; trial++) {
        const int n = sizes[trial % 8], planes = trial / 8 % 3;
        const double scale = trial % 5 == 0 ? 1e-60 : trial % 7 == 0 ? 1e60 : 1;
        double *a = array((size_t)n * n), *omega = array((size_t)n / 2);
        double* point = array((size_t)n / 2 * n * 2);
        fill(a, n, planes, trial);
        double energy = 0, sum = 0;
        for (int i = 0; i < n * n; i++) {
            energy += a[i] * a[i];
            a[i] *= scale;
        }
        assert_int_equal(agon_cycle_planes(a, n, n / 2, omega, point), 0);
        assert_true(misfit(a, n, omega, point) <= 1e-13 * n * scale);
        for (int k = 0; k < n / 2; k++) {
            sum += 2 * omega[k] / scale * omega[k] / scale;
            assert_true(omega[k] >= 0 && (k == 0 || omega[k] <= omega[k - 1]));
            if (planes > 0 && k >= planes)
                assert_true(omega[k] <= 1e-13 * omega[0]);
        }
        assert_near(sum, energy, 1e-12 * energy);
        free(a);
        free(omega);
        free(point);
    }
}

/* Guards: equal strengths (two copies of one cycle that do not meet): planes still orthogonal and
 * complete. Matrices of 0, and of one agent. */
static void degenerate(void** unused) {
    double a[36] = {0}, omega[3], point[36];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            a[i * 6 + j] = a[(i + 3) * 6 + j + 3] = RPS[i * 3 + j];
    }
    assert_int_equal(agon_cycle_planes(a, 6, 3, omega, point), 0);
    assert_near(omega[0], sqrt(3), 1e-14);
    assert_near(omega[1], sqrt(3), 1e-14);
    assert_near(omega[2], 0, 1e-14);
    assert_near(misfit(a, 6, omega, point), 0, 1e-13);
    const double zero[9] = {0};
    assert_int_equal(agon_cycle_planes(zero, 3, 1, omega, point), 0);
    assert_true(omega[0] == 0 && point[0] == 0 && point[5] == 0);
    assert_int_equal(agon_cycle_planes(zero, 1, 0, NULL, NULL), 0);
}

/* Guards: other names, the same picture: permuting agents permutes points; the transposed matrix is
 * the mirror image. */
static void permuted(void** unused) {
    enum { N = 9 };
    double a[N * N], b[N * N], omega[N / 2], other[N / 2], p[N / 2 * N * 2], q[N / 2 * N * 2];
    for (int trial = 0; trial < 20; trial++) {
        uint32_t order[N];
        fill(a, N, 0, 500 + trial);
        agon_shuffle((agon_key){{1, 1}}, (uint32_t)trial, order, N);
        for (int i = 0; i < N * N; i++)
            b[i] = a[order[i / N] * N + order[i % N]];
        assert_int_equal(agon_cycle_planes(a, N, N / 2, omega, p), 0);
        assert_int_equal(agon_cycle_planes(b, N, N / 2, other, q), 0);
        for (int k = 0; k < N / 2; k++) {
            assert_near(omega[k], other[k], 1e-13);
            for (int i = 0; i < 2 * N; i++)
                assert_near(q[k * 2 * N + i], p[k * 2 * N + 2 * order[i / 2] + i % 2], 1e-9);
        }
        for (int i = 0; i < N * N; i++)
            b[i] = -a[i];
        assert_int_equal(agon_cycle_planes(b, N, 1, other, q), 0);
        for (int i = 0; i < N; i++) {
            assert_near(q[2 * i], p[2 * i], 1e-9);
            assert_near(q[2 * i + 1], -p[2 * i + 1], 1e-9);
        }
    }
}

/* Guards: the rest has rows that add up to 0, ladders leave nothing, the strength is the mean gain;
 * in place. */
static void additive_part(void** unused) {
    const double ladder[9] = {0, 1, 2, -1, 0, 1, -2, -1, 0};
    double rest[16], strength[4], omega[2], point[8];
    assert_int_equal(agon_cycle_rest(ladder, 3, strength, rest), 0);
    for (int i = 0; i < 9; i++)
        assert_near(rest[i], 0, 1e-15);
    assert_near(strength[0], 1, 1e-15);
    assert_int_equal(agon_cycle_rest(GEN4, 4, strength, rest), 0);
    for (int i = 0; i < 4; i++) {
        assert_near(rest[4 * i] + rest[4 * i + 1] + rest[4 * i + 2] + rest[4 * i + 3], 0, 1e-15);
        for (int j = 0; j < 4; j++)
            assert_near(rest[4 * i + j] + strength[i] - strength[j], GEN4[4 * i + j], 1e-15);
    }
    /* 57 / 91 of GEN4's energy is cyclic (payoff.h's vector). */
    assert_int_equal(agon_cycle_planes(rest, 4, 1, omega, point), 0);
    double energy = 0;
    for (int i = 0; i < 16; i++)
        energy += GEN4[i] * GEN4[i];
    assert_near(2 * (omega[0] * omega[0] + omega[1] * omega[1]) / energy, 57 / 91., 1e-12);
    assert_int_equal(agon_cycle_rest(rest, 4, NULL, rest), 0);
}

/* Guards: what is not antisymmetric or not finite is refused and nothing is written. */
static void refused(void** unused) {
    const double nan[4] = {0, NAN, NAN, 0}, skew[4] = {0, 1, -.9, 0}, diagonal[1] = {1};
    const double wins[4] = {0, -1, 1, 0}, missing[4] = {0, NAN, 1, 0};
    double omega[1] = {7}, point[4] = {7}, rest[4] = {7};
    assert_int_equal(agon_cycle_planes(nan, 2, 1, omega, point), AGON_EINVALID);
    assert_int_equal(agon_cycle_planes(skew, 2, 1, omega, point), AGON_EINVALID);
    assert_int_equal(agon_cycle_planes(diagonal, 1, 0, NULL, NULL), AGON_EINVALID);
    assert_int_equal(agon_cycle_rest(skew, 2, NULL, rest), AGON_EINVALID);
    assert_int_equal(agon_cycle_logits(wins, 2, rest), AGON_EINVALID);
    assert_int_equal(agon_cycle_logits(missing, 2, rest), AGON_EINVALID);
    assert_true(omega[0] == 7 && point[0] == 7 && rest[0] == 7);
}

/* Guards: a matrix whose last plane is rounding alone (what a subtracted ladder leaves) is no
 * reason to give up. */
static void rounding_is_no_plane(void** unused) {
    for (int trial = 0; trial < 500; trial++) {
        double a[36], rest[36], omega[3], point[36];
        fill(a, 6, 0, 1000 + trial);
        assert_int_equal(agon_cycle_rest(a, 6, NULL, rest), 0);
        assert_int_equal(agon_cycle_planes(rest, 6, 3, omega, point), 0);
        assert_true(omega[0] >= omega[1] && omega[1] >= omega[2] && omega[2] >= 0);
        assert_near(misfit(rest, 6, omega, point), 0, 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rock_paper_scissors),
        cmocka_unit_test(four_of_no_pattern),
        cmocka_unit_test(rebuild),
        cmocka_unit_test(degenerate),
        cmocka_unit_test(permuted),
        cmocka_unit_test(additive_part),
        cmocka_unit_test(refused),
        cmocka_unit_test(rounding_is_no_plane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
