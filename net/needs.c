#include "net/needs.h"

#include "games/plugin.h"

#include <string.h>

typedef struct reader {
    agon__needs* needs;
    bool too_many;
} reader;

static void read_ref(void* user, const char* ref) {
    reader* r = user;
    if (strncmp(ref, "cmd:", 4) != 0)
        return;
    if (r->needs->programs == AGON__PROGRAMS) {
        r->too_many = true;
        return;
    }
    agon__agent_offer* p = &r->needs->program[r->needs->programs++];
    const char* at = strchr(ref, '@');
    const size_t length = at ? (size_t)(at - ref) - 4 : strlen(ref + 4);
    snprintf(p->name, sizeof p->name, "%.*s", (int)length, ref + 4);
    snprintf(p->file, sizeof p->file, "%s", at ? at + 1 : "");
}

/* "my_game" of "my_game(stones=5)", when it came from a file. */
static void read_plugin(const char* game, agon__needs* out) {
    char name[sizeof out->plugin];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(game, "("), game);
    if (agon_plugin_find(name))
        memcpy(out->plugin, name, sizeof name);
}

int agon__needs_read(const uint8_t* data, size_t size, agon_task* task, agon__needs* out,
                     agon_error* error) {
    reader r = {out, false};
    memset(out, 0, sizeof *out);
    const int rc = agon_task_decode(data, size, task, error);
    if (rc)
        return rc;
    out->kind = (int)task->kind;
    snprintf(out->game, sizeof out->game, "%s", task->game);
    read_plugin(task->game, out);
    agon_task_each_ref(task, read_ref, &r);
    if (r.too_many)
        return agon_fail(error, AGON_ELIMIT, "task %s names more than %d programs", task->key,
                         AGON__PROGRAMS);
    return AGON_OK;
}
