/* agon: finds the command and calls it. */
#include "net/program.h"
#include "tools/command.h"
#include "tools/ui.h"

#include <signal.h>
#include <string.h>

static int unknown_command(const char* name) {
    const char* names[64];
    agon_error error;
    int count = 0;
    for (; count < agon_command_count() && count < 64; count++)
        names[count] = agon_command_at(count)->name;
    const char* nearest = agon_nearest(name, names, count);
    agon_fail(&error, AGON_EUSAGE, "unknown command '%s'", name);
    if (nearest)
        agon_hint(&error, "did you mean '%s'? 'agon help' lists the commands", nearest);
    else
        agon_hint(&error, "'agon help' lists the commands");
    return agon_ui_error(&error);
}

/* `--help` after "--" is a word like any other. */
static int asks_for_help(int argc, char** argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

static int run(int argc, char** argv) {
    const agon_command* command = agon_command_find(argv[0]);
    if (!command)
        return unknown_command(argv[0]);
    if (asks_for_help(argc, argv)) {
        fputs(agon_command_page(command, argv[1]), stdout);
        return AGON_EXIT_OK;
    }
    return command->run(argc, argv);
}

/* Compiled for CPUs of 2013 and later; an older one must get a sentence, not a signal. */
static bool cpu_serves(void) {
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
#else
    return true;
#endif
}

int main(int argc, char** argv) {
    static char help[] = "help", version[] = "version";
    char* overview[] = {help, NULL};
    if (!cpu_serves()) {
        fputs("agon: this CPU has no AVX2, FMA or BMI2; expected a CPU of level x86-64-v3\n",
              stderr);
        return AGON_EXIT_FAULT;
    }
    /* `agon games | head -1` is an ordinary thing to do: the write fails, we do not. */
    signal(SIGPIPE, SIG_IGN);
    agon_programs_allow();
    if (argc < 2) {
        agon_ui_finish(run(1, overview));
        return AGON_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        argv[1] = help;
    else if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    return agon_ui_finish(run(argc - 1, argv + 1));
}
