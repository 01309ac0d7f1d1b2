/* cuda_update_fixture.h: learners with rectangles, once for the CPU backend and once side by side
 * as the kernels of an update want them. Member m of a world is a function of its seed and m. */
#ifndef AGON_CUDA_UPDATE_FIXTURE_H
#define AGON_CUDA_UPDATE_FIXTURE_H

#include "tests/cuda/host_gpu.h"
#include "tests/unit/backend_fixture.h"

#include "cuda/update.h"

enum { WORLD_MEMBERS = 5 };

typedef struct world_def {
    const char* net;
    agon_dtype type;
    int mode;
    int first, members; /* which */
    int rows, horizon;
    int all_legal; /* 1: no mask */
    int in_place;  /* 1: observations lie at their entries: no places */
    agon_ppo ppo;
    size_t work; /* as agon__gpu_update_def */
    agon__gpu gpu;
} world_def;

typedef struct world {
    world_def def;
    agon_net net;
    agon__gpu gpu;
    agon__stream stream;
    agon_learner* cpu[WORLD_MEMBERS];
    float* start[WORLD_MEMBERS]; /* parameters at first */
    agon_rectangle* data[WORLD_MEMBERS];
    agon__gpu_learners learners;
    agon__gpu_rectangles rectangles;
    agon__gpu_learner each[WORLD_MEMBERS];
    agon__gpu_update* update;
} world;

static const agon_ppo usual_ppo = {.step = {.learning_rate = 1e-3f,
                                            .clip = 0.2f,
                                            .value_weight = 0.5f,
                                            .entropy_weight = 0.02f,
                                            .max_grad_norm = 0.5f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.99f,
                                            .epsilon = 1e-5f},
                                   .discount = 0.97f,
                                   .lambda = 0.9f,
                                   .epochs = 1,
                                   .minibatches = 1,
                                   .normalise = 1};

static inline int world_entries(const world* w) {
    return w->def.rows * w->def.horizon;
}

/* A rectangle whose observations lie anywhere, with some that are no entry's. */
static inline agon_rectangle* world_rectangle(const world* w, source* s) {
    const agon_input input = {w->def.type, 0.25f};
    const int entries = world_entries(w), spare = w->def.in_place ? 0 : 3;
    const int words = (w->net.actions + 63) / 64;
    agon_rectangle* d =
        agon_rectangle_open(w->def.rows, w->def.horizon, input,
                            (size_t)w->net.inputs * (w->def.type == AGON_U8 ? 1 : 4), words, spare,
                            agon_net_memory(&w->net));
    assert_non_null(d);
    for (int i = 0; i < d->places * w->net.inputs; i++) {
        if (w->def.type == AGON_U8)
            ((uint8_t*)d->obs)[i] = (uint8_t)(next_uniform(s) < 0.5f ? 0 : next_int(s, 1, 4));
        else
            ((float*)d->obs)[i] = 2.0f * next_uniform(s) - 1.0f;
    }
    for (int i = 0; i < entries; i++) {
        const int place = w->def.in_place ? i : entries + 2 - i;
        const int action = next_int(s, 0, w->net.actions - 1);
        d->place[i] = (uint32_t)place;
        d->action[i] = (uint16_t)action;
        for (int a = 0; a < w->net.actions; a++)
            if (a == action || a % 7 == i % 7 || next_uniform(s) < 0.5f)
                d->mask[place * words + a / 64] |= 1ull << (a % 64);
        d->log_probability[i] = -logf((float)w->net.actions) - 0.5f + next_uniform(s);
        d->value[i] = next_uniform(s) - 0.5f;
        d->reward[i] = next_uniform(s) < 0.3f ? 2.0f * next_uniform(s) - 1.0f : 0.0f;
        d->last[i] = next_uniform(s) < 0.2f;
        d->advantage[i] = 2.0f * next_uniform(s) - 1.0f;
        d->target[i] = 2.0f * next_uniform(s) - 1.0f;
    }
    for (int r = 0; r < d->rows; r++)
        d->bootstrap[r] = next_uniform(s) - 0.5f;
    fill(s, d->memory, (size_t)(d->rows * d->remembered), 1.0f);
    return d;
}

static inline void world_member(world* w, int m) {
    const int id = w->def.first + m;
    source s = {(uint32_t)id * 1000003u};
    agon_learner* l = w->cpu[m] = agon_learner_open(&w->net, agon_cpu_backend());
    assert_non_null(l);
    fill_weights(&s, &w->net, l->params);
    agon_cpu_backend()->pack(&w->net, l->params, l->packed);
    l->updates = 7u * (uint64_t)id;
    l->beta1_power = pow((double)w->def.ppo.step.beta1, (double)l->updates);
    l->beta2_power = pow((double)w->def.ppo.step.beta2, (double)l->updates);
    w->start[m] = need(agon_net_size(&w->net) * sizeof(float));
    memcpy(w->start[m], l->params, agon_net_size(&w->net) * sizeof(float));
    w->data[m] = world_rectangle(w, &s);
    w->each[m] = (agon__gpu_learner){.ppo = w->def.ppo,
                                     .shuffle = {{(uint32_t)id, 77}},
                                     .updates = l->updates,
                                     .beta1_power = l->beta1_power,
                                     .beta2_power = l->beta2_power};
}

/* Device memory is exactly as large as it has to be: a sanitizer sees every step beyond it. */
static inline void* device(size_t bytes) {
    void* memory = aligned_alloc(16, (bytes + 15) / 16 * 16);
    assert_non_null(memory);
    memset(memory, 0xff, (bytes + 15) / 16 * 16);
    return memory;
}

static inline void world_learners(world* w) {
    agon__gpu_learners* l = &w->learners;
    l->net = agon__gpu_net_of(&w->net, w->def.mode);
    l->count = w->def.members;
    l->stride = (l->net.params + 31) / 32 * 32;
    const size_t bytes = (size_t)l->count * l->stride * sizeof(float);
    l->params = device(bytes);
    l->moment1 = device(bytes);
    l->moment2 = device(bytes);
    l->grads = device(bytes);
    l->packed = device((size_t)l->count * l->net.bytes);
    for (int m = 0; m < l->count; m++) {
        const size_t at = (size_t)m * l->stride, size = l->net.params * sizeof(float);
        memcpy(l->params + at, w->cpu[m]->params, size);
        memset(l->moment1 + at, 0, size);
        memset(l->moment2 + at, 0, size);
        agon__gpu_pack(&l->net, w->cpu[m]->params, l->packed + (size_t)m * l->net.bytes);
    }
}

/* A piece of the rectangles' memory, filled member by member. */
static inline void* gathered(const world* w, size_t offset, size_t bytes) {
    char* memory = device((size_t)w->def.members * bytes);
    for (int m = 0; m < w->def.members; m++) {
        const void* from;
        memcpy(&from, (const char*)w->data[m] + offset, sizeof from);
        memcpy(memory + (size_t)m * bytes, from, bytes);
    }
    return memory;
}
#define GATHER(w, field, count)                                                                    \
    gathered((w), offsetof(agon_rectangle, field), (size_t)(count) * sizeof *(w)->data[0]->field)

static inline void world_rectangles(world* w) {
    const agon_rectangle* d = w->data[0];
    agon__gpu_rectangles* r = &w->rectangles;
    const int entries = world_entries(w);
    *r = (agon__gpu_rectangles){.members = w->def.members,
                                .rows = d->rows,
                                .horizon = d->horizon,
                                .obs_type = (int)d->input.type,
                                .scale = d->input.scale,
                                .obs_bytes = d->obs_bytes,
                                .mask_words = d->mask_words};
    r->place = GATHER(w, place, entries);
    for (int i = 0; i < w->def.members * entries; i++)
        r->place[i] += (uint32_t)(i / entries * d->places);
    r->obs = gathered(w, offsetof(agon_rectangle, obs), (size_t)d->places * d->obs_bytes);
    r->mask = GATHER(w, mask, d->places * d->mask_words);
    r->action = GATHER(w, action, entries);
    r->log_probability = GATHER(w, log_probability, entries);
    r->value = GATHER(w, value, entries);
    r->reward = GATHER(w, reward, entries);
    r->last = GATHER(w, last, entries);
    r->bootstrap = GATHER(w, bootstrap, d->rows);
    r->advantage = GATHER(w, advantage, entries);
    r->target = GATHER(w, target, entries);
    if (d->remembered) {
        r->remembered = d->remembered;
        r->memory = GATHER(w, memory, d->rows * d->remembered);
    }
    if (w->def.in_place) {
        free(r->place);
        r->place = NULL;
    }
    for (int m = 0; w->def.all_legal && m < w->def.members; m++)
        memset(w->data[m]->mask, 0xff, (size_t)(d->places * d->mask_words) * sizeof *d->mask);
    if (w->def.all_legal) {
        free(r->mask);
        r->mask = NULL;
    }
}

static inline void open_world(const world_def* def, world* w) {
    *w = (world){.def = *def, .gpu = def->gpu};
    w->gpu.shared = w->gpu.shared ? w->gpu.shared : 200 * 1024;
    w->stream.gpu = &w->gpu;
    assert_int_equal(agon_net_parse(def->net, &w->net, NULL), 0);
    for (int m = 0; m < def->members; m++)
        world_member(w, m);
    world_learners(w);
    world_rectangles(w);
    const agon__gpu_update_def update = {.gpu = &w->gpu,
                                         .stream = &w->stream,
                                         .learners = &w->learners,
                                         .rectangles = &w->rectangles,
                                         .epochs = def->ppo.epochs,
                                         .minibatches = def->ppo.minibatches,
                                         .work = def->work};
    assert_int_equal(agon__gpu_update_open(&update, &w->update, NULL), 0);
}

static inline void close_world(world* w) {
    agon__gpu_rectangles* r = &w->rectangles;
    agon__gpu_learners* l = &w->learners;
    void* const memory[] = {r->place,  r->obs,    r->mask,   r->action,    r->log_probability,
                            r->value,  r->reward, r->last,   r->bootstrap, r->advantage,
                            r->target, r->memory, l->params, l->moment1,   l->moment2,
                            l->grads,  l->packed};
    agon__gpu_update_close(w->update);
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
    for (int m = 0; m < w->def.members; m++) {
        agon_learner_close(w->cpu[m]);
        free(w->start[m]);
        agon_rectangle_close(w->data[m]);
    }
}

/* The CPU's update of member m. */
static inline agon_update_stats world_cpu_train(world* w, int m) {
    const agon_backend* cpu = agon_cpu_backend();
    agon_scratch* scratch = cpu->scratch_open();
    uint32_t* index = need((size_t)world_entries(w) * sizeof *index);
    agon_update_stats stats;
    assert_int_equal(cpu->scratch_reserve(scratch, &w->net, world_entries(w), 1), 0);
    agon_ppo_train(cpu, scratch, w->cpu[m], w->data[m], &w->each[m].ppo, w->each[m].shuffle, index,
                   &stats);
    cpu->scratch_close(scratch);
    free(index);
    return stats;
}

/* |got - want| is not above `tolerance` times the largest |want| (and at least `least`). */
static inline void near_floats(const char* what, const char* place, const float* want,
                               const float* got, size_t count, double tolerance, double least) {
    double most = least;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)want[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= tolerance * most))
            fail_msg("%s[%zu] of %zu is %g, expected %g within %g of %g (%s)", what, i, count,
                     (double)got[i], (double)want[i], tolerance, most, place);
}

static inline void near_number(const char* what, const char* place, double want, double got,
                               double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(fabs(want), 1.0)))
        fail_msg("%s is %.17g, expected %.17g (%s)", what, got, want, place);
}

static inline void near_stats(const char* place, const agon_update_stats* want,
                              const agon_update_stats* got, double tolerance) {
    near_number("policy_loss", place, want->policy_loss, got->policy_loss, tolerance);
    near_number("value_loss", place, want->value_loss, got->value_loss, tolerance);
    near_number("entropy", place, want->entropy, got->entropy, tolerance);
    near_number("kl", place, want->kl, got->kl, tolerance);
    near_number("clipped", place, want->clipped, got->clipped, fmax(tolerance, 1e-9));
    near_number("grad_norm", place, want->grad_norm, got->grad_norm, tolerance);
}

#endif
