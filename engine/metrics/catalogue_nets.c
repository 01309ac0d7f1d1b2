/* catalogue_nets.c: the metrics that look inside nets. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_nets[] = {
    {0},
};
