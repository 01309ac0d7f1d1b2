/* bench_net_centre.c: a coordinator as a run has it, but that planning a task takes no time, and a
 * result is safe as soon as the loop has turned. */
#include "tools/bench_net.h"

#include "agents/backend.h"
#include "net/cluster.h"
#include "net/coordinator.h"

#include <stdlib.h>
#include <string.h>

enum { WARM = 2000, LEASE_S = 3600, TURN_MS = 10 };

typedef struct centre {
    const agon_bench_order* order;
    const agon_bench_clients* clients;
    agon_executor executor;
    uv_loop_t loop;
    uv_check_t check;
    uv_timer_t timer;
    bool tasks, shut;
    agon_bench_meter meter;
    agon_bench_window* out;
    int left;        /* turns of the timer until patience ends */
    uint64_t handed; /* tasks */
    int running;
    double done;
    uint64_t* safe; /* (running) tickets whose results are to be called committed */
    int to_say, room;
    int rc;
    agon_error* error;
} centre;

static void fail(centre* c, int rc, const char* text) {
    if (!c->rc)
        c->rc = agon_fail(c->error, rc, "%s", text);
    c->meter.over = true;
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static void hand_over(centre* c) {
    agon_error error;
    agon_task task = c->order->cargo->task;
    uint8_t* data;
    size_t size;
    agon_bench_cargo_key((unsigned)++c->handed, task.key);
    int rc = agon_task_encode(&task, &data, &size, &error);
    if (!rc) {
        rc = c->executor.submit(&c->executor, c->handed, data, size);
        if (rc)
            free(data);
    }
    if (rc)
        fail(c, rc, "a task was not accepted");
    else
        c->running++;
}

static void fill(centre* c) {
    while (c->tasks && !c->meter.over && c->running < c->executor.slots)
        hand_over(c);
}

static void keep(centre* c, uint64_t ticket) {
    if (c->to_say == c->room) {
        const int room = 2 * c->room + 64;
        uint64_t* grown = realloc(c->safe, (size_t)room * sizeof *grown);
        if (!grown) {
            fail(c, AGON_EMEMORY, "no memory for tickets");
            return;
        }
        c->safe = grown;
        c->room = room;
    }
    c->safe[c->to_say++] = ticket;
}

static void on_done(void* user, uint64_t ticket, int status, const uint8_t* data, size_t size,
                    const agon_error* error) {
    centre* c = user;
    agon_result result = {0};
    agon_error wrong;
    if (status)
        fail(c, status, error->text);
    else if (agon_result_decode(data, size, &result, &wrong) != AGON_OK)
        fail(c, wrong.code, wrong.text);
    agon_result_clear(&result);
    c->running--;
    c->done++;
    keep(c, ticket);
    fill(c);
}

static void on_changed(void* user) {
    fill(user);
}

static void on_wrong(void* user, const uint8_t* task, size_t size, const agon_error* why) {
    (void)task;
    (void)size;
    fail(user, AGON_ECONFLICT, why->text);
}

static void on_note(void* user, const char* text) {
    (void)user;
    (void)text;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void end(centre* c) {
    c->shut = true;
    atomic_store(&c->clients->shared->over, true);
    c->executor.shut(&c->executor);
    uv_close((uv_handle_t*)&c->check, NULL);
    uv_close((uv_handle_t*)&c->timer, NULL);
}

static void on_turn(uv_check_t* check) {
    centre* c = check->data;
    while (c->to_say > 0)
        c->executor.committed(&c->executor, c->safe[--c->to_say]);
    const bool ready = c->tasks ? c->done >= WARM
                                : agon_bench_clients_got(c->clients, true) >
                                      (uint64_t)AGON_BENCH_BLOBS * AGON_BENCH_BLOB;
    agon_bench_meter_turn(&c->meter, ready,
                          c->tasks ? c->done : (double)agon_bench_clients_got(c->clients, false),
                          c->out);
    if (c->meter.over && !c->running && !c->shut)
        end(c);
}

/* So that the loop turns, and ends, also when nothing comes. */
static void on_timer(uv_timer_t* timer) {
    centre* c = timer->data;
    if (c->meter.begun > 0 || --c->left > 0 || c->shut)
        return;
    fail(c, AGON_EIO, "the clients of the bench were not at work in time");
    c->running = 0;
}

static int load(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error) {
    const agon_bench_cargo* cargo = user;
    for (int i = 0; i < AGON_BENCH_BLOBS; i++) {
        if (strcmp(cargo->hash[i], hash) != 0)
            continue;
        *data = malloc(AGON_BENCH_BLOB);
        if (!*data)
            return agon_fail(error, AGON_EMEMORY, "no memory for a blob");
        memcpy(*data, cargo->blob[i], AGON_BENCH_BLOB);
        *size = AGON_BENCH_BLOB;
        return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "no such blob");
}

static int open_executor(centre* c, agon_error* error) {
    const agon_executor_def def = {.loop = &c->loop,
                                   .slots = 1,
                                   .backend = agon_cpu_backend(),
                                   .load = load,
                                   .load_user = (void*)c->order->cargo,
                                   .done = on_done,
                                   .changed = on_changed,
                                   .wrong = on_wrong,
                                   .note = on_note,
                                   .user = c};
    agon_cluster_def cluster = {.lease = LEASE_S, .audit = 0.02};
    snprintf(cluster.listen, sizeof cluster.listen, "%s://127.0.0.1:0",
             c->order->tls ? "tls" : "tcp");
    snprintf(cluster.tls, sizeof cluster.tls, "%s", c->order->tls ? c->order->tls : "");
    return agon_executor_cluster(&def, &cluster, &c->executor, error);
}

static int port_of(const centre* c) {
    const char* address = agon__coordinator_address(c->executor.self);
    return atoi(strrchr(address, ':') + 1);
}

static int serve(centre* c, agon_bench_clients* clients, agon_error* error) {
    const int rc = open_executor(c, error);
    if (rc)
        return rc;
    c->clients = clients;
    c->left = AGON_BENCH_PATIENCE_MS / TURN_MS;
    uv_check_init(&c->loop, &c->check);
    uv_timer_init(&c->loop, &c->timer);
    c->check.data = c->timer.data = c;
    uv_check_start(&c->check, on_turn);
    uv_timer_start(&c->timer, on_timer, TURN_MS, TURN_MS);
    agon_bench_clients_go(clients, port_of(c));
    fill(c);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    c->executor.close(&c->executor);
    return c->rc;
}

static int measure(centre* c, agon_bench_talk* talk, agon_error* error) {
    agon_bench_clients clients;
    agon_error ending;
    int rc = agon_bench_clients_start(&clients, talk, c->order, error);
    if (rc)
        return rc;
    c->error = error;
    uv_loop_init(&c->loop);
    rc = serve(c, &clients, error);
    uv_loop_close(&c->loop);
    free(c->safe);
    const int ended = agon_bench_clients_end(&clients, &ending);
    if (ended && !rc)
        *error = ending;
    return rc ? rc : ended;
}

int agon_bench_centre_tasks(const agon_bench_order* order, double seconds, agon_bench_window* out,
                            agon_error* error) {
    centre c = {.order = order, .tasks = true, .meter.seconds = seconds, .out = out};
    return measure(&c, agon_bench_talk_tasks, error);
}

int agon_bench_centre_chunks(const agon_bench_order* order, double seconds, agon_bench_window* out,
                             agon_error* error) {
    centre c = {.order = order, .meter.seconds = seconds, .out = out};
    return measure(&c, agon_bench_talk_chunks, error);
}
