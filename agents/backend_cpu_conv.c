/* backend_cpu_conv.c: convolutions: an image is unfolded, and the linear map of its patches is a
 * product. A patch is what a kernel sees at a point: (kernel * kernel, channels), its points from
 * the top left one by rows, zeros beyond the edges of the image, which are terms like any other. */
#include "agents/backend_cpu.h"

#include <string.h>

void agon__conv_load(const agon_input* input, const void* obs, const agon__linear* linear,
                     float* image) {
    const int points = linear->rows * linear->cols, planes = linear->channels;
    for (int plane = 0; plane < planes; plane++) {
        const uint8_t* bytes = (const uint8_t*)obs + plane * points;
        const float* floats = (const float*)obs + plane * points;
        for (int p = 0; p < points; p++)
            image[p * planes + plane] =
                input->type == AGON_U8 ? (float)bytes[p] * input->scale : floats[p];
    }
}

/* ---- unfolding ---------------------------------------------------------------------------- */

/* Patches of the points of all rows, AGON__FOLD_POINTS at a time. */
typedef struct walk {
    const agon__linear* linear;
    int channels;    /* of the images */
    const float* x;  /* (rows, x_row) images */
    int x_row, rows; /* floats, rows of the block */
    int joined;      /* 1: points of a row and of the next may come together */
    int row, point;  /* which comes next */
    int width;       /* floats of one line of the image in its border */
    ptrdiff_t step;  /* floats from one patch to the next */
    float* image;    /* in its border */
    float* patches;  /* (AGON__FOLD_POINTS, step) */
} walk;

static walk open_walk(const agon__plan* plan, const agon__linear* linear, int channels,
                      const float* x, int x_row, int rows, int joined) {
    const int border = linear->kernel - 1, width = (linear->cols + border) * channels;
    memset(plan->image, 0,
           ((size_t)(linear->rows + border) * (size_t)width + AGON__LANES) * sizeof(float));
    return (walk){
        .linear = linear,
        .channels = channels,
        .x = x,
        .x_row = x_row,
        .rows = rows,
        .joined = joined,
        .width = width,
        .step = agon__pad(linear->kernel * linear->kernel * channels),
        .image = plan->image,
        .patches = plan->patches,
    };
}

/* Row w->row comes into the border. */
static void set_image(const walk* w) {
    const int half = w->linear->kernel / 2, line = w->linear->cols * w->channels;
    const float* from = w->x + (ptrdiff_t)w->row * w->x_row;
    float* to = w->image + half * w->width + half * w->channels;
    for (int y = 0; y < w->linear->rows; y++)
        memcpy(to + y * w->width, from + y * line, (size_t)line * sizeof(float));
}

/* By whole vectors: what is written too much is written again, or lies behind the patches. */
static void copy_run(float* to, const float* from, int floats) {
    for (int i = 0; i < floats; i += AGON__LANES)
        memcpy(to + i, from + i, AGON__LANES * sizeof(float));
}

/* Patches of `count` points of the image from w->point on. */
static void unfold(const walk* w, int count, float* to) {
    const int kernel = w->linear->kernel, run = kernel * w->channels;
    int y = w->point / w->linear->cols, x = w->point % w->linear->cols;
    for (int i = 0; i < count; i++, to += w->step) {
        const float* from = w->image + y * w->width + x * w->channels;
        for (int line = 0; line < kernel; line++)
            copy_run(to + line * run, from + line * w->width, run);
        if (++x == w->linear->cols) {
            x = 0;
            y++;
        }
    }
}

/* The next patches; returns how many, 0 after the last. */
static int next_patches(walk* w) {
    const int points = w->linear->rows * w->linear->cols;
    int count = 0;
    while (w->row < w->rows && count < AGON__FOLD_POINTS) {
        const int room = AGON__FOLD_POINTS - count, left = points - w->point;
        const int more = left < room ? left : room;
        if (w->point == 0 && count > 0 && !w->joined)
            break;
        if (w->point == 0)
            set_image(w);
        unfold(w, more, w->patches + count * w->step);
        count += more;
        w->point += more;
        if (w->point == points) {
            w->point = 0;
            w->row++;
        }
    }
    return count;
}

/* Where the outputs of the walk's next point lie, of `width` at each point. */
static ptrdiff_t place(const walk* w, int row, int width) {
    return (ptrdiff_t)w->row * row + (ptrdiff_t)w->point * width;
}

/* ---- forward ------------------------------------------------------------------------------ */

void agon__conv_forward(const agon__block* block, int layer, int relu) {
    const agon__linear* linear = &block->shape->linear[layer];
    const float* weight = block->packed + linear->packed;
    const int joined = linear->y_row == linear->rows * linear->cols * linear->out;
    walk w = open_walk(block->plan, linear, linear->channels, block->plan->x[layer], linear->x_row,
                       block->rows, joined);
    ptrdiff_t at = 0;
    for (int count; (count = next_patches(&w)) > 0; at = place(&w, linear->y_row, linear->out))
        block->kernel->product(&(agon__product){
            .rows = count,
            .cols = linear->out,
            .depth = linear->in,
            .a = w.patches,
            .a_row = w.step,
            .a_step = 1,
            .b = weight,
            .bias = weight + (size_t)linear->in * (size_t)linear->out_pad,
            .relu = relu,
            .c = block->plan->x[layer + 1] + at,
            .c_row = linear->out,
        });
}

/* ---- backward ----------------------------------------------------------------------------- */

void agon__conv_grow(const agon__block* block, int layer, const float* dy, float* weight,
                     float* bias, int again) {
    const agon__linear* linear = &block->shape->linear[layer];
    const int points = linear->rows * linear->cols;
    const int joined = linear->y_row == points * linear->out;
    walk w = open_walk(block->plan, linear, linear->channels, block->plan->x[layer], linear->x_row,
                       block->rows, joined);
    ptrdiff_t at = 0;
    if (!again)
        memset(bias, 0, (size_t)linear->out * sizeof(float));
    for (int r = 0; r < block->rows; r++)
        block->kernel->add_rows(dy + (ptrdiff_t)r * linear->y_row, points, linear->out, linear->out,
                                bias);
    for (int count; (count = next_patches(&w)) > 0; at = place(&w, linear->y_row, linear->out)) {
        block->kernel->product(&(agon__product){
            .rows = linear->out,
            .cols = linear->in,
            .depth = count,
            .a = dy + at,
            .a_row = 1,
            .a_step = linear->out,
            .b = w.patches,
            .b_step = w.step,
            .accumulate = again,
            .c = weight,
            .c_row = linear->in,
        });
        again = 1;
    }
}

/* Weights as the slopes' patches meet them: where an output looks to the top left, the slope comes
 * from the bottom right. (kernel * kernel * out, channels) */
static void turn_weights(const agon__linear* linear, const float* weight, float* turned) {
    const int size = linear->kernel * linear->kernel, channels = linear->channels;
    for (int i = size - 1; i >= 0; i--)
        for (int j = 0; j < linear->out; j++, turned += channels)
            memcpy(turned, weight + (ptrdiff_t)j * linear->in + (ptrdiff_t)i * channels,
                   (size_t)channels * sizeof(float));
}

void agon__conv_pass(const agon__block* block, int layer, const float* dy, const float* weight,
                     float* dx) {
    const agon__linear* linear = &block->shape->linear[layer];
    const int joined = linear->x_row == linear->rows * linear->cols * linear->channels;
    walk w = open_walk(block->plan, linear, linear->out, dy, linear->y_row, block->rows, joined);
    ptrdiff_t at = 0;
    turn_weights(linear, weight, block->plan->turned);
    for (int count; (count = next_patches(&w)) > 0; at = place(&w, linear->x_row, linear->channels))
        block->kernel->product(&(agon__product){
            .rows = count,
            .cols = linear->channels,
            .depth = linear->kernel * linear->kernel * linear->out,
            .a = w.patches,
            .a_row = w.step,
            .a_step = 1,
            .b = block->plan->turned,
            .b_step = linear->channels,
            .c = dx + at,
            .c_row = linear->channels,
        });
}
