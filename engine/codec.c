/* codec.c: records to msgpack and back; see codec.h. */
#include "engine/codec.h"

#include "engine/codec_scan.h"
#include "engine/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static const void* value_at(const void* record, size_t offset) {
    return (const char*)record + offset;
}

static int int_at(const void* record, size_t offset) {
    return *(const int*)value_at(record, offset);
}

/* ---- checks: the same before encoding and after decoding ---------------------------------- */

static int check_form(const agon_codec_form* form, const void* record, agon_error* error);

static int refuse(const agon_codec_form* form, const agon_codec_field* field, const char* problem,
                  agon_error* error) {
    return agon_fail(error, AGON_EFORMAT, "%s: field %s: %s", form->what, field->name, problem);
}

static int check_number(const agon_codec_form* form, const agon_codec_field* field, double value,
                        agon_error* error) {
    if (value >= field->low && value <= field->high)
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT, "%s: field %s = %.9g; expected %.9g..%.9g", form->what,
                     field->name, value, field->low, field->high);
}

static int check_text(const agon_codec_form* form, const agon_codec_field* field, const char* text,
                      agon_error* error) {
    char shown[AGON__QUOTE];
    const bool ok = field->type == AGON_CODEC_TEXT ? text[0] && agon__text_is_printable(text)
                                                   : agon__text_is_hash(text);
    if (ok || (field->type == AGON_CODEC_NEW && !text[0]))
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT, "%s: field %s = \"%s\"; expected %s", form->what,
                     field->name, agon__quote(text, shown),
                     field->type == AGON_CODEC_TEXT ? "printable text" : "64 hex digits");
}

static int check_floats(const agon_codec_form* form, const agon_codec_field* field,
                        const void* record, agon_error* error) {
    const float* floats = *(float* const*)value_at(record, field->offset);
    const size_t count =
        (size_t)int_at(record, field->count) * (size_t)int_at(record, field->stride);
    for (size_t i = 0; i < count; i++)
        if (!(floats[i] >= 0 && floats[i] <= 1))
            return agon_fail(error, AGON_EFORMAT, "%s: field %s[%zu] = %g; expected 0..1",
                             form->what, field->name, i, (double)floats[i]);
    return AGON_OK;
}

static int check_list(const agon_codec_form* form, const agon_codec_field* field,
                      const void* record, agon_error* error) {
    const int count = int_at(record, field->count);
    if (count < 0 || (size_t)count > field->size)
        return agon_fail(error, AGON_EFORMAT, "%s: field %s: %d entries; expected at most %zu",
                         form->what, field->name, count, field->size);
    for (int i = 0; i < count; i++) {
        const int code = check_form(
            field->form, value_at(record, field->offset + (size_t)i * field->stride), error);
        if (code != AGON_OK)
            return code;
    }
    return AGON_OK;
}

static int check_field(const agon_codec_form* form, const agon_codec_field* field,
                       const void* record, agon_error* error) {
    const void* at = value_at(record, field->offset);
    switch (field->type) {
    case AGON_CODEC_FORMAT:
    case AGON_CODEC_BITS:
    case AGON_CODEC_BYTES:
        return AGON_OK;
    case AGON_CODEC_INT:
        return check_number(form, field, *(const int*)at, error);
    case AGON_CODEC_COUNT:
        return *(const uint64_t*)at <= INT64_MAX
                   ? AGON_OK
                   : refuse(form, field, "expected at most 2^63 - 1", error);
    case AGON_CODEC_F32:
        return check_number(form, field, *(const float*)at, error);
    case AGON_CODEC_F64:
        return isfinite(*(const double*)at) ? AGON_OK : refuse(form, field, "not finite", error);
    case AGON_CODEC_NAN64:
        return !isinf(*(const double*)at) ? AGON_OK : refuse(form, field, "infinite", error);
    case AGON_CODEC_TEXT:
    case AGON_CODEC_HASH:
    case AGON_CODEC_NEW:
        return check_text(form, field, at, error);
    case AGON_CODEC_FLOATS:
        return check_floats(form, field, record, error);
    case AGON_CODEC_RECORD:
        return check_form(field->form, at, error);
    case AGON_CODEC_LIST:
        return check_list(form, field, record, error);
    }
    assert(!"every type of field is listed");
    return AGON_EFORMAT;
}

static int check_form(const agon_codec_form* form, const void* record, agon_error* error) {
    for (int i = 0; i < form->count; i++) {
        const int code = check_field(form, &form->fields[i], record, error);
        if (code != AGON_OK)
            return code;
    }
    return form->check ? form->check(record, error) : AGON_OK;
}

/* ---- encoding ----------------------------------------------------------------------------- */

static int pack_form(msgpack_packer* out, const agon_codec_form* form, const void* record);

static int pack_text(msgpack_packer* out, const char* text) {
    const size_t length = strlen(text);
    return msgpack_pack_str(out, length) | msgpack_pack_str_body(out, text, length);
}

static int pack_bin(msgpack_packer* out, const void* bytes, size_t size) {
    return msgpack_pack_bin(out, size) | msgpack_pack_bin_body(out, size ? bytes : "", size);
}

static int pack_list(msgpack_packer* out, const agon_codec_field* field, const void* record) {
    const int count = int_at(record, field->count);
    int failed = msgpack_pack_array(out, (size_t)count);
    for (int i = 0; i < count; i++)
        failed |= pack_form(out, field->form,
                            value_at(record, field->offset + (size_t)i * field->stride));
    return failed;
}

static int pack_field(msgpack_packer* out, const agon_codec_field* field, const void* record) {
    const void* at = value_at(record, field->offset);
    switch (field->type) {
    case AGON_CODEC_FORMAT:
        return msgpack_pack_int(out, (int)field->low);
    case AGON_CODEC_INT:
        return msgpack_pack_int(out, *(const int*)at);
    case AGON_CODEC_COUNT:
    case AGON_CODEC_BITS:
        return msgpack_pack_uint64(out, *(const uint64_t*)at);
    case AGON_CODEC_F32:
        return msgpack_pack_float(out, *(const float*)at);
    case AGON_CODEC_F64:
    case AGON_CODEC_NAN64: /* signs and payloads of NaN differ between machines */
        return msgpack_pack_double(out,
                                   isnan(*(const double*)at) ? (double)NAN : *(const double*)at);
    case AGON_CODEC_TEXT:
    case AGON_CODEC_HASH:
    case AGON_CODEC_NEW:
        return pack_text(out, at);
    case AGON_CODEC_BYTES:
        return pack_bin(out, *(uint8_t* const*)at, *(const size_t*)value_at(record, field->count));
    case AGON_CODEC_FLOATS:
        return pack_bin(out, *(float* const*)at,
                        (size_t)int_at(record, field->count) *
                            (size_t)int_at(record, field->stride) * sizeof(float));
    case AGON_CODEC_RECORD:
        return pack_form(out, field->form, at);
    case AGON_CODEC_LIST:
        return pack_list(out, field, record);
    }
    return -1;
}

/* Non-zero: out of memory. */
static int pack_form(msgpack_packer* out, const agon_codec_form* form, const void* record) {
    if (form->bare)
        return pack_field(out, &form->fields[0], record);
    int failed = msgpack_pack_map(out, (size_t)form->count);
    for (int i = 0; i < form->count; i++)
        failed |= pack_text(out, form->fields[i].name) | pack_field(out, &form->fields[i], record);
    return failed;
}

/* Bytes of the blobs and arrays of numbers in a record. */
static size_t large_bytes(const agon_codec_form* form, const void* record) {
    size_t sum = 0;
    for (int i = 0; i < form->count; i++) {
        const agon_codec_field* field = &form->fields[i];
        if (field->type == AGON_CODEC_BYTES)
            sum += *(const size_t*)value_at(record, field->count);
        else if (field->type == AGON_CODEC_FLOATS)
            sum += (size_t)int_at(record, field->count) * (size_t)int_at(record, field->stride) *
                   sizeof(float);
        else if (field->type == AGON_CODEC_RECORD)
            sum += large_bytes(field->form, value_at(record, field->offset));
        else if (field->type == AGON_CODEC_LIST)
            for (int k = 0; k < int_at(record, field->count); k++)
                sum += large_bytes(field->form,
                                   value_at(record, field->offset + (size_t)k * field->stride));
    }
    return sum;
}

/* Room for everything at once; msgpack's own way is to double, over and over. False: out of memory.
 */
static bool make_room(msgpack_sbuffer* buffer, size_t large) {
    msgpack_sbuffer_init(buffer);
    buffer->alloc = large + MSGPACK_SBUFFER_INIT_SIZE;
    buffer->data = malloc(buffer->alloc);
    return buffer->data != NULL;
}

/* A small message may be kept for long, in thousands, so it gives back the room that it did not
 * need; for a large one that would cost more than it saves. */
static uint8_t* release(msgpack_sbuffer* buffer) {
    uint8_t* exact = NULL;
    if (buffer->size < MSGPACK_SBUFFER_INIT_SIZE / 2)
        exact = realloc(buffer->data, buffer->size);
    return exact ? exact : (uint8_t*)buffer->data;
}

static int pack(const agon_codec_form* form, const void* record, agon_codec_write* write,
                void* user, agon_error* error) {
    msgpack_packer out;
    msgpack_packer_init(&out, user, write);
    return pack_form(&out, form, record) == 0
               ? AGON_OK
               : agon_fail(error, AGON_EMEMORY, "%s: out of memory", form->what);
}

int agon_codec_encode_to(const agon_codec_form* const* forms, int count, int kind,
                         const void* record, agon_codec_write* write, void* user,
                         agon_error* error) {
    assert(kind >= 1 && kind <= count);
    const int code = check_form(forms[kind - 1], record, error);
    return code ? code : pack(forms[kind - 1], record, write, user, error);
}

int agon_codec_encode(const agon_codec_form* const* forms, int count, int kind, const void* record,
                      uint8_t** data, size_t* size, agon_error* error) {
    assert(kind >= 1 && kind <= count);
    const agon_codec_form* form = forms[kind - 1];
    int code = check_form(form, record, error);
    if (code != AGON_OK)
        return code;
    msgpack_sbuffer buffer;
    code = make_room(&buffer, large_bytes(form, record))
               ? pack(form, record, msgpack_sbuffer_write, &buffer, error)
               : agon_fail(error, AGON_EMEMORY, "%s: out of memory", form->what);
    if (code == AGON_OK && buffer.size > AGON_CODEC_MAX_MESSAGE)
        code = agon_fail(error, AGON_ELIMIT, "%s: %zu bytes; expected at most %u", form->what,
                         buffer.size, AGON_CODEC_MAX_MESSAGE);
    if (code != AGON_OK) {
        msgpack_sbuffer_destroy(&buffer);
        return code;
    }
    *size = buffer.size;
    *data = release(&buffer);
    return AGON_OK;
}

/* ---- decoding ----------------------------------------------------------------------------- */

static int read_form(const agon_codec_form* form, const msgpack_object* object, void* record,
                     agon_error* error);

static int read_int(const agon_codec_form* form, const agon_codec_field* field,
                    const msgpack_object* object, int* out, agon_error* error) {
    if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 <= INT32_MAX)
        *out = (int)object->via.u64;
    else if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && object->via.i64 >= INT32_MIN)
        *out = (int)object->via.i64;
    else
        return refuse(form, field, "expected an integer of 32 bits", error);
    return AGON_OK;
}

static int read_text(const agon_codec_form* form, const agon_codec_field* field,
                     const msgpack_object* object, char* out, agon_error* error) {
    const size_t room = field->type == AGON_CODEC_TEXT ? field->size : AGON_HASH_SIZE;
    if (object->type != MSGPACK_OBJECT_STR || object->via.str.size >= room ||
        memchr(object->via.str.ptr, '\0', object->via.str.size))
        return agon_fail(error, AGON_EFORMAT, "%s: field %s: expected text of at most %zu bytes",
                         form->what, field->name, room - 1);
    memcpy(out, object->via.str.ptr, object->via.str.size);
    out[object->via.str.size] = '\0';
    return AGON_OK;
}

/* A copy of a bin; an empty one is NULL. */
static int read_bin(const agon_codec_form* form, const agon_codec_field* field,
                    const msgpack_object* object, void** out, agon_error* error) {
    if (object->type != MSGPACK_OBJECT_BIN)
        return refuse(form, field, "expected bytes", error);
    if (object->via.bin.size == 0)
        return AGON_OK;
    void* copy = malloc(object->via.bin.size);
    if (!copy)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", form->what);
    memcpy(copy, object->via.bin.ptr, object->via.bin.size);
    *out = copy;
    return AGON_OK;
}

/* The shape comes earlier in the record; its range check comes later, so it is not trusted here. */
static int read_floats(const agon_codec_form* form, const agon_codec_field* field,
                       const msgpack_object* object, void* record, agon_error* error) {
    const int rows = int_at(record, field->count), cols = int_at(record, field->stride);
    if (rows < 0 || cols < 0 || object->type != MSGPACK_OBJECT_BIN ||
        (uint64_t)rows * (uint64_t)cols * sizeof(float) != object->via.bin.size)
        return agon_fail(error, AGON_EFORMAT, "%s: field %s: expected %d x %d floats", form->what,
                         field->name, rows, cols);
    return read_bin(form, field, object, (void**)((char*)record + field->offset), error);
}

static int read_list(const agon_codec_form* form, const agon_codec_field* field,
                     const msgpack_object* object, void* record, agon_error* error) {
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size > field->size)
        return agon_fail(error, AGON_EFORMAT, "%s: field %s: expected at most %zu entries",
                         form->what, field->name, field->size);
    int* count = (int*)((char*)record + field->count);
    for (uint32_t i = 0; i < object->via.array.size; i++) {
        void* entry = (char*)record + field->offset + i * field->stride;
        *count = (int)i + 1; /* what a failed entry owns belongs to the record, too */
        const int code = read_form(field->form, &object->via.array.ptr[i], entry, error);
        if (code != AGON_OK)
            return code;
    }
    return AGON_OK;
}

static int read_number(const agon_codec_form* form, const agon_codec_field* field,
                       const msgpack_object* object, void* at, agon_error* error) {
    const bool single = field->type == AGON_CODEC_F32;
    if (field->type == AGON_CODEC_COUNT || field->type == AGON_CODEC_BITS) {
        if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
            return refuse(form, field, "expected a whole number", error);
        *(uint64_t*)at = object->via.u64;
        return AGON_OK;
    }
    if (object->type != (single ? MSGPACK_OBJECT_FLOAT32 : MSGPACK_OBJECT_FLOAT64))
        return refuse(form, field, single ? "expected a float32" : "expected a float64", error);
    if (single)
        *(float*)at = (float)object->via.f64;
    else
        *(double*)at = object->via.f64;
    return AGON_OK;
}

static int read_bytes(const agon_codec_form* form, const agon_codec_field* field,
                      const msgpack_object* object, void* record, agon_error* error) {
    const int code = read_bin(form, field, object, (void**)((char*)record + field->offset), error);
    if (code == AGON_OK)
        *(size_t*)((char*)record + field->count) = object->via.bin.size;
    return code;
}

static int read_format(const agon_codec_form* form, const agon_codec_field* field,
                       const msgpack_object* object, agon_error* error) {
    int format = 0;
    const int code = read_int(form, field, object, &format, error);
    if (code != AGON_OK || format == (int)field->low)
        return code;
    agon_fail(error, AGON_EFORMAT, "%s: format %d; expected %d", form->what, format,
              (int)field->low);
    agon_hint(error, "use the same version of agon everywhere");
    return AGON_EFORMAT;
}

static int read_field(const agon_codec_form* form, const agon_codec_field* field,
                      const msgpack_object* object, void* record, agon_error* error) {
    void* at = (char*)record + field->offset;
    switch (field->type) {
    case AGON_CODEC_FORMAT:
        return read_format(form, field, object, error);
    case AGON_CODEC_INT:
        return read_int(form, field, object, at, error);
    case AGON_CODEC_COUNT:
    case AGON_CODEC_BITS:
    case AGON_CODEC_F32:
    case AGON_CODEC_F64:
    case AGON_CODEC_NAN64:
        return read_number(form, field, object, at, error);
    case AGON_CODEC_TEXT:
    case AGON_CODEC_HASH:
    case AGON_CODEC_NEW:
        return read_text(form, field, object, at, error);
    case AGON_CODEC_BYTES:
        return read_bytes(form, field, object, record, error);
    case AGON_CODEC_FLOATS:
        return read_floats(form, field, object, record, error);
    case AGON_CODEC_RECORD:
        return read_form(field->form, object, at, error);
    case AGON_CODEC_LIST:
        return read_list(form, field, object, record, error);
    }
    assert(!"every type of field is listed");
    return AGON_EFORMAT;
}

static bool key_is(const msgpack_object* key, const char* name) {
    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == strlen(name) &&
           memcmp(key->via.str.ptr, name, key->via.str.size) == 0;
}

/* Why the key at a place is not the one of the table. */
static int refuse_key(const agon_codec_form* form, int place, const msgpack_object* key,
                      agon_error* error) {
    char shown[AGON__QUOTE];
    if (key->type != MSGPACK_OBJECT_STR)
        return agon_fail(error, AGON_EFORMAT, "%s: a field whose name is not text", form->what);
    agon__quote_bytes(key->via.str.ptr, key->via.str.size, shown);
    for (int i = 0; i < form->count; i++)
        if (key_is(key, form->fields[i].name))
            return i < place ? agon_fail(error, AGON_EFORMAT, "%s: field %s is repeated",
                                         form->what, shown)
                             : agon_fail(error, AGON_EFORMAT, "%s: field %s is missing before %s",
                                         form->what, form->fields[place].name, shown);
    return agon_fail(error, AGON_EFORMAT, "%s: unknown field %s", form->what, shown);
}

static int read_form(const agon_codec_form* form, const msgpack_object* object, void* record,
                     agon_error* error) {
    if (form->bare)
        return read_field(form, &form->fields[0], object, record, error);
    if (object->type != MSGPACK_OBJECT_MAP)
        return agon_fail(error, AGON_EFORMAT, "%s: expected a map of fields", form->what);
    for (int i = 0; i < (int)object->via.map.size; i++) {
        const msgpack_object_kv* pair = &object->via.map.ptr[i];
        if (i >= form->count || !key_is(&pair->key, form->fields[i].name))
            return refuse_key(form, i, &pair->key, error);
        const int code = read_field(form, &form->fields[i], &pair->val, record, error);
        if (code != AGON_OK)
            return code;
    }
    if ((int)object->via.map.size < form->count)
        return agon_fail(error, AGON_EFORMAT, "%s: field %s is missing", form->what,
                         form->fields[object->via.map.size].name);
    return AGON_OK;
}

/* The form that a message's second field chooses; without one, the first, which refuses it. */
static const agon_codec_form* choose(const agon_codec_form* const* forms, int count,
                                     const msgpack_object* root) {
    if (root->type == MSGPACK_OBJECT_MAP && root->via.map.size >= 2) {
        const msgpack_object_kv* pair = &root->via.map.ptr[1];
        if (key_is(&pair->key, "kind") && pair->val.type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
            pair->val.via.u64 >= 1 && pair->val.via.u64 <= (uint64_t)count)
            return forms[pair->val.via.u64 - 1];
    }
    return forms[0];
}

/* The bytes as values, which live in the zone and in the bytes. */
static int unpack(const uint8_t* data, size_t size, msgpack_zone* zone, msgpack_object* root,
                  agon_error* error) {
    if (size > AGON_CODEC_MAX_MESSAGE)
        return agon_fail(error, AGON_ELIMIT, "message: %zu bytes; expected at most %u", size,
                         AGON_CODEC_MAX_MESSAGE);
    const char* problem = agon_codec_scan(data, size);
    if (problem)
        return agon_fail(error, AGON_EFORMAT, "message of %zu bytes: %s; expected one msgpack map",
                         size, problem);
    if (msgpack_unpack((const char*)data, size, NULL, zone, root) != MSGPACK_UNPACK_SUCCESS)
        return agon_fail(error, AGON_EFORMAT, "message of %zu bytes: cannot be unpacked", size);
    return AGON_OK;
}

int agon_codec_decode(const agon_codec_form* const* forms, int count, const uint8_t* data,
                      size_t size, void* out, size_t out_size, agon_error* error) {
    msgpack_zone zone;
    msgpack_object root;
    if (!msgpack_zone_init(&zone, 8192)) {
        memset(out, 0, out_size);
        return agon_fail(error, AGON_EMEMORY, "message: out of memory");
    }
    int code = unpack(data, size, &zone, &root, error);
    const agon_codec_form* form = code ? NULL : choose(forms, count, &root);
    memset(out, 0, form && form->size ? form->size : out_size);
    if (!code)
        code = read_form(form, &root, out, error);
    if (!code)
        code = check_form(form, out, error);
    msgpack_zone_destroy(&zone);
    return code;
}
