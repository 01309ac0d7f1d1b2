/* check_source.h: questions about a game's file rather than its play, for `agon check`. */
#ifndef AGON_CHECK_SOURCE_H
#define AGON_CHECK_SOURCE_H

#include "games/check.h"

/* The file that a game was compiled from, if it is still there: what its table says, or, of a
 * plug-in at `path` (NULL: a built-in), the .c beside it. out: (size). */
bool agon_source_find(const agon_game* game, const char* path, char* out, size_t size);

/* Rule "device": the source compiles inside a CUDA kernel or, without nvcc, at least as C++20. */
void agon_source_device(const agon_game* game, const char* source, agon_check_result* result);

/* Rule "imports": functions that are not the same on every machine, or at every time, among those
 * that the plug-in at `path`, or the object that `source` compiles to, asks for. A warning. */
void agon_source_imports(const char* path, const char* source, agon_check_result* result);

#endif
