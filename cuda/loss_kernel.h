/* loss_kernel.h: PPO's loss and its slopes, row by row (agents/kernel_body.h has it on the CPU). */
#ifndef AGON_CUDA_LOSS_KERNEL_H
#define AGON_CUDA_LOSS_KERNEL_H

#include "cuda/minibatch.h"

/* Pointers are those of member 0 of the launch; arrays of entries are (members, entries). */
typedef struct agon__loss_args {
    int mode; /* of the slopes */
    int members, rows;
    int row_limit;        /* from one member's rows to the next's */
    int actions, stride;  /* of a row of head and slope */
    const float* head;    /* (members, row_limit, stride): logits, and behind them the value */
    void* slope;          /* out, as head: d loss / d head, and zeros */
    float* row_stats;     /* out (members, row_limit, AGON__ROW_STATS) */
    float share;          /* 1 / rows: scales the slopes */
    const uint64_t* mask; /* (places, mask_words); NULL: all legal */
    int mask_words;
    const uint16_t* action;
    const float *log_probability, *advantage, *target;
    const agon__update_member* member;
    agon__sights sights;
} agon__loss_args;

/* One row's policy, while its slopes are worked out. */
typedef struct agon__loss_row {
    const float* head;
    const uint64_t* mask;
    float top, log_sum, sum;
} agon__loss_row;

/* ln of a logit's exponential over that of the highest: not below a number that stands for ln 0,
 * finite so that 0 times it is 0. NaN stays. */
AGON_KERNEL_FN float agon__loss_down(const agon__loss_row* row, int action) {
    const int legal = !row->mask || (row->mask[action >> 6] >> (action & 63) & 1);
    const float d = legal ? row->head[action] - row->top : -1e30f;
    return -1e30f > d ? -1e30f : d;
}

AGON_KERNEL_FN float agon__loss_log(const agon__loss_row* row, int action) {
    return agon__loss_down(row, action) - row->log_sum;
}

AGON_KERNEL_FN float agon__loss_share(const agon__loss_row* row, int action) {
    return expf(agon__loss_down(row, action)) / row->sum;
}

/* Fills top, sum and log_sum; returns the entropy. */
AGON_KERNEL_FN float agon__loss_softmax(agon__loss_row* row, int actions) {
    AGON_LANE(float, x);
    row->top = 0.0f;
    AGON_LANES(l) {
        float top = -INFINITY;
        for (int i = l; i < actions; i += AGON__WARP) {
            const int legal = !row->mask || (row->mask[i >> 6] >> (i & 63) & 1);
            top = legal && row->head[i] > top ? row->head[i] : top;
        }
        x[AGON_AT(l)] = top;
    }
    row->top = agon_warp_max(x);
    AGON_LANES(l) {
        float sum = 0.0f;
        for (int i = l; i < actions; i += AGON__WARP)
            sum += expf(agon__loss_down(row, i));
        x[AGON_AT(l)] = sum;
    }
    row->sum = agon_warp_sum(x);
    row->log_sum = logf(row->sum);
    AGON_LANES(l) {
        float entropy = 0.0f;
        for (int i = l; i < actions; i += AGON__WARP)
            entropy -= agon__loss_share(row, i) * agon__loss_log(row, i);
        x[AGON_AT(l)] = entropy;
    }
    return agon_warp_sum(x);
}

/* The clipped surrogate; returns d loss / d ln p(action). stats: policy loss, .., kl, clipped. */
AGON_KERNEL_FN float agon__loss_surrogate(float log_p, float old_log_p, float advantage, float clip,
                                          float* stats) {
    const float change = log_p - old_log_p, ratio = expf(change);
    const float low = 1.0f - clip, high = 1.0f + clip;
    const float floored = low > ratio ? low : ratio;
    const float free_gain = ratio * advantage;
    const float held_gain = (floored > high ? high : floored) * advantage;
    const float moved = ratio - 1.0f, kl = moved - change;
    stats[0] = -(free_gain > held_gain ? held_gain : free_gain);
    stats[3] = 0.0f > kl ? 0.0f : kl;
    stats[4] = (0.0f > moved ? -moved : moved) > clip ? 1.0f : 0.0f;
    return free_gain > held_gain ? 0.0f : -free_gain;
}

/* Row `r` of member `m`, by a warp. */
AGON_KERNEL_FN void agon__loss_one(const agon__loss_args* a, int m, int r) {
    const agon__update_member* member = &a->member[m];
    const uint64_t at = (uint64_t)m * (uint64_t)a->row_limit + (uint64_t)r;
    const uint64_t entry = agon__sight_entry(&a->sights, m, r);
    const uint64_t* mask =
        a->mask ? a->mask + agon__sight_place(&a->sights, entry) * (uint64_t)a->mask_words : NULL;
    agon__loss_row row = {a->head + at * (uint64_t)a->stride, mask, 0.0f, 0.0f, 0.0f};
    const int chosen = a->action[entry];
    float stats[AGON__ROW_STATS];
    stats[2] = agon__loss_softmax(&row, a->actions);
    const float entropy = stats[2], spread = member->entropy_weight * a->share;
    const float gain =
        a->share * agon__loss_surrogate(agon__loss_log(&row, chosen), a->log_probability[entry],
                                        a->advantage[entry], member->clip, stats);
    const float miss = row.head[a->actions] - a->target[entry];
    stats[1] = 0.5f * (miss * miss);
    AGON_LANES(l) {
        for (int i = l; i < a->stride; i += AGON__WARP) {
            float slope = 0.0f;
            if (i < a->actions)
                slope = agon__loss_share(&row, i) *
                        (spread * (agon__loss_log(&row, i) + entropy) - gain);
            if (i == chosen)
                slope += gain;
            if (i == a->actions)
                slope = miss * (member->value_weight * a->share);
            agon__put(a->mode, a->slope, at * (uint64_t)a->stride + (uint64_t)i, slope);
        }
        for (int i = 0; i < AGON__ROW_STATS && l == 0; i++)
            a->row_stats[at * AGON__ROW_STATS + (uint64_t)i] = stats[i];
    }
}

/* A warp per row, any number of blocks. 4 bytes read per action (and three times more from the
 * cache), an element written, three exponentials. */
AGON_KERNEL_FN void agon__kernel_loss(agon__block* b, const agon__loss_args* a) {
    AGON_WARPS(b, w) {
        const int64_t all = (int64_t)a->members * a->rows, step = (int64_t)b->blocks * b->warps;
        for (int64_t at = (int64_t)b->index * b->warps + w; at < all; at += step)
            agon__loss_one(a, (int)(at / a->rows), (int)(at % a->rows));
    }
}

#endif
