/* url.h: where a coordinator is: "tcp://HOST:PORT", "tls://HOST:PORT", "nats://HOST:PORT[/SPACE]".
 */
#ifndef AGON_URL_H
#define AGON_URL_H

#include "games/error.h"

#include <stdbool.h>

typedef enum agon__scheme { AGON__TCP = 1, AGON__TLS, AGON__NATS, AGON__NATS_TLS } agon__scheme;

#define AGON__DEFAULT_PORT 7766 /* of tcp and tls; nats: 4222 */

typedef struct agon__url {
    agon__scheme scheme; /* "natstls://": nats over TLS */
    char host[256];      /* name, IPv4, or IPv6 without its brackets */
    int port;            /* 0 is allowed when listening: any free one */
    char space[64];      /* nats: runs and workers of one name meet; letters, digits, '-', '_' */
} agon__url;

/* A message names the text, what is wrong and an example. */
int agon__url_parse(const char* text, agon__url* out, agon_error* error);
/* Is the host this machine alone (localhost, 127.0.0.0/8, ::1)? */
bool agon__url_is_loopback(const agon__url* url);

#endif
