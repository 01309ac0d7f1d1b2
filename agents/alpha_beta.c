/* alpha_beta.c: fixed-depth negamax with alpha-beta pruning (Knuth and Moore 1975).
 *
 * A position is worth half the difference of the two returns; at the horizon, what has been earned
 * so far. Among equal pay-offs a won game is better the sooner and a lost one the later it ends.
 * Equal moves: the lowest index. */
#include "agents/scripted.h"

#include <assert.h>
#include <math.h>

/* Compared by pay-off, then by haste: both change sign with the side. */
typedef struct score {
    double payoff;
    int haste; /* of a decided game: plies of the horizon left over, for the winner */
} score;

static const score HIGHEST = {INFINITY, 0};

static score negate(score s) {
    return (score){-s.payoff, -s.haste};
}

static bool less(score a, score b) {
    return a.payoff < b.payoff || (a.payoff == b.payoff && a.haste < b.haste);
}

typedef struct alpha_beta {
    agon__walk* walk;
    int depth;
} alpha_beta;

/* What an ended line is worth to `seat`; gained: half the difference of returns, for seat 0. */
static score leaf(double gained, int seat, int left) {
    const double payoff = seat == 0 ? gained : -gained;
    return (score){payoff, payoff > 0 ? left + 1 : payoff < 0 ? -left - 1 : 0};
}

/* The best score of `seat`, to act at `level` with `left` plies to look ahead; *best: its action.
 * Outside (alpha, beta) the score is only a bound. */
static score search(const alpha_beta* ab, int level, int seat, double gained, score alpha,
                    score beta, int* best) {
    agon__walk* walk = ab->walk;
    const int words = walk->rules->mask_words, left = ab->depth - level - 1;
    const uint64_t* mask = agon__walk_legal(walk, level, seat);
    score top = negate(HIGHEST);
    int reply;
    for (int a = agon__mask_next(mask, words, 0); a >= 0; a = agon__mask_next(mask, words, a + 1)) {
        const uint64_t acting = agon__walk_play(walk, level, seat, a);
        const double sum = gained + 0.5 * ((double)walk->reward[0] - (double)walk->reward[1]);
        const int next = acting ? __builtin_ctzll(acting) : seat;
        score s;
        if (!acting)
            s = leaf(sum, seat, left);
        else if (left == 0)
            s = (score){seat == 0 ? sum : -sum, 0};
        else if (next == seat)
            s = search(ab, level + 1, next, sum, alpha, beta, &reply);
        else
            s = negate(search(ab, level + 1, next, sum, negate(beta), negate(alpha), &reply));
        if (less(top, s)) {
            top = s;
            *best = a;
        }
        if (less(alpha, s))
            alpha = s;
        if (!less(alpha, beta))
            break;
    }
    return top;
}

static void alpha_beta_act(const agon_policy* policy, const agon_batch* batch) {
    const alpha_beta* ab = (const alpha_beta*)policy->self;
    for (int i = 0; i < batch->count; i++) {
        int best = -1;
        agon__walk_begin(ab->walk, batch, i);
        search(ab, 0, batch->seat[i], 0.0, negate(HIGHEST), HIGHEST, &best);
        assert(best >= 0);
        uint64_t* set = agon__walk_mask(ab->walk, 0);
        memset(set, 0, (size_t)batch->rules->mask_words * sizeof *set);
        set[best >> 6] |= 1ull << (best & 63);
        agon__choose_evenly(batch, i, set);
    }
}

static void alpha_beta_close(agon_policy* policy) {
    alpha_beta* ab = (alpha_beta*)policy->self;
    agon__walk_close(ab->walk);
    free(ab);
}

int agon__alpha_beta_open(agon__call* call, const agon_rules* rules, agon_policy* out,
                          agon_error* error) {
    const int depth = agon_param_int(&call->params, "depth", 4, 1, 20);
    int code = agon__call_check(call, error);
    if (code == 0)
        code = agon_rules_need_minimax(rules, "alpha_beta", error);
    if (code != 0)
        return code;
    alpha_beta* ab = (alpha_beta*)malloc(sizeof *ab);
    agon__walk* walk = agon__walk_open(rules, depth);
    if (!ab || !walk) {
        free(ab);
        agon__walk_close(walk);
        return agon_fail(error, AGON_EMEMORY, "alpha_beta: out of memory");
    }
    *ab = (alpha_beta){walk, depth};
    *out = (agon_policy){.needs_state = true,
                         .deterministic = true,
                         .self = ab,
                         .act = alpha_beta_act,
                         .close = alpha_beta_close};
    snprintf(out->name, sizeof out->name, "alpha_beta(depth=%d)", depth);
    return 0;
}
