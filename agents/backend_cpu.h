/* backend_cpu.h: what the parts of the CPU backend share: a net as a chain of linear layers, and
 * where each call keeps its rows. Internal to agents/. */
#ifndef AGON_BACKEND_CPU_H
#define AGON_BACKEND_CPU_H

#include "agents/backend.h"
#include "agents/kernel.h"

#define AGON__MAX_LINEAR (AGON_MAX_LAYERS + 1)

/* A call walks its rows in blocks: the rows of a block and the weights of a net stay in the second
 * level cache. Convolutions unfold so many points at a time. No result depends on these numbers. */
enum {
    AGON__FORWARD_ROWS = 48,
    AGON__UPDATE_ROWS = 96,
    AGON__FOLD_POINTS = 64,
    AGON__BLOCK_FLOATS = 1 << 20 /* of one layer's outputs: wide ones make a block shorter */
};

/* One linear layer. The last one is both heads: the rows of policy.weight, then value.weight. */
typedef struct agon__linear {
    agon_layer_kind kind;
    int in, out;         /* true widths of the map; the last: out = actions + 1 */
    int in_pad, out_pad; /* up to AGON__LANES */
    int x_row, y_row;    /* floats of a row of its inputs, and of what it gives, in scratch: the
                            widths of all points together, padded once */
    size_t weight, bias; /* floats from the start of the parameters: (out, in) and (out) */
    size_t packed;       /* floats from the start of the packed form: panels, then (out_pad) bias */
    int kernel;          /* of a convolution, as what follows: points across */
    int rows, cols, channels; /* of the image it sees, (rows * cols, channels) */
} agon__linear;

typedef struct agon__shape {
    int layers; /* linear layers: hidden + 1 */
    agon__linear linear[AGON__MAX_LINEAR];
    size_t value_weight, value_bias; /* the last row of the last layer lies apart */
    size_t packed;                   /* floats of the packed form */
    int widest;   /* the largest row of a hidden layer's outputs, or AGON__LANES */
    int recalled; /* the largest padded row of a minGRU's linear map; 0: no memory */
    int memory;   /* floats that a row remembers */
    size_t image, patches, turned; /* floats that convolutions work with; 0: there are none */
} agon__shape;

agon__shape agon__shape_of(const agon_net* net);

/* Rows of a block; an update of a net with memory may need more for one row of a rectangle. */
int agon__block_rows(const agon__shape* shape, int update);

void agon__pack(const agon_net* net, const float* params, void* packed);

/* Where a call's arrays lie in scratch. */
typedef struct agon__plan {
    float* x[AGON__MAX_LINEAR + 1]; /* x[0] inputs, x[i+1] what layer i gives: (rows, x_row) */
    float* recall[AGON_MAX_LAYERS]; /* of a minGRU: its linear map's outputs, (rows, out_pad) */
    agon__entries in;               /* instead of x[0], when inputs are bytes, if not an image */
    float* first;    /* update, bytes: gradient of the first layer's weights, (in, out_pad) */
    float* slope[2]; /* update: d loss / d hidden, (rows, widest), by turns */
    float* memory;   /* update: (rows, memory), of the rows of a rectangle; then slopes of it */
    uint8_t* last;   /* update: (rows) 1: memory is cleared behind this entry */
    float* image;    /* of one row, in a border of zeros */
    float* patches;  /* what is multiplied at AGON__FOLD_POINTS points */
    float* turned;   /* update: weights of a convolution, (kernel * kernel * out, channels) */
    float* z;        /* (actions, AGON__LANES) */
    float* e;        /* (actions, AGON__LANES) */
    size_t size;     /* floats in all */
} agon__plan;

struct agon_scratch {
    const agon__kernel* kernel;
    float* block; /* owned, 64-byte aligned */
    size_t size;  /* floats */
    agon_net net; /* that it was laid out for last; no inputs: for none yet */
    int update, rows;
    agon__shape shape;
    agon__plan plan;
};

/* Lays a scratch out for calls whose longest block is as long as usual, or `rows`: fills shape and
 * plan, which are still there where it was last laid out for the same. 0, or -1: out of memory. */
int agon__scratch_fit(agon_scratch* scratch, const agon_net* net, int update, int rows);

/* Rows that go through a net together. */
typedef struct agon__block {
    const agon__kernel* kernel;
    const agon_net* net;
    const agon__shape* shape;
    const agon__plan* plan;
    agon_dtype type;
    const float* packed;
    int rows;
    float* memory;       /* in and out, a row for each `steps` rows of the block; NULL: none */
    int steps;           /* rows that follow each other in time */
    const uint8_t* last; /* (rows) as in agon__cell, or NULL */
} agon__block;

/* The inputs of a block through all layers; x[layers] of the plan holds logits and, after them, the
 * value. */
void agon__forward_block(const agon__block* block);

/* An observation becomes row `row` of the block: entries, or floats padded with zeros. */
void agon__load_input(const agon__kernel* kernel, const agon_input* input, const void* obs,
                      const agon__linear* first, const agon__plan* plan, int row);

/* ---- convolutions ------------------------------------------------------------------------- */

/* An observation (planes, rows, cols) becomes an image (points, planes). */
void agon__conv_load(const agon_input* input, const void* obs, const agon__linear* linear,
                     float* image);

/* x (rows, x_row) through one layer to y (rows, y_row), without tanh. */
void agon__conv_forward(const agon__block* block, int layer, int relu);

/* Gradients of weights (out, in) and biases, from dy (rows, y_row), the slopes of the layer's
 * outputs: rows in order, of each its points in order. again: adds to what earlier blocks left. */
void agon__conv_grow(const agon__block* block, int layer, const float* dy, float* weight,
                     float* bias, int again);

/* dx (rows, x_row), the slopes of its inputs: for a channel at a point, over the outputs of the
 * points around it, from the top left one by rows. weight (out, in). */
void agon__conv_pass(const agon__block* block, int layer, const float* dy, const float* weight,
                     float* dx);

void agon__cpu_forward(const agon_forward* call, agon_scratch* scratch);
void agon__cpu_update(agon_update* updates, int count, agon_scratch* scratch);
void agon__cpu_gradient(agon_update* update, agon_scratch* scratch);

#endif
