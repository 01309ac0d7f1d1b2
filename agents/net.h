/* net.h: what a small net is: an architecture and one flat buffer of float32 parameters.
 *
 * A net is a chain of hidden layers with a policy head and a value head on its end:
 *
 *   x (inputs) -> layer * layers -> policy: linear (actions) -> logits
 *                                -> value:  linear (1)       -> value
 *
 * A layer is one of three, each a linear map and what is made of its outputs:
 *
 *   dense   y = act(W x + b), act: relu or tanh.
 *   conv    the same at every point of an image, of the channels at the size x size points around
 *           it, zeros beyond its edges. x is the observation (planes, rows, cols), or the layer
 *           before, also a convolution; the layer that follows sees (rows, cols, channels).
 *   mingru  a recurrent layer of h units (minGRU: Feng, Tung, Hassani, Bengio, Hajimirsadeghi
 *           2024): c, g = W x + b; z = 1 / (1 + exp(-g)); y = m' = m + z (c - m), where m (h) is
 *           the row's memory, zero when an episode begins. What is kept depends on the inputs, not
 *           on m, so the linear map of a whole sequence is one product.
 *
 * The buffer holds, in this order: trunk.0.weight, trunk.0.bias, ..., policy.weight (actions,
 * last), policy.bias (actions), value.weight (1, last), value.bias (1). Weights are row-major (out,
 * in): of a dense layer (h, in); of a convolution (channels, size * size * channels before), for
 * each point from the top left one by rows its channels; of a minGRU (2 h, in), c before g. A bias
 * has an entry for each row. Gradients and both Adam moments use the same layout. */
#ifndef AGON_NET_H
#define AGON_NET_H

#include "games/error.h"
#include "games/random.h"

#include <stddef.h>

#define AGON_MAX_LAYERS  8
#define AGON_MAX_WIDTH   4096
#define AGON_MAX_KERNEL  15
#define AGON_MAX_TENSORS (2 * AGON_MAX_LAYERS + 4)
#define AGON_NET_TEXT    128 /* bytes that the text of any net fits into */

typedef enum agon_activation { AGON_RELU, AGON_TANH } agon_activation;
typedef enum agon_layer_kind { AGON_DENSE, AGON_CONV, AGON_MINGRU } agon_layer_kind;

/* Fields that do not apply are 0, so that equal nets are equal bytes. */
typedef struct agon_net {
    int inputs;                            /* observation entries */
    int layers;                            /* hidden layers, 0..AGON_MAX_LAYERS */
    int hidden[AGON_MAX_LAYERS];           /* units or channels, 1..AGON_MAX_WIDTH */
    int actions;                           /* logits */
    agon_activation activation;            /* of dense layers and convolutions */
    agon_layer_kind kind[AGON_MAX_LAYERS]; /* convolutions come first */
    int kernel[AGON_MAX_LAYERS];           /* of a convolution, odd: points across */
    int planes, rows, cols; /* of the observation, where the first layer is a convolution */
} agon_net;

/* One tensor of the flat buffer. */
typedef struct agon_tensor {
    char name[32];  /* "trunk.0.weight" */
    int rows, cols; /* (rows, cols); a bias has cols = 0 and shape (rows) */
    size_t offset;  /* floats from the start of the buffer */
    size_t count;   /* floats */
} agon_tensor;

/* The tensors of a net in buffer order; returns their number (at most AGON_MAX_TENSORS). */
int agon_net_tensors(const agon_net* net, agon_tensor* tensors);

/* Floats of the flat buffer. */
size_t agon_net_size(const agon_net* net);

/* Of a layer; layer = net->layers: of the heads, which count as one linear map. */
int agon_net_entries(const agon_net* net, int layer); /* what comes into it, of a row */
int agon_net_points(const agon_net* net, int layer);  /* where it is applied: 1, or of an image */
int agon_net_fan_in(const agon_net* net, int layer);  /* inputs of its linear map, at a point */
int agon_net_fan_out(const agon_net* net, int layer); /* outputs of that */

/* Entries that the heads see: agon_net_entries(net, net->layers). */
int agon_net_last(const agon_net* net);

/* Floats that a row remembers from one decision to its next, layer by layer; 0: none. */
int agon_net_memory(const agon_net* net);

/* Multiplications and additions of the linear maps for one row. */
double agon_net_flop(const agon_net* net);

/* One more hidden layer: "128", "conv16" (3 points across), "conv16k5", "mingru64". NULL, or why
 * not, and then the net is as it was. inputs, and planes, rows and cols, are set before; the caller
 * clears these three where net->kind[0] is no convolution. */
const char* agon_net_add_layer(agon_net* net, const char* word);

/* "126-128-128-7 relu", "2x6x7-conv16-conv16k5-128-mingru64-7 relu", and back. Parsing checks every
 * bound. Format returns the length needed. */
int agon_net_format(const agon_net* net, char* out, size_t size);
int agon_net_parse(const char* text, agon_net* net, agon_error* error);

/* New weights: uniform in +-gain * sqrt(3 / inputs of the layer), biases 0. The gain is sqrt(2)
 * for relu and 1 for tanh (He et al. 2015) and for minGRU, 0.01 for the policy head (so that a new
 * policy is nearly uniform) and 1 for the value head. Gates g of a minGRU are biased from 0 for its
 * first unit evenly to -3 for its last: units begin with memories of 1 to some 20 decisions. A
 * function of key alone. params: agon_net_size. */
void agon_net_init(const agon_net* net, agon_key key, float* params);

#endif
