/* cert.c: see cert.h. Who signs whom, and which files are there already. */
#include "net/cert_internal.h"

#include "engine/files.h"

#include <assert.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    DAY = 24 * 3600,
    AUTHORITY_DAYS = 20 * 365,
    EARLIER = 3600 /* s, for clocks that are late */
};

static bool is_there(const char* path) {
    return access(path, F_OK) == 0;
}

/* ---- the authority ------------------------------------------------------------------------ */

/* Names differ, so that a certificate of another authority is known for one. */
static int name_authority(char* out, size_t size, agon_error* error) {
    unsigned char bytes[4];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return agon_fail(error, AGON_EIO, "the system gives no random numbers");
    snprintf(out, size, "agon authority %02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
    return AGON_OK;
}

static int make_authority(const char* dir, agon__pair* out, agon_error* error) {
    char name[65];
    const agon__cert_def def = {.use = AGON__CERT_AUTHORITY,
                                .name = name,
                                .from_s = -EARLIER,
                                .until_s = (long)AUTHORITY_DAYS * DAY};
    int rc = name_authority(name, sizeof name, error);
    rc = rc ? rc : agon__key_make(&out->key, error);
    rc = rc ? rc : agon__cert_make(&def, out->key, NULL, &out->certificate, error);
    rc = rc ? rc : agon__key_write(dir, "ca.key", out->key, error);
    return rc ? rc : agon__cert_write(dir, "ca.pem", out->certificate, false, error);
}

static int load_pair(const char* certificate, const char* key, agon__pair* out, agon_error* error) {
    int rc = agon__key_is_private(key, error);
    rc = rc ? rc : agon__cert_load(certificate, &out->certificate, error);
    rc = rc ? rc : agon__key_load(key, &out->key, error);
    if (!rc && X509_check_private_key(out->certificate, out->key) != 1)
        rc = agon_fail(error, AGON_EFORMAT, "%s is not the key of %s", key, certificate);
    return rc;
}

/* The authority in `dir`; made when neither of its files is there, and `make`. */
static int open_authority(const char* dir, bool make, agon__pair* out, agon_error* error) {
    char certificate[AGON_PATH_SIZE], key[AGON_PATH_SIZE];
    int rc = agon__cert_path(dir, "ca.pem", certificate, error);
    rc = rc ? rc : agon__cert_path(dir, "ca.key", key, error);
    if (rc)
        return rc;
    if (make && !is_there(certificate) && !is_there(key))
        return make_authority(dir, out, error);
    if (!is_there(key)) {
        agon_fail(error, AGON_EMISSING, "there is no %s, so nothing can be signed here", key);
        return agon_hint(error, "use the directory where 'agon cert --dir DIR --host NAME' ran "
                                "first");
    }
    return load_pair(certificate, key, out, error);
}

/* ---- signing ------------------------------------------------------------------------------ */

static int sign(const agon__cert_def* def, EVP_PKEY* key, const agon__pair* authority, X509** out,
                agon_error* error) {
    time_t until = time(NULL) + def->until_s;
    if (X509_cmp_time(X509_get0_notAfter(authority->certificate), &until) < 0)
        return agon_fail(error, AGON_EINVALID,
                         "%ld days are too many: the authority in ca.pem ends before",
                         def->until_s / DAY);
    return agon__cert_make(def, key, authority, out, error);
}

static int check_days(int days, agon_error* error) {
    if (days >= 1 && days <= AGON_CERT_DAYS_MAX)
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID, "%d days: expected 1 to %d", days, AGON_CERT_DAYS_MAX);
}

/* Before anything is made: what is there and must stay. */
static int must_be_absent(const char* path, const char* hint, agon_error* error) {
    if (!is_there(path))
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "%s is there already, and stays", path);
    return agon_hint(error, "%s", hint);
}

/* ---- a coordinator ------------------------------------------------------------------------ */

/* The key that is there, when it may stay, or a new one, not written yet. */
static int server_key(const char* dir, bool renew, EVP_PKEY** out, bool* new, agon_error* error) {
    char path[AGON_PATH_SIZE];
    int rc = agon__cert_path(dir, "server.key", path, error);
    *new = !renew || !is_there(path);
    if (rc || *new)
        return rc ? rc : agon__key_make(out, error);
    rc = agon__key_is_private(path, error);
    return rc ? rc : agon__key_load(path, out, error);
}

static int write_server(const char* dir, const agon__cert_def* def, bool renew, agon_error* error) {
    agon__pair authority = {0}, server = {0};
    bool new = false;
    int rc = open_authority(dir, !renew, &authority, error);
    rc = rc ? rc : server_key(dir, renew, &server.key, &new, error);
    rc = rc ? rc : sign(def, server.key, &authority, &server.certificate, error);
    if (!rc && new)
        rc = agon__key_write(dir, "server.key", server.key, error);
    rc = rc ? rc : agon__cert_write(dir, "server.pem", server.certificate, renew, error);
    agon__pair_clear(&server);
    agon__pair_clear(&authority);
    return rc;
}

/* Cuts "a, b" into its hosts. Returns their number. */
static int split_hosts(char* text, char** host, int most) {
    int count = 0;
    for (char *rest, *word = strtok_r(text, ", ", &rest); word && count < most;
         word = strtok_r(NULL, ", ", &rest))
        host[count++] = word;
    return count;
}

/* Renewing without hosts: for those of the certificate that is there. */
static int renew_as_it_was(const char* dir, agon__cert_def* def, agon_error* error) {
    char path[AGON_PATH_SIZE], *host[64];
    agon_cert_facts facts;
    int rc = agon__cert_path(dir, "server.pem", path, error);
    rc = rc ? rc : agon_cert_read(path, &facts, error);
    if (rc)
        return rc;
    def->hosts = split_hosts(facts.hosts, host, 64);
    def->host = host;
    return write_server(dir, def, true, error);
}

int agon_cert_server(const char* dir, int hosts, char** host, int days, bool renew,
                     agon_error* error) {
    char certificate[AGON_PATH_SIZE], key[AGON_PATH_SIZE];
    static const char hint[] = "--renew makes a new certificate in its place";
    agon__cert_def def = {.use = AGON__CERT_SERVER,
                          .name = "agon coordinator",
                          .hosts = hosts,
                          .host = host,
                          .from_s = -EARLIER,
                          .until_s = (long)days * DAY};
    assert(hosts > 0 || renew);
    int rc = check_days(days, error);
    for (int i = 0; i < hosts && !rc; i++)
        rc = agon__cert_check_host(host[i], error);
    rc = rc ? rc : agon_dir_make(dir, error);
    rc = rc ? rc : agon__cert_path(dir, "server.pem", certificate, error);
    rc = rc ? rc : agon__cert_path(dir, "server.key", key, error);
    if (!renew) {
        rc = rc ? rc : must_be_absent(certificate, hint, error);
        rc = rc ? rc : must_be_absent(key, hint, error);
    }
    if (rc)
        return rc;
    return hosts ? write_server(dir, &def, renew, error) : renew_as_it_was(dir, &def, error);
}

/* ---- a worker ----------------------------------------------------------------------------- */

/* It is told to the coordinator's log and tables. */
static int check_name(const char* name, agon_error* error) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const size_t length = strlen(name);
    if (length >= 1 && length <= 63 && strspn(name, plain) == length)
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID,
                     "client '%.70s': expected 1 to 63 letters, digits, '.', '_' and '-'", name);
}

static int client_absent(const char* out, agon_error* error) {
    static const char* const files[] = {"client.pem", "client.key", "ca.pem"};
    char path[AGON_PATH_SIZE];
    int rc = AGON_OK;
    for (int i = 0; i < 3 && !rc; i++) {
        rc = agon__cert_path(out, files[i], path, error);
        rc = rc ? rc : must_be_absent(path, "give a new directory to --out", error);
    }
    return rc;
}

int agon_cert_client(const char* dir, const char* name, const char* out, int days,
                     agon_error* error) {
    agon__pair authority = {0}, client = {0};
    const agon__cert_def def = {
        .use = AGON__CERT_CLIENT, .name = name, .from_s = -EARLIER, .until_s = (long)days * DAY};
    int rc = check_days(days, error);
    rc = rc ? rc : check_name(name, error);
    rc = rc ? rc : open_authority(dir, false, &authority, error);
    rc = rc ? rc : agon_dir_make(out, error);
    rc = rc ? rc : client_absent(out, error);
    rc = rc ? rc : agon__key_make(&client.key, error);
    rc = rc ? rc : sign(&def, client.key, &authority, &client.certificate, error);
    rc = rc ? rc : agon__key_write(out, "client.key", client.key, error);
    rc = rc ? rc : agon__cert_write(out, "client.pem", client.certificate, false, error);
    rc = rc ? rc : agon__cert_write(out, "ca.pem", authority.certificate, false, error);
    agon__pair_clear(&client);
    agon__pair_clear(&authority);
    return rc;
}
