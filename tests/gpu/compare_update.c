/* compare_update.c: gradients of one minibatch, and whole updates, of rollouts of real games. */
#include "tests/gpu/compare.h"

#include "agents/shard.h"
#include "cuda/update.h"
#include "engine/rollout.h"

#include <stdlib.h>

enum { MEMBERS = 3, LINE = 32 };

typedef struct update_case {
    const char *game, *hidden; /* "-64-32-", or "-"; "-conv8-16-mingru9-" */
    const char* activation;
    int lanes, horizon, minibatches;
} update_case;

/* Learners on the CPU, each with a rollout of its own play against itself. */
typedef struct world {
    agon_rules* rules;
    agon_net net;
    agon_ppo ppo;
    int horizon, lanes;
    agon_learner* cpu[MEMBERS];
    agon_rollout* rollout[MEMBERS];
    char of[360];
} world;

static agon_key shuffle_of(int m) {
    return agon_key_make((uint64_t)m, "compare", AGON_FOR_SHUFFLE);
}

/* Late in a run: moments are not zero, and epsilon is large enough that a gradient that is almost
 * zero does not decide a step by its sign. */
static void open_learner(comparing* c, world* w, int m) {
    agon_learner* l = w->cpu[m] = agon_learner_open(&w->net, agon_cpu_backend());
    need(!l, NULL, "memory for a learner");
    const size_t size = agon_net_size(&w->net);
    draw_weights(c, &w->net, l->params);
    for (size_t i = 0; i < size; i++) {
        l->moment1[i] = 1e-3f * (2.0f * draw_uniform(c) - 1.0f);
        l->moment2[i] = 1e-5f * draw_uniform(c);
    }
    l->updates = 40 + (uint64_t)m;
    l->beta1_power = 0.3;
    l->beta2_power = 0.9;
    agon_cpu_backend()->pack(&w->net, l->params, l->packed);
}

static void open_rollout(world* w, int m) {
    agon_error error = {0};
    const agon_rollout_def def = {
        .rules = w->rules,
        .backend = agon_cpu_backend(),
        .learner = w->cpu[m],
        .own_seats = agon_rules_seats(w->rules),
        .lanes = w->lanes,
        .horizon = w->horizon,
        .chance = agon_key_make((uint64_t)m, "compare", AGON_FOR_CHANCE),
        .action = agon_key_make((uint64_t)m, "compare", AGON_FOR_ACTION),
    };
    need(agon_rollout_open(&def, &w->rollout[m], &error), &error, "a rollout");
    need(agon_rollout_collect(w->rollout[m], &error), &error, "a rollout");
}

static void name_shape(const update_case* u, const agon_rules* rules, char* out, size_t size) {
    const agon_spec* s = &rules->spec;
    char inputs[48];
    if (strncmp(u->hidden, "-conv", 5) == 0)
        snprintf(inputs, sizeof inputs, "%dx%dx%d", s->planes, s->rows, s->cols);
    else
        snprintf(inputs, sizeof inputs, "%d", rules->entries);
    snprintf(out, size, "%s%s%d %s", inputs, u->hidden, s->actions, u->activation);
}

static world open_world(comparing* c, const update_case* u) {
    world w = {.lanes = u->lanes, .horizon = u->horizon};
    char shape[200];
    agon_error error = {0};
    need(agon_rules_open(u->game, &w.rules, &error), &error, u->game);
    name_shape(u, w.rules, shape, sizeof shape);
    need(agon_net_parse(shape, &w.net, &error), &error, shape);
    w.ppo = (agon_ppo){.step = {1e-3f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.99f, 1e-3f},
                       .discount = 0.97f,
                       .lambda = 0.9f,
                       .epochs = 2,
                       .minibatches = u->minibatches,
                       .normalise = 1};
    for (int m = 0; m < MEMBERS; m++) {
        open_learner(c, &w, m);
        open_rollout(&w, m);
    }
    snprintf(w.of, sizeof w.of, "%s, %s, %d x %d", w.rules->name, shape, w.rollout[0]->data->rows,
             w.horizon);
    return w;
}

static void close_world(world* w) {
    for (int m = 0; m < MEMBERS; m++) {
        agon_rollout_close(w->rollout[m]);
        agon_learner_close(w->cpu[m]);
    }
    agon_rules_close(w->rules);
}

/* ---- a gradient --------------------------------------------------------------------------- */

/* What cuda/update.h works on, in device memory. */
typedef struct device_world {
    agon__gpu* gpu;
    agon__stream* stream;
    agon__gpu_learners learners;
    agon__gpu_rectangles rectangles;
    char* block;
} device_world;

static void* carve(char* base, size_t* used, size_t bytes) {
    void* piece = base ? base + *used : NULL;
    *used += (bytes + 255) / 256 * 256;
    return piece;
}

static size_t lay_out(device_world* d, size_t places, char* base) {
    agon__gpu_learners* l = &d->learners;
    agon__gpu_rectangles* r = &d->rectangles;
    const size_t floats = (size_t)l->count * l->stride * sizeof(float), all = MEMBERS * places;
    const size_t rows = (size_t)MEMBERS * (size_t)r->rows, entries = rows * (size_t)r->horizon;
    size_t used = 0;
    l->params = carve(base, &used, floats);
    l->moment1 = carve(base, &used, floats);
    l->moment2 = carve(base, &used, floats);
    l->grads = carve(base, &used, floats);
    l->packed = carve(base, &used, (size_t)l->count * l->net.bytes);
    r->place = carve(base, &used, entries * sizeof *r->place);
    r->obs = carve(base, &used, all * r->obs_bytes);
    r->mask = carve(base, &used, all * (size_t)r->mask_words * sizeof *r->mask);
    r->action = carve(base, &used, entries * sizeof *r->action);
    r->log_probability = carve(base, &used, entries * sizeof(float));
    r->value = carve(base, &used, entries * sizeof(float));
    r->reward = carve(base, &used, entries * sizeof(float));
    r->last = carve(base, &used, entries);
    r->bootstrap = carve(base, &used, rows * sizeof(float));
    r->advantage = carve(base, &used, entries * sizeof(float));
    r->target = carve(base, &used, entries * sizeof(float));
    r->memory = carve(base, &used, rows * (size_t)r->remembered * sizeof(float));
    return used;
}

static void send_member(const world* w, device_world* d, size_t m) {
    const agon__gpu_learners* l = &d->learners;
    const agon__gpu_rectangles* r = &d->rectangles;
    const agon_rectangle* from = w->rollout[m]->data;
    const size_t entries = (size_t)r->rows * (size_t)r->horizon, at = m * entries;
    const size_t places = (size_t)from->places, words = (size_t)r->mask_words;
    const size_t floats = (size_t)r->rows * (size_t)r->remembered;
    char* packed = take_memory(l->net.bytes);
    uint32_t* place = take_memory(entries * sizeof *place);
    agon_error error = {0};
    for (size_t i = 0; i < entries; i++)
        place[i] = from->place[i] + (uint32_t)(m * places);
    agon__gpu_pack(&l->net, w->cpu[m]->params, packed);
    agon__stream_in(d->stream, l->params + m * l->stride, w->cpu[m]->params,
                    l->net.params * sizeof(float));
    agon__stream_in(d->stream, l->packed + m * l->net.bytes, packed, l->net.bytes);
    agon__stream_in(d->stream, r->place + at, place, entries * sizeof *place);
    agon__stream_in(d->stream, (char*)r->obs + m * places * r->obs_bytes, from->obs,
                    places * r->obs_bytes);
    agon__stream_in(d->stream, r->mask + m * places * words, from->mask, places * words * 8);
    agon__stream_in(d->stream, r->action + at, from->action, entries * sizeof *r->action);
    agon__stream_in(d->stream, r->log_probability + at, from->log_probability, entries * 4);
    agon__stream_in(d->stream, r->value + at, from->value, entries * 4);
    agon__stream_in(d->stream, r->advantage + at, from->advantage, entries * 4);
    agon__stream_in(d->stream, r->target + at, from->target, entries * 4);
    agon__stream_in(d->stream, r->last + at, from->last, entries);
    if (r->remembered)
        agon__stream_in(d->stream, r->memory + m * floats, from->memory, floats * sizeof(float));
    need(agon__stream_wait(d->stream, &error), &error, "copies to the device");
    free(packed);
    free(place);
}

static device_world open_device(const world* w, int precision) {
    const agon_rectangle* from = w->rollout[0]->data;
    device_world d = {.gpu = NULL};
    agon_error error = {0};
    need(agon__gpu_open(&d.gpu, &error), &error, "the GPU");
    need(agon__stream_open(d.gpu, &d.stream, &error), &error, "a stream");
    d.learners =
        (agon__gpu_learners){.net = agon__gpu_net_of(&w->net, precision), .count = MEMBERS};
    d.learners.stride = (d.learners.net.params + LINE - 1) / LINE * LINE;
    d.rectangles = (agon__gpu_rectangles){.members = MEMBERS,
                                          .rows = from->rows,
                                          .horizon = from->horizon,
                                          .obs_type = (int)from->input.type,
                                          .scale = from->input.scale,
                                          .obs_bytes = from->obs_bytes,
                                          .mask_words = from->mask_words,
                                          .remembered = from->remembered};
    const size_t places = (size_t)from->places;
    d.block = agon__gpu_alloc(d.gpu, lay_out(&d, places, NULL), &error);
    need(!d.block, &error, "device memory");
    lay_out(&d, places, d.block);
    agon__stream_fill(
        d.stream, d.block, 0,
        lay_out(&(device_world){.learners = d.learners, .rectangles = d.rectangles}, places, NULL));
    for (size_t m = 0; m < MEMBERS; m++)
        send_member(w, &d, m);
    return d;
}

static void close_device(device_world* d) {
    agon__gpu_free(d->gpu, d->block);
    agon__stream_close(d->stream);
}

/* Every second entry, or row, where the net has memory: how many entries that are, and which. */
static int count_half(const world* w) {
    const int each = agon_net_memory(&w->net) ? w->horizon : 1;
    return (w->rollout[0]->data->rows * w->horizon / each + 1) / 2 * each;
}

static void index_half(const world* w, uint32_t* index, int count) {
    const int each = agon_net_memory(&w->net) ? w->horizon : 1;
    for (int i = 0; i < count; i++)
        index[i] = (uint32_t)(i / each * 2 * each + i % each);
}

/* Half of the entries, with advantages as they are before an update normalises them. */
static void check_gradient(comparing* c, world* w, int precision) {
    const size_t size = agon_net_size(&w->net);
    const int count = count_half(w);
    uint32_t* index = take_memory((size_t)MEMBERS * (size_t)count * sizeof *index);
    float* got = take_memory(size * sizeof *got);
    agon__gpu_learner each[MEMBERS];
    agon__gpu_update* update = NULL;
    agon_error error = {0};
    for (int m = 0; m < MEMBERS; m++) {
        agon_gae(w->rollout[m]->data, w->ppo.discount, w->ppo.lambda);
        each[m] = (agon__gpu_learner){.ppo = w->ppo, .shuffle = shuffle_of(m)};
        index_half(w, index + m * count, count);
    }
    device_world d = open_device(w, precision);
    const agon__gpu_update_def def = {.gpu = d.gpu,
                                      .stream = d.stream,
                                      .learners = &d.learners,
                                      .rectangles = &d.rectangles,
                                      .epochs = w->ppo.epochs,
                                      .minibatches = 1,
                                      .work = 1 << 20}; /* members, and images, in parts */
    need(agon__gpu_update_open(&def, &update, &error), &error, "an update");
    need(agon__gpu_update_gradient(update, each, index, count, &error), &error, "a gradient");
    agon_scratch* scratch = agon_cpu_backend()->scratch_open();
    for (int m = 0; m < MEMBERS; m++) {
        agon_update want = {.learner = w->cpu[m],
                            .data = w->rollout[m]->data,
                            .index = index + m * count,
                            .count = count,
                            .step = w->ppo.step};
        agon_cpu_backend()->scratch_reserve(scratch, &w->net, count, 1);
        agon_cpu_backend()->gradient(&want, scratch);
        agon__stream_out(d.stream, got, d.learners.grads + (size_t)m * d.learners.stride,
                         size * sizeof *got);
        need(agon__stream_wait(d.stream, &error), &error, "gradients");
        check_gradients(c, "gradient", precision, w->of, w->cpu[m]->grads, got, size,
                        gradient_limit_of(precision, w->net.activation));
    }
    agon_cpu_backend()->scratch_close(scratch);
    agon__gpu_update_close(update);
    close_device(&d);
    free(index);
    free(got);
}

/* ---- whole updates ------------------------------------------------------------------------ */

/* The same learners for a GPU. */
static void copy_learner(const agon_learner* from, const agon_backend* backend, agon_learner** to) {
    const size_t bytes = agon_net_size(&from->net) * sizeof(float);
    agon_learner* l = *to = agon_learner_open(&from->net, backend);
    need(!l, NULL, "memory for a learner");
    memcpy(l->params, from->params, bytes);
    memcpy(l->moment1, from->moment1, bytes);
    memcpy(l->moment2, from->moment2, bytes);
    l->beta1_power = from->beta1_power;
    l->beta2_power = from->beta2_power;
    l->updates = from->updates;
    backend->pack(&l->net, l->params, l->packed);
}

/* Members from .. MEMBERS - 1 side by side, once. */
static void update_some(const world* w, int precision, int from, int members, agon_learner** out,
                        agon_shard_member* member) {
    const agon_backend* backend = gpu_backend(precision);
    agon_shard* shard = NULL;
    agon_error error = {0};
    for (int m = 0; m < members; m++) {
        copy_learner(w->cpu[from + m], backend, &out[m]);
        member[m] = (agon_shard_member){.learner = out[m],
                                        .shuffle = shuffle_of(from + m),
                                        .data = w->rollout[from + m]->data,
                                        .ppo = w->ppo};
    }
    const agon_shard_def def = {.rules = w->rules,
                                .lanes = w->lanes,
                                .horizon = w->horizon,
                                .own_seats = agon_rules_seats(w->rules),
                                .members = members,
                                .member = member};
    need(backend->shards->open(&def, &shard, &error), &error, "a shard");
    need(backend->shards->update(shard, &error), &error, "an update");
    need(backend->shards->fetch(shard, &error), &error, "what was learned");
    backend->shards->close(shard);
}

/* PPO's means over minibatches, of one member. */
static void check_stats(comparing* c, const world* w, int precision, const agon_update_stats* want,
                        const agon_update_stats* got) {
    const double* a = (const double*)want;
    const double* b = (const double*)got;
    double apart = 0;
    for (int i = 0; i < 6; i++)
        apart = fmax(apart, fabs(a[i] - b[i]) / fmax(0.1, fabs(a[i])));
    const line_check line = {.name = "update's statistics",
                             .precision = precisions[precision],
                             .of = w->of,
                             .error = apart,
                             .limit = precision == AGON_PRECISION_FP32 ? 1e-3 : 5e-2,
                             .count = 6};
    check(c, &line);
}

static void check_updated(comparing* c, const world* w, int precision, agon_learner* want,
                          const agon_update_stats* stats, const agon_shard_member* got) {
    const size_t size = agon_net_size(&w->net);
    const double limit = limit_of(precision),
                 moments = 2 * gradient_limit_of(precision, w->net.activation);
    check_floats(c, "params after an update", precision, w->of, want->params, got->learner->params,
                 size, limit);
    check_gradients(c, "moment1 after an update", precision, w->of, want->moment1,
                    got->learner->moment1, size, moments);
    check_gradients(c, "moment2 after an update", precision, w->of, want->moment2,
                    got->learner->moment2, size, moments);
    check_stats(c, w, precision, stats, &got->stats);
    check_bytes(c, "count of updates", precision, w->of, &want->updates, &got->learner->updates, 1,
                sizeof want->updates);
}

/* Learners that were updated alone, or again, have these bytes. */
static void check_same(comparing* c, const world* w, const char* name, int precision,
                       const agon_learner* a, const agon_learner* b) {
    const size_t size = agon_net_size(&w->net);
    check_bytes(c, name, precision, w->of, a->params, b->params, size, sizeof(float));
    check_bytes(c, name, precision, w->of, a->moment2, b->moment2, size, sizeof(float));
}

static void check_update(comparing* c, world* w, int precision, agon_learner** want,
                         const agon_update_stats* stats) {
    agon_learner *first[MEMBERS], *again[MEMBERS], *alone[1];
    agon_shard_member member[MEMBERS], other[MEMBERS];
    update_some(w, precision, 0, MEMBERS, first, member);
    update_some(w, precision, 0, MEMBERS, again, other);
    for (int m = 0; m < MEMBERS; m++) {
        check_updated(c, w, precision, want[m], &stats[m], &member[m]);
        check_same(c, w, "update twice", precision, first[m], again[m]);
        update_some(w, precision, m, 1, alone, other);
        check_same(c, w, "update alone and in company", precision, first[m], alone[0]);
        agon_learner_close(alone[0]);
    }
    for (int m = 0; m < MEMBERS; m++) {
        agon_learner_close(first[m]);
        agon_learner_close(again[m]);
    }
}

static void check_case(comparing* c, const update_case* u) {
    world w = open_world(c, u);
    agon_learner* want[MEMBERS];
    agon_update_stats stats[MEMBERS];
    const int entries = w.rollout[0]->data->rows * w.horizon;
    uint32_t* index = take_memory((size_t)entries * sizeof *index);
    agon_scratch* scratch = agon_cpu_backend()->scratch_open();
    agon_cpu_backend()->scratch_reserve(scratch, &w.net, entries, 1);
    for (int precision = 0; precision < 3; precision++)
        check_gradient(c, &w, precision);
    for (int m = 0; m < MEMBERS; m++) {
        copy_learner(w.cpu[m], agon_cpu_backend(), &want[m]);
        agon_ppo_train(agon_cpu_backend(), scratch, want[m], w.rollout[m]->data, &w.ppo,
                       shuffle_of(m), index, &stats[m]);
    }
    for (int precision = 0; precision < 3; precision++)
        check_update(c, &w, precision, want, stats);
    for (int m = 0; m < MEMBERS; m++)
        agon_learner_close(want[m]);
    agon_cpu_backend()->scratch_close(scratch);
    free(index);
    close_world(&w);
}

void compare_update(comparing* c) {
    static const update_case cases[] = {
        {"tic_tac_toe", "-32-16-", "relu", 6, 8, 2},
        {"leduc_poker(players=3)", "-", "relu", 9, 7, 3},
        {"slime_volley", "-24-24-24-", "tanh", 4, 12, 2},
        {"tic_tac_toe", "-conv8-16-", "relu", 6, 8, 2},
        {"leduc_poker(players=3)", "-mingru12-9-", "tanh", 9, 7, 3},
        {"connect_four", "-128-128-", "relu", 64, 16, 2},
        {"backgammon", "-64-64-", "tanh", 16, 16, 3},
        {"othello", "-512-256-", "relu", 24, 24, 2},
        {"kuhn_poker", "-64-64-64-64-", "relu", 300, 8, 4},
        {"connect_four", "-conv16-conv33k5-64-", "relu", 24, 12, 2},
        {"othello", "-conv16-mingru33-mingru8-", "tanh", 12, 20, 3},
    };
    enum { CASES = sizeof cases / sizeof *cases, SMALL = 5 };
    for (int i = 0; i < (c->small ? SMALL : CASES); i++)
        check_case(c, &cases[i]);
}
