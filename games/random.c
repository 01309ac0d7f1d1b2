/* SPDX-License-Identifier: 0BSD
 *
 * random.c: Philox4x32-10 by way of Random123, the only file that includes it. */
#include "random.h"

#include <Random123/philox.h>

#include <assert.h>
#include <string.h>

agon_draw agon_random(agon_key key, uint32_t episode, uint32_t ply, uint32_t seat, uint32_t draw) {
    const philox4x32_ctr_t counter = {{episode, ply, seat, draw}};
    const philox4x32_key_t philox_key = {{key.word[0], key.word[1]}};
    const philox4x32_ctr_t bits = philox4x32(counter, philox_key);
    return (agon_draw){{bits.v[0], bits.v[1], bits.v[2], bits.v[3]}};
}

enum { WIDE = 16 };

/* Philox of counters (x[0][i] .. x[3][i]) in place, all keyed alike. A plain loop over columns,
 * which compilers turn into vectors; a test compares it with Random123's. */
static void philox_wide(agon_key key, uint32_t x[4][WIDE]) {
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < WIDE; i++) {
            const uint64_t a = (uint64_t)PHILOX_M4x32_0 * x[0][i];
            const uint64_t b = (uint64_t)PHILOX_M4x32_1 * x[2][i];
            x[0][i] = (uint32_t)(b >> 32) ^ x[1][i] ^ key.word[0];
            x[1][i] = (uint32_t)b;
            x[2][i] = (uint32_t)(a >> 32) ^ x[3][i] ^ key.word[1];
            x[3][i] = (uint32_t)a;
        }
        key.word[0] += PHILOX_W32_0;
        key.word[1] += PHILOX_W32_1;
    }
}

void agon_uniforms(agon_key key, const uint32_t* episode, const uint32_t* ply, const uint8_t* seat,
                   int count, float* out) {
    for (int first = 0; first < count; first += WIDE) {
        const int wide = count - first < WIDE ? count - first : WIDE;
        uint32_t x[4][WIDE] = {{0}};
        for (int i = 0; i < wide; i++) {
            x[0][i] = episode[first + i];
            x[1][i] = ply[first + i];
            x[2][i] = seat[first + i];
        }
        philox_wide(key, x);
        for (int i = 0; i < wide; i++)
            out[first + i] = agon_uniform(x[0][i]);
    }
}

/* Eight bytes at most, little-endian, zeros beyond the end. */
static uint64_t text_block(const char* text, size_t count) {
    uint64_t block = 0;
    for (size_t i = 0; i < count && i < 8; i++)
        block |= (uint64_t)(unsigned char)text[i] << (8 * i);
    return block;
}

/* A chain of Philox blocks. The first has the seed as its key and (purpose, length of the text) in
 * its counter; every next one has words 0 and 1 of the block before as its key and (eight bytes of
 * text, words 2 and 3 of the block before) as its counter. The result is words 0 and 1 of the last.
 * So all 128 bits are carried along, and the length keeps texts that differ by zeros apart. */
agon_key agon_key_make(uint64_t seed, const char* task, agon_purpose purpose) {
    const size_t length = strlen(task);
    assert(length <= UINT32_MAX);
    agon_key key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    agon_draw chain = agon_random(key, (uint32_t)purpose, (uint32_t)length, 0, 0);
    for (size_t at = 0; at < length; at += 8) {
        const uint64_t block = text_block(task + at, length - at);
        key = (agon_key){{chain.word[0], chain.word[1]}};
        chain = agon_random(key, (uint32_t)block, (uint32_t)(block >> 32), chain.word[2],
                            chain.word[3]);
    }
    return (agon_key){{chain.word[0], chain.word[1]}};
}

void agon_shuffle(agon_key key, uint32_t stream, uint32_t* order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    /* Position i takes word i of the stream, so four positions share one block. */
    agon_draw draw = {{0, 0, 0, 0}};
    uint32_t block = UINT32_MAX;
    for (uint32_t i = count; i-- > 1;) {
        if (block != i / 4) {
            block = i / 4;
            draw = agon_random(key, stream, block, 0, 0);
        }
        const uint32_t j = agon_below(draw.word[i % 4], i + 1);
        const uint32_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

uint64_t agon_hash(uint64_t hash, const void* bytes, uint64_t count) {
    const unsigned char* p = (const unsigned char*)bytes;
    for (uint64_t i = 0; i < count; i++)
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    return hash;
}
