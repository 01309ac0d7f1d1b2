/* Promise: what can be wrong with a GPU is said, each fault by a message and a hint of its own; the
 * first failure is kept, and what comes after it does nothing. Each case is a process of its own,
 * over the driver of tests/cuda/driver.h with the faults that its environment asks for. */
#include "cuda/gpu.h"
#include "cuda/images.h"
#include "tests/cuda/emulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a case comes to: its error, or code AGON_OK and some text. */
typedef agon_error a_case(void);

static void set_environment(const char* settings) {
    char copy[256], *rest = copy;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char* word; (word = strsep(&rest, " "));)
        if (*word)
            putenv(strdup(word));
}

/* Runs a case in a process of its own. code 1: that one died. */
static agon_error ask(const char* settings, a_case* run) {
    agon_error result = {.code = 1};
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        set_environment(settings);
        result = run();
        _exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &result, sizeof result) != sizeof result)
        result.code = 1;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return result;
}

static void expect(const char* settings, a_case* run, int code, const char* text,
                   const char* hint) {
    const agon_error got = ask(settings, run);
    if (got.code != code || !strstr(got.text, text) || !strstr(got.hint, hint))
        fail_msg("%s: %d '%s' '%s'\nwanted: %d '%s' '%s'", settings, got.code, got.text, got.hint,
                 code, text, hint);
}

/* ---- opening -------------------------------------------------------------------------------- */

static agon_error open_it(void) {
    agon_error error = {0};
    agon__gpu* gpu;
    if (agon__gpu_open(&gpu, &error) == AGON_OK)
        snprintf(error.text, sizeof error.text, "%s, %d processors, %zu", agon__gpu_model(gpu),
                 agon__gpu_processors(gpu), agon__gpu_shared(gpu));
    return error;
}

static void opening_says_why_not(void** state) {
    (void)state;
    const char* built = agon__images_nvcc[0] ? "kernels 'kernels' do not load on GPU Emulated GPU, "
                                               "compute 9.0: CUDA_ERROR_NO_BINARY_FOR_GPU (209)"
                                             : "built without nvcc";
    const char* way = agon__images_nvcc[0] ? "-DAGON_CUDA_ARCHITECTURES=90" : "nvcc 12 or later";
    const int no = AGON_EUNSUPPORTED;
    expect("FAKE_CUDA_DEVICES=0", open_it, no, "finds no device", "nvidia-smi");
    expect("FAKE_CUDA_DEVICES=0 CUDA_VISIBLE_DEVICES=7", open_it, no, "finds no device",
           "CUDA_VISIBLE_DEVICES is '7'");
    expect("FAKE_CUDA_VERSION=11040", open_it, no, "it is of CUDA 11.4, needed is 12.0",
           "driver 525");
    expect("FAKE_CUDA_INIT=999", open_it, no, "does not start: CUDA_ERROR_UNKNOWN (999)",
           "nvidia-smi");
    expect("FAKE_CUDA_COMPUTE=70 FAKE_CUDA_NAME=Volta", open_it, no,
           "GPU Volta is too old: it has compute capability 7.0, needed is 7.5", "CPU");
    expect("FAKE_CUDA_OPEN=46", open_it, no, "does not open: CUDA_ERROR_DEVICE_UNAVAILABLE (46)",
           "nvidia-smi");
    expect("FAKE_CUDA_IMAGE=209", open_it, no, built, way);
    expect("FAKE_CUDA_STRICT=1", open_it, agon__images_nvcc[0] ? AGON_OK : no,
           agon__images_nvcc[0] ? "Emulated" : built, agon__images_nvcc[0] ? "" : way);
}

static void the_first_that_fits_is_taken(void** state) {
    (void)state;
    expect("FAKE_CUDA_DEVICES=3 FAKE_CUDA_NAME=a,b,c FAKE_CUDA_COMPUTE=70,90,80", open_it, AGON_OK,
           "b, 3 processors, 232448", "");
    expect("FAKE_CUDA_DEVICES=3 FAKE_CUDA_NAME=a,b,c FAKE_CUDA_OPEN=46,46,0", open_it, AGON_OK,
           "c, ", "");
    expect("FAKE_CUDA_DEVICES=2 FAKE_CUDA_NAME=a,b FAKE_CUDA_COMPUTE=61,70", open_it,
           AGON_EUNSUPPORTED, "GPU a is too old: it has compute capability 6.1", "");
    expect("FAKE_CUDA_SHARED=65536 FAKE_CUDA_PROCESSORS=132", open_it, AGON_OK,
           "132 processors, 65536", "");
}

/* ---- memory --------------------------------------------------------------------------------- */

static agon_error alloc_too_much(void) {
    agon_error error = {0}, none = {0};
    agon__gpu* gpu;
    if (agon__gpu_open(&gpu, &error) || agon__gpu_alloc(gpu, 2 << 20, &error) ||
        agon__gpu_check(gpu, NULL) || !agon__gpu_alloc(gpu, 1 << 20, NULL) ||
        !agon__gpu_pinned(gpu, 0, NULL))
        return none;
    return error;
}

static void no_memory_is_said_and_not_kept(void** state) {
    (void)state;
    expect("FAKE_CUDA_MEMORY=1048576", alloc_too_much, AGON_EMEMORY,
           "2.0 MiB (2097152 bytes) of device memory wanted; 1.0 of its 1.0 MiB are free",
           "fewer agents per shard");
}

static agon_error free_twice(void) {
    agon_error error = {0};
    agon__gpu* gpu;
    if (agon__gpu_open(&gpu, &error))
        return error;
    void* memory = agon__gpu_alloc(gpu, 10, &error);
    agon__gpu_free(gpu, memory);
    agon__gpu_free(gpu, memory);
    agon__gpu_check(gpu, &error);
    return error;
}

/* ---- streams -------------------------------------------------------------------------------- */

typedef struct world {
    agon_error error;
    agon__gpu* gpu;
    agon__stream* stream;
    char* memory; /* 1000 bytes of the device */
    agon__pack_args args;
    const agon__function* pack;
} world;

static world begin(void) {
    world w = {.error = {0}};
    if (agon__gpu_open(&w.gpu, &w.error) || agon__stream_open(w.gpu, &w.stream, &w.error)) {
        puts(w.error.text);
        _exit(1);
    }
    w.memory = agon__gpu_alloc(w.gpu, 1000, NULL);
    w.pack = agon__gpu_function(w.gpu, "kernels", "pack");
    return w;
}

/* Everything on a lost device; returns what the first wait said, if all others say the same. */
static agon_error use_a_lost_device(void) {
    world w = begin();
    agon_error error = {0}, again = {0};
    agon__stream* other = NULL;
    char out = 7;
    for (int i = 0; i < 3; i++)
        agon__stream_launch(w.stream, w.pack, 1, 1, 0, &w.args);
    agon__stream_out(w.stream, &out, w.memory, 1);
    const int code = agon__stream_wait(w.stream, &error);
    agon__stream_in(w.stream, w.memory, &out, 1);
    agon__stream_fill(w.stream, w.memory, 0, 1);
    agon__stream_copy(w.stream, w.memory, w.memory + 1, 1);
    agon__stream_launch(w.stream, w.pack, 1, 1, 0, &w.args);
    agon__stream_record(w.stream);
    size_t free = 1;
    const bool usable = agon__stream_recorded(w.stream) || agon__gpu_alloc(w.gpu, 1, &again) ||
                        agon__gpu_pinned(w.gpu, 1, &again) ||
                        agon__gpu_function(w.gpu, "kernels", "pack") ||
                        agon__stream_open(w.gpu, &other, &again) != code ||
                        agon__gpu_check(w.gpu, &again) != code || out != 7 ||
                        agon__gpu_memory(w.gpu, &free) != 8LL << 30 || free != 0;
    agon__stream_repeat(w.stream, NULL);
    agon__gpu_free(w.gpu, w.memory);
    agon__stream_close(w.stream);
    if (usable || memcmp(&error, &again, sizeof error) != 0)
        error.code = AGON_OK;
    return error;
}

static agon_error too_much_shared(void) {
    world w = begin();
    agon__stream_launch(w.stream, w.pack, 2, 3, 232449, &w.args);
    agon__stream_fill(w.stream, w.memory, 0, 100000); /* the second fault is not told */
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error most_shared(void) {
    world w = begin();
    agon__stream_launch(w.stream, w.pack, 2, 3, agon__gpu_shared(w.gpu), &w.args);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error copy_beyond(void) {
    world w = begin();
    char host[1001] = {0};
    agon__stream_launch(w.stream, w.pack, 1, 1, 0, &w.args);
    agon__stream_in(w.stream, w.memory, host, 1001);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error copy_from_freed(void) {
    world w = begin();
    char host[10] = {0};
    agon__gpu_free(w.gpu, w.memory);
    agon__stream_out(w.stream, host, w.memory, 10);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error host_and_device_exchanged(void) {
    world w = begin();
    char host[10] = {0};
    agon__stream_in(w.stream, host, w.memory, 10);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error record_pageable(void) {
    world w = begin();
    char host[10] = {0};
    agon__stream_record(w.stream);
    agon__stream_in(w.stream, w.memory, host, 10);
    if (agon__stream_recorded(w.stream))
        return w.error;
    agon__gpu_check(w.gpu, &w.error);
    return w.error;
}

static agon_error wait_while_recording(void) {
    world w = begin();
    agon__stream_record(w.stream);
    agon__stream_launch(w.stream, w.pack, 1, 1, 0, &w.args);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static agon_error record_nothing(void) {
    world w = begin();
    if (!agon__stream_recorded(w.stream))
        agon__gpu_check(w.gpu, &w.error);
    return w.error;
}

static void failures_are_kept_and_said(void** state) {
    (void)state;
    const int lost = AGON_EDEVICE;
    expect("FAKE_CUDA_LOST_AT=2", use_a_lost_device, lost,
           "GPU Emulated GPU: its work failed; the last kernel put in was agon_pack of 'kernels': "
           "CUDA_ERROR_LAUNCH_FAILED (719)",
           "can be resumed");
    expect("FAKE_CUDA_LOST_AT=2 FAKE_CUDA_EAGER=1", use_a_lost_device, lost,
           "kernel agon_pack of 'kernels' (1 blocks of 1 warps", "can be resumed");
    expect("", too_much_shared, lost,
           "kernel agon_pack of 'kernels' (2 blocks of 3 warps, 232449 bytes of shared memory)",
           "resumed");
    expect("", most_shared, AGON_OK, "", "");
    expect("", copy_beyond, lost, "CUDA_ERROR_ILLEGAL_ADDRESS (700)", "resumed");
    expect("FAKE_CUDA_EAGER=1", copy_beyond, lost,
           "copying to the device (1001 bytes), or work before it, of which kernel agon_pack of "
           "'kernels' was the last",
           "resumed");
    expect("", copy_from_freed, lost, "CUDA_ERROR_ILLEGAL_ADDRESS (700)", "resumed");
    expect("", host_and_device_exchanged, lost, "copying to the device (10 bytes): CUDA_ERROR_INV",
           "resumed");
    expect("", record_pageable, lost, "copying to the device (10 bytes)", "resumed");
    expect("", wait_while_recording, lost, "STREAM_CAPTURE_UNSUPPORTED", "resumed");
    expect("", record_nothing, lost, "recording work up to kernel none", "resumed");
    expect("", free_twice, lost, "giving back device memory", "resumed");
}

/* ---- what the driver sees under AddressSanitizer ----------------------------------------------
 */

static agon_error touch_device_memory(void) {
    world w = begin();
    if (!freopen("/dev/null", "w", stderr))
        _exit(0);
    w.error.code = w.memory[500];
    return w.error;
}

static agon_error write_beyond_in_a_kernel(void) {
    world w = begin();
    w.args.net.layers = 1;
    w.args.net.linear[0].rows = w.args.net.linear[0].stride = 40; /* 6,400 bytes */
    w.args.net.relu = 1;
    w.args.count = 1;
    w.args.packed = w.memory;
    if (!freopen("/dev/null", "w", stderr))
        _exit(0);
    agon__stream_launch(w.stream, w.pack, 1, 1, 0, &w.args);
    agon__stream_wait(w.stream, &w.error);
    return w.error;
}

static void wrong_use_of_memory_is_seen(void** state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    assert_int_equal(ask("", touch_device_memory).code, 1);
    assert_int_equal(ask("", write_beyond_in_a_kernel).code, 1);
#else
    (void)touch_device_memory, (void)write_beyond_in_a_kernel;
    skip(); /* without AddressSanitizer */
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_says_why_not),
        cmocka_unit_test(the_first_that_fits_is_taken),
        cmocka_unit_test(no_memory_is_said_and_not_kept),
        cmocka_unit_test(failures_are_kept_and_said),
        cmocka_unit_test(wrong_use_of_memory_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
