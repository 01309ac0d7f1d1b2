/* bench_gpu_run.c: samples of work on a GPU, floors, and the order of figures. */
#include "tools/bench_gpu.h"

#include "cuda/gpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- floors ------------------------------------------------------------------------------- */

agon_net agon_bench_gpu_net(void) {
    return (agon_net){
        .inputs = 126, .layers = 2, .hidden = {128, 128}, .actions = 7, .activation = AGON_RELU};
}

double agon_bench_gpu_net_bytes(const agon_net* net, agon_precision precision) {
    return (double)agon_net_size(net) * (precision == AGON_PRECISION_BF16 ? 2 : 4);
}

static void set_floor(const agon_bench_gpu_limits* limits, agon_bench_gpu_figure* f) {
    const double by_bytes = limits->copy * 1e9 / f->bytes;
    const double by_flop = limits->gemm > 0 ? limits->gemm * 1e12 / f->flop : INFINITY;
    f->by_bytes = by_bytes < by_flop;
    f->floor = f->by_bytes ? by_bytes : by_flop;
}

/* ---- samples ------------------------------------------------------------------------------ */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

/* How many times fit into `seconds`; what is loaded at first use is loaded by then. */
static int size_sample(agon_bench_gpu_work* work, void* user, double seconds, int* times,
                       agon_error* error) {
    int rc = work(user, 1, error);
    for (*times = 1; !rc; *times *= 2) {
        const double begun = now();
        rc = work(user, *times, error);
        const double spent = now() - begun;
        if (spent < 0.2 * seconds && *times < 1 << 20)
            continue;
        const double fit = *times * seconds / spent;
        *times = fit < 1 ? 1 : fit > 1 << 24 ? 1 << 24 : (int)fit;
        break;
    }
    return rc;
}

/* Times a second of each sample, ascending. */
static int sample(const agon_bench_gpu* b, agon_bench_gpu_work* work, void* user, double* rate,
                  agon_error* error) {
    int times, rc = size_sample(work, user, b->seconds / b->samples, &times, error);
    for (int i = 0; !rc && i < b->samples; i++) {
        const double begun = now();
        rc = work(user, times, error);
        rate[i] = times / (now() - begun);
    }
    qsort(rate, (size_t)b->samples, sizeof *rate, ascending);
    return rc;
}

int agon_bench_gpu_measure(agon_bench_gpu_run_state* s, agon_bench_gpu_figure* f, double units,
                           agon_bench_gpu_work* work, void* user, agon_error* error) {
    double rate[AGON_BENCH_GPU_SAMPLES] = {0};
    s->listener->begins(s->listener->user, f->words);
    const int rc = sample(s->bench, work, user, rate, error);
    if (rc)
        return rc;
    f->per_second = units * rate[s->bench->samples / 2];
    f->low = units * rate[0];
    f->high = units * rate[s->bench->samples - 1];
    set_floor(&s->limits, f);
    if (s->bench->precision != AGON_PRECISION_BF16) /* aims are its */
        f->aim_share = f->aim_rate = 0;
    s->listener->figure(s->listener->user, f);
    return AGON_OK;
}

/* ---- copies ------------------------------------------------------------------------------- */

typedef struct copying {
    agon__stream* stream;
    char* memory; /* of the device: what is read, then what is written */
    size_t bytes;
} copying;

static int go_copy(void* user, int times, agon_error* error) {
    copying* c = user;
    for (int i = 0; i < times; i++)
        agon__stream_copy(c->stream, c->memory + c->bytes, c->memory, c->bytes);
    return agon__stream_wait(c->stream, error);
}

/* In proportion to everything: 512 MiB, which no cache holds. */
static int measure_copy(agon_bench_gpu_run_state* s, agon_error* error) {
    const size_t bytes = (size_t)s->bench->rows * 512;
    copying c = {s->stream, agon__gpu_alloc(s->gpu, 2 * bytes, error), bytes};
    double rate[AGON_BENCH_GPU_SAMPLES] = {0};
    if (!c.memory)
        return AGON_EMEMORY;
    s->listener->begins(s->listener->user, "copies on the device");
    agon__stream_fill(s->stream, c.memory, 0x5a, 2 * bytes);
    const int rc = sample(s->bench, go_copy, &c, rate, error);
    s->limits.copy = 2e-9 * (double)bytes * rate[s->bench->samples / 2];
    agon__gpu_free(s->gpu, c.memory);
    return rc;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int run(agon_bench_gpu_run_state* s, agon_error* error) {
    int rc = measure_copy(s, error);
    if (rc)
        return rc;
    s->listener->limits(s->listener->user, &s->limits);
    rc = agon_bench_gpu_forward(s, error);
    if (!rc)
        rc = agon_bench_gpu_update(s, error);
    if (!rc)
        rc = agon_bench_gpu_play(s, error);
    return rc;
}

int agon_bench_gpu_run(const agon_bench_gpu* b, const agon_bench_gpu_listener* listener,
                       agon_error* error) {
    agon_bench_gpu_run_state s = {.bench = b, .listener = listener};
    int rc = agon_cuda_backend(b->precision, &s.backend, error);
    if (!rc)
        rc = agon__gpu_open(&s.gpu, error);
    if (!rc)
        rc = agon__stream_open(s.gpu, &s.stream, error);
    if (rc)
        return rc;
    s.limits = (agon_bench_gpu_limits){
        .device = s.backend->device, .backend = s.backend->name, .gemm = b->gemm};
    rc = run(&s, error);
    agon__stream_close(s.stream);
    return rc;
}

static void print_aims(FILE* out, const agon_bench_gpu_figure* f) {
    if (f->aim_share > 0)
        fprintf(out, ",\"aim_share\":%.4g", f->aim_share);
    if (f->aim_rate > 0)
        fprintf(out, ",\"aim_per_second\":%.4g", f->aim_rate);
}

void agon_bench_gpu_json(const agon_bench_gpu_figure* f, const agon_bench_gpu_limits* limits,
                         char* out, size_t size) {
    FILE* to = fmemopen(out, size, "w");
    if (!to)
        return;
    fprintf(to, "{\"bench\":\"%s\",%s,\"share_of_floor\":%.4g", f->what, f->fields,
            f->per_second / f->floor);
    fprintf(to, ",\"%s_per_second\":%.6g,\"low\":%.6g,\"high\":%.6g", f->unit, f->per_second,
            f->low, f->high);
    fprintf(to, ",\"gflops\":%.4g,\"gigabytes_per_second\":%.4g", f->flop * f->per_second * 1e-9,
            f->bytes * f->per_second * 1e-9);
    print_aims(to, f);
    fprintf(to, ",\"floor_per_second\":%.6g,\"floor_is\":\"%s\"", f->floor,
            f->by_bytes ? "bytes" : "flop");
    fprintf(to, ",\"backend\":\"%s\",\"device\":\"%s\",\"copy_gigabytes_per_second\":%.4g",
            limits->backend, limits->device, limits->copy);
    if (limits->gemm > 0)
        fprintf(to, ",\"gemm_tflops\":%.4g}", limits->gemm);
    else
        fputs(",\"gemm_tflops\":null}", to);
    fclose(to);
}
