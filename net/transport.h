/* transport.h: how a coordinator's words reach workers: TCP, or a message broker. */
#ifndef AGON_TRANSPORT_H
#define AGON_TRANSPORT_H

#include "net/coordinator.h"
#include "net/message.h"

struct agon__transport {
    void* self;
    /* To the worker of a session. Encodes; a message that cannot be sent is dropped, and so, in
     * time, is the session. `peer` is what agon__session_open was given. */
    void (*send)(agon__transport* transport, void* peer, const agon__message* message);
    /* Ends the conversation after what was sent; agon__session_close has been called. */
    void (*part)(agon__transport* transport, void* peer);
    /* Bytes waiting for this worker; sending of chunks rests while there are many. */
    size_t (*queued)(agon__transport* transport, void* peer);
    /* (broker only) A lease to whomever takes it; the blobs that its task names with it. */
    void (*publish)(agon__transport* transport, const agon__lease* lease);
    void (*shut)(agon__transport* transport);  /* closes its handles on the loop */
    void (*close)(agon__transport* transport); /* after the loop has ended */
};

/* Listens on the URL of def; says on what by coordinator's note. */
int agon__server_open(agon__coordinator* c, agon__transport* out, agon_error* error);
int agon__broker_open(agon__coordinator* c, agon__transport* out, agon_error* error);

#endif
