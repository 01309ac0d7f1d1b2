/* gather.h: evidence about agents that can be asked and played.
 *
 * Agents are references, as in tasks: a snapshot's hash or a scripted policy's text. Whatever is
 * gathered is gathered by tasks, on threads, and is a function of the agents, the seed and the
 * numbers below, not of the machine. What does not apply to a game is left absent, and the evidence
 * says why. */
#ifndef AGON_GATHER_H
#define AGON_GATHER_H

#include "engine/execute.h"
#include "engine/metrics/evidence.h"
#include "engine/probes.h"

typedef struct agon_gather {
    const agon_rules* rules; /* borrowed, as all of this */
    const agon_backend* backend;
    uint64_t seed;
    int threads;
    /* Reads a blob by hash; thread-safe, malloc'd data. */
    int (*load)(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);
    void* load_user;
    int agents;
    const char (*label)[AGON_LABEL];  /* (agents) */
    const char (*ref)[AGON_REF_SIZE]; /* (agents) */
    int games;                        /* of each pair */
    int opening;                      /* random plies that games of a pair begin with, as in runs */
    /* Told as matches and answers come in; may be NULL. done = total ends a phase. */
    void (*progress)(void* user, const char* what, int done, int total);
    void* user;
} agon_gather;

/* Labels and number of agents; the first call on zeroed evidence. */
int agon_gather_agents(const agon_gather* gather, agon_evidence* out, agon_error* error);

/* Every agent's answers to a probe set; images: and to its symmetric images, where the game has
 * any. seats: bits of those whose questions count, 0: all. hash: of the set's file. known: (agents,
 * states, actions) answers that are known already, or NULL: ask. */
int agon_gather_answers(const agon_gather* gather, const agon_probes* probes, const char* hash,
                        uint64_t seats, const float* known, bool images, agon_evidence* out,
                        agon_error* error);

/* Everyone against everyone of `member` (count; rising numbers of agents). */
int agon_gather_payoffs(const agon_gather* gather, const int* member, int count, agon_evidence* out,
                        agon_error* error);
/* The same from matches that were played: (count, count), as agon_match_payoffs takes them. */
int agon_gather_matches(const agon_gather* gather, const int* member, int count,
                        const agon_match_result* const* match, agon_evidence* out,
                        agon_error* error);

/* Everyone against every anchor. greedy: both at temperature 0. */
int agon_gather_anchors(const agon_gather* gather, int anchors, const char (*label)[AGON_LABEL],
                        const char (*ref)[AGON_REF_SIZE], bool greedy, agon_evidence* out,
                        agon_error* error);

/* The same from matches that were played: (agents, anchors). */
int agon_gather_scores(const agon_gather* gather, int anchors, const char (*label)[AGON_LABEL],
                       const agon_match_result* const* match, agon_evidence* out,
                       agon_error* error);

/* Last hidden layers on the first states of the probe set, and parameters. */
int agon_gather_insides(const agon_gather* gather, const agon_probes* probes, agon_evidence* out,
                        agon_error* error);

/* Where each agent comes to, in every seat, against each anchor, in the first `plies` plies. */
int agon_gather_visits(const agon_gather* gather, int anchors, const char (*ref)[AGON_REF_SIZE],
                       int plies, agon_evidence* out, agon_error* error);

/* Games of everyone in turn, about `games` for each agent, with everyone's return. Absent where two
 * seats play against each other: there pay-offs and points say the same. */
int agon_gather_tables(const agon_gather* gather, agon_evidence* out, agon_error* error);

#endif
