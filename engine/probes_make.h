/* probes_make.h: sets B and X (probes.h says what they are; set U is made by agon_probes_make).
 *
 * Both are functions of their arguments alone: the same states, byte for byte, on every machine. */
#ifndef AGON_PROBES_MAKE_H
#define AGON_PROBES_MAKE_H

#include "engine/probes.h"

/* Who watches; told what is under way and how much of it is done, 0..1. */
typedef struct agon_probe_view {
    void* user;
    void (*progress)(void* user, const char* what, double done); /* NULL: nobody */
} agon_probe_view;

/* Set B from stored runs: directories, two or more or one, in any order. A run's generations fall
 * into three phases of equal length; in each phase its agents play games against each other, drawn
 * anew for every seat and sampled at temperature 1, with random numbers that no training and no
 * match has used. Every phase of every run gives the same number of states, as many as all can
 * give and states / (3 runs) at most; within a phase equally many from each ply bucket, as far as
 * there are; no two states are equal up to symmetry.
 *
 * AGON_EINVALID: a run of another game, a run given twice (the same configuration and seed), fewer
 * states than phases. AGON_EMISSING: a run with fewer than three trained generations. Cost: some
 * 64 decisions of a net for each state. */
int agon_probes_make_balanced(const agon_rules* rules, int states, uint64_t seed, int runs,
                              const char* const* run, const agon_probe_view* view, agon_probes* out,
                              agon_error* error);

#define AGON_PROBE_LIMIT 200000 /* positions searched for one state, unless said otherwise */

/* Set X. Games in which both seats play best, ties broken at random, but take a random action one
 * time in four, or where best play is not known. Small games are unrolled (tree.h), with chance on
 * average; larger ones of two seats without chance are searched to their ends (negamax.h), `limit`
 * positions for each state at most, and twice as many on average over the states wanted. States
 * beyond that are left out and counted; where few states of a ply can be solved, no more of that
 * ply are tried. The set may come out smaller than asked for.
 *
 * AGON_EUNSUPPORTED: no exact solver applies, with the reason: hidden information, more than two
 * seats, returns of general sum, chance in a game too large to unroll, or nothing that was tried
 * could be solved. */
int agon_probes_make_solved(const agon_rules* rules, int states, uint64_t seed, int64_t limit,
                            const agon_probe_view* view, agon_probes* out, agon_error* error);

#endif
