/* Policies with memory at probe states: they answer as if they had come there in play. */
#include "agents/backend_cpu.h"
#include "engine/gather.h"
#include "engine/lanes.h"
#include "engine/probes.h"
#include "tests/unit/task_fixture.h"
#include "tests/unit/witness_fixture.h"

static agon_probes make(const agon_rules* rules, int count) {
    agon_probes probes;
    agon_error error = {0};
    if (agon_probes_make(rules, count, 1, &probes, &error) != 0)
        fail_msg("%s: %s", rules->name, error.text);
    return probes;
}

/* ---- a witness ---------------------------------------------------------------------------- */

/* What the witness answers at a state: its line played row by row, by a loop of the test's own. */
static void expected(const agon_rules* rules, const agon_probes* p, int state, int image,
                     float* answer) {
    watched w = watch(rules);
    const int seat = p->seat[state];
    for (int32_t k = p->offset[state]; k < p->offset[state + 1]; k++)
        watched_play(&w, p->action + (size_t)k * (size_t)p->seats, image);
    watched_look(&w, seat, image);
    witness_answer(rules, w.mask, w.seen[seat], answer);
    watched_free(&w);
}

/* Decisions of the asked seat on the line, the question not among them. */
static int decisions_before(const agon_rules* rules, const agon_probes* p, int state) {
    watched w = watch(rules);
    int count = 0;
    for (int32_t k = p->offset[state]; k < p->offset[state + 1]; k++) {
        const uint64_t acting = rules->game->acting(rules->config, w.state);
        count += acting != AGON_CHANCE && (acting >> p->seat[state] & 1);
        watched_play(&w, p->action + (size_t)k * (size_t)p->seats, 0);
    }
    watched_free(&w);
    return count;
}

/* Guards: at every question the policy remembers its seat's own decisions on the line, from none
 * on: alone or with others at the same time, after chance, in long games, beyond one chunk. */
static void earlier_decisions_are_remembered(void** state) {
    (void)state;
    const struct {
        const char* game;
        int states;
    } known[] = {{"kuhn_poker", 100}, {"tic_tac_toe", 2000},   {"connect_four", 300},
                 {"goofspiel", 200},  {"tron(players=3)", 64}, {"pig", 64},
                 {"pursuit", 64},     {"leduc_poker", 100},    {"backgammon", 32}};
    for (size_t g = 0; g < sizeof known / sizeof *known; g++) {
        agon_rules* rules = open_rules(known[g].game);
        agon_probes p = make(rules, known[g].states);
        witness self = {0};
        const agon_policy policy = witness_policy(&self);
        agon_error error = {0};
        const size_t actions = (size_t)rules->spec.actions;
        float* answer = calloc((size_t)p.states * actions, sizeof *answer);
        float* wanted = calloc(actions, sizeof *wanted);
        if (agon_probes_ask(&p, rules, &policy, 1, answer, &error) != 0)
            fail_msg("%s: %s", known[g].game, error.text);
        for (int i = 0; i < p.states; i++) {
            expected(rules, &p, i, 0, wanted);
            assert_memory_equal(answer + (size_t)i * actions, wanted, actions * sizeof *wanted);
        }
        free(answer);
        free(wanted);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* Guards: lines go side by side: a question for each step of a chunk's longest line, and each
 * decision is asked about once. */
static void lines_go_side_by_side(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes p = make(rules, 256);
    witness self = {0};
    const agon_policy policy = witness_policy(&self);
    float* answer = calloc((size_t)p.states * 7, sizeof *answer);
    int longest = 0, all = 0;
    for (int i = 0; i < p.states; i++) {
        const int before = decisions_before(rules, &p, i);
        longest = before > longest ? before : longest;
        all += before + 1;
    }
    assert_true(longest > 15);
    assert_int_equal(agon_probes_ask(&p, rules, &policy, 1, answer, NULL), 0);
    assert_int_equal(self.calls, longest + 1);
    assert_int_equal(self.rows, all);
    free(answer);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: asked about an image, the policy has seen the images of its seat's earlier decisions, and
 * its answer is turned back. */
static void images_are_remembered_as_images(void** state) {
    (void)state;
    const char* games[] = {"tic_tac_toe", "connect_four"};
    for (int g = 0; g < 2; g++) {
        agon_rules* rules = open_rules(games[g]);
        agon_probes p = make(rules, 100);
        witness self = {0};
        const agon_policy policy = witness_policy(&self);
        const size_t actions = (size_t)rules->spec.actions;
        float* answer = calloc((size_t)p.states * actions, sizeof *answer);
        float* wanted = calloc(actions, sizeof *wanted);
        assert_true(rules->spec.symmetries > 1);
        for (int image = 0; image < rules->spec.symmetries; image++) {
            assert_int_equal(agon_probes_ask_image(&p, rules, &policy, image, 1, answer, NULL), 0);
            for (int i = 0; i < p.states; i++) {
                expected(rules, &p, i, image, wanted);
                for (size_t a = 0; a < actions; a++) {
                    const int to =
                        image ? rules->game->symmetry_action(rules->config, image, (int)a) : (int)a;
                    assert_true(answer[(size_t)i * actions + a] == wanted[to]);
                }
            }
        }
        free(answer);
        free(wanted);
        agon_probes_close(&p);
        agon_rules_close(rules);
    }
}

/* ---- a net -------------------------------------------------------------------------------- */

static agon_net mingru_net(const agon_rules* rules) {
    return (agon_net){.inputs = rules->entries,
                      .layers = 3,
                      .hidden = {12, 8, 6},
                      .kind = {AGON_MINGRU, AGON_DENSE, AGON_MINGRU},
                      .actions = rules->spec.actions,
                      .activation = AGON_TANH};
}

typedef struct playing {
    agon_net net;
    float* params;
    void* packed;
    agon_policy policy;
} playing;

/* Weights are large, so that what is remembered changes what is done. */
static playing open_net(const agon_rules* rules) {
    const agon_backend* backend = agon_cpu_backend();
    playing p = {.net = mingru_net(rules)};
    agon_error error = {0};
    p.params = make_params(&p.net, 3, 400);
    p.packed = aligned_alloc(64, (backend->packed_size(&p.net) + 63) / 64 * 64);
    assert_non_null(p.packed);
    backend->pack(&p.net, p.params, p.packed);
    if (agon_net_policy_open(backend, &p.net, p.packed, rules, &p.policy, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(p.policy.memory, 18);
    assert_string_not_equal(p.policy.name, "");
    return p;
}

static void close_net(playing* p) {
    agon_policy_close(&p->policy);
    free(p->packed);
    free(p->params);
}

enum { LANES = 64, MOST = 4096 };

/* Decisions of lanes as probe states: the rows that each lane has played, chance included. */
typedef struct recorded {
    const agon_rules* rules;
    agon_probes probes;
    uint16_t* rows[LANES]; /* of the lane's line */
    int count[LANES];
    char* mirror[LANES]; /* (state_size) where the rows have come to */
    float done[MOST];    /* probability of what was chosen */
    uint16_t chosen[MOST];
} recorded;

static void append_row(recorded* r, int lane, const uint16_t* action) {
    const agon_rules* rules = r->rules;
    const size_t seats = (size_t)rules->spec.seats;
    float reward[AGON_MAX_SEATS] = {0};
    uint16_t* row = r->rows[lane] + (size_t)r->count[lane]++ * seats;
    const uint64_t acting = rules->game->acting(rules->config, r->mirror[lane]);
    for (size_t s = 0; s < seats; s++)
        row[s] = acting == AGON_CHANCE ? (s ? 0 : action[0]) : acting >> s & 1 ? action[s] : 0;
    assert_int_equal(rules->game->apply(rules->config, r->mirror[lane], row, reward), 0);
}

/* Chance as the lanes draw it. */
static void append_chance(recorded* r, const agon_lanes* l, int lane) {
    const agon_rules* rules = r->rules;
    for (uint32_t draw = 0; rules->game->acting(rules->config, r->mirror[lane]) == AGON_CHANCE;
         draw++) {
        const uint16_t outcome = (uint16_t)agon_rules_chance(
            rules, r->mirror[lane], l->def.chance, l->chance_episode[lane], l->ply[lane], draw);
        append_row(r, lane, &outcome);
    }
}

/* The decision of a slot becomes a state. */
static void append_state(recorded* r, const agon_lanes* l, int slot) {
    agon_probes* p = &r->probes;
    const int lane = (int)l->slot_lane[slot], i = p->states;
    const size_t seats = (size_t)p->seats;
    if (i == MOST)
        return;
    memcpy(p->action + (size_t)p->offset[i] * seats, r->rows[lane],
           (size_t)r->count[lane] * seats * sizeof *p->action);
    p->offset[i + 1] = p->offset[i] + r->count[lane];
    p->seat[i] = l->slot_seat[slot];
    p->ply[i] = (int32_t)l->ply[lane];
    p->states++;
    r->done[i] = expf(l->log_probability[slot]);
    r->chosen[i] = l->slot_action[slot];
}

static void recorded_open(recorded* r, const agon_rules* rules) {
    const size_t rows = (size_t)rules->spec.max_plies * 3 + 8, seats = (size_t)rules->spec.seats;
    memset(r, 0, sizeof *r);
    r->rules = rules;
    r->probes.seats = rules->spec.seats;
    r->probes.offset = calloc(MOST + 1, sizeof *r->probes.offset);
    r->probes.action = calloc(MOST * rows * seats, sizeof *r->probes.action);
    r->probes.seat = calloc(MOST, 1);
    r->probes.ply = calloc(MOST, sizeof *r->probes.ply);
    for (int lane = 0; lane < LANES; lane++) {
        r->rows[lane] = calloc(rows * seats, sizeof *r->rows[lane]);
        r->mirror[lane] = calloc(1, rules->spec.state_size);
    }
}

static void recorded_close(recorded* r) {
    agon_probes_close(&r->probes);
    for (int lane = 0; lane < LANES; lane++) {
        free(r->rows[lane]);
        free(r->mirror[lane]);
    }
}

/* One episode in every lane, the net in all seats. */
static void record_games(recorded* r, const playing* net) {
    const agon_rules* rules = r->rules;
    const agon_player player = {&net->net, net->packed, NULL};
    const agon_lanes_def def = {.rules = rules,
                                .backend = agon_cpu_backend(),
                                .lanes = LANES,
                                .players = 1,
                                .player = &player,
                                .chance = agon_key_make(1, "", AGON_FOR_CHANCE),
                                .action = agon_key_make(1, "", AGON_FOR_ACTION),
                                .temperature = 1};
    agon_lanes* l = NULL;
    int live = LANES;
    assert_int_equal(agon_lanes_open(&def, &l, NULL), AGON_OK);
    for (int lane = 0; lane < LANES; lane++) {
        agon_lanes_start(l, lane, (uint32_t)lane, (uint32_t)lane);
        rules->game->init(rules->config, r->mirror[lane]);
        append_chance(r, l, lane);
    }
    while (live) {
        agon_lanes_decide(l);
        for (int slot = 0; slot < l->slots; slot++)
            append_state(r, l, slot);
        for (int lane = 0; lane < LANES; lane++) {
            if (l->live[lane])
                append_row(r, lane, l->action + (size_t)lane * (size_t)l->seats);
        }
        agon_lanes_play(l);
        for (int lane = 0; lane < LANES; lane++) {
            if (!l->live[lane])
                continue;
            append_chance(r, l, lane);
            live -= !l->acting[lane];
            l->live[lane] = l->acting[lane] != 0;
        }
    }
    agon_lanes_close(l);
}

/* Guards: what a net with memory does in play is what it answers when it is asked about that
 * place: every decision of whole games, with chance, hidden cards and seats that act together. */
static void answers_are_those_of_play(void** state) {
    (void)state;
    const char* games[] = {"kuhn_poker", "connect_four", "goofspiel(cards=5)", "tron", "pig"};
    for (int g = 0; g < 5; g++) {
        agon_rules* rules = open_rules(games[g]);
        const size_t actions = (size_t)rules->spec.actions;
        playing net = open_net(rules);
        static recorded r;
        agon_error error = {0};
        recorded_open(&r, rules);
        record_games(&r, &net);
        float* answer = calloc((size_t)r.probes.states * actions, sizeof *answer);
        if (agon_probes_ask(&r.probes, rules, &net.policy, 1, answer, &error) != 0)
            fail_msg("%s: %s", games[g], error.text);
        for (int i = 0; i < r.probes.states; i++)
            assert_float_equal(answer[(size_t)i * actions + r.chosen[i]], r.done[i], 1e-5);
        free(answer);
        recorded_close(&r);
        close_net(&net);
        agon_rules_close(rules);
    }
}

/* ---- inside a net ------------------------------------------------------------------------- */

/* What a net remembers after the decision that it is asked about, one row at a time. */
static void remember_alone(const agon_rules* rules, const agon_probes* p, int state,
                           const agon_policy* policy, float* memory) {
    watched w = watch(rules);
    const uint8_t seat = p->seat[state];
    const uint32_t zero = 0;
    const agon_batch batch = {.rules = rules,
                              .count = 1,
                              .obs = w.obs,
                              .mask = w.mask,
                              .states = w.state,
                              .lane = &zero,
                              .seat = &seat,
                              .episode = &zero,
                              .ply = &zero,
                              .memory = memory,
                              .temperature = 1};
    memset(memory, 0, (size_t)policy->memory * sizeof *memory);
    for (int32_t k = p->offset[state]; k < p->offset[state + 1]; k++) {
        const uint64_t acting = rules->game->acting(rules->config, w.state);
        if (acting != AGON_CHANCE && (acting >> seat & 1)) {
            watched_look(&w, seat, 0);
            policy->act(policy, &batch);
        }
        watched_play(&w, p->action + (size_t)k * (size_t)p->seats, 0);
    }
    watched_look(&w, seat, 0);
    policy->act(policy, &batch);
    watched_free(&w);
}

/* Guards: the last hidden layer that is compared between nets is that of a net which remembers its
 * line: here a minGRU layer, whose outputs are its new memory. */
static void insides_are_those_of_play(void** state) {
    (void)state;
    agon_rules* rules = open_rules("connect_four");
    agon_probes p = make(rules, 300);
    playing net = open_net(rules);
    shelf s = {0};
    agon_snapshot_info info = {.steps = 7};
    agon_bytes blob = {0};
    agon_evidence e = {0};
    agon_error error = {0};
    float memory[18];
    snprintf(info.game, sizeof info.game, "%s", rules->name);
    assert_int_equal(agon_snapshot_encode(&net.net, net.params, &info, &blob, NULL), AGON_OK);
    char label[1][AGON_LABEL] = {"net"}, ref[1][AGON_REF_SIZE];
    snprintf(ref[0], AGON_REF_SIZE, "%s", shelf_put(&s, &blob));
    const agon_gather g = {.rules = rules,
                           .backend = agon_cpu_backend(),
                           .load = shelf_load,
                           .load_user = &s,
                           .agents = 1,
                           .label = label,
                           .ref = ref};
    if (agon_gather_insides(&g, &p, &e, &error) != AGON_OK)
        fail_msg("%s", error.text);
    assert_int_equal(e.insides.inputs, 256);
    assert_int_equal(e.insides.width, 6);
    for (int i = 0; i < e.insides.inputs; i++) {
        remember_alone(rules, &p, i, &net.policy, memory);
        assert_memory_equal(e.insides.activation + (size_t)i * 6, memory + 12, 6 * sizeof *memory);
    }
    agon_evidence_clear(&e);
    shelf_clear(&s);
    close_net(&net);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

/* Guards: a last layer as wide as the points and channels of a convolution is not looked at through
 * a matrix of gigabytes; the evidence says why it lacks. */
static void wide_insides_are_left_out(void** state) {
    (void)state;
    agon_rules* rules = open_rules("tic_tac_toe");
    agon_probes p = make(rules, 8);
    const agon_net net = {.inputs = rules->entries,
                          .layers = 1,
                          .hidden = {4096},
                          .kind = {AGON_CONV},
                          .kernel = {1},
                          .planes = rules->spec.planes,
                          .rows = rules->spec.rows,
                          .cols = rules->spec.cols,
                          .actions = rules->spec.actions};
    shelf s = {0};
    agon_snapshot_info info = {.steps = 7};
    agon_bytes blob = {0};
    agon_evidence e = {0};
    float* params = make_params(&net, 3, 1);
    snprintf(info.game, sizeof info.game, "%s", rules->name);
    assert_int_equal(agon_snapshot_encode(&net, params, &info, &blob, NULL), AGON_OK);
    char label[1][AGON_LABEL] = {"net"}, ref[1][AGON_REF_SIZE];
    snprintf(ref[0], AGON_REF_SIZE, "%s", shelf_put(&s, &blob));
    const agon_gather g = {.rules = rules,
                           .backend = agon_cpu_backend(),
                           .load = shelf_load,
                           .load_user = &s,
                           .agents = 1,
                           .label = label,
                           .ref = ref};
    assert_int_equal(agon_gather_insides(&g, &p, &e, NULL), AGON_OK);
    assert_null(e.insides.activation);
    assert_non_null(strstr(e.why.insides, "36864 numbers are too wide"));
    agon_evidence_clear(&e);
    shelf_clear(&s);
    free(params);
    agon_probes_close(&p);
    agon_rules_close(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earlier_decisions_are_remembered),
        cmocka_unit_test(lines_go_side_by_side),
        cmocka_unit_test(images_are_remembered_as_images),
        cmocka_unit_test(answers_are_those_of_play),
        cmocka_unit_test(insides_are_those_of_play),
        cmocka_unit_test(wide_insides_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
