/* glicko.c: one rating period of Glicko-2. */
#include "engine/metrics/glicko.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define POINTS_PER_LOGIT 173.7178 /* as printed by Glickman; 400 / ln 10 rounded */
#define PI_SQUARED       9.869604401089358
#define TOLERANCE        1e-12
#define STEPS            500

/* The equation for the new volatility: zero of f at x = ln(volatility^2). */
typedef struct volatility_equation {
    double change_squared, deviation_squared, variance, start, tau;
} volatility_equation;

static double equation(const volatility_equation* e, double x) {
    double power = agon_exp(x), sum = e->deviation_squared + e->variance + power;
    return power * (e->change_squared - sum) / (2 * sum * sum) - (x - e->start) / (e->tau * e->tau);
}

/* A point beyond the zero on the other side than `start`. */
static double other_side(const volatility_equation* e) {
    double excess = e->change_squared - e->deviation_squared - e->variance;
    if (excess > 0)
        return agon_log(excess);
    double x = e->start - e->tau;
    while (equation(e, x) < 0)
        x -= e->tau;
    return x;
}

/* Illinois variant of regula falsi, as Glickman's step 5. */
static double new_volatility(const volatility_equation* e) {
    double a = e->start, b = other_side(e);
    double fa = equation(e, a), fb = equation(e, b);
    for (int k = 0; k < STEPS && fabs(b - a) > TOLERANCE && fb != fa; k++) {
        double c = a + (a - b) * fa / (fb - fa), fc = equation(e, c);
        if (fc * fb <= 0) {
            a = b;
            fa = fb;
        } else {
            fa /= 2;
        }
        b = c;
        fb = fc;
    }
    return agon_exp(a / 2);
}

static int valid(double rating, double deviation) {
    return isfinite(rating) && deviation >= 0 && isfinite(deviation);
}

static int check(const agon_glicko* p, const agon_glicko_result* result, int count, double tau) {
    if (!valid(p->rating, p->deviation) || !(p->volatility > 0) || !isfinite(p->volatility) ||
        !(tau > 0) || !isfinite(tau))
        return AGON_EINVALID;
    for (int k = 0; k < count; k++) {
        const agon_glicko_result* r = result + k;
        if (!valid(r->rating, r->deviation) || !(r->points >= 0 && r->points <= r->games) ||
            !isfinite(r->games))
            return AGON_EINVALID;
    }
    return 0;
}

/* Sums over games: information, 1 / v, and surprise, Delta / v. */
static void add_games(double mu, const agon_glicko_result* result, int count, double* information,
                      double* surprise) {
    *information = *surprise = 0;
    for (int k = 0; k < count; k++) {
        double other = result[k].rating / POINTS_PER_LOGIT;
        double phi = result[k].deviation / POINTS_PER_LOGIT;
        double g = 1 / sqrt(1 + 3 * phi * phi / PI_SQUARED);
        double win = 1 / (1 + agon_exp(-g * (mu - other)));
        double lose = 1 / (1 + agon_exp(g * (mu - other)));
        *information += result[k].games * g * g * win * lose;
        *surprise += g * (result[k].points - result[k].games * win);
    }
}

int agon_glicko_period(const agon_glicko* before, const agon_glicko_result* result, int count,
                       double tau, agon_glicko* after, double* variance, double* change) {
    assert(before && after && count >= 0 && (result || count == 0));
    if (check(before, result, count, tau))
        return AGON_EINVALID;
    double phi = before->deviation / POINTS_PER_LOGIT, sigma = before->volatility;
    double information, surprise;
    add_games(before->rating / POINTS_PER_LOGIT, result, count, &information, &surprise);
    double v = 1 / information, delta = information > 0 ? v * surprise : 0;
    if (information > 0) {
        volatility_equation e = {delta * delta, phi * phi, v, 2 * agon_log(sigma), tau};
        sigma = new_volatility(&e);
    }
    double spread = phi * phi + sigma * sigma, next = 1 / (1 / spread + information);
    if (!isfinite(sigma) || !isfinite(next * surprise))
        return AGON_EINVALID;
    *after = (agon_glicko){before->rating + POINTS_PER_LOGIT * next * surprise,
                           POINTS_PER_LOGIT * sqrt(next), sigma};
    if (variance)
        *variance = v;
    if (change)
        *change = delta;
    return 0;
}

int agon_glicko_matrix(const double* wins, int n, const agon_glicko* start, double tau,
                       agon_glicko* after) {
    assert(wins && start && after && n >= 1);
    agon_glicko_result* result = malloc((size_t)n * sizeof *result);
    agon_glicko* next = malloc((size_t)n * sizeof *next);
    int code = result && next ? 0 : AGON_EMEMORY;
    for (int i = 0; i < n && !code; i++) {
        int count = 0;
        for (int j = 0; j < n; j++) {
            double won = wins[(size_t)i * n + j], lost = wins[(size_t)j * n + i];
            if (j != i && !(lost >= 0))
                code = AGON_EINVALID;
            if (j != i)
                result[count++] =
                    (agon_glicko_result){start->rating, start->deviation, won + lost, won};
        }
        if (!code)
            code = agon_glicko_period(start, result, count, tau, next + i, NULL, NULL);
    }
    for (int i = 0; i < n && !code; i++)
        after[i] = next[i];
    free(result);
    free(next);
    return code;
}
