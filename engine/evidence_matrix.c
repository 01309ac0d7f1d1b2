/* evidence_matrix.c: where the numbers and the labels of a matrix lie in a table of cells. */
#include "engine/evidence_matrix.h"

#include "engine/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char* agon__matrix_file(const agon__matrix* m) {
    return m->source.is_npy ? m->source.npy.name : m->source.csv.name;
}

int agon__matrix_fail(const agon__matrix* m, int row, int column, agon_error* error,
                      const char* format, ...) {
    char text[384];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!m->source.is_npy)
        return agon_csv_fail(&m->source.csv, m->row + row, m->column + column, error, "%s", text);
    return agon_fail(error, AGON_EINVALID, "%.100s, entry (%d, %d): %s", m->source.npy.name, row,
                     column, text);
}

static bool is_missing(const char* text) {
    return !*text || strcmp(text, "-") == 0 || strcasecmp(text, "nan") == 0;
}

/* Neither a number nor a missing one: a label. */
static bool is_word(const char* text) {
    double x;
    return !is_missing(text) && !agon_csv_is_number(text, &x);
}

/* Labels may be numbers, too: known by the first row and the first column being the same list of
 * different texts. */
static bool is_framed(const agon_csv* csv) {
    agon__names seen = {0};
    const int n = csv->rows - 1;
    const char* corner = agon_csv_cell(csv, 0, 0);
    bool framed =
        n > 1 && agon_csv_width(csv, 0) == n + 1 && (is_missing(corner) || is_word(corner));
    for (int i = 0; framed && i < n; i++) {
        const char* text = agon_csv_cell(csv, 0, i + 1);
        framed = !is_missing(text) && strcmp(text, agon_csv_cell(csv, i + 1, 0)) == 0 &&
                 agon__names_add(&seen, 0, text) == i;
    }
    agon__names_clear(&seen);
    return framed;
}

static void find_frame(const agon_csv* csv, agon__matrix* m) {
    if (is_framed(csv)) {
        m->row = m->column = 1;
        return;
    }
    if (agon_csv_width(csv, 0) == 1 &&
        agon_csv_width(csv, csv->rows - 1) == 1) { /* numbers alone */
        m->row = is_word(agon_csv_cell(csv, 0, 0));
        return;
    }
    for (int c = 1; c < agon_csv_width(csv, 0); c++)
        m->row |= is_word(agon_csv_cell(csv, 0, c));
    for (int r = m->row; r < csv->rows; r++)
        m->column |= is_word(agon_csv_cell(csv, r, 0));
    if (m->row && strcasecmp(agon_csv_cell(csv, 0, 0), "state") == 0)
        m->column = 1;
    /* A header may be shorter than the rows by their label. */
    if (m->row && csv->rows > 1 && agon_csv_width(csv, 0) + 1 == agon_csv_width(csv, 1))
        m->column = 1;
}

/* Every row must have as many cells as the first one below the header. */
static int check_widths(const agon_csv* csv, const agon__matrix* m, agon_error* error) {
    const int width = m->row < csv->rows ? agon_csv_width(csv, m->row) : 0;
    if (width <= m->column)
        return agon_fail(error, AGON_EINVALID, "%s has labels but no numbers: expected a matrix",
                         csv->name);
    for (int r = 0; r < csv->rows; r++) {
        const int here = agon_csv_width(csv, r);
        if (here != width && !(r == 0 && m->row && m->column && here == width - 1))
            return agon_csv_fail(csv, r, here < width ? here : width, error,
                                 "the row has %d cells, expected %d as in line %u (separator: %s)",
                                 here, width, csv->line[m->row], agon_csv_separator_name(csv));
    }
    return AGON_OK;
}

static int read_names(const agon_csv* csv, agon__matrix* m, agon_error* error) {
    /* A header may lack the corner. */
    const int shift = m->column && agon_csv_width(csv, 0) == m->columns + 1;
    for (int c = 0; m->row && c < m->columns; c++)
        if (agon__names_add(&m->column_name, c, agon_csv_cell(csv, 0, c + shift)) < 0)
            return agon_fail(error, AGON_EMEMORY, "no memory for %d labels", m->columns);
    for (int r = 0; m->column && r < m->rows; r++)
        if (agon__names_add(&m->row_name, r, agon_csv_cell(csv, r + m->row, 0)) < 0)
            return agon_fail(error, AGON_EMEMORY, "no memory for %d labels", m->rows);
    return AGON_OK;
}

static int read_csv(const agon_csv* csv, agon__matrix* m, agon_error* error) {
    find_frame(csv, m);
    int rc = check_widths(csv, m, error);
    if (rc)
        return rc;
    m->rows = csv->rows - m->row;
    m->columns = agon_csv_width(csv, m->row) - m->column;
    rc = read_names(csv, m, error);
    if (rc)
        return rc;
    m->value = malloc((size_t)m->rows * (size_t)m->columns * sizeof *m->value);
    if (!m->value)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d x %d numbers", m->rows, m->columns);
    for (int r = 0; !rc && r < m->rows; r++) {
        for (int c = 0; !rc && c < m->columns; c++) {
            double* x = &m->value[(size_t)r * (size_t)m->columns + (size_t)c];
            if (is_missing(agon_csv_cell(csv, r + m->row, c + m->column)))
                *x = (double)NAN;
            else
                rc = agon_csv_number(csv, r + m->row, c + m->column, x, error);
        }
    }
    return rc;
}

static int read_npy(const agon_npy* npy, agon__matrix* m, agon_error* error) {
    char shape[128];
    const size_t columns = npy->rank == 1 ? 1 : npy->shape[1];
    if (npy->rank < 1 || npy->rank > 2 || npy->count == 0 || npy->shape[0] > INT32_MAX ||
        columns > INT32_MAX)
        return agon_fail(error, AGON_EINVALID, "%s has shape %s, expected a matrix (rows, columns)",
                         npy->name, agon_npy_shape_text(npy, shape));
    m->rows = (int)npy->shape[0];
    m->columns = (int)columns;
    m->value = malloc(npy->count * sizeof *m->value);
    if (!m->value)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d x %d numbers", m->rows, m->columns);
    for (size_t i = 0; i < npy->count; i++)
        m->value[i] = agon_npy_at(npy, i);
    return AGON_OK;
}

int agon__matrix_parse(const agon__source* source, agon__matrix* out, agon_error* error) {
    agon__matrix m = {.source = *source};
    const int rc =
        source->is_npy ? read_npy(&m.source.npy, &m, error) : read_csv(&m.source.csv, &m, error);
    if (rc)
        agon__matrix_clear(&m);
    else
        *out = m;
    return rc;
}

int agon__matrix_read(const char* path, agon__matrix* out, agon_error* error) {
    agon__source source;
    int rc = agon__source_read(path, &source, error);
    if (rc)
        return rc;
    rc = agon__matrix_parse(&source, out, error);
    if (rc)
        agon__source_clear(&source);
    else
        out->owned = true;
    return rc;
}

int agon__matrix_label(agon__matrix* m, agon_error* error) {
    const char* name = agon__matrix_file(m);
    int rc = AGON_OK;
    if (m->column_name.count)
        rc = agon__labels_make(&m->column_name, name, &m->column_label, error);
    if (!rc && m->row_name.count)
        rc = agon__labels_make(&m->row_name, name, &m->row_label, error);
    return rc;
}

static int find_states(const agon__matrix* m, const agon__grid* g, int* state, uint8_t* seen,
                       agon_error* error) {
    char quoted[AGON__QUOTE];
    for (int r = 0; r < m->rows; r++) {
        const char* text = m->row_name.count ? m->row_name.name[r].text : "";
        state[r] = m->row_name.count && g->state.count ? agon__names_find(&g->state, 0, text) : r;
        if (state[r] < 0)
            return agon__matrix_fail(m, r, -1, error, "state '%s' is not among those of %.100s",
                                     agon__quote(text, quoted), g->name);
        if (seen[state[r]]++)
            return agon__matrix_fail(m, r, -1, error, "state '%s' for the second time",
                                     agon__quote(text, quoted));
    }
    return AGON_OK;
}

int agon__matrix_states(const agon__matrix* m, const agon__grid* g, int** out, agon_error* error) {
    if (m->rows != g->states)
        return agon_fail(error, AGON_EINVALID, "%s has %d rows, but %s has %d states",
                         agon__matrix_file(m), m->rows, g->name, g->states);
    int* state = malloc((size_t)m->rows * sizeof *state);
    uint8_t* seen = calloc((size_t)g->states, 1);
    int rc = state && seen ? find_states(m, g, state, seen, error)
                           : agon_fail(error, AGON_EMEMORY, "no memory for %d states", g->states);
    free(seen);
    if (rc)
        free(state);
    else
        *out = state;
    return rc;
}

void agon__matrix_clear(agon__matrix* m) {
    agon__names_clear(&m->row_name);
    agon__names_clear(&m->column_name);
    free(m->row_label);
    free(m->column_label);
    free(m->value);
    if (m->owned)
        agon__source_clear(&m->source);
    memset(m, 0, sizeof *m);
}
