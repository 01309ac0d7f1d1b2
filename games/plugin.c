/* SPDX-License-Identifier: 0BSD
 *
 * plugin.c: loading shared objects, and the list of those that are loaded. */
#include "plugin.h"

#include "internal.h"

#include <dlfcn.h>
#include <fenv.h>
#include <float.h>
#include <stdatomic.h>

typedef struct plugin {
    agon_game game; /* its table, of this agon's size */
    void* handle;
    struct plugin* next;
} plugin;

/* Grows at its head, so that others may walk it meanwhile. */
static _Atomic(plugin*) loaded;

/* ---- finding ------------------------------------------------------------------------------ */

const agon_game* agon_plugin_find(const char* name) {
    for (const plugin* p = atomic_load(&loaded); p; p = p->next) {
        if (strcmp(p->game.name, name) == 0)
            return &p->game;
    }
    return NULL;
}

static const plugin* find_handle(const void* handle) {
    const plugin* p = atomic_load(&loaded);
    while (p && p->handle != handle)
        p = p->next;
    return p;
}

bool agon_plugin_is_path(const char* text) {
    const size_t length = strcspn(text, "(");
    return memchr(text, '/', length) || (length >= 3 && strncmp(text + length - 3, ".so", 3) == 0);
}

/* ---- loading ------------------------------------------------------------------------------ */

static int refuse_name(const char* path, const char* name, agon_error* error) {
    for (int i = 0; i < agon_game_count(); i++) {
        if (strcmp(agon_game_at(i)->name, name) == 0) {
            agon_fail(error, AGON_EINVALID,
                      "plug-in %.200s: its game is called %s, as a built-in is", path, name);
            return agon_hint(error, "give the game another name");
        }
    }
    if (agon_plugin_find(name)) {
        agon_fail(error, AGON_EINVALID,
                  "plug-in %.200s: another file with a game called %s is loaded", path, name);
        return agon_hint(error, "give one of the two another name");
    }
    return 0;
}

static int refuse_handle(const char* path, agon_error* error) {
    const char* said = dlerror();
    agon_fail(error, AGON_EFORMAT, "plug-in %.200s cannot be loaded: %.250s", path,
              said ? said : "no reason given");
    if (said && strstr(said, "undefined symbol"))
        return agon_hint(error, "a function that it calls is neither in it nor in a library that "
                                "it was linked with");
    return agon_hint(error, "build it again: agon build-game FILE.c");
}

/* Libraries linked with -ffast-math switch the whole thread to another arithmetic when loaded. */
static bool arithmetic_is_exact(void) {
    volatile double least = DBL_MIN;
    return fegetround() == FE_TONEAREST && least / 2 > 0;
}

static int refuse_arithmetic(const char* path, agon_error* error) {
    agon_fail(error, AGON_EFORMAT,
              "plug-in %.200s changes how the processor rounds, which -ffast-math brings about",
              path);
    return agon_hint(error, "build it without: agon build-game FILE.c");
}

/* The table that a library just opened hands out, as a new entry of the list. */
static int add(const char* path, void* handle, const agon_game** out, agon_error* error) {
    const agon_game* (*get)(void) = (const agon_game* (*)(void))dlsym(handle, "agon_plugin");
    if (!get) {
        agon_fail(error, AGON_EFORMAT, "plug-in %.200s has no function agon_plugin", path);
        return agon_hint(error, "the file needs AGON_GAME_BATCH(NAME) and -DAGON_PLUGIN: agon "
                                "build-game FILE.c");
    }
    const agon_game* game = get();
    if (!game)
        return agon_fail(error, AGON_EFORMAT, "plug-in %.200s: agon_plugin() gave NULL", path);
    plugin* p = (plugin*)calloc(1, sizeof *p);
    if (!p)
        return agon_fail(error, AGON_EMEMORY, "plug-in %.200s: no memory", path);
    int code = agon__plugin_table(game, path, &p->game, error);
    code = code ? code : refuse_name(path, p->game.name, error);
    if (code) {
        free(p);
        return code;
    }
    p->handle = handle;
    p->next = atomic_load(&loaded);
    atomic_store(&loaded, p);
    *out = &p->game;
    return 0;
}

int agon_plugin_load(const char* path, const agon_game** out, agon_error* error) {
    char place[4096];
    const int code = agon__plugin_check_file(path, error);
    if (code)
        return code;
    /* Without a '/' the system's loader would search its own folders. */
    if (snprintf(place, sizeof place, "%s%s", strchr(path, '/') ? "" : "./", path) >=
        (int)sizeof place)
        return agon_fail(error, AGON_ELIMIT, "plug-in %.100s...: a path of more than %zu bytes",
                         path, sizeof place - 3);
    fenv_t arithmetic;
    fegetenv(&arithmetic);
    void* handle = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return refuse_handle(path, error);
    if (!arithmetic_is_exact()) {
        dlclose(handle);
        fesetenv(&arithmetic);
        return refuse_arithmetic(path, error);
    }
    const plugin* known = find_handle(handle);
    if (known) {
        dlclose(handle); /* the list holds it once */
        *out = &known->game;
        return 0;
    }
    const int failed = add(path, handle, out, error);
    if (failed)
        dlclose(handle);
    return failed;
}

/* ---- from what a person typed ------------------------------------------------------------- */

int agon__plugin_split(const char* text, char* path, size_t size, const char** parameters,
                       agon_error* error) {
    const size_t length = strcspn(text, "(");
    if (length >= size)
        return agon_fail(error, AGON_ELIMIT, "plug-in %.100s...: a path of more than %zu bytes",
                         text, size - 1);
    memcpy(path, text, length);
    path[length] = '\0';
    *parameters = text + length;
    return 0;
}

int agon_plugin_resolve(const char* text, char* game_string, size_t size, agon_error* error) {
    char path[4096];
    const char* parameters = text;
    const agon_game* game = NULL;
    int code = 0;
    if (agon_plugin_is_path(text)) {
        code = agon__plugin_split(text, path, sizeof path, &parameters, error);
        code = code ? code : agon_plugin_try(text, NULL, error);
        code = code ? code : agon_plugin_load(path, &game, error);
    }
    if (code)
        return code;
    if (snprintf(NULL, 0, "%s%s", game ? game->name : "", parameters) >= (int)size)
        return agon_fail(error, AGON_ELIMIT, "game '%.200s': expected at most %zu characters", text,
                         size - 1);
    snprintf(game_string, size, "%s%s", game ? game->name : "", parameters);
    return 0;
}
