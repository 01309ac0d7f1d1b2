"""engine/metrics as a shared object for ctypes, and how its numbers are compared with others."""
import ctypes
import glob
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

SOURCE = os.environ.get("SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
FILES = ["agents/real.c", "games/random.c", "games/error.c"]
FLAGS = ["-std=gnu11", "-O1", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno",
         "-D_GNU_SOURCE"] + ["-march=x86-64-v3"] * (os.uname().machine == "x86_64")
CASES = int(os.environ.get("AGON_CASES", 100))  # of every comparison, at least
AGREEMENT = {}  # what: [comparisons, largest difference, largest tolerance]
current = {"case": -1}


class Behaviour(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int), ("states", ctypes.c_int), ("actions", ctypes.c_int),
                ("probability", ctypes.c_void_p), ("weight", ctypes.c_void_p)]


class Key(ctypes.Structure):
    _fields_ = [("word", ctypes.c_uint32 * 2)]


def key(first, second):
    return Key((ctypes.c_uint32 * 2)(first, second))


def doubles(*names):
    """A struct of doubles of those names, with values() of all of them."""
    class Doubles(ctypes.Structure):
        _fields_ = [(name, ctypes.c_double) for name in names]

        def values(self):
            return [getattr(self, name) for name in names]

    return Doubles


def compile_library(target):
    files = [os.path.join(SOURCE, file) for file in FILES]
    files += sorted(glob.glob(os.path.join(SOURCE, "engine/metrics/*.c")))
    command = [os.environ.get("CC", "cc"), *FLAGS, "-I", SOURCE, "-o", target]
    subprocess.run(command + files + ["-lsleef", "-lm"], check=True)


def parameter(text):
    """The type of a parameter as ctypes has it; enumerations are int."""
    if "*" in text:
        return ctypes.c_void_p
    known = {"double": ctypes.c_double, "uint64_t": ctypes.c_uint64, "agon_key": Key}
    return known.get(text.split()[-2], ctypes.c_int)


def declare(library):
    """Prototypes of the headers: without them a call with too few arguments would read garbage."""
    for header in glob.glob(os.path.join(SOURCE, "engine/metrics/*.h")):
        with open(header) as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        for kind, name, parameters in re.findall(r"^(\w+) (agon_\w+)\(([^()]*)\);", text, re.M):
            function = getattr(library, name)
            function.argtypes = [parameter(text) for text in parameters.split(",")]
            function.restype = {"double": ctypes.c_double, "void": None}.get(kind, ctypes.c_int)


def build():
    """The functions under test as a shared object of its own, in a directory that goes away.

    Structs that are returned by value have to be told: library.function.restype."""
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "metrics.so")
        compile_library(target)
        library = ctypes.CDLL(target)
    declare(library)
    return library


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def call(function, *arguments):
    code = function(*arguments)
    if code != 0:
        sys.exit(f"failed: {function.__name__} in case {current['case']}: code {code}")


def real(function, *arguments):
    out = ctypes.c_double()
    call(function, *arguments, ctypes.byref(out))
    return out.value


def cases(count=CASES):
    """Generators of random numbers, one for each case."""
    for case in range(count):
        current["case"] = case
        yield np.random.default_rng(case)


def compare(what, ours, theirs, tolerance):
    """NaN must meet NaN, and infinity infinity."""
    ours, theirs = np.broadcast_arrays(np.asarray(ours, float), np.asarray(theirs, float))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        error = float(np.max(np.where(same, 0, np.abs(ours - theirs)), initial=0))
    seen = AGREEMENT.setdefault(what, [0, 0.0, 0.0])
    seen[:] = seen[0] + 1, max(seen[1], error), max(seen[2], tolerance)
    if not error <= tolerance:
        sys.exit(f"failed: {what} in case {current['case']}: {ours}, expected {theirs}")


def report():
    """What was compared; fails where that was done in fewer than 100 cases."""
    for what, (count, error, tolerance) in AGREEMENT.items():
        print(f"{what:28s} {count:6d} times, largest difference {error:.1e}, "
              f"allowed {tolerance:.0e}")
    rare = [what for what, (count, *_) in AGREEMENT.items() if count < CASES]
    if rare:
        sys.exit(f"failed: fewer than {CASES} comparisons of: {', '.join(rare)}")
    print(f"passed: {len(AGREEMENT)} numbers, {CASES} random cases or more each")


def random_behaviour(rng, most_agents=12):
    """Policies from nearly uniform to nearly greedy, some actions illegal, some agents equal.

    Rows are whole multiples of 2^-22 that add up to exactly 1, so that it does not matter who
    scales rows to do so.
    """
    agents, states, actions = (int(rng.integers(2, high)) for high in (most_agents, 9, 8))
    logits = rng.normal(size=(agents, states, actions)) * rng.choice([0.3, 2, 8])
    illegal = rng.random((states, actions)) < 0.3
    illegal[np.arange(states), rng.integers(0, actions, states)] = False
    p = np.where(illegal, 0, np.exp(logits - logits.max(axis=2, keepdims=True)) + 1e-9)
    p = np.floor(p / p.sum(axis=2, keepdims=True) * 2**22)
    most = p.argmax(axis=2)[..., None]
    rest = 2**22 - p.sum(axis=2, keepdims=True)
    np.put_along_axis(p, most, np.take_along_axis(p, most, 2) + rest, 2)
    p = (p / 2**22).astype(np.float32)
    p[-1] = p[0] if rng.random() < 0.5 else p[-1]
    return np.ascontiguousarray(p), rng.dirichlet(np.ones(states))


def behaviour(p, weight):
    """p and weight must live as long as what is returned."""
    return ctypes.byref(Behaviour(*p.shape, p.ctypes.data, weight.ctypes.data))
