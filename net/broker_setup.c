/* broker_setup.c: the streams of a space and the consumers of a coordinator, made one after the
 * other with every connection: the server may have lost them. */
#include "net/broker.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define TASK_BYTES   ((int64_t)256 << 20)
#define RESULT_BYTES ((int64_t)1 << 30)
#define BLOB_BYTES   ((int64_t)4 << 30)
#define LEAST_BYTES  ((int64_t)16 << 20)
#define AGE_S        (7 * 24 * 3600) /* what is older was left by a run that does not come back */
#define DOUBLES_S    600             /* that the server knows messages' ids */
#define REPLICAS     3               /* where there is a cluster */
#define DELIVERIES   5               /* of a task */
#define MOST_OUT     65536           /* tasks that are out at a time; requests that wait */
#define RETRY_MS     5000
#define ANSWER_MS    5000

/* Errors of JetStream. */
enum {
    NO_PEERS = 10005,
    NO_CONSUMER = 10014,
    NO_MEMORY = 10028,
    NO_STORAGE = 10047,
    OTHER_STREAM = 10058, /* one of that name is there, made otherwise: by an administrator */
    NO_REPLICAS = 10074
};

typedef struct step_state {
    agon__broker* broker;
    uint64_t turn;
} step_state;

typedef enum step {
    MAKE_TASKS,
    MAKE_RESULTS,
    MAKE_BLOBS,
    CLEAR_TASKS, /* what an earlier process of this coordinator has left; all is asked anew */
    CLEAR_RESULTS,
    CONSUME_TASKS,
    FORGET_RESULTS, /* how far they were consumed: a server that was killed may think it further
                       than what it kept of them */
    CONSUME_RESULTS,
    STEPS
} step;

static int64_t room_of(int s) {
    return s == MAKE_TASKS ? TASK_BYTES : s == MAKE_RESULTS ? RESULT_BYTES : BLOB_BYTES;
}

/* ---- requests ----------------------------------------------------------------------------- */

static void add_ns(cJSON* to, const char* name, double seconds) {
    cJSON_AddNumberToObject(to, name, seconds * 1e9);
}

static cJSON* stream(agon__broker* b, const char* name, int subjects, const char* const* form) {
    cJSON* json = cJSON_CreateObject();
    cJSON* list = cJSON_AddArrayToObject(json, "subjects");
    char subject[AGON__NATS_SUBJECT];
    for (int i = 0; i < subjects; i++) {
        snprintf(subject, sizeof subject, "agon.%s.%s", b->url.space, form[i]);
        cJSON_AddItemToArray(list, cJSON_CreateString(subject));
    }
    cJSON_AddStringToObject(json, "name", name);
    cJSON_AddStringToObject(json, "storage", "file");
    cJSON_AddStringToObject(json, "discard", "new");
    cJSON_AddNumberToObject(json, "max_bytes", (double)b->room);
    cJSON_AddNumberToObject(json, "num_replicas", b->replicas);
    cJSON_AddNumberToObject(json, "max_consumers", -1);
    cJSON_AddNumberToObject(json, "max_msgs", -1);
    cJSON_AddNumberToObject(json, "max_msg_size", -1);
    add_ns(json, "max_age", AGE_S);
    return json;
}

static cJSON* queue(agon__broker* b, const char* name, const char* form) {
    cJSON* json = stream(b, name, 1, &form);
    cJSON_AddStringToObject(json, "retention", "workqueue");
    cJSON_AddNumberToObject(json, "max_msgs_per_subject", -1);
    add_ns(json, "duplicate_window", DOUBLES_S);
    return json;
}

/* Blobs can be had again, but a stream whose only server is gone says nothing at all, and large
 * results wait for it. */
static cJSON* depot(agon__broker* b) {
    static const char* const forms[] = {"blob.>", "part.>"};
    cJSON* json = stream(b, b->blobs, 2, forms);
    cJSON_AddStringToObject(json, "retention", "limits");
    cJSON_AddNumberToObject(json, "max_msgs_per_subject", 1);
    cJSON_AddBoolToObject(json, "allow_direct", true);
    return json;
}

/* A server's lease is twice the scheduler's, which so runs out first and takes the message away:
 * what the server gives out again is for a time without a coordinator. */
static cJSON* consumer(agon__broker* b, const char* name, const char* subject, double wait_s,
                       int deliveries) {
    cJSON* json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "stream_name", name);
    cJSON* config = cJSON_AddObjectToObject(json, "config");
    cJSON_AddStringToObject(config, "durable_name", b->id);
    cJSON_AddStringToObject(config, "deliver_policy", "all");
    cJSON_AddStringToObject(config, "ack_policy", "explicit");
    cJSON_AddStringToObject(config, "replay_policy", "instant");
    cJSON_AddStringToObject(config, "filter_subject", subject);
    cJSON_AddNumberToObject(config, "max_deliver", deliveries);
    cJSON_AddNumberToObject(config, "max_ack_pending", MOST_OUT);
    cJSON_AddNumberToObject(config, "max_waiting", MOST_OUT);
    add_ns(config, "ack_wait", wait_s);
    return json;
}

static cJSON* filter(const char* subject) {
    cJSON* json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "filter", subject);
    return json;
}

static void task_subject(const agon__broker* b, char* out, size_t size) {
    snprintf(out, size, AGON__SUBJECT_TASK, b->url.space, b->id);
}

static void result_subject(const agon__broker* b, char* out, size_t size) {
    snprintf(out, size, "agon.%s.result.%s.>", b->url.space, b->id);
}

/* What to ask where for a step. */
static cJSON* request(agon__broker* b, char* subject, size_t size) {
    char tasks[AGON__NATS_SUBJECT], results[AGON__NATS_SUBJECT];
    const int lease = agon__coordinator_def(b->coordinator)->lease;
    task_subject(b, tasks, sizeof tasks);
    result_subject(b, results, sizeof results);
    switch ((step)b->step) {
    case MAKE_TASKS:
        snprintf(subject, size, "$JS.API.STREAM.CREATE.%s", b->tasks);
        return queue(b, b->tasks, "task.*");
    case MAKE_RESULTS:
        snprintf(subject, size, "$JS.API.STREAM.CREATE.%s", b->result_stream);
        return queue(b, b->result_stream, "result.>");
    case MAKE_BLOBS:
        snprintf(subject, size, "$JS.API.STREAM.CREATE.%s", b->blobs);
        return depot(b);
    case CLEAR_TASKS:
        snprintf(subject, size, "$JS.API.STREAM.PURGE.%s", b->tasks);
        return filter(tasks);
    case CLEAR_RESULTS:
        snprintf(subject, size, "$JS.API.STREAM.PURGE.%s", b->result_stream);
        return filter(results);
    case CONSUME_TASKS:
        snprintf(subject, size, "$JS.API.CONSUMER.DURABLE.CREATE.%s.%s", b->tasks, b->id);
        return consumer(b, b->tasks, tasks, 2 * lease, DELIVERIES);
    case FORGET_RESULTS:
        snprintf(subject, size, "$JS.API.CONSUMER.DELETE.%s.%s", b->result_stream, b->id);
        return cJSON_CreateObject();
    default:
        snprintf(subject, size, "$JS.API.CONSUMER.DURABLE.CREATE.%s.%s", b->result_stream, b->id);
        return consumer(b, b->result_stream, results, lease, -1);
    }
}

/* ---- answers ------------------------------------------------------------------------------ */

static void go_on(agon__broker* b);

static void next(agon__broker* b) {
    b->step++;
    if (b->cleared && b->step == CLEAR_TASKS)
        b->step = CONSUME_TASKS;
    if (b->step <= MAKE_BLOBS) {
        b->room = room_of(b->step);
        b->replicas = REPLICAS;
    }
    if (b->step < STEPS) {
        go_on(b);
        return;
    }
    b->cleared = true;
    agon__broker_ready(b);
}

static void later(agon__broker* b, const char* text) {
    agon__coordinator_note(b->coordinator, "the broker is not ready: %s; again in %d s", text,
                           RETRY_MS / 1000);
    b->retry_ms = agon__coordinator_now(b->coordinator) + RETRY_MS;
}

static void refused(agon__broker* b, int code, const char* text) {
    const bool making = b->step <= MAKE_BLOBS;
    if ((making && code == OTHER_STREAM) || (b->step == FORGET_RESULTS && code == NO_CONSUMER)) {
        next(b);
    } else if (making && b->replicas > 1 && (code == NO_REPLICAS || code == NO_PEERS)) {
        b->replicas = 1;
        go_on(b);
    } else if (making && (code == NO_STORAGE || code == NO_MEMORY) && b->room > LEAST_BYTES) {
        b->room /= 2; /* it is set aside at once, whether used or not */
        go_on(b);
    } else {
        later(b, text);
    }
}

static void answered(void* user, const agon__nats_message* m) {
    step_state* state = user;
    agon__broker* b = state->broker;
    const bool mine = state->turn == b->turn;
    free(state);
    if (!mine || !agon__nats_connected(b->nats))
        return;
    if (!m || m->status) {
        later(b, m && m->status == 503 ? "JetStream is switched off in the server, or not allowed"
                                       : "it does not answer");
        return;
    }
    cJSON* json = cJSON_ParseWithLength((const char*)m->data, m->size);
    const cJSON* error = cJSON_GetObjectItem(json, "error");
    const cJSON* code = cJSON_GetObjectItem(error, "err_code");
    const char* text = cJSON_GetStringValue(cJSON_GetObjectItem(error, "description"));
    if (json && !error)
        next(b);
    else
        refused(b, cJSON_IsNumber(code) ? code->valueint : 0, text ? text : "no sense in it");
    cJSON_Delete(json);
}

static void go_on(agon__broker* b) {
    char subject[AGON__NATS_SUBJECT];
    cJSON* json = request(b, subject, sizeof subject);
    char* text = cJSON_PrintUnformatted(json);
    step_state* state = calloc(1, sizeof *state);
    cJSON_Delete(json);
    if (text && state) {
        *state = (step_state){b, b->turn};
        agon__nats_ask(b->nats, subject, text, strlen(text), ANSWER_MS, state, answered);
    } else {
        free(state);
        later(b, "out of memory");
    }
    cJSON_free(text);
}

void agon__broker_setup(agon__broker* b) {
    b->turn++;
    b->retry_ms = 0;
    b->boot[0] = '\0';
    b->step = -1;
    next(b);
}

void agon__broker_setup_tick(agon__broker* b, int64_t now) {
    if (b->retry_ms && now >= b->retry_ms && agon__nats_connected(b->nats)) {
        b->retry_ms = 0;
        go_on(b);
    }
}

static void drop_consumer(agon__broker* b, const char* name) {
    char subject[AGON__NATS_SUBJECT];
    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.%s.%s", name, b->id);
    agon__nats_publish(b->nats, subject, NULL, NULL, 0);
}

static void purge(agon__broker* b, const char* name, const char* what) {
    char subject[AGON__NATS_SUBJECT], body[AGON__NATS_SUBJECT + 32];
    snprintf(subject, sizeof subject, "$JS.API.STREAM.PURGE.%s", name);
    const int size = snprintf(body, sizeof body, "{\"filter\":\"%s\"}", what);
    agon__nats_publish(b->nats, subject, NULL, body, (size_t)size);
}

void agon__broker_clear(agon__broker* b) {
    char subject[AGON__NATS_SUBJECT];
    drop_consumer(b, b->tasks);
    drop_consumer(b, b->result_stream);
    task_subject(b, subject, sizeof subject);
    purge(b, b->tasks, subject);
    result_subject(b, subject, sizeof subject);
    purge(b, b->result_stream, subject);
}
