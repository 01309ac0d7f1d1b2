/* Promise: the rows of group "rating" say of a population what the plain functions say of its
 * matrices, leave agents without pay-offs out, and keep the ranges they declare. */
#include "engine/metrics/metric.h"
#include "engine/metrics/rating.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))
#define AGENTS                       6
#define MEMBERS                      4
#define ANCHORS                      3

static const int MEMBER[MEMBERS] = {5, 0, 3, 2};
static const agon_metric_options OPTIONS = {.key = {{1, 2}}, .entropy = NAN};

/* Of 10 games a pair, a drawn ones: a cycle of members 0, 1, 2, who all beat 3. */
static const double WINS[MEMBERS * MEMBERS] = {0, 8, 3, 7, 2, 0, 7.5, 8, 7, 2.5, 0, 9, 3, 2, 1, 0};
static const double DRAWS[MEMBERS * MEMBERS] = {0, 0, 2, 0, 0, 0, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0};

static double* copy(const double* from, size_t count) {
    double* to = malloc(count * sizeof *to);
    assert_non_null(to);
    for (size_t i = 0; i < count; i++)
        to[i] = from ? from[i] : 10;
    return to;
}

static agon_evidence make(void) {
    agon_evidence e = {.agents = AGENTS};
    const size_t square = MEMBERS * MEMBERS;
    agon_payoffs* p = &e.payoffs;
    p->agents = MEMBERS;
    p->member = malloc(sizeof MEMBER);
    assert_non_null(p->member);
    memcpy(p->member, MEMBER, sizeof MEMBER);
    p->antisymmetric = true;
    p->wins = copy(WINS, square);
    p->draws = copy(DRAWS, square);
    p->mean = copy(NULL, square);
    p->games = copy(NULL, square);
    p->error = copy(NULL, square);
    for (int i = 0; i < MEMBERS; i++) {
        for (int j = 0; j < MEMBERS; j++)
            p->mean[i * MEMBERS + j] = (WINS[i * MEMBERS + j] - WINS[j * MEMBERS + i]) / 10;
    }
    e.anchors.anchors = ANCHORS;
    e.anchors.mean = copy(NULL, AGENTS * ANCHORS);
    e.anchors.error = copy(NULL, AGENTS * ANCHORS);
    e.anchors.games = copy(NULL, AGENTS * ANCHORS);
    for (int i = 0; i < AGENTS * ANCHORS; i++)
        e.anchors.mean[i] = (i / ANCHORS - 2 + i % ANCHORS) / 6.0;
    return e;
}

/* (rows, columns) of a metric; to be freed. */
static double* compute(const char* name, const agon_evidence* e) {
    const agon_metric* m = agon_metric_find(name);
    agon_error error = {0};
    assert_non_null(m);
    assert_null(agon_metric_why(m, e, &OPTIONS));
    const int rows = agon_metric_rows(m, e), columns = agon_metric_columns(m);
    double* out = malloc((size_t)rows * columns * sizeof *out);
    assert_non_null(out);
    for (int i = 0; i < rows * columns; i++)
        out[i] = -12345;
    if (m->compute(e, &OPTIONS, out, &error))
        fail_msg("%s: %s", name, error.text);
    for (int i = 0; i < rows * columns; i++) {
        const agon_metric_column* c = m->column + i % columns;
        if (!isnan(out[i]) && !(out[i] >= c->low - 1e-12 && out[i] <= c->high + 1e-12))
            fail_msg("%s.%s: %g", name, c->name, out[i]);
        assert_true(out[i] != -12345);
    }
    return out;
}

static int is_member(int agent) {
    for (int k = 0; k < MEMBERS; k++) {
        if (MEMBER[k] == agent)
            return 1;
    }
    return 0;
}

/* Guards: ratings are the dense solver's, at the rows of the members and nowhere else. */
static void bradley_terry(void** unused) {
    agon_evidence e = make();
    double *out = compute("bradley_terry", &e), rating[MEMBERS], c[MEMBERS * MEMBERS], all = 0;
    assert_int_equal(agon_rating_bradley_terry(WINS, MEMBERS, 350, rating, NULL, c), 0);
    for (int i = 0; i < MEMBERS * MEMBERS; i++)
        all += c[i] / MEMBERS / MEMBERS;
    for (int k = 0; k < MEMBERS; k++) {
        const double* row = out + 4 * MEMBER[k];
        double shared = 0;
        for (int j = 0; j < MEMBERS; j++)
            shared += c[k * MEMBERS + j] / MEMBERS;
        assert_near(row[0], rating[k], 1e-6);
        assert_near(row[1], sqrt(c[k * MEMBERS + k] - 2 * shared + all), 1e-6);
        assert_near(row[3] - row[2], 2 * 1.959963984540054 * row[1], 1e-9);
    }
    free(out);
    out = compute("rating_spread", &e);
    double low = fmin(fmin(rating[0], rating[1]), fmin(rating[2], rating[3]));
    double high = fmax(fmax(rating[0], rating[1]), fmax(rating[2], rating[3]));
    assert_near(out[0], high - low, 1e-6);
    assert_near(out[3] * out[3] + out[2] * out[2], out[1] * out[1], 1e-6);
    free(out);
    agon_evidence_clear(&e);
}

/* Guards: every row per agent is NaN exactly outside the members; per pair as well. */
static void outsiders(void** unused) {
    const char* names[] = {"bradley_terry", "disc", "glicko2", "trueskill"};
    agon_evidence e = make();
    for (int m = 0; m < 4; m++) {
        double* out = compute(names[m], &e);
        const int columns = agon_metric_columns(agon_metric_find(names[m]));
        for (int i = 0; i < AGENTS * columns; i++)
            assert_int_equal(!isnan(out[i]), is_member(i / columns));
        free(out);
    }
    double* out = compute("sprt", &e);
    for (int i = 0; i < AGENTS; i++) {
        for (int j = 0; j < AGENTS; j++)
            assert_int_equal(!isnan(out[4 * (i * AGENTS + j)]),
                             i != j && is_member(i) && is_member(j));
    }
    free(out);
    agon_evidence_clear(&e);
}

/* Guards: strong anchors' opponents rate by score, around anchors of mean 0; an agent without games
 * against anchors has no rating; nobody counted: an error that says so. */
static void anchored(void** unused) {
    agon_evidence e = make();
    for (int a = 0; a < ANCHORS; a++)
        e.anchors.games[4 * ANCHORS + a] = 0;
    e.anchors.mean[3 * ANCHORS] = NAN; /* not played */
    double* out = compute("rating_anchored", &e);
    assert_true(isnan(out[4 * 4]) && isnan(out[4 * 4 + 1]));
    assert_true(out[0] < out[4] && out[4] < out[8] && out[8] < out[20] && isfinite(out[12]));
    assert_true(out[1] > 40 && out[1] < 100);
    free(out);
    for (int i = 0; i < AGENTS * ANCHORS; i++)
        e.anchors.games[i] = 0;
    double rows[4 * AGENTS];
    agon_error error = {0};
    const agon_metric* m = agon_metric_find("rating_anchored");
    assert_int_equal(m->compute(&e, &OPTIONS, rows, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "counted"));
    agon_evidence_clear(&e);
}

/* Guards: planes and places of pay-offs, and of logits only where wins are known; the places give
 * the pay-offs back when there is one plane. */
static void planes(void** unused) {
    agon_evidence e = make();
    double *out = compute("cycle_planes", &e), *place = compute("disc", &e);
    assert_true(out[0] >= 1 && out[0] <= 2 && out[1] > .3 && out[6] > .3);
    double omega = 0;
    for (int k = 0; k < MEMBERS; k++) {
        const double* row = place + 6 * MEMBER[k];
        omega += row[0] * row[0];
    }
    assert_near(omega, out[1], 1e-12);
    free(out);
    free(place);
    free(e.payoffs.wins);
    e.payoffs.wins = NULL;
    out = compute("cycle_planes", &e);
    place = compute("disc", &e);
    assert_true(isnan(out[6]) && !isnan(out[1]));
    assert_true(isnan(place[3]) && !isnan(place[0]));
    free(out);
    free(place);
    agon_evidence_clear(&e);
}

/* Guards: the test of a pair is fishtest's, is against the other hypothesis the other way round,
 * and counts draws only where they are known. */
static void sequential(void** unused) {
    agon_evidence e = make();
    const size_t up = 0 * MEMBERS + 1, down = 1 * MEMBERS + 0;
    e.payoffs.wins[up] = 600 + 450;
    e.payoffs.wins[down] = 500 + 450;
    e.payoffs.draws[up] = e.payoffs.draws[down] = 900;
    double* out = compute("sprt", &e);
    const double* row = out + 4 * (MEMBER[0] * AGENTS + MEMBER[1]);
    assert_near(row[0], 2.2410705541, 1e-9);
    assert_true(row[1] == 0 && row[3] == -1);
    assert_true(out[4 * (MEMBER[1] * AGENTS + MEMBER[0])] < -2.9);
    free(out);
    free(e.payoffs.draws);
    e.payoffs.draws = NULL;
    out = compute("sprt", &e);
    row = out + 4 * (MEMBER[0] * AGENTS + MEMBER[1]);
    assert_true(row[0] > 0 && row[0] < 2); /* draws as half wins: shyer */
    free(out);
    agon_evidence_clear(&e);
}

static void assert_refused(const char* name, const agon_evidence* e) {
    const agon_metric_options options = {.entropy = NAN};
    double out[AGON_METRIC_COLUMNS];
    agon_error error = {0};
    assert_int_equal(agon_metric_find(name)->compute(e, &options, out, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, name));
}

/* Guards: joint-policy correlation of a table of runs; none for zero-sum play. */
static void joint_policy(void** unused) {
    agon_evidence e = make();
    assert_refused("joint_policy_correlation", &e);
    e.payoffs.antisymmetric = false;
    assert_refused("joint_policy_correlation", &e); /* nobody played with its own */
    for (int i = 0; i < MEMBERS * MEMBERS; i++)
        e.payoffs.mean[i] = i % (MEMBERS + 1) ? -.5 : .5;
    double* out = compute("joint_policy_correlation", &e);
    assert_near(out[0], 2 / 3., 1e-12);
    assert_near(out[1], .5, 1e-12);
    assert_near(out[2], -.5, 1e-12);
    free(out);
    agon_evidence_clear(&e);
}

/* Guards: pairs that never met are left out where that is possible, and one member alone is no
 * trouble. */
static void partial(void** unused) {
    const char* names[] = {"bradley_terry", "rating_spread", "glicko2", "trueskill",
                           "sprt",          "cycle_planes",  "disc"};
    agon_evidence e = make();
    e.payoffs.antisymmetric = false;
    e.payoffs.wins[1] = e.payoffs.wins[MEMBERS] = NAN;
    e.payoffs.draws[1] = e.payoffs.draws[MEMBERS] = NAN;
    e.payoffs.mean[1] = e.payoffs.mean[MEMBERS] = NAN;
    for (int m = 0; m < 5; m++)
        free(compute(names[m], &e));
    double* out = compute("bradley_terry", &e);
    assert_true(isfinite(out[4 * MEMBER[0]]) && isfinite(out[4 * MEMBER[1]]));
    free(out);
    agon_evidence_clear(&e);
    e = make();
    e.payoffs.agents = 1;
    for (int m = 0; m < 7; m++) {
        out = compute(names[m], &e);
        free(out);
    }
    out = compute("bradley_terry", &e);
    assert_near(out[4 * MEMBER[0]], 0, 1e-9);
    free(out);
    agon_evidence_clear(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bradley_terry), cmocka_unit_test(outsiders),
        cmocka_unit_test(anchored),      cmocka_unit_test(planes),
        cmocka_unit_test(sequential),    cmocka_unit_test(joint_policy),
        cmocka_unit_test(partial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
