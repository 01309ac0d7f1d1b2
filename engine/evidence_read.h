/* evidence_read.h: measurements that agon did not make, from files into evidence.
 *
 * Win rates of chess engines, answers of language models, activations of nets: each maker reads one
 * part of an agon_evidence from .csv or .npy (told apart by their first bytes), checks all of it,
 * and refuses with the file, the line or index, the value and what was expected. What it finds out
 * or assumes (which layout, which agents are anchors) it says in `notes`. On failure the evidence
 * is as before.
 *
 * Several parts fit into one evidence: the first names the agents. A later part with labels finds
 * its agents by them, whatever their order; one without labels must have as many agents, in the
 * same order. Labels are cut to AGON_LABEL - 1 bytes. */
#ifndef AGON_EVIDENCE_READ_H
#define AGON_EVIDENCE_READ_H

#include "engine/metrics/evidence.h"
#include "games/error.h"

#define AGON_EVIDENCE_AGENTS 5000              /* of a pay-off matrix */
#define AGON_EVIDENCE_CELLS  ((size_t)1 << 29) /* agents * states * actions */

/* What people should know about what was read, one line each. Zero is empty. */
typedef struct agon_evidence_notes {
    char text[4096];
} agon_evidence_notes;

typedef struct agon_payoff_file {
    const char* scores; /* path */
    const char* games;  /* path of the numbers of games, laid out as the scores; NULL: not known */
    bool win_rates;     /* scores are points per game in [0, 1], a draw 1/2; else pay-offs in
                           [-1, 1] */
} agon_payoff_file;

/* Pay-offs, in one of three layouts.
 *
 * Square: row against column, with or without a row and a column of labels. Empty, "NaN" and "-":
 * never met. The diagonal counts in general-sum games alone. Win rates become 2 p - 1; where both
 * p_ij and p_ji are given they must add up to 1 within 0.01, and the mean of both is taken; where
 * one is given it fills the other. Pay-offs are treated so where they are antisymmetric within
 * 0.02, else they are general-sum and stay as they are; either is said.
 *
 * Rectangular, with labels of rows and columns: columns that are no row's label are opponents from
 * outside, and become the part `anchors`.
 *
 * Games: a header with the columns row, col, wins, losses and perhaps draws, in any order. Lines
 * about one pair are added up. CSV only.
 *
 * Errors: NaN without numbers of games. With them sqrt(v / N): v is what wins, draws and losses
 * say, or where only a score x is known the largest variance that a mean of x allows, 1 - x^2.
 * Where all N games ended alike, v is what it would be had one more game ended otherwise: lost
 * instead of won (4 N / (N + 1)^2), or won instead of drawn (N / (N + 1)^2). Games are taken as
 * independent; of games in pairs (seats swapped) these errors are rather too large. */
int agon_evidence_read_payoffs(const agon_payoff_file* from, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error);

typedef struct agon_answers_file {
    const char* answers; /* path */
    bool counts;         /* numbers of samples instead of probabilities */
    const char* weights; /* path; NULL: all states weigh the same */
    const char* labels;  /* path: one agent a line; NULL: as in the answers, or numbers */
    const char* worth;   /* path; NULL: right and wrong are not known */
} agon_answers_file;

/* Answers of agents to the same questions (states).
 *
 *   .npy  (agents, states, actions); NaN: not an option in this state, the same for all agents
 *   wide  columns agent, state, and one for each action; an empty cell as NaN above
 *   long  columns agent, state, action (or answer), and probability or count. Answers are classes
 * by their text, in each state apart; one that an agent does not give has probability 0. Without a
 * column count, each line is one sample.
 *
 * Every agent must have answered every state. Probabilities must add up to 1 within 0.001, and are
 * then scaled to 1; of counts the frequencies are taken. Numbers of samples may differ.
 *
 * weights: .npy (states), a column of numbers, or columns state and weight; >= 0, scaled to sum 1.
 * worth, by layout: .npy or a column (states): number of the right action; (states, actions): what
 * each is worth, NaN where not known; or columns state, answer and perhaps worth: the right answers
 * of each state (a line each), or what each answer is worth. Answers of the long layout are named
 * by their text, so only the last fits them; a right answer that nobody gave becomes an option. */
int agon_evidence_read_answers(const agon_answers_file* from, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error);

/* Games of any number of seats, CSV: columns game, agent and score in any order, a line for every
 * seat of every game; games and agents are told apart by their text. An agent may sit in a game
 * more than once. Scores rank the seats of a game, higher is better. */
int agon_evidence_read_tables(const char* path, agon_evidence* evidence, agon_evidence_notes* notes,
                              agon_error* error);

/* Activations .npy (agents, inputs, width) -> insides. labels: as above, or NULL. */
int agon_evidence_read_insides(const char* activations, const char* labels, agon_evidence* evidence,
                               agon_evidence_notes* notes, agon_error* error);

#endif
