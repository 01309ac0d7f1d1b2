/* gather_visits.c: where agents come to. */
#include "engine/gather.h"

#include "agents/keymap.h"

#include <stdlib.h>
#include <string.h>

#define LANES       256
#define MOST_PLACES 2000000
#define LIMIT       ((size_t)1 << 30) /* bytes of visits that are kept */

typedef struct visiting {
    const agon_gather* g;
    int plies, games; /* of each agent against one anchor */
    agon_keymap places;
    uint64_t* cell; /* packed (place, agent, half) of every visit, in the order met */
    size_t visits, room;
    char *key, *image;
} visiting;

/* The smallest bytes among the images of a position: mirror images are one place. */
static size_t place_key(visiting* v, const void* state) {
    const agon_rules* r = v->g->rules;
    const size_t size = r->spec.state_size;
    memcpy(v->key, state, size);
    for (int k = 1; r->game->symmetry && k < r->spec.symmetries; k++) {
        r->game->symmetry(r->config, k, state, v->image);
        if (memcmp(v->image, v->key, size) < 0)
            memcpy(v->key, v->image, size);
    }
    return size;
}

static int note(visiting* v, const void* state, int agent, int half) {
    size_t place;
    if (agon_keymap_add(&v->places, v->key, place_key(v, state), &place) < 0)
        return AGON_EMEMORY;
    if (v->visits == v->room) {
        const size_t room = v->room ? 2 * v->room : 4096;
        uint64_t* more = realloc(v->cell, room * sizeof *more);
        if (!more)
            return AGON_EMEMORY;
        v->cell = more;
        v->room = room;
    }
    v->cell[v->visits++] = (uint64_t)place << 32 | (uint64_t)agent << 1 | (uint64_t)half;
    return AGON_OK;
}

/* Starts the next game: the agent in seat game % seats, the anchor in all others. */
static void start(visiting* v, agon_lanes* l, int lane, int game) {
    const int seats = v->g->rules->spec.seats;
    for (int seat = 0; seat < seats; seat++)
        l->player_of[lane * seats + seat] = seat == game % seats ? 0 : 1;
    agon_lanes_start(l, lane, (uint32_t)game, (uint32_t)(game / seats));
}

/* All games of one batch together; places after each ply are noted in the order of lanes. */
static int play_batch(visiting* v, agon_lanes* l, int agent, int first, int count) {
    const size_t size = v->g->rules->spec.state_size;
    int playing = count, rc = AGON_OK;
    for (int lane = 0; lane < count; lane++)
        start(v, l, lane, first + lane);
    while (!rc && playing > 0) {
        agon_lanes_decide(l);
        agon_lanes_play(l);
        for (int lane = 0; !rc && lane < count; lane++) {
            if (!l->live[lane])
                continue;
            rc = note(v, l->state + (size_t)lane * size, agent,
                      (first + lane) / v->g->rules->spec.seats % 2);
            if (!l->acting[lane] || (int)l->ply[lane] >= v->plies) {
                l->live[lane] = 0;
                playing--;
            }
        }
    }
    return rc;
}

static int visit(visiting* v, int agent, const agon_player player[2], const char* key,
                 agon_error* error) {
    const agon_gather* g = v->g;
    const agon_lanes_def def = {.rules = g->rules,
                                .backend = g->backend,
                                .lanes = v->games < LANES ? v->games : LANES,
                                .players = 2,
                                .player = player,
                                .chance = agon_key_make(g->seed, key, AGON_FOR_CHANCE),
                                .action = agon_key_make(g->seed, key, AGON_FOR_ACTION),
                                .temperature = 1};
    agon_lanes* l = NULL;
    int rc = agon_lanes_open(&def, &l, error);
    for (int first = 0; !rc && first < v->games; first += def.lanes) {
        const int left = v->games - first, count = left < def.lanes ? left : def.lanes;
        rc = play_batch(v, l, agent, first, count);
        if (rc)
            agon_fail(error, rc, "no memory for the places that agents come to");
    }
    agon_lanes_close(l);
    return rc;
}

/* One agent against all anchors. */
static int visit_all(visiting* v, int agent, int anchors, const char (*ref)[AGON_REF_SIZE],
                     agon_error* error) {
    const agon_gather* g = v->g;
    agon_context context = {.backend = g->backend, .load = g->load, .user = g->load_user};
    agon_actor own = {0};
    int rc = agon__actor_open(g->ref[agent], g->rules, &context, false, &own, error);
    for (int k = 0; !rc && k < anchors; k++) {
        agon_actor other = {0};
        char key[AGON_KEY_SIZE];
        /* The same key for all agents: they meet the same luck. */
        snprintf(key, sizeof key, "metrics/visits/%d", k);
        rc = agon__actor_open(ref[k], g->rules, &context, false, &other, error);
        if (!rc) {
            const agon_player player[2] = {agon__actor_player(&own), agon__actor_player(&other)};
            rc = visit(v, agent, player, key, error);
        }
        if (!rc)
            rc = agon__actor_check(&other, error);
        agon__actor_close(&other);
    }
    agon__actor_close(&own);
    agon_context_clear(&context);
    return rc;
}

static int fill(visiting* v, int anchors, agon_evidence* out, agon_error* error) {
    const size_t features = v->places.count;
    agon_visits* s = &out->visits;
    if (features > MOST_PLACES || (size_t)v->g->agents * 2 * features * sizeof *s->count > LIMIT) {
        snprintf(out->why.visits, sizeof out->why.visits,
                 "%zu places in %d plies of %d agents are too many to keep: play fewer --games",
                 features, v->plies, v->g->agents);
        return AGON_OK;
    }
    s->count = calloc((size_t)v->g->agents * 2 * features + 1, sizeof *s->count);
    if (!s->count)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu places of %d agents", features,
                         v->g->agents);
    for (size_t i = 0; i < v->visits; i++) {
        const size_t place = v->cell[i] >> 32, agent_half = v->cell[i] & 0xffffffffu;
        s->count[agent_half * features + place]++;
    }
    s->features = (int)features;
    s->games = (double)v->games * anchors;
    return AGON_OK;
}

int agon_gather_visits(const agon_gather* g, int anchors, const char (*ref)[AGON_REF_SIZE],
                       int plies, agon_evidence* out, agon_error* error) {
    const int seats = g->rules->spec.seats, round = 2 * seats; /* both halves, every seat */
    visiting v = {.g = g, .plies = plies, .games = (g->games + round - 1) / round * round};
    v.key = malloc(g->rules->spec.state_size);
    v.image = malloc(g->rules->spec.state_size);
    int rc = v.key && v.image ? AGON_OK : agon_fail(error, AGON_EMEMORY, "out of memory");
    for (int i = 0; !rc && i < g->agents; i++) {
        rc = visit_all(&v, i, anchors, ref, error);
        if (g->progress)
            g->progress(g->user, "games against anchors", i + 1, g->agents);
    }
    if (!rc)
        rc = fill(&v, anchors, out, error);
    agon_keymap_free(&v.places);
    free(v.cell);
    free(v.key);
    free(v.image);
    return rc;
}
