/* What is in a file of probe sets, for people. */
#include "engine/files.h"
#include "tools/game_word.h"
#include "tools/probes.h"
#include "tools/ui.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(agon_error* error) {
    return agon_fail(error, AGON_EMEMORY, "no memory for probe states");
}

/* ---- the table ---------------------------------------------------------------------------- */

/* States where some legal action is worth less than another. */
static int decisive(const agon_probes* p, int actions) {
    int count = 0;
    for (int i = 0; i < p->states; i++) {
        const double* worth = p->worth + (size_t)i * (size_t)actions;
        double low = INFINITY, high = -INFINITY;
        for (int a = 0; a < actions; a++) { /* NaN is neither */
            low = worth[a] < low ? worth[a] : low;
            high = worth[a] > high ? worth[a] : high;
        }
        count += high > low + 1e-9;
    }
    return count;
}

static void describe(const agon_probes* p, const agon_rules* rules, char* out, size_t size) {
    if (p->set == AGON_PROBES_B)
        snprintf(out, size, "%d run%s x early, middle, late: %d each", p->runs,
                 p->runs == 1 ? "" : "s", p->states / p->runs / AGON_PROBE_PHASES);
    else if (p->set == AGON_PROBES_X)
        snprintf(out, size,
                 "best play with deviations, solved; an action errs in %d; %" PRId64
                 " not solved, left out",
                 decisive(p, rules->spec.actions), p->unsolved);
    else
        snprintf(out, size, "%s",
                 p->complete ? "every information set with a choice"
                             : "uniformly random legal play");
}

static int print_set(const agon_probes* p, const agon_rules* rules, agon_error* error) {
    agon_probe_strata strata;
    char plies[32], text[256];
    int low = p->ply[0], high = p->ply[0];
    const int rc = agon_probes_facts(p, rules, NULL, NULL, NULL, &strata, error);
    if (rc)
        return rc;
    for (int i = 1; i < p->states; i++) {
        low = p->ply[i] < low ? p->ply[i] : low;
        high = p->ply[i] > high ? p->ply[i] : high;
    }
    snprintf(plies, sizeof plies, "%d-%d", low, high);
    describe(p, rules, text, sizeof text);
    printf("%-4s %7d  %-9s %7d  %s\n", agon_probe_set_name(p->set), p->states, plies, strata.count,
           text);
    return AGON_OK;
}

int agon_probes_table(const agon_probe_sets* sets, const agon_rules* rules,
                      const agon_probe_absence* absent, agon_error* error) {
    int rc = AGON_OK;
    printf("%s%-4s %7s  %-9s %7s  %s%s\n", agon_ui_colour(stdout, AGON_BOLD), "set", "states",
           "plies", "buckets", "made of", agon_ui_colour(stdout, AGON_PLAIN));
    for (int i = 0; !rc && i < AGON_PROBE_SETS; i++) {
        if (sets->set[i].states > 0)
            rc = print_set(&sets->set[i], rules, error);
        else if (absent && absent->why[i][0])
            printf("%-4s %7s  absent: %s\n", agon_probe_set_name((agon_probe_set)i), "-",
                   absent->why[i]);
    }
    return rc;
}

/* ---- strata ------------------------------------------------------------------------------- */

static int print_strata(const agon_probes* p, const agon_rules* rules, agon_error* error) {
    const size_t states = (size_t)p->states;
    agon_probe_strata strata;
    int* options = malloc(2 * states * sizeof *options);
    if (!options)
        return no_memory(error);
    int* stratum = options + states;
    const int rc = agon_probes_facts(p, rules, options, NULL, stratum, &strata, error);
    if (!rc)
        printf("\nset %s\n  %-14s %7s %8s %14s\n", agon_probe_set_name(p->set), "bucket", "states",
               "weight", "legal actions");
    for (int k = 0; !rc && k < strata.count; k++) {
        double weight = 0, legal = 0;
        int count = 0;
        for (int i = 0; i < p->states; i++) {
            if (stratum[i] != k)
                continue;
            weight += p->weight[i];
            legal += options[i];
            count++;
        }
        printf("  %-14s %7d %8.4f %14.1f\n", strata.label[k], count, weight, legal / count);
    }
    free(options);
    return rc;
}

static void print_sources(const agon_probes* p) {
    static const char* const phase[AGON_PROBE_PHASES] = {"early", "middle", "late"};
    for (int r = 0; r < p->runs; r++) {
        printf("  run ");
        for (int i = 0; i < 6; i++)
            printf("%02x", p->origin[r * AGON_PROBE_ORIGIN + i]);
        for (int k = 0; k < AGON_PROBE_PHASES; k++) {
            int count = 0;
            for (int i = 0; i < p->states; i++)
                count += p->source[i] == r * AGON_PROBE_PHASES + k;
            printf("%s %s %d", k ? "," : ":", phase[k], count);
        }
        putchar('\n');
    }
}

/* ---- examples ----------------------------------------------------------------------------- */

static void print_text(const agon_rules* rules, const void* state) {
    char text[4096];
    if (!rules->game->text)
        return;
    rules->game->text(rules->config, state, text, sizeof text);
    for (const char* at = text; *at;) {
        const int length = (int)strcspn(at, "\n");
        printf("    %.*s\n", length, at);
        at += length + (at[length] == '\n');
    }
}

static void print_worth(const agon_probes* p, const agon_rules* rules, const void* state, int i) {
    char name[AGON_ACTION_NAME];
    const double* worth = p->worth + (size_t)i * (size_t)rules->spec.actions;
    printf("    worth:");
    for (int a = 0; a < rules->spec.actions; a++) {
        if (isnan(worth[a]))
            continue;
        agon_action_text(rules, state, p->seat[i], a, name, sizeof name);
        printf(" %s %g", name, worth[a]);
    }
    putchar('\n');
}

static int print_example(const agon_probes* p, const agon_rules* rules, int i, agon_error* error) {
    char* state = malloc(rules->spec.state_size);
    int rc = state ? agon_probes_position(p, rules, i, state, error) : no_memory(error);
    if (!rc) {
        printf("\n  state %d of %s: ply %d, seat %d is asked, weight %.6f\n", i,
               agon_probe_set_name(p->set), p->ply[i], p->seat[i], p->weight[i]);
        print_text(rules, state);
        if (p->worth)
            print_worth(p, rules, state, i);
    }
    free(state);
    return rc;
}

/* ---- the file ----------------------------------------------------------------------------- */

static int show_set(const agon_probes* p, const agon_rules* rules, int examples,
                    agon_error* error) {
    int rc = print_strata(p, rules, error);
    if (!rc && p->runs)
        print_sources(p);
    examples = examples < p->states ? examples : p->states;
    for (int k = 0; !rc && k < examples; k++)
        rc = print_example(p, rules, (int)((int64_t)(2 * k + 1) * p->states / (2 * examples)),
                           error);
    return rc;
}

/* The game that the file names. */
static int open_named(const char* path, const void* data, size_t size, agon_rules** out,
                      agon_error* error) {
    agon_blob* blob = malloc(sizeof *blob);
    int rc = blob ? agon_blob_decode(data, size, path, blob, error) : no_memory(error);
    const char* game = rc ? NULL : agon_blob_meta_find(blob, "game");
    const char* kind = rc ? NULL : agon_blob_meta_find(blob, "kind");
    if (!rc && (!game || !kind || strcmp(kind, "probes") != 0))
        rc = agon_fail(error, AGON_EFORMAT, "%s: no probe sets, expected a file of agon probes",
                       path);
    if (!rc) {
        rc = agon_rules_open(game, out, error);
        if (rc == AGON_EUNKNOWN || rc == AGON_EMISSING)
            agon_hint(error, "is it a plug-in? agon probes show %.100s ./GAME.so", path);
    }
    free(blob);
    return rc;
}

int agon_probes_show(const char* path, const char* game, int examples, agon_error* error) {
    agon_probe_sets sets = {0};
    agon_rules* rules = NULL;
    agon_error why = {0};
    char hash[AGON_HASH_SIZE];
    uint8_t* data = NULL;
    size_t size = 0;
    int rc = agon_file_read(path, (size_t)1 << 32, &data, &size, error);
    if (!rc)
        rc = game ? agon_game_open(game, &rules, error)
                  : open_named(path, data, size, &rules, error);
    if (!rc && (rc = agon_probe_sets_decode(data, size, rules, &sets, &why)) != 0) {
        agon_fail(error, rc, "%s: %.300s", path, why.text);
        agon_hint(error, "%s", why.hint);
    }
    if (!rc) {
        agon_sha256(data, size, hash);
        printf("%s: probe sets of %s\nSHA-256 %s\n\n", path, rules->name, hash);
        rc = agon_probes_table(&sets, rules, NULL, error);
    }
    for (int i = 0; !rc && i < AGON_PROBE_SETS; i++)
        if (sets.set[i].states > 0)
            rc = show_set(&sets.set[i], rules, examples, error);
    agon_probe_sets_close(&sets);
    agon_rules_close(rules);
    free(data);
    return rc;
}
