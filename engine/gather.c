/* gather.c: tasks on threads, and what becomes of matches. */
#include "engine/gather.h"

#include "engine/lanes.h"
#include "engine/match_payoffs.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- tasks on threads ----------------------------------------------------------------------- */

/* Writes down the task of a number. A task is large: none is kept. */
typedef void plan(const void* user, int at, agon_task* out);

typedef struct pool {
    const agon_gather* gather;
    const char* what;
    plan* plan;
    const void* user;    /* of plan */
    agon_result* result; /* (count) */
    int count, next, done;
    int code; /* of the first failure */
    agon_error error;
    pthread_mutex_t lock;
} pool;

/* The next task, or -1. */
static int take_task(pool* p) {
    pthread_mutex_lock(&p->lock);
    const int at = p->code || p->next == p->count ? -1 : p->next++;
    pthread_mutex_unlock(&p->lock);
    return at;
}

static void finish_task(pool* p, int code, const agon_error* error) {
    pthread_mutex_lock(&p->lock);
    if (code && !p->code) {
        p->code = code;
        p->error = *error;
    }
    p->done++;
    if (p->gather->progress)
        p->gather->progress(p->gather->user, p->what, p->done, p->count);
    pthread_mutex_unlock(&p->lock);
}

static void* work(void* user) {
    pool* p = user;
    const agon_gather* g = p->gather;
    agon_context context = {.backend = g->backend, .load = g->load, .user = g->load_user};
    for (int at = take_task(p); at >= 0; at = take_task(p)) {
        agon_error error = {0};
        agon_task task;
        p->plan(p->user, at, &task);
        const int code = agon_execute(&task, &context, &p->result[at], &error);
        finish_task(p, code, &error);
    }
    agon_context_clear(&context);
    return NULL;
}

/* Runs all tasks; result: (count), zeroed, cleared by the caller. */
static int run_tasks(const agon_gather* g, const char* what, plan* plan, const void* user,
                     int count, agon_result* result, agon_error* error) {
    pool p = {
        .gather = g, .what = what, .plan = plan, .user = user, .result = result, .count = count};
    pthread_t thread[64];
    const int wanted = g->threads < 1 ? 1 : g->threads > 64 ? 64 : g->threads;
    int started = 0;
    pthread_mutex_init(&p.lock, NULL);
    while (started < wanted - 1 && started < count - 1 &&
           pthread_create(&thread[started], NULL, work, &p) == 0)
        started++;
    work(&p);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&p.lock);
    if (p.code && error)
        *error = p.error;
    return p.code;
}

/* ---- agents --------------------------------------------------------------------------------- */

int agon_gather_agents(const agon_gather* g, agon_evidence* out, agon_error* error) {
    out->agents = g->agents;
    out->label = calloc((size_t)g->agents, sizeof *out->label);
    if (!out->label)
        return agon_fail(error, AGON_EMEMORY, "no memory for %d agents", g->agents);
    memcpy(out->label, g->label, (size_t)g->agents * sizeof *out->label);
    return AGON_OK;
}

/* ---- matches -------------------------------------------------------------------------------- */

static void make_match(const agon_gather* g, uint64_t fingerprint, const char* row, const char* col,
                       const char* key, bool greedy, agon_task* out) {
    const int seats = g->rules->spec.seats, games = g->games > seats ? g->games : seats;
    *out = (agon_task){.kind = AGON_MATCH, .seed = g->seed, .fingerprint = fingerprint};
    snprintf(out->key, sizeof out->key, "%s", key);
    snprintf(out->game, sizeof out->game, "%s", g->rules->name);
    agon_match_task* m = &out->as.match;
    snprintf(m->row_ref, sizeof m->row_ref, "%s", row);
    snprintf(m->col_ref, sizeof m->col_ref, "%s", col);
    m->games = games - games % seats;
    m->opening = agon_lanes_opening_plies(g->rules, g->opening);
    m->temperature = greedy ? 0 : 1;
}

static bool two_seats_against(const agon_rules* rules) {
    return rules->spec.seats == 2 && rules->spec.utility != AGON_GENERAL_SUM;
}

static int no_memory(int count, agon_error* error) {
    return agon_fail(error, AGON_EMEMORY, "no memory for the pay-offs of %d agents", count);
}

static int open_payoffs(agon_payoffs* p, const int* member, int count) {
    const size_t cells = (size_t)count * (size_t)count;
    p->member = malloc((size_t)count * sizeof *p->member);
    double** const table[] = {&p->mean, &p->error, &p->games, &p->wins, &p->draws};
    bool whole = p->member != NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        *table[i] = calloc(cells, sizeof **table[i]);
        whole = whole && *table[i];
    }
    if (!whole)
        return AGON_EMEMORY;
    memcpy(p->member, member, (size_t)count * sizeof *member);
    p->agents = count;
    return AGON_OK;
}

int agon_gather_matches(const agon_gather* g, const int* member, int count,
                        const agon_match_result* const* match, agon_evidence* out,
                        agon_error* error) {
    agon_payoffs* p = &out->payoffs;
    if (open_payoffs(p, member, count))
        return no_memory(count, error);
    p->antisymmetric = two_seats_against(g->rules);
    agon_match_payoffs(match, count, p->antisymmetric, agon_payoff_scale_of(g->rules), p->mean,
                       p->error);
    agon_match_points(match, count, p->wins, p->draws, p->games);
    if (!p->antisymmetric)
        snprintf(out->why.antisymmetric, sizeof out->why.antisymmetric,
                 "defined for two seats with zero or constant sum; this game has %s",
                 g->rules->spec.seats == 2 ? "a general sum" : "more seats");
    return AGON_OK;
}

typedef struct pairing {
    const agon_gather* gather;
    uint64_t fingerprint;
    const int* member;
    int count;
    int* cell; /* (tasks) row * count + column */
} pairing;

static void plan_pair(const void* user, int at, agon_task* out) {
    const pairing* p = user;
    const int row = p->member[p->cell[at] / p->count], col = p->member[p->cell[at] % p->count];
    char key[AGON_KEY_SIZE];
    snprintf(key, sizeof key, "metrics/match/%d/%d", row, col);
    make_match(p->gather, p->fingerprint, p->gather->ref[row], p->gather->ref[col], key, false,
               out);
}

/* One task for each pair, or where who sits alone matters for each ordered pair. */
static int list_pairs(pairing* p) {
    const bool once = two_seats_against(p->gather->rules);
    int tasks = 0;
    for (int i = 0; i < p->count; i++)
        for (int j = once ? i + 1 : 0; j < p->count; j++)
            if (i != j)
                p->cell[tasks++] = i * p->count + j;
    return tasks;
}

static int play_pairs(const pairing* p, int tasks, agon_evidence* out, agon_error* error) {
    const size_t cells = (size_t)p->count * (size_t)p->count;
    agon_result* result = calloc((size_t)tasks, sizeof *result);
    const agon_match_result** match = calloc(cells, sizeof *match);
    int rc = result && match ? AGON_OK : no_memory(p->count, error);
    if (!rc)
        rc = run_tasks(p->gather, "matches", plan_pair, p, tasks, result, error);
    for (int i = 0; !rc && i < tasks; i++)
        match[p->cell[i]] = &result[i].as.match;
    if (!rc)
        rc = agon_gather_matches(p->gather, p->member, p->count, match, out, error);
    for (int i = 0; result && i < tasks; i++)
        agon_result_clear(&result[i]);
    free(result);
    free(match);
    return rc;
}

int agon_gather_payoffs(const agon_gather* g, const int* member, int count, agon_evidence* out,
                        agon_error* error) {
    pairing p = {g, agon_rules_fingerprint(g->rules), member, count, NULL};
    if (count < 2 || g->rules->spec.seats < 2) {
        snprintf(out->why.payoffs, sizeof out->why.payoffs, "%s",
                 count < 2 ? "one agent meets nobody" : "a game for one seat");
        return AGON_OK;
    }
    p.cell = malloc((size_t)count * (size_t)count * sizeof *p.cell);
    if (!p.cell)
        return no_memory(count, error);
    const int rc = play_pairs(&p, list_pairs(&p), out, error);
    free(p.cell);
    return rc;
}

/* ---- anchors -------------------------------------------------------------------------------- */

static int open_anchors(agon_anchor_scores* s, int agents, int anchors,
                        const char (*label)[AGON_LABEL]) {
    const size_t cells = (size_t)agents * (size_t)anchors;
    s->label = calloc((size_t)anchors, sizeof *s->label);
    s->mean = calloc(cells, sizeof *s->mean);
    s->error = calloc(cells, sizeof *s->error);
    s->games = calloc(cells, sizeof *s->games);
    if (!s->label || !s->mean || !s->error || !s->games)
        return AGON_EMEMORY;
    memcpy(s->label, label, (size_t)anchors * sizeof *label);
    s->anchors = anchors;
    return AGON_OK;
}

/* The score of one match, scaled as pay-offs are; its error is that of groups of games. */
static void put_score(const agon_match_result* x, agon_payoff_scale scale, agon_anchor_scores* out,
                      int at) {
    const double pairs = (double)x->pairs,
                 spread = x->pair_sum_squares - x->pair_sum * x->pair_sum / pairs;
    out->mean[at] = (x->pair_sum / pairs - scale.middle) / scale.scale;
    out->error[at] =
        pairs > 1 ? sqrt((spread > 0 ? spread : 0) / (pairs - 1) / pairs) / scale.scale : NAN;
    out->games[at] = (double)agon_match_games(x);
}

int agon_gather_scores(const agon_gather* g, int anchors, const char (*label)[AGON_LABEL],
                       const agon_match_result* const* match, agon_evidence* out,
                       agon_error* error) {
    if (open_anchors(&out->anchors, g->agents, anchors, label))
        return no_memory(g->agents, error);
    for (int at = 0; at < g->agents * anchors; at++)
        put_score(match[at], agon_payoff_scale_of(g->rules), &out->anchors, at);
    return AGON_OK;
}

typedef struct meeting {
    const agon_gather* gather;
    uint64_t fingerprint;
    int anchors;
    const char (*ref)[AGON_REF_SIZE]; /* (anchors) */
    bool greedy;
} meeting;

static void plan_meeting(const void* user, int at, agon_task* out) {
    const meeting* m = user;
    const int agent = at / m->anchors, anchor = at % m->anchors;
    char key[AGON_KEY_SIZE];
    snprintf(key, sizeof key, "metrics/anchor/%d/%d", agent, anchor);
    make_match(m->gather, m->fingerprint, m->gather->ref[agent], m->ref[anchor], key, m->greedy,
               out);
}

int agon_gather_anchors(const agon_gather* g, int anchors, const char (*label)[AGON_LABEL],
                        const char (*ref)[AGON_REF_SIZE], bool greedy, agon_evidence* out,
                        agon_error* error) {
    const int cells = g->agents * anchors;
    const meeting m = {g, agon_rules_fingerprint(g->rules), anchors, ref, greedy};
    agon_result* result = calloc((size_t)cells + 1, sizeof *result);
    const agon_match_result** match = calloc((size_t)cells + 1, sizeof *match);
    int rc = result && match ? AGON_OK : no_memory(g->agents, error);
    if (!rc)
        rc = run_tasks(g, "matches against anchors", plan_meeting, &m, cells, result, error);
    for (int at = 0; !rc && at < cells; at++)
        match[at] = &result[at].as.match;
    if (!rc)
        rc = agon_gather_scores(g, anchors, label, match, out, error);
    for (int at = 0; result && at < cells; at++)
        agon_result_clear(&result[at]);
    free(result);
    free(match);
    return rc;
}
