/* store_files.c: the files of a run besides its database: blobs and texts. */
#include "engine/store_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t BLOB_LIMIT = (size_t)1 << 34; /* bytes; more is no blob of ours */

bool agon__is_hash(const char* text) {
    return strnlen(text, AGON_HASH_SIZE) == AGON_HASH_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == AGON_HASH_SIZE - 1;
}

void agon__store_path(const agon_store* store, const char* name, char out[AGON_PATH_SIZE]) {
    int length = snprintf(out, AGON_PATH_SIZE, "%s/%s", store->dir, name);
    assert(length < AGON_PATH_SIZE);
    (void)length;
}

void agon__blob_path(const agon_store* store, const char* hash, char out[AGON_PATH_SIZE]) {
    int length = snprintf(out, AGON_PATH_SIZE, "%s/blobs/%.64s.safetensors", store->dir, hash);
    assert(length < AGON_PATH_SIZE);
    (void)length;
}

/* ---- blobs -------------------------------------------------------------------------------- */

/* Bytes are compared, not only counted: so a damaged file is mended by its task's repetition. */
static bool already_there(const char* path, const agon_bytes* blob) {
    struct stat facts;
    uint8_t* data = NULL;
    size_t size = 0;
    bool same;
    if (stat(path, &facts) != 0 || (uint64_t)facts.st_size != blob->size)
        return false;
    if (agon_file_read(path, blob->size, &data, &size, NULL) != AGON_OK)
        return false;
    same = size == blob->size && memcmp(data, blob->data, size) == 0;
    free(data);
    return same;
}

int agon__blob_place(const agon_store* store, const agon_bytes* blob, bool* created,
                     agon_error* error) {
    char path[AGON_PATH_SIZE], hash[AGON_HASH_SIZE];
    int status;
    if (!agon__is_hash(blob->hash) || blob->size > BLOB_LIMIT)
        return agon_fail(error, AGON_EINVALID,
                         "blob \"%.64s\" of %zu bytes: expected 64 hex digits, at most %zu bytes",
                         blob->hash, blob->size, BLOB_LIMIT);
    agon_sha256(blob->data, blob->size, hash);
    if (strcmp(hash, blob->hash) != 0)
        return agon_fail(error, AGON_EINVALID, "blob %.12s...: its bytes hash to %.12s...",
                         blob->hash, hash);
    agon__blob_path(store, blob->hash, path);
    if (already_there(path, blob))
        return AGON_OK;
    status = agon_file_place(path, blob->data, blob->size, error);
    *created = status == AGON_OK;
    return status;
}

int agon__blobs_sync(const agon_store* store, agon_error* error) {
    char path[AGON_PATH_SIZE];
    agon__store_path(store, "blobs", path);
    return agon_dir_sync(path, error);
}

int agon__blob_insert(agon_store* store, const agon_bytes* blob, agon_error* error) {
    sqlite3_bind_text(store->insert_blob, 1, blob->hash, -1, SQLITE_STATIC);
    sqlite3_bind_int64(store->insert_blob, 2, (sqlite3_int64)blob->size);
    return agon__db_step(store, store->insert_blob, "storing a blob's size", error);
}

int agon_store_blob_load(const agon_store* store, const char* hash, uint8_t** data, size_t* size,
                         agon_error* error) {
    char path[AGON_PATH_SIZE], found[AGON_HASH_SIZE];
    uint8_t* bytes = NULL;
    size_t length = 0;
    int status;
    if (!agon__is_hash(hash))
        return agon_fail(error, AGON_EINVALID, "blob \"%.64s\": expected 64 hex digits", hash);
    agon__blob_path(store, hash, path);
    status = agon_file_read(path, BLOB_LIMIT, &bytes, &length, error);
    if (status != AGON_OK)
        return status;
    agon_sha256(bytes, length, found);
    if (strcmp(found, hash) != 0) {
        free(bytes);
        agon_fail(error, AGON_EFORMAT, "%s is damaged: its bytes hash to %.12s...", path, found);
        return agon_hint(error, "copy the file back from where the run came from");
    }
    *data = bytes;
    *size = length;
    return AGON_OK;
}

/* ---- texts -------------------------------------------------------------------------------- */

/* dir/name, with the folder it lies in made ("plots/strength.svg"). Names come from our own code.
 */
static int text_path(const agon_store* store, const char* name, char out[AGON_PATH_SIZE],
                     agon_error* error) {
    char parent[AGON_PATH_SIZE];
    const char* slash = strrchr(name, '/');
    assert(name[0] != '/' && !strstr(name, "..") && strlen(name) < 128);
    agon__store_path(store, name, out);
    if (!slash)
        return AGON_OK;
    memcpy(parent, out, strlen(out) + 1);
    *strrchr(parent, '/') = '\0';
    return agon_dir_make(parent, error);
}

int agon_store_write_file(const agon_store* store, const char* name, const char* text, size_t size,
                          agon_error* error) {
    char path[AGON_PATH_SIZE];
    int status = text_path(store, name, path, error);
    return status == AGON_OK ? agon_file_write(path, text, size, error) : status;
}

int agon_store_append_line(const agon_store* store, const char* name, const char* line,
                           agon_error* error) {
    char path[AGON_PATH_SIZE];
    int status = text_path(store, name, path, error);
    return status == AGON_OK ? agon_file_append(path, line, error) : status;
}

int agon_store_cut_file(const agon_store* store, const char* name, uint64_t size,
                        agon_error* error) {
    char path[AGON_PATH_SIZE];
    int status = text_path(store, name, path, error);
    return status == AGON_OK ? agon_file_cut(path, size, error) : status;
}
