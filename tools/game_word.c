#include "tools/game_word.h"

#include "engine/files.h"
#include "games/plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Other things than plug-ins that people name where a game is expected. */
static int refuse_other(const char* word, agon_error* error) {
    struct stat facts;
    char database[AGON_PATH_SIZE];
    if (!agon_plugin_is_path(word) || stat(word, &facts) != 0 || !S_ISDIR(facts.st_mode))
        return AGON_OK;
    agon_fail(error, AGON_EUSAGE, "'%s' is a directory, expected a game", word);
    if (snprintf(database, sizeof database, "%s/run.db", word) < (int)sizeof database &&
        stat(database, &facts) == 0)
        return agon_hint(error, "a run goes on with: agon train --resume %.150s", word);
    return agon_hint(error, "'agon games' lists the games");
}

int agon_game_word(const char* word, char* game, size_t size, agon_error* error) {
    int rc = refuse_other(word, error);
    if (!rc && agon_plugin_is_path(word))
        rc = agon_plugin_try(word, agon_plugin_play, error);
    return rc ? rc : agon_plugin_resolve(word, game, size, error);
}

int agon_game_open(const char* word, agon_rules** out, agon_error* error) {
    char game[128];
    const int rc = agon_game_word(word, game, sizeof game, error);
    return rc ? rc : agon_rules_open(game, out, error);
}

int agon_game_settle_plugin(agon_config* config, const char* origin, agon_error* error) {
    const char* path = config->machine.plugin;
    if (!path[0] || path[0] == '/')
        return AGON_OK;
    char* absolute = realpath(path, NULL);
    if (!absolute)
        return agon_file_fail(error, errno, "plug-in", path);
    const int rc = agon_config_set(config, "machine.plugin", absolute, origin, error);
    free(absolute);
    return rc;
}

int agon_game_configure(agon_config* config, const char* word, const char* origin,
                        agon_error* error) {
    char game[sizeof config->game.name], path[AGON_PATH_SIZE];
    int rc = refuse_other(word, error);
    if (!rc)
        rc = agon_plugin_resolve(word, game, sizeof game, error);
    if (!rc)
        rc = agon_config_set(config, "game.name", game, origin, error);
    if (rc || !agon_plugin_is_path(word))
        return rc;
    snprintf(path, sizeof path, "%.*s", (int)strcspn(word, "("), word);
    rc = agon_config_set(config, "machine.plugin", path, origin, error);
    return rc ? rc : agon_game_settle_plugin(config, origin, error);
}
