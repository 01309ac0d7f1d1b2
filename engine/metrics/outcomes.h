/* outcomes.h: do the same instances defeat everybody? Numbers of a matrix of failures, wherever it
 * comes from: agents against solved states, or against fixed opponents.
 *
 * Entries are probabilities: agents fail independently given the instance. What they do not tell:
 * why. Instances that are hard for everybody raise all of these, without agents being alike; only
 * a comparison of two populations on the same instances speaks of the agents.
 *
 * Functions return 0, AGON_EMEMORY, or AGON_EINVALID when an entry is outside [0, 1] or weights do
 * not add up to 1 (within 1e-6); then outputs are untouched. */
#ifndef AGON_OUTCOMES_H
#define AGON_OUTCOMES_H

/* Borrowed arrays; agents, instances >= 1. */
typedef struct agon_outcomes {
    int agents, instances;
    const double* failure; /* (agents, instances) probability of failure, in [0, 1] */
    const double* weight;  /* (instances), >= 0, adding up to 1 */
} agon_outcomes;

/* 0, or AGON_EINVALID. Every function below asks it. */
int agon_outcomes_check(const agon_outcomes* o);

/* Outcome homogenization (Bommasani, Creel, Kumar, Jurafsky and Liang 2022).
 *   systemic  P(all agents fail): the share of instances that nobody solves
 *   expected  the product of the agents' failure rates: what independent failures would give
 *   ratio     systemic / expected: 1 independent, above 1 homogenized. NaN when somebody never
 *             fails (0/0). Its scale grows with the number of agents and it becomes unstable:
 *             compare at equal numbers only
 *   rate      ln ratio / (agents - 1), nats per further agent: for many agents. NaN for one agent,
 *             and when no instance defeats all (ln 0)
 *   pairs     the same for two different agents drawn at random: mean P(both fail) / mean product
 *             of rates. Comparable across population sizes. NaN for one agent, or when the means
 *             are 0
 * Identical agents with failure rate r: ratio r^(1 - agents), rate -ln r, pairs about 1/r: so all
 * of it also depends on how good the agents are. NaN also for a ratio beyond the range of a double:
 * read `rate`. O(agents * instances). */
typedef struct agon_homogenization {
    double systemic, expected, ratio, rate, pairs;
} agon_homogenization;
int agon_outcomes_homogenization(const agon_outcomes* o, agon_homogenization* out);

/* Ecosystem profile (Toups, Bommasani, Creel, Bana, Jurafsky and Liang 2023): how many agents fail
 * at an instance. observed[k]: weight of instances with k failures; baseline[k]: what independent
 * agents with the same failure rates would give (Poisson-binomial). Both: out (agents + 1), adding
 * up to 1. Mass in excess of the baseline at 0 and at `agents` is homogeneous outcome.
 * O(agents^2 + agents * instances), times the agents that fail with a probability strictly between
 * 0 and 1 at an instance. */
int agon_outcomes_profile(const agon_outcomes* o, double* observed, double* baseline);

/* From the two: excess at 0 (none) and at `agents` (all), each in [-1, 1], and the total variation
 * between them, in [0, 1]: 0 as if independent. */
typedef struct agon_profile_excess {
    double none, all, distance;
} agon_profile_excess;
agon_profile_excess agon_outcomes_excess(const double* observed, const double* baseline,
                                         int agents);

#endif
