/* codec_task.c: what a task looks like on the wire. */
#include "engine/codec.h"
#include "engine/config.h"
#include "engine/text.h"

#include <inttypes.h>
#include <limits.h>

/* ---- train -------------------------------------------------------------------------------- */

#define BELOW_ONE 0x1.fffffep-1 /* the largest float under 1 */

#define INT(MEMBER, LOW, HIGH)                                                                     \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_train_task, MEMBER, #MEMBER, LOW, HIGH)
#define REAL(MEMBER, LOW, HIGH)                                                                    \
    AGON_CODEC_PLAIN(AGON_CODEC_F32, agon_train_task, MEMBER, #MEMBER, LOW, HIGH)
#define PPO_INT(MEMBER, LOW, HIGH)                                                                 \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_train_task, ppo.MEMBER, #MEMBER, LOW, HIGH)
#define PPO_REAL(MEMBER, LOW, HIGH)                                                                \
    AGON_CODEC_PLAIN(AGON_CODEC_F32, agon_train_task, ppo.MEMBER, #MEMBER, LOW, HIGH)
#define STEP(MEMBER, LOW, HIGH)                                                                    \
    AGON_CODEC_PLAIN(AGON_CODEC_F32, agon_train_task, ppo.step.MEMBER, #MEMBER, LOW, HIGH)

static const agon_codec_field reference_fields[] = {
    {.name = "opponent", .type = AGON_CODEC_TEXT, .size = AGON_REF_SIZE},
};
static const agon_codec_form reference_form = {
    .what = "train task", .fields = reference_fields, .count = 1, .bare = true};

/* A birth task (no rollouts) may leave what it does not use at 0. */
static const agon_codec_field train_fields[] = {
    INT(generation, 0, INT_MAX),
    INT(agent, 0, INT_MAX),
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_train_task, net, "net"),
    AGON_CODEC_SIZED(AGON_CODEC_NEW, agon_train_task, learner, "learner"),
    AGON_CODEC_PLAIN(AGON_CODEC_BITS, agon_train_task, own_seats, "own_seats", 0, 0),
    AGON_CODEC_MANY(agon_train_task, opponent, "opponents", opponents, reference_form),
    INT(lanes, 0, 65536),
    INT(horizon, 0, 65536),
    INT(rollouts, 0, 100000),
    STEP(learning_rate, 0, 1),
    STEP(clip, 0, 10),
    STEP(value_weight, 0, 100),
    STEP(entropy_weight, 0, 10),
    STEP(max_grad_norm, 0, 1e6),
    STEP(beta1, 0, BELOW_ONE),
    STEP(beta2, 0, BELOW_ONE),
    STEP(epsilon, 0, 1),
    PPO_REAL(discount, 0, 1),
    PPO_REAL(lambda, 0, 1),
    PPO_INT(epochs, 0, 1000),
    PPO_INT(minibatches, 0, 65536),
    PPO_INT(normalise, 0, 1),
    REAL(learning_rate_end, 0, 1),
    REAL(entropy_end, 0, 10),
};

#undef INT
#undef REAL

/* Bits of seats that a game can have. */
static int check_seats(const char* what, const char* name, uint64_t seats, agon_error* error) {
    if (seats >> AGON_MAX_SEATS == 0)
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT,
                     "%s: field %s = 0x%" PRIx64 "; expected bits of at most %d seats", what, name,
                     seats, AGON_MAX_SEATS);
}

static int check_at_least_one(const char* name, int value, agon_error* error) {
    if (value >= 1)
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT, "train task: field %s = %d; expected at least 1", name,
                     value);
}

/* What a task with rollouts needs. */
static int check_rollouts(const agon_train_task* task, agon_error* error) {
    const int64_t decisions = (int64_t)task->lanes * task->horizon;
    int code;
    if ((code = check_at_least_one("lanes", task->lanes, error)) != AGON_OK ||
        (code = check_at_least_one("horizon", task->horizon, error)) != AGON_OK ||
        (code = check_at_least_one("epochs", task->ppo.epochs, error)) != AGON_OK ||
        (code = check_at_least_one("minibatches", task->ppo.minibatches, error)) != AGON_OK)
        return code;
    if (decisions > AGON_CONFIG_MAX_DECISIONS)
        return agon_fail(error, AGON_EFORMAT,
                         "train task: lanes * horizon = %" PRId64 "; expected at most %d",
                         decisions, AGON_CONFIG_MAX_DECISIONS);
    if (!(task->ppo.discount > 0))
        return agon_fail(error, AGON_EFORMAT, "train task: field discount = 0; expected above 0");
    if (!task->own_seats && task->opponents == 0)
        return agon_fail(error, AGON_EFORMAT,
                         "train task: field opponents: none; expected at least 1 unless own_seats "
                         "are all");
    return AGON_OK;
}

static int check_train(const void* record, agon_error* error) {
    const agon_train_task* task = record;
    agon_error why = {0};
    agon_net net;
    if (agon_net_parse(task->net, &net, &why) != AGON_OK)
        return agon_fail(error, AGON_EFORMAT, "train task: field net: %s", why.text);
    const int code = check_seats("train task", "own_seats", task->own_seats, error);
    return code || task->rollouts == 0 ? code : check_rollouts(task, error);
}

static const agon_codec_form train_form = AGON_CODEC_FORM("train task", train_fields, check_train);

/* ---- match and probe ---------------------------------------------------------------------- */

#define INT(MEMBER, LOW, HIGH)                                                                     \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_match_task, MEMBER, #MEMBER, LOW, HIGH)

static const agon_codec_field match_fields[] = {
    INT(generation, 0, INT_MAX),
    INT(row, INT_MIN, INT_MAX),
    INT(col, INT_MIN, INT_MAX),
    INT(final, 0, 1),
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_match_task, row_ref, "row_ref"),
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_match_task, col_ref, "col_ref"),
    AGON_CODEC_PLAIN(AGON_CODEC_BITS, agon_match_task, row_seats, "row_seats", 0, 0),
    INT(games, 1, 10000000),
    INT(opening, 0, 65535),
    AGON_CODEC_PLAIN(AGON_CODEC_F32, agon_match_task, temperature, "temperature", 0, 1e6),
};

static int check_match(const void* record, agon_error* error) {
    const agon_match_task* task = record;
    return check_seats("match task", "row_seats", task->row_seats, error);
}

static const agon_codec_form match_form = AGON_CODEC_FORM("match task", match_fields, check_match);

#undef INT
#define INT(MEMBER, LOW, HIGH)                                                                     \
    AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_probe_task, MEMBER, #MEMBER, LOW, HIGH)

static const agon_codec_field probe_fields[] = {
    INT(generation, 0, INT_MAX),
    INT(agent, 0, INT_MAX),
    AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_probe_task, ref, "ref"),
    AGON_CODEC_SIZED(AGON_CODEC_HASH, agon_probe_task, probes, "probes"),
    INT(exact_nodes, 0, INT_MAX),
};
static const agon_codec_form probe_form = AGON_CODEC_FORM("probe task", probe_fields, NULL);

/* ---- the message -------------------------------------------------------------------------- */

#define TASK(NAME, KIND)                                                                           \
    static const agon_codec_field NAME##_task_fields[] = {                                         \
        {.name = "format", .type = AGON_CODEC_FORMAT, .low = AGON_TASK_FORMAT},                    \
        AGON_CODEC_PLAIN(AGON_CODEC_INT, agon_task, kind, "kind", KIND, KIND),                     \
        AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_task, key, "key"),                                  \
        AGON_CODEC_PLAIN(AGON_CODEC_BITS, agon_task, seed, "seed", 0, 0),                          \
        AGON_CODEC_SIZED(AGON_CODEC_TEXT, agon_task, game, "game"),                                \
        AGON_CODEC_PLAIN(AGON_CODEC_BITS, agon_task, fingerprint, "fingerprint", 0, 0),            \
        AGON_CODEC_NESTED(agon_task, as.NAME, #NAME, NAME##_form),                                 \
    };                                                                                             \
    static const agon_codec_form NAME##_task_form =                                                \
        AGON_CODEC_FORM("task", NAME##_task_fields, NULL)

TASK(train, AGON_TRAIN);
TASK(match, AGON_MATCH);
TASK(probe, AGON_PROBE);

static const agon_codec_form* const forms[] = {&train_task_form, &match_task_form,
                                               &probe_task_form};

_Static_assert(sizeof(agon_task_kind) == sizeof(int), "kinds are read as int");

int agon_task_encode(const agon_task* task, uint8_t** data, size_t* size, agon_error* error) {
    return agon_codec_encode(forms, 3, (int)task->kind, task, data, size, error);
}

int agon_task_decode(const uint8_t* data, size_t size, agon_task* out, agon_error* error) {
    agon_task task;
    const int code = agon_codec_decode(forms, 3, data, size, &task, sizeof task, error);
    if (code == AGON_OK)
        *out = task;
    return code;
}

/* ---- what a task names -------------------------------------------------------------------- */

bool agon_ref_is_hash(const char* ref) {
    return agon__text_is_hash(ref);
}

int agon_ref_shown(const char* ref) {
    return (int)strcspn(ref, "@");
}

void agon_task_each_ref(const agon_task* task, void (*visit)(void* user, const char* ref),
                        void* user) {
    switch (task->kind) {
    case AGON_TRAIN:
        if (task->as.train.learner[0])
            visit(user, task->as.train.learner);
        for (int i = 0; i < task->as.train.opponents; i++)
            visit(user, task->as.train.opponent[i]);
        break;
    case AGON_MATCH:
        visit(user, task->as.match.row_ref);
        visit(user, task->as.match.col_ref);
        break;
    case AGON_PROBE:
        visit(user, task->as.probe.ref);
        visit(user, task->as.probe.probes);
        break;
    }
}

int agon_task_generation(const agon_task* task) {
    switch (task->kind) {
    case AGON_TRAIN:
        return task->as.train.generation;
    case AGON_MATCH:
        return task->as.match.generation;
    default:
        return task->as.probe.generation;
    }
}
