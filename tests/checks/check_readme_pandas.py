#!/usr/bin/python3
"""Promise: the Python of README.md runs as it stands on the run that tools/quickstart makes; here on a
tiny one in the same place."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import pandas  # noqa: F401
except ImportError:
    print("skipped: pandas is missing (tools/setup --tests installs it)")
    sys.exit(77)

SETTINGS = """population.size=3 train.generations=2 train.rollouts=2 train.lanes=8 train.horizon=8
    metrics.every=1 metrics.games=8 metrics.anchor_games=8 metrics.final_games=8 metrics.probes=32
    metrics.bootstrap=10""".split()


def main():
    readme = (pathlib.Path(os.environ["SOURCE"]) / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.M | re.S)
    if len(blocks) != 1:
        print(f"README.md has {len(blocks)} blocks of Python; expected 1")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "runs" / "quickstart"
        command = [os.environ["AGON"], "train", "matrix", f"run.dir={run}", "--quiet", *SETTINGS]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # Old releases of pandas warn about missing optional packages; only errors count.
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", blocks[0]], cwd=folder, text=True,
                              stdout=subprocess.PIPE)
    print(done.stdout)
    return 0 if done.returncode == 0 and done.stdout.strip() else 1


sys.exit(main())
