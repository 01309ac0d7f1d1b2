#include "cuda/play_plan.h"

#include "cuda/carve.h"
#include "cuda/recall_kernel.h"

enum {
    STAGE_MIN = 32,              /* bytes of an observation: below, threads write it themselves */
    STAGE_MOST = 48 << 10,       /* bytes of shared memory of a block of observe; also of sort */
    WARPS = 4,                   /* of most blocks, at most */
    SORT_WARPS = 8,              /* of a block of sort, at most */
    PROB_MOST = 64 << 20,        /* bytes of probabilities, for all threads together */
    THREADS_OF_PROCESSOR = 2048, /* at once, at most */
};

static agon__play_memory carve_piece(agon__carver* c, size_t bytes) {
    return (agon__play_memory){agon__carve(c, bytes), bytes};
}

static int limited(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

static int cut(int64_t count, int by) {
    return (int)((count + by - 1) / by);
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void set_rows(agon__play_args* a, uint64_t own_seats) {
    a->own_seats = own_seats;
    a->own = 0;
    for (int seat = 0; seat < a->seats; seat++) {
        a->row_of[seat] = (uint8_t)a->own;
        a->own += (int)(own_seats >> seat & 1);
    }
    a->own = own_seats ? a->own : 1;
}

/* As much as a row of odd length in words, so that threads write to other banks. */
static int stage_of(size_t obs_bytes) {
    const size_t words = (obs_bytes + 3) / 4 | 1;
    return obs_bytes < STAGE_MIN || words * 4 * AGON__WARP > STAGE_MOST ? 0 : (int)words * 4;
}

static void set_facts(agon__play_args* a, const agon_shard_def* shard, int players) {
    const agon_rules* rules = shard->rules;
    a->members = shard->members;
    a->lanes = shard->lanes;
    a->seats = rules->spec.seats;
    a->players = players;
    a->horizon = shard->horizon;
    a->outcomes = rules->spec.chance_outcomes;
    a->state_size = rules->spec.state_size;
    a->obs_bytes = rules->obs_bytes;
    a->mask_words = rules->mask_words;
    a->stage = stage_of(rules->obs_bytes);
    set_rows(a, shard->own_seats);
}

/* ---- grids ---------------------------------------------------------------------------------- */

/* One thread per lane; fewer where the threads' probabilities would take much memory. */
static agon__play_grid step_grid(const agon__play_args* a, int processors) {
    const int64_t lanes = (int64_t)a->members * a->lanes;
    const int warps = lanes < (int64_t)processors * AGON__WARP * WARPS ? 1 : WARPS;
    int64_t blocks = cut(lanes, warps * AGON__WARP);
    const int64_t threads = (int64_t)processors * THREADS_OF_PROCESSOR;
    if (a->outcomes) {
        const int64_t fit = PROB_MOST / (int64_t)sizeof(double) / a->outcomes;
        const int64_t most = (fit < threads ? fit : threads) / (warps * AGON__WARP);
        blocks = blocks < most ? blocks : most;
    }
    return (agon__play_grid){(int)(blocks ? blocks : 1), warps, 0};
}

/* A warp for what one can copy at once, as far as they are at work together. */
static agon__play_grid recall_grid(const agon__play_args* a, int processors) {
    if (!a->remembered)
        return (agon__play_grid){0};
    const int64_t pieces =
        (int64_t)a->members * cut(a->lanes * a->seats, agon__recall_share(a->remembered));
    const int64_t most = (int64_t)processors * THREADS_OF_PROCESSOR / (WARPS * AGON__WARP);
    const int64_t blocks = (pieces + WARPS - 1) / WARPS;
    return (agon__play_grid){(int)(blocks < most ? blocks : most), WARPS, 0};
}

static void set_grids(agon__play_plan* p, int processors) {
    const agon__play_args* a = &p->args;
    const int each = a->lanes * a->seats;
    int warps = limited(cut(a->lanes, AGON__WARP), 1, SORT_WARPS);
    while (warps > 1 && (a->players + 2) * warps * AGON__WARP * (int)sizeof(int) > STAGE_MOST)
        warps--;
    p->sort = (agon__play_grid){a->members, warps,
                                (size_t)((a->players + 2) * warps * AGON__WARP) * sizeof(int)};
    warps = limited(cut(each, AGON__WARP), 1, WARPS);
    while (warps > 1 && warps * AGON__WARP * a->stage > STAGE_MOST)
        warps--;
    p->observe = (agon__play_grid){a->members * cut(each, warps * AGON__WARP), warps,
                                   (size_t)(warps * AGON__WARP * a->stage)};
    p->step = step_grid(a, processors);
    p->counts = (agon__play_grid){a->members, 1, 0};
    p->recall = recall_grid(a, processors);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* What the host gives, in one piece. */
typedef struct gifts {
    agon__carver carver;
    void* config;
    agon_key* chance;
    int32_t* opponents;
    uint32_t* key; /* (groups, 2) */
    const void** packed;
} gifts;

static gifts gifts_at(const agon__play_args* a, const agon_shard_def* shard, void* base) {
    const size_t members = (size_t)a->members, groups = members * (size_t)a->players;
    gifts g = {.carver = {(char*)base, 0}};
    g.config = agon__carve(&g.carver, shard->rules->game->config_size);
    g.chance = agon__carve(&g.carver, members * sizeof *g.chance);
    g.opponents = agon__carve(&g.carver, members * sizeof *g.opponents);
    g.key = agon__carve(&g.carver, groups * 2 * sizeof *g.key);
    g.packed = agon__carve(&g.carver, groups * sizeof *g.packed);
    return g;
}

static void carve_given(agon__play_plan* p, const agon_shard_def* shard, agon__carver* c) {
    p->given = carve_piece(c, gifts_at(&p->args, shard, NULL).carver.used);
    if (!p->given.at)
        return;
    const gifts g = gifts_at(&p->args, shard, p->given.at);
    p->args.config = g.config;
    p->args.chance = g.chance;
    p->args.opponents = g.opponents;
    p->forward.draws.key = g.key;
    p->forward.packed = g.packed;
}

static void carve_lanes(agon__play_plan* p, agon__carver* c) {
    agon__play_args* a = &p->args;
    const size_t lanes = (size_t)a->members * (size_t)a->lanes;
    a->state = agon__carve(c, lanes * a->state_size);
    a->acting = agon__carve(c, lanes * sizeof *a->acting);
    a->episodes = agon__carve(c, lanes * sizeof *a->episodes);
    a->ply = agon__carve(c, lanes * sizeof *a->ply);
    p->live = carve_piece(c, lanes);
    a->live = p->live.at;
    a->counts = agon__carve(c, lanes * sizeof *a->counts);
    const size_t rows = lanes * (size_t)a->own;
    p->count = carve_piece(c, rows * sizeof *a->count);
    a->count = p->count.at;
    p->open = carve_piece(c, rows * sizeof *a->open);
    a->open = p->open.at;
    p->complete = carve_piece(c, rows);
    a->complete = p->complete.at;
    a->episode_return = agon__carve(c, rows * sizeof *a->episode_return);
}

static void carve_slots(agon__play_args* a, agon__carver* c) {
    const size_t slots = (size_t)a->members * (size_t)(a->lanes * a->seats);
    a->slot_of = agon__carve(c, slots * sizeof *a->slot_of);
    a->slot_lane = agon__carve(c, slots * sizeof *a->slot_lane);
    a->slot_seat = agon__carve(c, slots);
    a->slot_episode = agon__carve(c, slots * sizeof *a->slot_episode);
    a->slot_ply = agon__carve(c, slots * sizeof *a->slot_ply);
    a->place = agon__carve(c, slots * sizeof *a->place);
    a->action = agon__carve(c, slots * sizeof *a->action);
    a->log_probability = agon__carve(c, slots * sizeof *a->log_probability);
    a->value = agon__carve(c, slots * sizeof *a->value);
}

/* Nothing, of nets without memory. */
static void carve_remembered(agon__play_args* a, agon__carver* c) {
    const size_t slots = (size_t)a->members * (size_t)(a->lanes * a->seats);
    const size_t each = (size_t)a->remembered * sizeof(float);
    if (!a->remembered)
        return;
    a->memory_of = agon__carve(c, slots * sizeof *a->memory_of);
    a->memory = agon__carve(c, (slots + 1) * each);
    a->memory_row = agon__carve(c, slots * sizeof *a->memory_row);
    a->memory_after = agon__carve(c, slots * each);
}

static void carve_members(agon__play_plan* p, agon__carver* c) {
    agon__play_args* a = &p->args;
    const size_t members = (size_t)a->members, groups = members * (size_t)a->players;
    a->start = agon__carve(c, groups * sizeof *a->start);
    a->group = agon__carve(c, groups * sizeof *a->group);
    a->slots = agon__carve(c, members * sizeof *a->slots);
    p->told = carve_piece(c, members * (sizeof *a->word + sizeof *a->sums));
    a->word = p->told.at;
    a->sums = a->word ? (agon__play_counts*)(a->word + members) : NULL;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void set_forward(agon__play_plan* p, const agon_rules* rules, const agon__gpu_net* net) {
    const agon__play_args* a = &p->args;
    agon__gpu_forward* f = &p->forward;
    const int each = a->lanes * a->seats;
    f->net = *net;
    f->groups = a->members * a->players;
    f->start = a->start;
    f->count = a->group;
    f->slots = a->members * each;
    f->most = rules->spec.simultaneous ? each : a->lanes;
    f->obs_type = (int)rules->spec.obs_type;
    f->scale = rules->spec.obs_scale;
    f->obs_bytes = a->obs_bytes;
    f->obs = a->rectangles.obs;
    f->mask = a->rectangles.mask;
    f->place = a->place;
    f->mask_words = a->mask_words;
    f->memory = a->memory;
    f->memory_row = a->memory_row;
    f->memory_after = a->memory_after;
    f->temperature = 1.0f;
    f->draws.episode = a->slot_episode;
    f->draws.ply = a->slot_ply;
    f->draws.seat = a->slot_seat;
    f->value = a->value;
    f->action = a->action;
    f->log_probability = a->log_probability;
}

int agon__play_players(const agon_shard_def* shard) {
    int players = 1;
    for (int m = 0; m < shard->members; m++)
        if (1 + shard->member[m].opponents > players)
            players = 1 + shard->member[m].opponents;
    return players;
}

agon__play_plan agon__play_plan_of(const agon_shard_def* shard, int players,
                                   const agon__gpu_net* net, const agon__gpu_rectangles* rectangles,
                                   int processors, void* memory) {
    const agon_rules* rules = shard->rules;
    agon__play_plan p = {.args = {0}};
    agon__carver c = {(char*)memory, 0};
    set_facts(&p.args, shard, players);
    p.args.remembered = net->memory;
    set_grids(&p, processors);
    if (rectangles)
        p.args.rectangles = *rectangles;
    p.args.spare =
        (uint64_t)p.args.members * (uint64_t)(p.args.lanes * p.args.own) * (uint64_t)p.args.horizon;
    carve_given(&p, shard, &c);
    carve_lanes(&p, &c);
    carve_slots(&p.args, &c);
    carve_remembered(&p.args, &c);
    carve_members(&p, &c);
    p.args.prob = agon__carve(&c, (size_t)(p.step.blocks * p.step.warps * AGON__WARP) *
                                      (size_t)p.args.outcomes * sizeof *p.args.prob);
    p.bytes = c.used;
    set_forward(&p, rules, net);
    p.limit = (uint64_t)(shard->horizon + 2) * ((uint64_t)rules->spec.max_plies + 1) *
              (uint64_t)(2 * rules->spec.seats);
    return p;
}

void agon__play_give(const agon__play_plan* plan, const agon_shard_def* shard,
                     const void* const* const* packed, void* out) {
    const agon__play_args* a = &plan->args;
    const gifts g = gifts_at(a, shard, out);
    memset(out, 0, plan->given.bytes);
    memcpy(g.config, shard->rules->config, shard->rules->game->config_size);
    for (int m = 0; m < a->members; m++) {
        const agon_shard_member* member = &shard->member[m];
        g.chance[m] = member->chance;
        g.opponents[m] = member->opponents;
        for (int p = 0; p < a->players; p++) {
            const size_t group = (size_t)(m * a->players + p);
            g.packed[group] = packed[m][p <= member->opponents ? p : 0]; /* none: an empty group */
            memcpy(g.key + 2 * group, member->action.word, sizeof member->action.word);
        }
    }
}
