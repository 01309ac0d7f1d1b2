/* metric.c: the table of metrics, and what of it applies to some evidence. */
#include "engine/metrics/metric.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MOST 128

static const agon_metric* const groups[] = {
    agon__catalogue_vendi,          agon__catalogue_behaviour, agon__catalogue_novelty,
    agon__catalogue_visits,         agon__catalogue_payoff,    agon__catalogue_gamescape,
    agon__catalogue_rating,         agon__catalogue_tables,    agon__catalogue_errors,
    agon__catalogue_homogenization, agon__catalogue_nets,      agon__catalogue_generalization,
};

const agon_metric* const* agon_metrics(int* count) {
    static const agon_metric* all[MOST];
    int n = 0;
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (const agon_metric* m = groups[g]; m->name; m++) {
            assert(n < MOST);
            all[n++] = m; /* the same bytes every time: safe to race */
        }
    }
    *count = n;
    return all;
}

const agon_metric* agon_metric_find(const char* name) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    for (int i = 0; i < count; i++) {
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    }
    return NULL;
}

int agon_metric_columns(const agon_metric* m) {
    int n = 0;
    while (n < AGON_METRIC_COLUMNS && m->column[n].name)
        n++;
    return n;
}

int agon_metric_column_find(const agon_metric* m, const char* name) {
    for (int c = 0; c < agon_metric_columns(m); c++)
        if (strcmp(m->column[c].name, name) == 0)
            return c;
    return -1;
}

int agon_metric_rows(const agon_metric* m, const agon_evidence* e) {
    switch (m->shape) {
    case AGON_ONE:
        return 1;
    case AGON_PER_AGENT:
        return e->agents;
    case AGON_PER_PAIR:
        return e->agents * e->agents;
    case AGON_PER_LEVEL:
        return m->levels(e);
    }
    return 0;
}

static bool all_met(const agon_payoffs* p) {
    for (int at = 0; at < p->agents * p->agents; at++)
        if (isnan(p->mean[at]))
            return false;
    return true;
}

/* Is the part there? */
static bool has(const agon_evidence* e, const agon_metric_options* options, unsigned need) {
    switch (need) {
    case AGON_NEEDS_ANSWERS:
        return e->answers.states > 0;
    case AGON_NEEDS_WORTH:
        return e->answers.worth != NULL;
    case AGON_NEEDS_IMAGES:
        return e->answers.images > 0;
    case AGON_NEEDS_COUNTS:
        return e->answers.count != NULL;
    case AGON_NEEDS_PAYOFFS:
        return e->payoffs.agents > 0;
    case AGON_NEEDS_ANTISYMMETRIC:
        return e->payoffs.antisymmetric && all_met(&e->payoffs);
    case AGON_NEEDS_WINS:
        return e->payoffs.wins != NULL;
    case AGON_NEEDS_ANCHORS:
        return e->anchors.anchors > 0;
    case AGON_NEEDS_INSIDES:
        return e->insides.inputs > 0;
    case AGON_NEEDS_VISITS:
        return e->visits.features > 0;
    case AGON_NEEDS_HISTORY:
        return e->history.points > 0;
    case AGON_NEEDS_BASELINE:
        return options->baseline != NULL;
    case AGON_NEEDS_TABLES:
        return e->tables.games > 0;
    case AGON_NEEDS_PAIR:
        return e->agents > 1;
    default:
        return true;
    }
}

/* What to say when a part is absent and nobody said why. */
static const char* absent(const agon_evidence* e, unsigned need) {
    const struct {
        unsigned need;
        const char *why, *fallback;
    } part[] = {
        {AGON_NEEDS_ANSWERS, e->why.answers, "no answers to questions are known"},
        {AGON_NEEDS_WORTH, e->why.worth, "the states are not solved"},
        {AGON_NEEDS_IMAGES, e->why.image, "the game declares no symmetries"},
        {AGON_NEEDS_COUNTS, "", "the answers are exact probabilities, not samples"},
        {AGON_NEEDS_PAYOFFS, e->why.payoffs, "no pay-offs are known"},
        {AGON_NEEDS_ANTISYMMETRIC, e->why.antisymmetric,
         "defined for two seats with zero or constant sum, and every pair met"},
        {AGON_NEEDS_WINS, e->why.payoffs, "wins and losses are not known"},
        {AGON_NEEDS_ANCHORS, e->why.anchors, "no scores against fixed opponents are known"},
        {AGON_NEEDS_INSIDES, e->why.insides, "the inside of the agents is not known"},
        {AGON_NEEDS_VISITS, e->why.visits, "no visits were counted"},
        {AGON_NEEDS_HISTORY, e->why.history, "no strength over training is known"},
        {AGON_NEEDS_BASELINE, "", "no baseline population was given: --baseline"},
        {AGON_NEEDS_PAIR, "", "needs two agents or more"},
        {AGON_NEEDS_TABLES, e->why.tables, "no games with everyone's return are known"},
    };
    if (need == AGON_NEEDS_ANTISYMMETRIC && e->payoffs.antisymmetric && !e->why.antisymmetric[0])
        return "some pairs never met; cyclic_met and hodge need not all";
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (part[i].need == need)
            return part[i].why[0] ? part[i].why : part[i].fallback;
    }
    return "not known";
}

const char* agon_metric_why(const agon_metric* m, const agon_evidence* e,
                            const agon_metric_options* options) {
    for (unsigned need = 1; need <= AGON_NEEDS_TABLES; need <<= 1) {
        if ((m->needs & need) && !has(e, options, need))
            return absent(e, need);
    }
    return NULL;
}
