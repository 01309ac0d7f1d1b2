/* codec_scan.c: the first look at a message: is it one msgpack value, small and shallow enough to
 * be decoded? The decoder proper allocates by the counts that it reads; here they are checked
 * against the bytes that are there. */
#include "engine/codec_scan.h"

#include "engine/codec.h"

typedef struct scan {
    const uint8_t* at;
    size_t left;     /* bytes from at */
    size_t elements; /* that may still come */
} scan;

static const char* scan_value(scan* s, int depth);

/* A big-endian number of `bytes` bytes. */
static bool take_number(scan* s, size_t bytes, uint64_t* out) {
    if (s->left < bytes)
        return false;
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | s->at[i];
    s->at += bytes;
    s->left -= bytes;
    return true;
}

static const char* skip(scan* s, uint64_t bytes) {
    if (bytes > s->left)
        return "cut short";
    s->at += bytes;
    s->left -= bytes;
    return NULL;
}

static const char* scan_values(scan* s, uint64_t count, int depth) {
    if (depth == AGON_CODEC_MAX_DEPTH)
        return "nested too deeply";
    if (count > s->left)
        return "cut short, or a count that is too large";
    for (; count > 0; count--) {
        const char* problem = scan_value(s, depth + 1);
        if (problem)
            return problem;
    }
    return NULL;
}

/* What follows a first byte whose length is in the next `width` bytes. */
static const char* scan_sized(scan* s, size_t width, int per, int depth) {
    uint64_t length;
    if (!take_number(s, width, &length))
        return "cut short";
    return per ? scan_values(s, length * (uint64_t)per, depth) : skip(s, length);
}

static const char* scan_value(scan* s, int depth) {
    uint64_t byte;
    if (s->elements-- == 0)
        return "too many values";
    if (!take_number(s, 1, &byte))
        return "cut short";
    if (byte <= 0x7f || byte >= 0xe0) /* small integers */
        return NULL;
    if (byte <= 0x8f)
        return scan_values(s, 2 * (byte & 15), depth);
    if (byte <= 0x9f)
        return scan_values(s, byte & 15, depth);
    if (byte <= 0xbf)
        return skip(s, byte & 31);
    if (byte >= 0xc4 && byte <= 0xc6) /* bin */
        return scan_sized(s, (size_t)1 << (byte - 0xc4), 0, depth);
    if (byte == 0xca || byte == 0xcb) /* float32, float64 */
        return skip(s, byte == 0xca ? 4 : 8);
    if (byte >= 0xcc && byte <= 0xd3) /* unsigned and signed integers */
        return skip(s, (size_t)1 << (byte & 3));
    if (byte >= 0xd9 && byte <= 0xdb) /* text */
        return scan_sized(s, (size_t)1 << (byte - 0xd9), 0, depth);
    if (byte == 0xdc || byte == 0xdd) /* array */
        return scan_sized(s, (size_t)2 << (byte - 0xdc), 1, depth);
    if (byte == 0xde || byte == 0xdf) /* map */
        return scan_sized(s, (size_t)2 << (byte - 0xde), 2, depth);
    return "a type that is not used here"; /* nil, booleans, extensions */
}

const char* agon_codec_scan(const uint8_t* data, size_t size) {
    scan s = {data, size, AGON_CODEC_MAX_ELEMENTS};
    const char* problem = scan_value(&s, 0);
    if (!problem && s.left > 0)
        return "bytes after its end";
    return problem;
}
