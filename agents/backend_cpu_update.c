/* backend_cpu_update.c: PPO's gradient and Adam's step, a block of rows at a time: forward, loss,
 * backward. Blocks follow each other in row order and each continues the sums of the one before, so
 * that the result is that of one pass over all rows. */
#include "agents/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* One update in progress. */
typedef struct task {
    agon__block block; /* the present one */
    agon_update* update;
    double policy_loss, value_loss, entropy, kl, clipped; /* sums over rows, in order */
} task;

/* ---- forward and loss --------------------------------------------------------------------- */

/* What an entry saw, asked for well before it is read: a minibatch jumps about. */
static void fetch_row(const agon_rectangle* data, uint32_t entry) {
    const char* obs = (const char*)data->obs + data->place[entry] * data->obs_bytes;
    for (size_t at = 0; at < data->obs_bytes; at += 64)
        __builtin_prefetch(obs + at);
    __builtin_prefetch(obs + data->obs_bytes - 1);
}

/* Memory before each row of the rectangle in the block, and where it is cleared. */
static void load_memory(const task* t, const uint32_t* index, int rows) {
    const agon_rectangle* data = t->update->data;
    const agon__plan* plan = t->block.plan;
    const size_t floats = (size_t)t->block.shape->memory;
    const uint32_t horizon = (uint32_t)data->horizon;
    for (int r = 0; r < rows; r++) {
        const uint32_t row = index[r] / horizon, entry = index[r] % horizon;
        assert(entry == (uint32_t)r % horizon && "whole rows, each in order");
        if (entry == 0)
            memcpy(plan->memory + (size_t)r / horizon * floats, data->memory + row * floats,
                   floats * sizeof(float));
        plan->last[r] = data->last[index[r]];
    }
}

static void load_rows(const task* t, const uint32_t* index, int rows) {
    const agon_rectangle* data = t->update->data;
    const agon__linear* first = &t->block.shape->linear[0];
    const int ahead = 8;
    for (int r = 0; r < rows; r++) {
        const void* obs = (const char*)data->obs + data->place[index[r]] * data->obs_bytes;
        if (r + ahead < rows)
            fetch_row(data, index[r + ahead]);
        agon__load_input(t->block.kernel, &data->input, obs, first, t->block.plan, r);
    }
    if (t->block.shape->memory)
        load_memory(t, index, rows);
}

/* Entries of the rectangle into lanes; lanes without one repeat the first. */
static void load_loss(const task* t, agon__loss* loss, const uint32_t* index, int rows,
                      const float* head, int stride) {
    const agon_rectangle* data = t->update->data;
    const float* logits[AGON__LANES];
    const uint64_t* mask[AGON__LANES];
    for (int lane = 0; lane < AGON__LANES; lane++) {
        const int r = lane < rows ? lane : 0;
        const size_t entry = index[r];
        logits[lane] = head + (ptrdiff_t)r * stride;
        mask[lane] = data->mask ? data->mask + data->place[entry] * (size_t)data->mask_words : NULL;
        loss->action[lane] = data->action[entry];
        loss->old_log_probability[lane] = data->log_probability[entry];
        loss->advantage[lane] = data->advantage[entry];
        loss->target[lane] = data->target[entry];
        loss->value[lane] = logits[lane][loss->actions];
        assert(loss->action[lane] < loss->actions);
    }
    t->block.kernel->gather(logits, mask, rows, loss->actions, loss->z);
}

/* Slopes replace the logits and the value they belong to; statistics add up. */
static void store_loss(task* t, const agon__loss* loss, int rows, float* head, int stride) {
    t->block.kernel->scatter(loss->z, rows, loss->actions, head, stride);
    for (int r = 0; r < rows; r++) {
        float* to = head + (ptrdiff_t)r * stride;
        to[loss->actions] = loss->value_slope[r];
        t->policy_loss += loss->policy_loss[r];
        t->value_loss += loss->value_loss[r];
        t->entropy += loss->entropy[r];
        t->kl += loss->kl[r];
        t->clipped += loss->moved[r] > loss->clip;
    }
}

static void loss_block(task* t, const uint32_t* index, int rows) {
    const agon_update* update = t->update;
    const agon__linear* last = &t->block.shape->linear[t->block.shape->layers - 1];
    float* head = t->block.plan->x[t->block.shape->layers];
    agon__loss loss = {
        .actions = last->out - 1,
        .clip = update->step.clip,
        .value_weight = update->step.value_weight,
        .entropy_weight = update->step.entropy_weight,
        .share = 1.0f / (float)update->count,
        .z = t->block.plan->z,
        .e = t->block.plan->e,
    };
    for (int r = 0; r < rows; r += AGON__LANES) {
        const int lanes = rows - r < AGON__LANES ? rows - r : AGON__LANES;
        float* at = head + (ptrdiff_t)r * last->out_pad;
        load_loss(t, &loss, index + r, lanes, at, last->out_pad);
        t->block.kernel->loss(&loss);
        store_loss(t, &loss, lanes, at, last->out_pad);
    }
}

/* ---- backward ----------------------------------------------------------------------------- */

/* Gradients of biases first .. first+count-1 of a layer. */
static void grow_bias(const task* t, const agon__linear* linear, int first, int count, int rows,
                      const float* dy, float* bias, int again) {
    if (!again)
        memset(bias, 0, (size_t)count * sizeof(float));
    t->block.kernel->add_rows(dy + first, rows, linear->out_pad, count, bias);
}

/* The first layer's weights, when its inputs are bytes: their gradient grows where the inputs are
 * not 0, and lies transposed until all rows have passed. */
static void grow_first(const task* t, int rows, const float* dy, int again) {
    const agon__linear* linear = &t->block.shape->linear[0];
    if (!again)
        memset(t->block.plan->first, 0,
               (size_t)linear->in * (size_t)linear->out_pad * sizeof(float));
    t->block.kernel->grow_sparse(&t->block.plan->in, rows, dy, linear->out_pad, linear->out,
                                 t->block.plan->first);
}

static void finish_first(const task* t) {
    const agon__linear* linear = &t->block.shape->linear[0];
    float* grads = t->update->learner->grads;
    const int heads = t->block.shape->layers == 1;
    for (int j = 0; j < linear->out; j++) {
        float* to = grads + linear->weight + (size_t)j * (size_t)linear->in;
        if (heads && j == linear->out - 1)
            to = grads + t->block.shape->value_weight;
        for (int k = 0; k < linear->in; k++)
            to[k] = t->block.plan->first[(size_t)k * (size_t)linear->out_pad + (size_t)j];
    }
}

/* Gradients of outputs first .. first+count-1 of a layer: weights (count, in) and biases (count).
 * dy (rows, out_pad): slopes of the layer's outputs. again: adds to what earlier blocks left. */
static void grow_grads(const task* t, int layer, int first, int count, int rows, const float* dy,
                       float* weight, float* bias, int again) {
    const agon__linear* linear = &t->block.shape->linear[layer];
    grow_bias(t, linear, first, count, rows, dy, bias, again);
    if (layer == 0 && t->update->data->input.type == AGON_U8)
        return; /* grow_first does it */
    t->block.kernel->product(&(agon__product){
        .rows = count,
        .cols = linear->in,
        .depth = rows,
        .a = dy + first,
        .a_row = 1,
        .a_step = linear->out_pad,
        .b = t->block.plan->x[layer],
        .b_step = linear->in_pad,
        .accumulate = again,
        .c = weight,
        .c_row = linear->in,
    });
}

/* dx (rows, in_pad) = slopes of outputs first.. times their weights (count, in). */
static void pass_slopes(const task* t, int layer, int first, int count, int rows, const float* dy,
                        const float* weight, float* dx, int again) {
    const agon__linear* linear = &t->block.shape->linear[layer];
    t->block.kernel->product(&(agon__product){
        .rows = rows,
        .cols = linear->in,
        .depth = count,
        .a = dy + first,
        .a_row = linear->out_pad,
        .a_step = 1,
        .b = weight,
        .b_step = linear->in,
        .accumulate = again,
        .c = dx,
        .c_row = linear->in_pad,
    });
}

/* Slopes of what a minGRU gives, dy, become those of its linear map, which are returned: back
 * through the time of each row of the rectangle. */
static const float* pass_cell(const task* t, int layer, int rows, float* dy) {
    const agon__linear* linear = &t->block.shape->linear[layer];
    const agon__plan* plan = t->block.plan;
    const int units = linear->out / 2, steps = t->block.steps;
    memset(plan->memory, 0, (size_t)(rows / steps) * (size_t)units * sizeof(float));
    t->block.kernel->cell_slope(&(agon__cell){
        .rows = rows,
        .steps = steps,
        .units = units,
        .recall = plan->recall[layer],
        .memory = plan->memory,
        .y = dy,
        .recall_row = linear->out_pad,
        .memory_row = units,
        .y_row = linear->y_row,
        .last = plan->last,
    });
    return plan->recall[layer];
}

/* Gradients of a layer's weights and biases. */
static void grow_layer(const task* t, int layer, int rows, const float* dy, int again) {
    const agon__shape* shape = t->block.shape;
    const agon__linear* linear = &shape->linear[layer];
    const int heads = layer == shape->layers - 1, count = linear->out - heads;
    float* grads = t->update->learner->grads;
    if (linear->kind == AGON_CONV) {
        agon__conv_grow(&t->block, layer, dy, grads + linear->weight, grads + linear->bias, again);
        return;
    }
    grow_grads(t, layer, 0, count, rows, dy, grads + linear->weight, grads + linear->bias, again);
    if (heads)
        grow_grads(t, layer, count, 1, rows, dy, grads + shape->value_weight,
                   grads + shape->value_bias, again);
    if (layer == 0 && t->update->data->input.type == AGON_U8)
        grow_first(t, rows, dy, again);
}

/* Slopes of a layer's inputs. */
static void pass_layer(const task* t, int layer, int rows, const float* dy, float* dx) {
    const agon__shape* shape = t->block.shape;
    const agon__linear* linear = &shape->linear[layer];
    const int heads = layer == shape->layers - 1, count = linear->out - heads;
    const float* params = t->update->learner->params;
    if (linear->kind == AGON_CONV) {
        agon__conv_pass(&t->block, layer, dy, params + linear->weight, dx);
        return;
    }
    pass_slopes(t, layer, 0, count, rows, dy, params + linear->weight, dx, 0);
    if (heads)
        pass_slopes(t, layer, count, 1, rows, dy, params + shape->value_weight, dx, 1);
}

/* The inputs need no slopes, so the first layer passes none. */
static void backward_block(const task* t, int rows, int again) {
    const agon__shape* shape = t->block.shape;
    const agon__plan* plan = t->block.plan;
    const float* dy = plan->x[shape->layers];
    for (int i = shape->layers - 1;; i--) {
        float* dx = plan->slope[i & 1];
        grow_layer(t, i, rows, dy, again);
        if (i == 0)
            return;
        pass_layer(t, i, rows, dy, dx);
        dy = dx;
        if (shape->linear[i - 1].kind == AGON_MINGRU)
            dy = pass_cell(t, i - 1, rows, dx);
        else
            t->block.kernel->slope(t->block.net->activation, plan->x[i], dx,
                                   (size_t)rows * (size_t)shape->linear[i].x_row);
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void fill_stats(const task* t) {
    agon_update* update = t->update;
    const double count = update->count;
    update->stats = (agon_update_stats){
        .policy_loss = t->policy_loss / count,
        .value_loss = t->value_loss / count,
        .entropy = t->entropy / count,
        .kl = t->kl / count,
        .clipped = t->clipped / count,
        .grad_norm = sqrt(
            t->block.kernel->squares(update->learner->grads, agon_net_size(&update->learner->net))),
    };
}

/* Entries of a block. Those of a net with memory are whole rows of the rectangle, at least one. */
static int block_entries(const agon__shape* shape, int horizon) {
    const int most = agon__block_rows(shape, 1);
    if (!shape->memory)
        return most;
    return most > horizon ? most / horizon * horizon : horizon;
}

void agon__cpu_gradient(agon_update* update, agon_scratch* scratch) {
    const agon_net* net = &update->learner->net;
    const int horizon = update->data->horizon, whole = agon_net_memory(net) ? horizon : 1;
    assert(update->count > 0 && update->count % whole == 0);
    if (agon__scratch_fit(scratch, net, 1, whole) != 0) {
        assert(!"out of memory: reserve scratch before an update");
        return;
    }
    const agon__shape* shape = &scratch->shape;
    const int most = block_entries(shape, horizon);
    task t = {.update = update,
              .block = {.kernel = scratch->kernel,
                        .net = net,
                        .shape = shape,
                        .plan = &scratch->plan,
                        .type = update->data->input.type,
                        .packed = (const float*)update->learner->packed,
                        .memory = scratch->plan.memory,
                        .steps = horizon,
                        .last = scratch->plan.last}};
    for (int at = 0; at < update->count; at += most) {
        const int left = update->count - at, rows = left < most ? left : most;
        t.block.rows = rows;
        load_rows(&t, update->index + at, rows);
        agon__forward_block(&t.block);
        loss_block(&t, update->index + at, rows);
        backward_block(&t, rows, at > 0);
    }
    if (t.block.type == AGON_U8 && shape->linear[0].kind != AGON_CONV)
        finish_first(&t);
    fill_stats(&t);
}

static void adam_step(agon_update* update, const agon__kernel* kernel) {
    agon_learner* learner = update->learner;
    const agon_ppo_step* step = &update->step;
    const double norm = update->stats.grad_norm, limit = step->max_grad_norm;
    learner->beta1_power *= (double)step->beta1;
    learner->beta2_power *= (double)step->beta2;
    learner->updates++;
    kernel->adam(&(agon__adam){
        .count = agon_net_size(&learner->net),
        .params = learner->params,
        .moment1 = learner->moment1,
        .moment2 = learner->moment2,
        .grads = learner->grads,
        .scale = limit > 0.0 && norm > limit ? (float)(limit / norm) : 1.0f,
        .rate = step->learning_rate,
        .beta1 = step->beta1,
        .beta2 = step->beta2,
        .epsilon = step->epsilon,
        .correct1 = (float)(1.0 / (1.0 - learner->beta1_power)),
        .correct2 = (float)(1.0 / (1.0 - learner->beta2_power)),
    });
    agon__pack(&learner->net, learner->params, learner->packed);
}

void agon__cpu_update(agon_update* updates, int count, agon_scratch* scratch) {
    for (int i = 0; i < count; i++) {
        agon__cpu_gradient(&updates[i], scratch);
        adam_step(&updates[i], scratch->kernel);
    }
}
