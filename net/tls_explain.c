/* tls_explain.c: why a handshake failed, in words that say what to do. */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>

typedef struct reason {
    int number;
    const char *text, *hint;
} reason;

#define CLOCK "is this host's clock right? 'agon cert --help' shows how to make a new one"
#define SAME  "both sides need the ca.pem of one 'agon cert --dir'"

/* What this side found wrong with the other's certificate. */
static const reason verdicts[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "the certificate has expired", CLOCK},
    {X509_V_ERR_CERT_NOT_YET_VALID, "the certificate is not valid yet", CLOCK},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "the certificate is signed by an unknown authority",
     SAME},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "the certificate is signed by an unknown authority", SAME},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "the certificate is signed by an unknown authority", SAME},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the certificate is signed by an unknown authority",
     SAME},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the certificate is signed by an unknown authority",
     SAME},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "the certificate is signed by an unknown authority", SAME},
    {X509_V_ERR_INVALID_PURPOSE, "the certificate is for another use",
     "a coordinator shows server.pem, a worker client.pem"},
};

/* What the other side said, or what OpenSSL made of its bytes. */
static const reason alerts[] = {
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "this coordinator wants a client certificate",
     "'agon cert --dir DIR --client NAME --out DIR' makes one where the authority is"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it showed no client certificate",
     "'agon cert --dir DIR --client NAME --out DIR' makes one"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the other side says: your certificate has expired",
     CLOCK},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the other side says: your certificate is signed by an unknown authority", SAME},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the other side refuses your certificate", SAME},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "the other side refuses your certificate",
     "a coordinator shows server.pem, a worker client.pem"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the other side has no TLS 1.3", ""},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the other side has no TLS 1.3", ""},
    {SSL_R_WRONG_VERSION_NUMBER, "the other side does not speak TLS",
     "tls:// and tcp:// are different: use the address that the coordinator printed"},
    {SSL_R_HTTP_REQUEST, "the other side speaks HTTP", ""},
};

static const reason* find(const reason* list, size_t count, int number) {
    for (size_t i = 0; i < count; i++)
        if (list[i].number == number)
            return &list[i];
    return NULL;
}

static int say(const reason* why, agon_error* error) {
    agon_fail(error, AGON_EIO, "TLS: %s", why->text);
    return agon_hint(error, "%s", why->hint);
}

static int explain_refusal(const agon__tls* tls, agon_error* error) {
    const reason* why = find(verdicts, sizeof verdicts / sizeof *verdicts, tls->refused);
    if (tls->refused == X509_V_ERR_HOSTNAME_MISMATCH ||
        tls->refused == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        agon_fail(error, AGON_EIO, "TLS: the certificate is for host %s, not %s",
                  tls->found[0] ? tls->found : "(none)", tls->host);
        return agon_hint(error,
                         "connect to a host it is for, or make one with "
                         "'agon cert --dir DIR --renew --host %.100s'",
                         tls->host);
    }
    if (why)
        return say(why, error);
    return agon_fail(error, AGON_EIO, "TLS: the certificate is refused: %s",
                     X509_verify_cert_error_string(tls->refused));
}

int agon__tls_explain(const agon__tls* tls, agon_error* error) {
    const unsigned long code = ERR_peek_error();
    const char* text = ERR_reason_error_string(code);
    const reason* why = find(alerts, sizeof alerts / sizeof *alerts, ERR_GET_REASON(code));
    ERR_clear_error();
    if (tls->refused)
        return explain_refusal(tls, error);
    if (why && ERR_GET_LIB(code) == ERR_LIB_SSL)
        return say(why, error);
    return agon_fail(error, AGON_EIO, "TLS: %s", text ? text : "the connection broke");
}
