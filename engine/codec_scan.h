/* codec_scan.h: is it safe to decode these bytes as msgpack?. */
#ifndef AGON_CODEC_SCAN_H
#define AGON_CODEC_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* NULL when the bytes are exactly one msgpack value within the limits of codec.h (depth, number of
 * values, lengths that the bytes hold) and without nil, booleans and extension types; otherwise
 * what is wrong, static. Reads each byte once; allocates nothing. */
const char* agon_codec_scan(const uint8_t* data, size_t size);

#endif
