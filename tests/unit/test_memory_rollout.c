/* Rollouts of nets that remember: what a rectangle holds is what the net gives when each of its
 * rows is told again, decision by decision, from the memory that the rectangle says it had. */
#include "engine/rollout.h"
#include "tests/unit/memory_fixture.h"

#include "tests/unit/fake_device.h"

enum { LANES = 6, HORIZON = 7, ROUNDS = 6, WIDTH = 16, MAX_ROWS = LANES * 4 };

typedef struct bench {
    agon_rules* rules;
    mind mind, other;
    agon_learner* learner;
    agon_policy random;
    agon_player opponent[2];
    agon_rollout_def def;
    agon_rollout* rollout;
    float memory[MAX_ROWS][WIDTH]; /* after each row's last decision; 0 where that ended a game */
    int recalled;                  /* rows that began with a memory */
} bench;

/* own: bits of seats that are the learner's throughout; 0: one, rotated. */
static void open_bench(bench* b, const char* game, uint64_t own, int parts) {
    memset(b, 0, sizeof *b);
    fake_reset();
    b->rules = open_rules(game);
    mind_open(&b->mind, b->rules, "10,mingru6,mingru5", 4, 20);
    mind_open(&b->other, b->rules, "mingru13", 5, 20);
    b->learner = agon_learner_open(&b->mind.net, agon_cpu_backend());
    assert_non_null(b->learner);
    memcpy(b->learner->packed, b->mind.packed, agon_cpu_backend()->packed_size(&b->mind.net));
    assert_int_equal(agon_scripted_open("random", b->rules, &b->random, NULL), 0);
    b->opponent[0] = mind_player(&b->other);
    b->opponent[1] = (agon_player){NULL, NULL, &b->random};
    b->def = (agon_rollout_def){
        .rules = b->rules,
        .backend = parts > 1 ? fake_backend(false) : agon_cpu_backend(),
        .learner = b->learner,
        .own_seats = own,
        .opponents = own == agon_rules_seats(b->rules) ? 0 : 2,
        .opponent = b->opponent,
        .lanes = LANES,
        .horizon = HORIZON,
        .parts = parts,
        .chance = agon_key_make(3, "memory", AGON_FOR_CHANCE),
        .action = agon_key_make(3, "memory", AGON_FOR_ACTION),
    };
    assert_int_equal(agon_rollout_open(&b->def, &b->rollout, NULL), AGON_OK);
    assert_int_equal(b->rollout->parts, parts);
    assert_int_equal(b->rollout->data->remembered, b->mind.memory);
}

static void close_bench(bench* b) {
    agon_rollout_close(b->rollout);
    agon_policy_close(&b->random);
    agon_learner_close(b->learner);
    mind_close(&b->mind);
    mind_close(&b->other);
    agon_rules_close(b->rules);
}

static void tell_row_again(bench* b, int row) {
    const agon_rectangle* d = b->rollout->data;
    float* memory = b->memory[row];
    for (int i = row * HORIZON; i < (row + 1) * HORIZON; i++) {
        const told t =
            mind_ask_for(&b->mind, (const char*)d->obs + d->place[i] * d->obs_bytes,
                         d->mask + d->place[i] * (size_t)d->mask_words, d->action[i], memory);
        assert_int_equal(t.action, d->action[i]);
        assert_memory_equal(&t.value, &d->value[i], sizeof t.value);
        assert_memory_equal(&t.log_probability, &d->log_probability[i], sizeof t.log_probability);
        if (d->last[i])
            memset(memory, 0, sizeof b->memory[row]);
    }
}

/* One rollout. Without decisions on the side a row goes on with what it ended with. */
static void check_round(bench* b, int round) {
    const agon_rectangle* d = b->rollout->data;
    const size_t bytes = (size_t)d->remembered * sizeof *d->memory;
    assert_int_equal(agon_rollout_collect(b->rollout, NULL), AGON_OK);
    for (int row = 0; row < d->rows; row++) {
        const float* first = d->memory + (size_t)row * (size_t)d->remembered;
        if (round == 0 || b->rollout->rows_per_lane == 1)
            assert_memory_equal(first, b->memory[row], bytes);
        memcpy(b->memory[row], first, bytes);
        for (int i = 0; i < d->remembered; i++)
            b->recalled += first[i] != 0;
        tell_row_again(b, row);
    }
}

static const struct {
    const char* game;
    uint64_t own[3];
} cases[] = {{"connect_four", {0, 3, 2}},
             {"kuhn_poker(players=3)", {0, 7, 5}},
             {"tron(players=4,size=8)", {0, 15, 6}},
             {"tic_tac_toe", {0, 3, 1}},
             {"matrix", {0, 3, 1}}};
enum { CASES = 3 * (int)(sizeof cases / sizeof *cases) };

/* Promise: values and log probabilities are those of each row told again, over rollouts that follow
 * one another, with one seat that rotates, all seats and some of them, in one part and in two. */
static void rows_can_be_told_again(void** state) {
    (void)state;
    static bench b;
    for (int c = 0; c < CASES; c++) {
        for (int parts = 1; parts <= 2; parts++) {
            open_bench(&b, cases[c / 3].game, cases[c / 3].own[c % 3], parts);
            for (int round = 0; round < ROUNDS; round++)
                check_round(&b, round);
            /* A game of one decision leaves nothing to remember, a long one does. */
            assert_true(b.recalled > 0 || b.rules->spec.max_plies <= 5);
            assert_true(b.recalled == 0 || b.rules->spec.max_plies > 1);
            close_bench(&b);
        }
    }
}

/* What lies in the order of rows; places are those of a part. */
static void assert_same_rectangle(const agon_rectangle* a, const agon_rectangle* b) {
    const size_t rows = (size_t)a->rows, entries = rows * (size_t)a->horizon;
    assert_memory_equal(a->memory, b->memory, rows * (size_t)a->remembered * sizeof *a->memory);
    assert_memory_equal(a->action, b->action, entries * sizeof *a->action);
    assert_memory_equal(a->log_probability, b->log_probability, entries * sizeof *a->value);
    assert_memory_equal(a->value, b->value, entries * sizeof *a->value);
    assert_memory_equal(a->reward, b->reward, entries * sizeof *a->reward);
    assert_memory_equal(a->last, b->last, entries);
    assert_memory_equal(a->bootstrap, b->bootstrap, rows * sizeof *a->bootstrap);
    for (size_t i = 0; i < entries; i++)
        assert_memory_equal((const char*)a->obs + a->place[i] * a->obs_bytes,
                            (const char*)b->obs + b->place[i] * b->obs_bytes, a->obs_bytes);
}

/* Promise: the same comes out, memories included, whether lanes are stepped together or as two
 * halves whose forwards are finished later. */
static void parts_do_not_matter(void** state) {
    (void)state;
    static bench one, two;
    for (int c = 0; c < CASES; c++) {
        open_bench(&one, cases[c / 3].game, cases[c / 3].own[c % 3], 1);
        open_bench(&two, cases[c / 3].game, cases[c / 3].own[c % 3], 2);
        for (int round = 0; round < ROUNDS; round++) {
            assert_int_equal(agon_rollout_collect(one.rollout, NULL), AGON_OK);
            assert_int_equal(agon_rollout_collect(two.rollout, NULL), AGON_OK);
            assert_same_rectangle(one.rollout->data, two.rollout->data);
        }
        close_bench(&one);
        close_bench(&two);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_can_be_told_again),
        cmocka_unit_test(parts_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
