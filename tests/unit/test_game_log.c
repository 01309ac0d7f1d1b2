/* Promises of engine/game_log.h: what is written down can be played again and gives the same
 * observations, masks and returns; who meets whom is as the header says. */
#include "engine/game_log.h"
#include "tests/unit/task_fixture.h"

typedef struct cast {
    agon_rules* rules;
    agon_policy policy[4];
    agon_player player[4];
    uint64_t seats[4];
} cast;

static void open_cast(cast* c, const char* game) {
    memset(c, 0, sizeof *c);
    c->rules = open_rules(game);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(agon_scripted_open("random", c->rules, &c->policy[i], NULL), 0);
        c->player[i].policy = &c->policy[i];
    }
}

static void close_cast(cast* c) {
    for (int i = 0; i < 4; i++)
        agon_policy_close(&c->policy[i]);
    agon_rules_close(c->rules);
}

static agon_game_log play(const cast* c, int players, const uint64_t* seats, int games) {
    const agon_game_log_def def = {.rules = c->rules,
                                   .backend = agon_cpu_backend(),
                                   .players = players,
                                   .player = c->player,
                                   .seats = seats,
                                   .games = games,
                                   .seed = 5,
                                   .key = "export/1",
                                   .temperature = 1};
    agon_game_log log;
    assert_int_equal(agon_game_log_play(&def, &log, NULL), 0);
    return log;
}

/* Plays the log's actions through the rules; chance is keyed as the log says it is. */
static void replay(const cast* c, const agon_game_log* log) {
    const agon_rules* r = c->rules;
    const int seats = r->spec.seats, actions = r->spec.actions;
    char* state = calloc(1, r->spec.state_size);
    char* obs = malloc(r->obs_bytes);
    uint64_t* mask = calloc((size_t)r->mask_words, sizeof *mask);
    const agon_key chance = agon_key_make(5, "export/1", AGON_FOR_CHANCE);
    size_t at = 0;
    for (int game = 0; game < log->games; game++) {
        float reward[AGON_MAX_SEATS], total[AGON_MAX_SEATS] = {0};
        uint64_t acting = agon_rules_start(r, state, reward, chance, (uint32_t)game);
        for (int s = 0; s < seats; s++)
            total[s] += reward[s];
        int ply = 0;
        for (; acting; ply++) {
            uint16_t chosen[AGON_MAX_SEATS] = {0};
            for (int s = 0; s < seats; s++) {
                if (!(acting >> s & 1))
                    continue;
                assert_true(at < log->steps);
                assert_int_equal(log->episode[at], game);
                assert_int_equal(log->ply[at], ply);
                assert_int_equal(log->seat[at], s);
                assert_int_equal(log->agent[at], log->agents[game * seats + s]);
                r->game->observe(r->config, state, s, obs);
                assert_memory_equal(log->obs + at * r->obs_bytes, obs, r->obs_bytes);
                r->game->legal(r->config, state, s, mask);
                for (int a = 0; a < actions; a++)
                    assert_int_equal(log->legal[at * (size_t)actions + (size_t)a],
                                     agon_mask_has(mask, a));
                chosen[s] = log->action[at];
                assert_true(agon_mask_has(mask, chosen[s]));
                at++;
            }
            memset(reward, 0, sizeof reward);
            assert_int_equal(r->game->apply(r->config, state, chosen, reward), 0);
            acting = agon_rules_settle(r, state, reward, chance, (uint32_t)game, (uint32_t)ply + 1);
            for (int s = 0; s < seats; s++)
                total[s] += reward[s];
        }
        assert_int_equal(log->length[game], ply);
        for (int s = 0; s < seats; s++)
            assert_true(log->returns[game * seats + s] == total[s]);
    }
    assert_int_equal(at, log->steps);
    free(state);
    free(obs);
    free(mask);
}

/* Promise: boards, cards with chance, games where all move at once, three seats: all replay. */
static void games_replay(void** state) {
    static const char* const games[] = {"tic_tac_toe", "kuhn_poker(players=3)", "tron(players=3)",
                                        "connect_four", "matrix"};
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        cast c;
        open_cast(&c, games[i]);
        agon_game_log log = play(&c, 4, NULL, 24);
        replay(&c, &log);
        agon_game_log_clear(&log);
        close_cast(&c);
    }
}

/* Promise: in n (n - 1) games of two seats everyone meets everyone else once in each seat. */
static void everyone_meets_everyone(void** state) {
    cast c;
    int met[4][4] = {{0}};
    open_cast(&c, "tic_tac_toe");
    agon_game_log log = play(&c, 4, NULL, 12);
    for (int g = 0; g < 12; g++)
        met[log.agents[2 * g]][log.agents[2 * g + 1]]++;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            assert_int_equal(met[i][j], i != j);
    agon_game_log_clear(&log);
    log = play(&c, 1, NULL, 3);
    for (int i = 0; i < 6; i++)
        assert_int_equal(log.agents[i], 0);
    agon_game_log_clear(&log);
    close_cast(&c);
}

/* Promise: players with seats of their own hold them, and all of one role meet all of the other. */
static void roles_keep_their_seats(void** state) {
    cast c;
    int met[2][2] = {{0}};
    const uint64_t seats[4] = {1, 1, 2, 2};
    open_cast(&c, "tic_tac_toe");
    agon_game_log log = play(&c, 4, seats, 4);
    for (int g = 0; g < 4; g++)
        met[log.agents[2 * g]][log.agents[2 * g + 1] - 2]++;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            assert_int_equal(met[i][j], 1);
    agon_game_log_clear(&log);
    close_cast(&c);
}

/* Promise: the same games whenever asked, and the first of many are the few. */
static void games_are_a_function(void** state) {
    cast c;
    open_cast(&c, "connect_four");
    agon_game_log few = play(&c, 3, NULL, 5), many = play(&c, 3, NULL, 9);
    assert_true(many.steps > few.steps);
    assert_memory_equal(few.action, many.action, few.steps * sizeof *few.action);
    assert_memory_equal(few.obs, many.obs, few.steps * c.rules->obs_bytes);
    agon_game_log_clear(&few);
    agon_game_log_clear(&many);
    close_cast(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(games_replay),
        cmocka_unit_test(everyone_meets_everyone),
        cmocka_unit_test(roles_keep_their_seats),
        cmocka_unit_test(games_are_a_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
