/* What is around every picture: title, notes, footer, files, the call of gnuplot. */
#include "engine/files.h"
#include "engine/population.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/plot.h"
#include "tools/plot_json.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 460, TITLE = 34, NOTE = 14, FOOTER = 34, FOOTER_TEXT = 86, NOTE_TEXT = 82 };

void agon_plot_left_out(const agon_plot_view* view, const char* what, const char* why) {
    if (!view->quiet)
        printf("%sleft out%s  %s: %s\n", agon_ui_colour(stdout, AGON_DIM),
               agon_ui_colour(stdout, AGON_PLAIN), what, *why ? why : "not measured in this run");
}

void agon_plot_count_text(double x, char* out, size_t size) {
    static const struct {
        double factor;
        const char* name;
    } unit[] = {{1e9, " billion"}, {1e6, " million"}, {1e3, " thousand"}};
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
        if (x >= unit[i].factor) {
            snprintf(out, size, "%.3g%s", x / unit[i].factor, unit[i].name);
            return;
        }
    }
    snprintf(out, size, "%g", x);
}

agon_plot_area agon_plot_area_of(const double* point, int count, int stride, double width,
                                 double height) {
    agon_plot_area a = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (int i = 0; i < count; i++) {
        const double x = point[(size_t)i * (size_t)stride];
        const double y = point[(size_t)i * (size_t)stride + 1];
        a.x_low = x < a.x_low ? x : a.x_low;
        a.x_high = x > a.x_high ? x : a.x_high;
        a.y_low = y < a.y_low ? y : a.y_low;
        a.y_high = y > a.y_high ? y : a.y_high;
    }
    const double x = 0.5 * (a.x_low + a.x_high), y = 0.5 * (a.y_low + a.y_high);
    const double wide = (a.x_high - a.x_low) / width, high = (a.y_high - a.y_low) / height;
    double half = 0.58 * (wide > high ? wide : high);
    half = half > 0 ? half : 1 / width;
    return (agon_plot_area){x - half * width, x + half * width, y - half * height,
                            y + half * height};
}

void agon_plot_note(agon_plot_frame* frame, const char* format, ...) {
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (frame->notes < AGON_PLOT_NOTES && *text)
        agon_plot_clean(text, frame->note[frame->notes++], sizeof frame->note[0]);
}

/* ---- footer ---- */

/* ", 64 games a pair", as played. Nothing when that is not known: a plug-in, which is not loaded to
 * draw pictures. */
static void games_text(const agon_config* config, char* out, size_t size) {
    agon_rules* rules;
    double games = 0;
    if (agon_rules_open(config->game.name, &rules, NULL) == AGON_OK) {
        games = agon_population_games(config, rules, config->metrics.games);
        agon_rules_close(rules);
    }
    snprintf(out, size, games > 0 ? ", %.0f games a pair" : "", games);
}

static void one_run_text(const agon_plot_run* run, char* out, size_t size) {
    const agon_config* config = &run->config;
    char league[32], games[48];
    *out = '\0';
    if (!run->configured)
        return;
    agon_config_value(config, agon_config_find("league.kind"), league, sizeof league);
    games_text(config, games, sizeof games);
    snprintf(out, size, "league %s, %d agent%s%s, seed %llu%s, at most %d probes", league,
             config->population.size, config->population.size == 1 ? "" : "s",
             config->population.roles == AGON_ROLES_SEPARATE ? " of each role" : "",
             (unsigned long long)config->train.seed, games, config->metrics.probes);
}

static void many_runs_text(const agon_plot_runs* runs, char* out, size_t size) {
    int least = runs->condition[0].runs, most = least;
    for (int i = 1; i < runs->conditions; i++) {
        least = runs->condition[i].runs < least ? runs->condition[i].runs : least;
        most = runs->condition[i].runs > most ? runs->condition[i].runs : most;
    }
    const char* of = runs->conditions > 1 ? " of each condition" : "";
    const char* means = "line: interquartile mean, band: 95 % bootstrap interval";
    if (most == 1)
        snprintf(out, size, "1 run%s", of);
    else if (least == most)
        snprintf(out, size, "%d runs%s; %s", most, of, means);
    else
        snprintf(out, size, "%d to %d runs%s; %s", least, most, of, means);
}

/* Cleaned and cut at `most` characters. */
static void put_text(FILE* file, const char* name, const char* text, size_t most) {
    char clean[400];
    agon_plot_clean(text, clean, sizeof clean);
    if (strlen(clean) > most)
        snprintf(clean + most - 3, 4, "...");
    fprintf(file, "%s = '%s'\n", name, clean);
}

static void put_footer(FILE* file, const agon_plot_view* view) {
    char line[128], text[400];
    const bool overlay = view->runs->count > 1 && !view->run;
    agon_version_line(line, sizeof line);
    put_text(file, "footer_1", line, FOOTER_TEXT);
    if (overlay)
        many_runs_text(view->runs, text, sizeof text);
    else
        one_run_text(view->run ? view->run : &view->runs->run[0], text, sizeof text);
    put_text(file, "footer_2", text, FOOTER_TEXT);
}

/* ---- scripts ---- */

static void put_title(FILE* file, const agon_plot_view* view, const char* title) {
    char text[400];
    const agon_plot_run* run = view->run ? view->run : &view->runs->run[0];
    bool one_game = *run->game;
    for (int i = 0; i < view->runs->count && !view->run; i++)
        one_game = one_game && strcmp(view->runs->run[i].game, run->game) == 0;
    snprintf(text, sizeof text, "%s%s%s", title, one_game ? ": " : "", one_game ? run->game : "");
    put_text(file, "title", text, 52);
}

void agon_plot_frame_write(FILE* script, const agon_plot_view* view, const agon_plot_frame* frame) {
    char version[2048], name[32], *rest = NULL;
    const int head = TITLE + NOTE * frame->notes;
    fprintf(script, "# The data are in %s.tsv. Drawn by\n", view->name);
    agon_version_text(version, sizeof version);
    for (char* line = strtok_r(version, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        fprintf(script, "#   %s\n", line);
    fprintf(script, "name = '%s'\nwidth = %d\nheight = %d\nhead = %d\nfoot = %d\n", view->name,
            WIDTH, head + frame->body + FOOTER, head, FOOTER);
    put_title(script, view, frame->title);
    put_footer(script, view);
    fprintf(script, "array note[%d]\n", frame->notes > 0 ? frame->notes : 1);
    fprintf(script, "note[1] = ''\n");
    for (int i = 0; i < frame->notes; i++) {
        snprintf(name, sizeof name, "note[%d]", i + 1);
        put_text(script, name, frame->note[i], NOTE_TEXT);
    }
    fprintf(script, "\n%s\n", agon_embedded("common.gp"));
}

/* ---- files ---- */

static int put_file(const char* dir, const char* name, const char* ending, const char* text,
                    agon_error* error) {
    char path[AGON_PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
    return agon_file_write(path, text, strlen(text), error);
}

static int no_gnuplot(agon_error* error) {
    agon_fail(error, AGON_EMISSING, "gnuplot was not found; it draws the plots");
    return agon_hint(error, "apt-get install gnuplot-nox fonts-dejavu-core");
}

int agon_plot_ready(agon_error* error) {
    const char* const argv[] = {"gnuplot", "--version", NULL};
    char said[256];
    return agon_program_run(argv, NULL, said, sizeof said) == -1 ? no_gnuplot(error) : AGON_OK;
}

static int draw(const char* dir, const agon_plot_view* view, const char* format,
                agon_error* error) {
    char setting[32], script[200], said[2048];
    const char* const argv[] = {"gnuplot", "-e", setting, script, NULL};
    snprintf(setting, sizeof setting, "format='%s'", format);
    snprintf(script, sizeof script, "%s.gp", view->name);
    const int status = agon_program_run(argv, dir, said, sizeof said);
    if (status == -1)
        return no_gnuplot(error);
    if (status != 0) {
        agon_fail(error, AGON_EIO, "gnuplot failed on %s/%s: %.300s", dir, script, said);
        return agon_hint(error, "'agon doctor' checks gnuplot");
    }
    if (!view->quiet)
        printf("%s/%s.%s\n", dir, view->name, format);
    return AGON_OK;
}

int agon_plot_place(const char* dir, const agon_plot_view* view, unsigned formats, const char* data,
                    const char* script, agon_error* error) {
    static const char* const format[] = {"png", "svg", "pdf"};
    int code = put_file(dir, view->name, "tsv", data, error);
    if (!code)
        code = put_file(dir, view->name, "gp", script, error);
    for (int i = 0; i < 3 && !code; i++)
        if (formats & (1u << i))
            code = draw(dir, view, format[i], error);
    return code;
}
