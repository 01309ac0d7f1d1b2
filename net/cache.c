/* cache.c: see cache.h. Files are named by their hash. Their times say what was used last, so that
 * a later process gives up the same ones first. */
#include "net/cache.h"

#include "engine/files.h"
#include "engine/task.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS   (1 << 14)
#define BLOB_MOST ((size_t)1 << 30) /* bytes of one file that are read */

typedef struct entry {
    char hash[AGON_HASH_SIZE];
    uint64_t size; /* bytes */
    int pins;
    bool gone; /* the file is not there; kept for its pins alone */
    struct entry *older, *newer, *next;
} entry;

struct agon__cache {
    pthread_mutex_t mutex;
    char* dir;
    uint64_t limit, bytes;
    entry *oldest, *newest;
    entry* bucket[BUCKETS];
};

static void path_of(const agon__cache* cache, const char* hash, char* out, size_t size) {
    snprintf(out, size, "%s/%s", cache->dir, hash);
}

/* ---- the index, under the mutex ----------------------------------------------------------- */

static entry** slot_of(agon__cache* cache, const char* hash) {
    const char head[5] = {hash[0], hash[1], hash[2], hash[3], 0};
    entry** at = &cache->bucket[strtoul(head, NULL, 16) % BUCKETS];
    while (*at && strcmp((*at)->hash, hash) != 0)
        at = &(*at)->next;
    return at;
}

static void unlink_entry(agon__cache* cache, entry* e) {
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    e->older = e->newer = NULL;
}

static void link_newest(agon__cache* cache, entry* e) {
    e->older = cache->newest;
    e->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void used_now(agon__cache* cache, entry* e) {
    unlink_entry(cache, e);
    link_newest(cache, e);
}

/* The entry of a file that is there; NULL: no memory for it. */
static entry* note_file(agon__cache* cache, const char* hash, uint64_t size) {
    entry** at = slot_of(cache, hash);
    entry* e = *at;
    if (!e) {
        e = calloc(1, sizeof *e);
        if (!e)
            return NULL;
        snprintf(e->hash, sizeof e->hash, "%s", hash);
        *at = e;
        e->gone = true;
    }
    if (e->gone) {
        link_newest(cache, e);
        e->gone = false;
    } else {
        cache->bytes -= e->size;
        used_now(cache, e);
    }
    e->size = size;
    cache->bytes += size;
    return e;
}

/* The file is no longer there. */
static void note_gone(agon__cache* cache, entry* e) {
    if (!e->gone) {
        cache->bytes -= e->size;
        unlink_entry(cache, e);
        e->gone = true;
    }
    if (e->pins == 0) {
        entry** at = slot_of(cache, e->hash);
        *at = e->next;
        free(e);
    }
}

static void give_up(agon__cache* cache, entry* e) {
    char path[AGON_PATH_SIZE];
    path_of(cache, e->hash, path, sizeof path);
    unlink(path);
    note_gone(cache, e);
}

/* Down to so many bytes, as far as pins allow. Returns how many files went. */
static int shrink(agon__cache* cache, uint64_t bytes) {
    int count = 0;
    for (entry *e = cache->oldest, *next; e && cache->bytes > bytes; e = next) {
        next = e->newer;
        if (e->pins)
            continue;
        give_up(cache, e);
        count++;
    }
    return count;
}

/* The entry of a blob that is there now. Another process that shares the directory may have removed
 * its file, or brought one. */
static entry* find_there(agon__cache* cache, const char* hash) {
    char path[AGON_PATH_SIZE];
    struct stat facts;
    entry* e = *slot_of(cache, hash);
    path_of(cache, hash, path, sizeof path);
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
        return e && !e->gone ? e : note_file(cache, hash, (uint64_t)facts.st_size);
    if (e && !e->gone)
        note_gone(cache, e);
    return NULL;
}

/* ---- opening ------------------------------------------------------------------------------ */

typedef struct found {
    char hash[AGON_HASH_SIZE];
    uint64_t size;
    struct timespec used;
} found;

static int by_use(const void* a, const void* b) {
    const found *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->hash, y->hash);
}

/* "NAME.PID-THREAD.agon-tmp" of a process that is no more (agon_file_swap names them). */
static bool is_left_over(const char* name) {
    const size_t length = strlen(name), tail = strlen(AGON_TEMPORARY);
    const char* dot = strchr(name, '.');
    long pid;
    if (length <= tail || strcmp(name + length - tail, AGON_TEMPORARY) != 0)
        return false;
    pid = dot ? strtol(dot + 1, NULL, 10) : 0;
    return pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* One directory entry; list grows by doubling. Other files are not ours to touch. */
static int look_at(int dir, const char* name, found** list, size_t* count) {
    struct stat facts;
    if (is_left_over(name))
        unlinkat(dir, name, 0);
    if (strlen(name) != AGON_HASH_SIZE - 1 || !agon_ref_is_hash(name) ||
        fstatat(dir, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode))
        return AGON_OK;
    if ((*count & (*count - 1)) == 0) {
        found* more = realloc(*list, (*count ? 2 * *count : 1) * sizeof *more);
        if (!more)
            return AGON_EMEMORY;
        *list = more;
    }
    found* f = &(*list)[(*count)++];
    *f = (found){.size = (uint64_t)facts.st_size, .used = facts.st_mtim};
    memcpy(f->hash, name, sizeof f->hash);
    return AGON_OK;
}

static int read_dir(agon__cache* cache, agon_error* error) {
    DIR* dir = opendir(cache->dir);
    const struct dirent* each;
    found* list = NULL;
    size_t count = 0;
    int rc = AGON_OK;
    if (!dir)
        return agon_file_fail(error, errno, "cannot list directory", cache->dir);
    while (!rc && (each = readdir(dir)))
        rc = look_at(dirfd(dir), each->d_name, &list, &count);
    closedir(dir);
    if (count)
        qsort(list, count, sizeof *list, by_use);
    for (size_t i = 0; i < count && !rc; i++)
        rc = note_file(cache, list[i].hash, list[i].size) ? AGON_OK : AGON_EMEMORY;
    free(list);
    return rc ? agon_fail(error, rc, "no memory for the list of %s", cache->dir) : AGON_OK;
}

int agon__cache_open(const char* dir, uint64_t limit, agon__cache** out, agon_error* error) {
    int rc = agon_dir_make(dir, error);
    if (rc)
        return rc;
    if (strlen(dir) + AGON_HASH_SIZE + 64 > AGON_PATH_SIZE)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long: at most %d bytes", dir,
                         AGON_PATH_SIZE - 64 - AGON_HASH_SIZE);
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        return agon_file_fail(error, errno, "cannot use directory", dir);
    agon__cache* cache = calloc(1, sizeof *cache);
    char* copy = strdup(dir);
    if (!cache || !copy) {
        free(cache);
        free(copy);
        return agon_fail(error, AGON_EMEMORY, "no memory for a cache");
    }
    cache->dir = copy;
    cache->limit = limit;
    pthread_mutex_init(&cache->mutex, NULL);
    rc = read_dir(cache, error);
    if (rc) {
        agon__cache_close(cache);
        return rc;
    }
    shrink(cache, limit);
    *out = cache;
    return AGON_OK;
}

void agon__cache_close(agon__cache* cache) {
    if (!cache)
        return;
    for (int i = 0; i < BUCKETS; i++) {
        for (entry *e = cache->bucket[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    pthread_mutex_destroy(&cache->mutex);
    free(cache->dir);
    free(cache);
}

/* ---- use ---------------------------------------------------------------------------------- */

bool agon__cache_has(agon__cache* cache, const char* hash) {
    pthread_mutex_lock(&cache->mutex);
    const bool there = find_there(cache, hash) != NULL;
    pthread_mutex_unlock(&cache->mutex);
    return there;
}

bool agon__cache_pin(agon__cache* cache, const char* hash) {
    pthread_mutex_lock(&cache->mutex);
    entry* e = find_there(cache, hash);
    if (e) {
        e->pins++;
        used_now(cache, e);
    }
    pthread_mutex_unlock(&cache->mutex);
    return e != NULL;
}

void agon__cache_unpin(agon__cache* cache, const char* hash) {
    pthread_mutex_lock(&cache->mutex);
    entry* e = *slot_of(cache, hash);
    assert(e && e->pins > 0);
    if (--e->pins == 0 && e->gone)
        note_gone(cache, e);
    else if (e->pins == 0)
        shrink(cache, cache->limit);
    pthread_mutex_unlock(&cache->mutex);
}

/* The file, after room was made for it; on a full disk once more, when that gave up anything. */
static int write_blob(agon__cache* cache, const char* hash, const uint8_t* data, size_t size,
                      agon_error* error) {
    char path[AGON_PATH_SIZE];
    path_of(cache, hash, path, sizeof path);
    int rc = agon_file_swap(path, data, size, error);
    if (rc != AGON_ENOSPACE)
        return rc;
    pthread_mutex_lock(&cache->mutex);
    const int given_up = shrink(cache, 0);
    pthread_mutex_unlock(&cache->mutex);
    return given_up ? agon_file_swap(path, data, size, error) : rc;
}

int agon__cache_put(agon__cache* cache, const char* hash, const uint8_t* data, size_t size,
                    agon_error* error) {
    char real[AGON_HASH_SIZE];
    agon_sha256(data, size, real);
    if (strcmp(real, hash) != 0)
        return agon_fail(error, AGON_EFORMAT, "blob %.12s hashes to %.12s", hash, real);
    pthread_mutex_lock(&cache->mutex);
    entry* e = find_there(cache, hash);
    const bool there = e && e->size == size;
    if (there)
        used_now(cache, e);
    else
        shrink(cache, cache->limit > size ? cache->limit - size : 0);
    pthread_mutex_unlock(&cache->mutex);
    if (there)
        return AGON_OK;
    int rc = write_blob(cache, hash, data, size, error);
    if (rc)
        return rc;
    pthread_mutex_lock(&cache->mutex);
    e = note_file(cache, hash, size);
    pthread_mutex_unlock(&cache->mutex);
    return e ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for blob %.12s", hash);
}

/* Marks it as used, here and for later processes. */
static void touch(agon__cache* cache, const char* hash, const char* path) {
    pthread_mutex_lock(&cache->mutex);
    entry* e = *slot_of(cache, hash);
    if (e && !e->gone)
        used_now(cache, e);
    pthread_mutex_unlock(&cache->mutex);
    utimensat(AT_FDCWD, path, NULL, 0);
}

static int lose(agon__cache* cache, const char* hash, const char* why, agon_error* error) {
    pthread_mutex_lock(&cache->mutex);
    entry* e = *slot_of(cache, hash);
    if (e && !e->gone)
        give_up(cache, e);
    pthread_mutex_unlock(&cache->mutex);
    return agon_fail(error, AGON_EMISSING, "blob %.12s is not in the cache %s: %s", hash,
                     cache->dir, why);
}

int agon__cache_load(agon__cache* cache, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    char path[AGON_PATH_SIZE], real[AGON_HASH_SIZE];
    uint8_t* bytes = NULL;
    size_t length = 0;
    path_of(cache, hash, path, sizeof path);
    int rc = agon_file_read(path, BLOB_MOST, &bytes, &length, error);
    if (rc == AGON_EMISSING)
        return lose(cache, hash, "its file was removed", error);
    if (rc)
        return rc;
    agon_sha256(bytes, length, real);
    if (strcmp(real, hash) != 0) {
        free(bytes);
        return lose(cache, hash, "its file was damaged, and is removed", error);
    }
    touch(cache, hash, path);
    *data = bytes;
    *size = length;
    return AGON_OK;
}

uint64_t agon__cache_bytes(const agon__cache* cache) {
    agon__cache* c = (agon__cache*)cache;
    pthread_mutex_lock(&c->mutex);
    const uint64_t bytes = c->bytes;
    pthread_mutex_unlock(&c->mutex);
    return bytes;
}
