/* fuzz_url.c: any text is the address of a coordinator or not; one that is keeps to its bounds, and
 * is the same when it is written out and read back. */
#include "net/url.h"
#include "tests/fuzz/fuzz.h"

static void seed_text(const char* dir, const char* name, const char* text) {
    fuzz_seed(dir, name, text, strlen(text));
}

static void fuzz_seeds(const char* dir) {
    seed_text(dir, "tcp", "tcp://127.0.0.1:7766");
    seed_text(dir, "tls", "tls://[::1]:0/");
    seed_text(dir, "nats", "nats://broker.example/lab");
    seed_text(dir, "natstls", "natstls://[fe80::1%eth0]:4222/a_b-9");
    seed_text(dir, "local", "tcp://localhost");
    seed_text(dir, "beyond", "tcp://h:65536");
}

static void check_again(const agon__url* url) {
    static const char* const names[] = {"", "tcp", "tls", "nats", "natstls"};
    const bool nats = url->scheme >= AGON__NATS;
    char text[400];
    agon__url again;
    MUST(snprintf(text, sizeof text, "%s://[%s]:%d%s%s", names[url->scheme], url->host, url->port,
                  nats ? "/" : "", nats ? url->space : "") < (int)sizeof text);
    MUST(agon__url_parse(text, &again, NULL) == AGON_OK);
    MUST(again.scheme == url->scheme && again.port == url->port);
    MUST(strcmp(again.host, url->host) == 0 && strcmp(again.space, url->space) == 0);
    MUST(agon__url_is_loopback(&again) == agon__url_is_loopback(url));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = malloc(size + 1);
    agon__url url;
    agon_error error = {0};
    memcpy(text, data, size);
    text[size] = '\0';
    MUST(agon__url_parse(text, &url, &error) == error.code);
    if (error.code == AGON_OK) {
        MUST(url.scheme >= AGON__TCP && url.scheme <= AGON__NATS_TLS);
        MUST(url.host[0] && url.port >= 0 && url.port <= 65535 && url.space[0]);
        check_again(&url);
    } else {
        MUST(error.code == AGON_EINVALID && error.text[0] && error.hint[0]);
    }
    free(text);
    return 0;
}
