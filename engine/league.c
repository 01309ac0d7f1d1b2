/* Who meets whom: the opponents of one train task, drawn once. */
#include "engine/population.h"

#include <math.h>
#include <string.h>

typedef struct dice {
    agon_key key;
    uint32_t draws;
} dice;

static double roll(dice* d) {
    agon_draw x = agon_random(d->key, 0, 0, 0, d->draws++);
    return agon_uniform_double(x.word[0], x.word[1]);
}

static int below(dice* d, int n) {
    return (int)agon_below(agon_random(d->key, 0, 0, 0, d->draws++).word[0], (uint32_t)n);
}

/* `share` of n as a whole number: the fraction is left to chance, so the mean is exact. */
static int stochastic_round(dice* d, double share, int n) {
    double x = share * n, whole = floor(x);
    return (int)whole + (roll(d) < x - whole);
}

int agon__league_measured(const agon_population* p, int generation) {
    int every = p->config->metrics.every;
    return generation / every * every;
}

/* Points per game of `agent` against `other` at a measured generation, shrunk to 1/2 by one game.
 */
static double points(const agon_population* p, int generation, int agent, int other) {
    const agon_match_result* m = agon_record_match(p->record, generation, agent, other);
    bool turned = !m && agon_population_antisymmetric(p);
    if (turned)
        m = agon_record_match(p->record, generation, other, agent);
    double score = 0.5, games = 1;
    for (int seat = 0; m && seat < m->seats; seat++) {
        const agon_tally* t = &m->tally[seat];
        score += (double)(turned ? t->losses : t->wins) + 0.5 * (double)t->draws;
        games += (double)t->games;
    }
    return score / games;
}

static double weight(const agon_population* p, int generation, int agent, int other) {
    if (p->config->league.kind != AGON_LEAGUE_PFSP)
        return 1;
    double win = points(p, agon__league_measured(p, generation), agent, other);
    return p->config->league.weighting == AGON_PFSP_HARD ? (1 - win) * (1 - win) : win * (1 - win);
}

/* The first of the population.size agents that an agent may meet: those of the other role, where
 * roles are separate. */
static int pool_of(const agon_population* p, int agent) {
    const int other = agon_population_roles(p) - 1 - agon_population_role(p, agent);
    return other * p->config->population.size;
}

/* Another agent, by league weights of the generation before; itself only when it is alone. */
static int other_agent(const agon_population* p, dice* d, int generation, int agent) {
    const int first = pool_of(p, agent), end = first + p->config->population.size;
    double total = 0;
    if (end - first == 1)
        return first;
    for (int i = first; i < end; i++)
        total += i == agent ? 0 : weight(p, generation, agent, i);
    double at = roll(d) * total;
    int last = agent;
    for (int i = first; i < end; i++) {
        if (i == agent)
            continue;
        last = i;
        at -= weight(p, generation, agent, i);
        if (at < 0)
            break;
    }
    return last;
}

int agon__league_draw(const agon_population* p, agon_train_task* task, agon_key key) {
    const agon_config* c = p->config;
    const int latest = task->generation - 1;
    dice d = {key, 0};
    int count = c->league.opponents ? c->league.opponents : c->train.lanes / 8;
    if (count < 1)
        count = 1;
    if (count > AGON_MAX_OPPONENTS)
        count = AGON_MAX_OPPONENTS;
    int anchors = c->league.kind == AGON_LEAGUE_FIXED
                      ? count
                      : stochastic_round(&d, c->league.anchor_share, count);
    if (p->opponents.count == 0)
        anchors = 0;
    int past = latest > 0 ? stochastic_round(&d, c->league.past, count - anchors) : 0;
    /* Anchors in turn from a random start, so that they share evenly. */
    int first = anchors ? below(&d, p->opponents.count) : 0;
    for (int i = 0; i < count; i++) {
        char* ref = task->opponent[i];
        if (i < anchors) {
            int k = (first + i) % p->opponents.count;
            snprintf(ref, AGON_REF_SIZE, "%s", p->opponents.ref[k]);
            continue;
        }
        int generation = i < anchors + past ? below(&d, latest) : latest;
        int agent = i < anchors + past ? pool_of(p, task->agent) + below(&d, c->population.size)
                                       : other_agent(p, &d, latest, task->agent);
        const agon_train_result* met = agon_record_train(p->record, generation, agent);
        if (!met)
            return AGON_EMISSING;
        snprintf(ref, AGON_REF_SIZE, "%s", met->snapshot);
    }
    return count;
}
