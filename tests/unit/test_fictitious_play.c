/* test_fictitious_play.c: extensive-form fictitious play (Heinrich, Lanctot, Silver 2015), written
 * here on the functions of the tree: mixtures by realization plan, best responses, NashConv. All
 * seats answer the average so far, then 1 / (t + 1) of it becomes the answer. The curve of Leduc
 * poker was computed with a sequence-form program and own rules outside this tree; that of Kuhn
 * poker with fractions, since its values tie exactly and rounding must not choose. */
#include "agents/tree_inside.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define TIE 1e-12 /* values this close are equal: the lowest action */

typedef struct play {
    agon_rules* rules;
    agon_tree* tree;
    int actions;
    size_t* head;                    /* (infosets) a node of the set + 1 */
    size_t* next;                    /* (nodes) another node of the same set + 1; 0: none */
    double *others, *value;          /* (nodes) */
    double *average, *answer, *room; /* (infosets, actions) */
} play;

static void* zeroed(size_t count, size_t size) {
    void* p = calloc(count, size);
    assert_non_null(p);
    return p;
}

static play play_open(const char* game) {
    play p = {0};
    assert_int_equal(agon_rules_open(game, &p.rules, NULL), 0);
    assert_int_equal(agon_tree_open(p.rules, 1000000, &p.tree, NULL), 0);
    p.actions = p.rules->spec.actions;
    const agon_tree* t = p.tree;
    const size_t cells = t->set_count * (size_t)p.actions;
    p.head = zeroed(t->set_count, sizeof *p.head);
    p.next = zeroed(t->node_count, sizeof *p.next);
    p.others = zeroed(t->node_count, sizeof(double));
    p.value = zeroed(t->node_count, sizeof(double));
    p.average = zeroed(cells, sizeof(double));
    p.answer = zeroed(cells, sizeof(double));
    p.room = zeroed(cells, sizeof(double));
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        if (!agon__node_decides(node))
            continue;
        p.next[n] = p.head[node->infoset];
        p.head[node->infoset] = n + 1;
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            p.average[node->infoset * p.actions + (int)t->edges[e].action] = 1. / node->edges;
    }
    return p;
}

static void play_close(play* p) {
    free(p->head);
    free(p->next);
    free(p->others);
    free(p->value);
    free(p->average);
    free(p->answer);
    free(p->room);
    agon_tree_close(p->tree);
    agon_rules_close(p->rules);
}

/* Where an edge's probability stands, in the average or in the answer. */
static double* cell(const play* p, double* policy, const agon__node* node, uint32_t e) {
    return &policy[node->infoset * p->actions + (int)p->tree->edges[e].action];
}

/* Probability that chance and the other seats play to each node. */
static void reach(play* p, int seat) {
    const agon_tree* t = p->tree;
    p->others[0] = 1;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double chance = !agon__node_decides(node) ? t->edges[e].chance
                                  : node->seat == seat      ? 1
                                                            : *cell(p, p->average, node, e);
            p->others[t->edges[e].child] = p->others[n] * chance;
        }
    }
}

static double after(const play* p, uint32_t e, int seat) {
    return agon__edge_reward(p->tree, e, seat) + p->value[p->tree->edges[e].child];
}

/* The answer at a set whose nodes' children are done: the best sum over its nodes. */
static void choose(play* p, int set, int seat) {
    const agon_tree* t = p->tree;
    const agon__node* first = &t->nodes[p->head[set] - 1];
    double best = -INFINITY;
    uint32_t chosen = 0;
    for (uint32_t k = 0; k < first->edges; k++) {
        double sum = 0;
        for (size_t n = p->head[set]; n; n = p->next[n - 1])
            sum += p->others[n - 1] * after(p, t->nodes[n - 1].first + k, seat);
        if (sum > best + TIE) {
            best = sum;
            chosen = k;
        }
    }
    for (uint32_t k = 0; k < first->edges; k++)
        *cell(p, p->answer, first, first->first + k) = k == chosen;
}

/* The best response of a seat to the average. Nodes of a set stand in one layer of the tree, so the
 * first of them that is met from the end finds all children done. Returns its value. */
static double respond(play* p, int seat) {
    const agon_tree* t = p->tree;
    reach(p, seat);
    for (size_t n = t->node_count; n-- > 0;) {
        const agon__node* node = &t->nodes[n];
        const bool decides = agon__node_decides(node), own = decides && node->seat == seat;
        if (own && p->head[node->infoset] == n + 1)
            choose(p, node->infoset, seat);
        p->value[n] = 0;
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double chance = own       ? *cell(p, p->answer, node, e)
                                  : decides ? *cell(p, p->average, node, e)
                                            : t->edges[e].chance;
            p->value[n] += chance * after(p, e, seat);
        }
    }
    return p->value[0];
}

/* The average moves 1 / (t + 1) of the way to the answers to it, which are worth what the tree says
 * a best response is. */
static void step(play* p, int t) {
    const double *both[2] = {p->average, p->average}, *parts[2] = {p->average, p->answer};
    const double weight[2] = {t / (t + 1.), 1 / (t + 1.)};
    for (int seat = 0; seat < 2; seat++) {
        const double value = respond(p, seat);
        assert_true(fabs(value - agon_tree_best_response(p->tree, seat, both)) < 1e-9);
    }
    assert_int_equal(agon_tree_mix(p->tree, 2, parts, weight, p->room, NULL), 0);
    double* old = p->average;
    p->average = p->room;
    p->room = old;
}

/* Promise: the functions of the tree carry fictitious play along its known curves. */
static void test_curves(void** unused) {
    const struct {
        const char* game;
        int iterations[3];
        double nash_conv[3];
    } curves[] = {{"kuhn_poker", {10, 100, 1000}, {5 / 33., 9 / 202., 161 / 12012.}},
                  {"leduc_poker", {10, 100, 300}, {2.3475378788, .5002062706, .2665913006}}};
    for (int c = 0; c < 2; c++) {
        play p = play_open(curves[c].game);
        for (int t = 0, k = 0; k < 3; k++) {
            while (t < curves[c].iterations[k])
                step(&p, ++t);
            const double found = agon_tree_nash_conv(p.tree, p.average);
            if (!(fabs(found - curves[c].nash_conv[k]) <= 1e-9))
                fail_msg("%s, t=%d: NashConv %.10f, expected %.10f", curves[c].game, t, found,
                         curves[c].nash_conv[k]);
        }
        play_close(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_curves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
