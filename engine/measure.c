#include "engine/measure.h"

#include "engine/match_payoffs.h"
#include "engine/metrics/metric.h"
#include "engine/metrics/rating.h"
#include "engine/metrics/summary.h"
#include "engine/metrics/vendi.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NULL_UP_TO 100   /* agents: as many equilibria as there are samples take their time */
#define PRIOR_SD   350.0 /* of ratings, Elo */

static void match_points(const agon_match_result* m, double* points, double* se) {
    double wins = 0, draws = 0, games = 0;
    for (int s = 0; s < m->seats; s++) {
        wins += (double)m->tally[s].wins;
        draws += (double)m->tally[s].draws;
        games += (double)m->tally[s].games;
    }
    *points = (wins + 0.5 * draws) / games;
    *se = sqrt(fmax(((wins + 0.25 * draws) / games - *points * *points) / games, 0));
}

static void match_return(const agon_match_result* m, double* mean, double* se) {
    uint64_t games = 0;
    double sum = 0, squares = 0;
    for (int s = 0; s < m->seats; s++) {
        games += m->tally[s].games;
        sum += m->tally[s].sum;
        squares += m->tally[s].sum_squares;
    }
    agon_score_se(games, sum, squares, mean, se);
}

void agon_match_score(const agon_population* p, const agon_match_result* m, double* score,
                      double* se) {
    if (agon_population_points(p))
        match_points(m, score, se);
    else
        match_return(m, score, se);
}

const char* agon_score_protocol(const agon_population* p) {
    static const char* const protocol[2][2] = {
        {"sampled at temperature 1, every seat", "greedy, every seat"},
        {"sampled at temperature 1, all seats of its role", "greedy, all seats of its role"}};
    return protocol[agon_population_roles(p) > 1][agon_population_greedy(p)];
}

const char* agon_score_unit(const agon_population* p) {
    return agon_population_points(p) ? "points per game" : "mean return";
}

const char* agon_payoff_why(const agon_measurement* m) {
    if (m->antisymmetric)
        return NULL;
    return m->roles > 1 ? "agents of one role never meet; see role_payoff"
                        : "defined for two seats with zero or constant sum; this game has more "
                          "seats or a general sum";
}

void agon_measurement_clear(agon_measurement* m) {
    free(m->agent);
    free(m->role_return);
    free(m->role_return_se);
    free(m->payoff);
    free(m->payoff_se);
    free(m->elo);
    free(m->elo_se);
    free(m->score);
    free(m->score_se);
    free(m->feature);
    free(m->nash_conv);
    free(m->worst_first);
    free(m->worst_second);
    memset(m, 0, sizeof *m);
}

static int reserve(agon_measurement* m) {
    const size_t n = (size_t)m->agents, k = (size_t)m->anchors;
    m->agent = calloc(n, sizeof *m->agent);
    m->role_return = calloc(n * n, sizeof *m->role_return);
    m->role_return_se = calloc(n * n, sizeof *m->role_return_se);
    m->payoff = calloc(n * n, sizeof *m->payoff);
    m->payoff_se = calloc(n * n, sizeof *m->payoff_se);
    m->elo = calloc(n, sizeof *m->elo);
    m->elo_se = calloc(n, sizeof *m->elo_se);
    m->score = calloc(n * k + 1, sizeof *m->score);
    m->score_se = calloc(n * k + 1, sizeof *m->score_se);
    m->feature = calloc((size_t)m->features * n + 1, sizeof *m->feature);
    m->nash_conv = calloc(n, sizeof *m->nash_conv);
    m->worst_first = calloc(n, sizeof *m->worst_first);
    m->worst_second = calloc(n, sizeof *m->worst_second);
    return m->agent && m->role_return && m->role_return_se && m->payoff && m->payoff_se && m->elo &&
                   m->elo_se && m->score && m->score_se && m->feature && m->nash_conv &&
                   m->worst_first && m->worst_second
               ? AGON_OK
               : AGON_EMEMORY;
}

/* Every agent at the population's mean entropy: what remains different is not sharpness. values:
 * scratch (agents). */
static int compare_rescaled(const agon_behaviour* b, double* values, agon_measured_behaviour* m) {
    const size_t all = (size_t)b->agents * (size_t)b->states * (size_t)b->actions;
    float* probability = malloc(all * sizeof *probability);
    agon_rescaling about;
    int rc = probability ? agon_behaviour_rescale(b, NAN, probability, NULL, &about) : AGON_EMEMORY;
    const agon_behaviour same = {b->agents, b->states, b->actions, probability, b->weight};
    if (!rc)
        rc = agon_vendi_behaviour(&same, AGON_KERNEL_BC, NULL, values);
    if (!rc)
        m->vendi_rescaled_1 = agon_vendi_order(values, b->agents, 1);
    free(probability);
    return rc;
}

static int compare_equally(const agon_behaviour* b, double* values, agon_measured_behaviour* m) {
    int rc = agon_diversity_entropy(b, &m->entropy);
    if (!rc)
        rc = agon_diversity_total_variation(b, &m->total_variation);
    if (!rc)
        rc = agon_diversity_greedy(b, &m->greedy, &m->ties);
    if (!rc)
        rc = agon_vendi_behaviour(b, AGON_KERNEL_BC, NULL, values);
    if (!rc) {
        m->vendi_1 = agon_vendi_order(values, b->agents, 1);
        m->vendi_2 = agon_vendi_order(values, b->agents, 2);
        m->vendi_inf = agon_vendi_order(values, b->agents, INFINITY);
        rc = agon_vendi_behaviour(b, AGON_KERNEL_AG, NULL, values);
    }
    if (!rc)
        m->vendi_greedy_1 = agon_vendi_order(values, b->agents, 1);
    return rc ? rc : compare_rescaled(b, values, m);
}

static int compare_by_reach(const agon_behaviour* b, double* values, agon_measured_behaviour* m) {
    int rc = agon_diversity_entropy(b, &m->reach_entropy);
    if (!rc)
        rc = agon_vendi_behaviour(b, AGON_KERNEL_BC, NULL, values);
    if (!rc)
        m->reach_vendi_1 = agon_vendi_order(values, b->agents, 1);
    m->by_reach = !rc;
    return rc;
}

/* Some agents on the probe states, each of which has two weights; the second may be NULL. */
static int compare(const agon_population* p, int generation, int first, int count,
                   const double* weight, const double* reach, agon_measured_behaviour* out) {
    const agon_probe_result* x = agon_record_probe(p->record, generation, first);
    const size_t n = (size_t)count, each = (size_t)x->states * (size_t)x->actions;
    float* probability = malloc(n * each * sizeof *probability);
    double* values = malloc(n * sizeof *values);
    int rc = probability && values ? AGON_OK : AGON_EMEMORY;
    for (size_t a = 0; !rc && a < n; a++)
        memcpy(probability + a * each,
               agon_record_probe(p->record, generation, first + (int)a)->probability,
               each * sizeof *probability);
    agon_behaviour b = {count, x->states, x->actions, probability, weight};
    if (!rc)
        rc = compare_equally(&b, values, out);
    b.weight = reach;
    if (!rc && reach)
        rc = compare_by_reach(&b, values, out);
    out->defined = !rc;
    free(probability);
    free(values);
    return rc;
}

/* The weights of the states that `seats` are asked, made to add up to 1; false: there are none. */
static bool weights_of(const agon_population* p, uint64_t seats, const double* weight, int states,
                       double* out) {
    double sum = 0;
    for (int i = 0; i < states; i++) {
        out[i] = p->probe_seat[i] < 64 && seats >> p->probe_seat[i] & 1 ? weight[i] : 0;
        sum += out[i];
    }
    for (int i = 0; i < states && sum > 0; i++)
        out[i] /= sum;
    return sum > 0;
}

static int compare_role(const agon_population* p, int role, agon_measurement* m) {
    const int size = m->agents / m->roles, first = role * size;
    const int states = agon_record_probe(p->record, m->generation, first)->states;
    const uint64_t seats = agon_population_seats(p, first);
    double* weight = malloc(2 * (size_t)states * sizeof *weight);
    int rc = weight ? AGON_OK : AGON_EMEMORY;
    double* reach = weight ? weight + states : NULL;
    if (!rc && weights_of(p, seats, p->probe_weight, states, weight)) {
        const bool reached = p->probe_reach && weights_of(p, seats, p->probe_reach, states, reach);
        rc = compare(p, m->generation, first, size, weight, reached ? reach : NULL,
                     &m->role_behaviour[role]);
    }
    free(weight);
    return rc;
}

static void add_split(agon_entropy_split* sum, const agon_entropy_split* x, double weight) {
    sum->mixture += weight * x->mixture;
    sum->within += weight * x->within;
    sum->between += weight * x->between;
}

static void add_behaviour(agon_measured_behaviour* sum, const agon_measured_behaviour* x,
                          double weight) {
    add_split(&sum->entropy, &x->entropy, weight);
    sum->total_variation += weight * x->total_variation;
    sum->vendi_1 += weight * x->vendi_1;
    sum->vendi_2 += weight * x->vendi_2;
    sum->vendi_inf += weight * x->vendi_inf;
    sum->vendi_rescaled_1 += weight * x->vendi_rescaled_1;
    sum->vendi_greedy_1 += weight * x->vendi_greedy_1;
    sum->greedy += weight * x->greedy;
    sum->ties += weight * x->ties;
    add_split(&sum->reach_entropy, &x->reach_entropy, weight);
    sum->reach_vendi_1 += weight * x->reach_vendi_1;
}

static int measure_behaviour(const agon_population* p, agon_measurement* m) {
    int rc = AGON_OK, defined = 0;
    if (m->roles == 1)
        return compare(p, m->generation, 0, m->agents, p->probe_weight, p->probe_reach,
                       &m->behaviour);
    m->behaviour.by_reach = true;
    for (int role = 0; !rc && role < m->roles; role++) {
        rc = compare_role(p, role, m);
        defined += m->role_behaviour[role].defined;
    }
    for (int role = 0; !rc && role < m->roles; role++) {
        if (!m->role_behaviour[role].defined)
            continue;
        add_behaviour(&m->behaviour, &m->role_behaviour[role], 1.0 / defined);
        m->behaviour.by_reach &= m->role_behaviour[role].by_reach;
    }
    m->behaviour.defined = defined > 0;
    return rc;
}

/* The matches among the rated agents, (rated, rated), malloc'd; NULL: out of memory. */
static const agon_match_result** rated_matches(const agon_population* p,
                                               const agon_measurement* m) {
    const int n = m->rated;
    const agon_match_result** match = calloc((size_t)n * (size_t)n, sizeof *match);
    for (int i = 0; match && i < n; i++)
        for (int j = 0; j < n; j++)
            match[i * n + j] =
                i == j ? NULL
                       : agon_record_match(p->record, m->generation, m->agent[i], m->agent[j]);
    return match;
}

static int fill_payoffs(const agon_population* p, agon_measurement* m) {
    const agon_match_result** match = rated_matches(p, m);
    if (match)
        agon_match_payoffs(match, m->rated, true, agon_payoff_scale_of(p->rules), m->payoff,
                           m->payoff_se);
    free(match);
    return match ? AGON_OK : AGON_EMEMORY;
}

static void take_null(const agon_metric* nash, const agon_metric_noise* noise, const char* column,
                      double out[3]) {
    const agon_metric_noise* n = &noise[agon_metric_column_find(nash, column)];
    out[0] = n->null_mean;
    out[1] = n->null_low;
    out[2] = n->null_high;
}

/* Equal agents measured with noise have an equilibrium of many, too. */
static int measure_nash_null(const agon_population* p, agon_measurement* m) {
    const agon_metric* nash = agon_metric_find("nash");
    const agon_evidence e = {
        .agents = m->rated,
        .payoffs = {
            .agents = m->rated, .antisymmetric = true, .mean = m->payoff, .error = m->payoff_se}};
    agon_metric_noise noise[AGON_METRIC_COLUMNS];
    char task[AGON_KEY_SIZE];
    snprintf(task, sizeof task, "metric/%d/nash", m->generation);
    const agon_metric_options options = {
        .key = agon_key_make(p->config->train.seed, task, AGON_FOR_METRIC), .entropy = NAN};
    for (int i = 0; i < 3; i++)
        m->nash_null[i] = m->effective_null[i] = NAN;
    if (m->rated > NULL_UP_TO)
        return AGON_OK;
    const int rc = agon_metric_null(nash, &e, &options, p->config->metrics.bootstrap, noise, NULL);
    if (!rc) {
        take_null(nash, noise, "exp_entropy", m->nash_null);
        take_null(nash, noise, "effective_diversity", m->effective_null);
    }
    return rc;
}

static int measure_payoffs(const agon_population* p, agon_measurement* m) {
    const int n = m->rated;
    char task[AGON_KEY_SIZE];
    double* nash = malloc((size_t)n * sizeof *nash);
    if (!nash)
        return AGON_EMEMORY;
    int rc = fill_payoffs(p, m);
    if (!rc)
        rc = agon_payoff_nash(m->payoff, n, nash, &m->residual);
    if (!rc) {
        m->nash_entropy = agon_payoff_entropy(nash, n);
        m->effective = agon_payoff_effective_diversity(m->payoff, nash, n);
        m->cyclic = agon_payoff_cyclic_fraction(m->payoff, n, NULL);
        snprintf(task, sizeof task, "metric/%d/cyclic", m->generation);
        rc = agon_payoff_cyclic_null(m->payoff, m->payoff_se, n, p->config->metrics.bootstrap,
                                     agon_key_make(p->config->train.seed, task, AGON_FOR_METRIC),
                                     &m->null);
    }
    if (!rc)
        rc = measure_nash_null(p, m);
    free(nash);
    return rc;
}

/* Standard errors of ratings relative to the population's mean: the prior alone fixes the common
 * level, and its uncertainty would hide what the games say about differences. */
static void errors_about_mean(const double* covariance, int n, double* se) {
    double all = 0;
    for (int i = 0; i < n * n; i++)
        all += covariance[i] / ((double)n * n);
    for (int i = 0; i < n; i++) {
        double row = 0;
        for (int j = 0; j < n; j++)
            row += covariance[i * n + j] / n;
        se[i] = sqrt(fmax(covariance[i * n + i] - 2 * row + all, 0));
    }
}

/* Points of each agent against each other, in both roles where they are separate matches. */
static int measure_ratings(const agon_population* p, agon_measurement* m) {
    const int n = m->rated;
    double* wins = calloc(2 * (size_t)n * (size_t)n, sizeof *wins);
    if (!wins)
        return AGON_EMEMORY;
    double* covariance = wins + (size_t)n * (size_t)n;
    const agon_match_result** match = rated_matches(p, m);
    int rc = match ? AGON_OK : AGON_EMEMORY;
    if (match)
        agon_match_points(match, n, wins, NULL, NULL);
    free(match);
    if (!rc && n > 1)
        rc = agon_rating_bradley_terry(wins, n, PRIOR_SD, m->elo, NULL, covariance);
    if (!rc && n > 1)
        errors_about_mean(covariance, n, m->elo_se);
    m->rating_defined = n > 1 && p->rules->spec.seats > 1;
    free(wins);
    return rc;
}

static void measure_scores(const agon_population* p, agon_measurement* m) {
    for (int k = 0; k < m->anchors; k++)
        for (int a = 0; a < m->agents; a++) {
            const agon_match_result* x = agon_record_match(p->record, m->generation, a, -1 - k);
            agon_match_score(p, x, &m->score[k * m->agents + a], &m->score_se[k * m->agents + a]);
            m->anchor_games = (int)agon_match_games(x);
        }
}

static void measure_role_returns(const agon_population* p, agon_measurement* m) {
    const int n = m->rated / m->roles;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            const int pair[AGON_SEPARATE_ROLES] = {m->agent[i], m->agent[n + j]};
            for (int role = 0; role < m->roles; role++) {
                const size_t at = ((size_t)role * (size_t)n + (size_t)i) * (size_t)n + (size_t)j;
                match_return(
                    agon_record_match(p->record, m->generation, pair[role], pair[1 - role]),
                    &m->role_return[at], &m->role_return_se[at]);
            }
        }
    }
}

/* Adds one match: what its row and its column did, and its games. col < 0: an anchor, who is not
 * counted. games: (agents + 1), the last one of all games. */
static void add_numbers(const agon_match_result* x, int row, int col, double* games,
                        agon_measurement* m) {
    const double played = (double)agon_match_games(x);
    for (int f = 0; f < m->features; f++) {
        m->feature[f * m->agents + row] += x->feature[f].row;
        if (col >= 0)
            m->feature[f * m->agents + col] += x->feature[f].col;
    }
    for (int s = 0; s < m->stats; s++)
        m->stat[s] += x->stat[s];
    games[row] += played;
    if (col >= 0)
        games[col] += played;
    games[m->agents] += played;
}

static int measure_numbers(const agon_population* p, agon_measurement* m) {
    double* games = calloc((size_t)m->agents + 1, sizeof *games);
    if (!games)
        return AGON_EMEMORY;
    for (int i = 0; i < m->rated; i++) {
        for (int j = 0; j < m->rated; j++) {
            const agon_match_result* x =
                i == j ? NULL
                       : agon_record_match(p->record, m->generation, m->agent[i], m->agent[j]);
            if (x)
                add_numbers(x, m->agent[i], m->agent[j], games, m);
        }
    }
    for (int k = 0; k < m->anchors && m->agents == 1; k++)
        add_numbers(agon_record_match(p->record, m->generation, 0, -1 - k), 0, -1, games, m);
    for (int f = 0; f < m->features; f++)
        for (int a = 0; a < m->agents; a++)
            m->feature[f * m->agents + a] /= games[a]; /* 0 / 0 is the NaN that is meant */
    for (int s = 0; s < m->stats; s++)
        m->stat[s] /= games[m->agents];
    free(games);
    return AGON_OK;
}

static void measure_exact(const agon_population* p, agon_measurement* m) {
    double sorted[m->agents];
    m->exact = true;
    for (int a = 0; a < m->agents; a++) {
        const agon_probe_result* x = agon_record_probe(p->record, m->generation, a);
        m->exact = m->exact && x->exact;
        m->nash_conv[a] = x->nash_conv;
        m->worst_first[a] = x->worst_first;
        m->worst_second[a] = x->worst_second;
        m->value = x->value;
        sorted[a] = x->nash_conv;
    }
    m->nash_conv_median = agon_summary_median(sorted, m->agents);
}

static double mean_steps(const agon_population* p, int generation) {
    double sum = 0;
    const int agents = agon_population_agents(p);
    for (int a = 0; a < agents; a++)
        sum += (double)agon_record_train(p->record, generation, a)->total_steps;
    return sum / agents;
}

int agon_measure(const agon_population* p, int generation, agon_measurement* out,
                 agon_error* error) {
    agon_measurement m = {.generation = generation,
                          .agents = agon_population_agents(p),
                          .roles = agon_population_roles(p),
                          .anchors = p->config->metrics.anchor_games ? p->anchors.count : 0,
                          .antisymmetric = agon_population_antisymmetric(p),
                          .features = p->rules->spec.features,
                          .stats = p->rules->spec.stats};
    assert(agon_population_measured(p, generation));
    int rc = reserve(&m);
    if (!rc) {
        m.rated = agon_population_sample(p, m.agent);
        m.steps = mean_steps(p, generation);
        rc = measure_behaviour(p, &m);
    }
    if (!rc && m.antisymmetric)
        rc = measure_payoffs(p, &m);
    if (!rc)
        rc = measure_ratings(p, &m);
    if (!rc)
        rc = measure_numbers(p, &m);
    if (rc) {
        agon_measurement_clear(&m);
        return agon_fail(error, rc, "generation %d could not be measured: %s", generation,
                         agon_error_text(rc));
    }
    if (m.roles > 1)
        measure_role_returns(p, &m);
    measure_scores(p, &m);
    measure_exact(p, &m);
    *out = m;
    return AGON_OK;
}

/* The strength that best compares: mean pay-off where pay-offs are antisymmetric, else the rating,
 * else the mean score against anchors. */
static double strength(const agon_measurement* m, int place) {
    double sum = 0;
    if (m->antisymmetric && m->rated > 1) {
        for (int j = 0; j < m->rated; j++)
            sum += m->payoff[place * m->rated + j];
        return sum;
    }
    if (m->rating_defined)
        return m->elo[place];
    for (int k = 0; k < m->anchors; k++)
        sum += m->score[k * m->agents + m->agent[place]];
    return sum;
}

int agon_measurement_best(const agon_measurement* m, int role) {
    const int each = m->rated / m->roles; /* rated agents are as many of each role, role by role */
    int best = role * each;
    for (int i = best + 1; i < (role + 1) * each; i++)
        if (strength(m, i) > strength(m, best))
            best = i;
    return m->agent[best];
}
