#!/usr/bin/env python3
"""Promise: agents/, cuda/, engine/ and net/ know no game by name; a game is data to them."""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["SOURCE"])

# Names that are words of English or of programs ("64 hex digits"): they name a game when they are
# quoted, begin a game string, or are part of agon_game_NAME.
# "matrix" is a key of metrics.jsonl, too: quoted it names a game only with parameters.
ORDINARY = {"go", "hex", "iterated", "negotiation", "pursuit"}


def pattern(game):
    if game == "matrix":
        return r'"matrix\(|\bagon_game_matrix\b'
    if game in ORDINARY:
        return rf'"{game}["(]|\b{game}\(|\bagon_game_{game}\b'
    return rf"\b{game}\b"


def main():
    games = set()
    for path in (ROOT / "games").glob("*.c"):
        games |= set(re.findall(r"^const agon_game agon_game_(\w+)\s*=", path.read_text(), re.M))
    if not games:
        print("found no game in games/*.c: the search is broken")
        return 1
    word = re.compile("|".join(pattern(game) for game in sorted(games)))
    faults = files = 0
    for folder in ("agents", "cuda", "engine", "net"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".cu", ".cuh"):
                continue
            files += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if word.search(line):
                    print(f"{path.relative_to(ROOT)}:{number}: names a game: {line.strip()}")
                    faults += 1
    print(f"{len(games)} games, {files} files, {faults} faults")
    return 1 if faults or not files else 0


sys.exit(main())
