/* What each number of a line of metrics.jsonl means. A test holds the lines to this list. */
#include "engine/measure.h"

static const agon_measure_path paths[] = {
    {"generation", "", "measured after it was trained"},
    {"steps", "agent-steps", "learned from, per agent, mean"},
    {"agents", "agents", "of the population; with separate roles, of both"},
    {"game", "", "game string"},
    {"probes", "", "blob of the probe states"},
    {"probe_states", "states", "in it"},
    {"roles[].name", "", "separate roles alone: of the role"},
    {"roles[].seats[]", "", "that the role holds"},
    {"roles[].first_agent", "", "number of the role's first agent"},
    {"roles[].agents", "agents", "of the role"},
    {"roles[].best_agent", "", "number of the role's best agent"},
    {"best_agent", "", "number of the best agent, by pay-off, else rating, else score"},

    {"diversity.weights", "", "how probe states are weighted"},
    {"diversity.J", "nats", "what an action tells about who took it; between agents"},
    {"diversity.within", "nats", "entropy of single agents, mean"},
    {"diversity.mixture", "nats", "entropy of the population's mean policy: J + within"},
    {"diversity.tv", "1", "total variation between two agents, mean over pairs"},
    {"diversity.vendi_1", "agents", "Vendi score, order 1: effective number of different agents"},
    {"diversity.vendi_2", "agents", "the same of order 2"},
    {"diversity.vendi_inf", "agents", "the same of order infinity"},
    {"diversity.greedy_disagreement", "1",
     "share of states where greedy actions differ, over pairs"},
    {"diversity.greedy_ties", "1", "share of agents and states without one most probable action"},
    {"diversity.by_reach", "", "null where the probe set is a sample"},
    {"diversity.by_reach_why", "", "why it is null"},
    {"diversity.by_reach.*", "",
     "the same numbers, states weighted by how often uniform play comes "
     "to them"},
    {"diversity.by_role[].role", "", "separate roles alone: name of the role"},
    {"diversity.by_role[].*", "", "the numbers of this role; those beside by_role are their means"},

    {"payoff.defined", "", "is there a pay-off matrix?"},
    {"payoff.why", "", "why there is none"},
    {"payoff.agents[]", "", "numbers of the agents of the matrix"},
    {"payoff.cyclic_fraction", "1",
     "share of the pay-offs that no strengths explain; null unless "
     "above what noise gives"},
    {"payoff.cyclic_why", "", "why it is null"},
    {"payoff.cyclic_measured", "1", "the same, noise included"},
    {"payoff.cyclic_null[]", "1", "what noise alone would give: mean, 2.5 % and 97.5 %"},
    {"payoff.noise_share", "1", "share of the pay-offs' variance that noise explains"},
    {"payoff.nash_entropy", "nats", "entropy of the maximum-entropy Nash equilibrium"},
    {"payoff.nash_support", "agents", "its exponential: agents that matter"},
    {"payoff.effective_diversity", "pay-off", "gaps that Nash players use against each other"},
    {"payoff.residual", "pay-off",
     "what a best response still gains on the equilibrium: its error"},
    {"payoff.matrix[][]", "pay-off", "mean return of row against column, scaled to [-1, 1]"},
    {"payoff.se[][]", "pay-off", "standard errors"},
    {"payoff.games", "games", "of each pair"},
    {"payoff.protocol", "", "how they were played"},

    {"role_payoff.rows[]", "", "separate roles alone: numbers of the first role's agents"},
    {"role_payoff.columns[]", "", "of the second role's"},
    {"role_payoff.by_role[].role", "", "whose returns these are"},
    {"role_payoff.by_role[].matrix[][]", "returns", "mean return of the role's seats"},
    {"role_payoff.by_role[].se[][]", "returns", "standard errors"},
    {"role_payoff.games", "games", "of each pair"},
    {"role_payoff.protocol", "", "how they were played"},
    {"role_payoff.unit", "", "of the matrices"},

    {"rating", "", "null where ratings are not defined"},
    {"rating.elo[]", "Elo", "strengths of payoff.agents, mean 0"},
    {"rating.se[]", "Elo", "standard errors of the difference to the mean"},
    {"rating.prior_sd", "Elo", "of the prior that keeps them finite"},

    {"score.*.mean", "score.*.unit", "against the opponent of this name: mean over agents"},
    {"score.*.best", "score.*.unit", "of the best agent"},
    {"score.*.se", "score.*.unit", "standard error of the best agent's"},
    {"score.*.each[]", "score.*.unit", "of every agent"},
    {"score.*.by_role[].role", "", "separate roles alone: name of the role"},
    {"score.*.by_role[].*", "score.*.unit", "mean, best and se of this role"},
    {"score.*.games", "games", "of each agent"},
    {"score.*.protocol", "", "how they were played"},
    {"score.*.unit", "", "points per game or mean return"},

    {"features.*[]", "", "under the game's own name: of every agent, mean over its matches"},
    {"stats.*", "", "under the game's own name: mean over games"},

    {"nash_conv", "", "null where the game tree is too large"},
    {"nash_conv_why", "", "why it is null"},
    {"nash_conv.median", "returns", "what best responses gain on an agent, median over agents"},
    {"nash_conv.each[]", "returns", "of every agent"},
    {"nash_conv.protocol", "", "how it was computed"},
    {"against_optimal.worst_first[]", "returns", "of every agent in seat 0 against optimal play"},
    {"against_optimal.worst_second[]", "returns", "in seat 1"},
    {"against_optimal.value", "returns", "of the game for seat 0"},
    {"against_optimal.protocol", "", "how it was computed"},
};

const agon_measure_path* agon_measure_paths(int* count) {
    *count = (int)(sizeof paths / sizeof *paths);
    return paths;
}
