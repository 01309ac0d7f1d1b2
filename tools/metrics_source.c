/* metrics_source.c: runs, agents and files as evidence. */
#include "tools/metrics_source.h"

#include "agents/backend_cpu.h"
#include "engine/evidence_run.h"
#include "engine/files.h"
#include "tools/agent.h"
#include "tools/game_word.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATES 512 /* of a probe set that is made on the spot */

/* ---- views ---------------------------------------------------------------------------------- */

agon_population_view* agon_populations_add(agon_populations* p) {
    agon_population_view* more = realloc(p->view, ((size_t)p->count + 1) * sizeof *more);
    if (!more)
        return NULL;
    p->view = more;
    memset(&more[p->count], 0, sizeof *more);
    more[p->count].baseline = -1;
    return &more[p->count++];
}

void agon_populations_close(agon_populations* p) {
    for (int i = 0; i < p->count; i++)
        agon_evidence_clear(&p->view[i].evidence);
    free(p->view);
    *p = (agon_populations){NULL, 0};
}

static int no_memory(agon_error* error) {
    return agon_fail(error, AGON_EMEMORY, "no memory for the populations");
}

static bool is_run(const char* word) {
    char path[1200];
    struct stat s;
    snprintf(path, sizeof path, "%s/run.db", word);
    return stat(path, &s) == 0;
}

/* ---- probe sets ----------------------------------------------------------------------------- */

typedef struct asked {
    agon_probe_sets sets;
    char hash[AGON_HASH_SIZE];
    int count, order[AGON_PROBE_SETS]; /* which are asked, the primary one first: B, U, X */
} asked;

static int choose_sets(const agon_metrics_source* s, asked* a, agon_error* error) {
    static const int order[] = {AGON_PROBES_B, AGON_PROBES_U, AGON_PROBES_X};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const char* name = agon_probe_set_name((agon_probe_set)order[i]);
        if (a->sets.set[order[i]].states > 0 && (!s->set || strcmp(s->set, name) == 0))
            a->order[a->count++] = order[i];
    }
    if (a->count == 0)
        return agon_fail(error, AGON_EMISSING, "%s has no set %s", s->probes, s->set);
    return AGON_OK;
}

static int read_probes(const agon_metrics_source* s, const agon_rules* rules, asked* a,
                       agon_error* error) {
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(s->probes, (size_t)1 << 30, &data, &size, error);
    if (rc)
        return rc;
    rc = agon_probe_sets_decode(data, size, rules, &a->sets, error);
    if (!rc)
        agon_sha256(data, size, a->hash);
    free(data);
    return rc ? rc : choose_sets(s, a, error);
}

/* ---- runs ----------------------------------------------------------------------------------- */

typedef struct opened {
    const agon_metrics_source* source;
    agon_populations* out;
    agon_rules* variant; /* --game with a run; owned */
    agon_agents held_out;
    char (*anchor_label)[AGON_LABEL];
    char (*anchor_ref)[AGON_REF_SIZE];
    agon_error* error;
} opened;

static int name_held_out(opened* o, const agon_rules* rules) {
    const char* words = o->source->held_out;
    int rc = words ? agon_agents_add_words(&o->held_out, words, rules, o->error) : AGON_OK;
    const int n = o->held_out.count;
    if (rc || n == 0)
        return rc;
    o->anchor_label = calloc((size_t)n, sizeof *o->anchor_label);
    o->anchor_ref = calloc((size_t)n, sizeof *o->anchor_ref);
    if (!o->anchor_label || !o->anchor_ref)
        return no_memory(o->error);
    for (int k = 0; k < n; k++) {
        snprintf(o->anchor_label[k], AGON_LABEL, "%.63s", o->held_out.agent[k].name);
        snprintf(o->anchor_ref[k], AGON_REF_SIZE, "%s", o->held_out.agent[k].ref);
    }
    return AGON_OK;
}

static void close_opened(opened* o) {
    agon_agents_close(&o->held_out);
    agon_rules_close(o->variant);
    free(o->anchor_label);
    free(o->anchor_ref);
}

static agon_run_wish wish_of(const opened* o, unsigned needs) {
    const agon_metrics_source* s = o->source;
    return (agon_run_wish){.needs = needs,
                           .generation = s->at_number,
                           .role = s->role_number,
                           .rules = o->variant,
                           .games = s->games_number,
                           .threads = s->threads_number,
                           .anchors = o->held_out.count,
                           .anchor_label = (const char(*)[AGON_LABEL])o->anchor_label,
                           .anchor_ref = (const char(*)[AGON_REF_SIZE])o->anchor_ref,
                           .load = agon_agents_load,
                           .load_user = (void*)&o->held_out,
                           .progress = s->progress,
                           .user = s->progress_user};
}

/* The first set with all that is needed, further ones with answers alone. */
static unsigned needs_of(const agon_metrics_source* s, int set) {
    const unsigned answers =
        AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES | AGON_NEEDS_COUNTS;
    return set == 0 ? s->needs : s->needs & answers;
}

static int add_hidden(opened* o, const agon_training* run, const agon_run_wish* wish, int view) {
    agon_population_view* v = agon_populations_add(o->out);
    if (!v)
        return no_memory(o->error);
    v->hidden = true;
    o->out->view[view].baseline = o->out->count - 1;
    return agon_evidence_run(run, wish, &v->evidence, o->error);
}

/* Of a variant: the same agents in their own game, against the same opponents. */
static int add_own_game(opened* o, const agon_training* run, const agon_run_wish* like, int view) {
    agon_run_wish wish = *like;
    wish.needs = AGON_NEEDS_ANCHORS;
    wish.rules = NULL;
    wish.probes = NULL; /* made for the variant */
    return add_hidden(o, run, &wish, view);
}

/* --baseline: asked what the population is asked. */
static int add_baseline(opened* o, const agon_training* run, const agon_run_wish* like, int view) {
    agon_training* t = NULL;
    agon_run_wish wish = *like;
    wish.generation = -1;
    wish.rules = NULL;
    if (!wish.probes && !o->variant) {
        wish.probes = &run->probes;
        snprintf(wish.probes_hash, sizeof wish.probes_hash, "%s", run->population.probes);
    }
    int rc = agon_training_read(o->source->baseline, &t, o->error);
    const char* game = o->variant ? o->variant->name : run->rules->name;
    if (!rc && strcmp(t->rules->name, game) != 0)
        rc = agon_fail(o->error, AGON_EINVALID,
                       "the baseline %s plays %s, the population %s; expected one game",
                       o->source->baseline, t->rules->name, game);
    if (!rc)
        rc = add_hidden(o, t, &wish, view);
    agon_training_close(t);
    return rc;
}

static int add_view(opened* o, const agon_training* run, const agon_run_wish* wish, bool later) {
    const int at = o->out->count;
    agon_population_view* v = agon_populations_add(o->out);
    if (!v)
        return no_memory(o->error);
    v->later = later;
    const int rc = agon_evidence_run(run, wish, &v->evidence, o->error);
    if (rc || !(o->source->baseline || o->variant))
        return rc;
    return o->source->baseline ? add_baseline(o, run, wish, at) : add_own_game(o, run, wish, at);
}

static int add_sets(opened* o, const agon_training* run) {
    const agon_metrics_source* s = o->source;
    asked a = {.count = 0};
    int rc = read_probes(s, o->variant ? o->variant : run->rules, &a, o->error);
    for (int i = 0; !rc && i < a.count; i++) {
        agon_run_wish wish = wish_of(o, needs_of(s, i));
        wish.probes = &a.sets.set[a.order[i]];
        snprintf(wish.probes_hash, sizeof wish.probes_hash, "%s", a.hash);
        rc = add_view(o, run, &wish, i > 0);
    }
    agon_probe_sets_close(&a.sets);
    return rc;
}

static int add_run(opened* o, const char* dir) {
    agon_training* run = NULL;
    int rc = agon_training_read(dir, &run, o->error);
    if (rc)
        return rc;
    if (o->source->game)
        rc = agon_game_open(o->source->game, &o->variant, o->error);
    if (!rc)
        rc = name_held_out(o, o->variant ? o->variant : run->rules);
    if (!rc && o->source->probes)
        rc = add_sets(o, run);
    else if (!rc) {
        const agon_run_wish wish = wish_of(o, o->source->needs);
        rc = add_view(o, run, &wish, false);
    }
    agon_training_close(run);
    return rc;
}

/* ---- agents --------------------------------------------------------------------------------- */

/* The game that the agents play: --game, or that of the first run that a word names. */
static int find_game(const agon_metrics_source* s, char* out, size_t size, agon_error* error) {
    if (s->game) {
        snprintf(out, size, "%s", s->game);
        return AGON_OK;
    }
    for (int i = 0; i < s->words; i++) {
        char dir[512];
        const char* colon = strrchr(s->word[i], ':');
        snprintf(dir, sizeof dir, "%.*s", colon ? (int)(colon - s->word[i]) : 0, s->word[i]);
        agon_training* t = NULL;
        if (!colon || !is_run(dir) || agon_training_read(dir, &t, NULL) != AGON_OK)
            continue;
        snprintf(out, size, "%s", t->rules->name);
        agon_training_close(t);
        return AGON_OK;
    }
    struct stat file;
    if (stat(s->word[0], &file) == 0 && S_ISDIR(file.st_mode)) {
        agon_fail(error, AGON_EMISSING, "%s holds no run: it has no run.db", s->word[0]);
        return agon_hint(error, "agon train makes one: agon train GAME run.dir=%.80s", s->word[0]);
    }
    if (strchr(s->word[0], '/') && stat(s->word[0], &file) != 0)
        return agon_fail(error, AGON_EMISSING, "there is no run %s, and no file of that name",
                         s->word[0]);
    agon_fail(error, AGON_EUSAGE, "'%s' is no run, and no word says which game its agents play",
              s->word[0]);
    return agon_hint(error, "name it: --game connect_four");
}

/* The snapshots of agents and of held-out opponents. */
typedef struct both {
    agon_agents *agents, *held_out;
} both;

static int load_both(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    const both* b = user;
    if (agon_agents_load(b->agents, hash, data, size, NULL) == AGON_OK)
        return AGON_OK;
    return agon_agents_load(b->held_out, hash, data, size, error);
}

typedef struct crowd {
    opened* o;
    agon_agents agents;
    agon_gather gather;
    char (*label)[AGON_LABEL];
    char (*ref)[AGON_REF_SIZE];
    int* member;
} crowd;

/* Of a long name the end tells more: "...connect_four-seed1:60/3". */
static void label_of(const char* name, char out[AGON_LABEL]) {
    const size_t length = strlen(name);
    const size_t cut = length < AGON_LABEL ? 0 : length - (AGON_LABEL - 1);
    memcpy(out, name + cut, length - cut + 1);
}

static int open_crowd(crowd* c, const agon_rules* rules) {
    const agon_metrics_source* s = c->o->source;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < s->words; i++)
        rc = agon_agents_add(&c->agents, s->word[i], rules, c->o->error);
    if (rc)
        return rc;
    const size_t n = (size_t)c->agents.count;
    c->label = calloc(n, sizeof *c->label);
    c->ref = calloc(n, sizeof *c->ref);
    c->member = malloc(n * sizeof *c->member);
    if (!c->label || !c->ref || !c->member)
        return no_memory(c->o->error);
    for (size_t i = 0; i < n; i++) {
        label_of(c->agents.agent[i].name, c->label[i]);
        snprintf(c->ref[i], AGON_REF_SIZE, "%s", c->agents.agent[i].ref);
        c->member[i] = (int)i;
    }
    c->gather = (agon_gather){.rules = rules,
                              .backend = agon_cpu_backend(),
                              .seed = s->seed,
                              .threads = s->threads_number,
                              .load = load_both,
                              .agents = (int)n,
                              .label = (const char(*)[AGON_LABEL])c->label,
                              .ref = (const char(*)[AGON_REF_SIZE])c->ref,
                              .games = s->games_number ? s->games_number : 64,
                              .opening = 2,
                              .progress = s->progress,
                              .user = s->progress_user};
    return AGON_OK;
}

static int gather_set(crowd* c, const agon_probes* probes, const char* hash, unsigned needs,
                      agon_evidence* e) {
    const unsigned answers = AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES;
    agon_error* error = c->o->error;
    int rc = agon_gather_agents(&c->gather, e, error);
    snprintf(e->origin, sizeof e->origin, "%d agents of %s", c->agents.count,
             c->gather.rules->name);
    if (!rc && needs & answers)
        rc = agon_gather_answers(&c->gather, probes, hash, 0, NULL, needs & AGON_NEEDS_IMAGES, e,
                                 error);
    if (!rc && needs & AGON_NEEDS_INSIDES)
        rc = agon_gather_insides(&c->gather, probes, e, error);
    return rc;
}

static int gather_games(crowd* c, agon_evidence* e) {
    static const char random[1][AGON_REF_SIZE] = {"random"};
    const unsigned needs = c->o->source->needs;
    const int anchors = c->o->held_out.count;
    const bool greedy = c->gather.rules->spec.information == AGON_PERFECT;
    agon_error* error = c->o->error;
    int rc = AGON_OK;
    if (needs & (AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC | AGON_NEEDS_WINS))
        rc = agon_gather_payoffs(&c->gather, c->member, c->agents.count, e, error);
    if (!rc && anchors && needs & AGON_NEEDS_ANCHORS)
        rc = agon_gather_anchors(&c->gather, anchors, (const char(*)[AGON_LABEL])c->o->anchor_label,
                                 (const char(*)[AGON_REF_SIZE])c->o->anchor_ref, greedy, e, error);
    if (!anchors)
        snprintf(e->why.anchors, sizeof e->why.anchors,
                 "no fixed opponents were named: --held-out 'random one_ply'");
    snprintf(e->why.history, sizeof e->why.history, "agents have no history; a run has");
    if (!rc && needs & AGON_NEEDS_TABLES)
        rc = agon_gather_tables(&c->gather, e, error);
    if (!rc && needs & AGON_NEEDS_VISITS)
        rc = agon_gather_visits(&c->gather, anchors ? anchors : 1,
                                anchors ? (const char(*)[AGON_REF_SIZE])c->o->anchor_ref : random,
                                8, e, error);
    return rc;
}

static int gather_crowd(crowd* c) {
    const agon_metrics_source* s = c->o->source;
    agon_error* error = c->o->error;
    asked a = {.count = 1};
    both load = {&c->agents, &c->o->held_out};
    c->gather.load_user = &load;
    int rc = s->probes ? read_probes(s, c->gather.rules, &a, error)
                       : agon_probes_make(c->gather.rules, STATES, s->seed, &a.sets.set[0], error);
    for (int i = 0; !rc && i < (s->probes ? a.count : 1); i++) {
        agon_population_view* v = agon_populations_add(c->o->out);
        if (!v)
            rc = no_memory(error);
        if (!rc)
            rc = gather_set(c, &a.sets.set[a.order[i]], a.hash, needs_of(s, i), &v->evidence);
        if (!rc && i == 0)
            rc = gather_games(c, &v->evidence);
        if (!rc)
            v->later = i > 0;
    }
    agon_probe_sets_close(&a.sets);
    return rc;
}

static int add_crowd(opened* o) {
    char game[256];
    crowd c = {.o = o};
    agon_rules* rules = NULL;
    int rc = find_game(o->source, game, sizeof game, o->error);
    if (!rc)
        rc = agon_game_open(game, &rules, o->error);
    if (!rc)
        rc = name_held_out(o, rules);
    if (!rc)
        rc = open_crowd(&c, rules);
    if (!rc)
        rc = gather_crowd(&c);
    free(c.label);
    free(c.ref);
    free(c.member);
    agon_agents_close(&c.agents);
    agon_agents_close(&o->held_out);
    agon_rules_close(rules);
    return rc;
}

/* ---- whatever was named --------------------------------------------------------------------- */

static int add_words(const agon_metrics_source* s, agon_populations* out, agon_error* error) {
    int runs = 0, rc = AGON_OK;
    for (int i = 0; i < s->words; i++)
        runs += is_run(s->word[i]);
    if (runs > 0 && runs < s->words) {
        agon_fail(error, AGON_EUSAGE, "runs and agents: '%s' is a run, not all words are",
                  s->word[0]);
        return agon_hint(error, "RUN:all names the agents of a run");
    }
    const char* stray = s->baseline ? "--baseline" : s->at ? "--at" : s->role ? "--role" : NULL;
    if (runs == 0 && stray)
        return agon_fail(error, AGON_EUSAGE, "%s goes with a run, and '%s' is none", stray,
                         s->word[0]);
    for (int i = 0; !rc && i < (runs ? runs : 1); i++) {
        opened o = {.source = s, .out = out, .error = error};
        rc = runs ? add_run(&o, s->word[i]) : add_crowd(&o);
        close_opened(&o);
    }
    return rc;
}

int agon_metrics_source_open(const agon_metrics_source* s, agon_populations* out,
                             agon_error* error) {
    if (s->words > 0)
        return add_words(s, out, error);
    agon_population_view* v = agon_populations_add(out);
    return v ? agon_metrics_files_open(s, &v->evidence, error) : no_memory(error);
}
