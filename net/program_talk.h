/* program_talk.h: one running program, and what is said to it; see program.h. */
#ifndef AGON_PROGRAM_TALK_H
#define AGON_PROGRAM_TALK_H

#include "agents/policy.h"

typedef struct agon__talk agon__talk;

/* NULL: no memory. Nothing is started yet. rules are borrowed. */
agon__talk* agon__talk_open(const char* name, const char* command, const agon_rules* rules);
/* Fills batch->action; after a failure with legal ones. A program has no probabilities. */
void agon__talk_act(agon__talk* talk, const agon_batch* batch);
int agon__talk_failed(const agon__talk* talk, agon_error* error);
void agon__talk_close(agon__talk* talk); /* ends the program */

#endif
