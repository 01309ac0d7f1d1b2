/* probes_solved.c: set X: lines of best play with random deviations, where a solver knows it. */
#include "engine/probes_make.h"
#include "engine/probes_pool.h"
#include "engine/probes_solver.h"

#include <assert.h>
#include <math.h>

enum {
    CANDIDATES_PER_STATE = 3, /* solving is dear */
    DEVIATES = 4,             /* one action in so many is random */
    IDLE_GAMES = 256,         /* in a row without a new state: there are no more */
    HOPELESS = 4, /* as many limits of positions searched in vain: none will be solved */
    TRIES = 4     /* at a ply before it may be given up, ... */
};

static const int RARE = 4; /* ... when fewer than one in so many is solved */

typedef struct solving {
    agon__solver* solver;
    agon__pool hard; /* states that were left out: their keys alone */
    double* worth;   /* (candidates, actions) */
    size_t worth_room;
    double* now; /* (actions) of the state under way */
    int* tries;  /* (plies) states that were searched for a solution */
    int* hits;   /* (plies) of them solved */
    /* States before this ply are not tried yet. It falls from the end of a game to its beginning,
     * as long as states there are solved: so little is searched in vain. */
    int floor;
    bool below; /* the game under way came to the floor and tried there */
} solving;

static bool worth_trying(const solving* s, int ply) {
    return ply >= s->floor && !(s->tries[ply] >= TRIES && s->hits[ply] * RARE < s->tries[ply]);
}

/* 1: s->now holds what the actions are worth. */
static int solve(solving* s, agon__pool* p, const agon__line* line, int seat) {
    if (!worth_trying(s, line->ply))
        return 0;
    const int solved = agon__solver_worth(s->solver, p->state, seat, p->reward, s->now, p->error);
    s->tries[line->ply]++;
    s->hits[line->ply] += solved > 0;
    s->below |= line->ply == s->floor && solved == 0;
    return solved;
}

/* The state as a candidate with its worth, or among those left out. */
static int note(solving* s, agon__pool* p, const agon__line* line, int seat, bool solved) {
    const size_t actions = (size_t)p->rules->spec.actions;
    const agon__candidate c = agon__line_candidate(line, seat);
    if (!solved) {
        const int added = agon__pool_consider(&s->hard, p->state, &c, NULL);
        return added < 0 ? added : 0;
    }
    const int added = agon__pool_consider(p, p->state, &c, NULL);
    if (added <= 0)
        return added;
    if (agon_array_grow((void**)&s->worth, &s->worth_room, p->count, actions * sizeof *s->worth) !=
        0)
        return agon__pool_out_of_memory(p);
    memcpy(s->worth + (p->count - 1) * actions, s->now, actions * sizeof *s->worth);
    return 0;
}

/* Leaves in pool->mask the actions that are worth most. */
static int keep_best(const solving* s, agon__pool* p) {
    double best = -INFINITY;
    for (int a = 0; a < p->rules->spec.actions; a++)
        best = s->now[a] > best ? s->now[a] : best; /* NaN is not */
    for (int a = 0; a < p->rules->spec.actions; a++) {
        if (!(s->now[a] >= best - 1e-9))
            p->mask[a >> 6] &= ~(1ull << (a & 63));
    }
    return agon_mask_count(p->mask, p->rules->mask_words);
}

static int choose(void* user, agon__pool* p, const agon__line* line, uint64_t acting) {
    solving* s = (solving*)user;
    const int seat = __builtin_ctzll(acting);
    int count = agon__pool_legal(p, p->state, seat);
    if (count == 0)
        return agon_fail(p->error, AGON_EINVALID, "%s: seat %d acts but has no legal action",
                         p->rules->name, seat);
    if (line->ply > p->rules->spec.max_plies)
        return agon_fail(p->error, AGON_EINVALID, "%s goes on after its %d plies; run agon check",
                         p->rules->name, p->rules->spec.max_plies);
    const int solved = count < 2 ? 0 : solve(s, p, line, seat);
    if (solved < 0)
        return solved;
    const int code = count < 2 ? 0 : note(s, p, line, seat, solved > 0);
    const agon_draw draw =
        agon_random(line->key, line->game, (uint32_t)line->ply, (uint32_t)seat, 0);
    if (solved > 0 && agon_below(draw.word[1], DEVIATES) > 0)
        count = keep_best(s, p);
    const int k = (int)agon_below(draw.word[0], (uint32_t)count);
    p->action[seat] = (uint16_t)agon_mask_nth(p->mask, p->rules->mask_words, k);
    return code;
}

/* After a game whose state at the floor was not too hard; where such states are given up, it has
 * come to the deepest that can be solved. */
static void lower_floor(solving* s) {
    if (!s->below && worth_trying(s, s->floor))
        s->floor -= s->floor < 2 ? s->floor : 2;
    s->below = false;
}

static int collect(solving* s, agon__pool* p, uint64_t seed, int64_t limit,
                   const agon_probe_view* view) {
    const agon_key key = agon_key_make(seed, "probes/best", AGON_FOR_PROBE);
    const size_t games = p->wanted * AGON__GAMES_PER_STATE;
    const size_t candidates = p->wanted * CANDIDATES_PER_STATE;
    size_t idle = 0;
    int code = 0;
    for (size_t g = 0; code == 0 && g < games && p->count < candidates && idle < IDLE_GAMES; g++) {
        const size_t before = p->count;
        const int floor = s->floor;
        code = agon__pool_play(p, key, (uint32_t)g, choose, s);
        lower_floor(s);
        idle = p->count > before || s->floor < floor ? 0 : idle + 1;
        if (view && view->progress)
            view->progress(view->user, "X: solving", (double)p->count / (double)candidates);
        if (agon__solver_nodes(s->solver) / (uint64_t)limit >=
            (p->count ? 2 * p->wanted : HOPELESS))
            break;
    }
    return code;
}

/* How long games are, by one of uniform play: where the floor begins. */
static int scout(void* user, agon__pool* p, const agon__line* line, uint64_t acting) {
    const int seat = __builtin_ctzll(acting);
    const int count = agon__pool_legal(p, p->state, seat);
    const agon_draw draw =
        agon_random(line->key, line->game, (uint32_t)line->ply, (uint32_t)seat, 0);
    if (count == 0)
        return agon_fail(p->error, AGON_EINVALID, "%s: seat %d acts but has no legal action",
                         p->rules->name, seat);
    *(int*)user = line->ply;
    p->action[seat] = (uint16_t)agon_mask_nth(p->mask, p->rules->mask_words,
                                              (int)agon_below(draw.word[0], (uint32_t)count));
    return 0;
}

static int solving_open(solving* s, agon__pool* p, int64_t limit) {
    const size_t plies = (size_t)p->rules->spec.max_plies + 1;
    int code = agon__solver_open(p->rules, limit, &s->solver, p->error);
    if (code != 0)
        return code;
    s->hard = (agon__pool){.rules = p->rules, .wanted = p->wanted, .error = p->error};
    s->now = (double*)malloc((size_t)p->rules->spec.actions * sizeof *s->now);
    s->tries = (int*)calloc(plies, sizeof *s->tries);
    s->hits = (int*)calloc(plies, sizeof *s->hits);
    if (!s->now || !s->tries || !s->hits)
        return agon__pool_out_of_memory(p);
    return agon__pool_open(&s->hard);
}

static void solving_close(solving* s) {
    agon__solver_close(s->solver);
    agon__pool_close(&s->hard);
    free(s->worth);
    free(s->now);
    free(s->tries);
    free(s->hits);
}

static int refuse_none(const solving* s, const agon__pool* p, int64_t limit) {
    if (s->hard.count == 0)
        return agon_fail(p->error, AGON_EUNSUPPORTED,
                         "%s: no probe states; no seat ever has two legal actions", p->rules->name);
    return agon_fail(p->error, AGON_EUNSUPPORTED,
                     "%s is too large to solve: none of the states that were tried was solved "
                     "within %lld positions",
                     p->rules->name, (long long)limit);
}

static int set_make(solving* s, agon__pool* p, uint64_t seed, agon_probes* out) {
    const size_t actions = (size_t)p->rules->spec.actions;
    agon__buckets b;
    size_t* chosen = NULL;
    agon__buckets_span(&b, p, 1);
    int code = agon__pool_mark(p, &b, seed);
    if (code == 0)
        code = agon__pools_set(p, 1, &b, out, &chosen);
    if (code != 0)
        return code;
    out->worth = (double*)malloc((size_t)out->states * actions * sizeof *out->worth);
    for (int i = 0; out->worth && i < out->states; i++)
        memcpy(out->worth + (size_t)i * actions, s->worth + chosen[i] * actions,
               actions * sizeof *out->worth);
    free(chosen);
    out->unsolved = (int64_t)s->hard.count;
    return out->worth ? 0 : agon__pool_out_of_memory(p);
}

int agon_probes_make_solved(const agon_rules* rules, int states, uint64_t seed, int64_t limit,
                            const agon_probe_view* view, agon_probes* out, agon_error* error) {
    assert(states >= 1 && limit >= 1);
    agon__pool p = {.rules = rules, .wanted = (size_t)states, .error = error};
    agon_probes made = {.set = AGON_PROBES_X, .limit = limit};
    solving s = {0};
    int code = agon__pool_open(&p);
    if (code == 0)
        code = solving_open(&s, &p, limit);
    if (code == 0 && !agon__solver_unrolled(s.solver))
        code = agon__pool_play(&p, agon_key_make(seed, "probes/scout", AGON_FOR_PROBE), 0, scout,
                               &s.floor);
    if (code == 0)
        code = collect(&s, &p, seed, limit, view);
    if (code == 0)
        code = p.count > 0 ? set_make(&s, &p, seed, &made) : refuse_none(&s, &p, limit);
    solving_close(&s);
    agon__pool_close(&p);
    if (code == 0)
        *out = made;
    else
        agon_probes_close(&made);
    return code;
}
