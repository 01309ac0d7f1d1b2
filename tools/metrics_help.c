/* metrics_help.c: the table of metrics in words. */
#include "tools/metrics.h"
#include "tools/ui.h"

#include <math.h>
#include <string.h>

static const char* shape_of(const agon_metric* m) {
    static const char* const text[] = {"one number for the population", "one per agent",
                                       "one per pair of agents", "one per level"};
    return text[m->shape];
}

static const char* sharpness_of(const agon_metric* m) {
    static const char* const text[] = {
        "does not look at answers",
        "moves when policies get sharper and no preference changes: read it beside its greedy and "
        "rescaled forms",
        "does not move when policies get sharper and no preference changes"};
    return text[m->sharpness];
}

static const char* const need_names[] = {"answers to questions",
                                         "solved questions",
                                         "questions with symmetric images",
                                         "sampled answers",
                                         "pay-offs",
                                         "two seats with zero or constant sum",
                                         "wins and losses",
                                         "scores against fixed opponents",
                                         "nets of one shape",
                                         "games against fixed opponents",
                                         "strength over training",
                                         "a baseline (--baseline)",
                                         "two agents or more",
                                         "games with everyone's return"};

static void print_needs(FILE* out, const agon_metric* m, const char* between) {
    int printed = 0;
    for (size_t i = 0; i < sizeof need_names / sizeof *need_names; i++)
        if (m->needs >> i & 1)
            fprintf(out, "%s%s", printed++ ? between : "", need_names[i]);
}

static void range_of(const agon_metric_column* c, char* out, size_t size) {
    char low[32] = "", high[32] = "";
    if (isfinite(c->low))
        snprintf(low, sizeof low, "%.6g", c->low);
    if (isfinite(c->high))
        snprintf(high, sizeof high, "%.6g", c->high);
    snprintf(out, size, "%s .. %s", low, high);
}

void agon_metric_explain(FILE* out, const agon_metric* m) {
    fprintf(out, "%s%s%s  %s (%s, %s)\n", agon_ui_colour(out, AGON_BOLD), m->name,
            agon_ui_colour(out, AGON_PLAIN), m->title, m->group,
            m->headline ? "headline" : "secondary");
    fprintf(out, "  formula  ");
    agon_ui_wrapped(out, m->formula, 11);
    fprintf(out, "  gives    %s\n", shape_of(m));
    for (int c = 0; c < agon_metric_columns(m); c++) {
        char range[80];
        range_of(&m->column[c], range, sizeof range);
        fprintf(out, "    %-16s %-10s %-14s ", m->column[c].name, m->column[c].unit, range);
        agon_ui_wrapped(out, m->column[c].meaning, 47);
    }
    fprintf(out, "  needs    ");
    print_needs(out, m, ", ");
    fprintf(out, "\n  entropy  ");
    agon_ui_wrapped(out, sharpness_of(m), 11);
    fprintf(out, "  caveat   ");
    agon_ui_wrapped(out, m->caveat, 11);
    fprintf(out, "  source   ");
    agon_ui_wrapped(out, m->source, 11);
}

void agon_metrics_list(FILE* out) {
    static const char* const of[] = {"population", "each agent", "each pair", "each level"};
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    for (int i = 0; i < count; i++) {
        if (i == 0 || strcmp(all[i]->group, all[i - 1]->group) != 0)
            fprintf(out, "%s%s%s\n", agon_ui_colour(out, AGON_BOLD), all[i]->group,
                    agon_ui_colour(out, AGON_PLAIN));
        fprintf(out, " %c %-25s %-46s %s\n", all[i]->headline ? '*' : ' ', all[i]->name,
                all[i]->title, of[all[i]->shape]);
    }
    fprintf(out, "\n* shown without being asked for. 'agon help NAME' explains one.\n");
}

/* A cell of a Markdown table: bars would end it. */
static void cell(FILE* out, const char* text) {
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\|" : "%c", *text);
}

static void document(FILE* out, const agon_metric* m) {
    fprintf(out, "\n### %s: %s%s\n\n", m->name, m->title, m->headline ? " (headline)" : "");
    fprintf(out, "`%s` ", m->formula);
    fprintf(out, "Source: %s.\nNeeds ", m->source);
    print_needs(out, m, ", ");
    fprintf(out, "; gives %s; %s.\n**Does not tell:** %s\n\n", shape_of(m), sharpness_of(m),
            m->caveat);
    fprintf(out, "| column | unit | range | meaning |\n|---|---|---|---|\n");
    for (int c = 0; c < agon_metric_columns(m); c++) {
        char range[80];
        range_of(&m->column[c], range, sizeof range);
        fprintf(out, "| %s | %s | %s | ", m->column[c].name, m->column[c].unit, range);
        cell(out, m->column[c].meaning);
        fprintf(out, " |\n");
    }
}

void agon_metrics_document(FILE* out) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    fprintf(out, "# The metrics\n\nWritten by `agon metrics --document` from the table in "
                 "`catalogue_*.c`. `agon help NAME` says the\nsame of one.\n");
    for (int i = 0; i < count; i++) {
        if (i == 0 || strcmp(all[i]->group, all[i - 1]->group) != 0)
            fprintf(out, "\n## %c%s\n", all[i]->group[0] - 'a' + 'A', all[i]->group + 1);
        document(out, all[i]);
    }
}
