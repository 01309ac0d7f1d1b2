/* random.h: random numbers as a function of what they are for.
 *
 * Nothing in agon holds a generator. A number is Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011,
 * "Parallel random numbers: as easy as 1, 2, 3") of a key, made of (run seed, task key, purpose),
 * and a counter (episode, ply, seat or AGON_SEAT_CHANCE, draw). Never of a lane, thread, shard or
 * worker: so a result does not depend on where or in which company it was computed. */
#ifndef AGON_RANDOM_H
#define AGON_RANDOM_H

#include <stdint.h>

/* What a stream of numbers is for; part of the key. Numbers are part of the run format. */
typedef enum agon_purpose {
    AGON_FOR_CHANCE = 1,  /* chance nodes of games */
    AGON_FOR_ACTION = 2,  /* sampling of actions */
    AGON_FOR_OPENING = 3, /* random opening plies of paired matches */
    AGON_FOR_INIT = 4,    /* weights of new nets */
    AGON_FOR_SHUFFLE = 5, /* minibatch order */
    AGON_FOR_LEAGUE = 6,  /* choice of opponents */
    AGON_FOR_PROBE = 7,   /* making of probe sets */
    AGON_FOR_METRIC = 8,  /* bootstraps and null models */
    AGON_FOR_TEST = 9     /* tests, fingerprints, benchmarks */
} agon_purpose;

#define AGON_SEAT_CHANCE 0xffffffffu /* in the seat word of a counter */

typedef struct agon_key {
    uint32_t word[2];
} agon_key;

typedef struct agon_draw {
    uint32_t word[4]; /* 128 random bits */
} agon_draw;

/* The key of a purpose within a task. `task` is the task's key text ("train/3/5"); "" outside. */
agon_key agon_key_make(uint64_t seed, const char* task, agon_purpose purpose);

/* 128 bits for a counter. Pure. */
agon_draw agon_random(agon_key key, uint32_t episode, uint32_t ply, uint32_t seat, uint32_t draw);

/* Uniform in [0, 1): 24 bits, and 53 bits. */
static inline float agon_uniform(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24f;
}
static inline double agon_uniform_double(uint32_t high, uint32_t low) {
    return (double)(((uint64_t)high << 21) | (low >> 11)) * 0x1p-53;
}
/* out[i] = agon_uniform of word 0 of agon_random(key, episode[i], ply[i], seat[i], 0), sixteen side
 * by side: what a step's sampling of actions needs. Arrays: (count). */
void agon_uniforms(agon_key key, const uint32_t* episode, const uint32_t* ply, const uint8_t* seat,
                   int count, float* out);

/* Uniform in 0..n-1, n >= 1: the high word of a product; bias below n / 2^32. */
static inline uint32_t agon_below(uint32_t word, uint32_t n) {
    return (uint32_t)(((uint64_t)word * n) >> 32);
}

/* order = a permutation of 0..count-1 (Fisher-Yates), a function of (key, stream). */
void agon_shuffle(agon_key key, uint32_t stream, uint32_t* order, uint32_t count);

/* FNV-1a (Fowler, Noll, Vo), 64 bits, of bytes; `hash` is AGON_HASH_START or an earlier result. */
#define AGON_HASH_START 0xcbf29ce484222325ull
uint64_t agon_hash(uint64_t hash, const void* bytes, uint64_t count);

#endif
