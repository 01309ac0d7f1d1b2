#include "tools/place.h"

#include "agon_build.h" /* made by tools/version.cmake */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder that this binary lies in, with its '/'; "./" when it cannot be told. */
static void own_folder(char* out, size_t size) {
    const ssize_t length = readlink("/proc/self/exe", out, size - 1);
    out[length > 0 ? length : 0] = '\0';
    char* slash = strrchr(out, '/');
    if (slash)
        slash[1] = '\0';
    else
        snprintf(out, size, "./");
}

/* The first of two places, relative ones from our own folder, that holds `file`. */
static int find(const char* first, const char* second, const char* file, char* out, size_t size,
                agon_error* error) {
    char own[4096], path[8192];
    const char* const place[] = {first, second};
    own_folder(own, sizeof own);
    for (int i = 0; i < 2; i++) {
        const char* base = place[i][0] == '/' ? "" : own;
        if (snprintf(out, size, "%s%s", base, place[i]) < (int)size &&
            snprintf(path, sizeof path, "%s%s", out, file) < (int)sizeof path &&
            access(path, R_OK) == 0)
            return AGON_OK;
    }
    agon_fail(error, AGON_EMISSING, "found neither %.100s%.100s%s nor %.200s%s", own, first, file,
              second, file);
    return agon_hint(error, "install agon with: cmake --install BUILD --prefix DIR");
}

int agon_place_include(char* out, size_t size, agon_error* error) {
    return find(AGON_INCLUDE, AGON_SOURCE "/games", "/agon_game.h", out, size, error);
}

int agon_place_library(char* out, size_t size, agon_error* error) {
    return find(AGON_LIBRARY, "../libagon_games.a", "", out, size, error);
}
