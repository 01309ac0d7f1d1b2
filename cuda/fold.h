/* fold.h: which entries of an image a convolution multiplies: the image is unfolded into one row of
 * columns for each point, and a convolution is a linear map of these rows. A column is an entry of
 * the kernel's points, from the top left one by rows, and of its channels:
 * column = (y * kernel + x) * channels + channel. A kernel without a size is the whole image, at
 * one point: what a layer after a convolution sees. Internal to cuda/. */
#ifndef AGON_CUDA_FOLD_H
#define AGON_CUDA_FOLD_H

#include "cuda/block.h"

typedef struct agon__fold {
    int rows, cols;               /* of the image */
    int kernel;                   /* points across, odd; 0: the whole image */
    int channels;                 /* at each point */
    int channel_step, point_step; /* entries from one channel, or point, to the next */
} agon__fold;

/* Where point `offset` of the kernel lies when it is applied at `point`; -1: beyond an edge. */
AGON_KERNEL_FN int agon__fold_point(const agon__fold* f, int point, int offset) {
    if (f->kernel == 0)
        return offset;
    const int y = point / f->cols + offset / f->kernel - f->kernel / 2;
    const int x = point % f->cols + offset % f->kernel - f->kernel / 2;
    return y < 0 || y >= f->rows || x < 0 || x >= f->cols ? -1 : y * f->cols + x;
}

/* The entry of the image that a column is at a point; -1: a zero beyond an edge. */
AGON_KERNEL_FN int agon__fold_entry(const agon__fold* f, int point, int column) {
    const int from = agon__fold_point(f, point, column / f->channels);
    return from < 0 ? -1 : from * f->point_step + column % f->channels * f->channel_step;
}

/* The other way round: at which point of the output the kernel's point `offset` lies on `from`; -1:
 * at none. */
AGON_KERNEL_FN int agon__fold_back(const agon__fold* f, int from, int offset) {
    if (f->kernel == 0)
        return offset == from ? 0 : -1;
    return agon__fold_point(f, from, f->kernel * f->kernel - 1 - offset);
}

#endif
