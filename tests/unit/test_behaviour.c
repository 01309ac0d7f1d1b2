/* Promise: rescaled agents have the entropy asked for and the preferences they had; distances equal
 * values worked out by hand and their population forms; maps give planar points back; the rows of
 * the catalogue say what the functions say, and move with sharpness only as they state. */
#include "agents/real.h"
#include "engine/metrics/distance.h"
#include "engine/metrics/map.h"
#include "engine/metrics/metric.h"
#include "engine/metrics/vendi.h"
#include "games/error.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* Three agents, two states, three actions. */
static const float POL[3][2][3] = {
    {{1, 0, 0}, {.5f, .5f, 0}}, {{0, 1, 0}, {.5f, .5f, 0}}, {{.5f, .5f, 0}, {0, 0, 1}}};
static const double HALVES[2] = {.5, .5};

static double uniform(int stream, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)stream, "behaviour", AGON_FOR_TEST);
    const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, 0);
    return agon_uniform_double(draw.word[0], draw.word[1]);
}

#define N 8
#define S 16
#define A 5

static double WEIGHT[S];

/* Fixed logits in [-2, 2) times `scale`; action a of state s is legal when a <= 2 + s % 3. */
static void sharp_population(double scale, float p[N][S][A]) {
    for (int r = 0; r < N * S; r++) {
        const int s = r % S;
        double e[A], sum = 0;
        for (int a = 0; a < A; a++) {
            e[a] = a <= 2 + s % 3 ? agon_exp(scale * (4 * uniform(1, r, a) - 2)) : 0;
            sum += e[a];
        }
        for (int a = 0; a < A; a++)
            p[r / S][s][a] = (float)(e[a] / sum);
        WEIGHT[s] = 2. * (s + 1) / (S * (S + 1));
    }
}

static double entropy_of(const float* p) {
    double sum = 0;
    for (int s = 0; s < S; s++) {
        for (int a = 0; a < A; a++)
            sum -= p[s * A + a] > 0 ? WEIGHT[s] * p[s * A + a] * log(p[s * A + a]) : 0;
    }
    return sum;
}

/* ---- rescaling ----------------------------------------------------------------------------- */

/* Guards: every agent gets the entropy asked for, by one temperature (log odds keep their ratios),
 * and keeps zeros and order; without a target it is the population's own mean. */
static void rescaled_to_one_entropy(void** unused) {
    const double targets[] = {.01, .3, .8, NAN};
    float p[N][S][A], q[N][S][A];
    double temperature[N], own = 0;
    agon_rescaling about;
    sharp_population(3, p);
    for (int i = 0; i < N; i++)
        own += entropy_of(&p[i][0][0]) / N;
    agon_behaviour b = {N, S, A, &p[0][0][0], WEIGHT};
    for (int t = 0; t < 4; t++) {
        const double target = isnan(targets[t]) ? own : targets[t];
        assert_int_equal(agon_behaviour_rescale(&b, targets[t], &q[0][0][0], temperature, &about),
                         0);
        assert_near(about.entropy, target, 1e-9);
        assert_int_equal(about.kept, 0);
        for (int r = 0; r < N * S; r++) {
            const float *x = p[r / S][r % S], *y = q[r / S][r % S];
            for (int a = 1; a < A; a++) {
                assert_true((x[a] > 0 || y[a] == 0) && (x[a] < x[0] ? y[a] <= y[0] : y[a] >= y[0]));
                if (y[a] > 1e-30f && y[0] > 1e-30f)
                    assert_near(log(x[a] / x[0]), temperature[r / S] * log(y[a] / y[0]), 2e-5);
            }
        }
        for (int i = 0; i < N; i++)
            assert_near(entropy_of(&q[i][0][0]), target, 1e-6);
    }
}

/* Guards: temperatures undo a scale of the logits; in place gives the same bytes; twice changes
 * nothing more. */
static void rescaling_undoes_scale(void** unused) {
    float p[N][S][A], q[N][S][A], first[N][S][A];
    double temperature[N], start[N];
    agon_rescaling about;
    for (int k = 0; k < 6; k++) {
        const double scale = .25 * (1 << k);
        sharp_population(scale, p);
        agon_behaviour b = {N, S, A, &p[0][0][0], WEIGHT};
        assert_int_equal(agon_behaviour_rescale(&b, .7, &q[0][0][0], temperature, &about), 0);
        assert_int_equal(about.kept, 0);
        if (k == 0) {
            memcpy(first, q, sizeof q);
            memcpy(start, temperature, sizeof start);
        }
        for (int i = 0; i < N; i++)
            assert_near(temperature[i] / start[i], 1 << k, 1e-4 * (1 << k));
        for (int c = 0; c < N * S * A; c++)
            assert_near((&q[0][0][0])[c], (&first[0][0][0])[c], 2e-5);
        assert_int_equal(agon_behaviour_rescale(&b, .7, &p[0][0][0], NULL, &about), 0);
        assert_memory_equal(p, q, sizeof p);
        assert_int_equal(agon_behaviour_rescale(&b, .7, &q[0][0][0], temperature, &about), 0);
        for (int i = 0; i < N; i++)
            assert_near(temperature[i], 1, 1e-6);
    }
}

/* Guards: agents that no temperature brings there are kept to the byte, and counted: a certain one,
 * one with too few actions, a uniform one; they do not keep others from getting there. Entropy 0
 * and bad targets. */
static void unreachable_agents_are_kept(void** unused) {
    const float p[4][1][4] = {
        {{0, 1, 0, 0}}, {{.9f, .1f, 0, 0}}, {{.25f, .25f, .25f, .25f}}, {{.7f, .1f, .1f, .1f}}};
    const double one[1] = {1};
    float q[4][1][4];
    double temperature[4];
    agon_rescaling about;
    agon_behaviour b = {4, 1, 4, &p[0][0][0], one};
    assert_int_equal(agon_behaviour_rescale(&b, 1, &q[0][0][0], temperature, &about), 0);
    assert_int_equal(about.kept, 3);
    assert_memory_equal(p, q, 3 * sizeof p[0]);
    assert_true(temperature[0] == 1 && temperature[1] == 1 && temperature[2] == 1);
    assert_true(temperature[3] > 1.05 && q[3][0][0] < .7f && q[3][0][1] == q[3][0][3]);
    agon_behaviour certain = {1, 1, 4, &p[0][0][0], one};
    assert_int_equal(agon_behaviour_rescale(&certain, NAN, &q[0][0][0], temperature, &about), 0);
    assert_true(about.kept == 0 && about.entropy == 0);
    assert_memory_equal(p, q, sizeof p[0]);
    assert_int_equal(agon_behaviour_rescale(&b, INFINITY, &q[0][0][0], NULL, &about),
                     AGON_EINVALID);
    assert_int_equal(agon_behaviour_rescale(&b, -1, &q[0][0][0], NULL, &about), AGON_EINVALID);
    const float bad[1][4] = {{NAN, 1, 0, 0}};
    agon_behaviour wrong = {1, 1, 4, &bad[0][0], one};
    assert_int_equal(agon_behaviour_rescale(&wrong, .5, &q[0][0][0], NULL, &about), AGON_EINVALID);
}

/* ---- distances ----------------------------------------------------------------------------- */

/* Guards: all matrices of POL, by hand; the mean of its divergences; single states of the
 * divergence and of total variation. */
static void distances_of_pol(void** unused) {
    const double expected[5][3] = {{.5, .75, .75},
                                   {.3465735903, .4544543674, .4544543674},
                                   {.5, .5, 1},
                                   {.75, .75, .75},
                                   {.5, .5, .5}};
    const double states[2][3] = {{.6931471806, .2157615543, .2157615543},
                                 {0, .6931471806, .6931471806}};
    const double apart[2][3] = {{1, .5, .5}, {0, 1, 1}};
    const double weights[2][2] = {{1, 0}, {0, 1}};
    agon_behaviour b = {3, 2, 3, &POL[0][0][0], HALVES};
    double d[9];
    for (int k = 0; k < 5; k++) {
        assert_int_equal(agon_distance_matrix(&b, (agon_distance)k, d), 0);
        assert_near(d[1], expected[k][0], 1e-9);
        assert_near(d[2], expected[k][1], 1e-9);
        assert_near(d[5], expected[k][2], 1e-9);
        assert_true(d[1] == d[3] && d[2] == d[6] && d[5] == d[7]);
        if (k == AGON_DISTANCE_JSD)
            assert_near((d[1] + d[2] + d[5]) / 3, .4184941084, 1e-9);
        for (int i = 0; i < 3; i++)
            assert_near(d[4 * i], k == AGON_DISTANCE_SAMPLED ? .25 : 0, 0);
    }
    for (int s = 0; s < 2; s++) {
        b.weight = weights[s];
        assert_int_equal(agon_distance_matrix(&b, AGON_DISTANCE_JSD, d), 0);
        assert_near(d[1], states[s][0], 1e-9);
        assert_near(d[2], states[s][1], 1e-9);
        assert_near(d[5], states[s][2], 1e-9);
        assert_int_equal(agon_distance_matrix(&b, AGON_DISTANCE_TV, d), 0);
        assert_near(d[1], apart[s][0], 1e-12);
        assert_near(d[2], apart[s][1], 1e-12);
        assert_near(d[5], apart[s][2], 1e-12);
    }
}

/* Guards: means of the matrices are the population forms; bounds; nearly equal agents have nearly
 * no divergence and not below 0; NaN is refused. */
static void distances_of_populations(void** unused) {
    float p[N][S][A];
    double d[N * N], mean[5], form[5], ties;
    sharp_population(1.5, p);
    agon_behaviour b = {N, S, A, &p[0][0][0], WEIGHT};
    for (int k = 0; k < 5; k++) {
        assert_int_equal(agon_distance_matrix(&b, (agon_distance)k, d), 0);
        mean[k] = 0;
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < i; j++) {
                assert_true(d[i * N + j] > 0 && d[i * N + j] <= (k == 1 ? log(2) : 1));
                mean[k] += d[i * N + j] / (N * (N - 1) / 2);
            }
        }
    }
    assert_int_equal(agon_diversity_total_variation(&b, &form[0]), 0);
    assert_int_equal(agon_diversity_greedy(&b, &form[2], &ties), 0);
    assert_int_equal(agon_diversity_sampled(&b, &form[3], &form[4]), 0);
    for (int k = 0; k < 5; k++)
        assert_true(k == 1 ||
                    fabs(mean[k] - form[k]) < 1e-6); /* rows of floats add up to 1 + 1e-7 */
    float near[2][1][2] = {{{.3f, .7f}}, {{.3f, .7f}}};
    const double one[1] = {1};
    near[1][0][0] = nextafterf(.3f, 1);
    agon_behaviour close = {2, 1, 2, &near[0][0][0], one};
    assert_int_equal(agon_distance_matrix(&close, AGON_DISTANCE_JSD, d), 0);
    assert_true(d[1] >= 0 && d[1] < 1e-7);
    near[1][0][0] = NAN;
    d[1] = 9;
    assert_int_equal(agon_distance_matrix(&close, AGON_DISTANCE_TV, d), AGON_EINVALID);
    assert_true(d[1] == 9);
}

/* ---- maps ---------------------------------------------------------------------------------- */

static void distances_between(const double (*x)[2], int n, double* d) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const double a = x[i][0] - x[j][0], b = x[i][1] - x[j][1];
            d[i * n + j] = sqrt(a * a + b * b);
        }
    }
}

/* Guards: points of the plane come back up to a turn (their distances do), centred, most spread
 * first, signs as promised; a third axis is empty and the picture shows all. */
static void maps_of_planar_points(void** unused) {
    enum { POINTS = 12 };
    double x[POINTS][2], y[POINTS][2], z[POINTS][3], d[POINTS * POINTS], e[POINTS * POINTS], share;
    for (int i = 0; i < POINTS; i++) {
        x[i][0] = 5 * uniform(2, i, 0);
        x[i][1] = uniform(2, i, 1);
    }
    distances_between(x, POINTS, d);
    assert_int_equal(agon_behaviour_map(d, POINTS, 2, &y[0][0], &share), 0);
    assert_near(share, 1, 1e-12);
    distances_between(y, POINTS, e);
    double sum[2] = {0, 0}, square[2] = {0, 0};
    int largest[2] = {0, 0};
    for (int i = 0; i < POINTS * POINTS; i++)
        assert_near(d[i], e[i], 1e-12);
    for (int i = 0; i < POINTS; i++) {
        for (int k = 0; k < 2; k++) {
            sum[k] += y[i][k];
            square[k] += y[i][k] * y[i][k];
            largest[k] = fabs(y[i][k]) > fabs(y[largest[k]][k]) ? i : largest[k];
        }
    }
    assert_near(sum[0], 0, 1e-12);
    assert_near(sum[1], 0, 1e-12);
    assert_true(square[0] > square[1] && y[largest[0]][0] > 0 && y[largest[1]][1] > 0);
    assert_int_equal(agon_behaviour_map(d, POINTS, 3, &z[0][0], &share), 0);
    for (int i = 0; i < POINTS; i++)
        assert_true(z[i][0] == y[i][0] && z[i][1] == y[i][1] && z[i][2] == 0);
}

/* Guards: one agent, equal agents, a simplex (each axis shows 1/3), distances that are not
 * Euclidean, refusals. */
static void maps_at_their_edges(void** unused) {
    double zero[9] = {0}, out[8], share = 9;
    assert_int_equal(agon_behaviour_map(zero, 1, 2, out, &share), 0);
    assert_true(out[0] == 0 && out[1] == 0 && share == 1);
    assert_int_equal(agon_behaviour_map(zero, 3, 2, out, &share), 0);
    assert_true(out[0] == 0 && out[5] == 0 && share == 1);
    double simplex[16];
    for (int i = 0; i < 16; i++)
        simplex[i] = i % 5 != 0;
    assert_int_equal(agon_behaviour_map(simplex, 4, 2, out, &share), 0);
    assert_near(share, 2. / 3, 1e-12);
    const double bent[9] = {0, 1, 3, 1, 0, 1, 3, 1, 0}; /* no triangle: an eigenvalue below 0 */
    assert_int_equal(agon_behaviour_map(bent, 3, 2, out, &share), 0);
    assert_true(share < .99 && share > .5 && out[1] == 0);
    const double bad[][4] = {
        {0, NAN, NAN, 0}, {0, 1, 2, 0}, {0, -1, -1, 0}, {1, 1, 1, 1}, {0, INFINITY, INFINITY, 0}};
    share = out[0] = 9;
    for (int k = 0; k < 5; k++)
        assert_int_equal(agon_behaviour_map(bad[k], 2, 2, out, &share), AGON_EINVALID);
    assert_true(share == 9 && out[0] == 9);
}

/* ---- the catalogue ------------------------------------------------------------------------- */

static double ROW[N * N * AGON_METRIC_COLUMNS];

static agon_evidence evidence_of(float* p, int agents) {
    static int options[S];
    for (int s = 0; s < S; s++)
        options[s] = 3 + s % 3;
    return (agon_evidence){
        .agents = agents,
        .answers = {
            .states = S, .actions = A, .probability = p, .weight = WEIGHT, .options = options}};
}

static const double* compute(const char* name, const agon_evidence* e,
                             const agon_metric_options* options) {
    const agon_metric* metric = agon_metric_find(name);
    agon_error error;
    assert_non_null(metric);
    assert_null(agon_metric_why(metric, e, options));
    assert_int_equal(metric->compute(e, options, ROW, &error), 0);
    const int columns = agon_metric_columns(metric), rows = agon_metric_rows(metric, e);
    for (int c = 0; c < columns * rows; c++) {
        const agon_metric_column* column = &metric->column[c % columns];
        assert_true(isnan(ROW[c]) ||
                    (ROW[c] >= column->low - 1e-12 && ROW[c] <= column->high + 1e-12));
    }
    return ROW;
}

/* Guards: the columns of the entropy row are those of POL, each at its place; sqrt 3 policies. */
static void entropy_row_of_pol(void** unused) {
    static float p[3][2][3];
    static double halves[2] = {.5, .5};
    const double expected[4] = {.5493061443, .3465735903, .8958797346, 1.7320508076};
    const agon_metric_options options = {.entropy = NAN};
    memcpy(p, POL, sizeof p);
    agon_evidence e = {
        .agents = 3,
        .answers = {.states = 2, .actions = 3, .probability = &p[0][0][0], .weight = halves}};
    const double* row = compute("entropy", &e, &options);
    for (int c = 0; c < 4; c++)
        assert_near(row[c], expected[c], 1e-9);
}

/* Guards: logits scaled by .25 .. 8: scores of first choices do not move at all, nor do rescaled
 * ones at a given entropy; the Vendi score rises from nearly 1 to most of the agents, and every
 * row that says it moves does. */
static void what_moves_with_sharpness(void** unused) {
    static const char* const moving[] = {"vendi", "entropy", "total_variation", "vendi_kernels",
                                         "rarefied"};
    float p[N][S][A];
    double greedy = 0, rescaled = 0, differ = 0, last[5] = {0};
    const agon_metric_options options = {.entropy = .7, .subset = 4};
    for (int k = 0; k < 6; k++) {
        sharp_population(.25 * (1 << k), p);
        agon_evidence e = evidence_of(&p[0][0][0], N);
        for (int m = 0; m < 5; m++) {
            assert_int_equal(agon_metric_find(moving[m])->sharpness, AGON_SHARPNESS_MOVES);
            const double now = compute(moving[m], &e, &options)[0];
            assert_true(now > last[m]);
            last[m] = now;
            if (m == 0)
                assert_true(k == 0 ? now < 1.2 : k == 5 ? now > .6 * N : now < N);
        }
        const double now[3] = {compute("vendi_greedy", &e, &options)[0],
                               compute("vendi_rescaled", &e, &options)[0],
                               compute("disagreement", &e, &options)[0]};
        if (k == 0) {
            greedy = now[0];
            rescaled = now[1];
            differ = now[2];
        }
        assert_true(now[0] == greedy && now[2] == differ);
        assert_near(now[1], rescaled, 1e-5);
    }
    assert_int_equal(agon_metric_find("vendi_greedy")->sharpness, AGON_SHARPNESS_STILL);
    assert_int_equal(agon_metric_find("vendi_rescaled")->sharpness, AGON_SHARPNESS_STILL);
}

/* Guards: rows that need a part say so, one agent has a row wherever pairs are not needed, a
 * subset larger than the population is refused. */
static void rows_at_their_edges(void** unused) {
    static const char* const names[] = {"vendi",           "vendi_rescaled", "vendi_greedy",
                                        "entropy",         "disagreement",   "vendi_kernels",
                                        "total_variation", "pairs",          "rarefied"};
    float p[N][S][A];
    agon_metric_options options = {.entropy = NAN};
    agon_error error;
    sharp_population(1, p);
    agon_evidence one = evidence_of(&p[0][0][0], 1);
    for (int k = 0; k < 9; k++)
        compute(names[k], &one, &options);
    assert_near(compute("vendi", &one, &options)[0], 1, 1e-12);
    assert_non_null(agon_metric_why(agon_metric_find("homogenization"), &one, &options));
    assert_non_null(agon_metric_why(agon_metric_find("entropy_corrected"), &one, &options));
    options.subset = 2;
    assert_int_equal(agon_metric_find("rarefied")->compute(&one, &options, ROW, &error),
                     AGON_EINVALID);
}

/* Guards: a population against itself has index 0, clones against it nearly 1 - 1 / score, a larger
 * baseline is rarefied, and other questions are refused. */
static void homogenization_index(void** unused) {
    float p[N][S][A], clones[N][S][A];
    agon_error error;
    sharp_population(4, p);
    for (int i = 0; i < N; i++)
        memcpy(clones[i], p[0], sizeof p[0]);
    agon_evidence base = evidence_of(&p[0][0][0], N), same = evidence_of(&clones[0][0][0], N),
                  few = evidence_of(&p[0][0][0], 3);
    agon_metric_options options = {.entropy = .5, .baseline = &base};
    const double score = compute("vendi", &base, &options)[0];
    const double* row = compute("homogenization", &base, &options);
    assert_true(row[0] == 0 && row[1] == 0 && row[2] == 0 && row[3] == 0 && row[4] == N);
    row = compute("homogenization", &same, &options);
    assert_near(row[0], 1 - 1 / score, 1e-9);
    assert_true(row[1] > .3 && row[2] > .3 && row[3] == 1);
    row = compute("homogenization", &few, &options);
    assert_true(row[4] == 3 && fabs(row[0]) < .2);
    options.baseline = &same;
    row = compute("homogenization", &base, &options);
    assert_true(row[0] < 0 && isnan(row[3]) == 1);
    strcpy(same.answers.hash, "another");
    assert_int_equal(agon_metric_find("homogenization")->compute(&base, &options, ROW, &error),
                     AGON_EINVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rescaled_to_one_entropy),     cmocka_unit_test(rescaling_undoes_scale),
        cmocka_unit_test(unreachable_agents_are_kept), cmocka_unit_test(distances_of_pol),
        cmocka_unit_test(distances_of_populations),    cmocka_unit_test(maps_of_planar_points),
        cmocka_unit_test(maps_at_their_edges),         cmocka_unit_test(what_moves_with_sharpness),
        cmocka_unit_test(rows_at_their_edges),         cmocka_unit_test(homogenization_index),
        cmocka_unit_test(entropy_row_of_pol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
