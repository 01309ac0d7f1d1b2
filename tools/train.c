/* agon train: a population by self-play, from a game or a config file, or on from where it stopped.
 */
#include "games/plugin.h"
#include "tools/cluster.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/game_word.h"
#include "tools/panel.h"
#include "tools/program_word.h"
#include "tools/report.h"
#include "tools/train_profile.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    bool resume, print_config, json, quiet, profile;
    agon_cluster_options cluster;
} options;

static bool is_file(const char* path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* Defaults, then the settings that go with the game, then the file, then the command line. */
static int read_config(agon_config* c, const char* what, agon_error* error) {
    const size_t length = strlen(what);
    agon_config_defaults(c);
    if (length > 4 && strcmp(what + length - 4, ".ini") == 0) {
        agon_config file;
        agon_config_defaults(&file);
        int rc = agon_config_read_file(&file, what, error);
        const char* own = rc ? NULL : agon_embedded_config(file.game.name);
        if (!rc && own)
            rc = agon_config_read_text(c, own, "embedded settings", error);
        rc = rc ? rc : agon_config_read_file(c, what, error);
        if (!rc && agon_plugin_is_path(c->game.name))
            rc = agon_game_configure(c, file.game.name, what, error);
        return rc;
    }
    if (is_file(what) && !agon_plugin_is_path(what)) {
        agon_fail(error, AGON_EUSAGE, "'%s' is a file, but not NAME.ini", what);
        return agon_hint(error, "a config file's name ends in .ini, that of a plug-in in .so");
    }
    const char* own = agon_embedded_config(what);
    int rc = own ? agon_config_read_text(c, own, "embedded settings", error) : AGON_OK;
    return rc ? rc : agon_game_configure(c, what, "command line", error);
}

static int apply_overrides(agon_config* c, int count, char** words, bool machine_only,
                           agon_error* error) {
    for (int i = 0; i < count; i++) {
        char name[128];
        const char* equals = strchr(words[i], '=');
        if (!equals || (size_t)(equals - words[i]) >= sizeof name ||
            !memchr(words[i], '.', (size_t)(equals - words[i]))) {
            agon_fail(error, AGON_EUSAGE, "'%s' is not section.key=value", words[i]);
            return agon_hint(error, "'agon help keys' lists the keys");
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - words[i]), words[i]);
        if (strcmp(name, "game.name") == 0) {
            agon_fail(error, AGON_EUSAGE, "game.name cannot be overridden");
            return agon_hint(error, "the game is the first word: agon train GAME ...");
        }
        const agon_config_key* key = agon_config_find(name);
        if (machine_only && key && (agon_config_decides(key) || key->place)) {
            agon_fail(error, AGON_EUSAGE, "%s decides the result and is fixed by the run", name);
            return agon_hint(error,
                             "only [run] and [machine] keys go with --resume; start a new run "
                             "for other settings");
        }
        int rc = agon_config_set(c, name, equals + 1, "command line", error);
        if (rc)
            return rc;
    }
    return agon_game_settle_plugin(c, "command line", error);
}

static void print_measured(void* user, const agon_training* t, const agon_measurement* m) {
    char* text = agon_measurement_line(&t->population, m);
    (void)user;
    printf("%s\n", text ? text : "{}");
    fflush(stdout);
    free(text);
}

/* What is said about a run that came to its end. */
static int report(const agon_training* t, const options* o, const char* dir) {
    agon_error error = {0};
    int rc = AGON_OK;
    if (o->json && !o->quiet)
        rc = agon_report_json(stdout, t, o->profile, &error);
    else if (!o->quiet)
        rc = agon_report_table(stdout, t, &error);
    if (rc)
        return agon_ui_error(&error);
    if (o->profile && !o->json)
        agon_profile_table(stdout, t);
    if (!o->json && !o->quiet)
        printf("\n run: %s   pictures: agon plot %s\n", dir, dir);
    return AGON_EXIT_OK;
}

static int run(agon_training* t, const options* o) {
    agon_error error = {0};
    agon_panel panel;
    agon_training_view view = {0};
    bool interrupted = false;
    char quoted[2048];
    agon_cluster_def cluster;
    const char* dir = agon_ui_shell_word(agon_store_dir(t->store), quoted, sizeof quoted);
    t->open = agon_cluster_choose(&t->config, agon_store_dir(t->store), &cluster);
    t->maker = &cluster;
    if (t->notice[0] && !o->quiet)
        fprintf(stderr, "agon: note: %s\n", t->notice);
    agon_panel_begin(&panel, stderr, t);
    if (o->json)
        view.measured = print_measured;
    else if (!o->quiet)
        view = agon_panel_view(&panel);
    int rc = agon_training_run(t, &view, &interrupted, &error);
    agon_panel_end(&panel);
    if (rc) {
        if (!error.hint[0])
            agon_hint(&error, "what is committed is kept; go on with: agon train --resume %s", dir);
        const int code = agon_ui_error(&error);
        if (!strstr(error.hint, "--resume"))
            fprintf(stderr, "the run is kept; go on with: agon train --resume %s\n", dir);
        return code;
    }
    if (interrupted && !agon_population_finished(&t->population)) {
        if (o->profile && !o->json)
            agon_profile_table(stdout, t);
        fprintf(stderr, "stopped; go on with: agon train --resume %s\n", dir);
        return AGON_EXIT_OK;
    }
    return report(t, o, dir);
}

static int train_new(int words, char** argv, const options* o) {
    agon_config config;
    agon_error error = {0};
    agon_training* t = NULL;
    agon_cluster_def cluster;
    char version[2048];
    if (words < 1)
        return agon_ui_usage("train", "a game or a config file is missing");
    int rc = read_config(&config, argv[1], &error);
    if (!rc)
        rc = apply_overrides(&config, words - 1, argv + 2, false, &error);
    if (!rc)
        rc = agon_cluster_apply(&o->cluster, &config, &error);
    if (!rc)
        rc = agon_config_check(&config, &error);
    if (!rc && o->print_config) {
        char* text = agon_config_write(&config, true, false);
        fputs(text ? text : "", stdout);
        free(text);
        return AGON_EXIT_OK;
    }
    if (!rc && agon_cluster_choose(&config, "", &cluster))
        rc = agon_cluster_check(&cluster, &error);
    if (rc)
        return agon_ui_error(&error);
    agon_ui_tasks(config.machine.threads);
    agon_version_text(version, sizeof version);
    if (agon_training_create(&config, version, &t, &error))
        return agon_ui_error(&error);
    int code = run(t, o);
    agon_training_close(t);
    return code;
}

static int train_on(int words, char** argv, const options* o) {
    agon_config machine;
    agon_error error = {0};
    agon_training* t = NULL;
    if (words < 1)
        return agon_ui_usage("train", "--resume needs a run directory");
    if (o->print_config)
        return agon_ui_usage("train", "a run's settings are in its config.ini: %s/config.ini",
                             argv[1]);
    agon_config_defaults(&machine);
    if (apply_overrides(&machine, words - 1, argv + 2, true, &error) ||
        agon_cluster_apply(&o->cluster, &machine, &error))
        return agon_ui_error(&error);
    agon_ui_tasks(machine.machine.threads);
    if (agon_training_resume(argv[1], &machine, &t, &error))
        return agon_ui_error(&error);
    int code = run(t, o);
    agon_training_close(t);
    return code;
}

int agon_cmd_train(int argc, char** argv) {
    options o = {0};
    int words = 0;
    const agon_option known[] = {
        {"--resume", &o.resume, NULL},
        {"--print-config", &o.print_config, NULL},
        {"--json", &o.json, NULL},
        {"--quiet", &o.quiet, NULL},
        {"--profile", &o.profile, NULL},
        {"--listen", NULL, &o.cluster.listen},
        {"--metrics", NULL, &o.cluster.metrics},
        {"--insecure", &o.cluster.insecure, NULL},
    };
    int code = agon_program_words(&argc, argv);
    if (!code)
        code = agon_ui_options(argc, argv, known, (int)(sizeof known / sizeof *known), &words);
    if (code)
        return code;
    return o.resume ? train_on(words, argv, &o) : train_new(words, argv, &o);
}
