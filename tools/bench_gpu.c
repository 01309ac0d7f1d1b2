/* bench_gpu.c: `agon bench gpu`: options, and figures as a table or as lines of JSON. */
#include "tools/bench_gpu.h"

#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>

/* ---- words -------------------------------------------------------------------------------- */

typedef struct words {
    const char *seconds, *samples, *game, *precision, *gemm, *rows;
    bool json;
} words;

/* Returns 0, or 2 after a message. */
static int read_number(const char* option, const char* text, double low, double high, double* out) {
    char* end;
    *out = strtod(text, &end);
    if (end != text && !*end && *out >= low && *out <= high)
        return 0;
    return agon_ui_usage("bench", "%s %s: expected a number from %g to %g", option, text, low,
                         high);
}

static int read_precision(const char* text, agon_precision* out) {
    static const char* const names[] = {"fp32", "tf32", "bf16"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (agon_precision)i;
            return 0;
        }
    return agon_ui_usage("bench", "--precision %s: expected fp32, tf32 or bf16", text);
}

static int read_words(const words* w, char* game, size_t size, agon_bench_gpu* b) {
    double samples, rows;
    agon_error error = {0};
    *b = (agon_bench_gpu){.game = game};
    int code = read_number("--seconds", w->seconds, 0.01, 600, &b->seconds);
    if (!code)
        code = read_number("--samples", w->samples, 1, AGON_BENCH_GPU_SAMPLES, &samples);
    if (!code)
        code = read_number("--rows", w->rows, 64, 1 << 24, &rows);
    if (!code && w->gemm)
        code = read_number("--gemm", w->gemm, 1e-3, 1e6, &b->gemm);
    if (!code)
        code = read_precision(w->precision, &b->precision);
    if (!code && w->game && agon_game_word(w->game, game, size, &error))
        code = agon_ui_error(&error);
    if (code)
        return code;
    b->samples = (int)samples;
    b->rows = (int)rows;
    return b->samples % 2
               ? 0
               : agon_ui_usage("bench", "--samples %s: expected an odd number", w->samples);
}

/* ---- what is printed ---------------------------------------------------------------------- */

typedef struct printing {
    bool json, progress;
    agon_bench_gpu_limits limits;
} printing;

static void clear_progress(const printing* p) {
    if (p->progress)
        fputs("\r\033[K", stderr);
}

static void begins(void* user, const char* text) {
    const printing* p = user;
    clear_progress(p);
    if (p->progress)
        fprintf(stderr, "measuring: %s", text);
}

static void take_limits(void* user, const agon_bench_gpu_limits* limits) {
    printing* p = user;
    p->limits = *limits;
    if (p->json)
        return;
    clear_progress(p);
    printf("%s, %s; copies %.4g GB/s", limits->device, limits->backend, limits->copy);
    if (limits->gemm > 0)
        printf("; a large product %.4g TFLOP/s\n\n", limits->gemm);
    else
        printf(";\nfloors are those of bytes alone: --gemm says what a large product reaches\n\n");
    agon_ui_cell(stdout, "work", 40);
    printf("%14s %11s %11s %11s %-6s %6s %8s\n", "M per second", "low", "high", "floor", "by",
           "share", "aim");
}

static void print_aim(const agon_bench_gpu_figure* f) {
    if (f->aim_share > 0)
        printf("   %.2f\n", f->aim_share);
    else if (f->aim_rate > 0)
        printf(" %5.4g M\n", f->aim_rate * 1e-6);
    else
        putchar('\n');
}

static void take_figure(void* user, const agon_bench_gpu_figure* f) {
    const printing* p = user;
    char line[1024];
    clear_progress(p);
    if (p->json) {
        agon_bench_gpu_json(f, &p->limits, line, sizeof line);
        puts(line);
    } else {
        agon_ui_cell(stdout, f->words, 40);
        printf("%14.5g %11.5g %11.5g %11.5g %-6s %6.3f ", f->per_second * 1e-6, f->low * 1e-6,
               f->high * 1e-6, f->floor * 1e-6, f->by_bytes ? "bytes" : "FLOP",
               f->per_second / f->floor);
        print_aim(f);
    }
    fflush(stdout);
}

static void take_skip(void* user, const char* text, const char* why) {
    const printing* p = user;
    clear_progress(p);
    fprintf(stderr, "%s: not measured: %s\n", text, why);
}

int agon_bench_gpu_command(int argc, char** argv) {
    words w = {.seconds = "0.7", .samples = "7", .precision = "bf16", .rows = "1048576"};
    char game[128] = "connect_four";
    const agon_option known[] = {
        {"--seconds", NULL, &w.seconds}, {"--samples", NULL, &w.samples},
        {"--game", NULL, &w.game},       {"--precision", NULL, &w.precision},
        {"--gemm", NULL, &w.gemm},       {"--rows", NULL, &w.rows},
        {"--json", &w.json, NULL},
    };
    agon_bench_gpu b;
    agon_error error = {0};
    int count = 0;
    int code = agon_ui_options(argc, argv, known, sizeof known / sizeof *known, &count);
    if (!code && count > 0)
        code = agon_ui_usage("bench", "'%s' is a word too many: gpu is measured alone", argv[1]);
    if (!code)
        code = read_words(&w, game, sizeof game, &b);
    if (code)
        return code;
    printing p = {.json = w.json, .progress = agon_ui_colours(stderr)};
    const agon_bench_gpu_listener listener = {&p, begins, take_limits, take_figure, take_skip};
    const int rc = agon_bench_gpu_run(&b, &listener, &error);
    clear_progress(&p);
    return agon_ui_finish(rc ? agon_ui_error(&error) : AGON_EXIT_OK);
}
