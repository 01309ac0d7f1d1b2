/* PPO of nets with convolutions and memory: gradients through time against an independent
 * computation, whole rows in minibatches, and learning what only memory can tell. */
#include "tests/unit/ppo_reference.h"

/* ---- gradients ---------------------------------------------------------------------------- */

typedef struct example {
    const char* net;
    int rows, horizon;
} example;

/* Promise: the gradient is that of the documented loss, through convolutions and through memory
 * back to the beginning of a row or an episode: against central differences of an independent
 * double-precision loss. */
static void gradients(void** state) {
    static const example examples[] = {{"2x3x4-conv3-conv2k5-5-3 tanh", 19, 1},
                                       {"1x3x3-conv4k1-conv3-4 relu", 101, 1},
                                       {"5-mingru6-3 relu", 17, 7},
                                       {"4-mingru5-mingru4-7-4 tanh", 2, 40},
                                       {"4-6-mingru5-5-mingru3-4 relu", 1, 105},
                                       {"2x2x3-conv3-mingru4-5-3 tanh", 9, 5}};
    uint32_t drawn = 0;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        agon_net net;
        assert_int_equal(agon_net_parse(examples[i].net, &net, NULL), 0);
        trial t = open_trial(&net, examples[i].rows, examples[i].horizon, &drawn);
        check_slopes(&t, agon_cpu_backend(), &drawn);
        agon_rectangle_close(t.data);
    }
}

/* ---- minibatches, seen by a backend that only watches ------------------------------------- */

enum { ROWS = 7, STEPS = 5, PARTS = 3 };

typedef struct watcher {
    int calls;
    int seen[64][ROWS]; /* per epoch: how often each row came */
    uint32_t order[64]; /* the first row of each call */
} watcher;

static void watch_update(agon_update* updates, int count, agon_scratch* scratch) {
    watcher* w = (watcher*)scratch;
    assert_int_equal(count, 1);
    assert_int_equal(updates->count % STEPS, 0);
    assert_in_range(updates->count / STEPS, ROWS / PARTS, ROWS / PARTS + 1);
    for (int i = 0; i < updates->count; i++)
        assert_int_equal(updates->index[i],
                         updates->index[i / STEPS * STEPS] + (uint32_t)(i % STEPS));
    for (int i = 0; i < updates->count; i += STEPS) {
        assert_int_equal(updates->index[i] % STEPS, 0);
        w->seen[w->calls / PARTS][updates->index[i] / STEPS]++;
    }
    w->order[w->calls++] = updates->index[0];
    updates->stats = (agon_update_stats){0};
    updates->learner->updates++;
}

/* Promise: minibatches of a net with memory are whole rows, each in order; every epoch sees every
 * row once, in an order of its own. */
static void minibatches(void** state) {
    const agon_backend backend = {.name = "watcher", .update = watch_update};
    const agon_ppo ppo = {plain_step, 0.9f, 0.8f, 4, PARTS, 1};
    agon_rectangle* d = agon_rectangle_open(ROWS, STEPS, (agon_input){AGON_U8, 1.0f}, 1, 1, 0, 1);
    agon_learner learner = {.updates = 7};
    uint32_t index[ROWS * STEPS];
    watcher w = {0};
    int moved = 0;
    assert_non_null(d);
    assert_int_equal(agon_net_parse("1-mingru1-2 relu", &learner.net, NULL), 0);
    agon_ppo_train(&backend, (agon_scratch*)&w, &learner, d, &ppo, (agon_key){{1, 2}}, index, NULL);
    assert_int_equal(w.calls, 4 * PARTS);
    for (int epoch = 0; epoch < 4; epoch++)
        for (int row = 0; row < ROWS; row++)
            assert_int_equal(w.seen[epoch][row], 1);
    for (int i = PARTS; i < w.calls; i++)
        moved += w.order[i] != w.order[i - PARTS];
    assert_true(moved > 0);
    agon_rectangle_close(d);
}

/* ---- learning ----------------------------------------------------------------------------- */

/* An episode shows a cue, one of three, then nothing twice, then asks: the answer that earns 1 is
 * the cue. Rows are no whole number of episodes long. */
enum { CUES = 3, LENGTH = 4, INPUTS = CUES + 1, LANES = 64, HORIZON = 10 };

typedef struct school {
    const agon_backend* backend;
    agon_scratch* scratch;
    agon_learner* learner;
    agon_rectangle* data;
    float memory[LANES * 32];
    int cue[LANES], age[LANES]; /* decisions since the episode began */
    uint32_t drawn;
    int asked, right; /* of a rollout */
} school;

static float next_uniform(school* s) {
    return agon_uniform(agon_random((agon_key){{5, 9}}, 0, 0, 0, s->drawn++).word[0]);
}

/* What lanes see at time t of the rectangle. */
static void see(school* s, int t, uint8_t* obs) {
    for (int lane = 0; lane < LANES; lane++) {
        uint8_t* own = obs + lane * INPUTS;
        memset(own, 0, INPUTS);
        if (s->age[lane] == 0) {
            s->cue[lane] = (int)(next_uniform(s) * CUES);
            own[s->cue[lane]] = 1;
        }
        own[CUES] = s->age[lane] == LENGTH - 1;
        memcpy((uint8_t*)s->data->obs + (lane * HORIZON + t) * INPUTS, own, INPUTS);
    }
}

/* What the answers earn, and the next decision. */
static void earn(school* s, int t, const float* value, const uint16_t* action,
                 const float* log_probability) {
    const int remembered = s->data->remembered;
    for (int lane = 0; lane < LANES; lane++) {
        const int at = lane * HORIZON + t, last = s->age[lane] == LENGTH - 1;
        const int right = last && action[lane] == s->cue[lane];
        s->data->mask[at] = (1u << CUES) - 1;
        s->data->action[at] = action[lane];
        s->data->value[at] = value[lane];
        s->data->log_probability[at] = log_probability[lane];
        s->data->reward[at] = (float)right;
        s->data->last[at] = (uint8_t)last;
        s->asked += last;
        s->right += right;
        s->age[lane] = last ? 0 : s->age[lane] + 1;
        for (int j = 0; last && j < remembered; j++)
            s->memory[lane * remembered + j] = 0.0f;
    }
}

static void ask(school* s, const uint8_t* obs, float* value, uint16_t* action,
                float* log_probability) {
    const int offsets[] = {0, LANES};
    const void* packed[] = {s->learner->packed};
    float uniform[LANES];
    for (int lane = 0; lane < LANES; lane++)
        uniform[lane] = next_uniform(s);
    s->backend->forward(&(agon_forward){.net = &s->learner->net,
                                        .input = s->data->input,
                                        .nets = 1,
                                        .packed = packed,
                                        .offsets = offsets,
                                        .obs = obs,
                                        .memory = s->data->remembered ? s->memory : NULL,
                                        .temperature = 1.0f,
                                        .uniform = uniform,
                                        .value = value,
                                        .action = action,
                                        .log_probability = log_probability},
                        s->scratch);
}

/* One rollout. What comes behind a row is not foreseen: bootstrap stays 0. */
static void play(school* s) {
    const size_t bytes = (size_t)(LANES * s->data->remembered) * sizeof(float);
    uint8_t obs[LANES * INPUTS];
    float value[LANES], log_probability[LANES];
    uint16_t action[LANES];
    s->asked = s->right = 0;
    if (bytes)
        memcpy(s->data->memory, s->memory, bytes);
    for (int t = 0; t < HORIZON; t++) {
        see(s, t, obs);
        ask(s, obs, value, action, log_probability);
        earn(s, t, value, action, log_probability);
    }
}

static double learn(const agon_backend* backend, const char* text, int rollouts, float* params) {
    const agon_ppo ppo = {plain_step, 0.99f, 0.95f, 4, 4, 1};
    school s = {.backend = backend, .scratch = backend->scratch_open()};
    agon_net net;
    uint32_t index[LANES * HORIZON];
    double share = 0.0;
    assert_int_equal(agon_net_parse(text, &net, NULL), 0);
    s.learner = agon_learner_open(&net, backend);
    s.data = agon_rectangle_open(LANES, HORIZON, (agon_input){AGON_U8, 1.0f}, INPUTS, 1, 0,
                                 agon_net_memory(&net));
    assert_true(s.scratch && s.learner && s.data);
    agon_net_init(&net, agon_key_make(5, "cue", AGON_FOR_INIT), s.learner->params);
    backend->pack(&net, s.learner->params, s.learner->packed);
    for (int i = 0; i < rollouts; i++) {
        play(&s);
        agon_ppo_train(backend, s.scratch, s.learner, s.data, &ppo,
                       agon_key_make(5, "cue", AGON_FOR_SHUFFLE), index, NULL);
        share = (double)s.right / s.asked;
    }
    if (params)
        memcpy(params, s.learner->params, agon_net_size(&net) * sizeof(float));
    agon_rectangle_close(s.data);
    backend->scratch_close(s.scratch);
    agon_learner_close(s.learner);
    return share;
}

/* Promise: PPO learns to remember: nearly always right where a net without memory is right one time
 * in three. */
static void cue(void** state) {
    assert_true(learn(agon_cpu_backend(), "4-16-3 relu", 40, NULL) < 0.5);
    assert_true(learn(agon_cpu_backend(), "4-mingru16-3 relu", 40, NULL) > 0.95);
}

/* Promise: and the same bytes on every form. */
static void forms_learn_the_same(void** state) {
    static const char* const forms[] = {"avx2", "avx512", "neon"};
    float want[512] = {0}, got[512] = {0};
    learn(agon_cpu_backend_named("portable"), "4-mingru16-3 relu", 3, want);
    for (int f = 0; f < 3; f++) {
        if (!agon_cpu_backend_named(forms[f]))
            continue;
        learn(agon_cpu_backend_named(forms[f]), "4-mingru16-3 relu", 3, got);
        assert_memory_equal(want, got, sizeof want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),
        cmocka_unit_test(minibatches),
        cmocka_unit_test(cue),
        cmocka_unit_test(forms_learn_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
