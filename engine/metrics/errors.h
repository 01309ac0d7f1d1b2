/* errors.h: mistakes on states whose answer is known, and whether agents make the same ones.
 *
 * A state is *judged* when the worth of every legal action is known and at least one of them errs.
 * The others are left out, and the weights of the rest are scaled to add up to 1: nobody can fail
 * there, and counting them would make all agents look alike. When no state is judged every number
 * is NaN. What a choice is, and how ties are treated: solved.h.
 *
 * What these numbers do not tell: whether agents err alike because they are alike or because the
 * states are hard in one way for everybody; and strong agents leave few errors to compare, which
 * makes agreement noisy: read it beside the count. They depend on the states asked.
 *
 * Every function returns 0, AGON_EMEMORY, or AGON_EINVALID as agon_solved_check says; then
 * its output is untouched. Sums run in index order. */
#ifndef AGON_ERRORS_H
#define AGON_ERRORS_H

#include "engine/metrics/solved.h"

/* Which states are judged. weight: out (states), 0 where not judged, else scaled to add up to 1.
 * judged: out, the share of the original weight that is judged, in [0, 1]. */
int agon_errors_judge(const agon_solved* solved, double* weight, double* judged);

/* Probability that an agent errs at a state, in [0, 1]; 0 where the state is not judged. failure:
 * out (agents, states), as outcomes.h takes it, with the weight of agon_errors_judge. */
int agon_errors_failures(const agon_solved* solved, agon_choice choice, double* failure);

/* How well one agent answers; means over judged states. */
typedef struct agon_accuracy {
    double accuracy;  /* probability that the greedy action is a best one, in [0, 1] */
    double loss;      /* what the greedy action gives away, unit of worth, >= 0 */
    double mass;      /* probability of best actions, in [0, 1]: accuracy of a sampled action */
    double mass_loss; /* what a sampled action gives away, >= 0 */
    double ties;      /* share of states whose greedy action is shared by several */
} agon_accuracy;

/* out: (agents). O(agents * states * actions). */
int agon_errors_accuracy(const agon_solved* solved, agon_accuracy* out);

/* A chance-corrected agreement (observed - expected) / (1 - expected), <= 1; 0 at chance level, NaN
 * when expected is 1. */
typedef struct agon_kappa {
    double observed, expected, kappa;
} agon_kappa;

/* How alike the errors of two agents are.
 *   agreement    P(the same wrong action | both err), in [0, 1] (Kim, Garg, Peng and Garg 2025)
 *   chance       what agents would reach that pick among the actions that err at random, the mean
 *                of 1 / (actions that err) over the joint errors: where a single action errs they
 *                agree by necessity, and this says so. 1 / (k - 1) when all states have k actions
 *                and one best
 *   joint        expected number of judged states, each counted once whatever its weight, at which
 *                both err
 *   capa         kappa_p (Goel et al. 2025): observed = mean over states of the probability that
 *                both choose a best action or both the same wrong one; expected = p q + (1 - p)
 *                (1 - q) mean 1 / (actions that err), p and q their accuracies. Best actions count
 *                as one answer. An agent beside itself has 1 only when it does not randomise
 *   consistency  error consistency (Geirhos, Meding and Wichmann 2020): the same, blind to which
 *                wrong action; 1 when both err at the same states
 * No joint errors: agreement and chance are NaN. Both always right: both kappas are NaN. */
typedef struct agon_error_agreement {
    double agreement, chance, joint;
    agon_kappa capa, consistency;
} agon_error_agreement;

/* For two different agents drawn at random: each probability above is averaged over pairs, then
 * divided, so that pairs with few joint errors count little; for two agents it is their pair.
 * `joint` adds up over unordered pairs. One agent: all NaN, joint 0. Linear in agents:
 * O(agents * states * actions). */
int agon_errors_agreement(const agon_solved* solved, agon_choice choice, agon_error_agreement* out);

/* Each pair by itself. out: (agents, agents), symmetric; the diagonal is the agent beside a second
 * copy of itself. O(agents^2 * states * actions); scratch (agents, states, actions). */
int agon_errors_agreement_pairs(const agon_solved* solved, agon_choice choice,
                                agon_error_agreement* out);

#endif
