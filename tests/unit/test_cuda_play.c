/* Promise: rollouts by the device's kernels are those of engine/rollout.c. With a forward that
 * gives the same bytes (here the CPU backend's) every byte of a rectangle is the same, and every
 * count, in each game that has a twin, whoever holds which seats, from one rollout to the next. */
#include "tests/cuda/odd_twin.h"
#include "tests/cuda/play_world.h"

#include "tests/unit/rules_fixture.h"

/* ---- against the CPU --------------------------------------------------------------------------
 */

static void compare_counts(const play_world* w, int m, const agon_rollout* want) {
    const agon__play_counts* sums = &w->plan.args.sums[m];
    assert_int_equal(sums->of[AGON__PLAY_STEPS], want->steps);
    assert_int_equal(sums->of[AGON__PLAY_EXTRA_STEPS], want->extra_steps);
    assert_int_equal(sums->of[AGON__PLAY_OTHER_STEPS], want->other_steps);
    assert_int_equal(sums->of[AGON__PLAY_EPISODES], want->finished);
    assert_int_equal(sums->of[AGON__PLAY_RETURN_COUNT], want->return_count);
    assert_int_equal(sums->of[AGON__PLAY_LENGTH_SUM], want->length_sum);
    /* Lane by lane here, episode by episode there. */
    const double room = 1e-12 * (1 + (double)want->return_count);
    assert_true(fabs(sums->return_sum - want->return_sum) <= room);
}

/* Three rollouts. Returns the episodes that ended. */
static uint64_t compare_world(const play_world_def* def) {
    play_world w;
    world_open(&w, def);
    uint64_t episodes = 0;
    agon_rollout* want[WORLD_MEMBERS];
    for (int m = 0; m < def->members; m++)
        want[m] = world_reference(&w, m);
    for (int round = 0; round < 3; round++) {
        world_collect(&w, round * 3);
        for (int m = 0; m < def->members; m++) {
            assert_int_equal(agon_rollout_collect(want[m], NULL), 0);
            world_compare(&w, m, want[m]->data, 0);
            compare_counts(&w, m, want[m]);
        }
    }
    for (int m = 0; m < def->members; m++) {
        episodes += want[m]->finished;
        agon_rollout_close(want[m]);
    }
    world_close(&w);
    return episodes;
}

static uint64_t compare_game(const agon_rules* rules, const emulate_kernel* twin) {
    const uint64_t all = agon_rules_seats(rules);
    const uint64_t own[] = {0, all, agon_rules_role_seats(rules, agon_rules_roles(rules) - 1),
                            1ull << (rules->spec.seats - 1)};
    uint64_t episodes = 0;
    for (int i = 0; i < 4; i++)
        episodes += compare_world(&(play_world_def){.rules = rules,
                                                    .own_seats = own[i],
                                                    .members = 1 + i % 3,
                                                    .lanes = 5,
                                                    .horizon = i == 3 ? 13 : 6,
                                                    .processors = 1,
                                                    .backwards = i & 1,
                                                    .twin = twin});
    return episodes;
}

/* Nets of every kind of layer, horizons that stop games anywhere. Memory is the same, too: what
 * each row's first decision of a rollout was made with. */
static void nets_of_every_kind(void** state) {
    (void)state;
    static const char* const hidden[] = {"mingru5", "7-mingru9-6-mingru4", "conv3-mingru8",
                                         "conv2k5-conv3k1-8"};
    for (int i = 0; i < agon_game_count(); i++) {
        agon_rules* rules = open_rules(agon_game_at(i)->name);
        const uint64_t own[] = {0, agon_rules_seats(rules), 1};
        for (int k = 0; k < 12; k++)
            compare_world(&(play_world_def){.rules = rules,
                                            .own_seats = own[k % 3],
                                            .members = 1 + k % 2,
                                            .lanes = 4,
                                            .horizon = 1 + 2 * (k % 4),
                                            .processors = 1,
                                            .backwards = k & 1,
                                            .hidden = hidden[k % 4]});
        agon_rules_close(rules);
    }
}

static void every_game_as_on_the_cpu(void** state) {
    (void)state;
    for (int i = 0; i < agon_game_count(); i++) {
        agon_rules* rules = open_rules(agon_game_at(i)->name);
        compare_game(rules, NULL);
        agon_rules_close(rules);
    }
}

static void many_seats_and_odd_sizes(void** state) {
    (void)state;
    static const char* const games[] = {"tron(players=4,size=5)",
                                        "kuhn_poker(players=10)",
                                        "leduc_poker(players=5)",
                                        "pursuit(predators=5,prey=3)",
                                        "goofspiel(players=5)",
                                        "pig(players=7,winscore=20)",
                                        "liars_dice(players=3)",
                                        "snake_arena(players=8)",
                                        "othello(rows=4,cols=4)",
                                        "go(board_size=5)",
                                        "nim(pile_sizes=2+1)",
                                        "matrix(name=shapley)",
                                        "iterated(rounds=3)",
                                        "connect_four(rows=4,cols=4)",
                                        "dark_hex(gameversion=adh,board_size=3)"};
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        agon_rules* rules = open_rules(games[i]);
        assert_true(compare_game(rules, NULL) > 0);
        agon_rules_close(rules);
    }
}

static void an_odd_game(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof odd_games / sizeof *odd_games; i++) {
        agon_rules* rules = open_odd(odd_games[i]);
        assert_true(compare_game(rules, odd_twin) > 0);
        agon_rules_close(rules);
    }
}

/* Lanes of a member for more than one thread of sort each, and more threads than one warp. */
static void many_lanes(void** state) {
    (void)state;
    static const struct {
        const char* game;
        int lanes;
    } worlds[] = {{"kuhn_poker", 300}, {"tic_tac_toe", 33}, {"tron(players=3,size=4)", 64}};
    for (int i = 0; i < 3; i++) {
        agon_rules* rules = open_rules(worlds[i].game);
        for (int mirror = 0; mirror < 2; mirror++)
            compare_world(&(play_world_def){.rules = rules,
                                            .own_seats = mirror ? agon_rules_seats(rules) : 0,
                                            .members = 2,
                                            .lanes = worlds[i].lanes,
                                            .horizon = 3,
                                            .processors = 1 + mirror * 100,
                                            .backwards = mirror});
        agon_rules_close(rules);
    }
}

/* ---- in other company --------------------------------------------------------------------------
 */

static void same_member(const play_world* a, int i, const play_world* b, int k) {
    const size_t rows = (size_t)a->data.rows, entries = rows * (size_t)a->data.horizon;
    const size_t words = (size_t)a->data.mask_words;
#define SAME(array, count, each)                                                                   \
    assert_memory_equal((const char*)a->data.array + (size_t)i * (count) * (each),                 \
                        (const char*)b->data.array + (size_t)k * (count) * (each),                 \
                        (count) * (each))
    SAME(obs, entries, a->data.obs_bytes);
    SAME(mask, entries, words * 8);
    SAME(action, entries, 2);
    SAME(log_probability, entries, 4);
    SAME(value, entries, 4);
    SAME(reward, entries, 4);
    SAME(last, entries, 1);
    SAME(bootstrap, rows, 4);
#undef SAME
    assert_memory_equal(&a->plan.args.sums[i], &b->plan.args.sums[k], sizeof(agon__play_counts));
}

/* Promise: a member gets what it would get alone, whatever the grid and the order of blocks. */
static void company_does_not_matter(void** state) {
    (void)state;
    static const char* const games[] = {"leduc_poker(players=3)", "connect_four", "tron",
                                        "backgammon"};
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        agon_rules* rules = open_rules(games[g]);
        play_world_def def = {
            .rules = rules, .members = 4, .lanes = 9, .horizon = 5, .processors = 1};
        play_world all, alone;
        world_open(&all, &def);
        world_collect(&all, 2);
        for (int m = 0; m < 4; m++) {
            def.first = m, def.members = 1;
            def.processors = 1 + 131 * (m & 1), def.backwards = m >> 1;
            world_open(&alone, &def);
            world_collect(&alone, m);
            same_member(&all, m, &alone, 0);
            world_close(&alone);
        }
        world_close(&all);
        agon_rules_close(rules);
    }
}

/* ---- faults ------------------------------------------------------------------------------------
 */

/* Promise: an action that the game refuses ends its lane and is told; other lanes go on. */
static void refused_actions_are_told(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    play_world w;
    world_open(&w, &(play_world_def){
                       .rules = rules, .members = 2, .lanes = 4, .horizon = 3, .processors = 1});
    agon__play_args* a = &w.plan.args;
    world_begin(&w);
    world_run(&w, w.sort, &w.plan.sort);
    world_run(&w, w.observe, &w.plan.observe);
    for (int slot = 0; slot < 2 * 4 * 2; slot++)
        a->action[slot] = 4;
    a->action[a->slot_of[5 * 2]] = 9; /* lane 1 of member 1, whose seat 0 begins */
    world_run(&w, w.step, &w.plan.step);
    assert_int_equal(a->word[0].fault, 0);
    assert_int_equal(a->word[1].fault, 1);
    for (int lane = 0; lane < 8; lane++)
        assert_int_equal(a->live[lane], lane != 5);
    world_run(&w, w.sort, &w.plan.sort);
    assert_int_equal(a->word[0].left, 4);
    assert_int_equal(a->word[1].left, 3);
    world_close(&w);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_game_as_on_the_cpu),
        cmocka_unit_test(nets_of_every_kind),
        cmocka_unit_test(many_seats_and_odd_sizes),
        cmocka_unit_test(an_odd_game),
        cmocka_unit_test(many_lanes),
        cmocka_unit_test(company_does_not_matter),
        cmocka_unit_test(refused_actions_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
