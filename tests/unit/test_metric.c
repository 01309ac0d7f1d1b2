/* Promise: every row of the table of metrics keeps to what it says: ranges, invariance to the order
 * of the agents, sharpness, absence with a reason; and its noise is what it is called. */
#include "engine/metrics/metric.h"
#include "engine/metrics/normal_stream.h"
#include "tests/unit/evidence_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static agon_metric_options options_of(const agon_evidence* baseline) {
    return (agon_metric_options){.key = agon_key_make(7, "test", AGON_FOR_METRIC),
                                 .baseline = baseline,
                                 .entropy = NAN,
                                 .subset = 3};
}

static const agon_metric* metric_at(int i) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    return i < count ? all[i] : NULL;
}

/* Computes a metric, the caller frees; NULL: it refused the evidence, and said why. */
static double* compute(const agon_metric* m, const agon_evidence* e,
                       const agon_metric_options* options, int* rows) {
    agon_error error = {0};
    *rows = agon_metric_rows(m, e);
    double* out = calloc((size_t)*rows * (size_t)agon_metric_columns(m) + 1, sizeof *out);
    assert_non_null(out);
    const int rc = m->compute(e, options, out, &error);
    if (rc == AGON_EINVALID && strlen(error.text) > 10) {
        free(out);
        return NULL;
    }
    if (rc)
        print_error("%s: %s\n", m->name, error.text);
    assert_int_equal(rc, 0);
    return out;
}

/* Guards: names are typed, so they are unique; no row is without its warning. */
static void rows_are_complete(void** unused) {
    for (int i = 0; metric_at(i); i++) {
        const agon_metric* m = metric_at(i);
        assert_ptr_equal(agon_metric_find(m->name), m);
        assert_int_equal(strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(m->name));
        assert_true(strlen(m->title) > 3 && strlen(m->formula) > 3 && strlen(m->source) > 3);
        assert_true(strlen(m->caveat) > 20);
        assert_true(agon_metric_columns(m) >= 1);
        assert_true((m->shape == AGON_PER_LEVEL) == (m->levels != NULL));
        for (int c = 0; c < agon_metric_columns(m); c++) {
            assert_true(m->column[c].low <= m->column[c].high);
            assert_true(strlen(m->column[c].meaning) > 3 && strlen(m->column[c].unit) >= 1);
            for (int b = 0; b < c; b++)
                assert_string_not_equal(m->column[b].name, m->column[c].name);
        }
    }
}

static bool in_range(const agon_metric_column* c, double x) {
    const double slack = 1e-9 * (1 + fabs(x));
    return isnan(x) || (x >= c->low - slack && x <= c->high + slack);
}

static void hold_to_ranges(uint64_t seed, int agents) {
    agon_evidence e = fixture_evidence(seed, agents, 1);
    agon_evidence baseline = fixture_evidence(seed + 100, agents, 1);
    const agon_metric_options options = options_of(&baseline);
    for (int i = 0; metric_at(i); i++) {
        const agon_metric* m = metric_at(i);
        int rows;
        if (agon_metric_why(m, &e, &options))
            continue;
        double* out = compute(m, &e, &options, &rows);
        const int columns = agon_metric_columns(m);
        for (int k = 0; out && k < rows * columns; k++) {
            if (!in_range(&m->column[k % columns], out[k]))
                print_error("%s.%s of %d agents, seed %d: %g\n", m->name,
                            m->column[k % columns].name, agents, (int)seed, out[k]);
            assert_true(in_range(&m->column[k % columns], out[k]));
        }
        free(out);
    }
    agon_evidence_clear(&e);
    agon_evidence_clear(&baseline);
}

/* Guards: a number outside the range that its column states would be believed. One, two and more
 * agents. */
static void numbers_stay_in_their_ranges(void** unused) {
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int agents = 1; agents <= 9; agents += agents < 3 ? 1 : 3)
            hold_to_ranges(seed, agents);
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-6 * (1 + fabs(a));
}

/* Where agent i of the first goes in the second, whose agents are reversed. */
static int turned(const agon_metric* m, int row, int n) {
    if (m->shape == AGON_PER_AGENT)
        return n - 1 - row;
    return m->shape == AGON_PER_PAIR ? (n - 1 - row / n) * n + (n - 1 - row % n) : row;
}

/* Metrics that take agents in an order by their nature, or draw some of them by number; their
 * caveats say so. */
static bool orders_agents(const agon_metric* m) {
    static const char* const names[] = {"trueskill", "rarefied", "generalization_gap", "transfer",
                                        "nash_membership"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(m->name, names[i]) == 0)
            return true;
    return false;
}

/* Guards: a metric of a set of agents must not depend on how they are numbered. */
static void order_of_agents_does_not_matter(void** unused) {
    enum { N = 6 };
    agon_evidence a = fixture_evidence(3, N, 1), b = fixture_evidence(3, N, 1);
    agon_evidence baseline = fixture_evidence(9, N, 1);
    fixture_reverse(&b);
    const agon_metric_options options = options_of(&baseline);
    for (int i = 0; metric_at(i); i++) {
        const agon_metric* m = metric_at(i);
        int rows;
        if (orders_agents(m) || agon_metric_why(m, &a, &options))
            continue;
        double* x = compute(m, &a, &options, &rows);
        double* y = compute(m, &b, &options, &rows);
        const int columns = agon_metric_columns(m);
        assert_true(!x == !y);
        for (int k = 0; x && k < rows * columns; k++) {
            const int other = turned(m, k / columns, N) * columns + k % columns;
            if (!same(x[k], y[other]))
                print_error("%s.%s row %d: %.9g, reversed %.9g\n", m->name,
                            m->column[k % columns].name, k / columns, x[k], y[other]);
            assert_true(same(x[k], y[other]));
        }
        free(x);
        free(y);
    }
    agon_evidence_clear(&a);
    agon_evidence_clear(&b);
    agon_evidence_clear(&baseline);
}

/* Fixed logits scaled by .25 .. 8; does any number of the metric move? */
static bool moves(const agon_metric* m) {
    bool moved = false;
    double* first = NULL;
    for (double sharpness = 0.25; sharpness <= 8; sharpness *= 2) {
        agon_evidence e = fixture_evidence(5, 6, sharpness);
        agon_evidence baseline = fixture_evidence(6, 6, 1);
        agon_metric_options options = options_of(&baseline);
        int rows;
        options.entropy = 0.6; /* registered: the population's own mean would move */
        double* out = compute(m, &e, &options, &rows);
        for (int k = 0; first && out && k < rows * agon_metric_columns(m); k++)
            moved = moved || !same(first[k], out[k]);
        if (first)
            free(out);
        else
            first = out;
        agon_evidence_clear(&e);
        agon_evidence_clear(&baseline);
    }
    free(first);
    return moved;
}

/* Guards: "moves with entropy" in a metric's help is true, for every metric. */
static void sharpness_is_as_stated(void** unused) {
    for (int i = 0; metric_at(i); i++) {
        const agon_metric* m = metric_at(i);
        const bool stated = m->sharpness == AGON_SHARPNESS_MOVES;
        const bool moved = moves(m);
        if (moved != stated)
            print_error("%s %s when logits are scaled\n", m->name, moved ? "moves" : "stays");
        assert_int_equal(moved, stated);
        if (m->sharpness == AGON_SHARPNESS_NONE)
            assert_int_equal(m->needs & (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH), 0);
    }
}

/* Guards: what does not apply says why, and says it of the part that is missing. */
static void absence_has_a_reason(void** unused) {
    agon_evidence e = {.agents = 3};
    const agon_metric_options options = options_of(NULL);
    snprintf(e.why.payoffs, sizeof e.why.payoffs, "they never met");
    for (int i = 0; metric_at(i); i++) {
        const char* why = agon_metric_why(metric_at(i), &e, &options);
        assert_non_null(why);
        assert_true(strlen(why) > 5);
    }
    const agon_metric* cyclic = agon_metric_find("cyclic");
    assert_non_null(cyclic);
    assert_string_equal(agon_metric_why(cyclic, &e, &options), "they never met");
}

static agon_metric_noise noise_beside(const char* name, const agon_evidence* e,
                                      const agon_evidence* baseline, int column) {
    const agon_metric* m = agon_metric_find(name);
    const agon_metric_options options = options_of(baseline);
    agon_metric_noise noise[AGON_METRIC_COLUMNS];
    agon_error error = {0};
    assert_non_null(m);
    assert_int_equal(agon_metric_bootstrap(m, e, &options, 100, noise, &error), 0);
    return noise[column];
}

static agon_metric_noise noise_of(const char* name, const agon_evidence* e, int column) {
    return noise_beside(name, e, NULL, column);
}

/* Guards: the interval of a mean over states is what the bootstrap of a mean gives: its standard
 * error is s / sqrt(n) of the states' own numbers. */
static void states_give_the_interval_of_a_mean(void** unused) {
    agon_evidence e = fixture_evidence(11, 5, 1);
    const agon_behaviour b = agon_evidence_behaviour(&e);
    double sum = 0, squares = 0;
    for (int s = 0; s < e.answers.states; s++) {
        double weight[24] = {0};
        agon_entropy_split split;
        weight[s] = 1;
        const agon_behaviour one = {b.agents, b.states, b.actions, b.probability, weight};
        assert_int_equal(agon_diversity_entropy(&one, &split), 0);
        sum += split.between;
        squares += split.between * split.between;
    }
    const double n = e.answers.states, mean = sum / n;
    const double expected = sqrt((squares / n - mean * mean) / n);
    const agon_metric_noise noise = noise_of("entropy", &e, 0);
    assert_true(noise.low < mean && mean < noise.high);
    assert_true(noise.error > 0.6 * expected && noise.error < 1.5 * expected);
    assert_true(isnan(noise.null_low));
    agon_evidence_clear(&e);
}

/* Guards: pay-offs of equal agents plus noise have the cyclic fraction that noise alone gives, and
 * the interval of noise-free pay-offs has no width. */
static void payoffs_know_their_null(void** unused) {
    agon_evidence e = fixture_evidence(12, 8, 1);
    agon_normal_stream source = {.key = agon_key_make(5, "null", AGON_FOR_TEST)};
    for (int i = 0; i < 8; i++)
        for (int j = i + 1; j < 8; j++) {
            e.payoffs.mean[i * 8 + j] = 0.05 * agon_normal_next(&source);
            e.payoffs.mean[j * 8 + i] = -e.payoffs.mean[i * 8 + j];
        }
    const agon_metric_noise noise = noise_of("cyclic", &e, 0);
    const agon_metric_options options = options_of(NULL);
    int rows;
    double* out = compute(agon_metric_find("cyclic"), &e, &options, &rows);
    assert_near(noise.null_mean, 1 - 2.0 / 8, 0.08);
    assert_true(out[0] > noise.null_low && out[0] < noise.null_high);
    free(out);
    for (int i = 0; i < 64; i++)
        e.payoffs.error[i] = 0;
    const agon_metric_noise exact = noise_of("cyclic", &e, 0);
    assert_near(exact.high - exact.low, 0, 1e-12);
    agon_evidence_clear(&e);
}

/* Guards: the floor of sampled answers is the bias that equal agents would show: (n - 1)(K - 1) /
 * (2 n m) with n = 2 halves, K options and m answers in each half. */
static void halves_of_one_agent_give_the_floor(void** unused) {
    agon_evidence e = {.agents = 4};
    enum { STATES = 40, ACTIONS = 5, SAMPLES = 200 };
    fixture_dice d = {agon_key_make(21, "floor", AGON_FOR_TEST), 0};
    e.label = fixture_array(4, sizeof *e.label);
    fixture_answers(&e, 1, STATES, ACTIONS, 0);
    for (int row = 0; row < 4 * STATES; row++) {
        const int options = e.answers.options[row % STATES];
        uint32_t* count = e.answers.count + row * ACTIONS;
        memset(count, 0, ACTIONS * sizeof *count);
        for (int k = 0; k < SAMPLES; k++)
            count[(int)(options * fixture_uniform(&d))]++;
        for (int k = 0; k < ACTIONS; k++)
            e.answers.probability[row * ACTIONS + k] = (float)count[k] / SAMPLES;
    }
    double expected = 0;
    for (int s = 0; s < STATES; s++)
        expected += (e.answers.options[s] - 1) / (2.0 * 2 * (SAMPLES / 2)) / STATES;
    assert_near(noise_of("entropy", &e, 0).floor, expected, 0.25 * expected);
    agon_evidence_clear(&e);
}

/* Guards: counts of billions, as a file may hold, are split at once, and their floor is small. */
static void many_samples_are_split_at_once(void** unused) {
    agon_evidence e = {.agents = 3};
    e.label = fixture_array(3, sizeof *e.label);
    fixture_answers(&e, 1, 10, 4, 0);
    for (int i = 0; i < 3 * 10 * 4; i++)
        e.answers.count[i] = e.answers.legal[i % 40] ? 1000000000u + (uint32_t)i : 0;
    const double floor = noise_of("entropy", &e, 0).floor;
    assert_true(floor > 0 && floor < 1e-8);
    agon_evidence_clear(&e);
}

/* Guards: in poker a strong agent wins most games and little money: the worlds of its ratings are
 * about its wins, and those of the logits too, with cycles and without. */
static void points_have_worlds_of_their_own(void** unused) {
    agon_evidence e = fixture_evidence(13, 6, 1);
    const agon_metric_options options = options_of(NULL);
    int rows;
    double *spread = compute(agon_metric_find("rating_spread"), &e, &options, &rows),
           *planes = compute(agon_metric_find("cycle_planes"), &e, &options, &rows);
    for (int i = 0; i < 36; i++) /* of games that are won or lost */
        e.payoffs.error[i] = sqrt((1 - e.payoffs.mean[i] * e.payoffs.mean[i]) / 64);
    const double before = noise_of("cycle_planes", &e, 6).null_mean;
    for (int i = 0; i < 36; i++) {
        e.payoffs.mean[i] *= 0.1;
        e.payoffs.error[i] *= 0.1;
    }
    const agon_metric_noise rating = noise_of("rating_spread", &e, 1),
                            logit = noise_of("cycle_planes", &e, 6);
    assert_true(rating.low < spread[1] && spread[1] < rating.high);
    assert_true(rating.error > 0 && rating.error < 0.3 * spread[1]);
    assert_true(logit.low < planes[6] && planes[6] < logit.high);
    assert_near(logit.null_mean, before, 0.3 * before);
    free(spread);
    free(planes);
    agon_evidence_clear(&e);
}

/* Guards: where no standard error is known there is no interval, rather than one without width. */
static void unknown_errors_give_no_interval(void** unused) {
    agon_evidence e = fixture_evidence(14, 5, 1);
    for (int i = 0; i < 25; i++)
        e.payoffs.error[i] = i % 6 ? NAN : 0;
    for (int i = 0; i < 15; i++)
        e.anchors.error[i] = NAN;
    const agon_metric_noise nash = noise_of("nash", &e, 0), held = noise_of("effectivity", &e, 0);
    assert_true(isnan(nash.error) && isnan(nash.low) && isnan(nash.null_high));
    assert_true(isnan(held.error) && isnan(held.high));
    assert_false(isnan(noise_of("entropy", &e, 0).error));
    agon_evidence_clear(&e);
}

/* Guards: a pair that never met takes the interval from nobody, and its halves stay negatives. */
static void pairs_may_be_missing(void** unused) {
    agon_evidence e = fixture_evidence(15, 5, 1);
    e.payoffs.mean[1] = e.payoffs.mean[5] = NAN;
    e.payoffs.error[1] = e.payoffs.error[5] = NAN;
    e.payoffs.wins[1] = e.payoffs.wins[5] = e.payoffs.games[1] = e.payoffs.games[5] = 0;
    const agon_metric_noise met = noise_of("cyclic_met", &e, 0),
                            logit = noise_of("cyclic_met", &e, 2);
    assert_true(met.error > 0 && met.low < met.high && logit.error > 0);
    agon_evidence_clear(&e);
}

/* Guards: a baseline that was asked the same questions is asked the drawn ones, too: a population
 * beside itself is 0 in every world. Its scores have noise of their own. */
static void baselines_differ_by_noise(void** unused) {
    agon_evidence e = fixture_evidence(16, 6, 1);
    const agon_metric_noise same = noise_beside("homogenization", &e, &e, 0);
    assert_near(same.low, 0, 1e-12);
    assert_near(same.high, 0, 1e-12);
    const double difference = noise_beside("transfer", &e, &e, 0).error,
                 here = noise_beside("transfer", &e, &e, 4).error,
                 there = noise_beside("transfer", &e, &e, 5).error;
    assert_near(difference * difference, here * here + there * there, 0.4 * here * here);
    assert_true(there > 0);
    agon_evidence_clear(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(numbers_stay_in_their_ranges),
        cmocka_unit_test(order_of_agents_does_not_matter),
        cmocka_unit_test(sharpness_is_as_stated),
        cmocka_unit_test(absence_has_a_reason),
        cmocka_unit_test(states_give_the_interval_of_a_mean),
        cmocka_unit_test(payoffs_know_their_null),
        cmocka_unit_test(halves_of_one_agent_give_the_floor),
        cmocka_unit_test(many_samples_are_split_at_once),
        cmocka_unit_test(points_have_worlds_of_their_own),
        cmocka_unit_test(unknown_errors_give_no_interval),
        cmocka_unit_test(pairs_may_be_missing),
        cmocka_unit_test(baselines_differ_by_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
