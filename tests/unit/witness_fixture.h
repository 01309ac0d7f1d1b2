/* witness_fixture.h: a policy that remembers all it has seen, so that its answers tell whether it
 * was shown the right decisions, in order, and nothing else. */
#ifndef AGON_WITNESS_FIXTURE_H
#define AGON_WITNESS_FIXTURE_H

#include "agents/policy.h"
#include "tests/unit/rules_fixture.h"

#include <stdlib.h>

enum { WITNESS_MEMORY = 3 }; /* decisions so far, what was seen at them, seat + 1 */

typedef struct witness {
    int calls, rows; /* so far */
} witness;

/* What is remembered after one more observation: a whole number that a float holds. */
static inline float witness_see(const agon_rules* rules, float before, const void* obs) {
    const uint64_t hash = agon_hash(AGON_HASH_START + (uint64_t)before, obs, rules->obs_bytes);
    return (float)(uint32_t)(hash >> 40);
}

/* The answer to everything seen: two actions share it, or the only one has all. */
static inline void witness_answer(const agon_rules* rules, const uint64_t* mask, float seen,
                                  float* probability) {
    const int count = agon_mask_count(mask, rules->mask_words);
    const float share = (seen + 0.5f) / 16777217.0f;
    memset(probability, 0, (size_t)rules->spec.actions * sizeof *probability);
    probability[agon_mask_nth(mask, rules->mask_words, count - 1)] = 1;
    if (count < 2)
        return;
    probability[agon_mask_nth(mask, rules->mask_words, count - 1)] -= share;
    probability[agon_mask_nth(mask, rules->mask_words, 0)] = share;
}

static inline void witness_act(const agon_policy* policy, const agon_batch* batch) {
    const agon_rules* rules = batch->rules;
    witness* self = policy->self;
    assert_non_null(batch->memory);
    for (int i = 0; i < batch->count; i++) {
        float* memory = batch->memory + (size_t)i * WITNESS_MEMORY;
        if (memory[0] == 0)
            assert_true(memory[1] == 0 && memory[2] == 0);
        else
            assert_true(memory[2] == (float)batch->seat[i] + 1);
        memory[0]++;
        memory[1] =
            witness_see(rules, memory[1], (const char*)batch->obs + (size_t)i * rules->obs_bytes);
        memory[2] = (float)batch->seat[i] + 1;
        if (batch->probability)
            witness_answer(rules, batch->mask + (size_t)i * (size_t)rules->mask_words, memory[1],
                           batch->probability + (size_t)i * (size_t)rules->spec.actions);
    }
    self->calls++;
    self->rows += batch->count;
}

static inline agon_policy witness_policy(witness* self) {
    return (agon_policy){
        .name = "witness", .memory = WITNESS_MEMORY, .self = self, .act = witness_act};
}

/* A position, with what its seats remember. */
typedef struct watched {
    const agon_rules* rules;
    char* state; /* (state_size) */
    char *shown, *obs;
    uint64_t* mask; /* (mask_words) of the seat that looked last */
    float seen[AGON_MAX_SEATS];
} watched;

static inline watched watch(const agon_rules* rules) {
    watched w = {.rules = rules,
                 .state = calloc(1, rules->spec.state_size),
                 .shown = calloc(1, rules->spec.state_size),
                 .obs = calloc(1, rules->obs_bytes),
                 .mask = calloc((size_t)rules->mask_words, sizeof *w.mask)};
    assert_true(w.state && w.shown && w.obs && w.mask);
    rules->game->init(rules->config, w.state);
    return w;
}

static inline void watched_free(watched* w) {
    free(w->state);
    free(w->shown);
    free(w->obs);
    free(w->mask);
}

/* The seat looks at the position, mirrored by `image` (0: as it is). */
static inline void watched_look(watched* w, int seat, int image) {
    const agon_rules* r = w->rules;
    memcpy(w->shown, w->state, r->spec.state_size);
    if (image)
        r->game->symmetry(r->config, image, w->state, w->shown);
    memset(w->obs, 0, r->obs_bytes);
    r->game->observe(r->config, w->shown, seat, w->obs);
    memset(w->mask, 0, (size_t)r->mask_words * sizeof *w->mask);
    r->game->legal(r->config, w->shown, seat, w->mask);
    w->seen[seat] = witness_see(r, w->seen[seat], w->obs);
}

/* Everybody who acts looks, then one row is played. */
static inline void watched_play(watched* w, const uint16_t* action, int image) {
    const agon_rules* r = w->rules;
    float reward[AGON_MAX_SEATS] = {0};
    const uint64_t acting = r->game->acting(r->config, w->state);
    for (int seat = 0; acting != AGON_CHANCE && seat < r->spec.seats; seat++) {
        if (acting >> seat & 1)
            watched_look(w, seat, image);
    }
    assert_int_equal(r->game->apply(r->config, w->state, action, reward), 0);
}

#endif
