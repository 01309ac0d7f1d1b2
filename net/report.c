#include "net/report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agon__report {
    agon__report_def def;
    cJSON *present, *struck, *gone; /* lists, in the order of the file */
    int rows, gone_count, left_out;
    bool failed; /* no memory */
};

static void release(agon__report* r) {
    cJSON_Delete(r->present);
    cJSON_Delete(r->struck);
    cJSON_Delete(r->gone);
    free(r);
}

static void add(agon__report* r, cJSON* list, const agon_worker_seen* worker) {
    cJSON* object = cJSON_CreateObject();
    if (!object || !agon__worker_write(object, worker) || !cJSON_AddItemToArray(list, object)) {
        cJSON_Delete(object);
        r->failed = true;
    }
    r->rows++;
}

agon__report* agon__report_open(const agon__report_def* def) {
    agon__report* r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->def = *def;
    r->present = cJSON_CreateArray();
    r->struck = cJSON_CreateArray();
    r->gone = cJSON_CreateArray();
    if (!r->present || !r->struck || !r->gone) {
        release(r);
        return NULL;
    }
    for (int i = 0; def->before && i < def->before->count; i++) {
        agon_worker_seen worker = def->before->worker[i];
        worker.worker = worker.running = worker.credit = 0;
        worker.present = false;
        add(r, r->struck, &worker);
    }
    return r;
}

/* When that was, by the clock of people. */
static double moment(const agon__report* r, int64_t ms) {
    return ms > 0 ? r->def.time - 1e-3 * (double)(r->def.now - ms) : 0;
}

static agon_worker_seen convert(const agon__report* r, const agon__worker_row* row) {
    const agon__hello* h = &row->hello;
    const int64_t until = row->present ? r->def.now : row->seen_ms;
    const double seconds = 1e-3 * (double)(until - row->joined_ms);
    agon_worker_seen w = {
        .worker = row->worker,
        .present = row->present,
        .struck = row->struck,
        .pid = h->pid,
        .slots = h->slots,
        .running = row->running,
        .credit = row->credit,
        .strikes = row->strikes,
        .failures = row->failures,
        .tasks = row->tasks,
        .steps = row->steps,
        .steps_per_second = seconds > 0 ? (double)row->steps / seconds : 0,
        .audits = row->audits,
        .lost = row->lost,
        .memory = h->memory,
        .cpu_ms = row->cpu_ms,
        .joined = moment(r, row->joined_ms),
        .seen = moment(r, row->seen_ms),
        .progress = moment(r, row->progress_ms),
    };
    agon__plain_text(w.name, sizeof w.name, h->name);
    agon__plain_text(w.address, sizeof w.address, row->address);
    agon__plain_text(w.build, sizeof w.build, h->build);
    agon__plain_text(w.class, sizeof w.class, h->class);
    agon__plain_text(w.id, sizeof w.id, h->id);
    agon__plain_text(w.token, sizeof w.token, h->token);
    agon__plain_text(w.why, sizeof w.why, row->why);
    return w;
}

/* The process itself and a broker are no workers to be looked at. */
void agon__report_row(void* report, const agon__worker_row* row) {
    agon__report* r = report;
    if (row->worker == AGON__TRUSTED || row->worker == AGON__BROKER)
        return;
    const agon_worker_seen worker = convert(r, row);
    if (r->rows == AGON_MAX_WORKERS) {
        r->left_out++;
        return;
    }
    add(r, row->present ? r->present : row->struck ? r->struck : r->gone, &worker);
    if (row->present || row->struck)
        return;
    if (r->gone_count == AGON__REPORT_GONE) {
        cJSON_DeleteItemFromArray(r->gone, 0);
        r->rows--;
        r->left_out++;
    } else {
        r->gone_count++;
    }
}

/* Moves all of `from` to the end of `to`. */
static void append(cJSON* to, cJSON* from) {
    for (cJSON* item; (item = cJSON_DetachItemFromArray(from, 0));)
        cJSON_AddItemToArray(to, item);
}

static bool fill(agon__report* r, cJSON* all) {
    const agon__scheduler_count* c = &r->def.count;
    const agon_workers_total total = {
        .queued = c->queued,
        .leased = c->leased,
        .checks = c->checks,
        .workers = c->workers,
        .slots = c->slots,
        .struck = c->struck + (r->def.before ? r->def.before->count : 0),
        .done = c->done,
        .duplicates = c->duplicates,
        .conflicts = c->conflicts,
        .lost = c->lost,
        .audited = c->audited,
        .backups = c->backups,
        .steps = c->steps,
    };
    char run[sizeof((agon_workers*)0)->run], listen[sizeof((agon_workers*)0)->listen];
    agon__plain_text(run, sizeof run, r->def.run);
    agon__plain_text(listen, sizeof listen, r->def.listen);
    cJSON* object;
    append(r->present, r->struck);
    append(r->present, r->gone);
    return cJSON_AddNumberToObject(all, "format", AGON_WORKERS_FORMAT) &&
           cJSON_AddNumberToObject(all, "written", r->def.time) &&
           cJSON_AddStringToObject(all, "run", run) &&
           cJSON_AddStringToObject(all, "listen", listen) &&
           (object = cJSON_AddObjectToObject(all, "total")) &&
           agon__workers_write_total(object, &total) &&
           cJSON_AddNumberToObject(all, "left_out", r->left_out);
}

char* agon__report_close(agon__report* r) {
    cJSON* all = cJSON_CreateObject();
    char* text = NULL;
    if (all && !r->failed && fill(r, all) && cJSON_AddItemToObject(all, "workers", r->present)) {
        r->present = NULL; /* it is all's */
        text = cJSON_PrintUnformatted(all);
    }
    cJSON_Delete(all);
    release(r);
    return text;
}

int agon__report_struck(const char* dir, agon_workers* out, agon_error* error) {
    agon_error problem = {0};
    agon_workers all = {0};
    int rc = agon_workers_read(dir, &all, &problem);
    if (rc && rc != AGON_EMISSING) {
        if (error)
            *error = problem;
        return rc;
    }
    int kept = 0;
    for (int i = 0; i < all.count; i++)
        if (all.worker[i].struck)
            all.worker[kept++] = all.worker[i];
    all.count = kept;
    *out = all;
    return AGON_OK;
}
