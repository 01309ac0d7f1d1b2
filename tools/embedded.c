#include "tools/embedded.h"

#include <stdio.h>
#include <string.h>

const char* agon_embedded_config(const char* game) {
    char name[160];
    const int length = (int)strcspn(game, "( ");
    if (length == 0 || length > 128)
        return NULL;
    snprintf(name, sizeof name, "%.*s.ini", length, game);
    return agon_embedded(name);
}
