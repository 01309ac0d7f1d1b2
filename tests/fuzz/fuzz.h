/* fuzz.h: what every fuzz target shares: its own seed corpus.
 *
 * A target is one file, fuzz_NAME.c. With this header it defines LLVMFuzzerTestOneInput and
 * fuzz_seeds; run with AGON_FUZZ_SEEDS=DIR it writes its seeds into DIR and exits. */
#ifndef AGON_FUZZ_H
#define AGON_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold whatever the input is; libFuzzer keeps the input that breaks it. */
#define MUST(CONDITION)                                                                            \
    do {                                                                                           \
        if (!(CONDITION)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #CONDITION);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Calls fuzz_seed for each seed. Defined by the target. */
static void fuzz_seeds(const char* dir);

static void fuzz_seed(const char* dir, const char* name, const void* data, size_t size) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE* file = fopen(path, "wb");
    MUST(file != NULL);
    MUST(fwrite(data, 1, size, file) == size);
    MUST(fclose(file) == 0);
}

int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
    const char* dir = getenv("AGON_FUZZ_SEEDS");
    (void)argc, (void)argv;
    if (dir) {
        fuzz_seeds(dir);
        exit(0);
    }
    return 0;
}

#endif
