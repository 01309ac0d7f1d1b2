/* device.c: asks the CUDA driver, if there is one, and the images in this program. */
#include "cuda/device.h"
#include "cuda/driver.h"
#include "cuda/gpu.h"
#include "cuda/images.h"

#include <stdarg.h>
#include <stdio.h>

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

/* One device of the list; a device that does not answer is listed as that. */
static void add_device(const agon__driver* d, int ordinal, char* out, size_t size, size_t* used) {
    char name[96] = "";
    int device, major = 0, minor = 0;
    size_t bytes = 0;
    const char* separator = ordinal ? ", " : "";
    if (d->device(&device, ordinal) != 0 || d->device_name(name, (int)sizeof name, device) != 0 ||
        d->device_memory(&bytes, device) != 0) {
        add(out, size, used, "%sdevice %d does not answer", separator, ordinal);
        return;
    }
    d->device_attribute(&major, AGON__CUDA_MAJOR, device);
    d->device_attribute(&minor, AGON__CUDA_MINOR, device);
    add(out, size, used, "%s%s (%.1f GiB, compute %d.%d)", separator, name,
        (double)bytes / (1024.0 * 1024.0 * 1024.0), major, minor);
}

int agon_cuda_describe(char* out, size_t size) {
    const agon__driver* driver;
    agon_error error;
    int count = 0;
    size_t used = 0;
    if (agon__driver_open(&driver, &error)) {
        add(out, size, &used, "%s", error.text);
        return agon__driver_is_there() ? 0 : -1;
    }
    driver->device_count(&count);
    for (int i = 0; i < count; i++)
        add_device(driver, i, out, size, &used);
    add(out, size, &used, "; driver of CUDA %d.%d", driver->have / 1000, driver->have % 1000 / 10);
    return count;
}

void agon_cuda_describe_kernels(char* out, size_t size) {
    size_t used = 0;
    if (agon__images_nvcc[0])
        add(out, size, &used, "%d images by CUDA %s for %s", agon__images_count, agon__images_nvcc,
            agon__images_architectures);
    else
        add(out, size, &used, "built without nvcc: none for GPUs");
}

int agon_cuda_check(agon_error* error) {
    agon__gpu* gpu;
    return agon__gpu_open(&gpu, error);
}
