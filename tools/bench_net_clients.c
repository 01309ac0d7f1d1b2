/* bench_net_clients.c: processes at the other end of the coordinator's connections, what they carry
 * and what is measured meanwhile. */
#include "tools/bench_net.h"

#include "agents/backend.h"
#include "engine/execute.h"
#include "tools/ui.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a window ------------------------------------------------------------------------------- */

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

void agon_bench_meter_turn(agon_bench_meter* m, bool ready, double amount, agon_bench_window* out) {
    const double now = agon_ui_seconds();
    if (m->over || (m->begun == 0 && !ready) || (m->begun > 0 && now - m->begun < m->seconds))
        return;
    if (m->begun > 0) {
        *out = (agon_bench_window){amount - m->amount, now - m->begun, cpu_seconds() - m->cpu};
        m->over = true;
        return;
    }
    m->begun = now;
    m->cpu = cpu_seconds();
    m->amount = amount;
}

/* ---- what is carried ------------------------------------------------------------------------ */

void agon_bench_cargo_key(unsigned number, char out[AGON_KEY_SIZE]) {
    snprintf(out, AGON_KEY_SIZE, "bench/%010u", number);
}

/* How many bytes its result has. */
static int weigh_result(agon_bench_cargo* c, agon_error* error) {
    agon_result* result = calloc(1, sizeof *result);
    agon_context* context = calloc(1, sizeof *context);
    uint8_t* data = NULL;
    int rc = AGON_OK;
    if (!result || !context)
        rc = agon_fail(error, AGON_EMEMORY, "no memory for a task");
    if (!rc) {
        context->backend = agon_cpu_backend();
        rc = agon_execute(&c->task, context, result, error);
        if (!rc)
            rc = agon_result_encode(result, &data, &c->result_size, error);
        agon_result_clear(result);
        agon_context_clear(context);
    }
    free(data);
    free(context);
    free(result);
    return rc;
}

static int make_task(const char* game, agon_bench_cargo* c, agon_error* error) {
    agon_rules* rules = NULL;
    uint8_t* data = NULL;
    int rc = agon_rules_open(game, &rules, error);
    if (rc)
        return rc;
    c->task.kind = AGON_MATCH;
    c->task.seed = 1;
    c->task.fingerprint = agon_rules_fingerprint(rules);
    c->task.as.match.games = rules->spec.seats;
    snprintf(c->task.game, sizeof c->task.game, "%s", rules->name);
    snprintf(c->task.as.match.row_ref, sizeof c->task.as.match.row_ref, "random");
    snprintf(c->task.as.match.col_ref, sizeof c->task.as.match.col_ref, "random");
    agon_bench_cargo_key(0, c->task.key);
    agon_rules_close(rules);
    rc = agon_task_encode(&c->task, &data, &c->task_size, error);
    free(data);
    return rc ? rc : weigh_result(c, error);
}

int agon_bench_cargo_make(const char* game, agon_bench_cargo* c, agon_error* error) {
    uint64_t x = 1;
    int rc = make_task(game, c, error);
    for (int i = 0; !rc && i < AGON_BENCH_BLOBS; i++) {
        c->blob[i] = malloc(AGON_BENCH_BLOB);
        if (!c->blob[i])
            return agon_fail(error, AGON_EMEMORY, "no memory for blobs");
        for (size_t k = 0; k < AGON_BENCH_BLOB; k += sizeof x) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            memcpy(c->blob[i] + k, &x, sizeof x);
        }
        agon_sha256(c->blob[i], AGON_BENCH_BLOB, c->hash[i]);
    }
    return rc;
}

void agon_bench_cargo_free(agon_bench_cargo* c) {
    for (int i = 0; i < AGON_BENCH_BLOBS; i++)
        free(c->blob[i]);
}

/* ---- processes ------------------------------------------------------------------------------ */

/* Without the gate's other end nothing comes: the parent has ended, or gave up. */
static int wait_and_talk(int gate, agon_bench_talk* talk, const agon_bench_order* order,
                         agon_bench_shared* shared, int index) {
    int port;
    if (read(gate, &port, sizeof port) != sizeof port)
        return 0;
    close(gate);
    signal(SIGPIPE, SIG_IGN);
    return talk(order, port, shared, index);
}

static bool start_one(agon_bench_clients* c, int i, agon_bench_talk* talk,
                      const agon_bench_order* order) {
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    c->pid[i] = fork();
    if (c->pid[i] == 0) {
        for (int k = 0; k < i; k++)
            close(c->gate[k]);
        close(ends[1]);
        _exit(wait_and_talk(ends[0], talk, order, c->shared, i));
    }
    close(ends[0]);
    c->gate[i] = ends[1];
    if (c->pid[i] < 0)
        close(ends[1]);
    return c->pid[i] > 0;
}

int agon_bench_clients_start(agon_bench_clients* c, agon_bench_talk* talk,
                             const agon_bench_order* order, agon_error* error) {
    void* shared =
        mmap(NULL, sizeof *c->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *c = (agon_bench_clients){.shared = shared};
    if (shared == MAP_FAILED)
        return agon_fail(error, AGON_EMEMORY, "no memory to share with clients");
    fflush(NULL);
    while (c->count < AGON_BENCH_CLIENTS && start_one(c, c->count, talk, order))
        c->count++;
    if (c->count == AGON_BENCH_CLIENTS)
        return AGON_OK;
    const int reason = errno;
    agon_bench_clients_end(c, error);
    return agon_fail(error, AGON_EIO, "cannot start a client process: %s", strerror(reason));
}

void agon_bench_clients_go(agon_bench_clients* c, int port) {
    for (int i = 0; i < c->count; i++)
        if (write(c->gate[i], &port, sizeof port) != sizeof port)
            kill(c->pid[i], SIGKILL);
}

int agon_bench_clients_end(agon_bench_clients* c, agon_error* error) {
    int rc = AGON_OK;
    for (int i = 0; i < c->count; i++)
        close(c->gate[i]);
    for (int i = 0; i < c->count; i++) {
        int status = 0;
        while (waitpid(c->pid[i], &status, 0) < 0 && errno == EINTR)
            continue;
        if (status != 0 && !rc)
            rc = agon_fail(error, AGON_EIO, "a client process ended with status %d", status);
    }
    munmap(c->shared, sizeof *c->shared);
    return rc;
}

uint64_t agon_bench_clients_got(const agon_bench_clients* c, bool least) {
    uint64_t sum = 0, lowest = UINT64_MAX;
    for (int i = 0; i < c->count; i++) {
        const uint64_t got = atomic_load(&c->shared->got[i]);
        sum += got;
        lowest = got < lowest ? got : lowest;
    }
    return least ? lowest : sum;
}
