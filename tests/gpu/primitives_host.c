/* primitives_host.c: a device that is this processor: what can be tried of primitives.c without a
 * GPU. */
#include "tests/gpu/primitives.h"

#include <stdlib.h>
#include <string.h>

const char* device_name(void) {
    return "none (emulated)";
}

void* device_alloc(size_t bytes) {
    void* memory = malloc(bytes + 1);
    if (!memory)
        abort();
    return memset(memory, 0xff, bytes + 1);
}

void device_free(void* memory) {
    free(memory);
}

void device_in(void* device, const void* host, size_t bytes) {
    memcpy(device, host, bytes);
}

void device_out(void* host, const void* device, size_t bytes) {
    memcpy(host, device, bytes);
}

void device_run(const char* kernel, int blocks, int warps, size_t shared, const void* args) {
    primitives_run(kernel, blocks, warps, shared, args, 1);
}
