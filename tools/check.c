/* agon check: does a game keep its promises? */
#include "games/check.h"

#include "games/internal.h"
#include "games/plugin.h"
#include "tools/bench.h"
#include "tools/check_source.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096, COMMAND = 2 * PATH };

typedef struct check {
    const char* word; /* GAME as it was typed */
    char game[128];   /* as a game string */
    char path[PATH];  /* of the plug-in; empty: a built-in */
    char source[PATH];
    const agon_game* table;
    agon_check_options options;
    bool json, quiet;
    agon_check_report* report;
    double steps_per_second; /* 0: not measured */
    agon_error error;
} check;

/* ---- how a failure is replayed ---- */

static void again_command(const check* c, char* out, size_t size) {
    char word[PATH];
    snprintf(out, size, "agon check %s", agon_ui_shell_word(c->word, word, sizeof word));
}

/* "agon build-game FILE.c --debug && ./FILE-check"; false: the source is not here. */
static bool debug_command(const check* c, char* out, size_t size) {
    char word[PATH];
    const char* slash = strrchr(c->source, '/');
    const char* base = slash ? slash + 1 : c->source;
    const size_t length = strlen(base);
    if (length < 3 || strcmp(base + length - 2, ".c") != 0)
        return false;
    snprintf(out, size, "agon build-game %s --debug && ./%.*s-check",
             agon_ui_shell_word(c->source, word, sizeof word), (int)length - 2, base);
    return true;
}

/* The parameters, for the program that --debug makes. */
static const char* debug_game(const check* c, char* out, size_t size) {
    char word[256];
    snprintf(out, size, "%s",
             strchr(c->game, '(') ? agon_ui_shell_word(c->game, word, sizeof word) : "");
    return out;
}

typedef struct commands {
    agon_check_command here, there; /* there: with sanitizers */
    bool has_debug;
    char again[COMMAND], debug[COMMAND], game[300];
} commands;

static void make_commands(const check* c, commands* w) {
    again_command(c, w->again, sizeof w->again);
    w->has_debug = debug_command(c, w->debug, sizeof w->debug);
    w->here = (agon_check_command){w->again, ""};
    w->there = (agon_check_command){w->debug, debug_game(c, w->game, sizeof w->game)};
}

/* ---- printing ---- */

static cJSON* result_json(const commands* w, const agon_check_result* r) {
    static char whole[AGON_CHECK_COMMAND];
    static const char* const status[] = {"passed", "failed", "warning", "skipped"};
    cJSON* json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "rule", r->rule);
    cJSON_AddStringToObject(json, "promise", r->promise);
    cJSON_AddStringToObject(json, "status", status[r->status]);
    cJSON_AddNumberToObject(json, "asked", (double)r->asked);
    if (r->text[0])
        cJSON_AddStringToObject(json, "text", r->text);
    if (r->status == AGON_CHECK_FAILED && r->has_line) {
        cJSON_AddNumberToObject(json, "plies", r->plies);
        cJSON_AddBoolToObject(json, "shortest", r->shortest);
        cJSON_AddStringToObject(json, "line", r->line);
        cJSON_AddStringToObject(json, "names", r->names);
    }
    if (r->status == AGON_CHECK_FAILED && r->replay_rule) {
        cJSON_AddStringToObject(json, "replay_rule", r->replay_rule);
        agon_check_command_text(r, &w->here, whole, sizeof whole);
        cJSON_AddStringToObject(json, "again", whole);
    }
    if (r->status == AGON_CHECK_FAILED && r->replay_rule && w->has_debug) {
        agon_check_command_text(r, &w->there, whole, sizeof whole);
        cJSON_AddStringToObject(json, "debug", whole);
    }
    return json;
}

static int print_json(const check* c) {
    const agon_check_report* r = c->report;
    static commands w;
    make_commands(c, &w);
    cJSON* json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "game", c->game);
    cJSON_AddBoolToObject(json, "passed", agon_check_failures(r) == 0);
    cJSON_AddNumberToObject(json, "failures", agon_check_failures(r));
    cJSON_AddNumberToObject(json, "seconds", r->seconds);
    cJSON_AddNumberToObject(json, "episodes", (double)r->episodes);
    cJSON_AddNumberToObject(json, "positions", (double)r->positions);
    cJSON_AddNumberToObject(json, "longest", r->longest);
    cJSON_AddNumberToObject(json, "max_plies", r->max_plies);
    if (c->steps_per_second > 0)
        cJSON_AddNumberToObject(json, "steps_per_second", c->steps_per_second);
    cJSON* rules = cJSON_AddArrayToObject(json, "rules");
    for (int i = 0; i < r->count; i++)
        cJSON_AddItemToArray(rules, result_json(&w, &r->result[i]));
    char* text = cJSON_Print(json);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(json);
    return text ? AGON_EXIT_OK : AGON_EXIT_FAULT;
}

static void print_text(const check* c) {
    static commands w;
    make_commands(c, &w);
    agon_check_print(c->report, c->game, &w.here, w.has_debug ? &w.there : NULL, c->quiet);
    if (c->steps_per_second >= 1e5)
        printf("random play with observation and mask, one core: %.1f M steps/s\n",
               c->steps_per_second / 1e6);
    else if (c->steps_per_second > 0)
        printf("random play with observation and mask, one core: %.0f steps/s\n",
               c->steps_per_second);
}

/* ---- the check ---- */

/* What is asked of the file and of the clock, once play has shown no fault that would stop it. */
static void look_further(check* c) {
    agon_check_report* r = c->report;
    const char* only = c->options.only;
    const char* path = c->path[0] ? c->path : NULL;
    const char* source = c->source[0] ? c->source : NULL;
    agon_rules* rules = NULL;
    if (c->options.replay || only || r->count + 2 > AGON_CHECK_RULES)
        return;
    agon_source_device(c->table, source, &r->result[r->count++]);
    agon_source_imports(path, source, &r->result[r->count++]);
    if (agon_check_failures(r) || agon_rules_open(c->game, &rules, NULL) != 0)
        return;
    const agon_bench bench = {.seconds = 0.5, .samples = 3};
    c->steps_per_second = agon_bench_game(&bench, rules).per_second;
    agon_rules_close(rules);
}

/* A plug-in is opened in a child process first; what it does when played is the checker's to find.
 */
static int find_game(check* c) {
    int code = agon_plugin_resolve(c->word, c->game, sizeof c->game, &c->error);
    if (code)
        return code;
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(c->game, "("), c->game);
    code = agon__rules_find(name, &c->table, &c->error);
    if (code)
        return code;
    if (agon_plugin_is_path(c->word))
        snprintf(c->path, sizeof c->path, "%.*s", (int)strcspn(c->word, "("), c->word);
    if (!agon_source_find(c->table, c->path[0] ? c->path : NULL, c->source, sizeof c->source))
        c->source[0] = '\0';
    return 0;
}

static int run(check* c) {
    const char* const hashes[] = {"/proc/self/exe", "check", c->word, "--hashes", NULL};
    int code = find_game(c);
    c->options.hashes = hashes;
    code = code ? code : agon_check_game(c->game, &c->options, &c->report, &c->error);
    if (code)
        return agon_ui_error(&c->error);
    look_further(c);
    const int failures = agon_check_failures(c->report);
    int result = failures ? AGON_EXIT_FAULT : AGON_EXIT_OK;
    if (c->json && print_json(c) != AGON_EXIT_OK)
        result = AGON_EXIT_FAULT;
    if (!c->json && (!c->quiet || failures))
        print_text(c);
    agon_check_close(c->report);
    return result;
}

/* Another process of this checker asks. */
static int print_hashes(check* c) {
    agon_rules* rules = NULL;
    int code = find_game(c);
    code = code ? code : agon_rules_open(c->game, &rules, &c->error);
    if (code)
        return agon_ui_error(&c->error);
    agon_check_hashes(rules);
    agon_rules_close(rules);
    return AGON_EXIT_OK;
}

int agon_cmd_check(int argc, char** argv) {
    static check c;
    const char* seconds = "10";
    bool hashes = false;
    char* end;
    int words;
    const agon_option options[] = {
        {"--seconds", NULL, &seconds},         {"--only", NULL, &c.options.only},
        {"--replay", NULL, &c.options.replay}, {"--json", &c.json, NULL},
        {"--quiet", &c.quiet, NULL},           {"--hashes", &hashes, NULL},
    };
    const int failed = agon_ui_options(argc, argv, options, 6, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage(
            "check", words ? "one game at a time; got %d words" : "a game is missing", words);
    c.word = argv[1];
    if (c.options.only &&
        (strcmp(c.options.only, "device") == 0 || strcmp(c.options.only, "imports") == 0))
        return agon_ui_usage("check", "--only %s: the file is looked at by a whole check alone",
                             c.options.only);
    c.options.seconds = strtod(seconds, &end);
    if (end == seconds || *end || !(c.options.seconds >= 0.1 && c.options.seconds <= 1e6))
        return agon_ui_usage("check", "seconds is '%s', expected 0.1 to 1000000", seconds);
    c.options.progress = !c.json && !c.quiet && isatty(STDERR_FILENO) == 1;
    return hashes ? print_hashes(&c) : run(&c);
}
