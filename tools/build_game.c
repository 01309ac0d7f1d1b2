/* agon build-game: a game file to a plug-in, or to a checker that runs under sanitizers. */
#include "games/plugin.h"
#include "tools/command.h"
#include "tools/place.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 256, PATH = 4096 };

typedef struct build {
    const char* file;
    bool debug;
    char name[256]; /* of the file, without folder and .c */
    char out[PATH], include[PATH + 2], library[PATH], main[PATH];
    char compiler[1024]; /* words of CC, each ended by a NUL */
    const char* word[MAX_WORDS + 1];
    int words;
} build;

/* ---- flags that are refused ---- */

/* Bytes of a run are a function of config and seed, on every machine. */
static bool is_inexact(const char* flag) {
    static const char* const inexact[] = {
        "-ffast-math",
        "-Ofast",
        "-funsafe-math-optimizations",
        "-fassociative-math",
        "-fapprox-func",
        "-freciprocal-math",
        "-ffinite-math-only",
        "-mrecip",
        "-fno-signed-zeros",
        "-mfpmath=387",
        "-fcx-limited-range",
    };
    if (strncmp(flag, "-ffp-contract=", 14) == 0)
        return strcmp(flag + 14, "off") != 0;
    if (strncmp(flag, "-ffp-model=", 11) == 0)
        return strcmp(flag + 11, "strict") != 0;
    for (size_t i = 0; i < sizeof inexact / sizeof *inexact; i++)
        if (strcmp(flag, inexact[i]) == 0)
            return true;
    return false;
}

static int check_flag(const char* flag, bool debug, agon_error* error) {
    if (is_inexact(flag)) {
        agon_fail(error, AGON_EUSAGE,
                  "%s is refused: it lets sums of floats differ between compilers and machines",
                  flag);
        return agon_hint(error, "a run is the same bytes everywhere; -O3 keeps that promise");
    }
    if (!debug && strncmp(flag, "-fsanitize=", 11) == 0) {
        agon_fail(error, AGON_EUSAGE,
                  "%s is refused: a plug-in with a sanitizer cannot be loaded "
                  "by an agon without",
                  flag);
        return agon_hint(error, "agon build-game --debug makes a program with sanitizers");
    }
    return AGON_OK;
}

/* ---- the command line of the compiler ---- */

static void add(build* b, const char* word) {
    if (b->words < MAX_WORDS)
        b->word[b->words++] = word;
}

static bool can_start(const char* program) {
    const char* const ask[] = {program, "--version", NULL};
    char out[64];
    return agon_program_run(ask, NULL, out, sizeof out) >= 0;
}

/* CC, which may hold flags as well, or the first of three that is there. */
static int find_compiler(build* b, agon_error* error) {
    static const char* const usual[] = {"cc", "gcc", "clang"};
    const char* wanted = getenv("CC");
    if (wanted && wanted[strspn(wanted, " ")]) {
        char* rest;
        snprintf(b->compiler, sizeof b->compiler, "%s", wanted);
        for (char* w = strtok_r(b->compiler, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
            add(b, w);
        if (can_start(b->word[0]))
            return AGON_OK;
        agon_fail(error, AGON_EMISSING, "the compiler of CC=%.200s could not be started", wanted);
        return agon_hint(error, "unset CC to use cc, gcc or clang");
    }
    for (int i = 0; i < 3; i++) {
        if (can_start(usual[i])) {
            add(b, usual[i]);
            return AGON_OK;
        }
    }
    agon_fail(error, AGON_EMISSING, "found no C compiler: neither cc nor gcc nor clang");
    return agon_hint(error, "apt-get install gcc, or set CC");
}

static void add_flags(build* b) {
    static const char* const both[] = {
        "-std=c11", "-DAGON_PLUGIN", "-ffp-contract=off",     "-fno-math-errno",
        "-Wall",    "-Wextra",       "-Wno-unused-parameter", NULL};
    static const char* const plugin[] = {
#if defined(__x86_64__)
        "-march=x86-64-v3", /* as agon itself */
#endif
        "-O3",
        "-fPIC",
        "-shared",
        "-fvisibility=hidden",
        "-Wl,--no-undefined",
        NULL
    };
    static const char* const debug[] = {"-O1",
                                        "-g",
                                        "-fsanitize=address,undefined",
                                        "-fno-sanitize-recover=undefined",
                                        "-fno-omit-frame-pointer",
                                        NULL};
    for (int i = 0; both[i]; i++)
        add(b, both[i]);
    for (int i = 0; (b->debug ? debug : plugin)[i]; i++)
        add(b, (b->debug ? debug : plugin)[i]);
    add(b, b->include);
}

/* The last words win over the first, so the caller's come after ours. */
static int make_line(build* b, int extras, char** extra, agon_error* error) {
    int rc = find_compiler(b, error);
    if (rc)
        return rc;
    add_flags(b);
    for (int i = 0; i < extras; i++)
        add(b, extra[i]);
    add(b, b->file);
    if (b->debug) {
        add(b, b->main);
        add(b, b->library);
        add(b, "-pthread");
        add(b, "-ldl");
    }
    add(b, "-lm");
    add(b, "-o");
    add(b, b->out);
    if (b->words == MAX_WORDS)
        return agon_fail(error, AGON_EUSAGE, "more than %d words for the compiler", MAX_WORDS);
    for (int i = 0; !rc && i < b->words; i++)
        rc = check_flag(b->word[i], b->debug, error);
    return rc;
}

static void print_line(const build* b) {
    char quoted[PATH];
    for (int i = 0; i < b->words; i++)
        printf("%s%s", i ? " " : "", agon_ui_shell_word(b->word[i], quoted, sizeof quoted));
    printf("\n");
    fflush(stdout);
}

static int compile(build* b, agon_error* error) {
    print_line(b);
    const int status = agon_program_run(b->word, NULL, NULL, 0);
    if (status == 0)
        return AGON_OK;
    return agon_fail(error, AGON_EINVALID, "%s was not built: %s ended with exit code %d", b->out,
                     b->word[0], status);
}

/* ---- the checker as a program ---- */

static const char main_text[] =
    "#include \"agon_game.h\"\n"
    "const agon_game* agon_plugin(void);\n"
    "int agon_check_main(const agon_game* game, int argc, char** argv);\n"
    "int main(int argc, char** argv) {\n"
    "    return agon_check_main(agon_plugin(), argc, argv);\n"
    "}\n";

static int write_main(build* b, agon_error* error) {
    const char* dir = getenv("TMPDIR");
    snprintf(b->main, sizeof b->main, "%.4000s/agon-XXXXXX.c", dir && *dir ? dir : "/tmp");
    const int file = mkstemps(b->main, 2);
    if (file < 0)
        return agon_fail(error, AGON_EIO, "cannot write %s: %s", b->main, strerror(errno));
    const ssize_t size = (ssize_t)strlen(main_text);
    const bool whole = write(file, main_text, (size_t)size) == size;
    if (close(file) == 0 && whole)
        return AGON_OK;
    remove(b->main);
    return agon_fail(error, AGON_EIO, "cannot write %s", b->main);
}

static int build_checker(build* b, int extras, char** extra, agon_error* error) {
    int rc = agon_place_library(b->library, sizeof b->library, error);
    if (!rc)
        rc = write_main(b, error);
    if (rc)
        return rc;
    rc = make_line(b, extras, extra, error);
    if (!rc)
        rc = compile(b, error);
    remove(b->main);
    if (!rc)
        printf("\nnext:\n  %s%s\n", strchr(b->out, '/') ? "" : "./", b->out);
    return rc;
}

/* ---- the plug-in ---- */

/* Whether it can be loaded shows here; whether it plays by its rules is the checker's to say. */
static int build_plugin(build* b, int extras, char** extra, agon_error* error) {
    char quoted[PATH];
    int rc = make_line(b, extras, extra, error);
    if (!rc)
        rc = compile(b, error);
    if (rc)
        return rc;
    rc = agon_plugin_try(b->out, NULL, error);
    if (rc == AGON_EFORMAT || rc == AGON_EUNSUPPORTED)
        return rc;
    if (rc)
        agon_ui_error(error);
    const char* word = agon_ui_shell_word(b->out, quoted, sizeof quoted);
    const char* here = strchr(b->out, '/') ? "" : "./";
    printf("\nnext:\n  agon check %s%s\n  agon train %s%s\n", here, word, here, word);
    return AGON_OK;
}

static int settle_names(build* b, const char* out, agon_error* error) {
    const char* slash = strrchr(b->file, '/');
    const char* base = slash ? slash + 1 : b->file;
    const size_t length = strlen(base);
    if (length < 3 || length >= sizeof b->name || strcmp(base + length - 2, ".c") != 0) {
        agon_fail(error, AGON_EUSAGE, "'%.200s': expected the name of a C file, FILE.c", b->file);
        return agon_hint(error, "agon new-game NAME writes one");
    }
    if (access(b->file, R_OK) != 0) {
        agon_fail(error, AGON_EMISSING, "%.200s: %s", b->file, strerror(errno));
        return agon_hint(error, "agon new-game NAME writes one");
    }
    snprintf(b->name, sizeof b->name, "%.*s", (int)length - 2, base);
    if (out && strlen(out) >= sizeof b->out)
        return agon_fail(error, AGON_ELIMIT, "-o %.100s...: too long a path", out);
    if (out)
        snprintf(b->out, sizeof b->out, "%s", out);
    else
        snprintf(b->out, sizeof b->out, "%s%s", b->name, b->debug ? "-check" : ".so");
    return AGON_OK;
}

int agon_cmd_build_game(int argc, char** argv) {
    static build b;
    const char* out = NULL;
    agon_error error = {0};
    int own = 1, words = 0;
    const agon_option known[] = {{"-o", NULL, &out}, {"--debug", &b.debug, NULL}};
    while (own < argc && strcmp(argv[own], "--") != 0)
        own++;
    const int failed = agon_ui_options(own, argv, known, 2, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("build-game", words ? "one file at a time; flags come after --"
                                                 : "a file is missing");
    const int extras = own < argc ? argc - own - 1 : 0;
    b.file = argv[1];
    int rc = settle_names(&b, out, &error);
    snprintf(b.include, sizeof b.include, "-I");
    if (!rc)
        rc = agon_place_include(b.include + 2, sizeof b.include - 2, &error);
    if (!rc && b.debug)
        rc = build_checker(&b, extras, argv + own + 1, &error);
    else if (!rc)
        rc = build_plugin(&b, extras, argv + own + 1, &error);
    return rc ? agon_ui_error(&error) : AGON_EXIT_OK;
}
