/* probes_replay.h: lines of probe states played again (inside engine/ only). */
#ifndef AGON_PROBES_REPLAY_H
#define AGON_PROBES_REPLAY_H

#include "engine/probes.h"

/* A line on its way; the set may be hostile, so every step is checked. */
typedef struct agon__replay {
    const agon_rules* rules;
    const agon_probes* probes;
    int index;      /* of the probe state */
    char* state;    /* (state_size) */
    uint64_t* mask; /* (mask_words) */
    double* chance; /* (chance_outcomes) */
    float* reward;  /* (seats) */
    agon_error* error;
} agon__replay;

/* rules, probes and error are set. Close also what failed to open. */
int agon__replay_open(agon__replay* replay);
void agon__replay_close(agon__replay* replay);
/* Plays the line of state `index` into `state`. */
int agon__replay_line(agon__replay* replay);
/* Plays one row of the set in `state`, where `acting` act. */
int agon__replay_row(agon__replay* replay, uint64_t acting, int32_t row);
/* The legal actions of a seat there; borrowed until the next call. */
const uint64_t* agon__replay_legal(agon__replay* replay, int seat);
/* Fails with AGON_EFORMAT and a message that names set and state. */
int agon__replay_refuse(const agon__replay* replay, const char* what);

#endif
