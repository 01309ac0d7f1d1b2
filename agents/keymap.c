#include "agents/keymap.h"

#include "games/error.h"
#include "games/random.h"

#include <stdlib.h>
#include <string.h>

int agon_array_grow(void** array, size_t* room, size_t need, size_t size) {
    if (need <= *room)
        return 0;
    size_t wanted = *room ? *room : 64;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2 / size)
            return AGON_EMEMORY;
        wanted *= 2;
    }
    void* moved = realloc(*array, wanted * size);
    if (!moved)
        return AGON_EMEMORY;
    *array = moved;
    *room = wanted;
    return 0;
}

/* The slot that holds the string, or the empty one where it belongs. */
static size_t keymap_slot(const agon_keymap* map, uint64_t hash, const void* key, size_t size) {
    size_t at = (size_t)(hash ^ (hash >> 32)) & (map->slot_count - 1);
    for (; map->slots[at]; at = (at + 1) & (map->slot_count - 1)) {
        const agon_keymap_entry* e = &map->entries[map->slots[at] - 1];
        if (e->hash == hash && e->size == size && memcmp(map->bytes + e->offset, key, size) == 0)
            break;
    }
    return at;
}

/* Doubles the slots before they are more than half full. */
static int keymap_rehash(agon_keymap* map) {
    if (map->slot_count >= 2 * (map->count + 1))
        return 0;
    const size_t count = map->slot_count ? 2 * map->slot_count : 128;
    uint32_t* slots = (uint32_t*)calloc(count, sizeof *slots);
    if (!slots)
        return AGON_EMEMORY;
    for (size_t i = 0; i < map->count; i++) {
        const uint64_t hash = map->entries[i].hash;
        size_t at = (size_t)(hash ^ (hash >> 32)) & (count - 1);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    return 0;
}

int agon_keymap_add(agon_keymap* map, const void* key, size_t size, size_t* number) {
    if (map->count >= INT32_MAX || keymap_rehash(map) != 0)
        return AGON_EMEMORY;
    const uint64_t hash = agon_hash(AGON_HASH_START, key, size);
    const size_t at = keymap_slot(map, hash, key, size);
    if (map->slots[at]) {
        *number = map->slots[at] - 1;
        return 0;
    }
    if (agon_array_grow((void**)&map->entries, &map->entry_room, map->count + 1,
                        sizeof *map->entries) != 0 ||
        agon_array_grow((void**)&map->bytes, &map->byte_room, map->used + size, 1) != 0)
        return AGON_EMEMORY;
    map->entries[map->count] = (agon_keymap_entry){hash, map->used, size};
    if (size)
        memcpy(map->bytes + map->used, key, size);
    map->used += size;
    *number = map->count++;
    map->slots[at] = (uint32_t)map->count;
    return 1;
}

void agon_keymap_clear(agon_keymap* map) {
    if (map->slots)
        memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    map->count = 0;
    map->used = 0;
}

void agon_keymap_free(agon_keymap* map) {
    free(map->entries);
    free(map->slots);
    free(map->bytes);
    *map = (agon_keymap){0};
}
