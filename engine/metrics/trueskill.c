/* trueskill.c: the update of one game, and a table of games in random orders. */
#include "engine/metrics/trueskill.h"

#include "agents/real.h"
#include "engine/metrics/normal.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define SQRT_TWO         1.4142135623730950488
#define SQRT_TWO_OVER_PI 0.79788456080286535588

/* ---- one game ------------------------------------------------------------------------------ */

/* How a truncated normal differs from the whole: its mean moves by `shift`, its variance shrinks by
 * `shrink`, in units of its deviation. The v and w of the paper. */
typedef struct moment {
    double shift, shrink;
} moment;

static moment after_win(double t, double margin) {
    double v = agon_normal_hazard(t - margin);
    double w = v * (v + t - margin);
    return (moment){v, w < 0 ? 0 : w > 1 ? 1 : w};
}

/* Cut to (-margin - t, margin - t). By symmetry t >= 0; the density at the near end is divided out
 * of everything, so that nothing underflows: near = t - margin, far = t + margin, decay = ratio of
 * the densities at the far and near ends. */
static moment after_draw(double t, double margin) {
    const double side = t < 0 ? -1 : 1, near = fabs(t) - margin, far = fabs(t) + margin;
    const double decay = agon_exp(-2 * fabs(t) * margin);
    if (margin < 1e-6) /* the limit: cut to a point */
        return (moment){-t, 1};
    double mass, end;
    if (near > -1) {
        mass = agon_normal_erfcx(near / SQRT_TWO) - decay * agon_normal_erfcx(far / SQRT_TWO);
        end = SQRT_TWO_OVER_PI;
    } else { /* the near end lies far on the other side: ordinary numbers are safe */
        mass = agon_normal_cdf(-near) - agon_normal_cdf(-far);
        end = agon_normal_density(near);
    }
    double v = -end * (1 - decay) / mass;
    double w = v * v + end * (decay * far - near) / mass;
    return (moment){side * v, w < 0 ? 0 : w > 1 ? 1 : w};
}

static int valid(const agon_trueskill* s) {
    return isfinite(s->mean) && isfinite(s->deviation) && s->deviation > 0;
}

static int valid_rules(const agon_trueskill_rules* r) {
    return r->beta > 0 && isfinite(r->beta) && r->tau >= 0 && isfinite(r->tau) && r->draws >= 0 &&
           r->draws < 1;
}

double agon_trueskill_margin(const agon_trueskill_rules* rules) {
    assert(rules);
    return SQRT_TWO * rules->beta * agon_normal_quantile(0.5 * (1 + rules->draws));
}

/* The margin is the caller's, who may need it for a million games. */
static void play(agon_trueskill* first, agon_trueskill* second, int outcome,
                 const agon_trueskill_rules* rules, double margin) {
    double a = first->deviation * first->deviation + rules->tau * rules->tau;
    double b = second->deviation * second->deviation + rules->tau * rules->tau;
    double square = a + b + 2 * rules->beta * rules->beta, c = sqrt(square);
    double sign = outcome < 0 ? -1 : 1;
    double t = sign * (first->mean - second->mean) / c;
    moment m = outcome ? after_win(t, margin / c) : after_draw(t, margin / c);
    first->mean += sign * a / c * m.shift;
    second->mean -= sign * b / c * m.shift;
    first->deviation = sqrt(a * (1 - a / square * m.shrink));
    second->deviation = sqrt(b * (1 - b / square * m.shrink));
}

int agon_trueskill_game(agon_trueskill* first, agon_trueskill* second, int outcome,
                        const agon_trueskill_rules* rules) {
    assert(first && second && first != second && rules && outcome >= -1 && outcome <= 1);
    if (!valid(first) || !valid(second) || !valid_rules(rules) ||
        (outcome == 0 && rules->draws == 0))
        return AGON_EINVALID;
    agon_trueskill a = *first, b = *second;
    play(&a, &b, outcome, rules, agon_trueskill_margin(rules));
    if (!valid(&a) || !valid(&b))
        return AGON_EINVALID;
    *first = a;
    *second = b;
    return 0;
}

/* ---- a table of games ---------------------------------------------------------------------- */

/* Whole games of a pair: won by the first, drawn, won by the second. -1: not a number of games. */
static int whole_games(const agon_trueskill_games* g, int i, int j, double count[3]) {
    double won = g->wins[(size_t)i * g->n + j], lost = g->wins[(size_t)j * g->n + i];
    if (!(won >= 0) || !(lost >= 0) || isinf(won) || isinf(lost))
        return -1;
    double drawn;
    if (g->draws) {
        drawn = g->draws[(size_t)i * g->n + j];
        if (!(drawn >= 0) || isinf(drawn))
            return -1;
        won -= 0.5 * drawn;
        lost -= 0.5 * drawn;
    } else {
        double games = floor(won + lost + 0.5);
        won = floor(won + 0.25); /* .5 is a draw; thirds and rounding are not */
        lost = floor(lost + 0.25);
        drawn = games - won - lost;
    }
    count[0] = floor(won + 0.5);
    count[1] = floor(drawn + 0.5);
    count[2] = floor(lost + 0.5);
    return count[0] >= 0 && count[1] >= 0 && count[2] >= 0 ? 0 : -1;
}

typedef struct single_game {
    int first, second, outcome;
} single_game;

/* Number of games; a negative error code. With games: writes them there. */
static long list_games(const agon_trueskill_games* g, int draws_allowed, single_game* games) {
    double total = 0;
    for (int i = 0; i < g->n; i++) {
        for (int j = i + 1; j < g->n; j++) {
            double count[3];
            if (whole_games(g, i, j, count) || (count[1] > 0 && !draws_allowed))
                return AGON_EINVALID;
            if (total + count[0] + count[1] + count[2] > AGON_TRUESKILL_GAMES)
                return AGON_ELIMIT;
            for (int k = 0; k < 3; k++) {
                for (double c = 0; games && c < count[k]; c++)
                    games[(long)(total + c)] = (single_game){i, j, 1 - k};
                total += count[k];
            }
        }
    }
    return (long)total;
}

/* All games in a random order; adds to the sums over orders. sum: (n, 3) mean, its square about the
 * start, deviation. */
static void play_order(const single_game* games, const uint32_t* order, long count,
                       const agon_trueskill_rules* rules, double margin, int n,
                       agon_trueskill* skill, double* sum) {
    for (int i = 0; i < n; i++)
        skill[i] = AGON_TRUESKILL_NEW;
    for (long k = 0; k < count; k++) {
        const single_game* g = games + order[k];
        play(skill + g->first, skill + g->second, g->outcome, rules, margin);
    }
    for (int i = 0; i < n; i++) {
        double away = skill[i].mean - AGON_TRUESKILL_NEW.mean;
        sum[3 * i] += away;
        sum[3 * i + 1] += away * away;
        sum[3 * i + 2] += skill[i].deviation;
    }
}

static void write_skills(const double* sum, int n, int orders, agon_trueskill* skill,
                         double* wobble) {
    for (int i = 0; i < n; i++) {
        double mean = sum[3 * i] / orders, square = sum[3 * i + 1] - orders * mean * mean;
        skill[i] = (agon_trueskill){AGON_TRUESKILL_NEW.mean + mean, sum[3 * i + 2] / orders};
        if (wobble)
            wobble[i] = orders > 1 ? sqrt((square > 0 ? square : 0) / (orders - 1)) : NAN;
    }
}

int agon_trueskill_matrix(const agon_trueskill_games* g, const agon_trueskill_rules* rules,
                          int orders, agon_key key, agon_trueskill* skill, double* wobble) {
    assert(g && g->wins && g->n >= 1 && rules && orders >= 1 && skill);
    if (!valid_rules(rules))
        return AGON_EINVALID;
    long count = list_games(g, rules->draws > 0, NULL);
    if (count < 0)
        return (int)count;
    single_game* games = malloc(((size_t)count + 1) * sizeof *games);
    uint32_t* order = malloc(((size_t)count + 1) * sizeof *order);
    agon_trueskill* belief = malloc((size_t)g->n * sizeof *belief);
    double* sum = calloc(3 * (size_t)g->n, sizeof *sum);
    int code = games && order && belief && sum ? 0 : AGON_EMEMORY;
    if (!code) {
        const double margin = agon_trueskill_margin(rules);
        list_games(g, 1, games);
        for (int k = 0; k < orders; k++) {
            agon_shuffle(key, (uint32_t)k, order, (uint32_t)count);
            play_order(games, order, count, rules, margin, g->n, belief, sum);
        }
        write_skills(sum, g->n, orders, skill, wobble);
    }
    free(games);
    free(order);
    free(belief);
    free(sum);
    return code;
}
