/* net.c: architectures: their text, their buffers, their first weights. */
#include "agents/net.h"
#include "games/agon_game.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_INPUTS (1 << 20) /* far above any observation; keeps every size within 64 bits */

static size_t add_tensor(agon_tensor* tensor, size_t offset, const char* name, int rows, int cols) {
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->rows = rows;
    tensor->cols = cols;
    tensor->offset = offset;
    tensor->count = (size_t)rows * (size_t)(cols ? cols : 1);
    return offset + tensor->count;
}

int agon_net_tensors(const agon_net* net, agon_tensor* tensors) {
    size_t offset = 0;
    int count = 0, width = net->inputs;
    for (int i = 0; i < net->layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "trunk.%d.weight", i);
        offset = add_tensor(&tensors[count++], offset, name, net->hidden[i], width);
        snprintf(name, sizeof name, "trunk.%d.bias", i);
        offset = add_tensor(&tensors[count++], offset, name, net->hidden[i], 0);
        width = net->hidden[i];
    }
    offset = add_tensor(&tensors[count++], offset, "policy.weight", net->actions, width);
    offset = add_tensor(&tensors[count++], offset, "policy.bias", net->actions, 0);
    offset = add_tensor(&tensors[count++], offset, "value.weight", 1, width);
    add_tensor(&tensors[count++], offset, "value.bias", 1, 0);
    return count;
}

/* Every layer: a row of weights and a bias for each output. The heads are a layer of actions + 1.
 */
size_t agon_net_size(const agon_net* net) {
    size_t size = 0, in = (size_t)net->inputs;
    for (int i = 0; i < net->layers; i++) {
        size += (in + 1) * (size_t)net->hidden[i];
        in = (size_t)net->hidden[i];
    }
    return size + (in + 1) * ((size_t)net->actions + 1);
}

int agon_net_last(const agon_net* net) {
    return net->layers ? net->hidden[net->layers - 1] : net->inputs;
}

int agon_net_format(const agon_net* net, char* out, size_t size) {
    char text[16 * (AGON_MAX_LAYERS + 3)];
    int used = snprintf(text, sizeof text, "%d", net->inputs);
    for (int i = 0; i < net->layers; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "-%d", net->hidden[i]);
    snprintf(text + used, sizeof text - (size_t)used, "-%d %s", net->actions,
             net->activation == AGON_TANH ? "tanh" : "relu");
    return snprintf(out, size, "%s", text);
}

/* Digits at *at as a number, at most 9 of them; -1 when there is none. Moves *at past it. */
static int take_number(const char** at) {
    int value = 0, digits = 0;
    while (**at >= '0' && **at <= '9') {
        if (++digits > 9)
            return -1;
        value = value * 10 + (*(*at)++ - '0');
    }
    return digits ? value : -1;
}

static int refuse(const char* text, const char* why, agon_error* error) {
    agon_fail(error, AGON_EINVALID, "architecture \"%.100s\": %s", text, why);
    return agon_hint(error, "an architecture looks like \"126-128-128-7 relu\": inputs, hidden "
                            "widths, actions, then relu or tanh");
}

/* The numbers of "126-128-128-7"; returns how many, or -1. */
static int take_widths(const char** at, int* width) {
    int count = 0;
    for (;;) {
        if (count == AGON_MAX_LAYERS + 2)
            return -1;
        if ((width[count++] = take_number(at)) < 0)
            return -1;
        if (**at != '-')
            return count;
        (*at)++;
    }
}

int agon_net_parse(const char* text, agon_net* net, agon_error* error) {
    int width[AGON_MAX_LAYERS + 2];
    const char* at = text;
    agon_net made = {0};
    const int count = take_widths(&at, width);
    if (count < 2)
        return refuse(text, "expected 2 to 10 numbers of at most 9 digits joined by '-'", error);
    if (strcmp(at, " relu") != 0 && strcmp(at, " tanh") != 0)
        return refuse(text, "expected \" relu\" or \" tanh\" after the numbers", error);
    if (width[0] < 1 || width[0] > MAX_INPUTS)
        return refuse(text, "inputs must be in 1..1048576", error);
    if (width[count - 1] < 1 || width[count - 1] > AGON_MAX_ACTIONS)
        return refuse(text, "actions must be in 1..65535", error);
    made.inputs = width[0];
    made.actions = width[count - 1];
    made.layers = count - 2;
    made.activation = at[1] == 't' ? AGON_TANH : AGON_RELU;
    for (int i = 0; i < made.layers; i++) {
        if (width[i + 1] < 1 || width[i + 1] > AGON_MAX_WIDTH)
            return refuse(text, "hidden widths must be in 1..4096", error);
        made.hidden[i] = width[i + 1];
    }
    *net = made;
    return 0;
}

/* Uniform in +-bound; tensor and element are the counter, so that no weight depends on another. */
static void fill_uniform(float* out, size_t count, float bound, agon_key key, uint32_t tensor) {
    for (size_t i = 0; i < count; i += 4) {
        const agon_draw draw = agon_random(key, tensor, (uint32_t)(i / 4), 0, 0);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = (2.0f * agon_uniform(draw.word[j]) - 1.0f) * bound;
    }
}

void agon_net_init(const agon_net* net, agon_key key, float* params) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    assert(net->inputs >= 1 && net->actions >= 1);
    for (int i = 0; i < count; i++) {
        const agon_tensor* t = &tensors[i];
        double square = net->activation == AGON_RELU ? 2.0 : 1.0; /* of the gain */
        if (strcmp(t->name, "policy.weight") == 0)
            square = 0.01 * 0.01;
        if (strcmp(t->name, "value.weight") == 0)
            square = 1.0;
        if (t->cols == 0)
            memset(params + t->offset, 0, t->count * sizeof(float));
        else
            fill_uniform(params + t->offset, t->count, (float)sqrt(square * 3.0 / t->cols), key,
                         (uint32_t)i);
    }
}
