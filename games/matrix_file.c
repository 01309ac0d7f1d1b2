/* SPDX-License-Identifier: 0BSD
 *
 * matrix_file: a game in normal form, read from the text file `path`. Two seats choose at the same
 * time, once; each gets what the table says. Without a path it is an example: rock, paper, scissors
 * where rock beats scissors by 2, whose only equilibrium is 1/4, 1/2, 1/4. Action a is the a-th row
 * (seat 0) or column (seat 1) of the table. There is nothing to see: the observation is a constant.
 *
 * The file is read once, by configure; it holds lines of words:
 *
 *   # The tragedy of the commons. From '#' on, and where nothing stands, a line says nothing.
 *   rows    graze spare       optional: names of seat 0's actions, one for each row
 *   columns graze spare       optional: names of seat 1's actions, one for each column
 *   seat 0                    optional: what seat 0 gets follows, as rows of numbers
 *   1 4
 *   0 3
 *   seat 1                    optional: what seat 1 gets; left out, the game is zero-sum
 *   1 0
 *   4 3
 *
 * Words are separated by spaces, tabs or commas. At most 64 rows and 64 columns; numbers from -1e6
 * to 1e6, such as -2, 0.25, 1e3 or 1/3; names of at most 23 characters that begin with a letter,
 * without spaces. A file whose first word is NFG is read as Gambit's strategic form, version 1,
 * with two players and payoffs instead of outcomes; its strategies keep their numbers, counted from
 * 0. A path holds no spaces and none of "=(),". */
#include "stage_games.h"

#include <errno.h>
#include <stdarg.h>

#define MATRIX_FILE_BYTES (1 << 20) /* of a file, at most */
#define MATRIX_FILE_MOST  1e6       /* the largest payoff */

/* Tokens; a line's end is one, since rows are lines. */
enum {
    MATRIX_FILE_END,
    MATRIX_FILE_LINE,
    MATRIX_FILE_WORD,   /* begins with a letter */
    MATRIX_FILE_NUMBER, /* begins otherwise */
    MATRIX_FILE_QUOTED,
    MATRIX_FILE_BRACE /* { or } */
};

typedef struct matrix_file_reader {
    FILE* file;
    agon_params* params; /* takes the first mistake */
    const char* path;
    long bytes;    /* read so far */
    int line;      /* of the token; counted from 1 */
    int kind;      /* of the token: MATRIX_FILE_* */
    int next;      /* the character after the token; EOF: none */
    char text[64]; /* the token; what is quoted, in part */
} matrix_file_reader;

/* Returns -1. */
static int matrix_file_fail(matrix_file_reader* r, const char* format, ...) {
    char* error = r->params->error;
    va_list arguments;
    if (error[0])
        return -1;
    const int used =
        snprintf(error, sizeof r->params->error, "path=%s, line %d: ", r->path, r->line);
    va_start(arguments, format);
    vsnprintf(error + used, sizeof r->params->error - (size_t)used, format, arguments);
    va_end(arguments);
    return -1;
}

/* ---- words -------------------------------------------------------------------------------- */

static void matrix_file_step(matrix_file_reader* r) {
    r->next = fgetc(r->file);
    r->bytes++;
}

static int matrix_file_is_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int matrix_file_is_word(int c) {
    return matrix_file_is_letter(c) || (c >= '0' && c <= '9') ||
           (c > 0 && strchr("_+-./", c) != NULL);
}

/* After the opening quote. A backslash takes the next character as it is. */
static int matrix_file_quoted(matrix_file_reader* r) {
    r->kind = MATRIX_FILE_QUOTED;
    for (; r->next != '"'; matrix_file_step(r)) {
        if (r->next == '\\')
            matrix_file_step(r);
        r->line += r->next == '\n';
        if (r->next == EOF || r->bytes > MATRIX_FILE_BYTES)
            return matrix_file_fail(r, "a quote without end, expected a second '\"'");
    }
    matrix_file_step(r);
    return 0;
}

static int matrix_file_word(matrix_file_reader* r) {
    size_t length = 0;
    r->kind = matrix_file_is_letter(r->next) ? MATRIX_FILE_WORD : MATRIX_FILE_NUMBER;
    for (; matrix_file_is_word(r->next); matrix_file_step(r)) {
        if (length + 1 == sizeof r->text)
            return matrix_file_fail(r, "'%.20s...': expected words of at most %d characters",
                                    r->text, (int)sizeof r->text - 1);
        r->text[length++] = (char)r->next;
        r->text[length] = '\0';
    }
    return 0;
}

static void matrix_file_skip(matrix_file_reader* r) {
    while (r->next == ' ' || r->next == '\t' || r->next == '\r' || r->next == ',')
        matrix_file_step(r);
    if (r->next == '#') {
        while (r->next != '\n' && r->next != EOF && r->bytes <= MATRIX_FILE_BYTES)
            matrix_file_step(r);
    }
}

/* Reads the next token. Returns 0, or -1 with the error set. */
static int matrix_file_token(matrix_file_reader* r) {
    if (r->kind == MATRIX_FILE_LINE)
        r->line++;
    matrix_file_skip(r);
    if (r->bytes > MATRIX_FILE_BYTES)
        return matrix_file_fail(r, "expected at most %d bytes", MATRIX_FILE_BYTES);
    const int c = r->next;
    r->text[0] = (char)c, r->text[1] = '\0';
    if (matrix_file_is_word(c))
        return matrix_file_word(r);
    if (c == EOF && ferror(r->file))
        return matrix_file_fail(r, "reading failed: %s", strerror(errno));
    if (c != EOF)
        matrix_file_step(r);
    if (c == '"')
        return matrix_file_quoted(r);
    r->kind = c == EOF               ? MATRIX_FILE_END
              : c == '\n'            ? MATRIX_FILE_LINE
              : c == '{' || c == '}' ? MATRIX_FILE_BRACE
                                     : -1;
    if (r->kind < 0)
        return matrix_file_fail(r, "byte 0x%02x, expected words and numbers", (unsigned)c);
    return 0;
}

static const char* matrix_file_shown(const matrix_file_reader* r) {
    return r->kind == MATRIX_FILE_END      ? "the end"
           : r->kind == MATRIX_FILE_LINE   ? "a new line"
           : r->kind == MATRIX_FILE_QUOTED ? "a quote"
                                           : r->text;
}

/* The token as a number, "a" or "a/b", in [low, high]. */
static int matrix_file_number(matrix_file_reader* r, double low, double high, double* out) {
    const char* digits = "+-.0123456789eE/"; /* no hexadecimal numbers, no infinities */
    double under = 1, value = 0;
    char* end = r->text;
    if (r->kind == MATRIX_FILE_NUMBER && !r->text[strspn(r->text, digits)])
        value = strtod(r->text, &end);
    const char* slash = end;
    if (*slash == '/')
        under = strtod(slash + 1, &end);
    value /= under;
    if (slash == r->text || end == slash + 1 || *end || !(value >= low && value <= high))
        return matrix_file_fail(r, "%.30s: expected a number from %g to %g", matrix_file_shown(r),
                                low, high);
    *out = value;
    return 0;
}

/* ---- our own format ----------------------------------------------------------------------- */

static int matrix_file_ends_line(const matrix_file_reader* r) {
    return r->kind == MATRIX_FILE_LINE || r->kind == MATRIX_FILE_END;
}

/* The names behind "rows" or "columns"; *count: how many. */
static int matrix_file_names(matrix_file_reader* r, normal_form_config* c, int seat, int* count) {
    if (*count)
        return matrix_file_fail(r, "%s: expected once", seat ? "columns" : "rows");
    while (matrix_file_token(r) == 0 && !matrix_file_ends_line(r)) {
        const size_t length = strlen(r->text);
        if (r->kind != MATRIX_FILE_WORD || length >= NORMAL_FORM_NAME)
            return matrix_file_fail(r,
                                    "%.40s: expected names of at most %d characters that begin "
                                    "with a letter",
                                    matrix_file_shown(r), NORMAL_FORM_NAME - 1);
        if (*count == NORMAL_FORM_ACTIONS)
            return matrix_file_fail(r, "%s: expected at most %d names", r->text,
                                    NORMAL_FORM_ACTIONS);
        for (int i = 0; i < *count; i++) {
            if (strcmp(c->name[seat][i], r->text) == 0)
                return matrix_file_fail(r, "%s: expected names that differ", r->text);
        }
        memcpy(c->name[seat][(*count)++], r->text, length + 1);
    }
    return r->params->error[0] ? -1 : 0;
}

/* A row of payoffs, of which the first number is the token. The first row of all says how many
 * columns there are. */
static int matrix_file_row(matrix_file_reader* r, normal_form_config* c, int seat, int row) {
    int count = 0;
    if (row == NORMAL_FORM_ACTIONS || (seat == 1 && row == c->actions[0]))
        return matrix_file_fail(r, "row %d of seat %d, expected %s%d rows", row + 1, seat,
                                seat ? "" : "at most ", seat ? c->actions[0] : NORMAL_FORM_ACTIONS);
    while (!matrix_file_ends_line(r)) {
        double value = 0;
        if (count == NORMAL_FORM_ACTIONS)
            return matrix_file_fail(r, "%s: expected at most %d numbers", r->text,
                                    NORMAL_FORM_ACTIONS);
        if (matrix_file_number(r, -MATRIX_FILE_MOST, MATRIX_FILE_MOST, &value) != 0)
            return -1;
        const int columns = c->actions[1] ? c->actions[1] : NORMAL_FORM_ACTIONS;
        if (count < columns)
            c->payoff[seat][row * columns + count] = (float)value + 0.0f; /* no negative zero */
        count++;
        if (matrix_file_token(r) != 0)
            return -1;
    }
    if (!c->actions[1])
        c->actions[1] = count;
    if (count != c->actions[1])
        return matrix_file_fail(r, "%d numbers, expected %d as in the first row", count,
                                c->actions[1]);
    return 0;
}

/* The number behind "seat". */
static int matrix_file_seat(matrix_file_reader* r, int* seat, int rows) {
    double value = 0;
    const int first = *seat < 0;
    if (matrix_file_token(r) != 0 || matrix_file_number(r, 0, 1, &value) != 0)
        return -1;
    if (first ? value != 0 : value != 1 || *seat == 1 || rows == 0)
        return matrix_file_fail(r, "seat %s: expected seat 0 and its rows, then seat 1", r->text);
    *seat = (int)value;
    if (matrix_file_token(r) != 0)
        return -1;
    if (!matrix_file_ends_line(r))
        return matrix_file_fail(r, "%.30s: expected a new line after the seat",
                                matrix_file_shown(r));
    return 0;
}

static int matrix_file_check(matrix_file_reader* r, const normal_form_config* c, int seat,
                             const int* rows, const int* names) {
    if (seat < 0 || rows[0] == 0)
        return matrix_file_fail(r, "the end, expected rows of numbers");
    if (seat == 1 && rows[1] != rows[0])
        return matrix_file_fail(r, "%d rows of seat 1, expected %d as for seat 0", rows[1],
                                rows[0]);
    for (int i = 0; i < 2; i++) {
        if (names[i] && names[i] != c->actions[i])
            return matrix_file_fail(r, "%d names of %s, expected %d", names[i],
                                    i ? "columns" : "rows", c->actions[i]);
    }
    return 0;
}

static int matrix_file_lines(matrix_file_reader* r, normal_form_config* c) {
    int seat = -1, code = 0, rows[2] = {0, 0}, names[2] = {0, 0};
    for (; code == 0 && r->kind != MATRIX_FILE_END; code = code ? code : matrix_file_token(r)) {
        if (r->kind == MATRIX_FILE_LINE)
            continue;
        if (r->kind == MATRIX_FILE_NUMBER) {
            seat = seat < 0 ? 0 : seat;
            code = matrix_file_row(r, c, seat, rows[seat]++);
            c->actions[0] = rows[0];
        } else if (strcmp(r->text, "rows") == 0 || strcmp(r->text, "columns") == 0) {
            code = matrix_file_names(r, c, r->text[0] == 'c', &names[r->text[0] == 'c']);
        } else if (strcmp(r->text, "seat") == 0) {
            code = matrix_file_seat(r, &seat, rows[0]);
        } else {
            code = matrix_file_fail(r, "%.30s: expected rows, columns, seat or a number",
                                    matrix_file_shown(r));
        }
    }
    if (code == 0)
        code = matrix_file_check(r, c, seat, rows, names);
    for (int i = 0; code == 0 && seat == 0 && i < c->actions[0] * c->actions[1]; i++)
        c->payoff[1][i] = 0.0f - c->payoff[0][i];
    return code;
}

/* ---- Gambit's strategic form -------------------------------------------------------------- */

/* The next token that is not the end of a line. */
static int matrix_file_next(matrix_file_reader* r) {
    int code = matrix_file_token(r);
    while (code == 0 && r->kind == MATRIX_FILE_LINE)
        code = matrix_file_token(r);
    return code;
}

/* The next token, of this kind and, unless NULL, this text. */
static int matrix_file_expect(matrix_file_reader* r, int kind, const char* text,
                              const char* expected) {
    if (matrix_file_next(r) != 0)
        return -1;
    if (r->kind != kind || (text && strcmp(r->text, text) != 0))
        return matrix_file_fail(r, "%.30s: expected %s", matrix_file_shown(r), expected);
    return 0;
}

/* { 2 3 }, or { { "up" "down" } { "left" "middle" "right" } }. */
static int matrix_file_strategies(matrix_file_reader* r, normal_form_config* c) {
    if (matrix_file_expect(r, MATRIX_FILE_BRACE, "{", "'{' and the strategies") != 0)
        return -1;
    for (int seat = 0; seat < 2; seat++) {
        double count = 0;
        if (matrix_file_next(r) != 0)
            return -1;
        if (strcmp(r->text, "{") == 0) {
            while (matrix_file_next(r) == 0 && r->kind == MATRIX_FILE_QUOTED)
                count++;
            if (strcmp(r->text, "}") != 0)
                return matrix_file_fail(r, "%.30s: expected quoted names and '}'",
                                        matrix_file_shown(r));
        } else if (matrix_file_number(r, 1, NORMAL_FORM_ACTIONS, &count) != 0) {
            return -1;
        }
        c->actions[seat] = (int)(count > NORMAL_FORM_ACTIONS ? 0 : count);
        if (c->actions[seat] < 1 || c->actions[seat] != count)
            return matrix_file_fail(r, "%g strategies of player %d, expected 1 to %d", count,
                                    seat + 1, NORMAL_FORM_ACTIONS);
    }
    return matrix_file_expect(r, MATRIX_FILE_BRACE, "}", "'}' after the strategies of two players");
}

/* What follows "NFG". Payoffs stand in the order of cells in which the first player's strategy
 * changes fastest, that of the first player before that of the second. */
static int matrix_file_gambit(matrix_file_reader* r, normal_form_config* c) {
    const struct {
        int kind;
        const char *text, *expected;
    } head[] = {{MATRIX_FILE_NUMBER, "1", "version 1"},
                {MATRIX_FILE_WORD, NULL, "R or D"},
                {MATRIX_FILE_QUOTED, NULL, "a quoted title"},
                {MATRIX_FILE_BRACE, "{", "'{' and two players"},
                {MATRIX_FILE_QUOTED, NULL, "a quoted player"},
                {MATRIX_FILE_QUOTED, NULL, "a second player"},
                {MATRIX_FILE_BRACE, "}", "'}' after two players"}};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        if (matrix_file_expect(r, head[i].kind, head[i].text, head[i].expected) != 0)
            return -1;
    }
    if (matrix_file_strategies(r, c) != 0 || matrix_file_next(r) != 0)
        return -1;
    if (r->kind == MATRIX_FILE_QUOTED && matrix_file_next(r) != 0)
        return -1;
    for (int i = 0; i < 2 * c->actions[0] * c->actions[1]; i++) {
        const int cell = i / 2, first = cell % c->actions[0], second = cell / c->actions[0];
        double value = 0;
        if (matrix_file_number(r, -MATRIX_FILE_MOST, MATRIX_FILE_MOST, &value) != 0 ||
            matrix_file_next(r) != 0)
            return -1;
        c->payoff[i & 1][normal_form_cell(c, first, second)] = (float)value + 0.0f;
    }
    if (r->kind != MATRIX_FILE_END)
        return matrix_file_fail(r, "%.30s: expected the end after %d payoffs", matrix_file_shown(r),
                                2 * c->actions[0] * c->actions[1]);
    return 0;
}

/* ---- the game ----------------------------------------------------------------------------- */

static int matrix_file_read(agon_params* params, const char* path, normal_form_config* c) {
    matrix_file_reader r;
    memset(&r, 0, sizeof r);
    r.params = params, r.path = path, r.line = 1;
    r.kind = MATRIX_FILE_END;
    r.file = fopen(path, "rb");
    if (!r.file) {
        snprintf(params->error, sizeof params->error, "path=%s: %s, expected a file of payoffs",
                 path, strerror(errno));
        return -1;
    }
    matrix_file_step(&r);
    int code = matrix_file_next(&r);
    if (code == 0)
        code = strcmp(r.text, "NFG") == 0 ? matrix_file_gambit(&r, c) : matrix_file_lines(&r, c);
    fclose(r.file);
    return code;
}

static void matrix_file_example(normal_form_config* c) {
    stage_game_fill(c, 0);
    c->payoff[0][normal_form_cell(c, 0, 2)] = c->payoff[1][normal_form_cell(c, 2, 0)] = 2;
    c->payoff[1][normal_form_cell(c, 0, 2)] = c->payoff[0][normal_form_cell(c, 2, 0)] = -2;
}

static int matrix_file_configure(agon_params* params, agon_spec* spec, void* config) {
    normal_form_config* c = (normal_form_config*)config;
    const char* path = agon_param_text(params, "path");
    snprintf(params->asked, sizeof params->asked, "path (a file of payoffs, default: an example)");
    memset(c, 0, sizeof *c);
    if (!path)
        matrix_file_example(c);
    else if (matrix_file_read(params, path, c) != 0)
        return -1;
    normal_form_facts(c, spec);
    return 0;
}

#define matrix_file_STATE             normal_form_STATE
#define matrix_file_seats(config)     normal_form_seats(config)
#define matrix_file_obs_bytes(config) normal_form_obs_bytes(config)
#define matrix_file_words(config)     normal_form_words(config)
#define matrix_file_init              normal_form_init
#define matrix_file_acting            normal_form_acting
#define matrix_file_legal             normal_form_legal
#define matrix_file_apply             normal_form_apply
#define matrix_file_observe           normal_form_observe

AGON_GAME_BATCH(matrix_file)

const agon_game agon_game_matrix_file = {
    AGON_GAME_HEAD(matrix_file, 1, "a game in normal form, read from a text file",
                   sizeof(normal_form_config)),
    .text = normal_form_text,
    .action_name = normal_form_action_name,
};
