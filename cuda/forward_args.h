/* forward_args.h: what the kernels of a forward are told: the call, and how the host cut it. */
#ifndef AGON_CUDA_FORWARD_ARGS_H
#define AGON_CUDA_FORWARD_ARGS_H

#include "cuda/forward.h"

/* Sizes of what a block works on, and byte offsets in its shared memory. */
typedef struct agon__forward_cut {
    int rows;             /* of a tile: 16, 32, 64; 0: there is no such cut */
    int resident;         /* fused: 1: a whole packed net stays in shared memory */
    int layer;            /* wide: which */
    int cols;             /* wide: of a tile, a multiple of AGON__TILE_N */
    int depth;            /* wide: inputs that are staged together, a multiple of AGON__TILE_K */
    int z_stride;         /* floats from one row of logits and value to the next */
    int room;             /* fused: bytes for weights */
    int weights, x[2], z; /* z: fused; < 0: in scratch. wide: sums; x[1]: rows of a convolution */
    int shared;           /* bytes in all */
} agon__forward_cut;

typedef struct agon__forward_args {
    agon__gpu_forward call;
    agon__forward_cut cut;
    int from, to;   /* wide: slots of this pass, of which the arrays below are; to 0: all */
    const void* in; /* wide: (slots, agon__forward_row) elements; NULL: observations */
    void* out;      /* wide: (slots, agon__forward_row of the next layer); NULL: logits */
    float* z;       /* (slots, z_stride) logits and value; NULL: in shared memory */
} agon__forward_args;

/* Elements that a slot's inputs of a layer take, other than observations. */
AGON_KERNEL_FN int agon__forward_row(const agon__gpu_linear* linear) {
    const agon__fold* f = &linear->fold;
    if (!linear->folds || f->kernel == 0)
        return linear->stride;
    return (f->rows * f->cols * f->channels + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
}

#endif
