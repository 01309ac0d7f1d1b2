/* Promise: work put into a stream is done in order and once it is waited for, recorded work can be
 * repeated, any thread may call, and the first failure is kept and said. The driver is that of
 * tests/cuda/driver.h. */
#include "cuda/gpu.h"
#include "cuda/images.h"
#include "cuda/layout.h"
#include "tests/cuda/emulate.h"

#include "agents/net.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static agon__gpu* open_gpu(void) {
    agon__gpu* gpu = NULL;
    agon_error error = {0};
    if (agon__gpu_open(&gpu, &error))
        fail_msg("%s", error.text);
    return gpu;
}

static agon__stream* open_stream(agon__gpu* gpu) {
    agon__stream* stream = NULL;
    assert_int_equal(agon__stream_open(gpu, &stream, NULL), AGON_OK);
    return stream;
}

static void says_what_it_is(void** state) {
    (void)state;
    agon__gpu* gpu = open_gpu();
    size_t free;
    assert_string_equal(agon__gpu_model(gpu), "Emulated GPU");
    assert_int_equal(agon__gpu_processors(gpu), 3);
    assert_int_equal(agon__gpu_shared(gpu), 232448);
    assert_int_equal(agon__gpu_memory(gpu, NULL), 8LL << 30);
    void* memory = agon__gpu_alloc(gpu, 1 << 20, NULL);
    assert_int_equal(agon__gpu_memory(gpu, &free), 8LL << 30);
    assert_int_equal(free, (8LL << 30) - (1 << 20));
    agon__gpu_free(gpu, memory);
    agon__gpu_memory(gpu, &free);
    assert_int_equal(free, 8LL << 30);
    agon__gpu_free(gpu, NULL);
    agon__gpu_unpin(gpu, NULL);
    agon__gpu* again = NULL;
    assert_int_equal(agon__gpu_open(&again, NULL), AGON_OK);
    assert_ptr_equal(again, gpu);
    assert_int_equal(agon__gpu_check(gpu, NULL), AGON_OK);
}

static void copies_go_in_order(void** state) {
    (void)state;
    agon__gpu* gpu = open_gpu();
    agon__stream* stream = open_stream(gpu);
    char *a = agon__gpu_alloc(gpu, 100, NULL), *b = agon__gpu_alloc(gpu, 100, NULL);
    char in[100], out[100];
    assert_int_equal((uintptr_t)a % 256, 0);
    for (int i = 0; i < 100; i++)
        in[i] = (char)i;
    memset(out, 77, sizeof out);
    agon__stream_in(stream, a, in, 100);
    agon__stream_copy(stream, b, a, 100);
    agon__stream_fill(stream, a + 10, 5, 20);
    agon__stream_copy(stream, b + 50, a, 50);
    agon__stream_out(stream, out, b, 100);
    agon__stream_fill(stream, b, 0, 0);
    assert_int_equal(out[0], 77); /* nobody has waited */
    assert_int_equal(agon__stream_wait(stream, NULL), AGON_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(out[i], i < 50 ? i : i >= 60 && i < 80 ? 5 : i - 50);
    agon__gpu_free(gpu, a);
    agon__gpu_free(gpu, b);
    agon__stream_close(stream);
    agon__stream_close(NULL);
}

/* Two nets packed on the device: once by a launch, or `repeats` times by a graph whose copies are
 * of other parameters each time. */
typedef struct packing {
    agon__gpu* gpu;
    agon__stream* stream;
    agon__gpu_net net;
    agon__pack_args args;
    float *params, *from; /* pinned; device */
    char *packed, *to;    /* pinned; device */
} packing;

static packing packing_open(int mode) {
    agon_net net;
    packing p = {.gpu = open_gpu()};
    assert_int_equal(agon_net_parse("126-33-7 relu", &net, NULL), 0);
    p.stream = open_stream(p.gpu);
    p.net = agon__gpu_net_of(&net, mode);
    const size_t params = 2 * p.net.params * sizeof(float), packed = 2 * p.net.bytes;
    p.params = agon__gpu_pinned(p.gpu, params, NULL);
    p.packed = agon__gpu_pinned(p.gpu, packed, NULL);
    p.from = agon__gpu_alloc(p.gpu, params, NULL);
    p.to = agon__gpu_alloc(p.gpu, packed, NULL);
    p.args = (agon__pack_args){
        .net = p.net, .count = 2, .stride = p.net.params, .params = p.from, .packed = p.to};
    return p;
}

static void packing_close(packing* p) {
    agon__gpu_unpin(p->gpu, p->params);
    agon__gpu_unpin(p->gpu, p->packed);
    agon__gpu_free(p->gpu, p->from);
    agon__gpu_free(p->gpu, p->to);
    agon__stream_close(p->stream);
}

/* The arguments are copied: they may change once this has returned. */
static void packing_put(packing* p) {
    agon__pack_args args = p->args;
    const agon__function* pack = agon__gpu_function(p->gpu, "kernels", "pack");
    assert_non_null(pack);
    assert_ptr_equal(agon__gpu_function(p->gpu, "kernels", "pack"), pack);
    agon__stream_in(p->stream, p->from, p->params, 2 * p->net.params * sizeof(float));
    agon__stream_fill(p->stream, p->to, 0, 2 * p->net.bytes);
    agon__stream_launch(p->stream, pack, 0, 4, 0, &args);
    agon__stream_launch(p->stream, pack, 5, 4, 1000, &args);
    memset(&args, 0xee, sizeof args);
    agon__stream_out(p->stream, p->packed, p->to, 2 * p->net.bytes);
}

static void packing_fill(packing* p, int seed) {
    for (uint64_t i = 0; i < 2 * p->net.params; i++)
        p->params[i] = (float)((i * 2654435761u + (unsigned)seed) % 65536) / 65536.0f - 0.5f;
}

static void packing_check(packing* p) {
    char* want = malloc(p->net.bytes);
    for (int i = 0; i < 2; i++) {
        agon__gpu_pack(&p->net, p->params + (uint64_t)i * p->net.params, want);
        assert_memory_equal(p->packed + (uint64_t)i * p->net.bytes, want, p->net.bytes);
    }
    free(want);
}

static void kernels_run(void** state) {
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        packing p = packing_open(mode);
        packing_fill(&p, mode);
        packing_put(&p);
        assert_int_equal(agon__stream_wait(p.stream, NULL), AGON_OK);
        packing_check(&p);
        packing_close(&p);
    }
}

static void recorded_work_is_repeated(void** state) {
    (void)state;
    packing p = packing_open(AGON__BF16);
    memset(p.packed, 0, 2 * p.net.bytes);
    packing_fill(&p, 1);
    agon__stream_record(p.stream);
    packing_put(&p);
    agon__graph* graph = agon__stream_recorded(p.stream);
    assert_non_null(graph);
    assert_int_equal(agon__stream_wait(p.stream, NULL), AGON_OK);
    for (uint64_t i = 0; i < 2 * p.net.bytes; i++) /* recorded, not done */
        assert_int_equal(p.packed[i], 0);
    for (int seed = 2; seed < 5; seed++) {
        packing_fill(&p, seed);
        agon__stream_repeat(p.stream, graph);
        assert_int_equal(agon__stream_wait(p.stream, NULL), AGON_OK);
        packing_check(&p);
    }
    agon__graph_close(graph);
    agon__graph_close(NULL);
    packing_close(&p);
}

static void every_image_is_there(void** state) {
    (void)state;
    agon__gpu* gpu = open_gpu();
    assert_true(agon__images_count > 1);
    for (int i = 0; i < agon__images_count; i++) {
        const char* image = agon__images[i].name;
        const char* kernel = i == 0 ? "pack" : "start";
        assert_non_null(emulate_find(image, kernel));
        assert_non_null(agon__gpu_function(gpu, image, kernel));
    }
    assert_int_equal(agon__gpu_check(gpu, NULL), AGON_OK);
}

static void missing_kernels_are_no_failure(void** state) {
    (void)state;
    agon__gpu* gpu = open_gpu();
    assert_null(agon__gpu_function(gpu, "kernels", "no_such_kernel"));
    assert_null(agon__gpu_function(gpu, "no_such_image", "pack"));
    assert_int_equal(agon__gpu_check(gpu, NULL), AGON_OK);
}

static void* in_a_thread(void* ok) {
    for (int i = 0; i < 10; i++) {
        packing p = packing_open(AGON__TF32);
        packing_fill(&p, i);
        packing_put(&p);
        if (agon__stream_wait(p.stream, NULL) != AGON_OK)
            return NULL;
        packing_check(&p);
        packing_close(&p);
    }
    *(int*)ok = 1;
    return NULL;
}

static void threads_may_call(void** state) {
    (void)state;
    pthread_t threads[4];
    int ok[4] = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, in_a_thread, &ok[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(ok[i], 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is),      cmocka_unit_test(copies_go_in_order),
        cmocka_unit_test(kernels_run),          cmocka_unit_test(recorded_work_is_repeated),
        cmocka_unit_test(every_image_is_there), cmocka_unit_test(missing_kernels_are_no_failure),
        cmocka_unit_test(threads_may_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
