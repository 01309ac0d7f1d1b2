/* update_fixture.h: one update by a backend and by the reference, and their comparison. */
#ifndef AGON_UPDATE_FIXTURE_H
#define AGON_UPDATE_FIXTURE_H

#include "tests/unit/backend_reference.h"

/* What an update starts from and what it leads to, by the reference. */
typedef struct update_case {
    const reference* ref;       /* borrowed */
    const agon_rectangle* data; /* borrowed: the batch's, or the same observations elsewhere */
    agon_ppo_step step;
    const uint32_t* index; /* (count), borrowed */
    int count;
    agon_learner* start;
    agon_learner* want; /* after the step; grads: the gradients */
    agon_update_stats stats;
} update_case;

static inline agon_learner* open_learner(const batch* b) {
    agon_learner* learner = agon_learner_open(&b->net, agon_cpu_backend_named("portable"));
    assert_non_null(learner);
    return learner;
}

static inline void copy_learner(const agon_learner* from, const agon_backend* backend,
                                agon_learner* to) {
    const size_t bytes = agon_net_size(&from->net) * sizeof(float);
    memcpy(to->params, from->params, bytes);
    memcpy(to->moment1, from->moment1, bytes);
    memcpy(to->moment2, from->moment2, bytes);
    to->beta1_power = from->beta1_power;
    to->beta2_power = from->beta2_power;
    to->updates = from->updates;
    memset(to->grads, 0x5a, bytes);
    backend->pack(&to->net, to->params, to->packed);
}

/* The learner's net is the batch's; its moments are zero or, with `late`, those of a long life. */
static inline void open_update_case(source* s, const reference* ref, int late, update_case* c) {
    const size_t size = agon_net_size(&ref->b->net);
    *c = (update_case){.ref = ref,
                       .data = ref->b->data,
                       .start = open_learner(ref->b),
                       .want = open_learner(ref->b)};
    memcpy(c->start->params, ref->b->params, size * sizeof(float));
    if (!late)
        return;
    fill_fast(s, c->start->moment1, size, 1e-2f);
    fill_fast(s, c->start->moment2, size, 1e-4f);
    for (size_t i = 0; i < size; i++)
        c->start->moment2[i] = fabsf(c->start->moment2[i]);
    c->start->beta1_power = 0.3;
    c->start->beta2_power = 0.9;
    c->start->updates = 77;
}

static inline void close_update_case(update_case* c) {
    agon_learner_close(c->start);
    agon_learner_close(c->want);
}

/* The reference's answer to a minibatch. */
static inline void expect_update(update_case* c, const agon_ppo_step* step, const uint32_t* index,
                                 int count) {
    c->step = *step;
    c->index = index;
    c->count = count;
    copy_learner(c->start, agon_cpu_backend_named("portable"), c->want);
    c->stats = reference_gradient(c->ref, index, count, step, c->want->grads);
    reference_adam(c->want, step, c->stats.grad_norm);
}

static inline void same_stats(const char* place, const agon_update_stats* want,
                              const agon_update_stats* got) {
    static const char* const names[] = {"policy_loss", "value_loss", "entropy",
                                        "kl",          "clipped",    "grad_norm"};
    const double* w = (const double*)want;
    const double* g = (const double*)got;
    for (int i = 0; i < 6; i++)
        if (memcmp(w + i, g + i, sizeof(double)) != 0)
            fail_msg("%s is %a, expected %a (%s)", names[i], g[i], w[i], place);
}

/* The packed form that an update leaves is that of its parameters. */
static inline void packed_follows(const agon_backend* backend, const char* place,
                                  const agon_learner* learner) {
    const size_t bytes = backend->packed_size(&learner->net);
    void* fresh = need(bytes);
    memset(fresh, 0, bytes);
    backend->pack(&learner->net, learner->params, fresh);
    same_floats("packed", place, fresh, learner->packed, bytes / sizeof(float));
    free(fresh);
}

/* The backend's gradients and step are those of the reference, byte for byte. */
static inline void same_update(const update_case* c, const agon_backend* backend,
                               agon_scratch* scratch, agon_learner* learner) {
    const batch* b = c->ref->b;
    const size_t size = agon_net_size(&b->net);
    char place[200];
    snprintf(place, sizeof place, "update of %d of %s", c->count, place_of(b, backend->name));
    agon_update update = {
        .learner = learner, .data = c->data, .index = c->index, .count = c->count, .step = c->step};
    copy_learner(c->start, backend, learner);
    backend->gradient(&update, scratch);
    same_floats("gradient", place, c->want->grads, learner->grads, size);
    same_stats(place, &c->stats, &update.stats);
    same_floats("params left alone", place, c->start->params, learner->params, size);
    memset(&update.stats, 0x5a, sizeof update.stats);
    backend->update(&update, 1, scratch);
    same_stats(place, &c->stats, &update.stats);
    same_floats("moment1", place, c->want->moment1, learner->moment1, size);
    same_floats("moment2", place, c->want->moment2, learner->moment2, size);
    same_floats("params", place, c->want->params, learner->params, size);
    assert_true(learner->beta1_power == c->want->beta1_power);
    assert_true(learner->beta2_power == c->want->beta2_power);
    assert_true(learner->updates == c->want->updates);
    packed_follows(backend, place, learner);
}

#endif
