/* probes_make.c: set U, from a tree where the game is small, else from random games. */
#include "engine/probes.h"

#include "agents/keymap.h"
#include "agents/tree.h"

#include <assert.h>
#include <math.h>

enum {
    TREE_LIMIT = 200000, /* nodes; larger games are sampled */
    BUCKETS = 8,
    GAMES_PER_STATE = 16,     /* at most so many random games per state wanted, ... */
    CANDIDATES_PER_STATE = 64 /* ... and no new game beyond so many candidates */
};

/* A question that may enter the set. */
typedef struct candidate {
    size_t line; /* first row of its line in the pool */
    int rows;
    int ply;
    double reach; /* under uniform play; 0 when sampled */
    uint8_t seat;
    uint8_t taken;
} candidate;

typedef struct pool {
    const agon_rules* rules;
    size_t wanted;
    candidate* items; /* (count) no two alike */
    uint16_t* lines;  /* (rows, seats) */
    size_t count, rows, item_room, line_room;
    agon_keymap seen;
    char *state, *image, *key; /* a position, its mirror image, and what tells it apart */
    size_t key_size;
    uint64_t* mask;
    uint16_t* action;
    float* reward;
    agon_error* error;
} pool;

static int out_of_memory(const pool* p) {
    return agon_fail(p->error, AGON_EMEMORY, "probe states of %s: out of memory", p->rules->name);
}

static int pool_open(pool* p) {
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
        return out_of_memory(p);
    return 0;
}

static void pool_close(pool* p) {
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

static void pool_empty(pool* p) {
    agon_keymap_clear(&p->seen);
    p->count = 0;
    p->rows = 0;
}

/* ---- candidates --------------------------------------------------------------------------- */

/* The smallest bytes among the images of a position under the game's symmetries. */
static size_t position_key(pool* p, const void* state) {
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
static size_t question_key(pool* p, const void* state, int seat) {
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

/* Sets p->mask; returns the number of legal actions. */
static int find_legal(pool* p, const void* state, int seat) {
    const agon_rules* r = p->rules;
    memset(p->mask, 0, (size_t)r->mask_words * sizeof *p->mask);
    r->game->legal(r->config, state, seat, p->mask);
    return agon_mask_count(p->mask, r->mask_words);
}

/* Adds the question when it is new, else its reach to the one like it; p->mask is set. */
static int consider(pool* p, const void* state, const candidate* c) {
    size_t number;
    const int added = agon_keymap_add(&p->seen, p->key, question_key(p, state, c->seat), &number);
    if (added < 0 ||
        agon_array_grow((void**)&p->items, &p->item_room, p->count + 1, sizeof *p->items) != 0)
        return out_of_memory(p);
    if (added)
        p->items[p->count++] = *c;
    else
        p->items[number].reach += c->reach;
    return 0;
}

/* ---- all information sets ----------------------------------------------------------------- */

static int append_line(pool* p, const agon_tree* tree, int infoset, candidate* c) {
    const size_t row = (size_t)p->rules->spec.seats * sizeof *p->lines;
    c->line = p->rows;
    c->rows = agon_tree_infoset_line(tree, infoset, NULL, -1);
    if (agon_array_grow((void**)&p->lines, &p->line_room, p->rows + (size_t)c->rows + 1, row) != 0)
        return out_of_memory(p);
    agon_tree_infoset_line(tree, infoset, p->lines + p->rows * (size_t)p->rules->spec.seats,
                           c->rows);
    p->rows += (size_t)c->rows;
    return 0;
}

static int add_tree(pool* p, const agon_tree* tree) {
    int code = 0;
    for (int i = 0; code == 0 && i < agon_tree_infosets(tree) && p->count <= p->wanted; i++) {
        int seat;
        const void* state = agon_tree_infoset_state(tree, i, &seat);
        if (find_legal(p, state, seat) < 2)
            continue;
        candidate c = {.ply = agon_tree_infoset_ply(tree, i),
                       .reach = agon_tree_infoset_reach(tree, i),
                       .seat = (uint8_t)seat};
        code = append_line(p, tree, i, &c);
        if (code == 0)
            code = consider(p, state, &c);
    }
    return code;
}

/* Fills the pool with every question of a small game; leaves it empty when there are too many. */
static int collect_all(pool* p) {
    agon_tree* tree = NULL;
    agon_error error;
    int code = agon_tree_open(p->rules, TREE_LIMIT, &tree, &error);
    if (code == AGON_ELIMIT)
        return 0;
    if (code != 0)
        return agon_fail(p->error, code, "%s", error.text);
    code = add_tree(p, tree);
    agon_tree_close(tree);
    if (p->count > p->wanted)
        pool_empty(p);
    return code;
}

/* ---- random games ------------------------------------------------------------------------- */

typedef struct walk {
    agon_key key;
    uint32_t game;
    size_t line; /* where this game's rows begin */
    int rows, ply;
    uint32_t chance_draws; /* since the last ply of a seat */
} walk;

/* Uniform choices of the acting seats, each question noted on the way. */
static int choose(pool* p, walk* w, uint64_t acting) {
    for (; acting; acting &= acting - 1) {
        const int seat = __builtin_ctzll(acting);
        const int count = find_legal(p, p->state, seat);
        if (count == 0)
            return agon_fail(p->error, AGON_EINVALID, "%s: seat %d acts but has no legal action",
                             p->rules->name, seat);
        const candidate c = {
            .line = w->line, .rows = w->rows, .ply = w->ply, .seat = (uint8_t)seat};
        const int code = count < 2 ? 0 : consider(p, p->state, &c);
        if (code != 0)
            return code;
        const agon_draw draw = agon_random(w->key, w->game, (uint32_t)w->ply, (uint32_t)seat, 0);
        const int k = (int)agon_below(draw.word[0], (uint32_t)count);
        p->action[seat] = (uint16_t)agon_mask_nth(p->mask, p->rules->mask_words, k);
    }
    return 0;
}

/* Plays the row in p->action and appends it to the line. */
static int play_row(pool* p, walk* w) {
    const size_t seats = (size_t)p->rules->spec.seats;
    if (agon_array_grow((void**)&p->lines, &p->line_room, p->rows + 1, seats * sizeof *p->lines) !=
        0)
        return out_of_memory(p);
    memcpy(p->lines + p->rows * seats, p->action, seats * sizeof *p->lines);
    if (p->rules->game->apply(p->rules->config, p->state, p->action, p->reward) != 0 ||
        w->ply > p->rules->spec.max_plies)
        return agon_fail(p->error, AGON_EINVALID,
                         "%s breaks its own rules in ply %d of a random game; run agon check",
                         p->rules->name, w->ply);
    p->rows++;
    w->rows++;
    return 0;
}

static int play_game(pool* p, agon_key key, uint32_t game) {
    const agon_rules* r = p->rules;
    walk w = {.key = key, .game = game, .line = p->rows};
    int code = 0;
    r->game->init(r->config, p->state);
    for (;;) {
        const uint64_t acting = r->game->acting(r->config, p->state);
        if (acting == 0 || code != 0)
            return code;
        memset(p->action, 0, (size_t)r->spec.seats * sizeof *p->action);
        if (acting == AGON_CHANCE) {
            p->action[0] = (uint16_t)agon_rules_chance(r, p->state, key, game, (uint32_t)w.ply,
                                                       w.chance_draws++);
        } else {
            code = choose(p, &w, acting);
            w.ply++;
            w.chance_draws = 0;
        }
        if (code == 0)
            code = play_row(p, &w);
    }
}

static int collect_sample(pool* p, uint64_t seed) {
    const agon_key key = agon_key_make(seed, "probes/games", AGON_FOR_PROBE);
    const size_t games = p->wanted * GAMES_PER_STATE, candidates = p->wanted * CANDIDATES_PER_STATE;
    int code = 0;
    for (size_t g = 0; code == 0 && g < games && p->count < candidates; g++)
        code = play_game(p, key, (uint32_t)g);
    return code;
}

/* ---- buckets ------------------------------------------------------------------------------ */

typedef struct buckets {
    int low, high;        /* plies of the candidates */
    int count;            /* buckets of equal width from low to high */
    size_t have[BUCKETS]; /* candidates */
    size_t take[BUCKETS]; /* of them in the set */
} buckets;

static int bucket_of(const buckets* b, int ply) {
    return (int)((int64_t)(ply - b->low) * b->count / ((int64_t)b->high - b->low + 1));
}

/* The same number from every bucket; what a small one lacks the others give, in turn. */
static void buckets_fill(buckets* b, const pool* p) {
    *b = (buckets){.low = p->items[0].ply, .high = p->items[0].ply};
    for (size_t i = 1; i < p->count; i++) {
        b->low = p->items[i].ply < b->low ? p->items[i].ply : b->low;
        b->high = p->items[i].ply > b->high ? p->items[i].ply : b->high;
    }
    b->count = b->high - b->low + 1 < BUCKETS ? b->high - b->low + 1 : BUCKETS;
    for (size_t i = 0; i < p->count; i++)
        b->have[bucket_of(b, p->items[i].ply)]++;
    size_t left = p->wanted < p->count ? p->wanted : p->count;
    while (left > 0) {
        for (int k = 0; k < b->count && left > 0; k++) {
            if (b->take[k] < b->have[k]) {
                b->take[k]++;
                left--;
            }
        }
    }
}

/* Marks the candidates that enter the set: a keyed shuffle of each bucket, its first take[k]. */
static int mark_taken(pool* p, const buckets* b, uint64_t seed) {
    const agon_key key = agon_key_make(seed, "probes/choice", AGON_FOR_PROBE);
    uint32_t* order = (uint32_t*)malloc(p->count * sizeof *order);
    uint32_t* member = (uint32_t*)malloc(p->count * sizeof *member);
    for (int k = 0; order && member && k < b->count; k++) {
        uint32_t size = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (bucket_of(b, p->items[i].ply) == k)
                member[size++] = (uint32_t)i;
        }
        agon_shuffle(key, (uint32_t)k, order, size);
        for (size_t i = 0; i < b->take[k]; i++)
            p->items[member[order[i]]].taken = 1;
    }
    const bool done = order && member;
    free(order);
    free(member);
    return done ? 0 : out_of_memory(p);
}

/* ---- the set ------------------------------------------------------------------------------ */

static int set_open(const pool* p, agon_probes* out) {
    size_t states = 0, rows = 0;
    const size_t seats = (size_t)p->rules->spec.seats;
    for (size_t i = 0; i < p->count; i++) {
        states += p->items[i].taken;
        rows += p->items[i].taken ? (size_t)p->items[i].rows : 0;
    }
    if (rows > INT32_MAX)
        return agon_fail(p->error, AGON_ELIMIT, "probe states of %s: %zu plies, at most %d fit",
                         p->rules->name, rows, INT32_MAX);
    out->states = (int)states;
    out->seats = p->rules->spec.seats;
    out->offset = (int32_t*)calloc(states + 1, sizeof *out->offset);
    out->action = (uint16_t*)calloc(rows * seats + 1, sizeof *out->action);
    out->seat = (uint8_t*)calloc(states, sizeof *out->seat);
    out->ply = (int32_t*)calloc(states, sizeof *out->ply);
    out->weight = (double*)calloc(states, sizeof *out->weight);
    if (out->complete)
        out->reach = (double*)calloc(states, sizeof *out->reach);
    if (!out->offset || !out->action || !out->seat || !out->ply || !out->weight ||
        (out->complete && !out->reach))
        return out_of_memory(p);
    return 0;
}

/* Bucket by bucket, within a bucket in the order in which the candidates were met. */
static void set_fill(const pool* p, const buckets* b, agon_probes* out) {
    const size_t seats = (size_t)p->rules->spec.seats;
    int at = 0, filled = 0;
    for (int k = 0; k < b->count; k++)
        filled += b->take[k] > 0;
    for (int k = 0; k < b->count; k++) {
        for (size_t i = 0; i < p->count; i++) {
            const candidate* c = &p->items[i];
            if (!c->taken || bucket_of(b, c->ply) != k)
                continue;
            memcpy(out->action + (size_t)out->offset[at] * seats, p->lines + c->line * seats,
                   (size_t)c->rows * seats * sizeof *out->action);
            out->offset[at + 1] = out->offset[at] + c->rows;
            out->seat[at] = c->seat;
            out->ply[at] = c->ply;
            out->weight[at] = 1.0 / ((double)filled * (double)b->take[k]);
            if (out->reach)
                out->reach[at] = c->reach;
            at++;
        }
    }
}

static int normalise_reach(const pool* p, agon_probes* out) {
    double sum = 0;
    for (int i = 0; i < out->states; i++)
        sum += out->reach[i];
    if (!(sum > 0 && isfinite(sum)))
        return agon_fail(p->error, AGON_EUNSUPPORTED,
                         "%s: uniform play comes to its probe states with probability %g in all, "
                         "expected more than 0; run agon check",
                         p->rules->name, sum);
    for (int i = 0; i < out->states; i++)
        out->reach[i] /= sum;
    return 0;
}

static int set_make(pool* p, uint64_t seed, agon_probes* out) {
    buckets b;
    if (p->count == 0)
        return agon_fail(p->error, AGON_EUNSUPPORTED,
                         "%s: no probe states; no seat ever has two legal actions", p->rules->name);
    buckets_fill(&b, p);
    int code = mark_taken(p, &b, seed);
    if (code == 0)
        code = set_open(p, out);
    if (code != 0)
        return code;
    set_fill(p, &b, out);
    return out->reach ? normalise_reach(p, out) : 0;
}

int agon_probes_make(const agon_rules* rules, int count, uint64_t seed, agon_probes* out,
                     agon_error* error) {
    assert(count >= 1);
    pool p = {.rules = rules, .wanted = (size_t)count, .error = error};
    agon_probes made = {0};
    int code = pool_open(&p);
    if (code == 0)
        code = collect_all(&p);
    made.complete = p.count > 0;
    if (code == 0 && !made.complete)
        code = collect_sample(&p, seed);
    if (code == 0)
        code = set_make(&p, seed, &made);
    pool_close(&p);
    if (code == 0)
        *out = made;
    else
        agon_probes_close(&made);
    return code;
}
