/* Connections that carry frames: what net/stream.h promises, two ends over loopback in one loop. */
#include "tests/unit/stream_fixture.h"

enum { MESSAGES = 3000 };

/* ---- tests -------------------------------------------------------------------------------- */

/* Promise: messages of all sizes arrive whole, once and in order; a close comes after them, and
 * both ends hear of an orderly end. */
static void test_order(void** state) {
    pair* p = *state;
    size_t bytes = 0;
    join(p);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const size_t size = i % 500 == 0 ? AGON__FRAME_MAX : 4 + i % 700;
        send_number(p->client.stream, i, size);
        bytes += size;
    }
    assert_true(agon__stream_queued(p->client.stream) > 0);
    agon__stream_hang_up(p->client.stream, NULL);
    agon__stream_send(p->client.stream, (const uint8_t*)"late", 4);
    run_out(p);
    assert_int_equal(p->server.messages, MESSAGES);
    assert_int_equal(p->server.bytes, bytes);
    assert_true(p->server.ordered);
    assert_int_equal(p->server.why.code, AGON_OK);
    assert_int_equal(p->client.why.code, AGON_OK);
}

static void answer(end* e, const uint8_t* data, size_t size) {
    agon__stream_send(e->stream, data, size);
}

/* Promise: what a callback sends goes out, and addresses are told. */
static void test_answers(void** state) {
    pair* p = *state;
    p->server.on_message = answer;
    join(p);
    assert_non_null(strstr(agon__stream_address(p->client.stream), "127.0.0.1:"));
    assert_non_null(strstr(agon__stream_address(p->server.stream), "127.0.0.1:"));
    assert_string_equal(agon__stream_certificate(p->server.stream), "");
    for (uint32_t i = 0; i < MESSAGES; i++)
        send_number(p->client.stream, i, 300);
    while (p->client.messages < MESSAGES && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_true(p->client.ordered);
    assert_true(p->client.drained > 0);
}

static void refuse(end* e, const uint8_t* data, size_t size) {
    agon_error why;
    agon_fail(&why, AGON_EINVALID, "not you");
    send_number(e->stream, 0, 20);
    agon__stream_hang_up(e->stream, &why);
}

/* Promise: a stream may be closed from its own message, no further one comes, and what was sent
 * before arrives although the other side goes on sending. */
static void test_close_within(void** state) {
    pair* p = *state;
    p->server.on_message = refuse;
    join(p);
    for (uint32_t i = 0; i < 20; i++)
        send_number(p->client.stream, i, 500 << 10);
    run_out(p);
    assert_int_equal(p->server.messages, 1);
    assert_string_equal(p->server.why.text, "not you");
    assert_int_equal(p->client.messages, 1);
}

/* A socket of the system's, without any stream around it. */
static int raw_connect(pair* p) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", p->port, &address);
    assert_int_equal(connect(fd, (struct sockaddr*)&address, sizeof address), 0);
    while (!p->server.opened && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    return fd;
}

/* Sends whole frames of 512 KiB until nobody takes them for a while. Returns the bytes sent. */
static size_t fill(pair* p, int fd) {
    enum { FRAME = 4 + (512 << 10) };
    uint8_t* frame = calloc(1, FRAME);
    size_t sent = 0;
    frame[1] = 8;
    for (int idle = 0; idle < 30;) {
        const size_t at = sent % FRAME;
        const ssize_t got = send(fd, frame + at, FRAME - at, MSG_DONTWAIT);
        sent += got > 0 ? (size_t)got : 0;
        idle = got > 0 ? 0 : idle + 1;
        run_for(p, 2);
    }
    free(frame);
    return sent;
}

/* Promise: an end that nobody reads from stops reading itself and keeps a bounded queue; when it is
 * read from, it goes on, and nothing is lost. */
static void test_back_pressure(void** state) {
    pair* p = *state;
    p->server.on_message = answer;
    const int fd = raw_connect(p);
    agon__stream_limit(p->server.stream, AGON__FRAME_MAX, 20);
    const size_t sent = fill(p, fd), whole = sent - sent % (4 + (512 << 10));
    assert_false(p->server.closed); /* nor is the other side blamed for a message left unread */
    assert_true(agon__stream_queued(p->server.stream) > AGON__STREAM_QUEUE);
    assert_true(agon__stream_queued(p->server.stream) < AGON__STREAM_QUEUE + (1 << 20));
    agon__stream_limit(p->server.stream, AGON__FRAME_MAX, 0);
    uint8_t* bytes = malloc(1 << 20);
    size_t back = 0;
    while (back < whole && !p->late) {
        const ssize_t got = recv(fd, bytes, 1 << 20, MSG_DONTWAIT);
        back += got > 0 ? (size_t)got : 0;
        uv_run(&p->loop, UV_RUN_NOWAIT);
    }
    free(bytes);
    assert_int_equal(back, whole);
    close(fd);
}

/* Promise: a message that began and does not end in time ends the connection; one that is only
 * waited for does not. */
static void test_patience(void** state) {
    pair* p = *state;
    const int fd = raw_connect(p);
    agon__stream_limit(p->server.stream, 1000, 50);
    run_for(p, 120);
    assert_false(p->server.closed);
    assert_int_equal(write(fd, "\0\0\0\4\0\0\0\0\0\0\0\4\1\0", 14), 14);
    run_for(p, 20);
    assert_int_equal(p->server.messages, 1);
    assert_false(p->server.closed);
    run_for(p, 120);
    assert_true(p->server.closed);
    assert_int_equal(p->server.why.code, AGON_ELIMIT);
    assert_non_null(strstr(p->server.why.text, "did not end it"));
    close(fd);
}

static void send_raw(pair* p, const void* data, size_t size, bool reset) {
    const struct linger hard = {1, 0};
    const int fd = raw_connect(p);
    assert_int_equal(write(fd, data, size), size);
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    while (!p->server.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_true(p->server.closed);
}

/* Promise: what is no frame ends the connection with a reason: a length over the limit, a length of
 * 0, half a message, a reset. */
static void test_garbage_long(void** state) {
    pair* p = *state;
    send_raw(p, "GET / HTTP/1.1\r\n\r\n", 18, false);
    assert_int_equal(p->server.why.code, AGON_ELIMIT);
    assert_int_equal(p->server.messages, 0);
}

static void test_garbage_empty(void** state) {
    pair* p = *state;
    send_raw(p, "\0\0\0\4\0\0\0\0\0\0\0\0", 12, false);
    assert_int_equal(p->server.why.code, AGON_EFORMAT);
}

static void test_half_message(void** state) {
    pair* p = *state;
    send_raw(p, "\0\0\0\4\0\0", 6, false);
    assert_int_equal(p->server.why.code, AGON_EIO);
    assert_non_null(strstr(p->server.why.text, "within a message"));
}

static void test_reset(void** state) {
    pair* p = *state;
    send_raw(p, "\0\0\0\4\0\0", 6, true);
    assert_int_equal(p->server.why.code, AGON_EIO);
}

/* Promise: a port where nobody listens, and a host that is none, are named. */
static void test_refused(void** state) {
    pair* p = *state;
    const agon__stream_def def = def_of(p, &p->client);
    const int port = p->port;
    uv_close((uv_handle_t*)&p->listener, NULL);
    uv_run(&p->loop, UV_RUN_NOWAIT);
    uv_tcp_init(&p->loop, &p->listener); /* for teardown */
    assert_int_equal(agon__stream_connect("localhost", port, &def, &p->client.stream, NULL),
                     AGON_OK);
    while (!p->client.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_false(p->client.opened);
    assert_int_equal(p->client.why.code, AGON_EIO);
    assert_non_null(strstr(p->client.why.text, "refused"));
    assert_non_null(strstr(p->client.why.text, "localhost:"));
    assert_true(p->client.why.hint[0]);
}

static void test_no_host(void** state) {
    pair* p = *state;
    const agon__stream_def def = def_of(p, &p->client);
    assert_int_equal(agon__stream_connect("no-such-host.invalid", 1, &def, &p->client.stream, NULL),
                     AGON_OK);
    while (!p->client.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_non_null(strstr(p->client.why.text, "no host 'no-such-host.invalid'"));
}

/* Promise: a name of several addresses is reached by the one that answers. */
static void test_localhost(void** state) {
    pair* p = *state;
    const agon__stream_def def = def_of(p, &p->client);
    assert_int_equal(agon__stream_connect("localhost", p->port, &def, &p->client.stream, NULL),
                     AGON_OK);
    while (!p->client.opened && !p->client.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_true(p->client.opened);
}

/* Promise: closing while the name is looked up, and right after connecting, is allowed. */
static void test_close_early(void** state) {
    pair* p = *state;
    const agon__stream_def def = def_of(p, &p->client);
    assert_int_equal(agon__stream_connect("localhost", p->port, &def, &p->client.stream, NULL),
                     AGON_OK);
    agon__stream_hang_up(p->client.stream, NULL);
    while (!p->client.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_false(p->client.opened);
    assert_int_equal(p->client.why.code, AGON_OK);
}

/* Promise: an end that never reads holds a closing one for a second, not for ever; and an endless
 * queue is refused. */
static void test_deaf(void** state) {
    pair* p = *state;
    const int fd = raw_connect(p);
    for (uint32_t i = 0; i < 40; i++)
        send_number(p->server.stream, i, 512 << 10);
    agon__stream_hang_up(p->server.stream, NULL);
    const uint64_t begun = uv_hrtime();
    while (!p->server.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_true(p->server.closed);
    assert_true(uv_hrtime() - begun >= 900000000);
    close(fd);
}

static void test_endless(void** state) {
    pair* p = *state;
    const int fd = raw_connect(p);
    for (uint32_t i = 0; i < 200; i++)
        send_number(p->server.stream, i, 512 << 10);
    assert_true(agon__stream_queued(p->server.stream) <= AGON__STREAM_MOST + (1 << 20));
    while (!p->server.closed && !p->late)
        uv_run(&p->loop, UV_RUN_ONCE);
    assert_int_equal(p->server.why.code, AGON_ELIMIT);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_order),         TEST(test_answers),      TEST(test_close_within),
        TEST(test_back_pressure), TEST(test_patience),     TEST(test_garbage_long),
        TEST(test_garbage_empty), TEST(test_half_message), TEST(test_reset),
        TEST(test_refused),       TEST(test_no_host),      TEST(test_localhost),
        TEST(test_close_early),   TEST(test_deaf),         TEST(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
