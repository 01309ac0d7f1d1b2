/* generalization.h: does an agent understand, or has it crammed? Definitions of our own, except
 * where a source is named.
 *
 * Functions return 0, AGON_EMEMORY, or AGON_EINVALID (input that is not what is said of it); then
 * outputs are untouched. */
#ifndef AGON_GENERALIZATION_H
#define AGON_GENERALIZATION_H

#include "engine/metrics/diversity.h"
#include "engine/metrics/summary.h"

/* Asked another way. The same question has other forms: the mirrored board, other names for suits.
 * An agent that understands gives the same answer, mapped back.
 *   soft    mean over images of the Jensen-Shannon divergence between the answer and that to the
 *           image mapped back, over ln 2: in [0, 1], 0 = the same however asked. Moves when a
 *           policy is sharpened
 *   greedy  share of images for which the sets of most probable actions differ, in [0, 1]
 *   ties    share of images for which a maximum is shared by several actions, on either side
 * Means over states by weight. Does not tell whether the answers are good: the uniform policy is
 * perfectly consistent. A population can be alike and inconsistent.
 *
 * image: (agents, images, states, actions), mapped back already, rows as b's; images >= 1, the
 * identity not among them (it would count as consistent). out: (agents).
 * O(agents * images * states * actions). */
typedef struct agon_symmetry {
    double soft, greedy, ties;
} agon_symmetry;
int agon_generalization_symmetry(const agon_behaviour* b, const float* image, int images,
                                 agon_symmetry* out);

/* Two scores of the same agents: against their own pool and against strangers, on a variant of the
 * rules and on the rules they know. first, second: (n); agents for whom either is NaN are left out.
 *   first, second  means over the `agents` that have both; NaN when none has
 *   ratio          first / second; NaN unless second > 0. For scores whose 0 means something
 *   difference     first - second, with the bootstrap over agents of paired differences (Efron
 *                  1979): `samples` >= 2, a function of the arguments alone
 * The interval knows how agents vary, not how each score was measured; agents of one population are
 * not independent. Opponents must be matched in strength, or the difference measures that. */
typedef struct agon_comparison {
    int agents;
    double first, second, ratio;
    agon_interval difference;
} agon_comparison;
int agon_generalization_compare(const double* first, const double* second, int n, int samples,
                                agon_key key, agon_comparison* out);

/* How uneven a skill is, over strata (kinds of states, or opponents).
 *   gini   Gini coefficient of the error rates, in [0, 1 - 1/n]: 0 = all strata alike, near 1 =
 *          all errors in one. NaN when there are no errors (0/0). Few errors make it large
 *   worst  1 - (mean success of the worst tenth of strata, rounded up) / (mean success), in [0, 1];
 *          NaN when nothing succeeds
 * error: (n) in [0, 1] (within 1e-9), n >= 1; NaN entries are left out, all NaN gives NaN. Strata
 * count equally. Strata of few states are uneven by noise alone. */
typedef struct agon_jaggedness {
    double gini, worst;
} agon_jaggedness;
int agon_generalization_jaggedness(const double* error, int n, agon_jaggedness* out);

/* Mean error per stratum. failure: (agents, states), weight: (states) >= 0, stratum: (states) in
 * 0 .. strata - 1. out: (agents, strata), NaN where a stratum has no weight. */
void agon_generalization_strata(const double* failure, const double* weight, const int* stratum,
                                int agents, int states, int strata, double* out);

/* Learning curve. steps: (points) rising, > 0; strength: (points) finite, in [0, 1] by convention.
 *   reached  (bars) steps at which strength first reaches each bar, linear in log10(steps) between
 *            points; the first point's steps when it is there at once (an upper bound); NaN: never.
 *            A noisy curve touches a bar too early
 *   area     area under strength over log10(steps), divided by its width: a mean strength in which
 *            each tenfold of steps counts equally. NaN for one point. Depends on the first point:
 *            compare over the same range of steps only */
int agon_generalization_learning(const double* steps, const double* strength, int points,
                                 const double* bar, int bars, double* reached, double* area);

#endif
