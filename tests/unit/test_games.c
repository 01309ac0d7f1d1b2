/* test_games.c: the one suite that every game passes, with several parameter sets each: the
 * promises of agon_game.h about rules. (test_game_buffers.c: those about bytes, batches and texts.)
 */
#include "tests/unit/game_walk.h"

/* ---- the promises --------------------------------------------------------------------------- */

/* Promise: the suite covers every built-in. */
static void test_every_game_is_here(void** unused) {
    for (int i = 0; agon_game_at(i); i++) {
        const char* name = agon_game_at(i)->name;
        bool found = false;
        for (int j = 0; j < GAME_STRINGS; j++)
            found |= strcmp(game_strings[j], name) == 0;
        if (!found)
            fail_msg("%s is not in game_strings", name);
    }
}

/* Promise: a position is its bytes. A copy plays on as the original, and the episode played again
 * from the start gives the same bytes. */
static void check_replay(const walk* w) {
    walk clone = *w, again;
    walk_start(&again, w->rules, w->episode);
    while (again.ply + again.draw < w->ply + w->draw)
        walk_next(&again);
    assert_memory_equal(&again, w, sizeof *w);
    while (clone.acting) {
        walk_next(&clone);
        walk_next(&again);
    }
    assert_memory_equal(&again, &clone, sizeof again);
}

static void test_clone_and_replay(void** unused) {
    for_each_position(check_replay);
}

/* Every action of one seat, or every outcome, with the others' actions as chosen. What is refused
 * leaves everything as it was, so the same copy serves until an action is accepted. */
static void try_actions(const walk* w, int seat, const uint64_t* mask, int actions) {
    const size_t size = w->rules->spec.state_size;
    walk t = *w;
    for (int action = 0; action <= actions + 1 && action <= AGON_MAX_ACTIONS; action++) {
        t.action[seat] = (uint16_t)(action == actions + 1 ? AGON_MAX_ACTIONS : action);
        const bool legal = action < actions && agon_mask_has(mask, action);
        const int code = t.rules->game->apply(t.rules->config, t.state, t.action, t.reward);
        assert_int_equal(code, legal ? 0 : -1);
        if (legal) {
            t = *w;
        } else {
            assert_memory_equal(t.state, w->state, size);
            assert_memory_equal(t.reward, w->reward, sizeof t.reward);
        }
    }
}

/* Promise: the mask is legality, in both directions; a refused action changes nothing; a mask has
 * a bit, and none beyond the actions. */
static void check_mask(const walk* w) {
    const agon_rules* rules = w->rules;
    uint64_t mask[MAX_WORDS];
    if (w->acting == AGON_CHANCE) {
        double prob[MAX_OUTCOMES];
        uint64_t all[MAX_OUTCOMES / 64];
        const int outcomes = rules->game->chance(rules->config, w->state, prob);
        memset(all, 0xff, sizeof all);
        try_actions(w, 0, all, outcomes);
        return;
    }
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        if (!acts(w, seat))
            continue;
        rules->game->legal(rules->config, w->state, seat, mask);
        assert_true(agon_mask_count(mask, rules->mask_words) >= 1);
        for (int bit = rules->spec.actions; bit < 64 * rules->mask_words; bit++)
            assert_false(agon_mask_has(mask, bit));
        try_actions(w, seat, mask, rules->spec.actions);
    }
}

static void test_mask_is_legality(void** unused) {
    for_each_position(check_mask);
}

/* Promise: acting sets name seats of the game or chance alone; the ply bound holds; returns lie in
 * their bounds and add up as declared; over means that nothing more is accepted. */
static void check_bounds(const walk* w) {
    const agon_spec* spec = &w->rules->spec;
    if (w->acting == AGON_CHANCE) {
        assert_true(spec->chance_outcomes > 0);
        return;
    }
    assert_int_equal(w->acting >> spec->seats, 0);
    assert_true(spec->simultaneous || (w->acting & (w->acting - 1)) == 0);
    assert_true(w->ply + (w->acting != 0) <= spec->max_plies);
    if (w->acting)
        return;
    double sum = 0;
    for (int seat = 0; seat < spec->seats; seat++) {
        assert_true(w->reward[seat] >= spec->return_min && w->reward[seat] <= spec->return_max);
        sum += (double)w->reward[seat];
    }
    const double expected = spec->utility == AGON_CONSTANT_SUM ? (double)spec->utility_sum : 0;
    const double room = 1e-6 * (spec->return_max > 1 ? (double)spec->return_max : 1); /* floats */
    if (spec->utility != AGON_GENERAL_SUM)
        assert_true(sum - expected < room && expected - sum < room);
    walk over = *w;
    memset(over.action, 0, sizeof over.action);
    assert_int_equal(w->rules->game->apply(w->rules->config, over.state, over.action, over.reward),
                     -1);
    assert_memory_equal(&over.state, w->state, sizeof over.state);
}

static void test_bounds_and_utility(void** unused) {
    for_each_position(check_bounds);
}

/* The longest of some episodes: at each ply, of a few random choices, the one whose seats have most
 * legal actions afterwards, so that games which end by running out of room go on. */
static int long_episode(const agon_rules* rules, uint32_t episode) {
    walk w;
    for (walk_start(&w, rules, episode); w.acting; walk_next(&w)) {
        walk best = w;
        int most = -1;
        for (uint32_t trial = 0; trial < 8; trial++) {
            walk t = w;
            t.episode = 1000 * (trial + 1) + episode;
            walk_choose(&t);
            uint16_t action[AGON_MAX_SEATS];
            memcpy(action, t.action, sizeof action);
            walk_apply(&t);
            int room = 0;
            for (int seat = 0; seat < rules->spec.seats; seat++) {
                uint64_t mask[MAX_WORDS];
                if (!acts(&t, seat))
                    continue;
                rules->game->legal(rules->config, t.state, seat, mask);
                room += 1 + agon_mask_count(mask, rules->mask_words);
            }
            if (room > most) {
                most = room;
                memcpy(best.action, action, sizeof action);
            }
        }
        w = best;
        assert_true(w.ply < rules->spec.max_plies);
    }
    return w.ply;
}

/* Promise: the ply bound holds for games that try to be long, and where it is claimed to be tight
 * it is. */
static void test_bound_holds_for_long_games(void** unused) {
    const char* tight[] = {"matrix",
                           "spinning_top",
                           "tic_tac_toe",
                           "kuhn_poker",
                           "kuhn_poker(players=3)",
                           "connect_four(rows=4,cols=4)",
                           "negotiation",
                           "pig(horizon=9,winscore=30)"};
    for (int i = 0; i < GAME_STRINGS; i++) {
        agon_rules* rules = NULL;
        int longest = 0;
        assert_int_equal(agon_rules_open(game_strings[i], &rules, NULL), 0);
        for (uint32_t episode = 0; episode < 60; episode++) {
            const int plies = long_episode(rules, episode);
            longest = plies > longest ? plies : longest;
        }
        for (size_t j = 0; j < sizeof tight / sizeof tight[0]; j++) {
            if (strcmp(tight[j], game_strings[i]) == 0)
                assert_int_equal(longest, rules->spec.max_plies);
        }
        agon_rules_close(rules);
    }
}

/* Whether each seat of one walk sees what the other sees of the other walk, as bytes of both. */
static bool seats_exchanged(const walk* a, const walk* b) {
    uint8_t obs[2][MAX_OBS];
    bool same = a->acting == b->acting;
    for (int seat = 0; seat < 2 && same && a->acting && a->acting != AGON_CHANCE; seat++) {
        observe(a, seat, obs[0]);
        observe(b, 1 - seat, obs[1]);
        same = memcmp(obs[0], obs[1], MAX_OBS) == 0;
    }
    return same;
}

/* Plays in `b` the outcome that is `a`'s with the seats exchanged: the same one, or else another of
 * the same probability (a serve to the left is one to the right). `a` has played its own. */
static void exchange_outcome(const walk* a, walk* b) {
    double prob[MAX_OUTCOMES];
    const agon_rules* rules = b->rules;
    const int own = a->action[0], count = rules->game->chance(rules->config, b->state, prob);
    for (int trial = 0; trial <= count; trial++) {
        const int outcome = trial == 0 ? own : trial - 1;
        walk next = *b;
        if (prob[outcome] != prob[own])
            continue;
        next.action[0] = (uint16_t)outcome;
        walk_apply(&next);
        if (seats_exchanged(a, &next)) {
            *b = next;
            return;
        }
    }
    fail_msg("%s: no outcome is %d with the seats exchanged", rules->name, own);
}

static void check_exchanged(const walk* a, const walk* b) {
    const agon_rules* rules = a->rules;
    assert_true(seats_exchanged(a, b));
    for (int seat = 0; seat < 2 && a->acting && a->acting != AGON_CHANCE; seat++) {
        uint64_t mask[2][MAX_WORDS] = {{0}};
        rules->game->legal(rules->config, a->state, seat, mask[0]);
        rules->game->legal(rules->config, b->state, 1 - seat, mask[1]);
        assert_memory_equal(mask[0], mask[1], sizeof mask[0]);
    }
}

/* Promise: seats_symmetric. The same choices with two seats exchanged, chance outcomes too where
 * they name a seat, give the same observations, masks and rewards with the seats exchanged. (Two
 * seats; a game with more needs more exchanges.) */
static void test_symmetric_seats(void** unused) {
    for (int i = 0; i < GAME_STRINGS; i++) {
        agon_rules* rules = NULL;
        assert_int_equal(agon_rules_open(game_strings[i], &rules, NULL), 0);
        for (uint32_t episode = 0; episode < EPISODES && rules->spec.seats_symmetric; episode++) {
            walk a, b;
            assert_int_equal(rules->spec.seats, 2);
            walk_start(&b, rules, episode);
            walk_start(&a, rules, episode);
            while (a.acting) {
                const bool chance = a.acting == AGON_CHANCE;
                check_exchanged(&a, &b);
                b.action[0] = a.action[1];
                b.action[1] = a.action[0];
                walk_apply(&a);
                if (chance)
                    exchange_outcome(&a, &b);
                else
                    walk_apply(&b);
                if (a.acting)
                    walk_choose(&a);
            }
            assert_int_equal(b.acting, 0);
            assert_true(a.reward[0] == b.reward[1] && a.reward[1] == b.reward[0]);
        }
        agon_rules_close(rules);
    }
}

/* Games with `resample`: whether it ever changed a state; some positions hide nothing. */
static struct {
    const agon_game* game;
    bool changed;
} hiding[64];

static bool* hiding_find(const agon_game* game) {
    int i = 0;
    while (hiding[i].game && hiding[i].game != game)
        i++;
    hiding[i].game = game;
    return &hiding[i].changed;
}

/* What a seat may do, and its information state. */
static void check_same_knowledge(const walk* w, const walk* t, int seat) {
    const agon_rules* rules = w->rules;
    uint64_t mask[2][MAX_WORDS] = {{0}};
    uint64_t known[2][AGON_INFOSTATE / 8] = {{0}};
    int length[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const walk* x = i ? t : w;
        if (acts(w, seat))
            rules->game->legal(rules->config, x->state, seat, mask[i]);
        if (rules->game->infostate)
            length[i] = rules->game->infostate(rules->config, x->state, seat, known[i]);
    }
    assert_memory_equal(mask[0], mask[1], sizeof mask[0]);
    assert_int_equal(length[0], length[1]);
    assert_memory_equal(known[0], known[1], sizeof known[0]);
}

/* Promise: observations and information states hold nothing that a seat cannot know: they stay the
 * same when the hidden part is replaced. Who acts and what the seat may do stay the same, too. */
static void check_hidden(const walk* w) {
    const agon_rules* rules = w->rules;
    if (!rules->game->resample || !w->acting || w->acting == AGON_CHANCE)
        return;
    bool* changed = hiding_find(rules->game);
    for (int seat = 0; seat < rules->spec.seats; seat++) {
        for (uint32_t draw = 0; draw < 16; draw++) {
            uint8_t before[MAX_OBS], after[MAX_OBS];
            walk t = *w;
            const agon_draw bits = agon_random(w->key, w->episode, (uint32_t)w->ply, 99, draw);
            rules->game->resample(rules->config, t.state, seat,
                                  (uint64_t)bits.word[0] << 32 | bits.word[1]);
            *changed |= memcmp(t.state, w->state, sizeof t.state) != 0;
            observe(w, seat, before);
            observe(&t, seat, after);
            assert_memory_equal(before, after, MAX_OBS);
            assert_int_equal(rules->game->acting(rules->config, t.state), w->acting);
            check_same_knowledge(w, &t, seat);
        }
    }
}

static void test_observations_hide(void** unused) {
    for_each_position(check_hidden);
    for (int i = 0; hiding[i].game; i++) {
        if (!hiding[i].changed)
            fail_msg("%s: resample changed nothing", hiding[i].game->name);
    }
}

/* Promise: symmetries are a group, and legal, apply and acting commute with them. */
static void check_symmetry(const walk* w) {
    const agon_rules* rules = w->rules;
    const agon_game* game = rules->game;
    if (rules->spec.symmetries == 1)
        return;
    walk image, back;
    for (int g = 0; g < rules->spec.symmetries; g++) {
        bool inverse = false;
        image = back = *w;
        game->symmetry(rules->config, g, w->state, image.state);
        assert_true(g > 0 || memcmp(image.state, w->state, sizeof image.state) == 0);
        for (int h = 0; h < rules->spec.symmetries; h++) {
            game->symmetry(rules->config, h, image.state, back.state);
            inverse |= memcmp(back.state, w->state, sizeof back.state) == 0;
        }
        assert_true(inverse);
        assert_int_equal(game->acting(rules->config, image.state), w->acting);
        if (!w->acting)
            continue;
        for (int seat = 0; seat < rules->spec.seats; seat++) {
            uint64_t mask[2][MAX_WORDS];
            if (!acts(w, seat))
                continue;
            game->legal(rules->config, w->state, seat, mask[0]);
            game->legal(rules->config, image.state, seat, mask[1]);
            for (int action = 0; action < rules->spec.actions; action++) {
                const int to = game->symmetry_action(rules->config, g, action);
                assert_in_range(to, 0, rules->spec.actions - 1);
                assert_int_equal(agon_mask_has(mask[0], action), agon_mask_has(mask[1], to));
            }
            image.action[seat] = (uint16_t)game->symmetry_action(rules->config, g, w->action[seat]);
        }
        walk next = *w;
        walk_apply(&next);
        walk_apply(&image);
        game->symmetry(rules->config, g, next.state, back.state);
        assert_memory_equal(image.state, back.state, sizeof back.state);
        assert_memory_equal(image.reward, next.reward, sizeof next.reward);
    }
}

static void test_symmetries_commute(void** unused) {
    for_each_position(check_symmetry);
}

static int compare_hashes(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

static void hash_columns(const walk* w, int seat, uint64_t* column) {
    uint8_t obs[MAX_OBS];
    observe(w, seat, obs);
    for (size_t j = 0; j < w->rules->obs_bytes; j++)
        column[j] = agon_hash(column[j], &obs[j], 1);
}

/* Promise: observe commutes with symmetries: entries change places, always in the same way. Over
 * many positions every entry has a column of values; the columns of the images are a permutation
 * of the columns of the originals. */
static void test_observations_follow_symmetries(void** unused) {
    for (int i = 0; i < GAME_STRINGS; i++) {
        agon_rules* rules = NULL;
        assert_int_equal(agon_rules_open(game_strings[i], &rules, NULL), 0);
        for (int g = 1; g < rules->spec.symmetries; g++) {
            static uint64_t column[2][MAX_OBS];
            memset(column, 0, sizeof column);
            for (uint32_t episode = 0; episode < EPISODES; episode++) {
                walk w;
                for (walk_start(&w, rules, episode); w.acting; walk_next(&w)) {
                    walk image = w;
                    rules->game->symmetry(rules->config, g, w.state, image.state);
                    for (int seat = 0; seat < rules->spec.seats; seat++) {
                        hash_columns(&w, seat, column[0]);
                        hash_columns(&image, seat, column[1]);
                    }
                }
            }
            qsort(column[0], rules->obs_bytes, sizeof column[0][0], compare_hashes);
            qsort(column[1], rules->obs_bytes, sizeof column[0][0], compare_hashes);
            assert_memory_equal(column[0], column[1], sizeof column[0]);
        }
        agon_rules_close(rules);
    }
}

/* Promise: chance outcomes have positive probabilities that add up to 1. */
static void check_chance(const walk* w) {
    const agon_rules* rules = w->rules;
    double prob[MAX_OUTCOMES], sum = 0;
    if (w->acting != AGON_CHANCE)
        return;
    const int count = rules->game->chance(rules->config, w->state, prob);
    assert_in_range(count, 1, rules->spec.chance_outcomes);
    for (int i = 0; i < count; i++) {
        assert_true(prob[i] > 0);
        sum += prob[i];
    }
    assert_true(sum > 1 - 1e-12 && sum < 1 + 1e-12);
}

static void test_chance_adds_up(void** unused) {
    for_each_position(check_chance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_game_is_here),
        cmocka_unit_test(test_clone_and_replay),
        cmocka_unit_test(test_mask_is_legality),
        cmocka_unit_test(test_bounds_and_utility),
        cmocka_unit_test(test_bound_holds_for_long_games),
        cmocka_unit_test(test_symmetric_seats),
        cmocka_unit_test(test_observations_hide),
        cmocka_unit_test(test_symmetries_commute),
        cmocka_unit_test(test_observations_follow_symmetries),
        cmocka_unit_test(test_chance_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
