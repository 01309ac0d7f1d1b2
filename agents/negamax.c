/* negamax.c: values inside are those of seat 0, with a sign for the seat that moves; in a
 * constant-sum game what one seat gains the other loses. */
#include "agents/negamax.h"

#include "agents/keymap.h"

#include <math.h>

enum { EXACT = 3, LOWER = 1, UPPER = 2 }; /* what is known: value >= LOWER, value <= UPPER */
enum { WHOLE = 255 };

typedef struct entry {
    uint64_t key;
    float value; /* for the seat that moves */
    uint16_t action;
    uint8_t bound : 2;  /* 0: empty */
    uint8_t effort : 6; /* log2 of the nodes below */
    uint8_t horizon;    /* plies it looked ahead; WHOLE: to all ends that matter */
} entry;

/* One level's children: what there is to choose from, and the positions after. */
typedef struct child {
    uint64_t key, acting;
    float gain; /* earned on the way, for the seat that moves */
    float sign; /* of the child's value: -1 when the other seat moves there */
    uint32_t score;
    uint16_t action;
    uint16_t slot; /* its state in the level's block */
} child;

typedef struct level {
    child* children; /* (actions) */
    char* states;    /* (actions, state_size) */
} level;

struct agon_negamax {
    const agon_rules* rules;
    entry* table; /* (buckets, 2): by effort, and the newest */
    uint64_t buckets;
    level* levels; /* (level_count) */
    size_t level_count, level_room;
    uint64_t* mask;
    uint32_t* history; /* (2, actions) */
    uint64_t nodes, limit;
    float low, high; /* bounds of values for seat 0 at the root */
    bool guessed;    /* the last value rests on a position at the horizon */
    int code;        /* of the search under way */
    agon_error* error;
};

/* ---- the table ---------------------------------------------------------------------------- */

static uint64_t hash_state(const agon_rules* rules, const void* state) {
    const uint64_t* word = (const uint64_t*)state;
    uint64_t hash = 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < rules->spec.state_size / 8; i++) {
        hash = (hash ^ word[i]) * 0xbf58476d1ce4e5b9ull;
        hash ^= hash >> 32;
    }
    return hash;
}

static entry* find_entry(agon_negamax* n, uint64_t key) {
    entry* bucket = n->table + 2 * (key & (n->buckets - 1));
    for (int i = 0; i < 2; i++) {
        if (bucket[i].bound && bucket[i].key == key)
            return &bucket[i];
    }
    return NULL;
}

/* `with` replaces what cost less; the other place takes whatever comes. */
static void store_entry(agon_negamax* n, entry with) {
    entry* bucket = n->table + 2 * (with.key & (n->buckets - 1));
    entry* to = &bucket[1];
    if (!bucket[0].bound || bucket[0].key == with.key || with.effort >= bucket[0].effort) {
        if (bucket[0].bound && bucket[0].key != with.key)
            bucket[1] = bucket[0];
        to = &bucket[0];
    }
    *to = with;
}

/* ---- children ----------------------------------------------------------------------------- */

static level* level_at(agon_negamax* n, size_t at) {
    const size_t actions = (size_t)n->rules->spec.actions;
    if (at < n->level_count)
        return &n->levels[at];
    level l = {(child*)malloc(actions * sizeof *l.children),
               (char*)malloc(actions * n->rules->spec.state_size)};
    if (!l.children || !l.states ||
        agon_array_grow((void**)&n->levels, &n->level_room, at + 1, sizeof l) != 0) {
        free(l.children);
        free(l.states);
        n->code = agon_fail(n->error, AGON_EMEMORY, "negamax on %s: out of memory at ply %zu",
                            n->rules->name, at);
        return NULL;
    }
    n->levels[n->level_count++] = l;
    return &n->levels[at];
}

/* Plays every legal action of `seat`. Returns the number of children, sorted by nothing yet. */
static int make_children(agon_negamax* n, const void* state, int seat, level* l) {
    const agon_rules* r = n->rules;
    const size_t size = r->spec.state_size;
    int count = 0;
    memset(n->mask, 0, (size_t)r->mask_words * sizeof *n->mask);
    r->game->legal(r->config, state, seat, n->mask);
    for (int word = 0; word < r->mask_words; word++) {
        for (uint64_t bits = n->mask[word]; bits; bits &= bits - 1) {
            uint16_t action[2];
            float reward[2] = {0, 0};
            child* c = &l->children[count];
            char* next = l->states + (size_t)count * size;
            action[seat] = c->action = (uint16_t)(64 * word + __builtin_ctzll(bits));
            memcpy(next, state, size);
            if (r->game->apply(r->config, next, action, reward) != 0) {
                n->code =
                    agon_fail(n->error, AGON_EINVALID, "%s refuses action %d, which it calls legal",
                              r->name, action[seat]);
                return 0;
            }
            c->acting = r->game->acting(r->config, next);
            c->gain = seat == 0 ? reward[0] : -reward[0];
            c->sign = c->acting == 1ull << seat ? 1.0f : -1.0f;
            c->slot = (uint16_t)count++;
            if (c->acting) {
                c->key = hash_state(r, next);
                __builtin_prefetch(n->table + 2 * (c->key & (n->buckets - 1)));
            }
        }
    }
    return count;
}

/* ---- search ------------------------------------------------------------------------------- */

/* What is to be found out about a position, all for the seat that moves there. */
typedef struct quest {
    float alpha, beta;
    float middle; /* stands for what lies beyond the horizon; strictly between win and loss */
    int horizon;  /* plies to look ahead */
} quest;

static quest child_quest(const quest* q, float alpha, const child* c) {
    const float low = (alpha - c->gain) * c->sign, high = (q->beta - c->gain) * c->sign;
    return (quest){c->sign > 0 ? low : high, c->sign > 0 ? high : low,
                   (q->middle - c->gain) * c->sign, q->horizon - 1};
}

/* What a child is worth without a search: finished, or bounded by the table. */
static int known_child(agon_negamax* n, const child* c, int horizon, float* value) {
    n->guessed = false;
    if (!c->acting) {
        *value = c->gain;
        return EXACT;
    }
    const entry* e = find_entry(n, c->key);
    if (!e)
        return 0;
    *value = c->gain + c->sign * e->value;
    if (e->horizon < horizon - 1)
        return 0;
    n->guessed = e->horizon != WHOLE;
    return c->sign > 0 || e->bound == EXACT ? e->bound : LOWER + UPPER - e->bound;
}

/* Best known first; a selection sort step, because most nodes end after one or two children. */
static void pick_child(child* children, int from, int count) {
    int best = from;
    for (int i = from + 1; i < count; i++)
        best = children[i].score > children[best].score ? i : best;
    const child chosen = children[best];
    children[best] = children[from];
    children[from] = chosen;
}

typedef struct window {
    float alpha, beta, best;
    int action;
    bool guessed; /* some value so far is */
} window;

static bool take(window* w, float value, int action, bool guessed) {
    if (value > w->best) {
        w->best = value;
        w->action = action;
    }
    if (value > w->alpha)
        w->alpha = value;
    w->guessed |= guessed;
    if (w->alpha < w->beta)
        return false;
    w->guessed = guessed; /* this child alone is the proof */
    return true;
}

/* Takes what is known of the children already, and leaves the others in front, with scores.
 * Returns how many are left, -1 after a cut. */
static int sift_children(agon_negamax* n, level* l, int count, int seat, int tried, const quest* q,
                         window* w) {
    const uint32_t* history = n->history + (size_t)seat * (size_t)n->rules->spec.actions;
    int left = 0;
    for (int i = 0; i < count; i++) {
        child c = l->children[i];
        float value = 0;
        const int bound = known_child(n, &c, q->horizon, &value);
        if (bound & LOWER && take(w, value, c.action, n->guessed))
            return -1;
        if (bound == EXACT)
            continue;
        if (bound == UPPER && value <= w->alpha) { /* cannot help, but may be the best there is */
            take(w, value, c.action, n->guessed);
            continue;
        }
        c.score = c.action == tried ? UINT32_MAX : history[c.action];
        l->children[left++] = c;
    }
    return left;
}

static float search(agon_negamax* n, const void* state, uint64_t key, size_t depth, int seat,
                    quest q);

static void search_children(agon_negamax* n, int left, size_t depth, int seat, const quest* q,
                            window* w) {
    const size_t size = n->rules->spec.state_size;
    uint32_t* history = n->history + (size_t)seat * (size_t)n->rules->spec.actions;
    for (int i = 0; i < left && n->code == 0; i++) {
        level* l = &n->levels[depth]; /* deeper levels may have moved it */
        pick_child(l->children, i, left);
        const child c = l->children[i];
        const float value =
            c.gain + c.sign * search(n, l->states + c.slot * size, c.key, depth + 1,
                                     __builtin_ctzll(c.acting), child_quest(q, w->alpha, &c));
        if (take(w, value, c.action, n->guessed)) {
            history[c.action] += (uint32_t)(q->horizon * q->horizon);
            if (history[c.action] > UINT32_MAX / 4)
                for (int a = 0; a < 2 * n->rules->spec.actions; a++)
                    n->history[a] /= 2;
            return;
        }
    }
}

/* The value for `seat` within [alpha, beta], or a bound outside of it (fail-soft). Sets guessed. */
static float search(agon_negamax* n, const void* state, uint64_t key, size_t depth, int seat,
                    quest q) {
    n->guessed = true;
    if (q.horizon == 0)
        return q.middle;
    const entry* known = find_entry(n, key);
    const int tried = known ? known->action : -1;
    level* l = level_at(n, depth);
    window w = {q.alpha, q.beta, -INFINITY, -1, false};
    const uint64_t begun = n->nodes++;
    if (n->nodes > n->limit)
        n->code = AGON_ELIMIT;
    if (n->code != 0)
        return 0;
    const int left = sift_children(n, l, make_children(n, state, seat, l), seat, tried, &q, &w);
    if (left > 0)
        search_children(n, left, depth, seat, &q, &w);
    if (n->code != 0)
        return 0;
    const int bound = w.best >= q.beta ? LOWER : w.best <= q.alpha ? UPPER : EXACT;
    store_entry(n, (entry){.key = key,
                           .value = w.best,
                           .action = (uint16_t)(w.action < 0 ? 0 : w.action),
                           .bound = (uint8_t)bound & 3,
                           .effort = (uint8_t)(63 - __builtin_clzll(n->nodes - begun)) & 63,
                           .horizon = (uint8_t)(w.guessed ? q.horizon : WHOLE)});
    n->guessed = w.guessed;
    return w.best;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int agon_negamax_open(const agon_rules* rules, size_t table_bytes, agon_negamax** out,
                      agon_error* error) {
    const int code = agon_rules_need_minimax(rules, "negamax", error);
    if (code != 0)
        return code;
    agon_negamax* n = (agon_negamax*)calloc(1, sizeof *n);
    if (!n)
        return agon_fail(error, AGON_EMEMORY, "negamax on %s: out of memory", rules->name);
    n->rules = rules;
    for (n->buckets = 1 << 15; 4 * sizeof(entry) * n->buckets <= table_bytes;)
        n->buckets *= 2;
    n->table = (entry*)calloc(2 * n->buckets, sizeof *n->table);
    n->mask = (uint64_t*)calloc((size_t)rules->mask_words, sizeof *n->mask);
    n->history = (uint32_t*)calloc(2 * (size_t)rules->spec.actions, sizeof *n->history);
    if (!n->table || !n->mask || !n->history) {
        agon_negamax_close(n);
        return agon_fail(error, AGON_EMEMORY, "negamax on %s: no memory for a table of %zu bytes",
                         rules->name, table_bytes);
    }
    *out = n;
    return 0;
}

void agon_negamax_close(agon_negamax* n) {
    if (!n)
        return;
    for (size_t i = 0; i < n->level_count; i++) {
        free(n->levels[i].children);
        free(n->levels[i].states);
    }
    free(n->levels);
    free(n->table);
    free(n->mask);
    free(n->history);
    free(n);
}

/* What may be had after `gain` was: the game's bounds, and the middle between them. */
static quest full_quest(const agon_negamax* n, int seat, float gain, int horizon) {
    const float low = (seat == 0 ? n->low : -n->high) - gain;
    const float high = (seat == 0 ? n->high : -n->low) - gain;
    return (quest){low, high, 0.5f * (low + high), horizon};
}

/* Looks farther and farther ahead until nothing is guessed: short wins are found in short searches,
 * and each search leaves the next one its order of moves. */
static float search_root(agon_negamax* n, const void* state, size_t depth, int seat, float gain) {
    const uint64_t key = hash_state(n->rules, state);
    float value = 0;
    n->guessed = true;
    for (int horizon = 2; n->guessed && n->code == 0 && horizon < WHOLE; horizon += 2)
        value = search(n, state, key, depth, seat, full_quest(n, seat, gain, horizon));
    if (n->guessed && n->code == 0)
        n->code = AGON_ELIMIT;
    return value;
}

/* Every action with the full window; the table makes the later ones cheap. */
static float solve_actions(agon_negamax* n, const void* state, int seat, float* action_value) {
    const size_t size = n->rules->spec.state_size;
    float best = -INFINITY;
    level* l = level_at(n, 0);
    const int count = l ? make_children(n, state, seat, l) : 0;
    for (int i = 0; i < count && n->code == 0; i++) {
        const child c = n->levels[0].children[i];
        const char* next = n->levels[0].states + c.slot * size;
        float value = c.gain;
        if (c.acting)
            value += c.sign * search_root(n, next, 1, __builtin_ctzll(c.acting), c.sign * c.gain);
        action_value[c.action] = value;
        best = value > best ? value : best;
    }
    return best;
}

int agon_negamax_solve(agon_negamax* n, const void* state, float earned, uint64_t limit,
                       float* value, float* action_value, uint64_t* nodes, agon_error* error) {
    const agon_rules* r = n->rules;
    const int seat = __builtin_ctzll(r->game->acting(r->config, state));
    const size_t actions = (size_t)r->spec.actions;
    float* found = (float*)malloc(actions * sizeof *found);
    if (!found)
        return agon_fail(error, AGON_EMEMORY, "negamax on %s: out of memory", r->name);
    for (size_t a = 0; a < actions; a++)
        found[a] = NAN;
    n->low = r->spec.return_min - earned;
    n->high = r->spec.return_max - earned;
    n->nodes = 0;
    n->limit = limit;
    n->code = 0;
    n->error = error;
    const float best =
        action_value ? solve_actions(n, state, seat, found) : search_root(n, state, 0, seat, 0);
    if (n->code == AGON_ELIMIT)
        agon_fail(error, AGON_ELIMIT, "negamax on %s: not solved within %llu positions", r->name,
                  (unsigned long long)limit);
    if (n->code == 0) {
        *value = best;
        if (action_value)
            memcpy(action_value, found, actions * sizeof *found);
    }
    if (nodes)
        *nodes = n->nodes;
    free(found);
    return n->code;
}
