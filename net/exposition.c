#include "net/exposition.h"

#include <inttypes.h>

static void begin(FILE* out, const char* name, const char* type, const char* help) {
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metric(FILE* out, const char* name, const char* type, const char* help,
                   uint64_t value) {
    begin(out, name, type, help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static uint64_t natural(int value) {
    return value < 0 ? 0 : (uint64_t)value;
}

void agon__exposition_counts(FILE* out, const agon__scheduler_count* c) {
    metric(out, "agon_tasks_done_total", "counter", "Tasks whose result was accepted.", c->done);
    metric(out, "agon_tasks_queued", "gauge", "Tasks that wait for a worker.", natural(c->queued));
    metric(out, "agon_tasks_leased", "gauge", "Tasks that workers run.", natural(c->leased));
    metric(out, "agon_tasks_failing", "gauge", "Tasks that failed once and are tried elsewhere.",
           natural(c->failing));
    metric(out, "agon_workers", "gauge", "Workers that are connected.", natural(c->workers));
    metric(out, "agon_worker_slots", "gauge", "Tasks that they run at a time.", natural(c->slots));
    metric(out, "agon_workers_struck", "gauge", "Workers whose results are not believed.",
           natural(c->struck));
    metric(
        out, "agon_leases_lost_total", "counter",
        "Leases that ended without a result: their worker left, fell silent or made no progress.",
        c->lost);
    metric(out, "agon_backups_total", "counter", "Slow tasks that were leased once more.",
           c->backups);
    metric(out, "agon_results_duplicate_total", "counter", "Results equal to one accepted before.",
           c->duplicates);
    metric(out, "agon_results_conflict_total", "counter",
           "Results that differ from another one of the same task.", c->conflicts);
    metric(out, "agon_audits_total", "counter", "Results that were executed again and compared.",
           c->audited);
    metric(out, "agon_audits_pending", "gauge", "Results that are being executed again.",
           natural(c->checks));
    metric(out, "agon_agent_steps_total", "counter", "Agent-steps of accepted results.", c->steps);
}

/* ---- per worker --------------------------------------------------------------------------- */

typedef struct pass {
    FILE* out;
    const char* name;
    uint64_t (*value)(const agon__worker_row* row);
    int shown;
} pass;

/* A backslash, a quote or the end of a line would end the label; other control characters and what
 * is not ASCII have no place in a name. */
static void put_label(FILE* out, const char* text) {
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            fputc('\\', out);
        fputc(*text >= 0x20 && *text <= 0x7e ? *text : '?', out);
    }
}

/* Names may be equal; with the worker's number a series is one worker's. */
static void put_row(void* user, const agon__worker_row* row) {
    pass* p = user;
    if (!row->present || row->worker == AGON__TRUSTED || row->worker == AGON__BROKER ||
        p->shown == AGON__EXPOSED)
        return;
    p->shown++;
    fprintf(p->out, "%s{worker=\"", p->name);
    put_label(p->out, row->hello.name);
    fprintf(p->out, "\",number=\"%d\"} %" PRIu64 "\n", row->worker, p->value(row));
}

static uint64_t tasks(const agon__worker_row* row) {
    return row->tasks;
}

static uint64_t steps(const agon__worker_row* row) {
    return row->steps;
}

static uint64_t running(const agon__worker_row* row) {
    return natural(row->running);
}

static uint64_t lost(const agon__worker_row* row) {
    return row->lost;
}

static uint64_t failures(const agon__worker_row* row) {
    return natural(row->failures);
}

void agon__exposition_workers(FILE* out, const agon__scheduler* s, agon__each_worker* each) {
    static const struct {
        const char *name, *type, *help;
        uint64_t (*value)(const agon__worker_row* row);
    } metrics[] = {
        {"agon_worker_tasks_total", "counter", "Tasks accepted from a worker.", tasks},
        {"agon_worker_agent_steps_total", "counter", "Agent-steps accepted from a worker.", steps},
        {"agon_worker_tasks_running", "gauge", "Tasks that a worker runs.", running},
        {"agon_worker_leases_lost_total", "counter", "Leases that a worker lost.", lost},
        {"agon_worker_failures_total", "counter", "Tasks that a worker could not do.", failures},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        pass p = {out, metrics[i].name, metrics[i].value, 0};
        begin(out, metrics[i].name, metrics[i].type, metrics[i].help);
        each(s, put_row, &p);
    }
}
