#include "tools/check_source.h"

#include "tools/place.h"
#include "tools/program.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096, SAID = 1 << 16 };

/* ---- the file ---- */

bool agon_source_find(const agon_game* game, const char* path, char* out, size_t size) {
    const size_t length = path ? strlen(path) : 0;
    if (length > 3 && strcmp(path + length - 3, ".so") == 0 &&
        snprintf(out, size, "%.*s.c", (int)length - 3, path) < (int)size && access(out, R_OK) == 0)
        return true;
    return game->source && snprintf(out, size, "%s", game->source) < (int)size &&
           access(out, R_OK) == 0;
}

static void tell(agon_check_result* r, agon_check_status status, const char* what,
                 const char* more) {
    r->status = status;
    snprintf(r->text, sizeof r->text, "%s%.300s", what, more);
}

/* A new file that ends in `ending`; the caller removes it. */
static bool new_file(char* path, const char* ending) {
    const char* dir = getenv("TMPDIR");
    snprintf(path, PATH, "%.4000s/agon-XXXXXX%s", dir && *dir ? dir : "/tmp", ending);
    const int file = mkstemps(path, (int)strlen(ending));
    return file >= 0 && close(file) == 0;
}

/* The first line of a compiler's output that is an error, or the first of all. */
static const char* first_error(char* said) {
    char* at = strstr(said, ": error");
    while (at && at > said && at[-1] != '\n')
        at--;
    at = at ? at : said;
    at[strcspn(at, "\n")] = '\0';
    return at;
}

/* ---- device code ---- */

static const char* find_nvcc(void) {
    static const char* const usual[] = {"nvcc", "/usr/local/cuda/bin/nvcc"};
    for (int i = 0; i < 2; i++) {
        const char* const ask[] = {usual[i], "--version", NULL};
        char said[256];
        if (agon_program_run(ask, NULL, said, sizeof said) == 0)
            return usual[i];
    }
    return NULL;
}

/* A kernel that calls every function of the contract that a rollout calls. */
static bool write_kernel(const char* path, const char* name, const char* source) {
    char whole[PATH];
    FILE* file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file,
            "#include \"%s\"\n"
            "__global__ void play(const void* config, void* states, const uint16_t* action,\n"
            "                     float* reward, uint8_t* obs, uint64_t* mask, uint64_t* acting,\n"
            "                     int* code) {\n"
            "    void* state = (char*)states + blockIdx.x * %s_STATE;\n"
            "    %s_init(config, state);\n"
            "    *acting = %s_acting(config, state);\n"
            "    %s_observe(config, state, 0, obs);\n"
            "    %s_legal(config, state, 0, mask);\n"
            "    *code = %s_apply(config, state, action, reward);\n"
            "}\n",
            realpath(source, whole) ? whole : source, name, name, name, name, name, name);
    return fclose(file) == 0;
}

/* 0, or what nvcc says. source: NULL for a kernel without a game. Of its warnings only one is about
 * what device code cannot do. */
static int compile_kernel(const char* nvcc, const char* name, const char* source,
                          const char* include, char* said) {
    char kernel[PATH], object[PATH];
    int code = -1;
    *said = '\0';
    if (!new_file(kernel, ".cu"))
        return code;
    if (new_file(object, ".o")) {
        const char* const words[] = {nvcc,          "-std=c++20", "-arch=sm_80",
                                     "-fmad=false", "-Werror",    "cross-execution-space-call",
                                     include,       "-c",         kernel,
                                     "-o",          object,       NULL};
        if (!source || write_kernel(kernel, name, source))
            code = agon_program_run(words, NULL, said, SAID);
        remove(object);
    }
    remove(kernel);
    return code;
}

/* False: nvcc compiles nothing here, so it says nothing about the game. */
static bool with_nvcc(const char* nvcc, const char* name, const char* source, const char* include,
                      agon_check_result* r) {
    static char said[SAID], other[SAID];
    if (compile_kernel(nvcc, name, source, include, said) == 0)
        return true;
    if (compile_kernel(nvcc, name, NULL, include, other) != 0)
        return false;
    tell(r, AGON_CHECK_FAILED, "not device code: ", first_error(said));
    return true;
}

static void with_cxx(const char* source, const char* include, agon_check_result* r) {
    static char said[SAID];
    const char* const words[] = {
        "c++",   "-std=c++20",    "-x",   "c++", "-Wno-missing-field-initializers",
        include, "-fsyntax-only", source, NULL};
    const int code = agon_program_run(words, NULL, said, sizeof said);
    if (code < 0 || code == 127)
        tell(r, AGON_CHECK_SKIPPED, "neither nvcc nor c++ works here", "");
    else if (code)
        tell(r, AGON_CHECK_FAILED, "not C++20, so no device code: ", first_error(said));
    else
        tell(r, AGON_CHECK_PASSED, "without nvcc: only that it is C++20", "");
}

void agon_source_device(const agon_game* game, const char* source, agon_check_result* r) {
    char include[PATH + 2] = "-I";
    r->rule = "device";
    r->promise = "the source compiles as device code";
    if (!source)
        return tell(r, AGON_CHECK_SKIPPED, "its source is not here", "");
    if (agon_place_include(include + 2, sizeof include - 2, NULL) != 0)
        return tell(r, AGON_CHECK_SKIPPED, "agon_game.h was not found", "");
    const char* nvcc = find_nvcc();
    r->asked = 1;
    if (!nvcc || !with_nvcc(nvcc, game->name, source, include, r))
        with_cxx(source, include, r);
}

/* ---- imports ---- */

/* Is it a function of the system's mathematics library, other than the exact ones? */
static bool is_inexact(void* libm, const char* name) {
    static const char* const exact[] = {"sqrt",  "floor",  "ceil",  "trunc",  "fabs",
                                        "sqrtf", "floorf", "ceilf", "truncf", "fabsf"};
    Dl_info where;
    void* found = libm ? dlsym(libm, name) : NULL;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (strcmp(name, exact[i]) == 0)
            return false;
    return found && dladdr(found, &where) && strstr(where.dli_fname, "libm");
}

/* Generators, clocks, memory, output and the like: rules touch their arguments alone. */
static bool is_moody(const char* name) {
    static const char* const moody[] = {
        "rand",      "rand_r",     "random",        "drand48", "lrand48", "mrand48",
        "getrandom", "getentropy", "time",          "clock",   "getpid",  "gettimeofday",
        "getenv",    "arc4random", "clock_gettime", "malloc",  "calloc",  "realloc",
        "printf",    "puts",       "putchar",       "vprintf", "system"};
    for (size_t i = 0; i < sizeof moody / sizeof *moody; i++)
        if (strcmp(name, moody[i]) == 0)
            return true;
    return false;
}

/* Words that are found, each with a space before it; what does not fit is left out. */
typedef char words[200];

static void append(char* list, const char* name) {
    if (strlen(list) + strlen(name) + 2 < sizeof(words))
        strcat(strcat(list, " "), name);
}

/* Lines of nm: "                 U sin@GLIBC_2.2.5". */
static void sort_imports(char* said, char* inexact, char* moody) {
    void* libm = dlopen("libm.so.6", RTLD_LAZY | RTLD_LOCAL);
    char* rest;
    for (char* line = strtok_r(said, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char* name = strrchr(line, ' ');
        if (!name || name == line || name[-1] != 'U')
            continue;
        name++;
        name[strcspn(name, "@")] = '\0';
        if (is_inexact(libm, name))
            append(inexact, name);
        else if (is_moody(name))
            append(moody, name);
    }
    if (libm)
        dlclose(libm);
}

/* Lines of nm -f sysv: "cached  |0000000000005034|   b  |  OBJECT|0000000000000004|     |.bss".
 * Names that the compiler's own start files bring along are left out. */
static void sort_variables(char* said, char* kept) {
    char* rest;
    for (char* line = strtok_r(said, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char* section = strrchr(line, '|');
        if (!section || (strcmp(section, "|.bss") != 0 && strcmp(section, "|.data") != 0))
            continue;
        line[strcspn(line, " |")] = '\0';
        if (line[0] != '_' && line[0] != '.' && strncmp(line, "completed.", 10) != 0 &&
            strcmp(line, "data_start") != 0)
            append(kept, line);
    }
}

/* The object file to look into: the plug-in, or the source compiled into a new file. */
static int find_object(const char* path, const char* source, char* object, char* said) {
    char include[PATH + 2] = "-I";
    if (path) {
        snprintf(object, PATH, "%s", path);
        return 0;
    }
    if (agon_place_include(include + 2, sizeof include - 2, NULL) != 0 || !new_file(object, ".o"))
        return -1;
    const char* const compile[] = {"cc", "-std=gnu11", "-O2", "-fno-math-errno",
                                   "-w", include,      "-c",  source,
                                   "-o", object,       NULL};
    const int code = agon_program_run(compile, NULL, said, SAID);
    if (code)
        remove(object);
    return code;
}

static bool look_inside(const char* object, bool shared, agon_check_result* r) {
    static char imports[SAID], variables[SAID];
    words inexact = "", moody = "", kept = "";
    const char* const undefined[] = {"nm", "--undefined-only", object, shared ? "-D" : NULL, NULL};
    const char* const all[] = {"nm", "-f", "sysv", object, NULL};
    if (agon_program_run(undefined, NULL, imports, SAID) != 0 ||
        agon_program_run(all, NULL, variables, SAID) != 0)
        return false;
    sort_imports(imports, inexact, moody);
    sort_variables(variables, kept);
    if (*inexact || *moody || *kept)
        r->status = AGON_CHECK_WARNED;
    snprintf(r->text, sizeof r->text, "%s%s%s%s%s%s%s%s",
             *inexact ? "other results on other machines:" : "", inexact,
             *inexact && *moody ? "; " : "", *moody ? "not a function of the state:" : "", moody,
             (*inexact || *moody) && *kept ? "; " : "",
             *kept ? "variables that outlive a call:" : "", kept);
    return true;
}

void agon_source_imports(const char* path, const char* source, agon_check_result* r) {
    static char said[SAID];
    char object[PATH];
    r->rule = "imports";
    r->promise = "no function of the machine or the time, no variables between calls";
    if (!path && !source)
        return tell(r, AGON_CHECK_SKIPPED, "its source is not here", "");
    if (find_object(path, source, object, said) != 0)
        return tell(r, AGON_CHECK_SKIPPED, "cc could not tell: ", first_error(said));
    if (!look_inside(object, path != NULL, r))
        tell(r, AGON_CHECK_SKIPPED, "nm could not tell", "");
    r->asked = 1;
    if (!path)
        remove(object);
}
