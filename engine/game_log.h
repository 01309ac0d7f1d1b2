/* game_log.h: games written down, decision by decision: what was seen, what was allowed, what was
 * done and what came of it. For people who learn from games or look at them elsewhere. */
#ifndef AGON_GAME_LOG_H
#define AGON_GAME_LOG_H

#include "engine/lanes.h"

#define AGON_GAME_LOG_BYTES ((size_t)4 << 30) /* of observations and masks */

typedef struct agon_game_log_def {
    const agon_rules* rules;
    const agon_backend* backend;
    int players;
    const agon_player* player; /* (players) */
    /* (players) seats that a player may hold, as bits; NULL: any. Players of one role are
     * neighbours, as many in each role. */
    const uint64_t* seats;
    int games;
    uint64_t seed;
    const char* key;   /* names the games; with the seed the root of their randomness */
    float temperature; /* of nets */
    bool outcomes;     /* returns and who sat where alone; no decisions are kept */
} agon_game_log_def;

/* One row per decision (step), in order of episode, ply and seat. */
typedef struct agon_game_log {
    size_t steps, room;
    char* obs;        /* (steps, obs_bytes) */
    uint8_t* legal;   /* (steps, actions) 1: allowed */
    uint16_t* action; /* (steps) chosen, an allowed one */
    uint8_t* seat;    /* (steps) who decides */
    int32_t* agent;   /* (steps) number of the player in that seat */
    int32_t* episode; /* (steps) 0 .. games-1 */
    int32_t* ply;     /* (steps) plies of seats before it */
    int games, seats;
    float* returns;  /* (games, seats) */
    int32_t* agents; /* (games, seats) who held the seat */
    int32_t* length; /* (games) plies of seats */
} agon_game_log;

/* Plays `games` games to their end, one after the other; a pure function of def. Game g has player
 * (i + s d) mod n in seat s, with i = g mod n and d = 1 + (g / n) mod (n - 1): with two seats
 * everyone meets everyone, in both seats, in n (n - 1) games. Where players have seats of their
 * own: player i = g mod m of the first role against (i + g / m) mod m of the second, m of each.
 * AGON_ELIMIT beyond AGON_GAME_LOG_BYTES. *out: owned by the caller, agon_game_log_clear. */
int agon_game_log_play(const agon_game_log_def* def, agon_game_log* out, agon_error* error);
void agon_game_log_clear(agon_game_log* log);

#endif
