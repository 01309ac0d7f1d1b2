/* tree_inside.h: what an unrolled tree is made of (inside agents/ only).
 *
 * Nodes are numbered layer by layer: a node's children have higher numbers than the node. So a
 * sweep upwards over the numbers carries probabilities from the start, and a sweep downwards
 * carries values back, without recursion. */
#ifndef AGON_TREE_INSIDE_H
#define AGON_TREE_INSIDE_H

#include "agents/tree.h"

typedef struct agon__node {
    uint32_t first;  /* its edges are first .. first + edges - 1, in order of actions */
    uint32_t edges;  /* 0: the episode is over */
    uint32_t parent; /* where it was first reached from; itself at the start */
    uint32_t edge;   /* and by which edge */
    int32_t infoset; /* of the seat that decides; -1: chance, or over */
    uint8_t seat;    /* who decides */
    uint8_t closes;  /* 1: the last decision of its ply (always, without simultaneous moves) */
} agon__node;

typedef struct agon__edge {
    uint32_t child;
    uint32_t action; /* or chance outcome */
    double chance;   /* probability of the outcome; 1 at decisions */
} agon__edge;

typedef struct agon__infoset {
    double reach; /* under uniform play of all */
    int32_t ply;
    uint32_t node; /* the representative */
    uint8_t seat;
} agon__infoset;

struct agon_tree {
    const agon_rules* rules; /* borrowed */
    agon__node* nodes;       /* (node_count) */
    agon__edge* edges;       /* (edge_count) */
    float* rewards;          /* (edge_count, seats) earned on the edge */
    agon__infoset* sets;     /* (set_count) in the order in which they were met */
    char* states;            /* (set_count, state_size) representatives */
    uint64_t* masks;         /* (set_count, mask_words) */
    size_t node_count, edge_count, set_count;
    size_t node_room, edge_room, reward_room, set_room, state_room, mask_room;
};

static inline bool agon__node_decides(const agon__node* node) {
    return node->infoset >= 0;
}
/* What the seat earns on an edge. */
static inline double agon__edge_reward(const agon_tree* tree, size_t edge, int seat) {
    return (double)tree->rewards[edge * (size_t)tree->rules->spec.seats + (size_t)seat];
}

#endif
