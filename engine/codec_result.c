/* codec_result.c: what a result looks like on the wire, and what it owns. */
#include "engine/codec.h"

#include <math.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void agon_result_clear(agon_result* result) {
    if (result->kind == AGON_PROBE)
        free(result->as.probe.probability);
    for (int i = 0; i < 2; i++)
        free(result->blob[i].data);
    memset(result, 0, sizeof *result);
}

uint64_t agon_match_games(const agon_match_result* match) {
    uint64_t games = 0;
    for (int seat = 0; seat < match->seats; seat++)
        games += match->tally[seat].games;
    return games;
}

/* ---- train -------------------------------------------------------------------------------- */

#define COUNT(MEMBER) AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon_train_result, MEMBER, #MEMBER, 0, 0)
#define REAL(MEMBER)  AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_train_result, MEMBER, #MEMBER, 0, 0)
#define STATS(MEMBER)                                                                              \
    AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_train_result, stats.MEMBER, #MEMBER, 0, 0)

static const agon_codec_field train_fields[] = {
    AGON_CODEC_SIZED(AGON_CODEC_HASH, agon_train_result, learner, "learner"),
    AGON_CODEC_SIZED(AGON_CODEC_HASH, agon_train_result, snapshot, "snapshot"),
    COUNT(steps),
    COUNT(extra_steps),
    COUNT(other_steps),
    COUNT(total_steps),
    COUNT(updates),
    COUNT(episodes),
    REAL(return_mean),
    REAL(length_mean),
    STATS(policy_loss),
    STATS(value_loss),
    STATS(entropy),
    STATS(kl),
    STATS(clipped),
    STATS(grad_norm),
    REAL(explained_variance),
};
static const agon_codec_form train_form = AGON_CODEC_FORM("train result", train_fields, NULL);

#undef COUNT
#undef REAL

/* ---- match -------------------------------------------------------------------------------- */

#define COUNT(MEMBER) AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon_tally, MEMBER, #MEMBER, 0, 0)
#define REAL(MEMBER)  AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_tally, MEMBER, #MEMBER, 0, 0)

static const agon_codec_field tally_fields[] = {
    COUNT(games), COUNT(wins), COUNT(draws), COUNT(losses), REAL(sum), REAL(sum_squares),
};

/* Each count is at most 2^63 - 1, so two of them cannot wrap; three are added in two steps. */
static int check_tally(const void* record, agon_error* error) {
    const agon_tally* tally = record;
    const uint64_t decided = tally->wins + tally->losses;
    if (decided > tally->games || tally->games - decided != tally->draws)
        return agon_fail(error, AGON_EFORMAT,
                         "match result: wins, draws and losses do not add up to games");
    return AGON_OK;
}

static const agon_codec_form tally_form =
    AGON_CODEC_FORM("match result", tally_fields, check_tally);

#undef COUNT
#undef REAL
#define COUNT(MEMBER) AGON_CODEC_PLAIN(AGON_CODEC_COUNT, agon_match_result, MEMBER, #MEMBER, 0, 0)
#define REAL(MEMBER)  AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_match_result, MEMBER, #MEMBER, 0, 0)

static const agon_codec_field feature_fields[] = {
    AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_feature_sum, row, "row", 0, 0),
    AGON_CODEC_PLAIN(AGON_CODEC_F64, agon_feature_sum, col, "col", 0, 0),
};
static const agon_codec_form feature_form = AGON_CODEC_FORM("match result", feature_fields, NULL);

static const agon_codec_field stat_fields[] = {{.name = "stat", .type = AGON_CODEC_F64}};
static const agon_codec_form stat_form = {
    .what = "match result", .fields = stat_fields, .count = 1, .bare = true};

static const agon_codec_field match_fields[] = {
    AGON_CODEC_MANY(agon_match_result, tally, "tally", seats, tally_form),
    COUNT(pairs),
    REAL(pair_sum),
    REAL(pair_sum_squares),
    COUNT(row_steps),
    COUNT(col_steps),
    COUNT(plies),
    AGON_CODEC_MANY(agon_match_result, feature, "features", features, feature_form),
    AGON_CODEC_MANY(agon_match_result, stat, "stats", stats, stat_form),
};

static int check_match(const void* record, agon_error* error) {
    const agon_match_result* match = record;
    if (match->seats < 1)
        return agon_fail(error, AGON_EFORMAT, "match result: field tally: no seats; expected 1..%d",
                         AGON_MAX_SEATS);
    return AGON_OK;
}

static const agon_codec_form match_form =
    AGON_CODEC_FORM("match result", match_fields, check_match);

#undef COUNT
#undef REAL

/* ---- probe -------------------------------------------------------------------------------- */

#define INT(MEMBER, LOW, HIGH)                                                                     \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_probe_result, MEMBER, #MEMBER, LOW, HIGH)
#define REAL(MEMBER) AGON_CODEC_PLAIN(AGON_CODEC_NAN64, agon_probe_result, MEMBER, #MEMBER, 0, 0)

static const agon_codec_field probe_fields[] = {
    INT(states, 0, 1 << 24),
    INT(actions, 0, AGON_MAX_ACTIONS),
    {.name = "probability",
     .type = AGON_CODEC_FLOATS,
     .offset = offsetof(agon_probe_result, probability),
     .count = offsetof(agon_probe_result, states),
     .stride = offsetof(agon_probe_result, actions)},
    INT(exact, 0, 1),
    REAL(nash_conv),
    REAL(worst_first),
    REAL(worst_second),
    REAL(value),
};

static int check_probe(const void* record, agon_error* error) {
    const agon_probe_result* probe = record;
    if ((probe->exact != 0) == (isnan(probe->nash_conv) != 0))
        return agon_fail(
            error, AGON_EFORMAT,
            "probe result: field nash_conv: expected a number exactly when exact is 1");
    return AGON_OK;
}

static const agon_codec_form probe_form =
    AGON_CODEC_FORM("probe result", probe_fields, check_probe);

/* ---- the message -------------------------------------------------------------------------- */

static const agon_codec_field blob_fields[] = {
    AGON_CODEC_SIZED(AGON_CODEC_HASH, agon_bytes, hash, "hash"),
    {.name = "data",
     .type = AGON_CODEC_BYTES,
     .offset = offsetof(agon_bytes, data),
     .count = offsetof(agon_bytes, size)},
};

static int check_blob(const void* record, agon_error* error) {
    const agon_bytes* blob = record;
    char hash[AGON_HASH_SIZE];
    agon_sha256(blob->data, blob->size, hash);
    if (strcmp(hash, blob->hash) != 0)
        return agon_fail(error, AGON_EFORMAT, "blob %s: its bytes hash to %s", blob->hash, hash);
    return AGON_OK;
}

static const agon_codec_form blob_form = AGON_CODEC_FORM("blob", blob_fields, check_blob);

#define RESULT(NAME, KIND)                                                                         \
    static const agon_codec_field NAME##_result_fields[] = {                                       \
        {.name = "format", .type = AGON_CODEC_FORMAT, .low = AGON_TASK_FORMAT},                    \
        AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_result, kind, "kind", KIND, KIND),                   \
        AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_result, key, "key"),                                \
        AGON_CODEC_NESTED(agon_result, as.NAME, #NAME, NAME##_form),                               \
        AGON_CODEC_MANY(agon_result, blob, "blobs", blobs, blob_form),                             \
    };                                                                                             \
    static const agon_codec_form NAME##_result_form =                                              \
        AGON_CODEC_FORM("result", NAME##_result_fields, NULL)

RESULT(train, AGON_TRAIN);
RESULT(match, AGON_MATCH);
RESULT(probe, AGON_PROBE);

static const agon_codec_form* const forms[] = {&train_result_form, &match_result_form,
                                               &probe_result_form};

int agon_result_encode(const agon_result* result, uint8_t** data, size_t* size, agon_error* error) {
    return agon_codec_encode(forms, 3, (int)result->kind, result, data, size, error);
}

int agon_result_decode(const uint8_t* data, size_t size, agon_result* out, agon_error* error) {
    agon_result result;
    const int code = agon_codec_decode(forms, 3, data, size, &result, sizeof result, error);
    if (code == AGON_OK)
        *out = result;
    else
        agon_result_clear(&result);
    return code;
}
