/* npz.h: several named arrays in one file, as numpy.load opens it: a ZIP archive of .npy files.
 *
 * The numbers are a function of what was added; the archive's bytes depend on the zlib that
 * deflated them, too. No date is kept in it. */
#ifndef AGON_NPZ_H
#define AGON_NPZ_H

#include "engine/npy.h"

typedef struct agon_npz agon_npz;

/* An archive that will lie at `path`; nothing is written before agon_npz_finish. *out: owned by the
 * caller, agon_npz_close. */
int agon_npz_open(const char* path, agon_npz** out, agon_error* error);
/* Adds an array under a name ([A-Za-z0-9_], each once). data: copied; shape: (rank). */
int agon_npz_add(agon_npz* npz, const char* name, agon_npy_type type, int rank, const size_t* shape,
                 const void* data, agon_error* error);
/* Writes the file by a temporary name and a rename: whole or not at all. Nothing can be added
 * afterwards. */
int agon_npz_finish(agon_npz* npz, agon_error* error);
void agon_npz_close(agon_npz* npz); /* NULL is fine; an unfinished archive is dropped */

#endif
