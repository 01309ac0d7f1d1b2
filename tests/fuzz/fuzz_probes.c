/* libFuzzer target: probe sets from hostile bytes.
 *
 * Byte 0 chooses the game, byte 1 the way in: the rest as a file, or (to get past the header) as
 * the numbers of a set that is encoded first. A set that is accepted must be playable. Build:
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. tests/fuzz/fuzz_probes.c \
 *       engine/{probes,probes_make,blob,blob_read,sha256,text}.c agents/... games/... */
#include "engine/probes.h"

#include <stdint.h>

static const char* const games[] = {"kuhn_poker", "matrix", "tic_tac_toe"};
enum { GAMES = sizeof games / sizeof games[0] };

static agon_rules* rules_of(int index) {
    static agon_rules* open[GAMES]; /* kept for the whole run */
    if (!open[index] && agon_rules_open(games[index], &open[index], NULL) != 0)
        abort();
    return open[index];
}

static void decode(const void* data, size_t size, const agon_rules* rules) {
    agon_probes probes;
    agon_policy policy;
    agon_error error = {0};
    if (agon_probes_decode(data, size, rules, &probes, &error) != 0)
        return;
    float* answer = malloc((size_t)probes.states * (size_t)rules->spec.actions * sizeof *answer);
    if (answer && agon_scripted_open("random", rules, &policy, &error) == 0) {
        if (agon_probes_ask(&probes, rules, &policy, 1, answer, &error) != 0)
            abort();
        agon_policy_close(&policy);
    }
    free(answer);
    agon_probes_close(&probes);
}

/* Up to three states and sixteen plies from the bytes, with weights that add up to 1. */
static void decode_numbers(const uint8_t* data, size_t size, const agon_rules* rules) {
    int32_t offset[4] = {0}, ply[3];
    uint16_t action[16 * AGON_MAX_SEATS] = {0};
    uint8_t seat[3];
    double weight[3], reach[3];
    if (size < 10)
        return;
    agon_probes p = {.states = 1 + data[0] % 3,
                     .seats = rules->spec.seats,
                     .offset = offset,
                     .action = action,
                     .seat = seat,
                     .ply = ply,
                     .weight = weight,
                     .complete = data[0] >> 6 & 1,
                     .reach = data[0] >> 7 ? reach : NULL};
    for (int i = 0; i < p.states; i++) {
        offset[i + 1] = (int8_t)data[1 + i];
        ply[i] = (int8_t)data[4 + i];
        seat[i] = data[7 + i];
        weight[i] = reach[i] = 1.0 / p.states;
    }
    const int rows = offset[p.states];
    if (rows < 0 || rows > 16)
        return;
    for (size_t i = 0; i < (size_t)(rows * p.seats) && 10 + i < size; i++)
        action[i] = data[10 + i];
    agon_bytes bytes;
    if (agon_probes_encode(&p, rules, &bytes, NULL) != 0)
        return;
    decode(bytes.data, bytes.size, rules);
    free(bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2)
        return 0;
    const agon_rules* rules = rules_of(data[0] % GAMES);
    if (data[1] % 2)
        decode_numbers(data + 2, size - 2, rules);
    else
        decode(data + 2, size - 2, rules);
    return 0;
}
