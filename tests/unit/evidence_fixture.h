/* evidence_fixture.h: random evidence in which every part is there. */
#ifndef AGON_TESTS_EVIDENCE_FIXTURE_H
#define AGON_TESTS_EVIDENCE_FIXTURE_H

#include "agents/real.h"
#include "engine/metrics/evidence.h"
#include "games/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture_dice {
    agon_key key;
    uint32_t drawn;
} fixture_dice;

static inline double fixture_uniform(fixture_dice* d) {
    const agon_draw x = agon_random(d->key, d->drawn++, 0, 0, 0);
    return agon_uniform_double(x.word[0], x.word[1]);
}

static inline void* fixture_array(size_t count, size_t size) {
    void* p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

/* Probabilities of the legal actions of one row: softmax of sharpness * logits. */
static inline void fixture_softmax(const double* logit, const uint8_t* legal, int actions,
                                   double sharpness, float* out) {
    double sum = 0, top = -INFINITY;
    for (int a = 0; a < actions; a++)
        top = legal[a] && sharpness * logit[a] > top ? sharpness * logit[a] : top;
    for (int a = 0; a < actions; a++)
        sum += legal[a] ? agon_exp(sharpness * logit[a] - top) : 0;
    for (int a = 0; a < actions; a++)
        out[a] = legal[a] ? (float)(agon_exp(sharpness * logit[a] - top) / sum) : 0;
}

/* Logits are functions of (seed, agent, state): sharpness alone changes nothing else. */
static inline void fixture_answers(agon_evidence* e, uint64_t seed, int states, int actions,
                                   double sharpness) {
    agon_answers* a = &e->answers;
    const size_t n = (size_t)e->agents, all = n * (size_t)states * (size_t)actions;
    fixture_dice d = {agon_key_make(seed, "answers", AGON_FOR_TEST), 0};
    double* logit = fixture_array((size_t)actions, sizeof *logit);
    a->states = states, a->actions = actions, a->images = 1, a->strata = 2;
    a->probability = fixture_array(all, sizeof(float));
    a->image = fixture_array(all, sizeof(float));
    a->weight = fixture_array((size_t)states, sizeof(double));
    a->options = fixture_array((size_t)states, sizeof(int));
    a->stratum = fixture_array((size_t)states, sizeof(int));
    a->legal = fixture_array((size_t)(states * actions), 1);
    a->worth = fixture_array((size_t)(states * actions), sizeof(double));
    a->count = fixture_array(all, sizeof(uint32_t));
    a->stratum_label = fixture_array(2, sizeof *a->stratum_label);
    snprintf(a->set, sizeof a->set, "U");
    for (int s = 0; s < states; s++) {
        a->weight[s] = 1.0 / states;
        a->stratum[s] = s % 2;
        a->options[s] = 2 + s % (actions - 1);
        for (int k = 0; k < actions; k++) {
            a->legal[s * actions + k] = k < a->options[s];
            a->worth[s * actions + k] =
                k < a->options[s] ? floor(3 * fixture_uniform(&d)) - 1 : NAN;
        }
        for (size_t i = 0; i < n; i++) {
            const size_t at = (i * (size_t)states + (size_t)s) * (size_t)actions;
            for (int half = 0; half < 2; half++) {
                for (int k = 0; k < actions; k++)
                    logit[k] = 4 * fixture_uniform(&d) - 2;
                fixture_softmax(logit, a->legal + s * actions, actions, sharpness,
                                (half ? a->image : a->probability) + at);
            }
            for (int k = 0; k < actions; k++)
                a->count[at + (size_t)k] =
                    (uint32_t)lrint(100 * (double)a->probability[at + (size_t)k]);
        }
    }
    free(logit);
}

static inline void fixture_payoffs(agon_evidence* e, uint64_t seed, double error) {
    agon_payoffs* p = &e->payoffs;
    const size_t n = (size_t)e->agents;
    fixture_dice d = {agon_key_make(seed, "payoffs", AGON_FOR_TEST), 0};
    p->agents = e->agents, p->antisymmetric = true;
    p->member = fixture_array(n, sizeof(int));
    p->mean = fixture_array(n * n, sizeof(double));
    p->error = fixture_array(n * n, sizeof(double));
    p->games = fixture_array(n * n, sizeof(double));
    p->wins = fixture_array(n * n, sizeof(double));
    p->draws = fixture_array(n * n, sizeof(double));
    for (size_t i = 0; i < n; i++) {
        p->member[i] = (int)i;
        for (size_t j = i + 1; j < n; j++) {
            const size_t at = i * n + j, back = j * n + i;
            p->mean[at] = (2 * fixture_uniform(&d) - 1) * 0.9;
            p->mean[back] = -p->mean[at];
            p->error[at] = p->error[back] = error;
            p->games[at] = p->games[back] = 64;
            p->wins[at] = 32 * (1 + p->mean[at]);
            p->wins[back] = 64 - p->wins[at];
        }
    }
}

static inline void fixture_rest(agon_evidence* e, uint64_t seed) {
    const size_t n = (size_t)e->agents;
    fixture_dice d = {agon_key_make(seed, "rest", AGON_FOR_TEST), 0};
    e->anchors.anchors = 3;
    e->anchors.label = fixture_array(3, sizeof *e->anchors.label);
    e->anchors.mean = fixture_array(3 * n, sizeof(double));
    e->anchors.error = fixture_array(3 * n, sizeof(double));
    e->anchors.games = fixture_array(3 * n, sizeof(double));
    for (int k = 0; k < 3; k++)
        snprintf(e->anchors.label[k], AGON_LABEL, "anchor%d", k);
    for (size_t i = 0; i < 3 * n; i++) {
        e->anchors.mean[i] = 1.8 * fixture_uniform(&d) - 0.9;
        e->anchors.error[i] = 0.05;
        e->anchors.games[i] = 64;
    }
    e->insides.inputs = 12, e->insides.width = 5, e->insides.parameters = 9;
    e->insides.activation = fixture_array(n * 12 * 5, sizeof(float));
    e->insides.parameter = fixture_array(n * 9, sizeof(float));
    for (size_t i = 0; i < n * 12 * 5; i++)
        e->insides.activation[i] = (float)fixture_uniform(&d);
    for (size_t i = 0; i < n * 9; i++)
        e->insides.parameter[i] = (float)fixture_uniform(&d);
    e->visits.features = 20, e->visits.games = 64;
    e->visits.count = fixture_array(n * 2 * 20, sizeof(uint32_t));
    for (size_t i = 0; i < n * 2 * 20; i++)
        e->visits.count[i] = (uint32_t)(10 * fixture_uniform(&d) * fixture_uniform(&d));
    for (size_t i = 0; i < 2 * n; i++)
        e->visits.count[i * 20] += 1; /* every half came somewhere */
    e->tables.games = 40, e->tables.seats = 3;
    e->tables.agent = fixture_array(120, sizeof(int32_t));
    e->tables.value = fixture_array(120, sizeof(float));
    for (size_t i = 0; i < 120; i++) {
        e->tables.agent[i] = (int32_t)((i / 3 + i % 3 * (1 + i / 3 % 5)) % n);
        e->tables.value[i] = (float)floor(4 * fixture_uniform(&d));
    }
    e->history.points = 4;
    e->history.steps = fixture_array(4, sizeof(double));
    e->history.strength = fixture_array(4 * n, sizeof(double));
    for (int k = 0; k < 4; k++) {
        e->history.steps[k] = 1000 * (k + 1);
        for (size_t i = 0; i < n; i++)
            e->history.strength[(size_t)k * n + i] = 0.2 * k + 0.2 * fixture_uniform(&d);
    }
}

static inline agon_evidence fixture_evidence(uint64_t seed, int agents, double sharpness) {
    agon_evidence e = {.agents = agents};
    e.label = fixture_array((size_t)agents, sizeof *e.label);
    for (int i = 0; i < agents; i++)
        snprintf(e.label[i], AGON_LABEL, "agent%d", i);
    snprintf(e.origin, sizeof e.origin, "fixture");
    fixture_answers(&e, seed, 24, 5, sharpness);
    fixture_payoffs(&e, seed, 0.05);
    fixture_rest(&e, seed);
    return e;
}

/* The agents in reverse order: everything indexed by agent is turned round. */
static inline void fixture_turn(void* array, int agents, size_t each) {
    char* p = array;
    char* keep = fixture_array(each, 1);
    for (int i = 0; i < agents / 2; i++) {
        char *x = p + (size_t)i * each, *y = p + (size_t)(agents - 1 - i) * each;
        memcpy(keep, x, each);
        memcpy(x, y, each);
        memcpy(y, keep, each);
    }
    free(keep);
}

static inline void fixture_reverse(agon_evidence* e) {
    const int n = e->agents;
    const size_t each = (size_t)e->answers.states * (size_t)e->answers.actions;
    double* const table[] = {e->payoffs.mean, e->payoffs.error, e->payoffs.games, e->payoffs.wins,
                             e->payoffs.draws};
    fixture_turn(e->label, n, sizeof *e->label);
    fixture_turn(e->answers.probability, n, each * sizeof(float));
    fixture_turn(e->answers.image, n, each * sizeof(float));
    fixture_turn(e->answers.count, n, each * sizeof(uint32_t));
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        fixture_turn(table[t], n, (size_t)n * sizeof(double));
        for (int i = 0; i < n; i++)
            fixture_turn(table[t] + (size_t)i * (size_t)n, n, sizeof(double));
    }
    fixture_turn(e->anchors.mean, n, 3 * sizeof(double));
    fixture_turn(e->insides.activation, n, 60 * sizeof(float));
    fixture_turn(e->insides.parameter, n, 9 * sizeof(float));
    fixture_turn(e->visits.count, n, 40 * sizeof(uint32_t));
    for (int i = 0; i < e->tables.games * e->tables.seats; i++)
        e->tables.agent[i] = n - 1 - e->tables.agent[i];
    for (int k = 0; k < 4; k++)
        fixture_turn(e->history.strength + k * n, n, sizeof(double));
}

#endif
