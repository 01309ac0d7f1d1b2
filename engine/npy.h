/* npy.h: arrays as NumPy keeps them (.npy), read and written.
 *
 * Read are versions 1 to 3 of the format, at most four dimensions, row-major ("C") or column-major
 * ("Fortran"), little-endian: float32, float64, signed and unsigned integers of 1 to 8 bytes, and
 * booleans. The file may come from anywhere: the size that the header promises must be the size
 * that the file has, to the byte. Refused with the reason: big-endian numbers, complex numbers,
 * text, objects, records. Format: numpy.lib.format (NumPy Enhancement Proposal 1, Kern 2007). */
#ifndef AGON_NPY_H
#define AGON_NPY_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGON_NPY_RANK  4                 /* most dimensions */
#define AGON_NPY_BYTES ((size_t)4 << 30) /* largest file that is read */

typedef enum agon_npy_type {
    AGON_NPY_BOOL, /* one byte; not 0: true */
    AGON_NPY_I8,
    AGON_NPY_I16,
    AGON_NPY_I32,
    AGON_NPY_I64,
    AGON_NPY_U8,
    AGON_NPY_U16,
    AGON_NPY_U32,
    AGON_NPY_U64,
    AGON_NPY_F32,
    AGON_NPY_F64,
    AGON_NPY_TYPES
} agon_npy_type;

typedef struct agon_npy {
    char name[256]; /* of the file, for messages; cut if need be */
    agon_npy_type type;
    int rank; /* 0: a single number */
    size_t shape[AGON_NPY_RANK];
    size_t count;        /* of numbers: the product of shape */
    bool fortran;        /* the first index runs fastest in the file; agon_npy_at hides it */
    const uint8_t* data; /* the file's numbers; not aligned */
    uint8_t* file;       /* owned; NULL when decoded from bytes of the caller */
} agon_npy;

/* Reads a file. *out: owned by the caller, agon_npy_clear. AGON_EMISSING, AGON_EIO; AGON_ELIMIT
 * beyond AGON_NPY_BYTES; AGON_EFORMAT when it is damaged or no .npy; AGON_EUNSUPPORTED for kinds of
 * numbers that are not read. */
int agon_npy_read(const char* path, agon_npy* out, agon_error* error);
/* The same from bytes, which are borrowed by *out. name: for messages. */
int agon_npy_decode(const void* data, size_t size, const char* name, agon_npy* out,
                    agon_error* error);
void agon_npy_clear(agon_npy* npy);

/* Number `index` (0 .. count-1) in row-major order, whatever order the file has. Integers beyond
 * 2^53 are rounded to the nearest double. */
double agon_npy_at(const agon_npy* npy, size_t index);
bool agon_npy_is_whole(const agon_npy* npy); /* integers or booleans */

/* "float32", and its bytes. */
const char* agon_npy_type_name(agon_npy_type type);
size_t agon_npy_type_size(agon_npy_type type);
/* "(3, 512, 7)", as Python writes it. Returns out. */
const char* agon_npy_shape_text(const agon_npy* npy, char out[128]);

/* The bytes of a .npy file (version 1.0, row-major) of `data`, which holds product(shape) numbers
 * of the type. *out: malloc'd, owned by the caller. AGON_EMEMORY. */
int agon_npy_encode(agon_npy_type type, int rank, const size_t* shape, const void* data,
                    uint8_t** out, size_t* size, agon_error* error);
/* agon_npy_encode into a file: whole or not at all. */
int agon_npy_write(const char* path, agon_npy_type type, int rank, const size_t* shape,
                   const void* data, agon_error* error);

#endif
