/* SPDX-License-Identifier: 0BSD
 *
 * plugin_try.c: the first steps with a plug-in's code, in a process that may die. The child writes
 * one byte for each step that it begins, then a report. */
#include "plugin.h"

#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOADING = 1, OPENING, LOOKING, DONE };

static const char* const step_name[] = {"before it was loaded", "while it was loaded",
                                        "in its configure function", "while it was played",
                                        "after it was tried"};

typedef struct report {
    uint8_t step; /* the last one that began */
    size_t used;  /* bytes of `error` that came */
    agon_error error;
} report;

/* ---- the child ---------------------------------------------------------------------------- */

/* A pipe holds all that is written here, and a parent that is gone is nobody to tell. */
static void say(int pipe, const void* data, size_t size) {
    if (write(pipe, data, size) < 0)
        _exit(1);
}

static void begin(int pipe, uint8_t step) {
    say(pipe, &step, 1);
}

static int try_all(int pipe, const char* text, agon_plugin_look* look, agon_error* error) {
    char path[4096], canonical[256];
    const char* parameters;
    const agon_game* game;
    agon__game_string string;
    agon_rules* rules;
    int code = agon__plugin_split(text, path, sizeof path, &parameters, error);
    if (code)
        return code;
    begin(pipe, LOADING);
    code = agon_plugin_load(path, &game, error);
    if (code)
        return code;
    begin(pipe, OPENING);
    snprintf(canonical, sizeof canonical, "%s%.190s", game->name, parameters);
    code = agon__game_string_parse(canonical, &string, error);
    code = code ? code : agon__rules_open_game(game, &string, &rules, error);
    if (code || !look)
        return code;
    begin(pipe, LOOKING);
    return look(rules, error);
}

/* A game's own mistakes are told with its name; which file that was, we know. */
static void name_file(const char* text, agon_error* error) {
    char said[sizeof error->text], hint[sizeof error->hint];
    if (strncmp(error->text, "plug-in ", 8) == 0)
        return;
    memcpy(said, error->text, sizeof said);
    memcpy(hint, error->hint, sizeof hint);
    agon_fail(error, error->code, "plug-in %.*s: %s", (int)strcspn(text, "("), text, said);
    memcpy(error->hint, hint, sizeof hint);
}

static void child(int pipe, const char* text, agon_plugin_look* look) {
    agon_error error = {0};
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core); /* a crash is a message, not a file */
    const int code = try_all(pipe, text, look, &error);
    error.code = code;
    error.text[sizeof error.text - 1] = error.hint[sizeof error.hint - 1] = '\0';
    if (code)
        name_file(text, &error);
    begin(pipe, DONE);
    say(pipe, &error, sizeof error);
    _exit(0); /* nothing that the parent has in its buffers is written a second time */
}

int agon_plugin_play(const agon_rules* rules, agon_error* error) {
    (void)error; /* what goes wrong in play ends the process */
    agon_rules_fingerprint(rules);
    return 0;
}

/* ---- the parent --------------------------------------------------------------------------- */

static void take(report* r, const uint8_t* data, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (r->step != DONE)
            r->step = data[i] < DONE ? data[i] : DONE;
        else if (r->used < sizeof r->error)
            ((uint8_t*)&r->error)[r->used++] = data[i];
    }
}

static int milliseconds_left(const struct timespec* end) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long left = (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? (int)left : 0;
}

/* Reads to the end of the pipe; false: the time is over. */
static bool listen_to(int pipe, report* r) {
    struct timespec end;
    uint8_t data[1024];
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += AGON_PLUGIN_PATIENCE;
    for (;;) {
        struct pollfd wait = {.fd = pipe, .events = POLLIN};
        const int left = milliseconds_left(&end);
        const int ready = poll(&wait, 1, left);
        if (ready < 0 && errno != EINTR)
            return true;
        if (ready == 0 && left == 0)
            return false;
        if (ready <= 0)
            continue;
        const ssize_t got = read(pipe, data, sizeof data);
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        if (got > 0)
            take(r, data, (size_t)got);
    }
}

static int finish(const char* text, const report* r, int status, bool late, agon_error* error) {
    char path[201];
    const char* when = step_name[r->step];
    snprintf(path, sizeof path, "%.*s", (int)strcspn(text, "("), text);
    if (r->used == sizeof r->error) {
        if (r->error.code && error)
            *error = r->error;
        return r->error.code;
    }
    if (late)
        agon_fail(error, AGON_EINVALID, "plug-in %s was stopped after %d s %s", path,
                  AGON_PLUGIN_PATIENCE, when);
    else if (WIFSIGNALED(status))
        agon_fail(error, AGON_EINVALID, "plug-in %s crashed %s: signal %d, %s", path, when,
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        agon_fail(error, AGON_EINVALID, "plug-in %s ended the process %s, with exit code %d", path,
                  when, WEXITSTATUS(status));
    if (r->step == LOADING)
        return agon_hint(error,
                         "code ran that should not: a constructor, or a sanitizer's library");
    return agon_hint(error, "agon build-game FILE.c --debug makes a program that shows where");
}

int agon_plugin_try(const char* text, agon_plugin_look* look, agon_error* error) {
    int ends[2], status = 0;
    report r = {0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return agon_fail(error, AGON_EIO, "plug-in %.200s: no pipe: %s", text, strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(ends[1], text, look);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return agon_fail(error, AGON_EIO, "plug-in %.200s: no process to try it in: %s", text,
                         strerror(errno));
    }
    const bool late = !listen_to(ends[0], &r);
    close(ends[0]);
    /* Whoever closed the pipe may still be running. */
    if (late || r.used < sizeof r.error)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return finish(text, &r, status, late, error);
}
