/* backend_reference.h: what a CPU backend promises (agents/kernel.h), in plain loops over one row,
 * one action, one sum at a time. Forms that all changed together would still differ from this. */
#ifndef AGON_BACKEND_REFERENCE_H
#define AGON_BACKEND_REFERENCE_H

#include "tests/unit/backend_fixture.h"

/* sleef.h declares its scalar FMA functions only where these say that FMA is fast. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>

/* A batch after its net: the outputs of every layer. Tensors 2i and 2i+1 are weight and bias of
 * layer i; the heads, policy and value, are layers `layers` and `layers` + 1. */
typedef struct reference {
    const batch* b; /* borrowed */
    agon_tensor tensor[AGON_MAX_TENSORS];
    float* x[AGON_MAX_LAYERS + 1];  /* (rows, width): inputs, then each hidden layer */
    float* y[2];                    /* (rows, actions) logits, (rows, 1) values */
    float* dy[2];                   /* the same: d loss / d output */
    float* dx[AGON_MAX_LAYERS + 1]; /* as x: d loss / d x */
} reference;

static inline int reference_width(const reference* ref, int layer) {
    return layer == 0 ? ref->b->net.inputs : ref->b->net.hidden[layer - 1];
}

/* ---- forward ------------------------------------------------------------------------------ */

/* y = bias + x * weight, term after term in the order of the inputs. turned: weight as (in, out).
 * sparse: without the terms of inputs that are 0, which could turn a bias of -0 into 0. */
static inline void reference_linear(const float* turned, const float* bias, int in, int out,
                                    int sparse, const float* restrict x, float* restrict y) {
    memcpy(y, bias, (size_t)out * sizeof(float));
    for (int k = 0; k < in; k++)
        for (int j = 0; j < out && !(sparse && x[k] == 0.0f); j++)
            y[j] = fmaf(x[k], turned[k * out + j], y[j]);
}

static inline void reference_layer(const reference* ref, int layer, const float* x, float* y) {
    const agon_tensor *weight = &ref->tensor[2 * layer], *bias = weight + 1;
    const int in = weight->cols, out = weight->rows;
    float* turned = need(weight->count * sizeof(float));
    for (int j = 0; j < out; j++)
        for (int k = 0; k < in; k++)
            turned[k * out + j] = ref->b->params[weight->offset + (size_t)(j * in + k)];
    for (int r = 0; r < ref->b->rows; r++)
        reference_linear(turned, ref->b->params + bias->offset, in, out,
                         ref->b->input.type == AGON_U8 && x == ref->x[0], x + (ptrdiff_t)r * in,
                         y + (ptrdiff_t)r * out);
    free(turned);
}

static inline void reference_inputs(const reference* ref) {
    const batch* b = ref->b;
    for (int i = 0; i < b->rows * b->net.inputs; i++)
        ref->x[0][i] = b->input.type == AGON_U8
                           ? (float)((const uint8_t*)b->data->obs)[i] * b->input.scale
                           : ((const float*)b->data->obs)[i];
}

static inline float reference_bend(agon_activation activation, float x) {
    if (activation == AGON_TANH)
        return Sleef_finz_tanhf1_u10purecfma(x);
    return 0.0f > x ? 0.0f : x;
}

static inline reference open_reference(const batch* b) {
    const size_t rows = (size_t)b->rows;
    const int layers = b->net.layers;
    reference ref = {.b = b};
    agon_net_tensors(&b->net, ref.tensor);
    for (int i = 0; i <= layers; i++) {
        ref.x[i] = need(rows * (size_t)reference_width(&ref, i) * sizeof(float));
        ref.dx[i] = need(rows * (size_t)reference_width(&ref, i) * sizeof(float));
    }
    for (int head = 0; head < 2; head++) {
        ref.y[head] = need(rows * (size_t)(head ? 1 : b->net.actions) * sizeof(float));
        ref.dy[head] = need(rows * (size_t)(head ? 1 : b->net.actions) * sizeof(float));
    }
    reference_inputs(&ref);
    for (int i = 0; i < layers; i++) {
        reference_layer(&ref, i, ref.x[i], ref.x[i + 1]);
        for (int j = 0; j < b->rows * b->net.hidden[i]; j++)
            ref.x[i + 1][j] = reference_bend(b->net.activation, ref.x[i + 1][j]);
    }
    reference_layer(&ref, layers, ref.x[layers], ref.y[0]);
    reference_layer(&ref, layers + 1, ref.x[layers], ref.y[1]);
    return ref;
}

static inline void close_reference(reference* ref) {
    for (int i = 0; i <= AGON_MAX_LAYERS; i++) {
        free(ref->x[i]);
        free(ref->dx[i]);
    }
    for (int head = 0; head < 2; head++) {
        free(ref->y[head]);
        free(ref->dy[head]);
    }
}

/* ---- choice ------------------------------------------------------------------------------- */

static inline int reference_legal(const batch* b, int row, int action) {
    return b->all_legal || b->data->mask[row * b->words + action / 64] >> (action % 64) & 1;
}

static inline int reference_best(const batch* b, int row, const float* z) {
    int best = -1;
    for (int a = 0; a < b->net.actions; a++)
        if (reference_legal(b, row, a) && (best < 0 || z[a] > z[best]))
            best = a;
    return best;
}

/* Fills e with exp((z - top) * sharpness), 0 where illegal; returns their sum. */
static inline float reference_exponentials(const batch* b, int row, const float* z, float top,
                                           float sharpness, float* e) {
    float sum = 0.0f;
    for (int a = 0; a < b->net.actions; a++) {
        e[a] = 0.0f;
        if (reference_legal(b, row, a)) {
            e[a] = Sleef_finz_expf1_u10purecfma((z[a] - top) * sharpness);
            sum += e[a];
        }
    }
    return sum;
}

static inline void reference_choose(const batch* b, int row, const float* z, const outputs* o) {
    const int actions = b->net.actions, best = reference_best(b, row, z);
    float* e = o->probability + (ptrdiff_t)row * actions;
    const float one = reference_exponentials(b, row, z, z[best], 1.0f, e);
    int action = best;
    if (b->temperature > 0.0f) {
        const float sum = reference_exponentials(b, row, z, z[best], 1.0f / b->temperature, e);
        float running = 0.0f;
        for (action = 0; action < actions; action++) {
            running += e[action];
            if (running > b->uniform[row] * sum)
                break;
        }
        for (int a = 0; a < actions; a++)
            e[a] /= sum;
    } else {
        for (int a = 0; a < actions; a++)
            e[a] = a == best ? 1.0f : 0.0f;
    }
    o->action[row] = (uint16_t)action;
    o->log_probability[row] = (z[action] - z[best]) - Sleef_finz_logf1_u10purecfma(one);
}

/* All outputs, at the temperature and with the mask of `b`, the batch of `ref` otherwise. */
static inline void reference_outputs(const reference* ref, const batch* b, const outputs* o) {
    memcpy(o->logits, ref->y[0], (size_t)b->rows * (size_t)b->net.actions * sizeof(float));
    memcpy(o->value, ref->y[1], (size_t)b->rows * sizeof(float));
    for (int r = 0; r < b->rows; r++)
        reference_choose(b, r, ref->y[0] + (ptrdiff_t)r * b->net.actions, o);
}

/* ---- loss --------------------------------------------------------------------------------- */

/* d loss / d ln p(action), not yet divided by the rows; statistics add up. */
static inline float reference_surrogate(const agon_ppo_step* step, float log_p, float old,
                                        float advantage, agon_update_stats* sums) {
    const float change = log_p - old, ratio = Sleef_finz_expf1_u10purecfma(change);
    const float low = 1.0f - step->clip, high = 1.0f + step->clip;
    const float held = ratio < low ? low : ratio > high ? high : ratio;
    const float gain = ratio * advantage, held_gain = held * advantage;
    const float kl = (ratio - 1.0f) - change;
    sums->policy_loss += (double)(gain > held_gain ? -held_gain : -gain);
    sums->kl += (double)(kl < 0.0f ? 0.0f : kl);
    sums->clipped += fabsf(ratio - 1.0f) > step->clip;
    return gain > held_gain ? 0.0f : -gain;
}

/* ln p of an action. An illegal one's stands for ln 0 and is finite: its slope is a zero, and what
 * it is added to tells the sign of that zero where sums have underflowed. */
static inline float reference_log_p(const batch* b, int row, const float* z, int action, float top,
                                    float log_sum) {
    return (reference_legal(b, row, action) ? z[action] - top : -1e30f) - log_sum;
}

/* Row `row` of the batch: slopes of its logits and value. share: 1 / rows of the minibatch. */
static inline void reference_loss(const reference* ref, int row, const agon_ppo_step* step,
                                  float share, agon_update_stats* sums) {
    const batch* b = ref->b;
    const int actions = b->net.actions, action = b->data->action[row];
    const float* z = ref->y[0] + (ptrdiff_t)row * actions;
    float *dz = ref->dy[0] + (ptrdiff_t)row * actions, entropy = 0.0f;
    const float top = z[reference_best(b, row, z)];
    const float sum = reference_exponentials(b, row, z, top, 1.0f, dz);
    const float log_sum = Sleef_finz_logf1_u10purecfma(sum);
    for (int a = 0; a < actions; a++)
        entropy -= dz[a] / sum * reference_log_p(b, row, z, a, top, log_sum);
    const float log_p = reference_log_p(b, row, z, action, top, log_sum);
    const float gain = reference_surrogate(step, log_p, b->data->log_probability[row],
                                           b->data->advantage[row], sums) *
                       share;
    const float spread = step->entropy_weight * share;
    for (int a = 0; a < actions; a++)
        dz[a] =
            dz[a] / sum * (spread * (reference_log_p(b, row, z, a, top, log_sum) + entropy) - gain);
    dz[action] += gain;
    const float miss = ref->y[1][row] - b->data->target[row];
    ref->dy[1][row] = miss * (step->value_weight * share);
    sums->entropy += (double)entropy;
    sums->value_loss += (double)(0.5f * (miss * miss));
}

/* ---- backward ----------------------------------------------------------------------------- */

/* One row's part of a layer's gradients, added to those of the rows before; and of its input's
 * slopes, which the first layer (dx NULL) needs not. */
static inline void reference_back(const reference* ref, int layer, const float* restrict x,
                                  const float* restrict dy, float* restrict grads,
                                  float* restrict dx) {
    const agon_tensor *weight = &ref->tensor[2 * layer], *bias = weight + 1;
    const float* w = ref->b->params + weight->offset;
    const int in = weight->cols, sparse = !dx && ref->b->input.type == AGON_U8;
    for (int j = 0; j < weight->rows; j++) {
        float* to = grads + weight->offset + (ptrdiff_t)j * in;
        for (int k = 0; k < in; k++)
            to[k] = sparse && x[k] == 0.0f ? to[k] : fmaf(dy[j], x[k], to[k]);
        grads[bias->offset + (size_t)j] += dy[j];
        for (int k = 0; dx && k < in; k++)
            dx[k] = fmaf(dy[j], w[(ptrdiff_t)j * in + k], dx[k]);
    }
}

static inline void reference_unbend(const reference* ref, int layer, const float* y, float* dy) {
    for (int k = 0; k < reference_width(ref, layer); k++)
        if (ref->b->net.activation == AGON_TANH)
            dy[k] *= 1.0f - y[k] * y[k];
        else if (!(y[k] > 0.0f))
            dy[k] = 0.0f;
}

/* From the heads to the inputs: policy, value, hidden layers from last to first. */
static inline void reference_back_row(const reference* ref, int row, float* grads) {
    const int layers = ref->b->net.layers, last = reference_width(ref, layers);
    const ptrdiff_t at = (ptrdiff_t)row * last;
    float* dx = layers ? ref->dx[layers] + at : NULL;
    if (dx)
        memset(dx, 0, (size_t)last * sizeof(float));
    reference_back(ref, layers, ref->x[layers] + at,
                   ref->dy[0] + (ptrdiff_t)row * ref->b->net.actions, grads, dx);
    reference_back(ref, layers + 1, ref->x[layers] + at, ref->dy[1] + row, grads, dx);
    for (int i = layers; i > 0; i--) {
        const int out = reference_width(ref, i), in = reference_width(ref, i - 1);
        float* dy = ref->dx[i] + (ptrdiff_t)row * out;
        float* down = i > 1 ? ref->dx[i - 1] + (ptrdiff_t)row * in : NULL;
        reference_unbend(ref, i, ref->x[i] + (ptrdiff_t)row * out, dy);
        if (down)
            memset(down, 0, (size_t)in * sizeof(float));
        reference_back(ref, i - 1, ref->x[i - 1] + (ptrdiff_t)row * in, dy, grads, down);
    }
}

static inline double reference_norm(const float* x, size_t count) {
    double sum[16] = {0};
    for (size_t i = 0; i < count; i++)
        sum[i % 16] += (double)x[i] * (double)x[i];
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sqrt(sum[0]);
}

/* Gradients of a minibatch, rows in the order of the index, and its statistics. */
static inline agon_update_stats reference_gradient(const reference* ref, const uint32_t* index,
                                                   int count, const agon_ppo_step* step,
                                                   float* grads) {
    const size_t size = agon_net_size(&ref->b->net);
    agon_update_stats stats = {0};
    memset(grads, 0, size * sizeof(float));
    for (int i = 0; i < count; i++) {
        reference_loss(ref, (int)index[i], step, 1.0f / (float)count, &stats);
        reference_back_row(ref, (int)index[i], grads);
    }
    stats.policy_loss /= count;
    stats.value_loss /= count;
    stats.entropy /= count;
    stats.kl /= count;
    stats.clipped /= count;
    stats.grad_norm = reference_norm(grads, size);
    return stats;
}

/* One step of Adam; learner->grads hold the gradients, packed stays as it is. */
static inline void reference_adam(agon_learner* learner, const agon_ppo_step* step, double norm) {
    const double limit = (double)step->max_grad_norm;
    const float scale = limit > 0.0 && norm > limit ? (float)(limit / norm) : 1.0f;
    const float beta1 = step->beta1, beta2 = step->beta2;
    const size_t size = agon_net_size(&learner->net);
    float *params = learner->params, *m = learner->moment1, *v = learner->moment2;
    learner->beta1_power *= (double)beta1;
    learner->beta2_power *= (double)beta2;
    learner->updates++;
    const float correct1 = (float)(1.0 / (1.0 - learner->beta1_power));
    const float correct2 = (float)(1.0 / (1.0 - learner->beta2_power));
    for (size_t i = 0; i < size; i++) {
        const float g = learner->grads[i] * scale;
        m[i] = beta1 * m[i] + (1.0f - beta1) * g;
        v[i] = beta2 * v[i] + (1.0f - beta2) * (g * g);
        params[i] -=
            step->learning_rate * (m[i] * correct1 / (sqrtf(v[i] * correct2) + step->epsilon));
    }
}

#endif
