/* plan_fixture.h: a population whose tasks get made-up results, functions of their keys alone. For
 * the tests of planner, league and measurement: nothing is played. */
#ifndef AGON_PLAN_FIXTURE_H
#define AGON_PLAN_FIXTURE_H

#include "engine/population.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct plan_bench {
    agon_config config;
    agon_rules* rules;
    agon_population population;
} plan_bench;

static inline void configure(agon_config* c, const char* name, const char* value) {
    agon_error error = {0};
    if (agon_config_set(c, name, value, "test", &error) != AGON_OK)
        fail_msg("%s", error.text);
}

/* settings: name, value, ..., NULL, over a small population. */
static inline void configure_small(agon_config* c, const char* game, const char* const* settings) {
    agon_config_defaults(c);
    configure(c, "game.name", game);
    configure(c, "population.size", "5");
    configure(c, "train.generations", "6");
    configure(c, "train.lanes", "32");
    configure(c, "metrics.every", "2");
    configure(c, "metrics.games", "8");
    configure(c, "metrics.anchor_games", "4");
    configure(c, "metrics.final_games", "6");
    configure(c, "metrics.bootstrap", "20");
    for (int i = 0; settings && settings[i]; i += 2)
        configure(c, settings[i], settings[i + 1]);
}

static inline int try_open_bench(plan_bench* b, const char* game, const char* const* settings,
                                 agon_error* error) {
    memset(b, 0, sizeof *b);
    configure_small(&b->config, game, settings);
    assert_int_equal(agon_rules_open(game, &b->rules, NULL), AGON_OK);
    const int rc = agon_population_open(&b->config, b->rules, &b->population, error);
    memset(b->population.probes, 'e', AGON_HASH_SIZE - 1);
    return rc;
}

static inline void open_bench(plan_bench* b, const char* game, const char* const* settings) {
    agon_error error = {0};
    if (try_open_bench(b, game, settings, &error) != AGON_OK)
        fail_msg("%s", error.text);
}

static inline void close_bench(plan_bench* b) {
    agon_population_close(&b->population);
    agon_rules_close(b->rules);
}

static inline agon_result begin_result(agon_task_kind kind, const char* key) {
    agon_result r = {.kind = kind};
    snprintf(r.key, sizeof r.key, "%s", key);
    return r;
}

/* Hashes of the key: learner and snapshot differ from each other and from all others. */
static inline agon_result fake_train(const char* key) {
    agon_result r = begin_result(AGON_TRAIN, key);
    char text[AGON_KEY_SIZE + 8];
    snprintf(text, sizeof text, "L%s", key);
    agon_sha256(text, strlen(text), r.as.train.learner);
    snprintf(text, sizeof text, "S%s", key);
    agon_sha256(text, strlen(text), r.as.train.snapshot);
    r.as.train.total_steps = 100;
    return r;
}

/* A zero-sum match of two seats: wins and losses of the row, as a first and as a second. */
static inline agon_result fake_match(const char* key, int games, int first, int second) {
    agon_result r = begin_result(AGON_MATCH, key);
    agon_match_result* m = &r.as.match;
    const int score[2] = {first, second}; /* wins - losses in games / 2 games; the rest is drawn */
    m->seats = 2;
    m->pairs = (uint64_t)games / 2;
    for (int s = 0; s < 2; s++) {
        agon_tally* t = &m->tally[s];
        t->games = (uint64_t)games / 2;
        t->wins = score[s] > 0 ? (uint64_t)score[s] : 0;
        t->losses = score[s] < 0 ? (uint64_t)-score[s] : 0;
        t->draws = t->games - t->wins - t->losses;
        t->sum = score[s];
        t->sum_squares = fabs((double)score[s]);
    }
    m->pair_sum = (first + second) / 2.0;
    m->pair_sum_squares = (fabs((double)first) + fabs((double)second)) / 4.0;
    return r;
}

/* One state, actions chosen with the given probabilities. */
static inline agon_result fake_probe(const char* key, int actions, const float* probability) {
    agon_result r = begin_result(AGON_PROBE, key);
    agon_probe_result* p = &r.as.probe;
    p->states = 1;
    p->actions = actions;
    p->probability = calloc((size_t)actions, sizeof *p->probability);
    assert_non_null(p->probability);
    for (int a = 0; a < actions; a++)
        p->probability[a] = probability ? probability[a] : 1.0f / (float)actions;
    p->nash_conv = p->worst_first = p->worst_second = p->value = NAN;
    return r;
}

/* Adds and forgets. */
static inline void record(agon_population* p, agon_result r) {
    assert_int_equal(agon_record_add(p->record, &r), AGON_OK);
    agon_result_clear(&r);
}

/* What "executing" the task gives: a function of the task. */
static inline agon_result fake_result(const agon_task* task, int actions) {
    const uint64_t hash = agon_hash(AGON_HASH_START, task->key, strlen(task->key));
    if (task->kind == AGON_TRAIN)
        return fake_train(task->key);
    if (task->kind == AGON_PROBE)
        return fake_probe(task->key, actions, NULL);
    const int half = task->as.match.games / 2;
    return fake_match(task->key, task->as.match.games, (int)(hash % 5) % half - 1,
                      1 - (int)(hash / 5 % 5) % half);
}

#endif
