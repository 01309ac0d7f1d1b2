/* evidence_classes.c: the long layout of answers: one line for each agent, state and answer.
 *
 * An answer is a class by its text. Classes are numbered in each state apart, in the order of their
 * texts (numbers by value), so that the order of lines has no influence. */
#include "engine/evidence_source.h"

#include "engine/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct columns {
    int agent, state, answer, value; /* value -1: each line is one sample */
} columns;

static int answer_column(const agon_csv* csv) {
    const int action = agon_csv_column(csv, "action");
    return action >= 0 ? action : agon_csv_column(csv, "answer");
}

bool agon__classes_are(const agon_csv* csv) {
    return answer_column(csv) >= 0;
}

static int find_columns(const agon__grid* grid, columns* out, agon_error* error) {
    const agon_csv* csv = &grid->source.csv;
    const char* name = grid->counts ? "count" : "probability";
    *out = (columns){agon_csv_column(csv, "agent"), agon_csv_column(csv, "state"),
                     answer_column(csv), agon_csv_column(csv, name)};
    if (out->agent < 0 || out->state < 0 || (out->value < 0 && !grid->counts))
        return agon_fail(error, AGON_EINVALID,
                         "%s has no column called %s; expected agent, state, %s and %s%s",
                         csv->name,
                         out->agent < 0   ? "agent"
                         : out->state < 0 ? "state"
                                          : name,
                         agon_csv_cell(csv, 0, out->answer), grid->counts ? "perhaps " : "", name);
    return AGON_OK;
}

/* Agents, states and classes by first appearance. */
static int name_all(agon__grid* g, const columns* c, agon__names* agents, agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    for (int r = 1; r < csv->rows; r++) {
        const char* answer = agon_csv_cell(csv, r, c->answer);
        if (!*answer)
            return agon_csv_fail(
                csv, r, c->answer, error,
                "the answer is empty; give what was not answered a name of its own");
        if (agon__names_add(agents, 0, agon_csv_cell(csv, r, c->agent)) < 0)
            return AGON_EMEMORY;
        const int state = agon__names_add(&g->state, 0, agon_csv_cell(csv, r, c->state));
        if (state < 0 || agon__names_add(&g->answer, state, answer) < 0)
            return AGON_EMEMORY;
    }
    return AGON_OK;
}

/* Right answers that nobody gave are options all the same. */
static int name_right(agon__grid* g, const agon__right* right, agon_error* error) {
    const agon_csv* csv = &right->source.csv;
    char quoted[AGON__QUOTE];
    for (int r = 1; right->by_name && r < csv->rows; r++) {
        const char* text = agon_csv_cell(csv, r, right->state);
        const int state = agon__names_find(&g->state, 0, text);
        if (state < 0)
            return agon_csv_fail(csv, r, right->state, error,
                                 "state '%s' is not among those of %.100s",
                                 agon__quote(text, quoted), g->name);
        if (agon__names_add(&g->answer, state, agon_csv_cell(csv, r, right->answer)) < 0)
            return AGON_EMEMORY;
    }
    return AGON_OK;
}

static int compare_names(const void* a, const void* b) {
    const struct agon__name *x = *(const struct agon__name*const*)a,
                            *y = *(const struct agon__name*const*)b;
    double u = 0, v = 0;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    const bool number_x = agon_csv_is_number(x->text, &u) && isfinite(u);
    const bool number_y = agon_csv_is_number(y->text, &v) && isfinite(v);
    if (number_x != number_y)
        return number_x ? -1 : 1;
    if (number_x && u != v)
        return u < v ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* Which action each class is: its place among the sorted ones of its state. */
static int number_classes(agon__grid* g, agon_error* error) {
    const int count = g->answer.count;
    const struct agon__name** order = malloc((size_t)count * sizeof *order);
    g->action = malloc((size_t)count * sizeof *g->action);
    if (!order || !g->action) {
        free(order);
        return agon_fail(error, AGON_EMEMORY, "no memory for %d answers", count);
    }
    for (int i = 0; i < count; i++)
        order[i] = &g->answer.name[i];
    qsort(order, (size_t)count, sizeof *order, compare_names);
    for (int i = 0, first = 0; i < count; i++) {
        if (order[i]->group != order[first]->group)
            first = i;
        g->action[order[i] - g->answer.name] = i - first;
        if (i - first >= g->actions)
            g->actions = i - first + 1;
    }
    free(order);
    return AGON_OK;
}

static int read_value(const agon__grid* g, const columns* c, int r, double* out,
                      agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    *out = 1;
    if (c->value < 0)
        return AGON_OK;
    const int rc = agon_csv_number(csv, r, c->value, out, error);
    if (rc)
        return rc;
    const char* expected = agon__grid_expected(g, *out);
    if (expected)
        return agon_csv_fail(csv, r, c->value, error, "%g, expected %s", *out, expected);
    return AGON_OK;
}

/* Classes of a state are its options: 0 until a line says otherwise. */
static void open_options(agon__grid* g) {
    for (int i = 0; i < g->agents; i++)
        for (int k = 0; k < g->answer.count; k++)
            g->value[((size_t)i * (size_t)g->states + (size_t)g->answer.name[k].group) *
                         (size_t)g->actions +
                     (size_t)g->action[k]] = 0;
}

static int fill(agon__grid* g, const columns* c, const agon__names* agents, uint8_t* seen,
                agon_error* error) {
    const agon_csv* csv = &g->source.csv;
    for (int r = 1; r < csv->rows; r++) {
        const char* text = agon_csv_cell(csv, r, c->answer);
        const size_t agent = (size_t)agon__names_find(agents, 0, agon_csv_cell(csv, r, c->agent));
        const int state = agon__names_find(&g->state, 0, agon_csv_cell(csv, r, c->state));
        const int class = agon__names_find(&g->answer, state, text);
        const size_t at = (agent * (size_t)g->states + (size_t)state) * (size_t)g->actions +
                          (size_t)g->action[class];
        double value;
        char place[192], quoted[AGON__QUOTE];
        const int rc = read_value(g, c, r, &value, error);
        if (rc)
            return rc;
        if (seen[at] && !g->counts)
            return agon_csv_fail(csv, r, c->answer, error,
                                 "%s: '%s' has a probability already; expected each answer once",
                                 agon__grid_place(g, (int)agent, state, place),
                                 agon__quote(text, quoted));
        seen[at] = 1;
        g->value[at] += value;
    }
    return AGON_OK;
}

int agon__classes_read(agon__grid* g, const agon__right* right, agon_evidence_notes* notes,
                       agon_error* error) {
    agon__names agents = {0};
    columns c;
    uint8_t* seen = NULL;
    int rc = find_columns(g, &c, error);
    if (!rc)
        rc = name_all(g, &c, &agents, error);
    if (!rc)
        rc = name_right(g, right, error);
    if (rc == AGON_EMEMORY)
        agon_fail(error, rc, "no memory for the names in %s", g->name);
    if (!rc && agents.count == 0)
        rc = agon_fail(error, AGON_EINVALID, "%s has a header and no lines", g->name);
    if (!rc)
        rc = agon__labels_make(&agents, g->name, &g->label, error);
    if (!rc)
        rc = number_classes(g, error);
    g->agents = agents.count;
    g->states = g->state.count;
    if (!rc)
        rc = agon__grid_allocate(g, error);
    if (!rc) {
        seen = calloc((size_t)g->agents * (size_t)g->states, (size_t)g->actions);
        rc = seen ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for %s", g->name);
    }
    if (!rc) {
        open_options(g);
        rc = fill(g, &c, &agents, seen, error);
    }
    if (!rc)
        agon__note(notes, "%s: %d agents, %d states, %d different answers, at most %d in one state",
                   g->name, g->agents, g->states, g->answer.count, g->actions);
    free(seen);
    agon__names_clear(&agents);
    return rc;
}
