/* fuzz_blob.c: any bytes are a blob or not one; a blob that was read can be written and read back,
 * and is a snapshot or a learner only if every number in it is. */
#include "engine/blob.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

static const agon_net small = {.inputs = 2, .layers = 1, .hidden = {3}, .actions = 2};
static const agon_net deep = {.inputs = 4,
                              .layers = 3,
                              .hidden = {2, 3, 2},
                              .actions = 2,
                              .kind = {AGON_CONV, AGON_DENSE, AGON_MINGRU},
                              .kernel = {3},
                              .planes = 1,
                              .rows = 2,
                              .cols = 2};
#define FLOATS (3 * 24) /* at least those of a learner of `small`, and a snapshot of `deep` */

static agon_learner learner_of(float* block) {
    const size_t size = agon_net_size(&small);
    MUST(3 * size <= FLOATS);
    return (agon_learner){.net = small,
                          .params = block,
                          .moment1 = block + size,
                          .moment2 = block + 2 * size,
                          .beta1_power = 0.9,
                          .beta2_power = 0.999};
}

static void fuzz_seeds(const char* dir) {
    static const agon_snapshot_info info = {.game = "game", .layout = "1x2x1 f32 scale 1: x"};
    static const uint8_t odd[3] = {1, 2, 3};
    float block[FLOATS] = {0.5f};
    agon_blob blob;
    agon_bytes bytes;
    const agon_learner learner = learner_of(block);
    MUST(agon_learner_encode(&learner, &info, &bytes, NULL) == AGON_OK);
    fuzz_seed(dir, "learner", bytes.data, bytes.size);
    free(bytes.data);
    MUST(agon_snapshot_encode(&small, block, &info, &bytes, NULL) == AGON_OK);
    fuzz_seed(dir, "snapshot", bytes.data, bytes.size);
    free(bytes.data);
    MUST(agon_net_size(&deep) <= FLOATS);
    MUST(agon_snapshot_encode(&deep, block, &info, &bytes, NULL) == AGON_OK);
    fuzz_seed(dir, "deep", bytes.data, bytes.size);
    free(bytes.data);
    agon_blob_begin(&blob);
    agon_blob_add_meta(&blob, "k", "%s", "a\"\\\n");
    agon_blob_add_tensor(&blob, "odd", AGON_BLOB_U8, 1, (int64_t[]){3}, odd);
    agon_blob_add_tensor(&blob, "x", AGON_BLOB_F32, 2, (int64_t[]){2, 3}, block);
    MUST(agon_blob_encode(&blob, &bytes, NULL) == AGON_OK);
    fuzz_seed(dir, "mixed", bytes.data, bytes.size);
    free(bytes.data);
}

static void try_blob(const uint8_t* data, size_t size) {
    static agon_blob blob, again;
    agon_bytes bytes, twice;
    agon_error error = {0};
    MUST(agon_blob_decode(data, size, "fuzz", &blob, &error) == error.code);
    if (error.code != AGON_OK)
        return;
    MUST(agon_blob_encode(&blob, &bytes, NULL) == AGON_OK);
    MUST(agon_blob_decode(bytes.data, bytes.size, "fuzz", &again, NULL) == AGON_OK);
    MUST(agon_blob_encode(&again, &twice, NULL) == AGON_OK);
    MUST(strcmp(bytes.hash, twice.hash) == 0);
    free(twice.data);
    free(bytes.data);
}

static void check_text(const agon_net* net) {
    char text[AGON_NET_TEXT];
    agon_net again;
    MUST(agon_net_format(net, text, sizeof text) < (int)sizeof text);
    MUST(agon_net_parse(text, &again, NULL) == AGON_OK);
    MUST(memcmp(net, &again, sizeof again) == 0);
}

static void try_net(const uint8_t* data, size_t size) {
    float *params = NULL, block[FLOATS] = {0};
    agon_net net;
    agon_learner learner = learner_of(block);
    if (agon_snapshot_decode(data, size, "fuzz", &net, &params, NULL, NULL) == AGON_OK) {
        check_text(&net);
        for (size_t i = 0; i < agon_net_size(&net); i++)
            MUST(isfinite(params[i]));
    }
    free(params);
    agon_learner_decode(data, size, "fuzz", &learner, NULL, NULL);
    for (size_t i = 0; i < FLOATS; i++)
        MUST(isfinite(block[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try_blob(data, size);
    try_net(data, size);
    return 0;
}
