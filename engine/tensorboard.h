/* tensorboard.h: scalars as TensorBoard reads them: an event file.
 *
 * TFRecord framing: length (8 bytes, little-endian), masked CRC-32C of it, the record, masked
 * CRC-32C of that. A record is an Event message in protocol buffers' encoding: wall_time, step, and
 * a summary of tagged simple values, which are float32. The first one names the version. Sources:
 * tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.h (Apache-2.0; the
 * formats, no code), Castagnoli, Braeuer, Herrmann 1993 for the polynomial. */
#ifndef AGON_TENSORBOARD_H
#define AGON_TENSORBOARD_H

#include "games/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct agon_events agon_events;

/* Zero events, in memory. NULL: out of memory. */
agon_events* agon_events_open(void);
/* One value at a step. wall_time: seconds; nothing here looks at a clock. tag: UTF-8, borrowed for
 * the call. A lack of memory is remembered until agon_events_write. */
void agon_events_scalar(agon_events* events, const char* tag, int64_t step, double wall_time,
                        float value);
int agon_events_count(const agon_events* events);
/* The file DIR/events.out.tfevents.agon (directories are made; an older file is replaced), whole or
 * not at all. path: (AGON_PATH_SIZE) its name, or NULL. */
int agon_events_write(const agon_events* events, const char* dir, char* path, agon_error* error);
void agon_events_close(agon_events* events); /* NULL is fine */

/* CRC-32C of bytes, and as it stands in files: rotated and offset, because a checksum of bytes that
 * hold their own checksum says little. */
uint32_t agon_crc32c(const void* data, size_t size);
uint32_t agon_crc32c_masked(const void* data, size_t size);

#endif
