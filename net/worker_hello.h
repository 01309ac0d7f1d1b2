/* worker_hello.h: what a worker says of itself. */
#ifndef AGON_WORKER_HELLO_H
#define AGON_WORKER_HELLO_H

#include "net/cluster.h"
#include "net/message.h"

/* All of a HELLO but its nonce, and the token's name, which the link knows. A program or game that
 * is not there is named. */
int agon__worker_hello(const agon_worker_def* def, int slots, agon__hello* out, agon_error* error);

#endif
