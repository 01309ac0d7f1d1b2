/* PPO against PyTorch: a stored case, see tests/data/README.md. */
#include "agents/learner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tests/data/ppo_case.bin; its layout is told in tests/data/README.md. */
typedef struct torch_case {
    agon_net net;
    int32_t rows, horizon, batch, steps, params;
    float hyper[8]; /* rate, clip, value, entropy, beta1, beta2, epsilon, max norm */
    agon_rectangle* data;
    float *start, *logits, *value, *grads, *end;
    uint32_t* index; /* (steps, batch) */
    double loss[6];  /* loss, policy, value, entropy, kl, clipped */
    double norm[16];
} torch_case;

static void* take(FILE* file, size_t count, size_t size, void* into) {
    void* block = into ? into : malloc(count * size);
    assert_non_null(block);
    assert_int_equal(fread(block, size, count, file), count);
    return block;
}

static torch_case read_case(FILE* file) {
    torch_case c = {0};
    char text[64];
    take(file, 1, 64, text);
    assert_int_equal(agon_net_parse(text, &c.net, NULL), 0);
    take(file, 5, 4, &c.rows);
    take(file, 8, 4, c.hyper);
    assert_true(c.rows > 0 && c.rows < 1000 && c.steps > 0 && c.steps <= 16);
    assert_int_equal(c.params, agon_net_size(&c.net));
    const int remembered = agon_net_memory(&c.net);
    const size_t inputs = (size_t)c.net.inputs, params = (size_t)c.params;
    const size_t entries = (size_t)(c.rows * c.horizon);
    c.data = agon_rectangle_open(c.rows, c.horizon, (agon_input){AGON_F32, 1.0f}, 4 * inputs, 1, 0,
                                 remembered);
    assert_non_null(c.data);
    c.start = take(file, params, 4, NULL);
    take(file, entries * inputs, 4, c.data->obs);
    take(file, entries, 8, c.data->mask);
    take(file, entries, 2, c.data->action);
    take(file, entries, 4, c.data->log_probability);
    take(file, entries, 4, c.data->advantage);
    take(file, entries, 4, c.data->target);
    take(file, entries, 1, c.data->last);
    take(file, (size_t)(c.rows * remembered), 4, c.data->memory);
    c.index = take(file, (size_t)(c.steps * c.batch), 4, NULL);
    c.logits = take(file, entries * (size_t)c.net.actions, 4, NULL);
    c.value = take(file, entries, 4, NULL);
    take(file, 6, 8, c.loss);
    c.grads = take(file, params, 4, NULL);
    take(file, (size_t)c.steps, 8, c.norm);
    c.end = take(file, params, 4, NULL);
    return c;
}

static void close_case(torch_case* c) {
    agon_rectangle_close(c->data);
    free(c->start);
    free(c->index);
    free(c->logits);
    free(c->value);
    free(c->grads);
    free(c->end);
}

/* Largest |got - want| / max(|want|, floor). */
static double distance(const float* got, const float* want, size_t count, double floor) {
    double worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double off = fabs((double)got[i] - (double)want[i]);
        const double share = off / fmax(fabs((double)want[i]), floor);
        worst = share > worst || share != share ? share : worst; /* NaN shows */
    }
    return worst;
}

/* Decision t of every row; memory (rows, remembered) moves on. */
static void compare_moment(const torch_case* c, const agon_backend* backend,
                           const agon_learner* learner, agon_scratch* scratch, int t,
                           float* memory) {
    const int inputs = c->net.inputs, actions = c->net.actions, remembered = c->data->remembered;
    float obs[1024], logits[1024], value[128];
    const int offsets[] = {0, c->rows};
    const void* packed[] = {learner->packed};
    assert_true(c->rows * inputs <= 1024 && c->rows * actions <= 1024 && c->rows <= 128);
    for (int r = 0; r < c->rows; r++)
        memcpy(obs + r * inputs, (const float*)c->data->obs + (r * c->horizon + t) * inputs,
               (size_t)inputs * sizeof(float));
    backend->forward(&(agon_forward){.net = &c->net,
                                     .input = c->data->input,
                                     .nets = 1,
                                     .packed = packed,
                                     .offsets = offsets,
                                     .obs = obs,
                                     .memory = remembered ? memory : NULL,
                                     .logits = logits,
                                     .value = value},
                     scratch);
    for (int r = 0; r < c->rows; r++) {
        const int entry = r * c->horizon + t;
        assert_true(distance(logits + r * actions, c->logits + entry * actions, (size_t)actions,
                             0.1) < 1e-5);
        assert_true(distance(value + r, c->value + entry, 1, 0.1) < 1e-5);
        if (c->data->last[entry])
            memset(memory + r * remembered, 0, (size_t)remembered * sizeof(float));
    }
}

static void compare_forward(const torch_case* c, const agon_backend* backend,
                            const agon_learner* learner, agon_scratch* scratch) {
    float memory[1024];
    const size_t floats = (size_t)(c->rows * c->data->remembered);
    assert_true(floats <= 1024);
    memcpy(memory, c->data->memory, floats * sizeof(float));
    for (int t = 0; t < c->horizon; t++)
        compare_moment(c, backend, learner, scratch, t, memory);
}

static void compare_case(const torch_case* c, const agon_backend* backend) {
    agon_learner* learner = agon_learner_open(&c->net, backend);
    agon_scratch* scratch = backend->scratch_open();
    const float* h = c->hyper;
    const size_t params = (size_t)c->params;
    assert_true(learner && scratch);
    memcpy(learner->params, c->start, params * sizeof(float));
    backend->pack(&c->net, learner->params, learner->packed);
    compare_forward(c, backend, learner, scratch);
    for (int step = 0; step < c->steps; step++) {
        agon_update u = {.learner = learner,
                         .data = c->data,
                         .index = c->index + step * c->batch,
                         .count = c->batch,
                         .step = {h[0], h[1], h[2], h[3], h[7], h[4], h[5], h[6]}};
        if (step == 0) {
            backend->gradient(&u, scratch);
            assert_true(distance(learner->grads, c->grads, params, 1e-2) < 1e-5);
            const double got[] = {u.stats.policy_loss, u.stats.value_loss, u.stats.entropy,
                                  u.stats.kl, u.stats.clipped};
            for (int i = 0; i < 5; i++)
                assert_true(fabs(got[i] - c->loss[i + 1]) < 1e-6);
        }
        backend->update(&u, 1, scratch);
        assert_true(fabs(u.stats.grad_norm - c->norm[step]) < 1e-5 * c->norm[step]);
    }
    assert_int_equal(learner->updates, c->steps);
    assert_true(distance(learner->params, c->end, params, 0.1) < 1e-5);
    backend->scratch_close(scratch);
    agon_learner_close(learner);
}

/* Promise: forward, loss, gradients (1e-5, relative above 0.01) and ten Adam steps with and without
 * scaled gradients (1e-5, relative above 0.1) are PyTorch's: dense layers, convolutions, minGRUs.
 */
static void pytorch_agrees(void** state) {
    static const char* const forms[] = {"portable", "avx2", "avx512", "neon"};
    const char* here = getenv("SOURCE"); /* ctest runs in the source tree; elsewhere say where */
    char path[512], magic[8];
    int32_t cases = 0;
    snprintf(path, sizeof path, "%s/tests/data/ppo_case.bin", here ? here : ".");
    FILE* file = fopen(path, "rb");
    assert_non_null(file);
    take(file, 1, 8, magic);
    assert_memory_equal(magic, "PPOCASE2", 8);
    take(file, 1, 4, &cases);
    assert_int_equal(cases, 5);
    while (cases-- > 0) {
        torch_case c = read_case(file);
        for (int f = 0; f < 4; f++)
            if (agon_cpu_backend_named(forms[f]))
                compare_case(&c, agon_cpu_backend_named(forms[f]));
        close_case(&c);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pytorch_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
