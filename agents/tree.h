/* tree.h: exact answers for games whose tree fits: values, best responses, NashConv.
 *
 * The tree of a game is unrolled once: decision nodes grouped by information set (what the acting
 * seat knows), chance nodes with probabilities, simultaneous moves as one seat after the other with
 * the earlier choice hidden. In perfect-information games equal states are one node. A tabular
 * policy is an array of action probabilities (information sets, actions), in double so that exact
 * solvers lose nothing; any policy can be tabulated.
 *
 * Information sets are told apart by seat and the game's `infostate`; where a game has none, by
 * observation and legal actions. Returns are sums of rewards in double. A best responder also
 * counts its own earlier moves; that changes nothing where seats have perfect recall, which is
 * assumed otherwise. Functions that return a double or fill one give NAN when memory runs out. */
#ifndef AGON_TREE_H
#define AGON_TREE_H

#include "agents/policy.h"

typedef struct agon_tree agon_tree;

/* Unrolls the tree; AGON_ELIMIT when it has more than `limit` nodes. Owned by the caller; borrows
 * rules. The tree is read-only afterwards and may be shared by threads. */
int agon_tree_open(const agon_rules* rules, size_t limit, agon_tree** out, agon_error* error);
void agon_tree_close(agon_tree* tree);

size_t agon_tree_nodes(const agon_tree* tree);
int agon_tree_infosets(const agon_tree* tree);

/* What an information set looks like: a representative state (borrowed, settled) and the seat. */
const void* agon_tree_infoset_state(const agon_tree* tree, int infoset, int* seat);
/* Plies from the start to the representative; legal actions of the set (borrowed, mask_words). */
int agon_tree_infoset_ply(const agon_tree* tree, int infoset);
const uint64_t* agon_tree_infoset_mask(const agon_tree* tree, int infoset);
/* Probability that uniform play of all seats and chance reaches the set (sum over its nodes). */
double agon_tree_infoset_reach(const agon_tree* tree, int infoset);

/* The plies that lead to the representative, chance included: action (rows, seats), as `apply`
 * takes them, unused columns 0. Returns the number of rows; fills none when it is above `rows`. */
int agon_tree_infoset_line(const agon_tree* tree, int infoset, uint16_t* action, int rows);

/* probability (infosets, actions) of a policy at a temperature (0: greedy). A policy that remembers
 * is asked as it would be in play: what a seat remembers at an information set is what it saw at
 * its earlier ones. AGON_EUNSUPPORTED: the policy remembers, and a seat comes to some information
 * set by different earlier ones, so that no table says what it does there: no perfect recall, or a
 * position that several lines lead to. AGON_EMEMORY. */
int agon_tree_tabulate(const agon_tree* tree, const agon_policy* policy, float temperature,
                       double* probability, agon_error* error);

/* Expected returns when seat s plays policy[s]: out (seats). */
void agon_tree_returns(const agon_tree* tree, const double* const* policy, double* out);

/* Value of a best response of `seat` when the others play policy[other]; policy[seat] is unused. */
double agon_tree_best_response(const agon_tree* tree, int seat, const double* const* policy);

/* Sum over seats of (best response value - return) when all seats play `probability`. 0 at a Nash
 * equilibrium; exploitability is half of it with two seats (OpenSpiel's convention). Never
 * negative beyond rounding. */
double agon_tree_nash_conv(const agon_tree* tree, const double* probability);

/* The policy that acts as a mixture does: each seat draws one of `count` policies by `weight` (they
 * add up to 1) before the episode and keeps to it. At an information set the policies count by the
 * weight times the probability that they play to it. out (infosets, actions). Needs perfect recall;
 * AGON_EUNSUPPORTED in games of perfect information, whose positions are merged; AGON_EMEMORY. */
int agon_tree_mix(const agon_tree* tree, int count, const double* const* policy,
                  const double* weight, double* out, agon_error* error);

/* Minimax value for seat 0; AGON_EUNSUPPORTED (with the missing fact) unless the game has two
 * seats, perfect information, no chance and zero- or constant sum. */
int agon_tree_minimax(const agon_tree* tree, double* value, agon_error* error);

/* What seat 0 still gets after each action when all play best from there, chance on average: out
 * (infosets, actions), NAN at illegal actions. For perfect information and one seat, or two whose
 * returns have a zero or constant sum; AGON_EUNSUPPORTED otherwise, with the missing fact. */
int agon_tree_action_values(const agon_tree* tree, double* out, agon_error* error);

/* The lowest return `probability` gets in `seat` against any opponent that always plays a minimax-
 * optimal move, over every such line and every move the policy gives positive probability. */
int agon_tree_worst_return(const agon_tree* tree, int seat, const double* probability,
                           double* value, agon_error* error);

#endif
