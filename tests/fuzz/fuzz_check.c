/* fuzz_check.c: libFuzzer target. The checker asks a game whose facts, and whose answers to every
 * question, are the input's: it ends in a report in which each failure has a text, and a line that
 * is told can be read back. Answers stay within their buffers; nothing else about them is sane. */
#include "games/check.h"
#include "games/internal.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

enum { SCRIPT = 256 };

static struct {
    uint8_t script[SCRIPT];
    uint8_t sane; /* of 256: how many answers are good ones */
    agon_spec spec;
} any;

typedef struct place {
    uint64_t at, plies;
} place;

/* A number for a question about a state; the same for the same, unless `moody`. */
static uint32_t answer(const void* state, uint32_t question) {
    const place* s = (const place*)state;
    const uint64_t at = (s ? s->at : 0) * 0x9e3779b97f4a7c15ull + question * 0x85ebca6bull;
    const uint64_t mixed = (at ^ at >> 29) * 0xbf58476d1ce4e5b9ull;
    const uint8_t* b = any.script + (mixed >> 40) % (SCRIPT - 4);
    return (uint32_t)(b[0] | b[1] << 8 | b[2] << 16) ^ (uint32_t)(mixed >> 33);
}

static bool is_sane(const void* state, uint32_t question) {
    return (answer(state, question ^ 0x5a5au) & 255) < any.sane;
}

static int any_configure(agon_params* params, agon_spec* spec, void* config) {
    const uint32_t size = spec->struct_size;
    *spec = any.spec;
    spec->struct_size = size;
    *(uint64_t*)config = 0;
    return 0;
}

static void any_init(const void* config, void* state) {
    *(place*)state = (place){answer(NULL, 1) & 3, 0};
}

static uint64_t any_acting(const void* config, const void* state) {
    const place* s = (const place*)state;
    const uint32_t a = answer(state, 2);
    const uint64_t seats = (1ull << any.spec.seats) - 1;
    if (!is_sane(state, 2))
        return a & 1 ? a : AGON_CHANCE | (a & 6);
    if (s->plies >= (uint64_t)any.spec.max_plies || a % 16 == 0)
        return 0;
    if (any.spec.chance_outcomes && a % 5 == 0)
        return AGON_CHANCE;
    return any.spec.simultaneous && (a >> 8 & seats) ? a >> 8 & seats
                                                     : 1ull << a % (uint32_t)any.spec.seats;
}

static uint64_t mask_word(const void* state, int seat, int word) {
    const uint64_t bits = (uint64_t)answer(state, 100 + (uint32_t)(seat * 40 + word)) << 32 |
                          answer(state, 300 + (uint32_t)(seat * 40 + word));
    const int rest = any.spec.actions - 64 * word;
    if (!is_sane(state, 3))
        return bits;
    return (bits | 1) & (rest >= 64 ? ~0ull : (1ull << rest) - 1);
}

static void any_legal(const void* config, const void* state, int seat, uint64_t* mask) {
    for (int word = 0; word < (any.spec.actions + 63) / 64; word++)
        mask[word] = mask_word(state, seat, word);
}

static int any_apply(const void* config, void* state, const uint16_t* action, float* reward) {
    place* s = (place*)state;
    const uint64_t acting = any_acting(config, state);
    const int first = acting == AGON_CHANCE || !acting ? 0 : __builtin_ctzll(acting);
    const int number = action[first < any.spec.seats ? first : 0];
    if (is_sane(state, 4) && acting != AGON_CHANCE &&
        (!acting || number >= any.spec.actions ||
         !(mask_word(state, first, number / 64) >> number % 64 & 1)))
        return -1;
    if (!is_sane(state, 5))
        reward[0] += (float)answer(state, 6) * (answer(state, 7) & 1 ? 1e30f : NAN);
    if (!is_sane(state, 8))
        return (int)(answer(state, 9) % 3) - 1;
    s->plies += acting != AGON_CHANCE;
    s->at = s->at * 5 + 1 + (uint64_t)number % 7;
    return 0;
}

static void fill(const void* state, uint32_t question, void* out, size_t size) {
    for (size_t i = 0; i < size; i++)
        ((uint8_t*)out)[i] = (uint8_t)(answer(state, question) >> i % 3);
}

static size_t obs_bytes(void) {
    return (size_t)any.spec.planes * (size_t)any.spec.rows * (size_t)any.spec.cols *
           (any.spec.obs_type == AGON_U8 ? 1 : sizeof(float));
}

static void any_observe(const void* config, const void* state, int seat, void* out) {
    fill(state, 20 + (uint32_t)seat, out, obs_bytes() - !is_sane(state, 10));
}

static int any_chance(const void* config, const void* state, double* prob) {
    const int most = any.spec.chance_outcomes;
    const int count = is_sane(state, 11)
                          ? 1 + (int)(answer(state, 12) % (uint32_t)(most ? most : 1))
                          : (int)(answer(state, 12) % 12) - 3;
    for (int i = 0; i < count; i++)
        prob[i] = is_sane(state, 13) ? 1.0 / count : (double)(int)answer(state, 14) * 1e-6;
    return count;
}

static int any_text(const void* config, const void* state, char* out, size_t size) {
    const int length = snprintf(out, size, "%u", answer(state, 15));
    if (out && size > 2 && !is_sane(state, 16))
        out[0] = (char)answer(state, 17);
    return is_sane(state, 18) ? length : (int)answer(state, 19);
}

static int any_name(const void* config, const void* state, int seat, int action, char* out,
                    size_t size) {
    const int length = snprintf(out, size, "a%d", is_sane(state, 30) ? action : action % 3);
    if (size > 2 && !is_sane(state, 31))
        out[answer(state, 32) % size] = (char)answer(state, 33);
    return is_sane(state, 34) ? length : (int)answer(state, 35);
}

static void any_symmetry(const void* config, int g, const void* state, void* out) {
    *(place*)out = *(const place*)state;
    if (!is_sane(state, 36))
        ((place*)out)->at ^= (uint64_t)g;
}

static int any_symmetry_action(const void* config, int g, int action) {
    return is_sane(NULL, 37) ? action : (int)answer(NULL, 38 + (uint32_t)g) - action;
}

static void any_resample(const void* config, void* state, int seat, uint64_t random) {
    if (!is_sane(state, 39))
        ((place*)state)->at ^= random & 7;
}

static int any_infostate(const void* config, const void* state, int seat, void* out) {
    const int length = (int)(answer(state, 50 + (uint32_t)seat) % AGON_INFOSTATE);
    fill(state, 51, out, (size_t)length);
    return is_sane(state, 52) ? length : (int)answer(state, 53) - 1000;
}

static void any_features(const void* config, const void* state, int seat, float* out) {
    for (int i = 0; i < any.spec.features; i++)
        out[i] = is_sane(state, 54) ? 1 : INFINITY;
}

static void any_stats(const void* config, const void* state, float* out) {
    any_features(config, state, 0, out);
}

#define any_STATE             sizeof(place)
#define any_seats(config)     any.spec.seats
#define any_obs_bytes(config) obs_bytes()
#define any_words(config)     ((size_t)(any.spec.actions + 63) / 64)
AGON_GAME_BATCH(any)

const agon_game agon_game_any = {
    AGON_GAME_HEAD(any, 1, "answers of the input", 8),
    .chance = any_chance,
    .text = any_text,
    .action_name = any_name,
    .symmetry = any_symmetry,
    .symmetry_action = any_symmetry_action,
    .resample = any_resample,
    .infostate = any_infostate,
    .features = any_features,
    .stats = any_stats,
};

/* Facts that are accepted, mostly. */
static void read_facts(const uint8_t* b) {
    agon_spec* s = &any.spec;
    memset(s, 0, sizeof *s);
    s->seats = 1 + b[0] % 4;
    s->actions = 1 + b[1] % 130;
    s->chance_outcomes = b[2] % 6;
    s->information = b[3] & 1 ? AGON_IMPERFECT : AGON_PERFECT;
    s->simultaneous = (b[3] & 3) == 3;
    s->seats_symmetric = b[3] >> 2 & 1;
    s->utility = (agon_utility)(b[4] % 3);
    s->max_plies = 1 + b[5] % 40;
    s->return_min = -(float)(b[6] % 8);
    s->return_max = (float)(b[6] / 8 % 8);
    s->state_size = sizeof(place);
    s->planes = 1 + (b[7] & 1);
    s->rows = 1;
    s->cols = 1 + b[7] / 2 % 16;
    s->obs_type = b[7] & 64 ? AGON_F32 : AGON_U8;
    s->obs_scale = 1;
    s->plane_names[0] = "one";
    s->plane_names[1] = b[7] & 128 ? "one" : "two";
    s->symmetries = 1 + b[8] % 3;
    s->features = s->stats = 1;
    s->feature_names[0] = s->stat_names[0] = "number";
    any.sane = (uint8_t)(255 - b[9] % 64);
}

static void must_be_told(const agon_check_result* r) {
    MUST(r->rule && r->promise);
    MUST(r->status == AGON_CHECK_PASSED || r->text[0]);
    MUST(!r->has_line || (r->line[0] && r->plies >= 0));
}

/* A line is read by the checker that wrote it, unless it was cut. */
static void read_back(const char* line) {
    const agon_check_options options = {
        .seconds = 1, .only = "acting", .replay = line, .here = true, .shortening = 1e-4};
    agon_check_report* report = NULL;
    agon_error error = {0};
    const int code = agon_check_table(&agon_game_any, "", &options, &report, &error);
    MUST(code == 0 || (code == error.code && error.text[0]));
    agon_check_close(report);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint8_t facts[10] = {0};
    memcpy(facts, data, size < sizeof facts ? size : sizeof facts);
    read_facts(facts);
    memset(any.script, 0, sizeof any.script);
    if (size > sizeof facts)
        memcpy(any.script, data + sizeof facts,
               size - sizeof facts < SCRIPT ? size - sizeof facts : SCRIPT);
    char text[64] = "-";
    if (size > 16)
        snprintf(text, sizeof text, "%.*s", (int)(size - 16 < 60 ? size - 16 : 60),
                 (const char*)data + 16);
    const agon_check_options options = {
        .seconds = 1, .positions = 60, .here = true, .shortening = 1e-3};
    agon_check_report* report = NULL;
    agon_error error = {0};
    const int code = agon_check_table(&agon_game_any, "", &options, &report, &error);
    MUST(code == 0 || (code == error.code && error.text[0]));
    for (int i = 0; !code && i < report->count; i++) {
        must_be_told(&report->result[i]);
        if (report->result[i].has_line)
            read_back(report->result[i].line);
    }
    if (!code)
        agon_check_close(report);
    read_back(text);
    return 0;
}

static void fuzz_seeds(const char* dir) {
    for (int kind = 0; kind < 8; kind++) {
        uint8_t bytes[10 + SCRIPT];
        char name[16];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 37 + (size_t)kind * 11);
        bytes[3] = (uint8_t)kind;
        bytes[9] = (uint8_t)(kind & 1 ? 0 : 9);
        snprintf(name, sizeof name, "kind%d", kind);
        fuzz_seed(dir, name, bytes, sizeof bytes);
    }
    fuzz_seed(dir, "line", "0123456789abcdef0,1.2,3+4.5", 27);
}
