/* forward.c: a forward is put into a stream. */
#include "cuda/forward.h"

#include "cuda/forward_plan.h"

#define ROOM ((size_t)256 << 20) /* bytes of a pass: enough slots for all processors */

static agon__forward_machine machine_of(const agon__gpu* gpu) {
    return (agon__forward_machine){agon__gpu_processors(gpu), agon__gpu_shared(gpu), ROOM};
}

size_t agon__gpu_forward_scratch(const agon__gpu* gpu, const agon__gpu_net* net, int slots) {
    const agon__forward_machine machine = machine_of(gpu);
    return agon__forward_scratch_of(&machine, net, slots);
}

void agon__gpu_forward_launch(agon__gpu* gpu, agon__stream* stream, const agon__gpu_forward* call) {
    const agon__forward_machine machine = machine_of(gpu);
    agon__forward_plan plan;
    if (call->slots <= 0)
        return;
    agon__forward_plan_of(&machine, call, &plan);
    for (int pass = 0; pass < plan.passes; pass++) {
        agon__forward_plan_pass(&plan, pass);
        for (int i = 0; i < plan.count; i++) {
            const agon__forward_launch* launch = &plan.launch[i];
            agon__stream_launch(stream, agon__gpu_function(gpu, "kernels", launch->name),
                                launch->blocks, launch->warps, launch->shared, &launch->args);
        }
    }
}
