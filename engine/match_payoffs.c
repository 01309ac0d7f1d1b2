#include "engine/match_payoffs.h"

#include <math.h>
#include <string.h>

#define SHRINK 4.0 /* pseudo-pairs that pull a cell's variance to the mean of all cells */

agon_payoff_scale agon_payoff_scale_of(const agon_rules* rules) {
    const agon_spec* spec = &rules->spec;
    const double middle = spec->utility == AGON_CONSTANT_SUM ? spec->utility_sum / 2 : 0;
    return (agon_payoff_scale){
        middle, fmax(fabs(spec->return_max - middle), fabs(spec->return_min - middle))};
}

/* Sum of squared deviations of group scores from their mean. */
static double deviations_of(const agon_match_result* x) {
    double s = x->pair_sum_squares - x->pair_sum * x->pair_sum / (double)x->pairs;
    return s > 0 ? s : 0;
}

static const agon_match_result* cell(const agon_match_result* const* match, int n, int i, int j,
                                     bool antisymmetric) {
    return i == j || (antisymmetric && j < i) ? NULL : match[i * n + j];
}

/* The variance that cells have on average. One more degree of freedom, as wide as can be: few games
 * must not look like no noise. */
static double pooled_variance(const agon_match_result* const* match, int n, bool antisymmetric,
                              double scale) {
    double deviations = 0, freedom = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const agon_match_result* x = cell(match, n, i, j, antisymmetric);
            if (!x)
                continue;
            deviations += deviations_of(x);
            freedom += (double)x->pairs - 1;
        }
    }
    return (deviations + scale * scale) / (freedom + 1);
}

void agon_match_payoffs(const agon_match_result* const* match, int n, bool antisymmetric,
                        agon_payoff_scale scale, double* mean, double* se) {
    const double pooled = pooled_variance(match, n, antisymmetric, scale.scale);
    for (int at = 0; at < n * n; at++)
        mean[at] = se[at] = at % (n + 1) ? NAN : 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const agon_match_result* x = cell(match, n, i, j, antisymmetric);
            if (!x)
                continue;
            const double pairs = (double)x->pairs;
            const double variance = (deviations_of(x) + SHRINK * pooled) / (pairs - 1 + SHRINK);
            mean[i * n + j] = (x->pair_sum / pairs - scale.middle) / scale.scale;
            se[i * n + j] = sqrt(variance / pairs) / scale.scale;
            if (antisymmetric) {
                mean[j * n + i] = -mean[i * n + j];
                se[j * n + i] = se[i * n + j];
            }
        }
    }
}

void agon_match_points(const agon_match_result* const* match, int n, double* points, double* draws,
                       double* games) {
    double* const table[3] = {points, draws, games};
    for (int k = 0; k < 3; k++)
        if (table[k])
            memset(table[k], 0, (size_t)n * (size_t)n * sizeof(double));
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const agon_match_result* x = i == j ? NULL : match[i * n + j];
            for (int s = 0; x && s < x->seats; s++) {
                const double half = 0.5 * (double)x->tally[s].draws;
                const double row[3] = {(double)x->tally[s].wins + half, 2 * half,
                                       (double)x->tally[s].games};
                const double col[3] = {(double)x->tally[s].losses + half, 2 * half,
                                       (double)x->tally[s].games};
                for (int k = 0; k < 3; k++) {
                    if (!table[k])
                        continue;
                    table[k][i * n + j] += row[k];
                    table[k][j * n + i] += col[k];
                }
            }
        }
    }
}
