/* device.h: the backend that a configuration means, on this machine. */
#ifndef AGON_DEVICE_H
#define AGON_DEVICE_H

#include "agents/backend.h"
#include "engine/config.h"

#define AGON_DEVICE_CLASS 64

/* device: AGON_DEVICE_AUTO is a GPU where one can be used, or the CPU. precision: as in
 * agon_config. Where the CPU is what is left, a GPU's precision is AGON_EINVALID; where there is no
 * GPU and one is asked for, agon_cuda_backend says why. */
int agon_device_open(int device, int precision, const agon_backend** out, agon_error* error);

/* Before a run is stored and hashed: `auto` becomes what it means here, and the model is filled in.
 * A CPU keeps precision `auto`, which is all that it has: so a run's hash is what it was before
 * there were GPUs. Another model than the configuration names is AGON_EUNSUPPORTED. notice: what a
 * person should know, or left as it is. */
int agon_device_resolve(agon_config* config, const agon_backend** out, char* notice, size_t size,
                        agon_error* error);

/* The backend that a stored run was made with, and goes on with. AGON_EUNSUPPORTED, and what to do:
 * this machine does not have it. `dir` is the run's. */
int agon_device_again(const agon_config* stored, const char* dir, const agon_backend** out,
                      agon_error* error);

/* Who computes the same bytes: "cpu", "cuda/bf16 NVIDIA H100 80GB HBM3". (AGON_DEVICE_CLASS) */
void agon_device_class(const agon_backend* backend, char* out);
/* The options of `agon worker` that ask for it: "--device cuda --precision bf16". */
void agon_device_words(const agon_backend* backend, char* out, size_t size);

#endif
