/* tree_build.c: unrolls a game layer by layer.
 *
 * Two layers of positions are in memory at a time. In perfect-information games a position that
 * the next layer holds already (same bytes, same ply) is not added twice; rewards lie on edges, so
 * lines with different histories may share what follows. */
#include "agents/tree_inside.h"

#include "agents/keymap.h"

#include <assert.h>

/* Positions at one distance from the start; node number of entry i: first + i. */
typedef struct layer {
    size_t count, first;
    char* states;      /* (count, state_size) */
    uint64_t* pending; /* (count) seats of this ply still to choose; 0: a ply begins */
    int32_t* ply;      /* (count) */
    uint16_t* chosen;  /* (count, seats) choices of this ply so far */
    size_t state_room, pending_room, ply_room, chosen_room;
} layer;

typedef struct builder {
    agon_tree* tree;
    const agon_rules* rules;
    size_t limit;
    layer now, next;
    agon_keymap merged; /* (ply, state) of the next layer; perfect information only */
    agon_keymap known;  /* keys of information sets; imperfect information only */
    char* state;        /* (state_size) the child in the making */
    float* reward;      /* (seats) */
    uint16_t* action;   /* (seats) */
    uint64_t* mask;     /* (mask_words) */
    double* chance;     /* (chance_outcomes) */
    char* key;          /* (key_size) of an information set, or of a position */
    size_t key_size;
    agon_error* error;
} builder;

static int out_of_memory(builder* b) {
    return agon_fail(b->error, AGON_EMEMORY, "the tree of %s: out of memory after %zu nodes",
                     b->rules->name, b->tree->node_count);
}

/* ---- growing the tree --------------------------------------------------------------------- */

static int add_node(builder* b, uint32_t parent, uint32_t edge) {
    agon_tree* t = b->tree;
    if (t->node_count >= b->limit)
        return agon_fail(b->error, AGON_ELIMIT, "the tree of %s has more than %zu nodes",
                         b->rules->name, b->limit);
    if (agon_array_grow((void**)&t->nodes, &t->node_room, t->node_count + 1, sizeof *t->nodes) != 0)
        return out_of_memory(b);
    t->nodes[t->node_count++] = (agon__node){.parent = parent, .edge = edge, .infoset = -1};
    return 0;
}

/* Appends the position in b->state to the next layer, and its node to the tree. */
static int layer_push(builder* b, uint64_t pending, int ply, uint32_t parent, uint32_t edge) {
    const size_t size = b->rules->spec.state_size, seats = (size_t)b->rules->spec.seats;
    layer* l = &b->next;
    if (agon_array_grow((void**)&l->states, &l->state_room, l->count + 1, size) != 0 ||
        agon_array_grow((void**)&l->pending, &l->pending_room, l->count + 1, sizeof *l->pending) ||
        agon_array_grow((void**)&l->ply, &l->ply_room, l->count + 1, sizeof *l->ply) != 0 ||
        agon_array_grow((void**)&l->chosen, &l->chosen_room, l->count + 1,
                        seats * sizeof *l->chosen) != 0)
        return out_of_memory(b);
    const int code = add_node(b, parent, edge);
    if (code != 0)
        return code;
    memcpy(l->states + l->count * size, b->state, size);
    memset(l->chosen + l->count * seats, 0, seats * sizeof *l->chosen);
    if (pending)
        memcpy(l->chosen + l->count * seats, b->action, seats * sizeof *l->chosen);
    l->pending[l->count] = pending;
    l->ply[l->count] = ply;
    l->count++;
    return 0;
}

/* The node of the position in b->state in the next layer: one that is there, or a new one. */
static int find_child(builder* b, uint64_t pending, int ply, uint32_t parent, uint32_t edge,
                      uint32_t* child) {
    size_t number = b->next.count;
    if (b->rules->spec.information == AGON_PERFECT) {
        const size_t size = b->rules->spec.state_size;
        const int32_t at = ply;
        memcpy(b->key, &at, sizeof at);
        memcpy(b->key + sizeof at, b->state, size);
        const int added = agon_keymap_add(&b->merged, b->key, sizeof at + size, &number);
        if (added < 0)
            return out_of_memory(b);
        if (added == 0) {
            *child = (uint32_t)(b->next.first + number);
            return 0;
        }
    }
    *child = (uint32_t)(b->next.first + number);
    return layer_push(b, pending, ply, parent, edge);
}

/* An edge from `from` to the position in b->state, earning b->reward. */
static int add_edge(builder* b, uint32_t from, int action, double chance, uint64_t pending,
                    int ply) {
    agon_tree* t = b->tree;
    const size_t seats = (size_t)b->rules->spec.seats, at = t->edge_count;
    if (at >= UINT32_MAX)
        return agon_fail(b->error, AGON_ELIMIT, "the tree of %s has more than %u edges",
                         b->rules->name, UINT32_MAX);
    if (agon_array_grow((void**)&t->edges, &t->edge_room, at + 1, sizeof *t->edges) != 0 ||
        agon_array_grow((void**)&t->rewards, &t->reward_room, at + 1, seats * sizeof(float)) != 0)
        return out_of_memory(b);
    uint32_t child = 0;
    const int code = find_child(b, pending, ply, from, (uint32_t)at, &child);
    if (code != 0)
        return code;
    t->edges[at] = (agon__edge){child, (uint32_t)action, chance};
    memcpy(t->rewards + at * seats, b->reward, seats * sizeof(float));
    t->edge_count++;
    t->nodes[from].edges++;
    return 0;
}

/* ---- information sets --------------------------------------------------------------------- */

/* Fills b->key with what `seat` knows, after 8 bytes for the seat: games may write floats, which
 * want an aligned place. Returns its length. */
static size_t infoset_key(builder* b, const void* state, int seat) {
    const agon_rules* r = b->rules;
    memset(b->key, 0, b->key_size);
    b->key[0] = (char)seat;
    if (r->game->infostate) {
        const int length = r->game->infostate(r->config, state, seat, b->key + 8);
        assert(length >= 0 && length <= AGON_INFOSTATE);
        return 8 + (size_t)length;
    }
    const size_t mask = (size_t)r->mask_words * sizeof(uint64_t);
    r->game->observe(r->config, state, seat, b->key + 8);
    memcpy(b->key + 8 + r->obs_bytes, b->mask, mask);
    return 8 + r->obs_bytes + mask;
}

/* A new information set with b->mask as its legal actions. */
static int add_infoset(builder* b, const void* state, int seat, int ply, uint32_t node) {
    agon_tree* t = b->tree;
    const size_t size = b->rules->spec.state_size, words = (size_t)b->rules->mask_words;
    const size_t at = t->set_count;
    if (at >= INT32_MAX)
        return agon_fail(b->error, AGON_ELIMIT, "the tree of %s has too many information sets",
                         b->rules->name);
    if (agon_array_grow((void**)&t->sets, &t->set_room, at + 1, sizeof *t->sets) != 0 ||
        agon_array_grow((void**)&t->states, &t->state_room, at + 1, size) != 0 ||
        agon_array_grow((void**)&t->masks, &t->mask_room, at + 1, words * sizeof(uint64_t)) != 0)
        return out_of_memory(b);
    t->sets[at] = (agon__infoset){.ply = ply, .node = node, .seat = (uint8_t)seat};
    memcpy(t->states + at * size, state, size);
    memcpy(t->masks + at * words, b->mask, words * sizeof(uint64_t));
    t->set_count++;
    return 0;
}

static int find_infoset(builder* b, const void* state, int seat, int ply, uint32_t node) {
    const size_t words = (size_t)b->rules->mask_words;
    size_t number = b->tree->set_count;
    int added = 1;
    if (b->rules->spec.information != AGON_PERFECT)
        added = agon_keymap_add(&b->known, b->key, infoset_key(b, state, seat), &number);
    if (added < 0)
        return out_of_memory(b);
    b->tree->nodes[node].infoset = (int32_t)number;
    if (added)
        return add_infoset(b, state, seat, ply, node);
    if (memcmp(b->tree->masks + number * words, b->mask, words * sizeof(uint64_t)) != 0)
        return agon_fail(b->error, AGON_EINVALID,
                         "%s: seat %d has different legal actions in positions that its "
                         "information state does not tell apart",
                         b->rules->name, seat);
    return 0;
}

/* ---- expanding ---------------------------------------------------------------------------- */

/* The edge of one ply, of nature or of seats: b->action holds the choices. */
static int expand_ply(builder* b, size_t i, int action, double chance, int ply) {
    const agon_rules* r = b->rules;
    memcpy(b->state, b->now.states + i * r->spec.state_size, r->spec.state_size);
    memset(b->reward, 0, (size_t)r->spec.seats * sizeof *b->reward);
    if (r->game->apply(r->config, b->state, b->action, b->reward) != 0)
        return agon_fail(b->error, AGON_EINVALID, "%s refuses action %d, which it calls legal",
                         r->name, action);
    return add_edge(b, (uint32_t)(b->now.first + i), action, chance, 0, ply);
}

/* The edge of a choice that later seats of the same ply do not see. */
static int expand_hidden(builder* b, size_t i, int action, uint64_t rest) {
    const agon_rules* r = b->rules;
    memcpy(b->state, b->now.states + i * r->spec.state_size, r->spec.state_size);
    memset(b->reward, 0, (size_t)r->spec.seats * sizeof *b->reward);
    return add_edge(b, (uint32_t)(b->now.first + i), action, 1.0, rest, b->now.ply[i]);
}

static int expand_decision(builder* b, size_t i, uint64_t pending) {
    const agon_rules* r = b->rules;
    const size_t seats = (size_t)r->spec.seats;
    const void* state = b->now.states + i * r->spec.state_size;
    const uint32_t node = (uint32_t)(b->now.first + i);
    const int seat = __builtin_ctzll(pending);
    const uint64_t rest = pending & (pending - 1);
    if (rest && r->spec.information == AGON_PERFECT)
        return agon_fail(b->error, AGON_EINVALID,
                         "%s says that it has perfect information, yet seats act together",
                         r->name);
    memset(b->mask, 0, (size_t)r->mask_words * sizeof *b->mask);
    r->game->legal(r->config, state, seat, b->mask);
    int code = find_infoset(b, state, seat, b->now.ply[i], node);
    b->tree->nodes[node].seat = (uint8_t)seat;
    b->tree->nodes[node].closes = rest == 0;
    for (int a = 0; code == 0 && a < r->spec.actions; a++) {
        if (!agon_mask_has(b->mask, a))
            continue;
        memcpy(b->action, b->now.chosen + i * seats, seats * sizeof *b->action);
        b->action[seat] = (uint16_t)a;
        code = rest ? expand_hidden(b, i, a, rest) : expand_ply(b, i, a, 1.0, b->now.ply[i] + 1);
    }
    if (code == 0 && b->tree->nodes[node].edges == 0)
        return agon_fail(b->error, AGON_EINVALID, "%s: seat %d acts but has no legal action",
                         r->name, seat);
    return code;
}

static int expand_chance(builder* b, size_t i) {
    const agon_rules* r = b->rules;
    const void* state = b->now.states + i * r->spec.state_size;
    const int outcomes = r->game->chance(r->config, state, b->chance);
    int code = 0;
    for (int k = 0; code == 0 && k < outcomes; k++) {
        memset(b->action, 0, (size_t)r->spec.seats * sizeof *b->action);
        b->action[0] = (uint16_t)k;
        code = expand_ply(b, i, k, b->chance[k], b->now.ply[i]);
    }
    return code;
}

static int expand(builder* b, size_t i) {
    const agon_rules* r = b->rules;
    const void* state = b->now.states + i * r->spec.state_size;
    const uint64_t pending =
        b->now.pending[i] ? b->now.pending[i] : r->game->acting(r->config, state);
    b->tree->nodes[b->now.first + i].first = (uint32_t)b->tree->edge_count;
    if (pending == 0)
        return 0;
    return pending == AGON_CHANCE ? expand_chance(b, i) : expand_decision(b, i, pending);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int builder_open(builder* b) {
    const agon_spec* spec = &b->rules->spec;
    const size_t words = (size_t)b->rules->mask_words * sizeof(uint64_t);
    const size_t seats = (size_t)spec->seats;
    size_t key = b->rules->obs_bytes + words;
    key = key < spec->state_size ? spec->state_size : key;
    key = key < AGON_INFOSTATE ? AGON_INFOSTATE : key;
    b->key_size = 8 + key;
    b->state = (char*)calloc(1, spec->state_size);
    b->reward = (float*)calloc(seats, sizeof *b->reward);
    b->action = (uint16_t*)calloc(seats, sizeof *b->action);
    b->mask = (uint64_t*)calloc(1, words);
    b->chance = (double*)calloc((size_t)spec->chance_outcomes + 1, sizeof *b->chance);
    b->key = (char*)calloc(1, b->key_size);
    if (!b->state || !b->reward || !b->action || !b->mask || !b->chance || !b->key)
        return out_of_memory(b);
    return 0;
}

static void layer_free(layer* l) {
    free(l->states);
    free(l->pending);
    free(l->ply);
    free(l->chosen);
}

static void builder_close(builder* b) {
    layer_free(&b->now);
    layer_free(&b->next);
    agon_keymap_free(&b->merged);
    agon_keymap_free(&b->known);
    free(b->state);
    free(b->reward);
    free(b->action);
    free(b->mask);
    free(b->chance);
    free(b->key);
}

static int unroll(builder* b) {
    b->rules->game->init(b->rules->config, b->state);
    int code = layer_push(b, 0, 0, 0, 0);
    while (code == 0 && b->next.count > 0) {
        const layer done = b->now;
        b->now = b->next;
        b->next = done;
        b->next.count = 0;
        b->next.first = b->tree->node_count;
        agon_keymap_clear(&b->merged);
        for (size_t i = 0; code == 0 && i < b->now.count; i++)
            code = expand(b, i);
    }
    return code;
}

static int fill_reach(agon_tree* t) {
    double* reach = (double*)calloc(t->node_count, sizeof *reach);
    if (!reach)
        return AGON_EMEMORY;
    reach[0] = 1.0;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        const bool decides = agon__node_decides(node);
        if (decides)
            t->sets[node->infoset].reach += reach[n];
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            reach[t->edges[e].child] +=
                reach[n] * (decides ? 1.0 / node->edges : t->edges[e].chance);
    }
    free(reach);
    return 0;
}

int agon_tree_open(const agon_rules* rules, size_t limit, agon_tree** out, agon_error* error) {
    builder b = {.rules = rules, .limit = limit, .error = error};
    if (b.limit > UINT32_MAX)
        b.limit = UINT32_MAX;
    b.tree = (agon_tree*)calloc(1, sizeof *b.tree);
    if (!b.tree)
        return agon_fail(error, AGON_EMEMORY, "the tree of %s: out of memory", rules->name);
    b.tree->rules = rules;
    int code = builder_open(&b);
    if (code == 0)
        code = unroll(&b);
    if (code == 0 && fill_reach(b.tree) != 0)
        code = out_of_memory(&b);
    builder_close(&b);
    if (code == 0)
        *out = b.tree;
    else
        agon_tree_close(b.tree);
    return code;
}
