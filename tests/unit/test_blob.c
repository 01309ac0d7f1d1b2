/* test_blob.c: safetensors out and in, and nets as blobs. */
#include "engine/blob.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- by hand ------------------------------------------------------------------------------ */

/* A file with this header text and `data` bytes of zeros. Freed by the caller. */
static uint8_t* craft(const char* header, size_t data, size_t* size) {
    const uint64_t length = strlen(header);
    uint8_t* bytes = calloc(1, 8 + length + data + 1);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    *size = 8 + length + data;
    return bytes;
}

/* A copy in a block of exactly `size` bytes, so that the sanitizer sees the first one beyond. */
static int decode_exactly(const uint8_t* data, size_t size, agon_blob* out, agon_error* error) {
    uint8_t* copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    const int code = agon_blob_decode(copy, size, "x", out, error);
    free(copy);
    return code;
}

static void header_fails(const char* header, size_t data, const char* words) {
    static agon_blob blob, before;
    agon_error error = {0};
    size_t size;
    uint8_t* bytes = craft(header, data, &size);
    memset(&blob, 0x5a, sizeof blob);
    before = blob;
    if (decode_exactly(bytes, size, &blob, &error) != AGON_EFORMAT)
        fail_msg("accepted %s", header);
    if (!strstr(error.text, words))
        fail_msg("%s: \"%s\" lacks \"%s\"", header, error.text, words);
    assert_memory_equal(&blob, &before, sizeof blob);
    free(bytes);
}

static void header_passes(const char* header, size_t data) {
    static agon_blob blob;
    agon_error error = {0};
    size_t size;
    uint8_t* bytes = craft(header, data, &size);
    if (decode_exactly(bytes, size, &blob, &error) != AGON_OK)
        fail_msg("%s: %s", header, error.text);
    free(bytes);
}

#define F32(name, shape, begin, end)                                                               \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"

/* Promise: what the format allows is read, whoever wrote it. */
static void test_foreign_headers(void** unused) {
    header_passes("{}", 0);
    header_passes(" { } \n", 0);
    header_passes("{" F32("a", "2", "0", "8") "}   ", 8);
    header_passes("{" F32("a", "", "0", "4") "}", 4);
    header_passes("{" F32("a", "0,9007199254740992", "0", "0") "}", 0);
    header_passes("{" F32("a", "2", "0", "8") ",\"__metadata__\":{\"k\":\"\\u00e9\\n\"}}", 8);
    header_passes("{\"a\":{\"data_offsets\":[0,8],\"shape\":[1],\"dtype\":\"I64\"}}", 8);
}

/* Promise: a header that lies is refused, whatever it lies about, and nothing is written. */
static void test_hostile_headers(void** unused) {
    header_fails("", 0, "not JSON");
    header_fails("[]", 0, "not a JSON object");
    header_fails("{", 0, "not JSON");
    header_fails("{}x", 0, "not JSON");
    header_fails("{} {}", 0, "not JSON");
    header_fails("{\"1\":1,", 0, "not JSON");
    header_fails("{\"a\\u0000b\":{}}", 0, "zero character");
    header_fails("{\"a\x01\":{}}", 0, "control character");
    header_fails("[[[[[[[[[[[[[[[[", 0, "nested too deeply");
    header_fails("{\"a\":1}", 0, "a: expected dtype, shape and data_offsets");
    header_fails("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "expected dtype");
    header_fails("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}",
                 4, "expected dtype");
    header_fails("{\"a\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2,
                 "a: dtype BF16; expected");
    header_fails("{" F32("a", "-1", "0", "4") "}", 4, "whole numbers");
    header_fails("{" F32("a", "1.5", "0", "4") "}", 4, "whole numbers");
    header_fails("{" F32("a", "1e300", "0", "4") "}", 4, "whole numbers");
    header_fails("{" F32("a", "1e999", "0", "4") "}", 4, "whole numbers");
    header_fails("{" F32("a", "\"1\"", "0", "4") "}", 4, "whole numbers");
    header_fails("{" F32("a", "1,1,1,1,1", "0", "4") "}", 4, "more than 4 dimensions");
    header_fails("{" F32("a", "4294967296,4294967296", "0", "0") "}", 0, "shape too large");
    header_fails("{" F32("a", "4611686018427387904", "0", "0") "}", 0, "whole numbers");
    header_fails("{" F32("a", "2", "0", "4") "}", 4, "4 bytes; expected 8 for its shape");
    header_fails("{" F32("a", "2", "0", "8") "}", 4, "end within 4");
    header_fails("{" F32("a", "2", "0", "8") "}", 12, "12 bytes of data; expected the 8");
    header_fails("{" F32("a", "1", "4", "8") "}", 8, "begin at 0");
    header_fails("{" F32("a", "1", "4", "0") "}", 8, "begin at 0");
    header_fails("{" F32("a", "1", "0", "-4") "}", 8, "two whole numbers");
    header_fails("{" F32("a", "1", "0", "4,4") "}", 8, "two whole numbers");
    header_fails("{" F32("a", "1", "0", "4") "," F32("b", "1", "0", "4") "}", 4, "begin at 4");
    header_fails("{" F32("a", "1", "0", "4") "," F32("b", "1", "8", "12") "}", 12, "begin at 4");
    header_fails("{" F32("a", "1", "0", "4") "," F32("a", "1", "4", "8") "}", 8, "given twice");
    header_fails("{" F32("a\\u001b", "1", "0", "4") "}", 4, "printable");
    header_fails("{\"__metadata__\":1}", 0, "object of strings");
    header_fails("{\"__metadata__\":{\"k\":1}}", 0, "not a string");
    header_fails("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "given twice");
    header_fails("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "given twice");
}

/* Promise: the header's length is checked against the file and a cap before it is believed. */
static void test_hostile_lengths(void** unused) {
    static agon_blob blob;
    const uint64_t lengths[] = {1, 100, (1u << 20) + 1, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        assert_int_equal(decode_exactly((const uint8_t*)&lengths[i], 8, &blob, NULL), AGON_EFORMAT);
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(decode_exactly((const uint8_t*)"\0\0\0\0\0\0\0", size, &blob, NULL),
                         AGON_EFORMAT);
    /* One byte over the cap, and there: the cap is what refuses it. */
    char* big = malloc((1 << 20) + 2);
    memset(big, ' ', (1 << 20) + 1);
    memcpy(big, "{}", 2);
    big[(1 << 20) + 1] = '\0';
    header_fails(big, 0, "header of 1048577 bytes");
    free(big);
}

/* ---- ours --------------------------------------------------------------------------------- */

static void build(agon_blob* blob, bool other_order) {
    static const float floats[6] = {1, -2, 0.5f, 3e38f, 1e-45f, -0.0f};
    static const uint8_t bytes[3] = {1, 2, 255};
    static const double one = 0.1;
    agon_blob_begin(blob);
    agon_blob_add_meta(blob, other_order ? "zeta" : "alpha", "%s", other_order ? "2" : "a\"\\\n/");
    agon_blob_add_meta(blob, other_order ? "alpha" : "zeta", "%s", other_order ? "a\"\\\n/" : "2");
    agon_blob_add_tensor(blob, "odd", AGON_BLOB_U8, 1, (int64_t[]){3}, bytes);
    agon_blob_add_tensor(blob, "w", AGON_BLOB_F32, 2, (int64_t[]){2, 3}, floats);
    agon_blob_add_tensor(blob, "none", AGON_BLOB_I32, 2, (int64_t[]){0, 4}, NULL);
    agon_blob_add_tensor(blob, "scalar", AGON_BLOB_F64, 0, NULL, &one);
}

/* Promise: what goes in comes out, unaligned tensors, empty ones and escapes included. */
static void test_round_trip(void** unused) {
    static agon_blob blob, back, again;
    agon_bytes bytes, copy;
    agon_error error = {0};
    build(&blob, false);
    assert_int_equal(agon_blob_encode(&blob, &bytes, &error), AGON_OK);
    uint64_t header;
    memcpy(&header, bytes.data, 8);
    assert_int_equal(header % 8, 0);
    if (agon_blob_decode(bytes.data, bytes.size, "x", &back, &error) != AGON_OK)
        fail_msg("%s", error.text);
    assert_int_equal(back.tensors, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(back.tensor[i].name, blob.tensor[i].name);
        assert_int_equal(back.tensor[i].bytes, blob.tensor[i].bytes);
        assert_memory_equal(back.tensor[i].shape, blob.tensor[i].shape,
                            sizeof blob.tensor[i].shape);
        if (blob.tensor[i].bytes)
            assert_memory_equal(back.tensor[i].data, blob.tensor[i].data, blob.tensor[i].bytes);
    }
    assert_string_equal(agon_blob_meta_find(&back, "alpha"), "a\"\\\n/");
    assert_null(agon_blob_meta_find(&back, "beta"));
    assert_null(agon_blob_tensor_find(&back, "W"));
    assert_int_equal(agon_blob_encode(&back, &copy, &error), AGON_OK);
    assert_int_equal(copy.size, bytes.size);
    assert_memory_equal(copy.data, bytes.data, bytes.size);
    free(copy.data);
    /* Equal contents, equal bytes: the order in which metadata were added does not show. */
    build(&again, true);
    assert_int_equal(agon_blob_encode(&again, &copy, &error), AGON_OK);
    assert_string_equal(copy.hash, bytes.hash);
    free(copy.data);
    free(bytes.data);
}

/* Promise: SHA-256 is FIPS 180-4's: its own test vectors. */
static void test_sha256(void** unused) {
    char hash[AGON_HASH_SIZE];
    agon_sha256("abc", 3, hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    agon_sha256("", 0, hash);
    assert_string_equal(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* ---- nets --------------------------------------------------------------------------------- */

static const agon_net small = {.inputs = 5, .layers = 2, .hidden = {4, 3}, .actions = 2};

static const agon_snapshot_info about = {.game = "some_game(size=3)",
                                         .layout = "1x5x1 u8 scale 1: cells",
                                         .agent = 3,
                                         .generation = 17,
                                         .steps = UINT64_MAX - 1};

/* A learner without a backend: what blobs hold needs none. */
static agon_learner* make_learner(const agon_net* net, float* block, float first) {
    static agon_learner learner;
    const size_t size = agon_net_size(net);
    for (size_t i = 0; i < 3 * size; i++)
        block[i] = first + (float)i * 0.37f;
    learner = (agon_learner){.net = *net,
                             .params = block,
                             .moment1 = block + size,
                             .moment2 = block + 2 * size,
                             .beta1_power = 0.1 + 0.2,
                             .beta2_power = 0x1.fffffffffffffp-2,
                             .updates = 12345678901234567ull,
                             .steps = 77};
    return &learner;
}

/* Promise: a snapshot is its net, exactly. */
static void test_snapshot(void** unused) {
    float block[200], *params = NULL;
    agon_error error = {0};
    agon_bytes bytes;
    agon_net net;
    agon_snapshot_info info;
    const agon_learner* learner = make_learner(&small, block, -1e-40f);
    const size_t size = agon_net_size(&small) * sizeof(float);
    assert_int_equal(agon_snapshot_encode(&small, learner->params, &about, &bytes, &error),
                     AGON_OK);
    if (agon_snapshot_decode(bytes.data, bytes.size, "x", &net, &params, &info, &error) != AGON_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(params, learner->params, size);
    assert_int_equal(net.inputs, 5);
    assert_int_equal(net.layers, 2);
    assert_int_equal(net.hidden[1], 3);
    assert_string_equal(info.game, about.game);
    assert_string_equal(info.layout, about.layout);
    assert_int_equal(info.agent, 3);
    assert_int_equal(info.generation, 17);
    assert_true(info.steps == about.steps);
    free(params);
    free(bytes.data);
}

/* Promise: a learner comes back to the last bit, so that training goes on as if it had not left;
 * and it serves as a snapshot, too. */
static void test_learner(void** unused) {
    float block[200], other[200], *params;
    agon_error error = {0};
    agon_bytes bytes, again;
    agon_net net;
    agon_snapshot_info info;
    const size_t size = agon_net_size(&small) * sizeof(float);
    const agon_learner saved = *make_learner(&small, block, 0.1f);
    assert_int_equal(agon_learner_encode(&saved, &about, &bytes, &error), AGON_OK);
    agon_learner* back = make_learner(&small, other, 9);
    back->updates = back->steps = 0;
    back->beta1_power = back->beta2_power = 1;
    if (agon_learner_decode(bytes.data, bytes.size, "x", back, &info, &error) != AGON_OK)
        fail_msg("%s", error.text);
    assert_memory_equal(block, other, 3 * size);
    assert_true(back->beta1_power == saved.beta1_power && back->beta2_power == saved.beta2_power);
    assert_true(back->updates == saved.updates && back->steps == 77 && info.steps == 77);
    assert_int_equal(agon_learner_encode(back, &info, &again, &error), AGON_OK);
    assert_string_equal(again.hash, bytes.hash);
    free(again.data);
    assert_int_equal(agon_snapshot_decode(bytes.data, bytes.size, "x", &net, &params, NULL, &error),
                     AGON_OK);
    assert_memory_equal(params, block, size);
    free(params);
    free(bytes.data);
}

/* Decodes into a learner and says whether anything of it changed. */
static int learner_fails(const agon_bytes* bytes, const agon_net* net, const char* words) {
    float block[400], before[400];
    agon_error error = {0};
    agon_learner* learner = make_learner(net, block, 2);
    const agon_learner copy = *learner;
    memset(before, 0, sizeof before);
    memcpy(before, block, 3 * agon_net_size(net) * sizeof(float));
    const int code = agon_learner_decode(bytes->data, bytes->size, "blob x", learner, NULL, &error);
    assert_int_not_equal(code, AGON_OK);
    assert_memory_equal(block, before, 3 * agon_net_size(net) * sizeof(float));
    assert_memory_equal(learner, &copy, sizeof copy);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
    return code;
}

/* Promise: numbers that are not finite go neither out nor in, and the message names the tensor. */
static void test_wild_numbers(void** unused) {
    float block[200];
    agon_error error = {0};
    agon_bytes bytes;
    agon_learner* learner = make_learner(&small, block, 1);
    assert_int_equal(agon_learner_encode(learner, &about, &bytes, &error), AGON_OK);
    const uint32_t nan = 0x7fc00000, minus = 0xbf800000; /* -1 */
    memcpy(bytes.data + bytes.size - 4, &nan, 4);
    learner_fails(&bytes, &small, "moment2.value.bias");
    memcpy(bytes.data + bytes.size - 4, &minus, 4); /* a mean of squares */
    learner_fails(&bytes, &small, "moment2.value.bias");
    free(bytes.data);
    block[agon_net_size(&small) - 1] = INFINITY;
    assert_int_equal(agon_snapshot_encode(&small, block, &about, &bytes, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "value.bias[0]"));
    assert_non_null(strstr(error.hint, "learning_rate"));
}

/* Promise: a learner goes only into a learner of its own architecture; a snapshot into none. */
static void test_architecture(void** unused) {
    float block[400];
    agon_error error = {0};
    agon_bytes bytes;
    agon_net wide = small, tanh = small;
    wide.hidden[1] = 4;
    tanh.activation = AGON_TANH;
    const agon_learner* learner = make_learner(&small, block, 1);
    assert_int_equal(agon_learner_encode(learner, &about, &bytes, &error), AGON_OK);
    learner_fails(&bytes, &wide, "5-4-3-2 relu; expected 5-4-4-2 relu");
    learner_fails(&bytes, &tanh, "expected 5-4-3-2 tanh");
    free(bytes.data);
    learner = make_learner(&small, block, 1);
    assert_int_equal(agon_snapshot_encode(&small, learner->params, &about, &bytes, &error),
                     AGON_OK);
    learner_fails(&bytes, &small, "a snapshot; expected a learner");
    free(bytes.data);
}

/* The blob with one metadata value changed, or removed with value NULL. */
static void change_meta(const agon_bytes* from, const char* key, const char* value,
                        agon_bytes* out) {
    static agon_blob in, changed;
    assert_int_equal(agon_blob_decode(from->data, from->size, "x", &in, NULL), AGON_OK);
    agon_blob_begin(&changed);
    for (int i = 0; i < in.metas; i++) {
        const bool hit = strcmp(in.meta[i].key, key) == 0;
        if (!hit || value)
            agon_blob_add_meta(&changed, in.meta[i].key, "%s", hit ? value : in.meta[i].value);
    }
    for (int i = 0; i < in.tensors; i++)
        agon_blob_add_tensor(&changed, in.tensor[i].name, in.tensor[i].dtype, in.tensor[i].dims,
                             in.tensor[i].shape, in.tensor[i].data);
    assert_int_equal(agon_blob_encode(&changed, out, NULL), AGON_OK);
}

/* Promise: every metadata value is needed and checked. */
static void test_metadata(void** unused) {
    static const struct {
        const char *key, *value;
    } cases[] = {
        {"format", NULL},
        {"format", "agon.learner/2"},
        {"net", NULL},
        {"net", "5-4-3 relu"},
        {"net", "5-4-3-3 relu"},
        {"net", "999999999-2 relu"},
        {"game", NULL},
        {"game", "a\x1b"},
        {"layout", NULL},
        {"agent", NULL},
        {"agent", "-1"},
        {"agent", "2147483648"},
        {"generation", "1x"},
        {"generation", ""},
        {"steps", "18446744073709551616"},
        {"updates", "+1"},
        {"updates", NULL},
        {"beta1_power", "nan"},
        {"beta1_power", "1.1"},
        {"beta1_power", "0.5 "},
        {"beta2_power", ""},
        {"beta2_power", "-0.001"},
        {"beta2_power", NULL},
        {"net", "5-4-3-2 RELU"},
    };
    float block[200];
    agon_bytes bytes, changed;
    const agon_learner* learner = make_learner(&small, block, 1);
    assert_int_equal(agon_learner_encode(learner, &about, &bytes, NULL), AGON_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        change_meta(&bytes, cases[i].key, cases[i].value, &changed);
        learner_fails(&changed, &small, "blob x: ");
        free(changed.data);
    }
    free(bytes.data);
}

/* Promise: no prefix of a file is taken for the file. */
static void test_truncation(void** unused) {
    float block[200];
    agon_bytes bytes;
    static agon_blob blob;
    const agon_learner* learner = make_learner(&small, block, 1);
    assert_int_equal(agon_snapshot_encode(&small, learner->params, &about, &bytes, NULL), AGON_OK);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(decode_exactly(bytes.data, size, &blob, NULL), AGON_EFORMAT);
    free(bytes.data);
}

/* Promise: whatever byte is damaged, decoding ends with an error or with a net, never otherwise.
 * (The sanitizers are the judges; here the outputs are.) */
static void test_corruption(void** unused) {
    float block[200], *params;
    agon_bytes bytes;
    agon_net net;
    const agon_learner* learner = make_learner(&small, block, 1);
    assert_int_equal(agon_snapshot_encode(&small, learner->params, &about, &bytes, NULL), AGON_OK);
    for (size_t i = 0; i < bytes.size; i++) {
        static const uint8_t flips[] = {0x01, 0x20, 0x80, 0xff};
        for (size_t f = 0; f < sizeof flips; f++) {
            agon_error error = {0};
            bytes.data[i] ^= flips[f];
            params = NULL;
            const int code =
                agon_snapshot_decode(bytes.data, bytes.size, "x", &net, &params, NULL, &error);
            assert_int_equal(code == AGON_OK, params != NULL);
            assert_int_equal(code, error.code);
            free(params);
            bytes.data[i] ^= flips[f];
        }
    }
    free(bytes.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_headers), cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_hostile_lengths), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_sha256),          cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_learner),         cmocka_unit_test(test_wild_numbers),
        cmocka_unit_test(test_architecture),    cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_truncation),      cmocka_unit_test(test_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
