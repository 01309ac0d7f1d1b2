/* kernels.cu: the kernels as the GPU starts them. */
#include "cuda/kernels.h"

AGON_KERNELS(AGON_KERNEL_ENTRY)
