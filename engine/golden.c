#include "engine/golden.h"

#include "engine/config.h"

#include <string.h>

int agon_golden_task(const agon_rules* rules, agon_task* out, agon_error* error) {
    agon_config c;
    agon_net net;
    agon_task task = {.kind = AGON_TRAIN, .key = "golden", .seed = 20260101};
    agon_train_task* t = &task.as.train;
    agon_config_defaults(&c);
    /* No multiples of any vector's width, and memory passed on through rollouts and updates. */
    snprintf(c.net.hidden, sizeof c.net.hidden, "33,mingru17");
    int rc = agon_config_net(&c, &rules->spec, &net, error);
    if (rc)
        return rc;
    agon_net_format(&net, t->net, sizeof t->net);
    snprintf(task.game, sizeof task.game, "%s", rules->name);
    task.fingerprint = agon_rules_fingerprint(rules);
    t->own_seats = agon_rules_seats(rules);
    t->lanes = 32;
    t->horizon = 16;
    t->rollouts = 2;
    t->ppo = (agon_ppo){
        .step = {.learning_rate = 1e-3f,
                 .clip = 0.2f,
                 .value_weight = 0.5f,
                 .entropy_weight = 0.01f,
                 .max_grad_norm = 0.5f,
                 .beta1 = 0.9f,
                 .beta2 = 0.999f,
                 .epsilon = 1e-8f},
        .discount = 0.99f,
        .lambda = 0.95f,
        .epochs = 2,
        .minibatches = 2,
        .normalise = 1,
    };
    t->learning_rate_end = 5e-4f;
    t->entropy_end = 0.005f;
    *out = task;
    return AGON_OK;
}
