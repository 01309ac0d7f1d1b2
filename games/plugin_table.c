/* SPDX-License-Identifier: 0BSD
 *
 * plugin_table.c: the table of a plug-in, which may be older than this agon's, as one of ours. */
#include "internal.h"

#include "plugin.h"

#define MAX_NAME    40
#define MAX_SUMMARY 200
#define MAX_SOURCE  4095

/* What every table of this ABI has. */
#define LEAST_TABLE offsetof(agon_game, chance)
#define LEAST_SPEC  offsetof(agon_spec, team)

/* ---- sizes -------------------------------------------------------------------------------- */

/* A size that is no multiple of 8 would cut a pointer in two. */
static int check_size(const char* path, const char* what, size_t size, size_t least, size_t ours,
                      agon_error* error) {
    if (size > ours) {
        agon_fail(
            error, AGON_EUNSUPPORTED,
            "plug-in %.200s was built for a newer agon: %s is %zu bytes, expected at most %zu",
            path, what, size, ours);
        return agon_hint(error,
                         "use that agon, or build it again with this one: agon build-game FILE.c");
    }
    if (size >= least && size % sizeof(void*) == 0)
        return 0;
    agon_fail(error, AGON_EFORMAT,
              "plug-in %.200s: %s is %zu bytes, expected a multiple of %zu from %zu to %zu", path,
              what, size, sizeof(void*), least, ours);
    return agon_hint(error, "AGON_GAME_HEAD of agon_game.h fills it in");
}

/* ABI and sizes come first: they say how to read the rest. */
static int check_sizes(const agon_game* game, const char* path, agon_error* error) {
    if (game->abi != AGON_ABI) {
        agon_fail(error, AGON_EFORMAT, "plug-in %.200s has game ABI %u, expected %d", path,
                  game->abi, AGON_ABI);
        return agon_hint(error, "build it again with this agon: agon build-game FILE.c");
    }
    const int code =
        check_size(path, "struct_size", game->struct_size, LEAST_TABLE, sizeof *game, error);
    return code ? code
                : check_size(path, "spec_size", game->spec_size, LEAST_SPEC, sizeof(agon_spec),
                             error);
}

/* ---- words -------------------------------------------------------------------------------- */

static bool is_line(const char* text, size_t limit) {
    const size_t length = text ? strnlen(text, limit + 1) : 0;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    }
    return length >= 1 && length <= limit;
}

static int check_words(const agon_game* game, const char* path, agon_error* error) {
    const size_t length = game->name ? strnlen(game->name, MAX_NAME + 1) : 0;
    if (length < 1 || length > MAX_NAME ||
        strspn(game->name, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
        return agon_fail(error, AGON_EINVALID,
                         "plug-in %.200s: the game's name is %s%.*s%s, expected 1 to %d of a-z, "
                         "0-9, _",
                         path, game->name ? "'" : "NULL", (int)length, length ? game->name : "",
                         game->name ? "'" : "", MAX_NAME);
    if (!is_line(game->summary, MAX_SUMMARY))
        return agon_fail(error, AGON_EINVALID,
                         "plug-in %.200s: summary of %s, expected one line of 1 to %d bytes", path,
                         game->name, MAX_SUMMARY);
    if (!is_line(game->source, MAX_SOURCE))
        return agon_fail(error, AGON_EINVALID,
                         "plug-in %.200s: source of %s, expected a path of 1 to %d bytes", path,
                         game->name, MAX_SOURCE);
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int agon__plugin_table(const agon_game* game, const char* path, agon_game* out, agon_error* error) {
    agon_game full = {0};
    int code = check_sizes(game, path, error);
    if (code)
        return code;
    memcpy(&full, game, game->struct_size);
    full.struct_size = sizeof full;
    code = check_words(&full, path, error);
    code = code ? code : agon__rules_check_game(&full, error);
    if (!code)
        *out = full;
    return code;
}
