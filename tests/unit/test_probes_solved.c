/* Probe set X: states of near-best play, with what actions are worth; checked by plain recursion.
 */
#include "engine/probes_make.h"

#include "agents/tree.h"
#include "tests/unit/rules_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static agon_probes make(const agon_rules* rules, int states, uint64_t seed, int64_t limit) {
    agon_probes p;
    agon_error error = {0};
    if (agon_probes_make_solved(rules, states, seed, limit, NULL, &p, &error) != 0)
        fail_msg("%s: %s", rules->name, error.text);
    assert_int_equal(p.set, AGON_PROBES_X);
    return p;
}

/* What seat 0 gets in all after `earned`, by plain recursion: the best for who acts, the average of
 * chance. */
static double plain(const agon_rules* rules, const void* state, double earned);

static double plain_after(const agon_rules* rules, const void* state, int seat, int action,
                          double earned) {
    char* next = malloc(rules->spec.state_size);
    uint16_t chosen[AGON_MAX_SEATS] = {0};
    float reward[AGON_MAX_SEATS] = {0};
    chosen[seat < 0 ? 0 : seat] = (uint16_t)action;
    memcpy(next, state, rules->spec.state_size);
    assert_int_equal(rules->game->apply(rules->config, next, chosen, reward), 0);
    const double value = plain(rules, next, earned + (double)reward[0]);
    free(next);
    return value;
}

static double plain(const agon_rules* rules, const void* state, double earned) {
    const uint64_t acting = rules->game->acting(rules->config, state);
    double chance[64], best = 0;
    uint64_t mask[16] = {0};
    bool any = false;
    if (!acting)
        return earned;
    if (acting == AGON_CHANCE) {
        const int outcomes = rules->game->chance(rules->config, state, chance);
        for (int k = 0; k < outcomes; k++)
            best += chance[k] * plain_after(rules, state, -1, k, earned);
        return best;
    }
    const int seat = __builtin_ctzll(acting);
    rules->game->legal(rules->config, state, seat, mask);
    for (int a = 0; a < rules->spec.actions; a++) {
        if (!agon_mask_has(mask, a))
            continue;
        const double value = plain_after(rules, state, seat, a, earned);
        best = !any || (seat == 0 ? value > best : value < best) ? value : best;
        any = true;
    }
    return best;
}

/* Worth of every action of states with at most `most` plies to come; zero-sum, nothing is earned
 * before the end. Returns how many states were compared. */
static int compare(const agon_rules* rules, const agon_probes* p, int from_ply) {
    void* state = malloc(rules->spec.state_size);
    int compared = 0;
    for (int i = 0; i < p->states; i++) {
        if (p->ply[i] < from_ply)
            continue;
        compared++;
        assert_int_equal(agon_probes_position(p, rules, i, state, NULL), 0);
        for (int a = 0; a < rules->spec.actions; a++) {
            const double worth = p->worth[(size_t)i * (size_t)rules->spec.actions + (size_t)a];
            if (isnan(worth))
                continue;
            const double value = plain_after(rules, state, p->seat[i], a, 0);
            assert_true(fabs(worth - (p->seat[i] == 0 ? value : -value)) < 1e-9);
        }
    }
    free(state);
    return compared;
}

/* Guards: worth is the exact value to the seat that is asked: by the tree, with chance, and by the
 * search; NaN where illegal (which decoding checks). */
static void worth_is_exact(void** state) {
    (void)state;
    const struct {
        const char* game;
        int states, from_ply;
        int64_t limit;
    } known[] = {{"tic_tac_toe", 150, 2, 1},
                 {"pig(winscore=6,horizon=6)", 60, 0, 1},
                 {"nim(pile_sizes=2+3+2)", 40, 0, 1},
                 {"connect_four", 96, 31, 20000}};
    for (int g = 0; g < 4; g++) {
        agon_rules* rules = open_rules(known[g].game);
        agon_probes p = make(rules, known[g].states, 1, known[g].limit), back;
        agon_error error = {0};
        agon_bytes bytes;
        assert_true(compare(rules, &p, known[g].from_ply) > 5);
        assert_int_equal(agon_probes_encode(&p, rules, &bytes, NULL), 0);
        agon_probe_sets sets;
        if (agon_probe_sets_decode(bytes.data, bytes.size, rules, &sets, &error) != 0)
            fail_msg("%s: %s", known[g].game, error.text);
        back = sets.set[AGON_PROBES_X];
        assert_int_equal(back.states, p.states);
        assert_int_equal(back.unsolved, p.unsolved);
        assert_int_equal(back.limit, known[g].limit);
        free(bytes.data);
        agon_probe_sets_close(&sets);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* Guards: the same arguments give the same bytes, another seed others. */
static void sets_are_frozen(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    char hash[3][AGON_HASH_SIZE];
    for (int i = 0; i < 3; i++) {
        agon_probes p = make(rules, 24, i < 2 ? 1 : 2, 5000);
        agon_bytes bytes;
        assert_int_equal(agon_probes_encode(&p, rules, &bytes, NULL), 0);
        memcpy(hash[i], bytes.hash, AGON_HASH_SIZE);
        free(bytes.data);
        agon_probes_close(&p);
    }
    assert_string_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
    agon_rules_close(rules);
}

/* Guards: states are near best play: at most about a quarter of the moves of a line give up what
 * best play would keep, and some do. Random play in the same game errs far more often. */
static void lines_are_mostly_best_play(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 400, 1, 1);
    char* at = malloc(rules->spec.state_size);
    int moves = 0, errors = 0;
    for (int i = 0; i < p.states; i++) {
        rules->game->init(rules->config, at);
        for (int32_t k = p.offset[i]; k < p.offset[i + 1] && p.ply[i] < 6; k++) {
            const int seat = (k - p.offset[i]) % 2;
            const double before = plain(rules, at, 0);
            float reward[2] = {0};
            rules->game->apply(rules->config, at, p.action + 2 * k, reward);
            const double after = plain(rules, at, 0);
            errors += seat == 0 ? after < before : after > before;
            moves++;
        }
        i += 7; /* the recursion is slow */
    }
    assert_true(moves > 60);
    assert_true(errors > 0);
    assert_true(errors * 4 < moves);
    free(at);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: positions that differ by a symmetry are one; equal weight per ply bucket; what could not
 * be solved is counted, and more of it with a smaller limit. */
static void sets_are_stratified(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes little = make(rules, 64, 1, 1000), more = make(rules, 64, 1, 20000);
    agon_probe_strata strata;
    int stratum[64], low[2] = {99, 99};
    double weight[AGON_PROBE_BUCKETS] = {0};
    assert_int_equal(more.states, 64);
    assert_true(little.unsolved > 0 && more.unsolved > 0);
    assert_int_equal(agon_probes_facts(&more, rules, NULL, NULL, stratum, &strata, NULL), 0);
    for (int i = 0; i < 64; i++) {
        weight[stratum[i]] += more.weight[i];
        low[1] = more.ply[i] < low[1] ? more.ply[i] : low[1];
    }
    for (int i = 0; i < little.states; i++)
        low[0] = little.ply[i] < low[0] ? little.ply[i] : low[0];
    assert_true(low[1] < low[0]); /* a larger limit comes nearer to the beginning */
    for (int k = 0; k < strata.count; k++)
        assert_true(fabs(weight[k] - 1.0 / strata.count) < 1e-9);
    agon_probes_close(&little);
    agon_probes_close(&more);
    agon_rules_close(rules);
}

/* Guards: tic-tac-toe is covered whole when enough is asked for: no state of its tree is solved
 * twice up to symmetry, and none is left out as too hard. */
static void small_games_leave_nothing_out(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 2000, 1, 1);
    assert_int_equal(p.unsolved, 0);
    assert_in_range(p.states, 500, 765 - 138 - 34);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: a game that no exact solver takes is refused with the reason. */
static void other_games_are_refused(void** state) {
    (void)state;
    const char* const known[][2] = {
        {"kuhn_poker", "hides something"},
        {"tron(players=3)", "hides something"},
        {"backgammon", "no chance"},
        {"connect_four(rows=10,cols=5,connect=6)", "too large to solve"}};
    for (int g = 0; g < 4; g++) {
        agon_rules* rules = open_rules(known[g][0]);
        agon_probes p = {0};
        agon_error error = {0};
        assert_int_equal(agon_probes_make_solved(rules, 10, 1, 1, NULL, &p, &error),
                         AGON_EUNSUPPORTED);
        if (!strstr(error.text, known[g][1]))
            fail_msg("%s: %s", known[g][0], error.text);
        assert_null(p.offset);
        agon_rules_close(rules);
    }
}

/* Guards: values of actions need what they say they need, and name what is missing. */
static void tree_values_are_refused(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    agon_tree* tree = NULL;
    agon_error error = {0};
    double value[100] = {5};
    assert_int_equal(agon_tree_open(rules, 1000, &tree, NULL), 0);
    assert_int_equal(agon_tree_action_values(tree, value, &error), AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "perfect information"));
    assert_true(value[0] == 5);
    agon_tree_close(tree);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worth_is_exact),
        cmocka_unit_test(sets_are_frozen),
        cmocka_unit_test(lines_are_mostly_best_play),
        cmocka_unit_test(sets_are_stratified),
        cmocka_unit_test(small_games_leave_nothing_out),
        cmocka_unit_test(other_games_are_refused),
        cmocka_unit_test(tree_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
