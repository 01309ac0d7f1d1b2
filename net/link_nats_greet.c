/* link_nats_greet.c: finding a coordinator, and the handshake with it. */
#include "net/auth.h"
#include "net/link_nats.h"

#include <string.h>

#define PAUSE_FIRST  1000 /* ms */
#define PAUSE_MOST   60000
#define HANDSHAKE_MS 5000

static void enter(agon__link_nats* l, agon__link_step step) {
    l->step = step;
    l->since = uv_now(l->def.loop);
}

/* ---- ends --------------------------------------------------------------------------------- */

/* The pause grows by half, and differs by a fifth either way: not all workers come at once. */
static uint64_t next_pause(agon__link_nats* l) {
    uint16_t chance = 0;
    if (l->pause == 0)
        l->pause = PAUSE_FIRST;
    uv_random(NULL, NULL, &chance, sizeof chance, 0, NULL);
    const uint64_t pause = (uint64_t)(l->pause * (0.8 + 0.4 * chance / 65535.0));
    l->pause = l->pause * 1.5 < PAUSE_MOST ? l->pause * 1.5 : PAUSE_MOST;
    return pause;
}

/* Tasks that the worker has go on, and stay its own: the coordinator may be back soon. */
void agon__link_nats_lose(agon__link_nats* l, const agon_error* why) {
    if (l->step == AGON__ENDED)
        return;
    const bool was_welcome = l->step == AGON__WELCOMED;
    const uint64_t pause = was_welcome ? 0 : next_pause(l);
    agon_error said = *why;
    enter(l, agon__nats_connected(l->nats) ? AGON__LOOKING : AGON__APART);
    l->rest_until = l->since + pause;
    l->credit = 0;
    l->told = false;
    agon__pull_reset(&l->tasks);
    agon__link_nats_drop_uploads(l, NULL);
    agon_hint(&said, "%s%slooking for a coordinator in '%s'", why->hint, why->hint[0] ? "; " : "",
              l->url.space);
    l->def.lost(l->def.user, &said);
}

void agon__link_nats_refuse(agon__link_nats* l, const agon_error* why) {
    if (l->step == AGON__ENDED)
        return;
    enter(l, AGON__ENDED);
    l->def.refused(l->def.user, why);
}

void agon__link_nats_watch(agon__link_nats* l, uint64_t now) {
    agon_error why;
    if ((l->step == AGON__GREETED || l->step == AGON__PROVED) && now - l->since > HANDSHAKE_MS) {
        agon_fail(&why, AGON_EIO, "no welcome from the coordinator for %d s", HANDSHAKE_MS / 1000);
        agon__link_nats_lose(l, &why);
    } else if (l->step == AGON__WELCOMED && now - l->heard > (uint64_t)l->lease_ms) {
        agon_fail(&why, AGON_EIO, "not a word from the coordinator for %.1f s",
                  (double)(now - l->heard) / 1000);
        agon__link_nats_lose(l, &why);
    } else if (l->step == AGON__LOOKING && !l->told && now - l->since > AGON__SILENT_MS &&
               now > l->rest_until) {
        l->told = true;
        agon_fail(&why, AGON_EIO, "nobody is in '%s' at %s", l->url.space, l->def.worker->connect);
        agon_hint(&why, "waiting for a coordinator");
        l->def.lost(l->def.user, &why);
    }
}

/* ---- the handshake ------------------------------------------------------------------------ */

/* A new nonce each time, and with it subjects that no earlier conversation has used. */
static void greet(agon__link_nats* l) {
    agon__message m = {.kind = AGON__HELLO, .as.hello = l->def.hello};
    agon_error error = {0};
    const int rc = agon__random_hex(l->nonce, &error);
    if (rc) {
        agon__link_nats_refuse(l, &error);
        return;
    }
    memcpy(m.as.hello.nonce, l->nonce, sizeof m.as.hello.nonce);
    memcpy(l->epoch, l->nonce, sizeof l->epoch - 1);
    enter(l, AGON__GREETED);
    agon__link_nats_say(l, &m);
}

/* Who speaks is the server's to know, by its own keys and permissions. */
static void prove(agon__link_nats* l, const agon__challenge* challenge) {
    agon__message m = {.kind = AGON__AUTH};
    agon_error error;
    if (challenge->token) {
        agon_fail(&error, AGON_EUNSUPPORTED, "the coordinator asks for a token over nats");
        agon__link_nats_refuse(l, &error);
        return;
    }
    enter(l, AGON__PROVED);
    agon__link_nats_say(l, &m);
}

static void welcome(agon__link_nats* l, const agon__welcome* words) {
    char stream[AGON__NATS_SUBJECT];
    const int beat = words->beat_ms > 0 ? words->beat_ms : 1;
    enter(l, AGON__WELCOMED);
    l->pause = 0;
    l->lease_ms = words->lease_ms > 3 * beat ? words->lease_ms : 3 * beat;
    snprintf(stream, sizeof stream, AGON__STREAM_TASKS, l->url.space);
    agon__pull_begin(&l->tasks, l->nats, l->answers, stream, l->coordinator);
    l->def.welcome(l->def.user, words);
}

static void rejected(agon__link_nats* l, const agon__rejection* words) {
    agon_error error;
    agon_fail(&error, words->code == AGON__REJECT_BUSY ? AGON_ELIMIT : AGON_EUNSUPPORTED,
              "the coordinator turned this worker away: %.400s", words->text);
    if (words->code == AGON__REJECT_BUSY)
        agon__link_nats_lose(l, &error);
    else
        agon__link_nats_refuse(l, &error);
}

bool agon__link_nats_handshake(agon__link_nats* l, const agon__message* m) {
    if (m->kind == AGON__REJECT)
        rejected(l, &m->as.reject);
    else if (l->step == AGON__GREETED && m->kind == AGON__CHALLENGE)
        prove(l, &m->as.challenge);
    else if (l->step == AGON__PROVED && m->kind == AGON__WELCOME)
        welcome(l, &m->as.welcome);
    else
        return l->step != AGON__WELCOMED || m->kind == AGON__CHALLENGE ||
               m->kind == AGON__WELCOME; /* late words; no harm */
    return true;
}

/* ---- coordinators ------------------------------------------------------------------------- */

static void choose(agon__link_nats* l, const char* coordinator, const char* boot) {
    if (strcmp(l->coordinator, coordinator) != 0) /* tasks of another are of no use here */
        while (l->held)
            agon__link_nats_settle(l, &l->held, "-NAK");
    snprintf(l->coordinator, sizeof l->coordinator, "%s", coordinator);
    snprintf(l->boot, sizeof l->boot, "%s", boot);
    greet(l);
}

void agon__link_nats_here(agon__link_nats* l, const char* coordinator, const uint8_t* boot,
                          size_t size) {
    char text[AGON_HASH_SIZE] = "";
    agon_error why;
    if (size != sizeof text - 1)
        return;
    memcpy(text, boot, size);
    if (l->step == AGON__LOOKING && uv_now(l->def.loop) >= l->rest_until &&
        strcmp(text, l->gone) != 0) {
        choose(l, coordinator, text);
    } else if (l->step > AGON__LOOKING && l->step < AGON__ENDED &&
               strcmp(coordinator, l->coordinator) == 0 && strcmp(text, l->boot) != 0) {
        agon_fail(&why, AGON_EIO, "the coordinator began anew, or was away from the broker");
        agon__link_nats_lose(l, &why);
        if (l->step == AGON__LOOKING)
            choose(l, coordinator, text);
    }
}
