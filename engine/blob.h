/* blob.h: canonical safetensors files, named by their SHA-256.
 *
 * Format, numbers little-endian:
 *   1. 8 bytes: length of the header
 *   2. the header: JSON {"__metadata__": {key: text, ...}, tensor: {"dtype", "shape",
 *      "data_offsets": [begin, end]}, ...}, padded with spaces to a multiple of 8 bytes
 *   3. the tensors' bytes, in the header's order, without gaps; not aligned
 * Canonical when written: metadata first, its keys sorted, tensors in the order given, no spaces;
 * so equal contents are equal bytes, and the name is a function of the contents. Any safetensors
 * reader opens it. Decoding also takes what other writers make (spaces, metadata elsewhere), and
 * checks everything: lengths, depth, dtypes, shapes, names given twice, that offsets tile the data.
 */
#ifndef AGON_BLOB_H
#define AGON_BLOB_H

#include "agents/learner.h"
#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGON_HASH_SIZE        65 /* 64 hex digits of SHA-256 and NUL */
#define AGON_BLOB_MAX_TENSORS 64
#define AGON_BLOB_MAX_META    32

typedef enum agon_blob_dtype {
    AGON_BLOB_U8,
    AGON_BLOB_U16,
    AGON_BLOB_I32,
    AGON_BLOB_I64,
    AGON_BLOB_F32,
    AGON_BLOB_F64
} agon_blob_dtype;

typedef struct agon_blob_tensor {
    char name[64]; /* printable ASCII */
    agon_blob_dtype dtype;
    int dims;         /* 0..4; 0: a single number */
    int64_t shape[4]; /* (dims) each >= 0; 0 beyond */
    const void* data; /* borrowed: on encode the caller's, on decode inside the bytes given.
                         Not aligned after decoding: copy it out before use */
    size_t bytes;     /* of data: the product of shape times the dtype's size */
} agon_blob_tensor;

typedef struct agon_blob_meta {
    char key[48];    /* UTF-8 */
    char value[512]; /* UTF-8 */
} agon_blob_meta;

typedef struct agon_blob { /* some 27 kB */
    int tensors;
    agon_blob_tensor tensor[AGON_BLOB_MAX_TENSORS];
    int metas;
    agon_blob_meta meta[AGON_BLOB_MAX_META];
} agon_blob;

/* Owned bytes with their name. */
typedef struct agon_bytes {
    char hash[AGON_HASH_SIZE];
    uint8_t* data; /* malloc'd, owned by the holder */
    size_t size;
} agon_bytes;

/* Building: begin, add, encode. Too many entries, a name given twice and a text that does not fit
 * are the caller's mistakes. */
void agon_blob_begin(agon_blob* blob);
void agon_blob_add_meta(agon_blob* blob, const char* key, const char* format, ...)
    __attribute__((format(printf, 3, 4)));
void agon_blob_add_tensor(agon_blob* blob, const char* name, agon_blob_dtype dtype, int dims,
                          const int64_t* shape, const void* data);
/* *out: bytes owned by the caller, with their hash. Fails only for lack of memory. */
int agon_blob_encode(const agon_blob* blob, agon_bytes* out, agon_error* error);
/* *out points into data, which must outlive it; untouched on failure. `what` names the thing in
 * messages. A header is at most 1 MiB. AGON_EFORMAT for everything that is wrong with the bytes. */
int agon_blob_decode(const void* data, size_t size, const char* what, agon_blob* out,
                     agon_error* error);
const agon_blob_tensor* agon_blob_tensor_find(const agon_blob* blob, const char* name);
const char* agon_blob_meta_find(const agon_blob* blob, const char* key); /* NULL: absent */
size_t agon_blob_dtype_size(agon_blob_dtype dtype);                      /* bytes of one number */
/* "F32" to AGON_BLOB_F32; false for a dtype that is not in the list. */
bool agon_blob_dtype_find(const char* name, agon_blob_dtype* out);
/* Bytes of a tensor; false when a length is negative or the product overflows. */
bool agon_blob_tensor_bytes(agon_blob_dtype dtype, int dims, const int64_t* shape, size_t* out);

/* SHA-256 as hex. The only door to libcrypto. */
void agon_sha256(const void* data, size_t size, char out[AGON_HASH_SIZE]);

/* ---- nets as blobs ------------------------------------------------------------------------ */

/* What a snapshot or learner says of itself. Texts are printable ASCII. */
typedef struct agon_snapshot_info {
    char game[128];        /* canonical game string */
    char layout[256];      /* observation: "planes x rows x cols u8 scale: names" */
    int agent, generation; /* >= 0 */
    uint64_t steps;        /* agent-steps behind it */
} agon_snapshot_info;

/* Tensors: the net's, float32, under the names and shapes of agon_net_tensors; in a learner also
 * moment1.NAME and moment2.NAME. Metadata: format ("agon.snapshot/1" or "agon.learner/1"), net (as
 * agon_net_format), game, layout, agent, generation, steps; in a learner also updates, beta1_power
 * and beta2_power. Numbers read back exactly.
 *
 * Encoding and decoding both refuse a number that is not finite, naming the tensor: AGON_EINVALID
 * (training diverged) and AGON_EFORMAT. Bytes are owned by the caller. */
int agon_snapshot_encode(const agon_net* net, const float* params, const agon_snapshot_info* info,
                         agon_bytes* out, agon_error* error);
int agon_learner_encode(const agon_learner* learner, const agon_snapshot_info* info,
                        agon_bytes* out, agon_error* error);
/* Reads architecture and metadata; *params malloc'd, owned by the caller. Works on learners too.
 * info may be NULL. On failure all outputs are untouched. */
int agon_snapshot_decode(const void* data, size_t size, const char* what, agon_net* net,
                         float** params, agon_snapshot_info* info, agon_error* error);
/* Into a learner opened for the same architecture (checked): params, moments, powers, counters.
 * packed is not made. info may be NULL. On failure the learner is untouched. */
int agon_learner_decode(const void* data, size_t size, const char* what, agon_learner* learner,
                        agon_snapshot_info* info, agon_error* error);

#endif
