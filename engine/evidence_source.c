/* evidence_source.c: files, names, labels, and parts that belong to one population. */
#include "engine/evidence_source.h"

#include "engine/files.h"
#include "engine/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void agon__note(agon_evidence_notes* notes, const char* format, ...) {
    const size_t used = strlen(notes->text), room = sizeof notes->text - used;
    va_list args;
    if (room < 2)
        return;
    va_start(args, format);
    vsnprintf(notes->text + used, room - 1, format, args);
    va_end(args);
    strcat(notes->text, "\n");
}

int agon__source_read(const char* path, agon__source* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    agon__source source = {0};
    int rc = agon_file_read(path, AGON_NPY_BYTES, &data, &size, error);
    if (rc)
        return rc;
    if (size >= 4 && memcmp(data, "PK\3\4", 4) == 0) {
        free(data);
        agon_fail(error, AGON_EFORMAT, "%s is an archive (.npz, .xlsx); expected .npy or CSV",
                  path);
        return agon_hint(error, "in Python: numpy.save('one.npy', numpy.load(path)['name'])");
    }
    source.is_npy = size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
    if (source.is_npy)
        rc = agon_npy_decode(data, size, path, &source.npy, error);
    else
        rc = agon_csv_decode(data, size, path, &source.csv, error);
    if (!rc && source.is_npy)
        source.npy.file = data;
    else
        free(data);
    if (!rc)
        *out = source;
    return rc;
}

void agon__source_clear(agon__source* source) {
    agon_npy_clear(&source->npy);
    agon_csv_clear(&source->csv);
}

/* ---- labels ------------------------------------------------------------------------------- */

static void clean(const char* text, agon__label out) {
    size_t length = strlen(text);
    if (length >= AGON_LABEL) {
        length = AGON_LABEL - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--; /* not inside a character of UTF-8 */
    }
    for (size_t i = 0; i < length; i++)
        out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    out[length] = '\0';
}

/* Each once, and none empty. */
static int check_labels(const agon__label* label, int count, const char* name, agon_error* error) {
    agon__names seen = {0};
    int rc = AGON_OK;
    for (int i = 0; !rc && i < count; i++) {
        const int index = agon__names_add(&seen, 0, label[i]);
        if (!label[i][0])
            rc = agon_fail(error, AGON_EINVALID, "%s: label %d of %d is empty", name, i + 1, count);
        else if (index < 0)
            rc = agon_fail(error, AGON_EMEMORY, "no memory for %d labels", count);
        else if (index < i)
            rc =
                agon_fail(error, AGON_EINVALID,
                          "%s: '%s' is the label of number %d and of number %d; expected each once",
                          name, label[i], index + 1, i + 1);
    }
    agon__names_clear(&seen);
    return rc;
}

int agon__labels_make(const agon__names* names, const char* name, agon__label** out,
                      agon_error* error) {
    agon__label* label = malloc((size_t)names->count * sizeof *label + 1);
    if (!label)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d labels", names->count);
    for (int i = 0; i < names->count; i++)
        clean(names->name[i].text, label[i]);
    const int rc = check_labels(label, names->count, name, error);
    if (rc)
        free(label);
    else
        *out = label;
    return rc;
}

/* One line more than agents may be a header; a label too many must not pass for one. */
static int is_header(const char* text) {
    static const char* const word[] = {"agent", "agents", "label", "labels",
                                       "name",  "names",  "model", "models"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcasecmp(text, word[i]) == 0)
            return 1;
    return 0;
}

int agon__labels_read(const char* path, int agents, agon__label** out, agon_error* error) {
    agon_csv csv;
    int rc = agon_csv_read(path, &csv, error);
    if (rc)
        return rc;
    const int header = csv.rows == agents + 1 && is_header(agon_csv_cell(&csv, 0, 0));
    agon__label* label = malloc((size_t)agents * sizeof *label);
    if (csv.rows != agents + header)
        rc = agon_fail(error, AGON_EINVALID,
                       "%s has %d lines; expected a label for each of %d agents", path, csv.rows,
                       agents);
    else if (!label)
        rc = agon_fail(error, AGON_EMEMORY, "no memory for %d labels", agents);
    for (int i = 0; !rc && i < agents; i++)
        clean(agon_csv_cell(&csv, i + header, 0), label[i]);
    if (!rc)
        rc = check_labels(label, agents, path, error);
    agon_csv_clear(&csv);
    if (rc)
        free(label);
    else
        *out = label;
    return rc;
}

/* ---- parts of one evidence ---------------------------------------------------------------- */

/* Numbers that were given to agents without names? */
static bool are_numbers(const agon_evidence* e) {
    char number[16];
    for (int i = 0; i < e->agents; i++) {
        snprintf(number, sizeof number, "%d", i);
        if (strcmp(e->label[i], number) != 0)
            return false;
    }
    return true;
}

/* Are these the names of all agents, though they are numbers? */
static bool are_known(const agon_evidence* e, int agents, const agon__label* labels) {
    bool known = labels && agents == e->agents;
    for (int i = 0; known && i < agents; i++) {
        char number[24];
        const long at = strtol(labels[i], NULL, 10);
        snprintf(number, sizeof number, "%ld", at);
        known = at >= 0 && at < agents && strcmp(labels[i], number) == 0;
    }
    return known;
}

static int place_by_label(const agon_evidence* e, int agents, const agon__label* labels,
                          const char* name, agon__join* join, agon_error* error) {
    agon__names known = {0};
    int rc = AGON_OK;
    for (int i = 0; !rc && i < e->agents; i++)
        if (agon__names_add(&known, 0, e->label[i]) < 0)
            rc = agon_fail(error, AGON_EMEMORY, "no memory for %d labels", e->agents);
    for (int i = 0; !rc && i < agents; i++) {
        join->place[i] = agon__names_find(&known, 0, labels[i]);
        join->moved |= join->place[i] != i;
        if (join->place[i] < 0) {
            agon_fail(error, AGON_EINVALID, "%s: agent '%s' is not among the %d agents of %s", name,
                      labels[i], e->agents, e->origin);
            rc = agon_hint(error, "the same agent must have the same label in all files");
        }
    }
    agon__names_clear(&known);
    return rc;
}

/* The labels that the agents get: those of the file, or numbers. */
static int take_labels(int agents, const agon__label* labels, agon__join* join, agon_error* error) {
    join->label = calloc((size_t)agents, sizeof *join->label);
    if (!join->label)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d labels", agents);
    for (int i = 0; i < agents; i++) {
        if (labels)
            memcpy(join->label[i], labels[i], AGON_LABEL);
        else
            snprintf(join->label[i], AGON_LABEL, "%d", i);
    }
    return AGON_OK;
}

int agon__join_make(const agon_evidence* e, int agents, const agon__label* labels, bool subset,
                    const char* name, agon__join* out, agon_error* error) {
    agon__join join = {.agents = e->agents ? e->agents : agents};
    const bool fresh = e->agents == 0,
               unnamed = fresh || (are_numbers(e) && !are_known(e, agents, labels));
    int rc = AGON_OK;
    join.place = malloc((size_t)agents * sizeof *join.place);
    if (!join.place)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d agents", agents);
    for (int i = 0; i < agents; i++)
        join.place[i] = i;
    if (!fresh && agents != e->agents && !(subset && labels && !unnamed))
        rc = agon_fail(error, AGON_EINVALID, "%s is of %d agents, but %s of %d: expected the same",
                       name, agents, e->origin, e->agents);
    else if (fresh || (unnamed && labels))
        rc = take_labels(agents, labels, &join, error);
    else if (labels)
        rc = place_by_label(e, agents, labels, name, &join, error);
    if (rc)
        agon__join_clear(&join);
    else
        *out = join;
    return rc;
}

void agon__join_commit(agon_evidence* e, agon__join* join, const char* name) {
    const size_t used = strlen(e->origin);
    if (join->label) {
        free(e->label);
        e->label = join->label;
        join->label = NULL;
    }
    e->agents = join->agents;
    snprintf(e->origin + used, sizeof e->origin - used, "%s%s", used ? ", " : "", name);
}

void agon__join_clear(agon__join* join) {
    free(join->place);
    free(join->label);
    memset(join, 0, sizeof *join);
}

int agon__join_move(const agon__join* join, void* rows, size_t bytes, agon_error* error) {
    char* copy;
    if (!join->moved)
        return AGON_OK;
    copy = malloc((size_t)join->agents * bytes);
    if (!copy)
        return agon_fail(error, AGON_EMEMORY, "no memory to sort %d agents", join->agents);
    for (int i = 0; i < join->agents; i++)
        memcpy(copy + (size_t)join->place[i] * bytes, (const char*)rows + (size_t)i * bytes, bytes);
    memcpy(rows, copy, (size_t)join->agents * bytes);
    free(copy);
    return AGON_OK;
}
