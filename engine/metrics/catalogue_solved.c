/* catalogue_solved.c: solved states of the evidence, as the plain functions take them. */
#include "engine/metrics/catalogue_solved.h"

#include "engine/metrics/errors.h"

#include <stdlib.h>

agon_solved agon__solved_of(const agon_evidence* e) {
    return (agon_solved){agon_evidence_behaviour(e), e->answers.worth, e->answers.legal};
}

int agon__solved_refuse(agon_error* error, int code) {
    return agon_fail(error, code,
                     code == AGON_EMEMORY ? "out of memory"
                                          : "the answers are not distributions over legal actions, "
                                            "or a worth is infinite");
}

int agon__failures_of(const agon_evidence* e, double** block, agon_outcomes* o, agon_error* error) {
    const agon_solved v = agon__solved_of(e);
    const size_t entries = (size_t)e->agents * e->answers.states;
    double share = 0, *failure = malloc((entries + e->answers.states) * sizeof *failure);
    *block = NULL;
    if (!failure)
        return agon__solved_refuse(error, AGON_EMEMORY);
    int code = agon_errors_judge(&v, failure + entries, &share);
    code = code ? code : agon_errors_failures(&v, AGON_CHOICE_GREEDY, failure);
    if (code || share == 0) {
        free(failure);
        return code ? agon__solved_refuse(error, code) : 0;
    }
    *block = failure;
    *o = (agon_outcomes){e->agents, e->answers.states, failure, failure + entries};
    return 0;
}
