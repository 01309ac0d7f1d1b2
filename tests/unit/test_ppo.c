/* PPO: advantages, loss and gradients against independent computations, and learning. */
#include "tests/unit/ppo_reference.h"

/* ---- advantages --------------------------------------------------------------------------- */

/* The definition, forwards and in double precision: sum of (gamma lambda)^i delta_{t+i} up to the
 * episode's end or the rectangle's. */
static double naive_advantage(const agon_rectangle* d, int row, int t, double gamma,
                              double lambda) {
    double sum = 0.0, weight = 1.0;
    for (int i = t; i < d->horizon; i++) {
        const int at = row * d->horizon + i;
        double next = i + 1 < d->horizon ? (double)d->value[at + 1] : (double)d->bootstrap[row];
        if (d->last[at])
            next = 0.0;
        sum += weight * ((double)d->reward[at] + gamma * next - (double)d->value[at]);
        weight *= gamma * lambda;
        if (d->last[at])
            break;
    }
    return sum;
}

/* Promise: agon_gae is generalised advantage estimation, cut at episode ends, bootstrapped at the
 * rectangle's; target = advantage + value. */
static void advantages(void** state) {
    const agon_input input = {AGON_F32, 1.0f};
    agon_rectangle* d = agon_rectangle_open(7, 13, input, 4, 1, 0, 0);
    uint32_t drawn = 0;
    assert_non_null(d);
    for (int i = 0; i < 7 * 13; i++) {
        d->reward[i] = (float)next_real(&drawn);
        d->value[i] = (float)next_real(&drawn);
        d->last[i] = next_real(&drawn) > 0.7;
    }
    for (int r = 0; r < 7; r++)
        d->bootstrap[r] = d->last[r * 13 + 12] ? 0.0f : (float)next_real(&drawn);
    for (int lambda = 0; lambda <= 2; lambda++) {
        agon_gae(d, 0.97f, 0.5f * (float)lambda);
        for (int i = 0; i < 7 * 13; i++) {
            const double want = naive_advantage(d, i / 13, i % 13, (double)0.97f, 0.5 * lambda);
            assert_true(fabs((double)d->advantage[i] - want) < 1e-5);
            assert_true(d->target[i] == d->advantage[i] + d->value[i]);
        }
    }
    agon_rectangle_close(d);
}

/* ---- training's order, seen by a backend that only watches -------------------------------- */

typedef struct watcher {
    int calls, count[64];
    int seen[64][32]; /* per epoch of 4 minibatches: how often each entry came */
    double mean, variance;
} watcher;

static void watch_update(agon_update* updates, int count, agon_scratch* scratch) {
    watcher* w = (watcher*)scratch;
    assert_int_equal(count, 1);
    w->count[w->calls] = updates->count;
    for (int i = 0; i < updates->count; i++)
        w->seen[w->calls / 4][updates->index[i]]++;
    w->mean = w->variance = 0.0;
    for (int i = 0; i < 30; i++)
        w->mean += (double)updates->data->advantage[i] / 30.0;
    for (int i = 0; i < 30; i++)
        w->variance += pow((double)updates->data->advantage[i] - w->mean, 2.0) / 30.0;
    updates->stats = (agon_update_stats){.kl = w->calls, .entropy = 2.0};
    updates->learner->updates++;
    w->calls++;
}

/* Promise: every epoch sees every entry once, in minibatches whose sizes differ by at most one and
 * in an order of its own; advantages are normalised once; stats are means over minibatches. */
static void minibatches(void** state) {
    const agon_backend backend = {.name = "watcher", .update = watch_update};
    const agon_ppo ppo = {plain_step, 0.9f, 0.8f, 3, 4, 1};
    agon_rectangle* d = agon_rectangle_open(6, 5, (agon_input){AGON_U8, 1.0f}, 1, 1, 0, 0);
    agon_learner learner = {.updates = 7};
    uint32_t index[30], before[30], drawn = 0;
    watcher w = {0};
    agon_update_stats stats;
    assert_non_null(d);
    for (int i = 0; i < 30; i++)
        d->reward[i] = 3.0f + (float)next_real(&drawn);
    agon_shuffle((agon_key){{1, 2}}, 7, before, 30); /* the first epoch's order */
    agon_ppo_train(&backend, (agon_scratch*)&w, &learner, d, &ppo, (agon_key){{1, 2}}, index,
                   &stats);
    assert_int_equal(w.calls, 12);
    for (int i = 0; i < 12; i++)
        assert_in_range(w.count[i], 7, 8);
    for (int epoch = 0; epoch < 3; epoch++)
        for (int i = 0; i < 30; i++)
            assert_int_equal(w.seen[epoch][i], 1);
    assert_true(memcmp(index, before, sizeof index) != 0); /* the last epoch's order is another */
    assert_true(fabs(w.mean) < 1e-6 && fabs(w.variance - 1.0) < 1e-5);
    assert_true(stats.kl == 5.5 && stats.entropy == 2.0);
    agon_rectangle_close(d);
}

/* ---- gradients ---------------------------------------------------------------------------- */

/* Promise: the gradient is that of the documented loss, through both heads, masks and activations:
 * against central differences of an independent double-precision loss. */
static void gradients(void** state) {
    static const agon_net nets[] = {
        {.inputs = 5, .layers = 0, .actions = 3},
        {.inputs = 9, .layers = 1, .hidden = {12}, .actions = 82, .activation = AGON_TANH},
        {.inputs = 6, .layers = 2, .hidden = {17, 5}, .actions = 4, .activation = AGON_RELU},
        {.inputs = 4, .layers = 3, .hidden = {8, 9, 7}, .actions = 2, .activation = AGON_TANH}};
    uint32_t drawn = 0;
    for (int i = 0; i < 4; i++) {
        trial t = open_trial(&nets[i], 101, 1, &drawn); /* more than one block of rows */
        check_slopes(&t, agon_cpu_backend(), &drawn);
        agon_rectangle_close(t.data);
    }
}

/* ---- learning ----------------------------------------------------------------------------- */

enum { CONTEXTS = 5, CHOICES = 4, LANES = 64, HORIZON = 4 };

/* One rollout: each decision is an episode; a context's own action earns 1. Action 3 is illegal. */
static double play(const agon_backend* backend, agon_scratch* scratch, agon_learner* learner,
                   agon_rectangle* d, int round) {
    const int entries = LANES * HORIZON, offsets[] = {0, LANES * HORIZON};
    const agon_key key = agon_key_make(5, "bandit", AGON_FOR_ACTION);
    const void* packed[] = {learner->packed};
    float uniform[LANES * HORIZON];
    double sum = 0.0;
    memset(d->obs, 0, (size_t)entries * CONTEXTS);
    for (int i = 0; i < entries; i++) {
        const agon_draw draw = agon_random(key, (uint32_t)round, (uint32_t)i, 0, 0);
        ((uint8_t*)d->obs)[i * CONTEXTS + (int)agon_below(draw.word[1], CONTEXTS)] = 1;
        uniform[i] = agon_uniform(draw.word[0]);
        d->mask[i] = 7;
        d->last[i] = 1;
    }
    backend->forward(&(agon_forward){.net = &learner->net,
                                     .input = d->input,
                                     .nets = 1,
                                     .packed = packed,
                                     .offsets = offsets,
                                     .obs = d->obs,
                                     .mask = d->mask,
                                     .temperature = 1.0f,
                                     .uniform = uniform,
                                     .value = d->value,
                                     .action = d->action,
                                     .log_probability = d->log_probability},
                     scratch);
    for (int i = 0; i < entries; i++) {
        const uint8_t* obs = (const uint8_t*)d->obs + i * CONTEXTS;
        const int context = (int)((const uint8_t*)memchr(obs, 1, CONTEXTS) - obs);
        d->reward[i] = d->action[i] == context % 3 ? 1.0f : 0.0f;
        sum += (double)d->reward[i];
    }
    return sum / entries;
}

static double learn(const agon_backend* backend, int rounds, float* params) {
    const agon_net net = {.inputs = CONTEXTS, .layers = 1, .hidden = {16}, .actions = CHOICES};
    const agon_ppo ppo = {plain_step, 1.0f, 0.95f, 2, 4, 1};
    agon_learner* learner = agon_learner_open(&net, backend);
    agon_scratch* scratch = backend->scratch_open();
    agon_rectangle* d =
        agon_rectangle_open(LANES, HORIZON, (agon_input){AGON_U8, 1.0f}, CONTEXTS, 1, 0, 0);
    uint32_t index[LANES * HORIZON];
    agon_update_stats stats;
    double reward = 0.0;
    assert_true(learner && scratch && d);
    agon_net_init(&net, agon_key_make(5, "bandit", AGON_FOR_INIT), learner->params);
    backend->pack(&net, learner->params, learner->packed);
    for (int round = 0; round < rounds; round++) {
        reward = play(backend, scratch, learner, d, round);
        agon_ppo_train(backend, scratch, learner, d, &ppo,
                       agon_key_make(5, "bandit", AGON_FOR_SHUFFLE), index, &stats);
        assert_true(stats.kl >= 0.0 && stats.entropy >= 0.0 && stats.grad_norm > 0.0);
    }
    assert_int_equal(learner->updates, rounds * 8);
    memcpy(params, learner->params, agon_net_size(&net) * sizeof(float));
    agon_rectangle_close(d);
    backend->scratch_close(scratch);
    agon_learner_close(learner);
    return reward;
}

/* Promise: PPO learns: from one third to nearly always right; the same bytes on every form. */
static void bandit(void** state) {
    static const char* const forms[] = {"portable", "avx2", "avx512", "neon"};
    float want[256] = {0}, got[256] = {0};
    const double first = learn(agon_cpu_backend_named("portable"), 1, want);
    const double reward = learn(agon_cpu_backend_named("portable"), 40, want);
    assert_true(first > 0.2 && first < 0.5);
    assert_true(reward > 0.95);
    for (int f = 1; f < 4; f++) {
        if (!agon_cpu_backend_named(forms[f]))
            continue;
        assert_true(learn(agon_cpu_backend_named(forms[f]), 40, got) == reward);
        assert_memory_equal(want, got, sizeof want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advantages),
        cmocka_unit_test(minibatches),
        cmocka_unit_test(gradients),
        cmocka_unit_test(bandit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
