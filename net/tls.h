/* tls.h: TLS 1.3 between two memory buffers; whoever uses it moves the bytes. */
#ifndef AGON_TLS_H
#define AGON_TLS_H

#include "games/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct agon__tls_context agon__tls_context;
typedef struct agon__tls agon__tls;

/* `dir` as `agon cert` fills it. A server uses server.pem, server.key, and asks for a client's
 * certificate when `clients`: then one signed by ca.pem is demanded. A client trusts ca.pem alone,
 * and shows client.pem, client.key where they are. Every fault of a file is named. */
int agon__tls_server_open(const char* dir, bool clients, agon__tls_context** out,
                          agon_error* error);
int agon__tls_client_open(const char* dir, agon__tls_context** out, agon_error* error);
void agon__tls_context_close(agon__tls_context* context);

/* One connection. `host`: the name or address that a server's certificate must be for; NULL on the
 * server's side. */
int agon__tls_open(agon__tls_context* context, const char* host, agon__tls** out,
                   agon_error* error);
void agon__tls_close(agon__tls* tls);

/* What came from the network. */
int agon__tls_receive(agon__tls* tls, const uint8_t* data, size_t size, agon_error* error);
/* What is to be sent, after the handshake. */
int agon__tls_write(agon__tls* tls, const uint8_t* data, size_t size, agon_error* error);
/* Moves on; afterwards read and take until both give 0. */
int agon__tls_step(agon__tls* tls, agon_error* error);
/* Plain bytes that arrived; 0: none now. */
int agon__tls_read(agon__tls* tls, uint8_t* out, size_t size, size_t* got, agon_error* error);
/* Bytes for the network; 0: none now. */
size_t agon__tls_take(agon__tls* tls, uint8_t* out, size_t size);
size_t agon__tls_held(const agon__tls* tls); /* bytes for the network that were not taken */
bool agon__tls_ready(const agon__tls* tls);  /* the handshake is over */
/* The common name of the other's certificate; empty: it showed none. */
void agon__tls_peer(const agon__tls* tls, char* out, size_t size);

#endif
