/* program_word.h: --agent NAME=COMMAND on a command line: programs that play. */
#ifndef AGON_PROGRAM_WORD_H
#define AGON_PROGRAM_WORD_H

/* Takes every --agent out of argv and offers its program under its name (net/program.h). Returns 0,
 * or an exit code after saying what is wrong. */
int agon_program_words(int* argc, char** argv);

#endif
