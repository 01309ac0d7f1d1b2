#include "engine/execute.h"

#include <stdlib.h>
#include <string.h>

static int check_fits(const agon_net* net, const agon_rules* rules, const char* ref,
                      agon_error* error) {
    char who[32];
    snprintf(who, sizeof who, "snapshot %.12s", ref);
    return agon_net_fits(net, rules, who, error);
}

static int pack_snapshot(const char* ref, const agon_rules* rules, agon_context* context,
                         agon_actor* actor, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    float* params = NULL;
    agon_snapshot_info info;
    agon_net net;
    actor->shelf = &context->shelf;
    actor->packed = agon__packed_find(&context->shelf, ref);
    if (actor->packed) {
        actor->net = actor->packed->net;
        return check_fits(&actor->net, rules, ref, error);
    }
    int rc = context->load(context->user, ref, &data, &size, error);
    if (!rc)
        rc = agon_snapshot_decode(data, size, ref, &net, &params, &info, error);
    free(data);
    if (!rc)
        rc = check_fits(&net, rules, ref, error);
    if (!rc) {
        actor->net = net;
        actor->packed = agon__packed_add(&context->shelf, context->backend, ref, &net, params);
        if (!actor->packed)
            rc = agon_fail(error, AGON_EMEMORY, "no memory for snapshot %.12s", ref);
    }
    free(params);
    return rc;
}

int agon__actor_open(const char* ref, const agon_rules* rules, agon_context* context,
                     bool as_policy, agon_actor* out, agon_error* error) {
    agon_actor actor = {0};
    int rc;
    if (!agon_ref_is_hash(ref)) {
        rc = agon_scripted_open(ref, rules, &actor.policy, error);
        actor.has_policy = rc == AGON_OK;
    } else {
        rc = pack_snapshot(ref, rules, context, &actor, error);
        if (!rc && as_policy) {
            rc = agon_net_policy_open(context->backend, &actor.net, actor.packed->weights, rules,
                                      &actor.policy, error);
            actor.has_policy = rc == AGON_OK;
        }
    }
    if (rc)
        agon__actor_close(&actor);
    else
        *out = actor;
    return rc;
}

int agon__actor_even(const agon_net* net, agon_context* context, agon_actor* out,
                     agon_error* error) {
    agon_actor actor = {.net = *net, .shelf = &context->shelf};
    char name[sizeof actor.packed->hash]; /* no blob is called so */
    snprintf(name, sizeof name, "even %016llx",
             (unsigned long long)agon_hash(AGON_HASH_START, net, sizeof *net));
    actor.packed = agon__packed_find(actor.shelf, name);
    if (!actor.packed) {
        float* params = calloc(agon_net_size(net), sizeof *params);
        if (params)
            actor.packed = agon__packed_add(actor.shelf, context->backend, name, net, params);
        free(params);
    }
    if (!actor.packed)
        return agon_fail(error, AGON_EMEMORY, "no memory for a net that plays at random");
    *out = actor;
    return AGON_OK;
}

int agon__actor_check(const agon_actor* actor, agon_error* error) {
    return actor->has_policy ? agon_policy_check(&actor->policy, error) : AGON_OK;
}

void agon__actor_close(agon_actor* actor) {
    if (actor->has_policy)
        agon_policy_close(&actor->policy);
    if (actor->packed)
        agon__packed_release(actor->shelf, actor->packed);
    memset(actor, 0, sizeof *actor);
}

agon_player agon__actor_player(const agon_actor* actor) {
    if (actor->packed)
        return (agon_player){&actor->net, actor->packed->weights, NULL};
    return (agon_player){NULL, NULL, &actor->policy};
}

void agon_context_clear(agon_context* context) {
    agon_rules_close(context->rules);
    context->rules = NULL;
    context->game[0] = '\0';
    context->small_tree = 0;
    context->forgetful = false;
    agon__packed_clear(&context->shelf);
}

static int reach_rules(agon_context* context, const char* game, agon_error* error) {
    agon_rules* rules = NULL;
    if (context->rules && strcmp(context->game, game) == 0)
        return AGON_OK;
    int rc = agon_rules_open(game, &rules, error);
    if (rc)
        return rc;
    agon_context_clear(context);
    context->rules = rules;
    context->fingerprint = agon_rules_fingerprint(rules);
    snprintf(context->game, sizeof context->game, "%s", game);
    return AGON_OK;
}

int agon__execute_reach(const agon_task* task, agon_context* context, agon_error* error) {
    const int rc = reach_rules(context, task->game, error);
    if (rc || task->fingerprint == context->fingerprint)
        return rc;
    agon_fail(error, AGON_EUNSUPPORTED,
              "the rules of %s here are not those the task %s was made with", task->game,
              task->key);
    return agon_hint(error, "use the same version of agon and of the game everywhere");
}

int agon_execute(const agon_task* task, agon_context* context, agon_result* out,
                 agon_error* error) {
    agon_result result = {.kind = task->kind};
    int rc = agon__execute_reach(task, context, error);
    if (rc)
        return rc;
    memcpy(result.key, task->key, sizeof result.key);
    if (task->kind == AGON_TRAIN) {
        rc = agon__execute_train(task, context->rules, context, &result, error);
    } else if (task->kind == AGON_MATCH) {
        agon_profile_enter(&context->profile, AGON_PHASE_PAYOFF);
        rc = agon__execute_match(task, context->rules, context, &result, error);
    } else {
        agon_profile_enter(&context->profile, AGON_PHASE_METRICS);
        rc = agon__execute_probe(task, context->rules, context, &result, error);
    }
    if (rc)
        agon_result_clear(&result);
    else
        *out = result;
    return rc;
}
