/* Promise: the GPU's forward in mode FP32 is the CPU backend's, over the grid of forward_grid.h,
 * with observations of bytes and 1, 9, 1352 actions. */
#include "tests/unit/forward_grid.h"

static void one_action(void** state) {
    walk_grid(1, AGON_U8, 0, 1, check_fp32);
}
static void nine_actions(void** state) {
    walk_grid(9, AGON_U8, 0, 1, check_fp32);
}
static void many_actions(void** state) {
    walk_grid(1352, AGON_U8, 0, 1, check_fp32);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_action), cmocka_unit_test(nine_actions),
                                       cmocka_unit_test(many_actions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
