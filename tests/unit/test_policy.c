/* Scripted policies, search, and nets as policies. */
#include "agents/policy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- one question ------------------------------------------------------------------------- */

typedef struct question {
    agon_rules* rules;
    char* state;
    char* obs;
    uint64_t mask[4];
    float probability[256];
    uint8_t seat;
} question;

/* The position after `line`, a list of actions ended by -1; chance takes its first outcome. */
static question question_open(const char* game, const int* line) {
    question q = {0};
    agon_error error = {0};
    if (agon_rules_open(game, &q.rules, &error) != 0)
        fail_msg("%s: %s", game, error.text);
    const agon_rules* r = q.rules;
    float reward[AGON_MAX_SEATS] = {0};
    uint64_t acting;
    q.state = malloc(r->spec.state_size);
    q.obs = malloc(r->obs_bytes);
    r->game->init(r->config, q.state);
    for (;;) {
        uint16_t action[AGON_MAX_SEATS] = {0};
        acting = r->game->acting(r->config, q.state);
        if (acting != AGON_CHANCE && *line < 0)
            break;
        if (acting != AGON_CHANCE)
            action[__builtin_ctzll(acting)] = (uint16_t)*line++;
        assert_int_equal(r->game->apply(r->config, q.state, action, reward), 0);
    }
    q.seat = (uint8_t)__builtin_ctzll(acting);
    r->game->observe(r->config, q.state, q.seat, q.obs);
    r->game->legal(r->config, q.state, q.seat, q.mask);
    return q;
}

static void question_close(question* q) {
    free(q->state);
    free(q->obs);
    agon_rules_close(q->rules);
}

/* Asks for probabilities (into q) and an action for a counter's episode. */
static int ask(question* q, const agon_policy* policy, uint32_t episode) {
    const uint32_t lane = 0, ply = 0;
    uint16_t action = 0xffff;
    const agon_batch batch = {
        .rules = q->rules,
        .count = 1,
        .obs = q->obs,
        .mask = q->mask,
        .states = q->state,
        .lane = &lane,
        .seat = &q->seat,
        .key = agon_key_make(1, "test", AGON_FOR_ACTION),
        .episode = &episode,
        .ply = &ply,
        .temperature = 1,
        .action = &action,
        .probability = q->probability,
    };
    policy->act(policy, &batch);
    assert_true(action < q->rules->spec.actions);
    assert_true(q->probability[action] > 0);
    return action;
}

static agon_policy scripted_open(const char* text, const agon_rules* rules) {
    agon_policy policy;
    agon_error error = {0};
    if (agon_scripted_open(text, rules, &policy, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    return policy;
}

/* The actions with positive probability, as bits; all must be equally likely. */
static uint64_t support(const question* q) {
    uint64_t set = 0;
    float sum = 0;
    for (int a = 0; a < q->rules->spec.actions; a++) {
        sum += q->probability[a];
        if (q->probability[a] > 0)
            set |= 1ull << a;
    }
    for (int a = 0; a < q->rules->spec.actions; a++) {
        if (set >> a & 1)
            assert_float_equal(q->probability[a], 1.0f / (float)__builtin_popcountll(set), 0);
    }
    assert_float_equal(sum, 1.0, 1e-6);
    return set;
}

static uint64_t support_of(const char* text, const char* game, const int* line) {
    question q = question_open(game, line);
    agon_policy policy = scripted_open(text, q.rules);
    ask(&q, &policy, 0);
    const uint64_t set = support(&q);
    agon_policy_close(&policy);
    question_close(&q);
    return set;
}

#define LINE(...) ((const int[]){__VA_ARGS__, -1})
#define BIT(a)    (1ull << (a))

/* ---- scripted ----------------------------------------------------------------------------- */

/* Guards: random gives every legal action, and no other, the same exact probability, and samples
 * from it; with hidden cards too. */
static void random_is_uniform(void** state) {
    (void)state;
    assert_int_equal(support_of("random", "tic_tac_toe", LINE(0, 4, 8)),
                     0777 & ~(BIT(0) | BIT(4) | BIT(8)));
    assert_int_equal(support_of("random", "kuhn_poker", LINE(0)), 3);
    question q = question_open("tic_tac_toe", LINE(0, 4, 8));
    agon_policy policy = scripted_open("random", q.rules);
    int count[9] = {0};
    for (uint32_t i = 0; i < 6000; i++)
        count[ask(&q, &policy, i)]++;
    for (int a = 0; a < 9; a++) {
        if (q.mask[0] >> a & 1)
            assert_in_range(count[a], 850, 1150); /* 1000 +- 5 standard deviations */
    }
    agon_policy_close(&policy);
    question_close(&q);
}

/* Guards: the uniform of a slot is draw 0 of its counter, whatever its place in the batch. */
static void batch_uniform_is_keyed(void** state) {
    (void)state;
    const uint32_t episode[2] = {7, 8}, ply[2] = {3, 4};
    const uint8_t seat[2] = {1, 0};
    const agon_key key = agon_key_make(5, "t", AGON_FOR_ACTION);
    const agon_batch batch = {.key = key, .episode = episode, .ply = ply, .seat = seat};
    assert_float_equal(agon_batch_uniform(&batch, 1),
                       agon_uniform(agon_random(key, 8, 4, 0, 0).word[0]), 0);
}

/* Guards: one_ply wins when it can, before it blocks; blocks when it must; and chooses evenly among
 * all moves when it can do neither. */
static void one_ply_wins_then_blocks(void** state) {
    (void)state;
    const char* g = "tic_tac_toe";
    /* x 0 1, o 3 4: x wins at 2 (and would otherwise have to block at 5). */
    assert_int_equal(support_of("one_ply", g, LINE(0, 3, 1, 4)), BIT(2));
    /* x 0 1, o 4: o must block at 2. */
    assert_int_equal(support_of("one_ply", g, LINE(0, 4, 1)), BIT(2));
    /* x 0 2 8, o 1 4: o to move wins at 7, although x threatens 5. */
    assert_int_equal(support_of("one_ply", g, LINE(0, 1, 2, 4, 8)), BIT(7));
    /* x 0 4 6 threatens 2 and 3, o cannot win: every move loses, so any. */
    assert_int_equal(support_of("one_ply", g, LINE(4, 1, 0, 8, 6)),
                     BIT(2) | BIT(3) | BIT(5) | BIT(7));
    /* Nothing threatens: all nine, all safe. */
    assert_int_equal(support_of("one_ply", g, (const int[]){-1}), 0777);
}

/* Guards: alpha_beta sees forced wins, takes the soonest, delays a loss, breaks ties by index. */
static void alpha_beta_plays_on(void** state) {
    (void)state;
    const char* g = "tic_tac_toe";
    assert_int_equal(support_of("alpha_beta(depth=9)", g, (const int[]){-1}), BIT(0));
    assert_int_equal(support_of("alpha_beta(depth=1)", g, LINE(0, 3, 1, 4)), BIT(2));
    /* x has forced wins by a double threat too, but 8 wins at once. */
    assert_int_equal(support_of("alpha_beta(depth=5)", g, LINE(4, 1, 0, 2)), BIT(8));
    /* o is lost after 0, 1, 4, but not at once if it blocks 8. */
    assert_int_equal(support_of("alpha_beta(depth=6)", g, LINE(0, 1, 4)), BIT(8));
    /* o is lost (threats at 2 and 3) and loses at once whatever it does: lowest index. */
    assert_int_equal(support_of("alpha_beta(depth=4)", g, LINE(4, 1, 0, 8, 6)), BIT(2));
    /* Connect four, x has three in column 0: o must stop it on top. */
    assert_int_equal(support_of("alpha_beta", "connect_four", LINE(0, 1, 0, 1, 0)), BIT(0));
}

static agon_policy* seated(agon_policy* a, agon_policy* b, int seat, int first) {
    return seat == first ? a : b;
}

/* Sum of a's returns over `games` games with alternating seats. */
static double play(const char* game, const char* first, const char* second, int games) {
    double sum = 0;
    question q = question_open(game, (const int[]){-1});
    agon_policy a = scripted_open(first, q.rules), b = scripted_open(second, q.rules);
    const agon_rules* r = q.rules;
    for (int i = 0; i < games; i++) {
        float reward[2] = {0};
        uint16_t action[2];
        uint64_t acting;
        r->game->init(r->config, q.state);
        for (uint32_t ply = 0; (acting = r->game->acting(r->config, q.state)); ply++) {
            q.seat = (uint8_t)__builtin_ctzll(acting);
            q.mask[0] = 0;
            r->game->legal(r->config, q.state, q.seat, q.mask);
            const uint32_t episode = (uint32_t)i * 100 + ply;
            action[q.seat] = (uint16_t)ask(&q, seated(&a, &b, q.seat, i & 1), episode);
            assert_int_equal(r->game->apply(r->config, q.state, action, reward), 0);
        }
        sum += (double)reward[i & 1];
    }
    agon_policy_close(&a);
    agon_policy_close(&b);
    question_close(&q);
    return sum;
}

/* Guards: each scripted opponent is stronger than the one below it. (Fixed keys: no luck.) */
static void strength_order(void** state) {
    (void)state;
    assert_true(play("connect_four", "one_ply", "random", 40) > 20);
    assert_true(play("connect_four", "alpha_beta", "one_ply", 20) > 4);
    assert_true(play("connect_four", "mcts(playouts=200)", "random", 20) > 17);
    /* Against perfect play a draw is the most that search can get, and enough of it does. */
    assert_true(play("tic_tac_toe", "mcts(playouts=2000)", "alpha_beta(depth=9)", 10) == 0);
    assert_true(play("tic_tac_toe", "alpha_beta(depth=9)", "random", 40) > 30);
}

/* Guards: mcts is a function of position and counter: not of the object, the calls before it or
 * the other slots; and other counters may choose otherwise. */
static void mcts_is_keyed(void** state) {
    (void)state;
    question q = question_open("connect_four", (const int[]){-1});
    agon_policy a = scripted_open("mcts(playouts=20)", q.rules);
    agon_policy b = scripted_open("mcts(playouts=20)", q.rules);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < 20; i++) {
        const int action = ask(&q, &a, i);
        seen |= BIT(action);
        assert_int_equal(support(&q), BIT(action));
        ask(&q, &b, 1000 - i);
        assert_int_equal(ask(&q, &b, i), action);
    }
    assert_true((seen & (seen - 1)) != 0);
    agon_policy_close(&a);
    agon_policy_close(&b);
    question_close(&q);
}

/* ---- names and refusals ------------------------------------------------------------------- */

static void assert_refused(const char* text, const agon_rules* rules, int code, const char* says,
                           const char* hints) {
    agon_policy policy;
    agon_error error = {0};
    assert_int_equal(agon_scripted_open(text, rules, &policy, &error), code);
    if (!strstr(error.text, says) || (hints && !strstr(error.hint, hints)))
        fail_msg("%s: said '%s', hint '%s'", text, error.text, error.hint);
}

/* Guards: canonical names, whatever the spaces; defaults spelt out. */
static void names_are_canonical(void** state) {
    (void)state;
    const char* given[] = {
        "random", " one_ply ()",           "alpha_beta", "alpha_beta( depth = 7 )",
        "mcts",   "mcts(c=2, playouts=5)", "mcts(c=1.4)"};
    const char* wanted[] = {"random",
                            "one_ply",
                            "alpha_beta(depth=4)",
                            "alpha_beta(depth=7)",
                            "mcts(playouts=100)",
                            "mcts(playouts=5,c=2)",
                            "mcts(playouts=100)"};
    question q = question_open("tic_tac_toe", (const int[]){-1});
    for (int i = 0; i < 7; i++) {
        agon_policy policy = scripted_open(given[i], q.rules);
        assert_string_equal(policy.name, wanted[i]);
        agon_policy_close(&policy);
    }
    const char *name, *description;
    int known = 0;
    while (agon_scripted_at(known, &name, &description)) {
        agon_policy policy = scripted_open(name, q.rules);
        assert_true(strlen(description) > 10);
        agon_policy_close(&policy);
        known++;
    }
    assert_int_equal(known, 4);
    question_close(&q);
}

/* Guards: every mistake is refused with a message that names it. */
static void mistakes_are_named(void** state) {
    (void)state;
    question q = question_open("tic_tac_toe", (const int[]){-1});
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_refused("one_pli", q.rules, AGON_EUNKNOWN, "one_pli", "did you mean one_ply");
    assert_refused("zzzzzzzzzzzz", q.rules, AGON_EUNKNOWN, "zzzz", "alpha_beta");
    assert_refused("mcts(playouts=0)", q.rules, AGON_EINVALID, "playouts=0", NULL);
    assert_refused("mcts(c=nan)", q.rules, AGON_EINVALID, "c=nan", NULL);
    assert_refused("alpha_beta(depth=21)", q.rules, AGON_EINVALID, "1 to 20", NULL);
    assert_refused("alpha_beta(dept=3)", q.rules, AGON_EUNKNOWN, "dept", "depth");
    assert_refused("random(x=1)", q.rules, AGON_EUNKNOWN, "'x'", "no parameters");
    assert_refused("mcts(c=1,c=2)", q.rules, AGON_EINVALID, "twice", NULL);
    const char* malformed[] = {"",         "(",        "mcts(",     "mcts(c)",    "mcts(c=)",
                               "mcts(=1)", "mcts(c=1", "mcts)c=1(", "mcts(c=1,)", "mcts(,)"};
    for (int i = 0; i < 10; i++) {
        agon_policy policy;
        assert_true(agon_scripted_open(malformed[i], q.rules, &policy, NULL) < 0);
    }
    assert_refused(longest, q.rules, AGON_EINVALID, "longer", NULL);
    question_close(&q);
}

/* Guards: games without the facts a policy needs are refused, and the fact is named. */
static void facts_are_demanded(void** state) {
    (void)state;
    question kuhn = question_open("kuhn_poker", (const int[]){-1});
    const char* search[] = {"one_ply", "alpha_beta", "mcts"};
    for (int i = 0; i < 3; i++)
        assert_refused(search[i], kuhn.rules, AGON_EUNSUPPORTED, "perfect information", NULL);
    question_close(&kuhn);
}

/* ---- nets --------------------------------------------------------------------------------- */

enum { ROWS = 300 }; /* more than one chunk */

/* One position asked ROWS times, in episodes 0, 1, ... */
typedef struct many {
    uint8_t obs[ROWS * 18], seat[ROWS];
    uint64_t mask[ROWS];
    uint32_t episode[ROWS], ply[ROWS];
    uint16_t action[ROWS];
    float probability[ROWS * 9];
} many;

static void ask_many(const question* q, const agon_policy* policy, float temperature, many* m) {
    for (uint32_t i = 0; i < ROWS; i++) {
        memcpy(m->obs + i * 18, q->obs, 18);
        m->mask[i] = q->mask[0];
        m->episode[i] = i;
        m->seat[i] = q->seat;
    }
    const agon_batch batch = {.rules = q->rules,
                              .count = ROWS,
                              .obs = m->obs,
                              .mask = m->mask,
                              .seat = m->seat,
                              .key = agon_key_make(1, "test", AGON_FOR_ACTION),
                              .episode = m->episode,
                              .ply = m->ply,
                              .temperature = temperature,
                              .action = m->action,
                              .probability = m->probability};
    policy->act(policy, &batch);
}

static void check_rows(question* q, const agon_policy* policy, const many* m) {
    for (uint32_t i = 0; i < ROWS; i++) {
        const float* row = m->probability + i * 9;
        float sum = 0;
        for (int a = 0; a < 9; a++) {
            assert_int_equal(row[a] > 0, q->mask[0] >> a & 1);
            sum += row[a];
        }
        assert_float_equal(sum, 1, 1e-5);
        assert_int_equal(ask(q, policy, i), m->action[i]);
        assert_memory_equal(q->probability, row, 9 * sizeof(float));
    }
}

/* Guards: a net's probabilities are a distribution over the legal actions; a row does not depend on
 * its batch; greedy is the most probable action, surely; another game's net is refused. */
static void net_acts(void** state) {
    (void)state;
    static many m;
    question q = question_open("tic_tac_toe", LINE(0, 4));
    const agon_net net = {.inputs = 18, .layers = 1, .hidden = {16}, .actions = 9};
    const agon_backend* backend = agon_cpu_backend();
    float* params = malloc(agon_net_size(&net) * sizeof *params);
    void* packed = aligned_alloc(64, (backend->packed_size(&net) + 63) / 64 * 64);
    agon_policy policy;
    agon_error error = {0};
    agon_net_init(&net, agon_key_make(3, "", AGON_FOR_INIT), params);
    backend->pack(&net, params, packed);
    assert_int_equal(agon_net_policy_open(backend, &net, packed, q.rules, &policy, NULL), 0);
    ask_many(&q, &policy, 1, &m);
    check_rows(&q, &policy, &m);
    int best = 0;
    for (int a = 1; a < 9; a++)
        best = m.probability[a] > m.probability[best] ? a : best;
    ask_many(&q, &policy, 0, &m);
    assert_int_equal(m.action[ROWS - 1], best);
    assert_float_equal(m.probability[(ROWS - 1) * 9 + best], 1, 0);
    agon_policy_close(&policy);

    agon_net other = net;
    other.inputs = 19;
    assert_int_equal(agon_net_policy_open(backend, &other, packed, q.rules, &policy, &error),
                     AGON_EINVALID);
    assert_non_null(strstr(error.text, "\"19-16-9 relu\", does not fit tic_tac_toe: expected 18"));
    free(packed);
    free(params);
    question_close(&q);
}

/* Promise: a net fits games of as many inputs and actions; a convolution those of the same image
 * alone, which the message shows. */
static void nets_fit_what_they_see(void** state) {
    (void)state;
    static const struct {
        const char *net, *says; /* NULL: it fits */
    } cases[] = {{"18-16-9 relu", NULL},
                 {"18-mingru16-9 tanh", NULL},
                 {"2x3x3-conv4-mingru16-9 relu", NULL},
                 {"18-16-8 relu", "(2x3x3) and 9 actions"},
                 {"19-16-9 relu", "19-16-9 relu"},
                 {"18x1x1-conv4-9 relu", "18x1x1-conv4-9 relu"},
                 {"2x9x1-conv4-9 relu", "expected 18 inputs (2x3x3)"},
                 {"1x3x6-conv4-9 relu", "somebody, net"}};
    question q = question_open("tic_tac_toe", LINE(0, 4));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon_net net;
        agon_error error = {0};
        assert_int_equal(agon_net_parse(cases[i].net, &net, NULL), AGON_OK);
        assert_int_equal(agon_net_fits(&net, q.rules, "somebody", &error),
                         cases[i].says ? AGON_EINVALID : AGON_OK);
        assert_true(!cases[i].says || strstr(error.text, cases[i].says));
    }
    question_close(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_fit_what_they_see),
        cmocka_unit_test(random_is_uniform),
        cmocka_unit_test(batch_uniform_is_keyed),
        cmocka_unit_test(one_ply_wins_then_blocks),
        cmocka_unit_test(alpha_beta_plays_on),
        cmocka_unit_test(strength_order),
        cmocka_unit_test(mcts_is_keyed),
        cmocka_unit_test(names_are_canonical),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(facts_are_demanded),
        cmocka_unit_test(net_acts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
