/* agon version: what this binary is made of. */
#include "agents/backend.h"
#include "engine/store.h"
#include "tools/command.h"
#include "tools/libraries.h"
#include "tools/ui.h"

#include "agon_build.h" /* made by tools/version.cmake */

#include <stdarg.h>

/* Appends to a text that ends at *used; what does not fit is cut. */
static void append(char* out, size_t size, size_t* used, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

static void append(char* out, size_t size, size_t* used, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (*used < size) {
        const int length = vsnprintf(out + *used, size - *used, format, arguments);
        *used += length > 0 ? (size_t)length : 0;
    }
    va_end(arguments);
}

void agon_version_line(char* out, size_t size) {
    snprintf(out, size, "agon %s (commit %s)", AGON_VERSION, AGON_COMMIT);
}

void agon_version_text(char* out, size_t size) {
    size_t used = 0;
    char version[128];
    const char* name;
    append(out, size, &used, "agon %s\n", AGON_VERSION);
    append(out, size, &used, "commit      %s\n", AGON_COMMIT);
    append(out, size, &used, "compiler    %s\n", AGON_COMPILER);
    append(out, size, &used, "flags       %s\n", AGON_FLAGS);
    append(out, size, &used, "cpu form    %s\n", agon_cpu_backend()->name);
    append(out, size, &used, "game abi    %d\n", AGON_ABI);
    append(out, size, &used, "run format  %d\n", AGON_RUN_FORMAT);
    for (int i = 0; (name = agon_library_at(i, version, sizeof version)); i++)
        append(out, size, &used, "%-11s %s\n", name, version);
}

static void print_json(void) {
    char version[128];
    const char* name;
    printf("{\"version\":\"%s\",\"commit\":\"%s\",\"compiler\":\"%s\",\"flags\":\"%s\",",
           AGON_VERSION, AGON_COMMIT, AGON_COMPILER, AGON_FLAGS);
    printf("\"cpu_form\":\"%s\",\"game_abi\":%d,\"run_format\":%d,\"libraries\":{",
           agon_cpu_backend()->name, AGON_ABI, AGON_RUN_FORMAT);
    for (int i = 0; (name = agon_library_at(i, version, sizeof version)); i++)
        printf("%s\"%s\":\"%s\"", i ? "," : "", name, version);
    printf("}}\n");
}

int agon_cmd_version(int argc, char** argv) {
    bool json = false;
    int words;
    char text[2048];
    const agon_option options[] = {{"--json", &json, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 1, &words);
    if (failed)
        return failed;
    if (words > 0)
        return agon_ui_usage("version", "unexpected word '%s'", argv[1]);
    if (json) {
        print_json();
        return AGON_EXIT_OK;
    }
    agon_version_text(text, sizeof text);
    fputs(text, stdout);
    return AGON_EXIT_OK;
}
