/* bench_print.c: a figure as a line of JSON: its name, ratios, rates, numbers, floors. */
#include "tools/bench.h"

#include "agents/backend.h"

#include <stdio.h>
#include <stdlib.h>

static void print_line(void* user, const char* line) {
    (void)user;
    puts(line);
    fflush(stdout);
}

/* One for the whole command, as the stream it stands for. */
static agon_bench_take* taker = print_line;
static void* taker_user;

void agon_bench_give(agon_bench_take* take, void* user) {
    taker = take ? take : print_line;
    taker_user = user;
}

static void print_text(FILE* out, const char* text) {
    if (text)
        fprintf(out, ",%s", text);
}

static void print_ratios(FILE* out, double gflops, double gigabytes, int cores,
                         const agon_bench_rate* r) {
    print_text(out, r->ratios);
    if (gflops > 0)
        fprintf(out, ",\"share_of_peak\":%.4g,\"share_of_sgemm\":%.4g",
                gflops / (r->floor.fma_peak * cores), gflops / (r->floor.sgemm * cores));
    if (gigabytes > 0)
        fprintf(out, ",\"share_of_copy\":%.4g", gigabytes / (r->floor.copy * cores));
}

static void print_rates(FILE* out, const char* unit, double gflops, double gigabytes,
                        const agon_bench_rate* r) {
    fprintf(out, ",\"%s_per_second\":%.6g,\"low\":%.6g,\"high\":%.6g", unit, r->per_second, r->low,
            r->high);
    if (gflops > 0)
        fprintf(out, ",\"gflops\":%.4g", gflops);
    if (gigabytes > 0)
        fprintf(out, ",\"gigabytes_per_second\":%.4g", gigabytes);
    print_text(out, r->numbers);
}

static void print_floor(FILE* out, int cores, const agon_bench_floor* floor) {
    fprintf(out,
            ",\"cores\":%d,\"backend\":\"%s\",\"cpu\":\"%s\",\"fma_peak_gflops\":%.4g,"
            "\"sgemm_gflops\":%.4g,\"copy_gigabytes_per_second\":%.4g,\"copy_megabytes\":%d}",
            cores, agon_cpu_backend()->name, agon_bench_cpu(), floor->fma_peak, floor->sgemm,
            floor->copy, AGON_BENCH_COPY_MEGABYTES);
}

void agon_bench_print(const char* what, const char* fields, const char* unit, double flop,
                      int cores, const agon_bench_rate* r) {
    const double gflops = flop * r->per_second * 1e-9;
    const double gigabytes = r->bytes * r->per_second * 1e-9;
    char* line = NULL;
    size_t size;
    FILE* out = open_memstream(&line, &size);
    if (!out) {
        fprintf(stderr, "agon: no memory for a figure of %s\n", what);
        return;
    }
    fprintf(out, "{\"bench\":\"%s\"", what);
    print_text(out, fields);
    print_ratios(out, gflops, gigabytes, cores, r);
    print_rates(out, unit, gflops, gigabytes, r);
    print_floor(out, cores, &r->floor);
    fclose(out);
    if (line)
        taker(taker_user, line);
    free(line);
}
