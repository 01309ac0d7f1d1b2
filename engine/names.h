/* names.h: texts to numbers. Internal to this folder. */
#ifndef AGON_NAMES_H
#define AGON_NAMES_H

#include "games/error.h"

#include <stddef.h>
#include <stdint.h>

/* Numbers texts by first appearance. `group` keeps equal texts of different groups apart. */
typedef struct agon__names {
    struct agon__name {
        const char* text; /* borrowed */
        int group;
    } * name; /* (count) owned */
    int count;
    uint32_t* slot; /* (slots) number + 1; 0: free */
    size_t slots;
} agon__names;

/* The number of a text, made when new; negative: AGON_EMEMORY. */
int agon__names_add(agon__names* names, int group, const char* text);
int agon__names_find(const agon__names* names, int group, const char* text); /* -1: none */
void agon__names_clear(agon__names* names);

#endif
