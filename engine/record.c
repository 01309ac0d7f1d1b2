#include "engine/record.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    char key[AGON_KEY_SIZE];
    agon_result* result; /* owned; NULL: claimed only */
} entry;

struct agon_record {
    entry** table; /* open addressing by hash of the key; capacity a power of two */
    size_t capacity, used;
    int results;
};

agon_record* agon_record_open(void) {
    agon_record* r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->capacity = 1024;
    r->table = calloc(r->capacity, sizeof *r->table);
    if (r->table)
        return r;
    free(r);
    return NULL;
}

void agon_record_close(agon_record* r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->capacity; i++) {
        if (!r->table[i])
            continue;
        if (r->table[i]->result)
            agon_result_clear(r->table[i]->result);
        free(r->table[i]->result);
        free(r->table[i]);
    }
    free(r->table);
    free(r);
}

static size_t place(entry* const* table, size_t capacity, const char* key) {
    size_t at = (size_t)agon_hash(AGON_HASH_START, key, strlen(key)) & (capacity - 1);
    while (table[at] && strcmp(table[at]->key, key) != 0)
        at = (at + 1) & (capacity - 1);
    return at;
}

static bool grow(agon_record* r) {
    const size_t capacity = r->capacity * 2;
    entry** table = calloc(capacity, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < r->capacity; i++)
        if (r->table[i])
            table[place(table, capacity, r->table[i]->key)] = r->table[i];
    free(r->table);
    r->table = table;
    r->capacity = capacity;
    return true;
}

/* The entry of a key, made when missing; NULL: out of memory. */
static entry* reach(agon_record* r, const char* key) {
    if (r->used * 2 >= r->capacity && !grow(r))
        return NULL;
    size_t at = place(r->table, r->capacity, key);
    if (!r->table[at]) {
        entry* e = calloc(1, sizeof *e);
        if (!e)
            return NULL;
        snprintf(e->key, sizeof e->key, "%s", key);
        r->table[at] = e;
        r->used++;
    }
    return r->table[at];
}

int agon_record_add(agon_record* r, const agon_result* result) {
    entry* e = reach(r, result->key);
    if (!e)
        return AGON_EMEMORY;
    if (e->result)
        return AGON_OK;
    agon_result* copy = malloc(sizeof *copy);
    if (!copy)
        return AGON_EMEMORY;
    *copy = *result;
    copy->blobs = 0;
    memset(copy->blob, 0, sizeof copy->blob);
    if (copy->kind == AGON_PROBE) {
        const agon_probe_result* p = &result->as.probe;
        size_t bytes = (size_t)p->states * (size_t)p->actions * sizeof *p->probability;
        copy->as.probe.probability = malloc(bytes);
        if (!copy->as.probe.probability) {
            free(copy);
            return AGON_EMEMORY;
        }
        memcpy(copy->as.probe.probability, p->probability, bytes);
    }
    e->result = copy;
    r->results++;
    return AGON_OK;
}

int agon_record_claim(agon_record* r, const char* key) {
    const size_t before = r->used;
    return reach(r, key) ? r->used > before : AGON_EMEMORY;
}

int agon_record_count(const agon_record* r) {
    return r->results;
}

const agon_result* agon_record_find(const agon_record* r, const char* key) {
    const entry* e = r->table[place(r->table, r->capacity, key)];
    return e ? e->result : NULL;
}

void agon_key_train(char out[AGON_KEY_SIZE], int generation, int agent) {
    snprintf(out, AGON_KEY_SIZE, "train/%d/%d", generation, agent);
}

void agon_key_match(char out[AGON_KEY_SIZE], int generation, int row, int col) {
    if (col < 0)
        snprintf(out, AGON_KEY_SIZE, "anchor/%d/%d/%d", generation, row, -1 - col);
    else
        snprintf(out, AGON_KEY_SIZE, "match/%d/%d/%d", generation, row, col);
}

void agon_key_final(char out[AGON_KEY_SIZE], int row, int anchor) {
    snprintf(out, AGON_KEY_SIZE, "final/%d/%d", row, anchor);
}

void agon_key_probe(char out[AGON_KEY_SIZE], int generation, int agent) {
    snprintf(out, AGON_KEY_SIZE, "probe/%d/%d", generation, agent);
}

const agon_train_result* agon_record_train(const agon_record* r, int generation, int agent) {
    char key[AGON_KEY_SIZE];
    agon_key_train(key, generation, agent);
    const agon_result* result = agon_record_find(r, key);
    return result ? &result->as.train : NULL;
}

const agon_match_result* agon_record_match(const agon_record* r, int generation, int row, int col) {
    char key[AGON_KEY_SIZE];
    agon_key_match(key, generation, row, col);
    const agon_result* result = agon_record_find(r, key);
    return result ? &result->as.match : NULL;
}

const agon_match_result* agon_record_final(const agon_record* r, int row, int anchor) {
    char key[AGON_KEY_SIZE];
    agon_key_final(key, row, anchor);
    const agon_result* result = agon_record_find(r, key);
    return result ? &result->as.match : NULL;
}

const agon_probe_result* agon_record_probe(const agon_record* r, int generation, int agent) {
    char key[AGON_KEY_SIZE];
    agon_key_probe(key, generation, agent);
    const agon_result* result = agon_record_find(r, key);
    return result ? &result->as.probe : NULL;
}
