/* bench_workers.c: a run on two worker processes beside the same on two threads, by turns. */
#include "tools/bench.h"

#include "tools/ui.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 2, WORDS = 24, GENERATIONS = 2 };

typedef struct running {
    const agon_bench* bench;
    const char* dir;
    agon_config config;
    int runs; /* so far */
} running;

/* ---- processes ------------------------------------------------------------------------------ */

/* This binary, with these words; its output goes to a file. */
static pid_t start(char* const* words, const char* log) {
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (out < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(127);
    execv("/proc/self/exe", words);
    _exit(127);
}

static void wait_for(pid_t pid, const char* what) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    fprintf(stderr, "agon: %s of the bench failed: status %d\n", what, status);
    exit(1);
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int free_port(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    int port = 0;
    if (s >= 0 && bind(s, (struct sockaddr*)&address, length) == 0 &&
        getsockname(s, (struct sockaddr*)&address, &length) == 0)
        port = ntohs(address.sin_port);
    if (s >= 0)
        close(s);
    return port;
}

static void await_listener(int port) {
    const struct sockaddr_in address = loopback(port);
    for (int i = 0; i < 5000; i++) {
        const int s = socket(AF_INET, SOCK_STREAM, 0);
        const bool there = connect(s, (const struct sockaddr*)&address, sizeof address) == 0;
        close(s);
        if (there)
            return;
        usleep(2000);
    }
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* Agent-steps that learners store and learn from, in the whole run. */
static double steps_of(const running* r) {
    return (double)r->config.train.generations * r->config.train.rollouts * r->config.train.lanes *
           r->config.train.horizon * r->config.population.size;
}

static pid_t start_run(running* r, const char* machine, const char* listen) {
    char dir[600], hidden[300], generations[64], every[64], log[600];
    char* words[WORDS] = {"agon", "train", r->config.game.name, "--quiet",     dir, generations,
                          every,  hidden,  (char*)machine,      (char*)listen, NULL};
    snprintf(dir, sizeof dir, "run.dir=%s/run%d", r->dir, r->runs);
    snprintf(log, sizeof log, "%s/log%d", r->dir, r->runs++);
    snprintf(generations, sizeof generations, "train.generations=%d", GENERATIONS);
    snprintf(every, sizeof every, "metrics.every=%d", GENERATIONS);
    snprintf(hidden, sizeof hidden, "net.hidden=%s", r->bench->hidden);
    return start(words, log);
}

static double go_threads(void* user, double amount) {
    running* r = user;
    char threads[64];
    (void)amount; /* a run is a run */
    snprintf(threads, sizeof threads, "machine.threads=%d", PROCESSES);
    wait_for(start_run(r, threads, NULL), "a run");
    return steps_of(r);
}

static double go_workers(void* user, double amount) {
    running* r = user;
    pid_t worker[PROCESSES];
    char listen[128], place[600], log[600];
    const int port = free_port();
    (void)amount;
    snprintf(listen, sizeof listen, "machine.listen=tcp://127.0.0.1:%d", port);
    const pid_t centre = start_run(r, "machine.threads=0", listen);
    await_listener(port);
    for (int i = 0; i < PROCESSES; i++) {
        snprintf(place, sizeof place, "%s/worker%d-%d", r->dir, r->runs, i);
        snprintf(log, sizeof log, "%s/log%d-%d", r->dir, r->runs, i);
        char* words[] = {"agon",   "worker", "--connect", listen + strlen("machine.listen="),
                         "--dir",  place,    "--threads", "1",
                         "--once", NULL};
        worker[i] = start(words, log);
    }
    wait_for(centre, "a run with workers");
    const double steps = steps_of(r);
    for (int i = 0; i < PROCESSES; i++) {
        kill(worker[i], SIGTERM);
        wait_for(worker[i], "a worker");
    }
    return steps;
}

static int train_in(const agon_bench* b, const char* dir, agon_error* error) {
    running r = {.bench = b, .dir = dir};
    agon_bench_work* const work[2] = {go_workers, go_threads};
    void* const user[2] = {&r, &r};
    agon_bench_rate rate[2];
    char fields[512], ratios[64], numbers[128];
    int rc = agon_bench_config(b, dir, &r.config, error);
    if (rc)
        return rc;
    r.config.train.generations = GENERATIONS;
    const double ratio = agon_bench_measure_two(b, work, user, rate);
    snprintf(fields, sizeof fields,
             "\"game\":\"%s\",\"hidden\":\"%s\",\"workers\":%d,"
             "\"beside\":\"threads of one process\"",
             b->game, b->hidden, PROCESSES);
    snprintf(ratios, sizeof ratios, "\"ratio_to_threads\":%.4g", ratio);
    snprintf(numbers, sizeof numbers, "\"threads_agent_steps_per_second\":%.6g",
             rate[1].per_second);
    rate[0].ratios = ratios;
    rate[0].numbers = numbers;
    agon_bench_print("workers", fields, "agent_steps", 0, PROCESSES, &rate[0]);
    return AGON_OK;
}

int agon_bench_workers(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, train_in, error);
}
