/* fuzz_frame.c: a stream gives the same messages however it is cut, or is refused at the same
 * place, and holds at most twice what arrived. The first byte says how the stream is cut. */
#include "net/frame.h"
#include "tests/fuzz/fuzz.h"

enum { LIMIT = 2000 };

static void seed_stream(const char* dir, const char* name, uint8_t cut, const char* bytes,
                        size_t size) {
    uint8_t seed[128] = {cut};
    memcpy(seed + 1, bytes, size);
    fuzz_seed(dir, name, seed, size + 1);
}

static void fuzz_seeds(const char* dir) {
    seed_stream(dir, "three", 1, "\0\0\0\1a\0\0\0\2bc\0\0\0\5defgh", 20);
    seed_stream(dir, "cut", 3, "\0\0\0\1a\0\0\0\4bc", 11);
    seed_stream(dir, "empty", 5, "\0\0\0\1a\0\0\0\0", 9);
    seed_stream(dir, "bomb", 2, "\0\0\0\1a\xff\xff\xff\xff", 9);
    seed_stream(dir, "limit", 9, "\0\0\7\xd0", 4);
    seed_stream(dir, "beyond", 9, "\0\0\7\xd1", 4);
}

/* What came out: messages one after another, each followed by its length, as bytes. */
typedef struct record {
    uint8_t* bytes;
    size_t used;
    bool refused;
} record;

static void take(agon__frames* frames, record* out) {
    const uint8_t* data;
    size_t size;
    while (agon__frames_next(frames, &data, &size)) {
        MUST(size >= 1 && size <= LIMIT);
        memcpy(out->bytes + out->used, data, size);
        memcpy(out->bytes + out->used + size, &size, sizeof size);
        out->used += size + sizeof size;
    }
}

/* Pieces of `piece` bytes; of 0: all at once. Messages are taken after every `wait`th. */
static record play(const uint8_t* data, size_t size, size_t piece, size_t wait) {
    agon__frames frames = {.limit = LIMIT};
    record out = {.bytes = malloc(3 * size + 64)};
    agon_error error = {0};
    for (size_t at = 0, step = 1; at < size && !out.refused; step++) {
        const size_t part = piece && piece < size - at ? piece : size - at;
        out.refused = agon__frames_add(&frames, data + at, part, &error) != AGON_OK;
        MUST(out.refused == (error.code != 0) && out.refused == (error.text[0] != 0));
        at += part;
        MUST(frames.room <= 4096 || frames.room <= 2 * size);
        if (out.refused || step % wait == 0 || at == size)
            take(&frames, &out);
    }
    const bool waiting = agon__frames_waiting(&frames);
    MUST(out.refused || waiting == (frames.used > frames.taken));
    agon__frames_clear(&frames);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2)
        return 0;
    record whole = play(data + 1, size - 1, 0, 1);
    record pieces = play(data + 1, size - 1, 1 + (data[0] & 31), 1 + (data[0] >> 5));
    MUST(whole.refused == pieces.refused && whole.used == pieces.used);
    MUST(memcmp(whole.bytes, pieces.bytes, whole.used) == 0);
    free(whole.bytes);
    free(pieces.bytes);
    return 0;
}
