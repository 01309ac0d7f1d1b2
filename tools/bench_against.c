/* bench_against.c: logits and values of many nets, ours beside a loop of sgemm over the nets. */
#include "tools/bench_openblas.h"
#include "tools/bench_work.h"

#include "tools/ui.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what forward and update share ---------------------------------------------------------- */

enum { FEW_ROWS = 32 }; /* in a call: OpenBLAS keeps to its path for small matrices */

static double quickest(agon_bench_work* work, void* user) {
    double best = INFINITY;
    for (int i = 0; i < 5; i++) {
        const double begun = agon_ui_seconds();
        work(user, 1);
        best = fmin(best, agon_ui_seconds() - begun);
    }
    return best;
}

void agon_openblas_choose(agon_bench_work* work, void* user, int rows, int* most) {
    *most = rows;
    if (rows <= FEW_ROWS)
        return;
    const double whole = quickest(work, user);
    *most = FEW_ROWS;
    if (quickest(work, user) > whole)
        *most = rows;
}

void agon_openblas_print(const char* what, const char* fields, double flop, int most, double ratio,
                         agon_bench_rate rate[2]) {
    char named[512], ratios[64], numbers[256];
    snprintf(named, sizeof named, "\"against\":\"openblas\",%s", fields);
    snprintf(ratios, sizeof ratios, "\"ratio_to_openblas\":%.4g", ratio);
    snprintf(numbers, sizeof numbers,
             "\"openblas_rows_per_second\":%.6g,\"openblas_low\":%.6g,\"openblas_high\":%.6g,"
             "\"openblas_rows_per_call\":%d,\"openblas_core\":\"%s\"",
             rate[1].per_second, rate[1].low, rate[1].high, most, openblas_get_corename());
    rate[0].ratios = ratios;
    rate[0].numbers = numbers;
    agon_bench_print(what, named, "rows", flop, 1, &rate[0]);
}

int agon_openblas_agree(const char* what, const float* ours, const float* theirs, size_t count,
                        agon_error* error) {
    double largest = 0, apart = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)ours[i]));
        const double difference = fabs((double)ours[i] - (double)theirs[i]);
        if (!(difference <= apart))
            apart = difference;
    }
    if (apart <= 1e-4 * largest)
        return AGON_OK;
    agon_fail(error, AGON_EUNSUPPORTED,
              "%s: ours and OpenBLAS differ by %.3g, the largest being %.3g; expected the same",
              what, apart, largest);
    return agon_hint(error, "please report this with the output of agon doctor");
}

/* ---- forward -------------------------------------------------------------------------------- */

typedef struct against {
    agon_bench_nets ours;
    agon_openblas_net net;
    float* weights; /* (nets, net.size) */
    float* x[AGON_OPENBLAS_LAYERS + 1];
    float *logits, *value; /* theirs: (rows, actions), (rows) */
    float* our_logits;
    int most; /* rows in a call */
} against;

/* The heads of `rows` rows go where a caller wants them. */
static void write_heads(const float* head, int rows, int actions, float* logits, float* value) {
    for (int r = 0; r < rows; r++, head += actions + 1, logits += actions) {
        memcpy(logits, head, (size_t)actions * sizeof *logits);
        value[r] = head[actions];
    }
}

static double go_openblas(void* user, double amount) {
    const against* a = user;
    const agon_forward* call = &a->ours.call;
    const int inputs = call->net->inputs, actions = call->net->actions;
    const bool bytes = call->input.type == AGON_U8;
    const size_t obs_bytes = (size_t)inputs * (bytes ? 1 : sizeof(float));
    double done = 0;
    for (; done < amount; done += call->offsets[call->nets])
        for (int i = 0; i < call->nets; i++) {
            const int row = call->offsets[i], rows = call->offsets[i + 1] - row;
            agon_openblas_widen((const char*)call->obs + (size_t)row * obs_bytes, bytes,
                                call->input.scale, (size_t)rows * (size_t)inputs, a->x[0]);
            agon_openblas_forward(&a->net, a->weights + (size_t)i * a->net.size, a->x, rows,
                                  a->most);
            write_heads(a->x[a->net.layers], rows, actions,
                        a->logits + (size_t)row * (size_t)actions, a->value + row);
        }
    return done;
}

static void close_against(against* a) {
    for (int i = 0; i <= a->net.layers; i++)
        free(a->x[i]);
    free(a->weights);
    free(a->logits);
    free(a->value);
    free(a->our_logits);
    agon_bench_nets_close(&a->ours);
}

static bool open_against(against* a, const agon_rules* rules, const agon_net* net, int nets,
                         int rows_each) {
    const size_t rows = (size_t)nets * (size_t)rows_each;
    *a = (against){.net = agon_openblas_net_of(net)};
    bool whole = agon_bench_nets_open(&a->ours, rules, net, nets, rows_each);
    for (int i = 0; i <= a->net.layers; i++) {
        const int width = i ? a->net.layer[i - 1].out : net->inputs;
        a->x[i] = calloc((size_t)rows_each * (size_t)width, sizeof(float));
        whole = whole && a->x[i];
    }
    a->weights = calloc((size_t)nets * a->net.size, sizeof *a->weights);
    a->logits = calloc(rows * (size_t)net->actions, sizeof *a->logits);
    a->value = calloc(rows, sizeof *a->value);
    a->our_logits = calloc(rows * (size_t)net->actions, sizeof *a->our_logits);
    if (!whole || !a->weights || !a->logits || !a->value || !a->our_logits)
        return false;
    for (int i = 0; i < nets; i++)
        agon_openblas_weights(&a->net, a->ours.params + (size_t)i * agon_net_size(net),
                              a->weights + (size_t)i * a->net.size);
    a->ours.call.action = NULL;
    a->ours.call.log_probability = NULL;
    a->ours.call.logits = a->our_logits;
    return true;
}

static int measure(const agon_bench* b, against* a, int nets, int rows_each, agon_error* error) {
    agon_bench_work* const work[2] = {agon_bench_go_forward, go_openblas};
    void* const user[2] = {&a->ours, a};
    const agon_net* net = a->ours.call.net;
    const size_t rows = (size_t)nets * (size_t)rows_each;
    agon_bench_rate rate[2];
    char fields[256], shape[128];
    agon_openblas_choose(go_openblas, a, rows_each, &a->most);
    go_openblas(a, 1);
    agon_bench_go_forward(&a->ours, 1);
    int rc =
        agon_openblas_agree("logits", a->our_logits, a->logits, rows * (size_t)net->actions, error);
    if (!rc)
        rc = agon_openblas_agree("values", a->ours.call.value, a->value, rows, error);
    if (rc)
        return rc;
    const double ratio = agon_bench_measure_two(b, work, user, rate);
    agon_net_format(net, shape, sizeof shape);
    snprintf(fields, sizeof fields,
             "\"net\":\"%s\",\"nets\":%d,\"rows_per_net\":%d,\"outputs\":\"logits, values\"", shape,
             nets, rows_each);
    agon_openblas_print("forward", fields, agon_net_flop(net), a->most, ratio, rate);
    return AGON_OK;
}

int agon_bench_forward_openblas(const agon_bench* b, const agon_rules* rules, const agon_net* net,
                                int nets, int rows_each, agon_error* error) {
    against a;
    const int rc = open_against(&a, rules, net, nets, rows_each)
                       ? measure(b, &a, nets, rows_each, error)
                       : agon_fail(error, AGON_EMEMORY, "no memory for %d nets", nets);
    close_against(&a);
    return rc;
}
