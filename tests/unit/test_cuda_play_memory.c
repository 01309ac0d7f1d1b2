/* Promise: in rollouts on the device a seat decides with the memory that its last played decision
 * of the episode left, with zeros if there was none, and with the same as before when its lane was
 * held back; a rectangle keeps what each row's first decision was made with. In place of a net
 * stands a forward that looks at what it is given, and knows what it gave before. */
#include "tests/cuda/odd_twin.h"
#include "tests/cuda/play_world.h"

#include "tests/unit/rules_fixture.h"

/* What a seat was asked last. */
typedef struct asked {
    int before; /* 1: it was */
    uint32_t episode, ply;
    float *with, *left; /* (remembered) memory then, and after it */
} asked;

static struct {
    asked* seat;                 /* (members * lanes * seats) */
    float* kept;                 /* (members * rows, remembered) of the rollout under way */
    uint64_t first, again, next; /* decisions of an episode; `again`: asked before, not played */
} history;

static void open_history(const play_world* w) {
    const size_t seats = (size_t)w->plan.forward.slots, floats = (size_t)w->data.remembered;
    const size_t rows = (size_t)(w->data.members * w->data.rows);
    history.seat = calloc(seats, sizeof *history.seat);
    history.kept = calloc(rows * floats, sizeof *history.kept);
    for (size_t i = 0; i < seats; i++) {
        history.seat[i].with = calloc(2 * floats, sizeof(float));
        history.seat[i].left = history.seat[i].with + floats;
    }
}

static void close_history(const play_world* w) {
    for (int i = 0; i < w->plan.forward.slots; i++)
        free(history.seat[i].with);
    free(history.seat);
    free(history.kept);
}

/* ---- the forward in place of a net ----------------------------------------------------------- */

/* What the seat has to be asked with; `with` has it afterwards. */
static void recall(asked* s, uint32_t episode, uint32_t ply, size_t floats) {
    if (s->before && s->episode == episode && s->ply == ply) {
        history.again++;
    } else if (s->before && s->episode == episode) {
        memcpy(s->with, s->left, floats * sizeof *s->with);
        history.next++;
    } else {
        memset(s->with, 0, floats * sizeof *s->with);
        history.first++;
    }
    *s = (asked){1, episode, ply, s->with, s->left};
}

/* Any memory that shows when it was made, and from what. */
static void leave(asked* s, int seat, size_t floats) {
    for (size_t k = 0; k < floats; k++) {
        const agon_key key = {{s->episode, s->ply}};
        const uint32_t word = agon_random(key, (uint32_t)seat, (uint32_t)k, 0, 0).word[0];
        s->left[k] = 0.5f * s->with[k] + (float)(word >> 8) * 0x1p-24f + 0.25f;
    }
}

static uint16_t any_legal(const play_world* w, int slot) {
    const agon__gpu_forward* f = &w->plan.forward;
    const uint64_t* mask = f->mask + (size_t)f->place[slot] * (size_t)f->mask_words;
    const agon_key key = {{7, 7}};
    const uint32_t word =
        agon_random(key, f->draws.episode[slot], f->draws.ply[slot], f->draws.seat[slot], 0)
            .word[0];
    const int legal = agon_mask_count(mask, f->mask_words);
    return (uint16_t)agon_mask_nth(mask, f->mask_words, (int)agon_below(word, (uint32_t)legal));
}

static void answer(play_world* w, int slot) {
    const agon__gpu_forward* f = &w->plan.forward;
    const agon__play_args* a = &w->plan.args;
    const size_t floats = (size_t)f->net.memory, place = f->place[slot];
    const uint32_t id = a->slot_lane[slot] * (uint32_t)a->seats + a->slot_seat[slot];
    const float* memory = f->memory + f->memory_row[slot] * floats;
    asked* s = &history.seat[id];
    recall(s, f->draws.episode[slot], f->draws.ply[slot], floats);
    assert_memory_equal(memory, s->with, floats * sizeof *memory);
    leave(s, a->slot_seat[slot], floats);
    memcpy(f->memory_after + (size_t)slot * floats, s->left, floats * sizeof *memory);
    if (place < a->spare && place % (size_t)a->horizon == 0)
        memcpy(history.kept + place / (size_t)a->horizon * floats, s->with,
               floats * sizeof *memory);
    f->action[slot] = any_legal(w, slot);
    f->value[slot] = memory[0];
    f->log_probability[slot] = 0;
}

static void forward(play_world* w) {
    const agon__gpu_forward* f = &w->plan.forward;
    for (int group = 0; group < f->groups; group++)
        for (int i = 0; i < f->count[group]; i++)
            answer(w, f->start[group] + i);
}

/* ---- rollouts -------------------------------------------------------------------------------- */

static void remember(const play_world_def* def, int rollouts) {
    play_world w;
    world_open(&w, def);
    open_history(&w);
    const size_t floats = (size_t)w.data.remembered;
    const size_t bytes = (size_t)(w.data.members * w.data.rows) * floats * sizeof(float);
    assert_true(floats > 0 && floats == (size_t)w.plan.args.remembered);
    for (int i = 0; i < rollouts; i++) {
        memset(w.data.memory, 0xee, bytes);
        world_collect_by(&w, i, forward);
        assert_memory_equal(w.data.memory, history.kept, bytes);
    }
    close_history(&w);
    world_close(&w);
}

/* Everybody who can hold seats, horizons that stop games anywhere. */
static void remember_game(const agon_rules* rules, const emulate_kernel* twin) {
    static const char* const hidden[] = {"mingru1", "mingru3-5-mingru4", "mingru33", "mingru100"};
    const uint64_t all = agon_rules_seats(rules);
    const uint64_t own[] = {0, all, agon_rules_role_seats(rules, agon_rules_roles(rules) - 1),
                            1ull << (rules->spec.seats - 1)};
    for (int i = 0; i < 4; i++)
        remember(&(play_world_def){.rules = rules,
                                   .own_seats = own[i],
                                   .members = 1 + i % 3,
                                   .lanes = 5,
                                   .horizon = 1 + i * 2,
                                   .processors = 1 + 100 * (i & 1),
                                   .backwards = i >> 1,
                                   .twin = twin,
                                   .hidden = hidden[i]},
                 5);
}

static void every_game(void** state) {
    (void)state;
    memset(&history, 0, sizeof history);
    for (int i = 0; i < agon_game_count(); i++) {
        agon_rules* rules = open_rules(agon_game_at(i)->name);
        remember_game(rules, NULL);
        agon_rules_close(rules);
    }
    assert_true(history.first > 1000 && history.again > 1000 && history.next > 1000);
}

/* Sets of seats that change, and episodes that chance ends before anybody acts. */
static void an_odd_game(void** state) {
    (void)state;
    for (size_t i = 0; i < sizeof odd_games / sizeof *odd_games; i++) {
        agon_rules* rules = open_odd(odd_games[i]);
        remember_game(rules, odd_twin);
        agon_rules_close(rules);
    }
}

/* Widths around what a warp copies at once, lanes for many warps. */
static void every_width(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tron(players=3,size=4)");
    for (int width = 1; width <= 66; width += width < 35 ? 1 : 31) {
        char hidden[32];
        snprintf(hidden, sizeof hidden, "mingru%d", width);
        remember(&(play_world_def){.rules = rules,
                                   .members = 2,
                                   .lanes = 1 + width * 3 % 41,
                                   .horizon = 3,
                                   .processors = 1,
                                   .backwards = width & 1,
                                   .hidden = hidden},
                 2);
    }
    agon_rules_close(rules);
}

/* ---- in other company ------------------------------------------------------------------------ */

static void open_company(play_world* w, const play_world_def* def) {
    world_open(w, def);
    open_history(w);
    for (int i = 0; i < 3; i++)
        world_collect_by(w, i, forward);
    close_history(w);
}

/* Promise: a member remembers what it would alone, whatever the grid and the order of blocks. */
static void company_does_not_matter(void** state) {
    (void)state;
    static const char* const games[] = {"leduc_poker(players=3)", "connect_four", "tron"};
    for (size_t g = 0; g < sizeof games / sizeof *games; g++) {
        agon_rules* rules = open_rules(games[g]);
        play_world_def def = {.rules = rules,
                              .members = 4,
                              .lanes = 9,
                              .horizon = 5,
                              .processors = 1,
                              .hidden = "mingru7"};
        play_world all, alone;
        open_company(&all, &def);
        const size_t floats = (size_t)(all.data.rows * all.data.remembered);
        for (int m = 0; m < 4; m++) {
            def.first = m, def.members = 1;
            def.processors = 1 + 131 * (m & 1), def.backwards = m >> 1;
            open_company(&alone, &def);
            assert_memory_equal(all.data.memory + (size_t)m * floats, alone.data.memory,
                                floats * sizeof(float));
            world_close(&alone);
        }
        world_close(&all);
        agon_rules_close(rules);
    }
}

/* Promise: nets without memory take no memory for it, and no kernel. */
static void nothing_to_remember(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    play_world w;
    world_open(&w, &(play_world_def){
                       .rules = rules, .members = 2, .lanes = 4, .horizon = 3, .processors = 1});
    const agon__play_args* a = &w.plan.args;
    assert_true(!a->remembered && !a->memory && !a->memory_of && !a->memory_row);
    assert_null(a->memory_after);
    assert_int_equal(w.plan.recall.blocks, 0);
    world_close(&w);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_game),          cmocka_unit_test(an_odd_game),
        cmocka_unit_test(every_width),         cmocka_unit_test(company_does_not_matter),
        cmocka_unit_test(nothing_to_remember),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
