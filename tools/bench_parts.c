/* The figures of `agon bench`: games, forward, update, rollout. */
#include "tools/bench.h"

#include "engine/config.h"
#include "engine/rollout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiply-adds of one row's forward, times two. */
double agon_bench_forward_flop(const agon_net* net) {
    double flop = 0;
    int in = net->inputs;
    for (int i = 0; i < net->layers; i++) {
        flop += 2.0 * in * net->hidden[i];
        in = net->hidden[i];
    }
    return flop + 2.0 * in * (net->actions + 1);
}

/* Forward, gradient of weights, and of inputs except of the first layer's. */
double agon_bench_update_flop(const agon_net* net) {
    int first = net->layers ? net->hidden[0] : net->actions + 1;
    return 3 * agon_bench_forward_flop(net) - 2.0 * net->inputs * first;
}

static int open_net(const agon_bench* b, agon_rules** rules, agon_net* net, agon_error* error) {
    agon_config config;
    agon_config_defaults(&config);
    int rc = agon_config_set(&config, "net.hidden", b->hidden, "--hidden", error);
    if (!rc)
        rc = agon_rules_open(b->game, rules, error);
    if (!rc)
        rc = agon_config_net(&config, (*rules)->entries, (*rules)->spec.actions, net, error);
    return rc;
}

/* ---- games -------------------------------------------------------------------------------- */

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

/* ---- forward ------------------------------------------------------------------------------ */

/* Buffers and call of one shape; zeroed, so that one release fits every failure. */
typedef struct forwarding {
    agon_forward call;
    const agon_backend* backend;
    agon_scratch* scratch;
    void* block; /* packed weights of all nets */
    const void** packed;
    int* offsets;
    float *params, *out; /* out: value, log-probability, uniform */
    uint8_t* obs;
    uint16_t* action;
} forwarding;

static void close_forwarding(forwarding* f) {
    if (f->scratch)
        f->backend->scratch_close(f->scratch);
    free(f->block);
    free(f->packed);
    free(f->offsets);
    free(f->params);
    free(f->out);
    free(f->obs);
    free(f->action);
}

static bool reserve_forwarding(forwarding* f, const agon_rules* rules, const agon_net* net,
                               int nets, size_t rows) {
    const size_t each = (f->backend->packed_size(net) + 63) & ~(size_t)63;
    if (posix_memalign(&f->block, 64, each * (size_t)nets) != 0)
        f->block = NULL;
    f->packed = calloc((size_t)nets, sizeof *f->packed);
    f->offsets = calloc((size_t)nets + 1, sizeof *f->offsets);
    f->params = calloc(agon_net_size(net), sizeof *f->params);
    f->obs = calloc(rows, rules->obs_bytes);
    f->out = calloc(rows * 3, sizeof *f->out);
    f->action = calloc(rows, sizeof *f->action);
    f->scratch = f->backend->scratch_open();
    for (int i = 0; f->block && f->packed && i < nets; i++)
        f->packed[i] = (char*)f->block + each * (size_t)i;
    return f->block && f->packed && f->offsets && f->params && f->obs && f->out && f->action &&
           f->scratch && f->backend->scratch_reserve(f->scratch, net, (int)rows, 0) == 0;
}

/* Different weights for each net, and observations that are a third ones. */
static void fill_forwarding(forwarding* f, const agon_rules* rules, const agon_net* net, int nets,
                            int rows_each) {
    const size_t rows = (size_t)nets * (size_t)rows_each;
    for (int i = 0; i < nets; i++) {
        agon_net_init(net, agon_key_make((uint64_t)i, "bench", AGON_FOR_TEST), f->params);
        f->backend->pack(net, f->params, (void*)f->packed[i]);
        f->offsets[i + 1] = (i + 1) * rows_each;
    }
    for (size_t i = 0; i < rows * rules->obs_bytes; i++)
        f->obs[i] = i % 3 == 0;
    for (size_t i = 0; i < rows; i++)
        f->out[2 * rows + i] = (float)(i % 97) / 97;
    f->call = (agon_forward){
        .net = net,
        .input = {rules->spec.obs_type, rules->spec.obs_scale},
        .nets = nets,
        .packed = f->packed,
        .offsets = f->offsets,
        .obs = f->obs,
        .temperature = 1,
        .uniform = f->out + 2 * rows,
        .value = f->out,
        .log_probability = f->out + rows,
        .action = f->action,
    };
}

static double go_forward(void* user, double amount) {
    forwarding* f = user;
    const double rows = f->call.offsets[f->call.nets];
    double done = 0;
    for (; done < amount; done += rows)
        f->backend->forward(&f->call, f->scratch);
    return done;
}

static int measure_forward(const agon_bench* b, const agon_rules* rules, const agon_net* net,
                           int nets, int rows_each) {
    forwarding f = {.backend = agon_cpu_backend()};
    char fields[256], shape[128];
    const bool ready = reserve_forwarding(&f, rules, net, nets, (size_t)nets * (size_t)rows_each);
    if (ready) {
        fill_forwarding(&f, rules, net, nets, rows_each);
        agon_bench_rate rate = agon_bench_measure(b, go_forward, &f);
        agon_net_format(net, shape, sizeof shape);
        snprintf(fields, sizeof fields, "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%d", shape,
                 nets, rows_each);
        agon_bench_print("forward", fields, "rows", agon_bench_forward_flop(net), 1, &rate);
    }
    close_forwarding(&f);
    return ready ? AGON_OK : AGON_EMEMORY;
}

int agon_bench_forward(const agon_bench* b, agon_error* error) {
    static const int nets[] = {1, 16, 256}, rows[] = {1, 8, 32, 128};
    agon_rules* rules = NULL;
    agon_net net;
    int rc = open_net(b, &rules, &net, error);
    for (int i = 0; !rc && i < 3; i++)
        for (int j = 0; !rc && j < 4; j++)
            rc = measure_forward(b, rules, &net, nets[i], rows[j]);
    agon_rules_close(rules);
    return rc && error && !error->code ? agon_fail(error, rc, "no memory for the benchmark") : rc;
}

/* ---- update and rollout ------------------------------------------------------------------- */

typedef struct learning {
    agon_rules* rules;
    agon_learner* learner;
    agon_policy policy;
    agon_player opponent;
    agon_rollout* rollout;
    agon_scratch* scratch;
    uint32_t* index;
    int epochs;
} learning;

static void close_learning(learning* l) {
    agon_rollout_close(l->rollout);
    if (l->scratch)
        agon_cpu_backend()->scratch_close(l->scratch);
    free(l->index);
    agon_learner_close(l->learner);
    agon_rules_close(l->rules);
}

/* A learner that plays itself: half the rows of a step are its own, half a frozen copy's. */
static int open_learning(const agon_bench* b, int lanes, int horizon, learning* l,
                         agon_error* error) {
    const agon_backend* backend = agon_cpu_backend();
    agon_net net;
    int rc = open_net(b, &l->rules, &net, error);
    if (rc)
        return rc;
    l->learner = agon_learner_open(&net, backend);
    l->index = calloc((size_t)lanes * (size_t)horizon, sizeof *l->index);
    l->scratch = backend->scratch_open();
    if (!l->learner || !l->index || !l->scratch ||
        backend->scratch_reserve(l->scratch, &net, lanes * horizon, 1) != 0)
        return agon_fail(error, AGON_EMEMORY, "no memory for the benchmark");
    agon_net_init(&net, agon_key_make(1, "bench", AGON_FOR_INIT), l->learner->params);
    backend->pack(&net, l->learner->params, l->learner->packed);
    l->opponent = (agon_player){&l->learner->net, l->learner->packed, NULL};
    agon_rollout_def def = {
        .rules = l->rules,
        .backend = backend,
        .learner = l->learner,
        .opponents = 1,
        .opponent = &l->opponent,
        .lanes = lanes,
        .horizon = horizon,
        .chance = agon_key_make(1, "bench", AGON_FOR_CHANCE),
        .action = agon_key_make(1, "bench", AGON_FOR_ACTION),
    };
    rc = agon_rollout_open(&def, &l->rollout, error);
    return rc ? rc : agon_rollout_collect(l->rollout, error);
}

static double go_update(void* user, double amount) {
    learning* l = user;
    const agon_ppo ppo = {.step = {1e-5f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-8f},
                          .discount = 1,
                          .lambda = 0.95f,
                          .epochs = 1,
                          .minibatches = 4,
                          .normalise = 1};
    agon_update_stats stats;
    double done = 0;
    for (; done < amount; done += l->rollout->data->rows * l->rollout->data->horizon)
        agon_ppo_train(agon_cpu_backend(), l->scratch, l->learner, l->rollout->data, &ppo,
                       agon_key_make(1, "bench", AGON_FOR_SHUFFLE), l->index, &stats);
    return done;
}

static double go_rollout(void* user, double amount) {
    learning* l = user;
    double done = 0;
    for (; done < amount; done += l->rollout->data->rows * l->rollout->data->horizon)
        agon_rollout_collect(l->rollout, NULL);
    return done;
}

static int bench_learning(const agon_bench* b, const char* what, agon_error* error) {
    const bool update = strcmp(what, "update") == 0;
    learning l = {0};
    char fields[512], shape[128];
    const int lanes = 64, horizon = 32;
    int rc = open_learning(b, lanes, horizon, &l, error);
    if (!rc) {
        agon_bench_rate rate = agon_bench_measure(b, update ? go_update : go_rollout, &l);
        const agon_net* net = &l.learner->net;
        /* A learner's step costs its own forward and, with two seats in turn, an opponent's. */
        double flop = update ? agon_bench_update_flop(net)
                             : agon_bench_forward_flop(net) * l.rules->spec.seats;
        agon_net_format(net, shape, sizeof shape);
        snprintf(fields, sizeof fields,
                 "\"game\":\"%s\",\"net\":\"%s\",\"lanes\":%d,\"horizon\":%d,\"minibatch\":%d",
                 l.rules->name, shape, lanes, horizon, lanes * horizon / 4);
        agon_bench_print(what, fields, update ? "rows" : "agent_steps", flop, 1, &rate);
    }
    close_learning(&l);
    return rc;
}

int agon_bench_update(const agon_bench* b, agon_error* error) {
    return bench_learning(b, "update", error);
}

int agon_bench_rollout(const agon_bench* b, agon_error* error) {
    return bench_learning(b, "rollout", error);
}
