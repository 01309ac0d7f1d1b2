/* update_layers.h: forward and backward of a minibatch through the layers of a net, as launches.
 * Internal to cuda/. */
#ifndef AGON_CUDA_UPDATE_LAYERS_H
#define AGON_CUDA_UPDATE_LAYERS_H

#include "cuda/update_plan.h"

/* A slice while its launches are told. */
typedef struct agon__update_teller {
    const agon__update_plan* plan;
    const agon__launcher* to;
    int first, count;      /* members */
    const uint32_t* index; /* (count, epochs * entries), the minibatch's rows first */
    int rows;              /* of the minibatch */
    int step;              /* which minibatch of the update */
    int unfolded, from;    /* whose columns there are: layer, 0: nobody's; from this row on */
} agon__update_teller;

enum { AGON__UPDATE_ROW_WARPS = 8, AGON__UPDATE_BLOCKS = 1 << 20 };

/* Widths are padded to this, with zeros. */
static inline int agon__update_pad(int width) {
    return (width + AGON__TILE_K - 1) / AGON__TILE_K * AGON__TILE_K;
}

static inline int agon__update_blocks(uint64_t work, uint64_t per_block) {
    const uint64_t blocks = (work + per_block - 1) / per_block;
    return (int)(blocks < AGON__UPDATE_BLOCKS ? blocks : AGON__UPDATE_BLOCKS);
}

/* Bytes that a row of a minibatch takes as columns of a layer; 0: the layer multiplies what is
 * there already. */
size_t agon__update_columns(const agon__gpu_net* net, int layer);

/* Rows of a minibatch, as kernels read them. */
agon__sights agon__update_sights(const agon__update_teller* t);
/* From what the net sees to logits and values; and from their slopes to the gradients of all
 * weights. The second comes after the first, with nothing of the layers between. */
void agon__update_forward(agon__update_teller* t);
void agon__update_backward(agon__update_teller* t);

#endif
