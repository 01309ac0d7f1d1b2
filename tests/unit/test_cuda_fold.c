/* Convolutions as linear maps of unfolded images. */
#include "cuda/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Promise: each column of each point is the entry that the definition of a convolution says, or a
 * zero beyond an edge. */
static void columns(void** state) {
    const agon__fold f = {
        .rows = 4, .cols = 5, .kernel = 3, .channels = 2, .channel_step = 20, .point_step = 1};
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 5; x++)
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    for (int c = 0; c < 2; c++) {
                        const int column = ((dy + 1) * 3 + dx + 1) * 2 + c;
                        const int there = y + dy >= 0 && y + dy < 4 && x + dx >= 0 && x + dx < 5;
                        const int want = there ? c * 20 + (y + dy) * 5 + x + dx : -1;
                        assert_int_equal(agon__fold_entry(&f, y * 5 + x, column), want);
                    }
    const agon__fold whole = {
        .rows = 4, .cols = 5, .channels = 3, .channel_step = 1, .point_step = 8};
    for (int k = 0; k < 60; k++)
        assert_int_equal(agon__fold_entry(&whole, 0, k), k / 3 * 8 + k % 3);
}

/* Promise: the way back finds the point that an entry was unfolded for, and no other. */
static void back(void** state) {
    static const int kernels[] = {0, 1, 3, 5, 7};
    for (int i = 0; i < 5; i++) {
        const agon__fold f = {.rows = 3,
                              .cols = 6,
                              .kernel = kernels[i],
                              .channels = 1,
                              .channel_step = 1,
                              .point_step = 1};
        const int points = f.kernel ? 18 : 1, offsets = f.kernel ? f.kernel * f.kernel : 18;
        for (int from = 0; from < 18; from++)
            for (int offset = 0; offset < offsets; offset++) {
                int found = -1;
                for (int p = 0; p < points; p++)
                    if (agon__fold_point(&f, p, offset) == from)
                        found = p;
                assert_int_equal(agon__fold_back(&f, from, offset), found);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns), cmocka_unit_test(back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
