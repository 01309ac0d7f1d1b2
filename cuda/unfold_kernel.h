/* unfold_kernel.h: images become columns before a convolution's products, and slopes of columns
 * become slopes of images behind them. Internal to cuda/. */
#ifndef AGON_CUDA_UNFOLD_KERNEL_H
#define AGON_CUDA_UNFOLD_KERNEL_H

#include "cuda/product_kernel.h"

/* Items of a row that a warp has at once, and most elements of an item. */
enum { AGON__FOLD_PIECE = 4 * AGON__WARP, AGON__FOLD_RUN = 8 };

/* Of both kernels: columns (members, rows, points, stride) and the images they are of. Pointers are
 * those of member 0 and the first of the rows. */
typedef struct agon__fold_args {
    int mode, members, rows;
    int points, in, stride; /* in: columns of a point; zeros up to stride */
    int run;                /* elements of an item: channels that lie side by side in both, of 16
                               bytes; or 1 */
    agon__fold fold;        /* its steps are elements of `image`, or entries of what the net sees */
    int channels;           /* of an image's point, with padding */
    char* columns;          /* elements */
    uint64_t columns_group; /* bytes from one member's to the next's */
    char* image;            /* elements (members, rows, points of the image, channels) */
    uint64_t image_group;
    int bend;        /* back: the activation that made the image, as agon__product_end */
    int seen, first; /* 1: images are what the net sees in rows from `first` on of a minibatch */
    agon__sights sights; /* these */
} agon__fold_args;

/* A row of a member, and the items of it that a warp has. */
typedef struct agon__fold_piece {
    int group, row, begin, end;
} agon__fold_piece;

AGON_KERNEL_FN int agon__fold_pieces(int items) {
    return (items + AGON__FOLD_PIECE - 1) / AGON__FOLD_PIECE;
}

/* Piece `at` of all rows of all members, of `items` each. */
AGON_KERNEL_FN agon__fold_piece agon__fold_piece_of(const agon__fold_args* a, int items,
                                                    int64_t at) {
    const int pieces = agon__fold_pieces(items);
    const int64_t row = at / pieces;
    agon__fold_piece p;
    p.group = (int)(row / a->rows);
    p.row = (int)(row % a->rows);
    p.begin = (int)(at % pieces) * AGON__FOLD_PIECE;
    p.end = p.begin + AGON__FOLD_PIECE < items ? p.begin + AGON__FOLD_PIECE : items;
    return p;
}

AGON_KERNEL_FN char* agon__fold_columns(const agon__fold_args* a, const agon__fold_piece* p) {
    const uint64_t row = (uint64_t)a->points * (uint64_t)(a->stride * agon__element(a->mode));
    return a->columns + (uint64_t)p->group * a->columns_group + (uint64_t)p->row * row;
}

AGON_KERNEL_FN char* agon__fold_image(const agon__fold_args* a, const agon__fold_piece* p) {
    const uint64_t points = (uint64_t)a->fold.rows * (uint64_t)a->fold.cols;
    const uint64_t row = points * (uint64_t)(a->channels * agon__element(a->mode));
    return a->image + (uint64_t)p->group * a->image_group + (uint64_t)p->row * row;
}

/* `count` elements of one kind of memory to another, 16 bytes or one element; from NULL: zeros. */
AGON_KERNEL_FN void agon__fold_copy(int mode, int count, const char* from, char* to) {
    uint32_t word[4] = {0, 0, 0, 0};
    if (count > 1) {
        if (from)
            agon__read_16(from, word);
        agon__write_16(to, word);
    } else if (mode == AGON__BF16) {
        *(uint16_t*)to = from ? *(const uint16_t*)from : (uint16_t)0;
    } else {
        *(uint32_t*)to = from ? *(const uint32_t*)from : 0u;
    }
}

/* Item i of a row: columns of a point from `column` on. */
AGON_KERNEL_FN void agon__unfold_item(const agon__fold_args* a, const char* image, char* columns,
                                      int i) {
    const int items = a->stride / a->run, element = agon__element(a->mode);
    const int point = i / items, column = i % items * a->run;
    const int entry = column < a->in ? agon__fold_entry(&a->fold, point, column) : -1;
    if (a->seen) {
        const agon__sights* s = &a->sights;
        float x = 0.0f;
        if (entry >= 0)
            x = s->floats ? ((const float*)image)[entry]
                          : (float)((const uint8_t*)image)[entry] * s->scale;
        agon__put(a->mode, columns, (size_t)i, x);
        return;
    }
    const char* from = entry < 0 ? NULL : image + (ptrdiff_t)entry * element;
    agon__fold_copy(a->mode, a->run, from, columns + (ptrdiff_t)i * a->run * element);
}

/* Any number of blocks and warps; items lie side by side over lanes. Writes points * stride
 * elements a row, kernel * kernel times what it reads, which comes from the caches but once. */
AGON_KERNEL_FN void agon__kernel_unfold(agon__block* b, const agon__fold_args* a) {
    const int items = a->points * (a->stride / a->run);
    AGON_WARPS(b, w) {
        const int64_t all = (int64_t)a->members * a->rows * agon__fold_pieces(items);
        const int64_t step = (int64_t)b->blocks * b->warps;
        for (int64_t at = (int64_t)b->index * b->warps + w; at < all; at += step) {
            const agon__fold_piece p = agon__fold_piece_of(a, items, at);
            const char* image = a->seen ? agon__see(&a->sights, p.group, a->first + p.row)
                                        : agon__fold_image(a, &p);
            char* columns = agon__fold_columns(a, &p);
            AGON_LANES(l) {
                for (int i = p.begin + l; i < p.end; i += AGON__WARP)
                    agon__unfold_item(a, image, columns, i);
            }
        }
    }
}

/* ---- and back ------------------------------------------------------------------------------ */

/* Adds the elements of an item at `from` to its sums: two of each word, of which one may be idle,
 * so that sums are registers. */
AGON_KERNEL_FN void agon__fold_add(int mode, int count, const char* from, float* sum) {
    uint32_t word[4];
    if (count == 1) {
        sum[0] += agon__get(mode, from, 0);
        return;
    }
    agon__read_16(from, word);
    AGON_UNROLL for (int i = 0; i < 4; i++) {
        sum[2 * i] += agon__of_word(mode, word[i], 0);
        sum[2 * i + 1] += agon__of_word(mode, word[i], 1);
    }
}

/* The outputs of an item become their slopes. */
AGON_KERNEL_FN void agon__fold_bend(int mode, int count, int bend, char* at, const float* sum) {
    uint32_t word[4];
    if (count == 1) {
        agon__put(mode, at, 0, agon__product_unbend(bend, agon__get(mode, at, 0), sum[0]));
        return;
    }
    agon__read_16(at, word);
    AGON_UNROLL for (int i = 0; i < 4; i++) {
        const float y[2] = {agon__of_word(mode, word[i], 0), agon__of_word(mode, word[i], 1)};
        word[i] = agon__word_of(mode, agon__product_unbend(bend, y[0], sum[2 * i]),
                                agon__product_unbend(bend, y[1], sum[2 * i + 1]));
    }
    agon__write_16(at, word);
}

/* Item i of a row: channels of a point, from all columns that they are in, in the order of the
 * kernel's points. */
AGON_KERNEL_FN void agon__fold_back_item(const agon__fold_args* a, char* image, const char* columns,
                                         int i) {
    const agon__fold* f = &a->fold;
    const int items = a->channels / a->run, element = agon__element(a->mode);
    const int from = i / items, channel = i % items * a->run;
    const int begin = f->kernel ? 0 : from, end = f->kernel ? f->kernel * f->kernel : from + 1;
    float sum[AGON__FOLD_RUN] = {0.0f};
    char* at = image + (ptrdiff_t)i * a->run * element;
    if (channel >= f->channels) {
        agon__fold_copy(a->mode, a->run, NULL, at);
        return;
    }
    for (int offset = begin; offset < end; offset++) {
        const int point = agon__fold_back(f, from, offset);
        const int64_t column = (int64_t)point * a->stride + offset * f->channels + channel;
        if (point >= 0)
            agon__fold_add(a->mode, a->run, columns + column * element, sum);
    }
    agon__fold_bend(a->mode, a->run, a->bend, at, sum);
}

/* Any number of blocks and warps. Reads points * in elements a row and adds as many; reads and
 * writes the image. */
AGON_KERNEL_FN void agon__kernel_fold_back(agon__block* b, const agon__fold_args* a) {
    const int items = a->fold.rows * a->fold.cols * (a->channels / a->run);
    AGON_WARPS(b, w) {
        const int64_t all = (int64_t)a->members * a->rows * agon__fold_pieces(items);
        const int64_t step = (int64_t)b->blocks * b->warps;
        for (int64_t at = (int64_t)b->index * b->warps + w; at < all; at += step) {
            const agon__fold_piece p = agon__fold_piece_of(a, items, at);
            char* image = agon__fold_image(a, &p);
            const char* columns = agon__fold_columns(a, &p);
            AGON_LANES(l) {
                for (int i = p.begin + l; i < p.end; i += AGON__WARP)
                    agon__fold_back_item(a, image, columns, i);
            }
        }
    }
}

#endif
