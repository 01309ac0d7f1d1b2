/* probes_balanced.c: set B: what agents of stored runs come to, as much from every run and phase.
 */
#include "engine/probes_make.h"
#include "engine/probes_pool.h"

#include "agents/backend_cpu.h"
#include "engine/evidence_run.h"
#include "engine/execute.h"
#include "engine/training.h"

#include <assert.h>

enum {
    GENERATIONS = 8, /* of a phase whose agents play, evenly spaced */
    AGENTS = 16      /* of each role, evenly spaced */
};

/* ---- the agents of a phase ---------------------------------------------------------------- */

typedef struct cast {
    const agon_training* run;
    agon_context context;
    int generations, agents, roles;
    agon_actor* actor; /* (generations, roles, agents) */
    agon_key players, actions;
    char* obs;       /* (obs_bytes) */
    int memory;      /* floats that the actor which keeps most of them remembers */
    float* memories; /* (seats, memory) in the game under way */
} cast;

static int load_blob(void* user, const char* hash, uint8_t** data, size_t* size,
                     agon_error* error) {
    return agon_store_blob_load((const agon_store*)user, hash, data, size, error);
}

/* The i-th of `count` picked evenly from `all`. */
static int evenly(int i, int count, int all) {
    return (int)((int64_t)i * all / count);
}

static int open_actors(cast* c, const agon_rules* rules, int first, int count, agon_error* error) {
    const int each = c->run->config.population.size;
    int code = 0;
    for (int g = 0; g < c->generations; g++) {
        for (int a = 0; code == 0 && a < c->roles * c->agents; a++) {
            const int role = a / c->agents;
            const int agent = role * each + evenly(a % c->agents, c->agents, each);
            const agon_train_result* trained = agon_record_train(
                c->run->population.record, first + evenly(g, c->generations, count), agent);
            code = !trained ? agon_record_failure(c->run->population.record, error)
                            : agon__actor_open(
                                  trained->snapshot, rules, &c->context, true,
                                  &c->actor[(size_t)g * (size_t)(c->roles * c->agents) + (size_t)a],
                                  error);
        }
    }
    return code;
}

static int open_memories(cast* c, const agon_rules* rules, agon_error* error) {
    for (int i = 0; i < c->generations * c->roles * c->agents; i++) {
        const int memory = c->actor[i].policy.memory;
        c->memory = memory > c->memory ? memory : c->memory;
    }
    c->memories =
        (float*)calloc((size_t)rules->spec.seats * (size_t)c->memory + 1, sizeof *c->memories);
    return c->memories ? 0 : agon_fail(error, AGON_EMEMORY, "no memory for what agents remember");
}

/* Generations first .. first + count - 1. `name` tells the phase from every other. */
static int cast_open(cast* c, const agon_rules* rules, const agon_training* run, int first,
                     int count, const char* name, uint64_t seed, agon_error* error) {
    const int size = run->config.population.size;
    *c = (cast){.run = run,
                .context = {.backend = agon_cpu_backend(), .load = load_blob, .user = run->store},
                .generations = count < GENERATIONS ? count : GENERATIONS,
                .agents = size < AGENTS ? size : AGENTS,
                .roles = agon_population_roles(&run->population),
                .players = agon_key_make(seed, name, AGON_FOR_LEAGUE),
                .actions = agon_key_make(seed, name, AGON_FOR_ACTION)};
    c->obs = (char*)calloc(1, rules->obs_bytes + 1);
    c->actor = (agon_actor*)calloc((size_t)c->generations * (size_t)(c->roles * c->agents),
                                   sizeof *c->actor);
    if (!c->obs || !c->actor)
        return agon_fail(error, AGON_EMEMORY, "no memory for the agents of %s",
                         agon_store_dir(run->store));
    const int code = open_actors(c, rules, first, count, error);
    return code ? code : open_memories(c, rules, error);
}

static void cast_close(cast* c) {
    for (int i = 0; c->actor && i < c->generations * c->roles * c->agents; i++)
        agon__actor_close(&c->actor[i]);
    agon_context_clear(&c->context);
    free(c->actor);
    free(c->obs);
    free(c->memories);
}

/* Who holds a seat in a game: drawn anew for each. */
static const agon_policy* player(const cast* c, const agon_rules* rules, uint32_t game, int seat) {
    const agon_draw draw = agon_random(c->players, game, 0, (uint32_t)seat, 0);
    const int g = (int)agon_below(draw.word[0], (uint32_t)c->generations);
    const int a = (int)agon_below(draw.word[1], (uint32_t)c->agents);
    const int role = c->roles > 1 ? rules->spec.role[seat] : 0;
    return &c->actor[(g * c->roles + role) * c->agents + a].policy;
}

static uint16_t decide(cast* c, agon__pool* p, const agon__line* line, int seat) {
    const agon_rules* rules = p->rules;
    const uint32_t lane = 0, ply = (uint32_t)line->ply;
    const uint8_t holder = (uint8_t)seat;
    uint16_t action = 0;
    const agon_policy* policy = player(c, rules, line->game, seat);
    memset(c->obs, 0, rules->obs_bytes);
    rules->game->observe(rules->config, p->state, seat, c->obs);
    const agon_batch batch = {
        .rules = rules,
        .count = 1,
        .obs = c->obs,
        .mask = p->mask,
        .states = p->state,
        .lane = &lane,
        .seat = &holder,
        .key = c->actions,
        .episode = &line->game,
        .ply = &ply,
        .memory = policy->memory ? c->memories + (size_t)seat * (size_t)c->memory : NULL,
        .temperature = 1,
        .action = &action,
    };
    policy->act(policy, &batch);
    return action;
}

static int choose(void* user, agon__pool* p, const agon__line* line, uint64_t acting) {
    cast* c = (cast*)user;
    if (line->ply == 0)
        memset(c->memories, 0, (size_t)p->rules->spec.seats * (size_t)c->memory * sizeof(float));
    for (; acting; acting &= acting - 1) {
        const int seat = __builtin_ctzll(acting);
        const int count = agon__pool_legal(p, p->state, seat);
        const agon__candidate question = agon__line_candidate(line, seat);
        const int code = count < 2 ? 0 : agon__pool_consider(p, p->state, &question, NULL);
        if (code < 0)
            return code;
        p->action[seat] = decide(c, p, line, seat);
    }
    return 0;
}

/* ---- the states of a run ------------------------------------------------------------------ */

typedef struct balancing {
    const agon_rules* rules;
    uint64_t fingerprint, seed;
    int runs, quota;
    agon__pool* pools; /* (runs, AGON_PROBE_PHASES) */
    uint8_t* origin;   /* (runs, AGON_PROBE_ORIGIN) */
    const char* const* run;
    const agon_probe_view* view;
    agon_error* error;
} balancing;

static int check_run(const balancing* b, const agon_training* t) {
    const char* dir = agon_store_dir(t->store);
    if (strcmp(t->rules->name, b->rules->name) != 0)
        return agon_fail(b->error, AGON_EINVALID, "run %s is of %s, expected a run of %s", dir,
                         t->rules->name, b->rules->name);
    if (t->population.fingerprint != b->fingerprint)
        return agon_fail(b->error, AGON_EINVALID,
                         "run %s was made with other rules of %s than these", dir, b->rules->name);
    const int generations = agon_run_trained(t) + 1;
    if (generations >= AGON_PROBE_PHASES)
        return 0;
    agon_fail(
        b->error, AGON_EMISSING,
        "run %s has %d trained generations, counting the first nets; expected %d or more, for "
        "early, middle and late ones",
        dir, generations, AGON_PROBE_PHASES);
    return agon_hint(b->error, "agon train --resume %.150s", dir);
}

/* The run's name among others: what its result is a function of. */
static int read_origin(const balancing* b, const agon_training* t, uint8_t* out) {
    const char* hash = agon_store_meta(t->store, "config_hash");
    unsigned byte;
    for (int i = 0; i < AGON_PROBE_ORIGIN; i++) {
        if (!hash || strlen(hash) != 2 * AGON_PROBE_ORIGIN ||
            sscanf(hash + 2 * i, "%2x", &byte) != 1)
            return agon_fail(b->error, AGON_EFORMAT,
                             "run %s: config_hash is '%.80s', expected 64 "
                             "hex digits",
                             agon_store_dir(t->store), hash ? hash : "missing");
        out[i] = (uint8_t)byte;
    }
    return 0;
}

static int collect_phase(const balancing* b, const agon_training* t, int phase, agon__pool* p) {
    const int all = agon_run_trained(t) + 1;
    const int first = evenly(phase, AGON_PROBE_PHASES, all);
    const int count = evenly(phase + 1, AGON_PROBE_PHASES, all) - first;
    const size_t games = p->wanted * AGON__GAMES_PER_STATE;
    const size_t candidates = p->wanted * AGON__CANDIDATES_PER_STATE;
    char name[128];
    cast c;
    snprintf(name, sizeof name, "probes/pool/%.64s/%d", agon_store_meta(t->store, "config_hash"),
             phase);
    int code = cast_open(&c, b->rules, t, first, count, name, b->seed, b->error);
    const agon_key key = agon_key_make(b->seed, name, AGON_FOR_PROBE);
    for (size_t g = 0; code == 0 && g < games && p->count < candidates; g++)
        code = agon__pool_play(p, key, (uint32_t)g, choose, &c);
    cast_close(&c);
    return code;
}

static void tell(const balancing* b, int phases) {
    if (b->view && b->view->progress)
        b->view->progress(b->view->user, "B: playing",
                          (double)phases / (double)(b->runs * AGON_PROBE_PHASES));
}

static int collect_run(const balancing* b, int run) {
    agon_training* t = NULL;
    int code = agon_training_read(b->run[run], &t, b->error);
    if (code == 0)
        code = check_run(b, t);
    if (code == 0)
        code = read_origin(b, t, b->origin + (size_t)run * AGON_PROBE_ORIGIN);
    for (int phase = 0; code == 0 && phase < AGON_PROBE_PHASES; phase++) {
        agon__pool* p = &b->pools[run * AGON_PROBE_PHASES + phase];
        *p = (agon__pool){.rules = b->rules, .wanted = (size_t)b->quota, .error = b->error};
        code = agon__pool_open(p);
        if (code == 0)
            code = collect_phase(b, t, phase, p);
        tell(b, run * AGON_PROBE_PHASES + phase + 1);
    }
    agon_training_close(t);
    return code;
}

/* By their names, so that the order in which they were given does not matter. */
static int sort_runs(balancing* b) {
    const size_t phases = AGON_PROBE_PHASES * sizeof *b->pools;
    for (int i = 1; i < b->runs; i++) {
        for (int j = i; j > 0; j--) {
            uint8_t *low = b->origin + (size_t)(j - 1) * AGON_PROBE_ORIGIN,
                    *high = low + AGON_PROBE_ORIGIN, name[AGON_PROBE_ORIGIN];
            agon__pool pools[AGON_PROBE_PHASES];
            const int order = memcmp(low, high, AGON_PROBE_ORIGIN);
            if (order == 0)
                return agon_fail(b->error, AGON_EINVALID,
                                 "%s is a run with the same settings and seed as one before it: "
                                 "its states would count twice",
                                 b->run[i]);
            if (order < 0)
                break;
            memcpy(name, low, sizeof name);
            memcpy(low, high, sizeof name);
            memcpy(high, name, sizeof name);
            memcpy(pools, b->pools + (size_t)(j - 1) * AGON_PROBE_PHASES, phases);
            memcpy(b->pools + (size_t)(j - 1) * AGON_PROBE_PHASES,
                   b->pools + (size_t)j * AGON_PROBE_PHASES, phases);
            memcpy(b->pools + (size_t)j * AGON_PROBE_PHASES, pools, phases);
        }
    }
    return 0;
}

/* ---- as many of each ---------------------------------------------------------------------- */

/* One source's candidates, bucket by bucket in random order. */
typedef struct deck {
    uint32_t* order; /* (candidates) numbers, all of bucket 0, then of 1, ... */
    size_t next[AGON_PROBE_BUCKETS], end[AGON_PROBE_BUCKETS];
    int turn; /* bucket that gives the next state */
} deck;

static int deck_open(deck* d, const agon__pool* p, const agon__buckets* b, int source,
                     uint64_t seed) {
    const agon_key key = agon_key_make(seed, "probes/choice", AGON_FOR_PROBE);
    uint32_t* shuffled = (uint32_t*)malloc((p->count + 1) * sizeof *shuffled);
    uint32_t* member = (uint32_t*)malloc((p->count + 1) * sizeof *member);
    size_t at = 0;
    d->turn = source % b->count;
    d->order = (uint32_t*)malloc((p->count + 1) * sizeof *d->order);
    const bool room = shuffled && member && d->order;
    for (int k = 0; room && k < b->count; k++) {
        uint32_t size = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (agon__bucket_of(b, p->items[i].ply) == k)
                member[size++] = (uint32_t)i;
        }
        agon_shuffle(key, (uint32_t)(source * AGON_PROBE_BUCKETS + k), shuffled, size);
        d->next[k] = at;
        for (uint32_t i = 0; i < size; i++)
            d->order[at++] = member[shuffled[i]];
        d->end[k] = at;
    }
    free(shuffled);
    free(member);
    return room ? 0 : agon__pool_out_of_memory(p);
}

/* The next candidate that no source has given yet: its number, -1: there is none, or a code below.
 */
static int64_t deal(deck* d, const agon__pool* p, int buckets, agon_keymap* given) {
    for (int tried = 0; tried < buckets;) {
        const int k = d->turn;
        if (d->next[k] == d->end[k]) {
            d->turn = (k + 1) % buckets;
            tried++;
            continue;
        }
        const uint32_t i = d->order[d->next[k]++];
        const agon_keymap_entry* key = &p->seen.entries[i];
        size_t number;
        const int added = agon_keymap_add(given, p->seen.bytes + key->offset, key->size, &number);
        if (added < 0)
            return agon__pool_out_of_memory(p) - 1;
        if (added == 0)
            continue;
        d->turn = (k + 1) % buckets;
        return (int64_t)i;
    }
    return -1;
}

/* Rounds in which every source gives one state; the last one that not all can join is undone. */
static int deal_rounds(const balancing* b, agon__buckets* buckets, deck* decks, int64_t* dealt) {
    const int sources = b->runs * AGON_PROBE_PHASES;
    agon_keymap given = {0};
    int code = 0;
    bool all = true;
    for (int round = 0; code == 0 && all && round < b->quota; round++) {
        for (int i = 0; code == 0 && all && i < sources; i++) {
            const int s = (i + round) % sources;
            dealt[s] = deal(&decks[s], &b->pools[s], buckets->count, &given);
            code = dealt[s] < -1 ? AGON_EMEMORY : 0;
            all = dealt[s] >= 0;
        }
        for (int s = 0; code == 0 && all && s < sources; s++) {
            agon__candidate* c = &b->pools[s].items[dealt[s]];
            c->taken = 1;
            buckets->take[agon__bucket_of(buckets, c->ply)]++;
        }
    }
    agon_keymap_free(&given);
    return code;
}

static int choose_states(const balancing* b, agon__buckets* buckets) {
    const int sources = b->runs * AGON_PROBE_PHASES;
    deck* decks = (deck*)calloc((size_t)sources, sizeof *decks);
    int64_t* dealt = (int64_t*)calloc((size_t)sources, sizeof *dealt);
    size_t candidates = 0, taken = 0;
    int code = decks && dealt ? 0 : agon__pool_out_of_memory(b->pools);
    for (int s = 0; s < sources; s++)
        candidates += b->pools[s].count;
    if (code == 0 && candidates > 0) {
        agon__buckets_span(buckets, b->pools, sources);
        for (int s = 0; code == 0 && s < sources; s++)
            code = deck_open(&decks[s], &b->pools[s], buckets, s, b->seed);
        if (code == 0)
            code = deal_rounds(b, buckets, decks, dealt);
        for (int k = 0; k < buckets->count; k++)
            taken += buckets->take[k];
    }
    if (code == 0 && taken == 0)
        code = agon_fail(b->error, AGON_EUNSUPPORTED,
                         "%s: its runs do not give one state each that no other gives; its games "
                         "have too few states for a balanced pool",
                         b->rules->name);
    for (int s = 0; decks && s < sources; s++)
        free(decks[s].order);
    free(decks);
    free(dealt);
    return code;
}

/* ---- the set ------------------------------------------------------------------------------ */

static int set_make(balancing* b, agon_probes* out) {
    agon__buckets buckets = {0};
    int code = sort_runs(b);
    if (code == 0)
        code = choose_states(b, &buckets);
    if (code == 0)
        code = agon__pools_set(b->pools, b->runs * AGON_PROBE_PHASES, &buckets, out, NULL);
    if (code != 0)
        return code;
    out->runs = b->runs;
    out->origin = b->origin;
    b->origin = NULL;
    return 0;
}

static int check_numbers(const agon_rules* rules, int states, int runs, agon_error* error) {
    if (runs >= 1 && states / AGON_PROBE_PHASES / runs >= 1)
        return 0;
    return agon_fail(error, AGON_EINVALID,
                     "%d states of %s from %d runs in %d phases: expected at least one run, and a "
                     "state for every phase of each",
                     states, rules->name, runs, AGON_PROBE_PHASES);
}

int agon_probes_make_balanced(const agon_rules* rules, int states, uint64_t seed, int runs,
                              const char* const* run, const agon_probe_view* view, agon_probes* out,
                              agon_error* error) {
    agon_probes made = {.set = AGON_PROBES_B};
    int code = check_numbers(rules, states, runs, error);
    if (code != 0)
        return code;
    balancing b = {.rules = rules,
                   .fingerprint = agon_rules_fingerprint(rules),
                   .seed = seed,
                   .runs = runs,
                   .quota = states / AGON_PROBE_PHASES / runs,
                   .run = run,
                   .view = view,
                   .error = error};
    b.pools = (agon__pool*)calloc((size_t)runs * AGON_PROBE_PHASES, sizeof *b.pools);
    b.origin = (uint8_t*)calloc((size_t)runs, AGON_PROBE_ORIGIN);
    if (!b.pools || !b.origin)
        code = agon_fail(error, AGON_EMEMORY, "no memory for %d runs", runs);
    for (int i = 0; code == 0 && i < runs; i++)
        code = collect_run(&b, i);
    if (code == 0)
        code = set_make(&b, &made);
    for (int i = 0; b.pools && i < runs * AGON_PROBE_PHASES; i++)
        agon__pool_close(&b.pools[i]);
    free(b.pools);
    free(b.origin);
    if (code == 0)
        *out = made;
    else
        agon_probes_close(&made);
    return code;
}
