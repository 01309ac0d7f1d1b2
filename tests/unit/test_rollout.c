/* Rollouts: full rectangles, right rewards, no allocation once warm, independence of company. */
#include "engine/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef __SANITIZE_ADDRESS__
#define COUNTS_ALLOCATIONS 1
#endif

#ifdef COUNTS_ALLOCATIONS
/* Every allocation of this program comes through here. */
static unsigned long allocations;
extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* old, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
void* malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
    allocations++;
    return __libc_realloc(old, size);
}
int posix_memalign(void** out, size_t alignment, size_t size) {
    allocations++;
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : 12;
}
#endif

typedef struct bench {
    agon_rules* rules;
    agon_learner* learner;
    agon_policy random;
    agon_player opponent[2];
    agon_rollout* rollout;
} bench;

/* kind: of the second hidden layer. */
static void open_bench(bench* b, const char* game, int mirror, int lanes, int horizon,
                       agon_layer_kind kind) {
    agon_error error;
    const agon_backend* backend = agon_cpu_backend();
    memset(b, 0, sizeof *b);
    assert_int_equal(agon_rules_open(game, &b->rules, &error), 0);
    agon_net net = {.inputs = b->rules->entries,
                    .layers = 2,
                    .hidden = {24, 16},
                    .kind = {AGON_DENSE, kind},
                    .actions = b->rules->spec.actions};
    b->learner = agon_learner_open(&net, backend);
    assert_non_null(b->learner);
    agon_net_init(&net, agon_key_make(3, "test", AGON_FOR_INIT), b->learner->params);
    backend->pack(&net, b->learner->params, b->learner->packed);
    assert_int_equal(agon_scripted_open("random", b->rules, &b->random, &error), 0);
    b->opponent[0] = (agon_player){NULL, NULL, &b->random};
    b->opponent[1] = (agon_player){&b->learner->net, b->learner->packed, NULL};
    agon_rollout_def def = {
        .rules = b->rules,
        .backend = backend,
        .learner = b->learner,
        .own_seats = mirror ? agon_rules_seats(b->rules) : 0,
        .opponents = mirror ? 0 : 2,
        .opponent = b->opponent,
        .lanes = lanes,
        .horizon = horizon,
        .chance = agon_key_make(3, "test", AGON_FOR_CHANCE),
        .action = agon_key_make(3, "test", AGON_FOR_ACTION),
    };
    assert_int_equal(agon_rollout_open(&def, &b->rollout, &error), 0);
}

static void close_bench(bench* b) {
    agon_rollout_close(b->rollout);
    agon_policy_close(&b->random);
    agon_learner_close(b->learner);
    agon_rules_close(b->rules);
}

static const char* const games[] = {"matrix",       "tic_tac_toe",     "kuhn_poker",
                                    "connect_four", "tron(players=2)", "tron(players=4)",
                                    "spinning_top"};

/* Promise: every rectangle is full, its actions are legal, rewards stay within the game's bounds,
 * and steps are counted to the last one. */
static void rectangles_are_full(void** state) {
    (void)state;
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        for (int mirror = 0; mirror < 2; mirror++) {
            bench b;
            open_bench(&b, games[g], mirror, 12, 7, AGON_DENSE);
            const agon_rectangle* d = b.rollout->data;
            const agon_spec* s = &b.rules->spec;
            for (int round = 1; round <= 5; round++) {
                assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
                assert_int_equal(b.rollout->steps, (uint64_t)round * (uint64_t)d->rows * 7);
                for (int i = 0; i < d->rows * d->horizon; i++) {
                    assert_true(
                        agon_mask_has(d->mask + d->place[i] * (size_t)d->mask_words, d->action[i]));
                    assert_true(d->log_probability[i] <= 0 && isfinite(d->log_probability[i]));
                    assert_true(d->reward[i] >= s->return_min - s->return_max &&
                                d->reward[i] <= s->return_max - s->return_min);
                }
            }
            assert_true(b.rollout->finished > 0);
            close_bench(&b);
        }
    }
}

/* Promise: a row's rewards up to the end of an episode add up to the episode's return: over
 * complete episodes the rectangle holds exactly what the games paid. One-shot games: each decision
 * is an episode. */
static void rewards_belong_to_the_earlier_decision(void** state) {
    (void)state;
    bench b;
    open_bench(&b, "connect_four", 0, 8, 400, AGON_DENSE);
    assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
    const agon_rectangle* d = b.rollout->data;
    double sum = 0;
    uint64_t episodes = 0;
    for (int row = 0; row < d->rows; row++) {
        double open = 0;
        for (int t = 0; t < d->horizon; t++) {
            int i = row * d->horizon + t;
            open += d->reward[i];
            if (!d->last[i]) {
                assert_true(d->reward[i] == 0); /* this game pays at the end alone */
                continue;
            }
            assert_true(open == 1 || open == 0 || open == -1);
            sum += open;
            episodes++;
            open = 0;
        }
    }
    assert_int_equal(episodes, b.rollout->return_count);
    assert_true(fabs(sum - b.rollout->return_sum) < 1e-9);
    close_bench(&b);

    open_bench(&b, "matrix", 1, 8, 16, AGON_DENSE);
    assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
    d = b.rollout->data;
    for (int lane = 0; lane < 8; lane++) {
        for (int t = 0; t < 16; t++) {
            int i = lane * 2 * 16 + t, j = i + 16;
            assert_true(d->last[i] && d->last[j]);
            assert_true(d->reward[i] == -d->reward[j]);
        }
    }
    close_bench(&b);
}

/* Promise: an unfinished row bootstraps from the value of its next decision, which is where its
 * next rollout begins. */
static void bootstrap_is_the_next_value(void** state) {
    (void)state;
    bench b;
    open_bench(&b, "connect_four", 0, 16, 5, AGON_DENSE);
    for (int round = 0; round < 6; round++) {
        float bootstrap[16];
        uint8_t ended[16];
        assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
        for (int row = 0; row < 16; row++) {
            bootstrap[row] = b.rollout->data->bootstrap[row];
            ended[row] = b.rollout->data->last[row * 5 + 4];
            assert_true(!ended[row] || bootstrap[row] == 0);
        }
        assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
        for (int row = 0; row < 16; row++)
            assert_true(ended[row] || bootstrap[row] == b.rollout->data->value[row * 5]);
    }
    close_bench(&b);
}

/* Promise: the rollout loop does not allocate once it is warm, for nets with memory neither. */
static void no_allocation_when_warm(void** state) {
    (void)state;
#ifdef COUNTS_ALLOCATIONS
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        for (int way = 0; way < 4; way++) {
            bench b;
            open_bench(&b, games[g], way % 2, 16, 8, way / 2 ? AGON_MINGRU : AGON_DENSE);
            assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
            unsigned long before = allocations;
            for (int i = 0; i < 4; i++)
                assert_int_equal(agon_rollout_collect(b.rollout, NULL), 0);
            assert_int_equal(allocations, before);
            close_bench(&b);
        }
    }
#else
    print_message("skipped: allocations are not counted under AddressSanitizer\n");
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rectangles_are_full),
        cmocka_unit_test(rewards_belong_to_the_earlier_decision),
        cmocka_unit_test(bootstrap_is_the_next_value),
        cmocka_unit_test(no_allocation_when_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
