/* mcts.c: UCT (Kocsis and Szepesvari 2006) with uniformly random playouts.
 *
 * Each playout walks down the tree by mean + c * sqrt(ln N / n), adds one node, plays on at random
 * and credits every node on its way with the result, scaled to [0, 1] by the game's return bounds.
 * The move most often tried is played; equal counts: the higher mean, then the lowest index. All
 * randomness is draws 1, 2, ... of the slot's counter, so the choice is a function of position and
 * counter; the probabilities given are those of that one choice, 1 and 0.
 *
 * The tree holds no positions: a walk replays its actions. Memory is taken when the policy is
 * opened (32 bytes per playout); one thread at a time may use a policy object. */
#include "agents/scripted.h"

#include "agents/real.h"

#include <math.h>

typedef struct node {
    uint32_t parent;
    uint32_t child;   /* the newest child; 0: none */
    uint32_t sibling; /* the next older one; 0: none */
    uint32_t visits;
    double total;    /* of results for the seat that moved here */
    uint16_t action; /* the move that leads here */
    uint8_t mover;
} node;

typedef struct mcts {
    agon__walk* walk;
    node* nodes; /* (playouts + 1) */
    uint32_t count;
    int playouts;
    double c;
    double scale; /* results per unit of half the difference of returns */
    const agon_batch* batch;
    int slot;
    uint32_t draw; /* the next of the slot's counter */
    int left;      /* words unused of the last */
    agon_draw words;
} mcts;

static uint32_t next_below(mcts* m, uint32_t n) {
    if (m->left == 0) {
        const agon_batch* b = m->batch;
        m->words =
            agon_random(b->key, b->episode[m->slot], b->ply[m->slot], b->seat[m->slot], m->draw++);
        m->left = 4;
    }
    return agon_below(m->words.word[4 - m->left--], n);
}

/* Half the difference of rewards of the ply just played. */
static double ply_gain(const agon__walk* walk) {
    return 0.5 * ((double)walk->reward[0] - (double)walk->reward[1]);
}

/* The child with the highest upper confidence bound; equal bounds: the lowest action. */
static uint32_t best_child(const mcts* m, uint32_t at) {
    const double log_visits = agon_log((double)m->nodes[at].visits);
    double best = -INFINITY;
    uint32_t chosen = 0;
    for (uint32_t i = m->nodes[at].child; i; i = m->nodes[i].sibling) {
        const node* n = &m->nodes[i];
        const double bound = n->total / n->visits + m->c * sqrt(log_visits / n->visits);
        if (bound > best || (bound == best && n->action < m->nodes[chosen].action)) {
            best = bound;
            chosen = i;
        }
    }
    return chosen;
}

/* A random action of `seat` that the node has no child for, or -1. */
static int untried(mcts* m, uint32_t at, int seat) {
    const int words = m->walk->rules->mask_words;
    uint64_t* mask = agon__walk_legal(m->walk, 1, seat);
    for (uint32_t i = m->nodes[at].child; i; i = m->nodes[i].sibling)
        mask[m->nodes[i].action >> 6] &= ~(1ull << (m->nodes[i].action & 63));
    const int count = agon_mask_count(mask, words);
    return count ? agon_mask_nth(mask, words, (int)next_below(m, (uint32_t)count)) : -1;
}

static uint32_t add_child(mcts* m, uint32_t at, int seat, int action) {
    const uint32_t added = m->count++;
    m->nodes[added] = (node){.parent = at,
                             .sibling = m->nodes[at].child,
                             .action = (uint16_t)action,
                             .mover = (uint8_t)seat};
    m->nodes[at].child = added;
    return added;
}

/* Plays uniformly random moves to the end; returns what they gained. */
static double play_out(mcts* m, uint64_t acting) {
    const int words = m->walk->rules->mask_words;
    double gained = 0;
    while (acting) {
        const int seat = __builtin_ctzll(acting);
        const uint64_t* mask = agon__walk_legal(m->walk, 1, seat);
        const uint32_t k = next_below(m, (uint32_t)agon_mask_count(mask, words));
        acting = agon__walk_advance(m->walk, 1, seat, agon_mask_nth(mask, words, (int)k));
        gained += ply_gain(m->walk);
    }
    return gained;
}

static void credit(mcts* m, uint32_t at, double gained) {
    for (;; at = m->nodes[at].parent) {
        node* n = &m->nodes[at];
        n->visits++;
        n->total += 0.5 + m->scale * (n->mover == 0 ? gained : -gained);
        if (at == 0)
            return;
    }
}

/* One playout from the position at level 0, where `seat` acts. */
static void playout(mcts* m, int seat) {
    agon__walk* walk = m->walk;
    memcpy(agon__walk_state(walk, 1), agon__walk_state(walk, 0), walk->rules->spec.state_size);
    uint64_t acting = 1ull << seat;
    uint32_t at = 0;
    double gained = 0;
    bool grown = false;
    while (acting && !grown) {
        seat = __builtin_ctzll(acting);
        const int action = untried(m, at, seat);
        grown = action >= 0;
        at = grown ? add_child(m, at, seat, action) : best_child(m, at);
        acting = agon__walk_advance(walk, 1, seat, m->nodes[at].action);
        gained += ply_gain(walk);
    }
    credit(m, at, gained + play_out(m, acting));
}

static int most_tried(const mcts* m) {
    uint32_t best = m->nodes[0].child;
    for (uint32_t i = m->nodes[best].sibling; i; i = m->nodes[i].sibling) {
        const node *n = &m->nodes[i], *b = &m->nodes[best];
        /* Equal visits: comparing totals compares means. */
        if (n->visits > b->visits || (n->visits == b->visits && n->total > b->total) ||
            (n->visits == b->visits && n->total == b->total && n->action < b->action))
            best = i;
    }
    return m->nodes[best].action;
}

static void mcts_act(const agon_policy* policy, const agon_batch* batch) {
    mcts* m = (mcts*)policy->self;
    for (int i = 0; i < batch->count; i++) {
        m->batch = batch;
        m->slot = i;
        m->draw = 1;
        m->left = 0;
        m->count = 1;
        m->nodes[0] = (node){0};
        agon__walk_begin(m->walk, batch, i);
        for (int k = 0; k < m->playouts; k++)
            playout(m, batch->seat[i]);
        const int action = most_tried(m);
        uint64_t* set = agon__walk_mask(m->walk, 0);
        memset(set, 0, (size_t)batch->rules->mask_words * sizeof *set);
        set[action >> 6] |= 1ull << (action & 63);
        agon__choose_evenly(batch, i, set);
    }
}

static void mcts_free(mcts* m) {
    if (!m)
        return;
    agon__walk_close(m->walk);
    free(m->nodes);
    free(m);
}

static void mcts_close(agon_policy* policy) {
    mcts_free((mcts*)policy->self);
}

int agon__mcts_open(agon__call* call, const agon_rules* rules, agon_policy* out,
                    agon_error* error) {
    const int playouts = agon_param_int(&call->params, "playouts", 100, 1, 1000000);
    const double c = agon_param_float(&call->params, "c", 1.4, 0.0, 1000.0);
    int code = agon__call_check(call, error);
    if (code == 0)
        code = agon_rules_need_minimax(rules, "mcts", error);
    if (code != 0)
        return code;
    mcts* m = (mcts*)calloc(1, sizeof *m);
    if (m) {
        m->walk = agon__walk_open(rules, 1);
        m->nodes = (node*)malloc(((size_t)playouts + 1) * sizeof *m->nodes);
    }
    if (!m || !m->walk || !m->nodes) {
        mcts_free(m);
        return agon_fail(error, AGON_EMEMORY, "mcts: no memory for %d playouts", playouts);
    }
    const double range = (double)rules->spec.return_max - (double)rules->spec.return_min;
    m->playouts = playouts;
    m->c = c;
    m->scale = range > 0 ? 1.0 / range : 1.0;
    *out = (agon_policy){.needs_state = true, .self = m, .act = mcts_act, .close = mcts_close};
    if (c == 1.4)
        snprintf(out->name, sizeof out->name, "mcts(playouts=%d)", playouts);
    else
        snprintf(out->name, sizeof out->name, "mcts(playouts=%d,c=%.9g)", playouts, c);
    return 0;
}
