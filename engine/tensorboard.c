/* tensorboard.c: see tensorboard.h. */
#include "engine/tensorboard.h"

#include "engine/files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agon_events {
    FILE* file;
    char* bytes; /* of file */
    size_t size;
    int count; /* scalars */
};

/* ---- checksums ---------------------------------------------------------------------------- */

uint32_t agon_crc32c(const void* data, size_t size) {
    const uint8_t* at = data;
    uint32_t crc = 0xffffffffu;
    for (; size > 0; size--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

uint32_t agon_crc32c_masked(const void* data, size_t size) {
    const uint32_t crc = agon_crc32c(data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* ---- protocol buffers: a key (field * 8 + wire type), then the value ------------------------ */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct message {
    uint8_t* at; /* room for what is put in is the caller's care */
    size_t size;
} message;

static void put_little(message* m, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        m->at[m->size++] = (uint8_t)(value >> 8 * i);
}

static void put_varint(message* m, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        m->at[m->size++] = (uint8_t)(value | 0x80);
    m->at[m->size++] = (uint8_t)value;
}

static void put_key(message* m, int field, int type) {
    put_varint(m, (uint64_t)(field * 8 + type));
}

static void put_double(message* m, int field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(m, field, FIXED64);
    put_little(m, bits, 8);
}

static void put_float(message* m, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(m, field, FIXED32);
    put_little(m, bits, 4);
}

static void put_bytes(message* m, int field, const void* data, size_t size) {
    put_key(m, field, BYTES);
    put_varint(m, size);
    memcpy(m->at + m->size, data, size);
    m->size += size;
}

/* ---- events ------------------------------------------------------------------------------- */

static void put_record(agon_events* e, const message* record) {
    uint8_t frame[12];
    message m = {frame, 0};
    put_little(&m, record->size, 8);
    put_little(&m, agon_crc32c_masked(frame, 8), 4);
    fwrite(frame, 1, sizeof frame, e->file);
    fwrite(record->at, 1, record->size, e->file);
    m.size = 0;
    put_little(&m, agon_crc32c_masked(record->at, record->size), 4);
    fwrite(frame, 1, 4, e->file);
}

static void put_version(agon_events* e) {
    static const char version[] = "brain.Event:2";
    uint8_t bytes[64];
    message event = {bytes, 0};
    put_double(&event, 1, 0);
    put_bytes(&event, 3, version, sizeof version - 1);
    put_record(e, &event);
}

agon_events* agon_events_open(void) {
    agon_events* e = calloc(1, sizeof *e);
    if (e)
        e->file = open_memstream(&e->bytes, &e->size);
    if (e && e->file) {
        put_version(e);
        return e;
    }
    free(e);
    return NULL;
}

void agon_events_scalar(agon_events* e, const char* tag, int64_t step, double wall_time,
                        float value) {
    uint8_t bytes[3][1024 + 64]; /* a value, its summary, the event: each holds the one before */
    message each = {bytes[0], 0}, summary = {bytes[1], 0}, event = {bytes[2], 0};
    put_bytes(&each, 1, tag, strnlen(tag, 1000));
    put_float(&each, 2, value);
    put_bytes(&summary, 1, each.at, each.size);
    put_double(&event, 1, wall_time);
    put_key(&event, 2, VARINT);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, 5, summary.at, summary.size);
    put_record(e, &event);
    e->count++;
}

int agon_events_count(const agon_events* e) {
    return e->count;
}

int agon_events_write(const agon_events* e, const char* dir, char* path, agon_error* error) {
    char name[AGON_PATH_SIZE];
    if (fflush(e->file) != 0 || ferror(e->file))
        return agon_fail(error, AGON_EMEMORY, "no memory for %d events", e->count);
    int rc = agon_dir_make(dir, error);
    if (rc)
        return rc;
    if (snprintf(name, sizeof name, "%s/events.out.tfevents.agon", dir) >= (int)sizeof name)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long: at most %d bytes", dir,
                         AGON_PATH_SIZE - 1);
    rc = agon_file_write(name, e->bytes, e->size, error);
    if (!rc && path)
        memcpy(path, name, sizeof name);
    return rc;
}

void agon_events_close(agon_events* e) {
    if (!e)
        return;
    fclose(e->file);
    free(e->bytes);
    free(e);
}
