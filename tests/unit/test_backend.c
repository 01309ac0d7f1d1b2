/* The CPU backend: its forms, its bytes, and the choice. More in test_backend_*.c, test_sampler.c.
 */
#include "tests/unit/backend_fixture.h"

enum { MAX_ROWS = 130 };

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
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(form_choice),
        cmocka_unit_test(temperatures),
        cmocka_unit_test(choice_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
