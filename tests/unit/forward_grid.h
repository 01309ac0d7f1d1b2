/* forward_grid.h: the shapes over which the GPU's forward is compared with the CPU's: 1, 2, 3
 * layers of 1, 7, 64, 200, 256 units, relu and tanh, with groups of 0, 1, 7 and 1000 rows in one
 * call. */
#ifndef AGON_FORWARD_GRID_H
#define AGON_FORWARD_GRID_H

#include "tests/unit/forward_fixture.h"

enum { GRID_WIDTHS = 5, GRID_GROUPS = 4 };
static const int grid_widths[GRID_WIDTHS] = {1, 7, 64, 200, 256};
static const int grid_counts[GRID_GROUPS] = {7, 0, 1000, 1};

/* What to do with each shape; `turn` counts them, so that other things go round. */
typedef void grid_check(company* c, int turn);

/* Shapes whose turn is `first` modulo `step`. */
static inline void walk_grid(int actions, agon_dtype type, int first, int step, grid_check* check) {
    source s = {(uint32_t)actions};
    agon_net net = {.inputs = type == AGON_U8 ? 126 : 37, .actions = actions};
    company c;
    int turn = 0;
    open_company(&s, &net, type, GRID_GROUPS, grid_counts, &c);
    for (net.layers = 1; net.layers <= 3; net.layers++)
        for (int w = 0; w < GRID_WIDTHS; w++)
            for (int tanh_net = 0; tanh_net < 2; tanh_net++, turn++) {
                if (turn % step != first)
                    continue;
                net.activation = tanh_net ? AGON_TANH : AGON_RELU;
                for (int i = 0; i < net.layers; i++)
                    net.hidden[i] = grid_widths[w];
                give_nets(&s, &c, &net);
                c.b.all_legal = turn % 3 == 0;
                check(&c, turn);
            }
    close_company(&c);
}

/* Mode FP32: logits and values are the CPU's, but for the sign of zero; with tanh, which is another
 * library's, within 1e-5 of the largest. Probabilities within 1e-5; actions are fair. */
static inline void check_fp32(company* c, int turn) {
    outputs want = open_outputs(&c->b), got = open_outputs(&c->b);
    run r = {.mode = AGON__FP32, .shared = shared_sizes[turn % SHARED_SIZES]};
    const size_t rows = (size_t)c->b.rows, all = rows * (size_t)c->b.net.actions;
    const float share = c->b.net.activation == AGON_RELU ? 0.0f : 1e-5f;
    run_cpu(c, &want);
    run_kernels(c, &r, &got);
    const char* place = place_of_run(c, &r);
    near_floats("logits", place, want.logits, got.logits, all, share);
    near_floats("value", place, want.value, got.value, rows, share);
    near_floats("probability", place, want.probability, got.probability, all, 1e-5f);
    fair_actions(&c->b, place, want.probability, &got);
    nothing_behind(&c->b, "cuda", &got);
    close_outputs(&want);
    close_outputs(&got);
}

#endif
