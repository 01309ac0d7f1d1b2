/* fuzz_plugin.c: libFuzzer target. A plug-in's table and its facts may be anything: they are
 * refused with a message, or what comes of them can be relied on: sizes agree, names end, bounds
 * are in order. The table lies in a block of its own size, so that reading beyond its end shows. */
#include "tests/fuzz/fuzz.h"

#include "games/internal.h"

#include <math.h>

static struct {
    const uint8_t* at;
    size_t left;
} input;

/* The next bytes; zeros when there are no more. */
static void take(void* out, size_t size) {
    const size_t some = size < input.left ? size : input.left;
    memset(out, 0, size);
    memcpy(out, input.at, some);
    input.at += some;
    input.left -= some;
}

static uint8_t take_byte(void) {
    uint8_t byte;
    take(&byte, 1);
    return byte;
}

/* A name from the input: NULL, static or as long as the input says. */
static const char* take_name(char* room, size_t size) {
    const uint8_t kind = take_byte();
    if (kind < 32)
        return NULL;
    if (kind < 160)
        return "name";
    const size_t length = kind < 250 ? kind - 160u : size - 1;
    take(room, length < size ? length : size - 1);
    room[length < size ? length : size - 1] = '\0';
    return room;
}

static char plane_room[300], role_room[300], feature_room[300], stat_room[300];

/* Facts are good ones, with as many bytes overwritten as the input says. */
static int any_configure(agon_params* params, agon_spec* spec, void* config) {
    const uint32_t size = spec->struct_size;
    agon_param_int(params, "size", 3, 1, 9);
    spec->seats = 2;
    spec->actions = 9;
    spec->max_plies = 9;
    spec->return_min = -1;
    spec->return_max = 1;
    spec->state_size = 24;
    spec->planes = spec->rows = spec->cols = 3;
    spec->obs_scale = 1;
    spec->symmetries = 1;
    for (int changes = take_byte() % 8; changes > 0; changes--) {
        uint16_t at;
        take(&at, sizeof at);
        take((char*)spec + at % offsetof(agon_spec, plane_names), 4);
    }
    take(spec->team, take_byte() % 33);
    take(spec->role, take_byte() % 33);
    spec->features = take_byte() % 20;
    spec->stats = take_byte() % 20;
    for (int i = 0; i < AGON_MAX_PLANES; i++)
        spec->plane_names[i] = i == 1 ? take_name(plane_room, sizeof plane_room) : "plane";
    spec->role_names[1] = take_name(role_room, sizeof role_room);
    for (int i = 0; i < AGON_MAX_NUMBERS; i++)
        spec->feature_names[i] = spec->stat_names[i] = "number";
    spec->feature_names[0] = take_name(feature_room, sizeof feature_room);
    spec->stat_names[0] = take_name(stat_room, sizeof stat_room);
    spec->struct_size = size;
    if (take_byte() > 250) {
        memset(params->error, 'e', sizeof params->error); /* without an end */
        memset(params->asked, 'a', sizeof params->asked);
    }
    return take_byte() > 250 ? -1 : 0;
}

/* Never called: facts are checked before anything is played. */
static void never(void) {
    abort();
}

static void fill_slots(agon_game* game) {
    void (**slot)(void) = (void (**)(void))(void*)((char*)game + offsetof(agon_game, init));
    const size_t slots = (sizeof *game - offsetof(agon_game, init)) / sizeof *slot;
    uint64_t absent;
    take(&absent, sizeof absent);
    for (size_t i = 0; i < slots; i++)
        slot[i] = absent >> i & 1 ? NULL : never;
}

static bool is_word(const char* text) {
    return text && *text && strlen(text) < 64 && !strpbrk(text, " \n\t");
}

static void check_rules(const agon_rules* r) {
    const agon_spec* s = &r->spec;
    uint32_t roles = 0;
    for (int i = 0; i < s->seats; i++)
        roles |= 1u << s->role[i];
    MUST(s->seats >= 1 && s->seats <= AGON_MAX_SEATS && (roles & (roles + 1)) == 0);
    MUST(s->actions >= 1 && r->mask_words == (s->actions + 63) / 64);
    MUST(r->entries >= 1 && r->entries == s->planes * s->rows * s->cols);
    MUST(r->obs_bytes >= (size_t)r->entries && s->state_size % 8 == 0 && s->max_plies >= 1);
    MUST(isfinite(s->return_min) && s->return_min <= s->return_max);
    MUST(s->chance_outcomes == 0 || r->game->chance);
    MUST((s->features > 0) == (r->game->features != NULL));
    MUST((s->stats > 0) == (r->game->stats != NULL));
    MUST(!s->features || is_word(s->feature_names[0]));
    MUST(!s->stats || is_word(s->stat_names[0]));
    MUST(s->planes < 2 || is_word(s->plane_names[1]));
}

static void check_error(int code, const agon_error* error) {
    MUST(code < 0 && code == error->code && error->text[0]);
}

static void open_game(const agon_game* game) {
    agon__game_string string;
    agon_rules* rules = NULL;
    agon_error error = {0};
    MUST(strlen(game->name) <= 40);
    MUST(agon__game_string_parse(game->name, &string, NULL) == 0);
    const int code = agon__rules_open_game(game, &string, &rules, &error);
    if (code)
        check_error(code, &error);
    else
        check_rules(rules);
    agon_rules_close(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static char name_room[300], summary_room[300], source_room[300];
    agon_game whole = {0}, full;
    agon_error error = {0};
    input.at = data;
    input.left = size;
    take(&whole.abi, sizeof whole.abi);
    take(&whole.struct_size, sizeof whole.struct_size);
    take(&whole.spec_size, sizeof whole.spec_size);
    take(&whole.config_size, 3); /* up to 16 MiB: more is refused or slow */
    fill_slots(&whole);
    whole.configure = any_configure;
    whole.name = take_name(name_room, sizeof name_room);
    whole.summary = take_name(summary_room, sizeof summary_room);
    whole.source = take_name(source_room, sizeof source_room);
    /* As much as it says it has, and enough to say it. */
    const size_t room = whole.struct_size < 8              ? 8
                        : whole.struct_size < sizeof whole ? whole.struct_size
                                                           : sizeof whole;
    agon_game* table = (agon_game*)malloc(room);
    if (!table)
        return 0;
    memcpy(table, &whole, room);
    const int code = agon__plugin_table(table, "any.so", &full, &error);
    free(table);
    if (code)
        check_error(code, &error);
    else
        open_game(&full);
    return 0;
}

/* Tables that are accepted, without and with the slots from `chance` on. */
static void fuzz_seeds(const char* dir) {
    const uint32_t head[3] = {AGON_ABI, sizeof(agon_game), sizeof(agon_spec)};
    uint8_t seed[64] = {0};
    memcpy(seed, head, sizeof head);
    memset(seed + 16, 0xff, 7);
    memset(seed + 23, 100, 3); /* name, summary, source */
    seed[31] = 100;            /* name of a plane */
    fuzz_seed(dir, "required", seed, sizeof seed);
    memset(seed + 16, 0, 7);
    fuzz_seed(dir, "all", seed, sizeof seed);
}
