/* net_policy.c: a net as a policy, for probes, exact walks and tools. */
#include "agents/policy.h"

#include <assert.h>

enum { CHUNK = 256 }; /* rows per forward: bounds the scratch, taken once when opened */

typedef struct net_policy {
    const agon_backend* backend; /* borrowed */
    agon_net net;
    const void* packed; /* borrowed */
    agon_scratch* scratch;
} net_policy;

/* Slots from .. from + count - 1 of the batch; memory: theirs. */
static void act_chunk(const net_policy* self, const agon_batch* batch, int from, int count,
                      float* memory) {
    const agon_rules* rules = batch->rules;
    const size_t first = (size_t)from, actions = (size_t)rules->spec.actions;
    const int offsets[2] = {0, count};
    const bool sampled = batch->action && batch->temperature > 0;
    float uniform[CHUNK];
    for (int i = 0; sampled && i < count; i++)
        uniform[i] = agon_batch_uniform(batch, from + i);
    const agon_forward call = {
        .net = &self->net,
        .input = {rules->spec.obs_type, rules->spec.obs_scale},
        .nets = 1,
        .packed = &self->packed,
        .offsets = offsets,
        .obs = (const char*)batch->obs + first * rules->obs_bytes,
        .memory = memory,
        .mask = batch->mask + first * (size_t)rules->mask_words,
        .temperature = batch->temperature,
        .uniform = sampled ? uniform : NULL,
        .probability = batch->probability ? batch->probability + first * actions : NULL,
        .action = batch->action ? batch->action + first : NULL,
    };
    self->backend->forward(&call, self->scratch);
}

static void net_act(const agon_policy* policy, const agon_batch* batch) {
    const net_policy* self = (const net_policy*)policy->self;
    assert(batch->rules->entries == self->net.inputs);
    assert(batch->rules->spec.actions == self->net.actions);
    assert((batch->memory != NULL) == (policy->memory > 0));
    for (int from = 0; from < batch->count; from += CHUNK) {
        const int left = batch->count - from;
        float* memory =
            policy->memory ? batch->memory + (size_t)from * (size_t)policy->memory : NULL;
        act_chunk(self, batch, from, left < CHUNK ? left : CHUNK, memory);
    }
}

static int net_failed(const agon_policy* policy, agon_error* error) {
    const net_policy* self = (const net_policy*)policy->self;
    return self->backend->check ? self->backend->check(self->scratch, error) : 0;
}

static void net_close(agon_policy* policy) {
    net_policy* self = (net_policy*)policy->self;
    self->backend->scratch_close(self->scratch);
    free(self);
}

int agon_net_policy_open(const agon_backend* backend, const agon_net* net, const void* packed,
                         const agon_rules* rules, agon_policy* out, agon_error* error) {
    const int misfit = agon_net_fits(net, rules, "the agent", error);
    if (misfit)
        return misfit;
    net_policy* self = (net_policy*)malloc(sizeof *self);
    agon_scratch* scratch = self ? backend->scratch_open() : NULL;
    if (!scratch || backend->scratch_reserve(scratch, net, CHUNK, 0) != 0) {
        if (scratch)
            backend->scratch_close(scratch);
        free(self);
        const int rc = backend->check ? backend->check(NULL, error) : 0;
        return rc ? rc : agon_fail(error, AGON_EMEMORY, "net policy: out of memory");
    }
    *self = (net_policy){backend, *net, packed, scratch};
    *out = (agon_policy){.memory = agon_net_memory(net),
                         .self = self,
                         .act = net_act,
                         .failed = net_failed,
                         .close = net_close};
    agon_net_format(net, out->name, sizeof out->name);
    return 0;
}
