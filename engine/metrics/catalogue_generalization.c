/* catalogue_generalization.c: does an agent understand, or has it crammed. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_generalization[] = {
    {0},
};
