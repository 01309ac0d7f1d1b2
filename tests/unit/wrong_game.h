/* wrong_game.h: a game that keeps every promise, and, by its parameter `fault`, one that breaks
 * just one of them. Two seats get a card each, then choose one of four numbers at once, three
 * times, never the same twice in a row; the higher half scores. Numbers 2k and 2k + 1 are alike. */
#ifndef AGON_TESTS_WRONG_GAME_H
#define AGON_TESTS_WRONG_GAME_H

#include "games/agon_game.h"

#include <math.h>
#include <signal.h>
#include <unistd.h>

/* fault, the rule that it breaks */
#define WRONG_FAULTS(X)                                                                            \
    X(none, "")                                                                                    \
    X(sum_out_of_reach, "facts")                                                                   \
    X(twin_planes, "facts")                                                                        \
    X(other_facts, "facts")                                                                        \
    X(seat_beyond, "acting")                                                                       \
    X(chance_with_seats, "acting")                                                                 \
    X(several_at_once, "acting")                                                                   \
    X(reads_who_waits, "reads")                                                                    \
    X(missing_in_mask, "mask")                                                                     \
    X(extra_in_mask, "mask")                                                                       \
    X(empty_mask, "mask")                                                                          \
    X(bit_beyond, "mask")                                                                          \
    X(changes_then_refuses, "refusal")                                                             \
    X(pays_then_refuses, "refusal")                                                                \
    X(eight_bits, "refusal")                                                                       \
    X(plays_after_end, "end")                                                                      \
    X(plays_on_by_large, "end")                                                                    \
    X(one_ply_more, "plies")                                                                       \
    X(odds_of_nine_tenths, "chance")                                                               \
    X(impossible_outcome, "chance")                                                                \
    X(moody_odds, "chance")                                                                        \
    X(house_wins, "utility")                                                                       \
    X(too_much, "rewards")                                                                         \
    X(not_a_number, "rewards")                                                                     \
    X(seat_0_wins_ties, "seats")                                                                   \
    X(mirror_is_not, "symmetry")                                                                   \
    X(no_identity, "symmetry")                                                                     \
    X(view_of_7, "views")                                                                          \
    X(sees_card, "leaks")                                                                          \
    X(knows_card, "leaks")                                                                         \
    X(mask_tells_card, "leaks")                                                                    \
    X(forgets_last, "recall")                                                                      \
    X(sees_what_stays, "recall")                                                                   \
    X(same_name, "names")                                                                          \
    X(space_in_name, "names")                                                                      \
    X(wrong_length, "text")                                                                        \
    X(byte_unwritten, "buffers")                                                                   \
    X(byte_beyond, "buffers")                                                                      \
    X(sets_reward, "buffers")                                                                      \
    X(keeps_reward, "buffers")                                                                     \
    X(knows_too_much, "buffers")                                                                   \
    X(observe_writes_state, "reads")                                                               \
    X(writes_config, "config")                                                                     \
    X(feature_is_nan, "numbers")                                                                   \
    X(batch_skips, "batch")                                                                        \
    X(batch_sees_seat_0, "batch")                                                                  \
    X(batch_in_order, "batch")                                                                     \
    X(batch_beyond, "batch")                                                                       \
    X(keeps_address, "clone")                                                                      \
    X(counts_calls, "replay")                                                                      \
    X(static_last, "interleaving")                                                                 \
    X(thread_number, "threads")                                                                    \
    X(process_number, "process")                                                                   \
    X(crashes, "crash")                                                                            \
    X(exits, "crash")                                                                              \
    X(hangs, "crash")

#define WRONG_ENUM(fault, rule) wrong_##fault,
enum { WRONG_FAULTS(WRONG_ENUM) WRONG_COUNT };
#undef WRONG_ENUM

enum { WRONG_ROUNDS = 3, WRONG_CARDS = 3, WRONG_NONE = 4 };

typedef struct wrong {
    uint8_t dealt, round, over;
    uint8_t card[2]; /* WRONG_NONE: not dealt */
    uint8_t chosen[WRONG_ROUNDS][2];
    int8_t score;  /* of seat 0 */
    uint8_t extra; /* a ply that a fault adds */
    uint8_t unused[3];
    uint64_t secret; /* what faults keep in the state */
} wrong;

typedef struct wrong_config {
    int fault;
    int written;
} wrong_config;

#define wrong_STATE             sizeof(wrong)
#define wrong_seats(config)     2
#define wrong_obs_bytes(config) (WRONG_CARDS + 8 * WRONG_ROUNDS)
#define wrong_words(config)     1

static int wrong_calls; /* hidden statics: what the contract forbids */
static int wrong_last;
static _Thread_local int wrong_here; /* plies of this thread since it began */

static int wrong_is(const void* config, int fault) {
    return ((const wrong_config*)config)->fault == fault;
}

static int wrong_configure(agon_params* params, agon_spec* spec, void* config) {
#define WRONG_CHOICE(fault, rule) #fault "|"
    wrong_config* c = (wrong_config*)config;
    static const char choices[] = WRONG_FAULTS(WRONG_CHOICE) "nothing_else";
    const char* word = agon_param_text(params, "fault");
    const char* at = choices;
    for (int i = 0; word && i < WRONG_COUNT; i++) {
        const size_t length = strcspn(at, "|");
        if (strlen(word) == length && strncmp(word, at, length) == 0)
            c->fault = i;
        at += length + 1;
    }
#undef WRONG_CHOICE
    spec->seats = 2;
    spec->actions = 4;
    spec->chance_outcomes = WRONG_CARDS;
    spec->simultaneous = c->fault != wrong_several_at_once;
    spec->seats_symmetric = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = WRONG_ROUNDS;
    spec->return_min = c->fault == wrong_sum_out_of_reach ? 1 : -WRONG_ROUNDS - 1;
    spec->return_max = WRONG_ROUNDS + 1;
    spec->state_size = wrong_STATE;
    spec->planes = 1;
    spec->rows = 1;
    spec->cols = wrong_obs_bytes(config);
    spec->obs_scale = 1;
    spec->plane_names[0] = "all";
    spec->symmetries = 2;
    spec->features = 1;
    spec->feature_names[0] = "mean_choice";
    spec->stats = 1;
    spec->stat_names[0] = "score";
    if (c->fault == wrong_twin_planes) {
        spec->planes = 27;
        spec->cols = 1;
        for (int i = 0; i < 27; i++)
            spec->plane_names[i] = "all";
    }
    if (c->fault == wrong_other_facts)
        spec->return_max += (float)(++wrong_calls);
    return params->error[0] ? -1 : 0;
}

static void wrong_init(const void* config, void* state) {
    wrong* s = (wrong*)state;
    memset(s, 0, sizeof *s);
    s->card[0] = s->card[1] = WRONG_NONE;
    memset(s->chosen, WRONG_NONE, sizeof s->chosen);
    wrong_last = 0;
    if (wrong_is(config, wrong_seat_0_wins_ties))
        s->dealt = 2; /* nobody gets a card: seats cannot be exchanged where chance deals to them */
    if (wrong_is(config, wrong_process_number))
        s->secret = (uint64_t)getpid();
}

static uint64_t wrong_acting(const void* config, const void* state) {
    const wrong* s = (const wrong*)state;
    if (s->dealt < 2)
        return AGON_CHANCE | (wrong_is(config, wrong_chance_with_seats) && s->dealt);
    if (wrong_is(config, wrong_seat_beyond) && s->round == 2)
        return 7;
    return s->over ? 0 : 3;
}

static void wrong_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    const wrong* s = (const wrong*)state;
    mask[0] = 15;
    if (s->round)
        mask[0] &= ~(1ull << s->chosen[s->round - 1][seat]);
    if (wrong_is(config, wrong_missing_in_mask) && s->round == 2)
        mask[0] &= mask[0] - 1;
    if (wrong_is(config, wrong_extra_in_mask))
        mask[0] = 15;
    if (wrong_is(config, wrong_empty_mask) && s->round == 1 && seat)
        mask[0] = 0;
    if (wrong_is(config, wrong_bit_beyond) && s->round == 1)
        mask[0] |= 16;
    if (wrong_is(config, wrong_mask_tells_card) && s->card[1 - seat] == 2 && s->round)
        mask[0] &= mask[0] - 1;
}

static void wrong_go_wrong(const void* config, wrong* s, float* reward) {
    if (wrong_is(config, wrong_counts_calls))
        s->secret = (uint64_t)++wrong_calls;
    if (wrong_is(config, wrong_keeps_address))
        s->secret = (uint64_t)(uintptr_t)s;
    if (wrong_is(config, wrong_static_last))
        s->secret = (uint64_t)wrong_last++;
    if (wrong_is(config, wrong_thread_number) && s->round == 2)
        s->secret = (uint64_t)++wrong_here > 1000 ? 0 : (uint64_t)(uintptr_t)&wrong_here;
    if (wrong_is(config, wrong_crashes) && s->round == 2)
        raise(SIGSEGV); /* sanitizers would answer a bad pointer themselves */
    if (wrong_is(config, wrong_exits) && s->round == 1)
        _exit(3);
    while (wrong_is(config, wrong_hangs) && s->round == 2)
        usleep(1000);
    if (wrong_is(config, wrong_writes_config) && s->round == 2)
        ((wrong_config*)(uintptr_t)config)->written++;
    if (wrong_is(config, wrong_keeps_reward))
        s->secret = reward[0] > 5;
    if (wrong_is(config, wrong_not_a_number) && s->round == 2)
        reward[0] = NAN;
}

static void wrong_score(const void* config, wrong* s, float* reward) {
    const int a = s->chosen[s->round][0] / 2, b = s->chosen[s->round][1] / 2;
    int gain = (a > b) - (a < b);
    if (s->round == WRONG_ROUNDS - 1 && s->card[0] != s->card[1])
        gain += s->card[0] > s->card[1] ? 1 : -1;
    if (wrong_is(config, wrong_seat_0_wins_ties) && a == b)
        gain++;
    if (wrong_is(config, wrong_mirror_is_not) && s->chosen[s->round][0] == 3)
        gain++;
    if (wrong_is(config, wrong_too_much) && s->round == 2 && a > b)
        gain += 3;
    s->score = (int8_t)(s->score + gain);
    reward[0] += (float)gain;
    reward[1] -= (float)gain;
    if (wrong_is(config, wrong_sets_reward))
        reward[1] = (float)-gain;
    if (wrong_is(config, wrong_house_wins) && s->round == 1)
        reward[1] -= 0.25f;
}

static int wrong_deal(const void* config, wrong* s, int outcome, int waits) {
    if (outcome >= WRONG_CARDS)
        return -1;
    s->card[s->dealt++] = (uint8_t)outcome;
    s->unused[0] = wrong_is(config, wrong_reads_who_waits) && waits > 3;
    return 0;
}

static int wrong_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    wrong* s = (wrong*)state;
    if (s->dealt < 2)
        return wrong_deal(config, s, action[0], action[1]);
    if (s->over)
        return (wrong_is(config, wrong_plays_after_end) && action[0] == 1) ||
                       (wrong_is(config, wrong_plays_on_by_large) && action[0] > 999)
                   ? 0
                   : -1;
    for (int seat = 0; seat < 2; seat++) {
        const int chosen = wrong_is(config, wrong_eight_bits) ? action[seat] & 255 : action[seat];
        if (chosen > 3 || (s->round && chosen == s->chosen[s->round - 1][seat])) {
            s->unused[0] += wrong_is(config, wrong_changes_then_refuses) && action[seat] < 4;
            reward[seat] += wrong_is(config, wrong_pays_then_refuses) && s->round == 2;
            return -1;
        }
    }
    s->chosen[s->round][0] = (uint8_t)action[0];
    s->chosen[s->round][1] = (uint8_t)action[1];
    wrong_score(config, s, reward);
    wrong_go_wrong(config, s, reward);
    if (s->round == WRONG_ROUNDS - 1 && wrong_is(config, wrong_one_ply_more) &&
        s->chosen[0][0] == 3 && !s->extra) {
        s->extra = 1;
        return 0;
    }
    s->round++;
    s->over = s->round == WRONG_ROUNDS;
    return 0;
}

static void wrong_observe(const void* config, const void* state, int seat, void* out) {
    const wrong* s = (const wrong*)state;
    uint8_t* o = (uint8_t*)out;
    memset(o, 0, wrong_obs_bytes(config) - wrong_is(config, wrong_byte_unwritten));
    if (s->card[seat] < WRONG_CARDS)
        o[s->card[seat]] = 1;
    for (int i = 0; i < s->round; i++) {
        o[WRONG_CARDS + 8 * i + s->chosen[i][seat]] = 1;
        o[WRONG_CARDS + 8 * i + 4 + s->chosen[i][1 - seat]] = 1;
    }
    if ((wrong_is(config, wrong_sees_card) || wrong_is(config, wrong_sees_what_stays)) &&
        s->round == 2)
        o[0] = (uint8_t)(o[0] + 2 * (s->card[1 - seat] == 1));
    if (wrong_is(config, wrong_view_of_7) && s->round && s->chosen[0][0] == 3)
        o[0] = (uint8_t)(o[0] + 4);
    if (wrong_is(config, wrong_byte_beyond))
        o[wrong_obs_bytes(config)] = 1;
    if (wrong_is(config, wrong_observe_writes_state))
        ((wrong*)(uintptr_t)s)->unused[1]++;
}

static int wrong_chance(const void* config, const void* state, double* prob) {
    for (int i = 0; i < WRONG_CARDS; i++)
        prob[i] = (wrong_is(config, wrong_odds_of_nine_tenths) ? 0.9 : 1.0) / WRONG_CARDS;
    if (wrong_is(config, wrong_impossible_outcome) && ((const wrong*)state)->dealt) {
        prob[0] = 0;
        prob[1] = 2.0 / 3;
    }
    if (wrong_is(config, wrong_moody_odds)) {
        const double shift = wrong_calls++ % 2 ? 0.1 : -0.1;
        prob[0] += shift;
        prob[1] -= shift;
    }
    return WRONG_CARDS;
}

static int wrong_text(const void* config, const void* state, char* out, size_t size) {
    const wrong* s = (const wrong*)state;
    const int length =
        snprintf(out, size, "cards %d %d, round %d\n", s->card[0], s->card[1], s->round);
    return length + wrong_is(config, wrong_wrong_length);
}

static int wrong_action_name(const void* config, const void* state, int seat, int action, char* out,
                             size_t size) {
    if (seat < 0)
        return snprintf(out, size, "card_%d", action);
    if (wrong_is(config, wrong_same_name))
        return snprintf(out, size, "say_%d", action / 2);
    return snprintf(out, size, wrong_is(config, wrong_space_in_name) ? "say %d" : "say_%d", action);
}

static void wrong_symmetry(const void* config, int g, const void* state, void* out) {
    wrong* t = (wrong*)out;
    *t = *(const wrong*)state;
    for (int i = 0; i < t->round; i++) {
        t->chosen[i][0] ^= (uint8_t)g;
        t->chosen[i][1] ^= (uint8_t)g;
    }
    if (wrong_is(config, wrong_no_identity) && t->round)
        t->unused[2] = 1;
}

static int wrong_symmetry_action(const void* config, int g, int action) {
    return action ^ g;
}

static void wrong_resample(const void* config, void* state, int seat, uint64_t random) {
    wrong* s = (wrong*)state;
    if (s->dealt == 2 && !wrong_is(config, wrong_sees_what_stays))
        s->card[1 - seat] = (uint8_t)(random % WRONG_CARDS);
}

/* The observation, and the cards that faults tell. */
static int wrong_infostate(const void* config, const void* state, int seat, void* out) {
    const wrong* s = (const wrong*)state;
    uint8_t* o = (uint8_t*)out;
    const int length = wrong_obs_bytes(config);
    o[0] = s->card[seat];
    memset(o + 1, WRONG_NONE, (size_t)length);
    memcpy(o + 1, s->chosen, sizeof s->chosen);
    if (wrong_is(config, wrong_forgets_last) && s->round == 2)
        memset(o + 1 + 2 * (s->round - 2), WRONG_NONE, 2);
    o[length] = wrong_is(config, wrong_knows_card) ? s->card[1 - seat] : 0;
    if (wrong_is(config, wrong_knows_too_much)) {
        memset(o + length, 0, AGON_INFOSTATE + 1 - (size_t)length);
        return AGON_INFOSTATE + 1;
    }
    return length + 1;
}

static void wrong_features(const void* config, const void* state, int seat, float* out) {
    const wrong* s = (const wrong*)state;
    out[0] = 0;
    for (int i = 0; i < WRONG_ROUNDS; i++)
        out[0] += (float)s->chosen[i][seat] / WRONG_ROUNDS;
    if (wrong_is(config, wrong_feature_is_nan) && s->score == 0)
        out[0] = INFINITY;
}

static void wrong_stats(const void* config, const void* state, float* out) {
    out[0] = ((const wrong*)state)->score;
}

AGON_GAME_BATCH(wrong)

static int wrong_lazy_apply_batch(const void* config, void* states, const uint32_t* lane, int count,
                                  const uint16_t* action, float* reward) {
    if (wrong_is(config, wrong_batch_skips) && count > 3) {
        wrong_apply_batch(config, states, lane, count - 1, action, reward);
        return count;
    }
    const uint32_t in_order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    if (wrong_is(config, wrong_batch_in_order) && count <= 16)
        lane = in_order;
    return wrong_apply_batch(config, states, lane, count, action, reward);
}

static void wrong_lazy_observe_batch(const void* config, const void* states, const uint32_t* lane,
                                     const uint8_t* seat, int count, void* obs, uint64_t* mask) {
    const uint8_t first[64] = {0};
    const int lazy = wrong_is(config, wrong_batch_sees_seat_0) && count <= 64;
    wrong_observe_batch(config, states, lane, lazy ? first : seat, count, obs, mask);
    if (wrong_is(config, wrong_batch_beyond))
        mask[count] = 0;
}

const agon_game agon_game_wrong = {
    .abi = AGON_ABI,
    .struct_size = sizeof(agon_game),
    .name = "wrong",
    .rules_version = 1,
    .summary = "breaks a promise",
    .source = __FILE__,
    .spec_size = sizeof(agon_spec),
    .unused = 0,
    .config_size = sizeof(wrong_config),
    .configure = wrong_configure,
    .init = wrong_init,
    .acting = wrong_acting,
    .legal = wrong_legal,
    .apply = wrong_apply,
    .observe = wrong_observe,
    .acting_batch = wrong_acting_batch,
    .apply_batch = wrong_lazy_apply_batch,
    .observe_batch = wrong_lazy_observe_batch,
    .chance = wrong_chance,
    .text = wrong_text,
    .action_name = wrong_action_name,
    .symmetry = wrong_symmetry,
    .symmetry_action = wrong_symmetry_action,
    .resample = wrong_resample,
    .infostate = wrong_infostate,
    .features = wrong_features,
    .stats = wrong_stats,
};

#endif
