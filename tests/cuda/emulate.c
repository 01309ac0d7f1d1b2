#include "emulate.h"

#include "agon_twins.h"

#include <assert.h>
#include <stdlib.h>

#define BODY(NAME, ARGS)                                                                           \
    static void run_##NAME(agon__block* block, const void* args) {                                 \
        agon__kernel_##NAME(block, (const ARGS*)args);                                             \
    }
#define ROW(NAME, ARGS) {"kernels", #NAME, sizeof(ARGS), run_##NAME},

AGON_KERNELS(BODY)

static const emulate_kernel kernels[] = {AGON_KERNELS(ROW)};

#define DECLARE(GAME) extern const emulate_kernel emulate_##GAME[EMULATE_TWIN_KERNELS];
#define TWIN(GAME)    emulate_##GAME,

AGON_TWINS(DECLARE)

static const emulate_kernel* const twins[] = {AGON_TWINS(TWIN)};

static const emulate_kernel* find_in(const emulate_kernel* table, size_t count, const char* image,
                                     const char* name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].image, image) == 0 && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const emulate_kernel* emulate_find(const char* image, const char* name) {
    const emulate_kernel* found = find_in(kernels, sizeof kernels / sizeof *kernels, image, name);
    for (size_t i = 0; !found && i < sizeof twins / sizeof *twins; i++)
        found = find_in(twins[i], EMULATE_TWIN_KERNELS, image, name);
    return found;
}

void emulate_run(const emulate_kernel* kernel, int blocks, int warps, size_t shared,
                 const void* args, int backwards) {
    char* memory = aligned_alloc(128, (shared + 127) / 128 * 128 + 128);
    assert(memory && warps >= 1 && warps <= AGON__MAX_WARPS);
    for (int i = 0; i < blocks; i++) {
        agon__block block = {.index = backwards ? blocks - 1 - i : i,
                             .blocks = blocks,
                             .warps = warps,
                             .shared = memory,
                             .backwards = backwards};
        memset(memory, 0xff, shared);
        kernel->body(&block, args);
    }
    free(memory);
}
