/* compare_play.c: rollouts of every game that has a twin on the device, byte for byte as the CPU
 * plays them. Policy heads are zero, so that the choice of actions does not hang on the last bit of
 * an exponential: all legal actions are equally likely on both. */
#include "tests/gpu/compare.h"

#include "cuda/play.h"
#include "engine/rollout.h"

#include <stdlib.h>

enum { MEMBERS = 2, OPPONENTS = 2, NETS = MEMBERS * (1 + OPPONENTS), ROLLOUTS = 2 };

/* The same learners and opponents on both sides. */
typedef struct world {
    agon_rules* rules;
    agon_net net;
    uint64_t own_seats;
    int lanes, horizon, opponents; /* of a member */
    agon_learner* learner[NETS];   /* CPU; member m's is m * (1 + OPPONENTS), then its opponents */
    agon_player opponent[MEMBERS][OPPONENTS];
    agon_shard_member member[MEMBERS];
    agon_shard_def def;
    agon_rollout* rollout[MEMBERS];
    char of[256];
    /* the device's */
    agon__gpu* gpu;
    agon__stream* stream;
    agon__gpu_net layout;
    agon__gpu_rectangles data;
    agon__gpu_play* play;
    const void* packed[NETS];
    const void* const* packed_row[MEMBERS];
    char *packed_block, *block, *host; /* host: what lies in block */
    size_t bytes;
} world;

/* ---- both sides --------------------------------------------------------------------------- */

static void open_nets(comparing* c, world* w) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(&w->net, tensors);
    for (int i = 0; i < NETS; i++) {
        agon_learner* l = w->learner[i] = agon_learner_open(&w->net, agon_cpu_backend());
        need(!l, NULL, "memory for a learner");
        draw_weights(c, &w->net, l->params);
        for (int t = 0; t < count; t++)
            if (strncmp(tensors[t].name, "policy.", 7) == 0)
                memset(l->params + tensors[t].offset, 0, tensors[t].count * sizeof(float));
        agon_cpu_backend()->pack(&w->net, l->params, l->packed);
    }
}

static void open_member(world* w, int m) {
    const uint64_t seed = (uint64_t)m;
    agon_error error = {0};
    agon_learner* const* mine = w->learner + (ptrdiff_t)m * (1 + OPPONENTS);
    for (int i = 0; i < w->opponents; i++)
        w->opponent[m][i] = (agon_player){.net = &w->net, .packed = mine[1 + i]->packed};
    w->member[m] = (agon_shard_member){.learner = mine[0],
                                       .opponents = w->opponents,
                                       .opponent = w->opponent[m],
                                       .chance = agon_key_make(seed, "compare", AGON_FOR_CHANCE),
                                       .action = agon_key_make(seed, "compare", AGON_FOR_ACTION)};
    const agon_rollout_def def = {.rules = w->rules,
                                  .backend = agon_cpu_backend(),
                                  .learner = mine[0],
                                  .own_seats = w->own_seats,
                                  .opponents = w->opponents,
                                  .opponent = w->opponent[m],
                                  .lanes = w->lanes,
                                  .horizon = w->horizon,
                                  .chance = w->member[m].chance,
                                  .action = w->member[m].action};
    need(agon_rollout_open(&def, &w->rollout[m], &error), &error, "a rollout");
}

/* ---- the device --------------------------------------------------------------------------- */

static void* carve(char* base, size_t* used, size_t bytes) {
    void* piece = base ? base + *used : NULL;
    *used += (bytes + 255) / 256 * 256;
    return piece;
}

static agon__gpu_rectangles lay_out(const world* w, char* base, size_t* used) {
    agon__gpu_rectangles r = w->data;
    const size_t rows = (size_t)MEMBERS * (size_t)r.rows, entries = rows * (size_t)r.horizon;
    const size_t places = entries + agon__gpu_play_spare(&w->def);
    *used = 0;
    r.obs = carve(base, used, places * r.obs_bytes);
    r.mask = carve(base, used, places * (size_t)r.mask_words * sizeof *r.mask);
    r.action = carve(base, used, entries * sizeof *r.action);
    r.log_probability = carve(base, used, entries * sizeof(float));
    r.value = carve(base, used, entries * sizeof(float));
    r.reward = carve(base, used, entries * sizeof(float));
    r.last = carve(base, used, entries);
    r.bootstrap = carve(base, used, rows * sizeof(float));
    r.advantage = carve(base, used, entries * sizeof(float));
    r.target = carve(base, used, entries * sizeof(float));
    r.memory = carve(base, used, rows * (size_t)r.remembered * sizeof(float));
    return r;
}

static void send_nets(world* w) {
    char* packed = take_memory(w->layout.bytes);
    agon_error error = {0};
    w->packed_block = agon__gpu_alloc(w->gpu, NETS * w->layout.bytes, &error);
    need(!w->packed_block, &error, "device memory");
    for (size_t i = 0; i < NETS; i++) {
        agon__gpu_pack(&w->layout, w->learner[i]->params, packed);
        w->packed[i] = w->packed_block + i * w->layout.bytes;
        agon__stream_in(w->stream, w->packed_block + i * w->layout.bytes, packed, w->layout.bytes);
        need(agon__stream_wait(w->stream, &error), &error, "copies to the device");
    }
    for (int m = 0; m < MEMBERS; m++)
        w->packed_row[m] = w->packed + (ptrdiff_t)m * (1 + OPPONENTS);
    free(packed);
}

static void open_device(world* w) {
    agon_error error = {0};
    const agon_spec* spec = &w->rules->spec;
    need(agon__stream_open(w->gpu, &w->stream, &error), &error, "a stream");
    w->layout = agon__gpu_net_of(&w->net, AGON__FP32);
    w->data = (agon__gpu_rectangles){.members = MEMBERS,
                                     .rows = w->rollout[0]->data->rows,
                                     .horizon = w->horizon,
                                     .obs_type = (int)spec->obs_type,
                                     .scale = spec->obs_scale,
                                     .obs_bytes = w->rules->obs_bytes,
                                     .mask_words = w->rules->mask_words,
                                     .remembered = w->layout.memory};
    lay_out(w, NULL, &w->bytes);
    w->block = agon__gpu_alloc(w->gpu, w->bytes, &error);
    need(!w->block, &error, "device memory");
    w->host = take_memory(w->bytes);
    w->data = lay_out(w, w->block, &w->bytes);
    send_nets(w);
    const agon__gpu_play_def def = {.gpu = w->gpu,
                                    .stream = w->stream,
                                    .shard = &w->def,
                                    .net = w->layout,
                                    .packed = w->packed_row,
                                    .rectangles = &w->data};
    need(agon__gpu_play_open(&def, &w->play, &error), &error, w->of);
}

/* ---- a world ------------------------------------------------------------------------------ */

typedef struct play_case {
    const char* game;
    int role; /* whose seats are the learner's; -1: one seat in turn, -2: all */
    int lanes, horizon;
    const char* hidden; /* layers of the nets */
} play_case;

/* *w stays where it is: parts of it point to others. */
static void open_world(comparing* c, const play_case* p, agon_rules* rules, agon__gpu* gpu,
                       world* w) {
    const uint64_t all = agon_rules_seats(rules);
    *w = (world){.rules = rules, .gpu = gpu, .lanes = p->lanes, .horizon = p->horizon};
    w->own_seats = p->role == -1 ? 0 : p->role == -2 ? all : agon_rules_role_seats(rules, p->role);
    w->opponents = w->own_seats == all || (all == 1 && !w->own_seats) ? 0 : OPPONENTS;
    w->net = net_for(rules, p->hidden);
    snprintf(w->of, sizeof w->of, "%s, %s, %d games x %d, %s", rules->name,
             p->role == -1   ? "one seat in turn"
             : p->role == -2 ? "all seats"
                             : "a role's seats",
             p->lanes, p->horizon, p->hidden);
    open_nets(c, w);
    for (int m = 0; m < MEMBERS; m++)
        open_member(w, m);
    w->def = (agon_shard_def){.rules = rules,
                              .lanes = p->lanes,
                              .horizon = p->horizon,
                              .own_seats = w->own_seats,
                              .plays = 1,
                              .members = MEMBERS,
                              .member = w->member};
    open_device(w);
}

static void close_world(world* w) {
    agon__gpu_play_close(w->play);
    agon__gpu_free(w->gpu, w->block);
    agon__gpu_free(w->gpu, w->packed_block);
    agon__stream_close(w->stream);
    for (int m = 0; m < MEMBERS; m++)
        agon_rollout_close(w->rollout[m]);
    for (int i = 0; i < NETS; i++)
        agon_learner_close(w->learner[i]);
    free(w->host);
}

/* ---- checks ------------------------------------------------------------------------------- */

/* The CPU's sights in the order of entries. */
static void gather(const agon_rectangle* d, char* obs, uint64_t* mask) {
    const size_t entries = (size_t)d->rows * (size_t)d->horizon, words = (size_t)d->mask_words;
    for (size_t i = 0; i < entries; i++) {
        memcpy(obs + i * d->obs_bytes, (const char*)d->obs + d->place[i] * d->obs_bytes,
               d->obs_bytes);
        memcpy(mask + i * words, d->mask + d->place[i] * words, words * sizeof *mask);
    }
}

static void check_sights(comparing* c, const world* w, const agon__gpu_rectangles* got, size_t m) {
    const agon_rectangle* want = w->rollout[m]->data;
    const size_t entries = (size_t)want->rows * (size_t)want->horizon, at = m * entries;
    const size_t words = (size_t)want->mask_words;
    char* obs = take_memory(entries * want->obs_bytes);
    uint64_t* mask = take_memory(entries * words * sizeof *mask);
    gather(want, obs, mask);
    check_bytes(c, "twin: observations", -1, w->of, obs, (char*)got->obs + at * want->obs_bytes,
                entries, want->obs_bytes);
    check_bytes(c, "twin: legal actions", -1, w->of, mask, got->mask + at * words, entries,
                words * sizeof *mask);
    free(obs);
    free(mask);
}

static void check_member(comparing* c, const world* w, const agon__gpu_rectangles* got, size_t m) {
    const agon_rectangle* want = w->rollout[m]->data;
    const size_t rows = (size_t)want->rows, entries = rows * (size_t)want->horizon;
    const size_t at = m * entries;
    check_sights(c, w, got, m);
    check_bytes(c, "twin: actions", -1, w->of, want->action, got->action + at, entries, 2);
    check_bytes(c, "twin: rewards", -1, w->of, want->reward, got->reward + at, entries, 4);
    check_bytes(c, "twin: ends of episodes", -1, w->of, want->last, got->last + at, entries, 1);
    check_floats(c, "rollout: values", AGON_PRECISION_FP32, w->of, want->value, got->value + at,
                 entries, 1e-5);
    check_floats(c, "rollout: values that follow", AGON_PRECISION_FP32, w->of, want->bootstrap,
                 got->bootstrap + m * rows, rows, 1e-5);
    check_floats(c, "rollout: log-probabilities", AGON_PRECISION_FP32, w->of, want->log_probability,
                 got->log_probability + at, entries, 1e-5);
    const size_t floats = (size_t)want->remembered;
    if (floats)
        check_floats(c, "rollout: memory", AGON_PRECISION_FP32, w->of, want->memory,
                     got->memory + m * rows * floats, rows * floats, 1e-5);
}

static void check_counts(comparing* c, const world* w, const agon_play_counts* got, int m) {
    const agon_rollout* r = w->rollout[m];
    const uint64_t want[] = {r->steps,    r->extra_steps,  r->other_steps,
                             r->finished, r->return_count, r->length_sum};
    const uint64_t have[] = {got->steps,    got->extra_steps,  got->other_steps,
                             got->episodes, got->return_count, got->length_sum};
    check_bytes(c, "rollout: counts", -1, w->of, want, have, 6, sizeof *want);
}

static void check_world(comparing* c, world* w) {
    agon_play_counts counts[MEMBERS];
    agon_error error = {0};
    size_t used;
    for (int round = 0; round < ROLLOUTS; round++) {
        need(agon__gpu_play_collect(w->play, counts, &error), &error, w->of);
        agon__stream_out(w->stream, w->host, w->block, w->bytes);
        need(agon__stream_wait(w->stream, &error), &error, w->of);
        for (int m = 0; m < MEMBERS; m++)
            need(agon_rollout_collect(w->rollout[m], &error), &error, w->of);
    }
    const agon__gpu_rectangles got = lay_out(w, w->host, &used);
    for (int m = 0; m < MEMBERS; m++) {
        check_member(c, w, &got, (size_t)m);
        check_counts(c, w, &counts[m], m);
    }
}

static void compare_case(comparing* c, const play_case* p) {
    agon_rules* rules = NULL;
    agon__gpu* gpu = NULL;
    agon_error error = {0};
    static world w;
    need(agon__gpu_open(&gpu, &error), &error, "the GPU");
    need(agon_rules_open(p->game, &rules, &error), &error, p->game);
    if (agon__gpu_play_has(gpu, rules)) {
        open_world(c, p, rules, gpu, &w);
        check_world(c, &w);
        close_world(&w);
    } else if (p->role == -2)
        line_skipped(p->game, "it has no twin on the device");
    agon_rules_close(rules);
}

/* Nets that fold and remember; games are held back in their midst. */
static void compare_layers(comparing* c) {
    static const play_case cases[] = {{"connect_four", -1, 100, 5, "conv8-24-mingru32"},
                                      {"kuhn_poker", -2, 257, 1, "mingru40-mingru7"},
                                      {"tron(players=4,size=5)", 0, 100, 3, "conv6k5-mingru16"},
                                      {"go(board_size=5)", -1, 64, 7, "conv16-conv16-32"},
                                      {"leduc_poker(players=3)", -1, 257, 4, "24-mingru100"}};
    for (int i = 0; i < (c->few ? 2 : 5); i++) {
        play_case small = cases[i];
        small.lanes = 3;
        compare_case(c, c->small ? &small : &cases[i]);
    }
}

void compare_play(comparing* c) {
    static const char* const more[] = {"tron(players=4,size=5)", "connect_four(rows=4,cols=4)",
                                       "go(board_size=5)", "kuhn_poker(players=4)",
                                       "leduc_poker(players=3)"};
    for (int i = 0; i < agon_game_count(); i += c->few ? agon_game_count() / 3 : 1)
        for (int role = -2; role <= 0; role++)
            compare_case(c, &(play_case){agon_game_at(i)->name, role, c->small ? 3 : 100,
                                         c->small ? 4 : 20, "24"});
    for (int i = 0; !c->small && i < 5; i++)
        for (int role = -2; role <= 0; role++)
            compare_case(c, &(play_case){more[i], role, 257, 13, "24"});
    compare_layers(c);
}
