#include "tools/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

/* Reads to the end, so that the program never waits for us, and keeps what fits. */
static void read_all(int fd, char* out, size_t size) {
    char rest[4096];
    size_t used = 0;
    for (;;) {
        const size_t room = size - 1 - used;
        const ssize_t got = read(fd, room ? out + used : rest, room ? room : sizeof rest);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        if (room)
            used += (size_t)got;
    }
    out[used] = '\0';
}

static int start(const char* const* argv, const char* dir, int output, pid_t* child) {
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    if (dir)
        failed = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failed && output >= 0)
        failed = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (!failed && output >= 0)
        failed = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    if (!failed)
        failed = posix_spawnp(child, argv[0], &actions, NULL, (char* const*)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int agon_program_run(const char* const* argv, const char* dir, char* out, size_t size) {
    int ends[2];
    pid_t child;
    if (!out)
        return start(argv, dir, -1, &child) ? -1 : wait_for(child);
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    const int failed = start(argv, dir, ends[1], &child);
    close(ends[1]);
    if (!failed)
        read_all(ends[0], out, size);
    close(ends[0]);
    return failed ? -1 : wait_for(child);
}
