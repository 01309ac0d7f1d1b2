/* Promise: in modes TF32 and BF16 logits and values are within 2e-2 of the largest of the CPU
 * backend's, and actions are those at their uniform numbers by the kernel's own probabilities.
 *
 * Over the grid of forward_grid.h with bytes and floats and 1, 9, 1352 actions. Each mode sees a
 * third of the shapes, another third with other actions or inputs. */
#include "tests/unit/forward_grid.h"

static void check_mode(company* c, int mode, int turn) {
    outputs want = open_outputs(&c->b), got = open_outputs(&c->b);
    run r = {.mode = mode, .shared = shared_sizes[turn % SHARED_SIZES]};
    const size_t rows = (size_t)c->b.rows, all = rows * (size_t)c->b.net.actions;
    run_cpu(c, &want);
    run_kernels(c, &r, &got);
    const char* place = place_of_run(c, &r);
    near_floats("logits", place, want.logits, got.logits, all, 2e-2f);
    near_floats("value", place, want.value, got.value, rows, 2e-2f);
    fair_actions(&c->b, place, got.probability, &got);
    nothing_behind(&c->b, mode_names[mode], &got);
    close_outputs(&want);
    close_outputs(&got);
}

static void check_tf32(company* c, int turn) {
    check_mode(c, AGON__TF32, turn);
}
static void check_bf16(company* c, int turn) {
    check_mode(c, AGON__BF16, turn);
}

/* A third of the shapes each; another third with other actions and inputs. */
static void walk_actions(grid_check* check, int first) {
    static const int actions[] = {1, 9, 1352};
    for (int i = 0; i < 6; i++)
        walk_grid(actions[i % 3], i < 3 ? AGON_U8 : AGON_F32, (first + i) % 3, 3, check);
}

static void tf32(void** state) {
    walk_actions(check_tf32, 0);
}
static void bf16(void** state) {
    walk_actions(check_bf16, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tf32), cmocka_unit_test(bf16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
