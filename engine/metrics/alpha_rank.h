/* alpha_rank.h: who is around in the long run when better agents replace others by imitation
 * (Omidshafiei, Papadimitriou, Piliouras, Tuyls, Rowland, Lespiau, Czarnecki, Lanctot, Perolat,
 * Munos 2019). One population: every agent is a strategy of the same symmetric game. Games whose
 * seats have different sets of strategies need the multi-population form, which is not here.
 *
 * A population of `size` individuals all play s. One becomes r; with probability rho it takes over.
 * The chain C_sr = rho_sr / (n - 1), C_ss = the rest, has a stationary distribution: alpha-Rank. */
#ifndef AGON_ALPHA_RANK_H
#define AGON_ALPHA_RANK_H

typedef enum agon_alpha_rank_model {
    AGON_ALPHA_CONSTANT_SUM, /* u = alpha size / (size - 1) (M_rs - sum / 2); reads M_rs only */
    AGON_ALPHA_GENERAL_SUM,  /* from M_rr, M_rs, M_sr and M_ss: rho = 1 / (1 + sum_{l < size}
                                prod_{k <= l} exp(-alpha (f_r(k) - f_s(k)))), with k individuals r of
                                pay-off f_r(k) = ((k-1) M_rr + (size-k) M_rs) / (size-1) */
    AGON_ALPHA_LOCAL,        /* u = alpha (M_rs - M_sr): imitation by pairs */
    AGON_ALPHA_INFINITE      /* rho = 1 - eps, 1/2, eps for M_rs >, =, < M_sr */
} agon_alpha_rank_model;

typedef struct agon_alpha_rank_options {
    agon_alpha_rank_model model;
    double alpha; /* > 0, per unit of pay-off: how sure imitation is of who did better; not read by
                     AGON_ALPHA_INFINITE */
    int size;     /* >= 2 individuals; not read by AGON_ALPHA_INFINITE */
    double sum;   /* M_rs + M_sr of a constant-sum game */
    double eps;   /* in (0, 1/2): of AGON_ALPHA_INFINITE */
} agon_alpha_rank_options;

/* m (n, n), n >= 1, finite: pay-off of row against column; not antisymmetric but where the model
 * says so. With u, rho = (1 - exp(-u)) / (1 - exp(-size u)). p: out (n), a distribution.
 * transition: out (n, n), C, rows add up to 1; may be NULL.
 *
 * A ranking of a dynamic, not a solution of the game: where a Nash equilibrium exists it may rank
 * others first, copies of an agent take mass from nobody in particular and so change it, and it
 * moves with alpha, size and the scale of pay-offs: large alpha is the sink of who beats whom,
 * small alpha is uniform. At infinite alpha the order of two agents rests on a sign, however small:
 * noise.
 *
 * Numerics: rho and the chain are kept as logarithms, so no alpha is too large; the stationary
 * distribution comes by elimination without subtraction (Grassmann, Taksar, Heyman 1985). O(n^3),
 * and O(n^2 size) in general sum: 0.1 s at n = 200, size 50. Returns 0, AGON_EINVALID,
 * AGON_EMEMORY. */
int agon_alpha_rank(const double* m, int n, const agon_alpha_rank_options* options, double* p,
                    double* transition);

#endif
