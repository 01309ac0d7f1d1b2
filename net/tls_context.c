/* tls_context.c: keys, certificates and rules, from the files of a directory. */
#include "net/cert_internal.h"
#include "net/tls_internal.h"

#include "engine/files.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int must_exist(const char* path, agon_error* error) {
    if (access(path, R_OK) == 0)
        return AGON_OK;
    agon_file_fail(error, errno, "cannot read", path);
    return agon_hint(error, "'agon cert --help' shows how to make certificates");
}

/* Never asks at the terminal: an encrypted key is a damaged one. */
static int no_password(char* out, int size, int writing, void* user) {
    return -1;
}

static int load_own(SSL_CTX* ssl, const char* dir, const char* name, agon_error* error) {
    char file[64], certificate[AGON_PATH_SIZE], key[AGON_PATH_SIZE];
    snprintf(file, sizeof file, "%s.pem", name);
    int rc = agon__cert_path(dir, file, certificate, error);
    snprintf(file, sizeof file, "%s.key", name);
    rc = rc ? rc : agon__cert_path(dir, file, key, error);
    rc = rc ? rc : must_exist(certificate, error);
    rc = rc ? rc : must_exist(key, error);
    rc = rc ? rc : agon__key_is_private(key, error);
    if (rc)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
        return agon_fail(error, AGON_EFORMAT, "%s is not a certificate in PEM", certificate);
    SSL_CTX_set_default_passwd_cb(ssl, no_password);
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) == 1)
        return AGON_OK;
    const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    return agon_fail(error, AGON_EFORMAT,
                     other ? "%s is not the key of the certificate beside it"
                           : "%s is not a private key in PEM without a password",
                     key);
}

/* Before anyone connects: whoever shows it would be refused by everyone. */
static int must_hold_now(SSL_CTX* ssl, const char* dir, const char* name, agon_error* error) {
    const X509* certificate = SSL_CTX_get0_certificate(ssl);
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0)
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "the certificate %s/%s.pem has expired", dir, name);
    return agon_hint(error,
                     "'agon cert --help' shows how to renew it; is this host's clock right?");
}

static int trust(SSL_CTX* ssl, const char* dir, agon_error* error) {
    char path[AGON_PATH_SIZE];
    int rc = agon__cert_path(dir, "ca.pem", path, error);
    rc = rc ? rc : must_exist(path, error);
    if (rc)
        return rc;
    if (SSL_CTX_load_verify_file(ssl, path) != 1)
        return agon_fail(error, AGON_EFORMAT, "%s is not a certificate in PEM", path);
    return AGON_OK;
}

/* Remembers what was wrong, and with whose certificate, for the message. */
static int on_verify(int fine, X509_STORE_CTX* store) {
    SSL* ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    agon__tls* tls = SSL_get_app_data(ssl);
    if (fine || tls->refused)
        return fine;
    tls->refused = X509_STORE_CTX_get_error(store);
    X509* certificate = X509_STORE_CTX_get_current_cert(store);
    if (certificate)
        agon__tls_hosts(certificate, tls->found, sizeof tls->found);
    return 0;
}

static int make(bool server, agon__tls_context** out, agon_error* error) {
    agon__tls_context* context = calloc(1, sizeof *context);
    if (!context)
        return agon_fail(error, AGON_EMEMORY, "no memory for TLS");
    context->server = server;
    context->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!context->ssl || SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION) != 1) {
        agon__tls_context_close(context);
        return agon_fail(error, AGON_EUNSUPPORTED, "this OpenSSL has no TLS 1.3");
    }
    /* Nothing to resume, so nothing to replay. */
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context->ssl, 0);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
    *out = context;
    return AGON_OK;
}

int agon__tls_server_open(const char* dir, bool clients, agon__tls_context** out,
                          agon_error* error) {
    agon__tls_context* context;
    int rc = make(true, &context, error);
    if (rc)
        return rc;
    rc = load_own(context->ssl, dir, "server", error);
    rc = rc ? rc : must_hold_now(context->ssl, dir, "server", error);
    if (!rc && clients) {
        rc = trust(context->ssl, dir, error);
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           on_verify);
    }
    if (rc) {
        agon__tls_context_close(context);
        return rc;
    }
    *out = context;
    return AGON_OK;
}

/* Neither file: the worker has no certificate. One of them: somebody's mistake. */
static bool has_own(const char* dir) {
    char path[AGON_PATH_SIZE];
    return (agon__cert_path(dir, "client.pem", path, NULL) == AGON_OK && access(path, F_OK) == 0) ||
           (agon__cert_path(dir, "client.key", path, NULL) == AGON_OK && access(path, F_OK) == 0);
}

int agon__tls_client_open(const char* dir, agon__tls_context** out, agon_error* error) {
    agon__tls_context* context;
    int rc = make(false, &context, error);
    if (rc)
        return rc;
    rc = trust(context->ssl, dir, error);
    if (!rc && has_own(dir)) {
        rc = load_own(context->ssl, dir, "client", error);
        rc = rc ? rc : must_hold_now(context->ssl, dir, "client", error);
    }
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, on_verify);
    if (rc) {
        agon__tls_context_close(context);
        return rc;
    }
    *out = context;
    return AGON_OK;
}

void agon__tls_context_close(agon__tls_context* context) {
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    free(context);
}
