/* backend_cuda.h: the CUDA backend of agents/backend.h. */
#ifndef AGON_CUDA_BACKEND_CUDA_H
#define AGON_CUDA_BACKEND_CUDA_H

#include "agents/backend.h"

/* How products of nets are computed on a GPU; sums are float32 always. */
typedef enum agon_precision {
    AGON_PRECISION_FP32, /* the CPU's arithmetic: equal logits */
    AGON_PRECISION_TF32, /* inputs of products rounded to 10 bits of mantissa, on tensor cores */
    AGON_PRECISION_BF16  /* inputs of products rounded to bfloat16, on tensor cores */
} agon_precision;

/* The backend of this machine's first fitting GPU; *out is static and lives as long as the process.
 * AGON_EUNSUPPORTED: built without nvcc, no driver or too old a one, no device; each with its own
 * message and hint. */
int agon_cuda_backend(agon_precision precision, const agon_backend** out, agon_error* error);

#endif
