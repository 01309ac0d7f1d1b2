/* What the GPU's forward makes of logits: actions, probabilities, their logarithms. */
#include "tests/unit/forward_fixture.h"

/* A net without hidden layers and weights, whose logits are its biases: any that a test wants. */
enum { ROWS = 40 };

static void open_logits(source* s, int actions, company* c) {
    static const int count[] = {ROWS};
    const agon_net net = {.inputs = 1, .actions = actions};
    open_company(s, &net, AGON_U8, 1, count, c);
    give_nets(s, c, &net);
    memset(c->params[0], 0, agon_net_size(&net) * sizeof(float));
}

static float* logits_of(company* c) {
    return c->params[0] + c->b.net.actions; /* policy.bias */
}

static int legal(const company* c, int row, int a) {
    return c->b.all_legal || (c->b.data->mask[row * c->b.words + a / 64] >> (a % 64) & 1);
}

static const int action_counts[] = {1, 2, 7, 16, 17, 32, 33, 64, 65, 130, 1352};
enum { ACTION_COUNTS = 11 };

/* Promise: where logits are NaN or infinite, and where they are equal, greedy actions are the CPU
 * backend's; so are sampled ones where no probability is left. */
static void damaged_logits(void** state) {
    static const float bad[] = {NAN, INFINITY, -INFINITY, 3.0f, 1e30f};
    for (int i = 0; i < ACTION_COUNTS * 20; i++) {
        source s = {(uint32_t)i};
        company c;
        open_logits(&s, action_counts[i % ACTION_COUNTS], &c);
        const int n = c.b.net.actions, kind = i / ACTION_COUNTS;
        for (int a = 0; a < n; a++)
            logits_of(&c)[a] = next_int(&s, 0, kind % 4) == 0 ? bad[next_int(&s, 0, 4)]
                                                              : (float)next_int(&s, -2, 2);
        if (kind % 5 == 4)
            for (int a = 0; a < n; a++)
                logits_of(&c)[a] = NAN;
        c.b.temperature = kind % 2 ? 1.0f : 0.0f;
        outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
        run r = {.shared = shared_sizes[0]};
        run_cpu(&c, &want);
        run_kernels(&c, &r, &got);
        for (int row = 0; row < ROWS; row++) {
            const float* p = want.probability + (ptrdiff_t)row * n;
            int finite = 1;
            for (int a = 0; a < n; a++)
                finite = finite && p[a] == p[a];
            assert_true(legal(&c, row, got.action[row]));
            if (kind % 2 == 0 || !finite) /* nothing was drawn */
                assert_int_equal(got.action[row], want.action[row]);
        }
        nothing_behind(&c.b, "cuda", &got);
        close_outputs(&want);
        close_outputs(&got);
        close_company(&c);
    }
}

/* Promise: an action of probability 0 is never taken, wherever it is and however near 0 or 1 the
 * uniform number; those that have some are taken in order. */
static void never_impossible(void** state) {
    static const float ends[] = {0.0f, 0x1p-24f, 0.5f, 1.0f - 0x1p-24f, 1.0f - 0x1p-23f};
    for (int i = 0; i < ACTION_COUNTS * 30; i++) {
        source s = {(uint32_t)i};
        company c;
        open_logits(&s, action_counts[i % ACTION_COUNTS], &c);
        const int n = c.b.net.actions, sure = next_int(&s, 0, n - 1);
        for (int a = 0; a < n; a++) {
            const int alive = a == sure || next_int(&s, 0, i % 7) == 0;
            logits_of(&c)[a] = alive ? 4.0f * next_uniform(&s) : -1000.0f;
        }
        c.b.all_legal = i % 2;
        for (int row = 0; row < ROWS; row++)
            c.b.uniform[row] = row < 5 ? ends[row] : (float)row / ROWS;
        outputs got = open_outputs(&c.b);
        run r = {.shared = shared_sizes[0], .kind = i % 3 ? CUT_CHOSEN : CUT_WIDE};
        run_kernels(&c, &r, &got);
        for (int row = 0; row < ROWS; row++) {
            const float* p = got.probability + (ptrdiff_t)row * n;
            assert_true(legal(&c, row, got.action[row]));
            assert_true(p[got.action[row]] > 0.0f);
        }
        fair_actions(&c.b, "ends", got.probability, &got);
        for (int row = 6; row < ROWS && c.b.all_legal; row++)
            assert_true(got.action[row] >= got.action[row - 1]);
        close_outputs(&got);
        close_company(&c);
    }
}

/* Promise: at any temperature probabilities are the CPU's within 1e-5 of the largest, and the
 * logarithm is that of temperature 1; greedy ones are 1 and 0. */
static void temperatures(void** state) {
    static const float temperature[] = {1.0f, 0.5f, 2.0f, 0.0f, 0.1f};
    for (int i = 0; i < ACTION_COUNTS * 5; i++) {
        source s = {(uint32_t)i};
        company c;
        open_logits(&s, action_counts[i % ACTION_COUNTS], &c);
        const size_t n = (size_t)c.b.net.actions;
        for (size_t a = 0; a < n; a++)
            logits_of(&c)[a] = 6.0f * next_uniform(&s);
        c.b.temperature = 1.0f;
        outputs plain = open_outputs(&c.b), want = open_outputs(&c.b), got = open_outputs(&c.b);
        run_cpu(&c, &plain);
        c.b.temperature = temperature[i / ACTION_COUNTS];
        run_cpu(&c, &want);
        run r = {.shared = shared_sizes[0]};
        run_kernels(&c, &r, &got);
        near_floats("probability", "temperatures", want.probability, got.probability, ROWS * n,
                    1e-5f);
        if (c.b.temperature > 0.0f)
            fair_actions(&c.b, "temperatures", want.probability, &got);
        else
            assert_memory_equal(want.action, got.action, ROWS * sizeof *got.action);
        for (int row = 0; row < ROWS; row++) {
            const float p = plain.probability[(size_t)row * n + got.action[row]];
            assert_true(fabsf(got.log_probability[row] - logf(p)) <= 2e-5f);
        }
        close_outputs(&plain);
        close_outputs(&want);
        close_outputs(&got);
        close_company(&c);
    }
}

/* Promise: numbers drawn by the kernel are those of agon_uniforms: the same actions. */
static void drawn_as_on_the_host(void** state) {
    static const int count[] = {30, 0, 41};
    for (int i = 0; i < ACTION_COUNTS; i++) {
        source s = {(uint32_t)i};
        const agon_net net = {.inputs = 5, .actions = action_counts[i]};
        company c;
        open_company(&s, &net, AGON_F32, 3, count, &c);
        give_nets(&s, &c, &net);
        const int rows = c.b.rows;
        uint32_t episode[71], ply[71], key[6];
        uint8_t seat[71];
        for (int k = 0; k < 6; k++)
            key[k] = 0x9e3779b9u * (uint32_t)(k + i + 1);
        for (int r = 0; r < rows; r++) {
            episode[r] = (uint32_t)next_int(&s, 0, 1 << 24) * 250u;
            ply[r] = (uint32_t)next_int(&s, 0, 70000);
            seat[r] = (uint8_t)next_int(&s, 0, 255);
        }
        for (int g = 0; g < 3; g++) {
            const agon_key of = {{key[2 * g], key[2 * g + 1]}};
            const int at = c.offsets[g];
            agon_uniforms(of, episode + at, ply + at, seat + at, count[g], c.b.uniform + at);
        }
        outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
        run r = {.shared = shared_sizes[0]};
        run_kernels(&c, &r, &want);
        open_run(&c, &got, &r);
        r.call.uniform = NULL;
        r.call.draws = (agon__gpu_draws){key, episode, ply, seat};
        do_run(&r);
        close_run(&c, &r);
        equal_outputs(&c, &r, &want, &got);
        for (int row = 0; row < rows; row++) { /* and the numbers themselves */
            const int g = row >= c.offsets[2] ? 2 : 0;
            assert_true(agon__draw_action(key + 2 * g, episode[row], ply[row], seat[row]) ==
                        c.b.uniform[row]);
        }
        close_outputs(&want);
        close_outputs(&got);
        close_company(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_logits), cmocka_unit_test(never_impossible),
        cmocka_unit_test(temperatures), cmocka_unit_test(drawn_as_on_the_host)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
