/* SPDX-License-Identifier: 0BSD
 *
 * check_know.c: questions about what seats know, and about what the rules treat alike. */
#include "check_inside.h"

#include <math.h>

enum { RESAMPLES = 8, PLAY_ON = 12 };

/* ---- seats treated alike ------------------------------------------------------------------ */

static int swapped(int seat, int a, int b) {
    return seat == a ? b : seat == b ? a : seat;
}

static uint64_t swapped_set(uint64_t set, int a, int b) {
    const uint64_t other = (set >> a ^ set >> b) & 1;
    return set == AGON_CHANCE ? set : set ^ (other << a | other << b);
}

/* What the seats see of two positions, one with seats 0 and 1 exchanged. With more than two seats,
 * who sits where shows in what the others see. */
static int differing_view(agon__check* k, const void* state, const void* exchanged) {
    const agon_rules* rules = k->rules;
    const uint64_t acting = agon__call(k, "acting")->acting(rules->config, state);
    if (rules->spec.seats != 2 || !acting || acting == AGON_CHANCE)
        return -1;
    for (int seat = 0; seat < 2; seat++) {
        agon__call(k, "observe")->observe(rules->config, state, seat, k->out);
        agon__call(k, "observe")->observe(rules->config, exchanged, 1 - seat, k->out2);
        if (memcmp(k->out, k->out2, rules->obs_bytes) != 0)
            return seat;
    }
    return -1;
}

/* Plays the outcome that is `own` with the seats exchanged on k->spare: the same one or, where it
 * names a seat (a serve to the left), the first of the same probability that looks like it.
 * k->spare2 has played its own. */
static int exchanged_outcome(agon__check* k, int own, int a, int b, float* reward) {
    const agon_rules* rules = k->rules;
    const size_t size = rules->spec.state_size;
    const uint64_t next = agon__call(k, "acting")->acting(rules->config, k->spare2);
    const int count = agon__call(k, "chance")->chance(rules->config, k->spare, k->prob);
    float before[AGON_MAX_SEATS];
    if (count > rules->spec.chance_outcomes)
        return -1;
    memcpy(before, reward, sizeof before);
    memcpy(k->spare3, k->spare, size);
    for (int trial = -1; trial < count; trial++) {
        const uint16_t row[AGON_MAX_SEATS] = {(uint16_t)(trial < 0 ? own : trial)};
        if (own >= count || k->prob[row[0]] != k->prob[own])
            continue;
        memcpy(reward, before, sizeof before);
        memcpy(k->spare, k->spare3, size);
        if (agon__call(k, "apply")->apply(rules->config, k->spare, row, reward) == 0 &&
            agon__call(k, "acting")->acting(rules->config, k->spare) == swapped_set(next, a, b) &&
            differing_view(k, k->spare2, k->spare) < 0)
            return 0;
    }
    return -1;
}

/* The line of play once more on k->spare2, and on k->spare with seats a and b exchanged. */
static bool play_exchanged(agon__check* k, int a, int b) {
    const agon_rules* rules = k->rules;
    const size_t seats = (size_t)rules->spec.seats;
    float reward[AGON_MAX_SEATS] = {0}, own[AGON_MAX_SEATS] = {0};
    agon__call(k, "init")->init(rules->config, k->spare);
    agon__call(k, "init")->init(rules->config, k->spare2);
    for (int i = 0; i <= k->shared->line.steps; i++) {
        const uint64_t first = agon__call(k, "acting")->acting(rules->config, k->spare2);
        const uint64_t second = agon__call(k, "acting")->acting(rules->config, k->spare);
        if (second != swapped_set(first, a, b))
            return agon__broken(
                k, "seats %d and %d exchanged, ply %d: seats 0x%llx act, not 0x%llx", a, b, i + 1,
                (unsigned long long)second, (unsigned long long)swapped_set(first, a, b));
        const int seat = differing_view(k, k->spare2, k->spare);
        if (seat >= 0)
            return agon__broken(k, "seats exchanged: seat %d does not see what seat %d saw",
                                1 - seat, seat);
        if (i == k->shared->line.steps)
            break;
        const uint16_t* row = k->shared->line.number + (size_t)i * seats;
        uint16_t other[AGON_MAX_SEATS] = {0};
        for (int s = 0; s < (int)seats; s++)
            other[swapped(s, a, b)] = row[s];
        agon__call(k, "apply")->apply(rules->config, k->spare2, row, own);
        if (first == AGON_CHANCE
                ? exchanged_outcome(k, row[0], a, b, reward)
                : agon__call(k, "apply")->apply(rules->config, k->spare, other, reward))
            return agon__broken(k, "seats %d and %d exchanged, ply %d: there is no such ply", a, b,
                                i + 1);
    }
    for (int s = 0; s < (int)seats; s++) {
        const double got = (double)reward[swapped(s, a, b)], wanted = (double)own[s];
        if (!(fabs(got - wanted) <= agon__walk_slack(k, wanted)))
            return agon__broken(k, "seats %d and %d exchanged: seat %d gets %g, not %g", a, b,
                                swapped(s, a, b), got, wanted);
    }
    return true;
}

/* Cards that are dealt seat by seat cannot be exchanged from outside, so lines with chance prove
 * nothing when they differ; but their author can tell. */
static void note_seats(agon__check* k) {
    agon__shared* s = k->shared;
    if (s->note[AGON__SEATS] && s->line.steps >= s->seats_steps)
        return;
    s->seats_steps = s->line.steps;
    s->note[AGON__SEATS] = s->seats_said;
    snprintf(s->seats_said, sizeof s->seats_said,
             "a line of %d plies with chance differs, no fault where chance deals to seats in "
             "turn: %.200s",
             s->line.steps, k->said);
}

bool agon__ask_seats(agon__check* k) {
    const int seats = k->rules->spec.seats;
    for (int a = 0; a < seats; a++) {
        for (int b = a + 1; b < seats; b++) {
            if (agon__is_late(k) || play_exchanged(k, a, b))
                continue;
            if (!k->draws)
                return false;
            note_seats(k);
            return true;
        }
    }
    return true;
}

/* ---- symmetries of the board -------------------------------------------------------------- */

static bool masks_correspond(agon__check* k, int g, const void* image) {
    const agon_rules* rules = k->rules;
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!(k->acting >> seat & 1) || !agon__walk_mask(k, seat))
            continue;
        memset(k->mask2, 0, (size_t)rules->mask_words * 8);
        agon__call(k, "legal")->legal(rules->config, image, seat, k->mask2);
        for (int action = 0; action < rules->spec.actions; action++) {
            const int to =
                agon__call(k, "symmetry_action")->symmetry_action(rules->config, g, action);
            if (to < 0 || to >= rules->spec.actions)
                return agon__broken(k, "symmetry %d: action %d becomes %d", g, action, to);
            if (agon_mask_has(k->mask, action) != agon_mask_has(k->mask2, to))
                return agon__broken(k,
                                    "symmetry %d: action %d of seat %d is %slegal, its image %d "
                                    "is not so",
                                    g, action, seat, agon_mask_has(k->mask, action) ? "" : "il",
                                    to);
        }
    }
    return true;
}

/* apply(symmetry(state)) is symmetry(apply(state)), rewards included. image: on k->spare. */
static bool commutes(agon__check* k, int g) {
    const agon_rules* rules = k->rules;
    const size_t size = rules->spec.state_size;
    float reward[2][AGON_MAX_SEATS] = {{0}};
    uint16_t row[AGON_MAX_SEATS] = {0};
    for (int seat = 0; seat < rules->spec.seats; seat++)
        row[seat] = k->acting == AGON_CHANCE
                        ? k->action[seat]
                        : (uint16_t)agon__call(k, "symmetry_action")
                              ->symmetry_action(rules->config, g, k->action[seat]);
    memcpy(k->out, k->state, size);
    if (agon__call(k, "apply")->apply(rules->config, k->out, k->action, reward[0]) != 0 ||
        agon__call(k, "apply")->apply(rules->config, k->spare, row, reward[1]) != 0)
        return agon__broken(k, "symmetry %d: an action or its image is refused", g);
    agon__call(k, "symmetry")->symmetry(rules->config, g, k->out, k->spare2);
    if (memcmp(k->spare, k->spare2, size) != 0)
        return agon__broken(k,
                            "symmetry %d: image of the next position and next position of the "
                            "image differ",
                            g);
    if (memcmp(reward[0], reward[1], sizeof reward[0]) != 0)
        return agon__broken(k, "symmetry %d: other rewards", g);
    return true;
}

static bool has_inverse(agon__check* k, int g) {
    const agon_rules* rules = k->rules;
    for (int h = 0; h < rules->spec.symmetries; h++) {
        agon__call(k, "symmetry")->symmetry(rules->config, h, k->spare, k->spare2);
        if (memcmp(k->spare2, k->state, rules->spec.state_size) == 0)
            return true;
    }
    return agon__broken(k, "symmetry %d: none leads back", g);
}

bool agon__ask_symmetry(agon__check* k) {
    const agon_rules* rules = k->rules;
    for (int g = 0; g < rules->spec.symmetries; g++) {
        agon__call(k, "symmetry")->symmetry(rules->config, g, k->state, k->spare);
        if (g == 0 && memcmp(k->spare, k->state, rules->spec.state_size) != 0)
            return agon__broken(k, "symmetry 0 is not the identity");
        if (agon__call(k, "acting")->acting(rules->config, k->spare) != k->acting)
            return agon__broken(k, "symmetry %d: others act", g);
        if (!has_inverse(k, g))
            return false;
        if (!k->sane || !k->acting)
            continue;
        if (k->acting != AGON_CHANCE && !masks_correspond(k, g, k->spare))
            return false;
        if (k->acting != AGON_CHANCE && !commutes(k, g))
            return false;
    }
    return true;
}

/* ---- what is hidden ----------------------------------------------------------------------- */

static bool same_view(agon__check* k, int seat) {
    const agon_rules* rules = k->rules;
    agon__call(k, "observe")->observe(rules->config, k->state, seat, k->out);
    agon__call(k, "observe")->observe(rules->config, k->spare, seat, k->out2);
    for (size_t i = 0; i < rules->obs_bytes; i++) {
        const size_t entry = rules->spec.obs_type == AGON_U8 ? i : i / sizeof(float);
        const size_t cells = (size_t)rules->spec.rows * (size_t)rules->spec.cols;
        if (k->out[i] != k->out2[i])
            return agon__broken(k,
                                "seat %d sees what it cannot know: entry %zu of plane %s changes "
                                "with what is hidden",
                                seat, entry % cells, rules->spec.plane_names[entry / cells]);
    }
    return true;
}

static bool same_infostate(agon__check* k, int seat) {
    const agon_rules* rules = k->rules;
    if (!rules->game->infostate)
        return true;
    memset(k->out, 0, AGON_INFOSTATE);
    memset(k->out2, 0, AGON_INFOSTATE);
    const int first = agon__call(k, "infostate")->infostate(rules->config, k->state, seat, k->out);
    const int second =
        agon__call(k, "infostate")->infostate(rules->config, k->spare, seat, k->out2);
    if (first == second && memcmp(k->out, k->out2, AGON_INFOSTATE) == 0)
        return true;
    return agon__broken(k, "the information state of seat %d changes with what is hidden from it",
                        seat);
}

static bool same_mask(agon__check* k, int seat) {
    const agon_rules* rules = k->rules;
    if (!(k->acting >> seat & 1) || !agon__walk_mask(k, seat))
        return true;
    memset(k->mask2, 0, (size_t)rules->mask_words * 8);
    agon__call(k, "legal")->legal(rules->config, k->spare, seat, k->mask2);
    if (memcmp(k->mask, k->mask2, (size_t)rules->mask_words * 8) == 0)
        return true;
    return agon__broken(k, "what seat %d may do changes with what is hidden from it", seat);
}

/* A resampled position is one of the game: it plays on. Keeps to k->spare. */
static bool plays_on(agon__check* k, int seat) {
    const agon_rules* rules = k->rules;
    float reward[AGON_MAX_SEATS] = {0};
    for (uint32_t ply = 0; ply < PLAY_ON; ply++) {
        uint16_t row[AGON_MAX_SEATS];
        const uint64_t acting = agon__call(k, "acting")->acting(rules->config, k->spare);
        if (!acting)
            return true;
        if (acting == AGON_CHANCE && !rules->game->chance)
            return agon__broken(k, "resampled for seat %d: chance acts, but there is none", seat);
        if (acting != AGON_CHANCE && acting & ~agon_rules_seats(rules))
            return agon__broken(k, "resampled for seat %d: seats 0x%llx act", seat,
                                (unsigned long long)acting);
        const int stuck = agon__walk_row(k, k->spare, acting, 80 + ply, row);
        if (stuck >= 0)
            return agon__broken(k, "resampled for seat %d: seat %d has no legal action", seat,
                                stuck);
        if (agon__call(k, "apply")->apply(rules->config, k->spare, row, reward) != 0)
            return agon__broken(k, "resampled for seat %d: a legal action is refused", seat);
    }
    return true;
}

static bool hides(agon__check* k, int seat, uint64_t random) {
    const agon_rules* rules = k->rules;
    const size_t size = rules->spec.state_size;
    memcpy(k->spare, k->state, size);
    memcpy(k->spare2, k->state, size);
    agon__call(k, "resample")->resample(rules->config, k->spare, seat, random);
    agon__call(k, "resample")->resample(rules->config, k->spare2, seat, random);
    if (memcmp(k->spare, k->spare2, size) != 0)
        return agon__broken(k, "resample for seat %d: another position with the same number", seat);
    if (memcmp(k->spare, k->state, size) != 0) {
        k->shared->hid = true;
        if (rules->spec.information == AGON_PERFECT)
            return agon__broken(k,
                                "the facts say perfect information, but resample replaces what "
                                "seat %d cannot know",
                                seat);
    }
    if (agon__call(k, "acting")->acting(rules->config, k->spare) != k->acting)
        return agon__broken(k, "resample for seat %d: others act", seat);
    return same_view(k, seat) && same_infostate(k, seat) && same_mask(k, seat) && plays_on(k, seat);
}

bool agon__ask_leaks(agon__check* k) {
    if (!k->rules->game->resample || !agon__decides(k))
        return true;
    for (int seat = 0; seat < k->rules->spec.seats; seat++) {
        for (uint32_t draw = 0; draw < RESAMPLES; draw++) {
            const agon_draw bits =
                agon_random(k->key, 0, (uint32_t)(k->plies + k->draws), 90, draw);
            if (!hides(k, seat, (uint64_t)bits.word[0] << 32 | bits.word[1]))
                return false;
        }
    }
    return true;
}
