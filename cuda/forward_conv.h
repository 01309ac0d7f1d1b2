/* forward_conv.h: convolutions of the wide path: inputs are unfolded as they are staged in shared
 * memory, so that no unfolded image lies anywhere else.
 *
 * A row of a tile is a point of a slot's image. Where its image lies, and where the point is on it,
 * is found once for a tile. A thread keeps to one column, or to 16 bytes of them where a point's
 * channels are whole such pieces.
 *
 * Per point: 2 * in * out FLOP. From memory, per tile: each image that it touches once (then they
 * are in the L1 cache: a tile reads an entry up to kernel * kernel times), the weights, and what is
 * written: `channels` elements a point. */
#ifndef AGON_CUDA_FORWARD_CONV_H
#define AGON_CUDA_FORWARD_CONV_H

#include "cuda/forward_layer.h"

/* A row of the tile. */
typedef struct agon__conv_row {
    const char* at; /* channel 0 of its point */
    int y, x;
} agon__conv_row;

/* A column of the unfolded image: how far from a row's point it lies. */
typedef struct agon__conv_column {
    int y, x, entries;
    int is; /* 0: beyond the last column */
} agon__conv_column;

/* What a thread stages: column k, or a piece from there on, of rows first, first + step, .. */
typedef struct agon__conv_part {
    const agon__conv_row* row;
    agon__conv_column column;
    int first, step, rows;
    char* to; /* its column of row 0 in shared memory */
    size_t to_row;
} agon__conv_part;

/* Bytes of one entry of the image. */
AGON_KERNEL_FN int agon__conv_size(const int mode, const agon__forward_args* a) {
    if (a->in)
        return agon__element(mode);
    return a->call.obs_type == AGON_U8 ? 1 : (int)sizeof(float);
}

/* Columns that a thread copies together; 1: entries become elements one by one. */
AGON_KERNEL_FN int agon__conv_together(const int mode, const agon__forward_args* a) {
    const int per = AGON__PIECE / agon__element(mode);
    return a->in && a->call.net.linear[a->cut.layer].fold.channels % per == 0 ? per : 1;
}

AGON_KERNEL_FN const char* agon__conv_image(const int mode, const agon__forward_args* a, int slot) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    if (!a->in)
        return (const char*)a->call.obs +
               (a->call.place ? a->call.place[slot] : (size_t)slot) * a->call.obs_bytes;
    return (const char*)a->in + (size_t)(slot - a->from) * (size_t)agon__forward_row(linear) *
                                    (size_t)agon__element(mode);
}

/* A phase: where the rows of the tile are. */
AGON_KERNEL_FN void agon__conv_rows(const int mode, agon__block* b, const agon__forward_args* a,
                                    const agon__forward_tile* t) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const agon__fold* f = &linear->fold;
    const int size = agon__conv_size(mode, a);
    agon__conv_row* row = (agon__conv_row*)(void*)(b->shared + a->cut.x[1]);
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int r = w * AGON__WARP + l; r < t->rows; r += b->warps * AGON__WARP) {
                const int slot = t->first + (t->point + r) / linear->points;
                const int point = (t->point + r) % linear->points;
                row[r].at = agon__conv_image(mode, a, slot) + point * f->point_step * size;
                row[r].y = point / f->cols;
                row[r].x = point % f->cols;
            }
        }
    }
}

AGON_KERNEL_FN agon__conv_column agon__conv_column_of(const agon__gpu_linear* linear, int k) {
    const agon__fold* f = &linear->fold;
    const int offset = k / f->channels;
    agon__conv_column c;
    c.y = offset / f->kernel - f->kernel / 2;
    c.x = offset % f->kernel - f->kernel / 2;
    c.entries = (c.y * f->cols + c.x) * f->point_step + k % f->channels * f->channel_step;
    c.is = k < linear->in;
    return c;
}

/* The entry, or NULL: a zero. */
AGON_KERNEL_FN const char* agon__conv_at(const agon__fold* f, const agon__conv_row* row,
                                         const agon__conv_column* column, int size) {
    const int y = row->y + column->y, x = row->x + column->x;
    if (!column->is || y < 0 || y >= f->rows || x < 0 || x >= f->cols)
        return NULL;
    return row->at + column->entries * size;
}

AGON_KERNEL_FN float agon__conv_read(const int mode, const agon__forward_args* a, const char* at) {
    if (!at)
        return 0.0f;
    if (a->in)
        return agon__get(mode, at, 0);
    return a->call.obs_type == AGON_U8 ? (float)*(const uint8_t*)at * a->call.scale
                                       : *(const float*)(const void*)at;
}

/* Loads before stores, so that they wait together. */
AGON_KERNEL_FN void agon__conv_elements(const int mode, const agon__forward_args* a,
                                        const agon__conv_part* p) {
    const agon__fold* f = &a->call.net.linear[a->cut.layer].fold;
    const int size = agon__conv_size(mode, a);
    AGON__LOOP for (int first = p->first; first < p->rows; first += AGON__BATCH * p->step) {
        float x[AGON__BATCH] = {0.0f};
        AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
            const int r = first + i * p->step;
            if (r < p->rows)
                x[i] = agon__conv_read(mode, a, agon__conv_at(f, &p->row[r], &p->column, size));
        }
        AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
            const int r = first + i * p->step;
            if (r < p->rows)
                agon__put(mode, p->to + (size_t)r * p->to_row, 0, x[i]);
        }
    }
}

AGON_KERNEL_FN void agon__conv_pieces(const int mode, const agon__forward_args* a,
                                      const agon__conv_part* p) {
    const agon__fold* f = &a->call.net.linear[a->cut.layer].fold;
    AGON__LOOP for (int first = p->first; first < p->rows; first += AGON__BATCH * p->step) {
        agon__piece piece[AGON__BATCH] = {{0, 0}};
        AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
            const int r = first + i * p->step;
            const char* at =
                r < p->rows ? agon__conv_at(f, &p->row[r], &p->column, agon__element(mode)) : NULL;
            if (at)
                memcpy(&piece[i], __builtin_assume_aligned(at, AGON__PIECE), AGON__PIECE);
        }
        AGON__UNROLL for (int i = 0; i < AGON__BATCH; i++) {
            const int r = first + i * p->step;
            char* to = p->to + (size_t)r * p->to_row;
            if (r < p->rows)
                memcpy(__builtin_assume_aligned(to, AGON__PIECE), &piece[i], AGON__PIECE);
        }
    }
}

/* Columns from .. from + depth - 1 of the tile's rows to (rows, stride) elements. */
AGON_KERNEL_FN void agon__conv_stage(const int mode, agon__block* b, const agon__forward_args* a,
                                     const agon__forward_tile* t, int from, int depth, int stride) {
    const size_t size = (size_t)agon__element(mode);
    const int together = agon__conv_together(mode, a), across = depth / together;
    const int down = b->warps * AGON__WARP / across;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            const int k = (w * AGON__WARP + l) % across * together;
            const int first = (w * AGON__WARP + l) / across;
            const agon__conv_part part = {
                (const agon__conv_row*)(const void*)(b->shared + a->cut.x[1]),
                agon__conv_column_of(&a->call.net.linear[a->cut.layer], from + k),
                first,
                down,
                first < down ? t->rows : 0,
                b->shared + a->cut.x[0] + (size_t)k * size,
                (size_t)stride * size};
            if (together > 1)
                agon__conv_pieces(mode, a, &part);
            else
                agon__conv_elements(mode, a, &part);
        }
    }
}

/* The tile's sums, bent, become the slots' images: (points, channels). */
AGON_KERNEL_FN void agon__conv_write(const int mode, agon__block* b, const agon__forward_args* a,
                                     const agon__wide_tile* t) {
    const agon__gpu_linear* linear = &a->call.net.linear[a->cut.layer];
    const int left = linear->out - t->col, width = left < t->cols ? left : t->cols;
    const size_t row = (size_t)agon__forward_row(linear + 1);
    const int bend = a->call.net.relu ? AGON__BEND_RELU : AGON__BEND_TANH;
    AGON_WARPS(b, w) {
        AGON_LANES(l) {
            AGON__LOOP for (int i = w * AGON__WARP + l; i < agon__wide_places(t->rows.rows, width);
                            i += b->warps * AGON__WARP) {
                const agon__wide_place p = agon__wide_place_of(t->rows.rows, width, i);
                const int at = t->rows.point + p.row;
                if (!p.is)
                    continue;
                const size_t slot = (size_t)(t->rows.first - a->from + at / linear->points);
                const int entry = at % linear->points * linear->out + t->col + p.col;
                agon__put(mode, a->out, slot * row + (size_t)entry,
                          agon__tiles_bend(bend, agon__wide_sum(b, a, t, p.row, p.col)));
                if (entry + 1 == linear->points * linear->out)
                    agon__elements_end(mode, a->out, slot * row, entry + 1);
            }
        }
    }
}

#endif
