/* dump_tree GAME: the tree of a game of two seats, for solvers in other languages. A sequence is a
 * number: 0 at the start, then 1 + information set * actions + action, after the last choice that a
 * seat made. Lines, one per node: "set SEAT INFOSET BEFORE NEXT .." of a decision, the sequence of
 * the seat before it and those after each action; "end FIRST SECOND X" of an end, the sequences of
 * both seats and X = the probability of chance * what seat 0 got. */
#include "agents/tree_inside.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct at {
    int64_t sequence[2];
    double chance, got;
} at;

static void print_node(const agon_tree* tree, size_t n, const at* here) {
    const agon__node* node = &tree->nodes[n];
    if (agon__node_decides(node)) {
        printf("set %d %d %ld", node->seat, node->infoset, (long)here->sequence[node->seat]);
        for (uint32_t e = node->first; e < node->first + node->edges; e++)
            printf(" %ld", 1 + (long)node->infoset * tree->rules->spec.actions +
                               (long)tree->edges[e].action);
        printf("\n");
    } else if (node->edges == 0) {
        printf("end %ld %ld %.17g\n", (long)here->sequence[0], (long)here->sequence[1],
               here->chance * here->got);
    }
}

static void go_on(const agon_tree* tree, size_t n, at* all) {
    const agon__node* node = &tree->nodes[n];
    for (uint32_t e = node->first; e < node->first + node->edges; e++) {
        const agon__edge* edge = &tree->edges[e];
        at* next = &all[edge->child];
        *next = all[n];
        next->chance *= edge->chance;
        next->got += agon__edge_reward(tree, e, 0);
        if (agon__node_decides(node))
            next->sequence[node->seat] =
                1 + (int64_t)node->infoset * tree->rules->spec.actions + edge->action;
    }
}

int main(int argc, char** argv) {
    agon_rules* rules = NULL;
    agon_tree* tree = NULL;
    agon_error error = {0};
    if (argc != 2 || agon_rules_open(argv[1], &rules, &error) != 0 ||
        agon_tree_open(rules, 1000000, &tree, &error) != 0) {
        fprintf(stderr, "dump_tree: %s\n", argc == 2 ? error.text : "GAME");
        return 1;
    }
    at* all = calloc(agon_tree_nodes(tree), sizeof *all);
    if (!all || rules->spec.seats != 2)
        return 1;
    all[0].chance = 1;
    for (size_t n = 0; n < tree->node_count; n++) {
        print_node(tree, n, &all[n]);
        go_on(tree, n, all);
    }
    free(all);
    agon_tree_close(tree);
    agon_rules_close(rules);
    return 0;
}
