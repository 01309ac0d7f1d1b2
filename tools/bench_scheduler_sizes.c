/* bench_scheduler_sizes.c: how large messages, tasks, results and blobs are: encoded, and counted.
 */
#include "tools/bench_scheduler_sizes.h"

#include "net/frame.h"
#include "tools/bench_work.h"

#include <stdlib.h>
#include <string.h>

typedef struct sizing {
    agon_rules* rules;
    agon_learner* learner;
    agon_world_sizes* out;
} sizing;

static void make_hash(int number, char out[AGON_HASH_SIZE]) {
    agon_sha256(&number, sizeof number, out);
}

/* ---- blobs and results -------------------------------------------------------------------- */

static int open_learner(const agon_bench* b, sizing* s, agon_error* error) {
    agon_net net;
    const int rc = agon_bench_open_net(b, &s->rules, &net, error);
    if (rc)
        return rc;
    s->learner = agon_learner_open(&net, agon_cpu_backend());
    if (!s->learner)
        return agon_fail(error, AGON_EMEMORY, "no memory for a learner");
    agon_net_init(&net, agon_key_make(1, "bench", AGON_FOR_INIT), s->learner->params);
    return AGON_OK;
}

static int result_size(const agon_result* result, double* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon_result_encode(result, &data, &size, error);
    *out = (double)size;
    free(data);
    return rc;
}

static int size_train(sizing* s, agon_error* error) {
    agon_snapshot_info info = {.agent = 1234, .generation = 123};
    agon_result r = {.kind = AGON_TRAIN, .key = "train/123/1234", .blobs = 0};
    snprintf(info.game, sizeof info.game, "%s", s->rules->name);
    int rc = agon_learner_encode(s->learner, &info, &r.blob[0], error);
    if (rc)
        return rc;
    r.blobs = 1;
    rc = agon_snapshot_encode(&s->learner->net, s->learner->params, &info, &r.blob[1], error);
    if (!rc) {
        r.blobs = 2;
        memcpy(r.as.train.learner, r.blob[0].hash, AGON_HASH_SIZE);
        memcpy(r.as.train.snapshot, r.blob[1].hash, AGON_HASH_SIZE);
        r.as.train.steps = r.as.train.total_steps = 1 << 20;
        s->out->learner = (double)r.blob[0].size;
        s->out->snapshot = (double)r.blob[1].size;
        rc = result_size(&r, &s->out->result[0], error);
    }
    agon_result_clear(&r);
    return rc;
}

static int size_match(sizing* s, agon_error* error) {
    agon_result r = {.kind = AGON_MATCH, .key = "match/123/1234/1235"};
    agon_match_result* m = &r.as.match;
    m->seats = s->rules->spec.seats;
    m->pairs = 32;
    m->plies = 64 * 21;
    for (int i = 0; i < m->seats; i++)
        m->tally[i] = (agon_tally){32, 20, 2, 10, 10.5, 20.25};
    return result_size(&r, &s->out->result[1], error);
}

/* ---- tasks -------------------------------------------------------------------------------- */

static int task_size(const agon_task* task, double* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon_task_encode(task, &data, &size, error);
    *out = (double)size;
    free(data);
    return rc;
}

static int size_tasks(const agon_bench* b, sizing* s, agon_error* error) {
    agon_config c;
    int rc = agon_bench_config(b, "", &c, error);
    agon_task* t = calloc(1, sizeof *t);
    if (!t)
        return agon_fail(error, AGON_EMEMORY, "no memory for a task");
    agon_train_task* d = &t->as.train;
    *t = (agon_task){.kind = AGON_TRAIN, .key = "train/123/1234", .seed = 1};
    snprintf(t->game, sizeof t->game, "%s", s->rules->name);
    *d = (agon_train_task){.generation = 123,
                           .agent = 1234,
                           .lanes = c.train.lanes,
                           .horizon = c.train.horizon,
                           .rollouts = c.train.rollouts,
                           .ppo = agon_bench_ppo};
    agon_net_format(&s->learner->net, d->net, sizeof d->net);
    make_hash(0, d->learner);
    s->out->opponents = c.train.lanes / 8;
    d->opponents = s->out->opponents;
    for (int i = 0; i < d->opponents; i++)
        make_hash(i, d->opponent[i]);
    if (!rc)
        rc = task_size(t, &s->out->task[0], error);
    *t = (agon_task){.kind = AGON_MATCH, .key = "match/123/1234/1235", .seed = 1};
    snprintf(t->game, sizeof t->game, "%s", s->rules->name);
    t->as.match = (agon_match_task){
        .generation = 123, .row = 1234, .col = 1235, .games = 64, .opening = 4, .temperature = 1};
    make_hash(1, t->as.match.row_ref);
    make_hash(2, t->as.match.col_ref);
    if (!rc)
        rc = task_size(t, &s->out->task[1], error);
    free(t);
    return rc;
}

/* ---- messages ----------------------------------------------------------------------------- */

static void fill(agon__message* m, uint8_t* byte) {
    char hash[AGON_HASH_SIZE];
    const uint64_t lease = 1u << 20;
    make_hash(1, hash);
    switch (m->kind) {
    case AGON__HELLO:
        m->as.hello = (agon__hello){.protocol = AGON__PROTOCOL,
                                    .task_format = AGON_TASK_FORMAT,
                                    .build = "agon 0.1.0 (0123456789ab)",
                                    .class = "cpu",
                                    .name = "node-0123",
                                    .token = "cluster",
                                    .pid = 12345,
                                    .slots = 8,
                                    .memory = 1ull << 35};
        memcpy(m->as.hello.id, hash, sizeof hash);
        memcpy(m->as.hello.nonce, hash, sizeof hash);
        break;
    case AGON__CHALLENGE:
        memcpy(m->as.challenge.nonce, hash, sizeof hash);
        m->as.challenge.token = 1;
        break;
    case AGON__AUTH:
        memcpy(m->as.auth.mac, hash, sizeof hash);
        break;
    case AGON__WELCOME:
        m->as.welcome = (agon__welcome){"runs/connect_four-1", 30000, 7500};
        break;
    case AGON__REJECT:
        m->as.reject = (agon__rejection){AGON__REJECT_BUSY, "too many workers"};
        break;
    case AGON__CREDIT:
        m->as.credit.tasks = 11;
        break;
    case AGON__TASK:
        m->as.task = (agon__task_grant){.lease = lease, .data = byte, .size = 1};
        memcpy(m->as.task.id, hash, sizeof hash);
        break;
    case AGON__WANT:
    case AGON__MISSING:
        memcpy(m->as.want.hash, hash, sizeof hash); /* first in both */
        break;
    case AGON__CHUNK_DATA:
        m->as.chunk = (agon__chunk){.count = 1, .data = byte, .size = 1};
        memcpy(m->as.chunk.hash, hash, sizeof hash);
        break;
    case AGON__BEAT:
        m->as.beat.leases = 1;
        m->as.beat.lease[0] = (agon__progress){lease, 500, 1u << 20};
        break;
    case AGON__BEAT_OK:
        break;
    case AGON__RESULT:
        m->as.result = (agon__result_offer){
            .lease = lease, .size = 1u << 20, .steps = 1u << 20, .phases = AGON_PHASES};
        memcpy(m->as.result.task, hash, sizeof hash);
        memcpy(m->as.result.hash, hash, sizeof hash);
        break;
    case AGON__ACK:
        m->as.ack = (agon__ack){.lease = lease, .verdict = AGON__ACCEPTED};
        memcpy(m->as.ack.task, hash, sizeof hash);
        break;
    case AGON__NAK:
        m->as.nak = (agon__nak){.lease = lease, .class = AGON__NAK_BACK, .text = "stopping"};
        memcpy(m->as.nak.task, hash, sizeof hash);
        break;
    default:
        m->as.bye = (agon__bye){"stopping"};
    }
}

static int message_size(agon__message* m, double* out, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon__message_encode(m, &data, &size, error);
    *out = (double)size + AGON__FRAME_HEAD;
    free(data);
    return rc;
}

static int size_messages(agon_world_sizes* out, agon_error* error) {
    uint8_t byte = 0;
    double two = 0;
    agon__message* m = calloc(1, sizeof *m);
    int rc = m ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for a message");
    for (int kind = 1; !rc && kind <= AGON__MESSAGE_KINDS; kind++) {
        memset(m, 0, sizeof *m);
        m->kind = (agon__message_kind)kind;
        fill(m, &byte);
        rc = message_size(m, &out->message[kind], error);
    }
    if (!rc) {
        memset(m, 0, sizeof *m);
        m->kind = AGON__BEAT;
        fill(m, &byte);
        m->as.beat.leases = 2;
        m->as.beat.lease[1] = m->as.beat.lease[0];
        rc = message_size(m, &two, error);
        out->lease = two - out->message[AGON__BEAT];
        out->message[AGON__BEAT] -= out->lease;
    }
    free(m);
    return rc;
}

int agon_world_size_all(const agon_bench* b, agon_world_sizes* out, agon_error* error) {
    sizing s = {.out = out};
    memset(out, 0, sizeof *out);
    int rc = open_learner(b, &s, error);
    if (!rc)
        rc = size_train(&s, error);
    if (!rc)
        rc = size_match(&s, error);
    if (!rc)
        rc = size_tasks(b, &s, error);
    if (!rc)
        rc = size_messages(out, error);
    agon_learner_close(s.learner);
    agon_rules_close(s.rules);
    return rc;
}
