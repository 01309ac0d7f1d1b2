/* solved_fixture.h: random agents on random solved states, for tests of mistakes. */
#ifndef SOLVED_FIXTURE_H
#define SOLVED_FIXTURE_H

#include "engine/metrics/solved.h"
#include "games/random.h"

#include <math.h>
#include <string.h>

#define AGENTS  6
#define STATES  12
#define ACTIONS 5

typedef struct solved_fixture {
    float probability[AGENTS * STATES * ACTIONS];
    double weight[STATES];
    double worth[STATES * ACTIONS];
    uint8_t legal[STATES * ACTIONS];
    agon_solved view;
} solved_fixture;

static inline double fixture_uniform(uint32_t trial, uint32_t what, uint32_t at) {
    const agon_draw d = agon_random(agon_key_make(trial, "solved", AGON_FOR_TEST), what, at, 0, 0);
    return agon_uniform_double(d.word[0], d.word[1]);
}

static inline void fixture_row(solved_fixture* f, uint32_t trial, int agent, int state) {
    float* row = f->probability + (agent * STATES + state) * ACTIONS;
    double sum = 0, p[ACTIONS];
    for (int a = 0; a < ACTIONS; a++) {
        const double u = fixture_uniform(trial, 100 + agent, state * ACTIONS + a);
        p[a] = f->legal[state * ACTIONS + a] ? u * u * u + 1e-3 : 0;
        sum += p[a];
    }
    for (int a = 0; a < ACTIONS; a++)
        row[a] = (float)(p[a] / sum);
}

/* All states solved; 2 .. 5 legal actions; worths -1, 0, 1, so that several may be best. */
static inline void fixture_fill(solved_fixture* f, uint32_t trial) {
    double sum = 0;
    for (int s = 0; s < STATES; s++) {
        const int actions = 2 + (int)(fixture_uniform(trial, 0, s) * (ACTIONS - 1));
        for (int a = 0; a < ACTIONS; a++) {
            const int at = s * ACTIONS + a;
            f->legal[at] = a < actions;
            f->worth[at] =
                a < actions ? floor(3 * fixture_uniform(trial, 1, (uint32_t)at)) - 1 : NAN;
        }
        f->weight[s] = .1 + fixture_uniform(trial, 2, s);
        sum += f->weight[s];
        for (int i = 0; i < AGENTS; i++)
            fixture_row(f, trial, i, s);
    }
    for (int s = 0; s < STATES; s++)
        f->weight[s] /= sum;
    f->view =
        (agon_solved){{AGENTS, STATES, ACTIONS, f->probability, f->weight}, f->worth, f->legal};
}

/* Same preferences, sharper. */
static inline void fixture_sharpen(solved_fixture* f) {
    for (int r = 0; r < AGENTS * STATES; r++) {
        double sum = 0;
        for (int a = 0; a < ACTIONS; a++)
            sum += (double)f->probability[r * ACTIONS + a] * f->probability[r * ACTIONS + a];
        for (int a = 0; a < ACTIONS; a++) {
            float* p = &f->probability[r * ACTIONS + a];
            *p = (float)(*p * (double)*p / sum);
        }
    }
}

static inline void fixture_copy_agent(solved_fixture* f, int from, int to) {
    const size_t row = STATES * ACTIONS;
    memcpy(f->probability + to * row, f->probability + from * row, row * sizeof(float));
}

#endif
