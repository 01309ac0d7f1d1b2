/* plackett_luce.h: strengths from games of any number of seats, on the Elo scale; and what each
 * earns for itself and for the table.
 *
 * A game ranks its seats by their returns. With strengths w = 10^(R / 400), the first place goes to
 * i with probability w_i / (sum of w at the table), the next among those that are left, and so on
 * (Plackett 1975; Luce 1959). With two seats it is the Bradley-Terry model of rating.h. Equal
 * returns say nothing of the order of those who share them: the log likelihood is the mean over all
 * their orders (so a draw of two is half a win each); of more than AGON_TIE_EXACT equal ones,
 * Efron's approximation of it (1977).
 *
 * What it does not tell: strength is one number here, by rank alone (a win by much is a win), and
 * as if places were given from the first down. Cycles, alliances and who sat beside whom are lost.
 */
#ifndef AGON_PLACKETT_LUCE_H
#define AGON_PLACKETT_LUCE_H

#include <stdint.h>

#define AGON_TIE_EXACT    8    /* equal returns whose orders are all taken */
#define AGON_TABLE_SEATS  32   /* most seats of a game */
#define AGON_TABLE_AGENTS 1000 /* most agents: O(agents^3) a step */

/* agent, value (games, seats): who sat where (0 .. agents-1, -1: nobody), and returns. Maximum a
 * posteriori with prior R ~ N(0, prior_sd^2), prior_sd > 0, by damped Newton steps (the log
 * likelihood is concave).
 *   rating  out (agents), rating points; 0 of an agent in no game
 *   error   out (agents) or NULL: standard errors of the difference to the mean rating
 * Returns 0, AGON_EINVALID (a return that is not finite, an agent or a size out of range),
 * AGON_EMEMORY; the outputs are untouched unless 0. */
int agon_plackett_luce(const int32_t* agent, const float* value, int games, int seats, int agents,
                       double prior_sd, double* rating, double* error);

/* Returns per agent (agents): own, the mean over the seats it held; social, the mean over all seats
 * of the games it sat in, each game once per seat it held; count of seats held. NaN: in no game.
 * And of the population: the mean return of a seat, and how unequal seats of one table are: the
 * mean over games of the standard deviation of its returns. Returns 0 or AGON_EINVALID, as above.
 */
int agon_table_returns(const int32_t* agent, const float* value, int games, int seats, int agents,
                       double* own, double* social, double* count);
int agon_table_social(const int32_t* agent, const float* value, int games, int seats, double* mean,
                      double* spread);

#endif
