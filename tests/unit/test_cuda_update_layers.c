/* Promise: gradients of a minibatch, and its statistics, for nets that fold and remember, as near
 * as gradient_fixture.h says: convolutions on boards of any size, memory across any horizon, in any
 * order of layers. */
#include "tests/unit/gradient_fixture.h"

/* What there is besides the net takes turns. */
static void check_net(const char* net, int rows, int horizon, int mode, int turn) {
    check_gradient(&(world_def){.net = net,
                                .type = turn % 2 ? AGON_U8 : AGON_F32,
                                .mode = mode,
                                .members = 2,
                                .rows = rows,
                                .horizon = horizon,
                                .in_place = turn / 2 % 2,
                                .all_legal = turn / 4 % 2,
                                .ppo = usual_ppo,
                                .work = turn % 3 ? 1 : 0, /* columns in parts, or at once */
                                .gpu = {.blocks = turn % 7 == 0 ? 3 : 0}});
}

/* Kernels with channels with boards; what lies behind takes turns, too. */
static void convolutions(void** state) {
    static const int kernels[] = {1, 3, 5}, channels[] = {1, 5, 16, 33};
    static const char* const boards[] = {"1x1", "3x4", "6x7"};
    static const char* const behind[] = {"", "-9", "-mingru5", "-mingru7-6"};
    (void)state;
    for (int i = 0; i < 3 * 4 * 3; i++) {
        const int channel = i / 3 % 4, board = i / 12;
        char net[96], second[24] = "";
        if (i % 5)
            snprintf(second, sizeof second, "-conv%dk%d", channels[(channel + i) % 4],
                     kernels[(i + board) % 3]);
        snprintf(net, sizeof net, "%dx%s-conv%dk%d%s%s-6 %s", 1 + i % 4, boards[board],
                 channels[channel], kernels[i % 3], second, behind[(i + i / 4) % 4],
                 i / 2 % 2 ? "relu" : "tanh");
        check_net(net, 4, board == 2 ? 5 : 11, (i + i / 3) % 3, i);
    }
}

static void memory(void** state) {
    static const char* const nets[] = {"13-mingru1-5",          "13-mingru16-5",
                                       "37-mingru21-mingru8-5", "13-9-mingru33-6-mingru3-5",
                                       "13-mingru6-7-5",        "2x3x2-conv4-mingru9-mingru4-7-5"};
    static const int horizons[] = {1, 5, 17};
    (void)state;
    for (int i = 0; i < 6 * 3; i++) {
        char net[96];
        snprintf(net, sizeof net, "%s %s", nets[i / 3], i / 2 % 2 ? "relu" : "tanh");
        check_net(net, i % 3 ? 4 : 19, horizons[i % 3], (i + i / 3) % 3, i);
    }
}

/* As many layers as there may be, and rows so long that a part is a piece of one minibatch. */
static void many_layers(void** state) {
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        check_net("3x4x5-conv3-conv17k1-conv2k5-conv4-mingru3-5-mingru4-6-4 tanh", 3, 7, mode, 2);
        check_net("1x2x2-conv2k15-conv3-3 tanh", 6, 9, mode, 1);
        check_net("11-mingru1-mingru2-mingru3-mingru4-mingru5-mingru6-mingru7-mingru8-3 relu", 3, 9,
                  mode, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions), cmocka_unit_test(memory),
                                       cmocka_unit_test(many_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
