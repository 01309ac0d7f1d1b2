/* driver.c: the device, its context, and its kernels. */
#include "tests/cuda/driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct CUctx_st {
    int retained;
};
struct CUmod_st {
    char image[64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool started;
static unsigned lost;
static struct CUctx_st contexts[16]; /* by device */
static _Thread_local agon__context current;

enum { DEVICES = sizeof contexts / sizeof *contexts };

/* ---- settings ---- */

/* The text after FAKE_CUDA_`name`, at that place; NULL: not set. */
static const char* setting(const char* name, int place) {
    char full[64];
    snprintf(full, sizeof full, "FAKE_CUDA_%s", name);
    const char* text = getenv(full);
    for (const char* comma; text && place > 0 && (comma = strchr(text, ',')); place--)
        text = comma + 1;
    return text;
}

long long fake_setting(const char* name, int place, long long otherwise) {
    const char* text = setting(name, place);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

static int devices(void) {
    const long long n = fake_setting("DEVICES", 0, 1);
    return n < DEVICES ? (int)n : DEVICES;
}

/* ---- entering ---- */

unsigned fake_enter(bool context) {
    pthread_mutex_lock(&lock);
    const unsigned result = !started              ? (unsigned)FAKE_NOT_INITIALIZED
                            : lost                ? lost
                            : context && !current ? (unsigned)FAKE_INVALID_CONTEXT
                                                  : 0;
    if (result)
        pthread_mutex_unlock(&lock);
    return result;
}

unsigned fake_leave(unsigned result) {
    pthread_mutex_unlock(&lock);
    return result;
}

void fake_lose(unsigned result) {
    lost = lost ? lost : result;
}

/* ---- the driver ---- */

unsigned cuInit(unsigned flags) {
    const unsigned result =
        devices() > 0 ? (unsigned)fake_setting("INIT", 0, 0) : (unsigned)AGON__CUDA_NO_DEVICE;
    if (flags != 0)
        return FAKE_INVALID_VALUE;
    pthread_mutex_lock(&lock);
    started = started || result == 0;
    pthread_mutex_unlock(&lock);
    return result;
}

unsigned cuDriverGetVersion(int* version) {
    *version = (int)fake_setting("VERSION", 0, 13000);
    return 0;
}

unsigned cuGetErrorName(unsigned error, const char** name) {
    static const struct {
        unsigned error;
        const char* name;
    } names[] = {{0, "CUDA_SUCCESS"},
                 {FAKE_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
                 {AGON__CUDA_NO_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
                 {FAKE_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED"},
                 {46, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
                 {AGON__CUDA_NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
                 {FAKE_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
                 {FAKE_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
                 {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                 {FAKE_INVALID_PTX, "CUDA_ERROR_INVALID_PTX"},
                 {FAKE_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
                 {AGON__CUDA_NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
                 {FAKE_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                 {FAKE_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
                 {FAKE_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
                 {FAKE_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
                 {999, "CUDA_ERROR_UNKNOWN"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error) {
            *name = names[i].name;
            return 0;
        }
    return FAKE_INVALID_VALUE;
}

/* ---- devices ---- */

unsigned cuDeviceGetCount(int* count) {
    const unsigned failed = fake_enter(false);
    if (failed)
        return failed;
    *count = devices();
    return fake_leave(0);
}

static unsigned enter_device(int device) {
    const unsigned failed = fake_enter(false);
    if (!failed && (device < 0 || device >= devices()))
        return fake_leave(FAKE_INVALID_DEVICE);
    return failed;
}

unsigned cuDeviceGet(int* device, int ordinal) {
    const unsigned failed = enter_device(ordinal);
    if (failed)
        return failed;
    *device = ordinal;
    return fake_leave(0);
}

unsigned cuDeviceGetName(char* name, int size, int device) {
    const unsigned failed = enter_device(device);
    if (failed)
        return failed;
    const char* text = setting("NAME", device);
    text = text ? text : "Emulated GPU";
    snprintf(name, (size_t)size, "%.*s", (int)strcspn(text, ","), text);
    return fake_leave(0);
}

unsigned cuDeviceTotalMem_v2(size_t* bytes, int device) {
    const unsigned failed = enter_device(device);
    if (failed)
        return failed;
    *bytes = (size_t)fake_setting("MEMORY", device, 8LL << 30);
    return fake_leave(0);
}

unsigned cuDeviceGetAttribute(int* value, unsigned attribute, int device) {
    const unsigned failed = enter_device(device);
    if (failed)
        return failed;
    const int compute = (int)fake_setting("COMPUTE", device, 90);
    switch (attribute) {
    case AGON__CUDA_PROCESSORS:
        *value = (int)fake_setting("PROCESSORS", device, 3);
        return fake_leave(0);
    case AGON__CUDA_SHARED:
        *value = (int)fake_setting("SHARED", device, 232448);
        return fake_leave(0);
    case AGON__CUDA_MAJOR:
        *value = compute / 10;
        return fake_leave(0);
    case AGON__CUDA_MINOR:
        *value = compute % 10;
        return fake_leave(0);
    default:
        return fake_leave(FAKE_INVALID_VALUE);
    }
}

unsigned cuDevicePrimaryCtxRetain(agon__context* context, int device) {
    const unsigned failed = enter_device(device);
    if (failed)
        return failed;
    const unsigned result = (unsigned)fake_setting("OPEN", device, 0);
    if (result == 0) {
        contexts[device].retained++;
        *context = &contexts[device];
    }
    return fake_leave(result);
}

unsigned cuDevicePrimaryCtxRelease_v2(int device) {
    const unsigned failed = enter_device(device);
    if (failed)
        return failed;
    if (contexts[device].retained == 0)
        return fake_leave(FAKE_INVALID_CONTEXT);
    if (--contexts[device].retained == 0 && current == &contexts[device])
        current = NULL;
    return fake_leave(0);
}

unsigned cuCtxSetCurrent(agon__context context) {
    const unsigned failed = fake_enter(false);
    if (failed)
        return failed;
    if (context && context->retained == 0)
        return fake_leave(FAKE_INVALID_CONTEXT);
    current = context;
    return fake_leave(0);
}

/* ---- kernels ---- */

/* agon puts an image's name behind its bytes (cuda/images.h), and a fat binary begins with its
 * size. NULL: this is none. */
static const char* name_of(const char* image) {
    struct {
        uint32_t magic;
        uint16_t version, header;
        uint64_t bytes;
    } fat;
    if ((uint8_t)image[0] != 0x50) /* as text a letter: the name is all there is */
        return fake_setting("STRICT", 0, 0) ? NULL : image;
    memcpy(&fat, image, sizeof fat);
    return fat.magic == 0xBA55ED50u ? image + fat.header + fat.bytes : NULL;
}

unsigned cuModuleLoadData(agon__module* module, const void* image) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    const char* name = name_of(image);
    const unsigned result = (unsigned)fake_setting("IMAGE", 0, name ? 0 : FAKE_INVALID_PTX);
    if (result)
        return fake_leave(result);
    *module = malloc(sizeof **module);
    snprintf((*module)->image, sizeof(*module)->image, "%s", name);
    return fake_leave(0);
}

unsigned cuModuleGetFunction(agon__kernel_handle* function, agon__module module, const char* name) {
    const char prefix[] = "agon_";
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    const emulate_kernel* kernel = NULL;
    if (strncmp(name, prefix, strlen(prefix)) == 0)
        kernel = emulate_find(module->image, name + strlen(prefix));
    if (!kernel)
        return fake_leave(AGON__CUDA_NOT_FOUND);
    *function = malloc(sizeof **function);
    (*function)->kernel = kernel;
    (*function)->shared = 48 * 1024;
    return fake_leave(0);
}

unsigned cuFuncGetAttribute(int* value, unsigned attribute, agon__kernel_handle function) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    *value = attribute == AGON__CUDA_DYNAMIC_SHARED ? (int)function->shared : 0;
    return fake_leave(attribute == AGON__CUDA_DYNAMIC_SHARED ||
                              attribute == AGON__CUDA_STATIC_SHARED
                          ? 0
                          : FAKE_INVALID_VALUE);
}

unsigned cuFuncSetAttribute(agon__kernel_handle function, unsigned attribute, int value) {
    const unsigned failed = fake_enter(true);
    const int device = (int)(current - contexts);
    if (failed)
        return failed;
    if (attribute != AGON__CUDA_DYNAMIC_SHARED || value < 0 ||
        value > fake_setting("SHARED", device, 232448))
        return fake_leave(FAKE_INVALID_VALUE);
    function->shared = (size_t)value;
    return fake_leave(0);
}
