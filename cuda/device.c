/* device.c: asks the CUDA driver, if there is one, by the documented C interface of libcuda. */
#include "cuda/device.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76 }; /* CUdevice_attribute */

/* The driver functions that are needed; CUresult and CUdevice are ints. */
typedef struct driver {
    int (*init)(unsigned flags);
    int (*count)(int* count);
    int (*device)(int* device, int ordinal);
    int (*name)(char* name, int size, int device);
    int (*memory)(size_t* bytes, int device);
    int (*attribute)(int* value, int attribute, int device);
    int (*error_name)(int result, const char** name);
} driver;

/* Appends to a text that is cut to fit. */
static void add(char* out, size_t size, size_t* used, const char* format, ...)
    __attribute__((format(printf, 4, 5)));
static void add(char* out, size_t size, size_t* used, const char* format, ...) {
    va_list args;
    int length;
    if (*used >= size)
        return;
    va_start(args, format);
    length = vsnprintf(out + *used, size - *used, format, args);
    va_end(args);
    *used += length > 0 ? (size_t)length : 0;
}

/* Fills one function pointer; POSIX promises that dlsym's object pointer holds its address. */
static int find(void* library, const char* symbol, void* slot) {
    void* address = dlsym(library, symbol);
    memcpy(slot, &address, sizeof address);
    return address != NULL;
}

static int find_all(void* library, driver* d) {
    return find(library, "cuInit", &d->init) && find(library, "cuDeviceGetCount", &d->count) &&
           find(library, "cuDeviceGet", &d->device) && find(library, "cuDeviceGetName", &d->name) &&
           find(library, "cuDeviceTotalMem_v2", &d->memory) &&
           find(library, "cuDeviceGetAttribute", &d->attribute) &&
           find(library, "cuGetErrorName", &d->error_name);
}

static const char* error_name(const driver* d, int result) {
    const char* name = NULL;
    return d->error_name(result, &name) == 0 && name ? name : "unknown error";
}

/* One device of the list; a device that does not answer is listed as that. */
static void add_device(const driver* d, int ordinal, char* out, size_t size, size_t* used) {
    char name[96] = "";
    int device, major = 0, minor = 0;
    size_t bytes = 0;
    const char* separator = ordinal ? ", " : "";
    if (d->device(&device, ordinal) != 0 || d->name(name, (int)sizeof name, device) != 0 ||
        d->memory(&bytes, device) != 0) {
        add(out, size, used, "%sdevice %d does not answer", separator, ordinal);
        return;
    }
    d->attribute(&major, COMPUTE_MAJOR, device);
    d->attribute(&minor, COMPUTE_MINOR, device);
    add(out, size, used, "%s%s (%.1f GiB, compute %d.%d)", separator, name,
        (double)bytes / (1024.0 * 1024.0 * 1024.0), major, minor);
}

static int describe_driver(const driver* d, char* out, size_t size) {
    int count = 0, result = d->init(0);
    size_t used = 0;
    if (result == 0)
        result = d->count(&count);
    if (result != 0) {
        add(out, size, &used, "no CUDA device: the driver says %s", error_name(d, result));
        return 0;
    }
    if (count < 1)
        add(out, size, &used, "no CUDA device: the driver is there and finds none");
    for (int i = 0; i < count; i++)
        add_device(d, i, out, size, &used);
    return count > 0 ? count : 0;
}

int agon_cuda_describe(char* out, size_t size) {
    driver d;
    int count;
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(out, size, "no CUDA driver: %s", dlerror());
        return 0;
    }
    if (!find_all(library, &d)) {
        snprintf(out, size, "no CUDA device: libcuda.so.1 lacks a function that CUDA 6 has");
        dlclose(library);
        return 0;
    }
    count = describe_driver(&d, out, size);
    /* A driver at work keeps threads of its own: it must not be unmapped under them. */
    if (count == 0)
        dlclose(library);
    return count;
}
