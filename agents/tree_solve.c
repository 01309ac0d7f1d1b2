/* tree_solve.c: expected returns, best responses, NashConv and minimax values, in sweeps over the
 * nodes: children have higher numbers, so upwards carries reach and downwards carries values. */
#include "agents/tree_inside.h"

#include <assert.h>
#include <math.h>

/* Probability that node `n` is left by `e` when each seat plays its table. */
static double edge_probability(const agon_tree* t, const agon__node* n, uint32_t e,
                               const double* const* policy) {
    if (!agon__node_decides(n))
        return t->edges[e].chance;
    const size_t row = (size_t)n->infoset * (size_t)t->rules->spec.actions;
    return policy[n->seat][row + t->edges[e].action];
}

void agon_tree_returns(const agon_tree* tree, const double* const* policy, double* out) {
    const int seats = tree->rules->spec.seats;
    double* reach = (double*)calloc(tree->node_count, sizeof *reach);
    for (int s = 0; s < seats; s++)
        out[s] = reach ? 0.0 : NAN;
    if (!reach)
        return;
    reach[0] = 1.0;
    for (size_t n = 0; n < tree->node_count; n++) {
        const agon__node* node = &tree->nodes[n];
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double p = reach[n] * edge_probability(tree, node, e, policy);
            reach[tree->edges[e].child] += p;
            for (int s = 0; s < seats; s++)
                out[s] += p * agon__edge_reward(tree, e, s);
        }
    }
    free(reach);
}

/* ---- best response ------------------------------------------------------------------------ */

/* Nodes are worked off by rank, highest first, so that a decision of the responder finds the
 * values of everything that may follow any node of its information set. Rank: the responder's own
 * decisions before the node; in perfect-information games, whose nodes may be reached by several
 * lines, the distance from the start. */
typedef struct response {
    const agon_tree* tree;
    int seat;
    const double* const* policy;
    uint32_t* rank;   /* (nodes) */
    uint32_t* order;  /* (nodes) by rank, within a rank by number */
    uint32_t* starts; /* (ranks + 1) */
    uint32_t ranks;
    double* weight; /* (nodes) probability that the others and chance play to the node */
    double* value;  /* (nodes) */
    double* total;  /* (infosets, actions) weighted action values of the rank at hand */
} response;

static bool responds(const response* r, const agon__node* node) {
    return agon__node_decides(node) && node->seat == r->seat;
}

static void response_weigh(response* r) {
    const agon_tree* t = r->tree;
    const bool perfect = t->rules->spec.information == AGON_PERFECT;
    r->weight[0] = 1.0;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        const bool own = responds(r, node);
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const uint32_t child = t->edges[e].child;
            r->rank[child] = r->rank[n] + (perfect || own);
            /* Alone in its information set, a node needs no weight, and may have many parents. */
            if (perfect)
                r->weight[child] = 1.0;
            else
                r->weight[child] =
                    r->weight[n] * (own ? 1.0 : edge_probability(t, node, e, r->policy));
        }
        if (r->rank[n] >= r->ranks)
            r->ranks = r->rank[n] + 1;
    }
}

/* Counting sort by rank. */
static void response_sort(response* r) {
    const size_t nodes = r->tree->node_count;
    for (size_t n = 0; n < nodes; n++)
        r->starts[r->rank[n] + 1]++;
    for (uint32_t k = 0; k < r->ranks; k++)
        r->starts[k + 1] += r->starts[k];
    for (size_t n = 0; n < nodes; n++)
        r->order[r->starts[r->rank[n]]++] = (uint32_t)n;
    for (uint32_t k = r->ranks; k > 0; k--)
        r->starts[k] = r->starts[k - 1];
    r->starts[0] = 0;
}

static double* response_totals(const response* r, const agon__node* node) {
    return r->total + (size_t)node->infoset * (size_t)r->tree->rules->spec.actions;
}

/* What the responder gets from an edge on. */
static double edge_value(const response* r, uint32_t e) {
    return agon__edge_reward(r->tree, e, r->seat) + r->value[r->tree->edges[e].child];
}

static void response_add(const response* r, uint32_t n, int clear) {
    const agon__node* node = &r->tree->nodes[n];
    double* total = response_totals(r, node);
    for (uint32_t e = node->first; e < node->first + node->edges; e++) {
        const uint32_t a = r->tree->edges[e].action;
        total[a] = clear ? 0.0 : total[a] + r->weight[n] * edge_value(r, e);
    }
}

/* The node's value under the action that is best for its whole information set. */
static void response_choose(response* r, uint32_t n) {
    const agon__node* node = &r->tree->nodes[n];
    const double* total = response_totals(r, node);
    uint32_t best = node->first;
    for (uint32_t e = node->first + 1; e < node->first + node->edges; e++) {
        if (total[r->tree->edges[e].action] > total[r->tree->edges[best].action])
            best = e;
    }
    r->value[n] = edge_value(r, best);
}

static void response_expect(response* r, uint32_t n) {
    const agon__node* node = &r->tree->nodes[n];
    double sum = 0;
    for (uint32_t e = node->first; e < node->first + node->edges; e++)
        sum += edge_probability(r->tree, node, e, r->policy) * edge_value(r, e);
    r->value[n] = sum;
}

static void response_solve(response* r) {
    const agon__node* nodes = r->tree->nodes;
    for (uint32_t k = r->ranks; k-- > 0;) {
        const uint32_t *from = r->order + r->starts[k], *to = r->order + r->starts[k + 1];
        for (const uint32_t* n = from; n < to; n++) {
            if (responds(r, &nodes[*n]))
                response_add(r, *n, 0);
        }
        for (const uint32_t* n = from; n < to; n++) {
            if (responds(r, &nodes[*n]))
                response_choose(r, *n);
        }
        for (const uint32_t* n = from; n < to; n++) {
            if (responds(r, &nodes[*n]))
                response_add(r, *n, 1);
        }
        for (const uint32_t* n = to; n-- > from;) {
            if (!responds(r, &nodes[*n]))
                response_expect(r, *n);
        }
    }
}

double agon_tree_best_response(const agon_tree* tree, int seat, const double* const* policy) {
    const size_t nodes = tree->node_count, actions = (size_t)tree->rules->spec.actions;
    response r = {.tree = tree, .seat = seat, .policy = policy};
    double value = NAN;
    r.rank = (uint32_t*)calloc(nodes, sizeof *r.rank);
    r.order = (uint32_t*)calloc(nodes, sizeof *r.order);
    r.starts = (uint32_t*)calloc(nodes + 2, sizeof *r.starts);
    r.weight = (double*)calloc(nodes, sizeof *r.weight);
    r.value = (double*)calloc(nodes, sizeof *r.value);
    r.total = (double*)calloc(tree->set_count * actions + 1, sizeof *r.total);
    if (r.rank && r.order && r.starts && r.weight && r.value && r.total) {
        response_weigh(&r);
        response_sort(&r);
        response_solve(&r);
        value = r.value[0];
    }
    free(r.rank);
    free(r.order);
    free(r.starts);
    free(r.weight);
    free(r.value);
    free(r.total);
    return value;
}

double agon_tree_nash_conv(const agon_tree* tree, const double* probability) {
    const double* policy[AGON_MAX_SEATS];
    double returns[AGON_MAX_SEATS], sum = 0;
    for (int s = 0; s < AGON_MAX_SEATS; s++)
        policy[s] = probability;
    agon_tree_returns(tree, policy, returns);
    for (int s = 0; s < tree->rules->spec.seats; s++)
        sum += agon_tree_best_response(tree, s, policy) - returns[s];
    return sum;
}

/* ---- mixtures ----------------------------------------------------------------------------- */

/* own (nodes): probability that the seat's choices lead to the node. */
static void sweep_own(const agon_tree* t, int seat, const double* policy, double* own) {
    const double* by_seat[AGON_MAX_SEATS];
    for (int s = 0; s < AGON_MAX_SEATS; s++)
        by_seat[s] = policy;
    own[0] = 1;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        const bool chooses = agon__node_decides(node) && node->seat == seat;
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            own[t->edges[e].child] = own[n] * (chooses ? edge_probability(t, node, e, by_seat) : 1);
    }
}

static void add_weighted(const agon_tree* t, int seat, const double* policy, const double* own,
                         double weight, double* sum) {
    const size_t actions = (size_t)t->rules->spec.actions;
    for (size_t set = 0; set < t->set_count; set++) {
        if (t->sets[set].seat != seat)
            continue;
        for (size_t a = set * actions; a < (set + 1) * actions; a++)
            sum[a] += weight * own[t->sets[set].node] * policy[a];
    }
}

/* Rows to probabilities; where no policy of the mixture plays to, the even mean of them stands. */
static void normalise_rows(const agon_tree* t, int count, const double* const* policy,
                           double* out) {
    const size_t actions = (size_t)t->rules->spec.actions;
    for (size_t set = 0; set < t->set_count; set++) {
        double* row = out + set * actions;
        double sum = 0;
        for (size_t a = 0; a < actions; a++)
            sum += row[a];
        for (size_t a = 0; a < actions; a++) {
            double mean = 0;
            for (int k = 0; k < count && !(sum > 0); k++)
                mean += policy[k][set * actions + a] / count;
            row[a] = sum > 0 ? row[a] / sum : mean;
        }
    }
}

int agon_tree_mix(const agon_tree* tree, int count, const double* const* policy,
                  const double* weight, double* out, agon_error* error) {
    const size_t entries = tree->set_count * (size_t)tree->rules->spec.actions;
    if (tree->rules->spec.information == AGON_PERFECT)
        return agon_fail(error, AGON_EUNSUPPORTED,
                         "a mixture needs a game with imperfect information; %s is not one",
                         tree->rules->name);
    double* own = (double*)malloc(tree->node_count * sizeof *own);
    if (!own)
        return agon_fail(error, AGON_EMEMORY, "a mixture in %s: out of memory", tree->rules->name);
    memset(out, 0, entries * sizeof *out);
    for (int k = 0; k < count; k++) {
        for (int seat = 0; seat < tree->rules->spec.seats; seat++) {
            sweep_own(tree, seat, policy[k], own);
            add_weighted(tree, seat, policy[k], own, weight[k], out);
        }
    }
    normalise_rows(tree, count, policy, out);
    free(own);
    return 0;
}

/* ---- minimax ------------------------------------------------------------------------------ */

/* Values for seat 0 of what is still to come at every node when both seats play best; chance
 * counts on average. */
static double* minimax_values(const agon_tree* tree) {
    double* value = (double*)calloc(tree->node_count, sizeof *value);
    for (size_t n = tree->node_count; value && n-- > 0;) {
        const agon__node* node = &tree->nodes[n];
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            const double v = agon__edge_reward(tree, e, 0) + value[tree->edges[e].child];
            if (!agon__node_decides(node))
                value[n] += tree->edges[e].chance * v;
            else if (e == node->first || (node->seat == 0 ? v > value[n] : v < value[n]))
                value[n] = v;
        }
    }
    return value;
}

int agon_tree_minimax(const agon_tree* tree, double* value, agon_error* error) {
    const int code = agon_rules_need_minimax(tree->rules, "a minimax value", error);
    if (code != 0)
        return code;
    double* values = minimax_values(tree);
    if (!values)
        return agon_fail(error, AGON_EMEMORY, "minimax of %s: out of memory", tree->rules->name);
    *value = values[0];
    free(values);
    return 0;
}

int agon_tree_action_values(const agon_tree* tree, double* out, agon_error* error) {
    const agon_spec* spec = &tree->rules->spec;
    const size_t actions = (size_t)spec->actions;
    const char* missing = spec->information != AGON_PERFECT ? "perfect information"
                          : spec->seats > 2                 ? "one seat or two"
                          : spec->seats == 2 && spec->utility == AGON_GENERAL_SUM
                              ? "a zero or constant sum"
                              : NULL;
    if (missing)
        return agon_fail(error, AGON_EUNSUPPORTED,
                         "values of actions need %s, which %s does not have", missing,
                         tree->rules->name);
    double* value = minimax_values(tree);
    if (!value)
        return agon_fail(error, AGON_EMEMORY, "values of %s: out of memory", tree->rules->name);
    for (size_t i = 0; i < tree->set_count * actions; i++)
        out[i] = NAN;
    for (size_t n = 0; n < tree->node_count; n++) {
        const agon__node* node = &tree->nodes[n];
        for (uint32_t e = node->first; agon__node_decides(node) && e < node->first + node->edges;
             e++)
            out[(size_t)node->infoset * actions + tree->edges[e].action] =
                agon__edge_reward(tree, e, 0) + value[tree->edges[e].child];
    }
    free(value);
    return 0;
}

/* Whether the edge may be played: by the policy at all, by the opponent without giving up value.
 * Values are sums of rewards in different orders, hence the tolerance. */
static bool worst_allows(const agon_tree* t, int seat, const double* probability,
                         const double* minimax, size_t n, uint32_t e) {
    const agon__node* node = &t->nodes[n];
    const agon__edge* edge = &t->edges[e];
    if (node->seat == seat)
        return probability[(size_t)node->infoset * (size_t)t->rules->spec.actions + edge->action] >
               0;
    return fabs(agon__edge_reward(t, e, 0) + minimax[edge->child] - minimax[n]) <= 1e-9;
}

int agon_tree_worst_return(const agon_tree* tree, int seat, const double* probability,
                           double* value, agon_error* error) {
    const int code = agon_rules_need_minimax(tree->rules, "a worst return", error);
    if (code != 0)
        return code;
    double* minimax = minimax_values(tree);
    double* worst = (double*)calloc(tree->node_count, sizeof *worst);
    for (size_t n = tree->node_count; minimax && worst && n-- > 0;) {
        const agon__node* node = &tree->nodes[n];
        bool any = false;
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            if (!worst_allows(tree, seat, probability, minimax, n, e))
                continue;
            const double v = agon__edge_reward(tree, e, seat) + worst[tree->edges[e].child];
            worst[n] = any && worst[n] <= v ? worst[n] : v;
            any = true;
        }
        assert((any || node->edges == 0) && "a row of the table has no positive entry");
    }
    const bool done = minimax && worst;
    if (done)
        *value = worst[0];
    free(minimax);
    free(worst);
    return done ? 0
                : agon_fail(error, AGON_EMEMORY, "worst return in %s: out of memory",
                            tree->rules->name);
}
