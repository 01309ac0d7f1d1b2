/* bench_net_talk.c: a client that says what a worker says, with nothing else around it: it keeps no
 * cache and no spool, has no threads, and only counts the chunks that it gets. */
#include "tools/bench_net.h"

#include "agents/backend.h"
#include "engine/execute.h"
#include "net/auth.h"
#include "net/message.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

typedef struct client {
    uv_loop_t loop;
    const agon_bench_order* order;
    agon__stream* stream;
    agon_bench_shared* shared;
    atomic_ullong* got; /* its own */
    agon_context context;
    bool chunks;      /* wants blobs, not tasks */
    int wanted, rest; /* blobs asked for; chunks to come of those */
    int status;
} client;

static void say(client* c, const agon__message* m) {
    agon_error error;
    uint8_t* data;
    size_t size;
    if (agon__message_encode(m, &data, &size, &error) != AGON_OK) {
        fprintf(stderr, "agon: %s\n", error.text);
        c->status = 1;
        agon__stream_hang_up(c->stream, NULL);
        return;
    }
    agon__stream_send(c->stream, data, size);
    free(data);
}

static void want(client* c) {
    agon__message m = {.kind = AGON__WANT};
    const int i = c->wanted++ % AGON_BENCH_BLOBS;
    memcpy(m.as.want.hash, c->order->cargo->hash[i], AGON_HASH_SIZE);
    c->rest += AGON_BENCH_BLOB / AGON__CHUNK;
    say(c, &m);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static int execute(client* c, const agon__task_grant* grant, uint8_t** data, size_t* size,
                   agon_error* error) {
    agon_task* task = malloc(sizeof *task);
    agon_result* result = calloc(1, sizeof *result);
    int rc = task && result ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for a task");
    if (!rc)
        rc = agon_task_decode(grant->data, grant->size, task, error);
    if (!rc)
        rc = agon_execute(task, &c->context, result, error);
    if (!rc)
        rc = agon_result_encode(result, data, size, error);
    if (result)
        agon_result_clear(result);
    free(result);
    free(task);
    return rc;
}

static void offer(client* c, const agon__task_grant* grant, uint8_t* data, size_t size) {
    agon__message m;
    agon__result_offer* r = &m.as.result;
    agon__message_begin(&m, AGON__RESULT);
    memcpy(r->task, grant->id, sizeof r->task);
    r->lease = grant->lease;
    r->size = size;
    agon_sha256(data, size, r->hash);
    if (size <= AGON__INLINE) {
        r->data = data;
        r->inlined = size;
    }
    say(c, &m);
}

static void on_task(client* c, const agon__task_grant* grant) {
    agon_error error = {0};
    uint8_t* data = NULL;
    size_t size = 0;
    if (execute(c, grant, &data, &size, &error) == AGON_OK) {
        offer(c, grant, data, size);
    } else {
        fprintf(stderr, "agon: %s\n", error.text);
        c->status = 1;
    }
    free(data);
}

/* ---- the conversation ----------------------------------------------------------------------- */

static void on_opened(void* user, agon__stream* stream) {
    client* c = user;
    agon_error error;
    agon__message m = {.kind = AGON__HELLO,
                       .as.hello = {.protocol = AGON__PROTOCOL,
                                    .task_format = AGON_TASK_FORMAT,
                                    .build = "-",
                                    .class = "cpu",
                                    .name = "bench",
                                    .token = "-",
                                    .slots = AGON_BENCH_PLACES}};
    c->stream = stream;
    c->status |= agon__random_hex(m.as.hello.id, &error) != AGON_OK;
    c->status |= agon__random_hex(m.as.hello.nonce, &error) != AGON_OK;
    say(c, &m);
}

static void on_welcome(client* c) {
    agon__message m = {.kind = AGON__CREDIT, .as.credit.tasks = AGON_BENCH_PLACES};
    if (!c->chunks)
        say(c, &m);
    for (int i = 0; c->chunks && i < AGON_BENCH_WANTED; i++)
        want(c);
}

static void on_words(client* c, const agon__message* m) {
    const agon__message proof = {.kind = AGON__AUTH};
    switch (m->kind) {
    case AGON__CHALLENGE:
        say(c, &proof);
        break;
    case AGON__WELCOME:
        on_welcome(c);
        break;
    case AGON__TASK:
        on_task(c, &m->as.task);
        break;
    case AGON__ACK:
        c->status |= m->as.ack.verdict != AGON__ACCEPTED;
        break;
    case AGON__BYE:
        agon__stream_hang_up(c->stream, NULL);
        break;
    default:
        fprintf(stderr, "agon: a client of the bench was told %d\n", (int)m->kind);
        c->status = 1;
        agon__stream_hang_up(c->stream, NULL);
    }
}

static void on_message(void* user, agon__stream* stream, const uint8_t* data, size_t size) {
    client* c = user;
    agon_error error;
    agon__message m;
    (void)stream;
    if (c->chunks && atomic_load(&c->shared->over)) {
        agon__stream_hang_up(c->stream, NULL); /* rather than to read all that is on its way */
        return;
    }
    if (c->chunks && size > AGON__CHUNK) {
        atomic_fetch_add(c->got, AGON__CHUNK);
        if (--c->rest % (AGON_BENCH_BLOB / AGON__CHUNK) == 0)
            want(c);
        return;
    }
    if (agon__message_decode(data, size, &m, &error) != AGON_OK) {
        fprintf(stderr, "agon: %s\n", error.text);
        c->status = 1;
        agon__stream_hang_up(c->stream, NULL);
        return;
    }
    atomic_fetch_add(c->got, size);
    on_words(c, &m);
    agon__message_clear(&m);
}

static void on_closed(void* user, agon__stream* stream, const agon_error* why) {
    client* c = user;
    (void)stream;
    if (!why->code || atomic_load(&c->shared->over))
        return;
    fprintf(stderr, "agon: %s\n", why->text);
    c->status = 1;
}

static int talk(const agon_bench_order* order, int port, agon_bench_shared* shared, int index,
                bool chunks) {
    client c = {.order = order, .shared = shared, .got = &shared->got[index], .chunks = chunks};
    agon__tls_context* tls = NULL;
    agon_error error = {0};
    uv_loop_init(&c.loop);
    int rc = order->tls_client ? agon__tls_client_open(order->tls_client, &tls, &error) : AGON_OK;
    const agon__stream_def def = {.loop = &c.loop,
                                  .tls = tls,
                                  .opened = on_opened,
                                  .message = on_message,
                                  .closed = on_closed,
                                  .user = &c};
    c.context.backend = agon_cpu_backend();
    if (!rc)
        rc = agon__stream_connect("127.0.0.1", port, &def, &c.stream, &error);
    if (rc)
        fprintf(stderr, "agon: %s\n", error.text);
    uv_run(&c.loop, UV_RUN_DEFAULT);
    agon_context_clear(&c.context);
    return rc || c.status ? 1 : 0;
}

int agon_bench_talk_tasks(const agon_bench_order* order, int port, agon_bench_shared* shared,
                          int index) {
    return talk(order, port, shared, index, false);
}

int agon_bench_talk_chunks(const agon_bench_order* order, int port, agon_bench_shared* shared,
                           int index) {
    return talk(order, port, shared, index, true);
}
