/* evidence.h: what is known about a population, whoever measured it: the one input of every metric.
 *
 * A run, a list of agents that were asked and played, and files of people who measured something
 * else (win rates, answers of language models) all become this. A part that is not known is absent:
 * its count is 0 and its pointers are NULL; `why` says why, for people. Plain arrays, row-major,
 * all owned by the evidence (malloc). Filled by its makers, which check: rows of probabilities are
 * distributions, weights are >= 0 and add up to 1, numbers are finite where nothing else is said.
 */
#ifndef AGON_EVIDENCE_H
#define AGON_EVIDENCE_H

#include "engine/metrics/diversity.h"

#include <stdbool.h>
#include <stdint.h>

#define AGON_LABEL 64

/* Answers to questions: exact action probabilities at probe states, or frequencies of sampled
 * answers. */
typedef struct agon_answers {
    int states, actions; /* 0: absent */
    float* probability;  /* (agents, states, actions); 0 at illegal actions */
    double* weight;      /* (states) adds up to 1 */
    int* options;        /* (states) legal actions, >= 1; actions beyond have probability 0 */
    uint8_t* legal;      /* (states, actions) 1: may be chosen */
    int strata;          /* >= 1: kinds of states, e.g. buckets of plies */
    int* stratum;        /* (states) 0 .. strata-1 */
    char (*stratum_label)[AGON_LABEL]; /* (strata) */
    /* Sampled answers, NULL when the probabilities are exact. (agents, states, actions). */
    uint32_t* count;
    /* What an action is worth to who chooses it (a solver's value, or 1 right, 0 wrong); NaN:
     * illegal or not known. NULL when the states are not solved. (states, actions). An action errs
     * when it is worth less than the best of its state. */
    double* worth;
    /* The same questions put another way: image k of state s is g_k(s), and the answers are mapped
     * back by g_k^-1, so that they compare with `probability`. */
    int images;
    float* image;  /* (agents, images, states, actions) */
    char set[16];  /* "U", "B", "X", or "file" */
    char hash[65]; /* of the probe set; "" */
} agon_answers;

/* Everyone against everyone. Rows and columns are the agents. */
typedef struct agon_payoffs {
    int agents;         /* 0: absent; else as many as the evidence has, or of `member` */
    int* member;        /* (agents) which agents of the evidence these are */
    bool antisymmetric; /* two seats, zero or constant sum: M_ij = -M_ji holds */
    double* mean;       /* (agents, agents) mean return of row against column, scaled to [-1, 1] and
                           shifted so that an even game is 0; NaN: never met. Diagonal: among copies
                           of itself; 0 where not known, as in zero-sum games */
    double* error;      /* the same: standard errors, >= 0; NaN: not known */
    double* games;      /* the same: games behind each entry, 0: not known */
    double* wins;       /* the same: points of row against column, a draw 1/2; NULL: not known */
    double* draws;      /* the same: draws; NULL: not known */
} agon_payoffs;

/* Agents against fixed opponents that are not among them. */
typedef struct agon_anchor_scores {
    int anchors; /* 0: absent */
    char (*label)[AGON_LABEL];
    double *mean, *error; /* (agents, anchors) scaled to [-1, 1]; errors as above */
    double* games;
} agon_anchor_scores;

/* Inside of nets. Only of agents that are nets of one shape. */
typedef struct agon_insides {
    int inputs, width; /* of the last hidden layer, on the first `inputs` probe states */
    float* activation; /* (agents, inputs, width) */
    int parameters;
    float* parameter; /* (agents, parameters) */
} agon_insides;

/* Where agents come to against one fixed set of opponents: visits of features (hashes of positions,
 * openings, ...), each half of the agent's games apart. */
typedef struct agon_visits {
    int features;    /* 0: absent */
    uint32_t* count; /* (agents, 2, features) */
    double games;    /* of one agent, both halves */
} agon_visits;

/* Strength of the agents as they learned. */
typedef struct agon_history {
    int points;       /* 0: absent */
    double* steps;    /* (points) agent-steps per agent, rising, > 0 */
    double* strength; /* (points, agents) mean score over anchors, in [0, 1] */
} agon_history;

/* Games at one table: who sat there, and what each got. For games of any number of seats, where a
 * table of pairs does not say it all. */
typedef struct agon_tables {
    int games, seats; /* 0: absent */
    int32_t* agent;   /* (games, seats) -1: an empty chair */
    float* value;     /* (games, seats) returns; higher is better */
} agon_tables;

typedef struct agon_evidence {
    int agents;                /* >= 1 */
    char (*label)[AGON_LABEL]; /* (agents) */
    char origin[256];          /* for people: "runs/x at generation 40" */
    agon_answers answers;
    agon_payoffs payoffs;
    agon_anchor_scores anchors;
    agon_insides insides;
    agon_visits visits;
    agon_history history;
    agon_tables tables;
    struct {
        char answers[160], worth[160], image[160], payoffs[160], antisymmetric[160], anchors[160],
            insides[160], visits[160], history[160], tables[160];
    } why; /* an absent part, and what to do about it */
} agon_evidence;

void agon_evidence_clear(agon_evidence* evidence); /* frees, and zeroes */

/* The answers as the functions of diversity.h take them; borrowed. */
agon_behaviour agon_evidence_behaviour(const agon_evidence* evidence);

#endif
