/* fuzz_game_string.c: libFuzzer target. A game string may be any bytes: agon_rules_open refuses it
 * with a message or opens a game whose canonical name opens the same game.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *       tests/fuzz/fuzz_game_string.c games/NAME.c ... -o fuzz_game_string */
#include "games/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    agon_rules *rules = NULL, *again = NULL;
    agon_error error = {0};
    char* text = (char*)malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const int code = agon_rules_open(text, &rules, &error);
    if (code != 0 && (code != error.code || !error.text[0] || rules))
        abort();
    if (code == 0) {
        if (agon_rules_open(rules->name, &again, &error) != 0)
            abort();
        if (strcmp(again->name, rules->name) != 0 ||
            memcmp(again->config, rules->config, rules->game->config_size) != 0)
            abort();
        agon_rules_close(again);
    }
    agon_rules_close(rules);
    free(text);
    return 0;
}
