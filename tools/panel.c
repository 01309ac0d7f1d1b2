#include "tools/panel.h"

#include "tools/train_profile.h"
#include "tools/ui.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

void agon_panel_count(double value, char out[16]) {
    if (value >= 1e9)
        snprintf(out, 16, "%.2f G", value * 1e-9);
    else if (value >= 1e6)
        snprintf(out, 16, "%.2f M", value * 1e-6);
    else if (value >= 1e4)
        snprintf(out, 16, "%.1f k", value * 1e-3);
    else
        snprintf(out, 16, "%.0f", value);
}

void agon_panel_time(double seconds, char out[16]) {
    unsigned s = (unsigned)fmin(fmax(seconds, 0) + 0.5, 3.5e6);
    if (s >= 3600)
        snprintf(out, 16, "%u:%02u:%02u", s / 3600 % 1000, s / 60 % 60, s % 60);
    else
        snprintf(out, 16, "%u:%02u", s / 60, s % 60);
}

/* ---- what is shown ------------------------------------------------------------------------ */

static void describe_strength(const agon_training* t, const agon_measurement* m, char* out,
                              size_t size) {
    const int each = m->agents / m->roles;
    const bool points = agon_population_points(&t->population);
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < m->anchors * m->roles && used < size; i++) {
        const int k = i / m->roles, role = i % m->roles;
        const double* score = m->score + (size_t)k * (size_t)m->agents;
        char name[AGON_ROLE_NAME] = "";
        double mean = 0;
        for (int a = role * each; a < (role + 1) * each; a++)
            mean += score[a] / each;
        if (m->roles > 1)
            agon_rules_role_name(t->rules, role, name, sizeof name);
        used += (size_t)snprintf(
            out + used, size - used,
            points ? "%s%s%s%.*s %.1f, best %.1f %%" : "%s%s%s%.*s %+.3f, best %+.3f",
            i ? "  " : "", name, *name ? " against " : "",
            agon_ref_shown(t->population.anchors.ref[k]), t->population.anchors.ref[k],
            (points ? 100 : 1) * mean, (points ? 100 : 1) * score[agon_measurement_best(m, role)]);
    }
    if (m->exact && used < size)
        snprintf(out + used, size - used, "%sNashConv %.3f", used ? "  " : "", m->nash_conv_median);
}

static void describe_diversity(const agon_training* t, const agon_measurement* m, char* out,
                               size_t size) {
    size_t used = 0;
    if (m->roles == 1) {
        snprintf(out, size, "Vendi %.2f of %d agents   J %.3f   within %.3f nats",
                 m->behaviour.vendi_1, m->agents, m->behaviour.entropy.between,
                 m->behaviour.entropy.within);
        return;
    }
    used += (size_t)snprintf(out, size, "Vendi");
    for (int role = 0; role < m->roles && used < size; role++) {
        char name[AGON_ROLE_NAME];
        used += (size_t)snprintf(out + used, size - used, "%s %s %.2f", role ? "," : "",
                                 agon_rules_role_name(t->rules, role, name, sizeof name),
                                 m->role_behaviour[role].vendi_1);
    }
    if (used < size)
        snprintf(out + used, size - used, " of %d each", m->agents / m->roles);
}

static void describe_payoffs(const agon_measurement* m, char* out, size_t size) {
    char null[48] = "", cyclic[64] = "cycles not above noise";
    if (!isnan(m->nash_null[1]))
        snprintf(null, sizeof null, " (noise alone %.1f..%.1f)", m->nash_null[1], m->nash_null[2]);
    if (m->null.exceeds)
        snprintf(cyclic, sizeof cyclic, "cyclic %.2f (noise alone %.2f..%.2f)", m->cyclic,
                 m->null.low, m->null.high);
    snprintf(out, size, "%s   Nash support %.1f agents%s", cyclic, exp(m->nash_entropy), null);
}

static void describe_cycles(const agon_measurement* m, char* out, size_t size) {
    if (m->rated < 2)
        snprintf(out, size, "n/a: one agent");
    else if (m->roles > 1)
        snprintf(out, size, "n/a: agents of one role never meet");
    else if (!m->antisymmetric)
        snprintf(out, size, "n/a: more than two seats, or a general sum");
    else
        describe_payoffs(m, out, size);
}

static void measured(void* user, const agon_training* t, const agon_measurement* m) {
    agon_panel* p = user;
    if (p->vendis == 64)
        memmove(p->vendi, p->vendi + 1, 63 * sizeof *p->vendi), p->vendis--;
    p->vendi[p->vendis++] = m->behaviour.vendi_1;
    describe_diversity(t, m, p->diversity, sizeof p->diversity);
    describe_strength(t, m, p->strength, sizeof p->strength);
    describe_cycles(m, p->cycles, sizeof p->cycles);
    if (!p->terminal)
        fprintf(p->out, "  measured %d: %s   %s   %s\n", m->generation, p->diversity, p->strength,
                p->cycles);
}

/* Time left by the training generations still to come, at the rate of this process. */
static double time_left(const agon_panel* p, const agon_training* t, double share_of_next) {
    double done = t->trained - t->trained_before + share_of_next;
    double left = t->config.train.generations - t->trained - share_of_next;
    double seconds = (double)(uv_hrtime() - t->begun) * 1e-9;
    return done > 0.05 ? seconds / done * left : -1;
}

static void rates(const agon_training* t, double running_steps, char rate[16], char all[16]) {
    double seconds = fmax((double)(uv_hrtime() - t->begun) * 1e-9, 1e-3);
    agon_panel_count(((double)t->steps + running_steps) / seconds, rate);
    agon_panel_count(((double)t->steps + running_steps + (double)t->other_steps) / seconds, all);
}

static double steps_each(const agon_training* t) {
    const agon_train_result* r = agon_record_train(t->population.record, t->trained, 0);
    return r ? (double)r->total_steps : 0;
}

static void trained(void* user, const agon_training* t, int generation) {
    agon_panel* p = user;
    char rate[16], all[16], steps[16], left[16] = "?";
    if (p->terminal)
        return;
    rates(t, 0, rate, all);
    agon_panel_count(steps_each(t), steps);
    double seconds = time_left(p, t, 0);
    if (seconds >= 0)
        agon_panel_time(seconds, left);
    fprintf(p->out, "generation %d/%d   %s agent-steps each   %s/s   %s left%s%s\n", generation,
            t->config.train.generations, steps, rate, left, p->workers[0] ? "   workers: " : "",
            p->workers);
    fflush(p->out);
}

/* ---- the panel ---------------------------------------------------------------------------- */

static void line(agon_panel* p, const char* label, const char* text) {
    char cut[512];
    const int width = agon_ui_width(p->out) < 80 ? agon_ui_width(p->out) : 80;
    snprintf(cut, sizeof cut, "%s", text);
    if (width > 14 && strlen(cut) > (size_t)width - 13)
        cut[width - 13] = 0;
    fprintf(p->out, "\033[K %s%-11s%s %s\n", agon_ui_colour(p->out, AGON_DIM), label,
            agon_ui_colour(p->out, AGON_PLAIN), cut);
    p->drawn++;
}

static void bar(double share, char out[64]) {
    const int width = 28, full = (int)(share * width);
    for (int i = 0; i < width; i++)
        out[i] = i < full ? '#' : '.';
    out[width] = 0;
}

/* The Vendi score over time as eight heights between 1 and the number of agents. */
static void sparkline(const agon_panel* p, char* out, size_t size) {
    static const char* const height[8] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int width = agon_ui_width(p->out) - 13, most = width < 40 ? width : 40;
    size_t used = 0;
    out[0] = 0;
    for (int i = p->vendis > most ? p->vendis - most : 0; i < p->vendis && used + 4 < size; i++) {
        double x = p->agents > 1 ? (p->vendi[i] - 1) / (p->agents - 1) : 0;
        int h = (int)(x * 8);
        used += (size_t)snprintf(out + used, size - used, "%s", height[h < 0 ? 0 : h > 7 ? 7 : h]);
    }
}

static void draw(agon_panel* p, const agon_training* t, const agon_drive_state* s) {
    char text[512], blocks[64], rate[16], all[16], steps[16], spent[16], left[16] = "?";
    const int of = t->config.train.generations, n = agon_population_agents(&t->population);
    const int roles = agon_population_roles(&t->population);
    double next = fmin((double)s->running_permille / 1000 / n, 1);
    double share = of ? fmin((fmax(t->trained, 0) + next) / of, 1) : 1;
    if (p->drawn)
        fprintf(p->out, "\033[%dA", p->drawn);
    p->drawn = 0;
    rates(t, (double)s->running_steps, rate, all);
    agon_panel_count(steps_each(t), steps);
    agon_panel_time(s->seconds, spent);
    double seconds = time_left(p, t, next);
    if (seconds >= 0)
        agon_panel_time(seconds, left);
    bar(share, blocks);
    snprintf(text, sizeof text, "%s, %d agents%s, net %s", t->rules->name, n / roles,
             roles > 1 ? " of each role" : "", t->population.net_text);
    line(p, "agon train", text);
    if (t->config.train.device != AGON_DEVICE_CPU) {
        snprintf(text, sizeof text, "%s on %s", t->backend->name, t->backend->device);
        line(p, "device", text);
    }
    snprintf(text, sizeof text, "%d/%d [%s] %.0f %%", t->trained < 0 ? 0 : t->trained, of, blocks,
             100 * share);
    line(p, "generation", text);
    snprintf(text, sizeof text, "%s elapsed, %s left   %d of %d tasks, %d running%s", spent, left,
             t->tasks_before + s->tasks_done, t->tasks, s->running,
             s->stopping ? ", stopping"
             : s->paused ? ", paused"
                         : "");
    line(p, "time", text);
    snprintf(text, sizeof text, "%s agent-steps each   %s/s learned, %s/s in all", steps, rate,
             all);
    line(p, "steps", text);
    agon_profile_line(s->phase, text, 80 - 12);
    line(p, "work", text);
    if (s->workers[0])
        line(p, "workers", s->workers);
    line(p, "diversity", p->diversity);
    sparkline(p, text, sizeof text);
    fprintf(p->out, "\033[K %-11s %s\n", "", text);
    p->drawn++;
    line(p, "strength", p->strength);
    line(p, "pay-offs", p->cycles);
    line(p, "run", agon_store_dir(t->store));
    line(p, "", p->note);
    fflush(p->out);
}

static void tick(void* user, const agon_training* t, const agon_drive_state* s) {
    agon_panel* p = user;
    snprintf(p->workers, sizeof p->workers, "%s", s->workers);
    if (p->terminal)
        draw(p, t, s);
}

static void note(void* user, const char* text) {
    agon_panel* p = user;
    snprintf(p->note, sizeof p->note, "%s", text);
    if (!p->terminal)
        fprintf(p->out, "agon: %s\n", text);
}

void agon_panel_begin(agon_panel* p, FILE* out, const agon_training* t) {
    memset(p, 0, sizeof *p);
    p->out = out;
    p->terminal = isatty(fileno(out)) && agon_ui_width(out) >= 40;
    p->agents = t->config.population.size; /* that one Vendi score compares */
    snprintf(p->diversity, sizeof p->diversity, "not measured yet");
    snprintf(p->strength, sizeof p->strength, "not measured yet");
    snprintf(p->cycles, sizeof p->cycles, "not measured yet");
}

agon_training_view agon_panel_view(agon_panel* p) {
    return (agon_training_view){p, measured, trained, tick, note, NULL};
}

void agon_panel_end(agon_panel* p) {
    fflush(p->out);
}
