/* metrics_options.c: words of the command line that say what is measured. */
#include "tools/metrics_source.h"
#include "tools/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line on a terminal's stderr, rewritten; what is quick never shows. */
static void show_progress(void* user, const char* what, int done, int total) {
    static double begun, shown;
    static const char* phase;
    const double now = agon_ui_seconds();
    (void)user;
    if (!phase || strcmp(phase, what) != 0) {
        phase = what;
        begun = now;
    }
    if (done >= total) {
        fprintf(stderr, "%s", shown > 0 ? "\r\033[K" : "");
        shown = 0;
    } else if (now - shown > 0.2 && now - begun > 0.5) {
        shown = now;
        fprintf(stderr, "\r\033[K%s %d of %d, %.0f s left", what, done, total,
                done > 0 ? (now - begun) / done * (total - done) : NAN);
    }
}

static int count_option(const char* name, const char* text, int low, int high, int* out) {
    char* end = NULL;
    const long x = text ? strtol(text, &end, 10) : 0;
    if (text && (end == text || *end || x < low || x > high))
        return agon_ui_usage("metrics", "%s '%s': expected a whole number from %d to %d", name,
                             text, low, high);
    if (text)
        *out = (int)x;
    return AGON_EXIT_OK;
}

/* Options that would have no effect. */
static int check_strays(const agon_metrics_source* s, bool files) {
    const struct {
        const char *name, *text;
    } game[] = {{"--at", s->at},         {"--role", s->role},         {"--game", s->game},
                {"--probes", s->probes}, {"--games", s->games},       {"--baseline", s->baseline},
                {"--set", s->set},       {"--held-out", s->held_out}, {"--threads", s->threads}};
    for (size_t i = 0; files && i < sizeof game / sizeof *game; i++)
        if (game[i].text)
            return agon_ui_usage("metrics", "%s goes with a run or agents, not with files",
                                 game[i].name);
    if (s->set && !s->probes)
        return agon_ui_usage("metrics", "--set %s goes with --probes: it is one of the sets there",
                             s->set);
    return AGON_EXIT_OK;
}

int agon_metrics_source_options(agon_metrics_source* s) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    s->at_number = -1;
    s->threads_number = cores > 0 ? (int)cores : 1;
    int failed = count_option("--at", s->at, 0, 1000000, &s->at_number);
    if (!failed)
        failed = count_option("--role", s->role, 0, 31, &s->role_number);
    if (!failed)
        failed = count_option("--games", s->games, 2, 1000000, &s->games_number);
    if (!failed)
        failed = count_option("--threads", s->threads, 1, 64, &s->threads_number);
    if (!failed && s->set && (strlen(s->set) != 1 || !strchr("UBX", s->set[0])))
        failed = agon_ui_usage("metrics", "--set '%s': expected U, B or X", s->set);
    const bool files = s->payoff || s->tables || s->probs || s->counts || s->activations;
    if (!failed && s->words == 0 && !files)
        failed = agon_ui_usage("metrics",
                               "expected a run, agents, or a file (--payoff, --tables, --probs, "
                               "--counts)");
    if (!failed && s->words > 0 && files)
        failed = agon_ui_usage("metrics", "'%s' and a file: expected one of them", s->word[0]);
    if (!failed)
        failed = check_strays(s, files);
    if (!s->quiet && isatty(fileno(stderr)))
        s->progress = show_progress;
    return failed;
}
