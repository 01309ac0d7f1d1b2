/* worker_words.h: the command line of `agon worker`. */
#ifndef AGON_WORKER_WORDS_H
#define AGON_WORKER_WORDS_H

#include "net/cluster.h"

typedef struct agon_worker_words {
    agon_worker_def def;   /* all of it but its backend and functions */
    int device, precision; /* as in agon_config */
    bool quiet;
} agon_worker_words;

/* Loads the games that are named, so before threads are started. Returns 0, or the exit code after
 * printing what is wrong. */
int agon_worker_read_words(int argc, char** argv, agon_worker_words* out);

#endif
