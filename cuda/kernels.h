/* kernels.h: every kernel of the image "kernels": its name and the struct of its arguments. The
 * body of kernel NAME is agon__kernel_NAME; on the device it is called agon_NAME. */
#ifndef AGON_CUDA_KERNELS_H
#define AGON_CUDA_KERNELS_H

#include "cuda/forward_wide.h"
#include "cuda/pack_kernel.h"
#include "cuda/play_kernel.h"

#define AGON_KERNELS(X)                                                                            \
    X(pack, agon__pack_args)                                                                       \
    X(forward_fp32, agon__forward_args)                                                            \
    X(forward_tf32, agon__forward_args)                                                            \
    X(forward_bf16, agon__forward_args)                                                            \
    X(forward_layer_fp32, agon__forward_args)                                                      \
    X(forward_layer_tf32, agon__forward_args)                                                      \
    X(forward_layer_bf16, agon__forward_args)                                                      \
    X(choose, agon__forward_args)                                                                  \
    X(play_sort, agon__play_args)                                                                  \
    X(play_counts, agon__play_args)

#endif
