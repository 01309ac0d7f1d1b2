/* Random123/philox.h: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) for builds on machines that
 * lack Random123; the same numbers. */
#ifndef AGON_STAND_IN_PHILOX_H
#define AGON_STAND_IN_PHILOX_H

#include <stdint.h>

#define PHILOX_M4x32_0 0xD2511F53u
#define PHILOX_M4x32_1 0xCD9E8D57u
#define PHILOX_W32_0   0x9E3779B9u
#define PHILOX_W32_1   0xBB67AE85u

typedef struct philox4x32_ctr_t {
    uint32_t v[4];
} philox4x32_ctr_t;
typedef struct philox4x32_key_t {
    uint32_t v[2];
} philox4x32_key_t;

static inline philox4x32_ctr_t philox4x32(philox4x32_ctr_t c, philox4x32_key_t k) {
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)PHILOX_M4x32_0 * c.v[0], b = (uint64_t)PHILOX_M4x32_1 * c.v[2];
        const philox4x32_ctr_t next = {{(uint32_t)(b >> 32) ^ c.v[1] ^ k.v[0], (uint32_t)b,
                                        (uint32_t)(a >> 32) ^ c.v[3] ^ k.v[1], (uint32_t)a}};
        c = next;
        k.v[0] += PHILOX_W32_0;
        k.v[1] += PHILOX_W32_1;
    }
    return c;
}

#endif
