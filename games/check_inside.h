/* SPDX-License-Identifier: 0BSD
 *
 * check_inside.h: what the files of the checker share. A checker stands at one position of one line
 * of play; rules are questions about that position. What a child process does is written to memory
 * that its parent sees, so that a crash can be told with its line. */
#ifndef AGON_CHECK_INSIDE_H
#define AGON_CHECK_INSIDE_H

#include "check.h"
#include "internal.h"

#define AGON__LINE_NUMBERS (1 << 17) /* numbers of the longest line: plies * seats */
#define AGON__LATEST       4         /* positions before this one that are kept */

/* A line of play: `steps` plies, chance included, each a row of `seats` numbers; an outcome is the
 * first of its row, unused numbers are 0. */
typedef struct agon__line {
    int steps;
    uint16_t number[AGON__LINE_NUMBERS];
} agon__line;

/* Memory of parent and child. Pointers are to static strings or into it, which lie at the same
 * place in both. */
typedef struct agon__shared {
    agon_check_report report;
    volatile int rule;                  /* asked now; -1: none */
    const char* volatile function;      /* of the game, called now */
    volatile uint64_t beat;             /* calls of the game so far */
    volatile bool done;                 /* the child did all that it was to do */
    int code;                           /* of a replay */
    agon_error error;                   /* the same, where the line cannot be played */
    bool found_shorter, shortest;       /* result of a search: best is set; none is shorter */
    bool hid;                           /* resample has changed a state */
    const char* note[AGON_CHECK_RULES]; /* what to tell of a rule that is not broken */
    char seats_said[400];               /* such a note, about a line of seats_steps plies */
    int seats_steps;
    agon__line line;                    /* where the checker stands */
    agon__line best;                    /* the shortest line that fails */
    agon__line found[AGON_CHECK_RULES]; /* by rule: the line that failed */
    agon__line partner;                 /* of the one about recall: the line to play before */
} agon__shared;

typedef struct agon__recall agon__recall;
typedef struct agon__views agon__views;

typedef struct agon__check {
    const agon_rules* rules;
    const agon_check_options* options;
    agon__shared* shared;
    bool wanted[AGON_CHECK_RULES]; /* still asked for */
    bool crashes;                  /* a search for a crash: broken rules are no news */
    double end;                    /* when to be done, by agon__now; 0: whenever */
    double shortening;             /* seconds for each way of making a failure short */

    /* The position. Its line is shared->line. */
    uint8_t* state;
    uint64_t acting;
    bool sane;                     /* `acting` is a set that somebody can act in */
    double reward[AGON_MAX_SEATS]; /* returns so far */
    double paid;                   /* sizes of all rewards so far */
    int plies, draws;              /* of the line: decisions, chance */
    int draws_in_a_row;
    uint16_t action[AGON_MAX_SEATS]; /* what is played next, legal; set when `sane` */
    uint64_t own[AGON_MAX_SEATS];    /* hash of what each seat knew and did so far */
    uint8_t* latest;                 /* (AGON__LATEST): states before this one, by line.steps */
    uint16_t latest_action[AGON__LATEST][AGON_MAX_SEATS];

    /* Room for rules: states, two outputs between guards, masks, probabilities. */
    uint8_t *spare, *spare2, *spare3, *out, *out2;
    size_t out_size; /* of an output, without guards */
    uint64_t *mask, *mask2;
    double* prob;
    agon_key key;
    uint32_t stream; /* of random numbers: an episode, from 1 on; 0: questions */
    void* config;    /* a copy of what configure made */
    agon__recall* recall;
    agon__views* views;
    double* frequency; /* (3, chance outcomes): expected, variance, met */
    char said[512];    /* by a rule that fails */
} agon__check;

/* ---- check_rules.c ---- */

typedef bool agon__question(agon__check* k); /* false: broken, k->said tells what */

typedef struct agon__rule {
    const char* name;
    const char* promise;
    agon__question* ask; /* at a position; NULL: not about positions */
    bool at_ends;        /* asked at the ends of episodes only: it plays the whole line again */
    const char* (*skip)(const agon_rules* rules); /* why it does not apply, or NULL */
} agon__rule;

enum {
    AGON__FACTS,
    AGON__ACTING,
    AGON__MASK,
    AGON__REFUSAL,
    AGON__END,
    AGON__PLIES,
    AGON__CHANCE_SUMS,
    AGON__UTILITY,
    AGON__REWARDS,
    AGON__SEATS,
    AGON__SYMMETRY,
    AGON__VIEWS,
    AGON__LEAKS,
    AGON__RECALL,
    AGON__NAMES,
    AGON__TEXT,
    AGON__BUFFERS,
    AGON__READS,
    AGON__CONFIG,
    AGON__NUMBERS,
    AGON__BATCH,
    AGON__CLONE,
    AGON__REPLAY,
    AGON__INTERLEAVING,
    AGON__THREADS,
    AGON__PROCESS,
    AGON__CRASH,
    AGON__RULES
};

extern const agon__rule agon__check_rule[AGON__RULES];

/* Opens a game and checks its facts. Returns an error for a wrong game string; otherwise *out is
 * set, or said (512 bytes) tells which fact is wrong. */
int agon__check_facts(const agon_game* game, const agon__game_string* string, agon_rules** out,
                      char* said, agon_error* error);

/* ---- check.c ---- */

/* A rule is broken: text for people. Returns false. */
bool agon__broken(agon__check* k, const char* format, ...) __attribute__((format(printf, 2, 3)));

double agon__now(void); /* seconds, of a clock that only goes on */
static inline bool agon__is_late(const agon__check* k) {
    return k->end > 0 && agon__now() > k->end;
}

/* Notes that a function of the game is called now. Returns the game. */
static inline const agon_game* agon__call(agon__check* k, const char* function) {
    k->shared->function = function;
    k->shared->beat++;
    return k->rules->game;
}

/* ---- check_walk.c: positions and lines ---- */

/* Room for everything; false: no memory. */
bool agon__check_open(agon__check* k, const agon_rules* rules);
void agon__check_close(agon__check* k);

void agon__walk_start(agon__check* k);
/* Plays `action` (seats; the outcome first at chance nodes); false: refused, nothing has changed.
 */
bool agon__walk_step(agon__check* k, const uint16_t* action);
/* Sets k->action: chance by its probabilities; seats by a way of choosing. False: nobody can act,
 * or what is legal is not sane. */
bool agon__walk_choose(agon__check* k, int way);
enum { AGON__WAYS = 6 };
/* The same for questions: k->action at random, but always the same at the same position. */
bool agon__prepare(agon__check* k);
/* For a state that is not the checker's own: random outcomes or legal actions into `row`, all of
 * it, always the same for `draw`. Returns -1, or a seat that has no legal action. */
int agon__walk_row(agon__check* k, const void* state, uint64_t acting, uint32_t draw,
                   uint16_t* row);
/* How far sums of the rewards so far, which are floats, may miss `number` by their rounding. */
double agon__walk_slack(const agon__check* k, double number);
void agon__line_copy(const agon__check* k, agon__line* to, const agon__line* from);
/* From the start along a line; false where it cannot be played, the position is the last one. */
bool agon__walk_along(agon__check* k, const agon__line* line);

/* Chance of a position that is one; 0: not sane. Into k->prob. */
int agon__walk_chance(agon__check* k);
/* The mask of an acting seat into k->mask; returns how many are legal, 0: not sane. */
int agon__walk_mask(agon__check* k, int seat);
static inline bool agon__decides(const agon__check* k) {
    return k->sane && k->acting && k->acting != AGON_CHANCE;
}
/* 0..below-1, a function of stream, plies, `what` it is for and `draw`. */
uint32_t agon__walk_random(const agon__check* k, uint32_t what, uint32_t draw, uint32_t below);

/* A line as text and back; names: as names of actions. Cut with "..." when it does not fit. */
void agon__line_text(agon__check* k, const agon__line* line, char* out, size_t size);
void agon__line_names(agon__check* k, const agon__line* line, char* out, size_t size);
/* Plays a line of text from the start, ask(k) at each position; stops when it is false. */
int agon__line_play(agon__check* k, const char* text, agon__question* ask, agon_error* error);

/* ---- questions, by file ---- */

agon__question agon__ask_acting, agon__ask_mask, agon__ask_refusal, agon__ask_end, agon__ask_plies,
    agon__ask_chance, agon__ask_utility, agon__ask_rewards;          /* check_play.c */
agon__question agon__ask_seats, agon__ask_symmetry, agon__ask_leaks; /* check_know.c */
agon__question agon__ask_names, agon__ask_text, agon__ask_buffers, agon__ask_reads,
    agon__ask_config, agon__ask_numbers, agon__ask_batch; /* check_bytes.c */
agon__question agon__ask_clone, agon__ask_replay, agon__ask_interleaving,
    agon__ask_threads; /* check_again.c */

/* check_recall.c: tables over many positions. */
agon__question agon__ask_recall;
agon__recall* agon__recall_open(void);
void agon__recall_close(agon__recall* recall);
void agon__recall_forget(agon__check* k); /* all that was met */
/* Before a step: what the acting seats know and do becomes part of what they know later. */
void agon__recall_note(agon__check* k, const uint16_t* action);

agon__views* agon__views_open(const agon_rules* rules);
void agon__views_close(agon__views* views);
void agon__views_add(agon__check* k);     /* this position */
bool agon__views_compare(agon__check* k); /* a question about all of them */

/* check_search.c */
void agon__explore(agon__check* k);             /* plays and asks; fills the report */
void agon__search(agon__check* k, int rule);    /* the shortest line that fails, to shared->best */
void agon__leave_out(agon__check* k, int rule); /* plies of shared->best, as long as it fails */

/* check_again.c */
bool agon__same_in_process(agon__check* k); /* the question of AGON__PROCESS, about some episodes */

#endif
