/* stream_send.c: the way out. Frames gather until the loop is about to wait, or until what was
 * written before is with the kernel, and leave in one write. */
#include "net/stream_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 256 << 10,         /* bytes that do not wait for more */
    KEPT = 64 << 10,             /* bytes of a buffer that stay with an idle stream */
    SEALED_AT_A_TIME = 64 << 10, /* plain bytes given to TLS before its output is taken */
    SPARES = 8,
    SPARE_MOST = 4 << 20
};

/* ---- bytes that grow ---------------------------------------------------------------------- */

/* Large buffers that no stream of this thread needs now. Without them each chunk would begin by
 * asking the kernel for pages, which costs more than sending it. Oldest first. */
static _Thread_local agon__bytes spare[SPARES];
static _Thread_local int spares;

static void give_back(agon__bytes* bytes) {
    if (bytes->room > KEPT && bytes->room <= SPARE_MOST && spares < SPARES)
        spare[spares++] = (agon__bytes){.data = bytes->data, .room = bytes->room};
    else
        free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* The spare used last that is large enough takes over what `bytes` holds. */
static bool take_spare(agon__bytes* bytes, size_t room) {
    int i = spares - 1;
    while (i >= 0 && spare[i].room < room)
        i--;
    if (i < 0 || room <= KEPT)
        return false;
    agon__bytes found = spare[i];
    memmove(spare + i, spare + i + 1, (size_t)(spares - i - 1) * sizeof *spare);
    spares--;
    if (bytes->used)
        memcpy(found.data, bytes->data, bytes->used);
    found.used = bytes->used;
    give_back(bytes);
    *bytes = found;
    return true;
}

static bool make_room(agon__bytes* bytes, size_t more) {
    size_t room = bytes->room ? bytes->room : 4096;
    while (room - bytes->used < more)
        room *= 2;
    if (room == bytes->room || take_spare(bytes, room))
        return true;
    uint8_t* data = realloc(bytes->data, room);
    if (!data)
        return false;
    bytes->data = data;
    bytes->room = room;
    return true;
}

static void append(agon__bytes* bytes, const void* data, size_t size) {
    memcpy(bytes->data + bytes->used, data, size);
    bytes->used += size;
}

static void shrink(agon__bytes* bytes) {
    if (!bytes->used && bytes->room > KEPT)
        give_back(bytes);
}

void agon__stream_free_queue(agon__stream* s, bool last) {
    free(s->pending.data);
    free(s->flying.data);
    while (last && spares > 0)
        free(spare[--spares].data);
}

/* ---- flying ------------------------------------------------------------------------------- */

/* What TLS has for the network. */
static int take_sealed(agon__stream* s, agon_error* error) {
    size_t got;
    do {
        if (!make_room(&s->flying, SEALED_AT_A_TIME))
            return agon_fail(error, AGON_EMEMORY, "no memory for what is sent to %s", s->address);
        got = agon__tls_take(s->tls, s->flying.data + s->flying.used,
                             s->flying.room - s->flying.used);
        s->flying.used += got;
    } while (got);
    return AGON_OK;
}

static int seal(agon__stream* s, agon_error* error) {
    /* Some 22 bytes more for each 16 KiB. */
    int rc = make_room(&s->flying, s->pending.used + s->pending.used / 512 + SEALED_AT_A_TIME)
                 ? take_sealed(s, error)
                 : agon_fail(error, AGON_EMEMORY, "no memory for what is sent to %s", s->address);
    for (size_t at = 0; !rc && at < s->pending.used;) {
        const size_t left = s->pending.used - at;
        const size_t part = left < SEALED_AT_A_TIME ? left : SEALED_AT_A_TIME;
        rc = agon__tls_write(s->tls, s->pending.data + at, part, error);
        if (!rc)
            rc = take_sealed(s, error);
        at += part;
    }
    s->pending.used = 0;
    return rc;
}

/* Fills `flying` with what may leave now. */
static int load(agon__stream* s, agon_error* error) {
    const bool greeted = s->stage == AGON__STAGE_OPEN || s->stage == AGON__STAGE_ENDING;
    s->flying.used = 0;
    if (s->tls && !agon__tls_ready(s->tls))
        return take_sealed(s, error);
    if (!greeted)
        return AGON_OK;
    if (s->tls)
        return seal(s, error);
    const agon__bytes empty = s->flying;
    s->flying = s->pending;
    s->pending = empty;
    return AGON_OK;
}

static void on_written(uv_write_t* request, int status) {
    agon__stream* s = request->data;
    s->in_flight = false;
    s->flying.used = 0;
    if (s->stage != AGON__STAGE_GONE) {
        if (status < 0)
            agon__stream_fail(s, AGON_EIO, "writing to %s: %s", s->address, uv_strerror(status));
        else
            agon__stream_flush(s);
    }
    const bool low = agon__stream_queued(s) < AGON__STREAM_QUEUE / 4;
    if (s->stage == AGON__STAGE_OPEN && s->paused && low)
        agon__stream_resume(s);
    if (s->stage == AGON__STAGE_OPEN && low && s->def.drained)
        s->def.drained(s->def.user, s);
    agon__stream_release(s);
}

void agon__stream_flush(agon__stream* s) {
    agon_error error;
    uv_prepare_stop(&s->prepare);
    if (s->in_flight || s->stage == AGON__STAGE_GONE || s->stage == AGON__STAGE_REACHING)
        return;
    if (load(s, &error)) {
        agon__stream_fail_with(s, &error);
        return;
    }
    if (!s->flying.used) {
        shrink(&s->flying);
        shrink(&s->pending);
        if (s->stage == AGON__STAGE_ENDING)
            agon__stream_finish(s);
        return;
    }
    const uv_buf_t buffer = uv_buf_init((char*)s->flying.data, (unsigned)s->flying.used);
    s->write.data = s;
    const int rc = uv_write(&s->write, (uv_stream_t*)&s->tcp, &buffer, 1, on_written);
    if (rc < 0) {
        agon__stream_fail(s, AGON_EIO, "writing to %s: %s", s->address, uv_strerror(rc));
        return;
    }
    s->in_flight = true;
    s->holds++;
}

static void on_prepare(uv_prepare_t* prepare) {
    agon__stream* s = prepare->data;
    if (s->stage == AGON__STAGE_SHAKING && !s->tls)
        agon__stream_connected(s);
    agon__stream_flush(s);
}

void agon__stream_schedule(agon__stream* s) {
    if (s->stage != AGON__STAGE_GONE && !s->in_flight)
        uv_prepare_start(&s->prepare, on_prepare);
}

/* ---- sending ------------------------------------------------------------------------------ */

size_t agon__stream_queued(const agon__stream* s) {
    return s->pending.used + uv_stream_get_write_queue_size((const uv_stream_t*)&s->tcp) +
           (s->tls ? agon__tls_held(s->tls) : 0);
}

bool agon__stream_begin(agon__stream* s) {
    static const char head[AGON__FRAME_HEAD];
    if (s->stage == AGON__STAGE_ENDING || s->stage == AGON__STAGE_GONE)
        return false;
    const size_t queued = agon__stream_queued(s);
    if (queued > (size_t)AGON__STREAM_MOST) {
        agon__stream_fail(s, AGON_ELIMIT, "%s does not take what is sent: %zu MiB wait for it",
                          s->address, queued >> 20);
        return false;
    }
    s->frame_at = s->pending.used;
    return agon__stream_add(s, head, sizeof head) == 0;
}

int agon__stream_add(void* stream, const char* data, size_t size) {
    agon__stream* s = stream;
    if (!make_room(&s->pending, size)) {
        agon__stream_fail(s, AGON_EMEMORY, "no memory for %zu bytes to %s", size, s->address);
        return AGON_EMEMORY;
    }
    append(&s->pending, data, size);
    return 0;
}

void agon__stream_end(agon__stream* s, bool keep) {
    const size_t size = s->pending.used - s->frame_at - AGON__FRAME_HEAD;
    if (!keep) {
        s->pending.used = s->frame_at;
        return;
    }
    assert(size > 0 && size <= UINT32_MAX);
    const uint8_t head[AGON__FRAME_HEAD] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                            (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(s->pending.data + s->frame_at, head, sizeof head);
    if (s->pending.used >= AT_ONCE && s->stage == AGON__STAGE_OPEN)
        agon__stream_flush(s);
    else
        agon__stream_schedule(s);
}

void agon__stream_send(agon__stream* s, const uint8_t* data, size_t size) {
    if (agon__stream_begin(s))
        agon__stream_end(s, agon__stream_add(s, (const char*)data, size) == 0);
}
