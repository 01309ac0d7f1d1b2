/* blob.c: the safetensors format, out. The way in is blob_read.c. */
#include "engine/blob.h"
#include "engine/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are kept little-endian");

static const struct {
    const char* name;
    size_t size;
} dtypes[] = {
    [AGON_BLOB_U8] = {"U8", 1},   [AGON_BLOB_U16] = {"U16", 2}, [AGON_BLOB_I32] = {"I32", 4},
    [AGON_BLOB_I64] = {"I64", 8}, [AGON_BLOB_F32] = {"F32", 4}, [AGON_BLOB_F64] = {"F64", 8},
};

size_t agon_blob_dtype_size(agon_blob_dtype dtype) {
    assert((size_t)dtype < sizeof dtypes / sizeof dtypes[0]);
    return dtypes[dtype].size;
}

bool agon_blob_dtype_find(const char* name, agon_blob_dtype* out) {
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = (agon_blob_dtype)i;
            return true;
        }
    }
    return false;
}

bool agon_blob_tensor_bytes(agon_blob_dtype dtype, int dims, const int64_t* shape, size_t* out) {
    size_t bytes = agon_blob_dtype_size(dtype);
    bool zero = false;
    for (int i = 0; i < dims; i++) {
        zero = zero || shape[i] == 0;
        if (shape[i] < 0 || (shape[i] > 0 && __builtin_mul_overflow(bytes, shape[i], &bytes)))
            return false;
    }
    *out = zero ? 0 : bytes;
    return true;
}

void agon_blob_begin(agon_blob* blob) {
    blob->tensors = 0;
    blob->metas = 0;
}

void agon_blob_add_meta(agon_blob* blob, const char* key, const char* format, ...) {
    assert(blob->metas < AGON_BLOB_MAX_META);
    assert(strlen(key) < sizeof blob->meta[0].key);
    assert(!agon_blob_meta_find(blob, key));
    agon_blob_meta* meta = &blob->meta[blob->metas];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(meta->value, sizeof meta->value, format, args);
    va_end(args);
    assert(length >= 0 && (size_t)length < sizeof meta->value);
    (void)length;
    strcpy(meta->key, key);
    blob->metas++;
}

void agon_blob_add_tensor(agon_blob* blob, const char* name, agon_blob_dtype dtype, int dims,
                          const int64_t* shape, const void* data) {
    assert(blob->tensors < AGON_BLOB_MAX_TENSORS);
    agon_blob_tensor* tensor = &blob->tensor[blob->tensors];
    assert(strlen(name) < sizeof tensor->name && strcmp(name, "__metadata__") != 0);
    assert(dims >= 0 && dims <= 4);
    assert(!agon_blob_tensor_find(blob, name));
    const bool fits = agon_blob_tensor_bytes(dtype, dims, shape, &tensor->bytes);
    assert(fits);
    (void)fits;
    strcpy(tensor->name, name);
    tensor->dtype = dtype;
    tensor->dims = dims;
    for (int i = 0; i < 4; i++)
        tensor->shape[i] = i < dims ? shape[i] : 0;
    tensor->data = data;
    blob->tensors++;
}

const agon_blob_tensor* agon_blob_tensor_find(const agon_blob* blob, const char* name) {
    for (int i = 0; i < blob->tensors; i++)
        if (strcmp(blob->tensor[i].name, name) == 0)
            return &blob->tensor[i];
    return NULL;
}

const char* agon_blob_meta_find(const agon_blob* blob, const char* key) {
    for (int i = 0; i < blob->metas; i++)
        if (strcmp(blob->meta[i].key, key) == 0)
            return blob->meta[i].value;
    return NULL;
}

/* ---- the header --------------------------------------------------------------------------- */

static void write_string(agon__text* out, const char* text) {
    agon__text_add(out, "\"");
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            agon__text_add(out, "\\%c", c);
        else if (c < 0x20)
            agon__text_add(out, "\\u%04x", c);
        else
            agon__text_add(out, "%c", c);
    }
    agon__text_add(out, "\"");
}

static int by_key(const void* a, const void* b) {
    const agon_blob_meta *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static void write_metas(agon__text* out, const agon_blob* blob) {
    const agon_blob_meta* order[AGON_BLOB_MAX_META];
    for (int i = 0; i < blob->metas; i++)
        order[i] = &blob->meta[i];
    qsort(order, (size_t)blob->metas, sizeof order[0], by_key);
    agon__text_add(out, "\"__metadata__\":{");
    for (int i = 0; i < blob->metas; i++) {
        if (i > 0)
            agon__text_add(out, ",");
        write_string(out, order[i]->key);
        agon__text_add(out, ":");
        write_string(out, order[i]->value);
    }
    agon__text_add(out, "}");
}

static void write_tensor(agon__text* out, const agon_blob_tensor* tensor, size_t offset) {
    write_string(out, tensor->name);
    agon__text_add(out, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[tensor->dtype].name);
    for (int i = 0; i < tensor->dims; i++)
        agon__text_add(out, "%s%" PRId64, i ? "," : "", tensor->shape[i]);
    agon__text_add(out, "],\"data_offsets\":[%zu,%zu]}", offset, offset + tensor->bytes);
}

static void write_header(agon__text* out, const agon_blob* blob) {
    size_t offset = 0;
    agon__text_add(out, "{");
    write_metas(out, blob);
    for (int i = 0; i < blob->tensors; i++) {
        agon__text_add(out, ",");
        write_tensor(out, &blob->tensor[i], offset);
        offset += blob->tensor[i].bytes;
    }
    agon__text_add(out, "}");
    while (out->used % 8 != 0)
        agon__text_add(out, " ");
}

/* The header is at most some 130 kB: 64 tensors and 32 metas with every byte escaped. */
int agon_blob_encode(const agon_blob* blob, agon_bytes* out, agon_error* error) {
    agon__text text = {NULL, 0, 0};
    write_header(&text, blob);
    const uint64_t header = text.used;
    size_t size = 8 + header;
    for (int i = 0; i < blob->tensors; i++)
        if (__builtin_add_overflow(size, blob->tensor[i].bytes, &size))
            return agon_fail(error, AGON_EMEMORY, "blob: out of memory");
    /* One byte more: the text's terminator, which the first tensor overwrites. */
    uint8_t* data = malloc(size + 1);
    if (!data)
        return agon_fail(error, AGON_EMEMORY, "blob of %zu bytes: out of memory", size);
    memcpy(data, &header, 8);
    text = (agon__text){(char*)data + 8, header + 1, 0};
    write_header(&text, blob);
    uint8_t* at = data + 8 + header;
    for (int i = 0; i < blob->tensors; i++) {
        if (blob->tensor[i].bytes > 0)
            memcpy(at, blob->tensor[i].data, blob->tensor[i].bytes);
        at += blob->tensor[i].bytes;
    }
    agon_sha256(data, size, out->hash);
    out->data = data;
    out->size = size;
    return AGON_OK;
}
