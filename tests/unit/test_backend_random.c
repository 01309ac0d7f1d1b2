/* The CPU backend on random shapes, rows, masks, temperatures and steps. The argument is the number
 * of cases to try (checks/check_backend_slow.sh tries many). */
#include "tests/unit/update_fixture.h"

enum { MOST_ROWS = 140, CASES = 300 };

static agon_net random_net(source* s) {
    agon_net net = {.inputs = next_int(s, 1, 70),
                    .layers = next_int(s, 0, 3),
                    .actions = next_int(s, 1, 140),
                    .activation = next_int(s, 0, 1) ? AGON_TANH : AGON_RELU};
    for (int i = 0; i < net.layers; i++)
        net.hidden[i] = next_int(s, 1, 70);
    return net;
}

/* Masks of any density: often a single action, sometimes all. */
static void random_masks(source* s, batch* b) {
    const float density = (float)next_int(s, 0, 4) / 4.0f;
    for (int r = 0; r < b->rows; r++)
        for (int a = 0; a < b->net.actions; a++) {
            uint64_t* word = &b->data->mask[r * b->words + a / 64];
            *word &= ~(1ull << (a % 64));
            if (a == b->data->action[r] || next_uniform(s) < density)
                *word |= 1ull << (a % 64);
        }
}

/* Ordinary weights, or such that most of a softmax is 0, all units are dead or all logits tie. */
static void random_weights(source* s, batch* b) {
    static const float gains[] = {1.0f, 1.0f, 0.1f, 30.0f, 0.0f, 1e-20f};
    const float gain = gains[next_int(s, 0, 5)];
    fill_weights(s, &b->net, b->params);
    for (size_t i = 0; i < agon_net_size(&b->net); i++)
        b->params[i] *= gain;
}

static void open_random(source* s, batch* b) {
    static const float uniforms[] = {0.0f, 0x1.fffffep-1f, 0.5f, 0x1p-24f};
    const agon_net net = random_net(s);
    open_batch(s, &net, next_int(s, 0, 1) ? AGON_F32 : AGON_U8, next_int(s, 1, MOST_ROWS), b);
    b->input.scale = b->data->input.scale = next_uniform(s);
    b->temperature = next_int(s, 0, 3) ? 4.0f * next_uniform(s) + 0.01f : 0.0f;
    for (int r = 0; r < b->rows; r++)
        if (next_uniform(s) < 0.2f)
            b->uniform[r] = uniforms[next_int(s, 0, 3)];
    random_masks(s, b);
    random_weights(s, b);
}

static agon_ppo_step random_step(source* s) {
    return (agon_ppo_step){.learning_rate = 0.1f * next_uniform(s),
                           .clip = 0.5f * next_uniform(s),
                           .value_weight = (float)next_int(s, 0, 2),
                           .entropy_weight = (float)next_int(s, 0, 2) * next_uniform(s),
                           .max_grad_norm = (float)next_int(s, 0, 2) * next_uniform(s),
                           .beta1 = 0.99f * next_uniform(s),
                           .beta2 = 0.999f * next_uniform(s),
                           .epsilon = 1e-5f + 1e-3f * next_uniform(s)};
}

static void try_forward(const reference* ref, int all_legal) {
    batch asked = *ref->b;
    asked.all_legal = all_legal;
    outputs want = open_outputs(&asked);
    reference_outputs(ref, &asked, &want);
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        outputs got = open_outputs(&asked);
        if (backend) {
            run_forward(backend, &asked, &got);
            same_outputs(&asked, forms[f], &want, &got);
            nothing_behind(&asked, forms[f], &got);
        }
        close_outputs(&got);
    }
    close_outputs(&want);
}

/* The same entries, their observations strewn over a rectangle with places to spare. */
static agon_rectangle* strewn(source* s, const agon_rectangle* from) {
    uint32_t order[2 * MOST_ROWS];
    const int spare = next_int(s, 0, MOST_ROWS);
    const size_t rows = (size_t)from->rows, words = (size_t)from->mask_words;
    const agon_key key = {{7, 17}};
    agon_rectangle* to = agon_rectangle_open(from->rows, 1, from->input, from->obs_bytes,
                                             from->mask_words, spare, 0);
    assert_non_null(to);
    memset(to->obs, 0xa5, (rows + (size_t)spare) * from->obs_bytes);
    memset(to->mask, 0xa5, (rows + (size_t)spare) * words * sizeof *to->mask);
    agon_shuffle(key, s->drawn++, order, (uint32_t)(from->rows + spare));
    for (size_t r = 0; r < rows; r++) {
        to->place[r] = order[r];
        memcpy((char*)to->obs + order[r] * to->obs_bytes,
               (const char*)from->obs + r * from->obs_bytes, from->obs_bytes);
        memcpy(to->mask + order[r] * words, from->mask + r * words, words * sizeof *to->mask);
    }
    memcpy(to->action, from->action, rows * sizeof *to->action);
    memcpy(to->log_probability, from->log_probability, rows * sizeof(float));
    memcpy(to->advantage, from->advantage, rows * sizeof(float));
    memcpy(to->target, from->target, rows * sizeof(float));
    return to;
}

static void try_update(source* s, const reference* ref) {
    const agon_ppo_step step = random_step(s);
    uint32_t index[MOST_ROWS];
    update_case c;
    const int count = next_int(s, 1, MOST_ROWS); /* may be more than there are rows */
    for (int i = 0; i < count; i++)
        index[i] = (uint32_t)next_int(s, 0, ref->b->rows - 1);
    open_update_case(s, ref, next_int(s, 0, 1), &c);
    agon_rectangle* data = strewn(s, ref->b->data);
    c.data = data;
    expect_update(&c, &step, index, count);
    for (int f = 0; f < FORMS; f++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[f]);
        if (!backend)
            continue;
        agon_scratch* scratch = backend->scratch_open();
        agon_learner* learner = agon_learner_open(&ref->b->net, backend);
        same_update(&c, backend, scratch, learner);
        agon_learner_close(learner);
        backend->scratch_close(scratch);
    }
    agon_rectangle_close(data);
    close_update_case(&c);
}

/* Promise: whatever the shape, and wherever a rectangle keeps its observations, every form gives
 * the bytes of the reference, forward and update. */
static void random_shapes(void** state) {
    const int cases = *(const int*)*state;
    source s = {0};
    for (int i = 0; i < cases; i++) {
        batch b;
        open_random(&s, &b);
        reference ref = open_reference(&b);
        try_forward(&ref, next_int(&s, 0, 4) == 0);
        try_update(&s, &ref);
        close_reference(&ref);
        close_batch(&b);
    }
}

int main(int argc, char** argv) {
    int cases = argc > 1 ? atoi(argv[1]) : CASES;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(random_shapes, &cases)};
    if (argc > 2 || cases < 1) {
        fprintf(stderr, "usage: test_backend_random [CASES], at least 1\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
