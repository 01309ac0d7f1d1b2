/* hull.c: Wolfe's point of smallest norm. */
#include "engine/metrics/hull.h"

#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAP       1e-13 /* of the largest squared norm: where the optimality condition holds */
#define DEPENDENT 1e-13 /* a new direction shorter than this, squared and relative, is none */
#define VANISHED  1e-14 /* weights that are 0 */

/* The hull is that of p. The corral is a set of affinely independent points, the nearest point of
 * whose affine hull has weights > 0. R'R = p p' + lift of its members: adding the constant `lift`
 * makes the Gram matrix definite exactly when they are affinely independent. */
typedef struct corral {
    int count, width, room, size;
    double largest, lift; /* largest squared norm */
    double* p;            /* (count, width) points - x */
    double* y;            /* (width) sum of weight * p */
    double* r;            /* (room, room) upper triangle, the first `size` rows and columns */
    double* weight;       /* (room) */
    double* target;       /* (room) weights of the nearest point of the affine hull */
    int* member;          /* (room) */
} corral;

static double dot(const double* a, const double* b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static const double* point(const corral* c, int k) {
    return c->p + (size_t)k * c->width;
}

static int corral_open(corral* c, const double* points, int count, int width, const double* x) {
    const int room = (count < width + 1 ? count : width + 1) + 1;
    const size_t cells = (size_t)count * width;
    *c = (corral){.count = count, .width = width, .room = room};
    c->p = malloc((cells + width + (size_t)room * room + 2 * (size_t)room) * sizeof *c->p);
    c->member = malloc((size_t)room * sizeof *c->member);
    if (!c->p || !c->member)
        return AGON_EMEMORY;
    c->y = c->p + cells;
    c->r = c->y + width;
    c->weight = c->r + (size_t)room * room;
    c->target = c->weight + room;
    for (size_t i = 0; i < cells; i++)
        c->p[i] = points[i] - x[i % width];
    for (int k = 0; k < count; k++) {
        const double norm = dot(point(c, k), point(c, k), width);
        if (!isfinite(norm))
            return AGON_EINVALID;
        c->largest = norm > c->largest ? norm : c->largest;
    }
    c->lift = c->largest;
    return 0;
}

static void corral_close(corral* c) {
    free(c->p);
    free(c->member);
}

/* Adds point k with weight 0; false: it is in the affine hull already, as far as numbers tell. */
static int corral_add(corral* c, int k) {
    const int s = c->size, room = c->room;
    const double norm = dot(point(c, k), point(c, k), c->width) + c->lift;
    double rest = norm;
    if (s == room)
        return 0;
    for (int i = 0; i < s; i++) {
        double sum = dot(point(c, c->member[i]), point(c, k), c->width) + c->lift;
        for (int j = 0; j < i; j++)
            sum -= c->r[j * room + i] * c->r[j * room + s];
        c->r[i * room + s] = sum / c->r[i * room + i];
        rest -= c->r[i * room + s] * c->r[i * room + s];
    }
    if (!(rest > DEPENDENT * norm))
        return 0;
    c->r[s * room + s] = sqrt(rest);
    c->member[s] = k;
    c->weight[s] = 0;
    c->size++;
    return 1;
}

/* Takes member k out: its column goes, and rotations make R a triangle again. */
static void corral_remove(corral* c, int k) {
    const int room = c->room, s = --c->size;
    for (int i = k; i < s; i++) {
        c->member[i] = c->member[i + 1];
        c->weight[i] = c->weight[i + 1];
    }
    for (int row = 0; row <= s; row++)
        memmove(c->r + row * room + k, c->r + row * room + k + 1, (size_t)(s - k) * sizeof *c->r);
    for (int i = k; i < s; i++) {
        double *top = c->r + i * room, *below = top + room;
        const double length = sqrt(top[i] * top[i] + below[i] * below[i]);
        const double co = top[i] / length, si = below[i] / length;
        for (int j = i; j < s; j++) {
            const double keep = top[j];
            top[j] = co * keep + si * below[j];
            below[j] = co * below[j] - si * keep;
        }
    }
}

/* target: R'R u = 1, scaled to add up to 1. */
static void nearest_of_affine_hull(corral* c) {
    const int s = c->size, room = c->room;
    double sum = 0;
    for (int i = 0; i < s; i++) {
        double value = 1;
        for (int j = 0; j < i; j++)
            value -= c->r[j * room + i] * c->target[j];
        c->target[i] = value / c->r[i * room + i];
    }
    for (int i = s - 1; i >= 0; i--) {
        for (int j = i + 1; j < s; j++)
            c->target[i] -= c->r[i * room + j] * c->target[j];
        c->target[i] /= c->r[i * room + i];
        sum += c->target[i];
    }
    for (int i = 0; i < s; i++)
        c->target[i] /= sum;
}

/* Walks from the weights to the target as far as all stay >= 0; members that reach 0 leave. Returns
 * whether the target was reached. */
static int walk(corral* c) {
    double length = 1;
    int first = -1;
    for (int i = 0; i < c->size; i++) {
        if (c->target[i] > VANISHED)
            continue;
        const double drop = c->weight[i] - c->target[i];
        const double reach = drop > 0 ? c->weight[i] / drop : 0;
        if (first < 0 || reach < length) {
            length = reach;
            first = i;
        }
    }
    for (int i = 0; i < c->size; i++)
        c->weight[i] += length * (c->target[i] - c->weight[i]);
    if (first < 0)
        return 1;
    c->weight[first] = 0;
    for (int i = c->size - 1; i >= 0; i--) {
        if (c->weight[i] <= VANISHED && c->size > 1)
            corral_remove(c, i);
    }
    return 0;
}

/* y = sum of weight * p; returns |y|^2. */
static double place(corral* c) {
    memset(c->y, 0, (size_t)c->width * sizeof *c->y);
    for (int i = 0; i < c->size; i++) {
        const double* p = point(c, c->member[i]);
        for (int d = 0; d < c->width; d++)
            c->y[d] += c->weight[i] * p[d];
    }
    return dot(c->y, c->y, c->width);
}

/* The point furthest along -y, and its product with y. */
static int furthest(const corral* c, double* product) {
    int best = 0;
    *product = INFINITY;
    for (int k = 0; k < c->count; k++) {
        const double d = dot(point(c, k), c->y, c->width);
        if (d < *product) {
            *product = d;
            best = k;
        }
    }
    return best;
}

static int shortest(const corral* c) {
    int best = 0;
    double least = INFINITY;
    for (int k = 0; k < c->count; k++) {
        const double norm = dot(point(c, k), point(c, k), c->width);
        if (norm < least) {
            least = norm;
            best = k;
        }
    }
    return best;
}

/* Every round brings y nearer to 0; one that does not is the end of what doubles can tell. */
static double shrink(corral* c) {
    double norm, before = INFINITY, product;
    corral_add(c, shortest(c));
    c->weight[0] = 1;
    while ((norm = place(c)) < before) {
        const int k = furthest(c, &product);
        before = norm;
        if (norm - product <= GAP * c->largest || !corral_add(c, k))
            break;
        do
            nearest_of_affine_hull(c);
        while (!walk(c));
    }
    return norm;
}

int agon_hull_distance(const double* points, int count, int width, const double* x, double* squared,
                       double* weight) {
    assert(points && x && squared && count >= 1 && width >= 1);
    corral c;
    const int code = corral_open(&c, points, count, width, x);
    if (!code) {
        *squared = c.largest > 0 ? shrink(&c) : 0;
        for (int k = 0; weight && k < count; k++)
            weight[k] = c.largest == 0 && k == 0;
        for (int i = 0; weight && i < c.size; i++)
            weight[c.member[i]] = c.weight[i];
    }
    corral_close(&c);
    return code;
}
