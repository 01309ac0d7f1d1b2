/* backend_cpu_forward.c: many nets forward, and the choice of actions. */
#include "agents/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void agon__load_input(const agon__kernel* kernel, const agon_input* input, const void* obs,
                      const agon__linear* first, const agon__plan* plan, int row) {
    if (input->type == AGON_U8) {
        kernel->list((const uint8_t*)obs, first->in, input->scale, &plan->in, row);
        return;
    }
    float* out = plan->x[0] + (ptrdiff_t)row * first->in_pad;
    memcpy(out, obs, (size_t)first->in * sizeof(float));
    memset(out + first->in, 0, (size_t)(first->in_pad - first->in) * sizeof(float));
}

static void sparse_layer(const agon__kernel* kernel, const agon__linear* linear,
                         const float* packed, int relu, const agon__plan* plan, int rows,
                         float* out) {
    const float* weight = packed + linear->packed;
    kernel->sparse(&(agon__sparse){
        .rows = rows,
        .cols = linear->out,
        .depth = linear->in,
        .in = plan->in,
        .b = weight,
        .bias = weight + (size_t)linear->in * (size_t)linear->out_pad,
        .relu = relu,
        .c = out,
        .c_row = linear->out_pad,
    });
}

static void dense_layer(const agon__kernel* kernel, const agon__linear* linear, const float* packed,
                        int relu, const float* in, int rows, float* out) {
    const float* weight = packed + linear->packed;
    kernel->product(&(agon__product){
        .rows = rows,
        .cols = linear->out,
        .depth = linear->in,
        .a = in,
        .a_row = linear->in_pad,
        .a_step = 1,
        .b = weight,
        .bias = weight + (size_t)linear->in * (size_t)linear->out_pad,
        .relu = relu,
        .c = out,
        .c_row = linear->out_pad,
    });
}

void agon__forward_block(const agon__kernel* kernel, const agon_net* net, const agon__shape* shape,
                         agon_dtype type, const float* packed, const agon__plan* plan, int rows) {
    for (int i = 0; i < shape->layers; i++) {
        const agon__linear* linear = &shape->linear[i];
        const int hidden = i + 1 < shape->layers, relu = hidden && net->activation == AGON_RELU;
        float* out = plan->x[i + 1];
        if (i == 0 && type == AGON_U8)
            sparse_layer(kernel, linear, packed, relu, plan, rows, out);
        else
            dense_layer(kernel, linear, packed, relu, plan->x[i], rows, out);
        if (hidden && net->activation == AGON_TANH)
            kernel->tanh(out, (size_t)rows * (size_t)linear->out_pad);
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

/* Heads of several small groups collect in one block before actions are chosen, sixteen rows at a
 * time: with one row per net that is the larger part of the choice's cost. */
void agon__cpu_forward(const agon_forward* call, agon_scratch* scratch) {
    const agon__shape shape = agon__shape_of(call->net);
    const agon__linear *first = &shape.linear[0], *head = &shape.linear[shape.layers - 1];
    const size_t obs_bytes =
        (size_t)call->net->inputs * (call->input.type == AGON_U8 ? 1 : sizeof(float));
    const agon__kernel* kernel = scratch->kernel;
    int held = 0; /* rows in the block of heads, ending at the current row */
    if (agon__scratch_fit(scratch, &shape, 0) != 0) {
        assert(!"out of memory: reserve scratch before forward");
        return;
    }
    const agon__plan plan = agon__plan_of(&shape, 0, scratch->block);
    for (int net = 0; net < call->nets; net++) {
        const int end = call->offsets[net + 1];
        for (int row = call->offsets[net], rows; row < end; row += rows) {
            rows = end - row < AGON__FORWARD_ROWS ? end - row : AGON__FORWARD_ROWS;
            if (held + rows > AGON__FORWARD_ROWS) {
                write_rows(kernel, call, &plan, row - held, held, head->out_pad);
                held = 0;
            }
            for (int r = 0; r < rows; r++)
                agon__load_input(kernel, &call->input,
                                 (const char*)call->obs + (size_t)(row + r) * obs_bytes, first,
                                 &plan, r);
            agon__plan block = plan;
            block.x[shape.layers] += (ptrdiff_t)held * head->out_pad;
            agon__forward_block(kernel, call->net, &shape, call->input.type,
                                (const float*)call->packed[net], &block, rows);
            held += rows;
        }
    }
    write_rows(kernel, call, &plan, call->offsets[call->nets] - held, held, head->out_pad);
}
