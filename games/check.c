/* SPDX-License-Identifier: 0BSD
 *
 * check.c: a check from opening the game to the report. Everything that plays is done in child
 * processes, one after the other; this one only reads what they leave in shared memory. */
#include "check_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE   10.0 /* seconds that one call of the game may take, if not told otherwise */
#define AGAIN      2.0  /* the same when a failure is made short */
#define SHORTENING 4.0  /* seconds for each way of making a failure short, if not told otherwise */
#define SHORT_ALL  16.0 /* for those of all failures together */

/* The report is the first thing in memory that is shared, and closed as a whole. */
static agon__shared* share(void) {
    void* memory =
        mmap(NULL, sizeof(agon__shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : (agon__shared*)memory;
}

void agon_check_close(agon_check_report* report) {
    if (report)
        munmap(report, sizeof(agon__shared));
}

/* ---- children ----------------------------------------------------------------------------- */

typedef void job(agon__check* k, int rule);

typedef enum fate { DONE, CRASHED, LEFT, HUNG } fate;

typedef struct outcome {
    fate fate;
    int number; /* signal, or exit code */
} outcome;

double agon__now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void tell_progress(const agon__check* k, double begun, bool* told) {
    const agon_check_report* r = &k->shared->report;
    const double seconds = agon__now() - begun;
    if (!k->options->progress || seconds < 0.3)
        return;
    *told = true;
    fprintf(stderr, "\rchecking: %.0f of %.0f s, %llu episodes, %llu positions ", seconds,
            k->options->seconds, (unsigned long long)r->episodes, (unsigned long long)r->positions);
    fflush(stderr);
}

/* Waits for a child; one that calls nothing of the game for `patience` seconds is ended. */
static outcome await(agon__check* k, pid_t child, double patience) {
    const double begun = agon__now();
    double latest = begun;
    uint64_t beat = k->shared->beat;
    int status = 0;
    bool told = false, late = false;
    for (int turn = 0;; turn++) {
        const pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child || (got < 0 && errno != EINTR))
            break;
        const struct timespec pause = {0, turn < 100 ? 200000 : 5000000};
        nanosleep(&pause, NULL);
        if (turn > 100 && turn % 40 == 0)
            tell_progress(k, begun, &told);
        if (k->shared->beat != beat)
            latest = agon__now();
        beat = k->shared->beat;
        if (!late && agon__now() - latest > patience) {
            late = true;
            kill(child, SIGKILL);
        }
    }
    if (told)
        fprintf(stderr, "\r%70s\r", "");
    if (late)
        return (outcome){HUNG, 0};
    if (WIFSIGNALED(status))
        return (outcome){CRASHED, WTERMSIG(status)};
    return (outcome){k->shared->done ? DONE : LEFT, WEXITSTATUS(status)};
}

/* Ends with its parent, leaves no core file behind when it crashes, and prints nothing: what games
 * print would end up in the report. */
static void be_child(pid_t parent) {
    const struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setrlimit(RLIMIT_CORE, &no_core);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        dup2(nowhere, STDOUT_FILENO);
}

static outcome run(agon__check* k, job* what, int rule, double patience) {
    k->shared->done = false;
    k->shared->rule = -1;
    if (k->options->here) {
        what(k, rule);
        return (outcome){DONE, 0};
    }
    fflush(NULL);
    const pid_t parent = getpid(), child = fork();
    if (child == 0) {
        be_child(parent);
        what(k, rule);
        k->shared->done = true;
        _exit(0);
    }
    if (child < 0)
        return (outcome){LEFT, errno};
    return await(k, child, patience);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void keep_crash(agon__check* k, outcome how) {
    agon__shared* s = k->shared;
    agon_check_result* r = &s->report.result[AGON__CRASH];
    const char* function = s->function ? s->function : "init";
    const int under_way = s->rule;
    char what[128];
    if (how.fate == HUNG)
        snprintf(what, sizeof what, "does not return from %s", function);
    else if (how.fate == CRASHED)
        snprintf(what, sizeof what, "crashes in %s: signal %d, %s", function, how.number,
                 strsignal(how.number));
    else
        snprintf(what, sizeof what, "ends the process in %s, with exit code %d", function,
                 how.number);
    r->status = AGON_CHECK_FAILED;
    r->has_line = true;
    r->replay_rule = agon__check_rule[under_way < 0 ? AGON__CRASH : under_way].name;
    snprintf(r->text, sizeof r->text, under_way < 0 ? "%s" : "%s, while '%s' is asked", what,
             r->replay_rule);
    agon__line_copy(k, &s->found[AGON__CRASH], &s->line);
}

static void job_explore(agon__check* k, int rule) {
    (void)rule;
    agon__explore(k);
}
static void job_search(agon__check* k, int rule) {
    agon__search(k, rule);
}
static void job_leave_out(agon__check* k, int rule) {
    agon__leave_out(k, rule);
}

static int rule_by_name(const char* name) {
    for (int i = 0; i < AGON__RULES; i++)
        if (strcmp(agon__check_rule[i].name, name) == 0)
            return i;
    return -1;
}

/* Makes shared->best as short as it goes; a crash is what a search for one is after. */
static void make_short(agon__check* k, int rule, int asked) {
    agon__shared* s = k->shared;
    const double end = agon__now() + 3 * k->shortening;
    k->crashes = rule == AGON__CRASH;
    agon__line_copy(k, &s->best, &s->found[rule]);
    s->found_shorter = s->shortest = false;
    for (int step = 0; step < 2 && !s->found_shorter; step++) {
        if (step == 1 && rule == AGON__RECALL)
            break; /* it is about two lines */
        for (int again = 0; again < 64 && agon__now() < end; again++) {
            const outcome how = run(k, step ? job_leave_out : job_search, asked, AGAIN);
            if (how.fate == DONE || !k->crashes)
                break;
            if (s->line.steps >= s->best.steps && again)
                break;
            agon__line_copy(k, &s->best, &s->line);
            s->found_shorter = true;
            if (step == 0)
                break;
            s->shortest = false;
        }
    }
    k->crashes = false;
}

static void job_write(agon__check* k, int rule) {
    agon_check_result* r = &k->shared->report.result[rule];
    char *line = r->line, *names = r->names;
    size_t size = sizeof r->line / 2 - 16;
    if (rule == AGON__RECALL) {
        agon__line_text(k, &k->shared->partner, line, size);
        agon__line_names(k, &k->shared->partner, names, size);
        strcat(line, "+");
        strcat(names, ", and: ");
        line += strlen(line);
        names += strlen(names);
    } else {
        size = sizeof r->line;
    }
    agon__line_text(k, &k->shared->best, line, size);
    agon__line_names(k, &k->shared->best, names, size);
}

static void finish_failure(agon__check* k, int rule) {
    agon_check_result* r = &k->shared->report.result[rule];
    if (!r->replay_rule)
        r->replay_rule = agon__check_rule[rule].name;
    if (!r->has_line)
        return;
    agon__line_copy(k, &k->shared->best, &k->shared->found[rule]);
    k->shared->shortest = k->shared->best.steps == 0;
    if (!k->options->replay && rule != AGON__PROCESS)
        make_short(k, rule, rule_by_name(r->replay_rule));
    r->shortest = k->shared->shortest || k->shared->best.steps == 0;
    r->plies = k->shared->best.steps;
    run(k, job_write, rule, AGAIN);
    if (!r->line[0])
        snprintf(r->line, sizeof r->line, "-");
}

/* ---- results ------------------------------------------------------------------------------ */

/* Recall without an information state is what exact solvers hope for, not what a game promised. */
static void soften_recall(agon__check* k) {
    agon_check_result* r = &k->shared->report.result[AGON__RECALL];
    if (r->status != AGON_CHECK_FAILED || k->rules->game->infostate)
        return;
    r->status = AGON_CHECK_WARNED;
    snprintf(r->text, sizeof r->text,
             "observations forget, and there is no infostate: solve and probes take what a seat "
             "sees for all that it knows");
}

static void settle(agon__check* k, int rule, bool crashed) {
    agon_check_result* r = &k->shared->report.result[rule];
    const char* why = agon__check_rule[rule].skip(k->rules);
    const char* note = k->shared->note[rule];
    r->rule = agon__check_rule[rule].name;
    r->promise = agon__check_rule[rule].promise;
    if (r->status == AGON_CHECK_FAILED)
        return;
    if (rule == AGON__LEAKS && r->asked && !k->shared->hid && !k->options->replay)
        note = "resample never changed a position: nothing is hidden here, or it does nothing";
    if (!why && rule == AGON__PROCESS && !k->options->hashes)
        why = "no other process was offered";
    if (!why && !r->asked && rule != AGON__FACTS && rule != AGON__CRASH)
        why = k->options->only && strcmp(k->options->only, r->rule) != 0 ? "not asked for"
              : crashed ? "not asked: the game crashes"
                        : "not asked in this time";
    const agon_spec* spec = &k->rules->spec;
    const bool blind =
        rule == AGON__LEAKS && why && spec->information == AGON_IMPERFECT && !spec->simultaneous;
    if (why || note) {
        r->status = why && !blind ? AGON_CHECK_SKIPPED : AGON_CHECK_WARNED;
        snprintf(r->text, sizeof r->text, "%s", why ? why : note);
    }
}

static void want(agon__check* k) {
    for (int rule = 0; rule < AGON__RULES; rule++) {
        const char* only = k->options->only;
        k->wanted[rule] = (!only || strcmp(only, agon__check_rule[rule].name) == 0) &&
                          !agon__check_rule[rule].skip(k->rules);
    }
    k->wanted[AGON__PROCESS] &= k->options->hashes != NULL;
}

/* ---- replay ------------------------------------------------------------------------------- */

static bool ask_everything(agon__check* k) {
    bool holds = true;
    for (int rule = 0; rule < AGON__RULES; rule++) {
        agon_check_result* r = &k->shared->report.result[rule];
        if (!k->wanted[rule] || !agon__check_rule[rule].ask || r->status == AGON_CHECK_FAILED)
            continue;
        r->asked++;
        agon__prepare(k);
        k->shared->rule = rule;
        const bool kept = agon__check_rule[rule].ask(k);
        k->shared->rule = -1;
        if (kept)
            continue;
        holds = false;
        r->status = AGON_CHECK_FAILED;
        r->has_line = true;
        memcpy(r->text, k->said, sizeof r->text);
        agon__line_copy(k, &k->shared->found[rule], &k->shared->line);
    }
    k->shared->report.positions++;
    return holds;
}

static void job_replay(agon__check* k, int rule) {
    (void)rule;
    k->shared->code = agon__line_play(k, k->options->replay, ask_everything, &k->shared->error);
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* Failures come in numbers when one mistake breaks many rules. */
static double shortening(const agon__check* k) {
    int failures = 0;
    for (int rule = 0; rule < AGON__RULES; rule++)
        failures += k->shared->report.result[rule].status == AGON_CHECK_FAILED;
    if (k->options->shortening > 0)
        return k->options->shortening;
    return failures * SHORTENING > SHORT_ALL ? SHORT_ALL / failures : SHORTENING;
}

static int check_opened(agon__check* k, agon_error* error) {
    agon_check_report* report = &k->shared->report;
    const double begun = agon__now();
    const double patience = k->options->patience > 0 ? k->options->patience : PATIENCE;
    want(k);
    report->max_plies = k->rules->spec.max_plies;
    report->result[AGON__FACTS].asked = 1;
    const outcome how = run(k, k->options->replay ? job_replay : job_explore, -1, patience);
    if (how.fate != DONE)
        keep_crash(k, how);
    if (k->shared->code && error)
        *error = k->shared->error;
    soften_recall(k);
    k->shortening = shortening(k);
    for (int rule = 0; rule < AGON__RULES; rule++) {
        if (report->result[rule].status == AGON_CHECK_FAILED)
            finish_failure(k, rule);
        settle(k, rule, how.fate != DONE);
    }
    report->count = AGON__RULES;
    report->seconds = agon__now() - begun;
    return k->shared->code;
}

static void report_facts(agon_check_report* report, const char* said) {
    agon_check_result* r = &report->result[0];
    r->rule = agon__check_rule[AGON__FACTS].name;
    r->promise = agon__check_rule[AGON__FACTS].promise;
    r->status = AGON_CHECK_FAILED;
    r->replay_rule = r->rule;
    snprintf(r->text, sizeof r->text, "%s", said);
    report->count = 1;
}

static int check_string(const agon_game* game, const agon__game_string* string,
                        const agon_check_options* options, agon_check_report** out,
                        agon_error* error) {
    char said[512];
    agon_rules* rules = NULL;
    if (options->only && rule_by_name(options->only) < 0) {
        const char* names[AGON__RULES];
        for (int i = 0; i < AGON__RULES; i++)
            names[i] = agon__check_rule[i].name;
        const char* near = agon_nearest(options->only, names, AGON__RULES);
        agon_fail(error, AGON_EUNKNOWN, "there is no rule '%.60s'", options->only);
        return near ? agon_hint(error, "did you mean %s?", near)
                    : agon_hint(error, "a check without --only lists all rules");
    }
    int code = agon__check_facts(game, string, &rules, said, error);
    if (code)
        return code;
    agon__shared* shared = share();
    static agon__check k; /* large, and one at a time */
    memset(&k, 0, sizeof k);
    k.options = options;
    k.shared = shared;
    if (!shared)
        code = agon_fail(error, AGON_EMEMORY, "no memory for a check");
    if (!code && said[0] && !options->replay)
        report_facts(&shared->report, said);
    else if (!code)
        code = agon__check_open(&k, rules)
                   ? check_opened(&k, error)
                   : agon_fail(error, AGON_EMEMORY, "no memory for a check of %s", string->name);
    agon__check_close(&k);
    agon_rules_close(rules);
    if (code)
        agon_check_close((agon_check_report*)shared);
    else
        *out = &shared->report;
    return code;
}

int agon_check_table(const agon_game* game, const char* parameters,
                     const agon_check_options* options, agon_check_report** out,
                     agon_error* error) {
    agon__game_string string;
    char text[256];
    int code = agon__rules_check_game(game, error);
    if (!code && snprintf(text, sizeof text, "%s%s", game->name, parameters) >= (int)sizeof text)
        code = agon_fail(error, AGON_ELIMIT, "parameters %.100s...: too long", parameters);
    code = code ? code : agon__game_string_parse(text, &string, error);
    return code ? code : check_string(game, &string, options, out, error);
}

int agon_check_game(const char* game_string, const agon_check_options* options,
                    agon_check_report** out, agon_error* error) {
    const agon_game* game;
    agon__game_string string;
    int code = agon__game_string_parse(game_string, &string, error);
    code = code ? code : agon__rules_find(string.name, &game, error);
    return code ? code : check_string(game, &string, options, out, error);
}

int agon_check_failures(const agon_check_report* report) {
    int failures = 0;
    for (int i = 0; i < report->count; i++)
        failures += report->result[i].status == AGON_CHECK_FAILED;
    return failures;
}
