/* cfr.c: regrets and averages in arrays over (information sets, actions), filled in two sweeps over
 * the nodes: reach probabilities from the start, values back from the ends. */
#include "agents/cfr.h"

#include "agents/tree_inside.h"

struct agon_cfr {
    const agon_tree* tree;
    agon_cfr_kind kind;
    int iterations;
    double* regret;  /* (infosets, actions) */
    double* current; /* (infosets, actions) the policy of this iteration */
    double* sum;     /* (infosets, actions) realisation weights of the average */
    double* others;  /* (nodes) probability that chance and the other seats play to the node */
    double* own;     /* (nodes) probability that the seat plays to the node */
    double* value;   /* (nodes) */
};

static size_t row(const agon_cfr* c, const agon__node* node) {
    return (size_t)node->infoset * (size_t)c->tree->rules->spec.actions;
}

/* Regret matching at one information set; uniform over what is legal when no regret is positive. */
static void match_regrets(agon_cfr* c, size_t set) {
    const agon_tree* t = c->tree;
    const agon__node* node = &t->nodes[t->sets[set].node];
    const size_t at = row(c, node);
    double positive = 0;
    for (uint32_t e = node->first; e < node->first + node->edges; e++) {
        const double regret = c->regret[at + t->edges[e].action];
        positive += regret > 0 ? regret : 0;
    }
    for (uint32_t e = node->first; e < node->first + node->edges; e++) {
        const size_t a = at + t->edges[e].action;
        const double regret = c->regret[a] > 0 ? c->regret[a] : 0;
        c->current[a] = positive > 0 ? regret / positive : 1.0 / node->edges;
    }
}

static void match_seat(agon_cfr* c, int seat) {
    for (size_t set = 0; set < c->tree->set_count; set++) {
        if (c->tree->sets[set].seat == seat)
            match_regrets(c, set);
    }
}

static double edge_probability(const agon_cfr* c, const agon__node* node, uint32_t e) {
    const agon__edge* edge = &c->tree->edges[e];
    return agon__node_decides(node) ? c->current[row(c, node) + edge->action] : edge->chance;
}

static bool is_of(const agon__node* node, int seat) {
    return agon__node_decides(node) && node->seat == seat;
}

static void sweep_reach(agon_cfr* c, int seat) {
    const agon_tree* t = c->tree;
    c->others[0] = c->own[0] = 1;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        const bool own = is_of(node, seat);
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double p = edge_probability(c, node, e);
            const uint32_t child = t->edges[e].child;
            c->others[child] = c->others[n] * (own ? 1 : p);
            c->own[child] = c->own[n] * (own ? p : 1);
        }
    }
}

static void sweep_values(agon_cfr* c, int seat) {
    const agon_tree* t = c->tree;
    for (size_t n = t->node_count; n-- > 0;) {
        const agon__node* node = &t->nodes[n];
        double value = 0;
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            value += edge_probability(c, node, e) *
                     (agon__edge_reward(t, e, seat) + c->value[t->edges[e].child]);
        c->value[n] = value;
    }
}

static void add_regrets(agon_cfr* c, int seat) {
    const agon_tree* t = c->tree;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        if (!is_of(node, seat))
            continue;
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double gain =
                agon__edge_reward(t, e, seat) + c->value[t->edges[e].child] - c->value[n];
            c->regret[row(c, node) + t->edges[e].action] += c->others[n] * gain;
        }
    }
}

/* The seat's realisation plan of this iteration goes into the average. */
static void add_average(agon_cfr* c, int seat, double weight) {
    const agon_tree* t = c->tree;
    for (size_t set = 0; set < t->set_count; set++) {
        const agon__node* node = &t->nodes[t->sets[set].node];
        if (node->seat != seat)
            continue;
        const double reach = weight * c->own[t->sets[set].node];
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const size_t a = row(c, node) + t->edges[e].action;
            c->sum[a] += reach * c->current[a];
        }
    }
}

static void floor_regrets(agon_cfr* c) {
    const size_t count = c->tree->set_count * (size_t)c->tree->rules->spec.actions;
    for (size_t i = 0; i < count; i++)
        c->regret[i] = c->regret[i] > 0 ? c->regret[i] : 0;
}

static void iterate(agon_cfr* c) {
    const int seats = c->tree->rules->spec.seats;
    const double weight = c->kind == AGON_CFR_PLUS ? c->iterations + 1 : 1;
    for (int seat = 0; seat < seats; seat++) {
        sweep_reach(c, seat);
        sweep_values(c, seat);
        add_average(c, seat, weight);
        add_regrets(c, seat);
        if (c->kind == AGON_CFR_PLUS)
            floor_regrets(c);
        if (c->kind != AGON_CFR_SIMULTANEOUS)
            match_seat(c, seat);
    }
    for (int seat = 0; seat < seats && c->kind == AGON_CFR_SIMULTANEOUS; seat++)
        match_seat(c, seat);
    c->iterations++;
}

int agon_cfr_open(const agon_tree* tree, agon_cfr_kind kind, agon_cfr** out, agon_error* error) {
    if (tree->rules->spec.information == AGON_PERFECT)
        return agon_fail(error, AGON_EUNSUPPORTED,
                         "CFR needs a game with imperfect information; %s is not one",
                         tree->rules->name);
    const size_t entries = tree->set_count * (size_t)tree->rules->spec.actions + 1;
    agon_cfr* c = (agon_cfr*)calloc(1, sizeof *c);
    if (!c)
        return agon_fail(error, AGON_EMEMORY, "CFR on %s: out of memory", tree->rules->name);
    c->tree = tree;
    c->kind = kind;
    c->regret = (double*)calloc(entries, sizeof *c->regret);
    c->current = (double*)calloc(entries, sizeof *c->current);
    c->sum = (double*)calloc(entries, sizeof *c->sum);
    c->others = (double*)calloc(tree->node_count, sizeof *c->others);
    c->own = (double*)calloc(tree->node_count, sizeof *c->own);
    c->value = (double*)calloc(tree->node_count, sizeof *c->value);
    if (!c->regret || !c->current || !c->sum || !c->others || !c->own || !c->value) {
        agon_cfr_close(c);
        return agon_fail(error, AGON_EMEMORY, "CFR on %s: out of memory", tree->rules->name);
    }
    for (int seat = 0; seat < tree->rules->spec.seats; seat++)
        match_seat(c, seat);
    *out = c;
    return 0;
}

void agon_cfr_close(agon_cfr* c) {
    if (!c)
        return;
    free(c->regret);
    free(c->current);
    free(c->sum);
    free(c->others);
    free(c->own);
    free(c->value);
    free(c);
}

void agon_cfr_run(agon_cfr* c, int iterations) {
    for (int i = 0; i < iterations; i++)
        iterate(c);
}

int agon_cfr_iterations(const agon_cfr* c) {
    return c->iterations;
}

void agon_cfr_average(const agon_cfr* c, double* probability) {
    const agon_tree* t = c->tree;
    const size_t actions = (size_t)t->rules->spec.actions;
    memset(probability, 0, t->set_count * actions * sizeof *probability);
    for (size_t set = 0; set < t->set_count; set++) {
        const agon__node* node = &t->nodes[t->sets[set].node];
        const size_t at = row(c, node);
        double sum = 0;
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            sum += c->sum[at + t->edges[e].action];
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const size_t a = at + t->edges[e].action;
            probability[a] = sum > 0 ? c->sum[a] / sum : 1.0 / node->edges;
        }
    }
}
