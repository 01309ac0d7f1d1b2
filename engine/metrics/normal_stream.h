/* normal_stream.h: standard normal numbers from a key, the same on every machine (Box and Muller
 * 1958).
 */
#ifndef AGON_NORMAL_STREAM_H
#define AGON_NORMAL_STREAM_H

#include "games/random.h"

/* A stream: set key and sample, leave the rest 0. Streams of different samples are independent. */
typedef struct agon_normal_stream {
    agon_key key;
    uint32_t sample, count; /* numbers taken so far */
    double spare;
} agon_normal_stream;

double agon_normal_next(agon_normal_stream* stream);

#endif
