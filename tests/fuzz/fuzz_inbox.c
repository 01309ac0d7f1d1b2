/* fuzz_inbox.c: whatever chunks come, in any order, with any index, count, size and bytes: a blob
 * is given out when it is whole and right, and never otherwise; what is on its way keeps to the
 * limit. Five bytes are one step: what happens, to which blob, with which index, count and size. */
#include "net/inbox.h"
#include "tests/fuzz/fuzz.h"

enum { BLOBS = 3, LIMIT = 5 * AGON__CHUNK / 2, STEP = 5, STEPS = 24 };

static const size_t sizes[BLOBS] = {100, AGON__CHUNK + 50, 2 * AGON__CHUNK};
static uint8_t bytes[2 * AGON__CHUNK + 64], wrong[AGON__CHUNK + 64];
static char hashes[BLOBS][AGON_HASH_SIZE];

static void make_blobs(void) {
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 4096);
    for (int i = 0; i < BLOBS; i++)
        agon_sha256(bytes, sizes[i], hashes[i]);
}

static void fuzz_seeds(const char* dir) {
    static const uint8_t order[] = {0, 1, 0, 0, 0, 2, 1, 0, 2, 0, 2, 1, 1, 2, 0};
    static const uint8_t both[] = {1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 2, 2, 1, 2, 0,
                                   2, 0, 0, 1, 0, 2, 2, 0, 2, 0, 4, 2, 0, 0, 0};
    static const uint8_t lies[] = {0, 2, 0, 0, 0, 2, 2, 9, 2, 0, 0, 2, 0, 0, 0, 2, 2, 0, 9, 0,
                                   0, 2, 0, 0, 0, 3, 2, 0, 2, 0, 0, 1, 0, 0, 0, 2, 1, 1, 2, 7};
    fuzz_seed(dir, "order", order, sizeof order);
    fuzz_seed(dir, "both", both, sizeof both);
    fuzz_seed(dir, "lies", lies, sizeof lies);
}

/* A chunk as it should be, but for what the step says. */
static agon__chunk chunk_of(const uint8_t* step, int b) {
    agon__chunk chunk = {.index = step[2] == 255 ? -1 : step[2], .count = step[3]};
    const size_t at = (size_t)chunk.index * AGON__CHUNK;
    memcpy(chunk.hash, hashes[b], AGON_HASH_SIZE);
    const bool inside = chunk.index >= 0 && at < sizes[b];
    chunk.data = inside && step[0] % 6 == 2 ? bytes + at : wrong;
    chunk.size = !inside ? 10 : sizes[b] - at < AGON__CHUNK ? sizes[b] - at : AGON__CHUNK;
    if (step[4] & 1) /* the last bytes, or some more, that a block may have */
        chunk.size = chunk.size + (step[4] >> 4) - (step[4] >> 1 & 7);
    return chunk;
}

static void add(agon__inbox* inbox, const uint8_t* step, int b) {
    const agon__chunk chunk = chunk_of(step, b);
    uint8_t* data;
    size_t size;
    agon_error error = {0};
    MUST(agon__inbox_add(inbox, &chunk, &data, &size, &error) == error.code);
    MUST(error.code == AGON_OK || (!data && error.text[0]));
    if (!data)
        return;
    MUST(size == sizes[b] && memcmp(data, bytes, size) == 0);
    MUST(agon__inbox_next(inbox, hashes[b]) == 0);
    free(data);
}

static void take_step(agon__inbox* inbox, const uint8_t* step) {
    const int b = step[1] % BLOBS;
    const int next = agon__inbox_next(inbox, hashes[b]);
    int code = AGON_OK;
    MUST(next >= 0 && next < 256);
    if (step[0] % 6 == 0)
        code = agon__inbox_expect(inbox, hashes[b], sizes[b], NULL);
    else if (step[0] % 6 == 1)
        code = agon__inbox_expect(inbox, hashes[b], step[4], NULL);
    else if (step[0] % 6 == 4)
        agon__inbox_forget(inbox, hashes[b]);
    else
        add(inbox, step, b);
    MUST(code == AGON_OK || code == AGON_ELIMIT || code == AGON_EFORMAT);
    MUST(agon__inbox_bytes(inbox) <= LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    agon__inbox* inbox;
    if (!hashes[0][0])
        make_blobs();
    MUST(agon__inbox_open(LIMIT, &inbox, NULL) == AGON_OK);
    for (size_t at = 0; at + STEP <= size && at < STEP * STEPS; at += STEP)
        take_step(inbox, data + at);
    for (int b = 0; b < BLOBS; b++)
        agon__inbox_forget(inbox, hashes[b]);
    MUST(agon__inbox_bytes(inbox) == 0);
    agon__inbox_close(inbox);
    return 0;
}
