/* metric_world.h: a copy of some evidence that differs from it by its noise, and shares all arrays
 * that do not. Internal to metric_noise.c. */
#ifndef AGON_METRIC_WORLD_H
#define AGON_METRIC_WORLD_H

#include "engine/metrics/metric.h"

/* What a metric looks at, whether it insists on it or not: everything about answers at the weights
 * of their states, ratings and mixtures at pay-offs. */
#define AGON__LOOK_ANSWERS                                                                         \
    (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES | AGON_NEEDS_COUNTS)
#define AGON__LOOK_PAYOFFS (AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC | AGON_NEEDS_WINS)

typedef struct agon__world {
    const agon_evidence *truth, *baseline_truth; /* NULL: no baseline is looked at */
    agon_evidence e, baseline;
    agon_metric_options options; /* with the world's baseline */
    bool known;                  /* the noise of all parts that the metric looks at */
    /* Owned; NULL: shared with the truth. */
    double *weight, *mean, *wins, *anchor, *baseline_anchor;
    agon_tables tables; /* arrays owned: games drawn with replacement */
    double* error;      /* of a world: see agon__world_widen */
    double* strength;   /* (payoff agents) of the null */
    int* member;        /* (states) of one stratum */
    bool follow;  /* points are those of the mean pay-offs: every game is won, drawn or lost */
    double slope; /* points per game that go with a pay-off of 1 */
} agon__world;

/* Closed by the caller also after AGON_EMEMORY; must not move, `options` point into it. */
int agon__world_open(agon__world* world, const agon_metric* metric, const agon_evidence* truth,
                     const agon_metric_options* options);
void agon__world_close(agon__world* world);

/* A world of the bootstrap holds the noise twice: as measured, and as drawn. What subtracts noise
 * must subtract both. */
void agon__world_widen(agon__world* world);
/* States drawn with replacement, the same for the baseline if it was asked them; pay-offs, points
 * and scores moved by their errors. */
void agon__world_draw(agon__world* world, agon_key key, uint32_t sample);

/* From now on without cycles: the transitive part of the pay-offs, which holds noise once. */
void agon__world_flatten(agon__world* world);
void agon__world_draw_null(agon__world* world, agon_key key, uint32_t sample);

#endif
