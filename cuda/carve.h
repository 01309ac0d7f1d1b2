/* carve.h: one block of memory, of the host or of the device, cut into arrays. Internal to cuda/.
 */
#ifndef AGON_CUDA_CARVE_H
#define AGON_CUDA_CARVE_H

#include <stddef.h>

typedef struct agon__carver {
    char* base; /* NULL: sizes are added up, and every piece is NULL */
    size_t used;
} agon__carver;

/* The next piece, 256-byte aligned as the block is. */
static inline void* agon__carve(agon__carver* c, size_t bytes) {
    void* piece = c->base ? c->base + c->used : NULL;
    c->used += (bytes + 255) / 256 * 256;
    return piece;
}

#endif
