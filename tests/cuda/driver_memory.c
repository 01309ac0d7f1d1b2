/* driver_memory.c: device memory and pinned memory, of the host's. */
#include "tests/cuda/driver.h"

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(from, bytes) ASAN_POISON_MEMORY_REGION(from, bytes)
#define SHOW(from, bytes) ASAN_UNPOISON_MEMORY_REGION(from, bytes)
#else
#define HIDE(from, bytes) ((void)(from), (void)(bytes))
#define SHOW(from, bytes) ((void)(from), (void)(bytes))
#endif

typedef struct piece {
    struct piece* next;
    char* base; /* owned */
    size_t bytes;
} piece;

static piece *on_device, *pinned;
static size_t used; /* bytes on the device */

static size_t total(void) {
    return (size_t)fake_setting("MEMORY", 0, 8LL << 30);
}

static bool within(const piece* list, const char* from, size_t bytes) {
    for (const piece* p = list; p; p = p->next)
        if (from >= p->base && bytes <= p->bytes && from + bytes <= p->base + p->bytes)
            return true;
    return false;
}

bool fake_on_device(agon__address from, size_t bytes) {
    return within(on_device, (const char*)(uintptr_t)from, bytes);
}

bool fake_is_pinned(const void* from, size_t bytes) {
    return within(pinned, from, bytes);
}

void fake_memory_begin(void) {
    for (const piece* p = on_device; p; p = p->next)
        SHOW(p->base, p->bytes);
}

void fake_memory_end(void) {
    for (const piece* p = on_device; p; p = p->next)
        HIDE(p->base, p->bytes);
}

/* Aligned as on a GPU, and as long as was asked for, not a byte more. */
static char* add(piece** list, size_t bytes) {
    void* base = NULL;
    piece* p = malloc(sizeof *p);
    if (!p || posix_memalign(&base, 256, bytes) != 0) {
        free(p);
        return NULL;
    }
    memset(base, 0xff, bytes);
    *p = (piece){.next = *list, .base = base, .bytes = bytes};
    *list = p;
    return base;
}

/* The piece that begins there, given back: its bytes, or 0 when there is none. */
static size_t drop(piece** list, const char* base) {
    for (piece** at = list; *at; at = &(*at)->next) {
        piece* p = *at;
        const size_t bytes = p->bytes;
        if (p->base != base)
            continue;
        *at = p->next;
        SHOW(p->base, bytes);
        free(p->base);
        free(p);
        return bytes;
    }
    return 0;
}

unsigned cuMemAlloc_v2(agon__address* address, size_t bytes) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    if (bytes == 0)
        return fake_leave(FAKE_INVALID_VALUE);
    char* base = bytes <= total() && used <= total() - bytes ? add(&on_device, bytes) : NULL;
    if (!base)
        return fake_leave(AGON__CUDA_NO_MEMORY);
    used += bytes;
    HIDE(base, bytes);
    *address = (agon__address)(uintptr_t)base;
    return fake_leave(0);
}

unsigned cuMemFree_v2(agon__address address) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    const unsigned result = fake_finish();
    if (result)
        return fake_leave(result);
    const size_t bytes = drop(&on_device, (const char*)(uintptr_t)address);
    used -= bytes;
    return fake_leave(bytes ? 0 : FAKE_INVALID_VALUE);
}

unsigned cuMemGetInfo_v2(size_t* free, size_t* all) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    *all = total();
    *free = total() - used;
    return fake_leave(0);
}

unsigned cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    if (bytes == 0 || flags != AGON__CUDA_PORTABLE)
        return fake_leave(FAKE_INVALID_VALUE);
    *memory = add(&pinned, bytes);
    return fake_leave(*memory ? 0 : AGON__CUDA_NO_MEMORY);
}

unsigned cuMemFreeHost(void* memory) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    const unsigned result = fake_finish();
    return fake_leave(result ? result : drop(&pinned, memory) ? 0 : FAKE_INVALID_VALUE);
}
