/* plain_gradient.h: gradients of a minibatch by plain loops that round what a mode rounds, over a
 * world of cuda_update_fixture.h. */
#ifndef AGON_PLAIN_GRADIENT_H
#define AGON_PLAIN_GRADIENT_H

#include "tests/unit/cuda_update_fixture.h"

#include "cuda/update_layers.h"

typedef struct plain {
    const world* w;
    const float* params; /* borrowed */
    const agon_rectangle* data;
    const uint32_t* index; /* (count) */
    int count;
    float* weights[AGON_MAX_LAYERS + 1]; /* (fan out, fan in), rounded */
    float* x[AGON_MAX_LAYERS + 2];       /* (count, entries) that come into a layer, later slopes of
                                            them; the last: of the heads */
    float* gates[AGON_MAX_LAYERS];       /* (count, 2 * units): c - m and z, later their slopes */
    double* grads;
} plain;

static inline float plain_round(const plain* p, float x) {
    char element[4];
    agon__put(p->w->def.mode, element, 0, x);
    return agon__get(p->w->def.mode, element, 0);
}

/* Weight k of output j of a layer, as a place among the parameters; k = fan in: its bias. */
static inline size_t plain_weight(const plain* p, int layer, int j, int k) {
    const agon__gpu_net* n = &p->w->learners.net;
    const agon__gpu_linear* l = &n->linear[layer];
    const int value = layer == n->layers - 1 && j == l->out - 1;
    if (k == l->in)
        return value ? n->from_value_bias : l->from_bias + (uint64_t)j;
    return (value ? n->from_value_weight : l->from_weight + (uint64_t)(j * l->in)) + (uint64_t)k;
}

/* Whether a layer is of a kind; the heads are of none but dense. */
static inline int plain_is(const plain* p, int layer, agon_layer_kind kind) {
    const agon_net* net = &p->w->net;
    return layer >= 0 && layer < net->layers && net->kind[layer] == kind;
}

/* Entries of a row of x[layer]. */
static inline int plain_entries(const plain* p, int layer) {
    const agon_net* net = &p->w->net;
    return layer > net->layers ? net->actions + 1 : agon_net_entries(net, layer);
}

/* Where column k of a point lies in a row; -1: beyond an edge. */
static inline int plain_column(const plain* p, int layer, int point, int k) {
    const agon_net* net = &p->w->net;
    if (!plain_is(p, layer, AGON_CONV))
        return k;
    const int points = net->rows * net->cols, channels = agon_net_entries(net, layer) / points;
    const int size = net->kernel[layer], c = k % channels;
    const int y = point / net->cols + k / channels / size - size / 2;
    const int x = point % net->cols + k / channels % size - size / 2;
    if (y < 0 || y >= net->rows || x < 0 || x >= net->cols)
        return -1;
    return layer ? (y * net->cols + x) * channels + c : (c * net->rows + y) * net->cols + x;
}

/* ---- forward ------------------------------------------------------------------------------ */

static inline void plain_see(plain* p, int r) {
    const agon_rectangle* d = p->data;
    const char* obs = (const char*)d->obs + d->place[p->index[r]] * d->obs_bytes;
    for (int k = 0; k < p->w->net.inputs; k++) {
        const float real = d->input.type == AGON_U8
                               ? (float)((const uint8_t*)obs)[k] * d->input.scale
                               : ((const float*)obs)[k];
        p->x[0][r * p->w->net.inputs + k] = plain_round(p, real);
    }
}

static inline float plain_output(const plain* p, int layer, const float* x, int point, int j) {
    const int in = agon_net_fan_in(&p->w->net, layer);
    const float* weights = p->weights[layer] + (ptrdiff_t)j * in;
    float sum = p->params[plain_weight(p, layer, j, in)];
    for (int k = 0; k < in; k++) {
        const int at = plain_column(p, layer, point, k);
        sum = fmaf(at < 0 ? 0.0f : x[at], weights[k], sum);
    }
    return sum;
}

/* Row after row, what is remembered from one to the next. */
static inline void plain_remember(plain* p, int layer) {
    const agon_rectangle* d = p->data;
    const int units = p->w->net.hidden[layer];
    for (int u = 0; u < units; u++) {
        float m = 0.0f;
        for (int r = 0; r < p->count; r++) {
            float* c = p->gates[layer] + (ptrdiff_t)r * 2 * units + u;
            const uint32_t entry = p->index[r], row = entry / (uint32_t)d->horizon;
            const int from = p->w->learners.net.linear[layer].memory;
            if (entry % (uint32_t)d->horizon == 0)
                m = d->memory[row * (uint32_t)d->remembered + (uint32_t)(from + u)];
            const float z = fmaf(0.5f, tanhf(0.5f * c[units]), 0.5f);
            c[0] = c[0] - m;
            c[units] = z;
            m = fmaf(z, c[0], m);
            p->x[layer + 1][r * units + u] = plain_round(p, m);
            m = d->last[entry] ? 0.0f : m;
        }
    }
}

static inline void plain_layer(plain* p, int layer) {
    const agon_net* net = &p->w->net;
    const int out = agon_net_fan_out(net, layer), points = agon_net_points(net, layer);
    const int gates = plain_is(p, layer, AGON_MINGRU);
    float* to = gates ? p->gates[layer] : p->x[layer + 1];
    for (int r = 0; r < p->count; r++)
        for (int i = 0; i < points * out; i++) {
            const float* x = p->x[layer] + (ptrdiff_t)r * plain_entries(p, layer);
            const float sum = plain_output(p, layer, x, i / out, i % out);
            const float bent = net->activation == AGON_RELU ? fmaxf(sum, 0.0f) : tanhf(sum);
            to[r * points * out + i] = gates || layer == net->layers ? sum : plain_round(p, bent);
        }
    if (gates)
        plain_remember(p, layer);
}

/* ---- backward ----------------------------------------------------------------------------- */

/* d loss / d head of an entry, from its logits and value, in place. */
static inline void plain_loss(const plain* p, uint32_t entry, double* share, float* head) {
    const agon_ppo_step* step = &p->w->def.ppo.step;
    const agon_rectangle* d = p->data;
    const uint64_t* mask = d->mask + d->place[entry] * (size_t)d->mask_words;
    const int actions = p->w->net.actions, chosen = d->action[entry];
    const double each = 1.0 / p->count;
    double sum = 0.0, entropy = 0.0, top = -INFINITY;
    for (int a = 0; a < actions; a++)
        if (mask[a / 64] >> (a % 64) & 1)
            top = fmax(top, (double)head[a]);
    for (int a = 0; a < actions; a++)
        sum += share[a] = mask[a / 64] >> (a % 64) & 1 ? exp((double)head[a] - top) : 0.0;
    for (int a = 0; a < actions; a++) {
        share[a] /= sum;
        entropy -= share[a] > 0.0 ? share[a] * log(share[a]) : 0.0;
    }
    const double ratio = exp(log(share[chosen]) - (double)d->log_probability[entry]);
    const double held = fmin(fmax(ratio, 1.0 - (double)step->clip), 1.0 + (double)step->clip);
    const double advantage = (double)d->advantage[entry];
    const double gain = ratio * advantage > held * advantage ? 0.0 : -ratio * advantage * each;
    for (int a = 0; a < actions; a++) {
        const double log_p = share[a] > 0.0 ? log(share[a]) : 0.0;
        const double spread = (double)step->entropy_weight * each * (log_p + entropy);
        head[a] = plain_round(p, (float)(share[a] * (spread - gain) + (a == chosen) * gain));
    }
    head[actions] = plain_round(p, (float)(((double)head[actions] - (double)d->target[entry]) *
                                           (double)step->value_weight * each));
}

/* Slopes of what was remembered, in x[layer + 1], become slopes of gates. */
static inline void plain_forget(plain* p, int layer) {
    const int units = p->w->net.hidden[layer];
    for (int u = 0; u < units; u++) {
        float carried = 0.0f;
        for (int r = p->count - 1; r >= 0; r--) {
            float* c = p->gates[layer] + (ptrdiff_t)r * 2 * units + u;
            const uint32_t entry = p->index[r];
            if (p->data->last[entry] || (entry + 1) % (uint32_t)p->data->horizon == 0)
                carried = 0.0f;
            const float whole = p->x[layer + 1][r * units + u] + carried, z = c[units];
            c[units] = plain_round(p, whole * c[0] * z * (1.0f - z));
            c[0] = plain_round(p, whole * z);
            carried = (1.0f - z) * whole;
        }
    }
}

/* Slopes of the inputs of one point are added to those of its row. */
static inline void plain_slopes(const plain* p, int layer, int point, const float* dy, float* dx) {
    const agon_net* net = &p->w->net;
    const int in = agon_net_fan_in(net, layer), out = agon_net_fan_out(net, layer);
    const int columns = agon__update_columns(&p->w->learners.net, layer) > 0; /* kept as elements */
    for (int k = 0; k < in; k++) {
        const int at = plain_column(p, layer, point, k);
        float sum = 0.0f;
        for (int j = 0; j < out; j++)
            sum = fmaf(dy[j], p->weights[layer][j * in + k], sum);
        if (at >= 0)
            dx[at] += columns ? plain_round(p, sum) : sum;
    }
}

static inline void plain_grads(plain* p, int layer, int point, const float* dy, const float* x) {
    const agon_net* net = &p->w->net;
    const int in = agon_net_fan_in(net, layer), out = agon_net_fan_out(net, layer);
    for (int k = 0; k <= in; k++) {
        const int at = k < in ? plain_column(p, layer, point, k) : -1;
        const double of = k == in ? 1.0 : at < 0 ? 0.0 : (double)x[at];
        for (int j = 0; j < out; j++)
            p->grads[plain_weight(p, layer, j, k)] += (double)dy[j] * of;
    }
}

/* Adds a layer's gradients; slopes replace what came into it. */
static inline void plain_back(plain* p, int layer) {
    const agon_net* net = &p->w->net;
    const int out = agon_net_fan_out(net, layer), points = agon_net_points(net, layer);
    const int entries = plain_entries(p, layer), gates = plain_is(p, layer, AGON_MINGRU);
    float* dx = need((size_t)entries * sizeof *dx);
    if (gates)
        plain_forget(p, layer);
    for (int r = 0; r < p->count; r++) {
        const float* dy = (gates ? p->gates[layer] : p->x[layer + 1]) + (ptrdiff_t)r * points * out;
        float* x = p->x[layer] + (ptrdiff_t)r * entries;
        memset(dx, 0, (size_t)entries * sizeof *dx);
        for (int i = 0; i < points; i++) {
            plain_grads(p, layer, i, dy + i * out, x);
            if (layer > 0)
                plain_slopes(p, layer, i, dy + i * out, dx);
        }
        for (int k = 0; k < entries && layer > 0; k++) {
            const float bent = net->activation == AGON_RELU ? (x[k] > 0.0f ? dx[k] : 0.0f)
                                                            : dx[k] * (1.0f - x[k] * x[k]);
            x[k] = plain_round(p, plain_is(p, layer - 1, AGON_MINGRU) ? dx[k] : bent);
        }
    }
    free(dx);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static inline void plain_open(plain* p) {
    const agon_net* net = &p->w->net;
    const size_t count = (size_t)p->count;
    for (int i = 0; i <= net->layers + 1; i++)
        p->x[i] = need(count * (size_t)plain_entries(p, i) * sizeof(float));
    for (int i = 0; i <= net->layers; i++) {
        const int in = agon_net_fan_in(net, i), out = agon_net_fan_out(net, i);
        p->weights[i] = need((size_t)in * (size_t)out * sizeof(float));
        for (int k = 0; k < in * out; k++)
            p->weights[i][k] = plain_round(p, p->params[plain_weight(p, i, k / in, k % in)]);
        if (plain_is(p, i, AGON_MINGRU))
            p->gates[i] = need(count * (size_t)out * sizeof(float));
    }
    p->grads = calloc(agon_net_size(net), sizeof *p->grads);
}

static inline void plain_close(plain* p) {
    const int layers = p->w->net.layers;
    for (int i = 0; i <= layers + 1; i++)
        free(p->x[i]);
    for (int i = 0; i <= layers; i++)
        free(p->weights[i]);
    for (int i = 0; i < layers; i++)
        free(p->gates[i]);
    free(p->grads);
}

/* out: (parameters) of member m at its start. */
static inline void plain_gradient(const world* w, int m, const uint32_t* index, int count,
                                  float* out) {
    const int layers = w->net.layers, actions = w->net.actions;
    plain p = {.w = w, .params = w->start[m], .data = w->data[m], .index = index, .count = count};
    double* share = need((size_t)actions * sizeof *share);
    plain_open(&p);
    for (int r = 0; r < count; r++)
        plain_see(&p, r);
    for (int i = 0; i <= layers; i++)
        plain_layer(&p, i);
    for (int r = 0; r < count; r++)
        plain_loss(&p, index[r], share, p.x[layers + 1] + (ptrdiff_t)r * (actions + 1));
    for (int i = layers; i >= 0; i--)
        plain_back(&p, i);
    for (size_t i = 0; i < agon_net_size(&w->net); i++)
        out[i] = (float)p.grads[i];
    free(share);
    plain_close(&p);
}

#endif
