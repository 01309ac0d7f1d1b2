/* Exact values of policies with memory: as they play, or refused. */
#include "agents/backend_cpu.h"
#include "agents/tree.h"
#include "engine/probes.h"
#include "tests/unit/task_fixture.h"
#include "tests/unit/witness_fixture.h"

enum { MOST_ACTIONS = 64, MOST_MEMORY = 32 };

/* ---- every line of a game ----------------------------------------------------------------- */

/* A place in a game, with what its seats remember there. */
typedef struct place {
    char* state; /* (state_size) */
    float memory[2][MOST_MEMORY];
    uint16_t action[2]; /* chosen so far in this ply */
} place;

static void ask(const agon_rules* rules, const agon_policy* policy, place* at, int seat,
                float* probability, uint64_t* mask) {
    const uint32_t zero = 0;
    const uint8_t by = (uint8_t)seat;
    char* obs = calloc(1, rules->obs_bytes);
    rules->game->observe(rules->config, at->state, seat, obs);
    rules->game->legal(rules->config, at->state, seat, mask);
    const agon_batch batch = {.rules = rules,
                              .count = 1,
                              .obs = obs,
                              .mask = mask,
                              .states = at->state,
                              .lane = &zero,
                              .seat = &by,
                              .episode = &zero,
                              .ply = &zero,
                              .memory = at->memory[seat],
                              .temperature = 1,
                              .probability = probability};
    policy->act(policy, &batch);
    free(obs);
}

static double value(const agon_rules* rules, const agon_policy* policy, const place* at,
                    uint64_t pending);

/* One ply or outcome, and all that may follow, for seat 0. */
static double after(const agon_rules* rules, const agon_policy* policy, const place* at) {
    place next = *at;
    float reward[AGON_MAX_SEATS] = {0};
    next.state = malloc(rules->spec.state_size);
    memcpy(next.state, at->state, rules->spec.state_size);
    assert_int_equal(rules->game->apply(rules->config, next.state, at->action, reward), 0);
    const double sum = (double)reward[0] + value(rules, policy, &next, 0);
    free(next.state);
    return sum;
}

static double value_of_chance(const agon_rules* rules, const agon_policy* policy, const place* at) {
    double chance[MOST_ACTIONS], sum = 0;
    const int outcomes = rules->game->chance(rules->config, at->state, chance);
    for (int k = 0; k < outcomes; k++) {
        place next = *at;
        next.action[0] = (uint16_t)k;
        sum += chance[k] * after(rules, policy, &next);
    }
    return sum;
}

/* What seat 0 still gets when all seats play the policy, each with a memory of its own. pending:
 * seats of this ply that have not chosen yet; 0: a ply begins. */
static double value(const agon_rules* rules, const agon_policy* policy, const place* at,
                    uint64_t pending) {
    const uint64_t acting = pending ? pending : rules->game->acting(rules->config, at->state);
    float probability[MOST_ACTIONS];
    uint64_t mask[1] = {0};
    double sum = 0;
    if (acting == 0)
        return 0;
    if (acting == AGON_CHANCE)
        return value_of_chance(rules, policy, at);
    const int seat = __builtin_ctzll(acting);
    const uint64_t rest = acting & (acting - 1);
    place next = *at;
    ask(rules, policy, &next, seat, probability, mask);
    for (int a = 0; a < rules->spec.actions; a++) {
        next.action[seat] = (uint16_t)a;
        if (agon_mask_has(mask, a) && probability[a] > 0)
            sum += (double)probability[a] *
                   (rest ? value(rules, policy, &next, rest) : after(rules, policy, &next));
    }
    return sum;
}

static double value_of_play(const agon_rules* rules, const agon_policy* policy) {
    place start = {.state = calloc(1, rules->spec.state_size)};
    assert_true(rules->spec.seats <= 2 && rules->spec.actions <= MOST_ACTIONS &&
                rules->spec.chance_outcomes <= MOST_ACTIONS && policy->memory <= MOST_MEMORY);
    rules->game->init(rules->config, start.state);
    const double sum = value(rules, policy, &start, 0);
    free(start.state);
    return sum;
}

/* ---- tables ------------------------------------------------------------------------------- */

typedef struct solved {
    agon_rules* rules;
    agon_tree* tree;
    double* table; /* (infosets, actions) */
} solved;

static solved solved_open(const char* game) {
    solved s = {.rules = open_rules(game)};
    agon_error error = {0};
    if (agon_tree_open(s.rules, 200000, &s.tree, &error) != 0)
        fail_msg("%s: %s", game, error.text);
    s.table =
        calloc((size_t)agon_tree_infosets(s.tree) * (size_t)s.rules->spec.actions, sizeof *s.table);
    return s;
}

static void solved_close(solved* s) {
    free(s->table);
    agon_tree_close(s->tree);
    agon_rules_close(s->rules);
}

static double value_of_table(const solved* s) {
    const double* policy[AGON_MAX_SEATS];
    double out[AGON_MAX_SEATS];
    for (int i = 0; i < AGON_MAX_SEATS; i++)
        policy[i] = s->table;
    agon_tree_returns(s->tree, policy, out);
    return out[0];
}

static void must_tabulate(solved* s, const agon_policy* policy) {
    agon_error error = {0};
    if (agon_tree_tabulate(s->tree, policy, 1, s->table, &error) != 0)
        fail_msg("%s", error.text);
}

/* Games in which each seat comes to every set by one line of its own: in turn, with chance, and
 * together; by their rules or because they are small. */
static const char* const recalled[] = {"kuhn_poker",         "leduc_poker", "goofspiel(cards=4)",
                                       "iterated(rounds=3)", "matrix",      "nim(pile_sizes=2)"};
enum { RECALLED = sizeof recalled / sizeof *recalled };

/* Guards: the table of a policy that remembers all it has seen is how it plays: the value of the
 * game is that of all lines of play, in which each seat carries its memory along. */
static void tables_are_how_it_plays(void** state) {
    (void)state;
    for (int g = 0; g < RECALLED; g++) {
        solved s = solved_open(recalled[g]);
        witness self = {0};
        const agon_policy policy = witness_policy(&self);
        must_tabulate(&s, &policy);
        assert_int_equal(self.rows, agon_tree_infosets(s.tree));
        assert_true(fabs(value_of_table(&s) - value_of_play(s.rules, &policy)) < 1e-9);
        assert_true(agon_tree_nash_conv(s.tree, s.table) > -1e-9);
        solved_close(&s);
    }
}

/* Guards: the same of a net; many sets at a time, a set for each number of earlier decisions. */
static void nets_are_asked_in_order(void** state) {
    (void)state;
    for (int g = 0; g < RECALLED; g++) {
        solved s = solved_open(recalled[g]);
        const agon_backend* backend = agon_cpu_backend();
        const agon_net net = {.inputs = s.rules->entries,
                              .layers = 2,
                              .hidden = {8, 16},
                              .kind = {AGON_DENSE, AGON_MINGRU},
                              .actions = s.rules->spec.actions};
        float* params = make_params(&net, 3, 400);
        void* packed = aligned_alloc(64, (backend->packed_size(&net) + 63) / 64 * 64);
        agon_policy policy;
        backend->pack(&net, params, packed);
        assert_int_equal(agon_net_policy_open(backend, &net, packed, s.rules, &policy, NULL), 0);
        must_tabulate(&s, &policy);
        const double exact = value_of_table(&s), played = value_of_play(s.rules, &policy);
        if (!(fabs(exact - played) < 1e-5 * (1 + fabs(played))))
            fail_msg("%s: %.9f, in play %.9f", recalled[g], exact, played);
        agon_policy_close(&policy);
        free(packed);
        free(params);
        solved_close(&s);
    }
}

/* Guards: where a seat comes to one set by several lines no table is made, the reason names game
 * and seat, and policies without memory are tabulated as ever. */
static void merged_lines_are_refused(void** state) {
    (void)state;
    const struct {
        const char *game, *what;
    } known[] = {{"tic_tac_toe", "one position by several lines"},
                 {"nim(pile_sizes=1+2+2)", "one position by several lines"},
                 {"oshi_zumo(coins=4,size=1,horizon=5)", "one information set by several lines"}};
    for (int g = 0; g < 3; g++) {
        solved s = solved_open(known[g].game);
        witness self = {0};
        const agon_policy policy = witness_policy(&self);
        agon_policy random;
        agon_error error = {0};
        assert_int_equal(agon_tree_tabulate(s.tree, &policy, 1, s.table, &error),
                         AGON_EUNSUPPORTED);
        assert_non_null(strstr(error.text, known[g].what));
        assert_non_null(strstr(error.text, s.rules->name));
        assert_int_equal(self.calls, 0);
        assert_int_equal(agon_scripted_open("random", s.rules, &random, NULL), 0);
        must_tabulate(&s, &random);
        agon_policy_close(&random);
        solved_close(&s);
    }
}

/* ---- probe tasks -------------------------------------------------------------------------- */

static const char* put_net(shelf* s, const agon_rules* rules, agon_layer_kind kind) {
    const agon_net net = {.inputs = rules->entries,
                          .layers = 1,
                          .hidden = {8},
                          .kind = {kind},
                          .actions = rules->spec.actions};
    agon_snapshot_info info = {.steps = 7};
    agon_bytes blob = {0};
    float* params = make_params(&net, 3, 400);
    snprintf(info.game, sizeof info.game, "%s", rules->name);
    assert_int_equal(agon_snapshot_encode(&net, params, &info, &blob, NULL), AGON_OK);
    free(params);
    return shelf_put(s, &blob);
}

static bool is_exact(const agon_rules* rules, agon_context* context, const char* ref, shelf* s) {
    agon_task task = make_task(AGON_PROBE, rules, "probe/0/0");
    agon_probes probes = {0};
    agon_bytes blob = {0};
    agon_result result = {0};
    agon_error error = {0};
    assert_int_equal(agon_probes_make(rules, 30, 1, &probes, NULL), AGON_OK);
    assert_int_equal(agon_probes_encode(&probes, rules, &blob, NULL), AGON_OK);
    agon_probes_close(&probes);
    snprintf(task.as.probe.probes, AGON_HASH_SIZE, "%s", shelf_put(s, &blob));
    snprintf(task.as.probe.ref, AGON_REF_SIZE, "%s", ref);
    task.as.probe.exact_nodes = 10000;
    if (agon_execute(&task, context, &result, &error) != AGON_OK)
        fail_msg("%s: %s", rules->name, error.text);
    const agon_probe_result p = result.as.probe;
    const bool exact = p.exact;
    assert_int_equal(isnan(p.nash_conv), !exact);
    assert_true(exact || (isnan(p.value) && isnan(p.worst_first) && isnan(p.worst_second)));
    agon_result_clear(&result);
    return exact;
}

/* Guards: a run on a game whose tree gives no table is measured all the same, without exact values;
 * nets without memory get theirs, whoever was asked before; a game that does is exact. */
static void runs_do_without(void** state) {
    (void)state;
    shelf s = {0};
    agon_rules* merged = open_rules("tic_tac_toe");
    agon_rules* kuhn = open_rules("kuhn_poker");
    agon_context context = {.backend = agon_cpu_backend(), .load = shelf_load, .user = &s};
    const char* remembers = put_net(&s, merged, AGON_MINGRU);
    const char* forgets = put_net(&s, merged, AGON_DENSE);
    assert_false(is_exact(merged, &context, remembers, &s));
    assert_false(is_exact(merged, &context, remembers, &s));
    assert_true(is_exact(merged, &context, forgets, &s));
    assert_false(is_exact(merged, &context, remembers, &s));
    assert_true(is_exact(kuhn, &context, put_net(&s, kuhn, AGON_MINGRU), &s));
    agon_context_clear(&context);
    shelf_clear(&s);
    agon_rules_close(merged);
    agon_rules_close(kuhn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_how_it_plays),
        cmocka_unit_test(nets_are_asked_in_order),
        cmocka_unit_test(merged_lines_are_refused),
        cmocka_unit_test(runs_do_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
