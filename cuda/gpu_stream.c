/* gpu_stream.c: work in order: copies, launches, and what was recorded of them. */
#include "cuda/gpu_inside.h"

#include <assert.h>
#include <stdlib.h>

struct agon__stream {
    agon__gpu* gpu;
    agon__queue queue;
    const agon__function* last; /* launched, for what is noticed late; NULL: none yet */
};

struct agon__graph {
    agon__gpu* gpu;
    agon__replay replay;
};

int agon__stream_open(agon__gpu* gpu, agon__stream** out, agon_error* error) {
    if (!agon__gpu_enter(gpu))
        return agon__gpu_check(gpu, error);
    agon__stream* stream = calloc(1, sizeof *stream);
    if (!stream)
        return agon_fail(error, AGON_EMEMORY, "no memory for a stream of a GPU");
    stream->gpu = gpu;
    const unsigned result = gpu->driver->stream_create(&stream->queue, AGON__CUDA_NON_BLOCKING);
    if (result != 0) {
        free(stream);
        agon__gpu_failed(gpu, result, "opening a stream");
        return agon__gpu_check(gpu, error);
    }
    *out = stream;
    return AGON_OK;
}

void agon__stream_close(agon__stream* stream) {
    if (!stream)
        return;
    agon__stream_wait(stream, NULL);
    if (agon__gpu_enter(stream->gpu))
        stream->gpu->driver->stream_destroy(stream->queue);
    free(stream);
}

/* What the driver said to `what`. Kernels before it may be what failed. */
static void check(agon__stream* s, unsigned result, const char* what, size_t bytes) {
    if (result == 0)
        return;
    if (s->last)
        agon__gpu_failed(s->gpu, result,
                         "%s (%zu bytes), or work before it, of which kernel %s of "
                         "'%s' was the last",
                         what, bytes, s->last->name, s->last->image->name);
    else
        agon__gpu_failed(s->gpu, result, "%s (%zu bytes)", what, bytes);
}

static agon__address address(const void* device) {
    return (agon__address)(uintptr_t)device;
}

void agon__stream_in(agon__stream* s, void* device, const void* host, size_t bytes) {
    if (bytes && agon__gpu_enter(s->gpu))
        check(s, s->gpu->driver->copy_in(address(device), host, bytes, s->queue),
              "copying to the device", bytes);
}

void agon__stream_out(agon__stream* s, void* host, const void* device, size_t bytes) {
    if (bytes && agon__gpu_enter(s->gpu))
        check(s, s->gpu->driver->copy_out(host, address(device), bytes, s->queue),
              "copying from the device", bytes);
}

void agon__stream_copy(agon__stream* s, void* to, const void* from, size_t bytes) {
    if (bytes && agon__gpu_enter(s->gpu))
        check(s, s->gpu->driver->copy(address(to), address(from), bytes, s->queue),
              "copying on the device", bytes);
}

void agon__stream_fill(agon__stream* s, void* device, int byte, size_t bytes) {
    if (bytes && agon__gpu_enter(s->gpu))
        check(s, s->gpu->driver->fill(address(device), (unsigned char)byte, bytes, s->queue),
              "filling device memory", bytes);
}

void agon__stream_launch(agon__stream* s, const agon__function* function, int blocks, int warps,
                         size_t shared, const void* args) {
    void* parameters[] = {(void*)args};
    if (blocks == 0 || !agon__gpu_enter(s->gpu))
        return;
    assert(function);
    s->last = function;
    const unsigned result =
        s->gpu->driver->launch(function->handle, (unsigned)blocks, 1, 1, 32u * (unsigned)warps, 1,
                               1, (unsigned)shared, s->queue, parameters, NULL);
    if (result != 0)
        agon__gpu_failed(
            s->gpu, result,
            "kernel %s of '%s' (%d blocks of %d warps, %zu bytes of shared memory), or "
            "work before it",
            function->name, function->image->name, blocks, warps, shared);
}

int agon__stream_wait(agon__stream* s, agon_error* error) {
    if (agon__gpu_enter(s->gpu)) {
        const unsigned result = s->gpu->driver->stream_wait(s->queue);
        if (result != 0)
            agon__gpu_failed(s->gpu, result,
                             "its work failed; the last kernel put in was %s of '%s'",
                             s->last ? s->last->name : "none", s->last ? s->last->image->name : "");
    }
    return agon__gpu_check(s->gpu, error);
}

/* ---- recorded work ---- */

void agon__stream_record(agon__stream* s) {
    if (!agon__gpu_enter(s->gpu))
        return;
    /* Relaxed: memory may be had and kernels be loaded meanwhile, here and in other threads. */
    const unsigned result = s->gpu->driver->capture_begin(s->queue, AGON__CUDA_RELAXED);
    if (result != 0)
        agon__gpu_failed(s->gpu, result, "beginning to record work");
}

agon__graph* agon__stream_recorded(agon__stream* s) {
    const agon__driver* d = s->gpu->driver;
    agon__recording recording = NULL;
    if (!agon__gpu_enter(s->gpu))
        return NULL;
    agon__graph* graph = calloc(1, sizeof *graph);
    unsigned result = d->capture_end(s->queue, &recording);
    if (result == 0 && graph)
        result = d->graph_make(&graph->replay, recording, 0);
    if (recording)
        d->graph_destroy(recording);
    if (result != 0 || !graph) {
        agon__gpu_failed(s->gpu, result ? result : AGON__CUDA_NO_MEMORY,
                         "recording work up to kernel %s", s->last ? s->last->name : "none");
        free(graph);
        return NULL;
    }
    graph->gpu = s->gpu;
    return graph;
}

void agon__stream_repeat(agon__stream* s, agon__graph* graph) {
    if (!agon__gpu_enter(s->gpu))
        return;
    const unsigned result = s->gpu->driver->graph_launch(graph->replay, s->queue);
    if (result != 0)
        agon__gpu_failed(s->gpu, result, "repeating recorded work, or work before it");
}

void agon__graph_close(agon__graph* graph) {
    if (!graph)
        return;
    if (agon__gpu_enter(graph->gpu))
        graph->gpu->driver->replay_destroy(graph->replay);
    free(graph);
}
