/* primitives.h: where primitives.c has kernels done: on a GPU (primitives.cu), or, where there is
 * none, on the host in another order (primitives_host.c). */
#ifndef AGON_TESTS_GPU_PRIMITIVES_H
#define AGON_TESTS_GPU_PRIMITIVES_H

#include "tests/gpu/primitives_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A device that fails ends the program with a message. */
const char* device_name(void);
void* device_alloc(size_t bytes);
void device_free(void* memory);
void device_in(void* device, const void* host, size_t bytes);
void device_out(void* host, const void* device, size_t bytes);
/* Until it is done. args: the kernel's. */
void device_run(const char* kernel, int blocks, int warps, size_t shared, const void* args);

#ifdef __cplusplus
}
#endif

/* The kernel's text in C, by blocks. Defined in primitives.c. */
#ifndef __CUDACC__
void primitives_run(const char* kernel, int blocks, int warps, size_t shared, const void* args,
                    int backwards);
#endif

#endif
