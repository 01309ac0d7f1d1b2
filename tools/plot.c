/* agon plot: pictures of runs. Beside each picture lie its data and its gnuplot script. */
#include "tools/plot.h"

#include "engine/files.h"
#include "tools/command.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>

static const agon_picture pictures[] = {
    {"diversity", "how differently the agents act, over time", "probe states", true,
     agon_plot_diversity},
    {"strength", "scores against anchors, NashConv and ratings, over time", "one of them", true,
     agon_plot_strength},
    {"diversity_strength", "diversity against strength, a path over generations",
     "probe states, and scores or NashConv", true, agon_plot_against},
    {"payoff", "who beats whom, sorted by strength", "pay-off matrix", false, agon_plot_payoff_map},
    {"ratings", "ratings of the agents with 95 % intervals", "pay-off matrix", false,
     agon_plot_ratings},
    {"nash", "the agents' shares of the Nash equilibrium, over time", "pay-off matrix", false,
     agon_plot_nash},
    {"cycles", "planes in which agents beat each other in circles", "pay-off matrix", false,
     agon_plot_cycles},
    {"spinning_top", "layers of the population, width against strength", "pay-off matrix", false,
     agon_plot_top},
    {"map", "agents near where they act alike, with their paths", "probe states in run.db", false,
     agon_plot_behaviour},
    {"errors", "who makes the same mistakes", "solved probe states (--probes)", false,
     agon_plot_errors},
    {"symmetry", "who answers mirrored questions alike", "a game with symmetries", false,
     agon_plot_symmetry},
};

enum { PICTURES = sizeof pictures / sizeof *pictures };

typedef struct plot_job {
    agon_plot_runs runs;
    bool wanted[PICTURES];
    bool chosen; /* by --what */
    unsigned formats;
    const char* probes;
    bool quiet;
    int drawn;
    char out[1024]; /* directory of the pictures */
} plot_job;

/* ---- drawing ---- */

/* What a maker wrote, or nothing when the picture does not apply. */
typedef struct draft {
    char *data, *script;
    size_t data_size, script_size;
} draft;

static int make_draft(const agon_picture* picture, agon_plot_view* view, draft* d,
                      agon_error* error) {
    FILE* data = open_memstream(&d->data, &d->data_size);
    FILE* script = open_memstream(&d->script, &d->script_size);
    int code = data && script ? picture->make(view, data, script, error) : AGON_EMEMORY;
    if (data && fclose(data) != 0)
        code = AGON_EMEMORY;
    if (script && fclose(script) != 0)
        code = AGON_EMEMORY;
    if (code == AGON_EMEMORY)
        agon_fail(error, code, "out of memory for the picture '%s'", picture->name);
    return code;
}

static int draw_picture(plot_job* job, const agon_picture* picture, const agon_plot_run* run,
                        agon_error* error) {
    agon_plot_view view = {
        .runs = &job->runs, .run = run, .probes = job->probes, .quiet = job->quiet};
    draft d = {0};
    const bool many = run && job->runs.count > 1;
    snprintf(view.name, sizeof view.name, "%s%s%s", picture->name, many ? "-" : "",
             many ? run->label : "");
    int code = make_draft(picture, &view, &d, error);
    if (!code && d.script_size == 0)
        agon_plot_left_out(&view, view.name, view.why);
    else if (!code) {
        code = agon_plot_place(job->out, &view, job->formats, d.data, d.script, error);
        job->drawn++;
    }
    free(d.data);
    free(d.script);
    return code;
}

/* A picture of one population is drawn for each of several runs only when it was asked for. */
static int draw_all(plot_job* job, agon_error* error) {
    int code = agon_dir_make(job->out, error);
    for (int i = 0; i < PICTURES && !code; i++) {
        if (!job->wanted[i])
            continue;
        if (pictures[i].overlay || job->runs.count == 1)
            code = draw_picture(job, &pictures[i], pictures[i].overlay ? NULL : &job->runs.run[0],
                                error);
        else if (job->chosen)
            for (int r = 0; r < job->runs.count && !code; r++)
                code = draw_picture(job, &pictures[i], &job->runs.run[r], error);
    }
    if (!code && job->chosen && job->drawn == 0)
        return agon_fail(error, AGON_EMISSING,
                         "nothing was drawn: what --what names does not apply");
    return code;
}

static void say_notes(const plot_job* job) {
    agon_plot_view view = {.runs = &job->runs, .quiet = job->quiet};
    for (int r = 0; r < job->runs.count; r++)
        if (job->runs.run[r].data.cut)
            agon_plot_left_out(&view, "last line of metrics.jsonl",
                               "incomplete; the run is still writing");
    if (job->runs.count > 1 && !job->chosen)
        agon_plot_left_out(&view, "pictures of one run",
                           "several runs are drawn; ask for one by --what NAME");
}

/* ---- words ---- */

static int list_pictures(void) {
    for (int i = 0; i < PICTURES; i++)
        printf("  %-20s%s%s; needs: %s\n", pictures[i].name, pictures[i].summary,
               pictures[i].overlay ? "" : ", of one run", pictures[i].needs);
    return agon_ui_finish(AGON_EXIT_OK);
}

static int find_name(const char* const* names, int count, const char* word) {
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return -1;
}

static int unknown_name(const char* what, const char* word, const char* const* names, int count,
                        const char* hint) {
    const char* nearest = agon_nearest(word, names, count);
    if (nearest)
        return agon_ui_usage("plot", "unknown %s '%s'; did you mean '%s'?", what, word, nearest);
    return agon_ui_usage("plot", "unknown %s '%s'; %s", what, word, hint);
}

/* Marks the names of a list "a,b" in marked (count); NULL: none is marked. Returns 0 or 2. */
static int mark_names(const char* list, const char* what, const char* const* names, int count,
                      const char* hint, bool* marked) {
    char word[64];
    while (list && *list) {
        const int length = (int)strcspn(list, ",");
        snprintf(word, sizeof word, "%.*s", length, list);
        const int found = find_name(names, count, word);
        if (found < 0)
            return unknown_name(what, word, names, count, hint);
        marked[found] = true;
        list += length + (list[length] == ',');
    }
    return 0;
}

static int take_what(plot_job* job, const char* what) {
    const char* names[PICTURES];
    for (int i = 0; i < PICTURES; i++) {
        names[i] = pictures[i].name;
        job->wanted[i] = !what;
    }
    job->chosen = what != NULL;
    return mark_names(what, "picture", names, PICTURES, "--what list shows them", job->wanted);
}

static int take_formats(plot_job* job, const char* list, bool png, bool svg) {
    static const char* const names[] = {"png", "svg", "pdf"};
    bool marked[3] = {png, svg, false};
    const int failed = mark_names(list, "format", names, 3, "there are png, svg, pdf", marked);
    for (unsigned i = 0; i < 3; i++)
        job->formats |= marked[i] ? 1u << i : 0;
    if (job->formats == 0)
        job->formats = AGON_PLOT_PNG | AGON_PLOT_SVG | AGON_PLOT_PDF;
    return failed;
}

static int take_place(plot_job* job, const char* out, agon_error* error) {
    if (out && strlen(out) > 1000)
        return agon_fail(error, AGON_EINVALID, "a directory name of more than 1000 bytes");
    if (out)
        snprintf(job->out, sizeof job->out, "%s", out);
    else if (job->runs.count == 1)
        snprintf(job->out, sizeof job->out, "%.1000s/plots", job->runs.run[0].dir);
    else
        snprintf(job->out, sizeof job->out, "plots");
    return AGON_OK;
}

static int plot_runs(plot_job* job, char** dirs, int count, const char* out, agon_error* error) {
    int code = agon_plot_runs_read(dirs, count, &job->runs, error);
    if (!code)
        code = take_place(job, out, error);
    if (!code)
        code = draw_all(job, error);
    if (!code)
        say_notes(job);
    agon_plot_runs_close(&job->runs);
    return code;
}

int agon_cmd_plot(int argc, char** argv) {
    plot_job job = {0};
    const char *out = NULL, *what = NULL, *formats = NULL;
    bool png = false, svg = false;
    agon_error error = {0};
    int words;
    const agon_option options[] = {{"--out", NULL, &out},           {"-o", NULL, &out},
                                   {"--what", NULL, &what},         {"--format", NULL, &formats},
                                   {"--png", &png, NULL},           {"--svg", &svg, NULL},
                                   {"--probes", NULL, &job.probes}, {"--quiet", &job.quiet, NULL}};
    int failed = agon_ui_options(argc, argv, options, 8, &words);
    if (failed)
        return failed;
    if (what && strcmp(what, "list") == 0)
        return list_pictures();
    failed = take_what(&job, what);
    if (!failed)
        failed = take_formats(&job, formats, png, svg);
    if (failed)
        return failed;
    if (words < 1)
        return agon_ui_usage("plot", "expected a run directory");
    if (plot_runs(&job, argv + 1, words, out, &error) != AGON_OK)
        return agon_ui_error(&error);
    return agon_ui_finish(AGON_EXIT_OK);
}
