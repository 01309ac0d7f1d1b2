/* The shape of a pay-off matrix: planes in which agents beat each other in circles, and the layers
 * of a population. */
#include "engine/metrics/cycle_planes.h"
#include "engine/metrics/nash_clusters.h"
#include "tools/embedded.h"
#include "tools/plot.h"
#include "tools/plot_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PLANES = 2, MOST_IN_PLANES = 1000, MOST_IN_LAYERS = 256 };

/* Of the last matrix; antisymmetric, every pair known, at most so many agents. */
static bool read_whole(agon_plot_view* view, int most, agon_plot_payoff* out, int* code,
                       agon_error* error) {
    if (!agon_plot_last_payoff(view, out, code, error))
        return false;
    if (out->n > most)
        snprintf(view->why, sizeof view->why, "%d agents; at most %d", out->n, most);
    else if (!agon_plot_payoff_antisymmetric(out))
        snprintf(view->why, sizeof view->why, "a pair of agents never met");
    if (*view->why)
        agon_plot_payoff_close(out);
    return !*view->why;
}

/* ---- planes ---- */

typedef struct planes {
    int planes;       /* drawn */
    double* strength; /* (n) mean pay-off */
    double* omega;    /* (n / 2) */
    double* point;    /* (planes, n, 2) */
    double energy;    /* of all planes */
} planes;

static void planes_close(planes* p) {
    free(p->strength);
    free(p->omega);
    free(p->point);
}

static int find_planes(const agon_plot_payoff* payoff, planes* p) {
    const size_t n = (size_t)payoff->n;
    double* rest = malloc(n * n * sizeof *rest);
    p->strength = malloc(n * sizeof *p->strength);
    p->omega = calloc(n, sizeof *p->omega);
    p->point = calloc(MOST_PLANES * n * 2, sizeof *p->point);
    p->planes = payoff->n / 2 < MOST_PLANES ? payoff->n / 2 : MOST_PLANES;
    int code = rest && p->strength && p->omega && p->point ? AGON_OK : AGON_EMEMORY;
    if (!code)
        code = agon_cycle_rest(payoff->matrix, payoff->n, p->strength, rest);
    if (!code)
        code = agon_cycle_planes(rest, payoff->n, p->planes, p->omega, p->point);
    for (int k = 0; !code && k < payoff->n / 2; k++)
        p->energy += p->omega[k] * p->omega[k];
    if (!code && p->planes == 2 && p->omega[1] < 0.05 * p->omega[0])
        p->planes = 1;
    free(rest);
    return code;
}

static void write_planes(FILE* data, const agon_plot_payoff* payoff, const planes* p) {
    fprintf(data, "plane\tagent\tmean_payoff\tx\ty\n");
    for (int k = 0; k < p->planes; k++) {
        for (int i = 0; i < payoff->n; i++) {
            const double* point = p->point + ((size_t)k * (size_t)payoff->n + (size_t)i) * 2;
            fprintf(data, "%d\t%d\t", k + 1, payoff->agent[i]);
            agon_plot_put(data, p->strength[i], "\t");
            agon_plot_put(data, point[0], "\t");
            agon_plot_put(data, point[1], "\n");
        }
    }
}

/* Planes share one scale, so that the weaker is seen to be weaker. */
static void script_planes(FILE* script, const agon_plot_view* view, const agon_plot_payoff* payoff,
                          const planes* p) {
    const agon_plot_data* data = &view->run->data;
    agon_plot_frame frame = {.title = "Who beats whom in circles",
                             .body = p->planes == 1 ? 430 : 302};
    double reach = 0, strongest = 0;
    for (size_t i = 0; i < (size_t)p->planes * (size_t)payoff->n * 2; i++)
        reach = fabs(p->point[i]) > reach ? fabs(p->point[i]) : reach;
    agon_plot_note_payoff(&frame, data, payoff);
    agon_plot_note_cycles(&frame, &data->row[data->last]);
    agon_plot_note(&frame, "An agent beats those counterclockwise of it, most at a quarter turn");
    agon_plot_frame_write(script, view, &frame);
    for (int i = 0; i < payoff->n; i++)
        strongest = fabs(p->strength[i]) > strongest ? fabs(p->strength[i]) : strongest;
    fprintf(script, "agents = %d\nplanes = %d\nreach = %.9g\nstrongest = %.9g\narray share[%d]\n",
            payoff->n, p->planes, 1.25 * reach, strongest > 0 ? strongest : 1, p->planes);
    for (int k = 0; k < p->planes; k++)
        fprintf(script, "share[%d] = '%.0f %%'\n", k + 1,
                100 * p->omega[k] * p->omega[k] / p->energy);
    fputs(agon_embedded("cycles.gp"), script);
}

int agon_plot_cycles(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    planes p = {0};
    int code;
    if (!read_whole(view, MOST_IN_PLANES, &payoff, &code, error))
        return code;
    code = find_planes(&payoff, &p);
    if (code) {
        agon_fail(error, code, "the cyclic planes could not be computed");
    } else if (!(p.energy > 0) || payoff.n < 3) {
        snprintf(view->why, sizeof view->why, "the pay-offs have no cyclic part");
    } else {
        write_planes(data, &payoff, &p);
        script_planes(script, view, &payoff, &p);
    }
    planes_close(&p);
    agon_plot_payoff_close(&payoff);
    return code;
}

/* ---- layers ---- */

typedef struct layers {
    int levels;
    int* level;       /* (n) 0: the best */
    int* size;        /* (levels) */
    double* mean;     /* (n) mean pay-off of an agent */
    double* of_level; /* (levels) mean of those */
} layers;

static void layers_close(layers* l) {
    free(l->level);
    free(l->size);
    free(l->mean);
    free(l->of_level);
}

static int find_layers(const agon_plot_payoff* payoff, layers* l) {
    const size_t n = (size_t)payoff->n;
    l->level = malloc(n * sizeof *l->level);
    l->size = calloc(n, sizeof *l->size);
    l->mean = calloc(n, sizeof *l->mean);
    l->of_level = calloc(n, sizeof *l->of_level);
    if (!l->level || !l->size || !l->mean || !l->of_level)
        return AGON_EMEMORY;
    const int code = agon_nash_clusters(payoff->matrix, payoff->n, l->level, NULL, &l->levels);
    for (size_t i = 0; i < n && !code; i++) {
        for (size_t j = 0; j < n; j++)
            l->mean[i] += payoff->matrix[i * n + j] / (double)(n > 1 ? n - 1 : 1);
        l->size[l->level[i]]++;
        l->of_level[l->level[i]] += l->mean[i];
    }
    for (int k = 0; k < l->levels && !code; k++)
        l->of_level[k] /= l->size[k];
    return code;
}

/* Agents of a level stand side by side, the strongest on the left, centred on 0. */
static void write_layers(FILE* data, const agon_plot_payoff* payoff, const layers* l) {
    fprintf(data, "level\tagents\tagent\tmean_payoff\tplace\n");
    for (int k = 0; k < l->levels; k++) {
        int place = 0;
        for (int i = 0; i < payoff->n; i++) {
            const int row = payoff->order[i];
            if (l->level[row] != k)
                continue;
            fprintf(data, "%d\t%d\t%d\t", k + 1, l->size[k], payoff->agent[row]);
            agon_plot_put(data, l->mean[row], "\t");
            agon_plot_put(data, place++ - 0.5 * (l->size[k] - 1), "\n");
        }
    }
}

static void script_layers(FILE* script, const agon_plot_view* view, const agon_plot_payoff* payoff,
                          const layers* l) {
    const int rows = l->levels < 6 ? 6 : l->levels > 30 ? 30 : l->levels;
    agon_plot_frame frame = {.title = "Layers of the population", .body = 44 + 20 * rows};
    int widest = 1;
    for (int k = 0; k < l->levels; k++)
        widest = l->size[k] > widest ? l->size[k] : widest;
    agon_plot_note_payoff(&frame, &view->run->data, payoff);
    agon_plot_note(&frame, "Nash clusters: width is cycles, height is strength (spinning top)");
    agon_plot_note(&frame, "Noise alone makes layers of pay-offs wide");
    agon_plot_frame_write(script, view, &frame);
    fprintf(script, "agents = %d\nlevels = %d\nwidest = %d\narray strength[%d]\narray size[%d]\n",
            payoff->n, l->levels, widest, l->levels, l->levels);
    for (int k = 0; k < l->levels; k++)
        fprintf(script, "strength[%d] = %.3f\nsize[%d] = %d\n", k + 1,
                fabs(l->of_level[k]) < 0.005 ? 0 : l->of_level[k], k + 1, l->size[k]);
    fputs(agon_embedded("spinning_top.gp"), script);
}

int agon_plot_top(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    agon_plot_payoff payoff;
    layers l = {0};
    int code;
    if (!read_whole(view, MOST_IN_LAYERS, &payoff, &code, error))
        return code;
    code = find_layers(&payoff, &l);
    if (code) {
        agon_fail(error, code, "the layers of the population could not be computed");
    } else {
        write_layers(data, &payoff, &l);
        script_layers(script, view, &payoff, &l);
    }
    layers_close(&l);
    agon_plot_payoff_close(&payoff);
    return code;
}
