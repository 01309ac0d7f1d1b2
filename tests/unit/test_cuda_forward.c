/* Promise: the GPU's forward in mode FP32 is the CPU backend's: with relu logits and values are
 * equal but for the sign of zero; with tanh, which is another library's, they agree to 1e-5 of the
 * largest. Probabilities agree to 1e-5, and actions are the CPU's at their uniform numbers.
 *
 * Over 1, 2, 3 layers of 1, 7, 64, 200, 256 units, 1, 9, 1352 actions, bytes and floats, relu and
 * tanh, with groups of 0, 1, 7 and 1000 rows in one call, masked and not. */
#include "tests/unit/forward_fixture.h"

enum { WIDTHS = 5, GROUPS = 4 };
static const int widths[WIDTHS] = {1, 7, 64, 200, 256};
static const int counts[GROUPS] = {7, 0, 1000, 1};

static void check_shape(company* c, int turn) {
    outputs want = open_outputs(&c->b), got = open_outputs(&c->b);
    run r = {.mode = AGON__FP32, .shared = shared_sizes[turn % SHARED_SIZES]};
    const size_t rows = (size_t)c->b.rows, all = rows * (size_t)c->b.net.actions;
    const float share = c->b.net.activation == AGON_RELU ? 0.0f : 1e-5f;
    c->b.all_legal = turn % 3 == 0;
    run_cpu(c, &want);
    run_kernels(c, &r, &got);
    const char* place = place_of_run(c, &r);
    near_floats("logits", place, want.logits, got.logits, all, share);
    near_floats("value", place, want.value, got.value, rows, share);
    near_floats("probability", place, want.probability, got.probability, all, 1e-5f);
    fair_actions(&c->b, place, want.probability, &got);
    nothing_behind(&c->b, "cuda", &got);
    close_outputs(&want);
    close_outputs(&got);
}

static void check_actions(int actions, agon_dtype type) {
    source s = {(uint32_t)actions};
    agon_net net = {.inputs = type == AGON_U8 ? 126 : 37, .actions = actions};
    company c;
    int turn = 0;
    open_company(&s, &net, type, GROUPS, counts, &c);
    for (net.layers = 1; net.layers <= 3; net.layers++)
        for (int w = 0; w < WIDTHS; w++)
            for (int tanh_net = 0; tanh_net < 2; tanh_net++) {
                net.activation = tanh_net ? AGON_TANH : AGON_RELU;
                for (int i = 0; i < net.layers; i++)
                    net.hidden[i] = widths[w];
                give_nets(&s, &c, &net);
                check_shape(&c, turn++);
            }
    close_company(&c);
}

static void one_action(void** state) {
    check_actions(1, AGON_U8);
    check_actions(1, AGON_F32);
}
static void nine_actions(void** state) {
    check_actions(9, AGON_U8);
    check_actions(9, AGON_F32);
}
static void many_actions_bytes(void** state) {
    check_actions(1352, AGON_U8);
}
static void many_actions_floats(void** state) {
    check_actions(1352, AGON_F32);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_action), cmocka_unit_test(nine_actions),
                                       cmocka_unit_test(many_actions_bytes),
                                       cmocka_unit_test(many_actions_floats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
