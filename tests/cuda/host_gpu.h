/* host_gpu.h: cuda/gpu.h on the host, for tests of a part of cuda/ alone: memory is the heap's, so
 * that sanitizers watch it, and kernels are emulated. A program that includes it takes nothing from
 * cuda/gpu.c. */
#ifndef AGON_TESTS_HOST_GPU_H
#define AGON_TESTS_HOST_GPU_H

#include "tests/cuda/emulate.h"

#include "cuda/gpu.h"

#include <stdlib.h>

struct agon__gpu {
    size_t shared;        /* bytes a block may have */
    int backwards;        /* 1: blocks and warps in the opposite order */
    int blocks;           /* > 0: no grid has more */
    agon__loss_args loss; /* of the last launch of that kernel */
};

struct agon__stream {
    agon__gpu* gpu;
};

/* Undefined memory is NaNs. */
void* agon__gpu_alloc(agon__gpu* gpu, size_t bytes, agon_error* error) {
    void* memory = aligned_alloc(256, (bytes / 256 + 1) * 256);
    memset(memory, 0xff, bytes);
    return memory;
}
void agon__gpu_free(agon__gpu* gpu, void* memory) {
    free(memory);
}
void* agon__gpu_pinned(agon__gpu* gpu, size_t bytes, agon_error* error) {
    return agon__gpu_alloc(gpu, bytes, error);
}
void agon__gpu_unpin(agon__gpu* gpu, void* memory) {
    free(memory);
}
size_t agon__gpu_shared(const agon__gpu* gpu) {
    return gpu->shared;
}

const agon__function* agon__gpu_function(agon__gpu* gpu, const char* image, const char* name) {
    return (const agon__function*)emulate_find(image, name);
}

void agon__stream_in(agon__stream* stream, void* device, const void* host, size_t bytes) {
    memcpy(device, host, bytes);
}
void agon__stream_out(agon__stream* stream, void* host, const void* device, size_t bytes) {
    memcpy(host, device, bytes);
}
void agon__stream_launch(agon__stream* stream, const agon__function* function, int blocks,
                         int warps, size_t shared, const void* args) {
    agon__gpu* gpu = stream->gpu;
    if (gpu->blocks && blocks > gpu->blocks)
        blocks = gpu->blocks;
    const emulate_kernel* kernel = (const emulate_kernel*)function;
    if (strcmp(kernel->name, "loss") == 0)
        gpu->loss = *(const agon__loss_args*)args;
    emulate_run(kernel, blocks, warps, shared, args, gpu->backwards);
}
int agon__stream_wait(agon__stream* stream, agon_error* error) {
    return AGON_OK;
}

#endif
