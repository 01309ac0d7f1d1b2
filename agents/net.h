/* net.h: what a small net is: an architecture and one flat buffer of float32 parameters.
 *
 * A net is a multi-layer perceptron with a policy head and a value head on a shared trunk:
 *
 *   x (inputs) -> [linear -> activation] * layers -> policy: linear (actions) -> logits
 *                                                 -> value:  linear (1)       -> value
 *
 * The buffer holds, in this order: trunk.0.weight (hidden0, inputs), trunk.0.bias (hidden0), ...,
 * policy.weight (actions, last), policy.bias (actions), value.weight (1, last), value.bias (1).
 * Gradients and both Adam moments use the same layout. Weights are row-major (out, in). */
#ifndef AGON_NET_H
#define AGON_NET_H

#include "games/error.h"
#include "games/random.h"

#include <stddef.h>

#define AGON_MAX_LAYERS  8
#define AGON_MAX_WIDTH   4096
#define AGON_MAX_TENSORS (2 * AGON_MAX_LAYERS + 4)

typedef enum agon_activation { AGON_RELU, AGON_TANH } agon_activation;

typedef struct agon_net {
    int inputs;                  /* observation entries */
    int layers;                  /* hidden layers, 0..AGON_MAX_LAYERS */
    int hidden[AGON_MAX_LAYERS]; /* widths, 1..AGON_MAX_WIDTH */
    int actions;                 /* logits */
    agon_activation activation;
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

/* Width of the trunk's output: the last hidden width, or inputs when there are no layers. */
int agon_net_last(const agon_net* net);

/* "126-128-128-7 relu", and back. Parsing checks every bound. Format returns the length needed. */
int agon_net_format(const agon_net* net, char* out, size_t size);
int agon_net_parse(const char* text, agon_net* net, agon_error* error);

/* New weights: uniform in +-gain * sqrt(3 / inputs of the layer), biases 0. The gain is sqrt(2)
 * for relu and 1 for tanh (He et al. 2015), 0.01 for the policy head (so that a new policy is
 * nearly uniform) and 1 for the value head. A function of key alone. params: agon_net_size. */
void agon_net_init(const agon_net* net, agon_key key, float* params);

#endif
