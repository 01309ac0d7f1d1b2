/* evidence_payoffs.c: win rates, pay-offs and counted games of others. */
#include "engine/evidence_matrix.h"
#include "engine/evidence_payoffs.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = 0.02 + 1e-9; /* of x_ij + x_ji: two win rates rounded to 0.01 */

typedef struct maker {
    const agon_payoff_file* from;
    agon_evidence_notes* notes;
    agon_error* error;
    agon__matrix score, games; /* games.value NULL: not known */
    int agents;
    int* column; /* (agents) column of each agent; -1: none */
    int* anchor; /* (anchors) columns of anchors */
    agon_payoffs payoffs;
    agon_anchor_scores anchors;
    char why[160]; /* pay-offs are not antisymmetric; "" */
} maker;

static size_t at(const maker* m, int row, int column) {
    return (size_t)row * (size_t)m->score.columns + (size_t)column;
}

static const char* file_of(const maker* m) {
    return agon__matrix_file(&m->score);
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Into [-1, 1]. */
static int scale_scores(maker* m) {
    agon__matrix* s = &m->score;
    const double low = m->from->win_rates ? 0 : -1;
    for (int r = 0; r < s->rows; r++) {
        for (int c = 0; c < s->columns; c++) {
            double* x = &s->value[at(m, r, c)];
            if (isnan(*x))
                continue;
            if (!(*x >= low && *x <= 1)) {
                agon__matrix_fail(s, r, c, m->error, "%g is not in [%g, 1], where %s lie", *x, low,
                                  m->from->win_rates ? "win rates" : "pay-offs");
                return agon_hint(m->error, m->from->win_rates
                                               ? "divide percentages by 100; pay-offs in [-1, 1] "
                                                 "are another unit"
                                               : "divide pay-offs by the largest possible one");
            }
            if (m->from->win_rates)
                *x = 2 * *x - 1;
        }
    }
    return AGON_OK;
}

/* As many games where there are scores. */
static int check_games(maker* m) {
    agon__matrix *s = &m->score, *g = &m->games;
    if (g->rows != s->rows || g->columns != s->columns)
        return agon_fail(m->error, AGON_EINVALID,
                         "%s is of %d x %d games, but %s of %d x %d scores", agon__matrix_file(g),
                         g->rows, g->columns, file_of(m), s->rows, s->columns);
    for (int r = 0; s->row_label && g->row_label && r < s->rows; r++)
        if (strcmp(s->row_label[r], g->row_label[r]) != 0)
            return agon__matrix_fail(g, r, -1, m->error, "row '%s' is row '%s' of the scores",
                                     g->row_label[r], s->row_label[r]);
    for (int c = 0; s->column_label && g->column_label && c < s->columns; c++)
        if (strcmp(s->column_label[c], g->column_label[c]) != 0)
            return agon__matrix_fail(g, -1, c, m->error, "column '%s' is column '%s' of the scores",
                                     g->column_label[c], s->column_label[c]);
    for (int r = 0; r < g->rows; r++) {
        for (int c = 0; c < g->columns; c++) {
            double* n = &g->value[at(m, r, c)];
            if (isnan(*n))
                *n = 0;
            if (!(*n >= 0 && *n <= 0x1p53) || *n != floor(*n))
                return agon__matrix_fail(g, r, c, m->error, "%g is no number of games", *n);
        }
    }
    return AGON_OK;
}

/* ---- who is who --------------------------------------------------------------------------- */

/* Columns are agents by their labels; what is left are anchors. */
static int sort_columns(maker* m) {
    const agon__matrix* s = &m->score;
    agon__names rows = {0};
    int rc = AGON_OK;
    for (int r = 0; !rc && r < s->rows; r++) {
        m->column[r] = -1;
        if (agon__names_add(&rows, 0, s->row_label[r]) < 0)
            rc = agon_fail(m->error, AGON_EMEMORY, "no memory for %d labels", s->rows);
    }
    for (int c = 0; !rc && c < s->columns; c++) {
        const int agent = agon__names_find(&rows, 0, s->column_label[c]);
        if (agent >= 0)
            m->column[agent] = c;
        else
            m->anchor[m->anchors.anchors++] = c;
    }
    agon__names_clear(&rows);
    return rc;
}

/* Some agents with a column and some without: rather a slip than a design. */
static int check_columns(const maker* m) {
    const agon__matrix* s = &m->score;
    const int found = s->columns - m->anchors.anchors;
    for (int r = 0; found > 0 && r < s->rows; r++) {
        if (m->column[r] >= 0)
            continue;
        agon_fail(m->error, AGON_EINVALID,
                  "%s: row '%s' has no column, but %d other rows have: expected all or none",
                  file_of(m), s->row_label[r], found);
        return m->anchors.anchors
                   ? agon_hint(m->error, "is column '%s' meant?", s->column_label[m->anchor[0]])
               : m->error ? m->error->code
                          : AGON_EINVALID;
    }
    return AGON_OK;
}

static int find_agents(maker* m) {
    const agon__matrix* s = &m->score;
    m->agents = s->rows;
    m->column = malloc((size_t)s->rows * sizeof *m->column);
    m->anchor = malloc((size_t)s->columns * sizeof *m->anchor);
    if (!m->column || !m->anchor)
        return agon_fail(m->error, AGON_EMEMORY, "no memory for %d agents", s->rows);
    if (s->row_label && s->column_label) {
        const int rc = sort_columns(m);
        return rc ? rc : check_columns(m);
    }
    if (s->rows != s->columns) {
        agon_fail(m->error, AGON_EINVALID,
                  "%s has %d rows and %d columns; expected a square matrix, or labels of both",
                  file_of(m), s->rows, s->columns);
        return agon_hint(m->error, "with labels, columns that are no rows are taken as opponents "
                                   "from outside");
    }
    for (int i = 0; i < s->rows; i++)
        m->column[i] = i;
    return AGON_OK;
}

/* ---- everyone against everyone ------------------------------------------------------------ */

/* The score of agent i against agent j as the file has it. */
static double score_of(const maker* m, int i, int j) {
    return m->score.value[at(m, i, m->column[j])];
}

static double games_of(const maker* m, int i, int j) {
    return m->games.value ? m->games.value[at(m, i, m->column[j])] : 0;
}

/* The largest |x_ij + x_ji|; where: its first place. */
static double asymmetry(const maker* m, int where[2]) {
    double largest = 0;
    for (int i = 0; i < m->agents; i++) {
        for (int j = 0; j < i; j++) {
            const double sum = fabs(score_of(m, i, j) + score_of(m, j, i)); /* NaN: not both */
            if (sum > largest) {
                largest = sum;
                where[0] = i, where[1] = j;
            }
        }
    }
    return largest;
}

/* Games of the pair: of one half, or of both alike. */
static int pair_games(const maker* m, int i, int j, double* out) {
    const double a = games_of(m, i, j), b = games_of(m, j, i);
    if (a != b && a > 0 && b > 0)
        return agon__matrix_fail(&m->games, i, m->column[j], m->error,
                                 "%.0f games, but %.0f the other way round; expected the games of "
                                 "the pair, the same twice",
                                 a, b);
    *out = a > 0 ? a : b;
    return AGON_OK;
}

static int check_known(const maker* m, int i, int j, double x, double games) {
    if (m->games.value && games > 0 && isnan(x))
        return agon__matrix_fail(&m->games, i, m->column[j], m->error,
                                 "%.0f games, but %s has no score for them", games, file_of(m));
    if (m->games.value && games == 0 && !isnan(x))
        return agon__matrix_fail(&m->games, i, m->column[j], m->error,
                                 "no games, but %s has the score of them", file_of(m));
    return AGON_OK;
}

static void put(maker* m, int i, int j, double x, double games) {
    agon_payoffs* p = &m->payoffs;
    const size_t k = (size_t)i * (size_t)m->agents + (size_t)j;
    p->mean[k] = x + 0.0;
    p->games[k] = games;
    p->error[k] = games > 0 ? agon__score_error(games, x, 1 - x * x) : (double)NAN;
    if (p->wins)
        p->wins[k] = games > 0 ? games * (1 + x) / 2 : 0;
}

static int put_pair(maker* m, int i, int j) {
    const double a = score_of(m, i, j), b = score_of(m, j, i);
    const double x = isnan(b) ? a : isnan(a) ? -b : (a - b) / 2;
    double games = 0;
    int rc = pair_games(m, i, j, &games);
    if (!rc)
        rc = check_known(m, i, j, x, games);
    if (rc)
        return rc;
    put(m, i, j, x, games);
    put(m, j, i, -x, games);
    return AGON_OK;
}

static int put_each(maker* m, int i, int j) {
    const double x = score_of(m, i, j), games = games_of(m, i, j);
    const int rc = check_known(m, i, j, x, games);
    if (!rc)
        put(m, i, j, x, games);
    return rc;
}

static int make_payoffs(maker* m) {
    int where[2] = {0, 0};
    const double largest = asymmetry(m, where);
    const bool antisymmetric = m->from->win_rates || largest <= tolerance;
    if (m->from->win_rates && largest > tolerance)
        return agon__matrix_fail(&m->score, where[0], m->column[where[1]], m->error,
                                 "win rate %g, but %g the other way round: expected a sum of 1",
                                 (1 + score_of(m, where[0], where[1])) / 2,
                                 (1 + score_of(m, where[1], where[0])) / 2);
    int rc = agon__payoffs_allocate(&m->payoffs, m->agents, m->games.value != NULL && antisymmetric,
                                    false, m->error);
    for (int i = 0; !rc && i < m->agents; i++)
        for (int j = 0; !rc && j < m->agents; j++)
            if (antisymmetric ? i > j : i != j || !isnan(score_of(m, i, i)))
                rc = antisymmetric ? put_pair(m, i, j) : put_each(m, i, j);
    if (!rc)
        agon__payoffs_describe(&m->payoffs, file_of(m), antisymmetric ? 0 : largest, m->notes,
                               m->why);
    return rc;
}

/* ---- against anchors ---------------------------------------------------------------------- */

static int make_anchors(maker* m) {
    agon_anchor_scores* a = &m->anchors;
    const size_t cells = (size_t)m->agents * (size_t)a->anchors;
    a->label = calloc((size_t)a->anchors, sizeof *a->label);
    a->mean = calloc(cells, sizeof *a->mean);
    a->error = calloc(cells, sizeof *a->error);
    a->games = calloc(cells, sizeof *a->games);
    if (!a->label || !a->mean || !a->error || !a->games)
        return agon_fail(m->error, AGON_EMEMORY, "no memory for %d anchors", a->anchors);
    for (int k = 0; k < a->anchors; k++)
        memcpy(a->label[k], m->score.column_label[m->anchor[k]], AGON_LABEL);
    for (int i = 0; i < m->agents; i++) {
        for (int k = 0; k < a->anchors; k++) {
            const size_t to = (size_t)i * (size_t)a->anchors + (size_t)k,
                         from = at(m, i, m->anchor[k]);
            const double games = m->games.value ? m->games.value[from] : 0;
            a->mean[to] = m->score.value[from];
            a->games[to] = games;
            a->error[to] =
                games > 0 && !isnan(a->mean[to])
                    ? agon__score_error(games, a->mean[to], 1 - a->mean[to] * a->mean[to])
                    : (double)NAN;
        }
    }
    agon__note(m->notes,
               "%s: %d columns that are no rows are taken as opponents from outside: %s%s",
               file_of(m), a->anchors, a->label[0], a->anchors > 1 ? ", ..." : "");
    return AGON_OK;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int read_matrices(maker* m) {
    int rc = agon__matrix_label(&m->score, m->error);
    if (!rc)
        rc = scale_scores(m);
    if (!rc && m->from->games)
        rc = agon__matrix_read(m->from->games, &m->games, m->error);
    if (!rc && m->games.value)
        rc = agon__matrix_label(&m->games, m->error);
    if (!rc && m->games.value)
        rc = check_games(m);
    if (!rc)
        rc = find_agents(m);
    if (!rc && m->score.columns > m->anchors.anchors)
        rc = make_payoffs(m);
    if (!rc && m->anchors.anchors > 0)
        rc = make_anchors(m);
    if (!rc && m->games.value)
        agon__note(m->notes,
                   "%s: errors take games as independent, and of paired games they are "
                   "rather too large",
                   m->from->games);
    return rc;
}

static void clear(maker* m) {
    agon__matrix_clear(&m->score);
    agon__matrix_clear(&m->games);
    free(m->column);
    free(m->anchor);
    free(m->payoffs.member);
    free(m->payoffs.mean);
    free(m->payoffs.error);
    free(m->payoffs.games);
    free(m->payoffs.wins);
    free(m->payoffs.draws);
    free(m->anchors.label);
    free(m->anchors.mean);
    free(m->anchors.error);
    free(m->anchors.games);
}

/* Anchors are of all agents of the evidence; pay-offs may be of some. */
static int join(maker* m, const agon__label* label, agon_evidence* e) {
    const char* name = m->from->scores;
    agon__join j;
    int rc = agon__join_make(e, m->agents, label, m->anchors.anchors == 0, name, &j, m->error);
    if (rc)
        return rc;
    for (int part = 0; !rc && part < 3 && m->anchors.anchors; part++) {
        double* const rows[] = {m->anchors.mean, m->anchors.error, m->anchors.games};
        rc = agon__join_move(&j, rows[part], (size_t)m->anchors.anchors * sizeof **rows, m->error);
    }
    if (!rc) {
        if (m->payoffs.agents) {
            m->payoffs.member = j.place;
            e->payoffs = m->payoffs;
            memset(&m->payoffs, 0, sizeof m->payoffs);
            j.place = NULL;
            memcpy(e->why.antisymmetric, m->why, sizeof e->why.antisymmetric);
        }
        if (m->anchors.anchors) {
            e->anchors = m->anchors;
            memset(&m->anchors, 0, sizeof m->anchors);
        }
        agon__join_commit(e, &j, name);
    }
    agon__join_clear(&j);
    return rc;
}

int agon_evidence_read_payoffs(const agon_payoff_file* from, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error) {
    agon_evidence_notes found = *notes;
    maker m = {.from = from, .notes = &found, .error = error};
    agon__label* counted = NULL;
    agon__source source;
    int rc = agon__source_read(from->scores, &source, error);
    assert(evidence->payoffs.agents == 0 && evidence->anchors.anchors == 0);
    if (rc)
        return rc;
    if (!source.is_npy && agon_csv_column(&source.csv, "row") >= 0 &&
        agon_csv_column(&source.csv, "col") >= 0) {
        if (from->games)
            rc = agon_fail(error, AGON_EINVALID, "%s counts games itself; %s is one file too many",
                           from->scores, from->games);
        else
            rc = agon__counted_read(&source.csv, &m.payoffs, &counted, error);
        agon__source_clear(&source);
        m.agents = m.payoffs.agents;
        if (!rc) {
            agon__payoffs_describe(&m.payoffs, from->scores, 0, &found, m.why);
            agon__note(&found,
                       "%s: errors take games as independent, and of paired games they are "
                       "rather too large",
                       from->scores);
        }
    } else {
        rc = agon__matrix_parse(&source, &m.score, error);
        if (rc)
            agon__source_clear(&source);
        else
            m.score.owned = true;
        if (!rc)
            rc = read_matrices(&m);
    }
    if (!rc)
        rc = join(&m,
                  counted             ? counted
                  : m.score.row_label ? m.score.row_label
                                      : m.score.column_label,
                  evidence);
    if (!rc)
        *notes = found;
    free(counted);
    clear(&m);
    return rc;
}
