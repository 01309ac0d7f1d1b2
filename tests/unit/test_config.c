/* test_config.c: what the configuration promises to whoever writes one. */
#include "engine/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static agon_config fresh(void) {
    agon_config config;
    agon_config_defaults(&config);
    return config;
}

static void set_ok(agon_config* config, const char* key, const char* value) {
    agon_error error = {0};
    if (agon_config_set(config, key, value, "test", &error) != AGON_OK)
        fail_msg("%s = %s: %s", key, value, error.text);
}

/* The value is refused, the text holds every word given, and nothing has changed. */
static void set_fails(const char* key, const char* value, int code, const char* words) {
    agon_error error = {0};
    agon_config config = fresh(), before = config;
    assert_int_equal(agon_config_set(&config, key, value, "here:7", &error), code);
    assert_int_equal(error.code, code);
    assert_memory_equal(&config, &before, sizeof config);
    assert_non_null(strstr(error.text, "here:7"));
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

/* Promise: every key has a default that its own rules accept, and says what it is. */
static void test_table_is_sound(void** unused) {
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    agon_config config = fresh();
    assert_true(count > 30);
    for (int i = 0; i < count; i++) {
        char name[64], value[512];
        snprintf(name, sizeof name, "%s.%s", keys[i].section, keys[i].name);
        assert_ptr_equal(agon_config_find(name), &keys[i]);
        set_ok(&config, name, keys[i].fallback);
        assert_true(strlen(keys[i].meaning) > 10 && strlen(keys[i].meaning) < 180);
        assert_true(agon_config_value(&config, &keys[i], value, sizeof value) < 512);
        assert_true(agon_config_range(&keys[i], value, sizeof value) > 0);
    }
    const agon_config again = fresh();
    assert_memory_equal(&config, &again, sizeof config);
    assert_null(agon_config_find("train"));
    assert_null(agon_config_find("train.seed.x"));
    assert_null(agon_config_find(""));
}

/* Promise: every byte of the config is reached by exactly one key (nothing is left out). */
static void test_table_covers_the_struct(void** unused) {
    static unsigned char owner[sizeof(agon_config)];
    int count;
    size_t covered = 0;
    const agon_config_key* keys = agon_config_keys(&count);
    memset(owner, 0, sizeof owner);
    for (int i = 0; i < count; i++) {
        for (size_t b = 0; b < keys[i].size; b++)
            assert_int_equal(owner[keys[i].offset + b]++, 0);
        covered += keys[i].size;
    }
    assert_true(sizeof(agon_config) - covered < 32); /* alignment alone */
}

/* Promise: whole numbers are read strictly, within their range, underscores between digits. */
static void test_whole_numbers(void** unused) {
    agon_config config = fresh();
    set_ok(&config, "population.size", "10_000");
    assert_int_equal(config.population.size, 10000);
    set_ok(&config, "population.size", "  12\t");
    assert_int_equal(config.population.size, 12);
    set_ok(&config, "train.seed", "18446744073709551615");
    assert_true(config.train.seed == UINT64_MAX);
    set_fails("train.seed", "18446744073709551616", AGON_EINVALID, "18446744073709551615");
    set_fails("train.seed", "-1", AGON_EINVALID, "train.seed = -1");
    static const char* const junk[] = {"",    "abc", "1x",  "1.5",  "0x10", "_1",  "1_",
                                       "1 2", "+1",  "--1", "1__0", "1e3",  "nan", "inf"};
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
        set_fails("population.size", junk[i], AGON_EINVALID, "not a whole number");
    set_fails("population.size", "0", AGON_EINVALID, "population.size = 0: out of range");
    set_fails("population.size", "10001", AGON_EINVALID, "1..10000 agents");
    set_fails("population.size", "-5", AGON_EINVALID, "out of range");
    set_fails("population.size", "99999999999999999999999", AGON_EINVALID, "out of range");
}

/* Promise: real numbers are decimal and finite; what strtod would also take is refused. */
static void test_real_numbers(void** unused) {
    agon_config config = fresh();
    static const char* const fine[] = {"0.5", ".5", "5e-1", "5E-1", "+0.5", "0.50"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        config.league.past = 0;
        set_ok(&config, "league.past", fine[i]);
        assert_true(config.league.past == 0.5);
    }
    static const char* const junk[] = {"",  "nan", "inf", "0x1p-1", "0.5f", "1e",   "e1",
                                       ".", "-",   "1,5", "0.5 x",  "1e+",  "1_0.0"};
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
        set_fails("league.past", junk[i], AGON_EINVALID, "not a number");
    set_fails("league.past", "1.0000001", AGON_EINVALID, "0..1 share");
    set_fails("league.past", "1e999", AGON_EINVALID, "out of range");
    set_ok(&config, "league.past", "-0.0");
    assert_false(signbit(config.league.past));
}

/* Promise: switches and choices take their words and no others. */
static void test_words(void** unused) {
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    agon_config config = fresh();
    for (int i = 0; i < 3; i++) {
        set_ok(&config, "train.normalise", no[i]);
        assert_int_equal(config.train.normalise, 0);
        set_ok(&config, "train.normalise", yes[i]);
        assert_int_equal(config.train.normalise, 1);
    }
    set_fails("train.normalise", "1", AGON_EINVALID, "expected yes or no");
    set_ok(&config, "league.kind", "mirror");
    assert_int_equal(config.league.kind, AGON_LEAGUE_MIRROR);
    set_ok(&config, "league.kind", "pfsp");
    assert_int_equal(config.league.kind, AGON_LEAGUE_PFSP);
    set_ok(&config, "league.weighting", "even");
    assert_int_equal(config.league.weighting, AGON_PFSP_EVEN);
    set_ok(&config, "net.activation", "tanh");
    assert_int_equal(config.net.activation, AGON_TANH);
    set_fails("league.kind", "unifor", AGON_EINVALID, "mirror, uniform, fixed, pfsp");
    set_fails("league.kind", "", AGON_EINVALID, "(empty)");
    set_fails("league.kind", "mirror|uniform", AGON_EINVALID, "no such choice");
}

/* Promise: text that would not survive a config file is refused; the longest that fits is not. */
static void test_texts(void** unused) {
    char text[600];
    agon_config config = fresh();
    const agon_config_key* key = agon_config_find("run.dir");
    memset(text, 'a', sizeof text);
    text[agon_config_text_limit(key)] = '\0';
    set_ok(&config, "run.dir", text);
    assert_string_equal(config.run.dir, text);
    text[agon_config_text_limit(key)] = 'a';
    text[agon_config_text_limit(key) + 1] = '\0';
    set_fails("run.dir", text, AGON_EINVALID, "too long");
    memset(text, 'a', 127);
    text[127] = '\0';
    set_ok(&config, "game.name", text);
    strcpy(text + 127, "a");
    set_fails("game.name", text, AGON_EINVALID, "too long");
    set_fails("run.dir", "a\nb", AGON_EINVALID, "control character");
    set_fails("run.dir", "a ; b", AGON_EINVALID, "comment");
    set_ok(&config, "run.dir", "/home/j\xc3\xbcrgen/runs # 1 = [x]");
    assert_string_equal(config.run.dir, "/home/j\xc3\xbcrgen/runs # 1 = [x]");
}

/* Promise: an unknown key suggests the one that was probably meant, and the command that explains
 * it. */
static void test_unknown_keys(void** unused) {
    agon_error error = {0};
    agon_config config = fresh();
    assert_int_equal(agon_config_set(&config, "train.sed", "1", "my.ini:3", &error), AGON_EUNKNOWN);
    assert_string_equal(error.text, "my.ini:3: unknown key train.sed; did you mean train.seed?");
    assert_string_equal(error.hint, "agon help train.seed");
    set_fails("seed", "1", AGON_EUNKNOWN, "did you mean train.seed?");
    set_fails("train.threads", "1", AGON_EUNKNOWN, "did you mean machine.threads?");
    set_fails("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "1", AGON_EUNKNOWN, "section.key");
    set_fails("\x1b[31m", "1", AGON_EUNKNOWN, "?[31m");
}

static void read_fails(const char* text, int code, const char* words) {
    agon_error error = {0};
    agon_config config = fresh(), before = config;
    assert_int_equal(agon_config_read_text(&config, text, "my.ini", &error), code);
    assert_memory_equal(&config, &before, sizeof config);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" lacks \"%s\"", error.text, words);
}

/* Promise: INI as people write it is read: comments, blanks, BOM, CRLF, any order. */
static void test_reading(void** unused) {
    agon_error error = {0};
    agon_config config = fresh();
    const char* text = "\xef\xbb\xbf# a comment\r\n\r\n[train]\r\n  seed = 7 ; why not\r\n"
                       "\tlanes: 128\r\n[game]\nname = a(b=1, c=2)\n; end\n[metrics]\nanchors =\n"
                       "[train]\nhorizon=8";
    assert_int_equal(agon_config_read_text(&config, text, "my.ini", &error), AGON_OK);
    assert_int_equal(config.train.seed, 7);
    assert_int_equal(config.train.lanes, 128);
    assert_int_equal(config.train.horizon, 8);
    assert_string_equal(config.game.name, "a(b=1, c=2)");
    assert_string_equal(config.metrics.anchors, "");
    assert_int_equal(agon_config_read_text(&config, "", "empty", &error), AGON_OK);
    assert_int_equal(config.train.seed, 7);
}

/* Promise: every mistake in a text names file and line, and leaves the config as it was. */
static void test_mistakes_in_files(void** unused) {
    char text[512];
    read_fails("[train]\nseed = 1\nlane = 4\n", AGON_EUNKNOWN,
               "my.ini:3: unknown key train.lane; did you mean train.lanes?");
    read_fails("[train]\nseed = 9\n\n[trian]\n", AGON_EUNKNOWN,
               "my.ini:4: unknown section [trian]; did you mean [train]?");
    read_fails("[train]\nseed = 9\nlanes = 0\n", AGON_EINVALID, "my.ini:3: train.lanes = 0");
    read_fails("[train]\nseed = 9\nlanes\nhorizon = x\n", AGON_EINVALID,
               "my.ini:3: lanes: expected [section] or key = value");
    read_fails("[train]\nhorizon = x\nlanes\n", AGON_EINVALID, "my.ini:2: train.horizon = x");
    read_fails("[train\nseed = 9\n", AGON_EINVALID, "my.ini:1: [train: expected");
    read_fails("seed = 9\n", AGON_EUNKNOWN, "my.ini:1: unknown key seed; did you mean train.seed");
    read_fails("[train]\nseed = 9\nlanes = 4\nseed = 8\n", AGON_EINVALID,
               "my.ini:4: train.seed was set in line 2 already");
    read_fails("[train]\nseed =\n", AGON_EINVALID, "my.ini:2: train.seed = (empty)");
    memset(text, 'a', 300);
    strcpy(text + 300, "\n");
    read_fails(text, AGON_ELIMIT, "my.ini:1: line of 300 characters");
    memcpy(text, "# ", 2); /* a comment may be as long as it likes */
    agon_config config = fresh();
    assert_int_equal(agon_config_read_text(&config, text, "my.ini", NULL), AGON_OK);
}

/* Promise: files that are no config are refused with a reason. */
static void test_files(void** unused) {
    char path[] = "/tmp/agon-test-config-XXXXXX";
    agon_error error = {0};
    agon_config config = fresh();
    assert_int_equal(agon_config_read_file(&config, "/nonexistent/x.ini", &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "/nonexistent/x.ini"));
    assert_int_equal(agon_config_read_file(&config, "/tmp", &error), AGON_EIO);
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[train]\nseed = 5\n", 17), 17);
    assert_int_equal(agon_config_read_file(&config, path, &error), AGON_OK);
    assert_int_equal(config.train.seed, 5);
    assert_int_equal(write(fd, "lanes = 9\0\n", 11), 11);
    assert_int_equal(agon_config_read_file(&config, path, &error), AGON_EFORMAT);
    assert_int_equal(config.train.lanes, 64);
    close(fd);
    unlink(path);
}

static uint64_t next_random(uint64_t* state) { /* xorshift64 (Marsaglia 2003) */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void set_random(agon_config* config, const agon_config_key* key, uint64_t* state) {
    char* at = (char*)config + key->offset;
    const double share = (double)(next_random(state) >> 11) * 0x1p-53;
    if (key->type == AGON_KEY_INT)
        *(int*)at = (int)(key->low + floor(share * (key->high - key->low + 1)));
    else if (key->type == AGON_KEY_REAL)
        *(double*)at = key->low + share * share * share * (key->high - key->low);
    else if (key->type == AGON_KEY_SEED)
        *(uint64_t*)at = next_random(state);
    else if (key->type == AGON_KEY_TEXT)
        for (size_t i = 0; i < (size_t)(share * (double)agon_config_text_limit(key)); i++)
            at[i] = "abz019()=,./-_#["[next_random(state) % 16];
    else
        *(int*)at = (int)(next_random(state) % 2);
}

/* Promise: canonical text read back is the same config to the last bit, with and without comments;
 * and writing that again gives the same text. */
static void test_round_trip(void** unused) {
    uint64_t state = 88172645463325252ull;
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    for (int trial = 0; trial < 500; trial++) {
        agon_error error = {0};
        agon_config config = {0}, back = fresh();
        for (int i = 0; i < count; i++)
            set_random(&config, &keys[i], &state);
        char* text = agon_config_write(&config, trial % 2, false);
        if (agon_config_read_text(&back, text, "written", &error) != AGON_OK)
            fail_msg("%s", error.text);
        assert_memory_equal(&config, &back, sizeof config);
        char* again = agon_config_write(&back, trial % 2, false);
        assert_string_equal(text, again);
        free(again);
        free(text);
    }
}

/* Promise: the hash covers what decides the result and nothing else, and does not drift. */
static void test_hash(void** unused) {
    char base[65], other[65];
    int count;
    uint64_t state = 1;
    const agon_config_key* keys = agon_config_keys(&count);
    agon_config config = fresh();
    agon_config_hash(&config, base);
    assert_int_equal(strlen(base), 64);
    for (int i = 0; i < count; i++) {
        agon_config changed = config;
        do /* a random value may be the old one */
            set_random(&changed, &keys[i], &state);
        while (memcmp(&changed, &config, sizeof config) == 0);
        agon_config_hash(&changed, other);
        assert_int_equal(strcmp(base, other) != 0, agon_config_decides(&keys[i]));
    }
    char* text = agon_config_write(&config, false, true);
    assert_null(strstr(text, "[run]"));
    assert_null(strstr(text, "[machine]"));
    assert_non_null(strstr(text, "\nlearning_rate = 0.001\n"));
    free(text);
}

/* Promise: keys that came after runs were stored do not change the hash of settings that do not use
 * them; where a file lies is not hashed, what it holds is. */
static void test_hash_of_later_keys(void** unused) {
    const char* const path = "/tmp/pool.safetensors";
    char stored[65], with_path[65], with_hash[65], hash[65];
    agon_config config = fresh();
    set_ok(&config, "game.name", "connect_four");
    agon_config_hash(&config, stored);
    assert_string_equal(stored, "05b20e08b85600babbd8c694c5e7cf14de5d7d83c2190d115155f963fb7c737c");
    memset(hash, 'a', 64);
    hash[64] = 0;
    set_ok(&config, "metrics.probe_file", path);
    agon_config_hash(&config, with_path);
    assert_string_equal(stored, with_path);
    set_ok(&config, "metrics.probe_hash", hash);
    agon_config_hash(&config, with_hash);
    assert_string_not_equal(stored, with_hash);
    assert_int_equal(agon_config_check(&config, NULL), AGON_OK);
    set_ok(&config, "metrics.probe_file", "");
    assert_int_equal(agon_config_check(&config, NULL), AGON_EINVALID);
    set_ok(&config, "metrics.probe_file", path);
    set_ok(&config, "metrics.probe_hash", "12");
    assert_int_equal(agon_config_check(&config, NULL), AGON_EINVALID);
}

/* Promise: rules between keys are checked, with a message that names the keys. */
static void test_check(void** unused) {
    static const struct {
        const char *key, *value, *words;
    } cases[] = {
        {"game.name", "", "game.name is empty"},
        {"metrics.games", "63", "metrics.games = 63: expected an even number"},
        {"metrics.anchor_games", "1", "metrics.anchor_games = 1"},
        {"metrics.final_games", "3", "metrics.final_games = 3"},
        {"train.minibatches", "2049", "train.minibatches = 2049"},
        {"train.horizon", "65536", ""},
        {"league.past", "0.9", "league.past + league.anchor_share = 1.1"},
        {"league.anchors", "", "league.anchors is empty"},
        {"league.opponents", "64", ""},
        {"net.hidden", "12,", "net.hidden = 12,"},
        {"net.hidden", "12 13", "net.hidden"},
        {"net.hidden", "0,12", "net.hidden"},
        {"net.hidden", "4097", "1..4096"},
        {"net.hidden", "conv4k2", "odd"},
        {"net.hidden", "8,conv4", "before other layers"},
        {"net.hidden", "lstm4", "mingruWIDTH"},
        {"net.hidden", "conv4,8,mingru4", ""},
        {"net.hidden", "1,1,1,1,1,1,1,1,1", "at most 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        agon_error error = {0};
        agon_config config = fresh();
        set_ok(&config, "game.name", "some_game");
        assert_int_equal(agon_config_check(&config, &error), AGON_OK);
        set_ok(&config, cases[i].key, cases[i].value);
        const int code = agon_config_check(&config, &error);
        assert_int_equal(code == AGON_OK, cases[i].words[0] == '\0');
        if (!strstr(error.text, cases[i].words))
            fail_msg("\"%s\" lacks \"%s\"", error.text, cases[i].words);
    }
    agon_config config = fresh();
    set_ok(&config, "game.name", "some_game");
    set_ok(&config, "net.hidden", "mingru8");
    set_ok(&config, "train.minibatches", "65"); /* of 64 lanes */
    assert_int_equal(agon_config_check(&config, NULL), AGON_EINVALID);
    set_ok(&config, "train.minibatches", "64");
    assert_int_equal(agon_config_check(&config, NULL), AGON_OK);
    set_ok(&config, "train.lanes", "65536");
    set_ok(&config, "train.horizon", "65536");
    assert_int_equal(agon_config_check(&config, NULL), AGON_ELIMIT);
}

/* Promise: net.hidden becomes the architecture that it says. */
static void test_net(void** unused) {
    agon_config config = fresh();
    const agon_spec spec = {.planes = 5, .rows = 1, .cols = 1, .actions = 3};
    agon_net net;
    set_ok(&config, "net.hidden", "32, 16 ,8");
    set_ok(&config, "net.activation", "tanh");
    assert_int_equal(agon_config_net(&config, &spec, &net, NULL), AGON_OK);
    assert_int_equal(net.layers, 3);
    assert_int_equal(net.hidden[0], 32);
    assert_int_equal(net.hidden[1], 16);
    assert_int_equal(net.hidden[2], 8);
    assert_int_equal(net.inputs, 5);
    assert_int_equal(net.actions, 3);
    assert_int_equal(net.activation, AGON_TANH);
    assert_int_equal(net.planes, 0);
    set_ok(&config, "net.hidden", "conv6k5,mingru9");
    assert_int_equal(agon_config_net(&config, &spec, &net, NULL), AGON_OK);
    char text[AGON_NET_TEXT];
    agon_net_format(&net, text, sizeof text);
    assert_string_equal(text, "5x1x1-conv6k5-mingru9-3 tanh");
    set_ok(&config, "net.hidden", "0");
    assert_int_equal(agon_config_net(&config, &spec, &net, NULL), AGON_OK);
    assert_int_equal(net.layers, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_table_covers_the_struct),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_real_numbers),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_mistakes_in_files),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hash_of_later_keys),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
