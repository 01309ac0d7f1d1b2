#include "tools/plot_panels.h"

#include "tools/embedded.h"
#include "tools/plot_json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Heights; above a panel lie its heading and, where it has one, its legend. */
enum { TALL = 104, HEADING = 26, LEGEND = 16, GAP = 10, AXIS = 50 };
enum { LEFT = 62, RIGHT = 14, WIDTH = 460 };

int agon_plot_chart_column(agon_plot_chart* chart, const char* name, size_t offset) {
    assert(chart->columns < AGON_PLOT_COLUMNS);
    agon_plot_column* column = &chart->column[chart->columns];
    agon_plot_clean(name, column->name, sizeof column->name);
    column->offset = offset;
    return chart->columns++;
}

agon_plot_panel* agon_plot_chart_panel(agon_plot_chart* chart, const char* heading,
                                       const char* unit, double low, double high) {
    if (chart->panels == AGON_PLOT_PANELS)
        return NULL;
    agon_plot_panel* panel = &chart->panel[chart->panels++];
    *panel = (agon_plot_panel){.low = low, .high = high};
    agon_plot_clean(heading, panel->heading, sizeof panel->heading);
    agon_plot_clean(unit, panel->unit, sizeof panel->unit);
    return panel;
}

agon_plot_line* agon_plot_panel_line(agon_plot_panel* panel, int column, const char* label,
                                     int colour) {
    if (!panel || panel->lines == AGON_PLOT_ANCHORS)
        return NULL;
    agon_plot_line* line = &panel->line[panel->lines++];
    *line = (agon_plot_line){.column = column, .colour = colour, .low = -1, .high = -1};
    agon_plot_clean(label, line->label, sizeof line->label);
    return line;
}

/* ---- legends ---- */

/* Drawn by hand: gnuplot's own breaks long names over the panel. */
typedef struct legend {
    FILE* file; /* NULL: measure only */
    int left, top, x, rows, number;
} legend;

enum { SAMPLE = 22, SPACE = 18, LETTER = 7 };

static void legend_begin(legend* l, FILE* file, int left, int top, int number) {
    *l = (legend){file, left, top, left, 0, number};
}

/* A sample of a line or of a range, and its name; on the next row where this one is full. */
static void legend_add(legend* l, const char* name, int colour, bool dashed, bool range) {
    const int wide = SAMPLE + LETTER * (int)strlen(name) + SPACE;
    if (l->rows == 0 || l->x + wide > WIDTH) {
        l->rows++;
        l->x = l->left;
    }
    const int middle = l->top + LEGEND * l->rows - LEGEND / 2;
    l->number++;
    if (l->file && range)
        fprintf(l->file,
                "set object %d rectangle from screen %d.0/width,1-%d.0/height to screen "
                "%d.0/width,1-%d.0/height fillcolor rgb colour[%d] fillstyle transparent solid "
                "0.22 noborder\n",
                l->number, l->x, middle + 4, l->x + SAMPLE - 5, middle - 4, colour);
    else if (l->file)
        fprintf(l->file,
                "set arrow %d from screen %d.0/width,1-%d.0/height to screen %d.0/width,"
                "1-%d.0/height nohead linecolor rgb colour[%d]%s\n",
                l->number, l->x, middle, l->x + SAMPLE - 5, middle, colour,
                dashed ? " dashtype 2" : "");
    if (l->file)
        fprintf(l->file,
                "set label %d '%s' at screen %d.0/width,1-%d.0/height left textcolor '#333333'\n",
                l->number, name, l->x + SAMPLE, middle);
    l->x += wide;
}

/* ---- layout ---- */

static bool compares(const agon_plot_chart* chart) {
    return chart->runs->conditions > 1;
}

/* Draws or, without a file, measures: returns the rows. */
static int panel_legend(const agon_plot_chart* chart, const agon_plot_panel* panel, FILE* file,
                        int top) {
    legend l;
    legend_begin(&l, file, LEFT, top, 100);
    for (int i = 0; i < panel->lines && !compares(chart); i++) {
        const agon_plot_line* line = &panel->line[i];
        if (*line->label)
            legend_add(&l, line->label, line->colour, line->dashed, false);
        if (line->low >= 0 && chart->runs->count == 1)
            legend_add(&l, line->range_label, line->colour, false, true);
    }
    return l.rows;
}

static int condition_legend(const agon_plot_chart* chart, FILE* file, int top) {
    legend l;
    legend_begin(&l, file, 8, top, 200);
    for (int i = 0; i < chart->runs->conditions && compares(chart); i++)
        legend_add(&l, chart->runs->condition[i].legend, 1 + i % 7, i >= 7, false);
    return l.rows;
}

static int above(const agon_plot_chart* chart, const agon_plot_panel* panel) {
    return HEADING + LEGEND * panel_legend(chart, panel, NULL, 0);
}

static int body_height(const agon_plot_chart* chart) {
    int sum = condition_legend(chart, NULL, 0) * LEGEND + AXIS;
    for (int i = 0; i < chart->panels; i++)
        sum += above(chart, &chart->panel[i]) + TALL + (i ? GAP : 0);
    return sum;
}

/* ---- the axes ---- */

typedef struct extent {
    double low, high;
} extent;

static void extend(extent* e, const agon_plot_runs* runs, size_t offset) {
    for (int r = 0; r < runs->count; r++) {
        for (int i = 0; i < runs->run[r].data.rows; i++) {
            const double x = *(const double*)((const char*)&runs->run[r].data.row[i] + offset);
            e->low = x < e->low ? x : e->low;
            e->high = x > e->high ? x : e->high;
        }
    }
}

/* 1, 2 or 5 times a power of ten, so that about four steps make a range. */
static double round_step(double range) {
    const double raw = range / 4.5;
    const double power = pow(10, floor(log10(raw)));
    return raw <= power       ? power
           : raw <= 2 * power ? 2 * power
           : raw <= 5 * power ? 5 * power
                              : 10 * power;
}

/* Intervals of means lie within the numbers they are means of. */
static void put_range(FILE* file, const agon_plot_chart* chart, const agon_plot_panel* panel) {
    extent e = {INFINITY, -INFINITY};
    for (int i = 0; i < (compares(chart) ? 1 : panel->lines); i++) {
        const agon_plot_line* line = &panel->line[i];
        extend(&e, chart->runs, chart->column[line->column].offset);
        if (line->low >= 0 && chart->runs->count == 1) {
            extend(&e, chart->runs, chart->column[line->low].offset);
            extend(&e, chart->runs, chart->column[line->high].offset);
        }
    }
    e.low = isnan(panel->low) ? e.low : panel->low;
    e.high = isnan(panel->high) ? e.high : panel->high;
    if (!(e.high - e.low > 1e-9 * fabs(e.low))) /* equal or none: a range of some width */
        e = (extent){isfinite(e.low) ? e.low : 0, (isfinite(e.low) ? e.low : 0) + 0.1};
    const double step = round_step(e.high - e.low);
    fprintf(file, "set yrange [%.9g:%.9g]\nset ytics %.9g\n",
            isnan(panel->low) ? step * floor(e.low / step + 1e-9) : e.low,
            isnan(panel->high) ? step * ceil(e.high / step - 1e-9) : e.high, step);
}

static double last_steps(const agon_plot_runs* runs) {
    double most = 0;
    for (int r = 0; r < runs->count; r++)
        for (int i = 0; i < runs->run[r].data.rows; i++)
            most = runs->run[r].data.row[i].steps > most ? runs->run[r].data.row[i].steps : most;
    return most > 0 ? most : 1;
}

static int most_rows(const agon_plot_runs* runs) {
    int most = 0;
    for (int r = 0; r < runs->count; r++)
        most = runs->run[r].data.rows > most ? runs->run[r].data.rows : most;
    return most;
}

/* ---- one plot command ---- */

typedef struct drawing {
    FILE* file;
    const agon_plot_chart* chart;
    const char* name;
    int panel; /* that is being drawn */
    int parts; /* of the command so far */
} drawing;

/* "'x.tsv' using (steps('...'))" */
static void begin_part(drawing* d, int condition) {
    fprintf(d->file, "%s'%s.tsv' using (steps('%s')):", d->parts++ ? ", \\\n     " : "plot ",
            d->name, d->chart->runs->condition[condition].label);
}

static int colour_of(const drawing* d, const agon_plot_line* line, int condition) {
    return compares(d->chart) ? 1 + condition % 7 : line->colour;
}

static void draw_fill(drawing* d, const char* low, const char* high, int colour, int condition) {
    begin_part(d, condition);
    fprintf(d->file,
            "(column('%s')):(column('%s')) with filledcurves fillcolor rgb colour[%d] "
            "fillstyle transparent solid 0.22 noborder",
            low, high, colour);
}

static void draw_range(drawing* d, const agon_plot_line* line, int condition) {
    char low[128], high[128];
    const agon_plot_column* column = d->chart->column;
    const int colour = colour_of(d, line, condition);
    if (d->chart->runs->condition[condition].runs > 1) {
        snprintf(low, sizeof low, "%s.low", column[line->column].name);
        snprintf(high, sizeof high, "%s.high", column[line->column].name);
        draw_fill(d, low, high, colour, condition);
    } else if (line->low >= 0 && d->chart->runs->count == 1) {
        draw_fill(d, column[line->low].name, column[line->high].name, colour, condition);
    }
}

static void draw_line(drawing* d, const agon_plot_line* line, int condition) {
    const int colour = colour_of(d, line, condition);
    const bool dashed = compares(d->chart) ? condition >= 7 : line->dashed;
    begin_part(d, condition);
    fprintf(d->file, "(column('%s')) linecolor rgb colour[%d] pointtype %d pointsize marks%s",
            d->chart->column[line->column].name, colour, dashed ? 5 : 7,
            dashed ? " dashtype 2" : "");
}

static void draw_panel(drawing* d, int top) {
    const agon_plot_panel* panel = &d->chart->panel[d->panel];
    const int lines = compares(d->chart) ? 1 : panel->lines;
    const bool last = d->panel + 1 == d->chart->panels;
    fprintf(d->file, "\n# Panel %d\n", d->panel + 1);
    fprintf(d->file, "set tmargin at screen 1-%d.0/height\nset bmargin at screen 1-%d.0/height\n",
            top, top + TALL);
    fprintf(d->file, "set label 30 '%s' at screen 8.0/width,1-%d.0/height left\n", panel->heading,
            top - above(d->chart, panel) + HEADING / 2 - 3);
    fprintf(d->file, "set label 31 '%s' at screen 11.0/width,graph 0.5 center rotate\n",
            panel->unit);
    put_range(d->file, d->chart, panel);
    if (last)
        fprintf(d->file, "set format x '%%g'\nset label 21 time at graph 0.5,screen "
                         "(foot+10.0)/height center\n");
    const int rows = panel_legend(d->chart, panel, NULL, 0);
    panel_legend(d->chart, panel, d->file, top - LEGEND * rows - 2);
    d->parts = 0;
    for (int c = 0; c < d->chart->runs->conditions; c++)
        for (int i = 0; i < lines; i++)
            draw_range(d, &panel->line[i], c);
    for (int c = 0; c < d->chart->runs->conditions; c++)
        for (int i = 0; i < lines; i++)
            draw_line(d, &panel->line[i], c);
    fprintf(d->file, "\nunset label\nunset arrow\nunset object\n");
}

static void write_script(const agon_plot_chart* chart, const agon_plot_view* view,
                         const char* title, FILE* script) {
    agon_plot_frame frame = {.title = title, .body = body_height(chart)};
    drawing d = {script, chart, view->name, 0, 0};
    agon_plot_frame_write(script, view, &frame);
    fprintf(script, "max_steps = %.17g\nmarks = %s\n%s", last_steps(chart->runs),
            most_rows(chart->runs) > 40 ? "0" : "dot", agon_embedded("series.gp"));
    int top = 34; /* `head` of a frame without notes */
    top += LEGEND * condition_legend(chart, script, top);
    for (d.panel = 0; d.panel < chart->panels; d.panel++) {
        top += above(chart, &chart->panel[d.panel]) + (d.panel ? GAP : 0);
        draw_panel(&d, top);
        top += TALL;
    }
    fprintf(script, "unset multiplot\n");
}

int agon_plot_chart_write(const agon_plot_chart* chart, const agon_plot_view* view,
                          const char* title, FILE* data, FILE* script, agon_error* error) {
    write_script(chart, view, title, script);
    return agon_plot_series_write(data, chart->runs, chart->column, chart->columns, error);
}
