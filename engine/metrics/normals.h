/* normals.h: standard normal numbers from a key, the same on every machine (Box and Muller 1958).
 */
#ifndef AGON_NORMALS_H
#define AGON_NORMALS_H

#include "games/random.h"

/* A stream: set key and sample, leave the rest 0. Streams of different samples are independent. */
typedef struct agon_normals {
    agon_key key;
    uint32_t sample, count; /* numbers taken so far */
    double spare;
} agon_normals;

double agon_normal_next(agon_normals* stream);

#endif
