#include "engine/record.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 1024 }; /* keys that memory may hold without looking what can be forgotten */

typedef struct entry {
    char key[AGON_KEY_SIZE];
    int generation;
    agon_result* result; /* owned; NULL: claimed only */
} entry;

struct agon_record {
    entry** table; /* open addressing by hash of the key; capacity a power of two */
    size_t capacity, used;
    size_t look_at; /* used, from which on agon_record_keep looks what can be forgotten */
    int results;
    int first, also; /* generations that memory holds */
    agon_record_read* read;
    void* user;
    agon_error failure; /* code AGON_OK: none */
};

agon_record* agon_record_open(void) {
    agon_record* r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->capacity = FEW;
    r->look_at = FEW;
    r->first = INT_MIN;
    r->also = -1;
    r->table = calloc(r->capacity, sizeof *r->table);
    if (r->table)
        return r;
    free(r);
    return NULL;
}

static void drop(entry* e) {
    if (e && e->result)
        agon_result_clear(e->result);
    if (e)
        free(e->result);
    free(e);
}

void agon_record_close(agon_record* r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->capacity; i++)
        drop(r->table[i]);
    free(r->table);
    free(r);
}

/* ---- keys --------------------------------------------------------------------------------- */

/* Of "train/12/3": 12. The closing evaluation comes after all. */
static int generation_of(const char* key) {
    const char* slash = strchr(key, '/');
    return !slash || *key == 'f' ? INT_MAX : (int)strtol(slash + 1, NULL, 10);
}

static agon_task_kind kind_of(const char* key) {
    return *key == 't' ? AGON_TRAIN : *key == 'p' ? AGON_PROBE : AGON_MATCH;
}

static bool holds(const agon_record* r, int generation) {
    return generation >= r->first || generation == r->also;
}

/* ---- the table ---------------------------------------------------------------------------- */

static size_t place(entry* const* table, size_t capacity, const char* key) {
    size_t at = (size_t)agon_hash(AGON_HASH_START, key, strlen(key)) & (capacity - 1);
    while (table[at] && strcmp(table[at]->key, key) != 0)
        at = (at + 1) & (capacity - 1);
    return at;
}

/* A table of another size, for `need` keys that are kept; false: out of memory, nothing changed. */
static bool rebuild(agon_record* r, size_t need, bool forget) {
    size_t capacity = FEW;
    while (capacity < 4 * need)
        capacity *= 2;
    entry** table = calloc(capacity, sizeof *table);
    if (!table)
        return false;
    r->used = 0;
    for (size_t i = 0; i < r->capacity; i++) {
        entry* e = r->table[i];
        if (e && forget && !holds(r, e->generation)) {
            drop(e);
        } else if (e) {
            table[place(table, capacity, e->key)] = e;
            r->used++;
        }
    }
    free(r->table);
    r->table = table;
    r->capacity = capacity;
    return true;
}

/* The entry of a key, made when missing; NULL: out of memory. */
static entry* reach(agon_record* r, const char* key) {
    if (r->used * 2 >= r->capacity && !rebuild(r, r->used, false))
        return NULL;
    size_t at = place(r->table, r->capacity, key);
    if (!r->table[at]) {
        entry* e = calloc(1, sizeof *e);
        if (!e)
            return NULL;
        snprintf(e->key, sizeof e->key, "%s", key);
        e->generation = generation_of(key);
        r->table[at] = e;
        r->used++;
    }
    return r->table[at];
}

void agon_record_source(agon_record* r, agon_record_read* read, void* user) {
    r->read = read;
    r->user = user;
}

void agon_record_keep(agon_record* r, int first, int also) {
    size_t kept = 0;
    r->first = first;
    r->also = also;
    if (!r->read || r->used < r->look_at)
        return;
    for (size_t i = 0; i < r->capacity; i++)
        kept += r->table[i] && holds(r, r->table[i]->generation);
    if (kept < r->used)
        rebuild(r, kept, true); /* without memory for a smaller table the larger one stays */
    /* Looking costs as much as filling did. */
    r->look_at = kept * 2 > FEW ? kept * 2 : FEW;
}

/* ---- results ------------------------------------------------------------------------------ */

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
    if (!holds(r, generation_of(key)) && agon_record_find(r, key))
        return 0;
    return reach(r, key) ? r->used > before : AGON_EMEMORY;
}

int agon_record_count(const agon_record* r) {
    return r->results;
}

void agon_record_assume(agon_record* r, int count) {
    r->results = count;
}

int agon_record_held(const agon_record* r) {
    return (int)r->used;
}

int agon_record_failure(const agon_record* r, agon_error* error) {
    if (r->failure.code && error)
        *error = r->failure;
    return r->failure.code;
}

/* Reads a stored result and keeps it; NULL: there is none, or r->failure says why. */
static const agon_result* fetch(agon_record* r, const char* key) {
    agon_error error = {0};
    agon_result* result = malloc(sizeof *result);
    int rc = result ? r->read(r->user, kind_of(key), key, result, &error) : AGON_EMEMORY;
    entry* e = rc ? NULL : reach(r, key);
    if (e) {
        e->result = result;
        return result;
    }
    if (!rc) {
        agon_result_clear(result);
        rc = AGON_EMEMORY;
    }
    free(result);
    if (rc == AGON_EMEMORY)
        agon_fail(&error, rc, "no memory to read the result of %s", key);
    if (rc != AGON_EMISSING && !r->failure.code) {
        r->failure = error;
        r->failure.code = rc;
    }
    return NULL;
}

const agon_result* agon_record_find(const agon_record* record, const char* key) {
    const entry* e = record->table[place(record->table, record->capacity, key)];
    if (e || !record->read || holds(record, generation_of(key)))
        return e ? e->result : NULL;
    return fetch((agon_record*)record, key); /* only what memory holds changes */
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
