/* real_matrix.h: the little linear algebra that measurements need, in double precision.
 *
 * Own code on purpose: metrics.jsonl must have the same bytes on every CPU, and LAPACK on OpenBLAS
 * has not (its kernels are chosen by CPU). Matrices are at most a few hundred rows, so O(n^3) in
 * plain loops is fast enough; LAPACKE is the oracle in the tests. Row-major (n, n), n >= 1.
 *
 * None of these functions allocates, and none hangs on NaN or infinity: the eigenvalues come back
 * as NaN, the other two say that the matrix is singular. Entries of magnitude 1e-150 to 1e150 are
 * safe; beyond that squares leave the range of double. */
#ifndef AGON_REAL_MATRIX_H
#define AGON_REAL_MATRIX_H

/* Eigenvalues of a symmetric matrix, ascending: out (n). work: (n * n), overwritten; may be the
 * matrix itself. Cyclic Jacobi (Golub and Van Loan 2013, 8.5). Only the upper triangle is read.
 * Error: a few n * 1e-16 times the largest eigenvalue, absolute: tiny ones may come out negative.
 */
void agon_matrix_eigenvalues(const double* matrix, int n, double* out, double* work);

/* Solves A x = b by elimination with partial pivoting. a (n, n) and b (n) are destroyed; b becomes
 * x. Returns 0, or -1 when a pivot is 0 or not finite (then b is of no use). A nearly singular A
 * is not noticed: check the residual where it matters. */
int agon_matrix_solve(double* a, double* b, int n);

/* Inverse of a symmetric positive definite matrix in place (Cholesky). Only the lower triangle is
 * read; both are written. Returns 0, or -1 when it is not positive definite (then a is of no use).
 */
int agon_matrix_invert(double* a, int n);

#endif
