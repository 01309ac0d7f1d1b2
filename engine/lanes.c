#include "engine/lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Hands out aligned pieces of one block; with base NULL it only adds up their sizes. */
typedef struct carver {
    char* base;
    size_t used;
} carver;

static void* carve(carver* c, size_t bytes) {
    void* piece = c->base ? c->base + c->used : NULL;
    c->used += (bytes + 63) & ~(size_t)63;
    return piece;
}

static void layout(agon_lanes* l, carver* c) {
    const agon_rules* rules = l->def.rules;
    size_t lanes = (size_t)l->def.lanes, rows = lanes * (size_t)l->seats;
    size_t players = (size_t)l->def.players, remembered = (size_t)l->remembered;
    l->player = carve(c, players * sizeof *l->player);
    l->state = carve(c, lanes * l->state_size);
    l->spare = carve(c, l->state_size);
    l->acting = carve(c, lanes * sizeof *l->acting);
    l->episode = carve(c, lanes * sizeof *l->episode);
    l->chance_episode = carve(c, lanes * sizeof *l->chance_episode);
    l->ply = carve(c, lanes * sizeof *l->ply);
    l->live = carve(c, lanes);
    l->player_of = carve(c, rows * sizeof *l->player_of);
    l->action = carve(c, rows * sizeof *l->action);
    l->reward = carve(c, rows * sizeof *l->reward);
    l->memory = carve(c, rows * remembered * sizeof *l->memory);
    l->offset = carve(c, (players + 1) * sizeof *l->offset);
    l->slot_lane = carve(c, rows * sizeof *l->slot_lane);
    l->slot_seat = carve(c, rows);
    l->obs = carve(c, rows * rules->obs_bytes);
    l->mask = carve(c, rows * (size_t)rules->mask_words * sizeof *l->mask);
    l->slot_action = carve(c, rows * sizeof *l->slot_action);
    l->log_probability = carve(c, rows * sizeof *l->log_probability);
    l->value = carve(c, rows * sizeof *l->value);
    l->recalled = carve(c, rows * remembered * sizeof *l->recalled);
    l->uniform = carve(c, rows * sizeof *l->uniform);
    l->slot_episode = carve(c, rows * sizeof *l->slot_episode);
    l->slot_ply = carve(c, rows * sizeof *l->slot_ply);
    l->played = carve(c, lanes * sizeof *l->played);
    l->packed = carve(c, players * sizeof *l->packed);
    l->cursor = carve(c, (players + 1) * sizeof *l->cursor);
}

static int memory_of(const agon_player* player) {
    return player->net ? agon_net_memory(player->net) : player->policy->memory;
}

static agon_lanes shape_of(const agon_lanes_def* def) {
    agon_lanes shape = {
        .def = *def, .seats = def->rules->spec.seats, .state_size = def->rules->spec.state_size};
    for (int p = 0; p < def->players; p++) {
        const int floats = memory_of(&def->player[p]);
        shape.remembered = floats > shape.remembered ? floats : shape.remembered;
    }
    return shape;
}

size_t agon_lanes_size(const agon_lanes_def* def) {
    agon_lanes shape = shape_of(def);
    carver c = {0};
    layout(&shape, &c);
    return c.used;
}

int agon_lanes_open(const agon_lanes_def* def, agon_lanes** out, agon_error* error) {
    assert(def->lanes > 0 && def->players > 0);
    const size_t size = agon_lanes_size(def);
    agon_lanes* l = calloc(1, sizeof *l);
    if (!l)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d lanes", def->lanes);
    *l = shape_of(def);
    if (posix_memalign(&l->block, 64, size) != 0) {
        l->block = NULL;
        goto fail;
    }
    memset(l->block, 0, size);
    layout(l, &(carver){l->block, 0});
    memcpy(l->player, def->player, (size_t)def->players * sizeof *l->player);
    l->def.player = l->player;
    l->scratch = def->backend->scratch_open();
    if (!l->scratch)
        goto fail;
    for (int p = 0; p < def->players; p++)
        if (l->player[p].net && def->backend->scratch_reserve(l->scratch, l->player[p].net,
                                                              def->lanes * l->seats, 0) != 0)
            goto fail;
    *out = l;
    return AGON_OK;
fail:
    agon_lanes_close(l);
    const int rc = def->backend->check ? def->backend->check(NULL, error) : AGON_OK;
    if (rc)
        return rc;
    return agon_fail(error, AGON_EMEMORY, "no memory for %d lanes of %s", def->lanes,
                     def->rules->name);
}

void agon_lanes_close(agon_lanes* l) {
    if (!l)
        return;
    if (l->scratch)
        l->def.backend->scratch_close(l->scratch);
    free(l->block);
    free(l);
}

/* ---- memory ------------------------------------------------------------------------------- */

static float* row_memory(agon_lanes* l, uint32_t lane, int seat) {
    return l->memory + ((size_t)lane * l->seats + seat) * (size_t)l->remembered;
}

/* Where the memory of player p's slots begins: behind that of the players before. */
static float* recalled_by(const agon_lanes* l, int p) {
    float* at = l->recalled;
    for (int before = 0; before < p; before++)
        at += (size_t)(l->offset[before + 1] - l->offset[before]) *
              (size_t)memory_of(&l->player[before]);
    return at;
}

/* The rows that are to decide give their slots what they remember, in the order of forwards. */
static void recall(agon_lanes* l) {
    float* at = l->recalled;
    for (int p = 0; l->remembered && p < l->def.players; p++) {
        const size_t floats = (size_t)memory_of(&l->player[p]);
        for (int i = l->offset[p]; i < l->offset[p + 1]; i++, at += floats)
            memcpy(at, row_memory(l, l->slot_lane[i], l->slot_seat[i]), floats * sizeof *at);
    }
}

/* And the rows whose decisions are played remember them. */
static void remember(agon_lanes* l) {
    const float* at = l->recalled;
    for (int p = 0; l->remembered && p < l->def.players; p++) {
        const size_t floats = (size_t)memory_of(&l->player[p]);
        for (int i = l->offset[p]; i < l->offset[p + 1]; i++, at += floats)
            if (l->live[l->slot_lane[i]])
                memcpy(row_memory(l, l->slot_lane[i], l->slot_seat[i]), at, floats * sizeof *at);
    }
}

/* ---- episodes ----------------------------------------------------------------------------- */

void agon_lanes_start(agon_lanes* l, int lane, uint32_t episode, uint32_t chance_episode) {
    l->episode[lane] = episode;
    l->chance_episode[lane] = chance_episode;
    l->ply[lane] = 0;
    l->live[lane] = 1;
    memset(row_memory(l, lane, 0), 0, (size_t)l->seats * (size_t)l->remembered * sizeof *l->memory);
    l->acting[lane] =
        agon_rules_start(l->def.rules, l->state + (size_t)lane * l->state_size,
                         l->reward + (size_t)lane * l->seats, l->def.chance, chance_episode);
}

/* One uniformly random ply, tried on the side; 0 when it would end the episode. */
static int random_ply(agon_lanes* l, int lane, agon_key key) {
    const agon_rules* rules = l->def.rules;
    const int words = rules->mask_words;
    uint64_t mask[(AGON_MAX_ACTIONS + 63) / 64];
    uint16_t action[AGON_MAX_SEATS] = {0};
    float reward[AGON_MAX_SEATS] = {0};
    char* state = l->state + (size_t)lane * l->state_size;
    for (int seat = 0; seat < l->seats; seat++) {
        if (!(l->acting[lane] >> seat & 1))
            continue;
        rules->game->legal(rules->config, state, seat, mask);
        uint32_t word =
            agon_random(key, l->chance_episode[lane], l->ply[lane], (uint32_t)seat, 0).word[0];
        int legal = agon_mask_count(mask, words);
        action[seat] = (uint16_t)agon_mask_nth(mask, words, (int)agon_below(word, (uint32_t)legal));
    }
    memcpy(l->spare, state, l->state_size);
    if (rules->game->apply(rules->config, l->spare, action, reward) != 0)
        return 0;
    uint64_t acting = agon_rules_settle(rules, l->spare, reward, l->def.chance,
                                        l->chance_episode[lane], l->ply[lane] + 1);
    if (!acting)
        return 0;
    memcpy(state, l->spare, l->state_size);
    l->acting[lane] = acting;
    l->ply[lane]++;
    return 1;
}

int agon_lanes_opening(agon_lanes* l, int lane, int plies, agon_key key) {
    int played = 0;
    while (played < plies && l->acting[lane] && random_ply(l, lane, key))
        played++;
    return played;
}

int agon_lanes_opening_plies(const agon_rules* rules, int plies) {
    const agon_spec* s = &rules->spec;
    const bool plain =
        s->information == AGON_PERFECT && s->chance_outcomes == 0 && !s->simultaneous;
    return plain ? plies : 0;
}

/* ---- decisions ---------------------------------------------------------------------------- */

/* Counting sort of the acting rows by player: slot_lane, slot_seat, offset. */
static void gather(agon_lanes* l) {
    const int players = l->def.players, seats = l->seats;
    memset(l->offset, 0, (size_t)(players + 1) * sizeof *l->offset);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        if (!l->live[lane])
            continue;
        for (uint64_t set = l->acting[lane]; set; set &= set - 1)
            l->offset[l->player_of[lane * seats + __builtin_ctzll(set)] + 1]++;
    }
    for (int p = 0; p < players; p++)
        l->offset[p + 1] += l->offset[p];
    memcpy(l->cursor, l->offset, (size_t)players * sizeof *l->cursor);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        if (!l->live[lane])
            continue;
        for (uint64_t set = l->acting[lane]; set; set &= set - 1) {
            int seat = __builtin_ctzll(set);
            int slot = l->cursor[l->player_of[lane * seats + seat]]++;
            l->slot_lane[slot] = (uint32_t)lane;
            l->slot_seat[slot] = (uint8_t)seat;
            l->slot_episode[slot] = l->episode[lane];
            l->slot_ply[slot] = l->ply[lane];
        }
    }
    l->slots = l->offset[players];
}

static void observe(agon_lanes* l) {
    const agon_rules* rules = l->def.rules;
    const agon_game* game = rules->game;
    if (game->observe_batch) {
        game->observe_batch(rules->config, l->state, l->slot_lane, l->slot_seat, l->slots, l->obs,
                            l->mask);
        return;
    }
    for (int i = 0; i < l->slots; i++) {
        const char* state = l->state + (size_t)l->slot_lane[i] * l->state_size;
        game->observe(rules->config, state, l->slot_seat[i], l->obs + (size_t)i * rules->obs_bytes);
        game->legal(rules->config, state, l->slot_seat[i],
                    l->mask + (size_t)i * (size_t)rules->mask_words);
    }
}

/* The grouped forward of players first..last-1, which are nets of one architecture. */
static void describe_forward(agon_lanes* l, int first, int last) {
    const agon_rules* rules = l->def.rules;
    const int start = l->offset[first], rows = l->offset[last] - start;
    for (int p = first; p < last; p++) {
        l->packed[p] = l->player[p].packed;
        l->cursor[p] = l->offset[p] - start;
    }
    l->cursor[last] = rows;
    agon_profile_enter(l->def.profile, AGON_PHASE_SAMPLE);
    agon_uniforms(l->def.action, l->slot_episode + start, l->slot_ply + start, l->slot_seat + start,
                  rows, l->uniform + start);
    l->call = (agon_forward){
        .net = l->player[first].net,
        .input = {rules->spec.obs_type, rules->spec.obs_scale},
        .nets = last - first,
        .packed = l->packed + first,
        .offsets = l->cursor + first,
        .obs = l->obs + (size_t)start * rules->obs_bytes,
        .memory = agon_net_memory(l->player[first].net) ? recalled_by(l, first) : NULL,
        .mask = l->mask + (size_t)start * (size_t)rules->mask_words,
        .temperature = l->def.temperature,
        .uniform = l->uniform + start,
        .value = l->value + start,
        .action = l->slot_action + start,
        .log_probability = l->log_probability + start,
        .profile = l->def.profile,
    };
}

static void ask_scripted(agon_lanes* l, int p) {
    const agon_rules* rules = l->def.rules;
    const int start = l->offset[p], count = l->offset[p + 1] - start;
    if (!count)
        return;
    agon_batch batch = {
        .rules = rules,
        .count = count,
        .obs = l->obs + (size_t)start * rules->obs_bytes,
        .mask = l->mask + (size_t)start * (size_t)rules->mask_words,
        .states = l->player[p].policy->needs_state ? l->state : NULL,
        .lane = l->slot_lane + start,
        .seat = l->slot_seat + start,
        .key = l->def.action,
        .episode = l->slot_episode + start,
        .ply = l->slot_ply + start,
        .memory = l->player[p].policy->memory ? recalled_by(l, p) : NULL,
        .temperature = l->def.temperature,
        .action = l->slot_action + start,
    };
    agon_profile_enter(l->def.profile, AGON_PHASE_SCRIPTED);
    l->player[p].policy->act(l->player[p].policy, &batch);
}

static bool same_net(const agon_net* a, const agon_net* b) {
    return a == b || (a && b && memcmp(a, b, sizeof *a) == 0);
}

/* All forwards; the last one is only begun where the backend can do that. */
static void begin_nets(agon_lanes* l) {
    const agon_backend* backend = l->def.backend;
    const int players = l->def.players;
    bool waiting = false;
    for (int p = 0, next; p < players; p = next) {
        next = p + 1;
        if (!l->player[p].net)
            continue;
        while (next < players && same_net(l->player[p].net, l->player[next].net))
            next++;
        if (l->offset[p] == l->offset[next])
            continue;
        agon_profile_enter(l->def.profile, AGON_PHASE_FORWARD);
        if (waiting)
            backend->forward(&l->call, l->scratch);
        describe_forward(l, p, next);
        waiting = true;
    }
    if (!waiting)
        return;
    agon_profile_enter(l->def.profile, AGON_PHASE_FORWARD);
    l->begun = backend->begin != NULL;
    if (l->begun)
        backend->begin(&l->call, l->scratch);
    else
        backend->forward(&l->call, l->scratch);
}

void agon_lanes_begin(agon_lanes* l) {
    const agon_phase before = agon_profile_enter(l->def.profile, AGON_PHASE_OBSERVE);
    gather(l);
    observe(l);
    recall(l);
    begin_nets(l);
    agon_profile_enter(l->def.profile, before);
}

void agon_lanes_finish(agon_lanes* l) {
    const agon_phase before = agon_profile_enter(l->def.profile, AGON_PHASE_OBSERVE);
    for (int p = 0; p < l->def.players; p++)
        if (!l->player[p].net)
            ask_scripted(l, p);
    if (l->begun) {
        agon_profile_enter(l->def.profile, AGON_PHASE_FORWARD);
        l->def.backend->finish(l->scratch);
        l->begun = false;
    }
    agon_profile_enter(l->def.profile, AGON_PHASE_OBSERVE);
    for (int i = 0; i < l->slots; i++)
        l->action[(size_t)l->slot_lane[i] * l->seats + l->slot_seat[i]] = l->slot_action[i];
    agon_profile_enter(l->def.profile, before);
}

void agon_lanes_decide(agon_lanes* l) {
    agon_lanes_begin(l);
    agon_lanes_finish(l);
}

int agon_lanes_check(const agon_lanes* l, agon_error* error) {
    const agon_backend* backend = l->def.backend;
    return backend->check ? backend->check(l->scratch, error) : AGON_OK;
}

void agon_lanes_play(agon_lanes* l) {
    const agon_rules* rules = l->def.rules;
    const agon_game* game = rules->game;
    const agon_phase before = agon_profile_enter(l->def.profile, AGON_PHASE_STEP);
    int count = 0;
    remember(l);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        if (!l->live[lane])
            continue;
        memset(l->reward + (size_t)lane * l->seats, 0, (size_t)l->seats * sizeof *l->reward);
        if (l->acting[lane]) /* chance may end an episode before anybody acts */
            l->played[count++] = (uint32_t)lane;
    }
    int done = 0;
    if (game->apply_batch) {
        done = game->apply_batch(rules->config, l->state, l->played, count, l->action, l->reward);
    } else {
        for (; done < count; done++)
            if (game->apply(rules->config, l->state + l->played[done] * l->state_size,
                            l->action + (size_t)l->played[done] * l->seats,
                            l->reward + (size_t)l->played[done] * l->seats) != 0)
                break;
    }
    assert(done == count && "a policy chose an illegal action");
    for (int i = 0; i < count; i++) {
        uint32_t lane = l->played[i];
        l->ply[lane]++;
        l->acting[lane] = agon_rules_settle(rules, l->state + lane * l->state_size,
                                            l->reward + (size_t)lane * l->seats, l->def.chance,
                                            l->chance_episode[lane], l->ply[lane]);
    }
    agon_profile_enter(l->def.profile, before);
}
