/* twin.c: the kernels of one game's device twin for the host; compiled once per game, as
 * cuda/twin.cu is. The table that the game's file ends in is a second one here, under a name of its
 * own that the build gives. */
#include "tests/cuda/emulate.h"

#include "cuda/twin_kernel.h"

#define BODY(NAME, ARGS)                                                                           \
    static void run_##NAME(agon__block* block, const void* args) {                                 \
        agon__kernel_##NAME(block, (const ARGS*)args);                                             \
    }
#define TEXT(name)      #name
#define NAME_OF(name)   TEXT(name)
#define ROW(NAME, ARGS) {NAME_OF(AGON_TWIN), #NAME, sizeof(ARGS), run_##NAME},

AGON_TWIN_KERNELS(BODY)

const emulate_kernel AGON__TWIN_NAME(emulate_,
                                     AGON_TWIN)[EMULATE_TWIN_KERNELS] = {AGON_TWIN_KERNELS(ROW)};
