/* test_rules.c: game strings, facts that are refused, errors and random keys. */
#include "games/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* ---- random numbers ----------------------------------------------------------------------- */

/* Promise: numbers are Philox4x32-10 and nothing else. Random123's known answers. */
static void test_philox_known_answers(void** unused) {
    const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const uint32_t* c = known[i].counter;
        const agon_key key = {{known[i].key[0], known[i].key[1]}};
        const agon_draw draw = agon_random(key, c[0], c[1], c[2], c[3]);
        assert_memory_equal(draw.word, known[i].expected, sizeof draw.word);
    }
}

/* Promise: many uniform numbers at once are those drawn one by one, whatever their count. */
static void test_uniforms_are_draws(void** unused) {
    enum { MOST = 70 };
    const agon_key key = {{0xdeadbeef, 77}};
    uint32_t episode[MOST], ply[MOST];
    uint8_t seat[MOST];
    for (int i = 0; i < MOST; i++) {
        episode[i] = 0x9e3779b9u * (uint32_t)i;
        ply[i] = (uint32_t)(i * i);
        seat[i] = (uint8_t)(i % 3);
    }
    for (int count = 0; count <= MOST; count++) {
        float out[MOST + 1];
        out[count] = -1.0f;
        agon_uniforms(key, episode, ply, seat, count, out);
        for (int i = 0; i < count; i++) {
            const agon_draw draw = agon_random(key, episode[i], ply[i], seat[i], 0);
            assert_true(out[i] == agon_uniform(draw.word[0]));
        }
        assert_true(out[count] == -1.0f);
    }
}

static bool same_key(agon_key a, agon_key b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Promise: a key is a function of seed, task and purpose, and every one of them matters, each byte
 * of a long task included. The literals (from a Philox written apart from this one, in another
 * language) guard the run format: keys must never change. */
static void test_key_depends_on_everything(void** unused) {
    const char* tasks[] = {"",           "train/3/5",  "train/3/6",          "train/3/50",
                           "train/3/5/", "train/35",   "match/3/5",          "train/13/5",
                           "Train/3/5",  "3/5/train0", "train/3/5/train/3/5"};
    const int count = (int)(sizeof tasks / sizeof tasks[0]);
    agon_key keys[64];
    int used = 0;
    for (int i = 0; i < count; i++) {
        keys[used++] = agon_key_make(7, tasks[i], AGON_FOR_ACTION);
        keys[used++] = agon_key_make(8, tasks[i], AGON_FOR_ACTION);
        keys[used++] = agon_key_make(7ull << 32, tasks[i], AGON_FOR_ACTION);
        keys[used++] = agon_key_make(7, tasks[i], AGON_FOR_CHANCE);
    }
    for (int i = 0; i < used; i++) {
        for (int j = 0; j < i; j++)
            assert_false(same_key(keys[i], keys[j]));
    }
    assert_true(same_key(keys[4], agon_key_make(7, "train/3/5", AGON_FOR_ACTION)));
    assert_int_equal(keys[4].word[0], 0x2813e463);
    assert_int_equal(keys[4].word[1], 0x5fd5c088);
}

/* Promise: a shuffle is a permutation, depends on key and stream, and favours no place. */
static void test_shuffle_is_fair(void** unused) {
    enum { N = 6, ROUNDS = 6000 };
    const agon_key key = agon_key_make(1, "shuffle", AGON_FOR_TEST);
    int seen[N][N] = {{0}};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t order[N], set = 0;
        agon_shuffle(key, round, order, N);
        for (uint32_t i = 0; i < N; i++) {
            seen[i][order[i]]++;
            set |= 1u << order[i];
        }
        assert_int_equal(set, (1u << N) - 1);
    }
    for (int i = 0; i < N * N; i++) /* mean 1000, standard deviation 29 */
        assert_in_range(seen[i / N][i % N], 850, 1150);
    uint32_t one[1] = {9};
    agon_shuffle(key, 0, one, 1);
    assert_int_equal(one[0], 0);
    agon_shuffle(key, 0, NULL, 0);
}

/* Promise: agon_hash is FNV-1a (the published vectors), in one piece or in several. */
static void test_hash_known_answers(void** unused) {
    assert_true(agon_hash(AGON_HASH_START, "", 0) == 0xcbf29ce484222325ull);
    assert_true(agon_hash(AGON_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cull);
    assert_true(agon_hash(AGON_HASH_START, "foobar", 6) == 0x85944171f73967e8ull);
    assert_true(agon_hash(agon_hash(AGON_HASH_START, "foo", 3), "bar", 3) == 0x85944171f73967e8ull);
}

/* ---- errors ------------------------------------------------------------------------------- */

/* Promise: a failure carries code, message and hint; a null error is allowed everywhere. */
static void test_errors_carry_their_story(void** unused) {
    agon_error error;
    assert_int_equal(agon_fail(&error, AGON_EIO, "file %s: %d", "x", 3), AGON_EIO);
    assert_int_equal(error.code, AGON_EIO);
    assert_string_equal(error.text, "file x: 3");
    assert_string_equal(error.hint, "");
    assert_int_equal(agon_hint(&error, "try %d", 4), AGON_EIO);
    assert_string_equal(error.hint, "try 4");
    agon_fail(&error, AGON_EFORMAT, "run: %s", error.text); /* wrapping its own text */
    assert_string_equal(error.text, "run: file x: 3");
    assert_string_equal(error.hint, "");
    assert_int_equal(agon_fail(NULL, AGON_ELIMIT, "x"), AGON_ELIMIT);
    assert_int_equal(agon_hint(NULL, "y"), AGON_ELIMIT);
    assert_string_equal(agon_error_name(AGON_EIO), "AGON_EIO");
    assert_string_equal(agon_error_text(AGON_EIO), "a file or device failed");
    assert_string_equal(agon_error_name(-999), "AGON_E?");
}

/* Promise: slips of the pen find their word; other words find nothing. */
static void test_nearest_suggests_only_near_words(void** unused) {
    const char* words[] = {"connect_four", "kuhn_poker", "tic_tac_toe", "tron"};
    assert_string_equal(agon_nearest("conect_four", words, 4), "connect_four");
    assert_string_equal(agon_nearest("connect4", words, 4), "connect_four");
    assert_string_equal(agon_nearest("tictactoe", words, 4), "tic_tac_toe");
    assert_string_equal(agon_nearest("torn", words, 4), "tron");
    assert_null(agon_nearest("chess", words, 4));
    assert_null(agon_nearest("", words, 4));
    assert_null(agon_nearest("tron", words, 0));
    char endless[1000];
    memset(endless, 'c', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(agon_nearest(endless, words, 4));
}

/* ---- game strings ------------------------------------------------------------------------- */

/* Promise: the canonical name keeps the given parameters in their order, without spaces, and opens
 * the same game again. */
static void test_canonical_names(void** unused) {
    const char* given[][2] = {
        {"matrix", "matrix"},
        {" matrix ( ) ", "matrix"},
        {"connect_four( cols = 5 ,rows=4)", "connect_four(cols=5,rows=4)"},
        {"spinning_top(g=0.25)", "spinning_top(g=0.25)"},
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        agon_rules *rules = NULL, *again = NULL;
        agon_error error;
        assert_int_equal(agon_rules_open(given[i][0], &rules, &error), 0);
        assert_string_equal(rules->name, given[i][1]);
        assert_int_equal(agon_rules_open(rules->name, &again, &error), 0);
        assert_string_equal(again->name, rules->name);
        assert_true(agon_rules_fingerprint(again) == agon_rules_fingerprint(rules));
        agon_rules_close(rules);
        agon_rules_close(again);
    }
}

/* Promise: what is not a game string is refused with the right code and a message that names the
 * fault; the output is untouched. */
static void test_bad_strings_are_refused(void** unused) {
    const struct {
        const char* string;
        int code;
        const char* message; /* part of text or hint */
    } bad[] = {
        {"", AGON_EINVALID, "expected a name"},
        {"(rows=5)", AGON_EINVALID, "expected a name"},
        {"Matrix", AGON_EINVALID, "expected a name"},
        {"matrix)", AGON_EINVALID, "expected a name"},
        {"matrix(", AGON_EINVALID, "')'"},
        {"connect_four(rows=5", AGON_EINVALID, "')'"},
        {"connect_four(rows=5)x", AGON_EINVALID, "')'"},
        {"connect_four(rows)", AGON_EINVALID, "name=value"},
        {"connect_four(rows=)", AGON_EINVALID, "name=value"},
        {"connect_four(=5)", AGON_EINVALID, "name=value"},
        {"connect_four(rows=5,)", AGON_EINVALID, "name=value"},
        {"connect_four(rows=5)(cols=5)", AGON_EINVALID, "name=value"},
        {"connect_four(rows=5=5)", AGON_EINVALID, "name=value"},
        {"connect_four(rows=5,rows=5)", AGON_EINVALID, "twice"},
        {"connect four", AGON_EINVALID, "space"},
        {"matrix\n", AGON_EINVALID, "0x0a"},
        {"matrix\xff", AGON_EINVALID, "0xff"},
        {"connect_four(rows=five)", AGON_EINVALID, "rows=five: expected an integer from 4 to 10"},
        {"connect_four(rows=11)", AGON_EINVALID, "rows (4..10, default 6)"},
        {"connect_four(rows=8,cols=8)", AGON_EINVALID, "cols=8"},
        {"connect_four(rows=4,cols=4,connect=5)", AGON_EINVALID, "connect=5"},
        {"connect_four(rows=99999999999999999999)", AGON_EINVALID, "rows="},
        {"spinning_top(g=nan)", AGON_EINVALID, "g=nan"},
        {"spinning_top(g=1.5)", AGON_EINVALID, "from 0 to 1"},
        {"connect_four(row=5)", AGON_EUNKNOWN, "no parameter 'row'"},
        {"connect_four(row=5)", AGON_EUNKNOWN, "takes rows (4..10, default 6)"},
        {"tic_tac_toe(a=1)", AGON_EUNKNOWN, "tic_tac_toe has no parameters"},
        {"connect_five", AGON_EUNKNOWN, "did you mean connect_four?"},
        {"chess", AGON_EUNKNOWN, "`agon games`"},
        {"matrix(a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1)", AGON_ELIMIT,
         "16 parameters"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        agon_rules* rules = (agon_rules*)&bad;
        agon_error error;
        const int code = agon_rules_open(bad[i].string, &rules, &error);
        if (code != bad[i].code ||
            (!strstr(error.text, bad[i].message) && !strstr(error.hint, bad[i].message)))
            fail_msg("'%s': %d, %s / %s", bad[i].string, code, error.text, error.hint);
        assert_ptr_equal(rules, &bad);
    }
    char endless[200];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open(endless, &rules, NULL), AGON_ELIMIT);
}

/* Promise: `agon games` can say what a game asks for. */
static void test_parameters_are_listed(void** unused) {
    char text[256];
    for (int i = 0; agon_game_at(i); i++) {
        agon_game_parameters(agon_game_at(i), text, sizeof text);
        if (strcmp(agon_game_at(i)->name, "connect_four") == 0)
            assert_string_equal(
                text, "rows (4..10, default 6), cols (4..9, default 7), connect (3..6, default 4)");
        if (strcmp(agon_game_at(i)->name, "tic_tac_toe") == 0)
            assert_string_equal(text, "");
    }
    assert_null(agon_game_at(-1));
    assert_null(agon_game_at(agon_game_count()));
    for (int i = 1; i < agon_game_count(); i++)
        assert_true(strcmp(agon_game_at(i - 1)->name, agon_game_at(i)->name) < 0);
}

/* ---- facts of a table from elsewhere ------------------------------------------------------- */

static agon_spec good_spec(const agon_game** game) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open("tic_tac_toe", &rules, NULL), 0);
    const agon_spec spec = rules->spec;
    *game = rules->game;
    agon_rules_close(rules);
    return spec;
}

#define REFUSES(field, wrong)                                                                      \
    do {                                                                                           \
        agon_spec spec = good_spec(&game);                                                         \
        agon_error error = {0};                                                                    \
        assert_int_equal(agon__rules_check_spec(game, &spec, NULL), 0);                            \
        spec.field = wrong;                                                                        \
        assert_int_equal(agon__rules_check_spec(game, &spec, &error), AGON_EINVALID);              \
        assert_non_null(strstr(error.text, "tic_tac_toe"));                                        \
    } while (0)

/* Promise: every fact out of range, and every pair that contradicts, is refused; nothing that
 * relies on facts has to check them again. */
static void test_bad_facts_are_refused(void** unused) {
    const agon_game* game;
    REFUSES(seats, 0);
    REFUSES(seats, 33);
    REFUSES(actions, 0);
    REFUSES(actions, 65536);
    REFUSES(chance_outcomes, -1);
    REFUSES(chance_outcomes, 2);
    REFUSES(simultaneous, 1);
    REFUSES(simultaneous, 2);
    REFUSES(seats_symmetric, -1);
    REFUSES(utility, (agon_utility)7);
    REFUSES(utility_sum, 0.0f / 0.0f);
    REFUSES(information, (agon_information)-1);
    REFUSES(max_plies, 0);
    REFUSES(return_min, 2);
    REFUSES(return_max, 1.0f / 0.0f);
    REFUSES(state_size, 0);
    REFUSES(state_size, 12);
    REFUSES(state_size, (size_t)1 << 40);
    REFUSES(planes, 33);
    REFUSES(planes, 3); /* no third name */
    REFUSES(rows, 0);
    REFUSES(cols, 1 << 20);
    REFUSES(obs_type, (agon_dtype)2);
    REFUSES(obs_scale, 0);
    REFUSES(symmetries, 0);
}

static int silent_failure(agon_params* params, agon_spec* spec, void* config) {
    return -1;
}

AGON_EXTERN const agon_game agon_game_connect_four;

/* Promise: so is a table that lacks what every game needs, or speaks another version. */
static void test_bad_tables_are_refused(void** unused) {
    const agon_game good = agon_game_connect_four;
    agon_game game = good;
    assert_int_equal(agon__rules_check_game(&game, NULL), 0);
    game.abi = AGON_ABI + 1;
    assert_int_equal(agon__rules_check_game(&game, NULL), AGON_EFORMAT);
    game = good;
    game.struct_size = 8;
    assert_int_equal(agon__rules_check_game(&game, NULL), AGON_EFORMAT);
    game = good;
    game.apply = NULL;
    assert_int_equal(agon__rules_check_game(&game, NULL), AGON_EINVALID);
    game = good;
    game.symmetry_action = NULL;
    assert_int_equal(agon__rules_check_game(&game, NULL), AGON_EINVALID);
    game = good;
    game.config_size = SIZE_MAX;
    assert_int_equal(agon__rules_check_game(&game, NULL), AGON_ELIMIT);
    game = good;
    game.configure = silent_failure;
    agon__game_string string;
    agon_rules* rules = NULL;
    assert_int_equal(agon__game_string_parse("connect_four", &string, NULL), 0);
    assert_int_equal(agon__rules_open_game(&game, &string, &rules, NULL), AGON_EINVALID);
    assert_null(rules);
}

/* Promise: search is refused by the first fact that does not allow it. */
static void test_minimax_needs(void** unused) {
    const char* games[][2] = {{"tic_tac_toe", NULL},
                              {"connect_four", NULL},
                              {"matrix", "acting at a time"},
                              {"kuhn_poker", "perfect information"},
                              {"kuhn_poker(players=3)", "two seats"}};
    for (int i = 0; i < 5; i++) {
        agon_rules* rules = NULL;
        agon_error error = {0};
        assert_int_equal(agon_rules_open(games[i][0], &rules, NULL), 0);
        const int code = agon_rules_need_minimax(rules, "alpha_beta", &error);
        assert_int_equal(code, games[i][1] ? AGON_EUNSUPPORTED : 0);
        if (games[i][1])
            assert_non_null(strstr(error.text, games[i][1]));
        agon_rules_close(rules);
    }
}

/* Promise: the k-th legal action is the k-th set bit, across words. */
static void test_masks(void** unused) {
    const uint64_t mask[3] = {1ull << 63 | 5, 0, 1ull << 7 | 1};
    const int actions[] = {0, 2, 63, 128, 135};
    assert_int_equal(agon_mask_count(mask, 3), 5);
    for (int k = 0; k < 5; k++) {
        assert_int_equal(agon_mask_nth(mask, 3, k), actions[k]);
        assert_true(agon_mask_has(mask, actions[k]));
    }
    assert_int_equal(agon_mask_nth(mask, 1, 2), 63);
    assert_false(agon_mask_has(mask, 64));
}

/* Promise: a fingerprint tells apart every built-in and every parameter. */
static void test_fingerprints_differ(void** unused) {
    const char* strings[] = {"matrix",
                             "tic_tac_toe",
                             "connect_four",
                             "connect_four(connect=3)",
                             "connect_four(rows=5)",
                             "kuhn_poker",
                             "kuhn_poker(players=3)",
                             "spinning_top",
                             "spinning_top(g=0.25)",
                             "tron",
                             "tron(size=9)"};
    enum { N = sizeof strings / sizeof strings[0] };
    uint64_t print[N];
    for (int i = 0; i < N; i++) {
        agon_rules* rules = NULL;
        assert_int_equal(agon_rules_open(strings[i], &rules, NULL), 0);
        print[i] = agon_rules_fingerprint(rules);
        assert_true(print[i] == agon_rules_fingerprint(rules));
        agon_rules_close(rules);
        for (int j = 0; j < i; j++)
            assert_true(print[i] != print[j]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_uniforms_are_draws),
        cmocka_unit_test(test_key_depends_on_everything),
        cmocka_unit_test(test_shuffle_is_fair),
        cmocka_unit_test(test_hash_known_answers),
        cmocka_unit_test(test_errors_carry_their_story),
        cmocka_unit_test(test_nearest_suggests_only_near_words),
        cmocka_unit_test(test_canonical_names),
        cmocka_unit_test(test_bad_strings_are_refused),
        cmocka_unit_test(test_parameters_are_listed),
        cmocka_unit_test(test_bad_facts_are_refused),
        cmocka_unit_test(test_bad_tables_are_refused),
        cmocka_unit_test(test_minimax_needs),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_fingerprints_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
