/* bench_net.c: what a coordinator alone can do: tasks and bytes, beside libuv with nothing around
 * it, by turns. */
#include "tools/bench_net.h"

#include "net/cert.h"
#include "net/message.h"

#include <stdlib.h>
#include <string.h>

/* A figure: the coordinator's work, and the same bytes without it. */
typedef struct pair {
    const char *name, *unit;
    int (*work)(const agon_bench_order*, double, agon_bench_window*, agon_error*);
    int (*plain)(const agon_bench_order*, double, agon_bench_window*, agon_error*);
    double scale; /* units of a printed one */
} pair;

static const pair tasks = {"tasks", "tasks", agon_bench_centre_tasks, agon_bench_plain_echo, 1};
static const pair chunks = {"chunks", "megabytes", agon_bench_centre_chunks, agon_bench_plain_write,
                            1e6};

typedef struct samples {
    double rate[AGON_BENCH_SAMPLES], plain_rate[AGON_BENCH_SAMPLES];
    double cpu[AGON_BENCH_SAMPLES], plain_cpu[AGON_BENCH_SAMPLES]; /* seconds per unit */
    double ratio[AGON_BENCH_SAMPLES];
} samples;

static void print_pair(const pair* p, const agon_bench_order* order, int count, samples* s,
                       agon_bench_rate rate) {
    const double ratio = agon_bench_median(s->ratio, count);
    const double cpu = agon_bench_median(s->cpu, count);
    const double plain_cpu = agon_bench_median(s->plain_cpu, count);
    char fields[512], ratios[256], numbers[512];
    snprintf(fields, sizeof fields,
             "\"work\":\"%s\",\"over\":\"%s\",\"clients\":%d,\"message_bytes\":%zu,"
             "\"answer_bytes\":%zu",
             p->name, order->tls ? "tls" : "tcp", AGON_BENCH_CLIENTS,
             p == &tasks ? order->cargo->task_size : (size_t)AGON__CHUNK,
             p == &tasks ? order->cargo->result_size : 0);
    snprintf(ratios, sizeof ratios, "\"ratio_to_libuv\":%.4g,\"ratio_to_libuv_per_cpu\":%.4g",
             ratio, plain_cpu / cpu);
    snprintf(numbers, sizeof numbers,
             "\"cpu_microseconds\":%.4g,\"%s_per_cpu_second\":%.6g,\"libuv_%s_per_second\":%.6g,"
             "\"libuv_%s_per_cpu_second\":%.6g",
             1e6 * cpu, p->unit, 1 / cpu, p->unit, agon_bench_median(s->plain_rate, count), p->unit,
             1 / plain_cpu);
    rate.ratios = ratios;
    rate.numbers = numbers;
    agon_bench_print("net", fields, p->unit, 0, 1, &rate);
}

static int measure(const agon_bench* b, const pair* p, const agon_bench_order* order,
                   agon_error* error) {
    agon_bench_series series = {0};
    samples* s = calloc(1, sizeof *s);
    int rc = s ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for samples");
    while (!rc && series.count < b->samples) {
        agon_bench_window w, plain;
        const int i = series.count;
        const agon_bench_floor floor = agon_bench_sample_floor();
        rc = p->work(order, b->seconds / b->samples, &w, error);
        if (!rc)
            rc = p->plain(order, b->seconds / b->samples, &plain, error);
        if (rc)
            break;
        s->rate[i] = w.amount / w.seconds / p->scale;
        s->plain_rate[i] = plain.amount / plain.seconds / p->scale;
        s->cpu[i] = w.cpu / w.amount * p->scale;
        s->plain_cpu[i] = plain.cpu / plain.amount * p->scale;
        s->ratio[i] = s->rate[i] / s->plain_rate[i];
        agon_bench_series_add(&series, s->rate[i], &floor);
    }
    if (!rc)
        print_pair(p, order, series.count, s, agon_bench_series_rate(&series));
    free(s);
    return rc;
}

static int make_certificates(const char* dir, char server[512], char client[512],
                             agon_error* error) {
    char address[] = "127.0.0.1";
    char* host[] = {address};
    snprintf(server, 512, "%s/server", dir);
    snprintf(client, 512, "%s/client", dir);
    const int rc = agon_cert_server(server, 1, host, 1, false, error);
    return rc ? rc : agon_cert_client(server, "bench", client, 1, error);
}

static int net_in(const agon_bench* b, const char* dir, agon_error* error) {
    char server[512], client[512];
    agon_bench_cargo* cargo = calloc(1, sizeof *cargo);
    if (!cargo)
        return agon_fail(error, AGON_EMEMORY, "no memory for tasks");
    const agon_bench_order plain = {.cargo = cargo};
    const agon_bench_order sealed = {.cargo = cargo, .tls = server, .tls_client = client};
    int rc = agon_bench_cargo_make(b->game, cargo, error);
    if (!rc)
        rc = make_certificates(dir, server, client, error);
    if (!rc)
        rc = measure(b, &tasks, &plain, error);
    if (!rc)
        rc = measure(b, &chunks, &plain, error);
    if (!rc)
        rc = measure(b, &tasks, &sealed, error);
    if (!rc)
        rc = measure(b, &chunks, &sealed, error);
    agon_bench_cargo_free(cargo);
    free(cargo);
    return rc;
}

int agon_bench_network(const agon_bench* b, agon_error* error) {
    return agon_bench_in_folder(b, net_in, error);
}
