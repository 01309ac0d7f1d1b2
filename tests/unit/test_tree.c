/* The exact walk against published and independently computed values. */
#include "agents/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct solved {
    agon_rules* rules;
    agon_tree* tree;
    double* table; /* (infosets, actions) */
} solved;

static solved solved_open(const char* game) {
    solved s = {0};
    agon_error error = {0};
    if (agon_rules_open(game, &s.rules, &error) != 0 ||
        agon_tree_open(s.rules, 1000000, &s.tree, &error) != 0)
        fail_msg("%s: %s", game, error.text);
    s.table =
        calloc((size_t)agon_tree_infosets(s.tree) * (size_t)s.rules->spec.actions, sizeof *s.table);
    return s;
}

static void solved_close(solved* s) {
    free(s->table);
    agon_tree_close(s->tree);
    agon_rules_close(s->rules);
}

static void tabulate(solved* s, const char* text) {
    agon_policy policy;
    agon_error error = {0};
    if (agon_scripted_open(text, s->rules, &policy, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(agon_tree_tabulate(s->tree, &policy, 1.0f, s->table, &error), 0);
    agon_policy_close(&policy);
}

static void assert_near(double got, double wanted) {
    if (!(fabs(got - wanted) <= 1e-6))
        fail_msg("got %.10f, expected %.10f", got, wanted);
}

static double first_return(const solved* s) {
    const double* policy[AGON_MAX_SEATS];
    double out[AGON_MAX_SEATS];
    for (int i = 0; i < AGON_MAX_SEATS; i++)
        policy[i] = s->table;
    agon_tree_returns(s->tree, policy, out);
    return out[0];
}

static double best(const solved* s, int seat) {
    const double* policy[AGON_MAX_SEATS];
    for (int i = 0; i < AGON_MAX_SEATS; i++)
        policy[i] = s->table;
    return agon_tree_best_response(s->tree, seat, policy);
}

/* ---- Kuhn poker --------------------------------------------------------------------------- */

/* Chance of a bet (or call) by [situation][card]: opening, facing a check, facing a bet, and the
 * opener facing a bet after a check. */
typedef double kuhn_bets[4][3];

static void kuhn_set(solved* s, kuhn_bets bets) {
    for (int i = 0; i < agon_tree_infosets(s->tree); i++) {
        uint8_t obs[9];
        int seat, card = 0;
        const void* state = agon_tree_infoset_state(s->tree, i, &seat);
        s->rules->game->observe(s->rules->config, state, seat, obs);
        while (!obs[card])
            card++;
        const int situation = obs[3] && seat == 0 ? 3 : obs[6] ? 2 : obs[3] ? 1 : 0;
        const double bet = bets[situation][card];
        s->table[2 * i] = (double)(1.0 - bet);
        s->table[2 * i + 1] = (double)bet;
    }
}

/* Guards: the size of the tree and the exact values of Kuhn poker (Kuhn 1950; open_spiel's tests):
 * chance, hidden cards and counterfactual weights together. */
static void kuhn_values(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker");
    assert_int_equal(agon_tree_infosets(s.tree), 12);
    assert_int_equal(agon_tree_nodes(s.tree), 4 + 24 + 30);
    tabulate(&s, "random");
    assert_near(agon_tree_nash_conv(s.tree, s.table), 11.0 / 12);
    kuhn_bets pass = {{0}};
    kuhn_set(&s, pass);
    assert_near(agon_tree_nash_conv(s.tree, s.table), 2.0);
    kuhn_bets bet = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    kuhn_set(&s, bet);
    assert_near(first_return(&s), 0.0);
    assert_near(agon_tree_nash_conv(s.tree, s.table), 2.0 / 3);
    kuhn_bets half = {{0, .5, 1}, {0, .5, 1}, {0, .5, 1}, {0, .5, 1}};
    kuhn_set(&s, half);
    assert_near(first_return(&s), -1.0 / 24);
    assert_near(agon_tree_nash_conv(s.tree, s.table), 0.25);
    kuhn_bets kings = {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}, {0, 0, 1}};
    kuhn_set(&s, kings);
    assert_near(first_return(&s), 0.0);
    assert_near(agon_tree_nash_conv(s.tree, s.table), 0.5);
    solved_close(&s);
}

/* Guards: NashConv is 0 over the whole known family of equilibria, and their value is -1/18. */
static void kuhn_equilibria(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker");
    const double alphas[] = {0, .2, 1.0 / 3};
    for (int i = 0; i < 3; i++) {
        const double a = alphas[i];
        kuhn_bets bets = {{a, 0, 3 * a}, {1.0 / 3, 0, 1}, {0, 1.0 / 3, 1}, {0, a + 1.0 / 3, 1}};
        kuhn_set(&s, bets);
        assert_near(agon_tree_nash_conv(s.tree, s.table), 0.0);
        assert_near(first_return(&s), -1.0 / 18);
    }
    solved_close(&s);
}

/* Guards: different tables for different seats: equilibrium against uniform, both ways round. */
static void kuhn_mixed_tables(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker");
    const size_t size = 24 * sizeof(double);
    double* nash = malloc(size);
    double out[2];
    kuhn_bets bets = {{.2, 0, .6}, {1.0 / 3, 0, 1}, {0, 1.0 / 3, 1}, {0, .2 + 1.0 / 3, 1}};
    kuhn_set(&s, bets);
    memcpy(nash, s.table, size);
    tabulate(&s, "random");
    agon_tree_returns(s.tree, (const double*[]){nash, s.table}, out);
    assert_near(out[0], .1222222222);
    assert_near(out[1], -.1222222222);
    agon_tree_returns(s.tree, (const double*[]){s.table, nash}, out);
    assert_near(out[0], -1.0 / 6);
    free(nash);
    solved_close(&s);
}

/* Guards: a best response is as good as the best of all pure strategies, tried one by one, against
 * a table without any symmetry, and never asks for the responder's own table. */
static void best_response_is_the_best_pure_strategy(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker");
    double pure[24];
    double out[2];
    for (int i = 0; i < 12; i++) {
        s.table[2 * i] = (double)((i * 7 % 12) + 1) / 13.0f;
        s.table[2 * i + 1] = 1.0f - s.table[2 * i];
    }
    for (int seat = 0; seat < 2; seat++) {
        const double* policy[2] = {s.table, s.table};
        double top = -9;
        policy[seat] = NULL;
        const double value = agon_tree_best_response(s.tree, seat, policy);
        policy[seat] = pure;
        for (int choice = 0; choice < 1 << 12; choice++) {
            for (int i = 0; i < 12; i++) {
                pure[2 * i] = (double)(choice >> i & 1);
                pure[2 * i + 1] = 1.0f - pure[2 * i];
            }
            agon_tree_returns(s.tree, policy, out);
            top = out[seat] > top ? out[seat] : top;
        }
        assert_near(value, top);
    }
    solved_close(&s);
}

/* A table of uneven probabilities, many near 0 or 1. */
static void random_table(solved* s, uint32_t number) {
    const agon_key key = agon_key_make(1, "table", AGON_FOR_TEST);
    for (int i = 0; i < agon_tree_infosets(s->tree); i++) {
        const double u = (double)agon_uniform(agon_random(key, number, (uint32_t)i, 0, 0).word[0]);
        s->table[2 * i] = u < .3f ? .02f : u > .7f ? .98f : u;
        s->table[2 * i + 1] = 1.0f - s->table[2 * i];
    }
}

/* The value of seat 2's best choices, tried one by one: it acts once per line, so what one changes
 * adds to what the others change. own: (infosets, 2), zero. */
static double one_by_one(const solved* s, double* own) {
    const double* policy[3] = {s->table, s->table, own};
    const int sets = agon_tree_infosets(s->tree);
    double out[3], top;
    for (int i = 0; i < sets; i++)
        own[2 * i] = 1, own[2 * i + 1] = 0;
    agon_tree_returns(s->tree, policy, out);
    const double base = top = out[2];
    for (int i = 0; i < sets; i++) {
        own[2 * i] = 0, own[2 * i + 1] = 1;
        agon_tree_returns(s->tree, policy, out);
        top += out[2] > base ? out[2] - base : 0;
        own[2 * i] = 1, own[2 * i + 1] = 0;
    }
    return top;
}

/* Guards: an information set weighs its nodes by all that the others and chance did before, not by
 * the last move alone. */
static void best_response_weighs_whole_lines(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker(players=3)");
    double* own = calloc((size_t)agon_tree_infosets(s.tree) * 2, sizeof *own);
    for (uint32_t i = 0; i < 30; i++) {
        random_table(&s, i);
        const double value =
            agon_tree_best_response(s.tree, 2, (const double*[]){s.table, s.table, NULL});
        assert_near(value, one_by_one(&s, own));
    }
    free(own);
    solved_close(&s);
}

/* Guards: more than two seats. Returns of a zero-sum game add up to 0 and NashConv is positive. */
static void kuhn_three_seats(void** state) {
    (void)state;
    solved s = solved_open("kuhn_poker(players=3)");
    const double* policy[3] = {s.table, s.table, s.table};
    double out[3];
    tabulate(&s, "random");
    agon_tree_returns(s.tree, policy, out);
    assert_near(out[0] + out[1] + out[2], 0.0);
    for (int seat = 0; seat < 3; seat++)
        assert_true(agon_tree_best_response(s.tree, seat, policy) > out[seat]);
    solved_close(&s);
}

/* ---- simultaneous moves ------------------------------------------------------------------- */

/* Guards: the second seat does not see the first one's choice: uniform play is an equilibrium of
 * rock-paper-scissors, and a pure choice loses 1 in each seat. */
static void matrix_hides_the_first_choice(void** state) {
    (void)state;
    solved s = solved_open("matrix");
    assert_int_equal(agon_tree_infosets(s.tree), 2);
    assert_int_equal(agon_tree_nodes(s.tree), 1 + 3 + 9);
    tabulate(&s, "random");
    assert_near(agon_tree_nash_conv(s.tree, s.table), 0.0);
    for (int a = 0; a < 3; a++) {
        for (int i = 0; i < 6; i++)
            s.table[i] = i % 3 == a;
        assert_near(agon_tree_nash_conv(s.tree, s.table), 2.0);
    }
    assert_near(agon_tree_infoset_reach(s.tree, 0), 1.0);
    assert_near(agon_tree_infoset_reach(s.tree, 1), 1.0);
    solved_close(&s);
}

/* Guards: in a purely cyclic game over a full circle of angles uniform play is an equilibrium; in a
 * game of pure skill each seat gains half of the largest pay-off by always taking the top level. */
static void spinning_top_uniform(void** state) {
    (void)state;
    solved cyclic = solved_open("spinning_top(g=1)");
    tabulate(&cyclic, "random");
    assert_near(agon_tree_nash_conv(cyclic.tree, cyclic.table), 0.0);
    solved_close(&cyclic);
    solved skill = solved_open("spinning_top(g=0)");
    tabulate(&skill, "random");
    assert_near(agon_tree_nash_conv(skill.tree, skill.table), 1.0);
    solved_close(&skill);
}

/* ---- perfect information ------------------------------------------------------------------ */

/* Guards: equal positions are one node, and the exact values of tic-tac-toe. */
static void tic_tac_toe_values(void** state) {
    (void)state;
    solved s = solved_open("tic_tac_toe");
    double value = 9;
    assert_int_equal(agon_tree_nodes(s.tree), 5478);
    assert_int_equal(agon_tree_infosets(s.tree), 4520);
    tabulate(&s, "random");
    assert_near(first_return(&s), .2968253968);
    assert_near(best(&s, 0), .9947916667);
    assert_near(best(&s, 1), .9248677249);
    assert_near(agon_tree_nash_conv(s.tree, s.table), 1.9196593915);
    assert_int_equal(agon_tree_minimax(s.tree, &value, NULL), 0);
    assert_near(value, 0.0);
    solved_close(&s);
}

/* Guards: worst_return tells a policy that never errs from one that may. */
static void tic_tac_toe_worst_return(void** state) {
    (void)state;
    solved s = solved_open("tic_tac_toe");
    for (int seat = 0; seat < 2; seat++) {
        double value = 9;
        tabulate(&s, "random");
        assert_int_equal(agon_tree_worst_return(s.tree, seat, s.table, &value, NULL), 0);
        assert_near(value, -1.0);
        tabulate(&s, "alpha_beta(depth=9)");
        assert_int_equal(agon_tree_worst_return(s.tree, seat, s.table, &value, NULL), 0);
        assert_near(value, 0.0);
    }
    /* Perfect play is a Nash equilibrium: nobody gains against it. */
    assert_near(best(&s, 0), 0.0);
    assert_near(best(&s, 1), 0.0);
    solved_close(&s);
}

/* ---- the rest of the contract ------------------------------------------------------------- */

/* Guards: what cannot be solved is refused with a code and a message that names the reason. */
static void refusals(void** state) {
    (void)state;
    agon_error error = {0};
    agon_rules* rules = NULL;
    agon_tree* tree = NULL;
    double value;
    assert_int_equal(agon_rules_open("tic_tac_toe", &rules, &error), 0);
    assert_int_equal(agon_tree_open(rules, 5477, &tree, &error), AGON_ELIMIT);
    assert_non_null(strstr(error.text, "5477"));
    assert_null(tree);
    assert_int_equal(agon_tree_open(rules, 5478, &tree, &error), 0);
    agon_tree_close(tree);
    agon_rules_close(rules);
    solved s = solved_open("kuhn_poker");
    assert_int_equal(agon_tree_minimax(s.tree, &value, &error), AGON_EUNSUPPORTED);
    assert_int_equal(agon_tree_worst_return(s.tree, 0, s.table, &value, &error), AGON_EUNSUPPORTED);
    solved_close(&s);
}

/* Guards: the line to every information set leads to its representative, with its ply, its seat
 * and its legal actions; and reach is a probability that adds up over each ply of the start. */
static void lines_lead_to_representatives(void** state) {
    (void)state;
    const char* games[] = {"kuhn_poker", "matrix", "tic_tac_toe"};
    for (int g = 0; g < 3; g++) {
        solved s = solved_open(games[g]);
        const agon_rules* r = s.rules;
        const size_t seats = (size_t)r->spec.seats;
        char* at = malloc(r->spec.state_size);
        for (int i = 0; i < agon_tree_infosets(s.tree); i++) {
            uint16_t action[16 * 2];
            float reward[2] = {0};
            int seat, ply = 0;
            const void* wanted = agon_tree_infoset_state(s.tree, i, &seat);
            const int rows = agon_tree_infoset_line(s.tree, i, action, 16);
            assert_in_range(rows, 0, 16);
            r->game->init(r->config, at);
            for (int k = 0; k < rows; k++) {
                ply += r->game->acting(r->config, at) != AGON_CHANCE;
                assert_int_equal(r->game->apply(r->config, at, action + (size_t)k * seats, reward),
                                 0);
            }
            assert_memory_equal(at, wanted, r->spec.state_size);
            assert_true(r->game->acting(r->config, at) >> seat & 1);
            assert_int_equal(ply, agon_tree_infoset_ply(s.tree, i));
            assert_true(agon_tree_infoset_reach(s.tree, i) > 0);
        }
        free(at);
        solved_close(&s);
    }
}

/* Promise: a mixture returns the weighted mean of its policies' returns, whoever it meets. */
static void mixtures_return_the_mean(void** unused) {
    enum { SIZE = 24, COUNT = 3 };
    const double weight[COUNT] = {0.5, 0.125, 0.375};
    double tables[COUNT][SIZE], mixed[SIZE], opponent[SIZE], mean[2] = {0}, out[2];
    const double* policy[COUNT];
    solved s = solved_open("kuhn_poker");
    random_table(&s, 100);
    memcpy(opponent, s.table, sizeof opponent);
    for (int k = 0; k < COUNT; k++) {
        random_table(&s, (uint32_t)k);
        memcpy(tables[k], s.table, sizeof tables[k]);
        policy[k] = tables[k];
    }
    assert_int_equal(agon_tree_mix(s.tree, COUNT, policy, weight, mixed, NULL), 0);
    for (int k = 0; k < COUNT; k++) {
        agon_tree_returns(s.tree, (const double*[]){tables[k], opponent}, out);
        mean[0] += weight[k] * out[0];
        agon_tree_returns(s.tree, (const double*[]){opponent, tables[k]}, out);
        mean[1] += weight[k] * out[1];
    }
    agon_tree_returns(s.tree, (const double*[]){mixed, opponent}, out);
    assert_true(fabs(out[0] - mean[0]) < 1e-12);
    agon_tree_returns(s.tree, (const double*[]){opponent, mixed}, out);
    assert_true(fabs(out[1] - mean[1]) < 1e-12);
    solved_close(&s);
    s = solved_open("tic_tac_toe");
    assert_int_equal(agon_tree_mix(s.tree, 1, policy, weight, mixed, NULL), AGON_EUNSUPPORTED);
    solved_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kuhn_values),
        cmocka_unit_test(kuhn_equilibria),
        cmocka_unit_test(kuhn_mixed_tables),
        cmocka_unit_test(best_response_is_the_best_pure_strategy),
        cmocka_unit_test(best_response_weighs_whole_lines),
        cmocka_unit_test(kuhn_three_seats),
        cmocka_unit_test(matrix_hides_the_first_choice),
        cmocka_unit_test(spinning_top_uniform),
        cmocka_unit_test(tic_tac_toe_values),
        cmocka_unit_test(tic_tac_toe_worst_return),
        cmocka_unit_test(mixtures_return_the_mean),
        cmocka_unit_test(refusals),
        cmocka_unit_test(lines_lead_to_representatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
