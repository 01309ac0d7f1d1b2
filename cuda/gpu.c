/* gpu.c: an open GPU: its first failure, and its memory. */
#include "cuda/gpu_inside.h"

#include <stdarg.h>
#include <stdio.h>

static const double mib = 1024.0 * 1024.0;

const char* agon__gpu_model(const agon__gpu* gpu) {
    return gpu->model;
}

int agon__gpu_processors(const agon__gpu* gpu) {
    return gpu->processors;
}

size_t agon__gpu_shared(const agon__gpu* gpu) {
    return gpu->shared;
}

size_t agon__gpu_memory(const agon__gpu* gpu, size_t* free) {
    size_t total;
    if (free && (!agon__gpu_enter((agon__gpu*)gpu) || gpu->driver->memory(free, &total) != 0))
        *free = 0;
    return gpu->memory;
}

/* ---- failures ---- */

int agon__gpu_check(const agon__gpu* gpu, agon_error* error) {
    if (!atomic_load_explicit(&gpu->failed, memory_order_acquire))
        return AGON_OK;
    if (error)
        *error = gpu->failure;
    return gpu->failure.code;
}

void agon__gpu_keep(agon__gpu* gpu, const agon_error* error) {
    pthread_mutex_lock(&gpu->lock);
    if (gpu->failure.code == AGON_OK) {
        gpu->failure = *error;
        atomic_store_explicit(&gpu->failed, true, memory_order_release);
    }
    pthread_mutex_unlock(&gpu->lock);
}

void agon__gpu_failed(agon__gpu* gpu, unsigned result, const char* format, ...) {
    agon_error error;
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    agon_fail(&error, result == AGON__CUDA_NO_MEMORY ? AGON_EMEMORY : AGON_EDEVICE,
              "GPU %s: %s: %s (%u)", gpu->model, what, agon__driver_error(gpu->driver, result),
              result);
    if (result == AGON__CUDA_NO_MEMORY)
        agon_hint(&error, "train fewer agents per shard, or with fewer lanes");
    else
        agon_hint(&error,
                  "this process cannot use the device any more; what a run has committed is "
                  "kept, and it can be resumed. `dmesg` may show what the driver found");
    agon__gpu_keep(gpu, &error);
}

bool agon__gpu_enter(agon__gpu* gpu) {
    static _Thread_local const agon__gpu* entered;
    if (atomic_load_explicit(&gpu->failed, memory_order_acquire))
        return false;
    if (entered == gpu)
        return true;
    const unsigned result = gpu->driver->context_set(gpu->context);
    if (result != 0) {
        agon__gpu_failed(gpu, result, "its context, for another thread");
        return false;
    }
    entered = gpu;
    return true;
}

/* ---- memory ---- */

static void no_memory(const agon__gpu* gpu, const char* of, size_t bytes, agon_error* error) {
    size_t free, total = agon__gpu_memory(gpu, &free);
    agon_fail(error, AGON_EMEMORY,
              "GPU %s: %.1f MiB (%zu bytes) of %s wanted; %.1f of its %.1f MiB are free",
              gpu->model, (double)bytes / mib, bytes, of, (double)free / mib, (double)total / mib);
    agon_hint(error, "train fewer agents per shard, or with fewer lanes; `nvidia-smi` shows who "
                     "else holds memory of the device");
}

/* What an allocation came to: with no memory only `error` says so, everything else is kept. */
static bool allocated(agon__gpu* gpu, unsigned result, const char* of, size_t bytes,
                      agon_error* error) {
    if (result == AGON__CUDA_NO_MEMORY) {
        no_memory(gpu, of, bytes, error);
    } else if (result != 0) {
        agon__gpu_failed(gpu, result, "%zu bytes of %s", bytes, of);
        agon__gpu_check(gpu, error);
    }
    return result == 0;
}

void* agon__gpu_alloc(agon__gpu* gpu, size_t bytes, agon_error* error) {
    agon__address address = 0;
    if (!agon__gpu_enter(gpu)) {
        agon__gpu_check(gpu, error);
        return NULL;
    }
    const unsigned result = gpu->driver->alloc(&address, bytes ? bytes : 1);
    return allocated(gpu, result, "device memory", bytes, error) ? (void*)(uintptr_t)address : NULL;
}

void agon__gpu_free(agon__gpu* gpu, void* memory) {
    if (!memory || !agon__gpu_enter(gpu))
        return; /* a lost device's memory is lost, too */
    const unsigned result = gpu->driver->free((agon__address)(uintptr_t)memory);
    if (result != 0)
        agon__gpu_failed(gpu, result, "giving back device memory, or work before that");
}

void* agon__gpu_pinned(agon__gpu* gpu, size_t bytes, agon_error* error) {
    void* memory = NULL;
    if (!agon__gpu_enter(gpu)) {
        agon__gpu_check(gpu, error);
        return NULL;
    }
    const unsigned result = gpu->driver->pin(&memory, bytes ? bytes : 1, AGON__CUDA_PORTABLE);
    return allocated(gpu, result, "pinned host memory", bytes, error) ? memory : NULL;
}

void agon__gpu_unpin(agon__gpu* gpu, void* memory) {
    if (!memory || !agon__gpu_enter(gpu))
        return;
    const unsigned result = gpu->driver->unpin(memory);
    if (result != 0)
        agon__gpu_failed(gpu, result, "giving back pinned host memory, or work before that");
}
