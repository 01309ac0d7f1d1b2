/* agon probes: makes frozen sets of questions, and shows them. */
#include "tools/probes.h"

#include "engine/files.h"
#include "engine/probes_make.h"
#include "tools/command.h"
#include "tools/game_word.h"
#include "tools/ui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct making {
    const char* out;
    long states, seed, limit;
    const char** from; /* (runs) */
    int runs;
    bool wanted[AGON_PROBE_SETS], explicit, force;
    agon_rules* rules;
    agon_probe_sets sets;
    agon_probe_absence absent;
    double told; /* when progress was printed last, in seconds */
    agon_error error;
} making;

/* ---- words -------------------------------------------------------------------------------- */

/* Takes "--from RUN ..." out of argv, up to the next option, as often as it comes. */
static int take_runs(int* argc, char** argv, making* m) {
    int kept = 1;
    m->from = calloc((size_t)*argc + 1, sizeof *m->from);
    if (!m->from)
        return agon_ui_usage("probes", "no memory for %d words", *argc);
    for (int i = 1; i < *argc;) {
        const bool equals = strncmp(argv[i], "--from=", 7) == 0;
        if (!equals && strcmp(argv[i], "--from") != 0) {
            argv[kept++] = argv[i++];
            continue;
        }
        const int before = m->runs;
        if (equals)
            m->from[m->runs++] = argv[i] + 7;
        for (i++; i < *argc && argv[i][0] != '-'; i++)
            m->from[m->runs++] = argv[i];
        if (m->runs == before)
            return agon_ui_usage("probes", "option '--from' needs a run, or several");
    }
    *argc = kept;
    return 0;
}

static int read_number(const char* option, const char* text, long low, long high, long* out) {
    char* end = NULL;
    const long value = text ? strtol(text, &end, 10) : *out;
    if (text && (end == text || *end || value < low || value > high))
        return agon_ui_usage("probes", "%s is '%s', expected %ld to %ld", option, text, low, high);
    *out = value;
    return 0;
}

/* "U,X". Without it: U, X, and B where runs are given. */
static int read_only(const char* text, making* m) {
    m->explicit = text != NULL;
    m->wanted[AGON_PROBES_U] = m->wanted[AGON_PROBES_X] = !text;
    m->wanted[AGON_PROBES_B] = !text && m->runs > 0;
    for (const char* at = text; at && *at;) {
        const int length = (int)strcspn(at, ",");
        int set = 0;
        while (set < AGON_PROBE_SETS &&
               (length != 1 || at[0] != agon_probe_set_name((agon_probe_set)set)[0]))
            set++;
        if (set == AGON_PROBE_SETS)
            return agon_ui_usage("probes", "--only is '%s', expected some of U,B,X", text);
        m->wanted[set] = true;
        at += length + (at[length] == ',');
    }
    if (text && !*text)
        return agon_ui_usage("probes", "--only is empty, expected some of U,B,X");
    if (m->wanted[AGON_PROBES_B] && m->runs == 0)
        return agon_ui_usage("probes", "set B is of stored runs: expected --from RUN ...");
    if (!m->wanted[AGON_PROBES_B] && m->runs > 0)
        return agon_ui_usage("probes", "--from is for set B, which --only leaves out");
    return 0;
}

static int check_out(const making* m) {
    const size_t length = m->out ? strlen(m->out) : 0;
    if (!m->out)
        return agon_ui_usage("probes", "-o is missing, expected -o FILE.safetensors");
    if (length < 13 || strcmp(m->out + length - 12, ".safetensors") != 0)
        return agon_ui_usage("probes", "-o is '%s', expected a name that ends in .safetensors",
                             m->out);
    return 0;
}

/* ---- making ------------------------------------------------------------------------------- */

static void show_progress(void* user, const char* what, double done) {
    making* m = user;
    const double now = agon_ui_seconds();
    if (!agon_ui_colours(stderr) || now < m->told + 0.2)
        return;
    m->told = now;
    fprintf(stderr, "\r\033[K%s: %.0f %%", what, 100 * (done < 1 ? done : 1));
}

static void end_progress(void) {
    if (agon_ui_colours(stderr))
        fprintf(stderr, "\r\033[K");
}

static int make_set(making* m, agon_probe_set set) {
    const agon_probe_view view = {m, show_progress};
    const uint64_t seed = (uint64_t)m->seed;
    const int states = (int)m->states;
    agon_probes* out = &m->sets.set[set];
    if (set == AGON_PROBES_U)
        return agon_probes_make(m->rules, states, seed, out, &m->error);
    if (set == AGON_PROBES_B)
        return agon_probes_make_balanced(m->rules, states, seed, m->runs, m->from, &view, out,
                                         &m->error);
    return agon_probes_make_solved(m->rules, states, seed, m->limit, &view, out, &m->error);
}

/* A set that the game cannot have is left out, unless it was asked for by name. */
static int make_sets(making* m) {
    bool any = false;
    int rc = AGON_OK;
    for (int i = 0; !rc && i < AGON_PROBE_SETS; i++) {
        if (!m->wanted[i])
            continue;
        rc = make_set(m, (agon_probe_set)i);
        end_progress();
        any = any || !rc;
        if (rc != AGON_EUNSUPPORTED || m->explicit || i != AGON_PROBES_X)
            continue;
        snprintf(m->absent.why[i], sizeof m->absent.why[i], "%.300s", m->error.text);
        rc = AGON_OK;
    }
    return rc || any ? rc : agon_ui_usage("probes", "no set was asked for");
}

static int write_sets(making* m) {
    agon_bytes bytes = {.data = NULL};
    int rc = agon_probe_sets_encode(&m->sets, m->rules, &bytes, &m->error);
    if (!rc)
        rc = agon_file_write(m->out, bytes.data, bytes.size, &m->error);
    if (!rc)
        rc = agon_probes_table(&m->sets, m->rules, &m->absent, &m->error);
    if (!rc)
        printf("\n%s   %zu bytes, SHA-256 %s\n", m->out, bytes.size, bytes.hash);
    free(bytes.data);
    return rc;
}

static int make(making* m, const char* game) {
    if (!m->force && access(m->out, F_OK) == 0) {
        agon_fail(&m->error, AGON_EINVALID, "%s exists, expected a new name", m->out);
        return agon_hint(&m->error, "a frozen set is not made again; --force overwrites it");
    }
    int rc = agon_game_open(game, &m->rules, &m->error);
    if (!rc)
        rc = make_sets(m);
    return rc ? rc : write_sets(m);
}

static int make_command(int argc, char** argv) {
    making m = {.states = 512, .seed = 1, .limit = AGON_PROBE_LIMIT};
    const char *only = NULL, *states = NULL, *seed = NULL, *limit = NULL;
    int words;
    const agon_option options[] = {
        {"--states", NULL, &states}, {"--seed", NULL, &seed}, {"--limit", NULL, &limit},
        {"--only", NULL, &only},     {"-o", NULL, &m.out},    {"--force", &m.force, NULL},
    };
    int code = take_runs(&argc, argv, &m);
    code = code ? code : agon_ui_options(argc, argv, options, 6, &words);
    code = code ? code : read_number("--states", states, 1, 1000000, &m.states);
    code = code ? code : read_number("--seed", seed, 0, INT64_MAX, &m.seed);
    code = code ? code : read_number("--limit", limit, 1, INT64_MAX, &m.limit);
    code = code ? code : read_only(only, &m);
    if (!code && words != 2)
        code = agon_ui_usage("probes", "expected make GAME, and runs after --from; got %d words",
                             words);
    code = code ? code : check_out(&m);
    if (!code)
        code = make(&m, argv[2]) ? agon_ui_error(&m.error) : AGON_EXIT_OK;
    agon_probe_sets_close(&m.sets);
    agon_rules_close(m.rules);
    free(m.from);
    return code;
}

static int show_command(int argc, char** argv) {
    const char* examples = NULL;
    agon_error error = {0};
    int words;
    long count = 0;
    const agon_option options[] = {{"--examples", NULL, &examples}};
    int code = agon_ui_options(argc, argv, options, 1, &words);
    code = code ? code : read_number("--examples", examples, 0, 1000000, &count);
    if (!code && words != 2 && words != 3)
        code = agon_ui_usage("probes", "expected show FILE [GAME]");
    if (code)
        return code;
    return agon_probes_show(argv[2], words == 3 ? argv[3] : NULL, (int)count, &error)
               ? agon_ui_error(&error)
               : AGON_EXIT_OK;
}

int agon_cmd_probes(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "make") == 0)
        return make_command(argc, argv);
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return show_command(argc, argv);
    if (argc > 1)
        return agon_ui_usage("probes", "'%s': expected make or show", argv[1]);
    return agon_ui_usage("probes", "expected make GAME or show FILE");
}
