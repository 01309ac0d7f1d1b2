/* subset.c: some of the agents, by key. */
#include "engine/metrics/subset.h"

#include "games/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int compare_ints(const void* a, const void* b) {
    const int x = *(const int*)a, y = *(const int*)b;
    return (x > y) - (x < y);
}

int agon_subset_draw(int n, int most, agon_key key, int* member) {
    assert(member && n >= 1 && most >= 1);
    const int count = n < most ? n : most;
    for (int i = 0; i < count; i++)
        member[i] = i;
    if (count == n)
        return count;
    uint32_t* order = malloc((size_t)n * sizeof *order);
    if (!order)
        return AGON_EMEMORY;
    agon_shuffle(key, 0, order, (uint32_t)n);
    for (int i = 0; i < count; i++)
        member[i] = (int)order[i];
    free(order);
    qsort(member, (size_t)count, sizeof *member, compare_ints);
    return count;
}

agon_behaviour agon_subset_behaviour(const agon_behaviour* b, const int* member, int members,
                                     float* probability) {
    const size_t size = (size_t)b->states * b->actions;
    for (int i = 0; i < members; i++)
        memcpy(probability + i * size, b->probability + member[i] * size,
               size * sizeof *probability);
    return (agon_behaviour){members, b->states, b->actions, probability, b->weight};
}
