/* probes_pool.c: games played for their questions, and the questions chosen. */
#include "engine/probes_pool.h"

#include <assert.h>
#include <math.h>

int agon__pool_out_of_memory(const agon__pool* p) {
    return agon_fail(p->error, AGON_EMEMORY, "probe states of %s: out of memory", p->rules->name);
}

int agon__pool_open(agon__pool* p) {
    const agon_rules* r = p->rules;
    const size_t words = (size_t)r->mask_words * sizeof(uint64_t);
    size_t key = r->obs_bytes + words;
    key = key < r->spec.state_size ? r->spec.state_size : key;
    p->key_size = 8 + (key < AGON_INFOSTATE ? AGON_INFOSTATE : key);
    p->state = (char*)calloc(1, r->spec.state_size);
    p->image = (char*)calloc(1, r->spec.state_size);
    p->key = (char*)calloc(1, p->key_size);
    p->mask = (uint64_t*)calloc(1, words);
    p->action = (uint16_t*)calloc((size_t)r->spec.seats, sizeof *p->action);
    p->reward = (float*)calloc((size_t)r->spec.seats, sizeof *p->reward);
    if (!p->state || !p->image || !p->key || !p->mask || !p->action || !p->reward)
        return agon__pool_out_of_memory(p);
    return 0;
}

void agon__pool_close(agon__pool* p) {
    agon_keymap_free(&p->seen);
    free(p->items);
    free(p->lines);
    free(p->state);
    free(p->image);
    free(p->key);
    free(p->mask);
    free(p->action);
    free(p->reward);
}

void agon__pool_empty(agon__pool* p) {
    agon_keymap_clear(&p->seen);
    p->count = 0;
    p->rows = 0;
}

/* ---- candidates --------------------------------------------------------------------------- */

/* The smallest bytes among the images of a position under the game's symmetries. */
static size_t position_key(agon__pool* p, const void* state) {
    const agon_rules* r = p->rules;
    const size_t size = r->spec.state_size;
    memcpy(p->key + 8, state, size);
    for (int g = 1; r->game->symmetry && g < r->spec.symmetries; g++) {
        r->game->symmetry(r->config, g, state, p->image);
        if (memcmp(p->image, p->key + 8, size) < 0)
            memcpy(p->key + 8, p->image, size);
    }
    return 8 + size;
}

/* What tells a question apart from others, after 8 bytes for the seat; p->mask is set. */
static size_t question_key(agon__pool* p, const void* state, int seat) {
    const agon_rules* r = p->rules;
    const size_t words = (size_t)r->mask_words * sizeof(uint64_t);
    memset(p->key, 0, p->key_size);
    p->key[0] = (char)seat;
    if (r->spec.information == AGON_PERFECT)
        return position_key(p, state);
    if (r->game->infostate) {
        const int length = r->game->infostate(r->config, state, seat, p->key + 8);
        assert(length >= 0 && length <= AGON_INFOSTATE);
        return 8 + (size_t)length;
    }
    r->game->observe(r->config, state, seat, p->key + 8);
    memcpy(p->key + 8 + r->obs_bytes, p->mask, words);
    return 8 + r->obs_bytes + words;
}

int agon__pool_legal(agon__pool* p, const void* state, int seat) {
    const agon_rules* r = p->rules;
    memset(p->mask, 0, (size_t)r->mask_words * sizeof *p->mask);
    r->game->legal(r->config, state, seat, p->mask);
    return agon_mask_count(p->mask, r->mask_words);
}

int agon__pool_consider(agon__pool* p, const void* state, const agon__candidate* c,
                        size_t* number) {
    size_t at;
    const int added = agon_keymap_add(&p->seen, p->key, question_key(p, state, c->seat), &at);
    if (added < 0 ||
        agon_array_grow((void**)&p->items, &p->item_room, p->count + 1, sizeof *p->items) != 0)
        return agon__pool_out_of_memory(p);
    if (added)
        p->items[p->count++] = *c;
    else
        p->items[at].reach += c->reach;
    if (number)
        *number = at;
    return added;
}

/* ---- games -------------------------------------------------------------------------------- */

agon__candidate agon__line_candidate(const agon__line* line, int seat) {
    return (agon__candidate){
        .line = line->line, .rows = line->rows, .ply = line->ply, .seat = (uint8_t)seat};
}

/* Plays the row in p->action and appends it to the line. */
static int play_row(agon__pool* p, agon__line* w) {
    const size_t seats = (size_t)p->rules->spec.seats;
    if (agon_array_grow((void**)&p->lines, &p->line_room, p->rows + 1, seats * sizeof *p->lines) !=
        0)
        return agon__pool_out_of_memory(p);
    memcpy(p->lines + p->rows * seats, p->action, seats * sizeof *p->lines);
    if (p->rules->game->apply(p->rules->config, p->state, p->action, p->reward) != 0 ||
        w->ply > p->rules->spec.max_plies)
        return agon_fail(p->error, AGON_EINVALID,
                         "%s breaks its own rules in ply %d of a game played for probe states; run "
                         "agon check",
                         p->rules->name, w->ply);
    p->rows++;
    w->rows++;
    return 0;
}

int agon__pool_play(agon__pool* p, agon_key key, uint32_t game, agon__choose* choose, void* user) {
    const agon_rules* r = p->rules;
    agon__line w = {.key = key, .game = game, .line = p->rows};
    int code = 0;
    r->game->init(r->config, p->state);
    memset(p->reward, 0, (size_t)r->spec.seats * sizeof *p->reward);
    for (;;) {
        const uint64_t acting = r->game->acting(r->config, p->state);
        if (acting == 0 || code != 0)
            return code;
        memset(p->action, 0, (size_t)r->spec.seats * sizeof *p->action);
        if (acting == AGON_CHANCE) {
            p->action[0] = (uint16_t)agon_rules_chance(r, p->state, key, game, (uint32_t)w.ply,
                                                       w.chance_draws++);
        } else {
            code = choose(user, p, &w, acting);
            w.ply++;
            w.chance_draws = 0;
        }
        if (code == 0)
            code = play_row(p, &w);
    }
}

/* ---- buckets ------------------------------------------------------------------------------ */

int agon__bucket_of(const agon__buckets* b, int ply) {
    return (int)((int64_t)(ply - b->low) * b->count / ((int64_t)b->high - b->low + 1));
}

void agon__buckets_span(agon__buckets* b, const agon__pool* pools, int count) {
    *b = (agon__buckets){.low = INT32_MAX, .high = -1};
    for (int p = 0; p < count; p++) {
        for (size_t i = 0; i < pools[p].count; i++) {
            const int ply = pools[p].items[i].ply;
            b->low = ply < b->low ? ply : b->low;
            b->high = ply > b->high ? ply : b->high;
        }
    }
    const int span = b->high - b->low + 1;
    b->count = span < AGON_PROBE_BUCKETS ? span : AGON_PROBE_BUCKETS;
    for (int p = 0; p < count; p++) {
        for (size_t i = 0; i < pools[p].count; i++)
            b->have[agon__bucket_of(b, pools[p].items[i].ply)]++;
    }
}

/* The same number from every bucket; what a small one lacks the others give, in turn. */
static void share(agon__buckets* b, size_t left) {
    while (left > 0) {
        for (int k = 0; k < b->count && left > 0; k++) {
            if (b->take[k] < b->have[k]) {
                b->take[k]++;
                left--;
            }
        }
    }
}

/* A keyed shuffle of each bucket, its first take[k]. */
int agon__pool_mark(agon__pool* p, agon__buckets* b, uint64_t seed) {
    const agon_key key = agon_key_make(seed, "probes/choice", AGON_FOR_PROBE);
    uint32_t* order = (uint32_t*)malloc(p->count * sizeof *order);
    uint32_t* member = (uint32_t*)malloc(p->count * sizeof *member);
    share(b, p->wanted < p->count ? p->wanted : p->count);
    for (int k = 0; order && member && k < b->count; k++) {
        uint32_t size = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (agon__bucket_of(b, p->items[i].ply) == k)
                member[size++] = (uint32_t)i;
        }
        agon_shuffle(key, (uint32_t)k, order, size);
        for (size_t i = 0; i < b->take[k]; i++)
            p->items[member[order[i]]].taken = 1;
    }
    const bool done = order && member;
    free(order);
    free(member);
    return done ? 0 : agon__pool_out_of_memory(p);
}

/* ---- the set ------------------------------------------------------------------------------ */

static int set_open(const agon__pool* pools, int count, agon_probes* out) {
    size_t states = 0, rows = 0;
    const size_t seats = (size_t)pools->rules->spec.seats;
    for (int p = 0; p < count; p++) {
        for (size_t i = 0; i < pools[p].count; i++) {
            states += pools[p].items[i].taken;
            rows += pools[p].items[i].taken ? (size_t)pools[p].items[i].rows : 0;
        }
    }
    if (rows > INT32_MAX)
        return agon_fail(pools->error, AGON_ELIMIT, "probe states of %s: %zu plies, at most %d fit",
                         pools->rules->name, rows, INT32_MAX);
    out->states = (int)states;
    out->seats = pools->rules->spec.seats;
    out->offset = (int32_t*)calloc(states + 1, sizeof *out->offset);
    out->action = (uint16_t*)calloc(rows * seats + 1, sizeof *out->action);
    out->seat = (uint8_t*)calloc(states, sizeof *out->seat);
    out->ply = (int32_t*)calloc(states, sizeof *out->ply);
    out->weight = (double*)calloc(states, sizeof *out->weight);
    if (out->complete)
        out->reach = (double*)calloc(states, sizeof *out->reach);
    if (out->set == AGON_PROBES_B)
        out->source = (int32_t*)calloc(states, sizeof *out->source);
    if (!out->offset || !out->action || !out->seat || !out->ply || !out->weight ||
        (out->complete && !out->reach) || (out->set == AGON_PROBES_B && !out->source))
        return agon__pool_out_of_memory(pools);
    return 0;
}

static void set_state(const agon__pool* p, const agon__candidate* c, double weight, int at,
                      agon_probes* out) {
    const size_t seats = (size_t)p->rules->spec.seats;
    memcpy(out->action + (size_t)out->offset[at] * seats, p->lines + c->line * seats,
           (size_t)c->rows * seats * sizeof *out->action);
    out->offset[at + 1] = out->offset[at] + c->rows;
    out->seat[at] = c->seat;
    out->ply[at] = c->ply;
    out->weight[at] = weight;
    if (out->reach)
        out->reach[at] = c->reach;
}

int agon__pools_set(const agon__pool* pools, int count, const agon__buckets* b, agon_probes* out,
                    size_t** chosen) {
    int at = 0, filled = 0;
    int code = set_open(pools, count, out);
    size_t* number = (size_t*)malloc(((size_t)out->states + 1) * sizeof *number);
    if (code == 0 && !number)
        code = agon__pool_out_of_memory(pools);
    for (int k = 0; k < b->count; k++)
        filled += b->take[k] > 0;
    for (int k = 0; code == 0 && k < b->count; k++) {
        for (int p = 0; p < count; p++) {
            for (size_t i = 0; i < pools[p].count; i++) {
                const agon__candidate* c = &pools[p].items[i];
                if (!c->taken || agon__bucket_of(b, c->ply) != k)
                    continue;
                set_state(&pools[p], c, 1.0 / ((double)filled * (double)b->take[k]), at, out);
                if (out->source)
                    out->source[at] = p;
                number[at++] = i;
            }
        }
    }
    if (chosen && code == 0)
        *chosen = number;
    else
        free(number);
    return code;
}
