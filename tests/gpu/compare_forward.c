/* compare_forward.c: logits and values as the CPU's; what is chosen, as the device's own logits say
 * it; and each net's bytes alone as in company. */
#include "tests/gpu/compare.h"

#include <stdlib.h>

/* ---- a call ------------------------------------------------------------------------------- */

typedef struct forward_case {
    const char* net;
    agon_dtype type;
    int nets, most; /* rows of a net: 0 to most, the first has most */
    float temperature;
    bool masked;
} forward_case;

typedef struct outputs {
    float *logits, *value, *probability, *log_probability;
    uint16_t* action;
    float* memory; /* (rows, agon_net_memory) after the decisions */
} outputs;

typedef struct world {
    agon_net net;
    agon_forward call; /* without packed nets and outputs */
    int rows, words;
    float* params; /* (nets, size) */
    int* offsets;
    void* obs;
    uint64_t* mask;
    float* uniform;
    float* memory; /* (rows, agon_net_memory) before the decisions */
    char of[160];
} world;

static size_t memory_floats(const world* w) {
    return (size_t)w->rows * (size_t)agon_net_memory(&w->net);
}

static outputs open_outputs(const world* w) {
    const size_t rows = (size_t)w->rows + 1, all = rows * (size_t)w->net.actions;
    return (outputs){take_memory(all * 4),  take_memory(rows * 4),
                     take_memory(all * 4),  take_memory(rows * 4),
                     take_memory(rows * 2), take_memory(memory_floats(w) * 4)};
}

static void close_outputs(outputs* o) {
    free(o->logits);
    free(o->value);
    free(o->probability);
    free(o->log_probability);
    free(o->action);
    free(o->memory);
}

static void fill_rows(comparing* c, world* w, agon_dtype type) {
    const size_t inputs = (size_t)w->net.inputs, actions = (size_t)w->net.actions;
    w->obs = take_memory((size_t)w->rows * inputs * 4);
    w->mask = take_memory((size_t)w->rows * (size_t)w->words * 8);
    w->uniform = take_memory((size_t)w->rows * 4);
    w->memory = take_memory(memory_floats(w) * 4);
    for (size_t i = 0; i < memory_floats(w); i++)
        w->memory[i] = 2.0f * draw_uniform(c) - 1.0f;
    for (size_t i = 0; i < (size_t)w->rows * inputs; i++) {
        if (type == AGON_U8)
            ((uint8_t*)w->obs)[i] = (uint8_t)(draw_uniform(c) * 5.0f);
        else
            ((float*)w->obs)[i] = 2.0f * draw_uniform(c) - 1.0f;
    }
    for (size_t r = 0; r < (size_t)w->rows; r++) {
        const size_t sure = (size_t)draw_int(c, 0, w->net.actions - 1);
        w->uniform[r] = draw_uniform(c);
        for (size_t a = 0; a < actions; a++)
            if (a == sure || draw_uniform(c) < 0.6f)
                w->mask[r * (size_t)w->words + a / 64] |= 1ull << a % 64;
    }
}

static world open_world(comparing* c, const forward_case* f) {
    world w = {.rows = 0};
    agon_error error = {0};
    need(agon_net_parse(f->net, &w.net, &error), &error, f->net);
    const size_t size = agon_net_size(&w.net);
    w.words = (w.net.actions + 63) / 64;
    w.params = take_memory((size_t)f->nets * size * sizeof(float));
    w.offsets = take_memory(((size_t)f->nets + 1) * sizeof *w.offsets);
    for (int i = 0; i < f->nets; i++) {
        draw_weights(c, &w.net, w.params + (size_t)i * size);
        w.rows += i == 0 ? f->most : draw_int(c, 0, f->most);
        w.offsets[i + 1] = w.rows;
    }
    fill_rows(c, &w, f->type);
    w.call = (agon_forward){.input = {f->type, 0.25f},
                            .nets = f->nets,
                            .offsets = w.offsets,
                            .obs = w.obs,
                            .mask = f->masked ? w.mask : NULL,
                            .temperature = f->temperature,
                            .uniform = w.uniform};
    snprintf(w.of, sizeof w.of, "%s, %s, %d nets, %d rows, temperature %g%s", f->net,
             f->type == AGON_U8 ? "u8" : "f32", f->nets, w.rows, (double)f->temperature,
             f->masked ? "" : ", all legal");
    return w;
}

static void close_world(world* w) {
    free(w->params);
    free(w->offsets);
    free(w->obs);
    free(w->mask);
    free(w->uniform);
    free(w->memory);
}

/* ---- a backend's answer ------------------------------------------------------------------- */

typedef struct packed_nets {
    const void** net;
    void* block;
} packed_nets;

static packed_nets pack_all(const agon_backend* backend, const world* w) {
    const size_t each = (backend->packed_size(&w->net) + 63) / 64 * 64;
    packed_nets p = {take_memory((size_t)w->call.nets * sizeof *p.net),
                     take_memory((size_t)w->call.nets * each)};
    for (size_t i = 0; i < (size_t)w->call.nets; i++) {
        void* to = (char*)p.block + i * each;
        backend->pack(&w->net, w->params + i * agon_net_size(&w->net), to);
        p.net[i] = to;
    }
    return p;
}

static void close_packed(packed_nets* p) {
    free(p->net);
    free(p->block);
}

/* Nets from .. from + nets - 1 of the world, into their places of the outputs. */
static void run_some(const agon_backend* backend, const world* w, const packed_nets* p, int from,
                     int nets, const outputs* o) {
    agon_scratch* scratch = backend->scratch_open();
    agon_error error = {0};
    const size_t first = (size_t)w->offsets[from], actions = (size_t)w->net.actions;
    int* offsets = take_memory(((size_t)nets + 1) * sizeof *offsets);
    for (int i = 0; i <= nets; i++)
        offsets[i] = w->offsets[from + i] - w->offsets[from];
    agon_forward call = w->call;
    call.net = &w->net;
    call.nets = nets;
    call.packed = p->net + from;
    call.offsets = offsets;
    call.obs = (const char*)w->obs +
               first * (size_t)w->net.inputs * (call.input.type == AGON_U8 ? 1 : sizeof(float));
    call.mask = call.mask ? call.mask + first * (size_t)w->words : NULL;
    call.uniform = call.temperature > 0 ? w->uniform + first : NULL;
    call.logits = o->logits + first * actions;
    call.value = o->value + first;
    call.probability = o->probability + first * actions;
    call.action = o->action + first;
    call.log_probability = o->log_probability + first;
    const size_t each = (size_t)agon_net_memory(&w->net);
    memcpy(o->memory + first * each, w->memory + first * each, (size_t)offsets[nets] * each * 4);
    call.memory = each ? o->memory + first * each : NULL;
    need(!scratch || backend->scratch_reserve(scratch, &w->net, offsets[nets], 0), NULL, "memory");
    backend->forward(&call, scratch);
    need(backend->check ? backend->check(scratch, &error) : AGON_OK, &error, w->of);
    backend->scratch_close(scratch);
    free(offsets);
}

static outputs run_all(const agon_backend* backend, const world* w) {
    outputs o = open_outputs(w);
    packed_nets p = pack_all(backend, w);
    run_some(backend, w, &p, 0, w->call.nets, &o);
    close_packed(&p);
    return o;
}

/* ---- what the device's own logits say ------------------------------------------------------ */

static bool is_legal(const world* w, int row, int action) {
    return !w->call.mask || (w->mask[row * w->words + action / 64] >> action % 64 & 1);
}

/* ln of the sum of exp(logit / temperature) over legal actions. */
static double log_sum(const world* w, const float* z, int row, double temperature) {
    double top = -INFINITY, sum = 0;
    for (int a = 0; a < w->net.actions; a++)
        if (is_legal(w, row, a))
            top = fmax(top, (double)z[a] / temperature);
    for (int a = 0; a < w->net.actions; a++)
        if (is_legal(w, row, a))
            sum += exp((double)z[a] / temperature - top);
    return top + log(sum);
}

/* How far the numbers of one row are from what they should be. */
static void explain_row(const world* w, const outputs* o, int row, double* probability,
                        double* choice, double* log_probability) {
    const int actions = w->net.actions, action = o->action[row];
    const float* z = o->logits + (ptrdiff_t)row * actions;
    const float* p = o->probability + (ptrdiff_t)row * actions;
    const double temperature = (double)w->call.temperature, u = (double)w->uniform[row];
    double before = 0, best = -INFINITY;
    int greedy = 0;
    const double sum = temperature > 0 ? log_sum(w, z, row, temperature) : 0;
    for (int a = 0; a < actions; a++) {
        if (is_legal(w, row, a) && (double)z[a] > best)
            best = (double)z[a], greedy = a;
        if (temperature > 0) {
            const double want = is_legal(w, row, a) ? exp((double)z[a] / temperature - sum) : 0;
            *probability = fmax(*probability, fabs((double)p[a] - want));
            before += a < action ? want : 0;
        }
    }
    const double mine = temperature > 0 ? exp((double)z[action] / temperature - sum) : 1;
    if (!is_legal(w, row, action) || (temperature == 0 && action != greedy))
        *choice = INFINITY;
    else if (temperature > 0)
        *choice = fmax(*choice, fmax(before - u, u - before - mine));
    const double ln = (double)z[action] - log_sum(w, z, row, 1);
    *log_probability =
        fmax(*log_probability, fabs((double)o->log_probability[row] - ln) / fmax(1, fabs(ln)));
}

static void check_choice(comparing* c, const world* w, int precision, const outputs* o) {
    double probability = 0, choice = 0, log_probability = 0;
    for (int row = 0; row < w->rows; row++)
        explain_row(w, o, row, &probability, &choice, &log_probability);
    line_check line = {.name = "probability, of the device's logits",
                       .precision = precisions[precision],
                       .of = w->of,
                       .error = probability,
                       .limit = 1e-5,
                       .count = w->rows};
    if (w->call.temperature > 0)
        check(c, &line);
    line.name = "action, of the device's logits";
    line.error = choice;
    check(c, &line);
    line.name = "log-probability, of the device's logits";
    line.error = log_probability;
    check(c, &line);
}

/* ---- checks ------------------------------------------------------------------------------- */

static void check_actions(comparing* c, const world* w, const outputs* want, const outputs* got) {
    int apart = 0;
    for (int row = 0; row < w->rows; row++)
        apart += want->action[row] != got->action[row];
    const line_check line = {.name = "action, share unlike the CPU's",
                             .precision = "fp32",
                             .of = w->of,
                             .error = w->rows ? (double)apart / w->rows : 0,
                             .limit = 2e-3,
                             .equal = apart == 0,
                             .count = w->rows};
    check(c, &line);
}

static void check_case(comparing* c, const forward_case* f) {
    world w = open_world(c, f);
    const size_t rows = (size_t)w.rows, all = rows * (size_t)w.net.actions;
    outputs want = run_all(agon_cpu_backend(), &w);
    for (int precision = 0; precision < 3; precision++) {
        outputs got = run_all(gpu_backend(precision), &w);
        const double limit = limit_of(precision);
        check_floats(c, "logits", precision, w.of, want.logits, got.logits, all, limit);
        check_floats(c, "value", precision, w.of, want.value, got.value, rows, limit);
        if (memory_floats(&w))
            check_floats(c, "memory", precision, w.of, want.memory, got.memory, memory_floats(&w),
                         limit);
        check_choice(c, &w, precision, &got);
        if (precision == AGON_PRECISION_FP32)
            check_actions(c, &w, &want, &got);
        close_outputs(&got);
    }
    close_outputs(&want);
    close_world(&w);
}

static void check_same(comparing* c, const char* name, int precision, const world* w,
                       const outputs* a, const outputs* b) {
    const size_t rows = (size_t)w->rows, all = rows * (size_t)w->net.actions;
    const bool same = memcmp(a->logits, b->logits, all * 4) == 0 &&
                      memcmp(a->value, b->value, rows * 4) == 0 &&
                      memcmp(a->probability, b->probability, all * 4) == 0 &&
                      memcmp(a->log_probability, b->log_probability, rows * 4) == 0 &&
                      memcmp(a->action, b->action, rows * 2) == 0 &&
                      memcmp(a->memory, b->memory, memory_floats(w) * 4) == 0;
    const line_check line = {.name = name,
                             .precision = precisions[precision],
                             .of = w->of,
                             .error = NAN,
                             .equal = same,
                             .count = w->rows};
    check(c, &line);
}

/* Twice the same, and net after net by itself. */
static void check_company(comparing* c, const forward_case* f) {
    world w = open_world(c, f);
    for (int precision = 0; precision < 3; precision++) {
        const agon_backend* backend = gpu_backend(precision);
        outputs all = run_all(backend, &w), again = run_all(backend, &w), alone = open_outputs(&w);
        packed_nets p = pack_all(backend, &w);
        for (int i = 0; i < w.call.nets; i++)
            run_some(backend, &w, &p, i, 1, &alone);
        check_same(c, "forward twice", precision, &w, &all, &again);
        check_same(c, "forward alone and in company", precision, &w, &all, &alone);
        close_packed(&p);
        close_outputs(&all);
        close_outputs(&again);
        close_outputs(&alone);
    }
    close_world(&w);
}

void compare_forward(comparing* c) {
    static const forward_case cases[] = {
        {"126-128-128-7 relu", AGON_U8, 16, 200, 1, true},
        {"84-128-128-7 tanh", AGON_U8, 3, 77, 0.5f, true},
        {"7-5 relu", AGON_F32, 5, 40, 1, false},
        {"10-4-3 tanh", AGON_F32, 70, 5, 0, true},
        {"5-17-8-1-9 relu", AGON_U8, 2, 33, 0, false},
        {"20-16-16-16-16-16-16-16-16-5 tanh", AGON_F32, 3, 50, 1, true},
        {"2x3x4-conv8-9 relu", AGON_U8, 5, 30, 1, true},
        {"20-mingru16-mingru5-7 tanh", AGON_F32, 5, 30, 1, true},
        {"1x4x5-conv16k5-conv5-mingru33-20-9 relu", AGON_F32, 4, 20, 0.5f, true},
        {"33-512-256-65 relu", AGON_F32, 3, 70, 1, true},
        {"30-64-1352 relu", AGON_U8, 2, 30, 1, true},
        {"126-1024-1024-70 relu", AGON_U8, 2, 60, 1, true},
        {"1500-32-4096-11 tanh", AGON_F32, 2, 20, 1, true},
        {"4-8-65535 relu", AGON_U8, 2, 3, 1, true},
        {"126-128-128-7 relu", AGON_U8, 1, 20000, 1, true},
        {"126-mingru128-128-7 relu", AGON_U8, 16, 200, 1, true},
        {"3x19x19-conv64k5-conv64-conv64-256-361 relu", AGON_U8, 4, 60, 1, true},
        {"2x6x7-conv32-conv32-128-mingru64-7 relu", AGON_U8, 16, 200, 1, true},
        {"40-700-mingru1500-70 relu", AGON_F32, 2, 60, 1, true},
    };
    enum { CASES = sizeof cases / sizeof *cases, SMALL = 9 };
    for (int i = 0; i < (c->small ? SMALL : CASES); i++)
        check_case(c, &cases[i]);
    check_company(c, &(forward_case){"84-128-128-7 relu", AGON_U8, c->small ? 9 : 1000,
                                     c->small ? 40 : 30, 1, true});
    check_company(c, &(forward_case){"2x6x7-conv16-conv16-mingru32-7 relu", AGON_U8,
                                     c->small ? 9 : 500, c->small ? 10 : 30, 1, true});
    check_company(c, &(forward_case){"84-mingru128-7 relu", AGON_U8, c->small ? 9 : 1000,
                                     c->small ? 40 : 30, 1, true});
    if (c->small)
        return;
    check_company(c, &(forward_case){"84-512-700-7 relu", AGON_U8, 40, 150, 1, true});
    /* All together in several passes, each by itself in one. */
    check_company(c,
                  &(forward_case){"3x19x19-conv256k1-conv256k1-9 relu", AGON_U8, 8, 300, 1, true});
}
