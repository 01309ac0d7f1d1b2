/* fuzz_perft.c: libFuzzer target. Built-in games take any stream of actions: a legal one is played,
 * any other is refused and changes nothing; counts from wherever the stream leads agree with each
 * other. A game whose answers are the input's bytes ends in a count or an error. */
#include "agents/perft.h"
#include "tests/fuzz/fuzz.h"

enum { STREAM = 400, SCRIPT = 64 };

typedef struct input {
    const uint8_t* data;
    size_t size, at;
} input;

static uint8_t next_byte(input* in) {
    return in->at < in->size ? in->data[in->at++] : 0;
}

/* ---- built-in games ----------------------------------------------------------------------- */

/* Raw 16-bit actions, or the k-th legal one, for every seat. Returns whether it was played. */
static bool play(const agon_rules* rules, void* state, void* copy, float* reward, input* in) {
    uint16_t action[AGON_MAX_SEATS] = {0};
    const uint64_t acting = rules->game->acting(rules->config, state);
    const bool raw = next_byte(in) % 8 == 0;
    bool legal = acting != 0;
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        uint64_t mask[(AGON_MAX_ACTIONS + 63) / 64] = {0};
        action[seat] = next_byte(in);
        if (raw)
            action[seat] = (uint16_t)(action[seat] | next_byte(in) << 8);
        if (acting == AGON_CHANCE || !(acting >> seat & 1))
            continue;
        rules->game->legal(rules->config, state, seat, mask);
        const int count = agon_mask_count(mask, rules->mask_words);
        MUST(count > 0);
        if (!raw)
            action[seat] = (uint16_t)agon_mask_nth(mask, rules->mask_words, action[seat] % count);
        legal = legal && action[seat] < rules->spec.actions && agon_mask_has(mask, action[seat]);
    }
    if (acting == AGON_CHANCE) {
        static double prob[4096];
        const int count = rules->game->chance(rules->config, state, prob);
        MUST(count > 0 && count <= rules->spec.chance_outcomes);
        if (!raw)
            action[0] = (uint16_t)(action[0] % count);
        legal = action[0] < count;
    }
    memcpy(copy, state, rules->spec.state_size);
    const int code = rules->game->apply(rules->config, state, action, reward);
    MUST((code == 0) == legal);
    MUST(code == 0 || memcmp(copy, state, rules->spec.state_size) == 0);
    return legal;
}

static int add_child(void* user, uint64_t acting, const uint16_t* action, const void* child) {
    (void)acting, (void)action, (void)child;
    ++*(uint64_t*)user;
    return 0;
}

/* Counts one ply deep in all ways: the children one by one, leaves, and the nodes of the tree. */
static void count(const agon_rules* rules, const void* state) {
    agon_perft_nodes nodes;
    uint64_t leaves = 0, ends = 0, positions = 0, children = 0;
    MUST(agon_perft(rules, state, 1, AGON_PERFT_LEAVES, &leaves, NULL) == 0);
    if (leaves > 20000)
        return;
    MUST(agon_perft_children(rules, state, add_child, &children, NULL) == 0);
    MUST(agon_perft(rules, state, 1, AGON_PERFT_ENDS, &ends, NULL) == 0);
    MUST(agon_perft(rules, state, 1, AGON_PERFT_POSITIONS, &positions, NULL) == 0);
    MUST(agon_perft_tree(rules, state, 1, &nodes, NULL) == 0);
    MUST(children == leaves && positions <= leaves);
    MUST(ends == (leaves ? leaves : 1));
    MUST(nodes.chance + nodes.decisions + nodes.ends == 1 + leaves);
}

static void play_built_in(input* in) {
    agon_rules* rules = NULL;
    float reward[AGON_MAX_SEATS] = {0};
    MUST(agon_rules_open(agon_game_at(next_byte(in) % agon_game_count())->name, &rules, NULL) == 0);
    void* state = calloc(1, rules->spec.state_size);
    void* copy = calloc(1, rules->spec.state_size);
    MUST(state && copy);
    rules->game->init(rules->config, state);
    for (int i = 0; i < STREAM && in->at < in->size; i++)
        play(rules, state, copy, reward, in);
    count(rules, state);
    free(state);
    free(copy);
    agon_rules_close(rules);
}

/* ---- a game of random answers ------------------------------------------------------------- */

static uint8_t script[SCRIPT];

typedef struct place {
    uint64_t at;
} place;

static uint8_t answer(const void* state, int which) {
    return script[(((const place*)state)->at + (uint64_t)which) % SCRIPT];
}

static uint64_t script_acting(const void* config, const void* state) {
    const uint8_t a = answer(state, 0);
    return a & 0x80 ? AGON_CHANCE | (a & 1) : a & 7;
}

static void script_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    mask[0] = answer(state, 1 + seat) & 7;
}

static int script_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    place* s = (place*)state;
    if (answer(state, 4) % 32 == 0)
        return -1;
    s->at = s->at * 3 + 1 + action[0];
    return 0;
}

static int script_chance(const void* config, const void* state, double* prob) {
    const int count = answer(state, 5) % 4;
    for (int i = 0; i < count; i++)
        prob[i] = 0.25;
    return count;
}

static void play_script(input* in) {
    const agon_game game = {.acting = script_acting,
                            .legal = script_legal,
                            .apply = script_apply,
                            .chance = next_byte(in) % 2 ? script_chance : NULL};
    const agon_rules rules = {.game = &game,
                              .spec = {.seats = 1 + next_byte(in) % 3,
                                       .actions = 3,
                                       .chance_outcomes = 3,
                                       .state_size = sizeof(place)},
                              .name = "script",
                              .mask_words = 1};
    const place start = {0};
    const int mode = next_byte(in) % 4, depth = next_byte(in) % 4;
    agon_error error = {0};
    agon_perft_nodes nodes;
    uint64_t found;
    for (int i = 0; i < SCRIPT; i++)
        script[i] = next_byte(in);
    const int code = mode == 3
                         ? agon_perft_tree(&rules, &start, depth, &nodes, &error)
                         : agon_perft(&rules, &start, depth, (agon_perft_mode)mode, &found, &error);
    MUST(code == 0 || (code == error.code && error.text[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    input in = {data, size, 0};
    if (next_byte(&in) % 4)
        play_built_in(&in);
    else
        play_script(&in);
    return 0;
}

static void fuzz_seeds(const char* dir) {
    for (int game = 0; game < agon_game_count(); game++) {
        uint8_t bytes[64];
        char name[32];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 37 + 1);
        bytes[0] = 1;
        bytes[1] = (uint8_t)game;
        snprintf(name, sizeof name, "game%d", game);
        fuzz_seed(dir, name, bytes, sizeof bytes);
    }
}
