/* Convolutions and minGRU layers in the CPU backend: the reference's bytes in every form, whatever
 * the shape, the company and the cut in time. */
#include "agents/backend_cpu.h"
#include "tests/unit/sequence_fixture.h"
#include "tests/unit/update_fixture.h"

enum { MOST_ENTRIES = 400 };

static const agon_ppo_step plain_step = {.learning_rate = 1e-2f,
                                         .clip = 0.2f,
                                         .value_weight = 0.5f,
                                         .entropy_weight = 0.01f,
                                         .max_grad_norm = 0.5f,
                                         .beta1 = 0.9f,
                                         .beta2 = 0.999f,
                                         .epsilon = 1e-5f};

/* Layers in every order that is allowed, and then some. */
static const char* const shapes[] = {
    "23-mingru1-7 relu",
    "48-mingru16-mingru7-5 tanh",
    "9-33-mingru33-20-mingru16-9 relu",
    "5-mingru5-40-3 tanh",
    "2x6x7-conv16-mingru24-7 relu",
    "2x6x7-conv16-conv5k1-30-mingru16-7 tanh",
    "3x3x4-conv5k5-conv16-mingru9-8-mingru17-82 relu",
    "1x1x1-conv1-conv1k1-1 relu",
    "1x1x9-conv3k15-4 tanh",
    "2x9x11-conv16-conv16-conv16-6 relu",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static char place[240]; /* what a failure is about */

static const char* set_place(const batch* b, const char* form) {
    snprintf(place, sizeof place, "%d x %d of %s", b->data->rows, b->data->horizon,
             place_of(b, form));
    return place;
}

/* ---- forward ------------------------------------------------------------------------------ */

static size_t memory_floats(const batch* b) {
    return (size_t)b->data->rows * (size_t)b->data->remembered;
}

/* What a row remembers before a call; room for a row more, which no call may touch. */
static float* open_memory(const batch* b) {
    float* memory = need((memory_floats(b) + (size_t)b->data->remembered) * sizeof(float));
    if (b->data->remembered)
        memcpy(memory, b->data->memory, memory_floats(b) * sizeof(float));
    return memory;
}

static void memory_behind(const batch* b, const float* memory) {
    const uint8_t* at = (const uint8_t*)(memory + memory_floats(b));
    for (size_t i = 0; i < (size_t)b->data->remembered * sizeof(float); i++)
        if (at[i] != 0xa5)
            fail_msg("memory is written behind its last row (%s)", place);
}

static void forward_once(const batch* b, const reference* ref, const agon_backend* backend,
                         const outputs* want) {
    runner run = open_runner(backend, &b->net, b->params, b->rows);
    const void* const packed[] = {run.packed};
    const int offsets[] = {0, b->rows};
    outputs got = open_outputs(b);
    float* memory = open_memory(b);
    agon_forward call = call_of(b, &got, packed, offsets, 1);
    call.memory = b->data->remembered ? memory : NULL;
    backend->forward(&call, run.scratch);
    set_place(b, backend->name);
    same_outputs(b, backend->name, want, &got);
    same_floats("memory", place, ref->memory, memory, memory_floats(b));
    nothing_behind(b, backend->name, &got);
    memory_behind(b, memory);
    free(memory);
    close_outputs(&got);
    close_runner(&run);
}

static void try_forward(source* s, const agon_net* net, agon_dtype type, int rows) {
    batch b;
    open_sequences(s, net, type, rows, 1, &b);
    memset(b.data->last, 0, (size_t)rows); /* a forward knows no ends */
    reference ref = open_reference(&b);
    outputs want = open_outputs(&b);
    reference_outputs(&ref, &b, &want);
    for (int f = 0; f < FORMS; f++)
        if (agon_cpu_backend_named(forms[f]))
            forward_once(&b, &ref, agon_cpu_backend_named(forms[f]), &want);
    close_outputs(&want);
    close_reference(&ref);
    close_batch(&b);
}

/* ---- update ------------------------------------------------------------------------------- */

/* Rows of the rectangle in another order, the last one left out; returns the entries. */
static int order_rows(const batch* b, uint32_t* index) {
    const int rows = b->data->rows, horizon = b->data->horizon, used = rows > 2 ? rows - 1 : rows;
    assert_true(rows * horizon <= MOST_ENTRIES);
    for (int i = 0; i < used * horizon; i++) {
        const int row = (used - 1 - i / horizon) * 7 % used; /* 7 divides no number of rows */
        index[i] = (uint32_t)(row * horizon + i % horizon);
    }
    return used * horizon;
}

static void update_once(const update_case* c, const agon_backend* backend) {
    agon_scratch* scratch = backend->scratch_open();
    agon_learner* learner = agon_learner_open(&c->ref->b->net, backend);
    assert_true(scratch && learner);
    assert_int_equal(backend->scratch_reserve(scratch, &learner->net, c->count, 1), 0);
    const size_t size = scratch->size;
    same_update(c, backend, scratch, learner);
    assert_int_equal(scratch->size, size); /* what was reserved is enough */
    agon_learner_close(learner);
    backend->scratch_close(scratch);
}

static void try_update(source* s, const agon_net* net, agon_dtype type, int rows, int horizon) {
    batch b;
    update_case c;
    uint32_t index[MOST_ENTRIES];
    open_sequences(s, net, type, rows, horizon, &b);
    reference ref = open_reference(&b);
    open_update_case(s, &ref, 0, &c);
    expect_update(&c, &plain_step, index, order_rows(&b, index));
    for (int f = 0; f < FORMS; f++)
        if (agon_cpu_backend_named(forms[f]))
            update_once(&c, agon_cpu_backend_named(forms[f]));
    close_update_case(&c);
    close_reference(&ref);
    close_batch(&b);
}

/* ---- shapes ------------------------------------------------------------------------------- */

/* Promise: every form gives the reference's bytes for convolutions of 1, 3 and 5 points across, of
 * 1, 5, 16 and 33 channels, on boards of 1x1, 3x4 and 6x7: forward, gradients and a step. */
static void convolutions(void** state) {
    static const int channels[] = {1, 5, 16, 33}, boards[][2] = {{1, 1}, {3, 4}, {6, 7}};
    source s = {0};
    for (int board = 0, turn = 0; board < 3; board++)
        for (int i = 0; i < 4; i++)
            for (int kernel = 1; kernel <= 5; kernel += 2, turn++) {
                char text[80];
                snprintf(text, sizeof text, "%dx%dx%d-conv%dk%d-conv%dk%d-7 %s", 1 + turn % 3,
                         boards[board][0], boards[board][1], channels[i], kernel,
                         channels[(i + turn) % 4], (kernel + 2) % 6, turn % 2 ? "tanh" : "relu");
                const agon_net net = net_of(text);
                const agon_dtype type = turn / 2 % 2 ? AGON_F32 : AGON_U8;
                try_forward(&s, &net, type, 1 + turn % 5);
                try_update(&s, &net, type, 1 + turn % 4, 1);
            }
}

/* Promise: and for layers of every kind after one another, some with memory, any number of rows:
 * logits, values, choices, and what is remembered afterwards. */
static void mixtures_forward(void** state) {
    static const int rows[] = {1, 2, 7, 50};
    source s = {0};
    for (int i = 0; i < SHAPES; i++)
        for (int r = 0; r < 4; r++) {
            const agon_net net = net_of(shapes[i]);
            try_forward(&s, &net, (i + r) % 2 ? AGON_F32 : AGON_U8, rows[r]);
        }
}

/* Promise: and gradients and steps through time: horizons of 1, 5, 40 and more than a block,
 * memories that are not 0, ends of episodes anywhere. */
static void mixtures_update(void** state) {
    static const int sizes[][2] = {{5, 1}, {1, 5}, {33, 5}, {4, 40}, {2, 130}};
    source s = {0};
    for (int i = 0; i < SHAPES; i++)
        for (int size = 0; size < 5; size++) {
            const agon_net net = net_of(shapes[i]);
            if (i < 9 || size < 2) /* the last shape is a large one */
                try_update(&s, &net, (i + size) % 2 ? AGON_F32 : AGON_U8, sizes[size][0],
                           sizes[size][1]);
        }
}

/* Promise: and where a layer is so wide that blocks of rows are shorter. */
static void wide_images(void** state) {
    const agon_net net = net_of("1x47x47-conv11-3 relu");
    const agon__shape shape = agon__shape_of(&net);
    source s = {0};
    assert_in_range(agon__block_rows(&shape, 0), 1, AGON__FORWARD_ROWS - 1);
    try_forward(&s, &net, AGON_U8, 50);
    try_update(&s, &net, AGON_U8, 50, 1);
}

/* ---- company ------------------------------------------------------------------------------ */

enum { NETS = 5, COMPANY = 108 };
static const int company[NETS + 1] = {0, 0, 1, 8, 58, COMPANY}; /* groups of 0, 1, 7, 50, 50 */

/* Row `row` of net `net` by itself: what it gave together. */
static void alone(const batch* b, const runner* run, const void* const* packed, int net, int row,
                  const outputs* together, const float* memory) {
    const size_t floats = (size_t)b->data->remembered;
    agon_rectangle view;
    const batch one = batch_rows(b, &view, row, 1);
    const outputs want = outputs_from(together, row, b->net.actions);
    outputs got = open_outputs(&one);
    float* own = need((floats + 1) * sizeof(float));
    agon_forward call = call_of(&one, &got, packed + net, (const int[]){0, 1}, 1);
    if (floats) {
        memcpy(own, b->data->memory + (size_t)row * floats, floats * sizeof(float));
        call.memory = own;
    }
    run->backend->forward(&call, run->scratch);
    same_outputs(&one, run->backend->name, &want, &got);
    same_floats("memory", place, memory + (size_t)row * floats, own, floats);
    free(own);
    close_outputs(&got);
}

static void company_of(source* s, const agon_net* net, const agon_backend* backend,
                       agon_dtype type) {
    batch b;
    void* packed[NETS];
    open_sequences(s, net, type, COMPANY, 1, &b);
    runner run = open_runner(backend, net, b.params, COMPANY);
    for (int i = 0; i < NETS; i++) {
        packed[i] = need(backend->packed_size(net));
        fill_weights(s, net, b.params);
        backend->pack(net, b.params, packed[i]);
    }
    outputs together = open_outputs(&b);
    float* memory = open_memory(&b);
    agon_forward call = call_of(&b, &together, (const void* const*)packed, company, NETS);
    call.memory = b.data->remembered ? memory : NULL;
    backend->forward(&call, run.scratch);
    set_place(&b, backend->name);
    for (int i = 0; i < NETS; i++)
        for (int row = company[i]; row < company[i + 1]; row++)
            alone(&b, &run, (const void* const*)packed, i, row, &together, memory);
    for (int i = 0; i < NETS; i++)
        free(packed[i]);
    free(memory);
    close_outputs(&together);
    close_runner(&run);
    close_batch(&b);
}

/* Promise: a row gives alone what it gives among those of other nets, in groups of 0, 1, 7 and 50:
 * outputs, and what is remembered. */
static void company_changes_nothing(void** state) {
    source s = {0};
    for (int i = 0; i < SHAPES; i++) {
        const agon_net net = net_of(shapes[i]);
        company_of(&s, &net, agon_cpu_backend(), i % 2 ? AGON_F32 : AGON_U8);
    }
}

/* ---- time --------------------------------------------------------------------------------- */

/* Decision t of every row of a rectangle, as a batch of its own. */
static batch moment(const batch* b, int t, agon_rectangle* view, char* obs) {
    const int rows = b->data->rows, horizon = b->data->horizon;
    const size_t bytes = b->data->obs_bytes;
    batch now = *b;
    for (int r = 0; r < rows; r++)
        memcpy(obs + (size_t)r * bytes,
               (const char*)b->data->obs + (size_t)(r * horizon + t) * bytes, bytes);
    *view = *b->data;
    view->obs = obs;
    now.data = view;
    now.rows = rows;
    now.all_legal = 1;
    return now;
}

/* Memory is handed from decision to decision and cleared where an episode ends. */
static void live(const batch* b, const reference* ref, const runner* run) {
    const int rows = b->data->rows, horizon = b->data->horizon, actions = b->net.actions;
    const size_t floats = (size_t)b->data->remembered;
    const void* const packed[] = {run->packed};
    const int offsets[] = {0, rows};
    char* obs = need((size_t)rows * b->data->obs_bytes);
    float* memory = open_memory(b);
    for (int t = 0; t < horizon; t++) {
        agon_rectangle view;
        const batch now = moment(b, t, &view, obs);
        outputs got = open_outputs(&now);
        agon_forward call = call_of(&now, &got, packed, offsets, 1);
        call.memory = memory;
        run->backend->forward(&call, run->scratch);
        for (int r = 0; r < rows; r++) {
            const int entry = r * horizon + t;
            same_floats("logits", place, ref->y[0] + (ptrdiff_t)entry * actions,
                        got.logits + (ptrdiff_t)r * actions, (size_t)actions);
            same_floats("value", place, ref->y[1] + entry, got.value + r, 1);
            if (b->data->last[entry])
                memset(memory + (size_t)r * floats, 0, floats * sizeof(float));
        }
        close_outputs(&got);
    }
    same_floats("memory", place, ref->memory, memory, memory_floats(b));
    free(memory);
    free(obs);
}

/* Promise: playing decision by decision, memory handed on, gives what an update sees. */
static void play_is_what_is_learned(void** state) {
    source s = {0};
    for (int i = 0; i < SHAPES; i++) {
        const agon_net net = net_of(shapes[i]);
        batch b;
        if (agon_net_memory(&net) == 0)
            continue;
        open_sequences(&s, &net, i % 2 ? AGON_F32 : AGON_U8, 7, 20, &b);
        reference ref = open_reference(&b);
        runner run = open_runner(agon_cpu_backend(), &net, b.params, 7);
        set_place(&b, run.backend->name);
        live(&b, &ref, &run);
        close_runner(&run);
        close_reference(&ref);
        close_batch(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(mixtures_forward),
        cmocka_unit_test(mixtures_update),
        cmocka_unit_test(wide_images),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(play_is_what_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
