/* auth.h: who may work: tokens and the answer to a challenge.
 *
 * A token is 32 random bytes, written as 64 hex digits in a file of mode 0600 with its name before
 * it ("NAME HEX"). The coordinator's file has a line "NAME SHA-256-OF-THE-TOKEN" (of its 64 hex
 * digits) for each; a line is removed to revoke one. The key of the MAC is that SHA-256, so the
 * coordinator's file lets its reader work under these names, too, and is as private as a token.
 * Empty lines and those that begin with '#' do not count. */
#ifndef AGON_AUTH_H
#define AGON_AUTH_H

#include "engine/blob.h"

typedef struct agon__token {
    char name[64];
    char key[AGON_HASH_SIZE]; /* SHA-256 of the token, hex */
    int line;                 /* of its file */
} agon__token;

typedef struct agon__tokens {
    int count;
    agon__token* token; /* (count) owned; in the order of their names */
} agon__tokens;

/* A coordinator's file; refused (AGON_EINVALID) when others may read it. AGON_EFORMAT names the
 * line. */
int agon__tokens_read(const char* path, agon__tokens* out, agon_error* error);
int agon__tokens_parse(const char* text, const char* origin, agon__tokens* out, agon_error* error);
void agon__tokens_clear(agon__tokens* tokens);
const agon__token* agon__tokens_find(const agon__tokens* tokens, const char* name);

/* A worker's file; refused (AGON_EINVALID) when others may read it. */
int agon__token_read(const char* path, agon__token* out, agon_error* error);
int agon__token_parse(const char* text, const char* origin, agon__token* out, agon_error* error);

/* A new token into a new file `path` (mode 0600), and its line appended to `tokens_path`, which is
 * made when absent. An existing `path` or name is AGON_EINVALID. */
int agon_token_make(const char* name, const char* path, const char* tokens_path, agon_error* error);

/* HMAC-SHA-256 with the token's key over: nonces of worker and coordinator, the bytes of HELLO. */
int agon__mac(const agon__token* token, const char* nonce_worker, const char* nonce_coordinator,
              const uint8_t* hello, size_t size, char out[AGON_HASH_SIZE], agon_error* error);
/* In a time that does not depend on where they differ. */
bool agon__mac_equal(const char* a, const char* b);

/* 64 hex digits from the system's generator. */
int agon__random_hex(char out[AGON_HASH_SIZE], agon_error* error);

#endif
