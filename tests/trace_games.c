/* trace_games GAME EPISODES [--text]: random episodes as JSON, one line per ply, for scripts that
 * play them again with rules of their own.
 *
 *   {"episode": 0, "seats": 2}                       an episode begins
 *   {"outcomes": [0.5, 0.5], "outcome": 1, ...}      chance: probabilities, the one drawn
 *   {"legal": {"0": [0, 3]}, "action": {"0": 3}, ..} acting seats: what each may do and does
 *   {"returns": [1, -1]}                             it is over
 *
 * Ply lines also hold "reward" (what this ply gave each seat), and with --text "text": the position
 * before the ply; the last line then has the final one. */
#include "games/rules.h"

#include <inttypes.h>

typedef struct trace {
    const agon_rules* rules;
    bool text;
    void* state;
    uint64_t* mask;
    uint16_t action[AGON_MAX_SEATS];
    float reward[AGON_MAX_SEATS], total[AGON_MAX_SEATS];
} trace;

static void print_rewards(const char* name, const float* reward, int seats) {
    printf("\"%s\": [", name);
    for (int seat = 0; seat < seats; seat++)
        printf("%s%.9g", seat ? ", " : "", (double)reward[seat]);
    printf("]");
}

/* As a JSON string; games write printable ASCII and newlines. */
static void print_text(const trace* t) {
    char text[16384] = "";
    if (!t->text || !t->rules->game->text)
        return;
    t->rules->game->text(t->rules->config, t->state, text, sizeof text);
    printf(", \"text\": \"");
    for (const char* p = text; *p; p++) {
        if (*p == '\n')
            printf("\\n");
        else
            printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    printf("\"");
}

static void choose_outcome(trace* t, agon_key key, uint32_t episode, uint32_t ply, uint32_t draw) {
    static double prob[4096];
    const int count = t->rules->game->chance(t->rules->config, t->state, prob);
    t->action[0] = (uint16_t)agon_rules_chance(t->rules, t->state, key, episode, ply, draw);
    printf("{\"outcomes\": [");
    for (int k = 0; k < count; k++)
        printf("%s%.17g", k ? ", " : "", prob[k]);
    printf("], \"outcome\": %d", t->action[0]);
}

static void print_legal(const trace* t, int count) {
    for (int k = 0; k < count; k++)
        printf("%s%d", k ? ", " : "", agon_mask_nth(t->mask, t->rules->mask_words, k));
}

static void choose_actions(trace* t, uint64_t acting, agon_key key, uint32_t episode,
                           uint32_t ply) {
    const agon_rules* rules = t->rules;
    bool first = true;
    printf("{\"legal\": {");
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!(acting >> seat & 1))
            continue;
        memset(t->mask, 0, (size_t)rules->mask_words * sizeof *t->mask);
        rules->game->legal(rules->config, t->state, seat, t->mask);
        const int count = agon_mask_count(t->mask, rules->mask_words);
        const uint32_t word = agon_random(key, episode, ply, (uint32_t)seat, 0).word[0];
        t->action[seat] = (uint16_t)agon_mask_nth(t->mask, rules->mask_words,
                                                  (int)agon_below(word, (uint32_t)count));
        printf("%s\"%d\": [", first ? "" : ", ", seat);
        print_legal(t, count);
        printf("]");
        first = false;
    }
    printf("}, \"action\": {");
    first = true;
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!(acting >> seat & 1))
            continue;
        printf("%s\"%d\": %d", first ? "" : ", ", seat, t->action[seat]);
        first = false;
    }
    printf("}");
}

static int play(trace* t, agon_key key, uint32_t episode) {
    const agon_rules* rules = t->rules;
    const int seats = rules->spec.seats;
    uint32_t ply = 0, draw = 0;
    memset(t->total, 0, sizeof t->total);
    rules->game->init(rules->config, t->state);
    printf("{\"episode\": %u, \"seats\": %d}\n", episode, seats);
    for (uint64_t acting; (acting = rules->game->acting(rules->config, t->state)) != 0;) {
        memset(t->reward, 0, sizeof t->reward);
        if (acting == AGON_CHANCE)
            choose_outcome(t, key, episode, ply, draw++);
        else
            choose_actions(t, acting, key, episode, ply++);
        print_text(t);
        if (rules->game->apply(rules->config, t->state, t->action, t->reward) != 0)
            return 1;
        printf(", ");
        print_rewards("reward", t->reward, seats);
        printf("}\n");
        for (int seat = 0; seat < seats; seat++)
            t->total[seat] += t->reward[seat];
    }
    printf("{");
    print_rewards("returns", t->total, seats);
    print_text(t);
    printf("}\n");
    return 0;
}

int main(int argc, char** argv) {
    agon_error error = {0};
    agon_rules* rules = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: trace_games GAME EPISODES [--text]\n");
        return 2;
    }
    if (agon_rules_open(argv[1], &rules, &error) != 0) {
        fprintf(stderr, "trace_games: %s\n", error.text);
        return 1;
    }
    trace t = {.rules = rules, .text = argc > 3 && strcmp(argv[3], "--text") == 0};
    t.state = calloc(1, rules->spec.state_size);
    t.mask = calloc((size_t)rules->mask_words, sizeof *t.mask);
    int code = !t.state || !t.mask;
    for (uint32_t episode = 0; code == 0 && episode < (uint32_t)atoi(argv[2]); episode++)
        code = play(&t, agon_key_make(1, "trace", AGON_FOR_TEST), episode);
    free(t.state);
    free(t.mask);
    agon_rules_close(rules);
    return code;
}
