/* subjects.h: names that coordinators and workers use on a NATS server.
 *
 * SPACE is of the URL. COORDINATOR: 16 hex digits, of the run and its host. NAME: of a worker, as
 * the server's permissions know it; ID: 16 hex digits of its process. EPOCH: 16 of one handshake.
 */
#ifndef AGON_SUBJECTS_H
#define AGON_SUBJECTS_H

#include "net/nats.h"

#define AGON__TOKEN_SIZE 17 /* 16 hex digits */

/* At most once. */
#define AGON__SUBJECT_HERE      "agon.%s.here.%s"       /* SPACE COORDINATOR: I am here */
#define AGON__SUBJECT_TO_CENTRE "agon.%s.c.%s.%s.%s.%s" /* SPACE COORDINATOR NAME ID EPOCH */
#define AGON__SUBJECT_TO_WORKER "agon.%s.w.%s.%s.%s"    /* SPACE NAME ID EPOCH */
#define AGON__SUBJECT_ANSWERS   "agon.%s.i.%s.%s"       /* SPACE NAME ID: answers of the server */

/* Kept by streams. */
#define AGON__SUBJECT_TASK   "agon.%s.task.%s"         /* SPACE COORDINATOR */
#define AGON__SUBJECT_RESULT "agon.%s.result.%s.%s.%s" /* SPACE COORDINATOR NAME ID */
#define AGON__SUBJECT_BLOB   "agon.%s.blob.%s"         /* SPACE HASH; a chunk: .INDEX */
#define AGON__SUBJECT_PART   "agon.%s.part.%s.%s.%s"   /* SPACE NAME ID HASH; a chunk: .INDEX */

#define AGON__STREAM_TASKS   "AGON-%s-TASKS" /* SPACE */
#define AGON__STREAM_RESULTS "AGON-%s-RESULTS"
#define AGON__STREAM_BLOBS   "AGON-%s-BLOBS"

#define AGON__HERE_MS   1000 /* a coordinator says so every second */
#define AGON__SILENT_MS 5000 /* so long without is silence */

/* Splits a subject of exactly `count` words into them; each is at most 79 letters, digits, '-' and
 * '_'. */
bool agon__subject_split(const char* subject, int count, char word[][80]);
/* A name as a word of a subject. */
void agon__subject_word(const char* name, char* out, size_t size);

#endif
