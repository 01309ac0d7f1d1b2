/* nats_options.c: how a server is reached, and who it is told that we are. */
#include "net/nats_internal.h"

#include "engine/files.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define PING_MS    5000 /* two without an answer, and the connection is lost */
#define WAIT_MS    1000 /* between attempts, and as much again by chance */
#define WRITE_MS   20000
#define SECRET_MAX 511 /* bytes of a file that holds one */
/* Of TLS 1.3; earlier versions are left nothing that both sides know. */
#define SUITES "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

/* The first line of a file that nobody else may read. */
static int read_secret(const char* what, const char* path, char* out, size_t size,
                       agon_error* error) {
    struct stat info;
    uint8_t* data = NULL;
    size_t read = 0;
    if (stat(path, &info) != 0)
        return agon_file_fail(error, errno, what, path);
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        agon_fail(error, AGON_EINVALID, "%s %s: others may read it (mode %03o)", what, path,
                  (unsigned)(info.st_mode & 0777));
        return agon_hint(error, "chmod 600 %s", path);
    }
    const int rc = agon_file_read(path, SECRET_MAX, &data, &read, error);
    if (rc)
        return rc;
    const size_t length = strcspn((const char*)data, " \t\r\n");
    const bool fits = length > 0 && length < size;
    if (fits) {
        memcpy(out, data, length);
        out[length] = '\0';
    }
    OPENSSL_cleanse(data, read);
    free(data);
    return fits ? AGON_OK
                : agon_fail(error, AGON_EFORMAT, "%s %s: expected one word of at most %zu letters",
                            what, path, size - 1);
}

static int find_certificates(const agon__nats_def* def, agon__nats_keys* out, agon_error* error) {
    snprintf(out->ca, sizeof out->ca, "%s/ca.pem", def->tls);
    snprintf(out->certificate, sizeof out->certificate, "%s/client.pem", def->tls);
    snprintf(out->key, sizeof out->key, "%s/client.key", def->tls);
    if (access(out->ca, R_OK) != 0)
        return agon_file_fail(error, errno, "cannot read the authority's certificate", out->ca);
    if (access(out->certificate, F_OK) == 0) {
        if (access(out->certificate, R_OK) != 0)
            return agon_file_fail(error, errno, "cannot read the certificate", out->certificate);
        if (access(out->key, R_OK) != 0)
            return agon_file_fail(error, errno, "cannot read the key", out->key);
    } else {
        out->certificate[0] = out->key[0] = '\0';
    }
    return AGON_OK;
}

int agon__nats_keys_read(const agon__nats_def* def, agon__nats_keys* out, agon_error* error) {
    const bool v6 = strchr(def->url.host, ':') != NULL;
    int rc = AGON_OK;
    memset(out, 0, sizeof *out);
    out->secure = def->url.scheme == AGON__NATS_TLS || def->tls[0];
    snprintf(out->url, sizeof out->url, "nats://%s%s%s:%d", v6 ? "[" : "", def->url.host,
             v6 ? "]" : "", def->url.port);
    if (def->tls[0])
        rc = find_certificates(def, out, error);
    if (!rc && def->token[0])
        rc = read_secret("token file", def->token, out->token, sizeof out->token, error);
    if (!rc && def->nkey[0])
        rc = read_secret("nkey file", def->nkey, out->seed, sizeof out->seed, error);
    if (!rc && def->nkey[0]) {
        rc = agon__nkey_public(out->seed, out->public, error);
        if (rc)
            agon_hint(error, "the file is %s", def->nkey);
    }
    return rc;
}

/* libnats frees the signature. */
static natsStatus sign(char** text, unsigned char** signature, int* length, const char* nonce,
                       void* user) {
    const agon__nats_keys* keys = user;
    (void)text;
    return nats_Sign(keys->seed, nonce, signature, length);
}

static natsStatus set_tls(natsOptions* o, const agon__nats_keys* keys) {
    natsStatus s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK)
        s = natsOptions_SetCipherSuites(o, SUITES);
    if (s == NATS_OK && keys->ca[0])
        s = natsOptions_LoadCATrustedCertificates(o, keys->ca);
    if (s == NATS_OK && keys->certificate[0])
        s = natsOptions_LoadCertificatesChain(o, keys->certificate, keys->key);
    return s;
}

static natsStatus set_identity(natsOptions* o, agon__nats_keys* keys) {
    natsStatus s = NATS_OK;
    if (keys->secure)
        s = set_tls(o, keys);
    if (s == NATS_OK && keys->token[0])
        s = natsOptions_SetToken(o, keys->token);
    if (s == NATS_OK && keys->seed[0])
        s = natsOptions_SetNKey(o, keys->public, sign, keys);
    return s;
}

static natsStatus set_habits(natsOptions* o, const agon__nats_def* def) {
    natsStatus s = natsOptions_SetName(o, def->name);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, CONNECT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, PING_MS);
    if (s == NATS_OK)
        s = natsOptions_SetMaxReconnect(o, -1);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectWait(o, WAIT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetReconnectJitter(o, WAIT_MS, WAIT_MS);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(o, WRITE_MS);
    if (s == NATS_OK) /* one thread brings all messages, in their order */
        s = natsOptions_UseGlobalMessageDelivery(o, true);
    return s;
}

int agon__nats_options(const agon__nats_def* def, agon__nats_keys* keys, natsOptions** out,
                       agon_error* error) {
    natsOptions* o = NULL;
    natsStatus s = natsOptions_Create(&o);
    if (s == NATS_OK)
        s = natsOptions_SetURL(o, keys->url);
    if (s == NATS_OK)
        s = set_habits(o, def);
    if (s == NATS_OK)
        s = set_identity(o, keys);
    if (s == NATS_OK) {
        *out = o;
        return AGON_OK;
    }
    const char* text = nats_GetLastError(NULL);
    agon_fail(error, s == NATS_NO_MEMORY ? AGON_EMEMORY : AGON_EINVALID, "nats: %s: %.300s",
              natsStatus_GetText(s), text ? text : "");
    natsOptions_Destroy(o);
    return error ? error->code : AGON_EINVALID;
}
