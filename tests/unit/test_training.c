/* A whole small run in this process: from config to last row, stopped and resumed at many places,
 * always the same metrics. */
#include "engine/training.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/no_sync.h"

#include "tests/unit/fake_device.h"

typedef struct watcher {
    int measured, last_measured, trained, last_trained;
    int stop_at; /* signal at this trained generation; -1: never */
} watcher;

static void on_measured(void* user, const agon_training* t, const agon_measurement* m) {
    watcher* w = user;
    assert_true(m->generation > w->last_measured);
    assert_true(agon_population_measures(&t->population, m->generation));
    w->last_measured = m->generation;
    w->measured++;
}

static void on_trained(void* user, const agon_training* t, int generation) {
    watcher* w = user;
    assert_true(generation > w->last_trained);
    assert_true(agon_population_trained(&t->population, generation));
    w->last_trained = generation;
    w->trained++;
    if (generation == w->stop_at)
        raise(SIGINT);
}

static void make_config(agon_config* c, const char* game, const char* league) {
    static const char* const settings[][2] = {
        {"population.size", "3"},      {"train.generations", "4"},    {"train.rollouts", "2"},
        {"train.lanes", "8"},          {"train.horizon", "6"},        {"train.epochs", "1"},
        {"train.minibatches", "2"},    {"net.hidden", "12"},          {"metrics.every", "2"},
        {"metrics.games", "8"},        {"metrics.anchor_games", "6"}, {"metrics.final_games", "6"},
        {"metrics.probes", "16"},      {"metrics.bootstrap", "10"},   {"machine.threads", "2"},
        {"metrics.exact_nodes", "100"}};
    agon_config_defaults(c);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(agon_config_set(c, settings[i][0], settings[i][1], "test", NULL), 0);
    assert_int_equal(agon_config_set(c, "game.name", game, "test", NULL), 0);
    assert_int_equal(agon_config_set(c, "league.kind", league, "test", NULL), 0);
}

/* Runs to the end, or to the generation where the watcher stops it. */
static bool go(agon_training* t, watcher* w) {
    const agon_training_view view = {.user = w, .measured = on_measured, .trained = on_trained};
    bool interrupted = false;
    agon_error error = {0};
    w->last_trained = t->trained;
    w->last_measured = -1;
    if (agon_training_run(t, &view, &interrupted, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return interrupted;
}

static agon_training* create(const agon_config* config, const char* dir) {
    agon_config c = *config;
    agon_training* t = NULL;
    agon_error error = {0};
    snprintf(c.run.dir, sizeof c.run.dir, "%s", dir);
    if (agon_training_create(&c, "test", &t, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return t;
}

static agon_training* resume(const char* dir) {
    agon_training* t = NULL;
    agon_error error = {0};
    if (agon_training_resume(dir, NULL, &t, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return t;
}

static const char* const cases[][2] = {{"matrix", "uniform"},
                                       {"connect_four(rows=4,cols=4,connect=3)", "pfsp"},
                                       {"kuhn_poker", "mirror"}};

/* Measures weigh probe states as the set says; only a complete one knows how often they come. */
static void assert_weights(const agon_training* t) {
    assert_ptr_equal(t->population.probe_weight, t->probes.weight);
    assert_ptr_equal(t->population.probe_reach, t->probes.reach);
    assert_int_equal(t->probes.reach != NULL, strncmp(t->rules->name, "connect_four", 12) != 0);
}

/* Promise: a run tells of every generation once, in order, and ends with every task done; reading
 * it shows the same; resuming a finished run does nothing. */
static void a_run_is_complete(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[32];
        agon_config config;
        watcher w = {.stop_at = -1};
        snprintf(dir, sizeof dir, "whole%zu", i);
        make_config(&config, cases[i][0], cases[i][1]);
        agon_training* t = create(&config, dir);
        assert_false(go(t, &w));
        assert_int_equal(w.trained, 5);
        assert_int_equal(w.measured, 3);
        assert_true(agon_population_finished(&t->population));
        assert_int_equal(agon_record_count(t->population.record), t->tasks);
        const int seats = config.league.kind == AGON_LEAGUE_MIRROR ? 2 : 1;
        assert_int_equal(t->steps, 4 * 3 * 2 * 8 * 6 * seats);
        assert_weights(t);
        agon_training_close(t);

        assert_int_equal(agon_training_read(dir, &t, NULL), AGON_OK);
        assert_true(agon_population_finished(&t->population));
        assert_weights(t);
        agon_training_close(t);
        t = resume(dir);
        w = (watcher){.stop_at = -1};
        assert_false(go(t, &w));
        assert_true(w.trained == 0 && t->steps == 0 && t->tasks_before == t->tasks);
        agon_training_close(t);
    }
}

/* Promise: a run whose tasks a device computes, in shards, is the run that the CPU makes; where the
 * device is lost, whenever that is, nothing wrong is stored, and the run goes on from there. */
static void a_device_makes_the_same_run(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dir[32], command[128];
        agon_config config;
        const agon_training_view nobody = {0};
        bool interrupted = false;
        make_config(&config, cases[i][0], cases[i][1]);
        snprintf(dir, sizeof dir, "device%zu", i);
        agon_training* t = create(&config, dir);
        for (int lost_at = 40; lost_at <= 640; lost_at *= 4) {
            agon_error error = {0};
            fake_reset();
            fake.plays = i != 1;
            atomic_store(&fake.forwards, lost_at);
            t->backend = fake_backend(true);
            if (agon_training_run(t, &nobody, &interrupted, &error) != AGON_OK) {
                assert_int_equal(error.code, AGON_EDEVICE);
                assert_non_null(strstr(error.text, "lost"));
                assert_false(agon_population_finished(&t->population));
            }
            agon_training_close(t);
            t = resume(dir);
        }
        watcher w = {.stop_at = -1};
        fake_reset();
        t->backend = fake_backend(true);
        assert_false(go(t, &w));
        assert_true(agon_population_finished(&t->population));
        agon_training_close(t);
        snprintf(command, sizeof command, "cmp whole%zu/metrics.jsonl %s/metrics.jsonl", i, dir);
        run_shell(command);
    }
}

/* Promise: metrics.jsonl is a function of config and seed: the same bytes when the run was stopped
 * after any generation, and when the file was lost. */
static void stopping_changes_nothing(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon_config config;
        make_config(&config, cases[i][0], cases[i][1]);
        for (int stop = 0; stop < 4; stop++) {
            char dir[32], command[256];
            watcher w = {.stop_at = stop};
            snprintf(dir, sizeof dir, "stop%zu%d", i, stop);
            agon_training* t = create(&config, dir);
            assert_true(go(t, &w));
            assert_false(agon_population_finished(&t->population));
            agon_training_close(t);
            snprintf(command, sizeof command, "rm -f %s/metrics.jsonl", dir);
            run_shell(command);
            t = resume(dir);
            w = (watcher){.stop_at = -1};
            assert_false(go(t, &w));
            assert_true(agon_population_finished(&t->population));
            agon_training_close(t);
            snprintf(command, sizeof command,
                     "cmp whole%zu/metrics.jsonl %s/metrics.jsonl && test $(wc -l < %s/"
                     "metrics.jsonl) = 3",
                     i, dir, dir);
            run_shell(command);
        }
    }
}

static agon_training* resume_and_go(const char* dir) {
    watcher w = {.stop_at = -1};
    agon_training* t = resume(dir);
    assert_false(go(t, &w));
    return t;
}

/* Promise: lines of metrics.jsonl that are as the rows say stay where they are; lines cut, torn,
 * changed, out of turn or of another version are made again. */
static void metrics_are_completed(void** state) {
    (void)state;
    static const char* const damage[] = {
        "true",
        "truncate -s -10 F",
        "truncate -s 700 F",
        "truncate -s 0 F",
        "sed -i '$d' F",
        "sed -i 2d F",
        "sed -i 's/\"agents\":3/\"agents\":4/' F",
        "sed -i '1s/\"agents\":3/\"agents\":4/' F",
        "sed -i '$s/\"agents\":3/\"agents\":4/' F",
        "sed -i '2s/}$//' F",
        "sed -i 1G F",
        "(cat F; head -1 F) >G && mv G F",
        "(cat F; echo '{\"generation\":99,}') >G && mv G F",
        "head -c 900 /dev/zero >F",
        "dd if=/dev/zero of=F bs=1 seek=900 count=9 conv=notrunc status=none",
    };
    agon_config config;
    make_config(&config, "matrix", "uniform");
    agon_training* t = create(&config, "told");
    watcher w = {.stop_at = -1};
    assert_false(go(t, &w));
    agon_training_close(t);
    run_shell("cp told/metrics.jsonl right.jsonl && touch -d 2001-01-01 told/metrics.jsonl");
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        char text[512] = "cd told && ";
        for (const char* at = damage[i]; *at; at++) {
            const size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, *at == 'F' ? "metrics.jsonl" : "%c", *at);
        }
        run_shell(text);
        agon_training_close(resume_and_go("told"));
        run_shell("cmp told/metrics.jsonl right.jsonl");
        if (i == 0)
            run_shell("test $(date -r told/metrics.jsonl +%Y) = 2001");
    }
}

/* Promise: pay-offs and snapshots of generations long past are those that were stored: a run whose
 * memory forgets them, and one that is resumed now and then, end alike. */
static void long_runs_are_the_same(void** state) {
    (void)state;
    for (int pfsp = 0; pfsp < 2; pfsp++) {
        agon_config config;
        watcher w = {.stop_at = -1};
        make_config(&config, "matrix", pfsp ? "pfsp" : "uniform");
        config.train.generations = pfsp ? 330 : 60; /* memory is full once */
        config.train.rollouts = config.metrics.bootstrap = 2;
        config.train.lanes = config.train.horizon = 2;
        config.league.opponents = 2;
        config.league.past = 0.5;
        config.metrics.every = 40;
        config.metrics.games = 4;
        agon_training* t = create(&config, "long");
        assert_false(go(t, &w));
        assert_int_equal(agon_record_count(t->population.record), t->tasks);
        assert_true(!pfsp || agon_record_held(t->population.record) < t->tasks);
        agon_training_close(t);
        t = create(&config, "often");
        for (int stop = 0; stop < config.train.generations; stop += 5 + stop) {
            w = (watcher){.stop_at = stop};
            assert_true(go(t, &w));
            agon_training_close(t);
            t = resume("often");
            assert_int_equal(t->trained, w.last_trained);
            assert_true(agon_record_held(t->population.record) < 60);
        }
        w = (watcher){.stop_at = -1};
        assert_false(go(t, &w));
        assert_true(agon_population_finished(&t->population));
        assert_int_equal(agon_record_count(t->population.record), t->tasks);
        agon_training_close(t);
        run_shell("cmp long/metrics.jsonl often/metrics.jsonl");
        run_shell("rm -r long often");
    }
}

/* Promise: a run made under other rules is refused, and so is a second run in one place. */
static void wrong_runs_are_refused(void** state) {
    (void)state;
    agon_config config;
    agon_training* t = NULL;
    agon_error error = {0};
    make_config(&config, "matrix", "uniform");
    snprintf(config.run.dir, sizeof config.run.dir, "whole0");
    assert_int_equal(agon_training_create(&config, "test", &t, &error), AGON_EINVALID);
    assert_int_equal(agon_training_resume("nowhere", NULL, &t, &error), AGON_EMISSING);
    agon_store* store;
    assert_int_equal(agon_store_create("foreign", &config, "test", 0xabc, &store, &error), 0);
    agon_store_close(store);
    assert_int_equal(agon_training_resume("foreign", NULL, &t, &error), AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "other rules"));
    strcpy(config.game.name, "no_such_game");
    assert_int_equal(agon_training_create(&config, "test", &t, &error), AGON_EUNKNOWN);
}

int main(void) {
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_complete),        cmocka_unit_test(a_device_makes_the_same_run),
        cmocka_unit_test(stopping_changes_nothing), cmocka_unit_test(metrics_are_completed),
        cmocka_unit_test(long_runs_are_the_same),   cmocka_unit_test(wrong_runs_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
