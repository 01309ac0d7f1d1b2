/* Several probe sets in one file, positions asked through a symmetry, and facts about questions. */
#include "engine/probes.h"
#include "tests/unit/rules_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static agon_probes make(const agon_rules* rules, int count, uint64_t seed) {
    agon_probes probes;
    agon_error error = {0};
    if (agon_probes_make(rules, count, seed, &probes, &error) != 0)
        fail_msg("%s: %s", rules->name, error.text);
    return probes;
}

static void* copy(const void* from, size_t size) {
    void* to = malloc(size + 1);
    assert_non_null(to);
    memcpy(to, from, size);
    return to;
}

/* A sampled set of connect four under another name, with what that set needs. */
static agon_probes dress(const agon_probes* u, agon_probe_set set, const agon_rules* rules) {
    const size_t n = (size_t)u->states, actions = (size_t)rules->spec.actions;
    agon_probes p = {.set = set, .states = u->states, .seats = u->seats};
    p.offset = copy(u->offset, (n + 1) * sizeof *p.offset);
    p.action = copy(u->action, (size_t)u->offset[n] * (size_t)u->seats * sizeof *p.action);
    p.seat = copy(u->seat, n);
    p.ply = copy(u->ply, n * sizeof *p.ply);
    p.weight = copy(u->weight, n * sizeof *p.weight);
    if (set == AGON_PROBES_B) {
        p.runs = 2;
        p.origin = calloc(2, AGON_PROBE_ORIGIN);
        p.origin[AGON_PROBE_ORIGIN] = 1;
        p.source = calloc(n, sizeof *p.source);
        p.source[n - 1] = 5;
        return p;
    }
    uint8_t* legal = malloc(n * actions);
    agon_probe_strata strata;
    p.worth = malloc(n * actions * sizeof *p.worth);
    assert_int_equal(agon_probes_facts(u, rules, NULL, legal, NULL, &strata, NULL), 0);
    for (size_t i = 0; i < n * actions; i++)
        p.worth[i] = legal[i] ? (double)(i % 3) - 1 : (double)NAN;
    p.limit = 1000;
    p.unsolved = 7;
    free(legal);
    return p;
}

typedef struct all {
    agon_rules* rules;
    agon_probe_sets sets;
} all;

static all* open_all(void) {
    all* a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->rules = open_rules("connect_four");
    a->sets.set[AGON_PROBES_U] = make(a->rules, 40, 1);
    for (int i = AGON_PROBES_B; i <= AGON_PROBES_X; i++) {
        agon_probes other = make(a->rules, 30, 1 + (uint64_t)i);
        a->sets.set[i] = dress(&other, (agon_probe_set)i, a->rules);
        agon_probes_close(&other);
    }
    return a;
}

static void close_all(all* a) {
    agon_probe_sets_close(&a->sets);
    agon_rules_close(a->rules);
    free(a);
}

static agon_bytes encode(const all* a) {
    agon_bytes bytes;
    assert_int_equal(agon_probe_sets_encode(&a->sets, a->rules, &bytes, NULL), 0);
    return bytes;
}

static void assert_same(const agon_probes* a, const agon_probes* b, size_t actions) {
    const size_t n = (size_t)a->states;
    assert_int_equal(a->set, b->set);
    assert_int_equal(a->states, b->states);
    assert_int_equal(a->runs, b->runs);
    assert_int_equal(a->limit, b->limit);
    assert_int_equal(a->unsolved, b->unsolved);
    assert_memory_equal(a->offset, b->offset, (n + 1) * sizeof *a->offset);
    assert_memory_equal(a->weight, b->weight, n * sizeof *a->weight);
    assert_int_equal(a->worth != NULL, b->worth != NULL);
    assert_int_equal(a->source != NULL, b->source != NULL);
    if (a->worth)
        assert_memory_equal(a->worth, b->worth, n * actions * sizeof *a->worth);
    if (a->source)
        assert_memory_equal(a->source, b->source, n * sizeof *a->source);
    if (a->origin)
        assert_memory_equal(a->origin, b->origin, (size_t)a->runs * AGON_PROBE_ORIGIN);
}

/* Guards: what is written is what is read, all sets and any choice of them, and the set that a run
 * is measured on is B, else U, never X alone. */
static void sets_round_trip(void** state) {
    (void)state;
    all* a = open_all();
    const size_t actions = (size_t)a->rules->spec.actions;
    for (int keep = 1; keep < 1 << AGON_PROBE_SETS; keep++) {
        agon_probe_sets some = a->sets, back;
        agon_probes live = {0};
        agon_bytes bytes;
        agon_error error = {0};
        for (int i = 0; i < AGON_PROBE_SETS; i++)
            some.set[i].states = keep >> i & 1 ? some.set[i].states : 0;
        assert_int_equal(agon_probe_sets_encode(&some, a->rules, &bytes, NULL), 0);
        if (agon_probe_sets_decode(bytes.data, bytes.size, a->rules, &back, &error) != 0)
            fail_msg("%s", error.text);
        for (int i = 0; i < AGON_PROBE_SETS; i++) {
            if (keep >> i & 1)
                assert_same(&some.set[i], &back.set[i], actions);
            else
                assert_int_equal(back.set[i].states, 0);
        }
        const int code = agon_probes_decode(bytes.data, bytes.size, a->rules, &live, &error);
        assert_int_equal(code, keep == 1 << AGON_PROBES_X ? AGON_EMISSING : 0);
        if (code == 0)
            assert_same(&some.set[keep >> AGON_PROBES_B & 1 ? AGON_PROBES_B : AGON_PROBES_U], &live,
                        actions);
        agon_probes_close(&live);
        agon_probe_sets_close(&back);
        free(bytes.data);
    }
    close_all(a);
}

static void assert_refused(const all* a, const char* says) {
    agon_probe_sets out;
    agon_error error = {0};
    agon_bytes bytes = encode(a);
    assert_int_equal(agon_probe_sets_decode(bytes.data, bytes.size, a->rules, &out, &error),
                     AGON_EFORMAT);
    if (!strstr(error.text, says))
        fail_msg("said '%s', expected '%s'", error.text, says);
    free(bytes.data);
}

/* Changes one number, expects the refusal, puts it back. */
#define REFUSED_WITH(place, wrong, says)                                                           \
    do {                                                                                           \
        __typeof__(place) kept = (place);                                                          \
        (place) = (wrong);                                                                         \
        assert_refused(a, says);                                                                   \
        (place) = kept;                                                                            \
    } while (0)

/* Guards: what only B or X has is checked, and the refusal names set and place. */
static void damaged_sets_are_refused(void** state) {
    (void)state;
    all* a = open_all();
    agon_probes *b = &a->sets.set[AGON_PROBES_B], *x = &a->sets.set[AGON_PROBES_X];
    int illegal = 0, legal = 0;
    while (!isnan(x->worth[illegal]))
        illegal++;
    while (isnan(x->worth[legal]))
        legal++;
    REFUSED_WITH(b->weight[0], .9, "B.weight add up");
    REFUSED_WITH(b->seat[1], 1 - b->seat[1], "state 1 of set B");
    REFUSED_WITH(b->source[3], 6, "B.source of state 3 is 6");
    REFUSED_WITH(b->source[3], -1, "B.source of state 3 is -1");
    REFUSED_WITH(b->origin[0], 1, "B.origin of run 1");
    REFUSED_WITH(x->worth[illegal], 0, "X.worth");
    REFUSED_WITH(x->worth[legal], (double)NAN, "X.worth");
    REFUSED_WITH(x->worth[legal], 1.5, "X.worth");
    REFUSED_WITH(x->worth[legal], -INFINITY, "X.worth");
    REFUSED_WITH(x->limit, -1, "X.limit");
    REFUSED_WITH(x->unsolved, -5, "X.unsolved");
    REFUSED_WITH(x->ply[2], 99, "set X");
    close_all(a);
}

/* Guards: an agent that treats mirrored positions alike by its making is found to do so: the
 * answers that come back through every symmetry are those to the positions themselves. */
static void symmetric_agents_answer_alike(void** state) {
    (void)state;
    const char* games[] = {"tic_tac_toe", "connect_four", "othello"};
    const char* agents[] = {"random", "one_ply"};
    for (int g = 0; g < 3; g++) {
        agon_rules* rules = open_rules(games[g]);
        agon_probes p = make(rules, 120, 1);
        const size_t cells = (size_t)p.states * (size_t)rules->spec.actions;
        float* plain = malloc(2 * cells * sizeof *plain);
        assert_non_null(plain);
        float* image = plain + cells;
        assert_true(rules->spec.symmetries > 1);
        for (int k = 0; k < 2; k++) {
            agon_policy policy;
            assert_int_equal(agon_scripted_open(agents[k], rules, &policy, NULL), 0);
            assert_int_equal(agon_probes_ask(&p, rules, &policy, 1, plain, NULL), 0);
            for (int s = 0; s < rules->spec.symmetries; s++) {
                memset(image, 0xff, cells * sizeof *image);
                assert_int_equal(agon_probes_ask_image(&p, rules, &policy, s, 1, image, NULL), 0);
                assert_memory_equal(plain, image, cells * sizeof *plain);
            }
            agon_policy_close(&policy);
        }
        free(plain);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* Prefers the action of the lowest number: not symmetric. */
static void act_lowest(const agon_policy* policy, const agon_batch* batch) {
    const int actions = batch->rules->spec.actions, words = batch->rules->mask_words;
    (void)policy;
    for (int i = 0; i < batch->count; i++) {
        const uint64_t* mask = batch->mask + (size_t)i * (size_t)words;
        for (int a = 0; a < actions; a++)
            batch->probability[(size_t)i * (size_t)actions + (size_t)a] =
                a == agon_mask_nth(mask, words, 0);
    }
}

/* Guards: an agent that is not symmetric is told from one that is, in the direction that was meant:
 * in connect four the lowest column of the mirror image is the highest column. */
static void asymmetric_agents_do_not(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes p = make(rules, 100, 1);
    const agon_policy lowest = {.act = act_lowest};
    float* answer = malloc((size_t)p.states * 7 * sizeof *answer);
    uint8_t* legal = malloc((size_t)p.states * 7);
    agon_probe_strata strata;
    assert_int_equal(agon_probes_ask_image(&p, rules, &lowest, 1, 1, answer, NULL), 0);
    assert_int_equal(agon_probes_facts(&p, rules, NULL, legal, NULL, &strata, NULL), 0);
    for (int i = 0; i < p.states; i++) {
        int highest = 6;
        while (!legal[i * 7 + highest])
            highest--;
        for (int a = 0; a < 7; a++)
            assert_true(answer[i * 7 + a] == (a == highest));
    }
    free(legal);
    free(answer);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: a game without symmetries, and a number beyond, are refused by name. */
static void missing_symmetries_are_refused(void** state) {
    (void)state;
    agon_rules* rules = open_rules("kuhn_poker");
    agon_probes p = make(rules, 100, 1);
    agon_policy policy;
    agon_error error = {0};
    float answer[24];
    assert_int_equal(agon_scripted_open("random", rules, &policy, NULL), 0);
    assert_int_equal(agon_probes_ask_image(&p, rules, &policy, 1, 1, answer, &error),
                     AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "kuhn_poker has no symmetry 1"));
    assert_int_equal(agon_probes_ask_image(&p, rules, &policy, -1, 1, answer, &error),
                     AGON_EUNSUPPORTED);
    assert_int_equal(agon_probes_ask_image(&p, rules, &policy, 0, 1, answer, &error), 0);
    agon_policy_close(&policy);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: strata are the buckets that the weights were made of: each weighs the same, in order of
 * plies, and the label says which plies. */
static void strata_are_the_buckets(void** state) {
    (void)state;
    const struct {
        const char* game;
        int states, strata;
        const char *first, *last;
    } known[] = {{"kuhn_poker", 100, 3, "ply 0", "ply 2"},
                 {"matrix", 100, 1, "ply 0", "ply 0"}, /* seats that act together: one ply */
                 {"tic_tac_toe", 2000, 8, "ply 0", "ply 7"},
                 {"connect_four", 512, 8, "plies 3-5", "plies 36-40"},
                 {"connect_four", 3, 3, NULL, NULL}};
    for (int g = 0; g < 5; g++) {
        agon_rules* rules = open_rules(known[g].game);
        agon_probes p = make(rules, known[g].states, 1);
        double weight[AGON_PROBE_BUCKETS] = {0};
        int* stratum = malloc((size_t)p.states * sizeof *stratum);
        agon_probe_strata strata;
        assert_int_equal(agon_probes_facts(&p, rules, NULL, NULL, stratum, &strata, NULL), 0);
        assert_int_equal(strata.count, known[g].strata);
        for (int i = 0; i < p.states; i++)
            weight[stratum[i]] += p.weight[i];
        for (int k = 0; k < strata.count; k++)
            assert_true(fabs(weight[k] - 1.0 / strata.count) < 1e-9);
        if (known[g].first) {
            assert_string_equal(strata.label[0], known[g].first);
            assert_string_equal(strata.label[strata.count - 1], known[g].last);
        }
        free(stratum);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* Guards: weights that tell no buckets give strata of equal width, none empty. */
static void other_weights_have_strata(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes p = make(rules, 64, 1);
    agon_probe_strata strata;
    int stratum[64], count[AGON_PROBE_BUCKETS] = {0};
    p.weight[0] += 1e-3;
    p.weight[1] -= 1e-3;
    assert_int_equal(agon_probes_facts(&p, rules, NULL, NULL, stratum, &strata, NULL), 0);
    assert_int_equal(strata.count, 8);
    for (int i = 0; i < p.states; i++) {
        assert_in_range(stratum[i], 0, 7);
        count[stratum[i]]++;
        if (i > 0 && p.ply[i] > p.ply[i - 1])
            assert_true(stratum[i] >= stratum[i - 1]);
    }
    for (int k = 0; k < 8; k++)
        assert_true(count[k] > 0);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: options and legal actions are those of the game: tic-tac-toe has 9 - ply. */
static void options_are_legal_actions(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 2000, 1);
    int* options = malloc((size_t)p.states * sizeof *options);
    uint8_t* legal = malloc((size_t)p.states * 9);
    agon_probe_strata strata;
    assert_int_equal(agon_probes_facts(&p, rules, options, legal, NULL, &strata, NULL), 0);
    for (int i = 0; i < p.states; i++) {
        int sum = 0;
        for (int a = 0; a < 9; a++)
            sum += legal[i * 9 + a];
        assert_int_equal(options[i], 9 - p.ply[i]);
        assert_int_equal(sum, 9 - p.ply[i]);
    }
    free(legal);
    free(options);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_round_trip),
        cmocka_unit_test(damaged_sets_are_refused),
        cmocka_unit_test(symmetric_agents_answer_alike),
        cmocka_unit_test(asymmetric_agents_do_not),
        cmocka_unit_test(missing_symmetries_are_refused),
        cmocka_unit_test(strata_are_the_buckets),
        cmocka_unit_test(other_weights_have_strata),
        cmocka_unit_test(options_are_legal_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
