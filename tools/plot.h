/* plot.h: the pictures of `agon plot`. Each is a row of a table and a function that writes its data
 * and its gnuplot script; style is that of tools/plots/common.gp.
 *
 * Sizes are in units of which a picture is 460 wide. Printed 8 cm wide, as a column of a paper, its
 * letters of 13 units are 6.4 points high. */
#ifndef AGON_PLOT_H
#define AGON_PLOT_H

#include "tools/plot_runs.h"

#include <stdio.h>

typedef struct agon_plot_view {
    const agon_plot_runs* runs;
    const agon_plot_run* run; /* whose population is drawn; of an overlay the first run */
    char name[160];           /* of the files, without ending */
    const char* probes;       /* file of a probe set that agents are asked; NULL: the run's own */
    bool quiet;
    char why[240]; /* set by a maker that leaves its picture out: the reason */
} agon_plot_view;

/* Writes both, or sets view->why and returns AGON_OK. */
typedef int agon_plot_maker(agon_plot_view* view, FILE* data, FILE* script, agon_error* error);

typedef struct agon_picture {
    const char* name; /* as typed, and of the files */
    const char* summary;
    const char* needs; /* for people */
    bool overlay;      /* one picture of all runs; else one for each */
    agon_plot_maker* make;
} agon_picture;

agon_plot_maker agon_plot_diversity, agon_plot_strength, agon_plot_against; /* plot_time.c */
agon_plot_maker agon_plot_payoff_map, agon_plot_ratings;                    /* plot_payoff.c */
agon_plot_maker agon_plot_nash;                                             /* plot_nash.c */
agon_plot_maker agon_plot_cycles, agon_plot_top;                            /* plot_cycles.c */
agon_plot_maker agon_plot_behaviour;                                        /* plot_behaviour.c */
agon_plot_maker agon_plot_errors, agon_plot_symmetry;                       /* plot_answers.c */

/* Says that a part is left out, and why; `why` may be empty. */
void agon_plot_left_out(const agon_plot_view* view, const char* what, const char* why);

/* ---- scripts ---- */

#define AGON_PLOT_NOTES 12

/* What stands around a picture; texts are cleaned. */
typedef struct agon_plot_frame {
    const char* title;
    int notes; /* small lines under the title */
    char note[AGON_PLOT_NOTES][160];
    int body; /* height of everything between notes and footer */
} agon_plot_frame;

void agon_plot_note(agon_plot_frame* frame, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
/* The variables name, width, height, head, foot, title and notes, then common.gp. The body lies
 * between `head` and `foot`, heights from the top and from the bottom. */
void agon_plot_frame_write(FILE* script, const agon_plot_view* view, const agon_plot_frame* frame);

/* The extent of points in a picture whose two axes have one scale: low and high of x and y so that
 * all `count` points, `stride` doubles apart, fit into an area of width : height. */
typedef struct agon_plot_area {
    double x_low, x_high, y_low, y_high;
} agon_plot_area;
agon_plot_area agon_plot_area_of(const double* point, int count, int stride, double width,
                                 double height);

/* "3.93 million" */
void agon_plot_count_text(double x, char* out, size_t size);

/* ---- pay-offs ---- */

/* The last matrix of the view's run. False: *code is an error, or it is AGON_OK and the picture is
 * left out (view->why). */
bool agon_plot_last_payoff(agon_plot_view* view, agon_plot_payoff* out, int* code,
                           agon_error* error);
/* "After 3 million agent-steps per agent, 64 games a pair" */
void agon_plot_note_payoff(agon_plot_frame* frame, const agon_plot_data* data,
                           const agon_plot_payoff* payoff);
/* The cyclic share beside what noise alone would give. */
void agon_plot_note_cycles(agon_plot_frame* frame, const agon_plot_row* row);
/* The variable `agents` and the array `agent`: names, strongest first. */
void agon_plot_put_agents(FILE* script, const agon_plot_payoff* payoff);

/* ---- files ---- */

/* Is gnuplot there? If not, the message that says what to do. */
int agon_plot_ready(agon_error* error);

enum { AGON_PLOT_PNG = 1, AGON_PLOT_SVG = 2, AGON_PLOT_PDF = 4 };

/* Writes DIR/NAME.tsv and DIR/NAME.gp and draws the pictures; prints their paths unless quiet. */
int agon_plot_place(const char* dir, const agon_plot_view* view, unsigned formats, const char* data,
                    const char* script, agon_error* error);

#endif
