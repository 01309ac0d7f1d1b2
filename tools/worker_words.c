/* worker_words.c: see worker_words.h. */
#include "tools/worker_words.h"

#include "engine/config.h"
#include "engine/files.h"
#include "engine/text.h"
#include "games/plugin.h"
#include "net/url.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/program_word.h"
#include "tools/ui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GAMES        16
#define THREADS_MOST 512
#define PLUGIN_MOST  ((size_t)1 << 30) /* bytes of a plug-in's file */

typedef struct words {
    const char *connect, *name, *threads, *dir, *cache, *token, *tls, *nkey, *device, *precision;
    const char* game[GAMES];
    int games;
} words;

/* A text that must fit its place in the definition. */
static int copy_text(const char* option, const char* text, char* out, size_t size) {
    if (!text)
        return 0;
    if (!text[0])
        return agon_ui_usage("worker", "%s is empty", option);
    if (strlen(text) >= size)
        return agon_ui_usage("worker", "%s %.40s... is longer than %zu characters", option, text,
                             size - 1);
    strcpy(out, text);
    return 0;
}

/* "500M", "2G", "1073741824". */
static int read_size(const char* text, uint64_t* out) {
    static const char units[] = "kMGT";
    char* end = NULL;
    errno = 0;
    const double value = strtod(text, &end);
    const char* unit = *end ? strchr(units, *end == 'K' ? 'k' : *end) : NULL;
    int shift = 0;
    if (unit) {
        shift = 10 * (int)(unit - units + 1);
        end++;
    }
    const double bytes = value * (double)((uint64_t)1 << shift);
    if (end == text || *end || errno || !(bytes >= 1 << 20) || bytes > 1e15)
        return agon_ui_usage("worker", "--cache '%s' is not a size of at least 1M; for example 2G",
                             text);
    *out = (uint64_t)bytes;
    return 0;
}

static int read_threads(const char* text, int* out) {
    char* end = NULL;
    const long value = strtol(text, &end, 10);
    if (end == text || *end || value < 1 || value > THREADS_MOST)
        return agon_ui_usage("worker", "--threads '%s' is not a number from 1 to %d", text,
                             THREADS_MOST);
    *out = (int)value;
    return 0;
}

static int choose_dir(const char* given, char* out, size_t size) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given)
        return copy_text("--dir", given, out, size);
    int length = -1;
    if (cache && cache[0] == '/')
        length = snprintf(out, size, "%s/agon", cache);
    else if (home && home[0] == '/')
        length = snprintf(out, size, "%s/.cache/agon", home);
    if (length < 0 || (size_t)length >= size)
        return agon_ui_usage("worker", "neither XDG_CACHE_HOME nor HOME names a place for "
                                       "snapshots: --dir DIR is missing");
    return 0;
}

/* A plug-in is tried in a child process, loaded, and known by its game's name from then on. */
static int add_game(agon_worker_def* def, const char* word) {
    agon_error error = {0};
    char path[AGON_PATH_SIZE];
    uint8_t* data = NULL;
    size_t size = 0;
    const int i = def->games;
    if (!agon_plugin_is_path(word))
        return agon_ui_usage("worker",
                             "--game '%s' is not a plug-in, FILE.so; every worker has "
                             "the built-in games",
                             word);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(word, "("), word);
    int rc = agon_game_word(word, def->game[i], sizeof def->game[i], &error);
    if (!rc)
        rc = agon_file_read(path, PLUGIN_MOST, &data, &size, &error);
    if (rc)
        return agon_ui_error(&error);
    agon_sha256(data, size, def->game_file[i]);
    free(data);
    def->games++;
    return 0;
}

/* A file that is named must be there now, not only when somebody asks for it. */
static int check_readable(const char* option, const char* path) {
    agon_error error = {0};
    if (!path[0] || access(path, R_OK) == 0)
        return 0;
    agon_file_fail(&error, errno, option, path);
    return agon_ui_error(&error);
}

static int fill_places(const words* w, agon_worker_def* def) {
    const char* token = w->token ? w->token : getenv("AGON_TOKEN_FILE");
    int code = copy_text("--name", w->name, def->name, sizeof def->name);
    if (!code && !agon__text_is_printable(def->name))
        code = agon_ui_usage("worker", "--name has characters other than printable ASCII");
    if (!code)
        code = choose_dir(w->dir, def->dir, sizeof def->dir);
    if (!code && token && token[0])
        code = copy_text("--token", token, def->token, sizeof def->token);
    if (!code)
        code = copy_text("--tls", w->tls, def->tls, sizeof def->tls);
    if (!code)
        code = copy_text("--nkey", w->nkey, def->nkey, sizeof def->nkey);
    if (!code)
        code = check_readable("--token", def->token);
    if (!code)
        code = check_readable("--tls", def->tls);
    return code ? code : check_readable("--nkey", def->nkey);
}

/* With the words of the configuration. */
static int read_device(const words* w, agon_worker_words* out) {
    agon_config c;
    agon_error error = {0};
    int rc = AGON_OK;
    agon_config_defaults(&c);
    if (w->device)
        rc = agon_config_set(&c, "train.device", w->device, "--device", &error);
    if (!rc && w->precision)
        rc = agon_config_set(&c, "train.precision", w->precision, "--precision", &error);
    out->device = c.train.device;
    out->precision = c.train.precision;
    return rc ? agon_ui_error(&error) : 0;
}

static int fill(const words* w, agon_worker_def* def) {
    agon_error error = {0};
    agon__url url;
    if (!w->connect)
        return agon_ui_usage("worker", "--connect URL is missing");
    int code = copy_text("--connect", w->connect, def->connect, sizeof def->connect);
    if (!code && agon__url_parse(def->connect, &url, &error))
        code = agon_ui_error(&error);
    if (!code && (url.scheme == AGON__TLS || url.scheme == AGON__NATS_TLS) && !w->tls)
        code =
            agon_ui_usage("worker", "%s needs --tls DIR, with the ca.pem to trust", def->connect);
    def->cache = (uint64_t)1 << 30;
    if (!code && w->cache)
        code = read_size(w->cache, &def->cache);
    if (!code && w->threads)
        code = read_threads(w->threads, &def->slots);
    if (!code)
        code = fill_places(w, def);
    for (int i = 0; i < w->games && !code; i++)
        code = add_game(def, w->game[i]);
    return code;
}

int agon_worker_read_words(int argc, char** argv, agon_worker_words* out) {
    words w = {0};
    int rest = 0;
    memset(out, 0, sizeof *out);
    const agon_option known[] = {
        {"--connect", NULL, &w.connect},  {"--name", NULL, &w.name},
        {"--threads", NULL, &w.threads},  {"--dir", NULL, &w.dir},
        {"--cache", NULL, &w.cache},      {"--token", NULL, &w.token},
        {"--tls", NULL, &w.tls},          {"--nkey", NULL, &w.nkey},
        {"--device", NULL, &w.device},    {"--precision", NULL, &w.precision},
        {"--once", &out->def.once, NULL}, {"--quiet", &out->quiet, NULL},
    };
    int code = agon_ui_repeated(&argc, argv, "--game", w.game, GAMES, &w.games);
    if (!code)
        code = agon_program_words(&argc, argv);
    if (!code)
        code = agon_ui_options(argc, argv, known, (int)(sizeof known / sizeof *known), &rest);
    if (!code && rest)
        code = agon_ui_usage("worker", "unexpected word '%s'", argv[1]);
    if (code)
        return code;
    code = read_device(&w, out);
    if (!code)
        code = fill(&w, &out->def);
    agon_version_line(out->def.build, sizeof out->def.build);
    return code;
}
