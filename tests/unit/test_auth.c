/* test_auth.c: tokens and the answers to challenges. */
#include "net/auth.h"

#include "engine/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char folder[64];

static int make_folder(void** unused) {
    strcpy(folder, "/tmp/agon-auth.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void** unused) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char* in_folder(const char* name) {
    static char path[16][128];
    static int next;
    char* out = path[next++ % 16];
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static const char* file_with(const char* name, const char* text, mode_t mode) {
    const char* path = in_folder(name);
    assert_int_equal(agon_file_write(path, text, strlen(text), NULL), AGON_OK);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* Promise: the MAC is HMAC-SHA-256 of RFC 4231, test case 7: its key is longer than a block, so
 * what is used is the SHA-256 of it, as a token's is. Its text is cut where nonces end. */
static void test_vector(void** unused) {
    static const char text[] =
        "This is a test using a larger than block-size key and a larger than "
        "block-size data. The key needs to be hashed before being used by "
        "the HMAC algorithm.";
    agon__token token = {.name = "vector"};
    uint8_t key[131];
    char first[AGON_HASH_SIZE], second[AGON_HASH_SIZE], mac[AGON_HASH_SIZE];
    memset(key, 0xaa, sizeof key);
    agon_sha256(key, sizeof key, token.key);
    memcpy(first, text, 64);
    memcpy(second, text + 64, 64);
    first[64] = second[64] = '\0';
    assert_int_equal(agon__mac(&token, first, second, (const uint8_t*)text + 128,
                               sizeof text - 1 - 128, mac, NULL),
                     AGON_OK);
    assert_string_equal(mac, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* Promise: whatever the MAC is over changes it: token, either nonce, each byte of HELLO. */
static void test_mac_depends(void** unused) {
    const char* hello = "hello";
    char nonce[2][AGON_HASH_SIZE], other[AGON_HASH_SIZE], base[AGON_HASH_SIZE], mac[AGON_HASH_SIZE];
    agon__token token = {.key = HEX}, wrong = {.key = HEX};
    wrong.key[63] = '0';
    for (int i = 0; i < 2; i++)
        assert_int_equal(agon__random_hex(nonce[i], NULL), AGON_OK);
    assert_int_equal(agon__random_hex(other, NULL), AGON_OK);
    const struct {
        const agon__token* token;
        const char *worker, *coordinator, *hello;
        size_t size;
    } cases[] = {
        {&token, nonce[0], nonce[1], hello, 5}, {&wrong, nonce[0], nonce[1], hello, 5},
        {&token, nonce[1], nonce[0], hello, 5}, {&token, other, nonce[1], hello, 5},
        {&token, nonce[0], other, hello, 5},    {&token, nonce[0], nonce[1], "hellp", 5},
        {&token, nonce[0], nonce[1], hello, 4}, {&token, nonce[0], nonce[1], NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(agon__mac(cases[i].token, cases[i].worker, cases[i].coordinator,
                                   (const uint8_t*)cases[i].hello, cases[i].size, mac, NULL),
                         AGON_OK);
        if (i == 0)
            strcpy(base, mac);
        assert_int_equal(agon__mac_equal(base, mac), i == 0);
    }
}

/* Promise: MACs are equal in all 64 digits or not at all; one that is empty or short equals
 * nothing, not even itself. */
static void test_equal(void** unused) {
    char a[AGON_HASH_SIZE] = HEX, b[AGON_HASH_SIZE] = HEX;
    assert_true(agon__mac_equal(a, b));
    for (int i = 0; i < 64; i++) {
        b[i] ^= 1;
        assert_false(agon__mac_equal(a, b));
        b[i] ^= 1;
    }
    assert_false(agon__mac_equal("", ""));
    assert_false(agon__mac_equal(a, ""));
    assert_false(agon__mac_equal("ab", "ab"));
}

/* Promise: random digits differ each time, and every digit occurs. */
static void test_random(void** unused) {
    char before[AGON_HASH_SIZE] = "", now[AGON_HASH_SIZE];
    bool seen[256] = {false};
    int kinds = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(agon__random_hex(now, NULL), AGON_OK);
        assert_true(strspn(now, "0123456789abcdef") == 64 && now[64] == '\0');
        assert_string_not_equal(before, now);
        for (int k = 0; k < 64; k++) {
            kinds += !seen[(unsigned char)now[k]];
            seen[(unsigned char)now[k]] = true;
        }
        strcpy(before, now);
    }
    assert_int_equal(kinds, 16);
}

/* Promise: a file of tokens has names and keys, comments and empty lines; any other line is named,
 * and never repeated: it may be a secret. */
static void test_tokens_text(void** unused) {
    static const char more[] = HEX;
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"a\n", "file: line 1: one word"},
        {"\n# x\na " HEX " b\n", "file: line 3: more than two words"},
        {"a " HEX "\nb 0123\n", "file: line 2: the second word is not 64 hex digits"},
        {"a " HEX "0\n", "file: line 1: the second word is not 64 hex digits"},
        {"a 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", "the second word"},
        {"- " HEX "\n", "file: line 1: the name is not"},
        {"a/b " HEX "\n", "file: line 1: the name is not"},
        {"\x01 " HEX "\n", "file: line 1: the name is not"},
        {HEX " " HEX "\n", "file: line 1: the name is not"},
        {"a " HEX "\nb " HEX "\na " HEX "\n", "file: line 3: token 'a' is there twice"},
        {"b " HEX "\nb " HEX "\na " HEX "\na " HEX, "file: line 2: token 'b' is there twice"},
    };
    agon__tokens tokens;
    assert_int_equal(agon__tokens_parse("", "file", &tokens, NULL), AGON_OK);
    assert_int_equal(tokens.count, 0);
    assert_int_equal(
        agon__tokens_parse("# lab\n\n a.b_c-9\t" HEX "\r\nb " HEX, "file", &tokens, NULL), AGON_OK);
    assert_int_equal(tokens.count, 2);
    assert_string_equal(agon__tokens_find(&tokens, "a.b_c-9")->key, HEX);
    assert_null(agon__tokens_find(&tokens, "-"));
    assert_null(agon__tokens_find(&tokens, HEX));
    agon__tokens_clear(&tokens);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        agon_error error = {0};
        assert_int_equal(agon__tokens_parse(cases[i].text, "file", &tokens, &error), AGON_EFORMAT);
        if (!strstr(error.text, cases[i].problem) || strstr(error.text, more))
            fail_msg("case %zu: %s", i, error.text);
    }
}

/* Promise: the 10,000th token is taken, the next is refused. */
static void test_tokens_limit(void** unused) {
    char* text = malloc(10001 * 80);
    size_t used = 0;
    agon__tokens tokens;
    agon_error error = {0};
    for (int i = 0; i < 10000; i++)
        used += (size_t)sprintf(text + used, "w%d " HEX "\n", i);
    assert_int_equal(agon__tokens_parse(text, "file", &tokens, NULL), AGON_OK);
    assert_int_equal(tokens.count, 10000);
    assert_int_equal(agon__tokens_find(&tokens, "w7654")->line, 7655);
    agon__tokens_clear(&tokens);
    sprintf(text + used, "more " HEX "\n");
    assert_int_equal(agon__tokens_parse(text, "file", &tokens, &error), AGON_ELIMIT);
    assert_string_equal(error.text, "file: line 10001: expected at most 10000 tokens");
    free(text);
}

/* Promise: a worker's file has exactly one token. */
static void test_token_text(void** unused) {
    agon__token token;
    agon_error error = {0};
    char key[AGON_HASH_SIZE];
    agon_sha256(HEX, 64, key);
    assert_int_equal(agon__token_parse("lab " HEX "\n", "file", &token, NULL), AGON_OK);
    assert_string_equal(token.name, "lab");
    assert_string_equal(token.key, key);
    assert_int_equal(agon__token_parse("# none\n", "file", &token, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "file: no token"));
    assert_int_equal(agon__token_parse("a " HEX "\nb " HEX, "file", &token, &error), AGON_EFORMAT);
    assert_non_null(strstr(error.text, "file: line 2: expected one token"));
    assert_string_equal(token.name, "lab");
}

/* Promise: files of secrets that others may read, or change, are refused with what to do. */
static void test_modes(void** unused) {
    static const mode_t open[] = {0604, 0602, 0601, 0644, 0666, 0660};
    agon__token token;
    agon__tokens tokens;
    agon_error error = {0};
    const char* path = file_with("modes", "lab " HEX "\n", 0600);
    assert_int_equal(agon__token_read(path, &token, NULL), AGON_OK);
    assert_int_equal(agon__tokens_read(path, &tokens, NULL), AGON_OK);
    assert_string_equal(tokens.token[0].key, HEX);
    agon__tokens_clear(&tokens);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(agon__token_read(path, &token, NULL), AGON_OK);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_int_equal(chmod(path, open[i]), 0);
        assert_int_equal(agon__token_read(path, &token, &error), AGON_EINVALID);
        assert_int_equal(agon__tokens_read(path, &tokens, &error), AGON_EINVALID);
        assert_non_null(strstr(error.text, path));
        assert_non_null(strstr(error.hint, "chmod 600"));
    }
}

/* Promise: files that are not there, are folders, are large or binary are refused by name. */
static void test_files(void** unused) {
    agon__token token;
    agon_error error = {0};
    assert_int_equal(agon__token_read(in_folder("none"), &token, &error), AGON_EMISSING);
    assert_non_null(strstr(error.text, "none"));
    assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
    assert_true(agon__token_read(in_folder("dir"), &token, &error) < 0);
    const char* path = in_folder("binary");
    assert_int_equal(agon_file_write(path, "lab " HEX "\0x", 71, NULL), AGON_OK);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(agon__token_read(path, &token, &error), AGON_EFORMAT);
    assert_int_equal(truncate(path, (1 << 20) + 1), 0);
    assert_int_equal(agon__token_read(path, &token, &error), AGON_ELIMIT);
}

static mode_t mode_of(const char* path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Promise: a new token is in two private files that agree; a name or path that is taken is refused,
 * and leaves both as they were. */
static void test_make(void** unused) {
    agon__token first, second;
    agon__tokens tokens;
    agon_error error = {0};
    const char *a = in_folder("a"), *b = in_folder("b"), *list = in_folder("list");
    umask(0);
    assert_int_equal(agon_token_make("lab-a", a, list, NULL), AGON_OK);
    assert_int_equal(agon_token_make("lab-b", b, list, NULL), AGON_OK);
    assert_int_equal(mode_of(a), 0600);
    assert_int_equal(mode_of(list), 0600);
    assert_int_equal(agon_token_make("lab-a", in_folder("c"), list, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "has a token 'lab-a'"));
    assert_int_not_equal(access(in_folder("c"), F_OK), 0);
    assert_int_equal(agon_token_make("lab-c", a, list, &error), AGON_EINVALID);
    assert_non_null(strstr(error.text, "exists"));
    assert_int_equal(agon_token_make("la b", in_folder("c"), list, &error), AGON_EINVALID);
    assert_int_equal(agon__token_read(a, &first, NULL), AGON_OK);
    assert_int_equal(agon__token_read(b, &second, NULL), AGON_OK);
    assert_string_not_equal(first.key, second.key);
    assert_int_equal(agon__tokens_read(list, &tokens, NULL), AGON_OK);
    assert_int_equal(tokens.count, 2);
    assert_string_equal(agon__tokens_find(&tokens, "lab-a")->key, first.key);
    assert_string_equal(agon__tokens_find(&tokens, "lab-b")->key, second.key);
    agon__tokens_clear(&tokens);
}

/* Promise: what cannot be listed is not handed out either. */
static void test_make_fails(void** unused) {
    const char* path = in_folder("orphan");
    assert_true(agon_token_make("x", path, in_folder("no/list"), NULL) < 0);
    assert_int_not_equal(access(path, F_OK), 0);
    file_with("damaged", "nonsense\n", 0600);
    assert_int_equal(agon_token_make("x", path, in_folder("damaged"), NULL), AGON_EFORMAT);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),      cmocka_unit_test(test_mac_depends),
        cmocka_unit_test(test_equal),       cmocka_unit_test(test_random),
        cmocka_unit_test(test_tokens_text), cmocka_unit_test(test_tokens_limit),
        cmocka_unit_test(test_token_text),  cmocka_unit_test(test_modes),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_make),
        cmocka_unit_test(test_make_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
