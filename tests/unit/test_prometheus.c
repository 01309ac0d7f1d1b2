/* Promises of net/prometheus.h and net/http.h: who asks for the page gets it, who asks for anything
 * else is refused with the right status, and nobody who says nonsense, too much or nothing keeps
 * others from it. */
#include "net/http.h"
#include "net/prometheus.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static const char page[] = "# TYPE one counter\none 1\n";

typedef struct server {
    uv_loop_t loop;
    uv_async_t stop;
    agon__prometheus* prometheus;
    pthread_t thread;
    int port;
} server;

static void fill(void* user, FILE* out) {
    fputs(page, out);
}

static void stop(uv_async_t* handle) {
    server* s = handle->data;
    agon__prometheus_shut(s->prometheus);
    uv_close((uv_handle_t*)&s->stop, NULL);
}

static void* serve(void* user) {
    uv_run(&((server*)user)->loop, UV_RUN_DEFAULT);
    return NULL;
}

static int start_server(void** state) {
    server* s = calloc(1, sizeof *s);
    agon_error error = {0};
    uv_loop_init(&s->loop);
    uv_async_init(&s->loop, &s->stop, stop);
    s->stop.data = s;
    if (agon__prometheus_open(&s->loop, "127.0.0.1:0", fill, NULL, &s->prometheus, &error)) {
        print_error("%s\n", error.text);
        return -1;
    }
    s->port = agon__prometheus_port(s->prometheus);
    *state = s;
    return pthread_create(&s->thread, NULL, serve, s);
}

/* All handles close, so the loop ends. */
static int stop_server(void** state) {
    server* s = *state;
    uv_async_send(&s->stop);
    pthread_join(s->thread, NULL);
    const int open = uv_loop_close(&s->loop);
    agon__prometheus_close(s->prometheus);
    free(s);
    return open;
}

/* ---- a client that is not polite ---------------------------------------------------------- */

static int dial(const server* s) {
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)s->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {3, 0};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr*)&to, sizeof to), 0);
    return fd;
}

/* Everything until the other side ends. */
static size_t hear(int fd, char* out, size_t size) {
    size_t used = 0;
    for (ssize_t got; used + 1 < size && (got = read(fd, out + used, size - 1 - used)) > 0;)
        used += (size_t)got;
    out[used] = '\0';
    close(fd);
    return used;
}

static int status_of(const char* answer) {
    int status = 0;
    sscanf(answer, "HTTP/1.1 %d ", &status);
    return status;
}

static int ask(const server* s, const char* data, size_t size, char* out, size_t room) {
    const int fd = dial(s);
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
    hear(fd, out, room);
    return status_of(out);
}

static int ask_text(const server* s, const char* text, char* out, size_t room) {
    return ask(s, text, strlen(text), out, room);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void page_is_served(void** state) {
    char answer[2048], length[64];
    assert_int_equal(
        ask_text(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 200);
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", sizeof page - 1);
    assert_non_null(strstr(answer, length));
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, page);
    assert_int_equal(ask_text(*state, "GET /metrics?a=b HTTP/1.0\r\n\r\n", answer, sizeof answer),
                     200);
    assert_int_equal(ask_text(*state, "HEAD /metrics HTTP/1.1\r\n\r\n", answer, sizeof answer),
                     200);
    assert_non_null(strstr(answer, length));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "");
    assert_int_equal(ask_text(*state, "GET /healthz HTTP/1.1\r\n\r\n", answer, sizeof answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nok\n"));
}

static void others_are_refused(void** state) {
    static const struct {
        const char* request;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 404},
        {"GET /metrics/ HTTP/1.1\r\n\r\n", 404},
        {"GET /../metrics HTTP/1.1\r\n\r\n", 404},
        {"GET http://x/metrics HTTP/1.1\r\n\r\n", 404},
        {"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405},
        {"DELETE /nothing HTTP/1.1\r\n\r\n", 405},
        {"get /metrics HTTP/1.1\r\n\r\n", 400},
        {"GET /metrics\r\n\r\n", 400},
        {"GET /metrics HTTP/2.0\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\n\n", 400},
        {"GET  /metrics HTTP/1.1\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET /metrics HTTP/1.1\r\n folded: x\r\n\r\n", 400},
        {"GET /met\x01rics HTTP/1.1\r\n\r\n", 400},
        {"\r\n\r\n", 400},
        {" \r\n\r\n", 400},
        {"\x16\x03\x01\x02", 400}, /* TLS */
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 400},
    };
    char answer[2048];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int status = ask_text(*state, cases[i].request, answer, sizeof answer);
        if (status != cases[i].status)
            fail_msg("'%s' gave %d, expected %d", cases[i].request, status, cases[i].status);
    }
    assert_int_equal(
        ask(*state, "GET /metrics HTTP/1.1\r\nA: \0\r\n\r\n", 32, answer, sizeof answer), 400);
}

static void limit_of_a_request_holds(void** state) {
    char answer[2048], request[AGON__HTTP_REQUEST + 64];
    const char head[] = "GET /metrics HTTP/1.1\r\nA: ";
    memset(request, 'a', sizeof request);
    memcpy(request, head, sizeof head - 1);
    assert_int_equal(ask(*state, request, sizeof request, answer, sizeof answer), 400);
    memcpy(request + AGON__HTTP_REQUEST - 4, "\r\n\r\n", 4);
    assert_int_equal(ask(*state, request, AGON__HTTP_REQUEST, answer, sizeof answer), 200);
    const int fd = dial(*state);
    memset(request, 'b', sizeof request);
    for (int i = 0; i < 200; i++) /* more than ten times the limit, whatever the answer */
        if (send(fd, request, sizeof request, MSG_NOSIGNAL) < 0)
            break;
    hear(fd, answer, sizeof answer);
    assert_int_equal(status_of(answer), 400);
}

static void request_may_come_in_pieces(void** state) {
    const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    char answer[2048];
    const int fd = dial(*state);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_int_equal(send(fd, &request[i], 1, MSG_NOSIGNAL), 1);
        usleep(200);
    }
    shutdown(fd, SHUT_WR); /* and an end of talking is no end of listening */
    hear(fd, answer, sizeof answer);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, page);
}

static bool is_open(int fd) {
    struct pollfd look = {fd, POLLIN, 0};
    return poll(&look, 1, 0) == 0;
}

static void silent_visitors_keep_nobody_out(void** state) {
    enum { SILENT = 200 };
    int fd[SILENT], open = 0;
    char answer[2048];
    for (int i = 0; i < SILENT; i++)
        fd[i] = dial(*state);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_text(*state, "GET /metrics HTTP/1.1\r\n\r\n", answer, sizeof answer),
                         200);
    for (int i = 0; i < SILENT; i++) {
        open += is_open(fd[i]);
        close(fd[i]);
    }
    assert_in_range(open, 0, AGON__HTTP_CONNECTIONS);
}

static void visitors_may_leave_at_any_time(void** state) {
    const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
    const struct linger at_once = {1, 0};
    char answer[2048];
    for (size_t i = 0; i < 200; i++) {
        const int fd = dial(*state);
        const size_t said = i % sizeof request;
        if (said)
            send(fd, request, said, MSG_NOSIGNAL);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
    }
    assert_int_equal(ask_text(*state, request, answer, sizeof answer), 200);
}

/* The server ends while some are connected: tests run under a leak checker see the rest. */
static void some_stay_connected(void** state) {
    static int fd[3];
    for (int i = 0; i < 3; i++)
        fd[i] = dial(*state);
    send(fd[0], "GET /met", 8, MSG_NOSIGNAL);
}

static void places_are_checked(void** state) {
    static const char* const bad[] = {"",       "127.0.0.1", "127.0.0.1:",      ":80",
                                      "::1:80", "[::1]",     "127.0.0.1:70000", "127.0.0.1:1/x",
                                      "a b:80"};
    uv_loop_t loop;
    agon__prometheus* p = NULL;
    uv_loop_init(&loop);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        agon_error error = {0};
        assert_int_equal(agon__prometheus_open(&loop, bad[i], fill, NULL, &p, &error),
                         AGON_EINVALID);
        assert_non_null(strstr(error.text, "HOST:PORT"));
        assert_non_null(strstr(error.hint, "machine.metrics="));
    }
    char taken[64];
    agon_error error = {0};
    snprintf(taken, sizeof taken, "127.0.0.1:%d", ((server*)*state)->port);
    assert_int_equal(agon__prometheus_open(&loop, taken, fill, NULL, &p, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, taken));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Every beginning of a request is "more, please": what is refused late is refused for its end. */
static void beginnings_wait(void** state) {
    const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    agon__http_request out;
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_int_equal(agon__http_parse(request, i, &out), 0);
    assert_int_equal(agon__http_parse(request, sizeof request - 1, &out), 200);
    assert_string_equal(out.path, "/metrics");
    assert_false(out.head);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(page_is_served, start_server, stop_server),
        cmocka_unit_test_setup_teardown(others_are_refused, start_server, stop_server),
        cmocka_unit_test_setup_teardown(limit_of_a_request_holds, start_server, stop_server),
        cmocka_unit_test_setup_teardown(request_may_come_in_pieces, start_server, stop_server),
        cmocka_unit_test_setup_teardown(silent_visitors_keep_nobody_out, start_server, stop_server),
        cmocka_unit_test_setup_teardown(visitors_may_leave_at_any_time, start_server, stop_server),
        cmocka_unit_test_setup_teardown(some_stay_connected, start_server, stop_server),
        cmocka_unit_test_setup_teardown(places_are_checked, start_server, stop_server),
        cmocka_unit_test(beginnings_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
