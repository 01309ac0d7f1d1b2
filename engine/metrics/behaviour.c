/* behaviour.c: checks of policies, first choices, one temperature for each agent. */
#include "engine/metrics/behaviour.h"

#include "agents/real.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- checks -------------------------------------------------------------------------------- */

static int check_weights(const agon_behaviour* b) {
    double sum = 0;
    for (int s = 0; s < b->states; s++) {
        if (!(b->weight[s] >= 0))
            return AGON_EINVALID;
        sum += b->weight[s];
    }
    return fabs(sum - 1) <= 1e-6 ? 0 : AGON_EINVALID;
}

/* Comparisons are written so that NaN fails them. */
int agon_behaviour_check(const agon_behaviour* b) {
    assert(b && b->probability && b->weight);
    assert(b->agents >= 1 && b->states >= 1 && b->actions >= 1);
    const size_t rows = (size_t)b->agents * b->states;
    for (size_t r = 0; r < rows; r++) {
        const float* row = b->probability + r * b->actions;
        double sum = 0;
        for (int a = 0; a < b->actions; a++) {
            if (!(row[a] >= 0))
                return AGON_EINVALID;
            sum += row[a];
        }
        if (!(fabs(sum - 1) <= 1e-3))
            return AGON_EINVALID;
    }
    return check_weights(b);
}

int agon_behaviour_greedy(const float* row, int actions, int* tied) {
    int best = 0;
    *tied = 0;
    for (int a = 1; a < actions; a++) {
        if (row[a] > row[best]) {
            best = a;
            *tied = 0;
        } else if (row[a] == row[best]) {
            *tied = 1;
        }
    }
    return best;
}

/* ---- one agent at a temperature ------------------------------------------------------------ */

/* ln of an agent's probabilities, relative to the largest of each state, possible actions only. */
typedef struct agent_logs {
    int states;
    int* first;     /* (states + 1) entries of state s: first[s] .. first[s + 1] - 1 */
    double* value;  /* (states * actions) <= 0 */
    double* weight; /* (states) */
} agent_logs;

static void take_logs(const agon_behaviour* b, int agent, agent_logs* logs) {
    int count = 0;
    for (int s = 0; s < b->states; s++) {
        const float* row = agon_behaviour_row(b, agent, s);
        int tied;
        const double largest = row[agon_behaviour_greedy(row, b->actions, &tied)];
        logs->first[s] = count;
        for (int a = 0; a < b->actions; a++) {
            if (row[a] > 0)
                logs->value[count++] = row[a] == largest ? 0 : agon_log(row[a] / largest);
        }
    }
    logs->first[b->states] = count;
}

/* Mean entropy at inverse temperature beta, and its derivative by ln beta. */
static double entropy_at(const agent_logs* logs, double beta, double* slope) {
    double entropy = 0;
    *slope = 0;
    for (int s = 0; s < logs->states; s++) {
        const int from = logs->first[s], to = logs->first[s + 1];
        if (logs->weight[s] == 0 || to - from < 2)
            continue;
        double sum = 0, first = 0, second = 0;
        for (int k = from; k < to; k++) {
            const double x = beta * logs->value[k], e = x == 0 ? 1 : agon_exp(x);
            sum += e;
            first += e * x;
            second += e * x * x;
        }
        first /= sum;
        entropy += logs->weight[s] * (agon_log(sum) - first);
        *slope -= logs->weight[s] * (second / sum - first * first);
    }
    return entropy;
}

#define CLOSE    1e-10 /* nats */
#define EXTREME  16.0  /* ln of the largest and smallest inverse temperature that is tried */
#define MAX_STEP 2.0   /* of ln beta */

/* ln of the inverse temperature with that entropy; NaN: there is none. Entropy falls with beta. */
static double solve(const agent_logs* logs, double entropy) {
    double low = -EXTREME, high = EXTREME, at = 0, slope;
    for (int turn = 0; turn < 200; turn++) {
        const double excess = entropy_at(logs, agon_exp(at), &slope) - entropy;
        if (fabs(excess) <= CLOSE)
            return at;
        if (excess > 0)
            low = at;
        else
            high = at;
        double step = slope < 0 ? -excess / slope : excess > 0 ? MAX_STEP : -MAX_STEP;
        step = fmin(fmax(step, -MAX_STEP), MAX_STEP);
        at += step;
        if (at <= low || at >= high)
            at = 0.5 * (low + high);
        if (high - low < 1e-13)
            break;
    }
    return NAN;
}

static void write_agent(const agon_behaviour* b, int agent, const agent_logs* logs, double beta,
                        float* out) {
    for (int s = 0; s < b->states; s++) {
        const float* row = agon_behaviour_row(b, agent, s);
        float* to = out + ((size_t)agent * b->states + s) * b->actions;
        double sum = 0;
        for (int k = logs->first[s]; k < logs->first[s + 1]; k++)
            sum += agon_exp(beta * logs->value[k]);
        for (int a = 0, k = logs->first[s]; a < b->actions; a++)
            to[a] = row[a] > 0 ? (float)(agon_exp(beta * logs->value[k++]) / sum) : 0;
    }
}

/* ---- the population ------------------------------------------------------------------------ */

static double mean_entropy(const agon_behaviour* b, agent_logs* logs) {
    double sum = 0, slope;
    for (int i = 0; i < b->agents; i++) {
        take_logs(b, i, logs);
        sum += entropy_at(logs, 1, &slope);
    }
    return sum / b->agents;
}

static int rescale_agents(const agon_behaviour* b, double entropy, agent_logs* logs, float* out,
                          double* temperature) {
    const size_t size = (size_t)b->states * b->actions;
    int kept = 0;
    for (int i = 0; i < b->agents; i++) {
        take_logs(b, i, logs);
        const double beta = agon_exp(solve(logs, entropy));
        if (temperature)
            temperature[i] = isnan(beta) ? 1 : 1 / beta;
        if (!isnan(beta))
            write_agent(b, i, logs, beta, out);
        else if (out != b->probability)
            memcpy(out + i * size, b->probability + i * size, size * sizeof *out);
        kept += isnan(beta);
    }
    return kept;
}

int agon_behaviour_rescale(const agon_behaviour* b, double entropy, float* out, double* temperature,
                           agon_rescaling* about) {
    assert(out && about);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    if (isinf(entropy) || entropy < 0)
        return AGON_EINVALID;
    const size_t states = b->states;
    agent_logs logs = {.states = b->states,
                       .first = malloc((states + 1) * sizeof *logs.first),
                       .value = malloc(states * b->actions * sizeof *logs.value),
                       .weight = malloc(states * sizeof *logs.weight)};
    const int there = logs.first && logs.value && logs.weight;
    if (there) {
        memcpy(logs.weight, b->weight, states * sizeof *logs.weight);
        about->entropy = isnan(entropy) ? mean_entropy(b, &logs) : entropy;
        about->kept = rescale_agents(b, about->entropy, &logs, out, temperature);
    }
    free(logs.first);
    free(logs.value);
    free(logs.weight);
    return there ? 0 : AGON_EMEMORY;
}
