#include "net/auth.h"

#include "engine/files.h"
#include "engine/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW        32        /* bytes of a token, of a key and of a MAC */
#define FILE_MAX   (1 << 20) /* bytes of a file of tokens */
#define TOKENS_MAX 10000

/* ---- random numbers and MACs -------------------------------------------------------------- */

static void to_hex(const unsigned char raw[RAW], char out[AGON_HASH_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < RAW; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[AGON_HASH_SIZE - 1] = '\0';
}

static void from_hex(const char* hex, unsigned char raw[RAW]) {
    assert(agon__text_is_hash(hex));
    for (int i = 0; i < RAW; i++)
        raw[i] = (unsigned char)(OPENSSL_hexchar2int((unsigned char)hex[2 * i]) << 4 |
                                 OPENSSL_hexchar2int((unsigned char)hex[2 * i + 1]));
}

int agon__random_hex(char out[AGON_HASH_SIZE], agon_error* error) {
    unsigned char raw[RAW];
    if (RAND_bytes(raw, sizeof raw) != 1)
        return agon_fail(error, AGON_EIO, "random numbers: the system's generator gives none");
    to_hex(raw, out);
    OPENSSL_cleanse(raw, sizeof raw);
    return AGON_OK;
}

/* Nonces are of one length, so what is hashed can be read in one way only. */
int agon__mac(const agon__token* token, const char* nonce_worker, const char* nonce_coordinator,
              const uint8_t* hello, size_t size, char out[AGON_HASH_SIZE], agon_error* error) {
    enum { NONCE = AGON_HASH_SIZE - 1 };
    assert(strlen(nonce_worker) == NONCE && strlen(nonce_coordinator) == NONCE);
    unsigned char key[RAW], mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    uint8_t* text = malloc(2 * NONCE + size);
    if (!text)
        return agon_fail(error, AGON_EMEMORY, "authentication: out of memory");
    memcpy(text, nonce_worker, NONCE);
    memcpy(text + NONCE, nonce_coordinator, NONCE);
    if (size > 0)
        memcpy(text + 2 * NONCE, hello, size);
    from_hex(token->key, key);
    const bool ok = HMAC(EVP_sha256(), key, RAW, text, 2 * NONCE + size, mac, &length) != NULL;
    OPENSSL_cleanse(key, sizeof key);
    free(text);
    if (!ok || length != RAW)
        return agon_fail(error, AGON_EUNSUPPORTED, "authentication: OpenSSL has no HMAC-SHA-256");
    to_hex(mac, out);
    return AGON_OK;
}

bool agon__mac_equal(const char* a, const char* b) {
    return strlen(a) == AGON_HASH_SIZE - 1 && strlen(b) == AGON_HASH_SIZE - 1 &&
           CRYPTO_memcmp(a, b, AGON_HASH_SIZE - 1) == 0;
}

/* ---- lines of a name and 64 hex digits ---------------------------------------------------- */

static bool is_name(const char* name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    const size_t length = strlen(name);
    return length > 0 && length < sizeof((agon__token*)0)->name && strcmp(name, "-") != 0 &&
           strspn(name, letters) == length;
}

/* Splits a line into its words; returns how many there are, at most 3. Changes it. */
static int split(char* line, char* word[3]) {
    int count = 0;
    char* rest = line;
    while (count < 3 && (word[count] = strtok_r(count ? NULL : line, " \t\r", &rest)))
        count++;
    return count;
}

static int refuse_line(const char* origin, int line, const char* problem, agon_error* error) {
    return agon_fail(error, AGON_EFORMAT, "%s: line %d: %s; expected a name and 64 hex digits",
                     origin, line, problem);
}

/* *word[0] is the name, *word[1] the digits; false: an empty line or a comment. The text of a line
 * may be secret, so that no message repeats it. */
static int read_line(char* line, const char* origin, int number, char* word[3], bool* found,
                     agon_error* error) {
    const int words = split(line, word);
    *found = words > 0 && word[0][0] != '#';
    if (!*found)
        return AGON_OK;
    if (words != 2)
        return refuse_line(origin, number, words == 1 ? "one word" : "more than two words", error);
    if (!is_name(word[0]))
        return refuse_line(origin, number,
                           "the name is not 1 to 63 letters, digits, '.', '_' and '-'", error);
    if (!agon__text_is_hash(word[1]))
        return refuse_line(origin, number, "the second word is not 64 hex digits", error);
    return AGON_OK;
}

/* Calls take for every line that holds something. */
static int each_line(const char* text, const char* origin,
                     int (*take)(void* user, int line, const char* name, const char* hex,
                                 const char* origin, agon_error* error),
                     void* user, agon_error* error) {
    char* copy = strdup(text);
    if (!copy)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", origin);
    int code = AGON_OK, number = 0;
    char* rest = copy;
    while (code == AGON_OK && rest) {
        char *line = strsep(&rest, "\n"), *word[3];
        bool found = false;
        code = read_line(line, origin, ++number, word, &found, error);
        if (code == AGON_OK && found)
            code = take(user, number, word[0], word[1], origin, error);
    }
    OPENSSL_cleanse(copy, strlen(text));
    free(copy);
    return code;
}

/* ---- a coordinator's tokens --------------------------------------------------------------- */

static int add_token(void* user, int line, const char* name, const char* hex, const char* origin,
                     agon_error* error) {
    agon__tokens* tokens = user;
    if (tokens->count == TOKENS_MAX)
        return agon_fail(error, AGON_ELIMIT, "%s: line %d: expected at most %d tokens", origin,
                         line, TOKENS_MAX);
    agon__token* more = realloc(tokens->token, ((size_t)tokens->count + 1) * sizeof *tokens->token);
    if (!more)
        return agon_fail(error, AGON_EMEMORY, "%s: out of memory", origin);
    tokens->token = more;
    agon__token* token = &tokens->token[tokens->count++];
    strcpy(token->name, name);
    strcpy(token->key, hex);
    token->line = line;
    return AGON_OK;
}

static int compare_names(const void* a, const void* b) {
    return strcmp(((const agon__token*)a)->name, ((const agon__token*)b)->name);
}

static int compare_places(const void* a, const void* b) {
    const int names = compare_names(a, b);
    return names ? names : ((const agon__token*)a)->line - ((const agon__token*)b)->line;
}

/* Sorts the tokens; the first line that repeats a name is refused. */
static int sort_tokens(agon__tokens* tokens, const char* origin, agon_error* error) {
    const agon__token* twice = NULL;
    if (tokens->count > 1)
        qsort(tokens->token, (size_t)tokens->count, sizeof *tokens->token, compare_places);
    for (int i = 1; i < tokens->count; i++) {
        const agon__token* token = &tokens->token[i];
        if (compare_names(token - 1, token) == 0 && (!twice || token->line < twice->line))
            twice = token;
    }
    if (!twice)
        return AGON_OK;
    return agon_fail(error, AGON_EFORMAT,
                     "%s: line %d: token '%s' is there twice; expected each name once", origin,
                     twice->line, twice->name);
}

int agon__tokens_parse(const char* text, const char* origin, agon__tokens* out, agon_error* error) {
    agon__tokens tokens = {0};
    int code = each_line(text, origin, add_token, &tokens, error);
    if (code == AGON_OK)
        code = sort_tokens(&tokens, origin, error);
    if (code == AGON_OK)
        *out = tokens;
    else
        agon__tokens_clear(&tokens);
    return code;
}

void agon__tokens_clear(agon__tokens* tokens) {
    if (tokens->token)
        OPENSSL_cleanse(tokens->token, (size_t)tokens->count * sizeof *tokens->token);
    free(tokens->token);
    *tokens = (agon__tokens){0};
}

const agon__token* agon__tokens_find(const agon__tokens* tokens, const char* name) {
    agon__token key = {0};
    if (tokens->count == 0 || strlen(name) >= sizeof key.name)
        return NULL;
    strcpy(key.name, name);
    return bsearch(&key, tokens->token, (size_t)tokens->count, sizeof key, compare_names);
}

/* ---- a worker's token --------------------------------------------------------------------- */

static int set_token(void* user, int line, const char* name, const char* hex, const char* origin,
                     agon_error* error) {
    agon__token* token = user;
    if (token->name[0])
        return agon_fail(error, AGON_EFORMAT, "%s: line %d: expected one token in the file", origin,
                         line);
    strcpy(token->name, name);
    token->line = line;
    agon_sha256(hex, strlen(hex), token->key);
    return AGON_OK;
}

int agon__token_parse(const char* text, const char* origin, agon__token* out, agon_error* error) {
    agon__token token = {0};
    const int code = each_line(text, origin, set_token, &token, error);
    if (code != AGON_OK)
        return code;
    if (!token.name[0])
        return agon_fail(error, AGON_EFORMAT,
                         "%s: no token; expected one line: its name and 64 hex digits", origin);
    *out = token;
    return AGON_OK;
}

/* ---- files -------------------------------------------------------------------------------- */

/* A file of root's may be read by a group: so are secrets given to what runs as another user. */
static int check_private(const char* path, agon_error* error) {
    struct stat status;
    if (stat(path, &status) != 0)
        return agon_file_fail(error, errno, "cannot read", path);
    const mode_t allowed = status.st_uid == 0 && geteuid() != 0 ? 0740 : 0700;
    if ((status.st_mode & 0777 & ~allowed) == 0)
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "%s: mode %04o, so that others may read or change it", path,
              (unsigned)(status.st_mode & 0777));
    agon_hint(error, "chmod 600 %s; if others have read it, make a new token", path);
    return AGON_EINVALID;
}

/* *text: malloc'd, the caller's, wiped by free_secret. */
static int read_secret(const char* path, uint8_t** text, size_t* size, agon_error* error) {
    int code = check_private(path, error);
    if (code == AGON_OK)
        code = agon_file_read(path, FILE_MAX, text, size, error);
    if (code != AGON_OK)
        return code;
    if (!memchr(*text, '\0', *size))
        return AGON_OK;
    free(*text);
    return agon_fail(error, AGON_EFORMAT, "%s: not a text file", path);
}

static void free_secret(uint8_t* text, size_t size) {
    OPENSSL_cleanse(text, size);
    free(text);
}

int agon__tokens_read(const char* path, agon__tokens* out, agon_error* error) {
    uint8_t* text;
    size_t size;
    int code = read_secret(path, &text, &size, error);
    if (code != AGON_OK)
        return code;
    code = agon__tokens_parse((const char*)text, path, out, error);
    free_secret(text, size);
    return code;
}

int agon__token_read(const char* path, agon__token* out, agon_error* error) {
    uint8_t* text;
    size_t size;
    int code = read_secret(path, &text, &size, error);
    if (code != AGON_OK)
        return code;
    code = agon__token_parse((const char*)text, path, out, error);
    free_secret(text, size);
    return code;
}

/* ---- making one --------------------------------------------------------------------------- */

/* The file of tokens is there afterwards, private, and has no token of this name. */
static int prepare_tokens(const char* name, const char* path, agon_error* error) {
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno != EEXIST)
        return agon_file_fail(error, errno, "cannot make", path);
    if (file >= 0)
        close(file);
    agon__tokens tokens;
    const int code = agon__tokens_read(path, &tokens, error);
    if (code != AGON_OK)
        return code;
    const bool taken = agon__tokens_find(&tokens, name) != NULL;
    agon__tokens_clear(&tokens);
    if (!taken)
        return AGON_OK;
    agon_fail(error, AGON_EINVALID, "%s: has a token '%s'; expected a new name", path, name);
    agon_hint(error, "remove its line to revoke it, then make it again");
    return AGON_EINVALID;
}

static int write_new(const char* path, const char* line, agon_error* error) {
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
        return agon_fail(error, AGON_EINVALID, "%s: exists; expected the path of a new file", path);
    if (file < 0)
        return agon_file_fail(error, errno, "cannot make", path);
    const size_t size = strlen(line);
    const ssize_t written = write(file, line, size);
    int number = written < 0 ? errno : written < (ssize_t)size ? ENOSPC : 0;
    if (fsync(file) != 0 && !number)
        number = errno;
    if (close(file) != 0 && !number)
        number = errno;
    if (!number)
        return AGON_OK;
    unlink(path);
    return agon_file_fail(error, number, "cannot write", path);
}

/* Both files, with a token that is known here alone. */
static int write_both(const char* name, const char* hex, const char* path, const char* tokens_path,
                      agon_error* error) {
    char line[64 + AGON_HASH_SIZE + 2], key[AGON_HASH_SIZE];
    snprintf(line, sizeof line, "%s %s\n", name, hex);
    int code = write_new(path, line, error);
    if (code == AGON_OK) {
        agon_sha256(hex, strlen(hex), key);
        snprintf(line, sizeof line, "%s %s", name, key);
        code = agon_file_append(tokens_path, line, error);
        if (code != AGON_OK)
            unlink(path);
    }
    OPENSSL_cleanse(line, sizeof line);
    return code;
}

int agon_token_make(const char* name, const char* path, const char* tokens_path,
                    agon_error* error) {
    char hex[AGON_HASH_SIZE], shown[AGON__QUOTE];
    if (!is_name(name))
        return agon_fail(error, AGON_EINVALID,
                         "token '%s': expected 1 to 63 letters, digits, '.', '_' and '-'",
                         agon__quote(name, shown));
    int code = prepare_tokens(name, tokens_path, error);
    if (code == AGON_OK)
        code = agon__random_hex(hex, error);
    if (code == AGON_OK)
        code = write_both(name, hex, path, tokens_path, error);
    OPENSSL_cleanse(hex, sizeof hex);
    return code;
}
