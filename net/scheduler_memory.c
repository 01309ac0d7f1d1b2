/* scheduler_memory.c: results that are remembered by their hash alone. */
#include "net/scheduler_inside.h"

#include <string.h>

void agon__hash_pack(const char* hex, uint8_t out[32]) {
    for (int i = 0; i < 32; i++) {
        const char a = hex[2 * i], b = hex[2 * i + 1];
        out[i] = (uint8_t)((a <= '9' ? a - '0' : a - 'a' + 10) << 4 |
                           (b <= '9' ? b - '0' : b - 'a' + 10));
    }
}

static int* memory_bucket(agon__scheduler* s, const uint8_t id[32]) {
    uint64_t head;
    memcpy(&head, id, sizeof head);
    return &s->memory_bucket[head % AGON__HISTORY];
}

static void forget_oldest(agon__scheduler* s) {
    int* at = memory_bucket(s, s->memory[s->memory_next].id);
    while (*at != s->memory_next)
        at = &s->memory[*at].next;
    *at = s->memory[*at].next;
}

void agon__remember(agon__scheduler* s, const agon__job* job) {
    if (s->memories == AGON__HISTORY)
        forget_oldest(s);
    else
        s->memories++;
    agon__memory* m = &s->memory[s->memory_next];
    agon__hash_pack(job->id, m->id);
    agon__hash_pack(job->hash, m->hash);
    int* bucket = memory_bucket(s, m->id);
    m->next = *bucket;
    *bucket = s->memory_next;
    s->memory_next = (s->memory_next + 1) % AGON__HISTORY;
}

const agon__memory* agon__recall(agon__scheduler* s, const char* id) {
    uint8_t key[32];
    agon__hash_pack(id, key);
    for (int i = *memory_bucket(s, key); i >= 0; i = s->memory[i].next)
        if (memcmp(s->memory[i].id, key, sizeof key) == 0)
            return &s->memory[i];
    return NULL;
}
