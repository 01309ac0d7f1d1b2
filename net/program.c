/* program.c: which programs there are, and how one becomes a policy; see program_talk.h. */
#include "net/program.h"

#include "engine/files.h"
#include "net/program_talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_MOST ((size_t)1 << 30) /* bytes of a program's file */
#define PLAIN        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

typedef struct offered {
    char name[56];
    char command[512];
    char hash[AGON_HASH_SIZE];
} offered;

static offered programs[AGON_MOST_PROGRAMS];
static int program_count;
static bool only_offered;

/* The first word of a command, looked for as a shell does. */
static int find_file(const char* command, char* out, size_t size, agon_error* error) {
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

static int hash_file(const char* command, char hash[AGON_HASH_SIZE], agon_error* error) {
    char path[AGON_PATH_SIZE];
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = find_file(command, path, sizeof path, error);
    if (!rc && access(path, X_OK) != 0)
        rc = agon_file_fail(error, errno, "program", path);
    if (!rc)
        rc = agon_file_read(path, PROGRAM_MOST, &data, &size, error);
    if (!rc)
        agon_sha256(data, size, hash);
    free(data);
    return rc;
}

int agon_program_offer(const char* name, const char* command, agon_error* error) {
    offered* p = &programs[program_count];
    if (program_count == AGON_MOST_PROGRAMS)
        return agon_fail(error, AGON_ELIMIT, "more than %d programs", AGON_MOST_PROGRAMS);
    if (!name[0] || strlen(name) >= sizeof p->name || name[strspn(name, PLAIN)])
        return agon_fail(error, AGON_EINVALID,
                         "'%.60s' is no name for a program: expected 1 to %zu letters, digits, "
                         "'.', '_' and '-'",
                         name, sizeof p->name - 1);
    if (strlen(command) >= sizeof p->command)
        return agon_fail(error, AGON_ELIMIT, "the command of program %s is longer than %zu", name,
                         sizeof p->command - 1);
    for (int i = 0; i < program_count; i++)
        if (strcmp(programs[i].name, name) == 0)
            return agon_fail(error, AGON_EINVALID, "program %s is offered twice", name);
    const int rc = hash_file(command, p->hash, error);
    if (rc)
        return rc;
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->command, sizeof p->command, "%s", command);
    program_count++;
    return AGON_OK;
}

bool agon_program_at(int index, const char** name, const char** hash) {
    if (index < 0 || index >= program_count)
        return false;
    *name = programs[index].name;
    *hash = programs[index].hash;
    return true;
}

/* ---- as a policy -------------------------------------------------------------------------- */

static int look_up(const char* name, offered* out, agon_error* error) {
    for (int i = 0; i < program_count; i++)
        if (strcmp(programs[i].name, name) == 0) {
            *out = programs[i];
            return AGON_OK;
        }
    if (only_offered) {
        agon_fail(error, AGON_EUNSUPPORTED, "no program is offered as '%.60s' here", name);
        return agon_hint(error, "agon worker --agent %.40s=COMMAND", name);
    }
    if (!strchr(name, '/')) {
        agon_fail(error, AGON_EMISSING, "no program is called '%.60s' here", name);
        return agon_hint(error,
                         "give its command: --agent %.40s=./program; or its path: "
                         "cmd:./program",
                         name);
    }
    if (strlen(name) >= sizeof out->name)
        return agon_fail(error, AGON_ELIMIT,
                         "'%.60s' is too long; give the program a name: --agent", name);
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->command, sizeof out->command, "%s", name);
    return hash_file(name, out->hash, error);
}

static int failed(const agon_policy* policy, agon_error* error) {
    return agon__talk_failed(policy->self, error);
}

static void act(const agon_policy* policy, const agon_batch* batch) {
    agon__talk_act(policy->self, batch);
}

static void close_program(agon_policy* policy) {
    agon__talk_close(policy->self);
}

/* The program starts with the first question: a policy is also opened only to look at its name. */
static int open_program(const char* text, const agon_rules* rules, agon_policy* out,
                        agon_error* error) {
    char name[sizeof out->name];
    offered program = {0};
    const char* at = strchr(text, '@');
    const char* begin = text + strlen(AGON_OUTSIDE);
    snprintf(name, sizeof name, "%.*s", at ? (int)(at - begin) : (int)strlen(begin), begin);
    const int rc = look_up(name, &program, error);
    if (rc)
        return rc;
    if (at && strcmp(at + 1, program.hash) != 0)
        return agon_fail(error, AGON_EUNSUPPORTED,
                         "program %s here is %.12s, and %.12s is asked for", program.name,
                         program.hash, at + 1);
    agon_policy policy = {.act = act, .failed = failed, .close = close_program};
    policy.self = agon__talk_open(program.name, program.command, rules);
    if (!policy.self)
        return agon_fail(error, AGON_EMEMORY, "no memory for program %s", program.name);
    snprintf(policy.name, sizeof policy.name, AGON_OUTSIDE "%s@%s", program.name, program.hash);
    *out = policy;
    return AGON_OK;
}

void agon_programs_allow(void) {
    agon_policy_set_outside(open_program);
}

void agon_programs_only_offered(void) {
    only_offered = true;
}
