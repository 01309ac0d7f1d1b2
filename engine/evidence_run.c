/* evidence_run.c: a stored run as evidence. */
#include "engine/evidence_run.h"

#include "agents/backend_cpu.h"
#include "engine/metrics/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VISIT_PLIES 8 /* how far into a game visits are counted */

typedef struct view {
    const agon_training* run;
    const agon_run_wish* wish;
    const agon_population* p;
    int generation;
    int first; /* the first agent of the role */
    bool own;  /* the run's own rules: what it measured holds */
    bool measured;
    agon_gather gather;
    char (*label)[AGON_LABEL];
    char (*ref)[AGON_REF_SIZE];
    int anchors;
    char (*anchor_label)[AGON_LABEL];
    char (*anchor_ref)[AGON_REF_SIZE];
    agon_evidence* out;
    agon_error* error;
} view;

int agon_run_trained(const agon_training* t) {
    for (int g = t->config.train.generations; g >= 0; g--)
        if (agon_population_trained(&t->population, g))
            return g;
    return -1;
}

static bool is_measured(const agon_population* p, int generation) {
    return agon_population_measures(p, generation) && agon_population_trained(p, generation) &&
           agon_population_measured(p, generation);
}

int agon_run_measured(const agon_training* t) {
    for (int g = t->config.train.generations; g >= 0; g--)
        if (is_measured(&t->population, g))
            return g;
    return -1;
}

/* ---- who, and by which rules ---------------------------------------------------------------- */

static int load(void* user, const char* hash, uint8_t** data, size_t* size, agon_error* error) {
    const view* v = user;
    if (v->wish->load && v->wish->load(v->wish->load_user, hash, data, size, NULL) == AGON_OK)
        return AGON_OK;
    return agon_store_blob_load(v->run->store, hash, data, size, error);
}

static int choose_generation(view* v) {
    const int last = agon_run_trained(v->run), wanted = v->wish->generation;
    const char* dir = agon_store_dir(v->run->store);
    v->generation = wanted >= 0 ? wanted : agon_run_measured(v->run);
    if (agon_record_failure(v->p->record, v->error))
        return agon_record_failure(v->p->record, NULL);
    if (v->generation < 0)
        return agon_fail(v->error, AGON_EMISSING, "%s has no measured generation yet", dir);
    if (v->generation > last || !agon_population_trained(v->p, v->generation))
        return agon_fail(v->error, AGON_EMISSING, "%s has no generation %d; the last is %d", dir,
                         v->generation, last);
    v->measured = v->own && is_measured(v->p, v->generation);
    return AGON_OK;
}

static int name_agents(view* v) {
    const int size = v->gather.agents;
    v->label = calloc((size_t)size, sizeof *v->label);
    v->ref = calloc((size_t)size, sizeof *v->ref);
    if (!v->label || !v->ref)
        return agon_fail(v->error, AGON_EMEMORY, "no memory for %d agents", size);
    for (int i = 0; i < size; i++) {
        const agon_train_result* x = agon_record_train(v->p->record, v->generation, v->first + i);
        snprintf(v->label[i], sizeof v->label[i], "%d", v->first + i);
        snprintf(v->ref[i], sizeof v->ref[i], "%s", x->snapshot);
    }
    v->gather.label = (const char(*)[AGON_LABEL])v->label;
    v->gather.ref = (const char(*)[AGON_REF_SIZE])v->ref;
    return AGON_OK;
}

static int name_anchors(view* v) {
    const agon_run_wish* w = v->wish;
    v->anchors = w->anchors ? w->anchors : v->p->anchors.count;
    v->anchor_label = calloc((size_t)v->anchors + 1, sizeof *v->anchor_label);
    v->anchor_ref = calloc((size_t)v->anchors + 1, sizeof *v->anchor_ref);
    if (!v->anchor_label || !v->anchor_ref)
        return agon_fail(v->error, AGON_EMEMORY, "no memory for %d anchors", v->anchors);
    for (int k = 0; k < v->anchors; k++) {
        const char* ref = w->anchors ? w->anchor_ref[k] : v->p->anchors.ref[k];
        snprintf(v->anchor_label[k], AGON_LABEL, "%.63s", w->anchors ? w->anchor_label[k] : ref);
        snprintf(v->anchor_ref[k], AGON_REF_SIZE, "%s", ref);
    }
    return AGON_OK;
}

static int open_view(view* v) {
    const agon_run_wish* w = v->wish;
    const int roles = agon_population_roles(v->p), agents = agon_population_agents(v->p);
    const agon_config* c = v->p->config;
    if (w->role < 0 || w->role >= roles)
        return agon_fail(v->error, AGON_EINVALID, "role %d of %s: expected 0 to %d", w->role,
                         agon_store_dir(v->run->store), roles - 1);
    v->own = !w->rules;
    v->first = w->role * (agents / roles);
    v->gather = (agon_gather){.rules = w->rules ? w->rules : v->run->rules,
                              .backend = agon_cpu_backend(),
                              .seed = c->train.seed,
                              .threads = w->threads,
                              .load = load,
                              .load_user = v,
                              .agents = agents / roles,
                              .games = w->games ? w->games : c->metrics.games,
                              .opening = c->metrics.opening,
                              .progress = w->progress,
                              .user = w->user};
    int rc = choose_generation(v);
    if (!rc)
        rc = name_agents(v);
    if (!rc)
        rc = name_anchors(v);
    if (rc)
        return rc;
    int used = snprintf(v->out->origin, sizeof v->out->origin, "%s at generation %d, %s",
                        agon_store_dir(v->run->store), v->generation, v->gather.rules->name);
    const char* role = v->gather.rules->spec.role_names[v->wish->role];
    if (agon_population_roles(v->p) > 1 && used < (int)sizeof v->out->origin)
        snprintf(v->out->origin + used, sizeof v->out->origin - (size_t)used, ", role %d%s%s",
                 v->wish->role, role ? " " : "", role ? role : "");
    return agon_gather_agents(&v->gather, v->out, v->error);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Answers to the run's own set that it kept, one block; NULL: there are none. */
static float* kept_answers(const view* v) {
    const agon_probe_result* x = agon_record_probe(v->p->record, v->generation, v->first);
    if (!v->measured || v->wish->probes || !x)
        return NULL;
    const size_t each = (size_t)x->states * (size_t)x->actions;
    float* all = malloc((size_t)v->gather.agents * each * sizeof *all);
    for (int i = 0; all && i < v->gather.agents; i++)
        memcpy(all + (size_t)i * each,
               agon_record_probe(v->p->record, v->generation, v->first + i)->probability,
               each * sizeof *all);
    return all;
}

/* A variant has probe states of its own: those of the run may not exist there. */
static int open_probes(view* v, agon_probes* made, const agon_probes** probes, const char** hash) {
    *hash = v->wish->probes ? v->wish->probes_hash : v->p->probes;
    *probes = v->wish->probes ? v->wish->probes : &v->run->probes;
    if (v->wish->probes || v->own)
        return AGON_OK;
    *hash = "";
    *probes = made;
    return agon_probes_make(v->gather.rules, v->p->config->metrics.probes, v->gather.seed, made,
                            v->error);
}

static int add_answers(view* v) {
    const unsigned wanted = v->wish->needs;
    const agon_probes* probes;
    agon_probes made = {0};
    const char* hash;
    int rc = open_probes(v, &made, &probes, &hash);
    float* known = rc ? NULL : kept_answers(v);
    if (!rc && (wanted & (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES)))
        rc = agon_gather_answers(&v->gather, probes, hash, agon_population_seats(v->p, v->first),
                                 known, (wanted & AGON_NEEDS_IMAGES) != 0, v->out, v->error);
    if (!rc && (wanted & AGON_NEEDS_INSIDES))
        rc = agon_gather_insides(&v->gather, probes, v->out, v->error);
    free(known);
    agon_probes_close(&made);
    return rc;
}

/* ---- pay-offs ------------------------------------------------------------------------------- */

static const agon_match_result** kept_matches(const view* v, const int* member, int count) {
    const agon_match_result** match = calloc((size_t)count * (size_t)count, sizeof *match);
    for (int i = 0; match && i < count; i++)
        for (int j = 0; j < count; j++)
            match[i * count + j] =
                i == j ? NULL
                       : agon_record_match(v->p->record, v->generation, member[i], member[j]);
    return match;
}

static int add_payoffs(view* v) {
    int* member = malloc((size_t)agon_population_agents(v->p) * sizeof *member);
    if (!member)
        return agon_fail(v->error, AGON_EMEMORY, "out of memory");
    const int count = agon_population_sample(v->p, member);
    int rc = AGON_OK;
    if (agon_population_roles(v->p) > 1) {
        snprintf(v->out->why.payoffs, sizeof v->out->why.payoffs, "agents of one role never meet");
    } else if (v->measured && !v->wish->games && count > 1 && v->gather.rules->spec.seats > 1) {
        const agon_match_result** match = kept_matches(v, member, count);
        rc = match ? agon_gather_matches(&v->gather, member, count, match, v->out, v->error)
                   : agon_fail(v->error, AGON_EMEMORY, "no memory for %d pay-offs", count);
        free(match);
    } else {
        rc = agon_gather_payoffs(&v->gather, member, count, v->out, v->error);
    }
    free(member);
    return rc;
}

/* ---- anchors, visits, history --------------------------------------------------------------- */

static bool anchors_kept(const view* v) {
    return v->measured && !v->wish->anchors && !v->wish->games &&
           v->p->config->metrics.anchor_games > 0;
}

static int add_kept_scores(view* v) {
    const int cells = v->gather.agents * v->anchors;
    const agon_match_result** match = calloc((size_t)cells + 1, sizeof *match);
    if (!match)
        return agon_fail(v->error, AGON_EMEMORY, "no memory for %d scores", cells);
    for (int at = 0; at < cells; at++)
        match[at] = agon_record_match(v->p->record, v->generation, v->first + at / v->anchors,
                                      -1 - at % v->anchors);
    const int rc =
        agon_gather_scores(&v->gather, v->anchors, (const char(*)[AGON_LABEL])v->anchor_label,
                           match, v->out, v->error);
    free(match);
    return rc;
}

static int add_anchors(view* v) {
    if (v->anchors == 0) {
        snprintf(v->out->why.anchors, sizeof v->out->why.anchors,
                 "the run measures against no anchors (metrics.anchors)");
        return AGON_OK;
    }
    if (anchors_kept(v))
        return add_kept_scores(v);
    if (agon_population_roles(v->p) > 1) {
        snprintf(v->out->why.anchors, sizeof v->out->why.anchors,
                 "with separate roles scores are known only where the run measured them");
        return AGON_OK;
    }
    return agon_gather_anchors(&v->gather, v->anchors, (const char(*)[AGON_LABEL])v->anchor_label,
                               (const char(*)[AGON_REF_SIZE])v->anchor_ref,
                               v->gather.rules->spec.information == AGON_PERFECT, v->out, v->error);
}

static int add_visits(view* v) {
    static const char random[1][AGON_REF_SIZE] = {"random"};
    if (agon_population_roles(v->p) > 1) {
        snprintf(v->out->why.visits, sizeof v->out->why.visits,
                 "not counted where roles are separate");
        return AGON_OK;
    }
    return agon_gather_visits(&v->gather, v->anchors ? v->anchors : 1,
                              v->anchors ? (const char(*)[AGON_REF_SIZE])v->anchor_ref : random,
                              VISIT_PLIES, v->out, v->error);
}

static int add_tables(view* v) {
    if (agon_population_roles(v->p) > 1) {
        snprintf(v->out->why.tables, sizeof v->out->why.tables,
                 "with separate roles: role_payoff in metrics.jsonl has returns by role");
        return AGON_OK;
    }
    return agon_gather_tables(&v->gather, v->out, v->error);
}

static double mean_score(const view* v, int generation, int agent) {
    double sum = 0, score, se;
    for (int k = 0; k < v->p->anchors.count; k++) {
        agon_match_score(v->p, agon_record_match(v->p->record, generation, agent, -1 - k), &score,
                         &se);
        sum += score;
    }
    return sum / v->p->anchors.count;
}

static double mean_steps(const view* v, int generation) {
    double sum = 0;
    for (int i = 0; i < v->gather.agents; i++)
        sum += (double)agon_record_train(v->p->record, generation, v->first + i)->total_steps;
    return sum / v->gather.agents;
}

/* Strength over the measured generations, those without a step left out. */
static int add_history(view* v) {
    const int last = v->p->config->train.generations, n = v->gather.agents;
    agon_history* h = &v->out->history;
    if (!v->p->anchors.count || !v->p->config->metrics.anchor_games ||
        !agon_population_points(v->p)) {
        snprintf(v->out->why.history, sizeof v->out->why.history,
                 "needs points per game against anchors (win, draw or loss)");
        return AGON_OK;
    }
    h->steps = malloc(((size_t)last + 1) * sizeof *h->steps);
    h->strength = malloc(((size_t)last + 1) * (size_t)n * sizeof *h->strength);
    if (!h->steps || !h->strength)
        return agon_fail(v->error, AGON_EMEMORY, "no memory for %d generations", last);
    for (int g = 0; g <= last && g <= v->generation; g++) {
        if (!is_measured(v->p, g) || !(mean_steps(v, g) > 0))
            continue;
        h->steps[h->points] = mean_steps(v, g);
        for (int i = 0; i < n; i++)
            h->strength[h->points * n + i] = mean_score(v, g, v->first + i);
        h->points++;
    }
    return agon_record_failure(v->p->record, v->error);
}

/* ---- all of it ------------------------------------------------------------------------------ */

int agon_evidence_run(const agon_training* run, const agon_run_wish* wish, agon_evidence* out,
                      agon_error* error) {
    static const struct {
        unsigned needs;
        int (*add)(view* v);
    } part[] = {
        {AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES | AGON_NEEDS_INSIDES,
         add_answers},
        {AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC | AGON_NEEDS_WINS, add_payoffs},
        {AGON_NEEDS_ANCHORS, add_anchors},
        {AGON_NEEDS_VISITS, add_visits},
        {AGON_NEEDS_HISTORY, add_history},
        {AGON_NEEDS_TABLES, add_tables},
    };
    view v = {.run = run, .wish = wish, .p = &run->population, .out = out, .error = error};
    memset(out, 0, sizeof *out);
    int rc = open_view(&v);
    for (size_t i = 0; !rc && i < sizeof part / sizeof *part; i++)
        if (wish->needs & part[i].needs)
            rc = part[i].add(&v);
    free(v.label);
    free(v.ref);
    free(v.anchor_label);
    free(v.anchor_ref);
    return rc;
}
