/* SPDX-License-Identifier: 0BSD
 *
 * check_search.c: looking for lines that break a rule, and for the shortest of them. */
#include "check_inside.h"

#include <math.h>

enum {
    NODES = 40000,  /* lines that a search looks at */
    CHILDREN = 512, /* of one position; more are left out, and the search proves nothing */
    MAX_EPISODE = 1 << 16
};

/* ---- exploring ---------------------------------------------------------------------------- */

static void keep_failure(agon__check* k, int rule, bool has_line) {
    agon_check_result* r = &k->shared->report.result[rule];
    r->status = AGON_CHECK_FAILED;
    r->has_line = has_line;
    memcpy(r->text, k->said, sizeof r->text);
    if (has_line)
        agon__line_copy(k, &k->shared->found[rule], &k->shared->line);
    k->wanted[rule] = false;
}

static void ask(agon__check* k, int rule) {
    agon__shared* s = k->shared;
    s->rule = rule;
    s->report.result[rule].asked++;
    if (!agon__check_rule[rule].ask(k))
        keep_failure(k, rule, true);
    s->rule = -1;
}

/* At one position; `all`: not only what is quick. */
static void ask_all(agon__check* k, bool all) {
    const uint32_t stream = k->stream;
    agon__prepare(k);
    k->stream = 0;
    for (int rule = 0; rule < AGON__RULES; rule++) {
        const agon__rule* r = &agon__check_rule[rule];
        const bool quick = rule == AGON__ACTING || rule == AGON__PLIES || rule == AGON__REWARDS ||
                           rule == AGON__UTILITY || rule == AGON__RECALL;
        const bool due = r->at_ends ? !k->acting && !agon__is_late(k) : all || quick || !k->acting;
        if (k->wanted[rule] && r->ask && due)
            ask(k, rule);
    }
    if (all && k->wanted[AGON__VIEWS])
        agon__views_add(k);
    k->stream = stream;
}

static bool is_over_budget(const agon__check* k) {
    const uint64_t most = k->options->positions;
    return agon__is_late(k) || (most && k->shared->report.positions >= most);
}

/* Every other episode is played through quickly: ends are reached, and there is time for many. */
static void play_episode(agon__check* k, uint32_t episode) {
    agon_check_report* report = &k->shared->report;
    const int way = (int)(episode / 2 % AGON__WAYS);
    const bool quick = episode % 2 == 0;
    agon__walk_start(k);
    for (int i = 0; i < MAX_EPISODE; i++) {
        k->stream = episode + 1;
        report->positions++;
        ask_all(k, !quick || agon__walk_random(k, 60, 0, 16) == 0);
        if (is_over_budget(k) || !agon__walk_choose(k, way) || !agon__walk_step(k, k->action))
            break;
    }
    if (k->plies > report->longest)
        report->longest = k->plies;
    report->episodes++;
}

static void endless_chance(agon__check* k) {
    if (!k->wanted[AGON__CHANCE_SUMS] || k->acting != AGON_CHANCE || k->draws_in_a_row < 4096)
        return;
    agon__broken(k, "%d chance nodes in a row, and no seat has acted", k->draws_in_a_row);
    keep_failure(k, AGON__CHANCE_SUMS, false);
}

/* Outcomes that were drawn against their probabilities, over all chance nodes: beyond six standard
 * deviations is no accident. */
static void compare_frequencies(agon__check* k) {
    for (int i = 0; i < k->rules->spec.chance_outcomes && k->wanted[AGON__CHANCE_SUMS]; i++) {
        const double* f = k->frequency + 3 * i;
        if (f[1] < 10 || fabs(f[2] - f[0]) <= 6 * sqrt(f[1]))
            continue;
        agon__broken(k, "outcome %d came %g times, its probabilities add up to %.1f +- %.1f", i,
                     f[2], f[0], sqrt(f[1]));
        keep_failure(k, AGON__CHANCE_SUMS, false);
    }
}

static void ask_at_the_end(agon__check* k) {
    compare_frequencies(k);
    if (k->wanted[AGON__VIEWS]) {
        k->shared->report.result[AGON__VIEWS].asked++;
        if (!agon__views_compare(k))
            keep_failure(k, AGON__VIEWS, false);
    }
    if (k->wanted[AGON__PROCESS]) {
        k->shared->report.result[AGON__PROCESS].asked++;
        if (!agon__same_in_process(k))
            keep_failure(k, AGON__PROCESS, true);
    }
}

void agon__explore(agon__check* k) {
    k->end = agon__now() + k->options->seconds;
    for (uint32_t episode = 0; !is_over_budget(k); episode++) {
        play_episode(k, episode);
        endless_chance(k);
        if (k->wanted[AGON__CONFIG])
            ask(k, AGON__CONFIG);
    }
    k->end = 0;
    ask_at_the_end(k);
}

/* ---- the shortest line -------------------------------------------------------------------- */

/* Lines in the order of their length; a line is its parent's and one row. */
typedef struct search {
    int used, next;
    bool whole; /* no line was left out */
    int* parent;
    uint16_t* row; /* (nodes, seats) */
} search;

static void line_of(const agon__check* k, const search* s, int node, agon__line* line) {
    const size_t seats = (size_t)k->rules->spec.seats;
    int depth = 0;
    for (int at = node; at > 0; at = s->parent[at])
        depth++;
    line->steps = depth;
    for (int at = node; at > 0; at = s->parent[at])
        memcpy(line->number + (size_t)--depth * seats, s->row + (size_t)at * seats,
               sizeof(uint16_t) * seats);
}

static void add_child(agon__check* k, search* s, int parent, const uint16_t* row) {
    const size_t seats = (size_t)k->rules->spec.seats;
    if (s->used == NODES) {
        s->whole = false;
        return;
    }
    s->parent[s->used] = parent;
    memcpy(s->row + (size_t)s->used * seats, row, sizeof(uint16_t) * seats);
    s->used++;
}

/* All combinations of what the acting seats may do, seat by seat. */
static void add_combinations(agon__check* k, search* s, int parent, int seat, uint16_t* row,
                             int* left) {
    const int seats = k->rules->spec.seats;
    while (seat < seats && !(k->acting >> seat & 1))
        seat++;
    if (seat == seats) {
        if ((*left)-- > 0)
            add_child(k, s, parent, row);
        else
            s->whole = false;
        return;
    }
    const int count = agon__walk_mask(k, seat);
    for (int i = 0; i < count && *left >= 0; i++) {
        agon__walk_mask(k, seat); /* seats after this one use the same room */
        row[seat] = (uint16_t)agon_mask_nth(k->mask, k->rules->mask_words, i);
        add_combinations(k, s, parent, seat + 1, row, left);
    }
}

static void add_children(agon__check* k, search* s, int parent) {
    uint16_t row[AGON_MAX_SEATS] = {0};
    int left = CHILDREN;
    if (!k->sane || !k->acting || k->plies > k->rules->spec.max_plies)
        return;
    if (k->acting != AGON_CHANCE) {
        add_combinations(k, s, parent, 0, row, &left);
        return;
    }
    const int count = agon__walk_chance(k);
    for (int i = 0; i < count; i++) {
        row[0] = (uint16_t)i;
        if (i < CHILDREN)
            add_child(k, s, parent, row);
        else
            s->whole = false;
    }
}

static bool fails_here(agon__check* k, int rule) {
    agon__prepare(k);
    k->shared->rule = rule;
    const bool fails = agon__check_rule[rule].ask && !agon__check_rule[rule].ask(k);
    k->shared->rule = -1;
    return fails && !k->crashes;
}

static void keep_shorter(agon__check* k, int rule, bool shortest) {
    agon__line_copy(k, &k->shared->best, &k->shared->line);
    memcpy(k->shared->report.result[rule].text, k->said, sizeof k->said);
    k->shared->found_shorter = true;
    k->shared->shortest = shortest;
}

/* shared->line, which a crash leaves behind, is a line of this search at any time. */
void agon__search(agon__check* k, int rule) {
    static agon__line line;
    search s = {.used = 1, .whole = true};
    s.parent = (int*)calloc(NODES, sizeof *s.parent);
    s.row = (uint16_t*)calloc((size_t)NODES * (size_t)k->rules->spec.seats, sizeof *s.row);
    k->stream = 0;
    k->end = agon__now() + k->shortening;
    if (rule == AGON__RECALL)
        agon__recall_forget(k);
    while (s.parent && s.row && s.next < s.used && !agon__is_late(k)) {
        line_of(k, &s, s.next, &line);
        k->shared->shortest = s.whole; /* for a crash */
        if (agon__walk_along(k, &line)) {
            if (fails_here(k, rule)) {
                keep_shorter(k, rule, s.whole);
                break;
            }
            add_children(k, &s, s.next);
        }
        s.next++;
    }
    k->end = 0;
    free(s.parent);
    free(s.row);
}

/* ---- leaving plies out -------------------------------------------------------------------- */

/* Along the line while the rule holds; true when it fails, on shared->line. */
static bool fails_along(agon__check* k, int rule, const agon__line* line) {
    const size_t seats = (size_t)k->rules->spec.seats;
    agon__walk_start(k);
    for (int i = 0;; i++) {
        if (fails_here(k, rule))
            return true;
        if (i == line->steps || !agon__walk_step(k, line->number + (size_t)i * seats))
            return false;
    }
}

/* Delta debugging (Zeller, Hildebrandt 2002): shorter and shorter pieces are left out. */
void agon__leave_out(agon__check* k, int rule) {
    static agon__line base, line;
    const size_t seats = (size_t)k->rules->spec.seats;
    k->stream = 0;
    k->end = agon__now() + k->shortening;
    agon__line_copy(k, &base, &k->shared->best);
    for (int piece = (base.steps + 1) / 2; piece >= 1 && !agon__is_late(k);) {
        bool shorter = false;
        for (int at = 0; at < base.steps && !agon__is_late(k); at += shorter ? 0 : piece) {
            const int last = at + piece < base.steps ? at + piece : base.steps;
            agon__line_copy(k, &line, &base);
            line.steps = base.steps - (last - at);
            memcpy(line.number + (size_t)at * seats, base.number + (size_t)last * seats,
                   sizeof(uint16_t) * seats * (size_t)(base.steps - last));
            shorter = fails_along(k, rule, &line);
            if (shorter) {
                keep_shorter(k, rule, false);
                agon__line_copy(k, &base, &k->shared->best);
            }
        }
        piece = piece > 1 ? piece / 2 : shorter ? 1 : 0;
    }
    k->end = 0;
}
