/* report.h: the table at the end of a run. */
#ifndef AGON_REPORT_H
#define AGON_REPORT_H

#include "engine/training.h"

#include <stdio.h>

/* The last measured generation and the closing evaluation, as far as they are there. */
int agon_report_table(FILE* out, const agon_training* training, agon_error* error);
/* The same as one line of JSON; with where the time went when that is asked for. */
int agon_report_json(FILE* out, const agon_training* training, bool profile, agon_error* error);

#endif
