/* codec.h: records as msgpack, driven by tables. Internal to this folder: codec.c knows the format,
 * codec_task.c and codec_result.c hold the tables.
 *
 * A record is a map from short names to values, in exactly the order of its table: so equal records
 * are equal bytes, and a field that is unknown, missing or repeated is seen at once. Numbers are
 * msgpack integers and floats of the field's own width (float32 stays float32); arrays of numbers
 * and blobs are bins. Extension types do not occur. */
#ifndef AGON_CODEC_H
#define AGON_CODEC_H

#include "engine/task.h"

#define AGON__MAX_MESSAGE  (64u << 20) /* bytes of one task or result */
#define AGON__MAX_DEPTH    8           /* of nested maps and arrays */
#define AGON__MAX_ELEMENTS 65536       /* values in one message; keys count too */

typedef enum agon__field_type {
    AGON__FORMAT, /* the constant `low`, stored nowhere: first in every message */
    AGON__INT,    /* int in low..high */
    AGON__COUNT,  /* uint64_t up to 2^63 - 1, so that SQLite can hold it */
    AGON__BITS,   /* uint64_t, any */
    AGON__F32,    /* float, finite, in low..high */
    AGON__F64,    /* double, finite */
    AGON__NAN64,  /* double, finite or NaN; any NaN travels as the same bytes */
    AGON__TEXT,   /* char[size], printable, not empty */
    AGON__HASH,   /* char[65]: 64 hex digits */
    AGON__NEW,    /* char[65]: 64 hex digits or empty */
    AGON__BYTES,  /* uint8_t*, owned; its size_t is at `count` */
    AGON__FLOATS, /* float*, owned; the ints at `count` and `stride` are its shape; 0..1 each */
    AGON__RECORD, /* a record of `form` inside this one */
    AGON__LIST    /* array of at most `size` records `stride` bytes apart; its int is at `count` */
} agon__field_type;

typedef struct agon__form agon__form;

typedef struct agon__field {
    const char* name; /* on the wire */
    agon__field_type type;
    size_t offset;    /* of the value in the record, bytes */
    size_t size;      /* AGON__TEXT: bytes; AGON__LIST: most records */
    double low, high; /* inclusive */
    size_t count;     /* offset; see the types */
    size_t stride;    /* see the types */
    const agon__form* form;
} agon__field;

struct agon__form {
    const char* what; /* for messages: "train task" */
    const agon__field* fields;
    int count;
    bool bare; /* one field that travels without a map around it */
    /* (optional) What concerns several fields; `record` has passed every field's own check. */
    int (*check)(const void* record, agon_error* error);
};

/* A table's lines: the record's type, the member, and the name on the wire where it is another. */
#define AGON__PLAIN(TYPE, R, MEMBER, NAME, LOW, HIGH)                                              \
    { .name = NAME, .type = TYPE, .offset = offsetof(R, MEMBER), .low = LOW, .high = HIGH }
#define AGON__SIZED(TYPE, R, MEMBER, NAME)                                                         \
    { .name = NAME, .type = TYPE, .offset = offsetof(R, MEMBER), .size = sizeof(((R*)0)->MEMBER) }
#define AGON__NESTED(R, MEMBER, NAME, FORM)                                                        \
    { .name = NAME, .type = AGON__RECORD, .offset = offsetof(R, MEMBER), .form = &FORM }
#define AGON__MANY(R, MEMBER, NAME, COUNT, FORM)                                                   \
    {                                                                                              \
        .name = NAME, .type = AGON__LIST, .offset = offsetof(R, MEMBER),                           \
        .size = sizeof(((R*)0)->MEMBER) / sizeof(((R*)0)->MEMBER[0]), .count = offsetof(R, COUNT), \
        .stride = sizeof(((R*)0)->MEMBER[0]), .form = &FORM                                        \
    }
#define AGON__FORM(WHAT, FIELDS, CHECK)                                                            \
    { .what = WHAT, .fields = FIELDS, .count = sizeof FIELDS / sizeof FIELDS[0], .check = CHECK }

/* Encode checks as decode does, so that nothing leaves that would not be let in. `record` and `out`
 * begin with the message's kind, 1..3, which chooses among forms[3]. *data: malloc'd, the
 * caller's. */
int agon__message_encode(const agon__form* const* forms, int kind, const void* record,
                         uint8_t** data, size_t* size, agon_error* error);
/* *out is zeroed first; on failure it may own memory that the caller has to free. */
int agon__message_decode(const agon__form* const* forms, const uint8_t* data, size_t size,
                         void* out, size_t out_size, agon_error* error);

#endif
