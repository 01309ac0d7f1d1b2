/* SPDX-License-Identifier: 0BSD
 *
 * rules.c: from a game string to a configured game. A table's facts are checked here once, as those
 * of a file from elsewhere; everything after relies on them. */
#include "internal.h"

#include "plugin.h"

#include <assert.h>
#include <float.h>

#define MAX_GAMES   64
#define MAX_CONFIG  ((size_t)1 << 28) /* bytes */
#define MAX_STATE   (1 << 20)         /* bytes */
#define MAX_ENTRIES (1 << 20)         /* of an observation */

/* ---- checks ------------------------------------------------------------------------------- */

int agon__rules_check_game(const agon_game* game, agon_error* error) {
    if (game->abi != AGON_ABI || game->struct_size < sizeof(agon_game))
        return agon_fail(error, AGON_EFORMAT,
                         "game table: abi %u with %u bytes, expected abi %d with %zu or more",
                         game->abi, game->struct_size, AGON_ABI, sizeof(agon_game));
    if (!game->name || !game->summary || !game->configure || !game->init || !game->acting ||
        !game->legal || !game->apply || !game->observe || !game->acting_batch ||
        !game->apply_batch || !game->observe_batch)
        return agon_fail(error, AGON_EINVALID, "game %s: a slot that is not optional is NULL",
                         game->name ? game->name : "(without name)");
    if (!game->symmetry != !game->symmetry_action)
        return agon_fail(error, AGON_EINVALID,
                         "game %s: expected both of symmetry and symmetry_action, or none",
                         game->name);
    if (game->config_size > MAX_CONFIG)
        return agon_fail(error, AGON_ELIMIT, "game %s: config_size is %zu, expected at most %zu",
                         game->name, game->config_size, MAX_CONFIG);
    return 0;
}

/* Every number on its own; a NaN is in no range. */
static int check_ranges(const agon_game* game, const agon_spec* s, agon_error* error) {
    const struct {
        const char* fact;
        double value, low, high;
    } range[] = {
        {"seats", s->seats, 1, AGON_MAX_SEATS},
        {"actions", s->actions, 1, AGON_MAX_ACTIONS},
        {"chance_outcomes", s->chance_outcomes, 0, AGON__MAX_OUTCOMES},
        {"simultaneous", s->simultaneous, 0, 1},
        {"seats_symmetric", s->seats_symmetric, 0, 1},
        {"utility", s->utility, AGON_ZERO_SUM, AGON_GENERAL_SUM},
        {"utility_sum", (double)s->utility_sum, -FLT_MAX, FLT_MAX},
        {"information", s->information, AGON_PERFECT, AGON_IMPERFECT},
        {"max_plies", s->max_plies, 1, INT32_MAX},
        {"return_min", (double)s->return_min, -FLT_MAX, FLT_MAX},
        {"return_max", (double)s->return_max, (double)s->return_min, FLT_MAX},
        {"state_size", (double)s->state_size, 8, MAX_STATE},
        {"planes", s->planes, 1, AGON_MAX_PLANES},
        {"rows", s->rows, 1, MAX_ENTRIES},
        {"cols", s->cols, 1, MAX_ENTRIES},
        {"planes * rows * cols", (double)s->planes * s->rows * s->cols, 1, MAX_ENTRIES},
        {"obs_type", s->obs_type, AGON_U8, AGON_F32},
        {"obs_scale", s->obs_type == AGON_U8 ? (double)s->obs_scale : 1, FLT_MIN, FLT_MAX},
        {"symmetries", s->symmetries, 1, INT32_MAX},
        {"features", s->features, 0, AGON_MAX_NUMBERS},
        {"stats", s->stats, 0, AGON_MAX_NUMBERS},
    };
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (!(range[i].value >= range[i].low && range[i].value <= range[i].high))
            return agon_fail(error, AGON_EINVALID, "game %s: %s is %g, expected %g to %g",
                             game->name, range[i].fact, range[i].value, range[i].low,
                             range[i].high);
    }
    return 0;
}

/* Roles have no gaps, so that they can index tables. */
static int check_roles(const agon_game* game, const agon_spec* s, agon_error* error) {
    uint32_t seen = 0;
    for (int seat = 0; seat < s->seats; seat++) {
        if (s->role[seat] >= AGON_MAX_ROLES)
            return agon_fail(error, AGON_EINVALID, "game %s: role[%d] is %d, expected 0 to %d",
                             game->name, seat, s->role[seat], AGON_MAX_ROLES - 1);
        seen |= 1u << s->role[seat];
    }
    if (seen & (seen + 1))
        return agon_fail(error, AGON_EINVALID,
                         "game %s: roles 0x%x of its seats, expected 0, 1, .. without gaps",
                         game->name, seen);
    return 0;
}

/* Names become keys of JSON objects. */
static int check_names(const agon_game* game, const char* what, const char* const* name, int count,
                       agon_error* error) {
    for (int i = 0; i < count; i++) {
        const char* p = name[i];
        while (p && ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
            p++;
        if (!p || p == name[i] || *p || p - name[i] > 40)
            return agon_fail(error, AGON_EINVALID,
                             "game %s: name of %s %d, expected 1 to 40 of a-z, 0-9, _", game->name,
                             what, i);
    }
    return 0;
}

/* Names for people, which also become words of longer texts. */
static int check_word(const agon_game* game, const char* what, const char* word, int number,
                      agon_error* error) {
    size_t length = 0;
    while (word && length < 64 && word[length] > ' ' && word[length] <= '~')
        length++;
    if (length > 0 && length < 64 && !word[length])
        return 0;
    return agon_fail(error, AGON_EINVALID,
                     "game %s: name of %s %d, expected 1 to 63 printable characters without spaces",
                     game->name, what, number);
}

static int check_words(const agon_game* game, const agon_spec* spec, agon_error* error) {
    int code = 0;
    for (int i = 0; !code && i < spec->planes; i++)
        code = check_word(game, "plane", spec->plane_names[i], i, error);
    for (int i = 0; !code && i < AGON_MAX_ROLES; i++) {
        if (spec->role_names[i])
            code = check_word(game, "role", spec->role_names[i], i, error);
    }
    return code;
}

int agon__rules_check_spec(const agon_game* game, const agon_spec* spec, agon_error* error) {
    int code = check_ranges(game, spec, error);
    code = code ? code : check_roles(game, spec, error);
    code = code ? code : check_names(game, "feature", spec->feature_names, spec->features, error);
    code = code ? code : check_names(game, "stat", spec->stat_names, spec->stats, error);
    code = code ? code : check_words(game, spec, error);
    if (code)
        return code;
    if (spec->state_size % 8 != 0)
        return agon_fail(error, AGON_EINVALID,
                         "game %s: state_size is %zu, expected a multiple of 8", game->name,
                         spec->state_size);
    if (spec->chance_outcomes > 0 && !game->chance)
        return agon_fail(error, AGON_EINVALID,
                         "game %s: chance_outcomes is %d, but the chance function is NULL",
                         game->name, spec->chance_outcomes);
    if ((spec->features > 0) != (game->features != NULL))
        return agon_fail(error, AGON_EINVALID,
                         "game %s: features is %d, but the features function is %s", game->name,
                         spec->features, game->features ? "there" : "NULL");
    if ((spec->stats > 0) != (game->stats != NULL))
        return agon_fail(error, AGON_EINVALID, "game %s: stats is %d, but the stats function is %s",
                         game->name, spec->stats, game->stats ? "there" : "NULL");
    if (spec->symmetries > 1 && !game->symmetry)
        return agon_fail(error, AGON_EINVALID,
                         "game %s: symmetries is %d, but the symmetry function is NULL", game->name,
                         spec->symmetries);
    if (spec->simultaneous && spec->information == AGON_PERFECT)
        return agon_fail(error, AGON_EINVALID,
                         "game %s: simultaneous, expected imperfect information", game->name);
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int check_params(const agon_game* game, const agon_params* params, agon_error* error) {
    for (int i = 0; i < params->count; i++) {
        if (params->used >> i & 1)
            continue;
        agon_fail(error, AGON_EUNKNOWN, "game %s has no parameter '%s'", game->name,
                  params->name[i]);
        if (!params->asked[0])
            return agon_hint(error, "%s has no parameters", game->name);
        return agon_hint(error, "%s takes %s", game->name, params->asked);
    }
    return 0;
}

static int configure(agon_rules* rules, const agon__game_string* string, agon_error* error) {
    const agon_game* game = rules->game;
    agon_params params = {.count = string->count};
    for (int i = 0; i < string->count; i++) {
        params.name[i] = string->param[i];
        params.value[i] = string->value[i];
    }
    rules->spec.struct_size = sizeof rules->spec;
    const int result = game->configure(&params, &rules->spec, rules->config);
    params.asked[sizeof params.asked - 1] = '\0';
    params.error[sizeof params.error - 1] = '\0';
    if (result != 0 || params.error[0]) {
        agon_fail(error, AGON_EINVALID, "game %s: %s", game->name,
                  params.error[0] ? params.error : "configure failed without a message");
        return agon_hint(error, "%s takes %s", game->name, params.asked);
    }
    const int code = check_params(game, &params, error);
    return code ? code : agon__rules_check_spec(game, &rules->spec, error);
}

int agon__rules_open_game(const agon_game* game, const agon__game_string* string, agon_rules** out,
                          agon_error* error) {
    int code = agon__rules_check_game(game, error);
    if (code)
        return code;
    agon_rules* rules = (agon_rules*)calloc(1, sizeof *rules);
    void* config = calloc(1, game->config_size ? game->config_size : 1);
    _Atomic uint64_t* fingerprint = (_Atomic uint64_t*)calloc(1, sizeof *fingerprint);
    if (!rules || !config || !fingerprint) {
        free(rules);
        free(config);
        free(fingerprint);
        return agon_fail(error, AGON_EMEMORY, "game %s: no memory for %zu bytes", game->name,
                         sizeof *rules + game->config_size);
    }
    rules->game = game;
    rules->config = config;
    rules->fingerprint = fingerprint;
    memcpy(rules->name, string->canonical, sizeof rules->name);
    code = configure(rules, string, error);
    if (code) {
        agon_rules_close(rules);
        return code;
    }
    const agon_spec* spec = &rules->spec;
    rules->entries = spec->planes * spec->rows * spec->cols;
    rules->obs_bytes = (size_t)rules->entries * (spec->obs_type == AGON_U8 ? 1 : sizeof(float));
    rules->mask_words = (spec->actions + 63) / 64;
    *out = rules;
    return 0;
}

static int unknown_game(const char* name, agon_error* error) {
    const char* names[MAX_GAMES];
    const int count = agon_game_count();
    assert(count <= MAX_GAMES);
    for (int i = 0; i < count; i++)
        names[i] = agon_game_at(i)->name;
    const char* near = agon_nearest(name, names, count);
    agon_fail(error, AGON_EUNKNOWN, "there is no game '%s'", name);
    if (near)
        return agon_hint(error, "did you mean %s? `agon games` lists all", near);
    return agon_hint(error, "`agon games` lists all; a plug-in is given by its path, as ./%.60s.so",
                     name);
}

int agon__rules_find(const char* name, const agon_game** out, agon_error* error) {
    for (int i = 0; i < agon_game_count(); i++) {
        if (strcmp(agon_game_at(i)->name, name) == 0) {
            *out = agon_game_at(i);
            return 0;
        }
    }
    const agon_game* plugin = agon_plugin_find(name);
    if (!plugin)
        return unknown_game(name, error);
    *out = plugin;
    return 0;
}

int agon_rules_open(const char* game_string, agon_rules** out, agon_error* error) {
    assert(game_string && out);
    agon__game_string string;
    const agon_game* game = NULL;
    int code = agon__game_string_parse(game_string, &string, error);
    code = code ? code : agon__rules_find(string.name, &game, error);
    return code ? code : agon__rules_open_game(game, &string, out, error);
}

void agon_rules_close(agon_rules* rules) {
    if (!rules)
        return;
    free(rules->config);
    free(rules->fingerprint);
    free(rules);
}

void agon_game_parameters(const agon_game* game, char* out, size_t size) {
    assert(size > 0);
    agon_params params = {0};
    agon_spec spec = {.struct_size = sizeof spec};
    void* config = calloc(1, game->config_size ? game->config_size : 1);
    if (config)
        game->configure(&params, &spec, config);
    params.asked[sizeof params.asked - 1] = '\0';
    snprintf(out, size, "%s", params.asked);
    free(config);
}

int agon_rules_roles(const agon_rules* rules) {
    int roles = 1;
    for (int seat = 0; seat < rules->spec.seats; seat++)
        if (rules->spec.role[seat] >= roles)
            roles = rules->spec.role[seat] + 1;
    return roles;
}

uint64_t agon_rules_role_seats(const agon_rules* rules, int role) {
    uint64_t seats = 0;
    for (int seat = 0; seat < rules->spec.seats; seat++)
        seats |= (uint64_t)(rules->spec.role[seat] == role) << seat;
    return seats;
}

const char* agon_rules_role_name(const agon_rules* rules, int role, char* out, size_t size) {
    const char* name = rules->spec.role_names[role];
    if (name)
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "%d", role);
    return out;
}

int agon_rules_need_minimax(const agon_rules* rules, const char* who, agon_error* error) {
    const agon_spec* s = &rules->spec;
    const char* missing = s->seats != 2                    ? "exactly two seats"
                          : s->simultaneous                ? "one seat acting at a time"
                          : s->information != AGON_PERFECT ? "perfect information"
                          : s->chance_outcomes > 0         ? "no chance"
                          : s->utility == AGON_GENERAL_SUM ? "zero- or constant-sum returns"
                                                           : NULL;
    if (!missing)
        return 0;
    return agon_fail(error, AGON_EUNSUPPORTED, "%s needs a game with %s; %s is not one", who,
                     missing, rules->name);
}
