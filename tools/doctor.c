/* agon doctor: what this machine offers. Looks, says what to do, changes nothing. */
#include "agents/backend.h"
#include "cuda/device.h"
#include "tools/command.h"
#include "tools/libraries.h"
#include "tools/program.h"
#include "tools/ui.h"

#include "agon_build.h" /* made by tools/version.cmake */

#include <cjson/cJSON.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What one look found. Empty advice: all is well. */
typedef struct finding {
    char found[512];
    char advice[256];
} finding;

static const double gib = 1024.0 * 1024.0 * 1024.0;

static void find_build(finding* f) {
    snprintf(f->found, sizeof f->found, "agon %s, commit %s", AGON_VERSION, AGON_COMMIT);
}

static void find_compiler(finding* f) {
    snprintf(f->found, sizeof f->found, "%s; %s", AGON_COMPILER, AGON_FLAGS);
    if (strstr(AGON_FLAGS, "-O3") == NULL && strstr(AGON_FLAGS, "-O2") == NULL)
        snprintf(f->advice, sizeof f->advice,
                 "built without optimisation: cmake -B build -DCMAKE_BUILD_TYPE=Release");
    else if (strstr(AGON_FLAGS, "-fsanitize"))
        snprintf(f->advice, sizeof f->advice, "built with sanitizers: several times slower");
}

static void find_libraries(finding* f) {
    char version[128];
    const char* name;
    size_t used = 0;
    for (int i = 0; (name = agon_library_at(i, version, sizeof version)); i++) {
        const int length = snprintf(f->found + used, sizeof f->found - used, "%s%s %s",
                                    i ? ", " : "", name, version);
        used += (size_t)length;
        if (used >= sizeof f->found)
            return;
    }
}

static void find_simd(finding* f) {
    const char* wanted = getenv("AGON_SIMD");
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("fma")) {
        snprintf(f->found, sizeof f->found, "this CPU has no FMA");
        snprintf(f->advice, sizeof f->advice, "nothing will run: SLEEF's exact functions need it");
        return;
    }
#endif
    snprintf(f->found, sizeof f->found, "%s", agon_cpu_backend()->name);
    if (wanted && *wanted && !strstr(agon_cpu_backend()->name, wanted))
        snprintf(f->advice, sizeof f->advice,
                 "AGON_SIMD asks for '%.32s', which this CPU or build lacks", wanted);
    else if (strstr(agon_cpu_backend()->name, "portable") && !wanted)
        snprintf(f->advice, sizeof f->advice,
                 "no AVX2, AVX-512 or NEON found: same results, several times slower");
}

static void find_threads(finding* f) {
    cpu_set_t set;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const int mine = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)cores;
    snprintf(f->found, sizeof f->found, "%d of %ld cores for this process", mine, cores);
}

static void find_memory(finding* f) {
    const double page = (double)sysconf(_SC_PAGESIZE);
    const double total = page * (double)sysconf(_SC_PHYS_PAGES) / gib;
    const double left = page * (double)sysconf(_SC_AVPHYS_PAGES) / gib;
    snprintf(f->found, sizeof f->found, "%.1f GiB, %.1f GiB unused", total, left);
    if (total < 2.0)
        snprintf(f->advice, sizeof f->advice, "small populations and few threads only");
}

static void find_disk(finding* f) {
    struct statvfs disk;
    if (statvfs(".", &disk) != 0) {
        snprintf(f->advice, sizeof f->advice, "the current directory cannot be read");
        return;
    }
    const double free_gib = (double)disk.f_bavail * (double)disk.f_frsize / gib;
    snprintf(f->found, sizeof f->found, "%.1f GiB free in the current directory", free_gib);
    if (free_gib < 1.0)
        snprintf(f->advice, sizeof f->advice, "give run.dir a place with more room");
    if (access(".", W_OK) != 0)
        snprintf(f->advice, sizeof f->advice, "not writable: set run.dir to a place that is");
}

static void first_line(char* text) {
    text[strcspn(text, "\n")] = '\0';
}

static void find_gnuplot(finding* f) {
    static const char* const ask_version[] = {"gnuplot", "--version", NULL};
    static const char* const ask_terminal[] = {"gnuplot", "-e", "set terminal pngcairo", NULL};
    char out[256];
    if (agon_program_run(ask_version, NULL, out, sizeof out) != 0) {
        snprintf(f->found, sizeof f->found, "not found");
        snprintf(f->advice, sizeof f->advice,
                 "'agon plot' needs it: apt-get install gnuplot-nox fonts-dejavu-core");
        return;
    }
    first_line(out);
    snprintf(f->found, sizeof f->found, "%s", out);
    if (agon_program_run(ask_terminal, NULL, out, sizeof out) != 0)
        snprintf(f->advice, sizeof f->advice, "it cannot write PNG: install gnuplot-nox");
}

static void find_cuda(finding* f) {
    agon_error error;
    if (agon_cuda_describe(f->found, sizeof f->found) == 0 && agon_cuda_check(&error))
        snprintf(f->advice, sizeof f->advice, "%s", error.hint);
}

/* The kernels in this program, and whether the GPU that is there takes them. */
static void find_kernels(finding* f) {
    char devices[8];
    agon_error error;
    agon_cuda_describe_kernels(f->found, sizeof f->found);
    if (agon_cuda_describe(devices, sizeof devices) < 1 || agon_cuda_check(&error) == AGON_OK)
        return;
    snprintf(f->found, sizeof f->found, "%s", error.text);
    snprintf(f->advice, sizeof f->advice, "%s", error.hint);
}

static void find_nvcc(finding* f) {
    static const char* const in_path[] = {"nvcc", "--version", NULL};
    static const char* const usual[] = {"/usr/local/cuda/bin/nvcc", "--version", NULL};
    char out[1024];
    if (agon_program_run(in_path, NULL, out, sizeof out) != 0 &&
        agon_program_run(usual, NULL, out, sizeof out) != 0) {
        snprintf(f->found, sizeof f->found, "not found; only needed to build for GPUs");
        return;
    }
    const char* release = strstr(out, "release ");
    snprintf(f->found, sizeof f->found, "%.200s", release ? release : out);
    first_line(f->found);
}

static const struct {
    const char* name;
    void (*look)(finding* f);
} looks[] = {
    {"build", find_build},     {"compiler", find_compiler}, {"libraries", find_libraries},
    {"simd", find_simd},       {"cores", find_threads},     {"memory", find_memory},
    {"disk", find_disk},       {"gnuplot", find_gnuplot},   {"cuda", find_cuda},
    {"kernels", find_kernels}, {"nvcc", find_nvcc},
};

enum { LOOKS = sizeof looks / sizeof *looks };

static void print_text(int index, const finding* f) {
    const bool fine = f->advice[0] == '\0';
    printf("%s%-8s%s %-10s %s\n", agon_ui_colour(stdout, fine ? AGON_GREEN : AGON_YELLOW),
           fine ? "ok" : "warning", agon_ui_colour(stdout, AGON_PLAIN), looks[index].name,
           f->found);
    if (!fine)
        printf("%19s -> %s\n", "", f->advice);
}

static void add_json(cJSON* list, int index, const finding* f) {
    cJSON* item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", looks[index].name);
    cJSON_AddStringToObject(item, "status", f->advice[0] ? "warning" : "ok");
    cJSON_AddStringToObject(item, "found", f->found);
    cJSON_AddStringToObject(item, "advice", f->advice);
    cJSON_AddItemToArray(list, item);
}

int agon_cmd_doctor(int argc, char** argv) {
    bool json = false;
    int words;
    const agon_option options[] = {{"--json", &json, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 1, &words);
    if (failed)
        return failed;
    if (words > 0)
        return agon_ui_usage("doctor", "unexpected word '%s'", argv[1]);
    cJSON* list = cJSON_CreateArray();
    for (int i = 0; i < LOOKS; i++) {
        finding f = {{0}, {0}};
        looks[i].look(&f);
        if (json)
            add_json(list, i, &f);
        else
            print_text(i, &f);
    }
    char* text = json ? cJSON_Print(list) : NULL;
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(list);
    return AGON_EXIT_OK;
}
