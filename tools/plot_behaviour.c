/* The behaviour map: all agents of all measured generations as points, near where they answer the
 * probe states alike, with a path for each agent. */
#include "engine/metrics/distance.h"
#include "engine/metrics/map.h"
#include "tools/embedded.h"
#include "tools/plot.h"
#include "tools/plot_evidence.h"
#include "tools/plot_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Distances are as many logarithms as pairs times probabilities: a few seconds' worth. */
enum { MOST_POINTS = 400 };
static const double most_work = 8e8;

typedef struct cloud {
    int agents, times; /* points: (agents, times) */
    int* agent;        /* (agents) numbers */
    int* row;          /* (times) of the run's rows */
    int states, actions;
    float* probability; /* (agents, times, states, actions) */
    double* weight;     /* (states) */
    double* place;      /* (agents, times, 2) */
    double share;       /* of the squared distances that the map shows */
    char role[AGON_LABEL];
} cloud;

static void cloud_close(cloud* c) {
    free(c->agent);
    free(c->row);
    free(c->probability);
    free(c->weight);
    free(c->place);
}

/* `kept` of 0 .. count-1, evenly, the first and the last among them. */
static int* thin(int count, int kept) {
    int* out = malloc((size_t)kept * sizeof *out);
    for (int i = 0; out && i < kept; i++)
        out[i] = kept > 1 ? (int)((int64_t)i * (count - 1) / (kept - 1)) : count - 1;
    return out;
}

/* Sizes are known from the answers of one generation. */
static int choose_points(cloud* c, const agon_evidence* e, int rows) {
    const agon_answers* a = &e->answers;
    const double each = (double)a->states * (double)a->actions;
    const int affordable = (int)sqrt(most_work / each);
    const int most = affordable > MOST_POINTS ? MOST_POINTS : affordable < 8 ? 8 : affordable;
    c->states = a->states;
    c->actions = a->actions;
    c->agents = e->agents < most / 2 ? e->agents : most / 2;
    c->times = rows < most / c->agents ? rows : most / c->agents;
    c->agent = thin(e->agents, c->agents);
    c->row = thin(rows, c->times);
    c->weight = malloc((size_t)a->states * sizeof *c->weight);
    c->probability =
        malloc((size_t)c->agents * (size_t)c->times * (size_t)each * sizeof *c->probability);
    c->place = malloc((size_t)c->agents * (size_t)c->times * 2 * sizeof *c->place);
    if (!c->agent || !c->row || !c->weight || !c->probability || !c->place)
        return AGON_EMEMORY;
    memcpy(c->weight, a->weight, (size_t)a->states * sizeof *c->weight);
    return AGON_OK;
}

static void take_answers(cloud* c, int time, const agon_evidence* e) {
    const size_t each = (size_t)c->states * (size_t)c->actions;
    for (int i = 0; i < c->agents; i++)
        memcpy(c->probability + ((size_t)i * (size_t)c->times + (size_t)time) * each,
               e->answers.probability + (size_t)c->agent[i] * each, each * sizeof(float));
}

static int read_times(cloud* c, const agon_plot_view* view, agon_plot_asker* asker, int done,
                      agon_error* error) {
    int code = AGON_OK;
    for (int t = 0; t < c->times && !code; t++) {
        agon_evidence e;
        if (c->row[t] == done)
            continue;
        code = agon_plot_ask(asker, AGON_NEEDS_ANSWERS,
                             (int)view->run->data.row[c->row[t]].generation, &e, error);
        if (!code && e.answers.states == c->states && e.answers.actions == c->actions)
            take_answers(c, t, &e);
        else if (!code)
            code = agon_fail(error, AGON_EFORMAT, "%s: generations answered different questions",
                             view->run->dir);
        agon_evidence_clear(&e);
    }
    return code;
}

/* The last generation tells the sizes. */
static int read_cloud(cloud* c, agon_plot_view* view, agon_plot_asker* asker, agon_error* error) {
    const int last = view->run->data.rows - 1;
    agon_evidence e;
    int code = agon_plot_ask(asker, AGON_NEEDS_ANSWERS, (int)view->run->data.row[last].generation,
                             &e, error);
    if (!code && e.answers.states == 0) {
        snprintf(view->why, sizeof view->why, "%s", e.why.answers);
    } else if (!code && e.agents * (last + 1) < 3) {
        snprintf(view->why, sizeof view->why, "it takes three points or more");
    } else if (!code) {
        code = choose_points(c, &e, last + 1);
        if (code)
            agon_fail(error, code, "out of memory for the behaviour map");
        else
            take_answers(c, c->times - 1, &e);
    }
    agon_evidence_clear(&e);
    return code || *view->why ? code : read_times(c, view, asker, last, error);
}

static int place_points(cloud* c, agon_error* error) {
    const size_t n = (size_t)c->agents * (size_t)c->times;
    const agon_behaviour b = {(int)n, c->states, c->actions, c->probability, c->weight};
    double* distance = malloc(n * n * sizeof *distance);
    int code = distance ? agon_distance_matrix(&b, AGON_DISTANCE_JSD, distance) : AGON_EMEMORY;
    for (size_t i = 0; i < n * n && !code; i++)
        distance[i] = sqrt(distance[i]);
    if (!code)
        code = agon_behaviour_map(distance, (int)n, 2, c->place, &c->share);
    free(distance);
    return code ? agon_fail(error, code, "the behaviour map could not be computed") : AGON_OK;
}

static void write_cloud(FILE* data, const agon_plot_data* run, const cloud* c) {
    fprintf(data, "agent\tgeneration\tsteps\tx\ty\n");
    for (int i = 0; i < c->agents; i++) {
        for (int t = 0; t < c->times; t++) {
            const double* place = c->place + ((size_t)i * (size_t)c->times + (size_t)t) * 2;
            fprintf(data, "%d\t", c->agent[i]);
            agon_plot_put(data, run->row[c->row[t]].generation, "\t");
            agon_plot_put(data, run->row[c->row[t]].steps, "\t");
            agon_plot_put(data, place[0], "\t");
            agon_plot_put(data, place[1], "\n");
        }
        fputc('\n', data); /* ends the path of an agent */
    }
}

static void script_cloud(FILE* script, const agon_plot_view* view, const cloud* c) {
    agon_plot_frame frame = {.title = "Behaviour map", .body = 390};
    const agon_plot_area area =
        agon_plot_area_of(c->place, c->agents * c->times, 2, 460 - 62 - 20, 390 - 60);
    agon_plot_note(&frame, "A path for each agent, from its first generation (ring) to its last%s",
                   c->agents <= 32 ? " (number)" : "");
    agon_plot_note(&frame, "Distance: root of the mean Jensen-Shannon divergence of the answers");
    agon_plot_note(&frame, "The map shows %.0f %% of the squared distances%s%s", 100 * c->share,
                   *c->role ? "; role " : "", c->role);
    agon_plot_frame_write(script, view, &frame);
    fprintf(script, "agents = %d\ntimes = %d\nset xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n",
            c->agents, c->times, area.x_low, area.x_high, area.y_low, area.y_high);
    fputs(agon_embedded("map.gp"), script);
}

int agon_plot_behaviour(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    cloud c = {0};
    agon_plot_asker* asker = agon_plot_asker_open(view, false);
    if (!asker)
        return AGON_OK;
    int code = read_cloud(&c, view, asker, error);
    snprintf(c.role, sizeof c.role, "%s", agon_plot_asker_role(asker));
    agon_plot_asker_close(asker);
    if (!code && !*view->why)
        code = place_points(&c, error);
    if (!code && !*view->why) {
        write_cloud(data, &view->run->data, &c);
        script_cloud(script, view, &c);
    }
    cloud_close(&c);
    return code;
}
