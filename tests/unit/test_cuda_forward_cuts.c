/* How a forward is cut: every cut fits, and none can be told from the results. */
#include "tests/unit/forward_fixture.h"

static agon__gpu_net layout_of(const char* text, int mode) {
    agon_net net;
    assert_int_equal(agon_net_parse(text, &net, NULL), 0);
    return agon__gpu_net_of(&net, mode);
}

/* ---- plans -------------------------------------------------------------------------------- */

static void check_fused(const agon__gpu_net* net, size_t shared, const agon__forward_cut* cut) {
    const size_t element = (size_t)agon__element(net->mode);
    size_t end = cut->z >= 0 ? (size_t)cut->z : (size_t)cut->weights;
    assert_true(cut->rows == 16 || cut->rows == 32 || cut->rows == 64);
    assert_true((size_t)cut->weights + (size_t)cut->room <= (size_t)cut->shared);
    assert_true((size_t)cut->shared <= shared);
    assert_true(cut->x[0] % 16 == 0 && cut->x[1] % 16 == 0 && cut->weights % 16 == 0);
    if (cut->z >= 0)
        assert_true(cut->z + cut->rows * cut->z_stride * 4 <= cut->weights);
    for (int i = 0; i < net->layers; i++) {
        const size_t row = (size_t)net->linear[i].stride * element;
        const size_t next = i % 2 == 0 ? (size_t)cut->x[1] : end;
        assert_true((size_t)cut->x[i % 2] + (size_t)cut->rows * row <= next);
        assert_true((size_t)cut->room >= 8 * row);
    }
    if (cut->resident)
        assert_true((size_t)cut->room >= net->bytes);
}

/* What a net gets with each size of shared memory: R resident, P in parts, W wide; rows of a tile;
 * whether two blocks share a processor. */
static const struct {
    const char* net;
    int mode;
    const char* want[SHARED_SIZES];
} expected[] = {
    {"126-128-128-7 relu", AGON__BF16, {"P64", "R32", "R64", "R64+"}},
    {"126-128-128-7 relu", AGON__TF32, {"P32", "P64", "R16", "R64"}},
    {"126-128-128-7 relu", AGON__FP32, {"P32", "P64", "R16", "R64"}},
    {"48-64-64-9 tanh", AGON__BF16, {"R64", "R64+", "R64+", "R64+"}},
    {"126-256-256-256-1352 relu", AGON__BF16, {"P32", "P64", "P64+", "P64+"}},
    {"126-256-256-256-9 relu", AGON__FP32, {"W", "P32", "P64", "P64"}},
    {"128-4096-4096-9 relu", AGON__BF16, {"W", "W", "W", "W"}},
    {"1048576-3-2 relu", AGON__FP32, {"W", "W", "W", "W"}},
    {"9-7 relu", AGON__FP32, {"R64+", "R64+", "R64+", "R64+"}},
    {"2x3x3-conv4-9 relu", AGON__BF16, {"W", "W", "W", "W"}},
    {"126-mingru128-7 relu", AGON__BF16, {"P64", "R32", "R64", "R64"}},
};

/* Promise: the planner chooses what is stated, for each size of shared memory. */
static void plans_are_as_stated(void** state) {
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (int s = 0; s < SHARED_SIZES; s++) {
            const agon__gpu_net net = layout_of(expected[i].net, expected[i].mode);
            const agon__forward_cut cut = agon__forward_choose_cut(&net, shared_sizes[s], 64);
            char got[16] = "W";
            const int both = 2 * (cut.shared + 1024) <= (int)shared_sizes[s] + 1024;
            if (cut.rows)
                snprintf(got, sizeof got, "%c%d%s", cut.resident ? 'R' : 'P', cut.rows,
                         both ? "+" : "");
            if (strcmp(got, expected[i].want[s]) != 0)
                fail_msg("%s %s in %zu: %s, not %s", expected[i].net, mode_names[expected[i].mode],
                         shared_sizes[s], got, expected[i].want[s]);
        }
}

/* Promise: cuts of random nets fit, their parts do not overlap, and hold eight outputs of every
 * layer; the wide one is always possible; scratch is enough for whatever is chosen. */
static void cuts_fit(void** state) {
    source s = {5};
    for (int trial = 0; trial < 2000; trial++) {
        static const int most[] = {16, 256, 4096};
        agon_net net = {.inputs = next_int(&s, 1, trial % 7 ? 500 : 1 << 20),
                        .layers = next_int(&s, 0, AGON_MAX_LAYERS),
                        .actions = next_int(&s, 1, trial % 5 ? 100 : 65535)};
        for (int i = 0; i < net.layers; i++)
            net.hidden[i] = next_int(&s, 1, most[trial % 3]);
        const agon__gpu_net n = agon__gpu_net_of(&net, trial % 4 % 3);
        const size_t shared = shared_sizes[trial % SHARED_SIZES];
        const int rows = 16 << next_int(&s, 0, 2);
        for (int resident = 0; resident < 2; resident++) {
            const agon__forward_cut cut = agon__forward_cut_fused(&n, shared, rows, resident);
            if (cut.rows)
                check_fused(&n, shared, &cut);
            assert_true(cut.rows <= rows);
        }
        for (int i = 0; i < n.layers; i++) {
            const agon__forward_cut cut = agon__forward_cut_wide(&n, shared, rows, i);
            assert_true((size_t)cut.shared <= shared && cut.cols >= 8 && cut.depth >= 16);
            assert_true(cut.cols % 8 == 0 && cut.depth % 16 == 0 && cut.rows == rows);
        }
    }
}

/* A random net with convolutions and minGRU layers. */
static agon_net other_net(source* s) {
    agon_net net = {.planes = next_int(s, 1, 9),
                    .rows = next_int(s, 1, 19),
                    .cols = next_int(s, 1, 19),
                    .actions = next_int(s, 1, 3) == 1 ? next_int(s, 1, 65535) : next_int(s, 1, 90)};
    net.inputs = net.planes * net.rows * net.cols;
    for (int last = 0, layers = next_int(s, 1, AGON_MAX_LAYERS); net.layers < layers;) {
        static const char* const kinds[] = {"conv%dk%d", "mingru%d", "%d"};
        char word[32];
        const int kind = next_int(s, last ? 1 : 0, 2);
        snprintf(word, sizeof word, kinds[kind], next_int(s, 1, kind ? 1500 : 300),
                 2 * next_int(s, 0, 7) + 1);
        assert_null(agon_net_add_layer(&net, word));
        last = kind;
    }
    if (net.kind[0] != AGON_CONV)
        net.planes = net.rows = net.cols = 0;
    return net;
}

/* Promise: layers of such nets have cuts that fit; c and g of a minGRU's units are in one tile. A
 * pass takes no more scratch than it may, or one slot's, and fewer slots never more than many. */
static void layers_fit(void** state) {
    source s = {6};
    for (int trial = 0; trial < 1000; trial++) {
        const agon_net net = other_net(&s);
        const agon__gpu_net n = agon__gpu_net_of(&net, trial % 3);
        const agon__forward_machine machine = {132, shared_sizes[trial % SHARED_SIZES],
                                               (size_t)1 << next_int(&s, 10, 30)};
        const int slots = next_int(&s, 1, 5000), rows = 16 << next_int(&s, 0, 2);
        for (int i = 0; i < n.layers; i++) {
            const agon__forward_cut cut = agon__forward_cut_wide(&n, machine.shared, rows, i);
            const int step = n.linear[i].kind == AGON_MINGRU ? 16 : 8;
            assert_true((size_t)cut.shared <= machine.shared && cut.cols >= step);
            assert_true(cut.cols % step == 0 && cut.depth % 16 == 0 && cut.rows == rows);
        }
        size_t before = 0;
        const size_t one = agon__forward_scratch_of(&machine, &n, 1);
        for (int many = 1; many <= slots; many += 1 + many / 3) {
            const size_t bytes = agon__forward_scratch_of(&machine, &n, many);
            if (net.planes) /* it is wide for sure */
                assert_true(bytes <= machine.room || bytes == one);
            assert_true(bytes >= before);
            before = bytes;
        }
    }
}

/* ---- results ------------------------------------------------------------------------------ */

static void check_cut(const company* c, run* r, const run* first, const outputs* want) {
    outputs got = open_outputs(&c->b);
    r->after = need(memory_floats(c) * sizeof(float));
    run_kernels(c, r, &got);
    equal_outputs(c, r, want, &got);
    same_floats("memory", place_of_run(c, r), first->after, r->after, memory_floats(c));
    free(r->after);
    close_outputs(&got);
}

/* Every cut that the net allows, forwards and backwards, on few processors and many, in one pass
 * and, where there are passes, in several. */
static void check_cuts(const company* c, int mode) {
    outputs want = open_outputs(&c->b);
    run first = {.mode = mode, .shared = shared_sizes[3], .kind = CUT_WIDE};
    first.after = need(memory_floats(c) * sizeof(float));
    run_kernels(c, &first, &want);
    for (int s = 0; s < SHARED_SIZES; s++)
        for (int kind = 0; kind < 4; kind++)
            for (int rows = 16; rows <= 64; rows *= 2) {
                const agon__gpu_net net = agon__gpu_net_of(&c->b.net, mode);
                const int fits =
                    agon__forward_cut_fused(&net, shared_sizes[s], rows, kind == CUT_RESIDENT)
                        .rows == rows;
                run r = {.mode = mode,
                         .shared = shared_sizes[s],
                         .kind = (cut_kind)kind,
                         .rows = rows,
                         .processors = 1 + (s + kind) * 3 % 8,
                         .room = (s + rows / 16) % 3 ? 0 : (size_t)1 << (11 + 3 * s),
                         .backwards = (s + kind + rows / 16) % 2};
                if (fits || kind == CUT_WIDE || kind == CUT_CHOSEN)
                    check_cut(c, &r, &first, &want);
            }
    free(first.after);
    close_outputs(&want);
}

/* Promise: a result has the same bytes whatever the cut, the number of blocks and their order. */
static void cuts_agree(void** state) {
    static const int count[] = {3, 0, 70, 16, 1, 0};
    static const char* const nets[] = {"61-128-97-7 relu",
                                       "40-72-9 tanh",
                                       "20-150 relu",
                                       "13-9 relu",
                                       "33-20-11-30-5-7-9-3-4-2 tanh",
                                       "2x3x5-conv20-conv9k5-mingru21-7 relu",
                                       "33-mingru140-mingru7-9 tanh"};
    for (int i = 0; i < 7; i++)
        for (int mode = 0; mode < 3; mode++) {
            source s = {(uint32_t)i};
            agon_net net;
            company c;
            assert_int_equal(agon_net_parse(nets[i], &net, NULL), 0);
            open_company(&s, &net, (i + mode) % 2 ? AGON_U8 : AGON_F32, 6, count, &c);
            give_nets(&s, &c, &net);
            check_cuts(&c, mode);
            close_company(&c);
        }
}

/* Promise: wide nets are the CPU's in mode FP32, too. */
static void wide_nets(void** state) {
    static const int count[] = {5, 0, 40};
    static const char* const nets[] = {"126-300-600-9 relu", "37-600-300-300-70 relu",
                                       "20-1500-4 relu",     "1048576-3-2 relu",
                                       "5000-1 relu",        "3-2-65535 relu"};
    for (int i = 0; i < 6; i++) {
        source s = {(uint32_t)i};
        agon_net net;
        company c;
        assert_int_equal(agon_net_parse(nets[i], &net, NULL), 0);
        const int large = net.inputs > 5000 || net.actions > 5000;
        open_company(&s, &net, i % 2 ? AGON_F32 : AGON_U8, large ? 1 : 3, count, &c);
        give_nets(&s, &c, &net);
        outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
        const size_t rows = (size_t)c.b.rows, all = rows * (size_t)net.actions;
        run_cpu(&c, &want);
        for (int turn = 0; turn < 2; turn++) {
            run r = {.shared = shared_sizes[turn * 3], .kind = turn ? CUT_CHOSEN : CUT_WIDE};
            run_kernels(&c, &r, &got);
            near_floats("logits", place_of_run(&c, &r), want.logits, got.logits, all, 0.0f);
            near_floats("value", place_of_run(&c, &r), want.value, got.value, rows, 0.0f);
            fair_actions(&c.b, place_of_run(&c, &r), want.probability, &got);
        }
        close_outputs(&want);
        close_outputs(&got);
        close_company(&c);
    }
}

/* Promise: infinite inputs make infinite or NaN what they make so on the CPU, and nothing else: the
 * padding of layers stays out of it, and so do other rows. */
static void infinite_inputs(void** state) {
    static const int count[] = {40};
    source s = {9};
    agon_net net;
    company c;
    assert_int_equal(agon_net_parse("5-9-3-4 relu", &net, NULL), 0);
    open_company(&s, &net, AGON_F32, 1, count, &c);
    give_nets(&s, &c, &net);
    for (int i = 0; i < 40 * 5; i += 11)
        ((float*)c.b.data->obs)[i] = i % 3 ? INFINITY : i % 2 ? -INFINITY : NAN;
    outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
    run_cpu(&c, &want);
    for (int kind = 0; kind < 4; kind++) {
        run r = {.shared = shared_sizes[3], .kind = (cut_kind)kind};
        run_kernels(&c, &r, &got);
        for (int i = 0; i < 40 * 4; i++)
            assert_true(got.logits[i] == want.logits[i] ||
                        (got.logits[i] != got.logits[i] && want.logits[i] != want.logits[i]));
    }
    close_outputs(&want);
    close_outputs(&got);
    close_company(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_as_stated), cmocka_unit_test(cuts_fit),
        cmocka_unit_test(layers_fit),          cmocka_unit_test(cuts_agree),
        cmocka_unit_test(wide_nets),           cmocka_unit_test(infinite_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
