/* probes.h: frozen questions put to every agent.
 *
 * A probe state is the actions from the start and a seat, so that policies with memory can be
 * asked. Set U: states of uniformly random legal play, the same number for each bucket of plies, at
 * least two legal actions, no two equal up to the game's symmetries; for games whose information
 * sets are at most `count`, all of them. Weights: equal per ply bucket, then equal per state. A
 * complete set has a second weight: how often uniform play comes to the state, so that what hardly
 * ever happens hardly counts. The set is a blob: its hash is what a measurement names. More sets
 * fit beside U (tensors "U.*", "B.*", "X.*"). */
#ifndef AGON_PROBES_H
#define AGON_PROBES_H

#include "agents/policy.h"
#include "engine/blob.h"

typedef struct agon_probes {
    int states;
    int seats;        /* of the game: width of a ply */
    int32_t* offset;  /* (states + 1) plies of state i: offset[i] .. offset[i+1]-1 */
    uint16_t* action; /* (plies, seats) joint actions from the start; chance outcome in column 0 */
    uint8_t* seat;    /* (states) who is asked */
    int32_t* ply;     /* (states) plies of seats before it, chance not counted */
    double* weight;   /* (states) adds up to 1 */
    int complete;     /* 1: all information sets */
    /* (states), only of complete sets, else NULL: probability that uniform play of all seats and
     * chance comes to the state, divided by the sum over the set, so that it adds up to 1.
     * Positions that are one up to symmetry count together. */
    double* reach;
} agon_probes;

/* Makes set U. Owned by the caller: agon_probes_close. */
int agon_probes_make(const agon_rules* rules, int count, uint64_t seed, agon_probes* out,
                     agon_error* error);
void agon_probes_close(agon_probes* probes);

int agon_probes_encode(const agon_probes* probes, const agon_rules* rules, agon_bytes* out,
                       agon_error* error);
/* Replays every line while decoding: a set that the rules do not allow is refused. */
int agon_probes_decode(const void* data, size_t size, const agon_rules* rules, agon_probes* out,
                       agon_error* error);

/* Asks a policy: probability out (states, actions), exact. */
int agon_probes_ask(const agon_probes* probes, const agon_rules* rules, const agon_policy* policy,
                    float temperature, float* probability, agon_error* error);

#endif
