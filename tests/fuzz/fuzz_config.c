/* fuzz_config.c: any text is a config or a mistake; a config that was read can be written and read
 * back. */
#include "engine/config.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_seeds(const char* dir) {
    static const char mixed[] =
        "\xef\xbb\xbf# comment\r\n[game]\nname = a(b=1)\n[train]\n seed = 1_0 "
        "; x\nlanes: 8\n[league]\nkind = pfsp\npast = .5e0\n";
    static const char deep[] = "[net]\nhidden = conv16,conv8k5,128,mingru64\n[train]\nlanes=4\n";
    agon_config config;
    agon_config_defaults(&config);
    char* text = agon_config_write(&config, true, false);
    MUST(text);
    fuzz_seed(dir, "defaults", text, strlen(text));
    fuzz_seed(dir, "mixed", mixed, sizeof mixed - 1);
    fuzz_seed(dir, "deep", deep, sizeof deep - 1);
    free(text);
}

static void check_text(const agon_net* net) {
    char text[AGON_NET_TEXT];
    agon_net again;
    MUST(agon_net_format(net, text, sizeof text) < (int)sizeof text);
    MUST(agon_net_parse(text, &again, NULL) == AGON_OK);
    MUST(memcmp(net, &again, sizeof again) == 0);
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
    if (agon_config_net(&config, &spec, &net, &error) == AGON_OK)
        check_text(&net);
    text = agon_config_write(&config, size % 2, false);
    agon_config_defaults(&back);
    MUST(agon_config_read_text(&back, text, "written", NULL) == AGON_OK);
    MUST(memcmp(&config, &back, sizeof config) == 0);
    free(text);
    return 0;
}
