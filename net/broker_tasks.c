/* broker_tasks.c: tasks on their way to whoever takes them.
 *
 * The scheduler alone decides: a lease of the broker that nobody takes runs out there, and comes
 * here again under another number; the earlier message is then taken away. */
#include "net/broker.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct agon__posted {
    agon__posted* next;
    char id[AGON_HASH_SIZE];  /* of the task */
    uint64_t lease, sequence; /* sequence 0: the stream has not said yet */
};

typedef struct receipt {
    agon__broker* broker;
    char id[AGON_HASH_SIZE];
    uint64_t lease;
} receipt;

static agon__posted** find(agon__broker* b, const char* id) {
    agon__posted** at = &b->posted[agon__broker_bucket(id)];
    while (*at && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

static void take_away(agon__broker* b, uint64_t sequence) {
    char subject[AGON__NATS_SUBJECT], body[96];
    if (!sequence)
        return;
    snprintf(subject, sizeof subject, "$JS.API.STREAM.MSG.DELETE.%s", b->tasks);
    const int size = snprintf(body, sizeof body, "{\"seq\":%llu,\"no_erase\":true}",
                              (unsigned long long)sequence);
    agon__nats_publish(b->nats, subject, NULL, body, (size_t)size);
}

/* One that is no longer wanted is taken away at once. Where the connection was lost, it is
 * published again with the next. */
static void stored(void* user, uint64_t sequence, const agon_error* why) {
    receipt* r = user;
    agon__posted* p = *find(r->broker, r->id);
    if (!sequence && agon__nats_connected(r->broker->nats))
        agon__coordinator_note(r->broker->coordinator, "%s", why->text);
    if (p && p->lease == r->lease)
        p->sequence = sequence;
    else
        take_away(r->broker, sequence);
    free(r);
}

static void post(agon__broker* b, const char* id, uint64_t number, const uint8_t* data,
                 size_t size) {
    agon__message m = {.kind = AGON__TASK};
    char subject[AGON__NATS_SUBJECT], mark[2 * AGON_HASH_SIZE + 32];
    agon_error error = {0};
    uint8_t* bytes = NULL;
    size_t length = 0;
    receipt* r = calloc(1, sizeof *r);
    memcpy(m.as.task.id, id, AGON_HASH_SIZE);
    m.as.task.lease = number;
    m.as.task.data = (uint8_t*)data;
    m.as.task.size = size;
    if (!r || agon__message_encode(&m, &bytes, &length, &error) != AGON_OK) {
        agon__coordinator_note(b->coordinator, "a task was not published: %s",
                               r ? error.text : "out of memory");
        free(r);
        return;
    }
    r->broker = b;
    r->lease = number;
    memcpy(r->id, id, AGON_HASH_SIZE);
    snprintf(subject, sizeof subject, AGON__SUBJECT_TASK, b->url.space, b->id);
    snprintf(mark, sizeof mark, "t:%s:%.16s:%llu", id, b->process, (unsigned long long)number);
    agon__nats_store(b->nats, subject, mark, false, bytes, length, r, stored);
}

static void offer_ref(void* user, const char* ref) {
    if (agon_ref_is_hash(ref))
        agon__broker_offer(user, ref);
}

static void offer_blobs(agon__broker* b, const uint8_t* data, size_t size) {
    agon_task* task = malloc(sizeof *task);
    if (task && agon_task_decode(data, size, task, NULL) == AGON_OK)
        agon_task_each_ref(task, offer_ref, b);
    free(task);
}

void agon__broker_publish(agon__broker* b, const agon__lease* lease) {
    agon__posted** at = find(b, lease->id);
    agon__posted* p = *at;
    if (p)
        take_away(b, p->sequence);
    else
        p = calloc(1, sizeof *p);
    if (!p)
        return; /* the lease runs out, and is published then */
    *at = p;
    memcpy(p->id, lease->id, sizeof p->id);
    p->lease = lease->number;
    p->sequence = 0;
    if (!b->boot[0])
        return; /* when the streams are ready */
    offer_blobs(b, lease->data, lease->size);
    post(b, lease->id, lease->number, lease->data, lease->size);
}

void agon__broker_publish_again(agon__broker* b) {
    agon__scheduler* s = agon__coordinator_scheduler(b->coordinator);
    for (int i = 0; i < AGON__BROKER_BUCKETS; i++)
        for (agon__posted* p = b->posted[i]; p; p = p->next) {
            size_t size = 0;
            const uint8_t* data = agon__scheduler_task(s, p->id, &size);
            if (!data || !agon__scheduler_beat(s, AGON__BROKER, p->lease, 0, 0,
                                               agon__coordinator_now(b->coordinator)))
                continue;
            offer_blobs(b, data, size);
            post(b, p->id, p->lease, data, size);
        }
}

void agon__broker_sweep(agon__broker* b) {
    agon__scheduler* s = agon__coordinator_scheduler(b->coordinator);
    for (int i = 0; i < AGON__BROKER_BUCKETS; i++)
        for (agon__posted** at = &b->posted[i]; *at;) {
            agon__posted* p = *at;
            size_t size;
            if (agon__scheduler_task(s, p->id, &size)) {
                at = &p->next;
                continue;
            }
            take_away(b, p->sequence);
            *at = p->next;
            free(p);
        }
}

/* Workers took it and fell silent, again and again: quarantined here, and the scheduler hears of a
 * lost lease, until its own limit. */
void agon__broker_poison(agon__broker* b, const agon__nats_message* m) {
    cJSON* json = cJSON_ParseWithLength((const char*)m->data, m->size);
    const cJSON* number = cJSON_GetObjectItem(json, "stream_seq");
    const uint64_t sequence = cJSON_IsNumber(number) ? (uint64_t)number->valuedouble : 0;
    cJSON_Delete(json);
    for (int i = 0; sequence && i < AGON__BROKER_BUCKETS; i++)
        for (agon__posted* p = b->posted[i]; p; p = p->next) {
            agon__nak nak = {.lease = p->lease, .class = AGON__NAK_HOST};
            if (p->sequence != sequence)
                continue;
            memcpy(nak.task, p->id, sizeof nak.task);
            snprintf(nak.text, sizeof nak.text, "the broker gave it to workers as often as it may");
            agon__coordinator_note(b->coordinator, "task %.12s: %s", p->id, nak.text);
            p->sequence = 0;
            take_away(b, sequence);
            agon__scheduler_nak(agon__coordinator_scheduler(b->coordinator), AGON__BROKER, &nak,
                                agon__coordinator_now(b->coordinator));
            agon__coordinator_wake(b->coordinator);
            return;
        }
}

void agon__broker_tasks_clear(agon__broker* b) {
    for (int i = 0; i < AGON__BROKER_BUCKETS; i++)
        for (agon__posted* p; (p = b->posted[i]); free(p))
            b->posted[i] = p->next;
}
