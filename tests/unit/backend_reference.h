/* backend_reference.h: what a CPU backend promises (agents/kernel.h), in plain loops over one row,
 * one action, one sum at a time. Forms that all changed together would still differ from this. */
#ifndef AGON_BACKEND_REFERENCE_H
#define AGON_BACKEND_REFERENCE_H

#include "tests/unit/backend_fixture.h"
#include "tests/unit/layer_reference.h"

/* A batch after its net: the outputs of every layer. Tensors 2i and 2i+1 are weight and bias of
 * layer i; the heads, policy and value, are layers `layers` and `layers` + 1. Rows of the batch are
 * entries of its rectangle: where the net has memory, those of one row follow each other in time.
 */
typedef struct reference {
    const batch* b; /* borrowed */
    agon_tensor tensor[AGON_MAX_TENSORS];
    float* x[AGON_MAX_LAYERS + 1];  /* (rows, width): inputs, then each hidden layer */
    float* recall[AGON_MAX_LAYERS]; /* (rows, 2 units) of a minGRU: c - m, z; or NULL */
    float* turn[AGON_MAX_LAYERS];   /* the same: slopes of its linear map */
    float* memory;                  /* (rectangle's rows, remembered) after the last decision */
    float* y[2];                    /* (rows, actions) logits, (rows, 1) values */
    float* dy[2];                   /* the same: d loss / d output */
    float* dx[AGON_MAX_LAYERS + 1]; /* as x: d loss / d x */
} reference;

static inline int reference_width(const reference* ref, int layer) {
    return agon_net_entries(&ref->b->net, layer);
}

/* Rows of the batch that follow each other in time. */
static inline int reference_steps(const reference* ref) {
    return agon_net_memory(&ref->b->net) ? ref->b->data->horizon : 1;
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

/* Where a layer is applied: at a row, or at each point of an image. at: row * points + point. */
static inline const float* reference_seen(const reference* ref, int layer, int at, float* patch) {
    const agon_net* net = &ref->b->net;
    const int i = layer < net->layers ? layer : net->layers, points = agon_net_points(net, i);
    const float* x = ref->x[i] + (ptrdiff_t)(at / points) * reference_width(ref, i);
    if (i == net->layers || net->kind[i] != AGON_CONV)
        return x;
    reference_patch(net, i, x, at % points, patch);
    return patch;
}

static inline void reference_layer(const reference* ref, int layer, float* y) {
    const agon_tensor *weight = &ref->tensor[2 * layer], *bias = weight + 1;
    const agon_net* net = &ref->b->net;
    const int in = weight->cols, out = weight->rows, hidden = layer < net->layers;
    const int points = hidden ? agon_net_points(net, layer) : 1;
    const int sparse = ref->b->input.type == AGON_U8 && (layer == 0 || net->layers == 0) &&
                       !(hidden && net->kind[layer] == AGON_CONV);
    float *turned = need(weight->count * sizeof(float)), *patch = need((size_t)in * sizeof(float));
    for (int j = 0; j < out; j++)
        for (int k = 0; k < in; k++)
            turned[k * out + j] = ref->b->params[weight->offset + (size_t)(j * in + k)];
    for (int at = 0; at < ref->b->rows * points; at++)
        reference_linear(turned, ref->b->params + bias->offset, in, out, sparse,
                         reference_seen(ref, layer, at, patch), y + (ptrdiff_t)at * out);
    free(turned);
    free(patch);
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

/* remembered: floats before this layer's own in a row's memory. */
static inline void reference_recall(const reference* ref, int layer, int remembered) {
    const agon_rectangle* data = ref->b->data;
    const int units = ref->b->net.hidden[layer];
    for (int i = 0; i < ref->b->rows; i++) {
        float* memory = ref->memory + i / data->horizon * data->remembered + remembered;
        reference_cell(units, ref->recall[layer] + (ptrdiff_t)i * 2 * units, memory,
                       ref->x[layer + 1] + (ptrdiff_t)i * units);
        for (int j = 0; data->last[i] && j < units; j++)
            memory[j] = 0.0f;
    }
}

static inline void reference_forward(const reference* ref) {
    const batch* b = ref->b;
    const int layers = b->net.layers;
    int remembered = 0;
    reference_inputs(ref);
    for (int i = 0; i < layers; i++) {
        if (ref->recall[i]) {
            reference_layer(ref, i, ref->recall[i]);
            reference_recall(ref, i, remembered);
            remembered += b->net.hidden[i];
            continue;
        }
        reference_layer(ref, i, ref->x[i + 1]);
        for (int j = 0; j < b->rows * reference_width(ref, i + 1); j++)
            ref->x[i + 1][j] = reference_bend(b->net.activation, ref->x[i + 1][j]);
    }
    reference_layer(ref, layers, ref->y[0]);
    reference_layer(ref, layers + 1, ref->y[1]);
}

static inline reference open_reference(const batch* b) {
    const size_t rows = (size_t)b->rows;
    const size_t remembered = (size_t)b->data->rows * (size_t)b->data->remembered;
    reference ref = {.b = b};
    agon_net_tensors(&b->net, ref.tensor);
    for (int i = 0; i <= b->net.layers; i++) {
        ref.x[i] = need(rows * (size_t)reference_width(&ref, i) * sizeof(float));
        ref.dx[i] = need(rows * (size_t)reference_width(&ref, i) * sizeof(float));
        if (i == b->net.layers || b->net.kind[i] != AGON_MINGRU)
            continue;
        ref.recall[i] = need(rows * 2 * (size_t)b->net.hidden[i] * sizeof(float));
        ref.turn[i] = need(rows * 2 * (size_t)b->net.hidden[i] * sizeof(float));
    }
    for (int head = 0; head < 2; head++) {
        ref.y[head] = need(rows * (size_t)(head ? 1 : b->net.actions) * sizeof(float));
        ref.dy[head] = need(rows * (size_t)(head ? 1 : b->net.actions) * sizeof(float));
    }
    ref.memory = need(remembered * sizeof(float));
    if (remembered)
        memcpy(ref.memory, b->data->memory, remembered * sizeof(float));
    reference_forward(&ref);
    return ref;
}

static inline void close_reference(reference* ref) {
    for (int i = 0; i <= AGON_MAX_LAYERS; i++) {
        free(ref->x[i]);
        free(ref->dx[i]);
    }
    for (int i = 0; i < AGON_MAX_LAYERS; i++) {
        free(ref->recall[i]);
        free(ref->turn[i]);
    }
    free(ref->memory);
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
    const int in = weight->cols;
    const int sparse = !dx && ref->b->input.type == AGON_U8 && ref->b->net.kind[0] != AGON_CONV;
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

/* The slopes of what hidden layer `layer` - 1 gives become those of its linear map: returned, for
 * row `row` of the batch the first of `steps`. */
static inline float* reference_unfold(const reference* ref, int layer, int row, int steps) {
    const int width = reference_width(ref, layer), units = ref->b->net.hidden[layer - 1];
    float* dy = ref->dx[layer] + (ptrdiff_t)row * width;
    if (!ref->recall[layer - 1]) {
        for (int i = 0; i < steps; i++)
            reference_unbend(ref, layer, ref->x[layer] + (ptrdiff_t)(row + i) * width,
                             dy + (ptrdiff_t)i * width);
        return dy;
    }
    const size_t from = (size_t)row * 2 * (size_t)units;
    float *turn = ref->turn[layer - 1] + from, carried[AGON_MAX_WIDTH];
    memcpy(turn, ref->recall[layer - 1] + from, (size_t)steps * 2 * (size_t)units * sizeof(float));
    for (int i = steps - 1; i >= 0; i--) {
        for (int j = 0; j < units; j++)
            carried[j] = i == steps - 1 || ref->b->data->last[row + i] ? 0.0f : carried[j];
        reference_cell_back(units, dy + (ptrdiff_t)i * units, carried,
                            turn + (ptrdiff_t)i * 2 * units);
    }
    return turn;
}

/* A layer's gradients and its input's slopes, of one row of the batch. dy: of its linear map. */
static inline void reference_back_layer(const reference* ref, int layer, int row, const float* dy,
                                        float* grads) {
    const agon_net* net = &ref->b->net;
    const agon_tensor* weight = &ref->tensor[2 * layer];
    const int i = layer < net->layers ? layer : net->layers, points = agon_net_points(net, i);
    const int folds = i < net->layers && net->kind[i] == AGON_CONV;
    float* dx = i ? ref->dx[i] + (ptrdiff_t)row * reference_width(ref, i) : NULL;
    float* patch = need((size_t)weight->cols * sizeof(float));
    for (int p = 0; p < points; p++)
        reference_back(ref, layer, reference_seen(ref, layer, row * points + p, patch),
                       dy + (ptrdiff_t)p * weight->rows, grads, folds ? NULL : dx);
    if (folds && dx)
        reference_fold(net, i, ref->b->params + weight->offset, dy, dx);
    free(patch);
}

/* From the heads to the inputs: policy, value, hidden layers from last to first. Rows row ..
 * row+steps-1 of the batch. */
static inline void reference_back_rows(const reference* ref, int row, int steps, float* grads) {
    const int layers = ref->b->net.layers, actions = ref->b->net.actions;
    for (int i = 1; i <= layers; i++)
        memset(ref->dx[i] + (ptrdiff_t)row * reference_width(ref, i), 0,
               (size_t)steps * (size_t)reference_width(ref, i) * sizeof(float));
    for (int r = row; r < row + steps; r++) {
        reference_back_layer(ref, layers, r, ref->dy[0] + (ptrdiff_t)r * actions, grads);
        reference_back_layer(ref, layers + 1, r, ref->dy[1] + r, grads);
    }
    for (int i = layers; i > 0; i--) {
        const float* dy = reference_unfold(ref, i, row, steps);
        const int width = reference_width(ref, i) * (ref->recall[i - 1] ? 2 : 1);
        for (int r = row; r < row + steps; r++, dy += width)
            reference_back_layer(ref, i - 1, r, dy, grads);
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
    const int steps = reference_steps(ref);
    agon_update_stats stats = {0};
    memset(grads, 0, size * sizeof(float));
    for (int i = 0; i < count; i++) {
        reference_loss(ref, (int)index[i], step, 1.0f / (float)count, &stats);
        if (i % steps == steps - 1)
            reference_back_rows(ref, (int)index[i] - (steps - 1), steps, grads);
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
