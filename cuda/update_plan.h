/* update_plan.h: what an update of many learners does on the device, told as a list of launches.
 * Nothing here talks to a GPU: the same list may be run, recorded, or emulated.
 *
 * Members go through in slices, one whole update after another, so that what a minibatch works in
 * need not be there for all of them at once. No launch depends on what an earlier one finds.
 *
 * Convolutions are products of columns (unfold_kernel.h), as many rows of a minibatch at once as
 * there is room for, again in the backward pass. Layers that remember walk through whole rows of
 * the rectangle (remember_kernel.h), so minibatches of nets with memory are cut between these.
 * Internal to cuda/. */
#ifndef AGON_CUDA_UPDATE_PLAN_H
#define AGON_CUDA_UPDATE_PLAN_H

#include "cuda/minibatch.h"

/* Bytes that slices are cut for. */
#define AGON__UPDATE_WORK ((size_t)1 << 30)

typedef enum agon__update_kernel {
    AGON__UPDATE_ADVANTAGE,
    AGON__UPDATE_NORMALISE,
    AGON__UPDATE_SHUFFLE,
    AGON__UPDATE_LAYER,
    AGON__UPDATE_FIRST_LAYER,
    AGON__UPDATE_SLOPES,
    AGON__UPDATE_GRADS,
    AGON__UPDATE_MORE_GRADS,
    AGON__UPDATE_FIRST_GRADS,
    AGON__UPDATE_UNFOLD,
    AGON__UPDATE_FOLD_BACK,
    AGON__UPDATE_REMEMBER,
    AGON__UPDATE_REMEMBER_BACK,
    AGON__UPDATE_LOSS,
    AGON__UPDATE_SQUARES,
    AGON__UPDATE_SETTLE,
    AGON__UPDATE_ADAM,
    AGON__UPDATE_PACK,
    AGON__UPDATE_KERNELS
} agon__update_kernel;

/* The kernel's name in the image "kernels", for nets of a mode. */
const char* agon__update_kernel_name(agon__update_kernel kernel, int mode);

/* Who gets the launches. args: the kernel's, to be copied. */
typedef struct agon__launcher {
    void (*launch)(void* context, agon__update_kernel kernel, int blocks, int warps, size_t shared,
                   const void* args);
    void* context;
} agon__launcher;

typedef struct agon__update_plan {
    agon__gpu_learners learners;
    agon__gpu_rectangles rectangles;
    int epochs, minibatches;
    size_t shared;               /* bytes that a block may have */
    int slice;                   /* members at once */
    int row_limit;               /* of the largest minibatch */
    int part[AGON__GPU_LINEARS]; /* rows of a minibatch that a layer has unfolded at once; 0: it has
                                    none. No result depends on it */
    /* Of the device: for all members .. */
    agon__update_member* member; /* (members) */
    float* correct;              /* (members, epochs * minibatches, 2), as agon__adam_args */
    /* .. and for a slice. Rows are padded to a multiple of AGON__TILE_K, with zeros. */
    uint32_t* index;                 /* (slice, epochs, entries) */
    char* x[AGON__GPU_LINEARS];      /* x[i]: outputs of layer i - 1, then their slopes: elements
                                        (slice, row_limit, points, pad) */
    float* gates[AGON__GPU_LINEARS]; /* (slice, row_limit, pad), of layers that remember */
    char* gate_slope;                /* their slopes, one layer's at a time: elements, as gates */
    char* columns;                   /* (slice, part, points, pad) elements, one layer's at a time:
                                        48 KB a row of 6 x 7 points with 32 channels in fp32 */
    float* head;                     /* (slice, row_limit, pad): logits, and the value */
    char* slope;                     /* their slopes: elements (slice, row_limit, pad) */
    float* row_stats;                /* (slice, row_limit, AGON__ROW_STATS) */
    double* squares;                 /* (slice, segments) */
    float* scale;                    /* (slice) */
} agon__update_plan;

/* A plan without memory. work: bytes that slices are cut for. */
agon__update_plan agon__update_plan_of(const agon__gpu_learners* learners,
                                       const agon__gpu_rectangles* rectangles, int epochs,
                                       int minibatches, size_t work);
/* Points the plan into a block of the device, 256-byte aligned; returns its bytes. base NULL: only
 * counts them. */
size_t agon__update_lay_out(agon__update_plan* plan, char* base);

/* A whole update of all members. `member` and `correct` are in place; the sums of statistics in
 * `member` are zero. */
void agon__update_launch(const agon__update_plan* plan, const agon__launcher* to);
/* The gradients of one minibatch of members first .. first + count - 1, at most a slice, each of
 * `rows` rows: index (count, epochs * entries) starts with them. */
void agon__update_launch_gradient(const agon__update_plan* plan, int first, int count, int rows,
                                  const agon__launcher* to);

#endif
