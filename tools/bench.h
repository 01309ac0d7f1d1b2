/* bench.h: the measuring instrument behind `agon bench`.
 *
 * A figure is measured beside its floor: samples of the work alternate with samples of the core's
 * FMA peak, of OpenBLAS sgemm and of a large memcpy, so that ratios hold where a noisy machine
 * moves the absolute numbers.
 *
 * A line of JSON is a figure, in this order: what names it; its ratios, called share_... or
 * ratio_...; its rates, UNIT_per_second being the median and low and high the ends of the samples;
 * further numbers; the floors of the same run. */
#ifndef AGON_BENCH_H
#define AGON_BENCH_H

#include "engine/config.h"
#include "agents/net.h"
#include "games/rules.h"

#include <stdbool.h>

#define AGON_BENCH_COPY_MEGABYTES 64 /* of each of the two buffers, which no cache holds */

/* What one core can do. */
typedef struct agon_bench_floor {
    double fma_peak, sgemm; /* GFLOP/s (an FMA counts two) */
    double copy;            /* GB/s copied by memcpy, of so many megabytes */
} agon_bench_floor;

enum { AGON_BENCH_SAMPLES = 31 }; /* most of a figure */

typedef struct agon_bench {
    double seconds; /* for each figure */
    int samples;    /* per figure, alternating with the floor; odd, at most AGON_BENCH_SAMPLES */
    const char* game;
    bool one_game; /* `games` and `learn` measure this one, not all of theirs */
    const char* hidden;
    double limit;     /* seconds after which a run of `learn` gives up */
    bool openblas;    /* forward and update: beside a loop of sgemm */
    int nets, rows;   /* forward and rollout: so many nets of so many rows each; 0: the usual */
    const char* plot; /* growth: a directory for its pictures, or NULL */
} agon_bench;

/* Does `amount` units of work; returns the units done (rows, steps ...). */
typedef double agon_bench_work(void* user, double amount);

typedef struct agon_bench_rate {
    double per_second;      /* median over samples */
    double low, high;       /* of the samples */
    agon_bench_floor floor; /* medians of the same run */
    double bytes;           /* a unit must move, for share_of_copy; 0: bytes do not bound it */
    const char* ratios;  /* further ratios, which come first: JSON text without braces, or NULL */
    const char* numbers; /* further numbers, after the rates: the same, or NULL */
} agon_bench_rate;

/* Samples of a figure, each with the floors sampled beside it. */
typedef struct agon_bench_series {
    int count;
    double rate[AGON_BENCH_SAMPLES], peak[AGON_BENCH_SAMPLES];
    double sgemm[AGON_BENCH_SAMPLES], copy[AGON_BENCH_SAMPLES];
} agon_bench_series;

void agon_bench_series_add(agon_bench_series* s, double rate, const agon_bench_floor* floor);
agon_bench_rate agon_bench_series_rate(agon_bench_series* s); /* sorts the samples */
double agon_bench_median(double* x, int n);                   /* likewise */

/* Sizes a sample to seconds / samples, then alternates. */
agon_bench_rate agon_bench_measure(const agon_bench* b, agon_bench_work* work, void* user);
/* Two works by turns, sample by sample. Returns the median of the samples' ratios, first to second.
 */
double agon_bench_measure_two(const agon_bench* b, agon_bench_work* const work[2],
                              void* const user[2], agon_bench_rate rate[2]);

/* One JSON line; the one place that prints a figure. `fields` is JSON text without braces that
 * names the figure ("\"game\":\"tron\""); flop: floating-point operations per unit, 0: none bound
 * it; cores: how many the work used. */
void agon_bench_print(const char* what, const char* fields, const char* unit, double flop,
                      int cores, const agon_bench_rate* rate);

/* Who gets the lines; NULL: standard output. */
typedef void agon_bench_take(void* user, const char* line);
void agon_bench_give(agon_bench_take* take, void* user);

agon_bench_floor agon_bench_sample_floor(void);
const char* agon_bench_cpu(void); /* its model, or "unknown"; fit for JSON */

/* Floating-point operations of one row: forward with all gradients but the input's. */
double agon_bench_update_flop(const agon_net* net);

/* Plies of random play per second, observation and mask written at every decision, one core. */
agon_bench_rate agon_bench_game(const agon_bench* b, const agon_rules* rules);

/* Does something in a temporary directory (in TMPDIR, else /tmp), which goes away afterwards. */
typedef int agon_bench_run(const agon_bench* b, const char* dir, agon_error* error);
int agon_bench_in_folder(const agon_bench* b, agon_bench_run* run, agon_error* error);

int agon_bench_games(const agon_bench* b, agon_error* error);
int agon_bench_forward(const agon_bench* b, agon_error* error);
int agon_bench_update(const agon_bench* b, agon_error* error);
int agon_bench_rollout(const agon_bench* b, agon_error* error);
/* A run in dir/run, by the game's own settings. */
int agon_bench_default_config(const char* game, const char* dir, agon_config* config,
                              agon_error* error);
/* The same with the net that was asked for, and two generations. */
int agon_bench_config(const agon_bench* b, const char* dir, agon_config* config, agon_error* error);
int agon_bench_train(const agon_bench* b, agon_error* error);
/* What measuring adds to training; and the headline metrics of 10,000 agents. */
int agon_bench_metrics(const agon_bench* b, agon_error* error);
int agon_bench_population(const agon_bench* b, agon_error* error);
/* Seconds until agents are as good as a bar says. */
int agon_bench_learn(const agon_bench* b, agon_error* error);
/* Results put in a store as a run does it. */
int agon_bench_store(const agon_bench* b, agon_error* error);
/* Tasks and bytes that a coordinator of workers moves. */
int agon_bench_network(const agon_bench* b, agon_error* error);

/* Virtual workers around the real scheduler. */
int agon_bench_scheduler(const agon_bench* b, agon_error* error);

/* A whole run on worker processes beside one on threads. */
int agon_bench_workers(const agon_bench* b, agon_error* error);

/* Rates over nets, lanes, width and threads; memory of a net and of a lane. */
int agon_bench_growth(const agon_bench* b, agon_error* error);

/* ---- an earlier record: bench_compare.c ----------------------------------------------------- */

typedef struct agon_bench_record agon_bench_record;

/* The lines of an earlier bench. AGON_EFORMAT names the line that is none. *out: owned by the
 * caller, agon_bench_record_close. */
int agon_bench_record_read(const char* path, agon_bench_record** out, agon_error* error);
void agon_bench_record_close(agon_bench_record* record); /* NULL is fine */
bool agon_bench_record_has(const agon_bench_record* record, const char* bench);

/* Between the two, figures are rows of a table instead of lines. */
void agon_bench_compare_begin(agon_bench_record* record);
void agon_bench_compare_end(agon_bench_record* record);

#endif
