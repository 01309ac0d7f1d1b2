/* SPDX-License-Identifier: 0BSD
 *
 * check.h: does a game keep the promises of agon_game.h?
 *
 * A checker plays episodes in several ways (at random, as long as possible, the same action again
 * and again, ...) and asks at every position whether each rule of the contract holds. What breaks a
 * rule is made as short as possible: first all lines of play are tried from the shortest on, then
 * plies are left out of the line that was found. A line of play is written as numbers, the plies
 * with '.' between them and the actions of seats that act together with ',': "2.0,1.3". "-" is the
 * start. Lines joined with '+' are played one after the other.
 *
 * The game is played in child processes. One that crashes, exits or hangs is a failure with its
 * line, like any other. */
#ifndef AGON_CHECK_H
#define AGON_CHECK_H

#include "rules.h"

#define AGON_CHECK_RULES   32    /* room for that many rules */
#define AGON_CHECK_LINE    32768 /* bytes of a line of play as text; longer ones are cut */
#define AGON_CHECK_COMMAND (AGON_CHECK_LINE + 16384) /* bytes of a command that replays one */

typedef enum agon_check_status {
    AGON_CHECK_PASSED,
    AGON_CHECK_FAILED,
    AGON_CHECK_WARNED,  /* not a broken promise, but worth knowing; `text` says what */
    AGON_CHECK_SKIPPED, /* does not apply to this game, or something is missing; `text` says what */
} agon_check_status;

/* What became of one rule. */
typedef struct agon_check_result {
    const char* rule;    /* "mask"; static */
    const char* promise; /* one line; static */
    agon_check_status status;
    uint64_t asked;              /* how often it was asked */
    char text[512];              /* what is wrong, or why it was skipped; empty: nothing to say */
    const char* replay_rule;     /* FAILED: the rule to ask for, another one after a crash; NULL:
                                    it is not the checker's */
    bool has_line;               /* FAILED: the following are set */
    bool shortest;               /* there is no shorter line that shows it */
    int plies;                   /* of the line, chance included */
    char line[AGON_CHECK_LINE];  /* as numbers; ends in "..." when it was cut */
    char names[AGON_CHECK_LINE]; /* the same as names of actions */
} agon_check_result;

typedef struct agon_check_report {
    uint64_t episodes, positions;
    int longest;    /* plies of seats of the longest episode that was met */
    int max_plies;  /* what the facts say */
    double seconds; /* the whole took */
    int count;      /* of results */
    agon_check_result result[AGON_CHECK_RULES];
} agon_check_report;

typedef struct agon_check_options {
    double seconds;     /* of play; other processes, failures made short come on top. > 0 */
    uint64_t positions; /* stop after so many, also before the time is over; 0: no limit */
    const char* only;   /* ask for this rule alone; NULL: all */
    const char* replay; /* play this line instead and ask at each position of it; NULL: play on your
                           own */
    double patience;    /* seconds that one call of the game may take; 0: 10 */
    double shortening;  /* seconds for each of two ways of making one failure short; 0: 4, and
                           less when many rules are broken */
    bool here;          /* play in this process, for fuzzers and debuggers: a crash is a crash */
    bool progress;      /* a line about it on stderr, again and again */
    const char* const* hashes; /* a program (words, NULL behind them) that calls agon_check_hashes
                                  for this game; NULL: processes are not compared */
} agon_check_options;

/* The number of rules, and their names. */
int agon_check_rule_count(void);
const char* agon_check_rule_name(int index);

/* Checks the game of a game string. *out: owned by the caller, agon_check_close. Facts that break
 * the contract are a failed rule, "facts". Errors: a game string that names no game or gives it a
 * wrong parameter; AGON_EUNKNOWN for a rule that does not exist; AGON_EINVALID for a line that
 * cannot be played; AGON_EMEMORY. */
int agon_check_game(const char* game_string, const agon_check_options* options,
                    agon_check_report** out, agon_error* error);

/* The same for a table that need not be a built-in or loaded. parameters: "(stones=5)", or "". */
int agon_check_table(const agon_game* game, const char* parameters,
                     const agon_check_options* options, agon_check_report** out, agon_error* error);

void agon_check_close(agon_check_report* report); /* NULL is fine */

/* The failed rules among the results. */
int agon_check_failures(const agon_check_report* report);

/* Words of a shell that replay a failure, with "--only RULE --replay LINE" between them. */
typedef struct agon_check_command {
    const char *before, *after;
} agon_check_command;

/* The command for a failure that has a replay_rule. out: (size), AGON_CHECK_COMMAND holds each. */
void agon_check_command_text(const agon_check_result* r, const agon_check_command* c, char* out,
                             size_t size);

/* The report for people, on stdout. debug: how to replay it under sanitizers, or NULL. quiet: only
 * what is broken. */
void agon_check_print(const agon_check_report* report, const char* name,
                      const agon_check_command* again, const agon_check_command* debug, bool quiet);

/* Prints one hash per position of some episodes, for comparison with another process. */
void agon_check_hashes(const agon_rules* rules);

/* The checker as a program of its own, with one game in it: what `agon build-game --debug` makes.
 *   PROGRAM [--seconds N] [--only RULE] [--replay LINE] ['NAME(parameters)']
 * Returns the exit code: 0, 1 (a promise is broken), 2 (wrong use). */
int agon_check_main(const agon_game* game, int argc, char** argv);

#endif
