/* gather_tables.c: games at one table, with everyone's return. */
#include "engine/game_log.h"
#include "engine/gather.h"

#include <stdlib.h>
#include <string.h>

/* Everyone made playable; the first `*opened` are to be closed. */
static int open_actors(const agon_gather* g, agon_context* context, agon_actor* actor,
                       agon_player* player, int* opened, agon_error* error) {
    int rc = AGON_OK;
    for (*opened = 0; !rc && *opened < g->agents; (*opened)++) {
        const int i = *opened;
        rc = agon__actor_open(g->ref[i], g->rules, context, false, &actor[i], error);
        if (rc)
            break;
        player[i] = agon__actor_player(&actor[i]);
    }
    return rc;
}

static int play(const agon_gather* g, const agon_player* player, agon_tables* t,
                agon_error* error) {
    const agon_game_log_def def = {.rules = g->rules,
                                   .backend = g->backend,
                                   .players = g->agents,
                                   .player = player,
                                   .games = g->games * g->agents / g->rules->spec.seats + 1,
                                   .seed = g->seed,
                                   .key = "metrics/tables",
                                   .temperature = 1,
                                   .outcomes = true};
    agon_game_log log;
    const int rc = agon_game_log_play(&def, &log, error);
    if (rc)
        return rc;
    *t = (agon_tables){log.games, log.seats, log.agents, log.returns};
    log.agents = NULL;
    log.returns = NULL;
    agon_game_log_clear(&log);
    return AGON_OK;
}

int agon_gather_tables(const agon_gather* g, agon_evidence* out, agon_error* error) {
    const agon_spec* spec = &g->rules->spec;
    agon_context context = {.backend = g->backend, .load = g->load, .user = g->load_user};
    int opened = 0;
    if (spec->seats == 2 && spec->utility != AGON_GENERAL_SUM) {
        snprintf(out->why.tables, sizeof out->why.tables,
                 "two seats against each other: pay-offs and Bradley-Terry say the same");
        return AGON_OK;
    }
    agon_actor* actor = calloc((size_t)g->agents, sizeof *actor);
    agon_player* player = calloc((size_t)g->agents, sizeof *player);
    int rc = actor && player ? open_actors(g, &context, actor, player, &opened, error)
                             : agon_fail(error, AGON_EMEMORY, "no memory for %d agents", g->agents);
    if (!rc)
        rc = play(g, player, &out->tables, error);
    for (int i = 0; !rc && i < opened; i++)
        rc = agon__actor_check(&actor[i], error);
    for (int i = 0; i < opened; i++)
        agon__actor_close(&actor[i]);
    agon_context_clear(&context);
    free(actor);
    free(player);
    return rc;
}
