/* Groups of the GPU's forward: what a slot gives depends on its observation and net alone. */
#include "tests/unit/forward_fixture.h"

static const char* const nets[] = {"20-50-6 relu",
                                   "33-70-40-82 tanh",
                                   "7-130 relu",
                                   "9-300-5 relu",
                                   "2x3x4-conv5-9 relu",
                                   "20-mingru18-12-mingru70-5 tanh",
                                   "1x4x3-conv16-conv7k5-mingru33-4 relu"};
enum { NETS = 7, FEW_GROUPS = 6 };

static void open_nets(source* s, int which, int type, const int* count, company* c) {
    agon_net net;
    assert_int_equal(agon_net_parse(nets[which], &net, NULL), 0);
    open_company(s, &net, type ? AGON_F32 : AGON_U8, FEW_GROUPS, count, c);
    give_nets(s, c, &net);
}

/* Promise: a group alone gives the bytes that it gives among others, in every mode and cut. */
static void company_changes_nothing(void** state) {
    static const int count[FEW_GROUPS] = {17, 0, 1, 64, 33, 2};
    for (int i = 0; i < NETS * 3 * 2; i++) {
        source s = {(uint32_t)i};
        company c;
        open_nets(&s, i % NETS, i & 1, count, &c);
        outputs all = open_outputs(&c.b);
        const ptrdiff_t each = agon_net_memory(&c.b.net);
        run together = {.mode = i / 2 % 3,
                        .shared = shared_sizes[i % 3],
                        .after = need(memory_floats(&c) * sizeof(float))};
        run_kernels(&c, &together, &all);
        for (int g = 0; g < FEW_GROUPS; g++) {
            agon_rectangle view;
            company one = {.b = batch_rows(&c.b, &view, c.offsets[g], count[g]), .groups = 1};
            one.count[0] = one.offsets[1] = count[g];
            one.params[0] = c.params[g];
            one.memory = c.memory + c.offsets[g] * each;
            const outputs want = outputs_from(&all, c.offsets[g], c.b.net.actions);
            outputs got = open_outputs(&one.b);
            run alone = {.mode = together.mode,
                         .shared = shared_sizes[3],
                         .processors = g + 1,
                         .room = (size_t)g << 12,
                         .after = need(memory_floats(&one) * sizeof(float))};
            run_kernels(&one, &alone, &got);
            equal_outputs(&one, &alone, &want, &got);
            same_floats("memory", place_of_run(&one, &alone), together.after + c.offsets[g] * each,
                        alone.after, memory_floats(&one));
            free(alone.after);
            close_outputs(&got);
        }
        free(together.after);
        close_outputs(&all);
        close_company(&c);
    }
}

/* The same call with its slots elsewhere: groups in another order with gaps between them, and
 * observations and memories that lie where `place` says. */
typedef struct elsewhere {
    int slots;
    int start[MOST_GROUPS];
    uint32_t* place;
    float* uniform;
    float* after; /* (slots, agon_net_memory) */
    outputs out;
} elsewhere;

static void open_elsewhere(const company* c, elsewhere* e) {
    e->slots = 5;
    for (int g = c->groups - 1; g >= 0; g--) {
        e->start[g] = e->slots;
        e->slots += c->count[g] + 3;
    }
    e->place = need((size_t)e->slots * 4);
    e->uniform = need((size_t)e->slots * 4);
    e->after = need((size_t)e->slots * (size_t)agon_net_memory(&c->b.net) * 4);
    batch all = c->b;
    all.rows = e->slots;
    e->out = open_outputs(&all);
    for (int g = 0; g < c->groups; g++)
        for (int r = 0; r < c->count[g]; r++) {
            e->place[e->start[g] + r] = (uint32_t)(c->offsets[g] + r);
            e->uniform[e->start[g] + r] = c->b.uniform[c->offsets[g] + r];
        }
}

/* Slots that belong to no group are not written, the others are as wanted. */
static void same_elsewhere(const company* c, const elsewhere* e, const outputs* want,
                           const float* after) {
    const size_t n = (size_t)c->b.net.actions, each = (size_t)agon_net_memory(&c->b.net);
    char* mine = need((size_t)e->slots);
    memset(mine, 0, (size_t)e->slots);
    for (int g = 0; g < c->groups; g++) {
        const outputs from = outputs_from(want, c->offsets[g], (int)n);
        const outputs to = outputs_from(&e->out, e->start[g], (int)n);
        const size_t rows = (size_t)c->count[g];
        memset(mine + e->start[g], 1, rows);
        same_floats("logits", "elsewhere", from.logits, to.logits, rows * n);
        same_floats("value", "elsewhere", from.value, to.value, rows);
        same_floats("probability", "elsewhere", from.probability, to.probability, rows * n);
        same_floats("ln p", "elsewhere", from.log_probability, to.log_probability, rows);
        assert_memory_equal(from.action, to.action, rows * 2);
        same_floats("memory", "elsewhere", after + (size_t)c->offsets[g] * each,
                    e->after + (size_t)e->start[g] * each, rows * each);
    }
    for (int i = 0; i < e->slots; i++) {
        const uint8_t* value = (const uint8_t*)(e->out.value + i);
        const uint8_t* logits = (const uint8_t*)(e->out.logits + (size_t)i * n);
        assert_true(mine[i] || (value[0] == 0xa5 && logits[0] == 0xa5));
        assert_true(mine[i] || e->out.action[i] == 0xa5a5);
        assert_true(mine[i] || each == 0 || ((uint8_t*)(e->after + (size_t)i * each))[0] == 0xa5);
    }
    free(mine);
}

/* Promise: slots may lie anywhere, in any order of groups, and their observations and memories
 * elsewhere. */
static void places(void** state) {
    static const int count[FEW_GROUPS] = {17, 0, 1, 64, 33, 2};
    for (int i = 0; i < NETS; i++) {
        source s = {(uint32_t)i};
        company c;
        elsewhere e;
        open_nets(&s, i, i & 1, count, &c);
        outputs want = open_outputs(&c.b);
        float* after = need(memory_floats(&c) * sizeof(float));
        run r = {.shared = shared_sizes[3], .after = after};
        run_kernels(&c, &r, &want);
        open_elsewhere(&c, &e);
        r = (run){.shared = shared_sizes[3], .room = 100000, .after = e.after};
        open_run(&c, &e.out, &r);
        memcpy(r.start, e.start, sizeof e.start);
        r.call.slots = e.slots;
        r.call.place = e.place;
        r.call.memory_row = e.place;
        r.call.uniform = e.uniform;
        do_run(&r);
        same_elsewhere(&c, &e, &want, after);
        close_run(&c, &r);
        free(after);
        free(e.after);
        free(e.place);
        free(e.uniform);
        close_outputs(&e.out);
        close_outputs(&want);
        close_company(&c);
    }
}

/* Promise: what a slot remembers may be written where it was read, or not at all, and no other
 * result is changed by that. */
static void memory_in_place(void** state) {
    static const int count[FEW_GROUPS] = {17, 0, 1, 64, 33, 2};
    source s = {1};
    company c;
    open_nets(&s, 5, AGON_U8, count, &c);
    const size_t bytes = memory_floats(&c) * sizeof(float);
    outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
    float* before = need(bytes);
    memcpy(before, c.memory, bytes);
    run r = {.shared = shared_sizes[3], .after = need(bytes)};
    run_kernels(&c, &r, &want);
    run none = {.shared = shared_sizes[3]};
    run_kernels(&c, &none, &got);
    equal_outputs(&c, &none, &want, &got);
    assert_memory_equal(c.memory, before, bytes);
    run same = {.shared = shared_sizes[3], .after = c.memory};
    run_kernels(&c, &same, &got);
    equal_outputs(&c, &same, &want, &got);
    assert_memory_equal(c.memory, r.after, bytes);
    assert_memory_not_equal(before, r.after, bytes);
    free(before);
    free(r.after);
    close_outputs(&want);
    close_outputs(&got);
    close_company(&c);
}

/* Groups of up to three slots, most of them empty, that have one of four nets. */
static void crowd(int groups, int full, int processors, int backwards) {
    static const int count[] = {1, 1, 1, 1};
    source s = {3};
    agon_net net = {.inputs = 12, .layers = 1, .hidden = {10}, .actions = 5};
    company c;
    open_company(&s, &net, AGON_U8, 4, count, &c);
    give_nets(&s, &c, &net);
    const void** packed = need((size_t)groups * sizeof *packed);
    int *start = need((size_t)groups * 4), *many = need((size_t)groups * 4), slots = 0;
    for (int g = 0; g < groups; g++) {
        start[g] = slots;
        many[g] = next_int(&s, 1, full) == 1 ? next_int(&s, 1, 3) : 0;
        slots += many[g];
    }
    uint32_t* place = need((size_t)slots * 4 + 4);
    float* value = need((size_t)slots * 4 + 4);
    const outputs own = {.value = value};
    run r = {.shared = shared_sizes[3], .backwards = backwards, .processors = processors};
    float want[4 * 4]; /* of net i for observation j */
    for (int i = 0; i < 16; i++) {
        agon_rectangle view;
        company one = {.b = batch_rows(&c.b, &view, i % 4, 1), .groups = 1, .count = {1}};
        one.params[0] = c.params[i / 4];
        const outputs o = {.value = want + i};
        run alone = {.shared = shared_sizes[3]};
        run_kernels(&one, &alone, &o);
    }
    open_run(&c, &own, &r);
    for (int g = 0; g < groups; g++)
        packed[g] = r.packed[g / 3 % 4];
    for (int i = 0; i < slots; i++)
        place[i] = (uint32_t)(i % 4);
    r.call.groups = groups;
    r.call.packed = packed;
    r.call.start = start;
    r.call.count = many;
    r.call.most = 3;
    r.call.slots = slots;
    r.call.place = place;
    do_run(&r);
    for (int g = 0; g < groups; g++)
        for (int i = start[g]; i < start[g] + many[g]; i++)
            assert_true(value[i] == want[g / 3 % 4 * 4 + i % 4]);
    close_run(&c, &r);
    free(packed);
    free(start);
    free(many);
    free(place);
    free(value);
    close_company(&c);
}

/* Promise: thousands of groups, with long rows of empty ones, all get theirs; none is no harm. */
static void many_groups(void** state) {
    crowd(1000, 1, 132, 0);
    crowd(1000, 3, 7, 1);
    crowd(5000, 700, 3, 0);
    crowd(5000, 700, 132, 1);
    crowd(257, 1, 1, 0);
    crowd(300, 1000000, 5, 0);
}

static const char* const output_names[] = {"logits", "value", "probability", "ln p", "action"};

/* Those outputs alone whose bit is set in `wanted` are as in `all`. */
static void some_outputs(company* c, int wanted, cut_kind kind, const outputs* all) {
    const size_t rows = (size_t)c->b.rows, n = (size_t)c->b.net.actions;
    outputs got = open_outputs(&c->b);
    const outputs some = {wanted & 1 ? got.logits : NULL, wanted & 2 ? got.value : NULL,
                          wanted & 4 ? got.probability : NULL,
                          wanted & 8 ? got.log_probability : NULL, wanted & 16 ? got.action : NULL};
    const void* const is[] = {got.logits, got.value, got.probability, got.log_probability,
                              got.action};
    const void* const want[] = {all->logits, all->value, all->probability, all->log_probability,
                                all->action};
    const size_t bytes[] = {rows * n * 4, rows * 4, rows * n * 4, rows * 4, rows * 2};
    run r = {.shared = shared_sizes[3], .kind = kind};
    run_kernels(c, &r, &some);
    for (int i = 0; i < 5; i++)
        if (wanted >> i & 1) {
            if (memcmp(is[i], want[i], bytes[i]) != 0)
                fail_msg("%s differ among outputs %d", output_names[i], wanted);
        } else {
            assert_true(*(const uint8_t*)is[i] == 0xa5);
        }
    close_outputs(&got);
}

/* Promise: an output is the same whether others are wanted or not. */
static void outputs_apart(void** state) {
    static const int count[FEW_GROUPS] = {3, 20, 0, 1, 0, 9};
    static const float temperatures[] = {1.0f, 0.5f, 0.0f};
    for (int i = 0; i < 6; i++) {
        source s = {(uint32_t)i};
        company c;
        open_nets(&s, i % 2, i & 1, count, &c);
        c.b.temperature = temperatures[i / 2];
        outputs all = open_outputs(&c.b);
        run r = {.shared = shared_sizes[3]};
        run_kernels(&c, &r, &all);
        for (int wanted = 0; wanted < 32; wanted++)
            some_outputs(&c, wanted, wanted & 1 ? CUT_WIDE : CUT_PARTS, &all);
        close_outputs(&all);
        close_company(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(company_changes_nothing),
                                       cmocka_unit_test(places), cmocka_unit_test(memory_in_place),
                                       cmocka_unit_test(many_groups),
                                       cmocka_unit_test(outputs_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
