/* driver.h: the functions of the CUDA driver that are called. The driver is opened at run time
 * (libcuda.so.1), so that one binary runs with and without it and no CUDA header is needed.
 *
 * Types are those of cuda.h: `unsigned` stands for its enums, and only what is needed has a name.
 * tests/cuda/abi.c compares all of this with a cuda.h. Internal to cuda/. */
#ifndef AGON_CUDA_DRIVER_H
#define AGON_CUDA_DRIVER_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef unsigned long long agon__address; /* CUdeviceptr */
typedef struct CUctx_st* agon__context;
typedef struct CUmod_st* agon__module;
typedef struct CUfunc_st* agon__kernel_handle;
typedef struct CUstream_st* agon__queue;
typedef struct CUgraph_st* agon__recording;
typedef struct CUgraphExec_st* agon__replay;

/* Results that are told apart. 0: no error. */
enum {
    AGON__CUDA_NO_MEMORY = 2,   /* CUDA_ERROR_OUT_OF_MEMORY */
    AGON__CUDA_NO_DEVICE = 100, /* CUDA_ERROR_NO_DEVICE */
    AGON__CUDA_NOT_FOUND = 500  /* CUDA_ERROR_NOT_FOUND */
};
enum {
    AGON__CUDA_PROCESSORS = 16,    /* CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT */
    AGON__CUDA_MAJOR = 75,         /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR */
    AGON__CUDA_MINOR = 76,         /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR */
    AGON__CUDA_SHARED = 97,        /* CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN */
    AGON__CUDA_STATIC_SHARED = 1,  /* CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES */
    AGON__CUDA_DYNAMIC_SHARED = 8, /* CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES */
    AGON__CUDA_NON_BLOCKING = 1,   /* CU_STREAM_NON_BLOCKING */
    AGON__CUDA_RELAXED = 2,        /* CU_STREAM_CAPTURE_MODE_RELAXED */
    AGON__CUDA_PORTABLE = 1        /* CU_MEMHOSTALLOC_PORTABLE */
};

/* X(name here, name in the library, parameters) */
#define AGON__DRIVER(X)                                                                            \
    X(init, cuInit, (unsigned flags))                                                              \
    X(version, cuDriverGetVersion, (int* version))                                                 \
    X(error_name, cuGetErrorName, (unsigned error, const char** name))                             \
    X(device_count, cuDeviceGetCount, (int* count))                                                \
    X(device, cuDeviceGet, (int* device, int ordinal))                                             \
    X(device_name, cuDeviceGetName, (char* name, int size, int device))                            \
    X(device_memory, cuDeviceTotalMem_v2, (size_t * bytes, int device))                            \
    X(device_attribute, cuDeviceGetAttribute, (int* value, unsigned attribute, int device))        \
    X(context_retain, cuDevicePrimaryCtxRetain, (agon__context * context, int device))             \
    X(context_release, cuDevicePrimaryCtxRelease_v2, (int device))                                 \
    X(context_set, cuCtxSetCurrent, (agon__context context))                                       \
    X(module_load, cuModuleLoadData, (agon__module * module, const void* image))                   \
    X(module_function, cuModuleGetFunction,                                                        \
      (agon__kernel_handle * function, agon__module module, const char* name))                     \
    X(function_get, cuFuncGetAttribute,                                                            \
      (int* value, unsigned attribute, agon__kernel_handle function))                              \
    X(function_set, cuFuncSetAttribute,                                                            \
      (agon__kernel_handle function, unsigned attribute, int value))                               \
    X(alloc, cuMemAlloc_v2, (agon__address * address, size_t bytes))                               \
    X(free, cuMemFree_v2, (agon__address address))                                                 \
    X(memory, cuMemGetInfo_v2, (size_t * free, size_t * total))                                    \
    X(pin, cuMemHostAlloc, (void** memory, size_t bytes, unsigned flags))                          \
    X(unpin, cuMemFreeHost, (void* memory))                                                        \
    X(stream_create, cuStreamCreate, (agon__queue * stream, unsigned flags))                       \
    X(stream_destroy, cuStreamDestroy_v2, (agon__queue stream))                                    \
    X(stream_wait, cuStreamSynchronize, (agon__queue stream))                                      \
    X(copy_in, cuMemcpyHtoDAsync_v2,                                                               \
      (agon__address to, const void* from, size_t bytes, agon__queue stream))                      \
    X(copy_out, cuMemcpyDtoHAsync_v2,                                                              \
      (void* to, agon__address from, size_t bytes, agon__queue stream))                            \
    X(copy, cuMemcpyDtoDAsync_v2,                                                                  \
      (agon__address to, agon__address from, size_t bytes, agon__queue stream))                    \
    X(fill, cuMemsetD8Async,                                                                       \
      (agon__address to, unsigned char byte, size_t bytes, agon__queue stream))                    \
    X(launch, cuLaunchKernel,                                                                      \
      (agon__kernel_handle function, unsigned grid_x, unsigned grid_y, unsigned grid_z,            \
       unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, agon__queue stream,  \
       void** args, void** extra))                                                                 \
    X(capture_begin, cuStreamBeginCapture_v2, (agon__queue stream, unsigned mode))                 \
    X(capture_end, cuStreamEndCapture, (agon__queue stream, agon__recording * graph))              \
    X(graph_make, cuGraphInstantiateWithFlags,                                                     \
      (agon__replay * replay, agon__recording graph, unsigned long long flags))                    \
    X(graph_destroy, cuGraphDestroy, (agon__recording graph))                                      \
    X(graph_launch, cuGraphLaunch, (agon__replay replay, agon__queue stream))                      \
    X(replay_destroy, cuGraphExecDestroy, (agon__replay replay))

typedef struct agon__driver {
#define AGON__SLOT(name, symbol, params) unsigned(*name) params;
    AGON__DRIVER(AGON__SLOT)
#undef AGON__SLOT
    int have; /* CUDA version of the driver: 1000 * major + 10 * minor */
} agon__driver;

enum { AGON__CUDA_NEEDED = 12000, AGON__COMPUTE_NEEDED = 75 };

/* The driver, opened once for the process and initialised. AGON_EUNSUPPORTED: there is none, it is
 * older than AGON__CUDA_NEEDED, or it finds no device; each with its own message and hint. */
int agon__driver_open(const agon__driver** out, agon_error* error);

/* After agon__driver_open has failed: was there a driver? */
bool agon__driver_is_there(void);

/* "CUDA_ERROR_ILLEGAL_ADDRESS", or "unknown error". */
const char* agon__driver_error(const agon__driver* driver, unsigned result);

#endif
