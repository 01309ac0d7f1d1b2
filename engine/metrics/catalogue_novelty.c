/* catalogue_novelty.c: how far agents are from one another, and from mixtures of them. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_novelty[] = {
    {0},
};
