/* population.h: the planner of `agon train`: which tasks a run still needs.
 *
 * A pure function of config and record. Generation 0 makes the agents; generation g trains each
 * agent from its learner of g - 1 against opponents the league draws from the snapshots up to g
 * - 1. Measured generations (every metrics.every, and the last) get matches, anchor matches and
 * probes; after the last, a closing evaluation of every agent against every anchor, on games of its
 * own. */
#ifndef AGON_POPULATION_H
#define AGON_POPULATION_H

#include "engine/config.h"
#include "engine/record.h"
#include "agents/policy.h"

#define AGON_MAX_ANCHORS    16
#define AGON_SEPARATE_ROLES 2 /* roles of a game whose roles can learn apart */

typedef struct agon_anchors {
    int count;
    char ref[AGON_MAX_ANCHORS][AGON_REF_SIZE];
    uint8_t deterministic[AGON_MAX_ANCHORS];
} agon_anchors;

typedef struct agon_population {
    const agon_config* config; /* borrowed */
    const agon_rules* rules;   /* borrowed */
    uint64_t fingerprint;
    agon_net net;
    char net_text[128];
    char probes[AGON_HASH_SIZE]; /* set by the caller before planning */
    const char* probe_set;       /* "B" or "U" of a file; NULL: set U, made for the run */
    const double* probe_weight;  /* (probe states) borrowed, set by the caller */
    const double* probe_reach;   /* the same; NULL when the probe set is not complete */
    const uint8_t* probe_seat;   /* the same: who is asked; needed with separate roles */
    agon_anchors opponents;      /* league.anchors */
    agon_anchors anchors;        /* metrics.anchors, without those the game refuses */
    char left_out[256];          /* which were left out and why; "" when none */
    agon_record* record;         /* owned */
    int cursor;                  /* generations below are complete; set it to go on with a run */
    int handed;                  /* measurements of generations below are all handed out */
} agon_population;

/* Checks that config, game, net and anchors fit together. AGON_EUNSUPPORTED: separate roles of a
 * game that has not two. */
int agon_population_open(const agon_config* config, const agon_rules* rules, agon_population* out,
                         agon_error* error);
void agon_population_close(agon_population* population);

/* Populations of the run: 1, or 2 where roles are separate. Agents of all of them, numbered role by
 * role; the role of one; and the seats it holds in every game, as bits (0: one seat at a time,
 * any).
 */
int agon_population_roles(const agon_population* population);
int agon_population_agents(const agon_population* population);
int agon_population_role(const agon_population* population, int agent);
uint64_t agon_population_seats(const agon_population* population, int agent);

/* Hands every task that is ready and not claimed yet to `emit`, and claims it. emit's non-zero
 * stops; so does a stored result that cannot be read (agon_record_failure). Lets the record forget
 * what is not needed any more. */
int agon_population_plan(agon_population* population,
                         int (*emit)(void* user, const agon_task* task), void* user);

/* Is the generation measured at all? Are all its results here? */
bool agon_population_measures(const agon_population* population, int generation);
bool agon_population_measured(const agon_population* population, int generation);
/* All train tasks of a generation are done. */
bool agon_population_trained(const agon_population* population, int generation);
/* Everything is done, the closing evaluation included. */
bool agon_population_finished(const agon_population* population);
/* What the planner needs of the record to go on from its cursor: generations *first and later, and
 * generation *also (-1: none). */
void agon_population_needs(const agon_population* population, int* first, int* also);
/* Tasks of a generation, without the closing evaluation; and of the whole run, for progress. */
int agon_population_tasks_of(const agon_population* population, int generation);
int agon_population_tasks(const agon_population* population);

/* Agents of the pay-off matrix: all, or metrics.budget of them evenly spaced, as many of each role.
 * out: (agon_population_agents). Returns their number. */
int agon_population_sample(const agon_population* population, int* out);
/* Two seats whose returns add up to a constant, and everyone meets everyone: one match per
 * unordered pair, antisymmetric pay-offs. */
bool agon_population_antisymmetric(const agon_population* population);

/* How agents play against anchors: greedily with perfect information (temperature 0), else sampled,
 * because there the greedy form of a mixed strategy is another strategy. */
bool agon_population_greedy(const agon_population* population);
/* Do wins, draws and losses say it all? Then strength is points per game, else the mean return. */
bool agon_population_points(const agon_population* population);
/* Games that are played where `games` are asked for: whole rounds of all seats, at least one; with
 * separate roles, as many as are asked for. */
int agon_population_games(const agon_config* config, const agon_rules* rules, int games);

/* The generation whose pay-offs weigh the opponents of those who come after `generation`
 * (league.c). */
int agon__league_measured(const agon_population* population, int generation);
/* The opponents of a train task of generation >= 1 (league.c). Returns their number, >= 1, or
 * AGON_EMISSING: a snapshot that should be known is not. */
int agon__league_draw(const agon_population* population, agon_train_task* task, agon_key key);

#endif
