/* Promise: the rows of the table about mistakes and generalization say what they compute: columns
 * in their range, sharpness as stated, n/a and NaN where there is nothing to compute. */
#include "engine/metrics/metric.h"

#include "solved_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

#define MEMBERS 4
#define ANCHORS 3
#define STRATA  4
#define POINTS  3

typedef struct world {
    solved_fixture f;
    float image[AGENTS * STATES * ACTIONS];
    uint32_t count[AGENTS * STATES * ACTIONS], visits[AGENTS * 2 * 7];
    int stratum[STATES], member[MEMBERS];
    double mean[MEMBERS * MEMBERS], score[AGENTS * ANCHORS];
    char label[ANCHORS][AGON_LABEL];
    double steps[POINTS], strength[POINTS * AGENTS];
    agon_evidence e;
} world;

static void fill_answers(world* w) {
    agon_answers* a = &w->e.answers;
    a->states = STATES;
    a->actions = ACTIONS;
    a->probability = w->f.probability;
    a->weight = w->f.weight;
    a->worth = w->f.worth;
    a->legal = w->f.legal;
    a->strata = STRATA;
    a->stratum = w->stratum;
    a->count = w->count;
    a->images = 1;
    a->image = w->image;
}

/* Everything is known; pay-offs only of agents 5, 3, 2, 0. */
static void fill_world(world* w, uint32_t trial) {
    memset(w, 0, sizeof *w);
    fixture_fill(&w->f, trial);
    w->e.agents = AGENTS;
    fill_answers(w);
    for (int k = 0; k < AGENTS; k++) /* images: the answers of the next agent */
        memcpy(w->image + k * STATES * ACTIONS,
               w->f.probability + (k + 1) % AGENTS * STATES * ACTIONS,
               STATES * ACTIONS * sizeof(float));
    for (int k = 0; k < AGENTS * STATES * ACTIONS; k++)
        w->count[k] = (uint32_t)(9 * w->f.probability[k] + .5f);
    for (int s = 0; s < STATES; s++)
        w->stratum[s] = s % (STRATA - 1); /* the last one is empty */
    for (int k = 0; k < AGENTS * 14; k++)
        w->visits[k] = (uint32_t)(20 * fixture_uniform(trial, 50, k));
    w->e.visits = (agon_visits){7, w->visits, 20};
    memcpy(w->member, (int[]){5, 3, 2, 0}, sizeof w->member);
    for (int k = 0; k < MEMBERS * MEMBERS; k++)
        w->mean[k] = k % 5 ? 2 * fixture_uniform(trial, 51, k) - 1 : 0;
    w->mean[1] = NAN; /* 5 and 3 never met */
    w->e.payoffs = (agon_payoffs){.agents = MEMBERS, .member = w->member, .mean = w->mean};
    for (int k = 0; k < AGENTS * ANCHORS; k++)
        w->score[k] = 2 * fixture_uniform(trial, 52, k) - 1;
    w->e.anchors = (agon_anchor_scores){.anchors = ANCHORS, .label = w->label, .mean = w->score};
    for (int k = 0; k < POINTS * AGENTS; k++)
        w->strength[k] = .3 * (k / AGENTS + 1);
    memcpy(w->steps, (double[]){1e3, 1e4, 1e5}, sizeof w->steps);
    w->e.history = (agon_history){POINTS, w->steps, w->strength};
}

static const agon_metric* const TABLES[3] = {agon__catalogue_errors, agon__catalogue_homogenization,
                                             agon__catalogue_generalization};

/* (rows, columns), malloc'd. */
static double* compute(const agon_metric* m, const world* w, const agon_evidence* baseline) {
    const agon_metric_options options = {
        .key = agon_key_make(1, "", AGON_FOR_METRIC), .baseline = baseline, .entropy = NAN};
    const size_t cells = (size_t)agon_metric_rows(m, &w->e) * agon_metric_columns(m);
    double* out = malloc(cells * sizeof *out);
    agon_error error = {0};
    for (size_t k = 0; k < cells; k++)
        out[k] = -12345; /* none may be left */
    assert_null(agon_metric_why(m, &w->e, &options));
    assert_int_equal(m->compute(&w->e, &options, out, &error), 0);
    return out;
}

static double* compute_named(const char* name, const world* w) {
    const agon_metric* m = agon_metric_find(name);
    assert_non_null(m);
    return compute(m, w, NULL);
}

/* Guards: every cell is written and lies in its column's range, and all rows say what they are. */
static void cells_keep_their_range(void** unused) {
    world w, base;
    for (int trial = 0; trial < 20; trial++) {
        fill_world(&w, trial);
        fill_world(&base, 100 + trial);
        for (int t = 0; t < 3; t++) {
            for (const agon_metric* m = TABLES[t]; m->name; m++) {
                const int rows = agon_metric_rows(m, &w.e), columns = agon_metric_columns(m);
                double* out = compute(m, &w, &base.e);
                assert_true(m->caveat && strlen(m->caveat) > 20 && m->formula && m->source);
                for (int k = 0; k < rows * columns; k++) {
                    const agon_metric_column* c = &m->column[k % columns];
                    if (!(isnan(out[k]) || (out[k] >= c->low - 1e-12 && out[k] <= c->high + 1e-12)))
                        fail_msg("%s.%s is %g", m->name, c->name, out[k]);
                }
                free(out);
            }
        }
    }
}

/* Guards: the same preferences, sharper: rows that say they stand still do, rows that say they
 * move do, rows that do not look at answers cannot. */
static void sharpness_is_as_stated(void** unused) {
    world w, sharp;
    fill_world(&w, 3);
    fill_world(&sharp, 3);
    fixture_sharpen(&sharp.f);
    memcpy(sharp.image, w.image, sizeof w.image);
    for (int k = 0; k < AGENTS; k++)
        memcpy(sharp.image + k * STATES * ACTIONS,
               sharp.f.probability + (k + 1) % AGENTS * STATES * ACTIONS,
               STATES * ACTIONS * sizeof(float));
    for (int k = 0; k < AGENTS * STATES * ACTIONS; k++)
        sharp.count[k] = (uint32_t)(9 * sharp.f.probability[k] + .5f);
    for (int t = 0; t < 3; t++) {
        for (const agon_metric* m = TABLES[t]; m->name; m++) {
            const int cells = agon_metric_rows(m, &w.e) * agon_metric_columns(m);
            double *before = compute(m, &w, &w.e), *after = compute(m, &sharp, &w.e);
            const int same = memcmp(before, after, (size_t)cells * sizeof *before) == 0;
            assert_int_equal(same, m->sharpness != AGON_SHARPNESS_MOVES);
            free(before);
            free(after);
        }
    }
}

/* Guards: with no state judged the rows give NaN and no error; only the neutral disagreement and
 * the share of judged states are numbers. */
static void no_state_is_judged(void** unused) {
    world w;
    fill_world(&w, 4);
    for (int k = 0; k < STATES * ACTIONS; k++)
        w.f.worth[k] = 1;
    double* out = compute_named("accuracy", &w);
    assert_true(isnan(out[0]) && isnan(out[3]) && out[5] == 0);
    free(out);
    out = compute_named("value_disagreement", &w);
    assert_true(out[0] == 0 && out[1] > 0);
    free(out);
    const char* names[10] = {"error_agreement",  "capa",       "outcome_homogenization",
                             "ecosystem",        "kuncheva",   "kuncheva_pairs",
                             "ecosystem_excess", "jaggedness", "jaggedness_agents",
                             "error_consistency"};
    for (int k = 0; k < 10; k++) {
        out = compute_named(names[k], &w);
        assert_true(isnan(out[0]) && isnan(out[1]));
        free(out);
    }
    out = compute_named("strata", &w);
    assert_true(out[0] == 0 && out[1] == 0 && isnan(out[2]));
    free(out);
}

/* Guards: answers that are no distributions give an error with a text, and no number. */
static void bad_answers_are_refused(void** unused) {
    const agon_metric_options options = {.entropy = NAN};
    world w;
    fill_world(&w, 5);
    w.f.probability[3] = NAN;
    for (int t = 0; t < 3; t++) {
        for (const agon_metric* m = TABLES[t]; m->name; m++) {
            if (!(m->needs & (AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES)))
                continue;
            double* out =
                calloc((size_t)agon_metric_rows(m, &w.e) * AGON_METRIC_COLUMNS, sizeof *out);
            agon_error error = {0};
            assert_int_equal(m->compute(&w.e, &options, out, &error), AGON_EINVALID);
            assert_true(strlen(error.text) > 10 && out[0] == 0);
            free(out);
        }
    }
}

/* Guards: the pay-offs of some agents land on these agents, without themselves and without the one
 * never met; the mean is over who has both. */
static void gap_of_members(void** unused) {
    world w;
    fill_world(&w, 6);
    double* out = compute_named("generalization_gap_agents", &w);
    const double own = (w.mean[2] + w.mean[3]) / 2; /* of agent 5, against 2 and 0 */
    const double held = (w.score[15] + w.score[16] + w.score[17]) / 3;
    assert_near(out[5 * 3 + 1], own, 1e-12);
    assert_near(out[5 * 3 + 2], held, 1e-12);
    assert_near(out[5 * 3], own - held, 1e-12);
    assert_true(isnan(out[1 * 3]) && isnan(out[4 * 3]) && !isnan(out[1 * 3 + 2]));
    double* all = compute_named("generalization_gap", &w);
    assert_near(all[0], (out[0] + out[6] + out[9] + out[15]) / 4, 1e-12);
    assert_near(all[5], 4, 0);
    assert_true(all[1] <= all[0] && all[0] <= all[2]);
    free(out);
    free(all);
}

/* Guards: transfer to the same game is 0 and 1; a baseline with other opponents or another number
 * of agents is refused. */
static void transfer_needs_the_same_opponents(void** unused) {
    const agon_metric* m = agon_metric_find("transfer");
    world w, base;
    agon_error error = {0};
    double out[6], *same;
    fill_world(&w, 7);
    fill_world(&base, 7);
    same = compute(m, &w, &base.e);
    assert_near(same[0], 0, 1e-12);
    assert_near(same[3], 1, 1e-12);
    assert_near(same[4], same[5], 1e-12);
    free(same);
    const agon_metric_options options = {.baseline = &base.e, .entropy = NAN};
    strcpy(base.label[2], "another");
    assert_int_equal(m->compute(&w.e, &options, out, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "another"));
    base.e.agents = 2;
    assert_int_equal(m->compute(&w.e, &options, out, &error), AGON_EINVALID);
}

/* Guards: the learning curve of the mean agent .3, .6, .9 in three tenfold steps. */
static void learning_of_the_mean_agent(void** unused) {
    world w;
    fill_world(&w, 8);
    double* out = compute_named("sample_efficiency", &w);
    assert_near(out[0], .6, 1e-12);
    assert_near(log10(out[1]), 3 + 2 / 3., 1e-9);
    assert_near(log10(out[2]), 4, 1e-9);
    assert_near(log10(out[5]), 5, 1e-9);
    assert_near(out[6], .9, 1e-12);
    free(out);
}

/* Guards: strata add up to the whole, and an empty one is empty. */
static void strata_are_parts_of_the_whole(void** unused) {
    world w;
    fill_world(&w, 9);
    double *out = compute_named("strata", &w), *all = compute_named("accuracy", &w), error = 0;
    for (int k = 0; k < STRATA - 1; k++) {
        error += out[5 * k + 1] * out[5 * k + 2];
        assert_true(out[5 * k + 3] <= out[5 * k + 2] && out[5 * k + 2] <= out[5 * k + 4]);
    }
    assert_near(error, 1 - all[0], 1e-12);
    assert_true(out[5 * 3 + 1] == 0 && isnan(out[5 * 3 + 2]) && isnan(out[5 * 3 + 4]));
    free(out);
    free(all);
}

/* Guards: what is absent makes a row n/a, with a reason. */
static void absent_parts(void** unused) {
    const agon_metric_options options = {.entropy = NAN};
    world w;
    fill_world(&w, 10);
    w.e.agents = 1;
    assert_non_null(agon_metric_why(agon_metric_find("capa"), &w.e, &options));
    assert_null(agon_metric_why(agon_metric_find("accuracy"), &w.e, &options));
    assert_non_null(agon_metric_why(agon_metric_find("transfer"), &w.e, &options));
    w.e.answers.worth = NULL;
    assert_non_null(agon_metric_why(agon_metric_find("accuracy"), &w.e, &options));
    w.e.answers.images = 0;
    assert_non_null(agon_metric_why(agon_metric_find("symmetry"), &w.e, &options));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_keep_their_range),
        cmocka_unit_test(sharpness_is_as_stated),
        cmocka_unit_test(no_state_is_judged),
        cmocka_unit_test(bad_answers_are_refused),
        cmocka_unit_test(gap_of_members),
        cmocka_unit_test(transfer_needs_the_same_opponents),
        cmocka_unit_test(learning_of_the_mean_agent),
        cmocka_unit_test(strata_are_parts_of_the_whole),
        cmocka_unit_test(absent_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
