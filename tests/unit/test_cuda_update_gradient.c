/* Promise: gradients of a minibatch, and its statistics, for nets of any shape. In mode fp32 logits
 * of relu nets are the CPU backend's bytes, and every tensor of the gradient is within 1e-5 of its
 * largest. In tf32 and bf16 the gradient is that of plain loops that round what the mode rounds: an
 * error of 1e-3 of the norm. And with tanh it is the CPU's within 2e-2: with relu, and at the clip,
 * a slope that rounding moves past its kink is another, however small the move. */
#include "tests/unit/cuda_update_fixture.h"

static const double tolerances[] = {1e-5, 2e-2, 2e-2};
static const char* const modes[] = {"fp32", "tf32", "bf16"};

/* ---- plain loops that round as a mode does ------------------------------------------------- */

enum { LAYERS = 5, WIDEST = 1360 };

static float rounded(int mode, float x) {
    char element[4];
    agon__put(mode, element, 0, x);
    return agon__get(mode, element, 0);
}

/* Weight k of output j of a layer, as a place among the parameters; k = in: its bias. */
static size_t weight_at(const agon__gpu_net* n, int layer, int j, int k) {
    const agon__gpu_linear* l = &n->linear[layer];
    const int value = layer == n->layers - 1 && j == l->out - 1;
    if (k == l->in)
        return value ? n->from_value_bias : l->from_bias + (uint64_t)j;
    return (value ? n->from_value_weight : l->from_weight + (uint64_t)(j * l->in)) + (uint64_t)k;
}

static void plain_layer(const world* w, const float* params, int layer, const float* x, float* y) {
    const agon__gpu_net* n = &w->learners.net;
    const agon__gpu_linear* l = &n->linear[layer];
    for (int j = 0; j < l->out; j++) {
        float sum = params[weight_at(n, layer, j, l->in)];
        for (int k = 0; k < l->in; k++)
            sum = fmaf(x[k], rounded(n->mode, params[weight_at(n, layer, j, k)]), sum);
        y[j] = sum;
        if (layer < n->layers - 1)
            y[j] = rounded(n->mode, n->relu ? fmaxf(sum, 0.0f) : tanhf(sum));
    }
}

/* d loss / d head of an entry, from its logits and value, in place. */
static void plain_loss(const world* w, const agon_rectangle* d, uint32_t entry, double share,
                       float* head) {
    const agon_ppo_step* step = &w->def.ppo.step;
    const uint64_t* mask = d->mask + d->place[entry] * (size_t)d->mask_words;
    const int actions = w->net.actions, chosen = d->action[entry];
    double p[WIDEST], sum = 0.0, entropy = 0.0, top = -INFINITY;
    for (int a = 0; a < actions; a++)
        if (mask[a / 64] >> (a % 64) & 1)
            top = fmax(top, (double)head[a]);
    for (int a = 0; a < actions; a++)
        sum += p[a] = mask[a / 64] >> (a % 64) & 1 ? exp((double)head[a] - top) : 0.0;
    for (int a = 0; a < actions; a++) {
        p[a] /= sum;
        entropy -= p[a] > 0.0 ? p[a] * log(p[a]) : 0.0;
    }
    const double ratio = exp(log(p[chosen]) - (double)d->log_probability[entry]);
    const double held = fmin(fmax(ratio, 1.0 - (double)step->clip), 1.0 + (double)step->clip);
    const double advantage = (double)d->advantage[entry];
    const double gain = ratio * advantage > held * advantage ? 0.0 : -ratio * advantage * share;
    for (int a = 0; a < actions; a++) {
        const double log_p = p[a] > 0.0 ? log(p[a]) : 0.0;
        const double spread = (double)step->entropy_weight * share * (log_p + entropy);
        head[a] = rounded(w->def.mode, (float)(p[a] * (spread - gain) + (a == chosen) * gain));
    }
    head[actions] =
        rounded(w->def.mode, (float)(((double)head[actions] - (double)d->target[entry]) *
                                     (double)step->value_weight * share));
}

/* Adds a row's gradients; x[layers] has the slopes of the head. Slopes replace inputs. */
static void plain_backward(const world* w, const float* params, float x[][WIDEST], double* grads) {
    const agon__gpu_net* n = &w->learners.net;
    for (int i = n->layers - 1; i >= 0; i--) {
        const agon__gpu_linear* l = &n->linear[i];
        for (int j = 0; j < l->out; j++)
            for (int k = 0; k <= l->in; k++)
                grads[weight_at(n, i, j, k)] +=
                    (double)x[i + 1][j] * (k < l->in ? (double)x[i][k] : 1.0);
        for (int k = 0; k < l->in && i > 0; k++) {
            const float y = x[i][k];
            float sum = 0.0f;
            for (int j = 0; j < l->out; j++)
                sum = fmaf(x[i + 1][j], rounded(n->mode, params[weight_at(n, i, j, k)]), sum);
            x[i][k] = rounded(n->mode, n->relu ? (y > 0.0f ? sum : 0.0f) : sum * (1.0f - y * y));
        }
    }
}

static void plain_gradient(const world* w, int m, const uint32_t* index, int count, float* out) {
    static float x[LAYERS + 1][WIDEST];
    const agon_rectangle* d = w->data[m];
    const size_t size = w->learners.net.params;
    double* grads = calloc(size, sizeof *grads);
    for (int r = 0; r < count; r++) {
        const char* obs = (const char*)d->obs + d->place[index[r]] * d->obs_bytes;
        for (int k = 0; k < w->net.inputs; k++)
            x[0][k] = rounded(w->def.mode, w->def.type == AGON_U8
                                               ? (float)((const uint8_t*)obs)[k] * d->input.scale
                                               : ((const float*)obs)[k]);
        for (int i = 0; i < w->learners.net.layers; i++)
            plain_layer(w, w->start[m], i, x[i], x[i + 1]);
        plain_loss(w, d, index[r], 1.0 / count, x[w->learners.net.layers]);
        plain_backward(w, w->start[m], x, grads);
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (float)grads[i];
    free(grads);
}

/* ---- comparison --------------------------------------------------------------------------- */

static void near_norm(const char* place, const float* want, const float* got, size_t count,
                      double limit) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++)
        squares += pow((double)got[i] - (double)want[i], 2.0);
    if (!(sqrt(squares) <= limit))
        fail_msg("gradients are off by %g, at most %g (%s)", sqrt(squares), limit, place);
}

static void near_tensor(const world* w, int m, const char* place, const agon_tensor* tensor,
                        const float* plain, double whole) {
    const float* want = w->cpu[m]->grads + tensor->offset;
    const float* got = w->learners.grads + (size_t)m * w->learners.stride + tensor->offset;
    if (w->def.mode == AGON__FP32)
        near_floats("grads", place, want, got, tensor->count, 1e-5, 1e-3);
    else
        near_norm(place, plain + tensor->offset, got, tensor->count, 1e-3 * whole);
    if (w->net.activation == AGON_TANH || w->net.layers == 0)
        near_norm(place, want, got, tensor->count, 2e-2 * whole);
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
    for (int i = 0, turn = 0; i < 4 * 5 * 3; i++, turn += 5) {
        const int layers = 1 + i % 4, width = widths[i / 4 % 5], act = actions[i / 20];
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
