/* Promise: the backend of a GPU takes what rows remember from host memory and puts it back there,
 * call after call, in one piece or in two halves; results are the CPU backend's. The driver is that
 * of tests/cuda/driver.h. */
#include "cuda/backend_cuda.h"
#include "tests/unit/forward_fixture.h"

enum { GROUPS = 4, CALLS = 3 };

/* One backend's side: its nets, its scratch, and what its rows remember. */
typedef struct side {
    const agon_backend* backend;
    agon_scratch* scratch;
    const void* packed[GROUPS];
    float* memory;
    outputs out;
} side;

static side open_side(const agon_backend* backend, const company* c) {
    side s = {.backend = backend, .scratch = backend->scratch_open(), .out = open_outputs(&c->b)};
    assert_non_null(s.scratch);
    assert_int_equal(backend->scratch_reserve(s.scratch, &c->b.net, c->b.rows, 0), 0);
    for (int g = 0; g < c->groups; g++) {
        void* packed = need(backend->packed_size(&c->b.net));
        backend->pack(&c->b.net, c->params[g], packed);
        s.packed[g] = packed;
    }
    s.memory = need((memory_floats(c) + 1) * sizeof(float));
    memcpy(s.memory, c->memory, memory_floats(c) * sizeof(float));
    return s;
}

static void close_side(const company* c, side* s) {
    for (int g = 0; g < c->groups; g++)
        free((void*)s->packed[g]);
    s->backend->scratch_close(s->scratch);
    free(s->memory);
    close_outputs(&s->out);
}

static void ask(const company* c, side* s, int halves) {
    agon_forward call = call_of(&c->b, &s->out, s->packed, c->offsets, c->groups);
    call.memory = memory_floats(c) ? s->memory : NULL;
    if (halves) {
        s->backend->begin(&call, s->scratch);
        s->backend->finish(s->scratch);
    } else {
        s->backend->forward(&call, s->scratch);
    }
    if (s->backend->check)
        assert_int_equal(s->backend->check(s->scratch, NULL), AGON_OK);
}

/* The same rows decide again and again. */
static void check_net(const char* text, agon_precision precision, float share) {
    static const int count[GROUPS] = {20, 0, 1, 33};
    source s = {3};
    agon_net net;
    company c;
    const agon_backend* cuda;
    assert_int_equal(agon_cuda_backend(precision, &cuda, NULL), AGON_OK);
    assert_int_equal(agon_net_parse(text, &net, NULL), 0);
    open_company(&s, &net, AGON_U8, GROUPS, count, &c);
    give_nets(&s, &c, &net);
    side want = open_side(agon_cpu_backend(), &c), got = open_side(cuda, &c);
    for (int call = 0; call < CALLS; call++) {
        const char* place = place_of(&c.b, cuda->name);
        ask(&c, &want, 0);
        ask(&c, &got, call % 2);
        near_floats("logits", place, want.out.logits, got.out.logits,
                    (size_t)c.b.rows * (size_t)net.actions, share);
        near_floats("memory", place, want.memory, got.memory, memory_floats(&c), share);
        assert_true(memory_floats(&c) == 0 ||
                    memcmp(got.memory, c.memory, memory_floats(&c) * sizeof(float)) != 0);
        assert_int_equal(((uint8_t*)(got.memory + memory_floats(&c)))[0], 0xa5);
        nothing_behind(&c.b, cuda->name, &got.out);
    }
    close_side(&c, &want);
    close_side(&c, &got);
    close_company(&c);
}

static void memory_comes_and_goes(void** state) {
    static const char* const nets[] = {"3x4x5-conv9-9 relu", "40-mingru33-mingru8-7 relu",
                                       "2x6x7-conv16-conv5k5-64-mingru20-7 tanh", "20-30-5 relu"};
    for (int i = 0; i < 4; i++) {
        check_net(nets[i], AGON_PRECISION_FP32, 1e-5f);
        check_net(nets[i], i % 2 ? AGON_PRECISION_TF32 : AGON_PRECISION_BF16, 2e-2f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_comes_and_goes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
