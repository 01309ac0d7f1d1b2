/* update.c: an update's memory, and its launches put into a stream. */
#include "cuda/update.h"

#include "cuda/update_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct agon__gpu_update {
    agon__gpu* gpu;
    agon__stream* stream;
    agon__update_plan plan;
    const agon__function* function[AGON__UPDATE_KERNELS];
    void* memory;                /* of the device: the plan's */
    void* pinned;                /* of the host: the next two */
    agon__update_member* member; /* (members), on their way to the device and back */
    float* correct;              /* (members, epochs * minibatches, 2), likewise */
};

static size_t steps_of(const agon__update_plan* p) {
    return (size_t)p->epochs * (size_t)p->minibatches;
}

static size_t member_bytes(const agon__update_plan* p) {
    return (size_t)p->learners.count * sizeof(agon__update_member);
}

static size_t correct_bytes(const agon__update_plan* p) {
    return (size_t)p->learners.count * steps_of(p) * 2 * sizeof(float);
}

size_t agon__gpu_update_bytes(const agon__gpu_net* net, int members, int rows, int horizon,
                              int epochs, int minibatches) {
    const agon__gpu_learners learners = {.net = *net, .count = members};
    const agon__gpu_rectangles rectangles = {.members = members, .rows = rows, .horizon = horizon};
    agon__update_plan plan =
        agon__update_plan_of(&learners, &rectangles, epochs, minibatches, AGON__UPDATE_WORK);
    return agon__update_lay_out(&plan, NULL);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int find_functions(agon__gpu_update* u, agon_error* error) {
    for (int i = 0; i < AGON__UPDATE_KERNELS; i++) {
        const char* name =
            agon__update_kernel_name((agon__update_kernel)i, u->plan.learners.net.mode);
        u->function[i] = agon__gpu_function(u->gpu, "kernels", name);
        if (!u->function[i])
            return agon_fail(error, AGON_EUNSUPPORTED, "the image 'kernels' lacks the kernel '%s'",
                             name);
    }
    return AGON_OK;
}

static int take_memory(agon__gpu_update* u, agon_error* error) {
    agon_error why = {0};
    u->memory = agon__gpu_alloc(u->gpu, agon__update_lay_out(&u->plan, NULL), &why);
    if (u->memory)
        u->pinned =
            agon__gpu_pinned(u->gpu, member_bytes(&u->plan) + correct_bytes(&u->plan), &why);
    if (!u->memory || !u->pinned) {
        if (error)
            *error = why;
        return why.code ? why.code : AGON_EMEMORY;
    }
    agon__update_lay_out(&u->plan, u->memory);
    u->member = u->pinned;
    u->correct = (float*)((char*)u->pinned + member_bytes(&u->plan));
    return AGON_OK;
}

int agon__gpu_update_open(const agon__gpu_update_def* def, agon__gpu_update** out,
                          agon_error* error) {
    agon__gpu_update* u = calloc(1, sizeof *u);
    if (!u)
        return agon_fail(error, AGON_EMEMORY, "no memory for an update");
    assert(def->learners->count == def->rectangles->members);
    u->gpu = def->gpu;
    u->stream = def->stream;
    u->plan = agon__update_plan_of(def->learners, def->rectangles, def->epochs, def->minibatches,
                                   def->work ? def->work : AGON__UPDATE_WORK);
    u->plan.shared = agon__gpu_shared(def->gpu);
    int rc = find_functions(u, error);
    if (!rc)
        rc = take_memory(u, error);
    if (rc)
        agon__gpu_update_close(u);
    else
        *out = u;
    return rc;
}

void agon__gpu_update_close(agon__gpu_update* u) {
    if (!u)
        return;
    if (u->memory)
        agon__gpu_free(u->gpu, u->memory);
    if (u->pinned)
        agon__gpu_unpin(u->gpu, u->pinned);
    free(u);
}

/* ---- work --------------------------------------------------------------------------------- */

/* What is the same for the kernels of an update, and statistics of zero. */
static agon__update_member member_of(const agon__gpu_learner* learner) {
    const agon_ppo* ppo = &learner->ppo;
    return (agon__update_member){
        .key = {learner->shuffle.word[0], learner->shuffle.word[1]},
        .stream = (uint32_t)learner->updates,
        .normalise = ppo->normalise,
        .discount = ppo->discount,
        .lambda = ppo->lambda,
        .rate = ppo->step.learning_rate,
        .clip = ppo->step.clip,
        .value_weight = ppo->step.value_weight,
        .entropy_weight = ppo->step.entropy_weight,
        .max_grad_norm = ppo->step.max_grad_norm,
        .beta1 = ppo->step.beta1,
        .beta2 = ppo->step.beta2,
        .epsilon = ppo->step.epsilon,
    };
}

/* The powers of the betas after each of the steps to come, as Adam wants them. */
static void advance_powers(agon__gpu_learner* learner, size_t steps, float* correct) {
    for (size_t i = 0; i < steps; i++) {
        learner->beta1_power *= (double)learner->ppo.step.beta1;
        learner->beta2_power *= (double)learner->ppo.step.beta2;
        correct[2 * i] = (float)(1.0 / (1.0 - learner->beta1_power));
        correct[2 * i + 1] = (float)(1.0 / (1.0 - learner->beta2_power));
    }
    learner->updates += steps;
}

static void send_members(agon__gpu_update* u, const agon__gpu_learner* each) {
    for (int m = 0; m < u->plan.learners.count; m++)
        u->member[m] = member_of(&each[m]);
    agon__stream_in(u->stream, u->plan.member, u->member, member_bytes(&u->plan));
}

static int fetch_stats(agon__gpu_update* u, agon__gpu_learner* each, double minibatches,
                       agon_error* error) {
    agon__stream_out(u->stream, u->member, u->plan.member, member_bytes(&u->plan));
    const int rc = agon__stream_wait(u->stream, error);
    for (int m = 0; !rc && m < u->plan.learners.count; m++) {
        const double* sum = u->member[m].stats;
        each[m].stats = (agon_update_stats){.policy_loss = sum[0] / minibatches,
                                            .value_loss = sum[1] / minibatches,
                                            .entropy = sum[2] / minibatches,
                                            .kl = sum[3] / minibatches,
                                            .clipped = sum[4] / minibatches,
                                            .grad_norm = sum[5] / minibatches};
    }
    return rc;
}

static void launch(void* context, agon__update_kernel kernel, int blocks, int warps, size_t shared,
                   const void* args) {
    agon__gpu_update* u = context;
    agon__stream_launch(u->stream, u->function[kernel], blocks, warps, shared, args);
}

int agon__gpu_update_run(agon__gpu_update* u, agon__gpu_learner* each, agon_error* error) {
    const agon__launcher to = {launch, u};
    const size_t steps = steps_of(&u->plan);
    send_members(u, each);
    for (int m = 0; m < u->plan.learners.count; m++) {
        assert(each[m].ppo.epochs == u->plan.epochs);
        assert(each[m].ppo.minibatches == u->plan.minibatches);
        advance_powers(&each[m], steps, u->correct + 2 * (size_t)m * steps);
    }
    agon__stream_in(u->stream, u->plan.correct, u->correct, correct_bytes(&u->plan));
    agon__update_launch(&u->plan, &to);
    return fetch_stats(u, each, (double)steps, error);
}

int agon__gpu_update_gradient(agon__gpu_update* u, agon__gpu_learner* each, const uint32_t* index,
                              int count, agon_error* error) {
    const agon__update_plan* p = &u->plan;
    const agon__launcher to = {launch, u};
    const size_t entries = (size_t)p->rectangles.rows * (size_t)p->rectangles.horizon;
    const int members = p->learners.count;
    send_members(u, each);
    for (int first = 0; first < members; first += p->slice) {
        const int slice = members - first < p->slice ? members - first : p->slice;
        for (int m = 0; m < slice; m++)
            agon__stream_in(u->stream, p->index + (size_t)m * (size_t)p->epochs * entries,
                            index + (size_t)(first + m) * (size_t)count,
                            (size_t)count * sizeof *index);
        agon__update_launch_gradient(p, first, slice, count, &to);
    }
    return fetch_stats(u, each, 1.0, error);
}
