/* broker_peers.c: workers that speak to this coordinator over the broker. */
#include "net/broker.h"

#include <stdlib.h>
#include <string.h>

#define MOST_STRANGERS 64 /* that have not proved who they are; then the oldest goes */
#define MOST_PEERS     16384
#define STRANGER_MS    5000

int agon__broker_bucket(const char* text) {
    unsigned hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (int)(hash % AGON__BROKER_BUCKETS);
}

/* The server lets a worker write under its own name alone, so what comes under it is its own. */
agon__peer* agon__broker_find(agon__broker* b, const char* name, const char* id) {
    for (agon__peer* p = b->bucket[agon__broker_bucket(id)]; p; p = p->chain)
        if (p->session && p->ready && strcmp(p->id, id) == 0 && strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static agon__peer* find_epoch(agon__broker* b, char word[7][80]) {
    for (agon__peer* p = b->bucket[agon__broker_bucket(word[5])]; p; p = p->chain)
        if (strcmp(p->id, word[5]) == 0 && strcmp(p->name, word[4]) == 0 &&
            strcmp(p->epoch, word[6]) == 0)
            return p;
    return NULL;
}

static void list(agon__broker* b, agon__peer* p) {
    agon__peer** bucket = &b->bucket[agon__broker_bucket(p->id)];
    p->chain = *bucket;
    *bucket = p;
    p->next = b->first;
    if (p->next)
        p->next->before = p;
    b->first = p;
    b->peers++;
    b->strangers++;
}

static void unlist(agon__peer* p) {
    agon__broker* b = p->broker;
    agon__peer** at = &b->bucket[agon__broker_bucket(p->id)];
    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    if (p->before)
        p->before->next = p->next;
    else
        b->first = p->next;
    if (p->next)
        p->next->before = p->before;
    b->peers--;
}

/* Its session has ended; it is freed later, since it may be in use. */
void agon__broker_part(agon__peer* p) {
    p->session = NULL;
    p->broker->strangers -= !p->ready;
    p->ready = true;
    agon__depot_forget(p->broker->depot, p);
}

static void dismiss(agon__peer* p) {
    agon__session* session = p->session;
    if (!session)
        return;
    agon__broker_part(p);
    agon__session_close(session);
}

static void make_room(agon__broker* b) {
    agon__peer* oldest = NULL;
    for (agon__peer* p = b->first; p; p = p->next)
        if (!p->ready)
            oldest = p;
    if (oldest)
        dismiss(oldest);
}

static agon__peer* meet(agon__broker* b, char word[7][80]) {
    char address[128];
    agon__peer* p = b->peers < MOST_PEERS ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    if (b->strangers >= MOST_STRANGERS)
        make_room(b);
    p->broker = b;
    memcpy(p->name, word[4], sizeof p->name);
    memcpy(p->id, word[5], sizeof p->id);
    memcpy(p->epoch, word[6], sizeof p->epoch);
    p->since_ms = agon__coordinator_now(b->coordinator);
    snprintf(address, sizeof address, "%.70s.%.16s over nats", p->name, p->id);
    list(b, p);
    p->session = agon__session_open(b->coordinator, p, address, p->name);
    if (!p->session)
        agon__broker_part(p);
    return p;
}

void agon__broker_heard(agon__broker* b, char word[7][80], const agon__nats_message* m) {
    agon__peer* p = find_epoch(b, word);
    if (!p)
        p = meet(b, word);
    if (!p || !p->session)
        return;
    agon__session_message(p->session, m->data, m->size);
    if (p->session && !p->ready && agon__session_ready(p->session)) {
        p->ready = true;
        b->strangers--;
    }
}

void agon__broker_say(agon__peer* p, const agon__message* message) {
    agon__broker* b = p->broker;
    char subject[AGON__NATS_SUBJECT + 128];
    agon_error error;
    uint8_t* data = NULL;
    size_t size = 0;
    snprintf(subject, sizeof subject, AGON__SUBJECT_TO_WORKER, b->url.space, p->name, p->id,
             p->epoch);
    if (agon__message_encode(message, &data, &size, &error) == AGON_OK)
        agon__nats_publish(b->nats, subject, NULL, data, size);
    else
        agon__coordinator_note(b->coordinator, "a message was not sent: %s", error.text);
    free(data);
}

/* An ended one is kept for a while, so that late words of it do not look like a stranger's. */
void agon__broker_peers_tick(agon__broker* b, int64_t now) {
    for (agon__peer *p = b->first, *next; p; p = next) {
        next = p->next;
        if (p->session && !p->ready && now - p->since_ms > STRANGER_MS)
            dismiss(p);
        if (p->session)
            p->since_ms = p->ready ? now : p->since_ms;
        else if (now - p->since_ms > 2 * STRANGER_MS) {
            unlist(p);
            free(p);
        }
    }
}

void agon__broker_peers_clear(agon__broker* b) {
    for (agon__peer *p = b->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    b->first = NULL;
}
