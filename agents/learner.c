/* learner.c: memory of learners and rectangles. */
#include "agents/learner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static void* zeroed(size_t bytes) {
    void* block = aligned_alloc(64, round_up(bytes ? bytes : 1));
    if (block)
        memset(block, 0, round_up(bytes ? bytes : 1));
    return block;
}

agon_learner* agon_learner_open(const agon_net* net, const agon_backend* backend) {
    const size_t floats = round_up(agon_net_size(net) * sizeof(float)) / sizeof(float);
    agon_learner* learner = calloc(1, sizeof *learner);
    if (!learner)
        return NULL;
    learner->net = *net;
    learner->params = zeroed(4 * floats * sizeof(float));
    learner->packed = zeroed(backend->packed_size(net));
    if (!learner->params || !learner->packed) {
        agon_learner_close(learner);
        return NULL;
    }
    learner->moment1 = learner->params + floats;
    learner->moment2 = learner->moment1 + floats;
    learner->grads = learner->moment2 + floats;
    learner->beta1_power = 1.0;
    learner->beta2_power = 1.0;
    backend->pack(net, learner->params, learner->packed);
    return learner;
}

void agon_learner_close(agon_learner* learner) {
    if (!learner)
        return;
    free(learner->params);
    free(learner->packed);
    free(learner);
}

/* The next array of a block, or its size alone while base is NULL. */
static void* take(char* base, size_t* used, size_t count, size_t size) {
    void* at = base ? base + *used : NULL;
    *used += round_up(count * size);
    return at;
}

/* The same walk sizes the block (base NULL) and cuts it. */
static size_t lay_out(agon_rectangle* r, char* base) {
    const size_t entries = (size_t)r->rows * (size_t)r->horizon;
    size_t used = 0;
    const size_t places = (size_t)r->places;
    r->place = take(base, &used, entries, sizeof *r->place);
    r->obs = take(base, &used, places, r->obs_bytes);
    r->mask = take(base, &used, places * (size_t)r->mask_words, sizeof *r->mask);
    r->action = take(base, &used, entries, sizeof *r->action);
    r->log_probability = take(base, &used, entries, sizeof *r->log_probability);
    r->value = take(base, &used, entries, sizeof *r->value);
    r->reward = take(base, &used, entries, sizeof *r->reward);
    r->last = take(base, &used, entries, sizeof *r->last);
    r->bootstrap = take(base, &used, (size_t)r->rows, sizeof *r->bootstrap);
    r->advantage = take(base, &used, entries, sizeof *r->advantage);
    r->target = take(base, &used, entries, sizeof *r->target);
    r->memory = take(base, &used, (size_t)r->rows * (size_t)r->remembered, sizeof *r->memory);
    return used;
}

size_t agon_rectangle_size(const agon_rectangle* rectangle) {
    agon_rectangle shape = *rectangle;
    return round_up(sizeof shape) + lay_out(&shape, NULL);
}

agon_rectangle* agon_rectangle_open(int rows, int horizon, agon_input input, size_t obs_bytes,
                                    int mask_words, int spare, int remembered) {
    assert(rows > 0 && horizon > 0 && mask_words > 0);
    agon_rectangle shape = {.rows = rows,
                            .horizon = horizon,
                            .input = input,
                            .obs_bytes = obs_bytes,
                            .mask_words = mask_words,
                            .places = rows * horizon + spare,
                            .remembered = remembered};
    char* block = zeroed(agon_rectangle_size(&shape));
    if (!block)
        return NULL;
    lay_out(&shape, block + round_up(sizeof shape));
    memcpy(block, &shape, sizeof shape);
    for (int i = 0; i < rows * horizon; i++)
        shape.place[i] = (uint32_t)i;
    return (agon_rectangle*)block;
}

void agon_rectangle_close(agon_rectangle* rectangle) {
    free(rectangle);
}
