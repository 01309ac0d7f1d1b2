/* gradient_fixture.h: gradients of a minibatch of a world of cuda_update_fixture.h, compared with
 * the CPU backend's and with plain loops.
 *
 * In mode fp32 logits of relu nets are the CPU backend's bytes, and every tensor of the gradient is
 * within 1e-5 of its largest. In tf32 and bf16 the gradient is that of plain loops that round what
 * the mode rounds: an error of 1e-3 of the norm. And with tanh it is the CPU's within 2e-2: with
 * relu, and at the clip, a slope that rounding moves past its kink is another, however small the
 * move. */
#ifndef AGON_GRADIENT_FIXTURE_H
#define AGON_GRADIENT_FIXTURE_H

#include "tests/unit/plain_gradient.h"

static const char* const modes[] = {"fp32", "tf32", "bf16"};

static inline void near_norm(const char* place, const float* want, const float* got, size_t count,
                             double limit) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++)
        squares += pow((double)got[i] - (double)want[i], 2.0);
    if (!(sqrt(squares) <= limit))
        fail_msg("gradients are off by %g, at most %g (%s)", sqrt(squares), limit, place);
}

static inline void near_tensor(const world* w, int m, const char* place, const agon_tensor* tensor,
                               const float* plain, double whole) {
    const float* want = w->cpu[m]->grads + tensor->offset;
    const float* got = w->learners.grads + (size_t)m * w->learners.stride + tensor->offset;
    const double least = w->net.planes ? 1e-2 : 1e-3; /* points' terms cancel in a sum */
    if (w->def.mode == AGON__FP32) {
        near_floats("grads", place, want, got, tensor->count, 1e-5, least);
        near_floats("grads", place, plain + tensor->offset, got, tensor->count, 1e-5, least);
    } else {
        near_norm(place, plain + tensor->offset, got, tensor->count, 1e-3 * whole);
    }
    if (w->net.activation == AGON_TANH || w->net.layers == 0)
        near_norm(place, want, got, tensor->count, 2e-2 * whole);
}

/* In tf32 and bf16 with relu a slope past its kink tells in the norm. */
static inline double stats_tolerance(const world* w) {
    if (w->def.mode == AGON__FP32)
        return 1e-5;
    const int plain = !w->net.planes && !w->rectangles.remembered;
    return w->net.activation == AGON_RELU && !plain ? 5e-2 : 2e-2;
}

/* Every tensor by itself, so that a small one does not hide behind a large one's tolerance. */
static inline void check_member(world* w, int m, const uint32_t* index, int count) {
    const agon_backend* cpu = agon_cpu_backend();
    agon_scratch* scratch = cpu->scratch_open();
    agon_update update = {.learner = w->cpu[m],
                          .data = w->data[m],
                          .index = index,
                          .count = count,
                          .step = w->def.ppo.step};
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int many = agon_net_tensors(&w->net, tensors);
    char place[1200];
    float* plain = need(agon_net_size(&w->net) * sizeof *plain);
    plain_gradient(w, m, index, count, plain);
    assert_int_equal(cpu->scratch_reserve(scratch, &w->net, count, 1), 0);
    cpu->gradient(&update, scratch);
    cpu->scratch_close(scratch);
    for (int i = 0; i < many; i++) {
        snprintf(place, sizeof place, "%s, %s, %s, member %d, %s", w->def.net,
                 w->def.type == AGON_U8 ? "u8" : "f32", modes[w->def.mode], m, tensors[i].name);
        near_tensor(w, m, place, &tensors[i], plain, update.stats.grad_norm);
    }
    free(plain);
    near_stats(place, &update.stats, &w->each[m].stats, stats_tolerance(w));
}

/* Logits and values of a minibatch against forward's of the CPU, row by row. */
static inline void check_logits(world* w, int m, const uint32_t* index, int count) {
    const agon_rectangle* d = w->data[m];
    const agon__loss_args* loss = &w->gpu.loss;
    const size_t actions = (size_t)w->net.actions;
    float *logits = need(actions * sizeof *logits), value;
    const void* const packed[] = {w->cpu[m]->packed};
    agon_scratch* scratch = agon_cpu_backend()->scratch_open();
    assert_int_equal(agon_cpu_backend()->scratch_reserve(scratch, &w->net, 1, 0), 0);
    for (int r = 0; r < count; r++) {
        const agon_forward call = {.net = &w->net,
                                   .input = d->input,
                                   .nets = 1,
                                   .packed = packed,
                                   .offsets = (const int[]){0, 1},
                                   .obs = (const char*)d->obs + d->place[index[r]] * d->obs_bytes,
                                   .logits = logits,
                                   .value = &value};
        agon_cpu_backend()->forward(&call, scratch);
        const float* got =
            loss->head + ((ptrdiff_t)m * loss->row_limit + r) * (ptrdiff_t)loss->stride;
        same_floats("logits", w->def.net, logits, got, actions);
        assert_true(got[actions] == value);
    }
    agon_cpu_backend()->scratch_close(scratch);
    free(logits);
}

/* Any entries, or, for nets with memory, any rows; a few less than there are. */
static inline int draw_index(const world* w, uint32_t* index) {
    const int horizon = w->def.horizon, rows = w->def.rows;
    const int each = w->rectangles.remembered ? horizon : 1;
    const int units = each > 1 ? rows - (rows > 1) : world_entries(w) - 2;
    source s = {1};
    for (int i = 0; i < w->def.members * units; i++)
        for (int t = 0, unit = next_int(&s, 0, world_entries(w) / each - 1); t < each; t++)
            index[i * each + t] = (uint32_t)(unit * each + t);
    return units * each;
}

static inline void check_gradient(const world_def* def) {
    world w;
    world_def soft = *def;
    if (def->mode != AGON__FP32)
        soft.ppo.step.clip = 100.0f;
    open_world(&soft, &w);
    uint32_t* index = need((size_t)(def->members * world_entries(&w)) * sizeof *index);
    const int count = draw_index(&w, index);
    assert_int_equal(agon__gpu_update_gradient(w.update, w.each, index, count, NULL), 0);
    for (int m = 0; m < def->members; m++) {
        check_member(&w, m, index + m * count, count);
        if (def->mode == AGON__FP32 && !w.rectangles.remembered && !def->work &&
            (w.net.activation == AGON_RELU || w.net.layers == 0))
            check_logits(&w, m, index + m * count, count);
    }
    free(index);
    close_world(&w);
}

#endif
