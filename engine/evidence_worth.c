/* evidence_worth.c: which answers are right, or what each is worth. */
#include "engine/evidence_matrix.h"

#include "engine/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int agon__right_read(const char* path, agon__right* out, agon_error* error) {
    agon__right right = {0};
    int rc = agon__source_read(path, &right.source, error);
    if (rc)
        return rc;
    const agon_csv* csv = &right.source.csv;
    if (!right.source.is_npy) {
        right.state = agon_csv_column(csv, "state");
        right.answer = agon_csv_column(csv, "answer");
        if (right.answer < 0)
            right.answer = agon_csv_column(csv, "action");
        right.worth = agon_csv_column(csv, "worth");
        right.by_name = right.state >= 0 && right.answer >= 0;
    }
    *out = right;
    return AGON_OK;
}

/* ---- by name: state, answer [, worth] ----------------------------------------------------- */

/* The number that a text is, where states and actions have no names; -1: none. */
static int number_of(const char* text, int count) {
    double x;
    return agon_csv_is_number(text, &x) && x >= 0 && x < count && x == floor(x) ? (int)x : -1;
}

static int find_state(const agon__grid* g, const char* text) {
    return g->state.count ? agon__names_find(&g->state, 0, text) : number_of(text, g->states);
}

static int find_action(const agon__grid* g, int state, const char* text) {
    if (!g->answer.count)
        return number_of(text, g->actions);
    const int class = agon__names_find(&g->answer, state, text);
    return class < 0 ? -1 : g->action[class];
}

static bool is_option(const agon__grid* g, int state, int action) {
    return !isnan(g->value[(size_t)state * (size_t)g->actions + (size_t)action]);
}

static int line_worth(const agon__right* right, int r, double* out, agon_error* error) {
    const agon_csv* csv = &right->source.csv;
    *out = 1;
    if (right->worth < 0)
        return AGON_OK;
    const int rc = agon_csv_number(csv, r, right->worth, out, error);
    if (!rc && !isfinite(*out))
        return agon_csv_fail(csv, r, right->worth, error, "%g, expected a finite worth", *out);
    return rc;
}

/* A state that is named has its other options at 0 where right answers are named. */
static void open_state(const agon__right* right, const agon__grid* g, int state, double* worth) {
    double* row = worth + (size_t)state * (size_t)g->actions;
    for (int a = 0; right->worth < 0 && a < g->actions; a++)
        if (is_option(g, state, a) && isnan(row[a]))
            row[a] = 0;
}

static int by_name(const agon__right* right, const agon__grid* g, double* worth,
                   agon_error* error) {
    const agon_csv* csv = &right->source.csv;
    char quoted[AGON__QUOTE];
    for (int r = 1; r < csv->rows; r++) {
        const char *state_text = agon_csv_cell(csv, r, right->state),
                   *text = agon_csv_cell(csv, r, right->answer);
        const int state = find_state(g, state_text);
        if (state < 0)
            return agon_csv_fail(csv, r, right->state, error,
                                 "state '%s' is not among those of %.100s",
                                 agon__quote(state_text, quoted), g->name);
        const int action = find_action(g, state, text);
        if (action < 0 || !is_option(g, state, action))
            return agon_csv_fail(csv, r, right->answer, error,
                                 "'%s' is not an action of this state in %.100s",
                                 agon__quote(text, quoted), g->name);
        open_state(right, g, state, worth);
        const int rc = line_worth(
            right, r, &worth[(size_t)state * (size_t)g->actions + (size_t)action], error);
        if (rc)
            return rc;
    }
    return AGON_OK;
}

/* ---- by number: (states), or (states, actions) -------------------------------------------- */

static int right_number(const agon__matrix* m, const agon__grid* g, int r, int state, double* row,
                        agon_error* error) {
    const double x = m->value[r];
    if (isnan(x)) /* not known */
        return AGON_OK;
    if (!(x >= 0 && x < g->actions) || x != floor(x) || !is_option(g, state, (int)x))
        return agon__matrix_fail(m, r, 0, error,
                                 "the right action of state %d is %g, expected one of its options, "
                                 "0 to %d",
                                 state, x, g->actions - 1);
    for (int a = 0; a < g->actions; a++)
        row[a] = is_option(g, state, a) ? a == (int)x : (double)NAN;
    return AGON_OK;
}

static int worth_numbers(const agon__matrix* m, const agon__grid* g, int r, int state, double* row,
                         agon_error* error) {
    for (int a = 0; a < g->actions; a++) {
        const double x = m->value[(size_t)r * (size_t)g->actions + (size_t)a];
        if (isinf(x))
            return agon__matrix_fail(m, r, a, error, "%g, expected a finite worth", x);
        row[a] = is_option(g, state, a) ? x : (double)NAN;
    }
    return AGON_OK;
}

static int by_number(const agon__matrix* m, const agon__grid* g, double* worth, agon_error* error) {
    const bool each = m->columns == g->actions && g->actions > 1;
    int* state = NULL;
    if (g->answer.count) {
        agon_fail(error, AGON_EINVALID,
                  "%s numbers the right answers, but those of %s are texts without numbers",
                  agon__matrix_file(m), g->name);
        return agon_hint(error, "write columns state and answer, a line for each right answer");
    }
    if (m->columns != 1 && !each)
        return agon_fail(error, AGON_EINVALID, "%s has %d columns, expected 1 or %d (actions)",
                         agon__matrix_file(m), m->columns, g->actions);
    int rc = agon__matrix_states(m, g, &state, error);
    for (int r = 0; !rc && r < g->states; r++) {
        double* row = worth + (size_t)state[r] * (size_t)g->actions;
        rc = each ? worth_numbers(m, g, r, state[r], row, error)
                  : right_number(m, g, r, state[r], row, error);
    }
    free(state);
    return rc;
}

int agon__right_worth(const agon__right* right, const agon__grid* grid, double** out,
                      agon_error* error) {
    const size_t cells = (size_t)grid->states * (size_t)grid->actions;
    double* worth = malloc(cells * sizeof *worth);
    agon__matrix matrix = {0};
    int rc = AGON_OK;
    if (!worth)
        return agon_fail(error, AGON_EMEMORY, "no memory for the worth of %zu actions", cells);
    for (size_t i = 0; i < cells; i++)
        worth[i] = (double)NAN;
    if (right->by_name) {
        rc = by_name(right, grid, worth, error);
    } else {
        rc = agon__matrix_parse(&right->source, &matrix, error);
        if (!rc)
            rc = by_number(&matrix, grid, worth, error);
        agon__matrix_clear(&matrix);
    }
    if (rc)
        free(worth);
    else
        *out = worth;
    return rc;
}
