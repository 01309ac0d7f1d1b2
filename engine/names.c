/* names.c: see names.h. */
#include "engine/names.h"

#include "games/random.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(int group, const char* text) {
    return agon_hash(agon_hash(AGON_HASH_START, &group, sizeof group), text, strlen(text));
}

/* The slot of a text, or the free one where it would go. */
static size_t slot_of(const agon__names* n, int group, const char* text) {
    size_t at = (size_t)hash_of(group, text) & (n->slots - 1);
    for (; n->slot[at]; at = (at + 1) & (n->slots - 1)) {
        const struct agon__name* name = &n->name[n->slot[at] - 1];
        if (name->group == group && strcmp(name->text, text) == 0)
            break;
    }
    return at;
}

/* Room for one more, at most half full. */
static bool widen(agon__names* n) {
    const size_t slots = n->slots ? n->slots * 2 : 64;
    if ((size_t)n->count * 2 < n->slots)
        return true;
    struct agon__name* name = realloc(n->name, slots / 2 * sizeof *name);
    if (name)
        n->name = name;
    uint32_t* slot = calloc(slots, sizeof *slot);
    if (!name || !slot) {
        free(slot);
        return false;
    }
    free(n->slot);
    n->slot = slot;
    n->slots = slots;
    for (int i = 0; i < n->count; i++)
        slot[slot_of(n, n->name[i].group, n->name[i].text)] = (uint32_t)i + 1;
    return true;
}

int agon__names_add(agon__names* n, int group, const char* text) {
    if (!widen(n))
        return AGON_EMEMORY;
    const size_t at = slot_of(n, group, text);
    if (!n->slot[at]) {
        n->name[n->count] = (struct agon__name){text, group};
        n->slot[at] = (uint32_t)++n->count;
    }
    return (int)n->slot[at] - 1;
}

int agon__names_find(const agon__names* n, int group, const char* text) {
    return n->slots ? (int)n->slot[slot_of(n, group, text)] - 1 : -1;
}

void agon__names_clear(agon__names* n) {
    free(n->name);
    free(n->slot);
    memset(n, 0, sizeof *n);
}
