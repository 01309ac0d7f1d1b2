/* Promise: a game's device twin is the game: in random play of at least 500 episodes states, acting
 * sets, rewards, observations, masks, lengths and the course of chance have the bytes of the game
 * on the CPU, for every built-in game. */
#include "tests/cuda/odd_twin.h"
#include "tests/cuda/play_world.h"

#include "tests/unit/rules_fixture.h"

enum { LANES = 24, MEMBERS = 2, EPISODES = 500 };

/* One lane on the CPU. */
typedef struct table {
    uint64_t* state;
    uint64_t acting;
    uint32_t before, episode, ply; /* before: episodes that ended */
    float reward[AGON_MAX_SEATS];  /* of the last ply */
} table;

typedef struct hall {
    play_world w;
    table of[MEMBERS * LANES];
    char* obs;
    uint64_t* mask;
} hall;

static agon_key chance_of(const hall* h, int lane) {
    return h->w.member[lane / LANES].chance;
}

static void start_table(hall* h, int lane) {
    table* t = &h->of[lane];
    float reward[AGON_MAX_SEATS];
    t->episode = t->before * LANES + (uint32_t)(lane % LANES);
    t->ply = 0;
    t->acting = agon_rules_start(h->w.rules, t->state, reward, chance_of(h, lane), t->episode);
}

static void open_hall(hall* h, const agon_rules* rules, int backwards, const emulate_kernel* twin) {
    memset(h, 0, sizeof *h);
    world_open(&h->w, &(play_world_def){.rules = rules,
                                        .own_seats = agon_rules_seats(rules),
                                        .members = MEMBERS,
                                        .lanes = LANES,
                                        .horizon = 2,
                                        .processors = 1,
                                        .backwards = backwards,
                                        .twin = twin});
    h->obs = malloc(rules->obs_bytes);
    h->mask = malloc((size_t)rules->mask_words * sizeof *h->mask);
    for (int lane = 0; lane < MEMBERS * LANES; lane++) {
        h->of[lane].state = calloc(1, rules->spec.state_size);
        start_table(h, lane);
    }
}

static void close_hall(hall* h) {
    for (int lane = 0; lane < MEMBERS * LANES; lane++)
        free(h->of[lane].state);
    free(h->obs);
    free(h->mask);
    world_close(&h->w);
}

static void compare_lanes(const hall* h) {
    const agon__play_args* a = &h->w.plan.args;
    for (int lane = 0; lane < MEMBERS * LANES; lane++) {
        const table* t = &h->of[lane];
        assert_memory_equal(a->state + (size_t)lane * a->state_size, t->state, a->state_size);
        assert_int_equal(a->acting[lane], t->acting);
        assert_int_equal(a->ply[lane], t->ply);
        assert_int_equal(a->episodes[lane], t->before + 1);
    }
}

/* Rows collect the reward of this ply, also those of seats that do not act. */
static void begin_ply(hall* h) {
    agon__play_args* a = &h->w.plan.args;
    world_begin(&h->w);
    for (int lane = 0; lane < MEMBERS * LANES; lane++)
        for (int seat = 0; seat < a->seats; seat++) {
            const int row = lane * a->seats + seat;
            if (h->of[lane].acting >> seat & 1)
                continue;
            a->count[row] = 1;
            a->open[row] = 0;
            a->rectangles.reward[row * 2] = 0;
        }
}

/* What the seat of a slot sees and may do, and a random legal action. */
static uint16_t decide(hall* h, uint32_t slot) {
    const agon__play_args* a = &h->w.plan.args;
    const agon_rules* rules = h->w.rules;
    const uint32_t lane = a->slot_lane[slot];
    const table* t = &h->of[lane];
    const int seat = a->slot_seat[slot], words = rules->mask_words;
    rules->game->observe(rules->config, t->state, seat, h->obs);
    rules->game->legal(rules->config, t->state, seat, h->mask);
    assert_memory_equal((const char*)a->rectangles.obs + a->place[slot] * a->obs_bytes, h->obs,
                        a->obs_bytes);
    assert_memory_equal(a->rectangles.mask + (size_t)a->place[slot] * (size_t)words, h->mask,
                        (size_t)words * sizeof *h->mask);
    const agon_key key = h->w.member[lane / LANES].action;
    const uint32_t word = agon_random(key, t->episode, t->ply, (uint32_t)seat, 0).word[0];
    const int legal = agon_mask_count(h->mask, words);
    return (uint16_t)agon_mask_nth(h->mask, words, (int)agon_below(word, (uint32_t)legal));
}

/* Every acting seat has one slot. */
static void decide_all(hall* h) {
    agon__play_args* a = &h->w.plan.args;
    for (int m = 0; m < MEMBERS; m++) {
        int acting = 0;
        for (int i = 0; i < LANES; i++)
            acting += __builtin_popcountll(h->of[m * LANES + i].acting);
        assert_int_equal(a->slots[m], acting);
    }
    for (int lane = 0; lane < MEMBERS * LANES; lane++)
        for (uint64_t set = h->of[lane].acting; set; set &= set - 1) {
            const int seat = __builtin_ctzll(set);
            const uint32_t slot = a->slot_of[lane * a->seats + seat];
            assert_int_equal(a->slot_lane[slot], lane);
            assert_int_equal(a->slot_seat[slot], seat);
            a->action[slot] = decide(h, slot);
            a->value[slot] = a->log_probability[slot] = 0;
        }
}

static void play_table(hall* h, int lane) {
    const agon__play_args* a = &h->w.plan.args;
    const agon_rules* rules = h->w.rules;
    table* t = &h->of[lane];
    uint16_t action[AGON_MAX_SEATS] = {0};
    memset(t->reward, 0, sizeof t->reward);
    for (uint64_t set = t->acting; set; set &= set - 1) {
        const int seat = __builtin_ctzll(set);
        action[seat] = a->action[a->slot_of[lane * a->seats + seat]];
    }
    if (t->acting) {
        assert_int_equal(rules->game->apply(rules->config, t->state, action, t->reward), 0);
        t->ply++;
        t->acting =
            agon_rules_settle(rules, t->state, t->reward, chance_of(h, lane), t->episode, t->ply);
    }
    if (!t->acting) {
        t->before++;
        start_table(h, lane);
    }
}

static void compare_rewards(const hall* h, int lane) {
    const int seats = h->w.plan.args.seats;
    for (int seat = 0; seat < seats; seat++)
        assert_memory_equal(&h->w.data.reward[(lane * seats + seat) * 2], &h->of[lane].reward[seat],
                            sizeof(float));
}

static void play_hall(const agon_rules* rules, int backwards, const emulate_kernel* twin) {
    hall h;
    open_hall(&h, rules, backwards, twin);
    compare_lanes(&h);
    for (int episodes = 0; episodes < EPISODES;) {
        begin_ply(&h);
        world_run(&h.w, h.w.sort, &h.w.plan.sort);
        world_run(&h.w, h.w.observe, &h.w.plan.observe);
        decide_all(&h);
        world_run(&h.w, h.w.step, &h.w.plan.step);
        episodes = 0;
        for (int lane = 0; lane < MEMBERS * LANES; lane++) {
            play_table(&h, lane);
            compare_rewards(&h, lane);
            episodes += (int)h.of[lane].before;
        }
        compare_lanes(&h);
    }
    assert_int_equal(h.w.plan.args.word[0].fault | h.w.plan.args.word[1].fault, 0);
    close_hall(&h);
}

static void every_game(void** state) {
    (void)state;
    assert_true(agon_game_count() > 0);
    for (int i = 0; i < agon_game_count(); i++) {
        agon_rules* rules = open_rules(agon_game_at(i)->name);
        play_hall(rules, i & 1, NULL);
        agon_rules_close(rules);
    }
}

/* Parameters change sizes and tables, all of which a twin finds in its config. */
static void with_parameters(void** state) {
    (void)state;
    static const char* const games[] = {
        "backgammon(hyper_backgammon=true,scoring_type=full_scoring)",
        "blotto(coins=4,fields=8)",
        "breakthrough(rows=5,cols=9)",
        "connect_four(rows=5,cols=10,connect=5)",
        "dark_hex(num_rows=2,num_cols=3,gameversion=adh,obstype=reveal-numturns)",
        "go(board_size=6,komi=-2.5)",
        "gomoku(size=6,connect=3)",
        "goofspiel(players=10,cards=9,points_order=descending)",
        "hex(board_size=13)",
        "iterated(stage=battle_of_the_sexes,rounds=40)",
        "kuhn_poker(players=10)",
        "leduc_poker(players=10)",
        "liars_dice(players=6,dice=10,faces=2)",
        "matrix(name=shapley)",
        "matrix_file(path=tests/data/matrix_rectangle.txt)",
        "negotiation(num_items=4,num_symbols=3,utterance_dim=4)",
        "nim(pile_sizes=9+4+9)",
        "oshi_zumo(coins=20,size=4,min_bid=1)",
        "othello(rows=6,cols=4)",
        "oware(num_houses_per_player=2,num_seeds_per_house=1)",
        "pig(players=4,winscore=20)",
        "pursuit(predators=5,prey=3)",
        "snake_arena(players=8)",
        "spinning_top(levels=3,angles=5)",
        "tron(players=4,size=5)",
    };
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        agon_rules* rules = open_rules(games[i]);
        play_hall(rules, (int)(i & 1), NULL);
        agon_rules_close(rules);
    }
}

static void an_odd_game(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof odd_games / sizeof *odd_games; i++) {
        agon_rules* rules = open_odd(odd_games[i]);
        play_hall(rules, (int)(i & 1), odd_twin);
        agon_rules_close(rules);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_game),
        cmocka_unit_test(with_parameters),
        cmocka_unit_test(an_odd_game),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
