/* tree.c: what an unrolled tree tells, and policies as tables over it. Unrolling: tree_build.c;
 * values: tree_solve.c. */
#include "agents/tree_inside.h"

#include <assert.h>
#include <math.h>

void agon_tree_close(agon_tree* tree) {
    if (!tree)
        return;
    free(tree->nodes);
    free(tree->edges);
    free(tree->rewards);
    free(tree->sets);
    free(tree->states);
    free(tree->masks);
    free(tree);
}

size_t agon_tree_nodes(const agon_tree* tree) {
    return tree->node_count;
}

int agon_tree_infosets(const agon_tree* tree) {
    return (int)tree->set_count;
}

static const agon__infoset* infoset_at(const agon_tree* tree, int infoset) {
    assert(infoset >= 0 && (size_t)infoset < tree->set_count);
    return &tree->sets[infoset];
}

const void* agon_tree_infoset_state(const agon_tree* tree, int infoset, int* seat) {
    const agon__infoset* set = infoset_at(tree, infoset);
    if (seat)
        *seat = set->seat;
    return tree->states + (size_t)infoset * tree->rules->spec.state_size;
}

int agon_tree_infoset_ply(const agon_tree* tree, int infoset) {
    return infoset_at(tree, infoset)->ply;
}

const uint64_t* agon_tree_infoset_mask(const agon_tree* tree, int infoset) {
    (void)infoset_at(tree, infoset);
    return tree->masks + (size_t)infoset * (size_t)tree->rules->mask_words;
}

double agon_tree_infoset_reach(const agon_tree* tree, int infoset) {
    return infoset_at(tree, infoset)->reach;
}

/* ---- the line to an information set ------------------------------------------------------- */

/* Whether leaving this node ends a row of the line: a chance move, or the last choice of a ply. */
static bool ends_row(const agon__node* node) {
    return !agon__node_decides(node) || node->closes;
}

int agon_tree_infoset_line(const agon_tree* tree, int infoset, uint16_t* action, int rows) {
    const size_t seats = (size_t)tree->rules->spec.seats;
    const uint32_t target = infoset_at(tree, infoset)->node;
    int count = 0;
    for (uint32_t n = target; n != 0; n = tree->nodes[n].parent)
        count += ends_row(&tree->nodes[tree->nodes[n].parent]);
    if (count > rows)
        return count;
    if (count)
        memset(action, 0, (size_t)count * seats * sizeof *action);
    /* Backwards: choices of seats before the last of a ply belong to the row that it ends; those
     * of a ply that the representative is in the midst of belong to none. */
    int row = count;
    for (uint32_t n = target; n != 0; n = tree->nodes[n].parent) {
        const agon__node* from = &tree->nodes[tree->nodes[n].parent];
        row -= ends_row(from);
        if (row < count)
            action[(size_t)row * seats + (agon__node_decides(from) ? from->seat : 0)] =
                (uint16_t)tree->edges[tree->nodes[n].edge].action;
    }
    return count;
}

/* ---- policies as tables ------------------------------------------------------------------- */

enum { CHUNK = 256 }; /* information sets per question */

/* Observations of information sets first .. first + count - 1, and where their states lie. */
static void fill_chunk(const agon_tree* tree, int first, int count, char* obs, uint32_t* lane,
                       uint8_t* seat, uint32_t* ply) {
    const agon_rules* r = tree->rules;
    memset(obs, 0, (size_t)count * r->obs_bytes);
    for (int i = 0; i < count; i++) {
        const agon__infoset* set = &tree->sets[first + i];
        lane[i] = (uint32_t)(first + i);
        seat[i] = set->seat;
        ply[i] = (uint32_t)set->ply;
        r->game->observe(r->config, agon_tree_infoset_state(tree, first + i, NULL), set->seat,
                         obs + (size_t)i * r->obs_bytes);
    }
}

void agon_tree_tabulate(const agon_tree* tree, const agon_policy* policy, float temperature,
                        double* probability) {
    const agon_rules* r = tree->rules;
    const int sets = (int)tree->set_count, actions = r->spec.actions;
    uint32_t lane[CHUNK], ply[CHUNK];
    const uint32_t episode[CHUNK] = {0};
    uint8_t seat[CHUNK];
    const size_t most = (size_t)(sets < CHUNK ? sets : CHUNK);
    char* obs = (char*)malloc(most * r->obs_bytes + 1);
    float* chunk = (float*)malloc(most * (size_t)actions * sizeof *chunk + 1);
    for (size_t i = 0; !(obs && chunk) && i < (size_t)sets * (size_t)actions; i++)
        probability[i] = NAN;
    for (int first = 0; obs && chunk && first < sets; first += CHUNK) {
        const int count = sets - first < CHUNK ? sets - first : CHUNK;
        fill_chunk(tree, first, count, obs, lane, seat, ply);
        const agon_batch batch = {
            .rules = r,
            .count = count,
            .obs = obs,
            .mask = tree->masks + (size_t)first * (size_t)r->mask_words,
            .states = tree->states,
            .lane = lane,
            .seat = seat,
            .key = agon_key_make(0, "", AGON_FOR_ACTION),
            .episode = episode,
            .ply = ply,
            .temperature = temperature,
            .probability = chunk,
        };
        policy->act(policy, &batch);
        for (size_t i = 0; i < (size_t)count * (size_t)actions; i++)
            probability[(size_t)first * (size_t)actions + i] = (double)chunk[i];
    }
    free(obs);
    free(chunk);
}
