/* ui.h: what every command shares: colours, errors, options.
 *
 * Exit codes hold for every command: 0 done, 1 the world was not as it should be (the message says
 * what, the hint what to do), 2 wrong use of the command line. */
#ifndef AGON_UI_H
#define AGON_UI_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { AGON_EXIT_OK = 0, AGON_EXIT_FAULT = 1, AGON_EXIT_USAGE = 2 };

typedef enum agon_colour {
    AGON_PLAIN, /* ends a colour */
    AGON_BOLD,
    AGON_DIM,
    AGON_RED,
    AGON_GREEN,
    AGON_YELLOW
} agon_colour;

/* Are escape codes welcome? Only on a terminal that is not "dumb", and without NO_COLOR. */
bool agon_ui_colours(FILE* stream);
/* The escape code, or "" where colours are not welcome. Static. */
const char* agon_ui_colour(FILE* stream, agon_colour colour);

/* Seconds on a clock that only runs on: for rates and time left. */
double agon_ui_seconds(void);

/* Columns of the terminal behind a stream; 80 when it is none. */
int agon_ui_width(FILE* stream);

/* Text of UTF-8 in so many columns: padded, or cut between characters; wide ones (Chinese,
 * Japanese, Korean) take two. columns < 0: at the right of -columns. */
void agon_ui_cell(FILE* out, const char* text, int columns);

/* Text in lines that end before column 92, the ones after the first indented so far. */
void agon_ui_wrapped(FILE* out, const char* text, int indent);

/* Prints "agon: text" and "hint: ..." on stderr; returns the exit code that goes with the error. */
int agon_ui_error(const agon_error* error);
/* The same for a mistake on the command line; the hint names `agon COMMAND --help`. Returns 2. */
int agon_ui_usage(const char* command, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

/* One option of a command: a switch when `flag` is set, otherwise it takes a value ("--out DIR" or
 * "--out=DIR"). Targets are the caller's and keep their value when the option is not given. */
typedef struct agon_option {
    const char* name; /* "--out" */
    bool* flag;
    const char** value; /* borrowed from argv */
} agon_option;

/* Takes the options out of argv (argv[0] is the command's name) and leaves the other words, in
 * order, in argv[1] .. argv[*words]. "--" ends the options. Returns 0, or 2 after printing a usage
 * error that suggests the nearest option. */
int agon_ui_options(int argc, char** argv, const agon_option* options, int count, int* words);

/* Takes an option that may be given several times out of argv, before agon_ui_options sees the
 * rest. out: (most) values, borrowed from argv. Returns 0, or 2 after printing a usage error. */
int agon_ui_repeated(int* argc, char** argv, const char* name, const char** out, int most,
                     int* count);

/* How many tasks to run at a time: `wanted`, or one per core that this process may use when that is
 * 0. libuv's pool gets two threads more, for files and DNS: before it is first used, which is when
 * it reads its size. */
int agon_ui_tasks(int wanted);

/* A word as a shell takes it: itself, or in single quotes in out: (size), cut when it is longer. */
const char* agon_ui_shell_word(const char* word, char* out, size_t size);

/* Writes out stdout; an error (full disk, closed pipe) is printed. Returns the exit code: `code`,
 * or 1 when output was lost. */
int agon_ui_finish(int code);

#endif
