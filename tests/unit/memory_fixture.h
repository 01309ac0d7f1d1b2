/* memory_fixture.h: nets asked one decision at a time, with what they remember in the caller's
 * hands. For tests of whoever keeps memory for many of them. */
#ifndef AGON_MEMORY_FIXTURE_H
#define AGON_MEMORY_FIXTURE_H

#include "tests/unit/task_fixture.h"

/* A net of the game, ready to be asked. */
typedef struct mind {
    const agon_rules* rules; /* borrowed */
    agon_net net;
    void* packed;
    agon_scratch* scratch;
    int memory; /* floats */
} mind;

typedef struct told {
    uint16_t action;
    float value, log_probability;
} told;

static inline void mind_open(mind* m, const agon_rules* rules, const char* layers, uint64_t seed,
                             float gain) {
    const agon_backend* backend = agon_cpu_backend();
    *m = (mind){.rules = rules, .net = make_layers(rules, layers)};
    float* params = make_params(&m->net, seed, gain);
    assert_int_equal(posix_memalign(&m->packed, 64, backend->packed_size(&m->net)), 0);
    backend->pack(&m->net, params, m->packed);
    free(params);
    m->memory = agon_net_memory(&m->net);
    m->scratch = backend->scratch_open();
    assert_non_null(m->scratch);
}

static inline void mind_close(mind* m) {
    agon_cpu_backend()->scratch_close(m->scratch);
    free(m->packed);
}

static inline agon_player mind_player(const mind* m) {
    return (agon_player){&m->net, m->packed, NULL};
}

/* memory: in and out. probability: (actions), or NULL. */
static inline told mind_ask(const mind* m, const void* obs, const uint64_t* mask, float uniform,
                            float* memory, float* probability) {
    const int offsets[2] = {0, 1};
    const void* packed = m->packed;
    told t;
    const agon_forward call = {
        .net = &m->net,
        .input = {m->rules->spec.obs_type, m->rules->spec.obs_scale},
        .nets = 1,
        .packed = &packed,
        .offsets = offsets,
        .obs = obs,
        .memory = m->memory ? memory : NULL,
        .mask = mask,
        .temperature = 1,
        .uniform = &uniform,
        .value = &t.value,
        .probability = probability,
        .action = &t.action,
        .log_probability = &t.log_probability,
    };
    agon_cpu_backend()->forward(&call, m->scratch);
    return t;
}

/* The same where the action is known and the random number is not: one from the middle of those
 * that choose it. */
static inline told mind_ask_for(const mind* m, const void* obs, const uint64_t* mask,
                                uint16_t action, float* memory) {
    float probability[64], before = 0, spare[64];
    assert_true(m->net.actions <= 64 && m->memory <= 64);
    memcpy(spare, memory, (size_t)m->memory * sizeof *spare);
    mind_ask(m, obs, mask, 0, spare, probability);
    for (int a = 0; a < action; a++)
        before += probability[a];
    return mind_ask(m, obs, mask, before + probability[action] / 2, memory, NULL);
}

#endif
