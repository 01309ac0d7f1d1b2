/* fuzz_config.c: any text is a config or a mistake; a config that was read can be written and read
 * back. */
#include "engine/config.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_seeds(const char* dir) {
    static const char mixed[] =
        "\xef\xbb\xbf# comment\r\n[game]\nname = a(b=1)\n[train]\n seed = 1_0 "
        "; x\nlanes: 8\n[league]\nkind = pfsp\npast = .5e0\n";
    agon_config config;
    agon_config_defaults(&config);
    char* text = agon_config_write(&config, true, false);
    MUST(text);
    fuzz_seed(dir, "defaults", text, strlen(text));
    fuzz_seed(dir, "mixed", mixed, sizeof mixed - 1);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    agon_config config, before, back;
    agon_error error = {0};
    agon_net net;
    char* text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    agon_config_defaults(&config);
    before = config;
    const int code = agon_config_read_text(&config, text, "fuzz", &error);
    MUST(code == error.code);
    free(text);
    if (code != AGON_OK) {
        MUST(memcmp(&config, &before, sizeof config) == 0);
        return 0;
    }
    agon_config_check(&config, &error);
    const agon_spec spec = {.planes = 3, .rows = 2, .cols = 2, .actions = 2};
    agon_config_net(&config, &spec, &net, &error);
    text = agon_config_write(&config, size % 2, false);
    agon_config_defaults(&back);
    MUST(agon_config_read_text(&back, text, "written", NULL) == AGON_OK);
    MUST(memcmp(&config, &back, sizeof config) == 0);
    free(text);
    return 0;
}
