#include "engine/training_game.h"

#include "engine/files.h"
#include "games/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLUGIN ((size_t)1 << 30) /* bytes of a file */

/* ---- opening ------------------------------------------------------------------------------ */

static int hash_plugin(agon_training* t, agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = agon_file_read(t->config.machine.plugin, MAX_PLUGIN, &data, &size, error);
    if (!rc)
        agon_sha256(data, size, t->plugin_hash);
    free(data);
    return rc;
}

/* Before a population trains on a plug-in, which `text` names with its parameters. */
static int check_plugin(const char* text, agon_error* error) {
    return agon_plugin_try(text, agon_plugin_play, error);
}

/* Is it the game that the configuration names? */
static int check_name(const agon_training* t, const agon_game* game, agon_error* error) {
    const char* name = t->config.game.name;
    const size_t length = strlen(game->name);
    if (strcspn(name, "( ") == length && strncmp(name, game->name, length) == 0)
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID, "plug-in %s holds the game %s, expected %s",
                     t->config.machine.plugin, game->name, name);
}

static int open_plugin(agon_training* t, agon_error* error) {
    char text[sizeof t->config.machine.plugin + sizeof t->config.game.name];
    const char *path = t->config.machine.plugin, *name = t->config.game.name;
    const agon_game* game = NULL;
    snprintf(text, sizeof text, "%s%s", path, name + strcspn(name, "("));
    int rc = agon_plugin_try(text, NULL, error);
    if (!rc)
        rc = agon_plugin_load(path, &game, error);
    if (!rc)
        rc = check_name(t, game, error);
    if (!rc)
        rc = check_plugin(text, error);
    return rc ? rc : hash_plugin(t, error);
}

int agon__training_open_game(agon_training* t, agon_error* error) {
    const int rc = t->config.machine.plugin[0] ? open_plugin(t, error) : AGON_OK;
    return rc ? rc : agon_rules_open(t->config.game.name, &t->rules, error);
}

/* ---- the same as before? ------------------------------------------------------------------ */

int agon__training_keep_game(agon_training* t, agon_error* error) {
    if (!t->plugin_hash[0])
        return AGON_OK;
    return agon_store_set_meta(t->store, "plugin", t->plugin_hash, error);
}

static int refuse_rules(const agon_training* t, const char* then, const char* now,
                        agon_error* error) {
    const char* plugin = t->config.machine.plugin;
    agon_fail(error, AGON_EUNSUPPORTED,
              "%s was made with other rules of %s: fingerprint %s, now %s%s%s",
              agon_store_dir(t->store), t->rules->name, then ? then : "none", now,
              plugin[0] ? " by plug-in " : "", plugin);
    if (!plugin[0])
        return agon_hint(error, "use the agon version in its meta table, or start a new run");
    const char* hash = agon_store_meta(t->store, "plugin");
    return agon_hint(error,
                     "give the file it was made with (SHA-256 %.12s...) as machine.plugin=PATH, "
                     "or start a new run",
                     hash ? hash : "unknown");
}

int agon__training_check_game(agon_training* t, agon_error* error) {
    char now[32];
    const char* then = agon_store_meta(t->store, "fingerprint");
    const char* hash = agon_store_meta(t->store, "plugin");
    snprintf(now, sizeof now, "%016llx", (unsigned long long)t->population.fingerprint);
    if (!then || strcmp(then, now) != 0)
        return refuse_rules(t, then, now, error);
    if (hash && strcmp(hash, t->plugin_hash) != 0)
        snprintf(t->notice, sizeof t->notice,
                 "plug-in %s is another file than the run began with (SHA-256 %.12s..., was "
                 "%.12s...), with the same rules (fingerprint %s)",
                 t->config.machine.plugin, t->plugin_hash, hash, now);
    return AGON_OK;
}

int agon__training_move_plugin(agon_training* t, const agon_config* stored, agon_error* error) {
    agon_config moved = *stored;
    memcpy(moved.machine.plugin, t->config.machine.plugin, sizeof moved.machine.plugin);
    char* text = agon_config_write(&moved, true, false);
    if (!text)
        return agon_fail(error, AGON_EMEMORY, "no memory for the text of %s/config.ini",
                         agon_store_dir(t->store));
    const int rc = agon_store_write_file(t->store, "config.ini", text, strlen(text), error);
    free(text);
    return rc;
}
