/* fuzz_codec.c: any bytes are a task, a result or neither; what was decoded can be encoded, and
 * then it is canonical: it decodes to the same bytes again. The first byte chooses task or result.
 */
#include "engine/task.h"
#include "tests/fuzz/fuzz.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void seed_message(const char* dir, const char* name, char first, uint8_t* data,
                         size_t size) {
    uint8_t* seed = malloc(size + 1);
    seed[0] = (uint8_t)first;
    memcpy(seed + 1, data, size);
    fuzz_seed(dir, name, seed, size + 1);
    free(seed);
    free(data);
}

static void seed_tasks(const char* dir) {
    agon_task task = {.kind = AGON_TRAIN, .key = "train/0/0", .game = "game"};
    uint8_t* data;
    size_t size;
    task.as.train = (agon_train_task){.net = "4-3-2 relu",
                                      .opponents = 1,
                                      .opponent = {"random"},
                                      .lanes = 4,
                                      .horizon = 4,
                                      .rollouts = 1};
    task.as.train.ppo = (agon_ppo){.discount = 1, .epochs = 1, .minibatches = 1};
    MUST(agon_task_encode(&task, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "task_train", 't', data, size);
    strcpy(task.as.train.net, "2x2x1-conv3k1-mingru5-2 tanh");
    MUST(agon_task_encode(&task, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "task_deep", 't', data, size);
    task.kind = AGON_MATCH;
    task.as.match = (agon_match_task){.row_ref = HASH, .col_ref = "random", .games = 2};
    MUST(agon_task_encode(&task, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "task_match", 't', data, size);
    task.kind = AGON_PROBE;
    task.as.probe = (agon_probe_task){.ref = HASH, .probes = HASH};
    MUST(agon_task_encode(&task, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "task_probe", 't', data, size);
}

static void seed_results(const char* dir) {
    static float probability[4] = {0.5f, 0.5f, 0, 1};
    static uint8_t byte[1] = {7};
    agon_result result = {.kind = AGON_TRAIN, .key = "train/0/0", .blobs = 1};
    uint8_t* data;
    size_t size;
    result.as.train = (agon_train_result){.learner = HASH, .snapshot = HASH};
    result.blob[0] = (agon_bytes){.data = byte, .size = 1};
    agon_sha256(byte, 1, result.blob[0].hash);
    MUST(agon_result_encode(&result, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "result_train", 'r', data, size);
    result.kind = AGON_MATCH;
    result.blobs = 0;
    result.as.match = (agon_match_result){.seats = 2, .tally[0] = {2, 1, 0, 1, 0, 2}};
    MUST(agon_result_encode(&result, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "result_match", 'r', data, size);
    result.kind = AGON_PROBE;
    result.as.probe =
        (agon_probe_result){.states = 2, .actions = 2, .probability = probability, .exact = 1};
    MUST(agon_result_encode(&result, &data, &size, NULL) == AGON_OK);
    seed_message(dir, "result_probe", 'r', data, size);
}

static void fuzz_seeds(const char* dir) {
    seed_tasks(dir);
    seed_results(dir);
}

static void must_equal(uint8_t* a, size_t a_size, uint8_t* b, size_t b_size) {
    MUST(a_size == b_size && memcmp(a, b, a_size) == 0);
    free(a);
    free(b);
}

static void try_task(const uint8_t* data, size_t size) {
    agon_task task;
    agon_error error = {0};
    uint8_t *first, *second;
    size_t first_size, second_size;
    MUST(agon_task_decode(data, size, &task, &error) == error.code);
    if (error.code != AGON_OK)
        return;
    MUST(agon_task_encode(&task, &first, &first_size, NULL) == AGON_OK);
    MUST(agon_task_decode(first, first_size, &task, NULL) == AGON_OK);
    MUST(agon_task_encode(&task, &second, &second_size, NULL) == AGON_OK);
    must_equal(first, first_size, second, second_size);
}

static void try_result(const uint8_t* data, size_t size) {
    agon_result result, again;
    agon_error error = {0};
    uint8_t *first, *second;
    size_t first_size, second_size;
    MUST(agon_result_decode(data, size, &result, &error) == error.code);
    if (error.code != AGON_OK)
        return;
    MUST(agon_result_encode(&result, &first, &first_size, NULL) == AGON_OK);
    MUST(agon_result_decode(first, first_size, &again, NULL) == AGON_OK);
    MUST(agon_result_encode(&again, &second, &second_size, NULL) == AGON_OK);
    must_equal(first, first_size, second, second_size);
    agon_result_clear(&result);
    agon_result_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0)
        return 0;
    if (data[0] == 'r')
        try_result(data + 1, size - 1);
    else
        try_task(data + 1, size - 1);
    return 0;
}
