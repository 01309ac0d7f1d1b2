/* bench_scheduler_sizes.h: what messages between a coordinator and its workers weigh. */
#ifndef AGON_BENCH_SCHEDULER_SIZES_H
#define AGON_BENCH_SCHEDULER_SIZES_H

#include "tools/bench.h"
#include "tools/bench_scheduler.h"

/* For the game and the net of the bench, with the game's default settings. */
int agon_world_size_all(const agon_bench* b, agon_world_sizes* out, agon_error* error);

#endif
