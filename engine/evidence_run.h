/* evidence_run.h: what a stored run says about its population at one generation, as evidence.
 *
 * Whatever the run kept is used as it was measured: answers to its own probe set, matches, scores
 * against anchors. What it did not keep (another probe set, a generation that was not measured,
 * symmetric questions, hidden layers, visits, another variant of the game) is asked or played anew
 * from its snapshots: a function of the run and the wish alone. */
#ifndef AGON_EVIDENCE_RUN_H
#define AGON_EVIDENCE_RUN_H

#include "engine/gather.h"
#include "engine/training.h"

typedef struct agon_run_wish {
    unsigned needs;            /* AGON_NEEDS_...: parts that nobody needs are left absent */
    int generation;            /* -1: the last measured one */
    int role;                  /* of runs whose roles are separate */
    const agon_probes* probes; /* NULL: the run's own set */
    char probes_hash[AGON_HASH_SIZE];
    const agon_rules* rules; /* NULL: the run's; else a variant with as many entries and actions */
    int games;               /* of a pair, where it is played anew; 0: the run's metrics.games */
    int threads;
    /* Held-out opponents instead of the run's anchors; 0: the run's. */
    int anchors;
    const char (*anchor_label)[AGON_LABEL];
    const char (*anchor_ref)[AGON_REF_SIZE];
    /* Blobs that are not the run's (held-out opponents); NULL: there are none. Thread-safe. */
    int (*load)(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);
    void* load_user;
    void (*progress)(void* user, const char* what, int done, int total);
    void* user;
} agon_run_wish;

/* *out: owned by the caller, agon_evidence_clear, also after an error. AGON_EMISSING: that
 * generation was not trained yet. */
int agon_evidence_run(const agon_training* run, const agon_run_wish* wish, agon_evidence* out,
                      agon_error* error);

/* The newest generation that is trained, and of those the newest that is measured; -1: none. */
int agon_run_trained(const agon_training* run);
int agon_run_measured(const agon_training* run);

#endif
