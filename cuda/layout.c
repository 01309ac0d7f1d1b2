/* layout.c: how a net lies in the memory of a GPU. */
#include "cuda/layout.h"

#include "agents/net.h"
#include "cuda/pack_kernel.h"

static int up_to(int x, int multiple) {
    return (x + multiple - 1) / multiple * multiple;
}

/* Observations lie plane by plane, what layers make point by point. */
static agon__fold fold_of(const agon_net* net, int layer) {
    const int points = net->rows * net->cols;
    agon__fold f = {.rows = net->rows,
                    .cols = net->cols,
                    .kernel = layer < net->layers ? net->kernel[layer] : 0,
                    .channels = agon_net_entries(net, layer) / points};
    f.channel_step = layer ? 1 : points;
    f.point_step = layer ? f.channels : 1;
    return f;
}

static int is_conv(const agon_net* net, int layer) {
    return layer >= 0 && layer < net->layers && net->kind[layer] == AGON_CONV;
}

/* The heads: layer = net->layers. */
static void add_linear(agon__gpu_net* n, const agon_net* net, int layer) {
    agon__gpu_linear* linear = &n->linear[n->layers++];
    const int in = agon_net_fan_in(net, layer), out = agon_net_fan_out(net, layer);
    linear->kind = layer < net->layers ? (int)net->kind[layer] : (int)AGON_DENSE;
    linear->points = agon_net_points(net, layer);
    linear->folds = is_conv(net, layer) || is_conv(net, layer - 1);
    if (linear->folds)
        linear->fold = fold_of(net, layer);
    linear->memory = n->memory;
    if (linear->kind == AGON_MINGRU)
        n->memory += net->hidden[layer];
    linear->in = in;
    linear->out = out;
    linear->stride = up_to(in, AGON__TILE_K) + 16 / agon__element(n->mode);
    linear->rows = up_to(out, AGON__TILE_N);
    linear->weight = n->bytes;
    linear->bias = linear->weight + (uint64_t)linear->rows * (uint64_t)linear->stride *
                                        (uint64_t)agon__element(n->mode);
    n->bytes = linear->bias + (uint64_t)linear->rows * sizeof(float);
    linear->from_weight = n->params;
    linear->from_bias = n->params + (uint64_t)in * (uint64_t)out;
    n->params = linear->from_bias + (uint64_t)out;
}

agon__gpu_net agon__gpu_net_of(const agon_net* net, int mode) {
    agon__gpu_net n = {.mode = mode,
                       .relu = net->activation == AGON_RELU,
                       .inputs = net->inputs,
                       .actions = net->actions};
    for (int i = 0; i <= net->layers; i++)
        add_linear(&n, net, i);
    agon__gpu_linear* head = &n.linear[net->layers];
    head->from_bias = head->from_weight + (uint64_t)head->in * (uint64_t)net->actions;
    n.from_value_weight = head->from_bias + (uint64_t)net->actions;
    n.from_value_bias = n.from_value_weight + (uint64_t)head->in;
    n.bytes = (n.bytes + 127) / 128 * 128;
    return n;
}

void agon__gpu_pack(const agon__gpu_net* net, const float* params, void* packed) {
    agon__block block = {.blocks = 1, .warps = 1};
    memset(packed, 0, net->bytes);
    const agon__pack_args args = {.net = *net, .count = 1, .params = params, .packed = packed};
    agon__kernel_pack(&block, &args);
}
