/* cert_files.c: keys and certificates as files in PEM. */
#include "net/cert_internal.h"

#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

int agon__cert_path(const char* dir, const char* file, char* out, agon_error* error) {
    if (snprintf(out, AGON_PATH_SIZE, "%s/%s", dir, file) < AGON_PATH_SIZE - 64)
        return AGON_OK;
    return agon_fail(error, AGON_ELIMIT, "path %.60s... is too long", dir);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* A new file, on the disk itself; returns 0 or an errno value. */
static int write_synced(const char* path, const char* data, size_t size, mode_t mode) {
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return errno;
    int reason = 0;
    for (size_t at = 0; at < size && !reason;) {
        const ssize_t wrote = write(file, data + at, size - at);
        if (wrote > 0)
            at += (size_t)wrote;
        else if (wrote == 0 || errno != EINTR)
            reason = wrote == 0 ? ENOSPC : errno;
    }
    if (!reason && fsync(file) != 0)
        reason = errno;
    if (close(file) != 0 && !reason)
        reason = errno;
    return reason;
}

static int place(const char* dir, const char* name, BIO* text, mode_t mode, bool replace,
                 agon_error* error) {
    char path[AGON_PATH_SIZE], temporary[AGON_PATH_SIZE], *data;
    const long size = BIO_get_mem_data(text, &data);
    const int rc = agon__cert_path(dir, name, path, error);
    if (rc)
        return rc;
    snprintf(temporary, sizeof temporary, "%.*s.%ld" AGON_TEMPORARY, AGON_PATH_SIZE - 64, path,
             (long)getpid());
    int reason = write_synced(temporary, data, (size_t)size, mode);
    /* A link does not replace what is there, a rename does. */
    if (!reason && (replace ? rename(temporary, path) : link(temporary, path)) != 0)
        reason = errno;
    unlink(temporary);
    if (reason == EEXIST)
        return agon_fail(error, AGON_EINVALID, "%s is there already, and stays", path);
    return reason ? agon_file_fail(error, reason, "cannot write", path) : agon_dir_sync(dir, error);
}

int agon__cert_write(const char* dir, const char* file, const X509* certificate, bool replace,
                     agon_error* error) {
    BIO* text = BIO_new(BIO_s_mem());
    const int rc = text && PEM_write_bio_X509(text, certificate) == 1
                       ? place(dir, file, text, 0644, replace, error)
                       : agon_fail(error, AGON_EMEMORY, "no memory for a certificate");
    BIO_free(text);
    return rc;
}

/* The memory of the BIO is wiped when it is freed. */
int agon__key_write(const char* dir, const char* file, const EVP_PKEY* key, agon_error* error) {
    BIO* text = BIO_new(BIO_s_mem());
    const int rc = text && PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1
                       ? place(dir, file, text, 0600, false, error)
                       : agon_fail(error, AGON_EMEMORY, "no memory for a key");
    BIO_free(text);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Never asks at the terminal. */
static int no_password(char* out, int size, int writing, void* user) {
    return -1;
}

/* Root's may be read by a group: so are secrets given to what runs as another user. */
int agon__key_is_private(const char* path, agon_error* error) {
    struct stat facts;
    if (stat(path, &facts) != 0)
        return agon_file_fail(error, errno, "cannot read", path);
    const mode_t others = facts.st_uid == 0 && geteuid() != 0 ? 037 : 077;
    if (!(facts.st_mode & others))
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "%s: mode %04o, so that others may read or change this key",
              path, (unsigned)facts.st_mode & 0777);
    return agon_hint(error, "chmod 600 %s; if others were here, make new certificates", path);
}

static int read_pem(const char* path, BIO** out, uint8_t** data, size_t* size, agon_error* error) {
    const int rc = agon_file_read(path, FILE_MAX, data, size, error);
    if (rc)
        return rc == AGON_EMISSING
                   ? agon_hint(error, "'agon cert --help' shows how to make certificates")
                   : rc;
    *out = BIO_new_mem_buf(*data, (int)*size);
    if (*out)
        return AGON_OK;
    free(*data);
    return agon_fail(error, AGON_EMEMORY, "no memory for %s", path);
}

int agon__cert_load(const char* path, X509** out, agon_error* error) {
    BIO* text;
    uint8_t* data;
    size_t size;
    const int rc = read_pem(path, &text, &data, &size, error);
    if (rc)
        return rc;
    X509* certificate = PEM_read_bio_X509(text, NULL, no_password, NULL);
    BIO_free(text);
    free(data);
    ERR_clear_error();
    if (!certificate)
        return agon_fail(error, AGON_EFORMAT, "%s is not a certificate in PEM", path);
    *out = certificate;
    return AGON_OK;
}

int agon__key_load(const char* path, EVP_PKEY** out, agon_error* error) {
    BIO* text;
    uint8_t* data;
    size_t size;
    const int rc = read_pem(path, &text, &data, &size, error);
    if (rc)
        return rc;
    EVP_PKEY* key = PEM_read_bio_PrivateKey(text, NULL, no_password, NULL);
    BIO_free(text);
    OPENSSL_cleanse(data, size);
    free(data);
    ERR_clear_error();
    if (!key)
        return agon_fail(error, AGON_EFORMAT, "%s is not a private key in PEM without a password",
                         path);
    *out = key;
    return AGON_OK;
}
