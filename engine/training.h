/* training.h: `agon train` without a terminal: a run from its config to its last row. */
#ifndef AGON_TRAINING_H
#define AGON_TRAINING_H

#include "engine/drive.h"
#include "engine/measure.h"
#include "engine/probes.h"

#define AGON_TRAINING_REWINDS 8

typedef struct agon_training agon_training;

/* Who watches; every function is optional and called on the loop thread. */
typedef struct agon_training_view {
    void* user;
    /* A measured generation is complete (in order, each once per process, unless it goes back). */
    void (*measured)(void* user, const agon_training* training, const agon_measurement* m);
    /* All agents finished a generation of training. */
    void (*trained)(void* user, const agon_training* training, int generation);
    void (*tick)(void* user, const agon_training* training, const agon_drive_state* state);
    void (*note)(void* user, const char* text);
    /* Asked after every result: true ends the run there; it could be resumed. */
    bool (*enough)(void* user, const agon_training* training);
} agon_training_view;

struct agon_training {
    agon_config config;
    agon_rules* rules; /* owned */
    agon_store* store; /* owned */
    agon_population population;
    agon_probes probes;
    agon_training_view view;
    char plugin_hash[AGON_HASH_SIZE]; /* SHA-256 of the plug-in's file; empty: a built-in */
    char notice[512];                 /* what a person should know before it runs; empty: nothing */
    agon_executor_open* open;    /* who runs the tasks, set before agon_training_run; NULL: this
                                    process */
    const void* maker;           /* its second argument, borrowed */
    const agon_backend* backend; /* what the run's tasks compute with; NULL: it is only read */
    int slots;
    int tasks;             /* of the whole run */
    int trained, measured; /* generations complete and reported; -1: none */
    /* By this process, since it began to train, or went back: */
    int tasks_before, trained_before; /* done and trained when it did */
    uint64_t steps, other_steps;      /* agent-steps stored: learners', others' */
    double seconds;
    double phase[AGON_PHASES]; /* seconds of all threads, as in agon_drive_state */
    uint64_t begun;
};

/* A new run in config->run.dir (or runs/GAME-seedSEED when empty), on the device that train.device
 * means here. Where config->machine.plugin is
 * set, here and below, that file is tried in a child process and then loaded: no threads may have
 * been started yet. */
int agon_training_create(const agon_config* config, const char* version, agon_training** out,
                         agon_error* error);
/* An existing run, on the kind of device that it was made with; where this machine has none, it is
 * refused before anything of it is touched. `machine` gives [run] and [machine] settings of now, or
 * NULL. */
int agon_training_resume(const char* dir, const agon_config* machine, agon_training** out,
                         agon_error* error);
/* Reads a run without the right to write; agon_training_run must not be called. */
int agon_training_read(const char* dir, agon_training** out, agon_error* error);
void agon_training_close(agon_training* training);

/* Goes on to the end, or to a signal. metrics.jsonl is completed first, or made again where it is
 * not what the rows say: it is a function of them. Where a committed result proves wrong, what may
 * rest on it is taken back (agon_store_rewind) and made again, AGON_TRAINING_REWINDS times; the
 * next is AGON_ECONFLICT. */
int agon_training_run(agon_training* training, const agon_training_view* view, bool* interrupted,
                      agon_error* error);

#endif
