/* catalogue_rating.c: strength as a number for each agent. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_rating[] = {
    {0},
};
