/* equilibrium.h: the solver behind payoff.h and matrix_game.h: maximum-entropy equilibria of
 * zero-sum games, without a linear program.
 *
 * One player, or two. Everyone's logits are one vector z of length n, M (n, n) is antisymmetric and
 * p = softmax(z), taken apart for strategies 0 .. split-1 and split .. n-1:
 *   split = n   one distribution; M is the symmetric game;
 *   split < n   two, of rows and columns of a game A; M = [[0, A], [-A', 0]].
 * The equilibria of the game plus tau times the entropy of whoever chooses, z = M softmax(z) / tau,
 * are unique and have a limit for tau -> 0: the Nash equilibrium with the most entropy (of both
 * together), for the optimality of the regularised saddle gives H(p_tau) >= H(Nash) at every tau.
 * They are followed from tau = 1 to 1e-8 by damped Newton steps from the last one, then
 * extrapolated: about 100 steps of O(n^3). */
#ifndef AGON_EQUILIBRIUM_H
#define AGON_EQUILIBRIUM_H

/* m (n, n): finite, exactly antisymmetric, entries of magnitude at most 1, best when the largest is
 * 1. 1 <= split <= n. p: out (n), one distribution or two, whatever happens on the way. gain: out,
 * what best responses would gain, of both players together: usually below 1e-10. Returns 0 or
 * AGON_EMEMORY (then nothing is touched). */
int agon_equilibrium_follow(const double* m, int n, int split, double* p, double* gain);

#endif
