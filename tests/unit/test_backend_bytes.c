/* Promise: observations of bytes and the same numbers as floats give the same bytes, forward and in
 * gradients, though a first layer of bytes walks only what is not 0. */
#include "agents/learner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, ACTIONS = 5 };

static const char* const forms[] = {"portable", "neon", "avx2", "avx512"};

static float draw(uint32_t* at) {
    return agon_uniform(agon_random((agon_key){{3, 1}}, ++*at, 0, 0, 0).word[0]);
}

/* One out of `sparse` is not 0; the first row is all 0 and the second has none. */
static void fill(uint8_t* bytes, float* floats, int inputs, int sparse, float scale, uint32_t* at) {
    for (int r = 0; r < ROWS; r++) {
        for (int k = 0; k < inputs; k++) {
            const int set = r == 1 || (r > 1 && draw(at) * (float)sparse < 1.0f);
            const uint8_t x = set ? (uint8_t)(1.0f + draw(at) * 254.0f) : 0;
            bytes[r * inputs + k] = x;
            floats[r * inputs + k] = (float)x * scale;
        }
    }
}

static agon_rectangle* rectangle(agon_dtype type, float scale, int inputs, const void* obs) {
    const size_t bytes = (size_t)inputs * (type == AGON_U8 ? 1 : sizeof(float));
    agon_rectangle* d = agon_rectangle_open(ROWS, 1, (agon_input){type, scale}, bytes, 1, 0, 0);
    assert_non_null(d);
    memcpy(d->obs, obs, ROWS * bytes);
    for (int i = 0; i < ROWS; i++) {
        d->mask[i] = (1u << ACTIONS) - 1u;
        d->action[i] = (uint16_t)(i % ACTIONS);
        d->log_probability[i] = -1.5f;
        d->advantage[i] = (float)(i % 7) - 3.0f;
        d->target[i] = (float)(i % 3) - 1.0f;
    }
    return d;
}

/* Logits, values and gradients. */
static void run(const agon_backend* backend, const agon_net* net, agon_rectangle* d, float* logits,
                float* value, float* grads) {
    agon_learner* learner = agon_learner_open(net, backend);
    agon_scratch* scratch = backend->scratch_open();
    const int offsets[] = {0, ROWS};
    uint32_t index[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        index[i] = ROWS - 1 - i;
    agon_net_init(net, (agon_key){{5, 8}}, learner->params);
    for (size_t i = 0; i < agon_net_size(net); i++) /* biases too */
        learner->params[i] += (float)(i % 5) * 0.01f - 0.02f;
    backend->pack(net, learner->params, learner->packed);
    const void* packed = learner->packed;
    backend->forward(&(agon_forward){.net = net,
                                     .input = d->input,
                                     .nets = 1,
                                     .packed = &packed,
                                     .offsets = offsets,
                                     .obs = d->obs,
                                     .logits = logits,
                                     .value = value},
                     scratch);
    agon_update update = {.learner = learner,
                          .data = d,
                          .index = index,
                          .count = ROWS,
                          .step = {1e-3f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f}};
    backend->gradient(&update, scratch);
    memcpy(grads, learner->grads, agon_net_size(net) * sizeof *grads);
    backend->scratch_close(scratch);
    agon_learner_close(learner);
}

static void compare(const agon_backend* backend, const char* shape, int sparse, float scale) {
    agon_net net;
    uint32_t at = 0;
    assert_int_equal(agon_net_parse(shape, &net, NULL), 0);
    const size_t size = agon_net_size(&net), entries = (size_t)ROWS * (size_t)net.inputs;
    uint8_t* bytes = malloc(entries);
    float* floats = malloc(entries * sizeof *floats);
    float* out = calloc(2 * (ROWS * (ACTIONS + 1) + size), sizeof *out);
    float* other = out + ROWS * (ACTIONS + 1) + size;
    fill(bytes, floats, net.inputs, sparse, scale, &at);
    agon_rectangle* b = rectangle(AGON_U8, scale, net.inputs, bytes);
    agon_rectangle* f = rectangle(AGON_F32, 1.0f, net.inputs, floats);
    run(backend, &net, b, out, out + ROWS * ACTIONS, out + ROWS * (ACTIONS + 1));
    run(backend, &net, f, other, other + ROWS * ACTIONS, other + ROWS * (ACTIONS + 1));
    assert_memory_equal(out, other, (ROWS * (ACTIONS + 1) + size) * sizeof *out);
    agon_rectangle_close(b);
    agon_rectangle_close(f);
    free(bytes);
    free(floats);
    free(out);
}

/* Promise: whatever the width of the input, the density, the scale and the depth. */
static void bytes_are_floats(void** state) {
    static const char* const shapes[] = {"1-5 relu",         "7-64-5 relu",   "84-128-128-5 relu",
                                         "130-200-7-5 tanh", "300-40-5 relu", "65-5 relu"};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        for (size_t s = 0; backend && s < sizeof shapes / sizeof *shapes; s++)
            for (int sparse = 1; sparse <= 20; sparse += 6)
                compare(backend, shapes[s], sparse, sparse % 2 ? 1.0f : 1.0f / 255.0f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_floats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
