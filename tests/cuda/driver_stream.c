/* driver_stream.c: streams keep their work until somebody waits for it; graphs keep it for good. */
#include "tests/cuda/driver.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum kind { COPY_IN, COPY_OUT, COPY, FILL, KERNEL } kind;

typedef struct work {
    struct work* next;
    size_t size; /* bytes of all this */
    kind kind;
    agon__address to, from; /* of device or host */
    size_t bytes;
    int byte;
    const emulate_kernel* kernel;
    int blocks, warps;
    size_t shared;
    char args[];
} work;

typedef struct list {
    work *first, *last;
} list;

struct CUgraph_st {
    list list;
};
struct CUgraphExec_st {
    list list;
};
struct CUstream_st {
    struct CUstream_st* next;
    list list;
    agon__recording recording; /* NULL: work is to be done */
    bool spoilt;               /* the recording is */
};

static agon__queue streams; /* all of them */

/* ---- lists of work ---- */

static void append(list* to, work* w) {
    w->next = NULL;
    *(to->last ? &to->last->next : &to->first) = w;
    to->last = w;
}

static void copy_list(list* to, const list* from) {
    for (const work* w = from->first; w; w = w->next) {
        work* copy = malloc(w->size);
        memcpy(copy, w, w->size);
        append(to, copy);
    }
}

static void clear(list* l) {
    for (work *w = l->first, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    *l = (list){NULL, NULL};
}

/* ---- doing it ---- */

static void write_log(const work* w) {
    const char* path = getenv("FAKE_CUDA_LOG");
    FILE* file = path ? fopen(path, "a") : NULL;
    if (!file)
        return;
    fprintf(file, "%s %s %d %d %zu\n", w->kernel->image, w->kernel->name, w->blocks, w->warps,
            w->shared);
    fclose(file);
}

static unsigned do_kernel(const work* w) {
    static long long count;
    if (++count == fake_setting("LOST_AT", 0, 0))
        return FAKE_LAUNCH_FAILED;
    emulate_run(w->kernel, w->blocks, w->warps, w->shared, w->args,
                (int)fake_setting("BACKWARDS", 0, 0));
    write_log(w);
    return 0;
}

static unsigned do_work(const work* w) {
    if (w->kind == KERNEL)
        return do_kernel(w);
    if ((w->kind != COPY_OUT && !fake_on_device(w->to, w->bytes)) ||
        ((w->kind == COPY || w->kind == COPY_OUT) && !fake_on_device(w->from, w->bytes)))
        return FAKE_ILLEGAL_ADDRESS;
    if (w->kind == FILL)
        memset((void*)(uintptr_t)w->to, w->byte, w->bytes);
    else
        memcpy((void*)(uintptr_t)w->to, (const void*)(uintptr_t)w->from, w->bytes);
    return 0;
}

static unsigned finish(agon__queue stream) {
    unsigned result = 0;
    fake_memory_begin();
    for (const work* w = stream->list.first; w && result == 0; w = w->next)
        result = do_work(w);
    fake_memory_end();
    clear(&stream->list);
    if (result)
        fake_lose(result);
    return result;
}

unsigned fake_finish(void) {
    unsigned result = 0;
    for (agon__queue s = streams; s && result == 0; s = s->next)
        result = finish(s);
    return result;
}

/* ---- streams ---- */

static unsigned enter_stream(agon__queue stream) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    for (agon__queue s = streams; s; s = s->next)
        if (s == stream)
            return 0;
    return fake_leave(FAKE_INVALID_HANDLE);
}

unsigned cuStreamCreate(agon__queue* stream, unsigned flags) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    if (flags != AGON__CUDA_NON_BLOCKING)
        return fake_leave(FAKE_INVALID_VALUE);
    *stream = calloc(1, sizeof **stream);
    (*stream)->next = streams;
    streams = *stream;
    return fake_leave(0);
}

unsigned cuStreamDestroy_v2(agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    const unsigned result = finish(stream);
    for (agon__queue* at = &streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    free(stream);
    return fake_leave(result);
}

/* Not while it is being recorded. */
static unsigned refuse(agon__queue stream) {
    stream->spoilt = true;
    return fake_leave(FAKE_CAPTURE_UNSUPPORTED);
}

unsigned cuStreamSynchronize(agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    return stream->recording ? refuse(stream) : fake_leave(finish(stream));
}

/* ---- putting work in; the lock is held, and given back ---- */

static unsigned put_list(agon__queue stream, const list* l) {
    copy_list(stream->recording ? &stream->recording->list : &stream->list, l);
    if (!stream->recording && fake_setting("EAGER", 0, 0))
        return fake_leave(finish(stream));
    return fake_leave(0);
}

static unsigned put(agon__queue stream, work w) {
    w.size = sizeof w;
    return put_list(stream, &(list){&w, &w});
}

unsigned cuMemcpyHtoDAsync_v2(agon__address to, const void* from, size_t bytes,
                              agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    if (fake_on_device((agon__address)(uintptr_t)from, 1)) /* host and device exchanged */
        return fake_leave(FAKE_INVALID_VALUE);
    if (stream->recording && !fake_is_pinned(from, bytes))
        return refuse(stream);
    return put(
        stream,
        (work){.kind = COPY_IN, .to = to, .from = (agon__address)(uintptr_t)from, .bytes = bytes});
}

unsigned cuMemcpyDtoHAsync_v2(void* to, agon__address from, size_t bytes, agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    if (fake_on_device((agon__address)(uintptr_t)to, 1))
        return fake_leave(FAKE_INVALID_VALUE);
    if (stream->recording && !fake_is_pinned(to, bytes))
        return refuse(stream);
    return put(
        stream,
        (work){.kind = COPY_OUT, .to = (agon__address)(uintptr_t)to, .from = from, .bytes = bytes});
}

unsigned cuMemcpyDtoDAsync_v2(agon__address to, agon__address from, size_t bytes,
                              agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    return failed ? failed
                  : put(stream, (work){.kind = COPY, .to = to, .from = from, .bytes = bytes});
}

unsigned cuMemsetD8Async(agon__address to, unsigned char byte, size_t bytes, agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    return failed ? failed
                  : put(stream, (work){.kind = FILL, .to = to, .byte = byte, .bytes = bytes});
}

unsigned cuLaunchKernel(agon__kernel_handle function, unsigned grid_x, unsigned grid_y,
                        unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                        unsigned shared, agon__queue stream, void** args, void** extra) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    if (!function || !args || !args[0] || extra || grid_x < 1 || grid_x > INT32_MAX ||
        grid_y != 1 || grid_z != 1 || block_x < AGON__WARP || block_x % AGON__WARP ||
        block_x > AGON__WARP * AGON__MAX_WARPS || block_y != 1 || block_z != 1 ||
        shared > function->shared)
        return fake_leave(FAKE_INVALID_VALUE);
    const size_t size = sizeof(work) + function->kernel->args;
    work* w = malloc(size);
    *w = (work){.size = size,
                .kind = KERNEL,
                .kernel = function->kernel,
                .blocks = (int)grid_x,
                .warps = (int)block_x / AGON__WARP,
                .shared = shared};
    memcpy(w->args, args[0], function->kernel->args);
    const unsigned result = put_list(stream, &(list){w, w});
    free(w);
    return result;
}

/* ---- graphs ---- */

unsigned cuStreamBeginCapture_v2(agon__queue stream, unsigned mode) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    if (mode != AGON__CUDA_RELAXED || stream->recording)
        return fake_leave(FAKE_INVALID_VALUE);
    stream->recording = calloc(1, sizeof *stream->recording);
    stream->spoilt = false;
    return fake_leave(0);
}

unsigned cuStreamEndCapture(agon__queue stream, agon__recording* graph) {
    const unsigned failed = enter_stream(stream);
    if (failed)
        return failed;
    if (!stream->recording)
        return fake_leave(FAKE_INVALID_VALUE);
    *graph = stream->recording;
    stream->recording = NULL;
    if (stream->spoilt) {
        clear(&(*graph)->list);
        free(*graph);
        *graph = NULL;
    }
    return fake_leave(stream->spoilt ? FAKE_CAPTURE_INVALIDATED : 0);
}

unsigned cuGraphInstantiateWithFlags(agon__replay* replay, agon__recording graph,
                                     unsigned long long flags) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    if (flags != 0)
        return fake_leave(FAKE_INVALID_VALUE);
    *replay = calloc(1, sizeof **replay);
    copy_list(&(*replay)->list, &graph->list);
    return fake_leave(0);
}

unsigned cuGraphLaunch(agon__replay replay, agon__queue stream) {
    const unsigned failed = enter_stream(stream);
    return failed ? failed : put_list(stream, &replay->list);
}

unsigned cuGraphDestroy(agon__recording graph) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    clear(&graph->list);
    free(graph);
    return fake_leave(0);
}

unsigned cuGraphExecDestroy(agon__replay replay) {
    const unsigned failed = fake_enter(true);
    if (failed)
        return failed;
    clear(&replay->list);
    free(replay);
    return fake_leave(0);
}
