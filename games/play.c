/* SPDX-License-Identifier: 0BSD
 *
 * play.c: what every user of a configured game needs: chance, starts, masks, and the fingerprint.
 */
#include "internal.h"

#include <assert.h>

#define FINGERPRINT_GAMES 1000
#define MAX_DRAWS         65536 /* chance nodes in a row; more is a game that does not go on */

/* ---- chance ------------------------------------------------------------------------------- */

int agon_rules_chance(const agon_rules* rules, const void* state, agon_key key, uint32_t episode,
                      uint32_t ply, uint32_t draw) {
    double prob[AGON__MAX_OUTCOMES];
    const int count = rules->game->chance(rules->config, state, prob);
    assert(count >= 1 && count <= rules->spec.chance_outcomes);
    const agon_draw bits = agon_random(key, episode, ply, AGON_SEAT_CHANCE, draw);
    double left = agon_uniform_double(bits.word[0], bits.word[1]);
    for (int i = 0; i < count - 1; i++) {
        left -= prob[i];
        if (left < 0)
            return i;
    }
    return count - 1;
}

uint64_t agon_rules_settle(const agon_rules* rules, void* state, float* reward, agon_key key,
                           uint32_t episode, uint32_t ply) {
    const agon_game* game = rules->game;
    uint16_t action[AGON_MAX_SEATS] = {0};
    uint64_t acting = game->acting(rules->config, state);
    for (uint32_t draw = 0; acting == AGON_CHANCE; draw++) {
        assert(draw < MAX_DRAWS);
        action[0] = (uint16_t)agon_rules_chance(rules, state, key, episode, ply, draw);
        const int code = game->apply(rules->config, state, action, reward);
        assert(code == 0);
        (void)code;
        acting = game->acting(rules->config, state);
    }
    return acting;
}

uint64_t agon_rules_start(const agon_rules* rules, void* state, float* reward, agon_key key,
                          uint32_t episode) {
    memset(reward, 0, (size_t)rules->spec.seats * sizeof *reward);
    rules->game->init(rules->config, state);
    return agon_rules_settle(rules, state, reward, key, episode, 0);
}

/* ---- names ---------------------------------------------------------------------- */

int agon_action_text(const agon_rules* rules, const void* state, int seat, int action, char* out,
                     size_t size) {
    if (rules->game->action_name)
        return rules->game->action_name(rules->config, state, seat, action, out, size);
    return snprintf(out, size, "%d", action);
}

static bool is_named(const agon_rules* rules, const void* state, int seat, int action,
                     const char* name) {
    char text[AGON_ACTION_NAME];
    const int length = agon_action_text(rules, state, seat, action, text, sizeof text);
    return length >= 0 && length < (int)sizeof text && strcmp(text, name) == 0;
}

int agon_action_find(const agon_rules* rules, const void* state, int seat, const char* name) {
    double prob[AGON__MAX_OUTCOMES];
    uint64_t mask[(AGON_MAX_ACTIONS + 63) / 64] = {0};
    const int count =
        seat < 0 ? rules->game->chance(rules->config, state, prob) : rules->spec.actions;
    if (seat >= 0)
        rules->game->legal(rules->config, state, seat, mask);
    for (int action = 0; action < count; action++) {
        if ((seat < 0 || agon_mask_has(mask, action)) && is_named(rules, state, seat, action, name))
            return action;
    }
    return -1;
}

/* ---- fingerprint -------------------------------------------------------------------------- */

/* FNV-1a on 64-bit words, the high half folded down in each step because a product moves bits up
 * only. Eight times as fast as agon_hash, for the megabytes of 1,000 games. */
static uint64_t fold(uint64_t hash, const void* bytes, size_t count) {
    const char* p = (const char*)bytes;
    for (; count > 0; p += 8) {
        uint64_t word = 0;
        const size_t n = count < 8 ? count : 8;
        memcpy(&word, p, n);
        hash = (hash ^ word) * 0x100000001b3ull;
        hash ^= hash >> 32;
        count -= n;
    }
    return hash;
}

static uint64_t fold_number(uint64_t hash, double value) {
    return fold(hash, &value, sizeof value);
}

static uint64_t fold_text(uint64_t hash, const char* text) {
    return fold(fold_number(hash, (double)strlen(text)), text, strlen(text));
}

static uint64_t fold_facts(uint64_t hash, const agon_rules* rules) {
    const agon_spec* s = &rules->spec;
    const double facts[] = {rules->game->rules_version,
                            s->seats,
                            s->actions,
                            s->chance_outcomes,
                            s->simultaneous,
                            s->seats_symmetric,
                            s->utility,
                            (double)s->utility_sum,
                            s->information,
                            s->max_plies,
                            (double)s->return_min,
                            (double)s->return_max,
                            (double)s->state_size,
                            s->planes,
                            s->rows,
                            s->cols,
                            s->obs_type,
                            (double)s->obs_scale,
                            s->symmetries};
    hash = fold(fold_text(hash, rules->name), facts, sizeof facts);
    for (int i = 0; i < s->planes; i++)
        hash = fold_text(hash, s->plane_names[i]);
    return hash;
}

typedef struct recorder {
    const agon_rules* rules;
    agon_key key;
    uint64_t hash;
    void* state;
    void* obs;
    uint64_t* mask;
} recorder;

/* One random action per acting seat; what the seats see and may do goes into the hash. */
static void choose(recorder* r, uint64_t acting, uint32_t episode, uint32_t ply, uint16_t* action) {
    const agon_rules* rules = r->rules;
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!(acting >> seat & 1))
            continue;
        rules->game->observe(rules->config, r->state, seat, r->obs);
        rules->game->legal(rules->config, r->state, seat, r->mask);
        r->hash = fold(r->hash, r->obs, rules->obs_bytes);
        r->hash = fold(r->hash, r->mask, (size_t)rules->mask_words * 8);
        const uint32_t word = agon_random(r->key, episode, ply, (uint32_t)seat, 0).word[0];
        const int legal = agon_mask_count(r->mask, rules->mask_words);
        action[seat] = (uint16_t)agon_mask_nth(r->mask, rules->mask_words,
                                               (int)agon_below(word, (uint32_t)legal));
    }
}

static void record_game(recorder* r, uint32_t episode) {
    const agon_rules* rules = r->rules;
    const agon_game* game = rules->game;
    float reward[AGON_MAX_SEATS] = {0};
    uint16_t action[AGON_MAX_SEATS] = {0};
    uint64_t acting = agon_rules_start(rules, r->state, reward, r->key, episode);
    for (int ply = 0; acting && ply < rules->spec.max_plies; ply++) {
        r->hash = fold(r->hash, r->state, rules->spec.state_size);
        r->hash = fold(r->hash, &acting, sizeof acting);
        choose(r, acting, episode, (uint32_t)ply, action);
        const int code = game->apply(rules->config, r->state, action, reward);
        assert(code == 0);
        (void)code;
        acting = agon_rules_settle(rules, r->state, reward, r->key, episode, (uint32_t)ply + 1);
    }
    r->hash = fold(r->hash, r->state, rules->spec.state_size);
    r->hash = fold(r->hash, reward, (size_t)rules->spec.seats * sizeof *reward);
}

static uint64_t record_games(const agon_rules* rules) {
    recorder r = {.rules = rules, .key = agon_key_make(0, "fingerprint", AGON_FOR_TEST)};
    r.hash = fold_facts(AGON_HASH_START, rules);
    r.state = calloc(1, rules->spec.state_size);
    r.obs = calloc(1, rules->obs_bytes);
    r.mask = (uint64_t*)calloc((size_t)rules->mask_words, sizeof *r.mask);
    if (!r.state || !r.obs || !r.mask)
        abort(); /* a few kilobytes; a wrong fingerprint would be worse */
    for (uint32_t episode = 0; episode < FINGERPRINT_GAMES; episode++)
        record_game(&r, episode);
    free(r.state);
    free(r.obs);
    free(r.mask);
    return r.hash;
}

uint64_t agon_rules_fingerprint(const agon_rules* rules) {
    uint64_t known = atomic_load(rules->fingerprint);
    if (!known) {
        known = record_games(rules);
        atomic_store(rules->fingerprint, known);
    }
    return known;
}
