/* blob_read.c: the safetensors format, in. The bytes are hostile until every check has passed. */
#include "engine/blob.h"
#include "engine/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER (1 << 20) /* bytes */
#define MAX_DEPTH  3         /* {"name": {"shape": [...]}} */

/* What is being read, for messages and bounds. */
typedef struct reader {
    const char* what;
    const uint8_t* data; /* the tensors' bytes */
    size_t size;
    size_t used; /* bytes that tensors have taken so far */
    agon_error* error;
} reader;

static int refuse(const reader* in, const char* thing, const char* problem) {
    char shown[AGON__QUOTE];
    return agon_fail(in->error, AGON_EFORMAT, "%s: %s%s%s", in->what,
                     thing ? agon__quote(thing, shown) : "", thing ? ": " : "", problem);
}

/* cJSON descends by recursion and decodes \u0000 to a terminator: both are refused before it sees
 * the text. So are control characters, which JSON forbids. */
static const char* scan_header(const char* text, size_t size) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && (quoted || !strchr("\t\n\r", c) || c == 0))
            return "header holds a control character";
        if (quoted && c == '\\') {
            if (size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
                return "header holds a zero character";
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '{' || c == '[')) {
            if (++depth > MAX_DEPTH)
                return "header is nested too deeply";
        } else if (!quoted && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return NULL;
}

/* A JSON number that is an integer in 0 .. 2^53. */
static bool read_count(const cJSON* item, uint64_t* out) {
    if (!cJSON_IsNumber(item))
        return false;
    const double value = item->valuedouble;
    if (!(value >= 0 && value <= 0x1p53) || value != floor(value))
        return false;
    *out = (uint64_t)value;
    return true;
}

static int read_metas(const reader* in, const cJSON* object, agon_blob* out) {
    if (!cJSON_IsObject(object))
        return refuse(in, "__metadata__", "expected an object of strings");
    for (const cJSON* item = object->child; item; item = item->next) {
        agon_blob_meta* meta = &out->meta[out->metas];
        if (out->metas == AGON_BLOB_MAX_META)
            return refuse(in, "__metadata__", "too many entries; expected at most 32");
        if (!cJSON_IsString(item))
            return refuse(in, item->string, "metadata that is not a string");
        if (strlen(item->string) >= sizeof meta->key)
            return refuse(in, item->string, "metadata key too long; expected at most 47 bytes");
        if (strlen(item->valuestring) >= sizeof meta->value)
            return refuse(in, item->string, "metadata too long; expected at most 511 bytes");
        if (agon_blob_meta_find(out, item->string))
            return refuse(in, item->string, "metadata given twice");
        strcpy(meta->key, item->string);
        strcpy(meta->value, item->valuestring);
        out->metas++;
    }
    return AGON_OK;
}

/* The three members of a tensor, each exactly once and nothing else. */
static bool split_tensor(const cJSON* item, const cJSON** dtype, const cJSON** shape,
                         const cJSON** offsets) {
    const struct {
        const char* name;
        const cJSON** at;
    } members[] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", offsets}};
    int count = 0;
    *dtype = *shape = *offsets = NULL;
    if (!cJSON_IsObject(item))
        return false;
    for (const cJSON* member = item->child; member; member = member->next, count++)
        for (int i = 0; i < 3; i++)
            if (strcmp(member->string, members[i].name) == 0)
                *members[i].at = member;
    return count == 3 && *dtype && *shape && *offsets && cJSON_IsString(*dtype) &&
           cJSON_IsArray(*shape) && cJSON_IsArray(*offsets);
}

static int read_shape(const reader* in, const cJSON* array, agon_blob_tensor* out) {
    out->dims = 0;
    memset(out->shape, 0, sizeof out->shape);
    for (const cJSON* item = array->child; item; item = item->next) {
        uint64_t length;
        if (out->dims == 4)
            return refuse(in, out->name, "shape of more than 4 dimensions");
        if (!read_count(item, &length))
            return refuse(in, out->name, "shape that is not made of whole numbers");
        out->shape[out->dims++] = (int64_t)length;
    }
    if (!agon_blob_tensor_bytes(out->dtype, out->dims, out->shape, &out->bytes))
        return refuse(in, out->name, "shape too large");
    return AGON_OK;
}

/* Offsets must tile the data in the header's order: no gap, no overlap, nothing beyond the end. */
static int read_offsets(reader* in, const cJSON* array, agon_blob_tensor* out) {
    uint64_t begin, end;
    const cJSON* first = array->child;
    const cJSON* second = first ? first->next : NULL;
    if (!second || second->next || !read_count(first, &begin) || !read_count(second, &end))
        return refuse(in, out->name, "data_offsets: expected two whole numbers");
    if (begin != in->used || end < begin || end > in->size)
        return agon_fail(in->error, AGON_EFORMAT,
                         "%s: %s: data_offsets [%" PRIu64 ", %" PRIu64
                         "]: expected to begin at %zu, where the tensor before ends, and to end "
                         "within %zu",
                         in->what, out->name, begin, end, in->used, in->size);
    if (end - begin != out->bytes)
        return agon_fail(in->error, AGON_EFORMAT,
                         "%s: %s: %" PRIu64 " bytes; expected %zu for its shape", in->what,
                         out->name, end - begin, out->bytes);
    out->data = in->data + begin;
    in->used = end;
    return AGON_OK;
}

static int read_tensor(reader* in, const cJSON* item, agon_blob* out) {
    const cJSON *dtype, *shape, *offsets;
    agon_blob_tensor* tensor = &out->tensor[out->tensors];
    int code;
    if (out->tensors == AGON_BLOB_MAX_TENSORS)
        return refuse(in, NULL, "too many tensors; expected at most 64");
    if (strlen(item->string) >= sizeof tensor->name || !agon__text_is_printable(item->string))
        return refuse(in, item->string, "tensor name; expected at most 63 printable characters");
    if (agon_blob_tensor_find(out, item->string))
        return refuse(in, item->string, "tensor given twice");
    strcpy(tensor->name, item->string);
    if (!split_tensor(item, &dtype, &shape, &offsets))
        return refuse(in, tensor->name, "expected dtype, shape and data_offsets");
    if (!agon_blob_dtype_find(dtype->valuestring, &tensor->dtype)) {
        char shown[AGON__QUOTE];
        return agon_fail(in->error, AGON_EFORMAT,
                         "%s: %s: dtype %s; expected U8, U16, I32, I64, F32 or F64", in->what,
                         tensor->name, agon__quote(dtype->valuestring, shown));
    }
    if ((code = read_shape(in, shape, tensor)) != AGON_OK ||
        (code = read_offsets(in, offsets, tensor)) != AGON_OK)
        return code;
    out->tensors++;
    return AGON_OK;
}

static int read_header(reader* in, const cJSON* root, agon_blob* out) {
    bool metas = false;
    if (!cJSON_IsObject(root))
        return refuse(in, NULL, "header is not a JSON object");
    for (const cJSON* item = root->child; item; item = item->next) {
        const bool meta = strcmp(item->string, "__metadata__") == 0;
        if (meta && metas)
            return refuse(in, "__metadata__", "given twice");
        metas = metas || meta;
        const int code = meta ? read_metas(in, item, out) : read_tensor(in, item, out);
        if (code != AGON_OK)
            return code;
    }
    if (in->used != in->size)
        return agon_fail(in->error, AGON_EFORMAT,
                         "%s: %zu bytes of data; expected the %zu that its tensors take", in->what,
                         in->size, in->used);
    return AGON_OK;
}

/* cJSON gets a terminated copy: older releases read past the end of text that is not. */
static int parse_header(reader* in, const char* header, size_t size, agon_blob* out) {
    const char* problem = scan_header(header, size);
    if (problem)
        return refuse(in, NULL, problem);
    char* text = malloc(size + 1);
    if (!text)
        return agon_fail(in->error, AGON_EMEMORY, "%s: out of memory", in->what);
    memcpy(text, header, size);
    text[size] = '\0';
    cJSON* root = cJSON_ParseWithOpts(text, NULL, 1);
    const int code = root ? read_header(in, root, out) : refuse(in, NULL, "header is not JSON");
    cJSON_Delete(root);
    free(text);
    return code;
}

int agon_blob_decode(const void* data, size_t size, const char* what, agon_blob* out,
                     agon_error* error) {
    const uint8_t* bytes = data;
    reader in = {.what = what, .error = error};
    uint64_t header;
    if (size < 8)
        return agon_fail(error, AGON_EFORMAT,
                         "%s: %zu bytes; expected a safetensors file of at least 8", what, size);
    memcpy(&header, bytes, 8);
    if (header > MAX_HEADER || header > size - 8)
        return agon_fail(error, AGON_EFORMAT,
                         "%s: header of %" PRIu64 " bytes; expected a safetensors header of at "
                         "most %zu",
                         what, header, size - 8 < MAX_HEADER ? size - 8 : (size_t)MAX_HEADER);
    in.data = bytes + 8 + header;
    in.size = size - 8 - header;
    agon_blob* blob = malloc(sizeof *blob);
    if (!blob)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", what);
    agon_blob_begin(blob);
    const int code = parse_header(&in, (const char*)bytes + 8, header, blob);
    if (code == AGON_OK)
        *out = *blob;
    free(blob);
    return code;
}
