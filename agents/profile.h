/* profile.h: where the time goes: the seconds of a thread, told apart by what it was doing.
 *
 * A profile is in one phase at a time; entering the next one adds the time since the last change to
 * the phase that is left, so phases add up to the time that was watched. One thread writes, any may
 * read. The clock is read per batch of rows, never per row, and nothing of it enters a result. */
#ifndef AGON_PROFILE_H
#define AGON_PROFILE_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

typedef enum agon_phase {
    AGON_PHASE_STEP,     /* training: games moved on, chance included */
    AGON_PHASE_OBSERVE,  /* rows sorted by player; observations and legal actions written */
    AGON_PHASE_FORWARD,  /* nets, learner's and opponents' */
    AGON_PHASE_SAMPLE,   /* random numbers, softmax, actions, log-probabilities */
    AGON_PHASE_SCRIPTED, /* scripted opponents deciding */
    AGON_PHASE_COLLECT,  /* decisions and rewards kept to learn from; episodes begun */
    AGON_PHASE_UPDATE,   /* advantages, gradients, optimiser */
    AGON_PHASE_PAYOFF,   /* matches, whole */
    AGON_PHASE_METRICS,  /* probe tasks, whole; numbers of measured generations */
    AGON_PHASE_STORE,    /* results and blobs written, pruned, and waited for */
    AGON_PHASE_OTHER,    /* planning; reading, packing and encoding nets, tasks and results */
    AGON_PHASE_IDLE,     /* nothing; found by subtraction, never entered */
    AGON_PHASES
} agon_phase;

/* Zero: not watched, and entering a phase does nothing. */
typedef struct agon_profile {
    atomic_ullong spent[AGON_PHASES]; /* nanoseconds */
    atomic_ullong since;              /* when the present phase was entered; 0: not watched */
    atomic_int phase;                 /* the present one */
} agon_profile;

static inline uint64_t agon__profile_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Returns the phase that is left, for coming back to it. NULL: not watched. */
static inline agon_phase agon_profile_enter(agon_profile* p, agon_phase phase) {
    const uint64_t since = p ? atomic_load_explicit(&p->since, memory_order_relaxed) : 0;
    if (!since)
        return phase;
    const uint64_t now = agon__profile_clock();
    const int left = atomic_load_explicit(&p->phase, memory_order_relaxed);
    const uint64_t spent = atomic_load_explicit(&p->spent[left], memory_order_relaxed);
    atomic_store_explicit(&p->spent[left], spent + (now - since), memory_order_relaxed);
    atomic_store_explicit(&p->since, now, memory_order_relaxed);
    atomic_store_explicit(&p->phase, phase, memory_order_relaxed);
    return (agon_phase)left;
}

/* Watched from now on; until now on. What was spent is kept from one watch to the next. */
void agon_profile_begin(agon_profile* profile, agon_phase phase);
void agon_profile_end(agon_profile* profile);

/* Adds what another thread, which has ended, spent to what this one did. Called by this one. */
void agon_profile_take(agon_profile* profile, const agon_profile* other);

/* Adds what was spent, the present phase included, to seconds: (AGON_PHASES). A thread that changes
 * phase at this very moment may have one stretch counted twice. */
void agon_profile_add(const agon_profile* profile, double* seconds);

/* Nanoseconds of processor that the calling thread has had: for work that waits for a disk. */
uint64_t agon_profile_processor(void);

/* Idle becomes what the other phases leave of `all`, at least 0. */
void agon_profile_rest(double* seconds, double all);
/* Up to so many seconds of idle become those of the phase that was waited for. */
void agon_profile_wait(double* seconds, agon_phase phase, double waited);
/* Seconds as shares of their sum; all 0 when that is 0. Both (AGON_PHASES). */
void agon_profile_shares(const double* seconds, double* share);

/* "step", and what it means in a few words. */
const char* agon_phase_name(agon_phase phase);
const char* agon_phase_meaning(agon_phase phase);

#endif
