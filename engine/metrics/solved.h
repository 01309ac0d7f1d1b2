/* solved.h: states whose answer is known, and what agents choose there.
 *
 * An action errs when it is worth less than the best of its state. Worths are compared exactly:
 * round them first when they are estimates. */
#ifndef AGON_SOLVED_H
#define AGON_SOLVED_H

#include "engine/metrics/diversity.h"

#include <stdbool.h>
#include <stdint.h>

/* Borrowed arrays. */
typedef struct agon_solved {
    agon_behaviour behaviour;
    const double* worth;  /* (states, actions) to who chooses; NaN: illegal or not known */
    const uint8_t* legal; /* (states, actions) 1: may be chosen */
} agon_solved;

/* What an agent chooses is a distribution over actions, so that one formula serves both readings:
 *   SAMPLED  its probabilities: a sampled action. Moves when policies are sharpened
 *   GREEDY   its most probable action; exactly equal ones share evenly, so that nothing depends on
 *            the numbering of actions. Does not move
 * Two agents choose independently of each other given the state. */
typedef enum agon_choice { AGON_CHOICE_SAMPLED, AGON_CHOICE_GREEDY } agon_choice;

/* 0, or AGON_EINVALID: the behaviour is malformed, a legal action has an infinite worth, or an
 * illegal one is taken. */
int agon_solved_check(const agon_solved* solved);

typedef struct agon_verdict {
    int legal, wrong; /* actions; wrong means nothing unless known */
    double best;      /* worth */
    bool known;       /* the worth of every legal action */
} agon_verdict;
agon_verdict agon_solved_verdict(const agon_solved* solved, int state);

/* All worths are known, and an action errs: states at which an agent can fail. */
bool agon_solved_judged(agon_verdict verdict);
/* All worths are known, and there is a choice. */
bool agon_solved_contestable(agon_verdict verdict);

/* The weights of the states that count, scaled to add up to 1, and 0 elsewhere: out (states).
 * Returns their share of the weight, in [0, 1]; 0: none counts, and all weights are 0. */
double agon_solved_weights(const agon_solved* solved, bool (*counts)(agon_verdict), double* weight);

/* What the agent chooses: out (actions), adds up to 1. Returns how many actions share the maximum
 * of its probabilities. */
int agon_solved_choose(const agon_solved* solved, int agent, int state, agon_choice how,
                       double* choice);

/* At a state whose best action is worth `best`. */
bool agon_solved_errs(const agon_solved* solved, int state, double best, int action);

#endif
