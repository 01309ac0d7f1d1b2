/* evidence_tables.c: games at one table: columns game, agent and score. */
#include "engine/evidence_source.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEATS 32 /* of one game */

typedef struct reader {
    const agon_csv* csv;
    int game, agent, score; /* columns */
    agon__names games, agents;
    int* held;         /* (games) seats so far */
    int32_t* of_game;  /* (rows) */
    int32_t* of_agent; /* (rows) */
    agon_error* error;
} reader;

static int find_columns(reader* r) {
    r->game = agon_csv_column(r->csv, "game");
    r->agent = agon_csv_column(r->csv, "agent");
    r->score = agon_csv_column(r->csv, "score");
    if (r->game >= 0 && r->agent >= 0 && r->score >= 0)
        return AGON_OK;
    return agon_fail(r->error, AGON_EINVALID,
                     "%s: no column %s; expected a header with game, agent and score, then a line "
                     "for every seat of every game",
                     r->csv->name,
                     r->game < 0    ? "game"
                     : r->agent < 0 ? "agent"
                                    : "score");
}

/* Numbers of games and agents, line by line. */
static int name_lines(reader* r) {
    const int rows = r->csv->rows;
    r->held = calloc((size_t)rows, sizeof *r->held);
    r->of_game = malloc((size_t)rows * sizeof *r->of_game);
    r->of_agent = malloc((size_t)rows * sizeof *r->of_agent);
    if (!r->held || !r->of_game || !r->of_agent)
        return agon_fail(r->error, AGON_EMEMORY, "no memory for the games of %s", r->csv->name);
    for (int i = 1; i < rows; i++) {
        r->of_game[i] = agon__names_add(&r->games, 0, agon_csv_cell(r->csv, i, r->game));
        r->of_agent[i] = agon__names_add(&r->agents, 0, agon_csv_cell(r->csv, i, r->agent));
        if (r->of_game[i] < 0 || r->of_agent[i] < 0)
            return agon_fail(r->error, AGON_EMEMORY, "no memory for the games of %s", r->csv->name);
        if (++r->held[r->of_game[i]] > SEATS)
            return agon_csv_fail(r->csv, i, r->game, r->error,
                                 "game '%.60s' has more than %d seats",
                                 agon_csv_cell(r->csv, i, r->game), SEATS);
    }
    return AGON_OK;
}

static int fill(reader* r, const agon__join* j, agon_tables* t) {
    const int games = r->games.count;
    for (int g = 0; g < games; g++)
        t->seats = r->held[g] > t->seats ? r->held[g] : t->seats;
    t->games = games;
    const size_t cells = (size_t)games * (size_t)t->seats;
    t->agent = malloc((cells + 1) * sizeof *t->agent);
    t->value = calloc(cells + 1, sizeof *t->value);
    if (!t->agent || !t->value)
        return agon_fail(r->error, AGON_EMEMORY, "no memory for %d games", games);
    memset(t->agent, -1, cells * sizeof *t->agent);
    memset(r->held, 0, (size_t)r->csv->rows * sizeof *r->held);
    for (int i = 1; i < r->csv->rows; i++) {
        const size_t at =
            (size_t)r->of_game[i] * (size_t)t->seats + (size_t)r->held[r->of_game[i]]++;
        double score = 0;
        const int rc = agon_csv_number(r->csv, i, r->score, &score, r->error);
        if (rc)
            return rc;
        if (!(fabs(score) <= 1e30))
            return agon_csv_fail(r->csv, i, r->score, r->error,
                                 "score %g; expected a number from -1e30 to 1e30", score);
        t->agent[at] = j->place[r->of_agent[i]];
        t->value[at] = (float)score;
    }
    return AGON_OK;
}

static int add_tables(reader* r, agon_evidence* e) {
    agon__label* label = NULL;
    agon_tables tables = {0};
    agon__join j = {0};
    int rc = agon__labels_make(&r->agents, r->csv->name, &label, r->error);
    if (!rc)
        rc = agon__join_make(e, r->agents.count, (const agon__label*)label, true, r->csv->name, &j,
                             r->error);
    if (!rc)
        rc = fill(r, &j, &tables);
    if (!rc) {
        agon__join_commit(e, &j, r->csv->name);
        e->tables = tables;
        tables = (agon_tables){0};
    }
    agon__join_clear(&j);
    free(tables.agent);
    free(tables.value);
    free(label);
    return rc;
}

int agon_evidence_read_tables(const char* path, agon_evidence* evidence, agon_evidence_notes* notes,
                              agon_error* error) {
    agon_csv csv;
    assert(evidence->tables.games == 0);
    int rc = agon_csv_read(path, &csv, error);
    if (rc)
        return rc;
    reader r = {.csv = &csv, .error = error};
    rc = find_columns(&r);
    if (!rc && csv.rows < 2)
        rc = agon_fail(error, AGON_EINVALID, "%s: no game below the header", csv.name);
    if (!rc)
        rc = name_lines(&r);
    if (!rc)
        rc = add_tables(&r, evidence);
    if (!rc)
        agon__note(notes, "%s: %d games of up to %d seats", csv.name, evidence->tables.games,
                   evidence->tables.seats);
    agon__names_clear(&r.games);
    agon__names_clear(&r.agents);
    free(r.held);
    free(r.of_game);
    free(r.of_agent);
    agon_csv_clear(&csv);
    return rc;
}
