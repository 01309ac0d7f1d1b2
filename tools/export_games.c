/* agon export --games: games between the agents of a run, as arrays. */
#include "tools/export.h"

#include "agents/backend_cpu.h"
#include "engine/evidence_run.h"
#include "engine/game_log.h"
#include "engine/npz.h"
#include "engine/training.h"
#include "tools/agent.h"

#include <stdlib.h>
#include <string.h>

typedef struct job {
    agon_training* training;
    agon_agents agents;
    agon_player* player; /* (agents) */
    uint64_t* seats;     /* (agents), or NULL */
    int generation;
    agon_game_log log;
    agon_error* error;
} job;

/* All agents of the generation, and the seats that each may hold. */
static int open_players(job* j, const char* run) {
    const agon_population* p = &j->training->population;
    char text[4200];
    if (j->generation < 0)
        j->generation = agon_run_trained(j->training);
    if (j->generation < 0)
        return agon_fail(j->error, AGON_EMISSING, "%s has no trained generation yet", run);
    snprintf(text, sizeof text, "%.4000s:%d", run, j->generation);
    int rc = agon_agents_add(&j->agents, text, j->training->rules, j->error);
    if (rc)
        return rc;
    j->player = calloc((size_t)j->agents.count, sizeof *j->player);
    j->seats = calloc((size_t)j->agents.count, sizeof *j->seats);
    if (!j->player || !j->seats)
        return agon_fail(j->error, AGON_EMEMORY, "no memory for %d agents", j->agents.count);
    for (int i = 0; i < j->agents.count; i++) {
        j->player[i].policy = &j->agents.agent[i].policy;
        j->seats[i] = agon_population_seats(p, i);
    }
    return AGON_OK;
}

/* Games of their own, not those that were counted in a match: their key says so. */
static int play(job* j, int count) {
    const agon_training* t = j->training;
    char key[64];
    snprintf(key, sizeof key, "export/%d", j->generation);
    const agon_game_log_def def = {
        .rules = t->rules,
        .backend = agon_cpu_backend(),
        .players = j->agents.count,
        .player = j->player,
        .seats = agon_population_roles(&t->population) > 1 ? j->seats : NULL,
        .games = count,
        .seed = t->config.train.seed,
        .key = key,
        .temperature = 1,
    };
    return agon_game_log_play(&def, &j->log, j->error);
}

static int write_arrays(const job* j, agon_npz* npz) {
    const agon_game_log* l = &j->log;
    const agon_spec* s = &j->training->rules->spec;
    const size_t steps = l->steps, games = (size_t)l->games;
    const float scale = s->obs_type == AGON_U8 ? s->obs_scale : 1;
    const struct {
        const char* name;
        agon_npy_type type;
        int rank;
        size_t shape[4];
        const void* data;
    } arrays[] = {
        {"observations",
         s->obs_type == AGON_U8 ? AGON_NPY_U8 : AGON_NPY_F32,
         4,
         {steps, (size_t)s->planes, (size_t)s->rows, (size_t)s->cols},
         l->obs},
        {"observation_scale", AGON_NPY_F32, 0, {0}, &scale},
        {"legal", AGON_NPY_BOOL, 2, {steps, (size_t)s->actions}, l->legal},
        {"action", AGON_NPY_U16, 1, {steps}, l->action},
        {"seat", AGON_NPY_U8, 1, {steps}, l->seat},
        {"agent", AGON_NPY_I32, 1, {steps}, l->agent},
        {"episode", AGON_NPY_I32, 1, {steps}, l->episode},
        {"ply", AGON_NPY_I32, 1, {steps}, l->ply},
        {"returns", AGON_NPY_F32, 2, {games, (size_t)l->seats}, l->returns},
        {"agents", AGON_NPY_I32, 2, {games, (size_t)l->seats}, l->agents},
        {"length", AGON_NPY_I32, 1, {games}, l->length},
    };
    int rc = AGON_OK;
    for (size_t i = 0; !rc && i < sizeof arrays / sizeof *arrays; i++)
        rc = agon_npz_add(npz, arrays[i].name, arrays[i].type, arrays[i].rank, arrays[i].shape,
                          arrays[i].data, j->error);
    return rc ? rc : agon_npz_finish(npz, j->error);
}

static int save(const job* j, const char* file) {
    agon_npz* npz = NULL;
    int rc = agon_npz_open(file, &npz, j->error);
    if (!rc)
        rc = write_arrays(j, npz);
    agon_npz_close(npz);
    return rc;
}

int agon_export_games(const char* run, const char* file, int generation, int count, bool quiet,
                      agon_error* error) {
    job j = {.generation = generation, .error = error};
    int rc = agon_training_read(run, &j.training, error);
    if (rc)
        return rc;
    rc = open_players(&j, run);
    if (!rc)
        rc = play(&j, count);
    if (!rc)
        rc = save(&j, file);
    if (!rc && !quiet)
        printf("%s  %d games, %zu decisions of %d agents at generation %d\n", file, count,
               j.log.steps, j.agents.count, j.generation);
    agon_game_log_clear(&j.log);
    free(j.player);
    free(j.seats);
    agon_agents_close(&j.agents);
    agon_training_close(j.training);
    return rc;
}
