"""engine/metrics as a shared object for ctypes, and how its numbers are compared with those of others."""
import ctypes
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np

SOURCE = os.environ.get("SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
FILES = ["agents/real.c", "games/random.c", "games/error.c"]
FLAGS = ["-std=gnu11", "-O2", "-shared", "-fPIC", "-ffp-contract=off", "-fno-math-errno",
         "-D_GNU_SOURCE"]
worst = {}


class Behaviour(ctypes.Structure):
    _fields_ = [("agents", ctypes.c_int), ("states", ctypes.c_int), ("actions", ctypes.c_int),
                ("probability", ctypes.c_void_p), ("weight", ctypes.c_void_p)]


class Key(ctypes.Structure):
    _fields_ = [("word", ctypes.c_uint32 * 2)]


def build(*returning_double):
    """The functions under test as a shared object of its own, in a directory that goes away."""
    files = [os.path.join(SOURCE, file) for file in FILES]
    files += sorted(glob.glob(os.path.join(SOURCE, "engine/metrics/*.c")))
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "metrics.so")
        command = [os.environ.get("CC", "cc"), *FLAGS, "-I", SOURCE, "-o", target]
        subprocess.run(command + files + ["-lsleef", "-lm"], check=True)
        library = ctypes.CDLL(target)
    for name in returning_double:
        getattr(library, name).restype = ctypes.c_double
    return library


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def call(function, *arguments):
    code = function(*arguments)
    if code != 0:
        sys.exit(f"{function.__name__}: code {code}")


def real(function, *arguments):
    out = ctypes.c_double()
    call(function, *arguments, ctypes.byref(out))
    return out.value


def compare(what, ours, theirs, tolerance):
    error = float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))
    worst[what] = max(worst.get(what, 0.0), error)
    if not error <= tolerance:
        sys.exit(f"failed: {what}: {ours}, expected {theirs}")


def report():
    for what, error in worst.items():
        print(f"{what:28s} largest difference {error:.1e}")
