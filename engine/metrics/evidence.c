/* evidence.c: freeing it, and the view that diversity.h takes. */
#include "engine/metrics/evidence.h"

#include <stdlib.h>
#include <string.h>

static void clear_answers(agon_answers* a) {
    free(a->probability);
    free(a->weight);
    free(a->options);
    free(a->legal);
    free(a->stratum);
    free(a->stratum_label);
    free(a->count);
    free(a->worth);
    free(a->image);
}

static void clear_payoffs(agon_payoffs* p) {
    free(p->member);
    free(p->mean);
    free(p->error);
    free(p->games);
    free(p->wins);
    free(p->draws);
}

void agon_evidence_clear(agon_evidence* e) {
    clear_answers(&e->answers);
    clear_payoffs(&e->payoffs);
    free(e->label);
    free(e->anchors.label);
    free(e->anchors.mean);
    free(e->anchors.error);
    free(e->anchors.games);
    free(e->insides.activation);
    free(e->insides.parameter);
    free(e->visits.count);
    free(e->tables.agent);
    free(e->tables.value);
    free(e->history.steps);
    free(e->history.strength);
    memset(e, 0, sizeof *e);
}

agon_behaviour agon_evidence_behaviour(const agon_evidence* e) {
    const agon_answers* a = &e->answers;
    return (agon_behaviour){e->agents, a->states, a->actions, a->probability, a->weight};
}
