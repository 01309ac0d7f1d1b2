/* nkey.h: key pairs that a NATS server knows users by. */
#ifndef AGON_NKEY_H
#define AGON_NKEY_H

#include "games/error.h"

#define AGON__NKEY_SIZE 64 /* holds a seed or a public key, as text */

/* The public key (U...) of a user's seed (SU...). */
int agon__nkey_public(const char* seed, char out[AGON__NKEY_SIZE], agon_error* error);
/* A new seed into a new file `path` (mode 0600); its public key into `public`. */
int agon_nkey_make(const char* path, char public[AGON__NKEY_SIZE], agon_error* error);

#endif
