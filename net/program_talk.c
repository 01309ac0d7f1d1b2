#include "net/program_talk.h"

#include "net/program.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 1000 /* to end by itself, once its input has ended */

extern char** environ;

struct agon__talk {
    char name[64], command[600];
    const agon_rules* rules;
    pid_t pid;  /* 0: not started */
    int socket; /* -1: none */
    agon_error error;
    char* line; /* (line_size) one question */
    size_t line_size;
    char input[4096]; /* what came and was not read as a line yet */
    size_t used;
};

static void fail(agon__talk* t, const char* problem) {
    if (!t->error.code)
        agon_fail(&t->error, AGON_EIO, "program %s %s", t->name, problem);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- lines -------------------------------------------------------------------------------- */

/* Waits until there is something to read, or room to write. */
static bool wait_for(agon__talk* t, short events, int64_t deadline) {
    struct pollfd p = {.fd = t->socket, .events = events};
    for (;;) {
        const int64_t left = deadline - now_ms();
        const int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        fail(t, "is silent");
        return false;
    }
}

static bool write_line(agon__talk* t, const char* text, size_t size, int64_t deadline) {
    while (size > 0) {
        const ssize_t n = send(t->socket, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            fail(t, "has ended");
            return false;
        } else if (!wait_for(t, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

/* The next line without its end, in t->input; the caller calls drop_line when it is done. */
static const char* read_line(agon__talk* t, int64_t deadline) {
    for (;;) {
        char* end = memchr(t->input, '\n', t->used);
        if (end) {
            *end = '\0';
            return t->input;
        }
        if (t->used == sizeof t->input) {
            fail(t, "said a line that is too long");
            return NULL;
        }
        if (!wait_for(t, POLLIN, deadline))
            return NULL;
        const ssize_t n = recv(t->socket, t->input + t->used, sizeof t->input - t->used, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            fail(t, "has ended");
            return NULL;
        }
        t->used += n > 0 ? (size_t)n : 0;
    }
}

static void drop_line(agon__talk* t) {
    const size_t length = strlen(t->input) + 1;
    memmove(t->input, t->input + length, t->used - length);
    t->used -= length;
}

/* ---- starting and ending ------------------------------------------------------------------ */

static int spawn(agon__talk* t, int theirs) {
    char* const argv[] = {(char*)"/bin/sh", (char*)"-c", t->command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, theirs, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, theirs, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    const int rc = posix_spawn(&t->pid, "/bin/sh", &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (rc)
        t->pid = 0;
    return rc;
}

static bool introduce(agon__talk* t) {
    const agon_spec* s = &t->rules->spec;
    const int64_t deadline = now_ms() + AGON__PROGRAM_SECONDS * 1000;
    char text[512];
    const int n = snprintf(text, sizeof text,
                           "{\"agon\":1,\"game\":\"%s\",\"seats\":%d,\"actions\":%d,\"planes\":%d,"
                           "\"rows\":%d,\"cols\":%d,\"dtype\":\"%s\",\"scale\":%.9g}\n",
                           t->rules->name, s->seats, s->actions, s->planes, s->rows, s->cols,
                           s->obs_type == AGON_U8 ? "u8" : "f32", (double)s->obs_scale);
    const char* line = write_line(t, text, (size_t)n, deadline) ? read_line(t, deadline) : NULL;
    if (!line)
        return false;
    if (strcmp(line, "ready") != 0)
        fail(t, "did not say 'ready' to the game");
    drop_line(t);
    return !t->error.code;
}

static bool start(agon__talk* t) {
    int pair[2];
    if (t->pid)
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        fail(t, "could not be started: no sockets left");
        return false;
    }
    t->socket = pair[0];
    if (spawn(t, pair[1]) != 0)
        fail(t, "could not be started");
    close(pair[1]);
    return !t->error.code && introduce(t);
}

/* Whoever has not ended by itself is ended, with all that it started. */
static void stop(agon__talk* t) {
    int status;
    if (t->socket >= 0)
        close(t->socket);
    const int64_t deadline = now_ms() + GRACE_MS;
    while (t->pid && waitpid(t->pid, &status, WNOHANG) == 0) {
        if (now_ms() > deadline) {
            kill(-t->pid, SIGKILL);
            waitpid(t->pid, &status, 0);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    t->pid = 0;
    t->socket = -1;
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool is_legal(const agon_batch* b, int slot, long action) {
    const uint64_t* mask = b->mask + (size_t)slot * (size_t)b->rules->mask_words;
    return action >= 0 && action < b->rules->spec.actions && mask[action / 64] >> (action % 64) & 1;
}

static bool ask(agon__talk* t, const agon_batch* b, int slot, int64_t deadline) {
    const uint8_t* obs = (const uint8_t*)b->obs + (size_t)slot * b->rules->obs_bytes;
    size_t used = (size_t)snprintf(t->line, t->line_size,
                                   "{\"episode\":%u,\"ply\":%u,\"seat\":%d,\"legal\":[",
                                   b->episode[slot], b->ply[slot], b->seat[slot]);
    for (int a = 0, first = 1; a < b->rules->spec.actions; a++)
        if (is_legal(b, slot, a)) {
            used += (size_t)snprintf(t->line + used, t->line_size - used, first ? "%d" : ",%d", a);
            first = 0;
        }
    used += (size_t)snprintf(t->line + used, t->line_size - used, "],\"observation\":\"");
    used += (size_t)EVP_EncodeBlock((unsigned char*)t->line + used, obs, (int)b->rules->obs_bytes);
    used += (size_t)snprintf(t->line + used, t->line_size - used, "\"}\n");
    return write_line(t, t->line, used, deadline);
}

static bool hear(agon__talk* t, const agon_batch* b, int slot, int64_t deadline) {
    char problem[96];
    const char* line = read_line(t, deadline);
    if (!line)
        return false;
    char* end;
    const long action = strtol(line, &end, 10);
    if (end == line || *end || !is_legal(b, slot, action)) {
        snprintf(problem, sizeof problem, "answered '%.20s' where that is not legal", line);
        for (char* c = problem; *c; c++)
            *c = *c < ' ' || *c > '~' ? '?' : *c;
        fail(t, problem);
        return false;
    }
    b->action[slot] = (uint16_t)action;
    drop_line(t);
    return true;
}

static void play_anything(const agon_batch* b) {
    for (int i = 0; i < b->count; i++) {
        long a = 0;
        while (!is_legal(b, i, a))
            a++;
        b->action[i] = (uint16_t)a;
    }
}

void agon__talk_act(agon__talk* t, const agon_batch* b) {
    const size_t entries = (size_t)b->count * (size_t)b->rules->spec.actions;
    if (b->probability) {
        for (size_t i = 0; i < entries; i++)
            b->probability[i] = NAN;
        fail(t, "says what it plays, and not with what probability");
    }
    if (!b->action)
        return;
    bool well = !t->error.code && start(t);
    for (int from = 0; well && from < b->count; from += AGON__PROGRAM_AHEAD) {
        const int64_t deadline = now_ms() + AGON__PROGRAM_SECONDS * 1000;
        const int to =
            b->count - from < AGON__PROGRAM_AHEAD ? b->count : from + AGON__PROGRAM_AHEAD;
        for (int i = from; well && i < to; i++)
            well = ask(t, b, i, deadline);
        for (int i = from; well && i < to; i++)
            well = hear(t, b, i, deadline);
    }
    if (!well)
        play_anything(b);
}

int agon__talk_failed(const agon__talk* t, agon_error* error) {
    if (t->error.code && error)
        *error = t->error;
    return t->error.code;
}

agon__talk* agon__talk_open(const char* name, const char* command, const agon_rules* rules) {
    agon__talk* t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->rules = rules;
    t->socket = -1;
    t->line_size = 256 + (size_t)rules->spec.actions * 6 + (rules->obs_bytes + 2) / 3 * 4 + 4;
    t->line = malloc(t->line_size);
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->command, sizeof t->command, "exec %s", command);
    if (t->line)
        return t;
    free(t);
    return NULL;
}

void agon__talk_close(agon__talk* t) {
    stop(t);
    free(t->line);
    free(t);
}
