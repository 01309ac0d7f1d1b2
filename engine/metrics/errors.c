/* errors.c: who errs where, and how alike errors are. */
#include "engine/metrics/errors.h"

#include "engine/metrics/pairs.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors -------------------------------------------------------------------------------- */

/* Probability that the choice errs; *loss: what it gives away. */
static double error_of(const agon_solved* v, int state, double best, const double* choice,
                       double* loss) {
    const double* worth = v->worth + (size_t)state * v->behaviour.actions;
    double wrong = 0;
    *loss = 0;
    for (int a = 0; a < v->behaviour.actions; a++) {
        if (agon_solved_errs(v, state, best, a)) {
            wrong += choice[a];
            *loss += choice[a] * (best - worth[a]);
        }
    }
    return wrong < 1 ? wrong : 1;
}

/* Scratch of most functions: weights of states, and one choice. NULL: no memory. */
static double* open_scratch(const agon_solved* v, size_t more) {
    return calloc((size_t)v->behaviour.states + v->behaviour.actions + more, sizeof(double));
}

int agon_errors_judge(const agon_solved* v, double* weight, double* share) {
    assert(weight && share);
    int code = agon_solved_check(v);
    if (code)
        return code;
    *share = agon_solved_weights(v, agon_solved_judged, weight);
    return 0;
}

int agon_errors_failures(const agon_solved* v, agon_choice how, double* failure) {
    assert(failure);
    int code = agon_solved_check(v);
    if (code)
        return code;
    double* weight = open_scratch(v, 0);
    if (!weight)
        return AGON_EMEMORY;
    double* choice = weight + v->behaviour.states;
    const int states = v->behaviour.states;
    for (int s = 0; s < states; s++) {
        const agon_verdict state = agon_solved_verdict(v, s);
        for (int i = 0; i < v->behaviour.agents; i++) {
            double loss;
            agon_solved_choose(v, i, s, how, choice);
            failure[(size_t)i * states + s] =
                agon_solved_judged(state) ? error_of(v, s, state.best, choice, &loss) : 0;
        }
    }
    free(weight);
    return 0;
}

static agon_accuracy accuracy_of(const agon_solved* v, int agent, const double* weight,
                                 double* choice) {
    agon_accuracy sum = {0, 0, 0, 0, 0};
    for (int s = 0; s < v->behaviour.states; s++) {
        if (weight[s] == 0)
            continue;
        const double best = agon_solved_verdict(v, s).best;
        double loss;
        sum.ties += weight[s] * (agon_solved_choose(v, agent, s, AGON_CHOICE_GREEDY, choice) > 1);
        sum.accuracy += weight[s] * (1 - error_of(v, s, best, choice, &loss));
        sum.loss += weight[s] * loss;
        agon_solved_choose(v, agent, s, AGON_CHOICE_SAMPLED, choice);
        sum.mass += weight[s] * (1 - error_of(v, s, best, choice, &loss));
        sum.mass_loss += weight[s] * loss;
    }
    return sum;
}

int agon_errors_accuracy(const agon_solved* v, agon_accuracy* out) {
    assert(out);
    int code = agon_solved_check(v);
    if (code)
        return code;
    double* weight = open_scratch(v, 0);
    if (!weight)
        return AGON_EMEMORY;
    const double share = agon_solved_weights(v, agon_solved_judged, weight);
    for (int i = 0; i < v->behaviour.agents; i++) {
        out[i] = share > 0 ? accuracy_of(v, i, weight, weight + v->behaviour.states)
                           : (agon_accuracy){NAN, NAN, NAN, NAN, NAN};
    }
    free(weight);
    return 0;
}

/* ---- agreement of errors ------------------------------------------------------------------- */

/* Means over pairs of agents, of weighted means over states. */
typedef struct pair_means {
    double right, wrong;                   /* both are */
    double same;                           /* both choose the same wrong action */
    double chance;                         /* both err, over the number of actions that err */
    double count;                          /* both err, summed over states without weights */
    double expected_right, expected_wrong; /* products of the two agents' rates */
    double fraction;                       /* 1 / actions that err, over all judged states */
} pair_means;

static agon_kappa kappa_of(double observed, double expected) {
    const double rest = 1 - expected;
    return (agon_kappa){observed, expected, rest > 1e-12 ? (observed - expected) / rest : NAN};
}

static agon_error_agreement agreement_of(pair_means m) {
    agon_error_agreement out;
    const bool some = m.wrong > 0;
    const double same = m.same < m.wrong ? m.same : m.wrong;
    out.agreement = some ? same / m.wrong : NAN;
    out.chance = some ? m.chance / m.wrong : NAN;
    out.joint = m.count;
    out.capa = kappa_of(m.right + same, m.expected_right + m.expected_wrong * m.fraction);
    out.consistency = kappa_of(m.right + m.wrong, m.expected_right + m.expected_wrong);
    return out;
}

static agon_error_agreement no_agreement(void) {
    const agon_kappa none = {NAN, NAN, NAN};
    return (agon_error_agreement){NAN, NAN, 0, none, none};
}

/* Scratch of the population's form. */
typedef struct pool {
    double *weight, *choice; /* (states), (actions) */
    double *sum, *squares;   /* (actions) of wrong choices over agents */
    double *right, *wrong;   /* (agents) rates */
} pool;

/* Adds a state to the means; everything still to be divided by the ordered pairs. */
static void pool_state(const agon_solved* v, int state, agon_choice how, pool* p, pair_means* m) {
    const agon_behaviour* b = &v->behaviour;
    const agon_verdict s = agon_solved_verdict(v, state);
    const double weight = p->weight[state];
    double right = 0, right2 = 0, wrong = 0, wrong2 = 0, same = 0;
    memset(p->sum, 0, 2 * (size_t)b->actions * sizeof *p->sum); /* and squares */
    for (int i = 0; i < b->agents; i++) {
        double loss;
        agon_solved_choose(v, i, state, how, p->choice);
        const double error = error_of(v, state, s.best, p->choice, &loss);
        right += 1 - error;
        right2 += (1 - error) * (1 - error);
        wrong += error;
        wrong2 += error * error;
        p->right[i] += weight * (1 - error);
        p->wrong[i] += weight * error;
        for (int a = 0; a < b->actions; a++) {
            const double x = agon_solved_errs(v, state, s.best, a) ? p->choice[a] : 0;
            p->sum[a] += x;
            p->squares[a] += x * x;
        }
    }
    for (int a = 0; a < b->actions; a++)
        same += agon_pairs_product(p->sum[a], p->squares[a]);
    m->right += weight * agon_pairs_product(right, right2);
    m->wrong += weight * agon_pairs_product(wrong, wrong2);
    m->same += weight * same;
    m->chance += weight * agon_pairs_product(wrong, wrong2) / s.wrong;
    m->count += 0.5 * agon_pairs_product(wrong, wrong2);
    m->fraction += weight / s.wrong;
}

static double cross_of(const double* x, int n) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    return agon_pairs_product(sum, squares);
}

static pair_means pool_means(const agon_solved* v, agon_choice how, pool* p) {
    const int n = v->behaviour.agents;
    const double pairs = n * (n - 1.0);
    pair_means m = {0};
    for (int s = 0; s < v->behaviour.states; s++) {
        if (p->weight[s] > 0)
            pool_state(v, s, how, p, &m);
    }
    m.right /= pairs;
    m.wrong /= pairs;
    m.same /= pairs;
    m.chance /= pairs;
    m.expected_right = cross_of(p->right, n) / pairs;
    m.expected_wrong = cross_of(p->wrong, n) / pairs;
    return m;
}

int agon_errors_agreement(const agon_solved* v, agon_choice how, agon_error_agreement* out) {
    assert(out);
    int code = agon_solved_check(v);
    if (code)
        return code;
    const int n = v->behaviour.agents, actions = v->behaviour.actions;
    double* block = open_scratch(v, 2 * (size_t)actions + 2 * (size_t)n);
    if (!block)
        return AGON_EMEMORY;
    pool p = {.weight = block, .choice = block + v->behaviour.states};
    p.sum = p.choice + actions;
    p.squares = p.sum + actions;
    p.right = p.squares + actions;
    p.wrong = p.right + n;
    const double share = agon_solved_weights(v, agon_solved_judged, p.weight);
    *out = share > 0 && n > 1 ? agreement_of(pool_means(v, how, &p)) : no_agreement();
    free(block);
    return 0;
}

/* All choices, so that pairs need not be chosen again. */
typedef struct table {
    const double* weight; /* (states) */
    const double* choice; /* (agents, states, actions), 0 where the action does not err */
    const double* error;  /* (agents, states) sum of it */
    const int* wrong;     /* (states) actions that err */
    int states, actions;
} table;

static pair_means pair_of(const table* t, int i, int j) {
    pair_means m = {0};
    double rate_i = 0, rate_j = 0;
    for (int s = 0; s < t->states; s++) {
        if (t->weight[s] == 0)
            continue;
        const size_t row_i = (size_t)i * t->states + s, row_j = (size_t)j * t->states + s;
        const double *x = t->choice + row_i * t->actions, *y = t->choice + row_j * t->actions;
        const double both = t->error[row_i] * t->error[row_j];
        double same = 0;
        for (int a = 0; a < t->actions; a++)
            same += x[a] * y[a];
        m.right += t->weight[s] * (1 - t->error[row_i]) * (1 - t->error[row_j]);
        m.wrong += t->weight[s] * both;
        m.same += t->weight[s] * same;
        m.chance += t->weight[s] * both / t->wrong[s];
        m.count += both;
        m.fraction += t->weight[s] / t->wrong[s];
        rate_i += t->weight[s] * t->error[row_i];
        rate_j += t->weight[s] * t->error[row_j];
    }
    m.expected_right = (1 - rate_i) * (1 - rate_j);
    m.expected_wrong = rate_i * rate_j;
    return m;
}

/* choice, error, wrong: out, as in the table. */
static void fill_table(const agon_solved* v, agon_choice how, double* choice, double* error,
                       int* wrong) {
    const agon_behaviour* b = &v->behaviour;
    for (int s = 0; s < b->states; s++) {
        const agon_verdict state = agon_solved_verdict(v, s);
        wrong[s] = state.wrong;
        for (int i = 0; i < b->agents; i++) {
            const size_t row = (size_t)i * b->states + s;
            double* x = choice + row * b->actions;
            double loss;
            agon_solved_choose(v, i, s, how, x);
            error[row] = error_of(v, s, state.best, x, &loss);
            for (int a = 0; a < b->actions; a++)
                x[a] = agon_solved_errs(v, s, state.best, a) ? x[a] : 0;
        }
    }
}

static void fill_pairs(const table* t, int n, bool some, agon_error_agreement* out) {
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            out[(size_t)i * n + j] = some ? agreement_of(pair_of(t, i, j)) : no_agreement();
            out[(size_t)j * n + i] = out[(size_t)i * n + j];
        }
    }
}

int agon_errors_agreement_pairs(const agon_solved* v, agon_choice how, agon_error_agreement* out) {
    assert(out);
    int code = agon_solved_check(v);
    if (code)
        return code;
    const agon_behaviour* b = &v->behaviour;
    const size_t rows = (size_t)b->agents * b->states;
    double* weight = open_scratch(v, rows * (b->actions + (size_t)1));
    int* wrong = malloc((size_t)b->states * sizeof *wrong);
    if (weight && wrong) {
        double* error = weight + b->states;
        double* choice = error + rows;
        const table t = {weight, choice, error, wrong, b->states, b->actions};
        fill_table(v, how, choice, error, wrong);
        fill_pairs(&t, b->agents, agon_solved_weights(v, agon_solved_judged, weight) > 0, out);
    }
    code = weight && wrong ? 0 : AGON_EMEMORY;
    free(weight);
    free(wrong);
    return code;
}
