/* report.h: writing workers.json (workers.h), and what a later process learns from it. */
#ifndef AGON_REPORT_H
#define AGON_REPORT_H

#include "net/scheduler.h"
#include "net/workers.h"

#define AGON__REPORT_GONE 1000 /* workers that are gone and not struck: the newest are listed */

typedef struct agon__report agon__report;

typedef struct agon__report_def {
    const char *run, *listen;
    int64_t now; /* of the scheduler's clock, milliseconds */
    double time; /* the same moment, seconds since 1970 */
    agon__scheduler_count count;
    const agon_workers* before; /* struck in earlier processes: listed again; NULL: none */
} agon__report_def;

/* In this order: open, agon__scheduler_each(scheduler, agon__report_row, report), close. What def
 * names is borrowed until close. NULL: no memory. */
agon__report* agon__report_open(const agon__report_def* def);
void agon__report_row(void* report, const agon__worker_row* row);
/* The text, malloc'd, the caller's; NULL: no memory. */
char* agon__report_close(agon__report* report);

/* Those that workers.json of `dir` says are struck, for agon__scheduler_ban; none without the file.
 * Everybody else is left out. A damaged file is AGON_EFORMAT: who was struck must not be forgotten
 * unseen. */
int agon__report_struck(const char* dir, agon_workers* out, agon_error* error);

/* Internal to this and workers.c: a record to a JSON object. false: no memory. */
struct cJSON;
bool agon__worker_write(struct cJSON* object, const agon_worker_seen* worker);
bool agon__workers_write_total(struct cJSON* object, const agon_workers_total* total);
/* Copies text as printable ASCII, '?' for what is not. */
void agon__plain_text(char* out, size_t size, const char* text);

#endif
