/* Promise: convolutions and minGRU layers of the GPU's forward are the CPU backend's: with relu and
 * no minGRU in mode FP32 to the byte, but for the sign of zero; after a tanh, which is another
 * library's, within 1e-5 of the largest; in modes TF32 and BF16 within 2e-2. So is what rows
 * remember. */
#include "tests/unit/forward_fixture.h"

enum { GROUPS = 4 };
static const int counts[GROUPS] = {7, 0, 200, 1}, few[GROUPS] = {3, 0, 20, 1};

static float share_of(const agon_net* net, int mode) {
    if (mode != AGON__FP32)
        return 2e-2f;
    return net->activation == AGON_RELU && agon_net_memory(net) == 0 ? 0.0f : 1e-5f;
}

static void check_mode(company* c, int mode, int turn, const outputs* want) {
    outputs got = open_outputs(&c->b);
    const size_t rows = (size_t)c->b.rows, all = rows * (size_t)c->b.net.actions;
    const float share = share_of(&c->b.net, mode);
    run r = {.mode = mode,
             .shared = shared_sizes[turn % SHARED_SIZES],
             .backwards = turn % 2,
             .after = need((memory_floats(c) + 1) * sizeof(float))};
    run_kernels(c, &r, &got);
    const char* place = place_of_run(c, &r);
    near_floats("logits", place, want->logits, got.logits, all, share);
    near_floats("value", place, want->value, got.value, rows, share);
    near_floats("memory", place, c->after, r.after, memory_floats(c), share);
    fair_actions(&c->b, place, got.probability, &got);
    nothing_behind(&c->b, mode_names[mode], &got);
    assert_int_equal(((uint8_t*)(r.after + memory_floats(c)))[0], 0xa5);
    free(r.after);
    close_outputs(&got);
}

static void check_net(const char* text, agon_dtype type, const int* count, int turn) {
    source s = {(uint32_t)turn};
    agon_net net;
    company c;
    agon_error error = {0};
    if (agon_net_parse(text, &net, &error))
        fail_msg("%s", error.text);
    open_company(&s, &net, type, GROUPS, count, &c);
    give_nets(&s, &c, &net);
    outputs want = open_outputs(&c.b);
    run_cpu(&c, &want);
    check_mode(&c, AGON__FP32, turn, &want);
    check_mode(&c, 1 + turn % 2, turn, &want);
    close_outputs(&want);
    close_company(&c);
}

/* Boards of 1, 12 and 42 points; kernels of 1, 3 and 5 points across; heads at once, and other
 * layers before them. */
static void convolutions(void** state) {
    static const char* const boards[] = {"1x1", "3x4", "6x7"};
    static const int channels[] = {1, 5, 16, 33};
    static const char* const then[] = {"", "-20", "-mingru9", "-conv7-24", "-conv16k5-mingru33-5"};
    int turn = 0;
    for (int board = 0; board < 3; board++)
        for (int kernel = 1; kernel <= 5; kernel += 2)
            for (int i = 0; i < 4; i++, turn++) {
                char text[AGON_NET_TEXT];
                snprintf(text, sizeof text, "%dx%s-conv%dk%d%s-9 %s", 1 + turn % 3, boards[board],
                         channels[i], kernel, then[turn % 5], turn % 4 == 3 ? "tanh" : "relu");
                check_net(text, turn % 2 ? AGON_F32 : AGON_U8, turn % 2 ? few : counts, turn);
            }
}

static void recurrent(void** state) {
    static const char* const nets[] = {"126-mingru64-7 relu",
                                       "37-mingru1-1 tanh",
                                       "9-mingru33-mingru16-mingru5-9 relu",
                                       "40-30-mingru130-9 relu",
                                       "20-mingru7-64-mingru9-20-1352 tanh",
                                       "5-mingru300-70 relu"};
    for (int i = 0; i < 6; i++)
        check_net(nets[i], i % 2 ? AGON_F32 : AGON_U8, i % 2 ? few : counts, i);
}

/* Kernels that are larger than the board, boards of one row, many channels, eight layers; weights
 * of a minGRU that take more than all behind them. */
static void odd_shapes(void** state) {
    static const char* const nets[] = {"1x1x1-conv1k15-1 relu",
                                       "2x1x9-conv3k15-4 relu",
                                       "3x9x1-conv12k7-conv150-conv20k1-3 relu",
                                       "1x5x5-conv200-mingru3-6 tanh",
                                       "4x2x3-conv8-conv8-conv8-conv4-mingru6-9-mingru4-7-5 relu",
                                       "1x8x8-conv4-conv4-70 relu",
                                       "5000-mingru1-1 relu"};
    for (int i = 0; i < 7; i++)
        check_net(nets[i], i % 2 ? AGON_U8 : AGON_F32, few, i);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions), cmocka_unit_test(recurrent),
                                       cmocka_unit_test(odd_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
