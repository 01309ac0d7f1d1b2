/* test_game_buffers.c: the promises of agon_game.h about bytes, batches, names and texts, for every
 * game. */
#include "tests/unit/game_walk.h"

enum { GUARD = 64 };

/* A buffer between two guards, all of one byte value. */
typedef struct guarded {
    size_t size;
    uint8_t fill;
    _Alignas(8) uint8_t bytes[GUARD + MAX_OBS + GUARD];
} guarded;

static void* guard(guarded* g, size_t size, uint8_t fill) {
    assert_true(size <= MAX_OBS);
    g->size = size;
    g->fill = fill;
    memset(g->bytes, fill, sizeof g->bytes);
    return g->bytes + GUARD;
}

/* All `count` bytes are `fill`: the first one is, and each is as the next. */
static void check_filled(const uint8_t* bytes, size_t count, uint8_t fill) {
    assert_int_equal(bytes[0], fill);
    assert_int_equal(memcmp(bytes, bytes + 1, count - 1), 0);
}

static void check_guards(const guarded* g) {
    const size_t behind = GUARD + g->size;
    check_filled(g->bytes, GUARD, g->fill);
    check_filled(g->bytes + behind, sizeof g->bytes - behind, g->fill);
}

/* Calls write number `which` of a game at a position; false when it has no such write. */
static bool write_to(const walk* w, int which, int seat, guarded* g, uint8_t fill) {
    const agon_rules* rules = w->rules;
    const agon_game* game = rules->game;
    const bool decides = w->acting && w->acting != AGON_CHANCE;
    if (which == 0)
        game->init(rules->config, guard(g, rules->spec.state_size, fill));
    else if (which == 1 && decides && acts(w, seat))
        game->legal(rules->config, w->state, seat,
                    (uint64_t*)guard(g, (size_t)rules->mask_words * 8, fill));
    else if (which == 2 && decides)
        game->observe(rules->config, w->state, seat, guard(g, rules->obs_bytes, fill));
    else if (which == 3 && w->acting == AGON_CHANCE)
        g->size =
            sizeof(double) * (size_t)game->chance(rules->config, w->state,
                                                  (double*)guard(g, sizeof(double) * 64, fill));
    else if (which == 4 && game->symmetry)
        game->symmetry(rules->config, rules->spec.symmetries - 1, w->state,
                       guard(g, rules->spec.state_size, fill));
    else if (which == 5 && game->text)
        game->text(rules->config, w->state, (char*)guard(g, 10, fill), 10);
    else if (which == 6 && game->action_name && decides && acts(w, seat))
        game->action_name(rules->config, w->state, seat, w->action[seat], (char*)guard(g, 2, fill),
                          2);
    else
        return false;
    return true;
}

/* Promise: functions write their whole output, whatever was there before, and not a byte beside. */
static void check_writes(const walk* w) {
    static guarded zeros, marks;
    for (int which = 0; which <= 6; which++) {
        for (int seat = 0; seat < w->rules->spec.seats; seat++) {
            if (!write_to(w, which, seat, &zeros, 0x00) || !write_to(w, which, seat, &marks, 0xa5))
                continue;
            check_guards(&zeros);
            check_guards(&marks);
            const char* a = (const char*)zeros.bytes + GUARD;
            const char* b = (const char*)marks.bytes + GUARD;
            if (which >= 5)
                assert_string_equal(a, b);
            else
                assert_memory_equal(a, b, zeros.size);
        }
    }
}

static void test_writes_are_whole_and_in_place(void** unused) {
    for_each_position(check_writes);
}

/* Promise: apply touches the rewards and the state of its lane and adds to what is there, and the
 * new state does not depend on bytes outside. */
static void check_apply_in_place(const walk* w) {
    static guarded state, reward;
    const agon_rules* rules = w->rules;
    const size_t seats = (size_t)rules->spec.seats;
    if (!w->acting)
        return;
    void* s = guard(&state, rules->spec.state_size, 0xa5);
    float* r = (float*)guard(&reward, seats * sizeof(float), 0xa5);
    memcpy(s, w->state, rules->spec.state_size);
    for (size_t i = 0; i < seats; i++)
        r[i] = 16;
    assert_int_equal(rules->game->apply(rules->config, s, w->action, r), 0);
    check_guards(&state);
    check_guards(&reward);
    walk next = *w;
    memset(next.reward, 0, sizeof next.reward);
    walk_apply(&next);
    assert_memory_equal(s, next.state, rules->spec.state_size);
    for (size_t i = 0; i < seats; i++)
        assert_true(r[i] == 16 + next.reward[i]);
}

static void test_apply_adds_in_place(void** unused) {
    for_each_position(check_apply_in_place);
}

enum { LANES = 17 };

/* LANES walks of one game, each some plies into an episode of its own, none over. */
static void many_lanes(const agon_rules* rules, walk* w, uint8_t* states) {
    for (int i = 0; i < LANES; i++) {
        walk next;
        walk_start(&w[i], rules, (uint32_t)i);
        for (next = w[i]; next.acting && (next.acting == AGON_CHANCE || next.ply <= i);) {
            w[i] = next;
            walk_next(&next);
        }
        while (w[i].acting == AGON_CHANCE)
            walk_next(&w[i]);
        memcpy(states + (size_t)i * rules->spec.state_size, w[i].state, rules->spec.state_size);
    }
}

static void check_observe_batch(const agon_rules* rules, const walk* w, const uint8_t* states) {
    static uint8_t obs[LANES * MAX_OBS];
    static uint64_t mask[LANES * MAX_WORDS];
    uint32_t lane[LANES];
    uint8_t seat[LANES];
    for (int i = 0; i < LANES; i++) {
        lane[i] = (uint32_t)(LANES - 1 - i);
        seat[i] = (uint8_t)__builtin_ctzll(w[lane[i]].acting);
    }
    rules->game->observe_batch(rules->config, states, lane, seat, LANES, obs, mask);
    for (int i = 0; i < LANES; i++) {
        uint8_t one[MAX_OBS];
        uint64_t one_mask[MAX_WORDS];
        observe(&w[lane[i]], seat[i], one);
        rules->game->legal(rules->config, w[lane[i]].state, seat[i], one_mask);
        assert_memory_equal(one, obs + (size_t)i * rules->obs_bytes, rules->obs_bytes);
        assert_memory_equal(one_mask, mask + i * rules->mask_words, 8 * (size_t)rules->mask_words);
    }
}

static void check_apply_batch(const agon_rules* rules, walk* w, uint8_t* states) {
    uint16_t action[LANES * AGON_MAX_SEATS];
    float reward[LANES * AGON_MAX_SEATS] = {0};
    uint32_t lane[LANES];
    const int seats = rules->spec.seats, bad = LANES - 3;
    for (int i = 0; i < LANES; i++) {
        lane[i] = (uint32_t)i;
        memcpy(action + i * seats, w[i].action, (size_t)seats * sizeof action[0]);
        memset(w[i].reward, 0, sizeof w[i].reward);
    }
    for (int seat = 0; seat < seats; seat++)
        action[bad * seats + seat] = AGON_MAX_ACTIONS;
    assert_int_equal(rules->game->apply_batch(rules->config, states, lane, LANES, action, reward),
                     bad);
    for (int i = 0; i < LANES; i++) {
        if (i < bad)
            walk_apply(&w[i]);
        assert_memory_equal(w[i].state, states + (size_t)i * rules->spec.state_size,
                            rules->spec.state_size);
        assert_memory_equal(w[i].reward, reward + i * seats, (size_t)seats * sizeof reward[0]);
    }
}

/* Promise: the batch loops do what the scalar functions do, lane by lane, for any order of lanes,
 * and apply_batch stops at the first illegal action. */
static void test_batches_are_loops(void** unused) {
    static walk w[LANES];
    static uint64_t states[LANES * MAX_STATE / 8];
    for (int i = 0; i < GAME_STRINGS; i++) {
        agon_rules* rules = NULL;
        uint64_t acting[LANES];
        assert_int_equal(agon_rules_open(game_strings[i], &rules, NULL), 0);
        many_lanes(rules, w, (uint8_t*)states);
        rules->game->acting_batch(rules->config, states, LANES, acting);
        for (int j = 0; j < LANES; j++)
            assert_int_equal(acting[j], w[j].acting);
        check_observe_batch(rules, w, (const uint8_t*)states);
        check_apply_batch(rules, w, (uint8_t*)states);
        agon_rules_close(rules);
    }
}

static int compare_names(const void* a, const void* b) {
    return strcmp((const char*)a, (const char*)b);
}

/* Promise: names of a position's legal actions (or outcomes) differ, have no spaces, and say their
 * length; a text says its length and fits where it is told to. */
static void check_names(const walk* w) {
    const agon_rules* rules = w->rules;
    static char names[MAX_OUTCOMES][AGON_ACTION_NAME];
    uint64_t mask[MAX_WORDS];
    double prob[MAX_OUTCOMES];
    const bool chance = w->acting == AGON_CHANCE;
    const int seat = chance ? -1 : w->acting ? __builtin_ctzll(w->acting) : 0;
    if (w->acting && !chance)
        rules->game->legal(rules->config, w->state, seat, mask);
    const int count = !w->acting ? 0
                      : chance   ? rules->game->chance(rules->config, w->state, prob)
                                 : agon_mask_count(mask, rules->mask_words);
    for (int i = 0; i < count; i++) {
        const int action = chance ? i : agon_mask_nth(mask, rules->mask_words, i);
        const int length =
            agon_action_text(rules, w->state, seat, action, names[i], sizeof names[i]);
        assert_in_range(length, 1, sizeof names[i] - 1);
        assert_int_equal(length, strlen(names[i]));
        assert_null(strpbrk(names[i], " \t\n"));
    }
    qsort(names, (size_t)count, sizeof names[0], compare_names);
    for (int i = 1; i < count; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    char text[1024], part[8];
    const int length = rules->game->text(rules->config, w->state, text, sizeof text);
    assert_in_range(length, sizeof part, sizeof text - 1);
    assert_int_equal(length, strlen(text));
    assert_int_equal(rules->game->text(rules->config, w->state, part, sizeof part), length);
    assert_memory_equal(part, text, sizeof part - 1);
    assert_int_equal(rules->game->text(rules->config, w->state, NULL, 0), length);
}

static void test_names_and_texts(void** unused) {
    for_each_position(check_names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_are_whole_and_in_place),
        cmocka_unit_test(test_apply_adds_in_place),
        cmocka_unit_test(test_batches_are_loops),
        cmocka_unit_test(test_names_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
