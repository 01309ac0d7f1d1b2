/* layout.h: how nets, learners and rectangles lie in the memory of a GPU. Shared by kernels and the
 * C that launches them; pointers are of the device. Internal to cuda/. */
#ifndef AGON_CUDA_LAYOUT_H
#define AGON_CUDA_LAYOUT_H

#include "cuda/fold.h"

enum { AGON__GPU_LINEARS = 9 }; /* AGON_MAX_LAYERS + 1 */

/* The linear map of one layer. The last one is both heads: the rows of policy.weight, then
 * value.weight. What comes into a layer is kept as (rows, points of the layer before, its channels,
 * padded); a layer whose inputs fold (`folds`) has them unfolded into (rows, points, in) first. */
typedef struct agon__gpu_linear {
    int kind;        /* agon_layer_kind: what is made of its outputs; of the heads AGON_DENSE */
    int points;      /* where it is applied: 1, or of an image */
    int memory;      /* of a minGRU: floats from a row's memory to this layer's part */
    int folds;       /* 1: a convolution, or the first layer after one */
    agon__fold fold; /* of observations, or of rows of this many channels; steps that of a padded
                        row are the caller's to put in */
    int in, out;     /* true widths, at a point; the last: out = actions + 1, a minGRU: twice its
                        units */
    int stride;      /* elements from one output's weights to the next: `in`, padded with zeros to a
                        multiple of AGON__TILE_K, and 16 bytes, so that rows fall on other banks */
    int rows;        /* outputs, padded with zeros to a multiple of AGON__TILE_N */
    uint64_t weight; /* bytes from the start of a packed net: (rows, stride) elements */
    uint64_t bias;   /* bytes from there: (rows) floats. Both are multiples of 16 */
    uint64_t from_weight, from_bias; /* floats from the start of the parameters: (out, in), (out) */
} agon__gpu_linear;

typedef struct agon__gpu_net {
    int mode;   /* agon__mode: of its elements */
    int relu;   /* 1: relu, 0: tanh after each hidden layer */
    int layers; /* linear layers: hidden + 1 */
    int inputs, actions;
    int memory; /* floats that a row remembers */
    agon__gpu_linear linear[AGON__GPU_LINEARS];
    uint64_t from_value_weight, from_value_bias; /* the last row of the last layer lies apart */
    uint64_t params;                             /* floats of the parameters */
    uint64_t bytes;                              /* of a packed net, a multiple of 128 */
} agon__gpu_net;

/* Learners side by side: parameters as in agents/net.h, float32. Learner m: from m * stride on. */
typedef struct agon__gpu_learners {
    agon__gpu_net net;
    int count;
    uint64_t stride; /* floats: `params` of the net, padded to a multiple of 32 */
    float *params, *moment1, *moment2, *grads;
    char* packed; /* (count, net.bytes): follows params */
} agon__gpu_learners;

/* Rectangles (agon_rectangle in agents/backend.h) side by side. With entries = rows * horizon,
 * entry (r, t) of member m is at m * entries + r * horizon + t. */
typedef struct agon__gpu_rectangles {
    int members, rows, horizon;
    int obs_type; /* agon_dtype */
    float scale;
    uint64_t obs_bytes; /* of one observation */
    int mask_words;
    uint32_t* place;  /* (members * entries) where its sight lies; NULL: at the entry */
    void* obs;        /* (places, obs_bytes) */
    uint64_t* mask;   /* (places, mask_words) */
    uint16_t* action; /* (members * entries), and so on as in agon_rectangle */
    float* log_probability;
    float* value;
    float* reward;
    uint8_t* last;
    float* bootstrap; /* (members * rows) */
    float* advantage;
    float* target;
    int remembered; /* floats that a row remembers: of the net; 0: none */
    float* memory;  /* (members * rows, remembered) before a row's first decision */
} agon__gpu_rectangles;

#ifndef __CUDACC__
struct agon_net;
/* The layout of a net in a mode. */
agon__gpu_net agon__gpu_net_of(const struct agon_net* net, int mode);
/* params -> packed (net.bytes) in host memory: what the kernel `pack` does on the device. */
void agon__gpu_pack(const agon__gpu_net* net, const float* params, void* packed);
#endif

#endif
