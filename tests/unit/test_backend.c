/* The CPU backend: one result whatever the width, the batch and the company. */
#include "agents/learner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char* const forms[] = {"portable", "avx2", "avx512", "neon"};
enum { FORMS = 4, MAX_ROWS = 130 };

/* A stream of test numbers; a test owns it. */
typedef struct source {
    uint32_t drawn;
} source;

static float next_uniform(source* s) {
    const agon_key key = {{7, 11}};
    return agon_uniform(agon_random(key, 0, 0, 0, s->drawn++).word[0]);
}

static void fill(source* s, float* out, size_t count, float scale) {
    for (size_t i = 0; i < count; i++)
        out[i] = (2.0f * next_uniform(s) - 1.0f) * scale;
}

static void* need(size_t bytes) {
    void* block = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(block);
    memset(block, 0xa5, (bytes + 64) / 64 * 64);
    return block;
}

/* ---- a batch and its results -------------------------------------------------------------- */

typedef struct batch {
    agon_net net;
    agon_input input;
    int rows, words;
    float* params;
    agon_rectangle* data; /* (rows, 1): observations and masks are contiguous */
    float* uniform;
    float temperature;
} batch;

typedef struct outputs {
    float *logits, *value, *probability, *log_probability;
    uint16_t* action;
} outputs;

static void open_batch(source* s, const agon_net* net, agon_dtype type, int rows, batch* b) {
    const agon_input input = {type, 0.25f};
    const size_t size = agon_net_size(net);
    *b = (batch){.net = *net, .input = input, .rows = rows, .words = (net->actions + 63) / 64};
    b->temperature = 1.0f;
    b->params = need(size * sizeof(float));
    fill(s, b->params, size, 0.3f);
    b->uniform = need((size_t)rows * sizeof(float));
    b->data = agon_rectangle_open(rows, 1, input, (size_t)net->inputs * (type == AGON_U8 ? 1 : 4),
                                  b->words, 0);
    assert_non_null(b->data);
    for (int i = 0; i < rows * net->inputs; i++) {
        if (type == AGON_U8)
            ((uint8_t*)b->data->obs)[i] = (uint8_t)(next_uniform(s) * 5.0f);
        else
            ((float*)b->data->obs)[i] = next_uniform(s) - 0.5f;
    }
    for (int r = 0; r < rows; r++) {
        const int sure = (int)(next_uniform(s) * (float)net->actions);
        b->uniform[r] = next_uniform(s);
        for (int a = 0; a < net->actions; a++)
            if (a == sure || next_uniform(s) < 0.6f)
                b->data->mask[r * b->words + a / 64] |= 1ull << (a % 64);
        b->data->action[r] = (uint16_t)sure;
        b->data->log_probability[r] = -2.0f * next_uniform(s);
        b->data->advantage[r] = 2.0f * next_uniform(s) - 1.0f;
        b->data->target[r] = 2.0f * next_uniform(s) - 1.0f;
    }
}

static void close_batch(batch* b) {
    free(b->params);
    free(b->uniform);
    agon_rectangle_close(b->data);
}

static outputs open_outputs(const batch* b) {
    const size_t rows = (size_t)b->rows, actions = (size_t)b->net.actions;
    return (outputs){need(rows * actions * 4), need(rows * 4), need(rows * actions * 4),
                     need(rows * 4), need(rows * 2)};
}

static void close_outputs(outputs* o) {
    free(o->logits);
    free(o->value);
    free(o->probability);
    free(o->log_probability);
    free(o->action);
}

static agon_forward call_of(const batch* b, const outputs* o, const void* const* packed,
                            const int* offsets, int nets) {
    return (agon_forward){.net = &b->net,
                          .input = b->input,
                          .nets = nets,
                          .packed = packed,
                          .offsets = offsets,
                          .obs = b->data->obs,
                          .mask = b->data->mask,
                          .temperature = b->temperature,
                          .uniform = b->uniform,
                          .logits = o->logits,
                          .value = o->value,
                          .probability = o->probability,
                          .action = o->action,
                          .log_probability = o->log_probability};
}

static void run_forward(const agon_backend* backend, const batch* b, const outputs* o) {
    void* packed = need(backend->packed_size(&b->net));
    const void* const list[] = {packed};
    const int offsets[] = {0, b->rows};
    agon_scratch* scratch = backend->scratch_open();
    backend->pack(&b->net, b->params, packed);
    assert_int_equal(backend->scratch_reserve(scratch, &b->net, b->rows, 0), 0);
    const agon_forward call = call_of(b, o, list, offsets, 1);
    backend->forward(&call, scratch);
    backend->scratch_close(scratch);
    free(packed);
}

static void same_outputs(const batch* b, const outputs* x, const outputs* y) {
    const size_t rows = (size_t)b->rows, actions = (size_t)b->net.actions;
    assert_memory_equal(x->logits, y->logits, rows * actions * 4);
    assert_memory_equal(x->value, y->value, rows * 4);
    assert_memory_equal(x->probability, y->probability, rows * actions * 4);
    assert_memory_equal(x->log_probability, y->log_probability, rows * 4);
    assert_memory_equal(x->action, y->action, rows * 2);
}

/* Gradients of one minibatch, then three Adam steps; the learner is the caller's. */
static agon_learner* run_updates(const agon_backend* backend, const batch* b, float* grads) {
    agon_learner* learner = agon_learner_open(&b->net, backend);
    agon_scratch* scratch = backend->scratch_open();
    uint32_t index[MAX_ROWS];
    const size_t size = agon_net_size(&b->net);
    assert_non_null(learner);
    for (int i = 0; i < b->rows; i++)
        index[i] = (uint32_t)(b->rows - 1 - i);
    memcpy(learner->params, b->params, size * 4);
    backend->pack(&b->net, learner->params, learner->packed);
    agon_update update = {.learner = learner,
                          .data = b->data,
                          .index = index,
                          .count = b->rows,
                          .step = {1e-2f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-5f}};
    backend->gradient(&update, scratch);
    memcpy(grads, learner->grads, size * 4);
    for (int i = 0; i < 3; i++)
        backend->update(&update, 1, scratch);
    backend->scratch_close(scratch);
    return learner;
}

/* ---- forms -------------------------------------------------------------------------------- */

static void same_forms(const batch* b) {
    const agon_backend* base = agon_cpu_backend_named("portable");
    const size_t size = agon_net_size(&b->net);
    outputs want = open_outputs(b), got = open_outputs(b);
    float *want_grads = need(size * 4), *got_grads = need(size * 4);
    run_forward(base, b, &want);
    agon_learner* first = run_updates(base, b, want_grads);
    for (int f = 1; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        run_forward(backend, b, &got);
        same_outputs(b, &want, &got);
        agon_learner* other = run_updates(backend, b, got_grads);
        assert_memory_equal(want_grads, got_grads, size * 4);
        assert_memory_equal(first->params, other->params, size * 4);
        assert_memory_equal(first->moment1, other->moment1, size * 4);
        assert_memory_equal(first->moment2, other->moment2, size * 4);
        assert_memory_equal(first->packed, other->packed, base->packed_size(&b->net));
        agon_learner_close(other);
    }
    agon_learner_close(first);
    close_outputs(&want);
    close_outputs(&got);
    free(want_grads);
    free(got_grads);
}

/* Promise: AVX-512, AVX2, NEON and portable give the same bytes: outputs, gradients, Adam steps.
 * Every depth x width x actions; rows, activation, type and temperature go round. */
static void forms_agree(void** state) {
    static const int widths[] = {1, 7, 64, 200}, actions[] = {1, 2, 7, 9, 82};
    static const int rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 130};
    static const float temperatures[] = {1.0f, 0.0f, 0.5f, 1.0f, 2.0f};
    source s = {0};
    int turn = 0;
    for (int layers = 0; layers <= 3; layers++)
        for (int w = 0; w < 4; w++)
            for (int a = 0; a < 5; a++, turn++) {
                batch b;
                agon_net net = {.inputs = w % 2 ? 23 : 48, .layers = layers, .actions = actions[a]};
                for (int i = 0; i < layers; i++)
                    net.hidden[i] = widths[(w + i) % 4];
                net.activation = turn % 2 ? AGON_TANH : AGON_RELU;
                open_batch(&s, &net, turn / 2 % 2 ? AGON_F32 : AGON_U8, rows[turn % 13], &b);
                b.temperature = temperatures[turn % 5];
                same_forms(&b);
                close_batch(&b);
            }
}

/* Promise: the bytes do not depend on compiler or optimisation either: one update's parameters and
 * a forward's probabilities hash to what gcc -O0, gcc -O3 and clang gave when this was written. A
 * change here changes the result of every run: it needs a new run format. */
static void known_bytes(void** state) {
    const agon_backend* backend = agon_cpu_backend();
    uint64_t hash = AGON_HASH_START;
    source s = {0};
    for (int tanh_net = 0; tanh_net < 2; tanh_net++) {
        const agon_net net = {.inputs = 30,
                              .layers = 2,
                              .hidden = {40, 24},
                              .actions = 9,
                              .activation = tanh_net ? AGON_TANH : AGON_RELU};
        const size_t size = agon_net_size(&net);
        batch b;
        open_batch(&s, &net, AGON_U8, 101, &b);
        outputs o = open_outputs(&b);
        float* grads = need(size * 4);
        run_forward(backend, &b, &o);
        agon_learner* learner = run_updates(backend, &b, grads);
        hash = agon_hash(hash, o.probability, 101 * 9 * 4);
        hash = agon_hash(hash, o.action, 101 * 2);
        hash = agon_hash(hash, learner->params, size * 4);
        agon_learner_close(learner);
        free(grads);
        close_outputs(&o);
        close_batch(&b);
    }
    assert_true(hash == 0x5cb652fd67857bbdull);
}

/* Promise: names choose forms; AGON_SIMD does too, and what it cannot give falls back. */
static void form_choice(void** state) {
    assert_string_equal(agon_cpu_backend_named("portable")->name, "cpu/portable");
    assert_null(agon_cpu_backend_named("mmx"));
    unsetenv("AGON_SIMD");
    const agon_backend* widest = agon_cpu_backend();
    setenv("AGON_SIMD", "portable", 1);
    assert_string_equal(agon_cpu_backend()->name, "cpu/portable");
    setenv("AGON_SIMD", "mmx", 1);
    assert_ptr_equal(agon_cpu_backend(), widest);
    unsetenv("AGON_SIMD");
}

/* ---- company ------------------------------------------------------------------------------ */

/* Row r of `whole` alone in a batch must give what it gave in company. */
static void alone(const agon_backend* backend, const batch* whole, const outputs* want, int r) {
    const size_t actions = (size_t)whole->net.actions;
    batch one = *whole;
    agon_rectangle row = *whole->data;
    row.obs = (char*)row.obs + (size_t)r * row.obs_bytes;
    row.mask += r * whole->words;
    one.data = &row;
    one.rows = 1;
    one.uniform += r;
    outputs got = open_outputs(&one);
    run_forward(backend, &one, &got);
    same_outputs(&one,
                 &(outputs){want->logits + (size_t)r * actions, want->value + r,
                            want->probability + (size_t)r * actions, want->log_probability + r,
                            want->action + r},
                 &got);
    close_outputs(&got);
}

/* Promise: what a row gives depends on that row and its net alone. */
static void rows_do_not_meet(void** state) {
    const agon_net net = {.inputs = 33, .layers = 2, .hidden = {70, 40}, .actions = 9};
    const agon_backend* backend = agon_cpu_backend();
    source s = {0};
    batch b;
    open_batch(&s, &net, AGON_U8, 130, &b);
    outputs want = open_outputs(&b);
    run_forward(backend, &b, &want);
    for (int r = 0; r < b.rows; r += 7)
        alone(backend, &b, &want, r);
    close_outputs(&want);
    close_batch(&b);
}

/* Promise: several nets in one call, empty groups included, give what each gives alone. */
static void nets_do_not_meet(void** state) {
    static const int offsets[] = {0, 1, 1, 4, 60, 61, 109, 130}; /* one block ends inside a group */
    enum { NETS = 7 };
    const agon_net net = {.inputs = 20, .layers = 1, .hidden = {50}, .actions = 6};
    const agon_backend* backend = agon_cpu_backend();
    source s = {0};
    batch b;
    open_batch(&s, &net, AGON_F32, 130, &b);
    outputs together = open_outputs(&b), apart = open_outputs(&b);
    const void* packed[NETS];
    agon_scratch* scratch = backend->scratch_open();
    for (int n = 0; n < NETS; n++) {
        void* made = need(backend->packed_size(&net));
        fill(&s, b.params, agon_net_size(&net), 0.4f);
        backend->pack(&net, b.params, made);
        packed[n] = made;
    }
    agon_forward call = call_of(&b, &together, packed, offsets, NETS);
    backend->forward(&call, scratch);
    for (int n = 0; n < NETS; n++) {
        const int from = offsets[n], own[] = {0, offsets[n + 1] - from};
        agon_forward one = call_of(&b, &apart, packed + n, own, 1);
        one.obs = (const float*)b.data->obs + from * net.inputs;
        one.mask += from;
        one.uniform += from;
        one.logits += from * net.actions;
        one.probability += from * net.actions;
        one.value += from;
        one.log_probability += from;
        one.action += from;
        backend->forward(&one, scratch);
    }
    same_outputs(&b, &together, &apart);
    for (int n = 0; n < NETS; n++)
        free((void*)(uintptr_t)packed[n]);
    backend->scratch_close(scratch);
    close_outputs(&together);
    close_outputs(&apart);
    close_batch(&b);
}

/* ---- the choice --------------------------------------------------------------------------- */

/* A net without layers whose logits are its biases: (actions) `logits` for every row. */
static void open_constant(const float* logits, int actions, int rows, batch* b) {
    source s = {0};
    const agon_net net = {.inputs = 1, .actions = actions};
    open_batch(&s, &net, AGON_F32, rows, b);
    memset(b->params, 0, agon_net_size(&net) * 4);
    memcpy(b->params + actions, logits, (size_t)actions * 4);
    for (int r = 0; r < rows; r++)
        b->data->mask[r] = (1ull << actions) - 1;
}

/* Promise: actions are drawn with the probabilities told, and illegal ones never (chi-square, 4
 * degrees of freedom: 23.5 is passed once in 10,000 times; the numbers are fixed). */
static void sampler_marginals(void** state) {
    enum { ROWS = 20000, ACTIONS = 6 };
    static const float logits[ACTIONS] = {0.3f, 2.0f, -1.0f, 0.0f, 0.5f, -0.7f};
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        double count[ACTIONS] = {0}, sum = 0.0, chi = 0.0;
        batch b;
        if (!backend)
            continue;
        open_constant(logits, ACTIONS, ROWS, &b);
        for (int r = 0; r < ROWS; r++)
            b.data->mask[r] = 0x3d; /* all but action 1 */
        outputs o = open_outputs(&b);
        run_forward(backend, &b, &o);
        for (int a = 0; a < ACTIONS; a++)
            sum += a == 1 ? 0.0 : exp((double)logits[a]);
        for (int r = 0; r < ROWS; r++) {
            const int a = o.action[r];
            assert_in_range(a, 0, ACTIONS - 1);
            count[a]++;
            assert_true(fabs((double)o.log_probability[r] - ((double)logits[a] - log(sum))) < 1e-6);
        }
        assert_true(count[1] == 0.0 && o.probability[1] == 0.0f);
        for (int a = 0; a < ACTIONS; a++) {
            const double p = a == 1 ? 0.0 : exp((double)logits[a]) / sum;
            assert_true(fabs((double)o.probability[a] - p) < 1e-6);
            if (a != 1)
                chi += (count[a] - ROWS * p) * (count[a] - ROWS * p) / (ROWS * p);
        }
        assert_true(chi < 23.5);
        close_outputs(&o);
        close_batch(&b);
    }
}

/* Promise: temperature 0 takes the lowest of equal maxima among legal actions, with probability 1
 * told; temperature sharpens as logits / temperature; log-probabilities stay at temperature 1. */
static void temperatures(void** state) {
    static const float logits[] = {9.0f, 1.0f, 2.0f, 2.0f};
    const agon_backend* backend = agon_cpu_backend();
    batch b;
    open_constant(logits, 4, 1, &b);
    b.data->mask[0] = 0xe;
    outputs o = open_outputs(&b);
    const double sum = exp(1.0) + 2.0 * exp(2.0), half = exp(2.0) + 2.0 * exp(4.0);
    b.temperature = 0.0f;
    run_forward(backend, &b, &o);
    assert_int_equal(o.action[0], 2);
    assert_true(o.probability[0] == 0 && o.probability[1] == 0 && o.probability[2] == 1);
    assert_true(fabs((double)o.log_probability[0] - (2.0 - log(sum))) < 1e-6);
    b.temperature = 0.5f;
    b.uniform[0] = 0.0f; /* the first action with positive probability */
    run_forward(backend, &b, &o);
    assert_int_equal(o.action[0], 1);
    assert_true(fabs((double)o.probability[1] - exp(2.0) / half) < 1e-6);
    assert_true(fabs((double)o.log_probability[0] - (1.0 - log(sum))) < 1e-6);
    close_outputs(&o);
    close_batch(&b);
}

/* Promise: no uniform, however near 1, and no logits, however extreme or damaged, choose an illegal
 * action. */
static void choice_is_legal(void** state) {
    static const float sets[][5] = {{0.1f, 0.7f, 0.3f, 0.2f, 5.0f},
                                    {3e38f, -3e38f, 1.0f, 0.0f, 3e38f},
                                    {NAN, NAN, NAN, NAN, NAN},
                                    {INFINITY, 0.0f, -INFINITY, INFINITY, 0.0f},
                                    {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 0.0f}};
    static const float uniforms[] = {0.0f, 0x1.fffffep-1f, 0.5f, 0x1p-24f};
    for (int f = 0; f < FORMS; f++)
        for (size_t i = 0; i < 5 * 4 * 31; i++) {
            const agon_backend* backend = agon_cpu_backend_named(forms[f]);
            const uint64_t mask = i % 31 + 1;
            batch b;
            if (!backend)
                continue;
            open_constant(sets[i / 31 % 5], 5, 1, &b);
            b.data->mask[0] = mask;
            b.uniform[0] = uniforms[i / 155];
            outputs o = open_outputs(&b);
            for (b.temperature = 0.0f; b.temperature <= 1.0f; b.temperature += 0.5f) {
                run_forward(backend, &b, &o);
                assert_true(o.action[0] < 5 && (mask >> o.action[0] & 1));
            }
            close_outputs(&o);
            close_batch(&b);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_agree),      cmocka_unit_test(known_bytes),
        cmocka_unit_test(form_choice),      cmocka_unit_test(rows_do_not_meet),
        cmocka_unit_test(nets_do_not_meet), cmocka_unit_test(sampler_marginals),
        cmocka_unit_test(temperatures),     cmocka_unit_test(choice_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
