/* backend_cuda.c: forwards of rows that lie in host memory: in one copy, through the device, and
 * back in one copy. What is computed there is in forward.c. */
#include "cuda/backend_cuda.h"

#include "cuda/carve.h"
#include "cuda/forward.h"
#include "cuda/gpu.h"
#include "cuda/resident.h"
#include "cuda/shard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* One block of memory, pinned on the host and again on the device. */
typedef struct mirror {
    char *host, *device;
    size_t room;
} mirror;

struct agon_scratch {
    agon__gpu* gpu;
    agon__stream* stream;
    agon_precision precision;
    mirror in, out;
    void* work; /* of the forward, on the device */
    size_t work_room;
    agon__resident** held; /* (held_room) of the call under way */
    int nets, held_room;
    const agon_forward* call; /* under way, or NULL */
    agon_error failed;        /* the first failure; code 0: none */
};

/* ---- scratch ------------------------------------------------------------------------------ */

static void mirror_clear(agon__gpu* gpu, mirror* m) {
    agon__gpu_unpin(gpu, m->host);
    agon__gpu_free(gpu, m->device);
    memset(m, 0, sizeof *m);
}

static int mirror_fit(agon__gpu* gpu, mirror* m, size_t bytes, agon_error* error) {
    if (bytes <= m->room)
        return AGON_OK;
    mirror_clear(gpu, m);
    m->host = agon__gpu_pinned(gpu, bytes, error);
    m->device = m->host ? agon__gpu_alloc(gpu, bytes, error) : NULL;
    if (!m->device) {
        mirror_clear(gpu, m);
        return AGON_EMEMORY;
    }
    m->room = bytes;
    return AGON_OK;
}

static void close_scratch(agon_scratch* s) {
    if (!s)
        return;
    agon__stream_close(s->stream);
    mirror_clear(s->gpu, &s->in);
    mirror_clear(s->gpu, &s->out);
    agon__gpu_free(s->gpu, s->work);
    free(s->held);
    free(s);
}

static agon_scratch* open_scratch(agon_precision precision) {
    agon_scratch* s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->precision = precision;
    if (agon__gpu_open(&s->gpu, NULL) || agon__stream_open(s->gpu, &s->stream, NULL)) {
        free(s);
        return NULL;
    }
    return s;
}

/* ---- a call's memory ---------------------------------------------------------------------- */

static void* carve(agon__carver* c, int wanted, size_t count, size_t size) {
    return wanted ? agon__carve(c, count * size) : NULL;
}

/* What goes to the device. */
typedef struct inputs {
    const void** packed;
    int *start, *count;
    char* obs;
    float* memory;
    uint64_t* mask;
    float* uniform;
} inputs;

static size_t obs_bytes(const agon_forward* call) {
    return (size_t)call->net->inputs * (call->input.type == AGON_U8 ? 1 : sizeof(float));
}

static size_t mask_words(const agon_net* net) {
    return ((size_t)net->actions + 63) / 64;
}

/* Of a row. */
static size_t memory_bytes(const agon_net* net) {
    return (size_t)agon_net_memory(net) * sizeof(float);
}

static size_t lay_inputs(const agon_forward* call, char* base, inputs* out) {
    const size_t nets = (size_t)call->nets, rows = (size_t)call->offsets[call->nets];
    agon__carver c = {base, 0};
    out->packed = carve(&c, 1, nets, sizeof *out->packed);
    out->start = carve(&c, 1, nets, sizeof *out->start);
    out->count = carve(&c, 1, nets, sizeof *out->count);
    out->obs = carve(&c, 1, rows, obs_bytes(call));
    out->memory = carve(&c, call->memory != NULL, rows, memory_bytes(call->net));
    out->mask = carve(&c, call->mask != NULL, rows * mask_words(call->net), sizeof *out->mask);
    out->uniform = carve(&c, call->temperature > 0.0f, rows, sizeof *out->uniform);
    return c.used;
}

/* Where its outputs lie in a block; those that are not wanted are NULL. */
static size_t lay_outputs(const agon_forward* call, char* base, agon__gpu_forward* out) {
    const size_t rows = (size_t)call->offsets[call->nets], actions = (size_t)call->net->actions;
    agon__carver c = {base, 0};
    out->memory_after = carve(&c, call->memory != NULL, rows, memory_bytes(call->net));
    out->logits = carve(&c, call->logits != NULL, rows * actions, sizeof(float));
    out->value = carve(&c, call->value != NULL, rows, sizeof(float));
    out->probability = carve(&c, call->probability != NULL, rows * actions, sizeof(float));
    out->action = carve(&c, call->action != NULL, rows, sizeof(uint16_t));
    out->log_probability = carve(&c, call->log_probability != NULL, rows, sizeof(float));
    return c.used;
}

/* The most that a call with so many rows of so many nets takes. */
static int fit(agon_scratch* s, const agon_net* net, size_t in, size_t out, int rows,
               agon_error* error) {
    const agon__gpu_net layout = agon__gpu_net_of(net, (int)s->precision);
    const size_t work = agon__gpu_forward_scratch(s->gpu, &layout, rows);
    int rc = mirror_fit(s->gpu, &s->in, in, error);
    if (!rc)
        rc = mirror_fit(s->gpu, &s->out, out, error);
    if (!rc && work > s->work_room) {
        agon__gpu_free(s->gpu, s->work);
        s->work = agon__gpu_alloc(s->gpu, work, error);
        s->work_room = s->work ? work : 0;
        rc = s->work ? AGON_OK : AGON_EMEMORY;
    }
    return rc;
}

static int hold_room(agon_scratch* s, int nets) {
    if (nets <= s->held_room)
        return AGON_OK;
    agon__resident** held = realloc(s->held, (size_t)nets * sizeof *held);
    if (!held)
        return AGON_EMEMORY;
    s->held = held;
    s->held_room = nets;
    return AGON_OK;
}

/* Observations as float32, every output and 64 nets: a call seldom needs more. */
static int reserve(agon_scratch* s, const agon_net* net, int rows, int update) {
    const size_t n = (size_t)rows, actions = (size_t)net->actions;
    const size_t memory = memory_bytes(net);
    const size_t in =
        64 * 16 + n * ((size_t)net->inputs * 4 + memory + mask_words(net) * 8 + 4) + 2048;
    const size_t out = n * (memory + 2 * actions * 4 + 4 + 2 + 4) + 2048;
    (void)update; /* shards have memory of their own */
    return hold_room(s, 64) || fit(s, net, in, out, rows, NULL) ? AGON_EMEMORY : AGON_OK;
}

/* ---- a call ------------------------------------------------------------------------------- */

static void release_nets(agon_scratch* s) {
    while (s->nets > 0)
        agon__resident_release(s->held[--s->nets]);
}

static int hold_nets(agon_scratch* s, const agon_forward* call, const agon__gpu_net* net,
                     const void** packed, agon_error* error) {
    if (hold_room(s, call->nets))
        return agon_fail(error, AGON_EMEMORY, "no memory for a list of %d nets", call->nets);
    for (s->nets = 0; s->nets < call->nets; s->nets++) {
        agon__resident* r =
            agon__resident_hold(s->gpu, s->stream, net, call->packed[s->nets], error);
        if (!r)
            return AGON_EDEVICE;
        s->held[s->nets] = r;
        packed[s->nets] = agon__resident_weights(r);
    }
    return AGON_OK;
}

static void fill_inputs(const agon_forward* call, const inputs* in) {
    const size_t rows = (size_t)call->offsets[call->nets];
    for (int i = 0; i < call->nets; i++) {
        in->start[i] = call->offsets[i];
        in->count[i] = call->offsets[i + 1] - call->offsets[i];
    }
    memcpy(in->obs, call->obs, rows * obs_bytes(call));
    if (in->memory)
        memcpy(in->memory, call->memory, rows * memory_bytes(call->net));
    if (in->mask)
        memcpy(in->mask, call->mask, rows * mask_words(call->net) * sizeof *in->mask);
    if (in->uniform && call->uniform)
        memcpy(in->uniform, call->uniform, rows * sizeof *in->uniform);
    else if (in->uniform) /* nobody asks for an action */
        memset(in->uniform, 0, rows * sizeof *in->uniform);
}

static int largest(const agon_forward* call) {
    int most = 0;
    for (int i = 0; i < call->nets; i++)
        if (call->offsets[i + 1] - call->offsets[i] > most)
            most = call->offsets[i + 1] - call->offsets[i];
    return most;
}

static void describe(const agon_scratch* s, const agon_forward* call, const inputs* in,
                     agon__gpu_forward* out) {
    out->groups = call->nets;
    out->packed = (const void* const*)in->packed;
    out->start = in->start;
    out->count = in->count;
    out->slots = call->offsets[call->nets];
    out->most = largest(call);
    out->obs_type = (int)call->input.type;
    out->scale = call->input.scale;
    out->obs_bytes = obs_bytes(call);
    out->obs = in->obs;
    out->memory = in->memory;
    out->mask = in->mask;
    out->mask_words = (int)mask_words(call->net);
    out->temperature = call->temperature;
    out->uniform = in->uniform;
    out->scratch = s->work;
}

static int put_in(agon_scratch* s, const agon_forward* call, agon_error* error) {
    const int rows = call->offsets[call->nets];
    agon__gpu_forward device = {.net = agon__gpu_net_of(call->net, (int)s->precision)};
    inputs host, there;
    const size_t in = lay_inputs(call, NULL, &host), out = lay_outputs(call, NULL, &device);
    int rc = agon__gpu_check(s->gpu, error);
    if (!rc)
        rc = fit(s, call->net, in, out, rows, error);
    if (rc)
        return rc;
    lay_inputs(call, s->in.host, &host);
    lay_inputs(call, s->in.device, &there);
    rc = hold_nets(s, call, &device.net, host.packed, error);
    if (rc)
        return rc;
    fill_inputs(call, &host);
    lay_outputs(call, s->out.device, &device);
    describe(s, call, &there, &device);
    agon__stream_in(s->stream, s->in.device, s->in.host, in);
    agon__gpu_forward_launch(s->gpu, s->stream, &device);
    agon__stream_out(s->stream, s->out.host, s->out.device, out);
    return AGON_OK;
}

static size_t lowest_legal(const agon_forward* call, size_t row) {
    const size_t words = mask_words(call->net);
    for (size_t word = 0; call->mask && word < words; word++)
        if (call->mask[row * words + word])
            return word * 64 + (size_t)__builtin_ctzll(call->mask[row * words + word]);
    return 0;
}

/* The lowest legal action everywhere, for sure: what follows stays within the rules until somebody
 * asks. Memory stays as it was. */
static void fill_failed(const agon_forward* call) {
    const size_t rows = (size_t)call->offsets[call->nets], actions = (size_t)call->net->actions;
    if (call->logits)
        memset(call->logits, 0, rows * actions * sizeof(float));
    if (call->probability)
        memset(call->probability, 0, rows * actions * sizeof(float));
    if (call->value)
        memset(call->value, 0, rows * sizeof(float));
    if (call->log_probability)
        memset(call->log_probability, 0, rows * sizeof(float));
    for (size_t row = 0; row < rows; row++) {
        const size_t action = lowest_legal(call, row);
        if (call->action)
            call->action[row] = (uint16_t)action;
        if (call->probability)
            call->probability[row * actions + action] = 1.0f;
    }
}

static void take_out(const agon_scratch* s, const agon_forward* call) {
    const size_t rows = (size_t)call->offsets[call->nets], actions = (size_t)call->net->actions;
    agon__gpu_forward host;
    lay_outputs(call, s->out.host, &host);
    if (host.memory_after)
        memcpy(call->memory, host.memory_after, rows * memory_bytes(call->net));
    if (host.logits)
        memcpy(call->logits, host.logits, rows * actions * sizeof(float));
    if (host.value)
        memcpy(call->value, host.value, rows * sizeof(float));
    if (host.probability)
        memcpy(call->probability, host.probability, rows * actions * sizeof(float));
    if (host.action)
        memcpy(call->action, host.action, rows * sizeof(uint16_t));
    if (host.log_probability)
        memcpy(call->log_probability, host.log_probability, rows * sizeof(float));
}

static void begin(const agon_forward* call, agon_scratch* s) {
    agon_error error = {0};
    assert(!s->call);
    s->call = call;
    if (call->offsets[call->nets] == 0)
        return;
    agon_profile_enter(call->profile, AGON_PHASE_FORWARD);
    if (put_in(s, call, &error) && !s->failed.code)
        s->failed = error;
}

static void finish(agon_scratch* s) {
    const agon_forward* call = s->call;
    agon_error error = {0};
    s->call = NULL;
    if (call->offsets[call->nets] == 0)
        return;
    if (agon__stream_wait(s->stream, &error) && !s->failed.code)
        s->failed = error;
    if (s->failed.code)
        fill_failed(call);
    else
        take_out(s, call);
    release_nets(s);
}

static void forward(const agon_forward* call, agon_scratch* s) {
    begin(call, s);
    finish(s);
}

static int check(const agon_scratch* s, agon_error* error) {
    if (!s) {
        agon__gpu* gpu;
        const int rc = agon__gpu_open(&gpu, error);
        return rc ? rc : agon__gpu_check(gpu, error);
    }
    if (s->failed.code && error)
        *error = s->failed;
    return s->failed.code;
}

/* ---- backends ----------------------------------------------------------------------------- */

static char model[128];

#define BACKEND(NAME, PRECISION)                                                                   \
    static agon_scratch* open_##NAME(void) {                                                       \
        return open_scratch(PRECISION);                                                            \
    }                                                                                              \
    static int shard_open_##NAME(const agon_shard_def* def, agon_shard** out, agon_error* error) { \
        return agon__shard_open(def, PRECISION, out, error);                                       \
    }                                                                                              \
    static int shard_room_##NAME(const agon_shard_def* def) {                                      \
        return agon__shard_room(def, PRECISION);                                                   \
    }                                                                                              \
    static const agon_shard_backend shards_##NAME = {                                              \
        .plays = agon__shard_plays,                                                                \
        .room = shard_room_##NAME,                                                                 \
        .open = shard_open_##NAME,                                                                 \
        .collect = agon__shard_collect,                                                            \
        .update = agon__shard_update,                                                              \
        .fetch = agon__shard_fetch,                                                                \
        .close = agon__shard_close,                                                                \
    };                                                                                             \
    static const agon_backend backend_##NAME = {                                                   \
        .name = "cuda/" #NAME,                                                                     \
        .device = model,                                                                           \
        .packed_size = agon__resident_packed_size,                                                 \
        .pack = agon__resident_pack,                                                               \
        .scratch_open = open_##NAME,                                                               \
        .scratch_reserve = reserve,                                                                \
        .scratch_close = close_scratch,                                                            \
        .forward = forward,                                                                        \
        .begin = begin,                                                                            \
        .finish = finish,                                                                          \
        .check = check,                                                                            \
        .shards = &shards_##NAME,                                                                  \
    };

BACKEND(fp32, AGON_PRECISION_FP32)
BACKEND(tf32, AGON_PRECISION_TF32)
BACKEND(bf16, AGON_PRECISION_BF16)

int agon_cuda_backend(agon_precision precision, const agon_backend** out, agon_error* error) {
    static const agon_backend* const backends[] = {&backend_fp32, &backend_tf32, &backend_bf16};
    agon__gpu* gpu;
    const int rc = agon__gpu_open(&gpu, error);
    if (rc)
        return rc;
    snprintf(model, sizeof model, "%s", agon__gpu_model(gpu));
    *out = backends[precision];
    return AGON_OK;
}
