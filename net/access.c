#include "net/access.h"

#include "net/auth.h"

/* Nobody may work for a run who cannot show that he is meant to, unless only this machine can
 * reach it. */
static int check_safety(const agon_cluster_def* def, const agon__url* url, agon_error* error) {
    const bool authentic = def->tokens[0] || url->scheme == AGON__TLS;
    if (agon__url_is_loopback(url) || authentic || def->insecure)
        return AGON_OK;
    agon_fail(error, AGON_EINVALID,
              "%s can be reached by other machines, and anybody could work for this run",
              def->listen);
    return agon_hint(error, "give tokens (agon cert --token; machine.tokens=FILE) or certificates "
                            "(agon cert; tls://, machine.tls=DIR), or type --insecure");
}

int agon__server_tls(const agon_cluster_def* def, const agon__url* url, agon__tls_context** out,
                     agon_error* error) {
    if (url->scheme != AGON__TLS)
        return AGON_OK;
    if (!def->tls[0]) {
        agon_fail(error, AGON_EINVALID, "%s needs certificates, and machine.tls is empty",
                  def->listen);
        return agon_hint(error, "agon cert --dir certs --host %s; then machine.tls=certs",
                         url->host);
    }
    const bool clients = !def->tokens[0] && !def->insecure;
    return agon__tls_server_open(def->tls, clients, out, error);
}

int agon_cluster_check(const agon_cluster_def* def, agon_error* error) {
    agon__tls_context* tls = NULL;
    agon__tokens tokens = {0};
    agon__url url;
    int rc = agon__url_parse(def->listen, &url, error);
    if (rc || url.scheme == AGON__NATS || url.scheme == AGON__NATS_TLS)
        return rc;
    rc = check_safety(def, &url, error);
    if (!rc && def->tokens[0])
        rc = agon__tokens_read(def->tokens, &tokens, error);
    if (!rc)
        rc = agon__server_tls(def, &url, &tls, error);
    agon__tokens_clear(&tokens);
    agon__tls_context_close(tls);
    return rc;
}
