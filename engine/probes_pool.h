/* probes_pool.h: what probe sets are chosen from: questions met while games are played, no two
 * alike, and the choice of equally many from every bucket of plies (inside engine/ only). */
#ifndef AGON_PROBES_POOL_H
#define AGON_PROBES_POOL_H

#include "agents/keymap.h"
#include "engine/probes.h"

enum {
    AGON__GAMES_PER_STATE = 16,     /* at most so many games per state wanted, ... */
    AGON__CANDIDATES_PER_STATE = 64 /* ... and no new game beyond so many candidates */
};

/* A question that may enter a set. */
typedef struct agon__candidate {
    size_t line; /* first row of its line in the pool */
    int rows;
    int ply;
    double reach; /* under uniform play; 0 when sampled */
    uint8_t seat;
    uint8_t taken;
} agon__candidate;

typedef struct agon__pool {
    const agon_rules* rules;
    size_t wanted;
    agon__candidate* items; /* (count) no two alike; number i is the i-th string of `seen` */
    uint16_t* lines;        /* (rows, seats) */
    size_t count, rows, item_room, line_room;
    agon_keymap seen;
    char *state, *image, *key; /* a position, its mirror image, and what tells it apart */
    size_t key_size;
    uint64_t* mask;
    uint16_t* action; /* (seats) of the ply under way */
    float* reward;    /* (seats) earned so far in the game under way */
    agon_error* error;
} agon__pool;

/* A game under way. */
typedef struct agon__line {
    agon_key key;
    uint32_t game;
    size_t line; /* where its rows begin in the pool */
    int rows, ply;
    uint32_t chance_draws; /* since the last ply of a seat */
} agon__line;

/* rules, wanted and error are set. Close also what failed to open. */
int agon__pool_open(agon__pool* pool);
void agon__pool_close(agon__pool* pool);
void agon__pool_empty(agon__pool* pool);
int agon__pool_out_of_memory(const agon__pool* pool);

/* Sets pool->mask; returns the number of legal actions. */
int agon__pool_legal(agon__pool* pool, const void* state, int seat);
/* 1: the question is new, and was added. 0: it is not; its reach was added to that of the one like
 * it, whose number is *number (may be NULL). pool->mask must be that of the seat. Negative: a code.
 */
int agon__pool_consider(agon__pool* pool, const void* state, const agon__candidate* candidate,
                        size_t* number);

/* Chooses for the acting seats: fills pool->action there, and considers what is worth asking.
 * pool->state is the position. Returns 0 or a code. */
typedef int agon__choose(void* user, agon__pool* pool, const agon__line* line, uint64_t acting);
/* The candidate that `line` has come to. */
agon__candidate agon__line_candidate(const agon__line* line, int seat);
/* Plays one game; its rows stay in the pool. Chance is drawn by (key, game). */
int agon__pool_play(agon__pool* pool, agon_key key, uint32_t game, agon__choose* choose,
                    void* user);

/* ---- choosing ----------------------------------------------------------------------------- */

typedef struct agon__buckets {
    int low, high;                   /* plies of the candidates */
    int count;                       /* buckets of equal width from low to high */
    size_t have[AGON_PROBE_BUCKETS]; /* candidates */
    size_t take[AGON_PROBE_BUCKETS]; /* of them in the set */
} agon__buckets;

int agon__bucket_of(const agon__buckets* buckets, int ply);
/* Spans the candidates of all pools, of which there is one at least; takes none yet. */
void agon__buckets_span(agon__buckets* buckets, const agon__pool* pools, int count);

/* Marks pool->wanted candidates: the same number from every bucket (what a small one lacks the
 * others give), drawn by seed. */
int agon__pool_mark(agon__pool* pool, agon__buckets* buckets, uint64_t seed);
/* Makes a set of the marked candidates, bucket by bucket, within it pool by pool, in the order in
 * which they were met. out->set and out->complete are set; reach is filled for complete sets,
 * source (the pool) and origin are not. chosen: NULL, or out (states) numbers of candidates in
 * their pools, malloc'd. */
int agon__pools_set(const agon__pool* pools, int count, const agon__buckets* buckets,
                    agon_probes* out, size_t** chosen);

#endif
