/* bench_print.c: a figure as a line of JSON: its name, ratios, rates, numbers, floors. */
#include "tools/bench.h"

#include "agents/backend.h"

#include <stdio.h>

static void print_text(const char* text) {
    if (text)
        printf(",%s", text);
}

static void print_ratios(double gflops, double gigabytes, int cores, const agon_bench_rate* r) {
    print_text(r->ratios);
    if (gflops > 0)
        printf(",\"share_of_peak\":%.4g,\"share_of_sgemm\":%.4g",
               gflops / (r->floor.fma_peak * cores), gflops / (r->floor.sgemm * cores));
    if (gigabytes > 0)
        printf(",\"share_of_copy\":%.4g", gigabytes / (r->floor.copy * cores));
}

static void print_rates(const char* unit, double gflops, double gigabytes,
                        const agon_bench_rate* r) {
    printf(",\"%s_per_second\":%.6g,\"low\":%.6g,\"high\":%.6g", unit, r->per_second, r->low,
           r->high);
    if (gflops > 0)
        printf(",\"gflops\":%.4g", gflops);
    if (gigabytes > 0)
        printf(",\"gigabytes_per_second\":%.4g", gigabytes);
    print_text(r->numbers);
}

static void print_floor(int cores, const agon_bench_floor* floor) {
    printf(",\"cores\":%d,\"backend\":\"%s\",\"fma_peak_gflops\":%.4g,\"sgemm_gflops\":%.4g,"
           "\"copy_gigabytes_per_second\":%.4g,\"copy_megabytes\":%d}\n",
           cores, agon_cpu_backend()->name, floor->fma_peak, floor->sgemm, floor->copy,
           AGON_BENCH_COPY_MEGABYTES);
}

void agon_bench_print(const char* what, const char* fields, const char* unit, double flop,
                      int cores, const agon_bench_rate* r) {
    const double gflops = flop * r->per_second * 1e-9;
    const double gigabytes = r->bytes * r->per_second * 1e-9;
    printf("{\"bench\":\"%s\"", what);
    print_text(fields);
    print_ratios(gflops, gigabytes, cores, r);
    print_rates(unit, gflops, gigabytes, r);
    print_floor(cores, &r->floor);
    fflush(stdout);
}
