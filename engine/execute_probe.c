#include "agents/tree.h"
#include "engine/execute.h"
#include "engine/probes.h"

#include <math.h>
#include <stdlib.h>

static int load_probes(const agon_probe_task* d, const agon_rules* rules, agon_context* context,
                       agon_probes* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = context->load(context->user, d->probes, &data, &size, error);
    if (!rc)
        rc = agon_probes_decode(data, size, rules, out, error);
    free(data);
    return rc;
}

/* The greedy form of a tabulated policy. */
static void make_greedy(double* probability, int infosets, int actions) {
    for (int i = 0; i < infosets; i++) {
        double* p = probability + (size_t)i * (size_t)actions;
        int best = 0;
        for (int a = 1; a < actions; a++)
            if (p[a] > p[best])
                best = a;
        for (int a = 0; a < actions; a++)
            p[a] = a == best;
    }
}

/* AGON_EUNSUPPORTED: the policy remembers, and is no table over this tree. */
static int solve(const agon_tree* tree, const agon_rules* rules, const agon_policy* policy,
                 agon_probe_result* out, agon_error* error) {
    const int infosets = agon_tree_infosets(tree), actions = rules->spec.actions;
    double* p = malloc((size_t)infosets * (size_t)actions * sizeof *p);
    if (!p)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d information sets", infosets);
    int rc = agon_tree_tabulate(tree, policy, 1, p, error);
    if (rc) {
        free(p);
        return rc;
    }
    out->exact = 1;
    out->nash_conv = agon_tree_nash_conv(tree, p);
    rc = isnan(out->nash_conv) ? agon_fail(error, AGON_EMEMORY, "no memory for best responses")
                               : AGON_OK;
    if (!rc && agon_rules_need_minimax(rules, "", NULL) == AGON_OK) {
        make_greedy(p, infosets, actions);
        rc = agon_tree_minimax(tree, &out->value, error);
        if (!rc)
            rc = agon_tree_worst_return(tree, 0, p, &out->worst_first, error);
        if (!rc)
            rc = agon_tree_worst_return(tree, 1, p, &out->worst_second, error);
    }
    free(p);
    return rc;
}

/* A tree that is too large is a fact of the game, found out once, and so is one that has no tables
 * of policies that remember. A lack of memory is not: it must not decide what a result says. */
static int solve_if_small(const agon_probe_task* d, const agon_rules* rules, agon_context* context,
                          const agon_policy* policy, agon_probe_result* out, agon_error* error) {
    agon_tree* tree = NULL;
    if (d->exact_nodes <= context->small_tree || (policy->memory && context->forgetful))
        return AGON_OK;
    int rc = agon_tree_open(rules, (size_t)d->exact_nodes, &tree, error);
    if (rc == AGON_ELIMIT) {
        context->small_tree = d->exact_nodes;
        return AGON_OK;
    }
    if (rc)
        return rc;
    rc = solve(tree, rules, policy, out, error);
    agon_tree_close(tree);
    if (rc != AGON_EUNSUPPORTED)
        return rc;
    context->forgetful = true;
    return AGON_OK;
}

int agon__execute_probe(const agon_task* task, const agon_rules* rules, agon_context* context,
                        agon_result* out, agon_error* error) {
    const agon_probe_task* d = &task->as.probe;
    agon_probe_result* r = &out->as.probe;
    agon_actor actor = {0};
    agon_probes probes = {0};
    int rc = agon__actor_open(d->ref, rules, context, true, &actor, error);
    if (rc)
        return rc;
    rc = load_probes(d, rules, context, &probes, error);
    if (rc)
        goto done;
    r->nash_conv = r->worst_first = r->worst_second = r->value = NAN;
    r->states = probes.states;
    r->actions = rules->spec.actions;
    r->probability = malloc((size_t)r->states * (size_t)r->actions * sizeof *r->probability);
    if (!r->probability) {
        rc = agon_fail(error, AGON_EMEMORY, "no memory for %d probe states", r->states);
        goto done;
    }
    rc = agon_probes_ask(&probes, rules, &actor.policy, 1, r->probability, error);
    if (!rc)
        rc = solve_if_small(d, rules, context, &actor.policy, r, error);
    if (!rc)
        rc = agon__actor_check(&actor, error);
done:
    agon_probes_close(&probes);
    agon__actor_close(&actor);
    return rc;
}
