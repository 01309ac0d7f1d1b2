/* agent.h: one grammar for agents on every command line.
 *
 *   name(params)         a scripted policy: random, one_ply, alpha_beta(depth=4), ...
 *   FILE.safetensors     a snapshot or learner
 *   RUN:best             the agent of a run that its last measurement calls best; where roles are
 *                        separate, the best of each role
 *   RUN:all              its agents at the last trained generation
 *   RUN:GENERATION       its agents at that generation
 *   RUN:GENERATION/AGENT one of them
 */
#ifndef AGON_AGENT_H
#define AGON_AGENT_H

#include "engine/task.h"
#include "agents/policy.h"

typedef struct agon_agent {
    char name[160];     /* for people: "one_ply", "runs/kuhn_poker-seed1:60/3" */
    agon_policy policy; /* one thread at a time */
    void* packed;       /* owned weights of a net; NULL: scripted */
    /* As tasks name it: the hash of its snapshot, whose bytes are kept beside it, or a scripted
     * policy's text. */
    char ref[AGON_REF_SIZE];
    uint8_t* data; /* (size) owned; NULL: scripted */
    size_t size;
} agon_agent;

/* Zero is an empty list. */
typedef struct agon_agents {
    agon_agent* agent; /* (count) owned */
    int count;
} agon_agents;

/* Appends whoever `text` names, to play `rules` (borrowed). A mistake names the text, what was
 * expected and what there is; the list is then unchanged. */
int agon_agents_add(agon_agents* list, const char* text, const agon_rules* rules,
                    agon_error* error);
void agon_agents_close(agon_agents* list);

/* Names them all, separated by spaces; a space inside brackets belongs to its agent. */
int agon_agents_add_words(agon_agents* list, const char* words, const agon_rules* rules,
                          agon_error* error);
/* A snapshot of the list by its hash, as tasks ask for it (user: the list); *data malloc'd. */
int agon_agents_load(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error);

#endif
