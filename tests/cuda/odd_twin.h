/* odd_twin.h: odd_game.c as a game and as a twin. */
#ifndef AGON_TESTS_ODD_TWIN_H
#define AGON_TESTS_ODD_TWIN_H

#define AGON_TWIN        odd
#define AGON_TWIN_FILE   "tests/cuda/odd_game.c"
#define AGON_TWIN_CHANCE 1
#include "cuda/twin_kernel.h"

#include "games/internal.h"
#include "tests/cuda/emulate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ODD_BODY(NAME, ARGS)                                                                       \
    static void odd_run_##NAME(agon__block* block, const void* args) {                             \
        agon__kernel_##NAME(block, (const ARGS*)args);                                             \
    }
#define ODD_ROW(NAME, ARGS) {"odd", #NAME, sizeof(ARGS), odd_run_##NAME},

AGON_TWIN_KERNELS(ODD_BODY)

static const emulate_kernel odd_twin[EMULATE_TWIN_KERNELS] = {AGON_TWIN_KERNELS(ODD_ROW)};

static inline agon_rules* open_odd(const char* text) {
    agon__game_string string;
    agon_rules* rules = NULL;
    agon_error error = {0};
    if (agon__game_string_parse(text, &string, &error) != 0 ||
        agon__rules_open_game(&agon_game_odd, &string, &rules, &error) != 0)
        fail_msg("%s: %s", text, error.text);
    return rules;
}

/* What the tests play. */
static const char* const odd_games[] = {"odd", "odd(seats=1)", "odd(seats=32,plies=3)",
                                        "odd(seats=7,outcomes=4096)", "odd(seats=2,plies=1)"};

#endif
