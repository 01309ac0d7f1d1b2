/* libFuzzer target: probe sets from hostile bytes.
 *
 * Byte 0 chooses the game, byte 1 the way in: the rest as a file, or (to get past the header) as
 * the numbers of a set that is encoded first. A set that is accepted must be playable. Build:
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. tests/fuzz/fuzz_probes.c \
 *       engine/{probes,probes_replay,probes_ask,probes_pool,probes_make,blob,blob_read,sha256,text}.c
 * agents/... games/... */
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

/* Asks what was accepted, also through a symmetry. */
static void ask(const agon_probes* probes, const agon_rules* rules) {
    agon_policy policy;
    agon_error error = {0};
    agon_probe_strata strata;
    const size_t cells = (size_t)probes->states * (size_t)rules->spec.actions;
    float* answer = malloc(cells * sizeof *answer);
    uint8_t* legal = malloc(cells);
    int* stratum = malloc((size_t)probes->states * sizeof *stratum);
    if (answer && legal && stratum && agon_scripted_open("random", rules, &policy, &error) == 0) {
        const int last = rules->spec.symmetries - 1;
        if (agon_probes_ask(probes, rules, &policy, 1, answer, &error) != 0 ||
            agon_probes_facts(probes, rules, NULL, legal, stratum, &strata, &error) != 0 ||
            (last > 0 &&
             agon_probes_ask_image(probes, rules, &policy, last, 1, answer, &error) != 0))
            abort();
        for (int i = 0; i < probes->states; i++) {
            if (stratum[i] < 0 || stratum[i] >= strata.count)
                abort();
        }
        agon_policy_close(&policy);
    }
    free(answer);
    free(legal);
    free(stratum);
}

/* A file that is accepted is written and read back equal. */
static void decode(const void* data, size_t size, const agon_rules* rules) {
    agon_probes live;
    agon_probe_sets sets, again;
    agon_bytes bytes;
    if (agon_probes_decode(data, size, rules, &live, NULL) == 0) {
        ask(&live, rules);
        agon_probes_close(&live);
    }
    if (agon_probe_sets_decode(data, size, rules, &sets, NULL) != 0)
        return;
    if (agon_probe_sets_encode(&sets, rules, &bytes, NULL) == 0) {
        if (agon_probe_sets_decode(bytes.data, bytes.size, rules, &again, NULL) != 0)
            abort();
        for (int i = 0; i < AGON_PROBE_SETS; i++) {
            if (again.set[i].states != sets.set[i].states)
                abort();
            if (sets.set[i].states > 0)
                ask(&sets.set[i], rules);
        }
        agon_probe_sets_close(&again);
        free(bytes.data);
    }
    agon_probe_sets_close(&sets);
}

/* Up to three states and sixteen plies from the bytes, with weights that add up to 1. */
static void decode_numbers(const uint8_t* data, size_t size, const agon_rules* rules) {
    int32_t offset[4] = {0}, ply[3];
    uint16_t action[16 * AGON_MAX_SEATS] = {0};
    uint8_t seat[3];
    double weight[3], reach[3], worth[3 * 16];
    int32_t source[3];
    uint8_t origin[2 * AGON_PROBE_ORIGIN] = {0};
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
                     .reach = data[0] >> 7 ? reach : NULL,
                     .set = (agon_probe_set)(data[0] >> 2 & 3) % AGON_PROBE_SETS,
                     .limit = data[9] % 4,
                     .unsolved = data[8] % 4};
    origin[AGON_PROBE_ORIGIN] = data[0] >> 4 & 1;
    if (p.set == AGON_PROBES_B) {
        p.runs = 1 + (data[0] >> 5 & 1);
        p.origin = origin;
        p.source = source;
    }
    if (p.set == AGON_PROBES_X)
        p.worth = worth;
    for (int k = 0; k < p.states * rules->spec.actions; k++)
        worth[k] = data[k % size] & 1 ? __builtin_nan("") : (double)(data[k % size] >> 6) - 1;
    for (int i = 0; i < p.states; i++) {
        offset[i + 1] = (int8_t)data[1 + i];
        ply[i] = (int8_t)data[4 + i];
        seat[i] = data[7 + i];
        source[i] = (int8_t)data[4 + i] % 8;
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
