/* plot_data.h: what `agon plot` reads from a run: metrics.jsonl, one JSON object per measured
 * generation. The file may come from anywhere, so sizes, depth, numbers and shapes are checked. */
#ifndef AGON_PLOT_DATA_H
#define AGON_PLOT_DATA_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>

#define AGON_PLOT_ANCHORS    16   /* opponents of the score panel */
#define AGON_PLOT_MAX_AGENTS 4096 /* of a pay-off matrix */

/* Series of single numbers: name of the column, object and key in the JSON. Names of columns:
 * units in comments where they are not plain counts or shares. */
#define AGON_PLOT_SERIES(X)                                                                        \
    X(VENDI_1, "vendi_1", "diversity", "vendi_1") /* agents */                                     \
    X(VENDI_2, "vendi_2", "diversity", "vendi_2")                                                  \
    X(J, "J", "diversity", "J") /* nats */                                                         \
    X(WITHIN, "within", "diversity", "within")                                                     \
    X(TV, "tv", "diversity", "tv")                                                                 \
    X(GREEDY, "greedy_disagreement", "diversity", "greedy_disagreement")                           \
    X(CYCLIC, "cyclic_fraction", "payoff", "cyclic_fraction")                                      \
    X(NASH_SUPPORT, "nash_support", "payoff", "nash_support") /* agents */                         \
    X(EFFECTIVE, "effective_diversity", "payoff", "effective_diversity")                           \
    X(NASH_CONV, "nash_conv_median", "nash_conv", "median") /* returns */

#define AGON_PLOT_ENUM(id, column, object, key) AGON_PLOT_##id,
enum { AGON_PLOT_SERIES(AGON_PLOT_ENUM) AGON_PLOT_COUNT };
#undef AGON_PLOT_ENUM

/* Numbers that have an interval over probe states (agon_plot_fill_bands). */
enum { AGON_PLOT_BAND_VENDI, AGON_PLOT_BAND_J, AGON_PLOT_BAND_WITHIN, AGON_PLOT_BANDS };

/* One measured generation. A number that is absent is NaN. */
typedef struct agon_plot_row {
    double generation, steps, agents; /* steps: agent-steps per agent */
    double value[AGON_PLOT_COUNT];
    double band_low[AGON_PLOT_BANDS], band_high[AGON_PLOT_BANDS];
    double mean[AGON_PLOT_ANCHORS], best[AGON_PLOT_ANCHORS], se[AGON_PLOT_ANCHORS];
    double score;                                     /* mean over the anchors */
    double elo_low, elo_median, elo_high, elo_spread; /* of the ratings */
    double null_low, null_high;           /* cyclic fraction that noise alone would give */
    double nash_conv_low, nash_conv_high; /* least and most exploitable agent */
    long offset;                          /* of the line in the file */
    int rated;                            /* agents of its pay-off matrix; 0: it has none */
} agon_plot_row;

typedef struct agon_plot_data {
    char path[1200];
    int rows;
    agon_plot_row* row; /* (rows), owned */
    int anchors;
    char anchor[AGON_PLOT_ANCHORS][64]; /* cleaned for use in scripts: no spaces or quotes */
    char protocol[96];                  /* how scores were played, cleaned; may be empty */
    double score_games;                 /* of each score; NaN: not said */
    char score_unit[48];                /* cleaned; may be empty */
    int roles;                          /* populations: 1, or more where roles are separate */
    /* Why something is absent, cleaned; empty: nothing is said. */
    char why_diversity[160], why_payoff[160], why_nash_conv[160], why_rating[160];
    int last; /* the last row with a pay-off matrix; -1: none has one */
    bool cut; /* the last line was incomplete (a run in progress) and was left out */
} agon_plot_data;

/* Reads path. *out: owned by the caller, agon_plot_data_close. */
int agon_plot_data_read(const char* path, agon_plot_data* out, agon_error* error);
void agon_plot_data_close(agon_plot_data* data);

/* Is a number known in any row? `offset` is its place in agon_plot_row. */
bool agon_plot_data_has(const agon_plot_data* data, size_t offset);

/* The pay-off matrix of one row. Arrays are owned. */
typedef struct agon_plot_payoff {
    int n;
    double* matrix;       /* (n, n) pay-off of row against column, NaN: not known */
    double* se;           /* (n, n), or NULL: not known */
    int* agent;           /* (n) number of the agent of each row */
    int* order;           /* (n) rows, strongest first by mean pay-off */
    double *elo, *elo_se; /* (n), or NULL: no ratings */
    double games;         /* per pair, NaN: unknown */
    double median_se;     /* of the entries, NaN: unknown */
} agon_plot_payoff;

/* Reads the row again; data->row[row].rated must be >= 1. */
int agon_plot_payoff_read(const agon_plot_data* data, int row, agon_plot_payoff* out,
                          agon_error* error);
/* Takes out what is not antisymmetric: rounding, where the game is. False: a pair never met; the
 * matrix is then of no more use. */
bool agon_plot_payoff_antisymmetric(agon_plot_payoff* payoff);
void agon_plot_payoff_close(agon_plot_payoff* payoff);

/* Internal: takes the matrix of a parsed line; *out has n = 0 when it has none. */
struct cJSON;
int agon__plot_payoff_take(const struct cJSON* line, const char* what, agon_plot_payoff* out,
                           agon_error* error);

#endif
