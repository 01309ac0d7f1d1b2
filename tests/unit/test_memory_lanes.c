/* Memory in lanes: every decision is made with what its own seat remembers of its own episode,
 * whoever plays beside it; what is not played is not remembered. */
#include "tests/unit/memory_fixture.h"

enum { EPISODES = 40, PLAYERS = 5, WIDTH = 16, LANES = 9 };

static const char* const games[] = {"connect_four", "kuhn_poker(players=3)", "matrix",
                                    "tron(players=3,size=8)"};
enum { GAMES = (int)(sizeof games / sizeof *games) };

/* ---- a scripted policy that remembers ----------------------------------------------------- */

/* How often it decided, and how many of the bytes it saw were not 0, in all. */
static void counter_act(const agon_policy* policy, const agon_batch* batch) {
    const agon_rules* rules = batch->rules;
    (void)policy;
    for (int i = 0; i < batch->count; i++) {
        const uint8_t* obs = (const uint8_t*)batch->obs + (size_t)i * rules->obs_bytes;
        const uint64_t* mask = batch->mask + (size_t)i * (size_t)rules->mask_words;
        float* memory = batch->memory + i * 2;
        memory[0] += 1;
        for (size_t b = 0; b < rules->obs_bytes; b++)
            memory[1] += obs[b] != 0;
        batch->action[i] = (uint16_t)agon_mask_nth(mask, rules->mask_words,
                                                   (int)(memory[0] + memory[1]) %
                                                       agon_mask_count(mask, rules->mask_words));
    }
}

/* ---- everybody's memories, by hand -------------------------------------------------------- */

/* Two nets of one architecture, a policy, a net without memory, a wider net. */
typedef struct cast {
    agon_rules* rules;
    mind mind[PLAYERS];
    agon_policy counter;
    agon_player player[PLAYERS];
    agon_lanes* lanes;
    /* by episode and seat; what a slot's decision would make of it */
    float memory[EPISODES][AGON_MAX_SEATS][WIDTH];
    float next[LANES * AGON_MAX_SEATS][WIDTH];
    uint64_t recalled; /* decisions made with a memory that is not 0 */
} cast;

static void open_cast(cast* c, const char* game, int lanes) {
    static const char* const layers[PLAYERS] = {"12,mingru5", "12,mingru5", "9", "9",
                                                "mingru7,mingru4"};
    memset(c, 0, sizeof *c);
    c->rules = open_rules(game);
    c->counter = (agon_policy){.name = "counter", .memory = 2, .act = counter_act};
    for (int p = 0; p < PLAYERS; p++) {
        mind_open(&c->mind[p], c->rules, layers[p], (uint64_t)p, 100);
        c->player[p] = mind_player(&c->mind[p]);
    }
    c->player[2] = (agon_player){NULL, NULL, &c->counter};
    const agon_lanes_def def = {
        .rules = c->rules,
        .backend = agon_cpu_backend(),
        .lanes = lanes,
        .players = PLAYERS,
        .player = c->player,
        .chance = agon_key_make(3, "memory", AGON_FOR_CHANCE),
        .action = agon_key_make(3, "memory", AGON_FOR_ACTION),
        .temperature = 1,
    };
    assert_int_equal(agon_lanes_open(&def, &c->lanes, NULL), AGON_OK);
    assert_int_equal(c->lanes->remembered, 11);
}

static void close_cast(cast* c) {
    agon_lanes_close(c->lanes);
    for (int p = 0; p < PLAYERS; p++)
        mind_close(&c->mind[p]);
    agon_rules_close(c->rules);
}

static int width_of(const cast* c, int player) {
    return player == 2 ? c->counter.memory : c->mind[player].memory;
}

/* The slot's decision by the policy, with this memory. */
static void count_again(const cast* c, int slot, float* memory) {
    const agon_lanes* l = c->lanes;
    uint16_t action;
    const agon_batch batch = {
        .rules = c->rules,
        .count = 1,
        .obs = l->obs + (size_t)slot * c->rules->obs_bytes,
        .mask = l->mask + (size_t)slot * (size_t)c->rules->mask_words,
        .memory = memory,
        .action = &action,
    };
    counter_act(&c->counter, &batch);
    assert_int_equal(action, l->slot_action[slot]);
}

static void ask_again(const cast* c, int slot, int player, float* memory) {
    const agon_lanes* l = c->lanes;
    float uniform;
    agon_uniforms(l->def.action, &l->slot_episode[slot], &l->slot_ply[slot], &l->slot_seat[slot], 1,
                  &uniform);
    const told t =
        mind_ask(&c->mind[player], l->obs + (size_t)slot * c->rules->obs_bytes,
                 l->mask + (size_t)slot * (size_t)c->rules->mask_words, uniform, memory, NULL);
    assert_int_equal(t.action, l->slot_action[slot]);
    assert_memory_equal(&t.value, &l->value[slot], sizeof t.value);
    assert_memory_equal(&t.log_probability, &l->log_probability[slot], sizeof t.log_probability);
}

/* All decisions are those of players that are asked alone, with the memories kept here. */
static void check_decisions(cast* c) {
    const agon_lanes* l = c->lanes;
    for (int slot = 0; slot < l->slots; slot++) {
        const int lane = (int)l->slot_lane[slot], seat = l->slot_seat[slot];
        const int player = l->player_of[lane * l->seats + seat];
        const size_t bytes = (size_t)width_of(c, player) * sizeof(float);
        const float* kept = c->memory[l->episode[lane]][seat];
        assert_memory_equal(kept, agon_lanes_memory(l, lane, seat), bytes);
        memcpy(c->next[slot], kept, bytes);
        for (int i = 0; i < width_of(c, player); i++)
            c->recalled += kept[i] != 0;
        if (player == 2)
            count_again(c, slot, c->next[slot]);
        else
            ask_again(c, slot, player, c->next[slot]);
    }
}

static void start(cast* c, int lane, uint32_t episode) {
    agon_lanes* l = c->lanes;
    for (int seat = 0; seat < l->seats; seat++)
        l->player_of[lane * l->seats + seat] = (int32_t)((episode + (uint32_t)seat) % PLAYERS);
    agon_lanes_start(l, lane, episode, episode);
    if (episode % 3 == 0)
        agon_lanes_opening(l, lane, 3, agon_key_make(3, "memory", AGON_FOR_OPENING));
}

/* One decision of each lane, played in those that are not held. Episodes that end make room for
 * others, `next` first; returns how many are played now. */
static int step(cast* c, uint32_t at, uint32_t* next) {
    agon_lanes* l = c->lanes;
    int playing = 0;
    agon_lanes_decide(l);
    check_decisions(c);
    for (int lane = 0; lane < l->def.lanes; lane++)
        if ((3 * at + (uint32_t)lane) % 4 == 0)
            l->live[lane] = 0; /* asked the same again in the next step */
    for (int slot = 0; slot < l->slots; slot++)
        if (l->live[l->slot_lane[slot]])
            memcpy(c->memory[l->slot_episode[slot]][l->slot_seat[slot]], c->next[slot],
                   sizeof c->next[slot]);
    agon_lanes_play(l);
    for (int lane = 0; lane < l->def.lanes; lane++) {
        l->live[lane] = l->acting[lane] != 0;
        if (!l->live[lane] && *next < EPISODES)
            start(c, lane, (*next)++);
        playing += l->live[lane];
    }
    return playing;
}

/* Promise: whatever the number of lanes, the players in them and which of them are held back, a
 * decision is what its player gives when it is asked alone, with the memory of that seat's played
 * decisions since its episode began; an opening is no decision. */
static void a_seat_remembers_its_own_episode(void** state) {
    (void)state;
    static cast c;
    for (int g = 0; g < GAMES; g++) {
        for (int lanes = 1; lanes <= LANES; lanes += 4) {
            uint32_t next = 0;
            open_cast(&c, games[g], lanes);
            for (int lane = 0; lane < lanes; lane++)
                start(&c, lane, next++);
            for (uint32_t at = 0; step(&c, at, &next) > 0; at++)
                continue;
            assert_int_equal(next, EPISODES);
            assert_true(c.recalled > 0 || strcmp(games[g], "matrix") == 0); /* of one decision */
            close_cast(&c);
        }
    }
}

/* Promise: who starts an episode remembers nothing, whatever the lane's last episode left. */
static void an_episode_starts_without_memory(void** state) {
    (void)state;
    static cast c;
    open_cast(&c, "connect_four", 1);
    agon_lanes* l = c.lanes;
    for (uint32_t episode = 0; episode < 3; episode++) {
        float sum = 0;
        start(&c, 0, episode);
        for (int i = 0; i < 2 * l->remembered; i++)
            assert_true(l->memory[i] == 0);
        for (int ply = 0; ply < 4; ply++) {
            agon_lanes_decide(l);
            agon_lanes_play(l);
        }
        for (int i = 0; i < 2 * l->remembered; i++)
            sum += fabsf(l->memory[i]);
        assert_true(sum > 0);
    }
    close_cast(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seat_remembers_its_own_episode),
        cmocka_unit_test(an_episode_starts_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
