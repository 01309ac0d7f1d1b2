/* columns.h: `agon help columns`: what each column of a run means, from where it is defined. */
#ifndef AGON_COLUMNS_H
#define AGON_COLUMNS_H

#include <stdbool.h>

void agon_columns_print(bool json);

#endif
