/* The driver: everything handed out is committed once, failures keep what was committed, signals
 * stop it in two steps, a full disk pauses it. */
#include <limits.h>
#include "engine/drive.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/task_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* ---- a disk that can be full -------------------------------------------------------------- */

static atomic_int full;                /* this many syncs fail for lack of room */
static atomic_int failed;              /* so many did */
static atomic_int interrupts;          /* signals to send from within the second failing sync */
static atomic_int inside, most_inside; /* failing syncs at the same time */
static atomic_int misnamed;            /* syncs on threads that are not called agon-store */

static void send_interrupts(void) {
    const struct timespec pause = {.tv_nsec = 30000000};
    for (; atomic_load(&interrupts) > 0; atomic_fetch_sub(&interrupts, 1)) {
        kill(getpid(), SIGINT);
        nanosleep(&pause, NULL); /* the loop sees it while this job is still under way */
    }
}

/* Every fsync of this program comes through here. */
int fsync(int file) {
    char name[16];
    pthread_getname_np(pthread_self(), name, sizeof name);
    atomic_fetch_add(&misnamed, strcmp(name, "agon-store") != 0);
    if (atomic_load(&full) <= 0)
        return (int)syscall(SYS_fsync, file);
    atomic_fetch_sub(&full, 1);
    const int now = atomic_fetch_add(&inside, 1) + 1;
    if (now > atomic_load(&most_inside))
        atomic_store(&most_inside, now);
    if (atomic_fetch_add(&failed, 1) > 0)
        send_interrupts();
    atomic_fetch_sub(&inside, 1);
    errno = ENOSPC;
    return -1;
}

/* ---- a client with a list of tasks -------------------------------------------------------- */

enum { MAX_TASKS = 40 };

typedef struct client {
    fixture* f;
    agon_rules* rules;
    agon_task task[MAX_TASKS];
    int tasks, planned, wave; /* tasks per call of plan, when all before are committed */
    int committed, ticks;
    int before;           /* committed when this drive began */
    int times[MAX_TASKS]; /* each was committed */
    int signals_at;       /* raise a signal at this commit; 0: never */
    int signals;          /* that many */
    int fail_at;
    char notes[2048];
    double phase[AGON_PHASES], seconds; /* at the last tick */
} client;

static int plan(void* user, int (*emit)(void* emit_user, const agon_task* task), void* emit_user) {
    client* c = user;
    if (c->committed < c->planned)
        return 0;
    for (int i = 0; i < c->wave && c->planned < c->tasks; i++)
        assert_int_equal(emit(emit_user, &c->task[c->planned++]), 0);
    return 0;
}

static int committed(void* user, agon_drive* drive, const agon_task* task,
                     const agon_result* result, agon_error* error) {
    client* c = user;
    assert_string_equal(task->key, result->key);
    for (int i = 0; i < c->tasks; i++)
        c->times[i] += strcmp(c->task[i].key, task->key) == 0;
    c->committed++;
    assert_int_equal(agon_drive_append(drive, "timing.jsonl", task->key), AGON_OK);
    for (int i = 0; c->committed == c->signals_at && i < c->signals; i++)
        raise(SIGINT);
    if (c->committed == c->fail_at)
        return agon_fail(error, AGON_ELIMIT, "the client has had enough");
    return AGON_OK;
}

static void tick(void* user, agon_drive* drive) {
    client* c = user;
    const agon_drive_state state = agon_drive_now(drive);
    assert_true(state.seconds > 0 && state.tasks_done == c->committed - c->before);
    memcpy(c->phase, state.phase, sizeof c->phase);
    c->seconds = state.seconds;
    c->ticks++;
}

static void note(void* user, const char* text) {
    client* c = user;
    strncat(c->notes, text, sizeof c->notes - strlen(c->notes) - 2);
}

static agon_task* add(client* c, agon_task_kind kind, const char* key) {
    assert_true(c->tasks < MAX_TASKS);
    agon_task* t = &c->task[c->tasks++];
    *t = make_task(kind, c->rules, key);
    return t;
}

static void add_matches(client* c, int count) {
    for (int i = 0; i < count; i++) {
        char key[AGON_KEY_SIZE];
        snprintf(key, sizeof key, "match/0/%d/%d", c->tasks, c->tasks + 1);
        agon_match_task* m = &add(c, AGON_MATCH, key)->as.match;
        m->row = c->tasks - 1;
        m->games = 20;
        strcpy(m->row_ref, "random");
        strcpy(m->col_ref, "random");
    }
}

/* A learner is born, or trains for `rollouts`. */
static void add_train(client* c, int agent, int rollouts) {
    char key[AGON_KEY_SIZE];
    snprintf(key, sizeof key, "train/0/%d", agent);
    agon_train_task* t = &add(c, AGON_TRAIN, key)->as.train;
    const agon_net net = make_net(c->rules, 8);
    agon_net_format(&net, t->net, sizeof t->net);
    t->agent = agent;
    t->own_seats = agon_rules_seats(c->rules);
    t->lanes = t->horizon = t->ppo.epochs = t->ppo.minibatches = 1;
    t->ppo.discount = 1;
    t->ppo.step.epsilon = 1e-8f;
    t->rollouts = rollouts;
}

static void open_client(client* c, void** state) {
    memset(c, 0, sizeof *c);
    c->f = *state;
    c->rules = open_rules("matrix");
    c->wave = MAX_TASKS;
    make_run(c->f);
    atomic_store(&full, 0);
    atomic_store(&failed, 0);
    atomic_store(&interrupts, 0);
}

static void close_client(client* c) {
    agon_rules_close(c->rules);
    close_run(c->f);
}

static int drive(client* c, int slots, bool* interrupted, agon_error* error) {
    const agon_drive_def def = {
        .store = c->f->store,
        .backend = agon_cpu_backend(),
        .slots = slots,
        .keep = 2,
        .client = {c, plan, committed, tick, note},
    };
    memset(error, 0, sizeof *error);
    c->before = c->committed;
    int wrong_from;
    const int rc = agon_drive_run(&def, interrupted, &wrong_from, error);
    assert_int_equal(wrong_from, INT_MAX);
    return rc;
}

static int stored(fixture* f) {
    return each(f, AGON_TRAIN).count + each(f, AGON_MATCH).count;
}

static int lines_of(const char* path) {
    int lines = 0;
    FILE* file = fopen(path, "r");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* ---- promises ----------------------------------------------------------------------------- */

/* Promise: every task is run and committed once, with its blobs and the lines it led to, in as many
 * waves as the planner likes and on any number of slots. */
static void everything_is_committed_once(void** state) {
    client c;
    bool interrupted = true;
    agon_error error;
    open_client(&c, state);
    add_train(&c, 0, 0);
    add_train(&c, 1, 2);
    add_matches(&c, 30);
    c.wave = 9;
    assert_int_equal(drive(&c, 3, &interrupted, &error), AGON_OK);
    assert_false(interrupted);
    assert_int_equal(c.committed, 32);
    for (int i = 0; i < c.tasks; i++)
        assert_int_equal(c.times[i], 1);
    assert_int_equal(stored(c.f), 32);
    assert_int_equal(blobs_on_disk(), 4);
    assert_int_equal(lines_of("run/timing.jsonl"), 32);
    /* Nothing to do is nothing done. */
    assert_int_equal(drive(&c, 3, &interrupted, &error), AGON_OK);
    assert_int_equal(c.committed, 32);
    close_client(&c);
}

/* Promise: what tasks do is not more than their slots have time for, idle is what all work leaves
 * of it, and every kind of task counts as its own; store jobs have a thread name. */
static void phases_add_up(void** state) {
    client c;
    bool interrupted = true;
    agon_error error;
    open_client(&c, state);
    add_train(&c, 0, 20);
    add_train(&c, 1, 20);
    add_matches(&c, 30);
    atomic_store(&misnamed, 0);
    assert_int_equal(drive(&c, 2, &interrupted, &error), AGON_OK);
    assert_int_equal(atomic_load(&misnamed), 0);
    double sum = 0;
    for (int i = 0; i < AGON_PHASES; i++) {
        const bool works =
            i != AGON_PHASE_IDLE && i != AGON_PHASE_SCRIPTED && i != AGON_PHASE_METRICS;
        assert_true(works ? c.phase[i] > 0 : c.phase[i] >= 0);
        sum += c.phase[i];
    }
    const double beside = c.phase[AGON_PHASE_STORE] + c.phase[AGON_PHASE_OTHER];
    assert_true(sum - beside - c.phase[AGON_PHASE_IDLE] <= 2 * c.seconds);
    assert_true(sum >= 2 * c.seconds * (1 - 1e-9));
    /* The executor was there a moment earlier. */
    assert_true(c.phase[AGON_PHASE_IDLE] == 0 || sum <= 2 * (c.seconds + 1e-2));
    close_client(&c);
}

/* Promise: a task that fails stops the run with its error; what ended before it is committed, and
 * nothing new begins. */
static void a_failing_task_stops_the_run(void** state) {
    for (int slots = 1; slots <= 3; slots++) {
        client c;
        bool interrupted = true;
        agon_error error;
        setup(state);
        open_client(&c, state);
        add_matches(&c, 20);
        c.task[6].fingerprint++;
        assert_int_equal(drive(&c, slots, &interrupted, &error), AGON_EUNSUPPORTED);
        assert_non_null(strstr(error.text, "match/0/6/7"));
        assert_non_null(strstr(error.hint, "same version"));
        assert_false(interrupted);
        assert_true(slots > 1 || c.committed == 6);
        assert_int_equal(c.times[6], 0);
        assert_int_equal(stored(c.f), c.committed);
        close_client(&c);
        teardown(state);
    }
}

/* Promise: the client's own failure, and a result that contradicts a stored one, stop it too. */
static void other_failures_stop_the_run(void** state) {
    client c;
    bool interrupted;
    agon_error error;
    open_client(&c, state);
    add_matches(&c, 12);
    c.wave = 1;
    c.fail_at = 4;
    assert_int_equal(drive(&c, 1, &interrupted, &error), AGON_ELIMIT);
    assert_string_equal(error.text, "the client has had enough");
    assert_int_equal(c.committed, 4);
    assert_int_equal(stored(c.f), c.committed);
    /* The next of the tasks already has a result, which says something else. */
    fill_match(c.f, 0, 0, c.committed, 0);
    c.f->task[0] = c.task[c.committed];
    strcpy(c.f->result[0].key, c.f->task[0].key);
    assert_int_equal(put(c.f, 1), AGON_OK);
    c.fail_at = 0;
    c.planned = c.committed;
    assert_int_equal(drive(&c, 1, &interrupted, &error), AGON_ECONFLICT);
    assert_non_null(strstr(error.text, c.f->task[0].key));
    close_client(&c);
}

/* Promise: one signal lets the tasks in flight finish and be committed, and no other begin; the
 * next run does the rest. */
static void one_signal_finishes_what_runs(void** state) {
    client c;
    bool interrupted = false;
    agon_error error;
    open_client(&c, state);
    add_matches(&c, 30);
    c.wave = 2;
    c.signals_at = 3;
    c.signals = 1;
    assert_int_equal(drive(&c, 2, &interrupted, &error), AGON_OK);
    assert_true(interrupted);
    assert_in_range(c.committed, 3, 8);
    assert_int_equal(stored(c.f), c.committed);
    assert_int_equal(lines_of("run/timing.jsonl"), c.committed);
    assert_non_null(strstr(c.notes, "again to drop them"));
    c.planned = c.committed;
    for (int i = c.committed; i < c.tasks; i++)
        assert_int_equal(c.times[i], 0);
    assert_int_equal(drive(&c, 2, &interrupted, &error), AGON_OK);
    assert_false(interrupted);
    assert_int_equal(stored(c.f), 30);
    close_client(&c);
}

/* Promise: a second signal drops even a task that would run for minutes; the rest is kept. */
static void two_signals_drop_what_runs(void** state) {
    client c;
    bool interrupted = false;
    agon_error error;
    open_client(&c, state);
    add_train(&c, 0, 100000);
    c.task[0].as.train.lanes = 256;
    c.task[0].as.train.horizon = 64;
    add_matches(&c, 10);
    c.signals_at = 3;
    c.signals = 2;
    const uint64_t begun = uv_hrtime();
    assert_int_equal(drive(&c, 2, &interrupted, &error), AGON_OK);
    assert_true(interrupted);
    assert_true(uv_hrtime() - begun < 20e9);
    assert_int_equal(c.times[0], 0);
    assert_true(c.committed >= 3);
    assert_int_equal(stored(c.f), c.committed);
    close_client(&c);
}

/* Promise: a full disk pauses the run, says so once, and loses nothing. */
static void a_full_disk_pauses(void** state) {
    client c;
    bool interrupted = true;
    agon_error error;
    open_client(&c, state);
    for (int i = 0; i < 4; i++)
        add_train(&c, i, 0);
    add_matches(&c, 10);
    atomic_store(&full, 1);
    assert_int_equal(drive(&c, 1, &interrupted, &error), AGON_OK);
    assert_false(interrupted);
    assert_int_equal(stored(c.f), 14);
    assert_int_equal(c.committed, 14);
    assert_true(c.ticks > 0);
    const char* paused = strstr(c.notes, "paused");
    assert_non_null(paused);
    assert_null(strstr(paused + 1, "paused"));
    assert_non_null(strstr(paused, "going on"));
    close_client(&c);
}

/* Promise: two signals end a pause, also when they come while the disk is being tried again; the
 * error is the disk's. */
static void signals_end_a_pause(void** state) {
    client c;
    bool interrupted = false;
    agon_error error;
    open_client(&c, state);
    add_train(&c, 0, 0);
    add_matches(&c, 4);
    atomic_store(&interrupts, 2);
    atomic_store(&full, 1000);
    assert_int_equal(drive(&c, 1, &interrupted, &error), AGON_ENOSPACE);
    assert_true(interrupted);
    assert_int_equal(atomic_load(&failed), 2);
    assert_int_equal(atomic_load(&most_inside), 1); /* one store job at a time */
    atomic_store(&full, 0);
    assert_int_equal(stored(c.f), c.committed);
    assert_int_equal(c.times[0], 0);
    close_client(&c);
}

int main(void) {
    setenv("UV_THREADPOOL_SIZE", "6", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_committed_once, setup, teardown),
        cmocka_unit_test_setup_teardown(phases_add_up, setup, teardown),
        cmocka_unit_test(a_failing_task_stops_the_run),
        cmocka_unit_test_setup_teardown(other_failures_stop_the_run, setup, teardown),
        cmocka_unit_test_setup_teardown(one_signal_finishes_what_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(two_signals_drop_what_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_end_a_pause, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
