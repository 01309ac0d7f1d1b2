/* Promise: similarity within and between agents is compared on equal terms: equal agents have a
 * ratio of about 1 however few their samples. */
#include "engine/metrics/intra_inter.h"
#include "games/error.h"
#include "games/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static const double HALVES[2] = {.5, .5};

/* Guards: two agents at two states by hand: the same twice out of four, always; then apart. */
static void answers_by_hand(void** unused) {
    const uint32_t count[8] = {4, 0, 1, 1, 0, 2, 2, 2};
    agon_intra_inter out;
    assert_int_equal(agon_intra_inter_answers(count, HALVES, 2, 2, 2, &out), 0);
    assert_near(out.intra, (1 + 0 + 1 + 1 / 3.) / 4, 1e-12);
    assert_near(out.inter, .5 * 0 + .5 * .5, 1e-12);
    assert_near(out.high, .5, 1e-12);
    assert_near(out.ratio, .25 / (7 / 12.), 1e-12);
}

/* Guards: one sample has no intra, no samples no inter; nothing to compare is NaN; weights are
 * checked. */
static void answers_of_few_samples(void** unused) {
    const uint32_t single[4] = {1, 0, 0, 1}, empty[4] = {0, 0, 0, 3};
    const double one[1] = {1}, wrong[2] = {.5, .6};
    agon_intra_inter out;
    assert_int_equal(agon_intra_inter_answers(single, one, 2, 1, 2, &out), 0);
    assert_true(isnan(out.intra) && out.inter == 0 && isnan(out.ratio));
    assert_int_equal(agon_intra_inter_answers(empty, one, 2, 1, 2, &out), 0);
    assert_true(out.intra == 1 && isnan(out.inter) && isnan(out.ratio));
    assert_int_equal(agon_intra_inter_answers(single, HALVES, 1, 2, 2, &out), 0);
    assert_true(isnan(out.intra) && isnan(out.inter));
    assert_int_equal(agon_intra_inter_answers(single, wrong, 1, 2, 2, &out), AGON_EINVALID);
}

static uint32_t below(uint32_t trial, uint32_t what, uint32_t at, uint32_t n) {
    return agon_below(
        agon_random(agon_key_make(trial, "intra", AGON_FOR_TEST), what, at, 0, 0).word[0], n);
}

/* Guards: of agents that all answer at random from five, intra and inter are both 1/5 on average,
 * with three samples each. */
static void answers_have_no_bias(void** unused) {
    enum { N = 20, S = 200, A = 5, M = 3 };
    uint32_t* count = calloc(N * S * A, sizeof *count);
    double weight[S];
    agon_intra_inter out;
    for (int s = 0; s < S; s++)
        weight[s] = 1. / S;
    for (int k = 0; k < N * S * M; k++)
        count[k / M * A + below(1, 0, k, A)]++;
    assert_int_equal(agon_intra_inter_answers(count, weight, N, S, A, &out), 0);
    assert_near(out.intra, .2, .015); /* four standard errors */
    assert_near(out.inter, .2, .01);
    free(count);
}

static double overlap(const uint32_t* x, const uint32_t* y, int n) {
    double x_sum = 0, y_sum = 0, apart = 0;
    for (int f = 0; f < n; f++) {
        x_sum += x[f];
        y_sum += y[f];
    }
    for (int f = 0; f < n; f++)
        apart += .5 * fabs(x[f] / x_sum - y[f] / y_sum);
    return 1 - apart;
}

/* Guards: the sorted form is the mean over pairs of halves; an agent with an empty half is left
 * out. */
static void visits_are_means_over_pairs(void** unused) {
    enum { N = 5, F = 9 };
    uint32_t count[N * 2 * F];
    for (int trial = 0; trial < 100; trial++) {
        agon_intra_inter out;
        double intra = 0, inter = 0;
        const int known = trial % 2 ? N : N - 1;
        for (int k = 0; k < N * 2 * F; k++)
            count[k] = 1 + below(trial, 1, k, 20);
        if (known < N)
            memset(count + (2 * N - 1) * F, 0, F * sizeof *count);
        for (int i = 0; i < known; i++) {
            intra += overlap(count + 2 * i * F, count + (2 * i + 1) * F, F) / known;
            for (int h = 0; h < 2 * known; h++) {
                if (h / 2 != i)
                    inter += (overlap(count + 2 * i * F, count + h * F, F) +
                              overlap(count + (2 * i + 1) * F, count + h * F, F)) /
                             (4. * known * (known - 1));
            }
        }
        assert_int_equal(agon_intra_inter_visits(count, N, F, &out), 0);
        assert_near(out.intra, intra, 1e-12);
        assert_near(out.inter, inter, 1e-12);
        assert_near(out.ratio, inter / intra, 1e-12);
    }
}

/* Guards: agents that never meet have 0, twins 1, one agent no inter, nobody nothing. */
static void visits_at_the_edges(void** unused) {
    const uint32_t apart[8] = {3, 0, 5, 0, 0, 2, 0, 1}, twins[8] = {2, 2, 1, 1, 4, 4, 3, 3};
    const uint32_t nobody[8] = {0};
    agon_intra_inter out;
    assert_int_equal(agon_intra_inter_visits(apart, 2, 2, &out), 0);
    assert_true(out.intra == 1 && out.inter == 0 && out.ratio == 0 && out.high == 1);
    assert_int_equal(agon_intra_inter_visits(twins, 2, 2, &out), 0);
    assert_near(out.ratio, 1, 1e-12);
    assert_int_equal(agon_intra_inter_visits(apart, 1, 2, &out), 0);
    assert_true(out.intra == 1 && isnan(out.inter));
    assert_int_equal(agon_intra_inter_visits(nobody, 2, 2, &out), 0);
    assert_true(isnan(out.intra) && isnan(out.inter) && isnan(out.ratio));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_hand),      cmocka_unit_test(answers_of_few_samples),
        cmocka_unit_test(answers_have_no_bias), cmocka_unit_test(visits_are_means_over_pairs),
        cmocka_unit_test(visits_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
