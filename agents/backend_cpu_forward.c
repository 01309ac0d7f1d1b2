/* backend_cpu_forward.c: many nets forward, and the choice of actions. */
#include "agents/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void agon__load_input(const agon__kernel* kernel, const agon_input* input, const void* obs,
                      const agon__linear* first, const agon__plan* plan, int row) {
    if (first->kind == AGON_CONV) {
        agon__conv_load(input, obs, first, plan->x[0] + (ptrdiff_t)row * first->x_row);
        return;
    }
    if (input->type == AGON_U8) {
        kernel->list((const uint8_t*)obs, first->in, input->scale, &plan->in, row);
        return;
    }
    float* out = plan->x[0] + (ptrdiff_t)row * first->in_pad;
    memcpy(out, obs, (size_t)first->in * sizeof(float));
    memset(out + first->in, 0, (size_t)(first->in_pad - first->in) * sizeof(float));
}

static void sparse_layer(const agon__block* block, int relu, float* out) {
    const agon__linear* linear = &block->shape->linear[0];
    const float* weight = block->packed + linear->packed;
    block->kernel->sparse(&(agon__sparse){
        .rows = block->rows,
        .cols = linear->out,
        .depth = linear->in,
        .in = block->plan->in,
        .b = weight,
        .bias = weight + (size_t)linear->in * (size_t)linear->out_pad,
        .relu = relu,
        .c = out,
        .c_row = linear->out_pad,
    });
}

static void dense_layer(const agon__block* block, int layer, int relu, float* out) {
    const agon__linear* linear = &block->shape->linear[layer];
    const float* weight = block->packed + linear->packed;
    if (layer == 0 && block->type == AGON_U8) {
        sparse_layer(block, relu, out);
        return;
    }
    block->kernel->product(&(agon__product){
        .rows = block->rows,
        .cols = linear->out,
        .depth = linear->in,
        .a = block->plan->x[layer],
        .a_row = linear->in_pad,
        .a_step = 1,
        .b = weight,
        .bias = weight + (size_t)linear->in * (size_t)linear->out_pad,
        .relu = relu,
        .c = out,
        .c_row = linear->out_pad,
    });
}

/* remembered: floats before this layer's own in a row's memory; returns those before the next's. */
static int recurrent_layer(const agon__block* block, int layer, int remembered) {
    const agon__linear* linear = &block->shape->linear[layer];
    dense_layer(block, layer, 0, block->plan->recall[layer]);
    block->kernel->cell(&(agon__cell){
        .rows = block->rows,
        .steps = block->steps,
        .units = linear->out / 2,
        .recall = block->plan->recall[layer],
        .memory = block->memory + remembered,
        .y = block->plan->x[layer + 1],
        .recall_row = linear->out_pad,
        .memory_row = block->shape->memory,
        .y_row = linear->y_row,
        .last = block->last,
    });
    return remembered + linear->out / 2;
}

void agon__forward_block(const agon__block* block) {
    const int layers = block->shape->layers;
    int remembered = 0;
    for (int i = 0; i < layers; i++) {
        const agon__linear* linear = &block->shape->linear[i];
        const int bends = i + 1 < layers && linear->kind != AGON_MINGRU;
        const int relu = bends && block->net->activation == AGON_RELU;
        float* out = block->plan->x[i + 1];
        if (linear->kind == AGON_MINGRU)
            remembered = recurrent_layer(block, i, remembered);
        else if (linear->kind == AGON_CONV)
            agon__conv_forward(block, i, relu);
        else
            dense_layer(block, i, relu, out);
        if (bends && !relu)
            block->kernel->tanh(out, (size_t)block->rows * (size_t)linear->y_row);
    }
}

/* ---- choice ------------------------------------------------------------------------------- */

static float lowest_legal(const uint64_t* mask, int actions) {
    for (int word = 0; mask && word < (actions + 63) / 64; word++)
        if (mask[word])
            return (float)(word * 64 + __builtin_ctzll(mask[word]));
    assert(!mask && "a row needs a legal action");
    return 0.0f;
}

static void write_choice(const agon_forward* call, const agon__choice* choice, int row, int lane) {
    const int actions = choice->actions, action = (int)choice->action[lane];
    if (call->action)
        call->action[row] = (uint16_t)action;
    if (call->log_probability)
        call->log_probability[row] = choice->log_probability[lane];
    if (!call->probability)
        return;
    float* out = call->probability + (size_t)row * (size_t)actions;
    for (int a = 0; a < actions; a++)
        out[a] = choice->temperature > 0.0f ? choice->e[a * AGON__LANES + lane]
                                            : (a == action ? 1.0f : 0.0f);
}

/* Up to sixteen rows from `row` on, whose heads (logits, value) lie at `head`. */
static void choose_rows(const agon__kernel* kernel, const agon_forward* call, agon__choice* choice,
                        float* z, int row, int rows, const float* head, int stride) {
    const int words = (choice->actions + 63) / 64;
    const float* logits[AGON__LANES];
    const uint64_t* mask[AGON__LANES];
    for (int r = 0; r < rows; r++) {
        logits[r] = head + (ptrdiff_t)r * stride;
        mask[r] = call->mask ? call->mask + (size_t)(row + r) * (size_t)words : NULL;
        choice->lowest[r] = lowest_legal(mask[r], choice->actions);
        choice->uniform[r] = call->uniform ? call->uniform[row + r] : 0.0f;
    }
    kernel->gather(logits, mask, rows, choice->actions, z);
    kernel->choose(choice);
    for (int r = 0; r < rows; r++)
        write_choice(call, choice, row + r, r);
}

/* `rows` rows from `row` on, computed and lying at `head`, go where the caller wants them. */
static void write_rows(const agon__kernel* kernel, const agon_forward* call, const agon__plan* plan,
                       int row, int rows, int stride) {
    const int actions = call->net->actions;
    const float* head = plan->x[call->net->layers + 1];
    for (int r = 0; r < rows; r++) {
        const float* from = head + (ptrdiff_t)r * stride;
        if (call->logits)
            memcpy(call->logits + (size_t)(row + r) * (size_t)actions, from,
                   (size_t)actions * sizeof(float));
        if (call->value)
            call->value[row + r] = from[actions];
    }
    if (!call->action && !call->probability && !call->log_probability)
        return;
    agon__choice choice = {
        .actions = actions,
        .temperature = call->temperature,
        .probabilities = call->probability != NULL,
        .log_wanted = call->log_probability != NULL,
        .z = plan->z,
        .e = plan->e,
    };
    const agon_phase before = agon_profile_enter(call->profile, AGON_PHASE_SAMPLE);
    for (int r = 0; r < rows; r += AGON__LANES)
        choose_rows(kernel, call, &choice, plan->z, row + r,
                    rows - r < AGON__LANES ? rows - r : AGON__LANES, head + (ptrdiff_t)r * stride,
                    stride);
    agon_profile_enter(call->profile, before);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* Rows row .. row+rows-1 of one net; their heads go to where the plan of the block has them. */
static void pass_rows(const agon_forward* call, agon__block* block, int net, int row, int rows) {
    const size_t obs_bytes =
        (size_t)call->net->inputs * (call->input.type == AGON_U8 ? 1 : sizeof(float));
    for (int r = 0; r < rows; r++)
        agon__load_input(block->kernel, &call->input,
                         (const char*)call->obs + (size_t)(row + r) * obs_bytes,
                         &block->shape->linear[0], block->plan, r);
    block->packed = (const float*)call->packed[net];
    block->rows = rows;
    if (block->shape->memory)
        block->memory = call->memory + (size_t)row * (size_t)block->shape->memory;
    agon__forward_block(block);
}

/* Heads of several small groups collect in one block before actions are chosen, sixteen rows at a
 * time: with one row per net that is the larger part of the choice's cost. */
void agon__cpu_forward(const agon_forward* call, agon_scratch* scratch) {
    const agon__kernel* kernel = scratch->kernel;
    const agon__shape* shape = &scratch->shape;
    if (agon__scratch_fit(scratch, call->net, 0, 0) != 0) {
        assert(!"out of memory: reserve scratch before forward");
        return;
    }
    const int most = agon__block_rows(shape, 0), stride = shape->linear[shape->layers - 1].out_pad;
    const agon__plan* plan = &scratch->plan;
    agon__plan own = *plan; /* whose heads lie behind those that are held */
    agon__block block = {.kernel = kernel,
                         .net = call->net,
                         .shape = shape,
                         .plan = &own,
                         .type = call->input.type,
                         .steps = 1};
    int held = 0; /* rows in the block of heads, ending at the current row */
    assert(!shape->memory || call->memory);
    for (int net = 0; net < call->nets; net++) {
        const int end = call->offsets[net + 1];
        for (int row = call->offsets[net], rows; row < end; row += rows) {
            rows = end - row < most ? end - row : most;
            if (held + rows > most) {
                write_rows(kernel, call, plan, row - held, held, stride);
                held = 0;
            }
            own.x[shape->layers] = plan->x[shape->layers] + (ptrdiff_t)held * stride;
            pass_rows(call, &block, net, row, rows);
            held += rows;
        }
    }
    write_rows(kernel, call, plan, call->offsets[call->nets] - held, held, stride);
}
