/* watch.h: what is told of a coordinator's workers: workers.json, the metrics page, one line; and
 * what an earlier process told. */
#ifndef AGON_WATCH_H
#define AGON_WATCH_H

#include "net/cluster.h"
#include "net/scheduler.h"

typedef struct agon__watch agon__watch;

/* Opens the metrics page where def has one, and bans whoever was struck in an earlier process. What
 * is given is borrowed until the close; def->listen is what was asked for, `address` what is
 * listened on. */
int agon__watch_open(uv_loop_t* loop, const agon_cluster_def* def, const char* address,
                     agon__scheduler* scheduler, agon__watch** out, agon_error* error);
/* The text of workers.json, malloc'd; NULL: the one before is younger than two seconds,
 * and this is not the last. */
char* agon__watch_workers(agon__watch* watch, int64_t now, bool last);
/* One line of what goes on. */
void agon__watch_line(const agon__watch* watch, char* out, size_t size);
void agon__watch_shut(agon__watch* watch);  /* closes its handles on the loop */
void agon__watch_close(agon__watch* watch); /* after the loop has ended; NULL is fine */

#endif
