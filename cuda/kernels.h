/* kernels.h: every kernel of the image "kernels": its name and the struct of its arguments. The
 * body of kernel NAME is agon__kernel_NAME; on the device it is called agon_NAME. */
#ifndef AGON_CUDA_KERNELS_H
#define AGON_CUDA_KERNELS_H

#include "cuda/adam_kernel.h"
#include "cuda/advantage_kernel.h"
#include "cuda/forward_wide.h"
#include "cuda/loss_kernel.h"
#include "cuda/pack_kernel.h"
#include "cuda/play_kernel.h"
#include "cuda/product_kernel.h"
#include "cuda/remember_kernel.h"
#include "cuda/recall_kernel.h"
#include "cuda/shuffle_kernel.h"
#include "cuda/unfold_kernel.h"

#define AGON_KERNELS(X)                                                                            \
    X(pack, agon__pack_args)                                                                       \
    X(forward_fp32, agon__forward_args)                                                            \
    X(forward_tf32, agon__forward_args)                                                            \
    X(forward_bf16, agon__forward_args)                                                            \
    X(forward_cells_fp32, agon__forward_args)                                                      \
    X(forward_cells_tf32, agon__forward_args)                                                      \
    X(forward_cells_bf16, agon__forward_args)                                                      \
    X(forward_layer_fp32, agon__forward_args)                                                      \
    X(forward_layer_tf32, agon__forward_args)                                                      \
    X(forward_layer_bf16, agon__forward_args)                                                      \
    X(forward_conv_fp32, agon__forward_args)                                                       \
    X(forward_conv_tf32, agon__forward_args)                                                       \
    X(forward_conv_bf16, agon__forward_args)                                                       \
    X(forward_cell_fp32, agon__forward_args)                                                       \
    X(forward_cell_tf32, agon__forward_args)                                                       \
    X(forward_cell_bf16, agon__forward_args)                                                       \
    X(choose, agon__forward_args)                                                                  \
    X(play_sort, agon__play_args)                                                                  \
    X(play_recall, agon__play_args)                                                                \
    X(play_counts, agon__play_args)                                                                \
    X(advantage, agon__advantage_args)                                                             \
    X(normalise, agon__advantage_args)                                                             \
    X(shuffle, agon__shuffle_args)                                                                 \
    X(product_layer_fp32, agon__product_args)                                                      \
    X(product_first_layer_fp32, agon__product_args)                                                \
    X(product_slopes_fp32, agon__product_args)                                                     \
    X(product_grads_fp32, agon__product_args)                                                      \
    X(product_more_grads_fp32, agon__product_args)                                                 \
    X(product_first_grads_fp32, agon__product_args)                                                \
    X(product_layer_tf32, agon__product_args)                                                      \
    X(product_first_layer_tf32, agon__product_args)                                                \
    X(product_slopes_tf32, agon__product_args)                                                     \
    X(product_grads_tf32, agon__product_args)                                                      \
    X(product_more_grads_tf32, agon__product_args)                                                 \
    X(product_first_grads_tf32, agon__product_args)                                                \
    X(product_layer_bf16, agon__product_args)                                                      \
    X(product_first_layer_bf16, agon__product_args)                                                \
    X(product_slopes_bf16, agon__product_args)                                                     \
    X(product_grads_bf16, agon__product_args)                                                      \
    X(product_more_grads_bf16, agon__product_args)                                                 \
    X(product_first_grads_bf16, agon__product_args)                                                \
    X(unfold, agon__fold_args)                                                                     \
    X(fold_back, agon__fold_args)                                                                  \
    X(remember, agon__remember_args)                                                               \
    X(remember_back, agon__remember_args)                                                          \
    X(loss, agon__loss_args)                                                                       \
    X(squares, agon__adam_args)                                                                    \
    X(settle, agon__adam_args)                                                                     \
    X(adam, agon__adam_args)

#endif
