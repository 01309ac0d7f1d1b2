/* resident.h: nets on the device. What agon_backend.pack makes is a number and the parameters; the
 * first forward that meets the number copies them to the device, where they stay while there is
 * room. Shared by all threads. Internal to cuda/. */
#ifndef AGON_CUDA_RESIDENT_H
#define AGON_CUDA_RESIDENT_H

#include "agents/net.h"
#include "cuda/gpu.h"
#include "cuda/layout.h"

typedef struct agon__resident agon__resident; /* a net on the device, held */

size_t agon__resident_packed_size(const agon_net* net);
void agon__resident_pack(const agon_net* net, const float* params, void* packed);
/* Other parameters under the number that `packed` has: while somebody owns it (below), whose device
 * memory has them already. */
void agon__resident_repack(const agon_net* net, const float* params, void* packed);

/* The net on the device; NULL: no memory left there, or the device failed. stream: of the caller;
 * may be waited for. */
agon__resident* agon__resident_hold(agon__gpu* gpu, agon__stream* stream, const agon__gpu_net* net,
                                    const void* packed, agon_error* error);
const void* agon__resident_weights(const agon__resident* resident); /* of the device */
void agon__resident_release(agon__resident* resident);              /* NULL is fine */

/* From now on the number of `packed` stands for memory of the caller, who keeps it up to date and
 * takes it back. Nobody holds it, now or then. */
agon__resident* agon__resident_own(const agon__gpu_net* net, const void* packed,
                                   const void* weights, agon_error* error);
void agon__resident_disown(agon__resident* resident); /* NULL is fine */

#endif
