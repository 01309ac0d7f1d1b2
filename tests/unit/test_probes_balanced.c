/* Probe set B: as many states from every phase of every run, no two alike, in any order of runs. */
#include "agents/backend_cpu.h"
#include "engine/execute.h"
#include "engine/probes_make.h"
#include "engine/training.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/rules_fixture.h"
#include "tests/unit/no_sync.h"

static void train_net(const char* hidden, const char* rate, const char* game, const char* dir,
                      const char* seed, const char* generations, const char* roles) {
    const char* const settings[][2] = {{"population.size", "2"},
                                       {"population.roles", roles},
                                       {"train.seed", seed},
                                       {"train.generations", generations},
                                       {"train.rollouts", "1"},
                                       {"train.lanes", "8"},
                                       {"train.horizon", "4"},
                                       {"train.epochs", "1"},
                                       {"train.minibatches", "1"},
                                       {"net.hidden", hidden},
                                       {"train.learning_rate", rate},
                                       {"metrics.every", "100"},
                                       {"metrics.games", "2"},
                                       {"metrics.anchor_games", "0"},
                                       {"metrics.final_games", "0"},
                                       {"metrics.probes", "8"},
                                       {"metrics.bootstrap", "2"},
                                       {"metrics.exact_nodes", "0"},
                                       {"machine.threads", "1"},
                                       {"game.name", game},
                                       {"run.dir", dir}};
    agon_config c;
    agon_training* t = NULL;
    agon_error error = {0};
    const agon_training_view view = {0};
    bool interrupted = false;
    agon_config_defaults(&c);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(agon_config_set(&c, settings[i][0], settings[i][1], "test", NULL), 0);
    if (agon_training_create(&c, "test", &t, &error) != 0 ||
        agon_training_run(t, &view, &interrupted, &error) != 0)
        fail_msg("%s", error.text);
    agon_training_close(t);
}

static void train(const char* game, const char* dir, const char* seed, const char* generations,
                  const char* roles) {
    train_net("8", "1e-3", game, dir, seed, generations, roles);
}

static agon_probes make(const agon_rules* rules, int states, uint64_t seed, int runs,
                        const char* const* run) {
    agon_probes p;
    agon_error error = {0};
    if (agon_probes_make_balanced(rules, states, seed, runs, run, NULL, &p, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(p.set, AGON_PROBES_B);
    assert_int_equal(p.runs, runs);
    return p;
}

static void name_of(const agon_probes* p, const agon_rules* rules, char out[AGON_HASH_SIZE]) {
    agon_bytes bytes;
    agon_probes back;
    agon_error error = {0};
    assert_int_equal(agon_probes_encode(p, rules, &bytes, NULL), 0);
    if (agon_probes_decode(bytes.data, bytes.size, rules, &back, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(back.set, AGON_PROBES_B);
    assert_memory_equal(back.source, p->source, (size_t)p->states * sizeof *p->source);
    agon_probes_close(&back);
    memcpy(out, bytes.hash, AGON_HASH_SIZE);
    free(bytes.data);
}

static void assert_balanced(const agon_probes* p, int each) {
    int count[12] = {0};
    for (int i = 0; i < p->states; i++)
        count[p->source[i]]++;
    for (int s = 0; s < p->runs * AGON_PROBE_PHASES; s++)
        assert_int_equal(count[s], each);
}

/* No two positions are equal, nor mirror images. */
static void assert_distinct(const agon_probes* p, const agon_rules* rules) {
    const size_t size = rules->spec.state_size;
    char* at = malloc(((size_t)p->states + 1) * size);
    char* image = at + (size_t)p->states * size;
    for (int i = 0; i < p->states; i++)
        assert_int_equal(agon_probes_position(p, rules, i, at + (size_t)i * size, NULL), 0);
    for (int i = 0; i < p->states; i++) {
        for (int g = 0; g < rules->spec.symmetries; g++) {
            rules->game->symmetry(rules->config, g, at + (size_t)i * size, image);
            for (int j = i + 1; j < p->states; j++)
                assert_memory_not_equal(image, at + (size_t)j * size, size);
        }
    }
    free(at);
}

/* Guards: equal numbers from each source, equal weights of ply buckets, no state twice; the bytes
 * are a function of the runs and the seed, not of the order in which runs are given. */
static void pools_are_balanced(void** state) {
    (void)state;
    const char* game = "connect_four(rows=4,cols=4,connect=3)";
    agon_rules* rules = open_rules(game);
    const char* const runs[] = {"one", "two", "one"};
    char hash[3][AGON_HASH_SIZE];
    agon_probe_strata strata;
    int stratum[100];
    double weight[AGON_PROBE_BUCKETS] = {0};
    train(game, "one", "1", "3", "shared");
    train(game, "two", "2", "2", "shared");
    agon_probes p = make(rules, 100, 1, 2, runs), q = make(rules, 100, 1, 2, runs + 1),
                r = make(rules, 100, 2, 2, runs);
    assert_int_equal(p.states, 96);
    assert_balanced(&p, 16);
    assert_distinct(&p, rules);
    assert_int_equal(agon_probes_facts(&p, rules, NULL, NULL, stratum, &strata, NULL), 0);
    assert_true(strata.count > 4);
    for (int i = 0; i < p.states; i++)
        weight[stratum[i]] += p.weight[i];
    for (int k = 0; k < strata.count; k++)
        assert_true(fabs(weight[k] - 1.0 / strata.count) < 1e-9);
    name_of(&p, rules, hash[0]);
    name_of(&q, rules, hash[1]);
    name_of(&r, rules, hash[2]);
    assert_string_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
    agon_probes_close(&p);
    agon_probes_close(&q);
    agon_probes_close(&r);
    agon_rules_close(rules);
}

/* Guards: where a game has few states, all sources give fewer, still equally many; chance and
 * hidden cards are part of the lines. */
static void small_games_stay_balanced(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    const char* const run = "kuhn";
    char hash[AGON_HASH_SIZE];
    train("kuhn_poker", run, "1", "2", "shared");
    agon_probes p = make(rules, 600, 1, 1, &run);
    assert_in_range(p.states, 9, 12); /* information sets: 12 */
    assert_int_equal(p.states % 3, 0);
    assert_balanced(&p, p.states / 3);
    name_of(&p, rules, hash);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: with separate roles each seat is held by an agent of its role, and both are asked. */
static void roles_have_their_agents(void** state) {
    (void)state;
    agon_rules* rules = open_rules("pursuit");
    const char* const run = "pursuit";
    int asked[AGON_SEPARATE_ROLES] = {0};
    train("pursuit", run, "1", "2", "separate");
    agon_probes p = make(rules, 60, 1, 1, &run);
    assert_balanced(&p, 20);
    for (int i = 0; i < p.states; i++)
        asked[rules->spec.role[p.seat[i]]]++;
    assert_true(asked[0] > 5 && asked[1] > 5);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* ---- agents that remember ----------------------------------------------------------------- */

/* One generation of two agents, playing games by themselves as set B lets them. */
typedef struct pair {
    const agon_rules* rules;
    agon_context context;
    agon_actor actor[2];
    agon_key players, actions;
    char *state, *obs;
    uint16_t line[64]; /* (plies, seats) */
    int plies;
} pair;

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    return agon_store_blob_load(user, hash, data, size, error);
}

static void pair_open(pair* p, const agon_rules* rules, const agon_training* t, int phase) {
    char name[128];
    agon_error error = {0};
    *p = (pair){.rules = rules,
                .context = {.backend = agon_cpu_backend(), .load = load_blob, .user = t->store}};
    snprintf(name, sizeof name, "probes/pool/%.64s/%d", agon_store_meta(t->store, "config_hash"),
             phase);
    p->players = agon_key_make(1, name, AGON_FOR_LEAGUE);
    p->actions = agon_key_make(1, name, AGON_FOR_ACTION);
    p->state = calloc(1, rules->spec.state_size);
    p->obs = calloc(1, rules->obs_bytes);
    for (int a = 0; a < 2; a++) {
        const agon_train_result* trained = agon_record_train(t->population.record, phase, a);
        if (agon__actor_open(trained->snapshot, rules, &p->context, true, &p->actor[a], &error))
            fail_msg("%s", error.text);
    }
}

static void pair_close(pair* p) {
    agon__actor_close(&p->actor[0]);
    agon__actor_close(&p->actor[1]);
    agon_context_clear(&p->context);
    free(p->state);
    free(p->obs);
}

/* One game: who holds which seat, and what each remembers of it. */
static void pair_play(pair* p, uint32_t game) {
    const agon_rules* r = p->rules;
    float memory[2][32] = {{0}}, reward[2] = {0};
    r->game->init(r->config, p->state);
    for (p->plies = 0; r->game->acting(r->config, p->state); p->plies++) {
        const uint8_t seat = (uint8_t)(p->plies % 2);
        const uint32_t ply = (uint32_t)p->plies, lane = 0;
        const agon_draw draw = agon_random(p->players, game, 0, seat, 0);
        const agon_policy* policy = &p->actor[agon_below(draw.word[1], 2)].policy;
        uint64_t mask[1] = {0};
        uint16_t* row = p->line + 2 * p->plies;
        row[0] = row[1] = 0;
        r->game->observe(r->config, p->state, seat, p->obs);
        r->game->legal(r->config, p->state, seat, mask);
        assert_true(policy->memory > 0 && policy->memory <= 32);
        const agon_batch batch = {.rules = r,
                                  .count = 1,
                                  .obs = p->obs,
                                  .mask = mask,
                                  .lane = &lane,
                                  .seat = &seat,
                                  .key = p->actions,
                                  .episode = &game,
                                  .ply = &ply,
                                  .memory = memory[seat],
                                  .temperature = 1,
                                  .action = &row[seat]};
        policy->act(policy, &batch);
        assert_int_equal(r->game->apply(r->config, p->state, row, reward), 0);
    }
}

/* Whether the line of a state is the beginning of the game that was played. */
static bool begins(const pair* p, const agon_probes* probes, int state) {
    const int plies = probes->offset[state + 1] - probes->offset[state];
    return plies <= p->plies && memcmp(probes->action + 2 * (size_t)probes->offset[state], p->line,
                                       2 * (size_t)plies * sizeof *p->line) == 0;
}

/* Guards: agents that remember play for set B as they play anywhere: every line is one of a game
 * that they play when each seat remembers that game, from its start on, and no other. */
static void agents_remember_their_games(void** state) {
    (void)state;
    const char* game = "connect_four(rows=4,cols=4,connect=3)";
    const char* const run = "remembers";
    agon_rules* rules = open_rules(game);
    agon_training* t = NULL;
    agon_error error = {0};
    train_net("mingru8,mingru8", "0.05", game, run, "3", "2", "shared");
    agon_probes p = make(rules, 96, 1, 1, &run);
    bool found[96] = {false};
    if (agon_training_read(run, &t, &error) != 0)
        fail_msg("%s", error.text);
    for (int phase = 0; phase < AGON_PROBE_PHASES; phase++) {
        pair c;
        pair_open(&c, rules, t, phase);
        for (uint32_t g = 0; g < 512; g++) { /* of which B plays the first ones */
            pair_play(&c, g);
            for (int i = 0; i < p.states; i++)
                found[i] = found[i] || (p.source[i] == phase && begins(&c, &p, i));
        }
        pair_close(&c);
    }
    for (int i = 0; i < p.states; i++)
        assert_true(found[i]);
    agon_training_close(t);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: runs that do not fit are refused by name, and nothing is made. */
static void other_runs_are_refused(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    agon_rules* other = open_rules("tic_tac_toe");
    const struct {
        const agon_rules* rules;
        int states, runs;
        const char* run[2];
        int code;
        const char* words;
    } known[] = {
        {rules, 60, 1, {"short"}, AGON_EMISSING, "run short has 2 trained generations"},
        {other, 60, 1, {"long"}, AGON_EINVALID, "run long is of kuhn_poker"},
        {rules, 60, 2, {"long", "long"}, AGON_EINVALID, "count twice"},
        {rules, 5, 2, {"long", "long"}, AGON_EINVALID, "a state for every phase"},
        {rules, 60, 0, {NULL}, AGON_EINVALID, "at least one run"},
    };
    train("kuhn_poker", "short", "5", "1", "shared");
    train("kuhn_poker", "long", "6", "2", "shared");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        agon_probes p = {0};
        agon_error error = {0};
        assert_int_equal(agon_probes_make_balanced(known[i].rules, known[i].states, 1,
                                                   known[i].runs, known[i].run, NULL, &p, &error),
                         known[i].code);
        if (!strstr(error.text, known[i].words))
            fail_msg("said '%s', expected '%s'", error.text, known[i].words);
        assert_null(p.offset);
    }
    agon_rules_close(rules);
    agon_rules_close(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pools_are_balanced, setup, teardown),
        cmocka_unit_test_setup_teardown(small_games_stay_balanced, setup, teardown),
        cmocka_unit_test_setup_teardown(roles_have_their_agents, setup, teardown),
        cmocka_unit_test_setup_teardown(agents_remember_their_games, setup, teardown),
        cmocka_unit_test_setup_teardown(other_runs_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
