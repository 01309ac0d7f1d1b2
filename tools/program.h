/* program.h: running another program and reading what it says. */
#ifndef AGON_PROGRAM_H
#define AGON_PROGRAM_H

#include <stddef.h>

/* Runs argv[0] (looked up in PATH; no shell, so words are taken as they are) in directory `dir`
 * (NULL: here), standard input empty, and waits. out: what it printed on both streams, cut to
 * size - 1 bytes and ended by NUL; NULL: both streams are ours. Returns its exit status, 128 + the
 * signal that ended it, or -1 when it could not be started. */
int agon_program_run(const char* const* argv, const char* dir, char* out, size_t size);

#endif
