/* Promise: a list of games gives the ratings and errors of the dense solver; exact errors are
 * exact, probed ones near; ten thousand agents are quick. */
#include "engine/metrics/rating.h"
#include "engine/metrics/rating_sparse.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))
#define LOGIT_PER_POINT              (log(10) / 400)

static const agon_key KEY = {{3, 5}};

static double uniform(int trial, int i, int j) {
    agon_draw d = agon_random((agon_key){{9, (uint32_t)trial}}, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(d.word[0], d.word[1]);
}

typedef struct example {
    int n, pairs;
    agon_rating_pair* pair; /* (pairs) */
    double* wins;           /* (n, n) */
} example;

/* Every pair meets with the given chance; `games` each, won by strength i / n, some in sweeps. */
static example make(int n, double chance, double games, int trial) {
    example e = {n, 0, calloc((size_t)n * n + 1, sizeof *e.pair),
                 calloc((size_t)n * n, sizeof *e.wins)};
    assert_true(e.pair && e.wins);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            if (uniform(trial, i, j) >= chance)
                continue;
            double p = agon_rating_expected(600.0 * (i - j) / n);
            double won = floor(games * (p + .2 * uniform(trial, j, i) - .1) * 2 + .5) / 2;
            won = fmin(games, fmax(0, won));
            e.wins[i * n + j] = won;
            e.wins[j * n + i] = games - won;
            e.pair[e.pairs++] = (agon_rating_pair){i, j, won, games - won};
        }
    }
    return e;
}

static void drop(example* e) {
    free(e->pair);
    free(e->wins);
}

static agon_rating_pool pool_of(const example* e) {
    return (agon_rating_pool){.agents = e->n, .pair = e->pair, .pairs = e->pairs, .prior_sd = 350};
}

/* Guards: ratings equal the dense solver's, and errors its errors of the difference to the mean, on
 * full and thin pools, pools in several parts, and two agents. */
static void as_dense(void** unused) {
    const int sizes[] = {2, 3, 9, 30, 60};
    const double chances[] = {1, .3, .05};
    for (int trial = 0; trial < 15; trial++) {
        example e = make(sizes[trial % 5], chances[trial / 5], 10, trial);
        const int n = e.n;
        double *rating = calloc(4 * (size_t)n, sizeof *rating), *error = rating + n,
               *dense = error + n, *se = dense + n, *c = calloc((size_t)n * n, sizeof *c);
        assert_true(rating && c);
        agon_rating_pool pool = pool_of(&e);
        agon_rating_errors how;
        assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, &how), 0);
        assert_int_equal(agon_rating_bradley_terry(e.wins, n, 350, dense, se, c), 0);
        assert_int_equal(how, AGON_RATING_EXACT);
        double all = 0;
        for (int i = 0; i < n * n; i++)
            all += c[i] / n / n;
        for (int i = 0; i < n; i++) {
            double row = 0;
            for (int j = 0; j < n; j++)
                row += c[i * n + j] / n;
            assert_near(rating[i], dense[i], 1e-6);
            assert_near(error[i], sqrt(c[i * n + i] - 2 * row + all), 1e-6);
        }
        free(rating);
        free(c);
        drop(&e);
    }
}

/* Guards: the three agents of the reference, as a list with a pair given twice. */
static void reference(void** unused) {
    const agon_rating_pair pair[4] = {{0, 1, 3, 1}, {2, 0, 3, 2}, {1, 2, 2, 3}, {1, 0, 0, 1}};
    const agon_rating_pool pool = {.agents = 3, .pair = pair, .pairs = 4, .prior_sd = 350};
    double rating[3], error[3];
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, NULL), 0);
    assert_near(rating[0], 45.5439481539, 1e-7);
    assert_near(rating[1], -91.0878963079, 1e-7);
    assert_near(rating[2], 45.5439481539, 1e-7);
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, NULL, NULL), 0);
    assert_near(rating[1], -91.0878963079, 1e-7);
}

/* Guards: an origin of some agents: their mean is 0, and errors are those of the difference to it.
 */
static void origin(void** unused) {
    enum { N = 12 };
    example e = make(N, .6, 20, 77);
    uint8_t at[N] = {0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0};
    double rating[N], error[N], dense[N], c[N * N], r[N], moved = 0;
    agon_rating_pool pool = pool_of(&e);
    pool.origin = at;
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, NULL), 0);
    assert_int_equal(agon_rating_bradley_terry(e.wins, N, 350, dense, NULL, c), 0);
    assert_near(rating[2] + rating[5] + rating[7], 0, 1e-9);
    for (int i = 0; i < N; i++) {
        r[i] = at[i] / 3.0;
        moved += r[i] * dense[i];
    }
    for (int i = 0; i < N; i++) {
        double variance = 0;
        for (int a = 0; a < N; a++) {
            for (int b = 0; b < N; b++)
                variance += ((a == i) - r[a]) * ((b == i) - r[b]) * c[a * N + b];
        }
        assert_near(rating[i], dense[i] - moved, 1e-6);
        assert_near(error[i], sqrt(variance), 1e-6);
    }
    drop(&e);
}

/* Guards: fixed ratings stay, have no error, and place who met them: one agent against a fixed one
 * is a line that can be checked by hand; an agent without games is at 0 with the prior's error. */
static void fixed(void** unused) {
    const agon_rating_pair pair[1] = {{0, 1, 30, 10}};
    const double known[3] = {NAN, 100, NAN};
    agon_rating_pool pool = {
        .agents = 3, .pair = pair, .pairs = 1, .prior_sd = 1e5, .fixed = known};
    double rating[3], error[3], k = LOGIT_PER_POINT;
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, NULL), 0);
    assert_near(rating[0], 100 + log(3) / k, .01);
    assert_near(error[0], 1 / (k * sqrt(40 * .75 * .25)), .01);
    assert_true(rating[1] == 100 && error[1] == 0);
    assert_near(rating[2], 0, 1e-9);
    assert_near(error[2], 1e5, 1e-4);
    const double all[3] = {1, 2, 3};
    pool.fixed = all;
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, NULL), 0);
    assert_true(rating[2] == 3 && error[2] == 0);
}

/* Guards: probed errors: a pool in two parts whose core would be too large is estimated; each error
 * is near the exact one of the dense solver. */
static void probed(void** unused) {
    enum { N = 700 };
    example e = make(N, 30.0 / N, 10, 5);
    int kept = 0;
    for (int k = 0; k < e.pairs; k++) { /* agents below 100 only meet one another */
        int i = e.pair[k].first, j = e.pair[k].second;
        if ((i < 100) == (j < 100))
            e.pair[kept++] = e.pair[k];
        else
            e.wins[i * N + j] = e.wins[j * N + i] = 0;
    }
    e.pairs = kept;
    static double rating[N], error[N], dense[N], c[N * N];
    agon_rating_pool pool = pool_of(&e);
    agon_rating_errors how;
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, error, &how), 0);
    assert_int_equal(how, AGON_RATING_PROBED);
    assert_int_equal(agon_rating_bradley_terry(e.wins, N, 350, dense, NULL, c), 0);
    double worst = 0, square = 0, all = 0;
    for (int i = 0; i < N * N; i++)
        all += c[i] / N / N;
    for (int i = 0; i < N; i++) {
        double row = 0;
        for (int j = 0; j < N; j++)
            row += c[i * N + j] / N;
        double exact = sqrt(c[i * N + i] - 2 * row + all), off = error[i] / exact - 1;
        assert_near(rating[i], dense[i], 1e-6);
        worst = fmax(worst, fabs(off));
        square += off * off / N;
    }
    print_message("probed errors: rms %.4f, worst %.4f\n", sqrt(square), worst);
    assert_true(sqrt(square) < .05 && worst < .2);
    drop(&e);
}

/* Guards: 10,000 agents who each met 50 anchors: under 5 seconds on a busy core, exact, and as
 * accurate as claimed: the errors tell how far ratings are from the strengths that made the games.
 */
static void ten_thousand(void** unused) {
    enum { AGENTS = 10000, ANCHORS = 50, N = AGENTS + ANCHORS };
    agon_rating_pair* pair = malloc(sizeof *pair * AGENTS * ANCHORS);
    double* rating = malloc(2 * sizeof *rating * N);
    uint8_t* at = calloc(N, 1);
    assert_true(pair && rating && at);
    for (int i = 0; i < AGENTS; i++) {
        for (int a = 0; a < ANCHORS; a++) {
            double p = agon_rating_expected(400 * (i / (double)AGENTS - .5) - 12 * (a - 24.5)),
                   won = 0;
            for (int g = 0; g < 4; g++)
                won += uniform(g, i, a) < p;
            pair[i * ANCHORS + a] = (agon_rating_pair){i, AGENTS + a, won, 4 - won};
        }
    }
    for (int a = 0; a < ANCHORS; a++)
        at[AGENTS + a] = 1;
    const agon_rating_pool pool = {
        .agents = N, .pair = pair, .pairs = AGENTS * ANCHORS, .prior_sd = 350, .origin = at};
    agon_rating_errors how;
    const clock_t start = clock();
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, rating + N, &how), 0);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    double square = 0;
    for (int i = 0; i < AGENTS; i++) {
        double off = (rating[i] - 400 * (i / (double)AGENTS - .5)) / rating[N + i];
        square += off * off / AGENTS;
    }
    print_message("10,000 agents, 50 anchors: %.2f s, error ratio %.3f\n", seconds, sqrt(square));
    assert_int_equal(how, AGON_RATING_EXACT);
    assert_near(sqrt(square), 1, .05);
#ifndef __SANITIZE_ADDRESS__
    assert_true(seconds < 5);
#endif
    free(pair);
    free(rating);
    free(at);
}

/* Guards: what makes no sense is refused and nothing is written; one agent alone is at 0. */
static void refused(void** unused) {
    const agon_rating_pair bad[] = {{0, 0, 1, 1},  {0, 2, 1, 1},   {-1, 1, 1, 1},
                                    {0, 1, -1, 1}, {0, 1, 1, NAN}, {0, 1, INFINITY, 1}};
    const uint8_t nobody[2] = {0, 0};
    const double infinite[2] = {INFINITY, NAN};
    double rating[2] = {7, 7};
    agon_rating_pool pool = {.agents = 2, .pairs = 1, .prior_sd = 350};
    for (int k = 0; k < 6; k++) {
        pool.pair = bad + k;
        assert_int_equal(agon_rating_sparse(&pool, KEY, rating, NULL, NULL), AGON_EINVALID);
    }
    pool = (agon_rating_pool){.agents = 2, .prior_sd = 0};
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, NULL, NULL), AGON_EINVALID);
    pool = (agon_rating_pool){.agents = 2, .prior_sd = 350, .origin = nobody};
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, NULL, NULL), AGON_EINVALID);
    pool = (agon_rating_pool){.agents = 2, .prior_sd = 350, .fixed = infinite};
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, NULL, NULL), AGON_EINVALID);
    assert_true(rating[0] == 7 && rating[1] == 7);
    pool = (agon_rating_pool){.agents = 1, .prior_sd = 350};
    assert_int_equal(agon_rating_sparse(&pool, KEY, rating, rating + 1, NULL), 0);
    assert_true(rating[0] == 0 && rating[1] < 1e-3); /* its own mean: nothing to be wrong about */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_dense), cmocka_unit_test(reference), cmocka_unit_test(origin),
        cmocka_unit_test(fixed),    cmocka_unit_test(probed),    cmocka_unit_test(ten_thousand),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
