/* solved.c: which states count, and what agents choose there. */
#include "engine/metrics/solved.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

static const double* worth_of(const agon_solved* v, int state) {
    return v->worth + (size_t)state * v->behaviour.actions;
}

static const uint8_t* legal_of(const agon_solved* v, int state) {
    return v->legal + (size_t)state * v->behaviour.actions;
}

agon_verdict agon_solved_verdict(const agon_solved* v, int state) {
    const double* worth = worth_of(v, state);
    const uint8_t* legal = legal_of(v, state);
    agon_verdict out = {0, 0, -INFINITY, true};
    for (int a = 0; a < v->behaviour.actions; a++) {
        out.legal += legal[a] != 0;
        if (legal[a] && isnan(worth[a]))
            out.known = false;
        else if (legal[a] && worth[a] > out.best)
            out.best = worth[a];
    }
    for (int a = 0; a < v->behaviour.actions; a++)
        out.wrong += legal[a] && worth[a] < out.best;
    return out;
}

bool agon_solved_judged(agon_verdict s) {
    return s.known && s.wrong > 0;
}

bool agon_solved_contestable(agon_verdict s) {
    return s.known && s.legal > 1;
}

int agon_solved_check(const agon_solved* v) {
    assert(v && v->worth && v->legal);
    const agon_behaviour* b = &v->behaviour;
    int code = agon_behaviour_check(b);
    if (code)
        return code;
    const size_t cells = (size_t)b->states * b->actions;
    for (size_t c = 0; c < cells; c++) {
        if (v->legal[c] && isinf(v->worth[c]))
            return AGON_EINVALID;
    }
    for (int i = 0; i < b->agents; i++) {
        for (size_t c = 0; c < cells; c++) {
            if (!v->legal[c] && b->probability[i * cells + c] > 0)
                return AGON_EINVALID;
        }
    }
    return 0;
}

double agon_solved_weights(const agon_solved* v, bool (*counts)(agon_verdict), double* weight) {
    assert(weight);
    double share = 0;
    for (int s = 0; s < v->behaviour.states; s++) {
        weight[s] = counts(agon_solved_verdict(v, s)) ? v->behaviour.weight[s] : 0;
        share += weight[s];
    }
    for (int s = 0; s < v->behaviour.states && share > 0; s++)
        weight[s] /= share;
    return share < 1 ? share : 1;
}

int agon_solved_choose(const agon_solved* v, int agent, int state, agon_choice how,
                       double* choice) {
    const agon_behaviour* b = &v->behaviour;
    const float* row = b->probability + ((size_t)agent * b->states + state) * b->actions;
    float top = 0;
    double sum = 0;
    int tied = 0;
    for (int a = 0; a < b->actions; a++) {
        sum += row[a];
        tied = row[a] > top ? 1 : tied + (row[a] == top);
        top = row[a] > top ? row[a] : top;
    }
    for (int a = 0; a < b->actions; a++)
        choice[a] = how == AGON_CHOICE_GREEDY ? (row[a] == top) / (double)tied : row[a] / sum;
    return tied;
}

bool agon_solved_errs(const agon_solved* v, int state, double best, int action) {
    return legal_of(v, state)[action] && worth_of(v, state)[action] < best;
}
