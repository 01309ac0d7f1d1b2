/* device_class.c: who computes the same bytes; apart, for those who open no device. */
#include "engine/device.h"

#include <stdio.h>
#include <string.h>

void agon_device_class(const agon_backend* backend, char* out) {
    if (strcmp(backend->device, "cpu") == 0)
        snprintf(out, AGON_DEVICE_CLASS, "cpu");
    else
        snprintf(out, AGON_DEVICE_CLASS, "%.15s %.47s", backend->name, backend->device);
}

void agon_device_words(const agon_backend* backend, char* out, size_t size) {
    const char* precision = strchr(backend->name, '/');
    if (strcmp(backend->device, "cpu") == 0)
        snprintf(out, size, "--device cpu");
    else
        snprintf(out, size, "--device cuda --precision %s", precision ? precision + 1 : "auto");
}
