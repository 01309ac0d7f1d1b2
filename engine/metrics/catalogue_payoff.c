/* catalogue_payoff.c: the metrics that look at who beats whom. */
#include "engine/metrics/metric.h"

const agon_metric agon__catalogue_payoff[] = {
    {0},
};
