/* layer_reference.h: what convolutions and minGRU layers are, in plain loops: one point, one unit,
 * one term at a time (agents/net.h, agents/kernel.h). */
#ifndef AGON_LAYER_REFERENCE_H
#define AGON_LAYER_REFERENCE_H

#include "agents/net.h"

#include <math.h>
#include <stdint.h>

/* sleef.h declares its scalar FMA functions only where these say that FMA is fast. */
#ifndef FP_FAST_FMA
#define FP_FAST_FMA 1
#endif
#ifndef FP_FAST_FMAF
#define FP_FAST_FMAF 1
#endif
#include <sleef.h>

/* The point that lies `offset` of a kernel (row by row from its top left one) from `point`; -1:
 * beyond an edge. */
static inline int reference_point(const agon_net* net, int layer, int point, int offset) {
    const int kernel = net->kernel[layer], half = kernel / 2;
    const int y = point / net->cols + offset / kernel - half;
    const int x = point % net->cols + offset % kernel - half;
    return y < 0 || x < 0 || y >= net->rows || x >= net->cols ? -1 : y * net->cols + x;
}

/* What a convolution multiplies at a point: (kernel, kernel, channels). x: what comes into it. */
static inline void reference_patch(const agon_net* net, int layer, const float* x, int point,
                                   float* patch) {
    const int points = net->rows * net->cols, size = net->kernel[layer] * net->kernel[layer];
    const int channels = agon_net_entries(net, layer) / points;
    for (int offset = 0; offset < size; offset++)
        for (int c = 0; c < channels; c++, patch++) {
            const int from = reference_point(net, layer, point, offset);
            *patch = from < 0 ? 0.0f : layer == 0 ? x[c * points + from] : x[from * channels + c];
        }
}

/* Slopes of a convolution's inputs (points, channels): of each the points around it, and their
 * outputs, in order. weight (out, in); dy (points, out). */
static inline void reference_fold(const agon_net* net, int layer, const float* weight,
                                  const float* dy, float* dx) {
    const int points = net->rows * net->cols, size = net->kernel[layer] * net->kernel[layer];
    const int channels = agon_net_entries(net, layer) / points, out = net->hidden[layer];
    for (int i = 0; i < points * channels; i++) {
        dx[i] = 0.0f;
        for (int offset = 0; offset < size; offset++) {
            const int from = reference_point(net, layer, i / channels, offset);
            for (int j = 0; j < out; j++) {
                const float w =
                    weight[j * size * channels + (size - 1 - offset) * channels + i % channels];
                dx[i] = fmaf(from < 0 ? 0.0f : dy[from * out + j], w, dx[i]);
            }
        }
    }
}

/* One decision: c and g (units each) become c - m and z, memory moves on, y is what it was moved
 * to. */
static inline void reference_cell(int units, float* recall, float* memory, float* y) {
    for (int j = 0; j < units; j++) {
        float *d = &recall[j], *z = &recall[units + j];
        *z = fmaf(0.5f, Sleef_finz_tanhf1_u10purecfma(0.5f * *z), 0.5f);
        *d -= memory[j];
        y[j] = memory[j] = fmaf(*z, *d, memory[j]);
    }
}

/* Back: recall becomes slopes of c and g; carried (units) comes from the decision after this one
 * and goes to the one before. */
static inline void reference_cell_back(int units, const float* dy, float* carried, float* recall) {
    for (int j = 0; j < units; j++) {
        const float d = recall[j], z = recall[units + j], slope = dy[j] + carried[j];
        carried[j] = (1.0f - z) * slope;
        recall[j] = slope * z;
        recall[units + j] = slope * d * z * (1.0f - z);
    }
}

#endif
