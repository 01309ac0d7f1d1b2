/* cert_make.c: keys and certificates in memory. */
#include "net/cert_internal.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken(const char* what, agon_error* error) {
    const char* text = ERR_reason_error_string(ERR_get_error());
    return agon_fail(error, AGON_EUNSUPPORTED, "OpenSSL cannot make %s: %s", what,
                     text ? text : "no reason given");
}

void agon__pair_clear(agon__pair* pair) {
    EVP_PKEY_free(pair->key);
    X509_free(pair->certificate);
    memset(pair, 0, sizeof *pair);
}

int agon__key_make(EVP_PKEY** out, agon_error* error) {
    ERR_clear_error();
    EVP_PKEY* key = EVP_EC_gen("P-256");
    if (!key)
        return broken("a key", error);
    *out = key;
    return AGON_OK;
}

/* ---- hosts -------------------------------------------------------------------------------- */

static bool is_address(const char* host) {
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

int agon__cert_check_host(const char* host, agon_error* error) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const size_t length = strlen(host);
    if (is_address(host) ||
        (length >= 1 && length <= 253 && strspn(host, plain) == length && host[0] != '.'))
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "'%.100s' is no host: expected a name or an address", host);
    return agon_hint(error, "for example --host trainer.lab or --host 10.0.0.7, without a port");
}

/* ---- extensions --------------------------------------------------------------------------- */

static bool add_extension(X509* certificate, X509* signer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, signer, certificate, NULL, NULL, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    const bool fine = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return fine;
}

/* The text form of subjectAltName; its characters were checked by agon__cert_check_host. */
static bool add_hosts(X509* certificate, X509* signer, const agon__cert_def* def) {
    size_t used = 0, room = 1;
    for (int i = 0; i < def->hosts; i++)
        room += strlen(def->host[i]) + sizeof "DNS:,";
    char* text = calloc(1, room);
    for (int i = 0; text && i < def->hosts; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%s:%s", i ? "," : "",
                                 is_address(def->host[i]) ? "IP" : "DNS", def->host[i]);
    const bool fine =
        text && (!def->hosts || add_extension(certificate, signer, NID_subject_alt_name, text));
    free(text);
    return fine;
}

static bool add_extensions(X509* certificate, X509* signer, const agon__cert_def* def) {
    const bool authority = def->use == AGON__CERT_AUTHORITY;
    bool fine =
        add_extension(certificate, signer, NID_basic_constraints,
                      authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
        add_extension(certificate, signer, NID_key_usage,
                      authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
        add_extension(certificate, signer, NID_subject_key_identifier, "hash") &&
        add_extension(certificate, signer, NID_authority_key_identifier, "keyid:always");
    /* A worker's certificate must not pass for a coordinator's. */
    if (!authority)
        fine = fine && add_extension(certificate, signer, NID_ext_key_usage,
                                     def->use == AGON__CERT_SERVER ? "serverAuth" : "clientAuth");
    return fine && add_hosts(certificate, signer, def);
}

/* ---- certificates ------------------------------------------------------------------------- */

static bool set_serial(X509* certificate) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] &= 0x7f; /* positive */
    BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, NULL);
    const bool fine = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return fine;
}

static bool fill(X509* certificate, const agon__cert_def* def, EVP_PKEY* key, X509* signer) {
    X509_NAME* name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), def->from_s) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), def->until_s) &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char*)def->name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
           X509_set_pubkey(certificate, key) == 1 && add_extensions(certificate, signer, def);
}

int agon__cert_make(const agon__cert_def* def, EVP_PKEY* key, const agon__pair* signer, X509** out,
                    agon_error* error) {
    ERR_clear_error();
    X509* certificate = X509_new();
    if (!certificate)
        return broken("a certificate", error);
    if (!fill(certificate, def, key, signer ? signer->certificate : certificate) ||
        X509_sign(certificate, signer ? signer->key : key, EVP_sha256()) <= 0) {
        X509_free(certificate);
        return broken("a certificate", error);
    }
    *out = certificate;
    return AGON_OK;
}
