/* abi.c: compiles where cuda/driver.h says what cuda.h says: every function twice, with one type,
 * and every number. */
#include <cuda.h>

#include "cuda/driver.h"

#define TWICE(name, symbol, params) unsigned symbol params;
AGON__DRIVER(TWICE)

/* In cuda.h a name that has a successor is a macro: cuMemAlloc is cuMemAlloc_v2. */
#define TEXT_OF(name) #name
#define AS_IS(name, symbol, params)                                                                \
    _Static_assert(__builtin_strcmp(TEXT_OF(symbol), #symbol) == 0, #symbol);
AGON__DRIVER(AS_IS)

#define SAME(number, name) _Static_assert((int)(number) == (int)(name), #name);
SAME(AGON__CUDA_NO_MEMORY, CUDA_ERROR_OUT_OF_MEMORY)
SAME(AGON__CUDA_NO_DEVICE, CUDA_ERROR_NO_DEVICE)
SAME(AGON__CUDA_NOT_FOUND, CUDA_ERROR_NOT_FOUND)
SAME(AGON__CUDA_PROCESSORS, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
SAME(AGON__CUDA_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
SAME(AGON__CUDA_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
SAME(AGON__CUDA_SHARED, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
SAME(AGON__CUDA_STATIC_SHARED, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES)
SAME(AGON__CUDA_DYNAMIC_SHARED, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
SAME(AGON__CUDA_NON_BLOCKING, CU_STREAM_NON_BLOCKING)
SAME(AGON__CUDA_RELAXED, CU_STREAM_CAPTURE_MODE_RELAXED)
SAME(AGON__CUDA_PORTABLE, CU_MEMHOSTALLOC_PORTABLE)
