/* metrics_print.c: findings as a table on the screen. */
#include "tools/metrics.h"
#include "tools/ui.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_AGENTS 32 /* rows of a table per agent */
#define SHOWN_PAIRS  9  /* agents of a matrix on the screen, of 100 columns */

/* ---- on the screen -------------------------------------------------------------------------- */

static const char* number(double x, char* out, size_t size) {
    if (isnan(x))
        snprintf(out, size, "-");
    else if (x == floor(x) && fabs(x) < 1e9)
        snprintf(out, size, "%.0f", x + 0.0);
    else if (fabs(x) >= 1e6 || fabs(x) < 1e-3)
        snprintf(out, size, "%.2e", x);
    else if (fabs(x) >= 100)
        snprintf(out, size, "%.1f", x);
    else
        snprintf(out, size, "%.4g", x);
    return out;
}

/* Ratings are not known to a thousandth. */
static const char* number_of(const agon_metric_column* c, double x, char* out, size_t size) {
    if (isnan(x) || strcmp(c->unit, "Elo") != 0)
        return number(x, out, size);
    snprintf(out, size, "%.1f", fabs(x) < 0.05 ? 0.0 : x);
    return out;
}

/* At most eight characters. */
static const char* short_number(double x, char* out, size_t size) {
    const bool fine = isnan(x) || x == 0 || (fabs(x) >= 1e-3 && fabs(x) < 1e4);
    if (fine || (x == floor(x) && fabs(x) < 1e7))
        return snprintf(out, size, isnan(x) ? "-" : fabs(x) < 1e3 ? "%.3g" : "%.0f", x + 0.0), out;
    snprintf(out, size, "%.1e", x);
    return out;
}

static const char* interval(const agon_metric_column* column, double low, double high, char* out,
                            size_t size) {
    char a[32], b[32];
    if (isnan(low) || isnan(high))
        out[0] = '\0';
    else
        snprintf(out, size, "%s .. %s", number_of(column, low, a, sizeof a),
                 number_of(column, high, b, sizeof b));
    return out;
}

static const char* unit_of(const agon_metric_column* c) {
    return strcmp(c->unit, "1") == 0 ? "" : c->unit;
}

static void print_population(FILE* out, const agon_finding* f) {
    const bool wide = strlen(f->metric->name) > 18;
    if (wide)
        fprintf(out, "  %s\n", f->metric->name);
    for (int c = 0; c < f->columns; c++) {
        const agon_metric_column* column = &f->metric->column[c];
        const agon_metric_noise* n = &f->noise[c];
        char value[32], band[72] = "", null[72] = "", floor[48] = "", text[32];
        if (f->noisy) {
            interval(column, n->low, n->high, band, sizeof band);
            interval(column, n->null_low, n->null_high, null, sizeof null);
            if (!isnan(n->floor))
                snprintf(floor, sizeof floor, "floor %s", number(n->floor, text, sizeof text));
        }
        fprintf(out, "  %-18s %-19s %9s %-9s%c%-20s %s%s\n", c || wide ? "" : f->metric->name,
                column->name, number_of(column, f->value[c], value, sizeof value), unit_of(column),
                agon_finding_leaves_out(f, c) ? '!' : ' ', band, null, floor);
    }
}

/* As wide as its name, its unit and its numbers. */
static int width_of(const agon_metric_column* c) {
    const int name = (int)strlen(c->name), unit = (int)strlen(unit_of(c));
    const int most = name > unit ? name : unit;
    return most > 10 ? most : 10;
}

static void print_titles(FILE* out, const agon_metric* m, int columns, const char* first) {
    bool units = false;
    fprintf(out, "    %-18s", first);
    for (int c = 0; c < columns; c++) {
        fprintf(out, " %*s", width_of(&m->column[c]), m->column[c].name);
        units = units || *unit_of(&m->column[c]);
    }
    if (units)
        fprintf(out, "\n    %-18s", "");
    for (int c = 0; units && c < columns; c++)
        fprintf(out, " %*s", width_of(&m->column[c]), unit_of(&m->column[c]));
    fputc('\n', out);
}

static void print_rows(FILE* out, const agon_finding* f, int rows, bool labels) {
    char text[32];
    for (int r = 0; r < rows; r++) {
        fprintf(out, "    ");
        if (labels)
            agon_ui_cell(out, f->evidence->label[r], 18);
        else
            fprintf(out, "%-18d", r);
        for (int c = 0; c < f->columns; c++) {
            const agon_metric_column* column = &f->metric->column[c];
            fprintf(out, " %*s", width_of(column),
                    number_of(column, f->value[r * f->columns + c], text, sizeof text));
        }
        fputc('\n', out);
    }
}

static void print_agents(FILE* out, const agon_finding* f) {
    const int shown = f->rows < SHOWN_AGENTS ? f->rows : SHOWN_AGENTS;
    fprintf(out, "  %s\n", f->metric->name);
    print_titles(out, f->metric, f->columns, "agent");
    print_rows(out, f, shown, true);
    if (shown < f->rows)
        fprintf(out, "    ... and %d more: --csv or --json\n", f->rows - shown);
}

static void print_levels(FILE* out, const agon_finding* f) {
    fprintf(out, "  %s\n", f->metric->name);
    print_titles(out, f->metric, f->columns, "level");
    print_rows(out, f, agon_finding_levels(f), false);
}

static void print_matrix(FILE* out, const agon_finding* f, int column) {
    const int n = f->evidence->agents, shown = n < SHOWN_PAIRS ? n : SHOWN_PAIRS;
    char text[32];
    fprintf(out, "    %s%s%s\n    %-12s", f->metric->column[column].name,
            *unit_of(&f->metric->column[column]) ? ", " : "", unit_of(&f->metric->column[column]),
            "");
    for (int j = 0; j < shown; j++) {
        fputc(' ', out);
        agon_ui_cell(out, f->evidence->label[j], -8);
    }
    fputc('\n', out);
    for (int i = 0; i < shown; i++) {
        fprintf(out, "    ");
        agon_ui_cell(out, f->evidence->label[i], 12);
        for (int j = 0; j < shown; j++)
            fprintf(out, " %8s",
                    short_number(f->value[((size_t)i * (size_t)n + (size_t)j) * (size_t)f->columns +
                                          (size_t)column],
                                 text, sizeof text));
        fputc('\n', out);
    }
    if (shown < n)
        fprintf(out, "    ... and %d more: --csv or --json\n", n - shown);
}

static void print_pairs(FILE* out, const agon_finding* f) {
    fprintf(out, "  %s\n", f->metric->name);
    for (int c = 0; c < f->columns; c++)
        print_matrix(out, f, c);
}

static int missing_pairs(const agon_payoffs* p) {
    int missing = 0;
    for (int i = 0; i < p->agents; i++)
        for (int j = 0; j < i; j++)
            missing += isnan(p->mean[(size_t)i * (size_t)p->agents + (size_t)j]);
    return missing;
}

static void print_sources(FILE* out, const agon_evidence* e) {
    const agon_payoffs* p = &e->payoffs;
    const char* plural = p->agents == 1 ? "" : "s";
    if (e->answers.states > 0)
        fprintf(out, "  questions: set %s, %d state%s%s%.12s\n", e->answers.set, e->answers.states,
                e->answers.states == 1 ? "" : "s", e->answers.hash[0] ? ", hash " : "",
                e->answers.hash);
    if (p->agents > 0 && missing_pairs(p) > 0)
        fprintf(out, "  pay-offs: %d agents, %d of %d pairs never met\n", p->agents,
                missing_pairs(p), p->agents * (p->agents - 1) / 2);
    else if (p->agents > 0)
        fprintf(out, "  pay-offs: %d agent%s, %s\n", p->agents, plural,
                p->antisymmetric ? "antisymmetric" : "not antisymmetric");
    if (e->tables.games > 0)
        fprintf(out, "  tables: %d games of up to %d seats\n", e->tables.games, e->tables.seats);
    if (e->anchors.anchors > 0) {
        fprintf(out, "  fixed opponents:");
        for (int k = 0; k < e->anchors.anchors && k < 6; k++)
            fprintf(out, "%s %.40s", k ? "," : "", e->anchors.label[k]);
        fprintf(out, "%s\n", e->anchors.anchors > 6 ? ", ..." : "");
    }
}

static void print_population_heading(FILE* out, const agon_finding* f, bool later) {
    fprintf(out, "%s%s%s%s: %d agent%s\n", later ? "\n" : "", agon_ui_colour(out, AGON_BOLD),
            f->evidence->origin, agon_ui_colour(out, AGON_PLAIN), f->evidence->agents,
            f->evidence->agents == 1 ? "" : "s");
    print_sources(out, f->evidence);
    fprintf(out, "\n  %-18s %-19s %9s %-9s %-20s %s\n", "metric", "", "value", "unit",
            "95 % interval", "noise alone");
}

/* What the marks in the table mean, and why a column of it is empty. last: as below. */
static void print_notes(FILE* out, const agon_finding* first, const agon_finding* last) {
    bool marked = false, bare = false;
    for (const agon_finding* f = first; f < last; f++) {
        if (f->why[0] || f->metric->shape != AGON_ONE)
            continue;
        bare = bare || (!f->noisy && f->evidence->agents > AGON_BOOTSTRAP_UP_TO);
        for (int c = 0; c < f->columns; c++)
            marked = marked || agon_finding_leaves_out(f, c);
    }
    if (marked)
        fprintf(out, "! the interval leaves the value out: resampling repeats states and adds "
                     "noise, which moves it\n");
    if (bare)
        fprintf(out, "no intervals beyond %d agents: --bootstrap 200 makes them\n",
                AGON_BOOTSTRAP_UP_TO);
}

/* shown: what was printed before, if anything. */
static void print_group(FILE* out, const agon_finding* f, const agon_finding* shown) {
    if (!shown || shown->why[0] || shown->evidence != f->evidence ||
        strcmp(shown->metric->group, f->metric->group) != 0)
        fprintf(out, "%s%s%s\n", agon_ui_colour(out, AGON_DIM), f->metric->group,
                agon_ui_colour(out, AGON_PLAIN));
}

/* What is not defined, by reason: the reason once, then who it concerns. last: the finding after
 * the last of this evidence. */
static void print_absent(FILE* out, const agon_finding* first, const agon_finding* last) {
    bool any = false;
    for (const agon_finding* f = first; f < last; f++) {
        const agon_finding* before = first;
        int column = 4;
        while (strcmp(before->why, f->why) != 0)
            before++;
        if (!f->why[0] || before != f)
            continue;
        fprintf(out, "%s  ", any ? "" : "n/a\n");
        agon_ui_wrapped(out, f->why, 2);
        fprintf(out, "    ");
        any = true;
        for (const agon_finding* g = f; g < last; g++) {
            if (strcmp(g->why, f->why) != 0)
                continue;
            if (column + (int)strlen(g->metric->name) > 96) {
                fprintf(out, "\n    ");
                column = 4;
            }
            column += fprintf(out, " %s", g->metric->name);
        }
        fputc('\n', out);
    }
}

void agon_findings_print(FILE* out, const agon_findings* findings) {
    static void (*const print[])(FILE*, const agon_finding*) = {print_population, print_agents,
                                                                print_pairs, print_levels};
    const agon_finding* first = findings->finding;
    const agon_finding* end = first + findings->count;
    const agon_finding* shown = NULL; /* the last that was */
    for (const agon_finding* f = first; f < end; f++) {
        if (!shown || shown->evidence != f->evidence)
            print_population_heading(out, f, shown != NULL);
        if (!f->why[0]) {
            print_group(out, f, shown);
            print[f->metric->shape](out, f);
        }
        if (!f->why[0] || !shown || shown->evidence != f->evidence)
            shown = f;
        if (f + 1 == end || f[1].evidence != f->evidence) {
            print_notes(out, first, f + 1);
            print_absent(out, first, f + 1);
            first = f + 1;
        }
    }
}
