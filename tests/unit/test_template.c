/* The game template is a whole game: the contract accepts it, its tree can be solved, and the
 * answer is the known one: who faces a multiple of four stones loses. */
#include "agents/tree.h"
#include "games/internal.h"

#include "games/template/my_game.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static double value_of(const char* text) {
    agon__game_string string;
    agon_rules* rules;
    agon_tree* tree;
    agon_error error = {0};
    double value = 0;
    assert_int_equal(agon__game_string_parse(text, &string, &error), 0);
    if (agon__rules_open_game(&agon_game_my_game, &string, &rules, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(agon_tree_open(rules, 10000, &tree, &error), 0);
    assert_int_equal(agon_tree_minimax(tree, &value, &error), 0);
    agon_tree_close(tree);
    agon_rules_close(rules);
    return value;
}

/* Promise: the template's rules are those it states, at several sizes. */
static void multiples_of_four_lose(void** state) {
    (void)state;
    for (int stones = 4; stones <= 24; stones++) {
        char text[64];
        snprintf(text, sizeof text, "my_game(stones=%d)", stones);
        assert_true(value_of(text) == (stones % 4 ? 1 : -1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(multiples_of_four_lose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
