#include "engine/rollout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEARNER = 0 }; /* player 0; opponents are 1, 2, ... */

/* A single seat rotates by episode, and the k-th other seat of a lane is always held by the same
 * opponent. Against fixed seats one opponent holds all the others: they play together. */
static void seat_players(agon_rollout* r, agon_rollout_part* p, int lane) {
    agon_lanes* l = p->lanes;
    const int game = p->first + lane;
    int32_t* player = l->player_of + (size_t)lane * l->seats;
    const uint64_t turn = (r->episodes[game] + (uint32_t)game) % (uint32_t)l->seats;
    const uint64_t own = r->def.own_seats ? r->def.own_seats : 1ull << turn;
    for (int seat = 0, k = 0; seat < l->seats; seat++) {
        if (own >> seat & 1)
            player[seat] = LEARNER;
        else
            player[seat] = 1 + (game + (r->def.own_seats ? 0 : k++)) % r->def.opponents;
    }
}

static int row_of(const agon_rollout* r, const agon_rollout_part* p, int lane, int seat) {
    const uint64_t before = r->def.own_seats & ((1ull << seat) - 1);
    return (p->first + lane) * r->rows_per_lane + __builtin_popcountll(before);
}

static void start_episode(agon_rollout* r, agon_rollout_part* p, int lane) {
    agon_lanes* l = p->lanes;
    const int game = p->first + lane;
    /* Episode numbers interleave lanes, so they are unique within the task. */
    uint32_t episode = r->episodes[game] * (uint32_t)r->def.lanes + (uint32_t)game;
    seat_players(r, p, lane);
    agon_lanes_start(l, lane, episode, episode);
    for (int i = 0; i < r->rows_per_lane; i++)
        r->episode_return[game * r->rows_per_lane + i] = 0;
    for (int seat = 0; seat < l->seats; seat++)
        if (l->player_of[lane * l->seats + seat] == LEARNER)
            r->episode_return[row_of(r, p, lane, seat)] +=
                l->reward[(size_t)lane * l->seats + seat];
    r->episodes[game]++;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* Lanes are cut in their order, and each part has places of its own in the rectangle: what one of
 * them sees is still read by the device while the other looks. */
static int open_parts(agon_rollout* r, agon_error* error) {
    const agon_rollout_def* def = &r->def;
    const int parts = def->parts > 1 && def->backend->begin && def->lanes > 1 ? 2 : 1;
    agon_player player[1 + AGON_MAX_OPPONENTS] = {{&def->learner->net, def->learner->packed, NULL}};
    assert(def->opponents <= AGON_MAX_OPPONENTS);
    for (int i = 0; i < def->opponents; i++)
        player[1 + i] = def->opponent[i];
    for (int i = 0, place = 0; i < parts; i++) {
        agon_rollout_part* p = &r->part[i];
        const int end = def->lanes * (i + 1) / parts;
        p->first = def->lanes * i / parts;
        p->place = place;
        const agon_lanes_def lanes = {
            .rules = def->rules,
            .backend = def->backend,
            .lanes = end - p->first,
            .players = 1 + def->opponents,
            .player = player,
            .chance = def->chance,
            .action = def->action,
            .temperature = 1,
            .profile = def->profile,
        };
        const int rc = agon_lanes_open(&lanes, &p->lanes, error);
        if (rc)
            return rc;
        r->parts++;
        place += lanes.lanes * (r->rows_per_lane * def->horizon + def->rules->spec.seats);
    }
    return AGON_OK;
}

static int open_rows(agon_rollout* r, agon_error* error) {
    const agon_rollout_def* def = &r->def;
    const agon_spec* spec = &def->rules->spec;
    const agon_input input = {spec->obs_type, spec->obs_scale};
    const size_t rows = (size_t)def->lanes * (size_t)r->rows_per_lane;
    r->data = agon_rectangle_open((int)rows, def->horizon, input, def->rules->obs_bytes,
                                  def->rules->mask_words, def->lanes * spec->seats,
                                  agon_net_memory(&def->learner->net));
    r->count = calloc(rows, sizeof *r->count);
    r->open = calloc(rows, sizeof *r->open);
    r->complete = calloc(rows, 1);
    r->episode_return = calloc(rows, sizeof *r->episode_return);
    r->episodes = calloc((size_t)def->lanes, sizeof *r->episodes);
    if (!r->data || !r->count || !r->open || !r->complete || !r->episode_return || !r->episodes)
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu rows x %d decisions", rows,
                         def->horizon);
    return AGON_OK;
}

int agon_rollout_open(const agon_rollout_def* def, agon_rollout** out, agon_error* error) {
    assert((def->own_seats & ~agon_rules_seats(def->rules)) == 0);
    assert((def->opponents > 0) == ((agon_rules_seats(def->rules) & ~def->own_seats) != 0) ||
           (!def->own_seats && def->rules->spec.seats == 1));
    agon_rollout* r = calloc(1, sizeof *r);
    if (!r)
        return agon_fail(error, AGON_EMEMORY, "no memory for a rollout");
    r->def = *def;
    r->rows_per_lane = def->own_seats ? __builtin_popcountll(def->own_seats) : 1;
    int rc = open_parts(r, error);
    if (!rc)
        rc = open_rows(r, error);
    if (rc) {
        agon_rollout_close(r);
        return rc;
    }
    for (int i = 0; i < r->parts; i++)
        for (int lane = 0; lane < r->part[i].lanes->def.lanes; lane++)
            start_episode(r, &r->part[i], lane);
    *out = r;
    return AGON_OK;
}

size_t agon_rollout_size(const agon_rollout* r) {
    const size_t each =
        sizeof *r->count + sizeof *r->open + sizeof *r->complete + sizeof *r->episode_return;
    size_t lanes = 0;
    for (int i = 0; i < r->parts; i++)
        lanes += agon_lanes_size(&r->part[i].lanes->def);
    return sizeof *r + lanes + agon_rectangle_size(r->data) + (size_t)r->data->rows * each +
           (size_t)r->def.lanes * sizeof *r->episodes;
}

void agon_rollout_close(agon_rollout* r) {
    if (!r)
        return;
    for (int i = 0; i < r->parts; i++)
        agon_lanes_close(r->part[i].lanes);
    agon_rectangle_close(r->data);
    free(r->count);
    free(r->open);
    free(r->complete);
    free(r->episode_return);
    free(r->episodes);
    free(r);
}

void agon_rollout_watch(agon_rollout* r, agon_profile* profile) {
    r->def.profile = profile;
    for (int i = 0; i < r->parts; i++)
        r->part[i].lanes->def.profile = profile;
}

/* ---- one step of one part ----------------------------------------------------------------- */

/* Every learner row of a lane is complete. */
static int lane_complete(const agon_rollout* r, const agon_rollout_part* p, int lane) {
    for (int i = 0; i < r->rows_per_lane; i++)
        if (!r->complete[(p->first + lane) * r->rows_per_lane + i])
            return 0;
    return 1;
}

static void hold_if_complete(agon_rollout* r, agon_rollout_part* p, int lane) {
    if (!p->lanes->live[lane] || !lane_complete(r, p, lane))
        return;
    p->lanes->live[lane] = 0;
    p->waiting++;
}

/* A row with a full count that must decide again closes with the value of this decision. */
static void close_full_rows(agon_rollout* r, const agon_rollout_part* p) {
    const agon_lanes* l = p->lanes;
    for (int slot = l->offset[LEARNER]; slot < l->offset[LEARNER + 1]; slot++) {
        int row = row_of(r, p, (int)l->slot_lane[slot], l->slot_seat[slot]);
        if (r->count[row] < r->def.horizon)
            continue;
        if (r->open[row] >= 0) {
            r->data->bootstrap[row] = l->value[slot];
            r->open[row] = -1;
            r->complete[row] = 1;
        }
    }
}

/* The lanes write what they see behind what is kept already, the learner's slots first. */
static void look_into_data(agon_rollout* r, agon_rollout_part* p) {
    const agon_rectangle* d = r->data;
    const size_t at = (size_t)(p->place + p->seen);
    p->lanes->obs = (char*)d->obs + at * d->obs_bytes;
    p->lanes->mask = d->mask + at * (size_t)d->mask_words;
}

/* Keeps what a slot saw, next to what was kept before; it lies there already unless a slot before
 * it was not kept. Returns its place. */
static uint32_t keep_sight(agon_rollout* r, const agon_rollout_part* p, int slot, int kept) {
    const agon_lanes* l = p->lanes;
    const size_t words = (size_t)r->data->mask_words, bytes = r->data->obs_bytes;
    if (slot != kept) {
        memcpy(l->obs + (size_t)kept * bytes, l->obs + (size_t)slot * bytes, bytes);
        memcpy(l->mask + (size_t)kept * words, l->mask + (size_t)slot * words, words * 8);
    }
    return (uint32_t)(p->place + p->seen + kept);
}

/* What the row goes on from in this rollout. */
static void store_memory(agon_rollout* r, const agon_lanes* l, int slot, int row) {
    const size_t floats = (size_t)r->data->remembered;
    memcpy(r->data->memory + (size_t)row * floats,
           agon_lanes_memory(l, (int)l->slot_lane[slot], l->slot_seat[slot]),
           floats * sizeof *r->data->memory);
}

static void store_decision(agon_rollout* r, const agon_lanes* l, int slot, int row,
                           uint32_t place) {
    agon_rectangle* d = r->data;
    if (d->remembered && r->count[row] == 0)
        store_memory(r, l, slot, row);
    const size_t at = (size_t)row * (size_t)d->horizon + (size_t)r->count[row];
    d->place[at] = place;
    d->action[at] = l->slot_action[slot];
    d->log_probability[at] = l->log_probability[slot];
    d->value[at] = l->value[slot];
    d->reward[at] = 0;
    d->last[at] = 0;
    r->open[row] = r->count[row]++;
    r->steps++;
}

static void store_decisions(agon_rollout* r, agon_rollout_part* p) {
    const agon_lanes* l = p->lanes;
    int kept = 0;
    for (int slot = l->offset[LEARNER]; slot < l->offset[LEARNER + 1]; slot++) {
        int row = row_of(r, p, (int)l->slot_lane[slot], l->slot_seat[slot]);
        if (!l->live[l->slot_lane[slot]])
            continue;
        if (r->count[row] < r->def.horizon)
            store_decision(r, l, slot, row, keep_sight(r, p, slot, kept++));
        else
            r->extra_steps++;
    }
    p->seen += kept;
    for (int slot = l->offset[LEARNER + 1]; slot < l->slots; slot++)
        r->other_steps += l->live[l->slot_lane[slot]];
}

static void end_episode(agon_rollout* r, agon_rollout_part* p, int lane) {
    for (int i = 0; i < r->rows_per_lane; i++) {
        int row = (p->first + lane) * r->rows_per_lane + i;
        r->return_sum += r->episode_return[row];
        r->return_count++;
        if (r->open[row] < 0)
            continue;
        r->data->last[(size_t)row * (size_t)r->def.horizon + (size_t)r->open[row]] = 1;
        r->open[row] = -1;
        if (r->count[row] == r->def.horizon) {
            r->data->bootstrap[row] = 0;
            r->complete[row] = 1;
        }
    }
    r->finished++;
    r->length_sum += p->lanes->ply[lane];
    start_episode(r, p, lane);
}

static void credit_rewards(agon_rollout* r, const agon_rollout_part* p, int lane) {
    const agon_lanes* l = p->lanes;
    for (int seat = 0; seat < l->seats; seat++) {
        if (l->player_of[lane * l->seats + seat] != LEARNER)
            continue;
        int row = row_of(r, p, lane, seat);
        float reward = l->reward[(size_t)lane * l->seats + seat];
        r->episode_return[row] += reward;
        if (r->open[row] >= 0)
            r->data->reward[(size_t)row * (size_t)r->def.horizon + (size_t)r->open[row]] += reward;
    }
}

/* ---- a whole rectangle -------------------------------------------------------------------- */

static bool is_full(const agon_rollout_part* p) {
    return p->waiting == p->lanes->def.lanes;
}

static void ask(agon_rollout* r, agon_rollout_part* p) {
    look_into_data(r, p);
    agon_lanes_begin(p->lanes);
    p->asked = true;
    p->plies++;
}

static void take_answer(agon_rollout* r, agon_rollout_part* p) {
    agon_lanes* l = p->lanes;
    agon_lanes_finish(l);
    p->asked = false;
    close_full_rows(r, p);
    for (int lane = 0; lane < l->def.lanes; lane++)
        hold_if_complete(r, p, lane);
    store_decisions(r, p);
    agon_lanes_play(l);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        if (!l->live[lane])
            continue;
        credit_rewards(r, p, lane);
        if (l->acting[lane])
            continue;
        end_episode(r, p, lane);
        hold_if_complete(r, p, lane);
    }
}

static void begin(agon_rollout* r) {
    const size_t rows = (size_t)r->data->rows;
    memset(r->count, 0, rows * sizeof *r->count);
    memset(r->complete, 0, rows);
    for (size_t i = 0; i < rows; i++)
        r->open[i] = -1;
    for (int i = 0; i < r->parts; i++) {
        agon_rollout_part* p = &r->part[i];
        memset(p->lanes->live, 1, (size_t)p->lanes->def.lanes);
        p->seen = p->waiting = 0;
        p->plies = 0;
        ask(r, p);
    }
}

/* Each decision comes within one episode of the last, unless the seat never acts. */
static uint64_t most_plies(const agon_rollout* r) {
    const agon_spec* spec = &r->def.rules->spec;
    return (uint64_t)(r->def.horizon + 2) * (uint64_t)(spec->max_plies + 1) *
           (uint64_t)(2 * spec->seats);
}

/* Moves every part on by one ply, in order: sums over games do not depend on how many parts there
 * are. false: all of them have stopped. */
static bool step(agon_rollout* r, uint64_t most) {
    bool going = false;
    for (int i = 0; i < r->parts; i++) {
        agon_rollout_part* p = &r->part[i];
        if (!p->asked)
            continue;
        take_answer(r, p);
        if (is_full(p) || p->plies == most)
            continue;
        ask(r, p);
        going = true;
    }
    return going;
}

static int conclude(const agon_rollout* r, uint64_t most, agon_error* error) {
    for (int i = 0; i < r->parts; i++)
        if (!is_full(&r->part[i]))
            return agon_fail(error, AGON_ELIMIT, "%s: a seat did not come to act in %llu plies",
                             r->def.rules->name, (unsigned long long)most);
    for (int i = 0; i < r->parts; i++) {
        const int rc = agon_lanes_check(r->part[i].lanes, error);
        if (rc)
            return rc;
    }
    return AGON_OK;
}

void agon_rollouts_collect(agon_rollout* const* rollouts, int count, int* code, agon_error* error) {
    for (int i = 0; i < count; i++)
        begin(rollouts[i]);
    for (bool going = true; going;) {
        going = false;
        for (int i = 0; i < count; i++)
            if (step(rollouts[i], most_plies(rollouts[i])))
                going = true;
    }
    for (int i = 0; i < count; i++)
        code[i] = conclude(rollouts[i], most_plies(rollouts[i]), error ? &error[i] : NULL);
}

int agon_rollout_collect(agon_rollout* r, agon_error* error) {
    int code;
    agon_rollouts_collect(&r, 1, &code, error);
    return code;
}
