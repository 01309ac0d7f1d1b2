/* fuzz_flat.c: any bytes are lines of values, each under a path of its own, or a mistake with a
 * message. */
#include "engine/flat.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

static void fuzz_seeds(const char* dir) {
    static const char* const samples[] = {
        "{\"a\":1,\"b\":{\"c\":2.5,\"d\":null},\"l\":[7,null,9],\"m\":[[1,2],[3]]}\n",
        "{\"r\":[{\"role\":\"prey\",\"x\":1},{\"name\":\"n\"}],\"t\":\"w\",\"y\":true}\n{\"a\"",
    };
    fuzz_seed(dir, "sample0", samples[0], strlen(samples[0]));
    fuzz_seed(dir, "sample1", samples[1], strlen(samples[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char path[64];
    agon_flat flat;
    agon_error error = {0};
    const int file = memfd_create("flat", 0);
    MUST(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const int code = agon_flat_read(path, &flat, &error);
    close(file);
    if (code != 0) {
        MUST(error.code == code && error.text[0]);
        return 0;
    }
    for (int c = 0; c < flat.columns; c++)
        MUST(agon_flat_find(&flat, flat.column[c].path) == c);
    for (int i = 0; i < flat.rows * flat.columns; i++) {
        MUST(!isinf(flat.cell[i].number));
        MUST(!flat.cell[i].text || !flat.column[i % flat.columns].numeric);
    }
    agon_flat_clear(&flat);
    return 0;
}
