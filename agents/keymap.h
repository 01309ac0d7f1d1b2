/* keymap.h: byte strings, numbered in the order in which they were first seen.
 *
 * What tree walks and probe sets use to notice that a position or an information set was met
 * before. Numbers depend on the order of additions alone, never on addresses or hash seeds. */
#ifndef AGON_KEYMAP_H
#define AGON_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct agon_keymap_entry {
    uint64_t hash;
    size_t offset, size; /* the string is bytes[offset .. offset + size - 1] */
} agon_keymap_entry;

/* All zero is an empty map. */
typedef struct agon_keymap {
    size_t count;               /* strings held; their numbers are 0..count-1 */
    agon_keymap_entry* entries; /* (count) */
    uint32_t* slots;            /* (slot_count) number + 1, or 0; open addressing */
    uint8_t* bytes;             /* the strings, one after the other */
    size_t used;                /* bytes in use */
    size_t entry_room, slot_count, byte_room;
} agon_keymap;

/* The number of a string, which is added when it is new. Returns 1 when it was new, 0 when it was
 * held already, AGON_EMEMORY (the map is then unchanged). At most 2^31 strings. */
int agon_keymap_add(agon_keymap* map, const void* key, size_t size, size_t* number);
void agon_keymap_clear(agon_keymap* map); /* forgets the strings, keeps the memory */
void agon_keymap_free(agon_keymap* map);  /* back to all zero */

/* Makes room for `need` items of `size` bytes by doubling; new bytes are not set. 0 or
 * AGON_EMEMORY. */
int agon_array_grow(void** array, size_t* room, size_t need, size_t size);

#endif
