/* similarity.c: centring, CKA, distances of parameters. */
#include "engine/metrics/similarity.h"

#include "engine/metrics/real_vector.h"
#include "games/error.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define LANES 8 /* partial sums of fixed order */

static void subtract_means(double* x, int inputs, int width) {
    for (int c = 0; c < width; c++) {
        double sum = 0;
        for (int i = 0; i < inputs; i++)
            sum += x[(size_t)i * width + c];
        for (int i = 0; i < inputs; i++)
            x[(size_t)i * width + c] -= sum / inputs;
    }
}

double agon__similarity_centre(const agon_layer* layer, double* out) {
    const size_t size = (size_t)layer->inputs * layer->width;
    double square = 0, energy = 0;
    for (size_t i = 0; i < size; i++) {
        out[i] = layer->x[i];
        square += out[i] * out[i];
    }
    subtract_means(out, layer->inputs, layer->width);
    for (size_t i = 0; i < size; i++)
        energy += out[i] * out[i];
    if (!isfinite(energy + square))
        return NAN;
    if (energy > 1e-20 * square)
        return sqrt(energy);
    for (size_t i = 0; i < size; i++)
        out[i] = 0;
    return 0;
}

/* ---- CKA ----------------------------------------------------------------------------------- */

static double norm_of(const double* x, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* Scaled to norm 1; false, and untouched, when there is nothing to scale. */
static bool normalise(double* x, size_t size, double least) {
    const double norm = norm_of(x, size);
    if (!(norm > least))
        return false;
    for (size_t i = 0; i < size; i++)
        x[i] /= norm;
    return true;
}

/* The diagonal becomes 0 and the rows add up to 0, such that the inner product of two such matrices
 * over n (n - 3) is the unbiased HSIC (Szekely and Rizzo 2014). k (n, n) symmetric, n >= 4. row:
 * scratch (n). */
static void unbias(double* k, int n, double* row) {
    double total = 0;
    for (int i = 0; i < n; i++) {
        row[i] = 0;
        for (int j = 0; j < n; j++)
            row[i] += j == i ? 0 : k[(size_t)i * n + j];
        total += row[i];
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            double* x = k + (size_t)i * n + j;
            *x = i == j ? 0 : *x - (row[i] + row[j]) / (n - 2.0) + total / ((n - 1.0) * (n - 2.0));
        }
    }
}

/* Scratch memory of one agent. */
typedef struct gram {
    double* centred;  /* (inputs, width) */
    double* biased;   /* (inputs, inputs) of norm 1 */
    double* debiased; /* (inputs, inputs) of norm 1 */
    double* row;      /* (inputs) */
    bool alive, fair; /* whether biased, and debiased, is defined */
} gram;

static int gram_open(gram* g, int inputs, int width) {
    const size_t square = (size_t)inputs * inputs, size = (size_t)inputs * width;
    g->centred = malloc((size + 2 * square + (size_t)inputs) * sizeof *g->centred);
    if (!g->centred)
        return AGON_EMEMORY;
    g->biased = g->centred + size;
    g->debiased = g->biased + square;
    g->row = g->debiased + square;
    return 0;
}

static int gram_fill(gram* g, const agon_layer* layer) {
    const int n = layer->inputs, width = layer->width;
    const size_t square = (size_t)n * n;
    const double norm = agon__similarity_centre(layer, g->centred);
    g->alive = g->fair = false;
    if (isnan(norm))
        return AGON_EINVALID;
    if (norm == 0)
        return 0;
    for (size_t i = 0; i < (size_t)n * width; i++)
        g->centred[i] /= norm; /* squares of squares stay in range */
    for (int i = 0; i < n; i++) {
        const double* x = g->centred + (size_t)i * width;
        for (int j = 0; j <= i; j++)
            g->biased[(size_t)i * n + j] = g->biased[(size_t)j * n + i] =
                agon__dot(x, g->centred + (size_t)j * width, width);
    }
    g->alive = normalise(g->biased, square, 0);
    for (size_t i = 0; i < square; i++)
        g->debiased[i] = g->biased[i];
    if (n >= 4) {
        unbias(g->debiased, n, g->row);
        g->fair = normalise(g->debiased, square, 1e-10);
    }
    return 0;
}

static double at_most_1(double x) {
    return x > 1 ? 1 : x; /* NaN passes */
}

int agon_similarity_cka(const agon_layer* x, const agon_layer* y, agon_cka* out) {
    assert(x && y && out && x->inputs == y->inputs && x->inputs >= 1);
    assert(x->x && y->x && x->width >= 1 && y->width >= 1);
    gram a = {0}, b = {0};
    int rc = gram_open(&a, x->inputs, x->width);
    if (!rc)
        rc = gram_open(&b, y->inputs, y->width);
    if (!rc)
        rc = gram_fill(&a, x);
    if (!rc)
        rc = gram_fill(&b, y);
    if (!rc) {
        agon_cka cka = {0, 0};
        for (size_t i = 0; i < (size_t)x->inputs * x->inputs; i++) {
            cka.biased += a.biased[i] * b.biased[i];
            cka.debiased += a.debiased[i] * b.debiased[i];
        }
        out->biased = a.alive && b.alive ? at_most_1(cka.biased) : NAN;
        out->debiased = a.fair && b.fair ? at_most_1(cka.debiased) : NAN;
    }
    free(a.centred);
    free(b.centred);
    return rc;
}

/* Mean over pairs of the inner products of n matrices of norm 1, from their sum. */
static double mean_product(const double* sum, size_t size, int n) {
    if (n < 2)
        return NAN;
    const double norm = norm_of(sum, size);
    return at_most_1((norm * norm - n) / ((double)n * (n - 1.0)));
}

/* sums: (2, inputs, inputs), zeroed. count: agents in each. */
static int sum_grams(const float* activation, int n, int inputs, int width, double* sums,
                     int count[2]) {
    const size_t size = (size_t)inputs * width, square = (size_t)inputs * inputs;
    gram g;
    int rc = gram_open(&g, inputs, width);
    if (rc)
        return rc;
    for (int i = 0; i < n && !rc; i++) {
        const agon_layer layer = {inputs, width, activation + i * size};
        rc = gram_fill(&g, &layer);
        for (size_t c = 0; c < square && !rc && g.alive; c++)
            sums[c] += g.biased[c];
        for (size_t c = 0; c < square && !rc && g.fair; c++)
            sums[square + c] += g.debiased[c];
        count[0] += g.alive;
        count[1] += g.fair;
    }
    free(g.centred);
    return rc;
}

int agon_similarity_mean_cka(const float* activation, int n, int inputs, int width, agon_cka* out,
                             int* dead) {
    assert(activation && out && dead && n >= 1 && inputs >= 1 && width >= 1);
    const size_t square = (size_t)inputs * inputs;
    int count[2] = {0, 0};
    double* sums = calloc(2 * square, sizeof *sums);
    if (!sums)
        return AGON_EMEMORY;
    const int rc = sum_grams(activation, n, inputs, width, sums, count);
    if (!rc) {
        const double biased = mean_product(sums, square, count[0]);
        out->biased = biased < 0 ? 0 : biased;
        out->debiased = mean_product(sums + square, square, count[1]);
        *dead = n - count[0];
    }
    free(sums);
    return rc;
}

/* ---- parameters ---------------------------------------------------------------------------- */

/* y NULL: the norm of x. */
static double distance_of(const float* x, const float* y, int n) {
    double lane[LANES] = {0}, sum = 0;
    int c = 0;
    for (; c + LANES <= n; c += LANES) {
        for (int l = 0; l < LANES; l++) {
            const double gap = (double)x[c + l] - (y ? (double)y[c + l] : 0);
            lane[l] += gap * gap;
        }
    }
    for (; c < n; c++) {
        const double gap = (double)x[c] - (y ? (double)y[c] : 0);
        sum += gap * gap;
    }
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sqrt(sum);
}

int agon_similarity_parameters(const float* parameter, int n, int parameters,
                               agon_parameter_distance* out) {
    assert(parameter && out && n >= 1 && parameters >= 1);
    agon_parameter_distance d = {0, INFINITY, 0, 0};
    double squares = 0;
    for (int i = 0; i < n; i++) {
        const float* x = parameter + (size_t)i * parameters;
        const double norm = distance_of(x, NULL, parameters);
        if (!isfinite(norm))
            return AGON_EINVALID;
        squares += norm * norm;
        for (int j = 0; j < i; j++) {
            const double far = distance_of(x, parameter + (size_t)j * parameters, parameters);
            d.mean += far / (0.5 * n * (n - 1.0));
            d.smallest = far < d.smallest ? far : d.smallest;
            d.largest = far > d.largest ? far : d.largest;
        }
    }
    d.relative = squares > 0 ? d.mean / sqrt(squares / n) : NAN;
    *out = n > 1 ? d : (agon_parameter_distance){NAN, NAN, NAN, NAN};
    return 0;
}
