/* agon perft: counts the positions of a game, to prove its rules against published numbers. */
#include "agents/perft.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 1000 };

typedef enum perft_mode { LEAVES, ENDS, POSITIONS, TREE } perft_mode;

static const char* const mode_names[] = {"leaves", "ends", "positions", "tree"};

typedef struct perft {
    agon_rules* rules;
    void* state;
    int depth; /* -1: to the ends */
    perft_mode mode;
    bool json;
    cJSON* rows; /* with --json */
    uint64_t total;
    agon_error error;
} perft;

/* ---- one line for each depth ---- */

static void print_count(perft* p, int depth, uint64_t count, double seconds) {
    if (p->json) {
        cJSON* row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "depth", depth);
        cJSON_AddNumberToObject(row, "count", (double)count);
        cJSON_AddNumberToObject(row, "seconds", seconds);
        cJSON_AddItemToArray(p->rows, row);
        return;
    }
    printf("%7d %20" PRIu64 " %9.3f %9.1f\n", depth, count, seconds,
           seconds > 0 ? (double)count / seconds / 1e6 : 0);
    fflush(stdout);
}

static int count_depths(perft* p) {
    if (!p->json)
        printf("%7s %20s %9s %9s\n", "depth", mode_names[p->mode], "seconds", "M/s");
    for (int depth = 1; depth <= p->depth; depth++) {
        const double begun = agon_ui_seconds();
        uint64_t count = 0;
        const int code =
            agon_perft(p->rules, p->state, depth, (agon_perft_mode)p->mode, &count, &p->error);
        if (code)
            return code;
        print_count(p, depth, count, agon_ui_seconds() - begun);
        if (!count && p->mode != ENDS)
            break;
    }
    return 0;
}

/* ---- one line for each first ply ---- */

static void ply_name(const perft* p, uint64_t acting, const uint16_t* action, char* out,
                     size_t size) {
    size_t used = 0;
    out[0] = '\0';
    if (acting == AGON_CHANCE) {
        agon_action_text(p->rules, p->state, -1, action[0], out, size);
        return;
    }
    for (int seat = 0; seat < p->rules->spec.seats; seat++) {
        char name[AGON_ACTION_NAME] = "";
        if (!(acting >> seat & 1))
            continue;
        agon_action_text(p->rules, p->state, seat, action[seat], name, sizeof name);
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "+" : "", name);
    }
}

static int divide_child(void* user, uint64_t acting, const uint16_t* action, const void* child) {
    perft* p = (perft*)user;
    uint64_t count = 0;
    char name[256];
    const int code =
        agon_perft(p->rules, child, p->depth - 1, (agon_perft_mode)p->mode, &count, &p->error);
    if (code)
        return code;
    ply_name(p, acting, action, name, sizeof name);
    p->total += count;
    if (p->json) {
        cJSON* row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "ply", name);
        cJSON_AddNumberToObject(row, "count", (double)count);
        cJSON_AddItemToArray(p->rows, row);
    } else {
        printf("%-16s %20" PRIu64 "\n", name, count);
    }
    return 0;
}

static int divide(perft* p) {
    const int code = agon_perft_children(p->rules, p->state, divide_child, p, &p->error);
    if (!code && !p->json)
        printf("%-16s %20" PRIu64 "\n", "all", p->total);
    return code;
}

/* ---- the tree ---- */

static int count_tree(perft* p) {
    agon_perft_nodes nodes;
    const int code = agon_perft_tree(p->rules, p->state, p->depth, &nodes, &p->error);
    if (code)
        return code;
    if (p->json) {
        cJSON* row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "chance", (double)nodes.chance);
        cJSON_AddNumberToObject(row, "decisions", (double)nodes.decisions);
        cJSON_AddNumberToObject(row, "ends", (double)nodes.ends);
        cJSON_AddItemToArray(p->rows, row);
        return 0;
    }
    printf("chance nodes   %20" PRIu64 "\ndecision nodes %20" PRIu64 "\nends           %20" PRIu64
           "\n",
           nodes.chance, nodes.decisions, nodes.ends);
    return 0;
}

/* ---- the command ---- */

static int print_json(perft* p) {
    cJSON* json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "game", p->rules->name);
    cJSON_AddStringToObject(json, "mode", mode_names[p->mode]);
    cJSON_AddItemToObject(json, "rows", p->rows);
    char* text = cJSON_Print(json);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(json);
    return text ? AGON_EXIT_OK : AGON_EXIT_FAULT;
}

static int run(perft* p, const char* game, bool by_ply) {
    if (agon_game_open(game, &p->rules, &p->error) != 0)
        return agon_ui_error(&p->error);
    p->state = calloc(1, p->rules->spec.state_size);
    p->rows = cJSON_CreateArray();
    int code = p->state && p->rows ? 0 : agon_fail(&p->error, AGON_EMEMORY, "out of memory");
    if (!code) {
        p->rules->game->init(p->rules->config, p->state);
        code = p->mode == TREE ? count_tree(p) : by_ply ? divide(p) : count_depths(p);
    }
    int result = code ? agon_ui_error(&p->error) : AGON_EXIT_OK;
    if (!code && p->json)
        result = print_json(p);
    else
        cJSON_Delete(p->rows);
    agon_rules_close(p->rules);
    free(p->state);
    return result;
}

/* DEPTH, a whole number; the tree may be asked for without one. */
static int read_depth(perft* p, const char* text) {
    char* end = NULL;
    const long depth = text ? strtol(text, &end, 10) : -1;
    if (!text && p->mode != TREE)
        return agon_ui_usage("perft", "expected GAME and DEPTH");
    if (text && (end == text || *end || depth < 1 || depth > MAX_DEPTH))
        return agon_ui_usage("perft", "depth is '%s', expected 1 to %d", text, MAX_DEPTH);
    p->depth = (int)depth;
    return 0;
}

int agon_cmd_perft(int argc, char** argv) {
    perft p = {0};
    bool by_ply = false;
    const char* mode = "leaves";
    int words;
    const agon_option options[] = {
        {"--divide", &by_ply, NULL}, {"--mode", NULL, &mode}, {"--json", &p.json, NULL}};
    int failed = agon_ui_options(argc, argv, options, 3, &words);
    if (failed)
        return failed;
    while (p.mode <= TREE && strcmp(mode, mode_names[p.mode]) != 0)
        p.mode++;
    if (p.mode > TREE)
        return agon_ui_usage("perft", "mode is '%s', expected leaves, ends, positions or tree",
                             mode);
    if (words < 1 || words > 2)
        return agon_ui_usage("perft", "expected GAME and DEPTH");
    if (by_ply && p.mode > ENDS)
        return agon_ui_usage("perft", "--divide counts leaves or ends, not %s", mode);
    failed = read_depth(&p, words > 1 ? argv[2] : NULL);
    return failed ? failed : run(&p, argv[1], by_ply);
}
