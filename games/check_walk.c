/* SPDX-License-Identifier: 0BSD
 *
 * check_walk.c: positions of a checker: how they are reached, how plies are chosen, and how lines
 * are written. Nothing here trusts the game beyond the sizes of its facts. */
#include "check_inside.h"

#include <math.h>

#include <stdarg.h>

enum { MAX_IN_A_ROW = 4096 }; /* chance nodes; more is a game that does not go on */

/* ---- room --------------------------------------------------------------------------------- */

/* Of any output of the game's functions. */
static size_t output_size(const agon_rules* rules) {
    const size_t sizes[] = {rules->spec.state_size, rules->obs_bytes, (size_t)rules->mask_words * 8,
                            AGON_INFOSTATE, (size_t)rules->spec.chance_outcomes * sizeof(double)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        most = sizes[i] > most ? sizes[i] : most;
    return (most + 63) / 64 * 64;
}

bool agon__check_open(agon__check* k, const agon_rules* rules) {
    const size_t state = rules->spec.state_size, words = (size_t)rules->mask_words;
    k->rules = rules;
    k->key = agon_key_make(1, "check", AGON_FOR_TEST);
    k->out_size = output_size(rules);
    k->state = (uint8_t*)calloc(1, state);
    k->latest = (uint8_t*)calloc(AGON__LATEST, state);
    k->spare = (uint8_t*)calloc(1, state + 8);
    k->spare2 = (uint8_t*)calloc(1, state + 8);
    k->spare3 = (uint8_t*)calloc(1, state);
    k->out = (uint8_t*)calloc(1, k->out_size + 128);
    k->out2 = (uint8_t*)calloc(1, k->out_size + 128);
    k->mask = (uint64_t*)calloc(words + 1, 8);
    k->mask2 = (uint64_t*)calloc(words + 1, 8);
    k->prob = (double*)calloc(AGON__MAX_OUTCOMES + 64, sizeof *k->prob);
    k->frequency = (double*)calloc(3 * AGON__MAX_OUTCOMES, sizeof *k->frequency);
    k->recall = agon__recall_open();
    k->views = agon__views_open(rules);
    k->config = malloc(rules->game->config_size + 1);
    if (k->config)
        memcpy(k->config, rules->config, rules->game->config_size);
    return k->state && k->latest && k->spare && k->spare2 && k->spare3 && k->out && k->out2 &&
           k->mask && k->mask2 && k->prob && k->frequency && k->config && k->recall && k->views;
}

void agon__check_close(agon__check* k) {
    void* const room[] = {k->state, k->latest, k->spare, k->spare2, k->spare3,    k->out,
                          k->out2,  k->mask,   k->mask2, k->prob,   k->frequency, k->config};
    for (size_t i = 0; i < sizeof room / sizeof *room; i++)
        free(room[i]);
    agon__recall_close(k->recall);
    agon__views_close(k->views);
}

bool agon__broken(agon__check* k, const char* format, ...) {
    va_list words;
    va_start(words, format);
    vsnprintf(k->said, sizeof k->said, format, words);
    va_end(words);
    return false;
}

/* ---- who acts, what is legal -------------------------------------------------------------- */

static bool is_sane(const agon__check* k) {
    const agon_spec* spec = &k->rules->spec;
    if (k->acting == AGON_CHANCE)
        return spec->chance_outcomes > 0 && k->rules->game->chance;
    if (k->acting & ~agon_rules_seats(k->rules))
        return false;
    return spec->simultaneous || (k->acting & (k->acting - 1)) == 0;
}

static void look(agon__check* k) {
    k->acting = agon__call(k, "acting")->acting(k->rules->config, k->state);
    k->sane = is_sane(k);
}

int agon__walk_chance(agon__check* k) {
    const int count = agon__call(k, "chance")->chance(k->rules->config, k->state, k->prob);
    if (count < 1 || count > k->rules->spec.chance_outcomes)
        return 0;
    for (int i = 0; i < count; i++)
        if (!(k->prob[i] > 0 && k->prob[i] <= 1 + 1e-9))
            return 0;
    return count;
}

int agon__walk_mask(agon__check* k, int seat) {
    const int words = k->rules->mask_words, rest = k->rules->spec.actions % 64;
    memset(k->mask, 0, (size_t)words * 8);
    agon__call(k, "legal")->legal(k->rules->config, k->state, seat, k->mask);
    if (rest && k->mask[words - 1] >> rest)
        return 0;
    return agon_mask_count(k->mask, words);
}

uint32_t agon__walk_random(const agon__check* k, uint32_t what, uint32_t draw, uint32_t below) {
    return agon_below(
        agon_random(k->key, k->stream, (uint32_t)(k->plies + k->draws), what, draw).word[0], below);
}

/* ---- steps -------------------------------------------------------------------------------- */

void agon__walk_start(agon__check* k) {
    k->shared->line.steps = 0;
    k->plies = k->draws = k->draws_in_a_row = 0;
    memset(k->reward, 0, sizeof k->reward);
    k->paid = 0;
    memset(k->own, 0, sizeof k->own);
    memset(k->action, 0, sizeof k->action);
    agon__call(k, "init")->init(k->rules->config, k->state);
    look(k);
}

/* On the line before it is played, so that a crash is told with it. */
static bool push(agon__check* k, const uint16_t* action) {
    const int seats = k->rules->spec.seats;
    agon__line* line = &k->shared->line;
    const int slot = line->steps % AGON__LATEST;
    uint16_t* row = line->number + (size_t)line->steps * (size_t)seats;
    if ((line->steps + 1) * seats > AGON__LINE_NUMBERS)
        return false;
    for (int seat = 0; seat < seats; seat++) {
        const bool used = k->acting == AGON_CHANCE ? seat == 0 : k->acting >> seat & 1;
        row[seat] = used ? action[seat] : 0;
    }
    memcpy(k->latest + (size_t)slot * k->rules->spec.state_size, k->state,
           k->rules->spec.state_size);
    memcpy(k->latest_action[slot], row, (size_t)seats * sizeof *row);
    line->steps++;
    return true;
}

bool agon__walk_step(agon__check* k, const uint16_t* action) {
    if (!k->sane || !k->acting || !push(k, action))
        return false;
    const int seats = k->rules->spec.seats;
    uint16_t row[AGON_MAX_SEATS] = {0};
    float reward[AGON_MAX_SEATS] = {0};
    memcpy(row, k->shared->line.number + (size_t)(k->shared->line.steps - 1) * (size_t)seats,
           (size_t)seats * sizeof *row);
    if (k->acting != AGON_CHANCE)
        agon__recall_note(k, row);
    if (agon__call(k, "apply")->apply(k->rules->config, k->state, row, reward) != 0) {
        k->shared->line.steps--;
        return false;
    }
    for (int seat = 0; seat < seats; seat++) {
        k->reward[seat] += (double)reward[seat];
        k->paid += fabs((double)reward[seat]);
    }
    if (k->acting == AGON_CHANCE) {
        k->draws++;
        k->draws_in_a_row++;
    } else {
        k->plies++;
        k->draws_in_a_row = 0;
    }
    look(k);
    return true;
}

void agon__line_copy(const agon__check* k, agon__line* to, const agon__line* from) {
    to->steps = from->steps;
    memcpy(to->number, from->number,
           sizeof(uint16_t) * (size_t)from->steps * (size_t)k->rules->spec.seats);
}

bool agon__walk_along(agon__check* k, const agon__line* line) {
    const size_t seats = (size_t)k->rules->spec.seats;
    agon__walk_start(k);
    for (int i = 0; i < line->steps; i++)
        if (!agon__walk_step(k, line->number + (size_t)i * seats))
            return false;
    return true;
}

double agon__walk_slack(const agon__check* k, double number) {
    const double size = fabs(number) > k->paid ? fabs(number) : k->paid;
    return 1e-6 * (size > 1 ? size : 1);
}

/* ---- choosing ----------------------------------------------------------------------------- */

enum { RANDOM, LONG, FIRST, LAST, AGAIN, STUBBORN };

/* STUBBORN: the same luck and the same choice all episode long, other ones in the next. */
static int same_again(const agon__check* k, int slower, int count) {
    return (int)(k->stream / (2 * AGON__WAYS) / (uint32_t)slower % (uint32_t)count);
}

static bool choose_outcome(agon__check* k, int way) {
    const int count = agon__walk_chance(k);
    double left = agon__walk_random(k, AGON_SEAT_CHANCE, 0, UINT32_MAX) * 0x1p-32;
    int outcome = 0;
    if (!count || k->draws_in_a_row > MAX_IN_A_ROW)
        return false;
    while (outcome < count - 1 && (left -= k->prob[outcome]) >= 0)
        outcome++;
    if (way == STUBBORN)
        outcome = same_again(k, 1, count);
    for (int i = 0; i < count && k->stream && way != STUBBORN; i++) {
        k->frequency[3 * i] += k->prob[i];
        k->frequency[3 * i + 1] += k->prob[i] * (1 - k->prob[i]);
        k->frequency[3 * i + 2] += i == outcome;
    }
    k->action[0] = (uint16_t)outcome;
    return true;
}

static bool choose_action(agon__check* k, int seat, int way, uint32_t draw, uint16_t* action) {
    const int count = agon__walk_mask(k, seat), words = k->rules->mask_words;
    const int before = action[seat];
    if (!count)
        return false;
    int at = (int)agon__walk_random(k, (uint32_t)seat, draw, (uint32_t)count);
    if (way == FIRST || way == LAST)
        at = agon__walk_random(k, 64, draw, 8) ? (way == FIRST ? 0 : count - 1) : at;
    if (way == STUBBORN)
        at = same_again(k, 3, count);
    action[seat] = (uint16_t)agon_mask_nth(k->mask, words, at);
    if (way == AGAIN && before < k->rules->spec.actions && agon_mask_has(k->mask, before))
        action[seat] = (uint16_t)before;
    return true;
}

static bool choose_actions(agon__check* k, int way, uint32_t draw, uint16_t* action) {
    for (int seat = 0; seat < k->rules->spec.seats; seat++)
        if ((k->acting >> seat & 1) && !choose_action(k, seat, way, draw, action))
            return false;
    return true;
}

/* How many choices there are after `action`, -1 at an end: episodes that keep room go on. */
static int room_after(agon__check* k, const uint16_t* action) {
    const agon_rules* rules = k->rules;
    float reward[AGON_MAX_SEATS] = {0};
    int room = 0;
    memcpy(k->spare, k->state, rules->spec.state_size);
    if (agon__call(k, "apply")->apply(rules->config, k->spare, action, reward) != 0)
        return -1;
    const uint64_t acting = agon__call(k, "acting")->acting(rules->config, k->spare);
    if (!acting)
        return -1;
    for (uint64_t set = acting & agon_rules_seats(rules); set; set &= set - 1) {
        memset(k->mask2, 0, (size_t)rules->mask_words * 8);
        agon__call(k, "legal")->legal(rules->config, k->spare, __builtin_ctzll(set), k->mask2);
        room += 1 + agon_mask_count(k->mask2, rules->mask_words);
    }
    return room;
}

static bool choose_long(agon__check* k) {
    uint16_t best[AGON_MAX_SEATS] = {0};
    int most = -2;
    for (uint32_t trial = 0; trial < 8; trial++) {
        uint16_t action[AGON_MAX_SEATS] = {0};
        if (!choose_actions(k, RANDOM, trial, action))
            return false;
        const int room = room_after(k, action);
        if (room > most) {
            most = room;
            memcpy(best, action, sizeof best);
        }
    }
    memcpy(k->action, best, sizeof best);
    return true;
}

bool agon__walk_choose(agon__check* k, int way) {
    if (!k->sane || !k->acting)
        return false;
    if (k->acting == AGON_CHANCE)
        return choose_outcome(k, way);
    if (k->plies > k->rules->spec.max_plies)
        return false;
    return way == LONG ? choose_long(k) : choose_actions(k, way, 0, k->action);
}

int agon__walk_row(agon__check* k, const void* state, uint64_t acting, uint32_t draw,
                   uint16_t* row) {
    const agon_rules* rules = k->rules;
    int stuck = -1;
    memset(row, 0, AGON_MAX_SEATS * sizeof *row);
    if (acting == AGON_CHANCE) {
        const int count = rules->game->chance
                              ? agon__call(k, "chance")->chance(rules->config, state, k->prob)
                              : 0;
        row[0] =
            (uint16_t)agon__walk_random(k, AGON_MAX_SEATS, draw, count > 0 ? (uint32_t)count : 1);
        return stuck;
    }
    for (uint64_t set = acting & agon_rules_seats(rules); set; set &= set - 1) {
        const int seat = __builtin_ctzll(set);
        memset(k->mask2, 0, (size_t)rules->mask_words * 8);
        agon__call(k, "legal")->legal(rules->config, state, seat, k->mask2);
        const int count = agon_mask_count(k->mask2, rules->mask_words);
        if (count)
            row[seat] = (uint16_t)agon_mask_nth(
                k->mask2, rules->mask_words,
                (int)agon__walk_random(k, (uint32_t)seat, draw, (uint32_t)count));
        else
            stuck = seat;
    }
    return stuck;
}

bool agon__prepare(agon__check* k) {
    const uint32_t stream = k->stream;
    k->stream = 0;
    memset(k->action, 0, sizeof k->action);
    const bool chosen = agon__walk_choose(k, RANDOM);
    k->stream = stream;
    return chosen;
}

/* ---- lines as text ------------------------------------------------------------------------ */

typedef struct writer {
    char* out;
    size_t size, used;
    bool cut;
} writer;

/* Either a whole word or, from the first that does not fit on, "...". */
static void write_word(writer* w, const char* word) {
    const size_t length = strlen(word);
    if (w->cut)
        return;
    w->cut = w->used + length + 4 > w->size;
    if (w->cut)
        word = "...";
    w->used += (size_t)snprintf(w->out + w->used, w->size - w->used, "%s", word);
}

void agon__line_text(agon__check* k, const agon__line* line, char* out, size_t size) {
    const int seats = k->rules->spec.seats;
    writer w = {out, size, 0, false};
    agon__walk_start(k);
    out[0] = '\0';
    if (!line->steps)
        write_word(&w, "-");
    for (int i = 0; i < line->steps; i++) {
        const uint16_t* row = line->number + (size_t)i * (size_t)seats;
        const char* between = i ? "." : "";
        for (int seat = 0; seat < seats; seat++) {
            char number[16];
            if (k->acting == AGON_CHANCE ? seat > 0 : !(k->acting >> seat & 1))
                continue;
            snprintf(number, sizeof number, "%s%d", between, row[seat]);
            write_word(&w, number);
            between = ",";
        }
        if (i + 1 < line->steps && !agon__walk_step(k, row))
            return;
    }
}

static void write_name(agon__check* k, writer* w, int seat, int action, const char* before) {
    char name[AGON_ACTION_NAME + 16] = "";
    const size_t length = (size_t)snprintf(name, sizeof name, "%s", before);
    k->shared->function = "action_name";
    const int wanted =
        agon_action_text(k->rules, k->state, seat, action, name + length, AGON_ACTION_NAME);
    if (wanted <= 0 || wanted >= AGON_ACTION_NAME)
        snprintf(name + length, sizeof name - length, "%d", action);
    write_word(w, name);
}

void agon__line_names(agon__check* k, const agon__line* line, char* out, size_t size) {
    const int seats = k->rules->spec.seats;
    writer w = {out, size, 0, false};
    agon__walk_start(k);
    out[0] = '\0';
    for (int i = 0; i < line->steps; i++) {
        const uint16_t* row = line->number + (size_t)i * (size_t)seats;
        const char* between = i ? " " : "";
        if (k->acting == AGON_CHANCE)
            write_name(k, &w, -1, row[0], between);
        for (int seat = 0; seat < seats && k->acting != AGON_CHANCE; seat++) {
            if (!(k->acting >> seat & 1))
                continue;
            write_name(k, &w, seat, row[seat], between);
            between = "+";
        }
        if (i + 1 < line->steps && !agon__walk_step(k, row))
            return;
    }
}

/* One row of "2.0,1" for whoever acts; NULL where it is not one. */
static const char* read_row(const agon__check* k, const char* text, uint16_t* row) {
    bool first = true;
    memset(row, 0, AGON_MAX_SEATS * sizeof *row);
    for (int seat = 0; seat < k->rules->spec.seats; seat++) {
        char* end;
        if (k->acting == AGON_CHANCE ? seat > 0 : !(k->acting >> seat & 1))
            continue;
        if (!first && *text++ != ',')
            return NULL;
        if (*text < '0' || *text > '9')
            return NULL;
        const unsigned long number = strtoul(text, &end, 10);
        if (number > AGON_MAX_ACTIONS)
            return NULL;
        row[seat] = (uint16_t)number;
        text = end;
        first = false;
    }
    return first ? NULL : text;
}

static int refuse(agon__check* k, const char* text, const char* at, const char* why,
                  agon_error* error) {
    agon_fail(error, AGON_EINVALID, "line of play: ply %d, '%.40s': %s", k->shared->line.steps + 1,
              at, why);
    return agon_hint(error,
                     "plies with '.' between them, actions of seats that act together with "
                     "',': got %.100s",
                     text);
}

static int play_one(agon__check* k, const char* text, size_t length, agon__question* ask,
                    agon_error* error) {
    const char* at = text;
    uint16_t row[AGON_MAX_SEATS];
    agon__walk_start(k);
    agon__prepare(k);
    if (!ask(k) || (length == 1 && *text == '-'))
        return 0;
    for (;;) {
        const char* next = k->sane && k->acting ? read_row(k, at, row) : NULL;
        if (!k->acting)
            return refuse(k, text, at, "the episode is over", error);
        if (!next || (next < text + length && *next != '.'))
            return refuse(k, text, at, "expected one number for each seat that acts", error);
        if (!agon__walk_step(k, row))
            return refuse(k, text, at, "the game refuses it", error);
        agon__prepare(k);
        if (!ask(k) || next == text + length)
            return 0;
        at = next + 1;
    }
}

int agon__line_play(agon__check* k, const char* text, agon__question* ask, agon_error* error) {
    for (const char* at = text;; at++) {
        const size_t length = strcspn(at, "+");
        const int code = play_one(k, at, length, ask, error);
        at += length;
        if (code || !*at)
            return code;
    }
}
