/* export.h: the parts of `agon export`. */
#ifndef AGON_EXPORT_H
#define AGON_EXPORT_H

#include "games/error.h"

#include <stdbool.h>

/* Scalars of metrics.jsonl as events, steps in agent-steps. */
int agon_export_tensorboard(const char* run, const char* dir, bool quiet, agon_error* error);
/* metrics.csv, train.csv, match.csv and probe.csv. */
int agon_export_csv(const char* run, const char* dir, bool quiet, agon_error* error);
/* `count` games between the agents of a generation (-1: the last trained one) as .npz. */
int agon_export_games(const char* run, const char* file, int generation, int count, bool quiet,
                      agon_error* error);

#endif
