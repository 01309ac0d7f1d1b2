/* kernels.h: every kernel of the image "kernels": its name and the struct of its arguments. The
 * body of kernel NAME is agon__kernel_NAME; on the device it is called agon_NAME. */
#ifndef AGON_CUDA_KERNELS_H
#define AGON_CUDA_KERNELS_H

#include "cuda/pack_kernel.h"

#define AGON_KERNELS(X) X(pack, agon__pack_args)

#endif
