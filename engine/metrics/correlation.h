/* correlation.h: joint-policy correlation: do players only play well with those they learned with?
 */
#ifndef AGON_CORRELATION_H
#define AGON_CORRELATION_H

/* Lanctot, Zambaldi, Gruslys, Lazaridou, Tuyls, Perolat, Silver, Graepel 2017. D runs, each of
 * which trained a first and a second player together. m (D, D): m_ij = mean return when the first
 * player of run i meets the second player of run j. The diagonal are those who know each other.
 *
 * loss = (diagonal - other) / diagonal, of mean returns above the lowest possible one: which share
 * of what a pair earns is lost among strangers. 0: none; 1: all; below 0: strangers do better. It
 * moves with `lowest`, so only equal games compare.
 *
 * Not for zero-sum play of one population against itself: there what one seat loses the other
 * gains, the mean over everyone is fixed and says nothing. It does not tell why: being too used to
 * one another, or different conventions of equal worth, look alike. */
typedef struct agon_joint_policy {
    double diagonal, other; /* mean returns, as given (not shifted) */
    double loss; /* <= 1; NaN when the diagonal earns nothing above the lowest, or D = 1 */
} agon_joint_policy;

/* lowest: the lowest return that the game allows. NaN entries were not played and are left out (a
 * mean of nothing is NaN). Returns 0, or AGON_EINVALID: an entry is infinite or below lowest, or
 * lowest is not finite. O(D^2). */
int agon_correlation_joint_policy(const double* m, int n, double lowest, agon_joint_policy* out);

#endif
