/* backend_cpu_update.c: PPO's gradient and Adam's step, a block of rows at a time: forward, loss,
 * backward. Blocks follow each other in row order and each continues the sums of the one before, so
 * that the result is that of one pass over all rows. */
#include "agents/backend_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* One update in progress. */
typedef struct task {
    const agon__kernel* kernel;
    const agon__shape* shape;
    const agon__plan* plan;
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

static void load_rows(const task* t, const uint32_t* index, int rows) {
    const agon_rectangle* data = t->update->data;
    const agon__linear* first = &t->shape->linear[0];
    const int ahead = 8;
    for (int r = 0; r < rows; r++) {
        const void* obs = (const char*)data->obs + data->place[index[r]] * data->obs_bytes;
        if (r + ahead < rows)
            fetch_row(data, index[r + ahead]);
        agon__load_input(t->kernel, &data->input, obs, first, t->plan, r);
    }
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
    t->kernel->gather(logits, mask, rows, loss->actions, loss->z);
}

/* Slopes replace the logits and the value they belong to; statistics add up. */
static void store_loss(task* t, const agon__loss* loss, int rows, float* head, int stride) {
    t->kernel->scatter(loss->z, rows, loss->actions, head, stride);
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
    const agon__linear* last = &t->shape->linear[t->shape->layers - 1];
    float* head = t->plan->x[t->shape->layers];
    agon__loss loss = {
        .actions = last->out - 1,
        .clip = update->step.clip,
        .value_weight = update->step.value_weight,
        .entropy_weight = update->step.entropy_weight,
        .share = 1.0f / (float)update->count,
        .z = t->plan->z,
        .e = t->plan->e,
    };
    for (int r = 0; r < rows; r += AGON__LANES) {
        const int lanes = rows - r < AGON__LANES ? rows - r : AGON__LANES;
        float* at = head + (ptrdiff_t)r * last->out_pad;
        load_loss(t, &loss, index + r, lanes, at, last->out_pad);
        t->kernel->loss(&loss);
        store_loss(t, &loss, lanes, at, last->out_pad);
    }
}

/* ---- backward ----------------------------------------------------------------------------- */

/* Gradients of biases first .. first+count-1 of a layer. */
static void grow_bias(const task* t, const agon__linear* linear, int first, int count, int rows,
                      const float* dy, float* bias, int again) {
    if (!again)
        memset(bias, 0, (size_t)count * sizeof(float));
    t->kernel->add_rows(dy + first, rows, linear->out_pad, count, bias);
}

/* The first layer's weights, when its inputs are bytes: their gradient grows where the inputs are
 * not 0, and lies transposed until all rows have passed. */
static void grow_first(const task* t, int rows, const float* dy, int again) {
    const agon__linear* linear = &t->shape->linear[0];
    if (!again)
        memset(t->plan->first, 0, (size_t)linear->in * (size_t)linear->out_pad * sizeof(float));
    t->kernel->grow_sparse(&t->plan->in, rows, dy, linear->out_pad, linear->out, t->plan->first);
}

static void finish_first(const task* t) {
    const agon__linear* linear = &t->shape->linear[0];
    float* grads = t->update->learner->grads;
    const int heads = t->shape->layers == 1;
    for (int j = 0; j < linear->out; j++) {
        float* to = grads + linear->weight + (size_t)j * (size_t)linear->in;
        if (heads && j == linear->out - 1)
            to = grads + t->shape->value_weight;
        for (int k = 0; k < linear->in; k++)
            to[k] = t->plan->first[(size_t)k * (size_t)linear->out_pad + (size_t)j];
    }
}

/* Gradients of outputs first .. first+count-1 of a layer: weights (count, in) and biases (count).
 * dy (rows, out_pad): slopes of the layer's outputs. again: adds to what earlier blocks left. */
static void grow_grads(const task* t, int layer, int first, int count, int rows, const float* dy,
                       float* weight, float* bias, int again) {
    const agon__linear* linear = &t->shape->linear[layer];
    grow_bias(t, linear, first, count, rows, dy, bias, again);
    if (layer == 0 && t->update->data->input.type == AGON_U8)
        return; /* grow_first does it */
    t->kernel->product(&(agon__product){
        .rows = count,
        .cols = linear->in,
        .depth = rows,
        .a = dy + first,
        .a_row = 1,
        .a_step = linear->out_pad,
        .b = t->plan->x[layer],
        .b_step = linear->in_pad,
        .accumulate = again,
        .c = weight,
        .c_row = linear->in,
    });
}

/* dx (rows, in_pad) = slopes of outputs first.. times their weights (count, in). */
static void pass_slopes(const task* t, int layer, int first, int count, int rows, const float* dy,
                        const float* weight, float* dx, int again) {
    const agon__linear* linear = &t->shape->linear[layer];
    t->kernel->product(&(agon__product){
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

/* The inputs need no slopes, so the first layer passes none. */
static void backward_block(const task* t, int rows, int again) {
    const agon_learner* learner = t->update->learner;
    const agon__shape* shape = t->shape;
    const int last = shape->layers - 1, actions = shape->linear[last].out - 1;
    const float* dy = t->plan->x[shape->layers];
    float* grads = learner->grads;
    for (int i = last; i >= 0; i--) {
        const agon__linear* linear = &shape->linear[i];
        float* dx = t->plan->slope[i & 1];
        const int count = i == last ? actions : linear->out;
        grow_grads(t, i, 0, count, rows, dy, grads + linear->weight, grads + linear->bias, again);
        if (i == last)
            grow_grads(t, i, actions, 1, rows, dy, grads + shape->value_weight,
                       grads + shape->value_bias, again);
        if (i == 0) {
            if (t->update->data->input.type == AGON_U8)
                grow_first(t, rows, dy, again);
            return;
        }
        pass_slopes(t, i, 0, count, rows, dy, learner->params + linear->weight, dx, 0);
        if (i == last)
            pass_slopes(t, i, actions, 1, rows, dy, learner->params + shape->value_weight, dx, 1);
        t->kernel->slope(learner->net.activation, t->plan->x[i], dx,
                         (size_t)rows * (size_t)linear->in_pad);
        dy = dx;
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
        .grad_norm =
            sqrt(t->kernel->squares(update->learner->grads, agon_net_size(&update->learner->net))),
    };
}

void agon__cpu_gradient(agon_update* update, agon_scratch* scratch) {
    const agon_net* net = &update->learner->net;
    const agon__shape shape = agon__shape_of(net);
    assert(update->count > 0);
    if (agon__scratch_fit(scratch, &shape, 1, 0) != 0) {
        assert(!"out of memory: reserve scratch before an update");
        return;
    }
    const agon__plan plan = agon__plan_of(&shape, 1, AGON__UPDATE_ROWS, scratch->block);
    task t = {.kernel = scratch->kernel, .shape = &shape, .plan = &plan, .update = update};
    for (int at = 0; at < update->count; at += AGON__UPDATE_ROWS) {
        const int left = update->count - at;
        const int rows = left < AGON__UPDATE_ROWS ? left : AGON__UPDATE_ROWS;
        load_rows(&t, update->index + at, rows);
        const agon__block block = {.kernel = t.kernel,
                                   .net = net,
                                   .shape = &shape,
                                   .plan = &plan,
                                   .type = update->data->input.type,
                                   .packed = (const float*)update->learner->packed,
                                   .rows = rows,
                                   .steps = 1};
        agon__forward_block(&block);
        loss_block(&t, update->index + at, rows);
        backward_block(&t, rows, at > 0);
    }
    if (update->data->input.type == AGON_U8)
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
