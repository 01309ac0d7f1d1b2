/* codec.h: records as msgpack, driven by tables. codec.c knows the format; codec_task.c,
 * codec_result.c and the messages between processes hold tables.
 *
 * A record is a map from short names to values, in exactly the order of its table: so equal records
 * are equal bytes, and a field that is unknown, missing or repeated is seen at once. Numbers are
 * msgpack integers and floats of the field's own width (float32 stays float32); arrays of numbers
 * and blobs are bins. Extension types do not occur. */
#ifndef AGON_CODEC_H
#define AGON_CODEC_H

#include "engine/task.h"

#define AGON_CODEC_MAX_MESSAGE  (64u << 20) /* bytes of one task or result */
#define AGON_CODEC_MAX_DEPTH    8           /* of nested maps and arrays */
#define AGON_CODEC_MAX_ELEMENTS 65536       /* values in one message; keys count too */

typedef enum agon_codec_type {
    AGON_CODEC_FORMAT, /* the constant `low`, stored nowhere: first in every message */
    AGON_CODEC_INT,    /* int in low..high */
    AGON_CODEC_COUNT,  /* uint64_t up to 2^63 - 1, so that SQLite can hold it */
    AGON_CODEC_BITS,   /* uint64_t, any */
    AGON_CODEC_F32,    /* float, finite, in low..high */
    AGON_CODEC_F64,    /* double, finite */
    AGON_CODEC_NAN64,  /* double, finite or NaN; any NaN travels as the same bytes */
    AGON_CODEC_TEXT,   /* char[size], printable, not empty */
    AGON_CODEC_HASH,   /* char[65]: 64 hex digits */
    AGON_CODEC_NEW,    /* char[65]: 64 hex digits or empty */
    AGON_CODEC_BYTES,  /* uint8_t*, owned; its size_t is at `count` */
    AGON_CODEC_FLOATS, /* float*, owned; the ints at `count` and `stride` are its shape; 0..1 each
                        */
    AGON_CODEC_RECORD, /* a record of `form` inside this one */
    AGON_CODEC_LIST /* array of at most `size` records `stride` bytes apart; its int is at `count`
                     */
} agon_codec_type;

typedef struct agon_codec_form agon_codec_form;

typedef struct agon_codec_field {
    const char* name; /* on the wire */
    agon_codec_type type;
    size_t offset;    /* of the value in the record, bytes */
    size_t size;      /* AGON_CODEC_TEXT: bytes; AGON_CODEC_LIST: most records */
    double low, high; /* inclusive */
    size_t count;     /* offset; see the types */
    size_t stride;    /* see the types */
    const agon_codec_form* form;
} agon_codec_field;

struct agon_codec_form {
    const char* what; /* for messages: "train task" */
    const agon_codec_field* fields;
    int count;
    bool bare;   /* one field that travels without a map around it */
    size_t size; /* bytes of the record that it uses, where others of the message need many more;
                    0: all */
    /* (optional) What concerns several fields; `record` has passed every field's own check. */
    int (*check)(const void* record, agon_error* error);
};

/* A table's lines: the record's type, the member, and the name on the wire where it is another. */
#define AGON_CODEC_PLAIN(TYPE, R, MEMBER, NAME, LOW, HIGH)                                         \
    { .name = NAME, .type = TYPE, .offset = offsetof(R, MEMBER), .low = LOW, .high = HIGH }
#define AGON_CODEC_SIZED(TYPE, R, MEMBER, NAME)                                                    \
    { .name = NAME, .type = TYPE, .offset = offsetof(R, MEMBER), .size = sizeof(((R*)0)->MEMBER) }
#define AGON_CODEC_NESTED(R, MEMBER, NAME, FORM)                                                   \
    { .name = NAME, .type = AGON_CODEC_RECORD, .offset = offsetof(R, MEMBER), .form = &FORM }
#define AGON_CODEC_MANY(R, MEMBER, NAME, COUNT, FORM)                                              \
    {                                                                                              \
        .name = NAME, .type = AGON_CODEC_LIST, .offset = offsetof(R, MEMBER),                      \
        .size = sizeof(((R*)0)->MEMBER) / sizeof(((R*)0)->MEMBER[0]), .count = offsetof(R, COUNT), \
        .stride = sizeof(((R*)0)->MEMBER[0]), .form = &FORM                                        \
    }
#define AGON_CODEC_FORM(WHAT, FIELDS, CHECK)                                                       \
    { .what = WHAT, .fields = FIELDS, .count = sizeof FIELDS / sizeof FIELDS[0], .check = CHECK }

/* Encode checks as decode does, so that nothing leaves that would not be let in. `record` and `out`
 * begin with the message's kind, 1..count, which chooses among forms[count]: the first two fields
 * of every form are its format and its kind. *data: malloc'd, the caller's. */
int agon_codec_encode(const agon_codec_form* const* forms, int count, int kind, const void* record,
                      uint8_t** data, size_t* size, agon_error* error);
/* The same bytes, piece by piece, to `write`; its failure, not 0, is one of memory. A blob is one
 * piece, where it lies. AGON_CODEC_MAX_MESSAGE is the caller's to keep. */
typedef int agon_codec_write(void* user, const char* data, size_t size);
int agon_codec_encode_to(const agon_codec_form* const* forms, int count, int kind,
                         const void* record, agon_codec_write* write, void* user,
                         agon_error* error);
/* *out is zeroed first, as far as its form uses it; on failure it may own memory that the caller
 * has to free. */
int agon_codec_decode(const agon_codec_form* const* forms, int count, const uint8_t* data,
                      size_t size, void* out, size_t out_size, agon_error* error);

#endif
