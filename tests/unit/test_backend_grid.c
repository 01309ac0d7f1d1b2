/* The CPU backend over the whole grid of shapes. Without arguments a part that is done in seconds;
 * with a number of layers everything of that depth (checks/check_backend_slow.sh). */
#include "tests/unit/update_fixture.h"

enum { ROWS = 130, WIDTHS = 6, ACTIONS = 5, TEMPERATURES = 4 };

static const int widths[WIDTHS] = {1, 7, 64, 200, 256, 512};
static const int actions[ACTIONS] = {1, 7, 9, 82, 1352};
static const float temperatures[TEMPERATURES] = {1.0f, 0.0f, 0.5f, 2.0f};

/* One shape of the grid and the numbers of rows to try. `turn` counts shapes and kinds: what the
 * grid does not name (inputs, temperature, mask) goes round with it. */
typedef struct visit {
    int turn;
    int count; /* of rows */
    int rows[ROWS];
} visit;

static void open_visit(source* s, int layers, int width, int action_count, int tanh_net, int turn,
                       batch* b) {
    static const int inputs[] = {48, 23, 126, 5, 64};
    agon_net net = {.inputs = inputs[turn % 5],
                    .layers = layers,
                    .actions = action_count,
                    .activation = tanh_net ? AGON_TANH : AGON_RELU};
    for (int i = 0; i < layers; i++)
        net.hidden[i] = width;
    open_batch(s, &net, (tanh_net + turn) % 2 ? AGON_F32 : AGON_U8, ROWS, b);
    fill_weights(s, &net, b->params);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* The reference's outputs at a temperature, without or with the mask; made when first wanted. */
typedef struct expectation {
    batch asked;
    outputs out; /* all NULL until then */
} expectation;

static const expectation* expect(const reference* ref, expectation table[TEMPERATURES][2],
                                 int temperature, int masked) {
    expectation* e = &table[temperature][masked];
    if (e->out.logits)
        return e;
    e->asked = *ref->b;
    e->asked.temperature = temperatures[temperature];
    e->asked.all_legal = !masked;
    e->out = open_outputs(&e->asked);
    reference_outputs(ref, &e->asked, &e->out);
    return e;
}

/* `rows` rows from somewhere in the batch, so that no row count begins where another does. */
static void forward_rows(const runner* run, const expectation* e, int rows) {
    const int from = rows * 37 % (ROWS - rows + 1);
    agon_rectangle view;
    const batch part = batch_rows(&e->asked, &view, from, rows);
    const outputs want = outputs_from(&e->out, from, part.net.actions);
    outputs got = open_outputs(&part);
    run_rows(run, &part, &got);
    same_outputs(&part, run->backend->name, &want, &got);
    nothing_behind(&part, run->backend->name, &got);
    close_outputs(&got);
}

static void visit_forward(const reference* ref, const visit* v) {
    expectation table[TEMPERATURES][2] = {0};
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        runner run = open_runner(backend, &ref->b->net, ref->b->params, ROWS);
        for (int i = 0; i < v->count; i++) {
            const int round = v->rows[i] + v->turn;
            const int masked = (v->rows[i] / TEMPERATURES + v->turn) % 3 != 0;
            forward_rows(&run, expect(ref, table, round % TEMPERATURES, masked), v->rows[i]);
        }
        close_runner(&run);
    }
    for (int i = 0; i < 2 * TEMPERATURES; i++)
        close_outputs(&table[i / 2][i % 2].out);
}

/* ---- update ------------------------------------------------------------------------------- */

static void update_rows(update_case* c, const visit* v, int rows, agon_learner* const* learner,
                        agon_scratch* const* scratch) {
    const agon_ppo_step step = {.learning_rate = 1e-2f,
                                .clip = 0.2f,
                                .value_weight = 0.5f,
                                .entropy_weight = 0.01f,
                                .max_grad_norm = (rows + v->turn) % 3 ? 0.5f : 0.0f,
                                .beta1 = 0.9f,
                                .beta2 = 0.999f,
                                .epsilon = 1e-5f};
    uint32_t index[ROWS];
    for (int i = 0; i < rows; i++) /* 7 and ROWS have no common factor: no row twice */
        index[i] = (uint32_t)((i * 7 + rows) % ROWS);
    expect_update(c, &step, index, rows);
    for (int f = 0; f < FORMS; f++)
        if (learner[f])
            same_update(c, agon_cpu_backend_named(forms[f]), scratch[f], learner[f]);
}

static void visit_update(source* s, const reference* ref, const visit* v) {
    agon_learner* learner[FORMS] = {0};
    agon_scratch* scratch[FORMS] = {0};
    update_case c;
    open_update_case(s, ref, (v->turn ^ v->turn / 2) & 1, &c);
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        learner[f] = agon_learner_open(&ref->b->net, backend);
        scratch[f] = backend->scratch_open();
        assert_true(learner[f] && scratch[f]);
    }
    for (int i = 0; i < v->count; i++)
        update_rows(&c, v, v->rows[i], learner, scratch);
    for (int f = 0; f < FORMS; f++)
        if (learner[f]) {
            agon_learner_close(learner[f]);
            agon_cpu_backend_named(forms[f])->scratch_close(scratch[f]);
        }
    close_update_case(&c);
}

/* ---- the grid ----------------------------------------------------------------------------- */

/* Promise: with 1, 2, 3 layers of 1, 7, 64, 200, 256, 512 units, 1, 7, 9, 82, 1352 actions and any
 * number of rows to 130, every form gives the reference's bytes: logits, values, probabilities,
 * actions and their logarithms at temperatures 1, 0, 0.5 and 2, with and without masks, and
 * gradients, statistics, moments, parameters and their packed form after a step of Adam. */
static void every_row_count(void** state) {
    const int layers = *(const int*)*state;
    source s = {0};
    visit v = {.count = ROWS};
    for (int i = 0; i < ROWS; i++)
        v.rows[i] = i + 1;
    for (int w = 0; w < WIDTHS; w++)
        for (int a = 0; a < ACTIONS; a++)
            for (int tanh_net = 0; tanh_net < 2; tanh_net++, v.turn++) {
                batch b;
                open_visit(&s, layers, widths[w], actions[a], tanh_net, v.turn, &b);
                reference ref = open_reference(&b);
                visit_forward(&ref, &v);
                visit_update(&s, &ref, &v);
                close_reference(&ref);
                close_batch(&b);
            }
}

/* Promise: the same for every shape, two row counts each, so that all 130 come by. */
static void row_counts_in_turn(void** state) {
    source s = {0};
    visit v = {.count = 1};
    for (int layers = 1; layers <= 3; layers++)
        for (int w = 0; w < WIDTHS; w++)
            for (int a = 0; a < ACTIONS; a++, v.turn++) {
                batch b;
                open_visit(&s, layers, widths[w], actions[a], v.turn % 2, v.turn / 2, &b);
                reference ref = open_reference(&b);
                v.rows[0] = 1 + v.turn * 47 % ROWS;
                visit_forward(&ref, &v);
                v.rows[0] = 1 + (v.turn * 47 + 65) % ROWS;
                visit_update(&s, &ref, &v);
                close_reference(&ref);
                close_batch(&b);
            }
}

int main(int argc, char** argv) {
    int layers = argc > 1 ? atoi(argv[1]) : 0;
    const struct CMUnitTest part[] = {cmocka_unit_test(row_counts_in_turn)};
    const struct CMUnitTest whole[] = {cmocka_unit_test_prestate(every_row_count, &layers)};
    if (argc > 2 || (argc == 2 && (layers < 1 || layers > 3))) {
        fprintf(stderr, "usage: test_backend_grid [LAYERS], 1 to 3\n");
        return 2;
    }
    return layers ? cmocka_run_group_tests(whole, NULL, NULL)
                  : cmocka_run_group_tests(part, NULL, NULL);
}
