/* SPDX-License-Identifier: 0BSD
 *
 * check_bytes.c: questions about buffers, names, texts, batches: every output is written whole and
 * nothing beside it, whatever lay there before. */
#include "check_inside.h"

#include <math.h>

enum { GUARD = 64, NAMES = 512 };
#define CANARY 0xa5a5a5a5a5a5a5a5ull

/* ---- outputs between guards --------------------------------------------------------------- */

static void* guarded(const agon__check* k, uint8_t* room, uint8_t fill) {
    memset(room, fill, k->out_size + 2 * GUARD);
    return room + GUARD;
}

/* All `count` bytes are `fill`: the first one is, and each is as the next. */
static bool is_filled(const uint8_t* bytes, size_t count, uint8_t fill) {
    return bytes[0] == fill && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* The first byte beside `size` bytes of output that is not `fill`, as an offset; 0: none. */
static long beside(const agon__check* k, const uint8_t* room, size_t size, uint8_t fill) {
    const uint8_t* behind = room + GUARD + size;
    const size_t count = k->out_size + GUARD - size;
    if (is_filled(room, GUARD, fill) && is_filled(behind, count, fill))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (behind[i] != fill)
            return (long)(size + i);
    for (long i = 1; i <= GUARD; i++)
        if (room[GUARD - i] != fill)
            return -i;
    return 0;
}

typedef enum output {
    INIT,
    LEGAL,
    OBSERVE,
    CHANCE,
    SYMMETRY,
    INFOSTATE,
    FEATURES,
    STATS,
    APPLY,
    RESAMPLE,
    OUTPUTS
} output;

static const char* const output_name[] = {"init",      "legal",    "observe", "chance", "symmetry",
                                          "infostate", "features", "stats",   "apply",  "resample"};

static bool has_output(const agon__check* k, output which, int seat) {
    const agon_game* game = k->rules->game;
    const bool decides = agon__decides(k);
    switch (which) {
    case INIT:
        return true;
    case LEGAL:
        return decides && (k->acting >> seat & 1);
    case OBSERVE:
        return decides;
    case CHANCE:
        return k->sane && k->acting == AGON_CHANCE;
    case SYMMETRY:
        return k->rules->spec.symmetries > 1;
    case INFOSTATE:
        return decides && game->infostate;
    case FEATURES:
        return !k->acting && k->rules->spec.features > 0;
    case STATS:
        return !k->acting && k->rules->spec.stats > 0;
    case APPLY:
        return k->sane && k->acting;
    case RESAMPLE:
        return decides && game->resample;
    default:
        return false;
    }
}

/* Calls a function of the game on `out`; returns the bytes that it owes. */
static size_t write_output(agon__check* k, output which, int seat, void* out) {
    const agon_rules* rules = k->rules;
    const agon_game* game = agon__call(k, output_name[which]);
    const void *config = rules->config, *state = k->state;
    float reward[AGON_MAX_SEATS] = {0};
    switch (which) {
    case INIT:
        game->init(config, out);
        return rules->spec.state_size;
    case LEGAL:
        game->legal(config, state, seat, (uint64_t*)out);
        return (size_t)rules->mask_words * 8;
    case OBSERVE:
        game->observe(config, state, seat, out);
        return rules->obs_bytes;
    case CHANCE:
        return sizeof(double) * (size_t)game->chance(config, state, (double*)out);
    case SYMMETRY:
        game->symmetry(config, (k->plies + seat) % rules->spec.symmetries, state, out);
        return rules->spec.state_size;
    case INFOSTATE:
        return (size_t)game->infostate(config, state, seat, out);
    case FEATURES:
        game->features(config, state, seat, (float*)out);
        return sizeof(float) * (size_t)rules->spec.features;
    case STATS:
        game->stats(config, state, (float*)out);
        return sizeof(float) * (size_t)rules->spec.stats;
    case APPLY:
        memcpy(out, state, rules->spec.state_size);
        game->apply(config, out, k->action, reward);
        return rules->spec.state_size;
    default: /* RESAMPLE */
        memcpy(out, state, rules->spec.state_size);
        game->resample(config, out, seat, 0x9e3779b97f4a7c15ull);
        return rules->spec.state_size;
    }
}

/* Of what says its own size. */
static size_t most_bytes(const agon__check* k, output which) {
    return which == INFOSTATE ? AGON_INFOSTATE
           : which == CHANCE  ? sizeof(double) * (size_t)k->rules->spec.chance_outcomes
                              : k->out_size;
}

static bool writes_whole(agon__check* k, output which, int seat) {
    uint8_t* const first = (uint8_t*)guarded(k, k->out, 0x00);
    const size_t size = write_output(k, which, seat, first);
    uint8_t* const second = (uint8_t*)guarded(k, k->out2, 0xa5);
    const size_t again = write_output(k, which, seat, second);
    if (size != again || size > most_bytes(k, which))
        return agon__broken(k, "%s: %td bytes, %td when asked again, expected at most %zu",
                            output_name[which], (ptrdiff_t)size, (ptrdiff_t)again,
                            most_bytes(k, which));
    const long at = beside(k, k->out, size, 0x00), at2 = beside(k, k->out2, size, 0xa5);
    if (at || at2)
        return agon__broken(k, "%s: writes byte %ld of an output of %zu bytes", output_name[which],
                            at ? at : at2, size);
    for (size_t i = 0; i < size; i++)
        if (first[i] != second[i])
            return agon__broken(k,
                                "%s: byte %zu of %zu depends on what was there before, or is "
                                "another when asked again",
                                output_name[which], i, size);
    return true;
}

/* Rewards are added to what is there, beside nothing. */
static bool adds_rewards(agon__check* k) {
    const agon_rules* rules = k->rules;
    const size_t size = sizeof(float) * (size_t)rules->spec.seats;
    float plain[AGON_MAX_SEATS] = {0};
    float* reward = (float*)guarded(k, k->out, 0xa5);
    if (!k->sane || !k->acting)
        return true;
    for (int seat = 0; seat < rules->spec.seats; seat++)
        reward[seat] = 16;
    memcpy(k->spare, k->state, rules->spec.state_size);
    agon__call(k, "apply")->apply(rules->config, k->spare, k->action, reward);
    memcpy(k->spare2, k->state, rules->spec.state_size);
    agon__call(k, "apply")->apply(rules->config, k->spare2, k->action, plain);
    if (memcmp(k->spare, k->spare2, rules->spec.state_size) != 0)
        return agon__broken(k, "apply: the next state depends on the rewards that were there");
    if (beside(k, k->out, size, 0xa5))
        return agon__broken(k, "apply: writes beside the rewards of %d seats", rules->spec.seats);
    for (int seat = 0; seat < rules->spec.seats; seat++)
        if (!(fabsf(reward[seat] - 16 - plain[seat]) <= 1e-4f * (1 + fabsf(plain[seat]))))
            return agon__broken(k, "apply: seat %d had 16 and gets %g, which makes %g", seat,
                                (double)plain[seat], (double)reward[seat]);
    return true;
}

bool agon__ask_buffers(agon__check* k) {
    for (int which = 0; which < OUTPUTS; which++)
        for (int seat = 0; seat < k->rules->spec.seats; seat++)
            if (has_output(k, (output)which, seat) && !writes_whole(k, (output)which, seat))
                return false;
    return adds_rewards(k);
}

/* ---- what is only read -------------------------------------------------------------------- */

/* Plays `row` on `room`, a copy of the position; a hash of all that comes of it. */
static uint64_t hash_of_ply(agon__check* k, const uint16_t* row, uint8_t* room) {
    float reward[AGON_MAX_SEATS] = {0};
    memcpy(room, k->state, k->rules->spec.state_size);
    const int code = agon__call(k, "apply")->apply(k->rules->config, room, row, reward);
    const uint64_t hash = agon_hash(AGON_HASH_START, room, k->rules->spec.state_size);
    return agon_hash(agon_hash(hash, reward, sizeof reward), &code, sizeof code);
}

/* What stands at seats that do not act changes nothing. */
static bool reads_own_actions(agon__check* k) {
    const uint64_t read = k->acting == AGON_CHANCE ? 1 : k->acting;
    uint16_t row[AGON_MAX_SEATS];
    if (!k->acting || read == agon_rules_seats(k->rules))
        return true;
    for (int seat = 0; seat < AGON_MAX_SEATS; seat++)
        row[seat] = read >> seat & 1 ? k->action[seat] : AGON_MAX_ACTIONS;
    const uint64_t plain = hash_of_ply(k, k->action, k->spare);
    if (hash_of_ply(k, row, k->spare) == plain || hash_of_ply(k, k->action, k->spare) != plain)
        return true; /* or never the same, which other rules tell */
    return agon__broken(k, "apply reads the action of a seat that does not act");
}

bool agon__ask_reads(agon__check* k) {
    const agon_rules* rules = k->rules;
    const size_t size = rules->spec.state_size;
    char text[256];
    memcpy(k->spare, k->state, size);
    for (int which = 0; which < OUTPUTS; which++) {
        for (int seat = 0; seat < rules->spec.seats; seat++) {
            if (!has_output(k, (output)which, seat))
                continue;
            write_output(k, (output)which, seat, guarded(k, k->out, 0));
            if (memcmp(k->spare, k->state, size) != 0)
                return agon__broken(k, "%s: changes the state that it only reads",
                                    output_name[which]);
        }
    }
    if (rules->game->text)
        agon__call(k, "text")->text(rules->config, k->state, text, sizeof text);
    if (rules->game->action_name && agon__decides(k))
        agon__call(k, "action_name")
            ->action_name(rules->config, k->state, __builtin_ctzll(k->acting),
                          k->action[__builtin_ctzll(k->acting)], text, sizeof text);
    if (memcmp(k->spare, k->state, size) != 0)
        return agon__broken(k, "text or action_name: changes the state that it only reads");
    return !k->sane || reads_own_actions(k);
}

bool agon__ask_config(agon__check* k) {
    return memcmp(k->config, k->rules->config, k->rules->game->config_size) == 0 ||
           agon__broken(k, "the config is not what it was after configure");
}

bool agon__ask_numbers(agon__check* k) {
    const agon_rules* rules = k->rules;
    float* number = (float*)(void*)k->out;
    if (k->acting)
        return true;
    for (int seat = 0; seat < rules->spec.seats && rules->spec.features; seat++) {
        agon__call(k, "features")->features(rules->config, k->state, seat, number);
        for (int i = 0; i < rules->spec.features; i++)
            if (!isfinite(number[i]))
                return agon__broken(k, "feature %s of seat %d is %g, expected a finite number",
                                    rules->spec.feature_names[i], seat, (double)number[i]);
    }
    if (rules->spec.stats)
        agon__call(k, "stats")->stats(rules->config, k->state, number);
    for (int i = 0; i < rules->spec.stats; i++)
        if (!isfinite(number[i]))
            return agon__broken(k, "stat %s is %g, expected a finite number",
                                rules->spec.stat_names[i], (double)number[i]);
    return true;
}

/* ---- names and texts ---------------------------------------------------------------------- */

static int name_of(agon__check* k, int seat, int action, char* out, size_t size) {
    k->shared->function = "action_name";
    return agon_action_text(k->rules, k->state, seat, action, out, size);
}

static bool is_name(agon__check* k, int seat, int action, char* name) {
    char cut[5] = "....";
    memset(name, 1, AGON_ACTION_NAME);
    const int length = name_of(k, seat, action, name, AGON_ACTION_NAME);
    if (length < 1 || length >= AGON_ACTION_NAME || name[length] != '\0' ||
        memchr(name, '\0', (size_t)length))
        return agon__broken(k,
                            "the name of action %d says that it has %d bytes, expected its "
                            "length, 1 to %d",
                            action, length, AGON_ACTION_NAME - 1);
    for (int i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return agon__broken(k,
                                "the name of action %d, '%s', has byte %d, expected printable "
                                "ones without spaces",
                                action, name, (unsigned char)name[i]);
    if (name_of(k, seat, action, cut, 3) != length || cut[3] != '.' || strncmp(cut, name, 2) != 0 ||
        strlen(cut) != (length < 2 ? (size_t)length : 2))
        return agon__broken(k,
                            "the name of action %d, '%s', is '%s' in 3 bytes, expected its "
                            "beginning and length %d",
                            action, name, cut, length);
    return true;
}

static int compare_names(const void* a, const void* b) {
    return strcmp((const char*)a, (const char*)b);
}

/* Names of one seat's legal actions, or of outcomes: seat -1. `count` actions, the k-th legal one.
 */
static bool names_differ(agon__check* k, int seat, int count) {
    static char name[NAMES][AGON_ACTION_NAME];
    const int shown = count < NAMES ? count : NAMES;
    memcpy(k->mask2, k->mask, (size_t)k->rules->mask_words * 8);
    for (int i = 0; i < shown; i++) {
        const int action = seat < 0 ? i : agon_mask_nth(k->mask2, k->rules->mask_words, i);
        if (!is_name(k, seat, action, name[i]))
            return false;
        if (i < 8 || i == shown - 1) {
            const int found = agon_action_find(k->rules, k->state, seat, name[i]);
            if (found != action)
                return agon__broken(k, "the name '%s' is that of actions %d and %d", name[i], found,
                                    action);
        }
    }
    qsort(name, (size_t)shown, sizeof name[0], compare_names);
    for (int i = 1; i < shown; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            return agon__broken(k, "two legal actions are called '%s'", name[i]);
    return true;
}

bool agon__ask_names(agon__check* k) {
    if (k->sane && k->acting == AGON_CHANCE)
        return names_differ(k, -1, agon__walk_chance(k));
    for (int seat = 0; seat < k->rules->spec.seats && agon__decides(k); seat++) {
        if (!(k->acting >> seat & 1))
            continue;
        const int count = agon__walk_mask(k, seat);
        if (count && !names_differ(k, seat, count))
            return false;
    }
    return true;
}

bool agon__ask_text(agon__check* k) {
    static char text[1 << 16];
    const agon_rules* rules = k->rules;
    char part[9];
    const int length = agon__call(k, "text")->text(rules->config, k->state, text, sizeof text);
    const int shown = length < (int)sizeof text ? length : (int)sizeof text - 1;
    if (length < 1 || (int)strlen(text) != shown)
        return agon__broken(k, "text says %d bytes, expected its length", length);
    for (int i = 0; i < shown; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n')
            return agon__broken(k, "text has byte %d", (unsigned char)text[i]);
    memset(part, '!', sizeof part);
    const int again = agon__call(k, "text")->text(rules->config, k->state, part, 8);
    const int none = agon__call(k, "text")->text(rules->config, k->state, NULL, 0);
    if (part[8] != '!')
        return agon__broken(k, "text writes beyond the 8 bytes it was given");
    if (again != length || none != length || strncmp(part, text, 7) != 0 ||
        strlen(part) != (length < 7 ? (size_t)length : 7))
        return agon__broken(k, "text needs %d bytes, but says %d with room for 8 and %d with none",
                            length, again, none);
    return true;
}

/* ---- batches ------------------------------------------------------------------------------ */

typedef struct lanes {
    int count;
    uint8_t* state;
    uint64_t acting[AGON__LATEST + 1];
    uint16_t action[(AGON__LATEST + 1) * AGON_MAX_SEATS];
    float reward[(AGON__LATEST + 1) * AGON_MAX_SEATS];
} lanes;

/* This position and those before it, each with what is played there. */
static bool make_lanes(agon__check* k, lanes* l) {
    const size_t size = k->rules->spec.state_size, seats = (size_t)k->rules->spec.seats;
    const int steps = k->shared->line.steps;
    memset(l, 0, sizeof *l);
    l->state = (uint8_t*)calloc(AGON__LATEST + 1, size);
    if (!l->state)
        return false;
    for (int i = steps < AGON__LATEST ? 0 : steps - AGON__LATEST; i < steps; i++) {
        const int slot = i % AGON__LATEST;
        memcpy(l->state + (size_t)l->count * size, k->latest + (size_t)slot * size, size);
        memcpy(l->action + (size_t)l->count * seats, k->latest_action[slot], 2 * seats);
        l->count++;
    }
    memcpy(l->state + (size_t)l->count * size, k->state, size);
    memcpy(l->action + (size_t)l->count * seats, k->action, 2 * seats);
    l->count++;
    for (int i = 0; i < l->count; i++)
        l->acting[i] =
            agon__call(k, "acting")->acting(k->rules->config, l->state + (size_t)i * size);
    return true;
}

static bool batch_acts(agon__check* k, const lanes* l) {
    uint64_t acting[AGON__LATEST + 2] = {0};
    acting[l->count] = CANARY;
    agon__call(k, "acting_batch")->acting_batch(k->rules->config, l->state, l->count, acting);
    for (int i = 0; i < l->count; i++)
        if (acting[i] != l->acting[i])
            return agon__broken(k, "acting_batch: lane %d: 0x%llx, acting says 0x%llx", i,
                                (unsigned long long)acting[i], (unsigned long long)l->acting[i]);
    return acting[l->count] == CANARY ||
           agon__broken(k, "acting_batch: writes beyond %d lanes", l->count);
}

static bool batch_sees(agon__check* k, const lanes* l) {
    const agon_rules* rules = k->rules;
    const size_t words = (size_t)rules->mask_words;
    uint32_t lane[AGON__LATEST + 1];
    uint8_t seat[AGON__LATEST + 1];
    int count = 0;
    for (int i = l->count - 1; i >= 0; i--) {
        if (!l->acting[i] || l->acting[i] == AGON_CHANCE || l->acting[i] & ~agon_rules_seats(rules))
            continue;
        lane[count] = (uint32_t)i;
        seat[count++] = (uint8_t)(63 - __builtin_clzll(l->acting[i]));
    }
    const size_t all = (size_t)count * rules->obs_bytes;
    uint8_t* obs = (uint8_t*)malloc(all + GUARD);
    uint64_t* mask = (uint64_t*)malloc(((size_t)count * words + 1) * 8);
    bool same = obs && mask;
    if (same) {
        memset(obs, 0xa5, all + GUARD);
        memset(mask, 0xa5, ((size_t)count * words + 1) * 8);
        agon__call(k, "observe_batch")
            ->observe_batch(rules->config, l->state, lane, seat, count, obs, mask);
    }
    for (int i = 0; same && i < count; i++) {
        const uint8_t* state = l->state + lane[i] * rules->spec.state_size;
        memset(k->mask2, 0, words * 8);
        agon__call(k, "observe")->observe(rules->config, state, seat[i], k->out);
        agon__call(k, "legal")->legal(rules->config, state, seat[i], k->mask2);
        same = memcmp(k->out, obs + (size_t)i * rules->obs_bytes, rules->obs_bytes) == 0 &&
               memcmp(k->mask2, mask + (size_t)i * words, words * 8) == 0;
    }
    const bool beyond = same && (!is_filled(obs + all, GUARD, 0xa5) ||
                                 !is_filled((uint8_t*)(mask + (size_t)count * words), 8, 0xa5));
    free(obs);
    free(mask);
    if (beyond)
        return agon__broken(k, "observe_batch: writes beyond %d lanes", count);
    return same || agon__broken(k,
                                "observe_batch: other observations or masks than observe and "
                                "legal, %d lanes in reverse order",
                                count);
}

/* In reverse order, with an action that is refused after `bad` lanes, or without one: bad = count.
 */
static bool batch_plays(agon__check* k, const lanes* l, int bad) {
    const agon_rules* rules = k->rules;
    const size_t size = rules->spec.state_size, seats = (size_t)rules->spec.seats;
    static lanes t;
    uint32_t lane[AGON__LATEST + 1];
    uint8_t* const state = (uint8_t*)malloc((size_t)l->count * size);
    bool same = state != NULL;
    if (!same)
        return agon__broken(k, "no memory");
    t = *l;
    memcpy(state, l->state, (size_t)l->count * size);
    for (int i = 0; i < l->count; i++)
        lane[i] = (uint32_t)(l->count - 1 - i);
    for (size_t seat = 0; seat < seats && bad < l->count; seat++)
        t.action[lane[bad] * seats + seat] = AGON_MAX_ACTIONS;
    const int played = agon__call(k, "apply_batch")
                           ->apply_batch(rules->config, state, lane, l->count, t.action, t.reward);
    for (int i = 0; i < l->count && same; i++) {
        float reward[AGON_MAX_SEATS] = {0};
        memcpy(k->spare, l->state + (size_t)i * size, size);
        if (l->count - 1 - i < bad)
            agon__call(k, "apply")
                ->apply(rules->config, k->spare, l->action + (size_t)i * seats, reward);
        same = memcmp(k->spare, state + (size_t)i * size, size) == 0 &&
               memcmp(reward, t.reward + (size_t)i * seats, seats * sizeof *reward) == 0;
    }
    free(state);
    if (played != bad)
        return agon__broken(k, "apply_batch: returns %d of %d lanes, expected %d", played, l->count,
                            bad);
    return same ||
           agon__broken(k,
                        "apply_batch: other states or rewards than apply, %d lanes in reverse "
                        "order",
                        l->count);
}

bool agon__ask_batch(agon__check* k) {
    static lanes l;
    if (!k->sane || !k->acting)
        return true;
    if (!make_lanes(k, &l))
        return agon__broken(k, "no memory");
    const bool same = batch_acts(k, &l) && batch_sees(k, &l) && batch_plays(k, &l, l.count) &&
                      batch_plays(k, &l, l.count / 2);
    free(l.state);
    return same;
}
