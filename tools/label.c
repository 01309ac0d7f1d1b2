/* Labels for agon solve --positions: random positions with the exact value of every action. */
#include "agents/negamax.h"
#include "tools/solve.h"
#include "tools/ui.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BYTES = 64 << 20, TRIES = 1000 };

typedef struct labelling {
    const agon_rules* rules;
    const agon_label_options* options;
    agon_negamax* solver;
    FILE* out; /* NULL: no lines */
    void* state;
    float earned;   /* of seat 0, on the way */
    uint16_t* line; /* (ply) actions */
    float* value;   /* (actions) */
    uint64_t* mask;
    double* seconds; /* (count) */
    int done, given_up, wins, draws;
    uint64_t nodes;
    agon_error error;
} labelling;

/* One random line; false when the game is over by then. */
static bool walk(labelling* l, uint32_t episode) {
    const agon_rules* r = l->rules;
    const agon_key key = agon_key_make(l->options->seed, "positions", AGON_FOR_OPENING);
    r->game->init(r->config, l->state);
    l->earned = 0;
    for (int ply = 0; ply < l->options->ply; ply++) {
        const uint64_t acting = r->game->acting(r->config, l->state);
        uint16_t action[AGON_MAX_SEATS];
        float reward[AGON_MAX_SEATS] = {0};
        if (!acting)
            return false;
        const int seat = __builtin_ctzll(acting);
        memset(l->mask, 0, (size_t)r->mask_words * sizeof *l->mask);
        r->game->legal(r->config, l->state, seat, l->mask);
        const uint32_t word = agon_random(key, episode, (uint32_t)ply, (uint32_t)seat, 0).word[0];
        const int count = agon_mask_count(l->mask, r->mask_words);
        action[seat] =
            (uint16_t)agon_mask_nth(l->mask, r->mask_words, (int)agon_below(word, (uint32_t)count));
        l->line[ply] = action[seat];
        r->game->apply(r->config, l->state, action, reward);
        l->earned += reward[0];
    }
    return r->game->acting(r->config, l->state) != 0;
}

/* {"moves": ["d", ..], "seat": 0, "value": 1, "actions": {"a": -1, ..}, "nodes": .., ..} */
static void write_line(labelling* l, float value, uint64_t nodes, double seconds) {
    const agon_rules* r = l->rules;
    char name[AGON_ACTION_NAME];
    float reward[AGON_MAX_SEATS] = {0};
    const char* between = "";
    r->game->init(r->config, l->state);
    fprintf(l->out, "{\"moves\": [");
    for (int ply = 0; ply < l->options->ply; ply++) {
        const int seat = __builtin_ctzll(r->game->acting(r->config, l->state));
        uint16_t action[AGON_MAX_SEATS];
        action[seat] = l->line[ply];
        agon_action_text(r, l->state, seat, action[seat], name, sizeof name);
        fprintf(l->out, "%s\"%s\"", ply ? ", " : "", name);
        r->game->apply(r->config, l->state, action, reward);
    }
    const int seat = __builtin_ctzll(r->game->acting(r->config, l->state));
    fprintf(l->out, "], \"seat\": %d, \"value\": %g, \"actions\": {", seat, (double)value);
    for (int a = 0; a < r->spec.actions; a++) {
        if (isnan(l->value[a]))
            continue;
        agon_action_text(r, l->state, seat, a, name, sizeof name);
        fprintf(l->out, "%s\"%s\": %g", between, name, (double)l->value[a]);
        between = ", ";
    }
    fprintf(l->out, "}, \"nodes\": %" PRIu64 ", \"seconds\": %.4f}\n", nodes, seconds);
}

static int label_one(labelling* l, uint32_t* episode) {
    float value = 0;
    uint64_t nodes = 0;
    int tries = 0;
    while (!walk(l, (*episode)++))
        if (++tries == TRIES)
            return agon_fail(&l->error, AGON_ELIMIT,
                             "%s: %d random games were over before ply %d; expected an earlier ply",
                             l->rules->name, TRIES, l->options->ply);
    const double begun = agon_ui_seconds();
    const int rc = agon_negamax_solve(l->solver, l->state, l->earned, l->options->limit, &value,
                                      l->value, &nodes, &l->error);
    l->nodes += nodes;
    if (rc == AGON_ELIMIT) {
        l->given_up++;
        return AGON_OK;
    }
    if (rc)
        return rc;
    l->seconds[l->done++] = agon_ui_seconds() - begun;
    l->wins += value > 0;
    l->draws += value == 0;
    if (l->out)
        write_line(l, value, nodes, l->seconds[l->done - 1]);
    return AGON_OK;
}

static int by_size(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

static void report(labelling* l) {
    double sum = 0;
    FILE* to = l->options->json ? stderr : stdout;
    for (int i = 0; i < l->done; i++)
        sum += l->seconds[i];
    fprintf(to, "%s, %d random positions after %d plies", l->rules->name, l->options->count,
            l->options->ply);
    if (!l->done) {
        fprintf(to, ": none solved within %" PRIu64 " nodes\n", l->options->limit);
        return;
    }
    qsort(l->seconds, (size_t)l->done, sizeof *l->seconds, by_size);
    fprintf(to, "\nsolved   %d (%d beyond %" PRIu64 " nodes)\n", l->done, l->given_up,
            l->options->limit);
    fprintf(to, "to move  wins %d, draws %d, loses %d\n", l->wins, l->draws,
            l->done - l->wins - l->draws);
    fprintf(to, "seconds  median %.4f, 90 %% %.4f, longest %.4f; %.2f M positions/s\n",
            l->seconds[l->done / 2], l->seconds[l->done * 9 / 10], l->seconds[l->done - 1],
            sum > 0 ? (double)l->nodes / sum / 1e6 : 0);
}

static int reserve(labelling* l) {
    const size_t plies = (size_t)l->options->ply + 1, count = (size_t)l->options->count;
    l->state = calloc(1, l->rules->spec.state_size);
    l->line = calloc(plies, sizeof *l->line);
    l->value = calloc((size_t)l->rules->spec.actions, sizeof *l->value);
    l->mask = calloc((size_t)l->rules->mask_words, sizeof *l->mask);
    l->seconds = calloc(count, sizeof *l->seconds);
    if (!l->state || !l->line || !l->value || !l->mask || !l->seconds)
        return agon_fail(&l->error, AGON_EMEMORY, "no memory for %zu positions", count);
    return agon_negamax_open(l->rules, TABLE_BYTES, &l->solver, &l->error);
}

static int open_out(labelling* l) {
    l->out = l->options->out ? fopen(l->options->out, "w") : l->options->json ? stdout : NULL;
    if (l->options->out && !l->out)
        return agon_fail(&l->error, AGON_EIO, "%s: cannot be written", l->options->out);
    return AGON_OK;
}

static int close_out(labelling* l) {
    const bool failed = l->out && l->options->out && (ferror(l->out) | fclose(l->out)) != 0;
    return failed ? agon_fail(&l->error, AGON_EIO, "%s: not everything could be written",
                              l->options->out)
                  : AGON_OK;
}

int agon_label(const agon_rules* rules, const agon_label_options* options) {
    labelling l = {.rules = rules, .options = options};
    uint32_t episode = 0;
    const double begun = agon_ui_seconds();
    int rc = reserve(&l);
    if (!rc)
        rc = open_out(&l);
    for (int i = 0; !rc && i < options->count; i++) {
        rc = label_one(&l, &episode);
        if (agon_ui_colours(stderr))
            fprintf(stderr, "\r%d of %d, %.0f s left ", i + 1, options->count,
                    (agon_ui_seconds() - begun) * (options->count - i - 1) / (i + 1));
    }
    if (agon_ui_colours(stderr))
        fprintf(stderr, "\r\033[K");
    const int closed = close_out(&l);
    rc = rc ? rc : closed;
    if (!rc)
        report(&l);
    agon_negamax_close(l.solver);
    free(l.state);
    free(l.line);
    free(l.value);
    free(l.mask);
    free(l.seconds);
    return rc ? agon_ui_error(&l.error) : AGON_EXIT_OK;
}
