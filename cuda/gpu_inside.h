/* gpu_inside.h: what the parts of cuda/gpu.h share. Internal to gpu*.c. */
#ifndef AGON_CUDA_GPU_INSIDE_H
#define AGON_CUDA_GPU_INSIDE_H

#include "cuda/driver.h"
#include "cuda/gpu.h"
#include "cuda/images.h"

#include <pthread.h>
#include <stdatomic.h>

struct agon__function {
    agon__kernel_handle handle;
    const agon__image* image;
    char name[48]; /* "agon_pack" */
    agon__function* next;
};

typedef struct agon__loaded { /* an image */
    agon__module module;      /* NULL: not yet */
    agon__function* functions;
} agon__loaded;

struct agon__gpu {
    const agon__driver* driver;
    int device, processors, major, minor;
    size_t shared, memory; /* bytes */
    char model[96];
    agon__context context;
    pthread_mutex_t lock;
    agon__loaded* loaded; /* (agon__images_count) guarded by lock */
    atomic_bool failed;   /* set once, after `failure` */
    agon_error failure;   /* guarded by lock until then */
};

/* Is the GPU usable? Then this thread may call the driver about it. */
bool agon__gpu_enter(agon__gpu* gpu);

/* Keeps the first failure: what was done, as a format, and the driver's result. */
void agon__gpu_failed(agon__gpu* gpu, unsigned result, const char* format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, of an error that is described already. */
void agon__gpu_keep(agon__gpu* gpu, const agon_error* error);

/* The module of an image, loaded at first use; under the lock. */
int agon__gpu_load(agon__gpu* gpu, const agon__image* image, agon_error* error);

#endif
