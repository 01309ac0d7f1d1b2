/* rules_fixture.h: a game opened, or the test fails and says why. */
#ifndef AGON_RULES_FIXTURE_H
#define AGON_RULES_FIXTURE_H

#include "games/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline agon_rules* open_rules(const char* game) {
    agon_rules* rules = NULL;
    agon_error error = {0};
    if (agon_rules_open(game, &rules, &error) != AGON_OK)
        fail_msg("%s: %s", game, error.text);
    return rules;
}

#endif
