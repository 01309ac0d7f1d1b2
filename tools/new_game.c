/* agon new-game: the template as a file of one's own. */
#include "engine/files.h"
#include "games/rules.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/ui.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEMPLATE     "my_game" /* the name that stands for yours in games/template/my_game.c */
#define LONGEST_NAME 40
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

/* A name is a file, a C identifier and a word of game strings. */
static int check_name(const char* name, agon_error* error) {
    const size_t length = strlen(name);
    if (length < 1 || length > LONGEST_NAME || strspn(name, NAME_LETTERS) != length ||
        name[0] < 'a') {
        agon_fail(error, AGON_EUSAGE, "'%.100s' cannot be the name of a game", name);
        return agon_hint(error, "expected a-z, 0-9 and _, a letter first, at most %d characters",
                         LONGEST_NAME);
    }
    for (int i = 0; i < agon_game_count(); i++) {
        if (strcmp(agon_game_at(i)->name, name) == 0) {
            agon_fail(error, AGON_EUSAGE, "%s is the name of a built-in game", name);
            return agon_hint(error, "choose another; 'agon games %s' shows the built-in", name);
        }
    }
    return AGON_OK;
}

/* The template with the new name throughout. False: not all was written. */
static bool write_text(FILE* file, const char* name) {
    const char* text = agon_embedded(TEMPLATE ".c");
    for (const char* next; (next = strstr(text, TEMPLATE)); text = next + strlen(TEMPLATE))
        fprintf(file, "%.*s%s", (int)(next - text), text, name);
    fputs(text, file);
    return !ferror(file);
}

static int write_game(const char* path, const char* name, agon_error* error) {
    FILE* file = fopen(path, "wx");
    if (!file && errno == EEXIST) {
        agon_fail(error, AGON_EINVALID, "%s exists and is left as it is", path);
        return agon_hint(error, "choose another name, or remove it");
    }
    if (!file)
        return agon_file_fail(error, errno, "cannot write", path);
    const bool whole = write_text(file, name);
    if (fclose(file) != 0 || !whole) {
        const int number = errno;
        remove(path);
        return agon_file_fail(error, number, "cannot write", path);
    }
    return AGON_OK;
}

static void print_next(const char* path, const char* name) {
    char quoted[2048];
    printf("%s: a small game that works, to be turned into yours\n\nnext:\n", path);
    printf("  agon build-game %s\n", agon_ui_shell_word(path, quoted, sizeof quoted));
    printf("  agon check ./%s.so\n", name);
    printf("  agon train ./%s.so\n", name);
}

int agon_cmd_new_game(int argc, char** argv) {
    const char* dir = ".";
    char path[AGON_PATH_SIZE];
    agon_error error = {0};
    int words = 0;
    const agon_option known[] = {{"--dir", NULL, &dir}};
    const int failed = agon_ui_options(argc, argv, known, 1, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("new-game", words ? "one name at a time" : "a name is missing");
    int rc = check_name(argv[1], &error);
    if (!rc && snprintf(path, sizeof path, "%s%s%s.c", strcmp(dir, ".") ? dir : "",
                        strcmp(dir, ".") ? "/" : "", argv[1]) >= (int)sizeof path)
        rc = agon_fail(&error, AGON_ELIMIT, "--dir %.100s...: too long a path", dir);
    if (!rc)
        rc = agon_dir_make(dir, &error);
    if (!rc)
        rc = write_game(path, argv[1], &error);
    if (rc)
        return agon_ui_error(&error);
    print_next(path, argv[1]);
    return AGON_EXIT_OK;
}
