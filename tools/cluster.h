/* cluster.h: a run's [machine] settings as what a coordinator needs to know. */
#ifndef AGON_TOOLS_CLUSTER_H
#define AGON_TOOLS_CLUSTER_H

#include "engine/config.h"
#include "net/cluster.h"

/* The short forms of a command that coordinates workers. */
typedef struct agon_cluster_options {
    const char *listen, *metrics;
    bool insecure;
} agon_cluster_options;

/* Short forms into the config: they are machine.listen, machine.metrics, machine.insecure. */
int agon_cluster_apply(const agon_cluster_options* options, agon_config* config, agon_error* error);

/* Who runs the tasks of this run: NULL when this process alone does, otherwise an executor whose
 * maker is *def, filled in. dir: the run's directory. */
agon_executor_open* agon_cluster_choose(const agon_config* config, const char* dir,
                                        agon_cluster_def* def);

#endif
