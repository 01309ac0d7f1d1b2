/* config.c: values of keys: parsing, printing, checking. Reading of files is in config_read.c, the
 * table in config_keys.c. */
#include "engine/config.h"

#include "engine/blob.h"
#include "engine/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEYS      96
#define MAX_FULL_NAME 64

/* ---- numbers, strictly -------------------------------------------------------------------- */

/* Copies a whole number without the underscores between its digits. */
static bool plain_digits(const char* text, char* out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; text[i]; i++) {
        const bool digit = isdigit((unsigned char)text[i]);
        const bool between =
            i > 0 && isdigit((unsigned char)text[i - 1]) && isdigit((unsigned char)text[i + 1]);
        if (text[i] == '_' && between)
            continue;
        if (!digit || used + 1 >= size)
            return false;
        out[used++] = text[i];
    }
    out[used] = '\0';
    return used > 0;
}

static bool parse_seed(const char* text, uint64_t* out) {
    char digits[32];
    if (!plain_digits(text, digits, sizeof digits))
        return false;
    errno = 0;
    const unsigned long long value = strtoull(digits, NULL, 10);
    *out = value;
    return errno == 0;
}

/* What may be an integer out of range is still an integer: *out is then a bound of its type. */
static bool parse_int(const char* text, double* out) {
    char digits[32];
    const bool negative = text[0] == '-';
    if (!plain_digits(text + negative, digits, sizeof digits))
        return false;
    *out = strtod(digits, NULL);
    if (negative)
        *out = -*out;
    return true;
}

/* strtod alone would also take hexadecimal, infinities, NaN and leading blanks. */
static bool is_decimal(const char* text) {
    const char* at = text + (*text == '-' || *text == '+');
    const size_t whole = strspn(at, "0123456789");
    size_t fraction = 0;
    at += whole;
    if (*at == '.') {
        fraction = strspn(at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        const size_t exponent = strspn(at, "0123456789");
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return *at == '\0';
}

static bool parse_real(const char* text, double* out) {
    if (!is_decimal(text))
        return false;
    *out = strtod(text, NULL) + 0.0; /* -0 becomes 0 */
    return true;
}

static bool parse_switch(const char* text, int* out) {
    static const char* const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (int i = 0; i < 6; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i & 1;
            return true;
        }
    }
    return false;
}

static bool parse_choice(const char* choices, const char* text, int* out) {
    const size_t length = strlen(text);
    int index = 0;
    for (const char* at = choices; *at; index++) {
        const size_t word = strcspn(at, "|");
        if (word == length && strncmp(at, text, length) == 0) {
            *out = index;
            return true;
        }
        at += word + (at[word] == '|');
    }
    return false;
}

/* ---- setting ------------------------------------------------------------------------------ */

int agon_config_range(const agon_config_key* key, char* out, size_t size) {
    const char* gap = key->unit[0] ? " " : "";
    agon__text text = {out, size, 0};
    switch (key->type) {
    case AGON_KEY_INT:
        agon__text_add(&text, "%.0f..%.0f%s%s", key->low, key->high, gap, key->unit);
        break;
    case AGON_KEY_SEED:
        agon__text_add(&text, "0..%" PRIu64, UINT64_MAX);
        break;
    case AGON_KEY_REAL:
        agon__text_add(&text, "%g..%.6g%s%s", key->low, key->high, gap, key->unit);
        break;
    case AGON_KEY_TEXT:
        agon__text_add(&text, "text of at most %zu characters", agon_config_text_limit(key));
        break;
    case AGON_KEY_CHOICE:
        for (const char* at = key->choices; *at; at += strspn(at, "|")) {
            const int word = (int)strcspn(at, "|");
            agon__text_add(&text, "%s%.*s", at == key->choices ? "" : ", ", word, at);
            at += word;
        }
        break;
    case AGON_KEY_SWITCH:
        agon__text_add(&text, "yes or no");
        break;
    }
    return (int)text.used;
}

size_t agon_config_text_limit(const agon_config_key* key) {
    const size_t line = AGON_CONFIG_LINE - strlen(key->name) - strlen(" = ");
    return key->size - 1 < line ? key->size - 1 : line;
}

/* "ORIGIN: section.key = value: PROBLEM; expected RANGE". */
static int refuse(const agon_config_key* key, const char* value, const char* origin,
                  const char* problem, agon_error* error) {
    char range[160], shown[AGON__QUOTE];
    agon_config_range(key, range, sizeof range);
    agon_fail(error, AGON_EINVALID, "%s: %s.%s = %s: %s; expected %s", origin, key->section,
              key->name, value[0] ? agon__quote(value, shown) : "(empty)", problem, range);
    agon_hint(error, "agon help %s.%s", key->section, key->name);
    return AGON_EINVALID;
}

static int set_text(char* out, const agon_config_key* key, const char* value, const char* origin,
                    agon_error* error) {
    const size_t length = strlen(value);
    if (length > agon_config_text_limit(key))
        return refuse(key, value, origin, "too long", error);
    for (const char* at = value; *at; at++) {
        if (iscntrl((unsigned char)*at))
            return refuse(key, value, origin, "has a control character", error);
        if (*at == ';')
            return refuse(key, value, origin, "';' would begin a comment", error);
    }
    memcpy(out, value, length + 1);
    /* What follows the text is part of equality and of the bytes that a caller may compare. */
    memset(out + length, 0, key->size - length);
    return AGON_OK;
}

static int set_number(void* out, const agon_config_key* key, const char* value, const char* origin,
                      agon_error* error) {
    const bool whole = key->type == AGON_KEY_INT;
    double number = 0;
    if (whole ? !parse_int(value, &number) : !parse_real(value, &number))
        return refuse(key, value, origin, whole ? "not a whole number" : "not a number", error);
    if (!(number >= key->low && number <= key->high))
        return refuse(key, value, origin, "out of range", error);
    if (whole)
        *(int*)out = (int)number;
    else
        *(double*)out = number;
    return AGON_OK;
}

static int set_value(void* out, const agon_config_key* key, const char* value, const char* origin,
                     agon_error* error) {
    switch (key->type) {
    case AGON_KEY_INT:
    case AGON_KEY_REAL:
        return set_number(out, key, value, origin, error);
    case AGON_KEY_SEED: {
        uint64_t seed;
        if (!parse_seed(value, &seed))
            return refuse(key, value, origin, "not a whole number in range", error);
        *(uint64_t*)out = seed;
        return AGON_OK;
    }
    case AGON_KEY_CHOICE:
        if (!parse_choice(key->choices, value, (int*)out))
            return refuse(key, value, origin, "no such choice", error);
        return AGON_OK;
    case AGON_KEY_SWITCH:
        if (!parse_switch(value, (int*)out))
            return refuse(key, value, origin, "not a switch", error);
        return AGON_OK;
    case AGON_KEY_TEXT:
        return set_text((char*)out, key, value, origin, error);
    }
    assert(!"every type of key is listed");
    return AGON_EINVALID;
}

/* The key that was probably meant: the same name in another section, or a near spelling. */
static bool suggest(const char* full_name, char out[MAX_FULL_NAME]) {
    char names[MAX_KEYS][MAX_FULL_NAME];
    const char* candidates[MAX_KEYS];
    const char* dot = strrchr(full_name, '.');
    const char* bare = dot ? dot + 1 : full_name;
    const char* found = NULL;
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    assert(count <= MAX_KEYS);
    for (int i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%s.%s", keys[i].section, keys[i].name);
        candidates[i] = names[i];
        if (!found && strcmp(bare, keys[i].name) == 0)
            found = names[i];
    }
    if (!found && strlen(full_name) < MAX_FULL_NAME)
        found = agon_nearest(full_name, candidates, count);
    if (found)
        strcpy(out, found);
    return found != NULL;
}

static int refuse_unknown(const char* full_name, const char* origin, agon_error* error) {
    char near[MAX_FULL_NAME], shown[AGON__QUOTE];
    agon__quote(full_name, shown);
    if (suggest(full_name, near)) {
        agon_fail(error, AGON_EUNKNOWN, "%s: unknown key %s; did you mean %s?", origin, shown,
                  near);
        agon_hint(error, "agon help %s", near);
    } else {
        agon_fail(error, AGON_EUNKNOWN, "%s: unknown key %s; expected section.key", origin, shown);
        agon_hint(error, "agon help lists every key");
    }
    return AGON_EUNKNOWN;
}

int agon_config_set(agon_config* config, const char* full_name, const char* value,
                    const char* origin, agon_error* error) {
    char trimmed[1024];
    const agon_config_key* key = agon_config_find(full_name);
    if (!key)
        return refuse_unknown(full_name, origin, error);
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (length >= sizeof trimmed)
        return refuse(key, value, origin, "too long", error);
    memcpy(trimmed, value, length);
    trimmed[length] = '\0';
    return set_value((char*)config + key->offset, key, trimmed, origin, error);
}

void agon_config_defaults(agon_config* config) {
    int count;
    const agon_config_key* keys = agon_config_keys(&count);
    memset(config, 0, sizeof *config);
    for (int i = 0; i < count; i++) {
        const int code =
            set_value((char*)config + keys[i].offset, &keys[i], keys[i].fallback, "defaults", NULL);
        assert(code == AGON_OK);
        (void)code;
    }
}

/* ---- printing ----------------------------------------------------------------------------- */

int agon_config_value(const agon_config* config, const agon_config_key* key, char* out,
                      size_t size) {
    const void* at = (const char*)config + key->offset;
    char number[32];
    switch (key->type) {
    case AGON_KEY_INT:
        return snprintf(out, size, "%d", *(const int*)at);
    case AGON_KEY_SEED:
        return snprintf(out, size, "%" PRIu64, *(const uint64_t*)at);
    case AGON_KEY_REAL:
        agon__text_real(*(const double*)at, number);
        return snprintf(out, size, "%s", number);
    case AGON_KEY_TEXT:
        return snprintf(out, size, "%s", (const char*)at);
    case AGON_KEY_SWITCH:
        return snprintf(out, size, "%s", *(const int*)at ? "yes" : "no");
    case AGON_KEY_CHOICE: {
        const char* word = key->choices;
        for (int skip = *(const int*)at; skip > 0; skip--)
            word += strcspn(word, "|") + 1;
        return snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
    }
    }
    assert(!"every type of key is listed");
    return 0;
}

static void write_key(agon__text* text, const agon_config* config, const agon_config_key* key,
                      bool comments) {
    char value[1024], range[160];
    agon_config_value(config, key, value, sizeof value);
    if (comments) {
        agon_config_range(key, range, sizeof range);
        agon__text_add(text, "# %s\n# %s; default %s\n", key->meaning, range,
                       key->fallback[0] ? key->fallback : "empty");
    }
    agon__text_add(text, "%s =%s%s\n", key->name, value[0] ? " " : "", value);
}

static bool is_hashed(const agon_config* config, const agon_config_key* key) {
    char value[1024];
    if (!agon_config_decides(key))
        return false;
    agon_config_value(config, key, value, sizeof value);
    return !key->later || strcmp(value, key->fallback) != 0;
}

static void write_all(agon__text* text, const agon_config* config, bool comments,
                      bool decides_only) {
    int count;
    const char* section = "";
    const agon_config_key* keys = agon_config_keys(&count);
    for (int i = 0; i < count; i++) {
        if (decides_only && !is_hashed(config, &keys[i]))
            continue;
        if (strcmp(section, keys[i].section) != 0)
            agon__text_add(text, "%s[%s]\n", section[0] ? "\n" : "", keys[i].section);
        section = keys[i].section;
        write_key(text, config, &keys[i], comments);
    }
}

char* agon_config_write(const agon_config* config, bool comments, bool decides_only) {
    agon__text text = {NULL, 0, 0};
    write_all(&text, config, comments, decides_only);
    text.size = text.used + 1;
    text.used = 0;
    text.out = malloc(text.size);
    if (text.out)
        write_all(&text, config, comments, decides_only);
    return text.out;
}

void agon_config_hash(const agon_config* config, char out[65]) {
    char buffer[sizeof(agon_config) + 64 * MAX_KEYS]; /* texts, and at most 64 for the rest */
    agon__text text = {buffer, sizeof buffer, 0};
    write_all(&text, config, false, true);
    assert(text.used < sizeof buffer);
    agon_sha256(buffer, text.used, out);
}

/* ---- what concerns several keys ----------------------------------------------------------- */

static int refuse_hidden(const char* text, const char* why, agon_error* error) {
    char shown[AGON__QUOTE];
    agon_fail(error, AGON_EINVALID,
              "net.hidden = %s: %s; expected layers separated by commas, or 0 for none",
              agon__quote(text, shown), why);
    return agon_hint(error, "agon help net.hidden");
}

/* A layer's word, without the underscores that its numbers may have, as any number of a config. */
static void take_layer(const char* at, size_t length, char* word, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        const bool within = i > 0 && i + 1 < length && isdigit((unsigned char)at[i - 1]) &&
                            isdigit((unsigned char)at[i + 1]);
        if (at[i] != '_' || !within)
            word[used++] = at[i];
    }
    word[used] = '\0';
}

static int parse_hidden(const char* text, agon_net* out, agon_error* error) {
    if (text[0] == '\0' || strcmp(text, "0") == 0)
        return AGON_OK;
    for (const char* at = text;; at++) {
        char word[32];
        at += strspn(at, " ");
        const size_t length = strcspn(at, ", ");
        take_layer(at, length, word, sizeof word);
        at += length + strspn(at + length, " ");
        const char* why = agon_net_add_layer(out, word);
        if (!why && *at && *at != ',')
            why = "there is a space within a layer";
        if (why)
            return refuse_hidden(text, why, error);
        if (!*at)
            return AGON_OK;
    }
}

int agon_config_net(const agon_config* config, const agon_spec* spec, agon_net* out,
                    agon_error* error) {
    agon_net net = {.inputs = spec->planes * spec->rows * spec->cols,
                    .actions = spec->actions,
                    .activation = (agon_activation)config->net.activation,
                    .planes = spec->planes,
                    .rows = spec->rows,
                    .cols = spec->cols};
    assert(net.inputs >= 1 && net.actions >= 1);
    const int code = parse_hidden(config->net.hidden, &net, error);
    if (code != AGON_OK)
        return code;
    if (net.layers == 0 || net.kind[0] != AGON_CONV)
        net.planes = net.rows = net.cols = 0;
    *out = net;
    return AGON_OK;
}

static int check_league(const agon_config* config, agon_error* error) {
    const int kind = config->league.kind;
    const bool mixed = kind == AGON_LEAGUE_UNIFORM || kind == AGON_LEAGUE_PFSP;
    const bool anchors = config->league.anchors[0] != '\0';
    if (kind == AGON_LEAGUE_MIRROR && config->population.roles == AGON_ROLES_SEPARATE)
        return agon_fail(error, AGON_EINVALID,
                         "league.kind = mirror, but population.roles = separate: expected another "
                         "league, because an agent of one role cannot meet itself");
    if (kind == AGON_LEAGUE_FIXED && !anchors)
        return agon_fail(error, AGON_EINVALID,
                         "league.kind = fixed, but league.anchors is empty: expected at least one "
                         "scripted policy");
    if (mixed && config->league.anchor_share > 0 && !anchors)
        return agon_fail(error, AGON_EINVALID,
                         "league.anchor_share = %g, but league.anchors is empty: expected a "
                         "scripted policy, or a share of 0",
                         config->league.anchor_share);
    if (mixed && config->league.past + config->league.anchor_share > 1)
        return agon_fail(error, AGON_EINVALID,
                         "league.past + league.anchor_share = %g: expected at most 1",
                         config->league.past + config->league.anchor_share);
    if (kind != AGON_LEAGUE_MIRROR && config->league.opponents > config->train.lanes)
        return agon_fail(error, AGON_EINVALID,
                         "league.opponents = %d: expected at most train.lanes = %d",
                         config->league.opponents, config->train.lanes);
    return AGON_OK;
}

static int check_train(const agon_config* config, agon_error* error) {
    const int64_t decisions = (int64_t)config->train.lanes * config->train.horizon;
    if (decisions > AGON_CONFIG_MAX_DECISIONS)
        return agon_fail(error, AGON_ELIMIT,
                         "train.lanes * train.horizon = %" PRId64 ": expected at most %d decisions",
                         decisions, AGON_CONFIG_MAX_DECISIONS);
    if (config->train.minibatches > decisions)
        return agon_fail(error, AGON_EINVALID,
                         "train.minibatches = %d: expected at most train.lanes * train.horizon = "
                         "%" PRId64,
                         config->train.minibatches, decisions);
    return AGON_OK;
}

static int check_probes(const agon_config* config, agon_error* error) {
    const char* hash = config->metrics.probe_hash;
    char shown[AGON__QUOTE];
    if (hash[0] && (strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64))
        return agon_fail(error, AGON_EINVALID, "metrics.probe_hash = %s: expected 64 hex digits",
                         agon__quote(hash, shown));
    if (hash[0] && !config->metrics.probe_file[0])
        return agon_fail(error, AGON_EINVALID,
                         "metrics.probe_hash = %.12s..., but metrics.probe_file is empty: expected "
                         "the file that has this hash",
                         hash);
    return AGON_OK;
}

static int check_device(const agon_config* config, agon_error* error) {
    char precision[16], shown[AGON__QUOTE];
    if (config->train.device != AGON_DEVICE_CPU)
        return AGON_OK;
    agon_config_value(config, agon_config_find("train.precision"), precision, sizeof precision);
    if (strcmp(precision, "auto") != 0 && strcmp(precision, "fp32") != 0) {
        agon_fail(error, AGON_EINVALID,
                  "train.precision = %s, but train.device = cpu: expected auto or fp32, the only "
                  "one that a CPU computes in",
                  precision);
        return agon_hint(error, "%s goes with train.device = cuda", precision);
    }
    if (config->train.device_model[0]) {
        agon_fail(error, AGON_EINVALID,
                  "train.device_model = %s, but train.device = cpu: expected train.device = cuda, "
                  "or no model",
                  agon__quote(config->train.device_model, shown));
        return agon_hint(error, "agon help train.device_model");
    }
    return AGON_OK;
}

static int check_even(const char* name, int games, agon_error* error) {
    if (games % 2 == 0)
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID,
                     "%s = %d: expected an even number, because both seats play each opening", name,
                     games);
}

/* The net alone, without a game's sizes; whole rows where it has memory. */
static int check_net(const agon_config* config, agon_error* error) {
    const agon_spec smallest = {.planes = 1, .rows = 1, .cols = 1, .actions = 1};
    agon_net net;
    const int code = agon_config_net(config, &smallest, &net, error);
    if (code != AGON_OK || !agon_net_memory(&net) ||
        config->train.minibatches <= config->train.lanes)
        return code;
    return agon_fail(error, AGON_EINVALID,
                     "train.minibatches = %d: expected at most train.lanes = %d, because the "
                     "minibatches of a net with memory are whole rows of train.horizon decisions",
                     config->train.minibatches, config->train.lanes);
}

int agon_config_check(const agon_config* config, agon_error* error) {
    int code = AGON_OK;
    if (!config->game.name[0]) {
        agon_fail(error, AGON_EINVALID, "game.name is empty: expected a game");
        agon_hint(error, "agon games lists them");
        return AGON_EINVALID;
    }
    if ((code = check_league(config, error)) != AGON_OK ||
        (code = check_train(config, error)) != AGON_OK ||
        (code = check_probes(config, error)) != AGON_OK ||
        (code = check_device(config, error)) != AGON_OK ||
        (code = check_even("metrics.games", config->metrics.games, error)) != AGON_OK ||
        (code = check_even("metrics.anchor_games", config->metrics.anchor_games, error)) !=
            AGON_OK ||
        (code = check_even("metrics.final_games", config->metrics.final_games, error)) != AGON_OK)
        return code;
    return check_net(config, error);
}
