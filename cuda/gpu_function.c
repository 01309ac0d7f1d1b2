/* gpu_function.c: images are loaded at first use, and kernels found in them. */
#include "cuda/gpu_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int does_not_load(const agon__gpu* gpu, const agon__image* image, unsigned result,
                         agon_error* error) {
    const int have = gpu->driver->have;
    if (image->start == image->end) {
        agon_fail(error, AGON_EUNSUPPORTED,
                  "this agon was built without nvcc: it has no kernels for GPU %s", gpu->model);
        return agon_hint(error,
                         "install CUDA's nvcc 12 or later and build again; see cuda/README.md");
    }
    agon_fail(error, AGON_EUNSUPPORTED,
              "kernels '%s' do not load on GPU %s, compute %d.%d: %s (%u); they were made by CUDA "
              "%s for %s, the driver is of CUDA %d.%d",
              image->name, gpu->model, gpu->major, gpu->minor,
              agon__driver_error(gpu->driver, result), result, agon__images_nvcc,
              agon__images_architectures, have / 1000, have % 1000 / 10);
    return agon_hint(error, "install a newer driver, or build with -DAGON_CUDA_ARCHITECTURES=%d%d",
                     gpu->major, gpu->minor);
}

int agon__gpu_load(agon__gpu* gpu, const agon__image* image, agon_error* error) {
    agon__loaded* loaded = &gpu->loaded[image - agon__images];
    if (loaded->module)
        return AGON_OK;
    const unsigned result = gpu->driver->module_load(&loaded->module, image->start);
    if (result == 0)
        return AGON_OK;
    loaded->module = NULL;
    return does_not_load(gpu, image, result, error);
}

/* Lets a kernel have all the shared memory of a block. */
static unsigned allow_shared(const agon__gpu* gpu, agon__kernel_handle handle) {
    int own = 0;
    const unsigned result = gpu->driver->function_get(&own, AGON__CUDA_STATIC_SHARED, handle);
    return result ? result
                  : gpu->driver->function_set(handle, AGON__CUDA_DYNAMIC_SHARED,
                                              (int)gpu->shared - own);
}

/* A kernel that has not been asked for before; NULL: there is none, or *result says what failed. */
static agon__function* new_function(const agon__gpu* gpu, const agon__image* image,
                                    const char* name, unsigned* result) {
    agon__function* function = calloc(1, sizeof *function);
    if (!function) {
        *result = AGON__CUDA_NO_MEMORY;
        return NULL;
    }
    function->image = image;
    snprintf(function->name, sizeof function->name, "agon_%s", name);
    *result = gpu->driver->module_function(
        &function->handle, gpu->loaded[image - agon__images].module, function->name);
    if (*result == 0 && (*result = allow_shared(gpu, function->handle)) == 0)
        return function;
    if (*result == AGON__CUDA_NOT_FOUND)
        *result = 0;
    free(function);
    return NULL;
}

static const agon__function* find(agon__gpu* gpu, const agon__image* image, const char* name,
                                  unsigned* result, agon_error* error) {
    agon__loaded* loaded = &gpu->loaded[image - agon__images];
    for (agon__function* f = loaded->functions; f; f = f->next)
        if (strcmp(f->name + strlen("agon_"), name) == 0)
            return f;
    if (agon__gpu_load(gpu, image, error))
        return NULL;
    agon__function* made = new_function(gpu, image, name, result);
    if (made) {
        made->next = loaded->functions;
        loaded->functions = made;
    }
    return made;
}

const agon__function* agon__gpu_function(agon__gpu* gpu, const char* image, const char* name) {
    const agon__image* of = agon__image_find(image);
    agon_error error = {.code = AGON_OK};
    unsigned result = 0;
    if (!of || !agon__gpu_enter(gpu))
        return NULL;
    pthread_mutex_lock(&gpu->lock);
    const agon__function* function = find(gpu, of, name, &result, &error);
    pthread_mutex_unlock(&gpu->lock);
    if (error.code)
        agon__gpu_keep(gpu, &error);
    else if (result)
        agon__gpu_failed(gpu, result, "looking for kernel agon_%s of '%s'", name, image);
    return function;
}
