/* catalogue_rating.h: what the rows of catalogue_rating.c compute; see metric.h. Internal. */
#ifndef AGON_CATALOGUE_RATING_H
#define AGON_CATALOGUE_RATING_H

#include "engine/metrics/metric.h"

int agon__compute_bradley_terry(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error);
int agon__compute_rating_spread(const agon_evidence* e, const agon_metric_options* options,
                                double* out, agon_error* error);
int agon__compute_rating_anchored(const agon_evidence* e, const agon_metric_options* options,
                                  double* out, agon_error* error);
int agon__compute_cycle_planes(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error);
int agon__compute_disc(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error);
int agon__compute_glicko2(const agon_evidence* e, const agon_metric_options* options, double* out,
                          agon_error* error);
int agon__compute_trueskill(const agon_evidence* e, const agon_metric_options* options, double* out,
                            agon_error* error);
int agon__compute_sprt(const agon_evidence* e, const agon_metric_options* options, double* out,
                       agon_error* error);
int agon__compute_joint_policy(const agon_evidence* e, const agon_metric_options* options,
                               double* out, agon_error* error);

#endif
