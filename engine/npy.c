/* npy.c: see npy.h. */
#include "engine/npy.h"

#include "engine/files.h"
#include "engine/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are copied as the processor holds them: little-endian"
#endif

static const struct {
    const char *name, *descr; /* as numpy.dtype.descr has it; for one byte with '|' */
    size_t size;
    bool whole;
} types[AGON_NPY_TYPES] = {
    {"bool", "|b1", 1, true},     {"int8", "|i1", 1, true},     {"int16", "<i2", 2, true},
    {"int32", "<i4", 4, true},    {"int64", "<i8", 8, true},    {"uint8", "|u1", 1, true},
    {"uint16", "<u2", 2, true},   {"uint32", "<u4", 4, true},   {"uint64", "<u8", 8, true},
    {"float32", "<f4", 4, false}, {"float64", "<f8", 8, false},
};

const char* agon_npy_type_name(agon_npy_type type) {
    return types[type].name;
}

size_t agon_npy_type_size(agon_npy_type type) {
    return types[type].size;
}

bool agon_npy_is_whole(const agon_npy* npy) {
    return types[npy->type].whole;
}

const char* agon_npy_shape_text(const agon_npy* npy, char out[128]) {
    agon__text text = {.out = out, .size = 128};
    agon__text_add(&text, "(");
    for (int d = 0; d < npy->rank; d++)
        agon__text_add(&text, "%s%zu", d ? ", " : "", npy->shape[d]);
    agon__text_add(&text, npy->rank == 1 ? ",)" : ")");
    return out;
}

/* ---- the header: a Python dict of three keys ---------------------------------------------- */

typedef struct reader {
    const char *at, *end;
    agon_npy* npy;
    agon_error* error;
} reader;

static int bad(const reader* r, const char* expected) {
    char quoted[AGON__QUOTE];
    return agon_fail(r->error, AGON_EFORMAT, "%s: its header has '%s' where %s is expected",
                     r->npy->name, agon__quote_bytes(r->at, (size_t)(r->end - r->at), quoted),
                     expected);
}

static void skip_spaces(reader* r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t'))
        r->at++;
}

/* Takes one character if it is the next one. */
static bool take(reader* r, char c) {
    skip_spaces(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* 'text' or "text" without escapes. */
static bool take_text(reader* r, char* out, size_t size) {
    skip_spaces(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return false;
    const char* begin = r->at + 1;
    const char* end = memchr(begin, *r->at, (size_t)(r->end - begin));
    if (!end || (size_t)(end - begin) >= size)
        return false;
    memcpy(out, begin, (size_t)(end - begin));
    out[end - begin] = '\0';
    r->at = end + 1;
    return true;
}

static bool take_word(reader* r, const char* word) {
    const size_t length = strlen(word);
    skip_spaces(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* Digits, with the 'L' that Python 2 wrote behind some. */
static bool take_size(reader* r, size_t* out) {
    size_t value = 0;
    skip_spaces(r);
    const char* begin = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        if (value > (SIZE_MAX - 9) / 10)
            return false;
        value = value * 10 + (size_t)(*r->at - '0');
    }
    if (r->at == begin)
        return false;
    take(r, 'L');
    *out = value;
    return true;
}

static int refuse_type(const reader* r, const char* type) {
    agon_fail(r->error, AGON_EUNSUPPORTED,
              "%s holds numbers of type %s; expected little-endian float32, float64, integers or "
              "booleans",
              r->npy->name, type);
    return agon_hint(r->error, "in Python: numpy.save(path, array.astype('<f4'))");
}

static int read_descr(reader* r) {
    char descr[16], quoted[AGON__QUOTE];
    if (!take_text(r, descr, sizeof descr)) /* a list of fields, or a long text */
        return refuse_type(r, agon__quote_bytes(r->at, (size_t)(r->end - r->at), quoted));
    for (int t = 0; t < AGON_NPY_TYPES; t++) {
        const bool order = descr[0] == types[t].descr[0] || descr[0] == '=' ||
                           (types[t].size == 1 && (descr[0] == '<' || descr[0] == '>'));
        if (order && strcmp(descr + 1, types[t].descr + 1) == 0) {
            r->npy->type = (agon_npy_type)t;
            return AGON_OK;
        }
    }
    return refuse_type(r, agon__quote(descr, quoted));
}

static int read_shape(reader* r) {
    agon_npy* npy = r->npy;
    if (!take(r, '('))
        return bad(r, "a shape in round brackets");
    while (!take(r, ')')) {
        if (npy->rank == AGON_NPY_RANK)
            return agon_fail(r->error, AGON_EUNSUPPORTED,
                             "%s has more than %d dimensions, which is the most that is read",
                             npy->name, AGON_NPY_RANK);
        if (!take_size(r, &npy->shape[npy->rank]))
            return bad(r, "the length of a dimension");
        npy->rank++;
        if (!take(r, ',') && (r->at == r->end || *r->at != ')'))
            return bad(r, "',' or ')'");
    }
    return AGON_OK;
}

static int read_order(reader* r) {
    if (take_word(r, "True"))
        r->npy->fortran = true;
    else if (!take_word(r, "False"))
        return bad(r, "True or False");
    return AGON_OK;
}

/* One "key: value"; seen: a bit for each key. */
static int read_entry(reader* r, unsigned* seen) {
    static const char* const keys[] = {"descr", "shape", "fortran_order"};
    static int (*const read[])(reader*) = {read_descr, read_shape, read_order};
    char key[16];
    const reader before = *r;
    if (!take_text(r, key, sizeof key) || !take(r, ':'))
        return bad(&before, "a key");
    for (unsigned k = 0; k < 3; k++) {
        if (strcmp(key, keys[k]) != 0)
            continue;
        if (*seen & 1u << k)
            return bad(&before, "each key once");
        *seen |= 1u << k;
        skip_spaces(r);
        return read[k](r);
    }
    return bad(&before, "'descr', 'shape' or 'fortran_order'");
}

static int read_header(reader* r) {
    unsigned seen = 0;
    if (!take(r, '{'))
        return bad(r, "'{'");
    while (!take(r, '}')) {
        const int rc = read_entry(r, &seen);
        if (rc)
            return rc;
        if (!take(r, ',') && (r->at == r->end || *r->at != '}'))
            return bad(r, "',' or '}'");
    }
    skip_spaces(r);
    if (r->at != r->end)
        return bad(r, "the end of the header");
    if (seen != 7)
        return agon_fail(r->error, AGON_EFORMAT,
                         "%s: its header lacks 'descr', 'shape' or 'fortran_order'", r->npy->name);
    return AGON_OK;
}

/* ---- the file ----------------------------------------------------------------------------- */

/* Where the header lies: version 1 says its length in two bytes, 2 and 3 in four. */
static int find_header(const uint8_t* data, size_t size, reader* r) {
    static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (size < 10 || memcmp(data, magic, sizeof magic) != 0) {
        agon_fail(r->error, AGON_EFORMAT, "%s is no .npy file: it does not begin with \\x93NUMPY",
                  r->npy->name);
        return agon_hint(r->error, "write it with numpy.save(path, array)");
    }
    if (data[6] < 1 || data[6] > 3)
        return agon_fail(r->error, AGON_EUNSUPPORTED,
                         "%s is of version %d of the .npy format; 1 to 3 are read", r->npy->name,
                         data[6]);
    const size_t begin = data[6] == 1 ? 10 : 12;
    size_t length = (size_t)data[8] | (size_t)data[9] << 8;
    if (begin == 12 && size >= 12)
        length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
    if (size < begin || size - begin < length)
        return agon_fail(r->error, AGON_EFORMAT,
                         "%s has %zu bytes, but its header alone ends at byte %zu", r->npy->name,
                         size, begin + length);
    r->at = (const char*)data + begin;
    r->end = r->at + length;
    return AGON_OK;
}

/* The numbers must fill the rest of the file. */
static int find_numbers(const uint8_t* data, size_t size, agon_npy* npy, agon_error* error) {
    char shape[128];
    size_t bytes = types[npy->type].size;
    bool beyond = false;
    for (int d = 0; d < npy->rank; d++)
        beyond |= __builtin_mul_overflow(bytes, npy->shape[d], &bytes);
    for (int d = 0; d < npy->rank; d++)
        if (npy->shape[d] == 0) /* also when the product of the others is too large */
            bytes = 0, beyond = false;
    if (beyond || bytes != size)
        return agon_fail(error, AGON_EFORMAT,
                         "%s: %zu bytes follow its header, but %s of shape %s need %s%zu",
                         npy->name, size, types[npy->type].name, agon_npy_shape_text(npy, shape),
                         beyond ? "more than " : "", beyond ? SIZE_MAX : bytes);
    npy->count = bytes / types[npy->type].size;
    npy->data = data;
    return AGON_OK;
}

int agon_npy_decode(const void* data, size_t size, const char* name, agon_npy* out,
                    agon_error* error) {
    agon_npy npy = {0};
    reader r = {.npy = &npy, .error = error};
    snprintf(npy.name, sizeof npy.name, "%s", name);
    int rc = find_header(data, size, &r);
    if (!rc)
        rc = read_header(&r);
    if (!rc)
        rc = find_numbers((const uint8_t*)r.end, size - (size_t)(r.end - (const char*)data), &npy,
                          error);
    if (!rc)
        *out = npy;
    return rc;
}

int agon_npy_read(const char* path, agon_npy* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, AGON_NPY_BYTES, &data, &size, error);
    if (rc)
        return rc;
    rc = agon_npy_decode(data, size, path, out, error);
    if (rc)
        free(data);
    else
        out->file = data;
    return rc;
}

void agon_npy_clear(agon_npy* npy) {
    free(npy->file);
    memset(npy, 0, sizeof *npy);
}

/* Place in the file of the number that is `index` in row-major order. */
static size_t place(const agon_npy* npy, size_t index) {
    size_t at = 0, step = npy->count;
    if (!npy->fortran)
        return index;
    for (int d = npy->rank - 1; d >= 0; d--) {
        step /= npy->shape[d];
        at += index % npy->shape[d] * step;
        index /= npy->shape[d];
    }
    return at;
}

double agon_npy_at(const agon_npy* npy, size_t index) {
    assert(index < npy->count);
    union {
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
        uint8_t u1;
        uint16_t u2;
        uint32_t u4;
        uint64_t u8;
        float f4;
        double f8;
    } x;
    const size_t size = types[npy->type].size;
    memcpy(&x, npy->data + place(npy, index) * size, size);
    switch (npy->type) {
    case AGON_NPY_BOOL:
        return x.u1 != 0;
    case AGON_NPY_I8:
        return x.i1;
    case AGON_NPY_I16:
        return x.i2;
    case AGON_NPY_I32:
        return x.i4;
    case AGON_NPY_I64:
        return (double)x.i8;
    case AGON_NPY_U8:
        return x.u1;
    case AGON_NPY_U16:
        return x.u2;
    case AGON_NPY_U32:
        return x.u4;
    case AGON_NPY_U64:
        return (double)x.u8;
    case AGON_NPY_F32:
        return (double)x.f4;
    default:
        return x.f8;
    }
}

/* ---- writing ------------------------------------------------------------------------------ */

int agon_npy_encode(agon_npy_type type, int rank, const size_t* shape, const void* data,
                    uint8_t** out, size_t* size, agon_error* error) {
    agon_npy npy = {.rank = rank};
    char text[128], header[256];
    size_t bytes = types[type].size;
    assert(rank >= 0 && rank <= AGON_NPY_RANK);
    for (int d = 0; d < rank; d++) {
        npy.shape[d] = shape[d];
        bytes *= shape[d];
    }
    int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                 types[type].descr, agon_npy_shape_text(&npy, text));
    /* Spaces and a newline, so that the numbers begin at a multiple of 64 bytes. */
    const int padded = (10 + length + 1 + 63) / 64 * 64 - 10;
    memset(header + length, ' ', (size_t)(padded - length));
    header[padded - 1] = '\n';
    uint8_t* file = malloc(10 + (size_t)padded + bytes);
    if (!file)
        return agon_fail(error, AGON_EMEMORY, "no memory for an array of %zu bytes", bytes);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (uint8_t)(padded & 0xff);
    file[9] = (uint8_t)(padded >> 8);
    memcpy(file + 10, header, (size_t)padded);
    if (bytes)
        memcpy(file + 10 + padded, data, bytes);
    *out = file;
    *size = 10 + (size_t)padded + bytes;
    return AGON_OK;
}

int agon_npy_write(const char* path, agon_npy_type type, int rank, const size_t* shape,
                   const void* data, agon_error* error) {
    uint8_t* file = NULL;
    size_t size = 0;
    int rc = agon_npy_encode(type, rank, shape, data, &file, &size, error);
    if (!rc)
        rc = agon_file_write(path, file, size, error);
    free(file);
    return rc;
}
