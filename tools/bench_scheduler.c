/* bench_scheduler.c: how far one coordinator goes: the real scheduler, virtual workers. */
#include "tools/bench_scheduler_sizes.h"

#include <stdio.h>
#include <string.h>

/* A group of machines as people have them: not alike, some of them slow, some on loan. */
static agon_world_def usual(int workers, bool barrier, const agon_world_sizes* sizes) {
    return (agon_world_def){
        .workers = workers,
        .slots = 1,
        .agents = 2 * workers,
        .generations = 4,
        .matches = 4,
        .barrier = barrier,
        .seed = 1,
        .train_s = 60,
        .match_s = 5,
        .golden_s = 1,
        .task_spread = 0.1,
        .speed_spread = 0.2,
        .slow_share = 0.02,
        .slow_factor = 4,
        .life_s = 2 * 3600,
        .away_s = 300,
        .break_s = 6 * 3600,
        .mend_s = 2,
        .silent = 0.2,
        .latency_s = 0.002,
        .bandwidth = 100e6,
        .loss = 0.001,
        .commit_s = 0.01,
        .ahead = 256,
        .lease_ms = 30000,
        .audit = 0.02,
        .sizes = *sizes,
    };
}

/* Where the workers' time went, and how much longer it took than with all of their speed used. */
static void say_ratios(const agon_world_result* r, char* out, size_t size) {
    const double idle = r->there - r->useful - r->audits - r->twice - r->lost;
    snprintf(out, size,
             "\"share_useful\":%.4f,\"share_idle\":%.4f,\"share_audits\":%.4f,"
             "\"share_twice\":%.4f,\"share_lost\":%.4f,\"ratio_makespan\":%.4f",
             r->useful / r->there, idle / r->there, r->audits / r->there, r->twice / r->there,
             r->lost / r->there, r->capacity / r->work);
}

static void say_numbers(const agon_world_result* r, char* out, size_t size) {
    const double tasks = (double)r->tasks, calls = (double)r->calls, ns = (double)r->calls_ns;
    snprintf(out, size,
             "\"virtual_seconds\":%.1f,\"tasks\":%.0f,\"messages_per_second\":%.6g,"
             "\"bytes_per_second\":%.6g,\"blob_bytes_per_second\":%.6g,\"leases_lost\":%llu,"
             "\"backups\":%llu,\"audited\":%llu,\"calls_per_task\":%.4g,"
             "\"microseconds_per_call\":%.4g,\"microseconds_per_task\":%.4g,"
             "\"slowest_call_microseconds\":%.4g,\"share_of_core\":%.4g",
             r->seconds, tasks, r->messages / r->seconds, r->bytes / r->seconds,
             r->blob_bytes / r->seconds, (unsigned long long)r->count.lost,
             (unsigned long long)r->count.backups, (unsigned long long)r->count.audited,
             calls / tasks, 1e-3 * ns / calls, 1e-3 * ns / tasks, 1e-3 * (double)r->slowest_ns,
             1e-9 * ns / r->seconds);
}

/* A message's bytes are those of its frame; TASK and RESULT without what they carry. */
static void say_sizes(const agon_world_sizes* z, char* out, size_t size) {
    snprintf(out, size,
             ",\"snapshot_bytes\":%.0f,\"learner_bytes\":%.0f,\"opponents\":%d,"
             "\"train_task_bytes\":%.0f,\"train_result_bytes\":%.0f,\"match_task_bytes\":%.0f,"
             "\"match_result_bytes\":%.0f,\"task_message_bytes\":%.0f,"
             "\"result_message_bytes\":%.0f,\"ack_message_bytes\":%.0f,"
             "\"beat_message_bytes\":%.0f,\"bytes_per_lease_in_beat\":%.0f,"
             "\"chunk_message_bytes\":%.0f",
             z->snapshot, z->learner, z->opponents, z->task[0], z->result[0], z->task[1],
             z->result[1], z->message[AGON__TASK], z->message[AGON__RESULT], z->message[AGON__ACK],
             z->message[AGON__BEAT], z->lease, z->message[AGON__CHUNK_DATA]);
}

static void print_scheduler(const agon_world_def* d, const agon_world_result* r) {
    char fields[512], ratios[512], numbers[2048];
    const double calls = 1e9 * (double)r->calls / (double)r->calls_ns;
    snprintf(fields, sizeof fields,
             "\"workers\":%d,\"agents\":%d,\"generations\":%d,\"matches\":%d,\"waits\":\"%s\"",
             d->workers, d->agents, d->generations, d->matches,
             d->barrier ? "matches" : "training");
    say_ratios(r, ratios, sizeof ratios);
    say_numbers(r, numbers, sizeof numbers);
    say_sizes(&d->sizes, numbers + strlen(numbers), sizeof numbers - strlen(numbers));
    const agon_bench_rate rate = {.per_second = calls,
                                  .low = calls,
                                  .high = calls,
                                  .floor = agon_bench_sample_floor(),
                                  .ratios = ratios,
                                  .numbers = numbers};
    agon_bench_print("scheduler", fields, "calls", 0, 1, &rate);
}

/* Training of the next generation goes on beside the matches of the last one, or waits for them. */
int agon_bench_scheduler(const agon_bench* b, agon_error* error) {
    agon_world_sizes sizes;
    int rc = agon_world_size_all(b, &sizes, error);
    for (int barrier = 0; !rc && barrier < 2; barrier++)
        for (int workers = 10; !rc && workers <= 10000; workers *= 10) {
            const agon_world_def def = usual(workers, barrier, &sizes);
            agon_world_result result;
            rc = agon_world_run(&def, &result, error);
            if (!rc)
                print_scheduler(&def, &result);
        }
    return rc;
}
