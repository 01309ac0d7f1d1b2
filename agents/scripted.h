/* scripted.h: what the scripted policies share (inside agents/ only).
 *
 * Every scripted policy comes down to a set of actions among which it chooses evenly: all legal
 * ones, the safe ones, or a single one. So its probabilities are exact, and it samples with draw 0
 * of the slot's counter. Temperature is ignored: a scripted policy is a fixed opponent. */
#ifndef AGON_SCRIPTED_H
#define AGON_SCRIPTED_H

#include "agents/policy.h"

/* "name(param=value, ...)" taken apart; params points into buffer, so it must stay in place. */
typedef struct agon__call {
    char buffer[256];
    const char* name;
    agon_params params;
} agon__call;

int agon__call_parse(const char* text, agon__call* out, agon_error* error);
/* After the parameters were asked for: refuses bad values and parameters nobody asked for. */
int agon__call_check(const agon__call* call, agon_error* error);

/* Writes the slot's action and probabilities: uniform over the actions of `set` (mask_words). */
void agon__choose_evenly(const agon_batch* batch, int slot, const uint64_t* set);

/* Room to walk down from a position without touching it: one block. */
typedef struct agon__walk {
    const agon_rules* rules; /* borrowed */
    char* states;            /* (levels + 1, state_size) */
    uint64_t* masks;         /* (levels + 1, mask_words) */
    float* reward;           /* (seats) of the last ply played */
    uint16_t* action;        /* (seats) */
} agon__walk;

agon__walk* agon__walk_open(const agon_rules* rules, int levels); /* NULL: out of memory */
void agon__walk_close(agon__walk* walk);                          /* NULL is fine */

static inline void* agon__walk_state(const agon__walk* walk, int level) {
    return walk->states + (size_t)level * walk->rules->spec.state_size;
}
static inline uint64_t* agon__walk_mask(const agon__walk* walk, int level) {
    return walk->masks + (size_t)level * (size_t)walk->rules->mask_words;
}
/* Copies the slot's position to level 0. */
void agon__walk_begin(agon__walk* walk, const agon_batch* batch, int slot);
/* The legal actions of `seat` at a level; the result is the level's mask. */
uint64_t* agon__walk_legal(agon__walk* walk, int level, int seat);
/* Level + 1 = level after `action` of `seat`; fills reward. Returns the acting set there. */
uint64_t agon__walk_play(agon__walk* walk, int level, int seat, int action);
/* The same in place. */
uint64_t agon__walk_advance(agon__walk* walk, int level, int seat, int action);

/* The next action of a mask from `from` on, or -1. */
int agon__mask_next(const uint64_t* mask, int words, int from);

int agon__alpha_beta_open(agon__call* call, const agon_rules* rules, agon_policy* out,
                          agon_error* error);
int agon__mcts_open(agon__call* call, const agon_rules* rules, agon_policy* out, agon_error* error);

#endif
