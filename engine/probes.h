/* probes.h: frozen questions put to every agent.
 *
 * A probe state is the actions from the start and a seat, so that policies with memory can be
 * asked. Every state offers two legal actions or more, no two are equal up to the game's
 * symmetries, and weights are equal per ply bucket, then equal per state. Three sets:
 *
 *   U  states of uniformly random legal play, the same number for each bucket of plies; for games
 *      whose information sets are at most as many as asked for, all of them. Such a complete set
 *      has a second weight: how often uniform play comes to the state, so that what hardly ever
 *      happens hardly counts. Most states of U lie where trained agents never come, and there nets
 *      say what chance made them say: U exaggerates differences.
 *   B  a balanced pool: the same number of states from every run, and there from early, middle and
 *      late agents, so that no condition's own states dominate. The set to look at first.
 *   X  states along best play with random deviations, and what each action is worth there by an
 *      exact solver. Positions that it could not solve are left out, so X leans to easy ones.
 *
 * Sets are kept in a blob, as tensors "U.*", "B.*", "X.*": its hash is what a measurement names. A
 * blob of one set and one of several are read alike. */
#ifndef AGON_PROBES_H
#define AGON_PROBES_H

#include "agents/policy.h"
#include "engine/blob.h"

typedef enum agon_probe_set { AGON_PROBES_U, AGON_PROBES_B, AGON_PROBES_X } agon_probe_set;
#define AGON_PROBE_SETS    3
#define AGON_PROBE_BUCKETS 8  /* most ply buckets of a set */
#define AGON_PROBE_PHASES  3  /* of a run: early, middle, late generations */
#define AGON_PROBE_ORIGIN  32 /* bytes that name a run: the SHA-256 of its configuration */
#define AGON_PROBE_LABEL   64

typedef struct agon_probes {
    agon_probe_set set;
    int states;       /* 0: there is no such set */
    int seats;        /* of the game: width of a ply */
    int32_t* offset;  /* (states + 1) plies of state i: offset[i] .. offset[i+1]-1 */
    uint16_t* action; /* (plies, seats) joint actions from the start; chance outcome in column 0 */
    uint8_t* seat;    /* (states) who is asked */
    int32_t* ply;     /* (states) plies of seats before it, chance not counted */
    double* weight;   /* (states) adds up to 1 */
    int complete;     /* 1: all information sets; U only */
    /* (states), only of complete sets, else NULL: probability that uniform play of all seats and
     * chance comes to the state, divided by the sum over the set, so that it adds up to 1.
     * Positions that are one up to symmetry count together. */
    double* reach;
    /* B only, else 0 and NULL. Source of a state: AGON_PROBE_PHASES * run + phase. */
    int runs;
    uint8_t* origin; /* (runs, AGON_PROBE_ORIGIN) rising */
    int32_t* source; /* (states) */
    /* X only, else NULL and 0. What the seat gets in the whole episode when it takes the action and
     * all play best from there; NaN: illegal. (states, actions). */
    double* worth;
    int64_t limit;    /* positions searched for one state, at most */
    int64_t unsolved; /* states met but left out: not solved within it, or not tried */
} agon_probes;

/* "U", "B", "X". */
const char* agon_probe_set_name(agon_probe_set set);

/* Makes set U. Owned by the caller: agon_probes_close. B and X: probes_make.h. */
int agon_probes_make(const agon_rules* rules, int count, uint64_t seed, agon_probes* out,
                     agon_error* error);
void agon_probes_close(agon_probes* probes);

/* ---- as a blob ---------------------------------------------------------------------------- */

/* A file with this set alone. */
int agon_probes_encode(const agon_probes* probes, const agon_rules* rules, agon_bytes* out,
                       agon_error* error);
/* Reads the set that a run is measured on: B where the file has it, else U. AGON_EMISSING: it has
 * neither. Replays every line while decoding: a set that the rules do not allow is refused. */
int agon_probes_decode(const void* data, size_t size, const agon_rules* rules, agon_probes* out,
                       agon_error* error);

typedef struct agon_probe_sets {
    agon_probes set[AGON_PROBE_SETS]; /* by agon_probe_set; states 0: absent */
} agon_probe_sets;

/* The sets that are there, of which there is one at least. */
int agon_probe_sets_encode(const agon_probe_sets* sets, const agon_rules* rules, agon_bytes* out,
                           agon_error* error);
int agon_probe_sets_decode(const void* data, size_t size, const agon_rules* rules,
                           agon_probe_sets* out, agon_error* error);
void agon_probe_sets_close(agon_probe_sets* sets);

/* ---- asking ------------------------------------------------------------------------------- */

/* Asks a policy: probability out (states, actions), exact. One that remembers has seen its seat's
 * earlier decisions on the line, as in play. */
int agon_probes_ask(const agon_probes* probes, const agon_rules* rules, const agon_policy* policy,
                    float temperature, float* probability, agon_error* error);

/* The same questions put another way: asks about g(s) for each state s, g one of the game's
 * symmetries (0 <= image < spec.symmetries), and maps the answers back by its inverse, so that
 * they compare with those of agon_probes_ask: an agent that sees the symmetry answers alike.
 * Positions are shown as they are, not by their lines; to a policy that remembers also those of its
 * seat's earlier decisions, under the same g. AGON_EUNSUPPORTED: the game has no such symmetry, or,
 * at one of these, it does not keep the seat that acts or the legal actions. */
int agon_probes_ask_image(const agon_probes* probes, const agon_rules* rules,
                          const agon_policy* policy, int image, float temperature,
                          float* probability, agon_error* error);

/* Kinds of states: the ply buckets that the weights were made of, in order of plies. Where weights
 * do not tell (a set that others made), buckets of equal width. */
typedef struct agon_probe_strata {
    int count;
    char label[AGON_PROBE_BUCKETS][AGON_PROBE_LABEL]; /* "plies 0-4", "ply 5" */
} agon_probe_strata;

/* What evidence says of questions besides answers. options: out (states) legal actions. legal: out
 * (states, actions) 1 where legal. stratum: out (states). Any but `strata` may be NULL. */
int agon_probes_facts(const agon_probes* probes, const agon_rules* rules, int* options,
                      uint8_t* legal, int* stratum, agon_probe_strata* strata, agon_error* error);

/* Plays the line of a state: out (spec.state_size), the position in which its seat is asked. */
int agon_probes_position(const agon_probes* probes, const agon_rules* rules, int state, void* out,
                         agon_error* error);

#endif
