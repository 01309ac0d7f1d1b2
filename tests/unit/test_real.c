/* exp, log and tanh: one result on every CPU. */
#include "agents/kernel.h"
#include "agents/real.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { COUNT = 1 << 16 };

static float* floats(void) {
    float* block = malloc(COUNT * sizeof(float));
    assert_non_null(block);
    return block;
}

static float spread(uint32_t i) { /* in [-1, 1) */
    const agon_key key = {{7, 11}};
    return 2.0f * agon_uniform(agon_random(key, 0, 0, 0, i).word[0]) - 1.0f;
}

/* Promise: exp, log and tanh have the same bits in all forms, at the edges too. */
static void elementary_agree(void** state) {
    static const char* const forms[] = {"avx2", "avx512", "neon"};
    static const float edges[] = {0.0f,     -0.0f,     1.0f,   -1.0f,   1e-40f, -1e-40f,
                                  88.7f,    88.8f,     -87.3f, -104.0f, -1e30f, 1e30f,
                                  INFINITY, -INFINITY, 1e-20f, 0.5f};
    const agon__kernel* base = agon__kernel_named("portable");
    float *x = floats(), *want = floats(), *got = floats();
    for (int which = 0; which < 3; which++) {
        for (int i = 0; i < COUNT; i++) {
            const float u = spread((uint32_t)(which * COUNT + i));
            x[i] = i < 16 ? edges[i] : u * (i % 3 == 0 ? 100.0f : i % 3 == 1 ? 8.0f : 0.01f);
            if (which == 1)
                x[i] = fabsf(x[i]);
        }
        base->elementary(which, x, want, COUNT);
        for (int f = 0; f < 3; f++)
            if (agon__kernel_named(forms[f])) {
                agon__kernel_named(forms[f])->elementary(which, x, got, COUNT);
                assert_memory_equal(want, got, COUNT * 4);
            }
    }
    x[0] = -1e30f;
    base->elementary(0, x, want, AGON__LANES);
    assert_true(want[0] == 0.0f); /* the choice rests on it: illegal actions weigh nothing */
    free(x);
    free(want);
    free(got);
}

/* Promise: real.h agrees with libm to the last bits. */
static void real_close(void** state) {
    for (double x = 0.0; x < 20.0; x += 0.37) {
        assert_true(fabs(agon_exp(-x) / exp(-x) - 1.0) < 1e-15);
        assert_true(fabs(agon_log(x + 0.01) - log(x + 0.01)) < 1e-15 * (1.0 + fabs(log(x + 0.01))));
        assert_true(fabs(agon_sin(x) - sin(x)) < 1e-15);
        assert_true(fabs(agon_cos(x) - cos(x)) < 1e-15);
        assert_true(fabs(agon_pow(x, 1.7) - pow(x, 1.7)) <= 1e-15 * pow(x, 1.7));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementary_agree),
        cmocka_unit_test(real_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
