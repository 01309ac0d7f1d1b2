/* catalogue_errors.c: the metrics that look at mistakes on solved states. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_errors[] = {
    {0},
};
