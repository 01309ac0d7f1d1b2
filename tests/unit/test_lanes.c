/* Lanes: what an episode is does not depend on its company; slots are sorted; openings are fair. */
#include "tests/unit/task_fixture.h"

enum { EPISODES = 48, MAX_PLIES = 64, MAX_PLAYERS = 4 };

static const char* const games[] = {"connect_four", "kuhn_poker(players=3)", "matrix",
                                    "tic_tac_toe", "tron(players=3)"};
enum { GAMES = (int)(sizeof games / sizeof *games) };

/* Two nets of one architecture, a scripted policy, a net of another architecture. */
typedef struct cast {
    agon_rules* rules;
    agon_net net[3];
    float* params[3];
    void* packed[3];
    agon_policy random;
    agon_player player[MAX_PLAYERS];
} cast;

static void open_cast(cast* c, const char* game) {
    static const int width[3] = {16, 16, 9};
    const agon_backend* backend = agon_cpu_backend();
    memset(c, 0, sizeof *c);
    c->rules = open_rules(game);
    for (int i = 0; i < 3; i++) {
        c->net[i] = make_net(c->rules, width[i]);
        c->params[i] = make_params(&c->net[i], (uint64_t)i, 200);
        assert_int_equal(posix_memalign(&c->packed[i], 64, backend->packed_size(&c->net[i])), 0);
        backend->pack(&c->net[i], c->params[i], c->packed[i]);
    }
    assert_int_equal(agon_scripted_open("random", c->rules, &c->random, NULL), 0);
    c->player[0] = (agon_player){&c->net[0], c->packed[0], NULL};
    c->player[1] = (agon_player){&c->net[1], c->packed[1], NULL};
    c->player[2] = (agon_player){NULL, NULL, &c->random};
    c->player[3] = (agon_player){&c->net[2], c->packed[2], NULL};
}

static void close_cast(cast* c) {
    agon_policy_close(&c->random);
    for (int i = 0; i < 3; i++) {
        free(c->params[i]);
        free(c->packed[i]);
    }
    agon_rules_close(c->rules);
}

static agon_lanes* open_lanes(const cast* c, int lanes, float temperature) {
    const agon_lanes_def def = {
        .rules = c->rules,
        .backend = agon_cpu_backend(),
        .lanes = lanes,
        .players = MAX_PLAYERS,
        .player = c->player,
        .chance = agon_key_make(3, "lanes", AGON_FOR_CHANCE),
        .action = agon_key_make(3, "lanes", AGON_FOR_ACTION),
        .temperature = temperature,
    };
    agon_lanes* l = NULL;
    assert_int_equal(agon_lanes_open(&def, &l, NULL), AGON_OK);
    return l;
}

/* Everything about one episode. */
typedef struct story {
    int plies;
    uint64_t hash; /* of who decided what, with which value and log probability */
    uint16_t action[MAX_PLIES][AGON_MAX_SEATS];
    double total[AGON_MAX_SEATS];
} story;

static void start(agon_lanes* l, int lane, uint32_t episode) {
    for (int seat = 0; seat < l->seats; seat++)
        l->player_of[lane * l->seats + seat] = (int32_t)((episode + (uint32_t)seat) % MAX_PLAYERS);
    agon_lanes_start(l, lane, episode, episode / 2);
}

static void note_decisions(const agon_lanes* l, story* stories) {
    for (int i = 0; i < l->slots; i++) {
        const uint32_t lane = l->slot_lane[i];
        const int seat = l->slot_seat[i], player = l->player_of[lane * (uint32_t)l->seats + seat];
        story* s = &stories[l->episode[lane]];
        assert_in_range(l->ply[lane], 0, MAX_PLIES - 1);
        s->action[l->ply[lane]][seat] = l->slot_action[i];
        s->hash = agon_hash(s->hash, &l->slot_seat[i], 1);
        s->hash = agon_hash(s->hash, &l->slot_action[i], sizeof l->slot_action[i]);
        if (!l->player[player].net)
            continue;
        s->hash = agon_hash(s->hash, &l->value[i], sizeof l->value[i]);
        s->hash = agon_hash(s->hash, &l->log_probability[i], sizeof l->log_probability[i]);
    }
}

/* Plays the episodes of all live lanes to their ends. */
static void play_out(agon_lanes* l, story* stories) {
    for (int playing = 1; playing;) {
        agon_lanes_decide(l);
        note_decisions(l, stories);
        agon_lanes_play(l);
        playing = 0;
        for (int lane = 0; lane < l->def.lanes; lane++) {
            story* s = &stories[l->episode[lane]];
            for (int seat = 0; l->live[lane] && seat < l->seats; seat++)
                s->total[seat] += l->reward[lane * l->seats + seat];
            s->plies = (int)l->ply[lane];
            l->live[lane] = l->live[lane] && l->acting[lane];
            playing += l->live[lane];
        }
    }
}

/* EPISODES episodes, `lanes` at a time, in ascending or descending order. */
static story* tell(const cast* c, int lanes, bool backwards) {
    agon_lanes* l = open_lanes(c, lanes, 1);
    story* stories = calloc(EPISODES, sizeof *stories);
    assert_non_null(stories);
    for (int e = 0; e < EPISODES; e++)
        stories[e].hash = AGON_HASH_START;
    for (int first = 0; first < EPISODES; first += lanes) {
        for (int lane = 0; lane < lanes; lane++) {
            const int e = backwards ? EPISODES - 1 - first - lane : first + lane;
            start(l, lane, (uint32_t)e);
            for (int seat = 0; seat < l->seats; seat++)
                stories[e].total[seat] += l->reward[lane * l->seats + seat];
        }
        play_out(l, stories);
    }
    agon_lanes_close(l);
    return stories;
}

/* Promise: an episode is the same, to the last bit, whoever plays beside it and in whichever lane.
 */
static void company_does_not_matter(void** state) {
    (void)state;
    for (int g = 0; g < GAMES; g++) {
        cast c;
        open_cast(&c, games[g]);
        story* all = tell(&c, EPISODES, false);
        for (int lanes = 1; lanes <= 3; lanes++) {
            story* few = tell(&c, lanes, lanes != 2);
            assert_memory_equal(all, few, EPISODES * sizeof *all);
            free(few);
        }
        free(all);
        close_cast(&c);
    }
}

/* Promise: rewards are the game's own for the actions that were chosen, chance included. */
static void rewards_are_the_games(void** state) {
    (void)state;
    for (int g = 0; g < GAMES; g++) {
        cast c;
        open_cast(&c, games[g]);
        const agon_rules* rules = c.rules;
        const agon_key chance = agon_key_make(3, "lanes", AGON_FOR_CHANCE);
        void* position = calloc(1, rules->spec.state_size);
        story* stories = tell(&c, 16, false);
        for (uint32_t e = 0; e < EPISODES; e++) {
            float reward[AGON_MAX_SEATS];
            uint64_t acting = agon_rules_start(rules, position, reward, chance, e / 2);
            for (int ply = 0; ply < stories[e].plies; ply++) {
                assert_true(acting != 0);
                assert_int_equal(
                    rules->game->apply(rules->config, position, stories[e].action[ply], reward), 0);
                acting =
                    agon_rules_settle(rules, position, reward, chance, e / 2, (uint32_t)ply + 1);
            }
            assert_true(acting == 0);
            for (int seat = 0; seat < rules->spec.seats; seat++)
                assert_true(fabs(stories[e].total[seat] - (double)reward[seat]) < 1e-6);
        }
        free(stories);
        free(position);
        close_cast(&c);
    }
}

/* Slot i belongs to `player` and shows what its seat sees and may do. */
static void check_slot(const agon_lanes* l, int i, int player) {
    const agon_rules* rules = l->def.rules;
    const uint32_t lane = l->slot_lane[i];
    const int seat = l->slot_seat[i];
    const char* position = l->state + lane * l->state_size;
    uint8_t obs[4096];
    uint64_t mask[8];
    assert_true(l->live[lane] && (l->acting[lane] >> seat & 1));
    assert_int_equal(l->player_of[lane * (uint32_t)l->seats + (uint32_t)seat], player);
    assert_true(rules->obs_bytes <= sizeof obs && rules->mask_words <= 8);
    rules->game->observe(rules->config, position, seat, obs);
    rules->game->legal(rules->config, position, seat, mask);
    assert_memory_equal(obs, l->obs + (size_t)i * rules->obs_bytes, rules->obs_bytes);
    assert_memory_equal(mask, l->mask + (size_t)i * (size_t)rules->mask_words,
                        (size_t)rules->mask_words * sizeof *mask);
    assert_true(agon_mask_has(mask, l->slot_action[i]));
    assert_int_equal(l->action[lane * (uint32_t)l->seats + (uint32_t)seat], l->slot_action[i]);
}

/* Promise: after decide every acting seat of a live lane has one slot, slots are sorted by player
 * (equal ones by lane), and offset says where each player's begin. */
static void slots_are_sorted_by_player(void** state) {
    (void)state;
    for (int g = 0; g < GAMES; g++) {
        cast c;
        open_cast(&c, games[g]);
        agon_lanes* l = open_lanes(&c, 37, 1);
        for (int lane = 0; lane < 37; lane++)
            start(l, lane, (uint32_t)(lane * lane));
        for (int lane = 0; lane < 37; lane += 5)
            l->live[lane] = 0;
        for (int round = 0; round < 4; round++) {
            int expected = 0;
            for (int lane = 0; lane < 37; lane++)
                expected += l->live[lane] ? __builtin_popcountll(l->acting[lane]) : 0;
            agon_lanes_decide(l);
            assert_int_equal(l->offset[0], 0);
            assert_int_equal(l->offset[MAX_PLAYERS], l->slots);
            assert_int_equal(l->slots, expected);
            for (int p = 0; p < MAX_PLAYERS; p++) {
                for (int i = l->offset[p]; i < l->offset[p + 1]; i++) {
                    check_slot(l, i, p);
                    const uint32_t row = l->slot_lane[i] * 64 + l->slot_seat[i];
                    assert_true(i == l->offset[p] ||
                                row > l->slot_lane[i - 1] * 64 + l->slot_seat[i - 1]);
                }
            }
            agon_lanes_play(l);
        }
        agon_lanes_close(l);
        close_cast(&c);
    }
}

/* Promise: a lane that the caller holds back does not move, and goes on later as if it never
 * waited. */
static void a_held_lane_waits(void** state) {
    (void)state;
    cast c;
    open_cast(&c, "connect_four");
    agon_lanes* l = open_lanes(&c, 8, 1);
    story* told = tell(&c, 8, false);
    story stories[EPISODES] = {{0}};
    char before[256];
    assert_true(l->state_size <= sizeof before);
    for (int lane = 0; lane < 8; lane++) {
        start(l, lane, (uint32_t)lane);
        stories[lane].hash = AGON_HASH_START;
    }
    for (int i = 0; i < 3; i++) {
        l->live[5] = i == 0;
        agon_lanes_decide(l);
        note_decisions(l, stories);
        memcpy(before, l->state + 5 * l->state_size, l->state_size);
        agon_lanes_play(l);
        assert_int_equal(memcmp(before, l->state + 5 * l->state_size, l->state_size) == 0, i > 0);
    }
    assert_int_equal(l->ply[5], 1);
    l->live[5] = 1;
    play_out(l, stories);
    for (int e = 0; e < 8; e++) {
        assert_int_equal(stories[e].plies, told[e].plies);
        assert_true(stories[e].hash == told[e].hash);
    }
    free(told);
    agon_lanes_close(l);
    close_cast(&c);
}

/* Promise: greedy play is a function of the position, sampled play is not, and follows the policy.
 */
static void temperature_decides_between_greedy_and_sampled(void** state) {
    (void)state;
    cast c;
    open_cast(&c, "connect_four");
    for (int sampled = 0; sampled < 2; sampled++) {
        int seen = 0;
        agon_lanes* l = open_lanes(&c, EPISODES, (float)sampled);
        for (int lane = 0; lane < EPISODES; lane++) {
            start(l, lane, (uint32_t)lane);
            l->player_of[lane * 2] = 0;
        }
        agon_lanes_decide(l);
        for (int i = l->offset[0]; i < l->offset[1]; i++)
            seen |= 1 << l->slot_action[i];
        assert_int_equal(l->offset[1], EPISODES);
        assert_true(sampled ? __builtin_popcount((unsigned)seen) > 2
                            : __builtin_popcount((unsigned)seen) == 1);
        agon_lanes_close(l);
    }
    close_cast(&c);
}

/* Promise: an opening never ends a game and credits nobody; it is the same for all games of one
 * opening and differs between openings. */
static void openings_are_fair(void** state) {
    (void)state;
    const agon_key key = agon_key_make(9, "lanes", AGON_FOR_OPENING);
    for (int g = 0; g < GAMES; g++) {
        cast c;
        open_cast(&c, games[g]);
        agon_lanes* l = open_lanes(&c, EPISODES, 1);
        int different = 0;
        for (int plies = 1; plies <= 64; plies *= 4) {
            for (int lane = 0; lane < EPISODES; lane++) {
                start(l, lane, (uint32_t)lane);
                const int played = agon_lanes_opening(l, lane, plies, key);
                assert_in_range(played, 0, plies);
                assert_int_equal(l->ply[lane], played);
                assert_true(l->acting[lane] != 0);
                for (int seat = 0; seat < l->seats; seat++)
                    assert_true(l->reward[lane * l->seats + seat] == 0);
                const char* mine = l->state + (size_t)lane * l->state_size;
                if (lane % 2 == 1)
                    assert_memory_equal(mine, mine - l->state_size, l->state_size);
                else if (lane >= 2)
                    different += memcmp(mine, mine - l->state_size, l->state_size) != 0;
            }
        }
        /* matrix has one ply, which an opening may never take. */
        assert_true(strcmp(games[g], "matrix") == 0 ? different == 0 : different > EPISODES);
        agon_lanes_close(l);
        close_cast(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(company_does_not_matter),
        cmocka_unit_test(rewards_are_the_games),
        cmocka_unit_test(slots_are_sorted_by_player),
        cmocka_unit_test(a_held_lane_waits),
        cmocka_unit_test(temperature_decides_between_greedy_and_sampled),
        cmocka_unit_test(openings_are_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
