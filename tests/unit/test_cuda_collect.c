/* Promise: agon__gpu_play_collect fills rectangles in device memory as engine/rollout.c does, with
 * the forward kernels and the driver of tests/cuda/driver.h. Observations, masks, actions, rewards,
 * ends and counts are equal; values, log-probabilities and memory within 1e-5. An action is equal
 * because its uniform is: where the two exp differ, in the last bit, an action could flip that lies
 * within 1e-7 of a boundary. With these keys none does. */
#include "cuda/play.h"
#include "tests/cuda/play_world.h"

#include "tests/unit/rules_fixture.h"

enum { PIECES = 9 };

typedef struct collector {
    play_world w; /* its rectangles get what the device has */
    agon__gpu* gpu;
    agon__stream* stream;
    agon__gpu_net net;
    agon__gpu_rectangles data;                   /* of the device */
    void* weights[WORLD_MEMBERS][WORLD_PLAYERS]; /* of the device */
    const void* packed[WORLD_MEMBERS][WORLD_PLAYERS];
    const void* const* packed_of[WORLD_MEMBERS];
    agon__gpu_play* play;
    agon_play_counts counts[WORLD_MEMBERS];
} collector;

static void* on_device(agon__gpu* gpu, size_t bytes) {
    agon_error error = {0};
    void* memory = agon__gpu_alloc(gpu, bytes, &error);
    if (!memory)
        fail_msg("%s", error.text);
    return memory;
}

/* The arrays of a rollout, and how many bytes each has without spare places. */
static void pieces_of(const agon__gpu_rectangles* d, void** at, size_t* bytes) {
    const size_t rows = (size_t)(d->members * d->rows), entries = rows * (size_t)d->horizon;
    void* const arrays[PIECES] = {d->obs,    d->mask, d->action,    d->log_probability, d->value,
                                  d->reward, d->last, d->bootstrap, d->memory};
    const size_t each[PIECES] = {entries * d->obs_bytes,
                                 entries * (size_t)d->mask_words * sizeof *d->mask,
                                 entries * sizeof *d->action,
                                 entries * sizeof(float),
                                 entries * sizeof(float),
                                 entries * sizeof(float),
                                 entries,
                                 rows * sizeof(float),
                                 rows * (size_t)d->remembered * sizeof(float)};
    memcpy(at, arrays, sizeof arrays);
    memcpy(bytes, each, sizeof each);
}

static void open_data(collector* c) {
    agon__gpu_rectangles* d = &c->data;
    void* host[PIECES];
    size_t bytes[PIECES];
    const size_t spare = agon__gpu_play_spare(&c->w.shard);
    *d = c->w.data;
    pieces_of(&c->w.data, host, bytes);
    d->obs = on_device(c->gpu, bytes[0] + spare * d->obs_bytes);
    d->mask = on_device(c->gpu, bytes[1] + spare * (size_t)d->mask_words * sizeof *d->mask);
    d->action = on_device(c->gpu, bytes[2]);
    d->log_probability = on_device(c->gpu, bytes[3]);
    d->value = on_device(c->gpu, bytes[4]);
    d->reward = on_device(c->gpu, bytes[5]);
    d->last = on_device(c->gpu, bytes[6]);
    d->bootstrap = on_device(c->gpu, bytes[7]);
    d->memory = on_device(c->gpu, bytes[8]);
}

static void open_nets(collector* c) {
    void* packed = malloc(c->net.bytes);
    for (int m = 0; m < c->w.shard.members; m++) {
        for (int p = 0; p <= c->w.member[m].opponents; p++) {
            c->packed[m][p] = c->weights[m][p] = on_device(c->gpu, c->net.bytes);
            agon__gpu_pack(&c->net, c->w.of[m][p]->params, packed);
            agon__stream_in(c->stream, c->weights[m][p], packed, c->net.bytes);
            assert_int_equal(agon__stream_wait(c->stream, NULL), AGON_OK);
        }
        c->packed_of[m] = c->packed[m];
    }
    free(packed);
}

static void open_collector(collector* c, const play_world_def* def) {
    agon_error error = {0};
    memset(c, 0, sizeof *c);
    world_open(&c->w, def);
    c->net = agon__gpu_net_of(&c->w.net, AGON__FP32);
    if (agon__gpu_open(&c->gpu, &error) || agon__stream_open(c->gpu, &c->stream, &error))
        fail_msg("%s", error.text);
    open_data(c);
    open_nets(c);
    assert_true(agon__gpu_play_has(c->gpu, def->rules));
    const agon__gpu_play_def play = {.gpu = c->gpu,
                                     .stream = c->stream,
                                     .shard = &c->w.shard,
                                     .net = c->net,
                                     .packed = c->packed_of,
                                     .rectangles = &c->data};
    if (agon__gpu_play_open(&play, &c->play, &error))
        fail_msg("%s", error.text);
}

static void close_collector(collector* c) {
    void* device[PIECES];
    size_t bytes[PIECES];
    agon__gpu_play_close(c->play);
    pieces_of(&c->data, device, bytes);
    for (int i = 0; i < PIECES; i++)
        agon__gpu_free(c->gpu, device[i]);
    for (int m = 0; m < WORLD_MEMBERS; m++)
        for (int p = 0; p < WORLD_PLAYERS; p++)
            agon__gpu_free(c->gpu, c->weights[m][p]);
    agon__stream_close(c->stream);
    world_close(&c->w);
}

/* One rollout, brought to the host. */
static void collect(collector* c) {
    agon_error error = {0};
    void *device[PIECES], *host[PIECES];
    size_t bytes[PIECES];
    if (agon__gpu_play_collect(c->play, c->counts, &error))
        fail_msg("%s", error.text);
    pieces_of(&c->data, device, bytes);
    pieces_of(&c->w.data, host, bytes);
    for (int i = 0; i < PIECES; i++)
        agon__stream_out(c->stream, host[i], device[i], bytes[i]);
    assert_int_equal(agon__stream_wait(c->stream, NULL), AGON_OK);
}

static void compare_counts(const agon_play_counts* got, const agon_rollout* want) {
    assert_int_equal(got->steps, want->steps);
    assert_int_equal(got->extra_steps, want->extra_steps);
    assert_int_equal(got->other_steps, want->other_steps);
    assert_int_equal(got->episodes, want->finished);
    assert_int_equal(got->return_count, want->return_count);
    assert_int_equal(got->length_sum, want->length_sum);
    assert_true(fabs(got->return_sum - want->return_sum) <=
                1e-12 * (1 + (double)want->return_count));
}

static void compare_collector(const play_world_def* def, int rollouts) {
    collector c;
    agon_rollout* want[WORLD_MEMBERS];
    open_collector(&c, def);
    for (int m = 0; m < def->members; m++)
        want[m] = world_reference(&c.w, m);
    for (int round = 0; round < rollouts; round++) {
        collect(&c);
        for (int m = 0; m < def->members; m++) {
            assert_int_equal(agon_rollout_collect(want[m], NULL), AGON_OK);
            world_compare(&c.w, m, want[m]->data, 1e-5f);
            compare_counts(&c.counts[m], want[m]);
        }
    }
    for (int m = 0; m < def->members; m++)
        agon_rollout_close(want[m]);
    close_collector(&c);
}

static void every_game(void** state) {
    (void)state;
    for (int i = 0; i < agon_game_count(); i++) {
        agon_rules* rules = open_rules(agon_game_at(i)->name);
        for (int mirror = 0; mirror < 2; mirror++)
            compare_collector(&(play_world_def){.rules = rules,
                                                .own_seats = mirror ? agon_rules_seats(rules) : 0,
                                                .members = 2,
                                                .lanes = 3,
                                                .horizon = 4,
                                                .processors = 1},
                              2);
        agon_rules_close(rules);
    }
}

/* Every kind of layer; horizons that hold games back in their midst. */
static void nets_of_every_kind(void** state) {
    (void)state;
    static const char* const games[] = {"kuhn_poker", "connect_four", "tron(players=3,size=5)",
                                        "leduc_poker(players=3)"};
    static const char* const hidden[] = {"mingru5", "conv3-9-mingru8-mingru3", "conv2k5-conv4-8"};
    for (int i = 0; i < 4; i++) {
        agon_rules* rules = open_rules(games[i]);
        const uint64_t own[] = {0, agon_rules_seats(rules), 1};
        for (int k = 0; k < 9; k++)
            compare_collector(&(play_world_def){.rules = rules,
                                                .own_seats = own[k / 3],
                                                .members = 2,
                                                .lanes = 3,
                                                .horizon = 1 + (i + k) % 4,
                                                .processors = 1,
                                                .hidden = hidden[k % 3]},
                              4);
        agon_rules_close(rules);
    }
}

/* More lanes and decisions, so that the host asks several times who is left. */
static void longer_rollouts(void** state) {
    (void)state;
    static const char* const games[] = {"kuhn_poker(players=3)", "connect_four", "tron"};
    for (int i = 0; i < 3; i++) {
        agon_rules* rules = open_rules(games[i]);
        compare_collector(
            &(play_world_def){
                .rules = rules, .members = 3, .lanes = 40, .horizon = 20, .processors = 1},
            2);
        agon_rules_close(rules);
    }
}

/* The one stone of this game is seat 0's. */
static void a_seat_that_never_acts(void** state) {
    (void)state;
    agon_rules* rules = open_rules("nim(pile_sizes=1)");
    agon_error error = {0};
    collector c;
    open_collector(&c, &(play_world_def){.rules = rules,
                                         .own_seats = 2,
                                         .members = 1,
                                         .lanes = 2,
                                         .horizon = 2,
                                         .processors = 1});
    assert_int_equal(agon__gpu_play_collect(c.play, c.counts, &error), AGON_ELIMIT);
    assert_non_null(strstr(error.text, "nim(pile_sizes=1): a seat did not come to act in"));
    close_collector(&c);
    agon_rules_close(rules);
}

/* A game that is not built in has no twin, even with the name of one. */
static void plugins_have_no_twin(void** state) {
    (void)state;
    agon__gpu* gpu = NULL;
    assert_int_equal(agon__gpu_open(&gpu, NULL), AGON_OK);
    agon_rules* rules = open_rules("tic_tac_toe");
    const agon_game* game = rules->game;
    const agon_game other = *game;
    assert_true(agon__gpu_play_has(gpu, rules));
    rules->game = &other;
    assert_false(agon__gpu_play_has(gpu, rules));
    rules->game = game;
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_game),           cmocka_unit_test(nets_of_every_kind),
        cmocka_unit_test(longer_rollouts),      cmocka_unit_test(a_seat_that_never_acts),
        cmocka_unit_test(plugins_have_no_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
