/* forward_plan.c: how a forward is cut. */
#include "cuda/forward_plan.h"

#include "agents/net.h"
#include "cuda/choose_kernel.h"
#include "cuda/forward_conv.h"

#include <assert.h>

enum {
    MOST_ROWS = 64,
    BUSY = 4,         /* warps at least that have a strip of a layer to compute */
    WIDE_COLS = 128,  /* outputs of a tile of the wide path, at most */
    WIDE_DEPTH = 128, /* inputs that it stages together, at most */
    FEW_ROWS = AGON__FORWARD_WARPS * AGON__WARP, /* of a tile of the choice: a lane each */
    MANY_ROWS = AGON__FORWARD_WARPS * 4,         /* a warp each */
    SIDE_BY_SIDE = 2,                            /* blocks on a processor: registers for no more */
    KEPT = 1024 /* bytes that the system takes of each block's shared memory */
};

static size_t up_to(size_t x, size_t multiple) {
    return (x + multiple - 1) / multiple * multiple;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Half of what a block may have, where that still is a lot. */
static size_t half_of(size_t shared) {
    return shared >= 128 * 1024 ? (shared - KEPT) / 2 : shared;
}

/* Bytes of one row of the activations in array 0 or 1: inputs of every second layer. */
static size_t row_bytes(const agon__gpu_net* net, int which) {
    int widest = 0;
    for (int i = which; i < net->layers; i += 2)
        widest = net->linear[i].stride > widest ? net->linear[i].stride : widest;
    return (size_t)widest * (size_t)agon__element(net->mode);
}

static bool has(const agon__gpu_net* net, agon_layer_kind kind) {
    for (int i = 0; i < net->layers; i++)
        if (net->linear[i].kind == (int)kind)
            return true;
    return false;
}

/* Floats of a row of logits and value, and of what waits there before: outputs of a minGRU. */
static int z_row(const agon__gpu_net* net) {
    int most = net->linear[net->layers - 1].rows;
    for (int i = 0; i < net->layers; i++)
        if (net->linear[i].kind == AGON_MINGRU && net->linear[i].rows > most)
            most = net->linear[i].rows;
    return most;
}

/* ---- fused -------------------------------------------------------------------------------- */

/* Are there enough strips in each part of each layer for the block's warps? */
static bool keeps_busy(const agon__gpu_net* net, const agon__forward_cut* cut) {
    for (int i = 0; i < net->layers; i++) {
        const agon__gpu_linear* linear = &net->linear[i];
        const size_t row = (size_t)linear->stride * (size_t)agon__element(net->mode);
        const size_t tiles = (size_t)cut->room / (row * AGON__TILE_N);
        if (tiles < (size_t)(linear->rows / AGON__TILE_N) &&
            tiles * (size_t)(cut->rows / AGON__TILE_M) < BUSY)
            return false;
    }
    return true;
}

/* Bytes of the weights of the largest layer: more room is of no use to a net in parts. */
static size_t widest_layer(const agon__gpu_net* net) {
    size_t widest = 0;
    for (int i = 0; i < net->layers; i++) {
        const size_t all = (size_t)net->linear[i].rows * (size_t)net->linear[i].stride *
                           (size_t)agon__element(net->mode);
        widest = all > widest ? all : widest;
    }
    return widest;
}

/* With logits in shared memory, or in scratch; rows 0: it does not fit. */
static agon__forward_cut fused_cut(const agon__gpu_net* net, size_t shared, int rows, int resident,
                                   int z_shared) {
    /* An odd stride: lanes that have a row each read from different banks. */
    agon__forward_cut cut = {
        .rows = rows, .resident = resident, .z_stride = z_row(net) + z_shared, .z = -1};
    size_t at = AGON__WALK_SHARED;
    for (int i = 0; i < 2; at += (size_t)rows * row_bytes(net, i++))
        cut.x[i] = (int)at;
    if (z_shared) {
        cut.z = (int)at;
        at = up_to(at + (size_t)rows * (size_t)cut.z_stride * sizeof(float), 128);
    }
    cut.weights = (int)at;
    if (at >= shared || (resident && net->bytes > shared - at))
        return (agon__forward_cut){0};
    const size_t wanted = resident ? net->bytes : widest_layer(net), left = shared - at;
    cut.room = (int)(wanted < left ? wanted : left);
    cut.shared = (int)(at + (size_t)cut.room);
    return resident || keeps_busy(net, &cut) ? cut : (agon__forward_cut){0};
}

/* A net in parts first gets half of a large GPU's shared memory: then one of two blocks can stage
 * while the other computes. */
agon__forward_cut agon__forward_cut_fused(const agon__gpu_net* net, size_t shared, int rows,
                                          int resident) {
    agon__forward_cut cut = {0};
    if (has(net, AGON_CONV))
        return cut;
    for (; rows >= AGON__TILE_M && cut.rows == 0; rows /= 2)
        for (int half = !resident; half >= 0 && cut.rows == 0; half--)
            for (int z_shared = 1; z_shared >= 0 && cut.rows == 0; z_shared--)
                cut = fused_cut(net, half ? half_of(shared) : shared, rows, resident, z_shared);
    return cut;
}

agon__forward_cut agon__forward_choose_cut(const agon__gpu_net* net, size_t shared, int rows) {
    const agon__forward_cut resident = agon__forward_cut_fused(net, shared, rows, 1);
    return resident.rows ? resident : agon__forward_cut_fused(net, shared, rows, 0);
}

/* ---- wide --------------------------------------------------------------------------------- */

static int wide_shared(const agon__gpu_net* net, agon__forward_cut* cut) {
    const size_t element = (size_t)agon__element(net->mode);
    const size_t row = (size_t)cut->depth * element + 16;
    const int conv = net->linear[cut->layer].kind == AGON_CONV;
    cut->x[1] = conv ? AGON__WALK_SHARED : 0;
    cut->x[0] = AGON__WALK_SHARED + conv * cut->rows * (int)sizeof(agon__conv_row);
    cut->weights = cut->x[0] + cut->rows * (int)row;
    cut->z = cut->weights + cut->cols * (int)row;
    return cut->z + cut->rows * cut->cols * (int)sizeof(float);
}

agon__forward_cut agon__forward_cut_wide(const agon__gpu_net* net, size_t shared, int rows,
                                         int layer) {
    const agon__gpu_linear* linear = &net->linear[layer];
    const size_t limit = half_of(shared);
    agon__forward_cut cut = {.rows = rows, .layer = layer, .depth = WIDE_DEPTH, .cols = WIDE_COLS};
    cut.z_stride = net->linear[net->layers - 1].rows;
    cut.depth = least(cut.depth, (int)up_to((size_t)linear->in, AGON__TILE_K));
    /* A minGRU's tile has its units' c and g. */
    const int each = linear->kind == AGON_MINGRU ? 2 : 1;
    cut.cols = least(cut.cols, (int)up_to((size_t)(linear->out / each), AGON__TILE_N) * each);
    while ((size_t)(cut.shared = wide_shared(net, &cut)) > limit) {
        if (cut.depth > WIDE_DEPTH / 2)
            cut.depth = WIDE_DEPTH / 2;
        else
            cut.cols = cut.cols / 2 / (each * AGON__TILE_N) * (each * AGON__TILE_N);
        assert(cut.cols >= each * AGON__TILE_N);
    }
    return cut;
}

/* Bytes of one of the two arrays of activations in scratch. */
static size_t wide_array(const agon__gpu_net* net, int slots, int which) {
    size_t row = 0;
    for (int i = 1 + which; i < net->layers; i += 2)
        if ((size_t)agon__forward_row(&net->linear[i]) > row)
            row = (size_t)agon__forward_row(&net->linear[i]);
    return up_to(row * (size_t)agon__element(net->mode) * (size_t)slots, 256);
}

/* ---- scratch ------------------------------------------------------------------------------ */

static size_t wide_scratch(const agon__gpu_net* net, int slots) {
    const size_t z = (size_t)slots * (size_t)net->linear[net->layers - 1].rows * sizeof(float);
    return z + wide_array(net, slots, 0) + wide_array(net, slots, 1);
}

/* Slots that a pass of the wide path may have at most. */
static int pass_most(const agon__forward_machine* machine, const agon__gpu_net* net, int slots) {
    const size_t fit = machine->room / wide_scratch(net, 1);
    if (fit >= (size_t)slots || (!has(net, AGON_CONV) && !has(net, AGON_MINGRU)))
        return slots;
    return fit > 1 ? (int)fit : 1;
}

size_t agon__forward_scratch_of(const agon__forward_machine* machine, const agon__gpu_net* net,
                                int slots) {
    const size_t wide = wide_scratch(net, pass_most(machine, net, slots));
    size_t most = 0;
    for (int rows = AGON__TILE_M; rows <= MOST_ROWS; rows *= 2) {
        const agon__forward_cut cut = agon__forward_choose_cut(net, machine->shared, rows);
        const size_t z = (size_t)slots * (size_t)cut.z_stride * sizeof(float);
        const size_t bytes = cut.rows == 0 ? wide : cut.z >= 0 ? 0 : z;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* ---- launches ----------------------------------------------------------------------------- */

/* Blocks that stay until all is done: as many as fit side by side, or as there are items. */
static int blocks_of(const agon__forward_machine* machine, int64_t all, int groups, int rows,
                     int times, int shared) {
    const size_t fit = (machine->shared + KEPT) / ((size_t)shared + KEPT);
    const int64_t most =
        (int64_t)machine->processors * (fit < SIDE_BY_SIDE ? (int)fit : SIDE_BY_SIDE);
    const int64_t items = (all / rows + groups) * times;
    return (int)(items < most ? items : most);
}

static agon__forward_launch* add(agon__forward_plan* plan, const agon__gpu_forward* call,
                                 const char* name, const agon__forward_cut* cut, int shared,
                                 int blocks) {
    agon__forward_launch* launch = &plan->launch[plan->count++];
    *launch = (agon__forward_launch){.name = name,
                                     .blocks = blocks,
                                     .warps = AGON__FORWARD_WARPS,
                                     .shared = (size_t)shared,
                                     .args = {.call = *call, .cut = *cut}};
    return launch;
}

/* Tiles as large as the groups, but enough of them for all processors. */
static int rows_of(const agon__forward_machine* machine, int64_t most, int64_t all) {
    int rows = MOST_ROWS;
    while (rows > AGON__TILE_M && (most <= rows / 2 || all / rows < machine->processors))
        rows /= 2;
    return rows;
}

/* One layer; its rows are those of the plan's passes. */
static agon__forward_launch* add_layer(const agon__forward_machine* machine,
                                       const agon__gpu_forward* call, int layer, int rows,
                                       agon__forward_plan* plan) {
    static const char* const names[][3] = {
        [AGON_DENSE] = {"forward_layer_fp32", "forward_layer_tf32", "forward_layer_bf16"},
        [AGON_CONV] = {"forward_conv_fp32", "forward_conv_tf32", "forward_conv_bf16"},
        [AGON_MINGRU] = {"forward_cell_fp32", "forward_cell_tf32", "forward_cell_bf16"}};
    const agon__gpu_net* net = &call->net;
    const agon__gpu_linear* linear = &net->linear[layer];
    const int64_t points = linear->points, all = plan->slots * points;
    if (rows == 0)
        rows = rows_of(machine, call->most * points, all);
    const agon__forward_cut cut = agon__forward_cut_wide(net, machine->shared, rows, layer);
    const int outputs = linear->kind == AGON_MINGRU ? linear->out : linear->rows;
    const int times = (outputs + cut.cols - 1) / cut.cols;
    return add(plan, call, names[linear->kind][net->mode], &cut, cut.shared,
               blocks_of(machine, all, call->groups, rows, times, cut.shared));
}

static void add_layers(const agon__forward_machine* machine, const agon__gpu_forward* call,
                       int rows, agon__forward_plan* plan) {
    const agon__gpu_net* net = &call->net;
    char* array[2] = {call->scratch};
    array[1] = array[0] + wide_array(net, plan->slots, 0);
    float* z = (float*)(array[1] + wide_array(net, plan->slots, 1));
    for (int i = 0; i < net->layers; i++) {
        agon__forward_launch* launch = add_layer(machine, call, i, rows, plan);
        launch->args.in = i > 0 ? array[(i - 1) & 1] : NULL;
        launch->args.out = i + 1 < net->layers ? array[i & 1] : NULL;
        launch->args.z = z;
    }
    const agon__forward_cut cut = {.rows = net->actions <= AGON__CHOOSE_FEW ? FEW_ROWS : MANY_ROWS,
                                   .z_stride = net->linear[net->layers - 1].rows};
    add(plan, call, "choose", &cut, AGON__WALK_SHARED,
        blocks_of(machine, plan->slots, call->groups, cut.rows, 1, AGON__WALK_SHARED))
        ->args.z = z;
}

/* Slots are shared out evenly. */
static void set_passes(agon__forward_plan* plan, int slots, int most) {
    plan->passes = slots > most ? (slots + most - 1) / most : 1;
    plan->slots = (slots + plan->passes - 1) / plan->passes;
}

void agon__forward_plan_cut(const agon__forward_machine* machine, const agon__gpu_forward* call,
                            const agon__forward_cut* fused, int rows, agon__forward_plan* out) {
    static const char* const names[][3] = {
        {"forward_fp32", "forward_tf32", "forward_bf16"},
        {"forward_cells_fp32", "forward_cells_tf32", "forward_cells_bf16"}};
    out->count = 0;
    if (fused->rows == 0) {
        set_passes(out, call->slots, pass_most(machine, &call->net, call->slots));
        add_layers(machine, call, rows, out);
        return;
    }
    set_passes(out, call->slots, call->slots);
    const int blocks = blocks_of(machine, call->slots, call->groups, fused->rows, 1, fused->shared);
    const char* name = names[has(&call->net, AGON_MINGRU)][call->net.mode];
    add(out, call, name, fused, fused->shared, blocks)->args.z =
        fused->z < 0 ? call->scratch : NULL;
}

void agon__forward_plan_of(const agon__forward_machine* machine, const agon__gpu_forward* call,
                           agon__forward_plan* out) {
    const int rows = rows_of(machine, call->most, call->slots);
    const agon__forward_cut cut = agon__forward_choose_cut(&call->net, machine->shared, rows);
    agon__forward_plan_cut(machine, call, &cut, 0, out);
}

void agon__forward_plan_pass(agon__forward_plan* plan, int pass) {
    for (int i = 0; i < plan->count && plan->passes > 1; i++) {
        plan->launch[i].args.from = pass * plan->slots;
        plan->launch[i].args.to = (pass + 1) * plan->slots;
    }
}
