/* Promise: a product of the update is the sum of its terms in order, of operands as its mode rounds
 * them, with bias, activation, slope and sums of rows: the same bytes as plain loops. (On a GPU, so
 * in mode fp32; the other modes have tensor cores, which add in an order of their own.) It reads
 * and writes nothing else, and depends neither on the grid nor on the order of blocks and warps. */
#include "tests/cuda/emulate.h"
#include "tests/unit/backend_fixture.h"

#include "cuda/update_plan.h"

enum { GROUPS = 2, ROWS = 3 /* that a group has more than its product */ };

typedef struct shape {
    int rows, in, out; /* of a layer: rows of a minibatch, inputs, outputs */
    int mode, bend;
    int turn; /* 1: few blocks, backwards */
} shape;

static int pad16(int width) {
    return (width + 15) / 16 * 16;
}

/* A matrix of elements: (GROUPS, rows + ROWS, stride), zero from cols on, NaN behind `rows`. */
typedef struct matrix {
    int mode, rows, cols, stride;
    void* at;
} matrix;

static size_t matrix_group(const matrix* x) {
    return (size_t)(x->rows + ROWS) * (size_t)x->stride;
}

static matrix random_matrix(source* s, int mode, int rows, int cols, int stride) {
    matrix x = {mode, rows, cols, stride, NULL};
    const size_t count = GROUPS * matrix_group(&x);
    x.at = aligned_alloc(16, (count * (size_t)agon__element(mode) + 15) / 16 * 16);
    assert_non_null(x.at);
    for (size_t i = 0; i < count; i++) {
        const int row = (int)(i / (size_t)stride) % (rows + ROWS), col = (int)(i % (size_t)stride);
        const float real = row < rows ? next_uniform(s) - 0.5f : NAN;
        agon__put(mode, x.at, i, col < cols ? real : row < rows ? 0.0f : NAN);
    }
    return x;
}

static float element(const matrix* x, int group, int row, int col) {
    return agon__get(x->mode, x->at,
                     (size_t)group * matrix_group(x) + (size_t)row * (size_t)x->stride +
                         (size_t)col);
}

static agon__operand operand_of(const matrix* x, int rows, int depth) {
    return (agon__operand){.base = x->at,
                           .group = matrix_group(x) * (size_t)agon__element(x->mode),
                           .stride = x->stride,
                           .rows = rows,
                           .depth = depth};
}

static void run(const shape* s, agon__update_kernel kernel, agon__product_args* args) {
    for (int cut = 0; cut < 3; cut++) { /* whichever way C is cut, it comes out the same */
        agon__product_args one = *args;
        const agon__cut c = agon__cut_of(one.shape = cut);
        one.groups = GROUPS;
        const int replaces = kernel == AGON__UPDATE_SLOPES || kernel == AGON__UPDATE_MORE_GRADS;
        if (replaces && cut != s->rows % 3)
            continue; /* what they read, so once is enough */
        emulate_run(emulate_find("kernels", agon__update_kernel_name(kernel, s->mode)),
                    s->turn ? 3 : 40, AGON__PRODUCT_WARPS, 2 * (size_t)agon__product_chunk(c), &one,
                    s->turn);
    }
}

static const char* name_of(const char* what, const shape* s) {
    static char text[96];
    snprintf(text, sizeof text, "%s, %d rows, %d to %d, mode %d, activation %d", what, s->rows,
             s->in, s->out, s->mode, s->bend);
    return text;
}

static void same_element(const char* what, const shape* s, int mode, const void* got, size_t at,
                         float want) {
    char rounded[4];
    agon__put(mode, rounded, 0, want);
    const float x = agon__get(mode, got, at), y = agon__get(mode, rounded, 0);
    if (x != y)
        fail_msg("element %zu is %a, expected %a (%s)", at, (double)x, (double)y, name_of(what, s));
}

static float bent(int bend, float x) {
    return bend == 1 ? fmaxf(x, 0.0f) : bend == 2 ? tanhf(x) : x;
}

static void check_layer(source* from, const shape* s) {
    const int pad = pad16(s->out), rows8 = (s->out + 7) / 8 * 8, floats = s->bend == 0;
    matrix x = random_matrix(from, s->mode, s->rows, s->in, pad16(s->in));
    matrix w = random_matrix(from, s->mode, rows8, s->in, pad16(s->in) + 8);
    matrix y = random_matrix(from, floats ? AGON__FP32 : s->mode, s->rows, pad, pad);
    float* bias = need(GROUPS * (size_t)rows8 * sizeof *bias);
    fill(from, bias, GROUPS * (size_t)rows8, 1.0f);
    agon__product_args args = {.rows = s->rows,
                               .cols = pad,
                               .depth = s->in,
                               .a = operand_of(&x, s->rows, s->in),
                               .b = operand_of(&w, rows8, s->in),
                               .end = {.bend = s->bend,
                                       .out = y.at,
                                       .group = operand_of(&y, 0, 0).group,
                                       .stride = pad,
                                       .rows = s->rows,
                                       .cols = pad,
                                       .floats = floats,
                                       .bias = (const char*)bias,
                                       .bias_group = (size_t)rows8 * sizeof *bias,
                                       .biases = rows8}};
    run(s, AGON__UPDATE_LAYER, &args);
    for (int g = 0; g < GROUPS; g++)
        for (int r = 0; r < s->rows + ROWS; r++)
            for (int j = 0; j < pad; j++) {
                float sum = j < rows8 ? bias[g * rows8 + j] : 0.0f;
                const size_t at = (size_t)g * matrix_group(&y) + (size_t)(r * pad + j);
                for (int k = 0; k < s->in && j < rows8 && r < s->rows; k++)
                    sum = fmaf(element(&x, g, r, k), element(&w, g, j, k), sum);
                if (r < s->rows)
                    same_element("layer", s, y.mode, y.at, at, bent(s->bend, sum));
                else
                    assert_true(isnan(agon__get(y.mode, y.at, at)));
            }
    free(x.at);
    free(w.at);
    free(y.at);
    free(bias);
}

static float unbent(int bend, float y, float slope) {
    return bend == 1 ? (y > 0.0f ? slope : 0.0f) : bend == 2 ? slope * (1.0f - y * y) : slope;
}

static void check_slopes(source* from, const shape* s) {
    const int pad = pad16(s->in);
    matrix dy = random_matrix(from, s->mode, s->rows, s->out, pad16(s->out));
    matrix w = random_matrix(from, s->mode, (s->out + 7) / 8 * 8, s->in, pad + 8);
    matrix y = random_matrix(from, s->mode, s->rows, s->in, pad);
    const size_t bytes = GROUPS * operand_of(&y, 0, 0).group;
    matrix was = y;
    was.at = need(bytes);
    memcpy(was.at, y.at, bytes);
    agon__product_args args = {.rows = s->rows,
                               .cols = pad,
                               .depth = s->out,
                               .a = operand_of(&dy, s->rows, s->out),
                               .b = operand_of(&w, pad, s->out),
                               .end = {.bend = s->bend,
                                       .out = y.at,
                                       .group = operand_of(&y, 0, 0).group,
                                       .stride = pad,
                                       .rows = s->rows,
                                       .cols = pad}};
    run(s, AGON__UPDATE_SLOPES, &args);
    for (int g = 0; g < GROUPS; g++)
        for (int r = 0; r < s->rows + ROWS; r++)
            for (int j = 0; j < pad; j++) {
                const size_t at = (size_t)g * matrix_group(&y) + (size_t)(r * pad + j);
                float sum = 0.0f;
                for (int k = 0; k < s->out && r < s->rows; k++)
                    sum = fmaf(element(&dy, g, r, k), element(&w, g, k, j), sum);
                if (r < s->rows)
                    same_element("slopes", s, s->mode, y.at, at,
                                 unbent(s->bend, element(&was, g, r, j), sum));
                else
                    assert_true(isnan(agon__get(s->mode, y.at, at)));
            }
    free(dy.at);
    free(w.at);
    free(y.at);
    free(was.at);
}

/* All rows at once; or, where there are many, some first, and then the rest. */
static void run_grads(const shape* s, agon__product_args* args) {
    const int whole = args->depth, some = whole / 2 / AGON__TILE_K * AGON__TILE_K;
    const int size = agon__element(s->mode);
    args->depth = args->a.depth = args->b.depth = some ? some : whole;
    run(s, AGON__UPDATE_GRADS, args);
    if (some) {
        args->depth = args->a.depth = args->b.depth = whole - some;
        args->a.base += some * args->a.stride * size;
        args->b.base += some * args->b.stride * size;
        run(s, AGON__UPDATE_MORE_GRADS, args);
    }
}

/* Where the last output's gradient goes apart, as a value's, and its bias's. */
static void check_grads(source* from, const shape* s) {
    const size_t weights = (size_t)(s->in * s->out), each = weights + (size_t)s->out + 7;
    matrix dy = random_matrix(from, s->mode, s->rows, s->out, pad16(s->out));
    matrix x = random_matrix(from, s->mode, s->rows, s->in, pad16(s->in));
    float* grads = need(GROUPS * each * sizeof *grads);
    const int apart = s->turn ? s->out - 1 : -1, rest = s->turn ? s->out - 1 : s->out;
    float* sums = grads + (ptrdiff_t)s->in * rest;
    agon__product_args args = {.rows = s->out,
                               .cols = s->in,
                               .depth = s->rows,
                               .a = operand_of(&dy, pad16(s->out), s->rows),
                               .b = operand_of(&x, pad16(s->in), s->rows),
                               .end = {.out = (char*)grads,
                                       .group = each * sizeof *grads,
                                       .stride = s->in,
                                       .rows = s->out,
                                       .cols = s->in,
                                       .apart = apart,
                                       .apart_out = sums + rest,
                                       .sums = sums,
                                       .apart_sum = sums + rest + s->in}};
    run_grads(s, &args);
    for (int g = 0; g < GROUPS; g++) {
        const float* got = grads + (size_t)g * each;
        for (int i = 0; i < s->out; i++) {
            const int row = i == apart ? 0 : s->in * i, base = i == apart ? s->in * rest + rest : 0;
            float sum = 0.0f;
            for (int j = 0; j < s->in; j++) {
                float want = 0.0f;
                for (int r = 0; r < s->rows; r++)
                    want = fmaf(element(&dy, g, r, i), element(&x, g, r, j), want);
                same_element("grads", s, AGON__FP32, got, (size_t)(base + row + j), want);
            }
            for (int r = 0; r < s->rows; r++)
                sum += element(&dy, g, r, i);
            same_element("bias", s, AGON__FP32, got,
                         (size_t)(i == apart ? base + s->in : s->in * rest + i), sum);
        }
        for (int i = 0; i < 7 * 4; i++)
            assert_int_equal(((const uint8_t*)(got + weights + s->out))[i], 0xa5);
    }
    free(dy.at);
    free(x.at);
    free(grads);
}

static void plain_loops(void** state) {
    static const int rows[] = {1, 2, 16, 63, 65, 130}, widths[] = {1, 5, 16, 33, 64, 129, 257};
    source from = {3};
    (void)state;
    for (int i = 0; i < 42; i++) {
        const shape s = {.rows = rows[i % 6],
                         .in = widths[i % 7],
                         .out = widths[(i / 7 + i) % 7],
                         .mode = i % 3,
                         .bend = (i / 3) % 3,
                         .turn = i / 2 % 2};
        check_layer(&from, &s);
        check_slopes(&from, &s);
        check_grads(&from, &s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
