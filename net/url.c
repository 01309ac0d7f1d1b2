#include "net/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char* text, const char* problem, agon_error* error) {
    agon_fail(error, AGON_EINVALID, "'%.100s' is not an address: %s", text, problem);
    return agon_hint(error, "for example tcp://127.0.0.1:7766 or nats://broker:4222/lab");
}

static const struct {
    const char* name;
    agon__scheme scheme;
    int port;
} schemes[] = {
    {"tcp://", AGON__TCP, AGON__DEFAULT_PORT},
    {"tls://", AGON__TLS, AGON__DEFAULT_PORT},
    {"nats://", AGON__NATS, 4222},
    {"natstls://", AGON__NATS_TLS, 4222},
};

static const char* read_scheme(const char* text, agon__url* out) {
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const size_t length = strlen(schemes[i].name);
        if (strncmp(text, schemes[i].name, length) != 0)
            continue;
        out->scheme = schemes[i].scheme;
        out->port = schemes[i].port;
        return text + length;
    }
    return NULL;
}

/* Copies a host, with or without brackets; returns what follows it, NULL: malformed. */
static const char* read_host(const char* at, char* host, size_t size) {
    const bool bracketed = *at == '[';
    const char* begin = at + bracketed;
    const size_t length = strcspn(begin, bracketed ? "]" : ":/");
    const char* end = begin + length;
    if (length == 0 || length >= size || (bracketed && *end != ']'))
        return NULL;
    for (const char* c = begin; c < end; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%", *c))
            return NULL;
    memcpy(host, begin, length);
    host[length] = '\0';
    return end + bracketed;
}

static const char* read_port(const char* at, int* port) {
    char* end;
    if (*at != ':')
        return at;
    if (at[1] < '0' || at[1] > '9')
        return NULL;
    const long value = strtol(at + 1, &end, 10);
    if (value > 65535)
        return NULL;
    *port = (int)value;
    return end;
}

int agon__url_parse(const char* text, agon__url* out, agon_error* error) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    agon__url url = {.space = "agon"};
    const char* at = read_scheme(text, &url);
    if (!at)
        return refuse(text, "expected tcp://, tls://, nats:// or natstls:// at its beginning",
                      error);
    at = read_host(at, url.host, sizeof url.host);
    if (!at)
        return refuse(text, "expected a host's name or address after the scheme", error);
    at = read_port(at, &url.port);
    if (!at)
        return refuse(text, "expected a port of 0..65535 after the ':'", error);
    if (*at == '/' && at[1]) {
        const size_t length = strlen(at + 1);
        if (url.scheme == AGON__TCP || url.scheme == AGON__TLS)
            return refuse(text, "a path is for nats alone", error);
        if (length >= sizeof url.space || strspn(at + 1, plain) != length)
            return refuse(text, "expected letters, digits, '-' and '_' after the '/'", error);
        memcpy(url.space, at + 1, length + 1);
    } else if (*at && strcmp(at, "/") != 0) {
        return refuse(text, "expected nothing after the port", error);
    }
    *out = url;
    return AGON_OK;
}

bool agon__url_is_loopback(const agon__url* url) {
    struct in_addr v4;
    if (inet_pton(AF_INET, url->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcmp(url->host, "localhost") == 0 || strcmp(url->host, "::1") == 0;
}
