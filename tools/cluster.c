#include "tools/cluster.h"

#include <string.h>

int agon_cluster_apply(const agon_cluster_options* options, agon_config* config,
                       agon_error* error) {
    int rc = AGON_OK;
    if (options->listen)
        rc = agon_config_set(config, "machine.listen", options->listen, "--listen", error);
    if (!rc && options->metrics)
        rc = agon_config_set(config, "machine.metrics", options->metrics, "--metrics", error);
    if (!rc && options->insecure)
        rc = agon_config_set(config, "machine.insecure", "yes", "--insecure", error);
    if (!rc && config->machine.metrics[0] && !config->machine.listen[0]) {
        agon_fail(error, AGON_EINVALID, "machine.metrics = %s, but there are no workers to tell of",
                  config->machine.metrics);
        return agon_hint(error, "it goes with machine.listen");
    }
    return rc;
}

agon_executor_open* agon_cluster_choose(const agon_config* config, const char* dir,
                                        agon_cluster_def* def) {
    memset(def, 0, sizeof *def);
    if (!config->machine.listen[0])
        return NULL;
    snprintf(def->listen, sizeof def->listen, "%s", config->machine.listen);
    snprintf(def->run, sizeof def->run, "%s", dir);
    snprintf(def->tokens, sizeof def->tokens, "%s", config->machine.tokens);
    snprintf(def->tls, sizeof def->tls, "%s", config->machine.tls);
    snprintf(def->nkey, sizeof def->nkey, "%s", config->machine.nkey);
    snprintf(def->metrics, sizeof def->metrics, "%s", config->machine.metrics);
    def->lease = config->machine.lease;
    def->audit = config->machine.audit;
    def->insecure = config->machine.insecure;
    def->threads = config->machine.threads;
    return agon_executor_cluster;
}
