/* SPDX-License-Identifier: 0BSD
 *
 * check_recall.c: questions about many positions together: that what a seat knows tells what it
 * knew and did before, and that what it sees follows the symmetries of the board. */
#include "check_inside.h"

/* ---- perfect recall ----------------------------------------------------------------------- */

enum { SETS = 1 << 16, MAX_SETS = SETS / 2, MAX_NUMBERS = 1 << 25 };

/* One information set: how it was met first. */
typedef struct entry {
    uint64_t knows, own, mask, view; /* hashes; own: of what the seat knew and did before; view: of
                                        what it sees, as far as it is not all that it knows */
    bool used;
    int steps, at; /* the line that led here, in `number` */
} entry;

struct agon__recall {
    entry set[SETS];
    int used;
    uint16_t* number; /* lines, one behind the other */
    int count, room;
};

agon__recall* agon__recall_open(void) {
    return (agon__recall*)calloc(1, sizeof(agon__recall));
}

void agon__recall_close(agon__recall* recall) {
    if (recall)
        free(recall->number);
    free(recall);
}

void agon__recall_forget(agon__check* k) {
    agon__recall* r = k->recall;
    memset(r->set, 0, sizeof r->set);
    r->used = r->count = 0;
}

/* Room for `count` more numbers; false: enough is kept already. */
static bool reserve(agon__recall* r, int count) {
    if (r->used >= MAX_SETS || r->count + count > MAX_NUMBERS)
        return false;
    if (r->count + count <= r->room)
        return true;
    const int room = 2 * (r->room + count);
    uint16_t* number = (uint16_t*)realloc(r->number, (size_t)room * sizeof *number);
    if (!number)
        return false;
    r->number = number;
    r->room = room;
    return true;
}

/* What a seat knows: its information state, or all that it observes where a game has none. */
static uint64_t knows(agon__check* k, int seat) {
    const agon_rules* rules = k->rules;
    uint64_t hash = agon_hash(AGON_HASH_START, &seat, sizeof seat);
    size_t size = rules->obs_bytes;
    if (rules->game->infostate) {
        memset(k->out, 0, AGON_INFOSTATE);
        const int length =
            agon__call(k, "infostate")->infostate(rules->config, k->state, seat, k->out);
        size = length < 0 || length > AGON_INFOSTATE ? AGON_INFOSTATE : (size_t)length;
    } else {
        agon__call(k, "observe")->observe(rules->config, k->state, seat, k->out);
    }
    return agon_hash(agon_hash(hash, &size, sizeof size), k->out, size);
}

static bool is_asked(const agon__check* k) {
    return k->wanted[AGON__RECALL] && k->rules->spec.information == AGON_IMPERFECT;
}

void agon__recall_note(agon__check* k, const uint16_t* action) {
    for (int seat = 0; seat < k->rules->spec.seats && is_asked(k); seat++) {
        if (!(k->acting >> seat & 1))
            continue;
        const uint64_t known = knows(k, seat);
        k->own[seat] = agon_hash(agon_hash(k->own[seat] ^ AGON_HASH_START, &known, sizeof known),
                                 &action[seat], sizeof action[seat]);
    }
}

static entry* find(agon__recall* r, uint64_t known) {
    uint64_t at = (known ^ known >> 32) % SETS;
    while (r->set[at].used && r->set[at].knows != known)
        at = (at + 1) % SETS;
    return &r->set[at];
}

static void add(agon__check* k, entry* e, const entry* found) {
    agon__recall* r = k->recall;
    const agon__line* line = &k->shared->line;
    const int count = line->steps * k->rules->spec.seats;
    if (!reserve(r, count + 1))
        return;
    *e = *found;
    e->used = true;
    e->steps = line->steps;
    e->at = r->count;
    memcpy(r->number + r->count, line->number, sizeof(uint16_t) * (size_t)count);
    r->count += count;
    r->used++;
}

static bool remembers(agon__check* k, int seat) {
    entry found = {.knows = knows(k, seat), .own = k->own[seat]};
    if (!agon__walk_mask(k, seat))
        return true;
    found.mask = agon_hash(AGON_HASH_START, k->mask, (size_t)k->rules->mask_words * 8);
    if (k->rules->game->infostate) {
        agon__call(k, "observe")->observe(k->rules->config, k->state, seat, k->out);
        found.view = agon_hash(AGON_HASH_START, k->out, k->rules->obs_bytes);
    }
    entry* e = find(k->recall, found.knows);
    if (!e->used) {
        add(k, e, &found);
        return true;
    }
    if (e->own == found.own && e->mask == found.mask && e->view == found.view)
        return true;
    agon__line* partner = &k->shared->partner;
    partner->steps = e->steps;
    memcpy(partner->number, k->recall->number + e->at,
           sizeof(uint16_t) * (size_t)e->steps * (size_t)k->rules->spec.seats);
    if (e->mask != found.mask)
        return agon__broken(
            k, "seat %d knows the same after two lines, but may do different things", seat);
    if (e->view != found.view)
        return agon__broken(k, "seat %d knows the same after two lines, but sees different things",
                            seat);
    return agon__broken(k,
                        "seat %d knows the same after two lines in which it knew or did "
                        "different things",
                        seat);
}

bool agon__ask_recall(agon__check* k) {
    for (int seat = 0; seat < k->rules->spec.seats && agon__decides(k) && is_asked(k); seat++)
        if ((k->acting >> seat & 1) && !remembers(k, seat))
            return false;
    return true;
}

/* ---- views of symmetries ------------------------------------------------------------------ */

enum { MOST = 8 }; /* symmetries that are followed */

/* A column is the values of one entry of the observation over many positions, hashed. */
struct agon__views {
    int symmetries;
    size_t entries;   /* bytes of an observation */
    uint64_t* column; /* (2 * symmetries, entries): of positions, of their images */
};

agon__views* agon__views_open(const agon_rules* rules) {
    agon__views* v = (agon__views*)calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->symmetries = rules->spec.symmetries < MOST ? rules->spec.symmetries : MOST;
    v->entries = rules->obs_bytes;
    if (v->symmetries > 1)
        v->column = (uint64_t*)calloc(2 * (size_t)v->symmetries * v->entries, 8);
    if (v->symmetries == 1 || v->column)
        return v;
    free(v);
    return NULL;
}

void agon__views_close(agon__views* views) {
    if (views)
        free(views->column);
    free(views);
}

static void add_to(agon__check* k, const void* state, int seat, uint64_t* column) {
    agon__call(k, "observe")->observe(k->rules->config, state, seat, k->out);
    for (size_t i = 0; i < k->views->entries; i++)
        column[i] = (column[i] ^ k->out[i]) * 0x100000001b3ull;
}

void agon__views_add(agon__check* k) {
    agon__views* v = k->views;
    if (!agon__decides(k))
        return;
    for (int g = 1; g < v->symmetries; g++) {
        agon__call(k, "symmetry")->symmetry(k->rules->config, g, k->state, k->spare);
        for (int seat = 0; seat < k->rules->spec.seats; seat++) {
            add_to(k, k->state, seat, v->column + 2 * (size_t)g * v->entries);
            add_to(k, k->spare, seat, v->column + (2 * (size_t)g + 1) * v->entries);
        }
    }
}

static int compare(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

bool agon__views_compare(agon__check* k) {
    agon__views* v = k->views;
    for (int g = 1; g < v->symmetries; g++) {
        uint64_t* column = v->column + 2 * (size_t)g * v->entries;
        qsort(column, v->entries, 8, compare);
        qsort(column + v->entries, v->entries, 8, compare);
        if (memcmp(column, column + v->entries, v->entries * 8) != 0)
            return agon__broken(k,
                                "symmetry %d: the observation of an image is not the observation "
                                "with its entries exchanged",
                                g);
    }
    return true;
}
