/* Promise: the four primitives of cuda/block.h give on this GPU what their C bodies give here:
 * sums, maxima and fused products byte for byte, NaNs and infinities included; tensor cores within
 * 1e-6 for each tile of depth. Prints a line of JSON per comparison; exit code 1 when one failed.
 */
#include "tests/gpu/primitives.h"

#include "tests/gpu/lines.h"

#include <assert.h>
#include <stdlib.h>

typedef void body(agon__block* block, const void* args);

#define BODY(NAME, ARGS)                                                                           \
    static void run_##NAME(agon__block* block, const void* args) {                                 \
        primitives_kernel_##NAME(block, (const ARGS*)args);                                        \
    }
PRIMITIVES_KERNELS(BODY)

static const struct {
    const char* name;
    body* run;
} bodies[] = {
#define ROW(NAME, ARGS) {#NAME, run_##NAME},
    PRIMITIVES_KERNELS(ROW)};

void primitives_run(const char* kernel, int blocks, int warps, size_t shared, const void* args,
                    int backwards) {
    char* memory = aligned_alloc(128, (shared + 127) / 128 * 128 + 128);
    size_t which = 0;
    while (strcmp(bodies[which].name, kernel) != 0)
        which++;
    assert(memory);
    for (int i = 0; i < blocks; i++) {
        agon__block block = {.index = backwards ? blocks - 1 - i : i,
                             .blocks = blocks,
                             .warps = warps,
                             .shared = memory,
                             .backwards = backwards};
        memset(memory, 0xff, shared);
        bodies[which].run(&block, args);
    }
    free(memory);
}

/* ---- numbers ------------------------------------------------------------------------------ */

static uint32_t draw(void) { /* xorshift32 (Marsaglia 2003) */
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static float uniform(void) { /* in [-1, 1) */
    return (float)(int32_t)draw() * 0x1p-31f;
}

static float strange(void) { /* every kind of float */
    static const uint32_t some[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0x7f800000,
                                    0xff800000, 0x80000000, 0,          1,
                                    0x007fffff, 0x7f7fffff, 0x3f808000, 0x3f818000};
    const uint32_t which = draw() % 24;
    return which < 12 ? agon__float(some[which]) : agon__float(draw());
}

static float* numbers(size_t count, float of(void)) {
    float* x = malloc(count * sizeof *x);
    assert(x);
    for (size_t i = 0; i < count; i++)
        x[i] = of();
    return x;
}

/* Memory here and on the device, and whether the device's comes back the same. */
typedef struct pair {
    void *host, *device, *back;
    size_t bytes;
} pair;

static pair pair_open(void* host, size_t bytes) {
    const pair p = {host ? host : malloc(bytes), device_alloc(bytes), malloc(bytes), bytes};
    assert(p.host && p.back);
    if (host)
        device_in(p.device, host, bytes);
    return p;
}

static void pair_back(pair* p) {
    device_out(p->back, p->device, p->bytes);
}

static void pair_close(pair* p) {
    device_free(p->device);
    free(p->host);
    free(p->back);
}

static int failures;

static void check_floats(const char* name, const char* precision, const char* of, pair* p,
                         double limit) {
    pair_back(p);
    const size_t count = p->bytes / sizeof(float);
    const line_check c = {.name = name,
                          .precision = precision,
                          .of = of,
                          .error = line_error(p->host, p->back, count),
                          .limit = limit,
                          .equal = line_equal(p->host, p->back, count, 0),
                          .count = (long)count};
    failures += !line_print(&c);
}

/* ---- sums, maxima, barriers, rounding ------------------------------------------------------ */

static void compare_warps(const char* of, int count, float number(void)) {
    const size_t floats = (size_t)count * AGON__WARP, bytes = floats * sizeof(float);
    pair x = pair_open(numbers(floats, number), bytes), sum = pair_open(NULL, bytes);
    pair most = pair_open(NULL, bytes), lowest = pair_open(NULL, bytes);
    const primitives_warp_args host = {count, x.host, sum.host, lowest.host, most.host};
    const primitives_warp_args device = {count, x.device, sum.device, lowest.device, most.device};
    primitives_run("warp", 5, 4, 0, &host, 0);
    device_run("warp", 3, 32, 0, &device);
    check_floats("agon_warp_sum", "fp32", of, &sum, 0);
    check_floats("agon_warp_max", "fp32", of, &most, 0);
    check_floats("agon_warp_max of negatives", "fp32", of, &lowest, 0);
    pair_close(&x);
    pair_close(&sum);
    pair_close(&most);
    pair_close(&lowest);
}

static void compare_barrier(int warps) {
    enum { BLOCKS = 40 };
    char of[64];
    const size_t words = (size_t)BLOCKS * (size_t)warps * AGON__WARP;
    const size_t shared = 2 * (size_t)warps * AGON__WARP * sizeof(uint32_t);
    pair out = pair_open(NULL, words * sizeof(uint32_t));
    const primitives_barrier_args host = {out.host}, device = {out.device};
    primitives_run("barrier", BLOCKS, warps, shared, &host, 0);
    device_run("barrier", BLOCKS, warps, shared, &device);
    pair_back(&out);
    snprintf(of, sizeof of, "%d warps, %d rounds", warps, PRIMITIVES_ROUNDS);
    const line_check c = {.name = "agon_barrier",
                          .precision = "u32",
                          .of = of,
                          .error = NAN,
                          .equal = memcmp(out.host, out.back, out.bytes) == 0,
                          .count = (long)words};
    failures += !line_print(&c);
    pair_close(&out);
}

static void compare_put(int count) {
    const size_t bytes = (size_t)count * sizeof(float);
    pair x = pair_open(numbers((size_t)count, strange), bytes), bf16 = pair_open(NULL, bytes);
    pair tf32 = pair_open(NULL, bytes), half = pair_open(NULL, bytes / 2);
    pair fused = pair_open(NULL, bytes);
    const primitives_put_args host = {count, x.host, bf16.host, tf32.host, half.host, fused.host};
    const primitives_put_args device = {count,       x.device,    bf16.device,
                                        tf32.device, half.device, fused.device};
    primitives_run("put", 2, 4, 0, &host, 0);
    device_run("put", 7, 8, 0, &device);
    check_floats("rounding", "bf16", "any bits", &bf16, 0);
    check_floats("rounding", "tf32", "any bits", &tf32, 0);
    check_floats("fmaf", "fp32", "any bits", &fused, 0);
    pair_close(&x);
    pair_close(&bf16);
    pair_close(&tf32);
    pair_close(&half);
    pair_close(&fused);
}

/* ---- tiles -------------------------------------------------------------------------------- */

static void compare_mma(int mode, int steps, int a_turned, int b_turned) {
    enum { COUNT = 200, WARPS = 4 };
    static const char* const names[] = {"fp32", "tf32", "bf16"};
    const size_t depth = (size_t)steps * AGON__TILE_K, f = sizeof(float);
    const size_t left = (size_t)COUNT * AGON__TILE_M * depth;
    const size_t right = (size_t)COUNT * AGON__TILE_N * depth;
    const size_t out = (size_t)COUNT * AGON__TILE_M * AGON__TILE_N;
    char kernel[16], of[64];
    pair a = pair_open(numbers(left, uniform), left * f);
    pair b = pair_open(numbers(right, uniform), right * f);
    pair c = pair_open(numbers(out, uniform), out * f);
    const primitives_mma_args host = {COUNT, steps, a_turned, b_turned, a.host, b.host, c.host};
    primitives_mma_args device = host;
    device.a = a.device, device.b = b.device, device.c = c.device;
    const size_t shared = WARPS * (size_t)primitives_mma_bytes(mode, &host);
    snprintf(kernel, sizeof kernel, "mma_%s", names[mode]);
    snprintf(of, sizeof of, "depth %zu, a %s, b %s", depth, a_turned ? "turned" : "straight",
             b_turned ? "turned" : "straight");
    primitives_run(kernel, 3, WARPS, shared, &host, 0);
    device_run(kernel, 11, WARPS, shared, &device);
    check_floats("agon_tile_mma", names[mode], of, &c, mode == AGON__FP32 ? 0 : steps * 1e-6);
    pair_close(&a);
    pair_close(&b);
    pair_close(&c);
}

int main(void) {
    fprintf(stderr, "primitives: %s\n", device_name());
    compare_warps("uniform in [-1, 1)", 4000, uniform);
    compare_warps("any bits, NaNs and infinities", 4000, strange);
    for (int warps = 1; warps <= 32; warps *= 2)
        compare_barrier(warps);
    compare_put(1 << 16);
    for (int mode = AGON__FP32; mode <= AGON__BF16; mode++)
        for (int layout = 0; layout < 4; layout++)
            for (int steps = 1; steps <= 8; steps *= 8)
                compare_mma(mode, steps, layout & 1, layout >> 1);
    return failures > 0;
}
