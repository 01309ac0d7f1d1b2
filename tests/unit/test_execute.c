/* Train and probe tasks: pure, resumable, and clear about what they cannot do. */
#include "engine/probes.h"
#include "tests/unit/task_fixture.h"

static agon_task birth_task(const agon_rules* rules, int agent) {
    char key[AGON_KEY_SIZE];
    snprintf(key, sizeof key, "train/0/%d", agent);
    const agon_net net = make_net(rules, 12);
    agon_task task = make_task(AGON_TRAIN, rules, key);
    task.as.train.agent = agent;
    agon_net_format(&net, task.as.train.net, sizeof task.as.train.net);
    return task;
}

/* Three rollouts of 8 lanes and 6 decisions, from a learner ("": a new one). */
static agon_task train_task(const agon_rules* rules, const char* learner, const char* opponent) {
    agon_task task = birth_task(rules, 2);
    agon_train_task* d = &task.as.train;
    snprintf(task.key, sizeof task.key, "train/1/2");
    d->generation = 1;
    snprintf(d->learner, sizeof d->learner, "%s", learner);
    d->own_seats = opponent ? 0 : agon_rules_seats(rules);
    d->opponents = opponent != NULL;
    snprintf(d->opponent[0], AGON_REF_SIZE, "%s", opponent ? opponent : "");
    d->lanes = 8;
    d->horizon = 6;
    d->rollouts = 3;
    d->ppo = (agon_ppo){
        .step = {.learning_rate = 1e-3f,
                 .clip = 0.2f,
                 .value_weight = 0.5f,
                 .entropy_weight = 0.01f,
                 .max_grad_norm = 0.5f,
                 .beta1 = 0.9f,
                 .beta2 = 0.999f,
                 .epsilon = 1e-8f},
        .discount = 1,
        .lambda = 0.95f,
        .epochs = 2,
        .minibatches = 3,
        .normalise = 1,
    };
    d->learning_rate_end = 5e-4f;
    return task;
}

/* Runs the task and puts its blobs on the shelf. */
static agon_train_result train(const agon_task* task, shelf* s) {
    agon_result result = must_run(task, s);
    const agon_train_result train = result.as.train;
    assert_int_equal(result.blobs, 2);
    assert_string_equal(result.key, task->key);
    assert_string_equal(result.blob[0].hash, train.learner);
    assert_string_equal(result.blob[1].hash, train.snapshot);
    shelf_put(s, &result.blob[0]);
    shelf_put(s, &result.blob[1]);
    agon_result_clear(&result);
    return train;
}

static agon_snapshot_info info_of(shelf* s, const char* hash, float** params) {
    agon_snapshot_info info = {0};
    agon_net net;
    uint8_t* data = NULL;
    size_t size = 0;
    float* got = NULL;
    assert_int_equal(shelf_load(s, hash, &data, &size, NULL), AGON_OK);
    assert_int_equal(agon_snapshot_decode(data, size, hash, &net, &got, &info, NULL), AGON_OK);
    free(data);
    if (params)
        *params = got;
    else
        free(got);
    return info;
}

static const char* const games[] = {"tic_tac_toe", "matrix", "kuhn_poker",
                                    "tron(players=3,size=6)"};

/* Promise: a train task is a function of itself: the same bytes each time, mirror and league alike.
 */
static void same_task_same_bytes(void** state) {
    (void)state;
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        shelf s = {0};
        agon_rules* rules = open_rules(games[g]);
        const agon_task birth = birth_task(rules, 2);
        const agon_train_result born = train(&birth, &s);
        agon_task league = train_task(rules, born.learner, "random");
        league.as.train.opponents = 2;
        strcpy(league.as.train.opponent[1], born.snapshot);
        const agon_task mirror = train_task(rules, born.learner, NULL);
        must_repeat(&birth, &s);
        must_repeat(&league, &s);
        must_repeat(&mirror, &s);
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

static void set_net(agon_task* task, const agon_rules* rules, const char* layers) {
    const agon_net net = make_layers(rules, layers);
    agon_net_format(&net, task->as.train.net, sizeof task->as.train.net);
}

/* Promise: tasks of nets that fold and remember are functions of themselves, too, against others
 * of other memories; what they learn goes on from its own blobs; and their minibatches are whole
 * rows, of which there must be enough. */
static void nets_with_memory_train(void** state) {
    (void)state;
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        shelf s = {0};
        agon_rules* rules = open_rules(games[g]);
        const agon_net other = make_layers(rules, "mingru5,mingru9");
        agon_task birth = birth_task(rules, 2);
        set_net(&birth, rules, "conv3,8,mingru6");
        const agon_train_result born = train(&birth, &s);
        agon_task league = train_task(rules, born.learner, "random");
        league.as.train.opponents = 3;
        strcpy(league.as.train.opponent[1], born.snapshot);
        strcpy(league.as.train.opponent[2], shelf_snapshot_of(&s, rules, &other, 3));
        agon_task mirror = train_task(rules, born.learner, NULL);
        set_net(&league, rules, "conv3,8,mingru6");
        set_net(&mirror, rules, "conv3,8,mingru6");
        must_repeat(&league, &s);
        must_repeat(&mirror, &s);
        const agon_train_result first = train(&league, &s);
        strcpy(league.as.train.learner, first.learner);
        assert_int_equal(train(&league, &s).updates, 2 * first.updates);
        league.as.train.ppo.minibatches = 9;
        must_fail(&league, &s, AGON_EINVALID,
                  "9 minibatches of 8 rows of 6 decisions; expected 1 to 8");
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

/* Promise: a birth plays nothing; training counts every decision and carries the learner's memory
 * on; agents differ from birth. */
static void lineages_count_their_steps(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("tic_tac_toe");
    const agon_task births[2] = {birth_task(rules, 2), birth_task(rules, 3)};
    const agon_train_result a = train(&births[0], &s), b = train(&births[1], &s);
    assert_string_not_equal(a.snapshot, b.snapshot);
    assert_true(a.steps == 0 && a.total_steps == 0 && a.updates == 0 && a.episodes == 0);
    assert_int_equal(info_of(&s, a.snapshot, NULL).generation, 0);

    agon_task task = train_task(rules, a.learner, b.snapshot);
    const agon_train_result c = train(&task, &s);
    assert_int_equal(c.steps, 3 * 8 * 6);
    assert_int_equal(c.total_steps, 3 * 8 * 6);
    assert_int_equal(c.updates, 3 * 2 * 3);
    assert_true(c.episodes > 0 && c.length_mean >= 5 && c.length_mean <= 9);
    assert_true(c.return_mean >= -1 && c.return_mean <= 1);
    assert_true(c.other_steps > c.steps / 2 && c.extra_steps == 0);
    assert_true(c.stats.entropy > 0 && c.stats.kl >= 0);

    task = train_task(rules, c.learner, b.snapshot);
    snprintf(task.key, sizeof task.key, "train/2/2");
    task.as.train.generation = 2;
    const agon_train_result d = train(&task, &s);
    assert_int_equal(d.steps, 3 * 8 * 6);
    assert_int_equal(d.total_steps, 2 * 3 * 8 * 6);
    assert_int_equal(d.updates, 2 * 3 * 2 * 3);
    const agon_snapshot_info info = info_of(&s, d.snapshot, NULL);
    assert_true(info.agent == 2 && info.generation == 2 && info.steps == d.total_steps);
    assert_string_equal(info.game, "tic_tac_toe");
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: in mirror every seat is the learner's own row, and nobody else decides. */
static void mirror_stores_every_seat(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("tron(players=3,size=6)");
    agon_task task = train_task(rules, "", NULL);
    const agon_train_result r = train(&task, &s);
    assert_int_equal(r.steps, 3 * 8 * 6 * 3);
    assert_int_equal(r.other_steps, 0);
    assert_true(r.extra_steps > 0);
    assert_true(fabs(r.return_mean) < 1e-9); /* zero-sum, all seats counted */
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: learning learns: against an opponent that is beaten by looking, returns go up. */
static void learning_learns(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_task task = train_task(rules, "", "random");
    task.as.train.lanes = 32;
    task.as.train.horizon = 16;
    task.as.train.rollouts = 40;
    task.as.train.ppo.step.learning_rate = 3e-3f;
    const agon_train_result first = train(&task, &s);
    task = train_task(rules, first.learner, "random");
    task.as.train.lanes = 32;
    task.as.train.horizon = 16;
    task.as.train.rollouts = 20;
    const agon_train_result second = train(&task, &s);
    assert_true(first.return_mean > -0.2 && second.return_mean > first.return_mean + 0.1);
    assert_true(second.return_mean > 0.3);
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: with learning rates of 0 nothing of the net changes but its counters. */
static void a_rate_of_zero_changes_nothing(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("kuhn_poker");
    const agon_task birth = birth_task(rules, 2);
    const agon_train_result born = train(&birth, &s);
    agon_task task = train_task(rules, born.learner, "random");
    task.as.train.ppo.step.learning_rate = task.as.train.learning_rate_end = 0;
    const agon_train_result still = train(&task, &s);
    float *before, *after;
    info_of(&s, born.snapshot, &before);
    info_of(&s, still.snapshot, &after);
    const agon_net net = make_net(rules, 12);
    assert_memory_equal(before, after, agon_net_size(&net) * sizeof *before);
    free(before);
    free(after);
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: what cannot be trained is refused by name, and nothing leaks. */
static void wrong_tasks_are_refused(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules *rules = open_rules("tic_tac_toe"), *other = open_rules("matrix");
    char missing[65] = "";
    memset(missing, 'b', 64);
    agon_task task = train_task(rules, missing, "random");
    must_fail(&task, &s, AGON_EMISSING, missing);
    task = train_task(rules, "", missing);
    must_fail(&task, &s, AGON_EMISSING, missing);
    task = train_task(rules, "", shelf_snapshot(&s, other, 8, 1));
    must_fail(&task, &s, AGON_EINVALID, "inputs");
    task = train_task(rules, shelf_snapshot(&s, rules, 12, 1), "random");
    must_fail(&task, &s, AGON_EFORMAT, ""); /* a snapshot is no learner */
    task = train_task(rules, "", "random");
    task.fingerprint++;
    must_fail(&task, &s, AGON_EUNSUPPORTED, "same version");
    task = train_task(rules, "", "random");
    strcpy(task.as.train.net, "5-4-3 relu");
    must_fail(&task, &s, AGON_EINVALID, "does not fit");
    strcpy(task.as.train.net, "nonsense");
    must_fail(&task, &s, AGON_EINVALID, "nonsense");
    task = train_task(rules, "", "random");
    task.as.train.ppo.minibatches = 49;
    must_fail(&task, &s, AGON_EINVALID,
              "49 minibatches of 8 rows of 6 decisions; expected 1 to 48");
    agon_rules_close(rules);
    agon_rules_close(other);
    shelf_clear(&s);
}

/* Promise: training that diverges says so, and says what to change. */
static void divergence_has_a_hint(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_task task = train_task(rules, "", "random");
    task.as.train.ppo.step.learning_rate = 1e30f;
    must_fail(&task, &s, AGON_EINVALID, "train.learning_rate");
    task.as.train.rollouts = 1; /* found also when the last update broke it */
    must_fail(&task, &s, AGON_EINVALID, "train.learning_rate");
    agon_rules_close(rules);
}

/* Promise: a cancelled task stops with AGON_ECANCELLED and gives nothing; progress ends at 1000. */
static void cancelling_stops(void** state) {
    (void)state;
    agon_rules* rules = open_rules("matrix");
    const agon_task task = train_task(rules, "", "random");
    agon_gauge gauge = {0};
    agon_context context = {.backend = agon_cpu_backend(), .gauge = &gauge};
    agon_result result = {0};
    agon_error error = {0};
    atomic_store(&gauge.cancel, 1);
    assert_int_equal(agon_execute(&task, &context, &result, &error), AGON_ECANCELLED);
    assert_non_null(strstr(error.text, "train/1/2"));
    assert_int_equal(result.blobs, 0);
    atomic_store(&gauge.cancel, 0);
    assert_int_equal(agon_execute(&task, &context, &result, &error), AGON_OK);
    assert_int_equal(atomic_load(&gauge.progress), 1000);
    assert_int_equal(atomic_load(&gauge.steps), 3 * 8 * 6);
    agon_result_clear(&result);
    agon_context_clear(&context);
    agon_rules_close(rules);
}

/* ---- probes ------------------------------------------------------------------------------- */

static agon_task probe_task(const agon_rules* rules, const char* ref, int exact_nodes, shelf* s) {
    agon_task task = make_task(AGON_PROBE, rules, "probe/0/0");
    agon_probes probes = {0};
    agon_bytes blob = {0};
    assert_int_equal(agon_probes_make(rules, 30, 1, &probes, NULL), AGON_OK);
    assert_int_equal(agon_probes_encode(&probes, rules, &blob, NULL), AGON_OK);
    agon_probes_close(&probes);
    strcpy(task.as.probe.probes, shelf_put(s, &blob));
    strcpy(task.as.probe.ref, ref);
    task.as.probe.exact_nodes = exact_nodes;
    return task;
}

/* Promise: probabilities are distributions; exact numbers are given where the tree fits and are NaN
 * elsewhere; both survive the wire. */
static void probes_are_exact(void** state) {
    (void)state;
    static const struct {
        const char* game;
        int nodes;
        bool exact, minimax;
    } cases[] = {{"kuhn_poker", 1000, true, false},    {"kuhn_poker", 10, false, false},
                 {"kuhn_poker", 0, false, false},      {"tic_tac_toe", 10000, true, true},
                 {"connect_four", 1000, false, false}, {"matrix", 100, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(cases[i].game);
        const agon_task task =
            probe_task(rules, shelf_snapshot(&s, rules, 8, 1), cases[i].nodes, &s);
        must_repeat(&task, &s);
        agon_result result = must_run(&task, &s);
        const agon_probe_result* p = &result.as.probe;
        assert_int_equal(p->actions, rules->spec.actions);
        for (int k = 0; k < p->states; k++) {
            double sum = 0;
            for (int a = 0; a < p->actions; a++)
                sum += p->probability[k * p->actions + a];
            assert_true(fabs(sum - 1) < 1e-5);
        }
        assert_int_equal(p->exact, cases[i].exact);
        assert_int_equal(!isnan(p->nash_conv), cases[i].exact);
        assert_true(!cases[i].exact || p->nash_conv > 0);
        assert_int_equal(!isnan(p->value), cases[i].minimax);
        assert_int_equal(!isnan(p->worst_first) && !isnan(p->worst_second), cases[i].minimax);
        assert_true(!cases[i].minimax || (p->value == 0 && p->worst_first >= -1 &&
                                          p->worst_first <= 0 && p->worst_second <= 0));
        agon_result_clear(&result);
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

/* Promise: a policy without weights can be probed too, and known answers come out: uniform play of
 * rock-paper-scissors is its equilibrium; uniform play of Kuhn poker loses 11/12 in all. */
static void known_policies_have_known_answers(void** state) {
    (void)state;
    static const struct {
        const char* game;
        double nash_conv;
    } cases[] = {{"matrix", 0}, {"kuhn_poker", 11.0 / 12}};
    for (int i = 0; i < 2; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(cases[i].game);
        const agon_task task = probe_task(rules, "random", 1000, &s);
        agon_result result = must_run(&task, &s);
        assert_true(fabs(result.as.probe.nash_conv - cases[i].nash_conv) < 1e-6);
        agon_result_clear(&result);
        agon_task lost = task;
        memset(lost.as.probe.probes, 'c', 64);
        must_fail(&lost, &s, AGON_EMISSING, "cccc");
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_task_same_bytes),
        cmocka_unit_test(nets_with_memory_train),
        cmocka_unit_test(lineages_count_their_steps),
        cmocka_unit_test(mirror_stores_every_seat),
        cmocka_unit_test(learning_learns),
        cmocka_unit_test(a_rate_of_zero_changes_nothing),
        cmocka_unit_test(wrong_tasks_are_refused),
        cmocka_unit_test(divergence_has_a_hint),
        cmocka_unit_test(cancelling_stops),
        cmocka_unit_test(probes_are_exact),
        cmocka_unit_test(known_policies_have_known_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
