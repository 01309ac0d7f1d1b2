/* test_plugin.c: tables from elsewhere, shared objects from disk, and the promise that a plug-in of
 * the first ABI loads in every later agon. */
#include "agents/tree.h"
#include "games/internal.h"
#include "games/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

#define FIXTURE "tests/data/plugin_abi1.so" /* made of the template; see tests/data/README.md */

/* ---- tables ------------------------------------------------------------------------------- */

static agon_game good_table(void) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open("tic_tac_toe", &rules, NULL), 0);
    const agon_game game = *rules->game;
    agon_rules_close(rules);
    return game;
}

static int check(const agon_game* game, agon_game* out, agon_error* error) {
    return agon__plugin_table(game, "x.so", out, error);
}

/* Promise: a table that ends earlier is a table whose last slots are NULL; nothing beyond its end
 * is read (the sanitizers watch the block). */
static void test_older_tables_are_widened(void** unused) {
    const agon_game good = good_table();
    assert_non_null(good.symmetry);
    for (size_t size = sizeof good; size >= offsetof(agon_game, chance); size -= sizeof(void*)) {
        agon_game full, *old = malloc(size);
        assert_non_null(old);
        memcpy(old, &good, size);
        old->struct_size = (uint32_t)size;
        /* Half of a pair of slots is refused; every other end is fine. */
        const bool torn = size == offsetof(agon_game, symmetry_action);
        assert_int_equal(check(old, &full, NULL), torn ? AGON_EINVALID : 0);
        free(old);
        if (torn)
            continue;
        assert_int_equal(full.struct_size, sizeof full);
        assert_memory_equal((char*)&full + 8, (const char*)&good + 8, size - 8);
        for (size_t i = size; i < sizeof full; i++)
            assert_int_equal(((char*)&full)[i], 0);
    }
}

#define REFUSES(statement, expected, word)                                                         \
    do {                                                                                           \
        agon_game game = good_table(), out;                                                        \
        agon_error error = {0};                                                                    \
        memset(&out, 7, sizeof out);                                                               \
        assert_int_equal(check(&game, &out, &error), 0);                                           \
        memset(&out, 7, sizeof out);                                                               \
        statement;                                                                                 \
        assert_int_equal(check(&game, &out, &error), expected);                                    \
        if (!strstr(error.text, word))                                                             \
            fail_msg("'%s' does not say '%s'", error.text, word);                                  \
        assert_int_equal(((char*)&out)[0], 7);                                                     \
    } while (0)

/* Promise: other ABIs and newer tables are told apart, and the message says what to do. */
static void test_sizes_are_checked(void** unused) {
    REFUSES(game.abi = AGON_ABI + 1, AGON_EFORMAT, "has game ABI 2, expected 1");
    REFUSES(game.abi = 0, AGON_EFORMAT, "x.so has game ABI 0");
    REFUSES(game.struct_size += 8, AGON_EUNSUPPORTED, "built for a newer agon");
    REFUSES(game.struct_size = UINT32_MAX, AGON_EUNSUPPORTED, "expected at most");
    REFUSES(game.struct_size = 8, AGON_EFORMAT, "struct_size is 8 bytes");
    REFUSES(game.struct_size -= 4, AGON_EFORMAT, "expected a multiple of 8 from");
    REFUSES(game.spec_size += 8, AGON_EUNSUPPORTED, "newer agon: spec_size");
    REFUSES(game.spec_size = 0, AGON_EFORMAT, "spec_size is 0 bytes");
    const uint32_t other[2] = {AGON_ABI + 1, 0}; /* nothing after the number is read */
    assert_int_equal(check((const agon_game*)(const void*)other, NULL, NULL), AGON_EFORMAT);
}

/* Promise: names fit game strings, and texts end. */
static void test_words_are_checked(void** unused) {
    static char endless[8192];
    memset(endless, 'a', sizeof endless - 1);
    REFUSES(game.name = NULL, AGON_EINVALID, "name is NULL");
    REFUSES(game.name = "", AGON_EINVALID, "name is ''");
    REFUSES(game.name = "My_Game", AGON_EINVALID, "'My_Game', expected 1 to 40 of a-z, 0-9, _");
    REFUSES(game.name = "my game", AGON_EINVALID, "'my game'");
    REFUSES(game.name = "my(game)", AGON_EINVALID, "'my(game)'");
    REFUSES(game.name = endless, AGON_EINVALID, "expected 1 to 40");
    REFUSES(game.summary = NULL, AGON_EINVALID, "summary of tic_tac_toe");
    REFUSES(game.summary = "two\nlines", AGON_EINVALID, "one line");
    REFUSES(game.summary = endless, AGON_EINVALID, "1 to 200 bytes");
    REFUSES(game.source = NULL, AGON_EINVALID, "source of tic_tac_toe");
    REFUSES(game.source = "", AGON_EINVALID, "source of tic_tac_toe");
    REFUSES(game.source = endless, AGON_EINVALID, "1 to 4095 bytes");
}

/* Promise: every slot that is not optional must be there. */
static void test_slots_are_checked(void** unused) {
    REFUSES(game.configure = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.init = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.acting = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.legal = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.apply = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.observe = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.acting_batch = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.apply_batch = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.observe_batch = NULL, AGON_EINVALID, "not optional");
    REFUSES(game.symmetry = NULL, AGON_EINVALID, "both of symmetry and symmetry_action");
    REFUSES(game.config_size = SIZE_MAX, AGON_ELIMIT, "config_size");
}

/* Promise: names of planes and roles are words that end. */
static void test_fact_names_are_checked(void** unused) {
    static char endless[100];
    const char* const bad[] = {"", "two words", "caf\xc3\xa9", endless};
    memset(endless, 'p', sizeof endless - 1);
    agon_rules* rules = NULL;
    agon_error error;
    assert_int_equal(agon_rules_open("tic_tac_toe", &rules, NULL), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        agon_spec spec = rules->spec;
        spec.plane_names[1] = bad[i];
        assert_int_equal(agon__rules_check_spec(rules->game, &spec, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, "name of plane 1"));
        spec = rules->spec;
        spec.role_names[7] = bad[i];
        assert_int_equal(agon__rules_check_spec(rules->game, &spec, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, "name of role 7"));
    }
    agon_rules_close(rules);
}

/* ---- paths -------------------------------------------------------------------------------- */

/* Promise: what is a path and what a game is seen from the text alone. */
static void test_paths_are_told_from_games(void** unused) {
    const char* const paths[] = {"./my.so", "my.so", "/a/b", "a/b(x=1)", "my.so(stones=5)", ".so"};
    const char* const games[] = {
        "rps", "matrix_file(path=/a/b.so)", "connect_four(rows=5)", "", "my.so.c", "so"};
    char game[128];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(agon_plugin_is_path(paths[i]));
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        assert_false(agon_plugin_is_path(games[i]));
        assert_int_equal(agon_plugin_resolve(games[i], game, sizeof game, NULL), 0);
        assert_string_equal(game, games[i]);
    }
    assert_int_equal(agon_plugin_resolve("connect_four", game, 5, NULL), AGON_ELIMIT);
}

/* ---- the fixture -------------------------------------------------------------------------- */

static void need_fixture(void) {
#if !defined(__x86_64__) || !defined(__linux__)
    skip();
#endif
}

static double value_of(const char* text) {
    agon_rules* rules;
    agon_tree* tree;
    agon_error error = {0};
    double value = 0;
    if (agon_rules_open(text, &rules, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(agon_tree_open(rules, 10000, &tree, &error), 0);
    assert_int_equal(agon_tree_minimax(tree, &value, &error), 0);
    agon_tree_close(tree);
    agon_rules_close(rules);
    return value;
}

/* Promise: a plug-in built for the first ABI loads, is found by its name, and plays as it did: who
 * faces a multiple of four stones loses. */
static void test_the_first_abi_is_loaded(void** unused) {
    need_fixture();
    const agon_game *game = NULL, *again = NULL;
    agon_error error = {0};
    char text[128];
    assert_null(agon_plugin_find("my_game"));
    if (agon_plugin_load(FIXTURE, &game, &error) != 0)
        fail_msg("%s", error.text);
    assert_string_equal(game->name, "my_game");
    assert_int_equal(game->struct_size, sizeof(agon_game));
    assert_int_equal(agon_plugin_load(FIXTURE, &again, &error), 0);
    assert_ptr_equal(game, again);
    assert_ptr_equal(agon_plugin_find("my_game"), game);
    assert_null(agon_plugin_find("my_gam"));
    for (int stones = 4; stones <= 24; stones++) {
        snprintf(text, sizeof text, "my_game(stones=%d)", stones);
        assert_true(value_of(text) == (stones % 4 ? 1 : -1));
    }
    assert_int_equal(agon_plugin_resolve("./" FIXTURE "(stones=5)", text, sizeof text, &error), 0);
    assert_string_equal(text, "my_game(stones=5)");
}

/* Promise: its optional slots work as those of a built-in do, and refusals are its own. */
static void test_the_fixture_talks(void** unused) {
    need_fixture();
    agon_rules* rules = NULL;
    agon_error error = {0};
    char text[64];
    uint64_t state[8];
    float reward[2] = {0};
    uint16_t action[2] = {3, 0};
    assert_int_equal(agon_rules_open("my_game(stones=3)", &rules, &error), AGON_EINVALID);
    assert_string_equal(error.text, "game my_game: stones=3: expected an integer from 4 to 200");
    assert_int_equal(agon_rules_open("my_game(stones=5)", &rules, &error), 0);
    assert_int_equal(rules->spec.state_size, 8);
    assert_int_equal(rules->entries, 5);
    rules->game->init(rules->config, state);
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), -1);
    assert_int_equal(agon_action_find(rules, state, 0, "take3"), 2);
    assert_true(rules->game->text(rules->config, state, text, sizeof text) > 0);
    assert_string_equal(text, "5 stones, seat 0 takes\n");
    action[0] = 2;
    action[1] = 1;
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    assert_int_equal(rules->game->apply(rules->config, state, action, reward), 0);
    assert_true(reward[0] == -1 && reward[1] == 1);
    assert_int_equal(rules->game->acting(rules->config, state), 0);
    agon_rules_close(rules);
}

/* ---- files that are no plug-ins ----------------------------------------------------------- */

static void refused(const char* path, int code, const char* word) {
    const agon_game* game = NULL;
    agon_error error = {0};
    assert_int_equal(agon_plugin_load(path, &game, &error), code);
    assert_null(game);
    if (!strstr(error.text, path) || !strstr(error.text, word) || !error.hint[0])
        fail_msg("%s: %s / %s", path, error.text, error.hint);
}

static size_t read_fixture(char* out, size_t size) {
    FILE* file = fopen(FIXTURE, "rb");
    assert_non_null(file);
    const size_t length = fread(out, 1, size, file);
    fclose(file);
    assert_in_range(length, 1000, size - 1);
    return length;
}

static void write_file(const char* path, const char* data, size_t size) {
    FILE* file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Promise: other kinds of files, and files cut short anywhere, are refused before they are mapped;
 * so is a second file with a game of the same name. */
static void test_other_files_are_refused(void** unused) {
    need_fixture();
    static char data[1 << 16];
    char path[] = "/tmp/agon-plugin-XXXXXX";
    const size_t size = read_fixture(data, sizeof data);
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    refused("/nonexistent/x.so", AGON_EMISSING, "no such file");
    refused("tests/unit", AGON_EFORMAT, "is a directory");
    refused("tests/unit/test_plugin.c", AGON_EFORMAT, "a file of another kind");
    refused("/dev/null", AGON_EFORMAT, "not a regular file");
    refused("/proc/self/exe", AGON_EFORMAT, "");
    for (size_t cut = 0; cut < size; cut += cut < 128 ? 1 : 127) {
        write_file(path, data, cut);
        refused(path, AGON_EFORMAT, cut < 4 ? "another kind" : "cut short");
    }
    data[18] = (char)(data[18] + 1); /* e_machine */
    write_file(path, data, size);
    refused(path, AGON_EFORMAT, "another kind of machine");
    data[18] = (char)(data[18] - 1);
    write_file(path, data, size);
    refused(path, AGON_EINVALID, "another file with a game called my_game");
    unlink(path);
}

/* ---- the trial ---------------------------------------------------------------------------- */

static int crash(const agon_rules* rules, agon_error* error) {
    abort();
}

static int leave(const agon_rules* rules, agon_error* error) {
    _exit(3);
}

static int object(const agon_rules* rules, agon_error* error) {
    agon_fail(error, AGON_ELIMIT, "%s is too small", rules->name);
    return agon_hint(error, "try more stones");
}

static int accept(const agon_rules* rules, agon_error* error) {
    return rules->spec.cols == 9 ? 0 : -1;
}

/* Promise: whatever happens in the child is an answer here, in words. */
static void test_the_trial_survives(void** unused) {
    need_fixture();
    const char* const text = FIXTURE "(stones=9)";
    agon_error error = {0};
    assert_int_equal(agon_plugin_try(text, NULL, &error), 0);
    assert_int_equal(agon_plugin_try(text, accept, &error), 0);
    assert_int_equal(agon_plugin_try(text, object, &error), AGON_ELIMIT);
    assert_string_equal(error.text, "plug-in " FIXTURE ": my_game(stones=9) is too small");
    assert_string_equal(error.hint, "try more stones");
    assert_int_equal(agon_plugin_try(text, crash, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "plugin_abi1.so crashed while it was played: signal 6"));
    assert_int_equal(agon_plugin_try(text, leave, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "ended the process while it was played, with exit code 3"));
    assert_int_equal(agon_plugin_try(FIXTURE "(stones=999)", NULL, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "stones=999"));
    assert_int_equal(agon_plugin_try("none.so", NULL, &error), AGON_EMISSING);
    assert_int_equal(agon_plugin_try("none.so", NULL, NULL), AGON_EMISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_tables_are_widened),
        cmocka_unit_test(test_sizes_are_checked),
        cmocka_unit_test(test_words_are_checked),
        cmocka_unit_test(test_slots_are_checked),
        cmocka_unit_test(test_fact_names_are_checked),
        cmocka_unit_test(test_paths_are_told_from_games),
        cmocka_unit_test(test_the_first_abi_is_loaded),
        cmocka_unit_test(test_the_fixture_talks),
        cmocka_unit_test(test_other_files_are_refused),
        cmocka_unit_test(test_the_trial_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
