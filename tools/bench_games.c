/* bench_games.c: games at random, as fast as a rollout could step them. */
#include "tools/bench.h"

#include "games/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 128, /* as many as a train task steps together; their data stay in the first cache */
    STREAMS = 8  /* generators side by side, so that they run in vector registers */
};

typedef struct playing {
    const agon_rules* rules;
    char *states, *start; /* every episode starts with the same position */
    uint64_t start_acting;
    uint64_t *acting, *mask;
    uint16_t* action;
    uint16_t* before; /* legal actions before each word of a mask */
    float* reward;
    double* chance; /* by chance node */
    int* outcomes;
    char* obs;
    uint32_t *live, *over; /* lanes: at chance nodes, then the others; whose episode is over */
    uint32_t* lane;        /* by slot, with seat */
    uint8_t* seat;
    uint32_t* word; /* random: one for each chance node, then one for each slot */
    uint64_t noise[STREAMS];
} playing;

/* xorshift64 by Marsaglia, the upper halves: this measures games, not generators. */
static void fill_words(playing* p, int count) {
    uint64_t x[STREAMS];
    memcpy(x, p->noise, sizeof x);
    for (int i = 0; i < count; i += STREAMS) {
        for (int k = 0; k < STREAMS; k++) {
            x[k] ^= x[k] << 13;
            x[k] ^= x[k] >> 7;
            x[k] ^= x[k] << 17;
            p->word[i + k] = (uint32_t)(x[k] >> 32);
        }
    }
    memcpy(p->noise, x, sizeof x);
}

/* Who decides, by slot, and who is at a chance node or at an end, which counts as a new start. All
 * lists are written in every turn and grow by a condition: whose turn it is, nobody can predict,
 * and a branch that is not predicted costs more than the rest of the step. */
static int sort_lanes(playing* p, int* chances, int* overs) {
    int slots = 0, at_chance = 0, over = 0;
    for (int lane = 0; lane < LANES; lane++) {
        const uint64_t acting = p->acting[lane];
        uint64_t set = acting ? acting : p->start_acting;
        const int chance = set == AGON_CHANCE;
        p->over[over] = (uint32_t)lane;
        over += !acting;
        p->live[at_chance] = p->live[LANES - 1 - (lane - at_chance)] = (uint32_t)lane;
        at_chance += chance;
        p->lane[slots] = (uint32_t)lane;
        p->seat[slots] = (uint8_t)__builtin_ctzll(set);
        for (slots += !chance; set &= set - 1; slots++) {
            p->lane[slots] = (uint32_t)lane;
            p->seat[slots] = (uint8_t)__builtin_ctzll(set);
        }
    }
    *chances = at_chance;
    *overs = over;
    return slots;
}

static void restart(playing* p, int overs) {
    const size_t size = p->rules->spec.state_size;
    for (int i = 0; i < overs; i++)
        memcpy(p->states + p->over[i] * size, p->start, size);
}

/* Most chance nodes are even, and then one product is a draw. Reads all of `chance`, whose length
 * is always the same, so that it takes no branch by the number of outcomes. */
static uint16_t draw_outcome(const double* chance, int room, int count, uint32_t word) {
    int even = 1, k = 0;
    for (int i = 0; i < room; i++)
        even &= (i >= count) | (chance[i] == chance[0]);
    if (even)
        return (uint16_t)agon_below(word, (uint32_t)count);
    for (double left = word * 0x1p-32; k < count - 1 && (left -= chance[k]) >= 0;)
        k++;
    return (uint16_t)k;
}

/* First all probabilities, then all draws: to read at once what was just written piece by piece
 * would have to wait for it. */
static void draw_outcomes(playing* p, int chances) {
    const agon_rules* rules = p->rules;
    const size_t seats = (size_t)rules->spec.seats, room = (size_t)rules->spec.chance_outcomes;
    for (int i = 0; i < chances; i++)
        p->outcomes[i] = rules->game->chance(
            rules->config, p->states + p->live[i] * rules->spec.state_size, p->chance + i * room);
    for (int i = 0; i < chances; i++)
        p->action[p->live[i] * seats] =
            draw_outcome(p->chance + i * room, (int)room, p->outcomes[i], p->word[i]);
}

/* One of the legal actions for each slot. Which word it is in is random, so it is counted how many
 * words are passed over, in place of a search that ends there. */
static inline void choose_from(playing* p, int slots, const uint32_t* word, int words) {
    const size_t seats = (size_t)p->rules->spec.seats;
    for (int i = 0; i < slots; i++) {
        const uint64_t* mask = p->mask + (size_t)i * (size_t)words;
        int legal = 0, at = 0;
        for (int w = 0; w < words; w++) {
            p->before[w] = (uint16_t)legal;
            legal += agon_mask_count(mask + w, 1);
        }
        const int k = (int)agon_below(word[i], (uint32_t)legal);
        for (int w = 1; w < words; w++)
            at += p->before[w] <= k;
        p->action[p->lane[i] * seats + p->seat[i]] =
            (uint16_t)(64 * at + agon_mask_nth(mask + at, 1, k - p->before[at]));
    }
}

/* Most masks are short: with constants for their lengths, the loops over words are none. */
static void choose(playing* p, int slots, const uint32_t* word) {
    const int words = p->rules->mask_words;
    if (words == 1)
        choose_from(p, slots, word, 1);
    else if (words == 2)
        choose_from(p, slots, word, 2);
    else
        choose_from(p, slots, word, words);
}

/* One ply of every lane, a chance outcome or: observation and mask of each acting seat, a random
 * legal action, apply. An episode that is over starts anew. */
static double ply(playing* p) {
    const agon_rules* rules = p->rules;
    const agon_game* game = rules->game;
    int chances, overs;
    const int slots = sort_lanes(p, &chances, &overs);
    restart(p, overs);
    fill_words(p, chances + slots);
    draw_outcomes(p, chances);
    game->observe_batch(rules->config, p->states, p->lane, p->seat, slots, p->obs, p->mask);
    choose(p, slots, p->word + chances);
    game->apply_batch(rules->config, p->states, p->live, LANES, p->action, p->reward);
    game->acting_batch(rules->config, p->states, LANES, p->acting);
    return LANES;
}

static double play(void* user, double amount) {
    double done = 0;
    while (done < amount)
        done += ply(user);
    return done;
}

static void close_playing(playing* p) {
    free(p->states);
    free(p->start);
    free(p->acting);
    free(p->mask);
    free(p->action);
    free(p->before);
    free(p->reward);
    free(p->chance);
    free(p->outcomes);
    free(p->obs);
    free(p->live);
    free(p->over);
    free(p->lane);
    free(p->seat);
    free(p->word);
}

static bool open_playing(playing* p, const agon_rules* rules) {
    const size_t rows = LANES * (size_t)rules->spec.seats;
    p->rules = rules;
    p->states = calloc(LANES, rules->spec.state_size);
    p->start = calloc(1, rules->spec.state_size);
    p->acting = calloc(LANES, sizeof *p->acting);
    p->mask = calloc(rows * (size_t)rules->mask_words, sizeof *p->mask);
    p->action = calloc(rows, sizeof *p->action);
    p->before = calloc((size_t)rules->mask_words, sizeof *p->before);
    p->reward = calloc(rows, sizeof *p->reward);
    p->chance = calloc(LANES * (size_t)rules->spec.chance_outcomes + 1, sizeof *p->chance);
    p->outcomes = calloc(LANES, sizeof *p->outcomes);
    p->obs = calloc(rows, rules->obs_bytes);
    p->live = calloc(LANES, sizeof *p->live);
    p->over = calloc(LANES, sizeof *p->over);
    p->lane = calloc(rows + 1, sizeof *p->lane); /* one more than is used is written */
    p->seat = calloc(rows + 1, 1);
    p->word = calloc(rows + LANES + STREAMS, sizeof *p->word);
    return p->states && p->start && p->acting && p->mask && p->action && p->before && p->reward &&
           p->chance && p->outcomes && p->obs && p->live && p->over && p->lane && p->seat &&
           p->word;
}

/* All lanes are over; the first ply starts them. */
static void start_playing(playing* p) {
    const agon_rules* rules = p->rules;
    rules->game->init(rules->config, p->start);
    p->start_acting = rules->game->acting(rules->config, p->start);
    for (int i = 0; i < STREAMS; i++) {
        const agon_key key = agon_key_make(1, "bench", AGON_FOR_TEST);
        const agon_draw bits = agon_random(key, (uint32_t)i, 0, 0, 0);
        p->noise[i] = (uint64_t)bits.word[0] << 32 | bits.word[1] | 1; /* never 0 */
    }
}

agon_bench_rate agon_bench_game(const agon_bench* b, const agon_rules* rules) {
    agon_bench_rate rate = {0};
    playing p = {0};
    if (open_playing(&p, rules)) {
        start_playing(&p);
        rate = agon_bench_measure(b, play, &p);
    }
    close_playing(&p);
    return rate;
}

static void measure_game(const agon_bench* b, const agon_rules* rules) {
    char fields[256];
    agon_bench_rate rate = agon_bench_game(b, rules);
    rate.bytes = (double)rules->obs_bytes + 8.0 * rules->mask_words;
    snprintf(fields, sizeof fields,
             "\"game\":\"%s\",\"play\":\"random, observation and mask written\","
             "\"obs_bytes\":%zu,\"state_bytes\":%zu",
             rules->name, rules->obs_bytes, rules->spec.state_size);
    agon_bench_print("games", fields, "steps", 0, 1, &rate);
}

static int measure_string(const agon_bench* b, const char* game, agon_error* error) {
    agon_rules* rules = NULL;
    const int rc = agon_rules_open(game, &rules, error);
    if (!rc)
        measure_game(b, rules);
    agon_rules_close(rules);
    return rc;
}

/* Every built-in, unless one game is named. */
int agon_bench_games(const agon_bench* b, agon_error* error) {
    if (b->one_game)
        return measure_string(b, b->game, error);
    for (int i = 0; i < agon_game_count(); i++) {
        const int rc = measure_string(b, agon_game_at(i)->name, error);
        if (rc)
            return rc;
    }
    return AGON_OK;
}
