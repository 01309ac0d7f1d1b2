/* forward.c: a forward is put into a stream. */
#include "cuda/forward.h"

#include "cuda/forward_plan.h"

size_t agon__gpu_forward_scratch(const agon__gpu* gpu, const agon__gpu_net* net, int slots) {
    return agon__forward_scratch_of(net, agon__gpu_shared(gpu), slots);
}

void agon__gpu_forward_launch(agon__gpu* gpu, agon__stream* stream, const agon__gpu_forward* call) {
    const agon__forward_machine machine = {agon__gpu_processors(gpu), agon__gpu_shared(gpu)};
    agon__forward_plan plan;
    if (call->slots <= 0)
        return;
    agon__forward_plan_of(&machine, call, &plan);
    for (int i = 0; i < plan.count; i++) {
        const agon__forward_launch* launch = &plan.launch[i];
        agon__stream_launch(stream, agon__gpu_function(gpu, "kernels", launch->name),
                            launch->blocks, launch->warps, launch->shared, &launch->args);
    }
}
