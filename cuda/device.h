/* device.h: which CUDA devices this machine has, and whether this program can use one.
 *
 * The driver is looked for at run time (libcuda.so.1), so that one binary runs with and without it,
 * and no CUDA type appears here. */
#ifndef AGON_CUDA_DEVICE_H
#define AGON_CUDA_DEVICE_H

#include "games/error.h"

#include <stddef.h>

/* Returns the number of devices, -1 when there is no driver, and writes one line into out (size
 * bytes, cut to fit): their names, memory, compute capability, and the driver's version; or, when
 * there are none, the reason. Never fails, never claims a device (no context is made), takes up to
 * a second where a driver has to wake up. */
int agon_cuda_describe(char* out, size_t size);

/* One line about the kernels in this program: how many images, by which nvcc, for which GPUs. */
void agon_cuda_describe_kernels(char* out, size_t size);

/* AGON_OK: runs can use a GPU of this machine. AGON_EUNSUPPORTED: why not, and what to do. Opens
 * the device: it takes memory of it, and up to seconds. */
int agon_cuda_check(agon_error* error);

#endif
