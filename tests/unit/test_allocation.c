/* Memory of the CPU backend: none is taken in the hot loop. */
#include "agents/learner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* glibc's own names stand behind these, so that each call is counted, also what is freed again. A
 * sanitizer brings its own allocator: then nothing is counted and the test is skipped. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#ifndef SANITIZED
static _Atomic long allocations;

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

static long allocated(void) {
    return allocations;
}
#else
static long allocated(void) {
    return -1;
}
#endif

enum { ROWS = 130 };

/* One forward and one update over all entries of `data`; the caller's arrays. */
static void work(const agon_backend* backend, agon_scratch* scratch, agon_learner* learner,
                 agon_rectangle* data, const uint32_t* index) {
    float uniform[ROWS] = {0}, probability[ROWS * 7], value[ROWS];
    uint16_t action[ROWS];
    const void* packed[] = {learner->packed};
    const int offsets[] = {0, ROWS};
    const agon_forward call = {.net = &learner->net,
                               .input = data->input,
                               .nets = 1,
                               .packed = packed,
                               .offsets = offsets,
                               .obs = data->obs,
                               .mask = data->mask,
                               .temperature = 0.5f,
                               .uniform = uniform,
                               .value = value,
                               .probability = probability,
                               .action = action,
                               .log_probability = data->log_probability};
    agon_update update = {.learner = learner,
                          .data = data,
                          .index = index,
                          .count = ROWS,
                          .step = {1e-3f, 0.2f, 0.5f, 0.0f, 0.5f, 0.9f, 0.999f, 1e-5f}};
    backend->forward(&call, scratch);
    backend->update(&update, 1, scratch);
}

/* Promise: after scratch_reserve, forward and update allocate nothing; without it, scratch grows.
 */
static void no_allocation(void** state) {
    const agon_net net = {.inputs = 40, .layers = 3, .hidden = {64, 64, 20}, .actions = 7};
    const agon_backend* backend = agon_cpu_backend();
    agon_learner* learner = agon_learner_open(&net, backend);
    agon_rectangle* data = agon_rectangle_open(ROWS, 1, (agon_input){AGON_U8, 1.0f}, 40, 1, 0, 0);
    uint32_t index[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        index[i] = i;
        data->mask[i] = 0x7f;
    }
    for (int reserve = 0; reserve < 2; reserve++) {
        agon_scratch* scratch = backend->scratch_open();
        if (reserve) {
            assert_int_equal(backend->scratch_reserve(scratch, &net, ROWS, 0), 0);
            assert_int_equal(backend->scratch_reserve(scratch, &net, ROWS, 1), 0);
        }
        const long before = allocated();
        work(backend, scratch, learner, data, index);
        const long taken = allocated() - before;
        backend->scratch_close(scratch);
        if (before >= 0)
            assert_true(reserve ? taken == 0 : taken > 0); /* > 0: the counter counts */
    }
    agon_rectangle_close(data);
    agon_learner_close(learner);
    if (allocated() < 0)
        skip();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
