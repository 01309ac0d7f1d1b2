#include "net/pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRES_MS 5000
#define BEAT_MS    1000 /* the server's word that a request still holds */
#define SILENT_MS  3500
#define REST_MS    500 /* after a refusal */

void agon__pull_begin(agon__pull* p, agon__nats* nats, const char* prefix, const char* stream,
                      const char* consumer) {
    *p = (agon__pull){.nats = nats, .serial = p->serial};
    snprintf(p->prefix, sizeof p->prefix, "%s.p.", prefix);
    snprintf(p->subject, sizeof p->subject, "$JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, consumer);
    snprintf(p->mark, sizeof p->mark, "$JS.ACK.%s.%s.", stream, consumer);
}

static void drop(agon__pull* p, int i) {
    p->requests--;
    memmove(&p->request[i], &p->request[i + 1], (size_t)(p->requests - i) * sizeof p->request[0]);
}

int agon__pull_coming(agon__pull* p, uint64_t now) {
    int count = 0;
    for (int i = p->requests - 1; i >= 0; i--)
        if (p->request[i].until <= now || p->request[i].heard + SILENT_MS <= now)
            drop(p, i);
        else
            count += p->request[i].left;
    return count;
}

void agon__pull_want(agon__pull* p, int messages, uint64_t now) {
    const int more = messages - agon__pull_coming(p, now);
    char body[160], reply[AGON__NATS_SUBJECT + 32];
    if (more <= 0 || p->requests == AGON__PULL_REQUESTS || now < p->rest_until)
        return;
    const uint64_t number = ++p->serial;
    const int i = p->requests++;
    p->request[i].number = number;
    p->request[i].until = now + EXPIRES_MS + BEAT_MS;
    p->request[i].heard = now;
    p->request[i].left = more;
    snprintf(reply, sizeof reply, "%s%llx", p->prefix, (unsigned long long)number);
    const int size = snprintf(body, sizeof body,
                              "{\"batch\":%d,\"expires\":%d000000,\"idle_heartbeat\":%d000000}",
                              more, EXPIRES_MS, BEAT_MS);
    agon__nats_publish(p->nats, p->subject, reply, body, (size_t)size);
}

bool agon__pull_status(agon__pull* p, const agon__nats_message* m, uint64_t now) {
    const size_t length = strlen(p->prefix);
    if (length == 0 || strncmp(m->subject, p->prefix, length) != 0)
        return false;
    const uint64_t number = strtoull(m->subject + length, NULL, 16);
    for (int i = 0; i < p->requests; i++) {
        if (p->request[i].number != number)
            continue;
        if (m->status == 100)
            p->request[i].heard = now;
        else
            drop(p, i);
        break;
    }
    if (m->status == 409 || m->status == 503) /* refused, or nobody is there */
        p->rest_until = now + REST_MS;
    return true;
}

bool agon__pull_brings(agon__pull* p, const agon__nats_message* m) {
    if (!p->mark[0] || strncmp(m->reply, p->mark, strlen(p->mark)) != 0)
        return false;
    if (p->requests > 0 && --p->request[0].left == 0)
        drop(p, 0);
    return true;
}

void agon__pull_reset(agon__pull* p) {
    p->requests = 0;
    p->rest_until = 0;
}

/* $JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQUENCE.TURN.TIME.PENDING; newer servers put a domain and an
 * account before the stream. */
static uint64_t word_from_end(const char* reply, int back) {
    const char* at = reply + strlen(reply);
    for (; back > 0 && at > reply; back--)
        do
            at--;
        while (at > reply && *at != '.');
    return back == 0 && *at == '.' ? strtoull(at + 1, NULL, 10) : 0;
}

uint64_t agon__pull_sequence(const char* reply) {
    return word_from_end(reply, 4);
}

uint64_t agon__pull_deliveries(const char* reply) {
    return word_from_end(reply, 5);
}
