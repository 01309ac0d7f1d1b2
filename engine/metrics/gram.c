/* gram.c: a product of a matrix with its transpose in blocks that fit the caches. */
#include "engine/metrics/gram.h"

#include "engine/metrics/real_vector.h"
#include "games/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 8   /* columns of a panel: two vectors of four */
#define DEEP 128 /* vectors of a block; a panel of a block is 8 KiB */
#define NEAR 48  /* panels that stay in the second cache while others pass: 384 KiB */

/* sum (4, WIDE) = x' y; x and y are panels (depth, WIDE), of x four columns are used. All sums stay
 * in registers. */
static void tile(const double* restrict x, const double* restrict y, int depth,
                 double* restrict sum) {
    agon__quad a[4] = {0}, b[4] = {0};
    for (int k = 0; k < depth; k++, x += WIDE, y += WIDE) {
        agon__quad left, right;
        memcpy(&left, y, sizeof left);
        memcpy(&right, y + 4, sizeof right);
        for (int i = 0; i < 4; i++) {
            const agon__quad row = {x[i], x[i], x[i], x[i]};
            a[i] = agon__multiply_add(row, left, a[i]);
            b[i] = agon__multiply_add(row, right, b[i]);
        }
    }
    for (int i = 0; i < 4; i++) {
        memcpy(sum + i * WIDE, &a[i], sizeof a[i]);
        memcpy(sum + i * WIDE + 4, &b[i], sizeof b[i]);
    }
}

/* Panels p and q of a block, added to their place in out. */
static void add_tile(const double* block, int depth, int p, int q, int m, double* out) {
    const double *x = block + (size_t)p * DEEP * WIDE, *y = block + (size_t)q * DEEP * WIDE;
    const int rows = m - p * WIDE < WIDE ? m - p * WIDE : WIDE,
              cols = m - q * WIDE < WIDE ? m - q * WIDE : WIDE;
    double sum[WIDE * WIDE];
    tile(x, y, depth, sum);
    tile(x + 4, y, depth, sum + 4 * WIDE);
    for (int i = 0; i < rows; i++) {
        double* to = out + ((size_t)p * WIDE + i) * m + (size_t)q * WIDE;
        for (int j = 0; j < cols; j++)
            to[j] += sum[i * WIDE + j];
    }
}

static void add_block(const double* block, int depth, int m, double* out) {
    const int panels = (m + WIDE - 1) / WIDE;
    for (int near = 0; near < panels; near += NEAR) {
        for (int p = near; p < panels; p++) {
            for (int q = near; q < near + NEAR && q <= p; q++)
                add_tile(block, depth, p, q, m, out);
        }
    }
}

/* Vector k of a block, spread over the panels. The last panel is filled up with 0. */
static void pack(const double* row, int k, int m, double* block) {
    const int panels = (m + WIDE - 1) / WIDE;
    for (int p = 0; p < panels; p++) {
        for (int j = 0; j < WIDE; j++)
            block[((size_t)p * DEEP + k) * WIDE + j] = p * WIDE + j < m ? row[p * WIDE + j] : 0;
    }
}

int agon__gram(int m, int count, agon__gram_fill* fill, void* context, double* out) {
    const size_t panels = ((size_t)m + WIDE - 1) / WIDE;
    double* row = malloc(((size_t)m + panels * WIDE * DEEP) * sizeof *row);
    if (!row)
        return AGON_EMEMORY;
    double* block = row + m;
    memset(out, 0, (size_t)m * m * sizeof *out);
    for (int at = 0; at < count; at += DEEP) {
        const int depth = count - at < DEEP ? count - at : DEEP;
        for (int k = 0; k < depth; k++) {
            fill(context, at + k, row);
            pack(row, k, m, block);
        }
        add_block(block, depth, m, out);
    }
    free(row);
    return 0;
}
