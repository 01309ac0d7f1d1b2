/* primitives.cu: the kernels of primitives_kernel.h as a GPU starts them. */
#include "tests/gpu/primitives.h"

#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRY(NAME, ARGS)                                                                          \
    extern "C" __global__ void primitives_##NAME(const __grid_constant__ ARGS args) {              \
        extern __shared__ __align__(128) char shared[];                                            \
        agon__block block = {(int)blockIdx.x, (int)gridDim.x, (int)blockDim.x / AGON__WARP,        \
                             shared};                                                              \
        primitives_kernel_##NAME(&block, &args);                                                   \
    }
PRIMITIVES_KERNELS(ENTRY)

struct entry {
    const char* name;
    const void* function;
};
#define ROW(NAME, ARGS) {#NAME, (const void*)primitives_##NAME},
static const entry entries[] = {PRIMITIVES_KERNELS(ROW)};

static void need(cudaError_t code, const char* what) {
    if (code == cudaSuccess)
        return;
    fprintf(stderr, "primitives: %s: %s\n", what, cudaGetErrorString(code));
    exit(1);
}

const char* device_name(void) {
    static cudaDeviceProp device;
    need(cudaGetDeviceProperties(&device, 0), "device 0");
    return device.name;
}

void* device_alloc(size_t bytes) {
    void* memory = NULL;
    need(cudaMalloc(&memory, bytes), "memory of the device");
    need(cudaMemset(memory, 0xff, bytes), "filling it");
    return memory;
}

void device_free(void* memory) {
    need(cudaFree(memory), "giving it back");
}

void device_in(void* device, const void* host, size_t bytes) {
    need(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), "copying to the device");
}

void device_out(void* host, const void* device, size_t bytes) {
    need(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost), "copying from the device");
}

void device_run(const char* kernel, int blocks, int warps, size_t shared, const void* args) {
    void* params[] = {const_cast<void*>(args)};
    for (const entry& e : entries) {
        if (strcmp(e.name, kernel) != 0)
            continue;
        need(cudaFuncSetAttribute(e.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  (int)shared),
             kernel);
        need(cudaLaunchKernel(e.function, dim3((unsigned)blocks), dim3((unsigned)warps * 32),
                              params, shared, 0),
             kernel);
        need(cudaDeviceSynchronize(), kernel);
        return;
    }
    fprintf(stderr, "primitives: no kernel '%s'\n", kernel);
    exit(1);
}
