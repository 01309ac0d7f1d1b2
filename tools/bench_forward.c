/* bench_forward.c: many nets forward, and the choice of actions. */
#include "tools/bench_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Forward, gradient of weights, and of inputs except of the first layer's. */
double agon_bench_update_flop(const agon_net* net) {
    const double first =
        2.0 * agon_net_points(net, 0) * agon_net_fan_in(net, 0) * agon_net_fan_out(net, 0);
    return 3 * agon_net_flop(net) - first;
}

int agon_bench_open_net(const agon_bench* b, agon_rules** rules, agon_net* net, agon_error* error) {
    agon_config config;
    agon_config_defaults(&config);
    int rc = agon_config_set(&config, "net.hidden", b->hidden, "--hidden", error);
    if (!rc)
        rc = agon_rules_open(b->game, rules, error);
    if (!rc)
        rc = agon_config_net(&config, &(*rules)->spec, net, error);
    return rc;
}

void agon_bench_nets_close(agon_bench_nets* n) {
    if (n->scratch)
        n->backend->scratch_close(n->scratch);
    free(n->block);
    free(n->packed);
    free(n->offsets);
    free(n->params);
    free(n->out);
    free(n->obs);
    free(n->mask);
    free(n->action);
    free(n->memory);
}

static bool reserve(agon_bench_nets* n, const agon_rules* rules, const agon_net* net, int nets,
                    size_t rows) {
    const size_t each = (n->backend->packed_size(net) + 63) & ~(size_t)63;
    if (posix_memalign(&n->block, 64, each * (size_t)nets) != 0)
        n->block = NULL;
    n->packed = calloc((size_t)nets, sizeof *n->packed);
    n->offsets = calloc((size_t)nets + 1, sizeof *n->offsets);
    n->params = calloc((size_t)nets * agon_net_size(net), sizeof *n->params);
    n->obs = calloc(rows, rules->obs_bytes);
    n->mask = calloc(rows * (size_t)rules->mask_words, sizeof *n->mask);
    n->out = calloc(rows * 3, sizeof *n->out);
    n->action = calloc(rows, sizeof *n->action);
    n->memory = calloc(rows * (size_t)agon_net_memory(net) + 1, sizeof *n->memory);
    n->scratch = n->backend->scratch_open();
    for (int i = 0; n->block && n->packed && i < nets; i++)
        n->packed[i] = (char*)n->block + each * (size_t)i;
    return n->block && n->packed && n->offsets && n->params && n->obs && n->mask && n->out &&
           n->action && n->memory && n->scratch &&
           n->backend->scratch_reserve(n->scratch, net, (int)rows, 0) == 0;
}

/* Different weights for each net. */
static void fill(agon_bench_nets* n, const agon_rules* rules, const agon_net* net, int nets,
                 int rows_each) {
    const size_t rows = (size_t)nets * (size_t)rows_each;
    for (int i = 0; i < nets; i++) {
        float* params = n->params + (size_t)i * agon_net_size(net);
        agon_net_init(net, agon_key_make((uint64_t)i, "bench", AGON_FOR_TEST), params);
        n->backend->pack(net, params, (void*)n->packed[i]);
        n->offsets[i + 1] = (i + 1) * rows_each;
    }
    for (size_t i = 0; i < rows; i++)
        n->out[2 * rows + i] = (float)(i % 97) / 97;
    n->call = (agon_forward){
        .net = net,
        .input = {rules->spec.obs_type, rules->spec.obs_scale},
        .nets = nets,
        .packed = n->packed,
        .offsets = n->offsets,
        .obs = n->obs,
        .memory = n->memory,
        .mask = n->mask,
        .temperature = 1,
        .uniform = n->out + 2 * rows,
        .value = n->out,
        .log_probability = n->out + rows,
        .action = n->action,
    };
}

bool agon_bench_nets_open(agon_bench_nets* n, const agon_rules* rules, const agon_net* net,
                          int nets, int rows_each) {
    *n = (agon_bench_nets){.backend = agon_cpu_backend()};
    if (!reserve(n, rules, net, nets, (size_t)nets * (size_t)rows_each))
        return false;
    fill(n, rules, net, nets, rows_each);
    return agon_bench_positions(rules, (size_t)nets * (size_t)rows_each, n->obs, n->mask, NULL) ==
           AGON_OK;
}

double agon_bench_go_forward(void* user, double amount) {
    agon_bench_nets* n = user;
    const double rows = n->call.offsets[n->call.nets];
    double done = 0;
    for (; done < amount; done += rows)
        n->backend->forward(&n->call, n->scratch);
    return done;
}

enum { CHOICE_NETS = 64, CHOICE_ROWS = 32 };

/* ---- the figures -------------------------------------------------------------------------- */

static int measure_forward(const agon_bench* b, const agon_rules* rules, const agon_net* net,
                           int nets, int rows_each, agon_error* error) {
    agon_bench_nets n;
    char fields[256], shape[128];
    const bool ready = agon_bench_nets_open(&n, rules, net, nets, rows_each);
    if (ready) {
        agon_bench_rate rate = agon_bench_measure(b, agon_bench_go_forward, &n);
        agon_net_format(net, shape, sizeof shape);
        char numbers[64];
        snprintf(fields, sizeof fields, "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%d", shape,
                 nets, rows_each);
        snprintf(numbers, sizeof numbers, "\"inputs_not_zero\":%.4f",
                 agon_bench_inputs_set(rules, (size_t)nets * (size_t)rows_each, n.obs));
        rate.numbers = numbers;
        agon_bench_print("forward", fields, "rows", agon_net_flop(net), 1, &rate);
    }
    agon_bench_nets_close(&n);
    return ready ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for %d nets", nets);
}

static void draw_numbers(float* uniform, int rows) {
    enum { CHUNK = 256 };
    const agon_key key = agon_key_make(1, "bench", AGON_FOR_ACTION);
    uint32_t episode[CHUNK], ply[CHUNK] = {0};
    uint8_t seat[CHUNK] = {0};
    for (int first = 0; first < rows; first += CHUNK) {
        const int count = rows - first < CHUNK ? rows - first : CHUNK;
        for (int i = 0; i < count; i++)
            episode[i] = (uint32_t)(first + i);
        agon_uniforms(key, episode, ply, seat, count, uniform + first);
    }
}

/* As a rollout does it: a number is drawn for each row before the forward. */
static double go_drawn(void* user, double amount) {
    agon_bench_nets* n = user;
    const int rows = n->call.offsets[n->call.nets];
    float* uniform = n->out + 2 * (size_t)rows;
    double done = 0;
    for (; done < amount; done += rows) {
        draw_numbers(uniform, rows);
        n->backend->forward(&n->call, n->scratch);
    }
    return done;
}

static void print_choice(const agon_net* net, double share, agon_bench_rate rate[2]) {
    char fields[256], ratios[64], numbers[64], shape[128];
    agon_net_format(net, shape, sizeof shape);
    snprintf(fields, sizeof fields, "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%d", shape,
             CHOICE_NETS, CHOICE_ROWS);
    snprintf(ratios, sizeof ratios, "\"share_of_forward\":%.4g", share);
    snprintf(numbers, sizeof numbers, "\"rows_per_second_without\":%.6g", rate[1].per_second);
    rate[0].ratios = ratios;
    rate[0].numbers = numbers;
    agon_bench_print("choice", fields, "rows", agon_net_flop(net), 1, &rate[0]);
}

/* What choosing adds: draw, mask, softmax, sampling, log-probability. */
static int measure_choice(const agon_bench* b, const agon_rules* rules, const agon_net* net,
                          agon_error* error) {
    agon_bench_nets n;
    const bool ready = agon_bench_nets_open(&n, rules, net, CHOICE_NETS, CHOICE_ROWS);
    if (ready) {
        agon_bench_nets plain = n; /* the same buffers */
        agon_bench_work* const work[2] = {go_drawn, agon_bench_go_forward};
        void* const user[2] = {&n, &plain};
        agon_bench_rate rate[2];
        plain.call.action = NULL;
        plain.call.log_probability = NULL;
        const double ratio = agon_bench_measure_two(b, work, user, rate);
        print_choice(net, 1 / ratio - 1, rate);
    }
    agon_bench_nets_close(&n);
    return ready ? AGON_OK : agon_fail(error, AGON_EMEMORY, "no memory for %d nets", CHOICE_NETS);
}

static int measure(const agon_bench* b, const agon_rules* rules, const agon_net* net, int nets,
                   int rows_each, agon_error* error) {
    return b->openblas ? agon_bench_forward_openblas(b, rules, net, nets, rows_each, error)
                       : measure_forward(b, rules, net, nets, rows_each, error);
}

int agon_bench_forward(const agon_bench* b, agon_error* error) {
    static const int nets[] = {1, 16, 64, 512}, rows[] = {1, 8, 32, 128};
    agon_rules* rules = NULL;
    agon_net net;
    int rc = agon_bench_open_net(b, &rules, &net, error);
    if (!rc && b->nets)
        rc = measure(b, rules, &net, b->nets, b->rows, error);
    for (int i = 0; !rc && !b->nets && i < 4; i++)
        for (int j = 0; !rc && j < 4; j++)
            rc = measure(b, rules, &net, nets[i], rows[j], error);
    if (!rc && !b->nets && !b->openblas)
        rc = measure_choice(b, rules, &net, error);
    agon_rules_close(rules);
    return rc;
}
