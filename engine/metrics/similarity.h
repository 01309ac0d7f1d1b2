/* similarity.h: how alike nets are inside. Plain functions on plain arrays; for description only.
 *
 * Input: activations of one layer of several nets on the same inputs (probe states), and their
 * parameters.
 *
 * What these numbers do not tell:
 *  - What an agent does. Nets that are alike inside can act differently (a small direction decides,
 *    and all of these are led by the large ones: Ding, Denain and Steinhardt 2021), and nets that
 *    act alike can be built differently inside. No substitute for diversity.h.
 *  - They depend on the inputs. A layer compares only with the same layer.
 *  - With few inputs per unit everything looks alike: biased CKA and CCA rise with width / inputs;
 *    with inputs - 1 < width_x + width_y some canonical correlations are 1 whatever the nets.
 * Random activations, inputs = 2 * width, have CKA near 1/3 and debiased CKA near 0.
 *
 * A layer whose activations never change (dead) resembles nothing: 0/0. Such a pair is NaN; means
 * leave dead agents out and say how many.
 *
 * Every function returns 0, AGON_EMEMORY, or AGON_EINVALID when an activation or a parameter is not
 * finite; then its output is untouched. Results are functions of the input alone: sums run in a
 * fixed order. */
#ifndef AGON_SIMILARITY_H
#define AGON_SIMILARITY_H

/* Borrowed array; inputs, width >= 1. */
typedef struct agon_layer {
    int inputs, width;
    const float* x; /* (inputs, width) */
} agon_layer;

/* Linear centred kernel alignment (Kornblith, Norouzi, Lee, Hinton 2019), columns centred:
 * |Y'X|^2 / (|X'X| |Y'Y|), in [0, 1]: 1 when the layers are equal up to rotation, one common scale
 * and shift. Not invariant to other linear maps. debiased: the same of the unbiased HSIC (Song,
 * Smola, Gretton, Bedo, Borgwardt 2012; Nguyen, Raghu, Kornblith 2021), whose expectation is 0 for
 * unrelated layers; at most 1, may be negative; NaN for fewer than 4 inputs. x and y: the same
 * inputs. O(inputs^2 width). */
typedef struct agon_cka {
    double biased, debiased;
} agon_cka;
int agon_similarity_cka(const agon_layer* x, const agon_layer* y, agon_cka* out);

/* Orthogonal Procrustes distance 2 - 2 |X'Y|_*, columns centred and each layer scaled to norm 1, in
 * [0, 2]: 0 when the layers are equal up to rotation, one common scale and shift. | |_*: the sum of
 * the singular values. O(width^2 (inputs + width)). Schoenemann 1966; Ding et al. 2021. */
int agon_similarity_procrustes(const agon_layer* x, const agon_layer* y, double* out);

/* Canonical correlations of the parts of the layers that hold `variance` of each one's variance, in
 * (0, 1]: 1 is CCA (Hotelling 1936), unchanged by every invertible linear map, .99 is SVCCA (Raghu,
 * Gilmer, Yosinski, Sohl-Dickstein 2017): the fewest principal directions that hold 99 % together.
 * Directions below 1e-6 of the largest are rounding of float and left out. correlation: out
 * (min(width_x, width_y)), descending, each in [0, 1], NaN beyond *count; may be NULL. *mean: of
 * the count; NaN and count 0 when a layer is dead. O(inputs width^2) times about 30. */
int agon_similarity_cca(const agon_layer* x, const agon_layer* y, double variance,
                        double* correlation, int* count, double* mean);

/* ---- populations: n >= 1 layers of one shape, activation (n, inputs, width) ---- */

/* Means over all pairs of different agents that are not dead; NaN for fewer than two. dead: agents
 * left out. CKA takes O(n inputs^2 width), linear in n (the mean over pairs is that of the squared
 * sum of normalised Gram matrices); the others O(n^2) times the cost of a pair. */
int agon_similarity_mean_cka(const float* activation, int n, int inputs, int width, agon_cka* out,
                             int* dead);
int agon_similarity_mean_procrustes(const float* activation, int n, int inputs, int width,
                                    double* out, int* dead);
int agon_similarity_mean_cca(const float* activation, int n, int inputs, int width, double variance,
                             double* out, int* dead);

/* Euclidean distances of parameters (n, parameters); all NaN for n = 1. Misleads: swapping hidden
 * units, or scaling one up and the next layer down, moves a net far and changes nothing it does;
 * and relatives stay close in parameters while they come to act differently. Of use as a trace of
 * descent only. O(n^2 parameters). */
typedef struct agon_parameter_distance {
    double mean, smallest, largest; /* over pairs of different agents */
    double relative; /* mean over the root mean square norm of the nets: 0 equal, about 1.41 for
                        unrelated ones; NaN when all parameters are 0 */
} agon_parameter_distance;
int agon_similarity_parameters(const float* parameter, int n, int parameters,
                               agon_parameter_distance* out);

/* ---- inside similarity*.c ---- */

/* Columns centred: out (inputs, width). Returns the Frobenius norm of out; 0, with out all 0, for a
 * dead layer (variance below 1e-20 of the mean square: rounding); NaN when not finite. */
double agon__similarity_centre(const agon_layer* layer, double* out);

#endif
