/* Diversity and strength over time, and one against the other. */
#include "tools/embedded.h"
#include "tools/plot_evidence.h"
#include "tools/plot_json.h"
#include "tools/plot_panels.h"

#include <math.h>
#include <string.h>

#define OFFSET(field) offsetof(agon_plot_row, field)

static size_t value_offset(int column) {
    return OFFSET(value) + (size_t)column * sizeof(double);
}

static size_t anchor_offset(size_t array, int anchor) {
    return array + (size_t)anchor * sizeof(double);
}

/* A panel whose conditions are compared has one line; of one condition, several. */
static bool compares(const agon_plot_chart* chart) {
    return chart->runs->conditions > 1;
}

/* ---- diversity ---- */

/* " of 6 agents"; nothing where runs have different numbers of them. */
static void agents_text(const agon_plot_runs* runs, const char* form, char* out, size_t size) {
    const agon_plot_data* first = &runs->run[0].data;
    const double agents = first->row[first->rows - 1].agents;
    *out = '\0';
    for (int r = 0; r < runs->count; r++)
        if (runs->run[r].data.row[runs->run[r].data.rows - 1].agents != agents)
            return;
    if (!isnan(agents))
        snprintf(out, size, form, agents);
}

static void add_range(agon_plot_line* line, int low, int high, const char* label) {
    if (!line)
        return;
    line->low = low;
    line->high = high;
    snprintf(line->range_label, sizeof line->range_label, "%s", label);
}

/* Behind a line of a single run: how sure it is, by its probe states. */
static void add_band(agon_plot_chart* chart, agon_plot_line* line, const char* name, int band) {
    const size_t low = OFFSET(band_low) + (size_t)band * sizeof(double);
    const size_t high = OFFSET(band_high) + (size_t)band * sizeof(double);
    char column[80];
    if (!line || compares(chart) || !agon_plot_runs_has(chart->runs, low))
        return;
    snprintf(column, sizeof column, "%s.low", name);
    const int first = agon_plot_chart_column(chart, column, low);
    snprintf(column, sizeof column, "%s.high", name);
    add_range(line, first, agon_plot_chart_column(chart, column, high), "95 % over states");
}

/* From 1, so that a population of equals does not fill the panel with rounding. */
static void add_vendi(agon_plot_chart* chart, int vendi_1, int vendi_2) {
    char of[64], heading[160];
    agents_text(chart->runs, " (of %g)", of, sizeof of);
    snprintf(heading, sizeof heading, "Effective number of different agents%s%s", of,
             compares(chart) ? ", Vendi score" : "");
    agon_plot_panel* panel = agon_plot_chart_panel(chart, heading, "agents", 1, NAN);
    add_band(chart, agon_plot_panel_line(panel, vendi_1, "Vendi score, order 1", 1), "vendi_1",
             AGON_PLOT_BAND_VENDI);
    agon_plot_line* second =
        compares(chart) ? NULL : agon_plot_panel_line(panel, vendi_2, "order 2", 2);
    if (second)
        second->dashed = true;
}

static void add_entropy(agon_plot_chart* chart, int between, int within) {
    if (compares(chart)) {
        agon_plot_panel_line(
            agon_plot_chart_panel(chart, "Entropy of actions between agents, J", "nats", 0, NAN),
            between, "", 1);
        agon_plot_panel_line(
            agon_plot_chart_panel(chart, "Entropy of actions within one agent", "nats", 0, NAN),
            within, "", 1);
        return;
    }
    agon_plot_panel* panel =
        agon_plot_chart_panel(chart, "Entropy of actions on the probe states", "nats", 0, NAN);
    add_band(chart, agon_plot_panel_line(panel, between, "between agents (J)", 1), "J",
             AGON_PLOT_BAND_J);
    agon_plot_line* second = agon_plot_panel_line(panel, within, "within one agent", 2);
    add_band(chart, second, "within", AGON_PLOT_BAND_WITHIN);
    if (second)
        second->dashed = true;
}

int agon_plot_diversity(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    static const struct {
        const char* name;
        int value;
    } column[] = {{"vendi_1", AGON_PLOT_VENDI_1},
                  {"vendi_2", AGON_PLOT_VENDI_2},
                  {"J", AGON_PLOT_J},
                  {"within", AGON_PLOT_WITHIN},
                  {"tv", AGON_PLOT_TV},
                  {"greedy_disagreement", AGON_PLOT_GREEDY}};
    agon_plot_chart chart = {.runs = view->runs};
    agon_plot_fill_bands(view);
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        agon_plot_chart_column(&chart, column[i].name, value_offset(column[i].value));
    if (agon_plot_runs_has(view->runs, value_offset(AGON_PLOT_VENDI_1)))
        add_vendi(&chart, 0, 1);
    if (agon_plot_runs_has(view->runs, value_offset(AGON_PLOT_J)))
        add_entropy(&chart, 2, 3);
    if (chart.panels == 0) {
        snprintf(view->why, sizeof view->why, "%s", view->runs->run[0].data.why_diversity);
        return AGON_OK;
    }
    return agon_plot_chart_write(&chart, view, "Diversity", data, script, error);
}

/* ---- strength ---- */

static const char* score_unit(const agon_plot_data* data) {
    return *data->score_unit ? data->score_unit : "score";
}

/* A panel of scores; points per game lie in [0, 1]. */
static agon_plot_panel* score_panel(agon_plot_chart* chart, const char* heading) {
    const agon_plot_data* data = &chart->runs->run[0].data;
    const bool points = strcmp(score_unit(data), "points per game") == 0;
    return agon_plot_chart_panel(chart, heading, score_unit(data), points ? 0 : NAN,
                                 points ? 1 : NAN);
}

/* "Mean score: greedy, every seat, 64 games", or less of it where that does not fit. */
static void score_heading(const agon_plot_data* data, char* out, size_t size) {
    enum { FITS = 58 };
    char games[48] = "";
    if (data->score_games > 0)
        snprintf(games, sizeof games, "%s%.0f games", *data->protocol ? ", " : "",
                 data->score_games);
    snprintf(out, size, "Mean score%s%s%s", *data->protocol || *games ? ": " : "", data->protocol,
             games);
    if (strlen(out) > FITS)
        snprintf(out, size, "Mean score: %s", data->protocol);
    if (strlen(out) > FITS)
        snprintf(out, size, "Mean score");
}

static void add_scores(agon_plot_chart* chart, int first) {
    const agon_plot_data* data = &chart->runs->run[0].data;
    char heading[200];
    for (int a = 0; a < data->anchors && compares(chart); a++) {
        snprintf(heading, sizeof heading, "Mean score vs %s", data->anchor[a]);
        agon_plot_panel_line(score_panel(chart, heading), first + 3 * a, "", 1);
    }
    if (compares(chart) || data->anchors == 0)
        return;
    score_heading(data, heading, sizeof heading);
    agon_plot_panel* panel = score_panel(chart, heading);
    for (int a = 0; a < data->anchors; a++) {
        snprintf(heading, sizeof heading, "vs %s", data->anchor[a]);
        agon_plot_panel_line(panel, first + 3 * a, heading, 1 + a % 7);
    }
}

static void add_nash_conv(agon_plot_chart* chart) {
    const int low = agon_plot_chart_column(chart, "nash_conv_low", OFFSET(nash_conv_low));
    const int median =
        agon_plot_chart_column(chart, "nash_conv_median", value_offset(AGON_PLOT_NASH_CONV));
    const int high = agon_plot_chart_column(chart, "nash_conv_high", OFFSET(nash_conv_high));
    if (!agon_plot_runs_has(chart->runs, value_offset(AGON_PLOT_NASH_CONV)))
        return;
    agon_plot_panel* panel = agon_plot_chart_panel(
        chart, "NashConv: what best responses gain; 0 at equilibrium", "return", 0, NAN);
    add_range(agon_plot_panel_line(panel, median, "median agent", 4), low, high,
              "least to most exploitable");
}

/* Ratings are relative to their generation: over runs, only their spread compares. */
static void add_rating(agon_plot_chart* chart) {
    const int low = agon_plot_chart_column(chart, "elo_low", OFFSET(elo_low));
    const int median = agon_plot_chart_column(chart, "elo_median", OFFSET(elo_median));
    const int high = agon_plot_chart_column(chart, "elo_high", OFFSET(elo_high));
    const int spread = agon_plot_chart_column(chart, "elo_spread", OFFSET(elo_spread));
    if (!agon_plot_runs_has(chart->runs, OFFSET(elo_median)))
        return;
    if (chart->runs->count > 1) {
        agon_plot_panel_line(
            agon_plot_chart_panel(chart, "Ratings: weakest to strongest agent", "Elo", 0, NAN),
            spread, "", 3);
        return;
    }
    agon_plot_panel* panel = agon_plot_chart_panel(
        chart, "Ratings: Bradley-Terry; 0 = mean of the generation", "Elo", NAN, NAN);
    add_range(agon_plot_panel_line(panel, median, "median agent", 3), low, high,
              "weakest to strongest");
}

static void say_what_is_absent(const agon_plot_view* view) {
    const agon_plot_data* data = &view->runs->run[0].data;
    if (!data->anchors)
        agon_plot_left_out(view, "score against anchors", "");
    if (!agon_plot_runs_has(view->runs, value_offset(AGON_PLOT_NASH_CONV)))
        agon_plot_left_out(view, "NashConv", data->why_nash_conv);
    if (!agon_plot_runs_has(view->runs, OFFSET(elo_median)))
        agon_plot_left_out(view, "ratings", data->why_rating);
}

int agon_plot_strength(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    const agon_plot_data* first = &view->runs->run[0].data;
    agon_plot_chart chart = {.runs = view->runs};
    char name[96];
    for (int a = 0; a < first->anchors; a++) {
        static const char* const what[] = {"mean", "best", "se"};
        const size_t array[] = {OFFSET(mean), OFFSET(best), OFFSET(se)};
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%s.%s", first->anchor[a], what[i]);
            agon_plot_chart_column(&chart, name, anchor_offset(array[i], a));
        }
    }
    add_scores(&chart, 0);
    add_nash_conv(&chart);
    add_rating(&chart);
    if (chart.panels == 0) {
        snprintf(view->why, sizeof view->why, "no scores, no NashConv and no ratings in this run");
        return AGON_OK;
    }
    say_what_is_absent(view);
    return agon_plot_chart_write(&chart, view, "Strength", data, script, error);
}

/* ---- one against the other ---- */

typedef struct axes {
    size_t strength, diversity;
    const char* name;
    char label[160];
    bool reverse; /* less is stronger */
} axes;

static double row_value(const agon_plot_row* row, size_t offset) {
    return *(const double*)((const char*)row + offset);
}

/* A generation with both. */
static bool has_point(const agon_plot_runs* runs, const axes* a) {
    for (int r = 0; r < runs->count; r++)
        for (int i = 0; i < runs->run[r].data.rows; i++)
            if (!isnan(row_value(&runs->run[r].data.row[i], a->strength)) &&
                !isnan(row_value(&runs->run[r].data.row[i], a->diversity)))
                return true;
    return false;
}

static bool choose_axes(const agon_plot_runs* runs, axes* out) {
    const agon_plot_data* data = &runs->run[0].data;
    const bool scores = agon_plot_runs_has(runs, OFFSET(score));
    *out = (axes){.strength = scores ? OFFSET(score) : value_offset(AGON_PLOT_NASH_CONV),
                  .diversity = value_offset(AGON_PLOT_VENDI_1),
                  .name = scores ? "score" : "nash_conv",
                  .reverse = !scores};
    if (scores)
        snprintf(out->label, sizeof out->label, "mean score vs %s, %s",
                 data->anchors == 1 ? data->anchor[0] : "anchors", score_unit(data));
    else
        snprintf(out->label, sizeof out->label, "NashConv, return; stronger to the right");
    return has_point(runs, out);
}

static void put_point(FILE* data, const char* condition, const char* run, double generation,
                      const agon_plot_summary* x, const agon_plot_summary* y) {
    fprintf(data, "%s\t%s\t", condition, run);
    agon_plot_put(data, generation, "\t");
    agon_plot_put(data, x->middle, "\t");
    agon_plot_put(data, x->low, "\t");
    agon_plot_put(data, x->high, "\t");
    agon_plot_put(data, y->middle, "\t");
    agon_plot_put(data, y->low, "\t");
    agon_plot_put(data, y->high, "\n");
}

static int put_condition(FILE* data, const agon_plot_runs* runs, int condition, const axes* a,
                         agon_error* error) {
    int count, code = AGON_OK;
    double* generation = agon_plot_generations(runs, condition, &count);
    if (!generation)
        return agon_fail(error, AGON_EMEMORY, "out of memory for a picture");
    for (int g = 0; g < count && !code; g++) {
        agon_plot_summary x, y;
        code = agon_plot_summarise(runs, condition, generation[g], a->strength, &x, error);
        if (!code)
            code = agon_plot_summarise(runs, condition, generation[g], a->diversity, &y, error);
        if (!code)
            put_point(data, runs->condition[condition].label, "all", generation[g], &x, &y);
    }
    free(generation);
    return code;
}

static void put_run(FILE* data, const agon_plot_runs* runs, const agon_plot_run* run,
                    const axes* a) {
    for (int i = 0; i < run->data.rows; i++) {
        const agon_plot_row* row = &run->data.row[i];
        const agon_plot_summary x = {row_value(row, a->strength), NAN, NAN};
        const agon_plot_summary y = {row_value(row, a->diversity), NAN, NAN};
        put_point(data, runs->condition[run->condition].label, run->label, row->generation, &x, &y);
    }
}

static void script_against(agon_plot_view* view, const axes* a, FILE* script) {
    const agon_plot_runs* runs = view->runs;
    const bool bands = agon_plot_has_bands(runs);
    agon_plot_frame frame = {.title = "Diversity against strength",
                             .body = 320 + (runs->conditions > 1 ? 16 * runs->conditions : 0)};
    agon_plot_note(&frame, "A dot for each measured generation, larger for later ones%s",
                   bands ? "; thin: single runs" : "");
    if (bands)
        agon_plot_note(&frame, "Cross: 95 %% bootstrap interval of the last generation");
    agon_plot_frame_write(script, view, &frame);
    fprintf(script, "strength = '%s'\nbackwards = %d\nbands = %d\nlegend = %d\n", a->label,
            a->reverse, bands, runs->conditions > 1 ? 16 * runs->conditions : 0);
    fprintf(script, "array condition[%d]\narray legends[%d]\narray last[%d]\n", runs->conditions,
            runs->conditions, runs->conditions);
    for (int i = 0; i < runs->conditions; i++) {
        int count = 0;
        double* generation = agon_plot_generations(runs, i, &count);
        fprintf(script, "condition[%d] = '%s'\nlegends[%d] = '%s'\nlast[%d] = %.9g\n", i + 1,
                runs->condition[i].label, i + 1, runs->condition[i].legend, i + 1,
                count ? generation[count - 1] : 0);
        free(generation);
    }
    fprintf(script, "array run[%d]\narray run_colour[%d]\n", runs->count, runs->count);
    for (int i = 0; i < runs->count; i++)
        fprintf(script, "run[%d] = '%s'\nrun_colour[%d] = %d\n", i + 1, runs->run[i].label, i + 1,
                1 + runs->run[i].condition % 7);
    fputs(agon_embedded("diversity_strength.gp"), script);
}

int agon_plot_against(agon_plot_view* view, FILE* data, FILE* script, agon_error* error) {
    axes a;
    int code = AGON_OK;
    if (!choose_axes(view->runs, &a)) {
        snprintf(view->why, sizeof view->why,
                 "it needs a Vendi score, and scores against anchors or NashConv");
        return AGON_OK;
    }
    fprintf(data,
            "condition\trun\tgeneration\t%s\t%s.low\t%s.high\tvendi_1\tvendi_1.low\t"
            "vendi_1.high\n",
            a.name, a.name, a.name);
    for (int c = 0; c < view->runs->conditions && !code; c++)
        code = put_condition(data, view->runs, c, &a, error);
    for (int r = 0; r < view->runs->count && agon_plot_has_bands(view->runs); r++)
        put_run(data, view->runs, &view->runs->run[r], &a);
    if (!code)
        script_against(view, &a, script);
    return code;
}
