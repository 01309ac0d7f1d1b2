/* play_world.h: rollouts of a few members as cuda/play.c makes them, on the host: its plan in
 * ordinary memory, its kernels emulated, and the CPU backend for a forward. A member is who it is
 * by its number alone, so that it can be met in other company. */
#ifndef AGON_TESTS_PLAY_WORLD_H
#define AGON_TESTS_PLAY_WORLD_H

#include "agents/learner.h"
#include "cuda/play_plan.h"
#include "engine/rollout.h"
#include "tests/cuda/emulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORLD_MEMBERS = 4, WORLD_OPPONENTS = 3, WORLD_PLAYERS = 1 + WORLD_OPPONENTS };

typedef struct play_world {
    const agon_rules* rules; /* borrowed */
    agon_net net;
    agon_shard_def shard;
    agon_shard_member member[WORLD_MEMBERS];
    agon_player opponent[WORLD_MEMBERS][WORLD_OPPONENTS];
    agon_learner* of[WORLD_MEMBERS][WORLD_PLAYERS]; /* owned; 0: the learner */
    const void* packed[WORLD_MEMBERS][WORLD_PLAYERS];
    const void* const* packed_of[WORLD_MEMBERS];
    agon__gpu_rectangles data; /* arrays owned */
    agon__play_plan plan;
    void* memory; /* owned */
    const emulate_kernel *sort, *recall, *counts, *start, *observe, *step;
    agon_scratch* scratch;
    int processors; /* what the grids are cut for */
    int backwards;
} play_world;

/* How a world is to be. */
typedef struct play_world_def {
    const agon_rules* rules;
    uint64_t own_seats;
    int first, members; /* numbers of its members: first, first + 1, ... */
    int lanes, horizon;
    int processors;
    int backwards;
    const emulate_kernel* twin; /* kernels of a game that has no image; NULL: by its name */
    const char* hidden;         /* layers of its nets, as in the text of a net; NULL: "11" */
} play_world_def;

static inline agon_net world_net(const agon_rules* rules, const char* hidden) {
    const agon_spec* spec = &rules->spec;
    char text[AGON_NET_TEXT], shape[64];
    agon_net net;
    agon_error error = {0};
    snprintf(shape, sizeof shape, "%dx%dx%d", spec->planes, spec->rows, spec->cols);
    if (!hidden || strncmp(hidden, "conv", 4) != 0)
        snprintf(shape, sizeof shape, "%d", rules->entries);
    snprintf(text, sizeof text, "%s-%s-%d relu", shape, hidden ? hidden : "11", spec->actions);
    if (agon_net_parse(text, &net, &error))
        fail_msg("%s: %s", text, error.text);
    return net;
}

static inline agon_learner* world_learner(const agon_net* net, int member, int player) {
    char task[64];
    agon_learner* learner = agon_learner_open(net, agon_cpu_backend());
    assert_non_null(learner);
    snprintf(task, sizeof task, "member/%d/%d", member, player);
    agon_net_init(net, agon_key_make(7, task, AGON_FOR_INIT), learner->params);
    for (size_t i = 0; i < agon_net_size(net); i++)
        learner->params[i] *= 3; /* so that some actions are likelier than others */
    agon_cpu_backend()->pack(net, learner->params, learner->packed);
    return learner;
}

static inline void world_member(play_world* w, int m, int number) {
    agon_shard_member* member = &w->member[m];
    const uint64_t others = agon_rules_seats(w->rules) & ~w->shard.own_seats;
    char task[64];
    snprintf(task, sizeof task, "member/%d", number);
    member->opponents = others ? 1 + number % WORLD_OPPONENTS : 0;
    member->opponent = w->opponent[m];
    member->chance = agon_key_make(7, task, AGON_FOR_CHANCE);
    member->action = agon_key_make(7, task, AGON_FOR_ACTION);
    for (int p = 0; p <= member->opponents; p++) {
        w->of[m][p] = world_learner(&w->net, number, p);
        w->packed[m][p] = w->of[m][p]->packed;
        if (p > 0)
            w->opponent[m][p - 1] = (agon_player){&w->net, w->of[m][p]->packed, NULL};
    }
    member->learner = w->of[m][0];
    w->packed_of[m] = w->packed[m];
}

static inline void* world_alloc(size_t bytes, int byte) {
    void* memory = aligned_alloc(256, (bytes + 256) / 256 * 256);
    assert_non_null(memory);
    return memset(memory, byte, bytes);
}

static inline void world_data(play_world* w, int own) {
    agon__gpu_rectangles* d = &w->data;
    d->members = w->shard.members;
    d->rows = w->shard.lanes * own;
    d->horizon = w->shard.horizon;
    d->obs_type = (int)w->rules->spec.obs_type;
    d->scale = w->rules->spec.obs_scale;
    d->obs_bytes = w->rules->obs_bytes;
    d->mask_words = w->rules->mask_words;
    const size_t entries = (size_t)(d->members * d->rows * d->horizon);
    const size_t places =
        entries + (size_t)(w->shard.members * w->shard.lanes * w->rules->spec.seats);
    d->obs = world_alloc(places * d->obs_bytes, 0xee);
    d->mask = world_alloc(places * (size_t)d->mask_words * sizeof *d->mask, 0xee);
    d->action = world_alloc(entries * sizeof *d->action, 0xee);
    d->log_probability = world_alloc(entries * sizeof(float), 0xee);
    d->value = world_alloc(entries * sizeof(float), 0xee);
    d->reward = world_alloc(entries * sizeof(float), 0xee);
    d->last = world_alloc(entries, 0xee);
    d->bootstrap = world_alloc((size_t)(d->members * d->rows) * sizeof(float), 0xee);
    d->remembered = agon_net_memory(&w->net);
    d->memory = world_alloc((size_t)(d->members * d->rows * d->remembered) * sizeof(float), 0xee);
}

static inline void world_find(play_world* w, const emulate_kernel* twin) {
    const char* game = w->rules->game->name;
    w->sort = emulate_find("kernels", "play_sort");
    w->recall = emulate_find("kernels", "play_recall");
    w->counts = emulate_find("kernels", "play_counts");
    w->start = twin ? &twin[0] : emulate_find(game, "start");
    w->observe = twin ? &twin[1] : emulate_find(game, "observe");
    w->step = twin ? &twin[2] : emulate_find(game, "step");
    if (!w->start || !w->observe || !w->step)
        fail_msg("%s has no twin", game);
}

static inline void world_run(const play_world* w, const emulate_kernel* kernel,
                             const agon__play_grid* grid) {
    emulate_run(kernel, grid->blocks, grid->warps, grid->shared, &w->plan.args, w->backwards);
}

/* Every lane at its first decision, nothing sorted. */
static inline void world_open(play_world* w, const play_world_def* def) {
    memset(w, 0, sizeof *w);
    w->rules = def->rules;
    w->backwards = def->backwards;
    w->net = world_net(w->rules, def->hidden);
    w->shard = (agon_shard_def){.rules = def->rules,
                                .lanes = def->lanes,
                                .horizon = def->horizon,
                                .own_seats = def->own_seats,
                                .plays = 1,
                                .members = def->members,
                                .member = w->member};
    for (int m = 0; m < def->members; m++)
        world_member(w, m, def->first + m);
    const agon__gpu_net net = agon__gpu_net_of(&w->net, AGON__FP32);
    const agon__play_plan shape = agon__play_plan_of(&w->shard, agon__play_players(&w->shard), &net,
                                                     NULL, def->processors, NULL);
    world_data(w, shape.args.own);
    w->memory = world_alloc(shape.bytes, 0);
    w->plan = agon__play_plan_of(&w->shard, shape.args.players, &net, &w->data, def->processors,
                                 w->memory);
    agon__play_give(&w->plan, &w->shard, w->packed_of, w->plan.given.at);
    w->scratch = agon_cpu_backend()->scratch_open();
    world_find(w, def->twin);
    world_run(w, w->start, &w->plan.step);
}

static inline void world_close(play_world* w) {
    for (int m = 0; m < w->shard.members; m++)
        for (int p = 0; p <= w->member[m].opponents; p++)
            agon_learner_close(w->of[m][p]);
    void* const arrays[] = {w->data.obs,   w->data.mask,      w->data.action,
                            w->data.value, w->data.reward,    w->data.log_probability,
                            w->data.last,  w->data.bootstrap, w->data.memory,
                            w->memory};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    agon_cpu_backend()->scratch_close(w->scratch);
}

/* ---- a forward by the CPU backend ------------------------------------------------------------ */

/* One group, whose observations are brought together first. */
static inline void world_forward_group(play_world* w, int group) {
    const agon__gpu_forward* f = &w->plan.forward;
    const int start = f->start[group], count = f->count[group], offsets[2] = {0, count};
    if (!count)
        return;
    const size_t words = (size_t)f->mask_words;
    char* obs = malloc((size_t)count * f->obs_bytes);
    uint64_t* mask = malloc((size_t)count * words * sizeof *mask);
    const size_t floats = (size_t)f->net.memory;
    float* memory = malloc((size_t)count * floats * sizeof *memory + 1);
    float* uniform = malloc((size_t)count * sizeof *uniform);
    for (int i = 0; i < count; i++) {
        const size_t place = f->place[start + i];
        memcpy(obs + (size_t)i * f->obs_bytes, (const char*)f->obs + place * f->obs_bytes,
               f->obs_bytes);
        memcpy(mask + (size_t)i * words, f->mask + place * words, words * sizeof *mask);
        if (floats)
            memcpy(memory + (size_t)i * floats, f->memory + f->memory_row[start + i] * floats,
                   floats * sizeof *memory);
    }
    const agon_key key = {{f->draws.key[2 * group], f->draws.key[2 * group + 1]}};
    agon_uniforms(key, f->draws.episode + start, f->draws.ply + start, f->draws.seat + start, count,
                  uniform);
    const agon_forward call = {.net = &w->net,
                               .input = {w->rules->spec.obs_type, f->scale},
                               .nets = 1,
                               .packed = &f->packed[group],
                               .offsets = offsets,
                               .obs = obs,
                               .memory = floats ? memory : NULL,
                               .mask = mask,
                               .temperature = f->temperature,
                               .uniform = uniform,
                               .value = f->value + start,
                               .action = f->action + start,
                               .log_probability = f->log_probability + start};
    agon_cpu_backend()->scratch_reserve(w->scratch, &w->net, count, 0);
    agon_cpu_backend()->forward(&call, w->scratch);
    if (floats)
        memcpy(f->memory_after + (size_t)start * floats, memory,
               (size_t)count * floats * sizeof *memory);
    free(memory);
    free(obs);
    free(mask);
    free(uniform);
}

/* ---- rollouts ---------------------------------------------------------------------------------
 */

static inline void world_fill(const agon__play_memory* piece, int byte) {
    memset(piece->at, byte, piece->bytes);
}

static inline void world_begin(play_world* w) {
    world_fill(&w->plan.count, 0);
    world_fill(&w->plan.open, 0xff);
    world_fill(&w->plan.complete, 0);
    world_fill(&w->plan.live, 1);
}

static inline int world_left(const play_world* w) {
    int left = 0;
    for (int m = 0; m < w->shard.members; m++) {
        assert_int_equal(w->plan.args.word[m].fault, 0);
        left += w->plan.args.word[m].left;
    }
    return left;
}

static inline void world_forward(play_world* w) {
    for (int group = 0; group < w->plan.forward.groups; group++)
        world_forward_group(w, group);
}

/* One rollout by a forward, and `more` steps after its end. */
static inline void world_collect_by(play_world* w, int more, void (*forward)(play_world*)) {
    world_begin(w);
    world_run(w, w->sort, &w->plan.sort);
    for (uint64_t step = 0; world_left(w) || more--; step++) {
        assert_true(step <= w->plan.limit);
        world_run(w, w->observe, &w->plan.observe);
        forward(w);
        world_run(w, w->step, &w->plan.step);
        if (w->plan.args.remembered)
            world_run(w, w->recall, &w->plan.recall);
        world_run(w, w->sort, &w->plan.sort);
    }
    world_run(w, w->counts, &w->plan.counts);
}

static inline void world_collect(play_world* w, int more) {
    world_collect_by(w, more, world_forward);
}

/* ---- against the CPU --------------------------------------------------------------------------
 */

static inline agon_rollout* world_reference(const play_world* w, int m) {
    const agon_rollout_def def = {.rules = w->rules,
                                  .backend = agon_cpu_backend(),
                                  .learner = w->member[m].learner,
                                  .own_seats = w->shard.own_seats,
                                  .opponents = w->member[m].opponents,
                                  .opponent = w->member[m].opponent,
                                  .lanes = w->shard.lanes,
                                  .horizon = w->shard.horizon,
                                  .chance = w->member[m].chance,
                                  .action = w->member[m].action};
    agon_rollout* rollout = NULL;
    assert_int_equal(agon_rollout_open(&def, &rollout, NULL), 0);
    return rollout;
}

/* Equal bytes, or a difference of at most `room` above 0. */
static inline void world_floats(const float* got, const float* want, size_t count, float room) {
    if (room == 0)
        assert_memory_equal(got, want, count * sizeof *got);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= room))
            fail_msg("%zu: %g, expected %g", i, (double)got[i], (double)want[i]);
}

/* Member m's rectangle; room: of log-probabilities, values and bootstraps. */
static inline void world_compare(const play_world* w, int m, const agon_rectangle* want,
                                 float room) {
    const agon__gpu_rectangles* d = &w->data;
    const size_t rows = (size_t)d->rows, entries = rows * (size_t)d->horizon, first = m * entries;
    const size_t words = (size_t)d->mask_words;
    assert_int_equal(want->rows, d->rows);
    for (size_t i = 0; i < entries; i++) {
        assert_memory_equal((const char*)d->obs + (first + i) * d->obs_bytes,
                            (const char*)want->obs + want->place[i] * d->obs_bytes, d->obs_bytes);
        assert_memory_equal(d->mask + (first + i) * words, want->mask + want->place[i] * words,
                            words * sizeof *d->mask);
    }
    assert_memory_equal(d->action + first, want->action, entries * sizeof *d->action);
    world_floats(d->log_probability + first, want->log_probability, entries, room);
    world_floats(d->value + first, want->value, entries, room);
    assert_memory_equal(d->reward + first, want->reward, entries * 4);
    assert_memory_equal(d->last + first, want->last, entries);
    world_floats(d->bootstrap + m * rows, want->bootstrap, rows, room);
    const size_t floats = (size_t)d->remembered;
    assert_int_equal(want->remembered, d->remembered);
    if (floats)
        world_floats(d->memory + m * rows * floats, want->memory, rows * floats, room);
}

#endif
