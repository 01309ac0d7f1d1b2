/* perft.c: one walker over the plies of a position, and what is counted at each. */
#include "agents/perft.h"

#include "agents/keymap.h"

/* The plies of one position, in order: an odometer over the acting seats' legal actions. */
typedef struct plies {
    const agon_rules* rules;
    const void* state;
    uint64_t acting;
    int seats;                /* that act; 1 at a chance node */
    int seat[AGON_MAX_SEATS]; /* which */
    int outcomes;             /* of a chance node */
    uint16_t action[AGON_MAX_SEATS];
    uint64_t* mask; /* (seats of the game, mask_words) */
    bool done;
} plies;

static int next_legal(const plies* p, int i, int from) {
    if (p->acting == AGON_CHANCE)
        return from < p->outcomes ? from : -1;
    const uint64_t* mask = p->mask + (size_t)i * (size_t)p->rules->mask_words;
    for (int a = from; a < p->rules->spec.actions; a++) {
        if (agon_mask_has(mask, a))
            return a;
    }
    return -1;
}

static int no_action(const plies* p, agon_error* error) {
    return agon_fail(error, AGON_EINVALID, "%s: a position without a legal action or outcome",
                     p->rules->name);
}

/* Seats of the game, or chance in a game that has it. */
static bool acting_is_sane(const agon_rules* rules, uint64_t acting) {
    if (acting == AGON_CHANCE)
        return rules->game->chance != NULL;
    return (acting >> rules->spec.seats) == 0;
}

/* `acting` is not 0. */
static int plies_begin(plies* p, const agon_rules* rules, const void* state, uint64_t acting,
                       uint64_t* mask, double* chance, agon_error* error) {
    const size_t words = (size_t)rules->mask_words;
    *p = (plies){.rules = rules, .state = state, .acting = acting, .mask = mask};
    if (!acting_is_sane(rules, acting))
        return agon_fail(error, AGON_EINVALID,
                         "%s: acting set %016llx, expected some of %d seats%s", rules->name,
                         (unsigned long long)acting, rules->spec.seats,
                         rules->game->chance ? ", or chance" : "");
    if (acting == AGON_CHANCE) {
        p->outcomes = rules->game->chance(rules->config, state, chance);
        p->seats = 1;
        return p->outcomes > 0 ? 0 : no_action(p, error);
    }
    memset(mask, 0, (size_t)rules->spec.seats * words * sizeof *mask);
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!(acting >> seat & 1))
            continue;
        const int i = p->seats++;
        p->seat[i] = seat;
        rules->game->legal(rules->config, state, seat, mask + (size_t)i * words);
        const int first = next_legal(p, i, 0);
        if (first < 0)
            return no_action(p, error);
        p->action[seat] = (uint16_t)first;
    }
    return 0;
}

static void plies_next(plies* p) {
    for (int i = p->seats; i-- > 0;) {
        const int seat = p->seat[i];
        const int next = next_legal(p, i, p->action[seat] + 1);
        if (next >= 0) {
            p->action[seat] = (uint16_t)next;
            return;
        }
        p->action[seat] = (uint16_t)next_legal(p, i, 0);
    }
    p->done = true;
}

static int plies_play(const plies* p, void* child, float* reward, agon_error* error) {
    memcpy(child, p->state, p->rules->spec.state_size);
    if (p->rules->game->apply(p->rules->config, child, p->action, reward) == 0)
        return 0;
    return agon_fail(error, AGON_EINVALID, "%s refuses an action that it calls legal",
                     p->rules->name);
}

/* ---- walking ------------------------------------------------------------------------------ */

typedef struct walker {
    const agon_rules* rules;
    agon_error* error;
    agon_perft_mode mode;
    void** levels; /* (level_count) by distance from the start: a child's state, then masks */
    size_t level_count, level_room;
    double* chance; /* (chance_outcomes) */
    float reward[AGON_MAX_SEATS];
    agon_perft_nodes nodes;
} walker;

/* The child state of a level, whose masks follow it; NULL: out of memory, and the error is set. */
static void* level_at(walker* w, size_t level) {
    const agon_rules* r = w->rules;
    const size_t masks = (size_t)r->spec.seats * (size_t)r->mask_words * sizeof(uint64_t);
    if (level < w->level_count)
        return w->levels[level];
    void* block = malloc(r->spec.state_size + masks);
    if (!block || agon_array_grow((void**)&w->levels, &w->level_room, level + 1, sizeof block)) {
        free(block);
        agon_fail(w->error, AGON_EMEMORY, "perft of %s: no memory for %zu plies", r->name, level);
        return NULL;
    }
    w->levels[w->level_count++] = block;
    return block;
}

static uint64_t* level_mask(const walker* w, void* child) {
    return (uint64_t*)((char*)child + w->rules->spec.state_size);
}

static int walker_open(walker* w, const agon_rules* rules, agon_error* error) {
    *w = (walker){.rules = rules, .error = error};
    w->chance = (double*)calloc((size_t)rules->spec.chance_outcomes + 1, sizeof *w->chance);
    if (!w->chance)
        return agon_fail(error, AGON_EMEMORY, "perft of %s: out of memory", rules->name);
    return 0;
}

static void walker_close(walker* w) {
    for (size_t i = 0; i < w->level_count; i++)
        free(w->levels[i]);
    free(w->levels);
    free(w->chance);
}

/* A chance node's outcomes, or the product of the acting seats' legal actions: the plies of the
 * last level need not be played to be counted. */
static uint64_t count_plies(const plies* p) {
    uint64_t count = 1;
    if (p->acting == AGON_CHANCE)
        return (uint64_t)p->outcomes;
    for (int i = 0; i < p->seats; i++)
        count *= (uint64_t)agon_mask_count(p->mask + (size_t)i * (size_t)p->rules->mask_words,
                                           p->rules->mask_words);
    return count;
}

static int count_lines(walker* w, const void* state, size_t level, int depth, uint64_t* count) {
    const uint64_t acting = w->rules->game->acting(w->rules->config, state);
    plies p;
    if (depth == 0 || !acting) {
        *count += depth == 0 || w->mode == AGON_PERFT_ENDS;
        return 0;
    }
    void* child = level_at(w, level);
    if (!child)
        return AGON_EMEMORY;
    int code = plies_begin(&p, w->rules, state, acting, level_mask(w, child), w->chance, w->error);
    if (code == 0 && depth == 1) {
        *count += count_plies(&p);
        return 0;
    }
    for (; code == 0 && !p.done; plies_next(&p)) {
        code = plies_play(&p, child, w->reward, w->error);
        if (code == 0)
            code = count_lines(w, child, level + 1, depth - 1, count);
    }
    return code;
}

static int count_nodes(walker* w, const void* state, size_t level, int depth) {
    const uint64_t acting = w->rules->game->acting(w->rules->config, state);
    plies p;
    w->nodes.chance += acting == AGON_CHANCE;
    w->nodes.decisions += acting && acting != AGON_CHANCE;
    w->nodes.ends += acting == 0;
    if (!acting || depth == 0)
        return 0;
    void* child = level_at(w, level);
    if (!child)
        return AGON_EMEMORY;
    int code = plies_begin(&p, w->rules, state, acting, level_mask(w, child), w->chance, w->error);
    for (; code == 0 && !p.done; plies_next(&p)) {
        code = plies_play(&p, child, w->reward, w->error);
        if (code == 0)
            code = count_nodes(w, child, level + 1, depth - 1);
    }
    return code;
}

/* ---- positions ---------------------------------------------------------------------------- */

static int add_children(walker* w, const void* state, agon_keymap* next) {
    const size_t size = w->rules->spec.state_size;
    const uint64_t acting = w->rules->game->acting(w->rules->config, state);
    void* child = level_at(w, 0);
    plies p;
    if (!acting || !child)
        return child ? 0 : AGON_EMEMORY;
    int code = plies_begin(&p, w->rules, state, acting, level_mask(w, child), w->chance, w->error);
    for (; code == 0 && !p.done; plies_next(&p)) {
        size_t number;
        code = plies_play(&p, child, w->reward, w->error);
        if (code == 0 && agon_keymap_add(next, child, size, &number) < 0)
            code = agon_fail(w->error, AGON_EMEMORY, "perft of %s: no memory for %zu positions",
                             w->rules->name, next->count);
    }
    return code;
}

static int count_positions(walker* w, const void* state, int depth, uint64_t* count) {
    agon_keymap now = {0}, next = {0};
    size_t number;
    int code = agon_keymap_add(&now, state, w->rules->spec.state_size, &number) < 0;
    if (code)
        agon_fail(w->error, code = AGON_EMEMORY, "perft of %s: out of memory", w->rules->name);
    for (int ply = 0; code == 0 && ply < depth; ply++) {
        agon_keymap_clear(&next);
        for (size_t i = 0; code == 0 && i < now.count; i++)
            code = add_children(w, now.bytes + now.entries[i].offset, &next);
        const agon_keymap done = now;
        now = next;
        next = done;
    }
    *count = now.count;
    agon_keymap_free(&now);
    agon_keymap_free(&next);
    return code;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int agon_perft(const agon_rules* rules, const void* state, int depth, agon_perft_mode mode,
               uint64_t* count, agon_error* error) {
    walker w;
    uint64_t found = 0;
    int code = walker_open(&w, rules, error);
    w.mode = mode;
    if (code == 0)
        code = mode == AGON_PERFT_POSITIONS ? count_positions(&w, state, depth, &found)
                                            : count_lines(&w, state, 0, depth, &found);
    walker_close(&w);
    if (code == 0)
        *count = found;
    return code;
}

int agon_perft_tree(const agon_rules* rules, const void* state, int depth, agon_perft_nodes* out,
                    agon_error* error) {
    walker w;
    int code = walker_open(&w, rules, error);
    if (code == 0)
        code = count_nodes(&w, state, 0, depth);
    walker_close(&w);
    if (code == 0)
        *out = w.nodes;
    return code;
}

int agon_perft_children(const agon_rules* rules, const void* state,
                        int (*each)(void* user, uint64_t acting, const uint16_t* action,
                                    const void* child),
                        void* user, agon_error* error) {
    const uint64_t acting = rules->game->acting(rules->config, state);
    walker w;
    plies p;
    int code = walker_open(&w, rules, error);
    void* child = code == 0 ? level_at(&w, 0) : NULL;
    code = code == 0 && !child ? AGON_EMEMORY : code;
    if (code == 0 && acting)
        code = plies_begin(&p, rules, state, acting, level_mask(&w, child), w.chance, error);
    for (; code == 0 && acting && !p.done; plies_next(&p)) {
        code = plies_play(&p, child, w.reward, error);
        if (code == 0)
            code = each(user, acting, p.action, child);
    }
    walker_close(&w);
    return code;
}
