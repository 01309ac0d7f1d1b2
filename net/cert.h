/* cert.h: a certificate authority of one's own, for workers and coordinators of one group. */
#ifndef AGON_CERT_H
#define AGON_CERT_H

#include "games/error.h"

#include <stdbool.h>

/* ca.pem and ca.key into `dir` unless they are there; then server.pem and server.key for these
 * host names and addresses. days: how long they hold. Files that exist are never replaced
 * (AGON_EINVALID), but for server.* when `renew`. Keys are of mode 0600. */
int agon_cert_server(const char* dir, int hosts, char** host, int days, bool renew,
                     agon_error* error);
/* client.pem, client.key and a copy of ca.pem into `out`, signed by the authority in `dir`. */
int agon_cert_client(const char* dir, const char* name, const char* out, int days,
                     agon_error* error);

#endif
