/* measure.h: what a measured generation says, as numbers and as a line of metrics.jsonl.
 *
 * A pure function of config and record. Strength protocols: pay-offs between agents are sampled at
 * temperature 1; against anchors the agent sits once in every seat (with separate roles: in all
 * seats of its role), and plays as agon_population_greedy says. */
#ifndef AGON_MEASURE_H
#define AGON_MEASURE_H

#include "engine/metrics/diversity.h"
#include "engine/metrics/payoff.h"
#include "engine/population.h"

/* How differently agents act on the run's probe set: U, or B of a file. */
typedef struct agon_measured_behaviour {
    bool defined; /* 0: no probe state asks them anything; then the numbers are 0 */
    /* states weigh the same per ply bucket, then the same in it */
    agon_entropy_split entropy;
    double total_variation, vendi_1, vendi_2, vendi_inf, greedy, ties;
    double vendi_rescaled_1; /* with every agent at the population's mean entropy */
    double vendi_greedy_1;   /* of first choices alone */
    /* and, where the set is complete, weighted by how often uniform play comes to each state */
    bool by_reach; /* the next two hold */
    agon_entropy_split reach_entropy;
    double reach_vendi_1;
} agon_measured_behaviour;

typedef struct agon_measurement {
    int generation, agents;
    int roles;    /* populations: 1, or 2 where roles are separate, of agents / roles each */
    double steps; /* agent-steps per agent, mean */
    /* With separate roles: of each role's agents on the states that its seats are asked, and the
     * mean over roles. */
    agon_measured_behaviour behaviour, role_behaviour[AGON_SEPARATE_ROLES];
    /* pay-offs among `rated` agents */
    int rated;
    int* agent; /* (rated) their numbers; with separate roles, role by role */
    /* With separate roles: mean return of each role's seats when agent i of the first role meets
     * agent j of the second, and its error. (roles, rated / roles, rated / roles) */
    double *role_return, *role_return_se;
    bool antisymmetric; /* the next block holds */
    double* payoff;     /* (rated, rated) mean return of row, scaled to [-1, 1] */
    double* payoff_se;  /* (rated, rated) */
    double cyclic, nash_entropy, effective, residual;
    agon_cyclic_null null;
    /* What noise alone would give, of the support exp(nash_entropy) and of effective: mean, 2.5 %
     * and 97.5 %. NaN: more than 100 agents. */
    double nash_null[3], effective_null[3];
    bool rating_defined;
    double *elo, *elo_se; /* (rated); errors are those of the difference to the mean rating */
    /* against anchors: points per game in [0, 1], or mean returns (agon_population_points) */
    int anchors;
    double *score, *score_se; /* (anchors, agents) */
    int anchor_games;         /* each, as played */
    /* What the game's own numbers say: means over the pay-off matches (with a single agent: over
     * its anchor matches), sampled or greedy as these are. */
    int features, stats;
    double* feature;               /* (features, agents); NaN: the agent was in no such match */
    double stat[AGON_MAX_NUMBERS]; /* (stats); NaN without games */
    /* exact, where the tree fits */
    bool exact;
    double* nash_conv; /* (agents) */
    double nash_conv_median;
    double *worst_first, *worst_second; /* (agents), NaN when minimax is not defined */
    double value;
} agon_measurement;

/* Of a generation for which agon_population_measured holds. Owned by the caller. */
int agon_measure(const agon_population* population, int generation, agon_measurement* out,
                 agon_error* error);
void agon_measurement_clear(agon_measurement* measurement);

/* One line of JSON without a newline, malloc'd; NULL: out of memory. */
char* agon_measurement_line(const agon_population* population, const agon_measurement* m);

/* What the names in a line mean, in order. "payoff.matrix[][]": a list of lists; "score.*.mean":
 * any name; "by_reach.*" at the end: whatever lies below. */
typedef struct agon_measure_path {
    const char *path, *unit, *meaning; /* unit "": none */
} agon_measure_path;
const agon_measure_path* agon_measure_paths(int* count);

/* The agent to call best (of a role, 0 .. roles-1): highest mean pay-off among the rated agents at
 * the last measured generation (else rating, else mean score against anchors). Chosen on those
 * games, so report it on others (the closing evaluation). */
int agon_measurement_best(const agon_measurement* m, int role);

/* A match as one number with its standard error: points per game (a win 1, a draw 1/2), or the row
 * policy's mean return. Games are taken as independent. */
void agon_match_score(const agon_population* population, const agon_match_result* match,
                      double* score, double* se);
/* How scores were made, for people: "greedy, every seat"; and their unit: "points per game". Why
 * there is no pay-off matrix; NULL: there is one. */
const char* agon_score_protocol(const agon_population* population);
const char* agon_score_unit(const agon_population* population);
const char* agon_payoff_why(const agon_measurement* m);

#endif
