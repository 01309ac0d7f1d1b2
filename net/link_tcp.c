/* link_tcp.c: a worker's conversation over one connection at a time, plain or TLS. */
#include "net/auth.h"
#include "net/link.h"
#include "net/stream.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_FIRST 1000  /* ms before the second try */
#define PAUSE_MOST  60000 /* ms */
#define HANDSHAKE   10000 /* ms from connecting to WELCOME */
#define PATIENCE    30000 /* ms that one message may take to arrive */

typedef enum step { RESTING, CONNECTING, GREETED, PROVED, WELCOME, ENDED } step;

typedef struct tcp {
    agon__link_def def;
    agon__url url;
    agon__tls_context* tls;
    agon__token token;
    agon__stream* stream;
    uv_timer_t timer; /* the next try; or the end of patience with a silent coordinator */
    step step;
    int lease_ms;
    double pause;      /* ms */
    uint64_t heard;    /* uv_now of the last message */
    uint8_t* greeting; /* HELLO as sent: the MAC is over these bytes */
    size_t greeting_size;
    char nonce[AGON_HASH_SIZE];
    agon_error why; /* known better than the stream can; code 0: it is not */
    char said[512]; /* why it was lost the last time; "": it was welcome since */
} tcp;

static void connect_now(tcp* t);

/* ---- trying again ------------------------------------------------------------------------- */

static void try_again(uv_timer_t* timer) {
    connect_now(timer->data);
}

/* The pause grows by half, and differs by a fifth either way: not all workers come at once. */
static void rest(tcp* t, const agon_error* why) {
    agon_error said = *why;
    uint16_t chance = 0;
    if (t->step == ENDED)
        return;
    t->step = RESTING;
    uv_random(NULL, NULL, &chance, sizeof chance, 0, NULL);
    const uint64_t pause = (uint64_t)(t->pause * (0.8 + 0.4 * chance / 65535.0));
    t->pause = t->pause * 1.5 < PAUSE_MOST / 1.2 ? t->pause * 1.5 : PAUSE_MOST / 1.2;
    if (!said.text[0])
        agon_fail(&said, AGON_EIO, "the coordinator closed the connection");
    const bool news = strcmp(t->said, said.text) != 0 && why->hint[0];
    agon_hint(&said, "%s%snext try in %.1f s", news ? why->hint : "", news ? "; " : "",
              (double)pause / 1000);
    memcpy(t->said, said.text, sizeof t->said);
    uv_timer_start(&t->timer, try_again, pause, 0);
    t->def.lost(t->def.user, &said);
}

/* No way to go on: trying again would end the same. */
static void refuse(tcp* t, const agon_error* why) {
    if (t->step == ENDED)
        return;
    t->step = ENDED;
    uv_timer_stop(&t->timer);
    if (t->stream)
        agon__stream_hang_up(t->stream, why);
    t->def.refused(t->def.user, why);
}

static void hang_up(tcp* t, int code, const char* text) {
    agon_fail(&t->why, code, "%s", text);
    agon__stream_hang_up(t->stream, &t->why);
}

/* ---- silence ------------------------------------------------------------------------------ */

static void not_welcome(uv_timer_t* timer) {
    char text[128];
    snprintf(text, sizeof text, "no welcome from the coordinator for %d s", HANDSHAKE / 1000);
    hang_up(timer->data, AGON_EIO, text);
}

/* A coordinator answers every beat; a connection whose other end is gone does not say so. */
static void listen_for(uv_timer_t* timer) {
    tcp* t = timer->data;
    const uint64_t silent = uv_now(t->def.loop) - t->heard;
    char text[128];
    if (silent < (uint64_t)t->lease_ms)
        return;
    snprintf(text, sizeof text, "not a word from the coordinator for %.1f s",
             (double)silent / 1000);
    hang_up(t, AGON_EIO, text);
}

/* ---- messages ----------------------------------------------------------------------------- */

static void send_message(tcp* t, const agon__message* message) {
    agon_error error = {0};
    if (!t->stream || !agon__stream_begin(t->stream))
        return;
    const int rc = agon__message_encode_to(message, agon__stream_add, t->stream, &error);
    agon__stream_end(t->stream, rc == AGON_OK);
    if (rc)
        hang_up(t, error.code, error.text);
}

/* A new nonce each time: an answer of an earlier connection proves nothing. */
static void greet(tcp* t) {
    agon__message m = {.kind = AGON__HELLO, .as.hello = t->def.hello};
    agon_error error = {0};
    int rc = agon__random_hex(t->nonce, &error);
    memcpy(m.as.hello.nonce, t->nonce, sizeof t->nonce);
    free(t->greeting);
    t->greeting = NULL;
    if (!rc)
        rc = agon__message_encode(&m, &t->greeting, &t->greeting_size, &error);
    if (rc) {
        refuse(t, &error);
        return;
    }
    agon__stream_send(t->stream, t->greeting, t->greeting_size);
    t->step = GREETED;
}

static void prove(tcp* t, const agon__challenge* challenge) {
    agon__message m = {.kind = AGON__AUTH};
    agon_error error = {0};
    if (challenge->token && !t->token.name[0]) {
        agon_fail(&error, AGON_EINVALID, "the coordinator %s asks for a token, and none was given",
                  t->def.worker->connect);
        agon_hint(&error, "'agon cert --token NAME' makes one where the coordinator runs; give its "
                          "file with --token FILE");
        refuse(t, &error);
        return;
    }
    if (challenge->token && agon__mac(&t->token, t->nonce, challenge->nonce, t->greeting,
                                      t->greeting_size, m.as.auth.mac, &error)) {
        refuse(t, &error);
        return;
    }
    send_message(t, &m);
    t->step = PROVED;
}

static void welcome(tcp* t, const agon__welcome* words) {
    const int beat = words->beat_ms > 0 ? words->beat_ms : 1;
    t->step = WELCOME;
    t->pause = PAUSE_FIRST;
    t->said[0] = '\0';
    t->lease_ms = words->lease_ms > 3 * beat ? words->lease_ms : 3 * beat;
    agon__stream_limit(t->stream, AGON__FRAME_MAX, PATIENCE);
    uv_timer_start(&t->timer, listen_for, (uint64_t)beat, (uint64_t)beat);
    t->def.welcome(t->def.user, words);
}

static void rejected(tcp* t, const agon__rejection* words) {
    if (words->code == AGON__REJECT_BUSY) {
        hang_up(t, AGON_ELIMIT, words->text);
        return;
    }
    agon_error error = {0};
    agon_fail(&error, AGON_EUNSUPPORTED, "the coordinator turned this worker away: %s",
              words->text);
    refuse(t, &error);
}

static void take(tcp* t, const agon__message* m) {
    char text[128];
    if (m->kind == AGON__REJECT)
        rejected(t, &m->as.reject);
    else if (t->step == GREETED && m->kind == AGON__CHALLENGE)
        prove(t, &m->as.challenge);
    else if (t->step == PROVED && m->kind == AGON__WELCOME)
        welcome(t, &m->as.welcome);
    else if (t->step == WELCOME && m->kind != AGON__CHALLENGE && m->kind != AGON__WELCOME)
        t->def.message(t->def.user, m);
    else if (m->kind == AGON__BYE)
        hang_up(t, AGON_EIO, m->as.bye.text);
    else {
        snprintf(text, sizeof text, "the coordinator sent message %d out of order", (int)m->kind);
        hang_up(t, AGON_EFORMAT, text);
    }
}

/* ---- the stream --------------------------------------------------------------------------- */

static void opened(void* user, agon__stream* stream) {
    tcp* t = user;
    (void)stream;
    greet(t);
}

static void message(void* user, agon__stream* stream, const uint8_t* data, size_t size) {
    tcp* t = user;
    agon_error error = {0};
    agon__message* m = calloc(1, sizeof *m);
    (void)stream;
    t->heard = uv_now(t->def.loop);
    if (!m) {
        hang_up(t, AGON_EMEMORY, "no memory for a message");
        return;
    }
    if (agon__message_decode(data, size, m, &error)) {
        t->why = error;
        agon__stream_hang_up(t->stream, &t->why);
    } else if (t->step != ENDED) {
        take(t, m);
    }
    agon__message_clear(m);
    free(m);
}

static void drained(void* user, agon__stream* stream) {
    tcp* t = user;
    (void)stream;
    if (t->step == WELCOME)
        t->def.drained(t->def.user);
}

static void closed(void* user, agon__stream* stream, const agon_error* why) {
    tcp* t = user;
    (void)stream;
    t->stream = NULL;
    if (t->step == ENDED)
        return;
    uv_timer_stop(&t->timer);
    agon_error known = t->why.code ? t->why : *why;
    if (!known.text[0] && t->step == GREETED) {
        agon_fail(&known, AGON_EIO, "the coordinator closed the connection without a word");
        if (!t->tls)
            agon_hint(&known, "if it listens on tls://, so must --connect");
    }
    rest(t, &known);
}

static void connect_now(tcp* t) {
    const agon__stream_def def = {
        .loop = t->def.loop,
        .tls = t->tls,
        .opened = opened,
        .message = message,
        .drained = drained,
        .closed = closed,
        .user = t,
    };
    agon_error error = {0};
    memset(&t->why, 0, sizeof t->why);
    t->step = CONNECTING;
    if (agon__stream_connect(t->url.host, t->url.port, &def, &t->stream, &error)) {
        t->stream = NULL;
        rest(t, &error);
        return;
    }
    uv_timer_start(&t->timer, not_welcome, HANDSHAKE, 0);
}

/* ---- the link ----------------------------------------------------------------------------- */

static void link_send(agon__link* link, const agon__message* m) {
    tcp* t = link->self;
    if (t->step == WELCOME)
        send_message(t, m);
}

static size_t link_queued(agon__link* link) {
    const tcp* t = link->self;
    return t->stream ? agon__stream_queued(t->stream) : 0;
}

static void link_shut(agon__link* link) {
    tcp* t = link->self;
    const agon_error none = {0};
    if (t->stream && t->step != ENDED)
        agon__stream_hang_up(t->stream, &none);
    t->step = ENDED;
    if (!uv_is_closing((uv_handle_t*)&t->timer))
        uv_close((uv_handle_t*)&t->timer, NULL);
}

static void link_close(agon__link* link) {
    tcp* t = link->self;
    agon__tls_context_close(t->tls);
    free(t->greeting);
    free(t);
    link->self = NULL;
}

static int read_keys(tcp* t, agon_error* error) {
    const agon_worker_def* w = t->def.worker;
    int rc = AGON_OK;
    if (w->token[0])
        rc = agon__token_read(w->token, &t->token, error);
    if (!rc && t->url.scheme == AGON__TLS)
        rc = agon__tls_client_open(w->tls, &t->tls, error);
    return rc;
}

int agon__link_tcp_open(const agon__link_def* def, const char* url, agon__link* out,
                        agon_error* error) {
    tcp* t = calloc(1, sizeof *t);
    if (!t)
        return agon_fail(error, AGON_EMEMORY, "no memory for a connection");
    t->def = *def;
    t->pause = PAUSE_FIRST;
    int rc = agon__url_parse(url, &t->url, error);
    if (!rc)
        rc = read_keys(t, error);
    if (rc) {
        agon__tls_context_close(t->tls);
        free(t);
        return rc;
    }
    snprintf(t->def.hello.token, sizeof t->def.hello.token, "%s",
             t->token.name[0] ? t->token.name : "-");
    uv_timer_init(def->loop, &t->timer);
    t->timer.data = t;
    uv_timer_start(&t->timer, try_again, 0, 0);
    *out = (agon__link){
        .self = t,
        .send = link_send,
        .queued = link_queued,
        .shut = link_shut,
        .close = link_close,
    };
    return AGON_OK;
}
