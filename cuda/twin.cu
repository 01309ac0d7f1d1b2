/* twin.cu: the kernels of one game as the GPU starts them; see twin_kernel.h. */
#include "cuda/twin_kernel.h"

#define ENTRY(NAME, ARGS)                                                                          \
    extern "C" __global__ void agon_##NAME(const __grid_constant__ ARGS args) {                    \
        extern __shared__ __align__(128) char shared[];                                            \
        agon__block block = {(int)blockIdx.x, (int)gridDim.x, (int)blockDim.x / AGON__WARP,        \
                             shared};                                                              \
        agon__kernel_##NAME(&block, &args);                                                        \
    }

AGON_TWIN_KERNELS(ENTRY)
