/* panel.h: what a person sees while a run goes on: an 80-column panel on a terminal, one line per
 * generation elsewhere. */
#ifndef AGON_PANEL_H
#define AGON_PANEL_H

#include "engine/training.h"

#include <stdio.h>

typedef struct agon_panel {
    FILE* out;     /* stderr, or the terminal */
    bool terminal; /* redraw in place */
    int drawn;     /* lines on the screen that the next drawing replaces */
    char diversity[160], strength[160], cycles[160], note[256];
    char workers[160]; /* what was said of them last; empty: there are none */
    double vendi[64];  /* of the measured generations, for the sparkline; the newest last */
    int vendis, agents;
} agon_panel;

void agon_panel_begin(agon_panel* panel, FILE* out, const agon_training* training);
/* The callbacks that belong to it. */
agon_training_view agon_panel_view(agon_panel* panel);
/* Leaves the last drawing on the screen. */
void agon_panel_end(agon_panel* panel);

/* "1.2 M", "84.1 k", "312"; and "1:32", "2:05:11". */
void agon_panel_count(double value, char out[16]);
void agon_panel_time(double seconds, char out[16]);

#endif
