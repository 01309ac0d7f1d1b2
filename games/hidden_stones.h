/* SPDX-License-Identifier: 0BSD
 *
 * hidden_stones.h: what games share in which two seats put stones on one board and see only their
 * own, and those of the other that they have run into: what a seat has seen, and other pasts that
 * it holds possible.
 *
 * A seat tries a cell. If the other's stone is there the seat sees it from now on, and tries again
 * or, in abrupt games, has lost its turn; if the cell is free its stone is there and the turn is
 * over. A seat tries no cell twice. The log holds all tries in order, a byte each: the cell, and
 * HIDDEN_BUMP if a stone was there. Seat 0 begins, so the log says who tried what. A log of a
 * board without a winner has fewer than 2 * cells - 1 tries: no stone is run into twice. */
#ifndef AGON_HIDDEN_STONES_H
#define AGON_HIDDEN_STONES_H

#include "agon_game.h"

#define HIDDEN_CELLS  121
#define HIDDEN_TRIES  (2 * HIDDEN_CELLS - 1)
#define HIDDEN_BUMP   128
#define HIDDEN_CELL   127
#define HIDDEN_UNSEEN 255 /* in an information state: a try of the other seat */

typedef struct hidden_rules {
    int cells;
    int abrupt;  /* running into a stone loses the turn */
    int counted; /* a seat hears every try of the other, though not where, nor how it ended */
} hidden_rules;

/* The rules' two words, as parameters. */
static inline void hidden_configure(agon_params* params, hidden_rules* r, const char* versions) {
    r->abrupt = agon_param_choice(params, "gameversion", 0, versions);
    r->counted = agon_param_choice(params, "obstype", 0, "reveal-nothing|reveal-numturns");
}

/* Whether a try ends the turn. */
AGON_FN int hidden_ends(const hidden_rules* r, int entry) {
    return r->abrupt || !(entry & HIDDEN_BUMP);
}

/* Eight bits as eight bytes of 0 or 1. */
AGON_FN uint64_t hidden_bytes(uint64_t bits) {
    const uint64_t some = bits * 0x0101010101010101ull & 0x8040201008040201ull;
    return (some + 0x7f7f7f7f7f7f7f7full) >> 7 & 0x0101010101010101ull;
}

/* Perfect recall: the seat's tries and how they ended and, if they are counted, when the other
 * seat's came. Returns the length. */
AGON_FN int hidden_infostate(const hidden_rules* r, const uint8_t* log, int length, int seat,
                             uint8_t* out) {
    int turn = 0, count = 0;
    for (int i = 0; i < length; i++) {
        if (turn == seat)
            out[count++] = log[i];
        else if (r->counted)
            out[count++] = HIDDEN_UNSEEN;
        turn ^= hidden_ends(r, log[i]);
    }
    return count;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Numbers of pasts are larger than integers: digits * 2^power, digits 0 or at least 2^31. */
typedef struct hidden_number {
    uint32_t digits;
    int32_t power;
} hidden_number;

AGON_FN hidden_number hidden_make(uint64_t digits, int power) {
    hidden_number n;
    for (; digits >> 32; digits >>= 1)
        power++;
    for (; digits && !(digits >> 31); digits <<= 1)
        power--;
    n.digits = (uint32_t)digits;
    n.power = power;
    return n;
}

AGON_FN hidden_number hidden_times(hidden_number n, int factor) {
    return hidden_make((uint64_t)n.digits * (uint64_t)(factor > 0 ? factor : 0), n.power);
}

AGON_FN hidden_number hidden_plus(hidden_number a, hidden_number b) {
    const hidden_number more = !b.digits || (a.digits && a.power >= b.power) ? a : b;
    const hidden_number less = !b.digits || (a.digits && a.power >= b.power) ? b : a;
    const int shift = less.digits ? more.power - less.power : 0;
    return hidden_make((uint64_t)more.digits + (shift < 32 ? less.digits >> shift : 0), more.power);
}

/* part / (part + rest) in 2^-32; 0 and 2^32 - 1 only where it is 0 and 1. */
AGON_FN uint32_t hidden_share(hidden_number part, hidden_number rest) {
    const hidden_number sum = hidden_plus(part, rest);
    if (!part.digits || !rest.digits)
        return part.digits ? UINT32_MAX : 0;
    const int shift = sum.power - part.power;
    const uint64_t share = shift < 32 ? ((uint64_t)part.digits << 32) / sum.digits >> shift : 0;
    return share < 1 ? 1 : share > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)share;
}

/* Steele, Lea and Flood's splitmix64, for the many draws that one past takes. */
AGON_FN uint32_t hidden_draw(uint64_t* random, uint32_t below) {
    uint64_t x = *random += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(((x ^ x >> 31) >> 32) * below >> 32);
}

/* ---- other pasts -------------------------------------------------------------------------- */

/* What a seat knows. Turns are those that the other seat has finished; stones found are the other's
 * that the seat has run into. */
typedef struct hidden_view {
    const hidden_rules* rules;
    const uint8_t* log;
    int length, seat;
    int turns, frees;
    uint8_t free[HIDDEN_CELLS];                 /* cells that the seat has not tried */
    uint8_t mine[HIDDEN_CELLS + 1];             /* stones of the seat before a turn, and now */
    uint8_t found[HIDDEN_CELLS + 1];            /* stones found before a turn, and now */
    uint32_t share[HIDDEN_CELLS][HIDDEN_CELLS]; /* see hidden_weigh */
} hidden_view;

AGON_FN void hidden_look(hidden_view* v, const hidden_rules* r, const uint8_t* log, int length,
                         int seat) {
    uint8_t tried[HIDDEN_CELL + 1] = {0};
    int turn = 0, mine = 0, found = 0;
    v->rules = r;
    v->log = log;
    v->length = length;
    v->seat = seat;
    v->turns = v->frees = 0;
    for (int i = 0; i <= length; i++) {
        v->mine[v->turns] = (uint8_t)mine;
        v->found[v->turns] = (uint8_t)found;
        if (i == length)
            break;
        if (turn == seat) {
            tried[log[i] & HIDDEN_CELL] = 1;
            mine += !(log[i] & HIDDEN_BUMP);
            found += log[i] >= HIDDEN_BUMP;
        } else {
            v->turns += hidden_ends(r, log[i]);
        }
        turn ^= hidden_ends(r, log[i]);
    }
    for (int cell = 0; cell < r->cells; cell++) {
        if (!tried[cell])
            v->free[v->frees++] = (uint8_t)cell;
    }
}

/* n times the ways in which the stones that were found right after a turn can have come in `kept`
 * turns that are kept for stones to be found. */
AGON_FN hidden_number hidden_find(const hidden_view* v, int turn, int kept, hidden_number n) {
    for (int i = v->found[turn]; i < v->found[turn + 1]; i++)
        n = hidden_times(n, kept - i);
    return n;
}

/* When did the stones come that the seat has found? Each before it was found; the other turns went
 * to cells that the seat has not tried or, in abrupt games, to its own stones. share[turn][kept]:
 * of the pasts with `kept` such turns before this one, the share in which this turn is one, too.
 * Counting is enough: if the other seat tries cells at random, orders of its stones (in abrupt
 * games: of its tries) are equally likely, since the number of cells to choose from at each turn
 * does not depend on them. */
AGON_FN void hidden_weigh(hidden_view* v) {
    const int found = v->found[v->turns];
    hidden_number ways[HIDDEN_CELLS + 1];
    for (int kept = 0; kept <= found; kept++)
        ways[kept] = hidden_make(kept == found, 0);
    for (int turn = v->turns - 1; turn >= 0; turn--) {
        for (int kept = 0; kept <= found && kept <= turn; kept++) {
            const int choices = v->frees + (v->rules->abrupt ? v->mine[turn] : 0) - (turn - kept);
            const hidden_number other =
                hidden_times(hidden_find(v, turn, kept, ways[kept]), choices);
            const hidden_number keep =
                kept < found ? hidden_find(v, turn, kept + 1, ways[kept + 1]) : hidden_make(0, 0);
            v->share[turn][kept] = hidden_share(keep, other);
            ways[kept] = hidden_plus(keep, other);
        }
    }
}

/* A past in the making. */
typedef struct hidden_past {
    uint64_t random;
    int count, frees, unseens, opens;
    int turn, kept;                 /* turns of the other so far; those for stones to be found */
    uint8_t free[HIDDEN_CELLS];     /* cells that neither seat has tried or will try */
    uint8_t unseen[HIDDEN_CELLS];   /* the seat's stones that the other has not run into */
    uint8_t open[HIDDEN_CELLS];     /* places in `cell` that wait for a stone to be found */
    uint8_t cell[HIDDEN_TRIES + 1]; /* (count) the tries of both */
} hidden_past;

/* Takes one of `count` at random. */
AGON_FN uint8_t hidden_take(uint64_t* random, uint8_t* list, int* count) {
    const uint32_t at = hidden_draw(random, (uint32_t)*count);
    const uint8_t taken = list[at];
    list[at] = list[--*count];
    return taken;
}

AGON_FN void hidden_bump(hidden_past* p) {
    const uint8_t cell = hidden_take(&p->random, p->unseen, &p->unseens);
    p->cell[p->count++] = cell;
}

/* A try of the seat itself, which is as it was. */
AGON_FN void hidden_own(hidden_past* p, int entry) {
    const uint8_t cell = (uint8_t)(entry & HIDDEN_CELL);
    if (entry & HIDDEN_BUMP)
        p->cell[hidden_take(&p->random, p->open, &p->opens)] = cell;
    else
        p->unseen[p->unseens++] = cell;
    p->cell[p->count++] = cell;
}

/* A turn of the other seat up to its end. */
AGON_FN void hidden_turn(const hidden_view* v, hidden_past* p) {
    const hidden_rules* r = v->rules;
    const int empty = r->cells - v->mine[p->turn] - p->turn;
    while (!r->abrupt && !r->counted &&
           hidden_draw(&p->random, (uint32_t)(p->unseens + empty)) < (uint32_t)p->unseens)
        hidden_bump(p);
    if (hidden_draw(&p->random, UINT32_MAX) < v->share[p->turn][p->kept]) {
        p->open[p->opens++] = (uint8_t)p->count++;
        p->kept++;
    } else if (hidden_draw(&p->random, (uint32_t)(p->frees + (r->abrupt ? p->unseens : 0))) <
               (uint32_t)p->frees) {
        p->cell[p->count++] = hidden_take(&p->random, p->free, &p->frees);
    } else {
        hidden_bump(p);
    }
    p->turn++;
}

/* A turn of the other seat that is not over, after any number of tries that all ran into stones;
 * false when one did not. The number is drawn evenly, so what is left is each past and number with
 * the probability that the other's play comes there. */
AGON_FN int hidden_begun_turn(const hidden_view* v, hidden_past* p) {
    const int empty = v->rules->cells - v->mine[p->turn] - p->turn;
    int tries = (int)hidden_draw(&p->random, v->mine[p->turn] + 1u);
    while (tries--) {
        const uint32_t unseen = (uint32_t)p->unseens;
        if (hidden_draw(&p->random, unseen + (uint32_t)empty) >= unseen)
            return 0;
        hidden_bump(p);
    }
    return 1;
}

/* One past from the beginning on; false when it does not come to the present. */
AGON_FN int hidden_pass(const hidden_view* v, hidden_past* p) {
    const hidden_rules* r = v->rules;
    int turn = 0;
    p->count = p->unseens = p->opens = p->turn = p->kept = 0;
    p->frees = v->frees;
    memcpy(p->free, v->free, sizeof p->free);
    for (int i = 0; i < v->length; i++) {
        if (turn == v->seat)
            hidden_own(p, v->log[i]);
        else if (hidden_ends(r, v->log[i]))
            hidden_turn(v, p);
        else if (r->counted)
            hidden_bump(p);
        turn ^= hidden_ends(r, v->log[i]);
    }
    return turn == v->seat || r->abrupt || r->counted || hidden_begun_turn(v, p);
}

/* Draws a past, by the shares of hidden_weigh: what the seat tried stays, the other's tries are
 * drawn as if it played at random, on condition that the seat's tries end as they did. Whether a
 * seat would have won meanwhile is left to the game. At least one pass in (the seat's stones + 1)
 * comes to the present. */
AGON_FN void hidden_remember(const hidden_view* v, hidden_past* p) {
    while (!hidden_pass(v, p))
        continue;
}

#endif
