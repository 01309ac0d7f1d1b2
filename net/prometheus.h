/* prometheus.h: a page of metrics over HTTP, for Prometheus and for those who look after a run.
 *
 *   GET /metrics   what `fill` writes, text format 0.0.4      GET /healthz   "ok"
 *
 * Everything else is refused: 404, 405, or 400 for what is no HTTP request of at most 4 KiB. One
 * answer per connection, which may last 5 s; of more than 32 at a time the oldest is closed. */
#ifndef AGON_PROMETHEUS_H
#define AGON_PROMETHEUS_H

#include "games/error.h"

#include <stdio.h>
#include <uv.h>

#define AGON__HTTP_REQUEST     4096 /* bytes, its headers included */
#define AGON__HTTP_PATIENCE    5000 /* milliseconds from connecting to the end of the answer */
#define AGON__HTTP_CONNECTIONS 32

typedef struct agon__prometheus agon__prometheus;

/* Listens on "HOST:PORT" (port 0: any free one). `fill` writes the text, on the loop thread. */
int agon__prometheus_open(uv_loop_t* loop, const char* where, void (*fill)(void* user, FILE* out),
                          void* user, agon__prometheus** out, agon_error* error);
int agon__prometheus_port(const agon__prometheus* p);
void agon__prometheus_shut(agon__prometheus* p);  /* closes its handles on the loop */
void agon__prometheus_close(agon__prometheus* p); /* after the loop has ended: frees it */

#endif
