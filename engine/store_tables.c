/* store_tables.c: see store_tables.h. */
#include "engine/store_tables.h"

#include <stddef.h>

#define FIELD(field) offsetof(agon__record, field), sizeof(((agon__record*)0)->field)
/* name, type, field, meaning */
#define COLUMN(name, type, field, meaning)                                                         \
    { #name, AGON__##type, FIELD(field), 0, 0, meaning }
#define TRAIN_TASK(name, type, meaning) COLUMN(name, type, task.as.train.name, meaning)
#define TRAIN(name, type, meaning)      COLUMN(name, type, result.as.train.name, meaning)
#define STATS(name, meaning)            COLUMN(name, REAL, result.as.train.stats.name, meaning)
#define MATCH_TASK(name, type, meaning) COLUMN(name, type, task.as.match.name, meaning)
#define MATCH(name, type, meaning)      COLUMN(name, type, result.as.match.name, meaning)
#define TALLY(name, type, meaning)      COLUMN(name, type, tally.name, meaning)
#define NUMBERS(name, array, counted, doubles, meaning)                                            \
    {                                                                                              \
#name, AGON__LIST, FIELD(result.as.match.array),                                           \
            offsetof(agon__record, result.as.match.counted), doubles, meaning                      \
    }
#define PROBE_TASK(name, type, meaning) COLUMN(name, type, task.as.probe.name, meaning)
#define PROBE(name, type, meaning)      COLUMN(name, type, result.as.probe.name, meaning)
/* Of tables that are no results. */
#define PLAIN(name, type, meaning)                                                                 \
    { #name, AGON__##type, 0, 0, 0, 0, meaning }

static const agon__column train_columns[] = {
    COLUMN(key, TEXT, task.key, "task: \"train/GENERATION/AGENT\""),
    TRAIN_TASK(generation, INT, "0 makes the agents, each later one trains them"),
    TRAIN_TASK(agent, INT, "its number"),
    COLUMN(opponents, TEXT, opponents,
           "references of those it trained against, separated by spaces; a space inside brackets "
           "belongs to its reference"),
    TRAIN(learner, TEXT, "blob that training goes on from (weights and optimizer)"),
    TRAIN(snapshot, TEXT, "blob of the weights as others meet them"),
    TRAIN(steps, COUNT, "agent-steps of this task that were learned from"),
    TRAIN(extra_steps, COUNT, "decisions of the learner that were not stored"),
    TRAIN(other_steps, COUNT, "decisions of opponents"),
    TRAIN(total_steps, COUNT, "agent-steps of the learner since its birth"),
    TRAIN(updates, COUNT, "gradient steps since its birth"),
    TRAIN(episodes, COUNT, "finished in this task"),
    TRAIN(return_mean, REAL, "mean return of the learner over these episodes; 0 without any"),
    TRAIN(length_mean, REAL, "their mean length, plies"),
    STATS(policy_loss, "PPO objective, mean over updates"),
    STATS(value_loss, "squared error of the value, mean over updates"),
    STATS(entropy, "of the policy, nats, mean over updates"),
    STATS(kl, "from the policy before the update, nats, mean over updates"),
    STATS(clipped, "share of samples whose ratio was clipped"),
    STATS(grad_norm, "norm of the gradient before clipping, mean over updates"),
    TRAIN(explained_variance, REAL, "of returns by the value, on the last rollout; 1 is perfect"),
};
static const agon__column match_columns[] = {
    COLUMN(key, TEXT, task.key,
           "task: \"match/GENERATION/ROW/COL\", \"anchor/GENERATION/ROW/ANCHOR\" or "
           "\"final/ROW/ANCHOR\""),
    COLUMN(seat, INT, seat, "of the row policy; one row for each"),
    MATCH_TASK(generation, INT, "of both"),
    MATCH_TASK(row, INT, "agent"),
    MATCH_TASK(col, INT, "its opponent; below 0: anchor -1 - col"),
    MATCH_TASK(final, INT, "1: of the closing evaluation"),
    MATCH_TASK(row_ref, TEXT, "snapshot blob or text of a scripted policy"),
    MATCH_TASK(col_ref, TEXT, "the same; takes all other seats"),
    MATCH_TASK(temperature, SHORT, "of nets; 1: as trained, 0: greedy"),
    MATCH_TASK(opening, INT, "random plies at the start"),
    TALLY(games, COUNT, "of the row policy in this seat"),
    TALLY(wins, COUNT, "more than the mean of the other seats"),
    TALLY(draws, COUNT, "as much"),
    TALLY(losses, COUNT, "less"),
    TALLY(sum, REAL, "of the row policy's returns"),
    TALLY(sum_squares, REAL, "of their squares"),
    MATCH(pairs, COUNT,
          "groups of games with one opening, each seat once; of the whole match, as all below"),
    MATCH(pair_sum, REAL, "of the groups' mean returns of the row policy"),
    MATCH(pair_sum_squares, REAL, "of their squares"),
    MATCH(row_steps, COUNT, "decisions of the row policy"),
    MATCH(col_steps, COUNT, "of the others"),
    MATCH(plies, COUNT, "moves of the games, simultaneous ones once"),
    NUMBERS(features, feature, features, 2,
            "JSON: of each of the game's features the sum over games of the row policy and of the "
            "others"),
    NUMBERS(stats, stat, stats, 1, "JSON: of each of the game's stats the sum over games"),
};
static const agon__column probe_columns[] = {
    COLUMN(key, TEXT, task.key, "task: \"probe/GENERATION/AGENT\""),
    PROBE_TASK(generation, INT, "of the agent"),
    PROBE_TASK(agent, INT, "its number"),
    PROBE_TASK(ref, TEXT, "snapshot blob that was asked"),
    PROBE_TASK(probes, TEXT, "blob of the questions"),
    PROBE(states, INT, "questions"),
    PROBE(actions, INT, "of the game"),
    PROBE(probability, FLOATS,
          "little-endian float32 (states, actions): exact action probabilities; 0 at illegal ones"),
    PROBE(nash_conv, REAL,
          "what best responses would gain when all seats play it, returns; NULL: not computed"),
    PROBE(worst_first, REAL,
          "greedy policy in seat 0: lowest return against optimal play; NULL: not defined"),
    PROBE(worst_second, REAL, "the same in seat 1"),
    PROBE(value, REAL, "minimax value of the game for seat 0; NULL: not defined"),
};
static const agon__column blob_columns[] = {
    PLAIN(hash, TEXT, "SHA-256 of the file in blobs/, which has this name"),
    PLAIN(size, COUNT, "its bytes"),
};
static const agon__column meta_columns[] = {
    PLAIN(key, TEXT,
          "format (major number), config_hash, version, fingerprint (of the rules, 16 hex digits), "
          "created (UTC; the only date of the run), probes (blob), plugin (SHA-256 of the game's "
          "file, where it was none of agon's own)"),
    PLAIN(value, TEXT, "its value"),
};

#define LENGTH(array) (int)(sizeof array / sizeof array[0]), array
const agon__table agon__tables[AGON__TABLES] = {
    {"train", "key = ?1", "key", "generation, agent, key", LENGTH(train_columns)},
    {"match", "key = ?1 AND seat = ?2", "key, seat", "generation, row, col, final, key, seat",
     LENGTH(match_columns)},
    {"probe", "key = ?1", "key", "generation, agent, key", LENGTH(probe_columns)},
    {"blob", "hash = ?1", "hash", "hash", LENGTH(blob_columns)},
    {"meta", "key = ?1", "key", "key", LENGTH(meta_columns)},
};
