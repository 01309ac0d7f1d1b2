/* gram.h: sums of outer products of many long vectors (internal). */
#ifndef AGON_GRAM_H
#define AGON_GRAM_H

/* Writes vector k, row (m), all of it. Called once per k, in order. */
typedef void agon__gram_fill(void* context, int k, double* row);

/* out (m, m), lower triangle: sum over k = 0 .. count-1 of row_k row_k'. Entries above the diagonal
 * are of no use. Every entry is a chain of fused multiply-adds in the order of k, 64 at a time:
 * the bytes do not depend on the CPU. m^2 count / 2 multiply-adds, at about half of what a core can
 * do; scratch O(64 m). Returns 0 or AGON_EMEMORY. */
int agon__gram(int m, int count, agon__gram_fill* fill, void* context, double* out);

#endif
