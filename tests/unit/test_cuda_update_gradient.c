/* Promise: gradients of a minibatch, and its statistics, are the CPU backend's, for nets of any
 * shape. In mode fp32 logits of relu nets are the same bytes, and every tensor of the gradient is
 * within 1e-5 of its largest. In tf32 and bf16 each tensor's error has a norm within 2e-2 of that
 * of the whole gradient; 6e-2 with relu, as of a few thousand units some are so near to 0 that
 * rounding flips their slope. Nothing is clipped there: a row that is near the clip may flip, too.
 */
#include "tests/unit/cuda_update_fixture.h"

static const double tolerances[] = {1e-5, 2e-2, 2e-2};
static const char* const modes[] = {"fp32", "tf32", "bf16"};

static void near_norm(const char* place, const float* want, const float* got, size_t count,
                      double limit) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++)
        squares += pow((double)got[i] - (double)want[i], 2.0);
    if (!(sqrt(squares) <= limit))
        fail_msg("gradients are off by %g, at most %g (%s)", sqrt(squares), limit, place);
}

static void near_tensor(const world* w, int m, const char* place, const agon_tensor* tensor,
                        double whole) {
    const float* want = w->cpu[m]->grads + tensor->offset;
    const float* got = w->learners.grads + (size_t)m * w->learners.stride + tensor->offset;
    if (w->def.mode == AGON__FP32)
        near_floats("grads", place, want, got, tensor->count, 1e-5, 1e-3);
    else
        near_norm(place, want, got, tensor->count,
                  whole * (w->net.activation == AGON_RELU ? 6e-2 : 2e-2));
}

/* Every tensor by itself, so that a small one does not hide behind a large one's tolerance. */
static void check_member(world* w, int m, const uint32_t* index, int count) {
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
    assert_int_equal(cpu->scratch_reserve(scratch, &w->net, count, 1), 0);
    cpu->gradient(&update, scratch);
    cpu->scratch_close(scratch);
    for (int i = 0; i < many; i++) {
        snprintf(place, sizeof place, "%s, %s, %s, member %d, %s", w->def.net,
                 w->def.type == AGON_U8 ? "u8" : "f32", modes[w->def.mode], m, tensors[i].name);
        near_tensor(w, m, place, &tensors[i], update.stats.grad_norm);
    }
    near_stats(place, &update.stats, &w->each[m].stats, tolerances[w->def.mode]);
}

/* Logits and values of a minibatch against forward's of the CPU, row by row. */
static void check_logits(world* w, int m, const uint32_t* index, int count) {
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

static void check_gradient(const world_def* def) {
    world w;
    uint32_t index[WORLD_MEMBERS * 128];
    source s = {1};
    world_def soft = *def;
    if (def->mode != AGON__FP32)
        soft.ppo.step.clip = 100.0f;
    open_world(&soft, &w);
    const int entries = world_entries(&w), count = entries - 2;
    for (int i = 0; i < def->members * count; i++)
        index[i] = (uint32_t)next_int(&s, 0, entries - 1);
    assert_int_equal(agon__gpu_update_gradient(w.update, w.each, index, count, NULL), 0);
    for (int m = 0; m < def->members; m++) {
        check_member(&w, m, index + m * count, count);
        if (def->mode == AGON__FP32 && (w.net.activation == AGON_RELU || w.net.layers == 0))
            check_logits(&w, m, index + m * count, count);
    }
    close_world(&w);
}

/* Layers, widths and actions all with each other; what else there is takes turns. */
static void any_shape(void** state) {
    static const int widths[] = {1, 7, 64, 200, 256}, actions[] = {1, 9, 1352};
    (void)state;
    for (int i = 0, turn = 0; i < 3 * 5 * 3; i++, turn += 5) {
        const int layers = 1 + i % 3, width = widths[i / 3 % 5], act = actions[i / 15];
        char net[64] = "";
        int at = snprintf(net, sizeof net, "%d", turn % 2 ? 37 : 130);
        for (int j = 1; j < layers; j++)
            at += snprintf(net + at, sizeof net - (size_t)at, "-%d", j == 1 ? width : width + 3);
        snprintf(net + at, sizeof net - (size_t)at, "-%d %s", act, turn / 2 % 2 ? "relu" : "tanh");
        check_gradient(&(world_def){.net = net,
                                    .type = turn / 4 % 2 ? AGON_U8 : AGON_F32,
                                    .mode = turn % 3,
                                    .members = 2,
                                    .rows = act > 9 ? 3 : 7,
                                    .horizon = act > 9 ? 5 : 11,
                                    .in_place = turn / 8 % 2,
                                    .all_legal = turn / 16 % 2,
                                    .ppo = usual_ppo,
                                    .gpu = {.blocks = turn % 7 == 0 ? 3 : 0}});
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_shape)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
