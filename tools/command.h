/* command.h: the commands of `agon`, one function each. */
#ifndef AGON_COMMAND_H
#define AGON_COMMAND_H

#include <stddef.h>

/* Runs a command; argv[0] is its name. Returns the exit code (tools/ui.h). `--help` is answered
 * before a command is called. */
typedef int agon_command_function(int argc, char** argv);

typedef struct agon_command {
    const char* name;
    const char* summary; /* one line */
    agon_command_function* run;
    const char* help; /* one page: examples, then usage and options */
} agon_command;

/* The commands in the order of `agon help`; NULL beyond the last. */
const agon_command* agon_command_at(int index);
const agon_command* agon_command_find(const char* name); /* NULL: no such command */
int agon_command_count(void);
/* Its help; that of a part with a page of its own where `word`, which may be NULL, names one. */
const char* agon_command_page(const agon_command* command, const char* word);

agon_command_function agon_cmd_train;
agon_command_function agon_cmd_worker;
agon_command_function agon_cmd_cert;
agon_command_function agon_cmd_workers;
agon_command_function agon_cmd_metrics;
agon_command_function agon_cmd_plot;
agon_command_function agon_cmd_report;
agon_command_function agon_cmd_export;
agon_command_function agon_cmd_games;
agon_command_function agon_cmd_play;
agon_command_function agon_cmd_new_game;
agon_command_function agon_cmd_build_game;
agon_command_function agon_cmd_check;
agon_command_function agon_cmd_perft;
agon_command_function agon_cmd_solve;
agon_command_function agon_cmd_probes;
agon_command_function agon_cmd_doctor;
agon_command_function agon_cmd_bench;
agon_command_function agon_cmd_help;
agon_command_function agon_cmd_version;

/* The text of `agon --version`, several lines: what this binary is made of. Kept in every run. */
void agon_version_text(char* out, size_t size);
/* One line of it: "agon 0.1.0 (commit 0123456789ab)". */
void agon_version_line(char* out, size_t size);

#endif
