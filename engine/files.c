/* files.c: see files.h. */
#include "engine/files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int agon_file_fail(agon_error* error, int number, const char* what, const char* path) {
    int code = number == ENOENT ? AGON_EMISSING : number == ENOMEM ? AGON_EMEMORY : AGON_EIO;
    if (number == ENOSPC || number == EDQUOT) {
        agon_fail(error, AGON_ENOSPACE, "%s %s: the disk is full: %.1f MiB are free", what, path,
                  (double)agon_free_space(path) / 1048576.0);
        return agon_hint(error, "make room and run the same command again: nothing was lost");
    }
    return agon_fail(error, code, "%s %s: %s", what, path, strerror(number));
}

/* The directory part of a path: "." when it has none. out: (AGON_PATH_SIZE). */
static void parent_of(const char* path, char* out) {
    const char* slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    assert(length < AGON_PATH_SIZE);
    if (!slash)
        out[length++] = '.';
    else if (length == 0)
        out[length++] = '/';
    else
        memcpy(out, path, length);
    out[length] = '\0';
}

uint64_t agon_free_space(const char* path) {
    char at[AGON_PATH_SIZE], up[AGON_PATH_SIZE];
    struct statvfs facts;
    if (snprintf(at, sizeof at, "%s", path) >= (int)sizeof at)
        return 0;
    while (statvfs(at, &facts) != 0) {
        if (errno != ENOENT || strcmp(at, ".") == 0 || strcmp(at, "/") == 0)
            return 0;
        parent_of(at, up);
        memcpy(at, up, sizeof at);
    }
    return (uint64_t)facts.f_bavail * facts.f_frsize;
}

/* ---- directories ------------------------------------------------------------------------- */

/* One mkdir; a directory that is there already is what was wanted. */
static int make_one(const char* path, agon_error* error) {
    struct stat facts;
    int reason;
    if (mkdir(path, 0777) == 0)
        return AGON_OK;
    reason = errno;
    if (stat(path, &facts) == 0) {
        if (S_ISDIR(facts.st_mode))
            return AGON_OK;
        return agon_fail(error, AGON_EIO, "cannot make directory %s: there is a file of that name",
                         path);
    }
    return agon_file_fail(error, reason, "cannot make directory", path);
}

int agon_dir_make(const char* path, agon_error* error) {
    char part[AGON_PATH_SIZE];
    size_t length = strlen(path);
    int status;
    if (length == 0)
        return agon_fail(error, AGON_EINVALID, "the name of a directory is empty");
    if (length >= sizeof part)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... has %zu bytes, at most %d are allowed",
                         path, length, AGON_PATH_SIZE - 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        status = make_one(part, error);
        if (status != AGON_OK)
            return status;
    }
    return AGON_OK;
}

int agon_dir_sync(const char* path, agon_error* error) {
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = AGON_OK;
    if (file < 0)
        return agon_file_fail(error, errno, "cannot open directory", path);
    /* EINVAL: a file system that has no such operation, and so keeps names in order itself. */
    if (fsync(file) != 0 && errno != EINVAL)
        status = agon_file_fail(error, errno, "cannot sync directory", path);
    close(file);
    return status;
}

static int ends_with(const char* name, const char* ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

int agon_dir_clean(const char* path, agon_error* error) {
    DIR* dir = opendir(path);
    const struct dirent* entry;
    int removed = 0;
    if (!dir)
        return agon_file_fail(error, errno, "cannot list directory", path);
    while ((entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, AGON_TEMPORARY) && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
            removed++;
    }
    closedir(dir);
    return removed;
}

/* ---- files ------------------------------------------------------------------------------- */

/* All bytes, however many calls it takes; returns 0 or an errno value. */
static int write_all(int file, const void* data, size_t size) {
    const char* at = data;
    while (size > 0) {
        ssize_t wrote = write(file, at, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? errno : ENOSPC;
        at += wrote;
        size -= (size_t)wrote;
    }
    return 0;
}

/* A new file of these bytes, on the disk itself when `sync`; returns 0 or an errno value. */
static int write_new(const char* path, const void* data, size_t size, bool sync) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int reason;
    if (file < 0)
        return errno;
    reason = write_all(file, data, size);
    if (reason == 0 && sync && fsync(file) != 0)
        reason = errno;
    /* Network file systems report a full disk as late as here. */
    if (close(file) != 0 && reason == 0)
        reason = errno;
    return reason;
}

static int swap_in(const char* path, const void* data, size_t size, bool sync, agon_error* error) {
    char temporary[AGON_PATH_SIZE];
    int length, reason;
    /* Process and thread make the name unique among all that may write at this moment. */
    length = snprintf(temporary, sizeof temporary, "%s.%ld-%lx" AGON_TEMPORARY, path,
                      (long)getpid(), (unsigned long)pthread_self());
    if (length >= (int)sizeof temporary)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long: at most %d bytes", path,
                         AGON_PATH_SIZE - 64);
    reason = write_new(temporary, data, size, sync);
    if (reason == 0 && rename(temporary, path) != 0)
        reason = errno;
    if (reason == 0)
        return AGON_OK;
    unlink(temporary);
    return agon_file_fail(error, reason, "cannot write", path);
}

int agon_file_place(const char* path, const void* data, size_t size, agon_error* error) {
    return swap_in(path, data, size, true, error);
}

int agon_file_swap(const char* path, const void* data, size_t size, agon_error* error) {
    return swap_in(path, data, size, false, error);
}

int agon_file_write(const char* path, const void* data, size_t size, agon_error* error) {
    char parent[AGON_PATH_SIZE];
    int status = agon_file_place(path, data, size, error);
    if (status != AGON_OK)
        return status;
    parent_of(path, parent);
    return agon_dir_sync(parent, error);
}

/* Reads until `size` bytes or the end; returns the number read, or -1 with errno. */
static ssize_t read_all(int file, uint8_t* data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(file, data + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* The size of an open regular file within the limit. */
static int checked_size(int file, const char* path, size_t limit, size_t* size, agon_error* error) {
    struct stat facts;
    if (fstat(file, &facts) != 0)
        return agon_file_fail(error, errno, "cannot read", path);
    if (!S_ISREG(facts.st_mode))
        return agon_fail(error, AGON_EIO, "cannot read %s: it is not a regular file", path);
    if ((uint64_t)facts.st_size > limit)
        return agon_fail(error, AGON_ELIMIT, "%s has %lld bytes, at most %zu are read", path,
                         (long long)facts.st_size, limit);
    *size = (size_t)facts.st_size;
    return AGON_OK;
}

/* The file's bytes, as many as it has now. */
static int read_open(int file, const char* path, size_t limit, uint8_t** data, size_t* size,
                     agon_error* error) {
    size_t room = 0;
    uint8_t* bytes;
    ssize_t got;
    int status = checked_size(file, path, limit, &room, error);
    if (status != AGON_OK)
        return status;
    bytes = malloc(room + 1);
    if (!bytes)
        return agon_fail(error, AGON_EMEMORY, "no memory for the %zu bytes of %s", room, path);
    got = read_all(file, bytes, room);
    if (got < 0) {
        int reason = errno;
        free(bytes);
        return agon_file_fail(error, reason, "cannot read", path);
    }
    bytes[got] = '\0';
    *data = bytes;
    *size = (size_t)got;
    return AGON_OK;
}

int agon_file_read(const char* path, size_t limit, uint8_t** data, size_t* size,
                   agon_error* error) {
    /* O_NONBLOCK: a FIFO put in a file's place must give a message, not a wait without end. */
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int status;
    if (file < 0)
        return agon_file_fail(error, errno, "cannot read", path);
    status = read_open(file, path, limit, data, size, error);
    close(file);
    return status;
}

/* The line, with the newline that a torn last line lacks before it. Owned by the caller. */
static char* line_bytes(int file, off_t end, const char* line, size_t* size) {
    char last = '\n';
    size_t length = strlen(line);
    char* bytes = malloc(length + 2);
    if (!bytes)
        return NULL;
    if (end > 0 && pread(file, &last, 1, end - 1) != 1)
        last = '\n';
    *size = 0;
    if (last != '\n')
        bytes[(*size)++] = '\n';
    memcpy(bytes + *size, line, length);
    *size += length;
    bytes[(*size)++] = '\n';
    return bytes;
}

int agon_file_append(const char* path, const char* line, agon_error* error) {
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int reason = 0;
    size_t size = 0;
    off_t end;
    char* bytes;
    if (file < 0)
        return agon_file_fail(error, errno, "cannot append to", path);
    end = lseek(file, 0, SEEK_END);
    bytes = line_bytes(file, end, line, &size);
    reason = bytes ? write_all(file, bytes, size) : ENOMEM;
    /* Should this fail too, the next append closes the torn line. */
    if (reason != 0 && end >= 0 && ftruncate(file, end) != 0)
        errno = 0;
    free(bytes);
    close(file);
    return reason == 0 ? AGON_OK : agon_file_fail(error, reason, "cannot append to", path);
}

int agon_file_cut(const char* path, uint64_t size, agon_error* error) {
    struct stat facts;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666), reason = 0;
    if (file < 0)
        return agon_file_fail(error, errno, "cannot write", path);
    if (fstat(file, &facts) != 0 ||
        ((uint64_t)facts.st_size > size && ftruncate(file, (off_t)size) != 0))
        reason = errno;
    close(file);
    return reason == 0 ? AGON_OK : agon_file_fail(error, reason, "cannot cut", path);
}
