/* bench_growth_plot.c: pictures of growth, in the style of all others. */
#include "tools/bench_growth.h"

#include "tools/embedded.h"
#include "tools/plot.h"

#include <stdlib.h>

typedef struct picture {
    const char *name, *title, *axis;
    agon_growth_kind kind[2];
    const char* curve[2]; /* legend; NULL: one curve */
    bool steep;           /* rates differ by orders of magnitude */
} picture;

static const picture pictures[] = {
    {"growth_nets",
     "Speed over number of nets",
     "nets that play each other",
     {AGON_GROWTH_NETS_GROWING, AGON_GROWTH_NETS_SHARING},
     {"8 lanes for each net", "4096 lanes for all nets"},
     false},
    {"growth_lanes",
     "Speed over number of lanes",
     "lanes of a rollout",
     {AGON_GROWTH_LANES},
     {"rollout", NULL},
     false},
    {"growth_width",
     "Speed over width of the nets",
     "width of the hidden layers",
     {AGON_GROWTH_WIDTH},
     {"rollout", NULL},
     true},
    {"growth_threads",
     "Speed over number of threads",
     "threads",
     {AGON_GROWTH_THREADS},
     {"rollouts side by side", NULL},
     false},
};

static int curves_of(const picture* p) {
    return p->curve[1] ? 2 : 1;
}

static void write_points(FILE* out, const agon_growth* g, const picture* p) {
    fprintf(out, "curve\tx\trate\tlow\thigh\tpeak\tforward\n");
    for (int c = 0; c < curves_of(p); c++)
        for (int i = 0; i < g->points; i++) {
            const agon_growth_point* at = &g->point[i];
            if (at->kind != p->kind[c])
                continue;
            fprintf(out, "%d\t%.17g\t%.6g\t%.6g\t%.6g\t%.6g\t", c + 1, at->x, at->rate, at->low,
                    at->high, at->peak);
            fprintf(out, at->forward > 0 ? "%.6g\n" : "NaN\n", at->forward);
        }
}

/* Of the first core, in bytes; 0: the system does not say. */
static double cache_bytes(int level) {
    char path[80], unit = 0;
    double size = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", level);
    FILE* file = fopen(path, "r");
    if (file && fscanf(file, "%lf%c", &size, &unit) != 2)
        size = 0;
    if (file)
        fclose(file);
    return unit == 'K' ? 1024 * size : unit == 'M' ? 1048576 * size : 0;
}

static void write_notes(const agon_growth* g, const picture* p, agon_plot_frame* frame) {
    const double packed = (double)agon_cpu_backend()->packed_size(&g->net);
    char shape[128];
    agon_net_format(&g->net, shape, sizeof shape);
    if (p->steep)
        agon_plot_note(frame, "%d hidden layers of that width, %d lanes, one core", g->net.layers,
                       AGON_GROWTH_LANES_USUAL);
    else if (p->kind[0] == AGON_GROWTH_THREADS)
        agon_plot_note(frame, "Net %s, %d lanes for each thread", shape, AGON_GROWTH_LANES_USUAL);
    else
        agon_plot_note(frame, "Net %s of %.3g kB packed, one core", shape, packed * 1e-3);
    agon_plot_note(frame, "%s, %d cores, backend %s", agon_bench_cpu(), g->cores,
                   agon_cpu_backend()->name);
}

static void write_script(FILE* out, const agon_growth* g, const picture* p,
                         const agon_plot_view* view) {
    const double packed = (double)agon_cpu_backend()->packed_size(&g->net);
    const bool nets = p->kind[0] == AGON_GROWTH_NETS_GROWING;
    agon_plot_frame frame = {.title = p->title, .body = 250};
    write_notes(g, p, &frame);
    agon_plot_frame_write(out, view, &frame);
    fprintf(out, "axis = '%s'\nsteep = %d\ncores = %d\ncurves = %d\narray curve[%d]\n", p->axis,
            p->steep, p->kind[0] == AGON_GROWTH_THREADS ? g->cores : 0, curves_of(p), curves_of(p));
    for (int c = 0; c < curves_of(p); c++)
        fprintf(out, "curve[%d] = '%s'\n", c + 1, p->curve[c]);
    fprintf(out, "cache_2 = %.6g\ncache_3 = %.6g\n%s", nets ? cache_bytes(2) / packed : 0,
            nets ? cache_bytes(3) / packed : 0, agon_embedded("growth.gp"));
}

static bool has_points(const agon_growth* g, const picture* p) {
    for (int i = 0; i < g->points; i++)
        if (g->point[i].kind == p->kind[0])
            return true;
    return false;
}

static int draw(const agon_growth* g, const picture* p, const agon_plot_runs* runs, const char* dir,
                agon_error* error) {
    agon_plot_view view = {.runs = runs, .run = runs->run, .quiet = true};
    char *data = NULL, *script = NULL;
    size_t data_size, script_size;
    snprintf(view.name, sizeof view.name, "%s", p->name);
    FILE* points = open_memstream(&data, &data_size);
    FILE* text = open_memstream(&script, &script_size);
    if (points)
        write_points(points, g, p);
    if (text)
        write_script(text, g, p, &view);
    const bool whole = points && text && !fclose(points) && !fclose(text);
    const int rc =
        whole ? agon_plot_place(dir, &view, AGON_PLOT_PNG | AGON_PLOT_SVG | AGON_PLOT_PDF, data,
                                script, error)
              : agon_fail(error, AGON_EMEMORY, "out of memory for the picture '%s'", p->name);
    free(data);
    free(script);
    return rc;
}

/* What stands around a picture is told by a run: here one that has a game only. */
int agon_growth_plot(const agon_growth* g, const char* dir, agon_error* error) {
    agon_plot_run* run = calloc(1, sizeof *run);
    const agon_plot_runs runs = {.count = 1, .run = run};
    int rc = run ? AGON_OK : agon_fail(error, AGON_EMEMORY, "out of memory for the pictures");
    if (run)
        snprintf(run->game, sizeof run->game, "%s", g->rules->name);
    for (size_t i = 0; !rc && i < sizeof pictures / sizeof *pictures; i++)
        if (has_points(g, &pictures[i]))
            rc = draw(g, &pictures[i], &runs, dir, error);
    free(run);
    if (!rc)
        fprintf(stderr, "agon: pictures of growth are in %s\n", dir);
    return rc;
}
