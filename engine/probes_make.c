/* probes_make.c: set U, from a tree where the game is small, else from random games. */
#include "engine/probes_pool.h"

#include "agents/tree.h"

#include <assert.h>
#include <math.h>

enum { TREE_LIMIT = 200000 }; /* nodes; larger games are sampled */

/* ---- all information sets ----------------------------------------------------------------- */

static int append_line(agon__pool* p, const agon_tree* tree, int infoset, agon__candidate* c) {
    const size_t row = (size_t)p->rules->spec.seats * sizeof *p->lines;
    c->line = p->rows;
    c->rows = agon_tree_infoset_line(tree, infoset, NULL, -1);
    if (agon_array_grow((void**)&p->lines, &p->line_room, p->rows + (size_t)c->rows + 1, row) != 0)
        return agon__pool_out_of_memory(p);
    agon_tree_infoset_line(tree, infoset, p->lines + p->rows * (size_t)p->rules->spec.seats,
                           c->rows);
    p->rows += (size_t)c->rows;
    return 0;
}

static int add_tree(agon__pool* p, const agon_tree* tree) {
    int code = 0;
    for (int i = 0; code == 0 && i < agon_tree_infosets(tree) && p->count <= p->wanted; i++) {
        int seat;
        const void* state = agon_tree_infoset_state(tree, i, &seat);
        if (agon__pool_legal(p, state, seat) < 2)
            continue;
        agon__candidate c = {.ply = agon_tree_infoset_ply(tree, i),
                             .reach = agon_tree_infoset_reach(tree, i),
                             .seat = (uint8_t)seat};
        code = append_line(p, tree, i, &c);
        if (code == 0)
            code = agon__pool_consider(p, state, &c, NULL);
        code = code < 0 ? code : 0;
    }
    return code;
}

/* Fills the pool with every question of a small game; leaves it empty when there are too many. */
static int collect_all(agon__pool* p) {
    agon_tree* tree = NULL;
    agon_error error;
    int code = agon_tree_open(p->rules, TREE_LIMIT, &tree, &error);
    if (code == AGON_ELIMIT)
        return 0;
    if (code != 0)
        return agon_fail(p->error, code, "%s", error.text);
    code = add_tree(p, tree);
    agon_tree_close(tree);
    if (p->count > p->wanted)
        agon__pool_empty(p);
    return code;
}

/* ---- random games ------------------------------------------------------------------------- */

/* Uniform choices of the acting seats, each question noted on the way. */
static int choose(void* user, agon__pool* p, const agon__line* line, uint64_t acting) {
    (void)user;
    for (; acting; acting &= acting - 1) {
        const int seat = __builtin_ctzll(acting);
        const int count = agon__pool_legal(p, p->state, seat);
        if (count == 0)
            return agon_fail(p->error, AGON_EINVALID, "%s: seat %d acts but has no legal action",
                             p->rules->name, seat);
        const agon__candidate c = agon__line_candidate(line, seat);
        const int code = count < 2 ? 0 : agon__pool_consider(p, p->state, &c, NULL);
        if (code < 0)
            return code;
        const agon_draw draw =
            agon_random(line->key, line->game, (uint32_t)line->ply, (uint32_t)seat, 0);
        const int k = (int)agon_below(draw.word[0], (uint32_t)count);
        p->action[seat] = (uint16_t)agon_mask_nth(p->mask, p->rules->mask_words, k);
    }
    return 0;
}

/* Games number *game and on, until `candidates` questions are known or game `end` has come. */
static int collect_games(agon__pool* p, uint64_t seed, size_t candidates, size_t* game,
                         size_t end) {
    const agon_key key = agon_key_make(seed, "probes/games", AGON_FOR_PROBE);
    int code = 0;
    for (; code == 0 && *game < end && p->count < candidates; ++*game)
        code = agon__pool_play(p, key, (uint32_t)*game, choose, NULL);
    return code;
}

/* A few random games tell of most large games that they are large; trying to build their trees
 * would take far longer. *complete: the pool holds every question of the game. */
static int collect(agon__pool* p, uint64_t seed, int* complete) {
    const size_t many = p->wanted + 1;
    size_t game = 0;
    int code = collect_games(p, seed, many, &game, p->wanted);
    if (code == 0 && p->count < many) {
        agon__pool_empty(p);
        game = 0;
        code = collect_all(p);
    }
    *complete = game == 0 && p->count > 0;
    if (code != 0 || *complete)
        return code;
    return collect_games(p, seed, p->wanted * AGON__CANDIDATES_PER_STATE, &game,
                         p->wanted * AGON__GAMES_PER_STATE);
}

/* ---- the set ------------------------------------------------------------------------------ */

static int normalise_reach(const agon__pool* p, agon_probes* out) {
    double sum = 0;
    for (int i = 0; i < out->states; i++)
        sum += out->reach[i];
    if (!(sum > 0 && isfinite(sum)))
        return agon_fail(p->error, AGON_EUNSUPPORTED,
                         "%s: uniform play comes to its probe states with probability %g in all, "
                         "expected more than 0; run agon check",
                         p->rules->name, sum);
    for (int i = 0; i < out->states; i++)
        out->reach[i] /= sum;
    return 0;
}

static int set_make(agon__pool* p, uint64_t seed, agon_probes* out) {
    agon__buckets b;
    if (p->count == 0)
        return agon_fail(p->error, AGON_EUNSUPPORTED,
                         "%s: no probe states; no seat ever has two legal actions", p->rules->name);
    agon__buckets_span(&b, p, 1);
    int code = agon__pool_mark(p, &b, seed);
    if (code == 0)
        code = agon__pools_set(p, 1, &b, out, NULL);
    if (code != 0)
        return code;
    return out->reach ? normalise_reach(p, out) : 0;
}

int agon_probes_make(const agon_rules* rules, int count, uint64_t seed, agon_probes* out,
                     agon_error* error) {
    assert(count >= 1);
    agon__pool p = {.rules = rules, .wanted = (size_t)count, .error = error};
    agon_probes made = {0};
    int code = agon__pool_open(&p);
    if (code == 0)
        code = collect(&p, seed, &made.complete);
    if (code == 0)
        code = set_make(&p, seed, &made);
    agon__pool_close(&p);
    if (code == 0)
        *out = made;
    else
        agon_probes_close(&made);
    return code;
}
