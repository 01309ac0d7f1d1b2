/* policy_hull.c: the nearest mixture of others, by accelerated expectation maximisation. */
#include "engine/metrics/policy_hull.h"

#include "agents/real.h"
#include "engine/metrics/real_vector.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 3000

/* One block of doubles, cut into pieces. A cell is a (state, action) that the target may take. */
typedef struct hull {
    int members, cells;
    double* p;      /* (members, cells) probabilities of the others */
    double* aim;    /* (cells) weight times probability of the target; adds up to 1 */
    double* mix;    /* (cells) of the last point evaluated */
    double* share;  /* (members) where the iteration stands */
    double* first;  /* (members) after one step */
    double* second; /* (members) after two */
    double* leap;   /* (members) extrapolated */
    double* gain;   /* (members) sum aim p_k / mix: 1 is neutral */
    double entropy; /* sum aim ln target */
} hull;

static void hull_layout(hull* h, double* block, int members, int cells) {
    h->members = members;
    h->cells = cells;
    h->p = block;
    h->aim = h->p + (size_t)members * cells;
    h->mix = h->aim + cells;
    h->share = h->mix + cells;
    h->first = h->share + members;
    h->second = h->first + members;
    h->leap = h->second + members;
    h->gain = h->leap + members;
}

/* ---- input --------------------------------------------------------------------------------- */

static double row_sum(const float* row, int actions) {
    double sum = 0;
    for (int a = 0; a < actions; a++)
        sum += row[a];
    return sum;
}

static int count_cells(const agon_behaviour* b, int agent) {
    int cells = 0;
    for (int s = 0; s < b->states; s++) {
        for (int a = 0; a < b->actions; a++)
            cells += b->weight[s] > 0 && agon_behaviour_row(b, agent, s)[a] > 0;
    }
    return cells;
}

/* What the target never does costs nothing, so only its cells are kept. */
static void fill(hull* h, const agon_behaviour* b, int agent) {
    double total = 0;
    int cell = 0;
    h->entropy = 0;
    for (int s = 0; s < b->states; s++)
        total += b->weight[s];
    for (int s = 0; s < b->states; s++) {
        const float* target = agon_behaviour_row(b, agent, s);
        const double sum = row_sum(target, b->actions);
        for (int a = 0; a < b->actions; a++) {
            if (!(b->weight[s] > 0 && target[a] > 0))
                continue;
            h->aim[cell] = b->weight[s] / total * (target[a] / sum);
            h->entropy += h->aim[cell] * agon_log(target[a] / sum);
            for (int i = 0, k = 0; i < b->agents; i++) {
                if (i == agent)
                    continue;
                const float* row = agon_behaviour_row(b, i, s);
                h->p[(size_t)k++ * h->cells + cell] = row[a] / row_sum(row, b->actions);
            }
            cell++;
        }
    }
}

/* ---- the objective ------------------------------------------------------------------------- */

static void blend(hull* h, const double* share) {
    for (int c = 0; c < h->cells; c++)
        h->mix[c] = 0;
    for (int k = 0; k < h->members; k++) {
        const double* p = h->p + (size_t)k * h->cells;
        if (share[k] == 0)
            continue;
        for (int c = 0; c < h->cells; c++)
            h->mix[c] += share[k] * p[c];
    }
}

/* D of mix. */
static double divergence(const hull* h, const double* mix) {
    double cross = 0;
    for (int c = 0; c < h->cells; c++) {
        if (!(mix[c] > 0))
            return INFINITY;
        cross += h->aim[c] * agon_log(mix[c]);
    }
    return h->entropy > cross ? h->entropy - cross : 0;
}

/* h->gain from h->mix, which is destroyed; returns the largest. */
static double gains(hull* h) {
    double largest = 0;
    for (int c = 0; c < h->cells; c++)
        h->mix[c] = h->aim[c] / h->mix[c];
    for (int k = 0; k < h->members; k++) {
        h->gain[k] = agon__dot(h->p + (size_t)k * h->cells, h->mix, h->cells);
        largest = h->gain[k] > largest ? h->gain[k] : largest;
    }
    return largest;
}

/* ---- the iteration ------------------------------------------------------------------------- */

static void scale_to_one(double* share, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += share[k];
    for (int k = 0; k < n; k++)
        share[k] /= sum;
}

/* One step of expectation maximisation from the shares whose blend is in h->mix: to; returns ln of
 * the largest gain there. */
static double step(hull* h, const double* from, double* to) {
    const double largest = gains(h);
    for (int k = 0; k < h->members; k++)
        to[k] = from[k] * h->gain[k];
    scale_to_one(to, h->members);
    return agon_log(largest);
}

/* Where the steps share -> first -> second are heading; a share that would fall to 0 or below stops
 * at a hundredth of itself, for what is 0 stays 0. False: they stand still. */
static bool extrapolate(hull* h) {
    double along = 0, bend = 0;
    for (int k = 0; k < h->members; k++) {
        const double r = h->first[k] - h->share[k], v = h->second[k] - h->first[k] - r;
        along += r * r;
        bend += v * v;
    }
    if (!(bend > 0))
        return false;
    const double length = sqrt(along / bend);
    for (int k = 0; k < h->members; k++) {
        const double r = h->first[k] - h->share[k], v = h->second[k] - h->first[k] - r;
        const double x = h->share[k] + 2 * length * r + length * length * v;
        h->leap[k] = x > 0.01 * h->second[k] ? x : 0.01 * h->second[k];
    }
    scale_to_one(h->leap, h->members);
    return length > 1;
}

/* Two steps from h->share, and a leap where they lead, which must not be worse than where they
 * began, so that D never rises. Moves h->share; h->mix is its blend. Returns D there. */
static double advance(hull* h, double before) {
    blend(h, h->first);
    step(h, h->first, h->second);
    if (extrapolate(h)) {
        blend(h, h->leap);
        const double after = divergence(h, h->mix);
        if (after <= before) {
            memcpy(h->share, h->leap, (size_t)h->members * sizeof *h->share);
            return after;
        }
    }
    memcpy(h->share, h->second, (size_t)h->members * sizeof *h->share);
    blend(h, h->share);
    return divergence(h, h->mix);
}

/* From h->share, whose blend is in h->mix. Leaves the answer in h->share. */
static void iterate(hull* h, double tolerance, agon_hull* out) {
    out->distance = divergence(h, h->mix);
    for (int steps = 0;; steps += 2) {
        const double gap = step(h, h->share, h->first);
        out->gap = gap > 0 ? gap : 0;
        if (gap <= tolerance || steps >= STEPS)
            break;
        out->distance = advance(h, out->distance);
    }
}

/* Against the best single member, *best. */
static double nearest(const hull* h, int* best) {
    double least = INFINITY;
    *best = 0;
    for (int k = 0; k < h->members; k++) {
        const double d = divergence(h, h->p + (size_t)k * h->cells);
        if (d < least) {
            least = d;
            *best = k;
        }
    }
    return least;
}

static void write_mixture(const hull* h, int agent, bool known, double* mixture) {
    for (int k = 0; k < h->members; k++)
        mixture[k < agent ? k : k + 1] = known ? h->share[k] : NAN;
    mixture[agent] = known ? 0 : NAN;
}

static agon_hull solve(hull* h, double tolerance) {
    int best;
    agon_hull answer = {INFINITY, NAN, nearest(h, &best)};
    for (int k = 0; k < h->members; k++)
        h->share[k] = 1.0 / h->members;
    blend(h, h->share);
    if (isfinite(divergence(h, h->mix)))
        iterate(h, tolerance, &answer);
    if (answer.nearest <= answer.distance) { /* the iteration comes near corners, not to them */
        answer.distance = answer.nearest;
        for (int k = 0; k < h->members; k++)
            h->share[k] = k == best;
    }
    return answer;
}

int agon_policy_hull(const agon_behaviour* b, int agent, double tolerance, agon_hull* out,
                     double* mixture) {
    assert(b && out && agent >= 0 && agent < b->agents && tolerance >= 0);
    const int code = agon_behaviour_check(b);
    if (code)
        return code;
    if (b->agents == 1) {
        *out = (agon_hull){NAN, NAN, NAN};
        if (mixture)
            mixture[0] = NAN;
        return 0;
    }
    const int members = b->agents - 1, cells = count_cells(b, agent);
    double* block =
        malloc(((size_t)members * cells + 2 * (size_t)cells + 5 * (size_t)members) * sizeof *block);
    if (!block)
        return AGON_EMEMORY;
    hull h;
    hull_layout(&h, block, members, cells);
    fill(&h, b, agent);
    *out = solve(&h, tolerance);
    if (mixture)
        write_mixture(&h, agent, isfinite(out->distance), mixture);
    free(block);
    return 0;
}
