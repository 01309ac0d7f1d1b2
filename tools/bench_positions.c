/* bench_positions.c: what nets are asked: positions of random games. How much of an observation is
 * 0 decides what a first layer of bytes costs, so made-up ones would not do. */
#include "tools/bench_work.h"

#include "agents/scripted.h"

#include <string.h>

enum { LANES = 64 };

/* The acting seats of a step, as many as are wanted still. */
static size_t take(const agon_lanes* l, size_t wanted, char* obs, uint64_t* mask) {
    const agon_rules* rules = l->def.rules;
    const size_t words = (size_t)rules->mask_words;
    const size_t rows = (size_t)l->slots < wanted ? (size_t)l->slots : wanted;
    memcpy(obs, l->obs, rows * rules->obs_bytes);
    memcpy(mask, l->mask, rows * words * sizeof *mask);
    return rows;
}

static void start_over(agon_lanes* l, uint32_t* episodes) {
    for (int lane = 0; lane < LANES; lane++)
        while (!l->acting[lane]) {
            agon_lanes_start(l, lane, *episodes, *episodes);
            ++*episodes;
        }
}

/* The lanes begin together; after some games they are at different plies. */
static void play(agon_lanes* l, size_t rows, char* obs, uint64_t* mask) {
    const agon_rules* rules = l->def.rules;
    const int warm = 2 * rules->spec.max_plies < 500 ? 2 * rules->spec.max_plies : 500;
    uint32_t episodes = 0;
    size_t done = 0;
    for (int ply = 0; done < rows; ply++) {
        start_over(l, &episodes);
        agon_lanes_decide(l);
        if (ply >= warm)
            done += take(l, rows - done, obs + done * rules->obs_bytes,
                         mask + done * (size_t)rules->mask_words);
        agon_lanes_play(l);
    }
}

int agon_bench_positions(const agon_rules* rules, size_t rows, void* obs, uint64_t* mask,
                         agon_error* error) {
    agon_policy random;
    agon_lanes* lanes = NULL;
    int rc = agon_scripted_open("random", rules, &random, error);
    if (rc)
        return rc;
    const agon_player player = {NULL, NULL, &random};
    const agon_lanes_def def = {.rules = rules,
                                .backend = agon_cpu_backend(),
                                .lanes = LANES,
                                .players = 1,
                                .player = &player,
                                .chance = agon_key_make(1, "bench", AGON_FOR_CHANCE),
                                .action = agon_key_make(1, "bench", AGON_FOR_ACTION),
                                .temperature = 1};
    rc = agon_lanes_open(&def, &lanes, error);
    if (!rc)
        play(lanes, rows, (char*)obs, mask);
    agon_lanes_close(lanes);
    agon_policy_close(&random);
    return rc;
}

double agon_bench_inputs_set(const agon_rules* rules, size_t rows, const void* obs) {
    const size_t entries = rows * (size_t)rules->entries;
    size_t set = 0;
    for (size_t i = 0; i < entries; i++)
        set += rules->spec.obs_type == AGON_U8 ? ((const uint8_t*)obs)[i] != 0
                                               : ((const float*)obs)[i] != 0.0f;
    return (double)set / (double)entries;
}
