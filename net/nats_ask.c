/* nats_ask.c: requests that are under way, and messages that a stream has not taken yet. */
#include "net/nats_internal.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS  20
#define STORE_MS   5000  /* for a stream to answer; then it is sent again */
#define AGAIN_MS   300   /* after it had no room, or was not there */
#define SAME_THERE 10071 /* JetStream: the subject's last sequence is another than expected */

typedef struct agon__nats_question {
    uint64_t number; /* 0: free */
    uint64_t until;  /* ms of the loop: then it is answered with nothing, or sent again */
    int next;        /* of the free ones, + 1; 0: none */
    void* user;
    agon__nats_answer answer; /* both NULL: forgotten */
    agon__nats_stored stored;
    bool store, once;
    char *subject, *id; /* of a store; owned */
    uint8_t* data;
    size_t size;
} question;

/* ---- slots -------------------------------------------------------------------------------- */

static question* new_question(agon__nats* n) {
    agon__nats_asks* a = &n->asks;
    int i = a->free - 1;
    if (i >= 0) {
        a->free = a->slot[i].next;
    } else if (a->used < a->room) {
        i = a->used++;
    } else {
        const int room = a->room ? 2 * a->room : 64;
        question* grown =
            room <= 1 << SLOT_BITS ? realloc(a->slot, (size_t)room * sizeof *grown) : NULL;
        if (!grown)
            return NULL;
        a->slot = grown;
        a->room = room;
        i = a->used++;
    }
    a->slot[i] = (question){.number = ++a->serial << SLOT_BITS | (unsigned)i};
    return &a->slot[i];
}

/* Takes it out of its slot; the caller frees what it owns. */
static question take_out(agon__nats* n, question* q) {
    agon__nats_asks* a = &n->asks;
    const question taken = *q;
    *q = (question){.next = a->free};
    a->free = (int)(q - a->slot) + 1;
    return taken;
}

static void release(question* q) {
    free(q->subject);
    free(q->id);
    free(q->data);
}

static void send_question(agon__nats* n, question* q, const char* subject, const void* data,
                          size_t size, int wait_ms) {
    const agon__nats_def* def = &n->def;
    char reply[AGON__NATS_SUBJECT + 32];
    snprintf(reply, sizeof reply, "%s.a.%llx", def->subject[0], (unsigned long long)q->number);
    q->until = agon__nats_connected(n) ? uv_now(def->loop) + (uint64_t)wait_ms : 0;
    agon__nats_send(n, subject, reply, q->id, q->once, data, size);
}

/* ---- asking and storing ------------------------------------------------------------------- */

void agon__nats_ask(agon__nats* n, const char* subject, const void* data, size_t size, int wait_ms,
                    void* user, agon__nats_answer answer) {
    question* q = new_question(n);
    if (!q) {
        answer(user, NULL);
        return;
    }
    q->user = user;
    q->answer = answer;
    send_question(n, q, subject, data, size, wait_ms);
}

static void fail_store(question* q, int code, const char* text) {
    agon_error error;
    agon_fail(&error, code, "%s was not stored: %s", q->subject ? q->subject : "a message", text);
    if (q->stored)
        q->stored(q->user, 0, &error);
    release(q);
}

void agon__nats_store(agon__nats* n, const char* subject, const char* id, bool once, uint8_t* data,
                      size_t size, void* user, agon__nats_stored stored) {
    question* q = new_question(n);
    question lost = {.user = user, .stored = stored, .data = data};
    char* subject_copy = strdup(subject);
    char* id_copy = id ? strdup(id) : NULL;
    if (!q || !subject_copy || (id && !id_copy)) {
        if (q)
            take_out(n, q);
        lost.subject = subject_copy;
        lost.id = id_copy;
        fail_store(&lost, AGON_EMEMORY, "out of memory");
        return;
    }
    q->user = user;
    q->stored = stored;
    q->store = true;
    q->once = once;
    q->subject = subject_copy;
    q->id = id_copy;
    q->data = data;
    q->size = size;
    send_question(n, q, subject, data, size, STORE_MS);
}

void agon__nats_forget(agon__nats* n, const void* user) {
    agon__nats_asks* a = &n->asks;
    for (int i = 0; i < a->used; i++)
        if (a->slot[i].number && a->slot[i].user == user) {
            a->slot[i].answer = NULL;
            a->slot[i].stored = NULL;
        }
}

/* ---- answers ------------------------------------------------------------------------------ */

/* What a stream answers: its sequence number, or an error. */
static void read_receipt(const agon__nats_message* m, uint64_t* sequence, int* code, char* text,
                         size_t size) {
    cJSON* json = m->status ? NULL : cJSON_ParseWithLength((const char*)m->data, m->size);
    const cJSON* error = cJSON_GetObjectItem(json, "error");
    const cJSON* number = cJSON_GetObjectItem(json, "seq");
    const cJSON* err = cJSON_GetObjectItem(error, "err_code");
    const char* words = cJSON_GetStringValue(cJSON_GetObjectItem(error, "description"));
    *sequence = !error && cJSON_IsNumber(number) && number->valuedouble >= 1
                    ? (uint64_t)number->valuedouble
                    : 0;
    *code = cJSON_IsNumber(err) ? err->valueint : 0;
    snprintf(text, size, "%.200s", words ? words : "no stream answers");
    cJSON_Delete(json);
}

/* Room and leaders come back; everything else stays as it is. */
static bool may_pass(int code, const char* text) {
    return code == 0 || code == 10008 || code == 10023 || code == 10028 || code == 10047 ||
           code == 10077 || strstr(text, "maximum");
}

static void receipt(agon__nats* n, question* q, const agon__nats_message* m) {
    const agon__nats_def* def = &n->def;
    uint64_t sequence;
    int code;
    char text[256];
    read_receipt(m, &sequence, &code, text, sizeof text);
    if (q->once && code == SAME_THERE)
        sequence = 1;
    if (!sequence && may_pass(code, text)) {
        q->until = uv_now(def->loop) + AGAIN_MS;
        return;
    }
    question taken = take_out(n, q);
    if (!sequence) {
        fail_store(&taken, AGON_EIO, text);
        return;
    }
    if (taken.stored)
        taken.stored(taken.user, sequence, NULL);
    release(&taken);
}

bool agon__nats_asks_take(agon__nats* n, const agon__nats_message* m) {
    agon__nats_asks* a = &n->asks;
    const char* prefix = n->def.subject[0];
    const size_t length = strlen(prefix);
    if (strncmp(m->subject, prefix, length) != 0 || strncmp(m->subject + length, ".a.", 3) != 0)
        return false;
    const uint64_t number = strtoull(m->subject + length + 3, NULL, 16);
    const uint64_t i = number & ((1u << SLOT_BITS) - 1);
    if (number == 0 || i >= (uint64_t)a->used || a->slot[i].number != number)
        return true; /* too late */
    if (a->slot[i].store) {
        receipt(n, &a->slot[i], m);
        return true;
    }
    const question taken = take_out(n, &a->slot[i]);
    if (taken.answer)
        taken.answer(taken.user, m);
    return true;
}

static void give_up(agon__nats* n, question* q, const char* text) {
    question taken = take_out(n, q);
    if (taken.store)
        fail_store(&taken, AGON_EIO, text);
    else if (taken.answer)
        taken.answer(taken.user, NULL);
}

/* Callbacks may ask anew, and so move the slots. */
void agon__nats_asks_tick(agon__nats* n, uint64_t now) {
    agon__nats_asks* a = &n->asks;
    for (int i = 0; i < a->used; i++) {
        question* q = &a->slot[i];
        if (!q->number || q->until > now)
            continue;
        if (q->store && agon__nats_connected(n))
            send_question(n, q, q->subject, q->data, q->size, STORE_MS);
        else
            give_up(n, q, "there is no connection");
    }
}

void agon__nats_asks_fail(agon__nats* n) {
    agon__nats_asks* a = &n->asks;
    for (int i = 0; i < a->used; i++)
        if (a->slot[i].number)
            give_up(n, &a->slot[i], "the connection was lost");
}
