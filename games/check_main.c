/* SPDX-License-Identifier: 0BSD
 *
 * check_main.c: a report for people, and the checker as a program with one game in it. */
#include "check.h"

#include "internal.h"

#include <unistd.h>

/* ---- the report --------------------------------------------------------------------------- */

static const char* const status_word[] = {"passed", "FAILED", "warning", "-"};

enum { NAMES_SHOWN = 600 }; /* bytes of a line that people look at */

void agon_check_command_text(const agon_check_result* r, const agon_check_command* c, char* out,
                             size_t size) {
    const size_t length = strlen(r->line);
    const bool cut = length >= 3 && strcmp(r->line + length - 3, "...") == 0;
    /* Of two processes a line alone shows nothing. */
    const bool whole = !r->has_line || cut || strcmp(r->rule, "process") == 0;
    snprintf(out, size, "%s --only %s%s%s%s%s", c->before, r->replay_rule,
             whole ? "" : " --replay ", whole ? "" : r->line, *c->after ? " " : "", c->after);
}

static void print_command(const agon_check_result* r, const char* label,
                          const agon_check_command* c) {
    static char command[AGON_CHECK_COMMAND];
    if (!c)
        return;
    agon_check_command_text(r, c, command, sizeof command);
    printf("%12s%s: %s\n", "", label, command);
}

static void print_failure(const agon_check_result* r, const agon_check_command* again,
                          const agon_check_command* debug) {
    if (r->has_line && r->plies)
        printf("%12safter %d %s%s: %.*s%s\n", "", r->plies, r->plies == 1 ? "ply" : "plies",
               r->shortest ? ", no line is shorter" : "", NAMES_SHOWN, r->names,
               strlen(r->names) > NAMES_SHOWN ? " ..." : "");
    else if (r->has_line)
        printf("%12sat the start\n", "");
    if (!r->replay_rule)
        return;
    print_command(r, "again", again);
    print_command(r, "under sanitizers", debug);
}

static void print_result(const agon_check_result* r, const agon_check_command* again,
                         const agon_check_command* debug) {
    const bool skipped = r->status == AGON_CHECK_SKIPPED;
    printf("  %-8s  %-13s %s\n", status_word[r->status], r->rule, skipped ? r->text : r->promise);
    if (r->text[0] && !skipped)
        printf("%12s%s\n", "", r->text);
    if (r->status == AGON_CHECK_FAILED)
        print_failure(r, again, debug);
}

static void print_heading(const agon_check_report* report, const char* name) {
    if (report->episodes)
        printf("%s: %llu episodes, %llu positions, longest %d of %d plies, %.1f s\n", name,
               (unsigned long long)report->episodes, (unsigned long long)report->positions,
               report->longest, report->max_plies, report->seconds);
    else
        printf("%s\n", name);
}

/* What is broken comes last: that is where people look. */
void agon_check_print(const agon_check_report* report, const char* name,
                      const agon_check_command* again, const agon_check_command* debug,
                      bool quiet) {
    const int failures = agon_check_failures(report);
    print_heading(report, name);
    for (int i = 0; i < report->count && !quiet; i++) {
        const agon_check_result* r = &report->result[i];
        const bool dull = !report->episodes && !r->asked;
        if (r->status != AGON_CHECK_FAILED && !dull && strcmp(r->text, "not asked for") != 0)
            print_result(r, again, debug);
    }
    for (int i = 0; i < report->count; i++)
        if (report->result[i].status == AGON_CHECK_FAILED)
            print_result(&report->result[i], again, debug);
    if (!failures) {
        printf("no rule is broken\n");
        return;
    }
    printf("%d %s broken:", failures, failures == 1 ? "rule is" : "rules are");
    for (int i = 0; i < report->count; i++)
        if (report->result[i].status == AGON_CHECK_FAILED)
            printf(" %s", report->result[i].rule);
    printf("\n");
}

/* ---- the program -------------------------------------------------------------------------- */

typedef struct words {
    const char *game, *seconds, *only, *replay;
    bool hashes;
} words;

#define USAGE "usage: %s [--seconds N] [--only RULE] [--replay LINE] ['NAME(parameters)']\n"

static int wrong_use(const char* program, const char* what, const char* word) {
    fprintf(stderr, "%s: %s%s\n", program, what, word);
    fprintf(stderr, USAGE, program);
    return 2;
}

/* 0; or the exit code, -1 for one of 0. */
static int read_words(words* w, int argc, char** argv) {
    for (int i = 1; i < argc; i++) {
        const char** value = strcmp(argv[i], "--seconds") == 0  ? &w->seconds
                             : strcmp(argv[i], "--only") == 0   ? &w->only
                             : strcmp(argv[i], "--replay") == 0 ? &w->replay
                                                                : NULL;
        if (strcmp(argv[i], "--help") == 0) {
            printf(USAGE, argv[0]);
            return -1;
        }
        if (strcmp(argv[i], "--hashes") == 0) {
            w->hashes = true;
        } else if (value) {
            if (++i == argc)
                return wrong_use(argv[0], "a value is missing after ", argv[i - 1]);
            *value = argv[i];
        } else if (argv[i][0] == '-') {
            return wrong_use(argv[0], "unknown option ", argv[i]);
        } else if (w->game) {
            return wrong_use(argv[0], "one game at a time, and then ", argv[i]);
        } else {
            w->game = argv[i];
        }
    }
    return 0;
}

static int fail(const char* program, const agon_error* error) {
    fprintf(stderr, "%s: %s\n", program, error->text);
    if (error->hint[0])
        fprintf(stderr, "hint: %s\n", error->hint);
    return 1;
}

static int print_hashes(const agon_game* game, const char* text, const char* program) {
    agon_error error = {0};
    agon__game_string string;
    agon_rules* rules = NULL;
    if (agon__game_string_parse(text, &string, &error) != 0 ||
        agon__rules_open_game(game, &string, &rules, &error) != 0)
        return fail(program, &error);
    agon_check_hashes(rules);
    agon_rules_close(rules);
    return 0;
}

int agon_check_main(const agon_game* game, int argc, char** argv) {
    words w = {0};
    agon_error error = {0};
    agon_check_report* report = NULL;
    char quoted[256], text[256], *end = NULL;
    const int failed = read_words(&w, argc, argv);
    if (failed)
        return failed < 0 ? 0 : failed;
    agon_check_options options = {.seconds = 10,
                                  .only = w.only,
                                  .replay = w.replay,
                                  .here = w.replay != NULL,
                                  .progress = isatty(STDERR_FILENO) != 0};
    if (w.seconds)
        options.seconds = strtod(w.seconds, &end);
    if (w.seconds && (end == w.seconds || *end || !(options.seconds > 0 && options.seconds < 1e7)))
        return wrong_use(argv[0], "--seconds expects a number above 0, got ", w.seconds);
    const char* parameters = w.game ? strchr(w.game, '(') : NULL;
    snprintf(text, sizeof text, "%s%.200s", game->name, parameters ? parameters : "");
    if (w.hashes)
        return print_hashes(game, text, argv[0]);
    const char* const hashes[] = {"/proc/self/exe", "--hashes", text, NULL};
    options.hashes = hashes;
    if (agon_check_table(game, parameters ? parameters : "", &options, &report, &error) != 0)
        return fail(argv[0], &error);
    snprintf(quoted, sizeof quoted, parameters ? "'%s'" : "", text);
    const agon_check_command again = {argv[0], quoted};
    agon_check_print(report, text, &again, NULL, false);
    const int broken = agon_check_failures(report);
    agon_check_close(report);
    return broken ? 1 : 0;
}
