/* backend_cpu.h: what the parts of the CPU backend share: a net as a chain of linear layers, and
 * where each call keeps its rows. Internal to agents/. */
#ifndef AGON_BACKEND_CPU_H
#define AGON_BACKEND_CPU_H

#include "agents/backend.h"
#include "agents/kernel.h"

#define AGON__MAX_LINEAR (AGON_MAX_LAYERS + 1)

/* A call walks its rows in blocks: the rows of a block and the weights of a net stay in the second
 * level cache. No result depends on these numbers. */
enum { AGON__FORWARD_ROWS = 48, AGON__UPDATE_ROWS = 96 };

/* One linear layer. The last one is both heads: the rows of policy.weight, then value.weight. */
typedef struct agon__linear {
    int in, out;         /* true widths; the last: out = actions + 1 */
    int in_pad, out_pad; /* up to AGON__LANES: the width of a row in scratch */
    size_t weight, bias; /* floats from the start of the parameters: (out, in) and (out) */
    size_t packed;       /* floats from the start of the packed form: panels, then (out_pad) bias */
} agon__linear;

typedef struct agon__shape {
    int layers; /* linear layers: hidden + 1 */
    agon__linear linear[AGON__MAX_LINEAR];
    size_t value_weight, value_bias; /* the last row of the last layer lies apart */
    size_t packed;                   /* floats of the packed form */
    int widest;                      /* the largest padded hidden width, or AGON__LANES */
} agon__shape;

agon__shape agon__shape_of(const agon_net* net);

void agon__pack(const agon_net* net, const float* params, void* packed);

struct agon_scratch {
    const agon__kernel* kernel;
    float* block; /* owned, 64-byte aligned */
    size_t size;  /* floats */
};

/* Where a call's arrays lie in scratch. Rows: AGON__FORWARD_ROWS or AGON__UPDATE_ROWS. */
typedef struct agon__plan {
    float* x[AGON__MAX_LINEAR + 1]; /* x[0] inputs, x[i+1] output of layer i: (rows, pad) */
    agon__entries in;               /* instead of x[0], when inputs are bytes */
    float* first;    /* update, bytes: gradient of the first layer's weights, (in, out_pad) */
    float* slope[2]; /* update: d loss / d hidden, (rows, widest), by turns */
    float* z;        /* (actions, AGON__LANES) */
    float* e;        /* (actions, AGON__LANES) */
    size_t size;     /* floats in all */
} agon__plan;

agon__plan agon__plan_of(const agon__shape* shape, int update, float* block);

/* Room in scratch for a call; 0 or -1. */
int agon__scratch_fit(agon_scratch* scratch, const agon__shape* shape, int update);

/* The inputs of `rows` rows of a block through all layers; x[layers] of the plan holds logits and,
 * after them, the value. */
void agon__forward_block(const agon__kernel* kernel, const agon_net* net, const agon__shape* shape,
                         agon_dtype type, const float* packed, const agon__plan* plan, int rows);

/* An observation becomes row `row` of the block: entries, or floats padded with zeros. */
void agon__load_input(const agon__kernel* kernel, const agon_input* input, const void* obs,
                      const agon__linear* first, const agon__plan* plan, int row);

void agon__cpu_forward(const agon_forward* call, agon_scratch* scratch);
void agon__cpu_update(agon_update* updates, int count, agon_scratch* scratch);
void agon__cpu_gradient(agon_update* update, agon_scratch* scratch);

#endif
