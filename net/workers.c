#include "net/workers.h"

#include "engine/files.h"
#include "engine/task.h"
#include "net/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- members as data: one table writes and reads ------------------------------------------ */

typedef enum kind { TEXT, HASH, FLAG, INT, COUNT, REAL } kind;

typedef struct field {
    const char* name;
    kind kind;
    size_t at, size;
} field;

#define OF(type, kind, member)                                                                     \
    { #member, kind, offsetof(type, member), sizeof((type*)0)->member }
#define WORKER(kind, member) OF(agon_worker_seen, kind, member)
#define TOTAL(kind, member)  OF(agon_workers_total, kind, member)

static const field worker_fields[] = {
    WORKER(INT, worker),   WORKER(TEXT, name),    WORKER(TEXT, address),
    WORKER(TEXT, build),   WORKER(TEXT, class),   WORKER(HASH, id),
    WORKER(TEXT, token),   WORKER(FLAG, present), WORKER(FLAG, struck),
    WORKER(TEXT, why),     WORKER(INT, pid),      WORKER(INT, slots),
    WORKER(INT, running),  WORKER(INT, credit),   WORKER(INT, strikes),
    WORKER(INT, failures), WORKER(COUNT, tasks),  WORKER(COUNT, steps),
    WORKER(COUNT, audits), WORKER(COUNT, lost),   WORKER(REAL, steps_per_second),
    WORKER(COUNT, memory), WORKER(COUNT, cpu_ms), WORKER(REAL, joined),
    WORKER(REAL, seen),    WORKER(REAL, progress)};

static const field total_fields[] = {
    TOTAL(INT, queued),      TOTAL(INT, leased), TOTAL(INT, checks),    TOTAL(INT, workers),
    TOTAL(INT, slots),       TOTAL(INT, struck), TOTAL(COUNT, done),    TOTAL(COUNT, duplicates),
    TOTAL(COUNT, conflicts), TOTAL(COUNT, lost), TOTAL(COUNT, audited), TOTAL(COUNT, backups),
    TOTAL(COUNT, steps)};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

void agon__plain_text(char* out, size_t size, const char* text) {
    size_t i = 0;
    for (; i + 1 < size && text[i]; i++)
        out[i] = text[i] >= 0x20 && text[i] <= 0x7e ? text[i] : '?';
    out[i] = '\0';
}

static bool write_field(cJSON* object, const field* f, const void* record) {
    const char* at = (const char*)record + f->at;
    char plain[512];
    switch (f->kind) {
    case TEXT:
    case HASH:
        agon__plain_text(plain, sizeof plain, at);
        return cJSON_AddStringToObject(object, f->name, plain);
    case FLAG:
        return cJSON_AddBoolToObject(object, f->name, *(const bool*)at);
    case INT:
        return cJSON_AddNumberToObject(object, f->name, *(const int*)at);
    case COUNT:
        return cJSON_AddNumberToObject(object, f->name, (double)*(const uint64_t*)at);
    default:
        return cJSON_AddNumberToObject(object, f->name, *(const double*)at);
    }
}

bool agon__worker_write(cJSON* object, const agon_worker_seen* worker) {
    for (size_t i = 0; i < COUNT_OF(worker_fields); i++)
        if (!write_field(object, &worker_fields[i], worker))
            return false;
    return true;
}

bool agon__workers_write_total(cJSON* object, const agon_workers_total* total) {
    for (size_t i = 0; i < COUNT_OF(total_fields); i++)
        if (!write_field(object, &total_fields[i], total))
            return false;
    return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_text(const cJSON* value, char* out, size_t size) {
    if (!cJSON_IsString(value) || strlen(value->valuestring) >= size)
        return false;
    agon__plain_text(out, size, value->valuestring);
    return true;
}

static bool read_number(const cJSON* value, double limit, double* out) {
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble) || value->valuedouble < 0 ||
        value->valuedouble > limit)
        return false;
    *out = value->valuedouble;
    return true;
}

static bool read_field(const cJSON* value, const field* f, void* record) {
    char* at = (char*)record + f->at;
    double number;
    switch (f->kind) {
    case TEXT:
        return read_text(value, at, f->size);
    case HASH:
        return read_text(value, at, f->size) && agon_ref_is_hash(at);
    case FLAG:
        *(bool*)at = cJSON_IsTrue(value);
        return cJSON_IsBool(value);
    case INT:
        if (!read_number(value, 1e9, &number))
            return false;
        *(int*)at = (int)number;
        return true;
    case COUNT:
        if (!read_number(value, 1e19, &number)) /* below 2^64 */
            return false;
        *(uint64_t*)at = (uint64_t)number;
        return true;
    default:
        return read_number(value, 1e18, (double*)at);
    }
}

static int wrong(const char* origin, const char* what, const char* name, agon_error* error) {
    agon_fail(error, AGON_EFORMAT, "%.200s: %s%s is missing, or not what belongs there", origin,
              what, name);
    return agon_hint(error, "it is written by a run that has workers; without it, who was struck "
                            "is forgotten");
}

static int read_fields(const cJSON* object, const field* fields, size_t count, void* record,
                       const char* origin, const char* what, agon_error* error) {
    if (!cJSON_IsObject(object))
        return wrong(origin, what, "", error);
    for (size_t i = 0; i < count; i++) {
        const cJSON* value = cJSON_GetObjectItemCaseSensitive(object, fields[i].name);
        if (!read_field(value, &fields[i], record))
            return wrong(origin, what, fields[i].name, error);
    }
    return AGON_OK;
}

static int read_list(const cJSON* list, const char* origin, agon_workers* out, agon_error* error) {
    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
    const cJSON* item;
    if (count < 0 || count > AGON_MAX_WORKERS)
        return wrong(origin, "the list of ", "workers", error);
    out->worker = calloc((size_t)count + 1, sizeof *out->worker);
    if (!out->worker)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d workers", count);
    cJSON_ArrayForEach(item, list) {
        char what[32];
        snprintf(what, sizeof what, "worker %d: ", out->count + 1);
        int rc = read_fields(item, worker_fields, COUNT_OF(worker_fields), &out->worker[out->count],
                             origin, what, error);
        if (rc)
            return rc;
        out->count++;
    }
    return AGON_OK;
}

static int read_all(const cJSON* all, const char* origin, agon_workers* out, agon_error* error) {
    static const field head[] = {OF(agon_workers, REAL, written), OF(agon_workers, TEXT, run),
                                 OF(agon_workers, TEXT, listen), OF(agon_workers, INT, left_out)};
    const cJSON* format = cJSON_GetObjectItemCaseSensitive(all, "format");
    if (cJSON_IsNumber(format) && format->valuedouble != AGON_WORKERS_FORMAT)
        return agon_fail(error, AGON_EFORMAT, "%.200s is of format %g: this agon reads %d", origin,
                         format->valuedouble, AGON_WORKERS_FORMAT);
    int rc = cJSON_IsNumber(format) ? AGON_OK : wrong(origin, "", "format", error);
    if (!rc)
        rc = read_fields(all, head, COUNT_OF(head), out, origin, "", error);
    if (!rc)
        rc = read_fields(cJSON_GetObjectItemCaseSensitive(all, "total"), total_fields,
                         COUNT_OF(total_fields), &out->total, origin, "total: ", error);
    if (!rc)
        rc = read_list(cJSON_GetObjectItemCaseSensitive(all, "workers"), origin, out, error);
    return rc;
}

int agon_workers_parse(const char* text, size_t size, const char* origin, agon_workers* out,
                       agon_error* error) {
    agon_workers workers = {0};
    cJSON* all = cJSON_ParseWithLength(text, size);
    int rc = all ? read_all(all, origin, &workers, error)
                 : agon_fail(error, AGON_EFORMAT, "%.200s is not JSON", origin);
    cJSON_Delete(all);
    if (rc)
        agon_workers_clear(&workers);
    else
        *out = workers;
    return rc;
}

int agon_workers_read(const char* dir, agon_workers* out, agon_error* error) {
    char path[AGON_PATH_SIZE];
    uint8_t* data = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, AGON_WORKERS_FILE);
    int rc = agon_file_read(path, 64u << 20, &data, &size, error);
    if (!rc)
        rc = agon_workers_parse((const char*)data, size, path, out, error);
    free(data);
    return rc;
}

void agon_workers_clear(agon_workers* workers) {
    free(workers->worker);
    memset(workers, 0, sizeof *workers);
}
