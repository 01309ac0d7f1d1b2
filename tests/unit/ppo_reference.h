/* ppo_reference.h: PPO's loss in double precision, from its definition: any net, over rows of a
 * rectangle; and a backend's gradient against central differences of it. */
#ifndef AGON_PPO_REFERENCE_H
#define AGON_PPO_REFERENCE_H

#include "agents/learner.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIAL_WIDTH = 1024, TRIAL_ENTRIES = 128 };

static inline double next_real(uint32_t* drawn) { /* uniform in [-1, 1) */
    const agon_key key = {{3, 5}};
    return 2.0 * (double)agon_uniform(agon_random(key, 0, 0, 0, (*drawn)++).word[0]) - 1.0;
}

static const agon_ppo_step plain_step = {.learning_rate = 1e-2f,
                                         .clip = 0.2f,
                                         .value_weight = 0.5f,
                                         .entropy_weight = 0.02f,
                                         .max_grad_norm = 0.5f,
                                         .beta1 = 0.9f,
                                         .beta2 = 0.99f,
                                         .epsilon = 1e-5f};

typedef struct trial {
    agon_net net;
    agon_rectangle* data; /* (rows, horizon), f32 observations */
    int entries;
    agon_ppo_step step;
} trial;

/* y = W x + b, at one point. */
static inline void trial_linear(const agon_tensor* tensor, const double* params, const double* x,
                                double* y) {
    for (int n = 0; n < tensor[0].rows; n++) {
        y[n] = params[tensor[1].offset + (size_t)n];
        for (int k = 0; k < tensor[0].cols; k++)
            y[n] += params[tensor[0].offset + (size_t)(n * tensor[0].cols + k)] * x[k];
    }
}

static inline void trial_conv(const agon_net* net, int layer, const agon_tensor* tensor,
                              const double* params, const double* x, double* y) {
    const int points = net->rows * net->cols, kernel = net->kernel[layer], half = kernel / 2;
    const int channels = agon_net_entries(net, layer) / points;
    double seen[TRIAL_WIDTH];
    for (int p = 0; p < points; p++) {
        for (int k = 0; k < kernel * kernel * channels; k++) {
            const int row = p / net->cols + k / channels / kernel - half;
            const int col = p % net->cols + k / channels % kernel - half;
            const int from = row * net->cols + col, c = k % channels;
            seen[k] = 0.0;
            if (row >= 0 && row < net->rows && col >= 0 && col < net->cols)
                seen[k] = x[layer ? from * channels + c : c * points + from];
        }
        trial_linear(tensor, params, seen, y + p * net->hidden[layer]);
    }
}

/* c and g become y, and memory moves on. */
static inline void trial_cell(int units, double* memory, double* y) {
    for (int j = 0; j < units; j++) {
        memory[j] += (y[j] - memory[j]) / (1.0 + exp(-y[units + j]));
        y[j] = memory[j];
    }
}

/* Logits into out[0..actions-1], value into out[actions]. memory: in and out. */
static inline void trial_forward(const agon_net* net, const double* params, const float* obs,
                                 double* memory, double* out) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    double x[TRIAL_WIDTH], y[TRIAL_WIDTH];
    agon_net_tensors(net, tensors);
    for (int i = 0; i < net->inputs; i++)
        x[i] = (double)obs[i];
    for (int i = 0; i < net->layers; i++) {
        if (net->kind[i] == AGON_CONV)
            trial_conv(net, i, tensors + 2 * i, params, x, y);
        else
            trial_linear(tensors + 2 * i, params, x, y);
        if (net->kind[i] == AGON_MINGRU)
            trial_cell(net->hidden[i], memory, y);
        memory += net->kind[i] == AGON_MINGRU ? net->hidden[i] : 0;
        for (int n = 0; n < agon_net_entries(net, i + 1); n++)
            x[n] = net->kind[i] == AGON_MINGRU    ? y[n]
                   : net->activation == AGON_TANH ? tanh(y[n])
                                                  : fmax(y[n], 0.0);
    }
    trial_linear(tensors + 2 * net->layers, params, x, out);
    trial_linear(tensors + 2 * net->layers + 2, params, x, out + net->actions);
}

static inline double row_loss(const trial* t, const double* out, int r) {
    const agon_rectangle* d = t->data;
    const double clip = (double)t->step.clip, advantage = (double)d->advantage[r];
    double sum = 0.0, entropy = 0.0, chosen = 0.0;
    for (int a = 0; a < t->net.actions; a++)
        if (d->mask[r * d->mask_words + a / 64] >> (a % 64) & 1)
            sum += exp(out[a]);
    for (int a = 0; a < t->net.actions; a++) {
        const double log_p = out[a] - log(sum);
        if (!(d->mask[r * d->mask_words + a / 64] >> (a % 64) & 1))
            continue;
        entropy -= exp(log_p) * log_p;
        if (a == d->action[r])
            chosen = log_p;
    }
    const double ratio = exp(chosen - (double)d->log_probability[r]);
    const double held = fmin(fmax(ratio, 1.0 - clip), 1.0 + clip);
    const double miss = out[t->net.actions] - (double)d->target[r];
    return -fmin(ratio * advantage, held * advantage) +
           (double)t->step.value_weight * 0.5 * miss * miss -
           (double)t->step.entropy_weight * entropy;
}

static inline double trial_loss(const trial* t, const double* params) {
    const agon_rectangle* data = t->data;
    double out[128], memory[TRIAL_WIDTH], sum = 0.0;
    for (int r = 0; r < data->rows; r++) {
        for (int j = 0; j < data->remembered; j++)
            memory[j] = (double)data->memory[r * data->remembered + j];
        for (int i = r * data->horizon; i < (r + 1) * data->horizon; i++) {
            trial_forward(&t->net, params, (const float*)data->obs + i * t->net.inputs, memory,
                          out);
            sum += row_loss(t, out, i);
            for (int j = 0; data->last[i] && j < data->remembered; j++)
                memory[j] = 0.0;
        }
    }
    return sum / t->entries;
}

static inline void fill_entry(const trial* t, int entry, uint32_t* drawn) {
    agon_rectangle* data = t->data;
    const int sure = (int)((next_real(drawn) + 1.0) / 2.0 * t->net.actions);
    int legal = 0;
    for (int a = 0; a < t->net.actions; a++)
        if (a == sure || next_real(drawn) < 0.2) {
            data->mask[entry * data->mask_words + a / 64] |= 1ull << (a % 64);
            legal++;
        }
    data->action[entry] = (uint16_t)sure;
    data->log_probability[entry] = (float)(-log(legal) + 0.5 * next_real(drawn));
    data->advantage[entry] = (float)next_real(drawn);
    data->target[entry] = (float)next_real(drawn);
}

/* Where rows are longer than a decision, episodes end in them here and there. */
static inline trial open_trial(const agon_net* net, int rows, int horizon, uint32_t* drawn) {
    const int entries = rows * horizon, remembered = agon_net_memory(net);
    trial t = {.net = *net, .entries = entries, .step = plain_step};
    assert_true(entries <= TRIAL_ENTRIES);
    t.data = agon_rectangle_open(rows, horizon, (agon_input){AGON_F32, 1.0f},
                                 (size_t)net->inputs * 4, (net->actions + 63) / 64, 0, remembered);
    assert_non_null(t.data);
    for (int i = 0; i < entries * net->inputs; i++)
        ((float*)t.data->obs)[i] = (float)next_real(drawn);
    for (int i = 0; i < entries; i++)
        fill_entry(&t, i, drawn);
    for (int i = 0; i < rows * remembered; i++)
        t.data->memory[i] = (float)next_real(drawn);
    for (int i = 0; horizon > 1 && i < entries; i++)
        t.data->last[i] = next_real(drawn) > 0.7;
    return t;
}

static inline void check_slopes(const trial* t, const agon_backend* backend, uint32_t* drawn) {
    agon_learner* learner = agon_learner_open(&t->net, backend);
    agon_scratch* scratch = backend->scratch_open();
    const size_t size = agon_net_size(&t->net);
    double* params = malloc(size * sizeof(double));
    uint32_t index[TRIAL_ENTRIES];
    assert_true(learner && scratch && params);
    for (int i = 0; i < t->entries; i++)
        index[i] = (uint32_t)i;
    for (size_t i = 0; i < size; i++) {
        learner->params[i] = (float)(0.5 * next_real(drawn));
        params[i] = (double)learner->params[i];
    }
    backend->pack(&t->net, learner->params, learner->packed);
    agon_update u = {
        .learner = learner, .data = t->data, .index = index, .count = t->entries, .step = t->step};
    backend->gradient(&u, scratch);
    const double loss = u.stats.policy_loss + (double)t->step.value_weight * u.stats.value_loss -
                        (double)t->step.entropy_weight * u.stats.entropy;
    assert_true(fabs(loss - trial_loss(t, params)) < 1e-6);
    assert_true(u.stats.clipped > 0.0 && u.stats.clipped < 1.0 && u.stats.kl > 0.0);
    for (size_t i = 0; i < size; i++) {
        const double h = 1e-6, at = params[i];
        params[i] = at + h;
        const double up = trial_loss(t, params);
        params[i] = at - h;
        const double slope = (up - trial_loss(t, params)) / (2.0 * h);
        params[i] = at;
        assert_true(fabs((double)learner->grads[i] - slope) < 1e-6 + 1e-5 * fabs(slope));
    }
    free(params);
    backend->scratch_close(scratch);
    agon_learner_close(learner);
}

#endif
