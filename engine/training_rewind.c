#include "engine/training_rewind.h"

#include "engine/training_resume.h"

#include <stdio.h>

/* Forgets what is in memory about results, and reads it again from the rows that are left. */
static int reread(agon_training* t, agon_error* error) {
    agon_record* record = agon_record_open();
    if (!record)
        return agon_fail(error, AGON_EMEMORY, "no memory for the record of the run");
    agon_record_close(t->population.record);
    t->population.record = record;
    t->population.cursor = t->population.handed = 0;
    t->trained = t->measured = -1;
    return agon__training_remember(t, error);
}

int agon__training_rewind(agon_training* t, int wrong_from, const agon_error* why, int* from,
                          agon_error* error) {
    char text[1024], start[128] = "";
    int rc = agon_store_rewind(t->store, wrong_from, from, error);
    if (!rc)
        rc = reread(t, error);
    if (rc || !t->view.note)
        return rc;
    if (*from < wrong_from)
        snprintf(start, sizeof start, ", from generation %d on, whose learners are still there",
                 *from);
    snprintf(text, sizeof text,
             "results of generation %d and later rest on a wrong one; they are made again%s: %s",
             wrong_from, start, why->text);
    t->view.note(t->view.user, text);
    return AGON_OK;
}
