/* Match tasks: counts add up, seats and openings are paired, many lanes tell what one lane tells.
 */
#include "tests/unit/task_fixture.h"

static double total_sum(const agon_match_result* m) {
    double sum = 0;
    for (int s = 0; s < m->seats; s++)
        sum += m->tally[s].sum;
    return sum;
}

/* Promise: games are shared evenly by the seats, every game is a win, a draw or a loss, pairs add
 * up to the same points, and every decision is counted once. */
static void counts_add_up(void** state) {
    (void)state;
    static const struct {
        const char* game;
        int games, max_plies;
    } cases[] = {{"connect_four", 60, 42},
                 {"matrix", 50, 1},
                 {"kuhn_poker(players=3)", 90, 5},
                 {"tron(players=4)", 24, 200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(cases[i].game);
        const int games = cases[i].games, seats = rules->spec.seats;
        const agon_task task = match_task(rules, shelf_snapshot(&s, rules, 8, 1), "random", games);
        const agon_match_result m = must_match(&task, &s);
        assert_int_equal(m.seats, seats);
        assert_int_equal(m.pairs, games / seats);
        for (int seat = 0; seat < seats; seat++) {
            const agon_tally* t = &m.tally[seat];
            assert_int_equal(t->games, games / seats);
            assert_int_equal(t->wins + t->draws + t->losses, t->games);
            assert_true(t->sum_squares * (double)t->games >= t->sum * t->sum - 1e-9);
            assert_true(fabs(t->sum) <= (double)rules->spec.return_max * (double)t->games + 1e-9 ||
                        fabs(t->sum) <= -(double)rules->spec.return_min * (double)t->games + 1e-9);
        }
        assert_true(fabs(m.pair_sum * seats - total_sum(&m)) < 1e-9);
        assert_true(m.pair_sum_squares * (double)m.pairs >= m.pair_sum * m.pair_sum - 1e-9);
        assert_in_range(m.plies, games, games * cases[i].max_plies);
        if (rules->spec.simultaneous) {
            assert_true(m.row_steps + m.col_steps >= m.plies);
            assert_true(m.row_steps <= m.plies);
        } else {
            assert_int_equal(m.row_steps + m.col_steps, m.plies);
        }
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

/* ---- one lane tells the same -------------------------------------------------------------- */

typedef struct replay {
    agon_lanes* lanes;
    agon_key opening;
    uint64_t steps[2], plies;
} replay;

/* The returns of game g, played alone. */
static void replay_game(replay* r, int g, int opening, double* total) {
    agon_lanes* l = r->lanes;
    for (int seat = 0; seat < l->seats; seat++)
        l->player_of[seat] = seat == g % l->seats ? 0 : 1;
    agon_lanes_start(l, 0, (uint32_t)g, (uint32_t)(g / l->seats));
    agon_lanes_opening(l, 0, opening, r->opening);
    for (int seat = 0; seat < l->seats; seat++)
        total[seat] = l->reward[seat];
    while (l->acting[0]) {
        agon_lanes_decide(l);
        for (int i = 0; i < l->slots; i++)
            r->steps[l->player_of[l->slot_seat[i]]]++;
        agon_lanes_play(l);
        r->plies++;
        for (int seat = 0; seat < l->seats; seat++)
            total[seat] += l->reward[seat];
    }
}

static agon_match_result replay_match(const agon_task* task, const agon_rules* rules, shelf* s) {
    const agon_match_task* d = &task->as.match;
    const int seats = rules->spec.seats;
    agon_match_result m = {.seats = seats};
    agon_context context = {.backend = agon_cpu_backend(), .load = shelf_load, .user = s};
    agon_actor actor[2];
    assert_int_equal(agon__actor_open(d->row_ref, rules, &context, false, &actor[0], NULL), 0);
    assert_int_equal(agon__actor_open(d->col_ref, rules, &context, false, &actor[1], NULL), 0);
    const agon_player player[2] = {agon__actor_player(&actor[0]), agon__actor_player(&actor[1])};
    const agon_lanes_def def = {
        .rules = rules,
        .backend = context.backend,
        .lanes = 1,
        .players = 2,
        .player = player,
        .chance = agon_key_make(task->seed, task->key, AGON_FOR_CHANCE),
        .action = agon_key_make(task->seed, task->key, AGON_FOR_ACTION),
        .temperature = d->temperature,
    };
    replay r = {.opening = agon_key_make(task->seed, task->key, AGON_FOR_OPENING)};
    assert_int_equal(agon_lanes_open(&def, &r.lanes, NULL), 0);
    double pair = 0;
    for (int g = 0; g < d->games; g++) {
        double total[AGON_MAX_SEATS], others = 0;
        const int own = g % seats;
        replay_game(&r, g, d->opening, total);
        for (int seat = 0; seat < seats; seat++)
            others += seat == own ? 0 : total[seat] / (seats - 1);
        agon_tally* t = &m.tally[own];
        t->games++;
        t->wins += total[own] > others + 1e-6;
        t->losses += total[own] < others - 1e-6;
        t->sum += total[own];
        t->sum_squares += total[own] * total[own];
        pair = own == 0 ? total[own] / seats : pair + total[own] / seats;
        m.pair_sum += own == seats - 1 ? pair : 0;
        m.pair_sum_squares += own == seats - 1 ? pair * pair : 0;
    }
    m.row_steps = r.steps[0];
    m.col_steps = r.steps[1];
    m.plies = r.plies;
    agon_lanes_close(r.lanes);
    agon__actor_close(&actor[0]);
    agon__actor_close(&actor[1]);
    agon_context_clear(&context);
    return m;
}

/* A reference: the policy's text, or the hash of a new net's snapshot. */
static const char* take_seat(shelf* s, const agon_rules* rules, const char* who, uint64_t seed) {
    if (strcmp(who, "random") == 0 || strcmp(who, "one_ply") == 0)
        return who;
    const agon_net net = make_layers(rules, who);
    return shelf_snapshot_of(s, rules, &net, seed);
}

/* Promise: more games than lanes run side by side give what the games give one by one, also where
 * the two remember, each in its own way. */
static void many_lanes_tell_what_one_tells(void** state) {
    (void)state;
    static const struct {
        const char *game, *row, *col; /* layers of nets, or policies */
        int games, opening;
    } cases[] = {{"connect_four", "8", "11", 600, 3},
                 {"tic_tac_toe", "8", "one_ply", 520, 20},
                 {"kuhn_poker(players=3)", "8", "random", 780, 0},
                 {"tron(players=3,size=6)", "8", "11", 300, 1},
                 {"connect_four", "mingru7", "5,mingru4,mingru9", 520, 5},
                 {"tic_tac_toe", "conv3,mingru5", "8", 520, 2},
                 {"kuhn_poker", "mingru3", "random", 780, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(cases[i].game);
        const char* row = take_seat(&s, rules, cases[i].row, 1);
        const char* col = take_seat(&s, rules, cases[i].col, 2);
        agon_task task = match_task(rules, row, col, cases[i].games);
        task.as.match.opening = cases[i].opening;
        const agon_match_result m = must_match(&task, &s), one = replay_match(&task, rules, &s);
        for (int seat = 0; seat < m.seats; seat++) {
            assert_int_equal(m.tally[seat].games, one.tally[seat].games);
            assert_int_equal(m.tally[seat].wins, one.tally[seat].wins);
            assert_int_equal(m.tally[seat].losses, one.tally[seat].losses);
            assert_true(fabs(m.tally[seat].sum - one.tally[seat].sum) < 1e-4);
            assert_true(fabs(m.tally[seat].sum_squares - one.tally[seat].sum_squares) < 1e-3);
        }
        assert_true(fabs(m.pair_sum - one.pair_sum) < 1e-4);
        assert_true(fabs(m.pair_sum_squares - one.pair_sum_squares) < 1e-3);
        assert_int_equal(m.row_steps, one.row_steps);
        assert_int_equal(m.col_steps, one.col_steps);
        assert_int_equal(m.plies, one.plies);
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

/* ---- pairs -------------------------------------------------------------------------------- */

static const char* const pair_games[] = {"connect_four", "tic_tac_toe", "kuhn_poker"};

/* Promise: greedy policies meet the same openings and the same cards in both seats: a policy scores
 * exactly 0 against itself in every pair. */
static void a_policy_draws_with_itself(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof pair_games / sizeof *pair_games; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(pair_games[i]);
        const char* ref = shelf_snapshot(&s, rules, 8, 3);
        agon_task task = match_task(rules, ref, ref, 300);
        task.as.match.temperature = 0;
        task.as.match.opening = rules->spec.information == AGON_PERFECT ? 2 : 0;
        const agon_match_result m = must_match(&task, &s);
        assert_true(m.pair_sum == 0 && m.pair_sum_squares == 0);
        assert_true(m.tally[0].wins == m.tally[1].losses && m.tally[0].losses == m.tally[1].wins);
        assert_true(m.tally[0].wins > 0 && m.tally[0].losses > 0); /* openings differ */
        /* Sampled play is even only on average: within 5 standard errors. */
        task.as.match.temperature = 1;
        const agon_match_result x = must_match(&task, &s);
        assert_true(x.pair_sum_squares > 0);
        assert_true(fabs(x.pair_sum) < 5 * sqrt(x.pair_sum_squares));
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

/* Promise: what the row wins the column loses: X(i, j) = -X(j, i), seat by seat. */
static void rows_win_what_columns_lose(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof pair_games / sizeof *pair_games; i++) {
        shelf s = {0};
        agon_rules* rules = open_rules(pair_games[i]);
        const char* a = shelf_snapshot(&s, rules, 8, 4);
        const char* b = shelf_snapshot(&s, rules, 12, 5);
        agon_task ab = match_task(rules, a, b, 200), ba = match_task(rules, b, a, 200);
        ab.as.match.temperature = ba.as.match.temperature = 0;
        ab.as.match.opening = ba.as.match.opening = rules->spec.information == AGON_PERFECT ? 3 : 0;
        const agon_match_result x = must_match(&ab, &s), y = must_match(&ba, &s);
        assert_true(x.pair_sum == -y.pair_sum && x.pair_sum_squares == y.pair_sum_squares);
        for (int seat = 0; seat < 2; seat++) {
            assert_int_equal(x.tally[seat].wins, y.tally[1 - seat].losses);
            assert_int_equal(x.tally[seat].losses, y.tally[1 - seat].wins);
            assert_true(x.tally[seat].sum == -y.tally[1 - seat].sum);
        }
        assert_int_equal(x.row_steps, y.col_steps);
        assert_int_equal(x.col_steps, y.row_steps);
        agon_rules_close(rules);
        shelf_clear(&s);
    }
}

static int outcomes(const agon_tally* t) {
    return (t->wins > 0) + (t->draws > 0) + (t->losses > 0);
}

/* Promise: greedy games without chance or opening are all alike; temperature or opening plies make
 * them differ. */
static void greedy_games_are_alike(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("connect_four");
    const char* a = shelf_snapshot(&s, rules, 8, 6);
    const char* b = shelf_snapshot(&s, rules, 8, 7);
    agon_task task = match_task(rules, a, b, 100);
    task.as.match.temperature = 0;
    const agon_match_result greedy = must_match(&task, &s);
    assert_int_equal(outcomes(&greedy.tally[0]), 1);
    assert_int_equal(outcomes(&greedy.tally[1]), 1);
    assert_int_equal(greedy.plies % 50, 0);
    task.as.match.opening = 4;
    const agon_match_result opened = must_match(&task, &s);
    assert_true(outcomes(&opened.tally[0]) > 1 && outcomes(&opened.tally[1]) > 1);
    task.as.match.opening = 0;
    task.as.match.temperature = 1;
    const agon_match_result sampled = must_match(&task, &s);
    assert_true(outcomes(&sampled.tally[0]) > 1 && outcomes(&sampled.tally[1]) > 1);
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: the row is the row: a policy that wins at once beats one that does not look. */
static void the_better_policy_wins(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("tic_tac_toe");
    const agon_task up = match_task(rules, "one_ply", "random", 200);
    const agon_task down = match_task(rules, "random", "one_ply", 200);
    const agon_match_result x = must_match(&up, &s), y = must_match(&down, &s);
    for (int seat = 0; seat < 2; seat++) {
        assert_true(x.tally[seat].wins > 3 * x.tally[seat].losses);
        assert_true(y.tally[seat].losses > 3 * y.tally[seat].wins);
    }
    assert_true(x.pair_sum / (double)x.pairs > 0.5 && y.pair_sum / (double)y.pairs < -0.5);
    agon_rules_close(rules);
}

/* Promise: a match is a function of its task: the same bytes each time; another key or seed gives
 * other games. */
static void same_task_same_bytes(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* rules = open_rules("kuhn_poker");
    agon_task task = match_task(rules, shelf_snapshot(&s, rules, 8, 1), "random", 600);
    must_repeat(&task, &s);
    const double first = must_match(&task, &s).pair_sum;
    task.seed++;
    const double seed = must_match(&task, &s).pair_sum;
    snprintf(task.key, sizeof task.key, "match/0/0/2");
    const double key = must_match(&task, &s).pair_sum;
    assert_true(first != seed && seed != key && first != key);
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: a match that cannot be played is refused with the thing's name, and cancelling stops. */
static void wrong_tasks_are_refused(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules *rules = open_rules("tic_tac_toe"), *other = open_rules("matrix");
    const char* foreign = shelf_snapshot(&s, other, 8, 1);
    const char* own = shelf_snapshot(&s, rules, 8, 1);
    char missing[65] = "";
    memset(missing, 'a', 64);
    agon_task task = match_task(rules, own, "random", 7);
    must_fail(&task, &s, AGON_EINVALID, "7 games");
    task = match_task(rules, own, foreign, 8);
    must_fail(&task, &s, AGON_EINVALID, "inputs");
    task = match_task(rules, missing, own, 8);
    must_fail(&task, &s, AGON_EMISSING, missing);
    task = match_task(rules, own, "no_such_policy", 8);
    must_fail(&task, &s, AGON_EUNKNOWN, "no_such_policy");
    task = match_task(rules, own, "random", 8);
    task.fingerprint ^= 1;
    must_fail(&task, &s, AGON_EUNSUPPORTED, "same version");
    strcpy(task.game, "no_such_game");
    must_fail(&task, &s, AGON_EUNKNOWN, "no_such_game");

    agon_gauge gauge = {0};
    agon_context context = {
        .backend = agon_cpu_backend(), .load = shelf_load, .user = &s, .gauge = &gauge};
    agon_result result = {0};
    task = match_task(rules, own, "random", 8);
    atomic_store(&gauge.cancel, 1);
    assert_int_equal(agon_execute(&task, &context, &result, NULL), AGON_ECANCELLED);
    /* The same context serves the next task, of another game too. */
    atomic_store(&gauge.cancel, 0);
    assert_int_equal(agon_execute(&task, &context, &result, NULL), AGON_OK);
    task = match_task(other, foreign, "random", 8);
    assert_int_equal(agon_execute(&task, &context, &result, NULL), AGON_OK);
    assert_int_equal(result.as.match.plies, 8);
    assert_int_equal(atomic_load(&gauge.progress), 1000);
    agon_context_clear(&context);
    agon_rules_close(rules);
    agon_rules_close(other);
    shelf_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_add_up),
        cmocka_unit_test(many_lanes_tell_what_one_tells),
        cmocka_unit_test(a_policy_draws_with_itself),
        cmocka_unit_test(rows_win_what_columns_lose),
        cmocka_unit_test(greedy_games_are_alike),
        cmocka_unit_test(the_better_policy_wins),
        cmocka_unit_test(same_task_same_bytes),
        cmocka_unit_test(wrong_tasks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
