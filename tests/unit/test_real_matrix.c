/* Promise: eigenvalues, singular values, solve and inverse are as good as LAPACK's, and bad input
 * neither hangs nor passes for a result. */
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

/* With the four rows more that agon_matrix_eigen works in. */
static double* square(int n) {
    double* a = calloc((size_t)n * (n + 4), sizeof *a);
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

/* Largest error of a v_k = l_k v_k and of v_k v_l = (k == l), and whether signs are as promised. */
static double eigen_error(const double* a, const double* values, const double* vectors, int n) {
    double worst = 0;
    for (int k = 0; k < n; k++) {
        const double* v = vectors + k * n;
        int largest = 0;
        for (int i = 0; i < n; i++) {
            double image = 0, product = 0;
            for (int j = 0; j < n; j++) {
                image += a[i * n + j] * v[j];
                product += vectors[i * n + j] * v[j];
            }
            worst = fmax(worst, fabs(image - values[k] * v[i]));
            worst = fmax(worst, fabs(product - (i == k)));
            largest = fabs(v[i]) > fabs(v[largest]) ? i : largest;
        }
        assert_true(v[largest] > 0);
    }
    return worst;
}

/* Guards: eigenvalues equal LAPACK's dsyev on random symmetric matrices, the same bytes with and
 * without vectors; the vectors are what they should be. */
static void eigenvalues_equal_lapack(void** unused) {
    for (size_t k = 0; k < SIZE_COUNT; k++) {
        int n = SIZES[k];
        double *a = symmetric(n), *work = square(n), *ours = square(n), *theirs = square(n),
               *vectors = square(n), *again = square(n);
        assert_int_equal(agon_matrix_eigen(a, n, ours, NULL, work), 0);
        assert_int_equal(agon_matrix_eigen(a, n, again, vectors, work), 0);
        assert_memory_equal(ours, again, (size_t)n * sizeof *ours);
        assert_true(eigen_error(a, ours, vectors, n) < 1e-13 * n);
        assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', n, a, n, theirs), 0);
        for (int i = 0; i < n; i++)
            assert_true(fabs(ours[i] - theirs[i]) < 1e-13 * n);
        free(a);
        free(work);
        free(ours);
        free(theirs);
        free(vectors);
        free(again);
    }
}

/* Guards: the same above 512 rows, where updates wait for one another. */
static void eigenvalues_of_many_rows(void** unused) {
    enum { MANY = 551 };
    double *a = symmetric(MANY), *work = square(MANY), *vectors = square(MANY), ours[MANY],
           theirs[MANY];
    assert_int_equal(agon_matrix_eigen(a, MANY, ours, vectors, work), 0);
    assert_true(eigen_error(a, ours, vectors, MANY) < 1e-13 * MANY);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', MANY, a, MANY, theirs), 0);
    for (int i = 0; i < MANY; i++)
        assert_true(fabs(ours[i] - theirs[i]) < 1e-13 * MANY);
    free(a);
    free(work);
    free(vectors);
}

/* Guards: known spectra, with repeated and zero eigenvalues: all ones (0, ..., 0, n), identity, 0;
 * their vectors are still a basis. */
static void eigenvalues_of_degenerate_matrices(void** unused) {
    enum { N = 20 };
    double a[N * (N + 4)], work[N * (N + 4)], out[N], vectors[N * N];
    for (int i = 0; i < N * N; i++)
        a[i] = 1;
    assert_int_equal(agon_matrix_eigen(a, N, out, vectors, work), 0);
    for (int i = 0; i < N; i++)
        assert_true(fabs(out[i] - (i == N - 1 ? N : 0)) < 1e-13);
    assert_true(eigen_error(a, out, vectors, N) < 1e-13);
    for (int i = 0; i < N * N; i++)
        a[i] = i % (N + 1) == 0;
    assert_int_equal(agon_matrix_eigen(a, N, out, NULL, a), 0); /* work may be the matrix */
    for (int i = 0; i < N; i++)
        assert_true(out[i] == 1);
    memset(a, 0, sizeof a);
    assert_int_equal(agon_matrix_eigen(a, N, out, vectors, work), 0);
    for (int i = 0; i < N; i++)
        assert_true(out[i] == 0 && vectors[i * N + i] == 1);
}

/* Guards: a graded matrix, entries over 30 decades, comes to an end and keeps the large values. */
static void eigenvalues_of_a_graded_matrix(void** unused) {
    enum { N = 31 };
    double a[N * N], work[N * (N + 4)], out[N], theirs[N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            a[i * N + j] = a[j * N + i] = pow(10, -.5 * (i + j)) * (1 + (i == j) + noise(7, i, j));
    }
    assert_int_equal(agon_matrix_eigen(a, N, out, NULL, work), 0);
    assert_int_equal(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', N, a, N, theirs), 0);
    for (int i = 0; i < N; i++)
        assert_true(fabs(out[i] - theirs[i]) < 1e-14);
}

/* A product of singular parts must give the matrix back, its vectors must be orthonormal. */
static double singular_error(const double* a, int rows, int cols, const double* s, const double* u,
                             const double* v) {
    const int k = rows < cols ? rows : cols;
    double worst = 0;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            double sum = 0;
            for (int r = 0; r < k; r++)
                sum += s[r] * u[r * rows + i] * v[r * cols + j];
            worst = fmax(worst, fabs(sum - a[i * cols + j]));
        }
    }
    for (int r = 0; r < k; r++) {
        for (int t = 0; t < k; t++) {
            double uu = 0, vv = 0;
            for (int i = 0; i < rows; i++)
                uu += u[r * rows + i] * u[t * rows + i];
            for (int j = 0; j < cols; j++)
                vv += v[r * cols + j] * v[t * cols + j];
            worst = fmax(worst, fmax(fabs(uu - (r == t)), fabs(vv - (r == t))));
        }
    }
    return worst;
}

/* Guards: singular values equal LAPACK's dgesvd for flat, square and tall matrices; the vectors
 * give the matrix back; values without vectors are the same bytes. */
static void singular_values_equal_lapack(void** unused) {
    static const int shapes[][2] = {{1, 1},  {1, 7},  {7, 1},   {3, 3},
                                    {5, 12}, {12, 5}, {40, 40}, {60, 9}};
    for (size_t c = 0; c < sizeof shapes / sizeof shapes[0]; c++) {
        const int rows = shapes[c][0], cols = shapes[c][1], k = rows < cols ? rows : cols;
        double *a = square(64), *work = square(128), *u = square(64), *v = square(64), s[64],
               theirs[64], alone[64], rest[64];
        for (int i = 0; i < rows * cols; i++)
            a[i] = noise(300 + (int)c, i, 0);
        assert_int_equal(agon_matrix_singular(a, rows, cols, s, u, v, work), 0);
        assert_int_equal(agon_matrix_singular(a, rows, cols, alone, NULL, NULL, work), 0);
        assert_memory_equal(s, alone, (size_t)k * sizeof *s);
        assert_true(singular_error(a, rows, cols, s, u, v) < 1e-13);
        assert_int_equal(LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', rows, cols, a, cols, theirs,
                                        NULL, 1, NULL, cols, rest),
                         0);
        for (int i = 0; i < k; i++)
            assert_true(fabs(s[i] - theirs[i]) < 1e-13 && (i == 0 || s[i] <= s[i - 1]));
        free(a);
        free(work);
        free(u);
        free(v);
    }
}

/* Guards: rank 1 and 0, columns of very different size (the small value is accurate to 1e-12 of
 * itself), NaN. */
static void singular_values_of_degenerate_matrices(void** unused) {
    double work[64], s[3], u[9], v[12];
    const double rank1[12] = {1, 2, 2, 4, 2, 4, 4, 8, -1, -2, -2, -4};
    assert_int_equal(agon_matrix_singular(rank1, 3, 4, s, u, v, work), 0);
    assert_true(fabs(s[0] - sqrt(150)) < 1e-13 && s[1] < 1e-14 && s[2] < 1e-14);
    for (int i = 4; i < 12; i++)
        assert_true(v[i] == 0);
    const double zero[6] = {0};
    assert_int_equal(agon_matrix_singular(zero, 2, 3, s, u, v, work), 0);
    assert_true(s[0] == 0 && s[1] == 0 && v[0] == 0 && u[0] == 1 && u[3] == 1);
    const double graded[4] = {1, 1e-10, 1, -1e-10}; /* orthogonal columns */
    assert_int_equal(agon_matrix_singular(graded, 2, 2, s, u, v, work), 0);
    assert_true(fabs(s[0] - sqrt(2)) < 1e-15 && fabs(s[1] - 1e-10 * sqrt(2)) < 1e-22);
    const double bad[2] = {1, NAN};
    assert_int_equal(agon_matrix_singular(bad, 1, 2, s, u, v, work), -1);
    assert_true(isnan(s[0]) && isnan(u[0]) && isnan(v[1]));
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
    double out[2], work[12], vectors[4], b[2] = {1, 1};
    double singular[4] = {1, 2, 2, 4}, indefinite[4] = {1, 2, 2, 1};
    double nan_solve[4] = {NAN, 0, 0, 1}, nan_invert[4] = {NAN, 0, 0, 1};
    double nan_eigen[4] = {1, NAN, NAN, 1}, infinite[4] = {1, INFINITY, INFINITY, 1};
    assert_int_equal(agon_matrix_solve(singular, b, 2), -1);
    assert_int_equal(agon_matrix_solve(nan_solve, b, 2), -1);
    assert_int_equal(agon_matrix_invert(indefinite, 2), -1);
    assert_int_equal(agon_matrix_invert(nan_invert, 2), -1);
    assert_int_equal(agon_matrix_eigen(nan_eigen, 2, out, NULL, work), -1);
    assert_true(isnan(out[0]) && isnan(out[1]));
    assert_int_equal(agon_matrix_eigen(infinite, 2, out, vectors, work), -1);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(vectors[3]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_equal_lapack),
        cmocka_unit_test(eigenvalues_of_many_rows),
        cmocka_unit_test(eigenvalues_of_degenerate_matrices),
        cmocka_unit_test(eigenvalues_of_a_graded_matrix),
        cmocka_unit_test(singular_values_equal_lapack),
        cmocka_unit_test(singular_values_of_degenerate_matrices),
        cmocka_unit_test(solutions_equal_lapack),
        cmocka_unit_test(inverse_is_inverse),
        cmocka_unit_test(bad_matrices_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
