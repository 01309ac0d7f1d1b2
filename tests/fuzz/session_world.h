/* session_world.h: the surroundings of a coordinator that is fuzzed: tasks and their results, and
 * in place of the transport, the clock, libuv's pool and this process's own worker others that do
 * nothing by themselves, so that an input always does the same. */
#ifndef AGON_SESSION_WORLD_H
#define AGON_SESSION_WORLD_H

#include "engine/golden.h"
#include "net/coordinator_inside.h"
#include "net/session.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <openssl/rand.h>

enum { PEERS = 4, IDS = 6, TASKS = 8, PLAIN = 6, LEASES = 64, OWN = 2, TICKETS = 512 };
enum { SMALL, LARGE, ABSENT, BLOBS };
enum { MOST_WORK = PEERS * 1024 + BLOBS };

typedef struct peer {
    agon__session* session; /* NULL: not connected */
} peer;

typedef struct handed {
    char id[AGON_HASH_SIZE];
    uint64_t lease;
} handed;

typedef struct own_task {
    bool busy, stopped;
    uint64_t ticket;
    char id[AGON_HASH_SIZE];
} own_task;

typedef struct work {
    uv_work_t* request;
    uv_work_cb run;
    uv_after_work_cb after;
    bool cancelled;
} work;

/* ---- what there is to do: made once ------------------------------------------------------- */

static struct {
    uint8_t* data;
    size_t size;
    char id[AGON_HASH_SIZE];
    uint8_t* result;
    size_t result_size;
} table[TASKS];

static uint8_t blob_bytes[3 * AGON__CHUNK];
static agon_bytes
    blobs[BLOBS]; /* by what they are: a probe set, a large one, one that is not there */
static char program_hash[AGON_HASH_SIZE];

enum { ACTIONS = 9, STATES = AGON__CHUNK / 4 / ACTIONS + 100 }; /* a result of two chunks */

static void make_blobs(void) {
    static int32_t offset[STATES + 1];
    static agon_blob blob;
    agon_blob_begin(&blob);
    agon_blob_add_tensor(&blob, "U.offset", AGON_BLOB_I32, 1, (int64_t[]){STATES + 1}, offset);
    MUST(agon_blob_encode(&blob, &blobs[SMALL], NULL) == AGON_OK);
    for (size_t i = 0; i < sizeof blob_bytes; i++)
        blob_bytes[i] = (uint8_t)(i * 7 + i / 4096);
    blobs[LARGE] = (agon_bytes){.data = blob_bytes, .size = sizeof blob_bytes};
    agon_sha256(blob_bytes, sizeof blob_bytes, blobs[LARGE].hash);
    agon_sha256("absent", 6, blobs[ABSENT].hash);
    agon_sha256("prog", 4, program_hash);
}

static void make_task(int i) {
    static float probability[STATES * ACTIONS];
    agon_task task = {.kind = i == 0 ? AGON_PROBE : AGON_MATCH};
    agon_result result = {.kind = task.kind};
    snprintf(task.key, sizeof task.key, "match/0/0/%d", i);
    snprintf(task.game, sizeof task.game, "%s", i % 2 ? "nim" : "tic_tac_toe");
    if (i == 0) {
        task.as.probe = (agon_probe_task){.ref = "random"};
        memcpy(task.as.probe.probes, blobs[SMALL].hash, AGON_HASH_SIZE);
        result.as.probe = (agon_probe_result){
            .states = STATES, .actions = ACTIONS, .probability = probability, .nash_conv = NAN};
    } else {
        task.as.match = (agon_match_task){.row_ref = "random", .col_ref = "random", .games = 2};
        result.as.match = (agon_match_result){.seats = 2, .tally[0] = {2, 1, 0, 1, 0, 2}};
    }
    if (i >= PLAIN)
        snprintf(task.as.match.row_ref, AGON_REF_SIZE, "cmd:prog@%s", program_hash);
    snprintf(result.key, sizeof result.key, "%s", task.key);
    MUST(agon_task_encode(&task, &table[i].data, &table[i].size, NULL) == AGON_OK);
    MUST(agon_result_encode(&result, &table[i].result, &table[i].result_size, NULL) == AGON_OK);
    agon_sha256(table[i].data, table[i].size, table[i].id);
}

static void make_all(void) {
    make_blobs();
    for (int i = 0; i < TASKS; i++)
        make_task(i);
}

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    (void)user;
    for (int b = 0; b < ABSENT; b++) {
        if (strcmp(hash, blobs[b].hash) != 0)
            continue;
        *size = blobs[b].size;
        *data = malloc(*size);
        MUST(*data != NULL);
        memcpy(*data, blobs[b].data, *size);
        return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "no blob %.12s", hash);
}

/* ---- the world of one input --------------------------------------------------------------- */

static struct {
    uv_loop_t loop;
    agon_executor executor;
    agon__coordinator* c;
    agon_executor_done own_done;
    void* own_user;
    own_task own[OWN];
    peer peer[PEERS];
    handed handed[LEASES]; /* leases that were handed out, the oldest overwritten */
    int handed_count;
    work work[MOST_WORK];
    int works;
    uint64_t now;     /* nanoseconds */
    size_t queued;    /* bytes for all peers that nobody has taken */
    uint64_t tickets; /* given out, from 1 */
    uint64_t ended[TICKETS];
} w;

/* The clock of the coordinator. */
uint64_t uv_hrtime(void) {
    return w.now;
}

int RAND_bytes(unsigned char* out, int size) {
    for (int i = 0; i < size; i++)
        out[i] = (unsigned char)(i * 37 + w.tickets);
    return 1;
}

int uv_queue_work(uv_loop_t* loop, uv_work_t* request, uv_work_cb run, uv_after_work_cb after) {
    (void)loop;
    MUST(w.works < MOST_WORK);
    w.work[w.works++] = (work){request, run, after, false};
    return 0;
}

int uv_cancel(uv_req_t* request) {
    for (int i = 0; i < w.works; i++)
        if ((uv_req_t*)w.work[i].request == request)
            w.work[i].cancelled = true;
    return 0;
}

static void do_work(int i) {
    if (i >= w.works)
        return;
    const work x = w.work[i];
    w.work[i] = w.work[--w.works];
    if (!x.cancelled)
        x.run(x.request);
    x.after(x.request, x.cancelled ? UV_ECANCELED : 0);
}

/* ---- this process's own worker ------------------------------------------------------------ */

static int own_submit(agon_executor* executor, uint64_t ticket, uint8_t* data, size_t size) {
    for (int i = 0; i < executor->slots; i++) {
        if (w.own[i].busy)
            continue;
        w.own[i] = (own_task){true, false, ticket, ""};
        agon_sha256(data, size, w.own[i].id);
        free(data);
        return AGON_OK;
    }
    return AGON_ELIMIT;
}

static bool own_look(const agon_executor* executor, uint64_t ticket, agon_executor_look* out) {
    (void)executor, (void)ticket;
    *out = (agon_executor_look){.permille = (unsigned)(w.now / 1000000000 % 1000)};
    return true;
}

static void own_drop(agon_executor* executor, uint64_t ticket) {
    for (int i = 0; i < executor->slots; i++)
        if (w.own[i].busy && w.own[i].ticket == ticket)
            w.own[i].stopped = true;
}

static void own_cancel(agon_executor* executor) {
    for (int i = 0; i < executor->slots; i++)
        w.own[i].stopped = w.own[i].busy;
}

static double own_profile(const agon_executor* executor, double* seconds) {
    (void)executor, (void)seconds;
    return 0;
}

static void own_nothing(agon_executor* executor) {
    (void)executor;
}

int agon_cores(void) {
    return OWN;
}

int agon_executor_local(const agon_executor_def* def, const void* maker, agon_executor* out,
                        agon_error* error) {
    (void)maker, (void)error;
    MUST(def->slots <= OWN);
    w.own_done = def->done;
    w.own_user = def->user;
    *out = (agon_executor){.name = "own",
                           .slots = def->slots,
                           .submit = own_submit,
                           .look = own_look,
                           .drop = own_drop,
                           .cancel = own_cancel,
                           .profile = own_profile,
                           .shut = own_nothing,
                           .close = own_nothing};
    return AGON_OK;
}

/* Without the fingerprint of the rules, which takes longer than all the rest. */
int agon_golden_task(const agon_rules* rules, agon_task* out, agon_error* error) {
    (void)error;
    *out = (agon_task){.kind = AGON_MATCH, .key = "golden"};
    out->as.match = (agon_match_task){.row_ref = "random", .col_ref = "random", .games = 2};
    snprintf(out->game, sizeof out->game, "%s", rules->name);
    return AGON_OK;
}

static int table_of(const char* id) {
    for (int i = 0; i < TASKS; i++)
        if (strcmp(table[i].id, id) == 0)
            return i;
    return -1;
}

/* Golden tasks are asked for their hash only: their own id does for a result. */
static void own_finish(int i, bool fails) {
    own_task task = w.own[i];
    agon_error error = {0};
    const int t = table_of(task.id);
    if (!task.busy)
        return;
    w.own[i].busy = false;
    const int code = task.stopped ? AGON_ECANCELLED : fails ? AGON_EINVALID : AGON_OK;
    if (code)
        agon_fail(&error, code, "it did not work");
    const uint8_t* data = t >= 0 ? table[t].result : (const uint8_t*)task.id;
    const size_t size = t >= 0 ? table[t].result_size : AGON_HASH_SIZE - 1;
    w.own_done(w.own_user, task.ticket, code, code ? NULL : data, code ? 0 : size, &error);
}

/* ---- the transport ------------------------------------------------------------------------ */

static void send_to(agon__transport* t, void* to, const agon__message* message) {
    const peer* p = to;
    uint8_t* data;
    size_t size;
    agon_error error;
    (void)t;
    MUST(p->session != NULL);
    MUST(agon__message_encode(message, &data, &size, &error) == AGON_OK);
    static agon__message again;
    MUST(agon__message_decode(data, size, &again, &error) == AGON_OK);
    agon__message_clear(&again);
    free(data);
    w.queued += size;
    if (message->kind != AGON__TASK)
        return;
    handed* h = &w.handed[w.handed_count++ % LEASES];
    memcpy(h->id, message->as.task.id, AGON_HASH_SIZE);
    h->lease = message->as.task.lease;
}

static void part(agon__transport* t, void* to) {
    peer* p = to;
    (void)t;
    MUST(p->session != NULL);
    p->session = NULL;
}

static size_t queued(agon__transport* t, void* to) {
    (void)t, (void)to;
    return w.queued;
}

static void nothing(agon__transport* t) {
    (void)t;
}

int agon__server_open(agon__coordinator* c, agon__transport* out, agon_error* error) {
    (void)error;
    w.c = c;
    *out = (agon__transport){
        .send = send_to, .part = part, .queued = queued, .shut = nothing, .close = nothing};
    return AGON_OK;
}

#endif
