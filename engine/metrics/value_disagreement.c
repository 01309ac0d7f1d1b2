/* value_disagreement.c: differences of choice, with and without a difference of worth. */
#include "engine/metrics/value_disagreement.h"

#include "engine/metrics/pairs.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Scratch: actions of a state in rising order of worth; the k-th of them ends a group of equal
 * worth when the next is worth more. */
typedef struct ladder {
    double *weight, *choice;  /* (states), (actions) */
    double *action, *action2; /* (actions) sums over agents of the choice, and of squares */
    double *group, *group2;   /* (actions) of the mass of a group, at its last action */
    double *below, *both;     /* (actions) of the mass F up to there, and of F (1 - F) */
    int* order;               /* (actions) */
    int count;                /* legal actions */
} ladder;

static const double* worth_of(const agon_solved* v, int state) {
    return v->worth + (size_t)state * v->behaviour.actions;
}

static void sort_by_worth(const agon_solved* v, int state, ladder* l) {
    const double* worth = worth_of(v, state);
    const uint8_t* legal = v->legal + (size_t)state * v->behaviour.actions;
    l->count = 0;
    for (int a = 0; a < v->behaviour.actions; a++) {
        if (!legal[a])
            continue;
        int k = l->count++;
        for (; k > 0 && worth[l->order[k - 1]] > worth[a]; k--)
            l->order[k] = l->order[k - 1];
        l->order[k] = a;
    }
}

static bool ends_group(const ladder* l, const double* worth, int k) {
    return k + 1 == l->count || worth[l->order[k + 1]] > worth[l->order[k]];
}

static void add_choice(ladder* l, const double* worth) {
    double group = 0, below = 0;
    for (int k = 0; k < l->count; k++) {
        const double x = l->choice[l->order[k]];
        l->action[k] += x;
        l->action2[k] += x * x;
        group += x;
        below += x;
        if (ends_group(l, worth, k)) {
            l->group[k] += group;
            l->group2[k] += group * group;
            l->below[k] += below;
            l->both[k] += below * (1 - below);
            group = 0;
        }
    }
}

/* E |difference| of two draws is the sum over steps of the ladder of (height) (F_i (1 - F_j) +
 * F_j (1 - F_i)). */
static agon_value_disagreement state_disagreement(const ladder* l, const double* worth, int n) {
    const double pairs = n * (n - 1.0);
    double same_action = 0, same_worth = 0, gap = 0;
    for (int k = 0; k < l->count; k++) {
        same_action += agon_pairs_product(l->action[k], l->action2[k]);
        if (!ends_group(l, worth, k))
            continue;
        same_worth += agon_pairs_product(l->group[k], l->group2[k]);
        if (k + 1 < l->count) {
            const double apart = 2 * (l->below[k] * (n - l->below[k]) - l->both[k]);
            gap += (worth[l->order[k + 1]] - worth[l->order[k]]) * (apart > 0 ? apart : 0);
        }
    }
    const double relevant = 1 - same_worth / pairs, neutral = (same_worth - same_action) / pairs;
    return (agon_value_disagreement){relevant > 0 ? relevant : 0, neutral > 0 ? neutral : 0,
                                     gap / pairs};
}

static agon_value_disagreement mean_disagreement(const agon_solved* v, agon_choice how, ladder* l) {
    const agon_behaviour* b = &v->behaviour;
    agon_value_disagreement sum = {0, 0, 0};
    for (int s = 0; s < b->states && b->agents > 1; s++) {
        if (l->weight[s] == 0)
            continue;
        memset(l->action, 0, 6 * (size_t)b->actions * sizeof *l->action); /* up to both */
        sort_by_worth(v, s, l);
        for (int i = 0; i < b->agents; i++) {
            agon_solved_choose(v, i, s, how, l->choice);
            add_choice(l, worth_of(v, s));
        }
        const agon_value_disagreement d = state_disagreement(l, worth_of(v, s), b->agents);
        sum.relevant += l->weight[s] * d.relevant;
        sum.neutral += l->weight[s] * d.neutral;
        sum.gap += l->weight[s] * d.gap;
    }
    return sum;
}

int agon_value_disagreement_mean(const agon_solved* v, agon_choice how,
                                 agon_value_disagreement* out) {
    assert(out);
    int code = agon_solved_check(v);
    if (code)
        return code;
    const size_t actions = (size_t)v->behaviour.actions;
    double* block = calloc(v->behaviour.states + 7 * actions, sizeof *block);
    int* order = malloc(actions * sizeof *order);
    if (block && order) {
        double* x = block + v->behaviour.states;
        ladder l = {.weight = block, .choice = x, .action = x + actions, .order = order};
        l.action2 = l.action + actions;
        l.group = l.action2 + actions;
        l.group2 = l.group + actions;
        l.below = l.group2 + actions;
        l.both = l.below + actions;
        *out = agon_solved_weights(v, agon_solved_contestable, block) > 0
                   ? mean_disagreement(v, how, &l)
                   : (agon_value_disagreement){NAN, NAN, NAN};
    }
    code = block && order ? 0 : AGON_EMEMORY;
    free(block);
    free(order);
    return code;
}
