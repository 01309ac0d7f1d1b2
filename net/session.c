/* session.c: the coordinator's side of one worker's conversation; see message.h. */
#include "net/session.h"

#include "engine/device.h"
#include "games/plugin.h"
#include "net/auth.h"

#include <stdlib.h>
#include <string.h>

#define STRANGERS_MS 5000 /* between two words about those who are not known */

/* ---- the beginning and the end ------------------------------------------------------------ */

void agon__session_send(agon__session* s, const agon__message* message) {
    agon__transport* t = agon__coordinator_transport(s->coordinator);
    t->send(t, s->peer, message);
}

agon__session* agon__session_open(agon__coordinator* c, void* peer, const char* address,
                                  const char* certificate) {
    agon_error error;
    agon__sessions* all = agon__coordinator_sessions(c);
    agon__session* s = calloc(1, sizeof *s);
    if (!s || agon__inbox_open(AGON__SESSION_INBOX, &s->inbox, &error) != AGON_OK) {
        free(s);
        return NULL;
    }
    s->coordinator = c;
    s->peer = peer;
    s->heard_ms = agon__coordinator_now(c);
    snprintf(s->address, sizeof s->address, "%s", address);
    snprintf(s->certificate, sizeof s->certificate, "%s", certificate);
    s->next = all->first;
    if (s->next)
        s->next->before = s;
    all->first = s;
    return s;
}

/* Not of the scheduler: the worker may be here again by another session. */
static void forget(agon__session* s) {
    agon__sessions* all = agon__coordinator_sessions(s->coordinator);
    if (s->before)
        s->before->next = s->next;
    else
        all->first = s->next;
    if (s->next)
        s->next->before = s->before;
    if (s->worker && all->by_worker[s->worker] == s)
        all->by_worker[s->worker] = NULL;
    agon__session_drop_parcels(s);
    agon__session_drop_offers(s);
    agon__inbox_close(s->inbox);
    free(s->hello_bytes);
    free(s);
}

void agon__session_close(agon__session* s) {
    agon__coordinator* c = s->coordinator;
    const int worker = s->worker;
    forget(s);
    if (worker && !agon__coordinator_sessions(c)->shut) {
        agon__scheduler_leave(agon__coordinator_scheduler(c), worker, agon__coordinator_now(c));
        agon__coordinator_wake(c);
    }
}

/* As close, and the transport parts with the peer. */
static void end(agon__session* s) {
    agon__transport* t = agon__coordinator_transport(s->coordinator);
    void* peer = s->peer;
    agon__session_close(s);
    t->part(t, peer);
}

static void reject(agon__session* s, agon__reject code, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whoever connects can make us say this, so it is said at most once in a while. */
static void tell_rejection(const agon__session* s, const char* text) {
    agon__sessions* all = agon__coordinator_sessions(s->coordinator);
    const int64_t now = agon__coordinator_now(s->coordinator);
    char others[48] = "";
    if (s->state != AGON__SESSION_READY) {
        if (all->stranger_ms && now - all->stranger_ms < STRANGERS_MS) {
            all->strangers++;
            return;
        }
        if (all->strangers)
            snprintf(others, sizeof others, "; and %d more before", all->strangers);
        all->stranger_ms = now;
        all->strangers = 0;
    }
    agon__coordinator_note(s->coordinator, "worker %s (%s) was turned away: %s%s",
                           s->hello.name[0] ? s->hello.name : "?", s->address, text, others);
}

static void reject(agon__session* s, agon__reject code, const char* format, ...) {
    agon__message m = {.kind = AGON__REJECT, .as.reject.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(m.as.reject.text, sizeof m.as.reject.text, format, arguments);
    va_end(arguments);
    tell_rejection(s, m.as.reject.text);
    agon__session_send(s, &m);
    end(s);
}

/* ---- the handshake ------------------------------------------------------------------------ */

static bool wants_token(const agon__session* s) {
    return agon__coordinator_def(s->coordinator)->tokens[0] != '\0' && !s->certificate[0];
}

/* The rules of a plug-in that this process has loaded, too. One that it has not is of no use here,
 * and no harm. Returns false when the session has ended. */
static bool check_game(agon__session* s, const agon__game_offer* offer) {
    agon_rules* rules = NULL;
    agon_error error;
    if (!agon_plugin_find(offer->name) || agon_rules_open(offer->name, &rules, &error) != AGON_OK)
        return true;
    const uint64_t here = agon_rules_fingerprint(rules);
    agon_rules_close(rules);
    if (here == offer->fingerprint)
        return true;
    reject(s, AGON__REJECT_GAME,
           "the rules of %s are %016llx there and %016llx here; use the same game file on both "
           "sides",
           offer->name, (unsigned long long)offer->fingerprint, (unsigned long long)here);
    return false;
}

/* Results of another kind of device would be other bytes, and look like lies. */
static bool check_class(agon__session* s) {
    char here[AGON_DEVICE_CLASS], words[64];
    const agon_backend* backend = agon__coordinator_backend(s->coordinator);
    agon_device_class(backend, here);
    if (strcmp(s->hello.class, here) == 0)
        return true;
    agon_device_words(backend, words, sizeof words);
    reject(s, AGON__REJECT_BUILD,
           "it computes as '%s', and this run as '%s': their results would differ; start it as "
           "agon worker %s",
           s->hello.class, here, words);
    return false;
}

static bool check_hello(agon__session* s) {
    const agon__hello* h = &s->hello;
    if (h->protocol != AGON__PROTOCOL) {
        reject(s, AGON__REJECT_PROTOCOL,
               "it speaks protocol %d, and this coordinator %d; use the same version of agon",
               h->protocol, AGON__PROTOCOL);
        return false;
    }
    if (h->task_format != AGON_TASK_FORMAT) {
        reject(s, AGON__REJECT_BUILD,
               "it knows tasks of format %d, and this coordinator gives %d; use the same version "
               "of agon",
               h->task_format, AGON_TASK_FORMAT);
        return false;
    }
    if (!check_class(s))
        return false;
    for (int i = 0; i < h->games; i++)
        if (!check_game(s, &h->game[i]))
            return false;
    return true;
}

static void on_hello(agon__session* s, const agon__message* m, const uint8_t* data, size_t size) {
    agon_error error;
    agon__message answer = {.kind = AGON__CHALLENGE};
    s->hello = m->as.hello;
    s->hello_bytes = malloc(size);
    if (!s->hello_bytes || agon__random_hex(s->nonce, &error) != AGON_OK) {
        end(s);
        return;
    }
    memcpy(s->hello_bytes, data, size);
    s->hello_size = size;
    if (!check_hello(s))
        return;
    memcpy(answer.as.challenge.nonce, s->nonce, sizeof s->nonce);
    answer.as.challenge.token = wants_token(s);
    s->state = AGON__SESSION_AUTH;
    agon__session_send(s, &answer);
}

/* The file is read each time, so that a line taken out of it counts at once. false: ended. */
static bool check_token(agon__session* s, const char* mac) {
    agon_error error = {0};
    agon__tokens tokens = {0};
    char expected[AGON_HASH_SIZE] = "";
    const char* path = agon__coordinator_def(s->coordinator)->tokens;
    const agon__token* token = NULL;
    int rc = agon__tokens_read(path, &tokens, &error);
    if (!rc)
        token = agon__tokens_find(&tokens, s->hello.token);
    if (token)
        rc = agon__mac(token, s->hello.nonce, s->nonce, s->hello_bytes, s->hello_size, expected,
                       &error);
    const bool right = token && !rc && agon__mac_equal(expected, mac);
    agon__tokens_clear(&tokens);
    if (right)
        return true;
    if (rc)
        reject(s, AGON__REJECT_BUSY, "the coordinator cannot read its tokens: %.300s", error.text);
    else if (strcmp(s->hello.token, "-") == 0)
        reject(s, AGON__REJECT_TOKEN,
               "it brought no token, and this coordinator wants one; agon "
               "worker --token FILE");
    else if (!token)
        reject(s, AGON__REJECT_TOKEN, "no token of the name '%s' is known here", s->hello.token);
    else
        reject(s, AGON__REJECT_TOKEN,
               "its answer does not fit the token '%s': another token, or a replayed handshake",
               s->hello.token);
    return false;
}

static bool reach_worker(agon__sessions* all, int worker) {
    if (worker < all->room)
        return true;
    const int room = worker + worker / 2 + 64;
    agon__session** grown = realloc(all->by_worker, (size_t)room * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + all->room, 0, (size_t)(room - all->room) * sizeof *grown);
    all->by_worker = grown;
    all->room = room;
    return true;
}

static void welcome(agon__session* s) {
    const agon_cluster_def* def = agon__coordinator_def(s->coordinator);
    agon__message m = {.kind = AGON__WELCOME};
    m.as.welcome.lease_ms = def->lease * 1000;
    m.as.welcome.beat_ms = def->lease * 1000 / 4;
    snprintf(m.as.welcome.run, sizeof m.as.welcome.run, "%.120s", def->run[0] ? def->run : "-");
    agon__session_send(s, &m);
}

/* The worker's number is told to the scheduler from now on. An older session of the same process,
 * whose connection is not known to be gone yet, ends. */
static void on_auth(agon__session* s, const agon__message* m) {
    agon__coordinator* c = s->coordinator;
    agon__sessions* all = agon__coordinator_sessions(c);
    agon_error error = {0};
    if (wants_token(s) && !check_token(s, m->as.auth.mac))
        return;
    if (!wants_token(s) && s->certificate[0])
        snprintf(s->hello.token, sizeof s->hello.token, "%.63s", s->certificate);
    const int worker = agon__scheduler_join(agon__coordinator_scheduler(c), &s->hello, s->address,
                                            agon__coordinator_now(c), &error);
    if (worker < 0) {
        reject(s, worker == AGON_EMEMORY ? AGON__REJECT_BUSY : AGON__REJECT_STRUCK, "%.480s",
               error.text);
        return;
    }
    if (!reach_worker(all, worker)) {
        agon__scheduler_leave(agon__coordinator_scheduler(c), worker, agon__coordinator_now(c));
        reject(s, AGON__REJECT_BUSY, "the coordinator is out of memory");
        return;
    }
    agon__session* old = all->by_worker[worker];
    all->by_worker[worker] = s;
    if (old) {
        agon__transport* t = agon__coordinator_transport(c);
        void* peer = old->peer;
        forget(old);
        t->part(t, peer);
    }
    s->worker = worker;
    s->state = AGON__SESSION_READY;
    if (!old)
        agon__coordinator_note(c, "worker %s (%s) joined with %d places", s->hello.name, s->address,
                               s->hello.slots);
    welcome(s);
    agon__coordinator_wake(c);
}

/* ---- work --------------------------------------------------------------------------------- */

static void on_beat(agon__session* s, const agon__beat* beat) {
    agon__scheduler* scheduler = agon__coordinator_scheduler(s->coordinator);
    const int64_t now = agon__coordinator_now(s->coordinator);
    agon__message* m = calloc(1, sizeof *m);
    if (!m)
        return;
    m->kind = AGON__BEAT_OK;
    for (int i = 0; i < beat->leases; i++)
        if (!agon__scheduler_beat(scheduler, s->worker, beat->lease[i].lease,
                                  beat->lease[i].permille, beat->lease[i].steps, now))
            m->as.beat_ok.cancel[m->as.beat_ok.cancelled++].lease = beat->lease[i].lease;
    agon__session_send(s, m);
    free(m);
}

static void on_ready(agon__session* s, agon__message* m) {
    agon__coordinator* c = s->coordinator;
    switch (m->kind) {
    case AGON__CREDIT:
        agon__scheduler_credit(agon__coordinator_scheduler(c), s->worker, m->as.credit.tasks,
                               agon__coordinator_now(c));
        agon__coordinator_wake(c);
        break;
    case AGON__WANT:
        agon__session_want(s, &m->as.want);
        break;
    case AGON__BEAT:
        on_beat(s, &m->as.beat);
        break;
    case AGON__RESULT:
        agon__session_offer(s, &m->as.result);
        break;
    case AGON__CHUNK_DATA:
        agon__session_chunk(s, &m->as.chunk);
        break;
    case AGON__NAK:
        agon__scheduler_nak(agon__coordinator_scheduler(c), s->worker, &m->as.nak,
                            agon__coordinator_now(c));
        agon__coordinator_wake(c);
        break;
    case AGON__BYE:
        agon__coordinator_note(c, "worker %s (%s) left: %s", s->hello.name, s->address,
                               m->as.bye.text);
        end(s);
        break;
    default:
        agon__coordinator_note(c, "worker %s (%s) spoke out of turn; parting", s->hello.name,
                               s->address);
        end(s);
    }
}

/* A worker that is known may come again; a stranger hears what is spoken here. */
static void garbled(agon__session* s, const char* why) {
    if (s->state != AGON__SESSION_READY) {
        reject(s, AGON__REJECT_PROTOCOL,
               "it said what is no message of protocol %d (%.200s); use the same version of agon",
               AGON__PROTOCOL, why);
        return;
    }
    agon__coordinator_note(s->coordinator,
                           "worker %s (%s) said what is no message: %.200s; parting", s->hello.name,
                           s->address, why);
    end(s);
}

void agon__session_message(agon__session* s, const uint8_t* data, size_t size) {
    agon_error error = {0};
    agon__message* m = malloc(sizeof *m);
    int rc = m ? agon__message_decode(data, size, m, &error) : AGON_EMEMORY;
    s->heard_ms = agon__coordinator_now(s->coordinator);
    if (rc) {
        garbled(s, error.text);
        free(m);
        return;
    }
    if (s->state == AGON__SESSION_READY)
        on_ready(s, m);
    else if (s->state == AGON__SESSION_NEW && m->kind == AGON__HELLO)
        on_hello(s, m, data, size);
    else if (s->state == AGON__SESSION_AUTH && m->kind == AGON__AUTH)
        on_auth(s, m);
    else
        reject(s, AGON__REJECT_PROTOCOL, "it spoke out of turn");
    agon__message_clear(m);
    free(m);
}

bool agon__session_ready(const agon__session* s) {
    return s->state == AGON__SESSION_READY;
}

/* ---- all sessions ------------------------------------------------------------------------- */

static agon__session* session_of(agon__coordinator* c, int worker) {
    agon__sessions* all = agon__coordinator_sessions(c);
    return worker < all->room ? all->by_worker[worker] : NULL;
}

void agon__sessions_grant(agon__coordinator* c, const agon__lease* lease) {
    agon__session* s = session_of(c, lease->worker);
    agon__message m;
    if (!s) { /* its connection has ended since: so do its leases */
        agon__scheduler_leave(agon__coordinator_scheduler(c), lease->worker,
                              agon__coordinator_now(c));
        return;
    }
    agon__message_begin(&m, AGON__TASK);
    memcpy(m.as.task.id, lease->id, AGON_HASH_SIZE);
    m.as.task.lease = lease->number;
    m.as.task.data = (uint8_t*)lease->data;
    m.as.task.size = lease->size;
    agon__session_send(s, &m);
}

void agon__sessions_revoke(agon__coordinator* c, int worker, uint64_t lease) {
    agon__session* s = session_of(c, worker);
    if (!s)
        return;
    agon__message m;
    m.kind = AGON__BEAT_OK;
    m.as.beat_ok.cancelled = 1;
    m.as.beat_ok.cancel[0].lease = lease;
    agon__session_send(s, &m);
}

void agon__sessions_ack(agon__coordinator* c, int worker, const char* task, uint64_t lease,
                        agon__verdict verdict) {
    agon__session* s = session_of(c, worker);
    agon__message m;
    if (!s)
        return;
    agon__message_begin(&m, AGON__ACK);
    m.as.ack.lease = lease;
    m.as.ack.verdict = verdict;
    memcpy(m.as.ack.task, task, AGON_HASH_SIZE);
    agon__session_send(s, &m);
}

void agon__sessions_tick(agon__coordinator* c) {
    const int64_t now = agon__coordinator_now(c);
    const int64_t patience = 2000 * (int64_t)agon__coordinator_def(c)->lease;
    agon__session* next;
    for (agon__session* s = agon__coordinator_sessions(c)->first; s; s = next) {
        next = s->next;
        if (s->state != AGON__SESSION_READY || now - s->heard_ms < patience)
            continue;
        agon__coordinator_note(c, "worker %s (%s) has said nothing for %d s; parting",
                               s->hello.name, s->address, (int)((now - s->heard_ms) / 1000));
        end(s);
    }
}

void agon__sessions_dismiss(agon__coordinator* c, int worker, const char* why) {
    agon__session* s = session_of(c, worker);
    agon__sessions* all = agon__coordinator_sessions(c);
    if (s && all->dismissed < AGON__DISMISSALS) {
        all->dismissal[all->dismissed].worker = worker;
        snprintf(all->dismissal[all->dismissed++].why, sizeof all->dismissal->why, "%s", why);
    }
    agon__coordinator_wake(c);
}

/* Later than the scheduler said so, which is not to be called from within its own calls. */
void agon__sessions_settle(agon__coordinator* c) {
    agon__sessions* all = agon__coordinator_sessions(c);
    while (all->dismissed > 0) {
        const int i = --all->dismissed;
        agon__session* s = session_of(c, all->dismissal[i].worker);
        if (s)
            reject(s, AGON__REJECT_STRUCK, "%.480s", all->dismissal[i].why);
    }
}

void agon__sessions_shut(agon__coordinator* c) {
    agon__sessions* all = agon__coordinator_sessions(c);
    agon__message m = {.kind = AGON__BYE};
    snprintf(m.as.bye.text, sizeof m.as.bye.text, "the run has ended, or stops");
    all->shut = true;
    while (all->first) {
        if (all->first->state == AGON__SESSION_READY)
            agon__session_send(all->first, &m);
        end(all->first);
    }
    free(all->by_worker);
    *all = (agon__sessions){.shut = true};
}
