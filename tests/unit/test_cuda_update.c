/* Promise: an update of many learners on the device is agon_ppo_train of each: the same order of
 * entries, advantages, minibatches, steps. What a member gets depends on nothing but the member. */
#include "tests/unit/cuda_update_fixture.h"

#include "cuda/update_plan.h"

static world_def small_def(const char* net, int mode, int members) {
    return (world_def){.net = net,
                       .type = AGON_U8,
                       .mode = mode,
                       .members = members,
                       .rows = 5,
                       .horizon = 9,
                       .ppo = usual_ppo};
}

/* ---- against the CPU ---------------------------------------------------------------------- */

static double distance(const float* x, const float* y, size_t count) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++)
        squares += pow((double)x[i] - (double)y[i], 2.0);
    return sqrt(squares);
}

/* In mode fp32 number by number, within 1e-5 of the largest. Else the way that the parameters went
 * is the CPU's within 2e-2 of its length; not with relu, whose slopes rounding may turn over: what
 * gradients are then is in test_cuda_update_gradient. */
static void near_learner(const world* w, int m) {
    const agon_learner* cpu = w->cpu[m];
    const agon__gpu_learner* each = &w->each[m];
    const agon__gpu_learners* l = &w->learners;
    const size_t size = l->net.params, at = (size_t)m * l->stride;
    const char* net = w->def.net;
    if (w->def.mode == AGON__FP32) {
        near_floats("params", net, cpu->params, l->params + at, size, 1e-5, 0.0);
        near_floats("moment1", net, cpu->moment1, l->moment1 + at, size, 1e-5, 0.0);
        near_floats("moment2", net, cpu->moment2, l->moment2 + at, size, 1e-5, 0.0);
    } else if (w->net.activation == AGON_TANH || w->net.layers == 0) {
        const double way = distance(cpu->params, w->start[m], size);
        const double off = distance(cpu->params, l->params + at, size);
        near_number("distance from the CPU's parameters, in ways", net, 0.0, off / way, 2e-2);
    }
    assert_true(each->updates == cpu->updates);
    assert_true(each->beta1_power == cpu->beta1_power && each->beta2_power == cpu->beta2_power);
}

static void check_rectangle(const world* w, int m) {
    const int entries = world_entries(w), at = m * entries;
    same_floats("target", w->def.net, w->data[m]->target, w->rectangles.target + at,
                (size_t)entries);
    near_floats("advantage", w->def.net, w->data[m]->advantage, w->rectangles.advantage + at,
                (size_t)entries, 1e-6, 1.0);
}

static void check_packed(const world* w, int m) {
    const agon__gpu_net* net = &w->learners.net;
    char* packed = need(net->bytes);
    agon__gpu_pack(net, w->learners.params + (size_t)m * w->learners.stride, packed);
    assert_memory_equal(packed, w->learners.packed + (size_t)m * net->bytes, net->bytes);
    free(packed);
}

/* A few updates, each of epochs of minibatches of 11 to 15 entries, or of one row or two. */
static void as_the_cpu(void** state) {
    static const char* const nets[] = {"37-24-20-9 relu",      "37-24-20-9 tanh",
                                       "37-70 relu",           "2x3x4-conv16-conv6k5-9 relu",
                                       "37-mingru12-5-9 tanh", "3x3x3-conv5-mingru7-9 tanh"};
    (void)state;
    for (int i = 0; i < 6 * 3; i++) {
        const int dense = i < 9;
        const int mode = i % 3;
        world w;
        world_def def = small_def(nets[i / 3], mode, 3);
        def.type = i % 2 ? AGON_U8 : AGON_F32;
        def.ppo.epochs = dense ? 3 : 2;
        def.ppo.minibatches = dense ? 4 : 3;
        def.ppo.step.clip = mode == AGON__FP32 ? 0.2f : 100.0f;
        def.ppo.normalise = i != 3;
        open_world(&def, &w);
        for (int update = 0; update < (dense ? 3 : 2); update++) {
            assert_int_equal(agon__gpu_update_run(w.update, w.each, NULL), 0);
            for (int m = 0; m < def.members; m++) {
                const agon_update_stats want = world_cpu_train(&w, m);
                near_stats(def.net, &want, &w.each[m].stats, mode == AGON__FP32 ? 1e-5 : 2e-2);
                check_rectangle(&w, m);
                check_packed(&w, m);
                w.each[m].ppo.step.learning_rate *= 0.5f; /* a schedule */
            }
        }
        for (int m = 0; m < def.members; m++)
            near_learner(&w, m);
        close_world(&w);
    }
}

/* ---- nothing but the member --------------------------------------------------------------- */

/* What two updates leave of member m, over all arrays. */
static uint64_t digest(const world* w, int m) {
    const agon__gpu_learners* l = &w->learners;
    const size_t at = (size_t)m * l->stride, floats = l->net.params * sizeof(float);
    const size_t entries = (size_t)world_entries(w) * sizeof(float);
    const agon_update_stats* stats = &w->each[m].stats;
    uint64_t hash = AGON_HASH_START;
    hash = agon_hash(hash, l->params + at, floats);
    hash = agon_hash(hash, l->moment1 + at, floats);
    hash = agon_hash(hash, l->moment2 + at, floats);
    hash = agon_hash(hash, l->packed + (size_t)m * l->net.bytes, l->net.bytes);
    hash = agon_hash(hash, (const char*)w->rectangles.advantage + (size_t)m * entries, entries);
    return agon_hash(hash, stats, sizeof *stats);
}

static void run_twice(const world_def* def, uint64_t* digests) {
    world w;
    open_world(def, &w);
    for (int i = 0; i < 2; i++)
        assert_int_equal(agon__gpu_update_run(w.update, w.each, NULL), 0);
    for (int m = 0; m < def->members; m++)
        digests[m] = digest(&w, m);
    close_world(&w);
}

static void same_bytes(const world_def* def, const uint64_t* want, const char* what) {
    uint64_t got[WORLD_MEMBERS];
    run_twice(def, got);
    for (int m = 0; m < def->members; m++)
        if (got[m] != want[m])
            fail_msg("member %d of %s, mode %d, is another: %s", def->first + m, def->net,
                     def->mode, what);
}

/* Nets, and bytes that some of their members are a slice in. */
typedef struct sliced {
    const char* net;
    size_t work;
} sliced;
static const sliced some_nets[] = {{"37-70-9 tanh", 20000},
                                   {"2x2x2-conv18-conv16k1-9 relu", 90000},
                                   {"1x2x2-conv5-mingru4-mingru2-9 tanh", 90000}};
enum { NETS = sizeof some_nets / sizeof *some_nets };

static void nothing_but_the_member(void** state) {
    (void)state;
    for (int i = 0; i < 3 * NETS; i++) {
        const int mode = i % 3;
        uint64_t want[WORLD_MEMBERS];
        world_def def = small_def(some_nets[i / 3].net, mode, WORLD_MEMBERS), other;
        def.in_place = mode != 1; /* as where a shard plays, or as its caller does */
        def.ppo.epochs = i < 3 ? 2 : 1;
        def.ppo.minibatches = i < 3 ? 4 : 2;
        run_twice(&def, want);
        for (int m = 0; m < WORLD_MEMBERS; m += 3) {
            other = def;
            other.first = m;
            other.members = 1;
            same_bytes(&other, want + m, "alone");
        }
        other = def;
        other.gpu.backwards = 1;
        same_bytes(&other, want, "backwards");
        other = def;
        other.gpu.blocks = 2;
        same_bytes(&other, want, "two blocks a grid");
        other = def;
        other.work = 1;
        same_bytes(&other, want, "one by one");
        other.work = some_nets[i / 3].work;
        same_bytes(&other, want, "in slices");
        other = def;
        other.gpu.shared = 50 * 1024;
        same_bytes(&other, want, "with less shared memory");
    }
}

/* Slices are what the test above takes them for; and parts of columns, where there are some. */
static void slices(void** state) {
    (void)state;
    for (int i = 0; i < NETS; i++) {
        world w;
        const world_def def = small_def(some_nets[i].net, AGON__FP32, WORLD_MEMBERS);
        open_world(&def, &w);
        const agon__gpu_learners* l = &w.learners;
        const size_t works[] = {1, some_nets[i].work, SIZE_MAX};
        agon__update_plan plan[3];
        for (int j = 0; j < 3; j++)
            plan[j] = agon__update_plan_of(l, &w.rectangles, i ? 1 : 2, i ? 2 : 4, works[j]);
        assert_int_equal(plan[0].slice, 1);
        assert_in_range(plan[1].slice, 2, 4);
        assert_int_equal(plan[2].slice, WORLD_MEMBERS);
        assert_int_equal(plan[0].part[0], i ? 16 : 0);
        assert_int_equal(plan[2].part[0], i ? plan[2].row_limit : 0);
        close_world(&w);
    }
}

/* ---- the step's edges --------------------------------------------------------------------- */

/* With max_grad_norm = 0 a gradient stays as large as it is; else it is brought down. */
static void clipping_of_norms(void** state) {
    (void)state;
    for (int clips = 0; clips < 2; clips++) {
        world w;
        world_def def = small_def("37-24-9 relu", AGON__FP32, 2);
        def.ppo.step.value_weight = 50.0f; /* a norm far above 1 */
        def.ppo.step.max_grad_norm = clips ? 0.25f : 0.0f;
        open_world(&def, &w);
        assert_int_equal(agon__gpu_update_run(w.update, w.each, NULL), 0);
        for (int m = 0; m < 2; m++) {
            const agon_update_stats want = world_cpu_train(&w, m);
            const float* moment = w.learners.moment1 + (size_t)m * w.learners.stride;
            double squares = 0.0;
            for (size_t i = 0; i < w.learners.net.params; i++)
                squares += pow((double)moment[i] / (1.0 - (double)0.9f), 2.0);
            assert_true(want.grad_norm > 1.0);
            near_number("norm", def.net, clips ? 0.25 : want.grad_norm, sqrt(squares), 1e-5);
            near_stats(def.net, &want, &w.each[m].stats, 1e-5);
            near_learner(&w, m);
        }
        close_world(&w);
    }
}

/* Logits so far apart that their difference is infinite: p is 0, and 0 * ln p is 0. */
static void far_logits(void** state) {
    (void)state;
    world w;
    const world_def def = small_def("37-24-9 relu", AGON__FP32, 1);
    open_world(&def, &w);
    float* bias[] = {w.learners.params, w.cpu[0]->params};
    for (int i = 0; i < 2; i++) {
        bias[i][w.learners.net.linear[1].from_bias] = -3e38f;
        bias[i][w.learners.net.linear[1].from_bias + 1] = 3e38f;
    }
    memset(w.data[0]->mask, 0xff, (size_t)w.data[0]->places * sizeof(uint64_t));
    memset(w.rectangles.mask, 0xff, (size_t)w.data[0]->places * sizeof(uint64_t));
    agon__gpu_pack(&w.learners.net, w.learners.params, w.learners.packed);
    agon_cpu_backend()->pack(&w.net, w.cpu[0]->params, w.cpu[0]->packed);
    assert_int_equal(agon__gpu_update_run(w.update, w.each, NULL), 0);
    const agon_update_stats want = world_cpu_train(&w, 0);
    assert_true(isfinite(want.policy_loss) && isfinite(want.entropy));
    near_stats(def.net, &want, &w.each[0].stats, 1e-5);
    close_world(&w);
}

/* A member that diverges is seen in its statistics, and in no other's. */
static void nan_is_seen(void** state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        world w;
        const world_def def = small_def("37-24-9 relu", i, 3);
        open_world(&def, &w);
        const size_t at = w.learners.stride; /* of member 1 */
        float* params = w.learners.params + at;
        params[i == 0 ? 0 : w.learners.net.params - 1] = NAN; /* a weight, or the value's bias */
        if (i == 2) {
            params[w.learners.net.params - 1] = 0.0f;
            w.rectangles.reward[world_entries(&w)] = INFINITY;
        }
        agon__gpu_pack(&w.learners.net, params, w.learners.packed + w.learners.net.bytes);
        assert_int_equal(agon__gpu_update_run(w.update, w.each, NULL), 0);
        for (int m = 0; m < 3; m++) {
            const agon_update_stats* s = &w.each[m].stats;
            const int fine = isfinite(s->value_loss) && isfinite(s->policy_loss) &&
                             isfinite(s->entropy) && isfinite(s->grad_norm);
            assert_int_equal(fine, m != 1);
        }
        close_world(&w);
    }
}

/* ---- orders ------------------------------------------------------------------------------- */

/* Of `count` entries, or rows of `each`. */
static void check_orders(uint32_t count, uint32_t each, int width, int epochs, int minibatches) {
    agon__update_member member[2] = {{.key = {5, 6}, .stream = 40}, {.key = {7, 8}, .stream = 0}};
    uint32_t* index = need(2 * (size_t)epochs * count * each * 4);
    uint32_t* want = need((size_t)count * 4);
    const agon__shuffle_args args = {.members = 2,
                                     .epochs = epochs,
                                     .minibatches = minibatches,
                                     .count = count,
                                     .each = each,
                                     .width = width,
                                     .member = member,
                                     .index = index};
    emulate_run(emulate_find("kernels", "shuffle"), 3, 1,
                AGON__SHUFFLE_SHARED + (size_t)count * (size_t)width, &args, 0);
    for (int i = 0; i < 2 * epochs; i++) {
        const agon__update_member* m = &member[i / epochs];
        agon_shuffle((agon_key){{m->key[0], m->key[1]}},
                     m->stream + (uint32_t)(i % epochs * minibatches), want, count);
        for (uint32_t j = 0; j < count * each; j++)
            assert_int_equal(index[(size_t)i * count * each + j], want[j / each] * each + j % each);
    }
    free(index);
    free(want);
}

static void orders(void** state) {
    static const uint32_t counts[] = {1, 2, 3, 127, 128, 129, 1000, 4097};
    (void)state;
    for (int i = 0; i < 8 * 3; i++) {
        check_orders(counts[i / 3], 1, i % 3 * 2, 3, 5);
        check_orders(counts[i / 3], 2 + (uint32_t)i % 17, i % 3 * 2, 2, 5);
    }
    check_orders(65536, 1, 2, 1, 1);
    check_orders(65537, 1, 4, 1, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_cpu),  cmocka_unit_test(nothing_but_the_member),
        cmocka_unit_test(slices),      cmocka_unit_test(clipping_of_norms),
        cmocka_unit_test(nan_is_seen), cmocka_unit_test(far_logits),
        cmocka_unit_test(orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
