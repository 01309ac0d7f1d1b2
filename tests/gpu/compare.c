/* Promise: on this machine's GPU every part of the CUDA backend gives what the CPU backend gives,
 * within a stated error, and the same bytes whenever it is asked the same.
 *
 *     gpu_compare [--small] [--few] [forward|update|play|training ...]
 *
 * Prints a line of JSON per comparison (README.md); exit code 1 when one failed, or when the device
 * did. */
#include "tests/gpu/compare.h"

#include <stdlib.h>
#include <string.h>

void need(int rc, const agon_error* error, const char* what) {
    if (rc == AGON_OK)
        return;
    fprintf(stderr, "gpu_compare: %s: %s\n", what,
            error && error->text[0] ? error->text : "failed");
    exit(1);
}

void* take_memory(size_t bytes) {
    void* memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!memory)
        abort();
    return memset(memory, 0, (bytes + 127) / 64 * 64);
}

const agon_backend* gpu_backend(int precision) {
    const agon_backend* backend = NULL;
    agon_error error = {0};
    need(agon_cuda_backend((agon_precision)precision, &backend, &error), &error, "the backend");
    return backend;
}

/* ---- lines -------------------------------------------------------------------------------- */

void check(comparing* c, const line_check* line) {
    c->failures += !line_print(line);
}

void check_floats(comparing* c, const char* name, int precision, const char* of, const float* want,
                  const float* got, size_t count, double limit) {
    const line_check line = {.name = name,
                             .precision = precisions[precision],
                             .of = of,
                             .error = line_error(want, got, count),
                             .limit = limit,
                             .equal = line_equal(want, got, count, 1),
                             .count = (long)count};
    check(c, &line);
}

void check_gradients(comparing* c, const char* name, int precision, const char* of,
                     const float* want, const float* got, size_t count, double limit) {
    const line_check line = {.name = name,
                             .precision = precisions[precision],
                             .of = of,
                             .error = precision == AGON_PRECISION_FP32
                                          ? line_error(want, got, count)
                                          : line_norm_error(want, got, count),
                             .limit = limit,
                             .equal = line_equal(want, got, count, 1),
                             .count = (long)count};
    check(c, &line);
}

void check_bytes(comparing* c, const char* name, int precision, const char* of, const void* want,
                 const void* got, size_t count, size_t each) {
    const line_check line = {.name = name,
                             .precision = precision < 0 ? "bytes" : precisions[precision],
                             .of = of,
                             .error = NAN,
                             .equal = memcmp(want, got, count * each) == 0,
                             .count = (long)count};
    check(c, &line);
}

/* ---- numbers ------------------------------------------------------------------------------ */

float draw_uniform(comparing* c) {
    const agon_key key = agon_key_make(c->seed, "compare", AGON_FOR_TEST);
    return agon_uniform(agon_random(key, c->drawn++, 0, 0, 0).word[0]);
}

int draw_int(comparing* c, int low, int high) {
    return low + (int)((double)draw_uniform(c) * (high - low + 1));
}

void draw_weights(comparing* c, const agon_net* net, float* params) {
    const agon_key key = agon_key_make(c->seed, "compare weights", AGON_FOR_TEST);
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    for (int t = 0; t < count; t++) {
        const float scale = tensors[t].cols ? 2.0f / sqrtf((float)tensors[t].cols) : 0.5f;
        const uint32_t stream = c->drawn++;
        agon_draw draw = {{0}};
        for (size_t i = 0; i < tensors[t].count; i++) {
            if (i % 4 == 0)
                draw = agon_random(key, stream, (uint32_t)(i / 4), 0, 0);
            params[tensors[t].offset + i] = (2.0f * agon_uniform(draw.word[i % 4]) - 1.0f) * scale;
        }
    }
}

agon_net net_for(const agon_rules* rules, const char* hidden) {
    const agon_spec* spec = &rules->spec;
    char text[AGON_NET_TEXT], inputs[48];
    agon_error error = {0};
    agon_net net = {0};
    snprintf(inputs, sizeof inputs, "%d", rules->entries);
    if (strncmp(hidden, "conv", 4) == 0)
        snprintf(inputs, sizeof inputs, "%dx%dx%d", spec->planes, spec->rows, spec->cols);
    snprintf(text, sizeof text, "%s-%s-%d relu", inputs, hidden, spec->actions);
    need(agon_net_parse(text, &net, &error), &error, text);
    return net;
}

/* ---- parts -------------------------------------------------------------------------------- */

static const struct {
    const char* name;
    void (*run)(comparing* c);
} parts[] = {{"forward", compare_forward},
             {"update", compare_update},
             {"play", compare_play},
             {"training", compare_training}};
enum { PARTS = 4 };

int main(int argc, char** argv) {
    comparing c = {.seed = 1};
    bool wanted[PARTS] = {false}, any = false;
    for (int i = 1; i < argc; i++) {
        const bool small = strcmp(argv[i], "--small") == 0, few = strcmp(argv[i], "--few") == 0;
        bool known = small || few;
        c.small |= small;
        c.few |= few;
        for (int p = 0; p < PARTS; p++)
            if (strcmp(argv[i], parts[p].name) == 0)
                wanted[p] = any = known = true;
        if (!known) {
            fprintf(stderr, "gpu_compare: nothing called '%s'\n", argv[i]);
            return 2;
        }
    }
    for (int p = 0; p < PARTS; p++)
        if (!any || wanted[p])
            parts[p].run(&c);
    return c.failures > 0;
}
