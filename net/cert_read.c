/* cert_read.c: what a certificate says, and whether it is what it should be. */
#include "net/cert_internal.h"
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

static int64_t seconds(const ASN1_TIME* when) {
    struct tm parts;
    return ASN1_TIME_to_tm(when, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

int agon_cert_read(const char* path, agon_cert_facts* out, agon_error* error) {
    X509* certificate;
    const int rc = agon__cert_load(path, &certificate, error);
    if (rc)
        return rc;
    memset(out, 0, sizeof *out);
    agon__tls_common_name(X509_get_subject_name(certificate), out->name, sizeof out->name);
    agon__tls_common_name(X509_get_issuer_name(certificate), out->signer, sizeof out->signer);
    agon__tls_hosts(certificate, out->hosts, sizeof out->hosts);
    out->from = seconds(X509_get0_notBefore(certificate));
    out->until = seconds(X509_get0_notAfter(certificate));
    out->authority = X509_check_ca(certificate) == 1;
    X509_free(certificate);
    return AGON_OK;
}

static int check_signature(const char* path, X509* certificate, const char* authority,
                           agon_error* error) {
    X509* signer;
    const int rc = agon__cert_load(authority, &signer, error);
    if (rc)
        return rc;
    const bool fine = X509_check_issued(signer, certificate) == X509_V_OK &&
                      X509_verify(certificate, X509_get0_pubkey(signer)) == 1;
    X509_free(signer);
    ERR_clear_error();
    return fine ? AGON_OK
                : agon_fail(error, AGON_EFORMAT, "%s is not signed by %s", path, authority);
}

static int check_key(const char* path, const X509* certificate, const char* key,
                     agon_error* error) {
    EVP_PKEY* secret;
    int rc = agon__key_is_private(key, error);
    rc = rc ? rc : agon__key_load(key, &secret, error);
    if (rc)
        return rc;
    if (X509_check_private_key(certificate, secret) != 1)
        rc = agon_fail(error, AGON_EFORMAT, "%s is not the key of %s", key, path);
    EVP_PKEY_free(secret);
    ERR_clear_error();
    return rc;
}

int agon_cert_check(const char* path, const char* authority, const char* key, agon_error* error) {
    X509* certificate;
    int rc = agon__cert_load(path, &certificate, error);
    if (rc)
        return rc;
    rc = check_signature(path, certificate, authority, error);
    if (!rc && key)
        rc = check_key(path, certificate, key, error);
    X509_free(certificate);
    return rc;
}
