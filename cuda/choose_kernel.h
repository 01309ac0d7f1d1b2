/* choose_kernel.h: from a row's logits to everything that is wanted of it.
 *
 * Exponentials are taken of (logit - highest) / temperature. An action is the first whose running
 * sum of them exceeds uniform * their sum, so none of probability 0 is ever taken. Illegal logits
 * are -INFINITY. Where logits are NaN it is the highest of the others, or the lowest legal action.
 *
 * With few actions a lane has a row, and adds as the CPU does. With many a warp has one: sums are
 * of 32 actions at a time, by agon_warp_sum, and these sums are added in order. */
#ifndef AGON_CUDA_CHOOSE_KERNEL_H
#define AGON_CUDA_CHOOSE_KERNEL_H

#include <math.h>

#include "cuda/forward.h"
#include "cuda/draw.h"
#include "cuda/forward_tiles.h"

enum { AGON__CHOOSE_FEW = 16 }; /* actions at most where a lane has a row; the bytes depend on it */

typedef struct agon__choose_row {
    const float* z;       /* (actions + 1) logits, then the value */
    const uint64_t* mask; /* NULL: all legal */
    uint64_t legal;       /* the first word of it */
    int slot, group;
} agon__choose_row;

/* What is known of a row after its sums. */
typedef struct agon__choose_sums {
    float top;   /* the highest logit; -INFINITY: there is none */
    float sharp; /* the sum at the call's temperature; not when it is 0 */
    float plain; /* the sum at temperature 1; where log_probability is wanted */
} agon__choose_sums;

/* The row of a slot, whose logits lie at z. */
AGON_KERNEL_FN agon__choose_row agon__choose_row_of(const agon__gpu_forward* c, int group, int slot,
                                                    const float* z) {
    const size_t place = c->place ? c->place[slot] : (size_t)slot;
    const uint64_t* mask = c->mask ? c->mask + place * (size_t)c->mask_words : NULL;
    const agon__choose_row r = {z, mask, mask ? mask[0] : ~(uint64_t)0, slot, group};
    return r;
}

AGON_KERNEL_FN int agon__choose_legal(const agon__choose_row* r, int a) {
    if (a < 64)
        return (int)(r->legal >> a & 1);
    return !r->mask || (r->mask[a / 64] >> (a % 64) & 1);
}

AGON_KERNEL_FN float agon__choose_logit(const agon__choose_row* r, int a) {
    return agon__choose_legal(r, a) ? r->z[a] : -INFINITY;
}

/* z - top, but finite: 0 * it is 0. NaN stays. */
AGON_KERNEL_FN float agon__choose_below(float z, float top) {
    const float d = z - top;
    return -1e30f > d ? -1e30f : d;
}

AGON_KERNEL_FN float agon__choose_exp(const agon__choose_row* r, int a, float top,
                                      float sharpness) {
    return expf(agon__choose_below(agon__choose_logit(r, a), top) * sharpness);
}

AGON_KERNEL_FN int agon__choose_acts(const agon__gpu_forward* c) {
    return c->action || c->log_probability;
}

AGON_KERNEL_FN float agon__choose_uniform(const agon__gpu_forward* c, const agon__choose_row* r) {
    const agon__gpu_draws* d = &c->draws;
    if (c->uniform)
        return c->uniform[r->slot];
    return agon__draw_action(d->key + 2 * (size_t)r->group, d->episode[r->slot], d->ply[r->slot],
                             d->seat[r->slot]);
}

/* The chosen action, and its log-probability at temperature 1. */
AGON_KERNEL_FN void agon__choose_write(const agon__gpu_forward* c, const agon__choose_row* r,
                                       const agon__choose_sums* s, int action) {
    if (c->action)
        c->action[r->slot] = (uint16_t)action;
    if (c->log_probability)
        c->log_probability[r->slot] =
            agon__choose_below(agon__choose_logit(r, action), s->top) - logf(s->plain);
}

/* The probability of action a; `action` is the chosen one. */
AGON_KERNEL_FN float agon__choose_share(const agon__gpu_forward* c, const agon__choose_row* r,
                                        const agon__choose_sums* s, int a, int action) {
    if (c->temperature > 0.0f)
        return agon__choose_exp(r, a, s->top, 1.0f / c->temperature) / s->sharp;
    return a == action ? 1.0f : 0.0f;
}

/* ---- a row by a lane ---------------------------------------------------------------------- */

/* The highest logit's action, the lowest on ties; without one the lowest legal one, or 0. */
AGON_KERNEL_FN int agon__choose_best(const agon__choose_row* r, int actions, float* top) {
    int best = -1;
    *top = -INFINITY;
    for (int a = 0; a < actions; a++) {
        const float x = agon__choose_logit(r, a);
        if (x > *top || (best < 0 && agon__choose_legal(r, a)))
            best = a;
        *top = x > *top ? x : *top;
    }
    return best < 0 ? 0 : best;
}

AGON_KERNEL_FN float agon__choose_sum(const agon__choose_row* r, int actions, float top,
                                      float sharpness) {
    float sum = 0.0f;
    for (int a = 0; a < actions; a++)
        sum += agon__choose_exp(r, a, top, sharpness);
    return sum;
}

/* The first action whose running sum exceeds the bound, or `best`. */
AGON_KERNEL_FN int agon__choose_draw(const agon__choose_row* r, int actions, float top,
                                     float sharpness, float bound, int best) {
    float running = 0.0f;
    for (int a = 0; a < actions; a++) {
        running += agon__choose_exp(r, a, top, sharpness);
        if (running > bound)
            return a;
    }
    return best;
}

AGON_KERNEL_FN void agon__choose_lane(const agon__gpu_forward* c, const agon__choose_row* r) {
    const int n = c->net.actions;
    const int greedy = !(c->temperature > 0.0f);
    const float sharpness = greedy ? 0.0f : 1.0f / c->temperature;
    agon__choose_sums s = {0.0f, 0.0f, 0.0f};
    for (int a = 0; a < n && c->logits; a++)
        c->logits[(size_t)r->slot * (size_t)n + (size_t)a] = r->z[a];
    if (c->value)
        c->value[r->slot] = r->z[n];
    if (!agon__choose_acts(c) && !c->probability)
        return;
    int action = agon__choose_best(r, n, &s.top);
    if (!greedy)
        s.sharp = agon__choose_sum(r, n, s.top, sharpness);
    if (!greedy && agon__choose_acts(c))
        action =
            agon__choose_draw(r, n, s.top, sharpness, agon__choose_uniform(c, r) * s.sharp, action);
    if (c->log_probability)
        s.plain = sharpness == 1.0f ? s.sharp : agon__choose_sum(r, n, s.top, 1.0f);
    agon__choose_write(c, r, &s, action);
    for (int a = 0; a < n && c->probability; a++)
        c->probability[(size_t)r->slot * (size_t)n + (size_t)a] =
            agon__choose_share(c, r, &s, a, action);
}

/* ---- a row by a warp ---------------------------------------------------------------------- */

AGON_KERNEL_FN float agon__choose_top(const agon__choose_row* r, int actions) {
    AGON_LANE(float, top);
    AGON_LANES(l) {
        float highest = -INFINITY;
        AGON__LOOP for (int a = l; a < actions; a += AGON__WARP) {
            const float x = agon__choose_logit(r, a);
            highest = x > highest ? x : highest;
        }
        top[AGON_AT(l)] = highest;
    }
    return agon_warp_max(top);
}

/* As agon__choose_best. */
AGON_KERNEL_FN int agon__choose_warp_best(const agon__choose_row* r, int actions, float top) {
    AGON_LANE(float, near);
    AGON_LANES(l) {
        float first = -1e9f; /* minus the lowest action, exact as a float */
        AGON__LOOP for (int a = l; a < actions && first == -1e9f;
                        a += AGON__WARP) if (agon__choose_legal(r, a) &&
                                             (r->z[a] == top || top == -INFINITY)) first =
            (float)-a;
        near[AGON_AT(l)] = first;
    }
    const float nearest = agon_warp_max(near);
    return nearest == -1e9f ? 0 : (int)-nearest;
}

/* Exponentials of 32 actions from `first` on, one per lane. */
AGON_KERNEL_FN void agon__choose_chunk(const agon__choose_row* r, int actions, int first, float top,
                                       float sharpness, float* e) {
    AGON_LANES(l) {
        e[AGON_AT(l)] = first + l < actions ? agon__choose_exp(r, first + l, top, sharpness) : 0.0f;
    }
}

AGON_KERNEL_FN float agon__choose_warp_sum(const agon__choose_row* r, int actions, float top,
                                           float sharpness) {
    float sum = 0.0f;
    AGON__SOME for (int first = 0; first < actions; first += AGON__WARP) {
        AGON_LANE(float, e);
        agon__choose_chunk(r, actions, first, top, sharpness, e);
        sum += agon_warp_sum(e);
    }
    return sum;
}

/* Which of 32 exponentials takes the running sum over the bound, by halves. Rounding may lead past
 * the last one that is not 0: then it is that one. */
AGON_KERNEL_FN int agon__choose_inside(const float* e, float running, float bound) {
    AGON_LANE(float, part);
    int at = 0;
    for (int half = AGON__WARP / 2; half > 0; half /= 2) {
        AGON_LANES(l) {
            part[AGON_AT(l)] = l >= at && l < at + half ? e[AGON_AT(l)] : 0.0f;
        }
        const float over = running + agon_warp_sum(part);
        at = over > bound ? at : at + half;
        running = over > bound ? running : over;
    }
    AGON_LANES(l) {
        part[AGON_AT(l)] = l <= at && e[AGON_AT(l)] > 0.0f ? (float)l : -1.0f;
    }
    return (int)agon_warp_max(part);
}

/* As agon__choose_draw; -1: no action does. */
AGON_KERNEL_FN int agon__choose_warp_draw(const agon__choose_row* r, int actions, float top,
                                          float sharpness, float bound) {
    float running = 0.0f;
    AGON_LANE(float, e);
    AGON__LOOP for (int first = 0; first < actions; first += AGON__WARP) {
        agon__choose_chunk(r, actions, first, top, sharpness, e);
        const float over = running + agon_warp_sum(e);
        if (over > bound)
            return first + agon__choose_inside(e, running, bound);
        running = over;
    }
    return -1;
}

AGON_KERNEL_FN void agon__choose_warp_write(const agon__gpu_forward* c, const agon__choose_row* r,
                                            const agon__choose_sums* s, int action) {
    const size_t from = (size_t)r->slot * (size_t)c->net.actions;
    AGON_LANES(l) {
        AGON__LOOP for (int a = l; a < c->net.actions && c->probability; a += AGON__WARP)
            c->probability[from + (size_t)a] = agon__choose_share(c, r, s, a, action);
        if (l == 0)
            agon__choose_write(c, r, s, action);
    }
}

AGON_KERNEL_FN void agon__choose_warp(const agon__gpu_forward* c, const agon__choose_row* r) {
    const int n = c->net.actions;
    const int greedy = !(c->temperature > 0.0f);
    const float sharpness = greedy ? 0.0f : 1.0f / c->temperature;
    AGON_LANES(l) {
        AGON__LOOP for (int a = l; a < n && c->logits; a += AGON__WARP)
            c->logits[(size_t)r->slot * (size_t)n + (size_t)a] = r->z[a];
        if (c->value && l == 0)
            c->value[r->slot] = r->z[n];
    }
    if (!agon__choose_acts(c) && !c->probability)
        return;
    agon__choose_sums s = {agon__choose_top(r, n), 0.0f, 0.0f};
    int action = -1;
    if (!greedy)
        s.sharp = agon__choose_warp_sum(r, n, s.top, sharpness);
    if (!greedy && agon__choose_acts(c))
        action =
            agon__choose_warp_draw(r, n, s.top, sharpness, agon__choose_uniform(c, r) * s.sharp);
    if (action < 0 && (greedy || agon__choose_acts(c)))
        action = agon__choose_warp_best(r, n, s.top);
    if (c->log_probability)
        s.plain = sharpness == 1.0f ? s.sharp : agon__choose_warp_sum(r, n, s.top, 1.0f);
    agon__choose_warp_write(c, r, &s, action);
}

/* ---- rows by a block ---------------------------------------------------------------------- */

/* Slots first .. first + rows - 1 of a group, whose logits lie at z, one row after another. */
AGON_KERNEL_FN void agon__choose_rows(agon__block* b, const agon__gpu_forward* c, int group,
                                      int first, int rows, const float* z, size_t stride) {
    const int few = c->net.actions <= AGON__CHOOSE_FEW, each = few ? AGON__WARP : 1;
    AGON_WARPS(b, w) {
        for (int i = w * each; i < rows; i += b->warps * each) {
            AGON_LANES(l) {
                if (few && i + l < rows) {
                    const agon__choose_row r =
                        agon__choose_row_of(c, group, first + i + l, z + (size_t)(i + l) * stride);
                    agon__choose_lane(c, &r);
                }
            }
            if (!few) {
                const agon__choose_row r =
                    agon__choose_row_of(c, group, first + i, z + (size_t)i * stride);
                agon__choose_warp(c, &r);
            }
        }
    }
}

#endif
