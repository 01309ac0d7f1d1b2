/* dump_forms: prints, for each form of the CPU backend that this CPU and build have, its name and a
 * hash of what it makes of a fixed grid of nets: forwards of several nets, gradients, Adam steps,
 * and actions chosen from damaged logits. For checks that compare kinds of CPU. */
#include "agents/kernel.h"
#include "agents/learner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETS = 3, MAX_ROWS = 130, MAX_ACTIONS = 200, MAX_MEMORY = 64, STEPS = 2, EDGES = 16 };

/* Outputs of one forward; and where random numbers come from, an own stream for each form. */
typedef struct work {
    const agon_backend* backend;
    agon_scratch* scratch;
    uint32_t drawn; /* words */
    agon_draw draw; /* the last four */
    uint64_t hash;
    float logits[MAX_ROWS * MAX_ACTIONS], probability[MAX_ROWS * MAX_ACTIONS];
    float memory[MAX_ROWS * MAX_MEMORY]; /* before a forward, then after it */
    float value[MAX_ROWS], log_probability[MAX_ROWS], uniform[MAX_ROWS];
    uint16_t action[MAX_ROWS];
} work;

static void* checked(void* made) {
    if (!made) {
        fputs("dump_forms: out of memory\n", stderr);
        exit(1);
    }
    return made;
}

static float next_uniform(work* w) {
    const agon_key key = {{7, 11}};
    if (w->drawn % 4 == 0)
        w->draw = agon_random(key, 0, 0, 0, w->drawn / 4);
    return agon_uniform(w->draw.word[w->drawn++ % 4]);
}

static void add(work* w, const void* bytes, size_t count) {
    w->hash = agon_hash(w->hash, bytes, count);
}

/* ---- a net and its rows ------------------------------------------------------------------- */

static agon_learner* open_learner(work* w, const agon_net* net) {
    agon_learner* learner = checked(agon_learner_open(net, w->backend));
    const size_t size = agon_net_size(net);
    for (size_t i = 0; i < size; i++)
        learner->params[i] = (2.0f * next_uniform(w) - 1.0f) * 0.3f;
    w->backend->pack(net, learner->params, learner->packed);
    return learner;
}

/* What is remembered before every row, and where episodes end. */
static void fill_memory(work* w, agon_rectangle* data) {
    for (int i = 0; i < data->rows * data->remembered; i++)
        data->memory[i] = next_uniform(w) - 0.5f;
    for (int i = 0; data->remembered && i < data->rows * data->horizon; i++)
        data->last[i] = next_uniform(w) < 0.2f;
    for (int i = 0; data->remembered && i < MAX_ROWS * MAX_MEMORY; i++)
        w->memory[i] = next_uniform(w) - 0.5f;
}

/* `rows` entries, in rows of `horizon`. */
static agon_rectangle* open_rows(work* w, const agon_net* net, agon_dtype type, int rows,
                                 int horizon) {
    const size_t obs_bytes = (size_t)net->inputs * (type == AGON_U8 ? 1 : sizeof(float));
    agon_rectangle* data =
        checked(agon_rectangle_open(rows / horizon, horizon, (agon_input){type, 0.25f}, obs_bytes,
                                    (net->actions + 63) / 64, 0, agon_net_memory(net)));
    for (int i = 0; i < rows * net->inputs; i++) {
        if (type == AGON_U8)
            ((uint8_t*)data->obs)[i] = (uint8_t)(next_uniform(w) * 5.0f);
        else
            ((float*)data->obs)[i] = next_uniform(w) - 0.5f;
    }
    for (int r = 0; r < rows; r++) {
        const int sure = (int)(next_uniform(w) * (float)net->actions);
        for (int a = 0; a < net->actions; a++)
            if (a == sure || next_uniform(w) < 0.6f)
                data->mask[r * data->mask_words + a / 64] |= 1ull << (a % 64);
        w->uniform[r] = next_uniform(w);
        data->action[r] = (uint16_t)sure;
        data->log_probability[r] = -2.0f * next_uniform(w);
        data->advantage[r] = 2.0f * next_uniform(w) - 1.0f;
        data->target[r] = 2.0f * next_uniform(w) - 1.0f;
    }
    fill_memory(w, data);
    return data;
}

/* `nets` nets, whose rows offsets[] parts. */
static void forward(work* w, const agon_net* net, const void* const* packed, int nets,
                    const int* offsets, const agon_rectangle* data, float temperature) {
    w->backend->forward(&(agon_forward){.net = net,
                                        .input = data->input,
                                        .nets = nets,
                                        .packed = packed,
                                        .offsets = offsets,
                                        .obs = data->obs,
                                        .memory = data->remembered ? w->memory : NULL,
                                        .mask = data->mask,
                                        .temperature = temperature,
                                        .uniform = w->uniform,
                                        .logits = w->logits,
                                        .value = w->value,
                                        .probability = w->probability,
                                        .action = w->action,
                                        .log_probability = w->log_probability},
                        w->scratch);
}

/* ---- what is hashed ----------------------------------------------------------------------- */

static void add_outputs(work* w, int rows, int actions) {
    add(w, w->logits, (size_t)rows * (size_t)actions * sizeof(float));
    add(w, w->probability, (size_t)rows * (size_t)actions * sizeof(float));
    add(w, w->value, (size_t)rows * sizeof(float));
    add(w, w->log_probability, (size_t)rows * sizeof(float));
    add(w, w->action, (size_t)rows * sizeof(uint16_t));
}

static void add_updates(work* w, agon_learner* learner, const agon_rectangle* data) {
    const size_t bytes = agon_net_size(&learner->net) * sizeof(float);
    const int horizon = data->horizon, count = data->rows * horizon;
    uint32_t index[MAX_ROWS];
    for (int i = 0; i < count; i++)
        index[i] = (uint32_t)((data->rows - 1 - i / horizon) * horizon + i % horizon);
    agon_update update = {.learner = learner,
                          .data = data,
                          .index = index,
                          .count = count,
                          .step = {1e-2f, 0.2f, 0.5f, 0.01f, 0.5f, 0.9f, 0.999f, 1e-5f}};
    w->backend->gradient(&update, w->scratch);
    add(w, learner->grads, bytes);
    for (int i = 0; i < STEPS; i++)
        w->backend->update(&update, 1, w->scratch);
    add(w, learner->params, bytes);
    add(w, learner->moment1, bytes);
    add(w, learner->moment2, bytes);
    add(w, &update.stats, sizeof update.stats);
}

/* NETS nets see the rows: the first third, none, the rest. The last one learns from all. */
static void add_case(work* w, const agon_net* net, agon_dtype type, int rows, int horizon,
                     float temperature) {
    const int offsets[NETS + 1] = {0, rows / 3, rows / 3, rows};
    agon_learner* learners[NETS];
    const void* packed[NETS];
    for (int i = 0; i < NETS; i++) {
        learners[i] = open_learner(w, net);
        packed[i] = learners[i]->packed;
    }
    agon_rectangle* data = open_rows(w, net, type, rows, horizon);
    forward(w, net, packed, NETS, offsets, data, temperature);
    add_outputs(w, rows, net->actions);
    add(w, w->memory, (size_t)(rows * data->remembered) * sizeof(float));
    add_updates(w, learners[NETS - 1], data);
    agon_rectangle_close(data);
    for (int i = 0; i < NETS; i++)
        agon_learner_close(learners[i]);
}

/* Depth x width x actions; rows, activation, type and temperature go round. */
static void add_grid(work* w) {
    static const int widths[] = {1, 7, 64, 200}, actions[] = {1, 2, 7, 9, 82, MAX_ACTIONS};
    static const int rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, MAX_ROWS};
    static const float temperatures[] = {1.0f, 0.0f, 0.5f, 1.0f, 2.0f};
    int turn = 0;
    for (int layers = 0; layers <= 3; layers++)
        for (int width = 0; width < 4; width++)
            for (int a = 0; a < 6; a++, turn++) {
                agon_net net = {.inputs = width % 2 ? 23 : 48,
                                .layers = layers,
                                .actions = actions[a],
                                .activation = turn % 2 ? AGON_TANH : AGON_RELU};
                for (int i = 0; i < layers; i++)
                    net.hidden[i] = widths[(width + i) % 4];
                add_case(w, &net, turn / 2 % 2 ? AGON_F32 : AGON_U8, rows[turn % 13], 1,
                         temperatures[turn % 5]);
            }
}

/* Convolutions and minGRU layers. */
static void add_layers(work* w) {
    static const char* const nets[] = {"2x3x4-conv5-conv16k5-7 relu",
                                       "3x6x7-conv16-conv33k1-30-9 tanh",
                                       "23-mingru1-5 relu",
                                       "48-mingru16-20-mingru33-82 tanh",
                                       "1x1x9-conv3k15-mingru9-mingru31-7 relu",
                                       "2x6x7-conv17-mingru40-7 tanh"};
    static const int horizons[] = {1, 1, 13, 26, 5, 130};
    for (int i = 0; i < 12; i++) {
        agon_net net;
        if (agon_net_parse(nets[i / 2], &net, NULL) != 0)
            exit(1);
        add_case(w, &net, i % 2 ? AGON_F32 : AGON_U8, MAX_ROWS, horizons[i / 2], 1.0f);
    }
}

/* Actions alone: the sign of a NaN is the CPU's, what is chosen is not. Every mask of five. */
static void add_damaged(work* w) {
    enum { ACTIONS = 5, MASKS = 31 };
    static const float sets[][ACTIONS] = {{0.1f, 0.7f, 0.3f, 0.2f, 5.0f},
                                          {3e38f, -3e38f, 1.0f, 0.0f, 3e38f},
                                          {NAN, NAN, NAN, NAN, NAN},
                                          {1.0f, NAN, 0.0f, NAN, 2.0f},
                                          {INFINITY, 0.0f, -INFINITY, INFINITY, 0.0f},
                                          {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 0.0f}};
    const agon_net net = {.inputs = 1, .actions = ACTIONS};
    const int offsets[] = {0, MASKS};
    agon_learner* learner = open_learner(w, &net);
    agon_rectangle* data = open_rows(w, &net, AGON_F32, MASKS, 1);
    const void* const packed[] = {learner->packed};
    for (int r = 0; r < MASKS; r++)
        data->mask[r] = (uint64_t)r + 1;
    memset(learner->params, 0, agon_net_size(&net) * sizeof(float));
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        memcpy(learner->params + ACTIONS, sets[i], sizeof sets[i]); /* the biases */
        w->backend->pack(&net, learner->params, learner->packed);
        for (int half = 0; half <= 2; half++) {
            forward(w, &net, packed, 1, offsets, data, 0.5f * (float)half);
            add(w, w->action, MASKS * sizeof(uint16_t));
        }
    }
    agon_rectangle_close(data);
    agon_learner_close(learner);
}

static void add_elementary(work* w, const agon__kernel* kernel) {
    enum { COUNT = 1 << 15 };
    static const float edges[EDGES] = {0.0f,   -0.0f, 1.0f,   -1.0f, 1e-40f, -1e-40f, 88.7f, 88.8f,
                                       -87.3f, -104,  -1e30f, 1e30f, 1e-20f, -1e-20f, 0.5f,  20.0f};
    float* x = checked(malloc(2 * COUNT * sizeof *x));
    for (int which = 0; which < 3; which++) {
        for (int i = 0; i < COUNT; i++) {
            const float spread = i % 3 == 0 ? 100.0f : i % 3 == 1 ? 8.0f : 0.01f;
            x[i] = i < EDGES ? edges[i] : (2.0f * next_uniform(w) - 1.0f) * spread;
            if (which == 1)
                x[i] = fabsf(x[i]); /* log */
        }
        kernel->elementary(which, x, x + COUNT, COUNT);
        add(w, x + COUNT, COUNT * sizeof *x);
    }
    free(x);
}

int main(void) {
    static const char* const forms[] = {"portable", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const agon_backend* backend = agon_cpu_backend_named(forms[i]);
        if (!backend)
            continue;
        work* w = checked(calloc(1, sizeof *w));
        w->backend = backend;
        w->scratch = checked(backend->scratch_open());
        w->hash = AGON_HASH_START;
        add_grid(w);
        add_layers(w);
        add_damaged(w);
        add_elementary(w, agon__kernel_named(forms[i]));
        printf("%s %016llx\n", forms[i], (unsigned long long)w->hash);
        backend->scratch_close(w->scratch);
        free(w);
    }
    return 0;
}
