/* play.c: rollouts of a shard's members, started and waited for by the host. */
#include "cuda/play.h"

#include "cuda/play_plan.h"

#include <stdlib.h>

enum { STEPS = 8 }; /* recorded together; after them the host asks who is left */

struct agon__gpu_play {
    agon__gpu* gpu;
    agon__stream* stream; /* borrowed */
    const agon_rules* rules;
    agon__play_plan plan;
    void* memory;  /* owned, of the device */
    void* scratch; /* owned, of the device: the forward's */
    void* told;    /* owned, pinned: plan.told */
    const agon__function *sort, *observe, *step, *recall, *counts, *start;
    agon__graph* steps; /* owned */
};

bool agon__gpu_play_has(agon__gpu* gpu, const agon_rules* rules) {
    for (int i = 0; i < agon_game_count(); i++) /* a plug-in may have the name of a built-in */
        if (agon_game_at(i) == rules->game)
            return agon__gpu_function(gpu, rules->game->name, "step") != NULL;
    return false;
}

size_t agon__gpu_play_spare(const agon_shard_def* shard) {
    return (size_t)shard->members * (size_t)shard->lanes * (size_t)shard->rules->spec.seats;
}

size_t agon__gpu_play_bytes(const agon__gpu* gpu, const agon_shard_def* shard,
                            const agon__gpu_net* net) {
    const agon__play_plan plan = agon__play_plan_of(shard, 1 + shard->member[0].opponents, net,
                                                    NULL, agon__gpu_processors(gpu), NULL);
    return plan.bytes + agon__gpu_forward_scratch(gpu, net, plan.forward.slots);
}

/* ---- launches ------------------------------------------------------------------------------- */

static void launch(agon__gpu_play* p, const agon__function* function, const agon__play_grid* grid) {
    agon__stream_launch(p->stream, function, grid->blocks, grid->warps, grid->shared,
                        &p->plan.args);
}

static void fill(agon__gpu_play* p, const agon__play_memory* piece, int byte) {
    agon__stream_fill(p->stream, piece->at, byte, piece->bytes);
}

/* Several steps of what is sorted, and the sort for the next. */
static int record(agon__gpu_play* p, agon_error* error) {
    agon__stream_record(p->stream);
    for (int i = 0; i < STEPS; i++) {
        launch(p, p->observe, &p->plan.observe);
        agon__gpu_forward_launch(p->gpu, p->stream, &p->plan.forward);
        launch(p, p->step, &p->plan.step);
        if (p->plan.args.remembered)
            launch(p, p->recall, &p->plan.recall);
        launch(p, p->sort, &p->plan.sort);
    }
    p->steps = agon__stream_recorded(p->stream);
    return p->steps ? AGON_OK : agon__gpu_check(p->gpu, error);
}

/* ---- opening -------------------------------------------------------------------------------- */

static int find_kernels(agon__gpu_play* p, agon_error* error) {
    const char* game = p->rules->game->name;
    p->sort = agon__gpu_function(p->gpu, "kernels", "play_sort");
    p->recall = agon__gpu_function(p->gpu, "kernels", "play_recall");
    p->counts = agon__gpu_function(p->gpu, "kernels", "play_counts");
    p->start = agon__gpu_function(p->gpu, game, "start");
    p->observe = agon__gpu_function(p->gpu, game, "observe");
    p->step = agon__gpu_function(p->gpu, game, "step");
    if (p->sort && p->recall && p->counts && p->start && p->observe && p->step)
        return AGON_OK;
    return agon_fail(error, AGON_EUNSUPPORTED, "%s has no kernels in this build", p->rules->name);
}

/* Places are 32-bit numbers. */
static int check_places(const agon__play_plan* plan, const agon_shard_def* shard,
                        agon_error* error) {
    const uint64_t places = plan->args.spare + agon__gpu_play_spare(shard);
    if (places <= UINT32_MAX)
        return AGON_OK;
    agon_fail(error, AGON_ELIMIT, "%s: %llu decisions in one rollout of %d learners, expected %u",
              shard->rules->name, (unsigned long long)places, shard->members, UINT32_MAX);
    return agon_hint(error, "fewer lanes or a shorter horizon");
}

static int get_memory(agon__gpu_play* p, const agon__gpu_play_def* def, agon_error* error) {
    const int processors = agon__gpu_processors(p->gpu), players = agon__play_players(def->shard);
    agon__play_plan* plan = &p->plan;
    *plan = agon__play_plan_of(def->shard, players, &def->net, def->rectangles, processors, NULL);
    int rc = check_places(plan, def->shard, error);
    if (rc)
        return rc;
    p->memory = agon__gpu_alloc(p->gpu, plan->bytes, error);
    if (!p->memory)
        return error ? error->code : AGON_EMEMORY;
    *plan =
        agon__play_plan_of(def->shard, players, &def->net, def->rectangles, processors, p->memory);
    const size_t scratch = agon__gpu_forward_scratch(p->gpu, &def->net, plan->forward.slots);
    p->scratch = agon__gpu_alloc(p->gpu, scratch, error);
    p->told = p->scratch ? agon__gpu_pinned(p->gpu, plan->told.bytes, error) : NULL;
    plan->forward.scratch = p->scratch;
    return p->told ? AGON_OK : error ? error->code : AGON_EMEMORY;
}

/* Every lane at its first decision. */
static int begin_games(agon__gpu_play* p, const agon__gpu_play_def* def, agon_error* error) {
    void* given = malloc(p->plan.given.bytes);
    if (!given)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu bytes", p->plan.given.bytes);
    agon__play_give(&p->plan, def->shard, def->packed, given);
    agon__stream_fill(p->stream, p->memory, 0, p->plan.bytes);
    agon__stream_in(p->stream, p->plan.given.at, given, p->plan.given.bytes);
    launch(p, p->start, &p->plan.step);
    const int rc = agon__stream_wait(p->stream, error);
    free(given);
    return rc;
}

int agon__gpu_play_open(const agon__gpu_play_def* def, agon__gpu_play** out, agon_error* error) {
    agon__gpu_play* p = calloc(1, sizeof *p);
    if (!p)
        return agon_fail(error, AGON_EMEMORY, "no memory for rollouts");
    p->gpu = def->gpu;
    p->stream = def->stream;
    p->rules = def->shard->rules;
    int rc = find_kernels(p, error);
    rc = rc ? rc : get_memory(p, def, error);
    rc = rc ? rc : begin_games(p, def, error);
    rc = rc ? rc : record(p, error);
    if (rc) {
        agon__gpu_play_close(p);
        return rc;
    }
    *out = p;
    return AGON_OK;
}

void agon__gpu_play_close(agon__gpu_play* p) {
    if (!p)
        return;
    agon__graph_close(p->steps);
    agon__gpu_free(p->gpu, p->memory);
    agon__gpu_free(p->gpu, p->scratch);
    agon__gpu_unpin(p->gpu, p->told);
    free(p);
}

/* ---- a rollout ------------------------------------------------------------------------------ */

static void begin_rollout(agon__gpu_play* p) {
    fill(p, &p->plan.count, 0);
    fill(p, &p->plan.open, 0xff); /* -1 */
    fill(p, &p->plan.complete, 0);
    fill(p, &p->plan.live, 1);
    launch(p, p->sort, &p->plan.sort);
}

/* Lanes that are not complete; -1: a game was wrong. */
static int64_t left(const agon__gpu_play* p) {
    const agon__play_word* word = p->told;
    int64_t lanes = 0;
    for (int m = 0; m < p->plan.args.members; m++) {
        if (word[m].fault)
            return -1;
        lanes += word[m].left;
    }
    return lanes;
}

static void read_counts(const agon__gpu_play* p, agon_play_counts* counts) {
    const int members = p->plan.args.members;
    const agon__play_counts* sums =
        (const agon__play_counts*)((const agon__play_word*)p->told + members);
    for (int m = 0; m < members; m++)
        counts[m] = (agon_play_counts){
            .steps = sums[m].of[AGON__PLAY_STEPS],
            .extra_steps = sums[m].of[AGON__PLAY_EXTRA_STEPS],
            .other_steps = sums[m].of[AGON__PLAY_OTHER_STEPS],
            .episodes = sums[m].of[AGON__PLAY_EPISODES],
            .return_count = sums[m].of[AGON__PLAY_RETURN_COUNT],
            .length_sum = sums[m].of[AGON__PLAY_LENGTH_SUM],
            .return_sum = sums[m].return_sum,
        };
}

/* A row keeps at most one decision in a step, so that the first rounds need no look at `left`. */
static int play_on(agon__gpu_play* p, agon_error* error) {
    uint64_t steps = 0;
    for (;;) {
        do {
            agon__stream_repeat(p->stream, p->steps);
            steps += STEPS;
        } while (steps < (uint64_t)p->plan.args.horizon);
        launch(p, p->counts, &p->plan.counts);
        agon__stream_out(p->stream, p->told, p->plan.told.at, p->plan.told.bytes);
        const int rc = agon__stream_wait(p->stream, error);
        if (rc)
            return rc;
        const int64_t lanes = left(p);
        if (lanes < 0)
            return agon_fail(error, AGON_EDEVICE, "%s: its device twin refused an action",
                             p->rules->name);
        if (lanes == 0)
            return AGON_OK;
        if (steps > p->plan.limit)
            return agon_fail(error, AGON_ELIMIT, "%s: a seat did not come to act in %llu plies",
                             p->rules->name, (unsigned long long)p->plan.limit);
    }
}

int agon__gpu_play_collect(agon__gpu_play* p, agon_play_counts* counts, agon_error* error) {
    begin_rollout(p);
    const int rc = play_on(p, error);
    if (rc == AGON_OK)
        read_counts(p, counts);
    return rc;
}
