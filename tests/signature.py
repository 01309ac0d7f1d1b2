#!/usr/bin/env python3
"""Prints the signature of runs: one SHA-256 over everything that is promised to be a function of config
and seed: metrics.jsonl, the result rows of run.db in key order, and the snapshot blobs that they name (the
contents are checked against the names). Usage: signature.py RUN..."""
import hashlib
import os
import sqlite3
import sys


def rows(database, table):
    columns = [c[1] for c in database.execute(f'pragma table_info("{table}")')]
    order = ", ".join(f'"{c}"' for c in columns if c in ("key", "seat"))
    for row in database.execute(f'select * from "{table}" order by {order}'):
        yield repr(row).encode()


def signature(runs):
    digest = hashlib.sha256()
    for run in runs:
        with open(os.path.join(run, "metrics.jsonl"), "rb") as f:
            digest.update(f.read())
        database = sqlite3.connect(f"file:{run}/run.db?mode=ro", uri=True)
        for table in ("train", "match", "probe"):
            digest.update(table.encode())
            for row in rows(database, table):
                digest.update(row)
        snapshots = [r[0] for r in database.execute("select snapshot from train order by key")]
        for name in snapshots:
            path = os.path.join(run, "blobs", name + ".safetensors")
            with open(path, "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != name:
                    raise SystemExit(f"{path}: contents do not match the name")
        database.close()
    return digest.hexdigest()


if __name__ == "__main__":
    print(signature(sys.argv[1:]))
