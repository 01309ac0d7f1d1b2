/* tree_tabulate.c: policies as tables over an unrolled tree.
 *
 * A policy that remembers is asked in the order of play: first at the sets where a seat decides for
 * the first time, then at those where it does for the second time, and so on. */
#include "agents/tree_inside.h"

#include <assert.h>

enum { CHUNK = 256 }; /* information sets per question */

/* ---- what comes before ---------------------------------------------------------------------- */

enum { NOTHING = -1, UNMET = -2, SEVERAL = -3 }; /* in place of an information set */

/* The order in which sets are asked, and the set before each. */
typedef struct order {
    int32_t* before;  /* (sets) of the same seat on the way to it, or NOTHING */
    int32_t* sets;    /* (sets) by how many come before */
    uint32_t* place;  /* (sets) of each in `sets` */
    uint32_t* starts; /* (steps + 1) */
    int steps;
    uint32_t widest; /* sets of a step, at most */
} order;

static int no_memory(const agon_tree* t, agon_error* error) {
    return agon_fail(error, AGON_EMEMORY, "the table of a policy for %s: out of memory",
                     t->rules->name);
}

static int refuse(const agon_tree* t, int seat, agon_error* error) {
    return agon_fail(error, AGON_EUNSUPPORTED,
                     "%s: seat %d comes to one %s by several lines, and a policy with memory may "
                     "answer differently after each",
                     t->rules->name, seat,
                     t->rules->spec.information == AGON_PERFECT ? "position" : "information set");
}

/* Fills before[] of the seat's sets. last: scratch (nodes), the seat's last set before a node. */
static int sweep_before(const agon_tree* t, int seat, int32_t* last, int32_t* before,
                        agon_error* error) {
    for (size_t n = 0; n < t->node_count; n++)
        last[n] = UNMET;
    last[0] = NOTHING;
    for (size_t n = 0; n < t->node_count; n++) {
        const agon__node* node = &t->nodes[n];
        int32_t then = last[n];
        if (agon__node_decides(node) && node->seat == seat) {
            int32_t* at = &before[node->infoset];
            if (last[n] == SEVERAL || (*at != UNMET && *at != last[n]))
                return refuse(t, seat, error);
            *at = last[n];
            then = node->infoset;
        }
        for (uint32_t e = node->first; e < node->first + node->edges; e++) {
            int32_t* child = &last[t->edges[e].child];
            *child = *child == UNMET || *child == then ? then : SEVERAL;
        }
    }
    return 0;
}

static int find_before(const agon_tree* t, int32_t* before, agon_error* error) {
    int32_t* last = (int32_t*)malloc(t->node_count * sizeof *last);
    int code = 0;
    if (!last)
        return no_memory(t, error);
    for (size_t i = 0; i < t->set_count; i++)
        before[i] = UNMET;
    for (int seat = 0; code == 0 && seat < t->rules->spec.seats; seat++)
        code = sweep_before(t, seat, last, before, error);
    free(last);
    return code;
}

/* Counting sort of the sets by how many of their seat come before. Sets are numbered as they were
 * met, so the one before has a lower number. starts: (sets + 2) of 0. */
static void sort_by_step(order* o, size_t sets, uint32_t* step) {
    for (size_t i = 0; i < sets; i++) {
        assert(o->before[i] < (int32_t)i);
        step[i] = o->before[i] == NOTHING ? 0 : step[o->before[i]] + 1;
        o->starts[step[i] + 2]++;
        o->steps = (int)step[i] >= o->steps ? (int)step[i] + 1 : o->steps;
    }
    for (int k = 1; k <= o->steps; k++)
        o->starts[k + 1] += o->starts[k];
    for (size_t i = 0; i < sets; i++) {
        o->place[i] = o->starts[step[i] + 1]++;
        o->sets[o->place[i]] = (int32_t)i;
    }
    for (int k = 0; k < o->steps; k++)
        if (o->starts[k + 1] - o->starts[k] > o->widest)
            o->widest = o->starts[k + 1] - o->starts[k];
}

static void order_close(order* o) {
    free(o->before);
    free(o->sets);
    free(o->place);
    free(o->starts);
}

/* Closes what it failed to open. */
static int order_open(const agon_tree* t, order* o, agon_error* error) {
    const size_t sets = t->set_count;
    uint32_t* step = (uint32_t*)malloc((sets + 1) * sizeof *step);
    o->before = (int32_t*)malloc((sets + 1) * sizeof *o->before);
    o->sets = (int32_t*)malloc((sets + 1) * sizeof *o->sets);
    o->place = (uint32_t*)malloc((sets + 1) * sizeof *o->place);
    o->starts = (uint32_t*)calloc(sets + 3, sizeof *o->starts);
    int code = step && o->before && o->sets && o->place && o->starts
                   ? find_before(t, o->before, error)
                   : no_memory(t, error);
    if (code == 0)
        sort_by_step(o, sets, step);
    free(step);
    if (code != 0)
        order_close(o);
    return code;
}

/* ---- asking ------------------------------------------------------------------------------- */

typedef struct table {
    const agon_tree* tree;
    const agon_policy* policy;
    float temperature;
    double* probability; /* out (sets, actions) */
    float* memory[2];    /* (widest, policy->memory) after the sets of a step, and of the next by
                            turns; NULL without */
    /* the question */
    char* obs;       /* (CHUNK, obs_bytes) */
    uint64_t* mask;  /* (CHUNK, mask_words) */
    float* before;   /* (CHUNK, policy->memory) */
    float* answer;   /* (CHUNK, actions) */
    uint32_t* lane;  /* (CHUNK) information sets */
    uint32_t* ply;   /* (CHUNK) */
    uint32_t* zeros; /* (CHUNK) episodes */
    uint8_t* seat;   /* (CHUNK) */
} table;

static void table_close(table* t) {
    free(t->memory[0]);
    free(t->memory[1]);
    free(t->obs);
    free(t->mask);
    free(t->before);
    free(t->answer);
    free(t->lane);
    free(t->ply);
    free(t->zeros);
    free(t->seat);
}

static int table_open(table* t, agon_error* error) {
    const agon_rules* r = t->tree->rules;
    const size_t floats = (size_t)t->policy->memory, sets = t->tree->set_count;
    const size_t most = sets < CHUNK ? sets + 1 : CHUNK;
    t->obs = (char*)malloc(most * r->obs_bytes);
    t->mask = (uint64_t*)malloc(most * (size_t)r->mask_words * sizeof *t->mask);
    t->answer = (float*)malloc(most * (size_t)r->spec.actions * sizeof *t->answer);
    t->lane = (uint32_t*)malloc(most * sizeof *t->lane);
    t->ply = (uint32_t*)malloc(most * sizeof *t->ply);
    t->zeros = (uint32_t*)calloc(most, sizeof *t->zeros);
    t->seat = (uint8_t*)malloc(most);
    if (floats)
        t->before = (float*)malloc(most * floats * sizeof *t->before);
    if (!t->obs || !t->mask || !t->answer || !t->lane || !t->ply || !t->zeros || !t->seat ||
        (floats && !t->before))
        return no_memory(t->tree, error);
    return 0;
}

/* Row i of the question is set `set`. */
static void table_put(table* t, int i, int set) {
    const agon_tree* tree = t->tree;
    const agon_rules* r = tree->rules;
    char* obs = t->obs + (size_t)i * r->obs_bytes;
    const size_t words = (size_t)r->mask_words;
    t->lane[i] = (uint32_t)set;
    t->seat[i] = tree->sets[set].seat;
    t->ply[i] = (uint32_t)tree->sets[set].ply;
    memcpy(t->mask + (size_t)i * words, tree->masks + (size_t)set * words, words * sizeof *t->mask);
    memset(obs, 0, r->obs_bytes);
    r->game->observe(r->config, agon_tree_infoset_state(tree, set, NULL), tree->sets[set].seat,
                     obs);
}

static void table_ask(table* t, int count) {
    const agon_rules* r = t->tree->rules;
    const size_t actions = (size_t)r->spec.actions;
    const agon_batch batch = {
        .rules = r,
        .count = count,
        .obs = t->obs,
        .mask = t->mask,
        .states = t->tree->states,
        .lane = t->lane,
        .seat = t->seat,
        .key = agon_key_make(0, "", AGON_FOR_ACTION),
        .episode = t->zeros,
        .ply = t->ply,
        .memory = t->before,
        .temperature = t->temperature,
        .probability = t->answer,
    };
    t->policy->act(t->policy, &batch);
    for (int i = 0; i < count; i++) {
        double* out = t->probability + t->lane[i] * actions;
        for (size_t a = 0; a < actions; a++)
            out[a] = (double)t->answer[(size_t)i * actions + a];
    }
}

static void fill(table* t) {
    const int sets = (int)t->tree->set_count;
    for (int first = 0; first < sets; first += CHUNK) {
        const int count = sets - first < CHUNK ? sets - first : CHUNK;
        for (int i = 0; i < count; i++)
            table_put(t, i, first + i);
        table_ask(t, count);
    }
}

/* Sets first .. first + count - 1 of the order, of step k. */
static void remember_chunk(table* t, const order* o, int k, uint32_t first, int count) {
    const size_t floats = (size_t)t->policy->memory, bytes = floats * sizeof *t->before;
    const float* earlier = t->memory[~k & 1];
    float* now = t->memory[k & 1] + (first - o->starts[k]) * floats;
    for (int i = 0; i < count; i++) {
        const int32_t set = o->sets[first + (uint32_t)i], before = o->before[set];
        float* own = t->before + (size_t)i * floats;
        table_put(t, i, set);
        if (before == NOTHING)
            memset(own, 0, bytes);
        else
            memcpy(own, earlier + (o->place[before] - o->starts[k - 1]) * floats, bytes);
    }
    table_ask(t, count);
    memcpy(now, t->before, (size_t)count * bytes);
}

static int fill_in_order(table* t, agon_error* error) {
    order o = {0};
    int code = order_open(t->tree, &o, error);
    if (code != 0)
        return code;
    for (int i = 0; i < 2; i++)
        t->memory[i] = (float*)malloc(((size_t)o.widest + 1) * (size_t)t->policy->memory *
                                      sizeof *t->memory[i]);
    if (!t->memory[0] || !t->memory[1])
        code = no_memory(t->tree, error);
    for (int k = 0; code == 0 && k < o.steps; k++) {
        for (uint32_t first = o.starts[k]; first < o.starts[k + 1]; first += CHUNK) {
            const uint32_t left = o.starts[k + 1] - first;
            remember_chunk(t, &o, k, first, left < CHUNK ? (int)left : CHUNK);
        }
    }
    order_close(&o);
    return code;
}

int agon_tree_tabulate(const agon_tree* tree, const agon_policy* policy, float temperature,
                       double* probability, agon_error* error) {
    table t = {
        .tree = tree, .policy = policy, .temperature = temperature, .probability = probability};
    int code = table_open(&t, error);
    if (code == 0 && policy->memory)
        code = fill_in_order(&t, error);
    else if (code == 0)
        fill(&t);
    table_close(&t);
    return code;
}
