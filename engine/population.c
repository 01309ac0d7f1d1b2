#include "engine/population.h"

#include "engine/lanes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool separate(const agon_config* config) {
    return config->population.roles == AGON_ROLES_SEPARATE;
}

int agon_population_roles(const agon_population* p) {
    return separate(p->config) ? AGON_SEPARATE_ROLES : 1;
}

int agon_population_agents(const agon_population* p) {
    return p->config->population.size * agon_population_roles(p);
}

int agon_population_role(const agon_population* p, int agent) {
    return agent / p->config->population.size;
}

uint64_t agon_population_seats(const agon_population* p, int agent) {
    return separate(p->config) ? agon_rules_role_seats(p->rules, agon_population_role(p, agent))
                               : 0;
}

bool agon_population_antisymmetric(const agon_population* p) {
    const agon_spec* s = &p->rules->spec;
    return s->seats == 2 && s->utility != AGON_GENERAL_SUM && !separate(p->config);
}

bool agon_population_greedy(const agon_population* p) {
    return p->rules->spec.information == AGON_PERFECT;
}

bool agon_population_points(const agon_population* p) {
    const agon_spec* s = &p->rules->spec;
    return s->seats == 2 && s->utility == AGON_ZERO_SUM && s->return_min == -1 &&
           s->return_max == 1;
}

/* ---- anchors ------------------------------------------------------------------------------ */

static bool has_anchor(const agon_anchors* anchors, const char* ref) {
    for (int i = 0; i < anchors->count; i++)
        if (strcmp(anchors->ref[i], ref) == 0)
            return true;
    return false;
}

static void leave_out(agon_population* p, const char* why) {
    const size_t used = strlen(p->left_out);
    snprintf(p->left_out + used, sizeof p->left_out - used, "%s%.200s", used ? "; " : "", why);
}

/* Splits "random one_ply"; an anchor the game refuses is an error, or is left out and noted. */
static int read_anchors(agon_population* p, const char* text, const char* key, bool may_refuse,
                        agon_anchors* out, agon_error* error) {
    char copy[256];
    char* rest = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    for (char* word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        agon_policy policy;
        agon_error why = {0};
        if (out->count == AGON_MAX_ANCHORS)
            return agon_fail(error, AGON_ELIMIT, "%s: more than %d anchors", key, AGON_MAX_ANCHORS);
        int rc = agon_scripted_open(word, p->rules, &policy, &why);
        if (rc == AGON_EUNSUPPORTED && may_refuse) {
            leave_out(p, why.text);
            continue;
        }
        if (rc) {
            agon_fail(error, rc, "%s: %s", key, why.text);
            return agon_hint(error, "%s", why.hint);
        }
        const bool twice = has_anchor(out, policy.name);
        snprintf(out->ref[out->count], AGON_REF_SIZE, "%s", policy.name);
        out->deterministic[out->count++] = policy.deterministic;
        agon_policy_close(&policy);
        if (twice)
            return agon_fail(error, AGON_EINVALID, "%s names %s twice", key, word);
    }
    return AGON_OK;
}

static int check_roles(const agon_config* config, const agon_rules* rules, agon_error* error) {
    const int roles = agon_rules_roles(rules);
    if (!separate(config) || roles == AGON_SEPARATE_ROLES)
        return AGON_OK;
    agon_fail(error, AGON_EUNSUPPORTED,
              "population.roles = separate, but %s has %d role%s: expected a game with exactly %d",
              rules->name, roles, roles == 1 ? "" : "s", AGON_SEPARATE_ROLES);
    return agon_hint(error, "population.roles=shared trains agents that play every role");
}

int agon_population_open(const agon_config* config, const agon_rules* rules, agon_population* out,
                         agon_error* error) {
    agon_population p = {.config = config, .rules = rules};
    int rc = agon_config_check(config, error);
    if (!rc)
        rc = check_roles(config, rules, error);
    if (!rc)
        rc = agon_config_net(config, &rules->spec, &p.net, error);
    if (!rc)
        rc = read_anchors(&p, config->league.anchors, "league.anchors", false, &p.opponents, error);
    if (!rc)
        rc = read_anchors(&p, config->metrics.anchors, "metrics.anchors", true, &p.anchors, error);
    if (!rc && config->league.kind == AGON_LEAGUE_FIXED && p.opponents.count == 0)
        rc = agon_fail(error, AGON_EINVALID, "league.kind=fixed needs at least one league.anchors");
    if (rc)
        return rc;
    agon_net_format(&p.net, p.net_text, sizeof p.net_text);
    p.fingerprint = agon_rules_fingerprint(rules);
    p.record = agon_record_open();
    if (!p.record)
        return agon_fail(error, AGON_EMEMORY, "no memory for the record of the run");
    *out = p;
    return AGON_OK;
}

void agon_population_close(agon_population* p) {
    agon_record_close(p->record);
    p->record = NULL;
}

/* ---- what is done ------------------------------------------------------------------------- */

bool agon_population_measures(const agon_population* p, int generation) {
    return generation % p->config->metrics.every == 0 || generation == p->config->train.generations;
}

bool agon_population_trained(const agon_population* p, int generation) {
    for (int a = 0; a < agon_population_agents(p); a++)
        if (!agon_record_train(p->record, generation, a))
            return false;
    return true;
}

int agon_population_sample(const agon_population* p, int* out) {
    const int n = p->config->population.size, roles = agon_population_roles(p);
    int budget = p->config->metrics.budget;
    if (budget > 0 && budget < roles)
        budget = roles;
    const int count = budget > 0 && budget / roles < n ? budget / roles : n;
    for (int r = 0; r < roles; r++)
        for (int i = 0; i < count; i++)
            out[r * count + i] = r * n + (int)((long long)i * n / count);
    return roles * count;
}

static int measured_anchors(const agon_population* p) {
    return p->config->metrics.anchor_games > 0 ? p->anchors.count : 0;
}

static int final_anchors(const agon_population* p) {
    return p->config->metrics.final_games > 0 ? p->anchors.count : 0;
}

/* Nobody meets itself; where roles are separate, nobody meets its own. */
static bool they_meet(const agon_population* p, int row, int col) {
    return separate(p->config) ? agon_population_role(p, row) != agon_population_role(p, col)
                               : row != col;
}

/* Visits (row, col) of every match of a measured generation; col < 0: anchor. */
static bool each_match(const agon_population* p, bool (*visit)(void* user, int row, int col),
                       void* user) {
    const int n = agon_population_agents(p);
    int sample[n];
    const int count = agon_population_sample(p, sample);
    for (int i = 0; i < count; i++)
        for (int j = agon_population_antisymmetric(p) ? i + 1 : 0; j < count; j++)
            if (they_meet(p, sample[i], sample[j]) && !visit(user, sample[i], sample[j]))
                return false;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < measured_anchors(p); k++)
            if (!visit(user, i, -1 - k))
                return false;
    return true;
}

typedef struct look {
    const agon_population* population;
    int generation, count;
} look;

static bool match_is_here(void* user, int row, int col) {
    const look* l = user;
    return agon_record_match(l->population->record, l->generation, row, col) != NULL;
}

static bool count_match(void* user, int row, int col) {
    ((look*)user)->count++;
    return true;
}

bool agon_population_measured(const agon_population* p, int generation) {
    look l = {p, generation, 0};
    for (int a = 0; a < agon_population_agents(p); a++)
        if (!agon_record_probe(p->record, generation, a))
            return false;
    return each_match(p, match_is_here, &l);
}

static bool evaluated(const agon_population* p) {
    for (int a = 0; a < agon_population_agents(p); a++)
        for (int k = 0; k < final_anchors(p); k++)
            if (!agon_record_final(p->record, a, k))
                return false;
    return true;
}

bool agon_population_finished(const agon_population* p) {
    for (int g = p->cursor; g <= p->config->train.generations; g++)
        if (!agon_population_trained(p, g) ||
            (agon_population_measures(p, g) && !agon_population_measured(p, g)))
            return false;
    return evaluated(p);
}

int agon_population_tasks_of(const agon_population* p, int generation) {
    const int n = agon_population_agents(p);
    look l = {p, generation, 0};
    if (!agon_population_measures(p, generation))
        return n;
    each_match(p, count_match, &l);
    return n + n + l.count;
}

int agon_population_tasks(const agon_population* p) {
    const int n = agon_population_agents(p), generations = p->config->train.generations;
    const int measured =
        generations / p->config->metrics.every + 1 + (generations % p->config->metrics.every != 0);
    return (generations + 1) * n + measured * (agon_population_tasks_of(p, 0) - n) +
           n * final_anchors(p);
}

void agon_population_needs(const agon_population* p, int* first, int* also) {
    *first = p->cursor > 0 ? p->cursor - 1 : 0;
    *also = p->config->league.kind == AGON_LEAGUE_PFSP ? agon__league_measured(p, *first) : -1;
}

/* ---- what is next ------------------------------------------------------------------------- */

typedef struct planning {
    agon_population* population;
    int generation;
    int (*emit)(void* user, const agon_task* task);
    void* user;
    int rc; /* emit's, or AGON_EMEMORY */
    agon_task task;
} planning;

static agon_task* begin_task(planning* w, agon_task_kind kind) {
    agon_task* t = &w->task;
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->seed = w->population->config->train.seed;
    t->fingerprint = w->population->fingerprint;
    snprintf(t->game, sizeof t->game, "%s", w->population->rules->name);
    return t;
}

/* Is the task ours to hand out? Without memory to remember it, planning stops: w->rc. */
static bool claim(planning* w) {
    const int claimed = agon_record_claim(w->population->record, w->task.key);
    if (claimed < 0)
        w->rc = claimed;
    return claimed > 0;
}

static bool hand_out(planning* w) {
    w->rc = w->emit(w->user, &w->task);
    return w->rc == 0;
}

/* Linear from start to end over the run's training generations. */
static float schedule(double start, double end, int done, int of) {
    return (float)(start + (end - start) * done / of);
}

static agon_ppo ppo_of(const agon_config* c) {
    return (agon_ppo){
        .step = {.clip = (float)c->train.clip,
                 .value_weight = (float)c->train.value_weight,
                 .max_grad_norm = (float)c->train.max_grad_norm,
                 .beta1 = (float)c->train.beta1,
                 .beta2 = (float)c->train.beta2,
                 .epsilon = (float)c->train.epsilon},
        .discount = (float)c->train.discount,
        .lambda = (float)c->train.lambda,
        .epochs = c->train.epochs,
        .minibatches = c->train.minibatches,
        .normalise = c->train.normalise,
    };
}

static bool plan_train(planning* w, int agent) {
    agon_population* p = w->population;
    const agon_config* c = p->config;
    const int g = w->generation, of = c->train.generations;
    agon_task* t = begin_task(w, AGON_TRAIN);
    agon_train_task* d = &t->as.train;
    agon_key_train(t->key, g, agent);
    if (!claim(w))
        return w->rc == 0;
    d->generation = g;
    d->agent = agent;
    d->lanes = c->train.lanes;
    d->horizon = c->train.horizon;
    d->own_seats = c->league.kind == AGON_LEAGUE_MIRROR ? agon_rules_seats(p->rules)
                                                        : agon_population_seats(p, agent);
    d->ppo = ppo_of(c);
    snprintf(d->net, sizeof d->net, "%s", p->net_text);
    if (g > 0) {
        d->rollouts = c->train.rollouts;
        d->ppo.step.learning_rate =
            schedule(c->train.learning_rate, c->train.learning_rate_final, g - 1, of);
        d->learning_rate_end =
            schedule(c->train.learning_rate, c->train.learning_rate_final, g, of);
        d->ppo.step.entropy_weight = schedule(c->train.entropy, c->train.entropy_final, g - 1, of);
        d->entropy_end = schedule(c->train.entropy, c->train.entropy_final, g, of);
        memcpy(d->learner, agon_record_train(p->record, g - 1, agent)->learner, AGON_HASH_SIZE);
        if (d->own_seats != agon_rules_seats(p->rules))
            d->opponents =
                agon__league_draw(p, d, agon_key_make(c->train.seed, t->key, AGON_FOR_LEAGUE));
    }
    if (d->opponents < 0) {
        w->rc = d->opponents;
        return false;
    }
    return hand_out(w);
}

static int opening_plies(const agon_population* p) {
    return agon_lanes_opening_plies(p->rules, p->config->metrics.opening);
}

int agon_population_games(const agon_config* config, const agon_rules* rules, int games) {
    const int seats = separate(config) ? 1 : rules->spec.seats;
    return games < seats ? seats : games / seats * seats;
}

static bool plan_match(void* user, int row, int col) {
    planning* w = user;
    agon_population* p = w->population;
    const int g = w->generation, anchor = -1 - col;
    agon_task* t = begin_task(w, AGON_MATCH);
    agon_match_task* d = &t->as.match;
    agon_key_match(t->key, g, row, col);
    if (!claim(w))
        return w->rc == 0;
    d->generation = g;
    d->row = row;
    d->row_seats = agon_population_seats(p, row);
    d->col = col;
    snprintf(d->row_ref, AGON_REF_SIZE, "%s", agon_record_train(p->record, g, row)->snapshot);
    if (col >= 0) {
        d->games = agon_population_games(p->config, p->rules, p->config->metrics.games);
        d->opening = opening_plies(p);
        d->temperature = 1;
        snprintf(d->col_ref, AGON_REF_SIZE, "%s", agon_record_train(p->record, g, col)->snapshot);
    } else {
        d->games = agon_population_games(p->config, p->rules, p->config->metrics.anchor_games);
        d->opening = p->anchors.deterministic[anchor] ? opening_plies(p) : 0;
        d->temperature = agon_population_greedy(p) ? 0 : 1;
        snprintf(d->col_ref, AGON_REF_SIZE, "%s", p->anchors.ref[anchor]);
    }
    return hand_out(w);
}

static bool plan_final(planning* w, int agent, int anchor) {
    agon_population* p = w->population;
    agon_task* t = begin_task(w, AGON_MATCH);
    agon_match_task* d = &t->as.match;
    agon_key_final(t->key, agent, anchor);
    if (!claim(w))
        return w->rc == 0;
    d->generation = p->config->train.generations;
    d->row = agent;
    d->row_seats = agon_population_seats(p, agent);
    d->col = -1 - anchor;
    d->final = 1;
    d->temperature = agon_population_greedy(p) ? 0 : 1;
    d->games = agon_population_games(p->config, p->rules, p->config->metrics.final_games);
    d->opening = p->anchors.deterministic[anchor] ? opening_plies(p) : 0;
    snprintf(d->row_ref, AGON_REF_SIZE, "%s",
             agon_record_train(p->record, d->generation, agent)->snapshot);
    snprintf(d->col_ref, AGON_REF_SIZE, "%s", p->anchors.ref[anchor]);
    return hand_out(w);
}

static bool plan_probe(planning* w, int agent) {
    agon_population* p = w->population;
    agon_task* t = begin_task(w, AGON_PROBE);
    agon_probe_task* d = &t->as.probe;
    agon_key_probe(t->key, w->generation, agent);
    if (!claim(w))
        return w->rc == 0;
    d->generation = w->generation;
    d->agent = agent;
    d->exact_nodes = separate(p->config) ? 0 : p->config->metrics.exact_nodes;
    snprintf(d->ref, AGON_REF_SIZE, "%s",
             agon_record_train(p->record, w->generation, agent)->snapshot);
    memcpy(d->probes, p->probes, AGON_HASH_SIZE);
    return hand_out(w);
}

static bool plan_measurement(planning* w) {
    bool going = true;
    for (int a = 0; going && a < agon_population_agents(w->population); a++)
        going = plan_probe(w, a);
    return going && each_match(w->population, plan_match, w);
}

static bool plan_closing(planning* w) {
    bool going = true;
    for (int a = 0; going && a < agon_population_agents(w->population); a++)
        for (int k = 0; going && k < final_anchors(w->population); k++)
            going = plan_final(w, a, k);
    return going;
}

/* Plans one generation; false when nothing of a later one may start yet. */
static bool plan_generation(planning* w) {
    agon_population* p = w->population;
    const int g = w->generation;
    if (!agon_population_trained(p, g)) {
        for (int a = 0; a < agon_population_agents(p); a++)
            if (!plan_train(w, a))
                return false;
        return false;
    }
    if (!agon_population_measures(p, g))
        return true;
    if (agon_population_measured(p, g))
        return true;
    /* Measurements are handed out whole, in order: to try every pair again would find nothing. */
    if (g >= p->handed && !plan_measurement(w))
        return false;
    if (g >= p->handed)
        p->handed = g + 1;
    /* Prioritised opponents need the pay-offs; otherwise training goes on meanwhile. */
    return p->config->league.kind != AGON_LEAGUE_PFSP || g == p->config->train.generations;
}

int agon_population_plan(agon_population* p, int (*emit)(void* user, const agon_task* task),
                         void* user) {
    const int last = p->config->train.generations;
    int first, also;
    planning* w = calloc(1, sizeof *w);
    if (!w)
        return AGON_EMEMORY;
    *w = (planning){.population = p, .emit = emit, .user = user};
    while (p->cursor < last && agon_population_trained(p, p->cursor) &&
           (!agon_population_measures(p, p->cursor) || agon_population_measured(p, p->cursor)))
        p->cursor++;
    agon_population_needs(p, &first, &also);
    agon_record_keep(p->record, first, also);
    bool going = true;
    for (w->generation = p->cursor; going && w->generation <= last; w->generation++)
        going = plan_generation(w);
    if (going && !w->rc)
        plan_closing(w);
    int rc = w->rc;
    free(w);
    return rc;
}
