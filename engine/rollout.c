#include "engine/rollout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEARNER = 0 }; /* player 0; opponents are 1, 2, ... */

/* A single seat rotates by episode, and the k-th other seat of a lane is always held by the same
 * opponent. Against fixed seats one opponent holds all the others: they play together. */
static void seat_players(agon_rollout* r, int lane) {
    agon_lanes* l = r->lanes;
    int32_t* player = l->player_of + (size_t)lane * l->seats;
    const uint64_t turn = (r->episodes[lane] + (uint32_t)lane) % (uint32_t)l->seats;
    const uint64_t own = r->def.own_seats ? r->def.own_seats : 1ull << turn;
    for (int seat = 0, k = 0; seat < l->seats; seat++) {
        if (own >> seat & 1)
            player[seat] = LEARNER;
        else
            player[seat] = 1 + (lane + (r->def.own_seats ? 0 : k++)) % r->def.opponents;
    }
}

static int row_of(const agon_rollout* r, int lane, int seat) {
    const uint64_t before = r->def.own_seats & ((1ull << seat) - 1);
    return lane * r->rows_per_lane + __builtin_popcountll(before);
}

static void start_episode(agon_rollout* r, int lane) {
    /* Episode numbers interleave lanes, so they are unique within the task. */
    uint32_t episode = r->episodes[lane] * (uint32_t)r->def.lanes + (uint32_t)lane;
    seat_players(r, lane);
    agon_lanes_start(r->lanes, lane, episode, episode);
    for (int i = 0; i < r->rows_per_lane; i++)
        r->episode_return[lane * r->rows_per_lane + i] = 0;
    for (int seat = 0; seat < r->lanes->seats; seat++)
        if (r->lanes->player_of[lane * r->lanes->seats + seat] == LEARNER)
            r->episode_return[row_of(r, lane, seat)] +=
                r->lanes->reward[(size_t)lane * r->lanes->seats + seat];
    r->episodes[lane]++;
}

int agon_rollout_open(const agon_rollout_def* def, agon_rollout** out, agon_error* error) {
    const agon_spec* spec = &def->rules->spec;
    assert((def->own_seats & ~agon_rules_seats(def->rules)) == 0);
    assert((def->opponents > 0) == ((agon_rules_seats(def->rules) & ~def->own_seats) != 0) ||
           (!def->own_seats && spec->seats == 1));
    agon_player player[1 + AGON_MAX_OPPONENTS] = {{&def->learner->net, def->learner->packed, NULL}};
    assert(def->opponents <= AGON_MAX_OPPONENTS);
    for (int i = 0; i < def->opponents; i++)
        player[1 + i] = def->opponent[i];
    agon_rollout* r = calloc(1, sizeof *r);
    if (!r)
        return agon_fail(error, AGON_EMEMORY, "no memory for a rollout");
    r->def = *def;
    r->rows_per_lane = def->own_seats ? __builtin_popcountll(def->own_seats) : 1;
    const size_t rows = (size_t)def->lanes * (size_t)r->rows_per_lane;
    agon_lanes_def lanes = {
        .rules = def->rules,
        .backend = def->backend,
        .lanes = def->lanes,
        .players = 1 + def->opponents,
        .player = player,
        .chance = def->chance,
        .action = def->action,
        .temperature = 1,
        .profile = def->profile,
    };
    int rc = agon_lanes_open(&lanes, &r->lanes, error);
    if (rc) {
        agon_rollout_close(r);
        return rc;
    }
    agon_input input = {spec->obs_type, spec->obs_scale};
    r->data = agon_rectangle_open((int)rows, def->horizon, input, def->rules->obs_bytes,
                                  def->rules->mask_words, def->lanes * spec->seats);
    r->count = calloc(rows, sizeof *r->count);
    r->open = calloc(rows, sizeof *r->open);
    r->complete = calloc(rows, 1);
    r->episode_return = calloc(rows, sizeof *r->episode_return);
    r->episodes = calloc((size_t)def->lanes, sizeof *r->episodes);
    if (!r->data || !r->count || !r->open || !r->complete || !r->episode_return || !r->episodes) {
        agon_rollout_close(r);
        return agon_fail(error, AGON_EMEMORY, "no memory for %zu rows x %d decisions", rows,
                         def->horizon);
    }
    for (int lane = 0; lane < def->lanes; lane++)
        start_episode(r, lane);
    *out = r;
    return AGON_OK;
}

size_t agon_rollout_size(const agon_rollout* r) {
    const size_t each =
        sizeof *r->count + sizeof *r->open + sizeof *r->complete + sizeof *r->episode_return;
    return sizeof *r + agon_lanes_size(&r->lanes->def) + agon_rectangle_size(r->data) +
           (size_t)r->data->rows * each + (size_t)r->def.lanes * sizeof *r->episodes;
}

void agon_rollout_close(agon_rollout* r) {
    if (!r)
        return;
    agon_lanes_close(r->lanes);
    agon_rectangle_close(r->data);
    free(r->count);
    free(r->open);
    free(r->complete);
    free(r->episode_return);
    free(r->episodes);
    free(r);
}

/* Every learner row of a lane is complete. */
static int lane_complete(const agon_rollout* r, int lane) {
    for (int i = 0; i < r->rows_per_lane; i++)
        if (!r->complete[lane * r->rows_per_lane + i])
            return 0;
    return 1;
}

/* A row with a full count that must decide again closes with the value of this decision. */
static void close_full_rows(agon_rollout* r) {
    const agon_lanes* l = r->lanes;
    for (int slot = l->offset[LEARNER]; slot < l->offset[LEARNER + 1]; slot++) {
        int row = row_of(r, (int)l->slot_lane[slot], l->slot_seat[slot]);
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
static void look_into_data(agon_rollout* r) {
    const agon_rectangle* d = r->data;
    r->lanes->obs = (char*)d->obs + (size_t)r->seen * d->obs_bytes;
    r->lanes->mask = d->mask + (size_t)r->seen * (size_t)d->mask_words;
}

/* Keeps what a slot saw, next to what was kept before; it lies there already unless a slot before
 * it was not kept. Returns its place. */
static uint32_t keep_sight(agon_rollout* r, int slot, int kept) {
    const agon_lanes* l = r->lanes;
    const size_t words = (size_t)r->data->mask_words, bytes = r->data->obs_bytes;
    if (slot != kept) {
        memcpy(l->obs + (size_t)kept * bytes, l->obs + (size_t)slot * bytes, bytes);
        memcpy(l->mask + (size_t)kept * words, l->mask + (size_t)slot * words, words * 8);
    }
    return (uint32_t)(r->seen + kept);
}

static void store_decision(agon_rollout* r, int slot, int row, uint32_t place) {
    const agon_lanes* l = r->lanes;
    agon_rectangle* d = r->data;
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

static void store_decisions(agon_rollout* r) {
    const agon_lanes* l = r->lanes;
    int kept = 0;
    for (int slot = l->offset[LEARNER]; slot < l->offset[LEARNER + 1]; slot++) {
        int row = row_of(r, (int)l->slot_lane[slot], l->slot_seat[slot]);
        if (!l->live[l->slot_lane[slot]])
            continue;
        if (r->count[row] < r->def.horizon)
            store_decision(r, slot, row, keep_sight(r, slot, kept++));
        else
            r->extra_steps++;
    }
    r->seen += kept;
    for (int slot = l->offset[LEARNER + 1]; slot < l->slots; slot++)
        r->other_steps += l->live[l->slot_lane[slot]];
}

static void end_episode(agon_rollout* r, int lane) {
    for (int i = 0; i < r->rows_per_lane; i++) {
        int row = lane * r->rows_per_lane + i;
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
    r->length_sum += r->lanes->ply[lane];
    start_episode(r, lane);
}

static void credit_rewards(agon_rollout* r, int lane) {
    const agon_lanes* l = r->lanes;
    for (int seat = 0; seat < l->seats; seat++) {
        if (l->player_of[lane * l->seats + seat] != LEARNER)
            continue;
        int row = row_of(r, lane, seat);
        float reward = l->reward[(size_t)lane * l->seats + seat];
        r->episode_return[row] += reward;
        if (r->open[row] >= 0)
            r->data->reward[(size_t)row * (size_t)r->def.horizon + (size_t)r->open[row]] += reward;
    }
}

static void begin(agon_rollout* r) {
    const size_t rows = (size_t)r->data->rows;
    memset(r->count, 0, rows * sizeof *r->count);
    memset(r->complete, 0, rows);
    for (size_t i = 0; i < rows; i++)
        r->open[i] = -1;
    memset(r->lanes->live, 1, (size_t)r->def.lanes);
    r->seen = 0;
}

int agon_rollout_collect(agon_rollout* r, agon_error* error) {
    agon_lanes* l = r->lanes;
    /* Each decision comes within one episode of the last, unless the seat never acts. */
    uint64_t plies = 0, limit = (uint64_t)(r->def.horizon + 2) *
                                (uint64_t)(r->def.rules->spec.max_plies + 1) *
                                (uint64_t)(2 * l->seats);
    begin(r);
    for (int waiting = 0; waiting < r->def.lanes;) {
        if (plies++ > limit)
            return agon_fail(error, AGON_ELIMIT, "%s: a seat did not come to act in %llu plies",
                             r->def.rules->name, (unsigned long long)limit);
        look_into_data(r);
        agon_lanes_decide(l);
        close_full_rows(r);
        for (int lane = 0; lane < r->def.lanes; lane++) {
            if (l->live[lane] && lane_complete(r, lane)) {
                l->live[lane] = 0;
                waiting++;
            }
        }
        store_decisions(r);
        agon_lanes_play(l);
        for (int lane = 0; lane < r->def.lanes; lane++) {
            if (!l->live[lane])
                continue;
            credit_rewards(r, lane);
            if (l->acting[lane])
                continue;
            end_episode(r, lane);
            if (lane_complete(r, lane)) {
                l->live[lane] = 0;
                waiting++;
            }
        }
    }
    return AGON_OK;
}
