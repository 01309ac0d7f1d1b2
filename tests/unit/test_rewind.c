/* Promises of agon_store_rewind and of agon_training_run: results that rest on a wrong one are
 * taken back whole, what is left opens and can be gone on with, and the run ends with the bytes of
 * one in which nothing was ever wrong. */
#include "engine/training.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/no_sync.h"

/* ---- the store ---------------------------------------------------------------------------- */

enum { GENERATIONS = 5, AGENTS = 2 };

static void put_generation(fixture* f, int generation, int agents) {
    for (int a = 0; a < agents; a++)
        fill_train(f, a, generation, a, 64);
    agon_result_clear(&f->result[agents]);
    fill_match(f, agents, generation, 0, 1);
    assert_int_equal(put(f, agents + 1), AGON_OK);
}

/* Five generations of two agents, a closing evaluation, a probe of generation 3, its set. */
static void fill_run(fixture* f, int keep) {
    agon_bytes probes = make_blob("probe set", 32);
    run_shell("rm -rf run");
    make_run(f);
    assert_int_equal(agon_store_put_blob(f->store, &probes, NULL), AGON_OK);
    assert_int_equal(agon_store_set_meta(f->store, "probes", probes.hash, NULL), AGON_OK);
    for (int g = 0; g < GENERATIONS; g++) {
        put_generation(f, g, AGENTS);
        assert_int_equal(agon_store_prune_learners(f->store, keep, NULL), AGON_OK);
    }
    agon_result_clear(&f->result[0]);
    fill_match(f, 0, GENERATIONS - 1, 0, -1);
    strcpy(f->task[0].key, "final/0/0");
    strcpy(f->result[0].key, "final/0/0");
    f->task[0].as.match.final = 1;
    agon_result_clear(&f->result[1]);
    fill_probe(f, 1, probes.hash);
    assert_int_equal(put(f, 2), AGON_OK);
    free(probes.data);
}

static int rewind_to(fixture* f, int generation) {
    int actual = -1;
    assert_int_equal(agon_store_rewind(f->store, generation, &actual, &f->error), AGON_OK);
    return actual;
}

static void assert_opens(fixture* f, bool write) {
    close_run(f);
    if (open_run(f, write) != AGON_OK)
        fail_msg("%s", f->error.text);
}

/* Promise: all from a generation on goes, nothing before it, and the blobs go with their rows. */
static void later_results_go(void** state) {
    fixture* f = *state;
    fill_run(f, 100);
    assert_int_equal(blobs_on_disk(), 1 + GENERATIONS * AGENTS * 2);
    assert_int_equal(rewind_to(f, 3), 3);
    assert_string_equal(each(f, AGON_TRAIN).keys,
                        "train/0/0 train/0/1 train/1/0 train/1/1 train/2/0 train/2/1 ");
    assert_string_equal(each(f, AGON_MATCH).keys, "match/0/0/1 match/1/0/1 match/2/0/1 ");
    assert_string_equal(each(f, AGON_PROBE).keys, "");
    assert_int_equal(blobs_on_disk(), 1 + 3 * AGENTS * 2);
    assert_opens(f, true);
    assert_int_equal(rewind_to(f, 3), 3); /* again: nothing to do */
    assert_int_equal(each(f, AGON_TRAIN).count, 3 * AGENTS);
    put_generation(f, 3, AGENTS); /* another result would be welcome now, and so is the same */
    assert_opens(f, false);
    assert_int_equal(each(f, AGON_TRAIN).count, 4 * AGENTS);
}

/* Promise: it goes back to where every agent's learner still is, or to the beginning. */
static void learners_say_how_far(void** state) {
    static const struct {
        int keep, asked, actual;
    } cases[] = {{2, 5, 5}, {2, 4, 4}, {2, 3, 0}, {1, 5, 5}, {1, 4, 0},
                 {3, 3, 3}, {3, 2, 0}, {9, 1, 1}, {9, 0, 0}, {9, 99, 5}};
    fixture* f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill_run(f, cases[i].keep);
        assert_int_equal(rewind_to(f, cases[i].asked), cases[i].actual);
        assert_int_equal(each(f, AGON_TRAIN).count, AGENTS * cases[i].actual);
        if (cases[i].actual == 0)
            assert_int_equal(blobs_on_disk(), 1); /* the probe set is of the run */
        assert_opens(f, true);
        for (int g = cases[i].actual; g < GENERATIONS; g++)
            put_generation(f, g, AGENTS);
        assert_int_equal(agon_store_prune_learners(f->store, cases[i].keep, NULL), AGON_OK);
        assert_opens(f, true);
        close_run(f);
    }
}

/* Promise: a generation that lacks an agent, or one's learner, is none to go on from. */
static void half_a_generation_is_none(void** state) {
    fixture* f = *state;
    run_shell("rm -rf run");
    make_run(f);
    put_generation(f, 0, AGENTS);
    put_generation(f, 1, 1);
    assert_int_equal(rewind_to(f, 2), 1);
    assert_int_equal(each(f, AGON_TRAIN).count, AGENTS);
    close_run(f);
}

/* Promise: a blob that an earlier row names, too, stays. */
static void shared_blobs_stay(void** state) {
    fixture* f = *state;
    run_shell("rm -rf run");
    make_run(f);
    put_generation(f, 0, AGENTS);
    agon_result_clear(&f->result[AGENTS]);
    fill_train(f, 0, 1, 0, 64);
    f->result[0].as.train = (agon_train_result){0};
    agon_result_clear(&f->result[0]);
    agon_train_result* train = &f->result[0].as.train;
    agon_bytes old = make_blob("snapshot 0 0", 64), learner = make_blob("learner 0 0", 64);
    f->result[0].kind = AGON_TRAIN;
    strcpy(f->result[0].key, "train/1/0");
    strcpy(train->snapshot, old.hash);
    strcpy(train->learner, learner.hash);
    assert_int_equal(put(f, 1), AGON_OK);
    assert_int_equal(rewind_to(f, 1), 1);
    assert_int_equal(blobs_on_disk(), 2 * AGENTS);
    assert_opens(f, true);
    free(old.data);
    free(learner.data);
    close_run(f);
}

/* ---- a worker that lies ------------------------------------------------------------------- */

enum { TICKETS = 4096 };

/* Runs tasks as this process does, but spoils the result of one, and says so later. */
static struct liar {
    const char* key;       /* whose result it spoils; NULL: it is honest */
    int lies;              /* drives that it lies in yet */
    int delay;             /* results between the lie and its discovery */
    bool interrupt;        /* a signal comes with the discovery */
    agon_executor_def def; /* the driver's */
    int (*submit)(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size);
    uint8_t* task[TICKETS]; /* bytes by ticket; owned */
    size_t size[TICKETS];
    uint64_t lied; /* ticket; 0: not yet */
    int since;     /* results since then */
    bool caught, told;
} liar;

static void spoil_blob(agon_bytes* blob, char* name) {
    blob->data[blob->size - 4] ^= 1; /* the last bit of some weight */
    agon_sha256(blob->data, blob->size, blob->hash);
    strcpy(name, blob->hash);
}

static void spoil(agon_result* result) {
    if (result->kind == AGON_TRAIN) {
        agon_train_result* train = &result->as.train;
        for (int i = 0; i < result->blobs; i++)
            spoil_blob(&result->blob[i], strcmp(result->blob[i].hash, train->learner) == 0
                                             ? train->learner
                                             : train->snapshot);
    } else if (result->kind == AGON_MATCH) {
        result->as.match.tally[0].wins = result->as.match.tally[0].games;
        result->as.match.tally[0].draws = result->as.match.tally[0].losses = 0;
    } else {
        float* p = result->as.probe.probability;
        const float first = p[0];
        p[0] = p[1];
        p[1] = first;
    }
}

static bool is_to_lie(uint64_t ticket) {
    agon_task task;
    if (!liar.key || liar.lies <= 0 || liar.lied)
        return false;
    assert_int_equal(agon_task_decode(liar.task[ticket], liar.size[ticket], &task, NULL), 0);
    return strcmp(task.key, liar.key) == 0;
}

static void tell_lie(uint64_t ticket, const uint8_t* data, size_t size) {
    agon_result result;
    uint8_t* spoilt = NULL;
    size_t length = 0;
    assert_int_equal(agon_result_decode(data, size, &result, NULL), 0);
    spoil(&result);
    assert_int_equal(agon_result_encode(&result, &spoilt, &length, NULL), 0);
    agon_result_clear(&result);
    liar.lied = ticket;
    liar.lies--;
    liar.def.done(liar.def.user, ticket, 0, spoilt, length, NULL);
    free(spoilt);
}

static void catch (void) {
    agon_error why;
    agon_fail(&why, AGON_ECONFLICT, "two others say something else than worker liar");
    liar.caught = true;
    if (liar.interrupt)
        raise(SIGINT);
    liar.def.wrong(liar.def.user, liar.task[liar.lied], liar.size[liar.lied], &why);
}

static void task_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                      const agon_error* error) {
    (void)user;
    if (!status && is_to_lie(ticket))
        tell_lie(ticket, data, size);
    else
        liar.def.done(liar.def.user, ticket, status, data, size, error);
    if (liar.lied && !liar.caught && liar.since++ >= liar.delay)
        catch ();
}

static int submit(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size) {
    assert_true(ticket < TICKETS);
    liar.task[ticket] = malloc(size);
    liar.size[ticket] = size;
    memcpy(liar.task[ticket], data, size);
    return liar.submit(executor, ticket, data, size);
}

static int checks(const agon_executor* executor) {
    (void)executor;
    return liar.lied && !liar.caught;
}

/* What is known of workers, told once, when the lie is out. */
static char* workers(agon_executor* executor, bool last) {
    (void)executor;
    (void)last;
    if (!liar.caught || liar.told)
        return NULL;
    liar.told = true;
    return strdup("liar struck");
}

static void forget_tasks(void) {
    for (int i = 0; i < TICKETS; i++) {
        free(liar.task[i]);
        liar.task[i] = NULL;
    }
    liar.lied = 0;
    liar.since = 0;
    liar.caught = liar.told = false;
}

static int open_liar(const agon_executor_def* def, const void* maker, agon_executor* out,
                     agon_error* error) {
    agon_executor_def local = *def;
    forget_tasks();
    liar.def = *def;
    local.done = task_done;
    int rc = agon_executor_local(&local, maker, out, error);
    if (rc)
        return rc;
    liar.submit = out->submit;
    out->submit = submit;
    out->checks = checks;
    out->workers = workers;
    return AGON_OK;
}

/* ---- runs that go back -------------------------------------------------------------------- */

static char notes[4096];

static void on_note(void* user, const char* text) {
    (void)user;
    strncat(notes, text, sizeof notes - strlen(notes) - 2);
    strcat(notes, "\n");
}

static agon_training* make(const char* dir, const char* league, const char* keep) {
    static const char* const settings[][2] = {
        {"game.name", "matrix"},      {"population.size", "3"},   {"train.generations", "4"},
        {"train.rollouts", "2"},      {"train.lanes", "4"},       {"train.horizon", "4"},
        {"train.epochs", "1"},        {"train.minibatches", "1"}, {"net.hidden", "8"},
        {"metrics.every", "2"},       {"metrics.games", "8"},     {"metrics.anchor_games", "6"},
        {"metrics.final_games", "6"}, {"metrics.probes", "8"},    {"metrics.bootstrap", "4"},
        {"machine.threads", "2"}};
    agon_config c;
    agon_training* t = NULL;
    agon_error error = {0};
    agon_config_defaults(&c);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(agon_config_set(&c, settings[i][0], settings[i][1], "test", NULL), 0);
    assert_int_equal(agon_config_set(&c, "league.kind", league, "test", NULL), 0);
    assert_int_equal(agon_config_set(&c, "run.keep", keep, "test", NULL), 0);
    snprintf(c.run.dir, sizeof c.run.dir, "%s", dir);
    if (agon_training_create(&c, "test", &t, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return t;
}

static int go(agon_training* t, bool* interrupted, agon_error* error) {
    const agon_training_view view = {.note = on_note};
    notes[0] = '\0';
    t->open = open_liar;
    const int rc = agon_training_run(t, &view, interrupted, error);
    forget_tasks();
    return rc;
}

static void write_rows(agon_training* t, const char* dir) {
    static const char* const tables[] = {"train", "match", "probe"};
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s.csv", dir, tables[i]);
        FILE* out = fopen(path, "w");
        assert_int_equal(agon_store_write_csv(t->store, tables[i], out, NULL), AGON_OK);
        fclose(out);
    }
}

/* Rows, blobs and metrics; closes the run. */
static void assert_as_right(agon_training* t, const char* dir) {
    char command[256];
    assert_true(agon_population_finished(&t->population));
    assert_int_equal(agon_record_count(t->population.record), t->tasks);
    write_rows(t, dir);
    agon_training_close(t);
    snprintf(command, sizeof command,
             "for i in train.csv match.csv probe.csv metrics.jsonl blobs; do"
             " diff -r right/$i %s/$i || exit 1; done",
             dir);
    run_shell(command);
}

static agon_training* resume(const char* dir) {
    agon_training* t = NULL;
    agon_error error = {0};
    if (agon_training_resume(dir, NULL, &t, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return t;
}

static void make_right(const char* league, const char* keep) {
    bool interrupted;
    agon_error error = {0};
    run_shell("rm -rf right wrong");
    liar.key = NULL;
    agon_training* t = make("right", league, keep);
    assert_int_equal(go(t, &interrupted, &error), AGON_OK);
    write_rows(t, "right");
    agon_training_close(t);
}

static void set_liar(const char* key, int lies, int delay, bool interrupt) {
    liar.key = key;
    liar.lies = lies;
    liar.delay = delay;
    liar.interrupt = interrupt;
}

/* Promise: whatever result was wrong, and however late it is known, the bytes at the end are those
 * of a run in which it never was; and who lied is on disk when the run goes on. */
static void the_end_is_the_same(void** state) {
    static const char* const leagues[] = {"uniform", "pfsp"};
    static const struct {
        const char* key;
        int delay;
    } lies[] = {{"train/0/1", 9},    {"train/2/0", 0}, {"match/2/0/1", 0}, {"probe/2/1", 7},
                {"anchor/4/0/0", 0}, {"final/1/0", 0}, {"train/4/2", 5}};
    static const char* const keeps[] = {"2", "8"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        make_right(leagues[i], keeps[i]);
        for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
            bool interrupted;
            agon_error error = {0};
            run_shell("rm -rf wrong");
            agon_training* t = make("wrong", leagues[i], keeps[i]);
            set_liar(lies[k].key, 1, lies[k].delay, false);
            if (go(t, &interrupted, &error) != AGON_OK)
                fail_msg("%s: %s", lies[k].key, error.text);
            assert_int_equal(liar.lies, 0);
            assert_non_null(strstr(notes, "worker liar"));
            run_shell("grep -q 'liar struck' wrong/workers.json");
            assert_as_right(t, "wrong");
        }
    }
}

/* Promise: a run that is stopped just then has gone back, too; whoever resumes it trusts nothing
 * that is wrong. */
static void a_stopped_run_has_gone_back(void** state) {
    bool interrupted = false;
    agon_error error = {0};
    (void)state;
    make_right("uniform", "8");
    agon_training* t = NULL;
    for (int tries = 0; !interrupted && tries < 20; tries++) { /* the loop may end before it sees */
        agon_training_close(t);
        run_shell("rm -rf wrong");
        t = make("wrong", "uniform", "8");
        set_liar("train/1/1", 1, 9, true);
        assert_int_equal(go(t, &interrupted, &error), AGON_OK);
    }
    assert_true(interrupted);
    assert_false(agon_population_finished(&t->population));
    assert_null(agon_record_train(t->population.record, 1, 1));
    agon_training_close(t);
    t = resume("wrong");
    assert_null(agon_record_train(t->population.record, 1, 1));
    assert_int_equal(go(t, &interrupted, &error), AGON_OK);
    assert_as_right(t, "wrong");
}

/* Promise: where lies do not end, the run does, and says why; it can be gone on with. */
static void it_does_not_go_back_for_ever(void** state) {
    bool interrupted = false;
    agon_error error = {0};
    (void)state;
    make_right("uniform", "8");
    agon_training* t = make("wrong", "uniform", "8");
    set_liar("train/2/1", 100, 3, false);
    assert_int_equal(go(t, &interrupted, &error), AGON_ECONFLICT);
    assert_int_equal(liar.lies, 100 - AGON_TRAINING_REWINDS);
    assert_non_null(strstr(error.text, "8 times"));
    assert_non_null(strstr(error.text, "worker liar"));
    assert_non_null(strstr(error.hint, "agon workers"));
    agon_training_close(t);
    t = resume("wrong");
    liar.key = NULL;
    assert_int_equal(go(t, &interrupted, &error), AGON_OK);
    assert_as_right(t, "wrong");
}

int main(void) {
    setenv("UV_THREADPOOL_SIZE", "4", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(later_results_go, setup, teardown),
        cmocka_unit_test_setup_teardown(learners_say_how_far, setup, teardown),
        cmocka_unit_test_setup_teardown(half_a_generation_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(shared_blobs_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_is_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_run_has_gone_back, setup, teardown),
        cmocka_unit_test_setup_teardown(it_does_not_go_back_for_ever, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
