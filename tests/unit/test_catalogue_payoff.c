/* Promise: the rows of the catalogue about pay-offs compute what they say, on populations of which
 * all, some or one has pay-offs; what they cannot do they refuse in words. */
#include "engine/metrics/metric.h"
#include "engine/metrics/payoff.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))
#define MOST                         12

/* Evidence on arrays of its own. */
typedef struct world {
    agon_evidence e;
    int member[MOST];
    double mean[MOST * MOST], error[MOST * MOST], games[MOST * MOST], wins[MOST * MOST];
    double anchor[MOST * MOST];
} world;

/* Agents of which the last `count` have pay-offs m. */
static void make_world(world* w, const double* m, int count, int agents, bool antisymmetric) {
    memset(w, 0, sizeof *w);
    w->e.agents = agents;
    w->e.payoffs = (agon_payoffs){.agents = count,
                                  .member = w->member,
                                  .antisymmetric = antisymmetric,
                                  .mean = w->mean,
                                  .error = w->error,
                                  .games = w->games,
                                  .wins = w->wins};
    for (int i = 0; i < count; i++)
        w->member[i] = agents - count + i;
    for (int i = 0; i < count * count; i++) {
        const bool own = i % (count + 1) == 0;
        w->mean[i] = m[i];
        w->error[i] = own ? 0 : .05;
        w->games[i] = own ? 0 : 100;
        w->wins[i] = own ? 0 : 50 * (1 + m[i]);
    }
}

static void add_anchors(world* w, const double* score, int anchors) {
    w->e.anchors = (agon_anchor_scores){.anchors = anchors, .mean = w->anchor};
    memcpy(w->anchor, score, (size_t)w->e.agents * (size_t)anchors * sizeof *score);
}

/* The row's table into out; returns the code. */
static int compute(const world* w, const char* name, double* out) {
    const agon_metric_options options = {.key = agon_key_make(1, "catalogue", AGON_FOR_TEST),
                                         .entropy = NAN};
    const agon_metric* m = agon_metric_find(name);
    agon_error error = {0};
    assert_non_null(m);
    const int code = m->compute(&w->e, &options, out, &error);
    assert_true(code ? error.text[0] != 0 : error.text[0] == 0);
    return code;
}

static const double GEN4[16] = {0, .2, -.4, .6, -.2, 0, .5, .1, .4, -.5, 0, .3, -.6, -.1, -.3, 0};
static const double RPS[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};

/* Guards: the rows for the population, number by number. */
static void rows_of_the_population(void** unused) {
    world w;
    double out[AGON_METRIC_COLUMNS];
    make_world(&w, GEN4, 4, 4, true);
    assert_int_equal(compute(&w, "nash", out), 0);
    assert_near(out[1], 1.036198785, 1e-9);
    assert_near(out[0], exp(1.036198785), 1e-8);
    assert_true(out[2] == 3);
    assert_near(out[3], 12 / 121., 1e-9);
    assert_near(out[4], 0, 1e-9);
    assert_int_equal(compute(&w, "cyclic", out), 0);
    assert_near(out[0], 57 / 91., 1e-12);
    assert_near(out[1], (1.14 / 2 - .5 * 6 * .0025) / (1.82 / 2 - 6 * .0025), 1e-12);
    assert_true(out[2] == 1 && out[3] == .25);
    assert_true(out[4] > .5 && out[4] < .7 && out[5] > out[4]); /* noise alone has 1 - 2/4 */
    assert_int_equal(compute(&w, "cyclic_met", out), 0);
    assert_near(out[0], 57 / 91., 1e-12);
    assert_true(out[4] == 1 && out[5] == 1);
    assert_int_equal(compute(&w, "cardinality", out), 0);
    assert_near(out[0], 1.1884058, 1e-7);
    assert_true(out[1] < out[0]);
}

/* Guards: rows per agent go to the agents that have pay-offs; the first one has none. */
static void rows_per_agent(void** unused) {
    world w;
    double out[5 * AGON_METRIC_COLUMNS];
    const double p[4] = {5 / 11., 4 / 11., 2 / 11., 0}, f[4] = {.1, .1, .05, -.25};
    const double alpha[4] = {.2737635722, .4959956464, .2298425736, .0003982078};
    make_world(&w, GEN4, 4, 5, true);
    assert_int_equal(compute(&w, "nash_mixture", out), 0);
    assert_true(isnan(out[0]) && isnan(out[1]));
    for (int i = 0; i < 4; i++) {
        assert_near(out[2 * (i + 1)], p[i], 1e-9);
        assert_near(out[2 * (i + 1) + 1], i < 3 ? 0 : -4 / 11., 1e-9);
    }
    assert_int_equal(compute(&w, "hodge", out), 0);
    assert_true(isnan(out[0]));
    for (int i = 0; i < 4; i++) {
        assert_near(out[3 * (i + 1)], f[i], 1e-12);
        assert_true(isfinite(out[3 * (i + 1) + 1]) && out[3 * (i + 1) + 2] == 0);
    }
    assert_int_equal(compute(&w, "nash_clusters", out), 0);
    for (int i = 0; i < 4; i++) {
        assert_true(out[3 * (i + 1)] == (i == 3));
        assert_near(out[3 * (i + 1) + 1], i < 3 ? p[i] : 1, 1e-9);
        assert_near(out[3 * (i + 1) + 2], f[i], 1e-12);
    }
    assert_int_equal(compute(&w, "alpha_rank", out), 0);
    for (int i = 0; i < 4; i++)
        assert_near(out[2 * (i + 1)], alpha[i], 1e-9);
    assert_int_equal(compute(&w, "alpha_rank_general", out), 0);
    for (int i = 0; i < 4; i++)
        assert_near(out[2 * (i + 1)], alpha[i], 1e-9);
    assert_int_equal(compute(&w, "nash_membership", out), 0);
    assert_true(isnan(out[0]));
    for (int i = 1; i < 5; i++) {
        const double* row = out + 4 * i;
        assert_true(row[0] >= 0 && row[0] <= 1 && row[2] <= row[1] && row[1] <= row[3]);
    }
    assert_true(out[4] > .8 && out[16] < .2);
}

/* Guards: skill against the equilibrium: a ladder of wins has (-1, -1, 0), a cycle 0 throughout. */
static void skill_of_nash_averaging(void** unused) {
    const double ladder[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0}, skill[3] = {-1, -1, 0};
    world w;
    double out[3 * AGON_METRIC_COLUMNS];
    make_world(&w, ladder, 3, 3, true);
    assert_int_equal(compute(&w, "nash_mixture", out), 0);
    for (int i = 0; i < 3; i++) {
        assert_near(out[2 * i], i == 2, 1e-9);
        assert_near(out[2 * i + 1], skill[i], 1e-9);
    }
    make_world(&w, RPS, 3, 3, true);
    assert_int_equal(compute(&w, "nash_mixture", out), 0);
    for (int i = 0; i < 3; i++) {
        assert_near(out[2 * i], 1 / 3., 1e-9);
        assert_near(out[2 * i + 1], 0, 1e-9);
    }
}

/* Guards: three kinds and one that loses to all: two layers, the lead of the first, and empty rows
 * behind; how far each is from the hull of the others. */
static void layers_and_responses(void** unused) {
    const double m[16] = {0, -1, 1, 1, 1, 0, -1, 1, -1, 1, 0, 1, -1, -1, -1, 0};
    world w;
    double out[4 * 3], one[9];
    make_world(&w, m, 4, 4, true);
    assert_int_equal(agon_metric_rows(agon_metric_find("layers"), &w.e), 4);
    assert_int_equal(compute(&w, "layers", out), 0);
    assert_true(out[0] == 3 && out[3] == 1 && isnan(out[5]) && isnan(out[6]) && isnan(out[11]));
    assert_near(out[1], .25, 1e-12);
    assert_near(out[2], 1, 1e-9);
    assert_near(out[4], -.75, 1e-12);
    make_world(&w, RPS, 3, 3, true);
    assert_int_equal(compute(&w, "response_diversity", one), 0);
    for (int i = 0; i < 3; i++) {
        assert_near(one[3 * i], sqrt(4.5), 1e-9);
        assert_near(one[3 * i + 1], 4.5, 1e-9);
        assert_near(one[3 * i + 2], 4.5, 1e-9);
    }
}

/* Guards: rock and paper against all three; agents against tasks with two best. */
static void rows_of_fixed_opponents(void** unused) {
    const double tasks[15] = {0, 0, 0, .1, .2, .3, .2, .4, .6, .3, .6, .9, .3, .6, .9};
    world w;
    double out[10];
    make_world(&w, RPS, 0, 2, false);
    add_anchors(&w, RPS, 3);
    assert_int_equal(compute(&w, "effectivity", out), 0);
    assert_near(out[0], -1 / 3., 1e-9);
    assert_true(out[1] == -1 && out[2] == 2 && out[4] == 2);
    assert_near(out[3], exp(-log(1 / 3.) / 3 - 2 * log(2 / 3.) / 3), 1e-8);
    assert_int_equal(compute(&w, "anchor_nash", out), 0);
    assert_near(out[0], 1 / 3., 1e-9);
    assert_near(out[2], 2 / 3., 1e-9);
    assert_near(out[1], -1 / 3., 1e-9);
    assert_int_equal(agon_metric_rows(agon_metric_find("anchor_weights"), &w.e), 3);
    assert_int_equal(compute(&w, "anchor_weights", out), 0);
    assert_near(out[0], 0, 1e-9);
    assert_near(out[1], 2 / 3., 1e-9);
    assert_near(out[2] + out[4], 1, 1e-9);
    make_world(&w, RPS, 0, 5, false);
    add_anchors(&w, tasks, 3);
    assert_int_equal(compute(&w, "anchor_nash", out), 0);
    assert_near(out[6], .5, 1e-9);
    assert_near(out[8], .5, 1e-9);
    assert_near(out[9], .3, 1e-7);
}

static const char* const ROWS[] = {"nash",
                                   "nash_mixture",
                                   "nash_membership",
                                   "cyclic",
                                   "cyclic_met",
                                   "hodge",
                                   "nash_clusters",
                                   "layers",
                                   "effectivity",
                                   "anchor_nash",
                                   "anchor_weights",
                                   "cardinality",
                                   "response_diversity",
                                   "alpha_rank",
                                   "alpha_rank_general"};
#define ROW_COUNT ((int)(sizeof ROWS / sizeof ROWS[0]))

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "catalogue_payoff", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return 2 * agon_uniform_double(draw.word[0], draw.word[1]) - 1;
}

/* A random population of n + `copies`: the last are copies of agent 0. */
static void random_world(world* w, int n, int copies, int agents, int trial) {
    double m[MOST * MOST], score[MOST * MOST];
    const int all = n + copies;
    for (int i = 0; i < all; i++) {
        for (int j = 0; j < all; j++) {
            const int a = i < n ? i : 0, b = j < n ? j : 0;
            m[i * all + j] = a == b ? 0 : a < b ? uniform(trial, a, b) : -uniform(trial, b, a);
        }
    }
    for (int i = 0; i < agents * 3; i++)
        score[i] = uniform(trial, 50, i);
    make_world(w, m, all, agents, true);
    add_anchors(w, score, 3);
}

/* Guards: on random populations, one agent included, every number is in its column's range or NaN,
 * nothing is left unwritten, and the same evidence gives the same bytes. */
static void numbers_are_in_range(void** unused) {
    for (int trial = 0; trial < 40; trial++) {
        const int n = 1 + trial % 6, agents = n + trial % 3 + (n == 1);
        world w;
        random_world(&w, n, 0, agents, trial);
        for (int r = 0; r < ROW_COUNT; r++) {
            const agon_metric* m = agon_metric_find(ROWS[r]);
            const int columns = agon_metric_columns(m), cells = agon_metric_rows(m, &w.e) * columns;
            double out[MOST * AGON_METRIC_COLUMNS], again[MOST * AGON_METRIC_COLUMNS];
            for (int i = 0; i < cells; i++)
                out[i] = again[i] = 1e300;
            assert_int_equal(compute(&w, ROWS[r], out), 0);
            assert_int_equal(compute(&w, ROWS[r], again), 0);
            assert_memory_equal(out, again, (size_t)cells * sizeof *out);
            for (int i = 0; i < cells; i++) {
                const agon_metric_column* c = &m->column[i % columns];
                assert_true(isnan(out[i]) || (out[i] >= c->low - 1e-9 && out[i] <= c->high + 1e-9 &&
                                              out[i] < 1e299));
            }
        }
    }
}

/* Guards: a copy of an agent changes neither entropy of kinds nor effective diversity: the skill
 * and the level of all stay, and copies share one mass. */
static void copies_of_agents(void** unused) {
    for (int trial = 0; trial < 20; trial++) {
        const int n = 2 + trial % 5;
        world w, more;
        double out[2 * MOST], twice[2 * MOST], one[AGON_METRIC_COLUMNS], two[AGON_METRIC_COLUMNS];
        random_world(&w, n, 0, n, trial);
        random_world(&more, n, 1, n + 1, trial);
        assert_int_equal(compute(&w, "nash", one), 0);
        assert_int_equal(compute(&more, "nash", two), 0);
        assert_near(one[3], two[3], 1e-8);
        assert_int_equal(compute(&w, "nash_mixture", out), 0);
        assert_int_equal(compute(&more, "nash_mixture", twice), 0);
        assert_near(twice[0] + twice[2 * n], out[0], 1e-8);
        assert_near(twice[0], twice[2 * n], 1e-8);
        for (int i = 0; i < n; i++)
            assert_near(twice[2 * i + 1], out[2 * i + 1], 1e-8);
        assert_near(two[1] - one[1], out[0] * log(2), 1e-7);
    }
}

/* Guards: pairs that never met: ladder and cycles are there, the rest says why not; general sum: no
 * ladder; too many agents and unknown errors are refused. */
static void refusals(void** unused) {
    world w;
    double out[4 * AGON_METRIC_COLUMNS], some[4] = {0, .5, .2, 0};
    make_world(&w, GEN4, 4, 4, false);
    w.mean[1] = w.mean[4] = NAN;
    w.wins[1] = w.wins[4] = w.games[1] = w.games[4] = 0;
    assert_int_equal(compute(&w, "cyclic_met", out), 0);
    assert_near(out[4], 5 / 6., 1e-12);
    assert_true(out[0] > 0 && out[0] < 1 && out[2] > 0 && out[5] == 1);
    assert_int_equal(compute(&w, "hodge", out), 0);
    assert_int_equal(compute(&w, "cardinality", out), AGON_EINVALID);
    assert_int_equal(compute(&w, "response_diversity", out), AGON_EINVALID);
    assert_non_null(agon_metric_why(agon_metric_find("nash"), &w.e, &(agon_metric_options){0}));
    assert_int_equal(compute(&w, "alpha_rank_general", out), AGON_EINVALID);
    make_world(&w, some, 2, 2, false);
    assert_int_equal(compute(&w, "hodge", out), AGON_EINVALID);
    assert_int_equal(compute(&w, "alpha_rank_general", out), 0);
    assert_non_null(agon_metric_why(agon_metric_find("nash"), &w.e, &(agon_metric_options){0}));
    make_world(&w, GEN4, 4, 4, true);
    w.error[1] = NAN;
    assert_int_equal(compute(&w, "nash_membership", out), AGON_EINVALID);
    assert_int_equal(compute(&w, "cyclic", out), 0);
    assert_true(isnan(out[1]) && out[0] > 0);
    w.e.payoffs.error = NULL;
    w.e.payoffs.wins = NULL;
    assert_int_equal(compute(&w, "nash_membership", out), AGON_EINVALID);
    assert_int_equal(compute(&w, "cyclic", out), 0);
    assert_true(isnan(out[1]) && isnan(out[4]) && isnan(out[5]));
    w.e.payoffs.agents = 1001;
    w.e.payoffs.mean = calloc((size_t)1001 * 1001, sizeof(double));
    assert_int_equal(compute(&w, "nash", out), AGON_EINVALID);
    free(w.e.payoffs.mean);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_population),  cmocka_unit_test(rows_per_agent),
        cmocka_unit_test(skill_of_nash_averaging), cmocka_unit_test(layers_and_responses),
        cmocka_unit_test(rows_of_fixed_opponents), cmocka_unit_test(numbers_are_in_range),
        cmocka_unit_test(copies_of_agents),        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
