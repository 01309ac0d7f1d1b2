/* layout.c: how a net lies in the memory of a GPU. */
#include "cuda/layout.h"

#include "agents/net.h"
#include "cuda/pack_kernel.h"

static int up_to(int x, int multiple) {
    return (x + multiple - 1) / multiple * multiple;
}

static void add_linear(agon__gpu_net* n, int in, int out, uint64_t* params) {
    agon__gpu_linear* linear = &n->linear[n->layers++];
    linear->in = in;
    linear->out = out;
    linear->stride = up_to(in, AGON__TILE_K) + 16 / agon__element(n->mode);
    linear->rows = up_to(out, AGON__TILE_N);
    linear->weight = n->bytes;
    linear->bias = linear->weight + (uint64_t)linear->rows * (uint64_t)linear->stride *
                                        (uint64_t)agon__element(n->mode);
    n->bytes = linear->bias + (uint64_t)linear->rows * sizeof(float);
    linear->from_weight = *params;
    linear->from_bias = *params + (uint64_t)in * (uint64_t)out;
    *params = linear->from_bias + (uint64_t)out;
}

agon__gpu_net agon__gpu_net_of(const agon_net* net, int mode) {
    agon__gpu_net n = {.mode = mode,
                       .relu = net->activation == AGON_RELU,
                       .inputs = net->inputs,
                       .actions = net->actions};
    int in = net->inputs;
    for (int i = 0; i < net->layers; in = net->hidden[i++])
        add_linear(&n, in, net->hidden[i], &n.params);
    agon__gpu_linear* head = &n.linear[net->layers];
    add_linear(&n, in, net->actions + 1, &n.params);
    head->from_bias = head->from_weight + (uint64_t)in * (uint64_t)net->actions;
    n.from_value_weight = head->from_bias + (uint64_t)net->actions;
    n.from_value_bias = n.from_value_weight + (uint64_t)in;
    n.bytes = (n.bytes + 127) / 128 * 128;
    return n;
}

void agon__gpu_pack(const agon__gpu_net* net, const float* params, void* packed) {
    agon__block block = {.blocks = 1, .warps = 1};
    memset(packed, 0, net->bytes);
    const agon__pack_args args = {.net = *net, .count = 1, .params = params, .packed = packed};
    agon__kernel_pack(&block, &args);
}
