/* metrics_compute.c: metrics on evidence. */
#include "tools/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP 200   /* worlds, where nothing else is asked for */
#define ROUND     1e-14 /* below this a number that may have either sign is rounding */

bool agon_metric_asks(const agon_metric* m) {
    return (m->needs &
            (AGON_NEEDS_ANSWERS | AGON_NEEDS_WORTH | AGON_NEEDS_IMAGES | AGON_NEEDS_COUNTS)) != 0;
}

static int samples_of(const agon_compute_def* def, const agon_evidence* e) {
    if (def->samples != AGON_SAMPLES_USUAL)
        return def->samples;
    return e->agents <= AGON_BOOTSTRAP_UP_TO ? BOOTSTRAP : 0;
}

/* Of numbers about 1 that have either sign, or may be 0 as an equilibrium's error. */
static bool may_cancel(const agon_metric_column* c) {
    return c->low < 0 || strcmp(c->unit, "pay-off") == 0 || strcmp(c->unit, "logits") == 0;
}

/* Sums that cancel leave rounding, which would be read as a number. */
static void clear_rounding(agon_finding* f) {
    for (int i = 0; i < f->rows * f->columns; i++) {
        const double least = may_cancel(&f->metric->column[i % f->columns]) ? ROUND : ROUND * ROUND;
        if (fabs(f->value[i]) < least)
            f->value[i] = 0;
    }
}

static bool same(double low, double high) {
    return high - low <= ROUND + 1e-12 * fabs(high);
}

/* No interval where nothing varies, where there is no value, and of a count of what was seen. */
static void clear_noise(agon_finding* f) {
    for (int c = 0; c < f->columns; c++) {
        agon_metric_noise* n = &f->noise[c];
        const bool count = strcmp(f->metric->column[c].unit, "errors") == 0;
        if (isnan(f->value[c]) || count || same(n->low, n->high))
            n->error = n->low = n->high = NAN;
        if (isnan(f->value[c]) || same(n->null_low, n->null_high))
            n->null_mean = n->null_low = n->null_high = NAN;
    }
}

static int compute(agon_finding* f, const agon_compute_def* def, agon_error* error) {
    const agon_metric* m = f->metric;
    const char* why = agon_metric_why(m, f->evidence, &def->options);
    if (why) {
        snprintf(f->why, sizeof f->why, "%s", why);
        return AGON_OK;
    }
    f->rows = agon_metric_rows(m, f->evidence);
    f->columns = agon_metric_columns(m);
    f->value = malloc(((size_t)f->rows * (size_t)f->columns + 1) * sizeof *f->value);
    if (!f->value)
        return agon_fail(error, AGON_EMEMORY, "no memory for metric %s", m->name);
    agon_error failure = {0};
    int rc = m->compute(f->evidence, &def->options, f->value, &failure);
    if (rc && rc != AGON_EMEMORY) { /* there is no such number: said, and on with the rest */
        snprintf(f->why, sizeof f->why, "%.190s", failure.text);
        return AGON_OK;
    }
    if (!rc)
        clear_rounding(f);
    if (!rc && m->shape == AGON_ONE && samples_of(def, f->evidence) > 1) {
        rc = agon_metric_bootstrap(m, f->evidence, &def->options, samples_of(def, f->evidence),
                                   f->noise, &failure);
        f->noisy = !rc;
        if (f->noisy)
            clear_noise(f);
        if (rc != AGON_EMEMORY)
            rc = AGON_OK;
    }
    if (rc)
        *error = failure;
    return rc;
}

int agon_findings_add(agon_findings* findings, const agon_compute_def* def,
                      const agon_evidence* evidence, agon_error* error) {
    for (int i = 0; i < def->metrics; i++) {
        if (def->later && !agon_metric_asks(def->metric[i]))
            continue;
        agon_finding f = {.metric = def->metric[i], .evidence = evidence};
        if (agon_metric_asks(f.metric))
            snprintf(f.set, sizeof f.set, "%s", evidence->answers.set);
        if (def->progress)
            def->progress(def->user, f.metric->name, i, def->metrics);
        const int rc = compute(&f, def, error);
        agon_finding* more =
            rc ? NULL : realloc(findings->finding, ((size_t)findings->count + 1) * sizeof *more);
        if (!more) {
            free(f.value);
            return rc ? rc
                      : agon_fail(error, AGON_EMEMORY, "no memory for metric %s", f.metric->name);
        }
        findings->finding = more;
        findings->finding[findings->count++] = f;
    }
    if (def->progress)
        def->progress(def->user, "", def->metrics, def->metrics);
    return AGON_OK;
}

int agon_findings_of(const agon_populations* populations, const agon_compute_def* def,
                     agon_findings* findings, agon_error* error) {
    int rc = AGON_OK;
    for (int i = 0; !rc && i < populations->count; i++) {
        const agon_population_view* v = &populations->view[i];
        agon_compute_def each = *def;
        each.options.baseline = v->baseline >= 0 ? &populations->view[v->baseline].evidence : NULL;
        each.later = v->later;
        if (!v->hidden)
            rc = agon_findings_add(findings, &each, &v->evidence, error);
    }
    return rc;
}

void agon_findings_close(agon_findings* findings) {
    for (int i = 0; i < findings->count; i++)
        free(findings->finding[i].value);
    free(findings->finding);
    *findings = (agon_findings){NULL, 0};
}

int agon_finding_levels(const agon_finding* f) {
    int used = f->rows;
    for (; f->metric->shape == AGON_PER_LEVEL && used > 0; used--)
        for (int c = 0; c < f->columns; c++)
            if (!isnan(f->value[(used - 1) * f->columns + c]))
                return used;
    return used;
}

bool agon_finding_leaves_out(const agon_finding* f, int column) {
    const agon_metric_noise* n = &f->noise[column];
    return f->noisy && (n->low > f->value[column] || n->high < f->value[column]);
}

void agon_metrics_progress(void* user, const char* what, int done, int total) {
    (void)user;
    if (done < total)
        fprintf(stderr, "\r\033[K%s, %d of %d metrics", what, done + 1, total);
    else
        fprintf(stderr, "\r\033[K");
}
