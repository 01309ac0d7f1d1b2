/* Promise: the rows of the groups novelty and nets are honest: numbers stay in the ranges that
 * their columns state, sharpening moves what is said to move, rows of one computation agree, and
 * subsets of large populations are functions of the key. */
#include "engine/metrics/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

enum { STATES = 6, ACTIONS = 4, INPUTS = 24, WIDTH = 5, PARAMETERS = 40, FEATURES = 12 };

static double uniform(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "catalogue", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

/* Fixed random logits times `scale`. */
static void fill_answers(agon_evidence* e, double scale, int trial) {
    for (int row = 0; row < e->agents * STATES; row++) {
        double weight[ACTIONS], sum = 0;
        for (int a = 0; a < ACTIONS; a++)
            sum += weight[a] = exp(scale * 3 * uniform(trial, row, a));
        for (int a = 0; a < ACTIONS; a++)
            e->answers.probability[row * ACTIONS + a] = (float)(weight[a] / sum);
    }
}

static void* zeroed(size_t count, size_t size) {
    void* p = calloc(count, size);
    assert_non_null(p);
    return p;
}

static agon_evidence make(int agents, int trial) {
    agon_evidence e = {.agents = agents};
    const size_t n = (size_t)agents;
    e.answers.states = STATES;
    e.answers.actions = ACTIONS;
    e.answers.probability = zeroed(n * STATES * ACTIONS, sizeof(float));
    e.answers.weight = zeroed(STATES, sizeof(double));
    for (int s = 0; s < STATES; s++)
        e.answers.weight[s] = (s + 1) / 21.;
    fill_answers(&e, 1, trial);
    e.insides = (agon_insides){INPUTS, WIDTH, zeroed(n * INPUTS * WIDTH, sizeof(float)), PARAMETERS,
                               zeroed(n * PARAMETERS, sizeof(float))};
    for (int i = 0; i < agents * INPUTS * WIDTH; i++)
        e.insides.activation[i] = (float)uniform(trial, i, 100);
    for (int i = 0; i < agents * PARAMETERS; i++)
        e.insides.parameter[i] = (float)uniform(trial, i, 101);
    e.visits.features = FEATURES;
    e.visits.count = zeroed(n * 2 * FEATURES, sizeof(uint32_t));
    for (int i = 0; i < agents * 2 * FEATURES; i++)
        e.visits.count[i] = (uint32_t)(8 * uniform(trial, i, 102));
    return e;
}

static agon_metric_options options_of(int trial) {
    return (agon_metric_options){.key = agon_key_make((uint64_t)trial, "subset", AGON_FOR_METRIC),
                                 .entropy = NAN};
}

/* (rows, columns), to be freed. */
static double* compute(const char* name, const agon_evidence* e, int key) {
    const agon_metric* m = agon_metric_find(name);
    const agon_metric_options options = options_of(key);
    assert_non_null(m);
    double* out =
        zeroed((size_t)agon_metric_rows(m, e) * (size_t)agon_metric_columns(m), sizeof *out);
    assert_null(agon_metric_why(m, e, &options));
    agon_error error;
    assert_int_equal(m->compute(e, &options, out, &error), 0);
    return out;
}

static int is_ours(const agon_metric* m) {
    return strcmp(m->group, "novelty") == 0 || strcmp(m->group, "nets") == 0;
}

/* The first of several columns. */
static double number(const char* name, int column, const agon_evidence* e, int key) {
    double* out = compute(name, e, key);
    const double x = out[column];
    free(out);
    return x;
}

/* Guards: every row, on populations of two to thirty, stays in its ranges and knows its numbers. */
static void rows_stay_in_range(void** unused) {
    int count, ours = 0;
    const agon_metric* const* all = agon_metrics(&count);
    for (int trial = 0; trial < 6; trial++) {
        agon_evidence e = make(2 + 5 * trial, trial);
        for (int k = 0; k < count; k++) {
            if (!is_ours(all[k]))
                continue;
            ours++;
            const int columns = agon_metric_columns(all[k]);
            double* out = compute(all[k]->name, &e, 0);
            for (int i = 0; i < agon_metric_rows(all[k], &e) * columns; i++) {
                const agon_metric_column* c = &all[k]->column[i % columns];
                assert_true(out[i] >= c->low - 1e-6 && out[i] <= c->high + 1e-6);
            }
            free(out);
        }
        agon_evidence_clear(&e);
    }
    assert_int_equal(ours, 6 * 16);
}

/* Guards: what each row says of sharpness, with fixed logits times .25 .. 8. */
static void sharpness_is_true(void** unused) {
    int count, still = 0, moves = 0;
    const agon_metric* const* all = agon_metrics(&count);
    for (int k = 0; k < count; k++) {
        if (!is_ours(all[k]))
            continue;
        agon_evidence e = make(8, 3);
        double lowest = INFINITY, highest = -INFINITY;
        for (double scale = .25; scale <= 8; scale *= 2) {
            fill_answers(&e, scale, 3);
            const double x = number(all[k]->name, 0, &e, 0);
            lowest = fmin(lowest, x);
            highest = fmax(highest, x);
        }
        if (all[k]->sharpness == AGON_SHARPNESS_MOVES)
            assert_true(highest > lowest + .01 * fabs(lowest));
        else
            assert_true(highest == lowest);
        still += all[k]->sharpness == AGON_SHARPNESS_STILL;
        moves += all[k]->sharpness == AGON_SHARPNESS_MOVES;
        agon_evidence_clear(&e);
    }
    assert_true(still == 1 && moves == 7);
}

/* Guards: means are the means of the rows per agent; Rao is 1 - 1/D of order 2. */
static void rows_agree(void** unused) {
    agon_evidence e = make(9, 4);
    double *novelty = compute("knn_novelty_agents", &e, 0),
           *hull = compute("policy_hull_agents", &e, 0), *ten = compute("distinct_agents", &e, 0);
    double sums[4] = {0};
    for (int i = 0; i < 9; i++) {
        sums[0] += novelty[i] / 9;
        sums[1] += hull[3 * i] / 9;
        sums[2] += hull[3 * i + 1] / 9;
        sums[3] += ten[4 * i] / 9;
    }
    assert_near(number("knn_novelty", 0, &e, 0), sums[0], 1e-12);
    assert_near(number("policy_hull", 0, &e, 0), sums[1], 1e-12);
    assert_near(number("policy_hull", 1, &e, 0), sums[2], 1e-12);
    assert_near(number("distinct", 0, &e, 0), sums[3], 1e-12);
    assert_true(number("knn_novelty", 2, &e, 0) == 8);
    assert_near(number("rao", 0, &e, 0), 1 - 1 / number("leinster_cobbold", 6, &e, 0), 1e-9);
    assert_near(number("rao", 1, &e, 0), 1 - 1 / number("leinster_cobbold", 2, &e, 0), 1e-9);
    free(novelty);
    free(hull);
    free(ten);
    agon_evidence_clear(&e);
}

/* Guards: equal agents: one effective agent, no distance, no novelty, inside the hull, CKA 1. */
static void equal_agents(void** unused) {
    agon_evidence e = make(5, 6);
    for (int i = 1; i < 5; i++) {
        const size_t rows = STATES * ACTIONS, layer = INPUTS * WIDTH, net = PARAMETERS;
        memcpy(e.answers.probability + i * rows, e.answers.probability, rows * sizeof(float));
        memcpy(e.insides.activation + i * layer, e.insides.activation, layer * sizeof(float));
        memcpy(e.insides.parameter + i * net, e.insides.parameter, net * sizeof(float));
    }
    assert_near(number("species", 0, &e, 0), 1, 1e-12);
    for (int c = 0; c < 8; c++)
        assert_near(number("leinster_cobbold", c, &e, 0), 1, 1e-6);
    assert_near(number("rao", 0, &e, 0), 0, 1e-6);
    assert_true(number("knn_novelty", 0, &e, 0) == 0);
    assert_true(number("policy_hull", 0, &e, 0) == 0 && number("policy_hull", 2, &e, 0) == 0);
    assert_true(number("dvd", 2, &e, 0) == 1e-6);
    assert_near(number("cka", 0, &e, 0), 1, 1e-12);
    assert_near(number("cka", 1, &e, 0), 1, 1e-12);
    assert_near(number("procrustes", 0, &e, 0), 0, 1e-12);
    assert_near(number("cca", 0, &e, 0), 1, 1e-12);
    assert_true(number("parameter_distance", 3, &e, 0) == 0);
    agon_evidence_clear(&e);
}

/* Guards: someone who does what nobody else does is counted, not averaged; a dead layer is counted;
 * nets without parameters give NaN. */
static void odd_ones_out(void** unused) {
    agon_evidence e = make(4, 7);
    for (int s = 0; s < 3 * STATES; s++) { /* only the last agent uses action 0 */
        float* row = e.answers.probability + s * ACTIONS;
        row[1] += row[0];
        row[0] = 0;
    }
    for (int i = 0; i < INPUTS * WIDTH; i++)
        e.insides.activation[i] = .3f;
    e.insides.parameters = 0;
    assert_true(number("policy_hull", 2, &e, 0) == .25 && number("policy_hull", 0, &e, 0) > 0);
    double* hull = compute("policy_hull_agents", &e, 0);
    assert_true(isinf(hull[9]) && isinf(hull[10]) && isfinite(hull[0]));
    free(hull);
    assert_true(number("cka", 2, &e, 0) == 1 && number("procrustes", 1, &e, 0) == 1);
    assert_true(number("cca", 2, &e, 0) == 1 && isfinite(number("cca", 0, &e, 0)));
    assert_true(isnan(number("parameter_distance", 0, &e, 0)));
    agon_evidence_clear(&e);
}

/* Guards: more agents than are measured: the same key gives the same bytes, another key other ones,
 * near by; agents left out are NaN. */
static void large_populations(void** unused) {
    agon_evidence e = make(2100, 8);
    const struct {
        const char* name;
        int column, measured;
        double agents;
    } row[] = {{"rao", 0, 2, 500},
               {"leinster_cobbold", 1, 8, 500},
               {"dvd", 0, 6, 500},
               {"knn_novelty", 0, 3, 1000},
               {"policy_hull", 0, 4, 64},
               {"procrustes", 0, 2, 200},
               {"parameter_distance", 0, 4, 200}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        const double x = number(row[k].name, row[k].column, &e, 0);
        const double y = number(row[k].name, row[k].column, &e, 1);
        assert_true(x == number(row[k].name, row[k].column, &e, 0));
        assert_true(x != y && fabs(x - y) <= .1 * fabs(x));
        assert_true(number(row[k].name, row[k].measured, &e, 0) == row[k].agents);
    }
    double *novelty = compute("knn_novelty_agents", &e, 0),
           *hull = compute("policy_hull_agents", &e, 0);
    int asked = 0, measured = 0;
    for (int i = 0; i < 2100; i++) {
        asked += isfinite(novelty[i]);
        measured += isfinite(hull[3 * i]);
    }
    assert_true(asked == 1000 && measured == 64);
    free(novelty);
    free(hull);
    agon_evidence_clear(&e);
}

/* Guards: NaN in the evidence is an error with the metric's name, never a number. */
static void bad_evidence_is_refused(void** unused) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    const agon_metric_options options = options_of(0);
    agon_evidence e = make(4, 9);
    e.answers.probability[7] = NAN;
    e.insides.activation[7] = NAN;
    e.insides.parameter[7] = NAN;
    for (int k = 0; k < count; k++) {
        if (!is_ours(all[k]) || (all[k]->needs & AGON_NEEDS_VISITS))
            continue;
        double out[4 * AGON_METRIC_COLUMNS];
        agon_error error;
        assert_int_equal(all[k]->compute(&e, &options, out, &error), AGON_EINVALID);
        assert_memory_equal(error.text, all[k]->name, strlen(all[k]->name));
    }
    agon_evidence_clear(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stay_in_range),
        cmocka_unit_test(sharpness_is_true),
        cmocka_unit_test(rows_agree),
        cmocka_unit_test(equal_agents),
        cmocka_unit_test(odd_ones_out),
        cmocka_unit_test(large_populations),
        cmocka_unit_test(bad_evidence_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
