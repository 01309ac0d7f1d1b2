/* worker_hello.c: see worker_hello.h. */
#include "net/worker_hello.h"

#include "engine/files.h"
#include "games/rules.h"
#include "net/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_MOST ((size_t)1 << 30) /* bytes of a program's file */

/* Kubernetes and Slurm give a process less than the machine has. */
static uint64_t memory_here(void) {
    const uint64_t all = uv_get_total_memory(), allowed = uv_get_constrained_memory();
    return allowed && allowed < all ? allowed : all;
}

static int offer_game(const char* word, const char* file, agon__game_offer* out,
                      agon_error* error) {
    agon_rules* rules = NULL;
    snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(word, "("), word);
    const int rc = agon_rules_open(out->name, &rules, error);
    if (rc)
        return rc;
    out->fingerprint = agon_rules_fingerprint(rules);
    snprintf(out->file, sizeof out->file, "%s", file);
    agon_rules_close(rules);
    return AGON_OK;
}

/* The first word of a command, looked for as a shell does. */
static int find_program(const char* command, char* out, size_t size, agon_error* error) {
    const int length = (int)strcspn(command, " ");
    const char* path = getenv("PATH");
    snprintf(out, size, "%.*s", length, command);
    if (strchr(out, '/') || !path)
        return AGON_OK;
    for (const char* part = path; *part; part += strcspn(part, ":"), part += *part == ':') {
        snprintf(out, size, "%.*s/%.*s", (int)strcspn(part, ":"), part, length, command);
        if (access(out, X_OK) == 0)
            return AGON_OK;
    }
    return agon_fail(error, AGON_EMISSING, "program %.*s is not in PATH", length, command);
}

static int offer_agent(const char* name, const char* command, agon__agent_offer* out,
                       agon_error* error) {
    char path[AGON_PATH_SIZE];
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = find_program(command, path, sizeof path, error);
    if (!rc && access(path, X_OK) != 0)
        rc = agon_file_fail(error, errno, "program", path);
    if (!rc)
        rc = agon_file_read(path, PROGRAM_MOST, &data, &size, error);
    if (rc)
        return rc;
    snprintf(out->name, sizeof out->name, "%s", name);
    agon_sha256(data, size, out->file);
    free(data);
    return AGON_OK;
}

int agon__worker_hello(const agon_worker_def* def, int slots, agon__hello* out, agon_error* error) {
    char host[256] = "";
    int rc = AGON_OK;
    gethostname(host, sizeof host - 1);
    memset(out, 0, sizeof *out);
    out->protocol = AGON__PROTOCOL;
    out->task_format = AGON_TASK_FORMAT;
    snprintf(out->build, sizeof out->build, "%s", def->build[0] ? def->build : "-");
    snprintf(out->class, sizeof out->class, "%s", "cpu");
    snprintf(out->name, sizeof out->name, "%.63s", def->name[0] ? def->name : host[0] ? host : "-");
    snprintf(out->token, sizeof out->token, "-");
    out->pid = (int)getpid();
    out->slots = slots;
    out->memory = memory_here();
    out->games = def->games;
    out->agents = def->agents;
    for (int i = 0; i < def->games && !rc; i++)
        rc = offer_game(def->game[i], def->game_file[i], &out->game[i], error);
    for (int i = 0; i < def->agents && !rc; i++)
        rc = offer_agent(def->agent[i], def->agent_command[i], &out->agent[i], error);
    return rc ? rc : agon__random_hex(out->id, error);
}
