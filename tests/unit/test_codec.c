/* test_codec.c: tasks and results as messages. */
#include "engine/task.h"

#include <math.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* ---- examples ----------------------------------------------------------------------------- */

static agon_task example_task(agon_task_kind kind) {
    agon_task task;
    memset(&task, 0, sizeof task);
    task.kind = kind;
    task.seed = UINT64_MAX;
    task.fingerprint = 1ull << 63;
    strcpy(task.key, "train/12/3");
    strcpy(task.game, "some_game(size=3)");
    if (kind == AGON_TRAIN) {
        agon_train_task train = {.generation = 12,
                                 .agent = 3,
                                 .net = "126-128-7 relu",
                                 .learner = HASH,
                                 .own_seats = 0xa0000001,
                                 .opponents = 2,
                                 .opponent = {HASH, "scripted(a=4, b=1.5)"},
                                 .lanes = 64,
                                 .horizon = 32,
                                 .rollouts = 16,
                                 .learning_rate_end = 1e-4f,
                                 .entropy_end = 0.005f};
        train.ppo = (agon_ppo){.step = {0.001f, 0.2f, 0.5f, 0.02f, 0.5f, 0.9f, 0.999f, 1e-8f},
                               .discount = 1,
                               .lambda = 0.95f,
                               .epochs = 4,
                               .minibatches = 4,
                               .normalise = 1};
        task.as.train = train;
    } else if (kind == AGON_MATCH) {
        task.as.match = (agon_match_task){.generation = 40,
                                          .row = 7,
                                          .col = -2,
                                          .final = 1,
                                          .row_ref = HASH,
                                          .col_ref = "scripted",
                                          .row_seats = 0xf0,
                                          .games = 400,
                                          .opening = 2,
                                          .temperature = 0.1f};
    } else {
        task.as.probe = (agon_probe_task){
            .generation = 5, .agent = 1, .ref = HASH, .probes = HASH, .exact_nodes = 20000};
    }
    return task;
}

static agon_bytes example_blob(const char* text) {
    agon_bytes blob = {.size = strlen(text), .data = (uint8_t*)strdup(text)};
    agon_sha256(blob.data, blob.size, blob.hash);
    return blob;
}

static void fill_train(agon_result* result) {
    result->blobs = 2;
    result->blob[0] = example_blob("learner bytes");
    result->blob[1] = example_blob("snapshot bytes");
    agon_train_result* train = &result->as.train;
    strcpy(train->learner, result->blob[0].hash);
    strcpy(train->snapshot, result->blob[1].hash);
    train->steps = INT64_MAX;
    train->episodes = 300;
    train->return_mean = -0.1;
    train->stats.kl = 0x1p-1074;
    train->explained_variance = -3.5;
}

/* Owned by the caller: agon_result_clear. */
static agon_result example_result(agon_task_kind kind) {
    agon_result result;
    memset(&result, 0, sizeof result);
    result.kind = kind;
    strcpy(result.key, "x/1/2");
    if (kind == AGON_TRAIN) {
        fill_train(&result);
    } else if (kind == AGON_MATCH) {
        result.as.match.seats = 2;
        result.as.match.tally[0] = (agon_tally){10, 5, 2, 3, 2.0, 8.25};
        result.as.match.tally[1] = (agon_tally){10, 0, 0, 10, -10, 10};
        result.as.match.pairs = 10;
        result.as.match.plies = 1234;
        result.as.match.features = 2;
        result.as.match.feature[1] = (agon_feature_sum){-3.25, 1e-300};
        result.as.match.stats = 1;
        result.as.match.stat[0] = 0.1;
    } else {
        agon_probe_result* probe = &result.as.probe;
        *probe = (agon_probe_result){.states = 3, .actions = 2, .exact = 1, .nash_conv = 0.25};
        probe->probability = malloc(6 * sizeof(float));
        memcpy(probe->probability, (float[]){0, 1, 0.1f, 0.9f, 1e-30f, 1}, 6 * sizeof(float));
        probe->worst_first = -1;
        probe->worst_second = -NAN;
        probe->value = NAN;
    }
    return result;
}

typedef struct message {
    uint8_t* data;
    size_t size;
} message;

static message encode_task(const agon_task* task) {
    agon_error error = {0};
    message m;
    if (agon_task_encode(task, &m.data, &m.size, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return m;
}

static message encode_result(const agon_result* result) {
    agon_error error = {0};
    message m;
    if (agon_result_encode(result, &m.data, &m.size, &error) != AGON_OK)
        fail_msg("%s", error.text);
    return m;
}

/* Decoded from a block of exactly `size` bytes, so that the sanitizer sees the first one beyond;
 * what is decoded owns its memory, since the block is gone. */
static int decode_task(const uint8_t* data, size_t size, agon_task* out, agon_error* error) {
    uint8_t* copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const int code = agon_task_decode(copy, size, out, error);
    free(copy);
    return code;
}

static int decode_result(const uint8_t* data, size_t size, agon_result* out, agon_error* error) {
    uint8_t* copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const int code = agon_result_decode(copy, size, out, error);
    free(copy);
    return code;
}

/* ---- round trips -------------------------------------------------------------------------- */

/* Promise: a task arrives as it was sent, every bit of it. */
static void test_task_round_trip(void** unused) {
    for (int kind = AGON_TRAIN; kind <= AGON_PROBE; kind++) {
        agon_error error = {0};
        const agon_task task = example_task((agon_task_kind)kind);
        agon_task back;
        const message m = encode_task(&task);
        if (decode_task(m.data, m.size, &back, &error) != AGON_OK)
            fail_msg("%s", error.text);
        assert_memory_equal(&task, &back, sizeof task);
        const message again = encode_task(&back);
        assert_int_equal(again.size, m.size);
        assert_memory_equal(again.data, m.data, m.size);
        free(again.data);
        free(m.data);
    }
}

/* Promise: so does a result, with its blobs; any NaN is the same NaN afterwards. */
static void test_result_round_trip(void** unused) {
    for (int kind = AGON_TRAIN; kind <= AGON_PROBE; kind++) {
        agon_error error = {0};
        agon_result result = example_result((agon_task_kind)kind), back;
        const message m = encode_result(&result);
        if (decode_result(m.data, m.size, &back, &error) != AGON_OK)
            fail_msg("%s", error.text);
        assert_int_equal(back.blobs, result.blobs);
        for (int i = 0; i < back.blobs; i++) {
            assert_int_equal(back.blob[i].size, result.blob[i].size);
            assert_memory_equal(back.blob[i].data, result.blob[i].data, back.blob[i].size);
        }
        if (kind == AGON_PROBE) {
            assert_memory_equal(back.as.probe.probability, result.as.probe.probability, 24);
            assert_true(isnan(back.as.probe.value) && !signbit(back.as.probe.worst_second));
        } else if (kind == AGON_MATCH) {
            assert_memory_equal(&back.as.match, &result.as.match, sizeof back.as.match);
        } else {
            assert_memory_equal(&back.as.train, &result.as.train, sizeof back.as.train);
        }
        const message again = encode_result(&back);
        assert_int_equal(again.size, m.size);
        assert_memory_equal(again.data, m.data, m.size);
        free(again.data);
        free(m.data);
        agon_result_clear(&back);
        agon_result_clear(&result);
    }
}

/* Promise: a birth task says only what it uses; the rest may be 0. */
static void test_birth(void** unused) {
    agon_task task = example_task(AGON_TRAIN), back;
    memset(&task.as.train, 0, sizeof task.as.train);
    strcpy(task.as.train.net, "4-2 tanh");
    const message m = encode_task(&task);
    assert_int_equal(decode_task(m.data, m.size, &back, NULL), AGON_OK);
    assert_memory_equal(&task, &back, sizeof task);
    free(m.data);
}

/* ---- refusals ----------------------------------------------------------------------------- */

static void task_fails(const agon_task* task, const char* words) {
    agon_error error = {0};
    message m;
    if (agon_task_encode(task, &m.data, &m.size, &error) == AGON_OK)
        fail_msg("accepted; expected %s", words);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

/* Promise: a task out of its ranges is refused with the field's name. Checks of sender and receiver
 * are the same code, so the sender shows them. */
static void test_task_ranges(void** unused) {
#define BAD(KIND, CHANGE, WORDS)                                                                   \
    do {                                                                                           \
        agon_task task = example_task(KIND);                                                       \
        agon_train_task* train = &task.as.train;                                                   \
        agon_match_task* match = &task.as.match;                                                   \
        agon_probe_task* probe = &task.as.probe;                                                   \
        (void)train, (void)match, (void)probe;                                                     \
        CHANGE;                                                                                    \
        task_fails(&task, WORDS);                                                                  \
    } while (0)
    BAD(AGON_TRAIN, train->lanes = 0, "field lanes = 0; expected at least 1");
    BAD(AGON_TRAIN, train->lanes = -1, "field lanes = -1; expected 0..65536");
    BAD(AGON_TRAIN, train->lanes = train->horizon = 65536, "lanes * horizon");
    BAD(AGON_TRAIN, train->opponents = 0; train->own_seats = 0, "field opponents: none");
    BAD(AGON_TRAIN, train->opponents = 65, "at most 64");
    BAD(AGON_TRAIN, train->opponents = -1, "field opponents");
    BAD(AGON_TRAIN, train->opponent[1][0] = 0, "field opponent = \"\"");
    BAD(AGON_TRAIN, train->opponent[1][0] = '\n', "field opponent");
    BAD(AGON_TRAIN, strcpy(train->net, "126-7"), "field net: architecture \"126-7\"");
    BAD(AGON_TRAIN, train->learner[5] = 'A', "field learner");
    BAD(AGON_TRAIN, train->learner[63] = 0, "64 hex digits");
    BAD(AGON_TRAIN, train->ppo.discount = 0, "discount");
    BAD(AGON_TRAIN, train->ppo.lambda = NAN, "field lambda = nan");
    BAD(AGON_TRAIN, train->ppo.step.learning_rate = INFINITY, "field learning_rate = inf");
    BAD(AGON_TRAIN, train->ppo.step.beta1 = 1, "beta1");
    BAD(AGON_TRAIN, train->ppo.minibatches = 0, "minibatches");
    BAD(AGON_TRAIN, train->own_seats = 1ull << 32, "field own_seats = 0x100000000");
    BAD(AGON_TRAIN, task.key[0] = 0, "field key");
    BAD(AGON_TRAIN, task.game[3] = '\x1b', "field game");
    BAD(AGON_MATCH, match->games = 0, "match task: field games = 0");
    BAD(AGON_MATCH, match->row_seats = 1ull << 63, "field row_seats = 0x8000000000000000");
    BAD(AGON_MATCH, match->temperature = -1, "temperature");
    BAD(AGON_MATCH, match->row_ref[0] = 0, "row_ref");
    BAD(AGON_PROBE, probe->probes[0] = 0, "probe task: field probes");
    BAD(AGON_PROBE, probe->generation = -1, "generation");
#undef BAD
}

/* Promise: so is a result. */
static void test_result_ranges(void** unused) {
#define BAD(KIND, CHANGE, WORDS)                                                                   \
    do {                                                                                           \
        agon_error error = {0};                                                                    \
        agon_result result = example_result(KIND);                                                 \
        message m;                                                                                 \
        CHANGE;                                                                                    \
        assert_int_not_equal(agon_result_encode(&result, &m.data, &m.size, &error), AGON_OK);      \
        if (!strstr(error.text, WORDS))                                                            \
            fail_msg("\"%s\" lacks \"%s\"", error.text, WORDS);                                    \
        agon_result_clear(&result);                                                                \
    } while (0)
    BAD(AGON_TRAIN, result.as.train.stats.grad_norm = NAN, "field grad_norm: not finite");
    BAD(AGON_TRAIN, result.as.train.steps = UINT64_MAX, "field steps");
    BAD(AGON_TRAIN, result.as.train.snapshot[0] = 0, "field snapshot");
    BAD(AGON_TRAIN, result.blob[1].data[0] ^= 1, "its bytes hash to");
    BAD(AGON_MATCH, result.as.match.seats = 0, "no seats");
    BAD(AGON_MATCH, result.as.match.seats = 33, "at most 32");
    BAD(AGON_MATCH, result.as.match.tally[1].wins = 1, "do not add up to games");
    BAD(AGON_MATCH, result.as.match.tally[1].wins = INT64_MAX, "do not add up to games");
    BAD(AGON_MATCH, result.as.match.feature[0].col = NAN, "field col: not finite");
    BAD(AGON_MATCH, result.as.match.stat[0] = INFINITY, "field stat: not finite");
    BAD(AGON_MATCH, result.as.match.stats = 17, "at most 16");
    BAD(AGON_MATCH, result.as.match.pair_sum = INFINITY, "field pair_sum: not finite");
    BAD(AGON_PROBE, result.as.probe.probability[2] = NAN, "field probability[2] = nan");
    BAD(AGON_PROBE, result.as.probe.probability[5] = 1.5f, "field probability[5] = 1.5");
    BAD(AGON_PROBE, result.as.probe.value = INFINITY, "field value: infinite");
    BAD(AGON_PROBE, result.as.probe.nash_conv = NAN, "field nash_conv: expected");
#undef BAD
}

/* ---- hostile messages --------------------------------------------------------------------- */

/* Promise: no prefix of a message is taken for the message. */
static void test_truncation(void** unused) {
    for (int kind = AGON_TRAIN; kind <= AGON_PROBE; kind++) {
        agon_result result = example_result((agon_task_kind)kind), back;
        const agon_task task = example_task((agon_task_kind)kind);
        agon_task other;
        const message m = encode_task(&task), r = encode_result(&result);
        for (size_t size = 0; size < m.size; size++)
            assert_int_equal(decode_task(m.data, size, &other, NULL), AGON_EFORMAT);
        for (size_t size = 0; size < r.size; size++)
            assert_int_equal(decode_result(r.data, size, &back, NULL), AGON_EFORMAT);
        free(m.data);
        free(r.data);
        agon_result_clear(&result);
    }
}

/* Promise: whatever byte is damaged, decoding ends with an error and an untouched output, or with a
 * message that can be sent on. (The sanitizers judge the rest.) */
static void test_corruption(void** unused) {
    for (int kind = AGON_TRAIN; kind <= AGON_PROBE; kind++) {
        agon_result result = example_result((agon_task_kind)kind), back, before;
        const message m = encode_result(&result);
        memset(&before, 0x5a, sizeof before);
        for (size_t i = 0; i < m.size; i++) {
            for (int value = 0; value < 256; value += 5) {
                const uint8_t kept = m.data[i];
                memcpy(&back, &before, sizeof back);
                m.data[i] = (uint8_t)value;
                if (agon_result_decode(m.data, m.size, &back, NULL) == AGON_OK) {
                    const message again = encode_result(&back);
                    free(again.data);
                    agon_result_clear(&back);
                } else {
                    assert_memory_equal(&back, &before, sizeof back);
                }
                m.data[i] = kept;
            }
        }
        free(m.data);
        agon_result_clear(&result);
    }
}

/* A probe task written by hand, with one field treated specially. */
typedef enum treatment { AS_IS, DROP, TWICE, RENAME, AS_TEXT, AS_NIL, AS_DOUBLE } treatment;

static void pack_text(msgpack_packer* out, const char* text) {
    msgpack_pack_str(out, strlen(text));
    msgpack_pack_str_body(out, text, strlen(text));
}

static void pack_value(msgpack_packer* out, const char* name, treatment how) {
    if (how == AS_TEXT)
        pack_text(out, "text");
    else if (how == AS_NIL)
        msgpack_pack_nil(out);
    else if (how == AS_DOUBLE)
        msgpack_pack_double(out, 1);
    else if (strcmp(name, "ref") == 0 || strcmp(name, "probes") == 0)
        pack_text(out, HASH);
    else if (strcmp(name, "key") == 0 || strcmp(name, "game") == 0)
        pack_text(out, "some_text");
    else
        msgpack_pack_int(out, strcmp(name, "kind") == 0 ? AGON_PROBE : 1);
}

/* Returns how many entries it wrote. */
static int pack_entry(msgpack_packer* out, const char* name, treatment how) {
    const int times = how == DROP ? 0 : how == TWICE ? 2 : 1;
    for (int i = 0; i < times; i++) {
        pack_text(out, how == RENAME ? "nonsense" : name);
        pack_value(out, name, how);
    }
    return times;
}

static const char* const outer[] = {"format", "kind", "key", "seed", "game", "fingerprint"};
static const char* const inner[] = {"generation", "agent", "ref", "probes", "exact_nodes"};

static void pack_map(msgpack_packer* out, const char* const* names, int count, const char* victim,
                     treatment how, int more) {
    int size = count + more;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], victim) == 0)
            size += how == DROP ? -1 : how == TWICE ? 1 : 0;
    msgpack_pack_map(out, (size_t)size);
    for (int i = 0; i < count; i++)
        pack_entry(out, names[i], strcmp(names[i], victim) == 0 ? how : AS_IS);
}

static int decode_crafted(const char* victim, treatment how, agon_error* error) {
    msgpack_sbuffer buffer;
    msgpack_packer out;
    agon_task task;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&out, &buffer, msgpack_sbuffer_write);
    pack_map(&out, outer, 6, victim, how, 1);
    pack_text(&out, "probe");
    pack_map(&out, inner, 5, victim, how, 0);
    const int code = decode_task((const uint8_t*)buffer.data, buffer.size, &task, error);
    msgpack_sbuffer_destroy(&buffer);
    return code;
}

/* Promise: a field that is missing, repeated, unknown or of another type is refused by name. */
static void test_fields(void** unused) {
    static const treatment treatments[] = {DROP, TWICE, RENAME, AS_TEXT, AS_NIL, AS_DOUBLE};
    agon_error error = {0};
    assert_int_equal(decode_crafted("", AS_IS, &error), AGON_OK);
    for (int i = 0; i < 11; i++) {
        const char* victim = i < 6 ? outer[i] : inner[i - 6];
        const bool text = i == 2 || i == 4 || i == 8;
        for (int t = 0; t < 6; t++) {
            if (text && treatments[t] == AS_TEXT)
                continue;
            assert_int_equal(decode_crafted(victim, treatments[t], &error), AGON_EFORMAT);
            const char* word = treatments[t] == RENAME   ? "unknown field nonsense"
                               : treatments[t] == AS_NIL ? "a type that is not used"
                                                         : victim;
            /* Without a kind the message is judged as the first kind: by the kind's name. */
            if (!strstr(error.text, word))
                fail_msg("%s, %d: \"%s\"", victim, (int)treatments[t], error.text);
        }
    }
    decode_crafted("agent", DROP, &error);
    assert_string_equal(error.text, "probe task: field agent is missing before ref");
    decode_crafted("exact_nodes", DROP, &error);
    assert_string_equal(error.text, "probe task: field exact_nodes is missing");
    decode_crafted("agent", TWICE, &error);
    assert_string_equal(error.text, "probe task: field agent is repeated");
}

/* Promise: bombs are refused before anything is allocated for them. */
static void test_bombs(void** unused) {
    uint8_t deep[64];
    agon_task task;
    agon_error error = {0};
    memset(deep, 0x91, sizeof deep);
    assert_int_equal(decode_task(deep, sizeof deep, &task, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "nested too deeply"));
    static const uint8_t wide[] = {0xdf, 0xff, 0xff, 0xff, 0xff, 0x00};
    assert_int_equal(decode_task(wide, sizeof wide, &task, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "count that is too large"));
    static const uint8_t long_text[] = {0xdb, 0xff, 0xff, 0xff, 0xff, 0x00};
    assert_int_equal(decode_task(long_text, sizeof long_text, &task, &error), AGON_EFORMAT);
    static const uint8_t extension[] = {0xd4, 0x01, 0x00};
    assert_int_equal(decode_task(extension, sizeof extension, &task, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "a type that is not used"));
    const size_t size = 5 + 70000;
    uint8_t* many = calloc(1, size);
    memcpy(many, (uint8_t[]){0xdd, 0x00, 0x01, 0x11, 0x70}, 5);
    assert_int_equal(decode_task(many, size, &task, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "too many values"));
    free(many);
}

/* Promise: another format number is refused with a hint, and bytes after a message are, too. */
static void test_format_and_tail(void** unused) {
    agon_error error = {0};
    agon_task back;
    const agon_task task = example_task(AGON_PROBE);
    const message m = encode_task(&task);
    uint8_t* longer = malloc(m.size + 1);
    memcpy(longer, m.data, m.size);
    longer[m.size] = 0;
    assert_int_equal(decode_task(longer, m.size + 1, &back, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "bytes after its end"));
    free(longer);
    m.data[1 + 1 + strlen("format")] = AGON_TASK_FORMAT + 1;
    assert_int_equal(decode_task(m.data, m.size, &back, &error), AGON_EFORMAT);
    assert_string_equal(error.text, "task: format 2; expected 1");
    assert_non_null(strstr(error.hint, "same version"));
    free(m.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task_round_trip), cmocka_unit_test(test_result_round_trip),
        cmocka_unit_test(test_birth),           cmocka_unit_test(test_task_ranges),
        cmocka_unit_test(test_result_ranges),   cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_corruption),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_bombs),           cmocka_unit_test(test_format_and_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
