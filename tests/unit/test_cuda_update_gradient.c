/* Promise: gradients of a minibatch, and its statistics, for nets of dense layers of any shape, as
 * near as gradient_fixture.h says. */
#include "tests/unit/gradient_fixture.h"

/* Layers, widths and actions all with each other; what else there is takes turns. */
static void any_shape(void** state) {
    static const int widths[] = {1, 7, 64, 200, 256}, actions[] = {1, 9, 1352};
    (void)state;
    for (int i = 0, turn = 0; i < 4 * 5 * 3; i++, turn += 5) {
        const int layers = 1 + i % 4, width = widths[i / 4 % 5], act = actions[i / 20];
        char net[64] = "";
        int at = snprintf(net, sizeof net, "%d", turn % 2 ? 37 : 130);
        for (int j = 1; j < layers; j++)
            at += snprintf(net + at, sizeof net - (size_t)at, "-%d", j == 1 ? width : width + 3);
        snprintf(net + at, sizeof net - (size_t)at, "-%d %s", act, turn / 2 % 2 ? "relu" : "tanh");
        check_gradient(&(world_def){.net = net,
                                    .type = turn / 4 % 2 ? AGON_U8 : AGON_F32,
                                    .mode = turn % 3,
                                    .members = 2,
                                    .rows = act > 9 ? 3 : 7,
                                    .horizon = act > 9 ? 5 : 11,
                                    .in_place = turn / 8 % 2,
                                    .all_legal = turn / 16 % 2,
                                    .ppo = usual_ppo,
                                    .gpu = {.blocks = turn % 7 == 0 ? 3 : 0}});
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_shape)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
