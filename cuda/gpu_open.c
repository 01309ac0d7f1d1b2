/* gpu_open.c: the first device that fits, opened once for the process. */
#include "cuda/gpu_inside.h"

#include <stdio.h>
#include <stdlib.h>

static int attribute(const agon__driver* d, int device, unsigned which) {
    int value = 0;
    return d->device_attribute(&value, which, device) == 0 ? value : 0;
}

/* What can be known without a context. */
static int look_at(agon__gpu* gpu, int ordinal, agon_error* error) {
    const agon__driver* d = gpu->driver;
    if (d->device(&gpu->device, ordinal) != 0 ||
        d->device_name(gpu->model, (int)sizeof gpu->model, gpu->device) != 0 ||
        d->device_memory(&gpu->memory, gpu->device) != 0)
        return agon_fail(error, AGON_EUNSUPPORTED, "CUDA device %d does not answer", ordinal);
    gpu->processors = attribute(d, gpu->device, AGON__CUDA_PROCESSORS);
    gpu->shared = (size_t)attribute(d, gpu->device, AGON__CUDA_SHARED);
    gpu->major = attribute(d, gpu->device, AGON__CUDA_MAJOR);
    gpu->minor = attribute(d, gpu->device, AGON__CUDA_MINOR);
    if (gpu->major * 10 + gpu->minor >= AGON__COMPUTE_NEEDED)
        return AGON_OK;
    agon_fail(error, AGON_EUNSUPPORTED,
              "GPU %s is too old: it has compute capability %d.%d, needed is %d.%d", gpu->model,
              gpu->major, gpu->minor, AGON__COMPUTE_NEEDED / 10, AGON__COMPUTE_NEEDED % 10);
    return agon_hint(error, "train on the CPU, or on a GPU of 2018 or later");
}

/* Its context, with the kernels that every use needs. */
static int enter_device(agon__gpu* gpu, agon_error* error) {
    const agon__driver* d = gpu->driver;
    unsigned result = d->context_retain(&gpu->context, gpu->device);
    if (result == 0 && (result = d->context_set(gpu->context)) != 0)
        d->context_release(gpu->device);
    if (result != 0) {
        agon_fail(error, AGON_EUNSUPPORTED, "GPU %s does not open: %s (%u)", gpu->model,
                  agon__driver_error(d, result), result);
        return agon_hint(error, "`nvidia-smi` shows its state, its compute mode, and who uses it");
    }
    const int code = agon__gpu_load(gpu, agon__image_find("kernels"), error);
    if (code)
        d->context_release(gpu->device);
    return code;
}

static int open_device(const agon__driver* driver, int ordinal, agon__gpu** out,
                       agon_error* error) {
    agon__gpu* gpu = calloc(1, sizeof *gpu);
    agon__loaded* loaded = calloc((size_t)agon__images_count, sizeof *loaded);
    int code;
    if (!gpu || !loaded) {
        free(gpu);
        free(loaded);
        return agon_fail(error, AGON_EMEMORY, "no memory for a GPU's table of kernels");
    }
    gpu->driver = driver;
    gpu->loaded = loaded;
    pthread_mutex_init(&gpu->lock, NULL);
    code = look_at(gpu, ordinal, error);
    if (code == AGON_OK)
        code = enter_device(gpu, error);
    if (code) {
        pthread_mutex_destroy(&gpu->lock);
        free(gpu);
        free(loaded);
        return code;
    }
    *out = gpu;
    return AGON_OK;
}

/* If none fits, the error is the first device's. */
static int open_any(agon__gpu** out, agon_error* error) {
    const agon__driver* driver;
    agon_error first;
    int count = 0;
    const int code = agon__driver_open(&driver, error);
    if (code)
        return code;
    agon_fail(&first, AGON_EUNSUPPORTED, "the CUDA device is gone");
    driver->device_count(&count);
    for (int i = 0; i < count; i++)
        if (open_device(driver, i, out, i == 0 ? &first : NULL) == AGON_OK)
            return AGON_OK;
    if (error)
        *error = first;
    return first.code;
}

int agon__gpu_open(agon__gpu** out, agon_error* error) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static agon__gpu* opened;
    int code = AGON_OK;
    pthread_mutex_lock(&lock);
    if (!opened)
        code = open_any(&opened, error);
    if (code == AGON_OK)
        *out = opened;
    pthread_mutex_unlock(&lock);
    return code;
}
