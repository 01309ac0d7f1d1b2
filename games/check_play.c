/* SPDX-License-Identifier: 0BSD
 *
 * check_play.c: questions about moves: who acts, what is legal, chance, bounds, returns. */
#include "check_inside.h"

#include <math.h>

enum {
    TRIES = 2048,      /* actions that are tried at a position; more are drawn */
    TRIED = 256 << 20, /* bytes of states that are copied for all of them, at most */
};

/* How many actions of a seat are tried. */
static int tries(const agon__check* k) {
    const size_t seats = (size_t)__builtin_popcountll(k->acting);
    const size_t most = TRIED / (k->rules->spec.state_size * (seats ? seats : 1));
    return most > TRIES ? TRIES : most < 8 ? 8 : (int)most;
}

static const char* seats_text(uint64_t acting, char out[64]) {
    if (acting == AGON_CHANCE)
        snprintf(out, 64, "chance");
    else
        snprintf(out, 64, "seats 0x%llx", (unsigned long long)acting);
    return out;
}

bool agon__ask_acting(agon__check* k) {
    const agon_spec* spec = &k->rules->spec;
    char first[64], second[64];
    const uint64_t again = agon__call(k, "acting")->acting(k->rules->config, k->state);
    seats_text(k->acting, first);
    if (again != k->acting)
        return agon__broken(k, "acting is %s, and %s when asked again", first,
                            seats_text(again, second));
    if (k->sane)
        return true;
    if (k->acting == AGON_CHANCE)
        return agon__broken(k, "acting is chance, but the facts say chance_outcomes = %d%s",
                            spec->chance_outcomes, k->rules->game->chance ? "" : " and no chance");
    if (k->acting & AGON_CHANCE)
        return agon__broken(k, "acting is %s: AGON_CHANCE together with seats", first);
    if (k->acting & ~agon_rules_seats(k->rules))
        return agon__broken(k, "acting is %s, but the game has %d seats", first, spec->seats);
    return agon__broken(k, "acting is %s, several at once, but the facts say simultaneous = 0",
                        first);
}

/* ---- legality ----------------------------------------------------------------------------- */

/* Plays `action` of a seat, with the others' as chosen, on k->spare; 0 or what apply gave. The
 * reward goes to `reward`, which starts at 0. */
static int try_action(agon__check* k, int seat, int action, float* reward) {
    uint16_t row[AGON_MAX_SEATS];
    memcpy(row, k->action, sizeof row);
    memset(reward, 0, AGON_MAX_SEATS * sizeof *reward);
    memcpy(k->spare, k->state, k->rules->spec.state_size);
    row[seat] = (uint16_t)action;
    return agon__call(k, "apply")->apply(k->rules->config, k->spare, row, reward);
}

/* The n-th action to try: all of them where they are few, else drawn ones. */
static int nth_try(const agon__check* k, int n, int actions) {
    return actions <= tries(k) ? n : (int)agon__walk_random(k, 70, (uint32_t)n, (uint32_t)actions);
}

static bool mask_of_seat(agon__check* k, int seat) {
    const int actions = k->rules->spec.actions, words = k->rules->mask_words;
    float reward[AGON_MAX_SEATS];
    memset(k->mask2, 0, (size_t)words * 8);
    agon__call(k, "legal")->legal(k->rules->config, k->state, seat, k->mask2);
    for (int bit = actions; bit < 64 * words; bit++)
        if (agon_mask_has(k->mask2, bit))
            return agon__broken(k, "seat %d: action %d is legal, but there are %d actions", seat,
                                bit, actions);
    if (!agon__walk_mask(k, seat))
        return agon__broken(k, "seat %d acts, but has no legal action", seat);
    if (memcmp(k->mask, k->mask2, (size_t)words * 8) != 0)
        return agon__broken(k, "seat %d: another mask when asked again", seat);
    for (int n = 0; n < actions && n < tries(k); n++) {
        const int action = nth_try(k, n, actions);
        const bool legal = agon_mask_has(k->mask, action);
        const int code = try_action(k, seat, action, reward);
        if (legal != (code == 0) || (!legal && code != -1))
            return agon__broken(k, "seat %d, action %d: %s in the mask, but apply returns %d", seat,
                                action, legal ? "is" : "is not", code);
    }
    return true;
}

bool agon__ask_mask(agon__check* k) {
    for (int seat = 0; seat < k->rules->spec.seats && agon__decides(k); seat++)
        if ((k->acting >> seat & 1) && !mask_of_seat(k, seat))
            return false;
    return true;
}

/* Asks for an action that is not legal: refused, and not a byte has changed. */
static bool is_refused(agon__check* k, int seat, int action, const char* what) {
    float reward[AGON_MAX_SEATS];
    const int code = try_action(k, seat, action, reward);
    if (code != -1)
        return agon__broken(k, "%s, seat %d, action %d: apply returns %d, expected -1", what, seat,
                            action, code);
    if (memcmp(k->spare, k->state, k->rules->spec.state_size) != 0)
        return agon__broken(k, "%s, seat %d, action %d: refused, but the state has changed", what,
                            seat, action);
    for (int s = 0; s < k->rules->spec.seats; s++)
        if (reward[s] != 0)
            return agon__broken(k, "%s, seat %d, action %d: refused, but seat %d got %g", what,
                                seat, action, s, (double)reward[s]);
    return true;
}

/* Numbers from `from` on, some of which become `good` where a game keeps fewer bits of them. */
static bool are_refused(agon__check* k, int seat, int good, int from, const char* what) {
    const int beyond[] = {from, from + 1, good + 64, good + 256, good + 32768, AGON_MAX_ACTIONS};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        if (beyond[i] >= from && beyond[i] <= AGON_MAX_ACTIONS &&
            !is_refused(k, seat, beyond[i], what))
            return false;
    return true;
}

static bool refusals_of_seat(agon__check* k, int seat) {
    const int actions = k->rules->spec.actions;
    if (!agon__walk_mask(k, seat))
        return true;
    const int legal = agon_mask_nth(k->mask, k->rules->mask_words, 0);
    if (!are_refused(k, seat, legal, actions, "no such action"))
        return false;
    for (int n = 0; n < actions && n < tries(k); n++) {
        const int action = nth_try(k, n, actions);
        if (!agon_mask_has(k->mask, action) && !is_refused(k, seat, action, "illegal"))
            return false;
    }
    return true;
}

bool agon__ask_refusal(agon__check* k) {
    if (k->sane && k->acting == AGON_CHANCE) {
        const int count = agon__walk_chance(k);
        return !count || are_refused(k, 0, 0, count, "no such outcome");
    }
    for (int seat = 0; seat < k->rules->spec.seats && agon__decides(k); seat++)
        if ((k->acting >> seat & 1) && !refusals_of_seat(k, seat))
            return false;
    return true;
}

bool agon__ask_end(agon__check* k) {
    if (k->acting)
        return true;
    memset(k->action, 0, sizeof k->action);
    for (int n = 0; n <= 64; n++) { /* all of a few; then others, beyond the last one too */
        const int action = n < 32   ? n
                           : n < 64 ? (int)agon__walk_random(k, 71, (uint32_t)n, 65536)
                                    : AGON_MAX_ACTIONS;
        for (int seat = 0; seat < k->rules->spec.seats; seat++)
            k->action[seat] = (uint16_t)action;
        if (!is_refused(k, 0, action, "the episode is over"))
            return false;
    }
    return true;
}

bool agon__ask_plies(agon__check* k) {
    const int most = k->rules->spec.max_plies;
    if (!agon__decides(k) || k->plies < most)
        return true;
    return agon__broken(k, "seats are asked for ply %d, but the facts say max_plies = %d",
                        k->plies + 1, most);
}

/* ---- chance ------------------------------------------------------------------------------- */

static bool chance_numbers(agon__check* k, int count) {
    double sum = 0;
    if (count < 1 || count > k->rules->spec.chance_outcomes)
        return agon__broken(k, "chance has %d outcomes, the facts say 1 to %d", count,
                            k->rules->spec.chance_outcomes);
    for (int i = 0; i < count; i++) {
        if (!(k->prob[i] > 0))
            return agon__broken(k, "outcome %d has probability %g, expected more than 0", i,
                                k->prob[i]);
        sum += k->prob[i];
    }
    if (!(fabs(sum - 1) <= 1e-9))
        return agon__broken(k, "the probabilities of %d outcomes add up to %.12g, expected 1",
                            count, sum);
    return true;
}

bool agon__ask_chance(agon__check* k) {
    float reward[AGON_MAX_SEATS];
    double* again = (double*)(void*)k->out;
    if (!k->sane || k->acting != AGON_CHANCE)
        return true;
    const int count = agon__call(k, "chance")->chance(k->rules->config, k->state, k->prob);
    if (!chance_numbers(k, count))
        return false;
    if (agon__call(k, "chance")->chance(k->rules->config, k->state, again) != count ||
        memcmp(again, k->prob, (size_t)count * sizeof *again) != 0)
        return agon__broken(k, "other probabilities when asked again");
    for (int n = 0; n < count && n < TRIES; n++) {
        const int code = try_action(k, 0, n, reward);
        if (code != 0)
            return agon__broken(k, "outcome %d of %d: apply returns %d", n, count, code);
    }
    return true;
}

/* ---- returns ------------------------------------------------------------------------------ */

bool agon__ask_utility(agon__check* k) {
    const agon_spec* spec = &k->rules->spec;
    const double wanted = spec->utility == AGON_CONSTANT_SUM ? (double)spec->utility_sum : 0;
    double sum = 0;
    if (k->acting || spec->utility == AGON_GENERAL_SUM)
        return true;
    for (int seat = 0; seat < spec->seats; seat++)
        sum += k->reward[seat];
    if (fabs(sum - wanted) <= agon__walk_slack(k, wanted))
        return true;
    return agon__broken(k, "the returns add up to %.9g, the facts say %s: %g", sum,
                        spec->utility == AGON_ZERO_SUM ? "zero-sum" : "constant-sum", wanted);
}

bool agon__ask_rewards(agon__check* k) {
    const agon_spec* spec = &k->rules->spec;
    for (int seat = 0; seat < spec->seats; seat++) {
        const double got = k->reward[seat];
        const double least = (double)spec->return_min, most = (double)spec->return_max;
        if (!isfinite(got))
            return agon__broken(k, "seat %d has %g, expected a finite number", seat, got);
        if (!k->acting &&
            (got < least - agon__walk_slack(k, least) || got > most + agon__walk_slack(k, most)))
            return agon__broken(k, "the return of seat %d is %.9g, the facts say %.9g to %.9g",
                                seat, got, least, most);
    }
    return true;
}
