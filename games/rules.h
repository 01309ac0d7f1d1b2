/* rules.h: the host's side of the game contract: finding a game, configuring it from a game string,
 * and the few operations that every user of a game needs. */
#ifndef AGON_RULES_H
#define AGON_RULES_H

#include "agon_game.h"
#include "error.h"
#include "random.h"

#include <stdatomic.h>
#include <stdbool.h>

/* A configured game. Immutable after agon_rules_open (what is computed once and kept is atomic),
 * shared freely between threads. */
typedef struct agon_rules {
    const agon_game* game; /* borrowed, static */
    agon_spec spec;
    void* config;     /* owned; game->config_size bytes */
    char name[128];   /* canonical game string: "connect_four" or "connect_four(rows=5)" */
    int entries;      /* observation entries: planes * rows * cols */
    size_t obs_bytes; /* bytes of one observation */
    int mask_words;   /* 64-bit words of one legal mask: (actions + 63) / 64 */
    _Atomic uint64_t* fingerprint; /* owned; 0: not asked for yet */
} agon_rules;

/* The built-in games, in alphabetical order of their names; NULL beyond the last. */
const agon_game* agon_game_at(int index);
int agon_game_count(void);

/* Parses "name" or "name(param=value,param=value)" (OpenSpiel's syntax; spaces allowed around
 * words), finds the game among the built-ins and the plug-ins that are loaded (plugin.h),
 * configures and checks it. *out: owned by the caller, agon_rules_close. */
int agon_rules_open(const char* game_string, agon_rules** out, agon_error* error);
void agon_rules_close(agon_rules* rules); /* NULL is fine */

/* What the game asks for: "rows (4..10, default 6), ..."; empty when it has no parameters. */
void agon_game_parameters(const agon_game* game, char* out, size_t size);

/* A rules fingerprint: name, rules version, facts, and the bytes of 1,000 seeded random games.
 * Two builds with the same fingerprint play by the same rules. The games are played once. */
uint64_t agon_rules_fingerprint(const agon_rules* rules);

/* A chance node's outcome for a counter (episode, ply, AGON_SEAT_CHANCE, draw). */
int agon_rules_chance(const agon_rules* rules, const void* state, agon_key key, uint32_t episode,
                      uint32_t ply, uint32_t draw);

/* Plays chance nodes until a seat acts or the episode is over, adding rewards. `ply` counts the
 * plies of seats so far, so chance before ply p is keyed by p and numbered by its draw. Returns the
 * acting set. */
uint64_t agon_rules_settle(const agon_rules* rules, void* state, float* reward, agon_key key,
                           uint32_t episode, uint32_t ply);

/* init and settle: a new episode at its first decision. reward: (seats), set to 0 first. */
uint64_t agon_rules_start(const agon_rules* rules, void* state, float* reward, agon_key key,
                          uint32_t episode);

/* All seats, as bits; and those of one role. */
static inline uint64_t agon_rules_seats(const agon_rules* rules) {
    return (1ull << rules->spec.seats) - 1;
}
int agon_rules_roles(const agon_rules* rules); /* how many there are, >= 1 */
uint64_t agon_rules_role_seats(const agon_rules* rules, int role);
#define AGON_ROLE_NAME 64 /* bytes that hold a role's name, cut if need be */
/* The role's name, or its number. out: (size). Returns out. */
const char* agon_rules_role_name(const agon_rules* rules, int role, char* out, size_t size);

/* How many legal actions a mask of `words` words has, and the k-th of them (0 <= k < count). */
static inline int agon_mask_count(const uint64_t* mask, int words) {
    int count = 0;
    for (int i = 0; i < words; i++)
        count += __builtin_popcountll(mask[i]);
    return count;
}
static inline int agon_mask_nth(const uint64_t* mask, int words, int k) {
    int i = 0;
    for (int here; i < words - 1 && k >= (here = __builtin_popcountll(mask[i])); i++)
        k -= here;
#ifdef __BMI2__
    return 64 * i + __builtin_ctzll(__builtin_ia32_pdep_di(1ull << k, mask[i]));
#else
    uint64_t word = mask[i];
    while (k-- > 0)
        word &= word - 1;
    return 64 * i + __builtin_ctzll(word);
#endif
}
static inline bool agon_mask_has(const uint64_t* mask, int action) {
    return (mask[action >> 6] >> (action & 63)) & 1u;
}

/* Text of an action; falls back to its number. Returns the length needed. */
int agon_action_text(const agon_rules* rules, const void* state, int seat, int action, char* out,
                     size_t size);

/* The action of an acting seat (or, with seat -1, the outcome of a chance node) that has this name,
 * -1 when no legal one has. */
int agon_action_find(const agon_rules* rules, const void* state, int seat, const char* name);

/* Perfect information, no chance, one seat at a time, two seats, zero- or constant-sum: what
 * alpha-beta, MCTS and minimax values need. If not, fills error with the fact that is missing. */
int agon_rules_need_minimax(const agon_rules* rules, const char* who, agon_error* error);

#endif
