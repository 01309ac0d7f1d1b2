/* bench_growth.h: how the cost of rollouts grows with nets, lanes, width and threads, and how much
 * memory a net and a lane take. Internal to `agon bench growth`. */
#ifndef AGON_BENCH_GROWTH_H
#define AGON_BENCH_GROWTH_H

#include "tools/bench_work.h"

typedef enum agon_growth_kind {
    AGON_GROWTH_NETS_GROWING, /* lanes grow with the nets */
    AGON_GROWTH_NETS_SHARING, /* all nets share a number of lanes */
    AGON_GROWTH_LANES,
    AGON_GROWTH_WIDTH,
    AGON_GROWTH_THREADS,
    AGON_GROWTH_KINDS
} agon_growth_kind;

enum {
    AGON_GROWTH_NETS = 4096,
    AGON_GROWTH_LANES_EACH = 8,      /* of a net, while lanes grow with the nets */
    AGON_GROWTH_LANES_SHARED = 4096, /* by all nets */
    AGON_GROWTH_LANES_MOST = 4096,
    AGON_GROWTH_LANES_USUAL = 64, /* of a rollout */
    AGON_GROWTH_WIDTH_MOST = 1024,
    AGON_GROWTH_HORIZON = 32,
    AGON_GROWTH_POINTS = 64
};

/* A point of a picture; rates are decisions per second. */
typedef struct agon_growth_point {
    agon_growth_kind kind;
    double x; /* nets, lanes, width or threads */
    double rate, low, high;
    double peak;    /* what the FMA peak of the cores in use would allow */
    double forward; /* of the grouped forward alone; 0: not measured */
} agon_growth_point;

typedef struct agon_growth {
    const agon_bench* bench;
    agon_rules* rules;
    agon_net net; /* as --hidden has it */
    int acting;   /* seats that act at once when a game begins, at least 1 */
    int cores;
    int points;
    agon_growth_point point[AGON_GROWTH_POINTS];
} agon_growth;

/* A figure: printed, and kept for the pictures. forward_rows: of each net, in the forward alone;
 * 0: none was measured. */
typedef struct agon_growth_figure {
    agon_growth_kind kind;
    double x;
    const agon_net* net;
    const char* fields; /* after game and net: JSON text */
    const char* ratios; /* the same; NULL: ratio_to_forward */
    double bytes;       /* of weights for a decision, if no cache held them; 0: not said */
    int cores;
    agon_bench_rate* rate; /* (2) of the work, and of what it was measured beside */
    double ratio;          /* of the two */
} agon_growth_figure;
void agon_growth_put(agon_growth* g, const agon_growth_figure* f);

/* Many nets that play each other: bench_growth_nets.c. */
int agon_growth_nets(agon_growth* g, agon_error* error);

/* ---- a learner against a frozen copy: bench_growth_rollout.c -------------------------------- */

typedef struct agon_growth_room {
    agon_bench_nets nets; /* the learner's weights and its opponent's; the forward alone */
    agon_learner* learner;
    agon_player opponent;
    agon_rollout* rollout;
} agon_growth_room;

/* Closed by the caller, also on failure. */
int agon_growth_room_open(const agon_growth* g, const agon_net* net, int lanes,
                          agon_growth_room* room, agon_error* error);
void agon_growth_room_close(agon_growth_room* room);
double agon_growth_collect(agon_growth_room* room); /* one rectangle; decisions made */

int agon_growth_lanes(agon_growth* g, agon_error* error);
int agon_growth_width(agon_growth* g, agon_error* error);
int agon_growth_threads(agon_growth* g, agon_error* error); /* bench_growth_threads.c */

/* Bytes of a net and of a lane: bench_growth_memory.c. */
int agon_growth_memory(agon_growth* g, agon_error* error);

/* Pictures of all points in a directory that exists: bench_growth_plot.c. */
int agon_growth_plot(const agon_growth* g, const char* dir, agon_error* error);

#endif
