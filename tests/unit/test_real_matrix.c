/* Promise: eigenvalues, solve and inverse are as good as LAPACK's, and bad input neither hangs nor
 * passes for a result. */
#include "engine/metrics/real_matrix.h"
#include "games/random.h"

#include <lapacke.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int SIZES[] = {1, 2, 3, 5, 8, 17, 64, 128};
#define SIZE_COUNT (sizeof SIZES / sizeof SIZES[0])

/* Uniform in [-1, 1). */
static double noise(int stream, int i, int j) {
    agon_key key = agon_key_make(1, "matrix", AGON_FOR_TEST);
    agon_draw draw = agon_random(key, (uint32_t)stream, (uint32_t)i, (uint32_t)j, 0);
    return 2 * agon_uniform_double(draw.word[0], draw.word[1]) - 1;
}

static double* square(int n) {
    double* a = calloc((size_t)n * n, sizeof *a);
    assert_non_null(a);
    return a;
}

static double* symmetric(int n) {
    double* a = square(n);
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++)
            a[i * n + j] = a[j * n + i] = noise(n, i, j);
    }
    return a;
}

/* Guards: Jacobi equals LAPACK's dsyev on random symmetric matrices. */
static void eigenvalues_equal_lapack(void** unused) {
    for (size_t k = 0; k < SIZE_COUNT; k++) {
        int n = SIZES[k];
        double *a = symmetric(n), *work = square(n), *ours = square(n), *theirs = square(n);
        agon_matrix_eigenvalues(a, n, ours, work);
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', n, a, n, theirs), 0);
        for (int i = 0; i < n; i++)
            assert_true(fabs(ours[i] - theirs[i]) < 1e-13 * n);
        free(a);
        free(work);
        free(ours);
        free(theirs);
    }
}

/* Guards: known spectra, with repeated and zero eigenvalues: all ones (0, ..., 0, n), identity. */
static void eigenvalues_of_degenerate_matrices(void** unused) {
    enum { N = 20 };
    double a[N * N], work[N * N], out[N];
    for (int i = 0; i < N * N; i++)
        a[i] = 1;
    agon_matrix_eigenvalues(a, N, out, work);
    for (int i = 0; i < N; i++)
        assert_true(fabs(out[i] - (i == N - 1 ? N : 0)) < 1e-13);
    for (int i = 0; i < N * N; i++)
        a[i] = i % (N + 1) == 0;
    agon_matrix_eigenvalues(a, N, out, a); /* work may be the matrix */
    for (int i = 0; i < N; i++)
        assert_true(out[i] == 1);
    memset(a, 0, sizeof a);
    agon_matrix_eigenvalues(a, N, out, work);
    for (int i = 0; i < N; i++)
        assert_true(out[i] == 0);
}

/* Guards: elimination equals LAPACK's dgesv, also when the first pivot is 0. */
static void solutions_equal_lapack(void** unused) {
    for (size_t k = 0; k < SIZE_COUNT; k++) {
        int n = SIZES[k], pivots[128];
        double *a = square(n), *copy = square(n), *x = square(n), *y = square(n);
        for (int i = 0; i < n; i++) {
            x[i] = y[i] = noise(200 + n, i, n);
            for (int j = 0; j < n; j++)
                a[i * n + j] = copy[i * n + j] = n > 1 && i + j == 0 ? 0 : noise(100 + n, i, j);
        }
        assert_int_equal(agon_matrix_solve(a, x, n), 0);
        assert_int_equal(LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, copy, n, pivots, y, 1), 0);
        for (int i = 0; i < n; i++)
            assert_true(fabs(x[i] - y[i]) < 1e-10 * (1 + fabs(y[i])));
        free(a);
        free(copy);
        free(x);
        free(y);
    }
}

/* Guards: A times its inverse is the identity, for A = B B' + I. */
static void inverse_is_inverse(void** unused) {
    for (size_t k = 0; k < SIZE_COUNT; k++) {
        int n = SIZES[k];
        double *b = symmetric(n), *a = square(n), *inverse = square(n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = i == j;
                for (int l = 0; l < n; l++)
                    sum += b[i * n + l] * b[j * n + l];
                a[i * n + j] = inverse[i * n + j] = sum;
            }
        }
        assert_int_equal(agon_matrix_invert(inverse, n), 0);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < n; l++)
                    sum += a[i * n + l] * inverse[l * n + j];
                assert_true(fabs(sum - (i == j)) < 1e-11);
                assert_true(inverse[i * n + j] == inverse[j * n + i]);
            }
        }
        free(b);
        free(a);
        free(inverse);
    }
}

/* Guards: singular, indefinite and NaN matrices are told, and nothing hangs. */
static void bad_matrices_are_told(void** unused) {
    double out[2], work[4], b[2] = {1, 1};
    double singular[4] = {1, 2, 2, 4}, indefinite[4] = {1, 2, 2, 1};
    double nan_solve[4] = {NAN, 0, 0, 1}, nan_invert[4] = {NAN, 0, 0, 1};
    double nan_eigen[4] = {1, NAN, NAN, 1}, infinite[4] = {1, INFINITY, INFINITY, 1};
    assert_int_equal(agon_matrix_solve(singular, b, 2), -1);
    assert_int_equal(agon_matrix_solve(nan_solve, b, 2), -1);
    assert_int_equal(agon_matrix_invert(indefinite, 2), -1);
    assert_int_equal(agon_matrix_invert(nan_invert, 2), -1);
    agon_matrix_eigenvalues(nan_eigen, 2, out, work);
    assert_true(isnan(out[0]) && isnan(out[1]));
    agon_matrix_eigenvalues(infinite, 2, out, work);
    assert_true(isnan(out[0]) && isnan(out[1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_equal_lapack),
        cmocka_unit_test(eigenvalues_of_degenerate_matrices),
        cmocka_unit_test(solutions_equal_lapack),
        cmocka_unit_test(inverse_is_inverse),
        cmocka_unit_test(bad_matrices_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
