/* game_log.c: see game_log.h. */
#include "engine/game_log.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer {
    const agon_game_log_def* def;
    agon_lanes* lanes; /* a single one: games come in order, and so do their decisions */
    agon_game_log log;
    agon_error* error;
} writer;

/* Who holds a seat in a game. */
static int player_of(const agon_game_log_def* d, int game, int seat) {
    const int n = d->players;
    if (d->seats) {
        int roles = 1, role = 0;
        for (int p = 1; p < n; p++)
            roles += d->seats[p] != d->seats[p - 1];
        const int m = n / roles, first = game % m;
        while (role < roles - 1 && !(d->seats[role * m] >> seat & 1))
            role++;
        return role * m + (first + (role ? game / m : 0)) % m;
    }
    if (n == 1)
        return 0;
    const int step = 1 + game / n % (n - 1);
    return (int)((game % n + (int64_t)seat * step) % n);
}

static bool resize(void** array, size_t room, size_t bytes) {
    void* more = realloc(*array, room * bytes + 1);
    if (more)
        *array = more;
    return more != NULL;
}

static int make_room(writer* w) {
    agon_game_log* l = &w->log;
    const agon_rules* rules = w->def->rules;
    const size_t more = (size_t)w->lanes->slots,
                 each = rules->obs_bytes + (size_t)rules->spec.actions;
    if (l->steps + more <= l->room)
        return AGON_OK;
    const size_t room = l->room ? 2 * l->room : 1024 + more;
    if ((l->steps + more) * each > AGON_GAME_LOG_BYTES)
        return agon_fail(w->error, AGON_ELIMIT,
                         "%zu decisions of %zu bytes each; at most %zu bytes are kept: ask for "
                         "fewer games",
                         l->steps + more, each, AGON_GAME_LOG_BYTES);
    if (!resize((void**)&l->obs, room, rules->obs_bytes) ||
        !resize((void**)&l->legal, room, (size_t)rules->spec.actions) ||
        !resize((void**)&l->action, room, sizeof *l->action) ||
        !resize((void**)&l->seat, room, sizeof *l->seat) ||
        !resize((void**)&l->agent, room, sizeof *l->agent) ||
        !resize((void**)&l->episode, room, sizeof *l->episode) ||
        !resize((void**)&l->ply, room, sizeof *l->ply))
        return agon_fail(w->error, AGON_EMEMORY, "no memory for %zu decisions", room);
    l->room = room;
    return AGON_OK;
}

static void write_slot(writer* w, int game, int slot) {
    agon_game_log* l = &w->log;
    const agon_rules* rules = w->def->rules;
    const int seat = w->lanes->slot_seat[slot], actions = rules->spec.actions;
    const uint64_t* mask = w->lanes->mask + (size_t)slot * (size_t)rules->mask_words;
    memcpy(l->obs + l->steps * rules->obs_bytes, w->lanes->obs + (size_t)slot * rules->obs_bytes,
           rules->obs_bytes);
    for (int a = 0; a < actions; a++)
        l->legal[l->steps * (size_t)actions + (size_t)a] = agon_mask_has(mask, a);
    l->action[l->steps] = w->lanes->slot_action[slot];
    l->seat[l->steps] = (uint8_t)seat;
    l->agent[l->steps] = w->lanes->player_of[seat];
    l->episode[l->steps] = game;
    l->ply[l->steps] = (int32_t)w->lanes->ply[0];
    l->steps++;
}

/* Slots are sorted by player; rows are sorted by seat. */
static int write_decisions(writer* w, int game) {
    const int rc = make_room(w);
    for (int seat = 0; !rc && seat < w->log.seats; seat++)
        for (int slot = 0; slot < w->lanes->slots; slot++)
            if (w->lanes->slot_seat[slot] == seat)
                write_slot(w, game, slot);
    return rc;
}

static int play_game(writer* w, int game) {
    agon_lanes* l = w->lanes;
    const int seats = w->log.seats;
    float* returns = w->log.returns + (size_t)game * (size_t)seats;
    for (int seat = 0; seat < seats; seat++) {
        l->player_of[seat] = player_of(w->def, game, seat);
        w->log.agents[(size_t)game * (size_t)seats + (size_t)seat] = l->player_of[seat];
    }
    agon_lanes_start(l, 0, (uint32_t)game, (uint32_t)game);
    for (int seat = 0; seat < seats; seat++)
        returns[seat] = l->reward[seat];
    while (l->acting[0]) {
        agon_lanes_decide(l);
        const int rc = w->def->outcomes ? AGON_OK : write_decisions(w, game);
        if (rc)
            return rc;
        agon_lanes_play(l);
        for (int seat = 0; seat < seats; seat++)
            returns[seat] += l->reward[seat];
    }
    w->log.length[game] = (int32_t)l->ply[0];
    return AGON_OK;
}

static int open_writer(writer* w) {
    const agon_game_log_def* d = w->def;
    const size_t games = (size_t)d->games, seats = (size_t)d->rules->spec.seats;
    const agon_lanes_def def = {
        .rules = d->rules,
        .backend = d->backend,
        .lanes = 1,
        .players = d->players,
        .player = d->player,
        .chance = agon_key_make(d->seed, d->key, AGON_FOR_CHANCE),
        .action = agon_key_make(d->seed, d->key, AGON_FOR_ACTION),
        .temperature = d->temperature,
    };
    w->log.games = d->games;
    w->log.seats = d->rules->spec.seats;
    w->log.returns = calloc(games * seats, sizeof *w->log.returns);
    w->log.agents = calloc(games * seats, sizeof *w->log.agents);
    w->log.length = calloc(games, sizeof *w->log.length);
    if (!w->log.returns || !w->log.agents || !w->log.length)
        return agon_fail(w->error, AGON_EMEMORY, "no memory for %d games", d->games);
    return agon_lanes_open(&def, &w->lanes, w->error);
}

int agon_game_log_play(const agon_game_log_def* def, agon_game_log* out, agon_error* error) {
    writer w = {.def = def, .error = error};
    int rc = open_writer(&w);
    for (int game = 0; !rc && game < def->games; game++)
        rc = play_game(&w, game);
    agon_lanes_close(w.lanes);
    if (rc)
        agon_game_log_clear(&w.log);
    else
        *out = w.log;
    return rc;
}

void agon_game_log_clear(agon_game_log* l) {
    free(l->obs);
    free(l->legal);
    free(l->action);
    free(l->seat);
    free(l->agent);
    free(l->episode);
    free(l->ply);
    free(l->returns);
    free(l->agents);
    free(l->length);
    memset(l, 0, sizeof *l);
}
