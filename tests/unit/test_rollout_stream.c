/* Rollouts against a plain retelling: each row is a piece of the stream of decisions that the same
 * episodes give when they are played one lane at a time. */
#include "engine/rollout.h"
#include "tests/unit/task_fixture.h"

enum { LANES = 6, HORIZON = 5, ROUNDS = 6, STREAM = 400, MAX_ROWS = LANES * 4 };

typedef struct decision {
    uint64_t obs, memory; /* hashes; of what was remembered before */
    uint16_t action;
    float value, log_probability, reward;
    uint8_t last;
} decision;

/* All decisions of one row (lane, or lane and own seat), in order. */
typedef struct stream {
    int count;
    decision decision[STREAM];
} stream;

typedef struct bench {
    agon_rules* rules;
    agon_learner* learner;
    agon_policy random;
    agon_player opponent[2];
    agon_rollout_def def;
} bench;

/* own: bits of seats that are the learner's throughout; 0: one, rotated. */
static void open_bench(bench* b, const char* game, uint64_t own, const char* layers) {
    const agon_backend* backend = agon_cpu_backend();
    memset(b, 0, sizeof *b);
    b->rules = open_rules(game);
    const agon_net net = make_layers(b->rules, layers);
    float* params = make_params(&net, 4, 100);
    b->learner = agon_learner_open(&net, backend);
    assert_non_null(b->learner);
    memcpy(b->learner->params, params, agon_net_size(&net) * sizeof *params);
    free(params);
    backend->pack(&net, b->learner->params, b->learner->packed);
    assert_int_equal(agon_scripted_open("random", b->rules, &b->random, NULL), 0);
    b->opponent[0] = (agon_player){NULL, NULL, &b->random};
    b->opponent[1] = (agon_player){&b->learner->net, b->learner->packed, NULL};
    b->def = (agon_rollout_def){
        .rules = b->rules,
        .backend = backend,
        .learner = b->learner,
        .own_seats = own,
        .opponents = own == agon_rules_seats(b->rules) ? 0 : 2,
        .opponent = b->opponent,
        .lanes = LANES,
        .horizon = HORIZON,
        .chance = agon_key_make(3, "stream", AGON_FOR_CHANCE),
        .action = agon_key_make(3, "stream", AGON_FOR_ACTION),
    };
}

static void close_bench(bench* b) {
    agon_policy_close(&b->random);
    agon_learner_close(b->learner);
    agon_rules_close(b->rules);
}

/* The learner's seats: the fixed ones, else one that moves on with each episode. */
static bool is_own(const bench* b, int lane, int episode, int seat) {
    return b->def.own_seats ? b->def.own_seats >> seat & 1
                            : seat == (episode + lane) % b->rules->spec.seats;
}

/* Against fixed seats one opponent holds all others, else each has its own. */
static void seat_players(const bench* b, agon_lanes* l, int lane, int episode) {
    for (int seat = 0, k = 0; seat < l->seats; seat++) {
        const int opponent = 1 + (lane + (b->def.own_seats ? 0 : k)) % 2;
        l->player_of[seat] = is_own(b, lane, episode, seat) ? 0 : opponent;
        k += l->player_of[seat] != 0;
    }
}

/* Which of the lane's rows an own seat fills. */
static int row_of(const bench* b, int seat) {
    int row = 0;
    for (int other = 0; other < seat; other++)
        row += b->def.own_seats >> other & 1;
    return row;
}

static uint64_t hash_memory(const float* memory, int floats) {
    return floats ? agon_hash(AGON_HASH_START, memory, (size_t)floats * sizeof *memory) : 0;
}

/* Plays one episode in a single lane and appends its decisions to the rows' streams. */
static void tell_episode(const bench* b, agon_lanes* l, int lane, int episode, stream* rows) {
    const uint32_t number = (uint32_t)(episode * LANES + lane);
    int open[AGON_MAX_SEATS];
    seat_players(b, l, lane, episode);
    agon_lanes_start(l, 0, number, number);
    memset(open, -1, sizeof open);
    while (l->acting[0]) {
        agon_lanes_decide(l);
        for (int i = 0; i < l->offset[1]; i++) {
            const int seat = l->slot_seat[i];
            stream* s = &rows[row_of(b, seat)];
            if (s->count == STREAM)
                return;
            const size_t bytes = b->rules->obs_bytes;
            open[seat] = s->count;
            s->decision[s->count++] = (decision){
                .obs = agon_hash(AGON_HASH_START, l->obs + (size_t)i * bytes, bytes),
                .memory = hash_memory(agon_lanes_memory(l, 0, seat), l->remembered),
                .action = l->slot_action[i],
                .value = l->value[i],
                .log_probability = l->log_probability[i],
            };
        }
        agon_lanes_play(l);
        for (int seat = 0; seat < l->seats; seat++) {
            if (open[seat] >= 0) {
                stream* s = &rows[row_of(b, seat)];
                s->decision[open[seat]].reward += l->reward[seat];
                s->decision[open[seat]].last = l->acting[0] == 0;
            }
        }
    }
}

static stream* tell_lane(const bench* b, int lane) {
    stream* rows = calloc((size_t)b->rules->spec.seats, sizeof *rows);
    const agon_player player[3] = {
        {&b->learner->net, b->learner->packed, NULL}, b->opponent[0], b->opponent[1]};
    const agon_lanes_def def = {
        .rules = b->rules,
        .backend = b->def.backend,
        .lanes = 1,
        .players = 3,
        .player = player,
        .chance = b->def.chance,
        .action = b->def.action,
        .temperature = 1,
    };
    agon_lanes* l = NULL;
    assert_non_null(rows);
    assert_int_equal(agon_lanes_open(&def, &l, NULL), 0);
    for (int episode = 0; rows[0].count < STREAM && episode < STREAM; episode++)
        tell_episode(b, l, lane, episode, rows);
    agon_lanes_close(l);
    return rows;
}

static bool same(const agon_rectangle* d, int entry, const decision* x) {
    return agon_hash(AGON_HASH_START, (const char*)d->obs + d->place[entry] * d->obs_bytes,
                     d->obs_bytes) == x->obs &&
           d->action[entry] == x->action && d->value[entry] == x->value &&
           d->log_probability[entry] == x->log_probability && d->reward[entry] == x->reward &&
           d->last[entry] == x->last;
}

static bool same_row(const agon_rectangle* d, int row, const decision* x) {
    const float* memory = d->memory + (size_t)row * (size_t)d->remembered;
    if (hash_memory(memory, d->remembered) != x->memory)
        return false;
    for (int t = 0; t < HORIZON; t++)
        if (!same(d, row * HORIZON + t, &x[t]))
            return false;
    return true;
}

/* The row is the next piece of its stream; decisions skipped for other rows are counted. Returns
 * where the piece ends. */
static int check_row(const agon_rectangle* d, int row, const stream* s, int from, bool fixed,
                     uint64_t* skipped) {
    int at = from;
    while (fixed && at + HORIZON < s->count && !same_row(d, row, &s->decision[at]))
        at++;
    assert_true(at + HORIZON < s->count);
    assert_true(same_row(d, row, &s->decision[at]));
    *skipped += (uint64_t)(at - from);
    const decision* next = &s->decision[at + HORIZON];
    assert_true(d->bootstrap[row] == (next[-1].last ? 0 : next->value));
    return at + HORIZON;
}

/* Promise: rewards, values, ends and bootstraps of every row are those of the episodes themselves;
 * rollouts follow one another without a gap, but for extra decisions where a lane has several rows,
 * which are counted. So with one seat that rotates, with all seats, and with some of them, for nets
 * with memory, which a row goes on with, and without. */
static void rows_are_pieces_of_the_stream(void** state) {
    (void)state;
    static const struct {
        const char* game;
        uint64_t own[3];
    } cases[] = {{"connect_four", {0, 3, 2}},
                 {"kuhn_poker(players=3)", {0, 7, 5}},
                 {"matrix", {0, 3, 1}},
                 {"tron(players=4,size=8)", {0, 15, 6}},
                 {"tic_tac_toe", {0, 3, 1}}};
    for (int g = 0; g < 30; g++) {
        bench b;
        agon_rollout* r = NULL;
        stream* streams[LANES];
        int at[MAX_ROWS] = {0};
        uint64_t skipped = 0, before = 0;
        const uint64_t own = cases[g / 6].own[g / 2 % 3];
        open_bench(&b, cases[g / 6].game, own, g % 2 ? "mingru5,4" : "10");
        for (int lane = 0; lane < LANES; lane++)
            streams[lane] = tell_lane(&b, lane);
        assert_int_equal(agon_rollout_open(&b.def, &r, NULL), 0);
        for (int round = 0; round < ROUNDS; round++) {
            assert_int_equal(agon_rollout_collect(r, NULL), 0);
            for (int row = 0; row < r->data->rows; row++)
                at[row] = check_row(r->data, row,
                                    &streams[row / r->rows_per_lane][row % r->rows_per_lane],
                                    at[row], own != 0, &skipped);
            /* What was skipped was extra; the last round's extras are not seen yet. */
            assert_true(skipped >= before && skipped <= r->extra_steps);
            before = r->extra_steps;
        }
        assert_int_equal(r->data->rows, LANES * (own ? __builtin_popcountll(own) : 1));
        assert_true(r->rows_per_lane > 1 || r->extra_steps == 0);
        agon_rollout_close(r);
        for (int lane = 0; lane < LANES; lane++)
            free(streams[lane]);
        close_bench(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_pieces_of_the_stream)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
