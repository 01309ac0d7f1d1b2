/* twin.cu: the kernels of one game as the GPU starts them; see twin_kernel.h. */
#include "cuda/twin_kernel.h"

AGON_TWIN_KERNELS(AGON_KERNEL_ENTRY)
