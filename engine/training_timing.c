#include "engine/training_timing.h"

#include <stdio.h>
#include <unistd.h>

static const agon_measure_path paths[] = {
    {"generation", "", "that all agents have been trained to"},
    {"seconds", "s", "since this process began to train; so for every number below"},
    {"agent_steps_per_second", "1/s", "agent-steps learned from"},
    {"steps_per_second", "1/s", "the same and opponents' steps"},
    {"shares.step", "1", "share of the threads' time: training games moved on"},
    {"shares.observe", "1", "observations and legal actions written"},
    {"shares.forward", "1", "nets of learners and opponents"},
    {"shares.sample", "1", "random numbers, softmax, actions, log-probabilities"},
    {"shares.scripted", "1", "scripted opponents deciding"},
    {"shares.collect", "1", "decisions and rewards kept to learn from; episodes begun"},
    {"shares.update", "1", "advantages, gradients, optimiser"},
    {"shares.payoff", "1", "matches, whole"},
    {"shares.metrics", "1", "probe tasks, whole; numbers of measured generations"},
    {"shares.store", "1", "results and blobs written, pruned, and waited for"},
    {"shares.other", "1", "planning; reading, packing and encoding nets, tasks and results"},
    {"shares.idle", "1", "threads without a task"},
    {"threads", "", "tasks at a time"},
    {"backend", "", "kernels of the nets"},
    {"host", "", "name of the machine"},
};

const agon_measure_path* agon_timing_paths(int* count) {
    *count = (int)(sizeof paths / sizeof *paths);
    return paths;
}

/* "\"step\":0.0312,..." */
static void write_shares(const double* phase, char* out, size_t size) {
    double share[AGON_PHASES];
    size_t used = 0;
    agon_profile_shares(phase, share);
    for (int i = 0; i < AGON_PHASES && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s\"%s\":%.4f", i ? "," : "",
                                 agon_phase_name(i), share[i]);
}

int agon__training_append_timing(agon_training* t, agon_drive* drive) {
    char line[1024], shares[512], host[128] = "?";
    const agon_drive_state now = agon_drive_now(drive);
    const double seconds = (double)(uv_hrtime() - t->begun) * 1e-9;
    gethostname(host, sizeof host - 1);
    write_shares(now.phase, shares, sizeof shares);
    snprintf(line, sizeof line,
             "{\"generation\":%d,\"seconds\":%.3f,\"agent_steps_per_second\":%.0f,"
             "\"steps_per_second\":%.0f,\"shares\":{%s},\"threads\":%d,\"backend\":\"%s\","
             "\"host\":\"%s\"}",
             t->trained, seconds, (double)t->steps / seconds,
             (double)(t->steps + t->other_steps) / seconds, shares, t->slots, t->backend->name,
             host);
    return agon_drive_append(drive, "timing.jsonl", line);
}
