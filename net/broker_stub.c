#include "net/transport.h"
int agon__broker_open(agon__coordinator* c, agon__transport* out, agon_error* error) {
    (void)c;
    (void)out;
    return agon_fail(error, AGON_EUNSUPPORTED, "no nats yet");
}
#include "net/link.h"
int agon__link_nats_open(const agon__link_def* def, const char* url, agon__link* out,
                         agon_error* error) {
    (void)def;
    (void)url;
    (void)out;
    return agon_fail(error, AGON_EUNSUPPORTED, "no nats yet");
}
