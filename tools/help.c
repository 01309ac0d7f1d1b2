/* agon help: commands, columns, and the keys of the configuration as their table defines them. */
#include "agents/policy.h"
#include "engine/config.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/metrics.h"
#include "tools/ui.h"

#include <string.h>

static const char* key_type(agon_key_type type) {
    static const char* const name[] = {"integer", "seed", "number", "text", "choice", "yes or no"};
    return name[type];
}

/* The range in words; empty for free text. */
static void key_range(const agon_config_key* key, char* out, size_t size) {
    out[0] = '\0';
    if (key->type == AGON_KEY_INT || key->type == AGON_KEY_REAL)
        snprintf(out, size, "%.10g .. %.10g", key->low, key->high);
    else if (key->type == AGON_KEY_SEED)
        snprintf(out, size, "0 .. 18446744073709551615");
    else if (key->type == AGON_KEY_CHOICE)
        snprintf(out, size, "%s", key->choices);
    else if (key->type == AGON_KEY_SWITCH)
        snprintf(out, size, "yes|no");
}

static const char* key_default(const agon_config_key* key) {
    return key->fallback && *key->fallback ? key->fallback : "(empty)";
}

/* Games whose embedded settings differ from the default, with their values. */
static void print_own(const agon_config_key* key) {
    agon_config common, own;
    char usual[512], value[512];
    int printed = 0;
    agon_config_defaults(&common);
    agon_config_value(&common, key, usual, sizeof usual);
    for (int i = 0; i < agon_game_count(); i++) {
        const char* game = agon_game_at(i)->name;
        const char* text = agon_embedded_config(game);
        agon_config_defaults(&own);
        if (!text || agon_config_read_text(&own, text, game, NULL) != AGON_OK)
            continue;
        agon_config_value(&own, key, value, sizeof value);
        if (strcmp(value, usual) != 0)
            printf("%s%s %s", printed++ ? "; " : "  games    ", game, *value ? value : "(empty)");
    }
    if (printed)
        printf("\n");
}

/* What may stand in a list of scripted policies. */
static void print_policies(void) {
    const char *name, *description;
    for (int i = 0; agon_scripted_at(i, &name, &description); i++)
        printf("  %-8s %s: %s\n", i ? "" : "policies", name, description);
}

static void print_key(const agon_config_key* key) {
    char range[256];
    key_range(key, range, sizeof range);
    printf("%s%s.%s%s\n  ", agon_ui_colour(stdout, AGON_BOLD), key->section, key->name,
           agon_ui_colour(stdout, AGON_PLAIN));
    agon_ui_wrapped(stdout, key->meaning, 2);
    printf("  type     %s\n  default  %s\n", key_type(key->type), key_default(key));
    if (strcmp(key->section, "game") != 0)
        print_own(key);
    if (strcmp(key->name, "anchors") == 0)
        print_policies();
    if (range[0])
        printf("  range    %s\n", range);
    if (key->unit && *key->unit)
        printf("  unit     %s\n", key->unit);
    printf("  result   %s\n",
           key->place                 ? "what the file holds is part of what a run is a function of"
           : agon_config_decides(key) ? "part of what a run is a function of"
                                      : "has no influence on it: says where and how fast");
}

static void print_key_line(const agon_config_key* key) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", key->section, key->name);
    printf("  %-28s %-12s ", name, key_default(key));
    agon_ui_wrapped(stdout, key->meaning, 44);
}

/* Prints the keys of a section, or of all with NULL; returns how many. */
static int print_section(const char* section) {
    int count, printed = 0;
    const agon_config_key* keys = agon_config_keys(&count);
    for (int i = 0; i < count; i++) {
        if (section && strcmp(keys[i].section, section) != 0)
            continue;
        if (printed++ == 0)
            printf("  %s%-28s %-12s %s%s\n", agon_ui_colour(stdout, AGON_BOLD), "key", "default",
                   "meaning", agon_ui_colour(stdout, AGON_PLAIN));
        print_key_line(&keys[i]);
    }
    return printed;
}

/* JSON text: our tables hold ASCII; quotes and backslashes are escaped all the same. */
static void print_json_text(const char* name, const char* text, const char* end) {
    printf("\"%s\":\"", name);
    for (const char* c = text ? text : ""; *c; c++)
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    printf("\"%s", end);
}

static void print_keys_json(const char* topic) {
    int count, printed = 0;
    const agon_config_key* keys = agon_config_keys(&count);
    printf("[");
    for (int i = 0; i < count; i++) {
        char name[64], range[256];
        snprintf(name, sizeof name, "%s.%s", keys[i].section, keys[i].name);
        if (topic && strcmp(topic, keys[i].section) != 0 && strcmp(topic, name) != 0)
            continue;
        key_range(&keys[i], range, sizeof range);
        printf("%s\n  {", printed++ ? "," : "");
        print_json_text("key", name, ",");
        print_json_text("type", key_type(keys[i].type), ",");
        print_json_text("default", keys[i].fallback, ",");
        print_json_text("range", range, ",");
        print_json_text("unit", keys[i].unit, ",");
        print_json_text("meaning", keys[i].meaning, ",");
        printf("\"decides_result\":%s}", agon_config_decides(&keys[i]) ? "true" : "false");
    }
    printf("\n]\n");
}

static int overview(void) {
    printf("agon trains populations of agents by self-play and measures how differently they\n"
           "act and how well.\n\nUsage: agon COMMAND ...\n\nCommands\n");
    for (int i = 0; i < agon_command_count(); i++)
        printf("  %-10s %s\n", agon_command_at(i)->name, agon_command_at(i)->summary);
    printf(
        "\n'agon COMMAND --help' begins with examples. 'agon help KEY' explains a setting, as in\n"
        "'agon help train.seed'; 'agon help keys' lists them all; 'agon help columns' says what a "
        "run\n"
        "keeps.\n");
    return AGON_EXIT_OK;
}

/* Words are commands, sections and full key names. */
static int unknown_topic(const char* topic) {
    const char* names[512];
    char full[128][64];
    int count, metrics, used = 0;
    const agon_metric* const* metric = agon_metrics(&metrics);
    const agon_config_key* keys = agon_config_keys(&count);
    for (int i = 0; i < agon_command_count() && used < 64; i++)
        names[used++] = agon_command_at(i)->name;
    for (int i = 0; i < count && i < 128 && used < 254; i++) {
        snprintf(full[i], sizeof full[i], "%s.%s", keys[i].section, keys[i].name);
        names[used++] = full[i];
        if (i == 0 || strcmp(keys[i].section, keys[i - 1].section) != 0)
            names[used++] = keys[i].section;
    }
    for (int i = 0; i < metrics && used < 512; i++)
        names[used++] = metric[i]->name;
    const char* nearest = agon_nearest(topic, names, used);
    if (nearest)
        return agon_ui_usage("help", "'%s' is no command, key or metric; did you mean '%s'?", topic,
                             nearest);
    agon_ui_usage("help", "'%s' is no command, key or metric", topic);
    fprintf(stderr,
            "      'agon help columns' explains the numbers of a run, 'agon metrics --list' "
            "names metrics\n");
    return AGON_EXIT_USAGE;
}

static int explain(const char* topic) {
    const agon_command* command = agon_command_find(topic);
    const agon_config_key* key = agon_config_find(topic);
    if (strcmp(topic, "columns") == 0) {
        agon_columns_print(false);
        return AGON_EXIT_OK;
    }
    if (strcmp(topic, "keys") == 0)
        return print_section(NULL) > 0 ? AGON_EXIT_OK : AGON_EXIT_FAULT;
    const agon_metric* metric = agon_metric_find(topic);
    if (key) {
        print_key(key);
        return AGON_EXIT_OK;
    }
    if (metric) {
        agon_metric_explain(stdout, metric);
        return AGON_EXIT_OK;
    }
    if (command) {
        fputs(command->help, stdout);
        if (strcmp(topic, "train") == 0)
            printf("\nKeys of the section [train]\n");
    }
    if (print_section(topic) == 0 && !command)
        return unknown_topic(topic);
    return AGON_EXIT_OK;
}

int agon_cmd_help(int argc, char** argv) {
    bool json = false;
    int words;
    const agon_option options[] = {{"--json", &json, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 1, &words);
    if (failed)
        return failed;
    if (words > 1)
        return agon_ui_usage("help", "one topic at a time; got %d", words);
    if (words == 1 && json && strcmp(argv[1], "columns") == 0) {
        agon_columns_print(true);
        return AGON_EXIT_OK;
    }
    if (words == 1 && json) {
        print_keys_json(strcmp(argv[1], "keys") == 0 ? NULL : argv[1]);
        return AGON_EXIT_OK;
    }
    return words == 1 ? explain(argv[1]) : overview();
}
