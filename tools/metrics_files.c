/* metrics_files.c: what other people measured, as evidence. */
#include "engine/evidence_read.h"
#include "tools/metrics_source.h"
#include "tools/ui.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is(const char* text, const char* a, const char* b) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* Win rates taken for pay-offs would pass for a game in which everybody gains. */
static bool look_like_win_rates(const agon_payoffs* p) {
    int pairs = 0;
    for (int i = 0; i < p->agents; i++)
        for (int j = 0; j < i; j++) {
            const double x = p->mean[i * p->agents + j], y = p->mean[j * p->agents + i];
            if (isnan(x) || isnan(y))
                continue;
            pairs++;
            if (x < 0 || y < 0 || fabs(x + y - 1) > 0.02)
                return false;
        }
    return pairs > 0 && !p->antisymmetric;
}

static int read_payoffs(const agon_metrics_source* s, agon_evidence* out,
                        agon_evidence_notes* notes, agon_error* error) {
    const agon_payoff_file file = {.scores = s->payoff,
                                   .games = s->payoff_games,
                                   .win_rates = s->unit && is(s->unit, "win-rate", "win-rates")};
    if (s->unit && !file.win_rates && !is(s->unit, "payoff", "pay-off"))
        return agon_fail(error, AGON_EUSAGE, "--unit '%s': expected win-rate or payoff", s->unit);
    const int rc = agon_evidence_read_payoffs(&file, out, notes, error);
    if (rc || s->unit || !look_like_win_rates(&out->payoffs))
        return rc;
    agon_fail(error, AGON_EUSAGE,
              "%s: every pair adds up to 1, so these look like win rates, not pay-offs in [-1, 1]",
              s->payoff);
    return agon_hint(error, "say which: --unit win-rate or --unit payoff");
}

static int read_answers(const agon_metrics_source* s, agon_evidence* out,
                        agon_evidence_notes* notes, agon_error* error) {
    const agon_answers_file file = {.answers = s->counts ? s->counts : s->probs,
                                    .counts = s->counts != NULL,
                                    .weights = s->weights,
                                    .labels = s->labels,
                                    .worth = s->answers};
    if (s->counts && s->probs)
        return agon_fail(error, AGON_EUSAGE,
                         "--probs and --counts: expected one of them, both are answers");
    return agon_evidence_read_answers(&file, out, notes, error);
}

/* What the file said of its own accord, and what was assumed: for people, beside the numbers. */
static void say(const agon_metrics_source* s, const agon_evidence_notes* notes) {
    if (!s->quiet && notes->text[0])
        fprintf(stderr, "%s%s%s%s", agon_ui_colour(stderr, AGON_DIM), notes->text,
                agon_ui_colour(stderr, AGON_PLAIN),
                notes->text[strlen(notes->text) - 1] == '\n' ? "" : "\n");
}

/* Options that belong to answers, without answers. */
static int check_options(const agon_metrics_source* s, agon_error* error) {
    const bool asked = s->probs || s->counts;
    const char* stray = asked                          ? NULL
                        : s->weights                   ? "--weights"
                        : s->answers                   ? "--answers"
                        : s->labels && !s->activations ? "--labels"
                                                       : NULL;
    if (stray)
        return agon_fail(error, AGON_EUSAGE, "%s goes with --probs or --counts", stray);
    if (s->payoff_games && !s->payoff)
        return agon_fail(error, AGON_EUSAGE, "--payoff-games goes with --payoff");
    return AGON_OK;
}

int agon_metrics_files_open(const agon_metrics_source* s, agon_evidence* out, agon_error* error) {
    agon_evidence_notes notes = {""};
    const char* first = s->probs    ? s->probs
                        : s->counts ? s->counts
                        : s->payoff ? s->payoff
                        : s->tables ? s->tables
                                    : s->activations;
    int rc = check_options(s, error);
    if (!rc && (s->probs || s->counts))
        rc = read_answers(s, out, &notes, error);
    if (!rc && s->payoff)
        rc = read_payoffs(s, out, &notes, error);
    if (!rc && s->tables)
        rc = agon_evidence_read_tables(s->tables, out, &notes, error);
    if (!rc && s->activations)
        rc = agon_evidence_read_insides(s->activations, s->labels, out, &notes, error);
    if (rc)
        return rc;
    if (!out->origin[0])
        snprintf(out->origin, sizeof out->origin, "%s", first);
    say(s, &notes);
    return AGON_OK;
}
