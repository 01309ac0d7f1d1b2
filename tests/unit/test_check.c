/* test_check.c: promises of the checker: a game that keeps the contract passes, each of many wrong
 * games is caught by the name of the rule that it breaks, by as short a line as there is, and that
 * line shows it again. */
#include "games/check.h"

#include "tests/unit/wrong_game.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <cmocka.h>

/* This program again, to compare processes; main looks for the word. */
static const char* const hashes[] = {"/proc/self/exe", "--hashes", NULL, NULL};

static agon_check_report* check(const char* parameters, const char* only, const char* replay) {
    signal(SIGSEGV, SIG_DFL); /* cmocka's own handler is no crash */
    const char* const words[] = {hashes[0], hashes[1], parameters, NULL};
    const agon_check_options options = {.seconds = 20,
                                        .positions = 1200,
                                        .only = only,
                                        .replay = replay,
                                        .patience = 2,
                                        .hashes = words};
    agon_check_report* report = NULL;
    agon_error error = {0};
    if (agon_check_table(&agon_game_wrong, parameters, &options, &report, &error) != 0)
        fail_msg("%s: %s", parameters, error.text);
    return report;
}

static const agon_check_result* find(const agon_check_report* report, const char* rule) {
    for (int i = 0; i < report->count; i++)
        if (strcmp(report->result[i].rule, rule) == 0)
            return &report->result[i];
    return NULL;
}

/* Promise: nothing is said against a game that keeps every rule, and every rule was asked. */
static void test_right_game_passes(void** unused) {
    agon_check_report* report = check("", NULL, NULL);
    for (int i = 0; i < report->count; i++) {
        const agon_check_result* r = &report->result[i];
        const bool noted = strcmp(r->rule, "seats") == 0; /* chance deals to seats in turn */
        if (r->status != (noted ? AGON_CHECK_WARNED : AGON_CHECK_PASSED))
            fail_msg("%s: status %d, %s", r->rule, r->status, r->text);
        if (strcmp(r->rule, "facts") != 0 && strcmp(r->rule, "crash") != 0)
            assert_true(r->asked > 0);
    }
    assert_int_equal(agon_check_failures(report), 0);
    assert_int_equal(report->count, agon_check_rule_count());
    assert_int_equal(report->longest, 3);
    agon_check_close(report);
}

static const struct {
    const char *fault, *rule;
} faults[] = {
#define WRONG_ROW(fault, rule) {#fault, rule},
    WRONG_FAULTS(WRONG_ROW)
#undef WRONG_ROW
};

/* The line shows it again, asked for alone. */
static void replay(const char* parameters, const agon_check_result* r) {
    agon_check_report* again = check(parameters, r->replay_rule, r->line);
    const agon_check_result* found = find(again, r->rule);
    if (!found || (found->status != AGON_CHECK_FAILED && found->status != AGON_CHECK_WARNED))
        fail_msg("%s: --only %s --replay %s shows nothing", parameters, r->replay_rule, r->line);
    agon_check_close(again);
}

/* Promise: every wrong game is caught under the name of its rule, and the line that is printed
 * shows it: at least forty games, and each rule has one. */
static void test_wrong_games_are_caught(void** unused) {
    uint64_t caught = 0;
    assert_true(WRONG_COUNT > 40);
    for (int i = 1; i < WRONG_COUNT; i++) {
        char parameters[64];
        snprintf(parameters, sizeof parameters, "(fault=%s)", faults[i].fault);
        agon_check_report* report = check(parameters, NULL, NULL);
        const agon_check_result* r = find(report, faults[i].rule);
        if (!r || r->status != AGON_CHECK_FAILED || !r->text[0])
            fail_msg("%s is not caught as %s", faults[i].fault, faults[i].rule);
        for (int rule = 0; rule < agon_check_rule_count(); rule++)
            if (strcmp(agon_check_rule_name(rule), faults[i].rule) == 0)
                caught |= 1ull << rule;
        const bool again = r->has_line && strcmp(r->rule, "process") != 0 &&
                           strcmp(r->rule, "crash") != 0 && strcmp(r->rule, "threads") != 0;
        if (again)
            replay(parameters, r);
        agon_check_close(report);
    }
    for (int rule = 0; rule < agon_check_rule_count(); rule++)
        if (!(caught >> rule & 1))
            fail_msg("no wrong game breaks %s", agon_check_rule_name(rule));
}

/* Promise: the line is the shortest there is, and is told in numbers and names. */
static void test_lines_are_shortest(void** unused) {
    const struct {
        const char *parameters, *rule, *line, *names;
    } known[] = {
        {"(fault=missing_in_mask)", "mask", "0.0.0,0.1,1", "card_0 card_0 say_0+say_0 say_1+say_1"},
        {"(fault=house_wins)", "utility", "0.0.0,0.1,1.0,0", NULL},
        {"(fault=one_ply_more)", "plies", "0.0.3,0.0,1.1,0", NULL},
        {"(fault=moody_odds)", "chance", "-", ""},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        agon_check_report* report = check(known[i].parameters, known[i].rule, NULL);
        const agon_check_result* r = find(report, known[i].rule);
        assert_int_equal(r->status, AGON_CHECK_FAILED);
        assert_string_equal(r->line, known[i].line);
        assert_true(r->shortest);
        if (known[i].names)
            assert_string_equal(r->names, known[i].names);
        agon_check_close(report);
    }
}

/* Promise: a crash, an exit and a hang are told with the function, the rule that was asked, and the
 * line that leads there. */
static void test_crashes_are_told(void** unused) {
    const struct {
        const char *parameters, *words;
        int plies;
    } known[] = {
        {"(fault=crashes)", "crashes in apply: signal 11", 5},
        {"(fault=exits)", "ends the process in apply, with exit code 3", 4},
        {"(fault=hangs)", "does not return from apply", 5},
    };
    for (int i = 0; i < 3; i++) {
        agon_check_report* report = check(known[i].parameters, NULL, NULL);
        const agon_check_result* r = find(report, "crash");
        assert_int_equal(r->status, AGON_CHECK_FAILED);
        assert_non_null(strstr(r->text, known[i].words));
        assert_true(r->plies >= known[i].plies - 1 && r->plies <= known[i].plies);
        agon_check_close(report);
    }
}

/* Promise: lines that cannot be played and rules that do not exist are errors that say so. */
static void test_wrong_questions(void** unused) {
    const struct {
        const char *only, *replay, *words;
    } wrong[] = {
        {"musk", NULL, "there is no rule 'musk'"},
        {NULL, "5", "ply 1, '5': the game refuses it"},
        {NULL, "0.0.1", "ply 3, '1': expected one number for each seat"},
        {NULL, "0.0.0,0.0,1", "ply 4, '0,1': the game refuses it"},
        {NULL, "0.0.0,0.1,1.0,0.1,1", "ply 6, '1,1': the episode is over"},
        {NULL, "x", "expected one number"},
        {NULL, "", "expected one number"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const agon_check_options options = {
            .seconds = 1, .only = wrong[i].only, .replay = wrong[i].replay};
        agon_check_report* report = NULL;
        agon_error error = {0};
        assert_true(agon_check_table(&agon_game_wrong, "", &options, &report, &error) < 0);
        if (!strstr(error.text, wrong[i].words))
            fail_msg("'%s' is not in: %s", wrong[i].words, error.text);
        assert_null(report);
    }
}

/* A game of hidden cards with another slot or two. Its result for "leaks" is checked. */
static void check_changed(const agon_game* changed, agon_check_status status, const char* words) {
    const agon_check_options options = {.seconds = 20, .positions = 200};
    agon_check_report* report = NULL;
    assert_int_equal(agon_check_table(changed, "", &options, &report, NULL), 0);
    assert_int_equal(find(report, "leaks")->status, status);
    assert_non_null(strstr(find(report, "leaks")->text, words));
    agon_check_close(report);
}

static agon_rules* open_cards(void) {
    agon_rules* rules = NULL;
    assert_int_equal(agon_rules_open("kuhn_poker", &rules, NULL), 0);
    return rules;
}

/* Promise: hidden cards without the slot that the question needs are a warning. */
static void test_blind_spot_is_told(void** unused) {
    agon_rules* rules = open_cards();
    agon_game blind = *rules->game;
    blind.resample = NULL;
    check_changed(&blind, AGON_CHECK_WARNED, "there is no resample");
    agon_rules_close(rules);
}

static int perfect_configure(agon_params* params, agon_spec* spec, void* config) {
    agon_rules* rules = open_cards();
    (void)params;
    *spec = rules->spec;
    spec->information = AGON_PERFECT;
    memcpy(config, rules->config, rules->game->config_size);
    agon_rules_close(rules);
    return 0;
}

/* Promise: perfect information is not believed where resample says otherwise. */
static void test_perfect_is_not_believed(void** unused) {
    agon_rules* rules = open_cards();
    agon_game perfect = *rules->game;
    perfect.configure = perfect_configure;
    check_changed(&perfect, AGON_CHECK_FAILED, "perfect information");
    agon_rules_close(rules);
}

/* Promise: every built-in passes, by its default parameters. */
static void test_built_ins_pass(void** unused) {
    for (int i = 0; agon_game_at(i); i++) {
        const agon_check_options options = {.seconds = 60, .positions = 300};
        agon_check_report* report = NULL;
        agon_error error = {0};
        const char* name = agon_game_at(i)->name;
        if (agon_check_game(name, &options, &report, &error) != 0)
            fail_msg("%s: %s", name, error.text);
        for (int rule = 0; rule < report->count; rule++)
            if (report->result[rule].status == AGON_CHECK_FAILED)
                fail_msg("%s breaks %s: %s, after %s", name, report->result[rule].rule,
                         report->result[rule].text, report->result[rule].names);
        agon_check_close(report);
    }
}

static int print_hashes(const char* parameters) {
    return agon_check_main(
        &agon_game_wrong, 3,
        (char*[]){(char*)"test_check", (char*)"--hashes", (char*)(uintptr_t)parameters, NULL});
}

int main(int argc, char** argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_game_passes),
        cmocka_unit_test(test_wrong_games_are_caught),
        cmocka_unit_test(test_lines_are_shortest),
        cmocka_unit_test(test_crashes_are_told),
        cmocka_unit_test(test_wrong_questions),
        cmocka_unit_test(test_blind_spot_is_told),
        cmocka_unit_test(test_perfect_is_not_believed),
        cmocka_unit_test(test_built_ins_pass),
    };
    if (argc == 3 && strcmp(argv[1], "--hashes") == 0)
        return print_hashes(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
