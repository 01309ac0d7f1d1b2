/* net.c: architectures: their text, their buffers, their first weights. */
#include "agents/net.h"
#include "games/agon_game.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_INPUTS (1 << 20) /* far above any observation; keeps every size within 64 bits */
#define BIAS_LAST  -3.0f     /* of the gate of a minGRU's last unit */

/* ---- shape -------------------------------------------------------------------------------- */

static int is_conv(const agon_net* net, int layer) {
    return layer < net->layers && net->kind[layer] == AGON_CONV;
}

int agon_net_points(const agon_net* net, int layer) {
    return is_conv(net, layer) ? net->rows * net->cols : 1;
}

int agon_net_entries(const agon_net* net, int layer) {
    return layer == 0 ? net->inputs : net->hidden[layer - 1] * agon_net_points(net, layer - 1);
}

int agon_net_fan_in(const agon_net* net, int layer) {
    const int entries = agon_net_entries(net, layer);
    if (!is_conv(net, layer))
        return entries;
    return net->kernel[layer] * net->kernel[layer] * (entries / (net->rows * net->cols));
}

int agon_net_fan_out(const agon_net* net, int layer) {
    if (layer == net->layers)
        return net->actions + 1;
    return net->kind[layer] == AGON_MINGRU ? 2 * net->hidden[layer] : net->hidden[layer];
}

int agon_net_last(const agon_net* net) {
    return agon_net_entries(net, net->layers);
}

int agon_net_memory(const agon_net* net) {
    int floats = 0;
    for (int i = 0; i < net->layers; i++)
        floats += net->kind[i] == AGON_MINGRU ? net->hidden[i] : 0;
    return floats;
}

double agon_net_flop(const agon_net* net) {
    double flop = 0;
    for (int i = 0; i <= net->layers; i++)
        flop += 2.0 * agon_net_points(net, i) * agon_net_fan_in(net, i) * agon_net_fan_out(net, i);
    return flop;
}

static size_t add_tensor(agon_tensor* tensor, size_t offset, const char* name, int rows, int cols) {
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->rows = rows;
    tensor->cols = cols;
    tensor->offset = offset;
    tensor->count = (size_t)rows * (size_t)(cols ? cols : 1);
    return offset + tensor->count;
}

int agon_net_tensors(const agon_net* net, agon_tensor* tensors) {
    const int last = agon_net_last(net);
    size_t offset = 0;
    int count = 0;
    for (int i = 0; i < net->layers; i++) {
        const int rows = agon_net_fan_out(net, i);
        char name[32];
        snprintf(name, sizeof name, "trunk.%d.weight", i);
        offset = add_tensor(&tensors[count++], offset, name, rows, agon_net_fan_in(net, i));
        snprintf(name, sizeof name, "trunk.%d.bias", i);
        offset = add_tensor(&tensors[count++], offset, name, rows, 0);
    }
    offset = add_tensor(&tensors[count++], offset, "policy.weight", net->actions, last);
    offset = add_tensor(&tensors[count++], offset, "policy.bias", net->actions, 0);
    offset = add_tensor(&tensors[count++], offset, "value.weight", 1, last);
    add_tensor(&tensors[count++], offset, "value.bias", 1, 0);
    return count;
}

size_t agon_net_size(const agon_net* net) {
    size_t size = 0;
    for (int i = 0; i <= net->layers; i++)
        size += ((size_t)agon_net_fan_in(net, i) + 1) * (size_t)agon_net_fan_out(net, i);
    return size;
}

/* ---- text --------------------------------------------------------------------------------- */

static int format_layer(const agon_net* net, int layer, char* out, size_t size) {
    const int width = net->hidden[layer], kernel = net->kernel[layer];
    if (net->kind[layer] == AGON_DENSE)
        return snprintf(out, size, "-%d", width);
    if (net->kind[layer] == AGON_MINGRU)
        return snprintf(out, size, "-mingru%d", width);
    return kernel == 3 ? snprintf(out, size, "-conv%d", width)
                       : snprintf(out, size, "-conv%dk%d", width, kernel);
}

int agon_net_format(const agon_net* net, char* out, size_t size) {
    char text[AGON_NET_TEXT];
    int used = is_conv(net, 0)
                   ? snprintf(text, sizeof text, "%dx%dx%d", net->planes, net->rows, net->cols)
                   : snprintf(text, sizeof text, "%d", net->inputs);
    for (int i = 0; i < net->layers; i++)
        used += format_layer(net, i, text + used, sizeof text - (size_t)used);
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

static int take_word(const char** at, const char* word) {
    const size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return 0;
    *at += length;
    return 1;
}

/* Whether the new last layer can stand where it does. */
static const char* refuse_place(const agon_net* net, int layer) {
    if (net->hidden[layer] < 1 || net->hidden[layer] > AGON_MAX_WIDTH)
        return "widths of hidden layers must be in 1..4096";
    if (net->kind[layer] != AGON_CONV)
        return NULL;
    if (net->kernel[layer] < 1 || net->kernel[layer] > AGON_MAX_KERNEL ||
        net->kernel[layer] % 2 == 0)
        return "a convolution must be an odd number of points across, 1..15";
    if (layer > 0 && net->kind[layer - 1] != AGON_CONV)
        return "convolutions must come before other layers";
    if (net->planes < 1 || net->rows < 1 || net->cols < 1)
        return "a convolution needs inputs of PLANESxROWSxCOLS";
    if ((long long)net->hidden[layer] * net->rows * net->cols > MAX_INPUTS)
        return "a convolution must have at most 1048576 outputs";
    if (agon_net_fan_in(net, layer) > MAX_INPUTS)
        return "a convolution must see at most 1048576 entries at a point";
    return NULL;
}

const char* agon_net_add_layer(agon_net* net, const char* word) {
    agon_net more = *net;
    const char* at = word;
    const int i = net->layers;
    if (i == AGON_MAX_LAYERS)
        return "there must be at most 8 hidden layers";
    more.kind[i] = take_word(&at, "conv")     ? AGON_CONV
                   : take_word(&at, "mingru") ? AGON_MINGRU
                                              : AGON_DENSE;
    more.hidden[i] = take_number(&at);
    if (more.kind[i] == AGON_CONV)
        more.kernel[i] = take_word(&at, "k") ? take_number(&at) : 3;
    if (at == word || *at)
        return "a hidden layer must be WIDTH, convCHANNELS, convCHANNELSkSIZE or mingruWIDTH";
    more.layers++;
    const char* why = refuse_place(&more, i);
    if (!why)
        *net = more;
    return why;
}

/* The text may come from anywhere: only what can be printed is. */
static int refuse(const char* text, const char* why, agon_error* error) {
    char shown[101];
    int used = 0;
    for (; used < 100 && text[used]; used++)
        shown[used] = text[used];
    for (int i = 0; i < used; i++)
        if (shown[i] < ' ' || shown[i] > '~')
            shown[i] = '?';
    shown[used] = '\0';
    agon_fail(error, AGON_EINVALID, "architecture \"%s\": %s", shown, why);
    return agon_hint(error, "an architecture looks like \"126-128-128-7 relu\" or "
                            "\"2x6x7-conv16-128-mingru64-7 relu\": inputs, hidden layers, actions, "
                            "then relu or tanh");
}

/* "126", or "2x6x7" before a convolution. */
static const char* take_inputs(const char** at, agon_net* net) {
    net->inputs = take_number(at);
    if (**at == 'x') {
        net->planes = net->inputs;
        (*at)++;
        net->rows = take_number(at);
        if (!take_word(at, "x"))
            return "expected inputs as a number, or as PLANESxROWSxCOLS";
        net->cols = take_number(at);
        const int least = net->rows < net->cols ? net->rows : net->cols;
        if (net->planes < 1 || least < 1 || net->planes > MAX_INPUTS ||
            (long long)net->rows * net->cols > MAX_INPUTS / net->planes)
            return "planes, rows and columns must be at least 1, and 1048576 inputs at most";
        net->inputs = net->planes * net->rows * net->cols;
    }
    if (net->inputs < 1 || net->inputs > MAX_INPUTS)
        return "inputs must be in 1..1048576";
    return **at == '-' ? NULL : "expected '-' and a layer, or actions, after the inputs";
}

/* Hidden layers and, last, actions. */
static const char* take_layers(const char** at, agon_net* net) {
    while (**at == '-') {
        char word[32];
        const size_t length = strcspn(++*at, "- ");
        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), *at);
        if ((*at)[length] != '-') {
            const char* end = word;
            *at += length;
            net->actions = take_number(&end);
            return *end || net->actions < 1 || net->actions > AGON_MAX_ACTIONS
                       ? "actions must be in 1..65535"
                       : NULL;
        }
        const char* why = agon_net_add_layer(net, word);
        if (why)
            return why;
        *at += length;
    }
    return "actions must follow the layers";
}

int agon_net_parse(const char* text, agon_net* net, agon_error* error) {
    agon_net made = {0};
    const char *at = text, *why = take_inputs(&at, &made);
    if (!why)
        why = take_layers(&at, &made);
    if (!why && strcmp(at, " relu") != 0 && strcmp(at, " tanh") != 0)
        why = "expected \" relu\" or \" tanh\" after the numbers";
    if (!why && made.planes && !is_conv(&made, 0))
        why = "inputs must be one number where the first layer is no convolution";
    if (why)
        return refuse(text, why, error);
    made.activation = at[1] == 't' ? AGON_TANH : AGON_RELU;
    *net = made;
    return 0;
}

/* ---- first weights ------------------------------------------------------------------------ */

/* Uniform in +-bound; tensor and element are the counter, so that no weight depends on another. */
static void fill_uniform(float* out, size_t count, float bound, agon_key key, uint32_t tensor) {
    for (size_t i = 0; i < count; i += 4) {
        const agon_draw draw = agon_random(key, tensor, (uint32_t)(i / 4), 0, 0);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            out[i + j] = (2.0f * agon_uniform(draw.word[j]) - 1.0f) * bound;
    }
}

/* The gain, squared, of the weights of tensor i. */
static double gain_of(const agon_net* net, const agon_tensor* t, int i) {
    if (strcmp(t->name, "policy.weight") == 0)
        return 0.01 * 0.01;
    if (strcmp(t->name, "value.weight") == 0 || net->kind[i / 2] == AGON_MINGRU)
        return 1.0;
    return net->activation == AGON_RELU ? 2.0 : 1.0;
}

static void bias_gates(float* gate, int units) {
    for (int j = 0; j < units; j++)
        gate[j] = units > 1 ? BIAS_LAST * (float)j / (float)(units - 1) : 0.0f;
}

void agon_net_init(const agon_net* net, agon_key key, float* params) {
    agon_tensor tensors[AGON_MAX_TENSORS];
    const int count = agon_net_tensors(net, tensors);
    assert(net->inputs >= 1 && net->actions >= 1);
    for (int i = 0; i < count; i++) {
        const agon_tensor* t = &tensors[i];
        if (t->cols)
            fill_uniform(params + t->offset, t->count,
                         (float)sqrt(gain_of(net, t, i) * 3.0 / t->cols), key, (uint32_t)i);
        else
            memset(params + t->offset, 0, t->count * sizeof(float));
        if (i % 2 == 1 && i / 2 < net->layers && net->kind[i / 2] == AGON_MINGRU)
            bias_gates(params + t->offset + net->hidden[i / 2], net->hidden[i / 2]);
    }
}
