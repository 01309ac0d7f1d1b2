/* catalogue_rating.c: strength as a number for each agent, and what one number hides. */
#include "engine/metrics/catalogue_rating.h"

#include <math.h>

#define ANY -INFINITY, INFINITY

const agon_metric agon__catalogue_rating[] = {
    {.name = "bradley_terry",
     .title = "Bradley-Terry rating",
     .group = "rating",
     .headline = true,
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_WINS,
     .column = {{"elo", "Elo", ANY, "rating; the population's mean is 0"},
                {"se", "Elo", 0, INFINITY, "standard error of the difference to that mean"},
                {"low", "Elo", ANY, "lower end of the 95 % interval"},
                {"high", "Elo", ANY, "upper end of the 95 % interval"}},
     .formula = "P(i beats j) = 1 / (1 + 10^(-(R_i - R_j) / 400)), R_i ~ N(0, 350^2); draws 1/2",
     .source = "Bradley and Terry 1952; Elo 1978",
     .caveat =
         "One number hides cycles: rock, paper and scissors rate alike, and who looks best of "
         "a cycle depends on who met whom; read the cyclic fraction beside it. Ratings of two "
         "populations do not compare. Games are taken as independent.",
     .compute = agon__compute_bradley_terry},
    {.name = "rating_spread",
     .title = "Spread of ratings",
     .group = "rating",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_WINS,
     .column = {{"range", "Elo", 0, INFINITY, "best less worst"},
                {"sd", "Elo", 0, INFINITY, "standard deviation over agents"},
                {"noise", "Elo", 0, INFINITY, "root mean square of the standard errors"},
                {"own", "Elo", 0, INFINITY,
                 "sqrt(sd^2 - noise^2): spread beyond the noise; 0 when "
                 "noise is larger"},
                {"reliability", "1", 0, 1,
                 "1 - noise^2 / sd^2: share of the variance that is not "
                 "noise"}},
     .formula = "of R_i and se_i of bradley_terry",
     .source = "Bradley and Terry 1952",
     .caveat = "The range grows with the number of agents even when all are equal, and the prior "
               "pulls ratings of few games together: the spread is then too small.",
     .compute = agon__compute_rating_spread},
    {.name = "rating_anchored",
     .title = "Rating against anchors",
     .group = "rating",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_ANCHORS,
     .column = {{"elo", "Elo", ANY, "rating; the mean of the anchors is 0"},
                {"se", "Elo", 0, INFINITY, "standard error of the difference to that mean"},
                {"low", "Elo", ANY, "lower end of the 95 % interval"},
                {"high", "Elo", ANY, "upper end of the 95 % interval"}},
     .formula = "bradley_terry on games against anchors alone; a score s in [-1, 1] is (1 + s) / 2 "
                "points a game",
     .source = "Bradley and Terry 1952",
     .caveat =
         "Strength against these anchors only: an agent that learned to exploit them rates high "
         "and may lose to everyone else. Returns that are not wins and losses are read as "
         "shares of a point.",
     .compute = agon__compute_rating_anchored},
    {.name = "cycle_planes",
     .title = "Planes of cycles",
     .group = "rating",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC,
     .column = {{"planes", "planes", 0, INFINITY,
                 "planes of any strength, at most (agents - 1) / 2"},
                {"omega_1", "pay-off", 0, INFINITY, "strength of the strongest plane"},
                {"omega_2", "pay-off", 0, INFINITY, "of the second"},
                {"omega_3", "pay-off", 0, INFINITY, "of the third"},
                {"share", "1", 0, 1, "share of the first in the energy that is not additive"},
                {"effective", "planes", 1, INFINITY, "effective number: (sum w^2)^2 / sum w^4"},
                {"logit_1", "logits", 0, INFINITY, "omega_1 of the logits of wins (mElo)"},
                {"logit_2", "logits", 0, INFINITY, "omega_2 of the logits"},
                {"logit_3", "logits", 0, INFINITY, "omega_3 of the logits"}},
     .formula = "M_ij - (r_i - r_j) = sum_k w_k (u_ik v_jk - v_ik u_jk), r_i = mean_j M_ij; logits "
                "ln((wins_ij + 1/2) / (wins_ji + 1/2))",
     .source = "Balduzzi, Tuyls, Perolat, Graepel 2018; Bertrand, Czarnecki, Gidel 2023",
     .caveat =
         "Noise fills every plane, so equal agents have (agents - 1) / 2 of them: read it beside "
         "the null of the cyclic fraction. What is not additive need not be a cycle: a ladder "
         "of sure wins leaves planes too.",
     .compute = agon__compute_cycle_planes},
    {.name = "disc",
     .title = "Place on the first plane of cycles",
     .group = "rating",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_ANTISYMMETRIC,
     .column = {{"x", "sqrt(pay-off)", ANY, "place on the plane of omega_1"},
                {"y", "sqrt(pay-off)", ANY,
                 "i gains x_i y_j - y_i x_j from j: from those "
                 "counterclockwise of it"},
                {"strength", "pay-off", ANY, "r_i, the mean pay-off: height in the spinning top"},
                {"logit_x", "sqrt(logit)", ANY, "the same of the logits of wins (mElo)"},
                {"logit_y", "sqrt(logit)", ANY, "the same of the logits of wins (mElo)"},
                {"logit_strength", "logits", ANY, "mean logit of winning"}},
     .formula = "sqrt(w_1) (u_i1, v_i1) of cycle_planes, the farthest agent at y = 0, x > 0",
     .source = "Balduzzi, Tuyls, Perolat, Graepel 2018; Bertrand, Czarnecki, Gidel 2023",
     .caveat =
         "One plane is a part of the cycles (cycle_planes' share says how large), and of noise "
         "it draws a round picture as well. When two planes are about equally strong the "
         "picture is one of many.",
     .compute = agon__compute_disc},
    {.name = "glicko2",
     .title = "Glicko-2 rating",
     .group = "rating",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_WINS,
     .column = {{"rating", "Elo", ANY, "rating after one period; all start at 1500"},
                {"deviation", "Elo", 0, INFINITY, "its standard deviation"},
                {"volatility", "1", 0, INFINITY,
                 "how much strength is thought to move per period"}},
     .formula = "one rating period of all games from (1500, 350, 0.06), tau 0.5",
     .source = "Glickman 2013",
     .caveat =
         "Made for live play: one step from the start, so strong agents are not at their place "
         "after it, and each opponent counts as of unknown strength. For a report take "
         "bradley_terry.",
     .compute = agon__compute_glicko2},
    {.name = "trueskill",
     .title = "TrueSkill",
     .group = "rating",
     .shape = AGON_PER_AGENT,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_WINS,
     .column = {{"mean", "skill", ANY, "mean of the belief; all start at 25"},
                {"deviation", "skill", 0, INFINITY, "its standard deviation"},
                {"cautious", "skill", ANY, "mean - 3 deviations, as leader boards show"},
                {"order", "skill", 0, INFINITY,
                 "standard deviation of the mean over orders of the "
                 "games"}},
     .formula =
         "Gaussian belief, game by game: beta 25/6, tau 25/300, draws 10 %; mean over 8 random "
         "orders of all games",
     .source = "Herbrich, Minka, Graepel 2006",
     .caveat =
         "Depends on the order of games, which the table does not hold: `order` says how much. "
         "The deviation tells neither that nor the errors of differences. For a report take "
         "bradley_terry.",
     .compute = agon__compute_trueskill},
    {.name = "sprt",
     .title = "Sequential test: is row stronger than column",
     .group = "rating",
     .shape = AGON_PER_PAIR,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_WINS | AGON_NEEDS_PAIR,
     .column = {{"llr", "nats", ANY, "log likelihood ratio of +5 Elo over 0 Elo"},
                {"verdict", "1", -1, 1,
                 "1: +5 Elo accepted (llr >= 2.944), -1: 0 Elo accepted "
                 "(<= -2.944), 0: more games needed"},
                {"llr_50", "nats", ANY, "the same of +50 Elo over 0 Elo"},
                {"verdict_50", "1", -1, 1, "its verdict"}},
     .formula =
         "ln of max likelihood with mean score s1 over that with s0; wins, draws, losses (wins "
         "and losses, a draw half of each, where draws are not known); alpha = beta = .05",
     .source = "Wald 1945",
     .caveat = "Says whether, not how much. 5 % errors hold for one pair, not for the whole table; "
               "games of one opening with seats changed are not independent, and then the ratio is "
               "too bold or too shy.",
     .compute = agon__compute_sprt},
    {.name = "joint_policy_correlation",
     .title = "Joint-policy correlation",
     .group = "rating",
     .shape = AGON_ONE,
     .needs = AGON_NEEDS_PAYOFFS | AGON_NEEDS_PAIR,
     .column = {{"lost", "1", -INFINITY, 1, "share of the return that is lost among strangers"},
                {"together", "pay-off", -1, 1, "mean return with the partner of the same run"},
                {"strangers", "pay-off", -1, 1, "mean return with partners of other runs"}},
     .formula =
         "(D - O) / D of returns + 1: D mean of the diagonal, O of the rest; row i is run i's "
         "first player, column j run j's second",
     .source = "Lanctot et al. 2017",
     .caveat =
         "Means something only for a table of runs whose diagonal was played; NaN for zero-sum "
         "play of one population, where every mean is 0. It does not tell different "
         "conventions from being too used to one another.",
     .compute = agon__compute_joint_policy},
    {0},
};
