/* lanes.h: many copies of a game stepped together, each seat held by one of several players.
 *
 * One step is decide, then play. decide observes every acting seat of the live lanes into slots,
 * sorted by player so that rows of one net are neighbours, and lets all players choose: nets in
 * grouped forwards, scripted policies one by one. play applies the chosen actions in the lanes the
 * caller left live, lets chance move, and leaves what each row earned in `reward`. Between the two
 * the caller reads decisions and may hold a lane back: its players remember nothing of a decision
 * that was not played. No memory is allocated after agon_lanes_open and the first step of full
 * width. Results do not depend on the number of lanes stepped together. */
#ifndef AGON_LANES_H
#define AGON_LANES_H

#include "agents/policy.h"

typedef struct agon_lanes_def {
    const agon_rules* rules;
    const agon_backend* backend;
    int lanes;
    int players;               /* equal architectures should be neighbours: one forward each run */
    const agon_player* player; /* (players), copied */
    agon_key chance, action;   /* keys of the task */
    float temperature;         /* of nets; 0: greedy */
    agon_profile* profile;     /* borrowed, or NULL: told what is done */
} agon_lanes_def;

typedef struct agon_lanes {
    agon_lanes_def def;
    agon_player* player; /* owned copy of def.player */
    int seats;
    size_t state_size;
    int remembered; /* floats: the most that one of the players remembers; 0: none does */
    /* by lane */
    char* state;              /* (lanes, state_size) */
    uint64_t* acting;         /* (lanes) who acts now; 0: the episode is over */
    uint32_t* episode;        /* (lanes) counter word of randomness of actions */
    uint32_t* chance_episode; /* (lanes) the same of chance: equal for paired games */
    uint32_t* ply;            /* (lanes) plies of seats so far */
    uint8_t* live;            /* (lanes) 1: takes part in decide and play */
    /* by row = lane * seats + seat */
    int32_t* player_of; /* who holds the seat */
    uint16_t* action;   /* chosen in decide */
    float* reward;      /* earned in play, this ply and the chance after it */
    float* memory;      /* (rows, remembered) of the row's player before this decision, from its
                           first float on; 0 when an episode starts */
    /* by slot, valid after decide */
    int slots;
    int* offset; /* (players + 1) slots of each player */
    uint32_t* slot_lane;
    uint8_t* slot_seat;
    /* Where decide writes what it sees: (slots, obs_bytes) and (slots, mask_words). Memory of the
     * lanes, unless the caller puts in its own, with room for every seat of every lane. */
    char* obs;
    uint64_t* mask;
    uint16_t* slot_action;
    float* log_probability; /* nets only */
    float* value;           /* nets only */
    /* internal */
    float* recalled; /* memory of the slots, in their order, each as wide as its player's is */
    float* uniform;
    uint32_t *slot_episode, *slot_ply, *played;
    char* spare; /* (state_size) a position tried on the side */
    const void** packed;
    int* cursor;
    agon_scratch* scratch;
    agon_forward call; /* the one that is begun */
    bool begun;
    void* block;
} agon_lanes;

/* Bytes of one block that agon_lanes_open takes; scratch of the backend comes on top. */
size_t agon_lanes_size(const agon_lanes_def* def);

/* All lanes dead and without an episode. */
int agon_lanes_open(const agon_lanes_def* def, agon_lanes** out, agon_error* error);
void agon_lanes_close(agon_lanes* lanes);

/* A new episode in one lane, settled at its first decision, and live, and nobody remembers
 * anything. reward rows hold what chance gave. The caller sets player_of. */
void agon_lanes_start(agon_lanes* lanes, int lane, uint32_t episode, uint32_t chance_episode);

/* Up to `plies` uniformly random plies, keyed by (chance_episode, ply, seat), never the one that
 * would end the episode. Nothing is credited to anyone, and no player sees or remembers them.
 * Returns the plies played. */
int agon_lanes_opening(agon_lanes* lanes, int lane, int plies, agon_key key);
/* How many of `plies` such plies fit the game. They give paired games variety where nothing else
 * would: a deterministic game with nothing hidden. Elsewhere they would only distort play: 0. */
int agon_lanes_opening_plies(const agon_rules* rules, int plies);

void agon_lanes_decide(agon_lanes* lanes);
/* The same in two halves, between which a device may work on forwards while the caller does
 * something else. Slots and their observations are valid, and left alone, from begin on; what was
 * decided is from finish on. */
void agon_lanes_begin(agon_lanes* lanes);
void agon_lanes_finish(agon_lanes* lanes);
/* Did a forward ever fail? Decisions since were any legal ones, and must not be kept. */
int agon_lanes_check(const agon_lanes* lanes, agon_error* error);
void agon_lanes_play(agon_lanes* lanes);

/* What the player of a row remembers before its present decision: until play. */
static inline const float* agon_lanes_memory(const agon_lanes* lanes, int lane, int seat) {
    return lanes->memory + ((size_t)lane * lanes->seats + seat) * (size_t)lanes->remembered;
}

#endif
