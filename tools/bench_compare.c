/* bench_compare.c: figures of now beside those of an earlier record, as a table. */
#include "tools/bench.h"

#include "agents/backend.h"
#include "engine/files.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct figure {
    char bench[32], name[256]; /* name: all that names it, to match and to print */
    char ratio_of[32];         /* what `ratio` is; empty: none */
    double ratio, rate, low, high;
    char backend[64], cpu[64];
    bool met;   /* by one of now */
    bool asked; /* others of its part were measured now */
} figure;

struct agon_bench_record {
    char path[256];
    figure* figure; /* (count) */
    int count;
    bool narrow; /* a figure of now was not in it */
};

/* ---- a line -----------------------------------------------------------------------------------
 */

static bool starts(const char* text, const char* start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_ratio(const char* key) {
    return starts(key, "share_") || starts(key, "ratio_");
}

static bool is_rate(const char* key) {
    static const char end[] = "_per_second";
    const size_t length = strlen(key), tail = sizeof end - 1;
    return length > tail && strcmp(key + length - tail, end) == 0;
}

/* A file's text may hold anything; a terminal gets letters. */
static void copy_plain(char* out, size_t size, const char* text) {
    size_t n = 0;
    for (; text[n] && n + 1 < size; n++)
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    out[n] = '\0';
}

static void add_name(figure* f, const cJSON* item) {
    const size_t used = strlen(f->name), left = sizeof f->name - used;
    const char* key = item->string;
    char text[200];
    if (cJSON_IsString(item))
        copy_plain(text, sizeof text, item->valuestring);
    else
        snprintf(text, sizeof text, "%.60s %.6g", key, item->valuedouble);
    snprintf(f->name + used, left, "%s%s", used ? ", " : "", text);
}

static void read_text(const cJSON* line, const char* key, char* out, size_t size) {
    const cJSON* item = cJSON_GetObjectItemCaseSensitive(line, key);
    copy_plain(out, size, cJSON_IsString(item) ? item->valuestring : "unknown");
}

/* NaN: no such number. */
static double read_number(const cJSON* line, const char* key) {
    const cJSON* item = cJSON_GetObjectItemCaseSensitive(line, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* The first of these that a line has is what its figure is judged by. */
static void read_ratio(const cJSON* line, figure* f) {
    static const char* const floors[] = {"ratio_to_openblas", "ratio_to_libuv",
                                         "share_of_write_fsync", "share_of_peak", "share_of_copy"};
    for (size_t i = 0; !f->ratio_of[0] && i < sizeof floors / sizeof *floors; i++) {
        f->ratio = read_number(line, floors[i]);
        if (f->ratio > 0 && isfinite(f->ratio))
            snprintf(f->ratio_of, sizeof f->ratio_of, "%s", floors[i]);
    }
}

/* What a line says; NULL, or why it is no figure. */
static const char* read_members(const cJSON* line, figure* f) {
    const cJSON* item = cJSON_IsObject(line) ? line->child : NULL;
    if (!item || strcmp(item->string, "bench") != 0 || !cJSON_IsString(item))
        return "it does not begin with {\"bench\":\"NAME\"";
    *f = (figure){0};
    copy_plain(f->bench, sizeof f->bench, item->valuestring);
    for (; item && !is_ratio(item->string) && !is_rate(item->string); item = item->next) {
        if (!cJSON_IsString(item) && !cJSON_IsNumber(item))
            return "a name is neither text nor number";
        add_name(f, item);
    }
    while (item && !is_rate(item->string))
        item = item->next;
    f->rate = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    f->low = read_number(line, "low");
    f->high = read_number(line, "high");
    if (!(f->low > 0 && f->low <= f->rate && f->rate <= f->high && isfinite(f->high)))
        return "it has no rate (..._per_second) between low and high, all above 0";
    read_ratio(line, f);
    read_text(line, "backend", f->backend, sizeof f->backend);
    read_text(line, "cpu", f->cpu, sizeof f->cpu);
    return NULL;
}

static const char* read_figure(const char* text, size_t size, figure* f) {
    cJSON* line = cJSON_ParseWithLength(text, size);
    const char* why = line ? read_members(line, f) : "it is not JSON";
    cJSON_Delete(line);
    return why;
}

/* ---- a record ---------------------------------------------------------------------------------
 */

static int add_figure(agon_bench_record* r, const figure* f, agon_error* error) {
    if ((r->count & (r->count - 1)) == 0) { /* full: room doubles at powers of two */
        const size_t room = r->count ? 2 * (size_t)r->count : 1;
        figure* more = realloc(r->figure, room * sizeof *more);
        if (!more)
            return agon_fail(error, AGON_EMEMORY, "no memory for %zu figures", room);
        r->figure = more;
    }
    r->figure[r->count++] = *f;
    return AGON_OK;
}

static int read_lines(agon_bench_record* r, const char* text, size_t size, agon_error* error) {
    int rc = AGON_OK, number = 1;
    for (const char *at = text, *end = text + size; !rc && at < end; number++) {
        const char* stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((stop ? stop : end) - at);
        figure f;
        if (length) {
            const char* why = read_figure(at, length, &f);
            if (why) {
                agon_fail(error, AGON_EFORMAT, "%s, line %d: no figure: %s", r->path, number, why);
                return agon_hint(error, "a record is what 'agon bench ... > FILE' writes");
            }
            rc = add_figure(r, &f, error);
        }
        at += length + 1;
    }
    if (!rc && !r->count) {
        agon_fail(error, AGON_EFORMAT, "%s has no figures", r->path);
        rc = agon_hint(error, "a record is what 'agon bench ... > FILE' writes");
    }
    return rc;
}

int agon_bench_record_read(const char* path, agon_bench_record** out, agon_error* error) {
    const size_t limit = (size_t)16 << 20;
    uint8_t* text = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, limit, &text, &size, error);
    if (rc)
        return rc;
    agon_bench_record* r = calloc(1, sizeof *r);
    rc = r ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory to read %.200s", path);
    if (r) {
        snprintf(r->path, sizeof r->path, "%s", path);
        rc = read_lines(r, (const char*)text, size, error);
    }
    free(text);
    if (rc)
        agon_bench_record_close(r);
    else
        *out = r;
    return rc;
}

void agon_bench_record_close(agon_bench_record* r) {
    if (r)
        free(r->figure);
    free(r);
}

bool agon_bench_record_has(const agon_bench_record* r, const char* bench) {
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->figure[i].bench, bench) == 0)
            return true;
    return false;
}

/* The last of its name: records may be appended. All of the name are met. */
static const figure* meet(agon_bench_record* r, const figure* now) {
    const figure* found = NULL;
    for (int i = 0; i < r->count; i++) {
        figure* f = &r->figure[i];
        f->asked = f->asked || strcmp(f->bench, now->bench) == 0;
        if (strcmp(f->name, now->name) == 0) {
            f->met = true;
            found = f;
        }
    }
    return found;
}

/* ---- the table --------------------------------------------------------------------------------
 */

/* Beyond the samples of both: their ranges do not meet. */
static char mark(double then_low, double then_high, double now_low, double now_high) {
    return now_low > then_high ? '+' : now_high < then_low ? '-' : ' ';
}

static void print_ratio(const figure* then, const figure* now) {
    if (!then || !now->ratio_of[0] || strcmp(then->ratio_of, now->ratio_of) != 0) {
        printf("%7s %7s %6s  ", "", now->ratio_of[0] ? "new" : "", "");
        return;
    }
    const double a = then->ratio / then->rate, b = now->ratio / now->rate;
    printf("%7.4f %7.4f %6.3f%c ", then->ratio, now->ratio, now->ratio / then->ratio,
           mark(a * then->low, a * then->high, b * now->low, b * now->high));
}

static void print_rate(const figure* then, const figure* now) {
    if (!then)
        printf("%10s %10.4g %6s  ", "", now->rate, "");
    else
        printf("%10.4g %10.4g %6.3f%c ", then->rate, now->rate, now->rate / then->rate,
               mark(then->low, then->high, now->low, now->high));
}

static void take_line(void* user, const char* line) {
    agon_bench_record* r = user;
    figure now;
    if (read_figure(line, strlen(line), &now))
        return;
    const figure* then = meet(r, &now);
    r->narrow = r->narrow || !then;
    print_ratio(then, &now);
    print_rate(then, &now);
    printf("%s%s%s\n", now.name, then ? "" : " (not in the record)",
           now.ratio_of[0] == 'r' ? " (to OpenBLAS)" : "");
    fflush(stdout);
}

/* Says once what makes a record one of other circumstances. */
static void print_circumstances(const agon_bench_record* r) {
    bool backend = false, cpu = false;
    for (int i = 0; i < r->count; i++) {
        const figure* f = &r->figure[i];
        if (!backend && strcmp(f->backend, agon_cpu_backend()->name) != 0) {
            printf("the record is of backend %s, this is %s\n", f->backend,
                   agon_cpu_backend()->name);
            backend = true;
        }
        if (!cpu && strcmp(f->cpu, agon_bench_cpu()) != 0) {
            printf("the record is of another machine, with CPU '%s'; this is '%s': "
                   "compare ratios, not rates\n",
                   f->cpu, agon_bench_cpu());
            cpu = true;
        }
    }
}

void agon_bench_compare_begin(agon_bench_record* r) {
    print_circumstances(r);
    printf("%-23s  %-28s\n", "ratio to the floor", " rate per second");
    printf("%7s %7s %6s  %10s %10s %6s  figure\n", "then", "now", "x", "then", "now", "x");
    agon_bench_give(take_line, r);
}

/* Figures of the record, of parts that were measured or of others, that had no counterpart. */
static int count_absent(const agon_bench_record* r, bool asked) {
    int absent = 0;
    for (int i = 0; i < r->count; i++)
        absent += !r->figure[i].met && r->figure[i].asked == asked;
    return absent;
}

void agon_bench_compare_end(agon_bench_record* r) {
    const int absent = count_absent(r, true), apart = count_absent(r, false);
    agon_bench_give(NULL, NULL);
    printf("+ more, - less, beyond low and high of both; the ratio is the first of "
           "ratio_to_openblas,\nratio_to_libuv, share_of_write_fsync, share_of_peak, "
           "share_of_copy.\n");
    if (absent)
        printf("Figures of the record that were not measured now:\n");
    for (int i = 0; i < r->count; i++)
        if (!r->figure[i].met && r->figure[i].asked)
            printf("  %s\n", r->figure[i].name);
    if (absent || r->narrow)
        printf("Figures are matched by what names them: give --game, --hidden and --against as "
               "the\nrecord had them.\n");
    if (apart)
        printf("%d figures of the record are of other parts.\n", apart);
}
