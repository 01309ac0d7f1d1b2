/* agon export: what a run holds, for other programs. */
#include "tools/export.h"

#include "engine/csv.h"
#include "engine/files.h"
#include "engine/flat.h"
#include "engine/store.h"
#include "engine/tensorboard.h"
#include "tools/command.h"
#include "tools/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* DIR/NAME into path: (AGON_PATH_SIZE). */
static int join_path(const char* dir, const char* name, char* path, agon_error* error) {
    if (snprintf(path, AGON_PATH_SIZE, "%s/%s", dir, name) >= AGON_PATH_SIZE)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long: at most %d bytes", dir,
                         AGON_PATH_SIZE - 1);
    return AGON_OK;
}

static int read_metrics(const char* run, agon_flat* out, agon_error* error) {
    char path[AGON_PATH_SIZE];
    int rc = join_path(run, "metrics.jsonl", path, error);
    if (!rc)
        rc = agon_flat_read(path, out, error);
    if (rc == AGON_EMISSING)
        return agon_hint(error,
                         "RUN is a directory made by 'agon train'; it has this file from its "
                         "first measured generation on");
    return rc;
}

/* ---- TensorBoard -------------------------------------------------------------------------- */

/* Seconds of training until each line's generation: timing.jsonl, which begins anew whenever the
 * run was resumed. 0 where it does not say. Never the clock: equal runs give equal steps. */
static double seconds_until(const agon_flat* timing, double generation) {
    const int at_generation = agon_flat_find(timing, "generation"),
              at_seconds = agon_flat_find(timing, "seconds");
    double before = 0, last = 0, found = 0;
    for (int r = 0; at_generation >= 0 && at_seconds >= 0 && r < timing->rows; r++) {
        const agon_flat_cell* row = timing->cell + (size_t)r * (size_t)timing->columns;
        const double seconds = row[at_seconds].number;
        if (isnan(seconds))
            continue;
        if (seconds < last)
            before += last;
        last = seconds;
        if (row[at_generation].number == generation)
            found = before + seconds;
    }
    return found;
}

static void add_events(agon_events* events, const agon_flat* metrics, const agon_flat* timing) {
    const int steps = agon_flat_find(metrics, "steps"),
              generation = agon_flat_find(metrics, "generation");
    for (int r = 0; r < metrics->rows; r++) {
        const agon_flat_cell* row = metrics->cell + (size_t)r * (size_t)metrics->columns;
        const double step = steps >= 0 ? row[steps].number : (double)r;
        const double seconds = generation >= 0 ? seconds_until(timing, row[generation].number) : 0;
        for (int c = 0; c < metrics->columns; c++)
            if (!metrics->column[c].listed && !isnan(row[c].number) && step >= 0 && step < 0x1p62)
                agon_events_scalar(events, metrics->column[c].path, (int64_t)step, seconds,
                                   (float)row[c].number);
    }
}

int agon_export_tensorboard(const char* run, const char* dir, bool quiet, agon_error* error) {
    char path[AGON_PATH_SIZE];
    agon_flat metrics = {0}, timing = {0};
    agon_events* events = agon_events_open();
    int rc = events ? read_metrics(run, &metrics, error)
                    : agon_fail(error, AGON_EMEMORY, "no memory for events");
    if (!rc)
        rc = join_path(run, "timing.jsonl", path, error);
    /* A run without timing is exported without times. */
    if (!rc && agon_flat_read(path, &timing, NULL) != AGON_OK)
        timing = (agon_flat){0};
    if (!rc) {
        add_events(events, &metrics, &timing);
        rc = agon_events_write(events, dir, path, error);
    }
    if (!rc && !quiet)
        printf("%s  %d scalars of %d generations\n", path, agon_events_count(events), metrics.rows);
    agon_events_close(events);
    agon_flat_clear(&metrics);
    agon_flat_clear(&timing);
    return rc;
}

/* ---- CSV ---------------------------------------------------------------------------------- */

/* A file being made in memory, so that it appears whole or not at all. */
typedef struct page {
    FILE* file;
    char* bytes;
    size_t size;
} page;

static int page_open(page* p, agon_error* error) {
    *p = (page){0};
    p->file = open_memstream(&p->bytes, &p->size);
    return p->file ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for a table");
}

/* Writes the page as DIR/NAME unless `rc` says that it failed. */
static int page_close(page* p, int rc, const char* dir, const char* name, bool quiet,
                      agon_error* error) {
    char path[AGON_PATH_SIZE];
    const int broken = ferror(p->file);
    if ((fclose(p->file) != 0 || broken) && !rc)
        rc = agon_fail(error, AGON_EMEMORY, "no memory for %s", name);
    if (!rc)
        rc = join_path(dir, name, path, error);
    if (!rc)
        rc = agon_file_write(path, p->bytes, p->size, error);
    if (!rc && !quiet)
        printf("%s\n", path);
    free(p->bytes);
    return rc;
}

static void put_metrics(FILE* file, const agon_flat* m) {
    agon_csv_out out = {.file = file};
    for (int c = 0; c < m->columns; c++)
        agon_csv_put_text(&out, m->column[c].path);
    agon_csv_end_line(&out);
    for (int r = 0; r < m->rows; r++) {
        const agon_flat_cell* row = m->cell + (size_t)r * (size_t)m->columns;
        for (int c = 0; c < m->columns; c++) {
            if (row[c].text)
                agon_csv_put_text(&out, row[c].text);
            else
                agon_csv_put_real(&out, row[c].number);
        }
        agon_csv_end_line(&out);
    }
}

static int export_metrics(const char* run, const char* dir, bool quiet, agon_error* error) {
    agon_flat metrics;
    page p;
    int rc = read_metrics(run, &metrics, error);
    if (rc)
        return rc;
    rc = page_open(&p, error);
    if (!rc) {
        put_metrics(p.file, &metrics);
        rc = page_close(&p, AGON_OK, dir, "metrics.csv", quiet, error);
    }
    agon_flat_clear(&metrics);
    return rc;
}

static int export_tables(const char* run, const char* dir, bool quiet, agon_error* error) {
    static const char* const tables[] = {"train", "match", "probe"};
    agon_store* store = NULL;
    agon_config config;
    int rc = agon_store_open(run, false, &store, &config, error);
    if (rc)
        return rc;
    for (int t = 0; !rc && t < 3; t++) {
        char name[32];
        page p;
        snprintf(name, sizeof name, "%s.csv", tables[t]);
        rc = page_open(&p, error);
        if (!rc)
            rc = page_close(&p, agon_store_write_csv(store, tables[t], p.file, error), dir, name,
                            quiet, error);
    }
    agon_store_close(store);
    return rc;
}

int agon_export_csv(const char* run, const char* dir, bool quiet, agon_error* error) {
    int rc = agon_dir_make(dir, error);
    if (!rc)
        rc = export_tables(run, dir, quiet, error);
    return rc ? rc : export_metrics(run, dir, quiet, error);
}

/* ---- the command -------------------------------------------------------------------------- */

/* A whole number in [low, 2^31), or `fallback` where none is given; -2: a usage error was said. */
static int read_whole(const char* name, const char* text, int low, int fallback) {
    char* end;
    if (!text)
        return fallback;
    const long value = strtol(text, &end, 10);
    if (end == text || *end || value < low || value > INT32_MAX) {
        agon_ui_usage("export", "%s is '%s', expected a whole number, %d or more", name, text, low);
        return -2;
    }
    return (int)value;
}

int agon_cmd_export(int argc, char** argv) {
    const char *tensorboard = NULL, *csv = NULL, *games = NULL, *at = NULL, *count = NULL;
    bool quiet = false;
    agon_error error = {0};
    int words, rc = AGON_OK;
    const agon_option options[] = {{"--tensorboard", NULL, &tensorboard},
                                   {"--csv", NULL, &csv},
                                   {"--games", NULL, &games},
                                   {"--at", NULL, &at},
                                   {"--count", NULL, &count},
                                   {"--quiet", &quiet, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 6, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("export", "expected one run directory; got %d words", words);
    if (!tensorboard && !csv && !games)
        return agon_ui_usage("export",
                             "say where to: --csv DIR, --tensorboard DIR or --games FILE");
    if (!games && (at || count))
        return agon_ui_usage("export", "%s goes with --games", at ? "--at" : "--count");
    const int generation = read_whole("--at", at, 0, -1),
              many = read_whole("--count", count, 1, 100);
    if (generation == -2 || many == -2)
        return AGON_EXIT_USAGE;
    if (csv)
        rc = agon_export_csv(argv[1], csv, quiet, &error);
    if (!rc && tensorboard)
        rc = agon_export_tensorboard(argv[1], tensorboard, quiet, &error);
    if (!rc && games)
        rc = agon_export_games(argv[1], games, generation, many, quiet, &error);
    return rc ? agon_ui_error(&error) : agon_ui_finish(AGON_EXIT_OK);
}
