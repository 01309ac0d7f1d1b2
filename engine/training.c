#include "engine/training.h"

#include "engine/device.h"
#include "engine/files.h"
#include "engine/training_game.h"
#include "engine/training_probes.h"
#include "engine/training_resume.h"
#include "engine/training_rewind.h"
#include "engine/training_timing.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* ---- opening ------------------------------------------------------------------------------ */

void agon_training_close(agon_training* t) {
    if (!t)
        return;
    agon_population_close(&t->population);
    agon_probes_close(&t->probes);
    agon_store_close(t->store);
    agon_rules_close(t->rules);
    free(t);
}

static agon_training* new_training(const agon_config* config) {
    agon_training* t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->config = *config;
    t->trained = t->measured = -1;
    return t;
}

/* "runs/GAME-seed1": letters, digits, dots and dashes of the game string. */
static void default_dir(agon_config* c, const agon_rules* rules) {
    size_t used = (size_t)snprintf(c->run.dir, sizeof c->run.dir, "runs/");
    for (const char* s = rules->name; *s && used + 40 < sizeof c->run.dir; s++) {
        bool plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_' ||
                     *s == '.' || *s == '=';
        if (plain || *s != ')')
            c->run.dir[used++] = plain ? *s : '-';
    }
    snprintf(c->run.dir + used, sizeof c->run.dir - used, "-seed%llu",
             (unsigned long long)c->train.seed);
}

int agon_training_create(const agon_config* config, const char* version, agon_training** out,
                         agon_error* error) {
    agon_training* t = new_training(config);
    if (!t)
        return agon_fail(error, AGON_EMEMORY, "no memory for a run");
    int rc = agon__training_open_game(t, error);
    if (!rc) {
        snprintf(t->config.game.name, sizeof t->config.game.name, "%s", t->rules->name);
        if (!t->config.run.dir[0])
            default_dir(&t->config, t->rules);
        rc = agon_population_open(&t->config, t->rules, &t->population, error);
    }
    if (!rc)
        rc = agon__training_pin_probes(t, error);
    if (!rc)
        rc = agon_device_resolve(&t->config, &t->backend, t->notice, sizeof t->notice, error);
    if (!rc)
        rc = agon_store_create(t->config.run.dir, &t->config, version, t->population.fingerprint,
                               &t->store, error);
    if (!rc)
        rc = agon__training_keep_game(t, error);
    if (!rc)
        rc = agon__training_settle_probes(t, true, error);
    if (!rc)
        rc = agon__training_remember(t, error);
    if (rc)
        agon_training_close(t);
    else
        *out = t;
    return rc;
}

/* [run] and [machine] settings of now; a plug-in stays where it was unless told otherwise. */
static void use_machine(agon_config* c, const agon_config* machine) {
    char plugin[sizeof c->machine.plugin];
    memcpy(plugin, c->machine.plugin, sizeof plugin);
    c->run.keep = machine->run.keep;
    c->machine = machine->machine;
    if (!c->machine.plugin[0])
        memcpy(c->machine.plugin, plugin, sizeof plugin);
}

static int open_game_again(agon_training* t, const char* dir, agon_error* error) {
    const int rc = agon__training_open_game(t, error);
    if (rc == AGON_EMISSING && t->config.machine.plugin[0])
        agon_hint(error, "was it moved? agon train --resume %.150s machine.plugin=PATH", dir);
    return rc;
}

/* The device of a run that is to go on. On a GPU the game is opened here already: a plug-in is
 * tried in a child process, which is made before a driver has threads. What is wrong with the
 * configuration itself is for the store to say. */
static int open_device_again(agon_training* t, const char* dir, const agon_config* machine,
                             agon_error* error) {
    char path[AGON_PATH_SIZE];
    t->backend = agon_cpu_backend();
    snprintf(path, sizeof path, "%s/config.ini", dir);
    if (agon_config_read_file(&t->config, path, NULL) != AGON_OK ||
        t->config.train.device == AGON_DEVICE_CPU)
        return AGON_OK;
    if (machine)
        use_machine(&t->config, machine);
    const int rc = open_game_again(t, dir, error);
    return rc ? rc : agon_device_again(&t->config, dir, &t->backend, error);
}

static int open_existing(const char* dir, bool write, const agon_config* machine,
                         agon_training** out, agon_error* error) {
    agon_config stored;
    agon_config_defaults(&stored);
    agon_training* t = new_training(&stored);
    if (!t)
        return agon_fail(error, AGON_EMEMORY, "no memory for a run");
    int rc = write ? open_device_again(t, dir, machine, error) : AGON_OK;
    if (!rc)
        rc = agon_store_open(dir, write, &t->store, &stored, error);
    if (!rc)
        t->config = stored;
    if (!rc && machine)
        use_machine(&t->config, machine);
    if (!rc && !t->rules)
        rc = open_game_again(t, dir, error);
    snprintf(t->config.run.dir, sizeof t->config.run.dir, "%s", dir);
    if (!rc)
        rc = agon_population_open(&t->config, t->rules, &t->population, error);
    if (!rc)
        rc = agon__training_check_game(t, error);
    if (!rc && write && strcmp(stored.machine.plugin, t->config.machine.plugin) != 0)
        rc = agon__training_move_plugin(t, &stored, error);
    if (!rc)
        rc = agon__training_settle_probes(t, write, error);
    if (!rc)
        rc = agon__training_remember(t, error);
    if (rc)
        agon_training_close(t);
    else
        *out = t;
    return rc;
}

int agon_training_resume(const char* dir, const agon_config* machine, agon_training** out,
                         agon_error* error) {
    return open_existing(dir, true, machine, out, error);
}

int agon_training_read(const char* dir, agon_training** out, agon_error* error) {
    return open_existing(dir, false, NULL, out, error);
}

/* ---- running ------------------------------------------------------------------------------ */

static int plan(void* user, int (*emit)(void* emit_user, const agon_task* task), void* emit_user) {
    agon_training* t = user;
    return agon_population_plan(&t->population, emit, emit_user);
}

/* Reports measured generations in order, and writes them through the driver. */
static int report_measured(agon_training* t, agon_drive* drive, agon_error* error) {
    for (int g = agon__training_next_measured(t); g <= t->config.train.generations;
         g = agon__training_next_measured(t)) {
        agon_measurement m;
        char* line = NULL;
        if (!agon_population_measured(&t->population, g) ||
            !agon_population_trained(&t->population, g))
            return AGON_OK;
        const agon_phase before = agon_profile_enter(agon_drive_profile(drive), AGON_PHASE_METRICS);
        int rc = agon__training_line(t, g, &line, &m, error);
        agon_profile_enter(agon_drive_profile(drive), before);
        if (rc)
            return rc;
        rc = agon_drive_append(drive, "metrics.jsonl", line);
        free(line);
        t->measured = g;
        if (t->view.measured)
            t->view.measured(t->view.user, t, &m);
        agon_measurement_clear(&m);
        if (rc)
            return agon_fail(error, rc, "no memory for the metrics of generation %d", g);
    }
    return AGON_OK;
}

static int committed(void* user, agon_drive* drive, const agon_task* task,
                     const agon_result* result, agon_error* error) {
    agon_training* t = user;
    int rc = agon_record_add(t->population.record, result);
    if (rc)
        return agon_fail(error, rc, "no memory for the result of %s", task->key);
    if (task->kind == AGON_TRAIN) {
        t->steps += result->as.train.steps;
        t->other_steps += result->as.train.extra_steps + result->as.train.other_steps;
        if (task->as.train.generation > t->trained &&
            agon_population_trained(&t->population, task->as.train.generation)) {
            t->trained = task->as.train.generation;
            if (agon__training_append_timing(t, drive))
                return agon_fail(error, AGON_EMEMORY, "no memory for a line of timing.jsonl");
            if (t->view.trained)
                t->view.trained(t->view.user, t, t->trained);
        }
    }
    rc = report_measured(t, drive, error);
    if (!rc && t->view.enough && t->view.enough(t->view.user, t))
        agon_drive_stop(drive);
    return rc;
}

static void tick(void* user, agon_drive* drive) {
    agon_training* t = user;
    agon_drive_state state = agon_drive_now(drive);
    t->seconds = state.seconds;
    memcpy(t->phase, state.phase, sizeof t->phase);
    if (t->view.tick)
        t->view.tick(t->view.user, t, &state);
}

static void note(void* user, const char* text) {
    agon_training* t = user;
    if (t->view.note)
        t->view.note(t->view.user, text);
}

/* Drives from what is stored to the end, or to where it stops; counts begin there. */
static int drive(agon_training* t, bool* interrupted, int* wrong_from, agon_error* error) {
    const agon_drive_def def = {
        .store = t->store,
        .backend = t->backend,
        .slots = t->slots,
        .keep = t->config.run.keep,
        .open = t->open,
        .maker = t->maker,
        .client = {t, plan, committed, tick, note},
    };
    *wrong_from = INT_MAX;
    t->tasks_before = agon_record_count(t->population.record);
    t->trained_before = t->trained;
    t->steps = t->other_steps = 0;
    t->begun = uv_hrtime();
    int rc = agon__training_settle_metrics(t, error);
    if (rc)
        return rc;
    rc = agon_drive_run(&def, interrupted, wrong_from, error);
    if (rc && *wrong_from == INT_MAX)
        agon_record_failure(t->population.record, error); /* if there was one, it is the cause */
    t->seconds = (double)(uv_hrtime() - t->begun) * 1e-9;
    return rc;
}

/* After a drive that found a committed result wrong: the run goes back, whatever happens next. */
static int go_back(agon_training* t, int wrong_from, bool interrupted, int times, int rc,
                   agon_error* error) {
    agon_error why = *error;
    int from = 0;
    const int failed = agon__training_rewind(t, wrong_from, &why, &from, error);
    if (failed)
        return failed;
    if (rc != AGON_ECONFLICT)
        return rc;
    if (interrupted || times < AGON_TRAINING_REWINDS)
        return AGON_OK;
    agon_fail(error, AGON_ECONFLICT,
              "results proved wrong %d times; they are taken back from generation %d on, and "
              "nothing more is tried: %.300s",
              times, from, why.text);
    return agon_hint(error, "workers whose results cannot be believed should be looked at first: "
                            "agon workers");
}

int agon_training_run(agon_training* t, const agon_training_view* view, bool* interrupted,
                      agon_error* error) {
    agon_error problem = {0};
    int rc, wrong_from = INT_MAX;
    t->view = *view;
    t->slots = t->config.machine.threads ? t->config.machine.threads : agon_cores();
    t->tasks = agon_population_tasks(&t->population);
    *interrupted = false;
    for (int times = 1;; times++) {
        rc = drive(t, interrupted, &wrong_from, &problem);
        if (wrong_from == INT_MAX)
            break;
        rc = go_back(t, wrong_from, *interrupted, times, rc, &problem);
        if (rc || *interrupted)
            break;
        memset(&problem, 0, sizeof problem);
    }
    if (rc && error)
        *error = problem;
    return rc;
}
