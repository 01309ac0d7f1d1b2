/* driver.c: opens the CUDA driver, if there is one, by the documented C interface of libcuda. */
#include "cuda/driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char* const library_name = "libcuda.so.1";

static struct {
    pthread_mutex_t lock;
    void* library;       /* stays open: a driver at work keeps threads of its own */
    const char* missing; /* the first function that the library lacks, or NULL */
    agon__driver driver;
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char* agon__driver_error(const agon__driver* driver, unsigned result) {
    const char* name = NULL;
    return driver->error_name(result, &name) == 0 && name ? name : "unknown error";
}

/* Fills one function pointer; POSIX promises that dlsym's object pointer holds its address. */
static void find(const char* symbol, void* slot) {
    void* address = dlsym(opened.library, symbol);
    memcpy(slot, &address, sizeof address);
    if (!address && !opened.missing)
        opened.missing = symbol;
}

static void find_all(void) {
    agon__driver* d = &opened.driver;
    opened.missing = NULL;
#define FIND(name, symbol, params) find(#symbol, &d->name);
    AGON__DRIVER(FIND)
#undef FIND
    d->have = 0;
    if (d->version && d->version(&d->have) != 0)
        d->have = 0;
}

static int open_library(agon_error* error) {
    if (opened.library)
        return AGON_OK;
    opened.library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (!opened.library) {
        agon_fail(error, AGON_EUNSUPPORTED, "no CUDA driver: %s", dlerror());
        return agon_hint(error, "install NVIDIA's driver; `nvidia-smi` shows whether it runs");
    }
    find_all();
    return AGON_OK;
}

static int check_version(agon_error* error) {
    const int have = opened.driver.have;
    if (have >= AGON__CUDA_NEEDED && !opened.missing)
        return AGON_OK;
    agon_fail(error, AGON_EUNSUPPORTED,
              "the CUDA driver is too old: it is of CUDA %d.%d, needed is %d.%d%s%s", have / 1000,
              have % 1000 / 10, AGON__CUDA_NEEDED / 1000, AGON__CUDA_NEEDED % 1000 / 10,
              opened.missing ? "; it lacks " : "", opened.missing ? opened.missing : "");
    return agon_hint(error, "install NVIDIA's driver 525 or later");
}

static int no_device(unsigned result, agon_error* error) {
    const char* visible = getenv("CUDA_VISIBLE_DEVICES");
    if (result == 0 || result == AGON__CUDA_NO_DEVICE)
        agon_fail(error, AGON_EUNSUPPORTED, "the CUDA driver is there and finds no device");
    else
        agon_fail(error, AGON_EUNSUPPORTED, "the CUDA driver does not start: %s (%u)",
                  agon__driver_error(&opened.driver, result), result);
    if (visible)
        return agon_hint(error, "CUDA_VISIBLE_DEVICES is '%.64s'; unset it, or name a device",
                         visible);
    return agon_hint(error, "`nvidia-smi` shows what the driver knows");
}

static int start(agon_error* error) {
    int count = 0;
    if (open_library(error) || check_version(error))
        return error ? error->code : AGON_EUNSUPPORTED;
    unsigned result = opened.driver.init(0);
    if (result == 0)
        result = opened.driver.device_count(&count);
    return result != 0 || count < 1 ? no_device(result, error) : AGON_OK;
}

int agon__driver_open(const agon__driver** out, agon_error* error) {
    pthread_mutex_lock(&opened.lock);
    const int code = start(error);
    pthread_mutex_unlock(&opened.lock);
    if (code == AGON_OK)
        *out = &opened.driver;
    return code;
}

bool agon__driver_is_there(void) {
    pthread_mutex_lock(&opened.lock);
    const bool there = opened.library != NULL;
    pthread_mutex_unlock(&opened.lock);
    return there;
}
