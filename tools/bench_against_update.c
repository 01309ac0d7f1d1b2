/* bench_against_update.c: our whole update of a learner beside the products, epilogues and Adam
 * step of the same minibatches by OpenBLAS and plain loops. Left out there, in its favour:
 * advantages, the loss and its gradient, the limit of the norm, and the statistics. */
#include "tools/bench_openblas.h"
#include "tools/bench_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct against {
    agon_bench_learning* ours;
    agon_openblas_net net;
    int entries, rows;                          /* of the rectangle; of a minibatch */
    float *weights, *moment1, *moment2, *grads; /* (net.size) */
    float* given;                               /* (entries, actions + 1): slopes of the loss */
    float* slope;                               /* (rows, actions + 1): those of a minibatch */
    float* x[AGON_OPENBLAS_LAYERS + 1];         /* (entries or rows, width) */
    float* work[2];                             /* (rows, widest) */
    double beta1_power, beta2_power;
    int most; /* rows in a call */
} against;

/* ---- the loss's slopes, once ---------------------------------------------------------------- */

/* ln p of the legal actions; returns the entropy. */
static double log_softmax(const float* z, const uint64_t* mask, int actions, double* out) {
    double most = -INFINITY, sum = 0, entropy = 0;
    for (int k = 0; k < actions; k++)
        if (mask[k >> 6] >> (k & 63) & 1)
            most = fmax(most, z[k]);
    for (int k = 0; k < actions; k++) {
        out[k] = mask[k >> 6] >> (k & 63) & 1 ? z[k] - most : -INFINITY;
        sum += exp(out[k]);
    }
    for (int k = 0; k < actions; k++) {
        out[k] -= log(sum);
        if (out[k] > -INFINITY)
            entropy -= exp(out[k]) * out[k];
    }
    return entropy;
}

/* d loss / d (logits, value) of an entry, times its share of a minibatch of `rows`. */
static void slopes_of(const agon_rectangle* data, size_t entry, const float* head, int actions,
                      int rows, float* out) {
    const agon_ppo_step* step = &agon_bench_ppo.step;
    const uint64_t* mask = data->mask + data->place[entry] * (size_t)data->mask_words;
    double log_p[AGON_MAX_ACTIONS];
    const double entropy = log_softmax(head, mask, actions, log_p);
    const double advantage = data->advantage[entry], clip = step->clip;
    const double ratio = exp(log_p[data->action[entry]] - data->log_probability[entry]);
    const double near = fmin(fmax(ratio, 1 - clip), 1 + clip);
    const double towards = ratio * advantage <= near * advantage ? -ratio * advantage : 0;
    for (int k = 0; k < actions; k++) {
        const double p = exp(log_p[k]);
        const double chosen = k == data->action[entry];
        const double spread = p > 0 ? step->entropy_weight * p * (log_p[k] + entropy) : 0;
        out[k] = (float)((towards * (chosen - p) + spread) / rows);
    }
    out[actions] = (float)(step->value_weight * (head[actions] - data->target[entry]) / rows);
}

static void load_row(const against* a, size_t entry, float* out) {
    const agon_rectangle* data = a->ours->rollout->data;
    agon_openblas_widen((const char*)data->obs + data->place[entry] * data->obs_bytes,
                        data->input.type == AGON_U8, data->input.scale, (size_t)a->net.layer[0].in,
                        out);
}

static void fill_given(against* a) {
    const agon_rectangle* data = a->ours->rollout->data;
    const int actions = a->net.layer[a->net.layers - 1].out - 1;
    const size_t width = (size_t)actions + 1;
    for (int i = 0; i < a->entries; i++) {
        load_row(a, (size_t)i, a->x[0]);
        agon_openblas_forward(&a->net, a->weights, a->x, 1, 1);
        slopes_of(data, (size_t)i, a->x[a->net.layers], actions, a->rows,
                  a->given + (size_t)i * width);
    }
}

/* ---- an update ------------------------------------------------------------------------------ */

static void find_gradient(const against* a, const uint32_t* index) {
    const size_t inputs = (size_t)a->net.layer[0].in;
    const size_t width = (size_t)a->net.layer[a->net.layers - 1].out;
    for (int r = 0; r < a->rows; r++) {
        load_row(a, index[r], a->x[0] + (size_t)r * inputs);
        memcpy(a->slope + (size_t)r * width, a->given + index[r] * width, width * sizeof(float));
    }
    agon_openblas_forward(&a->net, a->weights, a->x, a->rows, a->most);
    agon_openblas_backward(&a->net, a->weights, a->x, a->rows, a->slope, a->work, a->grads);
}

static double go_openblas(void* user, double amount) {
    against* a = user;
    const agon_ppo_step* step = &agon_bench_ppo.step;
    double done = 0;
    for (; done < amount; done += a->entries)
        for (int from = 0; from < a->entries; from += a->rows) {
            find_gradient(a, a->ours->index + from);
            a->beta1_power *= (double)step->beta1;
            a->beta2_power *= (double)step->beta2;
            agon_openblas_adam_step(&(agon_openblas_adam){
                .count = a->net.size,
                .params = a->weights,
                .moment1 = a->moment1,
                .moment2 = a->moment2,
                .grads = a->grads,
                .rate = step->learning_rate,
                .beta1 = step->beta1,
                .beta2 = step->beta2,
                .epsilon = step->epsilon,
                .correct1 = (float)(1 / (1 - a->beta1_power)),
                .correct2 = (float)(1 / (1 - a->beta2_power)),
            });
        }
    return done;
}

/* ---- the figure ----------------------------------------------------------------------------- */

static void close_against(against* a) {
    for (int i = 0; i <= a->net.layers; i++)
        free(a->x[i]);
    free(a->weights);
    free(a->moment1);
    free(a->moment2);
    free(a->grads);
    free(a->given);
    free(a->slope);
    free(a->work[0]);
    free(a->work[1]);
}

static float* room(size_t rows, size_t width) {
    return calloc(rows * width, sizeof(float));
}

static bool open_against(against* a, agon_bench_learning* ours) {
    const agon_rectangle* data = ours->rollout->data;
    const int entries = data->rows * data->horizon;
    *a = (against){.ours = ours,
                   .net = agon_openblas_net_of(&ours->learner->net),
                   .entries = entries,
                   .rows = entries / AGON_BENCH_MINIBATCHES,
                   .beta1_power = 1,
                   .beta2_power = 1};
    const size_t rows = (size_t)a->rows, outputs = (size_t)a->net.layer[a->net.layers - 1].out;
    size_t widest = 1;
    bool whole = true;
    for (int i = 0; i <= a->net.layers; i++) {
        const size_t width = (size_t)(i ? a->net.layer[i - 1].out : a->net.layer[0].in);
        a->x[i] = room(rows, width);
        whole = whole && a->x[i];
        widest = width > widest ? width : widest;
    }
    a->weights = room(1, a->net.size);
    a->moment1 = room(1, a->net.size);
    a->moment2 = room(1, a->net.size);
    a->grads = room(1, a->net.size);
    a->given = room((size_t)entries, outputs);
    a->slope = room(rows, outputs);
    a->work[0] = room(rows, widest);
    a->work[1] = room(rows, widest);
    return whole && a->weights && a->moment1 && a->moment2 && a->grads && a->given && a->slope &&
           a->work[0] && a->work[1];
}

/* Both gradients of one minibatch of the same weights. */
static int compare(against* a, agon_error* error) {
    agon_learner* learner = a->ours->learner;
    float* ours = room(1, a->net.size);
    agon_update update = {.learner = learner,
                          .data = a->ours->rollout->data,
                          .index = a->ours->index,
                          .count = a->rows,
                          .step = agon_bench_ppo.step};
    if (!ours)
        return agon_fail(error, AGON_EMEMORY, "no memory for the benchmark");
    agon_cpu_backend()->gradient(&update, a->ours->scratch);
    agon_openblas_weights(&a->net, learner->grads, ours);
    find_gradient(a, a->ours->index);
    const int rc = agon_openblas_agree("gradients", ours, a->grads, a->net.size, error);
    free(ours);
    return rc;
}

static int measure(const agon_bench* b, against* a, const char* fields, agon_error* error) {
    agon_bench_work* const work[2] = {agon_bench_go_update, go_openblas};
    void* const user[2] = {a->ours, a};
    agon_bench_rate rate[2];
    agon_bench_go_update(a->ours, 1); /* fills advantages and order */
    agon_openblas_weights(&a->net, a->ours->learner->params, a->weights);
    fill_given(a);
    a->most = a->rows;
    const int rc = compare(a, error);
    if (rc)
        return rc;
    agon_openblas_choose(go_openblas, a, a->rows, &a->most);
    const double ratio = agon_bench_measure_two(b, work, user, rate);
    agon_openblas_print("update", fields, agon_bench_update_flop(&a->ours->learner->net), a->most,
                        ratio, rate);
    return AGON_OK;
}

int agon_bench_update_openblas(const agon_bench* b, agon_bench_learning* l, const char* fields,
                               agon_error* error) {
    against a;
    const int rc = open_against(&a, l)
                       ? measure(b, &a, fields, error)
                       : agon_fail(error, AGON_EMEMORY, "no memory for the benchmark");
    close_against(&a);
    return rc;
}
