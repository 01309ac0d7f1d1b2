/* tls.c: see tls.h. OpenSSL never sees a socket: bytes go in and out by memory BIOs. */
#include "net/tls_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what certificates say ---------------------------------------------------------------- */

/* Text of a certificate is the other side's: what is not printable ASCII becomes '?'. */
static void copy_text(const ASN1_STRING* text, char* out, size_t size) {
    const unsigned char* data = ASN1_STRING_get0_data(text);
    const int length = ASN1_STRING_length(text);
    size_t used = 0;
    for (int i = 0; i < length && used + 1 < size; i++)
        out[used++] = data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : '?';
    out[used] = '\0';
}

void agon__tls_common_name(X509_NAME* name, char* out, size_t size) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    out[0] = '\0';
    if (at >= 0)
        copy_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), out, size);
}

static void host_text(const GENERAL_NAME* name, char* out, size_t size) {
    out[0] = '\0';
    if (name->type == GEN_DNS) {
        copy_text(name->d.dNSName, out, size);
    } else if (name->type == GEN_IPADD) {
        const int length = ASN1_STRING_length(name->d.iPAddress);
        const unsigned char* data = ASN1_STRING_get0_data(name->d.iPAddress);
        if (length == 4 || length == 16)
            inet_ntop(length == 4 ? AF_INET : AF_INET6, data, out, (socklen_t)size);
    }
}

void agon__tls_hosts(X509* certificate, char* out, size_t size) {
    GENERAL_NAMES* names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const int count = names ? sk_GENERAL_NAME_num(names) : 0;
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < count && used < size; i++) {
        char host[256];
        host_text(sk_GENERAL_NAME_value(names, i), host, sizeof host);
        if (host[0])
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", host);
    }
    GENERAL_NAMES_free(names);
}

/* ---- one connection ----------------------------------------------------------------------- */

/* Only a client is told a host; addresses and names are checked in different ways. */
static bool expect_host(agon__tls* tls, const char* host) {
    unsigned char address[16];
    X509_VERIFY_PARAM* rules = SSL_get0_param(tls->ssl);
    snprintf(tls->host, sizeof tls->host, "%s", host);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(rules, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1 &&
           SSL_set_tlsext_host_name(tls->ssl, host) == 1;
}

int agon__tls_open(agon__tls_context* context, const char* host, agon__tls** out,
                   agon_error* error) {
    assert(context->server == !host);
    agon__tls* tls = calloc(1, sizeof *tls);
    if (!tls)
        return agon_fail(error, AGON_EMEMORY, "no memory for a TLS connection");
    tls->server = context->server;
    tls->ssl = SSL_new(context->ssl);
    tls->from_network = BIO_new(BIO_s_mem());
    tls->to_network = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->from_network || !tls->to_network) {
        BIO_free(tls->from_network);
        BIO_free(tls->to_network);
        agon__tls_close(tls);
        return agon_fail(error, AGON_EMEMORY, "no memory for a TLS connection");
    }
    SSL_set_bio(tls->ssl, tls->from_network, tls->to_network);
    SSL_set_app_data(tls->ssl, tls);
    if (tls->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    if (host && !expect_host(tls, host)) {
        agon__tls_close(tls);
        return agon_fail(error, AGON_EINVALID,
                         "'%.100s' is no name or address that a certificate can be for", host);
    }
    *out = tls;
    return AGON_OK;
}

void agon__tls_close(agon__tls* tls) {
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

int agon__tls_receive(agon__tls* tls, const uint8_t* data, size_t size, agon_error* error) {
    assert(size <= INT_MAX);
    if (BIO_write(tls->from_network, data, (int)size) != (int)size)
        return agon_fail(error, AGON_EMEMORY, "no memory for what came over TLS");
    return AGON_OK;
}

/* AGON_OK when OpenSSL only lacks bytes from the network, or all is well. */
static int judge(agon__tls* tls, int result, agon_error* error) {
    if (result > 0 || SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
        return AGON_OK;
    return agon__tls_explain(tls, error);
}

int agon__tls_step(agon__tls* tls, agon_error* error) {
    if (tls->ready)
        return AGON_OK;
    ERR_clear_error();
    const int result = SSL_do_handshake(tls->ssl);
    tls->ready = result == 1;
    return judge(tls, result, error);
}

int agon__tls_write(agon__tls* tls, const uint8_t* data, size_t size, agon_error* error) {
    size_t wrote;
    assert(tls->ready && size > 0);
    ERR_clear_error();
    /* All or nothing: a memory BIO takes everything. */
    if (SSL_write_ex(tls->ssl, data, size, &wrote) != 1)
        return agon__tls_explain(tls, error);
    return AGON_OK;
}

int agon__tls_read(agon__tls* tls, uint8_t* out, size_t size, size_t* got, agon_error* error) {
    *got = 0;
    if (!tls->ready)
        return AGON_OK;
    ERR_clear_error();
    const int result = SSL_read_ex(tls->ssl, out, size, got);
    /* The other side's farewell; its FIN follows. */
    if (result != 1 && SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return AGON_OK;
    return judge(tls, result, error);
}

size_t agon__tls_take(agon__tls* tls, uint8_t* out, size_t size) {
    const int got = BIO_read(tls->to_network, out, size < INT_MAX ? (int)size : INT_MAX);
    return got > 0 ? (size_t)got : 0;
}

size_t agon__tls_held(const agon__tls* tls) {
    return BIO_ctrl_pending(tls->to_network);
}

bool agon__tls_ready(const agon__tls* tls) {
    return tls->ready;
}

void agon__tls_peer(const agon__tls* tls, char* out, size_t size) {
    X509* certificate = SSL_get0_peer_certificate(tls->ssl);
    out[0] = '\0';
    if (certificate)
        agon__tls_common_name(X509_get_subject_name(certificate), out, size);
}
