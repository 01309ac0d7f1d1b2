/* metric.h: the table of all metrics. What is said about a metric anywhere (its help, the columns
 * of CSV and JSON, the docs) is said by its row, and every command computes it through its row.
 *
 * A metric turns evidence into a small table of numbers with named columns: one row for the
 * population, or one per agent, or one per pair. The rows of the table live in catalogue_*.c, one
 * file per kind of evidence; the formulas in plain functions on plain arrays beside them. */
#ifndef AGON_METRIC_H
#define AGON_METRIC_H

#include "engine/metrics/evidence.h"
#include "games/error.h"
#include "games/random.h"

typedef enum agon_metric_shape {
    AGON_ONE,       /* one row: the population */
    AGON_PER_AGENT, /* (agents) rows */
    AGON_PER_PAIR,  /* (agents, agents) rows, row-major */
    AGON_PER_LEVEL, /* a list whose length depends on the evidence: see `levels` */
} agon_metric_shape;

/* What of the evidence a metric needs, as bits. It is n/a where one is absent, and the evidence's
 * `why` says why. */
enum {
    AGON_NEEDS_ANSWERS = 1 << 0,
    AGON_NEEDS_WORTH = 1 << 1,  /* solved states */
    AGON_NEEDS_IMAGES = 1 << 2, /* symmetric questions */
    AGON_NEEDS_COUNTS = 1 << 3, /* sampled answers */
    AGON_NEEDS_PAYOFFS = 1 << 4,
    AGON_NEEDS_ANTISYMMETRIC = 1 << 5, /* with AGON_NEEDS_PAYOFFS; every pair met */
    AGON_NEEDS_WINS = 1 << 6,
    AGON_NEEDS_ANCHORS = 1 << 7,
    AGON_NEEDS_INSIDES = 1 << 8,
    AGON_NEEDS_VISITS = 1 << 9,
    AGON_NEEDS_HISTORY = 1 << 10,
    AGON_NEEDS_BASELINE = 1 << 11, /* a second population to compare with */
    AGON_NEEDS_PAIR = 1 << 12,     /* two agents or more */
    AGON_NEEDS_TABLES = 1 << 13,   /* games with everyone's return */
};

/* How a metric answers when every policy is sharpened without a change of preference. A test scales
 * fixed logits by .25 .. 8 and holds each row to what it says here. */
typedef enum agon_sharpness {
    AGON_SHARPNESS_NONE,  /* does not look at answers */
    AGON_SHARPNESS_MOVES, /* moves: read it beside the greedy and the rescaled form */
    AGON_SHARPNESS_STILL, /* does not move */
} agon_sharpness;

typedef struct agon_metric_column {
    const char* name; /* [a-z0-9_], unique in its metric */
    const char* unit; /* "nats", "agents", "1", "pay-off", "Elo" */
    double low, high; /* range; +-INFINITY */
    const char* meaning;
} agon_metric_column;

#define AGON_METRIC_COLUMNS 12

typedef struct agon_metric_options {
    agon_key key;                  /* of bootstraps and random subsets */
    const agon_evidence* baseline; /* NULL: none */
    double entropy;                /* nats: mean entropy that policies are rescaled to; NaN: the
                                      population's own mean */
    int subset;                    /* agents of a rarefied Vendi score; 0: none */
} agon_metric_options;

typedef struct agon_metric {
    const char* name;  /* [a-z0-9_], as typed: agon metrics --metric vendi */
    const char* title; /* "Vendi score" */
    const char*
        group; /* "behaviour", "novelty", "payoff", "rating", "errors", "nets", "generalization" */
    bool headline; /* shown without being asked for */
    agon_metric_shape shape;
    unsigned needs;
    agon_sharpness sharpness;
    agon_metric_column column[AGON_METRIC_COLUMNS]; /* up to the first without a name */
    const char* formula;                            /* as plain text */
    const char* source;                             /* authors, year */
    const char* caveat;                             /* what it does not tell; never empty */
    /* out: (rows, columns), NaN where a number is not defined. options: never NULL. Returns 0 or an
     * error code with *error set (a singular kernel, memory); the parts named in `needs` are there.
     */
    int (*compute)(const agon_evidence* evidence, const agon_metric_options* options, double* out,
                   agon_error* error);
    /* Rows of an AGON_PER_LEVEL metric: at most so many; the unused last ones are all NaN. */
    int (*levels)(const agon_evidence* evidence);
} agon_metric;

/* All of them, in the order of the docs. */
const agon_metric* const* agon_metrics(int* count);
const agon_metric* agon_metric_find(const char* name); /* NULL: there is none */
int agon_metric_columns(const agon_metric* metric);
int agon_metric_column_find(const agon_metric* metric, const char* name); /* -1: there is none */
int agon_metric_rows(const agon_metric* metric, const agon_evidence* evidence);

/* Why the metric is not defined on this evidence, for people; NULL: it is. */
const char* agon_metric_why(const agon_metric* metric, const agon_evidence* evidence,
                            const agon_metric_options* options);

/* ---- noise: one mechanism for every metric of shape AGON_ONE ---- */

/* Per column. NaN: not known. */
typedef struct agon_metric_noise {
    double error, low, high;               /* standard error and 95 % interval: bootstrap */
    double null_mean, null_low, null_high; /* what noise alone would give; pay-off metrics */
    double floor; /* what the two halves of one agent's samples give; sampled answers */
} agon_metric_noise;

/* The metric on `samples` worlds that differ from the evidence by its noise: states drawn with
 * replacement (answers; the baseline's with them, where it was asked the same), pay-offs and scores
 * moved by their standard errors (paired games), both where it needs both. Points move with the
 * pay-offs where these are points; else by their own error, games as independent. Where a standard
 * error is not known there is no interval. Intervals are percentiles of the worlds, so a number
 * that noise raises is raised twice in them: of a cyclic fraction that is mostly noise the interval
 * lies above the truth; of its debiased form, which subtracts twice the noise there, it does not.
 * null: worlds without cycles, the transitive part of the pay-offs plus noise. floor: sampled
 * answers, each agent's split at random in two halves. Only what the metric needs is done. out:
 * (columns). */
int agon_metric_bootstrap(const agon_metric* metric, const agon_evidence* evidence,
                          const agon_metric_options* options, int samples, agon_metric_noise* out,
                          agon_error* error);

/* The null alone, of a metric that needs AGON_NEEDS_ANTISYMMETRIC; the rest of `out` is NaN. */
int agon_metric_null(const agon_metric* metric, const agon_evidence* evidence,
                     const agon_metric_options* options, int samples, agon_metric_noise* out,
                     agon_error* error);

/* ---- the parts of the table (internal) ---- */
extern const agon_metric agon__catalogue_vendi[], agon__catalogue_behaviour[],
    agon__catalogue_payoff[], agon__catalogue_gamescape[], agon__catalogue_rating[],
    agon__catalogue_tables[], agon__catalogue_novelty[], agon__catalogue_visits[],
    agon__catalogue_errors[], agon__catalogue_homogenization[], agon__catalogue_nets[],
    agon__catalogue_generalization[];

#endif
