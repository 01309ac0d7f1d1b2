/* tls_internal.h: what the files tls*.c share. */
#ifndef AGON_TLS_INTERNAL_H
#define AGON_TLS_INTERNAL_H

#include "net/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct agon__tls_context {
    SSL_CTX* ssl;
    bool server;
};

struct agon__tls {
    SSL* ssl;
    BIO *from_network, *to_network; /* owned by ssl */
    bool server, ready;
    char host[256];  /* whom a server must be */
    char found[256]; /* for whom the certificate is that was refused */
    int refused;     /* why it was: X509_V_ERR_..., 0: it was not */
};

/* Says why OpenSSL gave up, in the words of who reads it. */
int agon__tls_explain(const agon__tls* tls, agon_error* error);
/* The names and addresses of a certificate: "a, b, 10.0.0.1". */
void agon__tls_hosts(X509* certificate, char* out, size_t size);
void agon__tls_common_name(X509_NAME* name, char* out, size_t size);

#endif
