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

/* One measured generation. A number that is absent is NaN. */
typedef struct agon_plot_row {
    double generation, steps, agents; /* steps: agent-steps per agent */
    double value[AGON_PLOT_COUNT];
    double mean[AGON_PLOT_ANCHORS], best[AGON_PLOT_ANCHORS], se[AGON_PLOT_ANCHORS];
    double elo_low, elo_median, elo_high; /* spread of the ratings */
    double null_low, null_high;           /* cyclic fraction that noise alone would give */
    double nash_conv_low, nash_conv_high; /* least and most exploitable agent */
} agon_plot_row;

typedef struct agon_plot_data {
    int rows;
    agon_plot_row* row; /* (rows), owned */
    int anchors;
    char anchor[AGON_PLOT_ANCHORS][64]; /* cleaned for use in scripts: no spaces or quotes */
    char protocol[96];                  /* how scores were played, cleaned; may be empty */
    double score_games;                 /* of each score; NaN: not said */
    char score_unit[48];                /* cleaned; may be empty */
    /* Why something is absent, cleaned; empty: nothing is said. */
    char why_diversity[160], why_payoff[160], why_nash_conv[160], why_rating[160];

    /* The last pay-off matrix. */
    int n;          /* agents; 0: none */
    double* matrix; /* (n, n) pay-off of row against column, owned */
    int* order;     /* (n) rows of matrix, strongest first, owned */
    int* agent;     /* (n) number of the agent of each row, owned */
    int last;       /* row of the series it belongs to */
    double games;   /* per pair, NaN: unknown */
    double se;      /* median standard error of an entry, NaN: unknown */

    bool cut; /* the last line was incomplete (a run in progress) and was left out */
} agon_plot_data;

/* Reads path. *out: owned by the caller, agon_plot_data_close. */
int agon_plot_data_read(const char* path, agon_plot_data* out, agon_error* error);
void agon_plot_data_close(agon_plot_data* data);

/* Copies a text for use inside single quotes of a gnuplot script: letters, digits, spaces and
 * _(),;=.:+-%/ stay, everything else becomes '?'. */
void agon_plot_clean(const char* text, char* out, size_t size);

#endif
