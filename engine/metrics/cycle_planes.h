/* cycle_planes.h: cycles as pictures: how much of "who beats whom" turns in circles, and where each
 * agent stands on them (mElo; disc decomposition; the spinning top).
 *
 * Any antisymmetric A (n, n) is a sum of discs: A_ij = sum_k (x_ik y_jk - y_ik x_jk), where in
 * plane k agent i stands at (x_ik, y_ik): i gains most from those a quarter turn counterclockwise
 * of it, in proportion to both radii, nothing from those on its own line through the centre. The
 * strength of a plane is omega_k: A has the eigenvalues +-i omega_k, and |A|^2 = 2 sum omega_k^2.
 *
 * Take the additive part out first (agon_cycle_rest): what a rating explains is not a cycle. A
 * ladder of wins and losses is not additive, so it leaves planes too. And noise turns: of measured
 * pay-offs every plane has omega > 0, equal agents as well. Compare with the null of payoff.h
 * before a plane is called real.
 *
 * n >= 1, row-major. An entry that is not finite, or A not antisymmetric within 1e-9 of its largest
 * entry, gives AGON_EINVALID; all return 0, that, or AGON_EMEMORY, and write nothing unless 0. */
#ifndef AGON_CYCLE_PLANES_H
#define AGON_CYCLE_PLANES_H

/* Logits of winning, ln((w_ij + 1/2) / (w_ji + 1/2)): out (n, n), antisymmetric. wins (n, n):
 * points
 * >= 0, a draw 1/2 to each; the diagonal is ignored. The halves (Haldane 1956) keep sweeps finite,
 * and pull pairs of few games towards 0; a pair that never met counts as even. */
int agon_cycle_logits(const double* wins, int n, double* logit);

/* strength: out (n) or NULL, r_i = mean_j A_ij. rest: out (n, n), A_ij - (r_i - r_j), may be A. */
int agon_cycle_rest(const double* a, int n, double* strength, double* rest);

/* The planes of an antisymmetric matrix, as it is (Balduzzi, Tuyls, Perolat, Graepel 2018, mElo;
 * Bertrand, Czarnecki, Gidel 2023).
 *   planes  0 .. n / 2: how many to place agents in
 *   omega   out (n / 2): all strengths, falling, in the unit of A; error about 1e-15 of the largest
 *   point   out (planes, n, 2): x, y, in roots of the unit of A: sqrt(omega) times orthonormal
 *           vectors; NULL for 0 planes. Each plane is turned so that the agent farthest from its
 *           centre (within 1e-9 the lowest index) is at y = 0, x > 0; never mirrored, so the
 *           direction of the cycle is seen. A plane of strength 0 has all agents at 0.
 * Planes of equal strength are not unique: any turn that mixes them is as good; the one given is a
 * function of A. Householder's tridiagonal form, then singular values of half the size: O(n^3), 30
 * ms at n = 200. */
int agon_cycle_planes(const double* a, int n, int planes, double* omega, double* point);

#endif
