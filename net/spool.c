/* spool.c: see spool.h. A file is named by its task and begins with a line of text:
 * "agon.spool/1 TASK HASH SIZE STEPS CPU_MS"; the result follows. */
#include "net/spool.h"

#include "engine/codec.h"
#include "engine/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PLACES 1024 /* spool.0 .. */
#define HEAD   256  /* bytes of the first line, at most */

struct agon__spool {
    char dir[AGON_PATH_SIZE];
    int lock; /* file descriptor */
    agon__spooled* first;
    int count, damaged;
};

static void path_of(const agon__spool* spool, const char* task, char* out, size_t size) {
    snprintf(out, size, "%.*s/%s", AGON_PATH_SIZE - 128, spool->dir, task);
}

/* ---- files -------------------------------------------------------------------------------- */

static int head_of(const agon__result_offer* o, char out[HEAD]) {
    return snprintf(out, HEAD, "agon.spool/1 %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", o->task,
                    o->hash, o->size, o->steps, o->cpu_ms);
}

int agon__spool_write(const agon__spool* spool, agon__result_offer* offer, const uint8_t* data,
                      size_t size, agon_error* error) {
    char path[AGON_PATH_SIZE], head[HEAD];
    offer->size = size;
    agon_sha256(data, size, offer->hash);
    const size_t length = (size_t)head_of(offer, head);
    uint8_t* whole = malloc(length + size);
    if (!whole)
        return agon_fail(error, AGON_EMEMORY, "no memory for a result of %zu bytes", size);
    memcpy(whole, head, length);
    memcpy(whole + length, data, size);
    path_of(spool, offer->task, path, sizeof path);
    const int rc = agon_file_write(path, whole, length + size, error);
    free(whole);
    return rc;
}

/* What a file says of itself; false: it is not one of ours, or damaged. *body: where the result
 * begins. */
static bool parse(const char* task, const uint8_t* data, size_t size, agon__result_offer* offer,
                  size_t* body) {
    char head[HEAD], again[HEAD], real[AGON_HASH_SIZE];
    const size_t most = size < HEAD - 1 ? size : HEAD - 1;
    const uint8_t* end = memchr(data, '\n', most);
    if (!end)
        return false;
    *body = (size_t)(end - data) + 1;
    memcpy(head, data, *body);
    head[*body] = '\0';
    memset(offer, 0, sizeof *offer);
    if (sscanf(head, "agon.spool/1 %64s %64s %" SCNu64 " %" SCNu64 " %" SCNu64, offer->task,
               offer->hash, &offer->size, &offer->steps, &offer->cpu_ms) != 5)
        return false;
    head_of(offer, again);
    agon_sha256(data + *body, size - *body, real);
    return strcmp(head, again) == 0 && strcmp(offer->task, task) == 0 &&
           strcmp(offer->hash, real) == 0 && offer->size == size - *body;
}

/* The file of a task, checked. AGON_EFORMAT: damaged. */
static int read_file(const agon__spool* spool, const char* task, agon__result_offer* offer,
                     uint8_t** data, size_t* size, agon_error* error) {
    char path[AGON_PATH_SIZE];
    size_t body = 0;
    path_of(spool, task, path, sizeof path);
    int rc = agon_file_read(path, AGON_CODEC_MAX_MESSAGE + HEAD, data, size, error);
    if (rc)
        return rc;
    if (!parse(task, *data, *size, offer, &body)) {
        free(*data);
        return agon_fail(error, AGON_EFORMAT, "result %s is damaged", path);
    }
    *size -= body;
    memmove(*data, *data + body, *size);
    return AGON_OK;
}

int agon__spool_load(const agon__spool* spool, const char* task, uint8_t** data, size_t* size,
                     agon_error* error) {
    agon__result_offer offer;
    return read_file(spool, task, &offer, data, size, error);
}

/* ---- the list ----------------------------------------------------------------------------- */

agon__spooled* agon__spool_find(agon__spool* spool, const char* task) {
    agon__spooled* s = spool->first;
    while (s && strcmp(s->offer.task, task) != 0)
        s = s->next;
    return s;
}

agon__spooled* agon__spool_add(agon__spool* spool, const agon__result_offer* offer) {
    agon__spooled* s = agon__spool_find(spool, offer->task);
    if (!s) {
        agon__spooled** end = &spool->first;
        while (*end)
            end = &(*end)->next;
        s = calloc(1, sizeof *s);
        if (!s)
            return NULL;
        *end = s;
        spool->count++;
    }
    s->offer = *offer;
    s->offer.data = NULL;
    s->offer.inlined = 0;
    return s;
}

void agon__spool_drop(agon__spool* spool, const char* task) {
    char path[AGON_PATH_SIZE];
    for (agon__spooled** at = &spool->first; *at; at = &(*at)->next) {
        agon__spooled* s = *at;
        if (strcmp(s->offer.task, task) != 0)
            continue;
        path_of(spool, task, path, sizeof path);
        unlink(path);
        *at = s->next;
        free(s);
        spool->count--;
        return;
    }
}

agon__spooled* agon__spool_first(agon__spool* spool) {
    return spool->first;
}

int agon__spool_count(const agon__spool* spool) {
    return spool->count;
}

int agon__spool_damaged(const agon__spool* spool) {
    return spool->damaged;
}

const char* agon__spool_dir(const agon__spool* spool) {
    return spool->dir;
}

/* ---- opening ------------------------------------------------------------------------------ */

static bool is_task_name(const char* name) {
    return strlen(name) == AGON_HASH_SIZE - 1 && agon_ref_is_hash(name);
}

static int take_in(agon__spool* spool, const char* task, agon_error* error) {
    char path[AGON_PATH_SIZE];
    agon__result_offer offer;
    uint8_t* data = NULL;
    size_t size = 0;
    const int rc = read_file(spool, task, &offer, &data, &size, error);
    if (rc == AGON_EFORMAT || rc == AGON_ELIMIT) {
        path_of(spool, task, path, sizeof path);
        unlink(path);
        spool->damaged++;
        return AGON_OK;
    }
    if (rc)
        return rc;
    free(data);
    if (!agon__spool_add(spool, &offer))
        return agon_fail(error, AGON_EMEMORY, "no memory for the list of %s", spool->dir);
    return AGON_OK;
}

static int read_dir(agon__spool* spool, agon_error* error) {
    DIR* dir = opendir(spool->dir);
    const struct dirent* each;
    int rc = AGON_OK;
    if (!dir)
        return agon_file_fail(error, errno, "cannot list directory", spool->dir);
    while (!rc && (each = readdir(dir)))
        if (is_task_name(each->d_name))
            rc = take_in(spool, each->d_name, error);
    closedir(dir);
    return rc;
}

/* The lock of dir/spool.N. Returns a descriptor, -1: another process has it, or a code below that.
 */
static int take_place(const char* dir, int number, bool make, char* out, size_t size,
                      agon_error* error) {
    char path[AGON_PATH_SIZE];
    if (snprintf(out, size, "%s/spool.%d", dir, number) > AGON_PATH_SIZE - 256)
        return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long", dir);
    int rc = make ? agon_dir_make(out, error) : AGON_OK;
    if (rc)
        return rc;
    snprintf(path, sizeof path, "%.*s/lock", AGON_PATH_SIZE - 128, out);
    const int file = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0666);
    if (file < 0)
        return make ? agon_file_fail(error, errno, "cannot open", path) : -1;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return file;
    const int reason = errno;
    close(file);
    return reason == EWOULDBLOCK ? -1 : agon_file_fail(error, reason, "cannot lock", path);
}

/* Moves what an earlier process left in another place, while nobody can come to it. */
static void adopt(const agon__spool* spool, const char* place) {
    char from[AGON_PATH_SIZE], to[AGON_PATH_SIZE];
    const struct dirent* each;
    DIR* dir = opendir(place);
    if (!dir)
        return;
    while ((each = readdir(dir))) {
        if (!is_task_name(each->d_name))
            continue;
        snprintf(from, sizeof from, "%.*s/%s", AGON_PATH_SIZE - 128, place, each->d_name);
        path_of(spool, each->d_name, to, sizeof to);
        rename(from, to);
    }
    closedir(dir);
}

static void adopt_all(const agon__spool* spool, const char* dir) {
    char place[AGON_PATH_SIZE];
    for (int i = 0; i < PLACES; i++) {
        const int lock = take_place(dir, i, false, place, sizeof place, NULL);
        if (lock < 0)
            continue;
        adopt(spool, place);
        close(lock);
    }
}

static int open_place(agon__spool* spool, const char* dir, agon_error* error) {
    int lock = -1;
    for (int i = 0; i < PLACES && lock == -1; i++)
        lock = take_place(dir, i, true, spool->dir, sizeof spool->dir, error);
    if (lock == -1)
        return agon_fail(error, AGON_ELIMIT, "%d workers use %s already", PLACES, dir);
    if (lock < 0)
        return lock;
    spool->lock = lock;
    adopt_all(spool, dir);
    const int cleaned = agon_dir_clean(spool->dir, error);
    return cleaned < 0 ? cleaned : read_dir(spool, error);
}

int agon__spool_open(const char* dir, agon__spool** out, agon_error* error) {
    agon__spool* spool = calloc(1, sizeof *spool);
    if (!spool)
        return agon_fail(error, AGON_EMEMORY, "no memory for a spool");
    spool->lock = -1;
    const int rc = open_place(spool, dir, error);
    if (rc) {
        agon__spool_close(spool);
        return rc;
    }
    *out = spool;
    return AGON_OK;
}

void agon__spool_close(agon__spool* spool) {
    if (!spool)
        return;
    for (agon__spooled *s = spool->first, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    if (spool->lock >= 0)
        close(spool->lock);
    free(spool);
}
