#include "engine/training_resume.h"

#include "engine/files.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how far ------------------------------------------------------------------------------ */

typedef struct tally {
    int generations; /* beyond the last */
    int* done;       /* (generations) results without the closing evaluation */
    int all;
} tally;

static void count(void* user, int generation, bool final) {
    tally* c = user;
    c->all++;
    if (!final && generation >= 0 && generation < c->generations)
        c->done[generation]++;
}

/* Keys are unique, so a generation with as many results as tasks has them all. */
static int complete_below(const agon_population* p, const int* done) {
    int g = 0;
    while (g < p->config->train.generations && done[g] >= agon_population_tasks_of(p, g))
        g++;
    return g;
}

static int find_cursor(agon_training* t, int* results, agon_error* error) {
    tally c = {.generations = t->config.train.generations + 1};
    int rc = AGON_OK;
    c.done = calloc((size_t)c.generations, sizeof *c.done);
    if (!c.done)
        return agon_fail(error, AGON_EMEMORY, "no memory to look through %d generations",
                         c.generations);
    for (int kind = AGON_TRAIN; !rc && kind <= AGON_PROBE; kind++)
        rc = agon_store_generations(t->store, (agon_task_kind)kind, count, &c, error);
    if (!rc)
        t->population.cursor = complete_below(&t->population, c.done);
    *results = c.all;
    free(c.done);
    return rc;
}

/* ---- what is remembered ------------------------------------------------------------------- */

static int read_result(void* user, agon_task_kind kind, const char* key, agon_result* out,
                       agon_error* error) {
    return agon_store_find(user, kind, key, out, error);
}

static int remember(void* user, const agon_result* result, const agon_task* task) {
    (void)task;
    return agon_record_add(user, result);
}

static int remember_span(agon_training* t, int first, int last, agon_error* error) {
    int rc = AGON_OK;
    for (int kind = AGON_TRAIN; !rc && kind <= AGON_PROBE; kind++)
        rc = agon_store_each_of(t->store, (agon_task_kind)kind, first, last, remember,
                                t->population.record, error);
    return rc;
}

int agon__training_remember(agon_training* t, agon_error* error) {
    agon_record* record = t->population.record;
    int first, also, results = 0;
    agon_record_source(record, read_result, t->store);
    int rc = find_cursor(t, &results, error);
    if (rc)
        return rc;
    agon_population_needs(&t->population, &first, &also);
    rc = remember_span(t, first, INT_MAX, error);
    if (!rc && also >= 0 && also < first)
        rc = remember_span(t, also, also, error);
    if (rc == AGON_EMEMORY)
        agon_fail(error, rc, "no memory to read the results of %s", agon_store_dir(t->store));
    if (rc)
        return rc;
    agon_record_keep(record, first, also);
    agon_record_assume(record, results);
    t->trained = t->population.cursor - 1;
    while (t->trained < t->config.train.generations &&
           agon_population_trained(&t->population, t->trained + 1))
        t->trained++;
    return AGON_OK;
}

/* ---- metrics.jsonl ------------------------------------------------------------------------ */

int agon__training_next_measured(const agon_training* t) {
    int g = t->measured + 1;
    while (g <= t->config.train.generations && !agon_population_measures(&t->population, g))
        g++;
    return g;
}

int agon__training_line(const agon_training* t, int generation, char** line,
                        agon_measurement* measured, agon_error* error) {
    agon_measurement m;
    const int rc = agon_measure(&t->population, generation, &m, error);
    if (rc)
        return rc;
    *line = agon_measurement_line(&t->population, &m);
    if (measured && *line)
        *measured = m;
    else
        agon_measurement_clear(&m);
    return *line ? AGON_OK
                 : agon_fail(error, AGON_EMEMORY, "no memory for the metrics of generation %d",
                             generation);
}

static bool rows_measure(const agon_training* t, int generation) {
    const agon_population* p = &t->population;
    return generation <= t->config.train.generations &&
           (generation < p->cursor ||
            (agon_population_trained(p, generation) && agon_population_measured(p, generation)));
}

/* What a file holds from its beginning: whole lines of the measured generations, in turn. */
typedef struct kept {
    char *first, *last; /* with newlines; owned; last: NULL when there is one alone */
    int first_generation, last_generation;
    uint64_t bytes;
} kept;

static bool is_line_of(int generation, const char* line, ssize_t length) {
    char start[40];
    const int size = snprintf(start, sizeof start, "{\"generation\":%d,", generation);
    if (length <= size || strlen(line) != (size_t)length || line[length - 1] != '\n' ||
        strncmp(line, start, (size_t)size) != 0)
        return false;
    cJSON* whole = cJSON_ParseWithOpts(line, NULL, 1);
    cJSON_Delete(whole);
    return whole != NULL;
}

static void read_lines(const agon_training* t, FILE* in, kept* k) {
    agon_training at = *t; /* its `measured` alone moves */
    char* line = NULL;
    size_t room = 0;
    for (;;) {
        const int g = agon__training_next_measured(&at);
        const ssize_t length = getline(&line, &room, in);
        if (length < 0 || !is_line_of(g, line, length) || !rows_measure(t, g))
            break;
        if (k->first) {
            free(k->last);
            k->last = line;
            k->last_generation = g;
        } else {
            k->first = line;
            k->first_generation = g;
        }
        line = NULL;
        room = 0;
        k->bytes += (uint64_t)length;
        at.measured = g;
    }
    free(line);
}

/* Do the rows say this line? 1, 0 or a code. */
static int is_true(const agon_training* t, int generation, const char* line, agon_error* error) {
    char* said = NULL;
    const size_t length = strlen(line) - 1;
    if (!agon_population_trained(&t->population, generation) ||
        !agon_population_measured(&t->population, generation))
        return 0;
    const int rc = agon__training_line(t, generation, &said, NULL, error);
    const int same = !rc && strlen(said) == length && memcmp(said, line, length) == 0;
    free(said);
    return rc ? rc : same;
}

/* Leaves what can be believed of the file, and sets t->measured to its last line. */
static int keep_lines(agon_training* t, agon_error* error) {
    char path[AGON_PATH_SIZE];
    kept k = {0};
    snprintf(path, sizeof path, "%s/metrics.jsonl", agon_store_dir(t->store));
    FILE* in = fopen(path, "re");
    if (!in && errno != ENOENT)
        return agon_file_fail(error, errno, "cannot read", path);
    if (in) {
        read_lines(t, in, &k);
        fclose(in);
    }
    int same = k.first ? is_true(t, k.first_generation, k.first, error) : 0;
    if (same == 1 && k.last)
        same = is_true(t, k.last_generation, k.last, error);
    if (same == 1)
        t->measured = k.last ? k.last_generation : k.first_generation;
    free(k.first);
    free(k.last);
    return same < 0 ? same
                    : agon_store_cut_file(t->store, "metrics.jsonl", same ? k.bytes : 0, error);
}

int agon__training_settle_metrics(agon_training* t, agon_error* error) {
    int first, also, rc = keep_lines(t, error);
    agon_population_needs(&t->population, &first, &also);
    for (int g = agon__training_next_measured(t); !rc && rows_measure(t, g);
         g = agon__training_next_measured(t)) {
        char* line = NULL;
        if (!agon_population_trained(&t->population, g) ||
            !agon_population_measured(&t->population, g))
            break; /* it could not be read */
        rc = agon__training_line(t, g, &line, NULL, error);
        if (!rc)
            rc = agon_store_append_line(t->store, "metrics.jsonl", line, error);
        free(line);
        t->measured = g;
        agon_record_keep(t->population.record, first, also);
    }
    return rc ? rc : agon_record_failure(t->population.record, error);
}
