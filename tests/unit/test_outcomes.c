/* Promise: homogenization of outcomes, the ecosystem profile and the measures of Kuncheva and
 * Whitaker equal values that independent programs computed. */
#include "engine/metrics/kuncheva.h"
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

#define MOST 16

typedef struct board {
    double failure[MOST * MOST], weight[MOST];
    agon_outcomes view;
} board;

/* rows: agents, '1' where `mark` says that the agent fails. */
static void from_text(board* b, int agents, const char* const* rows, char fails) {
    const int n = (int)strlen(rows[0]);
    for (int i = 0; i < agents; i++) {
        for (int j = 0; j < n; j++)
            b->failure[i * n + j] = rows[i][j] == fails;
    }
    for (int j = 0; j < n; j++)
        b->weight[j] = 1. / n;
    b->view = (agon_outcomes){agents, n, b->failure, b->weight};
}

static double uniform(uint32_t trial, uint32_t what, uint32_t at) {
    const agon_draw d =
        agon_random(agon_key_make(trial, "outcomes", AGON_FOR_TEST), what, at, 0, 0);
    return agon_uniform_double(d.word[0], d.word[1]);
}

/* kind 0: failures 0 or 1; 1: probabilities; 2: both. */
static void random_board(board* b, int agents, int n, int kind, uint32_t trial) {
    double sum = 0;
    for (int k = 0; k < agents * n; k++) {
        const double u = uniform(trial, 0, k);
        b->failure[k] = kind == 0 || (kind == 2 && k % 2) ? u < .4 : u;
    }
    for (int j = 0; j < n; j++) {
        b->weight[j] = .1 + uniform(trial, 1, j);
        sum += b->weight[j];
    }
    for (int j = 0; j < n; j++)
        b->weight[j] /= sum;
    b->view = (agon_outcomes){agents, n, b->failure, b->weight};
}

/* Guards: the worked example of three agents at eight instances. */
static void example_of_homogenization(void** unused) {
    const char* rows[3] = {"10010000", "10001000", "11000000"};
    const double seen[4] = {.5, .375, 0, .125}, base[4] = {.421875, .421875, .140625, .015625};
    board b;
    agon_homogenization h;
    double observed[4], baseline[4];
    from_text(&b, 3, rows, '1');
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_near(h.systemic, .125, 1e-12);
    assert_near(h.expected, .015625, 1e-12);
    assert_near(h.ratio, 8, 1e-9);
    assert_near(h.rate, log(8) / 2, 1e-9);
    assert_near(h.pairs, .125 / (.25 * .25), 1e-12);
    assert_int_equal(agon_outcomes_profile(&b.view, observed, baseline), 0);
    for (int k = 0; k < 4; k++) {
        assert_near(observed[k], seen[k], 1e-12);
        assert_near(baseline[k], base[k], 1e-12);
    }
    const agon_profile_excess e = agon_outcomes_excess(observed, baseline, 3);
    assert_near(e.none, .078125, 1e-12);
    assert_near(e.all, .109375, 1e-12);
    assert_near(e.distance, .1875, 1e-12);
}

/* Guards: the two worked examples of Kuncheva's measures; printed to 7 digits. */
static void examples_of_kuncheva(void** unused) {
    const char* two[2] = {"1110010110", "1010110011"};
    const char* three[3] = {"111001", "101011", "110001"};
    board b;
    agon_kuncheva_pair pair[9];
    double observed[4], baseline[4], mean = 0, fault = 0;
    from_text(&b, 2, two, '0');
    assert_int_equal(agon_kuncheva_pairs(&b.view, pair), 0);
    assert_near(pair[1].q, 1 / 3., 1e-12);
    assert_near(pair[1].rho, 1 / 6., 1e-12);
    assert_near(pair[1].disagreement, .4, 1e-12);
    assert_near(pair[1].double_fault, .2, 1e-12);
    assert_near(pair[1].kappa, 1 / 6., 1e-12);
    from_text(&b, 3, three, '0');
    assert_int_equal(agon_kuncheva_pairs(&b.view, pair), 0);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < i; j++) {
            mean += pair[i * 3 + j].disagreement / 3;
            fault += pair[i * 3 + j].double_fault / 3;
        }
    }
    assert_int_equal(agon_outcomes_profile(&b.view, observed, baseline), 0);
    const agon_kuncheva k = agon_kuncheva_ensemble(observed, 3);
    assert_near(k.entropy, .5, 1e-7);
    assert_near(k.variance, .1111111, 1e-7);
    assert_near(k.disagreement, .3333333, 1e-7);
    assert_near(mean, .3333333, 1e-7);
    assert_near(k.double_fault, fault, 1e-12);
    assert_near(k.kappa, .2987013, 1e-7);
    assert_near(k.difficulty, .1265432, 1e-7);
    assert_near(k.generalized, .4285714, 1e-7);
    assert_near(k.coincident, .625, 1e-7);
}

/* Guards: 0/0 is NaN: somebody never fails, nobody fails, everybody always fails, one agent. */
static void nothing_over_nothing(void** unused) {
    const char *never[2] = {"0000", "0110"}, *all[2] = {"1111", "1111"};
    const char* apart[2] = {"1100", "0011"};
    board b;
    agon_homogenization h;
    agon_kuncheva_pair pair[4];
    from_text(&b, 2, never, '1');
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_true(isnan(h.ratio) && isnan(h.rate) && isnan(h.pairs) && h.systemic == 0);
    assert_int_equal(agon_kuncheva_pairs(&b.view, pair), 0);
    assert_true(isnan(pair[1].q) && isnan(pair[1].rho) && pair[1].kappa == 0);
    assert_true(isnan(pair[0].kappa));
    from_text(&b, 2, all, '1');
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_near(h.ratio, 1, 1e-12);
    assert_near(h.pairs, 1, 1e-12);
    from_text(&b, 2, apart, '1');
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_true(h.ratio == 0 && isnan(h.rate) && h.pairs == 0);
    from_text(&b, 1, apart, '1');
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_near(h.ratio, 1, 1e-12);
    assert_true(isnan(h.rate) && isnan(h.pairs));
    const double right[3] = {1, 0, 0}, wrong[3] = {0, 0, 1}, alone[2] = {.5, .5};
    agon_kuncheva k = agon_kuncheva_ensemble(right, 2);
    assert_true(isnan(k.generalized) && isnan(k.coincident) && isnan(k.kappa) && k.entropy == 0);
    const double nearly[3] = {1 - 0x1p-52, 0, 0}; /* as sums of weights may be */
    assert_true(isnan(agon_kuncheva_ensemble(nearly, 2).coincident));
    k = agon_kuncheva_ensemble(wrong, 2);
    assert_true(isnan(k.kappa) && k.generalized == 0 && k.coincident == 0);
    k = agon_kuncheva_ensemble(alone, 1);
    assert_true(isnan(k.entropy) && isnan(k.disagreement) && isnan(k.generalized));
    assert_true(isnan(k.coincident) && isnan(k.kappa));
    assert_near(k.difficulty, .25, 1e-12);
}

/* Guards: entries outside [0, 1], NaN and weights that do not add up are refused. */
static void bad_input_is_refused(void** unused) {
    board b;
    agon_homogenization h = {.ratio = 7};
    agon_kuncheva_pair pair[4] = {{.q = 7}};
    double observed[3] = {7}, baseline[3];
    for (int k = 0; k < 4; k++) {
        random_board(&b, 2, 4, 1, k);
        if (k < 3)
            b.failure[5] = (double[]){NAN, -.1, 1.1}[k];
        else
            b.weight[2] += .1;
        assert_int_equal(agon_outcomes_homogenization(&b.view, &h), AGON_EINVALID);
        assert_int_equal(agon_outcomes_profile(&b.view, observed, baseline), AGON_EINVALID);
        assert_int_equal(agon_kuncheva_pairs(&b.view, pair), AGON_EINVALID);
        assert_true(h.ratio == 7 && observed[0] == 7 && pair[0].q == 7);
    }
}

/* Distribution of failures by the definition: all 2^agents outcomes of an instance. */
static void profile_by_hand(const agon_outcomes* o, double* observed) {
    memset(observed, 0, (MOST + 1) * sizeof *observed);
    for (int j = 0; j < o->instances; j++) {
        for (int set = 0; set < 1 << o->agents; set++) {
            double p = o->weight[j];
            int failures = 0;
            for (int i = 0; i < o->agents; i++) {
                const double f = o->failure[i * o->instances + j];
                p *= set >> i & 1 ? f : 1 - f;
                failures += set >> i & 1;
            }
            observed[failures] += p;
        }
    }
}

/* Guards: profiles are distributions, equal to the sum over all outcomes, with the same mean; what
 * is said of pairs is what pairs add up to; bounds. */
static void random_outcomes(void** unused) {
    board b;
    for (int trial = 0; trial < 300; trial++) {
        const int n = 2 + trial % 6, instances = 1 + trial % 11;
        double observed[MOST + 1], baseline[MOST + 1], hand[MOST + 1], sum = 0, base = 0, drift = 0;
        double disagreement = 0, fault = 0;
        agon_kuncheva_pair pair[MOST * MOST];
        random_board(&b, n, instances, trial % 3, trial);
        assert_int_equal(agon_outcomes_profile(&b.view, observed, baseline), 0);
        profile_by_hand(&b.view, hand);
        for (int k = 0; k <= n; k++) {
            assert_near(observed[k], hand[k], 1e-12);
            sum += observed[k];
            base += baseline[k];
            drift += k * (observed[k] - baseline[k]);
        }
        assert_near(sum, 1, 1e-12);
        assert_near(base, 1, 1e-12);
        assert_near(drift, 0, 1e-12);
        const agon_profile_excess e = agon_outcomes_excess(observed, baseline, n);
        assert_true(e.distance >= 0 && e.distance <= 1);
        assert_int_equal(agon_kuncheva_pairs(&b.view, pair), 0);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                const agon_kuncheva_pair* p = &pair[i * n + j];
                assert_memory_equal(p, &pair[j * n + i], sizeof *p);
                assert_true(isnan(p->q) || fabs(p->q) <= 1 + 1e-12);
                assert_true(isnan(p->rho) || fabs(p->rho) <= 1 + 1e-12);
                assert_true(isnan(p->kappa) || fabs(p->kappa) <= 1 + 1e-12);
                disagreement += p->disagreement / (.5 * n * (n - 1));
                fault += p->double_fault / (.5 * n * (n - 1));
            }
        }
        const agon_kuncheva k = agon_kuncheva_ensemble(observed, n);
        assert_near(k.disagreement, disagreement, 1e-12);
        assert_near(k.double_fault, fault, 1e-12);
        assert_true(k.entropy >= 0 && k.entropy <= 1 + 1e-12 && k.variance <= .25 + 1e-12);
        assert_true(k.difficulty >= 0 && k.difficulty <= .25);
        assert_true(isnan(k.coincident) || (k.coincident >= 0 && k.coincident <= 1 + 1e-12));
    }
}

/* Guards: identical agents with failure rate r have ratio r^(1-k), rate -ln r, pairs 1/r; agents
 * that always fail with one probability are independent; the order of agents does not matter. */
static void identical_and_independent(void** unused) {
    board b;
    agon_homogenization h, turned;
    random_board(&b, 5, 9, 0, 1);
    double r = 0;
    for (int j = 0; j < 9; j++)
        r += b.weight[j] * b.failure[j];
    for (int i = 1; i < 5; i++)
        memcpy(b.failure + i * 9, b.failure, 9 * sizeof(double));
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_near(h.ratio, pow(r, -4), 1e-9);
    assert_near(h.rate, -log(r), 1e-12);
    assert_near(h.pairs, 1 / r, 1e-9);
    for (int k = 0; k < 5 * 9; k++)
        b.failure[k] = .1 + .2 * (k / 9);
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    assert_near(h.ratio, 1, 1e-12);
    assert_near(h.rate, 0, 1e-12);
    assert_near(h.pairs, 1, 1e-12);
    random_board(&b, 5, 9, 2, 2);
    assert_int_equal(agon_outcomes_homogenization(&b.view, &h), 0);
    for (int j = 0; j < 9; j++) {
        const double first = b.failure[j];
        b.failure[j] = b.failure[3 * 9 + j];
        b.failure[3 * 9 + j] = first;
    }
    assert_int_equal(agon_outcomes_homogenization(&b.view, &turned), 0);
    assert_near(h.ratio, turned.ratio, 1e-9);
    assert_near(h.pairs, turned.pairs, 1e-12);
}

/* Guards: thousands of agents neither overflow nor take long: their product is 1e-1200. */
static void many_agents(void** unused) {
    enum { N = 4000, J = 8 };
    double* failure = calloc(N * J, sizeof *failure);
    double weight[J], *observed = malloc((N + 1) * sizeof *observed),
                      *baseline = malloc((N + 1) * sizeof *baseline);
    agon_homogenization h;
    for (int j = 0; j < J; j++)
        weight[j] = 1. / J;
    for (int i = 0; i < N; i++)
        failure[i * J] = failure[i * J + 1 + i % 7] = 1;
    const agon_outcomes o = {N, J, failure, weight};
    assert_int_equal(agon_outcomes_homogenization(&o, &h), 0);
    assert_true(isnan(h.ratio) && h.expected == 0);
    assert_near(h.rate, (log(.125) - N * log(.25)) / (N - 1), 1e-9);
    assert_int_equal(agon_outcomes_profile(&o, observed, baseline), 0);
    assert_near(observed[N], .125, 1e-12);
    free(failure);
    free(observed);
    free(baseline);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_homogenization),
        cmocka_unit_test(examples_of_kuncheva),
        cmocka_unit_test(nothing_over_nothing),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(random_outcomes),
        cmocka_unit_test(identical_and_independent),
        cmocka_unit_test(many_agents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
