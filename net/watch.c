#include "net/watch.h"

#include "net/exposition.h"
#include "net/prometheus.h"
#include "net/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVERY_MS 2000

struct agon__watch {
    const agon_cluster_def* def;
    const char* address;
    agon__scheduler* scheduler;
    agon__prometheus* page;
    agon_workers before; /* struck in earlier processes */
    int64_t written_ms;  /* of the last workers.json; 0: none yet */
};

static void fill(void* user, FILE* out) {
    const agon__watch* w = user;
    const agon__scheduler_count count = agon__scheduler_now(w->scheduler);
    agon__exposition_counts(out, &count);
    agon__exposition_workers(out, w->scheduler, agon__scheduler_each);
}

/* Whoever gave wrong results once stays away when the run goes on. */
static int ban_struck(agon__watch* w, agon_error* error) {
    const int rc = w->def->run[0] ? agon__report_struck(w->def->run, &w->before, error) : AGON_OK;
    for (int i = 0; !rc && i < w->before.count; i++) {
        const agon_worker_seen* x = &w->before.worker[i];
        if (agon__scheduler_ban(w->scheduler, x->id, x->token, x->why) != AGON_OK)
            return agon_fail(error, AGON_EMEMORY, "no memory for the workers that were struck");
    }
    return rc;
}

int agon__watch_open(uv_loop_t* loop, const agon_cluster_def* def, const char* address,
                     agon__scheduler* scheduler, agon__watch** out, agon_error* error) {
    agon__watch* w = calloc(1, sizeof *w);
    if (!w)
        return agon_fail(error, AGON_EMEMORY, "no memory to watch workers");
    w->def = def;
    w->address = address;
    w->scheduler = scheduler;
    int rc = ban_struck(w, error);
    if (!rc && def->metrics[0])
        rc = agon__prometheus_open(loop, def->metrics, fill, w, &w->page, error);
    if (rc)
        agon__watch_close(w);
    else
        *out = w;
    return rc;
}

static double seconds_since_1970(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

char* agon__watch_workers(agon__watch* w, int64_t now, bool last) {
    if (!last && w->written_ms && now - w->written_ms < EVERY_MS)
        return NULL;
    const agon__report_def def = {
        .run = w->def->run,
        .listen = w->address,
        .now = now,
        .time = seconds_since_1970(),
        .count = agon__scheduler_now(w->scheduler),
        .before = &w->before,
    };
    w->written_ms = now;
    agon__report* report = agon__report_open(&def);
    if (!report)
        return NULL;
    agon__scheduler_each(w->scheduler, agon__report_row, report);
    return agon__report_close(report);
}

void agon__watch_line(const agon__watch* w, char* out, size_t size) {
    const agon__scheduler_count n = agon__scheduler_now(w->scheduler);
    int used = snprintf(out, size, "%d with %d places, %d tasks out", n.workers, n.slots, n.leased);
    if (n.lost && (size_t)used < size)
        used +=
            snprintf(out + used, size - (size_t)used, ", %llu lost", (unsigned long long)n.lost);
    if (n.audited && (size_t)used < size)
        used += snprintf(out + used, size - (size_t)used, ", %llu audited",
                         (unsigned long long)n.audited);
    if (n.struck && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, ", %d struck", n.struck);
}

void agon__watch_shut(agon__watch* w) {
    if (w->page)
        agon__prometheus_shut(w->page);
}

void agon__watch_close(agon__watch* w) {
    if (!w)
        return;
    if (w->page)
        agon__prometheus_close(w->page);
    agon_workers_clear(&w->before);
    free(w);
}
