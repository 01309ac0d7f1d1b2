/* test_url.c: addresses of coordinators. */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Promise: what is left out has its default; names, IPv4 and IPv6 are hosts. */
static void test_good(void** unused) {
    static const struct {
        const char* text;
        agon__scheme scheme;
        const char* host;
        int port;
        const char* space;
    } cases[] = {
        {"tcp://127.0.0.1:0", AGON__TCP, "127.0.0.1", 0, "agon"},
        {"tcp://lab-7.example.org", AGON__TCP, "lab-7.example.org", 7766, "agon"},
        {"tls://host:65535/", AGON__TLS, "host", 65535, "agon"},
        {"tls://[::1]", AGON__TLS, "::1", 7766, "agon"},
        {"tcp://[fe80::1%eth0]:99", AGON__TCP, "fe80::1%eth0", 99, "agon"},
        {"nats://broker", AGON__NATS, "broker", 4222, "agon"},
        {"nats://broker/lab", AGON__NATS, "broker", 4222, "lab"},
        {"natstls://broker:5/a_B-9", AGON__NATS_TLS, "broker", 5, "a_B-9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon__url url;
        agon_error error = {0};
        if (agon__url_parse(cases[i].text, &url, &error) != AGON_OK)
            fail_msg("%s: %s", cases[i].text, error.text);
        assert_int_equal(url.scheme, cases[i].scheme);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_string_equal(url.space, cases[i].space);
    }
}

/* Promise: anything else is refused: the text, what is wrong with it, and an example. */
static void test_bad(void** unused) {
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "tcp://, tls://"},
        {"host:7766", "tcp://, tls://"},
        {"http://host", "tcp://, tls://"},
        {"TCP://host", "tcp://, tls://"},
        {"tcp://", "a host's name or address"},
        {"tcp://:80", "a host's name or address"},
        {"tcp://[::1", "a host's name or address"},
        {"tcp://[]:80", "a host's name or address"},
        {"tcp://a b:80", "a host's name or address"},
        {"tcp://user@host", "a host's name or address"},
        {"tcp://host:", "a port"},
        {"tcp://host:-1", "a port"},
        {"tcp://host:+1", "a port"},
        {"tcp://host: 1", "a port"},
        {"tcp://host:65536", "a port"},
        {"tcp://host:99999999999999999999", "a port"},
        {"tcp://host:0x50", "nothing after the port"},
        {"tcp://host:80:81", "nothing after the port"},
        {"tcp://[::1]x", "nothing after the port"},
        {"tcp://host/lab", "a path is for nats"},
        {"nats://host/la.b", "letters, digits"},
        {"nats://host/lab/", "letters, digits"},
        {"nats://host/>", "letters, digits"},
        {"nats://host/0123456789012345678901234567890123456789012345678901234567890123",
         "letters, digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon__url url = {.port = 1};
        agon_error error = {0};
        assert_int_equal(agon__url_parse(cases[i].text, &url, &error), AGON_EINVALID);
        if (!strstr(error.text, cases[i].problem) || !strstr(error.text, cases[i].text) ||
            !strstr(error.hint, "for example tcp://"))
            fail_msg("'%s': %s (%s)", cases[i].text, error.text, error.hint);
        assert_int_equal(url.port, 1);
    }
}

/* Promise: hosts of 255 bytes are taken, longer ones refused. */
static void test_long_host(void** unused) {
    char text[400];
    agon__url url;
    for (int length = 250; length < 300; length++) {
        snprintf(text, sizeof text, "tcp://%0*d:1", length, 7);
        assert_int_equal(agon__url_parse(text, &url, NULL), length < 256 ? AGON_OK : AGON_EINVALID);
    }
}

/* Promise: only this machine's own addresses are loopback; a name that begins like one is not. */
static void test_loopback(void** unused) {
    static const struct {
        const char* text;
        bool loopback;
    } cases[] = {
        {"tcp://127.0.0.1", true},
        {"tcp://127.255.3.4:9", true},
        {"tcp://localhost", true},
        {"tcp://[::1]:7", true},
        {"tcp://0.0.0.0", false},
        {"tcp://128.0.0.1", false},
        {"tcp://[::]", false},
        {"tcp://127.0.0.1.example.org", false},
        {"tcp://localhost.example", false},
        {"tcp://[::ffff:10.0.0.1]", false},
        {"tcp://127.1", false}, /* more than inet_pton takes: asked for authentication */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon__url url;
        assert_int_equal(agon__url_parse(cases[i].text, &url, NULL), AGON_OK);
        if (agon__url_is_loopback(&url) != cases[i].loopback)
            fail_msg("%s", cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long_host),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
