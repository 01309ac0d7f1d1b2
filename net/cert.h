/* cert.h: a certificate authority of one's own, for workers and coordinators of one group. */
#ifndef AGON_CERT_H
#define AGON_CERT_H

#include "games/error.h"

#include <stdbool.h>
#include <stdint.h>

#define AGON_CERT_DAYS_MAX 3650

/* ca.pem and ca.key into `dir` unless they are there; then server.pem and server.key for these
 * host names and addresses. days: how long server.pem holds, 1..AGON_CERT_DAYS_MAX; the authority
 * holds for 20 years. Files that exist are never replaced (AGON_EINVALID), but for server.pem when
 * `renew`, which keeps its key, and its hosts when none is given. Keys are of mode 0600. */
int agon_cert_server(const char* dir, int hosts, char** host, int days, bool renew,
                     agon_error* error);
/* client.pem, client.key and a copy of ca.pem into `out`, signed by the authority in `dir`. */
int agon_cert_client(const char* dir, const char* name, const char* out, int days,
                     agon_error* error);

/* What a certificate says. Times in seconds since 1970. */
typedef struct agon_cert_facts {
    char name[128];   /* common name */
    char hosts[1024]; /* "a.example, 10.0.0.1"; empty: of a client, or an authority */
    char signer[128]; /* common name */
    int64_t from, until;
    bool authority;
} agon_cert_facts;

int agon_cert_read(const char* path, agon_cert_facts* out, agon_error* error);
/* Is the certificate `path` signed by that of `authority`, and the key `key` its own, and private?
 * AGON_OK, or what is wrong. key NULL: not asked. */
int agon_cert_check(const char* path, const char* authority, const char* key, agon_error* error);

#endif
