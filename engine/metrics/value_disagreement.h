/* value_disagreement.h: disagreement that matters, and disagreement that changes no result. */
#ifndef AGON_VALUE_DISAGREEMENT_H
#define AGON_VALUE_DISAGREEMENT_H

#include "engine/metrics/solved.h"

/* For two different agents drawn at random; means over the states whose worths are all known and
 * that have two legal actions or more. States where all actions are worth the same do count: every
 * disagreement is neutral there.
 *   relevant  probability that the chosen actions differ in worth, in [0, 1]
 *   neutral   probability that they differ but are worth the same, in [0, 1]: drift. The commonest
 *             fake diversity
 *   gap       mean |difference in worth| of the chosen actions, unit of worth
 * relevant + neutral is the whole disagreement; greedy, without ties, agon_diversity_greedy's.
 * Sampled, an agent disagrees with a copy of itself.
 *
 * Does not tell who is right, nor whether two actions of equal worth lead to different games. One
 * agent: 0, 0, 0. No such state: NaN.
 * O(agents * states * actions + states * actions^2). Returns 0, AGON_EMEMORY, or AGON_EINVALID as
 * agon_solved_check says; then `out` is untouched. */
typedef struct agon_value_disagreement {
    double relevant, neutral, gap;
} agon_value_disagreement;
int agon_value_disagreement_mean(const agon_solved* solved, agon_choice choice,
                                 agon_value_disagreement* out);

#endif
