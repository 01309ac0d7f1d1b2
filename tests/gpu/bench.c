/* bench.c: `agon bench gpu --json` where agon itself cannot be built.
 *
 *     gpu_bench ROWS SECONDS SAMPLES PRECISION [GEMM] */
#include "tools/bench_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static agon_bench_gpu_limits limits;

static void begins(void* user, const char* words) {
    (void)user;
    fprintf(stderr, "measuring: %s\n", words);
}

static void take_limits(void* user, const agon_bench_gpu_limits* found) {
    (void)user;
    limits = *found;
}

static void take_figure(void* user, const agon_bench_gpu_figure* figure) {
    char line[1024];
    (void)user;
    agon_bench_gpu_json(figure, &limits, line, sizeof line);
    puts(line);
    fflush(stdout);
}

static void take_skip(void* user, const char* words, const char* why) {
    (void)user;
    fprintf(stderr, "%s: not measured: %s\n", words, why);
}

int main(int argc, char** argv) {
    const agon_bench_gpu_listener listener = {NULL, begins, take_limits, take_figure, take_skip};
    agon_error error = {0};
    if (argc < 5) {
        fputs("usage: gpu_bench ROWS SECONDS SAMPLES fp32|tf32|bf16 [GEMM]\n", stderr);
        return 2;
    }
    const agon_bench_gpu bench = {
        .rows = atoi(argv[1]),
        .seconds = strtod(argv[2], NULL),
        .samples = atoi(argv[3]),
        .precision = strcmp(argv[4], "fp32") == 0   ? AGON_PRECISION_FP32
                     : strcmp(argv[4], "tf32") == 0 ? AGON_PRECISION_TF32
                                                    : AGON_PRECISION_BF16,
        .gemm = argc > 5 ? strtod(argv[5], NULL) : 0,
        .game = "connect_four",
    };
    const int rc = agon_bench_gpu_run(&bench, &listener, &error);
    if (rc)
        fprintf(stderr, "gpu_bench: %s\n", error.text);
    return rc != 0;
}
