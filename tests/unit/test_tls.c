/* TLS: who is let in, who is not and what it is told; nothing but TLS 1.3, nothing to replay. */
#include "net/cert_internal.h"
#include "net/tls_internal.h"
#include "tests/unit/stream_fixture.h"

#include "engine/files.h"

#include <stdio.h>
#include <sys/stat.h>

enum { HOUR = 3600, YEAR = 365 * 24 * HOUR };

static char dir[64] = "/tmp/agon-tls-XXXXXX";

/* Two authorities, each with a coordinator and a worker. */
static int make_certificates(void** state) {
    char* host[] = {"localhost", "127.0.0.1"};
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return -1;
    return agon_cert_server("ours", 2, host, 10, false, NULL) ||
           agon_cert_client("ours", "node7", "worker", 10, NULL) ||
           agon_cert_server("theirs", 2, host, 10, false, NULL) ||
           agon_cert_client("theirs", "node7", "stranger", 10, NULL);
}

static int remove_certificates(void** state) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return chdir("/") == 0 ? system(command) : -1;
}

/* ---- two ends, and a network that is two buffers ------------------------------------------- */

typedef struct side {
    agon__tls* tls;
    agon_error error;
    uint8_t got[1 << 16]; /* plain */
    size_t used;
} side;

typedef struct wire {
    agon__tls_context *server_context, *client_context;
    side server, client;
    size_t moved; /* bytes from client to server so far */
    size_t flip;  /* of these, the one whose bit is turned over; 0: none */
} wire;

static wire* wire_open(const char* server, bool clients, const char* client) {
    wire* w = calloc(1, sizeof *w);
    agon_error error;
    if (agon__tls_server_open(server, clients, &w->server_context, &error) ||
        agon__tls_client_open(client, &w->client_context, &error))
        fail_msg("%s", error.text);
    return w;
}

static void wire_close(wire* w) {
    agon__tls_close(w->server.tls);
    agon__tls_close(w->client.tls);
    agon__tls_context_close(w->server_context);
    agon__tls_context_close(w->client_context);
    free(w);
}

/* Gives bytes to a side, and takes what is plain. */
static void give(side* to, const uint8_t* data, size_t size) {
    size_t got = 1;
    if (to->error.code || agon__tls_receive(to->tls, data, size, &to->error) ||
        agon__tls_step(to->tls, &to->error))
        return;
    while (got && !agon__tls_read(to->tls, to->got + to->used, sizeof to->got - to->used, &got,
                                  &to->error))
        to->used += got;
}

static bool move(wire* w, side* from, side* to) {
    uint8_t data[4096];
    const size_t got = agon__tls_take(from->tls, data, sizeof data);
    if (!got)
        return false;
    if (from == &w->client) {
        if (w->flip > w->moved && w->flip <= w->moved + got)
            data[w->flip - w->moved - 1] ^= 1;
        w->moved += got;
    }
    give(to, data, got);
    return true;
}

static void settle(wire* w) {
    bool moved = true;
    while (moved) {
        moved = move(w, &w->client, &w->server);
        moved = move(w, &w->server, &w->client) || moved;
    }
}

static void shake(wire* w, const char* host) {
    assert_int_equal(agon__tls_open(w->server_context, NULL, &w->server.tls, NULL), AGON_OK);
    assert_int_equal(agon__tls_open(w->client_context, host, &w->client.tls, NULL), AGON_OK);
    assert_int_equal(agon__tls_step(w->client.tls, &w->client.error), AGON_OK);
    settle(w);
}

static void assert_said(const side* who, const char* text) {
    if (!who->error.code || !strstr(who->error.text, text))
        fail_msg("expected '%s', said: '%s'", text, who->error.text);
}

static void assert_fine(const side* who) {
    if (who->error.code || !agon__tls_ready(who->tls))
        fail_msg("not ready: %s", who->error.text);
}

/* A certificate of the authority `ours` for the key in `key`, that is not as it should be. */
static X509* forge(agon__cert_use use, const char* key, long from_s, long until_s) {
    char* host[] = {"localhost"};
    const agon__cert_def def = {.use = use,
                                .name = "forged",
                                .hosts = 1,
                                .host = host,
                                .from_s = from_s,
                                .until_s = until_s};
    agon__pair authority = {0};
    EVP_PKEY* own;
    X509* out;
    assert_int_equal(agon__cert_load("ours/ca.pem", &authority.certificate, NULL), AGON_OK);
    assert_int_equal(agon__key_load("ours/ca.key", &authority.key, NULL), AGON_OK);
    assert_int_equal(agon__key_load(key, &own, NULL), AGON_OK);
    assert_int_equal(agon__cert_make(&def, own, &authority, &out, NULL), AGON_OK);
    EVP_PKEY_free(own);
    agon__pair_clear(&authority);
    return out;
}

/* Shows another certificate for the key that is loaded. */
static void show_forged(agon__tls_context* context, X509* certificate) {
    assert_int_equal(SSL_CTX_use_certificate(context->ssl, certificate), 1);
    X509_free(certificate);
}

/* ---- who is let in ------------------------------------------------------------------------ */

/* Promise: with the certificates that agon cert makes both ends are ready, know each other's names,
 * and bytes arrive; by name and by address; nothing is left that could be resumed or replayed. */
static void test_handshake(void** state) {
    const char* hosts[] = {"localhost", "127.0.0.1"};
    for (int i = 0; i < 2; i++) {
        char name[64];
        wire* w = wire_open("ours", true, "worker");
        shake(w, hosts[i]);
        assert_fine(&w->server);
        assert_fine(&w->client);
        assert_int_equal(agon__tls_write(w->client.tls, (const uint8_t*)"question", 8, NULL), 0);
        assert_true(agon__tls_held(w->client.tls) > 8);
        settle(w);
        assert_int_equal(agon__tls_write(w->server.tls, (const uint8_t*)"answer", 6, NULL), 0);
        settle(w);
        assert_memory_equal(w->server.got, "question", 8);
        assert_memory_equal(w->client.got, "answer", 6);
        agon__tls_peer(w->server.tls, name, sizeof name);
        assert_string_equal(name, "node7");
        agon__tls_peer(w->client.tls, name, sizeof name);
        assert_string_equal(name, "agon coordinator");
        assert_int_equal(SSL_version(w->client.tls->ssl), TLS1_3_VERSION);
        const SSL_SESSION* session = SSL_get_session(w->client.tls->ssl);
        assert_false(SSL_SESSION_has_ticket(session));
        assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
        wire_close(w);
    }
}

/* Promise: without a demand for certificates a worker needs ca.pem alone, and has no name. */
static void test_without_client_certificate(void** state) {
    char name[64];
    wire* w = wire_open("ours", false, "ours");
    shake(w, "localhost");
    assert_fine(&w->server);
    assert_fine(&w->client);
    agon__tls_peer(w->server.tls, name, sizeof name);
    assert_string_equal(name, "");
    wire_close(w);
}

/* ---- who is not --------------------------------------------------------------------------- */

static void test_wrong_host(void** state) {
    const char* hosts[] = {"trainer.lab", "10.1.2.3", "localhost.lab", "::1"};
    for (int i = 0; i < 4; i++) {
        char said[128];
        wire* w = wire_open("ours", false, "ours");
        shake(w, hosts[i]);
        snprintf(said, sizeof said, "the certificate is for host localhost, 127.0.0.1, not %s",
                 hosts[i]);
        assert_said(&w->client, said);
        assert_true(w->server.error.code != 0);
        assert_false(agon__tls_ready(w->client.tls));
        wire_close(w);
    }
}

static void test_expired(void** state) {
    wire* w = wire_open("ours", false, "ours");
    show_forged(w->server_context, forge(AGON__CERT_SERVER, "ours/server.key", -2 * HOUR, -HOUR));
    shake(w, "localhost");
    assert_said(&w->client, "the certificate has expired");
    assert_said(&w->server, "your certificate has expired");
    wire_close(w);
    w = wire_open("ours", false, "ours");
    show_forged(w->server_context, forge(AGON__CERT_SERVER, "ours/server.key", HOUR, YEAR));
    shake(w, "localhost");
    assert_said(&w->client, "the certificate is not valid yet");
    wire_close(w);
    w = wire_open("ours", true, "worker");
    show_forged(w->client_context, forge(AGON__CERT_CLIENT, "worker/client.key", -2 * HOUR, -HOUR));
    shake(w, "localhost");
    assert_said(&w->server, "the certificate has expired");
    assert_said(&w->client, "your certificate has expired");
    wire_close(w);
}

static void test_unknown_authority(void** state) {
    wire* w = wire_open("theirs", false, "ours");
    shake(w, "localhost");
    assert_said(&w->client, "signed by an unknown authority");
    assert_said(&w->server, "signed by an unknown authority");
    wire_close(w);
    /* A stranger that trusts us: the coordinator is who says no. */
    assert_int_equal(system("cp -r stranger spy && cp ours/ca.pem spy/"), 0);
    w = wire_open("ours", true, "spy");
    shake(w, "localhost");
    assert_said(&w->server, "signed by an unknown authority");
    assert_said(&w->client, "signed by an unknown authority");
    wire_close(w);
}

/* A worker that would be the coordinator, and the other way round. */
static void test_wrong_use(void** state) {
    wire* w = wire_open("ours", false, "ours");
    show_forged(w->server_context, forge(AGON__CERT_CLIENT, "ours/server.key", -HOUR, YEAR));
    shake(w, "localhost");
    assert_said(&w->client, "for another use");
    wire_close(w);
    w = wire_open("ours", true, "worker");
    show_forged(w->client_context, forge(AGON__CERT_SERVER, "worker/client.key", -HOUR, YEAR));
    shake(w, "localhost");
    assert_said(&w->server, "for another use");
    wire_close(w);
}

static void test_missing_certificate(void** state) {
    wire* w = wire_open("ours", true, "ours");
    shake(w, "localhost");
    assert_said(&w->client, "this coordinator wants a client certificate");
    assert_said(&w->server, "showed no client certificate");
    assert_false(agon__tls_ready(w->server.tls));
    wire_close(w);
}

/* Promise: older versions are refused on both sides, with a word about it. */
static void test_old_version(void** state) {
    wire* w = wire_open("ours", false, "ours");
    SSL_CTX_set_min_proto_version(w->client_context->ssl, 0);
    SSL_CTX_set_max_proto_version(w->client_context->ssl, TLS1_2_VERSION);
    shake(w, "localhost");
    assert_said(&w->server, "the other side has no TLS 1.3");
    assert_said(&w->client, "the other side has no TLS 1.3");
    wire_close(w);
    w = wire_open("ours", false, "ours");
    SSL_CTX_set_min_proto_version(w->server_context->ssl, 0);
    SSL_CTX_set_max_proto_version(w->server_context->ssl, TLS1_2_VERSION);
    shake(w, "localhost");
    assert_said(&w->client, "the other side has no TLS 1.3");
    wire_close(w);
}

/* ---- bytes that are not as they should be -------------------------------------------------- */

static void test_garbage(void** state) {
    const struct {
        const char *bytes, *said;
    } cases[] = {{"GET / HTTP/1.1\r\n\r\n", "speaks HTTP"},
                 {"\0\0\0\x20hello, this is no TLS at all....", "does not speak TLS"}};
    for (int i = 0; i < 2; i++) {
        wire* w = wire_open("ours", false, "ours");
        assert_int_equal(agon__tls_open(w->server_context, NULL, &w->server.tls, NULL), AGON_OK);
        give(&w->server, (const uint8_t*)cases[i].bytes, 18);
        assert_said(&w->server, cases[i].said);
        wire_close(w);
    }
}

/* A handshake and one message, of which one bit is turned over; 0: none. Returns the plain bytes
 * that came out; *moved: all that were sent. */
static size_t send_tampered(size_t flip, size_t* moved) {
    wire* w = wire_open("ours", true, "worker");
    /* Without the record that only tells old firewalls of a handshake: its head says nothing. */
    SSL_CTX_clear_options(w->client_context->ssl, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    w->flip = flip;
    shake(w, "localhost");
    if (!w->client.error.code && agon__tls_ready(w->client.tls))
        agon__tls_write(w->client.tls, (const uint8_t*)"to be changed", 13, &w->client.error);
    settle(w);
    const size_t out = w->server.used;
    *moved = w->moved;
    wire_close(w);
    return out;
}

/* Promise: no byte may be changed on its way, in the handshake or after it. The first five say
 * nothing: the version that a first record claims is not looked at. */
static void test_tampering(void** state) {
    size_t all, moved;
    assert_int_equal(send_tampered(0, &all), 13);
    /* Signatures differ by a few bytes in their length. */
    for (size_t flip = 6; flip <= all - 8; flip += 11)
        assert_int_equal(send_tampered(flip, &moved), 0);
}

/* ---- files -------------------------------------------------------------------------------- */

/* Promise: each fault of a file is named, with the file. */
static void test_files(void** state) {
    static const struct {
        const char *change, *said;
    } cases[] = {
        {"rm bad/server.pem", "bad/server.pem: No such file"},
        {"rm bad/server.key", "bad/server.key: No such file"},
        {"rm bad/ca.pem", "bad/ca.pem: No such file"},
        {"chmod 640 bad/server.key", "bad/server.key: mode 0640"},
        {"cp -p theirs/server.key bad/", "bad/server.key is not the key of the certificate"},
        {"echo hello > bad/server.key", "bad/server.key is not a private key"},
        {"echo hello > bad/server.pem", "bad/server.pem is not a certificate"},
        {"echo hello > bad/ca.pem", "bad/ca.pem is not a certificate"},
    };
    agon__tls_context* context = NULL;
    agon_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(system("rm -rf bad && cp -rp ours bad"), 0);
        assert_int_equal(system(cases[i].change), 0);
        assert_true(agon__tls_server_open("bad", true, &context, &error) != AGON_OK);
        if (!strstr(error.text, cases[i].said))
            fail_msg("expected '%s', said: '%s'", cases[i].said, error.text);
    }
    assert_int_equal(system("rm -rf bad && cp -rp worker bad && rm bad/client.key"), 0);
    assert_int_equal(agon__tls_client_open("bad", &context, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "bad/client.key"));
    assert_null(context);
}

/* Promise: a certificate that ended is found out before anyone connects. */
static void test_expired_file(void** state) {
    agon__tls_context* context;
    agon_error error;
    assert_int_equal(system("rm -rf bad && cp -rp ours bad"), 0);
    X509* certificate = forge(AGON__CERT_SERVER, "ours/server.key", -2 * HOUR, -HOUR);
    assert_int_equal(agon__cert_write("bad", "server.pem", certificate, true, NULL), AGON_OK);
    X509_free(certificate);
    assert_int_equal(agon__tls_server_open("bad", false, &context, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "bad/server.pem has expired"));
    assert_non_null(strstr(error.hint, "renew"));
}

/* ---- streams over TLS --------------------------------------------------------------------- */

static void tls_pair(pair* p, const char* server, bool clients, const char* client) {
    assert_int_equal(agon__tls_server_open(server, clients, &p->server_tls, NULL), AGON_OK);
    assert_int_equal(agon__tls_client_open(client, &p->client_tls, NULL), AGON_OK);
}

static int tls_teardown(void** state) {
    pair* p = *state;
    agon__tls_context* contexts[] = {p->server_tls, p->client_tls};
    const int rc = pair_teardown(state);
    agon__tls_context_close(contexts[0]);
    agon__tls_context_close(contexts[1]);
    return rc;
}

/* Promise: frames of all sizes arrive in order over TLS, both ends hear of an orderly end, and the
 * worker's certificate is known by name. */
static void test_stream_order(void** state) {
    pair* p = *state;
    tls_pair(p, "ours", true, "worker");
    join(p);
    assert_string_equal(agon__stream_certificate(p->server.stream), "node7");
    for (uint32_t i = 0; i < 1000; i++)
        send_number(p->client.stream, i, i % 100 == 0 ? AGON__FRAME_MAX : 4 + i % 700);
    agon__stream_hang_up(p->client.stream, NULL);
    run_out(p);
    assert_int_equal(p->server.messages, 1000);
    assert_true(p->server.ordered);
    assert_int_equal(p->server.why.code, AGON_OK);
    assert_int_equal(p->client.why.code, AGON_OK);
}

static void try_to_join(pair* p) {
    agon__stream_def def = def_of(p, &p->client);
    def.tls = p->client_tls;
    assert_int_equal(agon__stream_connect("127.0.0.1", p->port, &def, &p->client.stream, NULL),
                     AGON_OK);
    run_out(p);
}

/* Promise: who is refused is told why, over the network, too. */
static void test_stream_refused(void** state) {
    pair* p = *state;
    tls_pair(p, "ours", true, "ours");
    try_to_join(p);
    assert_non_null(strstr(p->client.why.text, "this coordinator wants a client certificate"));
    assert_non_null(strstr(p->server.why.text, "showed no client certificate"));
    assert_false(p->server.opened);
}

static void test_stream_stranger(void** state) {
    pair* p = *state;
    tls_pair(p, "theirs", false, "ours");
    try_to_join(p);
    assert_non_null(strstr(p->client.why.text, "signed by an unknown authority"));
    assert_non_null(strstr(p->server.why.text, "signed by an unknown authority"));
    assert_false(p->server.opened || p->client.opened);
}

/* Promise: plain bytes on a TLS port open nothing. */
static void test_stream_plain(void** state) {
    pair* p = *state;
    assert_int_equal(agon__tls_server_open("ours", false, &p->server_tls, NULL), AGON_OK);
    const agon__stream_def def = def_of(p, &p->client);
    assert_int_equal(agon__stream_connect("127.0.0.1", p->port, &def, &p->client.stream, NULL),
                     AGON_OK);
    while (!p->client.opened && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    send_number(p->client.stream, 0, 100);
    run_out(p);
    assert_non_null(strstr(p->server.why.text, "does not speak TLS"));
    assert_false(p->server.opened);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, tls_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_without_client_certificate),
        cmocka_unit_test(test_wrong_host),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_unknown_authority),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_missing_certificate),
        cmocka_unit_test(test_old_version),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_expired_file),
        STREAM_TEST(test_stream_order),
        STREAM_TEST(test_stream_refused),
        STREAM_TEST(test_stream_stranger),
        STREAM_TEST(test_stream_plain),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
