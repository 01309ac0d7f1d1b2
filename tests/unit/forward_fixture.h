/* forward_fixture.h: one call of several groups, by the kernels of cuda/ on the host, and by the
 * CPU backend. For the tests of the GPU's forward. */
#ifndef AGON_FORWARD_FIXTURE_H
#define AGON_FORWARD_FIXTURE_H

#include "cuda/forward_plan.h"
#include "tests/cuda/emulate.h"
#include "tests/unit/backend_fixture.h"

enum { SHARED_SIZES = 4, MOST_GROUPS = 8 };
static const size_t shared_sizes[SHARED_SIZES] = {65536, 101376, 166912, 232448};

static const char* const mode_names[] = {"fp32", "tf32", "bf16"};

/* Groups of rows, each with a net of its own. */
typedef struct company {
    batch b; /* its params are not used */
    int groups;
    int offsets[MOST_GROUPS + 1];
    int count[MOST_GROUPS];
    float* params[MOST_GROUPS];
    float* memory; /* (rows, agon_net_memory) before the decisions */
    float* after;  /* likewise, after them: what run_cpu made */
} company;

static inline size_t memory_floats(const company* c) {
    return (size_t)c->b.rows * (size_t)agon_net_memory(&c->b.net);
}

static inline void open_company(source* s, const agon_net* net, agon_dtype type, int groups,
                                const int* count, company* c) {
    *c = (company){.groups = groups};
    for (int g = 0; g < groups; g++) {
        c->count[g] = count[g];
        c->offsets[g + 1] = c->offsets[g] + count[g];
    }
    open_batch(s, net, type, c->offsets[groups], &c->b);
}

/* Weights for nets of this shape, whose inputs and actions are the company's. */
static inline void give_nets(source* s, company* c, const agon_net* net) {
    c->b.net = *net;
    for (int g = 0; g < c->groups; g++) {
        free(c->params[g]);
        c->params[g] = need(agon_net_size(net) * sizeof(float));
        fill_weights(s, net, c->params[g]);
    }
    free(c->memory);
    free(c->after);
    c->memory = need(memory_floats(c) * sizeof(float));
    c->after = need(memory_floats(c) * sizeof(float));
    if (memory_floats(c))
        fill_fast(s, c->memory, memory_floats(c), 1.0f);
}

static inline void close_company(company* c) {
    for (int g = 0; g < c->groups; g++)
        free(c->params[g]);
    free(c->memory);
    free(c->after);
    close_batch(&c->b);
}

/* What the CPU backend makes of it. */
static inline void run_cpu(const company* c, const outputs* o) {
    const agon_backend* backend = agon_cpu_backend();
    agon_scratch* scratch = backend->scratch_open();
    const void* packed[MOST_GROUPS];
    void* made[MOST_GROUPS];
    for (int g = 0; g < c->groups; g++) {
        packed[g] = made[g] = need(backend->packed_size(&c->b.net));
        backend->pack(&c->b.net, c->params[g], made[g]);
    }
    agon_forward call = call_of(&c->b, o, packed, c->offsets, c->groups);
    if (memory_floats(c)) {
        call.memory = c->after;
        memcpy(c->after, c->memory, memory_floats(c) * sizeof(float));
    }
    backend->forward(&call, scratch);
    for (int g = 0; g < c->groups; g++)
        free(made[g]);
    backend->scratch_close(scratch);
}

/* ---- the kernels -------------------------------------------------------------------------- */

/* How a call is made of a company. Cuts: which kernels, whatever the planner would choose. */
typedef enum cut_kind { CUT_CHOSEN, CUT_RESIDENT, CUT_PARTS, CUT_WIDE } cut_kind;

typedef struct run {
    int mode;
    size_t shared;
    cut_kind kind;
    int rows;       /* of a tile, where the cut is not chosen; 0: 64 */
    int processors; /* 0: 3 */
    size_t room;    /* bytes of scratch of a pass; 0: no bound */
    int backwards;
    float* after;              /* (rows, agon_net_memory) out, or NULL */
    void* packed[MOST_GROUPS]; /* (groups) made by open_run */
    agon__gpu_forward call;
    int start[MOST_GROUPS]; /* (groups) */
} run;

/* The call as it is made of a company, which stays where it is; things may be changed then. */
static inline void open_run(const company* c, const outputs* o, run* r) {
    const batch* b = &c->b;
    r->call = (agon__gpu_forward){.net = agon__gpu_net_of(&b->net, r->mode),
                                  .groups = c->groups,
                                  .packed = (const void* const*)r->packed,
                                  .start = r->start,
                                  .count = c->count,
                                  .slots = b->rows,
                                  .obs_type = b->input.type,
                                  .scale = b->input.scale,
                                  .obs_bytes = b->data->obs_bytes,
                                  .obs = b->data->obs,
                                  .mask = b->all_legal ? NULL : b->data->mask,
                                  .mask_words = b->words,
                                  .memory = c->memory,
                                  .memory_after = r->after,
                                  .temperature = b->temperature,
                                  .uniform = b->uniform,
                                  .logits = o->logits,
                                  .value = o->value,
                                  .probability = o->probability,
                                  .action = o->action,
                                  .log_probability = o->log_probability};
    for (int g = 0; g < c->groups; g++) {
        r->start[g] = c->offsets[g];
        r->call.most = c->count[g] > r->call.most ? c->count[g] : r->call.most;
        r->packed[g] = need(r->call.net.bytes);
        agon__gpu_pack(&r->call.net, c->params[g], r->packed[g]);
    }
}

static inline void close_run(const company* c, run* r) {
    for (int g = 0; g < c->groups; g++)
        free(r->packed[g]);
}

static inline agon__forward_machine machine_of(const run* r) {
    return (agon__forward_machine){r->processors ? r->processors : 3, r->shared,
                                   r->room ? r->room : SIZE_MAX};
}

/* The cut of a run whose cut is not chosen; rows 0: wide. */
static inline agon__forward_cut cut_of(const run* r) {
    const int rows = r->rows ? r->rows : 64;
    agon__forward_cut cut = {0};
    if (r->kind != CUT_WIDE) {
        cut = agon__forward_cut_fused(&r->call.net, r->shared, rows, r->kind == CUT_RESIDENT);
        assert_int_not_equal(cut.rows, 0);
    }
    return cut;
}

static inline void plan_run(run* r, agon__forward_plan* plan) {
    const agon__forward_machine machine = machine_of(r);
    if (r->kind == CUT_CHOSEN) {
        agon__forward_plan_of(&machine, &r->call, plan);
        return;
    }
    const agon__forward_cut cut = cut_of(r);
    agon__forward_plan_cut(&machine, &r->call, &cut, r->rows ? r->rows : 64, plan);
}

/* What is promised to be enough. */
static inline size_t scratch_of(const run* r) {
    agon__forward_machine machine = machine_of(r);
    if (r->kind != CUT_CHOSEN)
        machine.shared = 0; /* the wide path's */
    if (r->kind == CUT_RESIDENT || r->kind == CUT_PARTS)
        return (size_t)r->call.slots * (size_t)cut_of(r).z_stride * sizeof(float);
    return agon__forward_scratch_of(&machine, &r->call.net, r->call.slots);
}

static inline void do_launches(const run* r, const agon__forward_plan* plan) {
    for (int i = 0; i < plan->count; i++) {
        const agon__forward_launch* launch = &plan->launch[i];
        const emulate_kernel* kernel = emulate_find("kernels", launch->name);
        assert_non_null(kernel);
        assert_int_equal(kernel->args, sizeof launch->args);
        assert_true(launch->shared <= r->shared);
        emulate_run(kernel, launch->blocks, launch->warps, launch->shared, &launch->args,
                    r->backwards);
    }
}

/* Launches in order, in memory that is as large as promised. */
static inline void do_run(run* r) {
    static agon__forward_plan plan;
    const size_t bytes = scratch_of(r);
    void* scratch = aligned_alloc(256, (bytes + 256) / 256 * 256);
    assert_non_null(scratch);
    memset(scratch, 0xff, bytes);
    r->call.scratch = scratch;
    plan_run(r, &plan);
    for (int pass = 0; pass < plan.passes; pass++) {
        agon__forward_plan_pass(&plan, pass);
        do_launches(r, &plan);
    }
    free(scratch);
}

static inline void run_kernels(const company* c, run* r, const outputs* o) {
    open_run(c, o, r);
    do_run(r);
    close_run(c, r);
}

/* ---- comparison --------------------------------------------------------------------------- */

static inline const char* place_of_run(const company* c, const run* r) {
    static char text[256];
    static const char* const kinds[] = {"chosen", "resident", "parts", "wide"};
    snprintf(text, sizeof text, "%s, %zu KiB, cut %s, %s", place_of(&c->b, "cuda"),
             r->shared / 1024, kinds[r->kind], mode_names[r->mode]);
    return text;
}

/* Within share * the largest; 0: equal but for the sign of zero. */
static inline void near_floats(const char* what, const char* place, const float* want,
                               const float* got, size_t count, float share) {
    float most = 0.0f;
    for (size_t i = 0; i < count; i++)
        most = fabsf(want[i]) > most ? fabsf(want[i]) : most;
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= share * most))
            fail_msg("%s[%zu] is %a, expected %a, the largest is %g (%s)", what, i, (double)got[i],
                     (double)want[i], (double)most, place);
}

/* Each action is the one at its uniform number, by these probabilities, within 1e-5; its logarithm
 * is as near. */
static inline void fair_actions(const batch* b, const char* place, const float* probability,
                                const outputs* got) {
    const int n = b->net.actions;
    for (int r = 0; r < b->rows; r++) {
        const float* p = probability + (ptrdiff_t)r * n;
        const int action = got->action[r];
        double below = 0.0;
        assert_true(action < n);
        for (int a = 0; a < action; a++)
            below += (double)p[a];
        if (p[action] == 0.0f || (double)b->uniform[r] < below - 1e-5 ||
            (double)b->uniform[r] > below + (double)p[action] + 1e-5)
            fail_msg("action[%d] is %d of %g above %g, at %g (%s)", r, action, (double)p[action],
                     below, (double)b->uniform[r], place);
        if (b->temperature == 1.0f && !(fabsf(expf(got->log_probability[r]) - p[action]) <= 1e-5f))
            fail_msg("log_probability[%d] is %g, of %g (%s)", r, (double)got->log_probability[r],
                     (double)p[action], place);
    }
}

/* Byte for byte, and nothing else is written. */
static inline void equal_outputs(const company* c, const run* r, const outputs* want,
                                 const outputs* got) {
    const size_t rows = (size_t)c->b.rows, all = rows * (size_t)c->b.net.actions;
    const char* place = place_of_run(c, r);
    same_floats("logits", place, want->logits, got->logits, all);
    same_floats("value", place, want->value, got->value, rows);
    same_floats("probability", place, want->probability, got->probability, all);
    same_floats("ln p", place, want->log_probability, got->log_probability, rows);
    if (memcmp(want->action, got->action, rows * sizeof *want->action) != 0)
        fail_msg("actions differ (%s)", place);
    nothing_behind(&c->b, mode_names[r->mode], got);
}

#endif
