/* gpu.h: one GPU: its memory, its kernels, and streams of work for it. Plain C: the driver
 * (libcuda.so.1) is opened at run time, and kernels come from images within this program.
 *
 * Work fails late: a kernel that goes wrong is noticed by whoever waits next, and a device that is
 * lost stays lost. So what is put into a stream returns nothing. The first failure is kept with the
 * GPU, all later calls do nothing, and agon__stream_wait and agon__gpu_check say what happened.
 * Internal to cuda/. */
#ifndef AGON_CUDA_GPU_H
#define AGON_CUDA_GPU_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct agon__gpu agon__gpu;
typedef struct agon__stream agon__stream;     /* work in order; one thread at a time */
typedef struct agon__function agon__function; /* a kernel; lives as long as the GPU */
typedef struct agon__graph agon__graph;       /* recorded work, to be repeated */

/* The first device of this machine that fits, opened once for the process and shared by threads.
 * AGON_EUNSUPPORTED: built without nvcc, no driver, a driver that is too old for the images, no
 * device, or one that is too old; each with its own message and hint. */
int agon__gpu_open(agon__gpu** out, agon_error* error);

const char* agon__gpu_model(const agon__gpu* gpu);           /* "NVIDIA H100 80GB HBM3" */
int agon__gpu_processors(const agon__gpu* gpu);              /* multiprocessors */
size_t agon__gpu_shared(const agon__gpu* gpu);               /* bytes a block may have */
size_t agon__gpu_memory(const agon__gpu* gpu, size_t* free); /* bytes; free: NULL, or now */

/* AGON_OK, or the first failure since the device was opened. */
int agon__gpu_check(const agon__gpu* gpu, agon_error* error);

/* Device memory, 256-byte aligned, undefined. NULL: none is left, or the device is lost; that is
 * not kept as a failure, error says it. bytes 0 gives memory, too. */
void* agon__gpu_alloc(agon__gpu* gpu, size_t bytes, agon_error* error);
void agon__gpu_free(agon__gpu* gpu, void* memory); /* NULL is fine; waits for the device */
/* Memory of the host that the device copies from and to without a stop. */
void* agon__gpu_pinned(agon__gpu* gpu, size_t bytes, agon_error* error);
void agon__gpu_unpin(agon__gpu* gpu, void* memory);

/* The kernel `agon_NAME` of image `image` ("kernels", or a game's name); NULL: there is none. */
const agon__function* agon__gpu_function(agon__gpu* gpu, const char* image, const char* name);

int agon__stream_open(agon__gpu* gpu, agon__stream** out, agon_error* error);
void agon__stream_close(agon__stream* stream); /* waits for it; NULL is fine */

/* Copies between host and device; pageable host memory is fine, and then they are slower. Host
 * memory is read, or written, until the stream has been waited for. */
void agon__stream_in(agon__stream* stream, void* device, const void* host, size_t bytes);
void agon__stream_out(agon__stream* stream, void* host, const void* device, size_t bytes);
void agon__stream_copy(agon__stream* stream, void* to, const void* from, size_t bytes);
void agon__stream_fill(agon__stream* stream, void* device, int byte, size_t bytes);

/* args: the kernel's one argument, copied. warps: of a block, 1..32. shared: bytes of a block.
 * blocks 0 does nothing. */
void agon__stream_launch(agon__stream* stream, const agon__function* function, int blocks,
                         int warps, size_t shared, const void* args);

/* Until all that was put in has been done: AGON_OK, or the first failure of the GPU. */
int agon__stream_wait(agon__stream* stream, agon_error* error);

/* What is put in from here on is recorded rather than done, up to agon__stream_recorded. Copies
 * from and to the host are of pinned memory then. NULL: failed, and kept. */
void agon__stream_record(agon__stream* stream);
agon__graph* agon__stream_recorded(agon__stream* stream);
void agon__stream_repeat(agon__stream* stream, agon__graph* graph);
void agon__graph_close(agon__graph* graph); /* NULL is fine */

#endif
