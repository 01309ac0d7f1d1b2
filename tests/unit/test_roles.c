/* A population per role, in a game of two: rectangles, matches, league, planner, measurement. */
#include "engine/measure.h"
#include "engine/probes.h"
#include "engine/rollout.h"
#include "games/internal.h"
#include "tests/unit/plan_fixture.h"
#include "tests/unit/task_fixture.h"

#include <cjson/cJSON.h>
#include <pthread.h>

/* ---- the game: seats 0 and 2 hunt seat 1 -------------------------------------------------- */

/* Three rounds: each seat goes left or right, all at once. A hunter beside the prey gains 1/2, the
 * prey loses what hunters gain. */
typedef struct hunt {
    uint8_t round, last[3], rights[3], unused;
} hunt;

#define hunt_STATE             sizeof(hunt)
#define hunt_seats(config)     3
#define hunt_obs_bytes(config) 5
#define hunt_words(config)     1

enum { HUNTERS = 5, PREY = 2, ALL = 7 }; /* sets of seats */

static int hunt_configure(agon_params* params, agon_spec* spec, void* config) {
    spec->seats = 3;
    spec->actions = 2;
    spec->simultaneous = 1;
    spec->utility = AGON_ZERO_SUM;
    spec->information = AGON_IMPERFECT;
    spec->max_plies = 3;
    spec->return_min = -3;
    spec->return_max = 1.5f;
    spec->state_size = sizeof(hunt);
    spec->planes = spec->rows = 1;
    spec->cols = 5;
    spec->obs_scale = 1;
    spec->plane_names[0] = "seen";
    spec->symmetries = 1;
    spec->team[0] = spec->team[2] = 1;
    spec->role[1] = 1;
    spec->role_names[0] = "hunter";
    spec->role_names[1] = "prey";
    spec->features = spec->stats = 1;
    spec->feature_names[0] = "rights";
    spec->stat_names[0] = "all_rights";
    return 0;
}

static void hunt_init(const void* config, void* state) {
    memset(state, 0, sizeof(hunt));
}

static uint64_t hunt_acting(const void* config, const void* state) {
    return ((const hunt*)state)->round < 3 ? ALL : 0;
}

static void hunt_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    *mask = 3;
}

static int hunt_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    hunt* h = state;
    for (int seat = 0; seat < 3; seat++) {
        h->last[seat] = (uint8_t)action[seat];
        h->rights[seat] = (uint8_t)(h->rights[seat] + action[seat]);
        if (seat != 1 && action[seat] == action[1]) {
            reward[seat] += 0.5f;
            reward[1] -= 0.5f;
        }
    }
    h->round++;
    return 0;
}

static void hunt_observe(const void* config, const void* state, int seat, void* out) {
    const hunt* h = state;
    const uint8_t seen[5] = {(uint8_t)seat, h->round, h->last[0], h->last[1], h->last[2]};
    memcpy(out, seen, sizeof seen);
}

static void hunt_features(const void* config, const void* state, int seat, float* out) {
    out[0] = ((const hunt*)state)->rights[seat];
}

static void hunt_stats(const void* config, const void* state, float* out) {
    const hunt* h = state;
    out[0] = (float)(h->rights[0] + h->rights[1] + h->rights[2]);
}

AGON_GAME_BATCH(hunt)

const agon_game agon_game_hunt = {
    AGON_GAME_HEAD(hunt, 1, "two hunters and one prey", 0),
    .features = hunt_features,
    .stats = hunt_stats,
};

static agon_rules* open_hunt(void) {
    agon__game_string string;
    agon_rules* rules = NULL;
    agon_error error = {0};
    assert_int_equal(agon__game_string_parse("hunt", &string, &error), 0);
    if (agon__rules_open_game(&agon_game_hunt, &string, &rules, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return rules;
}

/* As run_task, in a game that is not built in: the context has met it already. */
static int run_hunt(const agon_task* task,
                    int (*load)(void*, const char*, uint8_t**, size_t*, agon_error*), void* user,
                    agon_result* out, agon_error* error) {
    agon_context context = {.backend = agon_cpu_backend(), .load = load, .user = user};
    context.rules = open_hunt();
    context.fingerprint = agon_rules_fingerprint(context.rules);
    snprintf(context.game, sizeof context.game, "%s", context.rules->name);
    const int rc = agon_execute(task, &context, out, error);
    agon_context_clear(&context);
    return rc;
}

static agon_match_result match_hunt(const agon_task* task, shelf* s) {
    agon_result result = {0};
    agon_error error = {0};
    if (run_hunt(task, shelf_load, s, &result, &error) != AGON_OK)
        fail_msg("%s", error.text);
    const agon_match_result match = result.as.match;
    agon_result_clear(&result);
    return match;
}

/* ---- rectangles --------------------------------------------------------------------------- */

/* Promise: with own_seats a row is one of these seats, in order, and every lane has one opponent in
 * all other seats. */
static void rows_are_the_seats_of_the_role(void** state) {
    (void)state;
    enum { LANES = 5, HORIZON = 7 };
    static const uint64_t own[2] = {HUNTERS, PREY};
    agon_rules* rules = open_hunt();
    const agon_backend* backend = agon_cpu_backend();
    const agon_net net = make_net(rules, 8);
    agon_learner* learner = agon_learner_open(&net, backend);
    agon_policy random;
    assert_non_null(learner);
    agon_net_init(&net, agon_key_make(1, "roles", AGON_FOR_INIT), learner->params);
    backend->pack(&net, learner->params, learner->packed);
    assert_int_equal(agon_scripted_open("random", rules, &random, NULL), 0);
    const agon_player opponent[2] = {{NULL, NULL, &random}, {&net, learner->packed, NULL}};
    for (int role = 0; role < 2; role++) {
        const int rows = __builtin_popcountll(own[role]);
        const agon_rollout_def def = {
            .rules = rules,
            .backend = backend,
            .learner = learner,
            .own_seats = own[role],
            .opponents = 2,
            .opponent = opponent,
            .lanes = LANES,
            .horizon = HORIZON,
            .chance = agon_key_make(1, "roles", AGON_FOR_CHANCE),
            .action = agon_key_make(1, "roles", AGON_FOR_ACTION),
        };
        agon_rollout* r = NULL;
        assert_int_equal(agon_rollout_open(&def, &r, NULL), 0);
        for (int round = 0; round < 3; round++) {
            assert_int_equal(agon_rollout_collect(r, NULL), 0);
            assert_int_equal(r->data->rows, LANES * rows);
            for (int i = 0; i < r->data->rows * HORIZON; i++) {
                const int place = i / HORIZON % rows;
                assert_int_equal(((const uint8_t*)r->data->obs)[r->data->place[i] * 5],
                                 role ? 1 : 2 * place);
            }
        }
        for (int lane = 0; lane < LANES; lane++)
            for (int seat = 0; seat < 3; seat++)
                assert_int_equal(r->part[0].lanes->player_of[lane * 3 + seat],
                                 own[role] >> seat & 1 ? 0 : 1 + lane % 2);
        assert_int_equal(r->steps, 3 * LANES * rows * HORIZON);
        assert_true(fabs(r->return_sum) > 0 && r->other_steps > 0);
        agon_rollout_close(r);
    }
    agon_policy_close(&random);
    agon_learner_close(learner);
    agon_rules_close(rules);
}

/* ---- matches ------------------------------------------------------------------------------ */

/* Promise: with row_seats the row holds these seats in every game, its score is their mean, every
 * game counts by itself; and the same games seen from the other side give the other's score. */
static void both_sides_tell_the_same(void** state) {
    (void)state;
    enum { GAMES = 301 }; /* more than are played side by side, and odd */
    shelf s = {0};
    agon_rules* rules = open_hunt();
    const char* hunter = shelf_snapshot(&s, rules, 8, 1);
    agon_task task = match_task(rules, hunter, "random", GAMES);
    task.as.match.row_seats = HUNTERS;
    const agon_match_result a = match_hunt(&task, &s);
    snprintf(task.as.match.row_ref, AGON_REF_SIZE, "random");
    snprintf(task.as.match.col_ref, AGON_REF_SIZE, "%s", hunter);
    task.as.match.row_seats = PREY;
    const agon_match_result b = match_hunt(&task, &s);
    assert_true(a.seats == 3 && a.pairs == GAMES && b.pairs == GAMES);
    assert_int_equal(agon_match_games(&a), GAMES);
    assert_int_equal(a.tally[0].games, GAMES);
    assert_int_equal(b.tally[1].games, GAMES);
    assert_true(a.tally[0].wins == b.tally[1].losses && a.tally[0].losses == b.tally[1].wins);
    assert_true(a.tally[0].sum == -b.tally[1].sum / 2 && a.tally[0].sum != 0);
    assert_true(a.pair_sum == a.tally[0].sum && b.pair_sum == b.tally[1].sum);
    assert_true(a.pair_sum_squares == a.tally[0].sum_squares);
    assert_int_equal(a.row_steps, 2 * 3 * GAMES);
    assert_int_equal(a.col_steps, 3 * GAMES);
    /* Features are means over seats: two hunters and one prey make up the whole. */
    assert_true(a.feature[0].row == b.feature[0].col && a.feature[0].col == b.feature[0].row);
    assert_true(fabs(2 * a.feature[0].row + a.feature[0].col - a.stat[0]) < 1e-9);
    agon_rules_close(rules);
    shelf_clear(&s);
}

/* Promise: seats that the game has not, and opponents that do not fit the seats, are refused. */
static void wrong_seats_are_refused(void** state) {
    (void)state;
    agon_rules* rules = open_hunt();
    agon_task match = match_task(rules, "random", "random", 4);
    agon_task train = make_task(AGON_TRAIN, rules, "train/1/0");
    agon_train_task* t = &train.as.train;
    agon_result result = {0};
    agon_error error = {0};
    match.as.match.row_seats = 8;
    assert_int_equal(run_hunt(&match, shelf_load, NULL, &result, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "row_seats 0x8"));
    snprintf(t->net, sizeof t->net, "5-4-2 relu");
    t->lanes = t->horizon = t->rollouts = t->ppo.epochs = t->ppo.minibatches = 1;
    t->ppo.discount = 1;
    snprintf(t->opponent[0], AGON_REF_SIZE, "random");
    const struct {
        uint64_t own;
        int opponents;
        const char* part;
    } wrong[] = {{9, 1, "own_seats 0x9"}, {ALL, 1, "1 opponents"}, {HUNTERS, 0, "0 opponents"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        t->own_seats = wrong[i].own;
        t->opponents = wrong[i].opponents;
        assert_int_equal(run_hunt(&train, shelf_load, NULL, &result, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, wrong[i].part));
    }
    agon_rules_close(rules);
}

/* ---- planner and league ------------------------------------------------------------------- */

enum { SIZE = 3, MAX_TASKS = 1024 };

static int try_open_roles(plan_bench* b, const char* const* settings, agon_error* error) {
    memset(b, 0, sizeof *b);
    configure_small(&b->config, "hunt", NULL);
    configure(&b->config, "population.size", "3");
    configure(&b->config, "population.roles", "separate");
    configure(&b->config, "metrics.games", "6");
    for (int i = 0; settings && settings[i]; i += 2)
        configure(&b->config, settings[i], settings[i + 1]);
    b->rules = open_hunt();
    const int rc = agon_population_open(&b->config, b->rules, &b->population, error);
    memset(b->population.probes, 'e', AGON_HASH_SIZE - 1);
    return rc;
}

static void open_roles(plan_bench* b, const char* const* settings) {
    agon_error error = {0};
    if (try_open_roles(b, settings, &error) != AGON_OK)
        fail_msg("%s", error.text);
}

/* Tasks as they are handed out. */
typedef struct tasks {
    agon_task* task; /* (MAX_TASKS) owned */
    int count;
} tasks;

static int take(void* user, const agon_task* task) {
    tasks* list = user;
    assert_true(list->count < MAX_TASKS);
    list->task[list->count++] = *task;
    return 0;
}

/* Plans, and gives made-up results, until nothing is left or `most` results are there. */
static tasks plan_all(plan_bench* b, int most) {
    tasks list = {calloc(MAX_TASKS, sizeof *list.task), 0};
    assert_non_null(list.task);
    for (int done = 0;; done++) {
        assert_int_equal(agon_population_plan(&b->population, take, &list), 0);
        if (done == list.count || done == most)
            return list;
        record(&b->population, fake_result(&list.task[done], 2));
    }
}

static const agon_task* find(const tasks* list, const char* key) {
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->task[i].key, key) == 0)
            return &list->task[i];
    return NULL;
}

/* Whose snapshot it is, or -1. */
static int owner(const agon_population* p, const char* ref) {
    for (int g = 0; g <= p->config->train.generations; g++)
        for (int a = 0; a < agon_population_agents(p); a++)
            if (strcmp(ref, agon_record_train(p->record, g, a)->snapshot) == 0)
                return a;
    return -1;
}

static void check_train(const agon_population* p, const agon_train_task* t, int met[2]) {
    const int role = agon_population_role(p, t->agent);
    assert_int_equal(t->own_seats, role ? PREY : HUNTERS);
    assert_true((t->opponents > 0) == (t->generation > 0));
    for (int i = 0; i < t->opponents; i++) {
        const int other = owner(p, t->opponent[i]);
        if (other < 0)
            assert_string_equal(t->opponent[i], "random");
        else
            assert_int_equal(agon_population_role(p, other), 1 - role);
        met[other >= 0]++;
    }
}

static void check_match(const agon_population* p, const agon_match_task* m) {
    assert_int_equal(m->row_seats, agon_population_role(p, m->row) ? PREY : HUNTERS);
    assert_true(m->col < 0 || agon_population_role(p, m->row) != agon_population_role(p, m->col));
    assert_int_equal(m->games, m->col >= 0 ? 6 : m->final ? 6 : 4);
}

/* Promise: every agent trains in the seats of its role against the other role and anchors alone;
 * all pairs of different roles meet, in both orders; nothing is missing and nothing is twice. */
static void roles_meet_each_other(void** state) {
    (void)state;
    static const char* const league[][5] = {{"league.kind", "uniform", NULL},
                                            {"league.kind", "pfsp", NULL},
                                            {"league.kind", "fixed", NULL},
                                            {"league.kind", "uniform", "population.size", "1"}};
    for (int k = 0; k < 4; k++) {
        plan_bench b;
        int met[2] = {0}, kinds[4] = {0};
        open_roles(&b, league[k]);
        const agon_population* p = &b.population;
        const int n = agon_population_agents(p), size = b.config.population.size;
        assert_int_equal(n, 2 * size);
        tasks list = plan_all(&b, MAX_TASKS);
        assert_int_equal(list.count, agon_population_tasks(p));
        assert_true(agon_population_finished(p));
        for (int i = 0; i < list.count; i++) {
            const agon_task* t = &list.task[i];
            kinds[t->kind]++;
            assert_ptr_equal(find(&list, t->key), t);
            if (t->kind == AGON_TRAIN)
                check_train(p, &t->as.train, met);
            else if (t->kind == AGON_MATCH)
                check_match(p, &t->as.match);
            else
                assert_int_equal(t->as.probe.exact_nodes, 0);
        }
        assert_int_equal(kinds[AGON_TRAIN], 7 * n);
        assert_int_equal(kinds[AGON_PROBE], 4 * n);
        assert_int_equal(kinds[AGON_MATCH], 4 * (2 * size * size + n) + n);
        assert_true(met[0] > 0 && (met[1] > 0) == (k != 2));
        free(list.task);
        close_bench(&b);
    }
}

/* Promise: a run that stopped anywhere goes on with exactly what was left. */
static void resuming_is_calling_again(void** state) {
    (void)state;
    plan_bench whole;
    open_roles(&whole, NULL);
    tasks all = plan_all(&whole, MAX_TASKS);
    for (int stop = 0; stop < all.count; stop += 1 + stop / 2) {
        plan_bench b;
        open_roles(&b, NULL);
        for (int i = 0; i < stop; i++)
            record(&b.population, fake_result(&all.task[i], 2));
        tasks rest = plan_all(&b, MAX_TASKS);
        assert_int_equal(rest.count, all.count - stop);
        for (int i = 0; i < rest.count; i++)
            assert_memory_equal(find(&all, rest.task[i].key), &rest.task[i], sizeof(agon_task));
        free(rest.task);
        close_bench(&b);
    }
    free(all.task);
    close_bench(&whole);
}

/* Promise: a budget takes as many of each role; games and settings that do not fit are named. */
static void settings_are_checked(void** state) {
    (void)state;
    static const char* const budget[] = {"metrics.budget", "5", "population.size", "4", NULL};
    static const char* const mirror[] = {"league.kind", "mirror", NULL};
    static const char* const separate[] = {"population.roles", "separate", NULL};
    plan_bench b;
    agon_error error = {0};
    int sample[8];
    open_roles(&b, budget);
    assert_int_equal(agon_population_sample(&b.population, sample), 4);
    assert_memory_equal(sample, ((int[]){0, 2, 4, 6}), 4 * sizeof *sample);
    close_bench(&b);
    assert_int_equal(try_open_roles(&b, mirror, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "league.kind = mirror"));
    agon_rules_close(b.rules);
    assert_int_equal(try_open_bench(&b, "tic_tac_toe", separate, &error), AGON_EUNSUPPORTED);
    assert_non_null(strstr(error.text, "tic_tac_toe has 1 role:"));
    agon_rules_close(b.rules);
}

/* ---- a whole run -------------------------------------------------------------------------- */

enum { MAX_BLOBS = 256 };

typedef struct run {
    plan_bench bench;
    agon_probes probes;
    agon_bytes blob[MAX_BLOBS]; /* owned */
    int blobs, threads;
    tasks list;
    agon_result* result; /* (MAX_TASKS) owned; of list.task */
    int done;
    uint64_t hash; /* of all results, in order */
} run;

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    const run* r = user;
    for (int i = 0; i < r->blobs; i++) {
        if (strcmp(r->blob[i].hash, hash) != 0)
            continue;
        *data = malloc(r->blob[i].size);
        memcpy(*data, r->blob[i].data, r->blob[i].size);
        *size = r->blob[i].size;
        return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "no blob %s", hash);
}

typedef struct worker {
    run* run;
    int first, failed; /* of this worker's tasks: every run->threads-th from `first` */
    pthread_t thread;
} worker;

static void* work(void* user) {
    worker* w = user;
    agon_error error;
    for (int i = w->first; i < w->run->list.count; i += w->run->threads)
        w->failed |= run_hunt(&w->run->list.task[i], load_blob, w->run, &w->run->result[i], &error);
    return NULL;
}

static void work_together(run* r) {
    worker w[4];
    for (int k = 0; k < r->threads; k++) {
        w[k] = (worker){.run = r, .first = r->done + k};
        assert_int_equal(pthread_create(&w[k].thread, NULL, work, &w[k]), 0);
    }
    for (int k = 0; k < r->threads; k++) {
        pthread_join(w[k].thread, NULL);
        assert_int_equal(w[k].failed, 0);
    }
}

static void take_result(run* r, agon_result* result) {
    uint8_t* data;
    size_t size;
    assert_int_equal(agon_result_encode(result, &data, &size, NULL), AGON_OK);
    r->hash = agon_hash(r->hash, data, size);
    free(data);
    assert_int_equal(agon_record_add(r->bench.population.record, result), AGON_OK);
    for (int i = 0; i < result->blobs; i++) {
        assert_true(r->blobs < MAX_BLOBS);
        r->blob[r->blobs++] = result->blob[i];
        result->blob[i] = (agon_bytes){0};
    }
    agon_result_clear(result);
}

static void make_probes(run* r) {
    agon_bytes bytes = {0};
    assert_int_equal(agon_probes_make(r->bench.rules, 1000, 1, &r->probes, NULL), AGON_OK);
    assert_int_equal(agon_probes_encode(&r->probes, r->bench.rules, &bytes, NULL), AGON_OK);
    memcpy(r->bench.population.probes, bytes.hash, AGON_HASH_SIZE);
    r->bench.population.probe_weight = r->probes.weight;
    r->bench.population.probe_reach = r->probes.reach;
    r->bench.population.probe_seat = r->probes.seat;
    r->blob[r->blobs++] = bytes;
}

static run* play_run(int threads) {
    static const char* const settings[] = {"train.generations",
                                           "3",
                                           "train.rollouts",
                                           "2",
                                           "train.lanes",
                                           "6",
                                           "train.horizon",
                                           "8",
                                           "net.hidden",
                                           "8",
                                           "train.minibatches",
                                           "2",
                                           "metrics.every",
                                           "3",
                                           "league.opponents",
                                           "3",
                                           "train.learning_rate",
                                           "0.05",
                                           NULL};
    run* r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->threads = threads;
    r->list.task = calloc(MAX_TASKS, sizeof *r->list.task);
    r->result = calloc(MAX_TASKS, sizeof *r->result);
    assert_true(r->list.task && r->result);
    open_roles(&r->bench, settings);
    make_probes(r);
    do {
        assert_int_equal(agon_population_plan(&r->bench.population, take, &r->list), 0);
        work_together(r);
        while (r->done < r->list.count)
            take_result(r, &r->result[r->done++]);
    } while (!agon_population_finished(&r->bench.population));
    return r;
}

static void end_run(run* r) {
    for (int i = 0; i < r->blobs; i++)
        free(r->blob[i].data);
    agon_probes_close(&r->probes);
    free(r->list.task);
    free(r->result);
    close_bench(&r->bench);
    free(r);
}

/* The entry under the keys, which must be there. */
static const cJSON* at(const cJSON* object, const char* key, const char* inner) {
    const cJSON* item = cJSON_GetObjectItem(object, key);
    item = inner && item ? cJSON_GetObjectItem(item, inner) : item;
    if (!item)
        fail_msg("no %s.%s", key, inner ? inner : "");
    return item;
}

static void check_line(const cJSON* root, const agon_measurement* m) {
    const cJSON* roles = at(root, "roles", NULL);
    assert_int_equal(cJSON_GetArraySize(roles), 2);
    for (int role = 0; role < 2; role++) {
        const char* name = role ? "prey" : "hunter";
        const cJSON* who = cJSON_GetArrayItem(roles, role);
        assert_string_equal(at(who, "name", NULL)->valuestring, name);
        assert_int_equal(cJSON_GetArraySize(at(who, "seats", NULL)), 2 - role);
        assert_int_equal(at(who, "best_agent", NULL)->valueint / SIZE, role);
        const cJSON* acts = cJSON_GetArrayItem(at(root, "diversity", "by_role"), role);
        assert_string_equal(at(acts, "role", NULL)->valuestring, name);
        assert_true(at(acts, "J", NULL)->valuedouble == m->role_behaviour[role].entropy.between);
        const cJSON* pays = cJSON_GetArrayItem(at(root, "role_payoff", "by_role"), role);
        assert_int_equal(cJSON_GetArraySize(at(pays, "matrix", NULL)), SIZE);
        const cJSON* score =
            cJSON_GetArrayItem(at(at(root, "score", "random"), "by_role", NULL), role);
        at(score, "mean", NULL);
    }
    assert_true(cJSON_IsFalse(at(root, "payoff", "defined")));
    assert_true(cJSON_IsNull(at(root, "nash_conv", NULL)));
    assert_null(cJSON_GetObjectItem(root, "best_agent"));
    assert_int_equal(cJSON_GetArraySize(at(root, "features", "rights")), 2 * SIZE);
    at(root, "stats", "all_rights");
}

/* Promise: measured by role: behaviour on the states of its seats, a table of the roles, ratings
 * over all, the best of each. */
static void check_measurement(const run* r) {
    agon_measurement m;
    const agon_population* p = &r->bench.population;
    assert_int_equal(agon_measure(p, 3, &m, NULL), AGON_OK);
    assert_true(m.roles == 2 && m.agents == 2 * SIZE && m.rated == 2 * SIZE);
    assert_true(!m.antisymmetric && !m.exact && m.rating_defined && m.behaviour.defined);
    for (int role = 0; role < 2; role++)
        assert_true(m.role_behaviour[role].defined && m.role_behaviour[role].entropy.between > 0);
    assert_true(fabs(m.behaviour.vendi_1 -
                     (m.role_behaviour[0].vendi_1 + m.role_behaviour[1].vendi_1) / 2) < 1e-12);
    for (int role = 0; role < 2; role++) {
        for (int i = 0; i < SIZE; i++) {
            const int pair[2] = {i, SIZE + SIZE - 1 - i};
            const agon_match_result* x =
                agon_record_match(p->record, 3, pair[role], pair[1 - role]);
            assert_true(m.role_return[(role * SIZE + i) * SIZE + SIZE - 1 - i] ==
                        x->tally[role].sum / 6);
        }
        const int best = agon_measurement_best(&m, role);
        for (int i = role * SIZE; i < (role + 1) * SIZE; i++)
            assert_true(m.elo[best] >= m.elo[i]);
    }
    char* line = agon_measurement_line(p, &m);
    cJSON* root = cJSON_Parse(line);
    assert_non_null(root);
    check_line(root, &m);
    cJSON_Delete(root);
    free(line);
    agon_measurement_clear(&m);
}

/* Promise: a run of separate roles gives the same bytes on any number of threads. */
static void threads_do_not_matter(void** state) {
    (void)state;
    run* one = play_run(1);
    run* four = play_run(4);
    assert_int_equal(one->done, four->done);
    assert_true(one->hash == four->hash);
    check_measurement(one);
    for (int i = 0; i < one->done; i++) {
        const agon_task* t = &one->list.task[i];
        const agon_result* x = agon_record_find(one->bench.population.record, t->key);
        if (t->kind == AGON_TRAIN && t->as.train.generation > 0)
            assert_int_equal(x->as.train.steps, 2 * 6 * 8 * (t->as.train.agent < SIZE ? 2 : 1));
    }
    end_run(one);
    end_run(four);
}

/* Promise: an agent of a role that no probe state asks has no behaviour, and says why. */
static void roles_without_questions_say_so(void** state) {
    (void)state;
    run* r = play_run(1);
    agon_measurement m;
    uint8_t* seat = calloc((size_t)r->probes.states, 1); /* all of them ask a hunter */
    r->bench.population.probe_seat = seat;
    assert_int_equal(agon_measure(&r->bench.population, 3, &m, NULL), AGON_OK);
    assert_true(m.role_behaviour[0].defined && !m.role_behaviour[1].defined);
    assert_true(m.behaviour.defined && m.behaviour.vendi_1 == m.role_behaviour[0].vendi_1);
    char* line = agon_measurement_line(&r->bench.population, &m);
    assert_non_null(strstr(line, "{\"role\":\"prey\",\"why\":\"no probe state asks its seats\"}"));
    free(line);
    agon_measurement_clear(&m);
    free(seat);
    end_run(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_seats_of_the_role),
        cmocka_unit_test(both_sides_tell_the_same),
        cmocka_unit_test(wrong_seats_are_refused),
        cmocka_unit_test(roles_meet_each_other),
        cmocka_unit_test(resuming_is_calling_again),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(roles_without_questions_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
