/* fuzz_token.c: any text is a file of tokens, a worker's token, both or neither; names and keys are
 * what they should be, what was read can be written and read back, and no message repeats a line.
 */
#include "engine/text.h"
#include "net/auth.h"
#include "tests/fuzz/fuzz.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void seed_text(const char* dir, const char* name, const char* text) {
    fuzz_seed(dir, name, text, strlen(text));
}

static void fuzz_seeds(const char* dir) {
    seed_text(dir, "one", "lab " HEX "\n");
    seed_text(dir, "two", "# tokens\n\na.b_c-9\t" HEX "\r\n b " HEX);
    seed_text(dir, "twice", "a " HEX "\na " HEX "\n");
    seed_text(dir, "short", "a 0011\n");
    seed_text(dir, "words", "a " HEX " x\n");
}

static void check_token(const agon__token* token) {
    MUST(token->name[0] && strlen(token->name) < sizeof token->name);
    MUST(agon__text_is_printable(token->name) && strcmp(token->name, "-") != 0);
    MUST(!strpbrk(token->name, " #/*>\t"));
    MUST(agon__text_is_hash(token->key));
}

/* A message names the line; a run of 32 hex digits in it would be half a secret. */
static void check_message(const agon_error* error) {
    MUST(error->text[0]);
    for (const char* at = error->text; *at; at++)
        MUST(strspn(at, "0123456789abcdef") < 32);
}

static void try_tokens(const char* text, size_t size) {
    agon__tokens tokens, again;
    agon_error error = {0};
    MUST(agon__tokens_parse(text, "file", &tokens, &error) == error.code);
    if (error.code != AGON_OK) {
        if (!strstr(error.text, "is there twice"))
            check_message(&error);
        return;
    }
    char *written = malloc(size + 2), *end = written;
    *end = '\0';
    for (int i = 0; i < tokens.count; i++) {
        check_token(&tokens.token[i]);
        MUST(agon__tokens_find(&tokens, tokens.token[i].name) == &tokens.token[i]);
        end += sprintf(end, "%s %s\n", tokens.token[i].name, tokens.token[i].key);
    }
    MUST(agon__tokens_parse(written, "file", &again, NULL) == AGON_OK);
    MUST(again.count == tokens.count);
    for (int i = 0; i < tokens.count; i++)
        MUST(strcmp(again.token[i].key, tokens.token[i].key) == 0);
    agon__tokens_clear(&tokens);
    agon__tokens_clear(&again);
    free(written);
}

static void try_token(const char* text) {
    agon__token token;
    agon_error error = {0};
    MUST(agon__token_parse(text, "file", &token, &error) == error.code);
    if (error.code == AGON_OK)
        check_token(&token);
    else
        check_message(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    try_tokens(text, strlen(text));
    try_token(text);
    free(text);
    return 0;
}
