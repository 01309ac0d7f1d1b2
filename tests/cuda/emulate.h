/* emulate.h: kernels of cuda/ run on the host, block after block. What replaces the GPU are the C
 * bodies of the four primitives in cuda/block.h; everything else is the text that nvcc compiles. */
#ifndef AGON_TESTS_EMULATE_H
#define AGON_TESTS_EMULATE_H

#include "cuda/kernels.h"

enum { EMULATE_TWIN_KERNELS = 3 }; /* of a game */

typedef void emulate_body(agon__block* block, const void* args);

typedef struct emulate_kernel {
    const char* image; /* "kernels", or a game */
    const char* name;  /* without "agon_" */
    size_t args;       /* bytes of its argument */
    emulate_body* body;
} emulate_kernel;

/* NULL: there is none. */
const emulate_kernel* emulate_find(const char* image, const char* name);

/* Runs a grid. Every block finds its shared memory full of NaNs; with `backwards` blocks and warps
 * come in the opposite order, which no result may show. */
void emulate_run(const emulate_kernel* kernel, int blocks, int warps, size_t shared,
                 const void* args, int backwards);

#endif
