#include "engine/probes_solver.h"

#include "agents/keymap.h"
#include "agents/negamax.h"
#include "agents/tree.h"

#include <math.h>

enum {
    TREE_LIMIT = 200000,   /* nodes; larger games are searched */
    TABLE_BYTES = 64 << 20 /* of the search */
};

struct agon__solver {
    const agon_rules* rules;
    int64_t limit;
    agon_tree* tree;       /* NULL: searched */
    agon_keymap positions; /* of the tree: seat and state */
    int* infoset;          /* (positions) one that is there */
    double* tree_value;    /* (infosets, actions) what seat 0 still gets */
    agon_negamax* negamax;
    float* value; /* (actions) of the search */
    char* key;    /* (8 + state_size) */
    uint64_t nodes;
};

static size_t position_key(agon__solver* s, const void* state, int seat) {
    memset(s->key, 0, 8);
    s->key[0] = (char)seat;
    memcpy(s->key + 8, state, s->rules->spec.state_size);
    return 8 + s->rules->spec.state_size;
}

/* A position that is met after different numbers of plies is several information sets of the tree,
 * with the same values: the first stands for all. */
static int number_positions(agon__solver* s, agon_error* error) {
    const int infosets = agon_tree_infosets(s->tree);
    s->infoset = (int*)malloc((size_t)infosets * sizeof *s->infoset + 1);
    for (int i = 0; s->infoset && i < infosets; i++) {
        int seat;
        size_t number;
        const void* state = agon_tree_infoset_state(s->tree, i, &seat);
        const int added =
            agon_keymap_add(&s->positions, s->key, position_key(s, state, seat), &number);
        if (added < 0)
            return agon_fail(error, added, "solving %s: out of memory", s->rules->name);
        if (added)
            s->infoset[number] = i;
    }
    return s->infoset ? 0
                      : agon_fail(error, AGON_EMEMORY, "solving %s: out of memory", s->rules->name);
}

/* AGON_ELIMIT: too large. */
static int open_tree(agon__solver* s, agon_error* error) {
    int code = agon_tree_open(s->rules, TREE_LIMIT, &s->tree, error);
    if (code != 0)
        return code;
    s->tree_value = (double*)malloc((size_t)agon_tree_infosets(s->tree) *
                                        (size_t)s->rules->spec.actions * sizeof *s->tree_value +
                                    1);
    if (!s->tree_value)
        return agon_fail(error, AGON_EMEMORY, "solving %s: out of memory", s->rules->name);
    code = agon_tree_action_values(s->tree, s->tree_value, error);
    return code == 0 ? number_positions(s, error) : code;
}

/* Before a tree is unrolled in vain. */
static int check_facts(const agon_rules* rules, agon_error* error) {
    const agon_spec* spec = &rules->spec;
    const char* obstacle = spec->information != AGON_PERFECT ? "hides something from its seats"
                           : spec->seats > 2                 ? "has more than two seats"
                           : spec->seats == 2 && spec->utility == AGON_GENERAL_SUM
                               ? "has returns of general sum"
                               : NULL;
    if (!obstacle)
        return 0;
    return agon_fail(error, AGON_EUNSUPPORTED, "%s %s: no exact value for its actions", rules->name,
                     obstacle);
}

static int open_search(agon__solver* s, agon_error* error) {
    agon_error why = {0};
    const int code = agon_negamax_open(s->rules, TABLE_BYTES, &s->negamax, &why);
    if (code != AGON_EUNSUPPORTED)
        return code == 0 ? 0 : agon_fail(error, code, "%s", why.text);
    return agon_fail(error, AGON_EUNSUPPORTED, "the tree of %s has more than %d nodes, and %s",
                     s->rules->name, TREE_LIMIT, why.text);
}

int agon__solver_open(const agon_rules* rules, int64_t limit, agon__solver** out,
                      agon_error* error) {
    int code = check_facts(rules, error);
    if (code != 0)
        return code;
    agon__solver* s = (agon__solver*)calloc(1, sizeof *s);
    if (!s)
        return agon_fail(error, AGON_EMEMORY, "solving %s: out of memory", rules->name);
    s->rules = rules;
    s->limit = limit;
    s->key = (char*)malloc(8 + rules->spec.state_size);
    s->value = (float*)malloc((size_t)rules->spec.actions * sizeof *s->value);
    code = s->key && s->value
               ? open_tree(s, error)
               : agon_fail(error, AGON_EMEMORY, "solving %s: out of memory", rules->name);
    if (code == AGON_ELIMIT)
        code = open_search(s, error);
    if (code == 0)
        *out = s;
    else
        agon__solver_close(s);
    return code;
}

void agon__solver_close(agon__solver* s) {
    if (!s)
        return;
    agon_keymap_free(&s->positions);
    agon_tree_close(s->tree);
    agon_negamax_close(s->negamax);
    free(s->tree_value);
    free(s->infoset);
    free(s->value);
    free(s->key);
    free(s);
}

bool agon__solver_unrolled(const agon__solver* s) {
    return s->tree != NULL;
}

uint64_t agon__solver_nodes(const agon__solver* s) {
    return s->nodes;
}

/* What the seat gets in all, where seat 0 gets `first` in all. */
static double whole_return(const agon_spec* spec, int seat, double first) {
    const double sum = spec->utility == AGON_CONSTANT_SUM ? (double)spec->utility_sum : 0;
    const double value = seat == 0 ? first : sum - first;
    return isnan(value) ? NAN : value + 0.0; /* one NaN, one zero: equal sets are equal bytes */
}

static int look_up(agon__solver* s, const void* state, int seat, double earned, double* worth,
                   agon_error* error) {
    size_t number;
    const size_t actions = (size_t)s->rules->spec.actions, known = s->positions.count;
    const int added = agon_keymap_add(&s->positions, s->key, position_key(s, state, seat), &number);
    if (added != 0)
        return added < 0 ? agon_fail(error, added, "solving %s: out of memory", s->rules->name)
                         : agon_fail(error, AGON_EUNSUPPORTED,
                                     "%s came to a position that its tree of %zu has not; run "
                                     "agon check",
                                     s->rules->name, known);
    for (size_t a = 0; a < actions; a++)
        worth[a] = whole_return(&s->rules->spec, seat,
                                earned + s->tree_value[(size_t)s->infoset[number] * actions + a]);
    return 1;
}

int agon__solver_worth(agon__solver* s, const void* state, int seat, const float* earned,
                       double* worth, agon_error* error) {
    float best;
    uint64_t nodes = 0;
    agon_error beyond;
    if (s->tree)
        return look_up(s, state, seat, (double)earned[0], worth, error);
    const int code = agon_negamax_solve(s->negamax, state, earned[0], (uint64_t)s->limit, &best,
                                        s->value, &nodes, &beyond);
    s->nodes += nodes;
    if (code == AGON_ELIMIT)
        return 0;
    if (code != 0)
        return agon_fail(error, code, "%s", beyond.text);
    for (int a = 0; a < s->rules->spec.actions; a++) {
        const double still = (double)s->value[a]; /* of the seat, or less what seat 0 gets */
        worth[a] =
            whole_return(&s->rules->spec, seat, (double)earned[0] + (seat == 0 ? still : -still));
    }
    return 1;
}
