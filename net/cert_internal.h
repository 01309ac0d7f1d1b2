/* cert_internal.h: what the files cert*.c share. */
#ifndef AGON_CERT_INTERNAL_H
#define AGON_CERT_INTERNAL_H

#include "net/cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

typedef enum agon__cert_use {
    AGON__CERT_AUTHORITY,
    AGON__CERT_SERVER,
    AGON__CERT_CLIENT
} agon__cert_use;

/* A key and the certificate that goes with it; either may be NULL. Owned. */
typedef struct agon__pair {
    EVP_PKEY* key;
    X509* certificate;
} agon__pair;

void agon__pair_clear(agon__pair* pair);

typedef struct agon__cert_def {
    agon__cert_use use;
    const char* name; /* common name, at most 64 bytes */
    int hosts;
    char** host;          /* (hosts) names and addresses */
    long from_s, until_s; /* seconds from now */
} agon__cert_def;

/* cert_make.c. EC P-256. signer NULL: by itself. */
int agon__key_make(EVP_PKEY** out, agon_error* error);
int agon__cert_make(const agon__cert_def* def, EVP_PKEY* key, const agon__pair* signer, X509** out,
                    agon_error* error);
int agon__cert_check_host(const char* host, agon_error* error);

/* cert_files.c: DIR/NAME.pem and DIR/NAME.key. A file appears whole, and replaces one only when
 * `replace`; otherwise one that is there is AGON_EINVALID. */
int agon__cert_path(const char* dir, const char* file, char* out, agon_error* error);
int agon__cert_write(const char* dir, const char* file, const X509* certificate, bool replace,
                     agon_error* error);
int agon__key_write(const char* dir, const char* file, const EVP_PKEY* key, agon_error* error);
int agon__cert_load(const char* path, X509** out, agon_error* error);
int agon__key_load(const char* path, EVP_PKEY** out, agon_error* error);
/* A key that others may read is no secret. */
int agon__key_is_private(const char* path, agon_error* error);

#endif
