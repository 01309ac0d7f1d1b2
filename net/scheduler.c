/* scheduler.c: leases and results; nothing is executed twice yet. */
#include "net/scheduler.h"
#include <stdlib.h>
#include <string.h>
typedef struct ent {
    struct ent* next;
    uint64_t ticket;
    uint8_t* data;
    size_t size;
    char id[65];
    int worker;
    uint64_t lease;
    int64_t beat;
    int permille;
    uint64_t steps;
} ent;
typedef struct wk {
    agon__worker_row row;
    int used;
} wk;
struct agon__scheduler {
    agon__scheduler_def d;
    ent* first;
    wk* w;
    int n;
    uint64_t leases;
    agon__scheduler_count c;
};
int agon__scheduler_open(const agon__scheduler_def* def, int64_t now, agon__scheduler** out,
                         agon_error* error) {
    (void)now;
    (void)error;
    agon__scheduler* s = calloc(1, sizeof *s);
    s->d = *def;
    s->w = calloc(1000, sizeof *s->w);
    s->n = 2;
    *out = s;
    return 0;
}
void agon__scheduler_close(agon__scheduler* s) {
    if (!s)
        return;
    for (ent* e; (e = s->first);) {
        s->first = e->next;
        free(e->data);
        free(e);
    }
    free(s->w);
    free(s);
}
int agon__scheduler_add(agon__scheduler* s, uint64_t ticket, const agon__needs* needs,
                        uint8_t* data, size_t size, int64_t now, agon_error* error) {
    (void)needs;
    (void)now;
    (void)error;
    ent* e = calloc(1, sizeof *e);
    e->ticket = ticket;
    e->data = data;
    e->size = size;
    agon_sha256(data, size, e->id);
    ent** at = &s->first;
    while (*at)
        at = &(*at)->next;
    *at = e;
    s->c.queued++;
    return 0;
}
int agon__scheduler_join(agon__scheduler* s, const agon__hello* h, const char* a, int64_t now,
                         agon_error* error) {
    (void)error;
    int i;
    for (i = 2; i < s->n; i++)
        if (!strcmp(s->w[i].row.hello.id, h->id))
            break;
    if (i == s->n)
        s->n++;
    agon__worker_row* r = &s->w[i].row;
    r->worker = i;
    r->hello = *h;
    snprintf(r->address, sizeof r->address, "%s", a);
    if (!r->present) {
        s->c.workers++;
    }
    r->present = true;
    r->joined_ms = now;
    return i;
}
static void giveback(agon__scheduler* s, ent* e) {
    e->lease = 0;
    s->w[e->worker].used--;
    e->worker = 0;
    s->c.leased--;
    s->c.queued++;
}
void agon__scheduler_leave(agon__scheduler* s, int w, int64_t now) {
    (void)now;
    if (!s->w[w].row.present)
        return;
    s->w[w].row.present = false;
    s->c.workers--;
    s->c.slots -= s->w[w].row.credit;
    s->w[w].row.credit = 0;
    for (ent* e = s->first; e; e = e->next)
        if (e->lease && e->worker == w) {
            giveback(s, e);
            s->c.lost++;
        }
}
void agon__scheduler_credit(agon__scheduler* s, int w, int t, int64_t now) {
    (void)now;
    s->c.slots += t - s->w[w].row.credit;
    s->w[w].row.credit = t;
}
int agon__scheduler_ban(agon__scheduler* s, const char* id, const char* token, const char* why) {
    (void)s;
    (void)id;
    (void)token;
    (void)why;
    return 0;
}
bool agon__scheduler_next(agon__scheduler* s, int64_t now, agon__lease* out) {
    ent* e = s->first;
    while (e && e->lease)
        e = e->next;
    if (!e)
        return false;
    int w = -1;
    if (s->d.broker)
        w = 1;
    else if (s->w[0].used < s->d.trusted_slots)
        w = 0;
    else
        for (int i = 2; i < s->n; i++)
            if (s->w[i].row.present && s->w[i].used < s->w[i].row.credit) {
                w = i;
                break;
            }
    if (w < 0)
        return false;
    e->lease = ++s->leases;
    e->worker = w;
    e->beat = now;
    s->w[w].used++;
    s->c.queued--;
    s->c.leased++;
    *out = (agon__lease){e->lease, w, e->id, e->data, e->size};
    return true;
}
bool agon__scheduler_beat(agon__scheduler* s, int w, uint64_t l, int p, uint64_t st, int64_t now) {
    for (ent* e = s->first; e; e = e->next)
        if (e->lease == l) {
            e->worker = w;
            e->beat = now;
            e->permille = p;
            e->steps = st;
            return true;
        }
    return false;
}
static ent* byid(agon__scheduler* s, const char* id) {
    for (ent* e = s->first; e; e = e->next)
        if (!strcmp(e->id, id))
            return e;
    return NULL;
}
agon__offer_answer agon__scheduler_offer(agon__scheduler* s, int w, const agon__result_offer* o,
                                         int64_t now, agon__verdict* v) {
    (void)w;
    (void)now;
    if (byid(s, o->task))
        return AGON__OFFER_WANTED;
    *v = AGON__DUPLICATE;
    return AGON__OFFER_SETTLED;
}
static void drop(agon__scheduler* s, ent* x) {
    ent** at = &s->first;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    if (x->lease) {
        s->w[x->worker].used--;
        s->c.leased--;
    } else
        s->c.queued--;
    free(x->data);
    free(x);
}
agon__verdict agon__scheduler_result(agon__scheduler* s, int w, const agon__result_offer* o,
                                     const uint8_t* data, size_t size, int64_t now) {
    (void)now;
    ent* e = byid(s, o->task);
    if (!e)
        return AGON__DUPLICATE;
    agon_error er = {0};
    uint64_t t = e->ticket;
    drop(s, e);
    s->c.done++;
    s->w[w].row.tasks++;
    s->d.done(s->d.user, t, 0, data, size, &er);
    return AGON__ACCEPTED;
}
void agon__scheduler_nak(agon__scheduler* s, int w, const agon__nak* n, int64_t now) {
    (void)w;
    (void)now;
    ent* e = byid(s, n->task);
    if (e && e->lease == n->lease) {
        giveback(s, e);
        if (n->class == AGON__NAK_TASK) {
            agon_error er;
            agon_fail(&er, AGON_EINVALID, "%s", n->text);
            uint64_t t = e->ticket;
            drop(s, e);
            s->d.done(s->d.user, t, AGON_EINVALID, NULL, 0, &er);
        }
    }
}
void agon__scheduler_bad(agon__scheduler* s, int w, const char* t, const char* why, int64_t now) {
    (void)s;
    (void)w;
    (void)t;
    (void)now;
    fprintf(stderr, "bad %s\n", why);
}
void agon__scheduler_tick(agon__scheduler* s, int64_t now) {
    for (ent* e = s->first; e; e = e->next)
        if (e->lease && now - e->beat > s->d.lease_ms) {
            giveback(s, e);
            s->c.lost++;
        }
}
static void endall(agon__scheduler* s, bool queued) {
    agon_error er;
    agon_fail(&er, AGON_ECANCELLED, "cancelled");
    for (ent *e = s->first, *n; e; e = n) {
        n = e->next;
        if (queued && e->lease)
            continue;
        uint64_t t = e->ticket;
        drop(s, e);
        s->d.done(s->d.user, t, AGON_ECANCELLED, NULL, 0, &er);
    }
}
void agon__scheduler_recall(agon__scheduler* s) {
    endall(s, true);
}
void agon__scheduler_cancel(agon__scheduler* s) {
    endall(s, false);
}
const uint8_t* agon__scheduler_task(const agon__scheduler* s, const char* id, size_t* size) {
    ent* e = byid((agon__scheduler*)s, id);
    if (!e)
        return NULL;
    *size = e->size;
    return e->data;
}
agon__scheduler_count agon__scheduler_now(const agon__scheduler* s) {
    return s->c;
}
void agon__scheduler_progress(const agon__scheduler* s, unsigned* p, uint64_t* st) {
    *p = 0;
    *st = 0;
    for (ent* e = s->first; e; e = e->next)
        if (e->lease) {
            *p += (unsigned)e->permille;
            *st += e->steps;
        }
}
void agon__scheduler_each(const agon__scheduler* s, void (*visit)(void*, const agon__worker_row*),
                          void* user) {
    for (int i = 2; i < s->n; i++)
        visit(user, &s->w[i].row);
}
int64_t agon__scheduler_median(const agon__scheduler* s) {
    (void)s;
    return 0;
}
