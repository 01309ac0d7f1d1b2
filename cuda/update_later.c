#include "cuda/update.h"
size_t agon__gpu_update_bytes(const agon__gpu_net* net, int members, int rows, int horizon,
                              int epochs, int minibatches) { return 0; }
int agon__gpu_update_open(const agon__gpu_update_def* def, agon__gpu_update** out, agon_error* error) { return agon_fail(error, AGON_EUNSUPPORTED, "wip"); }
void agon__gpu_update_close(agon__gpu_update* update) {}
int agon__gpu_update_run(agon__gpu_update* update, agon__gpu_learner* each, agon_error* error) { return -1; }
