/* bench_openblas.c: sgemm for the products; the rest are loops that the compiler vectorises. */
#include "tools/bench_openblas.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

agon_openblas_net agon_openblas_net_of(const agon_net* net) {
    agon_openblas_net o = {.layers = net->layers + 1, .tanh = net->activation == AGON_TANH};
    int in = net->inputs;
    for (int i = 0; i < o.layers; i++) {
        agon_openblas_layer* l = &o.layer[i];
        l->in = in;
        l->out = i < net->layers ? net->hidden[i] : net->actions + 1;
        l->weight = o.size;
        l->bias = l->weight + (size_t)l->in * (size_t)l->out;
        o.size = l->bias + (size_t)l->out;
        in = l->out;
    }
    return o;
}

/* `count` outputs from `first` on, whose weights (count, in) and biases follow each other. */
static const float* turn(const agon_openblas_layer* l, const float* params, int first, int count,
                         float* out) {
    const float* bias = params + (size_t)count * (size_t)l->in;
    for (int j = 0; j < count; j++) {
        for (int k = 0; k < l->in; k++)
            out[l->weight + (size_t)k * (size_t)l->out + (size_t)(first + j)] =
                params[(size_t)j * (size_t)l->in + (size_t)k];
        out[l->bias + (size_t)(first + j)] = bias[j];
    }
    return bias + count;
}

void agon_openblas_weights(const agon_openblas_net* o, const float* params, float* out) {
    const agon_openblas_layer* heads = &o->layer[o->layers - 1];
    for (int i = 0; i < o->layers - 1; i++)
        params = turn(&o->layer[i], params, 0, o->layer[i].out, out);
    params = turn(heads, params, 0, heads->out - 1, out);
    turn(heads, params, heads->out - 1, 1, out);
}

/* ---- forward ------------------------------------------------------------------------------ */

static void add_bias(float* restrict y, const float* restrict bias, int rows, int cols) {
    for (int r = 0; r < rows; r++, y += cols)
        for (int j = 0; j < cols; j++)
            y[j] += bias[j];
}

static void add_bias_relu(float* restrict y, const float* restrict bias, int rows, int cols) {
    for (int r = 0; r < rows; r++, y += cols)
        for (int j = 0; j < cols; j++) {
            const float sum = y[j] + bias[j];
            y[j] = sum > 0.0f ? sum : 0.0f;
        }
}

static void add_bias_tanh(float* restrict y, const float* restrict bias, int rows, int cols) {
    for (int r = 0; r < rows; r++, y += cols)
        for (int j = 0; j < cols; j++)
            y[j] = tanhf(y[j] + bias[j]);
}

void agon_openblas_forward(const agon_openblas_net* o, const float* weights, float* const* x,
                           int rows, int most) {
    for (int row = 0, n; row < rows; row += n) {
        n = rows - row < most ? rows - row : most;
        for (int i = 0; i < o->layers; i++) {
            const agon_openblas_layer* l = &o->layer[i];
            const float* bias = weights + l->bias;
            float* y = x[i + 1] + (size_t)row * (size_t)l->out;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, l->out, l->in, 1,
                        x[i] + (size_t)row * (size_t)l->in, l->in, weights + l->weight, l->out, 0,
                        y, l->out);
            if (i == o->layers - 1)
                add_bias(y, bias, n, l->out);
            else if (o->tanh)
                add_bias_tanh(y, bias, n, l->out);
            else
                add_bias_relu(y, bias, n, l->out);
        }
    }
}

void agon_openblas_widen(const void* obs, bool bytes, float scale, size_t count, float* out) {
    const uint8_t* restrict from = obs;
    float* restrict to = out;
    if (!bytes) {
        memcpy(out, obs, count * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        to[i] = (float)from[i] * scale;
}

/* ---- backward ----------------------------------------------------------------------------- */

static void sum_rows(const float* restrict dy, int rows, int cols, float* restrict out) {
    memset(out, 0, (size_t)cols * sizeof *out);
    for (int r = 0; r < rows; r++, dy += cols)
        for (int j = 0; j < cols; j++)
            out[j] += dy[j];
}

/* dx *= the activation's slope, told from its output. */
static void pass_activation(const float* restrict x, float* restrict dx, size_t count, bool tanh) {
    if (tanh)
        for (size_t i = 0; i < count; i++)
            dx[i] *= 1.0f - x[i] * x[i];
    else
        for (size_t i = 0; i < count; i++)
            dx[i] = x[i] > 0.0f ? dx[i] : 0.0f;
}

void agon_openblas_backward(const agon_openblas_net* o, const float* weights, float* const* x,
                            int rows, const float* dy, float* const work[2], float* grads) {
    for (int i = o->layers - 1; i >= 0; i--) {
        const agon_openblas_layer* l = &o->layer[i];
        float* dx = work[i & 1];
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, l->in, l->out, rows, 1, x[i], l->in,
                    dy, l->out, 0, grads + l->weight, l->out);
        sum_rows(dy, rows, l->out, grads + l->bias);
        if (i == 0)
            return;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, l->in, l->out, 1, dy, l->out,
                    weights + l->weight, l->out, 0, dx, l->in);
        pass_activation(x[i], dx, (size_t)rows * (size_t)l->in, o->tanh);
        dy = dx;
    }
}

void agon_openblas_adam_step(const agon_openblas_adam* s) {
    const agon_openblas_adam a = *s; /* a copy that the stores cannot alias */
    float* restrict p = a.params, * restrict m = a.moment1, * restrict v = a.moment2;
    const float* restrict g = a.grads;
    for (size_t i = 0; i < a.count; i++) {
        m[i] = a.beta1 * m[i] + (1.0f - a.beta1) * g[i];
        v[i] = a.beta2 * v[i] + (1.0f - a.beta2) * (g[i] * g[i]);
        p[i] -= a.rate * (m[i] * a.correct1) / (sqrtf(v[i] * a.correct2) + a.epsilon);
    }
}
