/* ppo.c: advantages, epochs and minibatches of proximal policy optimisation. */
#include "agents/learner.h"

#include <assert.h>
#include <math.h>

static void gae_row(agon_rectangle* data, int row, float discount, float lambda) {
    const size_t start = (size_t)row * (size_t)data->horizon;
    float next_value = data->bootstrap[row], next_advantage = 0.0f;
    for (int t = data->horizon - 1; t >= 0; t--) {
        const size_t at = start + (size_t)t;
        const float goes_on = data->last[at] ? 0.0f : discount;
        const float delta = data->reward[at] + goes_on * next_value - data->value[at];
        next_advantage = delta + goes_on * lambda * next_advantage;
        next_value = data->value[at];
        data->advantage[at] = next_advantage;
        data->target[at] = next_advantage + next_value;
    }
}

void agon_gae(agon_rectangle* data, float discount, float lambda) {
    for (int row = 0; row < data->rows; row++)
        gae_row(data, row, discount, lambda);
}

/* Mean 0 and standard deviation 1 (of the rectangle as a whole population, hence / n). */
static void normalise(float* x, size_t count) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i];
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    const double spread = sqrt(squares / (double)count) + 1e-8;
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(((double)x[i] - mean) / spread);
}

static void add_stats(agon_update_stats* sum, const agon_update_stats* one) {
    sum->policy_loss += one->policy_loss;
    sum->value_loss += one->value_loss;
    sum->entropy += one->entropy;
    sum->kl += one->kl;
    sum->clipped += one->clipped;
    sum->grad_norm += one->grad_norm;
}

static void divide_stats(agon_update_stats* sum, double by) {
    sum->policy_loss /= by;
    sum->value_loss /= by;
    sum->entropy /= by;
    sum->kl /= by;
    sum->clipped /= by;
    sum->grad_norm /= by;
}

int agon_ppo_most_minibatches(const agon_net* net, int rows, int horizon) {
    return agon_net_memory(net) ? rows : rows * horizon;
}

/* Rows index[0 .. rows - 1] become their entries, from the last on: what is written lies behind
 * what is still to be read. */
static void expand_rows(uint32_t* index, uint32_t rows, uint32_t horizon) {
    for (uint32_t i = rows; i-- > 0;) {
        const uint32_t row = index[i];
        for (uint32_t t = 0; t < horizon; t++)
            index[i * horizon + t] = row * horizon + t;
    }
}

/* What is put into order, and cut into minibatches: entries, or rows of `each` entries. */
static void order_entries(const agon_rectangle* data, uint32_t each, agon_key key, uint32_t stream,
                          uint32_t* index) {
    const uint32_t units = (uint32_t)data->rows * (uint32_t)data->horizon / each;
    agon_shuffle(key, stream, index, units);
    if (each > 1)
        expand_rows(index, units, each);
}

void agon_ppo_train(const agon_backend* backend, agon_scratch* scratch, agon_learner* learner,
                    agon_rectangle* data, const agon_ppo* ppo, agon_key key, uint32_t* index,
                    agon_update_stats* stats) {
    const uint32_t entries = (uint32_t)data->rows * (uint32_t)data->horizon;
    const uint32_t each = agon_net_memory(&learner->net) ? (uint32_t)data->horizon : 1;
    const uint32_t parts = (uint32_t)ppo->minibatches, units = entries / each;
    agon_update_stats sum = {0};
    assert(ppo->epochs >= 1 && parts >= 1 && parts <= units);
    agon_gae(data, ppo->discount, ppo->lambda);
    if (ppo->normalise)
        normalise(data->advantage, entries);
    for (int epoch = 0; epoch < ppo->epochs; epoch++) {
        order_entries(data, each, key, (uint32_t)learner->updates, index);
        for (uint32_t part = 0; part < parts; part++) {
            const uint32_t from = each * (uint32_t)((uint64_t)units * part / parts);
            const uint32_t to = each * (uint32_t)((uint64_t)units * (part + 1) / parts);
            agon_update update = {.learner = learner,
                                  .data = data,
                                  .index = index + from,
                                  .count = (int)(to - from),
                                  .step = ppo->step};
            backend->update(&update, 1, scratch);
            add_stats(&sum, &update.stats);
        }
    }
    divide_stats(&sum, (double)ppo->epochs * parts);
    if (stats)
        *stats = sum;
}

double agon_explained_variance(const float* target, const float* value, size_t count) {
    double mean = 0, error_mean = 0, variance = 0, error_variance = 0;
    for (size_t i = 0; i < count; i++) {
        mean += target[i];
        error_mean += (double)target[i] - value[i];
    }
    mean /= (double)count;
    error_mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        const double a = target[i] - mean, b = (double)target[i] - value[i] - error_mean;
        variance += a * a;
        error_variance += b * b;
    }
    return variance > 0 ? 1 - error_variance / variance : 0;
}
