/* agon report: a run as one page that explains itself. */
#include "engine/evidence_run.h"
#include "engine/files.h"
#include "tools/command.h"
#include "tools/html.h"
#include "tools/metrics.h"
#include "tools/program.h"
#include "tools/ui.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct page {
    const char *run, *probes; /* probes: another probe set, or NULL */
    bool quiet;
    FILE* out;
    agon_training* t;
    agon_populations populations;
    agon_findings findings;
    agon_measurement m;
    agon_error error;
} page;

/* ---- numbers -------------------------------------------------------------------------------- */

static const char* number(double x, char* out, size_t size) {
    if (isnan(x))
        snprintf(out, size, "&ndash;");
    else
        snprintf(out, size, fabs(x) >= 1000 ? "%.0f" : "%.4g", x + 0.0);
    return out;
}

static void number_cell(FILE* out, double x) {
    char text[32];
    fprintf(out, "<td class=\"n\">%s</td>", number(x, text, sizeof text));
}

static void interval_cell(FILE* out, double low, double high, const char* mark) {
    char a[32], b[32];
    if (isnan(low) || isnan(high))
        fputs("<td></td>", out);
    else
        fprintf(out, "<td class=\"n\">%s%s to %s</td>", mark, number(low, a, sizeof a),
                number(high, b, sizeof b));
}

/* ---- the top -------------------------------------------------------------------------------- */

static void card(FILE* out, const char* title, const char* value) {
    fprintf(out, "<div class=\"card\"><small>%s</small><b>%s</b></div>\n", title, value);
}

static void put_cards(page* p) {
    const agon_measurement* m = &p->m;
    char text[96], value[32];
    fputs("<div class=\"cards\">\n", p->out);
    snprintf(text, sizeof text, "%s of %d", number(m->behaviour.vendi_1, value, sizeof value),
             m->agents / m->roles);
    card(p->out, "different agents in effect (Vendi)", text);
    snprintf(text, sizeof text, "%s nats",
             number(m->behaviour.entropy.between, value, sizeof value));
    card(p->out, "between agents (J)", text);
    snprintf(text, sizeof text, "%s nats",
             number(m->behaviour.entropy.within, value, sizeof value));
    card(p->out, "within agents", text);
    if (m->antisymmetric && m->rated > 1)
        card(p->out, "agents of the Nash mixture",
             number(exp(m->nash_entropy), value, sizeof value));
    if (m->exact)
        card(p->out, "NashConv, median", number(m->nash_conv_median, value, sizeof value));
    card(p->out, "agent-steps per agent", number(m->steps, value, sizeof value));
    fputs("</div>\n", p->out);
}

static void put_top(page* p) {
    const agon_config* c = &p->t->config;
    char title[256], version[128];
    const char* created = agon_store_meta(p->t->store, "created");
    snprintf(title, sizeof title, "%s: %d agent%s, generation %d", p->t->rules->name, p->m.agents,
             p->m.agents == 1 ? "" : "s", p->m.generation);
    agon_html_open(p->out, title);
    fputs("<h1>", p->out);
    agon_html_text(p->out, title);
    fputs("</h1>\n<p class=\"soft\">", p->out);
    agon_html_text(p->out, p->run);
    fprintf(p->out, " &middot; seed %llu &middot; begun ", (unsigned long long)c->train.seed);
    agon_html_text(p->out, created ? created : "?");
    fprintf(p->out, " &middot; probe set %.12s<br>", p->t->population.probes);
    agon_version_line(version, sizeof version);
    fputs("page made by ", p->out);
    agon_html_text(p->out, version);
    fputs("</p>\n", p->out);
    put_cards(p);
}

/* ---- pictures ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *caption;
} pictures[] = {
    {"diversity", "How many different agents there are in effect, and what an action tells about "
                  "who took it, beside how undecided single agents are."},
    {"strength", "Scores against fixed opponents, exploitability where the tree is small enough, "
                 "and ratings."},
    {"diversity_strength", "Diversity against strength: one path, a dot per measured generation. "
                           "Weak agents look diverse; read up and to the right."},
    {"payoff", "Who beats whom in the last measured generation."},
    {"nash", "The maximum-entropy Nash mixture over time: who is needed."},
    {"cycles", "Cyclic planes of the pay-offs: agents on a circle beat their neighbours one way "
               "round; a point at the centre takes no part in a cycle."},
    {"map", "Behaviour of all agents at all measured generations, near points act alike; lines "
            "follow a lineage from its first to its last generation."},
    {"spinning_top",
     "Layers of the population by repeated Nash equilibria: width is cycles, height "
     "is strength."},
    {"ratings", "Bradley-Terry ratings with 95 % intervals."},
    {"errors",
     "Who makes the same mistakes on solved states (CAPA): 0 as independent agents of the "
     "same error rates, 1 the same."},
    {"symmetry", "The same question asked another way: 0 is the same answer."},
};

static int put_picture(page* p, const char* dir, size_t which) {
    char path[1200];
    uint8_t* data = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s.svg", dir, pictures[which].name);
    const int rc = agon_file_read(path, 64u << 20, &data, &size, &p->error);
    if (rc == AGON_EMISSING) /* left out: it does not apply */
        return AGON_OK;
    if (rc)
        return rc;
    fprintf(p->out, "<figure>\n<img alt=\"%s\" src=\"", pictures[which].name);
    agon_html_svg(p->out, (const char*)data, size);
    fprintf(p->out, "\">\n<figcaption>%s</figcaption>\n</figure>\n", pictures[which].caption);
    free(data);
    return AGON_OK;
}

static int draw_into(page* p, const char* dir) {
    char self[1024], said[2048];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return agon_fail(&p->error, AGON_EIO, "/proc/self/exe: %s", strerror(errno));
    self[length] = '\0';
    const char* argv[12] = {self, "plot", p->run, "--format", "svg", "--out", dir, "--quiet"};
    if (p->probes) {
        argv[8] = "--probes";
        argv[9] = p->probes;
    }
    if (agon_program_run(argv, NULL, said, sizeof said) != 0)
        return agon_fail(&p->error, AGON_EIO, "the pictures: %.400s", said);
    return AGON_OK;
}

static int put_pictures(page* p) {
    char dir[] = "/tmp/agon-report-XXXXXX", said[256];
    if (!mkdtemp(dir))
        return agon_fail(&p->error, AGON_EIO, "no temporary directory in /tmp: %s",
                         strerror(errno));
    const bool shown = !p->quiet && isatty(fileno(stderr));
    fputs(shown ? "\r\033[Kpictures" : "", stderr);
    int rc = draw_into(p, dir);
    fputs(shown ? "\r\033[K" : "", stderr);
    fputs("<h2>Pictures</h2>\n<div class=\"figures\">\n", p->out);
    for (size_t i = 0; !rc && i < sizeof pictures / sizeof *pictures; i++)
        rc = put_picture(p, dir, i);
    fputs("</div>\n", p->out);
    const char* const away[] = {"rm", "-rf", dir, NULL};
    agon_program_run(away, NULL, said, sizeof said);
    return rc;
}

/* ---- metrics -------------------------------------------------------------------------------- */

static void put_how(FILE* out, const agon_metric* m) {
    fputs("<tr><td colspan=\"7\"><details><summary>how this is obtained</summary><p>", out);
    agon_html_text(out, m->formula);
    fputs("<br>Source: ", out);
    agon_html_text(out, m->source);
    fputs(".<br><b>Does not tell:</b> ", out);
    agon_html_text(out, m->caveat);
    fputs("</p><ul>", out);
    for (int c = 0; c < agon_metric_columns(m); c++) {
        fprintf(out, "<li><code>%s</code>: ", m->column[c].name);
        agon_html_text(out, m->column[c].meaning);
        fputs("</li>", out);
    }
    fputs("</ul></details></td></tr>\n", out);
}

/* ", role 0 predator" of what was measured, where roles are separate. */
static const char* role_of(const agon_finding* f) {
    const char* role = strstr(f->evidence->origin, ", role ");
    return role ? role : "";
}

static void put_finding(FILE* out, const agon_finding* f) {
    for (int c = 0; c < f->columns; c++) {
        const agon_metric_noise* n = &f->noise[c];
        fprintf(out, "<tr><td>%s%s%s%s</td><td><code>%s</code></td>", c ? "" : f->metric->title,
                c || !f->set[0] ? "" : ", set ", c ? "" : f->set, c ? "" : role_of(f),
                f->metric->column[c].name);
        number_cell(out, f->value[c]);
        fprintf(out, "<td class=\"soft\">%s</td>",
                strcmp(f->metric->column[c].unit, "1") ? f->metric->column[c].unit : "");
        interval_cell(out, f->noisy ? n->low : NAN, f->noisy ? n->high : NAN,
                      agon_finding_leaves_out(f, c) ? "! " : "");
        interval_cell(out, f->noisy ? n->null_low : NAN, f->noisy ? n->null_high : NAN, "");
        if (f->noisy && !isnan(n->floor))
            number_cell(out, n->floor);
        else
            fputs("<td></td>", out);
        fputs("</tr>\n", out);
    }
    put_how(out, f->metric);
}

/* Defined on no set: not defined. */
static bool is_absent(const page* p, const agon_finding* f) {
    for (int i = 0; i < p->findings.count; i++) {
        const agon_finding* g = &p->findings.finding[i];
        if (g->metric == f->metric && (!g->why[0] || g < f))
            return false;
    }
    return true;
}

static void put_metrics(page* p) {
    int absent = 0;
    fputs("<h2>Metrics of the population</h2>\n<p class=\"soft\">Intervals: 95 %, bootstrap over "
          "probe states within ply buckets and over paired games. Noise alone: the same number "
          "on pay-offs without cycles, with the errors of the games. !: the interval leaves the "
          "value "
          "out, as resampling repeats states and adds noise.</p>\n<div class=\"wide\">"
          "<table>\n<tr><th>metric</th><th></th><th class=\"n\">value</th><th>unit</th>"
          "<th class=\"n\">95 %</th><th class=\"n\">noise alone</th><th class=\"n\">floor</th>"
          "</tr>\n",
          p->out);
    for (int i = 0; i < p->findings.count; i++) {
        const agon_finding* f = &p->findings.finding[i];
        absent += is_absent(p, f);
        if (!f->why[0] && f->metric->shape == AGON_ONE)
            put_finding(p->out, f);
    }
    fputs("</table></div>\n", p->out);
    if (!absent)
        return;
    fputs("<p>Not defined here:</p>\n<ul>\n", p->out);
    for (int i = 0; i < p->findings.count; i++) {
        const agon_finding* f = &p->findings.finding[i];
        if (!is_absent(p, f))
            continue;
        fprintf(p->out, "<li>%s: <span class=\"soft\">", f->metric->title);
        agon_html_text(p->out, f->why);
        fputs("</span></li>\n", p->out);
    }
    fputs("</ul>\n", p->out);
}

/* ---- agents --------------------------------------------------------------------------------- */

static void put_agent(page* p, int agent, int place) {
    const agon_measurement* m = &p->m;
    const int role = agent / (m->agents / m->roles);
    char rating[64] = "&ndash;";
    if (place >= 0 && m->rating_defined)
        snprintf(rating, sizeof rating, "%+.0f &plusmn; %.0f", m->elo[place] + 0.0,
                 m->elo_se[place]);
    fprintf(p->out, "<tr><td>%d%s</td><td class=\"n\">%s</td>", agent,
            agon_measurement_best(m, role) == agent ? " &#9733;" : "", rating);
    for (int k = 0; k < m->anchors; k++)
        fprintf(p->out, "<td class=\"n\">%.3f &plusmn; %.3f</td>", m->score[k * m->agents + agent],
                m->score_se[k * m->agents + agent]);
    if (m->exact)
        fprintf(p->out, "<td class=\"n\">%.4f</td>", m->nash_conv[agent]);
    const agon_train_result* r = agon_record_train(p->t->population.record, m->generation, agent);
    fprintf(p->out, "<td><code>%.12s</code></td></tr>\n", r->snapshot);
}

static void put_agents(page* p) {
    const agon_measurement* m = &p->m;
    int place[m->agents];
    for (int a = 0; a < m->agents; a++)
        place[a] = -1;
    for (int i = 0; i < m->rated; i++)
        place[m->agent[i]] = i;
    fputs("<h2>Agents</h2>\n<div class=\"wide\"><table>\n<tr><th>agent</th><th class=\"n\">rating"
          "</th>",
          p->out);
    for (int k = 0; k < m->anchors; k++) {
        fputs("<th class=\"n\">", p->out);
        agon_html_text(p->out, p->t->population.anchors.ref[k]);
        fputs("</th>", p->out);
    }
    fprintf(p->out, "%s<th>snapshot</th></tr>\n", m->exact ? "<th class=\"n\">NashConv</th>" : "");
    for (int a = 0; a < m->agents; a++)
        put_agent(p, a, place[a]);
    fprintf(p->out,
            "</table></div>\n<p class=\"soft\">&#9733; the best of its role. Ratings: "
            "Bradley-Terry on the Elo scale, prior sd 350, error of the difference to the mean. "
            "Scores: %s, %s, %d games each.</p>\n",
            agon_score_unit(&p->t->population), agon_score_protocol(&p->t->population),
            m->anchor_games);
}

/* ---- the settings --------------------------------------------------------------------------- */

static int put_settings(page* p) {
    char path[1200], word[1024];
    uint8_t* data = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/config.ini", p->run);
    const int rc = agon_file_read(path, 1u << 20, &data, &size, &p->error);
    if (rc)
        return rc;
    fputs("<h2>Settings</h2>\n<details><summary>config.ini</summary><pre>", p->out);
    agon_html_text(p->out, (const char*)data);
    fputs("</pre></details>\n<p>The same run again, byte for byte on any machine:</p>\n<pre>"
          "agon train ",
          p->out);
    agon_html_text(p->out, agon_ui_shell_word(path, word, sizeof word));
    fputs(" run.dir=again</pre>\n<p>Every metric, for programs:</p>\n<pre>agon metrics ", p->out);
    agon_html_text(p->out, agon_ui_shell_word(p->run, word, sizeof word));
    fputs(" --metric all --csv</pre>\n", p->out);
    free(data);
    return AGON_OK;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int compute(page* p) {
    int count;
    const agon_metric* const* all = agon_metrics(&count);
    const agon_metric* chosen[256];
    char* word[1] = {(char*)p->run};
    agon_metrics_source source = {
        .word = word, .words = 1, .probes = p->probes, .quiet = p->quiet, .seed = 1};
    agon_compute_def def = {.metric = chosen, .samples = AGON_SAMPLES_USUAL};
    if (agon_metrics_source_options(&source))
        return agon_fail(&p->error, AGON_EUSAGE, "'%s' cannot be measured", p->run);
    for (int i = 0; i < count && def.metrics < 256; i++) {
        if (!all[i]->headline)
            continue;
        chosen[def.metrics++] = all[i];
        source.needs |= all[i]->needs;
    }
    def.options =
        (agon_metric_options){.key = agon_key_make(1, "metrics", AGON_FOR_METRIC), .entropy = NAN};
    def.progress = source.progress ? agon_metrics_progress : NULL;
    int rc = AGON_OK;
    for (int role = 0; !rc && role < p->m.roles; role++) {
        source.role_number = role;
        rc = agon_metrics_source_open(&source, &p->populations, &p->error);
    }
    return rc ? rc : agon_findings_of(&p->populations, &def, &p->findings, &p->error);
}

static int write_page(page* p) {
    put_top(p);
    int rc = put_pictures(p);
    if (rc)
        return rc;
    put_metrics(p);
    put_agents(p);
    rc = put_settings(p);
    agon_html_close(p->out);
    return rc;
}

/* The page is made in memory and put in its place whole. */
static int make_page(page* p, const char* path) {
    char* text = NULL;
    size_t size = 0;
    int rc = agon_training_read(p->run, &p->t, &p->error);
    const int generation = rc ? -1 : agon_run_measured(p->t);
    if (!rc && generation < 0)
        rc = agon_fail(&p->error, AGON_EMISSING, "%s has no measured generation yet", p->run);
    if (!rc)
        rc = agon_measure(&p->t->population, generation, &p->m, &p->error);
    if (!rc)
        rc = compute(p);
    if (!rc && !(p->out = open_memstream(&text, &size)))
        rc = agon_fail(&p->error, AGON_EMEMORY, "no memory for the page");
    if (!rc)
        rc = write_page(p);
    if (p->out && fclose(p->out) != 0 && !rc)
        rc = agon_fail(&p->error, AGON_EMEMORY, "no memory for the page");
    if (!rc)
        rc = agon_file_write(path, text, size, &p->error);
    free(text);
    agon_findings_close(&p->findings);
    agon_populations_close(&p->populations);
    agon_measurement_clear(&p->m);
    agon_training_close(p->t);
    return rc;
}

int agon_cmd_report(int argc, char** argv) {
    page p = {.run = NULL};
    const char* out = NULL;
    char path[1200];
    int words;
    const agon_option options[] = {{"--out", NULL, &out},
                                   {"-o", NULL, &out},
                                   {"--probes", NULL, &p.probes},
                                   {"--quiet", &p.quiet, NULL}};
    const int failed = agon_ui_options(argc, argv, options, 4, &words);
    if (failed)
        return failed;
    if (words != 1)
        return agon_ui_usage("report", "expected one run directory; got %d words", words);
    p.run = argv[1];
    snprintf(path, sizeof path, out ? "%s" : "%s/report.html", out ? out : p.run);
    if (make_page(&p, path))
        return agon_ui_error(&p.error);
    if (!p.quiet)
        printf("%s\n", path);
    return agon_ui_finish(AGON_EXIT_OK);
}
