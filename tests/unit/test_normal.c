/* Promise: the normal distribution equals values computed with 50 digits, to 1e-12 of themselves,
 * far into the tails. */
#include "engine/metrics/normal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_close(double value, double expected, double relative) {
    if (!(fabs(value - expected) <= relative * fabs(expected)))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static const struct {
    double x, erfc, erfcx;
} ERFC[] = {
    {-26, 2.0, 7.65772493149056835e+293},
    {-5, 1.99999999999846254, 144009798674.66104},
    {-3, 1.99997790950300141, 16205.9888539995866},
    {-2.0625, 1.99646375087479021, 140.510713849079878},
    {-2, 1.99532226501895273, 108.940904389977972},
    {-1.5, 1.96610514647531073, 18.6538862562627339},
    {-0.5, 1.52049987781304654, 1.95236048918255709},
    {-9.5367431640625e-07, 1.00000107610623083, 1.00000107610714032},
    {9.5367431640625e-07, 0.999998923893769173, 0.999998923894678667},
    {0.25, 0.723673609831763067, 0.770346547730996744},
    {0.75, 0.288844366346484868, 0.506937650293144806},
    {1.25, 0.0770998717435417699, 0.367822916452361093},
    {1.4999999, 0.033894865417719986, 0.32158543281661005},
    {1.75, 0.013328328780817556, 0.28497223473743639},
    {1.9818458682963862, 0.0050668409851427353, 0.25734834347924551},
    {1.9375, 0.00614319360478680001, 0.262237606550381439},
    {2, 0.00467773498104726584, 0.255395676310505744},
    {2.0625, 0.00353624912520978899, 0.248880496184162361},
    {3, 0.0000220904969985854414, 0.17900115118138995},
    {4.5, 1.96616044154288748e-10, 0.122484804273841418},
    {6.25, 9.67220413187625399e-19, 0.0891566317872743899},
    {10, 2.08848758376254476e-45, 0.0561409927438225859},
    {17.5, 3.19886381234348099e-135, 0.0321870247382304081},
    {25, 8.30017257119652275e-274, 0.0225495724326413589},
    {26, 5.66319240885614285e-296, 0.0216835848505629066},
};
#define COUNT ((int)(sizeof ERFC / sizeof ERFC[0]))

/* Guards: erfc and the scaled erfc at both sides of every switch of method, and in the tails. */
static void complementary_error(void** unused) {
    for (int i = 0; i < COUNT; i++) {
        assert_close(agon_normal_erfc(ERFC[i].x), ERFC[i].erfc, 3e-14);
        assert_close(agon_normal_erfcx(ERFC[i].x), ERFC[i].erfcx, 3e-14);
    }
    assert_true(agon_normal_erfc(0) == 1);
    assert_true(agon_normal_erfc(INFINITY) == 0 && agon_normal_erfc(-INFINITY) == 2);
    assert_true(agon_normal_erfcx(INFINITY) == 0 && isinf(agon_normal_erfcx(-INFINITY)));
    assert_true(isnan(agon_normal_erfc(NAN)) && isnan(agon_normal_erfcx(NAN)));
}

/* Guards: no jump where the method changes, and erfc falls everywhere. */
static void monotone(void** unused) {
    double before = 2;
    for (int k = -600; k <= 2600; k++) {
        double now = agon_normal_erfc(k / 100.0);
        assert_true(now <= before);
        if (k > -500)
            assert_true(now < before);
        before = now;
        assert_true(fabs(agon_normal_erfc(-k / 100.0) + now - 2) <= 1e-15);
    }
    assert_close(agon_normal_erfc(nextafter(1.5, 0)), agon_normal_erfc(1.5), 3e-14);
}

/* Guards: the distribution function, the quantile as its inverse, the ends. */
static void distribution(void** unused) {
    assert_close(agon_normal_cdf(1.959963984540054), .975, 1e-14);
    assert_close(agon_normal_cdf(-2.8151133956289662), 0.0024380012687404399, 2e-14);
    assert_close(agon_normal_quantile(.975), 1.959963984540054, 1e-14);
    assert_close(agon_normal_quantile(.55), 0.12566134685507402, 1e-13);
    assert_close(agon_normal_quantile(1e-300), -37.047096299361199, 1e-14);
    assert_true(agon_normal_quantile(.5) == 0);
    for (int k = 1; k < 200; k++)
        assert_close(agon_normal_cdf(agon_normal_quantile(k / 200.0)), k / 200.0, 1e-13);
    assert_true(agon_normal_quantile(0) == -INFINITY && agon_normal_quantile(1) == INFINITY);
    assert_true(isnan(agon_normal_quantile(-.1)) && isnan(agon_normal_quantile(1.1)));
    assert_true(isnan(agon_normal_quantile(NAN)));
}

/* Guards: density over distribution where both are ordinary, and where both underflow. */
static void hazard(void** unused) {
    assert_close(agon_normal_hazard(0), 0.79788456080286536, 1e-14);
    for (int k = -30; k <= 30; k++) {
        double x = k / 5.0;
        assert_close(agon_normal_hazard(x), agon_normal_density(x) / agon_normal_cdf(x), 1e-12);
    }
    assert_close(agon_normal_hazard(-1e4), 1e4, 1e-7);
    assert_true(agon_normal_hazard(100) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complementary_error),
        cmocka_unit_test(monotone),
        cmocka_unit_test(distribution),
        cmocka_unit_test(hazard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
