/* driver.h: a libcuda.so.1 without a GPU. Device memory is the host's, kernels are run by
 * emulate.h, and what the real driver refuses is refused: wrong handles, threads without a context,
 * blocks with too much shared memory, copies beyond an allocation. Put into LD_LIBRARY_PATH it
 * serves `agon` as it is; unit tests are linked with it.
 *
 * It is meaner than a GPU: work is done when somebody waits for its stream and no sooner, device
 * memory begins as NaNs, and under AddressSanitizer the host cannot touch it.
 *
 * The environment says what it is, and what goes wrong (read at every use):
 *   FAKE_CUDA_DEVICES=1       how many; for the following, one value or several with commas
 *   FAKE_CUDA_NAME=...        FAKE_CUDA_COMPUTE=90     FAKE_CUDA_MEMORY=8589934592 (bytes)
 *   FAKE_CUDA_SHARED=232448   bytes of a block         FAKE_CUDA_PROCESSORS=3
 *   FAKE_CUDA_VERSION=13000   of the driver
 *   FAKE_CUDA_INIT=999        what cuInit gives        FAKE_CUDA_OPEN=46   what a context gives
 *   FAKE_CUDA_STRICT=1        takes images of nvcc only, FAKE_CUDA_IMAGE=209 gives this for each
 *   FAKE_CUDA_LOST_AT=n       the n-th kernel of the process fails (719), and all that follows
 *   FAKE_CUDA_EAGER=1         work is done at once
 *   FAKE_CUDA_BACKWARDS=1     blocks and warps in the opposite order
 *   FAKE_CUDA_LOG=file        a line for each kernel done: image, name, blocks, warps, shared */
#ifndef AGON_TESTS_DRIVER_H
#define AGON_TESTS_DRIVER_H

#include "cuda/driver.h"
#include "tests/cuda/emulate.h"

#include <stdbool.h>

/* What is given besides those of cuda/driver.h. */
enum {
    FAKE_INVALID_VALUE = 1,
    FAKE_NOT_INITIALIZED = 3,
    FAKE_INVALID_DEVICE = 101,
    FAKE_INVALID_CONTEXT = 201,
    FAKE_INVALID_PTX = 218,
    FAKE_INVALID_HANDLE = 400,
    FAKE_ILLEGAL_ADDRESS = 700,
    FAKE_LAUNCH_FAILED = 719,
    FAKE_CAPTURE_UNSUPPORTED = 900,
    FAKE_CAPTURE_INVALIDATED = 901
};

#define FAKE_EXPORT                        __attribute__((visibility("default")))
#define FAKE_DECLARE(name, symbol, params) FAKE_EXPORT unsigned symbol params;
AGON__DRIVER(FAKE_DECLARE)

struct CUfunc_st {
    const emulate_kernel* kernel;
    size_t shared; /* that a launch may ask for */
};

/* The number after FAKE_CUDA_`name`; with commas, the one of that place or the last. */
long long fake_setting(const char* name, int place, long long otherwise);

/* Every function holds the lock of the driver. fake_enter takes it, and does not when it fails: the
 * driver was not started, the device is lost, or this thread has no context. */
unsigned fake_enter(bool context);
unsigned fake_leave(unsigned result); /* result */

/* The device is lost with this result, for good. */
void fake_lose(unsigned result);

/* Are all these bytes within one piece of device memory, or pinned memory? */
bool fake_on_device(agon__address from, size_t bytes);
bool fake_is_pinned(const void* from, size_t bytes);
/* Device memory can be touched between these. */
void fake_memory_begin(void);
void fake_memory_end(void);

/* Does all that was put into any stream. */
unsigned fake_finish(void);

#endif
