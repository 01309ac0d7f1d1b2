/* bench_net_plain.c: libuv with nothing around it, moving the same bytes between as many processes:
 * what a coordinator could do at most that did nothing but read and write. */
#include "tools/bench_net.h"

#include "net/message.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { ROOM = 128 << 10, ECHO_WARM = 2000, WRITE_WARM = 64 << 20, FLYING = 2, TURN_MS = 10 };

/* ---- the client's side ---------------------------------------------------------------------- */

typedef struct drain {
    uv_tcp_t tcp;
    uv_connect_t connect;
    const agon_bench_order* order;
    atomic_ullong* got;
    bool echo;
    size_t held; /* bytes of a message that is not whole yet */
    char* answer;
    char room[ROOM];
} drain;

static void on_room(uv_handle_t* handle, size_t suggested, uv_buf_t* out) {
    drain* d = handle->data;
    (void)suggested;
    *out = uv_buf_init(d->room, sizeof d->room);
}

static void on_sent(uv_write_t* request, int status) {
    (void)status;
    free(request);
}

static void send_one(uv_tcp_t* tcp, const char* bytes, size_t size) {
    uv_write_t* request = malloc(sizeof *request);
    const uv_buf_t buffer = uv_buf_init((char*)bytes, (unsigned)size);
    if (request && uv_write(request, (uv_stream_t*)tcp, &buffer, 1, on_sent) < 0)
        free(request);
}

static void on_read(uv_stream_t* tcp, ssize_t size, const uv_buf_t* buffer) {
    drain* d = tcp->data;
    (void)buffer;
    if (size < 0) {
        uv_close((uv_handle_t*)tcp, NULL);
        return;
    }
    atomic_fetch_add(d->got, (unsigned long long)size);
    for (d->held += (size_t)size; d->echo && d->held >= d->order->cargo->task_size;
         d->held -= d->order->cargo->task_size)
        send_one(&d->tcp, d->answer, d->order->cargo->result_size);
}

static void on_connected(uv_connect_t* request, int status) {
    drain* d = request->data;
    if (status == 0)
        uv_read_start((uv_stream_t*)&d->tcp, on_room, on_read);
}

static int talk(const agon_bench_order* order, int port, atomic_ullong* got, bool echo) {
    uv_loop_t loop;
    struct sockaddr_in address;
    drain* d = calloc(1, sizeof *d);
    char* answer = calloc(1, order->cargo->result_size);
    if (!d || !answer)
        return 1;
    d->order = order;
    d->got = got;
    d->echo = echo;
    d->answer = answer;
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &d->tcp);
    uv_tcp_nodelay(&d->tcp, 1);
    uv_ip4_addr("127.0.0.1", port, &address);
    d->tcp.data = d->connect.data = d;
    const int rc =
        uv_tcp_connect(&d->connect, &d->tcp, (const struct sockaddr*)&address, on_connected);
    uv_run(&loop, UV_RUN_DEFAULT);
    return rc ? 1 : 0;
}

int agon_bench_talk_echo(const agon_bench_order* order, int port, agon_bench_shared* shared,
                         int index) {
    return talk(order, port, &shared->got[index], true);
}

int agon_bench_talk_drain(const agon_bench_order* order, int port, agon_bench_shared* shared,
                          int index) {
    return talk(order, port, &shared->got[index], false);
}

/* ---- this side ------------------------------------------------------------------------------ */

typedef struct plain plain;

typedef struct flow {
    uv_tcp_t tcp;
    plain* of;
    size_t held;
    bool open;
    uv_write_t write[FLYING];
} flow;

struct plain {
    const agon_bench_order* order;
    const agon_bench_clients* clients;
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_check_t check;
    uv_timer_t timer;
    flow flow[AGON_BENCH_CLIENTS];
    int flows, left, rc;
    bool echo, shut;
    double done; /* answers */
    agon_bench_meter meter;
    agon_bench_window* out;
    char* task;
    char room[ROOM];
};

static void end(plain* p) {
    p->shut = true;
    for (int i = 0; i < p->flows; i++)
        if (p->flow[i].open)
            uv_close((uv_handle_t*)&p->flow[i].tcp, NULL);
    uv_close((uv_handle_t*)&p->listener, NULL);
    uv_close((uv_handle_t*)&p->check, NULL);
    uv_close((uv_handle_t*)&p->timer, NULL);
}

static void on_turn(uv_check_t* check) {
    plain* p = check->data;
    const double got = (double)agon_bench_clients_got(p->clients, false);
    const double least = p->echo ? p->done / ECHO_WARM
                                 : (double)agon_bench_clients_got(p->clients, true) / WRITE_WARM;
    agon_bench_meter_turn(&p->meter, least >= 1, p->echo ? p->done : got, p->out);
    if (p->meter.over && !p->shut)
        end(p);
}

static void on_timer(uv_timer_t* timer) {
    plain* p = timer->data;
    if (p->meter.begun > 0 || --p->left > 0)
        return;
    p->rc = AGON_EIO;
    p->meter.over = true;
}

static void on_space(uv_handle_t* handle, size_t suggested, uv_buf_t* out) {
    flow* f = handle->data;
    (void)suggested;
    *out = uv_buf_init(f->of->room, sizeof f->of->room);
}

/* One round trip more for each that has ended. */
static void on_answer(uv_stream_t* tcp, ssize_t size, const uv_buf_t* buffer) {
    flow* f = tcp->data;
    plain* p = f->of;
    (void)buffer;
    if (size < 0) {
        f->open = false;
        uv_close((uv_handle_t*)tcp, NULL);
        return;
    }
    for (f->held += (size_t)size; f->held >= p->order->cargo->result_size;
         f->held -= p->order->cargo->result_size) {
        p->done++;
        send_one(&f->tcp, p->task, p->order->cargo->task_size);
    }
}

static void write_chunk(uv_write_t* request, int status) {
    flow* f = request->data;
    plain* p = f->of;
    const int i = (int)((uint64_t)p->done % AGON_BENCH_BLOBS);
    uv_buf_t buffer = uv_buf_init((char*)p->order->cargo->blob[i], AGON__CHUNK);
    p->done++;
    if (status == 0 && f->open && !p->shut)
        uv_write(request, (uv_stream_t*)&f->tcp, &buffer, 1, write_chunk);
}

static void on_connection(uv_stream_t* listener, int status) {
    plain* p = listener->data;
    if (status < 0 || p->flows == AGON_BENCH_CLIENTS)
        return;
    flow* f = &p->flow[p->flows++];
    f->of = p;
    f->tcp.data = f;
    uv_tcp_init(&p->loop, &f->tcp);
    f->open = true;
    uv_accept(listener, (uv_stream_t*)&f->tcp);
    uv_tcp_nodelay(&f->tcp, 1);
    uv_read_start((uv_stream_t*)&f->tcp, on_space, on_answer);
    for (int i = 0; p->echo && i < AGON_BENCH_PLACES; i++)
        send_one(&f->tcp, p->task, p->order->cargo->task_size);
    for (int i = 0; !p->echo && i < FLYING; i++) {
        f->write[i].data = f;
        write_chunk(&f->write[i], 0);
    }
}

static int port_of(plain* p) {
    struct sockaddr_in address;
    int length = sizeof address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&p->listener, (const struct sockaddr*)&address, 0) < 0 ||
        uv_listen((uv_stream_t*)&p->listener, AGON_BENCH_CLIENTS, on_connection) < 0 ||
        uv_tcp_getsockname(&p->listener, (struct sockaddr*)&address, &length) < 0)
        return -1;
    return ntohs(address.sin_port);
}

static void serve(plain* p, agon_bench_clients* clients) {
    uv_loop_init(&p->loop);
    uv_tcp_init(&p->loop, &p->listener);
    uv_check_init(&p->loop, &p->check);
    uv_timer_init(&p->loop, &p->timer);
    p->listener.data = p->check.data = p->timer.data = p;
    p->clients = clients;
    p->left = AGON_BENCH_PATIENCE_MS / TURN_MS;
    uv_check_start(&p->check, on_turn);
    uv_timer_start(&p->timer, on_timer, TURN_MS, TURN_MS);
    const int port = port_of(p);
    if (port > 0)
        agon_bench_clients_go(clients, port);
    else
        end(p);
    p->rc = port > 0 ? AGON_OK : AGON_EIO;
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
}

static int measure(const agon_bench_order* order, double seconds, bool echo, agon_bench_window* out,
                   agon_error* error) {
    agon_bench_clients clients;
    plain* p = calloc(1, sizeof *p);
    char* task = calloc(1, order->cargo->task_size);
    int rc = p && task ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for an echo");
    if (!rc)
        rc = agon_bench_clients_start(&clients, echo ? agon_bench_talk_echo : agon_bench_talk_drain,
                                      order, error);
    if (!rc) {
        *p = (plain){
            .order = order, .echo = echo, .task = task, .meter.seconds = seconds, .out = out};
        serve(p, &clients);
        rc = agon_bench_clients_end(&clients, error);
        if (!rc && p->rc)
            rc = agon_fail(error, p->rc, "the clients of the bench were not at work in time");
    }
    free(task);
    free(p);
    return rc;
}

int agon_bench_plain_echo(const agon_bench_order* order, double seconds, agon_bench_window* out,
                          agon_error* error) {
    return measure(order, seconds, true, out, error);
}

int agon_bench_plain_write(const agon_bench_order* order, double seconds, agon_bench_window* out,
                           agon_error* error) {
    return measure(order, seconds, false, out, error);
}
