/* access.h: who may work for a run, as its settings say it. */
#ifndef AGON_ACCESS_H
#define AGON_ACCESS_H

#include "net/cluster.h"
#include "net/tls.h"
#include "net/url.h"

/* TLS for a server of a tls:// address; *out stays NULL for another. Client certificates are
 * demanded where there are no tokens. */
int agon__server_tls(const agon_cluster_def* def, const agon__url* url, agon__tls_context** out,
                     agon_error* error);

#endif
