/* pack_kernel.h: parameters of many nets become what the forward kernels read. */
#ifndef AGON_CUDA_PACK_KERNEL_H
#define AGON_CUDA_PACK_KERNEL_H

#include "cuda/layout.h"

/* Grid: any number of blocks. Net i is packed from params + i * stride to packed + i * net.bytes.
 */
typedef struct agon__pack_args {
    agon__gpu_net net;
    int count;
    uint64_t stride;     /* floats */
    const float* params; /* (count, stride) */
    char* packed;        /* (count, net.bytes) */
} agon__pack_args;

/* The weights of output `row` of a layer, and its bias; NULL: padding. */
AGON_KERNEL_FN const float* agon__pack_weights(const agon__gpu_net* net, int layer, int row,
                                               const float* params, float* bias) {
    const agon__gpu_linear* linear = &net->linear[layer];
    *bias = 0.0f;
    if (row >= linear->out)
        return NULL;
    if (layer == net->layers - 1 && row == linear->out - 1) {
        *bias = params[net->from_value_bias];
        return params + net->from_value_weight;
    }
    *bias = params[linear->from_bias + (uint64_t)row];
    return params + linear->from_weight + (uint64_t)row * (uint64_t)linear->in;
}

/* One output of one layer, by one warp. */
AGON_KERNEL_FN void agon__pack_row(const agon__gpu_net* net, int layer, int row,
                                   const float* params, char* packed) {
    const agon__gpu_linear* linear = &net->linear[layer];
    float bias;
    const float* from = agon__pack_weights(net, layer, row, params, &bias);
    void* to = packed + linear->weight +
               (uint64_t)row * (uint64_t)linear->stride * (uint64_t)agon__element(net->mode);
    AGON_LANES(l) {
        for (int k = l; k < linear->stride; k += AGON__WARP)
            agon__put(net->mode, to, (size_t)k, from && k < linear->in ? from[k] : 0.0f);
        if (l == 0)
            ((float*)(packed + linear->bias))[row] = bias;
    }
}

AGON_KERNEL_FN void agon__kernel_pack(agon__block* b, const agon__pack_args* a) {
    int rows = 0; /* of all layers of a net: a warp each */
    for (int i = 0; i < a->net.layers; i++)
        rows += a->net.linear[i].rows;
    AGON_WARPS(b, w) {
        const int64_t all = (int64_t)rows * a->count, step = (int64_t)b->blocks * b->warps;
        for (int64_t at = (int64_t)b->index * b->warps + w; at < all; at += step) {
            const int64_t net = at / rows;
            int row = (int)(at % rows), layer = 0;
            for (; row >= a->net.linear[layer].rows; layer++)
                row -= a->net.linear[layer].rows;
            agon__pack_row(&a->net, layer, row, a->params + (uint64_t)net * a->stride,
                           a->packed + (uint64_t)net * a->net.bytes);
        }
    }
}

#endif
