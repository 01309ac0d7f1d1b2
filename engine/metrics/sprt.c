/* sprt.c: log likelihood ratios and their bounds. */
#include "engine/metrics/sprt.h"

#include "agents/real.h"
#include "engine/metrics/rating.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>

#define MOST_OUTCOMES 16
#define SMALLEST      1e-3 /* what a count of 0 is taken as */

static int check(const agon_sprt* t) {
    return t->elo0 < t->elo1 && isfinite(t->elo0) && isfinite(t->elo1) && t->alpha > 0 &&
                   t->beta > 0 && t->alpha + t->beta < 1
               ? 0
               : AGON_EINVALID;
}

int agon_sprt_bounds(const agon_sprt* test, double* lower, double* upper) {
    assert(test && lower && upper);
    if (check(test))
        return AGON_EINVALID;
    *lower = agon_log(test->beta / (1 - test->alpha));
    *upper = agon_log((1 - test->beta) / test->alpha);
    return 0;
}

int agon_sprt_verdict(const agon_sprt* test, double llr) {
    double lower, upper;
    if (agon_sprt_bounds(test, &lower, &upper))
        return 0;
    return llr >= upper ? 1 : llr <= lower ? -1 : 0;
}

static int valid_count(double count) {
    return count >= 0 && isfinite(count);
}

int agon_sprt_bernoulli(double wins, double losses, double p0, double p1, double* llr) {
    assert(llr);
    if (!valid_count(wins) || !valid_count(losses) || !(p0 > 0 && p0 < 1) || !(p1 > 0 && p1 < 1))
        return AGON_EINVALID;
    *llr = wins * agon_log(p1 / p0) + losses * agon_log((1 - p1) / (1 - p0));
    return 0;
}

int agon_sprt_trinomial(const double* count, const agon_sprt* test, double* llr) {
    assert(count && test && llr);
    if (check(test) || !valid_count(count[0]) || !valid_count(count[1]) || !valid_count(count[2]))
        return AGON_EINVALID;
    double games = count[0] + count[1] + count[2];
    double s0 = agon_rating_expected(test->elo0), s1 = agon_rating_expected(test->elo1);
    double mean = (count[2] + 0.5 * count[1]) / games;
    double variance = (count[2] * (1 - mean) * (1 - mean) + count[1] * (0.5 - mean) * (0.5 - mean) +
                       count[0] * mean * mean) /
                      games;
    double ratio = games * (s1 - s0) * (2 * mean - s0 - s1) / (2 * variance);
    *llr = games == 0 ? 0 : variance > 0 ? ratio : NAN;
    return 0;
}

/* Shares of outcomes, and their scores 0 .. 1. */
typedef struct shares {
    int outcomes;
    double games;
    double share[MOST_OUTCOMES], score[MOST_OUTCOMES];
} shares;

static double slope(const shares* s, double mean, double x) {
    double sum = 0;
    for (int k = 0; k < s->outcomes; k++) {
        double away = s->score[k] - mean;
        sum += s->share[k] * away / (1 + x * away);
    }
    return sum;
}

/* The multiplier x of the constraint "mean score is `mean`". The slope falls from +infinity to
 * -infinity between the poles of the lowest and the highest outcome. */
static double multiplier(const shares* s, double mean) {
    double low = -1 / (1 - mean), high = 1 / mean;
    for (int k = 0; k < 200; k++) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high)
            break;
        if (slope(s, mean, middle) > 0)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* sum_k f_k ln(f_k / p_k): what the constraint costs per game. */
static double loss(const shares* s, double mean) {
    double x = multiplier(s, mean), sum = 0;
    for (int k = 0; k < s->outcomes; k++)
        sum += s->share[k] * agon_log(1 + x * (s->score[k] - mean));
    return sum;
}

int agon_sprt_exact(const double* count, int outcomes, const agon_sprt* test, double* llr) {
    assert(count && test && llr && outcomes >= 2 && outcomes <= MOST_OUTCOMES);
    if (check(test))
        return AGON_EINVALID;
    shares s = {.outcomes = outcomes};
    double played = 0;
    for (int k = 0; k < outcomes; k++) {
        if (!valid_count(count[k]))
            return AGON_EINVALID;
        played += count[k];
        s.share[k] = count[k] > 0 ? count[k] : SMALLEST;
        s.score[k] = k / (outcomes - 1.0);
        s.games += s.share[k];
    }
    for (int k = 0; k < outcomes; k++)
        s.share[k] /= s.games;
    double s0 = agon_rating_expected(test->elo0), s1 = agon_rating_expected(test->elo1);
    *llr = played > 0 ? s.games * (loss(&s, s0) - loss(&s, s1)) : 0;
    return 0;
}
