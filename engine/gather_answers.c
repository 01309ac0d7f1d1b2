/* gather_answers.c: agents asked about probe states and their symmetric images. */
#include "engine/gather.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(const agon_gather* g, agon_error* error) {
    return agon_fail(error, AGON_EMEMORY, "no memory for the answers of %d agents", g->agents);
}

/* ---- what the set itself says --------------------------------------------------------------- */

static int open_answers(const agon_gather* g, const agon_probes* probes, int images,
                        agon_answers* a) {
    const size_t states = (size_t)probes->states, actions = (size_t)g->rules->spec.actions;
    const size_t all = (size_t)g->agents * states * actions;
    a->probability = malloc(all * sizeof *a->probability);
    a->weight = malloc(states * sizeof *a->weight);
    a->options = malloc(states * sizeof *a->options);
    a->legal = malloc(states * actions);
    a->stratum = malloc(states * sizeof *a->stratum);
    a->stratum_label = calloc(AGON_PROBE_BUCKETS, sizeof *a->stratum_label);
    if (images)
        a->image = malloc(all * (size_t)images * sizeof *a->image);
    if (!a->probability || !a->weight || !a->options || !a->legal || !a->stratum ||
        !a->stratum_label || (images && !a->image))
        return AGON_EMEMORY;
    a->states = probes->states;
    a->actions = g->rules->spec.actions;
    a->images = images;
    return AGON_OK;
}

/* Questions of other seats get no weight; those that are left add up to 1. */
static int weigh(const agon_probes* probes, uint64_t seats, agon_answers* a, agon_error* error) {
    double sum = 0;
    for (int i = 0; i < probes->states; i++) {
        const bool counts = !seats || (seats >> probes->seat[i] & 1);
        a->weight[i] = counts ? probes->weight[i] : 0;
        sum += a->weight[i];
    }
    if (!(sum > 0))
        return agon_fail(error, AGON_EINVALID, "probe set %s: no state asks these seats", a->set);
    for (int i = 0; i < probes->states; i++)
        a->weight[i] /= sum;
    return AGON_OK;
}

static void take_strata(const agon_probe_strata* strata, agon_answers* a) {
    a->strata = strata->count;
    for (int k = 0; k < strata->count; k++)
        snprintf(a->stratum_label[k], sizeof a->stratum_label[k], "%s", strata->label[k]);
}

static int take_worth(const agon_probes* probes, agon_answers* a, agon_evidence* out) {
    const size_t bytes = (size_t)a->states * (size_t)a->actions * sizeof *a->worth;
    if (!probes->worth) {
        snprintf(out->why.worth, sizeof out->why.worth,
                 "set %s is not solved; agon probes make solves set X where a solver exists",
                 a->set);
        return AGON_OK;
    }
    a->worth = malloc(bytes);
    if (!a->worth)
        return AGON_EMEMORY;
    memcpy(a->worth, probes->worth, bytes);
    return AGON_OK;
}

/* ---- asking --------------------------------------------------------------------------------- */

static int ask_images(const agon_gather* g, const agon_probes* probes, const agon_policy* policy,
                      int agent, agon_answers* a, agon_error* error) {
    const size_t each = (size_t)a->states * (size_t)a->actions;
    int rc = AGON_OK;
    for (int k = 0; !rc && k < a->images; k++)
        rc = agon_probes_ask_image(
            probes, g->rules, policy, k + 1, 1,
            a->image + ((size_t)agent * (size_t)a->images + (size_t)k) * each, error);
    return rc;
}

static int ask_agent(const agon_gather* g, const agon_probes* probes, int agent, const float* known,
                     agon_evidence* out, agon_error* error) {
    agon_answers* a = &out->answers;
    const size_t each = (size_t)a->states * (size_t)a->actions;
    float* own = a->probability + (size_t)agent * each;
    agon_context context = {.backend = g->backend, .load = g->load, .user = g->load_user};
    agon_actor actor = {0};
    if (known)
        memcpy(own, known + (size_t)agent * each, each * sizeof *own);
    if (known && !a->images)
        return AGON_OK;
    int rc = agon__actor_open(g->ref[agent], g->rules, &context, true, &actor, error);
    if (!rc && !known)
        rc = agon_probes_ask(probes, g->rules, &actor.policy, 1, own, error);
    if (!rc && a->images) {
        rc = ask_images(g, probes, &actor.policy, agent, a, error);
        if (rc == AGON_EUNSUPPORTED) { /* of the game and the set; what one lacks all do */
            snprintf(out->why.image, sizeof out->why.image, "%.150s", error->text);
            a->images = 0;
            rc = AGON_OK;
        }
    }
    agon__actor_close(&actor);
    agon_context_clear(&context);
    return rc;
}

int agon_gather_answers(const agon_gather* g, const agon_probes* probes, const char* hash,
                        uint64_t seats, const float* known, bool ask_about_images,
                        agon_evidence* out, agon_error* error) {
    agon_answers* a = &out->answers;
    const int images =
        ask_about_images && g->rules->game->symmetry ? g->rules->spec.symmetries - 1 : 0;
    agon_probe_strata strata;
    snprintf(a->set, sizeof a->set, "%s", agon_probe_set_name(probes->set));
    snprintf(a->hash, sizeof a->hash, "%s", hash);
    int rc = open_answers(g, probes, images > 0 ? images : 0, a) ? no_memory(g, error) : AGON_OK;
    if (!rc)
        rc = weigh(probes, seats, a, error);
    if (!rc)
        rc = agon_probes_facts(probes, g->rules, a->options, a->legal, a->stratum, &strata, error);
    if (!rc)
        take_strata(&strata, a);
    if (!rc && take_worth(probes, a, out))
        rc = no_memory(g, error);
    for (int i = 0; !rc && i < g->agents; i++) {
        rc = ask_agent(g, probes, i, known, out, error);
        if (g->progress)
            g->progress(g->user, "answers", i + 1, g->agents);
    }
    if (!a->images && !out->why.image[0])
        snprintf(out->why.image, sizeof out->why.image, "the game declares no symmetries");
    return rc;
}
