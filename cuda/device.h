/* device.h: which CUDA devices this machine has.
 *
 * The driver is looked for at run time (libcuda.so.1), so that one binary runs with and without it:
 * building needs no CUDA, and no CUDA type appears here. */
#ifndef AGON_CUDA_DEVICE_H
#define AGON_CUDA_DEVICE_H

#include <stddef.h>

/* Returns the number of usable devices and writes one line into out (size bytes, cut to fit): their
 * names, memory and compute capability, or, when there are none, the reason. Never fails, never
 * claims a device (no context is made), takes up to a second where a driver has to wake up. */
int agon_cuda_describe(char* out, size_t size);

#endif
