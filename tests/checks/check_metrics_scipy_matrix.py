#!/usr/bin/python3
"""Linear algebra, and nets inside: the functions of engine/metrics against numpy and scipy.

Guards: eigenvalues, singular values, solutions and inverses are those of LAPACK; CKA, Procrustes
distances and canonical correlations compute what their headers say. Skipped (77) where numpy and
scipy are not installed.
"""
import ctypes
import sys

try:
    import numpy as np
    from scipy.linalg import orthogonal_procrustes, subspace_angles
    from scipy.spatial import procrustes
    from scipy.spatial.distance import pdist
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from metrics_library import build, call, cases, compare, doubles, pointer, real, report

Cka = doubles("biased", "debiased")
ParameterDistance = doubles("mean", "smallest", "largest", "relative")


class Layer(ctypes.Structure):
    _fields_ = [("inputs", ctypes.c_int), ("width", ctypes.c_int), ("x", ctypes.c_void_p)]


def random_spectrum(rng, rows, cols):
    """Singular values over many decades, some of them equal, some 0."""
    k = min(rows, cols)
    values = 10.0 ** rng.uniform(-8, 0, k)
    values[rng.random(k) < 0.2] = values[0]
    values[rng.random(k) < 0.1] = 0
    u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (rows, cols))
    return u[:, :k] * values @ v[:k]


# ---- linear algebra ----


def check_eigen(lib, rng):
    n = int(rng.integers(1, 25))
    a = random_spectrum(rng, n, n) if rng.random() < 0.5 else rng.normal(size=(n, n))
    a = np.ascontiguousarray(a + a.T)
    values, vectors, work = np.empty(n), np.empty((n, n)), np.empty((n + 4, n))
    call(lib.agon_matrix_eigen, pointer(a), n, pointer(values), pointer(vectors), pointer(work))
    scale = max(np.abs(values).max(), 1e-300)
    compare("eigenvalues", values / scale, np.linalg.eigvalsh(a) / scale, 1e-13)
    compare("eigenvectors, unit", vectors @ vectors.T, np.eye(n), 1e-12)
    compare("eigenvectors, own", vectors @ a / scale, values[:, None] * vectors / scale, 1e-12)
    turn = vectors[np.arange(n), np.abs(vectors).argmax(1)]
    compare("eigenvectors, sign", min(turn.min(), 0), 0, 0)


def check_singular(lib, rng):
    rows, cols = (int(rng.integers(1, 20)) for _ in range(2))
    a = random_spectrum(rng, rows, cols) if rng.random() < 0.5 else rng.normal(size=(rows, cols))
    a, k = np.ascontiguousarray(a), min(rows, cols)
    values, u, v = np.empty(k), np.empty((k, rows)), np.empty((k, cols))
    work = np.empty((k, rows + cols))
    call(lib.agon_matrix_singular, pointer(a), rows, cols, pointer(values), pointer(u), pointer(v),
         pointer(work))
    theirs = np.linalg.svd(a, compute_uv=False)
    scale = theirs[0] if theirs[0] > 0 else 1
    compare("singular values", values / scale, theirs / scale, 1e-13)
    compare("singular vectors, sum", u.T * values @ v / scale, a / scale, 1e-12)
    known = values > 1e-12 * scale
    for side in (u[known], v[known]):
        compare("singular vectors, unit", np.sum(side**2, axis=1), 1, 1e-12)
        compare("singular vectors, apart", side @ side.T, np.eye(known.sum()), 1e-9)


def check_systems(lib, rng):
    n = int(rng.integers(1, 20))
    a, b = rng.normal(size=(n, n)), rng.normal(size=n)
    theirs, condition = np.linalg.solve(a, b), np.linalg.cond(a)
    positive = np.ascontiguousarray(a @ a.T + np.eye(n))
    inverse = np.linalg.inv(positive)
    call(lib.agon_matrix_solve, pointer(a), pointer(b), n)
    compare("solution, over condition", b / condition / np.abs(theirs).max(),
            theirs / condition / np.abs(theirs).max(), 1e-13)
    call(lib.agon_matrix_invert, pointer(positive), n)
    compare("inverse", positive, inverse, 1e-12)


# ---- nets inside ----


def random_layers(rng):
    """Two layers on the same inputs, sometimes alike up to a map; widths may differ."""
    inputs, wide, narrow = int(rng.integers(4, 30)), *rng.integers(1, 8, 2)
    x = rng.normal(size=(inputs, wide))
    y = rng.normal(size=(inputs, narrow))
    if rng.random() < 0.5:
        y = 0.1 * y + x @ rng.normal(size=(wide, narrow))
    return [np.ascontiguousarray(z + rng.normal(size=z.shape[1]), np.float32) for z in (x, y)]


def layer(x):
    return ctypes.byref(Layer(*x.shape, x.ctypes.data))


def unbiased_hsic(k, m):
    """Song et al. 2012, their closed form."""
    n = len(k)
    k, m = (z - np.diag(np.diag(z)) for z in (k, m))
    return (np.sum(k * m) + k.sum() * m.sum() / ((n - 1) * (n - 2))
            - 2 / (n - 2) * k.sum(0) @ m.sum(0)) / (n * (n - 3))


def theirs_cka(x, y):
    x, y = (z.astype(float) - z.astype(float).mean(0) for z in (x, y))
    k, m = x @ x.T, y @ y.T
    biased = np.sum((y.T @ x) ** 2) / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    own = unbiased_hsic(k, k) * unbiased_hsic(m, m)
    return biased, unbiased_hsic(k, m) / np.sqrt(own)


def check_similarity(lib, rng):
    x, y = random_layers(rng)
    out = Cka()
    call(lib.agon_similarity_cka, layer(x), layer(y), ctypes.byref(out))
    compare("cka", out.values(), theirs_cka(x, y), 1e-9)

    wide = max(x.shape[1], y.shape[1])
    a, b = (np.pad(z.astype(float), ((0, 0), (0, wide - z.shape[1]))) for z in (x, y))
    ours = real(lib.agon_similarity_procrustes, layer(x), layer(y))
    a, b = ((z - z.mean(0)) / np.linalg.norm(z - z.mean(0)) for z in (a, b))
    compare("procrustes, by the rotation", ours, 2 - 2 * orthogonal_procrustes(a, b)[1], 1e-12)
    # scipy scales the second by the sum of singular values: 1 - its square is left.
    left = procrustes(a, b)[2]
    compare("procrustes, by disparity", ours, 2 - 2 * np.sqrt(1 - left), 1e-12)

    most = min(x.shape[1], y.shape[1])
    found, count, mean = np.empty(most), ctypes.c_int(), ctypes.c_double()
    for variance in (1, 0.99, 0.8):
        call(lib.agon_similarity_cca, layer(x), layer(y), variance, pointer(found),
             ctypes.byref(count), ctypes.byref(mean))
        bases = [directions(z, variance) for z in (x, y)]
        theirs = np.sort(np.cos(subspace_angles(*bases)))[::-1]
        compare("canonical correlations", found[:count.value], theirs, 1e-9)
        compare("mean correlation", [count.value, mean.value], [len(theirs), theirs.mean()], 1e-9)


def directions(x, variance):
    """The fewest principal directions that hold that share of the variance."""
    u, s, _ = np.linalg.svd(x.astype(float) - x.astype(float).mean(0), full_matrices=False)
    held = np.cumsum(s**2) / np.sum(s**2)
    count = np.sum(s > 1e-6 * s[0])
    return u[:, :min(count, 1 + np.sum(held < variance)) if variance < 1 else count]


def check_populations(lib, rng):
    n, inputs, width = int(rng.integers(2, 6)), int(rng.integers(5, 20)), int(rng.integers(1, 6))
    all_of_them = rng.normal(size=(n, inputs, width)).astype(np.float32)
    dead = int(rng.random() < 0.3 and n > 2)
    if dead:
        all_of_them[1] = 0.5
    alive = [x for k, x in enumerate(all_of_them) if not (dead and k == 1)]
    pairs = [(x, y) for i, x in enumerate(alive) for y in alive[:i]]
    arguments = pointer(all_of_them), n, inputs, width
    out, left, value = Cka(), ctypes.c_int(), ctypes.c_double()
    call(lib.agon_similarity_mean_cka, *arguments, ctypes.byref(out), ctypes.byref(left))
    compare("mean cka", [*out.values(), left.value],
            [*np.mean([theirs_cka(x, y) for x, y in pairs], axis=0), dead], 1e-9)
    call(lib.agon_similarity_mean_procrustes, *arguments, ctypes.byref(value), ctypes.byref(left))
    disparity = np.array([procrustes(x, y)[2] for x, y in pairs])
    compare("mean procrustes", [value.value, left.value],
            [np.mean(2 - 2 * np.sqrt(1 - disparity)), dead], 1e-9)
    call(lib.agon_similarity_mean_cca, *arguments, 1, ctypes.byref(value),
         ctypes.byref(left))
    angles = [subspace_angles(directions(x, 1), directions(y, 1)) for x, y in pairs]
    compare("mean cca", [value.value, left.value], [np.mean(np.cos(angles)), dead], 1e-9)

    parameters, distance = all_of_them.reshape(n, -1), ParameterDistance()
    call(lib.agon_similarity_parameters, pointer(parameters), n, parameters.shape[1],
         ctypes.byref(distance))
    theirs = pdist(parameters.astype(float))
    size = np.sqrt(np.mean(np.sum(parameters.astype(float) ** 2, axis=1)))
    compare("parameters", distance.values(),
            [theirs.mean(), theirs.min(), theirs.max(), theirs.mean() / size], 1e-9)


def main():
    lib = build()
    for rng in cases():
        check_eigen(lib, rng)
        check_singular(lib, rng)
        check_systems(lib, rng)
        check_similarity(lib, rng)
        check_populations(lib, rng)
    report()


if __name__ == "__main__":
    main()
