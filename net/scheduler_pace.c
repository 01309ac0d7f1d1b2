/* scheduler_pace.c: how long tasks take, and which of those that run are slow. */
#include "net/scheduler_inside.h"

#include <stdlib.h>
#include <string.h>

#define ENOUGH 50 /* permille, that say how long a task will take */
#define SLOW   3  /* medians without any progress, after which it is a slow one */

const agon__pace* agon__pace_of(const agon__scheduler* s, const agon__job* job) {
    return &s->pace[s->pace[job->kind].durations >= AGON__FEW ? job->kind : 0];
}

/* One of its tasks took so long, or will by its progress. */
static void crew_pace(agon__crew* c, const agon__pace* pace, int64_t duration) {
    if (pace->durations < AGON__FEW || pace->median < 1)
        return;
    const double ratio = (double)duration / (double)pace->median;
    c->pace = c->pace > 0 ? 0.75 * c->pace + 0.25 * ratio : ratio;
}

static int compare(const void* a, const void* b) {
    const int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
    return x < y ? -1 : x > y;
}

/* The median is made anew every few results: it moves slowly. */
static void add_duration(agon__pace* p, int64_t duration) {
    int64_t sorted[AGON__DURATIONS];
    p->duration[p->durations++ % AGON__DURATIONS] = duration;
    if (p->durations > 64 && p->durations % AGON__FEW)
        return;
    const int n = p->durations < AGON__DURATIONS ? p->durations : AGON__DURATIONS;
    memcpy(sorted, p->duration, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    p->median = sorted[n / 2];
    if (p->durations >= 1 << 20)
        p->durations = AGON__DURATIONS;
}

void agon__pace_note(agon__scheduler* s, const agon__job* job, agon__crew* c, int64_t duration) {
    crew_pace(c, agon__pace_of(s, job), duration);
    add_duration(&s->pace[0], duration);
    if (job->kind)
        add_duration(&s->pace[job->kind], duration);
}

/* ---- slow ones ---------------------------------------------------------------------------- */

void agon__slow_take(agon__scheduler* s, agon__job* job) {
    if (job->slow)
        agon__queue_take(&s->slow, job);
    job->slow = job->hopeless = false;
}

/* A program outside plays once only. */
void agon__slow_add(agon__scheduler* s, const agon__grant* g, bool hopeless) {
    agon__job* job = g->job;
    if (job->backed || !agon__for_task(g) || job->grants->of_job ||
        job->class->needs.programs > 0 || (job->slow && job->hopeless == hopeless))
        return;
    agon__slow_take(s, job);
    agon__queue_push(&s->slow, job, hopeless);
    job->slow = true;
    job->hopeless = hopeless;
}

/* Would it be done sooner by another worker that begins it now? By far, if its own is known to be
 * a slow one. */
void agon__slow_look(agon__scheduler* s, const agon__grant* g, int64_t now) {
    const agon__pace* pace = agon__pace_of(s, g->job);
    const int64_t took = now - g->begun_ms, median = pace->median;
    const int64_t all = g->permille > 0 ? took * 1000 / g->permille : 0;
    const int64_t left = all ? all - took : took > SLOW * median ? INT64_MAX : 0;
    if (g->permille >= ENOUGH && median > 0)
        crew_pace(s->crew[g->worker], pace, all);
    if (pace->durations >= AGON__FEW && left > median + median / 4 + 1000)
        agon__slow_add(s, g, s->crew[g->worker]->pace >= AGON__SLUGGISH && left > 2 * median);
    else
        agon__slow_take(s, g->job);
}
