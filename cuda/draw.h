/* draw.h: random numbers in kernels: Philox4x32-10, the bits of agon_random (games/random.h). */
#ifndef AGON_CUDA_DRAW_H
#define AGON_CUDA_DRAW_H

#include "cuda/block.h"
#include "games/random.h"

AGON_KERNEL_FN agon_draw agon__draw(agon_key key, uint32_t episode, uint32_t ply, uint32_t seat,
                                    uint32_t draw) {
    uint32_t x0 = episode, x1 = ply, x2 = seat, x3 = draw;
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xd2511f53u * x0, b = (uint64_t)0xcd9e8d57u * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ key.word[0];
        x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ key.word[1];
        x3 = (uint32_t)a;
        key.word[0] += 0x9e3779b9u;
        key.word[1] += 0xbb67ae85u;
    }
    agon_draw out;
    out.word[0] = x0;
    out.word[1] = x1;
    out.word[2] = x2;
    out.word[3] = x3;
    return out;
}

/* Uniform in [0, 1): 24 bits, and 53 bits, as in games/random.h. */
AGON_KERNEL_FN float agon__draw_uniform(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24f;
}
AGON_KERNEL_FN double agon__draw_uniform_double(uint32_t high, uint32_t low) {
    return (double)(((uint64_t)high << 21) | (low >> 11)) * 0x1p-53;
}
/* agon_below: uniform in 0..n-1. */
AGON_KERNEL_FN uint32_t agon__draw_below(uint32_t word, uint32_t n) {
    return (uint32_t)(((uint64_t)word * n) >> 32);
}

/* agon_uniform of word 0 of agon_random(key, episode, ply, seat, 0): what samples an action. */
AGON_KERNEL_FN float agon__draw_action(const uint32_t* key, uint32_t episode, uint32_t ply,
                                       uint32_t seat) {
    agon_key of;
    of.word[0] = key[0];
    of.word[1] = key[1];
    return agon__draw_uniform(agon__draw(of, episode, ply, seat, 0).word[0]);
}

#endif
