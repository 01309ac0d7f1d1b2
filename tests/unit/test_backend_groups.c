/* The CPU backend's groups: what a row gives depends on that row and its net alone. */
#include "tests/unit/update_fixture.h"

/* Several nets of one architecture and rows for them. */
typedef struct company {
    batch b;
    int nets;
    const int* offsets;  /* (nets + 1), borrowed */
    int kinds;           /* different nets; group g has net g % kinds */
    float* params[8];    /* (kinds) */
    const void** packed; /* (nets), for the backend of the moment */
    void* made[8];       /* (kinds) what `packed` points at */
} company;

static void open_company(source* s, const agon_net* net, agon_dtype type, const int* offsets,
                         int nets, company* c) {
    *c = (company){.nets = nets, .offsets = offsets, .kinds = 5};
    open_batch(s, net, type, offsets[nets] ? offsets[nets] : 1, &c->b);
    c->b.rows = offsets[nets];
    c->packed = need((size_t)nets * sizeof *c->packed);
    for (int i = 0; i < c->kinds; i++) {
        c->params[i] = need(agon_net_size(net) * sizeof(float));
        fill_weights(s, net, c->params[i]);
    }
}

static void close_company(company* c) {
    for (int i = 0; i < c->kinds; i++)
        free(c->params[i]);
    free(c->packed);
    close_batch(&c->b);
}

static void pack_company(company* c, const agon_backend* backend) {
    for (int i = 0; i < c->kinds; i++) {
        c->made[i] = need(backend->packed_size(&c->b.net));
        backend->pack(&c->b.net, c->params[i], c->made[i]);
    }
    for (int n = 0; n < c->nets; n++)
        c->packed[n] = c->made[n % c->kinds];
}

/* All groups in one call. */
static void run_together(company* c, const agon_backend* backend, agon_scratch* scratch,
                         const outputs* o) {
    pack_company(c, backend);
    const agon_forward call = call_of(&c->b, o, c->packed, c->offsets, c->nets);
    backend->forward(&call, scratch);
    for (int i = 0; i < c->kinds; i++)
        free(c->made[i]);
}

/* Each row in a call of its own, with the first of the forms. */
static void run_apart(company* c, const outputs* o) {
    const agon_backend* backend = agon_cpu_backend_named("portable");
    agon_scratch* scratch = backend->scratch_open();
    pack_company(c, backend);
    for (int n = 0; n < c->nets; n++)
        for (int r = c->offsets[n]; r < c->offsets[n + 1]; r++) {
            static const int one[] = {0, 1};
            agon_rectangle view;
            const batch row = batch_rows(&c->b, &view, r, 1);
            const outputs own = outputs_from(o, r, c->b.net.actions);
            const agon_forward call = call_of(&row, &own, c->packed + n, one, 1);
            backend->forward(&call, scratch);
        }
    for (int i = 0; i < c->kinds; i++)
        free(c->made[i]);
    backend->scratch_close(scratch);
}

/* Every form gives all groups together what each row gets alone. */
static void company_changes_nothing(company* c) {
    outputs apart = open_outputs(&c->b);
    run_apart(c, &apart);
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        agon_scratch* scratch = backend->scratch_open();
        outputs together = open_outputs(&c->b);
        run_together(c, backend, scratch, &together);
        same_outputs(&c->b, forms[f], &apart, &together);
        nothing_behind(&c->b, forms[f], &together);
        close_outputs(&together);
        backend->scratch_close(scratch);
    }
    close_outputs(&apart);
}

/* The same for small and larger nets, bytes and floats, sampled and greedy. */
static void groups_agree(const int* offsets, int nets) {
    static const agon_net shapes[] = {
        {.inputs = 20, .layers = 1, .hidden = {50}, .actions = 6},
        {.inputs = 33, .layers = 2, .hidden = {70, 40}, .actions = 82, .activation = AGON_TANH},
        {.inputs = 7, .actions = 130}};
    source s = {0};
    for (int i = 0; i < 6; i++) {
        company c;
        open_company(&s, &shapes[i % 3], i % 2 ? AGON_F32 : AGON_U8, offsets, nets, &c);
        c.b.temperature = i < 3 ? 1.0f : i == 3 ? 0.0f : 1.5f;
        c.b.all_legal = i == 4;
        company_changes_nothing(&c);
        close_company(&c);
    }
}

/* Promise: nets in one call, empty groups anywhere, give what each row gives alone. */
static void ragged_groups(void** state) {
    enum { NETS = 11 };
    static const int offsets[][NETS + 1] = {
        {0, 1, 1, 4, 60, 61, 109, 130, 130, 130, 178, 180}, /* blocks of 48 end inside groups */
        {0, 0, 0, 1, 2, 2, 3, 19, 19, 35, 52, 52},
        {0, 48, 96, 96, 144, 145, 193, 193, 193, 193, 209, 240},
        {0, 0, 0, 0, 0, 130, 130, 130, 130, 130, 130, 130}};
    for (int i = 0; i < 4; i++)
        groups_agree(offsets[i], NETS);
}

/* Promise: and groups of 1 to 130 rows, each size in one and the same call. */
static void every_group_size(void** state) {
    enum { SIZES = 130 };
    int offsets[SIZES + 1] = {0};
    for (int i = 0; i < SIZES; i++) /* 37 and SIZES + 1 have no common factor: each size once */
        offsets[i + 1] = offsets[i] + (i + 1) * 37 % (SIZES + 1);
    groups_agree(offsets, SIZES);
}

/* Promise: and groups of random sizes, many of them empty. */
static void random_groups(void** state) {
    enum { NETS = 60 };
    source s = {1000};
    for (int trial = 0; trial < 8; trial++) {
        int offsets[NETS + 1] = {0};
        for (int i = 0; i < NETS; i++) {
            const int most = next_int(&s, 0, 3) ? 4 : 60;
            offsets[i + 1] = offsets[i] + (next_int(&s, 0, 2) ? next_int(&s, 0, most) : 0);
        }
        groups_agree(offsets, NETS);
    }
}

/* Promise: and a thousand nets with a row each. */
static void one_row_each(void** state) {
    enum { NETS = 1000 };
    int offsets[NETS + 1];
    for (int i = 0; i <= NETS; i++)
        offsets[i] = i;
    groups_agree(offsets, NETS);
}

/* Promise: a call of empty groups, or of none, writes nothing. */
static void no_rows(void** state) {
    static const int offsets[] = {0, 0, 0, 0};
    groups_agree(offsets, 3);
    groups_agree(offsets, 0);
}

/* Those outputs alone whose bit is set in `wanted` are as in `all`. */
static void some_outputs(company* c, const agon_backend* backend, int wanted, const outputs* all) {
    const size_t rows = (size_t)c->b.rows, actions = (size_t)c->b.net.actions;
    agon_scratch* scratch = backend->scratch_open();
    outputs got = open_outputs(&c->b);
    const outputs some = {wanted & 1 ? got.logits : NULL, wanted & 2 ? got.value : NULL,
                          wanted & 4 ? got.probability : NULL,
                          wanted & 8 ? got.log_probability : NULL, wanted & 16 ? got.action : NULL};
    run_together(c, backend, scratch, &some);
    if (some.logits)
        same_floats("logits", backend->name, all->logits, some.logits, rows * actions);
    if (some.value)
        same_floats("value", backend->name, all->value, some.value, rows);
    if (some.probability)
        same_floats("p", backend->name, all->probability, some.probability, rows * actions);
    if (some.log_probability)
        same_floats("ln p", backend->name, all->log_probability, some.log_probability, rows);
    if (some.action)
        assert_memory_equal(all->action, some.action, rows * sizeof *all->action);
    close_outputs(&got);
    backend->scratch_close(scratch);
}

/* Promise: an output is the same whether others are wanted or not. */
static void outputs_apart(void** state) {
    static const int offsets[] = {0, 3, 20, 21, 77};
    static const float temperatures[] = {1.0f, 0.5f, 0.0f};
    const agon_net net = {.inputs = 11, .layers = 1, .hidden = {33}, .actions = 70};
    source s = {0};
    for (int t = 0; t < 3; t++) {
        company c;
        open_company(&s, &net, AGON_U8, offsets, 4, &c);
        c.b.temperature = temperatures[t];
        outputs all = open_outputs(&c.b);
        run_apart(&c, &all);
        for (int f = 0; f < FORMS; f++)
            for (int wanted = 1; wanted < 32 && agon_cpu_backend_named(forms[f]); wanted++)
                some_outputs(&c, agon_cpu_backend_named(forms[f]), wanted, &all);
        close_outputs(&all);
        close_company(&c);
    }
}

/* Promise: scratch has no memory: nets of other shapes, larger and smaller, leave no trace. */
static void scratch_forgets(void** state) {
    static const agon_net shapes[] = {
        {.inputs = 40, .layers = 3, .hidden = {100, 30, 60}, .actions = 150},
        {.inputs = 3, .layers = 1, .hidden = {5}, .actions = 2, .activation = AGON_TANH},
        {.inputs = 90, .actions = 7}};
    static const int offsets[] = {0, 3, 50, 101};
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        agon_scratch* scratch = backend->scratch_open();
        source s = {0};
        for (int i = 0; i < 9; i++) {
            company c;
            open_company(&s, &shapes[i * i % 3], AGON_F32, offsets, 3, &c);
            outputs want = open_outputs(&c.b), got = open_outputs(&c.b);
            run_apart(&c, &want);
            run_together(&c, backend, scratch, &got);
            same_outputs(&c.b, forms[f], &want, &got);
            close_outputs(&want);
            close_outputs(&got);
            close_company(&c);
        }
        backend->scratch_close(scratch);
    }
}

/* A learner of its own with what it shall do and what shall come of it. */
typedef struct pupil {
    batch b;
    reference ref;
    update_case c;
    uint32_t index[120];
    agon_learner* learner;
} pupil;

static void open_pupil(source* s, const agon_backend* backend, int count, int late, pupil* p) {
    static const agon_ppo_step step = {1e-2f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-5f};
    const agon_net net = {.inputs = 19, .layers = 2, .hidden = {30, 20}, .actions = 66};
    open_batch(s, &net, AGON_U8, 50, &p->b);
    p->ref = open_reference(&p->b);
    open_update_case(s, &p->ref, late, &p->c);
    for (int i = 0; i < count; i++)
        p->index[i] = (uint32_t)next_int(s, 0, 49);
    expect_update(&p->c, &step, p->index, count);
    p->learner = agon_learner_open(&net, backend);
    assert_non_null(p->learner);
    copy_learner(p->c.start, backend, p->learner);
}

static void close_pupil(pupil* p) {
    agon_learner_close(p->learner);
    close_update_case(&p->c);
    close_reference(&p->ref);
    close_batch(&p->b);
}

static void teach_together(const agon_backend* backend) {
    enum { PUPILS = 4 };
    static const int counts[PUPILS] = {1, 97, 16, 120};
    source s = {0};
    pupil pupils[PUPILS];
    agon_update updates[PUPILS];
    for (int i = 0; i < PUPILS; i++) {
        pupil* p = &pupils[i];
        open_pupil(&s, backend, counts[i], i % 2, p);
        updates[i] = (agon_update){.learner = p->learner,
                                   .data = p->b.data,
                                   .index = p->index,
                                   .count = counts[i],
                                   .step = p->c.step};
    }
    agon_scratch* scratch = backend->scratch_open();
    backend->update(updates, PUPILS, scratch);
    for (int i = 0; i < PUPILS; i++) {
        same_stats(backend->name, &pupils[i].c.stats, &updates[i].stats);
        same_floats("params", backend->name, pupils[i].c.want->params, pupils[i].learner->params,
                    agon_net_size(&pupils[i].b.net));
        close_pupil(&pupils[i]);
    }
    backend->scratch_close(scratch);
}

/* Promise: updates of several learners in one call, of different sizes, are those of each alone;
 * entries of the rectangle may come twice, and in any order. */
static void learners_do_not_meet(void** state) {
    for (int f = 0; f < FORMS; f++)
        if (agon_cpu_backend_named(forms[f]))
            teach_together(agon_cpu_backend_named(forms[f]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ragged_groups),   cmocka_unit_test(every_group_size),
        cmocka_unit_test(random_groups),   cmocka_unit_test(one_row_each),
        cmocka_unit_test(no_rows),         cmocka_unit_test(outputs_apart),
        cmocka_unit_test(scratch_forgets), cmocka_unit_test(learners_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
