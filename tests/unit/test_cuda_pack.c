/* Promise: parameters are packed for the GPU as they are, each weight once, padding is zero; the
 * kernel and the host give the same bytes. */
#include "tests/cuda/emulate.h"

#include "agents/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_layer(const agon__gpu_net* n, int layer, const float* params,
                        const char* packed) {
    const agon__gpu_linear* linear = &n->linear[layer];
    for (int row = 0; row < linear->rows; row++) {
        const int value = layer == n->layers - 1 && row == linear->out - 1;
        const uint64_t weight =
            value ? n->from_value_weight : linear->from_weight + (uint64_t)(row * linear->in);
        const uint64_t bias = value ? n->from_value_bias : linear->from_bias + (uint64_t)row;
        for (int k = 0; k < linear->stride; k++) {
            float want = row < linear->out && k < linear->in ? params[weight + (uint64_t)k] : 0.0f;
            if (n->mode != AGON__FP32) /* one element, rounded and back */
                agon__put(n->mode, &want, 0, want), want = agon__get(n->mode, &want, 0);
            const float got = agon__get(n->mode, packed + linear->weight,
                                        (size_t)row * (size_t)linear->stride + (size_t)k);
            assert_true(got == want);
        }
        assert_true(((const float*)(packed + linear->bias))[row] ==
                    (row < linear->out ? params[bias] : 0.0f));
    }
}

static void every_weight_has_its_place(void** state) {
    (void)state;
    static const char* const nets[] = {"7-5 relu", "10-4-3 tanh", "126-128-33-7 relu",
                                       "5-17-8-1-9 relu"};
    const emulate_kernel* pack = emulate_find("kernels", "pack");
    for (size_t i = 0; i < 4 * 3; i++) {
        agon_net net;
        assert_int_equal(agon_net_parse(nets[i / 3], &net, NULL), 0);
        const agon__gpu_net n = agon__gpu_net_of(&net, (int)(i % 3));
        assert_int_equal(n.params, agon_net_size(&net));
        const uint64_t stride = n.params + 5;
        float* params = malloc(2 * stride * sizeof *params);
        char *packed = malloc(2 * n.bytes), *alone = malloc(n.bytes);
        for (uint64_t j = 0; j < 2 * stride; j++)
            params[j] = (float)((j * 2654435761u) % 65536) / 65536.0f - 0.5f;
        memset(packed, 0, 2 * n.bytes);
        const agon__pack_args args = {
            .net = n, .count = 2, .stride = stride, .params = params, .packed = packed};
        emulate_run(pack, 3, 4, 0, &args, (int)(i & 1));
        for (int m = 0; m < 2; m++) {
            const float* mine = params + (uint64_t)m * stride;
            for (int layer = 0; layer < n.layers; layer++)
                check_layer(&n, layer, mine, packed + (uint64_t)m * n.bytes);
            agon__gpu_pack(&n, mine, alone);
            assert_memory_equal(alone, packed + (uint64_t)m * n.bytes, n.bytes);
        }
        free(params);
        free(packed);
        free(alone);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_weight_has_its_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
