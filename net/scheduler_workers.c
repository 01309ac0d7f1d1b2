/* scheduler_workers.c: who is there, what they can do, and who is not to come again. */
#include "net/scheduler_inside.h"

#include <stdlib.h>
#include <string.h>

agon__crew* agon__crew_of(const agon__scheduler* s, int worker) {
    return worker >= 0 && worker < s->crews ? s->crew[worker] : NULL;
}

int agon__crew_room_of(const agon__scheduler* s, int worker) {
    const agon__crew* c = s->crew[worker];
    if (worker == AGON__TRUSTED)
        return s->def.trusted_slots;
    return worker == AGON__BROKER || !c->row.present || c->row.struck ? 0 : c->row.credit;
}

static bool offers(const agon__hello* hello, const agon__agent_offer* program) {
    for (int i = 0; i < hello->agents; i++)
        if (program->file[0] && strcmp(hello->agent[i].name, program->name) == 0 &&
            strcmp(hello->agent[i].file, program->file) == 0)
            return true;
    return false;
}

static bool has_game(const agon__hello* hello, const char* plugin) {
    for (int i = 0; i < hello->games; i++)
        if (strcmp(hello->game[i].name, plugin) == 0)
            return true;
    return false;
}

/* This process made the tasks, so it can do all of them. */
bool agon__crew_can(const agon__scheduler* s, int worker, const agon__class* class) {
    const agon__hello* hello = &s->crew[worker]->row.hello;
    if (worker == AGON__TRUSTED)
        return true;
    if (class->needs.plugin[0] && !has_game(hello, class->needs.plugin))
        return false;
    for (int i = 0; i < class->needs.programs; i++)
        if (!offers(hello, &class->needs.program[i]))
            return false;
    return true;
}

static void line_join(agon__scheduler* s, agon__line_name name, int worker) {
    agon__line* line = &s->line[name];
    agon__place* place = &s->crew[worker]->place[name];
    *place = (agon__place){true, -1, line->last};
    if (line->last >= 0)
        s->crew[line->last]->place[name].next = worker;
    else
        line->first = worker;
    line->last = worker;
}

static void line_leave(agon__scheduler* s, agon__line_name name, int worker) {
    agon__line* line = &s->line[name];
    agon__place* place = &s->crew[worker]->place[name];
    if (place->before >= 0)
        s->crew[place->before]->place[name].next = place->next;
    else
        line->first = place->next;
    if (place->next >= 0)
        s->crew[place->next]->place[name].before = place->before;
    else
        line->last = place->before;
    place->in = false;
}

/* Its threads are taken until it says so, even when somebody else was faster. */
void agon__trusted_spoke(agon__scheduler* s) {
    if (s->crew[AGON__TRUSTED]->held > 0)
        s->crew[AGON__TRUSTED]->held--;
    agon__crew_ready(s, AGON__TRUSTED);
}

int agon__crew_slots(const agon__scheduler* s, int worker) {
    const int slots = s->crew[worker]->row.hello.slots;
    return worker == AGON__TRUSTED ? s->def.trusted_slots : slots > 0 ? slots : 1;
}

/* Those with room get work by turns: whoever gets room, or a task, goes to the end. */
void agon__crew_ready(agon__scheduler* s, int worker) {
    agon__crew* c = s->crew[worker];
    const int running = worker == AGON__TRUSTED ? c->held : c->row.running;
    const int slots = agon__crew_slots(s, worker);
    const bool ready = running < agon__crew_room_of(s, worker) && !c->golden_out;
    const bool in[AGON__LINES] = {[AGON__IDLE] = ready && running < slots,
                                  [AGON__SPARE] = ready && running >= slots,
                                  [AGON__OVER] = running > slots && worker > AGON__BROKER};
    for (int i = 0; i < AGON__LINES; i++)
        if (in[i] && !c->place[i].in)
            line_join(s, (agon__line_name)i, worker);
        else if (!in[i] && c->place[i].in)
            line_leave(s, (agon__line_name)i, worker);
}

void agon__crew_turn(agon__scheduler* s, int worker) {
    for (int i = 0; i < AGON__OVER; i++)
        if (s->crew[worker]->place[i].in) {
            line_leave(s, (agon__line_name)i, worker);
            line_join(s, (agon__line_name)i, worker);
        }
}

/* ---- coming and going --------------------------------------------------------------------- */

static const char* banned(const agon__scheduler* s, const agon__hello* hello) {
    for (const agon__ban* b = s->bans; b; b = b->next)
        if (strcmp(b->id, hello->id) == 0 ||
            (strcmp(b->token, "-") != 0 && strcmp(b->token, hello->token) == 0))
            return b->why;
    return NULL;
}

int agon__scheduler_ban(agon__scheduler* s, const char* id, const char* token, const char* why) {
    agon__ban* b = calloc(1, sizeof *b);
    if (!b)
        return AGON_EMEMORY;
    snprintf(b->id, sizeof b->id, "%s", id);
    snprintf(b->token, sizeof b->token, "%s", token);
    snprintf(b->why, sizeof b->why, "%s", why);
    b->next = s->bans;
    s->bans = b;
    s->count.struck++;
    return AGON_OK;
}

static void count_present(agon__scheduler* s, const agon__crew* c, int sign) {
    s->count.workers += sign;
    s->count.slots += sign * c->row.hello.slots;
    s->count.credit += sign * c->row.credit;
}

/* The number of this process's worker, or of a new one. Its id is no secret, so that it does not do
 * with another token. */
static int number_of(agon__scheduler* s, const agon__hello* hello) {
    int* bucket = &s->crew_bucket[agon__hash_head(hello->id) % AGON__CREW_BUCKETS];
    for (int i = *bucket; i >= 0; i = s->crew[i]->same_bucket)
        if (strcmp(s->crew[i]->row.hello.id, hello->id) == 0)
            return strcmp(s->crew[i]->row.hello.token, hello->token) == 0 ? i : AGON_EINVALID;
    if (s->crews == s->crew_room) {
        agon__crew** grown = realloc(s->crew, (size_t)s->crew_room * 2 * sizeof *grown);
        if (!grown)
            return AGON_EMEMORY;
        s->crew = grown;
        s->crew_room *= 2;
    }
    agon__crew* c = calloc(1, sizeof *c);
    if (!c)
        return AGON_EMEMORY;
    c->row.worker = s->crews;
    c->same_bucket = *bucket;
    *bucket = s->crews;
    s->crew[s->crews] = c;
    return s->crews++;
}

int agon__scheduler_join(agon__scheduler* s, const agon__hello* hello, const char* address,
                         int64_t now, agon_error* error) {
    const char* why = banned(s, hello);
    if (why)
        return agon_fail(error, AGON_EINVALID, "it is struck: %s", why);
    const int worker = number_of(s, hello);
    if (worker < 0)
        return agon_fail(error, worker,
                         worker == AGON_EMEMORY ? "no memory for another worker"
                                                : "its id is that of a worker with another token");
    agon__crew* c = s->crew[worker];
    if (c->row.present)
        count_present(s, c, -1);
    else
        c->row.joined_ms = now;
    c->row.hello = *hello;
    c->row.present = true;
    c->row.credit = 0;
    c->row.seen_ms = now;
    snprintf(c->row.address, sizeof c->row.address, "%s", address);
    count_present(s, c, 1);
    agon__crew_ready(s, worker);
    return worker;
}

static void end_leases(agon__scheduler* s, agon__crew* c, bool lost) {
    while (c->grants)
        agon__grant_lose(s, c->grants, lost);
}

void agon__scheduler_leave(agon__scheduler* s, int worker, int64_t now) {
    agon__crew* c = agon__crew_of(s, worker);
    if (!c || worker <= AGON__BROKER || !c->row.present)
        return;
    c->row.seen_ms = now;
    count_present(s, c, -1);
    c->row.present = false;
    c->row.credit = 0;
    agon__crew_ready(s, worker);
    end_leases(s, c, true);
}

void agon__scheduler_credit(agon__scheduler* s, int worker, int tasks, int64_t now) {
    agon__crew* c = agon__crew_of(s, worker);
    if (!c || worker <= AGON__BROKER || !c->row.present)
        return;
    c->row.seen_ms = now;
    s->count.credit += tasks - c->row.credit;
    c->row.credit = tasks;
    agon__crew_ready(s, worker);
}

/* ---- out of it ---------------------------------------------------------------------------- */

void agon__crew_strike(agon__scheduler* s, int worker, bool wrong, const char* why) {
    agon__crew* c = agon__crew_of(s, worker);
    if (!c || worker <= AGON__BROKER)
        return;
    c->row.strikes += wrong;
    if (c->row.struck) {
        if (wrong)
            agon__check_all_since(s, worker);
        return;
    }
    c->row.struck = true;
    snprintf(c->row.why, sizeof c->row.why, "%s", why);
    agon__scheduler_say(s, "worker %s (%s) is struck: %s", c->row.hello.name, c->row.address, why);
    agon__scheduler_ban(s, c->row.hello.id, wrong ? c->row.hello.token : "-", c->row.why);
    agon__crew_ready(s, worker);
    end_leases(s, c, false);
    if (wrong)
        agon__check_all_since(s, worker);
    s->def.struck(s->def.user, worker, c->row.why);
}

void agon__scheduler_bad(agon__scheduler* s, int worker, const char* task, const char* why,
                         int64_t now) {
    char text[160];
    agon__crew* c = agon__crew_of(s, worker);
    if (!c)
        return;
    c->row.seen_ms = now;
    s->count.conflicts++;
    snprintf(text, sizeof text, "task %.12s: %.120s", task, why);
    agon__crew_strike(s, worker, true, text);
}

void agon__scheduler_each(const agon__scheduler* s,
                          void (*visit)(void* user, const agon__worker_row* row), void* user) {
    for (int i = AGON__BROKER + 1; i < s->crews; i++)
        visit(user, &s->crew[i]->row);
}
