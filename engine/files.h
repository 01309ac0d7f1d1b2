/* files.h: the few things agon does with files, done so that a crash or a full disk loses nothing.
 *
 * A file that matters is never written in place: its bytes go to a temporary name beside it, are
 * fsynced, and the name is swapped by rename, so a reader sees the old file or the new one, whole.
 * The directory is fsynced afterwards, or the swap itself may be lost with the power. Messages name
 * the path and the system's reason; a full disk is AGON_ENOSPACE and says how much room is left.
 * All functions are pure POSIX and thread-safe, as long as two threads do not write one path. */
#ifndef AGON_FILES_H
#define AGON_FILES_H

#include "games/error.h"

#include <stddef.h>
#include <stdint.h>

#define AGON_PATH_SIZE 4096        /* longest path with its NUL, bytes */
#define AGON_TEMPORARY ".agon-tmp" /* ending of the names of temporary files */

/* Fails with the message "`what` `path`: reason" for an errno value: AGON_ENOSPACE for a full disk
 * or quota, AGON_EMISSING for ENOENT, otherwise AGON_EIO. */
int agon_file_fail(agon_error* error, int number, const char* what, const char* path);

/* Makes a directory and its parents (mode 0777 less the umask). One that exists is fine; a parent
 * that is a file is AGON_EIO. */
int agon_dir_make(const char* path, agon_error* error);
/* Makes what was renamed, made or removed in a directory durable. */
int agon_dir_sync(const char* path, agon_error* error);
/* Removes temporary files that a killed process left in a directory. Returns their number, or a
 * negative code. Other files are not touched. */
int agon_dir_clean(const char* path, agon_error* error);

/* Puts `size` bytes at `path`: temporary file, fsync, rename. Does not sync the directory, so that
 * many files can share one agon_dir_sync. On failure `path` is as before and nothing is left. */
int agon_file_place(const char* path, const void* data, size_t size, agon_error* error);
/* The same without fsync: whole for whoever reads it, but after a power cut it may be anything. For
 * what can be had again and is checked when it is read. */
int agon_file_swap(const char* path, const void* data, size_t size, agon_error* error);
/* agon_file_place and agon_dir_sync of the directory that holds `path`. */
int agon_file_write(const char* path, const void* data, size_t size, agon_error* error);

/* Reads a whole regular file of at most `limit` bytes (AGON_ELIMIT beyond; AGON_EMISSING when there
 * is none). *data: malloc'd, owned by the caller, `size` bytes and one NUL that is not counted. */
int agon_file_read(const char* path, size_t limit, uint8_t** data, size_t* size, agon_error* error);
/* Appends `line` and a newline to a file, which is made when absent. Not fsynced. A last line that
 * was torn by a crash is closed first; on failure the file keeps its old length. */
int agon_file_append(const char* path, const char* line, agon_error* error);
/* Leaves the first `size` bytes of a file that has more; makes an empty one where there is none.
 * Not fsynced. */
int agon_file_cut(const char* path, uint64_t size, agon_error* error);

/* Bytes that an ordinary user may still write on the file system of `path` (or of its nearest
 * existing parent). 0 when it cannot be told. */
uint64_t agon_free_space(const char* path);

#endif
