#include "agents/profile.h"

static const struct {
    const char *name, *meaning;
} phases[AGON_PHASES] = {
    [AGON_PHASE_STEP] = {"step", "training games moved on"},
    [AGON_PHASE_OBSERVE] = {"observe", "observations and legal actions"},
    [AGON_PHASE_FORWARD] = {"forward", "nets, learner's and opponents'"},
    [AGON_PHASE_SAMPLE] = {"sample", "actions drawn from what nets say"},
    [AGON_PHASE_SCRIPTED] = {"scripted", "scripted opponents deciding"},
    [AGON_PHASE_COLLECT] = {"collect", "decisions kept, episodes begun"},
    [AGON_PHASE_UPDATE] = {"update", "gradients and optimiser"},
    [AGON_PHASE_PAYOFF] = {"payoff", "matches"},
    [AGON_PHASE_METRICS] = {"metrics", "probes asked, numbers computed"},
    [AGON_PHASE_STORE] = {"store", "results written, the disk waited for"},
    [AGON_PHASE_OTHER] = {"other", "planning, reading and packing nets"},
    [AGON_PHASE_IDLE] = {"idle", "threads without a task"},
};

void agon_profile_begin(agon_profile* p, agon_phase phase) {
    atomic_store_explicit(&p->phase, phase, memory_order_relaxed);
    atomic_store_explicit(&p->since, agon__profile_clock(), memory_order_relaxed);
}

void agon_profile_end(agon_profile* p) {
    agon_profile_enter(p, AGON_PHASE_IDLE);
    atomic_store_explicit(&p->since, 0, memory_order_relaxed);
}

void agon_profile_take(agon_profile* p, const agon_profile* other) {
    for (int i = 0; i < AGON_PHASES; i++)
        atomic_fetch_add_explicit(&p->spent[i], atomic_load(&other->spent[i]),
                                  memory_order_relaxed);
}

void agon_profile_add(const agon_profile* p, double* seconds) {
    const uint64_t since = atomic_load_explicit(&p->since, memory_order_relaxed);
    const int phase = atomic_load_explicit(&p->phase, memory_order_relaxed);
    const uint64_t now = since ? agon__profile_clock() : 0;
    for (int i = 0; i < AGON_PHASES; i++)
        seconds[i] += 1e-9 * (double)atomic_load_explicit(&p->spent[i], memory_order_relaxed);
    if (now > since)
        seconds[phase] += 1e-9 * (double)(now - since);
}

uint64_t agon_profile_processor(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void agon_profile_rest(double* seconds, double all) {
    for (int i = 0; i < AGON_PHASES; i++)
        all -= i == AGON_PHASE_IDLE ? 0 : seconds[i];
    seconds[AGON_PHASE_IDLE] = all > 0 ? all : 0;
}

void agon_profile_wait(double* seconds, agon_phase phase, double waited) {
    const double idle = seconds[AGON_PHASE_IDLE], moved = waited < idle ? waited : idle;
    seconds[phase] += moved;
    seconds[AGON_PHASE_IDLE] -= moved;
}

void agon_profile_shares(const double* seconds, double* share) {
    double sum = 0;
    for (int i = 0; i < AGON_PHASES; i++)
        sum += seconds[i];
    for (int i = 0; i < AGON_PHASES; i++)
        share[i] = sum > 0 ? seconds[i] / sum : 0;
}

const char* agon_phase_name(agon_phase phase) {
    return phases[phase].name;
}

const char* agon_phase_meaning(agon_phase phase) {
    return phases[phase].meaning;
}
