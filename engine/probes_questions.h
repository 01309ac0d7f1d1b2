/* probes_questions.h: positions on lines of probe states as batches of questions, and what the
 * asked seats remember when a question is put (inside engine/ only). */
#ifndef AGON_PROBES_QUESTIONS_H
#define AGON_PROBES_QUESTIONS_H

#include "engine/probes_replay.h"

enum { AGON__QUESTIONS = 256 }; /* asked at a time */

/* One batch. */
typedef struct agon__questions {
    const agon_rules* rules;   /* borrowed */
    const agon_policy* policy; /* borrowed */
    int image;                 /* symmetry that positions are shown under; 0: as they are */
    char* obs;                 /* (AGON__QUESTIONS, obs_bytes) */
    uint64_t* mask;            /* (AGON__QUESTIONS, mask_words) */
    char* states;              /* (AGON__QUESTIONS, state_size) */
    float* memory;             /* (AGON__QUESTIONS, policy->memory), or NULL */
    uint32_t lane[AGON__QUESTIONS], episode[AGON__QUESTIONS], ply[AGON__QUESTIONS];
    uint8_t seat[AGON__QUESTIONS];
} agon__questions;

/* rules, policy and image are set. Close also what failed to open. */
int agon__questions_open(agon__questions* questions, agon_error* error);
void agon__questions_close(agon__questions* questions);

/* Question i of the batch: what the asked seat of the replayed line does in replay->state, before
 * which seats have played `ply` plies. */
int agon__questions_put(agon__questions* questions, agon__replay* replay, int i, int ply);

/* Asks the first `count`. probability: out (count, actions), or NULL: only memory moves on. */
void agon__questions_ask(const agon__questions* questions, int count, float temperature,
                         float* probability);

/* ---- memory ------------------------------------------------------------------------------- */

/* Lines played side by side, from one decision of their asked seats to the next. */
typedef struct agon__remember {
    agon__questions asked; /* the decisions of one step */
    char* states;          /* (AGON__QUESTIONS, state_size) where each line stands */
    int32_t row[AGON__QUESTIONS];
    int ply[AGON__QUESTIONS];
    int line[AGON__QUESTIONS]; /* of a question of the step */
} agon__remember;

/* For the policy and the image of the questions. All zero is closed; close what failed to open. */
int agon__remember_open(agon__remember* remember, const agon__questions* questions,
                        agon_error* error);
void agon__remember_close(agon__remember* remember);

/* What the asked seats of probe states first .. first + count - 1 remember when they are asked: the
 * policy sees each decision that its seat made on the way, whatever was played there. memory: out
 * (count, policy->memory). The lines are known to keep to the rules. */
int agon__remember_lines(agon__remember* remember, agon__replay* replay, int first, int count,
                         float* memory);

#endif
