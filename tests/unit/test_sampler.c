/* The sampling of actions: chi-square of its marginals. Without arguments a part that is done in
 * seconds; with "all" every number of legal actions (checks/check_backend_slow.sh). */
#include "tests/unit/backend_fixture.h"
#include "tests/unit/chi_square.h"

/* Nets that a trial asks in turn, and rows of each group: no net keeps to some lanes. */
enum { NETS = 3, GROUP = 7 };

/* Chance that a family of tests rejects a sampler that is right; the numbers are fixed. */
static const double false_alarm = 1e-3;

/* Several fits seen as one question. */
typedef struct family {
    int tests;
    double least; /* p value */
    int at_actions, at_legal;
    chi_square whole; /* of the sums */
} family;

static int rejects(const family* f) {
    return f->least * f->tests < false_alarm ||
           chi_square_tail(f->whole.x, f->whole.freedom) < false_alarm;
}

/* What may be wrong with a sampler's random numbers; NULL: nothing. */
typedef float bend_fn(float uniform, int row);

/* `draws` actions of each net, `legal` of `actions` being allowed. */
typedef struct trial {
    const agon_backend* backend;
    bend_fn* bend;
    int actions, legal, draws;
    agon_net net;
    int groups, rows;
    float temperature;
    float* params[NETS];
    uint64_t* legal_mask[NETS]; /* (words) */
    const void** packed;        /* (groups) */
    int* offsets;               /* (groups + 1) */
    float* obs;                 /* (rows, inputs), all the same */
    uint64_t* mask;             /* (rows, words) */
    float* uniform;             /* (rows) */
    uint16_t* action;           /* (rows) */
    float* log_probability;     /* (rows) */
} trial;

static int words_of(int actions) {
    return (actions + 63) / 64;
}

static uint64_t* random_mask(int actions, int legal, uint32_t stream) {
    const agon_key key = agon_key_make(1, "sampler/mask", AGON_FOR_TEST);
    const size_t bytes = (size_t)words_of(actions) * sizeof(uint64_t);
    uint32_t* order = need((size_t)actions * sizeof *order);
    uint64_t* mask = need(bytes);
    agon_shuffle(key, stream, order, (uint32_t)actions);
    memset(mask, 0, bytes);
    for (int i = 0; i < legal; i++)
        mask[order[i] / 64] |= 1ull << (order[i] % 64);
    free(order);
    return mask;
}

/* Random numbers come as a policy's do: one key, a counter for each decision. */
static void fill_rows(trial* t) {
    const size_t words = (size_t)words_of(t->actions);
    const agon_key key = agon_key_make((uint64_t)t->actions, "sampler", AGON_FOR_ACTION);
    for (int r = 0; r < t->rows; r++) {
        const uint32_t episode = (uint32_t)r / 20, ply = (uint32_t)r / 2 % 10, seat = r & 1;
        const agon_draw draw =
            agon_random(key, episode + 100000 * (uint32_t)t->legal, ply, seat, 0);
        const float uniform = agon_uniform(draw.word[0]);
        t->uniform[r] = t->bend ? t->bend(uniform, r) : uniform;
        memcpy(t->mask + (size_t)r * words, t->legal_mask[r / GROUP % NETS], words * 8);
        for (int i = 0; i < t->net.inputs; i++)
            t->obs[r * t->net.inputs + i] = 0.5f;
    }
}

static void open_trial(trial* t) {
    static const float temperatures[] = {1.0f, 0.5f, 2.0f};
    source s = {(uint32_t)(t->actions * 10000 + t->legal)};
    t->net = (agon_net){.inputs = 3, .actions = t->actions};
    t->groups = NETS * ((t->draws + GROUP - 1) / GROUP);
    t->rows = t->groups * GROUP;
    t->temperature = temperatures[(t->actions + t->legal) % 3];
    for (int n = 0; n < NETS; n++) {
        t->params[n] = need(agon_net_size(&t->net) * sizeof(float));
        fill(&s, t->params[n], agon_net_size(&t->net), 1.3f);
        t->legal_mask[n] =
            random_mask(t->actions, t->legal, (uint32_t)(t->actions * 10000 + t->legal * NETS + n));
    }
    const size_t rows = (size_t)t->rows;
    t->packed = need((size_t)t->groups * sizeof *t->packed);
    t->offsets = need(((size_t)t->groups + 1) * sizeof *t->offsets);
    t->obs = need(rows * (size_t)t->net.inputs * sizeof *t->obs);
    t->mask = need(rows * (size_t)words_of(t->actions) * sizeof *t->mask);
    t->uniform = need(rows * sizeof *t->uniform);
    t->action = need(rows * sizeof *t->action);
    t->log_probability = need(rows * sizeof *t->log_probability);
    for (int g = 0; g <= t->groups; g++)
        t->offsets[g] = g * GROUP;
    fill_rows(t);
}

static void close_trial(trial* t) {
    for (int n = 0; n < NETS; n++) {
        free(t->params[n]);
        free(t->legal_mask[n]);
    }
    free(t->packed);
    free(t->offsets);
    free(t->obs);
    free(t->mask);
    free(t->uniform);
    free(t->action);
    free(t->log_probability);
}

/* Draws the actions; logits: out (NETS, actions). */
static void draw_actions(trial* t, float* logits) {
    static const int one_each[] = {0, 1, 2, 3};
    agon_scratch* scratch = t->backend->scratch_open();
    void* packed[NETS];
    for (int n = 0; n < NETS; n++) {
        packed[n] = need(t->backend->packed_size(&t->net));
        t->backend->pack(&t->net, t->params[n], packed[n]);
    }
    for (int g = 0; g < t->groups; g++)
        t->packed[g] = packed[g % NETS];
    agon_forward call = {.net = &t->net,
                         .input = {AGON_F32, 1.0f},
                         .nets = t->groups,
                         .packed = t->packed,
                         .offsets = t->offsets,
                         .obs = t->obs,
                         .mask = t->mask,
                         .temperature = t->temperature,
                         .uniform = t->uniform,
                         .action = t->action,
                         .log_probability = t->log_probability};
    t->backend->forward(&call, scratch);
    call = (agon_forward){.net = &t->net,
                          .input = {AGON_F32, 1.0f},
                          .nets = NETS,
                          .packed = t->packed,
                          .offsets = one_each,
                          .obs = t->obs,
                          .logits = logits};
    t->backend->forward(&call, scratch);
    for (int n = 0; n < NETS; n++)
        free(packed[n]);
    t->backend->scratch_close(scratch);
}

/* p: softmax of the legal logits / temperature, in double precision; log_p: ln p at temperature 1.
 */
static void exact(const trial* t, int net, const float* logits, double* p, double* log_p) {
    double sum = 0.0, plain = 0.0;
    for (int a = 0; a < t->actions; a++) {
        const int legal = (int)(t->legal_mask[net][a / 64] >> (a % 64) & 1);
        p[a] = legal ? exp((double)logits[a] / (double)t->temperature) : 0.0;
        sum += p[a];
        plain += legal ? exp((double)logits[a]) : 0.0;
    }
    for (int a = 0; a < t->actions; a++) {
        p[a] /= sum;
        log_p[a] = (double)logits[a] - log(plain);
    }
}

static void count_actions(const trial* t, int net, const double* log_p, double* count) {
    const double slack = 2e-6 + 3e-8 * t->actions; /* of a sum of so many floats */
    memset(count, 0, (size_t)t->actions * sizeof *count);
    for (int r = 0; r < t->rows; r++) {
        const int a = t->action[r];
        if (r / GROUP % NETS != net)
            continue;
        assert_in_range(a, 0, t->actions - 1);
        if (!(t->legal_mask[net][a / 64] >> (a % 64) & 1))
            fail_msg("illegal action %d of %d, %d legal", a, t->actions, t->legal);
        if (!(fabs((double)t->log_probability[r] - log_p[a]) < slack * (1.0 + fabs(log_p[a]))))
            fail_msg("ln p(%d) is %.9g, expected %.9g (%d of %d legal)", a,
                     (double)t->log_probability[r], log_p[a], t->legal, t->actions);
        count[a]++;
    }
}

/* One trial joins the family. */
static void add_trial(const agon_backend* backend, bend_fn* bend, int actions, int legal, int draws,
                      family* f) {
    trial t = {
        .backend = backend, .bend = bend, .actions = actions, .legal = legal, .draws = draws};
    const size_t bytes = (size_t)actions * sizeof(double);
    float* logits = need((size_t)(NETS * actions) * sizeof *logits);
    double *p = need(bytes), *log_p = need(bytes), *count = need(bytes);
    open_trial(&t);
    draw_actions(&t, logits);
    for (int n = 0; n < NETS; n++) {
        exact(&t, n, logits + n * actions, p, log_p);
        count_actions(&t, n, log_p, count);
        const chi_square fit = chi_square_fit(count, p, actions);
        const double tail = chi_square_tail(fit.x, fit.freedom);
        if (tail < f->least) {
            f->least = tail;
            f->at_actions = actions;
            f->at_legal = legal;
        }
        f->whole.x += fit.x;
        f->whole.freedom += fit.freedom;
        f->tests++;
    }
    close_trial(&t);
    free(logits);
    free(p);
    free(log_p);
    free(count);
}

static void judge(const agon_backend* backend, const family* f) {
    const double whole = chi_square_tail(f->whole.x, f->whole.freedom);
    print_message("%s: %d tests, least p %.3g (%d of %d legal), all together %.3g\n", backend->name,
                  f->tests, f->least, f->at_legal, f->at_actions, whole);
    assert_false(rejects(f));
}

/* Promise: actions are drawn with the probabilities of their logits, illegal ones never, and ln p
 * is told of each: whatever the number of legal actions, in every form. */
static void every_width(void** state) {
    static const int actions[] = {2, 7, 9, 64, 65, 82, 130};
    static const int wide[] = {1, 2, 3, 63, 64, 65, 127, 128, 129, 500, 1000, 1351, 1352};
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        family all = {.least = 1.0};
        if (!backend)
            continue;
        for (int i = 0; i < 7; i++)
            for (int legal = 1; legal <= actions[i]; legal++)
                add_trial(backend, NULL, actions[i], legal, 20000, &all);
        for (int i = 0; i < 13; i++)
            add_trial(backend, NULL, 1352, wide[i], 20000, &all);
        judge(backend, &all);
    }
}

/* Promise: the same for all numbers of legal actions up to 9, and some of more. */
static void some_widths(void** state) {
    static const int small[] = {2, 7, 9};
    static const int wide[][2] = {{64, 1},  {64, 63}, {64, 64},  {65, 2},   {65, 64},
                                  {65, 65}, {82, 40}, {130, 65}, {130, 130}};
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        family all = {.least = 1.0};
        if (!backend)
            continue;
        for (int i = 0; i < 3; i++)
            for (int legal = 1; legal <= small[i]; legal++)
                add_trial(backend, NULL, small[i], legal, 20000, &all);
        for (int i = 0; i < 9; i++)
            add_trial(backend, NULL, wide[i][0], wide[i][1], 5000, &all);
        add_trial(backend, NULL, 1352, 1300, 2000, &all);
        judge(backend, &all);
    }
}

static float shrunk(float uniform, int row) {
    return uniform * 0.98f;
}

static float one_dead_lane(float uniform, int row) {
    return row % 16 == 5 ? 0.0f : uniform;
}

static float coarse(float uniform, int row) {
    return floorf(uniform * 64.0f) / 64.0f;
}

/* Promise: the test sees a sampler that is wrong by little: uniforms that stop at .98, one lane of
 * sixteen that always draws 0, uniforms of six bits. */
static void wrong_samplers_are_seen(void** state) {
    bend_fn* const wrong[] = {shrunk, one_dead_lane, coarse};
    for (int i = 0; i < 3; i++) {
        family all = {.least = 1.0};
        for (int legal = 2; legal <= 9; legal++)
            add_trial(agon_cpu_backend(), wrong[i], 9, legal, 20000, &all);
        assert_true(rejects(&all));
    }
}

/* Promise: tails of chi-square are those of the tables. */
static void tails(void** state) {
    static const double known[][3] = {{3.841458820694124, 1, 0.05},
                                      {6.634896601021213, 1, 0.01},
                                      {23.51274244950437, 4, 1e-4},
                                      {124.3421134034000, 100, 0.05},
                                      {77.92946516500000, 100, 0.95}};
    for (int i = 0; i < 5; i++)
        assert_true(fabs(chi_square_tail(known[i][0], (int)known[i][1]) / known[i][2] - 1.0) <
                    1e-6);
}

int main(int argc, char** argv) {
    const int whole = argc == 2 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest part[] = {cmocka_unit_test(tails), cmocka_unit_test(some_widths),
                                      cmocka_unit_test(wrong_samplers_are_seen)};
    const struct CMUnitTest all[] = {cmocka_unit_test(every_width)};
    if (argc > 2 || (argc == 2 && !whole)) {
        fprintf(stderr, "usage: test_sampler [all]\n");
        return 2;
    }
    return whole ? cmocka_run_group_tests(all, NULL, NULL)
                 : cmocka_run_group_tests(part, NULL, NULL);
}
