/* bench_gpu.h: what a GPU does of agon's work, beside the floors that its arithmetic and its memory
 * set. Needs games/, agents/ and cuda/ alone, so that it can be linked where the engine cannot. */
#ifndef AGON_BENCH_GPU_H
#define AGON_BENCH_GPU_H

#include "agents/net.h"
#include "cuda/backend_cuda.h"
#include "games/agon_game.h"

#include <stdbool.h>

typedef struct agon_bench_gpu {
    double seconds; /* for each figure */
    int samples;    /* of a figure; odd, at most 31 */
    agon_precision precision;
    const char* game; /* that plays itself */
    double gemm;      /* TFLOP/s of a large product on this GPU; 0: not known, floors are bytes' */
    int rows;         /* of a forward in all, and all else in proportion; usually 2^20 */
} agon_bench_gpu;

enum { AGON_BENCH_GPU_ROWS = 1 << 20, AGON_BENCH_GPU_SAMPLES = 31 };

/* One figure; all rates are units a second. */
typedef struct agon_bench_gpu_figure {
    const char* what;             /* "gpu_forward" */
    char words[96];               /* for people: "forward, 16 nets x 65536 rows" */
    char fields[384];             /* what names it, as JSON without braces */
    const char* unit;             /* "rows", "agent_steps" */
    double per_second, low, high; /* median of the samples, and their ends */
    double flop, bytes;           /* that a unit needs at least */
    double floor;                 /* the most units a second: the lower of both limits' */
    bool by_bytes;                /* which limit it is */
    double aim_share, aim_rate;   /* that is aimed at; 0: none */
} agon_bench_gpu_figure;

/* What floors are made of, in this run. */
typedef struct agon_bench_gpu_limits {
    const char *device, *backend; /* "NVIDIA H100 80GB HBM3", "cuda/bf16" */
    double copy;                  /* GB/s on the device, bytes read and written; measured */
    double gemm;                  /* TFLOP/s, as given */
} agon_bench_gpu_limits;

typedef struct agon_bench_gpu_listener {
    void* user;
    void (*begins)(void* user, const char* words);                   /* what is measured next */
    void (*limits)(void* user, const agon_bench_gpu_limits* limits); /* once, before all figures */
    void (*figure)(void* user, const agon_bench_gpu_figure* figure);
    void (*skips)(void* user, const char* words, const char* why);
} agon_bench_gpu_listener;

/* Measures everything. AGON_EUNSUPPORTED where there is no GPU that fits. */
int agon_bench_gpu_run(const agon_bench_gpu* b, const agon_bench_gpu_listener* listener,
                       agon_error* error);

/* The line of JSON, without its end. out: (size), cut to fit; 1000 bytes do. */
void agon_bench_gpu_json(const agon_bench_gpu_figure* figure, const agon_bench_gpu_limits* limits,
                         char* out, size_t size);

/* `agon bench gpu`, an agon_command_function. */
int agon_bench_gpu_command(int argc, char** argv);

/* ---- within bench_gpu_*.c ------------------------------------------------------------------- */

typedef struct agon_bench_gpu_run_state {
    const agon_bench_gpu* bench;
    const agon_bench_gpu_listener* listener;
    const agon_backend* backend;
    struct agon__gpu* gpu;
    struct agon__stream* stream;
    agon_bench_gpu_limits limits;
} agon_bench_gpu_run_state;

/* Does the work `times` times and waits for the device. */
typedef int agon_bench_gpu_work(void* user, int times, agon_error* error);

/* Measures work that does `units` each time, and gives the figure, whose names, FLOP, bytes and
 * aims are filled in, to the listener. */
int agon_bench_gpu_measure(agon_bench_gpu_run_state* s, agon_bench_gpu_figure* figure, double units,
                           agon_bench_gpu_work* work, void* user, agon_error* error);

/* 126-128-128-(7+1), the net of forwards and updates; bytes of its parameters in a precision. */
agon_net agon_bench_gpu_net(void);
double agon_bench_gpu_net_bytes(const agon_net* net, agon_precision precision);

int agon_bench_gpu_forward(agon_bench_gpu_run_state* s, agon_error* error);
int agon_bench_gpu_update(agon_bench_gpu_run_state* s, agon_error* error);
int agon_bench_gpu_play(agon_bench_gpu_run_state* s, agon_error* error);

#endif
