/* store_read.c: stored results: all of them in order, those of some generations, one by its key. */
#include "engine/store_tables.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- each --------------------------------------------------------------------------------- */

typedef struct walk {
    agon_task_kind kind;
    sqlite3_stmt* rows;
    agon__record* row;  /* the row just read */
    agon__record* game; /* match: the result whose seats are being gathered */
    int (*visit)(void* user, const agon_result* result, const agon_task* task);
    void* user;
} walk;

static int visit_gathered(walk* w) {
    return w->game->result.as.match.seats > 0 ? w->visit(w->user, &w->game->result, &w->game->task)
                                              : 0;
}

/* Seat 0 begins a result, the others follow it in order. */
static int gather_seat(walk* w, agon_error* error) {
    agon_match_result* match = &w->game->result.as.match;
    if (w->row->seat == 0) {
        int status = visit_gathered(w);
        if (status != 0)
            return status;
        *w->game = *w->row;
        match->seats = 0;
        w->game->task.as.match.games = 0;
    }
    if (w->row->seat != match->seats || match->seats >= AGON_MAX_SEATS ||
        strcmp(w->row->task.key, w->game->task.key) != 0)
        return agon_fail(error, AGON_EFORMAT,
                         "table match, row %s: seat %d does not follow seat %d", w->row->task.key,
                         w->row->seat, match->seats - 1);
    match->tally[match->seats++] = w->row->tally;
    w->game->task.as.match.games =
        (int)((unsigned)w->game->task.as.match.games + (unsigned)w->row->tally.games);
    return 0;
}

static int walk_rows(walk* w, const agon_store* store, agon_error* error) {
    int rc, status = 0;
    while (status == 0 && (rc = sqlite3_step(w->rows)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW)
            return agon__db_fail(store, "reading results", error);
        status = agon__rows_read(w->rows, w->kind, w->row, error);
        if (status != AGON_OK)
            return status;
        status = w->kind == AGON_MATCH ? gather_seat(w, error)
                                       : w->visit(w->user, &w->row->result, &w->row->task);
    }
    return status == 0 ? visit_gathered(w) : status;
}

/* The heap of a walk. */
static int walk_begin(walk* w, const agon_store* store, agon_error* error) {
    w->row = calloc(1, sizeof *w->row);
    w->game = calloc(1, sizeof *w->game);
    if (!w->row || !w->game)
        return agon_fail(error, AGON_EMEMORY, "no memory to read the results of %s", store->dir);
    return AGON_OK;
}

static void walk_end(walk* w) {
    if (w->row && w->kind == AGON_PROBE)
        free(w->row->result.as.probe.probability);
    free(w->row);
    free(w->game);
}

int agon_store_each_of(agon_store* store, agon_task_kind kind, int first, int last,
                       int (*visit)(void* user, const agon_result* result, const agon_task* task),
                       void* user, agon_error* error) {
    walk w = {.kind = kind, .visit = visit, .user = user};
    char tail[160];
    assert(kind >= AGON_TRAIN && kind <= AGON_PROBE);
    snprintf(tail, sizeof tail, "WHERE generation BETWEEN ?1 AND ?2 ORDER BY %s",
             agon__tables[kind - 1].order);
    int status = walk_begin(&w, store, error);
    if (status == AGON_OK)
        status = agon__rows_select(store, kind, tail, &w.rows, error);
    if (status == AGON_OK) {
        sqlite3_bind_int(w.rows, 1, first);
        sqlite3_bind_int(w.rows, 2, last);
        status = walk_rows(&w, store, error);
    }
    sqlite3_finalize(w.rows);
    walk_end(&w);
    return status;
}

int agon_store_each(agon_store* store, agon_task_kind kind,
                    int (*visit)(void* user, const agon_result* result, const agon_task* task),
                    void* user, agon_error* error) {
    return agon_store_each_of(store, kind, INT_MIN, INT_MAX, visit, user, error);
}

/* ---- generations -------------------------------------------------------------------------- */

int agon_store_generations(agon_store* store, agon_task_kind kind,
                           void (*visit)(void* user, int generation, bool final), void* user,
                           agon_error* error) {
    static const char* const sql[AGON__KINDS] = {
        "SELECT generation, 0 FROM train", "SELECT generation, final FROM match WHERE seat = 0",
        "SELECT generation, 0 FROM probe"};
    sqlite3_stmt* row = NULL;
    int rc = SQLITE_DONE;
    assert(kind >= AGON_TRAIN && kind <= AGON_PROBE);
    int status = agon__db_prepare(store, sql[kind - 1], &row, error);
    while (status == AGON_OK && (rc = sqlite3_step(row)) == SQLITE_ROW)
        visit(user, sqlite3_column_int(row, 0), sqlite3_column_int(row, 1) != 0);
    if (status == AGON_OK && rc != SQLITE_DONE)
        status = agon__db_fail(store, "counting results", error);
    sqlite3_finalize(row);
    return status;
}

/* ---- one ---------------------------------------------------------------------------------- */

typedef struct found {
    agon_result* out;
    int count;
} found;

/* Keeps what the walk only lends. */
static int keep_result(void* user, const agon_result* result, const agon_task* task) {
    found* f = user;
    (void)task;
    *f->out = *result;
    f->count++;
    return AGON_OK;
}

static int find_row(agon_store* store, walk* w, const char* key, agon_error* error) {
    sqlite3_stmt** statement = &store->find[w->kind - 1];
    int status = walk_begin(w, store, error);
    if (status == AGON_OK && !*statement)
        status = agon__rows_select(store, w->kind,
                                   w->kind == AGON_MATCH ? "WHERE key = ?1 ORDER BY seat"
                                                         : "WHERE key = ?1",
                                   statement, error);
    if (status != AGON_OK)
        return status;
    w->rows = *statement;
    sqlite3_bind_text(w->rows, 1, key, -1, SQLITE_STATIC);
    status = walk_rows(w, store, error);
    sqlite3_reset(w->rows);
    sqlite3_clear_bindings(w->rows);
    return status;
}

int agon_store_find(agon_store* store, agon_task_kind kind, const char* key, agon_result* out,
                    agon_error* error) {
    agon_result result;
    found f = {.out = &result};
    walk w = {.kind = kind, .visit = keep_result, .user = &f};
    assert(kind >= AGON_TRAIN && kind <= AGON_PROBE);
    if (store->write && !store->reader) {
        const int status = agon__store_reader(store, &store->reader, error);
        if (status != AGON_OK)
            return status;
    }
    const int status = find_row(store->write ? store->reader : store, &w, key, error);
    if (status == AGON_OK && f.count == 1) {
        *out = result;
        if (kind == AGON_PROBE) /* the caller's now */
            w.row->result.as.probe.probability = NULL;
    }
    walk_end(&w);
    return status != AGON_OK ? status : f.count == 1 ? AGON_OK : AGON_EMISSING;
}
