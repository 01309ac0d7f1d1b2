/* real_matrix.h: the little linear algebra that measurements need, in double precision.
 *
 * Own code on purpose: metrics.jsonl must have the same bytes on every CPU, and LAPACK on OpenBLAS
 * has not (its kernels are chosen by CPU). Plain loops along rows, which compilers vectorise; the
 * eigenvalues are made for thousands of rows, the rest for a few hundred. LAPACKE is the oracle in
 * the tests. Row-major (n, n), n >= 1.
 *
 * None of these functions hangs on NaN or infinity: eigenvalues and singular values come back as
 * NaN, the other two say that the matrix is singular. Entries of magnitude
 * 1e-150 to 1e150 are safe; beyond that squares leave the range of double. */
#ifndef AGON_REAL_MATRIX_H
#define AGON_REAL_MATRIX_H

/* Eigenvalues of a symmetric matrix, ascending: out (n). vectors: out (n, n) or NULL; row k is the
 * unit eigenvector of out[k], with its largest entry by magnitude (the first of equals) positive;
 * within a repeated eigenvalue any basis may come. work: (n + 4, n), overwritten; its first n rows
 * may be the matrix itself. Only the lower triangle is read. Householder's tridiagonal form, then
 * implicit QL (Golub and Van Loan 2013, 8.3). Error: a few n * 1e-16 times the largest eigenvalue,
 * absolute: tiny ones may come out negative. Values alone take 4/3 n^3: 0.1 s at n = 1,000, 5 to 10
 * s at 3,584, where memory is what limits. With vectors about 9 n^3: 5 ms at n = 200. Returns 0, -1
 * when an entry is not finite, AGON_EMEMORY (from 512 rows on, 32 more are allocated); when not 0,
 * all output is NaN. */
int agon_matrix_eigen(const double* matrix, int n, double* out, double* vectors, double* work);

/* Singular values of a (rows, cols), descending: out (k), k = min(rows, cols). u: out (k, rows), v:
 * out (k, cols), both or one may be NULL: a = sum_r out[r] u_r v_r', rows r of u and v of unit
 * length, the largest entry of the shorter one positive. Where out[r] is rounding only (below 2e-16
 * * max(rows, cols) * out[0]) the longer one's row is 0: its direction is not known. One-sided
 * Jacobi (Hestenes 1958): small values are accurate too, unlike those by eigenvalues of a a'.
 * work: (k, rows + cols). About 10 sweeps of O(k^2 max(rows, cols)). Returns 0, or -1 when an
 * entry is not finite; then all output is NaN. */
int agon_matrix_singular(const double* a, int rows, int cols, double* out, double* u, double* v,
                         double* work);

/* Solves A x = b by elimination with partial pivoting. a (n, n) and b (n) are destroyed; b becomes
 * x. Returns 0, or -1 when a pivot is 0 or not finite (then b is of no use). A nearly singular A
 * is not noticed: check the residual where it matters. */
int agon_matrix_solve(double* a, double* b, int n);

/* Inverse of a symmetric positive definite matrix in place (Cholesky). Only the lower triangle is
 * read; both are written. Returns 0, or -1 when it is not positive definite (then a is of no use).
 */
int agon_matrix_invert(double* a, int n);

#endif
