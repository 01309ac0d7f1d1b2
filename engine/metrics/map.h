/* map.h: agents as points of a picture, near where they act alike. */
#ifndef AGON_MAP_H
#define AGON_MAP_H

/* Classical scaling (Torgerson 1952): points whose distances are as near as possible to the given
 * ones. distances (n, n): symmetric, >= 0, diagonal 0 (within 1e-9 of the largest); the square root
 * of AGON_DISTANCE_JSD is the distance of a Euclidean space, others may not be. out: (n, dims),
 * centred on 0, most spread along the first axis; 1 <= dims; axes beyond n - 1 are 0. Each axis
 * points so that its largest coordinate by magnitude (the first of equals) is positive: the
 * picture does not flip when the input does not change, but it may between two populations.
 * share: out, the part of the squared distances that the picture shows, sum of its eigenvalues /
 * sum of all |eigenvalues|, in [0, 1]; 1 when all distances are 0.
 *
 * Does not tell: axes have no meaning, and with a low share neighbours in the picture may be far
 * apart. O(n^3). Returns 0, AGON_EMEMORY, AGON_EINVALID (then the output is untouched). */
int agon_behaviour_map(const double* distances, int n, int dims, double* out, double* share);

#endif
