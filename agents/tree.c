/* tree.c: what an unrolled tree tells. Unrolling: tree_build.c; policies as tables:
 * tree_tabulate.c; values: tree_solve.c. */
#include "agents/tree_inside.h"

#include <assert.h>

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
