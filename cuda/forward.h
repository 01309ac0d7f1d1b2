/* forward.h: a grouped forward of rows that lie on the device: which kernels, how they are cut, and
 * their launch. Internal to cuda/. */
#ifndef AGON_CUDA_FORWARD_H
#define AGON_CUDA_FORWARD_H

#include "cuda/gpu.h"
#include "cuda/layout.h"

/* Philox keys and counters of a slot's action: what agon_uniforms takes (games/random.h). */
typedef struct agon__gpu_draws {
    const uint32_t* key;     /* (groups, 2) */
    const uint32_t* episode; /* (slots) */
    const uint32_t* ply;     /* (slots) */
    const uint8_t* seat;     /* (slots) */
} agon__gpu_draws;

/* All pointers are of the device. Slots of group g: start[g] .. start[g] + count[g] - 1. They need
 * not be neighbours of the next group's; groups may be empty. */
typedef struct agon__gpu_forward {
    agon__gpu_net net;
    int groups;
    const void* const* packed; /* (groups) */
    const int* start;          /* (groups) */
    const int* count;          /* (groups) */
    int slots;                 /* start + count is never above it */
    int most;                  /* count is never above it */
    int obs_type;              /* agon_dtype */
    float scale;
    uint64_t obs_bytes;
    const void* obs;       /* (places, obs_bytes) */
    const uint64_t* mask;  /* (places, mask_words); NULL: all legal */
    const uint32_t* place; /* (slots) where a slot's observation and mask lie; NULL: at the slot */
    int mask_words;
    const float* memory;        /* (rows, net.memory) before these decisions; nets with memory */
    const uint32_t* memory_row; /* (slots) the row of a slot's memory; NULL: the slot */
    float* memory_after;   /* out (slots, net.memory) after them, or NULL; without memory_row it may
                              be memory itself */
    float temperature;     /* 0: greedy */
    const float* uniform;  /* (slots); NULL: from draws */
    agon__gpu_draws draws; /* read when uniform is NULL and temperature > 0 */
    float* logits;         /* out (slots, actions) or NULL, and so on as in agon_forward */
    float* value;          /* (slots) */
    float* probability;    /* (slots, actions) */
    uint16_t* action;      /* (slots) */
    float* log_probability; /* (slots) */
    void* scratch;          /* agon__gpu_forward_scratch bytes */
} agon__gpu_forward;

/* Bytes of device memory that a call with up to this many slots works in; may be 0. Where a net
 * with convolutions or minGRU layers goes layer by layer, never more than 256 MiB, or one slot's:
 * slots go in passes. */
size_t agon__gpu_forward_scratch(const agon__gpu* gpu, const agon__gpu_net* net, int slots);

/* Puts it into the stream. */
void agon__gpu_forward_launch(agon__gpu* gpu, agon__stream* stream, const agon__gpu_forward* call);

#endif
