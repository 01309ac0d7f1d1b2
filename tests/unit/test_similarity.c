/* Promise: CKA, Procrustes, canonical correlations and parameter distances equal values of an
 * independent program, have the invariances that are claimed for them and no others, and means over
 * populations equal means over pairs. */
#include "engine/metrics/similarity.h"
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

static const float X5[] = {1, 0, 0, 1, 1, 1, 0, 0, 2, 1}, Y5[] = {1, 0, 0, 2, 1, 2, 1, 1, 0, 1};

/* Sum of twelve uniforms less six. */
static float normal(int trial, int i, int j) {
    const agon_key key = agon_key_make((uint64_t)trial, "similarity", AGON_FOR_TEST);
    float sum = -6;
    for (uint32_t k = 0; k < 3; k++) {
        const agon_draw draw = agon_random(key, (uint32_t)i, (uint32_t)j, 0, k);
        for (int w = 0; w < 4; w++)
            sum += agon_uniform(draw.word[w]);
    }
    return sum;
}

static void random_layer(float* x, int inputs, int width, int trial) {
    for (int i = 0; i < inputs; i++) {
        for (int c = 0; c < width; c++)
            x[i * width + c] = normal(trial, i, c) + (float)c;
    }
}

/* y = scale * x turned by `turn` in each pair of neighbouring columns, + shift. */
static void turn_layer(const float* x, int inputs, int width, double turn, double scale,
                       double shift, float* y) {
    for (int i = 0; i < inputs; i++) {
        double row[64];
        for (int c = 0; c < width; c++)
            row[c] = x[i * width + c];
        for (int c = 0; c + 1 < width; c++) {
            const double a = row[c], b = row[c + 1];
            row[c] = cos(turn + c) * a - sin(turn + c) * b;
            row[c + 1] = sin(turn + c) * a + cos(turn + c) * b;
        }
        for (int c = 0; c < width; c++)
            y[i * width + c] = (float)(scale * row[c] + shift * (c + 1));
    }
}

static agon_cka cka_of(const float* x, int width_x, const float* y, int width_y, int inputs) {
    const agon_layer a = {inputs, width_x, x}, b = {inputs, width_y, y};
    agon_cka out;
    assert_int_equal(agon_similarity_cka(&a, &b, &out), 0);
    return out;
}

static double procrustes_of(const float* x, int width_x, const float* y, int width_y, int inputs) {
    const agon_layer a = {inputs, width_x, x}, b = {inputs, width_y, y};
    double out;
    assert_int_equal(agon_similarity_procrustes(&a, &b, &out), 0);
    return out;
}

static double cca_of(const float* x, int width_x, const float* y, int width_y, int inputs,
                     double variance, double* correlation, int* count) {
    const agon_layer a = {inputs, width_x, x}, b = {inputs, width_y, y};
    double out;
    assert_int_equal(agon_similarity_cca(&a, &b, variance, correlation, count, &out), 0);
    return out;
}

/* Guards: the worked examples of four and of five inputs; 3 X R + 5 of the first is X again, with R
 * a turn of entries .6 and .8 (1e-6: rounded to float). */
static void examples(void** unused) {
    double correlation[2];
    float turned[8];
    int count;
    assert_near(cka_of(X5, 2, Y5, 2, 4).biased, .6974858325, 1e-10);
    for (int i = 0; i < 4; i++) {
        turned[2 * i] = 3 * (.6f * X5[2 * i] + .8f * X5[2 * i + 1]) + 5;
        turned[2 * i + 1] = 3 * (.6f * X5[2 * i + 1] - .8f * X5[2 * i]) + 5;
    }
    assert_near(cka_of(X5, 2, turned, 2, 4).biased, 1, 1e-6);
    const agon_cka five = cka_of(X5, 2, Y5, 2, 5);
    assert_near(five.biased, .34, 1e-10);
    assert_near(five.debiased, .1666666667, 1e-10);
    assert_near(cka_of(X5, 2, X5, 2, 5).debiased, 1, 1e-12);
    assert_near(procrustes_of(X5, 2, Y5, 2, 5), .7958405421, 1e-10);
    assert_near(cca_of(X5, 2, Y5, 2, 5, 1, correlation, &count), .6960204339, 1e-10);
    assert_int_equal(count, 2);
    assert_near(correlation[0], .9866136968, 1e-10);
    assert_near(correlation[1], .4054271710, 1e-10);
}

/* Guards: two hidden units swapped: the same function, distance sqrt 18; all equal and all 0. */
static void parameters_mislead(void** unused) {
    const float nets[] = {1, 2, 3, 4, 5, 6, 3, 4, 1, 2, 6, 5}, zero[4] = {0};
    agon_parameter_distance d;
    assert_int_equal(agon_similarity_parameters(nets, 2, 6, &d), 0);
    assert_near(d.mean, 4.2426406871, 1e-10);
    assert_near(d.relative, sqrt(18 / 91.), 1e-12);
    assert_true(d.smallest == d.largest && d.smallest == d.mean);
    assert_int_equal(agon_similarity_parameters(nets, 4, 3, &d), 0); /* (1 2 3) (4 5 6) (3 4 1).. */
    assert_near(d.largest, sqrt(27), 1e-12);
    assert_near(d.smallest, sqrt(6), 1e-12);
    assert_near(d.mean, (2 * sqrt(27) + 2 * sqrt(21) + sqrt(12) + sqrt(6)) / 6, 1e-12);
    assert_int_equal(agon_similarity_parameters(zero, 2, 2, &d), 0);
    assert_true(d.mean == 0 && isnan(d.relative));
    assert_int_equal(agon_similarity_parameters(nets, 1, 12, &d), 0);
    assert_true(isnan(d.mean) && isnan(d.smallest));
}

/* Guards: a turn, one scale and a shift change nothing in any of them (1e-5: the turned layers are
 * rounded to float); two different scales change CKA and Procrustes but not CCA. */
static void invariances(void** unused) {
    for (int trial = 0; trial < 30; trial++) {
        const int width = 2 + trial % 7, inputs = 40;
        float x[40 * 8], y[40 * 8], z[40 * 8], uneven[40 * 8];
        int count;
        random_layer(x, inputs, width, trial);
        random_layer(z, inputs, width, 100 + trial);
        turn_layer(x, inputs, width, trial, 3, 5, y);
        for (int i = 0; i < inputs * width; i++)
            uneven[i] = i % width ? x[i] : 100 * x[i];
        assert_near(cka_of(x, width, y, width, inputs).biased, 1, 1e-6);
        assert_near(cka_of(x, width, y, width, inputs).debiased, 1, 1e-6);
        assert_near(procrustes_of(x, width, y, width, inputs), 0, 1e-6);
        assert_near(cca_of(x, width, y, width, inputs, 1, NULL, &count), 1, 1e-6);
        assert_near(cka_of(x, width, z, width, inputs).biased,
                    cka_of(y, width, z, width, inputs).biased, 1e-5);
        assert_near(cka_of(x, width, z, width, inputs).debiased,
                    cka_of(y, width, z, width, inputs).debiased, 1e-5);
        assert_near(procrustes_of(x, width, z, width, inputs),
                    procrustes_of(y, width, z, width, inputs), 1e-5);
        assert_near(cca_of(x, width, z, width, inputs, 1, NULL, &count),
                    cca_of(uneven, width, z, width, inputs, 1, NULL, &count), 1e-5);
        assert_true(cka_of(x, width, uneven, width, inputs).biased < .95);
        assert_true(procrustes_of(x, width, uneven, width, inputs) > .05);
    }
}

/* Guards: bounds and symmetry for layers of two widths, also with fewer inputs than units; of
 * unrelated layers debiased CKA is about 0 where the biased one is 1/3. */
static void bounds_and_bias(void** unused) {
    double debiased = 0, biased = 0;
    for (int trial = 0; trial < 40; trial++) {
        const int wide = 1 + trial % 9, narrow = 1 + trial % 5, inputs = 4 + trial % 23;
        float x[27 * 9], y[27 * 9], a[40 * 20], b[40 * 20];
        double correlation[9], before = 1;
        int count, again;
        random_layer(x, inputs, wide, trial);
        random_layer(y, inputs, narrow, 1000 + trial);
        const agon_cka cka = cka_of(x, wide, y, narrow, inputs);
        assert_true(cka.biased >= 0 && cka.biased <= 1);
        assert_true(isnan(cka.debiased) || fabs(cka.debiased) <= 1);
        assert_near(cka_of(y, narrow, x, wide, inputs).biased, cka.biased, 1e-12);
        const double p = procrustes_of(x, wide, y, narrow, inputs);
        assert_true(p >= 0 && p <= 2);
        assert_near(procrustes_of(y, narrow, x, wide, inputs), p, 1e-12);
        const double c = cca_of(x, wide, y, narrow, inputs, 1, correlation, &count);
        assert_near(cca_of(y, narrow, x, wide, inputs, 1, NULL, &again), c, 1e-9);
        assert_true(count == again && count >= 1 && c >= 0 && c <= 1);
        for (int r = 0; r < count; r++) {
            assert_true(correlation[r] >= 0 && correlation[r] <= before);
            before = correlation[r];
        }
        random_layer(a, 40, 20, 2000 + trial);
        random_layer(b, 40, 20, 3000 + trial);
        debiased += cka_of(a, 20, b, 20, 40).debiased / 40;
        biased += cka_of(a, 20, b, 20, 40).biased / 40;
    }
    assert_near(debiased, 0, .02);
    assert_near(biased, 1 / 3., .03);
}

/* The unbiased HSIC by its published formula, from Gram matrices with zero diagonals. */
static double hsic_by_formula(const float* x, const float* y, int n, int width) {
    double trace = 0, sum_k = 0, sum_l = 0, both = 0;
    for (int i = 0; i < n; i++) {
        double row_k = 0, row_l = 0;
        for (int j = 0; j < n; j++) {
            double k = 0, l = 0;
            for (int c = 0; c < width && j != i; c++) {
                k += (double)x[i * width + c] * x[j * width + c];
                l += (double)y[i * width + c] * y[j * width + c];
            }
            trace += k * l;
            row_k += k;
            row_l += l;
        }
        sum_k += row_k;
        sum_l += row_l;
        both += row_k * row_l;
    }
    return (trace + sum_k * sum_l / ((n - 1.) * (n - 2.)) - 2 / (n - 2.) * both) / (n * (n - 3.));
}

/* Guards: debiased CKA equals the formula of Song et al. on layers that were not centred. */
static void debiased_by_formula(void** unused) {
    for (int trial = 0; trial < 30; trial++) {
        const int n = 5 + trial;
        float x[35 * 3], y[35 * 3];
        random_layer(x, n, 3, trial);
        random_layer(y, n, 3, 500 + trial);
        const double xy = hsic_by_formula(x, y, n, 3), xx = hsic_by_formula(x, x, n, 3),
                     yy = hsic_by_formula(y, y, n, 3);
        assert_near(cka_of(x, 3, y, 3, n).debiased, xy / sqrt(xx * yy), 1e-9);
    }
}

/* Guards: SVCCA drops a direction that holds less than 1 % of the variance and keeps one that holds
 * more; rounding noise is no direction even for plain CCA. */
static void svcca_drops_small_directions(void** unused) {
    enum { N = 30 };
    float x[N * 3], y[N * 3];
    int count;
    for (int i = 0; i < N; i++) {
        for (int c = 0; c < 3; c++) {
            x[i * 3 + c] = normal(1, i, c) * (c == 0 ? 10 : c == 1 ? 3 : .3f);
            y[i * 3 + c] = normal(2, i, c);
        }
    }
    cca_of(x, 3, y, 3, N, .99, NULL, &count);
    assert_int_equal(count, 2);
    cca_of(x, 3, y, 3, N, 1, NULL, &count);
    assert_int_equal(count, 3);
    for (int i = 0; i < N; i++)
        x[i * 3 + 2] = (float)(.1 * x[i * 3] + .3 * x[i * 3 + 1]);
    cca_of(x, 3, y, 3, N, 1, NULL, &count);
    assert_int_equal(count, 2);
}

/* Guards: dead layers are NaN, not 0; fewer than four inputs have no debiased CKA. */
static void dead_layers(void** unused) {
    const float dead[] = {.1f, .7f, .1f, .7f, .1f, .7f, .1f, .7f, .1f, .7f};
    double correlation[2] = {0, 0};
    int count;
    const agon_cka cka = cka_of(X5, 2, dead, 2, 5);
    assert_true(isnan(cka.biased) && isnan(cka.debiased));
    assert_true(isnan(procrustes_of(dead, 2, X5, 2, 5)));
    assert_true(isnan(cca_of(dead, 2, X5, 2, 5, 1, correlation, &count)));
    assert_true(count == 0 && isnan(correlation[0]) && isnan(correlation[1]));
    const agon_cka three = cka_of(X5, 2, Y5, 2, 3);
    assert_true(isfinite(three.biased) && isnan(three.debiased));
    assert_true(isnan(cka_of(X5, 2, Y5, 2, 1).biased));
}

/* Guards: the mean over a population, one of them dead, equals the mean over its pairs; permuting
 * agents changes nothing but the last digits; fewer than two alive: NaN. */
static void populations(void** unused) {
    enum { N = 6, INPUTS = 20, WIDTH = 4, SIZE = INPUTS * WIDTH };
    float x[N * SIZE], turned[N * SIZE];
    double p = 0, c = 0, out;
    agon_cka cka = {0, 0}, mean;
    int dead, count;
    for (int i = 0; i < N; i++)
        random_layer(x + i * SIZE, INPUTS, WIDTH, i);
    for (int i = 0; i < SIZE; i++) /* two of them related, one dead */
        x[SIZE + i] = x[i] + .5f * x[SIZE + i], x[2 * SIZE + i] = 3;
    for (int i = 0; i < N; i++)
        memcpy(turned + (N - 1 - i) * SIZE, x + i * SIZE, SIZE * sizeof *x);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            if (i == 2 || j == 2)
                continue;
            const float *a = x + i * SIZE, *b = x + j * SIZE;
            const agon_cka pair = cka_of(a, WIDTH, b, WIDTH, INPUTS);
            cka.biased += pair.biased / 10;
            cka.debiased += pair.debiased / 10;
            p += procrustes_of(a, WIDTH, b, WIDTH, INPUTS) / 10;
            c += cca_of(a, WIDTH, b, WIDTH, INPUTS, .99, NULL, &count) / 10;
        }
    }
    for (int k = 0; k < 2; k++) {
        const float* all = k ? turned : x;
        assert_int_equal(agon_similarity_mean_cka(all, N, INPUTS, WIDTH, &mean, &dead), 0);
        assert_true(dead == 1);
        assert_near(mean.biased, cka.biased, 1e-12);
        assert_near(mean.debiased, cka.debiased, 1e-12);
        assert_int_equal(agon_similarity_mean_procrustes(all, N, INPUTS, WIDTH, &out, &dead), 0);
        assert_true(dead == 1);
        assert_near(out, p, 1e-12);
        assert_int_equal(agon_similarity_mean_cca(all, N, INPUTS, WIDTH, .99, &out, &dead), 0);
        assert_true(dead == 1);
        assert_near(out, c, 1e-12);
    }
    const float* few = x + SIZE; /* one alive, one dead */
    assert_int_equal(agon_similarity_mean_cka(few, 2, INPUTS, WIDTH, &mean, &dead), 0);
    assert_true(isnan(mean.biased) && isnan(mean.debiased) && dead == 1);
    assert_int_equal(agon_similarity_mean_procrustes(few, 2, INPUTS, WIDTH, &out, &dead), 0);
    assert_true(isnan(out) && dead == 1);
    assert_int_equal(agon_similarity_mean_cca(few, 2, INPUTS, WIDTH, 1, &out, &dead), 0);
    assert_true(isnan(out) && dead == 1);
}

/* Guards: NaN and infinity are refused everywhere, outputs untouched. */
static void bad_input_is_refused(void** unused) {
    for (int k = 0; k < 2; k++) {
        float bad[10];
        memcpy(bad, Y5, sizeof bad);
        bad[7] = k ? INFINITY : NAN;
        const agon_layer a = {5, 2, X5}, b = {5, 2, bad};
        agon_cka cka = {7, 7};
        agon_parameter_distance d = {.mean = 7};
        double out = 7;
        int count = 7;
        assert_int_equal(agon_similarity_cka(&a, &b, &cka), AGON_EINVALID);
        assert_int_equal(agon_similarity_procrustes(&b, &a, &out), AGON_EINVALID);
        assert_int_equal(agon_similarity_cca(&a, &b, 1, NULL, &count, &out), AGON_EINVALID);
        assert_int_equal(agon_similarity_mean_cka(bad, 1, 5, 2, &cka, &count), AGON_EINVALID);
        assert_int_equal(agon_similarity_mean_procrustes(bad, 1, 5, 2, &out, &count),
                         AGON_EINVALID);
        assert_int_equal(agon_similarity_mean_cca(bad, 1, 5, 2, 1, &out, &count), AGON_EINVALID);
        assert_int_equal(agon_similarity_parameters(bad, 2, 5, &d), AGON_EINVALID);
        assert_true(cka.biased == 7 && d.mean == 7 && out == 7 && count == 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples),
        cmocka_unit_test(parameters_mislead),
        cmocka_unit_test(invariances),
        cmocka_unit_test(bounds_and_bias),
        cmocka_unit_test(debiased_by_formula),
        cmocka_unit_test(svcca_drops_small_directions),
        cmocka_unit_test(dead_layers),
        cmocka_unit_test(populations),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
