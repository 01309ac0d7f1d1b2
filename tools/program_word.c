#include "tools/program_word.h"

#include "net/program.h"
#include "tools/ui.h"

#include <string.h>

int agon_program_words(int* argc, char** argv) {
    const char* words[AGON_MOST_PROGRAMS];
    int count = 0;
    int code = agon_ui_repeated(argc, argv, "--agent", words, AGON_MOST_PROGRAMS, &count);
    for (int i = 0; i < count && !code; i++) {
        const char* equals = strchr(words[i], '=');
        char name[128];
        agon_error error = {0};
        if (!equals || !equals[1] || (size_t)(equals - words[i]) >= sizeof name)
            return agon_ui_usage(argv[0], "--agent '%.80s' is not NAME=COMMAND", words[i]);
        snprintf(name, sizeof name, "%.*s", (int)(equals - words[i]), words[i]);
        if (agon_program_offer(name, equals + 1, &error))
            code = agon_ui_error(&error);
    }
    return code;
}
