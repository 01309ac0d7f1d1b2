/* config_keys.c: the table that defines every key of a run's configuration. Everything that is said
 * about a key, anywhere, comes from here. Order is the order of the canonical text. */
#include "engine/config.h"

#include <string.h>

#define NAMES(SECTION, NAME) #SECTION, #NAME
#define FIELD(SECTION, NAME)                                                                       \
    offsetof(agon_config, SECTION.NAME), sizeof(((agon_config*)0)->SECTION.NAME)

#define INT(S, N, FALLBACK, LOW, HIGH, UNIT, MEANING)                                              \
    {                                                                                              \
        NAMES(S, N), AGON_KEY_INT, FIELD(S, N), FALLBACK, LOW, HIGH, NULL, UNIT, MEANING, false,   \
            false                                                                                  \
    }
#define SEED(S, N, FALLBACK, MEANING)                                                              \
    {                                                                                              \
        NAMES(S, N), AGON_KEY_SEED, FIELD(S, N), FALLBACK, 0, 0x1p64, NULL, "", MEANING, false,    \
            false                                                                                  \
    }
#define REAL(S, N, FALLBACK, LOW, HIGH, UNIT, MEANING)                                             \
    {                                                                                              \
        NAMES(S, N), AGON_KEY_REAL, FIELD(S, N), FALLBACK, LOW, HIGH, NULL, UNIT, MEANING, false,  \
            false                                                                                  \
    }
#define TEXT(S, N, FALLBACK, MEANING)                                                              \
    { NAMES(S, N), AGON_KEY_TEXT, FIELD(S, N), FALLBACK, 0, 0, NULL, "", MEANING, false, false }
#define CHOICE(S, N, FALLBACK, CHOICES, MEANING)                                                   \
    {                                                                                              \
        NAMES(S, N), AGON_KEY_CHOICE, FIELD(S, N), FALLBACK, 0, 0, CHOICES, "", MEANING, false,    \
            false                                                                                  \
    }
#define SWITCH(S, N, FALLBACK, MEANING)                                                            \
    { NAMES(S, N), AGON_KEY_SWITCH, FIELD(S, N), FALLBACK, 0, 1, NULL, "", MEANING, false, false }
#define PLACE(S, N, MEANING)                                                                       \
    { NAMES(S, N), AGON_KEY_TEXT, FIELD(S, N), "", 0, 0, NULL, "", MEANING, true, false }
#define LATER_CHOICE(S, N, FALLBACK, CHOICES, MEANING)                                             \
    { NAMES(S, N), AGON_KEY_CHOICE, FIELD(S, N), FALLBACK, 0, 0, CHOICES, "", MEANING, false, true }
#define LATER_TEXT(S, N, MEANING)                                                                  \
    { NAMES(S, N), AGON_KEY_TEXT, FIELD(S, N), "", 0, 0, NULL, "", MEANING, false, true }

/* Choices are listed in the order of their enums. */
static const agon_config_key keys[] = {
    TEXT(game, name, "", "The game, with parameters in parentheses; agon games lists them."),

    INT(population, size, "8", 1, 10000, "agents",
        "Agents that learn side by side; with separate roles: of each role."),
    CHOICE(population, roles, "shared", "shared|separate",
           "One agent for all roles of a game, or, where there are two, a population for each: its "
           "agents hold all seats of their role, and meet the other's."),

    CHOICE(league, kind, "uniform", "mirror|uniform|fixed|pfsp",
           "Whom an agent trains against: itself, snapshots of all agents, the anchors alone, or "
           "snapshots weighted by pay-off."),
    INT(league, opponents, "0", 0, 64, "opponents",
        "Opponents of one train task, drawn with replacement; 0: one for every 8 lanes."),
    REAL(league, past, "0.25", 0, 1, "share",
         "Share of the opponents that are drawn from earlier generations."),
    REAL(league, anchor_share, "0.2", 0, 1, "share", "Share of the opponents that are anchors."),
    TEXT(league, anchors, "random", "Scripted policies to train against, separated by spaces."),
    CHOICE(league, weighting, "hard", "hard|even",
           "What pfsp prefers: opponents that win, (1 - p)^2, or that are even, p (1 - p)."),

    TEXT(net, hidden, "128,128",
         "Hidden layers, at most 8, as in conv16,conv16k5,128,mingru64; 0: none. WIDTH: dense; "
         "convCHANNELS: a convolution of 3x3 points, or kSIZE, first; mingruWIDTH: remembers."),
    CHOICE(net, activation, "relu", "relu|tanh",
           "Non-linearity after each dense layer and convolution."),

    SEED(train, seed, "1", "The root of all randomness of the run."),
    INT(train, generations, "40", 1, 1000000, "generations",
        "Generations to train; each gives every agent one train task."),
    INT(train, rollouts, "16", 1, 100000, "rollouts",
        "Rollouts of one train task, each followed by one PPO update."),
    INT(train, lanes, "64", 1, 65536, "games",
        "Games that one train task plays side by side; with mirror each gives a row per seat."),
    INT(train, horizon, "32", 1, 65536, "decisions", "Decisions per learner row in one rollout."),
    INT(train, epochs, "4", 1, 1000, "passes", "Passes of an update over its rollout."),
    INT(train, minibatches, "4", 1, 65536, "minibatches",
        "Parts of one pass, each followed by one optimiser step; whole rows of a net with "
        "memory."),
    REAL(train, learning_rate, "1e-3", 0, 1, "", "Adam's step size at the start of the run."),
    REAL(train, learning_rate_final, "1e-4", 0, 1, "",
         "Step size at its end; linear in agent-steps between."),
    REAL(train, entropy, "0.02", 0, 10, "per nat",
         "Weight of the entropy bonus at the start of the run."),
    REAL(train, entropy_final, "0.005", 0, 10, "per nat",
         "Weight of the entropy bonus at its end; linear in agent-steps between."),
    REAL(train, clip, "0.2", 0.001, 10, "",
         "PPO's clip: how far a probability ratio may move from 1 and still be rewarded."),
    REAL(train, value_weight, "0.5", 0, 100, "", "Weight of the value loss."),
    REAL(train, max_grad_norm, "0.5", 0, 1e6, "",
         "Norm to which larger gradients are scaled; 0: never."),
    REAL(train, discount, "1.0", 0.01, 1, "per decision", "Factor on rewards one decision later."),
    REAL(train, lambda, "0.95", 0, 1, "",
         "GAE's trade between bias (0) and variance (1) of advantages."),
    REAL(train, beta1, "0.9", 0, 0.999999, "", "Adam's decay of the mean gradient."),
    REAL(train, beta2, "0.999", 0, 0.999999, "", "Adam's decay of the mean squared gradient."),
    REAL(train, epsilon, "1e-8", 1e-12, 1, "", "Adam's guard against division by zero."),
    SWITCH(train, normalise, "yes", "Bring advantages to mean 0 and variance 1 in each update."),
    LATER_CHOICE(
        train, device, "cpu", "cpu|cuda|auto",
        "What computes: the CPU, a GPU, or a GPU where one can be used when the run begins; "
        "the run then stays with it."),
    LATER_CHOICE(
        train, precision, "auto", "auto|fp32|tf32|bf16",
        "How products of nets are computed; auto: fp32 on a CPU, which has no other, bf16 on "
        "a GPU; sums are fp32 always."),
    LATER_TEXT(train, device_model,
               "The GPU's model, filled in when a run begins; on another the run is refused."),

    INT(metrics, every, "5", 1, 1000000, "generations",
        "Generations between measurements; the first and the last are always measured."),
    INT(metrics, games, "64", 2, 1000000, "games",
        "Games of each pair of agents per measurement, even: both seats play each opening."),
    INT(metrics, anchor_games, "64", 0, 1000000, "games",
        "Games of each agent against each anchor per measurement, even; 0: none."),
    INT(metrics, final_games, "400", 0, 1000000, "games",
        "Games of each agent against each anchor after the last generation, even; 0: none."),
    INT(metrics, budget, "64", 0, 10000, "agents",
        "Most agents of a pay-off matrix, more are thinned evenly; 0: all."),
    INT(metrics, opening, "2", 0, 1000, "plies",
        "Random plies that open both games of a pair alike; none where there is chance, or "
        "something is hidden."),
    INT(metrics, probes, "512", 1, 1000000, "states",
        "Probe states that every agent is asked, where no probe_file gives them."),
    PLACE(metrics, probe_file,
          "File of agon probes whose set B, or else U, every agent is asked; empty: random play."),
    LATER_TEXT(metrics, probe_hash,
               "SHA-256 of that file, filled in when a run begins; another file is then refused."),
    TEXT(metrics, anchors, "random one_ply",
         "Scripted policies to measure against, separated by spaces; a game may refuse some."),
    INT(metrics, exact_nodes, "20000", 0, 100000000, "nodes",
        "Largest game tree whose NashConv is computed exactly; 0: never."),
    INT(metrics, bootstrap, "200", 2, 100000, "samples",
        "Samples of each null model and standard error."),

    TEXT(run, dir, "", "The run's directory; empty: runs/, the game's name and the seed."),
    INT(run, keep, "2", 2, 1000000, "learners", "Learners kept per agent, the newest."),

    INT(machine, threads, "0", 0, 1024, "threads",
        "Tasks run at a time; 0: one per core or, with listen, none but what only it can do."),
    TEXT(machine, plugin, "", "Path of the shared object that holds the game; empty: a built-in."),
    TEXT(machine, listen, "",
         "Where workers connect: tcp://HOST:PORT, tls://HOST:PORT or nats://HOST:PORT/SPACE; "
         "empty: no workers."),
    TEXT(machine, tokens, "",
         "File of the tokens that may work (agon cert --token); empty: none are asked for."),
    TEXT(machine, tls, "", "Directory of certificates (agon cert); empty: none."),
    TEXT(machine, nkey, "", "File with the seed of an nkey, for nats; empty: none."),
    TEXT(machine, metrics, "", "HOST:PORT where Prometheus finds metrics; empty: nowhere."),
    INT(machine, lease, "30", 1, 3600, "seconds",
        "How long a worker may be silent before its tasks go to others."),
    REAL(machine, audit, "0.02", 0, 1, "share",
         "Workers' results that are executed again elsewhere and compared byte for byte."),
    SWITCH(machine, insecure, "no",
           "Listen beyond this machine without tokens or client certificates."),
};

const agon_config_key* agon_config_keys(int* count) {
    *count = (int)(sizeof keys / sizeof keys[0]);
    return keys;
}

const agon_config_key* agon_config_find(const char* full_name) {
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const size_t length = strlen(keys[i].section);
        if (strncmp(full_name, keys[i].section, length) == 0 && full_name[length] == '.' &&
            strcmp(full_name + length + 1, keys[i].name) == 0)
            return &keys[i];
    }
    return NULL;
}

bool agon_config_decides(const agon_config_key* key) {
    return !key->place && strcmp(key->section, "run") != 0 && strcmp(key->section, "machine") != 0;
}
