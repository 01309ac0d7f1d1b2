/* fuzz_matrix_file.c: any bytes are a game in normal form or a mistake with a message. */
#include "games/rules.h"
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void fuzz_seeds(const char* dir) {
    static const char* const samples[] = {
        "rows a b\ncolumns c d # names\nseat 0\n1 -2.5\n1/3, 1e3\nseat 1\n0 1\n2 3\n",
        "0 -1 1\n1 0 -1\n-1 1 0\n",
        "NFG 1 R \"title \\\"quoted\\\"\" { \"A\" \"B\" }\n{ { \"1\" \"2\" } { \"3\" } "
        "}\n\"comment\"\n"
        "1 2 3 4",
        "NFG 1 D \"t\" {\"A\" \"B\"} {1 2} 1/2, 2, 3, .4",
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "sample%zu", i);
        fuzz_seed(dir, name, samples[i], strlen(samples[i]));
    }
}

/* Both seats play every action once. */
static void play(const agon_rules* rules) {
    uint64_t state[2], mask[2];
    for (int action = 0; action < rules->spec.actions; action++) {
        float reward[2] = {0};
        const uint16_t both[2] = {(uint16_t)action, (uint16_t)action};
        rules->game->init(rules->config, state);
        for (int seat = 0; seat < 2; seat++)
            rules->game->legal(rules->config, state, seat, &mask[seat]);
        const bool legal = agon_mask_has(&mask[0], action) && agon_mask_has(&mask[1], action);
        MUST((rules->game->apply(rules->config, state, both, reward) == 0) == legal);
        for (int seat = 0; seat < 2; seat++)
            MUST(!legal || (reward[seat] >= rules->spec.return_min &&
                            reward[seat] <= rules->spec.return_max));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char string[64];
    agon_rules* rules = NULL;
    agon_error error = {0};
    const int file = memfd_create("matrix", 0);
    MUST(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(string, sizeof string, "matrix_file(path=/proc/self/fd/%d)", file);
    const int code = agon_rules_open(string, &rules, &error);
    if (code == 0)
        play(rules);
    else
        MUST(code == AGON_EINVALID && error.text[0] && !rules);
    agon_rules_close(rules);
    close(file);
    return 0;
}
