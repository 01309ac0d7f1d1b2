/* agon games: the games with their facts, or one game with its starting position. */
#include "games/rules.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char* utility_name(agon_utility utility) {
    static const char* const name[] = {"zero-sum", "constant-sum", "general-sum"};
    return name[utility];
}

static const char* information_name(agon_information information) {
    return information == AGON_PERFECT ? "perfect" : "imperfect";
}

static const char* order_name(const agon_spec* spec) {
    return spec->simultaneous ? "simultaneous" : "in turn";
}

static void shape_text(const agon_spec* spec, char* out, size_t size) {
    snprintf(out, size, "%dx%dx%d %s", spec->planes, spec->rows, spec->cols,
             spec->obs_type == AGON_U8 ? "u8" : "f32");
}

/* After `title`, "a (..), b (..)" broken between parameters so that lines stay within the width. */
static void print_parameters(const char* title, const char* text) {
    const int width = agon_ui_width(stdout), indent = (int)strlen(title);
    int column = printf("%s", title);
    for (const char* at = text; *at;) {
        const char* end = strstr(at, "), ");
        const int length = end ? (int)(end - at) + 2 : (int)strlen(at);
        if (column > indent && column + length + 1 > width)
            column = printf("\n%*s", indent, "") - 1;
        column += printf("%s%.*s", column > indent ? " " : "", length, at);
        at += end ? length + 1 : length;
    }
    putchar('\n');
}

/* ---- the table ---- */

static void print_row(const agon_rules* rules) {
    char shape[48], parameters[512];
    const agon_spec* spec = &rules->spec;
    shape_text(spec, shape, sizeof shape);
    printf("%s%-14s%s %5d %7d  %-9s  %-12s  %-12s  %-13s %5d  %s\n",
           agon_ui_colour(stdout, AGON_BOLD), rules->game->name, agon_ui_colour(stdout, AGON_PLAIN),
           spec->seats, spec->actions, information_name(spec->information), order_name(spec),
           utility_name(spec->utility), shape, spec->max_plies,
           spec->chance_outcomes ? "yes" : "no");
    printf("    %s\n", rules->game->summary);
    agon_game_parameters(rules->game, parameters, sizeof parameters);
    if (parameters[0])
        print_parameters("    parameters: ", parameters);
}

/* Calls `show` for every built-in game with default parameters. */
static int each_game(void (*show)(const agon_rules* rules, void* user), void* user) {
    for (int i = 0; agon_game_at(i); i++) {
        agon_error error = {0};
        agon_rules* rules;
        if (agon_rules_open(agon_game_at(i)->name, &rules, &error) != AGON_OK)
            return agon_ui_error(&error);
        show(rules, user);
        agon_rules_close(rules);
    }
    return AGON_EXIT_OK;
}

static void show_row(const agon_rules* rules, void* user) {
    print_row(rules);
}

static int print_table(void) {
    printf("%s%-14s %5s %7s  %-9s  %-12s  %-12s  %-13s %5s  %s%s\n",
           agon_ui_colour(stdout, AGON_DIM), "game", "seats", "actions", "knowledge", "moves",
           "returns", "observation", "plies", "chance", agon_ui_colour(stdout, AGON_PLAIN));
    return each_game(show_row, NULL);
}

/* ---- JSON ---- */

static cJSON* planes_json(const agon_spec* spec) {
    cJSON* planes = cJSON_CreateArray();
    for (int i = 0; i < spec->planes && i < AGON_MAX_PLANES; i++)
        cJSON_AddItemToArray(planes, cJSON_CreateString(spec->plane_names[i]));
    return planes;
}

/* One entry per role: its name and its seats. */
static cJSON* roles_json(const agon_rules* rules) {
    cJSON* roles = cJSON_CreateArray();
    for (int role = 0; role < agon_rules_roles(rules); role++) {
        char name[AGON_ROLE_NAME];
        cJSON* item = cJSON_CreateObject();
        cJSON_AddItemToArray(roles, item);
        cJSON_AddStringToObject(item, "name", agon_rules_role_name(rules, role, name, sizeof name));
        cJSON* seats = cJSON_AddArrayToObject(item, "seats");
        for (int seat = 0; seat < rules->spec.seats; seat++)
            if (rules->spec.role[seat] == role)
                cJSON_AddItemToArray(seats, cJSON_CreateNumber(seat));
    }
    return roles;
}

static bool has_teams(const agon_spec* spec) {
    for (int seat = 0; seat < spec->seats; seat++)
        if (spec->team[seat])
            return true;
    return false;
}

/* What only some games have is absent elsewhere. */
static void add_extras(cJSON* game, const agon_rules* rules) {
    const agon_spec* spec = &rules->spec;
    if (agon_rules_roles(rules) > 1)
        cJSON_AddItemToObject(game, "roles", roles_json(rules));
    cJSON* teams = has_teams(spec) ? cJSON_AddArrayToObject(game, "teams") : NULL;
    for (int seat = 0; teams && seat < spec->seats; seat++)
        cJSON_AddItemToArray(teams, cJSON_CreateNumber(spec->team[seat]));
    cJSON* features = spec->features ? cJSON_AddArrayToObject(game, "features") : NULL;
    for (int i = 0; i < spec->features; i++)
        cJSON_AddItemToArray(features, cJSON_CreateString(spec->feature_names[i]));
    cJSON* stats = spec->stats ? cJSON_AddArrayToObject(game, "stats") : NULL;
    for (int i = 0; i < spec->stats; i++)
        cJSON_AddItemToArray(stats, cJSON_CreateString(spec->stat_names[i]));
}

static cJSON* game_json(const agon_rules* rules) {
    const agon_spec* spec = &rules->spec;
    const int shape[] = {spec->planes, spec->rows, spec->cols};
    char parameters[512], fingerprint[24];
    cJSON* game = cJSON_CreateObject();
    agon_game_parameters(rules->game, parameters, sizeof parameters);
    snprintf(fingerprint, sizeof fingerprint, "%016llx",
             (unsigned long long)agon_rules_fingerprint(rules));
    cJSON_AddStringToObject(game, "name", rules->name);
    cJSON_AddStringToObject(game, "summary", rules->game->summary);
    cJSON_AddNumberToObject(game, "rules_version", rules->game->rules_version);
    cJSON_AddStringToObject(game, "fingerprint", fingerprint);
    cJSON_AddNumberToObject(game, "seats", spec->seats);
    cJSON_AddNumberToObject(game, "actions", spec->actions);
    cJSON_AddStringToObject(game, "information", information_name(spec->information));
    cJSON_AddBoolToObject(game, "simultaneous", spec->simultaneous);
    cJSON_AddBoolToObject(game, "seats_symmetric", spec->seats_symmetric);
    cJSON_AddStringToObject(game, "utility", utility_name(spec->utility));
    cJSON_AddNumberToObject(game, "return_min", (double)spec->return_min);
    cJSON_AddNumberToObject(game, "return_max", (double)spec->return_max);
    cJSON_AddItemToObject(game, "observation_shape", cJSON_CreateIntArray(shape, 3));
    cJSON_AddStringToObject(game, "observation_type", spec->obs_type == AGON_U8 ? "u8" : "f32");
    cJSON_AddNumberToObject(game, "observation_scale", (double)spec->obs_scale);
    cJSON_AddItemToObject(game, "planes", planes_json(spec));
    cJSON_AddNumberToObject(game, "max_plies", spec->max_plies);
    cJSON_AddNumberToObject(game, "chance_outcomes", spec->chance_outcomes);
    cJSON_AddNumberToObject(game, "state_bytes", (double)spec->state_size);
    cJSON_AddNumberToObject(game, "symmetries", spec->symmetries);
    add_extras(game, rules);
    cJSON_AddStringToObject(game, "parameters", parameters);
    return game;
}

static void show_json(const agon_rules* rules, void* user) {
    cJSON_AddItemToArray((cJSON*)user, game_json(rules));
}

/* Prints and frees. */
static int print_json(cJSON* json) {
    char* text = cJSON_Print(json);
    cJSON_Delete(json);
    if (!text) {
        agon_error error;
        agon_fail(&error, AGON_EMEMORY, "out of memory while writing JSON");
        return agon_ui_error(&error);
    }
    puts(text);
    free(text);
    return AGON_EXIT_OK;
}

/* ---- one game ---- */

static void print_seats(const agon_spec* spec, const uint8_t* group, int number) {
    int count = 0;
    for (int seat = 0; seat < spec->seats; seat++)
        count += group[seat] == number;
    printf(count == 1 ? " (seat" : " (seats");
    for (int seat = 0; seat < spec->seats; seat++)
        if (group[seat] == number)
            printf(" %d", seat);
    printf(")");
}

static void print_roles(const agon_rules* rules) {
    const int roles = agon_rules_roles(rules);
    for (int role = 0; roles > 1 && role < roles; role++) {
        char name[AGON_ROLE_NAME];
        printf("%s%s", role ? ", " : "  roles         ",
               agon_rules_role_name(rules, role, name, sizeof name));
        print_seats(&rules->spec, rules->spec.role, role);
    }
    printf(roles > 1 ? "\n" : "");
}

static void print_teams(const agon_spec* spec) {
    int found = 0;
    for (int team = 1; team <= UINT8_MAX; team++) {
        if (!memchr(spec->team, team, (size_t)spec->seats))
            continue;
        printf("%s%d", found++ ? ", " : "  teams         ", team);
        print_seats(spec, spec->team, team);
    }
    printf(found ? "\n" : "");
}

static void print_names(const char* title, const char* const* name, int count) {
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? ", " : title, name[i]);
    printf(count ? "\n" : "");
}

static void print_facts(const agon_rules* rules) {
    const agon_spec* spec = &rules->spec;
    char shape[48], parameters[512];
    shape_text(spec, shape, sizeof shape);
    printf("%s%s%s: %s\n\n", agon_ui_colour(stdout, AGON_BOLD), rules->name,
           agon_ui_colour(stdout, AGON_PLAIN), rules->game->summary);
    printf("  seats         %d, %s%s\n", spec->seats, order_name(spec),
           spec->seats_symmetric ? ", symmetric" : "");
    print_roles(rules);
    print_teams(spec);
    printf("  actions       %d\n", spec->actions);
    printf("  knowledge     %s\n", information_name(spec->information));
    if (spec->chance_outcomes)
        printf("  chance        up to %d outcomes\n", spec->chance_outcomes);
    printf("  returns       %s, from %g to %g\n", utility_name(spec->utility),
           (double)spec->return_min, (double)spec->return_max);
    printf("  length        at most %d %s\n", spec->max_plies,
           spec->max_plies == 1 ? "ply" : "plies");
    printf("  observation   %s:", shape);
    for (int i = 0; i < spec->planes && i < AGON_MAX_PLANES; i++)
        printf("%s %s", i ? "," : "", spec->plane_names[i]);
    printf("\n  state         %zu bytes\n", spec->state_size);
    if (spec->symmetries > 1)
        printf("  symmetries    %d, identity included\n", spec->symmetries);
    print_names("  features      ", spec->feature_names, spec->features);
    print_names("  stats         ", spec->stat_names, spec->stats);
    agon_game_parameters(rules->game, parameters, sizeof parameters);
    print_parameters("  parameters    ", parameters[0] ? parameters : "none");
    printf("  rules         version %d, fingerprint %016llx\n", rules->game->rules_version,
           (unsigned long long)agon_rules_fingerprint(rules));
    printf("  settings      %s\n", agon_embedded_config(rules->game->name)
                                       ? "its own; 'agon train GAME --print-config' shows them"
                                       : "the defaults");
}

static void print_actions(const agon_rules* rules, const void* state, int seat) {
    uint64_t mask[(AGON_MAX_ACTIONS + 63) / 64];
    char name[64];
    rules->game->legal(rules->config, state, seat, mask);
    const int count = agon_mask_count(mask, rules->mask_words);
    printf("\nSeat %d may play:", seat);
    for (int k = 0; k < count && k < 16; k++) {
        agon_action_text(rules, state, seat, agon_mask_nth(mask, rules->mask_words, k), name,
                         sizeof name);
        printf(" %s", name);
    }
    printf(count > 16 ? " ... (%d in all)\n" : "\n", count);
}

/* A first decision; where chance comes first, one drawn example. */
static int print_start(const agon_rules* rules) {
    float reward[AGON_MAX_SEATS];
    char text[8192] = "";
    void* state = calloc(1, rules->spec.state_size);
    if (!state)
        return AGON_EXIT_FAULT;
    const agon_key key = agon_key_make(0, "", AGON_FOR_CHANCE);
    const uint64_t acting = agon_rules_start(rules, state, reward, key, 0);
    if (rules->game->text) {
        rules->game->text(rules->config, state, text, sizeof text);
        const size_t length = strlen(text);
        printf("\nStarting position%s\n%s%s", rules->spec.chance_outcomes ? " (an example)" : "",
               text, length && text[length - 1] == '\n' ? "" : "\n");
    }
    for (int seat = 0; seat < rules->spec.seats; seat++)
        if ((acting >> seat) & 1u)
            print_actions(rules, state, seat);
    free(state);
    return AGON_EXIT_OK;
}

static int one_game(const char* word, bool json) {
    agon_error error = {0};
    agon_rules* rules;
    if (agon_game_open(word, &rules, &error) != AGON_OK)
        return agon_ui_error(&error);
    int code;
    if (json) {
        code = print_json(game_json(rules));
    } else {
        print_facts(rules);
        code = print_start(rules);
    }
    agon_rules_close(rules);
    return code;
}

int agon_cmd_games(int argc, char** argv) {
    bool json = false;
    int words;
    const agon_option options[] = {{"--json", &json, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 1, &words);
    if (failed)
        return failed;
    if (words > 1)
        return agon_ui_usage("games", "one game at a time; got %d words", words);
    if (words == 1)
        return one_game(argv[1], json);
    if (!json)
        return print_table();
    cJSON* list = cJSON_CreateArray();
    const int code = each_game(show_json, list);
    if (code == AGON_EXIT_OK)
        return print_json(list);
    cJSON_Delete(list);
    return code;
}
