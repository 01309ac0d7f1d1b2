/* plot_panels.h: pictures of numbers over time: panels one above the other over one time axis. */
#ifndef AGON_PLOT_PANELS_H
#define AGON_PLOT_PANELS_H

#include "tools/plot.h"
#include "tools/plot_series.h"

/* One number over time. */
typedef struct agon_plot_line {
    int column;     /* of the chart */
    char label[80]; /* in the panel's legend */
    int colour;     /* 1..7; where conditions are compared, theirs is taken */
    bool dashed;
    int low, high; /* columns of a filled range behind it; -1: none */
    char range_label[80];
} agon_plot_line;

typedef struct agon_plot_panel {
    char heading[120], unit[48];
    double low, high; /* of the y axis; NaN: as the data have it */
    int lines;
    agon_plot_line line[AGON_PLOT_ANCHORS];
} agon_plot_panel;

#define AGON_PLOT_PANELS 24

typedef struct agon_plot_chart {
    const agon_plot_runs* runs;
    int columns;
    agon_plot_column column[AGON_PLOT_COLUMNS];
    int panels;
    agon_plot_panel panel[AGON_PLOT_PANELS];
} agon_plot_chart;

/* A column of the data; drawn or not. */
int agon_plot_chart_column(agon_plot_chart* chart, const char* name, size_t offset);
/* A new panel; NULL: there is no room. Texts are cleaned. */
agon_plot_panel* agon_plot_chart_panel(agon_plot_chart* chart, const char* heading,
                                       const char* unit, double low, double high);
/* A new line; NULL: there is no room, or `panel` is NULL. */
agon_plot_line* agon_plot_panel_line(agon_plot_panel* panel, int column, const char* label,
                                     int colour);

/* Data and script. Conditions are told apart by colour, and then a panel has one line; of a single
 * condition, the lines of a panel are. Ranges are drawn for a single run only: where several are
 * summed up, a band is the interval of the mean over runs. */
int agon_plot_chart_write(const agon_plot_chart* chart, const agon_plot_view* view,
                          const char* title, FILE* data, FILE* script, agon_error* error);

#endif
