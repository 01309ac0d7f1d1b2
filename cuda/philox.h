/* philox.h: the numbers of games/random.h, as kernels draw them. */
#ifndef AGON_CUDA_PHILOX_H
#define AGON_CUDA_PHILOX_H

#include "cuda/block.h"

/* agon_uniform of word 0 of agon_random(key, episode, ply, seat, 0): Philox4x32-10. */
AGON_KERNEL_FN float agon__philox_uniform(const uint32_t* key, uint32_t episode, uint32_t ply,
                                          uint32_t seat) {
    uint32_t x0 = episode, x1 = ply, x2 = seat, x3 = 0, k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xd2511f53u * x0, b = (uint64_t)0xcd9e8d57u * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return (float)(x0 >> 8) * 0x1p-24f;
}

#endif
