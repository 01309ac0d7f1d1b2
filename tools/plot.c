/* agon plot: pictures of a run. Beside each picture lie its data and its gnuplot script. */
#include "engine/population.h"
#include "tools/command.h"
#include "tools/embedded.h"
#include "tools/plot_data.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct plot_job {
    const char* run;
    char out[1024]; /* directory of the pictures */
    bool png, svg, quiet;
    agon_plot_data data;
    char game[128];   /* cleaned; may be empty */
    char footer[320]; /* cleaned */
} plot_job;

/* ---- files ---- */

static FILE* create(const plot_job* job, const char* name, const char* ending, agon_error* error) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s.%s", job->out, name, ending);
    FILE* file = fopen(path, "we");
    if (!file)
        agon_fail(error, AGON_EIO, "%s: %s", path, strerror(errno));
    return file;
}

static int finish(FILE* file, const plot_job* job, const char* name, agon_error* error) {
    const int broken = ferror(file);
    if (fclose(file) != 0 || broken)
        return agon_fail(error, errno == ENOSPC ? AGON_ENOSPACE : AGON_EIO, "%s/%s: %s", job->out,
                         name, strerror(errno));
    return AGON_OK;
}

static void put_number(FILE* file, double x, const char* end) {
    if (isnan(x))
        fprintf(file, "NaN%s", end);
    else
        fprintf(file, "%.9g%s", x, end);
}

static void write_diversity(FILE* file, const agon_plot_data* data) {
    static const int column[] = {AGON_PLOT_VENDI_1, AGON_PLOT_VENDI_2, AGON_PLOT_J,
                                 AGON_PLOT_WITHIN,  AGON_PLOT_TV,      AGON_PLOT_GREEDY};
    enum { COLUMNS = sizeof column / sizeof *column };
    fprintf(file, "generation\tsteps\tvendi_1\tvendi_2\tJ\twithin\ttv\tgreedy_disagreement\n");
    for (int i = 0; i < data->rows; i++) {
        put_number(file, data->row[i].generation, "\t");
        put_number(file, data->row[i].steps, "\t");
        for (int c = 0; c < COLUMNS; c++)
            put_number(file, data->row[i].value[column[c]], c + 1 < COLUMNS ? "\t" : "\n");
    }
}

static void write_strength(FILE* file, const agon_plot_data* data) {
    fprintf(file, "generation\tsteps");
    for (int a = 0; a < data->anchors; a++)
        fprintf(file, "\t%s.mean\t%s.best\t%s.se", data->anchor[a], data->anchor[a],
                data->anchor[a]);
    fprintf(file, "\tnash_conv_low\tnash_conv_median\tnash_conv_high\telo_low\telo_median"
                  "\telo_high\n");
    for (int i = 0; i < data->rows; i++) {
        const agon_plot_row* row = &data->row[i];
        put_number(file, row->generation, "\t");
        put_number(file, row->steps, "\t");
        for (int a = 0; a < data->anchors; a++) {
            put_number(file, row->mean[a], "\t");
            put_number(file, row->best[a], "\t");
            put_number(file, row->se[a], "\t");
        }
        put_number(file, row->nash_conv_low, "\t");
        put_number(file, row->value[AGON_PLOT_NASH_CONV], "\t");
        put_number(file, row->nash_conv_high, "\t");
        put_number(file, row->elo_low, "\t");
        put_number(file, row->elo_median, "\t");
        put_number(file, row->elo_high, "\n");
    }
}

static void write_payoff(FILE* file, const agon_plot_data* data) {
    const size_t n = (size_t)data->n;
    fprintf(file, "row_rank\tcolumn_rank\trow_agent\tcolumn_agent\tpayoff\n");
    for (int i = 0; i < data->n; i++) {
        for (int j = 0; j < data->n; j++) {
            const int row = data->order[i], column = data->order[j];
            fprintf(file, "%d\t%d\t%d\t%d\t", i + 1, j + 1, data->agent[row], data->agent[column]);
            put_number(file, data->matrix[(size_t)row * n + (size_t)column], "\n");
        }
    }
}

/* ---- what is there ---- */

static bool has_series(const agon_plot_data* data, size_t offset) {
    for (int i = 0; i < data->rows; i++)
        if (!isnan(*(const double*)((const char*)&data->row[i] + offset)))
            return true;
    return false;
}

#define HAS(data, field) has_series(data, offsetof(agon_plot_row, field))

static bool has_value(const agon_plot_data* data, int column) {
    return has_series(data, offsetof(agon_plot_row, value) + (size_t)column * sizeof(double));
}

static double last_steps(const agon_plot_data* data) {
    double most = 0;
    for (int i = 0; i < data->rows; i++)
        most = data->row[i].steps > most ? data->row[i].steps : most;
    return most > 0 ? most : 1;
}

static void say_absent(const plot_job* job, const char* what, const char* why) {
    if (!job->quiet)
        printf("%sleft out%s  %s: %s\n", agon_ui_colour(stdout, AGON_DIM),
               agon_ui_colour(stdout, AGON_PLAIN), what, *why ? why : "not measured in this run");
}

/* ---- scripts: variables, then the parts of tools/plots ---- */

static void write_common(FILE* file, const plot_job* job, const char* name, const char* title,
                         int height) {
    char version[2048], *rest = NULL;
    fprintf(file, "# %s of a run of agon. The data are in %s.tsv. Drawn by\n", name, name);
    agon_version_text(version, sizeof version);
    for (char* line = strtok_r(version, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        fprintf(file, "#   %s\n", line);
    fprintf(file, "name = '%s'\nheight = %d\n", name, height);
    fprintf(file, "title = '%s%s%s'\n", title, *job->game ? ": " : "", job->game);
    fprintf(file, "footer = '%s'\n", job->footer);
    fprintf(file, "points = %d\nmax_steps = %.17g\n", job->data.rows, last_steps(&job->data));
}

/* Height in pixels of a picture with panels one above the other, 800 pixels wide. */
static void write_panels(FILE* file, const plot_job* job, const char* name, const char* title,
                         int panels, int tall) {
    enum { HEAD = 84, FOOT = 82, GAP = 62 };
    write_common(file, job, name, title, HEAD + FOOT + tall * panels + GAP * (panels - 1));
    fprintf(file, "panels = %d\nhead = %d\nfoot = %d\ngap = %d\n", panels, HEAD, FOOT, GAP);
}

static void script_diversity(FILE* file, const plot_job* job) {
    const agon_plot_row* last = &job->data.row[job->data.rows - 1];
    const int vendi = has_value(&job->data, AGON_PLOT_VENDI_1);
    const int entropy = has_value(&job->data, AGON_PLOT_J);
    write_panels(file, job, "diversity", "Diversity", vendi + entropy, 170);
    fprintf(file, "agents = '%g'\nhas_vendi = %d\nhas_entropy = %d\n\n", last->agents, vendi,
            entropy);
    fprintf(file, "%s\n%s\n%s", agon_embedded("common.gp"), agon_embedded("series.gp"),
            agon_embedded("diversity.gp"));
}

static void script_strength(FILE* file, const plot_job* job) {
    const agon_plot_data* data = &job->data;
    const int score = data->anchors > 0;
    const int nash_conv = has_value(data, AGON_PLOT_NASH_CONV), rating = HAS(data, elo_median);
    const int panels = score + nash_conv + rating;
    write_panels(file, job, "strength", "Strength", panels, 180);
    fprintf(file, "has_score = %d\nhas_nash_conv = %d\nhas_rating = %d\n", score, nash_conv,
            rating);
    fprintf(file, "anchors = '");
    for (int a = 0; a < data->anchors; a++)
        fprintf(file, "%s%s", a ? " " : "", data->anchor[a]);
    fprintf(file, "'\nscore_unit = '%s'\n", *data->score_unit ? data->score_unit : "score");
    fprintf(file, "score_title = 'Score%s%s", *data->protocol ? ": " : "", data->protocol);
    if (data->score_games > 0)
        fprintf(file, ", %.0f games", data->score_games);
    fprintf(file, "'\n\n");
    fprintf(file, "%s\n%s\n%s", agon_embedded("common.gp"), agon_embedded("series.gp"),
            agon_embedded("strength.gp"));
}

/* "3.93 million" */
static void number_text(double x, char* out, size_t size) {
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

/* What the matrix says in numbers, where it was measured. A cyclic share is given together with
 * what noise alone would give. */
static void write_subtitles(FILE* file, const agon_plot_data* data) {
    const agon_plot_row* row = &data->row[data->last];
    const double* value = row->value;
    const char* gap = "";
    char steps[32];
    number_text(row->steps, steps, sizeof steps);
    fprintf(file, "subtitle = 'After %s agent-steps per agent", steps);
    if (!isnan(data->games))
        fprintf(file, ", %g games a pair", data->games);
    if (!isnan(data->se))
        fprintf(file, ", standard error of a cell %.2g", data->se);
    fprintf(file, "'\nmeasures = '");
    if (!isnan(value[AGON_PLOT_NASH_SUPPORT])) {
        fprintf(file, "Nash equilibrium: %.1f agents in effect", value[AGON_PLOT_NASH_SUPPORT]);
        gap = "; ";
    }
    if (!isnan(value[AGON_PLOT_CYCLIC]))
        fprintf(file, "%scyclic share %.2f", gap, value[AGON_PLOT_CYCLIC]);
    if (!isnan(value[AGON_PLOT_CYCLIC]) && !isnan(row->null_low) && !isnan(row->null_high))
        fprintf(file, " (noise alone: %.2f to %.2f)", row->null_low, row->null_high);
    fprintf(file, "'\n");
}

static void script_payoff(FILE* file, const plot_job* job) {
    const agon_plot_data* data = &job->data;
    double most = 0;
    for (int i = 0; i < data->n * data->n; i++)
        most = fabs(data->matrix[i]) > most ? fabs(data->matrix[i]) : most;
    write_common(file, job, "payoff", "Who beats whom", 730);
    fprintf(file, "agents = %d\nmost = %.9g\nhead = 84\nfoot = 92\nnames = '", data->n,
            most > 0 ? most : 1);
    for (int i = 0; i < data->n; i++)
        fprintf(file, "%s%d", i ? " " : "", data->agent[data->order[i]]);
    fprintf(file, "'\nxname = 'column agent%s'\nyname = 'row agent%s, strongest at the top'\n",
            data->n <= 32 ? "" : " by rank", data->n <= 32 ? "" : " by rank");
    write_subtitles(file, data);
    fprintf(file, "\n%s\n%s", agon_embedded("common.gp"), agon_embedded("payoff.gp"));
}

/* ---- drawing ---- */

static int draw(const plot_job* job, const char* name, const char* format, agon_error* error) {
    char setting[32], script[64], said[2048];
    const char* const argv[] = {"gnuplot", "-e", setting, script, NULL};
    snprintf(setting, sizeof setting, "format='%s'", format);
    snprintf(script, sizeof script, "%s.gp", name);
    const int status = agon_program_run(argv, job->out, said, sizeof said);
    if (status == -1) {
        agon_fail(error, AGON_EMISSING, "gnuplot was not found; it draws the plots");
        return agon_hint(error, "apt-get install gnuplot-nox fonts-dejavu-core");
    }
    if (status != 0) {
        agon_fail(error, AGON_EIO, "gnuplot failed on %s/%s: %.300s", job->out, script, said);
        return agon_hint(error, "'agon doctor' checks gnuplot");
    }
    if (!job->quiet)
        printf("%s/%s.%s\n", job->out, name, format);
    return AGON_OK;
}

typedef void plot_writer(FILE* file, const agon_plot_data* data);
typedef void plot_script(FILE* file, const plot_job* job);

static int make_plot(const plot_job* job, const char* name, plot_writer* data, plot_script* script,
                     agon_error* error) {
    FILE* file = create(job, name, "tsv", error);
    if (!file)
        return error->code;
    data(file, &job->data);
    int code = finish(file, job, name, error);
    if (code != AGON_OK)
        return code;
    file = create(job, name, "gp", error);
    if (!file)
        return error->code;
    script(file, job);
    code = finish(file, job, name, error);
    if (code == AGON_OK && job->png)
        code = draw(job, name, "png", error);
    if (code == AGON_OK && job->svg)
        code = draw(job, name, "svg", error);
    return code;
}

static int make_strength(const plot_job* job, agon_error* error) {
    const agon_plot_data* data = &job->data;
    const bool nash_conv = has_value(data, AGON_PLOT_NASH_CONV), rating = HAS(data, elo_median);
    if (!data->anchors)
        say_absent(job, "score against anchors", "");
    if (!nash_conv)
        say_absent(job, "NashConv", data->why_nash_conv);
    if (!rating)
        say_absent(job, "ratings", data->why_rating);
    if (!data->anchors && !nash_conv && !rating)
        return AGON_OK;
    return make_plot(job, "strength", write_strength, script_strength, error);
}

static int make_all(const plot_job* job, agon_error* error) {
    const agon_plot_data* data = &job->data;
    int code = AGON_OK;
    if (has_value(data, AGON_PLOT_VENDI_1) || has_value(data, AGON_PLOT_J))
        code = make_plot(job, "diversity", write_diversity, script_diversity, error);
    else
        say_absent(job, "diversity", data->why_diversity);
    if (code == AGON_OK)
        code = make_strength(job, error);
    if (code == AGON_OK && data->n > 1)
        code = make_plot(job, "payoff", write_payoff, script_payoff, error);
    else if (code == AGON_OK)
        say_absent(job, "pay-off matrix", data->why_payoff);
    return code;
}

/* ---- the run ---- */

static int make_directory(const char* path, agon_error* error) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return AGON_OK;
    return agon_fail(error, AGON_EIO, "%s: %s", path, strerror(errno));
}

/* ", 64 games a pair", as played. Nothing when that is not known: a plug-in, which is not loaded to
 * draw pictures, of a game without a pay-off matrix. */
static void games_text(const plot_job* job, const agon_config* config, char* out, size_t size) {
    agon_rules* rules;
    double games = job->data.games;
    if (agon_rules_open(config->game.name, &rules, NULL) == AGON_OK) {
        games = agon_population_games(config, rules, config->metrics.games);
        agon_rules_close(rules);
    }
    snprintf(out, size, games > 0 ? ", %.0f games a pair" : "", games);
}

/* Settings are for title and footer alone: a run without them is drawn without them. */
static void read_settings(plot_job* job) {
    agon_config config;
    agon_error ignored = {0};
    char path[1200], line[128], league[32], games[48], text[320];
    agon_version_line(line, sizeof line);
    snprintf(path, sizeof path, "%s/config.ini", job->run);
    agon_config_defaults(&config);
    if (agon_config_read_file(&config, path, &ignored) != AGON_OK) {
        agon_plot_clean(line, job->footer, sizeof job->footer);
        return;
    }
    agon_plot_clean(config.game.name, job->game, sizeof job->game);
    agon_config_value(&config, agon_config_find("league.kind"), league, sizeof league);
    games_text(job, &config, games, sizeof games);
    snprintf(text, sizeof text,
             "%s  -  league %s, %d agent%s%s, seed %llu%s, at most %d probe states", line, league,
             config.population.size, config.population.size == 1 ? "" : "s",
             config.population.roles == AGON_ROLES_SEPARATE ? " of each role" : "",
             (unsigned long long)config.train.seed, games, config.metrics.probes);
    agon_plot_clean(text, job->footer, sizeof job->footer);
}

static int plot_run(plot_job* job, const char* out, agon_error* error) {
    char path[1200];
    if (strlen(job->run) > 1000 || (out && strlen(out) > 1000))
        return agon_fail(error, AGON_EINVALID, "a directory name of more than 1000 bytes");
    snprintf(path, sizeof path, "%s/metrics.jsonl", job->run);
    int code = agon_plot_data_read(path, &job->data, error);
    if (code != AGON_OK)
        return code;
    if (out)
        snprintf(job->out, sizeof job->out, "%s", out);
    else
        snprintf(job->out, sizeof job->out, "%s/plots", job->run);
    read_settings(job);
    code = make_directory(job->out, error);
    if (code == AGON_OK)
        code = make_all(job, error);
    if (code == AGON_OK && job->data.cut)
        say_absent(job, "last line of metrics.jsonl", "incomplete; the run is still writing");
    agon_plot_data_close(&job->data);
    return code;
}

int agon_cmd_plot(int argc, char** argv) {
    plot_job job = {0};
    const char* out = NULL;
    agon_error error = {0};
    int words;
    const agon_option options[] = {{"--out", NULL, &out},
                                   {"--png", &job.png, NULL},
                                   {"--svg", &job.svg, NULL},
                                   {"--quiet", &job.quiet, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 4, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("plot", "expected one run directory; got %d words", words);
    if (!job.png && !job.svg)
        job.png = job.svg = true;
    job.run = argv[1];
    if (plot_run(&job, out, &error) != AGON_OK)
        return agon_ui_error(&error);
    return AGON_EXIT_OK;
}
