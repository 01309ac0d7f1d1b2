/* Nets as text and as buffers: what blobs, configs and other languages rely on. */
#include "agents/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const agon_net example = {
    .inputs = 126, .layers = 2, .hidden = {128, 64}, .actions = 7, .activation = AGON_TANH};

/* Promise: the text of an architecture is canonical, and parsing gives the same net back. */
static void text_round_trip(void** state) {
    static const char* const texts[] = {"126-128-64-7 tanh",
                                        "3-2 relu",
                                        "1-1 tanh",
                                        "1048576-4096-4096-1-1-1-1-1-1-65535 relu",
                                        "2x6x7-conv16-conv4k5-128-mingru64-7 relu",
                                        "1048576x1x1-conv1k1-1 tanh",
                                        "9-mingru4-8-mingru2-3 tanh"};
    char out[AGON_NET_TEXT];
    agon_net net;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(agon_net_parse(texts[i], &net, NULL), 0);
        assert_int_equal(agon_net_format(&net, out, sizeof out), (int)strlen(texts[i]));
        assert_string_equal(out, texts[i]);
    }
    assert_int_equal(agon_net_format(&example, out, 5), 17); /* as snprintf: cut, length told */
    assert_string_equal(out, "126-");
    assert_int_equal(agon_net_format(&example, NULL, 0), 17);
}

/* Promise: text from outside is refused with a message that quotes it, and the output stays. */
static void text_refused(void** state) {
    static const char* const texts[] = {"",
                                        "relu",
                                        "126",
                                        "126 relu",
                                        "126-7",
                                        "126-7 relu ",
                                        "126-7  relu",
                                        "126-7 gelu",
                                        "126--7 relu",
                                        "-126-7 relu",
                                        "0-7 relu",
                                        "126-0 relu",
                                        "126-0-7 relu",
                                        "126-4097-7 relu",
                                        "1048577-7 relu",
                                        "126-65536 relu",
                                        "9999999999-7 relu",
                                        "99999999999999999999-7 relu",
                                        "1-1-1-1-1-1-1-1-1-1-1 relu",
                                        "126-7.5 relu",
                                        "126-+7 relu",
                                        "0x10-7 relu",
                                        "2x6x7-128-7 relu",
                                        "84-conv16-7 relu",
                                        "2x6-conv16-7 relu",
                                        "2x6x7x8-conv16-7 relu",
                                        "2x0x7-conv16-7 relu",
                                        "1024x1024x2-conv16-7 relu",
                                        "2x6x7-conv-7 relu",
                                        "2x6x7-conv16k-7 relu",
                                        "2x6x7-conv16k4-7 relu",
                                        "2x6x7-conv16k17-7 relu",
                                        "2x6x7-conv16k3k3-7 relu",
                                        "2x6x7-8-conv16-7 relu",
                                        "2x600x700-conv16-7 relu",
                                        "1048576x1x1-conv1k3-7 relu",
                                        "84-mingru-7 relu",
                                        "84-mingru0-7 relu",
                                        "84-mingru4097-7 relu",
                                        "84-gru8-7 relu",
                                        "84-conv000000016k0000000030000000-7 relu",
                                        "84-8"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        agon_net net = example;
        agon_error error = {0};
        assert_int_equal(agon_net_parse(texts[i], &net, &error), AGON_EINVALID);
        assert_int_equal(error.code, AGON_EINVALID);
        assert_non_null(strstr(error.text, texts[i]));
        assert_true(strlen(error.hint) > 0);
        assert_memory_equal(&net, &example, sizeof net);
    }
}

/* Promise: the buffer's layout is the documented one, without gaps. */
static void buffer_layout(void** state) {
    static const struct {
        const char* name;
        int rows, cols;
    } want[] = {{"trunk.0.weight", 128, 126}, {"trunk.0.bias", 128, 0}, {"trunk.1.weight", 64, 128},
                {"trunk.1.bias", 64, 0},      {"policy.weight", 7, 64}, {"policy.bias", 7, 0},
                {"value.weight", 1, 64},      {"value.bias", 1, 0}};
    agon_tensor tensors[AGON_MAX_TENSORS];
    size_t offset = 0;
    assert_int_equal(agon_net_tensors(&example, tensors), 8);
    for (int i = 0; i < 8; i++) {
        assert_string_equal(tensors[i].name, want[i].name);
        assert_int_equal(tensors[i].rows, want[i].rows);
        assert_int_equal(tensors[i].cols, want[i].cols);
        assert_int_equal(tensors[i].offset, offset);
        assert_int_equal(tensors[i].count, want[i].rows * (want[i].cols ? want[i].cols : 1));
        offset += tensors[i].count;
    }
    assert_int_equal(agon_net_size(&example), offset);
    assert_int_equal(agon_net_last(&example), 64);
    assert_int_equal(agon_net_last(&(agon_net){.inputs = 9, .actions = 2}), 9);
}

/* Promise: convolutions and minGRUs have the documented tensors; every size agrees with them. */
static void other_layers(void** state) {
    static const struct {
        const char* name;
        int rows, cols;
    } want[] = {{"trunk.0.weight", 16, 18},     {"trunk.0.bias", 16, 0},
                {"trunk.1.weight", 4, 25 * 16}, {"trunk.1.bias", 4, 0},
                {"trunk.2.weight", 10, 4 * 42}, {"trunk.2.bias", 10, 0},
                {"trunk.3.weight", 2 * 64, 10}, {"trunk.3.bias", 2 * 64, 0},
                {"policy.weight", 7, 64},       {"policy.bias", 7, 0},
                {"value.weight", 1, 64},        {"value.bias", 1, 0}};
    agon_tensor tensors[AGON_MAX_TENSORS];
    agon_net net;
    size_t size = 0;
    assert_int_equal(agon_net_parse("2x6x7-conv16-conv4k5-10-mingru64-7 relu", &net, NULL), 0);
    assert_int_equal(agon_net_tensors(&net, tensors), 12);
    for (int i = 0; i < 12; i++) {
        assert_string_equal(tensors[i].name, want[i].name);
        assert_int_equal(tensors[i].rows, want[i].rows);
        assert_int_equal(tensors[i].cols, want[i].cols);
        size += tensors[i].count;
    }
    assert_int_equal(agon_net_size(&net), size);
    assert_int_equal(agon_net_entries(&net, 0), 84);
    assert_int_equal(agon_net_entries(&net, 1), 16 * 42);
    assert_int_equal(agon_net_entries(&net, 2), 4 * 42);
    assert_int_equal(agon_net_last(&net), 64);
    assert_int_equal(agon_net_points(&net, 1), 42);
    assert_int_equal(agon_net_points(&net, 2), 1);
    assert_int_equal(agon_net_memory(&net), 64);
    assert_true(agon_net_flop(&net) ==
                2.0 * (42 * 18 * 16 + 42 * 400 * 4 + 168 * 10 + 10 * 128 + 64 * 8));
}

/* Promise: gates of a new minGRU let its units forget over 1 to some 20 decisions. */
static void first_gates(void** state) {
    agon_net net;
    float params[200];
    agon_tensor tensors[AGON_MAX_TENSORS];
    assert_int_equal(agon_net_parse("3-mingru4-2 relu", &net, NULL), 0);
    assert_true(agon_net_size(&net) <= 200);
    agon_net_tensors(&net, tensors);
    agon_net_init(&net, agon_key_make(1, "train/0/0", AGON_FOR_INIT), params);
    for (int j = 0; j < 4; j++) {
        assert_true(params[tensors[1].offset + (size_t)j] == 0.0f);
        assert_true(params[tensors[1].offset + 4 + (size_t)j] == -(float)j);
    }
    for (size_t j = 0; j < tensors[0].count; j++)
        assert_true(fabsf(params[tensors[0].offset + j]) <= 1.0f); /* gain 1: sqrt(3 / 3) */
}

/* Promise: the largest net that parses has a size without overflow. */
static void largest_size(void** state) {
    agon_net net;
    assert_int_equal(agon_net_parse("1048576-4096-65535 relu", &net, NULL), 0);
    assert_true(agon_net_size(&net) ==
                1048576ull * 4096 + 4096 + 4096ull * 65535 + 65535 + 4096 + 1);
}

/* The bound that a tensor's weights must reach but not pass. */
static double bound_of(const agon_tensor* t, agon_activation activation) {
    if (strcmp(t->name, "policy.weight") == 0)
        return 0.01 * sqrt(3.0 / t->cols);
    if (strcmp(t->name, "value.weight") == 0 || activation == AGON_TANH)
        return sqrt(3.0 / t->cols);
    return sqrt(2.0) * sqrt(3.0 / t->cols);
}

static void check_init(const agon_net* net, const float* params) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    for (int i = 0; i < count; i++) {
        const agon_tensor* t = &tensors[i];
        const double bound = t->cols ? bound_of(t, net->activation) : 0.0;
        double sum = 0.0, squares = 0.0, largest = 0.0;
        for (size_t j = 0; j < t->count; j++) {
            const double x = params[t->offset + j];
            sum += x;
            squares += x * x;
            largest = fmax(largest, fabs(x));
        }
        assert_true(largest <= bound * 1.000001);
        if (t->count < 1000)
            continue;
        assert_true(largest > 0.98 * bound);
        assert_true(fabs(sum / (double)t->count) < 4.0 * bound / sqrt(3.0 * (double)t->count));
        assert_true(fabs(squares / (double)t->count / (bound * bound / 3.0) - 1.0) < 0.1);
    }
}

/* Promise: first weights have the documented bounds and moments, and are a function of the key. */
static void first_weights(void** state) {
    agon_net net = example;
    const size_t size = agon_net_size(&net);
    float* a = malloc(size * sizeof(float));
    float* b = malloc(size * sizeof(float));
    const agon_key key = agon_key_make(1, "train/0/0", AGON_FOR_INIT);
    const agon_key other = agon_key_make(1, "train/0/1", AGON_FOR_INIT);
    assert_non_null(a);
    assert_non_null(b);
    for (int relu = 0; relu < 2; relu++) {
        net.activation = relu ? AGON_RELU : AGON_TANH;
        agon_net_init(&net, key, a);
        agon_net_init(&net, key, b);
        assert_memory_equal(a, b, size * sizeof(float));
        check_init(&net, a);
        agon_net_init(&net, other, b);
        assert_true(memcmp(a, b, size * sizeof(float)) != 0);
    }
    free(a);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_round_trip), cmocka_unit_test(text_refused),
        cmocka_unit_test(buffer_layout),   cmocka_unit_test(largest_size),
        cmocka_unit_test(first_weights),   cmocka_unit_test(other_layers),
        cmocka_unit_test(first_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
