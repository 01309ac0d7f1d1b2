/* flat.c: see flat.h. */
#include "engine/flat.h"

#include "engine/files.h"
#include "engine/names.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 16, PATH = 512 };
static const size_t most_bytes = (size_t)1 << 30;

/* Two passes over the lines: the first finds the columns, the second fills the cells. */
typedef struct reader {
    const char* file;
    int line;
    agon_flat flat;
    agon__names names; /* of columns; texts are borrowed from flat.column */
    int room;          /* of flat.column */
    bool fill;
    agon_error* error;
} reader;

static int no_memory(const reader* r) {
    return agon_fail(r->error, AGON_EMEMORY, "no memory for the numbers of %s", r->file);
}

static int add_column(reader* r, const char* path, bool listed) {
    agon_flat* f = &r->flat;
    if (f->columns == AGON_FLAT_COLUMNS)
        return agon_fail(r->error, AGON_ELIMIT,
                         "%s has more than %d different numbers in its lines", r->file,
                         AGON_FLAT_COLUMNS);
    if (f->columns == r->room) {
        const int room = r->room ? r->room * 2 : 64;
        agon_flat_column* more = realloc(f->column, (size_t)room * sizeof *more);
        if (!more)
            return no_memory(r);
        f->column = more;
        r->room = room;
    }
    char* copy = strdup(path);
    if (!copy)
        return no_memory(r);
    f->column[f->columns++] = (agon_flat_column){copy, listed, true};
    return agon__names_add(&r->names, 0, copy) < 0 ? no_memory(r) : AGON_OK;
}

static int put_cell(reader* r, const char* path, double number, const char* text) {
    const int column = agon__names_find(&r->names, 0, path);
    agon_flat_cell* cell =
        &r->flat.cell[(size_t)r->flat.rows * (size_t)r->flat.columns + (size_t)column];
    char* copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return no_memory(r);
    free(cell->text); /* a key given twice: the last one counts */
    *cell = (agon_flat_cell){number, copy};
    r->flat.column[column].numeric &= text == NULL;
    return AGON_OK;
}

/* The name of a member: its key; in a list its role or name, else its number. */
static void name_member(const cJSON* parent, const cJSON* item, int number, const char* path,
                        char out[PATH]) {
    const cJSON* own = NULL;
    char count[16];
    snprintf(count, sizeof count, "%d", number);
    if (cJSON_IsArray(parent) && cJSON_IsObject(item)) {
        own = cJSON_GetObjectItemCaseSensitive(item, "role");
        if (!cJSON_IsString(own))
            own = cJSON_GetObjectItemCaseSensitive(item, "name");
    }
    const char* name = !cJSON_IsArray(parent) ? item->string
                       : cJSON_IsString(own)  ? own->valuestring
                                              : count;
    snprintf(out, PATH, "%s%s%s", path, *path ? "." : "", name);
}

static int add_value(reader* r, const cJSON* item, const char* path, bool listed) {
    const char* text = cJSON_IsString(item)  ? item->valuestring
                       : cJSON_IsTrue(item)  ? "true"
                       : cJSON_IsFalse(item) ? "false"
                                             : NULL;
    const double number =
        cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : (double)NAN;
    if (r->fill)
        return put_cell(r, path, number, text);
    return agon__names_find(&r->names, 0, path) < 0 ? add_column(r, path, listed) : AGON_OK;
}

static int add_members(reader* r, const cJSON* parent, const char* path, int depth) {
    const cJSON* item;
    const bool listed = cJSON_IsArray(parent);
    int number = 0, rc = AGON_OK;
    if (depth == DEPTH)
        return agon_fail(r->error, AGON_ELIMIT, "%s, line %d: %.60s is nested more than %d deep",
                         r->file, r->line, path, DEPTH);
    cJSON_ArrayForEach(item, parent) {
        char inner[PATH];
        name_member(parent, item, number++, path, inner);
        if (cJSON_IsObject(item) || (cJSON_IsArray(item) && !listed))
            rc = add_members(r, item, inner, depth + 1);
        else if (!cJSON_IsArray(item))
            rc = add_value(r, item, inner, listed);
        if (rc)
            return rc;
    }
    return AGON_OK;
}

/* One line of text; the last one may be torn. */
static int add_line(reader* r, const char* begin, const char* end, bool last) {
    cJSON* line = cJSON_ParseWithLength(begin, (size_t)(end - begin));
    int rc = AGON_OK;
    if (!line && last)
        r->flat.cut = true;
    else if (!cJSON_IsObject(line))
        rc = agon_fail(r->error, AGON_EFORMAT, "%s, line %d: expected one JSON object", r->file,
                       r->line);
    else
        rc = add_members(r, line, "", 0);
    r->flat.rows += line != NULL && !rc;
    cJSON_Delete(line);
    return rc;
}

static int add_lines(reader* r, const char* text, size_t size) {
    const char *at = text, *const end = text + size;
    int rc = AGON_OK;
    r->flat.rows = 0;
    for (r->line = 1; !rc && at < end; r->line++) {
        const char* stop = memchr(at, '\n', (size_t)(end - at));
        if (stop != at)
            rc = add_line(r, at, stop ? stop : end, stop == NULL);
        at = stop ? stop + 1 : end;
    }
    return rc;
}

static int allocate(reader* r) {
    agon_flat* f = &r->flat;
    const size_t cells = (size_t)f->rows * (size_t)f->columns;
    if (cells > AGON_FLAT_CELLS)
        return agon_fail(r->error, AGON_ELIMIT, "%s has %d lines of %d numbers: too many", r->file,
                         f->rows, f->columns);
    f->cell = malloc(cells * sizeof *f->cell + 1);
    if (!f->cell)
        return no_memory(r);
    for (size_t i = 0; i < cells; i++)
        f->cell[i] = (agon_flat_cell){(double)NAN, NULL};
    r->fill = true;
    return AGON_OK;
}

int agon_flat_read(const char* path, agon_flat* out, agon_error* error) {
    reader r = {.file = path, .error = error};
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, most_bytes, &data, &size, error);
    if (rc)
        return rc;
    rc = add_lines(&r, (const char*)data, size);
    if (!rc)
        rc = allocate(&r);
    const int rows = r.flat.rows;
    if (!rc)
        rc = add_lines(&r, (const char*)data, size);
    free(data);
    agon__names_clear(&r.names);
    r.flat.rows = rows; /* all of them have cells to free */
    if (rc)
        agon_flat_clear(&r.flat);
    else
        *out = r.flat;
    return rc;
}

void agon_flat_clear(agon_flat* f) {
    for (int i = 0; i < f->columns; i++)
        free(f->column[i].path);
    for (size_t i = 0; f->cell && i < (size_t)f->rows * (size_t)f->columns; i++)
        free(f->cell[i].text);
    free(f->column);
    free(f->cell);
    memset(f, 0, sizeof *f);
}

int agon_flat_find(const agon_flat* f, const char* path) {
    for (int i = 0; i < f->columns; i++)
        if (strcmp(f->column[i].path, path) == 0)
            return i;
    return -1;
}
