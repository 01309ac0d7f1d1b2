/* shard.h: shards (agents/shard.h) on a GPU. Internal to cuda/. */
#ifndef AGON_CUDA_SHARD_H
#define AGON_CUDA_SHARD_H

#include "agents/shard.h"
#include "cuda/backend_cuda.h"

bool agon__shard_plays(const agon_rules* rules);
int agon__shard_room(const agon_shard_def* def, agon_precision precision);
int agon__shard_open(const agon_shard_def* def, agon_precision precision, agon_shard** out,
                     agon_error* error);
int agon__shard_collect(agon_shard* shard, agon_error* error);
int agon__shard_update(agon_shard* shard, agon_error* error);
int agon__shard_fetch(agon_shard* shard, agon_error* error);
void agon__shard_close(agon_shard* shard);

#endif
