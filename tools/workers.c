/* agon workers: who works for a run, how fast, and whose results are not believed. Reads the run's
 * workers.json, which the run writes every two seconds. */
#include "net/workers.h"
#include "engine/files.h"
#include "tools/command.h"
#include "tools/panel.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { GONE_SHOWN = 20 }; /* workers that are gone; all of them by --json */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "7 s", "12 min", "5 h", "3 d". */
static void describe_age(double seconds, char out[16]) {
    if (seconds < 0)
        seconds = 0;
    if (seconds < 100)
        snprintf(out, 16, "%.0f s", seconds);
    else if (seconds < 100 * 60)
        snprintf(out, 16, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600)
        snprintf(out, 16, "%.0f h", seconds / 3600);
    else
        snprintf(out, 16, "%.0f d", seconds / 86400 < 1e6 ? seconds / 86400 : 1e6);
}

/* "agon 0.1.0 (commit 0123456789ab)" as "0.1.0 0123456789ab". */
static void describe_build(const char* build, char out[64]) {
    char version[32], commit[32];
    if (sscanf(build, "agon %31s (commit %31[^)])", version, commit) == 2)
        snprintf(out, 64, "%s %s", version, commit);
    else
        snprintf(out, 64, "%.63s", build);
}

/* ---- the table ---------------------------------------------------------------------------- */

static const char head[] = "held/slots   tasks  steps/s  audits  strikes  lost  failed  progress";

static void print_head(void) {
    printf("%s ", agon_ui_colour(stdout, AGON_DIM));
    agon_ui_cell(stdout, "worker", 16);
    printf("  %s  ", head);
    agon_ui_cell(stdout, "version", 19);
    printf(" address%s\n", agon_ui_colour(stdout, AGON_PLAIN));
}

static void print_row(const agon_workers* all, const agon_worker_seen* w) {
    char busy[32], tasks[16], rate[16], age[16] = "-", build[64];
    const bool dim = !w->present && !w->struck;
    snprintf(busy, sizeof busy, "%d/%d", w->running, w->slots);
    agon_panel_count((double)w->tasks, tasks);
    agon_panel_count(w->steps_per_second, rate);
    if (w->progress > 0)
        describe_age(all->written - w->progress, age);
    describe_build(w->build, build);
    printf("%s ", dim         ? agon_ui_colour(stdout, AGON_DIM)
                  : w->struck ? agon_ui_colour(stdout, AGON_RED)
                              : "");
    agon_ui_cell(stdout, w->name, 16);
    printf("  %10s %7s %8s %7llu %8d %5llu %7d  %8s  ", busy, tasks, rate,
           (unsigned long long)w->audits, w->strikes, (unsigned long long)w->lost, w->failures,
           age);
    agon_ui_cell(stdout, build, 19);
    printf(" %s%s\n", w->address, dim || w->struck ? agon_ui_colour(stdout, AGON_PLAIN) : "");
}

static void print_struck(const agon_workers* all) {
    bool any = false;
    for (int i = 0; i < all->count; i++) {
        const agon_worker_seen* w = &all->worker[i];
        if (!w->struck)
            continue;
        if (!any)
            printf("\n struck: nothing of theirs is believed, and they get no more tasks\n");
        any = true;
        printf("  %s (%s, token %s): ", w->name, w->address, w->token);
        agon_ui_wrapped(stdout, w->why, 4);
    }
}

static void print_totals(const agon_workers* all) {
    const agon_workers_total* t = &all->total;
    char done[16], steps[16];
    agon_panel_count((double)t->done, done);
    agon_panel_count((double)t->steps, steps);
    printf("\n %d workers, %d slots, %d struck   %d tasks out, %d waiting, %d being checked\n"
           " %s tasks done, %s agent-steps   %llu leases lost, %llu backups, %llu duplicates, "
           "%llu conflicts, %llu audits\n",
           t->workers, t->slots, t->struck, t->leased, t->queued, t->checks, done, steps,
           (unsigned long long)t->lost, (unsigned long long)t->backups,
           (unsigned long long)t->duplicates, (unsigned long long)t->conflicts,
           (unsigned long long)t->audited);
}

static int count_gone(const agon_workers* all) {
    int gone = 0;
    for (int i = 0; i < all->count; i++)
        gone += !all->worker[i].present && !all->worker[i].struck;
    return gone;
}

static void print_table(const agon_workers* all) {
    char age[16];
    const double since = now() - all->written;
    describe_age(since, age);
    printf(" %s   %s   last written %s ago%s\n\n", all->run, all->listen, age,
           since > 15 ? ": the run is not going on" : "");
    const int hidden = count_gone(all) - GONE_SHOWN;
    int gone = 0;
    if (all->count)
        print_head();
    for (int i = 0; i < all->count; i++) {
        const agon_worker_seen* w = &all->worker[i];
        if (w->present || w->struck || gone++ >= hidden) /* the newest come last */
            print_row(all, w);
    }
    if (hidden > 0 || all->left_out)
        printf(" and %d that are gone%s\n", (hidden > 0 ? hidden : 0) + all->left_out,
               hidden > 0 ? " (--json lists the newest)" : "");
    if (!all->count)
        printf(" no worker has connected yet: agon worker --connect %s\n", all->listen);
    print_totals(all);
    print_struck(all);
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool is_there(const char* dir, const char* name) {
    char path[AGON_PATH_SIZE];
    struct stat facts;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &facts) == 0;
}

static int no_workers(const char* dir, bool json) {
    agon_error error;
    if (!is_there(dir, "run.db")) {
        agon_fail(&error, AGON_EMISSING, "'%.200s' is no run: it has no run.db", dir);
        agon_hint(&error, "RUN is a directory made by 'agon train'");
        return agon_ui_error(&error);
    }
    if (json)
        printf("{\"workers\":[]}\n");
    else
        printf(" %s has had no workers: its tasks run in the process that trains.\n"
               " Workers are for: agon train ... --listen tcp://127.0.0.1:7766\n",
               dir);
    return AGON_EXIT_OK;
}

/* *written: of what was shown last; the same file is not shown twice but on a terminal, where its
 * age is news. */
static int show(const char* dir, bool json, bool again, double* written) {
    agon_error error = {0};
    agon_workers all = {0};
    char path[AGON_PATH_SIZE];
    uint8_t* text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, AGON_WORKERS_FILE);
    int rc = agon_file_read(path, 64u << 20, &text, &size, &error);
    if (rc == AGON_EMISSING)
        return no_workers(dir, json);
    if (!rc)
        rc = agon_workers_parse((const char*)text, size, path, &all, &error);
    if (!rc && json && (all.written != *written || !again))
        printf("%s\n", (const char*)text);
    else if (!rc && !json && (all.written != *written || isatty(STDOUT_FILENO)))
        print_table(&all);
    *written = all.written;
    free(text);
    agon_workers_clear(&all);
    return rc ? agon_ui_error(&error) : AGON_EXIT_OK;
}

static int watch(const char* dir, bool json) {
    const struct timespec pause = {1, 0};
    const bool redraw = !json && agon_ui_colours(stdout);
    double written = 0;
    for (int code;; nanosleep(&pause, NULL)) {
        if (redraw)
            printf("\033[H\033[J");
        code = show(dir, json, true, &written);
        if (code || fflush(stdout) != 0)
            return code;
    }
}

int agon_cmd_workers(int argc, char** argv) {
    bool json = false, watching = false;
    double written = 0;
    int words = 0;
    const agon_option known[] = {{"--json", &json, NULL}, {"--watch", &watching, NULL}};
    const int code = agon_ui_options(argc, argv, known, 2, &words);
    if (code)
        return code;
    if (words < 1)
        return agon_ui_usage("workers", "a run is missing");
    if (words > 1)
        return agon_ui_usage("workers", "'%s' is one word too many", argv[2]);
    if (watching)
        return watch(argv[1], json);
    return agon_ui_finish(show(argv[1], json, false, &written));
}
